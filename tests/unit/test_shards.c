/* SPDX-License-Identifier: MIT */
/* Shards of random customer bases in which every relation has rows: what they publish adds up to the whole, and what they say of an account
 * is what the whole says, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bases.h"
#include "lib/facts_fixture.h"

enum { BASES = 30, MAX_ACCOUNTS = 40, MAX_ROWS = 12000, TEXT = 420 };
#define LAST_DAY 20500 /* 2026-02-16 */

struct chance {
  uint64_t s;
};

static uint64_t next(struct chance *c) { /* splitmix64 */
  uint64_t z = (c->s += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}
static int below(struct chance *c, int n) {
  return (int)(next(c) % (uint64_t)n);
}

/* --- random bases -------------------------------------------------------------------------------------------------- */

struct row {
  enum crm_relation relation;
  int account;
  char text[TEXT];
};

struct base {
  int n_accounts, n_rows, key;
  struct row rows[MAX_ROWS];
  char ids[MAX_ACCOUNTS][40];
};

static const struct {
  const char *relation, *column, *words[9];
} words[] = {
    {"account", "tenant", {"acme", "acme", "beta", "gamma"}},
    {"account", "segment", {"large", "small", "mid", ""}},
    {"account", "owner", {"Mia", "Leo", "Zoe", ""}},
    {"account", "status", {"active", "active", "onboarding", "at_risk", "churned", ""}},
    {"account", "industry", {"tools", "food"}},
    {"contact", "status", {"active", "active", "inactive", "left"}},
    {"contact", "level", {"primary", "influencer", "user", "gatekeeper", ""}},
    {"contact", "strength", {"champion", "supporter", "neutral", "detractor", ""}},
    {"goal", "status", {"on_track", "at_risk", "achieved", "missed", ""}},
    {"onboarding", "status", {"not_started", "in_progress", "completed", "on_hold", "cancelled"}},
    {"contract", "outcome", {"renewed", "lost", "", ""}},
    {"engagement", "type", {"meeting", "call", "email", "demo", "training", "note", "lunch"}},
    {"engagement", "outcome", {"positive", "neutral", "negative", "action_required", ""}},
    {"opportunity", "kind", {"upsell", "cross_sell", "expansion", "renewal", "new", "favour"}},
    {"opportunity", "stage", {"open", "won", "lost", ""}},
    {"signal", "kind", {"budget_constraints", "competitor_mentions", "feature_requests", "pricing_discussions", "rumour"}},
    {"", "currency", {"USD", "USD", "JPY", "KWD", ""}},
    {"", "owner", {"Mia", "Leo", "Zoe", "Ada", ""}},
};

static const char *word(struct chance *c, const char *relation, const char *column) {
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    if (strcmp(words[i].column, column) != 0 || (words[i].relation[0] != '\0' && strcmp(words[i].relation, relation) != 0))
      continue;
    int n = 0;
    while (words[i].words[n] != NULL)
      n++;
    return words[i].words[below(c, n)];
  }
  return "x";
}

/* Mostly of the last months, some of years ago, few after the last day. */
static void day(struct chance *c, char *out, size_t size) {
  int ago = below(c, 4) > 0 ? below(c, 130) : below(c, 900);
  int y, m, d;
  crm_day_to_civil((crm_day)(LAST_DAY + 20 - ago), &y, &m, &d);
  snprintf(out, size, "%04d-%02d-%02d", y, m, d);
}

