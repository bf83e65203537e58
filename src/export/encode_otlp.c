/* SPDX-License-Identifier: MIT */
/* OTLP metrics. So that series have the same names and labels as by remote write: the metric is named as in Prometheus, its unit is left
 * empty (a receiver would append it to the name), there is no scope (some make labels of it), `job` and `instance` are the resource's
 * service.name and service.instance.id, and everything else is an attribute of the data point, external labels too: of the resource's
 * other attributes Prometheus makes a series of its own instead of labels. */
#include "crm_config.h"

#include "export/encode_parts.h"

#include "base/vec.h"
#include "proto/otlp_service.pb-c.h"

#define FLAG_NO_RECORDED_VALUE 1
#define NS_PER_US 1000

static void constant(struct crm_encoder *e, const char *name, const char *value) {
  Opentelemetry__Proto__Common__V1__AnyValue any = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__INIT;
  Opentelemetry__Proto__Common__V1__KeyValue attribute = OPENTELEMETRY__PROTO__COMMON__V1__KEY_VALUE__INIT;
  Opentelemetry__Proto__Common__V1__KeyValue *attributes[] = {&attribute};
  Opentelemetry__Proto__Metrics__V1__NumberDataPoint point = OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__INIT;
  any.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
  any.string_value = (char *)value;
  attribute.key = (char *)name;
  attribute.value = &any;
  point.attributes = attributes;
  point.n_attributes = 1;
  crm_encode_message(e, &point.base);
}

static void own(struct crm_encoder *e, const char *name) {
  Opentelemetry__Proto__Common__V1__KeyValue attribute = OPENTELEMETRY__PROTO__COMMON__V1__KEY_VALUE__INIT;
  attribute.key = (char *)name;
  crm_encode_message(e, &attribute.base);
}

const struct crm_label_format crm_otlp_labels = {.constant = constant, .own = own};

static void put_point(struct crm_encoder *e, const struct crm_plan *plan, const struct crm_pick *pick) {
  struct crm_wire *w = &e->wire;
  const struct crm_sample *sample = &pick->set->samples[pick->sample];
  size_t end = crm_wire_used(w);
  if (pick->stale) {
    crm_wire_put_byte(w, FLAG_NO_RECORDED_VALUE);
    crm_wire_put_byte(w, 8 << 3);
  }
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
    size_t attribute_end = crm_wire_used(w);
    crm_wire_put(w, value, len);
    crm_wire_put_len(w, attribute_end, 1);
    crm_wire_put_len(w, attribute_end, 2);
    crm_wire_put(w, bytes, slot->len);
    crm_wire_put_len(w, attribute_end, 7);
  }
  if (!pick->stale) {
    crm_wire_put_u64(w, crm_pick_bits(pick));
    crm_wire_put_byte(w, 4 << 3 | 1);
  }
  crm_wire_put_u64(w, (uint64_t)e->at * NS_PER_US);
  crm_wire_put_byte(w, 3 << 3 | 1);
  if (crm_family_info((enum crm_family)sample->family)->kind == CRM_COUNTER && crm_start_known(e)) {
    crm_wire_put_u64(w, (uint64_t)e->start * NS_PER_US);
    crm_wire_put_byte(w, 2 << 3 | 1);
  }
  crm_wire_put_len(w, end, 1);
}

/* Around the points that were put since `end`. */
static bool put_metric(struct crm_encoder *e, const struct crm_family_info *info, size_t end) {
  struct crm_wire *w = &e->wire;
  size_t name_len = strlen(info->name), help_len = strlen(info->help);
  if (!crm_wire_reserve(w, name_len + help_len + 6 * CRM_VARINT_MAX))
    return false;
  crm_wire_put_len(w, end, info->kind == CRM_COUNTER ? 7 : 5);
  size_t at = crm_wire_used(w);
  crm_wire_put(w, info->help, help_len);
  crm_wire_put_len(w, at, 2);
  at = crm_wire_used(w);
  crm_wire_put(w, info->name, name_len);
  crm_wire_put_len(w, at, 1);
  crm_wire_put_len(w, end, 2);
  return true;
}

