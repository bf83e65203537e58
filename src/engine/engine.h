/* SPDX-License-Identifier: MIT */
/* One instance at work: a thread that follows the CRM (SyncInterval) and computes the series for each tick ahead of it, so that whoever
 * emits them only hands out what lies ready. Knows neither collectd nor a wire format. */
#ifndef CRM_ENGINE_ENGINE_H
#define CRM_ENGINE_ENGINE_H

#include "base/log.h"
#include "options/options.h"
#include "series/set.h"

struct crm_engine;

/* The options must outlive the engine. Opens nothing yet. */
enum crm_status crm_engine_new(const struct crm_instance_options *options, const struct crm_log *log, const char *host_version, struct crm_engine **engine,
                               struct crm_error *err) CRM_MUSTCHECK;
/* Starts the thread; `interval_us` is the emission interval. */
enum crm_status crm_engine_start(struct crm_engine *engine, int64_t interval_us, struct crm_error *err) CRM_MUSTCHECK;

/* The series for the tick at `now`: business series (none while there are no facts, or after StaleAfter) and the collector's own. Calls `emit` once with a set whose
 * samples are ordered; it may not keep the pointers. Never waits for the database or for a computation. */
typedef void crm_engine_emit(void *ctx, const struct crm_series_set *cells, const struct crm_series_set *own);
void crm_engine_tick(struct crm_engine *engine, crm_time now, crm_engine_emit *emit, void *ctx);

/* Stops the thread and frees the engine: waits at most `timeout_us`, then abandons the thread with all that it uses (a name look-up in the
 * C library cannot be interrupted) and returns false. NULL is allowed. */
bool crm_engine_stop(struct crm_engine *engine, int64_t timeout_us);

#endif
