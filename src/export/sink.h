/* SPDX-License-Identifier: MIT */
/* One receiver to which series are pushed: its own thread, a bounded queue, one request in flight, and a spool on disk if so configured.
 * Never holds up whoever offers a frame. */
#ifndef CRM_EXPORT_SINK_H
#define CRM_EXPORT_SINK_H

#include "base/log.h"
#include "export/export_options.h"
#include "export/frame.h"

struct crm_sink;

/* The options must outlive the sink. Opens nothing yet; CRM_ERR_CONFIG when a file that the options name cannot be used. */
enum crm_status crm_sink_new(const struct crm_sink_options *options, const struct crm_log *log, struct crm_sink **sink,
                             struct crm_error *err) CRM_MUSTCHECK;
/* Starts the thread, with all signals blocked in it. After the daemon's fork. */
enum crm_status crm_sink_start(struct crm_sink *sink, struct crm_error *err) CRM_MUSTCHECK;
/* Takes a reference if the frame is due for this sink; never waits for anything but a short lock. Frames of one instance come in the order of their instants. */
void crm_sink_offer(struct crm_sink *sink, struct crm_frame *frame);
/* Adds the sink's series about itself (crm_remote_write_...) that concern the instance to `own`, which the caller orders again. */
enum crm_status crm_sink_own_series(struct crm_sink *sink, const char *instance, struct crm_series_set *own) CRM_MUSTCHECK;
/* Asks the thread to end and returns at once. */
void crm_sink_request_stop(struct crm_sink *sink);
/* Tries once to send what is queued, spools what is left, and frees the sink. Waits until the monotonic deadline at most; then abandons the
 * thread with all that it uses and returns false. NULL is allowed. */
bool crm_sink_stop(struct crm_sink *sink, int64_t deadline_monotonic_us);

#endif
