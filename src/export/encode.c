/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/encode.h"

#include <snappy-c.h>
#include <stdlib.h>
#include <zlib.h>

#include "export/encode_parts.h"

#define PLAN_BYTES_CEILING (1U << 30) /* plans hold 32 bits; with a few hundred families it is some hundred kB */
#define GZIP_WINDOW (15 + 16)         /* + 16: gzip's header and sum instead of zlib's */

static const struct {
  const struct crm_label_format *labels;
  bool (*write)(struct crm_encoder *encoder, const struct crm_pick *picks, size_t n, struct crm_body *body);
  struct crm_name_value headers[4];
} formats[] = {
    [CRM_REMOTE_WRITE_1] = {.labels = &crm_rw1_labels,
                            .write = crm_rw1_write,
                            .headers = {{"Content-Type", "application/x-protobuf"},
                                        {"Content-Encoding", "snappy"},
                                        {"X-Prometheus-Remote-Write-Version", "0.1.0"}}},
    [CRM_REMOTE_WRITE_2] = {.labels = &crm_rw2_labels,
                            .write = crm_rw2_write,
                            .headers = {{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
                                        {"Content-Encoding", "snappy"},
                                        {"X-Prometheus-Remote-Write-Version", "2.0.0"}}},
    [CRM_OTLP] = {.labels = &crm_otlp_labels,
                  .write = crm_otlp_write,
                  .headers = {{"Content-Type", "application/x-protobuf"}, {"Content-Encoding", "gzip"}}},
};

const struct crm_name_value *crm_protocol_headers(enum crm_protocol protocol) {
  return formats[protocol].headers;
}

/* --- the buffer ----------------------------------------------------------------------------------------------------------- */

bool crm_wire_grow(struct crm_wire *w, size_t n) {
  size_t used = w->base != NULL ? crm_wire_used(w) : 0, cap = w->cap < 65536 ? 65536 : w->cap;
  if (n > SIZE_MAX / 4 || used > SIZE_MAX / 4)
    return false;
  while (cap < used + n)
    cap *= 2;
  char *base = malloc(cap);
  if (base == NULL)
    return false;
  if (used > 0)
    memcpy(base + cap - used, w->pos, used);
  free(w->base);
  *w = (struct crm_wire){.base = base, .cap = cap, .pos = base + cap - used};
  return true;
}

/* --- the encoder ---------------------------------------------------------------------------------------------------------- */

static bool init_format(struct crm_encoder *e) {
  if (e->options->protocol == CRM_REMOTE_WRITE_2) {
    e->memos = calloc(CRM_MEMOS, sizeof(*e->memos));
    return e->memos != NULL && crm_dict_init(&e->symbols) == CRM_OK;
  }
  if (e->options->protocol == CRM_OTLP) {
    z_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL || deflateInit2(stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      free(stream);
      return false;
    }
    e->deflate = stream;
  }
  return true;
}

enum crm_status crm_encoder_new(const struct crm_sink_options *options, const char *instance, crm_time start, struct crm_encoder **encoder,
                                struct crm_error *err) {
  *encoder = NULL;
  struct crm_encoder *e = calloc(1, sizeof(*e));
  if (e == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "no memory for the encoder of %s", options->name);
  e->options = options;
  e->format = formats[options->protocol].labels;
  e->start = start;
  crm_strbuf_init(&e->bytes, PLAN_BYTES_CEILING);
  if (!crm_labels_init(e, instance) || !init_format(e) || !crm_wire_grow(&e->wire, 1)) {
    crm_encoder_free(e);
    return crm_error_set(err, CRM_ERR_MEMORY, "no memory for the encoder of %s", options->name);
  }
  *encoder = e;
  return CRM_OK;
}

void crm_encoder_free(struct crm_encoder *e) {
  if (e == NULL)
    return;
  if (e->deflate != NULL)
    deflateEnd(e->deflate);
  free(e->deflate);
  crm_labels_free(e);
  crm_dict_free(&e->symbols);
  crm_strbuf_free(&e->bytes);
  free(e->memos);
  free(e->sets);
  free(e->plans);
  free(e->slots);
  free(e->order);
  free(e->wire.base);
  free(e->out);
  free(e);
}

/* --- compression ---------------------------------------------------------------------------------------------------------- */

static bool reserve_out(struct crm_encoder *e, size_t n) {
  if (n <= e->cap_out)
    return true;
  free(e->out);
  e->out = malloc(n);
  e->cap_out = e->out != NULL ? n : 0;
  return e->out != NULL;
}

static bool compress_snappy(struct crm_encoder *e, const char *raw, size_t len, struct crm_body *body) {
  size_t out_len = snappy_max_compressed_length(len);
  if (len > UINT32_MAX || !reserve_out(e, out_len) || snappy_compress(raw, len, e->out, &out_len) != SNAPPY_OK)
    return false;
  body->len = out_len;
  return true;
}

static bool compress_gzip(struct crm_encoder *e, const char *raw, size_t len, struct crm_body *body) {
  z_stream *z = e->deflate;
  if (len > UINT32_MAX / 2 || deflateReset(z) != Z_OK)
    return false;
  size_t bound = deflateBound(z, len);
  if (!reserve_out(e, bound))
    return false;
  z->next_in = (Bytef *)raw;
  z->avail_in = (uInt)len;
  z->next_out = (Bytef *)e->out;
  z->avail_out = (uInt)bound;
  if (deflate(z, Z_FINISH) != Z_STREAM_END)
    return false;
  body->len = z->total_out;
  return true;
}

enum crm_status crm_encode(struct crm_encoder *e, crm_time at, const struct crm_pick *picks, size_t n, struct crm_body *body,
                           struct crm_error *err) {
  *body = (struct crm_body){0};
  e->at = at;
  e->wire.pos = e->wire.base + e->wire.cap;
  crm_plans_reset(e);
  bool ok = formats[e->options->protocol].write(e, picks, n, body);
  body->raw_len = crm_wire_used(&e->wire);
  ok = ok && (e->options->protocol == CRM_OTLP ? compress_gzip : compress_snappy)(e, e->wire.pos, body->raw_len, body);
  if (!ok) {
    *body = (struct crm_body){0};
    return crm_error_set(err, CRM_ERR_MEMORY, "no memory for a request of %zu series", n);
  }
  body->data = e->out;
  return CRM_OK;
}
