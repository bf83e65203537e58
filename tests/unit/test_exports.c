/* SPDX-License-Identifier: MIT */
/* All ways out together, with real sockets and files: what readers see, who is kept out, who cannot hold the endpoint, and how it ends. */
#include "crm_config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "export/exports.h"
#include "lib/patience.h"
#include "../lib/scratch.h"

static char dir[SCRATCH_SIZE];

static void sleep_ms(int ms) {
  struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
  nanosleep(&ts, NULL);
}

static int64_t seconds(double s) {
  return (int64_t)patient(s * 1e6);
}

/* --- fixture ------------------------------------------------------------------------------------------------------------------------ */

struct fixture {
  pthread_mutex_t mutex;
  char log[4096];
  struct crm_log logger;
  char port[8], textfile[SCRATCH_SIZE + 16], token[SCRATCH_SIZE + 16];
  struct crm_listen_options listen;
  struct crm_textfile_options text;
  struct crm_export_options options;
  struct crm_exports *exports;
};

static const char *const instances[] = {"one", "two"};

static void write_log(void *ctx, enum crm_log_level level, const char *message) {
  struct fixture *f = ctx;
  pthread_mutex_lock(&f->mutex);
  size_t len = strlen(f->log);
  snprintf(f->log + len, sizeof(f->log) - len, "%d %s\n", level, message);
  pthread_mutex_unlock(&f->mutex);
}

static int count_log(struct fixture *f, const char *part) {
  int n = 0;
  pthread_mutex_lock(&f->mutex);
  for (const char *p = f->log; (p = strstr(p, part)) != NULL; p++)
    n++;
  pthread_mutex_unlock(&f->mutex);
  return n;
}

/* That the log comes to say it so often, within a time that is long for any of what is waited for. */
static void await_log(struct fixture *f, const char *part, int n) {
  int64_t end = crm_clock_monotonic_us() + seconds(20);
  while (count_log(f, part) < n && crm_clock_monotonic_us() < end)
    sleep_ms(20);
  assert_int_equal(count_log(f, part), n);
}

/* A socket that listens on a free port of the loopback; it is the port of the fixture. */
static int take_port(struct fixture *f) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(a);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  assert_true(fd >= 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
  assert_int_equal(listen(fd, 1), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
  snprintf(f->port, sizeof(f->port), "%d", ntohs(a.sin_port));
  return fd;
}

static int set_up(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));
  pthread_mutex_init(&f->mutex, NULL);
  f->logger = (struct crm_log){write_log, f};
  snprintf(f->textfile, sizeof(f->textfile), "%s/crm.prom", dir);
  snprintf(f->token, sizeof(f->token), "%s/token", dir);
  f->listen = (struct crm_listen_options){
      .host = "127.0.0.1", .port = f->port, .per_account = true, .max_connections = 64, .timeout_us = 15 * CRM_US_PER_SECOND};
  f->text = (struct crm_textfile_options){.path = f->textfile, .per_account = true};
  f->options = (struct crm_export_options){.listens = &f->listen, .n_listens = 1, .textfiles = &f->text, .n_textfiles = 1};
  close(take_port(f));
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  free(*state);
  return 0;
}

static void start(struct fixture *f) {
  assert_int_equal(crm_exports_new(&f->options, instances, 2, &f->logger, &f->exports, NULL), CRM_OK);
  assert_int_equal(crm_exports_start(f->exports, NULL), CRM_OK);
}

/* Ends within the two seconds that the manual promises. */
static void stop(struct fixture *f) {
  int64_t began = crm_clock_monotonic_us();
  assert_true(crm_exports_stop(f->exports, began + seconds(2)));
  assert_true(crm_clock_monotonic_us() - began < seconds(2));
  assert_int_not_equal(access(f->textfile, F_OK), 0);
}

static struct crm_frame *make_frame(const char *instance, const char *name, int64_t value) {
  struct crm_series_set business, own;
  const char *info[] = {instance, "1", name, "smb", "ann", "steel", "eu", "active", "EUR"}, *accounts[] = {instance, "active"};
  assert_int_equal(crm_set_init(&business), CRM_OK);
  assert_int_equal(crm_set_init(&own), CRM_OK);
  assert_int_equal(crm_set_add(&business, CRM_FAM_ACCOUNT_INFO, info, 9, crm_number_int(1)), CRM_OK);
  assert_int_equal(crm_set_add(&business, CRM_FAM_ACCOUNTS, accounts, 2, crm_number_int(value)), CRM_OK);
  assert_int_equal(crm_set_add(&own, CRM_FAM_UP, &instance, 1, crm_number_int(name != NULL)), CRM_OK);
  assert_int_equal(crm_set_sort(&business), CRM_OK);
  struct crm_frame *frame = crm_frame_new(instance, value, &business, &own);
  assert_non_null(frame);
  return frame;
}

