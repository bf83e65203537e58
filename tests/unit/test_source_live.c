/* SPDX-License-Identifier: MIT */
/* The source against a PostgreSQL of its own: what is read, and what does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lib/source_fixture.h"

static struct pg_fixture pg;

static void sql(const char *text) {
  pg_fixture_sql(&pg, "crm", text);
}

/* Every test has the empty tables. */
static int reset(void **state) {
  (void)state;
  source_fixture_reset(&pg);
  return 0;
}

static void assert_text(const struct crm_facts *f, uint32_t number, const char *expect) {
  assert_string_equal(crm_dict_text(&f->text, number), expect);
}

/* Seconds since the epoch, by `date -u +%s`. */
#define AT(seconds) ((crm_time)(seconds)*CRM_US_PER_SECOND)

static void every_relation_is_read(void **state) {
  (void)state;
  sql("INSERT INTO account VALUES ('a1','north','Ace','enterprise','retail','emea','ann','active','EUR','2024-01-01 00:00Z','2025-02-01 "
      "12:00Z',"
      "1200.50,NULL,25,true,80,70,30,'2024-02-01 00:00Z','2025-01-01 00:00Z');"
      "INSERT INTO revenue VALUES ('a1','2024-01-01 00:00Z',100.10,NULL,'EUR');"
      "INSERT INTO contract VALUES ('a1','c1','2024-01-01 00:00Z','2025-01-01 00:00Z',1200,'EUR',false,'renewed','2024-12-01 00:00Z',1300);"
      "INSERT INTO usage VALUES ('a1','2025-06-30',3.5,40,600,7);"
      "INSERT INTO support VALUES ('a1','2025-06-30',1,2,3,4,50,6.5,700,4.5);"
      "INSERT INTO contact VALUES ('a1','p1','primary','champion','active','2024-03-01 00:00Z'),('a1','p2','user','detractor','left',NULL);"
      "INSERT INTO engagement VALUES ('a1','e1','meeting','positive','2025-05-01 10:00Z','2025-05-01 "
      "11:00Z','ann',90,'{p2,p1,nobody}',5,4,3);"
      "INSERT INTO nps VALUES ('a1','2025-04-01 00:00Z',9,'p1');"
      "INSERT INTO goal VALUES ('a1','g1','on_track','2025-01-01 00:00Z','2025-12-01 00:00Z',NULL);"
      "INSERT INTO health VALUES ('a1','2025-06-29',66.5);"
      "INSERT INTO invoice VALUES ('a1','2025-03-01 00:00Z','2025-03-05 00:00Z',99.99,'EUR');"
      "INSERT INTO opportunity VALUES ('a1','upsell',500,'EUR','won','2025-01-01 00:00Z','2025-02-01 00:00Z',0.75);"
      "INSERT INTO signal VALUES ('a1','competitor_mentions','2025-05-05 00:00Z',2);"
      "INSERT INTO intervention VALUES ('a1','call','2025-05-06 00:00Z',NULL,'started','bob');"
      "INSERT INTO onboarding VALUES ('a1','2024-01-01 00:00Z','2024-03-01 00:00Z','2024-02-20 00:00Z','completed')");
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  source_fixture_open(&s);
  crm_time before = crm_clock_realtime_us();
  const struct crm_facts *f = source_fixture_must_read(&s);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    assert_true(f->available[r]);
    assert_int_equal(f->rows[r], r == CRM_REL_CONTACT ? 2 : 1);
    assert_in_range(f->read_at[r], before, crm_clock_realtime_us());
  }
  assert_text(f, f->account.id[0], "a1");
  assert_text(f, f->tenants[f->account.tenant[0]], "north");
  assert_text(f, f->account.owner[0], "ann");
  assert_int_equal(f->account.status[0], CRM_ACTIVE);
  assert_string_equal(f->currencies[f->account.currency[0]].code, "EUR");
  assert_int_equal(f->account.created_at[0], AT(1704067200));
  assert_int_equal(f->account.churned_at[0], AT(1738411200));
  assert_int_equal(f->account.arr[0], 120050);
  assert_int_equal(f->account.auto_renew[0], CRM_TRI_TRUE);
  assert_true(f->account.seats[0] == 25 && f->account.renewal_forecast[0] == 80 && f->account.recorded_risk[0] == 30);
  assert_int_equal(f->revenue.arr[0], 120120); /* 100.10 x 12 */
  assert_int_equal(f->contract.renewed_arr[0], 130000);
  assert_int_equal(f->contract.outcome[0], CRM_CONTRACT_RENEWED);
  assert_int_equal(f->contract.auto_renew[0], CRM_TRI_FALSE);
  assert_int_equal(f->usage.day[0], crm_day_from_civil(2025, 6, 30));
  assert_true(f->usage.logins_per_week[0] == 3.5 && f->usage.active_users[0] == 7);
  assert_true(f->support.escalated[0] == 4 && f->support.csat[0] == 4.5 && f->support.resolution_hours[0] == 6.5);
  assert_text(f, f->contact.id[0], "p1");
  assert_int_equal(f->contact.strength[1], CRM_DETRACTOR);
  assert_int_equal(f->contact.since[1], CRM_TIME_NONE);
  assert_int_equal(f->engagement.completed_at[0], AT(1746097200));
  assert_int_equal(f->engagement.contact_first[1], 2); /* "nobody" is no contact */
  assert_int_equal(f->engagement.contact[0], 0);
  assert_int_equal(f->engagement.contact[1], 1);
  assert_int_equal(f->nps.score[0], 9);
  assert_int_equal(f->goal.target_at[0], AT(1764547200));
  assert_true(f->health.score[0] == 66.5);
  assert_int_equal(f->invoice.amount[0], 9999);
  assert_int_equal(f->opportunity.stage[0], CRM_STAGE_WON);
  assert_true(f->opportunity.probability[0] == 0.75);
  assert_int_equal(f->signal.kind[0], CRM_SIGNAL_COMPETITOR);
  assert_text(f, f->intervention.owner[0], "bob");
  assert_int_equal(f->onboarding.status[0], CRM_ONB_COMPLETED);
  for (int p = 0; p < CRM_PHASES; p++)
    assert_true(crm_source_phase_us(s.source, (enum crm_phase)p) > 0);
  source_fixture_close(&s);
}

