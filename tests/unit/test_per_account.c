/* SPDX-License-Identifier: MIT */
/* Series per account: who, how many, and with which names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/close.h"
#include "lib/facts_fixture.h"

/* Revenue: b 500 KWD (three decimals) > a, c 300 USD > d 100 USD > free 0; x unknown; gone has left. With all weight on usage, health is
 * the adoption: a 90, b 30 (critical), c none. d is at risk because the CRM says so. Risk is a mean of what there is of four factors, of
 * which signals cover two: c has every signal, 100. */
static void make(struct fixture *f) {
  fixture_init(f, "UTC", "USD");
  for (unsigned k = 0; k < CRM_HEALTH_FACTORS; k++)
    f->card.weight[k] = k == CRM_HF_PRODUCT_USAGE;
  f->params.min_coverage = 0.4;
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=x status=active created_at=2025-01-01");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=d status=at_risk created_at=2025-01-01 arr=100");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=c status=active created_at=2025-01-01 arr=300");
  fixture_row(f, CRM_REL_ACCOUNT,
              "account_id=a status=active created_at=2025-01-01 arr=300 name='Acme Ltd' segment=smb owner=eve industry=toys region=north");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=b status=active created_at=2025-01-01 arr=500 currency=KWD");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=free status=onboarding created_at=2025-01-01 arr=0");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=gone status=churned churned_at=2026-01-01 created_at=2025-01-01 arr=900");
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=later status=at_risk created_at=2027-01-01 arr=900");
  fixture_row(f, CRM_REL_USAGE, "account_id=a day=2026-02-01 feature_adoption=90");
  fixture_row(f, CRM_REL_USAGE, "account_id=b day=2026-02-01 feature_adoption=30");
  static const char *const kinds[] = {"budget_constraints", "competitor_mentions", "feature_requests", "pricing_discussions"};
  for (size_t k = 0; k < 4; k++)
    fixture_row(f, CRM_REL_SIGNAL, "account_id=c kind=%s at=2026-02-01", kinds[k]);
  fixture_at(f, "2026-03-01");
}

/* Ids of the accounts that have an info series, in the order of the sorted set. */
static const char *shown(const struct fixture *f) {
  static char buf[128];
  buf[0] = '\0';
  for (size_t i = 0; i < f->set.n; i++) {
    const struct crm_sample *s = &f->set.samples[i];
    if (s->family == CRM_FAM_ACCOUNT_INFO)
      strcat(strcat(buf, buf[0] == '\0' ? "" : " "), crm_set_label_value(&f->set, s, 1));
  }
  return buf;
}

static size_t account_series(const struct fixture *f) {
  size_t n = 0;
  for (size_t i = 0; i < f->set.n; i++)
    n += crm_family_info((enum crm_family)f->set.samples[i].family)->scope == CRM_SCOPE_ACCOUNT;
  return n;
}

/* Series each: info; every open account has a risk score and two risk factors (signals are mapped) +3; with revenue known +1, above 0 a
 * rank and so the health factor business +1; a and b the score and the factor product_usage +2, and a slope +1, since they have scores from 1 February
 * on; b, with an adoption of 30, a recommendation +1. By revenue: b 10, a 9, c 6, d 6, free 5, gone 1 (what it brought in is over), x 4:
 * 41. */
