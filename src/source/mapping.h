/* SPDX-License-Identifier: MIT */
/* Internal to source: the SQL texts of a mapping, and the statements made of them. */
#ifndef CRM_SOURCE_MAPPING_H
#define CRM_SOURCE_MAPPING_H

#include <stddef.h>

#include "base/log.h"
#include "source/source.h"

enum { CRM_CHANGES_MAX = 8 };
#define CRM_MAPPING_FILE_MAX ((size_t)1 << 20)

struct crm_mapping {
  char *sql[CRM_RELATIONS]; /* one SELECT without its semicolon; NULL: not mapped */
  char origin[CRM_RELATIONS][256];
  char *changes[CRM_RELATIONS][CRM_CHANGES_MAX]; /* SELECTs of account_id (or the key) and changed_at, one per table; see crm_changes */
  size_t n_changes[CRM_RELATIONS];
};

/* Loads what the options say: Query, else QueryFile, else <mapping>/<relation>.sql where there is one. A .sql file in the directory that is
 * no relation's is told through the log, since it is mostly a misspelt name. CRM_ERR_CONFIG or CRM_ERR_IO names the file and line. Free it
 * in any case. */
enum crm_status crm_mapping_load(const struct crm_source_options *options, const struct crm_log *log, struct crm_mapping *mapping,
                                 struct crm_error *err) CRM_MUSTCHECK;
void crm_mapping_free(struct crm_mapping *mapping);

/* Makes one statement of the text: drops a byte order mark and the semicolon at the end. Comments stay, wherever they are.
 * CRM_ERR_CONFIG "line N: ..." for an empty text, a second statement, an open quote or comment, invalid UTF-8. The caller frees *sql. */
enum crm_status crm_mapping_clean(const char *text, size_t len, char **sql, struct crm_error *err) CRM_MUSTCHECK;

/* The statements of a text, which may be several with semicolons between them: at most CRM_CHANGES_MAX. Errors as crm_mapping_clean; the
 * caller frees those there are, on failure too. */
enum crm_status crm_mapping_split(const char *text, size_t len, char *sqls[CRM_CHANGES_MAX], size_t *n,
                                  struct crm_error *err) CRM_MUSTCHECK;

/* "SELECT * FROM (sql) q LIMIT 0": analysed, planned and its privileges checked, but not run. NULL when out of memory; free() it. */
char *crm_mapping_check_statement(const char *sql);
/* The line (from 1) of the mapping at which the server found a fault in a check statement; `position` counts characters from 1. 0 if
 * outside. */
int crm_mapping_line(const char *sql, int position);
#endif