static void publish(struct fixture *f, const char *instance, const char *name, int64_t value) {
  struct crm_frame *frame = make_frame(instance, name, value);
  crm_exports_publish(f->exports, frame);
  crm_frame_unref(frame);
}

/* With a receive buffer of so many bytes; 0: the system's. */
static int connect_with(const struct fixture *f, int buffer) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)atoi(f->port))};
  struct timeval limit = {.tv_sec = (time_t)patient(20)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && buffer > 0)
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer)), 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0)
    return fd;
  if (fd >= 0)
    close(fd);
  return -1;
}

static int connect_to(const struct fixture *f) {
  return connect_with(f, 0);
}

/* Sends the request, which asks for the end of the connection, and reads to it; false if there was none within 20 s. */
static bool ask(const struct fixture *f, const char *request, char *answer, size_t size, size_t *len) {
  int fd = connect_to(f);
  *len = 0;
  answer[0] = '\0';
  if (fd < 0 || write(fd, request, strlen(request)) != (ssize_t)strlen(request)) {
    if (fd >= 0)
      close(fd);
    return false;
  }
  ssize_t n;
  while ((n = read(fd, answer + *len, size - 1 - *len)) > 0)
    *len += (size_t)n;
  answer[*len] = '\0';
  close(fd);
  return n == 0 && *len > 0;
}

#define REQUEST(method, path, headers) method " " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" headers "\r\n"

static bool get(const struct fixture *f, const char *request, char *answer, size_t size) {
  size_t len;
  return ask(f, request, answer, size, &len);
}

/* Asks for the metrics until they hold the text, for up to 20 s. */
static bool wait_for(const struct fixture *f, const char *request, const char *text) {
  char answer[8192];
  for (int64_t end = crm_clock_monotonic_us() + seconds(20); crm_clock_monotonic_us() < end; sleep_ms(50)) {
    if (get(f, request, answer, sizeof(answer)) && strstr(answer, text) != NULL)
      return true;
  }
  return false;
}

static void await_textfile(const struct fixture *f) {
  for (int64_t end = crm_clock_monotonic_us() + seconds(20); access(f->textfile, F_OK) != 0 && crm_clock_monotonic_us() < end;)
    sleep_ms(20);
}

static char *read_text(const char *path, char *buf, size_t size) {
  FILE *file = fopen(path, "r");
  size_t n = file == NULL ? 0 : fread(buf, 1, size - 1, file);
  if (file != NULL)
    fclose(file);
  buf[n] = '\0';
  return buf;
}

static void write_text(const char *path, const char *text, mode_t mode) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
  assert_int_equal(chmod(path, mode), 0);
}

#define METRICS REQUEST("GET", "/metrics", "")

/* --- what readers see
 * ------------------------------------------------------------------------------------------------------------------------ */

