/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

/* A pipe rather than an eventfd: it exists everywhere, and write() is all that a signal handler may do. */
struct crm_stop {
  atomic_bool requested;
  int fds[2];
};

enum crm_status crm_stop_new(struct crm_stop **stop) {
  struct crm_stop *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return CRM_ERR_MEMORY;
  if (pipe2(s->fds, O_CLOEXEC | O_NONBLOCK) != 0) {
    free(s);
    return CRM_ERR_IO;
  }
  atomic_init(&s->requested, false);
  *stop = s;
  return CRM_OK;
}

void crm_stop_free(struct crm_stop *stop) {
  if (stop == NULL)
    return;
  close(stop->fds[0]);
  close(stop->fds[1]);
  free(stop);
}

void crm_stop_request(struct crm_stop *stop) {
  if (atomic_exchange(&stop->requested, true))
    return;
  int saved = errno;
  /* One byte into an empty pipe cannot fail but for a signal. */
  while (write(stop->fds[1], "", 1) < 0 && errno == EINTR)
    ;
  errno = saved;
}

bool crm_stop_requested(const struct crm_stop *stop) {
  return atomic_load(&stop->requested);
}

int crm_stop_fd(const struct crm_stop *stop) {
  return stop->fds[0];
}

static int milliseconds_until(int64_t deadline_us, int64_t now_us) {
  if (deadline_us <= now_us)
    return 0;
  int64_t ms = (deadline_us - now_us - 1) / 1000 + 1; /* rounded up, or the last millisecond would be spent spinning */
  return ms > INT_MAX ? INT_MAX : (int)ms;
}

enum crm_status crm_stop_poll(const struct crm_stop *stop, int fd, short events, int64_t deadline_us) {
  for (;;) {
    if (crm_stop_requested(stop))
      return CRM_ERR_STOPPED;
    int64_t now_us = crm_clock_monotonic_us();
    if (now_us >= deadline_us)
      return CRM_ERR_TIMEOUT; /* even if the descriptor is ready: a peer that never stops sending must not hold us */
    struct pollfd fds[2] = {{.fd = stop->fds[0], .events = POLLIN}, {.fd = fd, .events = events}};
    int n = poll(fds, 2, milliseconds_until(deadline_us, now_us));
    if (n < 0 && errno != EINTR && errno != EAGAIN)
      return CRM_OK; /* the caller's own call on the descriptor will fail and say why */
    if (n > 0 && fds[0].revents != 0)
      return CRM_ERR_STOPPED;
    if (n > 0 && fds[1].revents != 0)
      return CRM_OK;
  }
}

bool crm_stop_wait(const struct crm_stop *stop, int64_t deadline_monotonic_us) {
  return crm_stop_poll(stop, -1, 0, deadline_monotonic_us) == CRM_ERR_STOPPED;
}
