/* SPDX-License-Identifier: MIT */
/* printf needs 300 to 1,000 ns for a double, and a scrape has hundreds of thousands of them. What has a magnitude as scores and money have
 * it is therefore printed with integer arithmetic, and exactly: the digits are those that printf would give. The rest goes to printf. */
#include "export/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 wide; /* the products below need up to 127 bits */

static const uint64_t tens[20] = {1u,
                                  10u,
                                  100u,
                                  1000u,
                                  10000u,
                                  100000u,
                                  1000000u,
                                  10000000u,
                                  100000000u,
                                  1000000000u,
                                  10000000000u,
                                  100000000000u,
                                  1000000000000u,
                                  10000000000000u,
                                  100000000000000u,
                                  1000000000000000u,
                                  10000000000000000u,
                                  100000000000000000u,
                                  1000000000000000000u,
                                  10000000000000000000u};

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566"
    "676869707172737475767778798081828384858687888990919293949596979899";

/* The digits of the value, `n` of them with zeros in front, end before `end`. */
static void put_digits(uint64_t value, size_t n, char *end) {
  for (; n >= 2; n -= 2, value /= 100) {
    end -= 2;
    memcpy(end, pairs + 2 * (value % 100), 2);
  }
  if (n == 1)
    end[-1] = (char)('0' + value % 10);
}

static size_t print_digits(uint64_t value, char *out) {
  size_t n = 1;
  while (n < 20 && value >= tens[n])
    n++;
  put_digits(value, n, out + n);
  return n;
}

/* value / 10^decimals, without zeros at the end. */
static size_t print_decimals(bool negative, uint64_t value, int decimals, char *out) {
  size_t n = 0;
  while (decimals > 0 && value % 10 == 0) {
    value /= 10;
    decimals--;
  }
  if (negative && value != 0)
    out[n++] = '-';
  n += print_digits(value / tens[decimals], out + n);
  if (decimals == 0)
    return n;
  out[n] = '.';
  put_digits(value % tens[decimals], (size_t)decimals, out + n + 1 + decimals);
  return n + 1 + (size_t)decimals;
}

/* Digits after the point if `den` is a power of ten, else -1. */
static int decimals_of(uint64_t den) {
  for (int decimals = 0; decimals < 19; decimals++)
    if (den == tens[decimals])
      return decimals;
  return -1;
}

/* --- doubles ------------------------------------------------------------------------------------------------------------ */

static size_t print_by_printf(double value, char *out) {
  char buf[32];
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(buf, sizeof(buf), "%.*g", digits, value);
    if (strtod(buf, NULL) == value)
      break;
  }
  for (char *c = buf; *c != '\0'; c++) /* a locale of the host may have another decimal point */
    if (strchr("0123456789+-e", *c) == NULL)
      *c = '.';
  size_t len = strlen(buf);
  memcpy(out, buf, len);
  return len;
}

/* x / y, the nearest, ties to even, as printf does. */
static uint64_t divide(wide x, int shift) {
  uint64_t quotient = (uint64_t)(x >> shift);
  wide rest = x & (((wide)1 << shift) - 1), half = (wide)1 << (shift - 1);
  return quotient + (rest > half || (rest == half && (quotient & 1) != 0));
}

/* True if digits / 10^decimals reads back as mantissa / 2^shift: if it is within half a step of it, and within that on the edge only where
 * ties to even lead there. Both sides are multiplied by 2^shift x 10^decimals. */
static bool reads_back(uint64_t digits, int decimals, uint64_t mantissa, int shift) {
  wide decimal = (wide)digits << shift, exact = (wide)mantissa * tens[decimals];
  wide step = tens[decimals];
  bool below = decimal < exact;
  wide off = below ? exact - decimal : decimal - exact;
  if (below && mantissa == UINT64_C(1) << 52) /* the steps below a power of two are half as long */
    off *= 2;
  off *= 2;
  return off < step || (off == step && (mantissa & 1) == 0);
}

/* 15, 16 or 17 digits, the fewest that read back. */
static size_t print_positive(double value, bool negative, char *out) {
  int exponent;
  uint64_t mantissa = (uint64_t)ldexp(frexp(value, &exponent), 53);
  int shift = 53 - exponent; /* value = mantissa / 2^shift */
  int before = 1;            /* digits before the point; 0, -1 ... for those below 0.1 */
  while (before < 15 && value >= (double)tens[before])
    before++;
  for (double bound = 1; value < bound && before > -3; bound /= 10)
    before--;
  for (int digits = 15; digits <= 17; digits++) {
    int decimals = digits - before;
    if (decimals > 19)
      return print_by_printf(negative ? -value : value, out);
    uint64_t decimal = divide((wide)mantissa * tens[decimals], shift);
    if (digits == 17 || reads_back(decimal, decimals, mantissa, shift))
      return print_decimals(negative, decimal, decimals, out);
  }
  return 0; /* not reached */
}

static size_t print_double(double value, char *out) {
  bool negative = value < 0;
  double magnitude = negative ? -value : value;
  if (magnitude < 9007199254740992.0 && magnitude == (double)(uint64_t)magnitude && magnitude < 1e15)
    return print_decimals(negative, (uint64_t)magnitude, 0, out);
  /* Within these bounds printf writes no exponent, and no product passes 127 bits. */
  if (magnitude >= 1e-2 && magnitude < 1e15)
    return print_positive(magnitude, negative, out);
  return print_by_printf(value, out);
}

/* --- rationals ------------------------------------------------------------------------------------------------------------ */

size_t crm_print_number(const struct crm_number *number, char *out) {
  if (number->den > 0) {
    bool negative = number->num < 0;
    uint64_t num = negative ? -(uint64_t)number->num : (uint64_t)number->num, den = (uint64_t)number->den;
    int decimals = decimals_of(den);
    if (decimals >= 0)
      return print_decimals(negative, num, decimals, out);
    /* An annual amount in cents / 1200 may still be one in cents, or in the thousandths that some currencies have. */
    if ((den & (den - 1)) != 0 && num <= UINT64_MAX / 1000 && num * 1000 % den == 0)
      return print_decimals(negative, num * 1000 / den, 3, out);
    if (num % den == 0)
      return print_decimals(negative, num / den, 0, out);
  }
  return print_double(crm_number_value(number) + 0.0, out); /* -0 is 0 */
}

void crm_format_number(const struct crm_number *number, char buf[32]) {
  buf[crm_print_number(number, buf)] = '\0';
}
