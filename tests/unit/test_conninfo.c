/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/connection.h"
#include "source/conninfo.h"
#include "../lib/scratch.h"

#define SECRET "hunter2-S3cret"

static char *write_file(const char *content, size_t len, mode_t mode) {
  char *path = malloc(SCRATCH_SIZE);
  assert_non_null(path);
  int fd = mkstemp(scratch_template(path, "conninfo"));
  assert_true(fd >= 0);
  assert_int_equal(write(fd, content, len), (ssize_t)len);
  assert_int_equal(fchmod(fd, mode), 0);
  close(fd);
  return path;
}

static void options_are_merged(void **state) {
  (void)state;
  static const struct {
    const char *name;
    struct crm_database_options options;
    const char *expect[8][2]; /* keyword, value; value NULL: not set */
  } cases[] = {
      {"single options",
       {.host = "db.example", .port = "6432", .dbname = "crm", .user = "reader"},
       {{"host", "db.example"}, {"port", "6432"}, {"dbname", "crm"}, {"user", "reader"}, {"hostaddr", NULL}}},
      {"keyword string", {.conninfo = "host=h1 dbname='a b' user=u"}, {{"host", "h1"}, {"dbname", "a b"}, {"user", "u"}}},
      {"options override the string",
       {.conninfo = "host=h1 dbname=a user=u", .dbname = "b"},
       {{"host", "h1"}, {"dbname", "b"}, {"user", "u"}}},
      {"uri with percent escapes",
       {.conninfo = "postgresql://u%40x:p%2Fw@h:99/d?sslmode=require"},
       {{"user", "u@x"}, {"password", "p/w"}, {"host", "h"}, {"port", "99"}, {"dbname", "d"}, {"sslmode", "require"}}},
      {"dbname that is a uri", {.dbname = "postgres://u:p@h/d"}, {{"user", "u"}, {"password", "p"}, {"host", "h"}, {"dbname", "d"}}},
      {"values need no quoting", {.dbname = "it's a \\ name", .user = "a b"}, {{"dbname", "it's a \\ name"}, {"user", "a b"}}},
      {"ours",
       {.conninfo = "application_name=other client_encoding=latin1"},
       {{"application_name", "collectd-crm/main"}, {"client_encoding", "UTF8"}, {"keepalives", "1"}, {"keepalives_idle", "30"}}},
      {"the user's keepalives stay",
       {.conninfo = "keepalives_idle=7 tcp_user_timeout=1234"},
       {{"keepalives_idle", "7"}, {"tcp_user_timeout", "1234"}}},
      {"an address is not looked up", {.host = "10.1.2.3"}, {{"host", "10.1.2.3"}, {"hostaddr", "10.1.2.3"}}},
      {"an IPv6 address neither", {.host = "fe80::1"}, {{"hostaddr", "fe80::1"}}},
      {"a given hostaddr stays", {.conninfo = "host=10.1.2.3 hostaddr=10.9.9.9"}, {{"hostaddr", "10.9.9.9"}}},
      {"a socket directory has no address", {.host = "/run/postgresql"}, {{"host", "/run/postgresql"}, {"hostaddr", NULL}}},
      {"one name: half the time for each address", {.host = "h"}, {{"tcp_user_timeout", "5000"}}},
      {"three names share the time", {.host = "a,b,c"}, {{"tcp_user_timeout", "1666"}}},
      {"empty options are not there", {.host = "", .user = ""}, {{"host", NULL}, {"user", NULL}}},
      {"service, certificate, passfile",
       {.service = "s", .sslmode = "verify-full", .sslrootcert = "/ca", .passfile = "/pf"},
       {{"service", "s"}, {"sslmode", "verify-full"}, {"sslrootcert", "/ca"}, {"passfile", "/pf"}}},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct crm_conninfo conninfo;
    struct crm_secrets secrets;
    struct crm_error err = {0};
    if (crm_conninfo_build(&cases[i].options, "main", 10000000, &conninfo, &secrets, &err) != CRM_OK)
      fail_msg("%s: %s", cases[i].name, err.message);
    for (size_t k = 0; k < 8 && cases[i].expect[k][0] != NULL; k++) {
      const char *value = crm_conninfo_get(&conninfo, cases[i].expect[k][0]), *wanted = cases[i].expect[k][1];
      if ((value == NULL) != (wanted == NULL) || (value != NULL && strcmp(value, wanted) != 0))
        fail_msg("%s: %s is %s, not %s", cases[i].name, cases[i].expect[k][0], value ? value : "NULL", wanted ? wanted : "NULL");
    }
    assert_null(conninfo.keywords[conninfo.n]); /* libpq wants the end marked */
    crm_conninfo_free(&conninfo);
    crm_secrets_free(&secrets);
  }
}

