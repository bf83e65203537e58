/* SPDX-License-Identifier: MIT */
#ifndef CRM_EXPORT_TEXT_H
#define CRM_EXPORT_TEXT_H

#include "base/strbuf.h"
#include "series/set.h"

/* Appends the set in the Prometheus text format 0.0.4 (HELP, TYPE, samples; no timestamps), families in catalogue order.
 * Numbers: integers and money exactly in decimals, everything else the shortest form that reads back the same. */
void crm_export_text(const struct crm_series_set *set, struct crm_strbuf *out);
/* One JSON object: {"at": "...", "series": [{"name": ..., "labels": {...}, "value": ...}, ...]}. */
void crm_export_json(const struct crm_series_set *set, struct crm_strbuf *out);
/* The number as in the text format; at most 32 bytes with NUL. */
void crm_format_number(const struct crm_number *number, char buf[32]);

#endif
