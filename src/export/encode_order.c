/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <stdlib.h>
#include <string.h>

#include "export/encode.h"

/* The number of the account's text; that of "" for what is said of no account. */
static uint32_t account_of(const struct crm_pick *pick) {
  const struct crm_sample *sample = &pick->set->samples[pick->sample];
  if (crm_family_info((enum crm_family)sample->family)->scope != CRM_SCOPE_ACCOUNT)
    return 0;
  return pick->set->label_values[sample->labels + 1]; /* after the tenant */
}

static const struct crm_series_set *next_set(const struct crm_pick *picks, const bool *done, size_t n, size_t *from) {
  while (*from < n && done[*from])
    ++*from;
  return *from < n ? picks[*from].set : NULL;
}

/* Numbers of texts are dense, so that counting them puts them in order. */
enum crm_status crm_picks_by_account(struct crm_pick *picks, size_t n) {
  struct crm_pick *ordered = malloc((n + 1) * sizeof(*ordered));
  bool *done = calloc(n + 1, sizeof(*done));
  size_t *place = NULL;
  size_t n_ordered = 0, from = 0;
  const struct crm_series_set *set = NULL;
  enum crm_status status = ordered != NULL && done != NULL ? CRM_OK : CRM_ERR_MEMORY;
  while (status == CRM_OK && (set = next_set(picks, done, n, &from)) != NULL) {
    free(place);
    place = calloc((size_t)set->text.count + 1, sizeof(*place));
    if (place == NULL) {
      status = CRM_ERR_MEMORY;
      break;
    }
    for (size_t i = from; i < n; i++)
      if (picks[i].set == set)
        place[account_of(&picks[i]) + 1]++;
    for (uint32_t t = 0; t < set->text.count; t++)
      place[t + 1] += place[t];
    for (size_t i = from; i < n; i++) {
      if (picks[i].set != set)
        continue;
      ordered[n_ordered + place[account_of(&picks[i])]++] = picks[i];
      done[i] = true;
    }
    n_ordered += place[set->text.count];
  }
  if (status == CRM_OK && n > 0)
    memcpy(picks, ordered, n * sizeof(*picks));
  free(place);
  free(ordered);
  free(done);
  return status;
}
