/* SPDX-License-Identifier: MIT */
/* A sink for tests to play with: options as NAME=VALUE arguments, commands on standard input, one line of answer to each.
 *
 *   tick INSTANCE AT-US FIRST N VALUE [NAME]
 *       offers a frame: crm_account_arr of accounts FIRST .. FIRST+N-1 (VALUE + number), crm_nps VALUE / 3, crm_up 1; with a name, crm_account_info of
 *       account FIRST
 *   null INSTANCE AT-US
 *       offers a frame without business series
 *   metrics INSTANCE
 *       prints the sink's own series in the text format, then a line "."
 *   stop MS
 *       stops it within that time: "stopped" or "abandoned", and the milliseconds taken
 *
 * End of input: the process ends as if it had been killed. Log lines go to standard error. */
#include "crm_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "export/sink_internal.h"
#include "export/text.h"

static void fail(const char *what) {
  fprintf(stderr, "crm_feed: %s\n", what);
  _exit(2);
}

static void must(enum crm_status status, const struct crm_error *err) {
  if (status != CRM_OK)
    fail(err == NULL ? crm_status_name(status) : err->message);
}

static void log_line(void *ctx, enum crm_log_level level, const char *message) {
  static const char *const names[] = {"error", "warning", "notice", "info"};
  fprintf(stderr, "[%s] %s\n", names[level], message);
}

static struct crm_header_option headers[16];
static struct crm_name_value labels[16];
static const char *families[16];
static struct crm_sink_options options = {.name = "test",
                                          .per_account = true,
                                          .job = "crm",
                                          .connect_timeout_us = 10000000,
                                          .timeout_us = 30000000,
                                          .max_batch_series = 2000,
                                          .max_batch_bytes = 900000,
                                          .backoff_min_us = 1000000,
                                          .backoff_max_us = 60000000,
                                          .max_age_us = 3600000000,
                                          .queue_ticks = 10,
                                          .spool_max_bytes = 512 << 20,
                                          .spool_max_age_us = 86400000000,
                                          .headers = headers,
                                          .labels = labels,
                                          .families = families};
static int64_t hold_ms = -1, save_ms = -1, spool_retry_ms = -1, orphan_ms = -1;

/* "Name:value" in two. */
static const char *cut(char *text) {
  char *colon = strchr(text, ':');
  if (colon == NULL)
    fail("a colon is missing");
  *colon = '\0';
  return colon + 1;
}

static void set_option(char *name, char *value) {
  const struct {
    const char *name;
    const char **text;
  } texts[] = {{"name", &options.name},
               {"url", &options.url},
               {"job", &options.job},
               {"instance", &options.instance},
               {"user", &options.user},
               {"password_file", &options.password_file},
               {"bearer_file", &options.bearer_token_file},
               {"ca", &options.ca_file},
               {"cert", &options.cert_file},
               {"key", &options.key_file},
               {"spool", &options.spool_dir}};
  const struct {
    const char *name;
    int64_t *us;
    int64_t unit;
  } times[] = {{"interval_ms", &options.interval_us, 1000},
               {"connect_ms", &options.connect_timeout_us, 1000},
               {"timeout_ms", &options.timeout_us, 1000},
               {"backoff_min_ms", &options.backoff_min_us, 1000},
               {"backoff_max_ms", &options.backoff_max_us, 1000},
               {"max_age_ms", &options.max_age_us, 1000},
               {"spool_age_ms", &options.spool_max_age_us, 1000},
               {"hold_ms", &hold_ms, 1},
               {"save_ms", &save_ms, 1},
               {"spool_retry_ms", &spool_retry_ms, 1},
               {"orphan_ms", &orphan_ms, 1}};
  const struct {
    const char *name;
    size_t *n;
  } sizes[] = {{"batch_series", &options.max_batch_series},
               {"batch_bytes", &options.max_batch_bytes},
               {"queue", &options.queue_ticks},
               {"spool_bytes", &options.spool_max_bytes}};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
    if (strcmp(name, texts[i].name) == 0) {
      *texts[i].text = value;
      return;
    }
  for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
    if (strcmp(name, times[i].name) == 0) {
      *times[i].us = strtoll(value, NULL, 10) * times[i].unit;
      return;
    }
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
    if (strcmp(name, sizes[i].name) == 0) {
      *sizes[i].n = strtoull(value, NULL, 10);
      return;
    }
  if (strcmp(name, "protocol") == 0)
    options.protocol = strcmp(value, "2") == 0 ? CRM_REMOTE_WRITE_2 : strcmp(value, "otlp") == 0 ? CRM_OTLP : CRM_REMOTE_WRITE_1;
  else if (strcmp(name, "per_account") == 0)
    options.per_account = strcmp(value, "true") == 0;
  else if (strcmp(name, "family") == 0 && options.n_families < 16)
    families[options.n_families++] = value;
  else if (strcmp(name, "label") == 0 && options.n_labels < 16)
    labels[options.n_labels++] = (struct crm_name_value){value, cut(value)};
  else if (strcmp(name, "header") == 0 && options.n_headers < 16)
    headers[options.n_headers++] = (struct crm_header_option){.name = value, .value = cut(value)};
  else if (strcmp(name, "header_file") == 0 && options.n_headers < 16)
    headers[options.n_headers++] = (struct crm_header_option){.name = value, .file = cut(value)};
  else
    fail(name);
}

