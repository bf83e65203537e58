/* SPDX-License-Identifier: MIT */
/* What every family of the catalogue owes, over random customer bases with rows in every relation (METRICS.md R1, R4, R7, R10): facts
 * after T and the order of rows change nothing; the whole is the sum over cells and over tenants; ratios are those of their parts; bands,
 * statuses and movements add up (lib/owed.c); and what was so at T - w is told alike at T - w and at T. What a family owes is read off its
 * entry in the catalogue, so that a new one is held to it as well. */
#include "crm_config.h"

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

#include "base/strbuf.h"
#include "lib/bases.h"
#include "lib/owed.h"
#include "lib/sums.h"
#include "lib/whole_base.h"

#define BASES 32
#define DAY CRM_US_PER_DAY

/* Families per tenant that are neither, and where they are held. */
static const enum crm_family elsewhere[] = {
    CRM_FAM_HEALTH_SCORE_ARR_WEIGHTED_AVERAGE, /* check_one_currency */
    CRM_FAM_ARR_IDENTITY_RESIDUAL,             /* check_months_and_residual */
    CRM_FAM_NPS_STANDARD_ERROR,                /* check_standard_error */
    CRM_FAM_ARR_CONCENTRATION_RATIO,           /* check_concentration */
    CRM_FAM_CUSTOMER_LIFETIME_VALUE,           /* check_lifetime_value */
    CRM_FAM_HEALTH_BENCHMARK_SCORE,            /* a constant */
    CRM_FAM_COHORT_ARR,                        /* test_revenue_months_property */
    CRM_FAM_COHORT_ACCOUNTS,
    CRM_FAM_TIME_TO_VALUE_SECONDS,             /* not made of sums: test_kpi_property */
    CRM_FAM_ENGAGEMENT_OUTCOME_CORRELATION,    /* the same: test_engagement_property */
    CRM_FAM_ENGAGEMENT_OUTCOME_CORRELATION_OBSERVATIONS,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- computing -------------------------------------------------------------------------------------------------------------------- */

static const enum crm_dimension groupings[][CRM_DIMS] = {
    {CRM_DIM_SEGMENT, CRM_DIM_OWNER}, {CRM_DIM_REGION}, {CRM_DIM_OWNER, CRM_DIM_REGION, CRM_DIM_SEGMENT}};
static const size_t grouping_sizes[] = {2, 1, 3};

struct whole {
  uint64_t seed;
  struct whole_base base;
  uint64_t seen[CRM_FAMILIES]; /* samples other than 0, in all bases */
  uint64_t compared_then;      /* bases */
};

static void set_params(struct fixture *f, uint64_t seed, int grouping) {
  static const struct crm_benchmark benchmark = {"plan", 72.5};
  f->params.n_group_by = grouping < 0 ? 0 : grouping_sizes[grouping];
  if (grouping >= 0)
    memcpy(f->params.group_by, groupings[grouping], sizeof(groupings[0]));
  f->params.per_account = CRM_PER_ACCOUNT_ALL;
  f->params.min_coverage = seed % 3 == 0 ? 0.8 : 0.3;
  f->params.reactivation_window_days = seed % 2 == 0 ? 0 : 90;
  f->params.benchmarks = &benchmark;
  f->params.n_benchmarks = 1;
}

static void evaluate(struct fixture *f, const struct whole *w, bool later, int tenant, struct chance *order, int grouping) {
  whole_put(f, &w->base, &(struct whole_choice){later, tenant, order});
  set_params(f, w->seed, grouping);
  fixture_evaluate(f);
}

static void evaluate_again(struct fixture *f, const struct whole *w, int grouping, crm_time at) {
  set_params(f, w->seed, grouping);
  f->at = at;
  fixture_evaluate(f);
}

static void expect_same(const struct whole *w, const char *what, const char *expected, const char *got) {
  if (strcmp(expected, got) == 0)
    return;
  const char *line = expected;
  for (const char *e = expected, *g = got; *e != '\0' && *e == *g; e++, g++)
    if (*e == '\n')
      line = e + 1;
  const char *other = got + (line - expected);
  fail_msg("base %" PRIu64 ": %s: %.*s is now %.*s", w->seed, what, (int)strcspn(line, "\n"), line, (int)strcspn(other, "\n"), other);
}

static void expect_dump(const struct whole *w, const char *what, const char *expected, const struct fixture *f) {
  char *got = fixture_dump(f);
  expect_same(w, what, expected, got);
  free(got);
}

/* --- R1 ----------------------------------------------------------------------------------------------------------------------------- */

static void check_as_of(const struct whole *w, const char *expected) {
  struct fixture f;
  struct chance order = {w->seed};
  evaluate(&f, w, false, -1, &order, 0);
  expect_dump(w, "rows in another order", expected, &f);
  fixture_free(&f);
  evaluate(&f, w, true, -1, &order, 0);
  expect_dump(w, "facts after T", expected, &f);
  evaluate_again(&f, w, 1, w->base.at - 40 * DAY); /* leaves nothing behind */
  evaluate_again(&f, w, 0, w->base.at);
  expect_dump(w, "a second time", expected, &f);
  fixture_free(&f);
}

/* Which accounts are shown is told by facts up to T alone. */
static void check_limits(const struct whole *w) {
  struct fixture now, later;
  evaluate(&now, w, false, -1, NULL, 0);
  evaluate(&later, w, true, -1, NULL, 0);
  struct fixture *both[] = {&now, &later};
  for (int k = 0; k < 2; k++) {
    both[k]->params.per_account = w->seed % 2 == 0 ? CRM_PER_ACCOUNT_TOP : CRM_PER_ACCOUNT_AT_RISK;
    both[k]->params.per_account_top = 3;
    both[k]->params.max_series = 40;
    both[k]->params.max_cells = 4;
    fixture_evaluate(both[k]);
  }
  char *expected = fixture_dump(&now);
  expect_dump(w, "facts after T, with limits", expected, &later);
  free(expected);
  fixture_free(&later);
  fixture_free(&now);
}

/* --- cells and tenants --------------------------------------------------------------------------------------------------------------- */

/* One sample without the labels of its cell. */
struct line {
  char key[224];
  struct crm_number value;
};

static int compare_lines(const void *a, const void *b) {
  return strcmp(((const struct line *)a)->key, ((const struct line *)b)->key);
}

/* The samples of the set, those of one key added up; families per cell lose their dimensions. The caller frees it. */
static struct line *lines_of(const struct whole *w, const struct crm_series_set *set, size_t *n) {
  struct line *lines = calloc(set->n + 1, sizeof(*lines));
  assert_non_null(lines);
  for (size_t i = 0; i < set->n; i++) {
    const struct crm_sample *s = &set->samples[i];
    const struct crm_family_info *info = crm_family_info((enum crm_family)s->family);
    size_t dimensions = info->scope == CRM_SCOPE_CELL ? set->n_dimensions : 0;
    int len = snprintf(lines[i].key, sizeof(lines[i].key), "%s %s", info->name, crm_set_label_value(set, s, 0));
    for (size_t l = 1 + dimensions; l < s->n_labels; l++)
      len += snprintf(lines[i].key + len, sizeof(lines[i].key) - (size_t)len, " %s", crm_set_label_value(set, s, l));
    assert_in_range(len, 1, sizeof(lines[i].key) - 1);
    lines[i].value = s->value;
  }
  qsort(lines, set->n, sizeof(*lines), compare_lines);
  *n = 0;
  for (size_t i = 0; i < set->n; i++) {
    if (*n == 0 || strcmp(lines[*n - 1].key, lines[i].key) != 0) {
      lines[(*n)++] = lines[i];
      continue;
    }
    struct crm_number *sum = &lines[*n - 1].value;
    if (sum->den != lines[i].value.den)
      fail_msg("base %" PRIu64 ": %s has denominators of two kinds", w->seed, lines[i].key);
    sum->num += lines[i].value.num;
    sum->real += lines[i].value.real;
  }
  return lines;
}

static void check_cells(const struct whole *w, struct fixture *f) {
  size_t n_whole;
  struct line *whole = lines_of(w, &f->set, &n_whole);
  for (int g = 0; g < (int)COUNT(groupings); g++) {
    size_t n;
    evaluate_again(f, w, g, w->base.at);
    struct line *cells = lines_of(w, &f->set, &n);
    for (size_t i = 0; i < n || i < n_whole; i++) {
      if (i == n || i == n_whole || strcmp(cells[i].key, whole[i].key) != 0)
        fail_msg("base %" PRIu64 ": not in both: %s, %s", w->seed, i < n ? cells[i].key : "", i < n_whole ? whole[i].key : "");
      const struct crm_number *a = &cells[i].value, *b = &whole[i].value;
      if (a->num != b->num || a->den != b->den || !(fabs(a->real - b->real) <= 1e-12 * fabs(b->real)))
        fail_msg("base %" PRIu64 ": the cells of %s add up to %.17g, not %.17g", w->seed, cells[i].key, crm_number_value(a),
                 crm_number_value(b));
    }
    free(cells);
  }
  free(whole);
}

/* Every series of a tenant is what it is when there is no other tenant: so the sum over tenants is the whole, for every family. */
static void check_tenants(const struct whole *w, const char *all) {
  for (int t = 0; t < WHOLE_TENANTS; t++) {
    struct fixture alone;
    struct crm_strbuf part;
    char label[32];
    snprintf(label, sizeof(label), " tenant=%s ", whole_tenants[t]);
    crm_strbuf_init(&part, (size_t)1 << 30);
    /* Without functions for strings, of which a strict sanitizer measures all that follows, for every line. */
    for (const char *line = all, *end = all + strlen(all); line < end;) {
      size_t len = (size_t)((const char *)memchr(line, '\n', (size_t)(end - line)) - line) + 1;
      if (memmem(line, len, label, strlen(label)) != NULL)
        crm_strbuf_add(&part, line, len);
      line += len;
    }
    char *expected = crm_strbuf_take(&part);
    assert_non_null(expected);
    evaluate(&alone, w, true, t, NULL, 0);
    expect_dump(w, whole_tenants[t], expected, &alone);
    free(expected);
    fixture_free(&alone);
  }
}

/* --- what is no plain sum or ratio ------------------------------------------------------------------------------------------ */

static double one(const struct fixture *f, const char *format, ...) CRM_PRINTF(2, 3);
static double one(const struct fixture *f, const char *format, ...) {
  char query[160];
  va_list args;
  va_start(args, format);
  vsnprintf(query, sizeof(query), format, args);
  va_end(args);
  return fixture_sum(f, query);
}

static double or_zero(double value) {
  return isnan(value) ? 0 : value;
}

static void expect_told(const struct whole *w, const char *what, double expected, double got) {
  if (!(isnan(expected) && isnan(got)) && !(fabs(got - expected) <= 1e-9 * fmax(1, fabs(expected))))
    fail_msg("base %" PRIu64 ": %s is %.15g, its parts say %.15g", w->seed, what, got, expected);
}

static const char *const codes[] = {"JPY", "KWD", "USD"};

/* Means weighted by money exist for tenants that are paid in one currency. */
static void check_one_currency(const struct whole *w, const struct fixture *f, const char *tenant) {
  static const char *const windows[] = {"30d", "60d", "90d"};
  double points = 0, arr = 0;
  int currencies = 0;
  for (size_t k = 0; k < COUNT(codes); k++) {
    double here = or_zero(one(f, "crm_health_scored_arr tenant=%s currency=%s", tenant, codes[k]));
    currencies += here > 0;
    arr += here;
    points += or_zero(one(f, "crm_health_score_arr_points tenant=%s currency=%s", tenant, codes[k]));
  }
  expect_told(w, "the weighted average", currencies == 1 ? points / arr : NAN,
               one(f, "crm_health_score_arr_weighted_average tenant=%s", tenant));
  for (size_t k = 0; k < COUNT(windows); k++) {
    double base = 0, net = 0, gross = 0;
    currencies = 0;
    for (size_t c = 0; c < COUNT(codes); c++) {
      double due = or_zero(one(f, "crm_renewal_arr_base tenant=%s window=%s currency=%s", tenant, windows[k], codes[c]));
      double renewed = or_zero(one(f, "crm_renewal_arr_renewed tenant=%s window=%s currency=%s", tenant, windows[k], codes[c]));
      currencies += due > 0 || renewed > 0;
      base += due;
      net += renewed;
      gross += or_zero(one(f, "crm_renewal_arr_renewed_gross tenant=%s window=%s currency=%s", tenant, windows[k], codes[c]));
    }
    bool is = currencies == 1 && base > 0;
    expect_told(w, "net renewal", is ? net / base : NAN, one(f, "crm_renewal_ratio kind=net tenant=%s window=%s", tenant, windows[k]));
    expect_told(w, "gross renewal", is ? gross / base : NAN,
                one(f, "crm_renewal_ratio kind=gross tenant=%s window=%s", tenant, windows[k]));
  }
}

/* The variance of the mean of n answers of 1, 0 and -1. */
static void check_standard_error(const struct whole *w, const struct fixture *f, const char *tenant) {
  double p = or_zero(one(f, "crm_nps_responses category=promoter window=90d tenant=%s", tenant));
  double d = or_zero(one(f, "crm_nps_responses category=detractor window=90d tenant=%s", tenant));
  double n = p + d + or_zero(one(f, "crm_nps_responses category=passive window=90d tenant=%s", tenant)), mean = (p - d) / n;
  double squares = p * (1 - mean) * (1 - mean) + d * (-1 - mean) * (-1 - mean) + (n - p - d) * mean * mean;
  expect_told(w, "the standard error", n > 0 ? 100 * sqrt(squares / n / n) : NAN, one(f, "crm_nps_standard_error tenant=%s", tenant));
}

static int descending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x < y) - (x > y);
}

