/* SPDX-License-Identifier: MIT */
/* Growable string with a mandatory ceiling. A failing append frees the buffer and marks it failed; later appends
 * do nothing, so a caller checks once at the end (crm_strbuf_ok). */
#ifndef CRM_BASE_STRBUF_H
#define CRM_BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct crm_strbuf {
  char *data; /* NUL-terminated when not NULL */
  size_t len;
  size_t cap;
  size_t ceiling;
  bool failed;
};

/* Cannot fail. `ceiling` in bytes, required. */
void crm_strbuf_init(struct crm_strbuf *buf, size_t ceiling);
void crm_strbuf_free(struct crm_strbuf *buf);
/* Empties, keeps the memory, clears the failed mark. */
void crm_strbuf_reset(struct crm_strbuf *buf);
/* As after an append that failed. */
void crm_strbuf_fail(struct crm_strbuf *buf);
void crm_strbuf_add(struct crm_strbuf *buf, const char *data, size_t len);
void crm_strbuf_adds(struct crm_strbuf *buf, const char *text);
void crm_strbuf_addc(struct crm_strbuf *buf, char c);
void crm_strbuf_addf(struct crm_strbuf *buf, const char *fmt, ...) CRM_PRINTF(2, 3);
/* Makes room for `more` bytes behind the text and returns where they go; NULL when that fails. crm_strbuf_took says how many were written there,
 * at most that many. For loops in which a call per piece costs too much. */
char *crm_strbuf_room(struct crm_strbuf *buf, size_t more);
void crm_strbuf_took(struct crm_strbuf *buf, size_t len);
/* The text so far, "" when empty; NULL when an append failed. Valid until the next append. */
const char *crm_strbuf_str(const struct crm_strbuf *buf);
static inline bool crm_strbuf_ok(const struct crm_strbuf *buf) { return !buf->failed; }
/* Hands the text to the caller, who frees it with free(); the buffer is empty afterwards. NULL when an append failed. */
char *crm_strbuf_take(struct crm_strbuf *buf);

#endif
