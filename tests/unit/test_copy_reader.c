/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/copy_reader.h"

/* --- making a stream: bytes as hexadecimal digits, blanks ignored --- */

struct bytes {
  unsigned char data[8192];
  size_t len;
};

static void add_hex(struct bytes *b, const char *hex) {
  for (; *hex != '\0'; hex++) {
    if (*hex == ' ')
      continue;
    unsigned value;
    assert_int_equal(sscanf(hex, "%2x", &value), 1);
    b->data[b->len++] = (unsigned char)value;
    hex++;
  }
}

#define HEADER "5047434f50590aff0d0a00 00000000 00000000"
#define END "ffff"

/* --- taking rows down as text --- */

struct taken {
  char text[8192];
  size_t len;
  size_t rows;
  enum crm_status answer;
};

static const struct crm_copy_field *shown; /* the fields of the case */
static size_t n_shown;

static void CRM_PRINTF(2, 3) put(struct taken *t, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(t->text + t->len, sizeof(t->text) - t->len, fmt, args);
  va_end(args);
  assert_true(n >= 0 && (size_t)n < sizeof(t->text) - t->len);
  t->len += (size_t)n;
}

static enum crm_status take(void *ctx, const struct crm_row *row, struct crm_error *err) {
  struct taken *t = ctx;
  t->rows++;
  put(t, "(");
  for (size_t i = 0; i < n_shown; i++) {
    const struct crm_cell_value *cell = &row->cells[shown[i].cell];
    put(t, i > 0 ? "|" : "");
    if (!cell->set) {
      put(t, "null");
      continue;
    }
    switch (shown[i].kind) {
    case CRM_COL_TEXT:
      put(t, "%.*s", (int)cell->len, cell->text);
      break;
    case CRM_COL_TEXTS:
      for (size_t k = 0; k < cell->n_items; k++)
        put(t, "%s%.*s", k > 0 ? "," : "", (int)cell->items[k].len, cell->items[k].text);
      break;
    case CRM_COL_TIME:
      put(t, "%" PRId64, cell->time);
      break;
    case CRM_COL_DAY:
      put(t, "%" PRId32, cell->day);
      break;
    case CRM_COL_NUMBER:
      put(t, "%.17g", cell->number);
      break;
    case CRM_COL_MONEY:
      if (cell->numeric != NULL)
        put(t, "numeric of %zu", cell->numeric_len);
      else
        put(t, "%.17g", cell->major);
      break;
    case CRM_COL_BOOLEAN:
      put(t, cell->boolean ? "true" : "false");
      break;
    }
  }
  put(t, ")");
  return t->answer == CRM_OK ? CRM_OK : crm_error_set(err, t->answer, "enough");
}

static struct crm_zone *berlin;

/* Feeds the stream in pieces of `piece` bytes. */
static enum crm_status run(const struct crm_copy_field *fields, size_t n_fields, const struct bytes *stream, size_t piece, struct taken *t,
                           struct crm_error *err) {
  struct crm_copy_reader reader;
  shown = fields;
  n_shown = n_fields;
  crm_copy_reader_init(&reader, fields, n_fields, berlin, take, t);
  enum crm_status status = CRM_OK;
  for (size_t at = 0; status == CRM_OK && at < stream->len; at += piece) {
    size_t len = stream->len - at < piece ? stream->len - at : piece;
    unsigned char *exact = malloc(len); /* so that the sanitizer sees one byte too far */
    memcpy(exact, stream->data + at, len);
    status = crm_copy_reader_feed(&reader, exact, len, err);
    free(exact);
  }
  if (status == CRM_OK)
    status = crm_copy_reader_finish(&reader, err);
  crm_copy_reader_free(&reader);
  return status;
}

