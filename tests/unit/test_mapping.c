/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "facts/builder.h"
#include "source/mapping.h"
#include "source/statement.h"
#include "../lib/scratch.h"

static void one_statement_is_made(void **state) {
  (void)state;
  static const struct {
    const char *name, *text;
    const char *sql;     /* NULL: refused */
    const char *message; /* part of it */
  } cases[] = {
      {"plain", "SELECT 1", "SELECT 1", NULL},
      {"semicolon", "SELECT 1;", "SELECT 1", NULL},
      {"semicolon and line end", "SELECT 1 ;\n", "SELECT 1 ", NULL},
      {"two semicolons", "SELECT 1;;", "SELECT 1", NULL},
      {"comment behind the semicolon", "SELECT 1; -- done\n/* really */", "SELECT 1", NULL},
      {"comment at the end", "SELECT 1 -- done", "SELECT 1 -- done", NULL},
      {"semicolon in a comment", "SELECT 1 -- a; b", "SELECT 1 -- a; b", NULL},
      {"semicolon in a bracketed comment", "SELECT /* ; */ 1;", "SELECT /* ; */ 1", NULL},
      {"nested comment", "SELECT /* a /* ; */ ; */ 1", "SELECT /* a /* ; */ ; */ 1", NULL},
      {"semicolon in a string", "SELECT 'a;b';", "SELECT 'a;b'", NULL},
      {"doubled quote", "SELECT 'it''s;';", "SELECT 'it''s;'", NULL},
      {"backslash is plain", "SELECT 'a\\';", "SELECT 'a\\'", NULL},
      {"backslash in an escape string", "SELECT E'a\\';b';", "SELECT E'a\\';b'", NULL},
      {"a name that ends in e", "SELECT note'a\\';", "SELECT note'a\\'", NULL},
      {"semicolon in a name", "SELECT 1 AS \"a;\"\"b\";", "SELECT 1 AS \"a;\"\"b\"", NULL},
      {"dollar quotes", "SELECT $$a;b$$, $t$;$$;$t$;", "SELECT $$a;b$$, $t$;$$;$t$", NULL},
      {"dollar in a name", "SELECT a$b$ FROM t; -- $b$", "SELECT a$b$ FROM t", NULL},
      {"comment marks in a string", "SELECT '--', '/*';", "SELECT '--', '/*'", NULL},
      {"quote in a comment", "-- it's\nSELECT 1;", "-- it's\nSELECT 1", NULL},
      {"byte order mark", "\xEF\xBB\xBFSELECT 1", "SELECT 1", NULL},
      {"empty", "", NULL, "no statement"},
      {"comments only", "-- nothing\n/* at all */\n", NULL, "no statement"},
      {"semicolon only", "\n ;", NULL, "line 2"},
      {"two statements", "SELECT 1;\nSELECT 2", NULL, "line 2: more than one"},
      {"open string", "SELECT 1,\n'abc", NULL, "line 2"},
      {"open comment", "SELECT 1\n\n/* abc", NULL, "line 3"},
      {"comment closed once too few", "SELECT /* /* */ 1", NULL, "line 1"},
      {"open dollar quote", "SELECT $a$ $b$", NULL, "does not end"},
      {"open escape string at the very end", "SELECT E'\\", NULL, "does not end"},
      {"bad UTF-8", "SELECT '\xff'", NULL, "UTF-8"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char *sql = NULL;
    struct crm_error err = {0};
    enum crm_status status = crm_mapping_clean(cases[i].text, strlen(cases[i].text), &sql, &err);
    if (cases[i].sql != NULL) {
      if (status != CRM_OK || strcmp(sql, cases[i].sql) != 0)
        fail_msg("%s: \"%s\" %s", cases[i].name, sql ? sql : "", err.message);
    } else if (status != CRM_ERR_CONFIG || strstr(err.message, cases[i].message) == NULL || strncmp(err.message, "line ", 5) != 0)
      fail_msg("%s: %s", cases[i].name, err.message);
    free(sql);
  }
}

static void a_fault_is_found_in_its_line(void **state) {
  (void)state;
  static const char sql[] = "SELECT \xC3\xA9,\nb\nFROM t";
  char *statement = crm_mapping_check_statement(sql);
  /* The server counts characters, so the place is searched for and the bytes that continue a character are taken off. */
  static const struct {
    const char *word;
    int line;
  } cases[] = {{"SELECT \xC3", 1}, {"b\nFROM", 2}, {"FROM t\n", 3}, {"t\n)", 3}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *at = strstr(statement, cases[i].word);
    assert_non_null(at);
    int position = 1;
    for (const char *p = statement; p < at; p++)
      position += ((unsigned char)*p & 0xC0) != 0x80;
    assert_int_equal(crm_mapping_line(sql, position), cases[i].line);
  }
  assert_int_equal(crm_mapping_line(sql, 1), 0);   /* before the mapping */
  assert_int_equal(crm_mapping_line(sql, 999), 0); /* behind it */
  free(statement);
}

static void statements_are_wrapped(void **state) {
  (void)state;
  char *statement = crm_mapping_check_statement("SELECT 1 -- one");
  assert_string_equal(statement, "SELECT * FROM (\nSELECT 1 -- one\n) q LIMIT 0");
  free(statement);
}

static void texts_are_split(void **state) {
  (void)state;
  struct crm_error err = {0};
  char *sqls[CRM_CHANGES_MAX];
  size_t n = 0;
  const char text[] = "-- two; of them\nSELECT ';' AS a;\n-- second\nSELECT 2 ; ;\n-- end";
  assert_int_equal(crm_mapping_split(text, strlen(text), sqls, &n, &err), CRM_OK);
  assert_int_equal(n, 2);
  assert_string_equal(sqls[0], "-- two; of them\nSELECT ';' AS a");
  assert_string_equal(sqls[1], "\n-- second\nSELECT 2 ");
  free(sqls[0]);
  free(sqls[1]);
  assert_int_equal(crm_mapping_split("-- nothing", 10, sqls, &n, &err), CRM_ERR_CONFIG);
  assert_int_equal(n, 0);
  assert_int_equal(crm_mapping_split("SELECT 'x", 9, sqls, &n, &err), CRM_ERR_CONFIG);
  const char many[] = "SELECT 1;SELECT 1;SELECT 1;SELECT 1;SELECT 1;SELECT 1;SELECT 1;SELECT 1;SELECT 1";
  assert_int_equal(crm_mapping_split(many, strlen(many), sqls, &n, &err), CRM_ERR_CONFIG);
  assert_non_null(strstr(err.message, "more than 8"));
  for (size_t i = 0; i < n; i++)
    free(sqls[i]);
}

static void what_is_selected(void **state) {
  (void)state;
  const bool present[CRM_ROW_COLUMNS] = {true, true, false, true};
  struct crm_selection s = {.relation = CRM_REL_USAGE, .sql = "SELECT * FROM u", .present = present, .first_day = CRM_DAY_NONE};
  char *statement = crm_statement_copy(&s);
  assert_string_equal(statement,
                      "COPY (SELECT \"account_id\", \"day\", \"feature_adoption\" FROM (\nSELECT * FROM u\n) q) TO STDOUT (FORMAT binary)");
  free(statement);
  s.first_day = crm_day_from_civil(2025, 3, 9);
  statement = crm_statement_all(&s);
  assert_string_equal(
      statement, "SELECT \"account_id\", \"day\", \"feature_adoption\" FROM (\nSELECT * FROM u\n) q WHERE q.\"day\" >= DATE '2025-03-09'");
  free(statement);
  statement = crm_statement_some(&s, "account_id", "$1::uuid[]");
  assert_string_equal(statement,
                      "SELECT q.\"account_id\", q.\"day\", q.\"feature_adoption\" FROM pg_catalog.unnest($1::uuid[]) x (id), LATERAL"
                      " (SELECT m.\"account_id\", m.\"day\", m.\"feature_adoption\" FROM (\nSELECT * FROM u\n) m"
                      " WHERE m.\"account_id\" = x.id AND m.\"day\" >= DATE '2025-03-09' OFFSET 0) q");
  free(statement);
  statement = crm_statement_days(&s, "$1::uuid[]", "$2::date[]");
  assert_string_equal(statement,
                      "SELECT q.\"account_id\", q.\"day\", q.\"feature_adoption\" FROM ROWS FROM (pg_catalog.unnest($1::uuid[]),"
                      " pg_catalog.unnest($2::date[])) x (id, day), LATERAL"
                      " (SELECT m.\"account_id\", m.\"day\", m.\"feature_adoption\" FROM (\nSELECT * FROM u\n) m"
                      " WHERE m.\"account_id\" = x.id AND m.\"day\" = x.day AND m.\"day\" >= DATE '2025-03-09' OFFSET 0) q");
  free(statement);
  s.shard = (struct crm_shard){3, 8};
  statement = crm_statement_all(&s);
  assert_string_equal(statement, "SELECT \"account_id\", \"day\", \"feature_adoption\" FROM (\nSELECT * FROM u\n) q"
                                 " WHERE ('x' || substr(md5(convert_to(q.\"account_id\"::text, 'UTF8')), 1, 8))::bit(32)::bigint"
                                 " % 8 = 2 AND q.\"day\" >= DATE '2025-03-09'");
  free(statement);
  statement = crm_statement_some(&s, "account_id", "$1::uuid[]");
  assert_non_null(strstr(statement, " WHERE m.\"account_id\" = x.id AND ('x' || substr(md5(convert_to(m.\"account_id\"::text,"));
  free(statement);
  statement = crm_statement_poll(&s, "account_id", "day", NULL, "$1");
  assert_null(strstr(statement, "md5"));
  free(statement);
  statement = crm_statement_poll(&s, "account_id", "at", "day", "$1");
  assert_string_equal(statement, "SELECT q.\"account_id\"::text, q.\"at\"::text || ' ' || coalesce(q.\"day\"::text, ''), pg_catalog.count(*),"
                                 " q.\"day\"::text FROM (\nSELECT * FROM u\n) q WHERE q.\"at\" >= $1 GROUP BY 1, 2, 4");
  free(statement);
  s.own = "'{a,b}'";
  statement = crm_statement_all(&s);
  assert_non_null(strstr(statement, ") q WHERE q.\"account_id\" = ANY ('{a,b}') AND q.\"day\" >= DATE '2025-03-09'"));
  free(statement);
  s.own = NULL;
  statement = crm_statement_own(&s, s.shard);
  assert_string_equal(statement, "SELECT coalesce(array_agg(s.\"account_id\"::text), '{}') FROM (\nSELECT * FROM u\n) s WHERE"
                                 " ('x' || substr(md5(convert_to(s.\"account_id\"::text, 'UTF8')), 1, 8))::bit(32)::bigint % 8 = 2");
  free(statement);
  /* One of one is everything. */
  s.shard = (struct crm_shard){1, 1};
  statement = crm_statement_all(&s);
  assert_null(strstr(statement, "md5"));
  free(statement);
  /* A relation without a history column is read as a whole. */
  const bool nps[CRM_ROW_COLUMNS] = {true, true, true};
  s = (struct crm_selection){.relation = CRM_REL_NPS, .sql = "SELECT 1", .present = nps, .first_day = s.first_day};
  statement = crm_statement_copy(&s);
  assert_null(strstr(statement, "WHERE"));
  free(statement);
  struct crm_strbuf array;
  crm_strbuf_init(&array, 1000);
  crm_statement_add_item(&array, "a", 1);
  crm_statement_add_item(&array, "b\"\\,}", 5);
  assert_string_equal(crm_strbuf_str(&array), "{\"a\",\"b\\\"\\\\,}\"}");
  crm_strbuf_free(&array);
}

/* --- loading --- */

static char log_text[4096];
static void take_log(void *ctx, enum crm_log_level level, const char *message) {
  (void)ctx;
  (void)level;
  strncat(log_text, message, sizeof(log_text) - strlen(log_text) - 1);
}
static const struct crm_log test_log = {.write = take_log};

static char directory[SCRATCH_SIZE];

static void put_file(const char *name, const char *content) {
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", directory, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(content, f);
  fclose(f);
}

static int make_directory(void **state) {
  (void)state;
  if (mkdtemp(scratch_template(directory, "mapping")) == NULL)
    return -1;
  char path[256];
  snprintf(path, sizeof(path), "%s/shipped", directory);
  mkdir(path, 0700);
  put_file("shipped/account.sql", "SELECT 'a' AS account_id; -- one\n");
  put_file("shipped/nps.sql", "SELECT 'n' AS account_id");
  put_file("shipped/accounts.sql", "SELECT 'misspelt'");
  put_file("shipped/README", "no SQL");
  put_file("other.sql", "SELECT 'o' AS account_id;");
  put_file("twice.sql", "SELECT 1;\nSELECT 2;");
  return 0;
}

static int remove_directory(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof(command), "rm -r %s", directory);
  return system(command);
}

