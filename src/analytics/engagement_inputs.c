/* SPDX-License-Identifier: MIT */
/* Engagement: how often, with whom, with what outcome, and what did not take place.
 *
 * One walk over the rows of an account, from the newest on, counts for all windows of all instants: at each instant that bounds a window it
 * notes what was counted so far, and what is in a window is the difference between its two ends. Counts are exact, whatever is taken from
 * what; sums of other figures are not, and are taken window by window. */
#include "analytics/score_inputs.h"
#include "analytics/span.h"

#define MEETINGS (1u << CRM_MEETING | 1u << CRM_CALL | 1u << CRM_DEMO | 1u << CRM_TRAINING)

/* What is counted, in two words of four. UNHELD: meetings never held, by their plan; all others: engagements held. */
enum { POSITIVE, NEUTRAL, NEGATIVE, RECORDED, OUTCOME_COUNTS };
enum { MEETING, ANSWERED, SLOW, UNHELD, OTHER_COUNTS };
typedef uint32_t word __attribute__((vector_size(OUTCOME_COUNTS * sizeof(uint32_t))));
_Static_assert((int)OUTCOME_COUNTS == (int)OTHER_COUNTS, "words of one size");

struct so_far {
  word outcomes, others;
  uint32_t row; /* the last one counted, or the end of the rows */
};

/* A row newer than instant `from` may still be of a meeting planned before it: held late, it was missed as of the instant. */
static void count_late(const struct crm_scoring *s, size_t from, crm_time planned, uint32_t missed[CRM_INSTANTS_MAX]) {
  for (size_t k = from; k < s->n && planned < s->instants[k].c->at; k++)
    missed[k] += planned > s->instants[k].since_60d;
}

/* Mostly a few contacts, but how many is a guess that would mostly be wrong: noting the last of them again costs less. */
#define CONTACTS_AT_A_TIME 4
static void note_met(const struct crm_scoring *s, uint32_t r, uint8_t met) {
  const struct crm_engagements *e = &s->facts->engagement;
  uint32_t first = e->contact_first[r], end = e->contact_first[r + 1];
  for (; first < end; first += CONTACTS_AT_A_TIME)
    for (uint32_t k = 0; k < CONTACTS_AT_A_TIME; k++) {
      uint32_t at = first + k < end ? first + k : end - 1;
      s->met[e->contact[at]] |= met;
    }
}

/* Rows are ordered by completed_at, those never completed among them by their plan. */
static void walk(const struct crm_scoring *s, uint32_t account, struct so_far at_bound[CRM_TIME_BOUNDS_MAX],
                 uint32_t missed[CRM_INSTANTS_MAX]) {
  static const word of_outcome[CRM_OUTCOMES] = {
      [CRM_POSITIVE] = {1, 0, 0, 1}, [CRM_NEUTRAL] = {0, 1, 0, 1}, [CRM_NEGATIVE] = {0, 0, 1, 1}, [CRM_ACTION_REQUIRED] = {0, 0, 0, 1}};
  const struct crm_engagements *e = &s->facts->engagement;
  const struct crm_engagement_windows *w = &s->engagement;
  double target = s->params->response_target_seconds;
  uint32_t first = e->first[account], end = e->first[account + 1];
  struct so_far now = {.row = end};
  unsigned b = 0;
  for (uint32_t r = end; r-- > first;) {
    crm_time done = e->completed_at[r], planned = e->scheduled_at[r];
    bool held = done != CRM_TIME_NONE;
    crm_time key = held ? done : planned;
    for (; key <= w->bound[b]; b++) {
      at_bound[b] = now;
      if (b + 1 == w->n)
        return;
    }
    now.row = r;
    uint32_t meeting = MEETINGS >> e->type[r] & 1;
    if (!held) {
      now.others += (word){0, 0, 0, meeting};
      continue;
    }
    double seconds = e->response_seconds[r];
    now.outcomes += of_outcome[e->outcome[r]];
    now.others += (word){meeting, !isnan(seconds), seconds > target, 0}; /* NaN is not slow */
    if (meeting != 0 && w->older[b] < s->n)
      count_late(s, w->older[b], planned, missed);
    if (w->in_90d[b] != 0 && s->met != NULL)
      note_met(s, r, w->in_90d[b]);
  }
  for (; b < w->n; b++)
    at_bound[b] = now;
}

/* Accepted of those invited to what was held between two bounds, as percent; NaN if nobody is known to have been invited. */
static double response_rate(const struct crm_engagements *e, const struct so_far *end, const struct so_far *since) {
  crm_pair sums = {0, 0};
  for (uint32_t r = end->row; r-- > since->row;) {
    double invited = (double)e->participants[r], accepted = (double)e->accepted[r];
    uint32_t counts = (uint32_t)(e->completed_at[r] != CRM_TIME_NONE) & (uint32_t)(invited > 0) & (uint32_t)!isnan(accepted);
    sums += crm_pair_if((crm_pair){invited, accepted}, counts);
  }
  return sums[0] > 0 ? 100 * crm_clip(sums[1] / sums[0], 0, 1) : NAN;
}

