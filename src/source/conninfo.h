/* SPDX-License-Identifier: MIT */
/* Internal to source: from the options of a database to libpq's keywords, and keeping secrets out of messages. */
#ifndef CRM_SOURCE_CONNINFO_H
#define CRM_SOURCE_CONNINFO_H

#include <stddef.h>

#include "source/source.h"

#define CRM_CONNINFO_MAX 64
#define CRM_SECRETS_MAX 8

/* Keywords and values for PQconnectStartParams with expand_dbname 0: connection strings are taken apart before, so no value needs quoting.
 * All strings are owned. */
struct crm_conninfo {
  const char *keywords[CRM_CONNINFO_MAX + 1];
  const char *values[CRM_CONNINFO_MAX + 1];
  size_t n;
};

/* Strings that must not be seen in any message. */
struct crm_secrets {
  char *text[CRM_SECRETS_MAX];
  size_t n;
};

/* Merges, from weak to strong: our defaults (keepalives, tcp_user_timeout), `conninfo`, the single options, password_file, and what we
 * insist on (application_name, client_encoding). Reads the password file, at each connecting, so that a changed password is found.
 * CRM_ERR_CONFIG names the database and what is wrong but quotes nothing of a connection string, since libpq's own text would quote a
 * password; CRM_ERR_IO names the password file; CRM_ERR_MEMORY. Both structs are to be freed, on failure too. */
enum crm_status crm_conninfo_build(const struct crm_database_options *options, const char *instance, int64_t connect_timeout_us,
                                   struct crm_conninfo *conninfo, struct crm_secrets *secrets, struct crm_error *err) CRM_MUSTCHECK;
/* Overwrites the values before it frees them. */
void crm_conninfo_free(struct crm_conninfo *conninfo);
/* The value of the keyword, or NULL. */
const char *crm_conninfo_get(const struct crm_conninfo *conninfo, const char *keyword);

/* Keeps a copy; NULL and "" are not kept, and more than CRM_SECRETS_MAX neither (CRM_ERR_LIMIT). */
enum crm_status crm_secrets_add(struct crm_secrets *secrets, const char *text) CRM_MUSTCHECK;
void crm_secrets_free(struct crm_secrets *secrets);
/* Copies `text` as one line: secrets become "***", line breaks "; ", control characters blanks; the end is trimmed. Cuts at `size`. */
void crm_secrets_scrub(const struct crm_secrets *secrets, const char *text, char *out, size_t size);

/* "database "x" of instance i" or "instance i" into buf, for messages before there is an endpoint. */
void crm_database_title(const struct crm_database_options *options, const char *instance, char *buf, size_t size);

#endif
