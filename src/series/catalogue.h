/* SPDX-License-Identifier: MIT */
/* The metric catalogue: one const table from which HELP texts, exposition, collectd names, crm-metrics(7) and the tests are made.
 * A family is added here and nowhere else. */
#ifndef CRM_SERIES_CATALOGUE_H
#define CRM_SERIES_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "facts/relation.h"

/* catalogue.def holds one CRM_FAMILY(ID, ...) per family and says what its arguments are. */
enum crm_family {
#define CRM_FAMILY(id, ...) CRM_FAM_##id,
#include "series/catalogue.def"
#undef CRM_FAMILY
  CRM_FAMILIES
};

enum crm_scope {
  CRM_SCOPE_CELL,     /* (c): labels tenant + the GroupBy dimensions + its own; additive */
  CRM_SCOPE_TENANT,   /* (t): labels tenant + its own; additive */
  CRM_SCOPE_ACCOUNT,  /* (a): labels tenant, account + its own */
  CRM_SCOPE_INSTANCE, /* the collector itself: label tenant = the instance's name, + its own */
  /* (t) too, but no sum: a ratio, mean, quantile or rank of the whole tenant. crm_family_info.derived tells. */
  CRM_SCOPE_DERIVED = CRM_SCOPE_TENANT,
};
enum crm_family_kind { CRM_GAUGE, CRM_COUNTER, CRM_DISTRIBUTION /* cumulative gauges, last label le */ };

#define CRM_FAMILY_LABELS 8

struct crm_family_info {
  const char *name; /* with crm_ */
  enum crm_scope scope;
  bool derived; /* not additive over the accounts of a tenant, hence absent in a shard */
  enum crm_family_kind kind;
  const char *unit;   /* "", "score", "ratio", "seconds", "bytes", "currency", "accounts" ... */
  const char *labels[CRM_FAMILY_LABELS]; /* its own labels in catalogue order, NULL-terminated */
  unsigned needs;     /* bit mask of relations without which it is absent: 1u << CRM_REL_... */
  const char *population; /* "ACCOUNTS", "OPEN", "PAYING", ... */
  const char *help;   /* states the definition chosen */
};

const struct crm_family_info *crm_family_info(enum crm_family family);
/* CRM_FAMILIES if there is none. */
enum crm_family crm_family_by_name(const char *name);
size_t crm_family_label_count(enum crm_family family);

#endif
