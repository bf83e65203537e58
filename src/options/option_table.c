/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "options/option_table.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define INSTANCE(field) .target = CRM_TARGET_INSTANCE, .offset = offsetof(struct crm_instance_options, field)
#define DATABASE(field) .target = CRM_TARGET_DATABASE, .offset = offsetof(struct crm_database_options, field)
#define RELATION(field) .target = CRM_TARGET_RELATION, .offset = offsetof(struct crm_relation_options, field)
#define RULE(field) .target = CRM_TARGET_RULE, .offset = offsetof(struct crm_rule, field)
#define LISTEN(field) .target = CRM_TARGET_LISTEN, .offset = offsetof(struct crm_listen_options, field)
#define TEXT_FILE(field) .target = CRM_TARGET_TEXT_FILE, .offset = offsetof(struct crm_textfile_options, field)
#define SINK(field) .target = CRM_TARGET_SINK, .offset = offsetof(struct crm_sink_options, field)
#define SCORECARD(field) .target = CRM_TARGET_SCORECARD, .offset = offsetof(struct crm_scorecard, field)

static const struct crm_option table[] = {
#define CRM_OPTION(...) {__VA_ARGS__},
#include "options/option_table.def"
#undef CRM_OPTION
};

size_t crm_option_count(void) {
  return sizeof(table) / sizeof(*table);
}

const struct crm_option *crm_option_at(size_t i) {
  return &table[i];
}

const struct crm_option *crm_option_find(const char *name, unsigned block) {
  for (size_t i = 0; i < crm_option_count(); i++)
    if ((table[i].blocks & block) != 0 && strcasecmp(table[i].name, name) == 0)
      return &table[i];
  return NULL;
}

const char *crm_option_block_name(unsigned block) {
  switch (block) {
  case CRM_BLOCK_INSTANCE:
    return "Instance";
  case CRM_BLOCK_DATABASE:
    return "Database";
  case CRM_BLOCK_RELATION:
    return "Relation";
  case CRM_BLOCK_RECOMMENDATION:
    return "Recommendation";
  case CRM_BLOCK_LISTEN:
    return "Listen";
  case CRM_BLOCK_TEXT_FILE:
    return "TextFile";
  case CRM_BLOCK_REMOTE_WRITE:
    return "RemoteWrite";
  case CRM_BLOCK_OTLP:
    return "OTLP";
  default:
    return "Scorecard";
  }
}

enum { LONGEST_WORD = 40 };

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Number of letters to insert, drop, replace or swap with their neighbour to get from one word to the other, letter case left aside
 * (restricted Damerau-Levenshtein distance). Words that are too long are infinitely far. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len) {
  unsigned d[LONGEST_WORD + 1][LONGEST_WORD + 1];
  if (a_len > LONGEST_WORD || b_len > LONGEST_WORD)
    return ~0u;
  for (size_t i = 0; i <= a_len; i++)
    d[i][0] = (unsigned)i;
  for (size_t j = 0; j <= b_len; j++)
    d[0][j] = (unsigned)j;
  for (size_t i = 1; i <= a_len; i++)
    for (size_t j = 1; j <= b_len; j++) {
      unsigned best = d[i - 1][j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
      if (d[i - 1][j] + 1 < best)
        best = d[i - 1][j] + 1;
      if (d[i][j - 1] + 1 < best)
        best = d[i][j - 1] + 1;
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]) && d[i - 2][j - 2] + 1 < best)
        best = d[i - 2][j - 2] + 1;
      d[i][j] = best;
    }
  return d[a_len][b_len];
}

/* How far a slip of the finger may be from what was meant: a third of the word. */
static unsigned tolerance(size_t len) {
  return len < 3 ? 0 : len < 6 ? 1 : len < 9 ? 2 : (unsigned)(len / 3);
}

const char *crm_option_near(const char *name, unsigned block) {
  const char *nearest = NULL;
  unsigned least = ~0u;
  size_t len = strlen(name);
  for (size_t i = 0; i < crm_option_count(); i++) {
    if ((table[i].blocks & block) == 0)
      continue;
    unsigned d = distance(name, len, table[i].name, strlen(table[i].name));
    if (d < least && d <= tolerance(len)) {
      least = d;
      nearest = table[i].name;
    }
  }
  return nearest;
}

bool crm_word_near(const char *text, const char *words, char *buf, size_t size) {
  unsigned least = ~0u;
  size_t text_len = strlen(text);
  for (const char *p = words; *p != '\0';) {
    size_t len = strcspn(p, " ");
    unsigned d = distance(text, text_len, p, len);
    if (d < least && d <= tolerance(text_len) && len < size) {
      least = d;
      memcpy(buf, p, len);
      buf[len] = '\0';
    }
    p += len + (p[len] == ' ');
  }
  return least != ~0u;
}

