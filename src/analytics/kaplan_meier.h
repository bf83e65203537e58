/* SPDX-License-Identifier: MIT */
/* The Kaplan-Meier estimate of how long something takes, when for some it has not happened yet. Internal to analytics.
 *
 * S(t) = product over the times t_i <= t of (1 - d_i / n_i), with d_i events among the n_i subjects still watched just before t_i. A
 * subject that is cut off (censored) at a time counts as watched at that time. Source: Kaplan and Meier, Nonparametric estimation from
 * incomplete observations, J. Am. Stat. Assoc. 53 (1958), 457-481. */
#ifndef CRM_ANALYTICS_KAPLAN_MEIER_H
#define CRM_ANALYTICS_KAPLAN_MEIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One subject as one number, so that the order of the numbers is the order of times and, at one time, of events before cuts.
 * `time` >= 0 in any unit: until the event, or until it was cut off. */
static inline uint64_t crm_subject(int64_t time, bool event) {
  return (uint64_t)time << 1 | (event ? 0 : 1);
}

/* Puts them in order. `scratch` has room for n. */
void crm_subjects_sort(uint64_t *subjects, uint64_t *scratch, size_t n);

/* One pass over ordered subjects, from one different time to the next. */
struct crm_survival {
  const uint64_t *next, *end;
  double before;  /* S after the last time at which subjects were cut off */
  size_t entered; /* subjects left after that time */
  /* The step: */
  int64_t time;
  size_t at_risk, events, censored; /* n_i, d_i, and those cut off at the time */
  double survival;                  /* S from the time on */
};
void crm_survival_begin(struct crm_survival *s, const uint64_t *sorted, size_t n);
/* False past the last time. */
bool crm_survival_step(struct crm_survival *s);

/* The first time from which S <= 1 - quantile, 0 < quantile < 1. False where S never falls that far. */
bool crm_survival_quantile(const uint64_t *sorted, size_t n, double quantile, int64_t *time);

#endif
