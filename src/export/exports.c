/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/exports.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "export/listen.h"
#include "export/pages.h"
#include "export/sink.h"
#include "export/textfile.h"

/* How long text files wait after a tick for those of the other instances, and the longest pause between two looks at everything. */
static const int64_t settle_us = CRM_US_PER_SECOND / 5, look_us = CRM_US_PER_SECOND;

struct textfile {
  const struct crm_textfile_options *options;
  struct crm_complaint fault;
};

struct crm_exports {
  const struct crm_export_options *options;
  const struct crm_log *log;
  struct crm_pages *pages;
  struct crm_listen **listens;
  struct textfile *textfiles;
  struct crm_sink **sinks; /* each with a thread of its own */

  pthread_t thread; /* tends all of them */
  bool started;
  pthread_mutex_t mutex;
  pthread_cond_t wake;  /* for the thread */
  pthread_cond_t ended; /* for the one who stops it */
  bool published, stopping, running;
};

/* --- the thread ------------------------------------------------------------------------------------------------------------------------
 */

static void write_textfile(struct crm_exports *exports, struct textfile *textfile, int64_t now_us) {
  struct crm_error err = {0};
  struct crm_page *page;
  enum crm_status status =
      crm_pages_get(exports->pages, (struct crm_page_kind){CRM_EXPOSITION_TEXT, textfile->options->per_account, false}, &page);
  if (status == CRM_ERR_STOPPED)
    return;
  if (status == CRM_OK) {
    status = crm_textfile_write(textfile->options->path, page->data, page->len, &err);
    crm_page_unref(page);
  } else {
    crm_error_set(&err, status, "%.400s cannot be written: out of memory", textfile->options->path);
  }
  if (status == CRM_OK)
    crm_complaint_clear(&textfile->fault, exports->log, "text file %s: it is written again", textfile->options->path);
  else
    crm_complain(&textfile->fault, now_us, exports->log, CRM_LOG_ERROR, "text file: %s", err.message);
}

/* Waits until something was published, the instant has come or the end. True: it is the end. */
static bool wait_until(struct crm_exports *exports, int64_t until_us) {
  struct timespec until = {.tv_sec = until_us / CRM_US_PER_SECOND, .tv_nsec = (until_us % CRM_US_PER_SECOND) * 1000};
  int rc = 0;
  pthread_mutex_lock(&exports->mutex);
  while (!exports->stopping && !exports->published && rc == 0)
    rc = pthread_cond_timedwait(&exports->wake, &exports->mutex, &until);
  exports->published = false;
  bool stopping = exports->stopping;
  pthread_mutex_unlock(&exports->mutex);
  return stopping;
}

static void *tend(void *arg) {
  struct crm_exports *exports = arg;
  int64_t write_us = INT64_MAX; /* when the text files are due */
  bool end = false;
  while (!end) {
    int64_t now_us = crm_clock_monotonic_us();
    if (crm_pages_tend(exports->pages, now_us) && write_us == INT64_MAX)
      write_us = now_us + settle_us;
    for (size_t i = 0; i < exports->options->n_listens; i++)
      crm_listen_tend(exports->listens[i], now_us);
    if (now_us >= write_us) {
      for (size_t i = 0; i < exports->options->n_textfiles; i++)
        write_textfile(exports, &exports->textfiles[i], now_us);
      write_us = INT64_MAX;
    }
    end = wait_until(exports, now_us + look_us < write_us ? now_us + look_us : write_us);
  }
  for (size_t i = 0; i < exports->options->n_listens; i++) {
    crm_listen_free(exports->listens[i]);
    exports->listens[i] = NULL;
  }
  for (size_t i = 0; i < exports->options->n_textfiles; i++)
    crm_textfile_remove(exports->textfiles[i].options->path);
  pthread_mutex_lock(&exports->mutex);
  exports->running = false;
  pthread_cond_signal(&exports->ended);
  pthread_mutex_unlock(&exports->mutex);
  return NULL;
}

/* --- life
 * ---------------------------------------------------------------------------------------------------------------------------------- */

static void exports_free(struct crm_exports *exports) {
  for (size_t i = 0; exports->listens != NULL && i < exports->options->n_listens; i++)
    crm_listen_free(exports->listens[i]);
  free(exports->listens);
  free(exports->textfiles);
  free(exports->sinks);
  crm_pages_free(exports->pages);
  pthread_cond_destroy(&exports->wake);
  pthread_cond_destroy(&exports->ended);
  pthread_mutex_destroy(&exports->mutex);
  free(exports);
}

/* Without sinks as yet. */
static struct crm_exports *exports_new(const struct crm_export_options *options, const char *const *instances, size_t n,
                                       const struct crm_log *log) {
  struct crm_exports *exports = calloc(1, sizeof(*exports));
  if (exports == NULL)
    return NULL;
  exports->options = options;
  exports->log = log;
  pthread_mutex_init(&exports->mutex, NULL);
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&exports->wake, &attr);
  pthread_cond_init(&exports->ended, &attr);
  pthread_condattr_destroy(&attr);
  exports->pages = crm_pages_new(instances, n, log);
  exports->listens = calloc(options->n_listens + 1, sizeof(struct crm_listen *));
  exports->textfiles = calloc(options->n_textfiles + 1, sizeof(*exports->textfiles));
  exports->sinks = calloc(options->n_sinks + 1, sizeof(struct crm_sink *));
  bool ok = exports->pages != NULL && exports->listens != NULL && exports->textfiles != NULL && exports->sinks != NULL;
  for (size_t i = 0; ok && i < options->n_listens; i++)
    ok = (exports->listens[i] = crm_listen_new(&options->listens[i], exports->pages, log)) != NULL;
  for (size_t i = 0; ok && i < options->n_textfiles; i++)
    exports->textfiles[i].options = &options->textfiles[i];
  if (ok)
    return exports;
  exports_free(exports);
  return NULL;
}

