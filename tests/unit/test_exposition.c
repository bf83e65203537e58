/* SPDX-License-Identifier: MIT */
/* Series to the bytes of a scrape, against bytes written by hand; and which format a reader gets. */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/exposition.h"
#include "proto/prometheus_client.pb-c.h"

#define HELP_ACCOUNTS                                                                                                                      \
  "Accounts that exist at the instant, by status. Churned ones are included, an empty status is unknown, and the statuses add up to all "  \
  "accounts. An account whose churn takes effect later is active until then."
#define HELP_INFO "Always 1: carries what is known of an account, to be joined on tenant and account. Names may be hashed or switched off."
#define HELP_UP "Whether the last read of the CRM succeeded: 1 if so, else 0."
#define HELP_REJECTED                                                                                                                      \
  "Rows refused because they make no sense, by reason, since the start. undated_churn counts churned accounts without any date of it."
#define HELP_SYNC "How long each phase of the last read of the CRM took."
#define HELP_BUILD "Always 1: carries the version of this software and of the daemon it runs in."

static void add(struct crm_series_set *set, enum crm_family family, struct crm_number value, const char *const *labels) {
  size_t n = 0;
  while (labels[n] != NULL)
    n++;
  assert_int_equal(crm_set_add(set, family, labels, n, value), CRM_OK);
}
#define ADD(set, family, value, ...) add(set, CRM_FAM_##family, value, (const char *const[]){__VA_ARGS__, NULL})

static void begin(struct crm_series_set *set) {
  assert_int_equal(crm_set_init(set), CRM_OK);
  set->dimensions[0] = "segment";
  set->n_dimensions = 1;
}

static void end(struct crm_series_set *set) {
  assert_int_equal(crm_set_sort(set), CRM_OK);
}

/* Appends to a buffer that already holds something, which must stay. */
static void expect(const struct crm_series_set *const *sets, size_t n, const struct crm_exposition_options *options, const char *wanted) {
  struct crm_strbuf out;
  crm_strbuf_init(&out, 1 << 20);
  crm_strbuf_adds(&out, "#");
  assert_int_equal(crm_exposition(sets, n, options, NULL, &out), CRM_OK);
  assert_string_equal(crm_strbuf_str(&out) + 1, wanted);
  assert_int_equal(out.len, strlen(wanted) + 1);
  crm_strbuf_free(&out);
}

static const struct crm_exposition_options text = {CRM_EXPOSITION_TEXT, true, NULL}, open = {CRM_EXPOSITION_OPENMETRICS, true, NULL},
                                           no_accounts = {CRM_EXPOSITION_TEXT, false, NULL};

static void test_empty(void **state) {
  struct crm_series_set set;
  begin(&set);
  const struct crm_series_set *sets[] = {&set};
  expect(sets, 1, &text, "");
  expect(sets, 1, &open, "# EOF\n");
  expect(NULL, 0, &open, "# EOF\n");
  crm_set_free(&set);
}

