/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/answer.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/utf8.h"

#define LONGEST_US (INT64_C(366) * 86400 * CRM_US_PER_SECOND)

enum crm_verdict crm_answer_verdict(enum crm_protocol protocol, const struct crm_answer *answer) {
  long status = answer->status;
  if (status == 0 || status == 429)
    return CRM_ANSWER_RETRY;
  if (status >= 200 && status <= 299)
    return protocol == CRM_REMOTE_WRITE_2 && !answer->tells_written ? CRM_ANSWER_NOT_UNDERSTOOD : CRM_ANSWER_OK;
  if (status == 401 || status == 403)
    return CRM_ANSWER_DENIED;
  if (status == 415 && protocol == CRM_REMOTE_WRITE_2)
    return CRM_ANSWER_NOT_UNDERSTOOD;
  if (status < 500 || status > 599)
    return CRM_ANSWER_REJECTED;
  if (protocol == CRM_OTLP && status != 502 && status != 503 && status != 504)
    return CRM_ANSWER_REJECTED;
  return CRM_ANSWER_RETRY;
}

/* --- Retry-After ---------------------------------------------------------------------------------------------------------- */

/* A number of one to `digits` digits; -1 if there is none. */
static int take_number(const char **at, const char *end, int digits) {
  int value = 0, n = 0;
  for (; n < digits && *at < end && **at >= '0' && **at <= '9'; n++, (*at)++)
    value = value * 10 + (**at - '0');
  return n == 0 ? -1 : value;
}

static bool take(const char **at, const char *end, const char *text) {
  size_t len = strlen(text);
  if ((size_t)(end - *at) < len || memcmp(*at, text, len) != 0)
    return false;
  *at += len;
  return true;
}

static int take_month(const char **at, const char *end) {
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (int m = 0; m < 12 && end - *at >= 3; m++)
    if (memcmp(*at, months + 3 * (ptrdiff_t)m, 3) == 0) {
      *at += 3;
      return m;
    }
  return -1;
}

static bool take_clock(const char **at, const char *end, struct tm *tm) {
  tm->tm_hour = take_number(at, end, 2);
  if (tm->tm_hour < 0 || !take(at, end, ":"))
    return false;
  tm->tm_min = take_number(at, end, 2);
  if (tm->tm_min < 0 || !take(at, end, ":"))
    return false;
  tm->tm_sec = take_number(at, end, 2);
  return tm->tm_sec >= 0 && tm->tm_sec <= 60 && tm->tm_min <= 59 && tm->tm_hour <= 23;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" or "Sun Nov  6 08:49:37 1994". */
static bool parse_date(const char *at, const char *end, struct tm *tm) {
  while (at < end && ((*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z')))
    at++; /* the day of the week says nothing more */
  bool comma = take(&at, end, ",");
  if (!take(&at, end, " "))
    return false;
  if (!comma) {
    tm->tm_mon = take_month(&at, end);
    if (tm->tm_mon < 0 || !take(&at, end, " "))
      return false;
    (void)take(&at, end, " ");
    tm->tm_mday = take_number(&at, end, 2);
    if (!take(&at, end, " ") || !take_clock(&at, end, tm) || !take(&at, end, " "))
      return false;
    tm->tm_year = take_number(&at, end, 4) - 1900;
  } else {
    tm->tm_mday = take_number(&at, end, 2);
    bool dashes = take(&at, end, "-");
    if (!dashes && !take(&at, end, " "))
      return false;
    tm->tm_mon = take_month(&at, end);
    if (tm->tm_mon < 0 || !take(&at, end, dashes ? "-" : " "))
      return false;
    int year = take_number(&at, end, dashes ? 2 : 4);
    if (year < 0)
      return false;
    tm->tm_year = dashes ? (year < 70 ? year + 100 : year) : year - 1900;
    if (!take(&at, end, " ") || !take_clock(&at, end, tm) || !take(&at, end, " GMT"))
      return false;
  }
  return at == end && tm->tm_mday >= 1 && tm->tm_mday <= 31 && tm->tm_year >= 70;
}

int64_t crm_retry_after(const char *text, size_t len, crm_time now) {
  const char *end = text + len;
  while (text < end && (*text == ' ' || *text == '\t'))
    text++;
  while (end > text && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r' || end[-1] == '\n'))
    end--;
  const char *at = text;
  int64_t seconds = 0;
  for (; at < end && *at >= '0' && *at <= '9'; at++)
    seconds = seconds > LONGEST_US ? seconds : seconds * 10 + (*at - '0');
  if (at == end && at > text)
    return seconds > LONGEST_US / CRM_US_PER_SECOND ? LONGEST_US : seconds * CRM_US_PER_SECOND;
  struct tm tm = {0};
  if (!parse_date(text, end, &tm))
    return -1;
  int64_t then = (int64_t)timegm(&tm) * CRM_US_PER_SECOND;
  if (then <= now)
    return 0;
  return then - now > LONGEST_US ? LONGEST_US : then - now;
}

/* --- the answer of OTLP ------------------------------------------------------------------------------------------------------ */

struct field {
  uint32_t number;
  uint64_t varint;  /* wire type 0 */
  const char *data; /* wire type 2; else NULL */
  size_t len;
};

static bool take_varint(const char **at, const char *end, uint64_t *value) {
  *value = 0;
  for (int shift = 0; shift < 64 && *at < end; shift += 7) {
    unsigned char c = (unsigned char)*(*at)++;
    *value |= (uint64_t)(c & 0x7f) << shift;
    if (c < 0x80)
      return true;
  }
  return false;
}

/* The next field of a protobuf message; false at bytes that make no sense. Two fields of one message do not justify generated code. */
static bool take_field(const char **at, const char *end, struct field *field) {
  uint64_t key = 0;
  *field = (struct field){0};
  if (!take_varint(at, end, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX >> 3)
    return false;
  field->number = (uint32_t)(key >> 3);
  uint64_t skip = 0;
  switch (key & 7) {
  case 0:
    return take_varint(at, end, &field->varint);
  case 1:
    skip = 8;
    break;
  case 2:
    if (!take_varint(at, end, &skip))
      return false;
    break;
  case 5:
    skip = 4;
    break;
  default:
    return false;
  }
  if (skip > (uint64_t)(end - *at))
    return false;
  if ((key & 7) == 2) {
    field->data = *at;
    field->len = (size_t)skip;
  }
  *at += skip;
  return true;
}

static bool parse_partial(const char *at, size_t len, struct crm_otlp_answer *answer) {
  struct field field;
  for (const char *end = at + len; at < end;) {
    if (!take_field(&at, end, &field))
      return false;
    if (field.number == 1 && field.data == NULL) {
      answer->rejected = field.varint > INT64_MAX ? 0 : (int64_t)field.varint;
    } else if (field.number == 2 && field.data != NULL && crm_utf8_valid(field.data, field.len)) {
      size_t n = crm_utf8_cut(field.data, field.len, sizeof(answer->message) - 1);
      memcpy(answer->message, field.data, n);
      answer->message[n] = '\0';
    }
  }
  return true;
}

bool crm_otlp_answer_parse(const char *data, size_t len, struct crm_otlp_answer *answer) {
  *answer = (struct crm_otlp_answer){0};
  struct field field;
  for (const char *at = data, *end = data + len; at < end;)
    if (!take_field(&at, end, &field) || (field.number == 1 && field.data != NULL && !parse_partial(field.data, field.len, answer))) {
      *answer = (struct crm_otlp_answer){0};
      return false;
    }
  return true;
}
