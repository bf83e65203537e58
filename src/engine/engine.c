/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "engine/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/evaluate.h"
#include "base/clock.h"
#include "base/random.h"
#include "engine/state.h"
#include "facts/compare.h"
#include "source/follow.h"

/* A failed sync is tried again after 1 s, then after randomly growing pauses: many hosts must not come back in step after a failover.
 * "Decorrelated jitter": pause = min(cap, uniform(first, 3 * previous)); M. Brooker, "Exponential Backoff And Jitter", AWS
 * Architecture Blog, 2015. */
#define BACKOFF_FIRST_US (1 * CRM_US_PER_SECOND)
#define BACKOFF_CAP_MIN_US (5 * CRM_US_PER_SECOND)
#define BACKOFF_CAP_MAX_US (60 * CRM_US_PER_SECOND)

/* A finished computation. Shared by the computing thread, which replaces it, and a tick, which emits it. */
struct result {
  int refs; /* under engine->mutex */
  void *prepared;
  struct crm_shared_set *series; /* NULL if the host does not want them */
};

struct crm_engine {
  const struct crm_instance_options *options;
  struct crm_engine_host host;
  struct crm_log log;        /* goes to host.log until the engine is abandoned, with the instance's name */
  struct crm_log source_log; /* the same for the source, which names the instance itself */
  struct crm_stop *stop;
  struct crm_source *source; /* used by the sync thread only */
  int64_t interval_us;

  pthread_t sync_thread, compute_thread;
  bool sync_started, compute_started;
  int running; /* threads that have not ended; under the mutex */

  struct crm_picture *picture; /* used by the sync thread only, but for its facts */
  pthread_rwlock_t facts_lock; /* write-locked while the facts change, read-locked while they are computed with */

  pthread_mutex_t mutex;
  pthread_cond_t wake;  /* for the computing thread */
  pthread_cond_t ended; /* for the one who stops the engine */
  bool stopping, abandoned;
  struct crm_facts *facts;
  uint64_t facts_generation;
  crm_time wanted_at; /* instant of the next tick; CRM_TIME_NONE before the first */
  struct result *result;
  struct crm_engine_state state;
  int64_t synced_monotonic_us; /* the same instant as state.synced_at */

  struct crm_series_set own; /* used by the tick only */
  struct crm_set_pool *pool;
  bool told_accounts, told_cells; /* used by the computing thread only */
};

const char *crm_version(void) {
  return CRM_VERSION;
}

static bool is_abandoned(struct crm_engine *engine) {
  pthread_mutex_lock(&engine->mutex);
  bool abandoned = engine->abandoned; /* then the host may be gone */
  pthread_mutex_unlock(&engine->mutex);
  return abandoned;
}

static void log_named(void *ctx, enum crm_log_level level, const char *message) {
  struct crm_engine *engine = ctx;
  if (!is_abandoned(engine))
    crm_log(&engine->host.log, level, "instance %s: %s", engine->options->name, message);
}

static void log_as_is(void *ctx, enum crm_log_level level, const char *message) {
  struct crm_engine *engine = ctx;
  if (!is_abandoned(engine))
    crm_log(&engine->host.log, level, "%s", message);
}

static void result_unref_locked(struct crm_engine *engine, struct result *result) {
  if (result == NULL || --result->refs > 0)
    return;
  if (result->prepared != NULL)
    engine->host.discard(engine->host.ctx, result->prepared);
  crm_shared_set_unref(result->series);
  free(result);
}

static void engine_free(struct crm_engine *engine) {
  result_unref_locked(engine, engine->result); /* nobody else is left */
  crm_facts_unref(engine->facts);
  crm_picture_free(engine->picture);
  crm_source_free(engine->source);
  crm_stop_free(engine->stop);
  crm_set_free(&engine->own);
  crm_set_pool_free(engine->pool);
  pthread_cond_destroy(&engine->wake);
  pthread_cond_destroy(&engine->ended);
  pthread_mutex_destroy(&engine->mutex);
  pthread_rwlock_destroy(&engine->facts_lock);
  free(engine);
}