/* One receiver that cannot be served must not take the others with it. */
static void lose_sink(struct crm_exports *exports, size_t i, const struct crm_error *err) {
  crm_log(exports->log, CRM_LOG_ERROR, "receiver %s: %s; nothing is sent to it until the daemon is started anew",
          exports->options->sinks[i].name, err->message);
  exports->sinks[i] = NULL;
}

enum crm_status crm_exports_new(const struct crm_export_options *options, const char *const *instances, size_t n, const struct crm_log *log,
                                struct crm_exports **exports, struct crm_error *err) {
  *exports = NULL;
  if (options->n_listens + options->n_textfiles + options->n_sinks == 0)
    return CRM_OK;
  *exports = exports_new(options, instances, n, log);
  if (*exports == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  for (size_t i = 0; i < options->n_sinks; i++) {
    struct crm_error why = {0};
    if (crm_sink_new(&options->sinks[i], log, &(*exports)->sinks[i], &why) != CRM_OK)
      lose_sink(*exports, i, &why);
  }
  return CRM_OK;
}

enum crm_status crm_exports_start(struct crm_exports *exports, struct crm_error *err) {
  if (exports == NULL)
    return CRM_OK;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the host's business */
  exports->running = true;
  exports->started = pthread_create(&exports->thread, NULL, tend, exports) == 0;
  exports->running = exports->started;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!exports->started)
    return crm_error_set(err, CRM_ERR_MEMORY, "cannot start a thread");
  pthread_setname_np(exports->thread, "crm-export");
  for (size_t i = 0; i < exports->options->n_sinks; i++) {
    struct crm_error why = {0};
    if (exports->sinks[i] == NULL || crm_sink_start(exports->sinks[i], &why) == CRM_OK)
      continue;
    (void)crm_sink_stop(exports->sinks[i], crm_clock_monotonic_us());
    lose_sink(exports, i, &why);
  }
  return CRM_OK;
}

enum crm_status crm_exports_own_series(struct crm_exports *exports, const char *instance, struct crm_series_set *own) {
  enum crm_status status = CRM_OK;
  for (size_t i = 0; exports != NULL && status == CRM_OK && i < exports->options->n_sinks; i++)
    status = exports->sinks[i] == NULL ? CRM_OK : crm_sink_own_series(exports->sinks[i], instance, own);
  return status;
}

void crm_exports_publish(struct crm_exports *exports, struct crm_frame *frame) {
  if (exports == NULL)
    return;
  for (size_t i = 0; i < exports->options->n_sinks; i++)
    if (exports->sinks[i] != NULL)
      crm_sink_offer(exports->sinks[i], frame);
  crm_pages_publish(exports->pages, frame, crm_clock_monotonic_us());
  pthread_mutex_lock(&exports->mutex);
  exports->published = true;
  pthread_cond_signal(&exports->wake);
  pthread_mutex_unlock(&exports->mutex);
}

void crm_exports_request_stop(struct crm_exports *exports) {
  if (exports == NULL)
    return;
  for (size_t i = 0; i < exports->options->n_sinks; i++)
    if (exports->sinks[i] != NULL)
      crm_sink_request_stop(exports->sinks[i]);
  crm_pages_stop(exports->pages);
  pthread_mutex_lock(&exports->mutex);
  exports->stopping = true;
  pthread_cond_signal(&exports->wake);
  pthread_mutex_unlock(&exports->mutex);
}

bool crm_exports_stop(struct crm_exports *exports, int64_t deadline_us) {
  if (exports == NULL)
    return true;
  crm_exports_request_stop(exports);
  bool all = true;
  for (size_t i = 0; i < exports->options->n_sinks; i++)
    all = crm_sink_stop(exports->sinks[i], deadline_us) && all;
  struct timespec until = {.tv_sec = deadline_us / CRM_US_PER_SECOND, .tv_nsec = (deadline_us % CRM_US_PER_SECOND) * 1000};
  int rc = 0;
  pthread_mutex_lock(&exports->mutex);
  while (exports->running && rc == 0)
    rc = pthread_cond_timedwait(&exports->ended, &exports->mutex, &until);
  bool ended = !exports->running;
  pthread_mutex_unlock(&exports->mutex);
  if (!ended) {
    crm_log(exports->log, CRM_LOG_WARNING, "the scrape endpoints did not end in time and are left behind");
    if (exports->started)
      pthread_detach(exports->thread);
    return false;
  }
  if (exports->started)
    pthread_join(exports->thread, NULL);
  exports_free(exports);
  return all; /* a sink that is left behind needs the options, and nothing of ours */
}
