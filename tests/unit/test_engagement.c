/* SPDX-License-Identifier: MIT */
/* The families of Engagement (METRICS.md section 2, DEFINITIONS.md 1.4). T is 2026-03-01 unless said: 7 d from 2026-02-22, 30 d from
 * 2026-01-30, 60 d from 2025-12-31, 90 d from 2025-12-01; the start is out, T is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/local_time.h"
#include "lib/close.h"
#include "lib/facts_fixture.h"

#define T "2026-03-01"

static void begin(struct fixture *f, const char *zone) {
  fixture_init(f, zone, "USD");
  fixture_at(f, T);
}

/* crm_X with the query's labels is what the table says; NAN: no sample. */
struct expected {
  const char *query;
  double value;
};
static void check(const struct fixture *f, const struct expected *e, size_t n) {
  for (size_t i = 0; i < n; i++)
    assert_close_named(e[i].query, fixture_sum(f, e[i].query), e[i].value);
}
#define CHECK(f, e) check(f, e, sizeof(e) / sizeof((e)[0]))

static void test_completed(void **state) {
  struct fixture f;
  begin(&f, "UTC");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a segment=smb");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=left segment=mid status=churned churned_at=2026-02-01");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=later segment=mid created_at=2026-03-02");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=x segment=mid");
  static const char *const edges[] = {"2026-03-01+1us", "2026-03-01",     "2026-02-22+1us", "2026-02-22", "2026-01-30+1us",
                                      "2026-01-30",     "2025-12-01+1us", "2025-12-01",     "2025-01-01"};
  for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
    fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=%zu type=meeting outcome=positive completed_at=%s", i, edges[i]);
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=n type=note completed_at=2026-02-28");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=q type=qbr outcome=splendid completed_at=2026-02-28");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=r type=call outcome=action_required completed_at=2026-02-28");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=left engagement_id=l type=email outcome=negative completed_at=2026-01-15");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=later engagement_id=l type=email completed_at=2026-01-15");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=x engagement_id=p type=demo scheduled_at=2026-02-25"); /* planned only */
  f.params.n_group_by = 1;
  fixture_evaluate(&f);
  static const struct expected expected[] = {
      {"crm_engagements engagement_type=meeting outcome=positive window=7d", 2}, /* T, 22 Feb + 1 us */
      {"crm_engagements engagement_type=meeting outcome=positive window=30d", 4},
      {"crm_engagements engagement_type=meeting outcome=positive window=90d", 6},
      {"crm_engagements engagement_type=meeting outcome=negative window=90d", 0},
      {"crm_engagements engagement_type=note outcome=unrecorded window=7d", 1},
      {"crm_engagements engagement_type=other outcome=unrecorded window=7d", 1},
      {"crm_engagements engagement_type=call outcome=action_required window=7d", 1},
      {"crm_engagements engagement_type=demo window=90d", 0},
      {"crm_engagements engagement_type=email outcome=negative window=30d segment=mid", 0},
      {"crm_engagements engagement_type=email outcome=negative window=90d segment=mid", 1}, /* churned since */
      {"crm_engagements window=90d segment=smb", 9},
      {"crm_engagements window=90d", 10},
      {"crm_engagements window=7d", 5},
  };
  CHECK(&f, expected);
  assert_int_equal(fixture_count(&f, "crm_engagements"), 2 * 7 * 5 * 3); /* zeros are published */
  fixture_free(&f);
}

