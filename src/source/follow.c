/* SPDX-License-Identifier: MIT */
/* Following from one full read to the next: what refresh.c finds is accepted here, and full reads begin here. */
#include "crm_config.h"

#include "source/follow.h"

#include "base/clock.h"
#include "source/internal.h"

enum crm_status crm_source_refresh(struct crm_source *source, struct crm_picture *picture, struct crm_refresh *refresh,
                                   struct crm_error *err) {
  struct crm_error local;
  if (err == NULL)
    err = &local;
  crm_error_clear(err);
  crm_source_start(source);
  return crm_source_refresh_picture(source, picture, refresh, false, err);
}

static void accept_looks(struct crm_source *source) {
  for (size_t d = 0; d < source->options->n_databases; d++)
    if (crm_source_uses(source, d)) {
      struct crm_lookout *lookout = &source->databases[d].lookout;
      crm_logical_accept(&source->databases[d].logical, source->databases[d].publication.mark);
      /* Where nothing was committed only the glance was taken: what it stands for was accepted before. */
      if (lookout->next.tables != NULL)
        crm_lookout_accept(lookout);
    }
  for (int r = 0; r < CRM_RELATIONS; r++)
    for (size_t w = 0; w < source->ways[r].n_watches; w++) {
      struct crm_watch *watch = &source->ways[r].watches[w];
      if (watch->seen_next == NULL)
        continue;
      crm_seen_free(watch->seen);
      watch->seen = watch->seen_next;
      watch->seen_next = NULL;
      watch->balance = watch->balance_next;
    }
  source->first_day = source->first_day_next;
}

void crm_source_accept(struct crm_source *source, const struct crm_picture *picture) {
  accept_looks(source);
  crm_source_tell_rejects(source, crm_picture_facts(picture));
}

static enum crm_status probe_databases(struct crm_source *source, struct crm_error *err) {
  for (size_t d = 0; d < source->options->n_databases; d++) {
    enum crm_status status = crm_source_uses(source, d) ? crm_source_probe_database(source, d, true, err) : CRM_OK;
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

static enum crm_status look_at_databases(struct crm_source *source, struct crm_error *err) {
  for (size_t d = 0; d < source->options->n_databases; d++) {
    struct crm_source_database *database = &source->databases[d];
    if (!crm_source_uses(source, d))
      continue;
    enum crm_status status = crm_lookout_glance(&database->connection, &database->lookout, err);
    if (status == CRM_OK)
      status = crm_lookout_look(&database->connection, &database->lookout, source->options->changes_overlap_us, err);
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

enum crm_status crm_source_read_picture(struct crm_source *source, struct crm_picture *picture_before, struct crm_refresh *before,
                                        struct crm_picture **picture, struct crm_error *err) {
  struct crm_error local;
  if (err == NULL)
    err = &local;
  crm_error_clear(err);
  crm_source_start(source);
  bool within = false; /* the transactions of a refresh */
  enum crm_status status = probe_databases(source, err);
  if (status == CRM_OK && picture_before != NULL) {
    status = crm_source_refresh_picture(source, picture_before, before, true, err);
    within = status == CRM_OK && before->patch != NULL;
  }
  source->followed = false;
  if (status == CRM_OK && !within)
    status = look_at_databases(source, err);
  struct crm_builder *builder = NULL;
  if (status == CRM_OK)
    status = crm_source_build(source, true, &builder, err);
  else
    crm_source_end(source);
  if (status == CRM_OK) {
    int64_t start_us = crm_clock_monotonic_us();
    status = crm_picture_new(builder, picture, err);
    source->phase_us[CRM_PHASE_BUILD] = crm_clock_monotonic_us() - start_us;
    crm_builder_free(builder);
  }
  if (status == CRM_OK) {
    accept_looks(source);
    source->followed = true;
    crm_source_tell_rejects(source, crm_picture_facts(*picture));
  } else if (within) {
    crm_patch_free(before->patch);
    before->patch = NULL;
  }
  return status;
}