/* Two instances: families stay in one piece, each instance in its place; what OpenMetrics wants of counters, units and info. */
static void test_two_instances(void **state) {
  struct crm_series_set a, a_own, b, b_own;
  begin(&a);
  ADD(&a, ACCOUNT_INFO, crm_number_int(1), "acme", "1", "Zoe & Co", "smb", "ann", "", "eu", "active", "EUR");
  ADD(&a, ACCOUNTS, crm_number_int(2), "acme", "smb", "churned");
  ADD(&a, ACCOUNTS, crm_number_ratio(12345, 100), "acme", "smb", "active");
  end(&a);
  begin(&b);
  b.dimensions[0] = "industry"; /* instances may differ in GroupBy */
  ADD(&b, ACCOUNTS, crm_number_int(7), "zeta", "steel", "active");
  end(&b);
  begin(&a_own);
  ADD(&a_own, UP, crm_number_int(1), "one");
  ADD(&a_own, ROWS_REJECTED_TOTAL, crm_number_int(3), "one", "usage", "no_account");
  ADD(&a_own, SYNC_DURATION_SECONDS, crm_number_ratio(1500000, 1000000), "one", "read");
  ADD(&a_own, BUILD_INFO, crm_number_int(1), "one", "0.1.0", "5.12.0");
  end(&a_own);
  begin(&b_own);
  ADD(&b_own, UP, crm_number_int(0), "two");
  end(&b_own);
  const struct crm_series_set *sets[] = {&a, &a_own, &b, &b_own};
  expect(sets, 4, &text,
         "# HELP crm_accounts " HELP_ACCOUNTS "\n# TYPE crm_accounts gauge\n"
         "crm_accounts{tenant=\"acme\",segment=\"smb\",status=\"active\"} 123.45\n"
         "crm_accounts{tenant=\"acme\",segment=\"smb\",status=\"churned\"} 2\n"
         "crm_accounts{tenant=\"zeta\",industry=\"steel\",status=\"active\"} 7\n"
         "# HELP crm_account_info " HELP_INFO "\n# TYPE crm_account_info gauge\n"
         "crm_account_info{tenant=\"acme\",account=\"1\",account_name=\"Zoe & Co\",segment=\"smb\",account_owner=\"ann\",industry=\"\","
         "account_region=\"eu\",status=\"active\",currency=\"EUR\"} 1\n"
         "# HELP crm_up " HELP_UP "\n# TYPE crm_up gauge\n"
         "crm_up{tenant=\"one\"} 1\ncrm_up{tenant=\"two\"} 0\n"
         "# HELP crm_rows_rejected_total " HELP_REJECTED "\n# TYPE crm_rows_rejected_total counter\n"
         "crm_rows_rejected_total{tenant=\"one\",relation=\"usage\",reason=\"no_account\"} 3\n"
         "# HELP crm_sync_duration_seconds " HELP_SYNC "\n# TYPE crm_sync_duration_seconds gauge\n"
         "crm_sync_duration_seconds{tenant=\"one\",phase=\"read\"} 1.5\n"
         "# HELP crm_build_info " HELP_BUILD "\n# TYPE crm_build_info gauge\n"
         "crm_build_info{tenant=\"one\",version=\"0.1.0\",collectd=\"5.12.0\"} 1\n");
  expect(sets, 4, &open,
         "# TYPE crm_accounts gauge\n# UNIT crm_accounts accounts\n# HELP crm_accounts " HELP_ACCOUNTS "\n"
         "crm_accounts{tenant=\"acme\",segment=\"smb\",status=\"active\"} 123.45\n"
         "crm_accounts{tenant=\"acme\",segment=\"smb\",status=\"churned\"} 2\n"
         "crm_accounts{tenant=\"zeta\",industry=\"steel\",status=\"active\"} 7\n"
         "# TYPE crm_account info\n# HELP crm_account " HELP_INFO "\n"
         "crm_account_info{tenant=\"acme\",account=\"1\",account_name=\"Zoe & Co\",segment=\"smb\",account_owner=\"ann\",industry=\"\","
         "account_region=\"eu\",status=\"active\",currency=\"EUR\"} 1\n"
         "# TYPE crm_up gauge\n# HELP crm_up " HELP_UP "\n"
         "crm_up{tenant=\"one\"} 1\ncrm_up{tenant=\"two\"} 0\n"
         "# TYPE crm_rows_rejected counter\n# HELP crm_rows_rejected " HELP_REJECTED "\n"
         "crm_rows_rejected_total{tenant=\"one\",relation=\"usage\",reason=\"no_account\"} 3\n"
         "# TYPE crm_sync_duration_seconds gauge\n# UNIT crm_sync_duration_seconds seconds\n# HELP crm_sync_duration_seconds " HELP_SYNC
         "\n"
         "crm_sync_duration_seconds{tenant=\"one\",phase=\"read\"} 1.5\n"
         "# TYPE crm_build info\n# HELP crm_build " HELP_BUILD "\n"
         "crm_build_info{tenant=\"one\",version=\"0.1.0\",collectd=\"5.12.0\"} 1\n"
         "# EOF\n");
  expect(sets, 1, &no_accounts,
         "# HELP crm_accounts " HELP_ACCOUNTS "\n# TYPE crm_accounts gauge\n"
         "crm_accounts{tenant=\"acme\",segment=\"smb\",status=\"active\"} 123.45\n"
         "crm_accounts{tenant=\"acme\",segment=\"smb\",status=\"churned\"} 2\n");
  crm_set_free(&a);
  crm_set_free(&a_own);
  crm_set_free(&b);
  crm_set_free(&b_own);
}

