/* SPDX-License-Identifier: MIT */
/* Grouping, order, duplicates, and the life of a builder. Rows are written as ../lib/rows.h says. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/bases.h"
#include "../lib/rows.h"
#include "facts/layout.h"

#define S CRM_US_PER_SECOND

/* --- order and duplicates ----------------------------------------------------------------------------------------- */

static void rows_are_grouped_and_ordered(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&rows_usual);
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "c");
  rows_put(b, CRM_REL_ACCOUNT, "a");
  rows_put(b, CRM_REL_ACCOUNT, "b");
  rows_put(b, CRM_REL_USAGE, "c|3|1");
  rows_put(b, CRM_REL_USAGE, "a|2|5");
  rows_put(b, CRM_REL_USAGE, "c|1|2");
  rows_put(b, CRM_REL_USAGE, "a|2|~");
  rows_put(b, CRM_REL_USAGE, "a|1|9");
  rows_put(b, CRM_REL_USAGE, "c|-1|3");
  rows_put(b, CRM_REL_USAGE, "a|2|4");
  struct crm_facts *f = rows_finish(b);
  static const uint32_t first[] = {0, 4, 4, 7};
  assert_memory_equal(f->usage.first, first, sizeof(first));
  static const crm_day days[] = {1, 2, 2, 2, -1, 1, 3};
  assert_memory_equal(f->usage.day, days, sizeof(days));
  assert_true(isnan(f->usage.logins_per_week[1])); /* of one day: the missing figure first, then by size */
  assert_true(f->usage.logins_per_week[2] == 4 && f->usage.logins_per_week[3] == 5);
  crm_facts_unref(f);
}

static uint32_t next_random(uint32_t *state) {
  return *state = *state * 1664525u + 1013904223u;
}

static void large_groups_are_ordered(void **state) {
  (void)state;
  enum { N = 5000 };
  static crm_day days[N];
  for (int i = 0; i < N; i++)
    days[i] = i;
  uint32_t random = 7;
  for (int i = N - 1; i > 0; i--) {
    int j = (int)(next_random(&random) >> 8) % (i + 1);
    crm_day swap = days[i];
    days[i] = days[j];
    days[j] = swap;
  }
  struct crm_builder *b = rows_builder(&rows_usual);
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "a");
  rows_put(b, CRM_REL_ACCOUNT, "b");
  char row[64];
  for (int i = 0; i < N; i++) {
    snprintf(row, sizeof(row), "%s|%d|%d", i % 3 == 0 ? "b" : "a", days[i], days[i] * 2);
    rows_put(b, CRM_REL_USAGE, row);
  }
  struct crm_facts *f = rows_finish(b);
  assert_int_equal(f->usage.n, N);
  assert_int_equal(f->usage.first[1], N - (N + 2) / 3);
  for (uint32_t a = 0; a < 2; a++)
    for (uint32_t r = f->usage.first[a]; r < f->usage.first[a + 1]; r++) {
      assert_true(f->usage.logins_per_week[r] == 2.0 * f->usage.day[r]);
      assert_true(r == f->usage.first[a] || f->usage.day[r] > f->usage.day[r - 1]);
    }
  crm_facts_unref(f);
}

