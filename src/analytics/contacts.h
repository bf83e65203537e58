/* SPDX-License-Identifier: MIT */
/* Which contacts count. Internal to analytics. */
#ifndef CRM_ANALYTICS_CONTACTS_H
#define CRM_ANALYTICS_CONTACTS_H

#include "analytics/context.h"

/* Known at T and active. The CRM keeps no history of a contact's status, level or strength: those of today hold. */
static inline bool crm_contact_active(const struct crm_context *c, uint32_t contact) {
  const struct crm_contacts *k = &c->facts->contact;
  return k->status[contact] == CRM_CONTACT_ACTIVE && (k->since[contact] == CRM_TIME_NONE || k->since[contact] <= c->at);
}

#endif
