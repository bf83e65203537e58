/* SPDX-License-Identifier: MIT */
/* Random numbers that are the same on every machine: splitmix64, one stream per (seed, account, purpose). A stream of its own for
 * each purpose keeps everything else unchanged when one part of the simulation draws more numbers or is left out. */
#ifndef DEMO_PRNG_H
#define DEMO_PRNG_H

#include <stdbool.h>
#include <stdint.h>

struct prng {
  uint64_t state;
};

/* A well-mixed function of its argument (a bijection). */
uint64_t prng_mix(uint64_t x);
struct prng prng_stream(uint64_t seed, uint64_t account, uint64_t purpose);

static inline uint64_t prng_next(struct prng *r) {
  uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}
/* [0, 1) */
static inline double prng_real(struct prng *r) {
  return (double)(prng_next(r) >> 11) * 0x1p-53;
}
/* 0 .. n-1; the bias of n/2^32 does not matter here. */
static inline int prng_below(struct prng *r, int n) {
  return (int)(((prng_next(r) >> 32) * (uint64_t)n) >> 32);
}
/* lo .. hi, both included */
static inline int prng_between(struct prng *r, int lo, int hi) {
  return lo + prng_below(r, hi - lo + 1);
}
static inline bool prng_chance(struct prng *r, double p) {
  return prng_real(r) < p;
}
/* About normal(0, 1), from four uniforms: within +-3.46, no libm, hence the same bits everywhere. */
static inline double prng_normal(struct prng *r) {
  uint64_t z = prng_next(r);
  int sum = (int)(z & 0xffff) + (int)((z >> 16) & 0xffff) + (int)((z >> 32) & 0xffff) + (int)(z >> 48);
  return (sum - 131070) * (1.0 / 37837.227);
}
/* Mean 1. */
double prng_exponential(struct prng *r);
int prng_poisson(struct prng *r, double mean);

/* Kinds of things that have a key. */
enum key_kind {
  KEY_ORGANIZATION = 1,
  KEY_USER,
  KEY_ACCOUNT,
  KEY_GROWTH,
  KEY_CONTACT,
  KEY_ENGAGEMENT,
  KEY_PARTICIPANT,
  KEY_NPS,
  KEY_HEALTH,
  KEY_GOAL,
  KEY_ADOPTION,
  KEY_SUPPORT,
  KEY_PRODUCT,
  KEY_TRACKED,
  KEY_FINGERPRINT,
  KEY_SESSION,
  KEY_USAGE_METRIC,
  KEY_PLAN,
  KEY_CONTRACT,
  KEY_INVOICE,
  KEY_SIGNAL,
  KEY_INTERVENTION,
  KEY_OPPORTUNITY,
};
/* 36 characters, no terminator: a uuid (version 4 in form) that depends on nothing but the arguments. */
struct key {
  char text[36];
};
struct key key_make(uint64_t seed, enum key_kind kind, uint64_t account, uint64_t number);

#endif