/* The bytes were taken from PostgreSQL 15: COPY (SELECT value::type) TO ... (FORMAT binary). */
static const struct {
  const char *name;
  enum crm_column_kind kind;
  struct crm_copy_type type;
  const char *field; /* length and bytes */
  const char *expect;
} values[] = {
    {"text", CRM_COL_TEXT, {CRM_WIRE_TEXT, 0}, "00000003 61c3a9", "(a\xC3\xA9)"},
    {"empty text", CRM_COL_TEXT, {CRM_WIRE_TEXT, 0}, "00000000", "()"},
    {"NULL", CRM_COL_TEXT, {CRM_WIRE_TEXT, 0}, "ffffffff", "(null)"},
    {"character(5)", CRM_COL_TEXT, {CRM_WIRE_BPCHAR, 0}, "00000005 6162202020", "(ab)"},
    {"\"char\"", CRM_COL_TEXT, {CRM_WIRE_CHAR, 0}, "00000001 78", "(x)"},
    {"empty \"char\"", CRM_COL_TEXT, {CRM_WIRE_CHAR, 0}, "00000001 00", "()"},
    {"uuid", CRM_COL_TEXT, {CRM_WIRE_UUID, 0}, "00000010 a0eebc999c0b4ef8bb6d6bb9bd380a11", "(a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11)"},
    {"int2 as text", CRM_COL_TEXT, {CRM_WIRE_INT2, 0}, "00000002 ffff", "(-1)"},
    {"int4 as text", CRM_COL_TEXT, {CRM_WIRE_INT4, 0}, "00000004 80000000", "(-2147483648)"},
    {"int8 as text", CRM_COL_TEXT, {CRM_WIRE_INT8, 0}, "00000008 8000000000000000", "(-9223372036854775808)"},
    {"greatest int8", CRM_COL_TEXT, {CRM_WIRE_INT8, 0}, "00000008 7fffffffffffffff", "(9223372036854775807)"},
    {"zero as text", CRM_COL_TEXT, {CRM_WIRE_INT4, 0}, "00000004 00000000", "(0)"},
    {"oid as text", CRM_COL_TEXT, {CRM_WIRE_OID, 0}, "00000004 ffffffff", "(4294967295)"},
    {"2000-01-01 UTC", CRM_COL_TIME, {CRM_WIRE_TIMESTAMPTZ, 0}, "00000008 0000000000000000", "(946684800000000)"},
    {"1970-01-01 UTC", CRM_COL_TIME, {CRM_WIRE_TIMESTAMPTZ, 0}, "00000008 fffca2fec4c82000", "(0)"},
    {"infinity", CRM_COL_TIME, {CRM_WIRE_TIMESTAMPTZ, 0}, "00000008 7fffffffffffffff", "(9223372036854775807)"},
    {"-infinity", CRM_COL_TIME, {CRM_WIRE_TIMESTAMPTZ, 0}, "00000008 8000000000000000", "(-9223372036854775808)"},
    {"294276-12-31", CRM_COL_TIME, {CRM_WIRE_TIMESTAMPTZ, 0}, "00000008 7fff3b21a1e3e000", "(9223372036854775806)"},
    /* 00:00 in Berlin: 23:00 UTC the day before in winter, 22:00 in summer. date -u -d '2025-07-14 22:00' +%s = 1752530400 */
    {"date as time", CRM_COL_TIME, {CRM_WIRE_DATE, 0}, "00000004 00000000", "(946681200000000)"},
    {"summer date as time", CRM_COL_TIME, {CRM_WIRE_DATE, 0}, "00000004 0000246f", "(1752530400000000)"},
    {"date infinity", CRM_COL_TIME, {CRM_WIRE_DATE, 0}, "00000004 7fffffff", "(9223372036854775807)"},
    {"date -infinity", CRM_COL_TIME, {CRM_WIRE_DATE, 0}, "00000004 80000000", "(-9223372036854775808)"},
    {"day", CRM_COL_DAY, {CRM_WIRE_DATE, 0}, "00000004 00000001", "(10958)"},
    {"day 1969-12-31", CRM_COL_DAY, {CRM_WIRE_DATE, 0}, "00000004 ffffd532", "(-1)"},
    {"day 9999-12-31", CRM_COL_DAY, {CRM_WIRE_DATE, 0}, "00000004 002c95d3", "(2932896)"},
    {"day 10000-01-01", CRM_COL_DAY, {CRM_WIRE_DATE, 0}, "00000004 002c95d4", "(2147483647)"},
    {"day infinity", CRM_COL_DAY, {CRM_WIRE_DATE, 0}, "00000004 7fffffff", "(2147483647)"},
    {"day -infinity", CRM_COL_DAY, {CRM_WIRE_DATE, 0}, "00000004 80000000", "(-2147483648)"},
    {"int2", CRM_COL_NUMBER, {CRM_WIRE_INT2, 0}, "00000002 8000", "(-32768)"},
    {"int4", CRM_COL_NUMBER, {CRM_WIRE_INT4, 0}, "00000004 0000002a", "(42)"},
    {"int8", CRM_COL_NUMBER, {CRM_WIRE_INT8, 0}, "00000008 0020000000000000", "(9007199254740992)"},
    {"float4", CRM_COL_NUMBER, {CRM_WIRE_FLOAT4, 0}, "00000004 bfc00000", "(-1.5)"},
    {"float8", CRM_COL_NUMBER, {CRM_WIRE_FLOAT8, 0}, "00000008 3fb999999999999a", "(0.10000000000000001)"},
    {"float8 NaN", CRM_COL_NUMBER, {CRM_WIRE_FLOAT8, 0}, "00000008 7ff8000000000000", "(nan)"},
    /* 12345.67: two digits before the point's group, weight 1, dscale 2: 1, 2345, 6700 */
    {"numeric", CRM_COL_NUMBER, {CRM_WIRE_NUMERIC, 0}, "0000000e 0003 0001 0000 0002 0001 0929 1a2c", "(12345.67)"},
    {"numeric NaN", CRM_COL_NUMBER, {CRM_WIRE_NUMERIC, 0}, "00000008 0000 0000 c000 0000", "(nan)"},
    {"money of numeric", CRM_COL_MONEY, {CRM_WIRE_NUMERIC, 0}, "0000000e 0003 0001 0000 0002 0001 0929 1a2c", "(numeric of 14)"},
    {"money of int4", CRM_COL_MONEY, {CRM_WIRE_INT4, 0}, "00000004 fffffff6", "(-10)"},
    {"money of float8", CRM_COL_MONEY, {CRM_WIRE_FLOAT8, 0}, "00000008 4059000000000000", "(100)"},
    {"true", CRM_COL_BOOLEAN, {CRM_WIRE_BOOL, 0}, "00000001 01", "(true)"},
    {"false", CRM_COL_BOOLEAN, {CRM_WIRE_BOOL, 0}, "00000001 00", "(false)"},
    {"text[]",
     CRM_COL_TEXTS,
     {CRM_WIRE_ARRAY, CRM_WIRE_TEXT},
     "0000001f 00000001 00000000 00000019 00000002 00000001 00000001 61 00000002 6262",
     "(a,bb)"},
    {"empty array", CRM_COL_TEXTS, {CRM_WIRE_ARRAY, CRM_WIRE_TEXT}, "0000000c 00000000 00000000 00000019", "()"},
    {"array with NULL",
     CRM_COL_TEXTS,
     {CRM_WIRE_ARRAY, CRM_WIRE_TEXT},
     "0000001d 00000001 00000001 00000019 00000002 00000001 ffffffff 00000001 78",
     "(x)"},
    {"array of two dimensions",
     CRM_COL_TEXTS,
     {CRM_WIRE_ARRAY, CRM_WIRE_TEXT},
     "00000026 00000002 00000000 00000019 00000001 00000001 00000002 00000001 00000001 61 00000001 62",
     "(a,b)"},
    {"int4[]",
     CRM_COL_TEXTS,
     {CRM_WIRE_ARRAY, CRM_WIRE_INT4},
     "00000024 00000001 00000000 00000017 00000002 00000001 00000004 00000007 00000004 fffffff8",
     "(7,-8)"},
    {"uuid[]",
     CRM_COL_TEXTS,
     {CRM_WIRE_ARRAY, CRM_WIRE_UUID},
     "0000003c 00000001 00000000 00000b86 00000002 00000001 00000010 00000000000000000000000000000001 00000010 "
     "ffffffffffffffffffffffffffffffff",
     "(00000000-0000-0000-0000-000000000001,ffffffff-ffff-ffff-ffff-ffffffffffff)"},
};

