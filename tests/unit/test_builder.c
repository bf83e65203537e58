/* SPDX-License-Identifier: MIT */
/* What is taken from a row, and what is refused. Rows are written as ../lib/rows.h says. */
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

#include "../lib/rows.h"
#include "facts/layout.h"

#define S CRM_US_PER_SECOND

/* --- accounts ----------------------------------------------------------------------------------------------------- */

static void accounts_are_taken_and_ordered(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&rows_usual);
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "b2|acme|Bee|smb|food|emea|ann|active|eur|100|~|1200.50|50|10|t|75|80|20|150|200");
  rows_put(b, CRM_REL_ACCOUNT, "z|~|Zed|~|~|~|~|CHURNED|JPY|~|300|~|100");
  rows_put(b, CRM_REL_ACCOUNT, "a1|acme|~|~|~|~|~|~|KWD|~|~|~|1.5");
  rows_put(b, CRM_REL_ACCOUNT, "a|||||||||");
  rows_put(b, CRM_REL_ACCOUNT, "m|acme|~|~|~|~|~|active|USD|~|~|=0002000000000002007b1194");
  struct crm_facts *f = rows_finish(b);
  assert_int_equal(f->account.n, 5);
  static const char *const ids[] = {"a1", "b2", "m", "a", "z"}; /* tenant acme, then house */
  static const char *const tenants[] = {"acme", "acme", "acme", "house", "house"};
  for (uint32_t a = 0; a < 5; a++) {
    assert_string_equal(rows_text(f, f->account.id[a]), ids[a]);
    assert_string_equal(rows_text(f, f->tenants[f->account.tenant[a]]), tenants[a]);
  }
  assert_int_equal(f->n_tenants, 2);
  assert_int_equal(f->n_currencies, 4);
  assert_string_equal(f->currencies[0].code, "EUR");
  assert_string_equal(f->currencies[1].code, "JPY");
  assert_int_equal(f->currencies[1].exponent, 0);
  assert_string_equal(f->currencies[2].code, "KWD");
  assert_string_equal(f->currencies[3].code, "USD");
  assert_int_equal(f->account.arr[0], 12 * 1500); /* 1.5 KWD a month */
  assert_int_equal(f->account.currency[0], 2);
  assert_int_equal(f->account.arr[1], 120050); /* arr stands before mrr */
  assert_int_equal(f->account.arr[2], 12345);
  assert_int_equal(f->account.arr[3], CRM_MONEY_UNKNOWN);
  assert_int_equal(f->account.currency[3], CRM_NO_CURRENCY);
  assert_int_equal(f->account.arr[4], 1200); /* 100 JPY a month */
  assert_string_equal(rows_text(f, f->account.name[1]), "Bee");
  assert_string_equal(rows_text(f, f->account.segment[1]), "smb");
  assert_string_equal(rows_text(f, f->account.industry[1]), "food");
  assert_string_equal(rows_text(f, f->account.region[1]), "emea");
  assert_string_equal(rows_text(f, f->account.owner[1]), "ann");
  assert_int_equal(f->account.status[0], CRM_STATUS_UNKNOWN);
  assert_int_equal(f->account.status[1], CRM_ACTIVE);
  assert_int_equal(f->account.status[4], CRM_CHURNED);
  assert_int_equal(f->account.created_at[1], 100 * S);
  assert_int_equal(f->account.churned_at[1], CRM_TIME_NONE);
  assert_int_equal(f->account.churned_at[4], 300 * S);
  assert_int_equal(f->account.first_value_at[1], 150 * S);
  assert_int_equal(f->account.changed_at[1], 200 * S);
  assert_true(f->account.seats[1] == 10 && isnan(f->account.seats[0]));
  assert_true(f->account.renewal_forecast[1] == 75 && f->account.recorded_health[1] == 80 && f->account.recorded_risk[1] == 20);
  assert_int_equal(f->account.auto_renew[1], CRM_TRI_TRUE);
  assert_int_equal(f->account.auto_renew[0], CRM_TRI_UNKNOWN);
  assert_int_equal(f->rows[CRM_REL_ACCOUNT], 5);
  for (int i = 0; i < CRM_REJECTS; i++)
    assert_int_equal(f->rejected[CRM_REL_ACCOUNT][i], 0);
  crm_facts_unref(f);
}

