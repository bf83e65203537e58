/* SPDX-License-Identifier: MIT */
/* The evaluation as a whole: the same facts and the same instant give the same bytes (METRICS.md R1), and the dashboard's figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/close.h"
#include "lib/facts_fixture.h"

struct row {
  enum crm_relation relation;
  const char *text;
};

/* Ordered as a fixture must be: accounts, then contacts, then the rest. Amounts and weights have no short binary form on purpose. */
static const struct row rows[] = {
    {CRM_REL_ACCOUNT, "account_id=a tenant=t1 status=active segment=smb owner=eve created_at=2024-01-01 arr=1000.10 seats=7"},
    {CRM_REL_ACCOUNT, "account_id=b tenant=t1 status=at_risk segment=smb owner=bob created_at=2024-02-01 arr=333.33 seats=3"},
    {CRM_REL_ACCOUNT, "account_id=c tenant=t1 status=active segment=mid created_at=2024-03-01 mrr=0.07 renewal_forecast=33.3"},
    {CRM_REL_ACCOUNT, "account_id=d tenant=t2 status=churned churned_at=2026-01-15 segment=mid owner=eve created_at=2024-04-01 arr=10"},
    {CRM_REL_ACCOUNT, "account_id=e tenant=t2 status=active created_at=2024-05-01 arr=77.7 currency=EUR auto_renew=true"},
    {CRM_REL_CONTACT, "account_id=a contact_id=k1 status=active"},
    {CRM_REL_CONTACT, "account_id=a contact_id=k2 status=active"},
    {CRM_REL_REVENUE, "account_id=a at=2024-01-01 arr=900.10"},
    {CRM_REL_REVENUE, "account_id=a at=2025-09-01 arr=1000.10"},
    {CRM_REL_REVENUE, "account_id=b at=2024-02-01 arr=333.33"},
    {CRM_REL_REVENUE, "account_id=c at=2024-03-01 mrr=0.07"},
    {CRM_REL_REVENUE, "account_id=d at=2024-04-01 arr=10"},
    {CRM_REL_REVENUE, "account_id=e at=2024-05-01 arr=77.7 currency=EUR"},
    {CRM_REL_CONTRACT, "account_id=a contract_id=1 starts_at=2024-01-01 ends_at=2026-04-20"},
    {CRM_REL_CONTRACT, "account_id=b contract_id=1 starts_at=2024-02-01 ends_at=2026-08-01 auto_renew=true"},
    {CRM_REL_USAGE, "account_id=a day=2026-01-10 logins_per_week=0.3 feature_adoption=71.1"},
    {CRM_REL_USAGE, "account_id=a day=2026-02-10 logins_per_week=0.1 session_seconds=333.3 active_users=5"},
    {CRM_REL_USAGE, "account_id=a day=2026-02-10 logins_per_week=0.2"},
    {CRM_REL_USAGE, "account_id=a day=2026-02-10 logins_per_week=0.7 feature_adoption=31.7"},
    {CRM_REL_USAGE, "account_id=b day=2026-02-11 logins_per_week=1.1 feature_adoption=10.3"},
    {CRM_REL_SUPPORT,
     "account_id=a day=2026-02-01 new_tickets=3 resolved_tickets=2 escalated=1 severity=33.3 resolution_hours=17.7 csat=3.3"},
    {CRM_REL_SUPPORT, "account_id=a day=2026-02-01 new_tickets=2 resolved_tickets=1 severity=11.1 resolution_hours=5.1 csat=4.7"},
    {CRM_REL_SUPPORT, "account_id=b day=2026-02-03 new_tickets=1 first_response_seconds=90000"},
    {CRM_REL_ENGAGEMENT,
     "account_id=a engagement_id=1 type=meeting outcome=positive completed_at=2026-02-05 contacts=k1 participants=3 accepted=1"},
    {CRM_REL_ENGAGEMENT, "account_id=a engagement_id=2 type=email outcome=negative completed_at=2026-02-05 response_seconds=99999"},
    {CRM_REL_ENGAGEMENT, "account_id=b engagement_id=3 type=call scheduled_at=2026-02-06"},
    {CRM_REL_NPS, "account_id=a at=2026-02-07 score=9"},
    {CRM_REL_NPS, "account_id=a at=2026-02-07 score=3"},
    {CRM_REL_NPS, "account_id=e at=2026-02-08 score=10"},
    {CRM_REL_INVOICE, "account_id=a due_at=2025-05-01 paid_at=2025-05-03"},
    {CRM_REL_INVOICE, "account_id=a due_at=2025-06-01 paid_at=2025-06-01"},
    {CRM_REL_SIGNAL, "account_id=a kind=competitor_mentions at=2026-02-01 weight=0.1"},
    {CRM_REL_SIGNAL, "account_id=a kind=competitor_mentions at=2026-02-01 weight=0.2"},
    {CRM_REL_SIGNAL, "account_id=a kind=competitor_mentions at=2026-02-01 weight=0.3"},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* Nothing of this has happened yet at 2026-03-01 00:00 UTC, in whatever zone. */
static const struct row future[] = {
    {CRM_REL_ACCOUNT, "account_id=f tenant=t3 status=active segment=huge created_at=2026-03-01T00:00:00Z+1us arr=100000"},
    {CRM_REL_CONTACT, "account_id=a contact_id=k3 status=active since=2026-03-02"},
    {CRM_REL_REVENUE, "account_id=a at=2026-03-01T00:00:00Z+1us arr=5"},
    {CRM_REL_CONTRACT, "account_id=a contract_id=2 starts_at=2026-03-01T00:00:00Z+1us ends_at=2029-01-01"},
    {CRM_REL_USAGE, "account_id=a day=2026-03-02 logins_per_week=50 feature_adoption=99 session_seconds=9 active_users=1"},
    {CRM_REL_SUPPORT, "account_id=b day=2026-03-02 new_tickets=99 escalated=99 severity=99"},
    {CRM_REL_ENGAGEMENT,
     "account_id=b engagement_id=9 type=meeting outcome=negative completed_at=2026-03-01T00:00:00Z+1us participants=9 accepted=9"},
    {CRM_REL_ENGAGEMENT, "account_id=b engagement_id=10 type=meeting scheduled_at=2026-03-05"},
    {CRM_REL_NPS, "account_id=b at=2026-03-01T00:00:00Z+1us score=0"},
    {CRM_REL_INVOICE, "account_id=b due_at=2026-03-02"},
    {CRM_REL_SIGNAL, "account_id=b kind=pricing_discussions at=2026-03-01T00:00:00Z+1us"},
};

static int order_of(enum crm_relation r) {
  return r == CRM_REL_ACCOUNT ? 0 : r == CRM_REL_CONTACT ? 1 : 2;
}

/* The dump of the set made of rows[permutation[i]], in three passes so that accounts and contacts still come first. */
static char *dump_of(const size_t *permutation, bool with_future, const char *zone) {
  struct fixture f;
  fixture_init(&f, zone, "USD");
  for (int pass = 0; pass < 3; pass++) {
    for (size_t i = 0; i < N_ROWS; i++)
      if (order_of(rows[permutation[i]].relation) == pass)
        fixture_row(&f, rows[permutation[i]].relation, "%s", rows[permutation[i]].text);
    for (size_t i = 0; with_future && i < sizeof(future) / sizeof(future[0]); i++)
      if (order_of(future[i].relation) == pass)
        fixture_row(&f, future[i].relation, "%s", future[i].text);
  }
  f.params.n_group_by = 2;
  f.params.per_account = CRM_PER_ACCOUNT_ALL;
  fixture_at(&f, "2026-03-01T00:00:00Z");
  fixture_evaluate(&f);
  char *first = fixture_dump(&f);
  fixture_evaluate(&f); /* a second time into the same memory */
  char *second = fixture_dump(&f);
  assert_string_equal(first, second);
  free(second);
  fixture_free(&f);
  return first;
}

static void test_row_order(void **state) {
  size_t permutation[N_ROWS];
  for (size_t i = 0; i < N_ROWS; i++)
    permutation[i] = i;
  char *expected = dump_of(permutation, false, "UTC");
  assert_true(strlen(expected) > 10000);
  uint32_t seed = 1;
  for (int round = 0; round < 20; round++) {
    for (size_t i = N_ROWS - 1; i > 0; i--) {
      seed = seed * 1664525 + 1013904223;
      size_t k = (seed >> 8) % (i + 1), t = permutation[i];
      permutation[i] = permutation[k];
      permutation[k] = t;
    }
    char *shuffled = dump_of(permutation, false, "UTC");
    assert_string_equal(shuffled, expected);
    free(shuffled);
  }
  free(expected);
}

/* R1: a fact dated after T is invisible, and changes not a bit. */
static void test_future(void **state) {
  static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York"};
  size_t permutation[N_ROWS];
  for (size_t i = 0; i < N_ROWS; i++)
    permutation[i] = i;
  for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
    char *without = dump_of(permutation, false, zones[z]), *with = dump_of(permutation, true, zones[z]);
    assert_string_equal(with, without);
    free(with);
    free(without);
  }
}

