/* SPDX-License-Identifier: MIT */
/* What happens day by day inside the scenario's window: engagements, health, support, NPS, adoption. */
#include <math.h>
#include <string.h>

#include "write.h"

enum kind { MEETING, CALL, EMAIL, NOTE, DEMO, TRAINING, KINDS };
static const struct {
  const char *name, *title;
  double share; /* cumulated */
  int participants;
} kinds[KINDS] = {
    [MEETING] = {"meeting", "Check-in", 0.26, 3}, [CALL] = {"call", "Call", 0.44, 2}, [EMAIL] = {"email", "Mail", 0.79, 2},
    [NOTE] = {"note", "Note", 0.87, 0},           [DEMO] = {"demo", "Demo", 0.92, 3}, [TRAINING] = {"training", "Training", 1.00, 4},
};

static void write_participants(struct demo *demo, const struct company *c, struct prng *r, const struct key *engagement, uint64_t number,
                               int day, int64_t added, int wanted, double pain) {
  const struct life *life = c->life;
  if (wanted == 0 || c->n_contacts == 0)
    return;
  int start = prng_chance(r, 0.35) ? 0 : prng_below(r, c->n_contacts), written = 0;
  for (int i = 0; i < c->n_contacts && written < wanted; i++) {
    const struct contact *contact = &c->contacts[(start + i) % c->n_contacts];
    if (day < contact->from || day > contact->until)
      continue;
    double role = prng_real(r), answer = prng_real(r);
    const char *type = role < 0.12 ? "organizer" : role < 0.85 ? "attendee" : role < 0.95 ? "optional" : "mentioned";
    const char *response = answer < 0.73 + 0.2 * (life->quality - 0.5) - 0.50 * pain    ? "accepted"
                           : answer < 0.80 + 0.15 * (life->quality - 0.5) - 0.30 * pain ? "declined"
                           : answer < 0.84 - 0.20 * pain                                ? "tentative"
                           : answer < 0.93                                              ? "no_response"
                                                                                        : NULL;
    struct key key = key_make(life->scenario->seed, KEY_PARTICIPANT, life->number, number * 16 + (uint64_t)written);
    struct table *t = row_begin(&demo->out, T_PARTICIPANT);
    put_key(t, &key);
    put_key(t, engagement);
    put_key(t, &contact->key);
    put_text(t, type);
    put_text(t, role < 0.95 ? response : NULL);
    put_time(t, added);
    row_end(&demo->out, t);
    written++;
  }
}

static void write_engagement(struct demo *demo, const struct company *c, struct prng *r, uint64_t number, int day, int seconds,
                             enum kind kind, bool planned, bool held, double pain) {
  const struct life *life = c->life;
  struct key key = key_make(life->scenario->seed, KEY_ENGAGEMENT, life->number, number);
  double mood = prng_real(r) + 0.35 * (life->quality - 0.5) - 1.05 * pain;
  const char *outcome = mood > 0.42 ? "positive" : mood > 0.10 ? "neutral" : mood > 0.0 ? "action_required" : "negative";
  bool recorded = held && kind != NOTE && prng_chance(r, kind == EMAIL ? 0.45 : 0.85);
  int length = kind == EMAIL || kind == NOTE ? 0 : 900 * prng_between(r, 1, 4);
  int64_t at = at_day(day, seconds), last = at_day(life->scenario->end, 0) - 1;
  int64_t completed = at + length < last ? at + length : last;
  int64_t created = held ? at_day(day, 0) - 86400 * prng_below(r, 14) : at_day(day - prng_between(r, 22, 30), 8 * 3600);
  if (!planned)
    created = at;
  struct table *t = row_begin(&demo->out, T_ENGAGEMENT);
  put_key(t, &key);
  put_key(t, &c->tenant->key);
  put_key(t, &c->key);
  put_text(t, kinds[kind].name);
  put_text(t, kinds[kind].title);
  put_text(t, recorded ? outcome : NULL);
  put_time_or_null(t, planned ? at : TIME_NONE);
  put_time_or_null(t, held ? completed : TIME_NONE);
  if (c->has_csm)
    put_key(t, &c->csm);
  else
    put_null(t);
  put_time(t, created);
  put_time(t, held ? completed : created);
  row_end(&demo->out, t);

  write_participants(demo, c, r, &key, number, day, created,
                     kinds[kind].participants > 0 ? 1 + prng_below(r, kinds[kind].participants + 1) : 0, pain);
  if (held && (kind == EMAIL || kind == CALL) && prng_chance(r, 0.6)) {
    double hours = 5 * exp(1.1 * prng_normal(r)) * (1.8 - 1.4 * life->quality + 11 * pain);
    t = row_begin(&demo->out, T_RESPONSE);
    put_key(t, &key);
    put_int(t, (int)(3600 * hours));
    row_end(&demo->out, t);
  }
}