/* Missed: planned before T, within the window, and not held as of T. */
static void test_missed(void **state) {
  static const struct {
    const char *name, *row;
    int d7, d30, d90;
  } cases[] = {
      {"at T: it may still begin", "scheduled_at=2026-03-01", 0, 0, 0},
      {"just before T", "scheduled_at=2026-03-01-1us", 1, 1, 1},
      {"planned for later", "scheduled_at=2026-03-05", 0, 0, 0},
      {"first instant of 7 d", "scheduled_at=2026-02-22+1us", 1, 1, 1},
      {"start of 7 d", "scheduled_at=2026-02-22", 0, 1, 1},
      {"start of 30 d", "scheduled_at=2026-01-30", 0, 0, 1},
      {"first instant of 90 d", "scheduled_at=2025-12-01+1us", 0, 0, 1},
      {"start of 90 d", "scheduled_at=2025-12-01", 0, 0, 0},
      {"held", "scheduled_at=2026-02-25 completed_at=2026-02-25", 0, 0, 0},
      {"held late", "scheduled_at=2026-02-01 completed_at=2026-03-01", 0, 0, 0},
      {"held after T", "scheduled_at=2026-02-25 completed_at=2026-03-01+1us", 1, 1, 1},
      {"long before, held after T", "scheduled_at=2025-12-01 completed_at=2026-03-09", 0, 0, 0},
      {"never planned", "completed_at=2026-03-02", 0, 0, 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    begin(&f, "UTC");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
    fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=1 type=training %s", cases[i].row);
    fixture_evaluate(&f);
    assert_close_named(cases[i].name, fixture_sum(&f, "crm_engagements_missed engagement_type=training window=7d"), cases[i].d7);
    assert_close_named(cases[i].name, fixture_sum(&f, "crm_engagements_missed engagement_type=training window=30d"), cases[i].d30);
    assert_close_named(cases[i].name, fixture_sum(&f, "crm_engagements_missed engagement_type=training window=90d"), cases[i].d90);
    assert_close_named(cases[i].name, fixture_sum(&f, "crm_engagements_missed window=90d"), cases[i].d90);
    fixture_free(&f);
  }
}

static void test_members(void **state) {
  struct fixture f;
  begin(&f, "UTC");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a tenant=t1");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b tenant=t2");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=1 type=call owner=eve completed_at=2026-02-28");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=2 type=note owner=eve completed_at=2026-02-01");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=b engagement_id=3 type=call owner=eve completed_at=2026-01-01");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=4 type=call completed_at=2026-01-01");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=5 type=call owner=none completed_at=2026-02-26");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=6 type=call owner=old completed_at=2025-12-01");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=7 type=call owner=next completed_at=2026-03-02");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=8 type=call owner=away scheduled_at=2026-02-20");
  for (int i = 0; i < 200; i++) /* more than a table holds at first */
    for (int k = 0; k <= i % 3; k++)
      fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=b engagement_id=m%d_%d type=call owner=m%d completed_at=2026-02-28", i, k, i);
  fixture_evaluate(&f);
  static const struct expected expected[] = {
      {"crm_engagements_by_member tenant=t1 team_member=eve window=7d", 1},
      {"crm_engagements_by_member tenant=t1 team_member=eve window=30d", 2},
      {"crm_engagements_by_member tenant=t1 team_member=eve window=90d", 2},
      {"crm_engagements_by_member tenant=t2 team_member=eve window=30d", 0},
      {"crm_engagements_by_member tenant=t2 team_member=eve window=90d", 1},
      {"crm_engagements_by_member tenant=t1 team_member=none window=7d", 1}, /* nobody, and one whose name is none */
      {"crm_engagements_by_member tenant=t1 team_member=none window=90d", 2},
      {"crm_engagements_by_member team_member=old", NAN},
      {"crm_engagements_by_member team_member=next", NAN},
      {"crm_engagements_by_member team_member=away", NAN},
      {"crm_engagements_by_member team_member=m0 window=7d", 1},
      {"crm_engagements_by_member team_member=m199 window=7d", 2}, /* 199 = 66 x 3 + 1 */
      {"crm_engagements_by_member tenant=t2 window=7d", 399},      /* 67 x 1 + 67 x 2 + 66 x 3 */
  };
  CHECK(&f, expected);
  assert_int_equal(fixture_count(&f, "crm_engagements_by_member team_member=none"), 3);
  assert_int_equal(fixture_count(&f, "crm_engagements_by_member tenant=t2"), 3 * 201);
  fixture_free(&f);
}

/* Berlin's clocks went from 02:00 to 03:00 at 2026-03-29T01:00:00Z, a Sunday. */
static void test_activity(void **state) {
  struct fixture f;
  fixture_init(&f, "Europe/Berlin", "USD");
  fixture_at(&f, "2026-04-10");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a tenant=t1");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b tenant=t2");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=later tenant=t3 created_at=2026-05-01");
  static const char *const times[] = {"2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z",
                                      "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z", "2026-02-02T08:30:00Z", "2026-04-06T07:30:00Z"};
  for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
    fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=%zu type=call completed_at=%s", i, times[i]);
  fixture_evaluate(&f);
  static const struct expected expected[] = {
      {"crm_engagement_activity tenant=t1 weekday=sat hour=23", 1}, /* 23:59:59 in winter time */
      {"crm_engagement_activity tenant=t1 weekday=sun hour=00", 1},
      {"crm_engagement_activity tenant=t1 weekday=sun hour=01", 1},
      {"crm_engagement_activity tenant=t1 weekday=sun hour=02", 0}, /* there was none */
      {"crm_engagement_activity tenant=t1 weekday=sun hour=03", 1},
      {"crm_engagement_activity tenant=t1 weekday=sun hour=23", 1}, /* summer time */
      {"crm_engagement_activity tenant=t1 weekday=mon hour=00", 1},
      {"crm_engagement_activity tenant=t1 weekday=mon hour=09", 2}, /* 09:30 in winter and in summer */
      {"crm_engagement_activity tenant=t1 window=90d", 8},
      {"crm_engagement_activity tenant=t2 window=90d", 0},
      {"crm_engagement_activity tenant=t3", NAN}, /* not there yet */
  };
  CHECK(&f, expected);
  assert_int_equal(fixture_count(&f, "crm_engagement_activity"), 2 * 168);
  fixture_free(&f);
}

