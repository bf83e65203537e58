/* SPDX-License-Identifier: MIT */
/* Internal to source: one refresh under way, which refresh.c drives and for which refresh_rows.c reads rows. */
#ifndef CRM_SOURCE_REFRESH_H
#define CRM_SOURCE_REFRESH_H

#include "facts/dict.h"
#include "source/internal.h"

/* What is to be read of one relation. */
struct crm_task {
  bool whole;
  struct crm_dict keys, accounts; /* number 0 is the empty string, which is none */
  struct crm_dict days;           /* of accounts, as CRM_TOUCHED_DAY */
  bool lists;                     /* the three are there */
};

struct crm_run {
  struct crm_source *source;
  struct crm_picture *picture;
  struct crm_patch *patch;
  struct crm_refresh *refresh;
  struct crm_task tasks[CRM_RELATIONS];
  bool given[CRM_RELATIONS]; /* the patch has rows of the relation: then it is not read whole any more */
  bool within;               /* before a full read, with which the picture is compared */
  struct crm_error *err;
};

/* Nothing less than a full read will do; the first reason is kept, which becomes refresh->reason. */
void crm_run_want_full(struct crm_run *run, const char *fmt, ...) CRM_PRINTF(2, 3);
/* The relation is mapped and fits. */
bool crm_run_reads(const struct crm_run *run, enum crm_relation relation);
void crm_task_free(struct crm_task *task);

/* refresh_rows.c: reads what the tasks ask for in the database, inside its transaction, into the patch: lists in one go, then whole relations.
 * The tasks are done then. CRM_OK with refresh->full_wanted where the server refuses for good, or where it would be more than a full read. */
enum crm_status crm_run_read(struct crm_run *run, size_t database) CRM_MUSTCHECK;

#endif