static void nothing_is_not_zero(void **state) {
  (void)state;
  sql("INSERT INTO account (account_id) VALUES ('a1'); INSERT INTO usage (account_id, day) VALUES ('a1','2025-06-30')");
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.options.relations[CRM_REL_ACCOUNT].query = "SELECT account_id, 1 AS unknown_column, name FROM account"; /* the others are not there */
  s.options.relations[CRM_REL_NPS].disabled = true;
  source_fixture_open(&s);
  const struct crm_facts *f = source_fixture_must_read(&s);
  assert_int_equal(f->account.n, 1);
  assert_text(f, f->account.name[0], "");
  assert_text(f, f->tenants[f->account.tenant[0]], "main"); /* the instance's name */
  assert_int_equal(f->account.arr[0], CRM_MONEY_UNKNOWN);
  assert_int_equal(f->account.created_at[0], CRM_TIME_NONE);
  assert_int_equal(f->account.status[0], CRM_STATUS_UNKNOWN);
  assert_int_equal(f->account.auto_renew[0], CRM_TRI_UNKNOWN);
  assert_true(isnan(f->account.seats[0]));
  assert_true(isnan(f->usage.logins_per_week[0]) && isnan(f->usage.active_users[0]));
  assert_false(f->available[CRM_REL_NPS]);
  assert_true(f->available[CRM_REL_INVOICE]); /* empty, but there */
  const struct crm_relation_check *check = crm_source_relation(s.source, CRM_REL_ACCOUNT);
  assert_int_equal(check->state, CRM_RELATION_OK);
  assert_true(check->column_present[0] && check->column_present[2] && !check->column_present[1] && !check->column_present[3]);
  assert_string_equal(check->origin, "Query of account");
  assert_int_equal(crm_source_relation(s.source, CRM_REL_NPS)->state, CRM_RELATION_NOT_MAPPED);
  source_fixture_close(&s);
}

static void no_rows_at_all(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  source_fixture_open(&s);
  const struct crm_facts *f = source_fixture_must_read(&s);
  assert_int_equal(f->account.n, 0);
  assert_true(f->available[CRM_REL_ACCOUNT]);
  source_fixture_close(&s);
}

