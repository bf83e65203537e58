/* SPDX-License-Identifier: MIT */
#include "analytics/spearman.h"

#include <math.h>
#include <string.h>

#define DIGIT_BITS 11
#define DIGIT_VALUES (1u << DIGIT_BITS)
#define DIGITS ((64 + DIGIT_BITS - 1) / DIGIT_BITS)

static unsigned digit_of(uint64_t key, unsigned digit) {
  return (unsigned)(key >> (digit * DIGIT_BITS)) & (DIGIT_VALUES - 1);
}

void crm_sort_keys(uint64_t *keys, uint64_t *scratch, size_t n) {
  uint32_t count[DIGITS][DIGIT_VALUES];
  memset(count, 0, sizeof(count));
  for (size_t i = 0; i < n; i++)
    for (unsigned d = 0; d < DIGITS; d++)
      count[d][digit_of(keys[i], d)]++;
  uint64_t *from = keys, *to = scratch;
  for (unsigned d = 0; d < DIGITS && n > 0; d++) {
    if (count[d][digit_of(from[0], d)] == n)
      continue; /* all alike in this digit */
    uint32_t place = 0;
    for (unsigned v = 0; v < DIGIT_VALUES; v++) {
      uint32_t here = count[d][v];
      count[d][v] = place;
      place += here;
    }
    for (size_t i = 0; i < n; i++)
      to[count[d][digit_of(from[i], d)]++] = from[i];
    uint64_t *swap = from;
    from = to;
    to = swap;
  }
  if (from != keys)
    memcpy(keys, from, n * sizeof(*keys));
}

#define CLASSES (1u << CRM_SPEARMAN_X_BITS)

static unsigned x_of(uint64_t key) {
  return (unsigned)(key & (CLASSES - 1));
}

/* Twice the mean rank of those that stand at [first, end), ranks counted from 1; n + 1 is twice the mean of all ranks. */
static int64_t centred(size_t first, size_t end, size_t n) {
  return (int64_t)(first + 1 + end) - (int64_t)(n + 1);
}

double crm_spearman(const uint64_t *sorted, size_t n) {
  size_t count[CLASSES] = {0};
  for (size_t i = 0; i < n; i++)
    count[x_of(sorted[i])]++;
  int64_t rank[CLASSES];
  __int128 xx = 0, yy = 0, xy = 0;
  size_t before = 0;
  for (unsigned x = 0; x < CLASSES; x++) {
    rank[x] = centred(before, before + count[x], n);
    before += count[x];
    xx += (__int128)rank[x] * rank[x] * (__int128)count[x];
  }
  for (size_t i = 0; i < n;) {
    size_t end = i;
    int64_t x_ranks = 0;
    while (end < n && sorted[end] >> CRM_SPEARMAN_X_BITS == sorted[i] >> CRM_SPEARMAN_X_BITS)
      x_ranks += rank[x_of(sorted[end++])];
    int64_t y_rank = centred(i, end, n);
    yy += (__int128)y_rank * y_rank * (__int128)(end - i);
    xy += (__int128)y_rank * x_ranks;
    i = end;
  }
  if (xx == 0 || yy == 0)
    return NAN;
  double r = (double)xy / sqrt((double)xx * (double)yy);
  return r > 1 ? 1 : r < -1 ? -1 : r;
}
