/* SPDX-License-Identifier: MIT */
/* Internal to source: which transactions a snapshot shows, by pg_snapshot's text: "xmin:xmax:xip,xip". */
#ifndef CRM_SOURCE_SNAPSHOT_H
#define CRM_SOURCE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct crm_snapshot {
  uint64_t xmin, xmax; /* 0: no snapshot, which shows nothing */
  uint64_t *running;   /* in ascending order, at least xmin and below xmax */
  size_t n_running;
};

/* Reads the text into *snapshot, to be freed in any case. CRM_ERR_DATA or CRM_ERR_MEMORY. */
enum crm_status crm_snapshot_read(const char *text, struct crm_snapshot *snapshot, struct crm_error *err) CRM_MUSTCHECK;
void crm_snapshot_free(struct crm_snapshot *snapshot);
/* Had the transaction, by the lower half of its number, ended before the snapshot was taken? One that did not begin within two thousand
 * million transactions of the snapshot is not told apart from others. */
bool crm_snapshot_shows(const struct crm_snapshot *snapshot, uint32_t xid);
/* Has any transaction ended between the two? */
bool crm_snapshot_moved(const struct crm_snapshot *before, const struct crm_snapshot *now);

#endif