/* encoder->order: the picks by family and otherwise as they come, for all points of a metric must stand together. */
static bool order_by_family(struct crm_encoder *e, const struct crm_pick *picks, size_t n, size_t end_of[CRM_FAMILIES]) {
  void *order = e->order;
  if (n > UINT32_MAX || crm_vec_reserve(&order, &e->cap_order, n, sizeof(*e->order)) != CRM_OK)
    return false;
  e->order = order;
  memset(end_of, 0, CRM_FAMILIES * sizeof(*end_of));
  for (size_t i = 0; i < n; i++)
    end_of[picks[i].set->samples[picks[i].sample].family]++;
  for (size_t f = 1; f < CRM_FAMILIES; f++)
    end_of[f] += end_of[f - 1];
  for (size_t i = n; i-- > 0;)
    e->order[--end_of[picks[i].set->samples[picks[i].sample].family]] = (uint32_t)i;
  for (size_t f = 0; f + 1 < CRM_FAMILIES; f++) /* they have become where the families begin */
    end_of[f] = end_of[f + 1];
  end_of[CRM_FAMILIES - 1] = n;
  return true;
}

static bool put_family(struct crm_encoder *e, enum crm_family family, const struct crm_pick *picks, size_t first, size_t last,
                       struct crm_body *body) {
  struct crm_wire *w = &e->wire;
  size_t end = crm_wire_used(w), n_before = body->n_series;
  const struct crm_family_info *info = crm_family_info(family);
  if (!crm_wire_reserve(w, 4))
    return false;
  if (info->kind == CRM_COUNTER) {
    crm_wire_put_byte(w, 1); /* monotonic */
    crm_wire_put_byte(w, 3 << 3);
    crm_wire_put_byte(w, OPENTELEMETRY__PROTO__METRICS__V1__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_CUMULATIVE);
    crm_wire_put_byte(w, 2 << 3);
  }
  for (size_t i = last; i-- > first;) {
    crm_look_ahead(picks, e->order, first, i);
    const struct crm_pick *pick = &picks[e->order[i]];
    const struct crm_plan *plan = crm_plan_of(e, pick->set, family);
    if (plan == NULL || !crm_wire_reserve(w, plan->bound))
      return false;
    if (!plan->valid) {
      body->n_dropped++;
      continue;
    }
    put_point(e, plan, pick);
    body->n_series++;
  }
  if (body->n_series > n_before)
    return put_metric(e, info, end);
  w->pos += crm_wire_used(w) - end; /* none of them could be said: no metric either */
  return true;
}

static Opentelemetry__Proto__Common__V1__KeyValue *text_attribute(Opentelemetry__Proto__Common__V1__KeyValue *attribute,
                                                                  Opentelemetry__Proto__Common__V1__AnyValue *any, const char *key,
                                                                  char *value) {
  opentelemetry__proto__common__v1__any_value__init(any);
  opentelemetry__proto__common__v1__key_value__init(attribute);
  any->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
  any->string_value = value;
  attribute->key = (char *)key;
  attribute->value = any;
  return attribute;
}

/* ResourceMetrics.resource, as a message with that field alone. */
static bool put_resource(struct crm_encoder *e) {
  Opentelemetry__Proto__Common__V1__AnyValue values[2];
  Opentelemetry__Proto__Common__V1__KeyValue keys[2], *attributes[2];
  Opentelemetry__Proto__Resource__V1__Resource resource = OPENTELEMETRY__PROTO__RESOURCE__V1__RESOURCE__INIT;
  Opentelemetry__Proto__Metrics__V1__ResourceMetrics metrics = OPENTELEMETRY__PROTO__METRICS__V1__RESOURCE_METRICS__INIT;
  resource.attributes = attributes;
  if (*e->job != '\0')
    attributes[resource.n_attributes++] = text_attribute(&keys[0], &values[0], "service.name", e->job);
  if (*e->instance != '\0')
    attributes[resource.n_attributes++] = text_attribute(&keys[1], &values[1], "service.instance.id", e->instance);
  metrics.resource = &resource;
  size_t at = e->bytes.len;
  crm_encode_message(e, &metrics.base);
  if (!crm_strbuf_ok(&e->bytes) || !crm_wire_reserve(&e->wire, e->bytes.len - at + 2 * (1 + CRM_VARINT_MAX)))
    return false;
  crm_wire_put_len(&e->wire, 0, 2); /* ResourceMetrics.scope_metrics */
  crm_wire_put(&e->wire, e->bytes.data + at, e->bytes.len - at);
  crm_wire_put_len(&e->wire, 0, 1); /* ExportMetricsServiceRequest.resource_metrics */
  return true;
}

bool crm_otlp_write(struct crm_encoder *e, const struct crm_pick *picks, size_t n, struct crm_body *body) {
  size_t end_of[CRM_FAMILIES];
  if (!order_by_family(e, picks, n, end_of))
    return false;
  for (size_t f = CRM_FAMILIES; f-- > 0;) {
    size_t first = f > 0 ? end_of[f - 1] : 0;
    if (first < end_of[f] && !put_family(e, (enum crm_family)f, picks, first, end_of[f], body))
      return false;
  }
  return body->n_series == 0 || put_resource(e);
}
