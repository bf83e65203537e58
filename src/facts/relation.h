/* SPDX-License-Identifier: MIT */
/* The CRM contract as a table: relations and their columns. The mapping check, the reader, `crmctl check` and the manual are
 * all driven by it. */
#ifndef CRM_FACTS_RELATION_H
#define CRM_FACTS_RELATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum crm_relation {
  CRM_REL_ACCOUNT,
  CRM_REL_REVENUE,
  CRM_REL_CONTRACT,
  CRM_REL_USAGE,
  CRM_REL_SUPPORT,
  CRM_REL_ENGAGEMENT,
  CRM_REL_CONTACT,
  CRM_REL_NPS,
  CRM_REL_GOAL,
  CRM_REL_HEALTH,
  CRM_REL_INVOICE,
  CRM_REL_OPPORTUNITY,
  CRM_REL_SIGNAL,
  CRM_REL_INTERVENTION,
  CRM_REL_ONBOARDING,
  CRM_RELATIONS
};

/* What a column holds, hence which PostgreSQL types fit. */
enum crm_column_kind {
  CRM_COL_TEXT,     /* text, varchar, char, name, uuid, an enum, an integer */
  CRM_COL_TEXTS,    /* an array of such */
  CRM_COL_TIME,     /* timestamptz, or date (00:00 in TimeZone); never timestamp without time zone */
  CRM_COL_DAY,      /* date */
  CRM_COL_NUMBER,   /* smallint .. bigint, real, double precision, numeric */
  CRM_COL_MONEY,    /* the same, in major units; needs the row's currency */
  CRM_COL_BOOLEAN,  /* boolean */
};

struct crm_column {
  const char *name;
  enum crm_column_kind kind;
  bool required;
  /* For CRM_COL_NUMBER: rows outside [min, max] are rejected with reason "out_of_range". */
  double min, max;
  const char *help; /* one line: unit and meaning */
};

struct crm_relation_info {
  const char *name;
  const char *help;
  const struct crm_column *columns;
  size_t n_columns;
  /* Index of the column by which old rows may be left out (Option History), or -1. */
  int history_column;
};

const struct crm_relation_info *crm_relation_info(enum crm_relation relation);
/* The column that holds the day of a relation whose rows are figures of days (the one by which old rows may be left out), or -1. */
static inline int crm_relation_day(enum crm_relation relation) {
  return crm_relation_info(relation)->history_column;
}
/* CRM_RELATIONS if there is none of that name. */
enum crm_relation crm_relation_by_name(const char *name);

/* Why a row was refused; label `reason` of crm_rows_rejected_total. */
enum crm_reject {
  CRM_REJECT_NO_ACCOUNT,      /* account_id is NULL or empty */
  CRM_REJECT_UNKNOWN_ACCOUNT, /* no such row in `account` */
  CRM_REJECT_DUPLICATE,       /* a second `account` row with the id, or a second contract with the key */
  CRM_REJECT_MISSING,         /* a required column is NULL */
  CRM_REJECT_NOT_A_NUMBER,    /* NaN or infinity */
  CRM_REJECT_OUT_OF_RANGE,
  CRM_REJECT_BAD_TEXT,        /* invalid UTF-8 */
  CRM_REJECT_BAD_VALUE,       /* a word that the column does not know, e.g. a currency that is none */
  CRM_REJECT_NO_CURRENCY,     /* an amount without a currency, and no default */
  CRM_REJECT_UNDATED_CHURN,   /* status churned, but no date from any source: see METRICS.md section 3 */
  CRM_REJECTS
};
const char *crm_reject_name(enum crm_reject reason);

#endif
