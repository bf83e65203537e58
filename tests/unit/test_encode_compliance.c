/* SPDX-License-Identifier: MIT */
/* What the public compliance lists for senders of remote write, 1.0 and 2.0, ask of the bytes of a request; OTLP is held to the same, as
 * Prometheus translates it. What they ask of HTTP is tested with the sink. Each case is run for each format. */
#include "crm_config.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/wire_decode.h"

#define AT_MS INT64_C(1772323200123)
#define START_MS INT64_C(1772000000000)
#define DROPPED "(dropped)"
#define KB10 (10 * 1024)

static const char *const protocol_names[] = {[CRM_REMOTE_WRITE_1] = "rw1", [CRM_REMOTE_WRITE_2] = "rw2", [CRM_OTLP] = "otlp"};
#define FOR_EACH_PROTOCOL(p) for (enum crm_protocol p = CRM_REMOTE_WRITE_1; p <= CRM_OTLP; p++)

struct request {
  struct crm_series_set set;
  struct crm_encoder *encoder;
  struct crm_body body;
  struct wire_request decoded;
};

static void encode_set(struct request *r, const char *name, const struct crm_sink_options *options, const struct crm_pick *picks, size_t n,
                       int64_t start_us) {
  assert_int_equal(crm_encoder_new(options, "fallback", start_us, &r->encoder, NULL), CRM_OK);
  assert_int_equal(crm_encode(r->encoder, AT_MS * 1000 + 456, picks, n, &r->body, NULL), CRM_OK);
  const char *fault = wire_decode(options->protocol, &r->body, &r->decoded);
  for (size_t i = 0; fault == NULL && i < r->decoded.n; i++)
    fault = wire_series_fault(&r->decoded.series[i]);
  if (fault != NULL)
    fail_msg("%s, %s: %s", protocol_names[options->protocol], name, fault);
}

static void free_request(struct request *r) {
  wire_request_free(&r->decoded);
  crm_encoder_free(r->encoder);
  crm_set_free(&r->set);
}

/* --- labels ------------------------------------------------------------------------------------------------------------- */

