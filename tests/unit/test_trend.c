/* SPDX-License-Identifier: MIT */
/* How health and risk moved. The instant is 2026-03-01 00:00 UTC, hence T - 7 d = 2026-02-22, T - 30 d = 2026-01-30, T - 90 d = 2025-12-01.
 * With all weight on product usage and adoption alone recorded, the health score is the latest adoption of the last 30 days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/close.h"
#include "lib/facts_fixture.h"

static void init(struct fixture *f, enum crm_health_factor factor) {
  fixture_init(f, "UTC", "USD");
  for (unsigned k = 0; k < CRM_HEALTH_FACTORS; k++)
    f->card.weight[k] = k == factor;
  for (unsigned k = 0; k < CRM_CHURN_FACTORS; k++)
    f->params.churn_weight[k] = k == CRM_CF_HEALTH_DECLINE;
  fixture_at(f, "2026-03-01");
}

static void put_adoption(struct fixture *f, const char *account, const char *day, double percent) {
  fixture_row(f, CRM_REL_USAGE, "account_id=%s day=%s feature_adoption=%.15g", account, day, percent);
}

struct query {
  const char *query;
  double value;
};

static void check(struct fixture *f, const struct query *queries, size_t n) {
  for (size_t i = 0; i < n; i++)
    assert_close_named(queries[i].query, fixture_sum(f, queries[i].query), queries[i].value);
}
#define CHECK(f, queries) check(f, queries, sizeof(queries) / sizeof(queries[0]))

/* Scores at T - 90 d, T - 30 d, T - 7 d and T:
 *   a (smb) 50 60 65 70.1   b (mid) 50 55 50 55   c (smb) 85 79 45 39.9   d (mid) created 1 February, 39 80
 *   e (smb) 30 30 30, churned 25 February   g (mid) none 50 none none */
static void make(struct fixture *f) {
  init(f, CRM_HF_PRODUCT_USAGE);
  f->params.n_group_by = 1;
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=a status=active segment=smb created_at=2025-01-01");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=b status=active segment=mid created_at=2025-01-01");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=c status=active segment=smb created_at=2025-01-01");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=d status=active segment=mid created_at=2026-02-01");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=e status=churned segment=smb created_at=2025-01-01 churned_at=2026-02-25");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=g status=active segment=mid created_at=2025-01-01");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=later status=active segment=mid tenant=other created_at=2026-03-01+1us");
  static const struct {
    const char *account;
    double percent[4];
  } scores[] = {
      {"a", {50, 60, 65, 70.1}}, {"b", {50, 55, 50, 55}},  {"c", {85, 79, 45, 39.9}},
      {"d", {NAN, NAN, 39, 80}}, {"e", {30, 30, 30, NAN}}, {"g", {NAN, 50, NAN, NAN}},
  };
  /* 20 January is in the 30 days before T - 30 d but not in those before T - 7 d. */
  static const char *const days[] = {"2025-11-20", "2026-01-20", "2026-02-20", "2026-02-28"};
  for (size_t i = 0; i < sizeof(scores) / sizeof(scores[0]); i++)
    for (size_t k = 0; k < 4; k++)
      if (!isnan(scores[i].percent[k]))
        put_adoption(f, scores[i].account, days[k], scores[i].percent[k]);
}

static void test_change(void **state) {
  struct fixture f;
  make(&f);
  fixture_evaluate(&f);
  static const struct query queries[] = {
      {"crm_health_change_points window=7d", 46}, /* 5.1 + 5 - 5.1 + 41 */
      {"crm_health_change_accounts window=7d", 4},
      {"crm_health_change_points window=30d", -29}, /* 10.1 + 0 - 39.1 */
      {"crm_health_change_accounts window=30d", 3},
      {"crm_health_change_points window=90d", -20}, /* 20.1 + 5 - 45.1 */
      {"crm_health_change_accounts window=90d", 3},
      {"crm_health_change_points window=7d segment=mid", 46},
      {"crm_health_change_accounts window=7d segment=smb", 2},
      {"crm_accounts_by_health_trend window=7d trend=improving", 2},
      {"crm_accounts_by_health_trend window=7d trend=stable", 1}, /* b: just 5 */
      {"crm_accounts_by_health_trend window=7d trend=declining", 1},
      {"crm_accounts_by_health_trend window=30d trend=improving", 1},
      {"crm_accounts_by_health_trend window=30d trend=stable segment=mid", 1},
      {"crm_accounts_by_health_trend window=30d trend=declining segment=smb", 1},
      {"crm_accounts_by_health_trend window=90d trend=stable", 1},
      {"crm_accounts_by_health_trend window=90d trend=declining segment=mid", 0},
      {"crm_health_change_points window=7d tenant=other", NAN}, /* does not exist yet */
  };
  CHECK(&f, queries);
  fixture_free(&f);
}

