/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "analytics/engagement.h"

static uint32_t *slot_of(const struct crm_members *m, uint16_t tenant, uint32_t owner) {
  uint32_t mask = 2 * m->cap - 1;
  uint64_t key = (uint64_t)tenant << 32 | owner;
  for (uint32_t slot = (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32);; slot++) {
    uint32_t *found = &m->slots[slot & mask];
    if (*found == UINT32_MAX || (m->member[*found].owner == owner && m->member[*found].tenant == tenant))
      return found;
  }
}

static enum crm_status grow(struct crm_members *m) {
  struct crm_member *old = m->member;
  m->cap = m->cap == 0 ? 64 : 2 * m->cap;
  m->member = crm_arena_calloc(m->c->arena, m->cap, sizeof(*m->member));
  m->slots = crm_arena_calloc(m->c->arena, 2 * (size_t)m->cap, sizeof(*m->slots));
  if (m->member == NULL || m->slots == NULL)
    return crm_no_memory(m->c);
  memset(m->slots, 0xff, 2 * (size_t)m->cap * sizeof(*m->slots));
  for (uint32_t i = 0; i < m->n; i++) {
    m->member[i] = old[i];
    *slot_of(m, old[i].tenant, old[i].owner) = i;
  }
  return CRM_OK;
}

enum crm_status crm_members_init(struct crm_context *c, struct crm_members *members) {
  *members = (struct crm_members){.c = c, .none = crm_dict_find(&c->facts->text, "none", 4)};
  return grow(members);
}

enum crm_status crm_members_add(struct crm_members *members, uint16_t tenant, uint32_t owner, unsigned ring) {
  if (owner == members->none)
    owner = 0;
  uint32_t *slot = slot_of(members, tenant, owner);
  if (*slot == UINT32_MAX) {
    if (members->n == members->cap) {
      enum crm_status status = grow(members);
      if (status != CRM_OK)
        return status;
      slot = slot_of(members, tenant, owner);
    }
    *slot = members->n;
    members->member[members->n++] = (struct crm_member){.owner = owner, .tenant = tenant};
  }
  members->member[*slot].count[ring]++;
  return CRM_OK;
}

enum crm_status crm_members_emit(struct crm_members *members) {
  struct crm_context *c = members->c;
  enum crm_status status = CRM_OK;
  for (uint32_t i = 0; i < members->n; i++) {
    const struct crm_member *m = &members->member[i];
    const char *own[] = {m->owner == 0 ? "none" : crm_dict_text(&c->facts->text, m->owner), NULL};
    int64_t count = 0;
    for (unsigned w = 0; w < CRM_RINGS && status == CRM_OK; w++) {
      count += m->count[w];
      own[1] = crm_window_name(crm_ring_window[w]);
      status = crm_emit_tenant(c, CRM_FAM_ENGAGEMENTS_BY_MEMBER, m->tenant, own, 2, crm_number_int(count));
    }
  }
  return status;
}
