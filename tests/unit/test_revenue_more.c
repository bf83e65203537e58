/* SPDX-License-Identifier: MIT */
/* Ratios of the movements, customers by window, contracts, opportunities and success-driven expansion. Every expected figure is worked out
 * by hand. */
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

#include "lib/revenue_check.h"

#define NONE NAN

/* "account column=value ...", of account a1 unless it says otherwise. */
struct row {
  const char *relation, *text;
};

struct expected {
  const char *query;
  double value; /* NONE: no such sample */
};

/* T is 2026-03-01 00:00 UTC: the windows begin on 2026-02-22 (7d), 2026-01-30 (30d), 2025-12-01 (90d) and 2025-03-01 (1y), the horizons
 * end on 2026-03-31 (30d) and 2026-05-30 (90d). */
struct more_case {
  const char *name;
  struct row rows[12];
  struct expected expected[14];
};

static void add_rows(struct fixture *f, const struct row *rows, size_t n) {
  for (unsigned relation = 0; relation < CRM_RELATIONS; relation++) {
    const char *name = crm_relation_info((enum crm_relation)relation)->name;
    for (size_t i = 0; i < n && rows[i].relation != NULL; i++)
      if (strcmp(rows[i].relation, name) == 0) {
        if (rows[i].text[0] == '\0')
          fixture_begin(f, (enum crm_relation)relation);
        else
          fixture_row(f, (enum crm_relation)relation, "%s%s", strstr(rows[i].text, "account_id=") == NULL ? "account_id=a1 " : "",
                      rows[i].text);
      }
  }
}

static void run_case(const struct more_case *k) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  add_rows(&f, k->rows, sizeof(k->rows) / sizeof(k->rows[0]));
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  for (size_t e = 0; e < sizeof(k->expected) / sizeof(k->expected[0]) && k->expected[e].query != NULL; e++)
    revenue_check(&f, k->name, k->expected[e].query, k->expected[e].value);
  fixture_free(&f);
}

static void run_cases(const struct more_case *cases, size_t n) {
  for (size_t i = 0; i < n; i++)
    run_case(&cases[i]);
}
#define RUN(cases) run_cases(cases, sizeof(cases) / sizeof((cases)[0]))

/* --- ratios and customers ------------------------------------------------------------------------------------------------ */

/* Within 30 days: a1 1000 -> 1600 (expansion 600), a2 500 -> 200 (contraction 300), a3 400 -> 0 (churn), a4 new 250, a5 back with 150,
 * a6 unknown -> 90, a7 stays. Opening 1000 + 500 + 400 + 100 = 2000, closing 1600 + 200 + 250 + 150 + 90 + 100 = 2390. */
static const struct row mix[] = {
    {"account", "account_id=a1"},
    {"account", "account_id=a2"},
    {"account", "account_id=a3"},
    {"account", "account_id=a4 created_at=2026-02-10"},
    {"account", "account_id=a5"},
    {"account", "account_id=a6"},
    {"account", "account_id=a7"},
    {"revenue", "account_id=a1 at=2025-01-01 arr=1000"},
    {"revenue", "account_id=a1 at=2026-02-10 arr=1600"},
    {"revenue", "account_id=a2 at=2025-01-01 arr=500"},
    {"revenue", "account_id=a2 at=2026-02-10 arr=200"},
    {"revenue", "account_id=a3 at=2025-01-01 arr=400"},
    {"revenue", "account_id=a3 at=2026-02-10 arr=0"},
    {"revenue", "account_id=a4 at=2026-02-10 arr=250"},
    {"revenue", "account_id=a5 at=2025-01-01 arr=70"},
    {"revenue", "account_id=a5 at=2025-06-01 arr=0"},
    {"revenue", "account_id=a5 at=2026-02-10 arr=150"},
    {"revenue", "account_id=a6 at=2026-02-10 arr=90"},
    {"revenue", "account_id=a7 at=2025-01-01 arr=100"},
};

