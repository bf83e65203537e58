/* SPDX-License-Identifier: MIT */
#include "analytics/kaplan_meier.h"

#include <string.h>

#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)
#define FEW 64 /* up to here insertion is faster than clearing the counters */

static void insertion_sort(uint64_t *v, size_t n) {
  for (size_t i = 1; i < n; i++) {
    uint64_t x = v[i];
    size_t k = i;
    for (; k > 0 && v[k - 1] > x; k--)
      v[k] = v[k - 1];
    v[k] = x;
  }
}

/* By digits from the last to the first: a few passes without a comparison. Digits in which all agree are passed over. */
void crm_subjects_sort(uint64_t *subjects, uint64_t *scratch, size_t n) {
  if (n <= FEW) {
    insertion_sort(subjects, n);
    return;
  }
  uint64_t differ = 0;
  for (size_t i = 1; i < n; i++)
    differ |= subjects[i] ^ subjects[0];
  uint64_t *from = subjects, *to = scratch;
  for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
    if ((differ >> shift & (DIGITS - 1)) == 0)
      continue;
    size_t place[DIGITS] = {0};
    for (size_t i = 0; i < n; i++)
      place[from[i] >> shift & (DIGITS - 1)]++;
    size_t before = 0;
    for (unsigned d = 0; d < DIGITS; d++) {
      size_t count = place[d];
      place[d] = before;
      before += count;
    }
    for (size_t i = 0; i < n; i++)
      to[place[from[i] >> shift & (DIGITS - 1)]++] = from[i];
    uint64_t *other = from;
    from = to;
    to = other;
  }
  if (from != subjects)
    memcpy(subjects, from, n * sizeof(*subjects));
}

void crm_survival_begin(struct crm_survival *s, const uint64_t *sorted, size_t n) {
  *s = (struct crm_survival){.next = sorted, .end = sorted + n, .before = 1, .entered = n, .survival = 1};
}

bool crm_survival_step(struct crm_survival *s) {
  if (s->next == s->end)
    return false;
  s->at_risk = (size_t)(s->end - s->next);
  s->time = (int64_t)(*s->next >> 1);
  const uint64_t *p = s->next;
  for (s->events = 0; p < s->end && *p == crm_subject(s->time, true); p++)
    s->events++;
  for (s->censored = 0; p < s->end && *p == crm_subject(s->time, false); p++)
    s->censored++;
  s->next = p;
  /* As long as nobody is cut off the factors telescope to what is left of those who entered: one division instead of a long product. */
  size_t left = s->at_risk - s->events;
  s->survival = s->before * (double)left / (double)s->entered;
  if (s->censored > 0) {
    s->before = s->survival;
    s->entered = left - s->censored;
  }
  return true;
}

bool crm_survival_quantile(const uint64_t *sorted, size_t n, double quantile, int64_t *time) {
  /* 3/4 x 2/3 and 1 - 0.9 are not exact, and a limit that is just reached must count as reached. */
  double limit = 1 - quantile + 1e-9;
  struct crm_survival s;
  crm_survival_begin(&s, sorted, n);
  while (crm_survival_step(&s))
    if (s.events > 0 && s.survival <= limit) {
      *time = s.time;
      return true;
    }
  return false;
}
