/* SPDX-License-Identifier: MIT */
/* The sixteen inputs of the health score, each 0..100 (METRICS.md section 5). Internal to analytics. */
#ifndef CRM_ANALYTICS_HEALTH_INPUTS_H
#define CRM_ANALYTICS_HEALTH_INPUTS_H

#include "analytics/context.h"

/* What is known before the first account is looked at. */
struct crm_health_pass {
  struct crm_context *c;
  struct crm_health *health;
  crm_day since_day; /* start of the 30 d window, for rows of a day */
  crm_time since_30d, since_90d;
  double *sessions; /* room for the rows of one account */
  uint8_t *met;     /* per contact: seen on an engagement of the window; NULL if contacts are not available */
  double *volume;   /* per account: new tickets per seat, or per account */
  uint32_t *group;  /* per account: whom its volume is compared with */
};
/* Fills health->input (columns already there, NaN) for the OPEN accounts: begin, then fill for ranges that cover all accounts, then end,
 * which knows the whole tenant. Ranges allow what reads the same rows to be done while they are in the cache (evaluate.c). */
enum crm_status crm_health_inputs_begin(struct crm_context *c, struct crm_health *health, struct crm_health_pass *pass) CRM_MUSTCHECK;
void crm_health_inputs_fill(const struct crm_health_pass *pass, uint32_t from, uint32_t to);
enum crm_status crm_health_inputs_end(const struct crm_health_pass *pass) CRM_MUSTCHECK;

/* health.c: makes the columns and begins the inputs; ends the inputs and computes factors and scores. */
enum crm_status crm_health_begin(struct crm_context *c, struct crm_health *health, struct crm_health_pass *pass) CRM_MUSTCHECK;
enum crm_status crm_health_end(const struct crm_health_pass *pass) CRM_MUSTCHECK;

/* Relations without which the input does not exist: mask of 1u << CRM_REL_... */
unsigned crm_health_input_needs(enum crm_health_input i);

/* The latest known number of active users in rows [lo, hi) of usage, NaN if there is none. The figure is a level that the mapping writes
 * down when it changes: the newest one holds however old it is. */
double crm_active_users_until(const struct crm_usages *usage, uint32_t lo, uint32_t hi);

/* Hours to solve a ticket -> 100 up to 12 h, 75 at 24, 50 at 48, 25 at 72, 0 from 120, linear between. */
double crm_resolution_scale(double hours);

#endif
