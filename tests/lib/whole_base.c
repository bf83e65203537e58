/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/whole_base.h"

#define DAY CRM_US_PER_DAY
#define NEVER CRM_TIME_NONE

const char *const whole_tenants[WHOLE_TENANTS] = {"acme", "beta", "gamma"};
enum { CURRENCIES = 3, CONTACTS = 5, DELETED = 2 };
static const char *const currencies[CURRENCIES] = {"JPY", "KWD", "USD"};
static const int decimals[CURRENCIES] = {0, 3, 2};

/* How the end of a customer is told. */
enum fate { STAYS, LEAVES, UNDATED, CAME_BACK };

struct story {
  crm_time created, churned; /* NEVER: not told */
  crm_time back;             /* CAME_BACK: the return */
  enum fate fate;
  int currency;
};

/* --- rows as text ----------------------------------------------------------------------------------------------------------- */

struct text {
  char row[320];
};

static void put(struct text *t, const char *format, ...) CRM_PRINTF(2, 3);
static void put(struct text *t, const char *format, ...) {
  size_t len = strlen(t->row);
  va_list args;
  va_start(args, format);
  int n = vsnprintf(t->row + len, sizeof(t->row) - len, format, args);
  va_end(args);
  assert_true(n >= 0 && len + (size_t)n < sizeof(t->row));
}

static void put_time(struct text *t, const char *column, crm_time at) {
  if (at != NEVER)
    put(t, " %s=@%" PRId64 "+%" PRId64 "us", column, at / CRM_US_PER_SECOND, at % CRM_US_PER_SECOND);
}

static void put_day(struct text *t, crm_day day) {
  int year, month, mday;
  crm_day_to_civil(day, &year, &month, &mday);
  put(t, " day=%04d-%02d-%02d", year, month, mday);
}

static void put_money(struct text *t, const char *column, int64_t minor, int currency) {
  int64_t unit = crm_pow10(decimals[currency]);
  put(t, " %s=%" PRId64 ".%0*" PRId64, column, minor / unit, decimals[currency] > 0 ? decimals[currency] : 1, minor % unit);
}

/* A figure of tenths, or none: two times in three. */
static void put_figure(struct chance *c, struct text *t, const char *column, int64_t below) {
  if (chance_below(c, 3) > 0)
    put(t, " %s=%d.%d", column, (int)chance_below(c, below), (int)chance_below(c, 10));
}
static void put_count(struct chance *c, struct text *t, const char *column, int64_t below) {
  if (chance_below(c, 4) > 0)
    put(t, " %s=%d", column, (int)chance_below(c, below));
}

static void tell(struct whole_base *b, enum crm_relation relation, int account, const struct text *now, const struct text *later) {
  assert_in_range(b->n_rows, 0, WHOLE_ROWS - 1);
  struct whole_row *row = &b->rows[b->n_rows++];
  row->relation = relation;
  row->account = account;
  memcpy(row->now, now->row, sizeof(row->now));
  memcpy(row->later, later->row, sizeof(row->later));
}

static const struct text nothing = {""};

/* A fact that is what it is from the instant on. */
static void tell_from(struct whole_base *b, enum crm_relation relation, int account, crm_time at, const struct text *t) {
  tell(b, relation, account, at <= b->at ? t : &nothing, t);
}

static crm_time known(const struct whole_base *b, crm_time at) {
  return at <= b->at ? at : NEVER;
}

/* --- chance ------------------------------------------------------------------------------------------------------------------- */

/* In the given days around T, often exactly on an edge of a window, of a month, or of a day. */
static crm_time draw_time(struct chance *c, const struct whole_base *b, int64_t from_day, int64_t to_day) {
  static const int edges[] = {0, 7, 14, 30, 60, 90};
  if (chance_below(c, 5) == 0) {
    int64_t day = -edges[chance_below(c, 6)];
    if (day >= from_day && day <= to_day)
      return b->at + day * DAY + chance_below(c, 3) - 1;
  }
  crm_time at = b->at + from_day * DAY + chance_below(c, (to_day - from_day) * DAY);
  if (chance_below(c, 8) == 0)
    at = crm_zone_month_start(b->zone, crm_zone_month(b->zone, at)) + chance_below(c, 3) - 1;
  return chance_below(c, 3) > 0 ? at : crm_zone_day_start(b->zone, crm_zone_day(b->zone, at));
}

