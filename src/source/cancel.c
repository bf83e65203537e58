/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/cancel.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* Shared by the thread and the one who waits; whoever is last frees it. */
struct job {
  PGcancel *cancel;
  pthread_mutex_t mutex;
  pthread_cond_t finished;
  bool done, abandoned;
};

static void job_free(struct job *job) {
  PQfreeCancel(job->cancel);
  pthread_cond_destroy(&job->finished);
  pthread_mutex_destroy(&job->mutex);
  free(job);
}

static void *job_run(void *arg) {
  struct job *job = arg;
  char text[256]; /* whether it worked does not matter: the connection is closed next */
  (void)PQcancel(job->cancel, text, sizeof(text));
  pthread_mutex_lock(&job->mutex);
  job->done = true;
  bool mine = job->abandoned;
  pthread_cond_signal(&job->finished);
  pthread_mutex_unlock(&job->mutex);
  if (mine)
    job_free(job);
  return NULL;
}

static struct job *job_new(PGconn *pg) {
  struct job *job = calloc(1, sizeof(*job));
  if (job == NULL)
    return NULL;
  job->cancel = PQgetCancel(pg);
  if (job->cancel == NULL) {
    free(job);
    return NULL;
  }
  pthread_mutex_init(&job->mutex, NULL);
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&job->finished, &attr);
  pthread_condattr_destroy(&attr);
  return job;
}

/* Signals are the daemon's main thread's business, so the thread starts with all of them blocked. */
static bool start_detached(struct job *job) {
  pthread_attr_t attr;
  if (pthread_attr_init(&attr) != 0)
    return false;
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attr, (size_t)256 * 1024);
  sigset_t all, saved;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &saved);
  pthread_t thread;
  bool started = pthread_create(&thread, &attr, job_run, job) == 0;
  pthread_sigmask(SIG_SETMASK, &saved, NULL);
  pthread_attr_destroy(&attr);
  return started;
}

void crm_cancel_bounded(PGconn *pg, int64_t wait_us) {
  struct job *job = job_new(pg);
  if (job == NULL)
    return;
  if (!start_detached(job)) {
    job_free(job);
    return;
  }
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  int64_t ns = until.tv_nsec + wait_us % 1000000 * 1000;
  until.tv_sec += (time_t)(wait_us / 1000000 + ns / 1000000000);
  until.tv_nsec = (long)(ns % 1000000000);
  pthread_mutex_lock(&job->mutex);
  int waited = 0;
  while (!job->done && waited == 0)
    waited = pthread_cond_timedwait(&job->finished, &job->mutex, &until);
  bool done = job->done;
  job->abandoned = !done;
  pthread_mutex_unlock(&job->mutex);
  if (done)
    job_free(job);
}
