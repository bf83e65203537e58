/* SPDX-License-Identifier: MIT */
/* Numbers as text: integers and money exactly in decimals, everything else the shortest form that reads back the same. */
#ifndef CRM_EXPORT_NUMBER_H
#define CRM_EXPORT_NUMBER_H

#include "series/set.h"

#define CRM_NUMBER_MAX 31 /* bytes of the longest text */

/* Writes the number to `out`, without a NUL, and returns its length. Does not depend on the host's locale. */
size_t crm_print_number(const struct crm_number *number, char *out);
/* The same with a NUL; at most 32 bytes with it. */
void crm_format_number(const struct crm_number *number, char buf[32]);

#endif