static crm_day draw_day(struct chance *c, const struct whole_base *b, int64_t before) {
  return crm_zone_day(b->zone, b->at) - (crm_day)chance_below(c, before) + 9;
}

static const char *pick(struct chance *c, const char *const *words, int64_t n) {
  return words[chance_below(c, n)];
}

/* --- a customer ----------------------------------------------------------------------------------------------------------------- */

static void tell_account(struct chance *c, struct whole_base *b, int i, const struct story *s) {
  static const char *const segments[] = {"big", "smb", "none", ""};
  static const char *const owners[] = {"eve", "bob", ""};
  static const char *const regions[] = {"north", "south", ""};
  static const char *const statuses[] = {" status=active", " status=active", " status=at_risk", " status=onboarding", ""};
  struct text t = {""};
  put(&t, "account_id=a%d tenant=%s name=N%d segment='%s' owner='%s' region='%s' currency=%s", i, whole_tenants[b->tenant[i]], i,
      pick(c, segments, 4), pick(c, owners, 3), pick(c, regions, 3), currencies[s->currency]);
  put_time(&t, "created_at", s->created);
  put_count(c, &t, "seats", 9);
  if (chance_below(c, 3) == 0)
    put(&t, " auto_renew=%s", chance_below(c, 2) ? "true" : "false");
  put_figure(c, &t, "renewal_forecast", 100);
  if (b->own_arr && chance_below(c, 5) > 0)
    put_money(&t, "arr", chance_below(c, 100000), s->currency);
  crm_time value = chance_below(c, 2) ? draw_time(c, b, -500, 20) : NEVER;
  /* Of who leaves later it is not known later what the status was before: it counts as active. */
  const char *status = s->fate == LEAVES ? statuses[0] : pick(c, statuses, 5);
  struct text now = t, later = t;
  put_time(&now, "first_value_at", known(b, value));
  put_time(&later, "first_value_at", value);
  bool left = s->fate == UNDATED || (s->fate == LEAVES && s->churned <= b->at);
  put(&now, "%s", left ? " status=churned" : status);
  put(&later, "%s", left || s->fate == LEAVES ? " status=churned" : status);
  put_time(&now, "churned_at", known(b, s->churned));
  put_time(&later, "churned_at", s->churned);
  tell(b, CRM_REL_ACCOUNT, i, s->created <= b->at ? &now : &nothing, &later);
}

/* Nothing is paid after a churn of which only the date tells; a return is told by what is paid from then on. */
static void tell_revenue(struct chance *c, struct whole_base *b, int i, const struct story *s) {
  for (int64_t k = chance_below(c, 7); k > 0; k--) {
    crm_time at = draw_time(c, b, -760, 20);
    if ((s->fate == LEAVES && at >= s->churned) || (s->fate == UNDATED && at > b->at) ||
        (s->fate == CAME_BACK && at >= s->churned && at < s->back))
      continue;
    if (at < s->created && chance_below(c, 12) > 0)
      at = s->created;
    b->hindsight = b->hindsight || at < s->created;
    int currency = chance_below(c, 12) == 0 ? (int)chance_below(c, CURRENCIES) : s->currency;
    struct text t = {""};
    put(&t, "account_id=a%d currency=%s", i, currencies[currency]);
    put_time(&t, "at", at);
    put_money(&t, chance_below(c, 2) ? "arr" : "mrr", chance_below(c, 4) == 0 ? 0 : chance_below(c, 100000), currency);
    tell_from(b, CRM_REL_REVENUE, i, at, &t);
  }
  if (s->fate == CAME_BACK) {
    struct text t = {""};
    put(&t, "account_id=a%d currency=%s", i, currencies[s->currency]);
    put_time(&t, "at", s->back);
    put_money(&t, "arr", 1 + chance_below(c, 100000), s->currency);
    tell_from(b, CRM_REL_REVENUE, i, s->back, &t);
  }
}

