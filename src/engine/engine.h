/* SPDX-License-Identifier: MIT */
/* One instance at work, in two threads of its own: one follows the CRM (SyncInterval), one computes the series for each tick ahead of
 * it. Whoever emits them only hands out what lies ready, so a slow database or a large computation never holds a thread of the host's.
 * Knows neither collectd nor a wire format. */
#ifndef CRM_ENGINE_ENGINE_H
#define CRM_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "options/options.h"
#include "series/shared_set.h"

struct crm_engine;

/* What the host does with the series. */
struct crm_engine_host {
  void *ctx;
  const char *version; /* the host's version, for crm_build_info; e.g. "5.12.0" */
  struct crm_log log;
  /* Called in the computing thread with each finished set (ordered; only valid during the call): makes what `emit` will need, so that
   * a tick costs nothing. May return NULL. */
  void *(*prepare)(void *ctx, const struct crm_series_set *cells);
  /* Called when a prepared object is no longer needed, from any thread. */
  void (*discard)(void *ctx, void *prepared);
  bool keep_series; /* `emit` is given the computed series themselves, too */
};

/* Both `options` and the strings of `host` must outlive the engine. Opens nothing yet. */
enum crm_status crm_engine_new(const struct crm_instance_options *options, const struct crm_engine_host *host, struct crm_engine **engine,
                               struct crm_error *err) CRM_MUSTCHECK;

/* Starts the threads, with all signals blocked in them. `interval_us` is the emission interval. */
enum crm_status crm_engine_start(struct crm_engine *engine, int64_t interval_us, struct crm_error *err) CRM_MUSTCHECK;

/* The tick at `now`: calls `emit` once with the prepared business series, those series themselves if the host keeps them (both NULL while
 * there are no facts, and after StaleAfter) and the collector's own; the pointers are valid during the call, and a reference to `business`
 * may be kept. The host may add series about itself to `own`, followed by crm_engine_recount, and may move its content elsewhere.
 * Asks for the next tick's series. Never waits for the database or for a computation. One caller at a time. */
typedef void crm_engine_emit(void *ctx, const void *prepared, struct crm_shared_set *business, struct crm_series_set *own);
void crm_engine_tick(struct crm_engine *engine, crm_time now, crm_engine_emit *emit, void *ctx);

/* After something was added to the collector's own series: their number is right again, and so is their order. */
enum crm_status crm_engine_recount(struct crm_series_set *own) CRM_MUSTCHECK;

/* Asks both threads to end and returns at once, so that several engines can end together. */
void crm_engine_request_stop(struct crm_engine *engine);
/* Stops and frees the engine. Waits until the monotonic deadline at most; then abandons the threads with all that they use (a name
 * look-up inside the C library cannot be interrupted) and returns false. NULL is allowed. */
bool crm_engine_stop(struct crm_engine *engine, int64_t deadline_monotonic_us);

/* Version of this software. */
const char *crm_version(void);

#endif
