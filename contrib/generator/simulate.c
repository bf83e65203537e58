/* SPDX-License-Identifier: MIT */
#include "simulate.h"

#include <math.h>
#include <stdlib.h>

const char *const segment_names[SEGMENTS] = {"startup", "small", "medium", "large", "enterprise"};

/* What the size of a company decides. */
static const struct {
  double share; /* of all accounts, cumulated */
  double arr;   /* typical, in dollars */
  int seats_from, seats_to;
  double churn; /* a year, at average quality */
  int onboarding_days;
} by_segment[SEGMENTS] = {
    [STARTUP] = {0.22, 6000, 4, 12, 0.22, 21},         [SMALL] = {0.52, 18000, 10, 30, 0.17, 30},
    [MEDIUM] = {0.78, 54000, 25, 70, 0.12, 45},        [LARGE] = {0.93, 160000, 60, 150, 0.08, 60},
    [ENTERPRISE] = {1.00, 480000, 140, 400, 0.05, 75},
};

/* Rough exchange rates of the tenants' currencies, so that prices look like prices; see tenants in words.c for the order. */
static const double per_dollar[] = {1, 150, 0.9, 0.3, 0.8};

/* Most prices are monthly ones; some companies have an annual price, which a twelfth does not divide. */
static int64_t round_price(const struct life *life, double price) {
  double unit = price > 1e6 ? 1000 : price > 1e5 ? 100 : price > 1e4 ? 10 : 1;
  unit *= life->method == BY_ARR && life->number % 3 == 0 ? 10 : 12;
  return (int64_t)(unit * fmax(1, round(price / unit)));
}

static int max_int(int a, int b) {
  return a > b ? a : b;
}
static int min_int(int a, int b) {
  return a < b ? a : b;
}

const struct spell *life_spell_at(const struct life *life, int day) {
  for (int i = 0; i < life->n_spells; i++)
    if (day >= life->spells[i].from && day < life->spells[i].until)
      return &life->spells[i];
  return NULL;
}

const struct level *life_level_at(const struct life *life, int day) {
  const struct level *found = NULL;
  for (int i = 0; i < life->n_levels && life->levels[i].at < at_day(day + 1, 0); i++)
    found = &life->levels[i];
  return found;
}

bool life_churned(const struct life *life) {
  return life->n_spells > 0 && life->spells[life->n_spells - 1].until <= life->scenario->end - 1;
}

static void add_level(struct life *life, int64_t at, int64_t arr, int seats) {
  if (life->n_levels < LEVELS_MAX)
    life->levels[life->n_levels++] = (struct level){at, arr, seats};
}

/* A working hour of the day, in seconds. */
static int office_hour(struct prng *r) {
  return prng_between(r, 9 * 3600, 17 * 3600);
}

/* When the customer will leave: at the end of a term, or on any day where nothing is fixed. Fills the terms up to the scenario's end. */
static int plan_contracts(struct life *life, struct prng *r, int from) {
  const int end = life->scenario->end;
  double yearly = by_segment[life->segment].churn * (1.9 - 1.8 * life->quality);
  if (life->segment <= SMALL && prng_chance(r, life->destined ? 0.1 : 0.35)) {
    int until = from + max_int(60, (int)(365 * prng_exponential(r) / yearly));
    if (life->n_terms < SPELLS_MAX * TERMS_MAX)
      life->terms[life->n_terms++] = (struct term){.from = from, .until = DAY_NONE, .renewed_arr = -1, .decided = DAY_NONE};
    return until;
  }
  int months = life->segment >= LARGE && prng_chance(r, 0.3) ? 12 * prng_between(r, 2, 3) : 12;
  for (int k = 0;; k++) {
    int term_from = day_add_months(from, months * k), term_until = day_add_months(from, months * (k + 1));
    bool lost = prng_chance(r, 1 - pow(1 - fmin(yearly, 0.9), months / 12.0)) && !(life->destined && term_until < end);
    int decided = term_until - prng_between(r, 5, 60);
    bool slow = prng_chance(r, 0.25); /* past its end and still not decided */
    if (term_from < end && life->n_terms < SPELLS_MAX * TERMS_MAX) {
      struct term *t = &life->terms[life->n_terms++];
      *t = (struct term){.from = term_from, .until = term_until, .renewed_arr = -1, .decided = DAY_NONE, .lost = lost};
      if ((slow || (life->destined && term_until > end)) && !lost) /* nobody signs in trouble */
        decided = term_until + prng_between(r, 10, 45);
      if (decided < end)
        t->decided = decided;
    }
    if (lost || term_until > end + 200)
      return lost ? term_until : end + 10000;
  }
}

