/* SPDX-License-Identifier: MIT */
/* crmctl, but its command `once` writes the series as bodies of remote write 1.0 to the directory that CRM_ENCODE_DIR names, 2,000 series
 * each (the linker puts this function in the place of crmctl's own): 000.values, 001.values, ... as of the instant of --at, and 000.ended,
 * ... where all of them have ended a minute later. */
#include "crm_config.h"

#include <stdio.h>
#include <stdlib.h>

#include "ctl/ctl.h"
#include "export/encode.h"

#define REQUEST 2000

static bool write_body(const char *dir, size_t number, const char *kind, const struct crm_body *body) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/%03zu.%s", dir, number, kind);
  FILE *file = fopen(path, "wb");
  bool ok = file != NULL && fwrite(body->data, 1, body->len, file) == body->len;
  return file != NULL && fclose(file) == 0 && ok;
}

static enum crm_status write_all(const struct crm_series_set *set, const char *dir, bool ended, struct crm_error *err) {
  static const struct crm_name_value labels[] = {{"datacenter", "eu-1"}, {"tenant", "no series takes this one"}, {"none", ""}};
  const struct crm_sink_options options = {
      .name = "test", .protocol = CRM_REMOTE_WRITE_1, .job = "encode", .instance = "here", .labels = labels, .n_labels = 3};
  struct crm_pick *picks = calloc(set->n + 1, sizeof(*picks));
  struct crm_encoder *encoder = NULL;
  enum crm_status status = picks != NULL ? crm_encoder_new(&options, NULL, set->at, &encoder, err) : CRM_ERR_MEMORY;
  for (size_t i = 0; status == CRM_OK && i < set->n; i++)
    picks[i] = (struct crm_pick){.set = set, .sample = (uint32_t)i, .stale = ended};
  if (status == CRM_OK)
    status = crm_picks_by_account(picks, set->n);
  for (size_t i = 0; status == CRM_OK && i < set->n; i += REQUEST) {
    struct crm_body body;
    status = crm_encode(encoder, set->at + (ended ? 60 * CRM_US_PER_SECOND : 0), picks + i, set->n - i < REQUEST ? set->n - i : REQUEST,
                        &body, err);
    if (status == CRM_OK && !write_body(dir, i / REQUEST, ended ? "ended" : "values", &body))
      status = crm_error_set(err, CRM_ERR_IO, "cannot write to %s", dir);
  }
  crm_encoder_free(encoder);
  free(picks);
  return status;
}

int __wrap_crm_ctl_once(struct crm_ctl *ctl);

int __wrap_crm_ctl_once(struct crm_ctl *ctl) {
  struct crm_series_set set;
  struct crm_error err = {0};
  bool left_out = false;
  const char *dir = getenv("CRM_ENCODE_DIR");
  if (dir == NULL || crm_set_init(&set) != CRM_OK) {
    crm_error_set(&err, CRM_ERR_CONFIG, "CRM_ENCODE_DIR is not set, or out of memory");
    return crm_ctl_fail(ctl, &err);
  }
  enum crm_status status = crm_ctl_evaluate(ctl, &set, &left_out, &err);
  if (status == CRM_OK)
    status = write_all(&set, dir, false, &err);
  if (status == CRM_OK)
    status = write_all(&set, dir, true, &err);
  crm_set_free(&set);
  return status == CRM_OK ? CRM_CTL_OK : crm_ctl_fail(ctl, &err);
}