static void a_broken_string_is_not_quoted(void **state) {
  (void)state;
  static const struct {
    const char *name;
    struct crm_database_options options;
  } cases[] = {
      {"password with a blank", {.conninfo = "host=h password=a " SECRET}},
      {"unknown keyword", {.conninfo = "host=h passwrod=" SECRET}},
      {"open quote", {.conninfo = "host=h password='" SECRET}},
      {"uri with a bad escape", {.conninfo = "postgresql://u:" SECRET "%zz@h/d"}},
      {"uri with a bad port", {.conninfo = "postgresql://u:" SECRET "@[h/d"}},
      {"uri in dbname", {.dbname = "postgresql://u:" SECRET "%zz@h/d"}},
      {"string inside a string", {.conninfo = "dbname='postgres://u:" SECRET "@h/d'"}},
      {"keywords inside a string", {.conninfo = "dbname='password=" SECRET "'"}},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct crm_conninfo conninfo;
    struct crm_secrets secrets;
    struct crm_error err = {0};
    if (crm_conninfo_build(&cases[i].options, "main", 10000000, &conninfo, &secrets, &err) != CRM_ERR_CONFIG)
      fail_msg("%s: accepted", cases[i].name);
    if (strstr(err.message, SECRET) != NULL || strstr(err.message, "main") == NULL)
      fail_msg("%s: %s", cases[i].name, err.message);
    crm_conninfo_free(&conninfo);
    crm_secrets_free(&secrets);
  }
}

