/* SPDX-License-Identifier: MIT */
/* Who exists at the instant, with which status, and in which cell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/facts_fixture.h"

static void group_by(struct fixture *f, size_t n, const enum crm_dimension *dims) {
  f->params.n_group_by = n;
  memcpy(f->params.group_by, dims, n * sizeof(*dims));
}

static const char *cell_label(const struct fixture *f, uint32_t cell, size_t i) {
  return crm_dict_text(&f->set.text, f->context.cell_labels[cell * (1 + f->context.n_dimensions) + i]);
}

static void test_visible(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=undated status=active");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=before status=active created_at=2026-02-28");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=at status=active created_at=2026-03-01");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=after status=active created_at=2026-03-01+1us");
  fixture_at(&f, "2026-03-01");
  fixture_context(&f);
  assert_true(crm_visible(&f.context, fixture_account(&f, "undated")));
  assert_true(crm_visible(&f.context, fixture_account(&f, "before")));
  assert_true(crm_visible(&f.context, fixture_account(&f, "at")));
  assert_false(crm_visible(&f.context, fixture_account(&f, "after")));
  assert_false(crm_open(&f.context, fixture_account(&f, "after")));
  fixture_free(&f);
}

/* The CRM keeps no history of the status: only churn has a date. */
static void test_status(void **state) {
  static const struct {
    const char *row;
    uint8_t status;
  } cases[] = {
      {"account_id=a status=onboarding", CRM_ONBOARDING},
      {"account_id=b status=active", CRM_ACTIVE},
      {"account_id=c status=at_risk", CRM_AT_RISK},
      {"account_id=d", CRM_STATUS_UNKNOWN},
      {"account_id=e status=churned churned_at=2026-02-01", CRM_CHURNED},
      {"account_id=f status=churned churned_at=2026-03-01", CRM_CHURNED},
      {"account_id=g status=churned churned_at=2026-03-01+1us", CRM_ACTIVE}, /* churns later */
      {"account_id=h status=churned", CRM_CHURNED},                          /* undated: counted, never guessed from updated_at */
  };
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    fixture_row(&f, CRM_REL_ACCOUNT, "%s created_at=2025-01-01", cases[i].row);
  fixture_at(&f, "2026-03-01");
  fixture_context(&f);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char id[] = {cases[i].row[11], '\0'};
    uint32_t account = fixture_account(&f, id);
    assert_int_equal(f.context.status[account], cases[i].status);
    assert_int_equal(crm_open(&f.context, account), cases[i].status != CRM_CHURNED);
  }
  fixture_free(&f);
}

static void test_cells(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=1 tenant=zeta segment=smb owner=eve");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=2 tenant=alpha segment=smb owner=eve");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=3 tenant=alpha segment=mid owner=bob");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=4 tenant=alpha segment=smb owner=bob");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=5 tenant=alpha segment=smb owner=eve");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=6 tenant=alpha segment=smb");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=7 tenant=alpha segment=smb owner=''");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=8 tenant=alpha segment=smb owner=none");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=9 tenant=alpha segment=huge owner=zoe created_at=2027-01-01"); /* not there yet: no cell */
  const enum crm_dimension dims[] = {CRM_DIM_SEGMENT, CRM_DIM_OWNER};
  group_by(&f, 2, dims);
  fixture_at(&f, "2026-03-01");
  fixture_context(&f);

  static const struct {
    const char *tenant, *segment, *owner, *accounts;
  } cells[] = {
      {"alpha", "mid", "bob", "3"},    {"alpha", "smb", "bob", "4"}, {"alpha", "smb", "eve", "25"},
      {"alpha", "smb", "none", "678"}, {"zeta", "smb", "eve", "1"},
  };
  const size_t n = sizeof(cells) / sizeof(cells[0]);
  assert_int_equal(f.context.n_cells, n);
  assert_int_equal(f.set.n_dimensions, 2);
  assert_string_equal(f.set.dimensions[0], "segment");
  assert_string_equal(f.set.dimensions[1], "account_owner");
  for (uint32_t i = 0; i < n; i++) {
    assert_string_equal(cell_label(&f, i, 0), cells[i].tenant);
    assert_string_equal(cell_label(&f, i, 1), cells[i].segment);
    assert_string_equal(cell_label(&f, i, 2), cells[i].owner);
    for (const char *id = cells[i].accounts; *id != '\0'; id++)
      assert_int_equal(f.context.cell[fixture_account(&f, (const char[]){*id, '\0'})], i);
  }
  fixture_free(&f);
}

