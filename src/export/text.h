/* SPDX-License-Identifier: MIT */
#ifndef CRM_EXPORT_TEXT_H
#define CRM_EXPORT_TEXT_H

#include "base/strbuf.h"
#include "export/export_options.h"
#include "export/number.h"
#include "series/set.h"

/* Appends the set in the Prometheus text format 0.0.4 (HELP, TYPE, samples; no timestamps), families in catalogue order.
 * Numbers: integers and money exactly in decimals, everything else the shortest form that reads back the same. */
void crm_export_text(const struct crm_series_set *set, struct crm_strbuf *out);
/* One JSON object: {"at": "...", "series": [{"name": ..., "labels": {...}, "value": ...}, ...]}. */
void crm_export_json(const struct crm_series_set *set, struct crm_strbuf *out);
/* Pieces of the formats above. NAME{label="value",...}; `labels`, n of them, come besides the series' own, which win over one of the same name. */
void crm_export_series(const struct crm_series_set *set, const struct crm_sample *sample, const struct crm_name_value *labels, size_t n,
                       struct crm_strbuf *out);
/* {"__name__": ..., ...} */
void crm_export_json_series(const struct crm_series_set *set, const struct crm_sample *sample, const struct crm_name_value *labels, size_t n,
                            struct crm_strbuf *out);
/* Text with backslashes and newlines escaped, and quotes if asked for. */
void crm_export_escape(struct crm_strbuf *out, const char *text, bool quotes);
/* True if all names of the sample are names in the text format; others are left out. */
bool crm_export_valid(const struct crm_series_set *set, const struct crm_sample *sample);

#endif
