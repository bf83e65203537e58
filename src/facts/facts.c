/* SPDX-License-Identifier: MIT */
#include "facts/facts.h"

#include <stdlib.h>

#include "facts/layout.h"

enum crm_status crm_facts_new(struct crm_facts **out, struct crm_error *err) {
  struct crm_facts *facts = calloc(1, sizeof(*facts));
  if (facts == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  enum crm_status status = crm_dict_init(&facts->text);
  if (status != CRM_OK) {
    free(facts);
    return crm_error_set(err, status, "out of memory");
  }
  for (int r = 0; r < CRM_RELATIONS; r++)
    facts->read_at[r] = CRM_TIME_NONE;
  atomic_init(&facts->refs, 1);
  *out = facts;
  return CRM_OK;
}

struct crm_facts *crm_facts_ref(struct crm_facts *facts) {
  if (facts != NULL)
    atomic_fetch_add_explicit(&facts->refs, 1, memory_order_relaxed);
  return facts;
}

void crm_facts_unref(struct crm_facts *facts) {
  /* Release what this thread did with the facts, and acquire what the others did, before they are freed. */
  if (facts == NULL || atomic_fetch_sub_explicit(&facts->refs, 1, memory_order_acq_rel) != 1)
    return;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_layout *layout = crm_layout((enum crm_relation)r);
    for (size_t c = 0; c < layout->n_columns; c++)
      free(crm_held_get(facts, layout->columns[c].offset));
    if (layout->first != 0)
      free(crm_held_get(facts, layout->first));
  }
  free(facts->engagement.contact_first);
  free(facts->engagement.contact);
  free(facts->tenants);
  crm_dict_free(&facts->text);
  free(facts);
}

/* Rows for which there is room. */
static size_t room(const struct crm_facts *facts, int relation) {
  return facts->cap[relation] > 0 ? facts->cap[relation] : crm_layout_n(facts, crm_layout((enum crm_relation)relation));
}

size_t crm_facts_bytes(const struct crm_facts *facts) {
  size_t bytes = sizeof(*facts) + crm_dict_bytes(&facts->text) + facts->n_tenants * sizeof(*facts->tenants);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_layout *layout = crm_layout((enum crm_relation)r);
    for (size_t c = 0; c < layout->n_columns; c++)
      if (crm_held_get(facts, layout->columns[c].offset) != NULL)
        bytes += crm_hold_size(layout->columns[c].hold) * room(facts, r);
    if (layout->first != 0 && crm_held_get(facts, layout->first) != NULL)
      bytes += (room(facts, CRM_REL_ACCOUNT) + 1) * sizeof(uint32_t);
  }
  const struct crm_engagements *e = &facts->engagement;
  if (e->contact_first != NULL)
    bytes +=
        (room(facts, CRM_REL_ENGAGEMENT) + 1 + (facts->contact_cap > 0 ? facts->contact_cap : e->contact_first[e->n])) * sizeof(uint32_t);
  return bytes;
}