static void offer(struct crm_sink *sink, const char *instance, crm_time at, int64_t first, int64_t n, int64_t value,
                  const char *account_name) {
  struct crm_series_set business, own;
  must(crm_set_init(&business), NULL);
  must(crm_set_init(&own), NULL);
  business.at = own.at = at;
  for (int64_t i = first; i < first + n; i++) {
    char account[32];
    snprintf(account, sizeof(account), "a%06" PRId64, i);
    const char *values[] = {instance, account, "USD"};
    must(crm_set_add(&business, CRM_FAM_ACCOUNT_ARR, values, 3, crm_number_int(value + i)), NULL);
    const char *info[] = {instance, account, account_name, "smb", "ann", "steel", "eu", "active", "USD"};
    if (account_name != NULL && i == first)
      must(crm_set_add(&business, CRM_FAM_ACCOUNT_INFO, info, 9, crm_number_int(1)), NULL);
  }
  if (n >= 0)
    must(crm_set_add(&business, CRM_FAM_NPS, &instance, 1, crm_number_ratio(value, 3)), NULL);
  must(crm_set_add(&own, CRM_FAM_UP, &instance, 1, crm_number_int(1)), NULL);
  must(crm_set_sort(&business), NULL);
  must(crm_set_sort(&own), NULL);
  struct crm_frame *frame = crm_frame_new(instance, at, n >= 0 ? &business : NULL, &own);
  if (frame == NULL)
    fail("out of memory");
  crm_set_free(&business);
  crm_set_free(&own);
  crm_sink_offer(sink, frame);
  crm_frame_unref(frame);
}

static void print_metrics(struct crm_sink *sink, const char *instance) {
  struct crm_series_set own;
  struct crm_strbuf text;
  must(crm_set_init(&own), NULL);
  must(crm_sink_own_series(sink, instance, &own), NULL);
  must(crm_set_sort(&own), NULL);
  crm_strbuf_init(&text, 1 << 20);
  crm_export_text(&own, &text);
  printf("%s.\n", crm_strbuf_str(&text));
  crm_strbuf_free(&text);
  crm_set_free(&own);
}

static void stop(struct crm_sink *sink, int64_t ms) {
  int64_t start = crm_clock_monotonic_us();
  crm_sink_request_stop(sink);
  bool ended = crm_sink_stop(sink, start + ms * 1000);
  printf("%s %" PRId64 "\n", ended ? "stopped" : "abandoned", (crm_clock_monotonic_us() - start) / 1000);
}

int main(int argc, char **argv) {
  struct crm_log log = {log_line, NULL};
  struct crm_sink *sink = NULL;
  struct crm_error err = {0};
  for (int i = 1; i < argc; i++) {
    char *value = strchr(argv[i], '=');
    if (value == NULL)
      fail(argv[i]);
    *value = '\0';
    set_option(argv[i], value + 1);
  }
  must(crm_sink_new(&options, &log, &sink, &err), &err);
  sink->hold_us = hold_ms < 0 ? sink->hold_us : hold_ms * 1000;
  sink->save_us = save_ms < 0 ? sink->save_us : save_ms * 1000;
  sink->orphan_us = orphan_ms < 0 ? sink->orphan_us : orphan_ms * 1000;
  sink->spool_retry_us = spool_retry_ms < 0 ? sink->spool_retry_us : spool_retry_ms * 1000;
  must(crm_sink_start(sink, &err), &err);
  setvbuf(stdout, NULL, _IOLBF, 0);
  char line[512], instance[64], account_name[64];
  int64_t at = 0, first = 0, n = 0, value = 0;
  static char names[8][64]; /* the names of instances must outlive the sink */
  while (sink != NULL && fgets(line, sizeof(line), stdin) != NULL) {
    const char *name = NULL;
    if (sscanf(line, "%*s %63s", instance) == 1)
      for (int i = 0; i < 8 && name == NULL; i++) {
        if (names[i][0] == '\0')
          snprintf(names[i], sizeof(names[i]), "%s", instance);
        if (strcmp(names[i], instance) == 0)
          name = names[i];
      }
    int given = sscanf(line, "tick %*s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %63s", &at, &first, &n, &value, account_name);
    if (name != NULL && given >= 4) {
      offer(sink, name, at, first, n, value, given == 5 ? account_name : NULL);
      printf("ok\n");
    } else if (name != NULL && sscanf(line, "null %*s %" SCNd64, &at) == 1) {
      offer(sink, name, at, 0, -1, 0, NULL);
      printf("ok\n");
    } else if (name != NULL && strncmp(line, "metrics ", 8) == 0) {
      print_metrics(sink, name);
    } else if (sscanf(line, "stop %" SCNd64, &n) == 1) {
      stop(sink, n);
      sink = NULL;
    } else {
      fail(line);
    }
  }
  _exit(0);
}