/* A tenant of two instances would give the same series twice: the first one's stay, its other tenants and the collector's own do, too. */
static void test_one_tenant_in_two_instances(void **state) {
  struct crm_series_set a, b, c;
  struct crm_exposition_count count;
  struct crm_strbuf out;
  begin(&a);
  ADD(&a, ACCOUNTS, crm_number_int(1), "acme", "smb", "active");
  ADD(&a, UP, crm_number_int(1), "beta"); /* not a tenant of the business series */
  end(&a);
  begin(&b);
  ADD(&b, ACCOUNTS, crm_number_int(2), "acme", "smb", "active");
  ADD(&b, ACCOUNTS, crm_number_int(3), "beta", "acme", "active");
  ADD(&b, UP, crm_number_int(1), "acme");
  end(&b);
  begin(&c);
  ADD(&c, ACCOUNTS, crm_number_int(4), "beta", "smb", "active");
  end(&c);
  const struct crm_series_set *sets[] = {&a, &b, &c};
  expect(sets, 3, &text,
         "# HELP crm_accounts " HELP_ACCOUNTS "\n# TYPE crm_accounts gauge\n"
         "crm_accounts{tenant=\"acme\",segment=\"smb\",status=\"active\"} 1\n"
         "crm_accounts{tenant=\"beta\",segment=\"acme\",status=\"active\"} 3\n"
         "# HELP crm_up " HELP_UP "\n# TYPE crm_up gauge\n"
         "crm_up{tenant=\"beta\"} 1\ncrm_up{tenant=\"acme\"} 1\n");
  crm_strbuf_init(&out, 1 << 20);
  assert_int_equal(crm_exposition(sets, 3, &text, &count, &out), CRM_OK);
  assert_int_equal(count.n_series, 4);
  assert_int_equal(count.n_left_out, 2);
  crm_strbuf_free(&out);
  crm_set_free(&a);
  crm_set_free(&b);
  crm_set_free(&c);
}

/* What a series begins with may be taken from the one before it: also behind one that is escaped, and with texts longer than one step. */
static void test_hostile(void **state) {
  static const char *const names[] = {"a\\b",
                                      "a\nb",
                                      "a\"b",
                                      "a\xff\xc3\xa9"
                                      "b",
                                      "",
                                      "\xc3\xa9",
                                      "0123456789012345678901234567890123456789",
                                      "x{y}=,z"};
  static const char *const shown[] = {"a\\\\b", "a\\nb", "a\\\"b", "a???b", "", "\xc3\xa9", "0123456789012345678901234567890123456789",
                                      "x{y}=,z"};
  struct crm_series_set set;
  struct crm_strbuf wanted;
  begin(&set);
  crm_strbuf_init(&wanted, 1 << 20);
  crm_strbuf_adds(&wanted, "# HELP crm_accounts " HELP_ACCOUNTS "\n# TYPE crm_accounts gauge\n");
  for (int t = 0; t < 8; t++)
    for (int s = 0; s < 8; s++) {
      ADD(&set, ACCOUNTS, crm_number_int(10 * t + s), names[t], names[s], "active");
      ADD(&set, ACCOUNTS, crm_number_int(10 * t + s), names[t], names[s], "churned");
      crm_strbuf_addf(&wanted, "crm_accounts{tenant=\"%s\",segment=\"%s\",status=\"active\"} %d\n", shown[t], shown[s], 10 * t + s);
      crm_strbuf_addf(&wanted, "crm_accounts{tenant=\"%s\",segment=\"%s\",status=\"churned\"} %d\n", shown[t], shown[s], 10 * t + s);
    }
  const struct crm_series_set *sets[] = {&set}; /* in the order above: one family, so the set needs no sorting for this */
  expect(sets, 1, &text, crm_strbuf_str(&wanted));
  crm_strbuf_free(&wanted);
  crm_set_free(&set);
}

/* Decodes the delimited messages with protobuf-c's own decoder; calls `see` for each. */
static size_t decode(const struct crm_strbuf *out, void (*see)(const Io__Prometheus__Client__MetricFamily *, size_t)) {
  size_t n = 0;
  for (size_t at = 0; at < out->len; n++) {
    uint64_t len = 0;
    for (int shift = 0;; shift += 7) {
      assert_true(at < out->len);
      unsigned char c = (unsigned char)out->data[at++];
      len |= (uint64_t)(c & 0x7f) << shift;
      if (c < 0x80)
        break;
    }
    assert_true(len <= out->len - at);
    Io__Prometheus__Client__MetricFamily *family = io__prometheus__client__metric_family__unpack(NULL, len, (uint8_t *)out->data + at);
    assert_non_null(family);
    see(family, n);
    io__prometheus__client__metric_family__free_unpacked(family, NULL);
    at += len;
  }
  return n;
}