enum crm_status crm_engine_new(const struct crm_instance_options *options, const struct crm_engine_host *host, struct crm_engine **out,
                               struct crm_error *err) {
  struct crm_engine *engine = calloc(1, sizeof(*engine));
  if (engine == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  engine->options = options;
  engine->host = *host;
  engine->log = (struct crm_log){log_named, engine};
  engine->source_log = (struct crm_log){log_as_is, engine};
  engine->wanted_at = CRM_TIME_NONE;
  engine->state.shard = options->source.shard;
  engine->state.synced_at = CRM_TIME_NONE;
  engine->state.compute_us = CRM_TIME_NONE;
  for (int r = 0; r < CRM_RELATIONS; r++)
    engine->state.read_at[r] = CRM_TIME_NONE;
  pthread_mutex_init(&engine->mutex, NULL);
  pthread_rwlock_init(&engine->facts_lock, NULL);
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&engine->wake, &attr);
  pthread_cond_init(&engine->ended, &attr);
  pthread_condattr_destroy(&attr);

  enum crm_status status = crm_set_init(&engine->own);
  if (status == CRM_OK && (engine->pool = crm_set_pool_new()) == NULL)
    status = CRM_ERR_MEMORY;
  if (status == CRM_OK)
    status = crm_stop_new(&engine->stop);
  if (status != CRM_OK)
    crm_error_set(err, status, "out of memory or file descriptors");
  if (status == CRM_OK)
    status = crm_source_new(&options->source, &engine->source_log, engine->stop, &engine->source, err);
  if (status != CRM_OK) {
    engine_free(engine);
    return status;
  }
  *out = engine;
  return CRM_OK;
}

/* --- following the CRM ----------------------------------------------------------------------------------------- */

static int64_t next_backoff(const struct crm_engine *engine, int64_t previous_us) {
  int64_t cap = engine->options->sync_interval_us;
  if (cap < BACKOFF_CAP_MIN_US)
    cap = BACKOFF_CAP_MIN_US;
  if (cap > BACKOFF_CAP_MAX_US)
    cap = BACKOFF_CAP_MAX_US;
  if (previous_us == 0)
    return BACKOFF_FIRST_US;
  int64_t pause = crm_random_between(BACKOFF_FIRST_US, 3 * previous_us);
  return pause < cap ? pause : cap;
}

/* What the sync thread remembers between syncs. */
struct follow {
  struct crm_complaint down;
  int64_t down_since_us;
  uint64_t failures;
  bool told_first_read;
  int64_t full_due_us; /* monotonic; 0 before the first full read */
  char told_why[160];  /* why everything is read anew, as told since the last good read; an attempt that fails must not say it again */
  enum crm_relation_state relation[CRM_RELATIONS];
};

/* One line when a relation is left out, one when it is back. */
static void tell_relations(struct crm_engine *engine, struct follow *follow) {
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_relation_check *check = crm_source_relation(engine->source, (enum crm_relation)r);
    enum crm_relation_state before = follow->relation[r];
    if (check->state == before || check->state == CRM_RELATION_UNKNOWN)
      continue;
    follow->relation[r] = check->state;
    if (check->state == CRM_RELATION_BROKEN && r != CRM_REL_ACCOUNT)
      crm_log(&engine->log, CRM_LOG_WARNING, "relation %s is left out, and so are its metrics: %s",
              crm_relation_info((enum crm_relation)r)->name, check->error.message);
    else if (before == CRM_RELATION_BROKEN && check->state == CRM_RELATION_OK && r != CRM_REL_ACCOUNT)
      crm_log(&engine->log, CRM_LOG_NOTICE, "relation %s is read again", crm_relation_info((enum crm_relation)r)->name);
  }
}

/* Counts what a read received, and tells the computing thread of the picture as it is now. `applied`: what a patch changed; NULL after a
 * full read. */
