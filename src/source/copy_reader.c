/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/copy_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PostgreSQL counts from 2000-01-01. */
#define PG_EPOCH_DAY 10957
#define PG_EPOCH_US (PG_EPOCH_DAY * CRM_US_PER_DAY)
/* Years 1 to 9999, a day more on each side: PostgreSQL's own range is wider than int64 microseconds since 1970 can hold. */
#define FIRST_DAY (-719162)
#define LAST_DAY 2932896
#define FIRST_US ((FIRST_DAY - 1) * CRM_US_PER_DAY)
#define LAST_US ((LAST_DAY + 2) * CRM_US_PER_DAY)
/* What lies outside is handed on as a value that lies outside too: the builder judges it by the column it stands in. */
#define TOO_EARLY INT64_MIN
#define TOO_LATE (INT64_MAX - 1)
#define INFINITE INT64_MAX

#define TUPLE_MAX ((size_t)64 << 20)
#define ARRAY_MAX 1000000
#define TEXT_OF_VALUE 40 /* a uuid has 36 characters, an int64 20 */

static const unsigned char signature[11] = "PGCOPY\n\377\r\n";

bool crm_copy_type_fits(enum crm_column_kind kind, struct crm_copy_type type) {
  enum crm_wire wire = type.wire;
  switch (kind) {
  case CRM_COL_TEXTS:
    return wire == CRM_WIRE_ARRAY && crm_copy_type_fits(CRM_COL_TEXT, (struct crm_copy_type){.wire = type.element});
  case CRM_COL_TEXT:
    return wire >= CRM_WIRE_TEXT && wire <= CRM_WIRE_OID;
  case CRM_COL_TIME:
    return wire == CRM_WIRE_TIMESTAMPTZ || wire == CRM_WIRE_DATE;
  case CRM_COL_DAY:
    return wire == CRM_WIRE_DATE;
  case CRM_COL_NUMBER:
  case CRM_COL_MONEY:
    return (wire >= CRM_WIRE_INT2 && wire <= CRM_WIRE_INT8) || (wire >= CRM_WIRE_FLOAT4 && wire <= CRM_WIRE_NUMERIC);
  case CRM_COL_BOOLEAN:
    return wire == CRM_WIRE_BOOL;
  }
  return false;
}

void crm_copy_reader_init(struct crm_copy_reader *reader, const struct crm_copy_field *fields, size_t n_fields, const struct crm_zone *zone,
                          crm_copy_row_fn *take, void *ctx) {
  *reader = (struct crm_copy_reader){.n_fields = n_fields, .zone = zone, .take = take, .ctx = ctx, .last_day = CRM_DAY_NONE};
  memcpy(reader->fields, fields, n_fields * sizeof(*fields));
}

void crm_copy_reader_free(struct crm_copy_reader *reader) {
  for (size_t i = 0; i < reader->n_fields; i++) {
    free(reader->fields[i].bytes);
    free(reader->fields[i].items);
  }
  free(reader->carry);
  *reader = (struct crm_copy_reader){0};
}

/* --- values --- */

