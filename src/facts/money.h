/* SPDX-License-Identifier: MIT */
/* Money is an integer number of minor units of its currency, and recurring revenue is held as the *annual* amount.
 *
 * ARR = 12 x MRR. A monthly amount in minor units times twelve is an integer, and an annual amount is one as it stands, while
 * ARR / 12 mostly is not; so the annual amount is the only one that keeps both exact, and the revenue identity holds to the
 * last minor unit. MRR is published as the rational annual / 12. */
#ifndef CRM_FACTS_MONEY_H
#define CRM_FACTS_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef int64_t crm_money; /* minor units; annual where it is recurring revenue */
#define CRM_MONEY_UNKNOWN INT64_MIN
/* Larger amounts are refused, so that sums over 10^6 accounts cannot overflow. */
#define CRM_MONEY_MAX INT64_C(9000000000000)

/* Number of decimals of the ISO 4217 alphabetic code (JPY 0, USD 2, KWD 3; 2 for a code not in the list).
 * Source: ISO 4217 list one, amendment 177. */
int crm_currency_exponent(const char *code);
/* True for three ASCII letters. */
bool crm_currency_valid(const char *code, size_t len);
/* 10^exponent, exponent 0..4. */
int64_t crm_pow10(int exponent);

/* PostgreSQL's binary `numeric` -> round(value * factor * 10^exponent), half away from zero, exactly.
 * Format: int16 ndigits, weight, sign, dscale, then base-10000 digits (PostgreSQL source, numeric_send).
 * factor 1..1000000. CRM_ERR_DATA for malformed bytes, NaN or infinity ("not a number"), CRM_ERR_LIMIT for a magnitude over
 * CRM_MONEY_MAX ("out of range"). *out is set only with CRM_OK. */
enum crm_status crm_money_from_numeric(const unsigned char *bytes, size_t len, int64_t factor, int exponent, crm_money *out) CRM_MUSTCHECK;
/* The same from a double (for float8 columns): the exact binary value is scaled and then rounded half away from zero. */
enum crm_status crm_money_from_double(double value, int64_t factor, int exponent, crm_money *out) CRM_MUSTCHECK;
/* PostgreSQL's binary numeric as the nearest double; NaN and infinities as such, and infinity for a magnitude no double can hold.
 * CRM_ERR_DATA if malformed. */
enum crm_status crm_double_from_numeric(const unsigned char *bytes, size_t len, double *out) CRM_MUSTCHECK;

#endif