static void publish(struct crm_engine *engine, const struct crm_patch_applied *applied) {
  struct crm_engine_state *state = &engine->state;
  struct crm_facts *facts = crm_picture_facts(engine->picture);
  pthread_mutex_lock(&engine->mutex);
  struct crm_facts *old = NULL;
  if (engine->facts != facts) {
    old = engine->facts;
    engine->facts = crm_facts_ref(facts);
  }
  if (applied == NULL || applied->accounts > 0)
    engine->facts_generation++;
  state->up = true;
  state->synced_at = crm_clock_realtime_us();
  if (applied == NULL)
    state->full_synced_at = state->synced_at;
  engine->synced_monotonic_us = crm_clock_monotonic_us();
  for (int p = 0; p < CRM_PHASES; p++)
    state->phase_us[p] = crm_source_phase_us(engine->source, (enum crm_phase)p);
  state->store_bytes = crm_picture_bytes(engine->picture);
  state->accounts_changed = applied != NULL ? applied->accounts : facts->rows[CRM_REL_ACCOUNT];
  state->rows_total += crm_source_rows(engine->source);
  state->bytes_total += crm_source_bytes(engine->source);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    state->relation_mapped[r] = crm_source_relation(engine->source, (enum crm_relation)r)->state != CRM_RELATION_NOT_MAPPED;
    state->mode[r] = crm_source_following(engine->source, (enum crm_relation)r)->mode;
    state->available[r] = facts->available[r];
    state->rows[r] = facts->rows[r];
    state->read_at[r] = facts->read_at[r];
    memcpy(state->refused[r], facts->rejected[r], sizeof(state->refused[r]));
    for (int why = 0; why < CRM_REJECTS; why++)
      state->rejected_total[r][why] += applied != NULL ? applied->rejected[r][why] : facts->rejected[r][why];
  }
  pthread_cond_signal(&engine->wake);
  pthread_mutex_unlock(&engine->mutex);
  crm_facts_unref(old);
}

static void tell_success(struct crm_engine *engine, struct follow *follow, const struct crm_facts *facts, int64_t took_us) {
  if (follow->down.active) {
    crm_complaint_clear(&follow->down, &engine->log, "the CRM is read again after %" PRIu64 " failed attempts in %.0f s", follow->failures,
                        (double)(crm_clock_monotonic_us() - follow->down_since_us) / 1e6);
  }
  follow->failures = 0;
  follow->told_why[0] = '\0';
  if (!follow->told_first_read) {
    uint64_t rows = 0;
    int relations = 0;
    for (int r = 0; r < CRM_RELATIONS; r++) {
      rows += facts->rows[r];
      relations += facts->available[r];
    }
    crm_log(&engine->log, CRM_LOG_INFO, "first read: %" PRIu64 " accounts, %" PRIu64 " rows of %d relations in %.2f s",
            facts->rows[CRM_REL_ACCOUNT], rows, relations, (double)took_us / 1e6);
    follow->told_first_read = true;
  }
}

static void tell_failure(struct crm_engine *engine, struct follow *follow, const struct crm_error *err) {
  int64_t now = crm_clock_monotonic_us();
  if (!follow->down.active)
    follow->down_since_us = now;
  follow->failures++;
  pthread_mutex_lock(&engine->mutex);
  engine->state.up = false;
  pthread_mutex_unlock(&engine->mutex);
  crm_complain(&follow->down, now, &engine->log, CRM_LOG_ERROR,
               "the CRM cannot be read: %s; trying again with growing pauses, the last good values are kept for %.0f s", err->message,
               (double)engine->options->stale_after_us / 1e6);
}

/* The last thing that a thread does with the engine. */
static void *end_thread(struct crm_engine *engine) {
  pthread_mutex_lock(&engine->mutex);
  engine->running--;
  pthread_cond_signal(&engine->ended);
  pthread_mutex_unlock(&engine->mutex);
  return NULL;
}

/* Applies what a refresh found. */
static enum crm_status apply(struct crm_engine *engine, struct crm_refresh *refresh, struct crm_patch_applied *applied,
                             struct crm_error *err) {
  pthread_rwlock_wrlock(&engine->facts_lock);
  enum crm_status status = crm_patch_apply(refresh->patch, applied, err);
  pthread_rwlock_unlock(&engine->facts_lock);
  crm_patch_free(refresh->patch);
  refresh->patch = NULL;
  return status;
}

/* Compares a full read with what was followed up to the same snapshot. What is missing here came without a sign. */
static void measure_drift(struct crm_engine *engine, const struct crm_picture *full) {
  uint64_t differ[CRM_RELATIONS], sum = 0;
  struct crm_error err = {0};
  if (crm_facts_compare(crm_picture_facts(engine->picture), crm_picture_facts(full), differ, &err) != CRM_OK) {
    crm_log(&engine->log, CRM_LOG_WARNING, "the full read cannot be compared with what was followed: %s", err.message);
    return;
  }
  const char *worst = "";
  uint64_t most = 0;
  pthread_mutex_lock(&engine->mutex);
  engine->state.drift_known = true;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    engine->state.drift_total[r] += differ[r];
    sum += differ[r];
    if (differ[r] > most) {
      most = differ[r];
      worst = crm_relation_info((enum crm_relation)r)->name;
    }
  }
  pthread_mutex_unlock(&engine->mutex);
  if (sum > 0)
    crm_log(&engine->log, CRM_LOG_WARNING,
            "the full read found %" PRIu64 " rows that differ from what was followed, most of relation %s (%" PRIu64
            "): changes were missed; crmctl check says how they are looked for",
            sum, worst, most);
}

