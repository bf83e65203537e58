/* SPDX-License-Identifier: MIT */
/* Series of one instant on their way to one receiver, cut into requests. No I/O. */
#ifndef CRM_EXPORT_BATCH_H
#define CRM_EXPORT_BATCH_H

#include "export/encode.h"

/* A part of the series that is one request. */
struct crm_range {
  size_t begin, end;        /* list[begin .. end) */
  unsigned tries, failures; /* failures: answers of 5xx */
  int64_t first_failure_us; /* monotonic; of this or of what it is a half of; 0: none */
  bool half, reread_secrets;
};

struct crm_batch {
  crm_time at;
  const struct crm_pick *list;
  struct crm_range *ranges; /* ranges[first .. n): still to be sent, the first one next */
  size_t first, n, cap;
  struct crm_body body; /* of the first range, by crm_batch_encode */
};

void crm_batch_free(struct crm_batch *batch);
/* Adds list[begin .. end) in ranges of `size`. The list must stay. CRM_ERR_MEMORY. */
enum crm_status crm_batch_cut(struct crm_batch *batch, const struct crm_pick *list, size_t begin, size_t end, size_t size) CRM_MUSTCHECK;

/* Those below are for a batch that has a range left to send. */
static inline struct crm_range *crm_batch_first(struct crm_batch *batch) { return &batch->ranges[batch->first]; }
/* True if it was the last one. */
static inline bool crm_batch_end_first(struct crm_batch *batch) { return ++batch->first == batch->n; }
/* The first range goes to the end, behind those that may fare better. */
void crm_batch_rotate(struct crm_batch *batch);
/* The first range becomes two, of which the second follows it at once or, `last`, both come after all others. It must have two series at least.
 * CRM_ERR_MEMORY: nothing has changed. */
enum crm_status crm_batch_halve(struct crm_batch *batch, bool last) CRM_MUSTCHECK;
/* Makes the body of the first range, which is halved until its body has at most `limit` bytes or it is one series. CRM_ERR_MEMORY. */
enum crm_status crm_batch_encode(struct crm_batch *batch, struct crm_encoder *encoder, size_t limit, struct crm_error *err) CRM_MUSTCHECK;

#endif