static void assert_pair(const Io__Prometheus__Client__Metric *m, size_t i, const char *name, const char *value) {
  assert_true(i < m->n_label);
  assert_string_equal(m->label[i]->name, name);
  assert_string_equal(m->label[i]->value, value);
}

static char long_name[301];

static void see_protobuf(const Io__Prometheus__Client__MetricFamily *f, size_t n) {
  const Io__Prometheus__Client__Metric *m = f->metric[0];
  switch (n) {
  case 0:
    assert_string_equal(f->name, "crm_accounts");
    assert_string_equal(f->help, HELP_ACCOUNTS);
    assert_int_equal(f->type, IO__PROMETHEUS__CLIENT__METRIC_TYPE__GAUGE);
    assert_string_equal(f->unit, "accounts");
    assert_int_equal(f->n_metric, 3);
    assert_int_equal(m->n_label, 3);
    assert_pair(m, 0, "tenant", "acme");
    assert_pair(m, 1, "segment", "a\\\"\n");
    assert_pair(m, 2, "status", "active");
    assert_null(m->counter);
    assert_true(m->gauge->value == 123.45);
    assert_pair(f->metric[1], 1, "segment", "b??");
    assert_pair(f->metric[1], 2, "status", "active");
    assert_true(f->metric[1]->gauge->value == -0.5);
    assert_pair(f->metric[2], 1, "segment", long_name);
    assert_true(f->metric[2]->gauge->value == 0);
    break;
  case 1:
    assert_string_equal(f->name, "crm_rows_rejected_total");
    assert_int_equal(f->type, IO__PROMETHEUS__CLIENT__METRIC_TYPE__COUNTER);
    assert_null(f->unit);
    assert_int_equal(f->n_metric, 1);
    assert_pair(m, 2, "reason", "no_account");
    assert_null(m->gauge);
    assert_true(m->counter->value == 3);
    break;
  default:
    fail_msg("too many families: %s", f->name);
  }
}

static void test_protobuf(void **state) {
  struct crm_series_set set;
  struct crm_strbuf out;
  const struct crm_exposition_options options = {CRM_EXPOSITION_PROTOBUF, true, NULL};
  memset(long_name, 'x', sizeof(long_name) - 1);
  begin(&set);
  ADD(&set, ACCOUNTS, crm_number_ratio(12345, 100), "acme", "a\\\"\n", "active");
  ADD(&set, ACCOUNTS, crm_number_real(-0.5), "acme", "b\xff\xfe", "active");
  ADD(&set, ACCOUNTS, crm_number_real(-0.0), "acme", long_name, "active");
  ADD(&set, ROWS_REJECTED_TOTAL, crm_number_int(3), "one", "usage", "no_account");
  end(&set);
  const struct crm_series_set *sets[] = {&set};
  crm_strbuf_init(&out, 1 << 20);
  assert_int_equal(crm_exposition(sets, 1, &options, NULL, &out), CRM_OK);
  assert_int_equal(decode(&out, see_protobuf), 2);
  crm_strbuf_free(&out);
  crm_set_free(&set);
}

/* The first bytes of a message, by hand: length, name, ... */
static void test_protobuf_bytes(void **state) {
  struct crm_series_set set;
  struct crm_strbuf out;
  const struct crm_exposition_options options = {CRM_EXPOSITION_PROTOBUF, true, NULL};
  static const char metric[] = "\x22\x1a\x0a\x0d\x0a\x06tenant\x12\x03one\x12\x09\x09\x00\x00\x00\x00\x00\x00\xf0\x3f";
  begin(&set);
  ADD(&set, UP, crm_number_int(1), "one");
  const struct crm_series_set *sets[] = {&set};
  crm_strbuf_init(&out, 1 << 20);
  assert_int_equal(crm_exposition(sets, 1, &options, NULL, &out), CRM_OK);
  /* name: 2 + 6, help: 2 + 60, type: 2, metric: 28 */
  assert_int_equal(strlen(HELP_UP), 60);
  assert_int_equal(out.len, 1 + 8 + 62 + 2 + 28);
  assert_memory_equal(out.data,
                      "\x64\x0a\x06"
                      "crm_up\x12\x3c" HELP_UP "\x18\x01",
                      1 + 8 + 62 + 2);
  assert_memory_equal(out.data + out.len - 28, metric, 28);
  crm_strbuf_free(&out);
  crm_set_free(&set);
}