static void test_transitions(void **state) {
  struct fixture f;
  make(&f);
  fixture_evaluate(&f);
  static const struct query queries[] = {
      {"crm_health_band_transitions window=7d", 6}, /* all accounts */
      {"crm_health_band_transitions window=7d from=moderate to=moderate", 1},
      {"crm_health_band_transitions window=7d from=at_risk to=at_risk", 1},
      {"crm_health_band_transitions window=7d from=at_risk to=critical", 1},
      {"crm_health_band_transitions window=7d from=critical to=healthy", 1},
      {"crm_health_band_transitions window=7d from=critical to=churned", 1},
      {"crm_health_band_transitions window=7d from=unscored to=unscored", 1},
      {"crm_health_band_transitions window=7d from=healthy to=healthy", 0},
      {"crm_health_band_transitions window=30d", 6},
      {"crm_health_band_transitions window=30d from=moderate to=moderate", 1},
      {"crm_health_band_transitions window=30d from=at_risk to=at_risk", 1},
      {"crm_health_band_transitions window=30d from=moderate to=critical", 1},
      {"crm_health_band_transitions window=30d from=new to=healthy", 1},
      {"crm_health_band_transitions window=30d from=at_risk to=unscored", 1},
      {"crm_health_band_transitions window=90d from=healthy to=critical", 1},
      {"crm_health_band_transitions window=90d from=critical", 1},
      {"crm_health_band_transitions tenant=other", NAN},
      {"crm_health_recovery_base_accounts window=7d", 4}, /* b c d e */
      {"crm_health_recovered_accounts window=7d", 1},     /* d */
      {"crm_health_recovery_ratio window=7d", 0.25},
      {"crm_health_recovery_base_accounts window=7d segment=smb", 2},
      {"crm_health_recovered_accounts window=7d segment=smb", 0},
      {"crm_health_recovery_base_accounts window=30d", 3}, /* b e g: churned or without a score is not recovered */
      {"crm_health_recovered_accounts window=30d", 0},
      {"crm_health_recovery_ratio window=30d", 0},
      {"crm_health_recovery_base_accounts window=90d", 3}, /* a b e */
      {"crm_health_recovery_ratio window=90d", 1.0 / 3},
  };
  CHECK(&f, queries);
  assert_int_equal(fixture_count(&f, "crm_health_band_transitions window=90d"), 7 * 6);
  fixture_free(&f);
}

/* Nobody was at risk: no ratio, but parts of 0. Nobody at all: nothing. */
static void test_empty(void **state) {
  struct fixture f;
  init(&f, CRM_HF_PRODUCT_USAGE);
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a status=active created_at=2026-03-01");
  fixture_evaluate(&f);
  static const struct query one[] = {
      {"crm_health_recovery_ratio", NAN},
      {"crm_health_recovery_base_accounts window=90d", 0},
      {"crm_health_recovered_accounts window=90d", 0},
      {"crm_health_change_points window=90d", 0},
      {"crm_health_change_accounts window=90d", 0},
      {"crm_accounts_by_health_trend window=90d", 0},
      {"crm_health_band_transitions window=90d from=new to=unscored", 1},
      {"crm_accounts_newly_at_risk", NAN}, /* nothing that risk is made of is mapped */
  };
  CHECK(&f, one);
  fixture_at(&f, "2026-03-01T00:00:00Z-1us");
  fixture_evaluate(&f);
  assert_int_equal(f.set.n, 0);
  fixture_free(&f);
}

/* An earlier score comes from the facts of its time: x was alone in its tenant at T - 7 d (rank 50) and has since been joined by a larger
 * customer (rank 25), and what y brings in does not reach back. */
