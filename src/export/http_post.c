/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/http_post.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/strbuf.h"

#define ANSWER_KEPT_BYTES 65536
#define ANSWER_READ_BYTES (1024 * 1024) /* a receiver that never stops talking has said enough */

struct crm_http {
  const struct crm_sink_options *options;
  const struct crm_credentials *credentials;
  CURLM *multi;
  CURL *easy;
  struct curl_slist *headers; /* of the request under way */
  bool busy;
  char error[CURL_ERROR_SIZE];
  int64_t started_us;
  struct crm_strbuf body;
  size_t received;
  struct crm_http_result result;
};

static size_t take_body(char *data, size_t size, size_t n, void *ctx) {
  struct crm_http *http = ctx;
  size_t len = size * n;
  http->received += len;
  if (http->received > ANSWER_READ_BYTES)
    return 0;
  size_t room = ANSWER_KEPT_BYTES - http->body.len;
  crm_strbuf_add(&http->body, data, len < room ? len : room);
  return len;
}

/* The value of the header `name` if the line is one. */
static const char *header_value(const char *line, size_t len, const char *name, size_t *value_len) {
  size_t n = strlen(name);
  if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
    return NULL;
  *value_len = len - n - 1;
  return line + n + 1;
}

static int64_t parse_count(const char *text, size_t len) {
  int64_t value = 0;
  size_t i = 0;
  while (i < len && (text[i] == ' ' || text[i] == '\t'))
    i++;
  for (; i < len && text[i] >= '0' && text[i] <= '9' && value < INT64_MAX / 10 - 9; i++)
    value = value * 10 + (text[i] - '0');
  return value;
}

static size_t take_header(char *line, size_t size, size_t n, void *ctx) {
  struct crm_http *http = ctx;
  struct crm_answer *answer = &http->result.answer;
  size_t len = size * n, value_len = 0;
  const char *value;
  if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* a proxy's answer or a 100 came before */
    *answer = (struct crm_answer){.retry_after_us = -1};
    http->received = 0;
    crm_strbuf_reset(&http->body);
  } else if ((value = header_value(line, len, "Retry-After", &value_len)) != NULL) {
    answer->retry_after_us = crm_retry_after(value, value_len, crm_clock_realtime_us());
  } else if ((value = header_value(line, len, "X-Prometheus-Remote-Write-Samples-Written", &value_len)) != NULL) {
    answer->tells_written = true;
    answer->written = parse_count(value, value_len);
  } else if (header_value(line, len, "X-Prometheus-Remote-Write-Histograms-Written", &value_len) != NULL ||
             header_value(line, len, "X-Prometheus-Remote-Write-Exemplars-Written", &value_len) != NULL) {
    answer->tells_written = true;
  }
  return len;
}

static long milliseconds(int64_t us) {
  return us / 1000 > LONG_MAX ? LONG_MAX : us > 0 && us < 1000 ? 1 : (long)(us / 1000);
}

/* What holds for all requests. */
static bool set_up(struct crm_http *http) {
  const struct crm_sink_options *o = http->options;
  CURL *e = http->easy;
  bool ok = curl_easy_setopt(e, CURLOPT_URL, o->url) == CURLE_OK && curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK;
#if LIBCURL_VERSION_NUM >= 0x075500
  ok = ok && curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
#else
  ok = ok && curl_easy_setopt(e, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) == CURLE_OK;
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
#endif
  ok = ok && curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK && curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
       curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(o->connect_timeout_us)) == CURLE_OK &&
       curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, milliseconds(o->timeout_us)) == CURLE_OK &&
       curl_easy_setopt(e, CURLOPT_USERAGENT, "collectd-crm/" CRM_VERSION) == CURLE_OK &&
       curl_easy_setopt(e, CURLOPT_ERRORBUFFER, http->error) == CURLE_OK &&
       curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK && curl_easy_setopt(e, CURLOPT_WRITEDATA, http) == CURLE_OK &&
       curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK && curl_easy_setopt(e, CURLOPT_HEADERDATA, http) == CURLE_OK &&
       curl_easy_setopt(e, CURLOPT_PRIVATE, http) == CURLE_OK &&
       curl_easy_setopt(e, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) == CURLE_OK; /* secrets are not the proxy's business */
  curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  if (o->ca_file != NULL)
    ok = ok && curl_easy_setopt(e, CURLOPT_CAINFO, o->ca_file) == CURLE_OK;
  if (o->cert_file != NULL)
    ok = ok && curl_easy_setopt(e, CURLOPT_SSLCERT, o->cert_file) == CURLE_OK;
  if (o->key_file != NULL)
    ok = ok && curl_easy_setopt(e, CURLOPT_SSLKEY, o->key_file) == CURLE_OK;
  if (o->proxy != NULL)
    ok = ok && curl_easy_setopt(e, CURLOPT_PROXY, o->proxy) == CURLE_OK;
  return ok;
}

