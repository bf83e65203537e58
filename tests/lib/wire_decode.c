/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "lib/wire_decode.h"

#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "proto/otlp_service.pb-c.h"
#include "proto/remote_write.pb-c.h"
#include "proto/remote_write2.pb-c.h"

#define RAW_MAX (256U << 20)
#define STALE UINT64_C(0x7ff0000000000002)

static void *must(void *memory) {
  if (memory == NULL)
    abort();
  return memory;
}

static uint64_t bits_of(const double *value) {
  uint64_t bits;
  memcpy(&bits, value, sizeof(bits));
  return bits;
}

static const char *expand(enum crm_protocol protocol, const struct crm_body *body, struct wire_request *r) {
  r->raw = must(malloc(body->raw_len + 1));
  r->raw_len = body->raw_len;
  if (protocol != CRM_OTLP) {
    size_t len = 0;
    if (snappy_uncompressed_length(body->data, body->len, &len) != SNAPPY_OK || len != body->raw_len || len > RAW_MAX)
      return "the length of the snappy block is wrong";
    return snappy_uncompress(body->data, body->len, (char *)r->raw, &len) == SNAPPY_OK ? NULL : "no snappy block";
  }
  z_stream z = {0};
  if (inflateInit2(&z, 15 + 16) != Z_OK)
    abort();
  z.next_in = (Bytef *)body->data;
  z.avail_in = (uInt)body->len;
  z.next_out = r->raw;
  z.avail_out = (uInt)body->raw_len + 1;
  int end = inflate(&z, Z_FINISH);
  bool ok = end == Z_STREAM_END && z.total_out == body->raw_len && z.avail_in == 0;
  inflateEnd(&z);
  return ok ? NULL : "no gzip, or of another length";
}

static void repack(struct wire_request *r, const ProtobufCMessage *message) {
  r->repacked = must(malloc(protobuf_c_message_get_packed_size(message) + 1));
  r->repacked_len = protobuf_c_message_pack(message, r->repacked);
}

static bool add_label(struct wire_series *s, const char *name, const char *value) {
  if (s->n_labels == WIRE_LABELS_MAX)
    return false;
  s->labels[s->n_labels++] = (struct wire_label){must(strdup(name)), must(strdup(value))};
  return true;
}

/* --- remote write 1.0 ------------------------------------------------------------------------------------------------------- */

static const char *decode_rw1(struct wire_request *r) {
  Prometheus__WriteRequest *m = prometheus__write_request__unpack(NULL, r->raw_len, r->raw);
  if (m == NULL)
    return "no WriteRequest";
  const char *fault = NULL;
  r->series = must(calloc(m->n_timeseries + 1, sizeof(*r->series)));
  for (size_t i = 0; fault == NULL && i < m->n_timeseries; i++) {
    const Prometheus__TimeSeries *from = m->timeseries[i];
    struct wire_series *s = &r->series[r->n++];
    for (size_t l = 0; l < from->n_labels; l++)
      if (!add_label(s, from->labels[l]->name, from->labels[l]->value))
        fault = "too many labels";
    if (from->n_samples != 1 || from->base.n_unknown_fields != 0) {
      fault = "not one sample";
      break;
    }
    s->bits = bits_of(&from->samples[0]->value);
    s->ms = from->samples[0]->timestamp;
  }
  if (m->base.n_unknown_fields != 0)
    fault = "unknown fields";
  repack(r, &m->base);
  prometheus__write_request__free_unpacked(m, NULL);
  return fault;
}

/* --- remote write 2.0 ------------------------------------------------------------------------------------------------------- */

static const char *decode_series2(struct wire_request *r, const Io__Prometheus__Write__V2__TimeSeries *from) {
  struct wire_series *s = &r->series[r->n++];
  if (from->n_labels_refs == 0 || from->n_labels_refs % 2 != 0)
    return "an odd number of references, or none";
  for (size_t l = 0; l < from->n_labels_refs; l += 2) {
    if (from->labels_refs[l] >= r->n_symbols || from->labels_refs[l + 1] >= r->n_symbols)
      return "a reference to no symbol";
    if (!add_label(s, r->symbols[from->labels_refs[l]], r->symbols[from->labels_refs[l + 1]]))
      return "too many labels";
  }
  if (from->n_samples != 1 || from->metadata == NULL || from->base.n_unknown_fields != 0)
    return "not one sample, or no metadata";
  if (from->metadata->help_ref >= r->n_symbols || from->metadata->unit_ref >= r->n_symbols)
    return "metadata refers to no symbol";
  s->bits = bits_of(&from->samples[0]->value);
  s->ms = from->samples[0]->timestamp;
  s->start_ms = from->samples[0]->start_timestamp;
  s->type = (int)from->metadata->type;
  s->help = must(strdup(r->symbols[from->metadata->help_ref]));
  s->unit = must(strdup(r->symbols[from->metadata->unit_ref]));
  return NULL;
}