static void test_answers(void **state) {
  static const struct {
    const char *name, *request, *begins, *holds;
  } cases[] = {
      {"text", METRICS, "HTTP/1.1 200 ", "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"},
      {"values", METRICS, "HTTP/1.1 200 ", "\ncrm_accounts{tenant=\"one\",status=\"active\"} 7\n"},
      {"the other instance", METRICS, "HTTP/1.1 200 ", "\ncrm_accounts{tenant=\"two\",status=\"active\"} 8\n"},
      {"the collector's own", METRICS, "HTTP/1.1 200 ", "\ncrm_up{tenant=\"two\"} 1\n"},
      {"OpenMetrics", REQUEST("GET", "/metrics", "Accept: application/openmetrics-text\r\n"), "HTTP/1.1 200 ", "} 1\n# EOF\n"},
      {"protobuf",
       REQUEST("GET", "/metrics", "Accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited\r\n"),
       "HTTP/1.1 200 ", "Content-Type: application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited\r\n"},
      {"gzip", REQUEST("GET", "/metrics", "Accept-Encoding: gzip\r\n"), "HTTP/1.1 200 ", "Content-Encoding: gzip\r\n"},
      {"a query", REQUEST("GET", "/metrics?x=y", ""), "HTTP/1.1 200 ", "crm_up"},
      {"the page", REQUEST("GET", "/", ""), "HTTP/1.1 200 ", "<a href=\"/metrics\">"},
      {"alive", REQUEST("GET", "/-/healthy", ""), "HTTP/1.1 200 ", "\r\n\r\nOK\n"},
      {"nothing", REQUEST("GET", "/etc/passwd", ""), "HTTP/1.1 404 ", "/metrics"},
      {"another method", REQUEST("DELETE", "/metrics", ""), "HTTP/1.1 405 ", "Allow: GET, HEAD\r\n"},
      {"a post", REQUEST("POST", "/metrics", "Content-Length: 0\r\n"), "HTTP/1.1 405 ", "Allow: GET, HEAD\r\n"},
      {"HTTP/1.0", "GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.", "crm_up"},
  };
  struct fixture *f = *state;
  char answer[16384];
  start(f);
  publish(f, "one", "Zoe", 7);
  publish(f, "two", "Ada", 8);
  assert_true(wait_for(f, METRICS, "tenant=\"two\""));
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    if (!get(f, cases[i].request, answer, sizeof(answer)))
      fail_msg("%s: no answer", cases[i].name);
    if (strncmp(answer, cases[i].begins, strlen(cases[i].begins)) != 0 || strstr(answer, cases[i].holds) == NULL)
      fail_msg("%s: %s", cases[i].name, answer);
  }
  /* HEAD: the same length, and no body. */
  char head[4096];
  assert_true(get(f, METRICS, answer, sizeof(answer)));
  assert_true(get(f, REQUEST("HEAD", "/metrics", ""), head, sizeof(head)));
  char length[64];
  snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(strstr(answer, "\r\n\r\n") + 4));
  assert_non_null(strstr(head, length));
  assert_string_equal(strstr(head, "\r\n\r\n"), "\r\n\r\n");
  stop(f);
}

/* A new name of an account ends the series with the old one in the same tick; without business series none are left. */
static void test_ticks(void **state) {
  struct fixture *f = *state;
  char answer[16384];
  start(f);
  publish(f, "one", "Old", 1);
  assert_true(wait_for(f, METRICS, "account_name=\"Old\""));
  publish(f, "one", "New", 2);
  assert_true(get(f, METRICS, answer, sizeof(answer)));
  assert_non_null(strstr(answer, "account_name=\"New\""));
  assert_null(strstr(answer, "account_name=\"Old\""));
  struct crm_series_set own;
  assert_int_equal(crm_set_init(&own), CRM_OK);
  assert_int_equal(crm_set_add(&own, CRM_FAM_UP, (const char *const[]){"one"}, 1, crm_number_int(0)), CRM_OK);
  struct crm_frame *stale = crm_frame_new_shared("one", 3, NULL, &own);
  crm_exports_publish(f->exports, stale);
  crm_frame_unref(stale);
  assert_true(get(f, METRICS, answer, sizeof(answer)));
  assert_non_null(strstr(answer, "crm_up{tenant=\"one\"} 0\n"));
  assert_null(strstr(answer, "crm_account"));
  stop(f);
}

static void test_no_accounts(void **state) {
  struct fixture *f = *state;
  char answer[16384];
  f->listen.per_account = f->text.per_account = false;
  start(f);
  publish(f, "one", "Zoe", 1);
  assert_true(wait_for(f, METRICS, "crm_accounts{"));
  assert_true(get(f, METRICS, answer, sizeof(answer)));
  assert_null(strstr(answer, "Zoe"));
  await_textfile(f);
  assert_non_null(strstr(read_text(f->textfile, answer, sizeof(answer)), "crm_accounts{"));
  assert_null(strstr(answer, "Zoe"));
  stop(f);
}

static void test_gzip(void **state) {
  struct fixture *f = *state;
  static char answer[16384];
  char plain[16384];
  size_t len;
  start(f);
  publish(f, "one", "Zoe", 7);
  assert_true(wait_for(f, METRICS, "Zoe"));
  assert_true(get(f, METRICS, plain, sizeof(plain)));
  assert_true(ask(f, REQUEST("GET", "/metrics", "Accept-Encoding: gzip\r\n"), answer, sizeof(answer), &len));
  char *body = strstr(answer, "\r\n\r\n") + 4;
  Bytef unpacked[16384];
  z_stream z = {
      .next_in = (Bytef *)body, .avail_in = (uInt)(len - (size_t)(body - answer)), .next_out = unpacked, .avail_out = sizeof(unpacked)};
  assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
  assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
  const char *wanted = strstr(plain, "\r\n\r\n") + 4;
  assert_int_equal(z.total_out, strlen(wanted));
  assert_memory_equal(unpacked, wanted, z.total_out);
  inflateEnd(&z);
  stop(f);
}

