/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/patience.h"
#include "source/stop.h"

static void waits_until_the_deadline(void **state) {
  (void)state;
  struct crm_stop *stop;
  assert_int_equal(crm_stop_new(&stop), CRM_OK);
  int64_t start = crm_clock_monotonic_us();
  assert_false(crm_stop_wait(stop, start + 30000));
  int64_t took = crm_clock_monotonic_us() - start;
  assert_in_range(took, 30000, (int64_t)patient(1e6));
  assert_false(crm_stop_wait(stop, start)); /* past already */
  assert_false(crm_stop_requested(stop));
  crm_stop_free(stop);
}

static void *request_later(void *arg) {
  usleep(50000);
  crm_stop_request(arg);
  return NULL;
}

static void a_request_wakes_a_wait(void **state) {
  (void)state;
  struct crm_stop *stop;
  assert_int_equal(crm_stop_new(&stop), CRM_OK);
  pthread_t thread;
  int64_t start = crm_clock_monotonic_us();
  assert_int_equal(pthread_create(&thread, NULL, request_later, stop), 0);
  assert_true(crm_stop_wait(stop, start + 10000000));
  assert_in_range(crm_clock_monotonic_us() - start, 40000, (int64_t)patient(2e6));
  pthread_join(thread, NULL);
  assert_true(crm_stop_requested(stop));
  assert_true(crm_stop_wait(stop, start + 10000000)); /* and every later one */
  crm_stop_free(stop);
}

static void a_request_may_be_repeated(void **state) {
  (void)state;
  struct crm_stop *stop;
  assert_int_equal(crm_stop_new(&stop), CRM_OK);
  for (int i = 0; i < 100000; i++) /* more than a pipe holds */
    crm_stop_request(stop);
  struct pollfd fd = {.fd = crm_stop_fd(stop), .events = POLLIN};
  assert_int_equal(poll(&fd, 1, 0), 1);
  assert_true(crm_stop_wait(stop, INT64_MAX));
  crm_stop_free(stop);
}

static struct crm_stop *signalled;
static void on_signal(int number) {
  (void)number;
  crm_stop_request(signalled);
}

static void a_signal_handler_may_request(void **state) {
  (void)state;
  assert_int_equal(crm_stop_new(&signalled), CRM_OK);
  struct sigaction action = {.sa_handler = on_signal}, saved;
  assert_int_equal(sigaction(SIGALRM, &action, &saved), 0);
  int64_t start = crm_clock_monotonic_us();
  ualarm(30000, 0);
  assert_true(crm_stop_wait(signalled, start + 10000000));
  assert_in_range(crm_clock_monotonic_us() - start, 20000, (int64_t)patient(2e6));
  sigaction(SIGALRM, &saved, NULL);
  crm_stop_free(signalled);
}

static void poll_tells_what_came(void **state) {
  (void)state;
  struct crm_stop *stop;
  int fds[2];
  assert_int_equal(crm_stop_new(&stop), CRM_OK);
  assert_int_equal(pipe(fds), 0);
  int64_t now = crm_clock_monotonic_us();
  assert_int_equal(crm_stop_poll(stop, fds[0], POLLIN, now + 20000), CRM_ERR_TIMEOUT);
  assert_int_equal(write(fds[1], "x", 1), 1);
  assert_int_equal(crm_stop_poll(stop, fds[0], POLLIN, now + 10000000), CRM_OK);
  assert_int_equal(crm_stop_poll(stop, fds[0], POLLIN, now), CRM_ERR_TIMEOUT); /* a talkative peer does not put the deadline off */
  crm_stop_request(stop);
  assert_int_equal(crm_stop_poll(stop, fds[0], POLLIN, now + 10000000), CRM_ERR_STOPPED); /* the stop comes first */
  close(fds[0]);
  close(fds[1]);
  crm_stop_free(stop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(waits_until_the_deadline),     cmocka_unit_test(a_request_wakes_a_wait), cmocka_unit_test(a_request_may_be_repeated),
      cmocka_unit_test(a_signal_handler_may_request), cmocka_unit_test(poll_tells_what_came),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
