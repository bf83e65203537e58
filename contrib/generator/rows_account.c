/* SPDX-License-Identifier: MIT */
/* Tenants, their staff, the account itself, its growth history, its contacts and its onboarding. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "write.h"

static struct key staff_key(const struct demo *demo, uint64_t block, int tenant, int member) {
  return key_make(demo->scenario.seed, KEY_USER, block * TENANTS_MAX + (uint64_t)tenant, (uint64_t)member);
}

void write_tenants(struct demo *demo) {
  const struct scenario *s = &demo->scenario;
  int64_t founded = at_day(s->end - 2000, 0);
  for (int i = 0; i < s->tenants; i++) {
    struct tenant *tenant = &demo->tenants[i];
    word_tenant(i, tenant->name, sizeof tenant->name);
    tenant->currency = word_currency(i, &tenant->exponent);
    tenant->key = key_make(s->seed, KEY_ORGANIZATION, (uint64_t)i, 0);
    tenant->product = key_make(s->seed, KEY_PRODUCT, (uint64_t)i, 0);
    struct table *t = row_begin(&demo->out, T_ORGANIZATION);
    put_key(t, &tenant->key);
    put_text(t, tenant->name);
    put_text(t, tenant->currency);
    put_int(t, 50);
    put_text(t, "premium");
    put_time(t, founded);
    put_time(t, founded);
    row_end(&demo->out, t);
    if (s->lean)
      continue;
    t = row_begin(&demo->out, T_PRODUCT);
    put_key(t, &tenant->product);
    put_key(t, &tenant->key);
    put_text(t, "Console");
    put_time(t, at_day(s->end - 1, 20 * 3600));
    put_time(t, founded);
    row_end(&demo->out, t);
  }
}

void write_staff(struct demo *demo, uint64_t block) {
  int64_t hired = at_day(demo->scenario.end - 1900, 0);
  for (int i = 0; i < demo->scenario.tenants; i++)
    for (int member = 0; member < STAFF; member++) {
      struct key key = staff_key(demo, block, i, member);
      struct prng r = prng_stream(demo->scenario.seed, (block * TENANTS_MAX + (uint64_t)i) * STAFF + (uint64_t)member, 1000);
      const char *given = word_given_name(&r), *family = word_family_name(&r, i);
      char name[64], mail[64];
      snprintf(name, sizeof name, "%s %s", given, family);
      snprintf(mail, sizeof mail, "csm%d.%d@%s.example", (int)block, member, demo->tenants[i].name);
      struct table *t = row_begin(&demo->out, T_USER);
      put_key(t, &key);
      put_key(t, &demo->tenants[i].key);
      put_text(t, name);
      put_text(t, mail);
      put_text(t, member == 0 ? "admin" : "read_write");
      put_time(t, hired);
      put_time(t, hired);
      row_end(&demo->out, t);
    }
}

void company_init(struct company *c, const struct demo *demo, const struct life *life) {
  const struct scenario *s = life->scenario;
  *c = (struct company){.life = life, .tenant = &demo->tenants[life->tenant]};
  c->key = key_make(s->seed, KEY_ACCOUNT, life->number, 0);
  word_company(s->seed, life->number, c->name, sizeof c->name, c->domain, sizeof c->domain);
  struct prng r = prng_stream(s->seed, life->number, FOR_PEOPLE);
  c->csm = staff_key(demo, life->number / STAFF_BLOCK, life->tenant, prng_below(&r, STAFF));
  c->has_csm = !prng_chance(&r, 0.03);
}

const char *onboarding_status(const struct life *life) {
  if (life->n_spells == 0)
    return "not_started";
  if (life->onboarded < life->scenario->end && life->onboarded < life->spells[0].until)
    return "completed";
  if (life->spells[0].until < life->scenario->end)
    return "cancelled";
  return life->onboarding_on_hold ? "on_hold" : "in_progress";
}

/* Hundredths of a major unit, as the application keeps both. A yen has no hundredths. */
static int64_t mrr_hundredths(int64_t arr, int exponent) {
  return exponent == 0 ? (arr + 6) / 12 * 100 : (arr * 100 + 6) / 12;
}

