/* SPDX-License-Identifier: MIT */
/* Product usage as a tracking script sees it: devices and sessions in the last SESSION_DAYS days of the window. */
#include <math.h>
#include <stdio.h>

#include "write.h"

#define SESSION_DAYS 120

struct device {
  struct key key;
  int sessions, seconds;
  int64_t first_seen, last_seen;
};

struct visit {
  int64_t at;
  int seconds; /* -1: the browser was closed without a word */
};

static void write_device(struct demo *demo, const struct company *c, const struct key *tracked, const struct device *device,
                         const char *mail) {
  struct table *t = row_begin(&demo->out, T_FINGERPRINT);
  put_key(t, &device->key);
  put_key(t, &c->tenant->product);
  put_key(t, tracked);
  put_text(t, mail ? "identified" : device->sessions > 3 ? "returning" : "anonymous");
  put_time(t, device->first_seen);
  put_time(t, device->last_seen);
  put_int(t, device->sessions);
  put_int(t, device->seconds);
  put_text(t, mail);
  row_end(&demo->out, t);
}

static void write_session(struct demo *demo, const struct company *c, const struct key *tracked, struct device *device, uint64_t number,
                          struct visit visit, int views) {
  struct key key = key_make(c->life->scenario->seed, KEY_SESSION, c->life->number, number);
  char token[32];
  snprintf(token, sizeof token, "s%07x-%06x", (unsigned)c->life->number, (unsigned)number);
  struct table *t = row_begin(&demo->out, T_SESSION);
  put_key(t, &key);
  put_key(t, &c->tenant->product);
  put_key(t, &device->key);
  put_key(t, tracked);
  put_text(t, token);
  put_time(t, visit.at);
  put_time_or_null(t, visit.seconds < 0 ? TIME_NONE : visit.at + visit.seconds);
  if (visit.seconds < 0)
    put_null(t);
  else
    put_int(t, visit.seconds);
  put_int(t, views);
  put_int(t, 2 * views);
  row_end(&demo->out, t);
  if (device->sessions++ == 0)
    device->first_seen = visit.at;
  device->last_seen = visit.at;
  device->seconds += visit.seconds < 0 ? 0 : visit.seconds;
}

/* One person with one or two devices, at most one session a day. Returns the number of the next session. */
static uint64_t write_person(struct demo *demo, const struct company *c, struct prng *r, const struct key *tracked, int person,
                             uint64_t number) {
  const struct life *life = c->life;
  const struct curve *curve = &demo->curve;
  const int end = life->scenario->end;
  struct device devices[2] = {{.key = key_make(life->scenario->seed, KEY_FINGERPRINT, life->number, 2 * (uint64_t)person)},
                              {.key = key_make(life->scenario->seed, KEY_FINGERPRINT, life->number, 2 * (uint64_t)person + 1)}};
  double habit = prng_real(r), rate = 0.04 + 0.24 * habit * habit, gives_up = 0.25 + 1.1 * prng_real(r);
  double usual = 360 + 900 * life->quality;
  bool two = prng_chance(r, 0.2), named = !prng_chance(r, 0.15);
  int first = curve->n > SESSION_DAYS ? end - SESSION_DAYS : curve->first;
  for (int day = first + (int)(prng_exponential(r) / rate); day < end; day += 1 + (int)(prng_exponential(r) / rate)) {
    int i = day - curve->first;
    double noise = prng_normal(r), draw = prng_real(r);
    int seconds = prng_between(r, 7 * 3600, 20 * 3600);
    bool weekend = day_of_week(day) >= 5;
    if (isnan(curve->health[i]) || curve->pain[PAIN_USE][i] > gives_up || draw > curve->season[i] * (weekend ? 0.15 : 1))
      continue;
    struct visit visit = {at_day(day, seconds), (int)(usual * exp(0.7 * noise) * (1 - 0.6 * curve->pain[PAIN_USE][i]))};
    if (draw < 0.02)
      visit.seconds = -1;
    write_session(demo, c, tracked, &devices[two && draw < 0.10], number++, visit, 1 + visit.seconds / 90);
    c->tenant->sessions[i]++;
  }
  char mail[80];
  snprintf(mail, sizeof mail, "user%d@%s", person, c->domain);
  for (int i = 0; i < 2; i++)
    if (devices[i].sessions > 0)
      write_device(demo, c, tracked, &devices[i], named ? mail : NULL);
  return number;
}

void write_usage(struct demo *demo, const struct company *c) {
  const struct life *life = c->life;
  const int end = life->scenario->end;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_USAGE);
  bool tracked_at_all = !prng_chance(&r, 0.08), mapped = !prng_chance(&r, 0.04);
  const struct level *level = life_level_at(life, end - 1);
  if (level && level->seats == 0 && life->n_levels > 1)
    level--; /* left: those who were there before */
  int seats = level && level->seats > 0 ? level->seats : 5;
  int people = (int)ceil(seats * (0.35 + 0.65 * life->quality));
  if (!tracked_at_all || life->n_spells == 0)
    return;
  struct key tracked = key_make(life->scenario->seed, KEY_TRACKED, life->number, 0);
  struct table *t = row_begin(&demo->out, T_TRACKED);
  put_key(t, &tracked);
  put_key(t, &c->tenant->product);
  put_text(t, c->domain); /* the customer's own name for itself */
  put_text(t, c->domain);
  if (mapped)
    put_key(t, &c->key);
  else
    put_null(t);
  put_time(t, life->created_at);
  put_time(t, at_day(end - 1, 12 * 3600));
  row_end(&demo->out, t);
  uint64_t number = 0;
  for (int person = 0; person < people; person++)
    number = write_person(demo, c, &r, &tracked, person, number);
  if (number == 0)
    return;
  struct key key = key_make(life->scenario->seed, KEY_USAGE_METRIC, life->number, 0);
  t = row_begin(&demo->out, T_USAGE_METRIC); /* one account row beside the product's rows */
  put_key(t, &key);
  put_key(t, &c->tenant->product);
  put_key(t, &tracked);
  put_day(t, end - 1);
  put_int(t, people);
  put_int(t, (int64_t)number);
  put_int(t, 3 * (int64_t)number);
  row_end(&demo->out, t);
}

void write_product_totals(struct demo *demo) {
  const struct scenario *s = &demo->scenario;
  int days = s->days < SESSION_DAYS ? s->days : SESSION_DAYS;
  for (int i = 0; i < s->tenants; i++)
    for (int d = s->days - days; d < s->days; d++) {
      const struct tenant *tenant = &demo->tenants[i];
      struct key key = key_make(s->seed, KEY_USAGE_METRIC, UINT64_C(1) << 40 | (uint64_t)i, (uint64_t)d);
      struct table *t = row_begin(&demo->out, T_USAGE_METRIC);
      put_key(t, &key);
      put_key(t, &tenant->product);
      put_null(t);
      put_day(t, demo->curve.first + d);
      put_int(t, tenant->sessions[d]); /* nobody comes twice a day */
      put_int(t, tenant->sessions[d]);
      put_int(t, 3 * (int64_t)tenant->sessions[d]);
      row_end(&demo->out, t);
    }
}
