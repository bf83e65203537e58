/* SPDX-License-Identifier: MIT */
/* The token that readers of a scrape endpoint must show, from the first line of a file. */
#ifndef CRM_EXPORT_TOKEN_H
#define CRM_EXPORT_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CRM_TOKEN_MAX 4096

struct crm_token {
  const char *path;
  char *value; /* NULL while there is none that holds: then nobody is let in */
  uint64_t device, inode, size; /* of the file when it was read */
  int64_t changed_ns;
};

/* Reads the file if it has changed since the last call, or could not be read then. CRM_ERR_IO: it cannot be read, is empty, too long, holds control
 * characters, or every user may read or write it; then there is no token. CRM_ERR_MEMORY. */
enum crm_status crm_token_refresh(struct crm_token *token, struct crm_error *err) CRM_MUSTCHECK;
/* True if `authorization`, the text of that header (NULL: none was sent), shows the token. How long it takes tells nothing about the token. */
bool crm_token_fits(const struct crm_token *token, const char *authorization);
void crm_token_free(struct crm_token *token);

#endif
