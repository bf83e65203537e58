/* SPDX-License-Identifier: MIT */
/* What is additive adds up, in any order of the rows, and knows nothing of what comes after T: on random customers with contracts,
 * opportunities, goals and engagements. */
#include "crm_config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bases.h"
#include "lib/revenue_check.h"

#define BASES 60 /* unless CRM_TEST_BASES says fewer */
#define ACCOUNTS 30
#define MAX_ROWS 1000

struct row {
  enum crm_relation relation;
  int account;
  bool later; /* dated after T */
  char text[160];
};

struct base {
  struct row rows[MAX_ROWS];
  int n;
  uint32_t seed;
};

static int below(struct base *b, int n) {
  b->seed = b->seed * 1664525 + 1013904223;
  return (int)((b->seed >> 8) % (uint32_t)n);
}

static void add(struct base *b, enum crm_relation relation, int account, bool later, const char *format, ...) CRM_PRINTF(5, 6);
static void add(struct base *b, enum crm_relation relation, int account, bool later, const char *format, ...) {
  struct row *row = &b->rows[b->n++];
  assert_true(b->n <= MAX_ROWS);
  row->relation = relation;
  row->account = account;
  row->later = later;
  int len = snprintf(row->text, sizeof(row->text), "account_id=a%d ", account);
  va_list args;
  va_start(args, format);
  vsnprintf(row->text + len, sizeof(row->text) - (size_t)len, format, args);
  va_end(args);
}

/* An instant in days before T, which is 2026-03-01: @1772323200. */
#define TIME "@%lld"
static long long ago(int days) {
  return 1772323200LL - days * 86400LL;
}

static void draw_account(struct base *b, int i) {
  static const char *const currencies[] = {"USD", "JPY", "KWD"};
  static const char *const kinds[] = {"upsell", "cross_sell", "expansion", "renewal", "new", "other"};
  static const char *const stages[] = {"open", "won", "lost"};
  static const char *const outcomes[] = {"", "outcome=renewed", "outcome=lost"};
  static const char *const renew[] = {"", "auto_renew=true", "auto_renew=false"};
  int since = 200 + below(b, 600);
  add(b, CRM_REL_ACCOUNT, i, false, "tenant=%s segment=%s currency=%s created_at=" TIME " %s", below(b, 2) ? "acme" : "beta",
      below(b, 2) ? "big" : "smb", currencies[below(b, 3)], ago(since), renew[below(b, 3)]);
  for (int k = 1 + below(b, 5); k > 0; k--)
    add(b, CRM_REL_REVENUE, i, false, "at=" TIME " arr=%d", ago(below(b, since)), below(b, 4) * 250);
  for (int k = below(b, 4); k > 0; k--) {
    int starts = below(b, 400);
    add(b, CRM_REL_CONTRACT, i, false, "contract_id=c%d starts_at=" TIME " ends_at=" TIME " arr=%d %s decided_at=" TIME " %s", k,
        ago(starts), ago(starts - 1 - below(b, 500)), below(b, 4) * 200, outcomes[below(b, 3)], ago(below(b, 100) - 50),
        renew[below(b, 3)]);
  }
  for (int k = below(b, 4); k > 0; k--)
    add(b, CRM_REL_OPPORTUNITY, i, false, "kind=%s stage=%s amount=%d opened_at=" TIME " closed_at=" TIME, kinds[below(b, 6)],
        stages[below(b, 3)], below(b, 1000), ago(100 + below(b, 300)), ago(below(b, 500) - 100));
  if (below(b, 2))
    add(b, CRM_REL_GOAL, i, false, "goal_id=g status=achieved completed_at=" TIME, ago(below(b, 450)));
  if (below(b, 2))
    add(b, CRM_REL_ENGAGEMENT, i, false, "engagement_id=e type=call outcome=positive completed_at=" TIME, ago(below(b, 450)));

  add(b, CRM_REL_REVENUE, i, true, "at=" TIME "+1us arr=%d currency=CHF", ago(-below(b, 9)), below(b, 1000));
  add(b, CRM_REL_CONTRACT, i, true, "contract_id=later starts_at=" TIME "+1us arr=%d", ago(-below(b, 9)), below(b, 1000));
  add(b, CRM_REL_OPPORTUNITY, i, true, "kind=other opened_at=" TIME "+1us amount=5 currency=EUR", ago(-below(b, 9)));
  add(b, CRM_REL_GOAL, i, true, "goal_id=later status=achieved completed_at=" TIME "+1us", ago(-below(b, 9)));
  add(b, CRM_REL_ENGAGEMENT, i, true, "engagement_id=later type=call outcome=positive completed_at=" TIME "+1us", ago(-below(b, 9)));
}

