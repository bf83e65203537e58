/* SPDX-License-Identifier: MIT */
/* Which series one tick sends: what a sink wants of a frame, and stale markers for what the frame no longer has. */
#ifndef CRM_EXPORT_PICKS_H
#define CRM_EXPORT_PICKS_H

#include "export/encode.h"
#include "export/frame.h"

/* The families that a sink sends, by its patterns and per_account. */
struct crm_selection {
  bool family[CRM_FAMILIES];
};
void crm_selection_init(struct crm_selection *selection, const struct crm_sink_options *options);
/* Samples of the set (NULL: none) that are selected. */
size_t crm_selection_count(const struct crm_selection *selection, const struct crm_series_set *set);

struct crm_picks {
  struct crm_pick *list;
  size_t n, cap;
  size_t n_stale;
  bool changed; /* a series has begun or ended */
};
void crm_picks_free(struct crm_picks *picks);

/* Adds the selected series of `now`, and those of `before` that `now` has not, as stale, in the order of sets. Both sets are ordered, and either may be NULL. A
 * series that stands twice in a set is taken once. `before_selection` NULL: all of `before` was sent. CRM_ERR_MEMORY. */
enum crm_status crm_picks_add(struct crm_picks *picks, const struct crm_series_set *now, const struct crm_selection *selection,
                              const struct crm_series_set *before, const struct crm_selection *before_selection) CRM_MUSTCHECK;

/* The order of series across sets: by family, then by labels as crm_set_sort has them; 0: the same series. Cells of sets with different dimensions are
 * never the same; then the one of `a` comes first. */
int crm_series_compare(const struct crm_series_set *a, const struct crm_sample *x, const struct crm_series_set *b, const struct crm_sample *y);

/* A frame with the same series as the picks, values left out: those of the collector itself in `own`, all others in `business` (never NULL). Cells with
 * other dimensions than the first cell are left out. NULL when out of memory. */
struct crm_frame *crm_frame_of_picks(const char *instance, crm_time at, const struct crm_pick *picks, size_t n);

#endif
