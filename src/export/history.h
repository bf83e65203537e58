/* SPDX-License-Identifier: MIT */
/* Series with the instant at which they hold, for loading the past into a database: OpenMetrics, VictoriaMetrics' JSON lines, Graphite's
 * plain text. No I/O. `labels` are put on every series; a series' own label of that name wins. */
#ifndef CRM_EXPORT_HISTORY_H
#define CRM_EXPORT_HISTORY_H

#include "base/strbuf.h"
#include "export/export_options.h"
#include "series/set.h"

/* Appends "# TYPE", "# UNIT" where OpenMetrics allows it, and "# HELP" of the family. */
void crm_history_openmetrics_family(enum crm_family family, struct crm_strbuf *out);
/* Appends the sample with its timestamp (set->at, in seconds), after the lines of its family. The caller ends the whole with "# EOF\n". */
void crm_history_openmetrics_sample(const struct crm_series_set *set, const struct crm_sample *sample, const struct crm_name_value *labels,
                                    size_t n_labels, struct crm_strbuf *out);
/* Appends a line for /api/v1/import: the series with its one value. */
void crm_history_json_line(const struct crm_series_set *set, const struct crm_sample *sample, const struct crm_name_value *labels,
                           size_t n_labels, struct crm_strbuf *out);

/* Appends the lines of the whole set, as the daemon's write_graphite names them: totals, and at most `max_breakdowns` values of breakdowns.
 * In `path` "%T" stands for the tenant and "%N" for the name, both as on collectd's own path. Sets *n to the number of lines. CRM_ERR_MEMORY, CRM_ERR_DATA. */
enum crm_status crm_history_graphite(const struct crm_series_set *set, size_t max_breakdowns, const char *path, struct crm_strbuf *out,
                                     size_t *n) CRM_MUSTCHECK;
/* CRM_ERR_CONFIG if the path lacks %T or %N, has another %, or a character that carbon takes amiss. */
enum crm_status crm_history_graphite_path(const char *path, struct crm_error *err) CRM_MUSTCHECK;

#endif
