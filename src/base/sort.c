/* SPDX-License-Identifier: MIT */
#include "base/sort.h"

#include <stdbool.h>
#include <string.h>

#define FEW 32

static void sort_few(struct crm_keyed *keyed, size_t n) {
  for (size_t i = 1; i < n; i++) {
    struct crm_keyed moved = keyed[i];
    size_t k = i;
    for (; k > 0 && keyed[k - 1].key > moved.key; k--)
      keyed[k] = keyed[k - 1];
    keyed[k] = moved;
  }
}

#define DIGIT_BITS_MAX 11

/* From the least digit on; each pass keeps the order of the one before. Bits in which all keys agree are in no digit. */
static void sort_digits(struct crm_keyed *keyed, struct crm_keyed *scratch, size_t n) {
  uint32_t place[1u << DIGIT_BITS_MAX];
  unsigned digit_bits = n < 2048 ? 8 : DIGIT_BITS_MAX; /* a pass also costs as much as there are digits */
  uint64_t differ = 0, mask = (UINT64_C(1) << digit_bits) - 1;
  for (size_t i = 1; i < n; i++)
    differ |= keyed[i].key ^ keyed[0].key;
  struct crm_keyed *from = keyed, *to = scratch;
  while (differ != 0) {
    unsigned shift = (unsigned)__builtin_ctzll(differ);
    differ &= ~(mask << shift);
    memset(place, 0, sizeof(*place) << digit_bits);
    for (size_t i = 0; i < n; i++)
      place[from[i].key >> shift & mask]++;
    uint32_t before = 0;
    for (size_t v = 0; v <= mask; v++) {
      uint32_t here = place[v];
      place[v] = before;
      before += here;
    }
    for (size_t i = 0; i < n; i++)
      to[place[from[i].key >> shift & mask]++] = from[i];
    struct crm_keyed *swap = from;
    from = to;
    to = swap;
  }
  if (from != keyed)
    memcpy(keyed, from, n * sizeof(*keyed));
}

static bool is_sorted(const struct crm_keyed *keyed, size_t n) {
  size_t i = 1;
  while (i < n && keyed[i - 1].key <= keyed[i].key)
    i++;
  return i >= n;
}

void crm_sort_keyed(struct crm_keyed *keyed, struct crm_keyed *scratch, size_t n) {
  if (is_sorted(keyed, n))
    return;
  if (n <= FEW)
    sort_few(keyed, n);
  else
    sort_digits(keyed, scratch, n);
}
