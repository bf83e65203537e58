/* SPDX-License-Identifier: MIT */
/* The engine against a source made of stubs: these definitions take the place of src/source/source.c in this program, so that every
 * outcome of a read can be scripted. The real source has its own tests; both together are tested end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/clock.h"
#include "engine/engine.h"
#include "engine/state.h"
#include "facts/builder.h"
#include "lib/patience.h"
#include "source/follow.h"

/* --- the scripted source ---------------------------------------------------------------------------------------------- */

enum outcome { GIVE_FACTS, FAIL, HANG_UNTIL_STOPPED, HANG_FOR_EVER };
static struct {
  pthread_mutex_t mutex;
  enum outcome outcome;
  uint32_t accounts; /* in the facts it gives */
  enum crm_relation_state engagement;
  int reads, full_reads;
  uint32_t unseen; /* accounts that only full reads find */
  bool altered;    /* the next refresh asks for a full read */
} script = {.mutex = PTHREAD_MUTEX_INITIALIZER};

struct crm_source {
  struct crm_stop *stop;
  struct crm_relation_check check[CRM_RELATIONS];
};

static void script_set(enum outcome outcome, uint32_t accounts) {
  pthread_mutex_lock(&script.mutex);
  script.outcome = outcome;
  script.accounts = accounts;
  pthread_mutex_unlock(&script.mutex);
}

static int script_reads(void) {
  pthread_mutex_lock(&script.mutex);
  int reads = script.reads;
  pthread_mutex_unlock(&script.mutex);
  return reads;
}

enum crm_status crm_source_new(const struct crm_source_options *options, const struct crm_log *log, struct crm_stop *stop,
                               struct crm_source **source, struct crm_error *err) {
  *source = calloc(1, sizeof(**source));
  (*source)->stop = stop;
  return CRM_OK;
}
void crm_source_free(struct crm_source *source) {
  free(source);
}
const struct crm_relation_check *crm_source_relation(const struct crm_source *source, enum crm_relation relation) {
  return &source->check[relation];
}
int64_t crm_source_phase_us(const struct crm_source *source, enum crm_phase phase) {
  return 1000 * (int64_t)phase;
}
const char *crm_phase_name(enum crm_phase phase) {
  static const char *const names[] = {"connect", "check", "read", "build"};
  return names[phase];
}

uint64_t crm_source_rows(const struct crm_source *source) {
  return 3;
}
uint64_t crm_source_bytes(const struct crm_source *source) {
  return 40;
}
const char *crm_changes_name(enum crm_changes changes) {
  static const char *const names[] = {"auto", "poll", "counters", "none"};
  return names[changes];
}
const struct crm_following *crm_source_following(const struct crm_source *source, enum crm_relation relation) {
  static const struct crm_following following = {.mode = CRM_CHANGES_COUNTERS};
  return &following;
}
void crm_source_accept(struct crm_source *source, const struct crm_picture *picture) {}

static struct crm_row account_row(char id[16], uint32_t i) {
  struct crm_row row = {0};
  row.cells[0].set = true; /* account_id is the first column of the contract */
  row.cells[0].text = id;
  row.cells[0].len = (size_t)snprintf(id, 16, "a%u", i);
  return row;
}

static struct crm_picture *make_picture(uint32_t accounts) {
  struct crm_zone *zone = NULL;
  assert_int_equal(crm_zone_new("UTC", &zone, NULL), CRM_OK);
  struct crm_builder_options options = {.default_tenant = "acme", .default_currency = "USD", .zone = zone, .patchable = true};
  struct crm_builder *builder = NULL;
  struct crm_picture *picture = NULL;
  assert_int_equal(crm_builder_new(&options, &builder, NULL), CRM_OK);
  crm_builder_begin(builder, CRM_REL_ACCOUNT, crm_clock_realtime_us());
  for (uint32_t i = 0; i < accounts; i++) {
    char id[16];
    struct crm_row row = account_row(id, i);
    assert_int_equal(crm_builder_row(builder, CRM_REL_ACCOUNT, &row, NULL), CRM_OK);
  }
  assert_int_equal(crm_picture_new(builder, &picture, NULL), CRM_OK);
  crm_builder_free(builder);
  crm_zone_free(zone);
  return picture;
}

