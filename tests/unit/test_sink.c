/* SPDX-License-Identifier: MIT */
/* The sink's threads: offers from several at once, self-metrics read meanwhile, and every way to stop. What it sends is tested by
 * tests/e2e/sink_*.py. */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "export/sink_internal.h"
#include "lib/patience.h"
#include "../lib/scratch.h"

/* --- a look-up that hangs: this definition takes the place of the C library's in this program, libcurl's included ------------------ */

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
    __attribute__((visibility("default")));

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  if (node != NULL && strcmp(node, "hang.invalid") == 0)
    sleep(3);
  int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
  *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
  return next(node, service, hints, result);
}

/* --- a receiver that takes everything, or accepts and says nothing -------------------------------------------------------------------- */

struct receiver {
  int listener;
  int port;
  bool silent;
  pthread_t thread;
  _Atomic(int) requests;
  _Atomic(int) connection;
};

/* Reads a request; false when the connection has ended. */
static bool take_request(int fd) {
  char buf[65536];
  size_t len = 0, body = 0;
  char *end = NULL;
  while (end == NULL || len < body) {
    ssize_t n = read(fd, buf + len, sizeof(buf) - 1 - len);
    if (n <= 0)
      return false;
    len += (size_t)n;
    buf[len] = '\0';
    if (end == NULL && (end = strstr(buf, "\r\n\r\n")) != NULL) {
      const char *length = strstr(buf, "Content-Length: ");
      body = (size_t)(end - buf) + 4 + (length == NULL ? 0 : strtoul(length + 16, NULL, 10));
    }
  }
  return true;
}

static void *receive(void *arg) {
  struct receiver *r = arg;
  for (int fd; (fd = accept(r->listener, NULL, NULL)) >= 0;) {
    r->connection = fd;
    while (take_request(fd)) {
      r->requests++;
      static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
      if (!r->silent && write(fd, answer, sizeof(answer) - 1) < 0)
        break;
    }
    r->connection = -1;
    close(fd);
  }
  return NULL;
}

static void receiver_start(struct receiver *r, bool silent) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  *r = (struct receiver){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .silent = silent, .connection = -1};
  assert_int_equal(bind(r->listener, (struct sockaddr *)&address, sizeof(address)), 0);
  assert_int_equal(listen(r->listener, 8), 0);
  assert_int_equal(getsockname(r->listener, (struct sockaddr *)&address, &len), 0);
  r->port = ntohs(address.sin_port);
  assert_int_equal(pthread_create(&r->thread, NULL, receive, r), 0);
}

static void receiver_end(struct receiver *r) {
  shutdown(r->listener, SHUT_RDWR);
  int fd = r->connection;
  if (fd >= 0)
    shutdown(fd, SHUT_RDWR);
  pthread_join(r->thread, NULL);
  close(r->listener);
}

/* --- a sink --------------------------------------------------------------------------------------------------------------------------- */

struct logged {
  pthread_mutex_t mutex;
  int lines;
  bool block; /* the next line waits until this is taken back */
};

static void log_line(void *ctx, enum crm_log_level level, const char *message) {
  struct logged *logged = ctx;
  pthread_mutex_lock(&logged->mutex);
  logged->lines++;
  while (logged->block) {
    pthread_mutex_unlock(&logged->mutex);
    usleep(2000);
    pthread_mutex_lock(&logged->mutex);
  }
  pthread_mutex_unlock(&logged->mutex);
}

static char url[128];
static struct crm_sink_options make_options(const char *host, int port) {
  snprintf(url, sizeof(url), "http://%s:%d/w", host, port);
  return (struct crm_sink_options){.name = "s",
                                   .url = url,
                                   .per_account = true,
                                   .job = "crm",
                                   .connect_timeout_us = 10000000,
                                   .timeout_us = 30000000,
                                   .max_batch_series = 2000,
                                   .max_batch_bytes = 900000,
                                   .backoff_min_us = 20000,
                                   .backoff_max_us = 100000,
                                   .max_age_us = 3600000000,
                                   .queue_ticks = 1000,
                                   .spool_max_bytes = 1 << 20,
                                   .spool_max_age_us = 86400000000};
}

static void offer(struct crm_sink *sink, const char *instance, crm_time at, int n) {
  struct crm_series_set business, own;
  if (crm_set_init(&business) != CRM_OK || crm_set_init(&own) != CRM_OK)
    abort();
  for (int i = 0; i < n; i++) {
    char tenant[16];
    const char *labels[] = {tenant};
    snprintf(tenant, sizeof(tenant), "t%d", i);
    if (crm_set_add(&business, CRM_FAM_NPS, labels, 1, crm_number_int(i)) != CRM_OK)
      abort();
  }
  if (crm_set_sort(&business) != CRM_OK)
    abort();
  struct crm_frame *frame = crm_frame_new(instance, at, &business, &own);
  crm_set_free(&business);
  crm_set_free(&own);
  crm_sink_offer(sink, frame);
  crm_frame_unref(frame);
}