static void value(struct chance *c, struct base *b, const char *relation, const struct crm_column *column, char *out, size_t size) {
  out[0] = '\0';
  switch (column->kind) {
  case CRM_COL_TEXT:
    if (strlen(column->name) > 3 && strcmp(column->name + strlen(column->name) - 3, "_id") == 0)
      snprintf(out, size, "%s%d", strcmp(relation, "contact") == 0 ? "p" : "k", strcmp(relation, "contact") == 0 ? b->key++ % 9 : b->key++);
    else
      snprintf(out, size, "%s", word(c, relation, column->name));
    return;
  case CRM_COL_TEXTS:
    snprintf(out, size, "p%d,p%d", below(c, 9), below(c, 9));
    return;
  case CRM_COL_TIME:
    day(c, out, size);
    if (below(c, 2) == 0)
      snprintf(out + 10, size - 10, "+%d000000us", below(c, 86400));
    return;
  case CRM_COL_DAY:
    day(c, out, size);
    return;
  case CRM_COL_NUMBER: {
    double low = column->min, high = column->max < 100 ? column->max : strstr(column->name, "seconds") != NULL ? 200000 : 100;
    snprintf(out, size, "%d", (int)low + below(c, (int)(high - low) + 1));
    return;
  }
  case CRM_COL_MONEY:
    snprintf(out, size, "%d", below(c, 5) == 0 ? 0 : 100 * below(c, 400));
    return;
  case CRM_COL_BOOLEAN:
    snprintf(out, size, "%s", below(c, 2) == 0 ? "true" : "false");
    return;
  }
}

/* Columns without which a row of the relation would be refused. */
static bool wanted(enum crm_relation relation, const struct crm_column *column) {
  return column->required || (relation == CRM_REL_REVENUE && strcmp(column->name, "arr") == 0) ||
         (relation == CRM_REL_ENGAGEMENT && strcmp(column->name, "scheduled_at") == 0);
}

static void draw_row(struct chance *c, struct base *b, enum crm_relation relation, int account) {
  const struct crm_relation_info *info = crm_relation_info(relation);
  assert_in_range(b->n_rows, 0, MAX_ROWS - 1);
  struct row *row = &b->rows[b->n_rows++];
  row->relation = relation;
  row->account = account;
  char id[40];
  memcpy(id, b->ids[account], sizeof(id));
  int len = snprintf(row->text, sizeof(row->text), "account_id=%s", id);
  for (size_t i = 1; i < info->n_columns; i++) {
    char text[64];
    if (!wanted(relation, &info->columns[i]) && below(c, 3) == 0)
      continue;
    value(c, b, info->name, &info->columns[i], text, sizeof(text));
    len += snprintf(row->text + len, sizeof(row->text) - (size_t)len, " %s='%s'", info->columns[i].name, text);
    assert_in_range(len, 1, TEXT - 1);
  }
}

static void draw(struct chance *c, struct base *b) {
  b->n_rows = b->key = 0;
  b->n_accounts = 1 + below(c, MAX_ACCOUNTS);
  for (int a = 0; a < b->n_accounts; a++) {
    snprintf(b->ids[a], sizeof(b->ids[a]), "%016" PRIx64 "-%d", next(c), a);
    draw_row(c, b, CRM_REL_ACCOUNT, a);
  }
  static const enum crm_relation first[] = {CRM_REL_CONTACT, CRM_REL_ACCOUNT};
  for (int r = -1; r < CRM_RELATIONS; r++) {
    enum crm_relation relation = r < 0 ? first[0] : (enum crm_relation)r;
    if (relation == first[1] || (r >= 0 && relation == first[0]) || (r >= 0 && below(c, 12) == 0))
      continue;
    for (int a = 0; a < b->n_accounts; a++) {
      bool many = relation == CRM_REL_USAGE || relation == CRM_REL_ENGAGEMENT || relation == CRM_REL_HEALTH;
      int n = below(c, 5) == 0 ? 0 : below(c, many ? 20 : 8);
      for (int k = 0; k < n; k++)
        draw_row(c, b, relation, a);
    }
  }
}

/* --- evaluating -------------------------------------------------------------------------------------------------------- */