/* All accounts anew. */
static struct crm_patch *make_patch(struct crm_picture *picture, uint32_t accounts) {
  struct crm_patch *patch = NULL;
  assert_int_equal(crm_patch_new(picture, &patch, NULL), CRM_OK);
  assert_int_equal(crm_patch_replace_all(patch, CRM_REL_ACCOUNT, NULL), CRM_OK);
  for (uint32_t i = 0; i < accounts; i++) {
    char id[16];
    struct crm_row row = account_row(id, i);
    assert_int_equal(crm_patch_row(patch, CRM_REL_ACCOUNT, &row, NULL), CRM_OK);
  }
  assert_int_equal(crm_patch_prepare(patch, NULL), CRM_OK);
  return patch;
}

/* What the script says of a read; CRM_OK with the number of accounts. */
static enum crm_status play(struct crm_source *source, uint32_t *accounts, struct crm_error *err) {
  pthread_mutex_lock(&script.mutex);
  enum outcome outcome = script.outcome;
  *accounts = script.accounts;
  script.reads++;
  source->check[CRM_REL_ACCOUNT].state = CRM_RELATION_OK;
  source->check[CRM_REL_ENGAGEMENT].state = script.engagement;
  pthread_mutex_unlock(&script.mutex);
  crm_error_set(&source->check[CRM_REL_ENGAGEMENT].error, CRM_ERR_MAPPING, "no such table");
  switch (outcome) {
  case GIVE_FACTS:
    return CRM_OK;
  case FAIL:
    return crm_error_set(err, CRM_ERR_CONNECT, "the server is away");
  case HANG_UNTIL_STOPPED:
    while (!crm_stop_wait(source->stop, crm_clock_monotonic_us() + 10 * CRM_US_PER_SECOND)) {
    }
    return CRM_ERR_STOPPED;
  default:
    /* A call that cannot be interrupted, such as a name look-up; ends long after the engine has given up. */
    crm_stop_wait(source->stop, crm_clock_monotonic_us() + 10 * CRM_US_PER_SECOND);
    struct timespec ts = {.tv_nsec = 700000000};
    nanosleep(&ts, NULL);
    return CRM_ERR_STOPPED;
  }
}

enum crm_status crm_source_read_picture(struct crm_source *source, struct crm_picture *picture_before, struct crm_refresh *before,
                                        struct crm_picture **picture, struct crm_error *err) {
  uint32_t accounts;
  enum crm_status status = play(source, &accounts, err);
  if (status == CRM_OK) {
    if (picture_before != NULL)
      *before = (struct crm_refresh){.patch = make_patch(picture_before, accounts)};
    pthread_mutex_lock(&script.mutex);
    script.full_reads++;
    *picture = make_picture(accounts + script.unseen);
    pthread_mutex_unlock(&script.mutex);
  }
  return status;
}

enum crm_status crm_source_refresh(struct crm_source *source, struct crm_picture *picture, struct crm_refresh *refresh,
                                   struct crm_error *err) {
  *refresh = (struct crm_refresh){0};
  pthread_mutex_lock(&script.mutex);
  refresh->full_wanted = script.altered;
  script.altered = false;
  pthread_mutex_unlock(&script.mutex);
  snprintf(refresh->reason, sizeof(refresh->reason), "a table was altered");
  if (refresh->full_wanted)
    return CRM_OK;
  uint32_t accounts;
  enum crm_status status = play(source, &accounts, err);
  if (status == CRM_OK)
    refresh->patch = make_patch(picture, accounts);
  return status;
}

/* --- a host that remembers ------------------------------------------------------------------------------------------------ */

struct host {
  pthread_mutex_t mutex;
  int prepared, discarded;
  char log[20][512];
  int n_log;
};

struct prepared {
  crm_time at;
  int64_t accounts; /* sum of crm_accounts over everything */
};

static void *prepare(void *ctx, const struct crm_series_set *cells) {
  struct host *host = ctx;
  struct prepared *p = calloc(1, sizeof(*p));
  p->at = cells->at;
  for (size_t i = 0; i < cells->n; i++)
    if (cells->samples[i].family == CRM_FAM_ACCOUNTS)
      p->accounts += cells->samples[i].value.num;
  pthread_mutex_lock(&host->mutex);
  host->prepared++;
  pthread_mutex_unlock(&host->mutex);
  return p;
}