static void a_directory_is_loaded(void **state) {
  (void)state;
  char absolute[128], other[128];
  snprintf(absolute, sizeof(absolute), "%s/shipped", directory);
  snprintf(other, sizeof(other), "%s/other.sql", directory);
  const char *mappings[] = {"shipped", absolute};
  for (size_t i = 0; i < 2; i++) {
    struct crm_source_options options = {.instance = "main", .mapping = mappings[i], .mapping_dir = directory};
    options.relations[CRM_REL_GOAL].query = "SELECT 'g' AS account_id;";
    options.relations[CRM_REL_HEALTH].query_file = other;
    options.relations[CRM_REL_NPS].disabled = true;
    struct crm_mapping mapping;
    struct crm_error err = {0};
    log_text[0] = '\0';
    if (crm_mapping_load(&options, &test_log, &mapping, &err) != CRM_OK)
      fail_msg("%s", err.message);
    assert_string_equal(mapping.sql[CRM_REL_ACCOUNT], "SELECT 'a' AS account_id");
    assert_string_equal(mapping.sql[CRM_REL_GOAL], "SELECT 'g' AS account_id");
    assert_string_equal(mapping.sql[CRM_REL_HEALTH], "SELECT 'o' AS account_id");
    assert_string_equal(mapping.origin[CRM_REL_GOAL], "Query of goal");
    assert_string_equal(mapping.origin[CRM_REL_HEALTH], other);
    assert_non_null(strstr(mapping.origin[CRM_REL_ACCOUNT], "/shipped/account.sql"));
    assert_null(mapping.sql[CRM_REL_NPS]);     /* disabled */
    assert_null(mapping.sql[CRM_REL_INVOICE]); /* no file */
    assert_non_null(strstr(log_text, "accounts.sql is ignored"));
    assert_null(strstr(log_text, "README"));
    crm_mapping_free(&mapping);
  }
}

