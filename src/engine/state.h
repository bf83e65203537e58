/* SPDX-License-Identifier: MIT */
/* What the engine knows about its own work; the source of the collector's own series. Internal to engine. */
#ifndef CRM_ENGINE_STATE_H
#define CRM_ENGINE_STATE_H

#include "analytics/params.h"
#include "facts/facts.h"
#include "series/set.h"
#include "source/source.h"

struct crm_engine_state {
  struct crm_shard shard;               /* of 0: not cut */
  bool up;                              /* the last sync succeeded */
  crm_time synced_at;                   /* end of the last successful sync, realtime; CRM_TIME_NONE before the first */
  crm_time full_synced_at;              /* of the last full read */
  enum crm_changes mode[CRM_RELATIONS]; /* how changes are found; CRM_CHANGES_AUTO: not known */
  bool drift_known;                     /* a full read was compared with what had been followed */
  uint64_t drift_total[CRM_RELATIONS];  /* rows in which they differed */
  uint64_t rows_total, bytes_total;     /* received from the CRM since the start of the process */
  int64_t phase_us[CRM_PHASES];
  int64_t compute_us; /* CRM_TIME_NONE before the first */
  size_t store_bytes;
  uint64_t accounts_changed; /* accounts read anew by the last successful sync */
  bool relation_mapped[CRM_RELATIONS];
  bool available[CRM_RELATIONS];
  uint64_t rows[CRM_RELATIONS];
  crm_time read_at[CRM_RELATIONS];
  uint64_t refused[CRM_RELATIONS][CRM_REJECTS];        /* of the picture at hand */
  uint64_t rejected_total[CRM_RELATIONS][CRM_REJECTS]; /* since the start of the process */
  /* Of the last computation. */
  uint64_t series[3]; /* by enum crm_scope: cell, tenant, account */
  bool account_limit_reached;
  bool dimension_dropped[CRM_DIMS];
};

/* Puts the collector's own series as of `now` into `own` (emptied first), ordered. */
enum crm_status crm_engine_own_series(const struct crm_engine_state *state, const struct crm_params *params, const char *instance,
                                      const char *host_version, crm_time now, struct crm_series_set *own) CRM_MUSTCHECK;

#endif