/* A counter of the sink's own series, over all its reasons where it has them; or -1. */
static int64_t metric(struct crm_sink *sink, const char *instance, enum crm_family family) {
  struct crm_series_set own;
  int64_t value = -1;
  if (crm_set_init(&own) != CRM_OK || crm_sink_own_series(sink, instance, &own) != CRM_OK)
    abort();
  for (size_t i = 0; i < own.n; i++)
    if (own.samples[i].family == family)
      value = (value < 0 ? 0 : value) + own.samples[i].value.num;
  crm_set_free(&own);
  return value;
}

static int64_t seconds(double s) {
  return (int64_t)patient(s * 1e6);
}

static void await_metric(struct crm_sink *sink, const char *instance, enum crm_family family, int64_t value) {
  int64_t end = crm_clock_monotonic_us() + seconds(60);
  while (metric(sink, instance, family) < value && crm_clock_monotonic_us() < end)
    usleep(2000);
  assert_int_equal(metric(sink, instance, family), value);
}

struct offering {
  struct crm_sink *sink;
  const char *instance;
  crm_time from;
};

static void *offer_many(void *arg) {
  struct offering *o = arg;
  for (int i = 0; i < 50; i++) {
    offer(o->sink, o->instance, o->from + i * CRM_US_PER_SECOND, 3);
    usleep(500);
  }
  return NULL;
}

static void run_threads(const char *spool) {
  struct receiver receiver;
  struct logged logged = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  const struct crm_log log = {log_line, &logged};
  struct crm_sink *sink = NULL;
  struct crm_error err = {0};
  receiver_start(&receiver, false);
  struct crm_sink_options options = make_options("127.0.0.1", receiver.port);
  options.spool_dir = spool;
  assert_int_equal(crm_sink_new(&options, &log, &sink, &err), CRM_OK);
  assert_int_equal(crm_sink_start(sink, &err), CRM_OK);
  crm_time from = crm_clock_realtime_us() - 600 * CRM_US_PER_SECOND;
  struct offering offerings[] = {{sink, "a", from}, {sink, "b", from}};
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, offer_many, &offerings[i]), 0);
  for (int i = 0; i < 2; i++)
    await_metric(sink, offerings[i].instance, CRM_FAM_REMOTE_WRITE_SAMPLES_TOTAL, 150);
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(metric(sink, "a", CRM_FAM_REMOTE_WRITE_FAILED_TOTAL), 0);
  assert_int_equal(metric(sink, "nobody", CRM_FAM_REMOTE_WRITE_SAMPLES_TOTAL), 0);
  crm_sink_request_stop(sink);
  assert_true(crm_sink_stop(sink, crm_clock_monotonic_us() + seconds(5)));
  assert_int_equal(receiver.requests, 100);
  assert_int_equal(logged.lines, 0);
  receiver_end(&receiver);
}

static void test_threads(void **state) {
  run_threads(NULL);
}

static void test_threads_spool(void **state) {
  char dir[SCRATCH_SIZE], command[SCRATCH_SIZE + 16];
  assert_non_null(mkdtemp(scratch_template(dir, "sink")));
  run_threads(dir);
  snprintf(command, sizeof(command), "rm -rf '%s'", dir);
  assert_int_equal(system(command), 0);
}

/* Stops a sink with a request under way, and checks that it ends in time. */
static void check_stop(const char *host, int port) {
  struct logged logged = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  const struct crm_log log = {log_line, &logged};
  struct crm_sink *sink = NULL;
  struct crm_error err = {0};
  struct crm_sink_options options = make_options(host, port);
  assert_int_equal(crm_sink_new(&options, &log, &sink, &err), CRM_OK);
  assert_int_equal(crm_sink_start(sink, &err), CRM_OK);
  offer(sink, "a", crm_clock_realtime_us(), 3);
  usleep(100000);
  int64_t start = crm_clock_monotonic_us();
  assert_true(crm_sink_stop(sink, start + seconds(0.5)));
  assert_true(crm_clock_monotonic_us() - start < seconds(0.6));
  assert_in_range(logged.lines, 1, 2); /* that a tick is lost; and, if there was time, that the look-up failed */
}

static void test_silent(void **state) {
  struct receiver receiver;
  receiver_start(&receiver, true);
  check_stop("127.0.0.1", receiver.port);
  receiver_end(&receiver);
}

static void test_look_up(void **state) {
  check_stop("hang.invalid", 80);
}

static void test_before_start(void **state) {
  struct crm_sink *sink = NULL;
  struct crm_sink_options options = make_options("127.0.0.1", 1);
  assert_int_equal(crm_sink_new(&options, NULL, &sink, NULL), CRM_OK);
  offer(sink, "a", 1, 3);
  offer(sink, "a", 1, 3); /* not later */
  assert_int_equal(metric(sink, "a", CRM_FAM_REMOTE_WRITE_DROPPED_TOTAL), 3);
  assert_int_equal(metric(sink, "a", CRM_FAM_REMOTE_WRITE_QUEUE_TICKS), 1);
  crm_sink_request_stop(sink);
  offer(sink, "a", 2, 3); /* too late */
  assert_int_equal(metric(sink, "a", CRM_FAM_REMOTE_WRITE_QUEUE_TICKS), 1);
  assert_true(crm_sink_stop(sink, 0));
  assert_true(crm_sink_stop(NULL, 0));
}

