/* SPDX-License-Identifier: MIT */
#include "series/breakdown.h"

#include <string.h>

bool crm_breakdowns_choose(const struct crm_series_set *const *sets, size_t n_sets, size_t max, bool chosen[][CRM_FAMILIES]) {
  size_t count[CRM_DIMENSIONS_MAX][CRM_FAMILIES];
  memset(count, 0, sizeof(count));
  for (size_t d = 0; d < n_sets; d++) {
    memset(chosen[d], 0, sizeof(chosen[d]));
    for (size_t i = 0; i < sets[d]->n; i++)
      count[d][sets[d]->samples[i].family]++;
  }
  size_t left = max;
  for (;;) {
    /* There are few enough of them to look for the smallest each time. */
    size_t best = 0, best_d = 0;
    int best_f = -1;
    for (size_t d = 0; d < n_sets; d++)
      for (int f = 0; f < CRM_FAMILIES; f++)
        if (count[d][f] > 0 && !chosen[d][f] && (best_f < 0 || count[d][f] < best)) {
          best = count[d][f];
          best_d = d;
          best_f = f;
        }
    if (best_f < 0)
      return false;
    if (best > left)
      return true;
    chosen[best_d][best_f] = true;
    left -= best;
  }
}