static void check_concentration(const struct whole *w, const struct fixture *f, const char *tenant, const char *code) {
  static const size_t tops[] = {1, 5, 10, 20};
  double arr[WHOLE_ACCOUNTS], all = 0;
  for (int i = 0; i < WHOLE_ACCOUNTS; i++)
    all += arr[i] = or_zero(one(f, "crm_account_arr tenant=%s currency=%s account=a%d", tenant, code, i));
  qsort(arr, WHOLE_ACCOUNTS, sizeof(*arr), descending);
  for (size_t k = 0; k < COUNT(tops); k++) {
    double held = 0;
    for (size_t i = 0; i < tops[k] && i < WHOLE_ACCOUNTS; i++)
      held += arr[i];
    expect_told(w, "the concentration", all > 0 ? held / all : NAN,
                 one(f, "crm_arr_concentration_ratio tenant=%s currency=%s top=%zu", tenant, code, tops[k]));
  }
}

/* The running month, k = 0, is that of T. */
static const char *month_name(const struct whole *w, int k, char buf[16]) {
  int year, month, day;
  crm_day_to_civil(crm_zone_day(w->base.zone, w->base.at), &year, &month, &day);
  month -= 1 + k;
  while (month < 0) {
    month += 12;
    year--;
  }
  snprintf(buf, 16, "%04d-%02d", year, month + 1);
  return buf;
}

