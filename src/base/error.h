/* SPDX-License-Identifier: MIT */
/* Errors: one status enum, and one struct that carries the message to whoever logs it.
 *
 * The function that detects a fault fills a `struct crm_error`; callers only add context
 * (crm_error_prefix) and propagate the status. Nobody below the module glue or the tool logs an error
 * that it also returns: one fault, one line. */
#ifndef CRM_BASE_ERROR_H
#define CRM_BASE_ERROR_H

#include <stdarg.h>

enum crm_status {
  CRM_OK = 0,
  CRM_ERR_MEMORY,   /* an allocation failed, or a ceiling was reached */
  CRM_ERR_CONFIG,   /* the configuration is wrong */
  CRM_ERR_IO,       /* a file cannot be read or written */
  CRM_ERR_CONNECT,  /* no connection to the server, or it was lost */
  CRM_ERR_TIMEOUT,  /* a deadline passed */
  CRM_ERR_STOPPED,  /* asked to stop */
  CRM_ERR_SQL,      /* the server refused a statement; sqlstate is set */
  CRM_ERR_MAPPING,  /* a relation's columns do not fit the contract */
  CRM_ERR_DATA,     /* bytes that make no sense */
  CRM_ERR_LIMIT,    /* a configured limit was reached */
};

struct crm_error {
  enum crm_status status;
  char sqlstate[6]; /* five characters and NUL; "" when the server gave none */
  char message[768];
};

#define CRM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CRM_MUSTCHECK __attribute__((warn_unused_result))

/* Fills *err (which may be NULL) and returns `status`, so that `return crm_error_set(...)` reads well.
 * A message longer than the buffer is cut at a character and ends in "...". Clears sqlstate. errno is preserved. */
enum crm_status crm_error_set(struct crm_error *err, enum crm_status status, const char *fmt, ...) CRM_PRINTF(3, 4);

/* Puts "text: " before the message that is there; status and sqlstate stay. Returns err->status (CRM_OK if err is NULL). */
enum crm_status crm_error_prefix(struct crm_error *err, const char *fmt, ...) CRM_PRINTF(2, 3);

/* Resets to CRM_OK and an empty message. err may be NULL. */
void crm_error_clear(struct crm_error *err);

/* A constant, lower-case name of the status ("timeout"), for logs and tests. */
const char *crm_status_name(enum crm_status status);

#endif