/* Each case breaks one relation; the others are read all the same. */
static void what_does_not_fit_is_named(void **state) {
  (void)state;
  sql("INSERT INTO account (account_id) VALUES ('a1'); INSERT INTO nps (account_id, at, score) VALUES ('a1', now(), 10);"
      "CREATE TABLE secret (account_id text, day date); CREATE TABLE hidden (account_id text, day date);"
      "ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; GRANT SELECT ON hidden TO reader; INSERT INTO hidden VALUES ('a1','2025-01-01');"
      "CREATE SCHEMA closed; CREATE TABLE closed.t (account_id text, day date);"
      "CREATE MATERIALIZED VIEW later AS SELECT account_id, day FROM usage WITH NO DATA; GRANT SELECT ON later TO reader");
  static const struct {
    const char *name;
    enum crm_relation relation;
    const char *query;
    enum crm_status status;
    const char *sqlstate;
    const char *message[5];
  } cases[] = {
      {"missing table",
       CRM_REL_USAGE,
       "SELECT * FROM\nno_such_table",
       CRM_ERR_SQL,
       "42P01",
       {"relation usage (Query of usage, line 2)", "no_such_table", "42P01", "Disabled true"}},
      {"missing schema", CRM_REL_USAGE, "SELECT * FROM nowhere.t", CRM_ERR_SQL, "42P01", {"relation usage", "nowhere.t", "SearchPath"}},
      {"missing column in the mapping",
       CRM_REL_USAGE,
       "SELECT account_id, dday AS day\nFROM usage",
       CRM_ERR_SQL,
       "42703",
       {"relation usage (Query of usage, line 1)", "dday", "42703"}},
      {"syntax",
       CRM_REL_USAGE,
       "SELECT account_id,\n day,\n FROM usage",
       CRM_ERR_SQL,
       "42601",
       {"relation usage (Query of usage, line 3)", "42601"}},
      {"missing required column",
       CRM_REL_USAGE,
       "SELECT account_id, logins_per_week FROM usage",
       CRM_ERR_MAPPING,
       "",
       {"relation usage (Query of usage)", "required column \"day\" is missing", "date"}},
      {"timestamp without zone",
       CRM_REL_ENGAGEMENT,
       "SELECT account_id, engagement_id, type, now()::timestamp AS completed_at FROM engagement",
       CRM_ERR_MAPPING,
       "",
       {"relation engagement", "column \"completed_at\" is timestamp without time zone", "completed_at AT TIME ZONE 'UTC'"}},
      {"instant as day",
       CRM_REL_USAGE,
       "SELECT account_id, now() AS day FROM usage",
       CRM_ERR_MAPPING,
       "",
       {"column \"day\" is timestamp with time zone", "(day AT TIME ZONE 'Europe/Berlin')::date"}},
      {"text as number",
       CRM_REL_HEALTH,
       "SELECT account_id, day, '1'::text AS score FROM health",
       CRM_ERR_MAPPING,
       "",
       {"relation health", "column \"score\" is text", "score::numeric"}},
      {"a type that nobody knows",
       CRM_REL_HEALTH,
       "SELECT account_id, day, '(1,2)'::point AS score FROM health",
       CRM_ERR_MAPPING,
       "",
       {"column \"score\" is point"}},
      {"several faults",
       CRM_REL_USAGE,
       "SELECT 1.5 AS account_id, 'x'::text AS day, true AS active_users",
       CRM_ERR_MAPPING,
       "",
       {"\"account_id\" is numeric", "\"day\" is text", "\"active_users\" is boolean"}},
      {"a column twice", CRM_REL_USAGE, "SELECT u.*, u.day FROM usage u", CRM_ERR_MAPPING, "", {"column \"day\" is there twice"}},
      {"no privilege",
       CRM_REL_USAGE,
       "SELECT * FROM secret",
       CRM_ERR_SQL,
       "42501",
       {"relation usage", "GRANT SELECT ON \"secret\" TO \"reader\""}},
      {"no privilege on the schema",
       CRM_REL_USAGE,
       "SELECT * FROM closed.t",
       CRM_ERR_SQL,
       "42501",
       {"GRANT USAGE ON SCHEMA \"closed\" TO \"reader\""}},
      {"row-level security",
       CRM_REL_USAGE,
       "SELECT * FROM hidden",
       CRM_ERR_SQL,
       "42501",
       {"relation usage", "row-level security", "BYPASSRLS"}},
      {"a mapping that writes",
       CRM_REL_USAGE,
       "WITH w AS (DELETE FROM usage RETURNING *) SELECT * FROM w",
       CRM_ERR_SQL,
       "0A000",
       {"relation usage"}},
      {"division by zero",
       CRM_REL_HEALTH,
       "SELECT account_id, DATE '2025-01-01' AS day, 1 / (length(account_id) - 2) AS score FROM account",
       CRM_ERR_SQL,
       "22012",
       {"relation health", "division by zero", "NULLIF"}},
      {"materialized view without data", CRM_REL_USAGE, "SELECT * FROM later", CRM_ERR_SQL, "55000", {"relation usage", "REFRESH"}},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct source_fixture s;
    source_fixture_init(&s, &pg);
    s.options.relations[cases[i].relation].query = cases[i].query;
    source_fixture_open(&s);
    const struct crm_facts *f = source_fixture_must_read(&s);
    const struct crm_relation_check *check = crm_source_relation(s.source, cases[i].relation);
    if (check->state != CRM_RELATION_BROKEN || check->error.status != cases[i].status ||
        strcmp(check->error.sqlstate, cases[i].sqlstate) != 0)
      fail_msg("%s: state %d, %s %s: %s", cases[i].name, check->state, crm_status_name(check->error.status), check->error.sqlstate,
               check->error.message);
    for (size_t m = 0; m < 5 && cases[i].message[m] != NULL; m++)
      if (strstr(check->error.message, cases[i].message[m]) == NULL)
        fail_msg("%s: \"%s\" is not in: %s", cases[i].name, cases[i].message[m], check->error.message);
    assert_false(f->available[cases[i].relation]);
    assert_int_equal(f->rows[cases[i].relation], 0);
    assert_int_equal(f->nps.n, 1);
    /* The check finds the same, but for what only shows when the rows are made. */
    enum crm_status status = crm_source_check(s.source, &s.err);
    assert_int_equal(status, CRM_OK);
    bool shows = strcmp(cases[i].sqlstate, "22012") != 0;
    if ((check->state == CRM_RELATION_BROKEN) != shows)
      fail_msg("%s: state %d after the check", cases[i].name, check->state);
    assert_string_equal(s.log, "");
    source_fixture_close(&s);
  }
}

