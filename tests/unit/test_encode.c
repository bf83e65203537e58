/* SPDX-License-Identifier: MIT */
/* Bytes of small requests, worked out by hand from the .proto files of the specifications; protocol headers; compression. */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/wire_decode.h"
#include "proto/otlp_service.pb-c.h"
#include "unit/otlp_js.h"

#define AT_MS INT64_C(1700000000000)
#define START_MS INT64_C(1600000000000)

static const char *help_of(enum crm_family family) {
  return crm_family_info(family)->help;
}

/* Two series: crm_up 1 and the counter crm_rows_rejected_total 5, in this order. */
static void two_series(struct crm_series_set *set, struct crm_pick picks[2]) {
  assert_int_equal(crm_set_init(set), CRM_OK);
  assert_int_equal(crm_set_add(set, CRM_FAM_UP, (const char *[]){"t"}, 1, crm_number_int(1)), CRM_OK);
  assert_int_equal(crm_set_add(set, CRM_FAM_ROWS_REJECTED_TOTAL, (const char *[]){"t", "nps", "r"}, 3, crm_number_int(5)), CRM_OK);
  picks[0] = (struct crm_pick){.set = set, .sample = 0};
  picks[1] = (struct crm_pick){.set = set, .sample = 1};
}

/* --- bytes written down ------------------------------------------------------------------------------------------------- */

struct bytes {
  unsigned char data[8192];
  size_t len;
};

/* Pairs of hexadecimal digits, text between apostrophes, blanks. */
static void say(struct bytes *to, const char *text) {
  while (*text != '\0') {
    if (*text == ' ') {
      text++;
    } else if (*text == '\'') {
      for (text++; *text != '\''; text++)
        to->data[to->len++] = (unsigned char)*text;
      text++;
    } else {
      unsigned byte;
      assert_int_equal(sscanf(text, "%2x", &byte), 1);
      to->data[to->len++] = (unsigned char)byte;
      text += 2;
    }
  }
}

/* A field whose length depends on the catalogue's help: tag, length of two bytes (128 to 16383), or of one, then the content. */
static void say_field(struct bytes *to, unsigned char tag, const void *content, size_t len) {
  to->data[to->len++] = tag;
  if (len < 128) {
    to->data[to->len++] = (unsigned char)len;
  } else {
    assert_true(len < 16384);
    to->data[to->len++] = (unsigned char)(len % 128 + 128);
    to->data[to->len++] = (unsigned char)(len / 128);
  }
  memcpy(to->data + to->len, content, len);
  to->len += len;
}

static void check_bytes(enum crm_protocol protocol, bool stale, const struct bytes *expected) {
  const struct crm_sink_options options = {.name = "s", .protocol = protocol, .instance = "h1"};
  struct crm_encoder *encoder;
  struct crm_series_set set;
  struct crm_pick picks[2];
  struct crm_body body;
  two_series(&set, picks);
  picks[0].stale = picks[1].stale = stale;
  assert_int_equal(crm_encoder_new(&options, "unused", START_MS * 1000, &encoder, NULL), CRM_OK);
  for (int round = 0; round < 3; round++) { /* nothing of a request is left in the next */
    struct wire_request request;
    assert_int_equal(crm_encode(encoder, AT_MS * 1000, picks, 2, &body, NULL), CRM_OK);
    const char *fault = wire_decode(protocol, &body, &request);
    if (fault != NULL)
      fail_msg("%s", fault);
    assert_int_equal(request.raw_len, expected->len);
    assert_memory_equal(request.raw, expected->data, expected->len);
    assert_int_equal(body.n_series, 2);
    assert_int_equal(body.n_dropped, 0);
    wire_request_free(&request);
  }
  crm_encoder_free(encoder);
  crm_set_free(&set);
}