static void duplicates_are_dropped(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&rows_usual);
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "a|~|second");
  rows_put(b, CRM_REL_ACCOUNT, "b");
  rows_put(b, CRM_REL_ACCOUNT, "a|~|first");
  rows_put(b, CRM_REL_ACCOUNT, "a|zoo|alien"); /* tenant house comes before zoo */
  rows_put(b, CRM_REL_CONTRACT, "a|c|5");
  rows_put(b, CRM_REL_CONTRACT, "a|d|3");
  rows_put(b, CRM_REL_CONTRACT, "a|c|1");
  rows_put(b, CRM_REL_CONTRACT, "b|c|9"); /* of another account */
  rows_put(b, CRM_REL_CONTACT, "a|p|user");
  rows_put(b, CRM_REL_CONTACT, "a|p|primary");
  rows_put(b, CRM_REL_GOAL, "a|g|missed");
  rows_put(b, CRM_REL_GOAL, "a|g|on_track");
  rows_put(b, CRM_REL_ENGAGEMENT, "a|e1|call|~|~|10");
  rows_put(b, CRM_REL_ENGAGEMENT, "a|e2|call|~|~|10"); /* alike, but another one */
  rows_put(b, CRM_REL_ENGAGEMENT, "a|e1|call|~|~|5");
  rows_put(b, CRM_REL_ENGAGEMENT, "b|e1|call|~|~|5");
  rows_put(b, CRM_REL_NPS, "a|1|9"); /* has no key: twice is twice */
  rows_put(b, CRM_REL_NPS, "a|1|9");
  struct crm_facts *f = rows_finish(b);
  assert_int_equal(f->account.n, 2);
  assert_string_equal(rows_text(f, f->account.name[0]), "first");
  assert_int_equal(f->rejected[CRM_REL_ACCOUNT][CRM_REJECT_DUPLICATE], 2);
  assert_int_equal(f->n_tenants, 1);
  assert_int_equal(f->contract.n, 3);
  assert_int_equal(f->contract.starts_at[0], 1 * S);
  assert_int_equal(f->contract.starts_at[1], 3 * S);
  assert_int_equal(f->contract.first[1], 2);
  assert_int_equal(f->rejected[CRM_REL_CONTRACT][CRM_REJECT_DUPLICATE], 1);
  assert_int_equal(f->contact.n, 1);
  assert_int_equal(f->contact.level[0], CRM_PRIMARY);
  assert_int_equal(f->goal.n, 1);
  assert_int_equal(f->goal.status[0], CRM_GOAL_ON_TRACK);
  assert_int_equal(f->engagement.n, 3);
  assert_int_equal(f->engagement.completed_at[0], 5 * S);
  assert_int_equal(f->engagement.completed_at[1], 10 * S);
  assert_int_equal(f->engagement.first[1], 2);
  assert_int_equal(f->rejected[CRM_REL_ENGAGEMENT][CRM_REJECT_DUPLICATE], 1);
  assert_int_equal(f->nps.n, 2);
  crm_facts_unref(f);
}

static void engagements_know_their_contacts(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&rows_usual);
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "b");
  rows_put(b, CRM_REL_ACCOUNT, "a");
  rows_put(b, CRM_REL_CONTACT, "b|shared");
  rows_put(b, CRM_REL_CONTACT, "a|zoe");
  rows_put(b, CRM_REL_CONTACT, "a|shared");
  rows_put(b, CRM_REL_CONTACT, "a|ann");
  rows_put(b, CRM_REL_CONTACT, "b|bob");
  rows_put(b, CRM_REL_ENGAGEMENT, "a|e3|call|~|3|~|~|~|zoe,shared,zoe,nobody,bob,ann");
  rows_put(b, CRM_REL_ENGAGEMENT, "b|e1|call|~|1|~|~|~|shared,ann,bob");
  rows_put(b, CRM_REL_ENGAGEMENT, "a|e1|call|~|1|~|~|~|nobody,,bob,a");
  rows_put(b, CRM_REL_ENGAGEMENT, "a|e2|call|~|~|2|~|60|~|5|4|3");
  rows_put(b, CRM_REL_ENGAGEMENT, "a|e0|call|~|0|~|~|~|ann");
  struct crm_facts *f = rows_finish(b);
  static const char *const contacts[] = {"ann", "shared", "zoe", "bob", "shared"};
  for (uint32_t c = 0; c < 5; c++)
    assert_string_equal(rows_text(f, f->contact.id[c]), contacts[c]);
  static const uint32_t first[] = {0, 1, 1, 1, 4, 6};
  assert_memory_equal(f->engagement.contact_first, first, sizeof(first));
  static const uint32_t contact[] = {0, 0, 1, 2, 3, 4};
  assert_memory_equal(f->engagement.contact, contact, sizeof(contact));
  assert_int_equal(f->engagement.completed_at[2], 2 * S); /* ordered by completed_at, else scheduled_at */
  assert_int_equal(f->engagement.scheduled_at[2], CRM_TIME_NONE);
  assert_int_equal(f->engagement.scheduled_at[3], 3 * S);
  assert_int_equal(f->engagement.completed_at[3], CRM_TIME_NONE);
  assert_true(f->engagement.response_seconds[2] == 60 && f->engagement.participants[2] == 5 && f->engagement.accepted[2] == 4 &&
              f->engagement.answered[2] == 3);
  crm_facts_unref(f);
}

