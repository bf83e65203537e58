/* SPDX-License-Identifier: MIT */
/* The bytes were taken from PostgreSQL 15: SELECT encode(numeric_send(x), 'hex'). Amounts are worked out by hand. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "facts/money.h"

static size_t unhex(const char *hex, unsigned char *bytes) {
  size_t n = strlen(hex) / 2;
  for (size_t i = 0; i < 2 * n; i++) {
    unsigned nibble = (unsigned)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
    bytes[i / 2] = (unsigned char)(i % 2 == 0 ? nibble << 4 : bytes[i / 2] | nibble);
  }
  return n;
}

static void exponents(void **state) {
  (void)state;
  static const struct {
    const char *code;
    int expected;
  } cases[] = {{"USD", 2}, {"EUR", 2}, {"JPY", 0}, {"KRW", 0}, {"KWD", 3}, {"BHD", 3}, {"CLF", 4}, {"UYW", 4},
               {"UYI", 0}, {"ISK", 0}, {"HUF", 2}, {"ZZZ", 2}, {"XAF", 0}, {"MGA", 2}, {"TND", 3}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    if (crm_currency_exponent(cases[i].code) != cases[i].expected)
      fail_msg("%s", cases[i].code);
  int64_t power = 1;
  for (int e = 0; e <= 4; e++, power *= 10)
    assert_int_equal(crm_pow10(e), power);
}

static void codes(void **state) {
  (void)state;
  assert_true(crm_currency_valid("USD", 3));
  assert_true(crm_currency_valid("eur", 3));
  assert_false(crm_currency_valid("US", 2));
  assert_false(crm_currency_valid("USDT", 4));
  assert_false(crm_currency_valid("U5D", 3));
  assert_false(crm_currency_valid("\xE2\x82\xAC", 3)); /* the euro sign has three bytes */
  assert_false(crm_currency_valid("", 0));
}

#define REFUSED INT64_MIN
#define TOO_LARGE (INT64_MIN + 1)