/* One series of a cell family: labels tenant, up to two dimensions, currency. What it becomes is one text: name=value,... */
static const struct {
  const char *name;
  const char *job, *instance;
  struct crm_name_value external[4];
  const char *dimensions[2];
  const char *values[4]; /* tenant, the dimensions, currency */
  const char *expected;
} label_cases[] = {
    {"plain", NULL, "h", {{0}}, {"segment"}, {"t", "smb", "USD"}, "__name__=crm_arr,currency=USD,instance=h,job=crm,segment=smb,tenant=t"},
    {"instance not configured",
     NULL,
     NULL,
     {{0}},
     {NULL},
     {"t", "USD"},
     "__name__=crm_arr,currency=USD,instance=fallback,job=crm,tenant=t"},
    {"job label", "sales", "h", {{0}}, {NULL}, {"t", "USD"}, "__name__=crm_arr,currency=USD,instance=h,job=sales,tenant=t"},
    {"sorted: capitals stand before __name__",
     NULL,
     "h",
     {{"Zone", "z"}, {"_x", "x"}},
     {"Segment"},
     {"t", "smb", "USD"},
     "Segment=smb,Zone=z,__name__=crm_arr,_x=x,currency=USD,instance=h,job=crm,tenant=t"},
    {"sorted by bytes, whatever order is configured",
     NULL,
     "h",
     {{"b", "2"}, {"ab", "1"}, {"a", "0"}, {"a_", "3"}},
     {NULL},
     {"t", "USD"},
     "__name__=crm_arr,a=0,a_=3,ab=1,b=2,currency=USD,instance=h,job=crm,tenant=t"},
    {"empty labels vanish",
     NULL,
     "h",
     {{"zone", ""}},
     {"segment", "owner"},
     {"t", "", "o", ""},
     "__name__=crm_arr,instance=h,job=crm,owner=o,tenant=t"},
    {"an own label wins over an external one",
     NULL,
     "h",
     {{"tenant", "x"}, {"segment", "y"}},
     {"segment"},
     {"t", "smb", "USD"},
     "__name__=crm_arr,currency=USD,instance=h,job=crm,segment=smb,tenant=t"},
    {"also with an empty value: the series says that there is none",
     NULL,
     "h",
     {{"segment", "y"}},
     {"segment"},
     {"t", "", "USD"},
     "__name__=crm_arr,currency=USD,instance=h,job=crm,tenant=t"},
    {"job and instance win over external labels",
     "sales",
     "h",
     {{"job", "x"}, {"instance", "y"}},
     {NULL},
     {"t", "USD"},
     "__name__=crm_arr,currency=USD,instance=h,job=sales,tenant=t"},
    {"repeated: the first of two external labels stays",
     NULL,
     "h",
     {{"a", "1"}, {"a", "2"}},
     {NULL},
     {"t", "USD"},
     "__name__=crm_arr,a=1,currency=USD,instance=h,job=crm,tenant=t"},
    {"repeated: the first of two own labels stays",
     NULL,
     "h",
     {{0}},
     {"tenant"},
     {"t", "x", "USD"},
     "__name__=crm_arr,currency=USD,instance=h,job=crm,tenant=t"},
    {"reserved and wrong names of external labels are left out",
     NULL,
     "h",
     {{"__name__", "x"}, {"__meta", "x"}, {"a-b", "x"}, {"1a", "x"}},
     {NULL},
     {"t", "USD"},
     "__name__=crm_arr,currency=USD,instance=h,job=crm,tenant=t"},
    {"no series of a label name that receivers refuse", NULL, "h", {{0}}, {"seg ment"}, {"t", "smb", "USD"}, DROPPED},
    {"nor of a reserved one", NULL, "h", {{0}}, {"__name__"}, {"t", "smb", "USD"}, DROPPED},
    {"nor of one in UTF-8", NULL, "h", {{0}}, {"gr\xc3\xb6\xc3\x9f"}, {"t", "smb", "USD"}, DROPPED},
    {"nor of an empty one", NULL, "h", {{0}}, {""}, {"t", "smb", "USD"}, DROPPED},
    {"Unicode values",
     NULL,
     "h",
     {{0}},
     {"segment"},
     {"t", "\xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80", "USD"},
     "__name__=crm_arr,currency=USD,instance=h,job=crm,segment=\xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80,tenant=t"},
    {"characters of URLs, quotes, backslashes, line ends",
     NULL,
     "h",
     {{0}},
     {"segment"},
     {"t", "https://a.b/c?d=e&f#g \"q\" \\ \n\t\r\x01", "USD"},
     "__name__=crm_arr,currency=USD,instance=h,job=crm,segment=https://a.b/c?d=e&f#g \"q\" \\ \n\t\r\x01,tenant=t"},
    {"not UTF-8: as in the text format",
     NULL,
     "h",
     {{0}},
     {"segment"},
     {"t", "gr\xf6\xdf\x65", "USD"},
     "__name__=crm_arr,currency=USD,instance=h,job=crm,segment=gr??e,tenant=t"},
    {"half a character at the end",
     NULL,
     "h",
     {{0}},
     {"segment"},
     {"t", "a\xe6\x97", "USD"},
     "__name__=crm_arr,currency=USD,instance=h,job=crm,segment=a??,tenant=t"},
    {"values from the configuration too",
     "j\xff",
     "h\xc3",
     {{"zone", "z\x80"}},
     {NULL},
     {"t", "USD"},
     "__name__=crm_arr,currency=USD,instance=h?,job=j?,tenant=t,zone=z?"},
    {"blanks are values",
     NULL,
     "h",
     {{0}},
     {"segment"},
     {"t", " ", "USD"},
     "__name__=crm_arr,currency=USD,instance=h,job=crm,segment= ,tenant=t"},
};