static void faults_name_the_file(void **state) {
  (void)state;
  char twice[128], missing[128], empty[128];
  snprintf(twice, sizeof(twice), "%s/twice.sql", directory);
  snprintf(missing, sizeof(missing), "%s/missing.sql", directory);
  snprintf(empty, sizeof(empty), "%s/empty", directory);
  mkdir(empty, 0700);
  const struct {
    const char *name, *mapping, *query, *query_file;
    enum crm_status status;
    const char *message;
  } cases[] = {
      {"no such mapping", "nowhere", NULL, NULL, CRM_ERR_CONFIG, "/nowhere: No such file"},
      {"a relative directory", "../shipped", NULL, NULL, CRM_ERR_CONFIG, "absolute directory"},
      {"no account", empty, NULL, NULL, CRM_ERR_CONFIG, "account is not mapped"},
      {"no such query file", "shipped", NULL, missing, CRM_ERR_IO, "missing.sql: No such file"},
      {"two statements in a file", "shipped", NULL, twice, CRM_ERR_CONFIG, "twice.sql: line 2"},
      {"two statements in a query", "shipped", "SELECT 1; SELECT 2", NULL, CRM_ERR_CONFIG, "Query of relation usage: line 1"},
      {"a directory as a file", "shipped", NULL, directory, CRM_ERR_IO, "not a regular file"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct crm_source_options options = {.instance = "main", .mapping = cases[i].mapping, .mapping_dir = directory};
    options.relations[CRM_REL_USAGE].query = cases[i].query;
    options.relations[CRM_REL_USAGE].query_file = cases[i].query_file;
    struct crm_mapping mapping;
    struct crm_error err = {0};
    enum crm_status status = crm_mapping_load(&options, NULL, &mapping, &err);
    if (status != cases[i].status || strstr(err.message, cases[i].message) == NULL || strstr(err.message, "main") == NULL)
      fail_msg("%s: %s: %s", cases[i].name, crm_status_name(status), err.message);
    crm_mapping_free(&mapping);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_statement_is_made),  cmocka_unit_test(a_fault_is_found_in_its_line),
      cmocka_unit_test(statements_are_wrapped), cmocka_unit_test(texts_are_split),
      cmocka_unit_test(what_is_selected),       cmocka_unit_test(a_directory_is_loaded),
      cmocka_unit_test(faults_name_the_file),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
