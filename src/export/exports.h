/* SPDX-License-Identifier: MIT */
/* All ways out of one process together: scrape endpoints, text files, receivers. Fed with a frame per instance and tick. */
#ifndef CRM_EXPORT_EXPORTS_H
#define CRM_EXPORT_EXPORTS_H

#include "base/log.h"
#include "export/export_options.h"
#include "export/frame.h"

struct crm_exports;

/* `instances`: names of the instances, n of them. All must outlive the exports. Opens nothing yet. With nothing configured *exports is NULL, which all
 * functions take. */
enum crm_status crm_exports_new(const struct crm_export_options *options, const char *const *instances, size_t n, const struct crm_log *log,
                                struct crm_exports **exports, struct crm_error *err) CRM_MUSTCHECK;
/* Opens sockets and starts threads, with all signals blocked in them. A port that is taken is told in the log and tried again: the other ways out work on. */
enum crm_status crm_exports_start(struct crm_exports *exports, struct crm_error *err) CRM_MUSTCHECK;
/* Adds the exporters' series about themselves to `own` before the frame is made; the caller orders it again. */
enum crm_status crm_exports_own_series(struct crm_exports *exports, const char *instance, struct crm_series_set *own) CRM_MUSTCHECK;
/* Hands a frame to every way out, which take references; never blocks. */
void crm_exports_publish(struct crm_exports *exports, struct crm_frame *frame);
void crm_exports_request_stop(struct crm_exports *exports);
/* As crm_sink_stop, for all; text files are removed. */
bool crm_exports_stop(struct crm_exports *exports, int64_t deadline_monotonic_us);

#endif
