/* SPDX-License-Identifier: MIT */
/* Any bytes as a binary COPY stream: nothing may be read out of bounds, and however the stream is cut, the same rows must come out.
 * The first bytes choose the columns and where the stream is cut. */
#include <stdlib.h>
#include <string.h>

#include "source/copy_reader.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

struct seen {
  uint64_t rows, hash;
};

static void mix(struct seen *seen, const void *bytes, size_t len) {
  const unsigned char *p = bytes;
  for (size_t i = 0; i < len; i++)
    seen->hash = (seen->hash ^ p[i]) * UINT64_C(1099511628211);
}

static const struct crm_copy_field *fuzzed;
static size_t n_fuzzed;

static enum crm_status take(void *ctx, const struct crm_row *row, struct crm_error *err) {
  struct seen *seen = ctx;
  (void)err;
  seen->rows++;
  for (size_t i = 0; i < n_fuzzed; i++) {
    const struct crm_cell_value *cell = &row->cells[fuzzed[i].cell];
    mix(seen, &cell->set, sizeof(cell->set));
    if (!cell->set)
      continue;
    switch (fuzzed[i].kind) {
    case CRM_COL_TEXT:
      mix(seen, cell->text, cell->len);
      break;
    case CRM_COL_TEXTS:
      for (size_t k = 0; k < cell->n_items; k++)
        mix(seen, cell->items[k].text, cell->items[k].len);
      break;
    case CRM_COL_TIME:
      mix(seen, &cell->time, sizeof(cell->time));
      break;
    case CRM_COL_DAY:
      mix(seen, &cell->day, sizeof(cell->day));
      break;
    case CRM_COL_NUMBER:
      mix(seen, &cell->number, sizeof(cell->number));
      break;
    case CRM_COL_MONEY:
      if (cell->numeric != NULL) {
        crm_money amount;
        mix(seen, cell->numeric, cell->numeric_len);
        if (crm_money_from_numeric(cell->numeric, cell->numeric_len, 12, 2, &amount) == CRM_OK)
          mix(seen, &amount, sizeof(amount));
      } else
        mix(seen, &cell->major, sizeof(cell->major));
      break;
    case CRM_COL_BOOLEAN:
      mix(seen, &cell->boolean, sizeof(cell->boolean));
      break;
    }
  }
  return CRM_OK;
}

static enum crm_status run(const struct crm_zone *zone, const unsigned char *data, size_t size, size_t piece, struct seen *seen) {
  struct crm_copy_reader reader;
  crm_copy_reader_init(&reader, fuzzed, n_fuzzed, zone, take, seen);
  enum crm_status status = CRM_OK;
  for (size_t at = 0; status == CRM_OK && at < size; at += piece) {
    size_t len = size - at < piece ? size - at : piece;
    unsigned char *exact = malloc(len);
    memcpy(exact, data + at, len);
    status = crm_copy_reader_feed(&reader, exact, len, NULL);
    free(exact);
  }
  if (status == CRM_OK)
    status = crm_copy_reader_finish(&reader, NULL);
  crm_copy_reader_free(&reader);
  return status;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  static struct crm_zone *zone;
  if (zone == NULL && crm_zone_new("Europe/Berlin", &zone, NULL) != CRM_OK)
    abort();
  if (size < 10)
    return 0;
  struct crm_copy_field fields[4];
  size_t n = 0;
  for (size_t i = 0; i < 4; i++) {
    struct crm_copy_field field = {.cell = i * 3,
                                   .kind = (enum crm_column_kind)(data[i * 2] % (CRM_COL_BOOLEAN + 1)),
                                   .type = {.wire = (enum crm_wire)(data[i * 2 + 1] % (CRM_WIRE_ARRAY + 1)),
                                            .element = (enum crm_wire)(data[i * 2 + 1] / (CRM_WIRE_ARRAY + 1) % CRM_WIRE_ARRAY)}};
    if (crm_copy_type_fits(field.kind, field.type))
      fields[n++] = field;
  }
  fuzzed = fields;
  n_fuzzed = n;
  struct seen whole = {0}, pieces = {0};
  enum crm_status first = run(zone, data + 9, size - 9, size, &whole);
  enum crm_status second = run(zone, data + 9, size - 9, (size_t)data[8] % 64 + 1, &pieces);
  if (first != second || whole.rows != pieces.rows || whole.hash != pieces.hash)
    abort();
  return 0;
}