static void from_numeric(void **state) {
  (void)state;
  static const struct {
    const char *value, *hex;
    int64_t factor;
    int exponent;
    int64_t expected;
  } cases[] = {
      {"0", "0000000000000000", 1, 2, 0},
      {"0.00", "0000000000000002", 12, 2, 0},
      {"1", "00010000000000000001", 1, 2, 100},
      {"-1", "00010000400000000001", 1, 2, -100},
      {"1 JPY", "00010000000000000001", 1, 0, 1},
      {"1 KWD", "00010000000000000001", 1, 3, 1000},
      {"1 CLF", "00010000000000000001", 12, 4, 120000},
      {"123.45", "0002000000000002007b1194", 1, 2, 12345},
      {"123.45 a month", "0002000000000002007b1194", 12, 2, 148140},
      {"123.45 JPY", "0002000000000002007b1194", 1, 0, 123},
      {"123.45 KWD", "0002000000000002007b1194", 1, 3, 123450},
      {"99.99", "0002000000000002006326ac", 1, 2, 9999},
      {"0.005, a tie", "0001ffff000000030032", 1, 2, 1},
      {"-0.005, a tie", "0001ffff400000030032", 1, 2, -1},
      {"-0.0050", "0001ffff400000040032", 1, 2, -1},
      {"0.0049999", "0002ffff0000000700312706", 1, 2, 0},
      {"1.005, a tie", "000200000000000300010032", 1, 2, 101},
      {"-1.005, a tie", "000200004000000300010032", 1, 2, -101},
      {"2.675, a tie", "000200000000000300021a5e", 1, 2, 268},
      {"0.5 JPY, a tie", "0001ffff000000011388", 1, 0, 1},
      {"1.5 JPY", "000200000000000100011388", 1, 0, 2},
      {"2.5 JPY, away from zero and not to even", "000200000000000100021388", 1, 0, 3},
      {"0.00004999 CLF", "0001fffe000000081387", 1, 4, 0},
      {"0.00005 CLF, a tie", "0001fffe000000051388", 1, 4, 1},
      {"33.335 a month: rounded once, not twelve times", "000200000000000300210d16", 12, 2, 40002},
      {"1/24 a month, to 28 decimals", "0007ffff0000001c01a01a0a1a0a1a0a1a0a1a0a1a0a", 12, 2, 50},
      {"1/3, to 40 decimals", "000affff000000280d050d050d050d050d050d050d050d050d050d05", 12, 2, 400},
      {"0.99... to 26 decimals", "0007ffff0000001a270f270f270f270f270f270f26ac", 1, 2, 100},
      {"9999", "0001000000000000270f", 1, 0, 9999},
      {"10000", "00010001000000000001", 1, 0, 10000},
      {"100000000", "00010002000000000001", 1, 2, 10000000000},
      {"1234567890.12", "0004000200000002000c0d801ed204b0", 1, 2, 123456789012},
      {"9000000000000 JPY, the largest", "00010003000000000009", 1, 0, CRM_MONEY_MAX},
      {"9000000000001 JPY", "00040003000000000009000000000001", 1, 0, TOO_LARGE},
      {"89999999999.99", "00040002000000020383270f270f26ac", 1, 2, 8999999999999},
      {"90000000000.00, the largest", "00010002000000020384", 1, 2, CRM_MONEY_MAX},
      {"90000000000.004 is rounded to it", "00040002000000030384000000000028", 1, 2, CRM_MONEY_MAX},
      {"90000000000.01", "00040002000000020384000000000064", 1, 2, TOO_LARGE},
      {"750000000000 a month, the largest", "00010002000000001d4c", 12, 0, CRM_MONEY_MAX},
      {"750000000000 a month USD", "00010002000000001d4c", 12, 2, TOO_LARGE},
      {"1e30", "00010007000000000064", 1, 0, TOO_LARGE},
      {"1e300", "0001004b000000000001", 1, 0, TOO_LARGE},
      {"1e-30", "0001fff80000001e0064", 12, 4, 0},
      {"4.4e-20", "0002fffb0000001500040fa0", 12, 4, 0},
      {"1e-16383", "0001f00000003fff000a", 12, 4, 0},
      {"NaN", "00000000c0000000", 1, 2, REFUSED},
      {"Infinity", "00000000d0000020", 1, 2, REFUSED},
      {"-Infinity", "00000000f0000020", 1, 2, REFUSED},
      {"leading and trailing zero digits: 1.0123", "000400010000000400000001007b0000", 1, 4, 10123},
      {"no bytes", "", 1, 2, REFUSED},
      {"half a header", "00010000", 1, 2, REFUSED},
      {"a digit missing", "0002000000000002007b", 1, 2, REFUSED},
      {"half a digit missing", "0002000000000002007b11", 1, 2, REFUSED},
      {"a digit too many", "0001000000000002007b1194", 1, 2, REFUSED},
      {"a digit of 10000", "00010000000000002710", 1, 2, REFUSED},
      {"a sign that is none", "00010000123400000001", 1, 2, REFUSED},
      {"a negative number of digits", "ffff0000000000000001", 1, 2, REFUSED},
      {"a scale that is none", "00010000000040000001", 1, 2, REFUSED},
      {"a factor of 0", "00010000000000000001", 0, 2, REFUSED},
      {"an exponent of 5", "00010000000000000001", 1, 5, REFUSED},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    unsigned char bytes[64];
    size_t len = unhex(cases[i].hex, bytes);
    crm_money out = 77;
    enum crm_status status = crm_money_from_numeric(bytes, len, cases[i].factor, cases[i].exponent, &out);
    enum crm_status expected = cases[i].expected == REFUSED ? CRM_ERR_DATA : cases[i].expected == TOO_LARGE ? CRM_ERR_LIMIT : CRM_OK;
    if (status != expected || out != (expected == CRM_OK ? cases[i].expected : 77))
      fail_msg("%s: status %s, %" PRId64, cases[i].value, crm_status_name(status), out);
  }
}

static void from_double(void **state) {
  (void)state;
  static const struct {
    const char *name;
    double value;
    int64_t factor;
    int exponent;
    int64_t expected;
  } cases[] = {
      {"0", 0, 1, 2, 0},
      {"-0", -0.0, 1, 2, 0},
      {"99.99", 99.99, 1, 2, 9999},
      {"99.99 a month", 99.99, 12, 2, 119988},
      {"0.5", 0.5, 1, 0, 1},
      {"-0.5", -0.5, 1, 0, -1},
      {"2.5", 2.5, 1, 0, 3},
      {"0.125", 0.125, 1, 2, 13},
      {"-0.125", -0.125, 1, 2, -13},
      {"just below a tie, where the product of doubles is a tie", 0.49999999999999994, 1, 0, 0},
      {"1.005 is really 1.00499999999999989...", 1.005, 1, 2, 100},
      {"4.35 is really 4.3499999999999996..., but not at two decimals", 4.35, 1, 2, 435},
      {"the largest", 9e12, 1, 0, CRM_MONEY_MAX},
      {"over it", 9e12 + 1, 1, 0, TOO_LARGE},
      {"over it by the factor", 9e12, 12, 0, TOO_LARGE},
      {"over it, negative", -9.1e12, 1, 0, TOO_LARGE},
      {"huge", DBL_MAX, 1, 0, TOO_LARGE},
      {"tiny", DBL_MIN, 12, 4, 0},
      {"the smallest", 4.9406564584124654e-324, 12, 4, 0},
      {"NaN", NAN, 1, 2, REFUSED},
      {"infinity", INFINITY, 1, 2, REFUSED},
      {"-infinity", -INFINITY, 1, 2, REFUSED},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    crm_money out = 77;
    enum crm_status status = crm_money_from_double(cases[i].value, cases[i].factor, cases[i].exponent, &out);
    enum crm_status expected = cases[i].expected == REFUSED ? CRM_ERR_DATA : cases[i].expected == TOO_LARGE ? CRM_ERR_LIMIT : CRM_OK;
    if (status != expected || out != (expected == CRM_OK ? cases[i].expected : 77))
      fail_msg("%s: status %s, %" PRId64, cases[i].name, crm_status_name(status), out);
  }
}