void write_engagements(struct demo *demo, const struct company *c) {
  static const double yearly[SEGMENTS] = {38, 52, 66, 85, 120};
  const struct life *life = c->life;
  const struct curve *curve = &demo->curve;
  const int end = life->scenario->end;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_ENGAGEMENT);
  double rate = yearly[life->segment] * (0.7 + 0.6 * prng_real(&r)) * (life->silent ? 0.05 : 1) / 365;
  uint64_t number = 0;
  /* Gaps are drawn at the full rate; trouble and holidays then thin them out. Up to three weeks ahead are in the calendar. */
  for (double when = curve->first + prng_exponential(&r) / rate; when < end + 21; when += prng_exponential(&r) / rate) {
    int day = (int)when;
    double pain = curve_covers(curve, day) ? curve->pain[PAIN_PEOPLE][day - curve->first] : life_pain(life, end - 1, PAIN_PEOPLE);
    double season = curve_covers(curve, day) ? curve->season[day - curve->first] : 1;
    bool dropped = prng_real(&r) > season * (1 - 0.15 * pain);
    double draw = prng_real(&r);
    enum kind kind = MEETING;
    while (kind < TRAINING && draw >= kinds[kind].share)
      kind++;
    bool planned = kind != NOTE && (kind != EMAIL || prng_chance(&r, 0.2));
    bool missed = planned && prng_chance(&r, 0.02 + 0.16 * (1 - life->quality) + 0.78 * pain);
    int seconds = prng_between(&r, 8, 17) * 3600 + 900 * prng_below(&r, 4);
    if (kind != EMAIL && day_of_week(day) >= 5)
      day -= day_of_week(day) - 4; /* no meetings at weekends: the Friday before */
    bool future = day >= end;
    if (dropped || day < curve->first || !life_spell_at(life, future ? end - 1 : day) || (future && (!planned || kind == EMAIL)))
      continue;
    write_engagement(demo, c, &r, number++, day, seconds, kind, planned, !future && !missed, pain);
  }
}

static void write_health_row(struct demo *demo, const struct key *account, const struct tenant *tenant, const struct life *life,
                             uint64_t number, int day, int logins, int adoption, int tickets, int training, int health) {
  struct key key = key_make(life->scenario->seed, KEY_HEALTH, life->number, number);
  struct table *t = row_begin(&demo->out, T_HEALTH);
  put_key(t, &key);
  put_key(t, &tenant->key);
  put_key(t, account);
  put_day(t, day);
  if (logins < 0)
    put_null(t);
  else
    put_int(t, logins);
  if (adoption < 0)
    put_null(t);
  else
    put_int(t, adoption);
  put_int(t, tickets);
  put_int(t, training);
  put_int(t, health);
  put_time(t, at_day(day, 23 * 3600));
  row_end(&demo->out, t);
}