/* The thread hangs in something that nobody can interrupt; here it is the host's log. */
static void test_abandoned(void **state) {
  static struct logged logged = {.mutex = PTHREAD_MUTEX_INITIALIZER, .block = true};
  static struct crm_sink_options options; /* both are used until the thread ends */
  const struct crm_log log = {log_line, &logged};
  struct crm_sink *sink = NULL;
  options = make_options("127.0.0.1", 1);
  assert_int_equal(crm_sink_new(&options, &log, &sink, NULL), CRM_OK);
  assert_int_equal(crm_sink_start(sink, NULL), CRM_OK);
  offer(sink, "a", crm_clock_realtime_us(), 3);
  for (int lines = 0; lines == 0; usleep(2000)) { /* that the receiver is away */
    pthread_mutex_lock(&logged.mutex);
    lines = logged.lines;
    pthread_mutex_unlock(&logged.mutex);
  }
  pthread_mutex_lock(&logged.mutex);
  logged.lines = -1000;
  pthread_mutex_unlock(&logged.mutex);
  int64_t start = crm_clock_monotonic_us();
  /* The line that tells of it must not hang itself. */
  pthread_mutex_lock(&sink->mutex);
  sink->host_log.write = NULL;
  pthread_mutex_unlock(&sink->mutex);
  assert_false(crm_sink_stop(sink, start + seconds(0.3)));
  assert_true(crm_clock_monotonic_us() - start < seconds(0.5));
  pthread_mutex_lock(&logged.mutex);
  logged.block = false;
  pthread_mutex_unlock(&logged.mutex);
  /* It ends by itself, and says no more. */
  bool ended = false;
  for (int64_t end = crm_clock_monotonic_us() + seconds(10); !ended && crm_clock_monotonic_us() < end;) {
    usleep(2000);
    pthread_mutex_lock(&sink->mutex);
    ended = sink->ended;
    pthread_mutex_unlock(&sink->mutex);
  }
  assert_true(ended);
  assert_int_equal(logged.lines, -1000);
  usleep(100000); /* it is out of the mutex */
  sink->started = false;
  assert_true(crm_sink_stop(sink, 0)); /* no leak, then */
}

/* All signals are blocked in the thread: the host's handlers must not run there. */
static void test_signals(void **state) {
  struct receiver receiver;
  struct crm_sink *sink = NULL;
  char path[64], line[256], mask[64] = "";
  receiver_start(&receiver, false);
  struct crm_sink_options options = make_options("127.0.0.1", receiver.port);
  assert_int_equal(crm_sink_new(&options, NULL, &sink, NULL), CRM_OK);
  assert_int_equal(crm_sink_start(sink, NULL), CRM_OK);
  snprintf(path, sizeof(path), "grep -h -A60 crm-sink /proc/%d/task/*/status", (int)getpid());
  FILE *f = popen(path, "r");
  assert_non_null(f);
  while (fgets(line, sizeof(line), f) != NULL)
    if (sscanf(line, "SigBlk: %63s", mask) == 1)
      break;
  pclose(f);
  /* All but SIGKILL and SIGSTOP, the two that the C library keeps for itself, and one of valgrind's. */
  assert_int_equal(strtoull(mask, NULL, 16) | 0x8000000180040100, 0xffffffffffffffff);
  assert_true(crm_sink_stop(sink, crm_clock_monotonic_us() + seconds(2)));
  receiver_end(&receiver);
}

static void test_wrong_files(void **state) {
  static const struct {
    const char *name;
    struct crm_sink_options options;
  } cases[] = {{"token", {.bearer_token_file = "/nonexistent/token"}},
               {"authorities", {.ca_file = "/nonexistent/ca"}},
               {"certificate", {.cert_file = "/nonexistent/cert"}},
               {"key", {.key_file = "/nonexistent/key"}}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct crm_sink *sink = NULL;
    struct crm_error err = {0};
    struct crm_sink_options options = cases[i].options;
    print_message("# %s\n", cases[i].name);
    options.name = "mine";
    options.url = "http://h/";
    assert_int_equal(crm_sink_new(&options, NULL, &sink, &err), CRM_ERR_CONFIG);
    assert_non_null(strstr(err.message, "sink mine: "));
    assert_non_null(strstr(err.message, "/nonexistent/"));
  }
}

int main(void) {
  signal(SIGPIPE, SIG_IGN); /* as the daemon does */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_threads), cmocka_unit_test(test_threads_spool), cmocka_unit_test(test_silent),
      cmocka_unit_test(test_look_up), cmocka_unit_test(test_before_start),  cmocka_unit_test(test_abandoned),
      cmocka_unit_test(test_signals), cmocka_unit_test(test_wrong_files),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  sleep(3); /* for the thread that looks up a name: it would look like a leak */
  return failed;
}