static void test_labels(void **state) {
  FOR_EACH_PROTOCOL(protocol) for (size_t i = 0; i < sizeof(label_cases) / sizeof(label_cases[0]); i++) {
    const char *name = label_cases[i].name;
    struct request r = {0};
    struct crm_sink_options options = {.name = "s",
                                       .protocol = protocol,
                                       .job = label_cases[i].job,
                                       .instance = label_cases[i].instance,
                                       .labels = label_cases[i].external};
    while (options.n_labels < 4 && label_cases[i].external[options.n_labels].name != NULL)
      options.n_labels++;
    assert_int_equal(crm_set_init(&r.set), CRM_OK);
    while (r.set.n_dimensions < 2 && label_cases[i].dimensions[r.set.n_dimensions] != NULL) {
      r.set.dimensions[r.set.n_dimensions] = label_cases[i].dimensions[r.set.n_dimensions];
      r.set.n_dimensions++;
    }
    assert_int_equal(crm_set_add(&r.set, CRM_FAM_ARR, label_cases[i].values, 2 + r.set.n_dimensions, crm_number_int(7)), CRM_OK);
    encode_set(&r, name, &options, &(struct crm_pick){.set = &r.set}, 1, 0);
    char got[1024] = DROPPED;
    size_t len = 0;
    for (size_t l = 0; r.decoded.n == 1 && l < r.decoded.series[0].n_labels; l++)
      len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s=%s", l > 0 ? "," : "", r.decoded.series[0].labels[l].name,
                              r.decoded.series[0].labels[l].value);
    if (strcmp(got, label_cases[i].expected) != 0)
      fail_msg("%s, %s: %s", protocol_names[protocol], name, got);
    assert_int_equal(r.body.n_dropped, r.decoded.n == 0 ? 1 : 0);
    free_request(&r);
  }
}

/* --- long values: cut at a character -------------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  const char *unit; /* repeated up to `len` bytes */
  size_t len, expected;
} long_cases[] = {
    {"as long as allowed", "x", 1024, 1024},
    {"one byte more", "x", 1025, 1024},
    {"5 kB", "x", 5000, 1024},
    {"10 kB", "abc", KB10, 1024},
    {"two bytes a character", "\xc3\xa9", 1026, 1024},
    {"three bytes a character: 341 of them", "\xe6\x97\xa5", 1026, 1023},
    {"four bytes a character", "\xf0\x9f\x98\x80", 2048, 1024},
    {"one byte ahead: the last character does not fit", "a\xc3\xa9", 1026, 1024}, /* 341 * 3 = 1023, and "a" */
    {"not UTF-8", "\xff", 3000, 1024},
    {"just short", "x", 1023, 1023},
};

static void test_long_values(void **state) {
  FOR_EACH_PROTOCOL(protocol) for (size_t i = 0; i < sizeof(long_cases) / sizeof(long_cases[0]); i++) {
    struct request r = {0};
    char *value = calloc(1, KB10 + 8);
    assert_non_null(value);
    while (strlen(value) < long_cases[i].len)
      strcat(value, long_cases[i].unit);
    const struct crm_name_value external = {"zone", value};
    const struct crm_sink_options options = {.name = "s", .protocol = protocol, .labels = &external, .n_labels = 1};
    assert_int_equal(crm_set_init(&r.set), CRM_OK);
    assert_int_equal(crm_set_add(&r.set, CRM_FAM_ARR, (const char *[]){"t", value}, 2, crm_number_int(7)), CRM_OK);
    encode_set(&r, long_cases[i].name, &options, &(struct crm_pick){.set = &r.set}, 1, 0);
    if (*value == '\xff')
      memset(value, '?', strlen(value));
    value[long_cases[i].expected] = '\0';
    if (strcmp(wire_label_value(&r.decoded.series[0], "currency"), value) != 0 ||
        strcmp(wire_label_value(&r.decoded.series[0], "zone"), value) != 0)
      fail_msg("%s, %s: %zu bytes", protocol_names[protocol], long_cases[i].name,
               strlen(wire_label_value(&r.decoded.series[0], "currency")));
    free(value);
    free_request(&r);
  }
}

