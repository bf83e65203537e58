/* SPDX-License-Identifier: MIT */
/* One POST at a time over a connection that is kept, by libcurl; everything can be ended at once from another thread. Used by one thread, but for crm_http_wake. */
#ifndef CRM_EXPORT_HTTP_POST_H
#define CRM_EXPORT_HTTP_POST_H

#include "export/answer.h"
#include "export/secret.h"

struct crm_http;

/* The options and credentials must outlive it. Opens a pair of descriptors for crm_http_wake: after the daemon's fork. CRM_ERR_MEMORY. */
enum crm_status crm_http_new(const struct crm_sink_options *options, const struct crm_credentials *credentials, struct crm_http **http,
                             struct crm_error *err) CRM_MUSTCHECK;
/* Gives up a request that is under way. A name look-up that hangs goes on in libcurl's own thread where libcurl is 7.87 or newer; an older one waits for it. */
void crm_http_free(struct crm_http *http);

/* Begins a POST; `body` must stay until it has ended. `headers`: those of the protocol, NULL-terminated. CRM_ERR_MEMORY. */
enum crm_status crm_http_begin(struct crm_http *http, const struct crm_name_value *headers, const char *body, size_t len, struct crm_error *err) CRM_MUSTCHECK;
/* Works on the request, if there is one, and waits for it. True when it has ended; false at the monotonic time `until_us`, after crm_http_wake, and
 * whenever something has come or gone: to be called again. */
bool crm_http_run(struct crm_http *http, int64_t until_us);
/* Makes crm_http_run return, now or the next time; from any thread. */
void crm_http_wake(struct crm_http *http);
/* Gives up the request that is under way, if any. */
void crm_http_cancel(struct crm_http *http);

/* What came of the request that has ended; valid until the next one begins. */
struct crm_http_result {
  struct crm_answer answer;
  char fault[320];  /* why there is no answer; "" if there is one */
  const char *body; /* of the answer, its first 64 KiB */
  size_t body_len;
  int64_t duration_us;
};
const struct crm_http_result *crm_http_result(const struct crm_http *http);
/* "HTTP status 503: what it said", or why there is no answer; fit for the log. */
void crm_http_describe(const struct crm_http *http, char *buf, size_t size);
/* How many of the `sent` series an answer of success says were not taken; `message` is what it says to that, fit for the log, or "". */
uint64_t crm_http_missing(const struct crm_http *http, enum crm_protocol protocol, uint64_t sent, char *message, size_t size);

#endif