/* The table of offsets against the zone itself, on both sides of every hour around changes, in zones of odd offsets. */
static void test_local_time(void **state) {
  static const char *const zones[] = {"UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"};
  for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
    struct fixture f;
    fixture_init(&f, zones[z], "USD");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
    for (int year = 1968; year <= 2026; year += 29) { /* before 1970 too; half a year from each side of both changes */
      for (int month = 1; month <= 7; month += 6) {
        char text[64];
        snprintf(text, sizeof(text), "%d-%02d-03T00:17:11Z", year, month);
        fixture_at(&f, text);
        fixture_context(&f);
        struct crm_local_time local;
        crm_time from = f.at, to = from + 120 * CRM_US_PER_DAY;
        assert_int_equal(crm_local_time_init(&f.context, from, to, &local), CRM_OK);
        for (crm_time at = from + 1; at <= to; at += 7 * 60 * CRM_US_PER_SECOND - 1) {
          int weekday, hour;
          crm_zone_weekday_hour(f.zone, at, &weekday, &hour);
          assert_int_equal(crm_local_hour_of_week(&local, at), 24 * weekday + hour);
          assert_int_equal(crm_local_day(&local, at), crm_zone_day(f.zone, at));
        }
        assert_int_equal(crm_local_day(&local, to), crm_zone_day(f.zone, to));
      }
    }
    fixture_free(&f);
  }
}

static void test_frequency(void **state) {
  struct fixture f;
  begin(&f, "UTC");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a tenant=t1");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b tenant=t1"); /* nothing: in the denominator all the same */
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=c tenant=t1 status=churned churned_at=2026-02-20");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=d tenant=t2 status=churned churned_at=2026-02-20");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=e tenant=t3");
  static const char *const types[] = {"meeting", "call", "email", "demo", "training", "other", "note"};
  for (size_t i = 0; i < 7; i++)
    fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=%zu type=%s completed_at=2026-02-%02zu", i, types[i], 19 + i);
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=old type=call completed_at=2026-01-01");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=c engagement_id=1 type=call completed_at=2026-02-10");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=d engagement_id=1 type=call completed_at=2026-02-10");
  fixture_evaluate(&f);
  static const struct expected expected[] = {
      {"crm_engagements_customer_facing tenant=t1 window=7d", 2}, /* 23 and 24 February; the note of the 25th is none */
      {"crm_engagements_customer_facing tenant=t1 window=30d", 6},
      {"crm_engagements_customer_facing tenant=t1 window=90d", 7},
      {"crm_engagements_customer_facing tenant=t2 window=30d", 0},
      {"crm_engagement_frequency_ratio tenant=t1 window=7d", 30.0 / 7}, /* 2 / 2 accounts in 7 days */
      {"crm_engagement_frequency_ratio tenant=t1 window=30d", 3},
      {"crm_engagement_frequency_ratio tenant=t1 window=90d", 7.0 / 6}, /* 7 / 2 accounts / 3 */
      {"crm_engagement_frequency_ratio tenant=t2", NAN},                /* no account to divide by */
      {"crm_engagement_frequency_ratio tenant=t3 window=90d", 0},
  };
  CHECK(&f, expected);
  fixture_free(&f);
}

static void test_gaps(void **state) {
  static const struct {
    const char *name, *row;
    int le;     /* days of the least bucket; 0 = +Inf, -1 = never engaged */
    int silent; /* windows of 30, 60 and 90 d */
  } cases[] = {
      {"now", "type=email completed_at=2026-03-01", 7, 0},
      {"7 days", "type=email completed_at=2026-02-22", 7, 0},
      {"more", "type=email completed_at=2026-02-22-1us", 14, 0},
      {"14 days", "type=email completed_at=2026-02-15", 14, 0},
      {"less than 30 days", "type=email completed_at=2026-01-30+1us", 30, 0},
      {"30 days", "type=email completed_at=2026-01-30", 30, 1}, /* out of (T - 30 d, T] */
      {"60 days", "type=email completed_at=2025-12-31", 60, 2},
      {"more than 60 days", "type=email completed_at=2025-12-31-1us", 90, 2},
      {"90 days", "type=email completed_at=2025-12-01", 90, 3},
      {"years", "type=email completed_at=2023-12-01", 0, 3},
      {"after T", "type=email completed_at=2026-03-01+1us", -1, 0},
      {"a note", "type=note completed_at=2026-02-28", -1, 0},
      {"missed", "type=meeting scheduled_at=2026-02-28", -1, 0},
      {"none", NULL, -1, 0},
  };
  static const int days[] = {7, 14, 30, 60, 90};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int noise = 0; noise < 2; noise++) { /* rows that do not count, on both sides of the one that does */
      struct fixture f;
      begin(&f, "UTC");
      fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
      fixture_row(&f, CRM_REL_ACCOUNT, "account_id=gone status=churned churned_at=2026-02-01");
      fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=gone engagement_id=1 type=call completed_at=2026-01-20");
      if (cases[i].row != NULL)
        fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=1 %s", cases[i].row);
      static const char *const other[] = {
          "type=note completed_at=2026-03-01",     "type=note completed_at=2025-12-01",
          "type=note completed_at=2022-01-01",     "type=call scheduled_at=2026-02-01",
          "type=call scheduled_at=2025-01-01",     "type=call scheduled_at=2026-03-03",
          "type=call completed_at=2026-03-01+1us", "type=call scheduled_at=2026-01-01 completed_at=2026-04-01"};
      for (size_t k = 0; noise && k < sizeof(other) / sizeof(other[0]); k++)
        fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=o%zu %s", k, other[k]);
      fixture_evaluate(&f);
      bool engaged = cases[i].le >= 0;
      for (size_t k = 0; k < 5; k++) {
        char query[64];
        snprintf(query, sizeof(query), "crm_engagement_gap_accounts le=%d", days[k] * 86400);
        assert_close_named(cases[i].name, fixture_sum(&f, query), cases[i].le > 0 && cases[i].le <= days[k]);
      }
      assert_close_named(cases[i].name, fixture_sum(&f, "crm_engagement_gap_accounts le=+Inf"), engaged);
      assert_close_named(cases[i].name, fixture_sum(&f, "crm_accounts_never_engaged"), !engaged);
      assert_close_named(cases[i].name, fixture_sum(&f, "crm_accounts_silent window=30d"), cases[i].silent >= 1);
      assert_close_named(cases[i].name, fixture_sum(&f, "crm_accounts_silent window=60d"), cases[i].silent >= 2);
      assert_close_named(cases[i].name, fixture_sum(&f, "crm_accounts_silent window=90d"), cases[i].silent >= 3);
      fixture_free(&f);
    }
}