static void tell_contracts(struct chance *c, struct whole_base *b, int i, const struct story *s) {
  for (int64_t k = chance_below(c, 4); k > 0; k--) {
    crm_time starts = draw_time(c, b, -700, 10), ends = chance_below(c, 6) == 0 ? NEVER : draw_time(c, b, -400, 120);
    if (ends != NEVER && ends <= starts)
      ends = starts + 1 + chance_below(c, 400 * DAY);
    if (s->fate != STAYS && starts > (s->churned < b->at ? s->churned : b->at))
      continue; /* who has left signs nothing any more */
    struct text t = {""};
    put(&t, "account_id=a%d contract_id=c%d", i, (int)k);
    put_time(&t, "starts_at", starts);
    put_time(&t, "ends_at", ends);
    if (chance_below(c, 4) > 0)
      put_money(&t, "arr", chance_below(c, 100000), s->currency);
    if (chance_below(c, 3) == 0)
      put(&t, " auto_renew=%s", chance_below(c, 2) ? "true" : "false");
    struct text now = t, later = t;
    if (ends != NEVER && chance_below(c, 3) > 0) {
      crm_time decided = ends - 60 * DAY + chance_below(c, 120 * DAY);
      struct text outcome = {""};
      put(&outcome, " outcome=%s", chance_below(c, 3) > 0 ? "renewed" : "lost");
      put_time(&outcome, "decided_at", decided);
      if (chance_below(c, 3) > 0)
        put_money(&outcome, "renewed_arr", chance_below(c, 100000), s->currency);
      put(&later, "%s", outcome.row);
      put(&now, "%s", decided <= b->at ? outcome.row : "");
    }
    tell(b, CRM_REL_CONTRACT, i, starts <= b->at ? &now : &nothing, &later);
  }
}

static void tell_days(struct chance *c, struct whole_base *b, int i) {
  crm_day today = crm_zone_day(b->zone, b->at);
  for (int64_t k = 3 + chance_below(c, 25); k > 0; k--) {
    struct text usage = {""}, support = {""}, health = {""};
    crm_day day = draw_day(c, b, 130);
    put(&usage, "account_id=a%d", i);
    put_day(&usage, day);
    put_figure(c, &usage, "logins_per_week", 9);
    put_figure(c, &usage, "feature_adoption", 100);
    put_figure(c, &usage, "session_seconds", 1500);
    put_count(c, &usage, "active_users", 8);
    tell(b, CRM_REL_USAGE, i, day <= today ? &usage : &nothing, &usage);
    day = draw_day(c, b, 130);
    put(&support, "account_id=a%d", i);
    put_day(&support, day);
    put_count(c, &support, "new_tickets", 6);
    put_count(c, &support, "resolved_tickets", 6);
    put_count(c, &support, "escalated", 3);
    put_figure(c, &support, "severity", 100);
    put_figure(c, &support, "resolution_hours", 130);
    put_figure(c, &support, "first_response_seconds", 100000);
    put_figure(c, &support, "csat", 1);
    if (strstr(support.row, "csat=") != NULL)
      memcpy(strstr(support.row, "csat=") + 5, "3", 1);
    tell(b, CRM_REL_SUPPORT, i, day <= today ? &support : &nothing, &support);
    day = draw_day(c, b, 130);
    put(&health, "account_id=a%d", i);
    put_day(&health, day);
    put_figure(c, &health, "score", 100);
    tell(b, CRM_REL_HEALTH, i, day <= today ? &health : &nothing, &health);
  }
}

/* --- people, and what was done with them ------------------------------------------------------------------------------------------ */

static void tell_contacts(struct chance *c, struct whole_base *b, int i) {
  static const char *const levels[] = {" level=primary", " level=influencer", " level=user", " level=gatekeeper", ""};
  static const char *const strengths[] = {" strength=champion", " strength=supporter", " strength=neutral", " strength=detractor", ""};
  for (int k = (int)chance_below(c, CONTACTS); k > 0; k--) {
    crm_time since = chance_below(c, 2) ? draw_time(c, b, -300, 20) : NEVER;
    struct text t = {""};
    put(&t, "account_id=a%d contact_id=k%d status=%s%s%s", i, k, chance_below(c, 4) > 0 ? "active" : "left", pick(c, levels, 5),
        pick(c, strengths, 5));
    put_time(&t, "since", since);
    tell_from(b, CRM_REL_CONTACT, i, since == NEVER ? b->at : since, &t);
  }
}

