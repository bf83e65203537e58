/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/pgoutput.h"

#include <string.h>

/* What is left of a message. Reading past the end gives zeros and says so once and for all. */
struct cursor {
  const unsigned char *at;
  size_t left;
  bool bad;
};

static const unsigned char *take(struct cursor *c, size_t n) {
  if (c->bad || n > c->left) {
    c->bad = true;
    return NULL;
  }
  const unsigned char *at = c->at;
  c->at += n;
  c->left -= n;
  return at;
}

static uint32_t take_uint(struct cursor *c, size_t size) {
  const unsigned char *p = take(c, size);
  uint32_t value = 0;
  for (size_t i = 0; p != NULL && i < size; i++)
    value = value << 8 | p[i];
  return value;
}

static const char *take_string(struct cursor *c) {
  const unsigned char *end = c->bad ? NULL : memchr(c->at, 0, c->left);
  if (end == NULL) {
    c->bad = true;
    return "";
  }
  return (const char *)take(c, (size_t)(end - c->at) + 1);
}

/* --- rows --- */

/* One column of a row. */
static struct crm_pgoutput_value take_value(struct cursor *c) {
  struct crm_pgoutput_value value = {.kind = CRM_PGOUTPUT_NULL};
  switch (take_uint(c, 1)) {
  case 'n':
    break;
  case 'u':
    value.kind = CRM_PGOUTPUT_UNCHANGED;
    break;
  case 't':
    value.kind = CRM_PGOUTPUT_TEXT;
    value.len = take_uint(c, 4);
    value.text = (const char *)take(c, value.len);
    break;
  default: /* binary values were not asked for */
    c->bad = true;
  }
  return value;
}

static struct crm_pgoutput_tuple take_tuple(struct cursor *c) {
  struct crm_pgoutput_tuple tuple = {.n = (int)take_uint(c, 2)};
  tuple.at = c->at;
  for (int i = 0; i < tuple.n && !c->bad; i++)
    (void)take_value(c);
  return tuple;
}

struct crm_pgoutput_value crm_pgoutput_value(struct crm_pgoutput_tuple tuple, int column) {
  struct crm_pgoutput_value value = {.kind = CRM_PGOUTPUT_ABSENT};
  struct cursor c = {.at = tuple.at, .left = SIZE_MAX}; /* it was looked through before */
  if (tuple.at == NULL || column < 0 || column >= tuple.n)
    return value;
  for (int i = 0; i <= column; i++)
    value = take_value(&c);
  return value;
}

/* --- tables --- */

struct column {
  bool identity;
  const char *name;
};

static struct column take_column(struct cursor *c) {
  struct column column = {.identity = (take_uint(c, 1) & 1) != 0};
  column.name = take_string(c);
  (void)take(c, 8); /* its type, and what modifies it */
  return column;
}

int crm_pgoutput_column(const struct crm_pgoutput_relation *relation, const char *name, bool *identity) {
  struct cursor c = {.at = relation->columns, .left = SIZE_MAX};
  for (int i = 0; i < relation->n; i++) {
    struct column column = take_column(&c);
    *identity = column.identity;
    if (strcmp(column.name, name) == 0)
      return i;
  }
  return -1;
}

/* --- messages --- */

static enum crm_status senseless(unsigned char type, struct crm_error *err) {
  return crm_error_set(err, CRM_ERR_DATA, "a message of the output plugin makes no sense (type 0x%02x)", type);
}

static bool is_whole(const struct cursor *c) {
  return !c->bad && c->left == 0;
}

static enum crm_status take_begin(struct cursor *c, const struct crm_pgoutput_sink *sink, struct crm_error *err) {
  (void)take(c, 16); /* where the transaction ends in the log, and when */
  uint32_t xid = take_uint(c, 4);
  return is_whole(c) ? sink->begin(sink->ctx, xid, err) : senseless('B', err);
}

static enum crm_status take_commit(struct cursor *c, const struct crm_pgoutput_sink *sink, struct crm_error *err) {
  (void)take(c, 25); /* flags, two places in the log, and when */
  return is_whole(c) ? sink->commit(sink->ctx, err) : senseless('C', err);
}

static enum crm_status take_relation(struct cursor *c, const struct crm_pgoutput_sink *sink, struct crm_error *err) {
  struct crm_pgoutput_relation relation = {.table = take_uint(c, 4)};
  relation.schema = take_string(c);
  relation.name = take_string(c);
  (void)take(c, 1); /* what the identity is made of; each column tells whether it belongs to it */
  relation.n = (int)take_uint(c, 2);
  relation.columns = c->at;
  for (int i = 0; i < relation.n && !c->bad; i++)
    (void)take_column(c);
  return is_whole(c) ? sink->relation(sink->ctx, &relation, err) : senseless('R', err);
}

static enum crm_status take_change(unsigned char type, struct cursor *c, const struct crm_pgoutput_sink *sink, struct crm_error *err) {
  struct crm_pgoutput_tuple before = {0}, after = {0};
  uint32_t table = take_uint(c, 4), part = take_uint(c, 1);
  bool has_before = type != 'I' && (part == 'K' || part == 'O');
  if (has_before)
    before = take_tuple(c);
  if (type == 'D')
    return is_whole(c) && has_before ? sink->change(sink->ctx, CRM_PGOUTPUT_DELETE, table, before, after, err) : senseless(type, err);
  if (has_before)
    part = take_uint(c, 1);
  if (part != 'N')
    return senseless(type, err);
  after = take_tuple(c);
  if (!is_whole(c))
    return senseless(type, err);
  return sink->change(sink->ctx, type == 'I' ? CRM_PGOUTPUT_INSERT : CRM_PGOUTPUT_UPDATE, table, before, after, err);
}

static enum crm_status take_truncate(struct cursor *c, const struct crm_pgoutput_sink *sink, struct crm_error *err) {
  uint32_t n = take_uint(c, 4);
  (void)take(c, 1); /* options */
  if (c->bad || c->left / 4 != n || c->left % 4 != 0)
    return senseless('T', err);
  for (uint32_t i = 0; i < n; i++) {
    enum crm_status status = sink->truncate(sink->ctx, take_uint(c, 4), err);
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

enum crm_status crm_pgoutput_message(const void *bytes, size_t len, const struct crm_pgoutput_sink *sink, struct crm_error *err) {
  struct cursor c = {.at = bytes, .left = len};
  unsigned char type = (unsigned char)take_uint(&c, 1);
  switch (type) {
  case 'B':
    return take_begin(&c, sink, err);
  case 'C':
    return take_commit(&c, sink, err);
  case 'R':
    return take_relation(&c, sink, err);
  case 'I':
  case 'U':
  case 'D':
    return take_change(type, &c, sink, err);
  case 'T':
    return take_truncate(&c, sink, err);
  case 'O': /* which server the transaction came from */
    (void)take(&c, 8);
    (void)take_string(&c);
    return is_whole(&c) ? CRM_OK : senseless(type, err);
  case 'Y': /* a type's name */
    (void)take(&c, 4);
    (void)take_string(&c);
    (void)take_string(&c);
    return is_whole(&c) ? CRM_OK : senseless(type, err);
  default:
    return senseless(type, err);
  }
}