static void test_responses(void **state) {
  struct fixture f;
  begin(&f, "UTC");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b status=churned churned_at=2026-02-20");
  static const char *const support[] = {
      "account_id=a day=2026-03-01 new_tickets=2 first_response_seconds=3600",   /* T's day has begun */
      "account_id=a day=2026-02-10 new_tickets=3 first_response_seconds=3600.5", /* over one hour */
      "account_id=b day=2026-02-10 new_tickets=1 first_response_seconds=259201", /* over three days */
      "account_id=a day=2026-02-11 new_tickets=4",                               /* unanswered */
      "account_id=a day=2026-02-12 first_response_seconds=77",                   /* of no ticket */
      "account_id=a day=2026-02-13",
      "account_id=a day=2026-02-14 new_tickets=0 first_response_seconds=50",
      "account_id=a day=2026-01-31 new_tickets=7 first_response_seconds=86400",   /* first day of the window */
      "account_id=a day=2026-01-30 new_tickets=100 first_response_seconds=86400", /* at its start */
      "account_id=a day=2026-01-30 new_tickets=100",
      "account_id=a day=2026-03-02 new_tickets=100 first_response_seconds=1",
      "account_id=a day=2026-03-02 new_tickets=100",
  };
  for (size_t i = 0; i < sizeof(support) / sizeof(support[0]); i++)
    fixture_row(&f, CRM_REL_SUPPORT, "%s", support[i]);
  static const char *const engagement[] = {
      "completed_at=2026-03-01 response_seconds=0",     "completed_at=2026-01-30+1us response_seconds=14400",
      "completed_at=2026-02-10 response_seconds=28800", "completed_at=2026-02-10", /* unknown, nobody says it is late */
      "completed_at=2026-01-30 response_seconds=10",    "completed_at=2026-03-01+1us response_seconds=10",
      "scheduled_at=2026-02-10 response_seconds=10",
  };
  for (size_t i = 0; i < sizeof(engagement) / sizeof(engagement[0]); i++)
    fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=%zu type=email %s", i, engagement[i]);
  fixture_evaluate(&f);
  static const struct expected expected[] = {
      {"crm_responses channel=support window=30d le=3600", 2},
      {"crm_responses channel=support window=30d le=14400", 5},
      {"crm_responses channel=support window=30d le=28800", 5},
      {"crm_responses channel=support window=30d le=86400", 12},
      {"crm_responses channel=support window=30d le=259200", 12},
      {"crm_responses channel=support window=30d le=+Inf", 13},
      {"crm_response_seconds_points channel=support window=30d", 7200 + 3 * 3600.5 + 259201 + 7 * 86400},
      {"crm_responses_unanswered channel=support window=30d", 4},
      {"crm_responses_unanswered channel=engagement", NAN},
      {"crm_responses channel=engagement window=30d le=3600", 1},
      {"crm_responses channel=engagement window=30d le=14400", 2},
      {"crm_responses channel=engagement window=30d le=28800", 3},
      {"crm_responses channel=engagement window=30d le=+Inf", 3},
      {"crm_response_seconds_points channel=engagement window=30d", 43200},
  };
  CHECK(&f, expected);
  fixture_free(&f);
}

/* A day stands at its 00:00 in the zone. 30 d before 2026-04-10T00:00 of Berlin, in summer time, is 2026-03-10T23:00 in winter time: the
 * 10 March has begun before, the 11th after it. */
