/* SPDX-License-Identifier: MIT */
/* What the application's own schema does not hold (schema crm_ext), and the goals. */
#include <math.h>

#include "write.h"

static void put_currency(struct table *t, const struct company *c) {
  put_text(t, c->tenant->currency);
}

/* An amount of whole major units times `numerator` / 12, to the currency's last decimal. */
static void put_twelfths(struct table *t, const struct company *c, int64_t arr, int numerator) {
  int64_t scale = c->tenant->exponent == 0 ? 1 : c->tenant->exponent == 3 ? 1000 : 100;
  put_decimal(t, (arr * numerator * scale + 6) / 12, c->tenant->exponent);
}

void write_contracts(struct demo *demo, const struct company *c) {
  const struct life *life = c->life;
  const int end = life->scenario->end;
  if (life->undated || !life->priced)
    return;
  for (int i = 0; i < life->n_terms; i++) {
    const struct term *term = &life->terms[i];
    const struct spell *spell = life_spell_at(life, term->from);
    int until = term->until;
    bool lost = term->lost && term->decided != DAY_NONE, renewed = !term->lost && term->decided != DAY_NONE;
    int64_t decided = term->decided == DAY_NONE ? TIME_NONE : at_day(term->decided, 11 * 3600);
    if (until == DAY_NONE && spell && spell->until < end) { /* open-ended, and given notice */
      until = spell->until;
      lost = true;
      decided = at_day(until - 30 > term->from ? until - 30 : term->from, 11 * 3600);
    }
    struct key key = key_make(life->scenario->seed, KEY_CONTRACT, life->number, (uint64_t)i);
    struct table *t = row_begin(&demo->out, T_CONTRACT);
    put_key(t, &key);
    put_key(t, &c->key);
    put_day(t, term->from);
    put_day_or_null(t, until);
    if (life->number % 31 == 5 && i == 0) /* signed on paper, never typed in */
      put_null(t);
    else
      put_decimal(t, term->arr, 0);
    put_currency(t, c);
    put_bool(t, life->auto_renew);
    put_text(t, lost ? "lost" : renewed ? "renewed" : NULL);
    put_time_or_null(t, decided);
    if (renewed && term->renewed_arr >= 0)
      put_decimal(t, term->renewed_arr, 0);
    else
      put_null(t);
    put_time(t, decided == TIME_NONE ? at_day(term->from, 11 * 3600) : decided);
    row_end(&demo->out, t);
  }
}

void write_invoices(struct demo *demo, const struct company *c) {
  const struct life *life = c->life;
  const int end = life->scenario->end;
  const int reach = end - (life->scenario->days > 400 ? life->scenario->days : 400);
  const int months = life->segment <= SMALL ? 1 : life->segment <= LARGE ? 3 : 12;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_INVOICE);
  double sloppy = prng_real(&r); /* how this customer pays */
  uint64_t number = 0;
  for (int s = 0; s < life->n_spells; s++) {
    const struct spell *spell = &life->spells[s];
    for (int k = 0;; k++, number++) {
      int issued = day_add_months(spell->from, months * k), due = issued + 30;
      if (issued >= end || issued >= spell->until)
        break;
      double pain = life_pain(life, due - 10 < spell->until ? due - 10 : issued, PAIN_MONEY);
      double mood = prng_real(&r);
      int delay = mood < 0.86 - 0.50 * sloppy - 0.85 * pain ? -prng_below(&r, 25) : prng_between(&r, 1, 10 + (int)(50 * sloppy));
      bool never = prng_chance(&r, 0.004 + 0.3 * pain), cancelled = prng_chance(&r, 0.004);
      const struct level *level = life_level_at(life, issued + 1);
      if (issued < reach || !level || level->arr == 0)
        continue;
      int64_t paid = never || cancelled ? TIME_NONE : at_day(due + delay, prng_between(&r, 8 * 3600, 16 * 3600));
      if (paid != TIME_NONE && paid >= at_day(end, 0))
        paid = TIME_NONE;
      bool lost_case = never && due < end - 180;
      struct key key = key_make(life->scenario->seed, KEY_INVOICE, life->number, number);
      struct table *t = row_begin(&demo->out, T_INVOICE);
      put_key(t, &key);
      put_key(t, &c->key);
      put_day(t, issued);
      put_day(t, due);
      put_time_or_null(t, paid);
      put_twelfths(t, c, level->arr, months);
      put_currency(t, c);
      put_text(t, cancelled ? "void" : paid != TIME_NONE ? "paid" : lost_case ? "uncollectible" : "open");
      put_time(t, paid != TIME_NONE ? paid : at_day(issued, 7 * 3600));
      row_end(&demo->out, t);
    }
  }
}

