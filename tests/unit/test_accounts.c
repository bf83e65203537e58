/* SPDX-License-Identifier: MIT */
/* Accounts by status, paying and unpriced (METRICS.md section 2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/close.h"
#include "lib/facts_fixture.h"

struct expected {
  const char *query;
  double value;
};

static void check(const struct fixture *f, const struct expected *cases, size_t n) {
  for (size_t i = 0; i < n; i++)
    assert_close_named(cases[i].query, fixture_sum(f, cases[i].query), cases[i].value);
}
#define CHECK(f, cases) check(f, cases, sizeof(cases) / sizeof((cases)[0]))

static void test_status(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=1 status=active segment=smb arr=100");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=2 status=Active segment=mid arr=100");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=3 status=at_risk segment=smb arr=100");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=4 status=onboarding segment=smb arr=100");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=5 segment=smb arr=0");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=6 status=churned churned_at=2026-01-01 segment=smb arr=100");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=7 status=churned churned_at=2026-04-01 segment=smb arr=100"); /* still there */
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=8 status=churned segment=mid arr=100");                       /* undated */
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=9 status=active created_at=2026-03-02 segment=smb arr=100");  /* not yet */
  f.params.n_group_by = 1;
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  static const struct expected cases[] = {
      {"crm_accounts", 8},
      {"crm_accounts status=active", 3},
      {"crm_accounts status=at_risk", 1},
      {"crm_accounts status=onboarding", 1},
      {"crm_accounts status=unknown", 1},
      {"crm_accounts status=churned", 2},
      {"crm_accounts status=active segment=mid", 1},
      {"crm_accounts status=at_risk segment=mid", 0}, /* a count of nothing is 0 */
      {"crm_accounts segment=mid", 2},
      {"crm_accounts_paying segment=smb", 4}, /* 1, 3, 4 (onboarding pays) and 7; 5 is free, 6 has left */
  };
  CHECK(&f, cases);
  fixture_free(&f);
}

static void test_unpriced(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=1 status=active currency=USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=2 status=active currency=USD arr=0"); /* 0 is known */
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=3 status=active");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=4 status=active currency=EUR mrr=10");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=5 status=churned churned_at=2026-01-01 currency=GBP"); /* not OPEN */
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  static const struct expected cases[] = {
      {"crm_accounts_unpriced currency=USD", 1},   {"crm_accounts_unpriced currency=none", 1},
      {"crm_accounts_unpriced currency=EUR", 0},   {"crm_accounts_unpriced currency=GBP", 0}, /* a count of nothing */
      {"crm_accounts_unpriced currency=JPY", NAN}, {"crm_accounts_paying", 1},
  };
  CHECK(&f, cases);
  fixture_free(&f);
}

/* Which cells have a series of a currency: all those of a tenant that has an account in it, as of crm_arr. */
static void test_unpriced_cells(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=1 tenant=a status=active segment=smb currency=USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=2 tenant=a status=churned churned_at=2026-01-01 segment=mid currency=USD arr=100");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=3 tenant=b status=active segment=mid currency=EUR arr=100");
  f.params.n_group_by = 1;
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  static const struct expected cases[] = {
      {"crm_accounts_unpriced tenant=a segment=smb currency=USD", 1},
      {"crm_accounts_unpriced tenant=a segment=mid currency=USD", 0}, /* nobody is left */
      {"crm_arr tenant=a segment=mid currency=USD", 0},
      {"crm_accounts_unpriced tenant=b segment=mid currency=EUR", 0},
      {"crm_accounts_unpriced tenant=b currency=USD", NAN}, /* a currency of others */
      {"crm_accounts_unpriced tenant=a currency=EUR", NAN},
  };
  CHECK(&f, cases);
  fixture_free(&f);
}

/* Only what the instant shows: the same facts a year earlier. */
static void test_past(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=1 status=active created_at=2025-01-01 arr=100");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=2 status=churned churned_at=2025-06-01 created_at=2025-01-01 arr=100");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=3 status=active created_at=2025-06-01 arr=100");
  fixture_at(&f, "2025-03-01");
  fixture_evaluate(&f);
  static const struct expected then[] = {{"crm_accounts status=active", 2}, {"crm_accounts status=churned", 0}, {"crm_accounts", 2}};
  CHECK(&f, then);
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  static const struct expected now[] = {{"crm_accounts status=active", 2}, {"crm_accounts status=churned", 1}, {"crm_accounts", 3}};
  CHECK(&f, now);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_status),
      cmocka_unit_test(test_unpriced),
      cmocka_unit_test(test_unpriced_cells),
      cmocka_unit_test(test_past),
  };
  return cmocka_run_group_tests_name("accounts", tests, NULL, NULL);
}
