/* SPDX-License-Identifier: MIT */
/* Internal to source: from the bytes of "COPY ... TO STDOUT (FORMAT binary)" to rows. Reads outside bytes and nothing else: no connection,
 * no clock, so that it can be fuzzed. Allocates only when an array or a split tuple is larger than any before.
 *
 * Format (PostgreSQL manual, COPY, Binary Format): signature, int32 flags, int32 length of a header extension; then tuples of an int16
 * field count and fields of an int32 length (-1: NULL) and bytes; int16 -1 ends it. All integers are big-endian. */
#ifndef CRM_SOURCE_COPY_READER_H
#define CRM_SOURCE_COPY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts/builder.h"

/* What stands on the wire; named after the server's send functions, which decide the format. */
enum crm_wire {
  CRM_WIRE_NONE,   /* no format that the contract knows */
  CRM_WIRE_TEXT,   /* text, varchar, name, citext, an enum */
  CRM_WIRE_BPCHAR, /* character(n): padded with blanks */
  CRM_WIRE_CHAR,   /* "char": one byte */
  CRM_WIRE_UUID,
  CRM_WIRE_INT2,
  CRM_WIRE_INT4,
  CRM_WIRE_INT8,
  CRM_WIRE_OID,
  CRM_WIRE_FLOAT4,
  CRM_WIRE_FLOAT8,
  CRM_WIRE_NUMERIC,
  CRM_WIRE_BOOL,
  CRM_WIRE_DATE,
  CRM_WIRE_TIMESTAMPTZ,
  CRM_WIRE_TIMESTAMP, /* fits no column; known so that it can be told */
  CRM_WIRE_ARRAY,
};

struct crm_copy_type {
  enum crm_wire wire;
  enum crm_wire element; /* of CRM_WIRE_ARRAY */
};

/* May a column of the kind be read from the type? */
bool crm_copy_type_fits(enum crm_column_kind kind, struct crm_copy_type type);

/* One field of the tuples, in their order. */
struct crm_copy_field {
  size_t cell; /* index in crm_row.cells and in the relation's columns */
  enum crm_column_kind kind;
  struct crm_copy_type type;
  /* Scratch of the reader, zero at first. */
  char *bytes;
  size_t bytes_cap;
  struct crm_text_item *items;
  size_t items_cap;
  unsigned char last[16]; /* the uuid that stands in `bytes` */
  bool has_last;
};

/* Takes a row. What it returns other than CRM_OK ends the reading. The reader does not judge values: a time or day that cannot be told is
 * handed on as INT64_MIN, INT64_MAX - 1 or INT32_MIN, INT32_MAX, which no column takes, and "infinity" as INT64_MAX. */
typedef enum crm_status crm_copy_row_fn(void *ctx, const struct crm_row *row, struct crm_error *err);

struct crm_copy_reader {
  struct crm_copy_field fields[CRM_ROW_COLUMNS];
  size_t n_fields;
  const struct crm_zone *zone; /* for a DATE in a CRM_COL_TIME column */
  crm_copy_row_fn *take;
  void *ctx;
  struct crm_row row;
  uint64_t rows; /* tuples seen */
  enum { CRM_COPY_HEADER, CRM_COPY_EXTENSION, CRM_COPY_TUPLES, CRM_COPY_ENDED } state;
  uint32_t extension_left;
  /* A tuple that came in pieces; not used while each message holds whole tuples, as PostgreSQL sends them. */
  unsigned char *carry;
  size_t carry_len, carry_cap;
  size_t need; /* bytes to wait for before looking at the carry again: a long tuple in small pieces must not be read anew for each */
  /* The day that was turned into an instant last. */
  crm_day last_day;
  crm_time last_day_start;
};

/* `fields` (at most CRM_ROW_COLUMNS, each fitting its column) is copied. Cannot fail. */
void crm_copy_reader_init(struct crm_copy_reader *reader, const struct crm_copy_field *fields, size_t n_fields, const struct crm_zone *zone,
                          crm_copy_row_fn *take, void *ctx);
void crm_copy_reader_free(struct crm_copy_reader *reader);

/* Takes the next bytes of the stream, however it is cut. CRM_ERR_DATA says what makes no sense; CRM_ERR_MEMORY; or what `take` returned. */
enum crm_status crm_copy_reader_feed(struct crm_copy_reader *reader, const void *bytes, size_t len, struct crm_error *err) CRM_MUSTCHECK;
/* After the last bytes: CRM_ERR_DATA unless the stream had its end mark. */
enum crm_status crm_copy_reader_finish(const struct crm_copy_reader *reader, struct crm_error *err) CRM_MUSTCHECK;

#endif