/* Levels within one spell: signing, growth and shrinking in between, uplifts at renewals, zero at the end. */
static void plan_revenue(struct life *life, struct prng *r, const struct spell *spell, int first_term, double arr, int seats) {
  const int end = min_int(spell->until, life->scenario->end);
  double per_seat = arr / seats;
  double grow = 0.40 * (0.4 + 1.2 * life->quality) / 365, shrink = 0.07 * (1.6 - 1.2 * life->quality) / 365;
  int64_t level = round_price(life, arr);
  int64_t at = spell == life->spells && life->inserted_with_arr ? life->created_at : at_day(spell->from, office_hour(r));
  if (at <= life->created_at && !life->inserted_with_arr)
    at = life->created_at + prng_between(r, 600, 4 * 3600);
  add_level(life, at, level, seats);
  int term = first_term;
  for (int day = spell->from;;) {
    int next = day + 1 + (int)(prng_exponential(r) / (grow + shrink));
    int renewal = term < life->n_terms && life->terms[term].until != DAY_NONE ? life->terms[term].until : INT32_MAX;
    bool renewed = next >= renewal;
    day = renewed ? renewal : next;
    if (day >= end || life->n_levels >= LEVELS_MAX - 4)
      break;
    if (renewed) {
      term++;
      if (!prng_chance(r, 0.55))
        continue;
      per_seat *= 1 + 0.01 * prng_between(r, 2, 6);
    } else if (prng_chance(r, life_stress(life, day) > 0.15 ? 0.8 : shrink / (grow + shrink))) {
      int fewer = (int)(seats * (0.10 + 0.25 * prng_real(r)));
      seats -= min_int(max_int(fewer, 1), seats - 1);
    } else if (prng_chance(r, 0.3)) {
      per_seat *= 1.06 + 0.20 * prng_real(r); /* another module */
    } else {
      seats += max_int(1, (int)(seats * (0.08 + 0.30 * prng_real(r))));
    }
    int64_t changed = round_price(life, per_seat * seats);
    if (changed == level)
      continue;
    level = changed;
    add_level(life, at_day(day, office_hour(r)), level, seats);
  }
  if (spell->until < life->scenario->end && life->zero_row) {
    int written = spell->until + prng_below(r, 4);
    if (written < life->scenario->end)
      add_level(life, at_day(written, office_hour(r)), 0, 0);
  }
}

/* Amounts of the terms follow from the levels. */
static void price_terms(struct life *life) {
  for (int i = 0; i < life->n_terms; i++) {
    struct term *t = &life->terms[i];
    const struct level *at_start = life_level_at(life, t->from + 1);
    t->arr = at_start ? at_start->arr : 0;
    if (t->until == DAY_NONE || t->lost || t->decided == DAY_NONE)
      continue;
    const struct level *after = life_level_at(life, min_int(t->until, life->scenario->end - 1));
    t->renewed_arr = after ? after->arr : t->arr;
  }
}

static int pick_tenant(const struct scenario *s, uint64_t number) {
  struct prng r = prng_stream(s->seed, number, FOR_TENANT);
  int draw = prng_below(&r, s->tenants + 1); /* the first is twice as large as each of the others */
  return draw > 0 ? draw - 1 : 0;
}

