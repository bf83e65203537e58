/* SPDX-License-Identifier: MIT */
#include "prng.h"

#include <math.h>

uint64_t prng_mix(uint64_t x) {
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}

struct prng prng_stream(uint64_t seed, uint64_t account, uint64_t purpose) {
  uint64_t h = prng_mix(seed * 5 + UINT64_C(0x9e3779b97f4a7c15));
  h = prng_mix(h ^ (account * UINT64_C(0xd1342543de82ef95) + 1));
  return (struct prng){prng_mix(h + purpose * UINT64_C(0x2545f4914f6cdd1d))};
}

double prng_exponential(struct prng *r) {
  return -log1p(-prng_real(r));
}

int prng_poisson(struct prng *r, double mean) {
  if (mean <= 0)
    return 0;
  if (mean > 30) {
    int n = (int)lrint(mean + sqrt(mean) * prng_normal(r));
    return n < 0 ? 0 : n;
  }
  double limit = exp(-mean);
  int n = 0;
  for (double p = prng_real(r); p > limit; p *= prng_real(r))
    n++;
  return n;
}

static char *put_hex(char *p, uint64_t v, int digits) {
  for (int i = digits - 1; i >= 0; i--)
    *p++ = "0123456789abcdef"[(v >> (4 * i)) & 15];
  return p;
}

struct key key_make(uint64_t seed, enum key_kind kind, uint64_t account, uint64_t number) {
  uint64_t hi =
      prng_mix(prng_mix(seed ^ ((uint64_t)kind << 56)) ^ (account * UINT64_C(0xd1342543de82ef95) + number * UINT64_C(0x9e3779b97f4a7c15)));
  uint64_t lo = prng_mix(hi + UINT64_C(0x632be59bd9b4e019) * (number + 1));
  struct key key;
  char *p = put_hex(key.text, hi >> 32, 8);
  *p++ = '-';
  p = put_hex(p, hi >> 16, 4);
  *p++ = '-';
  p = put_hex(p, (hi & 0x0fff) | 0x4000, 4);
  *p++ = '-';
  p = put_hex(p, ((lo >> 48) & 0x3fff) | 0x8000, 4);
  *p++ = '-';
  put_hex(p, lo, 12);
  return key;
}