static void test_stop_and_memory(void **state) {
  struct crm_series_set set;
  struct crm_strbuf out;
  _Atomic(bool) stop = true;
  const struct crm_exposition_options options = {CRM_EXPOSITION_TEXT, true, &stop};
  begin(&set);
  for (int i = 0; i < 5000; i++)
    ADD(&set, ACCOUNTS, crm_number_int(i), "acme", "smb", "active");
  const struct crm_series_set *sets[] = {&set};
  crm_strbuf_init(&out, 1 << 30);
  assert_int_equal(crm_exposition(sets, 1, &options, NULL, &out), CRM_ERR_STOPPED);
  crm_strbuf_free(&out);
  crm_strbuf_init(&out, 1000);
  assert_int_equal(crm_exposition(sets, 1, &text, NULL, &out), CRM_ERR_MEMORY);
  crm_strbuf_init(&out, 1000);
  assert_int_equal(crm_exposition(sets, 1, &(struct crm_exposition_options){CRM_EXPOSITION_PROTOBUF, true, NULL}, NULL, &out),
                   CRM_ERR_MEMORY);
  crm_strbuf_free(&out);
  crm_set_free(&set);
}

/* The catalogue as OpenMetrics sees it: no two families of one name, suffixes only where they belong. */
static void test_catalogue(void **state) {
  static const char *const reserved[] = {"_count", "_sum", "_bucket", "_created", "_gcount", "_gsum"};
  char names[CRM_FAMILIES][128];
  for (unsigned f = 0; f < CRM_FAMILIES; f++) {
    const struct crm_family_info *info = crm_family_info((enum crm_family)f);
    size_t len = strlen(info->name);
    bool total = len > 6 && strcmp(info->name + len - 6, "_total") == 0, is_info = len > 5 && strcmp(info->name + len - 5, "_info") == 0;
    if (total != (info->kind == CRM_COUNTER))
      fail_msg("%s: _total is for counters, and for all of them", info->name);
    if (is_info && info->kind != CRM_GAUGE)
      fail_msg("%s: not a gauge", info->name);
    for (size_t r = 0; r < sizeof(reserved) / sizeof(*reserved); r++)
      if (len > strlen(reserved[r]) && strcmp(info->name + len - strlen(reserved[r]), reserved[r]) == 0)
        fail_msg("%s: the suffix is reserved", info->name);
    snprintf(names[f], sizeof(names[f]), "%.*s", (int)(len - (total ? 6 : is_info ? 5 : 0)), info->name);
    for (unsigned g = 0; g < f; g++)
      if (strcmp(names[f], names[g]) == 0)
        fail_msg("%s and %s are one family", info->name, crm_family_info((enum crm_family)g)->name);
  }
}