void write_health(struct demo *demo, const struct company *c) {
  const struct life *life = c->life;
  const struct curve *curve = &demo->curve;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_HEALTH);
  bool connected = !prng_chance(&r, 0.05), no_adoption = prng_chance(&r, 0.05);
  double logins = 1.6 + 7.5 * life->quality, adoption = 32 + 72 * life->quality + 6 * prng_normal(&r);
  uint64_t number = 0;
  if (life->number % 97 == 41) { /* rows that a deleted account has left behind */
    struct key gone = key_make(life->scenario->seed, KEY_ACCOUNT, life->number, 1);
    for (int i = 0; i < 3; i++)
      write_health_row(demo, &gone, c->tenant, life, 1000000 + (uint64_t)i, curve->first + curve->n - 3 + i, 3, 40, 0, 20, 55);
  }
  for (int i = 0; connected && i < curve->n; i++) {
    uint64_t bits = prng_next(&r);
    double noise = prng_normal(&r);
    if (isnan(curve->health[i]))
      continue;
    if ((bits & 31) == 0) /* the nightly job did not run */
      continue;
    double pain = curve->pain[PAIN_USE][i], season = curve->season[i];
    int l = (int)lrint(logins * season * (1 - 0.92 * pain) * (1 + 0.18 * noise));
    int a = (int)lrint(adoption * (1 - 0.85 * pain) * (0.9 + 0.1 * season) + 1.5 * noise);
    a = a < 0 ? 0 : a > 100 ? 100 : a;
    l = l < 0 ? 0 : l;
    int tickets = (int)((bits >> 8) & 7) == 0 ? 1 : 0, training = (int)(40 + 50 * life->quality);
    int health = (int)lrint(curve->health[i]);
    bool torn = ((bits >> 16) & 255) == 0; /* one of the sources did not answer */
    int day = curve->first + i;
    write_health_row(demo, &c->key, c->tenant, life, number++, day, torn ? -1 : l, no_adoption ? -1 : a, tickets, training,
                     torn ? 50 : health);
    if (((bits >> 24) & 511) == 0) /* the job ran twice */
      write_health_row(demo, &c->key, c->tenant, life, number++, day, l, no_adoption ? -1 : a, tickets, training, health);
  }
}

struct storm {
  int from, until;
  double strength;
};

static void write_support_row(struct demo *demo, const struct company *c, uint64_t number, const char *provider, int day, int fresh,
                              int solved, int waiting, double hours, double first_hours, int escalated, double csat, int severity,
                              int before) {
  struct key key = key_make(c->life->scenario->seed, KEY_SUPPORT, c->life->number, number);
  struct table *t = row_begin(&demo->out, T_SUPPORT);
  put_key(t, &key);
  put_key(t, &c->tenant->key);
  put_key(t, &c->key);
  put_text(t, provider);
  put_day(t, day);
  put_int(t, fresh + waiting);
  put_int(t, fresh);
  put_int(t, solved);
  put_int(t, waiting);
  if (solved == 0)
    put_null(t);
  else
    put_decimal(t, llrint(100 * hours), 2);
  if (fresh == 0)
    put_null(t);
  else
    put_decimal(t, llrint(100 * first_hours), 2);
  put_int(t, escalated);
  if (csat < 1)
    put_null(t);
  else
    put_decimal(t, llrint(100 * csat), 2);
  if (fresh + waiting == 0)
    put_null(t);
  else
    put_int(t, severity);
  put_text(t, fresh > before + 1 ? "increasing" : fresh + 1 < before ? "decreasing" : "stable");
  put_time(t, at_day(day, 6 * 3600));
  put_time(t, at_day(day, 6 * 3600));
  row_end(&demo->out, t);
}

/* Weekly figures of one desk. */
static void write_desk(struct demo *demo, const struct company *c, struct prng *r, uint64_t first_number, const char *provider,
                       double volume, const struct storm *storms, int n_storms) {
  const struct life *life = c->life;
  const struct curve *curve = &demo->curve;
  const struct level *level = life->n_levels > 0 ? &life->levels[0] : NULL;
  double weekly = volume * sqrt(level && level->seats > 0 ? level->seats : 8);
  int waiting = 0, before = 0;
  uint64_t number = first_number;
  int i = (7 - day_of_week(curve->first)) % 7; /* Mondays */
  for (; i < curve->n; i += 7) {
    if (isnan(curve->health[i]))
      continue;
    int day = curve->first + i;
    double pain = curve->pain[PAIN_SUPPORT][i], heavy = 1 + 4 * pain;
    for (int k = 0; k < n_storms; k++)
      if (day >= storms[k].from && day < storms[k].until)
        heavy = fmax(heavy, storms[k].strength);
    bool storm = heavy > 2;
    int fresh = prng_poisson(r, weekly * curve->season[i] * heavy);
    int could = prng_poisson(r, weekly * 1.4 + 1.0);
    int solved = waiting + fresh < could ? waiting + fresh : could, escalated = 0;
    waiting += fresh - solved;
    for (int n = 0; n < fresh; n++)
      escalated += prng_chance(r, (storm ? 0.12 : 0.03) + 0.65 * pain);
    double hours = 14 * exp(0.6 * prng_normal(r)) * (storm ? 2.6 : 1) * (2.1 - 1.8 * life->quality + pain);
    double first_hours = 2 * exp(0.8 * prng_normal(r)) * (storm ? 3 : 1);
    double csat = 3.9 + 0.9 * life->quality - 1.2 * pain - (storm ? 1.0 : 0) + 0.45 * prng_normal(r);
    csat = csat < 1 ? 1 : csat > 5 ? 5 : csat;
    if (solved == 0 || prng_chance(r, 0.4))
      csat = 0; /* nobody answered the little form */
    int severity = (int)(33 - 28 * life->quality + 8 * prng_normal(r) + (storm ? 30 : 0) + 12 * pain);
    severity = severity < 0 ? 0 : severity > 100 ? 100 : severity;
    write_support_row(demo, c, number++, provider, day, fresh, solved, waiting, hours, first_hours, escalated, csat, severity, before);
    before = fresh;
  }
}

