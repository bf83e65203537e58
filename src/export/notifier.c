/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/notifier.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct waiting {
  const char *name;
  struct crm_notices *notices; /* used by the thread only */
  struct crm_frame *frame;     /* or NULL; under the mutex */
};

struct crm_notifier {
  crm_notice_deliver *deliver;
  void *ctx;
  struct waiting *instances;
  size_t n;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t wake, ended;
  bool started, stopping, running;
};

static void notifier_free(struct crm_notifier *notifier) {
  for (size_t i = 0; i < notifier->n; i++) {
    crm_notices_free(notifier->instances[i].notices);
    crm_frame_unref(notifier->instances[i].frame);
  }
  pthread_cond_destroy(&notifier->wake);
  pthread_cond_destroy(&notifier->ended);
  pthread_mutex_destroy(&notifier->mutex);
  free(notifier->instances);
  free(notifier);
}

enum crm_status crm_notifier_new(const struct crm_notifier_instance *instances, size_t n, crm_notice_deliver *deliver, void *ctx,
                                 struct crm_notifier **out, struct crm_error *err) {
  struct crm_notifier *notifier = calloc(1, sizeof(*notifier));
  if (notifier != NULL)
    notifier->instances = calloc(n == 0 ? 1 : n, sizeof(*notifier->instances));
  if (notifier == NULL || notifier->instances == NULL) {
    free(notifier);
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  }
  notifier->deliver = deliver;
  notifier->ctx = ctx;
  pthread_mutex_init(&notifier->mutex, NULL);
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&notifier->wake, &attr);
  pthread_cond_init(&notifier->ended, &attr);
  pthread_condattr_destroy(&attr);
  for (; notifier->n < n; notifier->n++)
    notifier->instances[notifier->n] =
        (struct waiting){.name = instances[notifier->n].name, .notices = crm_notices_new(instances[notifier->n].options)};
  *out = notifier;
  return CRM_OK;
}

/* Takes a waiting frame; NULL if none waits. Under the mutex. */
static struct crm_frame *take(struct crm_notifier *notifier, struct crm_notices **notices) {
  for (size_t i = 0; i < notifier->n; i++) {
    struct crm_frame *frame = notifier->instances[i].frame;
    if (frame == NULL)
      continue;
    notifier->instances[i].frame = NULL;
    *notices = notifier->instances[i].notices;
    return frame;
  }
  return NULL;
}

static void *notifier_main(void *arg) {
  struct crm_notifier *notifier = arg;
  pthread_mutex_lock(&notifier->mutex);
  while (!notifier->stopping) {
    struct crm_notices *notices = NULL;
    struct crm_frame *frame = take(notifier, &notices);
    if (frame == NULL) {
      pthread_cond_wait(&notifier->wake, &notifier->mutex);
      continue;
    }
    pthread_mutex_unlock(&notifier->mutex);
    crm_notices_judge(notices, frame, notifier->deliver, notifier->ctx);
    crm_frame_unref(frame);
    pthread_mutex_lock(&notifier->mutex);
  }
  notifier->running = false;
  pthread_cond_signal(&notifier->ended);
  pthread_mutex_unlock(&notifier->mutex);
  return NULL;
}

enum crm_status crm_notifier_start(struct crm_notifier *notifier, struct crm_error *err) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  notifier->running = true;
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the host's business */
  int rc = pthread_create(&notifier->thread, NULL, notifier_main, notifier);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (rc != 0) {
    notifier->running = false;
    return crm_error_set(err, CRM_ERR_MEMORY, "cannot start the thread for notifications");
  }
  notifier->started = true;
  pthread_setname_np(notifier->thread, "crm-notify");
  return CRM_OK;
}

void crm_notifier_offer(struct crm_notifier *notifier, struct crm_frame *frame) {
  struct crm_frame *old = NULL;
  pthread_mutex_lock(&notifier->mutex);
  for (size_t i = 0; i < notifier->n; i++)
    if (strcmp(notifier->instances[i].name, frame->instance) == 0) {
      old = notifier->instances[i].frame;
      notifier->instances[i].frame = crm_frame_ref(frame);
    }
  pthread_cond_signal(&notifier->wake);
  pthread_mutex_unlock(&notifier->mutex);
  crm_frame_unref(old);
}

void crm_notifier_request_stop(struct crm_notifier *notifier) {
  pthread_mutex_lock(&notifier->mutex);
  notifier->stopping = true;
  pthread_cond_signal(&notifier->wake);
  pthread_mutex_unlock(&notifier->mutex);
}

bool crm_notifier_stop(struct crm_notifier *notifier, int64_t deadline_us) {
  if (notifier == NULL)
    return true;
  crm_notifier_request_stop(notifier);
  if (notifier->started) {
    struct timespec until = {.tv_sec = deadline_us / CRM_US_PER_SECOND, .tv_nsec = (deadline_us % CRM_US_PER_SECOND) * 1000};
    int rc = 0;
    pthread_mutex_lock(&notifier->mutex);
    while (notifier->running && rc == 0)
      rc = pthread_cond_timedwait(&notifier->ended, &notifier->mutex, &until);
    bool running = notifier->running;
    pthread_mutex_unlock(&notifier->mutex);
    if (running) { /* somebody who is notified takes too long */
      pthread_detach(notifier->thread);
      return false;
    }
    pthread_join(notifier->thread, NULL);
  }
  notifier_free(notifier);
  return true;
}