static inline uint16_t get16(const unsigned char *p) {
  return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t get32(const unsigned char *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline uint64_t get64(const unsigned char *p) {
  return (uint64_t)get32(p) << 32 | get32(p + 4);
}

enum outcome { DECODED, MALFORMED, NO_MEMORY };

/* Most keys are uuids, so this is the dearest conversion of a full read: two digits at a time. */
static size_t uuid_text(const unsigned char *p, char *out) {
#define HEX_ROW(d) d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9" d "a" d "b" d "c" d "d" d "e" d "f"
  static const char pairs[] = HEX_ROW("0") HEX_ROW("1") HEX_ROW("2") HEX_ROW("3") HEX_ROW("4") HEX_ROW("5") HEX_ROW("6") HEX_ROW("7")
      HEX_ROW("8") HEX_ROW("9") HEX_ROW("a") HEX_ROW("b") HEX_ROW("c") HEX_ROW("d") HEX_ROW("e") HEX_ROW("f");
#undef HEX_ROW
  static const unsigned char at[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
  for (int i = 0; i < 16; i++)
    memcpy(out + at[i], pairs + (size_t)p[i] * 2, 2);
  out[8] = out[13] = out[18] = out[23] = '-';
  return 36;
}

static size_t integer_text(int64_t value, char *out) {
  char digits[20];
  size_t n = 0, len = 0;
  uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
  do {
    digits[n++] = (char)('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (value < 0)
    out[len++] = '-';
  while (n > 0)
    out[len++] = digits[--n];
  return len;
}

static bool integer_value(enum crm_wire wire, const unsigned char *p, size_t len, int64_t *value) {
  if (wire == CRM_WIRE_INT4 && len == 4)
    *value = (int32_t)get32(p);
  else if (wire == CRM_WIRE_INT8 && len == 8)
    *value = (int64_t)get64(p);
  else if (wire == CRM_WIRE_INT2 && len == 2)
    *value = (int16_t)get16(p);
  else if (wire == CRM_WIRE_OID && len == 4)
    *value = (int64_t)get32(p);
  else
    return false;
  return true;
}

/* Points at the bytes, or writes into `buf` (TEXT_OF_VALUE bytes) what has to be turned into text. */
static bool text_value(enum crm_wire wire, const unsigned char *p, size_t len, char *buf, const char **text, size_t *text_len) {
  int64_t integer;
  *text = (const char *)p;
  *text_len = len;
  switch (wire) {
  case CRM_WIRE_TEXT:
    return true;
  case CRM_WIRE_BPCHAR:
    while (*text_len > 0 && p[*text_len - 1] == ' ')
      --*text_len;
    return true;
  case CRM_WIRE_CHAR:
    *text_len = len == 1 && p[0] != 0;
    return len == 1;
  case CRM_WIRE_UUID:
    *text = buf;
    if (len == 16)
      *text_len = uuid_text(p, buf);
    return len == 16;
  default:
    if (!integer_value(wire, p, len, &integer))
      return false;
    *text = buf;
    *text_len = integer_text(integer, buf);
    return true;
  }
}

static enum outcome day_value(const unsigned char *p, size_t len, crm_day *day) {
  if (len != 4)
    return MALFORMED;
  int64_t value = (int64_t)(int32_t)get32(p) + PG_EPOCH_DAY; /* infinity is the least and the greatest int32 */
  *day = value < FIRST_DAY ? INT32_MIN : value > LAST_DAY ? INT32_MAX : (crm_day)value;
  return DECODED;
}

static enum outcome date_as_time(struct crm_copy_reader *reader, const unsigned char *p, size_t len, crm_time *time) {
  crm_day day;
  if (day_value(p, len, &day) != DECODED)
    return MALFORMED;
  if (day == INT32_MAX || day == INT32_MIN) {
    *time = day == INT32_MIN ? TOO_EARLY : get32(p) == INT32_MAX ? INFINITE : TOO_LATE;
    return DECODED;
  }
  if (day != reader->last_day) { /* rows come in runs of the same day */
    reader->last_day_start = crm_zone_day_start(reader->zone, day);
    reader->last_day = day;
  }
  *time = reader->last_day_start;
  return DECODED;
}

static enum outcome time_value(const unsigned char *p, size_t len, crm_time *time) {
  if (len != 8)
    return MALFORMED;
  int64_t value = (int64_t)get64(p); /* infinity is the least and the greatest int64 */
  if (value < FIRST_US - PG_EPOCH_US)
    *time = TOO_EARLY;
  else if (value > LAST_US - PG_EPOCH_US)
    *time = value == INT64_MAX ? INFINITE : TOO_LATE;
  else
    *time = value + PG_EPOCH_US;
  return DECODED;
}

static enum outcome number_value(enum crm_wire wire, const unsigned char *p, size_t len, double *number) {
  int64_t integer;
  if (wire == CRM_WIRE_FLOAT8) {
    if (len != 8)
      return MALFORMED;
    uint64_t bits = get64(p);
    memcpy(number, &bits, sizeof(*number));
    return DECODED;
  }
  if (wire == CRM_WIRE_FLOAT4) {
    if (len != 4)
      return MALFORMED;
    uint32_t bits = get32(p);
    float value;
    memcpy(&value, &bits, sizeof(value));
    *number = (double)value;
    return DECODED;
  }
  if (wire == CRM_WIRE_NUMERIC)
    return crm_double_from_numeric(p, len, number) == CRM_OK ? DECODED : MALFORMED;
  if (!integer_value(wire, p, len, &integer))
    return MALFORMED;
  *number = (double)integer;
  return DECODED;
}

/* --- arrays: int32 dimensions, int32 flags, int32 element type; for each dimension int32 size and int32 lower bound; then fields --- */

static bool reserve(void **data, size_t *cap, size_t need, size_t size) {
  if (need <= *cap)
    return true;
  size_t cap_new = *cap > 0 ? *cap : 16;
  while (cap_new < need)
    cap_new *= 2;
  void *bigger = realloc(*data, cap_new * size);
  if (bigger == NULL)
    return false;
  *data = bigger;
  *cap = cap_new;
  return true;
}

/* The items of all dimensions in storage order; NULL items are left out. */
static enum outcome texts_value(struct crm_copy_field *field, const unsigned char *p, size_t len, size_t *n_items) {
  *n_items = 0;
  if (len < 12)
    return MALFORMED;
  uint32_t dimensions = get32(p);
  if (dimensions > 6 || len - 12 < (size_t)dimensions * 8)
    return MALFORMED;
  uint64_t n = dimensions > 0 ? 1 : 0;
  for (uint32_t d = 0; d < dimensions; d++) {
    n *= get32(p + 12 + (size_t)d * 8);
    if (n > ARRAY_MAX)
      return MALFORMED;
  }
  const unsigned char *end = p + len;
  p += 12 + (size_t)dimensions * 8;
  if ((size_t)(end - p) < n * 4)
    return MALFORMED;
  bool convert = field->type.element >= CRM_WIRE_UUID;
  if (!reserve((void **)&field->items, &field->items_cap, n, sizeof(*field->items)) ||
      (convert && !reserve((void **)&field->bytes, &field->bytes_cap, n * TEXT_OF_VALUE, 1)))
    return NO_MEMORY;
  for (uint64_t i = 0; i < n; i++) {
    if (end - p < 4)
      return MALFORMED;
    int32_t item_len = (int32_t)get32(p);
    p += 4;
    if (item_len == -1)
      continue;
    if (item_len < 0 || item_len > end - p)
      return MALFORMED;
    struct crm_text_item *item = &field->items[*n_items];
    if (!text_value(field->type.element, p, (size_t)item_len, convert ? field->bytes + i * TEXT_OF_VALUE : NULL, &item->text, &item->len))
      return MALFORMED;
    p += item_len;
    ++*n_items;
  }
  return p == end ? DECODED : MALFORMED;
}

static enum outcome decode(struct crm_copy_reader *reader, struct crm_copy_field *field, const unsigned char *p, size_t len,
                           struct crm_cell_value *cell) {
  switch (field->kind) {
  case CRM_COL_TEXT:
    if (field->type.wire == CRM_WIRE_TEXT) {
      cell->text = (const char *)p;
      cell->len = len;
      return DECODED;
    }
    if (!reserve((void **)&field->bytes, &field->bytes_cap, TEXT_OF_VALUE, 1))
      return NO_MEMORY;
    if (field->type.wire == CRM_WIRE_UUID && len == 16) { /* neighbours mostly belong to the same account */
      if (!field->has_last || memcmp(field->last, p, 16) != 0) {
        (void)uuid_text(p, field->bytes);
        memcpy(field->last, p, 16);
        field->has_last = true;
      }
      cell->text = field->bytes;
      cell->len = 36;
      return DECODED;
    }
    return text_value(field->type.wire, p, len, field->bytes, &cell->text, &cell->len) ? DECODED : MALFORMED;
  case CRM_COL_TEXTS: {
    size_t n;
    enum outcome outcome = texts_value(field, p, len, &n);
    cell->items = field->items;
    cell->n_items = n;
    return outcome;
  }
  case CRM_COL_TIME:
    return field->type.wire == CRM_WIRE_DATE ? date_as_time(reader, p, len, &cell->time) : time_value(p, len, &cell->time);
  case CRM_COL_DAY:
    return day_value(p, len, &cell->day);
  case CRM_COL_NUMBER:
    return number_value(field->type.wire, p, len, &cell->number);
  case CRM_COL_MONEY:
    cell->numeric = NULL;
    if (field->type.wire == CRM_WIRE_NUMERIC) {
      cell->numeric = p;
      cell->numeric_len = len;
      return len >= 8 ? DECODED : MALFORMED;
    }
    return number_value(field->type.wire, p, len, &cell->major);
  case CRM_COL_BOOLEAN:
    cell->boolean = len == 1 && p[0] != 0;
    return len == 1 && p[0] <= 1 ? DECODED : MALFORMED;
  }
  return MALFORMED;
}

/* --- the stream --- */

static enum crm_status bad(const struct crm_copy_reader *reader, struct crm_error *err, const char *what) {
  return crm_error_set(err, CRM_ERR_DATA, "binary COPY, row %llu: %s", (unsigned long long)reader->rows, what);
}

/* Reads one tuple at p. *used is 0 if it is not all there yet; then reader->need tells how many bytes it has at least. */
static enum crm_status read_tuple(struct crm_copy_reader *reader, const unsigned char *p, size_t len, size_t *used, struct crm_error *err) {
  *used = 0;
  reader->need = 2;
  if (len < 2)
    return CRM_OK;
  int16_t n_fields = (int16_t)get16(p);
  if (n_fields == -1) {
    reader->state = CRM_COPY_ENDED;
    *used = 2;
    return CRM_OK;
  }
  if (n_fields < 0 || (size_t)n_fields != reader->n_fields)
    return bad(reader, err, "the number of fields is not that of the query");
  size_t at = 2;
  for (size_t i = 0; i < reader->n_fields; i++) {
    struct crm_copy_field *field = &reader->fields[i];
    struct crm_cell_value *cell = &reader->row.cells[field->cell];
    reader->need = at + 4;
    if (len < reader->need)
      return CRM_OK;
    uint32_t field_len = get32(p + at);
    at += 4;
    cell->set = field_len != UINT32_MAX;
    if (!cell->set)
      continue;
    if (field_len > TUPLE_MAX)
      return bad(reader, err, "a field is too long");
    reader->need = at + field_len;
    if (len < reader->need)
      return CRM_OK;
    switch (decode(reader, field, p + at, field_len, cell)) {
    case DECODED:
      break;
    case MALFORMED:
      return bad(reader, err, "a field does not have the form of its type");
    case NO_MEMORY:
      return crm_error_set(err, CRM_ERR_MEMORY, "out of memory while decoding a row");
    }
    at += field_len;
  }
  *used = at;
  reader->rows++;
  return reader->take(reader->ctx, &reader->row, err);
}

/* Reads what is complete at p; *used tells how far. */
static enum crm_status read_some(struct crm_copy_reader *reader, const unsigned char *p, size_t len, size_t *used, struct crm_error *err) {
  *used = 0;
  if (reader->state == CRM_COPY_HEADER) {
    size_t seen = len < sizeof(signature) ? len : sizeof(signature);
    if (memcmp(p, signature, seen) != 0)
      return bad(reader, err, "the signature is missing");
    if (len < sizeof(signature) + 8)
      return CRM_OK;
    uint32_t flags = get32(p + sizeof(signature));
    if (flags >> 16 != 0) /* the lower bits are to be ignored, the upper ones (bit 16: OIDs before PostgreSQL 12) change the format */
      return bad(reader, err, "unknown flags in the header");
    reader->extension_left = get32(p + sizeof(signature) + 4);
    reader->state = CRM_COPY_EXTENSION;
    *used = sizeof(signature) + 8;
  }
  if (reader->state == CRM_COPY_EXTENSION) {
    size_t skip = len - *used < reader->extension_left ? len - *used : reader->extension_left;
    *used += skip;
    reader->extension_left -= (uint32_t)skip;
    if (reader->extension_left > 0)
      return CRM_OK;
    reader->state = CRM_COPY_TUPLES;
  }
  while (reader->state == CRM_COPY_TUPLES && *used < len) {
    size_t tuple;
    enum crm_status status = read_tuple(reader, p + *used, len - *used, &tuple, err);
    if (status != CRM_OK || tuple == 0)
      return status;
    *used += tuple;
  }
  return reader->state == CRM_COPY_ENDED && *used < len ? bad(reader, err, "bytes after the end mark") : CRM_OK;
}

static enum crm_status keep(struct crm_copy_reader *reader, const unsigned char *p, size_t len, struct crm_error *err) {
  if (reader->carry_len + len > TUPLE_MAX)
    return bad(reader, err, "a row is too long");
  if (!reserve((void **)&reader->carry, &reader->carry_cap, reader->carry_len + len, 1))
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory while reading rows");
  memcpy(reader->carry + reader->carry_len, p, len);
  reader->carry_len += len;
  return CRM_OK;
}

enum crm_status crm_copy_reader_feed(struct crm_copy_reader *reader, const void *bytes, size_t len, struct crm_error *err) {
  size_t used;
  if (len == 0)
    return CRM_OK;
  if (reader->carry_len == 0) {
    enum crm_status status = read_some(reader, bytes, len, &used, err);
    if (status != CRM_OK || used == len)
      return status;
    return keep(reader, (const unsigned char *)bytes + used, len - used, err);
  }
  enum crm_status status = keep(reader, bytes, len, err);
  if (status != CRM_OK || reader->carry_len < reader->need)
    return status;
  reader->need = 0;
  status = read_some(reader, reader->carry, reader->carry_len, &used, err);
  if (status != CRM_OK)
    return status;
  reader->carry_len -= used;
  memmove(reader->carry, reader->carry + used, reader->carry_len);
  return CRM_OK;
}

enum crm_status crm_copy_reader_finish(const struct crm_copy_reader *reader, struct crm_error *err) {
  return reader->state == CRM_COPY_ENDED ? CRM_OK : bad(reader, err, "the stream ends before its end mark");
}