static void tell_engagements(struct chance *c, struct whole_base *b, int i) {
  static const char *const types[] = {"meeting", "call", "email", "demo", "training", "note", "qbr"};
  static const char *const outcomes[] = {" outcome=positive", " outcome=neutral", " outcome=negative", " outcome=action_required", ""};
  static const char *const owners[] = {" owner=eve", " owner=bob", ""};
  for (int k = (int)chance_below(c, 22); k > 0; k--) {
    bool held = chance_below(c, 4) > 0;
    crm_time done = held ? draw_time(c, b, -130, 9) : NEVER;
    crm_time planned = !held || chance_below(c, 2) ? draw_time(c, b, -130, 9) : NEVER;
    struct text t = {""};
    put(&t, "account_id=a%d engagement_id=e%d type=%s%s%s", i, k, pick(c, types, 7), pick(c, outcomes, 5), pick(c, owners, 3));
    put_time(&t, "scheduled_at", planned);
    if (chance_below(c, 2))
      put(&t, " response_seconds=%d", 3600 * (int)chance_below(c, 90));
    put(&t, " contacts=k%d,k%d", 1 + (int)chance_below(c, CONTACTS), 1 + (int)chance_below(c, CONTACTS));
    if (chance_below(c, 2)) {
      int invited = (int)chance_below(c, 6);
      put(&t, " participants=%d accepted=%d answered=%d", invited, (int)chance_below(c, invited + 1), invited);
    }
    struct text later = t;
    put_time(&later, "completed_at", done);
    bool done_now = done != NEVER && done <= b->at, planned_now = planned != NEVER && planned <= b->at;
    tell(b, CRM_REL_ENGAGEMENT, i, done_now ? &later : planned_now ? &t : &nothing, &later);
  }
}

static void tell_words(struct chance *c, struct whole_base *b, int i) {
  static const char *const kinds[] = {"budget_constraints", "competitor_mentions", "feature_requests", "pricing_discussions", "gossip"};
  for (int64_t k = chance_below(c, 8); k > 0; k--) {
    struct text nps = {""}, signal = {""};
    crm_time at = draw_time(c, b, -120, 9);
    put(&nps, "account_id=a%d score=%d", i, (int)chance_below(c, 11));
    put_time(&nps, "at", at);
    if (chance_below(c, 2))
      put(&nps, " respondent=p%d", (int)chance_below(c, 3));
    tell_from(b, CRM_REL_NPS, i, at, &nps);
    at = draw_time(c, b, -120, 9);
    put(&signal, "account_id=a%d kind=%s", i, pick(c, kinds, 5));
    put_time(&signal, "at", at);
    put_figure(c, &signal, "weight", 1);
    tell_from(b, CRM_REL_SIGNAL, i, at, &signal);
  }
}

/* --- what is owed, sold, and promised ----------------------------------------------------------------------------------------------- */

static void tell_invoices(struct chance *c, struct whole_base *b, int i) {
  for (int64_t k = chance_below(c, 6); k > 0; k--) {
    crm_time due = draw_time(c, b, -400, 30), paid = chance_below(c, 4) > 0 ? due - 20 * DAY + chance_below(c, 40 * DAY) : NEVER;
    struct text t = {""};
    put(&t, "account_id=a%d", i);
    put_time(&t, "due_at", due);
    struct text now = t, later = t;
    put_time(&now, "paid_at", known(b, paid));
    put_time(&later, "paid_at", paid);
    tell(b, CRM_REL_INVOICE, i, &now, &later);
  }
}