static void put_levels(struct table *t, const struct company *c, const struct level *level) {
  if (!level || c->life->method == BY_MRR)
    put_null(t);
  else
    put_decimal(t, level->arr * 100, 2);
  if (!level || (c->life->method == BY_ARR && c->life->number % 29 == 7)) /* some write down one of the two only */
    put_null(t);
  else
    put_decimal(t, mrr_hundredths(level->arr, c->tenant->exponent), 2);
}

static void write_detail(struct demo *demo, const struct company *c, struct prng *r, int64_t updated_at) {
  const struct life *life = c->life;
  bool churned = life_churned(life);
  struct table *t = row_begin(&demo->out, T_DETAIL);
  put_key(t, &c->key);
  put_text(t, word_region(r, life->tenant));
  if (prng_chance(r, 0.1))
    put_null(t);
  else
    put_bool(t, life->auto_renew);
  int forecast = 92 - (int)(70 * life_stress(life, life->scenario->end - 1)) + prng_between(r, -6, 6);
  if (prng_chance(r, 0.3) || churned)
    put_null(t);
  else
    put_int(t, forecast < 0 ? 0 : forecast > 100 ? 100 : forecast);
  if (churned && !life->undated && prng_chance(r, 0.9))
    put_time(t, at_day(life->spells[life->n_spells - 1].until, 0));
  else
    put_null(t);
  put_time(t, updated_at);
  row_end(&demo->out, t);
}

void write_account(struct demo *demo, const struct company *c) {
  static const char *const methods[] = {"arr", "mrr", "seat_count"};
  const struct life *life = c->life;
  const int last_day = life->scenario->end - 1;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_RECORD);
  struct key plan = key_make(life->scenario->seed, KEY_PLAN, life->number, 0);
  const struct level *level = life->n_levels > 0 ? &life->levels[life->n_levels - 1] : NULL;
  static const struct level free_level = {0, 0, 0};
  if (life->free_of_charge)
    level = &free_level;
  const struct level *before = life->n_levels > 1 ? level - 1 : NULL;
  int updates = life->free_of_charge ? 0 : life->n_levels - life->inserted_with_arr;
  double stress = life_stress(life, last_day), health = demo->curve.health[demo->curve.n - 1];
  const char *onboarding = onboarding_status(life);

  const char *status = "active";
  bool noticed = prng_chance(&r, 0.8), unknown = prng_chance(&r, 0.025);
  if (life_churned(life))
    status = "churned";
  else if (life->n_spells == 0 || life->onboarded >= life->scenario->end)
    status = "onboarding";
  else if (stress > 0.25 && noticed)
    status = "at_risk";
  else if (unknown)
    status = NULL;
  bool measured = !isnan(health) && !prng_chance(&r, 0.2); /* the others keep the default of 50 */
  int score = measured ? (int)lrint(health) : 50;
  int risk = measured ? (int)lrint(fmin(100, fmax(0, 90 - health + 30 * stress))) : 50;
  bool owner_only = prng_chance(&r, 0.04);
  int64_t updated_at = life->created_at;
  if (updates > 0)
    updated_at = level->at;
  int64_t touched = at_day(last_day - prng_below(&r, 60), prng_between(&r, 9 * 3600, 17 * 3600));
  if (touched > updated_at)
    updated_at = touched;

  struct table *t = row_begin(&demo->out, T_ACCOUNT);
  put_key(t, &c->key);
  put_key(t, &c->tenant->key);
  put_text(t, c->name);
  put_text(t, word_industry(&r));
  put_text(t, prng_chance(&r, 0.02) ? NULL : segment_names[life->segment]);
  put_levels(t, c, level);
  put_int(t, level ? level->seats : 0);
  put_text(t, methods[life->method]);
  put_levels(t, c, updates > 0 ? before : NULL);
  if (updates > 0)
    put_int(t, before ? before->seats : 0);
  else
    put_null(t);
  put_time_or_null(t, updates > 0 ? level->at : TIME_NONE);
  put_text(t, status);
  put_int(t, score);
  put_int(t, risk);
  put_text(t, onboarding);
  put_time_or_null(t, life->n_spells > 0 ? at_day(life->spells[0].from, 13 * 3600) : TIME_NONE);
  put_time_or_null(t, strcmp(onboarding, "completed") == 0 ? at_day(life->onboarded, 15 * 3600) : TIME_NONE);
  if (life->n_spells > 0)
    put_key(t, &plan);
  else
    put_null(t);
  if (c->has_csm && !owner_only)
    put_key(t, &c->csm);
  else
    put_null(t);
  if (c->has_csm && (owner_only || prng_chance(&r, 0.5)))
    put_key(t, &c->csm);
  else
    put_null(t);
  put_time(t, life->created_at);
  put_time(t, updated_at);
  row_end(&demo->out, t);
  write_detail(demo, c, &r, updated_at);
}

