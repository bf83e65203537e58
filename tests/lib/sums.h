/* SPDX-License-Identifier: MIT */
/* Sums over a set of samples, written as text, for tests of what has to add up:
 *
 *   "crm_arr_opening + crm_arr_movement kind=new - crm_arr_movement kind=churn"
 *
 * Each term is a family and values of its labels. It is asked for at a frame, which is a sample of some term: a label that both families
 * have and neither term says must be equal. Sums are exact as long as their terms share a denominator. */
#ifndef CRM_TESTS_SUMS_H
#define CRM_TESTS_SUMS_H

#include "series/set.h"

#define SUMS_TERMS 8
#define SUMS_LABELS 6

struct sums_term {
  int sign;
  enum crm_family family;
  size_t n;
  char name[SUMS_LABELS][24], value[SUMS_LABELS][24];
};
struct sums {
  size_t n;
  struct sums_term terms[SUMS_TERMS];
};

struct sums_total {
  __int128 num;
  int64_t den;       /* of all terms; 0: they differ, or one is no fraction */
  long double value; /* the same, rounded */
  size_t samples;    /* how many there were; a sum of none is 0 */
};

/* A mistake in the text fails the running cmocka test. */
void sums_parse(const char *text, struct sums *sums);
/* A sample and the term that it was found by; its set may be another one than that of the sums. */
struct sums_frame {
  const struct crm_series_set *set;
  const struct sums_term *term;
  const struct crm_sample *sample;
};
/* `set` is sorted. */
struct sums_total sums_at(const struct crm_series_set *set, const struct sums *sums, const struct sums_frame *frame);
/* Exactly equal if both are exact and have one denominator, else but for the last bits of floating point. */
bool sums_equal(const struct sums_total *a, const struct sums_total *b);
/* True if the sample is one of the term's, whose sign does not count. */
bool sums_holds(const struct crm_series_set *set, const struct sums_term *term, const struct crm_sample *sample);
/* "crm_arr tenant=acme currency=USD", in a buffer that the next call overwrites. */
const char *sums_show(const struct crm_series_set *set, const struct crm_sample *sample, char *buf, size_t size);

#endif