/* --- samples -------------------------------------------------------------------------------------------------------------- */

/* Bits of IEEE 754 doubles, from tables and by hand. */
static const struct {
  const char *name;
  struct crm_number number;
  bool stale;
  uint64_t bits;
} value_cases[] = {
    {"zero", {0, 1, 0}, false, 0},
    {"minus zero is zero", {0, 0, -0.0}, false, 0},
    {"one", {1, 1, 0}, false, UINT64_C(0x3ff0000000000000)},
    {"42", {42, 1, 0}, false, UINT64_C(0x4045000000000000)},
    {"123.45 from cents", {12345, 100, 0}, false, UINT64_C(0x405edccccccccccd)},
    {"-15.5", {0, 0, -15.5}, false, UINT64_C(0xc02f000000000000)},
    {"1.23e-4", {123, 1000000, 0}, false, UINT64_C(0x3f201f31f46ed246)},
    {"a third", {1, 3, 0}, false, UINT64_C(0x3fd5555555555555)},
    {"two thirds", {2, 3, 0}, false, UINT64_C(0x3fe5555555555555)},
    {"largest", {0, 0, DBL_MAX}, false, UINT64_C(0x7fefffffffffffff)},
    {"smallest normal", {0, 0, DBL_MIN}, false, UINT64_C(0x0010000000000000)},
    {"smallest", {0, 0, 4.9406564584124654e-324}, false, 1},
    {"2^53 + 1 goes to the even neighbour", {INT64_C(9007199254740993), 1, 0}, false, UINT64_C(0x4340000000000000)},
    {"largest integer", {INT64_MAX, 1, 0}, false, UINT64_C(0x43e0000000000000)},
    {"smallest integer", {INT64_MIN, 1, 0}, false, UINT64_C(0xc3e0000000000000)},
    {"stale marker", {42, 1, 0}, true, UINT64_C(0x7ff0000000000002)},
    {"stale marker of zero", {0, 1, 0}, true, UINT64_C(0x7ff0000000000002)},
};

static void test_values(void **state) {
  FOR_EACH_PROTOCOL(protocol) for (size_t i = 0; i < sizeof(value_cases) / sizeof(value_cases[0]); i++) {
    struct request r = {0};
    const struct crm_sink_options options = {.name = "s", .protocol = protocol};
    assert_int_equal(crm_set_init(&r.set), CRM_OK);
    assert_int_equal(crm_set_add(&r.set, CRM_FAM_UP, (const char *[]){"t"}, 1, value_cases[i].number), CRM_OK);
    encode_set(&r, value_cases[i].name, &options, &(struct crm_pick){.set = &r.set, .stale = value_cases[i].stale}, 1, 0);
    assert_int_equal(r.decoded.n, 1);
    if (r.decoded.series[0].bits != value_cases[i].bits)
      fail_msg("%s, %s: %016llx", protocol_names[protocol], value_cases[i].name, (unsigned long long)r.decoded.series[0].bits);
    free_request(&r);
  }
}

/* --- timestamps ------------------------------------------------------------------------------------------------------------ */

static const struct {
  const char *name;
  int64_t start_us;
  enum crm_family family;
  bool stale;
  int64_t start_ms[3]; /* as sent by each format */
} time_cases[] = {
    {"a counter tells since when", START_MS * 1000, CRM_FAM_ROWS_REJECTED_TOTAL, false, {0, START_MS, START_MS}},
    {"a gauge has no start", START_MS * 1000, CRM_FAM_RELATION_ROWS, false, {0, 0, 0}},
    {"an unknown start is not said", 0, CRM_FAM_ROWS_REJECTED_TOTAL, false, {0, 0, 0}},
    {"nor one in the future", (AT_MS + 1000) * 1000, CRM_FAM_ROWS_REJECTED_TOTAL, false, {0, 0, 0}},
    {"nor none", CRM_TIME_NONE, CRM_FAM_ROWS_REJECTED_TOTAL, false, {0, 0, 0}},
    {"the end of a counter", START_MS * 1000, CRM_FAM_ROWS_REJECTED_TOTAL, true, {0, 0, START_MS}},
};