static void test_response_days(void **state) {
  struct fixture f;
  fixture_init(&f, "Europe/Berlin", "USD");
  fixture_at(&f, "2026-04-10");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
  fixture_row(&f, CRM_REL_SUPPORT, "account_id=a day=2026-03-11 new_tickets=1 first_response_seconds=1");
  fixture_row(&f, CRM_REL_SUPPORT, "account_id=a day=2026-03-10 new_tickets=10 first_response_seconds=1");
  fixture_row(&f, CRM_REL_SUPPORT, "account_id=a day=2026-04-10 new_tickets=100 first_response_seconds=1");
  fixture_row(&f, CRM_REL_SUPPORT, "account_id=a day=2026-04-11 new_tickets=1000 first_response_seconds=1");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_responses channel=support le=+Inf"), 101);
  fixture_at(&f, "2026-04-09T00:59:59"); /* from 2026-03-09T23:59:59 on, and the 10 April has not begun */
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_responses channel=support le=+Inf"), 11);
  fixture_at(&f, "2026-04-09T01:00:00"); /* the window starts as the 10 March begins */
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_responses channel=support le=+Inf"), 1);
  fixture_free(&f);
}

/* Figures that are mistakes do not overflow: a coarser grid takes them. */
static void test_huge_responses(void **state) {
  struct fixture f;
  begin(&f, "UTC");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
  for (int i = 0; i < 20; i++)
    fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=%d type=email completed_at=2026-02-10 response_seconds=1e12", i);
  fixture_row(&f, CRM_REL_SUPPORT, "account_id=a day=2026-02-10 new_tickets=16777216 first_response_seconds=1e12");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_response_seconds_points channel=engagement"), 20e12);
  assert_close(fixture_sum(&f, "crm_response_seconds_points channel=support"),
               9223372036854775807.0); /* 2^63 s: as much as there is room for */
  fixture_free(&f);
}

static void test_stakeholders(void **state) {
  struct fixture f;
  begin(&f, "UTC");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a tenant=t1 segment=smb");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b tenant=t1 segment=mid"); /* no contacts */
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=c tenant=t1 segment=mid status=churned churned_at=2026-02-01");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=d tenant=t2 segment=mid");
  static const char *const contacts[] = {
      "contact_id=p level=primary strength=champion status=active",
      "contact_id=i level=influencer strength=supporter status=active",
      "contact_id=u level=user strength=detractor status=active since=2026-03-01",
      "contact_id=n level=user strength=neutral status=active since=2026-03-01+1us", /* not yet */
      "contact_id=l level=primary strength=champion status=left",
      "contact_id=s level=primary strength=champion", /* nobody says active */
      "contact_id=x status=active",
  };
  for (size_t i = 0; i < sizeof(contacts) / sizeof(contacts[0]); i++)
    fixture_row(&f, CRM_REL_CONTACT, "account_id=a %s", contacts[i]);
  fixture_row(&f, CRM_REL_CONTACT, "account_id=c contact_id=p level=primary strength=champion status=active");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=1 type=call completed_at=2026-02-10 contacts=p,l,n");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=2 type=call completed_at=2025-12-01+1us contacts=p,i");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=3 type=call completed_at=2025-12-01 contacts=u");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=4 type=call completed_at=2026-03-01+1us contacts=u,x");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=5 type=call scheduled_at=2026-02-10 contacts=u,x");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=c engagement_id=1 type=call completed_at=2026-01-10 contacts=p");
  f.params.n_group_by = 1;
  fixture_evaluate(&f);
  static const struct expected expected[] = {
      {"crm_stakeholders level=primary strength=champion engaged=true window=90d", 1},
      {"crm_stakeholders level=primary strength=champion engaged=false window=90d", 0},
      {"crm_stakeholders level=influencer strength=supporter engaged=true", 1},
      {"crm_stakeholders level=user strength=detractor engaged=false", 1},
      {"crm_stakeholders level=user strength=neutral", 0},
      {"crm_stakeholders level=unknown strength=unknown engaged=false", 1},
      {"crm_stakeholders tenant=t1 segment=smb", 4},
      {"crm_stakeholders tenant=t1 segment=mid", 0},
      {"crm_stakeholders tenant=t1 engaged=true", 2},
      {"crm_stakeholder_participation_ratio tenant=t1 window=90d", 0.5}, /* p and i of p, i, u and x */
      {"crm_stakeholder_participation_ratio tenant=t2", NAN},
      {"crm_accounts_without_champion tenant=t1 segment=smb", 0},
      {"crm_accounts_without_champion tenant=t1 segment=mid", 1}, /* b, and not c, which has churned */
      {"crm_accounts_without_champion tenant=t2", 1},
      {"crm_accounts_single_threaded tenant=t1 segment=smb", 1}, /* two */
      {"crm_accounts_single_threaded tenant=t1 segment=mid", 1},
  };
  CHECK(&f, expected);
  assert_int_equal(fixture_count(&f, "crm_stakeholders"), 3 * 5 * 5 * 2);
  /* A day later u and x were met too, and n is known. */
  fixture_at(&f, "2026-03-02");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_accounts_single_threaded tenant=t1 segment=smb"), 0); /* p, u, x, n */
  assert_close(fixture_sum(&f, "crm_stakeholder_participation_ratio tenant=t1"), 0.8);    /* i last on 1 December, 91 days before */
  fixture_free(&f);
}

