/* SPDX-License-Identifier: MIT */
/* Comparison of doubles for cmocka, which only has one for floats. NaN stands for "no value" and equals itself. */
#ifndef CRM_TESTS_CLOSE_H
#define CRM_TESTS_CLOSE_H

#include <math.h>
#include <stdio.h>

/* cmocka.h stands before this header in every test. */
static inline void assert_close_at(const char *what, double actual, double expected, const char *file, int line) {
  if (isnan(actual) && isnan(expected))
    return;
  if (fabs(actual - expected) <= 1e-9 * fmax(1, fabs(expected)))
    return;
  print_error("%s: %.15g, expected %.15g\n", what, actual, expected);
  _fail(file, line);
}
#define assert_close(actual, expected) assert_close_at(#actual, actual, expected, __FILE__, __LINE__)
/* The same with a text of its own, for rows of a table. */
#define assert_close_named(name, actual, expected) assert_close_at(name, actual, expected, __FILE__, __LINE__)

#endif