static void check_lifetime_value(const struct whole *w, const struct fixture *f, const char *tenant, const char *code) {
  double sum = 0, months = 0;
  char month[16];
  for (int k = 1; k <= 6; k++) {
    month_name(w, k, month);
    double opening = one(f, "crm_accounts_month_opening tenant=%s currency=%s month=%s", tenant, code, month);
    if (opening > 0) {
      sum += one(f, "crm_accounts_month_movement kind=lost tenant=%s currency=%s month=%s", tenant, code, month) / opening;
      months++;
    }
  }
  double arpa = one(f, "crm_revenue_per_account tenant=%s currency=%s", tenant, code);
  expect_told(w, "the lifetime value", sum > 0 ? arpa * fmin(60, months / sum) : NAN,
               one(f, "crm_customer_lifetime_value tenant=%s currency=%s", tenant, code));
}

static void check_months_and_residual(const struct whole *w, const struct fixture *f, const char *tenant, const char *code) {
  char here[16], before[16];
  for (int k = 0; k < 12; k++) {
    month_name(w, k, here);
    month_name(w, k + 1, before);
    static const char *const families[] = {"arr_month", "accounts_month"};
    for (size_t i = 0; i < COUNT(families); i++)
      expect_told(w, here, one(f, "crm_%s_closing tenant=%s currency=%s month=%s", families[i], tenant, code, before),
                   one(f, "crm_%s_opening tenant=%s currency=%s month=%s", families[i], tenant, code, here));
  }
  expect_told(w, "the running month", or_zero(one(f, "crm_arr tenant=%s currency=%s", tenant, code)),
               or_zero(one(f, "crm_arr_month_closing tenant=%s currency=%s month=%s", tenant, code, month_name(w, 0, here))));
  expect_told(w, "the residual", 0, or_zero(one(f, "crm_arr_identity_residual tenant=%s currency=%s", tenant, code)));
}

