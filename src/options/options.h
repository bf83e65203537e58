/* SPDX-License-Identifier: MIT */
/* The options of the plugin. One table (option_table.def) drives the parser, the defaults, the manual's list and the sample file. */
#ifndef CRM_OPTIONS_OPTIONS_H
#define CRM_OPTIONS_OPTIONS_H

#include <stddef.h>

#include "analytics/params.h"
#include "base/arena.h"
#include "export/export_options.h"
#include "export/notices.h"
#include "options/conf.h"
#include "source/source.h"

struct crm_instance_options {
  const char *name;
  const char *file; /* where the block stands */
  int line;
  struct crm_source_options source;
  struct crm_params params;
  int64_t sync_interval_us; /* default 60 s */
  int64_t full_sync_us;     /* everything is read anew this often, even where nothing seems to have changed; 0: never; default 24 h */
  int64_t stale_after_us;   /* default 3 sync intervals, at least 15 min */
  size_t max_breakdowns;    /* values of breakdowns that the daemon is given at most; default 2000 */
  struct crm_notice_options notify; /* thresholds of single accounts are those of the scores */
};

struct crm_options {
  struct crm_arena arena; /* holds everything below */
  struct crm_instance_options *instances;
  size_t n_instances;
  struct crm_export_options exports;
};

void crm_options_init(struct crm_options *options);
void crm_options_free(struct crm_options *options); /* zones included */

/* Reads the children of one <Plugin crm> block; may be called once per block, they add up. Strict: the first unknown or wrong option is
 * CRM_ERR_CONFIG with "FILE:LINE: Option: what is wrong; what is allowed". `mapping_dir` is where shipped mappings live. */
enum crm_status crm_options_parse(struct crm_options *options, const struct crm_conf_node *plugin, const char *mapping_dir,
                                  struct crm_error *err) CRM_MUSTCHECK;
/* After the last block: names unique, at least one instance, cross-checks. */
enum crm_status crm_options_finish(struct crm_options *options, struct crm_error *err) CRM_MUSTCHECK;

#endif
