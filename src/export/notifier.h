/* SPDX-License-Identifier: MIT */
/* Judges the frames of all instances (notices.h) in a thread of its own, because those who are notified may take their time: collectd calls a
 * plugin that sends mail in the thread of whoever dispatches the notification. */
#ifndef CRM_EXPORT_NOTIFIER_H
#define CRM_EXPORT_NOTIFIER_H

#include "base/log.h"
#include "export/notices.h"

struct crm_notifier;

struct crm_notifier_instance {
  const char *name;
  const struct crm_notice_options *options;
};
/* The instances, n of them, and their options must outlive the notifier. `deliver` is called in the notifier's thread, with `ctx`. */
enum crm_status crm_notifier_new(const struct crm_notifier_instance *instances, size_t n, crm_notice_deliver *deliver, void *ctx,
                                 struct crm_notifier **notifier, struct crm_error *err) CRM_MUSTCHECK;
enum crm_status crm_notifier_start(struct crm_notifier *notifier, struct crm_error *err) CRM_MUSTCHECK;
/* Takes a reference. Of an instance only the latest frame waits: one that comes while the one before is still waiting takes its place. Never blocks. */
void crm_notifier_offer(struct crm_notifier *notifier, struct crm_frame *frame);
void crm_notifier_request_stop(struct crm_notifier *notifier);
/* Waits until the monotonic deadline at most; then abandons the thread with all that it uses and returns false. NULL is allowed. */
bool crm_notifier_stop(struct crm_notifier *notifier, int64_t deadline_monotonic_us);

#endif