static const struct {
  const char *name, *accept;
  enum crm_exposition_format format;
} accepts[] = {
    {"nothing sent", NULL, CRM_EXPOSITION_TEXT},
    {"empty", "", CRM_EXPOSITION_TEXT},
    {"curl", "*/*", CRM_EXPOSITION_TEXT},
    {"a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", CRM_EXPOSITION_TEXT},
    {"Prometheus 2.42",
     "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/"
     "*;q=0.1",
     CRM_EXPOSITION_OPENMETRICS},
    {"Prometheus 2.42 with native histograms",
     "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/"
     "openmetrics-text;version=1.0.0;q=0.8,"
     "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     CRM_EXPOSITION_PROTOBUF},
    {"Prometheus 3",
     "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
     "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
     CRM_EXPOSITION_OPENMETRICS},
    {"Prometheus 3 with protobuf first",
     "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8;q=0.7,"
     "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
     "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
     CRM_EXPOSITION_PROTOBUF},
    {"Prometheus 3 with text only", "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.2",
     CRM_EXPOSITION_TEXT},
    {"OpenMetrics without a version", "application/openmetrics-text", CRM_EXPOSITION_OPENMETRICS},
    {"OpenMetrics of another version only", "application/openmetrics-text;version=0.0.1", CRM_EXPOSITION_TEXT},
    {"the same, and anything", "application/openmetrics-text;version=0.0.1,*/*;q=0.1", CRM_EXPOSITION_TEXT},
    {"protobuf without its message", "application/vnd.google.protobuf,text/plain;q=0.1", CRM_EXPOSITION_TEXT},
    {"protobuf of another message", "application/vnd.google.protobuf;proto=a.b;encoding=delimited,text/plain;q=0.1", CRM_EXPOSITION_TEXT},
    {"protobuf as text", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text,text/plain;q=0.1",
     CRM_EXPOSITION_TEXT},
    {"letter case, blanks and quotes", " Application/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=1.000 , text/plain ;q=0.9",
     CRM_EXPOSITION_OPENMETRICS},
    {"weights decide, not the order", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.501",
     CRM_EXPOSITION_TEXT},
    {"the order decides between equals", "text/plain,application/openmetrics-text", CRM_EXPOSITION_TEXT},
    {"and the other way round", "application/openmetrics-text,text/plain", CRM_EXPOSITION_OPENMETRICS},
    {"text refused", "text/plain;q=0,application/openmetrics-text;q=0.1", CRM_EXPOSITION_OPENMETRICS},
    {"text refused, anything else taken", "text/plain;q=0,*/*;q=0.5", CRM_EXPOSITION_OPENMETRICS},
    {"all refused", "*/*;q=0", CRM_EXPOSITION_TEXT},
    {"every text", "application/openmetrics-text;q=0.2,text/*;q=0.3", CRM_EXPOSITION_TEXT},
    {"every application", "application/*,text/plain;q=0.5", CRM_EXPOSITION_OPENMETRICS},
    {"a comma in quotes", "application/openmetrics-text;x=\"a,text/plain\";version=1.0.0", CRM_EXPOSITION_OPENMETRICS},
    {"weights that make no sense", "application/openmetrics-text;q=2,application/openmetrics-text;q=abc,text/plain;q=0.1",
     CRM_EXPOSITION_TEXT},
    {"an open quote", "application/openmetrics-text;version=\"1.0.0", CRM_EXPOSITION_TEXT},
    {"commas only", ",,,;;;==,", CRM_EXPOSITION_TEXT},
};

static void test_accept(void **state) {
  for (size_t i = 0; i < sizeof(accepts) / sizeof(*accepts); i++)
    if (crm_exposition_negotiate(accepts[i].accept) != accepts[i].format)
      fail_msg("%s: %d", accepts[i].name, crm_exposition_negotiate(accepts[i].accept));
}

static void test_gzip(void **state) {
  static const struct {
    const char *encoding;
    bool gzip;
  } cases[] = {{NULL, false},           {"", false},      {"gzip", true},     {"GZIP", true},         {"deflate, gzip;q=0.5", true},
               {"gzip;q=0", false},     {"*", true},      {"*;q=0", false},   {"gzip;q=0, *", false}, {"identity", false},
               {"gzip;q=0.000", false}, {"x-gzip", true}, {"gzipped", false}, {"*;q=0,gzip", true},   {"gzip;q=x", false},
               {"br;q=1.0, gzip", true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
    if (crm_accepts_gzip(cases[i].encoding) != cases[i].gzip)
      fail_msg("%s", cases[i].encoding == NULL ? "none" : cases[i].encoding);
}

static void test_content_types(void **state) {
  assert_string_equal(crm_exposition_content_type(CRM_EXPOSITION_TEXT), "text/plain; version=0.0.4; charset=utf-8");
  assert_string_equal(crm_exposition_content_type(CRM_EXPOSITION_OPENMETRICS),
                      "application/openmetrics-text; version=1.0.0; charset=utf-8");
  assert_string_equal(crm_exposition_content_type(CRM_EXPOSITION_PROTOBUF),
                      "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_empty),
      cmocka_unit_test(test_two_instances),
      cmocka_unit_test(test_one_tenant_in_two_instances),
      cmocka_unit_test(test_hostile),
      cmocka_unit_test(test_protobuf),
      cmocka_unit_test(test_protobuf_bytes),
      cmocka_unit_test(test_stop_and_memory),
      cmocka_unit_test(test_catalogue),
      cmocka_unit_test(test_accept),
      cmocka_unit_test(test_gzip),
      cmocka_unit_test(test_content_types),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