/* --- who is kept out
 * ------------------------------------------------------------------------------------------------------------------------ */

static void test_token(void **state) {
  struct fixture *f = *state;
  char answer[16384];
  f->listen.bearer_token_file = f->token;
  write_text(f->token, "s3cret-one\nsecond line\n", 0600);
  start(f);
  publish(f, "one", "Zoe", 1);
  assert_true(wait_for(f, REQUEST("GET", "/metrics", "Authorization: Bearer s3cret-one\r\n"), "Zoe"));
  assert_true(get(f, METRICS, answer, sizeof(answer)));
  assert_memory_equal(answer, "HTTP/1.1 401 ", 13);
  assert_non_null(strstr(answer, "WWW-Authenticate: Bearer\r\n"));
  assert_null(strstr(answer, "Zoe"));
  assert_true(get(f, REQUEST("GET", "/", ""), answer, sizeof(answer)));
  assert_memory_equal(answer, "HTTP/1.1 401 ", 13);
  assert_true(get(f, REQUEST("GET", "/-/healthy", ""), answer, sizeof(answer)));
  assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
  /* Another token in the file holds at once. */
  write_text(f->token, "s3cret-two!\n", 0600);
  assert_true(get(f, REQUEST("GET", "/metrics", "Authorization: Bearer s3cret-one\r\n"), answer, sizeof(answer)));
  assert_memory_equal(answer, "HTTP/1.1 401 ", 13);
  assert_true(get(f, REQUEST("GET", "/metrics", "Authorization: bearer s3cret-two!\r\n"), answer, sizeof(answer)));
  assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
  /* Without the file nobody is let in, which is told once. */
  assert_int_equal(unlink(f->token), 0);
  for (int i = 0; i < 3; i++) {
    assert_true(get(f, REQUEST("GET", "/metrics", "Authorization: Bearer s3cret-two!\r\n"), answer, sizeof(answer)));
    assert_memory_equal(answer, "HTTP/1.1 401 ", 13);
  }
  assert_int_equal(count_log(f, "nobody is let in"), 1);
  write_text(f->token, "s3cret-3", 0640);
  assert_true(get(f, REQUEST("GET", "/metrics", "Authorization: Bearer s3cret-3\r\n"), answer, sizeof(answer)));
  assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
  assert_int_equal(count_log(f, "s3cret"), 0);
  stop(f);
}

/* --- who cannot hold it
 * ------------------------------------------------------------------------------------------------------------------------ */

/* More half-open connections than there may be: one that says nothing, one that sends a byte now and then. Readers are served all the same.
 */
static void test_half_open(void **state) {
  struct fixture *f = *state;
  char answer[16384];
  int held[8];
  f->listen.max_connections = 4;
  start(f);
  publish(f, "one", "Zoe", 1);
  assert_true(wait_for(f, METRICS, "Zoe"));
  for (int i = 0; i < 8; i++) {
    held[i] = connect_to(f);
    assert_true(held[i] >= 0);
    if (i % 2 == 0)
      assert_int_equal(write(held[i], "GET /metrics HT", 15), 15);
  }
  int64_t began = crm_clock_monotonic_us();
  assert_true(get(f, METRICS, answer, sizeof(answer)));
  assert_non_null(strstr(answer, "Zoe"));
  assert_true(crm_clock_monotonic_us() - began < seconds(8));
  for (int i = 0; i < 8; i++)
    close(held[i]);
  stop(f);
}

/* A client that sends a byte now and then is not idle, but its request must be complete within Timeout. */
static void test_dribbling(void **state) {
  struct fixture *f = *state;
  f->listen.timeout_us = 2 * CRM_US_PER_SECOND;
  start(f);
  assert_true(wait_for(f, REQUEST("GET", "/-/healthy", ""), "OK"));
  int fd = connect_to(f);
  assert_true(fd >= 0);
  int64_t began = crm_clock_monotonic_us();
  bool closed = false;
  assert_int_equal(write(fd, "GET /metrics HTTP/1.1\r\nX: ", 26), 26);
  while (!closed && crm_clock_monotonic_us() - began < seconds(10)) {
    char c;
    sleep_ms(200);
    closed = send(fd, "x", 1, MSG_NOSIGNAL) < 0 || recv(fd, &c, 1, MSG_DONTWAIT) == 0;
  }
  close(fd);
  assert_true(closed);
  assert_true(crm_clock_monotonic_us() - began >= 2 * CRM_US_PER_SECOND);
  stop(f);
}

