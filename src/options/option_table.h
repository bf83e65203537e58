/* SPDX-License-Identifier: MIT */
/* What is known of every option, in one table (option_table.def): the parser, the range checks, the defaults, the manual's list and the
 * sample file are all made from it. An option is added there and nowhere else. */
#ifndef CRM_OPTIONS_OPTION_TABLE_H
#define CRM_OPTIONS_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "options/options.h"

/* The blocks in which an option may stand. */
enum crm_option_block {
  CRM_BLOCK_INSTANCE = 1u << 0,
  CRM_BLOCK_DATABASE = 1u << 1,
  CRM_BLOCK_RELATION = 1u << 2,
  CRM_BLOCK_SCORECARD = 1u << 3,
  CRM_BLOCK_RECOMMENDATION = 1u << 4,
  CRM_BLOCK_LISTEN = 1u << 5,
  CRM_BLOCK_TEXT_FILE = 1u << 6,
  CRM_BLOCK_REMOTE_WRITE = 1u << 7,
  CRM_BLOCK_OTLP = 1u << 8,
};
#define CRM_OPTION_BLOCKS 9
#define CRM_BLOCKS_SINK (CRM_BLOCK_REMOTE_WRITE | CRM_BLOCK_OTLP)

/* What values an option takes, and the type of the field that it sets. */
enum crm_option_kind {
  CRM_KIND_TEXT,        /* const char * */
  CRM_KIND_CONNINFO,    /* const char *: a connection string of libpq without a password */
  CRM_KIND_PATH,        /* const char *: an absolute path, or one of `words` */
  CRM_KIND_FILE,        /* the same, and the file must be there */
  CRM_KIND_PORT,        /* const char *, given as a number or as text */
  CRM_KIND_CHOICE,      /* const char *: one of `words` */
  CRM_KIND_MAPPING,     /* const char *: a shipped mapping or an absolute directory */
  CRM_KIND_WORD,        /* an enum: the place of the word in `words` */
  CRM_KIND_BOOLEAN,     /* bool */
  CRM_KIND_DURATION,    /* int64_t microseconds, given in seconds */
  CRM_KIND_INTEGER,     /* int */
  CRM_KIND_COUNT,       /* size_t */
  CRM_KIND_NUMBER,      /* double */
  CRM_KIND_BYTES,       /* size_t, a number or "512M" */
  CRM_KIND_ZONE,        /* struct crm_instance_options: source.zone and params.zone */
  CRM_KIND_CURRENCY,    /* const char *: three letters */
  CRM_KIND_SHARD,       /* struct crm_shard: "3/8" */
  CRM_KIND_FLAGS,       /* unsigned: a bit for each of `words` that is given */
  CRM_KIND_DIMENSIONS,  /* struct crm_params: group_by, n_group_by; `words` in the order of enum crm_dimension */
  CRM_KIND_PER_ACCOUNT, /* struct crm_params: per_account, per_account_top; `words` in the order of enum crm_per_account */
  CRM_KIND_BENCHMARK,   /* struct crm_params: adds to benchmarks; a text and a number */
  CRM_KIND_CONDITION,   /* struct crm_rule: adds to conditions; "term > number" */
  CRM_KIND_URL,         /* const char *: http or https; without a password */
  CRM_KIND_PATTERNS,    /* struct crm_sink_options: adds to families */
  CRM_KIND_LABEL,       /* struct crm_sink_options: adds to labels; a name and a value */
  CRM_KIND_HEADER,      /* struct crm_sink_options: adds to headers; a name and a value */
  CRM_KIND_HEADER_FILE, /* the same; a name and an absolute path */
};

/* The struct of which `offset` counts. */
enum crm_option_target {
  CRM_TARGET_INSTANCE,
  CRM_TARGET_DATABASE,
  CRM_TARGET_RELATION,
  CRM_TARGET_SCORECARD,
  CRM_TARGET_RULE,
  CRM_TARGET_LISTEN,
  CRM_TARGET_TEXT_FILE,
  CRM_TARGET_SINK,
};

struct crm_option {
  const char *name;
  unsigned blocks; /* of enum crm_option_block */
  enum crm_option_kind kind;
  enum crm_option_target target;
  size_t offset;
  double min, max;      /* for numbers, in the unit in which they are given; for text the longest length is max (0: 4096) */
  bool repeats;         /* may be given several times in a block; the values add up */
  bool zero;            /* 0 is allowed too, below min; the help says what it means */
  const char *unit;     /* "seconds", "days" ..., for numbers; or NULL */
  const char *words;    /* allowed words, separated by blanks; or NULL */
  const char *fallback; /* the default as it would be written; NULL: none */
  const char *example;  /* a value for the sample where there is no default */
  const char *group;    /* heading under which the manual and the sample list it */
  const char *help;     /* whole sentences */
};

size_t crm_option_count(void);
const struct crm_option *crm_option_at(size_t i);
/* The option of that name (letter case does not matter) that may stand in the block, or NULL. */
const struct crm_option *crm_option_find(const char *name, unsigned block);
/* "Instance", "Database", "Relation", "Scorecard", "Recommendation", "Listen", "TextFile", "RemoteWrite", "OTLP". */
const char *crm_option_block_name(unsigned block);

/* Appends what is allowed: "a number of seconds from 1 to 86400", "one of plain, hashed and off". */
void crm_option_allowed(const struct crm_option *option, struct crm_strbuf *out);

/* The structs that an option may set; those which the block at hand has not are NULL. */
struct crm_option_place {
  struct crm_instance_options *instance;
  struct crm_database_options *database;
  struct crm_relation_options *relation;
  struct crm_scorecard *scorecard;
  struct crm_rule *rule;
  struct crm_listen_options *listen;
  struct crm_textfile_options *textfile;
  struct crm_sink_options *sink;
  const char *mapping_dir;
  struct crm_arena *arena;
};
/* Checks the values of `node` and sets the field. CRM_ERR_CONFIG: what is wrong, and what is allowed, without position or name. */
enum crm_status crm_option_apply(const struct crm_option *option, const struct crm_conf_node *node, const struct crm_option_place *place,
                                 struct crm_error *err) CRM_MUSTCHECK;
/* Sets the option to its default, which goes the same way as a written value. Nothing without a default. */
enum crm_status crm_option_apply_default(const struct crm_option *option, const struct crm_option_place *place,
                                         struct crm_error *err) CRM_MUSTCHECK;

/* Of the options in the block, the one that looks most like `name`; NULL if none is near. */
const char *crm_option_near(const char *name, unsigned block);
/* Of the blank-separated words, the one that looks most like `text`, copied to buf; false if none is near. */
bool crm_word_near(const char *text, const char *words, char *buf, size_t size);

/* The manual's list of options, in POD. */
void crm_options_pod(struct crm_strbuf *out);
/* The sample file: every option as a comment, at its default or with an example. */
void crm_options_sample(struct crm_strbuf *out);

#endif
