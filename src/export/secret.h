/* SPDX-License-Identifier: MIT */
/* Secrets of a sink: read from files, read anew when those change, and kept out of every message. */
#ifndef CRM_EXPORT_SECRET_H
#define CRM_EXPORT_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "export/export_options.h"

/* The first line of a file. */
struct crm_secret {
  const char *path; /* NULL: there is none */
  char *value;
  uint64_t device, inode, size; /* of the file when it was read */
  int64_t changed_ns;
};

struct crm_credentials {
  const struct crm_sink_options *options;
  struct crm_secret password, bearer;
  struct crm_secret *headers; /* one per options->headers; without a path where the value stands in the configuration */
};

/* Reads all files. CRM_ERR_CONFIG when one cannot be read, is no regular file, can be read or written by group or others, is empty, longer than 8 KiB or
 * holds control characters; CRM_ERR_MEMORY. */
enum crm_status crm_credentials_init(struct crm_credentials *credentials, const struct crm_sink_options *options, struct crm_error *err) CRM_MUSTCHECK;
void crm_credentials_free(struct crm_credentials *credentials);
/* Reads the files that have changed (`force`: all) since. One that cannot be read leaves its old value in force, and the first such fault is returned. */
enum crm_status crm_credentials_refresh(struct crm_credentials *credentials, bool force, struct crm_error *err) CRM_MUSTCHECK;
/* True if a secret comes from a file, so that reading it anew may help. */
bool crm_credentials_from_files(const struct crm_credentials *credentials);

/* Value of the header `i`. */
static inline const char *crm_credentials_header(const struct crm_credentials *c, size_t i) {
  return c->headers[i].path != NULL ? c->headers[i].value : c->options->headers[i].value;
}

/* The URL without user, password, query and fragment. */
void crm_redact_url(const char *url, char *buf, size_t size);
/* What a receiver said, fit for the log: at most `size` - 1 bytes of one line of UTF-8, without our secrets, the URL's query, and values of labels (label="..."),
 * which may be customer data. */
void crm_redact_text(const struct crm_credentials *credentials, const char *text, size_t len, char *buf, size_t size);

#endif