/* Three contacts are three threads. */
static void test_threads(void **state) {
  for (int n = 0; n <= 4; n++) {
    struct fixture f;
    begin(&f, "UTC");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
    fixture_begin(&f, CRM_REL_CONTACT);
    fixture_begin(&f, CRM_REL_ENGAGEMENT);
    for (int k = 0; k < n; k++)
      fixture_row(&f, CRM_REL_CONTACT, "account_id=a contact_id=k%d status=active", k);
    for (int k = 0; k < 2 * n; k++)
      fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=%d type=call completed_at=2026-02-10 contacts=k%d", k, k % n);
    fixture_evaluate(&f);
    assert_close(fixture_sum(&f, "crm_accounts_single_threaded"), n < 3);
    fixture_free(&f);
  }
}

struct pair {
  const char *outcome;
  double change;
  const char *tenant; /* NULL: acme */
  double before;      /* 0: 50 */
};
/* One account per pair, after which others may come: the accounts first, then their engagements and readings. */
static void add_pair_accounts(struct fixture *f, const struct pair *pairs, size_t n) {
  for (size_t i = 0; i < n; i++)
    fixture_row(f, CRM_REL_ACCOUNT, "account_id=p%zu tenant=%s", i, pairs[i].tenant != NULL ? pairs[i].tenant : "acme");
}
static void add_pairs(struct fixture *f, const struct pair *pairs, size_t n) {
  for (size_t i = 0; i < n; i++) {
    double before = pairs[i].before > 0 ? pairs[i].before : 50;
    fixture_row(f, CRM_REL_ENGAGEMENT, "account_id=p%zu engagement_id=1 type=call outcome=%s completed_at=2026-02-01T12:00:00", i,
                pairs[i].outcome);
    fixture_row(f, CRM_REL_HEALTH, "account_id=p%zu day=2026-01-25 score=%.3f", i, before);
    fixture_row(f, CRM_REL_HEALTH, "account_id=p%zu day=2026-02-11 score=%.3f", i, before + pairs[i].change);
  }
}

/* Ranks of the outcomes: three negative 2, four neutral 5.5, three positive 9; less their mean -3.5, 0, 3.5, squares 73.5. Ranks of the
 * changes 1 .. 10, squares 82.5. Negative stand at 1, 2 and 4, positive at 7, 9 and 10: -3.5 (7 - 16.5) + 3.5 (26 - 16.5) = 66.5. */
static void test_correlation(void **state) {
  static const struct pair pairs[] = {
      {.outcome = "negative", .change = -40},  {.outcome = "negative", .change = -39.5},     {.outcome = "neutral", .change = -1},
      {.outcome = "negative", .change = 0},    {.outcome = "neutral", .change = 0.1},        {.outcome = "neutral", .change = 0.2},
      {.outcome = "positive", .change = 3},    {.outcome = "neutral", .change = 4},          {.outcome = "positive", .change = 5},
      {.outcome = "positive", .change = 49.9}, {.outcome = "action_required", .change = 45}, /* in no order with the others */
  };
  for (size_t n = 9; n <= 11; n++) {
    struct fixture f;
    begin(&f, "UTC");
    add_pair_accounts(&f, pairs, n);
    add_pairs(&f, pairs, n);
    fixture_evaluate(&f);
    assert_close(fixture_sum(&f, "crm_engagement_outcome_correlation"), n < 10 ? NAN : 66.5 / sqrt(73.5 * 82.5));
    assert_close(fixture_sum(&f, "crm_engagement_outcome_correlation_observations"), n < 10 ? 9 : 10);
    fixture_free(&f);
  }
}

/* Ten changes of 20.1, from 50 to 70.1 and from 60.3 to 80.4, whose doubles differ: they are one value, which never varies. */
static void test_correlation_ties(void **state) {
  volatile double low = 70.1, high = 80.4;
  assert_true(low - 50 != high - 60.3);
  struct pair pairs[10];
  for (size_t i = 0; i < 10; i++)
    pairs[i] = (struct pair){.outcome = i % 2 == 0 ? "positive" : "negative", .before = i < 5 ? 50 : 60.3, .change = 20.1};
  struct fixture f;
  begin(&f, "UTC");
  add_pair_accounts(&f, pairs, 10);
  add_pairs(&f, pairs, 10);
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_engagement_outcome_correlation"), NAN);
  assert_close(fixture_sum(&f, "crm_engagement_outcome_correlation_observations"), 10);
  fixture_free(&f);
}

/* Which readings belong to an engagement. Nine others stand still, eight neutral and one positive, in Berlin; the tenth is positive. If it
 * rose: ranks of the outcomes 4.5 (eight) and 9.5, less 5.5: -1, 4, squares 40; of the changes 5 (nine) and 10: -.5, 4.5,
 * squares 22.5; products 8 x .5 - 4 x .5 + 4 x 4.5 = 20: 20 / 30. If it fell, -20 / 30. If it stood still, there is no value, but ten
 * observations. */