static void test_empty(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  for (unsigned r = 0; r < CRM_RELATIONS; r++)
    fixture_begin(&f, (enum crm_relation)r);
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  assert_int_equal(f.set.n, 0); /* no account, no tenant to speak of */
  assert_true(f.set.at == f.at);
  struct crm_dashboard_stats stats;
  crm_dashboard_stats(&f.set, NULL, NULL, &stats);
  assert_int_equal(stats.total_accounts, 0);
  assert_close(stats.average_health_score, NAN);
  assert_close(stats.total_arr, NAN);
  assert_close(stats.nps_score, NAN);
  fixture_free(&f);
}

/* Relations that are not mapped leave no series behind, and nothing is ever not finite. */
static void test_minimal(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_accounts"), 1);
  assert_close(fixture_sum(&f, "crm_accounts_by_health band=unscored"), 1);
  assert_close(fixture_sum(&f, "crm_accounts_unpriced currency=none"), 1);
  for (size_t i = 0; i < f.set.n; i++) {
    const struct crm_sample *s = &f.set.samples[i];
    const struct crm_family_info *info = crm_family_info((enum crm_family)s->family);
    assert_true(isfinite(crm_number_value(&s->value)));
    assert_int_equal(info->needs, 0);
    assert_int_not_equal(info->scope, CRM_SCOPE_INSTANCE);
  }
  fixture_free(&f);
}