/* The compiler reads the expected values, and it rounds correctly. */
static void to_double(void **state) {
  (void)state;
  static const struct {
    const char *hex;
    double expected;
  } cases[] = {
      {"0000000000000000", 0},
      {"00010000400000000001", -1},
      {"0002000000000002007b1194", 123.45},
      {"0001ffff000000030032", 0.005},
      {"0002ffff0000000700312706", 0.0049999},
      {"0001fffe000000081387", 0.00004999},
      {"0004000200000002000c0d801ed204b0", 1234567890.12},
      {"0001ffff0000000103e8", 0.1},
      {"000500000000000f0003058724310e051efa", 3.141592653589793},
      {"0005000400000000000109291a85007b11d7", 12345678901234567.0},
      {"0004000300000000232f07c8156203e1", 9007199254740993.0},
      {"00010003000000002134", 8.5e15},
      {"00010005000000000064", 1e22},
      {"000100050000000003e8", 1e23},
      {"00010007000000000064", 1e30},
      {"0001fff80000001e0064", 1e-30},
      {"0002fffb0000001500040fa0", 4.4e-20},
      {"0001004b000000000001", 1e300},
      {"0001ffb50000012c0001", 1e-300},
      {"0005004d0000000000011f28246112fe0c55", DBL_MAX},
      {"0006004d00000000001126290c3e21af062c1efa", INFINITY}, /* 179769313486231580793e289, the first that rounds to infinity */
      {"0001004d000000000002", INFINITY},                     /* 2e308 */
      {"0001ffaf000001440005", 5e-324},
      {"0001ffaf000001440002", 0}, /* 2e-324 */
      {"000affff000000280d050d050d050d050d050d050d050d050d050d05", 1.0 / 3},
      {"0007ffff0000001a270f270f270f270f270f270f26ac", 1},
      {"00000000d0000020", INFINITY},
      {"00000000f0000020", -INFINITY},
  };
  unsigned char bytes[64];
  double out;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    size_t len = unhex(cases[i].hex, bytes);
    assert_int_equal(crm_double_from_numeric(bytes, len, &out), CRM_OK);
    if (memcmp(&out, &cases[i].expected, sizeof(out)) != 0)
      fail_msg("%s: %.17g", cases[i].hex, out);
    for (size_t cut = 0; cut < len; cut++)
      assert_int_equal(crm_double_from_numeric(bytes, cut, &out), CRM_ERR_DATA);
  }
  assert_int_equal(crm_double_from_numeric(bytes, unhex("00000000c0000000", bytes), &out), CRM_OK);
  assert_true(isnan(out));
  assert_int_equal(crm_double_from_numeric(NULL, 0, &out), CRM_ERR_DATA);
}

/* 2^53 + 1 lies halfway between two doubles and goes to the even one; a one 1200 decimals further on decides for the other. */
static void a_far_digit_decides(void **state) {
  (void)state;
  unsigned char bytes[8 + 2 * 400] = {0};
  size_t head = unhex("0004000300000000232f07c8156203e1", bytes);
  double out;
  assert_int_equal(crm_double_from_numeric(bytes, head, &out), CRM_OK);
  assert_true(out == 9007199254740992.0);
  bytes[0] = 400 >> 8;
  bytes[1] = 400 & 0xFF;
  bytes[sizeof(bytes) - 1] = 1;
  assert_int_equal(crm_double_from_numeric(bytes, sizeof(bytes), &out), CRM_OK);
  assert_true(out == 9007199254740994.0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exponents),   cmocka_unit_test(codes),     cmocka_unit_test(from_numeric),
      cmocka_unit_test(from_double), cmocka_unit_test(to_double), cmocka_unit_test(a_far_digit_decides),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
