/* SPDX-License-Identifier: MIT */
/* Names on collectd's own path (METRICS.md section 2, last part): a labelled sample becomes one type instance.
 * Totals: FAMILY.VALUE.VALUE...; breakdowns by one dimension: FAMILY_by_DIMENSION.DIMENSIONVALUE.VALUE... */
#ifndef CRM_SERIES_FLAT_NAME_H
#define CRM_SERIES_FLAT_NAME_H

#include <stddef.h>

#include "series/set.h"

/* One label value as it may stand in an identifier: ASCII upper case becomes lower case, every ASCII character but letters, digits, '_' and '-'
 * becomes '_', other UTF-8 stays, "" becomes "none". Writes at most size - 1 bytes plus NUL; returns the full length (like snprintf). */
size_t crm_flat_value(const char *value, char *buf, size_t size);

struct crm_flat_names;
/* Names for every sample of a rolled-up set (crm_set_roll_up) but those per account, which never go this way and have none.
 * Values of one label which differ but would look alike each get "_" and 8 hexadecimal digits of their hash if they were changed, so
 * that nothing is merged. `le` "+Inf" is "inf". CRM_OK or CRM_ERR_MEMORY; CRM_ERR_DATA if no distinct names are found. */
enum crm_status crm_flat_names_new(const struct crm_series_set *set, struct crm_flat_names **names) CRM_MUSTCHECK;
void crm_flat_names_free(struct crm_flat_names *names);
/* Type instance of sample `i`; NULL for a sample per account, or if it would be longer than `limit` bytes (then the sample is not sent, never cut). */
const char *crm_flat_name(const struct crm_flat_names *names, size_t i, size_t limit);
/* Plugin instance (the tenant) of sample `i`, cleaned the same way. */
const char *crm_flat_instance(const struct crm_flat_names *names, size_t i);

#endif
