/* SPDX-License-Identifier: MIT */
#include "facts/layout.h"

#define U8(member)                                                                                                                         \
  { offsetof(struct crm_facts, member), CRM_HOLD_U8 }
#define I8(member)                                                                                                                         \
  { offsetof(struct crm_facts, member), CRM_HOLD_I8 }
#define TENANT(member)                                                                                                                     \
  { offsetof(struct crm_facts, member), CRM_HOLD_TENANT }
#define CURRENCY(member)                                                                                                                   \
  { offsetof(struct crm_facts, member), CRM_HOLD_CURRENCY }
#define TEXT(member)                                                                                                                       \
  { offsetof(struct crm_facts, member), CRM_HOLD_TEXT }
#define DAY(member)                                                                                                                        \
  { offsetof(struct crm_facts, member), CRM_HOLD_I32 }
#define TIME(member)                                                                                                                       \
  { offsetof(struct crm_facts, member), CRM_HOLD_I64 }
#define MONEY(member)                                                                                                                      \
  { offsetof(struct crm_facts, member), CRM_HOLD_I64 }
#define F32(member)                                                                                                                        \
  { offsetof(struct crm_facts, member), CRM_HOLD_F32 }
#define KEY(member)                                                                                                                        \
  { offsetof(struct crm_facts, member), CRM_HOLD_KEY }
#define F64(member)                                                                                                                        \
  { offsetof(struct crm_facts, member), CRM_HOLD_F64 }

static const struct crm_held account[] = {TEXT(account.id),
                                          TENANT(account.tenant),
                                          TEXT(account.name),
                                          TEXT(account.segment),
                                          TEXT(account.industry),
                                          TEXT(account.region),
                                          TEXT(account.owner),
                                          U8(account.status),
                                          CURRENCY(account.currency),
                                          TIME(account.created_at),
                                          TIME(account.churned_at),
                                          TIME(account.first_value_at),
                                          TIME(account.changed_at),
                                          MONEY(account.arr),
                                          F64(account.seats),
                                          I8(account.auto_renew),
                                          F64(account.renewal_forecast),
                                          F64(account.recorded_health),
                                          F64(account.recorded_risk),
                                          U8(account.foreign)};
static const struct crm_held revenue[] = {TIME(revenue.at), MONEY(revenue.arr), CURRENCY(revenue.currency)};
static const struct crm_held contract[] = {TIME(contract.starts_at),    TEXT(contract.id),       TIME(contract.ends_at),
                                           TIME(contract.decided_at),   MONEY(contract.arr),     MONEY(contract.renewed_arr),
                                           CURRENCY(contract.currency), I8(contract.auto_renew), U8(contract.outcome)};
static const struct crm_held usage[] = {DAY(usage.day), F64(usage.logins_per_week), F64(usage.feature_adoption), F64(usage.session_seconds),
                                        F32(usage.active_users)};
static const struct crm_held support[] = {
    DAY(support.day),       F32(support.new_tickets), F32(support.resolved_tickets), F32(support.open_tickets),
    F32(support.escalated), F64(support.severity),    F64(support.resolution_hours), F64(support.first_response_seconds),
    F64(support.csat)};
/* Their lists of contacts are apart: builder_group.c. */
static const struct crm_held engagement[] = {TIME(engagement.completed_at), TIME(engagement.scheduled_at),
                                             U8(engagement.type),           U8(engagement.outcome),
                                             TEXT(engagement.owner),        F64(engagement.response_seconds),
                                             F32(engagement.participants),  F32(engagement.accepted),
                                             F32(engagement.answered),      KEY(engagement.key)};
static const struct crm_held contact[] = {TEXT(contact.id), U8(contact.level), U8(contact.strength), U8(contact.status),
                                          TIME(contact.since)};
static const struct crm_held nps[] = {TIME(nps.at), U8(nps.score), TEXT(nps.respondent)};
static const struct crm_held goal[] = {TEXT(goal.id), U8(goal.status), TIME(goal.created_at), TIME(goal.target_at),
                                       TIME(goal.completed_at)};
static const struct crm_held health[] = {DAY(health.day), F64(health.score)};
static const struct crm_held invoice[] = {TIME(invoice.due_at), TIME(invoice.paid_at), MONEY(invoice.amount), CURRENCY(invoice.currency)};
static const struct crm_held opportunity[] = {TIME(opportunity.opened_at), TIME(opportunity.closed_at), U8(opportunity.kind),
                                              U8(opportunity.stage),       MONEY(opportunity.amount),   CURRENCY(opportunity.currency),
                                              F64(opportunity.probability)};
static const struct crm_held signal[] = {TIME(signal.at), U8(signal.kind), F64(signal.weight)};
static const struct crm_held intervention[] = {TIME(intervention.opened_at), TIME(intervention.closed_at), TEXT(intervention.kind),
                                               TEXT(intervention.stage), TEXT(intervention.owner)};
static const struct crm_held onboarding[] = {TIME(onboarding.started_at), TIME(onboarding.target_at), TIME(onboarding.completed_at),
                                             U8(onboarding.status)};

#define LAYOUT(relation)                                                                                                                   \
  { offsetof(struct crm_facts, relation.n), offsetof(struct crm_facts, relation.first), relation, sizeof(relation) / sizeof(relation[0]) }

static const struct crm_layout layouts[CRM_RELATIONS] = {
    [CRM_REL_ACCOUNT] = {offsetof(struct crm_facts, account.n), 0, account, sizeof(account) / sizeof(account[0])},
    [CRM_REL_REVENUE] = LAYOUT(revenue),
    [CRM_REL_CONTRACT] = LAYOUT(contract),
    [CRM_REL_USAGE] = LAYOUT(usage),
    [CRM_REL_SUPPORT] = LAYOUT(support),
    [CRM_REL_ENGAGEMENT] = LAYOUT(engagement),
    [CRM_REL_CONTACT] = LAYOUT(contact),
    [CRM_REL_NPS] = LAYOUT(nps),
    [CRM_REL_GOAL] = LAYOUT(goal),
    [CRM_REL_HEALTH] = LAYOUT(health),
    [CRM_REL_INVOICE] = LAYOUT(invoice),
    [CRM_REL_OPPORTUNITY] = LAYOUT(opportunity),
    [CRM_REL_SIGNAL] = LAYOUT(signal),
    [CRM_REL_INTERVENTION] = LAYOUT(intervention),
    [CRM_REL_ONBOARDING] = LAYOUT(onboarding),
};

const struct crm_layout *crm_layout(enum crm_relation relation) {
  return &layouts[relation];
}

size_t crm_hold_size(enum crm_hold hold) {
  switch (hold) {
  case CRM_HOLD_U8:
  case CRM_HOLD_I8:
    return 1;
  case CRM_HOLD_TENANT:
  case CRM_HOLD_CURRENCY:
    return 2;
  case CRM_HOLD_TEXT:
  case CRM_HOLD_I32:
  case CRM_HOLD_F32:
    return 4;
  case CRM_HOLD_I64:
  case CRM_HOLD_F64:
  case CRM_HOLD_KEY:
    break;
  }
  return 8;
}

size_t crm_layout_row_size(const struct crm_layout *layout) {
  size_t size = 0;
  for (size_t c = 0; c < layout->n_columns; c++)
    size += crm_hold_size(layout->columns[c].hold);
  return size;
}