static void test_follow_up(void **state) {
  static const struct {
    const char *name, *engagement, *health[5];
    int sign; /* 2: no observation */
  } cases[] = {
      {"rose", "completed_at=2026-02-01T12:00", {"day=2026-02-01 score=50", "day=2026-02-09 score=60"}, 1},
      {"fell", "completed_at=2026-02-01T12:00", {"day=2026-02-01 score=50", "day=2026-02-09 score=40"}, -1},
      {"stood still", "completed_at=2026-02-01T12:00", {"day=2026-02-01 score=50", "day=2026-02-09 score=50"}, 0},
      {"no reading before", "completed_at=2026-02-01T12:00", {"day=2026-02-02 score=50", "day=2026-02-09 score=60"}, 2},
      {"no reading after", "completed_at=2026-02-01T12:00", {"day=2026-02-01 score=50"}, 2},
      {"a reading too early", "completed_at=2026-02-01T12:00", {"day=2026-02-01 score=50", "day=2026-02-08 score=60"}, 2},
      {"exactly 7 days later is too early", "completed_at=2026-02-01", {"day=2026-02-01 score=50", "day=2026-02-08 score=60"}, 2},
      {"7 days and more", "completed_at=2026-02-01-1us", {"day=2026-01-31 score=50", "day=2026-02-08 score=60"}, 1},
      {"30 days later", "completed_at=2026-01-30", {"day=2026-01-30 score=50", "day=2026-03-01 score=60"}, 1},
      {"a reading too late", "completed_at=2026-01-30-1us", {"day=2026-01-29 score=50", "day=2026-03-01 score=60"}, 2},
      {"after T", "completed_at=2026-02-22", {"day=2026-02-21 score=50", "day=2026-03-02 score=60"}, 2},
      {"the last before",
       "completed_at=2026-02-01T12:00",
       {"day=2026-01-01 score=90", "day=2026-02-01 score=50", "day=2026-02-09 score=60"},
       1},
      {"the first after",
       "completed_at=2026-02-01T12:00",
       {"day=2026-01-01 score=50", "day=2026-02-05 score=10", "day=2026-02-09 score=60", "day=2026-02-10 score=10"},
       1},
      {"readings without a score",
       "completed_at=2026-02-01T12:00",
       {"day=2026-01-01 score=50", "day=2026-02-01", "day=2026-02-09", "day=2026-02-10 score=60", "day=2026-02-10"},
       1},
      {"a note", "type=note completed_at=2026-02-01T12:00", {"day=2026-02-01 score=50", "day=2026-02-09 score=60"}, 2},
      {"planned", "scheduled_at=2026-02-01T12:00", {"day=2026-02-01 score=50", "day=2026-02-09 score=60"}, 2},
      {"start of 90 d", "completed_at=2025-12-01", {"day=2025-11-01 score=50", "day=2025-12-19 score=60"}, 2},
      {"first instant of 90 d", "completed_at=2025-12-01+1us", {"day=2025-11-01 score=50", "day=2025-12-19 score=60"}, 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    begin(&f, "Europe/Berlin");
    struct pair still[9];
    for (size_t k = 0; k < 9; k++)
      still[k] = (struct pair){.outcome = k < 8 ? "neutral" : "positive"};
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
    add_pair_accounts(&f, still, 9);
    add_pairs(&f, still, 9);
    bool typed = strncmp(cases[i].engagement, "type", 4) == 0;
    fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=1 %s outcome=positive %s", typed ? "" : "type=demo",
                cases[i].engagement);
    for (size_t k = 0; k < 5 && cases[i].health[k] != NULL; k++)
      fixture_row(&f, CRM_REL_HEALTH, "account_id=a %s", cases[i].health[k]);
    fixture_evaluate(&f);
    assert_close_named(cases[i].name, fixture_sum(&f, "crm_engagement_outcome_correlation_observations"), cases[i].sign == 2 ? 9 : 10);
    double expected = cases[i].sign == 2 || cases[i].sign == 0 ? NAN : cases[i].sign * 20.0 / 30;
    assert_close_named(cases[i].name, fixture_sum(&f, "crm_engagement_outcome_correlation"), expected);
    fixture_free(&f);
  }
}

