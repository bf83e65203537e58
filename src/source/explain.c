/* SPDX-License-Identifier: MIT */
/* What a SQLSTATE means for the one who keeps the mapping, and what to do about it. */
#include "crm_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/check.h"
#include "source/mapping.h"

bool crm_sqlstate_passing(const char *sqlstate) {
  static const char *const passing[] = {
      "08",    /* connection */
      "26000", /* a prepared statement is gone: a pooler gave us another session, and we prepare no more */
      "42P05", /* the same: it is there already */
      "25P",   /* transaction state: an earlier fault of ours, or a timeout of the session */
      "40",    /* serialization failure, deadlock; on a replica: conflict with recovery */
      "53",    /* out of memory, disk, connections */
      "55006", /* object in use */
      "55P03", /* lock not available */
      "57",    /* cancelled, timeout, shutdown */
      "58",    /* system error outside of PostgreSQL */
      "72",    /* snapshot too old */
      "XX000", /* internal error, e.g. "cache lookup failed" while somebody changes the table */
  };
  for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
    if (strncmp(sqlstate, passing[i], strlen(passing[i])) == 0)
      return true;
  return sqlstate[0] == '\0';
}

static const char *remedy_of(const char *sqlstate) {
  static const struct {
    const char *prefix, *text; /* the first that fits */
  } remedies[] = {
      {"42P01", "create it, name another in the mapping or in SearchPath, or leave the relation out with Disabled true"},
      {"3F000", "create it, name another in the mapping or in SearchPath, or leave the relation out with Disabled true"},
      {"42703", "name the column that holds it, or write NULL::type AS name if there is none"},
      {"42601", "correct the SQL of the mapping"},
      {"25006", "a mapping may only read"},
      {"0A", "correct the SQL of the mapping, or leave the relation out with Disabled true"},
      {"42", "correct the SQL of the mapping"},
      {"22", "a row makes an expression of the mapping fail: guard it with CASE or NULLIF"},
      {"55000", "if it is a materialized view, REFRESH it"},
      {"55P03", "another session holds a lock on a table that the mapping reads; LockTimeout says how long to wait"},
      {"57014", "StatementTimeout says how long a statement may take; make the query cheaper, or shorten History"},
  };
  for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
    if (strncmp(sqlstate, remedies[i].prefix, strlen(remedies[i].prefix)) == 0)
      return remedies[i].text;
  return "";
}

static const char *field(const PGresult *result, int code) {
  const char *text = PQresultErrorField(result, code);
  return text != NULL ? text : "";
}

/* "permission denied for table accounts" -> what to grant. Only an English message can be taken apart. */
static void grant_remedy(struct crm_connection *c, const char *message, char *out, size_t size) {
  static const struct {
    const char *start, *grant;
  } grants[] = {
      {"permission denied for table ", "SELECT ON"},
      {"permission denied for view ", "SELECT ON"},
      {"permission denied for materialized view ", "SELECT ON"},
      {"permission denied for foreign table ", "SELECT ON"},
      {"permission denied for schema ", "USAGE ON SCHEMA"},
      {"permission denied for function ", "EXECUTE ON FUNCTION"},
  };
  char *role = PQescapeIdentifier(c->pg, PQuser(c->pg), strlen(PQuser(c->pg)));
  snprintf(out, size, "grant role %s the right to read it", role != NULL ? role : "");
  for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
    size_t len = strlen(grants[i].start);
    if (strncmp(message, grants[i].start, len) != 0)
      continue;
    char *object = PQescapeIdentifier(c->pg, message + len, strlen(message + len));
    snprintf(out, size, "GRANT %s %s TO %s", grants[i].grant, object != NULL ? object : "", role != NULL ? role : "");
    PQfreemem(object);
  }
  PQfreemem(role);
}

/* The server names its function in any language. */
static bool is_row_security(const PGresult *result) {
  return strcmp(field(result, PG_DIAG_SOURCE_FUNCTION), "check_enable_rls") == 0 ||
         strstr(field(result, PG_DIAG_MESSAGE_PRIMARY), "row-level security") != NULL;
}

void crm_check_explain(struct crm_connection *c, enum crm_relation relation, const char *origin, const char *sql, const PGresult *result,
                       struct crm_error *err) {
  char sqlstate[6], message[320], remedy[320], line[32] = "";
  memcpy(sqlstate, err->sqlstate, sizeof(sqlstate));
  crm_secrets_scrub(&c->secrets, field(result, PG_DIAG_MESSAGE_PRIMARY), message, sizeof(message));
  const char *position = field(result, PG_DIAG_STATEMENT_POSITION);
  if (sql != NULL && position[0] != '\0' && crm_mapping_line(sql, atoi(position)) > 0)
    snprintf(line, sizeof(line), ", line %d", crm_mapping_line(sql, atoi(position)));
  if (strcmp(sqlstate, "42501") != 0)
    snprintf(remedy, sizeof(remedy), "%s", remedy_of(sqlstate));
  else if (is_row_security(result))
    snprintf(remedy, sizeof(remedy),
             "row-level security would hide rows from role %s: ALTER ROLE ... BYPASSRLS, or read through a view whose owner no "
             "policy restricts",
             PQuser(c->pg));
  else
    grant_remedy(c, field(result, PG_DIAG_MESSAGE_PRIMARY), remedy, sizeof(remedy));
  enum crm_status status = strcmp(sqlstate, "57014") == 0 || strcmp(sqlstate, "55P03") == 0 ? CRM_ERR_TIMEOUT : CRM_ERR_SQL;
  crm_error_set(err, status, "relation %s (%s%s): %s (SQLSTATE %s)%s%s", crm_relation_info(relation)->name, origin, line, message, sqlstate,
                remedy[0] != '\0' ? "; " : "", remedy);
  memcpy(err->sqlstate, sqlstate, sizeof(sqlstate));
}