static void test_times(void **state) {
  FOR_EACH_PROTOCOL(protocol) for (size_t i = 0; i < sizeof(time_cases) / sizeof(time_cases[0]); i++) {
    struct request r = {0};
    const struct crm_sink_options options = {.name = "s", .protocol = protocol};
    const size_t n_labels = 1 + crm_family_label_count(time_cases[i].family);
    assert_int_equal(crm_set_init(&r.set), CRM_OK);
    assert_int_equal(crm_set_add(&r.set, time_cases[i].family, (const char *[]){"t", "nps", "r"}, n_labels, crm_number_int(3)), CRM_OK);
    encode_set(&r, time_cases[i].name, &options, &(struct crm_pick){.set = &r.set, .stale = time_cases[i].stale}, 1,
               time_cases[i].start_us);
    const struct wire_series *s = &r.decoded.series[0];
    if (s->ms != AT_MS || s->start_ms != time_cases[i].start_ms[protocol] || s->start_ms > s->ms)
      fail_msg("%s, %s: %lld, %lld", protocol_names[protocol], time_cases[i].name, (long long)s->ms, (long long)s->start_ms);
    free_request(&r);
  }
}

/* --- metadata, symbols, metrics, order --------------------------------------------------------------------------------------- */

/* Every family of the catalogue, twice each, and the second half as ended series of another set. */
static void add_all_families(struct crm_series_set *set, int value) {
  assert_int_equal(crm_set_init(set), CRM_OK);
  set->dimensions[0] = "segment";
  set->n_dimensions = 1;
  for (int f = 0; f < CRM_FAMILIES; f++) {
    const struct crm_family_info *info = crm_family_info((enum crm_family)f);
    const char *labels[16] = {"t"};
    size_t n = 1;
    if (info->scope == CRM_SCOPE_CELL || info->scope == CRM_SCOPE_ACCOUNT)
      labels[n++] = "smb";
    for (size_t l = crm_family_label_count((enum crm_family)f); l > 0; l--)
      labels[n++] = "1";
    assert_int_equal(crm_set_add(set, (enum crm_family)f, labels, n, crm_number_int(value)), CRM_OK);
  }
}

