/* SPDX-License-Identifier: MIT */
/* Growable arrays: a column of a relation is one `T *` with a shared length and capacity. */
#ifndef CRM_BASE_VEC_H
#define CRM_BASE_VEC_H

#include <stddef.h>

#include "base/error.h"

/* Makes room for `need` elements of `size` bytes in *data (malloc'ed or NULL), at least doubling *cap.
 * CRM_OK or CRM_ERR_MEMORY (then *data and *cap are as before). */
enum crm_status crm_vec_reserve(void **data, size_t *cap, size_t need, size_t size) CRM_MUSTCHECK;

#endif
