/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "lib/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

enum { PAIRS_MAX = 32, PIECE = 500, NEVER_MS = -1 };

/* What was read of one end and is not yet written to the other. */
struct flow {
  char bytes[16384];
  size_t begin, end;
};

struct pair {
  int fd[2];           /* client, server */
  struct flow flow[2]; /* to the client, to the server: flow[i] is written to fd[i] */
  int64_t resume_us;   /* monotonic; nothing is done before; INT64_MAX: never */
  int delay_ms;        /* between pieces; 0: none */
};

struct relay {
  pthread_t thread;
  int listener, wake[2];
  struct sockaddr_un target;
  struct pair *pairs[PAIRS_MAX]; /* used by the thread only */
  size_t n_pairs;

  pthread_mutex_t mutex; /* for all below */
  enum relay_fault fault;
  bool to_client, struck, delaying;
  uint64_t after;
  int ms;
  uint64_t count[2]; /* to the client, to the server */
};

/* --- connections -------------------------------------------------------------------------------------------------- */

static void close_pair(struct relay *relay, size_t at, bool reset) {
  struct pair *pair = relay->pairs[at];
  const struct linger at_once = {.l_onoff = 1};
  for (int i = 0; i < 2; i++) {
    if (reset)
      (void)setsockopt(pair->fd[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(pair->fd[i]);
  }
  free(pair);
  relay->pairs[at] = relay->pairs[--relay->n_pairs];
}

static void accept_one(struct relay *relay) {
  int client = accept(relay->listener, NULL, NULL);
  int server = client < 0 || relay->n_pairs == PAIRS_MAX ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct pair *pair = NULL;
  if (server >= 0 && connect(server, (const struct sockaddr *)&relay->target, sizeof(relay->target)) == 0)
    pair = calloc(1, sizeof(*pair));
  if (pair == NULL) {
    if (server >= 0)
      close(server);
    if (client >= 0)
      close(client);
    return;
  }
  (void)fcntl(client, F_SETFL, O_NONBLOCK);
  (void)fcntl(server, F_SETFL, O_NONBLOCK);
  pair->fd[0] = client;
  pair->fd[1] = server;
  relay->pairs[relay->n_pairs++] = pair;
}

/* --- passing on --------------------------------------------------------------------------------------------------- */

/* Of `n` bytes that came for fd[to], how many may be passed on, and what happens after them. */
static size_t let_through(struct relay *relay, int to, size_t n, enum relay_fault *fault, int *ms) {
  *fault = RELAY_NONE;
  pthread_mutex_lock(&relay->mutex);
  if (relay->fault != RELAY_NONE && relay->to_client == (to == 0)) {
    if (relay->after >= n) {
      relay->after -= n;
    } else {
      if (relay->fault != RELAY_DELAY) /* which loses nothing */
        n = (size_t)relay->after;
      *fault = relay->fault;
      *ms = relay->ms;
      relay->delaying = relay->fault == RELAY_DELAY;
      relay->fault = RELAY_NONE;
      relay->struck = true;
    }
  }
  relay->count[to] += n;
  pthread_mutex_unlock(&relay->mutex);
  return n;
}

/* Writes what it can. False when the end is gone. */
static bool flush(struct pair *pair, int to) {
  struct flow *flow = &pair->flow[to];
  while (flow->begin < flow->end) {
    size_t n = flow->end - flow->begin;
    if (pair->delay_ms > 0 && n > PIECE)
      n = PIECE;
    ssize_t sent = send(pair->fd[to], flow->bytes + flow->begin, n, MSG_NOSIGNAL);
    if (sent < 0)
      return errno == EAGAIN || errno == EINTR;
    flow->begin += (size_t)sent;
    if (pair->delay_ms > 0) {
      pair->resume_us = crm_clock_monotonic_us() + pair->delay_ms * INT64_C(1000);
      return true;
    }
  }
  return true;
}

/* Takes what fd[1 - to] has said. False when the pair is to be closed, by a reset or not. A stall holds back the rest of what was read. */
static bool take(struct relay *relay, struct pair *pair, int to, bool *reset) {
  struct flow *flow = &pair->flow[to];
  ssize_t got = recv(pair->fd[1 - to], flow->bytes, sizeof(flow->bytes), 0);
  if (got < 0)
    return errno == EAGAIN || errno == EINTR;
  if (got == 0)
    return false;
  enum relay_fault fault;
  int ms = 0;
  size_t n = let_through(relay, to, (size_t)got, &fault, &ms);
  flow->begin = 0;
  flow->end = n;
  bool alive = flush(pair, to);
  switch (fault) {
  case RELAY_RESET:
  case RELAY_TRUNCATE:
    *reset = fault == RELAY_RESET;
    return false;
  case RELAY_STALL:
    flow->end = (size_t)got; /* it comes when the stall has ended */
    pair->resume_us = ms == NEVER_MS ? INT64_MAX : crm_clock_monotonic_us() + ms * INT64_C(1000);
    return true;
  case RELAY_DELAY:
    pair->delay_ms = ms;
    return alive;
  case RELAY_NONE:
    break;
  }
  return alive;
}

static void serve_pair(struct relay *relay, size_t at, const struct pollfd fds[2]) {
  struct pair *pair = relay->pairs[at];
  bool reset = false;
  /* One that is stalled for good is kept until the client gives up. */
  bool alive = pair->resume_us != INT64_MAX || fds[0].revents == 0;
  for (int to = 0; to < 2 && alive; to++) {
    bool holds = pair->flow[to].begin < pair->flow[to].end;
    if (holds && fds[to].revents != 0)
      alive = flush(pair, to);
    else if (!holds && (fds[1 - to].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
      alive = take(relay, pair, to, &reset);
    if (pair->resume_us > crm_clock_monotonic_us())
      break;
  }
  if (!alive)
    close_pair(relay, at, reset);
}

/* What to wait for; the timeout in milliseconds. */
static int prepare(struct relay *relay, struct pollfd *fds) {
  int64_t now = crm_clock_monotonic_us(), next = INT64_MAX;
  pthread_mutex_lock(&relay->mutex);
  bool delaying = relay->delaying;
  pthread_mutex_unlock(&relay->mutex);
  for (size_t i = 0; i < relay->n_pairs; i++) {
    struct pair *pair = relay->pairs[i];
    if (!delaying && pair->delay_ms > 0)
      pair->resume_us = pair->delay_ms = 0;
    bool held = pair->resume_us > now;
    if (held && pair->resume_us < next)
      next = pair->resume_us;
    for (int end = 0; end < 2; end++) {
      bool writes = pair->flow[end].begin < pair->flow[end].end, reads = pair->flow[1 - end].begin == pair->flow[1 - end].end;
      fds[2 * i + (size_t)end] =
          (struct pollfd){.fd = held ? -1 : pair->fd[end], .events = (short)((writes ? POLLOUT : 0) | (reads ? POLLIN : 0))};
    }
    if (pair->resume_us == INT64_MAX)
      fds[2 * i] = (struct pollfd){.fd = pair->fd[0], .events = POLLRDHUP};
  }
  return next == INT64_MAX ? -1 : (int)((next - now) / 1000 + 1);
}

static void *run(void *arg) {
  struct relay *relay = arg;
  struct pollfd fds[2 * PAIRS_MAX + 2];
  for (;;) {
    size_t n = relay->n_pairs;
    int timeout = prepare(relay, fds);
    fds[2 * n] = (struct pollfd){.fd = relay->listener, .events = POLLIN};
    fds[2 * n + 1] = (struct pollfd){.fd = relay->wake[0], .events = POLLIN};
    if (poll(fds, (nfds_t)(2 * n + 2), timeout) < 0)
      continue;
    for (size_t i = n; i > 0; i--) /* from the last, since one that is closed is replaced by the last */
      serve_pair(relay, i - 1, &fds[2 * (i - 1)]);
    char what = '\0';
    if (fds[2 * n + 1].revents != 0 && read(relay->wake[0], &what, 1) == 1 && what == 'q')
      break;
    if (fds[2 * n].revents != 0)
      accept_one(relay);
  }
  while (relay->n_pairs > 0)
    close_pair(relay, 0, false);
  return NULL;
}

/* --- from outside ------------------------------------------------------------------------------------------------- */

static bool open_listener(struct relay *relay, int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (relay->listener < 0 || bind(relay->listener, (struct sockaddr *)&address, len) != 0 || listen(relay->listener, 16) != 0 ||
      getsockname(relay->listener, (struct sockaddr *)&address, &len) != 0 || pipe(relay->wake) != 0)
    return false;
  *port = ntohs(address.sin_port);
  return true;
}

struct relay *relay_start(const char *target_socket, int *port) {
  struct relay *relay = calloc(1, sizeof(*relay));
  if (relay == NULL)
    return NULL;
  relay->target.sun_family = AF_UNIX;
  snprintf(relay->target.sun_path, sizeof(relay->target.sun_path), "%s", target_socket);
  pthread_mutex_init(&relay->mutex, NULL);
  if (!open_listener(relay, port) || pthread_create(&relay->thread, NULL, run, relay) != 0) {
    perror("relay");
    free(relay);
    return NULL;
  }
  return relay;
}

static void tell(struct relay *relay, char what) {
  if (write(relay->wake[1], &what, 1) != 1)
    perror("relay");
}

void relay_stop(struct relay *relay) {
  tell(relay, 'q');
  pthread_join(relay->thread, NULL);
  close(relay->listener);
  close(relay->wake[0]);
  close(relay->wake[1]);
  pthread_mutex_destroy(&relay->mutex);
  free(relay);
}

void relay_arm(struct relay *relay, enum relay_fault fault, bool to_client, uint64_t after, int ms) {
  pthread_mutex_lock(&relay->mutex);
  relay->fault = fault;
  relay->to_client = to_client;
  relay->after = after;
  relay->ms = ms;
  relay->struck = relay->delaying = false;
  pthread_mutex_unlock(&relay->mutex);
}

bool relay_struck(struct relay *relay) {
  pthread_mutex_lock(&relay->mutex);
  bool struck = relay->struck;
  pthread_mutex_unlock(&relay->mutex);
  return struck;
}

bool relay_disarm(struct relay *relay) {
  pthread_mutex_lock(&relay->mutex);
  bool struck = relay->struck;
  relay->fault = RELAY_NONE;
  relay->delaying = false;
  pthread_mutex_unlock(&relay->mutex);
  tell(relay, 'd');
  return struck;
}

void relay_count(struct relay *relay, uint64_t *to_server, uint64_t *to_client) {
  pthread_mutex_lock(&relay->mutex);
  *to_client = relay->count[0];
  *to_server = relay->count[1];
  pthread_mutex_unlock(&relay->mutex);
}
