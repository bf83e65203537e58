/* SPDX-License-Identifier: MIT */
#ifndef CRM_BASE_UTF8_H
#define CRM_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* True if the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF) and hold no NUL. */
bool crm_utf8_valid(const char *text, size_t len);
/* The largest n <= limit such that text[0..n) ends at a character boundary. `text` is valid UTF-8 of `len` bytes. */
size_t crm_utf8_cut(const char *text, size_t len, size_t limit);

#endif
