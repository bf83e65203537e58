/* SPDX-License-Identifier: MIT */
/* Any bytes as a message of the output plugin, or as a snapshot: nothing may be read out of bounds, what is told must lie within the
 * message, and a message that is refused tells nothing. The first byte chooses. */
#include <stdlib.h>
#include <string.h>

#include "source/pgoutput.h"
#include "source/snapshot.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

struct heard {
  const unsigned char *bytes;
  size_t size;
  unsigned calls, sum;
};

static void must_be_within(const struct heard *heard, const void *at, size_t len) {
  const unsigned char *p = at;
  if (p < heard->bytes || len > heard->size || (size_t)(p - heard->bytes) > heard->size - len)
    abort();
}

static enum crm_status begin(void *ctx, uint32_t xid, struct crm_error *err) {
  struct heard *heard = ctx;
  (void)err;
  heard->calls++;
  heard->sum += xid;
  return CRM_OK;
}

static enum crm_status commit(void *ctx, struct crm_error *err) {
  return begin(ctx, 0, err);
}

static enum crm_status relation(void *ctx, const struct crm_pgoutput_relation *relation, struct crm_error *err) {
  struct heard *heard = ctx;
  bool identity = false;
  must_be_within(heard, relation->schema, strlen(relation->schema) + 1);
  must_be_within(heard, relation->name, strlen(relation->name) + 1);
  int place = crm_pgoutput_column(relation, "account_id", &identity);
  if (place < -1 || place >= relation->n)
    abort();
  return begin(ctx, relation->table, err);
}

static void look_at(struct heard *heard, struct crm_pgoutput_tuple tuple) {
  if (crm_pgoutput_value(tuple, -1).kind != CRM_PGOUTPUT_ABSENT || crm_pgoutput_value(tuple, tuple.n).kind != CRM_PGOUTPUT_ABSENT)
    abort();
  for (int i = 0; i < tuple.n && i < 64; i++) {
    struct crm_pgoutput_value value = crm_pgoutput_value(tuple, tuple.n - 1 - i);
    if (value.kind != CRM_PGOUTPUT_TEXT)
      continue;
    must_be_within(heard, value.text, value.len);
    for (size_t k = 0; k < value.len; k++)
      heard->sum += (unsigned char)value.text[k];
  }
}

static enum crm_status change(void *ctx, enum crm_pgoutput_change what, uint32_t table, struct crm_pgoutput_tuple before,
                              struct crm_pgoutput_tuple after, struct crm_error *err) {
  if ((after.at == NULL) != (what == CRM_PGOUTPUT_DELETE) || (before.at == NULL && what == CRM_PGOUTPUT_DELETE))
    abort();
  look_at(ctx, before);
  look_at(ctx, after);
  return begin(ctx, table, err);
}

static enum crm_status truncate_table(void *ctx, uint32_t table, struct crm_error *err) {
  return begin(ctx, table, err);
}

static void read_snapshot(const unsigned char *data, size_t size) {
  struct crm_snapshot snapshot, same;
  char *text = malloc(size + 1);
  memcpy(text, data, size);
  text[size] = '\0';
  if (crm_snapshot_read(text, &snapshot, NULL) == CRM_OK) {
    if (crm_snapshot_read(text, &same, NULL) != CRM_OK || crm_snapshot_moved(&snapshot, &same))
      abort();
    for (size_t i = 0; i < snapshot.n_running; i++)
      if (snapshot.xmax - snapshot.running[i] < (UINT64_C(1) << 31) && crm_snapshot_shows(&snapshot, (uint32_t)snapshot.running[i]))
        abort();
    crm_snapshot_free(&same);
  }
  crm_snapshot_free(&snapshot);
  free(text);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  if (size == 0)
    return 0;
  if (data[0] == 's') {
    read_snapshot(data + 1, size - 1);
    return 0;
  }
  unsigned char *exact = malloc(size - 1 > 0 ? size - 1 : 1);
  memcpy(exact, data + 1, size - 1);
  struct heard heard = {.bytes = exact, .size = size - 1};
  const struct crm_pgoutput_sink sink = {&heard, begin, commit, relation, change, truncate_table};
  enum crm_status status = crm_pgoutput_message(exact, size - 1, &sink, NULL);
  if (status != CRM_OK && (status != CRM_ERR_DATA || heard.calls > 0))
    abort();
  free(exact);
  return 0;
}