void write_support(struct demo *demo, const struct company *c) {
  static const char *const desks[] = {"zendesk", "intercom", "freshdesk"};
  const struct life *life = c->life;
  const struct curve *curve = &demo->curve;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_SUPPORT);
  struct storm storms[16];
  int n_storms = 0;
  for (int day = curve->first; day < curve->first + curve->n && n_storms < 16; day += 365) {
    bool comes = prng_chance(&r, 0.45);
    int from = day + prng_below(&r, 365);
    struct storm storm = {from, from + prng_between(&r, 14, 35), 4 + 4 * prng_real(&r)};
    if (comes)
      storms[n_storms++] = storm;
  }
  bool has_desk = !prng_chance(&r, 0.08), second = prng_chance(&r, 0.12);
  const char *desk = desks[prng_below(&r, 3)];
  double volume = 0.12 + 0.22 * prng_real(&r);
  if (!has_desk)
    return;
  write_desk(demo, c, &r, 0, desk, volume, storms, n_storms);
  if (second)
    write_desk(demo, c, &r, 100000, "jira", 0.3 * volume, storms, n_storms);
}

void write_nps(struct demo *demo, const struct company *c) {
  const struct life *life = c->life;
  const struct curve *curve = &demo->curve;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_NPS);
  uint64_t number = 0;
  int phase = prng_below(&r, 91);
  for (int i = phase; i < curve->n; i += 91) {
    bool answered = prng_chance(&r, 0.85);
    int answers = prng_chance(&r, 0.25) ? 2 : 1, wait = prng_below(&r, 14);
    double noise[2] = {prng_normal(&r), prng_normal(&r)};
    int on = i + wait;
    if (!answered || on >= curve->n || isnan(curve->health[on]))
      continue;
    for (int k = 0; k < answers; k++) {
      int score = (int)lrint(1.4 + curve->health[on] / 10.5 + 1.7 * noise[k]);
      struct key key = key_make(life->scenario->seed, KEY_NPS, life->number, number++);
      struct table *t = row_begin(&demo->out, T_NPS);
      put_key(t, &key);
      put_key(t, &c->tenant->key);
      put_key(t, &c->key);
      put_int(t, score < 0 ? 0 : score > 10 ? 10 : score);
      put_day(t, curve->first + on);
      put_time(t, at_day(curve->first + on, 12 * 3600));
      row_end(&demo->out, t);
    }
  }
}

void write_adoption(struct demo *demo, const struct company *c) {
  static const char *const names[] = {"dashboards_created", "exports_run"};
  const struct life *life = c->life;
  const struct curve *curve = &demo->curve;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_HEALTH + 100);
  uint64_t number = 0;
  for (int i = 29; i < curve->n; i += 30)
    for (int k = 0; k < 2; k++) {
      int value = prng_poisson(&r, (k ? 25 : 6) * (0.5 + life->quality) * (1 - curve->pain[PAIN_USE][i]));
      if (isnan(curve->health[i]))
        continue;
      struct key key = key_make(life->scenario->seed, KEY_ADOPTION, life->number, number++);
      struct table *t = row_begin(&demo->out, T_ADOPTION);
      put_key(t, &key);
      put_key(t, &c->tenant->key);
      put_key(t, &c->key);
      put_text(t, names[k]);
      put_int(t, value);
      put_text(t, "usage");
      put_time(t, at_day(curve->first + i, 3600));
      row_end(&demo->out, t);
    }
}
