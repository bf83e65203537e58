/* SPDX-License-Identifier: MIT */
/* The ways out in the configuration: defaults, good values, wrong ones, and what must fit together. Expectations are written by hand. */
#include "crm_config.h"

#include "options/option_table.h"
#include "../lib/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[SCRATCH_SIZE];

#define INSTANCE "<Instance \"a\">\n</Instance>\n"

/* Parses what stands in <Plugin crm>, in the file "f.conf"; the text begins at line 1. */
static enum crm_status parse(const char *text, struct crm_options *options, struct crm_error *err) {
  char mappings[80], whole[8192];
  snprintf(mappings, sizeof(mappings), "%s/mappings", dir);
  snprintf(whole, sizeof(whole), "%s%s", text, INSTANCE);
  struct crm_arena arena;
  struct crm_conf_node root = {0};
  crm_arena_init(&arena, 0);
  crm_options_init(options);
  *err = (struct crm_error){0};
  enum crm_status status = crm_conf_parse(whole, strlen(whole), "f.conf", &arena, &root, err);
  if (status == CRM_OK)
    status = crm_options_parse(options, &root, mappings, err);
  if (status == CRM_OK)
    status = crm_options_finish(options, err);
  crm_arena_free(&arena); /* nothing may point into it */
  return status;
}

static void parse_good(const char *text, struct crm_options *options) {
  struct crm_error err;
  if (parse(text, options, &err) != CRM_OK)
    fail_msg("%s\nrefused: %s", text, err.message);
}

static void test_nothing(void **state) {
  struct crm_options options;
  parse_good("", &options);
  assert_int_equal(options.exports.n_listens, 0);
  assert_int_equal(options.exports.n_textfiles, 0);
  assert_int_equal(options.exports.n_sinks, 0);
  crm_options_free(&options);
}

static void test_listen(void **state) {
  struct crm_options options;
  parse_good("Listen \"127.0.0.1:9477\"\n<Listen \"[::1]:1\">\nCertFile \"/c\"\nKeyFile \"/k\"\nBearerTokenFile \"/t\"\nPerAccount false\n"
             "MaxConnections 7\nTimeout 2.5\n</Listen>\nlisten \":65535\"\n",
             &options);
  assert_int_equal(options.exports.n_listens, 3);
  const struct crm_listen_options *l = options.exports.listens;
  assert_string_equal(l[0].host, "127.0.0.1");
  assert_string_equal(l[0].port, "9477");
  assert_string_equal(l[0].file, "f.conf");
  assert_int_equal(l[0].line, 1);
  assert_null(l[0].cert_file);
  assert_null(l[0].key_file);
  assert_null(l[0].bearer_token_file);
  assert_true(l[0].per_account);
  assert_int_equal(l[0].max_connections, 64);
  assert_true(l[0].timeout_us == 15000000);
  assert_string_equal(l[1].host, "::1");
  assert_string_equal(l[1].port, "1");
  assert_string_equal(l[1].cert_file, "/c");
  assert_string_equal(l[1].key_file, "/k");
  assert_string_equal(l[1].bearer_token_file, "/t");
  assert_false(l[1].per_account);
  assert_int_equal(l[1].max_connections, 7);
  assert_true(l[1].timeout_us == 2500000);
  assert_string_equal(l[2].host, "");
  assert_string_equal(l[2].port, "65535");
  crm_options_free(&options);
}

static void test_textfile(void **state) {
  struct crm_options options;
  parse_good("<TextFile \"/a/b.prom\">\nPerAccount off\n</TextFile>\nTextFile \"/c.prom\"\n", &options);
  assert_int_equal(options.exports.n_textfiles, 2);
  assert_string_equal(options.exports.textfiles[0].path, "/a/b.prom");
  assert_false(options.exports.textfiles[0].per_account);
  assert_string_equal(options.exports.textfiles[1].path, "/c.prom");
  assert_true(options.exports.textfiles[1].per_account);
  assert_int_equal(options.exports.textfiles[1].line, 4);
  crm_options_free(&options);
}

