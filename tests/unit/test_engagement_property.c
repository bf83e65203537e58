/* SPDX-License-Identifier: MIT */
/* Engagement over random customer bases: what is published against the same figures worked out the plain way from the rows that were
 * written, one question at a time; the order of rows, facts after T, and the sum over two shares of the accounts. */
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

#include "lib/bases.h"
#include "lib/close.h"
#include "lib/facts_fixture.h"

#define BASES 100
#define DAY CRM_US_PER_DAY
#define NEVER CRM_TIME_NONE

enum { ACCOUNTS = 8, CONTACTS = 4, ENGAGEMENTS = 72, SUPPORTS = 12, HEALTHS = 30, TENANTS = 2, SEGMENTS = 2, OWNERS = 3 };
enum { TYPES = 7, OUTCOMES = 5, LEVELS = 5, STRENGTHS = 5, HOURS = 168 };
static const char *const tenants[TENANTS] = {"acme", "beta"};
static const char *const segments[SEGMENTS] = {"big", "smb"};
static const char *const owners[OWNERS] = {"none", "eve", "bob"};
static const char *const types[TYPES] = {"meeting", "call", "email", "demo", "training", "note", "other"};
static const char *const outcomes[OUTCOMES] = {"positive", "neutral", "negative", "action_required", "unrecorded"};
static const char *const levels[LEVELS] = {"primary", "influencer", "user", "gatekeeper", "unknown"};
static const char *const strengths[STRENGTHS] = {"champion", "supporter", "neutral", "detractor", "unknown"};
static const char *const window_names[] = {"7d", "30d", "90d"};
static const int window_days[] = {7, 30, 90};
enum { NOTE = 5, CHAMPION = 0 };

/* --- chance ------------------------------------------------------------------------------------------------------------- */

struct chance {
  uint64_t s;
};