enum part { WHOLE, EVEN, ODD };

static void compute(struct fixture *f, struct base *b, enum part part, bool shuffle, bool later) {
  static const enum crm_relation relations[] = {CRM_REL_REVENUE, CRM_REL_CONTRACT, CRM_REL_OPPORTUNITY, CRM_REL_GOAL, CRM_REL_ENGAGEMENT};
  int order[MAX_ROWS];
  for (int i = 0; i < b->n; i++)
    order[i] = i;
  for (int i = b->n - 1; shuffle && i > 0; i--) {
    int k = below(b, i + 1), kept = order[i];
    order[i] = order[k];
    order[k] = kept;
  }
  fixture_init(f, "Europe/Berlin", "USD");
  f->params.group_by[0] = CRM_DIM_SEGMENT;
  f->params.n_group_by = 1;
  fixture_begin(f, CRM_REL_ACCOUNT);
  for (int pass = 0; pass < 2; pass++) {
    for (int i = 0; i < b->n; i++) {
      const struct row *row = &b->rows[order[i]];
      bool mine = part == WHOLE || row->account % 2 == (part == ODD);
      if (mine && (later || !row->later) && (row->relation == CRM_REL_ACCOUNT) == (pass == 0))
        fixture_row(f, row->relation, "%s", row->text);
    }
    for (size_t i = 0; pass == 0 && i < sizeof(relations) / sizeof(relations[0]); i++)
      fixture_begin(f, relations[i]);
  }
  fixture_at(f, "2026-03-01T00:00:00Z");
  revenue_compute(f);
}

/* Shares and means of tenants do not add up; what belongs to an account, a cell or a month does. */
static bool is_additive(const struct crm_sample *s) {
  const char *unit = crm_family_info((enum crm_family)s->family)->unit;
  return strcmp(unit, "ratio") != 0 && s->family != CRM_FAM_AVERAGE_CONTRACT_VALUE && s->family != CRM_FAM_REVENUE_PER_ACCOUNT &&
         s->family != CRM_FAM_CUSTOMER_LIFETIME_VALUE;
}

static bool same_series(const struct fixture *a, const struct crm_sample *x, const struct fixture *b, const struct crm_sample *y) {
  if (x->family != y->family || x->n_labels != y->n_labels)
    return false;
  for (size_t i = 0; i < x->n_labels; i++)
    if (strcmp(crm_set_label_value(&a->set, x, i), crm_set_label_value(&b->set, y, i)) != 0)
      return false;
  return true;
}

/* The part's sample of the series, 0 where it has none. Both sets are sorted: *from moves on. */
static int64_t part_of(const struct fixture *whole, const struct crm_sample *s, const struct fixture *part, size_t *from, size_t *found) {
  for (size_t i = *from; i < part->set.n; i++)
    if (same_series(whole, s, part, &part->set.samples[i])) {
      *from = i + 1;
      ++*found;
      assert_int_equal(part->set.samples[i].value.den, s->value.den);
      return part->set.samples[i].value.num;
    }
  return 0;
}