static void discard(void *ctx, void *prepared) {
  struct host *host = ctx;
  pthread_mutex_lock(&host->mutex);
  host->discarded++;
  pthread_mutex_unlock(&host->mutex);
  free(prepared);
}

static void write_log(void *ctx, enum crm_log_level level, const char *message) {
  struct host *host = ctx;
  pthread_mutex_lock(&host->mutex);
  if (host->n_log < 20)
    snprintf(host->log[host->n_log++], sizeof(host->log[0]), "%s", message);
  pthread_mutex_unlock(&host->mutex);
}

static int count_log(struct host *host, const char *part) {
  int n = 0;
  pthread_mutex_lock(&host->mutex);
  for (int i = 0; i < host->n_log; i++)
    n += strstr(host->log[i], part) != NULL;
  pthread_mutex_unlock(&host->mutex);
  return n;
}

/* A line may come a little after what a tick shows of the same event; it must come, and only once. */
static void assert_told_once(struct host *host, const char *part) {
  for (int i = 0; i < 1500 && count_log(host, part) == 0; i++) {
    struct timespec ts = {.tv_nsec = 20000000};
    nanosleep(&ts, NULL);
  }
  assert_int_equal(count_log(host, part), 1);
}

struct seen {
  bool business;
  struct prepared prepared;
  double up;
  double age; /* of relation account; NaN if absent */
  size_t own;
  size_t series; /* computed ones that were handed out */
};

static void see(void *ctx, const void *prepared, struct crm_shared_set *business, struct crm_series_set *own) {
  struct seen *seen = ctx;
  *seen = (struct seen){.business = prepared != NULL, .age = NAN, .up = NAN, .own = own->n};
  if (prepared != NULL)
    seen->prepared = *(const struct prepared *)prepared;
  assert_true((prepared != NULL) == (business != NULL));
  seen->series = business != NULL ? business->set.n : 0;
  for (size_t i = 0; i < own->n; i++) {
    if (own->samples[i].family == CRM_FAM_UP)
      seen->up = crm_number_value(&own->samples[i].value);
    if (own->samples[i].family == CRM_FAM_SOURCE_AGE_SECONDS && strcmp(crm_set_label_value(own, &own->samples[i], 1), "account") == 0)
      seen->age = crm_number_value(&own->samples[i].value);
  }
}

/* --- fixture -------------------------------------------------------------------------------------------------------------- */

struct fixture {
  struct host host;
  struct crm_zone *zone;
  struct crm_scorecard card;
  struct crm_instance_options options;
  struct crm_engine *engine;
};

static int set_up(void **state) {
  static const struct crm_engine_host callbacks = {.version = "5.12.0", .prepare = prepare, .discard = discard, .keep_series = true};
  struct fixture *f = calloc(1, sizeof(*f));
  pthread_mutex_init(&f->host.mutex, NULL);
  script.reads = 0;
  script.full_reads = 0;
  script.unseen = 0;
  script.altered = false;
  script.engagement = CRM_RELATION_OK;
  assert_int_equal(crm_zone_new("UTC", &f->zone, NULL), CRM_OK);
  f->options.name = "main";
  crm_params_defaults(&f->options.params);
  f->options.params.zone = f->zone;
  f->options.sync_interval_us = 50000; /* 50 ms */
  f->options.stale_after_us = 60 * CRM_US_PER_SECOND;
  struct crm_engine_host host = callbacks;
  host.ctx = &f->host;
  host.log = (struct crm_log){write_log, &f->host};
  assert_int_equal(crm_engine_new(&f->options, &host, &f->engine, NULL), CRM_OK);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  crm_zone_free(f->zone);
  free(f);
  return 0;
}

static void start(struct fixture *f) {
  assert_int_equal(crm_engine_start(f->engine, 10 * CRM_US_PER_SECOND, NULL), CRM_OK);
}

static void stop(struct fixture *f) {
  assert_true(crm_engine_stop(f->engine, crm_clock_monotonic_us() + (int64_t)patient(2e6)));
  assert_int_equal(f->host.prepared, f->host.discarded);
}

