/* SPDX-License-Identifier: MIT */
/* One tick of one instance as it leaves by our own exporters: the series and the instant. Immutable and reference counted, so that every
 * sink and every reader of the scrape endpoint works on the same memory at its own pace. */
#ifndef CRM_EXPORT_FRAME_H
#define CRM_EXPORT_FRAME_H

#include "series/shared_set.h"

struct crm_frame {
  _Atomic(int) refs;
  crm_time at;               /* the tick: timestamp of every sample */
  const char *instance;      /* name of the instance; lives as long as the options */
  const struct crm_series_set *business; /* ordered; NULL while there is nothing to say (no facts yet, or stale) */
  const struct crm_series_set *own;      /* ordered; the collector's own series */
  void (*release)(struct crm_frame *frame); /* frees the frame and what it holds; called by the last crm_frame_unref, from any thread */
  void *ctx;                                /* for release */
};

struct crm_frame *crm_frame_ref(struct crm_frame *frame);
/* NULL is allowed. */
void crm_frame_unref(struct crm_frame *frame);
/* A frame that owns both sets (they are moved into it and left empty; `business` may be NULL). NULL when out of memory: then the sets stay as they were. */
struct crm_frame *crm_frame_new(const char *instance, crm_time at, struct crm_series_set *business, struct crm_series_set *own);
/* The same, but the business series are shared: a reference to them is taken. `business` may be NULL. */
struct crm_frame *crm_frame_new_shared(const char *instance, crm_time at, struct crm_shared_set *business, struct crm_series_set *own);

#endif