static void put_percentage(struct table *t, int64_t from, int64_t to) {
  if (from <= 0) {
    put_null(t);
    return;
  }
  int64_t hundredths = llrint(10000.0 * (double)(to - from) / (double)from);
  put_decimal(t, hundredths > 99999 ? 99999 : hundredths, 2);
}

void write_growth(struct demo *demo, const struct company *c) {
  static const char *const methods[] = {"arr", "mrr", "seat_count"};
  const struct life *life = c->life;
  for (int i = life->inserted_with_arr; i < life->n_levels; i++) {
    const struct level *level = &life->levels[i];
    static const struct level nothing = {0, 0, 0};
    const struct level *before = i > 0 ? level - 1 : &nothing;
    struct key key = key_make(life->scenario->seed, KEY_GROWTH, life->number, (uint64_t)i);
    struct table *t = row_begin(&demo->out, T_GROWTH);
    put_key(t, &key);
    put_key(t, &c->key);
    put_key(t, &c->tenant->key);
    put_time(t, level->at);
    put_levels(t, c, level);
    put_int(t, level->seats);
    put_text(t, methods[life->method]);
    if (life->method == BY_MRR)
      put_null(t);
    else
      put_percentage(t, before->arr, level->arr);
    put_percentage(t, before->arr, level->arr);
    put_percentage(t, before->seats, level->seats);
    row_end(&demo->out, t);
  }
}

static void write_contact(struct demo *demo, const struct company *c, struct prng *r, const struct contact *contact, int number,
                          const char *level, const char *strength, bool assigned) {
  static const char *const seniority[] = {"C-Level", "VP", "Director", "Manager", "Individual Contributor", "Other"};
  const int end = c->life->scenario->end;
  const char *given = word_given_name(r), *family = word_family_name(r, c->life->tenant);
  char mail[96];
  snprintf(mail, sizeof mail, "contact%d.%llu@%s", number, (unsigned long long)c->life->number, c->domain);
  bool left = contact->until < end;
  double fate = prng_real(r);
  const char *status = left ? "left_company" : fate < 0.04 ? "inactive" : fate < 0.08 ? "unresponsive" : fate < 0.10 ? NULL : "active";
  int64_t created_at = at_day(contact->from, 14 * 3600);
  struct table *t = row_begin(&demo->out, T_CONTACT);
  put_key(t, &contact->key);
  put_key(t, &c->tenant->key);
  if (assigned)
    put_key(t, &c->key);
  else
    put_null(t);
  put_text(t, given);
  put_text(t, family);
  put_text(t, prng_chance(r, 0.06) ? NULL : mail);
  put_null(t);
  put_text(t, seniority[prng_below(r, 6)]);
  put_text(t, level);
  put_bool(t, number == 0);
  put_text(t, status);
  put_text(t, strength);
  put_time(t, created_at);
  put_time(t, left ? at_day(contact->until, 10 * 3600) : created_at);
  row_end(&demo->out, t);
}