static void test_earlier_reference(void **state) {
  struct fixture f;
  init(&f, CRM_HF_BUSINESS);
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=x status=active created_at=2025-01-01 arr=100");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=y status=active created_at=2026-02-22+1us arr=200");
  fixture_evaluate(&f);
  static const struct query queries[] = {
      {"crm_health_change_points window=7d", -25},
      {"crm_health_change_accounts window=7d", 1},
      {"crm_health_band_transitions window=7d from=new to=moderate", 1}, /* y: 75 */
      {"crm_health_band_transitions window=7d from=at_risk to=critical", 1},
  };
  CHECK(&f, queries);
  fixture_free(&f);
}

/* It left, came back and will leave again: churned at T - 7 d, open at T. */
static void test_came_back(void **state) {
  struct fixture f;
  init(&f, CRM_HF_PRODUCT_USAGE);
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a status=churned created_at=2025-01-01 churned_at=2026-02-10");
  fixture_row(&f, CRM_REL_REVENUE, "account_id=a at=2025-01-01 arr=100");
  fixture_row(&f, CRM_REL_REVENUE, "account_id=a at=2026-02-24 arr=100");
  fixture_row(&f, CRM_REL_REVENUE, "account_id=a at=2026-04-01 arr=0");
  put_adoption(&f, "a", "2026-02-05", 90);
  fixture_evaluate(&f);
  static const struct query queries[] = {
      {"crm_health_band_transitions window=7d from=churned to=healthy", 1},
      {"crm_health_band_transitions window=30d from=unscored to=healthy", 1},
      {"crm_health_change_accounts window=7d", 0},
  };
  CHECK(&f, queries);
  fixture_free(&f);
}

/* Slope --------------------------------------------------------------------------------------------------------------- */

static void test_slope(void **state) {
  struct fixture f;
  init(&f, CRM_HF_PRODUCT_USAGE);
  f.params.per_account = CRM_PER_ACCOUNT_ALL;
  static const char *const ids[] = {"three", "four", "two", "line", "outlier", "gone", "edge_in", "edge_out"};
  for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=%s created_at=2025-01-01 status=%s", ids[i],
                strcmp(ids[i], "gone") == 0 ? "churned churned_at=2026-02-28" : "active");
  static const char *const weeks[] = {"2025-12-07", "2025-12-14", "2025-12-21", "2025-12-28", "2026-01-04", "2026-01-11", "2026-01-18",
                                      "2026-01-25", "2026-02-01", "2026-02-08", "2026-02-15", "2026-02-22", "2026-03-01"};
  static const double three[] = {10, 40, 30}, four[] = {0, 10, 10, 40}, two[] = {10, 20};
  for (size_t k = 0; k < 3; k++)
    put_adoption(&f, "three", weeks[10 + k], three[k]);
  for (size_t k = 0; k < 4; k++)
    put_adoption(&f, "four", weeks[9 + k], four[k]);
  for (size_t k = 0; k < 2; k++)
    put_adoption(&f, "two", weeks[11 + k], two[k]);
  for (size_t k = 0; k < 13; k++) {
    put_adoption(&f, "line", weeks[k], 30 + 2 * (double)k);
    put_adoption(&f, "gone", weeks[k], 30 + 2 * (double)k);
    put_adoption(&f, "outlier", weeks[k], k == 12 ? 100 : 60 - 2 * (double)k);
  }
  /* Known for 30 days: the first at T - 84 d, T - 77 d and T - 70 d (21 December less 30 days is 21 November, which is out), the second not
   * at the last of them. */
  put_adoption(&f, "edge_in", "2025-11-22", 50);
  put_adoption(&f, "edge_out", "2025-11-21", 50);
  fixture_evaluate(&f);
  static const struct query queries[] = {
      {"crm_account_health_slope account=three", 300.0 / 7}, /* per week 30, -10 and 20 / 2: the median is 10 */
      {"crm_account_health_slope account=four", 50},         /* per week 10 5 13.33 0 15 30: half of 10 + 13.33, times 30 / 7 */
      {"crm_account_health_slope account=two", NAN},           {"crm_account_health_slope account=line", 60.0 / 7},
      {"crm_account_health_slope account=outlier", -60.0 / 7}, /* 66 of the 78 pairs */
      {"crm_account_health_slope account=gone", NAN},          {"crm_account_health_slope account=edge_in", 0},
      {"crm_account_health_slope account=edge_out", NAN},
  };
  CHECK(&f, queries);
  f.params.per_account = CRM_PER_ACCOUNT_NONE;
  fixture_evaluate(&f);
  assert_int_equal(fixture_count(&f, "crm_account_health_slope"), 0);
  fixture_free(&f);
}