static void check_tenants_alone(const struct whole *w, const struct fixture *f) {
  for (size_t t = 0; t < WHOLE_TENANTS; t++) {
    check_one_currency(w, f, whole_tenants[t]);
    check_standard_error(w, f, whole_tenants[t]);
    for (size_t k = 0; k < COUNT(codes); k++) {
      check_concentration(w, f, whole_tenants[t], codes[k]);
      check_lifetime_value(w, f, whole_tenants[t], codes[k]);
      check_months_and_residual(w, f, whole_tenants[t], codes[k]);
    }
  }
}

/* --- the same instant, told twice ------------------------------------------------------------------------------------------- */

/* What is said at T of T - w is what is said at T - w. The set has no dimensions; `then` is one of the same facts. */
static void check_then(const struct whole *w, struct fixture *f, struct fixture *then) {
  static const struct {
    const char *frame, *now, *then;
  } same[] = {
      {"crm_arr_opening", "crm_arr_opening", "crm_arr"},
      {"crm_accounts_opening", "crm_accounts_opening", "crm_accounts_paying"},
      {"crm_health_change_accounts", "crm_health_band_transitions from=healthy", "crm_accounts_by_health band=healthy"},
      {"crm_health_change_accounts", "crm_health_band_transitions from=moderate", "crm_accounts_by_health band=moderate"},
      {"crm_health_change_accounts", "crm_health_band_transitions from=at_risk", "crm_accounts_by_health band=at_risk"},
      {"crm_health_change_accounts", "crm_health_band_transitions from=critical", "crm_accounts_by_health band=critical"},
      {"crm_health_change_accounts", "crm_health_band_transitions from=unscored", "crm_accounts_by_health band=unscored"},
      {"crm_health_change_accounts", "crm_health_band_transitions from=churned", "crm_accounts status=churned"},
  };
  static const enum crm_window windows[] = {CRM_WINDOW_7D, CRM_WINDOW_30D, CRM_WINDOW_90D, CRM_WINDOW_1Y};
  for (size_t k = 0; k < COUNT(windows); k++) {
    const char *window = crm_window_name(windows[k]);
    evaluate_again(then, w, -1, crm_window_start(w->base.zone, w->base.at, windows[k]));
    for (size_t i = 0; i < COUNT(same); i++) {
      struct sums frame, a, b;
      char text[64];
      snprintf(text, sizeof(text), "%s window=%s", same[i].frame, window);
      sums_parse(text, &frame);
      sums_parse(same[i].now, &a);
      sums_parse(same[i].then, &b);
      snprintf(a.terms[0].name[a.terms[0].n], sizeof(a.terms[0].name[0]), "window");
      snprintf(a.terms[0].value[a.terms[0].n++], sizeof(a.terms[0].value[0]), "%s", window);
      for (size_t s = 0; s < f->set.n; s++) {
        if (!sums_holds(&f->set, &frame.terms[0], &f->set.samples[s]))
          continue;
        const struct sums_frame here = {&f->set, &frame.terms[0], &f->set.samples[s]};
        struct sums_total now = sums_at(&f->set, &a, &here), before = sums_at(&then->set, &b, &here);
        char where[256];
        if (!sums_equal(&now, &before))
          fail_msg("base %" PRIu64 ": %s at T says %.15Lg, %s at T - %s said %.15Lg (%s)", w->seed, same[i].now, now.value, same[i].then,
                   window, before.value, sums_show(&f->set, &f->set.samples[s], where, sizeof(where)));
      }
    }
  }
}

