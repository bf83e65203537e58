/* SPDX-License-Identifier: MIT */
/* Any bytes as PostgreSQL's binary numeric. Nothing may be read out of bounds, and a number small enough for 128 bits must come out as
 * plain integer arithmetic has it. The first two bytes choose the factor and the exponent. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "facts/money.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static int word(const unsigned char *bytes, size_t i) {
  return bytes[2 * i] << 8 | bytes[2 * i + 1];
}

/* round(value * factor * 10^exponent) by another way; false where the number is too long for this or is no number. */
static bool expect(const unsigned char *bytes, size_t len, int64_t factor, int exponent, __int128 *expected) {
  if (len < 8)
    return false;
  int n = word(bytes, 0), weight = (int16_t)word(bytes, 1), sign = word(bytes, 2), scale = word(bytes, 3);
  if (n > 6 || len != 8 + 2 * (size_t)n || (sign != 0 && sign != 0x4000) || scale > 0x3fff || weight > 5 || n - 1 - weight > 8)
    return false;
  __int128 numerator = 0, denominator = 1;
  for (int i = 0; i < n; i++) {
    int digit = word(bytes, 4 + (size_t)i);
    if (digit > 9999)
      return false;
    numerator = numerator * 10000 + digit;
  }
  for (int i = n - 1; i < weight; i++) /* groups of zeros that are not sent */
    numerator *= 10000;
  for (int i = weight; i < n - 1; i++) /* groups behind the point */
    denominator *= 10000;
  numerator *= factor;
  for (int i = 0; i < exponent; i++)
    numerator *= 10;
  __int128 rounded = (2 * numerator + denominator) / (2 * denominator); /* half away from zero */
  *expected = sign == 0 ? rounded : -rounded;
  return true;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  static const int64_t factors[] = {1, 12, 365, 1000000};
  if (size < 2)
    return 0;
  int64_t factor = factors[data[0] % 4];
  int exponent = data[1] % 5;
  size_t len = size - 2;
  unsigned char *exact = malloc(len); /* so that the sanitizer sees one byte too far */
  if (exact == NULL)
    return 0;
  memcpy(exact, data + 2, len);

  crm_money money = 0;
  enum crm_status status = crm_money_from_numeric(exact, len, factor, exponent, &money);
  __int128 expected;
  if (expect(exact, len, factor, exponent, &expected)) {
    bool fits = expected >= -CRM_MONEY_MAX && expected <= CRM_MONEY_MAX;
    if (status != (fits ? CRM_OK : CRM_ERR_LIMIT) || (fits && money != expected))
      abort();
    double number = 0;
    if (crm_double_from_numeric(exact, len, &number) != CRM_OK)
      abort();
    /* At most the rounding of the money lies between both. */
    double scaled = number * (double)factor * pow(10, exponent);
    if (fits && fabs(scaled - (double)money) > 0.5 + fabs(scaled) * 1e-12)
      abort();
  }
  free(exact);
  return 0;
}