static void each_type_is_decoded(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    assert_true(crm_copy_type_fits(values[i].kind, values[i].type));
    const struct crm_copy_field field = {.cell = 5, .kind = values[i].kind, .type = values[i].type};
    struct bytes stream = {.len = 0};
    add_hex(&stream, HEADER "0001");
    add_hex(&stream, values[i].field);
    add_hex(&stream, END);
    for (size_t piece = 1; piece <= stream.len; piece++) { /* however it is cut */
      struct taken t = {.len = 0};
      struct crm_error err = {0};
      if (run(&field, 1, &stream, piece, &t, &err) != CRM_OK || strcmp(t.text, values[i].expect) != 0)
        fail_msg("%s in pieces of %zu: %s %s", values[i].name, piece, t.text, err.message);
    }
  }
}

/* A value with a byte less or more is not taken for one. */
static void a_wrong_length_is_malformed(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    const struct crm_copy_field field = {.cell = 0, .kind = values[i].kind, .type = values[i].type};
    if (values[i].type.wire == CRM_WIRE_TEXT || values[i].type.wire == CRM_WIRE_BPCHAR || values[i].type.wire == CRM_WIRE_NUMERIC)
      continue; /* of any length; numeric's own length is checked where it is turned into a number */
    struct bytes value = {.len = 0};
    add_hex(&value, values[i].field);
    for (int change = -1; change <= 1; change += 2) {
      struct bytes stream = {.len = 0};
      add_hex(&stream, HEADER "0001");
      size_t len = value.len - 4 + (size_t)change;
      stream.data[stream.len++] = 0;
      stream.data[stream.len++] = 0;
      stream.data[stream.len++] = (unsigned char)(len >> 8);
      stream.data[stream.len++] = (unsigned char)len;
      memcpy(stream.data + stream.len, value.data + 4, len);
      stream.len += len;
      add_hex(&stream, END);
      struct taken t = {.len = 0};
      struct crm_error err = {0};
      if (run(&field, 1, &stream, stream.len, &t, &err) != CRM_ERR_DATA)
        fail_msg("%s with length %zu: %s", values[i].name, len, t.text);
    }
  }
}