static void instant_inputs(const struct crm_scoring *s, size_t k, uint32_t account, const struct so_far *at_bound, uint32_t missed_late,
                           struct crm_score_inputs *out) {
  const struct crm_scorecard *card = crm_card_of(s->instants[k].c, account);
  const struct so_far *end = &at_bound[s->engagement.at[k].end], *since_30d = &at_bound[s->engagement.at[k].since_30d];
  const struct so_far *since_60d = &at_bound[s->engagement.at[k].since_60d], *since_90d = &at_bound[s->engagement.at[k].since_90d];
  word outcomes = since_90d->outcomes - end->outcomes, others = since_90d->others - end->others;
  out->health[CRM_HI_MEETING_FREQUENCY] = crm_of_target(since_30d->others[MEETING] - end->others[MEETING], card->meeting_target);
  out->health[CRM_HI_RESPONSE_RATE] = response_rate(&s->facts->engagement, end, since_30d);
  double judged = (double)outcomes[POSITIVE] + (double)outcomes[NEUTRAL] + (double)outcomes[NEGATIVE];
  if (judged > 0)
    out->health[CRM_HI_OUTCOME_QUALITY] = 100 * ((double)outcomes[POSITIVE] + 0.5 * (double)outcomes[NEUTRAL]) / judged;
  if (!s->with_risk)
    return;
  /* What is planned for the instant itself is not missed yet. */
  uint32_t held = since_60d->others[MEETING] - end->others[MEETING];
  uint32_t missed = missed_late + since_60d->others[UNHELD] - at_bound[s->engagement.at[k].before].others[UNHELD];
  if (missed + held > 0)
    out->churn[CRM_CI_MISSED_MEETINGS] = (double)missed / (double)(missed + held);
  if (others[ANSWERED] > 0) /* takes the place of what support rows tell */
    out->churn[CRM_CI_DELAYED_RESPONSES] = (double)others[SLOW] / (double)others[ANSWERED];
  if (outcomes[RECORDED] > 0)
    out->churn[CRM_CI_NEGATIVE_OUTCOMES] = (double)outcomes[NEGATIVE] / (double)outcomes[RECORDED];
}

/* Share of the contacts active at each instant that were met in the 90 d before. */
static void participation_inputs(const struct crm_scoring *s, uint32_t account, struct crm_score_inputs out[CRM_INSTANTS_MAX]) {
  const struct crm_contacts *k = &s->facts->contact;
  uint32_t all[CRM_INSTANTS_MAX] = {0}, seen[CRM_INSTANTS_MAX] = {0};
  for (uint32_t r = k->first[account]; r < k->first[account + 1]; r++) {
    uint32_t active = k->status[r] == CRM_CONTACT_ACTIVE, met = s->met[r];
    for (size_t t = 0; t < s->n; t++) {
      uint32_t counts = active & (k->since[r] <= s->instants[t].c->at); /* CRM_TIME_NONE is before everything; see crm_contact_active */
      all[t] += counts;
      seen[t] += counts & met >> t;
    }
  }
  for (size_t t = 0; t < s->n; t++)
    if (all[t] > 0 && crm_open(s->instants[t].c, account))
      out[t].health[CRM_HI_STAKEHOLDER_PARTICIPATION] = 100.0 * seen[t] / all[t];
}

void crm_engagement_inputs(const struct crm_scoring *s, uint32_t account, struct crm_score_inputs out[CRM_INSTANTS_MAX]) {
  struct so_far at_bound[CRM_TIME_BOUNDS_MAX];
  uint32_t missed[CRM_INSTANTS_MAX] = {0};
  walk(s, account, at_bound, missed);
  for (size_t k = 0; k < s->n; k++)
    if (crm_open(s->instants[k].c, account))
      instant_inputs(s, k, account, at_bound, missed[k], &out[k]);
  if (s->met != NULL)
    participation_inputs(s, account, out);
}

void crm_engagement_prefetch(const struct crm_scoring *s, uint32_t account) {
  const struct crm_engagements *e = &s->facts->engagement;
  uint32_t end = e->first[account + 1];
  crm_prefetch(e->completed_at, sizeof(*e->completed_at), end, 192);
  crm_prefetch(e->scheduled_at, sizeof(*e->scheduled_at), end, 192);
  crm_prefetch(e->type, sizeof(*e->type), end, 64);
  crm_prefetch(e->outcome, sizeof(*e->outcome), end, 64);
  crm_prefetch(e->response_seconds, sizeof(*e->response_seconds), end, 192);
  crm_prefetch(e->participants, sizeof(*e->participants), end, 128);
  crm_prefetch(e->accepted, sizeof(*e->accepted), end, 128);
  if (s->met == NULL)
    return;
  crm_prefetch(e->contact_first, sizeof(*e->contact_first), end, 128);
  end = s->facts->contact.first[account + 1];
  crm_prefetch(s->facts->contact.status, sizeof(*s->facts->contact.status), end, 64);
  crm_prefetch(s->facts->contact.since, sizeof(*s->facts->contact.since), end, 128);
}