/* Health is the adoption (all weight on usage): 50 and 100 in t1, 30 in t2. Risk is that of the signals, of which only c has any.
 * Answers: t1 9 and 3, t2 10: 100 (1 - 1) / 2 and 100; together 100 (2 - 1) / 3. */
static void make_dashboard(struct fixture *f, bool euro) {
  fixture_init(f, "UTC", "USD");
  for (unsigned k = 0; k < CRM_HEALTH_FACTORS; k++)
    f->card.weight[k] = k == CRM_HF_PRODUCT_USAGE;
  f->params.min_coverage = 0.4;
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=a tenant=t1 status=active segment=smb arr=1000.50");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=b tenant=t1 status=at_risk segment=mid arr=2000.25");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=c tenant=t2 status=onboarding arr=10%s", euro ? " currency=EUR" : "");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=d tenant=t2 status=churned churned_at=2026-01-01 arr=99");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=e tenant=t2");
  fixture_row(f, CRM_REL_USAGE, "account_id=a day=2026-02-01 feature_adoption=50");
  fixture_row(f, CRM_REL_USAGE, "account_id=b day=2026-02-01 feature_adoption=100");
  fixture_row(f, CRM_REL_USAGE, "account_id=c day=2026-02-01 feature_adoption=30");
  fixture_row(f, CRM_REL_NPS, "account_id=a at=2026-02-01 score=9");
  fixture_row(f, CRM_REL_NPS, "account_id=b at=2026-02-01 score=3");
  fixture_row(f, CRM_REL_NPS, "account_id=c at=2026-02-01 score=10");
  static const char *const kinds[] = {"budget_constraints", "competitor_mentions", "feature_requests", "pricing_discussions"};
  for (size_t k = 0; k < 4; k++)
    fixture_row(f, CRM_REL_SIGNAL, "account_id=c kind=%s at=2026-02-01", kinds[k]);
  f->params.n_group_by = 2;
  fixture_at(f, "2026-03-01");
  fixture_evaluate(f);
}

static void test_dashboard(void **state) {
  struct fixture f;
  make_dashboard(&f, true);
  struct crm_dashboard_stats s;
  crm_dashboard_stats(&f.set, NULL, NULL, &s);
  assert_int_equal(s.total_accounts, 5);
  assert_int_equal(s.active_accounts, 1);
  assert_int_equal(s.at_risk_accounts, 1);
  assert_int_equal(s.onboarding_accounts, 1);
  assert_int_equal(s.churned_accounts, 1);
  assert_int_equal(s.unknown_accounts, 1);
  assert_close(s.average_health_score, 60);
  assert_close(s.average_churn_risk, 25); /* a, b, e 0, c 100 */
  assert_close(s.nps_score, 100.0 / 3);
  assert_int_equal(s.currencies, 2);
  assert_close(s.total_arr, NAN); /* amounts are never added across currencies */
  assert_string_equal(s.currency, "");

  crm_dashboard_stats(&f.set, NULL, "USD", &s);
  assert_close(s.total_arr, 3000.75);
  assert_string_equal(s.currency, "USD");
  assert_int_equal(s.currencies, 2);
  crm_dashboard_stats(&f.set, NULL, "CHF", &s);
  assert_close(s.total_arr, NAN);

  crm_dashboard_stats(&f.set, "t1", NULL, &s);
  assert_int_equal(s.total_accounts, 2);
  assert_close(s.average_health_score, 75);
  assert_close(s.average_churn_risk, 0);
  assert_close(s.nps_score, 0); /* a value */
  assert_close(s.total_arr, 3000.75);
  assert_int_equal(s.currencies, 1);

  crm_dashboard_stats(&f.set, "t2", NULL, &s);
  assert_close(s.nps_score, 100);
  assert_close(s.total_arr, 10);
  assert_string_equal(s.currency, "EUR");

  crm_dashboard_stats(&f.set, "nobody", NULL, &s);
  assert_int_equal(s.total_accounts, 0);
  assert_close(s.total_arr, NAN);
  fixture_free(&f);
}

static void test_one_currency(void **state) {
  struct fixture f;
  make_dashboard(&f, false);
  struct crm_dashboard_stats s;
  crm_dashboard_stats(&f.set, NULL, NULL, &s);
  assert_close(s.total_arr, 3010.75);
  assert_string_equal(s.currency, "USD");
  assert_int_equal(s.currencies, 1);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_row_order), cmocka_unit_test(test_future),    cmocka_unit_test(test_empty),
      cmocka_unit_test(test_minimal),   cmocka_unit_test(test_dashboard), cmocka_unit_test(test_one_currency),
  };
  return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
