/* SPDX-License-Identifier: MIT */
/* The source when things go wrong: every wait has an end, a stop is heard at once, no password is told, and the next read works again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/patience.h"
#include "lib/source_fixture.h"

#define SECRET "hunter2-S3cret"
#define STOP_LIMIT_MS 500.0

static struct pg_fixture pg;

static void sql(const char *text) {
  pg_fixture_sql(&pg, "crm", text);
}

static int reset(void **state) {
  (void)state;
  source_fixture_reset(&pg);
  sql("INSERT INTO account (account_id) SELECT 'a' || n FROM generate_series(1, 5) n");
  return 0;
}

static double ms_since(int64_t start_us) {
  return (double)(crm_clock_monotonic_us() - start_us) / 1000;
}

/* How many sessions of ours the server has, waiting for at most two seconds until there are `wanted`. */
static int sessions(int wanted) {
  char value[32] = "";
  for (int i = 0; i < patient(40); i++) {
    pg_fixture_value(&pg, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'collectd-crm/main'", value,
                     sizeof(value));
    if (atoi(value) == wanted)
      break;
    usleep(50000);
  }
  return atoi(value);
}

/* --- not getting in --- */

static void a_wrong_password_is_not_told(void **state) {
  (void)state;
  sql("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scram_users') THEN CREATE ROLE scram_users; END IF;"
      " IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'keyed') THEN CREATE ROLE keyed LOGIN PASSWORD 'right one' IN ROLE "
      "scram_users; END IF; END $$;"
      "GRANT SELECT ON ALL TABLES IN SCHEMA public TO keyed");
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.databases[0].user = "keyed";
  s.databases[0].conninfo = "password=" SECRET;
  source_fixture_open(&s);
  assert_int_equal(source_fixture_read(&s), CRM_ERR_CONNECT);
  assert_message(s.err.message, "keyed@", "cannot connect", "authentication failed", NULL);
  assert_null(strstr(s.err.message, SECRET));
  /* The file is read at each connecting, so a password that is put right is found. */
  char path[96];
  snprintf(path, sizeof(path), "%s/password", pg.dir);
  FILE *f = fopen(path, "w");
  fputs("right one\n", f);
  fclose(f);
  assert_int_equal(chmod(path, 0600), 0);
  s.databases[0].password_file = path;
  source_fixture_must_read(&s);
  source_fixture_close(&s);
}

static void the_server_is_down_and_up_again(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  source_fixture_open(&s);
  source_fixture_must_read(&s);
  pg_fixture_halt(&pg, SIGINT);
  assert_int_equal(source_fixture_read(&s), CRM_ERR_CONNECT);
  assert_message(s.err.message, "reader@", "cannot connect", NULL);
  assert_int_equal(source_fixture_read(&s), CRM_ERR_CONNECT);
  assert_true(pg_fixture_resume(&pg));
  assert_int_equal(source_fixture_must_read(&s)->account.n, 5);
  source_fixture_close(&s);
}

