/* SPDX-License-Identifier: MIT */
/* What the encoders share: a buffer that is filled from its end, and plans that say how the labels of a family become bytes.
 *
 * In protobuf a message stands behind its length. Written from the end to the front every length is known when it is due, so that
 * nothing is measured first and nothing moved. Therefore series, labels and fields are put in reverse. The tests hold these few
 * functions against protobuf-c, which packs the constant parts; for a series it would take several times as long. */
#ifndef CRM_EXPORT_ENCODE_PARTS_H
#define CRM_EXPORT_ENCODE_PARTS_H

#include <endian.h>
#include <string.h>

#include "export/encode.h"

/* --- the buffer ------------------------------------------------------------------------------------------------------- */

struct crm_wire {
  char *base;
  size_t cap;
  char *pos; /* the bytes are [pos, base + cap) */
};

static inline size_t crm_wire_used(const struct crm_wire *w) {
  return (size_t)(w->base + w->cap - w->pos);
}
/* Makes room for `n` bytes more, which the functions below then put without looking. */
bool crm_wire_grow(struct crm_wire *w, size_t n);
static inline bool crm_wire_reserve(struct crm_wire *w, size_t n) {
  return n <= (size_t)(w->pos - w->base) || crm_wire_grow(w, n);
}
static inline void crm_wire_put(struct crm_wire *w, const void *data, size_t n) {
  w->pos -= n;
  memcpy(w->pos, data, n);
}
static inline void crm_wire_put_byte(struct crm_wire *w, unsigned byte) {
  *--w->pos = (char)byte;
}
static inline void crm_wire_put_u64(struct crm_wire *w, uint64_t v) {
  v = htole64(v);
  crm_wire_put(w, &v, sizeof(v));
}

#define CRM_VARINT_MAX 10
/* Writes a varint forward; its length. */
static inline size_t crm_varint(char buf[CRM_VARINT_MAX], uint64_t v) {
  size_t n = 0;
  for (; v >= 0x80; v >>= 7)
    buf[n++] = (char)(v | 0x80);
  buf[n++] = (char)v;
  return n;
}
static inline void crm_wire_put_varint(struct crm_wire *w, uint64_t v) {
  if (v < 0x80) {
    crm_wire_put_byte(w, (unsigned)v);
    return;
  }
  char buf[CRM_VARINT_MAX];
  crm_wire_put(w, buf, crm_varint(buf, v));
}
/* Closes a field of wire type 2 whose content began when `end` bytes were used. */
static inline void crm_wire_put_len(struct crm_wire *w, size_t end, unsigned field) {
  crm_wire_put_varint(w, crm_wire_used(w) - end);
  crm_wire_put_byte(w, field << 3 | 2);
}

/* --- labels ----------------------------------------------------------------------------------------------------------- */

#define CRM_LABELS_MAX (1 + CRM_DIMENSIONS_MAX + CRM_FAMILY_LABELS + 1)

struct crm_label {
  char *name, *value;
};

/* One or more constant labels, or one of the sample's own. */
struct crm_slot {
  int own;          /* index of the sample's label; -1: constant */
  uint32_t at, len; /* in encoder->bytes: the whole of the constant labels, or what stands before the value */
};

/* How the series of one family of one set are written; made once per request. */
struct crm_plan {
  bool valid;            /* false: a name that no receiver takes */
  size_t first, n;       /* slots */
  size_t bound;          /* bytes of a series at most */
  uint32_t meta, n_meta; /* in encoder->bytes: metadata, of remote write 2.0 */
};

/* One label as the format has it, appended to encoder->bytes. */
struct crm_label_format {
  void (*constant)(struct crm_encoder *encoder, const char *name, const char *value);
  void (*own)(struct crm_encoder *encoder, const char *name);
  /* Or NULL: what else is the same for every series of the family. */
  void (*family)(struct crm_encoder *encoder, const struct crm_family_info *info);
  bool target; /* with job and instance */
};

struct crm_plans_of_set {
  const struct crm_series_set *set;
  uint32_t plan[CRM_FAMILIES]; /* number of the plan plus one; 0: none yet */
};

struct crm_symbol_memo {
  const struct crm_series_set *set;
  uint64_t request;
  uint32_t text, symbol;
};
#define CRM_MEMOS 1024

struct crm_encoder {
  const struct crm_sink_options *options;
  const struct crm_label_format *format;
  crm_time start;
  char *job, *instance;     /* as they are sent; "" if there is nothing to send */
  struct crm_label *labels; /* on every series, sorted: external ones and, where the format wants them, job and instance */
  size_t n_labels;

  /* Of the request being made. */
  crm_time at;
  struct crm_plans_of_set *sets;
  size_t n_sets, cap_sets;
  struct crm_plan *plans;
  size_t n_plans, cap_plans;
  struct crm_slot *slots;
  size_t n_slots, cap_slots;
  struct crm_strbuf bytes; /* what plans point to */
  struct crm_wire wire;
  char scratch[CRM_LABEL_VALUE_MAX];

  struct crm_dict symbols; /* remote write 2.0 */
  uint64_t request;
  struct crm_symbol_memo *memos;
  bool symbols_failed;