enum crm_status crm_http_new(const struct crm_sink_options *options, const struct crm_credentials *credentials, struct crm_http **out,
                             struct crm_error *err) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) /* counted by libcurl, and never undone: the host may use it too */
    return crm_error_set(err, CRM_ERR_MEMORY, "libcurl cannot be set up");
  struct crm_http *http = calloc(1, sizeof(*http));
  if (http == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  http->options = options;
  http->credentials = credentials;
  crm_strbuf_init(&http->body, ANSWER_KEPT_BYTES);
  http->multi = curl_multi_init();
  http->easy = curl_easy_init();
  if (http->multi == NULL || http->easy == NULL || !set_up(http)) {
    crm_http_free(http);
    return crm_error_set(err, CRM_ERR_MEMORY, "libcurl cannot be set up");
  }
  curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1L);
  *out = http;
  return CRM_OK;
}

void crm_http_free(struct crm_http *http) {
  if (http == NULL)
    return;
  crm_http_cancel(http);
  curl_easy_cleanup(http->easy);
  if (http->multi != NULL)
    curl_multi_cleanup(http->multi);
  crm_strbuf_free(&http->body);
  free(http);
}

static bool add_header(struct curl_slist **list, const char *name, const char *value) {
  char *line = NULL;
  size_t size = strlen(name) + strlen(value) + 3;
  line = malloc(size);
  if (line == NULL)
    return false;
  /* "Name;" is libcurl's way to say a header without a value. */
  snprintf(line, size, value[0] == '\0' ? "%s;" : "%s: %s", name, value);
  struct curl_slist *more = curl_slist_append(*list, line);
  explicit_bzero(line, size);
  free(line);
  if (more != NULL)
    *list = more;
  return more != NULL;
}

static void free_headers(struct crm_http *http) {
  for (struct curl_slist *h = http->headers; h != NULL; h = h->next)
    explicit_bzero(h->data, strlen(h->data));
  curl_slist_free_all(http->headers);
  http->headers = NULL;
}

static bool add_headers(struct crm_http *http, const struct crm_name_value *protocol) {
  const struct crm_credentials *c = http->credentials;
  const struct crm_sink_options *o = http->options;
  bool ok = true;
  for (size_t i = 0; protocol[i].name != NULL; i++)
    ok = ok && add_header(&http->headers, protocol[i].name, protocol[i].value);
  for (size_t i = 0; i < o->n_headers; i++)
    ok = ok && add_header(&http->headers, o->headers[i].name, crm_credentials_header(c, i));
  if (c->bearer.value != NULL) {
    char *value = NULL;
    size_t size = strlen(c->bearer.value) + sizeof("Bearer ");
    ok = ok && (value = malloc(size)) != NULL;
    if (ok) {
      snprintf(value, size, "Bearer %s", c->bearer.value);
      ok = add_header(&http->headers, "Authorization", value);
      explicit_bzero(value, size);
    }
    free(value);
  }
  struct curl_slist *more = ok ? curl_slist_append(http->headers, "Expect:") : NULL; /* no waiting for a 100 */
  if (more != NULL)
    http->headers = more;
  return more != NULL;
}