static void a_session_ended_between_reads_is_replaced(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  source_fixture_open(&s);
  source_fixture_must_read(&s);
  char before[32], after[32];
  const char *pid = "SELECT pid FROM pg_stat_activity WHERE application_name = 'collectd-crm/main'";
  pg_fixture_value(&pg, "postgres", pid, before, sizeof(before));
  source_fixture_must_read(&s);
  pg_fixture_value(&pg, "postgres", pid, after, sizeof(after));
  assert_string_equal(before, after); /* one connection for all reads */
  pg_fixture_sql(&pg, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'collectd-crm/main'");
  assert_int_equal(sessions(0), 0);
  source_fixture_must_read(&s);
  assert_int_equal(sessions(1), 1);
  source_fixture_close(&s);
  assert_int_equal(sessions(0), 0);
}

/* --- while reading --- */

/* Rows that come slowly: one each 100 ms, 5 accounts by 100. (Both are in the sleep's condition, or the server would join them afterwards.) */
#define SLOW                                                                                                                               \
  "SELECT account_id, current_date AS day FROM account, generate_series(1, 100) n, "                                                      \
  "LATERAL (SELECT pg_sleep(0.1) WHERE account_id <> '' AND n > 0) w"

/* Until the read has come to it. */
static void await_slow(void) {
  char value[32] = "";
  for (int i = 0; i < patient(400) && atoi(value) == 0; i++) {
    usleep(25000);
    pg_fixture_value(&pg, "postgres",
                     "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'collectd-crm/main' AND wait_event = 'PgSleep'", value,
                     sizeof(value));
  }
}

static void *terminate_later(void *arg) {
  (void)arg;
  await_slow();
  pg_fixture_sql(&pg, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'collectd-crm/main'");
  return NULL;
}

static void *kill_later(void *arg) {
  await_slow();
  pg_fixture_halt(arg, SIGQUIT);
  return NULL;
}

static void the_session_is_ended_while_reading(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.options.relations[CRM_REL_USAGE].query = SLOW;
  source_fixture_open(&s);
  pthread_t thread;
  pthread_create(&thread, NULL, terminate_later, NULL);
  int64_t start_us = crm_clock_monotonic_us();
  assert_int_equal(source_fixture_read(&s), CRM_ERR_CONNECT);
  assert_true(ms_since(start_us) < patient(13000)); /* of the 50 s that it would take */
  pthread_join(thread, NULL);
  assert_message(s.err.message, "relation usage", "terminating connection due to administrator command", "57P01", NULL);
  assert_string_equal(s.err.sqlstate, "57P01");
  source_fixture_close(&s);
}

static void the_server_is_killed_while_reading(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.options.relations[CRM_REL_USAGE].query = SLOW;
  source_fixture_open(&s);
  pthread_t thread;
  pthread_create(&thread, NULL, kill_later, &pg);
  int64_t start_us = crm_clock_monotonic_us();
  assert_int_equal(source_fixture_read(&s), CRM_ERR_CONNECT);
  assert_true(ms_since(start_us) < patient(15000));
  pthread_join(thread, NULL);
  assert_true(pg_fixture_resume(&pg));
  assert_int_equal(crm_source_check(s.source, &s.err), CRM_OK);
  source_fixture_close(&s);
}

static void a_stop_ends_a_slow_read(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.options.relations[CRM_REL_USAGE].query = SLOW;
  source_fixture_open(&s);
  source_fixture_stop_later(&s, 300);
  assert_int_equal(source_fixture_read(&s), CRM_ERR_STOPPED);
  double ms = source_fixture_stopped_after();
  assert_true(ms < patient(STOP_LIMIT_MS));
  assert_message(s.err.message, "stopped", NULL);
  assert_int_equal(sessions(0), 0); /* the query was cancelled, not only left */
  assert_int_equal(source_fixture_read(&s), CRM_ERR_STOPPED);
  source_fixture_close(&s);
}

static void the_whole_read_has_a_deadline(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.options.relations[CRM_REL_USAGE].query = SLOW;
  double limit_ms = patient(400) < 2000 ? patient(400) : 2000; /* by then it must have come to the relation that is slow */
  s.options.read_timeout_us = (int64_t)(limit_ms * 1000);
  source_fixture_open(&s);
  int64_t start_us = crm_clock_monotonic_us();
  assert_int_equal(source_fixture_read(&s), CRM_ERR_TIMEOUT);
  assert_true(ms_since(start_us) >= limit_ms - 10 && ms_since(start_us) < limit_ms + patient(1100));
  assert_message(s.err.message, "relation usage", "timeout", NULL);
  assert_int_equal(sessions(0), 0);
  source_fixture_close(&s);
}

static void a_statement_has_a_deadline_of_the_servers(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.options.relations[CRM_REL_USAGE].query = SLOW;
  s.options.statement_timeout_us = 300000;
  source_fixture_open(&s);
  int64_t start_us = crm_clock_monotonic_us();
  assert_int_equal(source_fixture_read(&s), CRM_ERR_TIMEOUT);
  assert_true(ms_since(start_us) < patient(2000));
  assert_message(s.err.message, "relation usage (Query of usage)", "57014", "StatementTimeout", NULL);
  assert_string_equal(s.err.sqlstate, "57014");
  assert_int_equal(sessions(1), 1); /* the connection is as good as before */
  source_fixture_close(&s);
}

/* --- locks --- */

static PGconn *lock_table(const char *table) {
  const char *keys[] = {"host", "user", "dbname", NULL}, *values[] = {pg.dir, PG_FIXTURE_SUPERUSER, "crm", NULL};
  PGconn *conn = PQconnectdbParams(keys, values, 0);
  char text[128];
  snprintf(text, sizeof(text), "BEGIN; LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", table);
  PGresult *result = PQexec(conn, text);
  assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
  PQclear(result);
  return conn;
}

static void a_stop_ends_waiting_for_a_lock(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  source_fixture_open(&s);
  PGconn *locker = lock_table("goal");
  source_fixture_stop_later(&s, 300);
  assert_int_equal(source_fixture_read(&s), CRM_ERR_STOPPED);
  double ms = source_fixture_stopped_after();
  assert_true(ms < patient(STOP_LIMIT_MS));
  assert_int_equal(sessions(0), 0);
  PQfinish(locker);
  source_fixture_close(&s);
}

static void a_lock_fails_the_read_and_passes(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.options.lock_timeout_us = 200000;
  source_fixture_open(&s);
  PGconn *locker = lock_table("goal");
  int64_t start_us = crm_clock_monotonic_us();
  assert_int_equal(source_fixture_read(&s), CRM_ERR_TIMEOUT);
  assert_true(ms_since(start_us) < patient(2000));
  assert_message(s.err.message, "relation goal", "55P03", "LockTimeout", NULL);
  PQfinish(locker);
  assert_int_equal(source_fixture_must_read(&s)->account.n, 5);
  source_fixture_close(&s);
}

/* --- servers that do not answer --- */

/* What a false server says after the client's first packet and after its second; then it keeps every connection open and says nothing. */
struct false_server {
  const char *name;
  const unsigned char *says;
  size_t len;
  const unsigned char *then;
  size_t then_len;
  int listener, port;
  pthread_t thread;
  int wake[2];
};

static void *serve(void *arg) {
  struct false_server *f = arg;
  int clients[16];
  size_t n = 0;
  for (;;) {
    struct pollfd fds[2] = {{.fd = f->wake[0], .events = POLLIN}, {.fd = f->listener, .events = POLLIN}};
    poll(fds, 2, -1);
    if (fds[0].revents != 0)
      break;
    int client = accept(f->listener, NULL, NULL);
    if (client < 0 || n == 16)
      continue;
    clients[n++] = client;
    char packet[1024];
    if (f->len > 0 && n == 1 && read(client, packet, sizeof(packet)) > 0 && write(client, f->says, f->len) < 0)
      break;
    if (f->then_len > 0 && n == 1 && read(client, packet, sizeof(packet)) > 0 && write(client, f->then, f->then_len) < 0)
      break;
  }
  for (size_t i = 0; i < n; i++)
    close(clients[i]);
  return NULL;
}

static void false_server_start(struct false_server *f) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  f->listener = socket(AF_INET, SOCK_STREAM, 0);
  assert_true(f->listener >= 0);
  assert_int_equal(bind(f->listener, (struct sockaddr *)&address, sizeof(address)), 0);
  assert_int_equal(listen(f->listener, 16), 0);
  assert_int_equal(getsockname(f->listener, (struct sockaddr *)&address, &len), 0);
  f->port = ntohs(address.sin_port);
  assert_int_equal(pipe(f->wake), 0);
  assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void false_server_stop(struct false_server *f) {
  assert_int_equal(write(f->wake[1], "", 1), 1);
  pthread_join(f->thread, NULL);
  close(f->listener);
  close(f->wake[0]);
  close(f->wake[1]);
}

/* AuthenticationOk, ParameterStatus server_version 15.0, BackendKeyData, ReadyForQuery: then no query is ever answered, and a request to
 * cancel it is accepted and not answered either. */
static const unsigned char greeting[] = "R\0\0\0\x08\0\0\0\0"
                                        "S\0\0\0\x18server_version\0"
                                        "15.0\0"
                                        "K\0\0\0\x0c\0\0\0\x01\0\0\0\x02"
                                        "Z\0\0\0\x05I";
static const unsigned char half_a_message[] = "R\0\0\0\x08\0";
static const unsigned char half_an_answer[] = "T\0\0\x10\0\0\x01x";
static const unsigned char copy_in[] = "G\0\0\0\x07\0\0\0";
static const unsigned char farewell[] = "E\0\0\0\x24SFATAL\0VFATAL\0C57P01\0Mgood bye\0\0";
static const unsigned char nonsense[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

static void servers_that_never_answer(void **state) {
  (void)state;
  static const struct {
    const char *name;
    const unsigned char *says;
    size_t len;
    const unsigned char *then;
    size_t then_len;
  } cases[] = {
      {"nothing at all", NULL, 0, NULL, 0},
      {"half a message", half_a_message, sizeof(half_a_message) - 1, NULL, 0},
      {"a greeting, then nothing", greeting, sizeof(greeting) - 1, NULL, 0},
      {"half an answer", greeting, sizeof(greeting) - 1, half_an_answer, sizeof(half_an_answer) - 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (int by_stop = 0; by_stop < 2; by_stop++) {
      struct false_server f = {
          .name = cases[i].name, .says = cases[i].says, .len = cases[i].len, .then = cases[i].then, .then_len = cases[i].then_len};
      false_server_start(&f);
      struct source_fixture s;
      source_fixture_init(&s, &pg);
      char port[16];
      snprintf(port, sizeof(port), "%d", f.port);
      s.databases[0].host = "127.0.0.1";
      s.databases[0].port = port;
      s.databases[0].sslmode = "disable";
      s.databases[0].conninfo = "password=" SECRET " gssencmode=disable";
      if (!by_stop) {
        s.options.connect_timeout_us = 300000;
        s.options.read_timeout_us = 400000;
      }
      source_fixture_open(&s);
      int64_t start_us = crm_clock_monotonic_us();
      if (by_stop)
        source_fixture_stop_later(&s, 200);
      enum crm_status status = source_fixture_read(&s);
      double ms = by_stop ? source_fixture_stopped_after() : ms_since(start_us) - 400;
      if (status != (by_stop ? CRM_ERR_STOPPED : CRM_ERR_TIMEOUT) || ms >= patient(STOP_LIMIT_MS))
        fail_msg("%s: %s after %.0f ms: %s", f.name, crm_status_name(status), ms, s.err.message);
      if (strstr(s.err.message, SECRET) != NULL || strstr(s.err.message, "127.0.0.1") == NULL)
        fail_msg("%s: %s", f.name, s.err.message);
      source_fixture_close(&s);
      false_server_stop(&f);
    }
  }
}

static void servers_that_talk_nonsense(void **state) {
  (void)state;
  static const struct {
    const char *name;
    const unsigned char *says;
    size_t len;
    const unsigned char *then;
    size_t then_len;
    const char *message;
  } cases[] = {
      {"another protocol", nonsense, sizeof(nonsense) - 1, NULL, 0, "cannot connect"},
      {"copy in", greeting, sizeof(greeting) - 1, copy_in, sizeof(copy_in) - 1, "protocol"},
      {"a farewell", greeting, sizeof(greeting) - 1, farewell, sizeof(farewell) - 1, "good bye (SQLSTATE 57P01)"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct false_server f = {
        .name = cases[i].name, .says = cases[i].says, .len = cases[i].len, .then = cases[i].then, .then_len = cases[i].then_len};
    false_server_start(&f);
    struct source_fixture s;
    source_fixture_init(&s, &pg);
    char port[16];
    snprintf(port, sizeof(port), "%d", f.port);
    s.databases[0].host = "127.0.0.1";
    s.databases[0].port = port;
    s.databases[0].conninfo = "sslmode=disable gssencmode=disable";
    s.options.connect_timeout_us = 2000000;
    source_fixture_open(&s);
    int64_t start_us = crm_clock_monotonic_us();
    enum crm_status status = source_fixture_read(&s);
    if (status != CRM_ERR_CONNECT || strstr(s.err.message, cases[i].message) == NULL || ms_since(start_us) > patient(1500))
      fail_msg("%s: %s after %.0f ms: %s", f.name, crm_status_name(status), ms_since(start_us), s.err.message);
    source_fixture_close(&s);
    false_server_stop(&f);
  }
}

static void a_second_host_is_tried(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  char hosts[128];
  snprintf(hosts, sizeof(hosts), "/nonexistent/crm,%s", pg.dir);
  s.databases[0].host = hosts;
  source_fixture_open(&s);
  source_fixture_must_read(&s);
  source_fixture_close(&s);
}

static void memory_has_a_ceiling(void **state) {
  (void)state;
  struct source_fixture s;
  source_fixture_init(&s, &pg);
  s.options.relations[CRM_REL_USAGE].query = "SELECT 'a1' AS account_id, current_date AS day FROM generate_series(1, 3000000)";
  s.options.max_memory = (size_t)8 << 20;
  source_fixture_open(&s);
  int64_t start_us = crm_clock_monotonic_us();
  assert_int_equal(source_fixture_read(&s), CRM_ERR_LIMIT);
  assert_message(s.err.message, "relation usage", NULL);
  assert_true(ms_since(start_us) < patient(5000));
  assert_int_equal(sessions(0), 0); /* the rest is not waited for */
  source_fixture_close(&s);
}

static int stop(void **state) {
  (void)state;
  pg_fixture_stop(&pg);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_wrong_password_is_not_told, reset),
      cmocka_unit_test_setup(the_server_is_down_and_up_again, reset),
      cmocka_unit_test_setup(a_session_ended_between_reads_is_replaced, reset),
      cmocka_unit_test_setup(the_session_is_ended_while_reading, reset),
      cmocka_unit_test_setup(the_server_is_killed_while_reading, reset),
      cmocka_unit_test_setup(a_stop_ends_a_slow_read, reset),
      cmocka_unit_test_setup(the_whole_read_has_a_deadline, reset),
      cmocka_unit_test_setup(a_statement_has_a_deadline_of_the_servers, reset),
      cmocka_unit_test_setup(a_stop_ends_waiting_for_a_lock, reset),
      cmocka_unit_test_setup(a_lock_fails_the_read_and_passes, reset),
      cmocka_unit_test_setup(servers_that_never_answer, reset),
      cmocka_unit_test_setup(servers_that_talk_nonsense, reset),
      cmocka_unit_test_setup(a_second_host_is_tried, reset),
      cmocka_unit_test_setup(memory_has_a_ceiling, reset),
  };
  if (!pg_fixture_start(&pg)) {
    printf("1..0 # SKIP %s\n", pg.reason);
    return getenv("CMOCKA_MESSAGE_OUTPUT") != NULL ? 0 : 77;
  }
  return cmocka_run_group_tests(tests, NULL, stop);
}