static const char *decode_rw2(struct wire_request *r) {
  Io__Prometheus__Write__V2__Request *m = io__prometheus__write__v2__request__unpack(NULL, r->raw_len, r->raw);
  if (m == NULL)
    return "no Request";
  const char *fault = m->base.n_unknown_fields != 0 ? "unknown fields" : NULL;
  r->series = must(calloc(m->n_timeseries + 1, sizeof(*r->series)));
  r->symbols = must(calloc(m->n_symbols + 1, sizeof(*r->symbols)));
  for (; r->n_symbols < m->n_symbols; r->n_symbols++)
    r->symbols[r->n_symbols] = must(strdup(m->symbols[r->n_symbols]));
  for (size_t i = 0; fault == NULL && i < m->n_timeseries; i++)
    fault = decode_series2(r, m->timeseries[i]);
  repack(r, &m->base);
  io__prometheus__write__v2__request__free_unpacked(m, NULL);
  return fault;
}

/* --- OTLP ------------------------------------------------------------------------------------------------------------------- */

static int compare_labels(const void *left, const void *right) {
  const struct wire_label *a = left, *b = right;
  return strcmp(a->name, b->name);
}

static const char *add_attributes(struct wire_series *s, Opentelemetry__Proto__Common__V1__KeyValue **from, size_t n, bool resource) {
  for (size_t i = 0; i < n; i++) {
    const char *key = from[i]->key;
    if (from[i]->value == NULL || from[i]->value->value_case != OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE)
      return "an attribute that is no text";
    if (resource) /* as Prometheus has it */
      key = strcmp(key, "service.name") == 0 ? "job" : strcmp(key, "service.instance.id") == 0 ? "instance" : "?";
    if (!add_label(s, key, from[i]->value->string_value))
      return "too many labels";
  }
  return NULL;
}

static const char *decode_points(struct wire_request *r, const Opentelemetry__Proto__Resource__V1__Resource *resource,
                                 const Opentelemetry__Proto__Metrics__V1__Metric *metric) {
  Opentelemetry__Proto__Metrics__V1__NumberDataPoint **points;
  size_t n;
  bool counter = metric->data_case == OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_SUM;
  if (counter) {
    if (!metric->sum->is_monotonic || metric->sum->aggregation_temporality != 2)
      return "a sum that is no counter";
    points = metric->sum->data_points;
    n = metric->sum->n_data_points;
  } else if (metric->data_case == OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_GAUGE) {
    points = metric->gauge->data_points;
    n = metric->gauge->n_data_points;
  } else {
    return "neither gauge nor sum";
  }
  r->series = must(realloc(r->series, (r->n + n + 1) * sizeof(*r->series)));
  memset(r->series + r->n, 0, (n + 1) * sizeof(*r->series));
  for (size_t i = 0; i < n; i++) {
    struct wire_series *s = &r->series[r->n++];
    const char *fault = add_attributes(s, points[i]->attributes, points[i]->n_attributes, false);
    for (size_t l = 1; fault == NULL && l < s->n_labels; l++)
      if (strcmp(s->labels[l - 1].name, s->labels[l].name) >= 0)
        fault = "attributes out of order";
    if (fault == NULL)
      fault = add_attributes(s, resource->attributes, resource->n_attributes, true);
    if (fault != NULL || !add_label(s, "__name__", metric->name))
      return fault != NULL ? fault : "too many labels";
    qsort(s->labels, s->n_labels, sizeof(s->labels[0]), compare_labels);
    bool value = points[i]->value_case == OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE_AS_DOUBLE;
    if (points[i]->flags != (value ? 0 : 1) || points[i]->time_unix_nano % 1000 != 0)
      return "neither a value nor the flag that there is none, or no time in microseconds";
    s->bits = value ? bits_of(&points[i]->as_double) : STALE;
    s->ms = (int64_t)(points[i]->time_unix_nano / 1000000);
    s->start_ms = (int64_t)(points[i]->start_time_unix_nano / 1000000);
    s->type = counter ? 1 : 2;
    s->help = must(strdup(metric->description));
    s->unit = must(strdup(metric->unit));
  }
  return NULL;
}