/* Ticks at `now` until `done`, for a time that is long for any of what is waited for. */
static bool tick_until(struct fixture *f, crm_time now, struct seen *seen, bool (*done)(const struct fixture *, const struct seen *)) {
  int64_t deadline = crm_clock_monotonic_us() + (int64_t)patient(30e6); /* a pause of the back-off takes up to 5 s */
  do {
    crm_engine_tick(f->engine, now, see, seen);
    if (done(f, seen))
      return true;
    struct timespec ts = {.tv_nsec = 5000000};
    nanosleep(&ts, NULL);
  } while (crm_clock_monotonic_us() < deadline);
  return false;
}

static bool has_business(const struct fixture *f, const struct seen *seen) {
  return seen->business;
}
static bool has_five(const struct fixture *f, const struct seen *seen) {
  return seen->business && seen->prepared.accounts == 5;
}
static bool is_down(const struct fixture *f, const struct seen *seen) {
  return seen->up == 0 && seen->business;
}
static bool is_up(const struct fixture *f, const struct seen *seen) {
  return seen->up == 1;
}

/* --- tests ---------------------------------------------------------------------------------------------------------------- */

static void test_before_the_first_read_only_own_series(void **state) {
  struct fixture *f = *state;
  struct seen seen;
  script_set(HANG_UNTIL_STOPPED, 0);
  start(f);
  crm_engine_tick(f->engine, crm_clock_realtime_us(), see, &seen);
  assert_false(seen.business);
  assert_true(seen.up == 0);
  assert_true(isnan(seen.age));
  stop(f);
}

static void test_series_are_computed_for_the_next_tick(void **state) {
  struct fixture *f = *state;
  struct seen seen;
  crm_time now = crm_clock_realtime_us();
  script_set(GIVE_FACTS, 3);
  start(f);
  assert_true(tick_until(f, now, &seen, has_business));
  assert_int_equal(seen.prepared.accounts, 3);
  assert_int_equal(seen.prepared.at, now + 10 * CRM_US_PER_SECOND); /* the interval is 10 s */
  assert_true(seen.up == 1);
  assert_true(seen.age >= 0 && seen.age < 5);
  script_set(GIVE_FACTS, 5); /* the CRM changes: the next sync brings it, without a new instant */
  assert_true(tick_until(f, now, &seen, has_five));
  stop(f);
}

static void test_failure_keeps_the_last_good_values_and_is_told_once(void **state) {
  struct fixture *f = *state;
  struct seen seen;
  script_set(GIVE_FACTS, 3);
  start(f);
  assert_true(tick_until(f, crm_clock_realtime_us(), &seen, has_business));
  script_set(FAIL, 0);
  assert_true(tick_until(f, crm_clock_realtime_us(), &seen, is_down));
  assert_int_equal(seen.prepared.accounts, 3);
  int reads = script_reads();
  while (script_reads() < reads + 2) { /* back-off: the second try comes after 1 s, the third within 3 more */
    struct timespec ts = {.tv_nsec = 20000000};
    nanosleep(&ts, NULL);
  }
  assert_told_once(&f->host, "the server is away");
  script_set(GIVE_FACTS, 3);
  assert_true(tick_until(f, crm_clock_realtime_us(), &seen, is_up));
  assert_told_once(&f->host, "is read again after");
  stop(f);
}

static void test_stale_values_stop(void **state) {
  struct fixture *f = *state;
  struct seen seen;
  script_set(GIVE_FACTS, 3);
  start(f);
  assert_true(tick_until(f, crm_clock_realtime_us(), &seen, has_business));
  /* StaleAfter is 60 s: a tick 61 s later has the collector's own series only, and the age keeps growing. */
  crm_engine_tick(f->engine, crm_clock_realtime_us() + 61 * CRM_US_PER_SECOND, see, &seen);
  assert_false(seen.business);
  assert_true(seen.age >= 60);
  crm_engine_tick(f->engine, crm_clock_realtime_us() + 50 * CRM_US_PER_SECOND, see, &seen);
  assert_true(seen.business);
  stop(f);
}

