/* SPDX-License-Identifier: MIT */
/* What a frame says that somebody should hear of, for sites without Prometheus: the module hands it to collectd's notifications. A notice
 * is given when a condition begins and once more when it has ended, not at every tick. */
#ifndef CRM_EXPORT_NOTICES_H
#define CRM_EXPORT_NOTICES_H

#include "export/frame.h"

/* Groups of conditions, as bits. */
enum crm_notice_group {
  CRM_NOTIFY_COLLECTOR = 1u << 0, /* the CRM is not read, a relation is missing, series are left out, revenue does not add up,
                                      churn without a date, samples that wait or are given up */
  CRM_NOTIFY_CUSTOMERS = 1u << 1, /* the customer base of a tenant */
  CRM_NOTIFY_ACCOUNTS = 1u << 2,  /* single accounts; needs their series, see PerAccount */
};

struct crm_notice_options {
  unsigned groups;           /* of enum crm_notice_group; 0: none */
  double health_fall;        /* points: mean change of the health score in 7 days at or below minus this; default 5 */
  double arr_at_risk;        /* share of the revenue at high or critical risk above this; default 0.25 */
  double newly_at_risk;      /* accounts in 7 days, at or above; default 3 */
  double escalations;        /* share of the accounts above this; default 0.1 */
  double net_retention;      /* of one year, below; default 1 */
  double gross_retention;    /* of one year, below; default 0.9 */
  double account_fall;       /* points per 30 days: slope of an account's health score at or below minus this; default 10 */
  double account_critical;   /* health score below; default 40 */
  double account_risk;       /* churn risk above; default 70 */
  double account_risk_leave; /* and again at or below; default 60 */
};
/* The defaults above, with groups 0. */
void crm_notice_options_defaults(struct crm_notice_options *options);

enum crm_notice_severity { CRM_NOTICE_OKAY, CRM_NOTICE_WARNING, CRM_NOTICE_FAILURE };
struct crm_notice {
  enum crm_notice_severity severity; /* OKAY: the condition has ended */
  crm_time at;
  const char *tenant;
  const char *rule;    /* "health_fall" */
  const char *message; /* one line with the figures */
};
typedef void crm_notice_deliver(void *ctx, const struct crm_notice *notice);

/* Remembers which conditions hold. For the frames of one instance; not thread-safe. */
struct crm_notices;
/* The options must outlive it. NULL when out of memory. */
struct crm_notices *crm_notices_new(const struct crm_notice_options *options);
void crm_notices_free(struct crm_notices *notices);
/* Delivers what has begun and what has ended with this frame, in the order of the rules. What a frame does not tell about (a stale one, a
 * family that is absent) stays as it was. What holds of single accounts in the first frame is not delivered: it is no news. */
void crm_notices_judge(struct crm_notices *notices, const struct crm_frame *frame, crm_notice_deliver *deliver, void *ctx);

#endif