static const char *decode_otlp(struct wire_request *r) {
  Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceRequest *m =
      opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__unpack(NULL, r->raw_len, r->raw);
  if (m == NULL)
    return "no ExportMetricsServiceRequest";
  const char *fault = m->n_resource_metrics > 1 ? "several resources" : NULL;
  if (fault == NULL && m->n_resource_metrics == 1) {
    const Opentelemetry__Proto__Metrics__V1__ResourceMetrics *of = m->resource_metrics[0];
    if (of->resource == NULL || of->n_scope_metrics != 1)
      fault = "no resource, or not one scope";
    for (size_t i = 0; fault == NULL && i < of->scope_metrics[0]->n_metrics; i++) {
      r->n_metrics++;
      fault = decode_points(r, of->resource, of->scope_metrics[0]->metrics[i]);
    }
  }
  repack(r, &m->base);
  opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__free_unpacked(m, NULL);
  return fault;
}

/* --- all ---------------------------------------------------------------------------------------------------------------------- */

const char *wire_decode(enum crm_protocol protocol, const struct crm_body *body, struct wire_request *request) {
  *request = (struct wire_request){0};
  const char *fault = expand(protocol, body, request);
  if (fault == NULL)
    fault = protocol == CRM_REMOTE_WRITE_1   ? decode_rw1(request)
            : protocol == CRM_REMOTE_WRITE_2 ? decode_rw2(request)
                                             : decode_otlp(request);
  if (fault == NULL && request->n != body->n_series)
    fault = "another number of series than said";
  if (fault == NULL && (request->raw_len != request->repacked_len || memcmp(request->raw, request->repacked, request->raw_len) != 0))
    fault = "protobuf-c packs it differently";
  if (fault != NULL)
    wire_request_free(request);
  return fault;
}

void wire_request_free(struct wire_request *r) {
  for (size_t i = 0; i < r->n; i++) {
    struct wire_series *s = &r->series[i];
    for (size_t l = 0; l < s->n_labels; l++) {
      free(s->labels[l].name);
      free(s->labels[l].value);
    }
    free(s->help);
    free(s->unit);
  }
  for (size_t i = 0; i < r->n_symbols; i++)
    free(r->symbols[i]);
  free(r->symbols);
  free(r->series);
  free(r->raw);
  free(r->repacked);
  *r = (struct wire_request){0};
}

const char *wire_label_value(const struct wire_series *series, const char *name) {
  for (size_t l = 0; l < series->n_labels; l++)
    if (strcmp(series->labels[l].name, name) == 0)
      return series->labels[l].value;
  return NULL;
}

/* Unicode, table 3-7: by the code point that comes out. */
static bool is_utf8(const char *text) {
  for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
    int more = *p < 0x80 ? 0 : *p >> 5 == 6 ? 1 : *p >> 4 == 14 ? 2 : *p >> 3 == 30 ? 3 : -1;
    if (more < 0)
      return false;
    unsigned long point = more == 0 ? *p : *p & (0x3fU >> more);
    for (int i = 1; i <= more; i++) {
      if (p[i] >> 6 != 2)
        return false;
      point = point << 6 | (p[i] & 0x3f);
    }
    static const unsigned long least[] = {0, 0x80, 0x800, 0x10000};
    if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
      return false;
    p += more + 1;
  }
  return true;
}

const char *wire_series_fault(const struct wire_series *series) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  for (size_t l = 0; l < series->n_labels; l++) {
    const char *name = series->labels[l].name, *value = series->labels[l].value;
    if (l > 0 && strcmp(series->labels[l - 1].name, name) >= 0)
      return "labels out of order, or twice";
    if (*name == '\0' || strchr(letters, *name) == NULL)
      return "a name that does not begin with a letter";
    for (const char *c = name; *c != '\0'; c++)
      if (strchr(letters, *c) == NULL && (*c < '0' || *c > '9'))
        return "a name with a character that is not allowed";
    if (name[0] == '_' && name[1] == '_' && strcmp(name, "__name__") != 0)
      return "a reserved name";
    if (*value == '\0' || strlen(value) > 1024 || !is_utf8(value))
      return "a value that is empty, too long or not UTF-8";
  }
  const char *const always[] = {"__name__", "job", "instance"};
  for (size_t i = 0; i < 3; i++)
    if (wire_label_value(series, always[i]) == NULL)
      return "no __name__, job or instance";
  return NULL;
}