/* Newly at risk ------------------------------------------------------------------------------------------------------- */

/* With all weight on declining health and support alone mapped, the risk is the share of tickets of the last 30 days that were escalated.
 * A row of 20 November is seen at T - 90 d alone, one of 10 January at T - 30 d alone, one of 27 January at T - 30 d and T - 7 d, one of 25
 * February at T alone. */
static void put_support(struct fixture *f, const char *day, int tickets, double escalated) {
  fixture_row(f, CRM_REL_SUPPORT, "account_id=a day=%s new_tickets=%d escalated=%.15g", day, tickets, escalated);
}

static void put_risks(struct fixture *f, const double risk[4]) {
  if (!isnan(risk[0]))
    put_support(f, "2025-11-20", 100, risk[0]);
  if (!isnan(risk[2])) {
    put_support(f, "2026-01-27", 100, risk[2]);
    put_support(f, "2026-01-10", 900, 10 * risk[1] - risk[2]); /* together with the row before: 10 risk of 1000 */
  } else if (!isnan(risk[1])) {
    put_support(f, "2026-01-10", 100, risk[1]);
  }
  if (!isnan(risk[3]))
    put_support(f, "2026-02-25", 100, risk[3]);
}

static void test_newly_at_risk(void **state) {
  static const struct {
    const char *name;
    double risk[4]; /* at T - 90 d, T - 30 d, T - 7 d, T */
    double newly_7d, newly_30d;
    const char *account;
  } cases[] = {
      {"rose", {10, 10, 10, 71}, 1, 1, NULL},
      {"the limit itself is not above it", {10, 10, 10, 70}, 0, 0, NULL},
      {"was", {10, 71, 71, 71}, 0, 0, NULL},
      {"was a week ago", {10, 10, 71, 71}, 0, 1, NULL},
      {"dipped and was not released", {10, 71, 65, 72}, 0, 0, NULL},
      {"released at 60", {10, 71, 60, 72}, 1, 0, NULL},
      {"has dipped and still is", {10, 10, 71, 61}, 0, 1, NULL},
      {"no longer is", {10, 10, 71, 60}, 0, 0, NULL},
      {"not released since T - 90 d", {71, 65, 10, 71}, 1, 0, NULL},
      {"high, but had never entered", {10, 65, 65, 71}, 1, 1, NULL},
      {"no score in between", {NAN, 71, NAN, 71}, 0, 0, NULL},
      {"no score before", {NAN, NAN, NAN, 71}, 1, 1, NULL},
      {"no score any more", {10, 10, 71, NAN}, 0, 1, NULL},
      {"new", {NAN, NAN, NAN, 71}, 1, 1, "status=active created_at=2026-02-24"},
      {"churned", {10, 10, 10, 71}, 0, 0, "status=churned created_at=2025-01-01 churned_at=2026-02-26"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    init(&f, CRM_HF_PRODUCT_USAGE);
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a %s",
                cases[i].account != NULL ? cases[i].account : "status=active created_at=2025-01-01");
    fixture_begin(&f, CRM_REL_SUPPORT);
    put_risks(&f, cases[i].risk);
    fixture_evaluate(&f);
    assert_close_named(cases[i].name, fixture_sum(&f, "crm_accounts_newly_at_risk window=7d"), cases[i].newly_7d);
    assert_close_named(cases[i].name, fixture_sum(&f, "crm_accounts_newly_at_risk window=30d"), cases[i].newly_30d);
    assert_int_equal(fixture_count(&f, "crm_accounts_newly_at_risk"), 2);
    fixture_free(&f);
  }
}

/* At risk at T - 30 d, churned at T - 7 d, back and at risk again at T: it is newly so. */
static void test_at_risk_after_return(void **state) {
  struct fixture f;
  init(&f, CRM_HF_PRODUCT_USAGE);
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a status=churned created_at=2025-01-01 churned_at=2026-02-10");
  fixture_row(&f, CRM_REL_REVENUE, "account_id=a at=2025-01-01 arr=100");
  fixture_row(&f, CRM_REL_REVENUE, "account_id=a at=2026-02-24 arr=100");
  fixture_row(&f, CRM_REL_REVENUE, "account_id=a at=2026-04-01 arr=0");
  put_risks(&f, (const double[]){10, 71, NAN, 71});
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_accounts_newly_at_risk window=7d"), 1);
  assert_close(fixture_sum(&f, "crm_accounts_newly_at_risk window=30d"), 0);
  fixture_free(&f);
}