static void test_ratios(void **state) {
  static const struct expected expected[] = {
      {"crm_arr_opening window=30d", 2000},
      {"crm_arr_closing window=30d", 2390},
      {"crm_arr_growth_ratio window=30d", 390.0 / 2000},
      {"crm_quick_ratio window=30d", (250.0 + 600 + 150) / (300 + 400)},
      {"crm_revenue_churn_ratio window=30d", 700.0 / 2000},
      {"crm_arr_growth_ratio window=7d", 0},
      {"crm_quick_ratio window=7d", NONE}, /* nothing was lost */
      {"crm_revenue_churn_ratio window=7d", 0},
      {"crm_accounts_opening window=30d", 4},
      {"crm_accounts_won window=30d", 1},
      {"crm_accounts_reactivated window=30d", 1},
      {"crm_accounts_lost window=30d", 1},
      {"crm_accounts_adjusted window=30d", 1},
      {"crm_accounts_closing window=30d", 6},
      {"crm_logo_churn_ratio window=30d", 0.25},
      {"crm_logo_churn_ratio window=7d", 0},
      {"crm_accounts_opening window=1y", 5}, /* a5 paid a year ago */
      {"crm_accounts_reactivated window=1y", 0},
      {"crm_accounts_lost window=1y", 1},
      {"crm_revenue_per_account", 2390.0 / 12 / 6},
      {"crm_arr_accounts", 6},
      {"crm_average_contract_value", NONE}, /* no such relations */
      {"crm_contracts_in_force", NONE},
      {"crm_arr_committed", NONE},
      {"crm_opportunities", NONE},
      {"crm_opportunity_arr", NONE},
      {"crm_success_driven_expansion_ratio", NONE},
      {"crm_success_driven_expansion_arr", NONE},
  };
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  add_rows(&f, mix, sizeof(mix) / sizeof(mix[0]));
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
    revenue_check(&f, "mix", expected[i].query, expected[i].value);
  fixture_free(&f);
}

static const struct more_case edges[] = {
    {"nothing at the start: no growth, no churn, no ratio",
     {{"account", "created_at=2026-02-10 arr=100"}},
     {{"crm_arr_growth_ratio window=30d", NONE},
      {"crm_revenue_churn_ratio window=30d", NONE},
      {"crm_quick_ratio window=30d", NONE},
      {"crm_logo_churn_ratio window=30d", NONE},
      {"crm_accounts_opening window=30d", 0},
      {"crm_accounts_won window=30d", 1},
      {"crm_logo_churn_ratio window=7d", 0}}},
    {"a change of currency loses no customer",
     {{"account", "account_id=a1"}, {"revenue", "at=2025-01-01 arr=100"}, {"revenue", "at=2026-02-10 arr=9000 currency=JPY"}},
     {{"crm_accounts_opening window=30d", 1},
      {"crm_accounts_closing window=30d", 1},
      {"crm_accounts_lost window=30d", 0},
      {"crm_accounts_adjusted window=30d", 0},
      {"crm_arr_growth_ratio window=30d currency=USD", -1},
      {"crm_arr_growth_ratio window=30d currency=JPY", NONE},
      {"crm_revenue_per_account currency=JPY", 750},
      {"crm_revenue_per_account currency=USD", NONE}}},
    {"lost exactly at T-w is lost before the window, a microsecond later within it",
     {{"account", "account_id=a1 arr=100 created_at=2024-01-01 status=churned churned_at=2026-01-30"},
      {"account", "account_id=a2 arr=100 created_at=2024-01-01 status=churned churned_at=2026-01-30+1us"},
      {"account", "account_id=a3 arr=100 created_at=2024-01-01 status=churned churned_at=2026-03-01"},
      {"account", "account_id=a4 arr=100 created_at=2024-01-01 status=churned churned_at=2026-03-01+1us"}},
     {{"crm_accounts_opening window=30d", 3},
      {"crm_accounts_lost window=30d", 2},
      {"crm_accounts_closing window=30d", 1},
      {"crm_accounts_lost window=7d", 1},
      {"crm_logo_churn_ratio window=30d", 2.0 / 3}}},
};