static enum crm_status sync_full(struct crm_engine *engine, bool compare, struct crm_error *err) {
  struct crm_refresh before = {0};
  struct crm_picture *picture = NULL;
  enum crm_status status = crm_source_read_picture(engine->source, compare ? engine->picture : NULL, &before, &picture, err);
  if (status != CRM_OK)
    return status;
  if (before.patch != NULL) {
    struct crm_patch_applied applied;
    struct crm_error reason = {0};
    if (apply(engine, &before, &applied, &reason) == CRM_OK)
      measure_drift(engine, picture);
    else
      crm_log(&engine->log, CRM_LOG_WARNING, "the full read cannot be compared with what was followed: %s", reason.message);
  }
  crm_picture_free(engine->picture); /* its facts live on while they are computed with */
  engine->picture = picture;
  publish(engine, NULL);
  return CRM_OK;
}

static enum crm_status sync_changes(struct crm_engine *engine, struct follow *follow, bool *full_wanted, struct crm_error *err) {
  struct crm_refresh refresh;
  enum crm_status status = crm_source_refresh(engine->source, engine->picture, &refresh, err);
  if (status != CRM_OK)
    return status;
  *full_wanted = refresh.full_wanted;
  if (refresh.full_wanted) {
    if (!refresh.routine && strcmp(refresh.reason, follow->told_why) != 0)
      crm_log(&engine->log, CRM_LOG_INFO, "everything is read anew: %s", refresh.reason);
    snprintf(follow->told_why, sizeof(follow->told_why), "%s", refresh.reason);
    return CRM_OK;
  }
  struct crm_patch_applied applied;
  status = apply(engine, &refresh, &applied, err);
  /* The picture and the changes do not fit together, or not into memory beside each other; a full read is right whatever the reason. */
  if (status == CRM_ERR_DATA || status == CRM_ERR_LIMIT) {
    crm_log(&engine->log, CRM_LOG_WARNING, "everything is read anew: %s", err->message);
    crm_error_clear(err);
    *full_wanted = true;
    return CRM_OK;
  }
  if (status != CRM_OK)
    return status;
  crm_source_accept(engine->source, engine->picture);
  publish(engine, &applied);
  return CRM_OK;
}

/* One sync: what changed, or everything if it is time for it or nothing less will do. */
static enum crm_status sync_once(struct crm_engine *engine, struct follow *follow, struct crm_error *err) {
  int64_t period_us = engine->options->full_sync_us;
  bool due = period_us > 0 && follow->full_due_us != 0 && crm_clock_monotonic_us() >= follow->full_due_us;
  bool full_wanted = engine->picture == NULL || due;
  enum crm_status status = full_wanted ? CRM_OK : sync_changes(engine, follow, &full_wanted, err);
  if (status != CRM_OK || !full_wanted)
    return status;
  status = sync_full(engine, due && engine->picture != NULL, err);
  /* Not all instances of all hosts at the same time. */
  if (status == CRM_OK)
    follow->full_due_us = crm_clock_monotonic_us() + crm_random_between(period_us - period_us / 4, period_us);
  return status;
}

static void *sync_main(void *arg) {
  struct crm_engine *engine = arg;
  struct follow follow = {0};
  int64_t pause_us = 0;
  int64_t due_us = crm_clock_monotonic_us();
  while (!crm_stop_wait(engine->stop, due_us)) {
    int64_t started_us = crm_clock_monotonic_us();
    struct crm_error err = {0};
    enum crm_status status = sync_once(engine, &follow, &err);
    if (status == CRM_ERR_STOPPED)
      break;
    tell_relations(engine, &follow);
    if (status == CRM_OK) {
      tell_success(engine, &follow, crm_picture_facts(engine->picture), crm_clock_monotonic_us() - started_us);
      pause_us = 0;
      due_us = started_us + engine->options->sync_interval_us;
    } else {
      tell_failure(engine, &follow, &err);
      pause_us = next_backoff(engine, pause_us);
      due_us = crm_clock_monotonic_us() + pause_us;
    }
  }
  return end_thread(engine);
}

/* --- computing ----------------------------------------------------------------------------------------------------- */