static void test_relation_left_out_is_told_once_and_when_back(void **state) {
  struct fixture *f = *state;
  script.engagement = CRM_RELATION_BROKEN;
  script_set(GIVE_FACTS, 1);
  start(f);
  while (script_reads() < 3) {
    struct timespec ts = {.tv_nsec = 5000000};
    nanosleep(&ts, NULL);
  }
  assert_told_once(&f->host, "relation engagement is left out");
  pthread_mutex_lock(&script.mutex);
  script.engagement = CRM_RELATION_OK;
  int reads = script.reads;
  pthread_mutex_unlock(&script.mutex);
  while (script_reads() < reads + 2) {
    struct timespec ts = {.tv_nsec = 5000000};
    nanosleep(&ts, NULL);
  }
  assert_told_once(&f->host, "relation engagement is read again");
  stop(f);
}

static int full_reads(void) {
  pthread_mutex_lock(&script.mutex);
  int reads = script.full_reads;
  pthread_mutex_unlock(&script.mutex);
  return reads;
}

static void wait_for_reads(int reads) {
  while (script_reads() < reads) {
    struct timespec ts = {.tv_nsec = 5000000};
    nanosleep(&ts, NULL);
  }
}

static void test_after_one_full_read_only_changes_are_read(void **state) {
  struct fixture *f = *state;
  struct seen seen;
  script_set(GIVE_FACTS, 3);
  start(f);
  assert_true(tick_until(f, crm_clock_realtime_us(), &seen, has_business));
  wait_for_reads(3);
  assert_int_equal(full_reads(), 1);
  script_set(GIVE_FACTS, 5); /* by a patch */
  assert_true(tick_until(f, crm_clock_realtime_us(), &seen, has_five));
  assert_int_equal(full_reads(), 1);
  pthread_mutex_lock(&script.mutex);
  script.altered = true;
  pthread_mutex_unlock(&script.mutex);
  while (full_reads() < 2) {
    struct timespec ts = {.tv_nsec = 5000000};
    nanosleep(&ts, NULL);
  }
  assert_true(tick_until(f, crm_clock_realtime_us(), &seen, has_five));
  assert_told_once(&f->host, "everything is read anew: a table was altered");
  stop(f);
}

static void test_full_sync_tells_drift(void **state) {
  struct fixture *f = *state;
  f->options.full_sync_us = 100000;
  script_set(GIVE_FACTS, 3);
  start(f);
  while (full_reads() < 3) {
    struct timespec ts = {.tv_nsec = 5000000};
    nanosleep(&ts, NULL);
  }
  assert_int_equal(count_log(&f->host, "rows that differ"), 0);
  pthread_mutex_lock(&script.mutex);
  script.unseen = 2;
  pthread_mutex_unlock(&script.mutex);
  struct seen seen;
  assert_true(tick_until(f, crm_clock_realtime_us(), &seen, has_five)); /* the full read is the truth */
  assert_true(count_log(&f->host, "the full read found 2 rows that differ from what was followed, most of relation account (2)") >= 1);
  stop(f);
}

/* Not all instances of all hosts at the same time: each full read comes some time in the last quarter of the period. */
static void test_full_sync_is_jittered(void **state) {
  struct fixture *f = *state;
  enum { PERIOD_US = 200000 };
  f->options.full_sync_us = PERIOD_US;
  f->options.sync_interval_us = 2000; /* full reads come at syncs */
  script_set(GIVE_FACTS, 3);
  start(f);
  bool early = false;
  int64_t before_us = 0;
  for (int reads = 1, tries = 0; !early && tries < 40; tries++, reads++) {
    while (full_reads() < reads) {
      struct timespec ts = {.tv_nsec = 1000000};
      nanosleep(&ts, NULL);
    }
    int64_t now_us = crm_clock_monotonic_us();
    early = before_us != 0 && now_us - before_us < PERIOD_US - PERIOD_US / 20;
    if (early) /* what is seen here a little late makes the next one seem early, but not by a tenth of the period */
      assert_true(now_us - before_us > PERIOD_US - PERIOD_US / 4 - PERIOD_US / 10);
    before_us = now_us;
  }
  assert_true(early); /* by chance not to be in one of 40: once in 10 to the 28 */
  stop(f);
}

