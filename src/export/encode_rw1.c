/* SPDX-License-Identifier: MIT */
/* Prometheus remote write 1.0. No metadata: the specification reserves the field, and the receivers that were tried ignore it. */
#include "crm_config.h"

#include "export/encode_parts.h"

#include "proto/remote_write.pb-c.h"

/* A series of this label alone: what its field is within any series. */
static void constant(struct crm_encoder *e, const char *name, const char *value) {
  Prometheus__Label label = PROMETHEUS__LABEL__INIT;
  Prometheus__Label *labels[] = {&label};
  Prometheus__TimeSeries series = PROMETHEUS__TIME_SERIES__INIT;
  label.name = (char *)name;
  label.value = (char *)value;
  series.labels = labels;
  series.n_labels = 1;
  crm_encode_message(e, &series.base);
}

static void own(struct crm_encoder *e, const char *name) {
  Prometheus__Label label = PROMETHEUS__LABEL__INIT;
  label.name = (char *)name;
  crm_encode_message(e, &label.base);
}

const struct crm_label_format crm_rw1_labels = {.constant = constant, .own = own, .target = true};

static void put_series(struct crm_encoder *e, const struct crm_plan *plan, const struct crm_pick *pick, int64_t ms) {
  struct crm_wire *w = &e->wire;
  const struct crm_sample *sample = &pick->set->samples[pick->sample];
  size_t end = crm_wire_used(w);

  if (ms != 0) {
    crm_wire_put_varint(w, (uint64_t)ms);
    crm_wire_put_byte(w, 2 << 3);
  }
  uint64_t bits = crm_pick_bits(pick);
  if (bits != 0) { /* 0 is what an absent field means */
    crm_wire_put_u64(w, bits);
    crm_wire_put_byte(w, 1 << 3 | 1);
  }
  crm_wire_put_len(w, end, 2);

  const uint32_t *texts = pick->set->label_values + sample->labels;
  for (size_t i = plan->n; i-- > 0;) {
    const struct crm_slot *slot = &e->slots[plan->first + i];
    const char *bytes = e->bytes.data + slot->at;
    if (slot->own < 0) {
      crm_wire_put(w, bytes, slot->len);
      continue;
    }
    size_t len;
    const char *value = crm_own_value(e, pick->set, texts[slot->own], &len);
    if (value == NULL)
      continue;
    size_t label_end = crm_wire_used(w);
    crm_wire_put(w, value, len);
    crm_wire_put_varint(w, len);
    crm_wire_put_byte(w, 2 << 3 | 2);
    crm_wire_put(w, bytes, slot->len);
    crm_wire_put_len(w, label_end, 1);
  }
  crm_wire_put_len(w, end, 1);
}

bool crm_rw1_write(struct crm_encoder *e, const struct crm_pick *picks, size_t n, struct crm_body *body) {
  int64_t ms = crm_milliseconds(e->at);
  for (size_t i = n; i-- > 0;) {
    crm_look_ahead(picks, NULL, 0, i);
    const struct crm_plan *plan = crm_plan_of(e, picks[i].set, (enum crm_family)picks[i].set->samples[picks[i].sample].family);
    if (plan == NULL || !crm_wire_reserve(&e->wire, plan->bound))
      return false;
    if (!plan->valid) {
      body->n_dropped++;
      continue;
    }
    put_series(e, plan, &picks[i], ms);
    body->n_series++;
  }
  return true;
}