#define TIME_MS "10 80d095ffbc31"                      /* 1700000000000 as a varint: 0, 80, 21, 127, 60, 49 from the lowest seven bits on */
#define START_VARINT "18 8080babbc82e"                 /* 1600000000000: 0, 0, 58, 59, 72, 46 */
#define TIME_NS "19 00002a36fe9c9717"                  /* 1700000000000000000 = 0x17979cfe362a0000 */
#define START_NS "11 0000a0d885573416"                 /* 1600000000000000000 = 0x16345785d8a00000 */
#define ONE "000000000000f03f"                         /* 1.0 */
#define FIVE "0000000000001440"                        /* 5.0 */
#define STALE_NAN "020000000000f07f"                   /* 0x7ff0000000000002 */
#define LABEL_INSTANCE "0a0e 0a08'instance' 1202'h1' " /* Label: 2 + 8 + 2 + 2 = 14 */
#define LABEL_JOB "0a0a 0a03'job' 1203'crm' "
#define LABEL_TENANT "0a0b 0a06'tenant' 1201't' "

static void say_rw1(struct bytes *to, const char *up, const char *rejected) {
  say(to, "0a4f "); /* WriteRequest.timeseries: 20 + 16 + 12 + 13 + 18 = 79 */
  say(to, "0a12 0a08'__name__' 1206'crm_up' " LABEL_INSTANCE LABEL_JOB LABEL_TENANT);
  say(to, "1210 09"); /* TimeSeries.samples: 9 + 7 = 16; Sample.value */
  say(to, up);
  say(to, TIME_MS);
  say(to, "0a7e "); /* 37 + 16 + 12 + 13 + 17 + 13 + 18 = 126 */
  say(to, "0a23 0a08'__name__' 1217'crm_rows_rejected_total' " LABEL_INSTANCE LABEL_JOB);
  say(to, "0a0b 0a06'reason' 1201'r' 0a0f 0a08'relation' 1203'nps' " LABEL_TENANT);
  say(to, "1210 09");
  say(to, rejected);
  say(to, TIME_MS);
}

static void test_rw1_bytes(void **state) {
  struct bytes values = {.len = 0}, stale = {.len = 0};
  say_rw1(&values, ONE, FIVE);
  check_bytes(CRM_REMOTE_WRITE_1, false, &values);
  say_rw1(&stale, STALE_NAN, STALE_NAN);
  check_bytes(CRM_REMOTE_WRITE_1, true, &stale);
}

/* Symbols are numbered in the order in which the series are written, the last first: names and constants of its family, help, unit, own
 * values. */
static void say_rw2(struct bytes *to, bool stale) {
  const char *rejected = help_of(CRM_FAM_ROWS_REJECTED_TOTAL), *up = help_of(CRM_FAM_UP);
  say(to, "2200 2208'__name__' 2217'crm_rows_rejected_total' 2208'instance' 2202'h1' 2203'job' 2203'crm' "); /* 0 to 6 */
  say(to, "2206'reason' 2208'relation' 2206'tenant' ");                                                      /* 7, 8, 9 */
  say_field(to, 0x22, rejected, strlen(rejected));                                                           /* 10 */
  say(to, "2204'rows' 2201't' 2203'nps' 2201'r' 2206'crm_up' ");                                             /* 11 to 15 */
  say_field(to, 0x22, up, strlen(up));                                                                       /* 16 */

  say(to, "2a22 0a08 010f 0304 0506 090c "); /* Request.timeseries: 10 + 18 + 6 = 34; labels_refs */
  say(to, stale ? "1210 09" STALE_NAN TIME_MS : "1210 09" ONE TIME_MS);
  say(to, "2a04 0802 1810 "); /* Metadata: gauge, help 16, no unit */

  say(to, stale ? "2a28 " : "2a2f "); /* 14 + 25 + 8 = 47; without the start 40 */
  say(to, "0a0c 0102 0304 0506 070e 080d 090c ");
  say(to, stale ? "1210 09" STALE_NAN TIME_MS : "1217 09" FIVE TIME_MS START_VARINT);
  say(to, "2a06 0801 180a 200b "); /* counter, help 10, unit 11 */
}

static void test_rw2_bytes(void **state) {
  struct bytes values = {.len = 0}, stale = {.len = 0};
  say_rw2(&values, false);
  check_bytes(CRM_REMOTE_WRITE_2, false, &values);
  say_rw2(&stale, true);
  check_bytes(CRM_REMOTE_WRITE_2, true, &stale);
}