static const enum crm_relation in_order[] = {
    CRM_REL_ACCOUNT, CRM_REL_CONTACT,    CRM_REL_REVENUE,      CRM_REL_CONTRACT,   CRM_REL_USAGE,
    CRM_REL_SUPPORT, CRM_REL_ENGAGEMENT, CRM_REL_NPS,          CRM_REL_GOAL,       CRM_REL_HEALTH,
    CRM_REL_INVOICE, CRM_REL_SIGNAL,     CRM_REL_INTERVENTION, CRM_REL_ONBOARDING, CRM_REL_OPPORTUNITY,
};
_Static_assert(sizeof(in_order) / sizeof(in_order[0]) == CRM_RELATIONS, "every relation");

/* One of few values for a cell, so that rows collide in every way; now and then one that makes no sense. */
static void random_cell(char *out, size_t size, enum crm_relation relation, const struct crm_column *column, uint32_t *random) {
  uint32_t r = next_random(random) >> 8;
  static const char *const currencies[] = {"EUR", "usd", "JPY", "dollars", "~"};
  static const char *const words[] = {"active",  "at_risk", "churned",  "lost", "renewed", "champion",
                                      "primary", "won",     "achieved", "x",    "~"};
  if (strcmp(column->name, "account_id") == 0)
    snprintf(out, size, "acc%u", r % (relation == CRM_REL_ACCOUNT ? 12 : 13));
  else if (strcmp(column->name, "currency") == 0)
    snprintf(out, size, "%s", currencies[r % 5]);
  else if (strcmp(column->name, "tenant") == 0)
    snprintf(out, size, "%s", r % 16 == 0 ? "acme" : r % 16 == 1 ? "~" : "zoo");
  else if (strcmp(column->name, "contact_id") == 0 || strcmp(column->name, "engagement_id") == 0)
    snprintf(out, size, "k%u", r % 6);
  else if (column->kind == CRM_COL_TEXTS)
    snprintf(out, size, "k%u,k%u,k%u", r % 7, r / 7 % 7, r / 49 % 7);
  else if (column->kind == CRM_COL_TEXT)
    snprintf(out, size, "%s", words[r % 11]);
  else if (!column->required && r % 4 == 0)
    snprintf(out, size, "~");
  else if (column->kind == CRM_COL_BOOLEAN)
    snprintf(out, size, "%c", "tf"[r % 2]);
  else
    snprintf(out, size, "%d", (int)(r / 4 % 5) - (r % 64 == 1 ? 2 : 0));
}

/* The same rows in many orders give the same facts. */
static void order_of_rows_does_not_matter(void **state) {
  (void)state;
  enum { ROWS = 150 };
  static char rows[CRM_RELATIONS][ROWS][256];
  uint32_t random = 42;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_relation_info *info = crm_relation_info((enum crm_relation)r);
    for (int i = 0; i < ROWS; i++) {
      size_t len = 0;
      for (size_t c = 0; c < info->n_columns; c++) {
        char cell[64];
        random_cell(cell, sizeof(cell), (enum crm_relation)r, &info->columns[c], &random);
        len += (size_t)snprintf(rows[r][i] + len, sizeof(rows[r][i]) - len, "%s%s", c == 0 ? "" : "|", cell);
      }
    }
  }
  char *expected = NULL;
  for (int round = 0; round < 25; round++) {
    struct crm_builder *b = rows_builder(&rows_usual);
    rows_begin(b);
    for (int o = 0; o < CRM_RELATIONS; o++) {
      enum crm_relation r = in_order[o];
      for (int i = ROWS - 1; i > 0 && round > 0; i--) {
        int j = (int)((next_random(&random) >> 8) % (uint32_t)(i + 1));
        char swap[256];
        memcpy(swap, rows[r][i], 256);
        memcpy(rows[r][i], rows[r][j], 256);
        memcpy(rows[r][j], swap, 256);
      }
      for (int i = 0; i < ROWS; i++)
        rows_put(b, r, rows[r][i]);
    }
    struct crm_facts *f = rows_finish(b);
    char *text = rows_dump(f);
    if (round == 0) {
      assert_int_equal(f->account.n, 12);
      assert_int_equal(f->account.n + f->rejected[CRM_REL_ACCOUNT][CRM_REJECT_DUPLICATE], ROWS);
      assert_true(f->engagement.n > 20 && f->rejected[CRM_REL_ENGAGEMENT][CRM_REJECT_DUPLICATE] > 20);
      assert_true(f->engagement.contact_first[f->engagement.n] > 10);
      assert_true(f->revenue.n > 20 && f->rejected[CRM_REL_REVENUE][CRM_REJECT_BAD_VALUE] > 5);
      assert_int_equal(f->n_tenants, 3);
      assert_int_equal(f->n_currencies, 3);
      expected = text;
    } else {
      assert_string_equal(text, expected);
      free(text);
    }
    crm_facts_unref(f);
  }
  free(expected);
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static void empty_is_not_missing(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&rows_usual);
  crm_builder_begin(b, CRM_REL_ACCOUNT, 11 * S);
  crm_builder_begin(b, CRM_REL_USAGE, 12 * S);
  rows_put(b, CRM_REL_ACCOUNT, "a");
  crm_builder_reject(b, CRM_REL_USAGE, CRM_REJECT_BAD_TEXT);
  struct crm_facts *f = rows_finish(b);
  assert_true(f->available[CRM_REL_USAGE]);
  assert_int_equal(f->read_at[CRM_REL_USAGE], 12 * S);
  assert_int_equal(f->read_at[CRM_REL_ACCOUNT], 11 * S);
  assert_false(f->available[CRM_REL_SUPPORT]);
  assert_int_equal(f->read_at[CRM_REL_SUPPORT], CRM_TIME_NONE);
  assert_int_equal(f->rejected[CRM_REL_USAGE][CRM_REJECT_BAD_TEXT], 1);
  for (int r = 1; r < CRM_RELATIONS; r++) { /* every relation can be walked, mapped or not */
    const uint32_t *first = crm_held_get(f, crm_layout((enum crm_relation)r)->first);
    assert_true(first[0] == 0 && first[1] == 0);
  }
  assert_int_equal(f->engagement.contact_first[0], 0);
  crm_facts_unref(f);

  b = rows_builder(&rows_usual);
  crm_builder_begin(b, CRM_REL_ACCOUNT, 0);
  f = rows_finish(b);
  assert_int_equal(f->account.n, 0);
  assert_int_equal(f->n_tenants, 1); /* so that its zeros have a label */
  assert_string_equal(rows_text(f, f->tenants[0]), "house");
  crm_facts_unref(f);
}