/* The accounts of one shard, or with `of` 0 the whole. With `all` rows of other shards come too, which must make no difference. */
static void compute(struct fixture *f, const struct base *b, struct crm_shard shard, bool all, uint64_t seed) {
  static const struct crm_benchmark benchmark = {"median", 70};
  fixture_init_shard(f, seed % 2 == 0 ? "UTC" : "America/New_York", "USD", shard);
  bool has[CRM_RELATIONS] = {false};
  for (int i = 0; i < b->n_rows; i++) {
    const struct row *row = &b->rows[i];
    const char *id = b->ids[row->account];
    has[row->relation] = true;
    if (all || crm_shard_needs_all(row->relation) || crm_shard_holds(shard, id, strlen(id)))
      fixture_row(f, row->relation, "%s", row->text);
  }
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (has[r])
      fixture_begin(f, (enum crm_relation)r);
  f->at = crm_zone_day_start(f->zone, LAST_DAY) + INT64_C(43200) * CRM_US_PER_SECOND;
  f->params.group_by[0] = CRM_DIM_SEGMENT;
  f->params.group_by[1] = CRM_DIM_OWNER;
  f->params.n_group_by = 2;
  f->params.max_cells = seed % 3 == 0 ? 8 : 1000;
  f->params.per_account = CRM_PER_ACCOUNT_ALL;
  f->params.benchmarks = &benchmark;
  f->params.n_benchmarks = 1;
  fixture_evaluate(f);
}

static bool is_sum(const struct crm_family_info *info) {
  return info->scope != CRM_SCOPE_ACCOUNT && !info->derived;
}

/* --- sums ---------------------------------------------------------------------------------------------------------------- */

struct sum {
  int64_t whole, parts, den; /* den 0: a sum that is too large for integers, rounded once, in the next two */
  double real_whole, real_parts;
  bool in_whole;
};

struct sums {
  struct crm_dict keys;
  struct sum *list;
  size_t cap;
};

static void key_of(const struct crm_series_set *set, const struct crm_sample *s, char *key, size_t size) {
  size_t len = (size_t)snprintf(key, size, "%s", crm_family_info((enum crm_family)s->family)->name);
  for (size_t l = 0; l < s->n_labels; l++)
    len += (size_t)snprintf(key + len, size - len, " %s=%s", crm_set_label_name(set, (enum crm_family)s->family, l),
                            crm_set_label_value(set, s, l));
  assert_true(len < size);
}

static void add_up(struct sums *sums, const struct fixture *f, bool whole) {
  for (size_t i = 0; i < f->set.n; i++) {
    const struct crm_sample *s = &f->set.samples[i];
    if (!is_sum(crm_family_info((enum crm_family)s->family)))
      continue;
    char key[400];
    key_of(&f->set, s, key, sizeof(key));
    uint32_t k;
    assert_int_equal(crm_dict_add(&sums->keys, key, strlen(key), &k), CRM_OK);
    if (k >= sums->cap) {
      sums->list = realloc(sums->list, 2 * ((size_t)k + 1) * sizeof(*sums->list));
      assert_non_null(sums->list);
      memset(sums->list + sums->cap, 0, (2 * ((size_t)k + 1) - sums->cap) * sizeof(*sums->list));
      sums->cap = 2 * ((size_t)k + 1);
    }
    struct sum *sum = &sums->list[k];
    if (s->value.den < 0 || (sum->den != 0 && sum->den != s->value.den) ||
        (s->value.den == 0 && s->family != CRM_FAM_HEALTH_SCORE_ARR_POINTS))
      fail_msg("%s is no sum of integers", key);
    sum->den = s->value.den;
    if (sum->den > 0)
      *(whole ? &sum->whole : &sum->parts) += s->value.num;
    else
      *(whole ? &sum->real_whole : &sum->real_parts) += crm_number_value(&s->value);
    sum->in_whole |= whole;
  }
}

