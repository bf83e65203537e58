/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/plan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "source/internal.h"

enum crm_status crm_plan_explain(struct crm_source_database *database, char *sql, char **plan, struct crm_error *err) {
  *plan = NULL;
  char *statement = NULL;
  if (sql == NULL || asprintf(&statement, "EXPLAIN (VERBOSE) %s", sql) < 0) {
    free(sql);
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  }
  free(sql);
  PGresult *result;
  enum crm_status status = crm_connection_query(&database->connection, statement, 0, NULL, &result, err);
  free(statement);
  if (status == CRM_ERR_SQL && !crm_sqlstate_passing(err->sqlstate)) {
    PQclear(result);
    crm_error_clear(err);
    return crm_source_rollback(database, err);
  }
  struct crm_strbuf text;
  crm_strbuf_init(&text, 8 << 20);
  for (int i = 0; status == CRM_OK && i < PQntuples(result); i++)
    crm_strbuf_addf(&text, "%s\n", PQgetvalue(result, i, 0));
  PQclear(result);
  if (status == CRM_OK) {
    *plan = crm_strbuf_take(&text);
    if (*plan == NULL)
      status = crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  }
  crm_strbuf_free(&text);
  return status;
}

/* "Sort  (cost=1.23..4.56 rows=..." -> 4.56 */
double crm_plan_cost(const char *plan) {
  const char *cost = plan != NULL ? strstr(plan, "(cost=") : NULL;
  const char *total = cost != NULL ? strstr(cost, "..") : NULL;
  return total != NULL ? strtod(total + 2, NULL) : 1e300;
}

enum crm_status crm_plan_cost_of(struct crm_source_database *database, char *sql, double *cost, struct crm_error *err) {
  char *plan;
  enum crm_status status = crm_plan_explain(database, sql, &plan, err);
  *cost = crm_plan_cost(plan);
  free(plan);
  return status;
}

/* Names that are followed by a bracket: functions, and what looks like them. */
static void add_calls(struct crm_strbuf *array, const char *plan) {
  for (const char *at = strchr(plan, '('); at != NULL; at = strchr(at + 1, '(')) {
    const char *start = at;
    while (start > plan && (isalnum((unsigned char)start[-1]) != 0 || start[-1] == '_' || start[-1] == '"'))
      start--;
    if (start < at)
      crm_statement_add_item(array, start + (*start == '"'), (size_t)(at - start) - 2 * (size_t)(*start == '"'));
  }
}

/* A function of the user's may read tables that nobody sees, and one that is not immutable may look at the clock. Some of the server's own
 * are stable only because they regard settings which are pinned here. */
enum crm_status crm_plan_strange_call(struct crm_connection *c, const char *plan, char *call, size_t size, struct crm_error *err) {
  call[0] = '\0';
  static const char *const clocks[] = {"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"};
  for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
    if (strstr(plan, clocks[i]) != NULL) {
      snprintf(call, size, "%s", clocks[i]);
      return CRM_OK;
    }
  struct crm_strbuf array;
  crm_strbuf_init(&array, 8 << 20);
  add_calls(&array, plan);
  const char *params[] = {array.len > 0 ? crm_strbuf_str(&array) : "{}"};
  if (params[0] == NULL) {
    crm_strbuf_free(&array);
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  }
  PGresult *result;
  enum crm_status status = crm_connection_query(
      c,
      "SELECT f.proname FROM pg_proc f WHERE f.proname = ANY ($1::name[]) AND CASE WHEN f.pronamespace = 'pg_catalog'::regnamespace"
      " THEN f.provolatile = 'v' OR f.proname IN ('now', 'transaction_timestamp', 'statement_timestamp', 'clock_timestamp', 'timeofday',"
      "  'age', 'current_setting', 'pg_get_viewdef', 'query_to_xml', 'table_to_xml', 'pg_current_snapshot')"
      " AND (f.proname <> 'age' OR f.pronargs = 1)"
      " ELSE f.provolatile <> 'i' OR f.prolang <> (SELECT l.oid FROM pg_language l WHERE l.lanname = 'c') END LIMIT 1",
      1, params, &result, err);
  crm_strbuf_free(&array);
  if (status == CRM_OK && PQntuples(result) > 0)
    snprintf(call, size, "%s()", PQgetvalue(result, 0, 0));
  PQclear(result);
  return status;
}