static void nothing_fits_without_accounts(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&rows_usual);
  rows_begin(b);
  rows_put(b, CRM_REL_USAGE, "a|1");
  struct crm_facts *f = rows_finish(b);
  assert_int_equal(f->usage.n, 0);
  assert_int_equal(f->rejected[CRM_REL_USAGE][CRM_REJECT_UNKNOWN_ACCOUNT], 1);
  crm_facts_unref(f);
}

static void churn_without_a_date_is_counted(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&rows_usual);
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "undated|~|~|~|~|~|~|churned|EUR");
  rows_put(b, CRM_REL_ACCOUNT, "open contract|~|~|~|~|~|~|churned|EUR");
  rows_put(b, CRM_REL_ACCOUNT, "dated|~|~|~|~|~|~|churned|EUR|~|5");
  rows_put(b, CRM_REL_ACCOUNT, "contract ends|~|~|~|~|~|~|churned|EUR");
  rows_put(b, CRM_REL_ACCOUNT, "revenue ends|~|~|~|~|~|~|churned|EUR");
  rows_put(b, CRM_REL_ACCOUNT, "active|~|~|~|~|~|~|active|EUR");
  rows_put(b, CRM_REL_CONTRACT, "open contract|c|1");
  rows_put(b, CRM_REL_CONTRACT, "contract ends|c|1");
  rows_put(b, CRM_REL_CONTRACT, "contract ends|d|1|9");
  rows_put(b, CRM_REL_REVENUE, "open contract|1|5");
  rows_put(b, CRM_REL_REVENUE, "revenue ends|1|5");
  rows_put(b, CRM_REL_REVENUE, "revenue ends|2|0");
  struct crm_facts *f = rows_finish(b);
  assert_int_equal(f->rejected[CRM_REL_ACCOUNT][CRM_REJECT_UNDATED_CHURN], 2);
  assert_int_equal(f->account.n, 6);
  crm_facts_unref(f);
}

