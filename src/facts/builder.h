/* SPDX-License-Identifier: MIT */
/* Building facts row by row. The reader decodes one row into a `struct crm_row` (a value per column of the contract, in the order of
 * crm_relation_info) and hands it over; the builder checks it, counts it if it makes no sense, appends it to the columns otherwise.
 * No allocation per row: columns double. Tests use the same door. */
#ifndef CRM_FACTS_BUILDER_H
#define CRM_FACTS_BUILDER_H

#include "facts/facts.h"

#define CRM_ROW_COLUMNS 24 /* more than any relation has */

/* One value. `set` false is NULL. */
struct crm_cell_value {
  bool set;
  union {
    struct {
      const char *text; /* not NUL-terminated; valid during the call */
      size_t len;
    };
    crm_time time;   /* CRM_COL_TIME */
    crm_day day;     /* CRM_COL_DAY */
    double number;   /* CRM_COL_NUMBER */
    bool boolean;    /* CRM_COL_BOOLEAN */
    struct {         /* CRM_COL_MONEY: not yet scaled, since the currency is another column */
      const unsigned char *numeric; /* PostgreSQL's binary numeric; NULL: `major` holds the amount */
      size_t numeric_len;
      double major;
    };
    struct {         /* CRM_COL_TEXTS */
      const struct crm_text_item *items;
      size_t n_items;
    };
  };
};
struct crm_text_item {
  const char *text;
  size_t len;
};
struct crm_row {
  struct crm_cell_value cells[CRM_ROW_COLUMNS];
};

struct crm_builder;

struct crm_builder_options {
  const char *default_tenant;   /* the instance's name */
  const char *default_currency; /* "" = none */
  const struct crm_zone *zone;  /* where a DATE in a CRM_COL_TIME column stands at 00:00 (done by the reader) */
  size_t memory_ceiling;        /* bytes, 0 = none: CRM_ERR_LIMIT beyond */
  struct crm_shard shard;       /* which accounts are its own; rows of others are passed over where a shard does not need them */
  bool patchable;               /* keep what is needed to change the facts later: finish with crm_picture_new (facts/patch.h) */
};

/* CRM_OK, CRM_ERR_MEMORY, or CRM_ERR_CONFIG for a default currency that is none. The strings are copied.
 * Free with crm_builder_free whether or not it was finished. */
enum crm_status crm_builder_new(const struct crm_builder_options *options, struct crm_builder **builder, struct crm_error *err) CRM_MUSTCHECK;
void crm_builder_free(struct crm_builder *builder);

/* Must be called before the first row of a relation; makes it available even if no row follows. `read_at` as in crm_facts.
 * All rows of `account` come before rows of any other relation, and rows of `contact` before those of `engagement`. */
void crm_builder_begin(struct crm_builder *builder, enum crm_relation relation, crm_time read_at);
/* Gives up what was appended to the relation since crm_builder_begin, with its counts of refused rows, and makes it unavailable again.
 * Giving up `account` gives up every relation. */
void crm_builder_abandon(struct crm_builder *builder, enum crm_relation relation);

/* Takes one row. A row that makes no sense is counted by reason and is not an error. An empty text is NULL, and a time outside the
 * years 1..9999 is out of range, but INT64_MAX ("infinity") as the end of a contract is open-ended. An account row is kept whenever it has
 * an id: what makes no sense in it becomes unknown and is counted; likewise the words of contact, goal and onboarding.
 * CRM_ERR_MEMORY, CRM_ERR_LIMIT, or CRM_ERR_DATA if the order of calls is wrong. */
enum crm_status crm_builder_row(struct crm_builder *builder, enum crm_relation relation, const struct crm_row *row, struct crm_error *err) CRM_MUSTCHECK;
/* Counts a row that could not even be decoded. */
void crm_builder_reject(struct crm_builder *builder, enum crm_relation relation, enum crm_reject reason);

/* Groups every relation by account, orders it, and hands over the finished facts (one reference). The builder is empty afterwards.
 * Uses memory for one more column at a time, not for a second picture. */
enum crm_status crm_builder_finish(struct crm_builder *builder, struct crm_facts **facts, struct crm_error *err) CRM_MUSTCHECK;

#endif
