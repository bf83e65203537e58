/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "lib/crm_workload.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TENANTS = 3, USERS = 6 };

uint64_t crm_workload_random(struct crm_workload *w, uint64_t below) {
  w->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
  uint64_t z = w->random;
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return (z ^ z >> 31) % below;
}

static int any(struct crm_workload *w, int below) {
  return (int)crm_workload_random(w, (uint64_t)below);
}

static const char *pick(struct crm_workload *w, const char *const *words, int n) {
  return words[any(w, n)];
}
#define PICK(w, ...) pick(w, (const char *const[]){__VA_ARGS__}, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)))

/* Runs in the transaction at hand; an error there must not end it. */
static void run(struct crm_workload *w, PGconn *pg, const char *sql) {
  bool within = PQtransactionStatus(pg) == PQTRANS_INTRANS;
  if (within)
    PQclear(PQexec(pg, "SAVEPOINT step"));
  PGresult *result = PQexec(pg, sql);
  ExecStatusType type = PQresultStatus(result);
  bool ok = type == PGRES_COMMAND_OK || type == PGRES_TUPLES_OK;
  if (!ok) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    /* Refused for what it says, or for a lock: fine. Anything else is a fault of the workload. */
    if (state == NULL || (strncmp(state, "23", 2) != 0 && strncmp(state, "22", 2) != 0 && strcmp(state, "55P03") != 0 &&
                          strcmp(state, "57014") != 0 && strcmp(state, "40P01") != 0)) {
      fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(pg));
      exit(99);
    }
    w->refused++;
  }
  if (getenv("CRM_FOLLOW_SQL") != NULL)
    fprintf(stderr, "SQL %d %d %s\n", pg == w->late, ok, sql);
  PQclear(result);
  w->done++;
  if (within)
    PQclear(PQexec(pg, ok ? "RELEASE SAVEPOINT step" : "ROLLBACK TO SAVEPOINT step"));
}

