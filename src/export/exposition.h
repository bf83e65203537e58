/* SPDX-License-Identifier: MIT */
/* Series to the bytes of a scrape: Prometheus text 0.0.4, OpenMetrics 1.0, and length-delimited io.prometheus.client.MetricFamily messages.
 * No I/O. No format carries timestamps: a scrape tells what is the case now. */
#ifndef CRM_EXPORT_EXPOSITION_H
#define CRM_EXPORT_EXPOSITION_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "series/set.h"

enum crm_exposition_format { CRM_EXPOSITION_TEXT, CRM_EXPOSITION_OPENMETRICS, CRM_EXPOSITION_PROTOBUF };
#define CRM_EXPOSITION_FORMATS 3

struct crm_exposition_options {
  enum crm_exposition_format format;
  bool per_account;          /* series of single accounts too */
  const _Atomic(bool) *stop; /* given up when true; may be NULL */
};

struct crm_exposition_count {
  size_t n_series;
  size_t n_left_out; /* because an earlier set has series of the same tenant */
};

/* Appends the sets, n of them and each ordered, as one: families in catalogue order, each in one piece. Of a tenant of whom several sets tell, only the
 * first one's series are taken, since the same series twice would make a reader refuse all of them; the collector's own series are not
 * concerned. `count` may be NULL. CRM_OK; CRM_ERR_MEMORY, also when `out` has failed; CRM_ERR_STOPPED: `out` holds a part. */
enum crm_status crm_exposition(const struct crm_series_set *const *sets, size_t n, const struct crm_exposition_options *options,
                               struct crm_exposition_count *count, struct crm_strbuf *out) CRM_MUSTCHECK;

/* Content-Type of the format. */
const char *crm_exposition_content_type(enum crm_exposition_format format);
/* The format that a reader likes best, by the text of its Accept header (NULL: none was sent): text 0.0.4 where nothing fits. Any bytes may come in. */
enum crm_exposition_format crm_exposition_negotiate(const char *accept);
/* True if the text of an Accept-Encoding header (NULL: none was sent) takes gzip. */
bool crm_accepts_gzip(const char *accept_encoding);

#endif
