/* SPDX-License-Identifier: MIT */
/* Internal to source: what the planner says of a statement. In the transaction of a database, behind a savepoint. */
#ifndef CRM_SOURCE_PLAN_H
#define CRM_SOURCE_PLAN_H

#include <stddef.h>

#include "base/error.h"

struct crm_connection;
struct crm_source_database;

/* The plan as text, with the expressions of every node, for the caller to free; NULL and CRM_OK if the server refuses the statement, which is
 * rolled back to the savepoint. `sql` is freed; NULL stands for one that memory was lacking for. */
enum crm_status crm_plan_explain(struct crm_source_database *database, char *sql, char **plan, struct crm_error *err) CRM_MUSTCHECK;
/* The cost of the whole plan in the planner's units; 1e300 without a plan. */
double crm_plan_cost(const char *plan);
/* Both in one. */
enum crm_status crm_plan_cost_of(struct crm_source_database *database, char *sql, double *cost, struct crm_error *err) CRM_MUSTCHECK;
/* A function in the plan that may read tables which nobody sees, or look at the clock, so that what the statement gives may change while its
 * tables do not: `call` becomes its name, "" if there is none. */
enum crm_status crm_plan_strange_call(struct crm_connection *c, const char *plan, char *call, size_t size, struct crm_error *err) CRM_MUSTCHECK;

#endif