/* --- tests ------------------------------------------------------------------------------------------------------------------ */

static void note_seen(struct whole *w, const struct crm_series_set *set) {
  for (size_t i = 0; i < set->n; i++) {
    assert_true(isfinite(crm_number_value(&set->samples[i].value)));
    w->seen[set->samples[i].family] += crm_number_value(&set->samples[i].value) != 0;
  }
}

static void check_base(struct whole *w) {
  struct fixture f, then;
  evaluate(&f, w, false, -1, NULL, 0);
  char *expected = fixture_dump(&f);
  owed_sums(w->seed, &f.set);
  note_seen(w, &f.set);
  check_as_of(w, expected);
  check_tenants(w, expected);
  free(expected);
  check_limits(w);
  evaluate_again(&f, w, -1, w->base.at);
  owed_sums(w->seed, &f.set);
  owed_ratios(w->seed, &f.set);
  check_tenants_alone(w, &f);
  if (!w->base.hindsight) {
    evaluate(&then, w, true, -1, NULL, -1);
    check_then(w, &f, &then);
    w->compared_then++;
    fixture_free(&then);
  }
  check_cells(w, &f);
  fixture_free(&f);
}

static void test_random_bases(void **state) {
  struct whole *w = calloc(1, sizeof(*w));
  assert_non_null(w);
  static const char *const zones[] = {"UTC", "Europe/Berlin", "America/Sao_Paulo"};
  for (uint64_t seed = 1; seed <= test_bases(BASES); seed++) {
    struct crm_zone *zone = NULL;
    struct crm_error err = {0};
    assert_int_equal(crm_zone_new(zones[seed % COUNT(zones)], &zone, &err), CRM_OK);
    w->seed = seed;
    whole_draw(&(struct chance){seed}, zone, &w->base);
    check_base(w);
    crm_zone_free(zone);
  }
  /* Equal nothings prove nothing: every family had something to say. */
  assert_true(w->compared_then >= test_bases(BASES) / 4);
  for (unsigned f = 0; f < CRM_FAMILIES && test_bases(BASES) == BASES; f++) {
    const struct crm_family_info *info = crm_family_info((enum crm_family)f);
    if (info->scope != CRM_SCOPE_INSTANCE && f != CRM_FAM_ARR_IDENTITY_RESIDUAL && w->seen[f] == 0)
      fail_msg("no base has a %s", info->name);
  }
  free(w);
}

/* Families per cell add up by their scope; one per tenant has to be in a table. */
static void test_nothing_is_left_out(void **state) {
  for (unsigned f = 0; f < CRM_FAMILIES; f++) {
    enum crm_family family = (enum crm_family)f;
    const struct crm_family_info *info = crm_family_info(family);
    bool held = info->scope != CRM_SCOPE_TENANT || owed_is_held(family);
    for (size_t k = 0; k < COUNT(elsewhere) && !held; k++)
      held = elsewhere[k] == family;
    if (!held)
      fail_msg("%s is held to nothing", info->name);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_is_left_out), cmocka_unit_test(test_random_bases)};
  return cmocka_run_group_tests_name("whole_property", tests, NULL, NULL);
}