static void abandoned_rows_are_gone(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&rows_usual);
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "a");
  rows_put(b, CRM_REL_USAGE, "a|1|5");
  rows_put(b, CRM_REL_USAGE, "x|1|5");
  rows_put(b, CRM_REL_CONTACT, "a|k");
  rows_put(b, CRM_REL_ENGAGEMENT, "a|e|call|~|1|~|~|~|k");
  rows_put(b, CRM_REL_HEALTH, "a|1|5");
  crm_builder_abandon(b, CRM_REL_USAGE);
  crm_builder_abandon(b, CRM_REL_ENGAGEMENT);
  crm_builder_abandon(b, CRM_REL_SIGNAL); /* nothing there */
  crm_builder_begin(b, CRM_REL_ENGAGEMENT, 6 * S);
  rows_put(b, CRM_REL_ENGAGEMENT, "a|e2|call|~|2|~|~|~|k");
  struct crm_facts *f = rows_finish(b);
  assert_false(f->available[CRM_REL_USAGE]);
  assert_int_equal(f->usage.n, 0);
  assert_int_equal(f->rows[CRM_REL_USAGE], 0);
  assert_int_equal(f->rejected[CRM_REL_USAGE][CRM_REJECT_UNKNOWN_ACCOUNT], 0);
  assert_int_equal(f->usage.first[1], 0);
  assert_true(f->available[CRM_REL_ENGAGEMENT]);
  assert_int_equal(f->engagement.n, 1);
  assert_int_equal(f->engagement.scheduled_at[0], 2 * S);
  assert_int_equal(f->engagement.contact_first[1], 1);
  assert_int_equal(f->health.n, 1);
  crm_facts_unref(f);

  b = rows_builder(&rows_usual);
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "old");
  rows_put(b, CRM_REL_USAGE, "old|1|5");
  crm_builder_abandon(b, CRM_REL_ACCOUNT); /* and with it all that refers to it */
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "new");
  rows_put(b, CRM_REL_USAGE, "old|1|5");
  rows_put(b, CRM_REL_USAGE, "new|1|5");
  f = rows_finish(b);
  assert_int_equal(f->account.n, 1);
  assert_int_equal(f->usage.n, 1);
  assert_int_equal(f->rejected[CRM_REL_USAGE][CRM_REJECT_UNKNOWN_ACCOUNT], 1);
  crm_facts_unref(f);
}

static void calls_in_the_wrong_order_are_errors(void **state) {
  (void)state;
  struct crm_error err = {0};
  struct crm_builder *b = rows_builder(&rows_usual);
  assert_int_equal(rows_try_put(b, CRM_REL_USAGE, "a|1", &err), CRM_ERR_DATA);
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "a");
  rows_put(b, CRM_REL_USAGE, "a|1");
  assert_int_equal(rows_try_put(b, CRM_REL_ACCOUNT, "b", &err), CRM_ERR_DATA);
  assert_int_equal(rows_try_put(b, CRM_REL_ACCOUNT, "b", NULL), CRM_ERR_DATA);
  struct crm_facts *f = NULL;
  assert_int_equal(crm_builder_finish(b, &f, &err), CRM_OK);
  struct crm_facts *g = NULL;
  assert_int_equal(crm_builder_finish(b, &g, &err), CRM_ERR_DATA);
  assert_null(g);
  assert_int_equal(rows_try_put(b, CRM_REL_USAGE, "a|1", &err), CRM_ERR_DATA);
  crm_builder_begin(b, CRM_REL_USAGE, 0);
  crm_builder_abandon(b, CRM_REL_USAGE);
  crm_builder_reject(b, CRM_REL_USAGE, CRM_REJECT_BAD_TEXT);
  crm_builder_free(b);
  crm_builder_free(NULL);
  assert_int_equal(f->rejected[CRM_REL_USAGE][CRM_REJECT_BAD_TEXT], 0); /* the facts are no longer the builder's */
  crm_facts_unref(f);
}

static void too_many_currencies_and_tenants(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&rows_usual);
  struct crm_error err = {0};
  rows_begin(b);
  char row[100];
  for (int i = 0; i < CRM_CURRENCIES_MAX; i++) {
    snprintf(row, sizeof(row), "a%d|~|~|~|~|~|~|~|X%c%c", i, 'A' + i / 26, 'A' + i % 26);
    rows_put(b, CRM_REL_ACCOUNT, row);
  }
  rows_put(b, CRM_REL_ACCOUNT, "again|~|~|~|~|~|~|~|xaa");
  assert_int_equal(rows_try_put(b, CRM_REL_ACCOUNT, "more|~|~|~|~|~|~|~|USD", &err), CRM_ERR_LIMIT);
  assert_non_null(strstr(err.message, "currencies"));
  crm_builder_free(b);

  b = rows_builder(&rows_usual);
  rows_begin(b);
  for (int i = 0; i <= CRM_TENANTS_MAX; i++) {
    snprintf(row, sizeof(row), "a%d|t%d", i, i);
    rows_put(b, CRM_REL_ACCOUNT, row);
  }
  struct crm_facts *f = NULL;
  assert_int_equal(crm_builder_finish(b, &f, &err), CRM_ERR_LIMIT);
  assert_non_null(strstr(err.message, "tenants"));
  crm_builder_free(b);
}