/* Where only other shards have what a series is about, a shard has no zero for it, and neither may any other. */
static void check_sums(const struct sums *sums, uint64_t seed, unsigned of) {
  for (uint32_t k = 1; k < sums->keys.count; k++) {
    const struct sum *sum = &sums->list[k];
    if (sum->whole != sum->parts || !sum->in_whole)
      fail_msg("base %" PRIu64 ", %u shards: %s is %" PRId64 " and not %" PRId64, seed, of, crm_dict_text(&sums->keys, k), sum->parts,
               sum->whole);
    if (fabs(sum->real_whole - sum->real_parts) > 1e-13 * fabs(sum->real_whole))
      fail_msg("base %" PRIu64 ", %u shards: %s is %.17g and not %.17g", seed, of, crm_dict_text(&sums->keys, k), sum->real_parts,
               sum->real_whole);
  }
}

/* Lines about single accounts of a dump, appended; the others are passed over. */
static char *account_lines(const struct fixture *f, char *text) {
  char *dump = fixture_dump(f);
  size_t len = text == NULL ? 0 : strlen(text);
  text = realloc(text, len + strlen(dump) + 1);
  assert_non_null(text);
  text[len] = '\0';
  for (char *line = strtok(dump, "\n"); line != NULL; line = strtok(NULL, "\n"))
    if (strncmp(line, "crm_account_", 12) == 0) {
      strcat(text + len, line);
      strcat(text + len, "\n");
    }
  free(dump);
  return text;
}

static int compare_lines(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t sorted(char *text, char **lines, size_t cap) {
  size_t n = 0;
  for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    assert_true(n < cap);
    lines[n++] = line;
  }
  qsort(lines, n, sizeof(*lines), compare_lines);
  return n;
}

/* The same lines, whatever their order. */
static void check_accounts(char *whole, char *parts, uint64_t seed) {
  enum { CAP = 4000 };
  static char *x[CAP], *y[CAP];
  size_t n = sorted(whole, x, CAP), m = sorted(parts, y, CAP);
  for (size_t i = 0; i < n && i < m; i++)
    if (strcmp(x[i], y[i]) != 0)
      fail_msg("base %" PRIu64 ": %s is in a shard\n%s", seed, x[i], y[i]);
  assert_int_equal(n, m);
}

/* --- properties ------------------------------------------------------------------------------------------------------------ */

static void check_base(struct base *b, uint64_t seed, bool present[CRM_FAMILIES], bool nonzero[CRM_FAMILIES]) {
  static const unsigned cuts[] = {2, 3, 7};
  struct chance c = {seed * UINT64_C(1000003)};
  draw(&c, b);
  struct fixture whole, part;
  compute(&whole, b, (struct crm_shard){0}, true, seed);
  for (size_t i = 0; i < whole.set.n; i++) {
    present[whole.set.samples[i].family] = true;
    nonzero[whole.set.samples[i].family] |= crm_number_value(&whole.set.samples[i].value) != 0;
  }
  unsigned of = cuts[seed % 3];
  struct sums sums = {.list = NULL};
  assert_int_equal(crm_dict_init(&sums.keys), CRM_OK);
  add_up(&sums, &whole, true);
  char *accounts = account_lines(&whole, NULL), *in_parts = NULL;
  for (unsigned number = 1; number <= of; number++) {
    compute(&part, b, (struct crm_shard){(uint16_t)number, (uint16_t)of}, seed % 4 == 0, seed);
    assert_int_equal(part.set.n_dimensions, whole.set.n_dimensions);
    for (size_t i = 0; i < part.set.n; i++)
      assert_false(crm_family_info((enum crm_family)part.set.samples[i].family)->derived);
    add_up(&sums, &part, false);
    in_parts = account_lines(&part, in_parts);
    fixture_free(&part);
  }
  check_sums(&sums, seed, of);
  check_accounts(accounts, in_parts, seed);
  free(accounts);
  free(in_parts);
  free(sums.list);
  crm_dict_free(&sums.keys);
  fixture_free(&whole);
}