/* More readers than there may be ask for a page that is larger than the system's buffers, and do not take it; one takes some of it at times. */
static void test_slow_readers(void **state) {
  enum { READERS = 8, ACCOUNTS = 60000 };
  struct fixture *f = *state;
  struct crm_series_set business, own;
  char answer[16384], account[16];
  int held[READERS];
  f->listen.max_connections = 4;
  start(f);
  assert_int_equal(crm_set_init(&business), CRM_OK);
  assert_int_equal(crm_set_init(&own), CRM_OK);
  for (int i = 0; i < ACCOUNTS; i++) {
    const char *info[] = {"one", account, "A name that takes its room", "smb", "ann", "steel", "eu", "active", "EUR"};
    snprintf(account, sizeof(account), "%d", i);
    assert_int_equal(crm_set_add(&business, CRM_FAM_ACCOUNT_INFO, info, 9, crm_number_int(1)), CRM_OK);
  }
  assert_int_equal(crm_set_sort(&business), CRM_OK);
  struct crm_frame *frame = crm_frame_new("one", 1, &business, &own);
  assert_non_null(frame);
  crm_exports_publish(f->exports, frame);
  crm_frame_unref(frame);
  assert_true(wait_for(f, METRICS, "crm_account_info{"));
  for (int i = 0; i < READERS; i++) {
    held[i] = connect_with(f, 4096);
    assert_true(held[i] >= 0);
    assert_int_equal(write(held[i], "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 35), 35);
  }
  assert_true(read(held[0], answer, 1024) > 0);
  int64_t began = crm_clock_monotonic_us();
  assert_true(get(f, REQUEST("GET", "/-/healthy", ""), answer, sizeof(answer)));
  assert_non_null(strstr(answer, "OK"));
  assert_true(crm_clock_monotonic_us() - began < seconds(8));
  /* One that takes it gets all of it. */
  char *whole = malloc(1 << 24), *last;
  assert_non_null(whole);
  assert_true(get(f, METRICS, whole, 1 << 24));
  assert_non_null(last = strstr(whole, "crm_account_info{tenant=\"one\",account=\"59999\""));
  assert_true(last - whole > 6000000); /* more than the buffers hold */
  free(whole);
  for (int i = 0; i < READERS; i++)
    close(held[i]);
  stop(f);
}

/* What is too long, or no HTTP at all, is refused or cut off, and the endpoint lives. */
static void test_odd_requests(void **state) {
  struct fixture *f = *state;
  char answer[16384];
  start(f);
  publish(f, "one", "Zoe", 1);
  assert_true(wait_for(f, METRICS, "Zoe"));
  char *request = calloc(1, 100000);
  strcpy(request, "GET /");
  memset(request + 5, 'a', 60000);
  strcat(request, " HTTP/1.1\r\nHost: x\r\n\r\n");
  (void)get(f, request, answer, sizeof(answer));
  assert_null(strstr(answer, " 200 "));
  (void)get(f, "\x16\x03\x01\x02\r\n\r\n", answer, sizeof(answer));
  assert_null(strstr(answer, " 200 "));
  (void)get(f, REQUEST("GET", "/metrics", "Content-Length: 3\r\n") "abc", answer, sizeof(answer));
  assert_null(strstr(answer, "Zoe"));
  free(request);
  assert_true(get(f, METRICS, answer, sizeof(answer)));
  assert_non_null(strstr(answer, "Zoe"));
  stop(f);
}

/* --- life
 * ------------------------------------------------------------------------------------------------------------------------------------ */

static void test_port_taken(void **state) {
  struct fixture *f = *state;
  int fd = take_port(f);
  start(f);
  publish(f, "one", "Zoe", 1);
  await_log(f, "Address already in use; trying again every 5 s", 1);
  close(fd);
  assert_true(wait_for(f, METRICS, "Zoe"));
  await_log(f, "it is open now", 1);
  assert_int_equal(count_log(f, "Address already in use"), 1);
  stop(f);
}

/* Ends in time while clients are connected, more than there may be, in the middle of a request and of an answer. */
static void test_stop_with_clients(void **state) {
  struct fixture *f = *state;
  int fds[40];
  f->listen.max_connections = 20;
  start(f);
  publish(f, "one", "Zoe", 1);
  assert_true(wait_for(f, METRICS, "Zoe"));
  for (int i = 0; i < 40; i++) {
    fds[i] = connect_to(f);
    assert_true(fds[i] >= 0);
    if (i % 3 == 1)
      assert_int_equal(write(fds[i], "GET /metrics HTTP", 17), 17);
    else if (i % 3 == 2)
      assert_int_equal(write(fds[i], "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 35), 35);
  }
  sleep_ms(100);
  stop(f);
  for (int i = 0; i < 40; i++)
    close(fds[i]);
}

static void test_nothing_configured(void **state) {
  struct fixture *f = *state;
  f->options = (struct crm_export_options){.listens = NULL};
  assert_int_equal(crm_exports_new(&f->options, instances, 2, &f->logger, &f->exports, NULL), CRM_OK);
  assert_null(f->exports);
  assert_int_equal(crm_exports_start(f->exports, NULL), CRM_OK);
  assert_int_equal(crm_exports_own_series(f->exports, "one", NULL), CRM_OK);
  crm_exports_publish(f->exports, NULL);
  crm_exports_request_stop(f->exports);
  assert_true(crm_exports_stop(f->exports, 0));
}

/* A fault is told once and when it has passed. */
static void test_textfile_fault(void **state) {
  struct fixture *f = *state;
  char text[8192], directory[SCRATCH_SIZE + 16];
  snprintf(directory, sizeof(directory), "%s/later", dir);
  snprintf(f->textfile, sizeof(f->textfile), "%s/later/crm.prom", dir);
  start(f);
  for (int i = 0; i < 3; i++) {
    publish(f, "one", "Zoe", i);
    sleep_ms(400);
    await_log(f, "later/crm.prom.tmp cannot be created", 1);
  }
  assert_int_equal(mkdir(directory, 0755), 0);
  publish(f, "one", "Zoe", 9);
  await_textfile(f);
  assert_non_null(strstr(read_text(f->textfile, text, sizeof(text)), "crm_accounts{tenant=\"one\",status=\"active\"} 9\n"));
  await_log(f, "it is written again", 1);
  stop(f);
}

/* --- many at once
 * -------------------------------------------------------------------------------------------------------------------------------- */

struct crowd {
  struct fixture *f;
  _Atomic(int) good, bad;
};

static void *read_often(void *arg) {
  struct crowd *crowd = arg;
  char *answer = malloc(16384);
  for (int i = 0; i < 5; i++) {
    bool ok = get(crowd->f, METRICS, answer, 16384) && strstr(answer, "crm_up{tenant=\"one\"} 1\n") != NULL;
    crowd->good += ok;
    crowd->bad += !ok;
  }
  free(answer);
  return NULL;
}

static void *publish_often(void *arg) {
  struct crowd *crowd = arg;
  for (int i = 0; i < 200; i++) {
    publish(crowd->f, i % 2 == 0 ? "one" : "two", "Zoe", i);
    sleep_ms(2);
  }
  return NULL;
}

/* Readers while ticks come in. */
static void test_crowd(void **state) {
  enum { READERS = 40 };
  struct fixture *f = *state;
  struct crowd crowd = {.f = f};
  pthread_t readers[READERS], publisher;
  start(f);
  publish(f, "one", "Zoe", 0);
  assert_true(wait_for(f, METRICS, "Zoe"));
  assert_int_equal(pthread_create(&publisher, NULL, publish_often, &crowd), 0);
  for (int i = 0; i < READERS; i++)
    assert_int_equal(pthread_create(&readers[i], NULL, read_often, &crowd), 0);
  for (int i = 0; i < READERS; i++)
    pthread_join(readers[i], NULL);
  pthread_join(publisher, NULL);
  assert_int_equal(crowd.bad, 0);
  assert_int_equal(crowd.good, READERS * 5);
  stop(f);
}

static int make_scratch(void **state) {
  (void)scratch_template(dir, "exports");
  return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_scratch(void **state) {
  char command[SCRATCH_SIZE + 16];
  snprintf(command, sizeof(command), "rm -rf '%s'", dir);
  return system(command);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_answers),
      TEST(test_ticks),
      TEST(test_no_accounts),
      TEST(test_gzip),
      TEST(test_token),
      TEST(test_half_open),
      TEST(test_dribbling),
      TEST(test_slow_readers),
      TEST(test_odd_requests),
      TEST(test_port_taken),
      TEST(test_stop_with_clients),
      TEST(test_nothing_configured),
      TEST(test_textfile_fault),
      TEST(test_crowd),
  };
  return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