static void sql(struct crm_workload *w, PGconn *pg, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void sql(struct crm_workload *w, PGconn *pg, const char *fmt, ...) {
  char text[4096];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  run(w, pg, text);
}

static PGconn *open_one(const struct crm_workload *w) {
  const char *keys[] = {"host", "user", "dbname", "options", NULL};
  const char *values[] = {w->host, w->user, w->dbname, "-c client_min_messages=error -c lock_timeout=50ms -c timezone=UTC", NULL};
  PGconn *pg = PQconnectdbParams(keys, values, 0);
  if (PQstatus(pg) != CONNECTION_OK) {
    fprintf(stderr, "workload: %s\n", PQerrorMessage(pg));
    exit(99);
  }
  return pg;
}

void crm_workload_connect(struct crm_workload *w) {
  w->now = open_one(w);
  w->late = open_one(w);
  w->late_steps = 0;
}

void crm_workload_disconnect(struct crm_workload *w) {
  PQfinish(w->now);
  PQfinish(w->late);
  w->now = w->late = NULL;
}

void crm_workload_open(struct crm_workload *w, const char *host, const char *user, const char *dbname, uint64_t seed) {
  snprintf(w->host, sizeof(w->host), "%s", host);
  snprintf(w->user, sizeof(w->user), "%s", user);
  snprintf(w->dbname, sizeof(w->dbname), "%s", dbname);
  w->random = seed;
  crm_workload_connect(w);
}

void crm_workload_close(struct crm_workload *w) {
  crm_workload_disconnect(w);
}

/* --- one row ------------------------------------------------------------------------------------------------------ */

/* Ids are made of names and numbers, so that a run can be had again. */
#define ID(kind) "md5('" kind " %d')::uuid"

static const char *stamp(struct crm_workload *w) {
  return w->stamps || any(w, 8) > 0 ? ", updated_at = now()" : "";
}

static int tenant_of(int account) {
  return account % TENANTS;
}

static void insert_account(struct crm_workload *w, PGconn *pg) {
  int a = w->accounts++;
  sql(w, pg,
      "INSERT INTO accounts (id, organization_id, name, industry, size, arr, mrr, seat_count, growth_tracking_method, status, csm_id, "
      "created_at)"
      " VALUES (" ID("account") ", " ID("tenant") ", 'Account %d', '%s', '%s', %s, %d, %d, '%s', %s, " ID(
          "user") ", now() - interval '%d days')",
      a, tenant_of(a), a, PICK(w, "retail", "software", "food"), PICK(w, "small", "large", "enterprise"),
      PICK(w, "1200", "54321.99", "0", "NULL", "'NaN'", "-5"), any(w, 9000), any(w, 50), PICK(w, "arr", "mrr"),
      PICK(w, "'active'", "'active'", "'at_risk'", "'onboarding'", "'churned'", "NULL"), any(w, USERS), any(w, 700));
}

static void change_account(struct crm_workload *w, PGconn *pg, int a) {
  const char *what =
      PICK(w, "status = 'churned'", "status = 'active'", "status = 'at_risk'", "arr = arr * 1.5, previous_arr = arr", "arr = NULL",
           "seat_count = seat_count + 3", "name = name || '!'", "csm_id = NULL", "size = 'startup'", "health_score = 71");
  sql(w, pg, "UPDATE accounts SET %s%s WHERE id = " ID("account"), what, stamp(w), a);
}

static void detail(struct crm_workload *w, PGconn *pg, int a) {
  sql(w, pg,
      "INSERT INTO crm_ext.account_detail (account_id, region, auto_renew, renewal_forecast, churned_at) SELECT id, '%s', %s, %d, %s FROM "
      "accounts"
      " WHERE id = " ID("account") " ON CONFLICT (account_id) DO UPDATE SET region = excluded.region, churned_at = excluded.churned_at%s",
      PICK(w, "emea", "apac", "amer"), PICK(w, "true", "false", "NULL"), any(w, 101),
      PICK(w, "NULL", "now() - interval '20 days'", "now() - interval '200 days'"), a, stamp(w));
}

static void growth(struct crm_workload *w, PGconn *pg, int a) {
  sql(w, pg,
      "INSERT INTO account_growth_history (account_id, organization_id, arr, growth_tracking_method, recorded_at) SELECT id, "
      "organization_id, %d, 'arr', %s"
      " FROM accounts WHERE id = " ID("account"),
      any(w, 90000), PICK(w, "now()", "now()", "now() - interval '40 days'", "'0005-01-01'"), a);
}

static void contact(struct crm_workload *w, PGconn *pg, int a) {
  int c = any(w, 4 * w->accounts);
  switch (any(w, 5)) {
  case 0:
  case 1:
    sql(w, pg,
        "INSERT INTO contacts (id, organization_id, account_id, first_name, last_name, decision_maker_level, relationship_strength)"
        " VALUES (" ID("contact") ", " ID("tenant") ", " ID("account") ", 'A', 'B', '%s', '%s')",
        c, tenant_of(a), a, PICK(w, "Primary", "Influencer", "User", "Unknown"), PICK(w, "champion", "neutral", "detractor", "unknown"));
    break;
  case 2:
    sql(w, pg, "UPDATE contacts SET relationship_strength = '%s'%s WHERE id = " ID("contact"),
        PICK(w, "champion", "supporter", "detractor"), stamp(w), c);
    break;
  case 3: /* to another account, or to none */
    if (w->keeps_rows)
      break;
    if (any(w, 2) == 0)
      sql(w, pg, "UPDATE contacts SET account_id = " ID("account") "%s WHERE id = " ID("contact"), a, stamp(w), c);
    else
      sql(w, pg, "UPDATE contacts SET account_id = NULL%s WHERE id = " ID("contact"), stamp(w), c);
    break;
  default:
    if (!w->keeps_rows)
      sql(w, pg, "DELETE FROM contacts WHERE id = " ID("contact"), c);
  }
}

static void engagement(struct crm_workload *w, PGconn *pg, int a) {
  int e = any(w, 6 * w->accounts), c = any(w, 4 * w->accounts);
  switch (any(w, 6)) {
  case 0:
  case 1:
    sql(w, pg,
        "INSERT INTO engagements (id, organization_id, account_id, type, title, outcome, scheduled_at, completed_at, created_by)"
        " VALUES (" ID("engagement") ", " ID("tenant") ", " ID("account") ", '%s', 't', %s, now() - interval '%d hours', %s, " ID(
            "user") ")",
        e, tenant_of(a), a, PICK(w, "meeting", "call", "email", "demo"), PICK(w, "'positive'", "'negative'", "NULL"), any(w, 3000),
        PICK(w, "now() - interval '3 days'", "now() - interval '33 days'", "NULL"), any(w, USERS));
    break;
  case 2:
    sql(w, pg, "UPDATE engagements SET outcome = 'neutral', completed_at = now()%s WHERE id = " ID("engagement"), stamp(w), e);
    break;
  case 3:
    if (!w->keeps_rows)
      sql(w, pg, "DELETE FROM engagements WHERE id = " ID("engagement"), e);
    break;
  case 4:
    sql(w, pg,
        "INSERT INTO engagement_participants (engagement_id, contact_id, response_status) VALUES (" ID("engagement") ", " ID(
            "contact") ", '%s')",
        e, c, PICK(w, "accepted", "declined", "no_response"));
    break;
  default:
    sql(w, pg,
        "INSERT INTO crm_ext.engagement_response VALUES (" ID(
            "engagement") ", %d) ON CONFLICT (engagement_id) DO UPDATE SET response_seconds = 77%s",
        e, any(w, 90000), stamp(w));
  }
}

static void usage(struct crm_workload *w, PGconn *pg, int a) {
  int s = any(w, 5 * w->accounts);
  switch (any(w, 8)) {
  case 0:
  case 1:
  case 2:
    sql(w, pg,
        "INSERT INTO health_metrics (organization_id, account_id, metric_date, login_frequency, feature_adoption_score, "
        "overall_health_score)"
        " VALUES (" ID("tenant") ", " ID("account") ", current_date - %d, %d, %d, %d)",
        tenant_of(a), a, any(w, 60), any(w, 9), any(w, 101), any(w, 101));
    break;
  case 3:
    sql(w, pg, "UPDATE health_metrics SET login_frequency = 8 WHERE account_id = " ID("account") " AND metric_date > current_date - 9", a);
    break;
  case 4:
    sql(w, pg,
        "INSERT INTO usage_tracked_accounts (id, product_id, account_id, fastenr_account_id) SELECT " ID("tracked") ", " ID(
            "product") ", 'x%d', id FROM accounts WHERE id = " ID("account"),
        a, tenant_of(a), a, a);
    break;
  case 5:
    sql(w, pg,
        "INSERT INTO user_fingerprints (id, product_id, tracked_account_id, user_email) VALUES (" ID("device") ", " ID("product") ", " ID(
            "tracked") ", 'u%d@example.com')",
        s, tenant_of(a), a, any(w, 9));
    break;
  case 6:
    sql(w, pg,
        "INSERT INTO usage_sessions (id, product_id, fingerprint_id, tracked_account_id, session_token, started_at, ended_at) SELECT " ID(
            "session") ", f.product_id, f.id, f.tracked_account_id, 's', now() - interval '%d hours', now() FROM user_fingerprints f ORDER "
                       "BY f.id OFFSET %d LIMIT 1",
        s, any(w, 300), any(w, 20));
    break;
  default:
    sql(w, pg, "UPDATE usage_sessions SET ended_at = started_at + interval '%d minutes' WHERE id = " ID("session"), any(w, 90), s);
  }
}

static void support(struct crm_workload *w, PGconn *pg, int a) {
  sql(w, pg,
      "INSERT INTO support_metrics (organization_id, account_id, provider, metric_date, new_tickets, resolved_tickets, open_tickets, "
      "severity_score)"
      " VALUES (" ID("tenant") ", " ID(
          "account") ", '%s', current_date - %d, %d, %d, %d, %d)"
                     " ON CONFLICT (organization_id, account_id, provider, metric_date) DO UPDATE SET new_tickets = 1, open_tickets = 9%s",
      tenant_of(a), a, PICK(w, "zendesk", "jira"), any(w, 40), any(w, 9), any(w, 9), any(w, 30), any(w, 101),
      any(w, 3) > 0 ? stamp(w) : ", updated_at = now()");
}

static void goal(struct crm_workload *w, PGconn *pg, int a) {
  int g = any(w, 2 * w->accounts);
  if (any(w, 2) == 0)
    sql(w, pg,
        "INSERT INTO customer_goals (id, organization_id, account_id, title, status, target_date) VALUES (" ID("goal") ", " ID(
            "tenant") ", " ID("account") ", 'g', %s, current_date + %d)",
        g, tenant_of(a), a, PICK(w, "'on_track'", "'at_risk'", "NULL"), any(w, 60) - 30);
  else
    sql(w, pg, "UPDATE customer_goals SET status = '%s', completion_date = current_date - %d%s WHERE id = " ID("goal"),
        PICK(w, "achieved", "missed", "on_track"), any(w, 50), stamp(w), g);
}

/* The tables of crm_ext and onboarding, with what makes no sense but is legal. */
static void business(struct crm_workload *w, PGconn *pg, int a) {
  int n = any(w, 2 * w->accounts);
  switch (any(w, 10)) {
  case 0:
    sql(w, pg,
        "INSERT INTO crm_ext.contract (id, account_id, starts_on, ends_on, arr, currency) VALUES (" ID("contract") ", " ID(
            "account") ", current_date - %d, current_date + %d, %s, '%s')",
        n, a, any(w, 400), any(w, 200), PICK(w, "1000", "25000.5", "-1", "'NaN'", "NULL"), PICK(w, "EUR", "GBP", "???"));
    break;
  case 1:
    sql(w, pg, "UPDATE crm_ext.contract SET outcome = '%s', decided_at = now()%s WHERE id = " ID("contract"), PICK(w, "renewed", "lost"),
        stamp(w), n);
    break;
  case 2:
    sql(w, pg,
        "INSERT INTO crm_ext.invoice (id, account_id, issued_on, due_on, amount, currency) VALUES (" ID("invoice") ", " ID(
            "account") ", current_date - 50, current_date - %d, %s, 'EUR')",
        n, a, any(w, 60), PICK(w, "100", "99999", "-20"));
    break;
  case 3:
    sql(w, pg, "UPDATE crm_ext.invoice SET status = '%s', paid_at = now()%s WHERE id = " ID("invoice"), PICK(w, "paid", "void", "open"),
        stamp(w), n);
    break;
  case 4:
    sql(w, pg, "INSERT INTO crm_ext.signal (account_id, kind, observed_at, weight) VALUES (" ID("account") ", '%s', %s, %s)", a,
        PICK(w, "competitor_mentions", "budget_constraints", "weather"),
        PICK(w, "now()", "now() - interval '5 days'", "now() + interval '1 day'"), PICK(w, "1", "NULL", "'NaN'", "1e30"));
    break;
  case 5:
    sql(w, pg,
        "INSERT INTO crm_ext.intervention (id, account_id, kind, opened_at, stage, owner_id) VALUES (" ID("intervention") ", " ID(
            "account") ", 'call', now() - interval '9 days', 'proposed', " ID("user") ")",
        n, a, any(w, USERS));
    break;
  case 6:
    sql(w, pg, "UPDATE crm_ext.intervention SET closed_at = now(), stage = 'succeeded'%s WHERE id = " ID("intervention"), stamp(w), n);
    break;
  case 7:
    sql(w, pg,
        "INSERT INTO crm_ext.opportunity (id, account_id, kind, amount, currency, opened_at) VALUES (" ID("opportunity") ", " ID(
            "account") ", '%s', %d, 'USD', now() - interval '3 days')",
        n, a, PICK(w, "upsell", "renewal"), any(w, 9999));
    break;
  case 8:
    sql(w, pg, "UPDATE crm_ext.opportunity SET stage = '%s', closed_at = now()%s WHERE id = " ID("opportunity"), PICK(w, "won", "lost"),
        stamp(w), n);
    break;
  default:
    sql(w, pg,
        "INSERT INTO onboarding_plans (account_id, organization_id, status, started_at) VALUES (" ID("account") ", " ID(
            "tenant") ", 'in_progress', %s) ON CONFLICT (account_id) DO UPDATE SET status = 'completed', started_at = now() - interval '9 "
                      "days', actual_completion_date = current_date%s",
        a, tenant_of(a), PICK(w, "NULL", "now() - interval '30 days'"), stamp(w));
  }
}

/* Everything of `a` goes to `b`, and `a` ceases to be: what a user does who finds a customer entered twice. */
static void merge(struct crm_workload *w, PGconn *pg, int a, int b) {
  static const char *const tables[] = {"contacts",         "engagements",     "customer_goals",      "support_metrics",
                                       "crm_ext.contract", "crm_ext.invoice", "crm_ext.opportunity", "crm_ext.intervention"};
  w->merges++;
  for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
    sql(w, pg, "UPDATE %s SET account_id = " ID("account") ", updated_at = now() WHERE account_id = " ID("account"), tables[i], b, a);
  sql(w, pg, "UPDATE nps_surveys SET account_id = " ID("account") " WHERE account_id = " ID("account"), b, a);
  sql(w, pg, "DELETE FROM accounts WHERE id = " ID("account"), a);
}

/* A customer who had gone comes back: the status, the date of the churn, a new contract, and a level of revenue. */
static void come_back(struct crm_workload *w, PGconn *pg, int a) {
  w->returns++;
  sql(w, pg, "UPDATE accounts SET status = 'churned', updated_at = now() WHERE id = " ID("account"), a);
  sql(w, pg,
      "INSERT INTO crm_ext.account_detail (account_id, churned_at) SELECT id, now() - interval '80 days' FROM accounts WHERE id = " ID(
          "account") " ON CONFLICT (account_id) DO UPDATE SET churned_at = excluded.churned_at, updated_at = now()",
      a);
  sql(w, pg,
      "INSERT INTO crm_ext.contract (id, account_id, starts_on, ends_on, arr, currency) SELECT " ID(
          "contract") ", id, current_date - %d, NULL, 4321, 'EUR' FROM accounts WHERE id = " ID("account"),
      100000 + any(w, 100000), any(w, 70), a);
  if (any(w, 2) == 0)
    return; /* and nobody has touched the account itself yet */
  sql(w, pg, "UPDATE accounts SET status = 'active', arr = 4321, updated_at = now() WHERE id = " ID("account"), a);
  sql(w, pg, "UPDATE crm_ext.account_detail SET churned_at = %s, updated_at = now() WHERE account_id = " ID("account"),
      PICK(w, "NULL", "churned_at"), a);
}

/* What makes no sense, but the schema takes it; and what it does not take, which is refused. */
static void nonsense(struct crm_workload *w, PGconn *pg, int a) {
  static const char *const updates[] = {
      "accounts SET status = 'zombie'",
      "accounts SET created_at = 'infinity'",
      "accounts SET created_at = '-infinity'",
      "accounts SET seat_count = 2147483647",
      "accounts SET arr = 9999999999.99, mrr = -9999999999.99",
      "accounts SET arr = 'Infinity'",
      "accounts SET size = '', industry = NULL, status = NULL",
      "accounts SET name = repeat('n', 300)",
      "contacts SET decision_maker_level = 'Deity', relationship_strength = ''",
      "engagements SET completed_at = 'infinity', outcome = 'delightful'",
      "engagements SET scheduled_at = '-infinity', type = 'seance'",
      "customer_goals SET status = 'achieved', completion_date = 'infinity'",
      "customer_goals SET target_date = '-infinity'",
      "onboarding_plans SET started_at = 'infinity', status = 'unheard of'",
      "crm_ext.account_detail SET churned_at = 'infinity', renewal_forecast = 'NaN'",
      "crm_ext.contract SET ends_on = 'infinity'",
      "crm_ext.contract SET starts_on = '-infinity', arr = 1e300",
      "crm_ext.contract SET starts_on = '5874897-12-31', outcome = 'perhaps'",
      "crm_ext.invoice SET paid_at = 'infinity', amount = 'NaN'",
      "crm_ext.invoice SET due_on = '-infinity', amount = 1e30, status = 'eaten'",
      "crm_ext.opportunity SET closed_at = '-infinity', amount = 'NaN', stage = 'won'",
      "crm_ext.intervention SET opened_at = 'infinity', stage = 'begun twice'",
      "support_metrics SET severity_score = 2147483647, open_tickets = -5",
      "support_metrics SET avg_resolution_time_hours = 'NaN', satisfaction_score = NULL",
  };
  w->nonsense++;
  const char *what = updates[any(w, sizeof(updates) / sizeof(updates[0]))];
  bool of_account = strncmp(what, "accounts ", 9) == 0;
  sql(w, pg, "UPDATE %s, updated_at = now() WHERE %s = " ID("account"), what, of_account ? "id" : "account_id", a);
  if (any(w, 4) == 0)
    sql(w, pg,
        "INSERT INTO health_metrics (organization_id, account_id, metric_date, login_frequency, overall_health_score) VALUES (" ID(
            "tenant") ", " ID("account") ", %s, 2147483647, 50)",
        tenant_of(a), a, PICK(w, "'infinity'", "'-infinity'", "'9999-12-31'", "NULL"));
  if (any(w, 4) == 0)
    sql(w, pg,
        "INSERT INTO nps_surveys (organization_id, account_id, score, survey_date) VALUES (" ID("tenant") ", " ID("account") ", %s, %s)",
        tenant_of(a), a, PICK(w, "99", "-1", "NULL", "7"), PICK(w, "'infinity'", "'-infinity'", "NULL", "'1000-01-01'"));
}

static void rare(struct crm_workload *w, PGconn *pg, int a) {
  static const int kept[] = {3, 4, 6};
  switch (w->keeps_rows ? kept[any(w, 3)] : any(w, 9)) {
  case 0:
  case 1:
    merge(w, pg, a, any(w, w->accounts));
    break;
  case 2:
    sql(w, pg, "DELETE FROM accounts WHERE id = " ID("account"), a);
    break;
  case 3:
    sql(w, pg, "UPDATE organizations SET currency_code = '%s' WHERE id = " ID("tenant"), PICK(w, "GBP", "EUR", "JPY"), any(w, TENANTS));
    break;
  case 4:
    sql(w, pg, "UPDATE user_profiles SET full_name = full_name || '.' WHERE id = " ID("user"), any(w, USERS));
    break;
  case 5:
    sql(w, w->now, "TRUNCATE crm_ext.signal");
    break;
  case 6:
    sql(w, pg, "ANALYZE accounts");
    break;
  case 7: /* back with the same id: its rows of health_metrics were there all the time */
    sql(w, pg, "INSERT INTO accounts (id, organization_id, name, status) VALUES (" ID("account") ", " ID("tenant") ", 'Back', 'active')", a,
        tenant_of(a));
    break;
  default:
    sql(w, pg, "DELETE FROM health_metrics WHERE account_id = " ID("account"), a);
  }
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

static void change(struct crm_workload *w, PGconn *pg) {
  int a = any(w, w->accounts);
  int kind = any(w, 100);
  if (kind < 6)
    insert_account(w, pg);
  else if (kind < 16)
    change_account(w, pg, a);
  else if (kind < 20)
    detail(w, pg, a);
  else if (kind < 26)
    growth(w, pg, a);
  else if (kind < 38)
    contact(w, pg, a);
  else if (kind < 52)
    engagement(w, pg, a);
  else if (kind < 57)
    sql(w, pg, "INSERT INTO nps_surveys (organization_id, account_id, score) VALUES (" ID("tenant") ", " ID("account") ", %d)",
        tenant_of(a), a, any(w, 11));
  else if (kind < 71)
    usage(w, pg, a);
  else if (kind < 77)
    support(w, pg, a);
  else if (kind < 83)
    goal(w, pg, a);
  else if (kind < 91)
    business(w, pg, a);
  else if (kind < 93)
    come_back(w, pg, a);
  else if (kind < 96)
    nonsense(w, pg, a);
  else
    rare(w, pg, a);
}

/* The counters of a session show when it is idle for a while; this makes them show at once. */
static void flush(PGconn *pg) {
  PQclear(PQexec(pg, "SELECT pg_stat_force_next_flush()"));
}

void crm_workload_step(struct crm_workload *w) {
  if (w->late_steps == 0 && any(w, 12) == 0) {
    PQclear(PQexec(w->late, "BEGIN"));
    w->late_steps = 2 + any(w, 12);
  } else if (w->late_steps > 0 && --w->late_steps == 0) {
    PQclear(PQexec(w->late, any(w, 4) == 0 ? "ROLLBACK" : "COMMIT"));
    flush(w->late);
  }
  if (w->late_steps > 0 && any(w, 3) == 0) {
    w->late_changes++;
    change(w, w->late);
    return;
  }
  change(w, w->now);
  flush(w->now);
}

void crm_workload_settle(struct crm_workload *w) {
  if (w->late_steps > 0)
    PQclear(PQexec(w->late, "COMMIT"));
  w->late_steps = 0;
  flush(w->late);
  flush(w->now);
}

void crm_workload_begin(struct crm_workload *w, int accounts) {
  for (int i = 0; i < TENANTS; i++) {
    sql(w, w->now, "INSERT INTO organizations (id, name, currency_code) VALUES (" ID("tenant") ", 'Tenant %d', 'USD')", i, i);
    sql(w, w->now, "INSERT INTO usage_tracking_products (id, organization_id, name) VALUES (" ID("product") ", " ID("tenant") ", 'P')", i,
        i);
  }
  for (int i = 0; i < USERS; i++)
    sql(w, w->now, "INSERT INTO user_profiles (id, organization_id, full_name) VALUES (" ID("user") ", " ID("tenant") ", 'User %d')", i,
        i % TENANTS, i);
  for (int i = 0; i < accounts; i++)
    insert_account(w, w->now);
  flush(w->now);
}
