/* SPDX-License-Identifier: MIT */
#include "export/frame.h"

#include <stdlib.h>

struct owned {
  struct crm_frame frame;
  struct crm_series_set business, own;
  struct crm_shared_set *shared;
};

struct crm_frame *crm_frame_ref(struct crm_frame *frame) {
  frame->refs++;
  return frame;
}

void crm_frame_unref(struct crm_frame *frame) {
  if (frame != NULL && --frame->refs == 0)
    frame->release(frame);
}

static void release_owned(struct crm_frame *frame) {
  struct owned *owned = frame->ctx;
  crm_shared_set_unref(owned->shared);
  if (frame->business == &owned->business)
    crm_set_free(&owned->business);
  crm_set_free(&owned->own);
  free(owned);
}

struct crm_frame *crm_frame_new(const char *instance, crm_time at, struct crm_series_set *business, struct crm_series_set *own) {
  struct owned *owned = calloc(1, sizeof(*owned));
  if (owned == NULL)
    return NULL;
  owned->frame = (struct crm_frame){.refs = 1, .at = at, .instance = instance, .release = release_owned, .ctx = owned};
  if (business != NULL) {
    owned->business = *business;
    *business = (struct crm_series_set){0};
    owned->frame.business = &owned->business;
  }
  owned->own = *own;
  *own = (struct crm_series_set){0};
  owned->frame.own = &owned->own;
  return &owned->frame;
}

struct crm_frame *crm_frame_new_shared(const char *instance, crm_time at, struct crm_shared_set *business, struct crm_series_set *own) {
  struct crm_frame *frame = crm_frame_new(instance, at, NULL, own);
  if (frame == NULL || business == NULL)
    return frame;
  struct owned *owned = frame->ctx;
  owned->shared = crm_shared_set_ref(business);
  frame->business = &business->set;
  return frame;
}