static void the_password_file_is_read(void **state) {
  (void)state;
  static const struct {
    const char *name, *content;
    size_t len;
    mode_t mode;
    const char *password; /* NULL: refused */
    const char *message;
  } cases[] = {
      {"one line", SECRET "\n", sizeof(SECRET), 0600, SECRET, NULL},
      {"no line end", SECRET, sizeof(SECRET) - 1, 0600, SECRET, NULL},
      {"windows line end", SECRET "\r\nmore", sizeof(SECRET) + 5, 0600, SECRET, NULL},
      {"first line of several", SECRET "\nother\n", sizeof(SECRET) + 6, 0640, SECRET, NULL},
      {"blanks are part of it", " a b \n", 6, 0400, " a b ", NULL},
      {"readable by the world", SECRET "\n", sizeof(SECRET), 0644, NULL, "every user may read"},
      {"writable by the world", SECRET "\n", sizeof(SECRET), 0602, NULL, "every user may read or write"},
      {"empty", "", 0, 0600, NULL, "is empty"},
      {"empty first line", "\n" SECRET "\n", sizeof(SECRET) + 1, 0600, NULL, "is empty"},
      {"NUL", "a\0b\n", 4, 0600, NULL, "NUL"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char *path = write_file(cases[i].content, cases[i].len, cases[i].mode);
    struct crm_database_options options = {.name = "billing", .password_file = path, .conninfo = "password=weaker"};
    struct crm_conninfo conninfo;
    struct crm_secrets secrets;
    struct crm_error err = {0};
    enum crm_status status = crm_conninfo_build(&options, "main", 10000000, &conninfo, &secrets, &err);
    if (cases[i].password != NULL) {
      if (status != CRM_OK)
        fail_msg("%s: %s", cases[i].name, err.message);
      assert_string_equal(crm_conninfo_get(&conninfo, "password"), cases[i].password);
    } else {
      assert_int_equal(status, CRM_ERR_IO);
      if (strstr(err.message, cases[i].message) == NULL || strstr(err.message, path) == NULL || strstr(err.message, SECRET) != NULL ||
          strstr(err.message, "billing") == NULL)
        fail_msg("%s: %s", cases[i].name, err.message);
    }
    crm_conninfo_free(&conninfo);
    crm_secrets_free(&secrets);
    unlink(path);
    free(path);
  }
}

static void odd_password_files_are_refused(void **state) {
  (void)state;
  char dir[SCRATCH_SIZE], path[SCRATCH_SIZE + 8], line[1100];
  assert_non_null(mkdtemp(scratch_template(dir, "conninfo")));
  snprintf(path, sizeof(path), "%s/fifo", dir);
  assert_int_equal(mkfifo(path, 0600), 0);
  memset(line, 'x', sizeof(line));
  char *longer = write_file(line, sizeof(line), 0600);
  const char *paths[] = {path, dir, "/nonexistent/password", longer};
  const char *messages[] = {"not a regular file", "not a regular file", "No such file", "longer than 1023"};
  for (size_t i = 0; i < 4; i++) {
    struct crm_database_options options = {.password_file = paths[i]};
    struct crm_conninfo conninfo;
    struct crm_secrets secrets;
    struct crm_error err = {0};
    assert_int_equal(crm_conninfo_build(&options, "main", 10000000, &conninfo, &secrets, &err), CRM_ERR_IO); /* and a FIFO does not block */
    if (strstr(err.message, messages[i]) == NULL)
      fail_msg("%s: %s", paths[i], err.message);
    crm_conninfo_free(&conninfo);
    crm_secrets_free(&secrets);
  }
  unlink(longer);
  free(longer);
  unlink(path);
  rmdir(dir);
}

static void messages_are_scrubbed(void **state) {
  (void)state;
  static const struct {
    const char *name, *secret, *text, *expect;
  } cases[] = {
      {"plain", SECRET, "bad password " SECRET " given", "bad password *** given"},
      {"twice", SECRET, SECRET SECRET, "******"},
      {"line breaks", SECRET, "one\n  two\n", "one; two"},
      {"control characters", SECRET, "a\tb\033[1m", "a b [1m"},
      {"no secret", "", "text", "text"},
      {"a short one as a word", "abc", "abc, abcd xabc abc", "***, abcd xabc ***"},
      {"at the end", SECRET, "x" SECRET, "x***"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct crm_secrets secrets = {0};
    char out[128];
    assert_int_equal(crm_secrets_add(&secrets, cases[i].secret), CRM_OK);
    crm_secrets_scrub(&secrets, cases[i].text, out, sizeof(out));
    if (strcmp(out, cases[i].expect) != 0)
      fail_msg("%s: \"%s\"", cases[i].name, out);
    crm_secrets_free(&secrets);
  }
}

static void a_small_buffer_is_not_overrun(void **state) {
  (void)state;
  struct crm_secrets secrets = {0};
  assert_int_equal(crm_secrets_add(&secrets, SECRET), CRM_OK);
  for (size_t size = 1; size < 40; size++) {
    char out[64];
    memset(out, 'X', sizeof(out));
    crm_secrets_scrub(&secrets, "one\ntwo " SECRET " three\nfour five six", out, size);
    assert_true(strlen(out) < size);
    assert_null(strstr(out, "hunter"));
    assert_int_equal(out[size], 'X');
  }
  crm_secrets_free(&secrets);
}

static void a_failed_connection_shows_no_password(void **state) {
  (void)state;
  static const struct {
    const char *name;
    struct crm_database_options options;
    const char *endpoint;
  } cases[] = {
      {"keywords", {.conninfo = "host=/nonexistent/crm dbname=d user=u port=5999 password=" SECRET}, "u@/nonexistent/crm:5999/d"},
      {"uri", {.conninfo = "postgresql://u:" SECRET "@127.0.0.1:1/d"}, "u@127.0.0.1:1/d"},
      {"uri in dbname", {.dbname = "postgresql://u:" SECRET "@127.0.0.1:1/d"}, "u@127.0.0.1:1/d"},
      {"password in the database's name",
       {.host = "127.0.0.1", .port = "1", .user = "u", .dbname = SECRET, .conninfo = "password=" SECRET},
       "u@127.0.0.1:1/***"},
      {"wrong sslmode", {.conninfo = "host=127.0.0.1 port=1 sslmode=never password=" SECRET}, NULL},
      {"wrong port", {.conninfo = "host=127.0.0.1 port=70000 password=" SECRET}, NULL},
  };
  struct crm_stop *stop;
  assert_int_equal(crm_stop_new(&stop), CRM_OK);
  struct crm_source_options source = {.instance = "main", .connect_timeout_us = 5000000, .statement_timeout_us = 1000000};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct crm_connection c;
    struct crm_error err = {0};
    crm_connection_init(&c, &source, &cases[i].options, stop);
    assert_int_equal(crm_connection_open(&c, &err), CRM_ERR_CONNECT);
    if (strstr(err.message, SECRET) != NULL || strstr(c.endpoint, SECRET) != NULL || strchr(err.message, '\n') != NULL)
      fail_msg("%s: %s (%s)", cases[i].name, err.message, c.endpoint);
    if (cases[i].endpoint != NULL)
      assert_string_equal(c.endpoint, cases[i].endpoint);
    crm_connection_close(&c);
  }
  crm_stop_free(stop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(options_are_merged),
      cmocka_unit_test(a_broken_string_is_not_quoted),
      cmocka_unit_test(the_password_file_is_read),
      cmocka_unit_test(odd_password_files_are_refused),
      cmocka_unit_test(messages_are_scrubbed),
      cmocka_unit_test(a_small_buffer_is_not_overrun),
      cmocka_unit_test(a_failed_connection_shows_no_password),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