static uint64_t next(struct chance *c) { /* splitmix64 */
  uint64_t z = (c->s += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static int below(struct chance *c, int n) {
  return (int)(next(c) % (uint64_t)n);
}

/* --- a base --------------------------------------------------------------------------------------------------------------- */

struct account {
  int tenant, segment;
  crm_time created_at, churned_at;
};
struct contact {
  int account, level, strength;
  bool active;
  crm_time since;
};
struct engagement {
  int account, type, outcome, owner;
  crm_time planned, done;
  int response;      /* seconds; -1 unknown */
  unsigned contacts; /* mask */
};
struct support {
  int account, tickets, response; /* -1 unknown */
  crm_day day;
};
struct health {
  int account, score; /* tenths; -1 unknown */
  crm_day day;
};
struct base {
  crm_time at;
  const struct crm_zone *zone;
  struct account accounts[ACCOUNTS];
  struct contact contacts[ACCOUNTS * CONTACTS];
  struct engagement engagements[ENGAGEMENTS];
  struct support supports[SUPPORTS * ACCOUNTS];
  struct health healths[HEALTHS * ACCOUNTS];
};

/* Some months before T and days after it, often exactly on an edge. */
static crm_time draw_time(struct chance *c, const struct base *b) {
  static const int edges[] = {0, 7, 14, 30, 60, 90};
  if (below(c, 4) == 0)
    return b->at - edges[below(c, 6)] * DAY + below(c, 3) - 1;
  return b->at - 120 * DAY + (crm_time)(next(c) % (uint64_t)(140 * DAY));
}

static crm_day draw_day(struct chance *c, const struct base *b) {
  return crm_zone_day(b->zone, b->at) - 120 + below(c, 130);
}

static void draw(struct chance *c, struct base *b) {
  b->at = INT64_C(1700000000) * CRM_US_PER_SECOND + below(c, 900) * DAY;
  if (below(c, 3) == 0)
    b->at = crm_zone_day_start(b->zone, crm_zone_day(b->zone, b->at));
  for (int i = 0; i < ACCOUNTS; i++)
    b->accounts[i] = (struct account){.tenant = below(c, TENANTS),
                                      .segment = below(c, SEGMENTS),
                                      .created_at = below(c, 6) == 0 ? draw_time(c, b) : b->at - 1000 * DAY,
                                      .churned_at = below(c, 4) == 0 ? draw_time(c, b) : NEVER};
  for (int i = 0; i < ACCOUNTS * CONTACTS; i++)
    b->contacts[i] = (struct contact){.account = i / CONTACTS,
                                      .level = below(c, LEVELS),
                                      .strength = below(c, STRENGTHS),
                                      .active = below(c, 3) != 0,
                                      .since = below(c, 2) == 0 ? draw_time(c, b) : NEVER};
  for (int i = 0; i < ENGAGEMENTS; i++) {
    bool held = below(c, 4) != 0, planned = !held || below(c, 2) == 0;
    b->engagements[i] = (struct engagement){.account = below(c, below(c, 3) == 0 ? 1 : ACCOUNTS - 1),
                                            .type = below(c, TYPES),
                                            .outcome = below(c, below(c, 3) == 0 ? OUTCOMES : 3),
                                            .owner = below(c, OWNERS),
                                            .planned = planned ? draw_time(c, b) : NEVER,
                                            .done = held ? draw_time(c, b) : NEVER,
                                            .response = below(c, 2) == 0 ? -1 : 3600 * below(c, 90) + below(c, 2),
                                            .contacts = (unsigned)below(c, 1 << CONTACTS)};
  }
  for (int i = 0; i < SUPPORTS * ACCOUNTS; i++)
    b->supports[i] = (struct support){.account = i / SUPPORTS,
                                      .tickets = below(c, 5) - 1,
                                      .response = below(c, 3) == 0 ? -1 : 1800 * below(c, 160),
                                      .day = draw_day(c, b)};
  crm_day used[HEALTHS]; /* one row a day: which of two is the last is not told by the rows */
  for (int i = 0; i < HEALTHS * ACCOUNTS; i++) {
    int before = i % HEALTHS;
    for (bool twice = true; twice;) {
      used[before] = draw_day(c, b);
      twice = false;
      for (int k = 0; k < before; k++)
        twice = twice || used[k] == used[before];
    }
    b->healths[i] = (struct health){.account = i / HEALTHS, .score = below(c, 8) == 0 ? -1 : 400 + 25 * below(c, 12), .day = used[before]};
  }
}

/* --- writing it ----------------------------------------------------------------------------------------------------------- */

struct text {
  char row[256];
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
    put(t, " %s=@%lld+%lldus", column, (long long)(at / CRM_US_PER_SECOND), (long long)(at % CRM_US_PER_SECOND));
}

static void put_day(struct text *t, crm_day day) {
  int year, month, d;
  crm_day_to_civil(day, &year, &month, &d);
  put(t, " day=%04d-%02d-%02d", year, month, d);
}

/* Which rows are written. */
struct choice {
  bool future;    /* those after T too */
  int share;      /* of accounts: 0 and 1 are the two of a partition, -1 all */
  uint64_t order; /* 0: as drawn; else a permutation of the rows */
};

static bool chosen(const struct choice *choice, int account) {
  return choice->share < 0 || (account * 7 / 3) % 2 == choice->share;
}

/* Row i of n in another order: steps of a number prime to n. */
static int turn(const struct choice *choice, int i, int n) {
  static const int steps[] = {1, 7, 11, 13, 17, 19, 23, 29, 31, 37};
  int step = steps[choice->order % 10];
  return n % step == 0 ? n - 1 - i : (int)(((int64_t)i * step + (int64_t)(choice->order % 5)) % n);
}

static void write_accounts(struct fixture *f, const struct base *b, const struct choice *choice) {
  for (int k = 0; k < ACCOUNTS; k++) {
    int i = turn(choice, k, ACCOUNTS);
    const struct account *a = &b->accounts[i];
    struct text t = {""};
    put(&t, "account_id=a%d tenant=%s segment=%s", i, tenants[a->tenant], segments[a->segment]);
    put_time(&t, "created_at", a->created_at);
    if (a->churned_at != NEVER)
      put(&t, " status=churned");
    put_time(&t, "churned_at", a->churned_at);
    if (chosen(choice, i) && (choice->future || a->created_at <= b->at))
      fixture_row(f, CRM_REL_ACCOUNT, "%s", t.row);
  }
}

/* Facts of an account that is not there yet are facts after T too. */
static bool there(const struct base *b, const struct choice *choice, int account) {
  return chosen(choice, account) && (choice->future || b->accounts[account].created_at <= b->at);
}

static void write_contacts(struct fixture *f, const struct base *b, const struct choice *choice) {
  fixture_begin(f, CRM_REL_CONTACT);
  for (int k = 0; k < ACCOUNTS * CONTACTS; k++) {
    int i = turn(choice, k, ACCOUNTS * CONTACTS);
    const struct contact *o = &b->contacts[i];
    struct text t = {""};
    put(&t, "account_id=a%d contact_id=c%d status=%s", o->account, i % CONTACTS, o->active ? "active" : "left");
    if (o->level < LEVELS - 1)
      put(&t, " level=%s", levels[o->level]);
    if (o->strength < STRENGTHS - 1)
      put(&t, " strength=%s", strengths[o->strength]);
    put_time(&t, "since", o->since);
    if (there(b, choice, o->account))
      fixture_row(f, CRM_REL_CONTACT, "%s", t.row);
  }
}

static void write_engagements(struct fixture *f, const struct base *b, const struct choice *choice) {
  fixture_begin(f, CRM_REL_ENGAGEMENT);
  for (int k = 0; k < ENGAGEMENTS; k++) {
    int i = turn(choice, k, ENGAGEMENTS);
    const struct engagement *e = &b->engagements[i];
    bool later = (e->done == NEVER || e->done > b->at) && (e->planned == NEVER || e->planned > b->at);
    struct text t = {""};
    put(&t, "account_id=a%d engagement_id=e%d type=%s", e->account, i, e->type == TYPES - 1 ? "qbr" : types[e->type]);
    if (e->outcome < OUTCOMES - 1)
      put(&t, " outcome=%s", outcomes[e->outcome]);
    if (e->owner > 0)
      put(&t, " owner=%s", owners[e->owner]);
    put_time(&t, "scheduled_at", e->planned);
    /* Before it takes place nobody knows that it will, nor what will come of it. */
    put_time(&t, "completed_at", choice->future || e->done <= b->at ? e->done : NEVER);
    if (e->response >= 0)
      put(&t, " response_seconds=%d", e->response);
    const char *apart = " contacts=";
    for (int o = 0; o < CONTACTS; o++)
      if ((e->contacts >> o & 1) != 0) {
        put(&t, "%sc%d", apart, o);
        apart = ",";
      }
    if (there(b, choice, e->account) && (choice->future || !later))
      fixture_row(f, CRM_REL_ENGAGEMENT, "%s", t.row);
  }
}

static void write_days(struct fixture *f, const struct base *b, const struct choice *choice) {
  crm_day today = crm_zone_day(b->zone, b->at);
  fixture_begin(f, CRM_REL_SUPPORT);
  for (int k = 0; k < SUPPORTS * ACCOUNTS; k++) {
    const struct support *s = &b->supports[turn(choice, k, SUPPORTS * ACCOUNTS)];
    struct text t = {""};
    put(&t, "account_id=a%d", s->account);
    put_day(&t, s->day);
    if (s->tickets >= 0)
      put(&t, " new_tickets=%d", s->tickets);
    if (s->response >= 0)
      put(&t, " first_response_seconds=%d", s->response);
    if (there(b, choice, s->account) && (choice->future || s->day <= today))
      fixture_row(f, CRM_REL_SUPPORT, "%s", t.row);
  }
  fixture_begin(f, CRM_REL_HEALTH);
  for (int k = 0; k < HEALTHS * ACCOUNTS; k++) {
    const struct health *h = &b->healths[turn(choice, k, HEALTHS * ACCOUNTS)];
    struct text t = {""};
    put(&t, "account_id=a%d", h->account);
    put_day(&t, h->day);
    if (h->score >= 0)
      put(&t, " score=%d.%d", h->score / 10, h->score % 10);
    if (there(b, choice, h->account) && (choice->future || h->day <= today))
      fixture_row(f, CRM_REL_HEALTH, "%s", t.row);
  }
}

static void evaluate(struct fixture *f, const struct base *b, const struct choice *choice) {
  fixture_init(f, crm_zone_name(b->zone), "USD");
  f->params.n_group_by = 1;
  f->params.group_by[0] = CRM_DIM_SEGMENT;
  write_accounts(f, b, choice);
  write_contacts(f, b, choice);
  write_engagements(f, b, choice);
  write_days(f, b, choice);
  f->at = b->at;
  fixture_evaluate(f);
}

/* --- the same figures, the plain way ----------------------------------------------------------------------------------------- */

static bool visible(const struct base *b, int account) {
  return b->accounts[account].created_at <= b->at;
}
static bool open(const struct base *b, int account) {
  crm_time gone = b->accounts[account].churned_at;
  return visible(b, account) && (gone == NEVER || gone > b->at);
}
static bool in_cell(const struct base *b, int account, int tenant, int segment) {
  return b->accounts[account].tenant == tenant && b->accounts[account].segment == segment;
}
static bool within(const struct base *b, crm_time at, int days) {
  return at != NEVER && at > b->at - days * DAY && at <= b->at;
}
static crm_time day_start(const struct base *b, crm_day day) {
  return crm_zone_day_start(b->zone, day);
}
static bool met(const struct base *b, int contact) {
  const struct contact *o = &b->contacts[contact];
  for (int i = 0; i < ENGAGEMENTS; i++)
    if (b->engagements[i].account == o->account && within(b, b->engagements[i].done, 90) &&
        (b->engagements[i].contacts >> (contact % CONTACTS) & 1) != 0)
      return true;
  return false;
}
static bool active(const struct base *b, int contact) {
  const struct contact *o = &b->contacts[contact];
  return o->active && (o->since == NEVER || o->since <= b->at);
}

/* A query of a cell and what it must be: NAN where the cell does not exist. */
static const char *where(int tenant, int segment) {
  static char text[64];
  snprintf(text, sizeof(text), "tenant=%s segment=%s", tenants[tenant], segments[segment]);
  return text;
}

static void expect(const struct fixture *f, uint64_t seed, double value, const char *format, ...) CRM_PRINTF(4, 5);
static void expect(const struct fixture *f, uint64_t seed, double value, const char *format, ...) {
  char query[256];
  va_list args;
  va_start(args, format);
  vsnprintf(query, sizeof(query), format, args);
  va_end(args);
  double got = fixture_sum(f, query);
  if (isnan(got) != isnan(value) || fabs(got - value) > 1e-9 * fmax(1, fabs(value)))
    fail_msg("base %llu: %s is %.15g and not %.15g", (unsigned long long)seed, query, got, value);
}

static void check_engagements(const struct fixture *f, const struct base *b, uint64_t seed, int t, int s) {
  for (int w = 0; w < 3; w++) {
    double facing = 0;
    for (int type = 0; type < TYPES; type++) {
      double missed = 0;
      for (int o = 0; o < OUTCOMES; o++) {
        double n = 0;
        for (int i = 0; i < ENGAGEMENTS; i++) {
          const struct engagement *e = &b->engagements[i];
          n += visible(b, e->account) && in_cell(b, e->account, t, s) && e->type == type && e->outcome == o &&
               within(b, e->done, window_days[w]);
        }
        expect(f, seed, n, "crm_engagements %s engagement_type=%s outcome=%s window=%s", where(t, s), types[type], outcomes[o],
               window_names[w]);
      }
      for (int i = 0; i < ENGAGEMENTS; i++) {
        const struct engagement *e = &b->engagements[i];
        bool held = e->done != NEVER && e->done <= b->at;
        missed += visible(b, e->account) && in_cell(b, e->account, t, s) && e->type == type && !held && e->planned != b->at &&
                  within(b, e->planned, window_days[w]);
        facing +=
            open(b, e->account) && in_cell(b, e->account, t, s) && e->type == type && type != NOTE && within(b, e->done, window_days[w]);
      }
      expect(f, seed, missed, "crm_engagements_missed %s engagement_type=%s window=%s", where(t, s), types[type], window_names[w]);
    }
    expect(f, seed, facing, "crm_engagements_customer_facing %s window=%s", where(t, s), window_names[w]);
  }
}

static void check_accounts(const struct fixture *f, const struct base *b, uint64_t seed, int t, int s) {
  static const int gaps[] = {7, 14, 30, 60, 90};
  double le[6] = {0}, silent[3] = {0}, never = 0, no_champion = 0, single = 0;
  for (int i = 0; i < ACCOUNTS; i++) {
    if (!open(b, i) || !in_cell(b, i, t, s))
      continue;
    crm_time last = NEVER;
    for (int k = 0; k < ENGAGEMENTS; k++) {
      const struct engagement *e = &b->engagements[k];
      if (e->account == i && e->type != NOTE && e->done != NEVER && e->done <= b->at && e->done > last)
        last = e->done;
    }
    never += last == NEVER;
    for (int k = 0; k < 5; k++)
      le[k] += last != NEVER && b->at - last <= gaps[k] * DAY;
    le[5] += last != NEVER;
    for (int k = 0; k < 3; k++)
      silent[k] += last != NEVER && !within(b, last, 30 * (k + 1));
    int champions = 0, engaged = 0;
    for (int k = 0; k < ACCOUNTS * CONTACTS; k++)
      if (b->contacts[k].account == i && active(b, k)) {
        champions += b->contacts[k].strength == CHAMPION;
        engaged += met(b, k);
      }
    no_champion += champions == 0;
    single += engaged < 3;
  }
  for (int k = 0; k < 5; k++)
    expect(f, seed, le[k], "crm_engagement_gap_accounts %s le=%d", where(t, s), gaps[k] * 86400);
  expect(f, seed, le[5], "crm_engagement_gap_accounts %s le=+Inf", where(t, s));
  for (int k = 0; k < 3; k++)
    expect(f, seed, silent[k], "crm_accounts_silent %s window=%dd", where(t, s), 30 * (k + 1));
  expect(f, seed, never, "crm_accounts_never_engaged %s", where(t, s));
  expect(f, seed, no_champion, "crm_accounts_without_champion %s", where(t, s));
  expect(f, seed, single, "crm_accounts_single_threaded %s", where(t, s));
}

static void check_stakeholders(const struct fixture *f, const struct base *b, uint64_t seed, int t, int s) {
  for (int l = 0; l < LEVELS; l++)
    for (int k = 0; k < STRENGTHS; k++)
      for (int engaged = 0; engaged < 2; engaged++) {
        double n = 0;
        for (int i = 0; i < ACCOUNTS * CONTACTS; i++) {
          const struct contact *o = &b->contacts[i];
          n += open(b, o->account) && in_cell(b, o->account, t, s) && o->level == l && o->strength == k && active(b, i) &&
               met(b, i) == (engaged != 0);
        }
        expect(f, seed, n, "crm_stakeholders %s level=%s strength=%s engaged=%s", where(t, s), levels[l], strengths[k],
               engaged ? "true" : "false");
      }
}

static void check_responses(const struct fixture *f, const struct base *b, uint64_t seed, int t, int s) {
  static const int hours[] = {1, 4, 8, 24, 72};
  double support[6] = {0}, engagement[6] = {0}, seconds[2] = {0}, unanswered = 0;
  for (int i = 0; i < SUPPORTS * ACCOUNTS; i++) {
    const struct support *r = &b->supports[i];
    if (!visible(b, r->account) || !in_cell(b, r->account, t, s) || !within(b, day_start(b, r->day), 30) || r->tickets < 0)
      continue;
    if (r->response < 0) {
      unanswered += r->tickets;
      continue;
    }
    for (int k = 0; k < 6; k++)
      support[k] += k == 5 || r->response <= 3600 * hours[k] ? r->tickets : 0;
    seconds[0] += (double)r->tickets * r->response;
  }
  for (int i = 0; i < ENGAGEMENTS; i++) {
    const struct engagement *e = &b->engagements[i];
    if (!visible(b, e->account) || !in_cell(b, e->account, t, s) || !within(b, e->done, 30) || e->response < 0)
      continue;
    for (int k = 0; k < 6; k++)
      engagement[k] += k == 5 || e->response <= 3600 * hours[k];
    seconds[1] += e->response;
  }
  for (int k = 0; k < 6; k++) {
    char le[16] = "+Inf";
    if (k < 5)
      snprintf(le, sizeof(le), "%d", 3600 * hours[k]);
    expect(f, seed, support[k], "crm_responses %s channel=support le=%s", where(t, s), le);
    expect(f, seed, engagement[k], "crm_responses %s channel=engagement le=%s", where(t, s), le);
  }
  expect(f, seed, seconds[0], "crm_response_seconds_points %s channel=support", where(t, s));
  expect(f, seed, seconds[1], "crm_response_seconds_points %s channel=engagement", where(t, s));
  expect(f, seed, unanswered, "crm_responses_unanswered %s", where(t, s));
}

/* Mean rank of v[i] among all: those below, half of the others that are equal, and one. */
static double rank_of(const double *v, int n, int i) {
  double rank = 1;
  for (int k = 0; k < n; k++)
    rank += v[k] < v[i] ? 1 : k != i && v[k] == v[i] ? 0.5 : 0;
  return rank;
}

static double spearman(const double *x, const double *y, int n) {
  double xx = 0, yy = 0, xy = 0, mean = (n + 1) / 2.0;
  for (int i = 0; i < n; i++) {
    double a = rank_of(x, n, i) - mean, c = rank_of(y, n, i) - mean;
    xx += a * a;
    yy += c * c;
    xy += a * c;
  }
  return n < 10 || xx == 0 || yy == 0 ? NAN : xy / sqrt(xx * yy);
}

static bool check_correlation(const struct fixture *f, const struct base *b, uint64_t seed, int t) {
  double x[ENGAGEMENTS], y[ENGAGEMENTS];
  int n = 0;
  for (int i = 0; i < ENGAGEMENTS; i++) {
    const struct engagement *e = &b->engagements[i];
    if (!visible(b, e->account) || b->accounts[e->account].tenant != t || e->type == NOTE || e->outcome > 2 || !within(b, e->done, 90))
      continue;
    int before = -1, then = -1; /* rows */
    for (int k = 0; k < HEALTHS * ACCOUNTS; k++) {
      const struct health *h = &b->healths[k];
      crm_time at = day_start(b, h->day);
      if (h->account != e->account || h->score < 0 || at > b->at)
        continue;
      if (at <= e->done && (before < 0 || h->day > b->healths[before].day))
        before = k;
      if (at > e->done + 7 * DAY && at <= e->done + 30 * DAY && (then < 0 || h->day < b->healths[then].day))
        then = k;
    }
    if (before < 0 || then < 0)
      continue;
    x[n] = 1 - e->outcome;
    y[n++] = b->healths[then].score - b->healths[before].score;
  }
  double r = spearman(x, y, n);
  expect(f, seed, n, "crm_engagement_outcome_correlation_observations tenant=%s", tenants[t]);
  expect(f, seed, r, "crm_engagement_outcome_correlation tenant=%s", tenants[t]);
  return !isnan(r);
}

static void check_tenant(const struct fixture *f, const struct base *b, uint64_t seed, int t) {
  for (int w = 0; w < 3; w++) {
    for (int o = 0; o < OWNERS; o++) {
      double n = 0, ever = 0;
      for (int i = 0; i < ENGAGEMENTS; i++) {
        const struct engagement *e = &b->engagements[i];
        bool counts = visible(b, e->account) && b->accounts[e->account].tenant == t && e->owner == o;
        n += counts && within(b, e->done, window_days[w]);
        ever += counts && within(b, e->done, 90);
      }
      expect(f, seed, ever > 0 ? n : NAN, "crm_engagements_by_member tenant=%s team_member=%s window=%s", tenants[t], owners[o],
             window_names[w]);
    }
    double accounts = 0, facing = 0;
    for (int i = 0; i < ACCOUNTS; i++)
      accounts += open(b, i) && b->accounts[i].tenant == t;
    for (int i = 0; i < ENGAGEMENTS; i++) {
      const struct engagement *e = &b->engagements[i];
      facing += open(b, e->account) && b->accounts[e->account].tenant == t && e->type != NOTE && within(b, e->done, window_days[w]);
    }
    expect(f, seed, accounts == 0 ? NAN : facing / accounts * 30 / window_days[w], "crm_engagement_frequency_ratio tenant=%s window=%s",
           tenants[t], window_names[w]);
  }
  static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  double hours[HOURS] = {0};
  for (int i = 0; i < ENGAGEMENTS; i++) {
    const struct engagement *e = &b->engagements[i];
    int weekday, hour;
    if (!visible(b, e->account) || b->accounts[e->account].tenant != t || !within(b, e->done, 90))
      continue;
    crm_zone_weekday_hour(b->zone, e->done, &weekday, &hour);
    hours[24 * weekday + hour]++;
  }
  for (int k = 0; k < HOURS; k++)
    expect(f, seed, hours[k], "crm_engagement_activity tenant=%s weekday=%s hour=%02d", tenants[t], weekdays[k / 24], k % 24);
  double engaged = 0, all = 0;
  for (int i = 0; i < ACCOUNTS * CONTACTS; i++)
    if (open(b, b->contacts[i].account) && b->accounts[b->contacts[i].account].tenant == t && active(b, i)) {
      engaged += met(b, i);
      all++;
    }
  expect(f, seed, all == 0 ? NAN : engaged / all, "crm_stakeholder_participation_ratio tenant=%s", tenants[t]);
}

/* Correlations that exist. */
static int check_against(const struct fixture *f, const struct base *b, uint64_t seed) {
  int correlations = 0;
  for (int t = 0; t < TENANTS; t++) {
    bool tenant = false;
    for (int s = 0; s < SEGMENTS; s++) {
      bool cell = false;
      for (int i = 0; i < ACCOUNTS; i++)
        cell = cell || (visible(b, i) && in_cell(b, i, t, s));
      tenant = tenant || cell;
      if (!cell) {
        expect(f, seed, NAN, "crm_engagements %s", where(t, s));
        continue;
      }
      check_engagements(f, b, seed, t, s);
      check_accounts(f, b, seed, t, s);
      check_stakeholders(f, b, seed, t, s);
      check_responses(f, b, seed, t, s);
    }
    if (tenant) {
      check_tenant(f, b, seed, t);
      correlations += check_correlation(f, b, seed, t);
    }
  }
  return correlations;
}

/* --- sums over a partition ---------------------------------------------------------------------------------------------------- */

/* What may be added: all families per cell, and the counts per tenant. */
static bool is_additive(const struct crm_sample *s) {
  return crm_family_info((enum crm_family)s->family)->scope == CRM_SCOPE_CELL || s->family == CRM_FAM_ENGAGEMENTS_BY_MEMBER ||
         s->family == CRM_FAM_ENGAGEMENT_ACTIVITY || s->family == CRM_FAM_ENGAGEMENT_OUTCOME_CORRELATION_OBSERVATIONS;
}
static bool is_engagement(const struct crm_sample *s) {
  return s->family >= CRM_FAM_ENGAGEMENTS && s->family <= CRM_FAM_ENGAGEMENT_OUTCOME_CORRELATION_OBSERVATIONS;
}

static bool same_labels(const struct crm_series_set *a, const struct crm_sample *x, const struct crm_series_set *b,
                        const struct crm_sample *y) {
  if (x->family != y->family || x->n_labels != y->n_labels)
    return false;
  for (size_t i = 0; i < x->n_labels; i++)
    if (strcmp(crm_set_label_value(a, x, i), crm_set_label_value(b, y, i)) != 0)
      return false;
  return true;
}

static int64_t value_in(const struct fixture *part, const struct fixture *whole, const struct crm_sample *s) {
  for (size_t i = 0; i < part->set.n; i++) {
    const struct crm_sample *p = &part->set.samples[i];
    if (!same_labels(&part->set, p, &whole->set, s))
      continue;
    assert_int_equal(p->value.den, s->value.den);
    return p->value.num;
  }
  return 0;
}

static void check_partition(const struct fixture *whole, const struct base *b, uint64_t seed) {
  struct fixture parts[2];
  for (int k = 0; k < 2; k++)
    evaluate(&parts[k], b, &(struct choice){.future = true, .share = k});
  for (size_t i = 0; i < whole->set.n; i++) {
    const struct crm_sample *s = &whole->set.samples[i];
    if (!is_engagement(s) || !is_additive(s))
      continue;
    if (value_in(&parts[0], whole, s) + value_in(&parts[1], whole, s) != s->value.num)
      fail_msg("base %llu: %s is not the sum of its parts", (unsigned long long)seed, crm_family_info((enum crm_family)s->family)->name);
  }
  for (int k = 0; k < 2; k++)
    fixture_free(&parts[k]);
}

/* --- properties --------------------------------------------------------------------------------------------------------------- */

static int check_base(uint64_t seed, const struct crm_zone *zone, struct base *b) {
  struct chance c = {seed * UINT64_C(1000003)};
  b->zone = zone;
  draw(&c, b);
  struct fixture f;
  evaluate(&f, b, &(struct choice){.future = true, .share = -1});
  int correlations = check_against(&f, b, seed);
  char *text = fixture_dump(&f);
  for (int k = 0; k < 2; k++) {
    struct fixture other;
    evaluate(&other, b, &(struct choice){.future = k == 0, .share = -1, .order = next(&c)});
    char *again = fixture_dump(&other);
    if (strcmp(text, again) != 0)
      fail_msg("base %llu: %s changed what is published", (unsigned long long)seed, k == 0 ? "the order of rows" : "a fact after T");
    free(again);
    fixture_free(&other);
  }
  if (seed % 10 == 0)
    check_partition(&f, b, seed);
  free(text);
  fixture_free(&f);
  return correlations;
}

static void test_random_bases(void **state) {
  static const char *const names[] = {"UTC", "Europe/Berlin", "Asia/Kathmandu"};
  struct crm_zone *zones[3];
  struct crm_error err;
  for (int i = 0; i < 3; i++)
    assert_int_equal(crm_zone_new(names[i], &zones[i], &err), CRM_OK);
  struct base *b = calloc(1, sizeof(*b));
  assert_non_null(b);
  int correlations = 0;
  for (uint64_t seed = 1; seed <= test_bases(BASES); seed++)
    correlations += check_base(seed, zones[seed % 3], b);
  assert_true(correlations > (int)test_bases(BASES) / 2); /* or that family was hardly looked at */
  free(b);
  for (int i = 0; i < 3; i++)
    crm_zone_free(zones[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_bases)};
  return cmocka_run_group_tests_name("engagement_property", tests, NULL, NULL);
}