static void tell_sales(struct chance *c, struct whole_base *b, int i, const struct story *s) {
  static const char *const kinds[] = {"upsell", "cross_sell", "expansion", "renewal", "new", "barter"};
  for (int64_t k = chance_below(c, 6); k > 0; k--) {
    crm_time opened = draw_time(c, b, -200, 9), closed = chance_below(c, 3) > 0 ? opened + chance_below(c, 150 * DAY) : NEVER;
    struct text t = {""};
    put(&t, "account_id=a%d kind=%s", i, pick(c, kinds, 6));
    put_time(&t, "opened_at", opened);
    if (chance_below(c, 4) > 0)
      put_money(&t, "amount", chance_below(c, 100000), s->currency);
    struct text now = t, later = t;
    const char *end = chance_below(c, 2) ? "won" : "lost";
    put(&later, " stage=%s", closed != NEVER ? end : "open");
    put_time(&later, "closed_at", closed);
    put(&now, " stage=%s", closed != NEVER && closed <= b->at ? end : "open");
    put_time(&now, "closed_at", known(b, closed));
    tell(b, CRM_REL_OPPORTUNITY, i, opened <= b->at ? &now : &nothing, &later);
  }
}

static void tell_goals(struct chance *c, struct whole_base *b, int i) {
  for (int k = (int)chance_below(c, 5); k > 0; k--) {
    crm_time created = draw_time(c, b, -500, 9), target = chance_below(c, 4) == 0 ? NEVER : draw_time(c, b, -400, 100), done = NEVER;
    struct text t = {""};
    put(&t, "account_id=a%d goal_id=g%d", i, k);
    put_time(&t, "created_at", created);
    put_time(&t, "target_at", target);
    struct text now = t, later = t;
    const char *open = chance_below(c, 2) ? "on_track" : "at_risk", *end = open, *end_now = open;
    int fate = (int)chance_below(c, 3);
    if (fate == 0) {
      done = draw_time(c, b, -300, 50);
      end = "achieved";
      end_now = done <= b->at ? "achieved" : "on_track";
    } else if (fate == 1 && target != NEVER) {
      end = "missed"; /* which nobody knows before the target */
      end_now = target <= b->at ? "missed" : "on_track";
    }
    put(&later, " status=%s", end);
    put_time(&later, "completed_at", done);
    put(&now, " status=%s", end_now);
    put_time(&now, "completed_at", known(b, done));
    tell(b, CRM_REL_GOAL, i, created <= b->at ? &now : &nothing, &later);
  }
}

static void tell_work(struct chance *c, struct whole_base *b, int i) {
  crm_time started = draw_time(c, b, -300, 9), done = chance_below(c, 2) ? started + chance_below(c, 200 * DAY) : NEVER;
  if (chance_below(c, 3) > 0) {
    struct text t = {""};
    put(&t, "account_id=a%d", i);
    put_time(&t, "started_at", started);
    put_time(&t, "target_at", chance_below(c, 3) == 0 ? NEVER : draw_time(c, b, -100, 60));
    struct text now = t, later = t;
    put(&later, " status=%s", done != NEVER ? "completed" : "in_progress");
    put_time(&later, "completed_at", done);
    put(&now, " status=%s", done != NEVER && done <= b->at ? "completed" : "in_progress");
    put_time(&now, "completed_at", known(b, done));
    tell(b, CRM_REL_ONBOARDING, i, started <= b->at ? &now : &nothing, &later);
  }
  if (chance_below(c, 3) == 0) {
    struct text t = {""};
    put(&t, "account_id=a%d kind=save stage=open owner=eve", i);
    put_time(&t, "opened_at", started);
    tell_from(b, CRM_REL_INTERVENTION, i, started, &t);
  }
}

/* --- the base ----------------------------------------------------------------------------------------------------------------------- */

