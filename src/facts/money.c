/* SPDX-License-Identifier: MIT */
#include "facts/money.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- currencies --------------------------------------------------------------------------------------------------- */

int crm_currency_exponent(const char *code) {
  /* ISO 4217 list one, amendment 177: the codes whose minor unit is not 2. */
  static const char *const none[] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
                                     "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"};
  static const char *const three[] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
  static const char *const four[] = {"CLF", "UYW"};
  for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
    if (strcmp(code, none[i]) == 0)
      return 0;
  for (size_t i = 0; i < sizeof(three) / sizeof(three[0]); i++)
    if (strcmp(code, three[i]) == 0)
      return 3;
  for (size_t i = 0; i < sizeof(four) / sizeof(four[0]); i++)
    if (strcmp(code, four[i]) == 0)
      return 4;
  return 2;
}

bool crm_currency_valid(const char *code, size_t len) {
  if (len != 3)
    return false;
  for (size_t i = 0; i < 3; i++)
    if (!((code[i] >= 'A' && code[i] <= 'Z') || (code[i] >= 'a' && code[i] <= 'z')))
      return false;
  return true;
}

int64_t crm_pow10(int exponent) {
  static const int64_t powers[] = {1, 10, 100, 1000, 10000};
  return powers[exponent];
}

/* --- PostgreSQL's binary numeric ---------------------------------------------------------------------------------- */

/* Source: PostgreSQL src/backend/utils/adt/numeric.c, numeric_send, numeric_recv. */
#define NUMERIC_HEADER 8
#define NUMERIC_BASE 10000
#define NUMERIC_POS 0x0000
#define NUMERIC_NEG 0x4000
#define NUMERIC_NAN 0xC000
#define NUMERIC_PINF 0xD000
#define NUMERIC_NINF 0xF000
#define NUMERIC_DSCALE_MAX 0x3FFF

struct numeric {
  const unsigned char *digits; /* two bytes each */
  int n;                       /* without leading and trailing zeros */
  int weight;                  /* the value is the sum of digit[i] * 10000^(weight - i) */
  unsigned sign;
};

static unsigned read_u16(const unsigned char *p) {
  return (unsigned)p[0] << 8 | p[1];
}

static int digit_at(const struct numeric *v, int i) {
  return i >= 0 && i < v->n ? (int)read_u16(v->digits + 2 * (size_t)i) : 0;
}

static bool parse(const unsigned char *bytes, size_t len, struct numeric *v) {
  if (bytes == NULL || len < NUMERIC_HEADER)
    return false;
  unsigned n = read_u16(bytes);
  unsigned weight = read_u16(bytes + 2);
  v->sign = read_u16(bytes + 4);
  if (n > INT16_MAX || len != NUMERIC_HEADER + 2 * (size_t)n || read_u16(bytes + 6) > NUMERIC_DSCALE_MAX)
    return false;
  if (v->sign != NUMERIC_POS && v->sign != NUMERIC_NEG && v->sign != NUMERIC_NAN && v->sign != NUMERIC_PINF && v->sign != NUMERIC_NINF)
    return false;
  v->digits = bytes + NUMERIC_HEADER;
  v->n = (int)n;
  v->weight = weight > INT16_MAX ? (int)weight - 65536 : (int)weight;
  for (int i = 0; i < v->n; i++)
    if (digit_at(v, i) >= NUMERIC_BASE)
      return false;
  while (v->n > 0 && digit_at(v, 0) == 0) {
    v->digits += 2;
    v->n--;
    v->weight--;
  }
  while (v->n > 0 && digit_at(v, v->n - 1) == 0)
    v->n--;
  return true;
}

/* value * factor * 10^exponent must stay exact in 64 bits per step. */
#define FACTOR_MAX 1000000

static bool scale_of(int64_t factor, int exponent, int64_t *scale) {
  if (factor < 1 || factor > FACTOR_MAX || exponent < 0 || exponent > 4)
    return false;
  *scale = factor * crm_pow10(exponent);
  return true;
}

enum crm_status crm_money_from_numeric(const unsigned char *bytes, size_t len, int64_t factor, int exponent, crm_money *out) {
  struct numeric v;
  int64_t scale;
  if (!scale_of(factor, exponent, &scale) || !parse(bytes, len, &v))
    return CRM_ERR_DATA;
  if (v.sign != NUMERIC_POS && v.sign != NUMERIC_NEG)
    return CRM_ERR_DATA;

