/* SPDX-License-Identifier: MIT */
#include "base/vec.h"

#include <stdint.h>
#include <stdlib.h>

enum crm_status crm_vec_reserve(void **data, size_t *cap, size_t need, size_t size) {
  if (need <= *cap)
    return CRM_OK;
  size_t wanted = *cap > SIZE_MAX / 2 ? need : *cap * 2;
  if (wanted < 16)
    wanted = 16;
  if (wanted < need)
    wanted = need;
  size_t bytes;
  if (__builtin_mul_overflow(wanted, size, &bytes))
    return CRM_ERR_MEMORY;
  void *grown = realloc(*data, bytes);
  if (grown == NULL)
    return CRM_ERR_MEMORY;
  *data = grown;
  *cap = wanted;
  return CRM_OK;
}