static void the_default_currency_is_inherited(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&(struct crm_builder_options){.default_tenant = "t", .default_currency = "chf"});
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "own|~|~|~|~|~|~|~|USD|~|~|1");
  rows_put(b, CRM_REL_ACCOUNT, "none|~|~|~|~|~|~|~|~|~|~|1");
  rows_put(b, CRM_REL_REVENUE, "own|1|~|5|JPY");
  rows_put(b, CRM_REL_REVENUE, "own|2|~|5");
  rows_put(b, CRM_REL_REVENUE, "none|3|~|5");
  struct crm_facts *f = rows_finish(b);
  assert_string_equal(f->currencies[f->account.currency[0]].code, "CHF");
  assert_string_equal(f->currencies[f->account.currency[1]].code, "USD");
  assert_string_equal(f->currencies[f->revenue.currency[0]].code, "CHF");
  assert_string_equal(f->currencies[f->revenue.currency[1]].code, "JPY");
  assert_int_equal(f->revenue.arr[1], 5);
  assert_string_equal(f->currencies[f->revenue.currency[2]].code, "USD");
  assert_int_equal(f->revenue.arr[2], 500);
  crm_facts_unref(f);

  struct crm_error err = {0};
  b = NULL;
  assert_int_equal(crm_builder_new(&(struct crm_builder_options){.default_currency = "euro"}, &b, &err), CRM_ERR_CONFIG);
  assert_null(b);
}

