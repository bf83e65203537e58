/* SPDX-License-Identifier: MIT */
#ifndef CRM_COLLECTD_NOTIFY_H
#define CRM_COLLECTD_NOTIFY_H

#include "export/notices.h"

/* Hands the notice to the daemon's notifications; a crm_notice_deliver, without a context. Those who listen are called before it returns. */
void crm_notify_daemon(void *ctx, const struct crm_notice *notice);

#endif
