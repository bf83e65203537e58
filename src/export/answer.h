/* SPDX-License-Identifier: MIT */
/* What a receiver's answer means: pure functions of what came back. */
#ifndef CRM_EXPORT_ANSWER_H
#define CRM_EXPORT_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/export_options.h"
#include "facts/calendar.h"

enum crm_verdict {
  CRM_ANSWER_OK,
  CRM_ANSWER_RETRY,          /* the same again, later */
  CRM_ANSWER_REJECTED,       /* never again: the receiver will not take it */
  CRM_ANSWER_DENIED,         /* the credentials may be old: read them anew and try once more */
  CRM_ANSWER_NOT_UNDERSTOOD, /* remote write 2.0 is unknown there: the same as 1.0 */
};

struct crm_answer {
  long status;       /* of HTTP; 0: there was no answer, the network failed */
  bool tells_written; /* at least one of the headers X-Prometheus-Remote-Write-*-Written came */
  int64_t written;    /* samples written, 0 if that header is missing */
  int64_t retry_after_us; /* as asked for by the receiver; negative: it did not */
};

/* Remote write 1.0 and 2.0: no answer, 429 and 5xx are tried again; OTLP/HTTP: no answer, 429, 502, 503, 504 alone. A 2.0 request counts as "not understood" with 415, and with a 2xx
 * that tells nothing written: a receiver that knows only 1.0 answers so and stores nothing. Redirects are not followed and count as rejected. */
enum crm_verdict crm_answer_verdict(enum crm_protocol protocol, const struct crm_answer *answer);

/* The value of a header Retry-After: seconds, or a date in one of the three forms of HTTP (RFC 9110, 5.6.7). Microseconds from `now` on, 0 for a
 * date that has passed, at most a year; -1 if it is neither. */
int64_t crm_retry_after(const char *text, size_t len, crm_time now);

/* The partial success of an ExportMetricsServiceResponse. */
struct crm_otlp_answer {
  int64_t rejected;  /* data points, >= 0 */
  char message[256]; /* as the receiver says it, cut; "" if it says nothing */
};
/* False, and *answer empty, if the bytes are no such message. */
bool crm_otlp_answer_parse(const char *data, size_t len, struct crm_otlp_answer *answer);

#endif
