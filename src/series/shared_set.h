/* SPDX-License-Identifier: MIT */
/* A set of series that several hold at a time: who computes it, the tick that hands it out, readers and senders that are slower. The last
 * one to let go gives it back to the pool it came from, so that one computation after another uses the same memory. */
#ifndef CRM_SERIES_SHARED_SET_H
#define CRM_SERIES_SHARED_SET_H

#include "series/set.h"

struct crm_set_pool;

struct crm_shared_set {
  struct crm_series_set set; /* the taker's to fill; nobody's to change once it is shared */
  _Atomic(int) refs;
  struct crm_set_pool *pool;
};

/* NULL when out of memory. */
struct crm_set_pool *crm_set_pool_new(void);
/* No more sets are kept; those that are held still stay until their last holder lets go. NULL is allowed. */
void crm_set_pool_free(struct crm_set_pool *pool);
/* A set with one reference; what is in it is to be reset by the taker (crm_evaluate does). NULL when out of memory. From any thread. */
struct crm_shared_set *crm_set_pool_take(struct crm_set_pool *pool);

struct crm_shared_set *crm_shared_set_ref(struct crm_shared_set *shared);
/* From any thread; NULL is allowed. */
void crm_shared_set_unref(struct crm_shared_set *shared);

#endif
