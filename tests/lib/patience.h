/* SPDX-License-Identifier: MIT */
/* Limits of time in tests are those of a machine that has nothing else to do. CRM_TEST_PATIENCE multiplies them, for runs under valgrind or
 * a sanitizer or beside others. What a test waits for, and what it finds then, is the same. */
#ifndef CRM_TESTS_PATIENCE_H
#define CRM_TESTS_PATIENCE_H

#include <stdlib.h>

/* The limit, in whatever unit, as this run is to take it. */
static inline double patient(double limit) {
  const char *patience = getenv("CRM_TEST_PATIENCE");
  return patience != NULL ? limit * strtod(patience, NULL) : limit;
}

#endif