static void check_parts(const struct fixture *whole, const struct fixture *parts) {
  size_t from[2] = {0, 0}, found[2] = {0, 0}, additive[2] = {0, 0};
  for (size_t i = 0; i < whole->set.n; i++) {
    const struct crm_sample *s = &whole->set.samples[i];
    if (!is_additive(s))
      continue;
    int64_t sum = part_of(whole, s, &parts[0], &from[0], &found[0]) + part_of(whole, s, &parts[1], &from[1], &found[1]);
    if (sum != s->value.num)
      fail_msg("%s: the parts add up to %lld and not %lld", crm_family_info((enum crm_family)s->family)->name, (long long)sum,
               (long long)s->value.num);
  }
  for (int k = 0; k < 2; k++) {
    for (size_t i = 0; i < parts[k].set.n; i++)
      additive[k] += is_additive(&parts[k].set.samples[i]);
    assert_int_equal(found[k], additive[k]); /* and nothing else is in the parts */
  }
}

/* Total of the cells of a tenant and currency, all its segments. */
static double cells(const struct fixture *f, const char *family, const struct crm_sample *s, const char *more) {
  char query[160];
  snprintf(query, sizeof(query), "%s tenant=%s currency=%s%s", family, crm_set_label_value(&f->set, s, 0),
           crm_set_label_value(&f->set, s, 1), more);
  return fixture_sum(f, query);
}

/* Each mean and share of a tenant follows from what is published per cell. */
static size_t check_ratios(const struct fixture *f) {
  size_t seen = 0;
  for (size_t i = 0; i < f->set.n; i++) {
    const struct crm_sample *s = &f->set.samples[i];
    double value = crm_number_value(&s->value), expected;
    if (s->family == CRM_FAM_AVERAGE_CONTRACT_VALUE)
      expected = cells(f, "crm_arr", s, "") / cells(f, "crm_contracts_in_force", s, "");
    else if (s->family == CRM_FAM_REVENUE_PER_ACCOUNT)
      expected = cells(f, "crm_mrr", s, "") / cells(f, "crm_arr_accounts", s, "");
    else if (s->family == CRM_FAM_SUCCESS_DRIVEN_EXPANSION_RATIO)
      expected =
          cells(f, "crm_success_driven_expansion_arr", s, " window=1y") / cells(f, "crm_arr_movement", s, " window=1y kind=expansion");
    else if (s->family == CRM_FAM_ARR_GROWTH_RATIO && strcmp(crm_set_label_value(&f->set, s, 2), "90d") == 0)
      expected = cells(f, "crm_arr_closing", s, " window=90d") / cells(f, "crm_arr_opening", s, " window=90d") - 1;
    else
      continue;
    seen++;
    if (!revenue_near(value, expected))
      fail_msg("%s is %.17g and not %.17g", crm_family_info((enum crm_family)s->family)->name, value, expected);
  }
  return seen;
}

static void test_parts(void **state) {
  struct base *b = calloc(1, sizeof(*b));
  assert_non_null(b);
  size_t ratios = 0;
  uint64_t bases = test_bases(BASES);
  for (uint32_t seed = 1; seed <= bases; seed++) {
    struct fixture whole, parts[2], other;
    b->seed = seed * 2654435761u;
    b->n = 0;
    for (int i = 0; i < ACCOUNTS; i++)
      draw_account(b, i);
    compute(&whole, b, WHOLE, false, false);
    compute(&parts[0], b, EVEN, false, false);
    compute(&parts[1], b, ODD, false, false);
    check_parts(&whole, parts);
    ratios += check_ratios(&whole);

    compute(&other, b, WHOLE, true, true);
    char *text = fixture_dump(&whole), *again = fixture_dump(&other);
    assert_string_equal(again, text);
    free(again);
    free(text);
    fixture_free(&other);
    fixture_free(&parts[1]);
    fixture_free(&parts[0]);
    fixture_free(&whole);
  }
  assert_true(ratios > 10 * bases);
  free(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts)};
  return cmocka_run_group_tests_name("revenue_parts", tests, NULL, NULL);
}