static const struct crm_copy_field two_fields[] = {
    {.cell = 0, .kind = CRM_COL_TEXT, .type = {CRM_WIRE_TEXT, 0}},
    {.cell = 3, .kind = CRM_COL_DAY, .type = {CRM_WIRE_DATE, 0}},
};
#define ROW_A "0002 00000001 61 00000004 00000000"
#define ROW_NULL "0002 00000001 62 ffffffff"
#define ROW_FAR "0002 00000001 63 00000004 7fffffff"
#define ROW_D "0002 ffffffff 00000004 00000001"

static void rows_follow_each_other(void **state) {
  (void)state;
  struct bytes stream = {.len = 0};
  add_hex(&stream, HEADER ROW_A ROW_NULL ROW_FAR ROW_D END);
  for (size_t piece = 1; piece <= stream.len; piece++) {
    struct taken t = {.len = 0};
    struct crm_error err = {0};
    assert_int_equal(run(two_fields, 2, &stream, piece, &t, &err), CRM_OK);
    assert_string_equal(t.text, "(a|10957)(b|null)(c|2147483647)(null|10958)");
    assert_int_equal(t.rows, 4);
  }
}

static void streams(void **state) {
  (void)state;
  static const struct {
    const char *name, *hex;
    enum crm_status status;
    const char *text;
  } cases[] = {
      {"no rows", HEADER END, CRM_OK, ""},
      {"header extension is skipped", "5047434f50590aff0d0a00 00000000 00000005 0102030405" ROW_A END, CRM_OK, "(a|10957)"},
      {"lower flags are ignored", "5047434f50590aff0d0a00 00000001 00000000" ROW_A END, CRM_OK, "(a|10957)"},
      {"flag for OIDs", "5047434f50590aff0d0a00 00010000 00000000" END, CRM_ERR_DATA, ""},
      {"nothing", "", CRM_ERR_DATA, ""},
      {"signature cut", "5047434f", CRM_ERR_DATA, ""},
      {"wrong signature", "5047434f50590a0a0d0a00 00000000 00000000" END, CRM_ERR_DATA, ""},
      {"text instead", "61096209630a61096209630a61096209630a", CRM_ERR_DATA, ""},
      {"no end mark", HEADER ROW_A, CRM_ERR_DATA, "(a|10957)"},
      {"row cut", HEADER "0002 00000001 61 00000004 0000", CRM_ERR_DATA, ""},
      {"too few fields", HEADER "0001 00000001 61" END, CRM_ERR_DATA, ""},
      {"too many fields", HEADER "0003 00000001 61 ffffffff ffffffff" END, CRM_ERR_DATA, ""},
      {"negative field count", HEADER "fffe", CRM_ERR_DATA, ""},
      {"negative length", HEADER "0002 fffffffe", CRM_ERR_DATA, ""},
      {"length of 2 GiB", HEADER "0002 7fffffff 61", CRM_ERR_DATA, ""},
      {"bytes after the end", HEADER ROW_A END "00", CRM_ERR_DATA, "(a|10957)"},
      {"a second end", HEADER END END, CRM_ERR_DATA, ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct bytes stream = {.len = 0};
    add_hex(&stream, cases[i].hex);
    for (size_t piece = 1; piece <= stream.len + 1; piece++) {
      struct taken t = {.len = 0};
      struct crm_error err = {0};
      enum crm_status status = run(two_fields, 2, &stream, piece, &t, &err);
      if (status != cases[i].status || strcmp(t.text, cases[i].text) != 0)
        fail_msg("%s in pieces of %zu: %s %s %s", cases[i].name, piece, crm_status_name(status), t.text, err.message);
    }
  }
}

static void arrays_that_lie(void **state) {
  (void)state;
  static const struct {
    const char *name, *hex;
  } cases[] = {
      {"seven dimensions", "00000007 00000000 00000019"},
      {"dimensions without sizes", "00000001 00000000 00000019 00000001"},
      {"negative dimension", "ffffffff 00000000 00000019"},
      {"more items than bytes", "00000001 00000000 00000019 000f4240 00000001"},
      {"a negative size", "00000001 00000000 00000019 ffffffff 00000001"},
      {"sizes that overflow", "00000002 00000000 00000019 80000000 00000001 80000000 00000001"},
      {"item longer than the array", "00000001 00000000 00000019 00000001 00000001 00000005 61"},
      {"item of negative length", "00000001 00000000 00000019 00000001 00000001 fffffffe"},
      {"bytes behind the items", "00000001 00000000 00000019 00000001 00000001 00000001 61 00"},
  };
  const struct crm_copy_field field = {.cell = 8, .kind = CRM_COL_TEXTS, .type = {CRM_WIRE_ARRAY, CRM_WIRE_TEXT}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct bytes value = {.len = 0}, stream = {.len = 0};
    char length[16];
    add_hex(&value, cases[i].hex);
    snprintf(length, sizeof(length), "%08zx", value.len);
    add_hex(&stream, HEADER "0001");
    add_hex(&stream, length);
    add_hex(&stream, cases[i].hex);
    add_hex(&stream, END);
    struct taken t = {.len = 0};
    struct crm_error err = {0};
    if (run(&field, 1, &stream, stream.len, &t, &err) != CRM_ERR_DATA)
      fail_msg("%s: %s", cases[i].name, t.text);
  }
}

static void two_arrays_in_a_row_keep_apart(void **state) {
  (void)state;
  const struct crm_copy_field fields[] = {{.cell = 1, .kind = CRM_COL_TEXTS, .type = {CRM_WIRE_ARRAY, CRM_WIRE_INT4}},
                                          {.cell = 2, .kind = CRM_COL_TEXTS, .type = {CRM_WIRE_ARRAY, CRM_WIRE_INT4}},
                                          {.cell = 4, .kind = CRM_COL_TEXT, .type = {CRM_WIRE_INT4, 0}}};
  struct bytes stream = {.len = 0};
  add_hex(&stream, HEADER "0003 0000001c 00000001 00000000 00000017 00000001 00000001 00000004 00000001"
                          "0000001c 00000001 00000000 00000017 00000001 00000001 00000004 00000002 00000004 00000003" END);
  struct taken t = {.len = 0};
  assert_int_equal(run(fields, 3, &stream, stream.len, &t, NULL), CRM_OK);
  assert_string_equal(t.text, "(1|2|3)");
}

static void the_taker_may_end_it(void **state) {
  (void)state;
  struct bytes stream = {.len = 0};
  add_hex(&stream, HEADER ROW_A ROW_NULL END);
  struct taken t = {.answer = CRM_ERR_LIMIT};
  struct crm_error err = {0};
  assert_int_equal(run(two_fields, 2, &stream, stream.len, &t, &err), CRM_ERR_LIMIT);
  assert_int_equal(t.rows, 1);
  assert_string_equal(err.message, "enough");
}

static void kinds_and_types(void **state) {
  (void)state;
  static const struct {
    enum crm_column_kind kind;
    struct crm_copy_type type;
    bool fits;
  } cases[] = {
      {CRM_COL_TIME, {CRM_WIRE_TIMESTAMP, 0}, false},
      {CRM_COL_DAY, {CRM_WIRE_TIMESTAMPTZ, 0}, false},
      {CRM_COL_DAY, {CRM_WIRE_TIMESTAMP, 0}, false},
      {CRM_COL_NUMBER, {CRM_WIRE_TEXT, 0}, false},
      {CRM_COL_NUMBER, {CRM_WIRE_OID, 0}, false},
      {CRM_COL_MONEY, {CRM_WIRE_BOOL, 0}, false},
      {CRM_COL_BOOLEAN, {CRM_WIRE_INT4, 0}, false},
      {CRM_COL_TEXT, {CRM_WIRE_NUMERIC, 0}, false},
      {CRM_COL_TEXT, {CRM_WIRE_NONE, 0}, false},
      {CRM_COL_TEXTS, {CRM_WIRE_TEXT, 0}, false},
      {CRM_COL_TEXTS, {CRM_WIRE_ARRAY, 0}, false},
      {CRM_COL_TEXTS, {CRM_WIRE_ARRAY, CRM_WIRE_DATE}, false},
      {CRM_COL_TEXTS, {CRM_WIRE_ARRAY, CRM_WIRE_ARRAY}, false},
      {CRM_COL_NUMBER, {CRM_WIRE_INT2, 0}, true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_int_equal(crm_copy_type_fits(cases[i].kind, cases[i].type), cases[i].fits);
}

static int make_zone(void **state) {
  (void)state;
  return crm_zone_new("Europe/Berlin", &berlin, NULL) == CRM_OK ? 0 : -1;
}

static int free_zone(void **state) {
  (void)state;
  crm_zone_free(berlin);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_type_is_decoded),   cmocka_unit_test(a_wrong_length_is_malformed),
      cmocka_unit_test(rows_follow_each_other), cmocka_unit_test(streams),
      cmocka_unit_test(arrays_that_lie),        cmocka_unit_test(two_arrays_in_a_row_keep_apart),
      cmocka_unit_test(the_taker_may_end_it),   cmocka_unit_test(kinds_and_types),
  };
  return cmocka_run_group_tests(tests, make_zone, free_zone);
}