/* What is wrong in an account's row is unknown and counted; the row stays. */
static void accounts_are_kept(void **state) {
  (void)state;
  static const struct {
    const char *name, *row;
    enum crm_reject reason;
    bool kept;
  } cases[] = {
      {"no id", "~", CRM_REJECT_NO_ACCOUNT, false},
      {"empty id", "|x", CRM_REJECT_NO_ACCOUNT, false},
      {"id in Latin-1", "M\xFCller", CRM_REJECT_BAD_TEXT, false},
      {"name in Latin-1", "a|~|M\xFCller", CRM_REJECT_BAD_TEXT, true},
      {"status that is none", "a|~|~|~|~|~|~|sleeping", CRM_REJECT_BAD_VALUE, true},
      {"currency that is none", "a|~|~|~|~|~|~|~|EURO|~|~|5", CRM_REJECT_BAD_VALUE, true},
      {"euro sign", "a|~|~|~|~|~|~|~|\xE2\x82\xAC|~|~|5", CRM_REJECT_BAD_VALUE, true},
      {"amount without currency", "a|~|~|~|~|~|~|~|~|~|~|5", CRM_REJECT_NO_CURRENCY, true},
      {"NaN amount", "a|~|~|~|~|~|~|~|EUR|~|~|nan", CRM_REJECT_NOT_A_NUMBER, true},
      {"NaN numeric", "a|~|~|~|~|~|~|~|EUR|~|~|=00000000c0000000", CRM_REJECT_NOT_A_NUMBER, true},
      {"cut numeric", "a|~|~|~|~|~|~|~|EUR|~|~|=0002000000000002007b11", CRM_REJECT_NOT_A_NUMBER, true},
      {"huge amount", "a|~|~|~|~|~|~|~|EUR|~|~|1e14", CRM_REJECT_OUT_OF_RANGE, true},
      {"negative amount", "a|~|~|~|~|~|~|~|EUR|~|~|-1", CRM_REJECT_OUT_OF_RANGE, true},
      {"infinite seats", "a|~|~|~|~|~|~|~|~|~|~|~|~|inf", CRM_REJECT_NOT_A_NUMBER, true},
      {"negative seats", "a|~|~|~|~|~|~|~|~|~|~|~|~|-1", CRM_REJECT_OUT_OF_RANGE, true},
      {"health 150", "a|~|~|~|~|~|~|~|~|~|~|~|~|~|~|~|150", CRM_REJECT_OUT_OF_RANGE, true},
      {"created at infinity", "a|~|~|~|~|~|~|~|~|infinity", CRM_REJECT_OUT_OF_RANGE, true},
      {"created at -infinity", "a|~|~|~|~|~|~|~|~|-infinity", CRM_REJECT_OUT_OF_RANGE, true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct crm_builder *b = rows_builder(&rows_usual);
    rows_begin(b);
    rows_put(b, CRM_REL_ACCOUNT, cases[i].row);
    struct crm_facts *f = rows_finish(b);
    if (f->account.n != (cases[i].kept ? 1 : 0))
      fail_msg("%s: %u rows", cases[i].name, f->account.n);
    for (int r = 0; r < CRM_REJECTS; r++)
      if (f->rejected[CRM_REL_ACCOUNT][r] != (r == (int)cases[i].reason ? 1u : 0u))
        fail_msg("%s: %s counted %" PRIu64 " times", cases[i].name, crm_reject_name((enum crm_reject)r), f->rejected[CRM_REL_ACCOUNT][r]);
    if (cases[i].kept) {
      assert_int_equal(f->account.name[0], 0);
      assert_int_equal(f->account.status[0], CRM_STATUS_UNKNOWN);
      assert_int_equal(f->account.arr[0], CRM_MONEY_UNKNOWN);
      assert_true(isnan(f->account.seats[0]) && isnan(f->account.recorded_health[0]));
      assert_int_equal(f->account.created_at[0], CRM_TIME_NONE);
      if (cases[i].reason == CRM_REJECT_BAD_VALUE || cases[i].reason == CRM_REJECT_NO_CURRENCY)
        assert_int_equal(f->account.currency[0], CRM_NO_CURRENCY);
    }
    crm_facts_unref(f);
  }
}

/* --- rows of other relations -------------------------------------------------------------------------------------- */

static void rows_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *name;
    enum crm_relation relation;
    const char *row;
    enum crm_reject reason; /* CRM_REJECTS: taken, and nothing is counted */
  } cases[] = {
      {"no account", CRM_REL_USAGE, "~|1", CRM_REJECT_NO_ACCOUNT},
      {"empty account", CRM_REL_USAGE, "|1", CRM_REJECT_NO_ACCOUNT},
      {"unknown account", CRM_REL_USAGE, "x|1", CRM_REJECT_UNKNOWN_ACCOUNT},
      {"a text that is known, but not as an account", CRM_REL_USAGE, "Ann|1", CRM_REJECT_UNKNOWN_ACCOUNT},
      {"an id that goes on", CRM_REL_USAGE, "a1 |1", CRM_REJECT_UNKNOWN_ACCOUNT},
      {"account in Latin-1", CRM_REL_USAGE, "\xFC|1", CRM_REJECT_BAD_TEXT},
      {"no day", CRM_REL_USAGE, "a1|~|5", CRM_REJECT_MISSING},
      {"nothing but a day", CRM_REL_USAGE, "a1|1", CRM_REJECTS},
      {"the last day", CRM_REL_USAGE, "a1|2932896", CRM_REJECTS},
      {"a day too far", CRM_REL_USAGE, "a1|2932897", CRM_REJECT_OUT_OF_RANGE},
      {"the first day", CRM_REL_USAGE, "a1|-719162", CRM_REJECTS},
      {"a day too early", CRM_REL_USAGE, "a1|-719163", CRM_REJECT_OUT_OF_RANGE},
      {"NaN", CRM_REL_USAGE, "a1|1|nan", CRM_REJECT_NOT_A_NUMBER},
      {"infinity", CRM_REL_USAGE, "a1|1|~|~|inf", CRM_REJECT_NOT_A_NUMBER},
      {"negative logins", CRM_REL_USAGE, "a1|1|-1", CRM_REJECT_OUT_OF_RANGE},
      {"adoption 100", CRM_REL_USAGE, "a1|1|~|100", CRM_REJECTS},
      {"adoption over 100", CRM_REL_USAGE, "a1|1|~|100.001", CRM_REJECT_OUT_OF_RANGE},
      {"users too many for a float", CRM_REL_USAGE, "a1|1|~|~|~|16777217", CRM_REJECT_OUT_OF_RANGE},
      {"users as many as fit", CRM_REL_USAGE, "a1|1|~|~|~|16777216", CRM_REJECTS},
      {"csat 0", CRM_REL_SUPPORT, "a1|1|~|~|~|~|~|~|~|0", CRM_REJECT_OUT_OF_RANGE},
      {"csat 1", CRM_REL_SUPPORT, "a1|1|~|~|~|~|~|~|~|1", CRM_REJECTS},
      {"severity 101", CRM_REL_SUPPORT, "a1|1|~|~|~|~|101", CRM_REJECT_OUT_OF_RANGE},
      {"score missing", CRM_REL_NPS, "a1|1", CRM_REJECT_MISSING},
      {"score 11", CRM_REL_NPS, "a1|1|11", CRM_REJECT_OUT_OF_RANGE},
      {"score 10", CRM_REL_NPS, "a1|1|10", CRM_REJECTS},
      {"score 9.5", CRM_REL_NPS, "a1|1|9.5", CRM_REJECT_BAD_VALUE},
      {"revenue without a level", CRM_REL_REVENUE, "a1|1|~|~|EUR", CRM_REJECT_MISSING},
      {"revenue without a time", CRM_REL_REVENUE, "a1|~|1|~|EUR", CRM_REJECT_MISSING},
      {"revenue without currency", CRM_REL_REVENUE, "a1|1|5", CRM_REJECT_NO_CURRENCY},
      {"revenue in no currency", CRM_REL_REVENUE, "a1|1|5|~|dollars", CRM_REJECT_BAD_VALUE},
      {"revenue in small letters", CRM_REL_REVENUE, "a1|1|5|~|usd", CRM_REJECTS},
      {"revenue, currency of the account", CRM_REL_REVENUE, "a2|1|5", CRM_REJECTS},
      {"revenue, currency empty", CRM_REL_REVENUE, "a2|1|5|~|", CRM_REJECTS},
      {"revenue 0", CRM_REL_REVENUE, "a2|1|0", CRM_REJECTS},
      {"revenue below 0", CRM_REL_REVENUE, "a2|1|-0.01", CRM_REJECT_OUT_OF_RANGE},
      {"revenue NaN", CRM_REL_REVENUE, "a2|1|=00000000c0000000", CRM_REJECT_NOT_A_NUMBER},
      {"revenue too large by the factor", CRM_REL_REVENUE, "a2|1|8e9", CRM_REJECT_OUT_OF_RANGE},
      {"contract without id", CRM_REL_CONTRACT, "a1|~|1", CRM_REJECT_MISSING},
      {"contract with an empty id", CRM_REL_CONTRACT, "a1||1", CRM_REJECT_MISSING},
      {"contract without amount needs no currency", CRM_REL_CONTRACT, "a1|c|1", CRM_REJECTS},
      {"contract with amount does", CRM_REL_CONTRACT, "a1|c|1|~|5", CRM_REJECT_NO_CURRENCY},
      {"contract renewed without currency", CRM_REL_CONTRACT, "a1|c|1|~|~|~|~|renewed|~|5", CRM_REJECT_NO_CURRENCY},
      {"contract with an outcome that is none", CRM_REL_CONTRACT, "a1|c|1|~|~|~|~|perhaps", CRM_REJECT_BAD_VALUE},
      {"contract without end", CRM_REL_CONTRACT, "a1|c|1|infinity", CRM_REJECTS},
      {"contract decided at infinity", CRM_REL_CONTRACT, "a1|c|1|~|~|~|~|~|infinity", CRM_REJECT_OUT_OF_RANGE},
      {"contract without beginning", CRM_REL_CONTRACT, "a1|c|-infinity", CRM_REJECT_OUT_OF_RANGE},
      {"engagement without type", CRM_REL_ENGAGEMENT, "a1|e|~|~|1", CRM_REJECT_MISSING},
      {"engagement without id", CRM_REL_ENGAGEMENT, "a1|~|call|~|1", CRM_REJECT_MISSING},
      {"engagement without time", CRM_REL_ENGAGEMENT, "a1|e|call", CRM_REJECT_MISSING},
      {"engagement of another type and outcome", CRM_REL_ENGAGEMENT, "a1|e|lunch|great|1", CRM_REJECTS},
      {"engagement with an owner in Latin-1", CRM_REL_ENGAGEMENT, "a1|e|call|~|1|~|J\xFCrgen", CRM_REJECT_BAD_TEXT},
      {"invoice with a credit", CRM_REL_INVOICE, "a2|1|~|-5", CRM_REJECTS},
      {"invoice without currency", CRM_REL_INVOICE, "a1|1|~|5", CRM_REJECT_NO_CURRENCY},
      {"invoice without amount", CRM_REL_INVOICE, "a1|1", CRM_REJECTS},
      {"opportunity of another kind", CRM_REL_OPPORTUNITY, "a1|barter", CRM_REJECTS},
      {"opportunity without kind", CRM_REL_OPPORTUNITY, "a1|~", CRM_REJECT_MISSING},
      {"opportunity at a stage that is none", CRM_REL_OPPORTUNITY, "a1|upsell|~|~|dreamt", CRM_REJECT_BAD_VALUE},
      {"opportunity without currency", CRM_REL_OPPORTUNITY, "a1|upsell|5", CRM_REJECT_NO_CURRENCY},
      {"probability over a hundred percent", CRM_REL_OPPORTUNITY, "a1|upsell|~|~|~|~|~|101", CRM_REJECT_OUT_OF_RANGE},
      {"signal of another kind", CRM_REL_SIGNAL, "a1|gossip|1", CRM_REJECTS},
      {"signal of negative weight", CRM_REL_SIGNAL, "a1|gossip|1|-1", CRM_REJECT_OUT_OF_RANGE},
      {"intervention of any kind", CRM_REL_INTERVENTION, "a1|rescue|1", CRM_REJECTS},
      {"intervention without time", CRM_REL_INTERVENTION, "a1|rescue", CRM_REJECT_MISSING},
      {"onboarding without start", CRM_REL_ONBOARDING, "a1|~|5", CRM_REJECT_MISSING},
      {"goal with an empty status", CRM_REL_GOAL, "a1|g|", CRM_REJECTS},
      {"recorded health 101", CRM_REL_HEALTH, "a1|1|101", CRM_REJECT_OUT_OF_RANGE},
      {"recorded health missing", CRM_REL_HEALTH, "a1|1", CRM_REJECTS},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct crm_builder *b = rows_builder(&rows_usual);
    rows_begin(b);
    rows_put(b, CRM_REL_ACCOUNT, "a1|~|Ann");
    rows_put(b, CRM_REL_ACCOUNT, "a2|~|Ann|~|~|~|~|~|EUR");
    rows_put(b, cases[i].relation, cases[i].row);
    struct crm_facts *f = rows_finish(b);
    uint32_t n = crm_layout_n(f, crm_layout(cases[i].relation));
    if (n != (cases[i].reason == CRM_REJECTS ? 1u : 0u) || f->rows[cases[i].relation] != n)
      fail_msg("%s: %u rows", cases[i].name, n);
    for (int r = 0; r < CRM_REJECTS; r++)
      if (f->rejected[cases[i].relation][r] != (r == (int)cases[i].reason ? 1u : 0u))
        fail_msg("%s: %s counted %" PRIu64 " times", cases[i].name, crm_reject_name((enum crm_reject)r), f->rejected[cases[i].relation][r]);
    crm_facts_unref(f);
  }
}