static void test_stop_wakes_a_hanging_read(void **state) {
  struct fixture *f = *state;
  script_set(HANG_UNTIL_STOPPED, 0);
  start(f);
  while (script_reads() == 0) {
    struct timespec ts = {.tv_nsec = 1000000};
    nanosleep(&ts, NULL);
  }
  stop(f);
}

static void test_a_thread_that_cannot_be_woken_is_left_behind(void **state) {
  struct fixture *f = *state;
  script_set(HANG_FOR_EVER, 0);
  start(f);
  while (script_reads() == 0) {
    struct timespec ts = {.tv_nsec = 1000000};
    nanosleep(&ts, NULL);
  }
  int64_t started = crm_clock_monotonic_us();
  assert_false(crm_engine_stop(f->engine, started + 300000));
  assert_true(crm_clock_monotonic_us() - started < 5 * CRM_US_PER_SECOND); /* and not for the 10 s of the read */
  assert_told_once(&f->host, "is left behind");
  /* Let it run out, so that the checkers see no thread at exit. What it holds is lost by intent: the pointer tells them so. */
  static struct crm_engine *volatile left_behind;
  left_behind = f->engine;
  assert_non_null(left_behind);
  struct timespec ts = {.tv_sec = 1};
  nanosleep(&ts, NULL);
}

/* MaxSeries leaves accounts out: told once, however many ticks it lasts, and by a series. What a host keeps stays whole after the engine's
 * end. */
struct kept {
  struct crm_shared_set *set;
  double reached;
};
static void keep(void *ctx, const void *prepared, struct crm_shared_set *business, struct crm_series_set *own) {
  struct kept *kept = ctx;
  crm_shared_set_unref(kept->set);
  kept->set = business == NULL ? NULL : crm_shared_set_ref(business);
  const char *labels[] = {"main", "breakdown"};
  size_t n = own->n;
  assert_int_equal(crm_set_add(own, CRM_FAM_SERIES_LIMIT_REACHED, labels, 2, crm_number_int(0)), CRM_OK);
  assert_int_equal(crm_engine_recount(own), CRM_OK);
  kept->reached = NAN;
  for (size_t i = 0; i < own->n; i++) {
    if (own->samples[i].family == CRM_FAM_SERIES_LIMIT_REACHED && strcmp(crm_set_label_value(own, &own->samples[i], 1), "account") == 0)
      kept->reached = crm_number_value(&own->samples[i].value);
    if (own->samples[i].family == CRM_FAM_SERIES && strcmp(crm_set_label_value(own, &own->samples[i], 1), "instance") == 0)
      assert_true(crm_number_value(&own->samples[i].value) == (double)(n + 1));
  }
}
static void test_a_limit_is_told_once(void **state) {
  struct fixture *f = *state;
  struct kept kept = {.set = NULL};
  script_set(GIVE_FACTS, 5);
  f->options.params.per_account = CRM_PER_ACCOUNT_ALL;
  f->options.params.max_series = 1;
  start(f);
  int64_t deadline = crm_clock_monotonic_us() + (int64_t)patient(5e6);
  for (int i = 0; crm_clock_monotonic_us() < deadline && !(kept.set != NULL && kept.reached == 1 && i > 20); i++) {
    crm_engine_tick(f->engine, crm_clock_realtime_us(), keep, &kept);
    struct timespec ts = {.tv_nsec = 10000000};
    nanosleep(&ts, NULL);
  }
  assert_non_null(kept.set);
  assert_true(kept.reached == 1);
  assert_told_once(&f->host, "more than MaxSeries 1; ");
  size_t series = kept.set->set.n;
  stop(f);
  assert_true(series > 0 && kept.set->set.n == series);
  assert_string_equal(crm_set_label_name(&kept.set->set, CRM_FAM_ACCOUNTS, 0), "tenant");
  crm_shared_set_unref(kept.set);
}