/* Builds a small CRM under the ceiling; CRM_OK hands over its facts. */
static enum crm_status build_under(size_t ceiling, struct crm_facts **f, struct crm_error *err) {
  struct crm_builder *b =
      rows_builder(&(struct crm_builder_options){.default_tenant = "t", .default_currency = "EUR", .memory_ceiling = ceiling});
  rows_begin(b);
  enum crm_status status = CRM_OK;
  char row[200];
  for (int i = 0; i < 100 && status == CRM_OK; i++) {
    snprintf(row, sizeof(row), "account %d|tenant %d|name %d", i, i % 3, i);
    status = rows_try_put(b, CRM_REL_ACCOUNT, row, err);
  }
  for (int i = 0; i < 300 && status == CRM_OK; i++) {
    snprintf(row, sizeof(row), "account %d|contact %d", i % 100, i);
    status = rows_try_put(b, CRM_REL_CONTACT, row, err);
  }
  for (int i = 0; i < 3000 && status == CRM_OK; i++) {
    snprintf(row, sizeof(row), "account %d|e%d|call|~|%d|~|owner %d|~|contact %d,contact %d", i % 100, i, i % 7, i % 500, i % 300, i % 100);
    status = rows_try_put(b, CRM_REL_ENGAGEMENT, row, err);
  }
  if (status == CRM_OK)
    status = crm_builder_finish(b, f, err);
  crm_builder_free(b);
  return status;
}

/* At every ceiling below what is needed the build ends with an error and leaves nothing behind. */
static void the_ceiling_holds(void **state) {
  (void)state;
  struct crm_facts *f = NULL;
  struct crm_error err = {0};
  assert_int_equal(build_under(0, &f, &err), CRM_OK);
  char *expected = rows_dump(f);
  size_t needed = crm_facts_bytes(f);
  crm_facts_unref(f);
  int refused = 0;
  size_t ceiling = 1, step = test_bases(997) == 997 ? 997 : 2999; /* a third of them under a wrapper */
  for (;; ceiling += step) {
    f = NULL;
    err = (struct crm_error){0};
    enum crm_status status = build_under(ceiling, &f, &err);
    if (status == CRM_OK)
      break;
    assert_int_equal(status, CRM_ERR_LIMIT);
    assert_null(f);
    assert_non_null(strstr(err.message, "MaxMemory"));
    assert_non_null(strstr(err.message, "relation "));
    refused++;
  }
  char *text = rows_dump(f);
  assert_string_equal(text, expected);
  free(text);
  free(expected);
  crm_facts_unref(f);
  assert_true(refused > 100);
  assert_true(ceiling > needed - sizeof(struct crm_facts));
  assert_true(ceiling < 4 * needed);
}

static void facts_are_shared(void **state) {
  (void)state;
  struct crm_facts *f = NULL;
  assert_int_equal(crm_facts_new(&f, NULL), CRM_OK);
  assert_int_equal(f->account.n, 0);
  assert_int_equal(f->text.count, 1);
  assert_int_equal(f->read_at[CRM_REL_NPS], CRM_TIME_NONE);
  assert_true(crm_facts_bytes(f) >= sizeof(*f));
  assert_ptr_equal(crm_facts_ref(f), f);
  crm_facts_unref(f);
  assert_int_equal(f->text.count, 1); /* still there */
  crm_facts_unref(f);
  assert_null(crm_facts_ref(NULL));
  crm_facts_unref(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_grouped_and_ordered),
      cmocka_unit_test(large_groups_are_ordered),
      cmocka_unit_test(duplicates_are_dropped),
      cmocka_unit_test(engagements_know_their_contacts),
      cmocka_unit_test(order_of_rows_does_not_matter),
      cmocka_unit_test(empty_is_not_missing),
      cmocka_unit_test(nothing_fits_without_accounts),
      cmocka_unit_test(churn_without_a_date_is_counted),
      cmocka_unit_test(abandoned_rows_are_gone),
      cmocka_unit_test(calls_in_the_wrong_order_are_errors),
      cmocka_unit_test(too_many_currencies_and_tenants),
      cmocka_unit_test(the_ceiling_holds),
      cmocka_unit_test(facts_are_shared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
