/* SPDX-License-Identifier: MIT */
/* One scrape endpoint: http(s)://address:port/metrics. */
#ifndef CRM_EXPORT_LISTEN_H
#define CRM_EXPORT_LISTEN_H

#include "base/log.h"
#include "export/export_options.h"
#include "export/pages.h"

struct crm_listen;

/* Opens nothing yet. All must outlive the endpoint. NULL when out of memory. */
struct crm_listen *crm_listen_new(const struct crm_listen_options *options, struct crm_pages *pages, const struct crm_log *log);
/* Opens the endpoint if it is not open, at most every few seconds where that fails, which is told once; takes over a changed certificate; and
 * closes connections that are too slow: a request that is not complete within Timeout, an answer that is not taken within four times that,
 * and, while there are MaxConnections, whoever has asked for nothing for a second. To be called about once a second, by one thread, whose blocked signals the
 * endpoint's threads take over. */
void crm_listen_tend(struct crm_listen *listen, int64_t now_us);
/* Closes the port and all connections, and frees. NULL is allowed. */
void crm_listen_free(struct crm_listen *listen);

#endif