void write_contacts(struct demo *demo, struct company *c) {
  static const char *const strengths[] = {"supporter", "supporter", "neutral", "neutral", "neutral", "detractor", "unknown"};
  static const char *const levels[] = {"Influencer", "User", "User", "User", "Gatekeeper", "Unknown", NULL};
  const struct life *life = c->life;
  const int end = life->scenario->end;
  struct prng r = prng_stream(life->scenario->seed, life->number, FOR_PEOPLE + 100);
  int wanted = 3 + (int)life->segment + prng_below(&r, 3);
  bool has_champion = prng_chance(&r, 0.45 + 0.5 * life->quality);
  int from = life->created, champion_leaves = INT32_MAX;
  if (has_champion && life->n_spells > 0) {
    int stay = 90 + (int)(365 * 6 * prng_exponential(&r));
    champion_leaves = from + stay < end ? from + stay : INT32_MAX;
  }
  int successor = champion_leaves == INT32_MAX ? INT32_MAX : champion_leaves + prng_between(&r, 15, 60);
  for (int i = 0; i < wanted + (successor < end); i++) {
    bool champion = has_champion && i == 0, heir = i == wanted;
    int known_from = i < 2 ? from : heir ? successor : from + prng_below(&r, 200);
    if (known_from >= end)
      known_from = end - 1;
    if (known_from == from && from >= end)
      continue;
    struct contact *contact = &c->contacts[c->n_contacts++];
    *contact = (struct contact){.key = key_make(life->scenario->seed, KEY_CONTACT, life->number, (uint64_t)i),
                                .from = known_from,
                                .until = champion ? champion_leaves : INT32_MAX,
                                .champion = champion};
    if (!champion && prng_chance(&r, 0.07)) {
      int until = known_from + 60 + prng_below(&r, 900);
      if (until < end)
        contact->until = until;
    }
    const char *level = i == 0 ? "Primary" : i == 1 ? "Influencer" : levels[prng_below(&r, 7)];
    write_contact(demo, c, &r, contact, i, level, champion ? "champion" : heir ? "neutral" : strengths[prng_below(&r, 7)], true);
  }
  if (life->number % 40 == 17) { /* a business card that nobody has filed yet */
    struct contact loose = {.key = key_make(life->scenario->seed, KEY_CONTACT, life->number, 99), .from = from, .until = INT32_MAX};
    write_contact(demo, c, &r, &loose, 99, NULL, "unknown", false);
  }
}

void write_onboarding(struct demo *demo, const struct company *c) {
  const struct life *life = c->life;
  if (life->n_spells == 0)
    return;
  const char *status = onboarding_status(life);
  int64_t started = at_day(life->spells[0].from, 13 * 3600);
  bool completed = strcmp(status, "completed") == 0;
  int length = life->onboarded - life->spells[0].from + 1;
  int percentage = completed ? 100 : (int)(100.0 * (life->scenario->end - life->spells[0].from) / (length + 1));
  struct key key = key_make(life->scenario->seed, KEY_PLAN, life->number, 0);
  struct table *t = row_begin(&demo->out, T_PLAN);
  put_key(t, &key);
  put_key(t, &c->tenant->key);
  put_key(t, &c->key);
  if (c->has_csm)
    put_key(t, &c->csm);
  else
    put_null(t);
  put_text(t, status);
  put_time(t, started);
  put_day(t, life->onboarding_target);
  put_day_or_null(t, completed ? life->onboarded : DAY_NONE);
  put_int(t, percentage > 100 ? 90 : percentage);
  put_time(t, started);
  put_time(t, completed ? at_day(life->onboarded, 15 * 3600) : started);
  row_end(&demo->out, t);
}