static void test_sink_defaults(void **state) {
  struct crm_options options;
  parse_good(
      "<RemoteWrite \"one\">\nURL \"http://h/w?k=v\"\n</RemoteWrite>\n<OTLP \"two\">\nURL \"HTTPS://[::1]:4318/v1/metrics\"\n</OTLP>\n",
      &options);
  assert_int_equal(options.exports.n_sinks, 2);
  for (int i = 0; i < 2; i++) {
    const struct crm_sink_options *s = &options.exports.sinks[i];
    assert_string_equal(s->name, i == 0 ? "one" : "two");
    assert_string_equal(s->file, "f.conf");
    assert_int_equal(s->line, i == 0 ? 1 : 4);
    assert_int_equal(s->protocol, i == 0 ? CRM_REMOTE_WRITE_1 : CRM_OTLP);
    assert_string_equal(s->url, i == 0 ? "http://h/w?k=v" : "HTTPS://[::1]:4318/v1/metrics");
    assert_true(s->interval_us == 0);
    assert_true(s->n_families == 0 && s->n_labels == 0 && s->n_headers == 0);
    assert_true(s->per_account);
    assert_string_equal(s->job, "crm");
    assert_true(s->instance == NULL && s->user == NULL && s->password_file == NULL && s->bearer_token_file == NULL);
    assert_true(s->ca_file == NULL && s->cert_file == NULL && s->key_file == NULL && s->proxy == NULL && s->spool_dir == NULL);
    assert_true(s->connect_timeout_us == 10000000 && s->timeout_us == 30000000);
    assert_int_equal(s->max_batch_series, 2000);
    assert_int_equal(s->max_batch_bytes, 900000);
    assert_true(s->backoff_min_us == 1000000 && s->backoff_max_us == 60000000);
    assert_true(s->max_age_us == INT64_C(3600000000));
    assert_int_equal(s->queue_ticks, 10);
    assert_int_equal(s->spool_max_bytes, 536870912);
    assert_true(s->spool_max_age_us == INT64_C(86400000000));
  }
  crm_options_free(&options);
}

static void test_sink(void **state) {
  struct crm_options options;
  parse_good(
      "<RemoteWrite \"a-B_1\">\nURL \"http://h\"\nMessage \"2.0\"\nInterval 300\nFamilies \"crm_arr*\" \"!crm_arr_x\"\nFamilies "
      "\"crm_up\"\n"
      "PerAccount false\nLabel \"region\" \"e\xc3\xbc\"\nLabel \"_x\" \"y\"\nJob \"j\"\nInstance \"i\"\nUser \"u\"\nPasswordFile \"/p\"\n"
      "Header \"X-Scope-OrgID\" \"t\"\nHeaderFile \"api-key\" \"/key\"\nCAFile \"/ca\"\nCertFile \"/c\"\nKeyFile \"/k\"\n"
      "Proxy \"http://p:1\"\nConnectTimeout 1\nTimeout 2\nBatchSeries 3\nBatchBytes \"10000\"\nBackoffMin 0.5\nBackoffMax 4\nMaxAge 5\n"
      "QueueTicks 6\nSpoolDir \"/s\"\nSpoolMaxBytes \"2M\"\nSpoolMaxAge 7\n</RemoteWrite>\n",
      &options);
  const struct crm_sink_options *s = options.exports.sinks;
  assert_string_equal(s->name, "a-B_1");
  assert_int_equal(s->protocol, CRM_REMOTE_WRITE_2);
  assert_true(s->interval_us == 300000000);
  assert_int_equal(s->n_families, 3);
  assert_string_equal(s->families[0], "crm_arr*");
  assert_string_equal(s->families[1], "!crm_arr_x");
  assert_string_equal(s->families[2], "crm_up");
  assert_false(s->per_account);
  assert_int_equal(s->n_labels, 2);
  assert_string_equal(s->labels[0].name, "region");
  assert_string_equal(s->labels[0].value, "e\xc3\xbc");
  assert_string_equal(s->labels[1].name, "_x");
  assert_string_equal(s->job, "j");
  assert_string_equal(s->instance, "i");
  assert_string_equal(s->user, "u");
  assert_string_equal(s->password_file, "/p");
  assert_int_equal(s->n_headers, 2);
  assert_string_equal(s->headers[0].name, "X-Scope-OrgID");
  assert_string_equal(s->headers[0].value, "t");
  assert_null(s->headers[0].file);
  assert_string_equal(s->headers[1].name, "api-key");
  assert_null(s->headers[1].value);
  assert_string_equal(s->headers[1].file, "/key");
  assert_string_equal(s->ca_file, "/ca");
  assert_string_equal(s->cert_file, "/c");
  assert_string_equal(s->key_file, "/k");
  assert_string_equal(s->proxy, "http://p:1");
  assert_true(s->connect_timeout_us == 1000000 && s->timeout_us == 2000000);
  assert_true(s->max_batch_series == 3 && s->max_batch_bytes == 10000 && s->queue_ticks == 6);
  assert_true(s->backoff_min_us == 500000 && s->backoff_max_us == 4000000 && s->max_age_us == 5000000);
  assert_string_equal(s->spool_dir, "/s");
  assert_true(s->spool_max_bytes == 2097152 && s->spool_max_age_us == 7000000);
  crm_options_free(&options);
}