/* Tenants have their own, whatever the number of the others. */
static void test_correlation_tenants(void **state) {
  static const char *const tenants[] = {"t1", "t2", "t3"};
  struct pair pairs[40];
  for (size_t i = 0; i < 40; i++) {
    /* t1 (14): positive rises, negative falls; t2 (13): the other way; t3 (13): 9 are recorded. */
    bool positive = i / 3 % 2 == 0, rises = positive == (i % 3 == 0);
    pairs[i] = (struct pair){.outcome = i % 3 == 2 && i / 3 >= 9 ? "unrecorded"
                                        : positive               ? "positive"
                                                                 : "negative",
                             .change = rises ? 10 : -10,
                             .tenant = tenants[i % 3]};
  }
  struct fixture f;
  begin(&f, "UTC");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=none tenant=t0");
  add_pair_accounts(&f, pairs, 40);
  add_pairs(&f, pairs, 40);
  fixture_evaluate(&f);
  static const struct expected expected[] = {
      {"crm_engagement_outcome_correlation tenant=t0", NAN},
      {"crm_engagement_outcome_correlation tenant=t1", 1},
      {"crm_engagement_outcome_correlation tenant=t2", -1},
      {"crm_engagement_outcome_correlation tenant=t3", NAN},
      {"crm_engagement_outcome_correlation_observations tenant=t0", 0},
      {"crm_engagement_outcome_correlation_observations tenant=t1", 14},
      {"crm_engagement_outcome_correlation_observations tenant=t2", 13},
      {"crm_engagement_outcome_correlation_observations tenant=t3", 9},
  };
  CHECK(&f, expected);
  fixture_free(&f);
}

/* A family without its relations is absent, and an empty relation is not a missing one. */
static void test_absent(void **state) {
  static const struct {
    const char *family;
    unsigned needs;
    size_t empty; /* samples when relations are there and empty, for one open account */
  } families[] = {
      {"crm_engagements", 1u << CRM_REL_ENGAGEMENT, 105},
      {"crm_engagements_missed", 1u << CRM_REL_ENGAGEMENT, 21},
      {"crm_engagements_by_member", 1u << CRM_REL_ENGAGEMENT, 0},
      {"crm_engagement_activity", 1u << CRM_REL_ENGAGEMENT, 168},
      {"crm_engagements_customer_facing", 1u << CRM_REL_ENGAGEMENT, 3},
      {"crm_engagement_frequency_ratio", 1u << CRM_REL_ENGAGEMENT, 3},
      {"crm_engagement_gap_accounts", 1u << CRM_REL_ENGAGEMENT, 6},
      {"crm_accounts_silent", 1u << CRM_REL_ENGAGEMENT, 3},
      {"crm_accounts_never_engaged", 1u << CRM_REL_ENGAGEMENT, 1},
      {"crm_responses channel=engagement", 1u << CRM_REL_ENGAGEMENT, 6},
      {"crm_responses channel=support", 1u << CRM_REL_SUPPORT, 6},
      {"crm_response_seconds_points channel=engagement", 1u << CRM_REL_ENGAGEMENT, 1},
      {"crm_response_seconds_points channel=support", 1u << CRM_REL_SUPPORT, 1},
      {"crm_responses_unanswered", 1u << CRM_REL_SUPPORT, 1},
      {"crm_stakeholders", 1u << CRM_REL_ENGAGEMENT | 1u << CRM_REL_CONTACT, 50},
      {"crm_stakeholder_participation_ratio", 1u << CRM_REL_ENGAGEMENT | 1u << CRM_REL_CONTACT, 0},
      {"crm_accounts_without_champion", 1u << CRM_REL_CONTACT, 1},
      {"crm_accounts_single_threaded", 1u << CRM_REL_ENGAGEMENT | 1u << CRM_REL_CONTACT, 1},
      {"crm_engagement_outcome_correlation", 1u << CRM_REL_ENGAGEMENT | 1u << CRM_REL_HEALTH, 0},
      {"crm_engagement_outcome_correlation_observations", 1u << CRM_REL_ENGAGEMENT | 1u << CRM_REL_HEALTH, 1},
  };
  static const enum crm_relation relations[] = {CRM_REL_ENGAGEMENT, CRM_REL_CONTACT, CRM_REL_SUPPORT, CRM_REL_HEALTH};
  for (unsigned mask = 0; mask < 16; mask++) {
    struct fixture f;
    begin(&f, "UTC");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
    unsigned available = 0;
    for (unsigned k = 0; k < 4; k++)
      if ((mask >> k & 1) != 0) {
        fixture_begin(&f, relations[k]);
        available |= 1u << relations[k];
      }
    fixture_evaluate(&f);
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
      size_t n = fixture_count(&f, families[i].family);
      if (n != ((families[i].needs & ~available) == 0 ? families[i].empty : 0))
        fail_msg("%s: %zu samples with relations %x", families[i].family, n, mask);
    }
    fixture_free(&f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_completed),     cmocka_unit_test(test_missed),
      cmocka_unit_test(test_members),       cmocka_unit_test(test_activity),
      cmocka_unit_test(test_local_time),    cmocka_unit_test(test_frequency),
      cmocka_unit_test(test_gaps),          cmocka_unit_test(test_responses),
      cmocka_unit_test(test_response_days), cmocka_unit_test(test_huge_responses),
      cmocka_unit_test(test_stakeholders),  cmocka_unit_test(test_threads),
      cmocka_unit_test(test_correlation),   cmocka_unit_test(test_correlation_ties),
      cmocka_unit_test(test_follow_up),     cmocka_unit_test(test_correlation_tenants),
      cmocka_unit_test(test_absent),
  };
  return cmocka_run_group_tests_name("engagement", tests, NULL, NULL);
}