/* A word that the contract does not know becomes unknown where there is such a word; it is counted, and the row stays. */
static void unknown_words_are_counted(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&rows_usual);
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "a");
  rows_put(b, CRM_REL_CONTACT, "a|c|boss|fan|gone|7");
  rows_put(b, CRM_REL_CONTACT, "a|d|Primary|CHAMPION|left|~");
  rows_put(b, CRM_REL_CONTACT, "a|e|unknown|~|~|~");
  rows_put(b, CRM_REL_GOAL, "a|g|someday");
  rows_put(b, CRM_REL_ONBOARDING, "a|1|~|~|paused");
  struct crm_facts *f = rows_finish(b);
  assert_int_equal(f->contact.n, 3);
  assert_int_equal(f->contact.level[0], CRM_LEVEL_UNKNOWN);
  assert_int_equal(f->contact.strength[0], CRM_STRENGTH_UNKNOWN);
  assert_int_equal(f->contact.status[0], CRM_CONTACT_STATUS_UNKNOWN);
  assert_int_equal(f->contact.since[0], 7 * S);
  assert_int_equal(f->contact.level[1], CRM_PRIMARY);
  assert_int_equal(f->contact.strength[1], CRM_CHAMPION);
  assert_int_equal(f->contact.status[1], CRM_CONTACT_LEFT);
  assert_int_equal(f->contact.level[2], CRM_LEVEL_UNKNOWN);
  assert_int_equal(f->rejected[CRM_REL_CONTACT][CRM_REJECT_BAD_VALUE], 3);
  assert_int_equal(f->goal.status[0], CRM_GOAL_UNKNOWN);
  assert_int_equal(f->rejected[CRM_REL_GOAL][CRM_REJECT_BAD_VALUE], 1);
  assert_int_equal(f->onboarding.status[0], CRM_ONB_UNKNOWN);
  assert_int_equal(f->rejected[CRM_REL_ONBOARDING][CRM_REJECT_BAD_VALUE], 1);
  crm_facts_unref(f);
}