/* "plain, hashed and off" */
static void add_words(const char *words, const char *last, struct crm_strbuf *out) {
  for (const char *p = words; *p != '\0';) {
    size_t len = strcspn(p, " ");
    bool is_last = p[len] == '\0';
    if (p != words)
      crm_strbuf_adds(out, is_last ? last : ", ");
    crm_strbuf_addf(out, "\"%.*s\"", (int)len, p);
    p += len + !is_last;
  }
}

static void add_range(const struct crm_option *option, struct crm_strbuf *out) {
  if (option->zero)
    crm_strbuf_addf(out, "0, or from %.15g to %.15g", option->min, option->max);
  else
    crm_strbuf_addf(out, "from %.15g to %.15g", option->min, option->max);
  if (option->unit != NULL)
    crm_strbuf_addf(out, " %s", option->unit);
}

void crm_option_allowed(const struct crm_option *option, struct crm_strbuf *out) {
  switch (option->kind) {
  case CRM_KIND_TEXT:
    crm_strbuf_adds(out, "one text in quotes");
    return;
  case CRM_KIND_CONNINFO:
    crm_strbuf_adds(out, "a connection string of libpq in quotes, without a password");
    return;
  case CRM_KIND_PATH:
  case CRM_KIND_FILE:
    crm_strbuf_adds(out, "an absolute path in quotes");
    if (option->words != NULL) {
      crm_strbuf_adds(out, ", or ");
      add_words(option->words, " or ", out);
    }
    return;
  case CRM_KIND_PORT:
    crm_strbuf_addf(out, "a number from %.15g to %.15g", option->min, option->max);
    return;
  case CRM_KIND_CHOICE:
  case CRM_KIND_WORD:
    crm_strbuf_adds(out, "one of ");
    add_words(option->words, " and ", out);
    return;
  case CRM_KIND_MAPPING:
    crm_strbuf_adds(out, "the name of a shipped mapping, or an absolute path, in quotes");
    return;
  case CRM_KIND_BOOLEAN:
    crm_strbuf_adds(out, "true or false");
    return;
  case CRM_KIND_DURATION:
  case CRM_KIND_NUMBER:
    crm_strbuf_adds(out, "a number without quotes, ");
    add_range(option, out);
    return;
  case CRM_KIND_INTEGER:
  case CRM_KIND_COUNT:
    crm_strbuf_adds(out, "a whole number without quotes, ");
    add_range(option, out);
    return;
  case CRM_KIND_BYTES:
    crm_strbuf_addf(out, "%sa number of bytes from %.15g to %.15g, or such a number in quotes that ends in K, M or G",
                    option->zero ? "0, " : "", option->min, option->max);
    return;
  case CRM_KIND_ZONE:
    crm_strbuf_adds(out, "a name of the tz database such as \"Europe/Berlin\" or \"UTC\"");
    return;
  case CRM_KIND_CURRENCY:
    crm_strbuf_adds(out, "three letters (ISO 4217) such as \"EUR\"");
    return;
  case CRM_KIND_SHARD:
    crm_strbuf_addf(out, "in quotes two numbers such as \"3/8\", the first from 1 to the second, the second up to %.15g", option->max);
    return;
  case CRM_KIND_FLAGS:
  case CRM_KIND_DIMENSIONS:
    crm_strbuf_adds(out, "one or more, each once, of ");
    add_words(option->words, " and ", out);
    return;
  case CRM_KIND_PER_ACCOUNT:
    crm_strbuf_addf(out, "\"none\", \"at_risk\", \"all\", or \"top\" and a number from %.15g to %.15g", option->min, option->max);
    return;
  case CRM_KIND_BENCHMARK:
    crm_strbuf_addf(out, "a text in quotes, each once, and a number from %.15g to %.15g", option->min, option->max);
    return;
  case CRM_KIND_CONDITION:
    crm_strbuf_addf(out, "in quotes a term, one of <, <=, > and >=, and a number; up to %d conditions, each once", CRM_CONDITIONS_MAX);
    return;
  case CRM_KIND_URL:
    crm_strbuf_adds(out, "a whole URL in quotes that begins with http:// or https://, without user or password in it");
    return;
  case CRM_KIND_PATTERNS:
    crm_strbuf_adds(out, "one or more names of families in quotes, with * and ? for any letters, and \"!\" first to leave out");
    return;
  case CRM_KIND_LABEL:
    crm_strbuf_addf(
        out,
        "a name of letters, digits and '_' that does not begin with a digit or with \"__\", each once and not job or instance, and a "
        "text of up to %.15g bytes",
        option->max);
    return;
  case CRM_KIND_HEADER:
    crm_strbuf_adds(out, "the name of a header, each once, that neither the protocol nor another option sets, and its value");
    return;
  case CRM_KIND_HEADER_FILE:
    crm_strbuf_adds(out, "the name of a header, each once, that neither the protocol nor another option sets, and an absolute path");
    return;
  }
}