enum crm_status crm_http_begin(struct crm_http *http, const struct crm_name_value *headers, const char *body, size_t len,
                               struct crm_error *err) {
  const struct crm_credentials *c = http->credentials;
  CURL *e = http->easy;
  crm_http_cancel(http);
  bool ok = add_headers(http, headers) && curl_easy_setopt(e, CURLOPT_HTTPHEADER, http->headers) == CURLE_OK &&
            curl_easy_setopt(e, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
            curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len) == CURLE_OK;
  if (http->options->user != NULL)
    ok = ok && curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
         curl_easy_setopt(e, CURLOPT_USERNAME, http->options->user) == CURLE_OK &&
         curl_easy_setopt(e, CURLOPT_PASSWORD, c->password.value == NULL ? "" : c->password.value) == CURLE_OK;
  http->error[0] = '\0';
  http->received = 0;
  crm_strbuf_reset(&http->body);
  http->result = (struct crm_http_result){.answer = {.retry_after_us = -1}};
  http->started_us = crm_clock_monotonic_us();
  if (!ok || curl_multi_add_handle(http->multi, e) != CURLM_OK) {
    free_headers(http);
    return crm_error_set(err, CRM_ERR_MEMORY, "libcurl takes no request: out of memory");
  }
  http->busy = true;
  return CRM_OK;
}

static void finish(struct crm_http *http, CURLcode code) {
  struct crm_http_result *result = &http->result;
  long status = 0;
  curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
  result->duration_us = crm_clock_monotonic_us() - http->started_us;
  result->body = crm_strbuf_ok(&http->body) ? crm_strbuf_str(&http->body) : "";
  result->body_len = crm_strbuf_ok(&http->body) ? http->body.len : 0;
  /* The status is what counts: a body that we cut off, or whose end was lost, changes nothing. */
  if ((code == CURLE_OK || code == CURLE_WRITE_ERROR || code == CURLE_PARTIAL_FILE) && status >= 100)
    result->answer.status = status;
  else
    snprintf(result->fault, sizeof(result->fault), "%s", http->error[0] != '\0' ? http->error : curl_easy_strerror(code));
  curl_multi_remove_handle(http->multi, http->easy);
  curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
  free_headers(http);
  http->busy = false;
}

/* True if the request has ended. */
static bool perform(struct crm_http *http) {
  int running = 0, left = 0;
  bool ended = false;
  (void)curl_multi_perform(http->multi, &running);
  for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left)) != NULL;)
    if (message->msg == CURLMSG_DONE) {
      finish(http, message->data.result);
      ended = true;
    }
  return ended;
}

bool crm_http_run(struct crm_http *http, int64_t until_us) {
  if (perform(http))
    return true;
  int64_t now = crm_clock_monotonic_us();
  int64_t wait_ms = until_us <= now ? 0 : (until_us - now + 999) / 1000; /* rounded up, or the last millisecond would be spent spinning */
  (void)curl_multi_poll(http->multi, NULL, 0, wait_ms > INT_MAX ? INT_MAX : (int)wait_ms, NULL);
  return perform(http);
}

void crm_http_wake(struct crm_http *http) {
  (void)curl_multi_wakeup(http->multi);
}

void crm_http_cancel(struct crm_http *http) {
  if (!http->busy)
    return;
  curl_multi_remove_handle(http->multi, http->easy);
  curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
  free_headers(http);
  http->busy = false;
}

const struct crm_http_result *crm_http_result(const struct crm_http *http) {
  return &http->result;
}

void crm_http_describe(const struct crm_http *http, char *buf, size_t size) {
  const struct crm_http_result *result = &http->result;
  char body[512];
  if (result->answer.status == 0) {
    crm_redact_text(http->credentials, result->fault, strlen(result->fault), buf, size);
    return;
  }
  crm_redact_text(http->credentials, result->body, result->body_len, body, sizeof(body));
  snprintf(buf, size, "HTTP status %ld%s%s", result->answer.status, body[0] == '\0' ? "" : ": ", body);
}

uint64_t crm_http_missing(const struct crm_http *http, enum crm_protocol protocol, uint64_t sent, char *message, size_t size) {
  const struct crm_http_result *result = &http->result;
  uint64_t missing = 0;
  message[0] = '\0';
  if (protocol == CRM_REMOTE_WRITE_2) {
    missing = (uint64_t)result->answer.written < sent ? sent - (uint64_t)result->answer.written : 0;
  } else if (protocol == CRM_OTLP) {
    struct crm_otlp_answer partial;
    (void)crm_otlp_answer_parse(result->body, result->body_len, &partial);
    missing = (uint64_t)partial.rejected < sent ? (uint64_t)partial.rejected : sent;
    crm_redact_text(http->credentials, partial.message, strlen(partial.message), message, size);
  }
  return missing;
}