static void test_risk_limits(void **state) {
  struct fixture f;
  init(&f, CRM_HF_PRODUCT_USAGE);
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a status=active created_at=2025-01-01");
  put_risks(&f, (const double[]){10, 71, 60, 72});
  f.params.risk_leave = 59; /* 60 is no release then */
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_accounts_newly_at_risk window=7d"), 0);
  f.params.risk_critical_above = 72;
  fixture_evaluate(&f); /* never entered */
  assert_close(fixture_sum(&f, "crm_accounts_newly_at_risk window=30d"), 0);
  fixture_free(&f);
}

static void test_benchmarks(void **state) {
  static const struct crm_benchmark benchmarks[] = {{"industry", 72.5}, {"last year", 0}};
  struct fixture f;
  make(&f);
  fixture_evaluate(&f);
  assert_int_equal(fixture_count(&f, "crm_health_benchmark_score"), 0); /* none is built in */
  f.params.benchmarks = benchmarks;
  f.params.n_benchmarks = 2;
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_health_benchmark_score tenant=acme benchmark_source=industry"), 72.5);
  assert_close(fixture_sum(&f, "crm_health_benchmark_score tenant=acme benchmark_source='last year'"), 0);
  assert_int_equal(fixture_count(&f, "crm_health_benchmark_score"), 2); /* not for a tenant that comes later */
  fixture_free(&f);
}

/* Whatever ceiling the memory has: all figures, or an error. Afterwards the arena works again. */
static void test_memory(void **state) {
  struct fixture f;
  make(&f);
  f.params.per_account = CRM_PER_ACCOUNT_ALL;
  fixture_evaluate(&f);
  size_t samples = f.set.n, refused = 0, ceiling = 1000;
  for (enum crm_status status = CRM_ERR_MEMORY; status != CRM_OK; ceiling += 500) {
    struct crm_arena arena;
    crm_arena_init(&arena, ceiling);
    status = crm_evaluate(f.facts, &f.params, f.at, &arena, &f.set, &f.err);
    assert_true(status == CRM_OK || status == CRM_ERR_MEMORY);
    assert_true(arena.used <= ceiling);
    refused += status != CRM_OK;
    if (status == CRM_OK)
      assert_int_equal(f.set.n, samples);
    crm_arena_free(&arena);
  }
  assert_true(refused > 20);
  fixture_free(&f);
}

/* The 30 days end with a day of the zone: at 23:00 UTC of 28 February 1 March has begun in Berlin, so that its row counts. */
static void test_zone(void **state) {
  for (int begun = 0; begun < 2; begun++) {
    struct fixture f;
    fixture_init(&f, "Europe/Berlin", "USD");
    for (unsigned k = 0; k < CRM_HEALTH_FACTORS; k++)
      f.card.weight[k] = k == CRM_HF_PRODUCT_USAGE;
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a status=active created_at=2025-01-01");
    put_adoption(&f, "a", "2026-02-21", 40);
    put_adoption(&f, "a", "2026-02-22", 50); /* begins at T - 7 d of the later instant */
    put_adoption(&f, "a", "2026-03-01", 57);
    fixture_at(&f, begun ? "2026-02-28T23:00:00Z" : "2026-02-28T23:00:00Z-1us");
    fixture_evaluate(&f);
    assert_close(fixture_sum(&f, "crm_health_change_points window=7d"), begun ? 57 - 50 : 50 - 40);
    fixture_free(&f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_change),
      cmocka_unit_test(test_transitions),
      cmocka_unit_test(test_empty),
      cmocka_unit_test(test_came_back),
      cmocka_unit_test(test_earlier_reference),
      cmocka_unit_test(test_slope),
      cmocka_unit_test(test_newly_at_risk),
      cmocka_unit_test(test_risk_limits),
      cmocka_unit_test(test_benchmarks),
      cmocka_unit_test(test_zone),
      cmocka_unit_test(test_memory),
      cmocka_unit_test(test_at_risk_after_return),
  };
  return cmocka_run_group_tests_name("trend", tests, NULL, NULL);
}
