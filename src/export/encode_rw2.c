/* SPDX-License-Identifier: MIT */
/* Prometheus remote write 2.0-rc.4: texts stand once in a table of symbols, and series name them by number. */
#include "crm_config.h"

#include "export/encode_parts.h"

#include "proto/remote_write2.pb-c.h"

/* A dictionary's number 0 is "", as that of the symbols must be. */
static uint32_t symbol(struct crm_encoder *e, const char *text, size_t len) {
  uint32_t number = 0;
  if (crm_dict_add(&e->symbols, text, len, &number) != CRM_OK)
    e->symbols_failed = true;
  return number;
}

static void add_symbol(struct crm_encoder *e, const char *text) {
  char buf[CRM_VARINT_MAX];
  crm_strbuf_add(&e->bytes, buf, crm_varint(buf, symbol(e, text, strlen(text))));
}

static void constant(struct crm_encoder *e, const char *name, const char *value) {
  add_symbol(e, name);
  add_symbol(e, value);
}

/* A series of the metadata alone: what its field is within any series. */
static void family(struct crm_encoder *e, const struct crm_family_info *info) {
  Io__Prometheus__Write__V2__Metadata metadata = IO__PROMETHEUS__WRITE__V2__METADATA__INIT;
  Io__Prometheus__Write__V2__TimeSeries series = IO__PROMETHEUS__WRITE__V2__TIME_SERIES__INIT;
  metadata.type = info->kind == CRM_COUNTER ? IO__PROMETHEUS__WRITE__V2__METADATA__METRIC_TYPE__METRIC_TYPE_COUNTER
                                            : IO__PROMETHEUS__WRITE__V2__METADATA__METRIC_TYPE__METRIC_TYPE_GAUGE;
  metadata.help_ref = symbol(e, info->help, strlen(info->help));
  metadata.unit_ref = symbol(e, info->unit, strlen(info->unit));
  series.metadata = &metadata;
  crm_encode_message(e, &series.base);
}

const struct crm_label_format crm_rw2_labels = {.constant = constant, .own = add_symbol, .family = family, .target = true};

/* The symbol of an own value, 0 for none. Most values come again in the next series: those are not looked up. */
static uint32_t own_symbol(struct crm_encoder *e, const struct crm_series_set *set, uint32_t text) {
  struct crm_symbol_memo *memo = &e->memos[text % CRM_MEMOS];
  if (memo->request == e->request && memo->set == set && memo->text == text)
    return memo->symbol;
  size_t len;
  const char *value = crm_own_value(e, set, text, &len);
  *memo = (struct crm_symbol_memo){.set = set, .request = e->request, .text = text, .symbol = value != NULL ? symbol(e, value, len) : 0};
  return memo->symbol;
}

static void put_series(struct crm_encoder *e, const struct crm_plan *plan, const struct crm_pick *pick, int64_t ms) {
  struct crm_wire *w = &e->wire;
  const struct crm_sample *sample = &pick->set->samples[pick->sample];
  size_t end = crm_wire_used(w);
  crm_wire_put(w, e->bytes.data + plan->meta, plan->n_meta);

  size_t sample_end = crm_wire_used(w);
  if (crm_family_info((enum crm_family)sample->family)->kind == CRM_COUNTER && !pick->stale && crm_start_known(e)) {
    crm_wire_put_varint(w, (uint64_t)crm_milliseconds(e->start));
    crm_wire_put_byte(w, 3 << 3);
  }
  if (ms != 0) {
    crm_wire_put_varint(w, (uint64_t)ms);
    crm_wire_put_byte(w, 2 << 3);
  }
  uint64_t bits = crm_pick_bits(pick);
  if (bits != 0) { /* 0 is what an absent field means */
    crm_wire_put_u64(w, bits);
    crm_wire_put_byte(w, 1 << 3 | 1);
  }
  crm_wire_put_len(w, sample_end, 2);

  size_t refs_end = crm_wire_used(w);
  const uint32_t *texts = pick->set->label_values + sample->labels;
  for (size_t i = plan->n; i-- > 0;) {
    const struct crm_slot *slot = &e->slots[plan->first + i];
    if (slot->own >= 0) {
      uint32_t number = own_symbol(e, pick->set, texts[slot->own]);
      if (number == 0)
        continue;
      crm_wire_put_varint(w, number);
    }
    crm_wire_put(w, e->bytes.data + slot->at, slot->len);
  }
  crm_wire_put_len(w, refs_end, 1);
  crm_wire_put_len(w, end, 5);
}

static bool put_symbols(struct crm_encoder *e) {
  struct crm_wire *w = &e->wire;
  if (!crm_wire_reserve(w, e->symbols.bytes_len + (size_t)e->symbols.count * (1 + CRM_VARINT_MAX)))
    return false;
  for (uint32_t i = e->symbols.count; i-- > 0;) {
    size_t end = crm_wire_used(w);
    crm_wire_put(w, crm_dict_text(&e->symbols, i), crm_dict_len(&e->symbols, i));
    crm_wire_put_len(w, end, 4);
  }
  return true;
}

bool crm_rw2_write(struct crm_encoder *e, const struct crm_pick *picks, size_t n, struct crm_body *body) {
  int64_t ms = crm_milliseconds(e->at);
  e->request++;
  e->symbols_failed = false;
  crm_dict_reset(&e->symbols);
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
  return !e->symbols_failed && put_symbols(e);
}
