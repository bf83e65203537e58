/* SPDX-License-Identifier: MIT */
#include "collectd/collectd_api.h"

#include "collectd/notify.h"

#include <string.h>

#include "series/flat_name.h"

void crm_notify_daemon(void *ctx, const struct crm_notice *notice) {
  static const int severity[] = {
      [CRM_NOTICE_OKAY] = NOTIF_OKAY, [CRM_NOTICE_WARNING] = NOTIF_WARNING, [CRM_NOTICE_FAILURE] = NOTIF_FAILURE};
  notification_t n = {.severity = severity[notice->severity], .time = US_TO_CDTIME_T((uint64_t)notice->at)};
  /* The tenant as in the names of the values, so that a rule for one finds the other. */
  (void)crm_flat_value(notice->tenant, n.plugin_instance, sizeof(n.plugin_instance));
  sstrncpy(n.message, notice->message, sizeof(n.message));
  sstrncpy(n.host, hostname_g, sizeof(n.host));
  sstrncpy(n.plugin, "crm", sizeof(n.plugin));
  sstrncpy(n.type, "gauge", sizeof(n.type));
  sstrncpy(n.type_instance, notice->rule, sizeof(n.type_instance));
  plugin_dispatch_notification(&n);
}