#define RW(text) "<RemoteWrite \"r\">\nURL \"http://h/\"\n" text "</RemoteWrite>\n"
#define LISTEN(text) "<Listen \":1\">\n" text "</Listen>\n"

/* The message begins as told, and tells what is allowed. */
static void test_refused(void **state) {
  static const struct {
    const char *name, *text, *message;
  } cases[] = {
      {"another block", "<Sink \"x\">\n</Sink>\n", "f.conf:1: Sink: it cannot stand here; allowed in <Plugin crm>: blocks <Instance"},
      {"two addresses", "Listen \":1\" \":2\"\n", "f.conf:1: Listen: the block needs exactly one name in quotes"},
      {"a port only", "Listen \"9477\"\n", "f.conf:1: Listen: \"9477\" is not an address with a port; allowed: a numeric address"},
      {"a port that is a number", "Listen 9477\n", "f.conf:1: Listen: the block needs exactly one name"},
      {"a name", "Listen \"localhost:9477\"\n", "f.conf:1: Listen: \"localhost:9477\" is not an address with a port"},
      {"port 0", "Listen \"127.0.0.1:0\"\n", "f.conf:1: Listen: \"127.0.0.1:0\" is not"},
      {"port 65536", "Listen \"127.0.0.1:65536\"\n", "f.conf:1: Listen: \"127.0.0.1:65536\" is not"},
      {"a sign", "Listen \"127.0.0.1:+1\"\n", "f.conf:1: Listen: "},
      {"letters behind the port", "Listen \"127.0.0.1:1x\"\n", "f.conf:1: Listen: "},
      {"IPv6 without brackets", "Listen \"::1:9477\"\n", "f.conf:1: Listen: "},
      {"half a bracket", "Listen \"[::1:9477\"\n", "f.conf:1: Listen: "},
      {"empty brackets", "Listen \"[]:9477\"\n", "f.conf:1: Listen: "},
      {"IPv4 in brackets", "Listen \"[127.0.0.1]:9477\"\n", "f.conf:1: Listen: "},
      {"the same address twice", "Listen \"127.0.0.1:1\"\n<Listen \"127.0.0.1:1\">\n</Listen>\n",
       "f.conf:2: Listen: the address is given twice, first in line 1; allowed: each once"},
      {"a key without a certificate", LISTEN("KeyFile \"/k\"\n"),
       "f.conf:2: KeyFile: it is given without CertFile; allowed: both or neither"},
      {"a certificate without a key", LISTEN("CertFile \"/k\"\n"), "f.conf:2: CertFile: it is given without KeyFile"},
      {"no connections", LISTEN("MaxConnections 0\n"), "f.conf:2: MaxConnections: 0 is out of range; allowed: a whole number"},
      {"too many connections", LISTEN("MaxConnections 1001\n"), "f.conf:2: MaxConnections: 1001 is out of range"},
      {"no time", LISTEN("Timeout 0\n"), "f.conf:2: Timeout: 0 is out of range; allowed: a number without quotes, from 1 to 600 seconds"},
      {"a relative path", LISTEN("BearerTokenFile \"t\"\n"), "f.conf:2: BearerTokenFile: \"t\" is a relative path"},
      {"an option of an instance", LISTEN("SyncInterval 5\n"),
       "f.conf:2: SyncInterval: it cannot stand in <Listen>; allowed: in <Instance>"},
      {"an unknown option", LISTEN("MaxConections 5\n"), "f.conf:2: MaxConections: unknown option in <Listen>, is MaxConnections meant?"},
      {"a relative text file", "TextFile \"a.prom\"\n", "f.conf:1: TextFile: \"a.prom\" cannot be the file; allowed: an absolute path"},
      {"a text file without .prom", "TextFile \"/a.txt\"\n", "f.conf:1: TextFile: \"/a.txt\" cannot be the file"},
      {"a text file without a name", "TextFile \"/a/.prom\"\n", "f.conf:1: TextFile: \"/a/.prom\" cannot be the file"},
      {"a text file twice", "TextFile \"/a.prom\"\nTextFile \"/a.prom\"\n", "f.conf:2: TextFile: the file is given twice, first in line 1"},
      {"no URL", "<OTLP \"o\">\n</OTLP>\n", "f.conf:1: OTLP: it has no URL; allowed: one URL, of the receiver"},
      {"a name with a slash", "<OTLP \"../x\">\n</OTLP>\n", "f.conf:1: OTLP: \"../x\" cannot be a name; allowed: 1 to 64 letters"},
      {"a name twice", RW("") "<OTLP \"R\">\nURL \"http://h/\"\n</OTLP>\n", "f.conf:4: OTLP: the name is given twice, first in line 1"},
      {"a URL of ftp", "<OTLP \"o\">\nURL \"ftp://h\"\n</OTLP>\n",
       "f.conf:2: URL: the text does not begin with http:// or https://; allowed: a whole URL"},
      {"a URL without a host", "<OTLP \"o\">\nURL \"http:///x\"\n</OTLP>\n", "f.conf:2: URL: there is no host in it"},
      {"a URL with a port only", "<OTLP \"o\">\nURL \"http://:80/x\"\n</OTLP>\n", "f.conf:2: URL: there is no host in it"},
      {"a URL with a password", "<OTLP \"o\">\nURL \"http://u:hunter2@h/x\"\n</OTLP>\n", "f.conf:2: URL: it holds a user or a password"},
      {"a URL with a blank", "<OTLP \"o\">\nURL \"http://h/a b\"\n</OTLP>\n", "f.conf:2: URL: the text holds a blank"},
      {"two URLs", RW("URL \"http://i/\"\n"), "f.conf:3: URL: it is given twice in this block, first in line 2"},
      {"a version that is not", RW("Message \"3.0\"\n"), "f.conf:3: Message: \"3.0\" is not known"},
      {"a version that is a number", RW("Message 2.0\n"), "f.conf:3: Message: a number is given; allowed: one of \"1.0\" and \"2.0\""},
      {"a version in OTLP", "<OTLP \"o\">\nURL \"http://h\"\nMessage \"1.0\"\n</OTLP>\n",
       "f.conf:3: Message: it cannot stand in <OTLP>; allowed: in <RemoteWrite>"},
      {"a family with a blank", RW("Families \"crm arr\"\n"), "f.conf:3: Families: \"crm arr\" cannot be the name of a family"},
      {"nothing left out", RW("Families \"!\"\n"), "f.conf:3: Families: \"!\" cannot be the name of a family"},
      {"no family", RW("Families\n"), "f.conf:3: Families: an option needs a value"},
      {"a label of ours", RW("Label \"__name__\" \"x\"\n"), "f.conf:3: Label: \"__name__\" cannot be the name of a label"},
      {"a label with a digit first", RW("Label \"1a\" \"x\"\n"), "f.conf:3: Label: \"1a\" cannot be"},
      {"a label with a hyphen", RW("Label \"a-b\" \"x\"\n"), "f.conf:3: Label: \"a-b\" cannot be"},
      {"job as a label", RW("Label \"job\" \"x\"\n"), "f.conf:3: Label: for the label job there is an option of its own"},
      {"a label twice", RW("Label \"a\" \"x\"\nLabel \"a\" \"y\"\n"), "f.conf:4: Label: \"a\" is given twice"},
      {"an empty label", RW("Label \"a\" \"\"\n"), "f.conf:3: Label: a text is empty"},
      {"half a label", RW("Label \"a\"\n"), "f.conf:3: Label: these are not two texts"},
      {"a label that is no UTF-8", RW("Label \"a\" \"\xff\"\n"), "f.conf:3: Label: a text is not UTF-8"},
      {"a header of the protocol", RW("Header \"content-TYPE\" \"x\"\n"), "f.conf:3: Header: the header content-TYPE cannot be set"},
      {"the version's header", RW("Header \"X-Prometheus-Remote-Write-Version\" \"x\"\n"),
       "f.conf:3: Header: the header X-Prometheus-Remote-Write-Version cannot be set"},
      {"a proxy's header", RW("HeaderFile \"Proxy-Authorization\" \"/x\"\n"),
       "f.conf:3: HeaderFile: the header Proxy-Authorization cannot be set"},
      {"authorization", RW("HeaderFile \"Authorization\" \"/x\"\n"), "f.conf:3: HeaderFile: the header Authorization cannot be set"},
      {"a secret in the configuration", RW("Header \"DD-API-KEY\" \"hunter2\"\n"),
       "f.conf:3: Header: what the header DD-API-KEY holds looks like a secret; write it into a file of its own"},
      {"a header's file that is relative", RW("HeaderFile \"api-key\" \"k\"\n"), "f.conf:3: HeaderFile: \"k\" is a relative path"},
      {"a header twice", RW("Header \"X-A\" \"1\"\nHeaderFile \"x-a\" \"/k\"\n"), "f.conf:4: HeaderFile: \"x-a\" is given twice"},
      {"a header with a colon", RW("Header \"X-A:\" \"1\"\n"), "f.conf:3: Header: \"X-A:\" cannot be the name of a header"},
      {"a password", RW("Password \"hunter2\"\n"), "f.conf:3: Password: there is no such option, so that no password stands"},
      {"a user without a password", RW("User \"u\"\n"), "f.conf:3: User: it is given without PasswordFile"},
      {"a password without a user", RW("PasswordFile \"/u\"\n"), "f.conf:3: PasswordFile: it is given without User"},
      {"two ways to log in", RW("User \"u\"\nPasswordFile \"/p\"\nBearerTokenFile \"/t\"\n"),
       "f.conf:5: BearerTokenFile: User and BearerTokenFile are both given"},
      {"a user with a colon", RW("User \"u:hunter2\"\nPasswordFile \"/p\"\n"), "f.conf:3: User: it holds a colon"},
      {"a proxy with a password", RW("Proxy \"http://u:hunter2@p\"\n"), "f.conf:3: Proxy: it holds a user or a password"},
      {"a key without a certificate for TLS", RW("KeyFile \"/k\"\n"), "f.conf:3: KeyFile: it is given without CertFile"},
      {"pauses the wrong way round", RW("BackoffMin 5\nBackoffMax 4\n"),
       "f.conf:4: BackoffMax: 4 seconds is less than BackoffMin, which is 5"},
      {"the shortest pause above the default of the longest", RW("BackoffMin 61\n"),
       "f.conf:1: BackoffMax: 60 seconds is less than BackoffMin"},
      {"too many series", RW("BatchSeries 2001\n"), "f.conf:3: BatchSeries: 2001 is out of range"},
      {"no bytes", RW("BatchBytes \"0\"\n"),
       "f.conf:3: BatchBytes: \"0\" is out of range; allowed: a number of bytes from 10000 to 16777216"},
      {"no bytes, as a number", RW("BatchBytes 0\n"), "f.conf:3: BatchBytes: 0 is out of range"},
      {"a short interval", RW("Interval 0.5\n"),
       "f.conf:3: Interval: 0.5 is out of range; allowed: a number without quotes, 0, or from 1 to"},
      {"a relative spool", RW("SpoolDir \"s\"\n"), "f.conf:3: SpoolDir: \"s\" is a relative path"},
      {"a small spool", RW("SpoolMaxBytes \"1K\"\n"), "f.conf:3: SpoolMaxBytes: \"1K\" is out of range"},
      {"an old spool", RW("SpoolMaxAge 0\n"), "f.conf:3: SpoolMaxAge: 0 is out of range"},
      {"no ticks", RW("QueueTicks 0\n"), "f.conf:3: QueueTicks: 0 is out of range"},
      {"a block in a block", RW("<Label \"a\">\nx 1\n</Label>\n"), "f.conf:3: Label: it is an option and not a block"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct crm_options options;
    struct crm_error err;
    enum crm_status status = parse(cases[i].text, &options, &err);
    if (status != CRM_ERR_CONFIG)
      fail_msg("%s: not refused but %s: %s", cases[i].name, crm_status_name(status), err.message);
    if (strncmp(err.message, cases[i].message, strlen(cases[i].message)) != 0)
      fail_msg("%s: \"%s\"", cases[i].name, err.message);
    if (strstr(err.message, "hunter2") != NULL)
      fail_msg("%s: tells a secret", cases[i].name);
    crm_options_free(&options);
  }
}

/* Each option of the new blocks is in test_sink_defaults, test_sink and test_listen: so many there must be. */
static void test_nothing_forgotten(void **state) {
  static const struct {
    unsigned block;
    size_t n;
  } cases[] = {{CRM_BLOCK_LISTEN, 6}, {CRM_BLOCK_TEXT_FILE, 1}, {CRM_BLOCK_REMOTE_WRITE, 28}, {CRM_BLOCK_OTLP, 27}};
  for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
    size_t n = 0;
    for (size_t i = 0; i < crm_option_count(); i++)
      n += (crm_option_at(i)->blocks & cases[c].block) != 0;
    assert_int_equal(n, cases[c].n);
  }
}

static int make_scratch(void **state) {
  char command[128];
  (void)scratch_template(dir, "options");
  if (mkdtemp(dir) == NULL)
    return -1;
  snprintf(command, sizeof(command), "mkdir -p %s/mappings/customer_success", dir);
  return system(command);
}

static int remove_scratch(void **state) {
  char command[SCRATCH_SIZE + 16];
  snprintf(command, sizeof(command), "rm -rf '%s'", dir);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing),           cmocka_unit_test(test_listen), cmocka_unit_test(test_textfile),
      cmocka_unit_test(test_sink_defaults),     cmocka_unit_test(test_sink),   cmocka_unit_test(test_refused),
      cmocka_unit_test(test_nothing_forgotten),
  };
  return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