static void without_account_nothing_is_read(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.options.relations[CRM_REL_ACCOUNT].query = "SELECT * FROM accounts";
  source_fixture_open(&s);
  assert_int_equal(source_fixture_read(&s), CRM_ERR_SQL);
  assert_message(s.err.message, "relation account", "42P01", NULL);
  assert_int_equal(crm_source_check(s.source, &s.err), CRM_ERR_SQL);
  assert_message(s.err.message, "relation account", "42P01", NULL);
  assert_string_equal(crm_source_database(s.source, 0)->role, "reader"); /* told all the same */
  sql("CREATE VIEW accounts AS SELECT * FROM account; GRANT SELECT ON accounts TO reader");
  source_fixture_must_read(&s);
  source_fixture_close(&s);
}

static void tables_come_and_go(void **state) {
  (void)state;
  sql("INSERT INTO account (account_id) VALUES ('a1'); INSERT INTO signal VALUES ('a1','x','2025-01-01 00:00Z',3)");
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  source_fixture_open(&s);
  assert_int_equal(source_fixture_must_read(&s)->signal.n, 1);
  sql("DROP TABLE signal");
  assert_false(source_fixture_must_read(&s)->available[CRM_REL_SIGNAL]);
  assert_string_equal(crm_source_relation(s.source, CRM_REL_SIGNAL)->error.sqlstate, "42P01");
  /* It comes back with another type of as many bytes: nothing may be misread. */
  sql("CREATE TABLE signal (account_id text, kind text, at timestamp, weight float4); GRANT SELECT ON signal TO reader;"
      "INSERT INTO signal VALUES ('a1','x','2025-01-01 00:00',4)");
  assert_false(source_fixture_must_read(&s)->available[CRM_REL_SIGNAL]);
  assert_message(crm_source_relation(s.source, CRM_REL_SIGNAL)->error.message, "AT TIME ZONE", NULL);
  sql("ALTER TABLE signal ALTER at TYPE timestamptz USING at AT TIME ZONE 'UTC'");
  const struct crm_facts *f = source_fixture_must_read(&s);
  assert_int_equal(f->signal.n, 1);
  assert_true(f->signal.weight[0] == 4);
  assert_int_equal(f->signal.at[0], AT(1735689600));
  assert_string_equal(crm_source_relation(s.source, CRM_REL_SIGNAL)->error.message, "");
  source_fixture_close(&s);
}