static void test_random_bases(void **state) {
  struct base *b = calloc(1, sizeof(*b));
  assert_non_null(b);
  static bool present[CRM_FAMILIES], nonzero[CRM_FAMILIES];
  for (uint64_t seed = 1; seed <= test_bases(BASES); seed++)
    check_base(b, seed, present, nonzero);
  free(b);
  /* Nothing was looked at without being there: but the residual, which is 0, and what the collector says of itself. */
  for (int f = 0; f < CRM_FAMILIES && test_bases(BASES) == BASES; f++) {
    const struct crm_family_info *info = crm_family_info((enum crm_family)f);
    if (info->scope != CRM_SCOPE_INSTANCE && (!present[f] || (!nonzero[f] && f != CRM_FAM_ARR_IDENTITY_RESIDUAL)))
      fail_msg("%s was never there", info->name);
  }
}

/* One shard of one is the whole, ratios included. */
static void test_one_of_one(void **state) {
  struct base *b = calloc(1, sizeof(*b));
  assert_non_null(b);
  struct chance c = {99};
  draw(&c, b);
  struct fixture whole, part;
  compute(&whole, b, (struct crm_shard){0}, true, 1);
  compute(&part, b, (struct crm_shard){1, 1}, true, 1);
  char *x = fixture_dump(&whole), *y = fixture_dump(&part);
  assert_string_equal(x, y);
  free(x);
  free(y);
  fixture_free(&whole);
  fixture_free(&part);
  free(b);
}

/* --- the hash ------------------------------------------------------------------------------------------------------------- */

/* RFC 1321, appendix A.5. */
static void test_hash(void **state) {
  static const struct {
    const char *name, *id;
    uint32_t hash;
  } cases[] = {
      {"empty", "", 0xd41d8cd9},
      {"one letter", "a", 0x0cc175b9},
      {"three letters", "abc", 0x90015098},
      {"words", "message digest", 0xf96b697d},
      {"long", "12345678901234567890123456789012345678901234567890123456789012345678901234567890", 0x57edf4a2},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    print_message("%s\n", cases[i].name);
    size_t len = strlen(cases[i].id);
    assert_int_equal(crm_shard_hash(cases[i].id, len), cases[i].hash);
    for (uint16_t number = 1; number <= 8; number++)
      assert_int_equal(crm_shard_holds((struct crm_shard){number, 8}, cases[i].id, len), cases[i].hash % 8 == number - 1u);
    assert_true(crm_shard_holds((struct crm_shard){0}, cases[i].id, len));
  }
}

static void test_parse(void **state) {
  static const struct {
    const char *text;
    unsigned number, of; /* of 0: refused */
  } cases[] = {{"1/1", 1, 1},    {"3/8", 3, 8},       {"8/8", 8, 8},       {"1024/1024", 1024, 1024}, {"10/100", 10, 100},
               {"0/8", 0, 0},    {"9/8", 0, 0},       {"1/1025", 0, 0},    {"1/10240", 0, 0},         {"", 0, 0},
               {"3", 0, 0},      {"3/", 0, 0},        {"/8", 0, 0},        {"3/8 ", 0, 0},            {" 3/8", 0, 0},
               {"03/8", 0, 0},   {"3/08", 0, 0},      {"+3/8", 0, 0},      {"-3/8", 0, 0},            {"3:8", 0, 0},
               {"3/8/9", 0, 0},  {"3.0/8", 0, 0},     {"0x3/8", 0, 0},     {"1/0", 0, 0},             {"65537/65537", 0, 0}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct crm_shard shard = {0};
    print_message("\"%s\"\n", cases[i].text);
    assert_int_equal(crm_shard_parse(cases[i].text, &shard), cases[i].of != 0);
    assert_int_equal(shard.number, cases[i].number);
    assert_int_equal(shard.of, cases[i].of);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_hash), cmocka_unit_test(test_parse), cmocka_unit_test(test_one_of_one),
                                     cmocka_unit_test(test_random_bases)};
  return cmocka_run_group_tests_name("shards", tests, NULL, NULL);
}