static void write_opportunity(struct demo *demo, const struct company *c, uint64_t number, const char *kind, int64_t amount,
                              const char *stage, int opened, int closed, int probability) {
  struct key key = key_make(c->life->scenario->seed, KEY_OPPORTUNITY, c->life->number, number);
  struct table *t = row_begin(&demo->out, T_OPPORTUNITY);
  put_key(t, &key);
  put_key(t, &c->key);
  put_text(t, kind);
  put_decimal(t, amount, 0);
  put_currency(t, c);
  put_text(t, stage);
  put_time(t, at_day(opened, 10 * 3600));
  put_time_or_null(t, closed == DAY_NONE ? TIME_NONE : at_day(closed, 10 * 3600));
  if (probability < 0)
    put_null(t);
  else
    put_int(t, probability);
  put_time(t, at_day(closed == DAY_NONE ? opened : closed, 10 * 3600));
  row_end(&demo->out, t);
}

static int day_of(int64_t at) {
  return (int)(at / 86400);
}

void write_opportunities(struct demo *demo, const struct company *c) {
  static const char *const kinds[] = {"upsell", "cross_sell", "expansion"};
  const struct life *life = c->life;
  const int end = life->scenario->end;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_SALES);
  uint64_t number = 0;
  for (int i = 0; i < life->n_levels; i++) {
    int64_t gain = life->levels[i].arr - (i > 0 ? life->levels[i - 1].arr : 0);
    int closed = day_of(life->levels[i].at), opened = closed - prng_between(&r, 15, 60);
    bool first = i == 0, seats = i > 0 && life->levels[i].seats > life->levels[i - 1].seats;
    const char *kind = first || life->levels[i - 1].arr == 0 ? "new" : seats ? "expansion" : kinds[prng_below(&r, 2)];
    if (gain <= 0 || prng_chance(&r, 0.1))
      continue;
    /* A sale to a company may begin before it was entered as an account. */
    write_opportunity(demo, c, number++, kind, gain, "won", opened, closed, 100);
  }
  for (int s = 0; s < life->n_spells; s++) {
    int until = life->spells[s].until < end ? life->spells[s].until : end;
    for (int day = life->spells[s].from + 30; day < until; day += 240) {
      bool tried = prng_chance(&r, 0.35 + 0.3 * life->quality);
      int opened = day + prng_below(&r, 180), length = prng_between(&r, 20, 100);
      int probability = 10 * prng_between(&r, 1, 9);
      const char *kind = kinds[prng_below(&r, 3)];
      const struct level *level = life_level_at(life, opened);
      double part = 0.05 + 0.3 * prng_real(&r);
      if (!tried || opened >= until || !level || level->arr == 0)
        continue;
      bool lost = opened + length < end;
      write_opportunity(demo, c, number++, kind, (int64_t)(part * (double)level->arr), lost ? "lost" : "open", opened,
                        lost ? opened + length : DAY_NONE,
                        lost                   ? 0
                        : prng_chance(&r, 0.2) ? -1
                                               : probability);
    }
  }
  for (int i = 0; i < life->n_terms; i++) {
    const struct term *term = &life->terms[i];
    if (life->segment < MEDIUM || term->until == DAY_NONE || term->arr == 0 || term->until - 90 >= end)
      continue;
    bool open = term->decided == DAY_NONE;
    int closed = open ? DAY_NONE : term->decided, opened = term->until - 90;
    write_opportunity(demo, c, number++, "renewal", term->arr,
                      open         ? "open"
                      : term->lost ? "lost"
                                   : "won",
                      opened, closed,
                      open         ? (int)(90 - 70 * life_stress(life, end - 1))
                      : term->lost ? 0
                                   : 100);
  }
}