static void say_otlp(struct bytes *to, bool stale) {
  const char *rejected_help = help_of(CRM_FAM_ROWS_REJECTED_TOTAL), *up_help = help_of(CRM_FAM_UP);
  struct bytes up = {.len = 0}, rejected = {.len = 0}, scope = {.len = 0}, resource = {.len = 0};

  say(&up, "0a06'crm_up' "); /* Metric.name */
  say_field(&up, 0x12, up_help, strlen(up_help));
  /* Metric.gauge, Gauge.data_points: 9 + 9 + 15 = 33, stale 9 + 15 + 2 = 26 */
  say(&up, stale ? "2a1c 0a1a " TIME_NS : "2a23 0a21 " TIME_NS "21" ONE);
  say(&up, "3a0d 0a06'tenant' 1203 0a01't' ");
  if (stale)
    say(&up, "4001 "); /* NumberDataPoint.flags: no recorded value */

  say(&rejected, "0a17'crm_rows_rejected_total' ");
  say_field(&rejected, 0x12, rejected_help, strlen(rejected_help));
  /* Metric.sum, Sum.data_points: 3 * 9 + 15 + 19 + 15 = 76, stale 76 - 9 + 2 = 69 */
  say(&rejected, stale ? "3a4b 0a45 " START_NS TIME_NS : "3a52 0a4c " START_NS TIME_NS "21" FIVE);
  say(&rejected, "3a0d 0a06'reason' 1203 0a01'r' 3a11 0a08'relation' 1205 0a03'nps' 3a0d 0a06'tenant' 1203 0a01't' ");
  if (stale)
    say(&rejected, "4001 ");
  say(&rejected, "1002 1801 "); /* cumulative, monotonic */

  say_field(&scope, 0x12, up.data, up.len); /* ScopeMetrics.metrics */
  say_field(&scope, 0x12, rejected.data, rejected.len);
  say(&resource, "0a34 0a15 0a0c'service.name' 1205 0a03'crm' 0a1b 0a13'service.instance.id' 1204 0a02'h1' ");
  say_field(&resource, 0x12, scope.data, scope.len); /* ResourceMetrics.scope_metrics */
  say_field(to, 0x0a, resource.data, resource.len);
}

static void test_otlp_bytes(void **state) {
  struct bytes values = {.len = 0}, stale = {.len = 0};
  say_otlp(&values, false);
  check_bytes(CRM_OTLP, false, &values);
  say_otlp(&stale, true);
  check_bytes(CRM_OTLP, true, &stale);
}

/* --- against another encoder ------------------------------------------------------------------------------------------------ */

typedef Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceRequest otlp_request;
typedef Opentelemetry__Proto__Metrics__V1__ResourceMetrics otlp_resource_metrics;
typedef Opentelemetry__Proto__Metrics__V1__Metric otlp_metric;

/* Takes out what the two are meant to differ in: the text of the help, and what JavaScript sends besides: a scope, a count of 0 attributes
 * dropped (both unknown to our .proto files), a start for gauges. Then the bytes must be the same. */
static void level(otlp_request *request) {
  otlp_resource_metrics *of = request->resource_metrics[0];
  assert_int_equal(request->n_resource_metrics, 1);
  assert_int_equal(of->n_scope_metrics, 1);
  of->resource->base.n_unknown_fields = 0;
  of->scope_metrics[0]->base.n_unknown_fields = 0;
  for (size_t i = 0; i < of->scope_metrics[0]->n_metrics; i++) {
    otlp_metric *metric = of->scope_metrics[0]->metrics[i];
    metric->description = (char *)"";
    if (metric->data_case == OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_GAUGE)
      metric->gauge->data_points[0]->start_time_unix_nano = 0;
  }
}

static otlp_request *unpack(const unsigned char *bytes, size_t len) {
  otlp_request *request = opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__unpack(NULL, len, bytes);
  assert_non_null(request);
  return request;
}

