/* SPDX-License-Identifier: MIT */
/* Chance that can be repeated: splitmix64. */
#ifndef CRM_TESTS_CHANCE_H
#define CRM_TESTS_CHANCE_H

#include <stdint.h>

struct chance {
  uint64_t s; /* the seed, then the state */
};

/* 0 .. n - 1 */
static inline int64_t chance_below(struct chance *c, int64_t n) {
  uint64_t z = (c->s += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (int64_t)((z ^ (z >> 31)) % (uint64_t)n);
}

#endif
