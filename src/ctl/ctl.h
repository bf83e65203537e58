/* SPDX-License-Identifier: MIT */
/* What the commands of crmctl share: the command line, the chosen configuration, and one read of a CRM. */
#ifndef CRM_CTL_CTL_H
#define CRM_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "export/export_options.h"
#include "options/options.h"
#include "series/set.h"
#include "source/source.h"

/* Exit statuses, as crmctl(1) tells them. */
enum crm_ctl_exit { CRM_CTL_OK = 0, CRM_CTL_LEFT_OUT = 1, CRM_CTL_CANNOT = 2, CRM_CTL_INTERRUPTED = 130 };

/* An option given on the command line, as a node of the configuration. */
#define CRM_CTL_OVERRIDES 64
#define CRM_CTL_LABELS 16 /* --label */

struct crm_ctl {
  const char *config;      /* --config, or NULL */
  const char *instance;    /* --instance, or NULL */
  const char *mapping_dir; /* where shipped mappings live */
  bool quick_start;        /* --conninfo without --config: no configuration is read */
  bool json;           /* --json */
  const char *format;  /* --format, or NULL; one of the command's own words */
  const char *at;       /* --at, or NULL for now */
  const char *tenant;   /* --tenant, or NULL */
  const char *currency; /* --currency, or NULL */
  const char *from, *to, *step, *output, *path, *url, *sink; /* of backfill, or NULL */
  bool restart;
  struct crm_name_value labels[CRM_CTL_LABELS];
  size_t n_labels;

  struct crm_arena arena; /* what overrides point to, and the configuration's tree */
  struct crm_conf_node overrides[CRM_CTL_OVERRIDES];
  size_t n_overrides;

  struct crm_options options;
  struct crm_stop *stop;
  struct crm_log log; /* warnings to stderr */
  bool progress;      /* stderr is a terminal */
};

/* Adds an option of the instance as given on the command line. */
enum crm_status crm_ctl_override(struct crm_ctl *ctl, const char *option, const char *text, struct crm_error *err) CRM_MUSTCHECK;
/* The same, written as in the configuration: NAME VALUE... */
enum crm_status crm_ctl_override_line(struct crm_ctl *ctl, const char *line, struct crm_error *err) CRM_MUSTCHECK;

/* Reads the configuration into ctl->options, with the overrides. */
enum crm_status crm_ctl_load(struct crm_ctl *ctl, struct crm_error *err) CRM_MUSTCHECK;
/* The one instance to work with. CRM_ERR_CONFIG if there are several and none is chosen. */
enum crm_status crm_ctl_choose(struct crm_ctl *ctl, struct crm_instance_options **instance, struct crm_error *err) CRM_MUSTCHECK;

/* Reads the CRM, with as much history before the instant `earliest` as the instance wants before now. The caller unrefs the facts.
 * *left_out is true if a relation is broken; a line on stderr says which and why. */
enum crm_status crm_ctl_read(struct crm_ctl *ctl, struct crm_instance_options *instance, crm_time earliest, struct crm_facts **facts,
                             bool *left_out, struct crm_error *err) CRM_MUSTCHECK;
/* Reads the CRM of the one instance and computes its series as of ctl->at into `set`, which the caller has made and frees.
 * *left_out: as above. */
enum crm_status crm_ctl_evaluate(struct crm_ctl *ctl, struct crm_series_set *set, bool *left_out, struct crm_error *err) CRM_MUSTCHECK;

/* Prints the message to stderr and gives the exit status that goes with it. */
int crm_ctl_fail(const struct crm_ctl *ctl, const struct crm_error *err);
/* A line about what takes its time, on a terminal only; NULL takes it away again. */
void crm_ctl_progress(const struct crm_ctl *ctl, const char *what);
/* Writes to standard output; `status`, or CRM_CTL_CANNOT if that fails. */
int crm_ctl_print(const struct crm_ctl *ctl, const struct crm_strbuf *text, int status);

/* The commands; each returns the exit status. */
int crm_ctl_backfill(struct crm_ctl *ctl);
int crm_ctl_check(struct crm_ctl *ctl);
int crm_ctl_once(struct crm_ctl *ctl);
int crm_ctl_summary(struct crm_ctl *ctl);

/* Help texts. */
extern const char crm_ctl_help[], crm_ctl_backfill_help[], crm_ctl_check_help[], crm_ctl_once_help[], crm_ctl_summary_help[];

#endif