static void count_series(struct crm_engine_state *state, const struct crm_params *params, const struct crm_series_set *set) {
  memset(state->series, 0, sizeof(state->series));
  for (size_t i = 0; i < set->n; i++) {
    enum crm_scope scope = crm_family_info((enum crm_family)set->samples[i].family)->scope;
    if (scope <= CRM_SCOPE_ACCOUNT)
      state->series[scope]++;
  }
  state->account_limit_reached = set->accounts_left_out > 0;
  for (size_t d = 0; d < params->n_group_by; d++)
    state->dimension_dropped[params->group_by[d]] = d >= set->n_dimensions;
}

/* A limit that leaves series out is told once, when it begins, and by a series for as long as it lasts. */
static void tell_limits(struct crm_engine *engine, const struct crm_series_set *set) {
  const struct crm_params *params = &engine->options->params;
  bool accounts = set->accounts_left_out > 0, cells = set->n_dimensions < params->n_group_by && set->n > 0;
  if (accounts && !engine->told_accounts)
    crm_log(&engine->log, CRM_LOG_NOTICE,
            "series of single accounts would be more than MaxSeries %zu; %" PRIu64 " accounts, those with the least revenue, are left out",
            params->max_series, set->accounts_left_out);
  if (cells && !engine->told_cells)
    crm_log(&engine->log, CRM_LOG_NOTICE, "there would be more than MaxCells %zu cells; GroupBy is cut to its first %zu dimensions",
            params->max_cells, set->n_dimensions);
  engine->told_accounts = accounts;
  engine->told_cells = cells;
}

static struct result *compute(struct crm_engine *engine, const struct crm_facts *facts, crm_time at, struct crm_arena *arena,
                              struct crm_shared_set *series, struct crm_error *err) {
  pthread_rwlock_rdlock(&engine->facts_lock);
  enum crm_status status = crm_evaluate(facts, &engine->options->params, at, arena, &series->set, err);
  pthread_rwlock_unlock(&engine->facts_lock);
  if (status != CRM_OK)
    return NULL;
  struct result *result = calloc(1, sizeof(*result));
  if (result == NULL) {
    crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
    return NULL;
  }
  tell_limits(engine, &series->set);
  result->refs = 1;
  result->prepared = engine->host.prepare(engine->host.ctx, &series->set);
  if (engine->host.keep_series)
    result->series = crm_shared_set_ref(series);
  return result;
}

static void compute_once(struct crm_engine *engine, const struct crm_facts *facts, crm_time at, struct crm_arena *arena,
                         struct crm_complaint *trouble) {
  int64_t started_us = crm_clock_monotonic_us();
  struct crm_error err = {.message = "out of memory"};
  struct crm_shared_set *series = crm_set_pool_take(engine->pool);
  struct result *result = series == NULL ? NULL : compute(engine, facts, at, arena, series, &err);
  if (result == NULL)
    crm_complain(trouble, crm_clock_monotonic_us(), &engine->log, CRM_LOG_ERROR, "the series cannot be computed: %s", err.message);
  else
    crm_complaint_clear(trouble, &engine->log, "the series are computed again");

  pthread_mutex_lock(&engine->mutex);
  /* Without a new result the old one goes too: values of another instant must not look like those of this one. */
  struct result *old = engine->result;
  engine->result = result;
  if (result != NULL)
    count_series(&engine->state, &engine->options->params, &series->set);
  engine->state.compute_us = crm_clock_monotonic_us() - started_us;
  result_unref_locked(engine, old);
  pthread_mutex_unlock(&engine->mutex);
  crm_shared_set_unref(series);
}

static void *compute_main(void *arg) {
  struct crm_engine *engine = arg;
  struct crm_arena arena;
  struct crm_complaint trouble = {0};
  uint64_t done_generation = 0;
  crm_time done_at = CRM_TIME_NONE;
  crm_arena_init(&arena, engine->options->source.max_memory);
  pthread_mutex_lock(&engine->mutex);
  for (;;) {
    while (!engine->stopping && (engine->facts == NULL || engine->wanted_at == CRM_TIME_NONE ||
                                 (engine->facts_generation == done_generation && engine->wanted_at == done_at)))
      pthread_cond_wait(&engine->wake, &engine->mutex);
    if (engine->stopping)
      break;
    struct crm_facts *facts = crm_facts_ref(engine->facts);
    done_generation = engine->facts_generation;
    done_at = engine->wanted_at;
    pthread_mutex_unlock(&engine->mutex);
    compute_once(engine, facts, done_at, &arena, &trouble);
    crm_facts_unref(facts);
    pthread_mutex_lock(&engine->mutex);
  }
  pthread_mutex_unlock(&engine->mutex);
  crm_arena_free(&arena);
  return end_thread(engine);
}