static void test_own_series(void **state) {
  struct crm_params params;
  struct crm_series_set own;
  crm_params_defaults(&params);
  struct crm_engine_state engine_state = {.up = true,
                                          .synced_at = INT64_C(1700000000000000),
                                          .full_synced_at = INT64_C(1699999999000000),
                                          .compute_us = 1500,
                                          .store_bytes = 4096,
                                          .accounts_changed = 7};
  engine_state.available[CRM_REL_NPS] = true;
  engine_state.rows[CRM_REL_NPS] = 42;
  engine_state.read_at[CRM_REL_NPS] = INT64_C(1700000000000000);
  engine_state.rejected_total[CRM_REL_NPS][CRM_REJECT_OUT_OF_RANGE] = 2;
  engine_state.refused[CRM_REL_NPS][CRM_REJECT_OUT_OF_RANGE] = 1;
  engine_state.mode[CRM_REL_NPS] = CRM_CHANGES_POLL;
  engine_state.drift_known = true;
  engine_state.drift_total[CRM_REL_NPS] = 5;
  engine_state.rows_total = 1000;
  engine_state.bytes_total = 12345;
  assert_int_equal(crm_set_init(&own), CRM_OK);
  assert_int_equal(crm_engine_own_series(&engine_state, &params, "main", "5.12.0", INT64_C(1700000002500000), &own), CRM_OK);
  static const struct {
    const char *name;
    enum crm_family family;
    const char *label;
    double value;
  } cases[] = {
      {"up", CRM_FAM_UP, NULL, 1},
      {"rows of nps", CRM_FAM_RELATION_ROWS, "nps", 42},
      {"age of nps", CRM_FAM_SOURCE_AGE_SECONDS, "nps", 2.5},
      {"refused", CRM_FAM_ROWS_REJECTED_TOTAL, "nps", 2},
      {"refused now", CRM_FAM_RELATION_ROWS_REFUSED, "nps", 1},
      {"available", CRM_FAM_RELATION_AVAILABLE, "nps", 1},
      {"not available", CRM_FAM_RELATION_AVAILABLE, "goal", 0},
      {"bytes", CRM_FAM_STORE_BYTES, NULL, 4096},
      {"compute", CRM_FAM_COMPUTE_DURATION_SECONDS, NULL, 0.0015},
      {"last full read", CRM_FAM_FULL_SYNC_TIMESTAMP_SECONDS, NULL, 1699999999},
      {"changes", CRM_FAM_RELATION_CHANGES, "nps", 1},
      {"drift", CRM_FAM_DRIFT_ROWS_TOTAL, "nps", 5},
      {"rows received", CRM_FAM_SOURCE_ROWS_TOTAL, NULL, 1000},
      {"bytes received", CRM_FAM_SOURCE_BYTES_TOTAL, NULL, 12345},
      {"changed", CRM_FAM_ACCOUNTS_CHANGED, NULL, 7},
      {"itself", CRM_FAM_SERIES, "instance", 0 /* set below */},
  };
  for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
    double expected = cases[c].family == CRM_FAM_SERIES ? (double)own.n : cases[c].value;
    int found = 0;
    for (size_t i = 0; i < own.n; i++) {
      const struct crm_sample *s = &own.samples[i];
      if (s->family != cases[c].family || (cases[c].label != NULL && strcmp(crm_set_label_value(&own, s, 1), cases[c].label) != 0))
        continue;
      found++;
      assert_string_equal(crm_set_label_value(&own, s, 0), "main");
      if (fabs(crm_number_value(&s->value) - expected) > 1e-12)
        fail_msg("%s: %g, not %g", cases[c].name, crm_number_value(&s->value), expected);
    }
    if (found != 1)
      fail_msg("%s: %d series", cases[c].name, found);
  }
  /* A relation that was never read has neither rows nor an age: absent, not 0. */
  for (size_t i = 0; i < own.n; i++)
    if (own.samples[i].family == CRM_FAM_RELATION_ROWS)
      assert_string_equal(crm_set_label_value(&own, &own.samples[i], 1), "nps");
  crm_set_free(&own);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_own_series),
      cmocka_unit_test_setup_teardown(test_a_limit_is_told_once, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_before_the_first_read_only_own_series, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_series_are_computed_for_the_next_tick, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_failure_keeps_the_last_good_values_and_is_told_once, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_stale_values_stop, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_relation_left_out_is_told_once_and_when_back, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_after_one_full_read_only_changes_are_read, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_full_sync_tells_drift, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_full_sync_is_jittered, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_stop_wakes_a_hanging_read, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_a_thread_that_cannot_be_woken_is_left_behind, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