static void draw_account(struct chance *c, struct whole_base *b, int i) {
  struct story s = {.created = draw_time(c, b, -900, 12),
                    .churned = NEVER,
                    .back = NEVER,
                    .fate = chance_below(c, 2) == 0 ? STAYS : (enum fate)chance_below(c, CAME_BACK + 1),
                    .currency = (int)chance_below(c, CURRENCIES)};
  if (s.fate == CAME_BACK && (b->own_arr || s.created > b->at - 300 * DAY))
    s.fate = LEAVES;
  if (s.fate == LEAVES)
    s.churned = s.created + 1 + chance_below(c, 700 * DAY);
  if (s.fate == CAME_BACK) { /* before T: until then the CRM said that it had churned */
    s.churned = s.created + 100 * DAY + chance_below(c, 50 * DAY);
    s.back = s.churned + 1 + chance_below(c, b->at - s.churned);
    b->hindsight = true;
  }
  b->tenant[i] = (int)chance_below(c, WHOLE_TENANTS);
  tell_account(c, b, i, &s);
  if (!b->own_arr)
    tell_revenue(c, b, i, &s);
  tell_contracts(c, b, i, &s);
  tell_days(c, b, i);
  tell_contacts(c, b, i);
  tell_engagements(c, b, i);
  tell_words(c, b, i);
  tell_invoices(c, b, i);
  tell_sales(c, b, i, &s);
  tell_goals(c, b, i);
  tell_work(c, b, i);
}

void whole_draw(struct chance *c, const struct crm_zone *zone, struct whole_base *b) {
  b->zone = zone;
  b->n = 1 + (int)chance_below(c, WHOLE_ACCOUNTS);
  b->n_rows = 0;
  b->own_arr = chance_below(c, 5) == 0;
  b->hindsight = false;
  b->at = chance_below(c, 6) == 0 ? INT64_C(1709164800) * CRM_US_PER_SECOND /* 2024-02-29 */
                                  : INT64_C(1700000000) * CRM_US_PER_SECOND + chance_below(c, 900 * DAY);
  if (chance_below(c, 3) == 0)
    b->at = crm_zone_day_start(zone, crm_zone_day(zone, b->at));
  for (int i = 0; i < b->n; i++)
    draw_account(c, b, i);
  for (int i = 0; i < DELETED; i++) {
    int gone = WHOLE_ACCOUNTS + i;
    struct story s = {.created = b->at - 1000 * DAY, .churned = NEVER, .back = NEVER, .fate = STAYS};
    if (!b->own_arr)
      tell_revenue(c, b, gone, &s);
    tell_contracts(c, b, gone, &s);
    tell_days(c, b, gone);
    tell_engagements(c, b, gone);
    tell_words(c, b, gone);
  }
}

void whole_put(struct fixture *f, const struct whole_base *b, const struct whole_choice *choice) {
  int order[WHOLE_ROWS];
  for (int i = 0; i < b->n_rows; i++)
    order[i] = i;
  for (int i = b->n_rows - 1; choice->order != NULL && i > 0; i--) {
    int k = (int)chance_below(choice->order, i + 1), kept = order[i];
    order[i] = order[k];
    order[k] = kept;
  }
  fixture_init(f, crm_zone_name(b->zone), "USD");
  f->at = b->at;
  for (unsigned r = 0; r < CRM_RELATIONS; r++)
    if (r != CRM_REL_REVENUE || !b->own_arr)
      fixture_begin(f, (enum crm_relation)r);
  for (int pass = 0; pass < 3; pass++)
    for (int i = 0; i < b->n_rows; i++) {
      const struct whole_row *row = &b->rows[order[i]];
      int when = row->relation == CRM_REL_ACCOUNT ? 0 : row->relation == CRM_REL_CONTACT ? 1 : 2;
      bool gone = row->account >= WHOLE_ACCOUNTS;
      const char *text = choice->later ? row->later : row->now;
      if (when == pass && text[0] != '\0' && (gone || choice->tenant < 0 || b->tenant[row->account] == choice->tenant))
        fixture_row(f, row->relation, "%s", text);
    }
  assert_int_equal(crm_builder_finish(f->builder, &f->facts, &f->err), CRM_OK);
  for (unsigned r = 0; r < CRM_RELATIONS; r++)
    for (unsigned reason = 0; reason < CRM_REJECTS; reason++)
      if (reason != CRM_REJECT_UNKNOWN_ACCOUNT && reason != CRM_REJECT_UNDATED_CHURN && f->facts->rejected[r][reason] != 0)
        fail_msg("%s: %s", crm_relation_info((enum crm_relation)r)->name, crm_reject_name((enum crm_reject)reason));
}
