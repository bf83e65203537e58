/* SPDX-License-Identifier: MIT */
/* How many random customer bases a property test goes through. */
#ifndef CRM_TESTS_BASES_H
#define CRM_TESTS_BASES_H

#include <stdint.h>
#include <stdlib.h>

/* `all`, unless CRM_TEST_BASES says fewer, for wrappers that slow a test down fiftyfold. At least 1. */
static inline uint64_t test_bases(uint64_t all) {
  const char *fewer = getenv("CRM_TEST_BASES");
  uint64_t wanted = fewer != NULL ? strtoull(fewer, NULL, 10) : all;
  return wanted < 1 ? 1 : wanted < all ? wanted : all;
}

#endif