static void every_relation_holds_its_values(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&rows_usual);
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "a|~|~|~|~|~|~|~|EUR");
  rows_put(b, CRM_REL_REVENUE, "a|10|33.335|~|USD");
  rows_put(b, CRM_REL_REVENUE, "a|20|33|500|~");
  rows_put(b, CRM_REL_CONTRACT, "a|c1|1|2|100.25|USD|f|Lost|3|50");
  rows_put(b, CRM_REL_USAGE, "a|7|1.5|2.5|3.5|4");
  rows_put(b, CRM_REL_SUPPORT, "a|8|1|2|3|4|5.5|6.5|7.5|4.5");
  rows_put(b, CRM_REL_NPS, "a|9|0|joe");
  rows_put(b, CRM_REL_GOAL, "a|g1|achieved|1|2|3");
  rows_put(b, CRM_REL_HEALTH, "a|10|99.5");
  rows_put(b, CRM_REL_INVOICE, "a|11|12|-7.005|~");
  rows_put(b, CRM_REL_OPPORTUNITY, "a|new|8|KWD|won|13|14|0.25");
  rows_put(b, CRM_REL_OPPORTUNITY, "a|barter|~|~|~|15");
  rows_put(b, CRM_REL_SIGNAL, "a|Pricing_Discussions|16|2.5");
  rows_put(b, CRM_REL_SIGNAL, "a|gossip|17");
  rows_put(b, CRM_REL_INTERVENTION, "a|rescue|18|19|begun|bob");
  rows_put(b, CRM_REL_ONBOARDING, "a|20|21|22|on_hold");
  struct crm_facts *f = rows_finish(b);
  assert_int_equal(f->revenue.arr[0], 40002); /* 33.335 x 12 exactly, not twelve times 33.34 */
  assert_int_equal(f->revenue.arr[1], 50000);
  assert_int_equal(f->contract.arr[0], 10025);
  assert_int_equal(f->contract.renewed_arr[0], 5000);
  assert_string_equal(f->currencies[f->contract.currency[0]].code, "USD");
  assert_int_equal(f->contract.auto_renew[0], CRM_TRI_FALSE);
  assert_int_equal(f->contract.outcome[0], CRM_CONTRACT_LOST);
  assert_int_equal(f->contract.starts_at[0], 1 * S);
  assert_int_equal(f->contract.ends_at[0], 2 * S);
  assert_int_equal(f->contract.decided_at[0], 3 * S);
  assert_string_equal(rows_text(f, f->contract.id[0]), "c1");
  assert_int_equal(f->usage.day[0], 7);
  assert_true(f->usage.logins_per_week[0] == 1.5 && f->usage.feature_adoption[0] == 2.5 && f->usage.session_seconds[0] == 3.5 &&
              f->usage.active_users[0] == 4);
  assert_int_equal(f->support.day[0], 8);
  assert_true(f->support.new_tickets[0] == 1 && f->support.resolved_tickets[0] == 2 && f->support.open_tickets[0] == 3 &&
              f->support.escalated[0] == 4 && f->support.severity[0] == 5.5 && f->support.resolution_hours[0] == 6.5 &&
              f->support.first_response_seconds[0] == 7.5 && f->support.csat[0] == 4.5);
  assert_int_equal(f->nps.at[0], 9 * S);
  assert_int_equal(f->nps.score[0], 0);
  assert_string_equal(rows_text(f, f->nps.respondent[0]), "joe");
  assert_string_equal(rows_text(f, f->goal.id[0]), "g1");
  assert_int_equal(f->goal.status[0], CRM_GOAL_ACHIEVED);
  assert_int_equal(f->goal.created_at[0], 1 * S);
  assert_int_equal(f->goal.target_at[0], 2 * S);
  assert_int_equal(f->goal.completed_at[0], 3 * S);
  assert_true(f->health.day[0] == 10 && f->health.score[0] == 99.5);
  assert_true(f->invoice.due_at[0] == 11 * S && f->invoice.paid_at[0] == 12 * S);
  assert_int_equal(f->invoice.amount[0], -700); /* the double nearest to 7.005 lies below it */
  assert_string_equal(f->currencies[f->invoice.currency[0]].code, "EUR");
  assert_true(f->opportunity.kind[0] == CRM_NEW_SALE && f->opportunity.stage[0] == CRM_STAGE_WON && f->opportunity.amount[0] == 8000 &&
              f->opportunity.opened_at[0] == 13 * S && f->opportunity.closed_at[0] == 14 * S && f->opportunity.probability[0] == 0.25);
  assert_true(f->opportunity.kind[1] == CRM_SALE_OTHER && f->opportunity.stage[1] == CRM_STAGE_OPEN &&
              f->opportunity.amount[1] == CRM_MONEY_UNKNOWN && isnan(f->opportunity.probability[1]));
  assert_true(f->signal.kind[0] == CRM_SIGNAL_PRICING && f->signal.weight[0] == 2.5);
  assert_true(f->signal.kind[1] == CRM_SIGNAL_OTHER && f->signal.weight[1] == 1 && f->signal.at[1] == 17 * S);
  assert_string_equal(rows_text(f, f->intervention.kind[0]), "rescue");
  assert_string_equal(rows_text(f, f->intervention.stage[0]), "begun");
  assert_string_equal(rows_text(f, f->intervention.owner[0]), "bob");
  assert_true(f->intervention.opened_at[0] == 18 * S && f->intervention.closed_at[0] == 19 * S);
  assert_true(f->onboarding.started_at[0] == 20 * S && f->onboarding.target_at[0] == 21 * S && f->onboarding.completed_at[0] == 22 * S &&
              f->onboarding.status[0] == CRM_ONB_ON_HOLD);
  crm_facts_unref(f);
}

static void missing_figures_are_nan_and_minus_zero_is_zero(void **state) {
  (void)state;
  struct crm_builder *b = rows_builder(&rows_usual);
  rows_begin(b);
  rows_put(b, CRM_REL_ACCOUNT, "a");
  rows_put(b, CRM_REL_USAGE, "a|1|-0.0");
  struct crm_facts *f = rows_finish(b);
  assert_true(f->usage.logins_per_week[0] == 0 && !signbit(f->usage.logins_per_week[0]));
  assert_true(isnan(f->usage.feature_adoption[0]) && isnan(f->usage.session_seconds[0]) && isnan(f->usage.active_users[0]));
  crm_facts_unref(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(accounts_are_taken_and_ordered),
      cmocka_unit_test(the_default_currency_is_inherited),
      cmocka_unit_test(accounts_are_kept),
      cmocka_unit_test(rows_are_refused),
      cmocka_unit_test(unknown_words_are_counted),
      cmocka_unit_test(every_relation_holds_its_values),
      cmocka_unit_test(missing_figures_are_nan_and_minus_zero_is_zero),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
