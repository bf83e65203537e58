/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "facts/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "facts/layout.h"
#include "facts/patch.h"

#define NO_ACCOUNT UINT32_MAX

/* The finisher of splitmix64: every bit of the input reaches every bit of the output. S. Vigna, 2015, public domain. */
static uint64_t mix(uint64_t hash, uint64_t value) {
  uint64_t z = (hash ^ value) + UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

static uint64_t hash_text(const struct crm_facts *facts, uint32_t number) {
  return crm_hash(1, crm_dict_text(&facts->text, number), crm_dict_len(&facts->text, number));
}

static uint64_t hash_currency(const struct crm_facts *facts, uint16_t number) {
  const char *code = number == CRM_NO_CURRENCY ? "" : facts->currencies[number].code;
  return crm_hash(2, code, strlen(code));
}

static uint64_t hash_number(double v) {
  uint64_t bits = 1; /* of every NaN */
  if (v == v)
    memcpy(&bits, &v, sizeof(bits));
  return bits;
}

static uint64_t hash_held(const struct crm_facts *facts, const struct crm_held *held, uint32_t row) {
  const void *data = crm_held_get(facts, held->offset);
  switch (held->hold) {
  case CRM_HOLD_U8:
    return ((const uint8_t *)data)[row];
  case CRM_HOLD_I8:
    return (uint64_t)((const int8_t *)data)[row];
  case CRM_HOLD_TENANT:
    return hash_text(facts, facts->tenants[((const uint16_t *)data)[row]]);
  case CRM_HOLD_CURRENCY:
    return hash_currency(facts, ((const uint16_t *)data)[row]);
  case CRM_HOLD_TEXT:
    return hash_text(facts, ((const uint32_t *)data)[row]);
  case CRM_HOLD_I32:
    return (uint64_t)((const int32_t *)data)[row];
  case CRM_HOLD_I64:
    return (uint64_t)((const int64_t *)data)[row];
  case CRM_HOLD_KEY:
    return 0; /* seeded by the dictionary: a copy of what the other columns do not tell is not worth comparing */
  case CRM_HOLD_F32:
    return hash_number((double)((const float *)data)[row]);
  case CRM_HOLD_F64:
    return hash_number(((const double *)data)[row]);
  }
  return 0;
}

static uint64_t hash_row(const struct crm_facts *facts, enum crm_relation relation, uint32_t row) {
  const struct crm_layout *layout = crm_layout(relation);
  uint64_t hash = 0;
  for (size_t c = 0; c < layout->n_columns; c++)
    hash = mix(hash, hash_held(facts, &layout->columns[c], row));
  if (relation == CRM_REL_ENGAGEMENT && facts->engagement.contact_first != NULL)
    for (uint32_t i = facts->engagement.contact_first[row]; i < facts->engagement.contact_first[row + 1]; i++)
      hash = mix(hash, hash_text(facts, facts->contact.id[facts->engagement.contact[i]]));
  return hash;
}

static int compare_hashes(const void *a, const void *b) {
  uint64_t x, y;
  memcpy(&x, a, sizeof(x));
  memcpy(&y, b, sizeof(y));
  return (x > y) - (x < y);
}

/* The hashes of one account's rows, ordered. */
struct span {
  uint64_t *hashes;
  size_t n, cap;
};

static bool fill(struct span *span, const struct crm_facts *facts, enum crm_relation relation, uint32_t account) {
  span->n = 0;
  const uint32_t *first = crm_held_get(facts, crm_layout(relation)->first);
  if (account == NO_ACCOUNT || !facts->available[relation] || first == NULL)
    return true;
  uint32_t begin = first[account], end = first[account + 1];
  if (crm_vec_reserve((void **)&span->hashes, &span->cap, end - begin + 1, sizeof(*span->hashes)) != CRM_OK)
    return false;
  for (uint32_t row = begin; row < end; row++)
    span->hashes[span->n++] = hash_row(facts, relation, row);
  if (span->n > 1)
    qsort(span->hashes, span->n, sizeof(*span->hashes), compare_hashes);
  return true;
}

static uint64_t difference(const struct span *a, const struct span *b) {
  uint64_t only_a = 0, only_b = 0;
  for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
    if (j == b->n || (i < a->n && a->hashes[i] < b->hashes[j])) {
      only_a++;
      i++;
    } else if (i == a->n || b->hashes[j] < a->hashes[i]) {
      only_b++;
      j++;
    } else {
      i++;
      j++;
    }
  }
  return only_a > only_b ? only_a : only_b;
}

static bool is_garbage(const struct crm_facts *facts, uint32_t account) {
  return facts->account.created_at[account] == CRM_TIME_NEVER;
}

/* Text of an id -> account, by numbers of the dictionary; NO_ACCOUNT where there is none. */
static uint32_t *index_accounts(const struct crm_facts *facts) {
  uint32_t *index = malloc(((size_t)facts->text.count + 1) * sizeof(*index));
  for (uint32_t i = 0; index != NULL && i < facts->text.count; i++)
    index[i] = NO_ACCOUNT;
  for (uint32_t a = 0; index != NULL && a < facts->account.n; a++)
    if (!is_garbage(facts, a))
      index[facts->account.id[a]] = a;
  return index;
}

/* One account of either or both. */
static bool compare_account(const struct crm_facts *a, uint32_t in_a, const struct crm_facts *b, uint32_t in_b, struct span spans[2],
                            uint64_t differ[CRM_RELATIONS]) {
  if (in_a == NO_ACCOUNT || in_b == NO_ACCOUNT || hash_row(a, CRM_REL_ACCOUNT, in_a) != hash_row(b, CRM_REL_ACCOUNT, in_b))
    differ[CRM_REL_ACCOUNT]++;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    if (r == CRM_REL_ACCOUNT)
      continue;
    if (!fill(&spans[0], a, (enum crm_relation)r, in_a) || !fill(&spans[1], b, (enum crm_relation)r, in_b))
      return false;
    differ[r] += difference(&spans[0], &spans[1]);
  }
  return true;
}

enum crm_status crm_facts_compare(const struct crm_facts *a, const struct crm_facts *b, uint64_t differ[CRM_RELATIONS],
                                  struct crm_error *err) {
  memset(differ, 0, CRM_RELATIONS * sizeof(*differ));
  struct span spans[2] = {{0}};
  uint32_t *index = index_accounts(b);
  bool *met = calloc((size_t)b->account.n + 1, sizeof(*met));
  bool ok = index != NULL && met != NULL;
  for (uint32_t i = 0; ok && i < a->account.n; i++) {
    if (is_garbage(a, i))
      continue;
    uint32_t id = crm_dict_find(&b->text, crm_dict_text(&a->text, a->account.id[i]), crm_dict_len(&a->text, a->account.id[i]));
    uint32_t other = id == CRM_DICT_NONE ? NO_ACCOUNT : index[id];
    if (other != NO_ACCOUNT)
      met[other] = true;
    ok = compare_account(a, i, b, other, spans, differ);
  }
  for (uint32_t i = 0; ok && i < b->account.n; i++)
    if (!met[i] && !is_garbage(b, i))
      ok = compare_account(a, NO_ACCOUNT, b, i, spans, differ);
  free(spans[0].hashes);
  free(spans[1].hashes);
  free(index);
  free(met);
  return ok ? CRM_OK : crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
}