static void test_edges(void **state) {
  RUN(edges);
}

/* --- contracts ------------------------------------------------------------------------------------------------------------- */

#define PAYS                                                                                                                               \
  { "account", "arr=1200 created_at=2024-01-01" }

static const struct more_case contracts[] = {
    {"no contract: all is committed, and there is nothing to divide by",
     {PAYS, {"contract", ""}},
     {{"crm_arr_committed horizon=30d", 1200}, {"crm_contracts_in_force", 0}, {"crm_average_contract_value", NONE}}},
    {"it ends exactly at the end of the horizon",
     {PAYS, {"contract", "contract_id=1 starts_at=2025-03-31 ends_at=2026-03-31 arr=1200"}},
     {{"crm_arr_committed horizon=30d", 0},
      {"crm_arr_committed horizon=90d", 0},
      {"crm_contracts_in_force", 1},
      {"crm_average_contract_value", 1200}}},
    {"and a microsecond later",
     {PAYS, {"contract", "contract_id=1 starts_at=2025-03-31 ends_at=2026-03-31+1us arr=1200"}},
     {{"crm_arr_committed horizon=30d", 1200}, {"crm_arr_committed horizon=90d", 0}}},
    {"in force are those that have begun and not ended at T",
     {PAYS,
      {"contract", "contract_id=1 starts_at=2025-03-01 ends_at=2026-03-01 arr=100"},
      {"contract", "contract_id=2 starts_at=2025-03-01 ends_at=2026-03-01+1us arr=100"},
      {"contract", "contract_id=3 starts_at=2026-03-01 arr=100"},
      {"contract", "contract_id=4 starts_at=2026-03-01+1us arr=100"}},
     {{"crm_contracts_in_force", 2}, {"crm_average_contract_value", 600}, {"crm_arr_committed horizon=30d", 1100}}},
    {"one of two ends",
     {PAYS,
      {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-03-15 arr=500"},
      {"contract", "contract_id=2 starts_at=2025-03-15 ends_at=2026-09-15 arr=700"}},
     {{"crm_arr_committed horizon=30d", 700}, {"crm_average_contract_value", 600}}},
    {"a successor has begun already: its revenue is not deducted",
     {PAYS,
      {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-03-15 arr=1200"},
      {"contract", "contract_id=2 starts_at=2026-02-15 ends_at=2027-02-15 arr=1000"}},
     {{"crm_arr_committed horizon=30d", 1000}}},
    {"the amounts of the contracts exceed the revenue",
     {PAYS, {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-03-15 arr=5000"}},
     {{"crm_arr_committed horizon=30d", 0}}},
    {"an unknown amount takes what the others do not cover",
     {PAYS,
      {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-03-15"},
      {"contract", "contract_id=2 starts_at=2025-03-15 ends_at=2026-09-15 arr=300"}},
     {{"crm_arr_committed horizon=30d", 300}}},
    {"and so does one in another currency",
     {PAYS,
      {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-03-15 arr=1 currency=JPY"},
      {"contract", "contract_id=2 starts_at=2025-03-15 arr=300"}},
     {{"crm_arr_committed horizon=30d currency=USD", 300}, {"crm_contracts_in_force currency=USD", 2}}},
    {"renewed, as is known at T",
     {PAYS, {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-03-15 arr=1200 outcome=renewed decided_at=2026-03-01"}},
     {{"crm_arr_committed horizon=30d", 1200}}},
    {"renewed, but nobody knows yet",
     {PAYS, {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-03-15 arr=1200 outcome=renewed decided_at=2026-03-01+1us"}},
     {{"crm_arr_committed horizon=30d", 0}}},
    {"it renews itself",
     {PAYS, {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-03-15 arr=1200 auto_renew=true"}},
     {{"crm_arr_committed horizon=30d", 1200}}},
    {"it would, but it is lost",
     {PAYS,
      {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-03-15 arr=1200 auto_renew=true outcome=lost decided_at=2026-02-01"}},
     {{"crm_arr_committed horizon=30d", 0}}},
    {"it will be lost, after T",
     {PAYS,
      {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-03-15 arr=1200 auto_renew=true outcome=lost decided_at=2026-03-02"}},
     {{"crm_arr_committed horizon=30d", 1200}}},
    {"the account says that it renews itself, where the contract does not say",
     {{"account", "arr=1200 created_at=2024-01-01 auto_renew=true"},
      {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-03-15 arr=500"},
      {"contract", "contract_id=2 starts_at=2025-03-15 ends_at=2026-03-15 arr=700 auto_renew=false"}},
     {{"crm_arr_committed horizon=30d", 500}}},
    {"a churn is recorded and waits for the end of the paid period, though the contract would renew itself",
     {{"account", "arr=1200 created_at=2024-01-01 status=churned churned_at=2026-02-10"},
      {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-04-15 arr=1200 auto_renew=true"}},
     {{"crm_arr_committed horizon=30d", 1200}, {"crm_arr_committed horizon=90d", 0}, {"crm_contracts_in_force", 1}}},
    {"contracts of who pays nothing do not count",
     {PAYS,
      {"account", "account_id=a2 arr=0"},
      {"contract", "contract_id=1 starts_at=2025-03-15 arr=1200"},
      {"contract", "account_id=a2 contract_id=2 starts_at=2025-03-15 arr=100"}},
     {{"crm_contracts_in_force", 1}, {"crm_average_contract_value", 1200}, {"crm_arr_committed horizon=30d", 1200}}},
    {"yen have no decimals",
     {{"account", "arr=12001 currency=JPY"},
      {"contract", "contract_id=1 starts_at=2025-03-15 ends_at=2026-03-15 arr=5000"},
      {"contract", "contract_id=2 starts_at=2025-03-15 arr=7001"}},
     {{"crm_arr_committed currency=JPY horizon=90d", 7001}, {"crm_average_contract_value currency=JPY", 6000.5}}},
};

static void test_contracts(void **state) {
  RUN(contracts);
}

/* --- opportunities --------------------------------------------------------------------------------------------------------- */

static const struct more_case opportunities[] = {
    {"none: zeros, and no kind that is not known",
     {PAYS, {"opportunity", ""}},
     {{"crm_opportunities kind=upsell opportunity_stage=open window=7d", 0},
      {"crm_opportunity_arr kind=new opportunity_stage=won window=1y", 0},
      {"crm_opportunities kind=other", NONE}}},
    {"open is a stock",
     {PAYS,
      {"opportunity", "kind=upsell amount=100 opened_at=2020-01-01"},
      {"opportunity", "kind=upsell amount=50 stage=open opened_at=2026-03-01"},
      {"opportunity", "kind=upsell amount=7 stage=open opened_at=2026-03-01+1us"},
      {"opportunity", "kind=upsell amount=30 stage=open"},
      {"opportunity", "kind=upsell amount=4 stage=won opened_at=2026-02-01 closed_at=2026-03-01+1us"},
      {"opportunity", "kind=upsell stage=open opened_at=2026-02-01"}},
     {{"crm_opportunity_arr kind=upsell opportunity_stage=open window=7d", 184},
      {"crm_opportunity_arr kind=upsell opportunity_stage=open window=1y", 184},
      {"crm_opportunities kind=upsell opportunity_stage=open window=7d", 5}, /* one of unknown amount */
      {"crm_opportunities opportunity_stage=won window=1y", 0},
      {"crm_opportunities kind=cross_sell opportunity_stage=open window=7d", 0}}},
    {"won and lost count where they were closed",
     {PAYS,
      {"opportunity", "kind=renewal amount=100 stage=won opened_at=2025-01-01 closed_at=2026-01-30"},
      {"opportunity", "kind=renewal amount=10 stage=won opened_at=2025-01-01 closed_at=2026-01-30+1us"},
      {"opportunity", "kind=renewal amount=1 stage=won opened_at=2025-01-01 closed_at=2026-03-01"},
      {"opportunity", "kind=renewal amount=2000 stage=won opened_at=2025-01-01"},
      {"opportunity", "kind=cross_sell amount=20 stage=lost opened_at=2025-01-01 closed_at=2026-02-28"},
      {"opportunity", "kind=expansion amount=5 stage=lost opened_at=2025-01-01 closed_at=2025-03-01"},
      {"opportunity", "kind=surprise amount=3 stage=won closed_at=2026-02-27"}},
     {{"crm_opportunity_arr kind=renewal opportunity_stage=won window=30d", 11},
      {"crm_opportunities kind=renewal opportunity_stage=won window=30d", 2},
      {"crm_opportunity_arr kind=renewal opportunity_stage=won window=7d", 1},
      {"crm_opportunity_arr kind=renewal opportunity_stage=won window=90d", 111},
      {"crm_opportunity_arr kind=cross_sell opportunity_stage=lost window=7d", 20},
      {"crm_opportunities kind=expansion opportunity_stage=lost window=1y", 0}, /* exactly at T-w */
      {"crm_opportunity_arr kind=other opportunity_stage=won window=7d", 3},
      {"crm_opportunities opportunity_stage=open window=7d", 0}}},
    {"by currency, yen too; those of churned customers count",
     {{"account", "status=churned churned_at=2025-01-01 created_at=2024-01-01 arr=5"},
      {"opportunity", "kind=new amount=1000 currency=JPY"},
      {"opportunity", "kind=new amount=1.25 stage=open"}},
     {{"crm_opportunity_arr kind=new opportunity_stage=open window=90d currency=JPY", 1000},
      {"crm_opportunity_arr kind=new opportunity_stage=open window=90d currency=USD", 1.25},
      {"crm_opportunities kind=new opportunity_stage=open window=90d", 2}}},
};

static void test_opportunities(void **state) {
  RUN(opportunities);
}

/* Without any currency an opportunity is counted, and nobody knows its amount. */
static void test_no_currency(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a1");
  fixture_row(&f, CRM_REL_OPPORTUNITY, "account_id=a1 kind=new");
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  revenue_check(&f, "no currency", "crm_opportunities kind=new opportunity_stage=open window=7d currency=none", 1);
  revenue_check(&f, "no currency", "crm_opportunity_arr", NONE);
  fixture_free(&f);
}

/* --- success-driven expansion ------------------------------------------------------------------------------------------------ */

/* From 100 to 150 on 2025-09-01; the 90 days before begin on 2025-06-03. */
#define GROWS                                                                                                                              \
  {"account", "created_at=2024-01-01"}, {"revenue", "at=2024-01-01 arr=100"}, {                                                            \
    "revenue", "at=2025-09-01 arr=150"                                                                                                     \
  }
#define DRIVEN                                                                                                                             \
  {                                                                                                                                        \
    {"crm_success_driven_expansion_arr window=1y", 50}, {                                                                                  \
      "crm_success_driven_expansion_ratio window=1y", 1                                                                                    \
    }                                                                                                                                      \
  }
#define NOT_DRIVEN                                                                                                                         \
  {                                                                                                                                        \
    {"crm_success_driven_expansion_arr window=1y", 0}, {                                                                                   \
      "crm_success_driven_expansion_ratio window=1y", 0                                                                                    \
    }                                                                                                                                      \
  }

static const struct more_case expansion[] = {
    {"a goal was achieved", {GROWS, {"goal", "goal_id=1 status=achieved completed_at=2025-07-01"}}, DRIVEN},
    {"at the very instant", {GROWS, {"goal", "goal_id=1 status=achieved completed_at=2025-09-01"}}, DRIVEN},
    {"a microsecond too late", {GROWS, {"goal", "goal_id=1 status=achieved completed_at=2025-09-01+1us"}}, NOT_DRIVEN},
    {"90 days before", {GROWS, {"goal", "goal_id=1 status=achieved completed_at=2025-06-03"}}, NOT_DRIVEN},
    {"a microsecond less than 90 days before", {GROWS, {"goal", "goal_id=1 status=achieved completed_at=2025-06-03+1us"}}, DRIVEN},
    {"entered after T, for an earlier day", /* T is 2026-03-01 */
     {GROWS, {"goal", "goal_id=1 status=achieved completed_at=2025-07-01 created_at=2026-03-01+1us"}},
     NOT_DRIVEN},
    {"entered at T", {GROWS, {"goal", "goal_id=1 status=achieved completed_at=2025-07-01 created_at=2026-03-01"}}, DRIVEN},
    {"a goal that was missed", {GROWS, {"goal", "goal_id=1 status=missed completed_at=2025-07-01"}}, NOT_DRIVEN},
    {"a positive call", {GROWS, {"engagement", "engagement_id=1 type=call outcome=positive completed_at=2025-07-01"}}, DRIVEN},
    {"a positive note", {GROWS, {"engagement", "engagement_id=1 type=note outcome=positive completed_at=2025-07-01"}}, NOT_DRIVEN},
    {"a neutral call", {GROWS, {"engagement", "engagement_id=1 type=call outcome=neutral completed_at=2025-07-01"}}, NOT_DRIVEN},
    {"a positive call that never took place",
     {GROWS, {"engagement", "engagement_id=1 type=call outcome=positive scheduled_at=2025-07-01"}},
     NOT_DRIVEN},
    {"success before a second rise, which is as good as the first",
     {GROWS, {"revenue", "at=2025-12-24 arr=150.5"}, {"goal", "goal_id=1 status=achieved completed_at=2025-12-01"}},
     {{"crm_success_driven_expansion_arr window=1y", 50.5}, {"crm_success_driven_expansion_ratio window=1y", 1}}},
    {"before a rise exactly at T-w, which is not of this window",
     {GROWS, {"revenue", "at=2025-03-01 arr=120"}, {"goal", "goal_id=1 status=achieved completed_at=2025-02-01"}},
     {{"crm_arr_movement window=1y kind=expansion", 30}, {"crm_success_driven_expansion_ratio window=1y", 0}}},
    {"before a fall it is none",
     {GROWS, {"revenue", "at=2026-01-24 arr=140"}, {"goal", "goal_id=1 status=achieved completed_at=2026-01-01"}},
     {{"crm_success_driven_expansion_arr window=1y", 0}, {"crm_success_driven_expansion_ratio window=1y", 0}}},
    {"another currency on the way, of which nobody can say that it is more", /* 150 to 9000 yen and back to 200; only 09-01 rises */
     {GROWS,
      {"revenue", "at=2025-12-24 arr=9000 currency=JPY"},
      {"revenue", "at=2025-12-25 arr=200"},
      {"goal", "goal_id=1 status=achieved completed_at=2025-12-01"}},
     {{"crm_success_driven_expansion_arr window=1y currency=USD", 0}, {"crm_success_driven_expansion_ratio window=1y currency=USD", 0}}},
    {"a share of all expansion",
     {GROWS,
      {"account", "account_id=a2 created_at=2024-01-01"},
      {"revenue", "account_id=a2 at=2024-01-01 arr=100"},
      {"revenue", "account_id=a2 at=2025-09-01 arr=250"},
      {"goal", "goal_id=1 status=achieved completed_at=2025-07-01"}},
     {{"crm_success_driven_expansion_arr window=1y", 50}, {"crm_success_driven_expansion_ratio window=1y", 0.25}}},
    {"no expansion, no ratio",
     {PAYS, {"goal", ""}},
     {{"crm_success_driven_expansion_arr window=1y", 0}, {"crm_success_driven_expansion_ratio", NONE}}},
    {"for the year only",
     {GROWS, {"goal", "goal_id=1 status=achieved completed_at=2025-07-01"}},
     {{"crm_success_driven_expansion_arr window=90d", NONE}, {"crm_success_driven_expansion_ratio window=90d", NONE}}},
};

static void test_expansion(void **state) {
  RUN(expansion);
}

/* --- cells and tenants -------------------------------------------------------------------------------------------------------- */

/* The parts stand in the cell of the account, and the ratio of a tenant is of all its cells: a2 of two contracts, a1 of one. */
static void test_cells(void **state) {
  static const struct row rows[] = {
      {"account", "account_id=a1 tenant=acme segment=big arr=900 created_at=2024-01-01"},
      {"account", "account_id=a2 tenant=acme segment=smb arr=300 created_at=2026-02-15"},
      {"account", "account_id=b1 tenant=beta segment=smb arr=70 created_at=2024-01-01"},
      {"contract", "account_id=a1 contract_id=1 starts_at=2025-01-01 ends_at=2026-03-20 arr=900"},
      {"contract", "account_id=a2 contract_id=2 starts_at=2026-02-15 arr=100"},
      {"contract", "account_id=a2 contract_id=3 starts_at=2026-02-15 arr=200"},
      {"opportunity", "account_id=a2 kind=upsell amount=40"},
  };
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  f.params.group_by[0] = CRM_DIM_SEGMENT;
  f.params.n_group_by = 1;
  add_rows(&f, rows, sizeof(rows) / sizeof(rows[0]));
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  revenue_check(&f, "cells", "crm_arr_committed tenant=acme segment=big horizon=30d", 0);
  revenue_check(&f, "cells", "crm_arr_committed tenant=acme segment=smb horizon=30d", 300);
  revenue_check(&f, "cells", "crm_arr_committed tenant=beta segment=smb horizon=30d", 70);
  revenue_check(&f, "cells", "crm_contracts_in_force tenant=acme segment=smb", 2);
  revenue_check(&f, "cells", "crm_average_contract_value tenant=acme", 400);
  revenue_check(&f, "cells", "crm_average_contract_value tenant=beta", NONE);
  revenue_check(&f, "cells", "crm_accounts_won tenant=acme segment=smb window=30d", 1);
  revenue_check(&f, "cells", "crm_accounts_won tenant=acme segment=big window=30d", 0);
  revenue_check(&f, "cells", "crm_accounts_opening tenant=acme window=30d", 1);
  revenue_check(&f, "cells", "crm_opportunity_arr tenant=acme segment=smb kind=upsell opportunity_stage=open window=7d", 40);
  revenue_check(&f, "cells", "crm_opportunity_arr tenant=acme segment=big kind=upsell opportunity_stage=open window=7d", 0);
  revenue_check(&f, "cells", "crm_arr_month_closing tenant=acme month=2026-03", 1200);
  revenue_check(&f, "cells", "crm_cohort_arr tenant=acme cohort=2026-02 age=1", 300);
  revenue_check(&f, "cells", "crm_cohort_arr tenant=beta", NONE); /* too long ago */
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ratios),        cmocka_unit_test(test_edges),       cmocka_unit_test(test_contracts),
      cmocka_unit_test(test_opportunities), cmocka_unit_test(test_no_currency), cmocka_unit_test(test_expansion),
      cmocka_unit_test(test_cells),
  };
  return cmocka_run_group_tests_name("revenue_more", tests, NULL, NULL);
}