  uint32_t *order; /* OTLP: picks by family */
  size_t cap_order;
  void *deflate; /* z_stream */

  char *out; /* the compressed body */
  size_t cap_out;
};

/* The bytes of a value as they are sent, NULL for none: valid UTF-8, at most CRM_LABEL_VALUE_MAX of them. As in the text format, a value
 * that is not UTF-8 has '?' for all that is not ASCII. `scratch` takes what differs from the text. */
const char *crm_label_value(const char *text, size_t len, char scratch[CRM_LABEL_VALUE_MAX], size_t *out_len);
static inline const char *crm_own_value(struct crm_encoder *e, const struct crm_series_set *set, uint32_t text, size_t *len) {
  return crm_label_value(crm_dict_text(&set->text, text), crm_dict_len(&set->text, text), e->scratch, len);
}

/* The texts of a set lie in the order in which they were met, not in that of the series: with many accounts each is a miss of the cache. A
 * few series ahead of need: the sample, then where its labels are, then which texts these are, then the texts. */
#define CRM_AHEAD 8
static inline void crm_look_ahead_labels(const struct crm_pick *pick) {
  __builtin_prefetch(&pick->set->label_values[pick->set->samples[pick->sample].labels]);
}
static inline void crm_look_ahead_numbers(const struct crm_pick *pick) {
  const struct crm_sample *sample = &pick->set->samples[pick->sample];
  for (size_t i = 0; i < sample->n_labels; i++)
    __builtin_prefetch(&pick->set->text.start[pick->set->label_values[sample->labels + i]]);
}
static inline void crm_look_ahead_texts(const struct crm_pick *pick) {
  const struct crm_sample *sample = &pick->set->samples[pick->sample];
  for (size_t i = 0; i < sample->n_labels; i++)
    __builtin_prefetch(crm_dict_text(&pick->set->text, pick->set->label_values[sample->labels + i]));
}
/* Before pick `i` of those that are gone through downwards to `first`; `order` may be NULL. */
static inline void crm_look_ahead(const struct crm_pick *picks, const uint32_t *order, size_t first, size_t i) {
  if (i >= first + 4 * CRM_AHEAD) {
    const struct crm_pick *pick = &picks[order != NULL ? order[i - 4 * CRM_AHEAD] : i - 4 * CRM_AHEAD];
    __builtin_prefetch(&pick->set->samples[pick->sample]);
  }
  if (i >= first + 3 * CRM_AHEAD)
    crm_look_ahead_labels(&picks[order != NULL ? order[i - 3 * CRM_AHEAD] : i - 3 * CRM_AHEAD]);
  if (i >= first + 2 * CRM_AHEAD)
    crm_look_ahead_numbers(&picks[order != NULL ? order[i - 2 * CRM_AHEAD] : i - 2 * CRM_AHEAD]);
  if (i >= first + CRM_AHEAD)
    crm_look_ahead_texts(&picks[order != NULL ? order[i - CRM_AHEAD] : i - CRM_AHEAD]);
}

/* Fills encoder->job, ->instance and ->labels from the options. */
bool crm_labels_init(struct crm_encoder *encoder, const char *instance);
void crm_labels_free(struct crm_encoder *encoder);
/* Forgets the plans of the last request. */
void crm_plans_reset(struct crm_encoder *encoder);
/* NULL when out of memory. Valid until the next call. */
const struct crm_plan *crm_plan_of(struct crm_encoder *encoder, const struct crm_series_set *set, enum crm_family family);

/* Appends a message of protobuf-c to encoder->bytes. */
struct ProtobufCMessage;
void crm_encode_message(struct crm_encoder *encoder, const struct ProtobufCMessage *message);

/* --- formats ---------------------------------------------------------------------------------------------------------- */

/* Bits of the value as sent; the stale marker is a signalling NaN, which must never pass through a floating point register. */
#define CRM_STALE_BITS UINT64_C(0x7ff0000000000002)
static inline uint64_t crm_pick_bits(const struct crm_pick *pick) {
  if (pick->stale)
    return CRM_STALE_BITS;
  double value = crm_number_value(&pick->set->samples[pick->sample].value) + 0.0; /* -0 is 0 */
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}
/* Milliseconds, rounded down. */
static inline int64_t crm_milliseconds(crm_time at) {
  return at / 1000 - (at % 1000 < 0);
}
/* Whether a counter's start can be told with a sample: it is known and not later. */
static inline bool crm_start_known(const struct crm_encoder *e) {
  return e->start > 0 && e->start <= e->at;
}

extern const struct crm_label_format crm_rw1_labels, crm_rw2_labels, crm_otlp_labels;
/* Each writes the request into encoder->wire; false when out of memory. */
bool crm_rw1_write(struct crm_encoder *encoder, const struct crm_pick *picks, size_t n, struct crm_body *body);
bool crm_rw2_write(struct crm_encoder *encoder, const struct crm_pick *picks, size_t n, struct crm_body *body);
bool crm_otlp_write(struct crm_encoder *encoder, const struct crm_pick *picks, size_t n, struct crm_body *body);

#endif