static void types_of_the_users_own(void **state) {
  (void)state;
  sql("CREATE TYPE mood AS ENUM ('champion', 'detractor'); CREATE DOMAIN score_t AS numeric CHECK (value >= 0);"
      "CREATE DOMAIN id_t AS uuid; CREATE DOMAIN inner_t AS text; CREATE DOMAIN name_t AS inner_t;"
      "CREATE TYPE kind_t AS ENUM ('meeting', 'p1');"
      "CREATE TABLE typed (account_id id_t, contact_id bigint, level char(12), strength mood, status varchar(20), since date);"
      "CREATE TABLE met (account_id id_t, engagement_id int, type kind_t, completed_at timestamptz, contacts name_t[], participants "
      "smallint,"
      " accepted real, answered score_t);"
      "GRANT SELECT ON typed, met TO reader;"
      "INSERT INTO typed VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', -7, 'primary', 'champion', 'active', '2025-07-15');"
      "INSERT INTO met VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1, 'meeting', '2025-01-01 00:00Z', '{-7}', 3, 2, 1)");
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.options.relations[CRM_REL_ACCOUNT].query = "SELECT DISTINCT account_id, 'JPY'::char(3) AS currency, 5::bigint AS mrr FROM typed";
  s.options.relations[CRM_REL_CONTACT].query = "SELECT * FROM typed -- with a comment at the end";
  s.options.relations[CRM_REL_ENGAGEMENT].query = "SELECT * FROM met; /* ; */";
  source_fixture_open(&s);
  const struct crm_facts *f = source_fixture_must_read(&s);
  assert_string_equal(crm_source_relation(s.source, CRM_REL_CONTACT)->error.message, "");
  assert_string_equal(crm_source_relation(s.source, CRM_REL_ENGAGEMENT)->error.message, "");
  assert_text(f, f->account.id[0], "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  assert_int_equal(f->account.arr[0], 60); /* yen have no decimals */
  assert_text(f, f->contact.id[0], "-7");
  assert_int_equal(f->contact.level[0], CRM_PRIMARY);
  assert_int_equal(f->contact.strength[0], CRM_CHAMPION);
  assert_int_equal(f->contact.since[0], AT(1752530400)); /* 00:00 in Berlin, summer time */
  assert_int_equal(f->engagement.type[0], CRM_MEETING);
  assert_int_equal(f->engagement.contact_first[1], 1);
  assert_true(f->engagement.participants[0] == 3 && f->engagement.accepted[0] == 2 && f->engagement.answered[0] == 1);
  /* An array of an enum. */
  crm_source_free(s.source);
  s.options.relations[CRM_REL_ENGAGEMENT].query =
      "SELECT account_id, engagement_id, type, completed_at, ARRAY['p1'::kind_t, NULL] AS contacts FROM met";
  source_fixture_open(&s);
  assert_int_equal(source_fixture_must_read(&s)->engagement.n, 1);
  source_fixture_close(&s);
}

static void two_databases(void **state) {
  (void)state;
  sql("INSERT INTO account (account_id) VALUES ('a1'); INSERT INTO engagement (account_id, engagement_id, type, completed_at, contacts)"
      " VALUES ('a1','e1','call','2025-01-01 00:00Z','{p1}')");
  pg_fixture_sql(&pg, "other",
                 "CREATE SCHEMA people; CREATE TABLE people.contact (account_id text, contact_id text);"
                 "CREATE TABLE people.invoice (account_id text, due_at date, amount int);"
                 "INSERT INTO people.contact VALUES ('a1','p1'); INSERT INTO people.invoice VALUES ('a1','2025-01-01',7);"
                 "GRANT USAGE ON SCHEMA people TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA people TO reader");
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.databases[1].search_path = "people, public";
  s.options.relations[CRM_REL_CONTACT].database = "other";
  s.options.relations[CRM_REL_INVOICE].database = "other";
  source_fixture_open(&s);
  for (int round = 0; round < 2; round++) {
    const struct crm_facts *f = source_fixture_must_read(&s);
    assert_int_equal(f->contact.n, 1);
    assert_int_equal(f->invoice.amount[0], 700);
    assert_int_equal(f->engagement.contact_first[1], 1); /* the contact was there before the engagement */
  }
  assert_int_equal(crm_source_check(s.source, &s.err), CRM_OK);
  assert_message(crm_source_database(s.source, 1)->endpoint, "reader@", "/other", NULL);
  assert_null(crm_source_database(s.source, 2));
  source_fixture_close(&s);

  source_fixture_init(&s, &pg);
  s.options.relations[CRM_REL_CONTACT].database = "nowhere";
  assert_int_equal(crm_source_new(&s.options, NULL, s.stop, &s.source, &s.err), CRM_ERR_CONFIG);
  assert_message(s.err.message, "main", "contact", "nowhere", NULL);
  s.source = NULL;
  source_fixture_close(&s);
}

static void history_has_a_bound(void **state) {
  (void)state;
  sql("INSERT INTO account (account_id) VALUES ('a1');"
      "INSERT INTO usage (account_id, day) SELECT 'a1', (now() AT TIME ZONE 'Europe/Berlin')::date - n FROM generate_series(0, 99) n;"
      "INSERT INTO health (account_id, day) SELECT 'a1', (now() AT TIME ZONE 'Europe/Berlin')::date - n FROM generate_series(0, 99) n;"
      "INSERT INTO nps SELECT 'a1', now() - n * interval '1 day', 5, NULL FROM generate_series(0, 99) n");
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.options.history_days = 30;
  source_fixture_open(&s);
  const struct crm_facts *f = source_fixture_must_read(&s);
  assert_int_equal(f->usage.n, 31); /* today and the thirty days before */
  assert_int_equal(f->health.n, 31);
  assert_int_equal(f->nps.n, 100); /* has no day to go by */
  s.options.history_days = 0;
  assert_int_equal(source_fixture_must_read(&s)->usage.n, 100);
  source_fixture_close(&s);
}

static void refused_rows_are_told_once(void **state) {
  (void)state;
  sql("INSERT INTO account (account_id) VALUES ('a1'); INSERT INTO usage (account_id, day) VALUES "
      "('a1','2025-01-01'),('ghost','2025-01-01'),"
      "(NULL,'2025-01-01'),('a1','infinity'),('a1',NULL); INSERT INTO health VALUES ('a1','2025-01-01','NaN'),('a1','2025-01-01',101)");
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  source_fixture_open(&s);
  const struct crm_facts *f = source_fixture_must_read(&s);
  assert_int_equal(f->usage.n, 1);
  assert_int_equal(f->rejected[CRM_REL_USAGE][CRM_REJECT_UNKNOWN_ACCOUNT], 1);
  assert_int_equal(f->rejected[CRM_REL_USAGE][CRM_REJECT_NO_ACCOUNT], 1);
  assert_int_equal(f->rejected[CRM_REL_USAGE][CRM_REJECT_OUT_OF_RANGE], 1);
  assert_int_equal(f->rejected[CRM_REL_USAGE][CRM_REJECT_MISSING], 1);
  assert_int_equal(f->rejected[CRM_REL_HEALTH][CRM_REJECT_NOT_A_NUMBER], 1);
  assert_int_equal(f->rejected[CRM_REL_HEALTH][CRM_REJECT_OUT_OF_RANGE], 1);
  assert_message(s.log, "relation usage: refused for unknown_account: 1 (taken: 1 rows)",
                 "relation health: refused for not_a_number: 1 (taken: 0 rows)", NULL);
  assert_null(strstr(s.log, "ghost")); /* no contents */
  s.log[0] = '\0';
  source_fixture_must_read(&s);
  assert_string_equal(s.log, "");
  sql("DELETE FROM usage WHERE account_id = 'ghost'");
  source_fixture_must_read(&s);
  assert_string_equal(s.log, "instance main: relation usage: nothing is refused any more for unknown_account\n");
  source_fixture_close(&s);
}

static void the_report_tells_who_we_are(void **state) {
  (void)state;
  sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  source_fixture_open(&s);
  assert_int_equal(crm_source_check(s.source, &s.err), CRM_OK);
  const struct crm_database_report *report = crm_source_database(s.source, 0);
  char expect[128];
  pg_fixture_value(&pg, "crm", "SHOW server_version", expect, sizeof(expect));
  assert_string_equal(report->server_version, expect);
  snprintf(expect, sizeof(expect), "reader@%s:5432/crm", pg.dir);
  if (getenv("PGPORT") == NULL)
    assert_string_equal(report->endpoint, expect);
  assert_string_equal(report->role, "reader");
  assert_false(report->superuser || report->bypass_rls || report->can_write || report->in_recovery || report->ssl);
  sql("GRANT INSERT ON goal TO reader");
  assert_int_equal(crm_source_check(s.source, &s.err), CRM_OK);
  assert_true(crm_source_database(s.source, 0)->can_write);
  sql("REVOKE INSERT ON goal FROM reader; CREATE TABLE unrelated (x int); GRANT ALL ON unrelated TO reader");
  assert_int_equal(crm_source_check(s.source, &s.err), CRM_OK);
  assert_false(crm_source_database(s.source, 0)->can_write); /* the mapping does not read that table */
  sql("GRANT CREATE ON SCHEMA public TO reader");
  assert_int_equal(crm_source_check(s.source, &s.err), CRM_OK);
  assert_true(crm_source_database(s.source, 0)->can_write);
  source_fixture_close(&s);
  source_fixture_init(&s, &pg);
  s.databases[0].user = PG_FIXTURE_SUPERUSER;
  source_fixture_open(&s);
  assert_int_equal(crm_source_check(s.source, &s.err), CRM_OK);
  report = crm_source_database(s.source, 0);
  assert_true(report->superuser && report->bypass_rls && report->can_write);
  source_fixture_close(&s);
}

static void the_session_is_pinned(void **state) {
  (void)state;
  /* Defaults of the role that would change what is read. */
  sql("INSERT INTO account (account_id) VALUES ('a1');"
      "ALTER ROLE reader SET search_path = evil; ALTER ROLE reader SET \"TimeZone\" = 'Asia/Tokyo'; ALTER ROLE reader SET "
      "statement_timeout = '1h';"
      "ALTER ROLE reader SET standard_conforming_strings = off; ALTER ROLE reader SET row_security = on;"
      "CREATE SCHEMA evil; CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT timestamptz ''1999-01-01 00:00Z''';"
      "GRANT USAGE ON SCHEMA evil TO reader");
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.databases[0].search_path = "evil, public"; /* even then the server's own functions come first */
  s.options.relations[CRM_REL_ACCOUNT].query =
      "SELECT account_id, current_setting('search_path') AS name, current_setting('TimeZone') AS segment, "
      "current_setting('statement_timeout') AS owner,"
      " current_setting('transaction_isolation') || ' ' || current_setting('transaction_read_only') AS region,"
      " current_setting('application_name') || ' ' || current_setting('row_security') AS industry,"
      " TIMESTAMP '2025-01-01 00:00' AT TIME ZONE 'UTC' AS created_at, now() AS changed_at,"
      " (timestamptz '2025-06-30 23:30Z')::date AS first_value_at FROM account";
  source_fixture_open(&s);
  const struct crm_facts *f = source_fixture_must_read(&s);
  assert_text(f, f->account.name[0], "pg_catalog, evil, public, pg_temp");
  assert_text(f, f->account.segment[0], "Europe/Berlin");         /* the instance's, neither the role's nor the server's */
  assert_int_equal(f->account.first_value_at[0], AT(1751320800)); /* 1 July there, from 2025-06-30T22:00Z on */
  assert_text(f, f->account.owner[0], "30s");
  assert_text(f, f->account.region[0], "repeatable read on");
  assert_text(f, f->account.industry[0], "collectd-crm/main off");
  assert_int_equal(f->account.created_at[0], AT(1735689600));
  assert_true(f->account.changed_at[0] > AT(1735689600));
  source_fixture_close(&s);
  sql("ALTER ROLE reader RESET ALL");
}

/* Rows of the table that belong to a shard of three, told by another way of reading the hash. */
static uint64_t rows_of_shard(const char *table, unsigned number) {
  char text[512], value[32];
  snprintf(text, sizeof(text),
           "SELECT count(*) FROM %s, LATERAL (SELECT decode(md5(convert_to(rtrim(account_id), 'UTF8')), 'hex')) d (h) WHERE"
           " (get_byte(h, 0) * 16777216::bigint + get_byte(h, 1) * 65536 + get_byte(h, 2) * 256 + get_byte(h, 3)) %% 3 = %u",
           table, number - 1);
  pg_fixture_value(&pg, "crm", text, value, sizeof(value));
  return strtoull(value, NULL, 10);
}

static void a_shard_reads_its_own(void **state) {
  (void)state;
  /* Ids of several kinds, rows of accounts that do not exist, and a row without an account. */
  sql("INSERT INTO account (account_id) SELECT unnest(ARRAY['a' || i, '{\"\\''' || i, md5(i::text)::uuid::text, U&'\\00E9' || i])"
      " FROM generate_series(1, 30) i;"
      "INSERT INTO nps SELECT account_id, '2025-04-01 00:00Z', 9 FROM account;"
      "INSERT INTO nps SELECT 'gone ' || i, '2025-04-01 00:00Z', 9 FROM generate_series(1, 20) i;"
      "INSERT INTO nps VALUES (NULL, '2025-04-01 00:00Z', 9);"
      "INSERT INTO revenue SELECT account_id, '2025-04-01 00:00Z', 9 FROM account;"
      "INSERT INTO goal SELECT account_id, 'g', 'on_track' FROM account");
  static const char *const queries[] = {"SELECT * FROM nps", "SELECT account_id::char(60), at, score FROM nps",
                                        "SELECT account_id::varchar AS account_id, at, score FROM nps -- the last line"};
  uint64_t all = 0;
  for (uint16_t number = 1; number <= 3; number++) {
    struct source_fixture s;
    source_fixture_init(&s, &pg);
    s.options.shard = (struct crm_shard){number, 3};
    s.options.relations[CRM_REL_NPS].query = queries[number - 1];
    source_fixture_open(&s);
    const struct crm_facts *f = source_fixture_must_read(&s);
    assert_int_equal(f->rows[CRM_REL_ACCOUNT], 120);
    assert_int_equal(f->rows[CRM_REL_REVENUE], 120);
    assert_int_equal(f->rows[CRM_REL_GOAL], rows_of_shard("account", number));
    assert_int_equal(f->rows[CRM_REL_NPS], rows_of_shard("account", number));
    /* No row of another shard was even sent; where the hash of each row tells, those of accounts that are not there come too. */
    uint64_t gone = number > 1 ? rows_of_shard("(SELECT * FROM nps WHERE account_id LIKE 'gone%') n", number) : 0;
    assert_int_equal(crm_source_rows(s.source), 240 + 2 * rows_of_shard("account", number) + gone);
    uint32_t own = 0;
    for (uint32_t a = 0; a < f->account.n; a++) {
      own += f->account.foreign[a] == 0;
      assert_int_equal(f->nps.first[a + 1] - f->nps.first[a], f->account.foreign[a] == 0 ? 1 : 0);
    }
    assert_int_equal(own, rows_of_shard("account", number));
    all += own;
    for (int reason = 0; reason < CRM_REJECTS; reason++)
      assert_int_equal(f->rejected[CRM_REL_NPS][reason], 0);
    source_fixture_close(&s);
  }
  assert_int_equal(all, 120);
}

/* In another encoding of the server the hash is that of the same text. */
static void a_shard_knows_encodings(void **state) {
  (void)state;
  pg_fixture_sql(&pg, "postgres", "DROP DATABASE crm WITH (FORCE)");
  pg_fixture_sql(&pg, "postgres", "CREATE DATABASE crm TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
  sql("CREATE TABLE account (account_id text); CREATE TABLE nps (account_id text, at timestamptz, score int);"
      "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;"
      "INSERT INTO account SELECT chr(233) || i FROM generate_series(1, 50) i;"
      "INSERT INTO nps SELECT account_id, '2025-04-01 00:00Z', 9 FROM account");
  uint64_t all = 0;
  for (uint16_t number = 1; number <= 3; number++) {
    struct source_fixture s;
    source_fixture_init(&s, &pg);
    for (int r = 0; r < CRM_RELATIONS; r++)
      s.options.relations[r].disabled = r != CRM_REL_ACCOUNT && r != CRM_REL_NPS;
    s.options.shard = (struct crm_shard){number, 3};
    source_fixture_open(&s);
    const struct crm_facts *f = source_fixture_must_read(&s);
    assert_int_equal(f->rows[CRM_REL_NPS], crm_source_rows(s.source) - 50); /* none that came was passed over */
    all += f->rows[CRM_REL_NPS];
    source_fixture_close(&s);
  }
  assert_int_equal(all, 50);
}

/* A server that will not say the hash is told at once, and not by accounts that nobody watches. */
static void a_shard_needs_the_hash(void **state) {
  (void)state;
  sql("REVOKE EXECUTE ON FUNCTION md5(bytea) FROM PUBLIC");
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.options.shard = (struct crm_shard){1, 2};
  source_fixture_open(&s);
  assert_int_not_equal(source_fixture_read(&s), CRM_OK);
  assert_message(s.err.message, "Shard: ", "permission denied for function md5", NULL);
  source_fixture_close(&s);
  source_fixture_init(&s, &pg);
  source_fixture_open(&s);
  (void)source_fixture_must_read(&s);
  source_fixture_close(&s);
}

static int stop(void **state) {
  (void)state;
  pg_fixture_stop(&pg);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(every_relation_is_read, reset),
      cmocka_unit_test_setup(nothing_is_not_zero, reset),
      cmocka_unit_test_setup(no_rows_at_all, reset),
      cmocka_unit_test_setup(what_does_not_fit_is_named, reset),
      cmocka_unit_test_setup(without_account_nothing_is_read, reset),
      cmocka_unit_test_setup(tables_come_and_go, reset),
      cmocka_unit_test_setup(types_of_the_users_own, reset),
      cmocka_unit_test_setup(two_databases, reset),
      cmocka_unit_test_setup(history_has_a_bound, reset),
      cmocka_unit_test_setup(refused_rows_are_told_once, reset),
      cmocka_unit_test_setup(the_report_tells_who_we_are, reset),
      cmocka_unit_test_setup(the_session_is_pinned, reset),
      cmocka_unit_test_setup(a_shard_reads_its_own, reset),
      cmocka_unit_test_setup(a_shard_knows_encodings, reset),
      cmocka_unit_test_setup(a_shard_needs_the_hash, reset),
  };
  if (!pg_fixture_start(&pg)) {
    printf("1..0 # SKIP %s\n", pg.reason);
    return getenv("CMOCKA_MESSAGE_OUTPUT") != NULL ? 0 : 77;
  }
  return cmocka_run_group_tests(tests, NULL, stop);
}