static bool same_text(const char *a, const char *b) {
  return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

/* The name that Prometheus and the Collector's exporters make of an OTLP metric: pieces between underscores, none of them empty; the unit
 * behind them, if there is one (with "1" a gauge becomes a ratio); "total" last for what is monotonic, wherever it stood. */
static void translate(const struct wire_series *s, char *out, size_t size) {
  const char *name = wire_label_value(s, "__name__");
  const char *suffixes[] = {s->type == 2 && strcmp(s->unit, "1") == 0 ? "ratio" : s->unit, s->type == 1 ? "total" : ""};
  size_t len = 0;
  out[0] = '\0';
  for (const char *at = name; *at != '\0'; at += *at == '_') {
    size_t n = strcspn(at, "_");
    bool total = s->type == 1 && n == 5 && memcmp(at, "total", 5) == 0;
    if (n > 0 && !total)
      len += (size_t)snprintf(out + len, size - len, "%s%.*s", len > 0 ? "_" : "", (int)n, at);
    at += n;
  }
  for (size_t i = 0; i < 2; i++)
    if (suffixes[i][0] != '\0')
      len += (size_t)snprintf(out + len, size - len, "_%s", suffixes[i]);
}

static void test_metadata(void **state) {
  FOR_EACH_PROTOCOL(protocol) {
    struct request r = {0};
    struct crm_series_set ended;
    const struct crm_sink_options options = {.name = "s", .protocol = protocol};
    struct crm_pick picks[2 * CRM_FAMILIES];
    add_all_families(&r.set, 1);
    add_all_families(&ended, 2);
    /* Mixed, so that the points of a metric come apart, and from the last family to the first. */
    for (uint32_t f = 0; f < CRM_FAMILIES; f++) {
      picks[f] = (struct crm_pick){.set = &r.set, .sample = f};
      picks[2 * CRM_FAMILIES - 1 - f] = (struct crm_pick){.set = &ended, .sample = f, .stale = true};
    }
    encode_set(&r, "all families", &options, picks, 2 * CRM_FAMILIES, START_MS * 1000);
    assert_int_equal(r.decoded.n, 2 * CRM_FAMILIES);
    int seen[CRM_FAMILIES] = {0};
    for (size_t i = 0; i < r.decoded.n; i++) {
      const struct wire_series *s = &r.decoded.series[i];
      enum crm_family family = crm_family_by_name(wire_label_value(s, "__name__"));
      assert_int_not_equal(family, CRM_FAMILIES);
      const struct crm_family_info *info = crm_family_info(family);
      seen[family] += s->bits == UINT64_C(0x7ff0000000000002) ? 16 : s->bits == UINT64_C(0x3ff0000000000000) ? 1 : 256;
      bool told = protocol != CRM_REMOTE_WRITE_1;
      int type = !told ? 0 : info->kind == CRM_COUNTER ? 1 : 2;
      if (s->type != type || !same_text(s->help, told ? info->help : NULL) ||
          !same_text(s->unit, !told                  ? NULL
                              : protocol == CRM_OTLP ? ""
                                                     : info->unit))
        fail_msg("%s, %s: type %d, help %s, unit %s", protocol_names[protocol], info->name, s->type, s->help, s->unit);
      char translated[128] = "";
      if (protocol == CRM_OTLP)
        translate(s, translated, sizeof(translated));
      if (protocol == CRM_OTLP && strcmp(translated, wire_label_value(s, "__name__")) != 0)
        fail_msg("%s becomes %s in Prometheus", info->name, translated);
      if (protocol != CRM_OTLP && strcmp(wire_label_value(s, "__name__"),
                                         crm_family_info((enum crm_family)(i < CRM_FAMILIES ? i : 2 * CRM_FAMILIES - 1 - i))->name) != 0)
        fail_msg("%s: not in the order given", protocol_names[protocol]);
    }
    for (int f = 0; f < CRM_FAMILIES; f++)
      assert_int_equal(seen[f], 17); /* the value once and the marker once */
    if (protocol == CRM_OTLP)
      assert_int_equal(r.decoded.n_metrics, CRM_FAMILIES);
    crm_set_free(&ended);
    free_request(&r);
  }
}

static int compare_symbols(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* symbols[0] is "", none comes twice, also when the same text comes from several sets, and none is left over from an earlier request. */
static void test_symbols(void **state) {
  const struct crm_name_value external[] = {{"zone", "t"}, {"t", "zone"}};
  const struct crm_sink_options options = {
      .name = "s", .protocol = CRM_REMOTE_WRITE_2, .job = "t", .instance = "tenant", .labels = external, .n_labels = 2};
  struct request r = {0};
  struct crm_series_set own;
  struct crm_body body;
  assert_int_equal(crm_set_init(&own), CRM_OK);
  assert_int_equal(crm_set_init(&r.set), CRM_OK);
  char value[64];
  for (int i = 0; i < 3000; i++) { /* more than there are memos */
    snprintf(value, sizeof(value), "account-%d", i % 2000);
    assert_int_equal(crm_set_add(&r.set, CRM_FAM_ACCOUNT_ARR, (const char *[]){"t", value, i < 2000 ? "USD" : "EUR"}, 3, crm_number_int(i)),
                     CRM_OK);
    assert_int_equal(crm_set_add(&own, CRM_FAM_UP, (const char *[]){value}, 1, crm_number_int(i)), CRM_OK);
  }
  struct crm_pick *picks = calloc(6000, sizeof(*picks));
  assert_non_null(picks);
  for (uint32_t i = 0; i < 3000; i++) {
    picks[2 * i] = (struct crm_pick){.set = &r.set, .sample = i};
    picks[2 * i + 1] = (struct crm_pick){.set = &own, .sample = i};
  }
  encode_set(&r, "symbols", &options, picks, 6000, 0);
  for (uint32_t i = 0; i < 3000; i++) {
    const struct wire_series *s = &r.decoded.series[2 * i], *o = &r.decoded.series[2 * i + 1];
    snprintf(value, sizeof(value), "account-%d", i % 2000);
    assert_string_equal(wire_label_value(s, "account"), value);
    assert_string_equal(wire_label_value(s, "currency"), i < 2000 ? "USD" : "EUR");
    assert_string_equal(wire_label_value(o, "tenant"), value);
    assert_string_equal(wire_label_value(o, "zone"), "t");
  }
  assert_string_equal(r.decoded.symbols[0], "");
  /* "", __name__, account, tenant, instance, job, zone, t, currency, USD, EUR; 2 names, 2 helps, 1 unit ("currency" again); 2000 accounts
   */
  assert_int_equal(r.decoded.n_symbols, 11 + 2 + 2 + 2000);
  qsort(r.decoded.symbols, r.decoded.n_symbols, sizeof(char *), compare_symbols);
  for (size_t i = 1; i < r.decoded.n_symbols; i++)
    assert_string_not_equal(r.decoded.symbols[i - 1], r.decoded.symbols[i]);
  wire_request_free(&r.decoded);

  assert_int_equal(crm_encode(r.encoder, AT_MS * 1000, picks + 1, 1, &body, NULL), CRM_OK);
  assert_null(wire_decode(CRM_REMOTE_WRITE_2, &body, &r.decoded));
  assert_int_equal(r.decoded.n_symbols, 10); /* "", __name__, crm_up, its help, instance, tenant, job, t, zone, account-0 */
  crm_set_free(&own);
  free(picks);
  free_request(&r);
}

/* --- picks by account ------------------------------------------------------------------------------------------------------------ */

static void test_by_account(void **state) {
  struct crm_series_set sets[2];
  struct crm_pick picks[16];
  size_t n = 0;
  for (int s = 0; s < 2; s++) {
    assert_int_equal(crm_set_init(&sets[s]), CRM_OK);
    const char *const accounts[] = {"b", "a", "c"};
    for (int a = 0; a < 3; a++)
      assert_int_equal(crm_set_add(&sets[s], CRM_FAM_ACCOUNT_ARR, (const char *[]){"t", accounts[a], "USD"}, 3, crm_number_int(a)), CRM_OK);
    for (int a = 2; a >= 0; a--)
      assert_int_equal(crm_set_add(&sets[s], CRM_FAM_ACCOUNT_HEALTH_SCORE, (const char *[]){"t", accounts[a]}, 2, crm_number_int(10 + a)),
                       CRM_OK);
    assert_int_equal(crm_set_add(&sets[s], CRM_FAM_UP, (const char *[]){"b"}, 1, crm_number_int(20)), CRM_OK);
  }
  for (uint32_t i = 0; i < 7; i++) /* two sets, one pick of each by turns */
    for (int s = 0; s < 2; s++)
      picks[n++] = (struct crm_pick){.set = &sets[s], .sample = i, .stale = s == 1};
  assert_int_equal(crm_picks_by_account(picks, n), CRM_OK);
  static const int64_t expected[] = {20, 0, 10, 1, 11, 2, 12};
  for (size_t i = 0; i < n; i++) {
    assert_ptr_equal(picks[i].set, &sets[i / 7]);
    assert_int_equal(picks[i].stale, i / 7 == 1);
    assert_int_equal(picks[i].set->samples[picks[i].sample].value.num, expected[i % 7]);
  }
  assert_int_equal(crm_picks_by_account(picks, 0), CRM_OK);
  crm_set_free(&sets[0]);
  crm_set_free(&sets[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_labels),   cmocka_unit_test(test_long_values), cmocka_unit_test(test_values),     cmocka_unit_test(test_times),
      cmocka_unit_test(test_metadata), cmocka_unit_test(test_symbols),     cmocka_unit_test(test_by_account),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
