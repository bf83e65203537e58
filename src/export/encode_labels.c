/* SPDX-License-Identifier: MIT */
/* Labels of a family, put in order once per request instead of once per series. */
#include "crm_config.h"

#include "export/encode_parts.h"

#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "base/vec.h"

/* --- names and values --------------------------------------------------------------------------------------------------- */

/* What every receiver takes, also those that do not know UTF-8 names. */
static bool valid_name(const char *name, bool metric) {
  if (*name == '\0' || (*name >= '0' && *name <= '9') || (!metric && name[0] == '_' && name[1] == '_'))
    return false;
  for (const char *c = name; *c != '\0'; c++)
    if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_' || (metric && *c == ':')))
      return false;
  return true;
}

const char *crm_label_value(const char *text, size_t len, char scratch[CRM_LABEL_VALUE_MAX], size_t *out_len) {
  *out_len = len;
  if (len == 0)
    return NULL;
  if (crm_utf8_valid(text, len)) {
    if (len > CRM_LABEL_VALUE_MAX)
      *out_len = crm_utf8_cut(text, len, CRM_LABEL_VALUE_MAX);
    return text;
  }
  if (len > CRM_LABEL_VALUE_MAX)
    *out_len = CRM_LABEL_VALUE_MAX;
  for (size_t i = 0; i < *out_len; i++)
    scratch[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
  return scratch;
}

/* A copy of the value as it is sent, "" for none; NULL when out of memory. */
static char *value_copy(const char *text) {
  char scratch[CRM_LABEL_VALUE_MAX];
  size_t len = 0;
  const char *value = text != NULL ? crm_label_value(text, strlen(text), scratch, &len) : NULL;
  if (value == NULL)
    return strdup("");
  char *copy = malloc(len + 1);
  if (copy == NULL)
    return NULL;
  memcpy(copy, value, len);
  copy[len] = '\0';
  return copy;
}

static bool has_label(const struct crm_encoder *e, const char *name) {
  for (size_t i = 0; i < e->n_labels; i++)
    if (strcmp(e->labels[i].name, name) == 0)
      return true;
  return false;
}

/* The first of a name stays; what cannot be sent is left out. */
static bool add_label(struct crm_encoder *e, const char *name, const char *text) {
  if (!valid_name(name, false) || has_label(e, name))
    return true;
  struct crm_label label = {.name = strdup(name), .value = value_copy(text)};
  if (label.name == NULL || label.value == NULL || *label.value == '\0') {
    bool ok = label.name != NULL && label.value != NULL;
    free(label.name);
    free(label.value);
    return ok;
  }
  e->labels[e->n_labels++] = label;
  return true;
}

static int compare_labels(const void *left, const void *right) {
  const struct crm_label *a = left, *b = right;
  return strcmp(a->name, b->name); /* bytes, whatever the locale */
}

bool crm_labels_init(struct crm_encoder *e, const char *instance) {
  const struct crm_sink_options *o = e->options;
  e->job = value_copy(o->job != NULL ? o->job : "crm");
  e->instance = value_copy(o->instance != NULL ? o->instance : instance);
  e->labels = calloc(o->n_labels + 2, sizeof(*e->labels));
  if (e->job == NULL || e->instance == NULL || e->labels == NULL)
    return false;
  if (e->format->target && (!add_label(e, "job", e->job) || !add_label(e, "instance", e->instance)))
    return false;
  for (size_t i = 0; i < o->n_labels; i++) {
    /* Where job and instance are no labels on the wire they are still labels in Prometheus. */
    bool taken = strcmp(o->labels[i].name, "job") == 0 || strcmp(o->labels[i].name, "instance") == 0;
    if (!taken && !add_label(e, o->labels[i].name, o->labels[i].value))
      return false;
  }
  qsort(e->labels, e->n_labels, sizeof(*e->labels), compare_labels);
  return true;
}

void crm_labels_free(struct crm_encoder *e) {
  for (size_t i = 0; i < e->n_labels; i++) {
    free(e->labels[i].name);
    free(e->labels[i].value);
  }
  free(e->labels);
  free(e->job);
  free(e->instance);
}

/* --- plans ---------------------------------------------------------------------------------------------------------------- */

struct append_buffer {
  ProtobufCBuffer base; /* first: protobuf-c hands it back */
  struct crm_strbuf *to;
};

static void append(ProtobufCBuffer *buffer, size_t len, const uint8_t *data) {
  crm_strbuf_add(((struct append_buffer *)buffer)->to, (const char *)data, len);
}

void crm_encode_message(struct crm_encoder *e, const struct ProtobufCMessage *message) {
  struct append_buffer buffer = {.base = {.append = append}, .to = &e->bytes};
  protobuf_c_message_pack_to_buffer(message, &buffer.base);
}

/* A label in the making: the sample's own, or a constant one. */
struct entry {
  const char *name;
  const char *value; /* NULL: the sample's own */
  int own;
};

static int compare_entries(const void *left, const void *right) {
  const struct entry *a = left, *b = right;
  int order = strcmp(a->name, b->name);
  if (order != 0)
    return order;
  /* Of one name the sample's own comes first, and of those the first. */
  return (a->value != NULL) != (b->value != NULL) ? (a->value != NULL) - (b->value != NULL) : a->own - b->own;
}

static bool add_slot(struct crm_encoder *e, struct crm_plan *plan, const struct entry *entry) {
  void *slots = e->slots;
  if (crm_vec_reserve(&slots, &e->cap_slots, e->n_slots + 1, sizeof(*e->slots)) != CRM_OK)
    return false;
  e->slots = slots;
  uint32_t at = (uint32_t)e->bytes.len;
  if (entry->value != NULL)
    e->format->constant(e, entry->name, entry->value);
  else
    e->format->own(e, entry->name);
  uint32_t len = (uint32_t)e->bytes.len - at;
  plan->bound += len;
  struct crm_slot *last = plan->n > 0 ? &e->slots[e->n_slots - 1] : NULL;
  if (entry->value != NULL && last != NULL && last->own < 0) {
    last->len += len; /* neighbours in the buffer too */
    return true;
  }
  if (entry->value == NULL)
    plan->bound += CRM_LABEL_VALUE_MAX + 4 * CRM_VARINT_MAX;
  e->slots[e->n_slots++] = (struct crm_slot){.own = entry->value != NULL ? -1 : entry->own, .at = at, .len = len};
  plan->n++;
  return true;
}

static bool make_plan(struct crm_encoder *e, const struct crm_series_set *set, enum crm_family family, struct crm_plan *plan) {
  const struct crm_family_info *info = crm_family_info(family);
  size_t n_own = crm_family_label_count(family) + 1;
  if (info->scope == CRM_SCOPE_CELL)
    n_own += set->n_dimensions;
  else if (info->scope == CRM_SCOPE_ACCOUNT)
    n_own++;
  *plan = (struct crm_plan){.valid = valid_name(info->name, true), .first = e->n_slots, .bound = 16 * CRM_VARINT_MAX};
  for (size_t i = 0; i < n_own; i++)
    plan->valid = plan->valid && valid_name(crm_set_label_name(set, family, i), false);
  if (!plan->valid)
    return true;
  struct entry *entries = malloc((n_own + e->n_labels + 1) * sizeof(*entries));
  if (entries == NULL)
    return false;
  size_t n = 0;
  for (size_t i = 0; i < n_own; i++)
    entries[n++] = (struct entry){.name = crm_set_label_name(set, family, i), .own = (int)i};
  for (size_t i = 0; i < e->n_labels; i++)
    entries[n++] = (struct entry){.name = e->labels[i].name, .value = e->labels[i].value};
  if (e->format != &crm_otlp_labels) /* there the name is the metric's */
    entries[n++] = (struct entry){.name = "__name__", .value = info->name};
  qsort(entries, n, sizeof(*entries), compare_entries);
  bool ok = true;
  for (size_t i = 0; ok && i < n; i++)
    if (i == 0 || strcmp(entries[i].name, entries[i - 1].name) != 0)
      ok = add_slot(e, plan, &entries[i]);
  free(entries);
  plan->meta = (uint32_t)e->bytes.len;
  if (ok && e->format->family != NULL)
    e->format->family(e, info);
  plan->n_meta = (uint32_t)e->bytes.len - plan->meta;
  plan->bound += plan->n_meta;
  return ok && crm_strbuf_ok(&e->bytes);
}

void crm_plans_reset(struct crm_encoder *e) {
  e->n_sets = e->n_plans = e->n_slots = 0;
  crm_strbuf_reset(&e->bytes);
}

static struct crm_plans_of_set *plans_of_set(struct crm_encoder *e, const struct crm_series_set *set) {
  for (size_t i = e->n_sets; i-- > 0;)
    if (e->sets[i].set == set)
      return &e->sets[i];
  void *sets = e->sets;
  if (crm_vec_reserve(&sets, &e->cap_sets, e->n_sets + 1, sizeof(*e->sets)) != CRM_OK)
    return NULL;
  e->sets = sets;
  struct crm_plans_of_set *found = &e->sets[e->n_sets++];
  *found = (struct crm_plans_of_set){.set = set};
  return found;
}

const struct crm_plan *crm_plan_of(struct crm_encoder *e, const struct crm_series_set *set, enum crm_family family) {
  struct crm_plans_of_set *of_set = plans_of_set(e, set);
  if (of_set == NULL)
    return NULL;
  uint32_t *number = &of_set->plan[family];
  if (*number == 0) {
    void *plans = e->plans;
    if (crm_vec_reserve(&plans, &e->cap_plans, e->n_plans + 1, sizeof(*e->plans)) != CRM_OK)
      return NULL;
    e->plans = plans;
    if (!make_plan(e, set, family, &e->plans[e->n_plans]))
      return NULL;
    *number = (uint32_t)++e->n_plans;
  }
  return &e->plans[*number - 1];
}