void life_simulate(struct life *life, const struct scenario *scenario, uint64_t number) {
  struct prng r = prng_stream(scenario->seed, number, FOR_LIFE);
  struct prng money = prng_stream(scenario->seed, number, FOR_MONEY);
  *life = (struct life){.scenario = scenario, .number = number, .tenant = pick_tenant(scenario, number)};
  double u = prng_real(&r);
  while (life->segment < ENTERPRISE && u >= by_segment[life->segment].share)
    life->segment++;
  double fit = prng_real(&r);
  life->quality = 0.35 * prng_real(&r) + 0.65 * fit;
  life->silent = prng_chance(&r, 0.05);
  life->auto_renew = prng_chance(&r, life->segment <= SMALL ? 0.7 : 0.35);
  double kind = prng_real(&r);
  life->priced = kind >= 0.02;
  life->free_of_charge = kind >= 0.02 && kind < 0.05;
  double method = prng_real(&r);
  life->method = method < 0.08 ? BY_MRR : method < 0.11 ? BY_SEATS : BY_ARR;
  life->inserted_with_arr = prng_chance(&r, 0.10);
  life->zero_row = prng_chance(&r, 0.85);
  life->undated = prng_chance(&r, 0.05);
  if (life->undated)
    life->zero_row = false;

  double age = prng_real(&r);
  life->created = scenario->end - 2 - (int)(1480 * age * (0.4 + 0.6 * age));
  life->destined = trouble_destined(scenario->seed, number);
  if (life->destined && prng_chance(&r, life->destined == DESTINED_BADLY ? 0.9 : 0.5)) /* a term ends soon: that is when it shows */
    life->created = day_add_months(scenario->end + prng_between(&r, 3, 35), -12 * prng_between(&r, 1, 3));
  life->created_at = at_day(life->created, prng_between(&r, 8 * 3600, 12 * 3600));
  double wait = prng_real(&r);
  int day = life->created + (wait < 0.70 || life->inserted_with_arr ? 0 : wait < 0.90 ? prng_between(&r, 1, 6) : prng_between(&r, 7, 30));

  double arr = by_segment[life->segment].arr * exp(0.45 * prng_normal(&money));
  arr *= per_dollar[(size_t)life->tenant % (sizeof per_dollar / sizeof *per_dollar)];
  int seats = prng_between(&money, by_segment[life->segment].seats_from, by_segment[life->segment].seats_to);
  life->onboarding_target = day + by_segment[life->segment].onboarding_days;
  life->onboarded = day + (int)(by_segment[life->segment].onboarding_days * (0.6 + 0.9 * prng_real(&r)));
  life->onboarding_on_hold = prng_chance(&r, 0.1);

  while (day < scenario->end && life->n_spells < SPELLS_MAX) {
    struct spell *spell = &life->spells[life->n_spells++];
    int first_term = life->n_terms;
    *spell = (struct spell){day, plan_contracts(life, &r, day)};
    life_plan_troubles(life, &r, spell);
    if (life->priced && !life->free_of_charge)
      plan_revenue(life, &money, spell, first_term, arr, seats);
    if (spell->until >= scenario->end || !prng_chance(&r, 0.30))
      break;
    day = spell->until + prng_between(&r, 60, 300); /* it will come back */
    const struct level *last = life_level_at(life, spell->until - 1);
    if (last && last->arr > 0) {
      double size = 0.6 + 0.5 * prng_real(&money);
      arr = (double)last->arr * size;
      seats = max_int(1, (int)(last->seats * size));
    }
  }
  price_terms(life);
}

bool curve_init(struct curve *curve, const struct scenario *scenario) {
  size_t n = (size_t)scenario->days;
  *curve = (struct curve){.first = scenario->end - scenario->days, .n = scenario->days};
  curve->season = calloc(n, sizeof *curve->season);
  curve->health = calloc(n, sizeof *curve->health);
  curve->stress = calloc(n, sizeof *curve->stress);
  bool complete = curve->season && curve->health && curve->stress;
  for (int k = 0; k < PAINS; k++)
    complete &= (curve->pain[k] = calloc(n, sizeof *curve->pain[k])) != NULL;
  if (!complete) {
    curve_free(curve);
    return false;
  }
  for (int i = 0; i < curve->n; i++) {
    int year, month, day;
    day_to_civil(curve->first + i, &year, &month, &day);
    bool holidays = (month == 12 && day >= 22) || (month == 1 && day <= 2);
    curve->season[i] = (float)(holidays ? 0.35 : month == 8 ? 0.80 : month == 7 ? 0.92 : month == 10 || month == 11 ? 1.06 : 1.0);
  }
  return true;
}

void curve_free(struct curve *curve) {
  free(curve->season);
  free(curve->health);
  free(curve->stress);
  for (int k = 0; k < PAINS; k++)
    free(curve->pain[k]);
}

void curve_simulate(struct curve *curve, const struct life *life) {
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_CURVE);
  double usual = 48 + 44 * life->quality, drift = 4.5 * prng_normal(&r);
  for (int i = 0; i < curve->n; i++) {
    drift = 0.97 * drift + 1.1 * prng_normal(&r); /* AR(1); stationary standard deviation 4.5 */
    curve->health[i] = NAN;
    curve->stress[i] = 0;
    for (int k = 0; k < PAINS; k++)
      curve->pain[k][i] = 0;
    int day = curve->first + i;
    if (!life_spell_at(life, day))
      continue;
    double stress = life->n_troubles > 0 ? life_stress(life, day) : 0;
    double newcomer = day < life->onboarded ? 12.0 * (life->onboarded - day) / (life->onboarded - life->spells[0].from + 1) : 0;
    double health = usual + drift - 60 * stress - newcomer;
    curve->stress[i] = (float)stress;
    for (int k = 0; k < PAINS && stress > 0; k++)
      curve->pain[k][i] = (float)life_pain(life, day, (enum pain)k);
    curve->health[i] = (float)fmin(100, fmax(0, health));
  }
}
