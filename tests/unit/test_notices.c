/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "export/notifier.h"
#include "lib/patience.h"

/* What was delivered: "severity tenant rule message" a line. */
static struct crm_strbuf said;

static void deliver(void *ctx, const struct crm_notice *notice) {
  static const char *const severity[] = {"OKAY", "WARNING", "FAILURE"};
  crm_strbuf_addf(&said, "%s %s %s %s\n", severity[notice->severity], notice->tenant, notice->rule, notice->message);
}

/* One frame of the instance "x"; what is added to the sets goes into it. */
struct build {
  struct crm_series_set business, own;
};

static void begin(struct build *b) {
  assert_int_equal(crm_set_init(&b->business), CRM_OK);
  assert_int_equal(crm_set_init(&b->own), CRM_OK);
  b->business.n_dimensions = 1;
  b->business.dimensions[0] = "segment";
}

static void add(struct crm_series_set *set, enum crm_family family, struct crm_number value, const char *const *labels, size_t n) {
  assert_int_equal(crm_set_add(set, family, labels, n, value), CRM_OK);
}
#define ADD(set, family, value, ...)                                                                                                       \
  add(set, CRM_FAM_##family, value, (const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))
#define INT crm_number_int
#define RATIO crm_number_ratio

static struct crm_frame *end(struct build *b, bool business) {
  assert_int_equal(crm_set_sort(&b->business), CRM_OK);
  assert_int_equal(crm_set_sort(&b->own), CRM_OK);
  struct crm_frame *frame = crm_frame_new("x", 1000000, business ? &b->business : NULL, &b->own);
  assert_non_null(frame);
  if (!business)
    crm_set_free(&b->business);
  return frame;
}

static void judge(struct crm_notices *notices, struct build *b, bool business, const char *wanted) {
  struct crm_frame *frame = end(b, business);
  crm_strbuf_reset(&said);
  crm_notices_judge(notices, frame, deliver, NULL);
  crm_frame_unref(frame);
  if (strcmp(crm_strbuf_str(&said), wanted) != 0)
    fail_msg("said:\n%s\nwanted:\n%s", crm_strbuf_str(&said), wanted);
}

static struct crm_notices *make(struct crm_notice_options *options, unsigned groups) {
  crm_notice_options_defaults(options);
  options->groups = groups;
  struct crm_notices *notices = crm_notices_new(options);
  assert_non_null(notices);
  return notices;
}

/* Cells of two segments, whose sums are what counts. */
static void cells(struct build *b, int64_t fall, int64_t at_risk, int64_t newly, int64_t escalated) {
  ADD(&b->business, HEALTH_CHANGE_POINTS, INT(-fall), "acme", "a", "7d");
  ADD(&b->business, HEALTH_CHANGE_POINTS, INT(-10), "acme", "b", "7d");
  ADD(&b->business, HEALTH_CHANGE_POINTS, INT(-900), "acme", "b", "30d");
  ADD(&b->business, HEALTH_CHANGE_ACCOUNTS, INT(4), "acme", "a", "7d");
  ADD(&b->business, HEALTH_CHANGE_ACCOUNTS, INT(6), "acme", "b", "7d");
  ADD(&b->business, ARR_BY_RISK, INT(750), "acme", "a", "low", "EUR");
  ADD(&b->business, ARR_BY_RISK, INT(at_risk), "acme", "b", "critical", "EUR");
  ADD(&b->business, ARR_BY_RISK, INT(100), "acme", "b", "high", "EUR");
  ADD(&b->business, ARR_BY_RISK, INT(1000), "acme", "b", "medium", "JPY");
  ADD(&b->business, ACCOUNTS_NEWLY_AT_RISK, INT(newly), "acme", "a", "7d");
  ADD(&b->business, ACCOUNTS_NEWLY_AT_RISK, INT(1), "acme", "b", "7d");
  ADD(&b->business, ACCOUNTS, INT(60), "acme", "a", "active");
  ADD(&b->business, ACCOUNTS, INT(40), "acme", "b", "at_risk");
  ADD(&b->business, ACCOUNTS, INT(500), "acme", "b", "churned");
  ADD(&b->business, CHURN_INDICATOR_ACCOUNTS, INT(escalated), "acme", "a", "health_decline", "support_escalations");
  ADD(&b->business, RENEWALS_DUE, INT(0), "acme", "a", "undecided", "30d");
}

static void test_customers(void **state) {
  struct crm_notice_options options;
  struct crm_notices *notices = make(&options, CRM_NOTIFY_CUSTOMERS);
  struct build b;
  begin(&b);
  cells(&b, 39, 150, 1, 10); /* -49 / 10, 250 of 1000, 2, 10 of 100: all just not there */
  judge(notices, &b, true, "");
  begin(&b);
  cells(&b, 40, 151, 2, 11);
  ADD(&b.business, RENEWALS_DUE, INT(2), "acme", "b", "undecided", "30d");
  judge(notices, &b, true,
        "WARNING acme health_fall mean health score: it changed by -5.0 points within 7 days, over 10 accounts\n"
        "WARNING acme newly_at_risk accounts newly at risk: 3 within 7 days\n"
        "WARNING acme escalations support escalations: at 11 of 100 accounts half of the tickets or more\n"
        "WARNING acme renewal_undecided renewals without a decision: 2 contracts ended within 30 days\n"
        "WARNING acme arr_at_risk EUR revenue at risk: 251 of 1001 a year (25 %) at high or critical churn risk\n");
  begin(&b);
  cells(&b, 41, 151, 2, 11);
  ADD(&b.business, RENEWALS_DUE, INT(2), "acme", "b", "undecided", "30d");
  judge(notices, &b, true, ""); /* it goes on, and that is no news */
  begin(&b);
  judge(notices, &b, false, ""); /* stale: nobody knows */
  begin(&b);
  ADD(&b.business, ACCOUNTS, INT(60), "acme", "a", "active");
  judge(notices, &b, true, ""); /* nothing is told about them either */
  begin(&b);
  cells(&b, 39, 150, 2, 10);
  judge(notices, &b, true,
        "OKAY acme health_fall mean health score: this has ended\n"
        "OKAY acme arr_at_risk EUR revenue at risk: this has ended\n"
        "OKAY acme escalations support escalations: this has ended\n"
        "OKAY acme renewal_undecided renewals without a decision: this has ended\n");
  crm_notices_free(notices);
}

static void test_ratios(void **state) {
  struct crm_notice_options options;
  struct crm_notices *notices = make(&options, CRM_NOTIFY_CUSTOMERS | CRM_NOTIFY_COLLECTOR);
  struct build b;
  begin(&b);
  ADD(&b.business, NET_REVENUE_RETENTION_RATIO, RATIO(999, 1000), "acme", "EUR", "1y");
  ADD(&b.business, NET_REVENUE_RETENTION_RATIO, RATIO(1, 2), "acme", "EUR", "30d");
  ADD(&b.business, NET_REVENUE_RETENTION_RATIO, RATIO(1, 1), "acme", "JPY", "1y");
  ADD(&b.business, GROSS_REVENUE_RETENTION_RATIO, RATIO(9, 10), "acme", "EUR", "1y");
  ADD(&b.business, GROSS_REVENUE_RETENTION_RATIO, RATIO(89, 100), "beta", "EUR", "1y");
  ADD(&b.business, ARR_IDENTITY_RESIDUAL, RATIO(-1, 100), "acme", "EUR", "1y");
  ADD(&b.business, ARR_IDENTITY_RESIDUAL, RATIO(0, 100), "acme", "EUR", "7d");
  judge(notices, &b, true,
        "FAILURE acme revenue_identity revenue movements in EUR over 1y: they do not add up, by -0.01\n"
        "WARNING acme net_retention net revenue retention in EUR: 99.9 % over a year, below 100 %\n"
        "WARNING beta gross_retention gross revenue retention in EUR: 89.0 % over a year, below 90 %\n");
  crm_notices_free(notices);
}

static void account(struct build *b, const char *id, const char *name, int health, int risk) {
  ADD(&b->business, ACCOUNT_INFO, INT(1), "acme", id, name, "a", "", "", "", "active", "EUR");
  ADD(&b->business, ACCOUNT_HEALTH_SCORE, INT(health), "acme", id);
  ADD(&b->business, ACCOUNT_CHURN_RISK_SCORE, INT(risk), "acme", id);
}

static void test_fall_of_an_account(void **state) {
  struct crm_notice_options options;
  struct crm_notices *notices = make(&options, CRM_NOTIFY_ACCOUNTS);
  static const struct {
    int slope;
    const char *wanted;
  } ticks[] = {
      {-99, ""}, /* tenths of points; not yet at ten */
      {-100, "WARNING acme account_fall course of the health of Blue: -10.0 points per 30 days\n"},
      {-150, ""},
      {-99, "OKAY acme account_fall course of the health of Blue: this has ended\n"},
  };
  for (size_t i = 0; i < sizeof(ticks) / sizeof(*ticks); i++) {
    struct build b;
    begin(&b);
    account(&b, "1", "Blue", 70, 10);
    ADD(&b.business, ACCOUNT_HEALTH_SLOPE, RATIO(ticks[i].slope, 10), "acme", "1");
    judge(notices, &b, true, ticks[i].wanted);
  }
  crm_notices_free(notices);
}

static void test_accounts(void **state) {
  struct crm_notice_options options;
  struct crm_notices *notices = make(&options, CRM_NOTIFY_ACCOUNTS);
  struct build b;
  begin(&b);
  account(&b, "1", "Blue", 39, 71);
  account(&b, "2", "", 40, 70);
  judge(notices, &b, true, ""); /* the first frame: what holds is no news */
  begin(&b);
  account(&b, "1", "Blue", 39, 61);
  account(&b, "2", "", 39, 71);
  ADD(&b.business, ACCOUNT_RECOMMENDATION, INT(1), "acme", "2", "training", "adoption below 40");
  judge(notices, &b, true,
        "WARNING acme account_critical health of 2: critical, score 39\n"
        "WARNING acme account_risk churn risk of 2: critical, 71 of 100\n"
        "WARNING acme account_recommendation training for 2: adoption below 40\n");
  begin(&b);
  account(&b, "1", "Blue", 50, 60);
  account(&b, "2", "", 39, 61);
  judge(notices, &b, true,
        "OKAY acme account_critical health of Blue: this has ended\n"
        "OKAY acme account_risk churn risk of Blue: this has ended\n"
        "OKAY acme account_recommendation training for 2: this has ended\n");
  begin(&b);
  account(&b, "1", "Blue", 50, 61); /* it must pass 70 again */
  account(&b, "2", "", 39, 61);
  judge(notices, &b, true, "");
  crm_notices_free(notices);
}

static void own(struct build *b, int up, int nps_available) {
  ADD(&b->own, UP, INT(up), "x");
  ADD(&b->own, RELATION_AVAILABLE, INT(nps_available), "x", "nps");
  ADD(&b->own, RELATION_AVAILABLE, INT(0), "x", "goal");
  ADD(&b->own, SERIES_LIMIT_REACHED, INT(0), "x", "account");
}

static void test_collector(void **state) {
  struct crm_notice_options options;
  struct crm_notices *notices = make(&options, CRM_NOTIFY_COLLECTOR);
  struct build b;
  for (int i = 0; i < 3; i++) { /* nothing has been read yet */
    begin(&b);
    own(&b, i == 2, 0);
    judge(notices, &b, false, "");
  }
  begin(&b);
  own(&b, 1, 1);
  judge(notices, &b, true, "");
  for (int i = 0; i < 3; i++) {
    begin(&b);
    own(&b, 0, 1);
    judge(notices, &b, true,
          i < 2 ? "" : "WARNING x unreadable the CRM: it cannot be read; the log tells why, and the last good values are kept\n");
  }
  begin(&b);
  own(&b, 0, 1);
  judge(notices, &b, false, "FAILURE x stale customer metrics: nothing is sent any more, what is known of the CRM is too old\n");
  begin(&b);
  own(&b, 1, 0);
  ADD(&b.own, SERIES_LIMIT_REACHED, INT(1), "x", "cell");
  ADD(&b.own, SERIES_LIMIT_REACHED, INT(1), "x", "breakdown");
  judge(notices, &b, true,
        "WARNING x relation_missing relation nps: it is not read any more, and its metrics are gone; see crmctl check\n"
        "WARNING x series_limit limit of series: some of kind cell are left out\n"
        "OKAY x stale customer metrics: this has ended\n"
        "OKAY x unreadable the CRM: this has ended\n");
  begin(&b);
  own(&b, 1, 1);
  judge(notices, &b, true, "OKAY x relation_missing relation nps: this has ended\nOKAY x series_limit limit of series: this has ended\n");
  crm_notices_free(notices);
}

/* Churn without a date, a spool that is large, and samples that are given up: while there are more of them. */
static void test_what_is_lost(void **state) {
  struct crm_notice_options options;
  struct crm_notices *notices = make(&options, CRM_NOTIFY_COLLECTOR);
  static const struct {
    int undated, bytes, rejected;
    const char *wanted;
  } ticks[] = {
      {0, 50000000, 0, ""},
      {2, 50000001, 7,
       "WARNING x undated_churn churned accounts: 2 have no date of it, and are in no movement\n"
       "WARNING x given_up samples for cloud: 7 were given up (rejected)\n"
       "WARNING x spool spool of cloud: 50 MB wait, because the receiver does not take them\n"},
      {2, 90000000, 9, ""}, /* still */
      {1, 90000000, 9, "OKAY x given_up samples for cloud: this has ended\n"},
      {0, 0, 9, "OKAY x undated_churn churned accounts: this has ended\nOKAY x spool spool of cloud: this has ended\n"},
      {0, 0, 10, "WARNING x given_up samples for cloud: 1 were given up (rejected)\n"},
  };
  for (size_t i = 0; i < sizeof(ticks) / sizeof(*ticks); i++) {
    struct build b;
    begin(&b);
    own(&b, 1, 1);
    ADD(&b.own, RELATION_ROWS_REFUSED, INT(ticks[i].undated), "x", "account", "undated_churn");
    ADD(&b.own, RELATION_ROWS_REFUSED, INT(6), "x", "usage", "unknown_account");
    ADD(&b.own, REMOTE_WRITE_SPOOL_BYTES, INT(ticks[i].bytes), "x", "cloud");
    ADD(&b.own, REMOTE_WRITE_DROPPED_TOTAL, INT(ticks[i].rejected), "x", "cloud", "rejected");
    ADD(&b.own, REMOTE_WRITE_DROPPED_TOTAL, INT(0), "x", "cloud", "too_old");
    judge(notices, &b, true, ticks[i].wanted);
  }
  crm_notices_free(notices);
}

static void test_nothing_asked_for(void **state) {
  struct crm_notice_options options;
  struct crm_notices *notices = make(&options, 0);
  struct build b;
  begin(&b);
  cells(&b, 400, 1510, 20, 110);
  own(&b, 0, 0);
  ADD(&b.business, ARR_IDENTITY_RESIDUAL, INT(1), "acme", "EUR", "1y");
  judge(notices, &b, true, "");
  crm_notices_free(notices);
}

/* Slow to be notified: frames that come meanwhile take the place of each other, and the notifier still ends in time. */
struct slow {
  _Atomic(int) count;
  _Atomic(bool) held;
};

static void deliver_slowly(void *ctx, const struct crm_notice *notice) {
  struct slow *slow = ctx;
  slow->count++;
  while (slow->held)
    usleep(1000);
}

static void offer_limit(struct crm_notifier *notifier, const char *kind) {
  struct build b;
  begin(&b);
  ADD(&b.own, SERIES_LIMIT_REACHED, INT(1), "x", kind);
  struct crm_frame *frame = end(&b, true);
  crm_notifier_offer(notifier, frame);
  crm_frame_unref(frame);
}

static void test_notifier(void **state) {
  struct crm_notice_options options;
  crm_notice_options_defaults(&options);
  options.groups = CRM_NOTIFY_COLLECTOR;
  struct crm_notifier_instance instance = {"x", &options};
  struct crm_notifier *notifier;
  struct slow slow = {.held = true};
  assert_int_equal(crm_notifier_new(&instance, 1, deliver_slowly, &slow, &notifier, NULL), CRM_OK);
  assert_int_equal(crm_notifier_start(notifier, NULL), CRM_OK);
  int64_t limit = crm_clock_monotonic_us() + (int64_t)patient(10e6);
  for (int i = 0; slow.count == 0 && crm_clock_monotonic_us() < limit; i++) {
    offer_limit(notifier, i % 2 == 0 ? "cell" : "account");
    usleep(5000);
  }
  for (int i = 0; i < 20; i++)
    offer_limit(notifier, i % 2 == 0 ? "cell" : "account");
  assert_int_equal(slow.count, 1);
  slow.held = false;
  assert_true(crm_notifier_stop(notifier, crm_clock_monotonic_us() + (int64_t)patient(5e6)));
  /* One frame was under way and one waits: at most two notices of each, that one limit has begun and that the other has ended. */
  assert_in_range(slow.count, 1, 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_customers),         cmocka_unit_test(test_ratios),
                                     cmocka_unit_test(test_accounts),          cmocka_unit_test(test_fall_of_an_account),
                                     cmocka_unit_test(test_collector),         cmocka_unit_test(test_what_is_lost),
                                     cmocka_unit_test(test_nothing_asked_for), cmocka_unit_test(test_notifier)};
  crm_strbuf_init(&said, 65536);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  crm_strbuf_free(&said);
  return failed;
}