static size_t pack_level(const unsigned char *bytes, size_t len, unsigned char packed[1024]) {
  otlp_request *request = unpack(bytes, len);
  otlp_resource_metrics *of = request->resource_metrics[0];
  size_t n_unknown_of_resource = of->resource->base.n_unknown_fields, n_unknown = of->scope_metrics[0]->base.n_unknown_fields;
  size_t n_metrics = of->scope_metrics[0]->n_metrics;
  char *descriptions[2];
  assert_int_equal(n_metrics, 2);
  for (size_t i = 0; i < n_metrics; i++)
    descriptions[i] = of->scope_metrics[0]->metrics[i]->description;
  level(request);
  size_t packed_len = opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__get_packed_size(request);
  assert_true(packed_len <= 1024);
  opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__pack(request, packed);
  for (size_t i = 0; i < n_metrics; i++) /* to be freed */
    of->scope_metrics[0]->metrics[i]->description = descriptions[i];
  of->resource->base.n_unknown_fields = n_unknown_of_resource;
  of->scope_metrics[0]->base.n_unknown_fields = n_unknown;
  opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__free_unpacked(request, NULL);
  return packed_len;
}

static void test_otlp_as_javascript(void **state) {
  struct bytes ours = {.len = 0};
  unsigned char a[1024], b[1024];
  say_otlp(&ours, false); /* test_otlp_bytes shows that these are the encoder's */
  size_t a_len = pack_level(ours.data, ours.len, a), b_len = pack_level(otlp_js, sizeof(otlp_js), b);
  assert_int_equal(a_len, b_len);
  assert_memory_equal(a, b, a_len);
}

/* --- headers, empty requests, large ones ---------------------------------------------------------------------------------- */

static void test_headers(void **state) {
  static const struct {
    enum crm_protocol protocol;
    struct crm_name_value headers[4];
  } cases[] = {
      {CRM_REMOTE_WRITE_1,
       {{"Content-Type", "application/x-protobuf"}, {"Content-Encoding", "snappy"}, {"X-Prometheus-Remote-Write-Version", "0.1.0"}}},
      {CRM_REMOTE_WRITE_2,
       {{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
        {"Content-Encoding", "snappy"},
        {"X-Prometheus-Remote-Write-Version", "2.0.0"}}},
      {CRM_OTLP, {{"Content-Type", "application/x-protobuf"}, {"Content-Encoding", "gzip"}}},
  };
  for (size_t i = 0; i < 3; i++) {
    const struct crm_name_value *headers = crm_protocol_headers(cases[i].protocol);
    for (size_t h = 0;; h++) {
      if (cases[i].headers[h].name == NULL) {
        assert_null(headers[h].name);
        break;
      }
      assert_string_equal(headers[h].name, cases[i].headers[h].name);
      assert_string_equal(headers[h].value, cases[i].headers[h].value);
    }
  }
}

static void test_empty(void **state) {
  for (int protocol = CRM_REMOTE_WRITE_1; protocol <= CRM_OTLP; protocol++) {
    const struct crm_sink_options options = {.name = "s", .protocol = (enum crm_protocol)protocol};
    struct crm_encoder *encoder;
    struct crm_body body;
    struct wire_request request;
    assert_int_equal(crm_encoder_new(&options, "h", 0, &encoder, NULL), CRM_OK);
    assert_int_equal(crm_encode(encoder, AT_MS * 1000, NULL, 0, &body, NULL), CRM_OK);
    const char *fault = wire_decode((enum crm_protocol)protocol, &body, &request);
    if (fault != NULL)
      fail_msg("protocol %d: %s", protocol, fault);
    assert_int_equal(request.n, 0);
    assert_int_equal(request.n_symbols, protocol == CRM_REMOTE_WRITE_2 ? 1 : 0);
    wire_request_free(&request);
    crm_encoder_free(encoder);
  }
  crm_encoder_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rw1_bytes),          cmocka_unit_test(test_rw2_bytes), cmocka_unit_test(test_otlp_bytes),
      cmocka_unit_test(test_otlp_as_javascript), cmocka_unit_test(test_headers),   cmocka_unit_test(test_empty),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