  int64_t whole = 0;
  for (int i = 0; v.n > 0 && i <= v.weight; i++) {
    whole = whole * NUMERIC_BASE + digit_at(&v, i);
    if (whole > CRM_MONEY_MAX) /* the scale is at least 1, and no digit to come makes it less */
      return CRM_ERR_LIMIT;
  }
  /* The fraction times the scale, as one multiplies by hand: from the last digit, carrying to the left. What is carried over the point
   * is the whole part, and the digit behind the point decides the rounding, since a half goes away from zero whatever follows. */
  int64_t carry = 0;
  int64_t behind_point = 0;
  int last = v.n - 1;
  int first = v.weight + 1; /* index of the first digit behind the point; negative if zeros stand before the digits */
  for (int i = last; i >= first; i--) {
    int64_t product = digit_at(&v, i) * scale + carry;
    behind_point = product % NUMERIC_BASE;
    carry = product / NUMERIC_BASE;
    if (i < 0 && carry == 0) { /* nothing but zeros from here on, unless this is the digit behind the point */
      if (i > first)
        behind_point = 0;
      break;
    }
  }
  __int128 total = (__int128)whole * scale + carry + (behind_point >= NUMERIC_BASE / 2 ? 1 : 0);
  if (total > CRM_MONEY_MAX)
    return CRM_ERR_LIMIT;
  *out = v.sign == NUMERIC_NEG ? -(crm_money)total : (crm_money)total;
  return CRM_OK;
}

enum crm_status crm_money_from_double(double value, int64_t factor, int exponent, crm_money *out) {
  int64_t scale;
  if (!scale_of(factor, exponent, &scale) || !isfinite(value))
    return CRM_ERR_DATA;
  double magnitude = fabs(value);
  if (magnitude > (double)CRM_MONEY_MAX)
    return CRM_ERR_LIMIT;
  /* magnitude = mantissa * 2^-shift exactly, and the product of two integers is exact where a product of doubles is not. */
  int power;
  int64_t mantissa = (int64_t)ldexp(frexp(magnitude, &power), 53);
  int shift = 53 - power; /* at least 53 - 44 */
  if (mantissa == 0 || shift > 126) {
    *out = 0;
    return CRM_OK;
  }
  __int128 product = (__int128)mantissa * scale; /* < 2^53 * 2^34 */
  __int128 total = (product + ((__int128)1 << (shift - 1))) >> shift;
  if (total > CRM_MONEY_MAX)
    return CRM_ERR_LIMIT;
  *out = value < 0 ? -(crm_money)total : (crm_money)total;
  return CRM_OK;
}

/* --- numeric to double -------------------------------------------------------------------------------------------- */

#define EXACT_POWERS 22 /* 10^22 is the largest power of ten that a double holds exactly */
#define EXACT_INTEGER (UINT64_C(1) << 53)
#define TEXT_DIGITS 200 /* base-10000 digits: 800 decimals, more than the 767 that can decide a rounding */

static double from_text(const struct numeric *v) {
  char text[4 * TEXT_DIGITS + 32];
  char *p = text;
  int n = v->n < TEXT_DIGITS ? v->n : TEXT_DIGITS;
  for (int i = 0; i < n; i++) {
    int digit = digit_at(v, i);
    for (int unit = NUMERIC_BASE / 10; unit > 0; unit /= 10)
      *p++ = (char)('0' + digit / unit % 10);
  }
  int exponent = 4 * (v->weight - n + 1);
  if (n < v->n) { /* what is cut off is not zero: it only matters that something is there */
    *p++ = '1';
    exponent--;
  }
  /* No decimal point, so the locale does not matter. */
  *p++ = 'e';
  if (exponent < 0) {
    *p++ = '-';
    exponent = -exponent;
  }
  char reversed[12];
  int digits = 0;
  do {
    reversed[digits++] = (char)('0' + exponent % 10);
    exponent /= 10;
  } while (exponent > 0);
  while (digits > 0)
    *p++ = reversed[--digits];
  *p = '\0';
  return strtod(text, NULL);
}

static double magnitude_of(const struct numeric *v) {
  static const double powers[EXACT_POWERS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (v->n == 0)
    return 0;
  /* The usual case: an integer and a power of ten that are both exact as doubles, so that one division or multiplication rounds once.
   * W. D. Clinger, "How to Read Floating Point Numbers Accurately", 1990. */
  if (v->n <= 4) {
    uint64_t integer = 0;
    for (int i = 0; i < v->n; i++)
      integer = integer * NUMERIC_BASE + (uint64_t)digit_at(v, i);
    int exponent = 4 * (v->weight - v->n + 1);
    while (exponent < 0 && integer % 10 == 0) {
      integer /= 10;
      exponent++;
    }
    if (integer <= EXACT_INTEGER && exponent >= -EXACT_POWERS && exponent <= EXACT_POWERS)
      return exponent < 0 ? (double)integer / powers[-exponent] : (double)integer * powers[exponent];
  }
  return from_text(v);
}

enum crm_status crm_double_from_numeric(const unsigned char *bytes, size_t len, double *out) {
  struct numeric v;
  if (!parse(bytes, len, &v))
    return CRM_ERR_DATA;
  switch (v.sign) {
  case NUMERIC_NAN:
    *out = NAN;
    return CRM_OK;
  case NUMERIC_PINF:
    *out = INFINITY;
    return CRM_OK;
  case NUMERIC_NINF:
    *out = -INFINITY;
    return CRM_OK;
  default:
    break;
  }
  double magnitude = magnitude_of(&v);
  *out = v.sign == NUMERIC_NEG && magnitude != 0 ? -magnitude : magnitude;
  return CRM_OK;
}
