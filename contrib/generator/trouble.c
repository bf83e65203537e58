/* SPDX-License-Identifier: MIT */
/* Troubles: who gets into one, what it looks like from outside, and how it ends. What people say, how they pay and what they ask support
 * for comes first; then the product is dropped within a few weeks. No two troubles show on the same sides. */
#include <math.h>

#include "simulate.h"

#define FADE_DAYS 45
#define WARNING_DAYS 14 /* until the early signs are there in full */
#define DESTINED_EVERY 15

/* How much of a trouble shows on which side. */
static const struct {
  double chance; /* cumulated */
  double pain[PAINS];
} patterns[] = {
    {0.34, {[PAIN_USE] = 1.0, [PAIN_PEOPLE] = 1.0, [PAIN_SUPPORT] = 1.0, [PAIN_RIVALS] = 1.0, [PAIN_MONEY] = 1.0}},
    {0.54, {[PAIN_USE] = 1.0, [PAIN_PEOPLE] = 0.60, [PAIN_SUPPORT] = 0.10, [PAIN_RIVALS] = 0.25, [PAIN_MONEY] = 0.25}},
    {0.70, {[PAIN_USE] = 0.65, [PAIN_PEOPLE] = 0.80, [PAIN_SUPPORT] = 1.0, [PAIN_RIVALS] = 0.40, [PAIN_MONEY] = 0.20}},
    {0.84, {[PAIN_USE] = 0.70, [PAIN_PEOPLE] = 0.45, [PAIN_SUPPORT] = 0.05, [PAIN_RIVALS] = 0.60, [PAIN_MONEY] = 1.0}},
    {1.00, {[PAIN_USE] = 0.85, [PAIN_PEOPLE] = 0.50, [PAIN_SUPPORT] = 0.20, [PAIN_RIVALS] = 1.0, [PAIN_MONEY] = 0.30}},
};
#define PATTERNS ((int)(sizeof patterns / sizeof *patterns))

/* By number and not by chance, so that a small customer base, too, has its share: one in each block of so many,
 * every other one on all sides. */
enum destiny trouble_destined(uint64_t seed, uint64_t number) {
  uint64_t block = number / DESTINED_EVERY;
  if (prng_mix(prng_mix(seed + UINT64_C(0x5851f42d4c957f2d)) ^ block) % DESTINED_EVERY != number % DESTINED_EVERY)
    return NOT_DESTINED;
  return block % 2 == 0 ? DESTINED_BADLY : DESTINED;
}

/* 1 while it lasts, then less and less. */
static double fading(const struct trouble *t, int day) {
  return day <= t->until ? 1 : fmax(0, 1 - (double)(day - t->until) / FADE_DAYS);
}

static bool felt(const struct trouble *t, int day) {
  return day > t->from && day < t->until + FADE_DAYS;
}

double life_stress(const struct life *life, int day) {
  double stress = 0;
  for (int i = 0; i < life->n_troubles; i++) {
    const struct trouble *t = &life->troubles[i];
    if (felt(t, day))
      stress = fmax(stress, t->depth * fmin(1, (double)(day - t->from) / (t->peak - t->from)) * fading(t, day));
  }
  return stress;
}

double life_pain(const struct life *life, int day, enum pain side) {
  double pain = 0;
  for (int i = 0; i < life->n_troubles; i++) {
    const struct trouble *t = &life->troubles[i];
    if (!felt(t, day))
      continue;
    double part;
    if (side == PAIN_USE) {
      double x = fmin(1, fmax(0, (double)(day - t->collapse) / (t->peak - t->collapse)));
      part = x * x * (3 - 2 * x);
    } else {
      part = fmin(1, (double)(day - t->from) / WARNING_DAYS);
    }
    pain = fmax(pain, t->pain[side] * part * fading(t, day));
  }
  return pain;
}

static void add_trouble(struct life *life, struct prng *r, struct trouble t, bool all_round) {
  int pattern = 0;
  double draw = all_round ? 0 : prng_real(r);
  while (pattern < PATTERNS - 1 && draw >= patterns[pattern].chance)
    pattern++;
  for (int k = 0; k < PAINS; k++)
    t.pain[k] = t.depth * patterns[pattern].pain[k] * (0.8 + 0.2 * prng_real(r));
  if (life->n_troubles < TROUBLES_MAX && t.from < t.collapse && t.collapse < t.peak && t.peak <= t.until)
    life->troubles[life->n_troubles++] = t;
}

/* The weeks before a customer leaves. */
static void plan_farewell(struct life *life, struct prng *r, const struct spell *spell) {
  int peak = spell->until - prng_between(r, 0, 25), collapse = peak - prng_between(r, 12, 28), from = collapse - prng_between(r, 35, 75);
  int earliest = spell->from + 15;
  if (from < earliest) { /* it hardly began */
    from = earliest;
    collapse = from + (spell->until - from) / 3;
    peak = from + (spell->until - from) * 2 / 3;
  }
  struct trouble t = {.from = from, .collapse = collapse, .peak = peak, .until = spell->until, .depth = 0.75 + 0.25 * prng_real(r)};
  add_trouble(life, r, t, false);
}

/* A trouble that has come in the last weeks; nobody knows yet how it will end. */
static void plan_crisis(struct life *life, struct prng *r) {
  const int end = life->scenario->end;
  bool all_round = life->destined == DESTINED_BADLY;
  int collapse = end - prng_between(r, 27, 36);
  struct trouble t = {.from = collapse - (all_round ? prng_between(r, 50, 70) : prng_between(r, 30, 60)),
                      .collapse = collapse,
                      .peak = collapse + prng_between(r, 5, 12),
                      .until = end + 30,
                      .depth = all_round ? 0.94 + 0.06 * prng_real(r) : 0.72 + 0.12 * prng_real(r)};
  add_trouble(life, r, t, all_round);
}

/* Troubles that pass: most of them slow and shallow, some as steep as those that end badly. */
static void plan_passing(struct life *life, struct prng *r, const struct spell *spell) {
  const int end = life->scenario->end, last = end < spell->until - 240 ? end : spell->until - 240;
  for (int day = spell->from + 60; day < last; day += 180) {
    if (!prng_chance(r, 0.50 - 0.40 * life->quality))
      continue;
    bool steep = prng_chance(r, 0.35);
    struct trouble t = {.from = day + prng_below(r, 60), .depth = steep ? 0.7 + 0.25 * prng_real(r) : 0.35 + 0.35 * prng_real(r)};
    t.collapse = t.from + prng_between(r, 20, 45);
    t.peak = t.collapse + (steep ? prng_between(r, 12, 30) : prng_between(r, 40, 70));
    t.until = t.peak + prng_between(r, 0, 30);
    add_trouble(life, r, t, false);
  }
}

void life_plan_troubles(struct life *life, struct prng *r, const struct spell *spell) {
  const int end = life->scenario->end;
  if (spell->until < end + 150)
    plan_farewell(life, r, spell);
  if (life->destined && spell->until > end + 30 && spell->from < end - 120)
    plan_crisis(life, r);
  plan_passing(life, r, spell);
}