/* Two tenants, two segments, two owners, one industry: 2 x 2 x 2 cells of three dimensions, 4 of one, 2 of none. */
static void test_max_cells(void **state) {
  static const struct {
    const char *name;
    size_t max_cells, dimensions, cells;
    bool dropped[3]; /* segment, industry, owner: in the order of GroupBy */
  } cases[] = {
      {"just enough", 8, 3, 8, {false, false, false}},
      {"one too few", 7, 2, 4, {false, false, true}},
      {"exactly the smaller number", 4, 2, 4, {false, false, true}},
      {"tenants only", 3, 0, 2, {true, true, true}},
      {"tenants are never merged", 1, 0, 2, {true, true, true}},
      {"zero", 0, 0, 2, {true, true, true}},
  };
  static const enum crm_dimension dims[] = {CRM_DIM_SEGMENT, CRM_DIM_INDUSTRY, CRM_DIM_OWNER};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    fixture_init(&f, "UTC", "USD");
    int id = 0;
    for (int tenant = 0; tenant < 2; tenant++)
      for (int segment = 0; segment < 2; segment++)
        for (int owner = 0; owner < 2; owner++)
          fixture_row(&f, CRM_REL_ACCOUNT, "account_id=%d tenant=t%d segment=s%d owner=o%d industry=x", id++, tenant, segment, owner);
    group_by(&f, 3, dims);
    f.params.max_cells = cases[i].max_cells;
    fixture_at(&f, "2026-03-01");
    fixture_context(&f);
    assert_int_equal(f.context.n_dimensions, cases[i].dimensions);
    assert_int_equal(f.set.n_dimensions, cases[i].dimensions);
    assert_int_equal(f.context.n_cells, cases[i].cells);
    for (size_t d = 0; d < 3; d++)
      assert_int_equal(f.context.dimension_dropped[dims[d]], cases[i].dropped[d]);
    assert_false(f.context.dimension_dropped[CRM_DIM_REGION]);
    /* Nothing is lost: every account has a cell, and all families have the same dimensions. */
    fixture_evaluate(&f);
    assert_true(fixture_sum(&f, "crm_accounts status=unknown") == 8);
    fixture_free(&f);
  }
}

/* A row of a day is visible from 00:00 of that day in the zone on: 23:00 UTC of the day before in a Berlin winter. */
static void test_day(void **state) {
  static const struct {
    const char *zone, *at;
    int year, month, day;
  } cases[] = {
      {"UTC", "2026-03-01T00:00:00Z", 2026, 3, 1},
      {"UTC", "2026-03-01T00:00:00Z-1us", 2026, 2, 28},
      {"Europe/Berlin", "2026-03-01T23:00:00Z", 2026, 3, 2},
      {"Europe/Berlin", "2026-03-01T23:00:00Z-1us", 2026, 3, 1},
      {"Europe/Berlin", "2026-07-01T22:00:00Z", 2026, 7, 2}, /* summer time */
      {"Europe/Berlin", "2026-07-01T22:00:00Z-1us", 2026, 7, 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    fixture_init(&f, cases[i].zone, "USD");
    fixture_at(&f, cases[i].at);
    fixture_context(&f);
    assert_int_equal(f.context.day, crm_day_from_civil(cases[i].year, cases[i].month, cases[i].day));
    fixture_free(&f);
  }
}

static void test_empty(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_at(&f, "2026-03-01");
  fixture_context(&f);
  assert_int_equal(f.context.n, 0);
  assert_int_equal(f.context.n_cells, 0);
  fixture_free(&f);
}

static void test_names(void **state) {
  struct crm_params p;
  crm_params_defaults(&p);
  assert_int_equal(p.n_group_by, 2);
  assert_string_equal(crm_dimension_name(p.group_by[0]), "segment");
  assert_string_equal(crm_dimension_name(p.group_by[1]), "account_owner");
  assert_string_equal(crm_dimension_name(CRM_DIM_INDUSTRY), "industry");
  assert_string_equal(crm_dimension_name(CRM_DIM_REGION), "account_region");
  assert_string_equal(crm_health_input_name(CRM_HI_TICKET_VOLUME), "ticket_volume");
  assert_string_equal(crm_health_input_name(CRM_HI_RENEWAL_LIKELIHOOD), "renewal_likelihood");
  assert_string_equal(crm_health_factor_name((enum crm_health_factor)(CRM_HI_CONTRACT_VALUE / 4)), "business");
  assert_string_equal(crm_churn_indicator_name(CRM_CI_PRICING_DISCUSSIONS), "pricing_discussions");
  assert_string_equal(crm_churn_factor_name((enum crm_churn_factor)(CRM_CI_PAYMENT_DELAYS / 3)), "business_risk");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_visible), cmocka_unit_test(test_status), cmocka_unit_test(test_cells), cmocka_unit_test(test_max_cells),
      cmocka_unit_test(test_day),     cmocka_unit_test(test_empty),  cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