static void test_who(void **state) {
  static const struct {
    enum crm_per_account mode;
    size_t top, max_series;
    const char *shown;
    size_t left_out, series;
  } cases[] = {
      {CRM_PER_ACCOUNT_NONE, 0, 1000, "", 0, 0},
      {CRM_PER_ACCOUNT_ALL, 0, 1000, "a b c d free gone x", 0, 41},
      {CRM_PER_ACCOUNT_ALL, 0, 41, "a b c d free gone x", 0, 41},
      {CRM_PER_ACCOUNT_ALL, 0, 40, "a b c d free gone", 1, 37}, /* revenue unknown: last */
      {CRM_PER_ACCOUNT_ALL, 0, 25, "a b c", 4, 25},
      {CRM_PER_ACCOUNT_ALL, 0, 24, "a b", 5, 19}, /* whole accounts, and none further down takes the place */
      {CRM_PER_ACCOUNT_ALL, 0, 9, "", 7, 0},
      {CRM_PER_ACCOUNT_AT_RISK, 0, 1000, "b c d", 0, 22},
      {CRM_PER_ACCOUNT_AT_RISK, 0, 21, "b c", 1, 16},
      {CRM_PER_ACCOUNT_TOP, 1, 1000, "b", 0, 10},
      {CRM_PER_ACCOUNT_TOP, 2, 1000, "a b", 0, 19}, /* a and c bring in the same: the id decides */
      {CRM_PER_ACCOUNT_TOP, 99, 1000, "a b c d free gone x", 0, 41},
      {CRM_PER_ACCOUNT_TOP, 3, 24, "a b", 1, 19},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    make(&f);
    f.params.per_account = cases[i].mode;
    f.params.per_account_top = cases[i].top;
    f.params.max_series = cases[i].max_series;
    fixture_evaluate(&f);
    assert_string_equal(shown(&f), cases[i].shown);
    assert_int_equal(f.set.accounts_left_out, cases[i].left_out);
    assert_int_equal(account_series(&f), cases[i].series);
    fixture_free(&f);
  }
}

static void test_values(void **state) {
  struct fixture f;
  make(&f);
  f.params.per_account = CRM_PER_ACCOUNT_ALL;
  fixture_evaluate(&f);
  static const struct {
    const char *query;
    double value;
  } cases[] = {
      {"crm_account_info account=a account_name='Acme Ltd' segment=smb account_owner=eve industry=toys account_region=north status=active "
       "currency=USD",
       1},
      {"crm_account_info account=x account_name='' segment=none account_owner=none industry=none account_region=none", 1},
      {"crm_account_info account=gone status=churned", 1},
      {"crm_account_health_score account=a", 90},
      {"crm_account_health_score account=c", NAN},
      {"crm_account_health_factor_score account=b factor=product_usage", 30},
      {"crm_account_health_factor_score account=b factor=support", NAN},
      {"crm_account_health_slope account=a", 0},
      {"crm_account_health_slope account=c", NAN},
      {"crm_account_recommendation account=b action=training reason=low_adoption", 1},
      {"crm_account_recommendation account=a", NAN},
      {"crm_account_churn_risk_score account=c", 100},
      {"crm_account_churn_risk_score account=a", 0},
      {"crm_account_churn_factor_score account=c factor=competitive_threats", 100},
      {"crm_account_churn_factor_score account=gone factor=competitive_threats", NAN},
      {"crm_account_arr account=b currency=KWD", 500},
      {"crm_account_arr account=free currency=USD", 0},
      {"crm_account_arr account=x", NAN},
      {"crm_account_arr account=gone", NAN},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_close_named(cases[i].query, fixture_sum(&f, cases[i].query), cases[i].value);
  fixture_free(&f);
}

static void test_account_names(void **state) {
  static const struct {
    enum crm_account_names names;
    const char *label;
  } cases[] = {
      {CRM_NAMES_PLAIN, "Acme Ltd"},
      {CRM_NAMES_OFF, ""},
      {CRM_NAMES_HASHED, "0f72986d73ffd220"}, /* printf 'Acme Ltd' | sha256sum | cut -c1-16 */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    make(&f);
    f.params.per_account = CRM_PER_ACCOUNT_ALL;
    f.params.account_names = cases[i].names;
    fixture_evaluate(&f);
    char query[128];
    snprintf(query, sizeof(query), "crm_account_info account=a account_name='%s'", cases[i].label);
    assert_close_named(query, fixture_sum(&f, query), 1);
    /* An account without a name has none to hash. */
    assert_close(fixture_sum(&f, "crm_account_info account=b account_name=''"), 1);
    fixture_free(&f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_who),
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_account_names),
  };
  return cmocka_run_group_tests_name("per_account", tests, NULL, NULL);
}