void write_signals(struct demo *demo, const struct company *c) {
  static const struct {
    const char *kind;
    double yearly, pained; /* how many a year, and how many more in deep trouble */
    enum pain side;
  } kinds[] = {{"feature_requests", 1.5, 9, PAIN_RIVALS},
               {"pricing_discussions", 0.7, 13, PAIN_RIVALS},
               {"competitor_mentions", 0.5, 13, PAIN_RIVALS},
               {"budget_constraints", 0.4, 13, PAIN_MONEY}};
  static const char *const sources[] = {"call", "email", "support", NULL};
  const struct life *life = c->life;
  const int end = life->scenario->end;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_SIGNAL);
  uint64_t number = 0;
  for (int day = demo->curve.first; day < end; day += 30) {
    for (int k = 0; k < 4; k++) {
      int middle = day + 15 < end ? day + 15 : end - 1;
      double rate = (kinds[k].yearly * (1.6 - 1.2 * life->quality) + kinds[k].pained * life_pain(life, middle, kinds[k].side)) * 30 / 365;
      for (int n = prng_poisson(&r, rate); n > 0; n--) {
        int on = day + prng_below(&r, 30);
        double weight = prng_real(&r);
        int seconds = prng_between(&r, 8 * 3600, 18 * 3600), source = prng_below(&r, 4);
        if (on >= end || !life_spell_at(life, on))
          continue;
        struct key key = key_make(life->scenario->seed, KEY_SIGNAL, life->number, number++);
        struct table *t = row_begin(&demo->out, T_SIGNAL);
        put_key(t, &key);
        put_key(t, &c->key);
        put_text(t, kinds[k].kind);
        put_time(t, at_day(on, seconds));
        if (weight < 0.5)
          put_null(t);
        else
          put_decimal(t, (int)(20 * weight) - 8, 1); /* 0.2 .. 1.1 */
        put_text(t, sources[source]);
        row_end(&demo->out, t);
      }
    }
  }
}

void write_interventions(struct demo *demo, const struct company *c) {
  static const char *const kinds[] = {"executive_review", "training", "success_plan", "discount", "schedule_check_in"};
  const struct life *life = c->life;
  const int end = life->scenario->end;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_SIGNAL + 100);
  for (int i = 0; i < life->n_troubles; i++) {
    const struct trouble *trouble = &life->troubles[i];
    int opened = trouble->from + prng_between(&r, 15, 50), closed = opened + prng_between(&r, 20, 70);
    int kind = prng_below(&r, 5);
    bool noticed = prng_chance(&r, 0.75), early = prng_chance(&r, 0.2);
    bool ends_in_churn = false;
    for (int s = 0; s < life->n_spells; s++)
      ends_in_churn |= life->spells[s].until == trouble->until;
    if (!noticed || opened >= end || opened >= trouble->until)
      continue;
    bool done = closed < end;
    struct key key = key_make(life->scenario->seed, KEY_INTERVENTION, life->number, (uint64_t)i);
    struct table *t = row_begin(&demo->out, T_INTERVENTION);
    put_key(t, &key);
    put_key(t, &c->key);
    put_text(t, kinds[kind]);
    put_time(t, at_day(opened, 9 * 3600));
    put_time_or_null(t, done ? at_day(closed, 16 * 3600) : TIME_NONE);
    put_text(t, done ? (ends_in_churn ? "failed" : "succeeded") : early ? "proposed" : "in_progress");
    if (c->has_csm)
      put_key(t, &c->csm);
    else
      put_null(t);
    put_time(t, done ? at_day(closed, 16 * 3600) : at_day(opened, 9 * 3600));
    row_end(&demo->out, t);
  }
}

void write_goals(struct demo *demo, const struct company *c) {
  static const char *const titles[] = {"First team live", "Weekly use by half of the seats", "Replace the old tool",
                                       "Roll out to a second site", "Cut handling time"};
  static const char *const types[] = {"adoption", "adoption", "custom", "seat_count", "custom"};
  const struct life *life = c->life;
  const int end = life->scenario->end;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_GOAL);
  int from = life_signed_on(life);
  if (from == DAY_NONE)
    return;
  for (int i = 0; i < 5; i++) {
    int created = from + 5 + i * 190 + prng_below(&r, 30), target = created + (i == 0 ? 60 : 120) + prng_below(&r, 60);
    int shift = (int)(35 * prng_normal(&r)) - 10;
    bool reached = prng_chance(&r, 0.45 + 0.5 * life->quality), undated = prng_chance(&r, 0.1), forgotten = prng_chance(&r, 0.15);
    int done = target + shift > created + 10 ? target + shift : created + 10;
    if (created >= end || !life_spell_at(life, created))
      break;
    bool achieved = reached && done < end && life_spell_at(life, done);
    const char *status = achieved                           ? "achieved"
                         : target < end && !forgotten       ? "missed"
                         : life_stress(life, end - 1) > 0.3 ? "at_risk"
                                                            : "on_track";
    struct key key = key_make(life->scenario->seed, KEY_GOAL, life->number, (uint64_t)i);
    struct table *t = row_begin(&demo->out, T_GOAL);
    put_key(t, &key);
    put_key(t, &c->tenant->key);
    put_key(t, &c->key);
    put_text(t, titles[i]);
    put_text(t, status);
    put_text(t, types[i]);
    put_day_or_null(t, undated && !achieved ? DAY_NONE : target);
    put_day_or_null(t, achieved ? done : DAY_NONE);
    put_time(t, at_day(created, 10 * 3600));
    put_time(t, at_day(achieved ? done : created, 10 * 3600));
    row_end(&demo->out, t);
  }
}