/* --- the host's side ------------------------------------------------------------------------------------------------ */

static bool start_thread(pthread_t *thread, void *(*run)(void *), struct crm_engine *engine, const char *name) {
  sigset_t all;
  sigset_t before;
  pthread_mutex_lock(&engine->mutex);
  engine->running++;
  pthread_mutex_unlock(&engine->mutex);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the host's business */
  int rc = pthread_create(thread, NULL, run, engine);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (rc != 0) {
    (void)end_thread(engine);
    return false;
  }
  pthread_setname_np(*thread, name);
  return true;
}

enum crm_status crm_engine_start(struct crm_engine *engine, int64_t interval_us, struct crm_error *err) {
  engine->interval_us = interval_us;
  engine->compute_started = start_thread(&engine->compute_thread, compute_main, engine, "crm-compute");
  engine->sync_started = engine->compute_started && start_thread(&engine->sync_thread, sync_main, engine, "crm-sync");
  if (!engine->sync_started)
    return crm_error_set(err, CRM_ERR_MEMORY, "instance %s: cannot start a thread", engine->options->name);
  return CRM_OK;
}

void crm_engine_tick(struct crm_engine *engine, crm_time now, crm_engine_emit *emit, void *ctx) {
  pthread_mutex_lock(&engine->mutex);
  engine->wanted_at = now + engine->interval_us;
  pthread_cond_signal(&engine->wake);
  struct result *result = engine->result;
  /* Also by the clock that never goes back: one that was set back must not make old values look fresh. */
  bool stale = engine->state.synced_at == CRM_TIME_NONE || now - engine->state.synced_at > engine->options->stale_after_us ||
               crm_clock_monotonic_us() - engine->synced_monotonic_us > engine->options->stale_after_us;
  if (stale)
    result = NULL;
  if (result != NULL)
    result->refs++;
  struct crm_engine_state state = engine->state;
  pthread_mutex_unlock(&engine->mutex);

  if (crm_engine_own_series(&state, &engine->options->params, engine->options->name, engine->host.version, now, &engine->own) == CRM_OK)
    emit(ctx, result == NULL ? NULL : result->prepared, result == NULL ? NULL : result->series, &engine->own);

  pthread_mutex_lock(&engine->mutex);
  result_unref_locked(engine, result);
  pthread_mutex_unlock(&engine->mutex);
}

void crm_engine_request_stop(struct crm_engine *engine) {
  crm_stop_request(engine->stop);
  pthread_mutex_lock(&engine->mutex);
  engine->stopping = true;
  pthread_cond_signal(&engine->wake);
  pthread_mutex_unlock(&engine->mutex);
}

/* True if all threads have ended before the deadline. */
static bool await_end(struct crm_engine *engine, int64_t deadline_us) {
  struct timespec until = {.tv_sec = deadline_us / CRM_US_PER_SECOND, .tv_nsec = (deadline_us % CRM_US_PER_SECOND) * 1000};
  int rc = 0;
  pthread_mutex_lock(&engine->mutex);
  while (engine->running > 0 && rc == 0)
    rc = pthread_cond_timedwait(&engine->ended, &engine->mutex, &until);
  bool ended = engine->running == 0;
  pthread_mutex_unlock(&engine->mutex);
  return ended;
}

bool crm_engine_stop(struct crm_engine *engine, int64_t deadline_us) {
  if (engine == NULL)
    return true;
  crm_engine_request_stop(engine);
  if (!await_end(engine, deadline_us)) {
    crm_log(&engine->log, CRM_LOG_WARNING, "a thread did not end in time and is left behind");
    pthread_mutex_lock(&engine->mutex);
    engine->abandoned = true;
    pthread_mutex_unlock(&engine->mutex);
    if (engine->compute_started)
      pthread_detach(engine->compute_thread);
    if (engine->sync_started)
      pthread_detach(engine->sync_thread);
    return false;
  }
  if (engine->compute_started)
    pthread_join(engine->compute_thread, NULL);
  if (engine->sync_started)
    pthread_join(engine->sync_thread, NULL);
  engine_free(engine);
  return true;
}
