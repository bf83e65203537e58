/* SPDX-License-Identifier: MIT */
#include "facts/builder.h"

#include <stdlib.h>
#include <string.h>

#include "facts/builder_internal.h"

#define MIB (1024.0 * 1024.0)

/* --- memory ------------------------------------------------------------------------------------------------------- */

static size_t in_use(const struct crm_builder *b) {
  return b->held + crm_dict_bytes(&b->facts->text) + crm_ledger_bytes(&b->ledger);
}

static enum crm_status too_much(const struct crm_builder *b, size_t needed, enum crm_relation relation, struct crm_error *err) {
  const struct crm_layout *layout = crm_layout(relation);
  return crm_error_set(err, CRM_ERR_LIMIT,
                       "relation %s, after %u rows: the CRM needs at least %.1f MiB of memory, more than the %.1f MiB allowed by MaxMemory",
                       crm_relation_info(relation)->name, crm_layout_n(b->facts, layout), (double)needed / MIB, (double)b->ceiling / MIB);
}

enum crm_status crm_builder_hold(struct crm_builder *b, size_t bytes, enum crm_relation relation, struct crm_error *err) {
  size_t needed = in_use(b) + bytes;
  if (b->ceiling != 0 && needed > b->ceiling)
    return too_much(b, needed, relation, err);
  b->held += bytes;
  return CRM_OK;
}

void *crm_builder_array(struct crm_builder *b, size_t count, size_t size, enum crm_relation relation, struct crm_error *err) {
  size_t bytes = count * size; /* at most 2^32 rows of a few bytes */
  if (crm_builder_hold(b, bytes, relation, err) != CRM_OK)
    return NULL;
  void *data = malloc(bytes == 0 ? 1 : bytes);
  if (data == NULL) {
    crm_builder_release(b, bytes);
    crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  }
  return data;
}

void crm_builder_free_array(struct crm_builder *b, void *data, size_t count, size_t size) {
  if (data == NULL)
    return;
  free(data);
  crm_builder_release(b, count * size);
}

/* Bytes that one row takes while it is not yet ordered. */
static size_t staged_row_size(enum crm_relation relation) {
  size_t size = crm_layout_row_size(crm_layout(relation)) + sizeof(uint32_t);
  if (relation == CRM_REL_ENGAGEMENT)
    size += sizeof(uint64_t) + sizeof(uint32_t);
  return size;
}

static enum crm_status grow_array(void **data, size_t cap, size_t size) {
  void *grown = realloc(*data, cap * size);
  if (grown == NULL)
    return CRM_ERR_MEMORY;
  *data = grown;
  return CRM_OK;
}

static enum crm_status grow_columns(struct crm_builder *b, enum crm_relation relation, size_t cap) {
  struct crm_stage *stage = &b->stage[relation];
  const struct crm_layout *layout = crm_layout(relation);
  enum crm_status status = CRM_OK;
  for (size_t c = 0; status == CRM_OK && c < layout->n_columns; c++) {
    void *data = crm_held_get(b->facts, layout->columns[c].offset);
    status = grow_array(&data, cap, crm_hold_size(layout->columns[c].hold));
    crm_held_set(b->facts, layout->columns[c].offset, data);
  }
  void *data = stage->account;
  if (status == CRM_OK)
    status = grow_array(&data, cap, sizeof(*stage->account));
  stage->account = data;
  if (relation != CRM_REL_ENGAGEMENT || status != CRM_OK)
    return status;
  data = b->digest;
  status = grow_array(&data, cap, sizeof(*b->digest));
  b->digest = data;
  if (status != CRM_OK)
    return status;
  data = b->list_start;
  status = grow_array(&data, cap + 1, sizeof(*b->list_start));
  b->list_start = data;
  return status;
}

enum crm_status crm_builder_grow(struct crm_builder *b, enum crm_relation relation, struct crm_error *err) {
  struct crm_stage *stage = &b->stage[relation];
  size_t row_size = staged_row_size(relation);
  if (stage->cap >= CRM_NO_ROW / 2 && stage->cap < CRM_NO_ROW - 1) {
    size_t more = CRM_NO_ROW - 1 - stage->cap;
    enum crm_status status = crm_builder_hold(b, more * row_size, relation, err);
    if (status == CRM_OK && grow_columns(b, relation, stage->cap + more) != CRM_OK)
      status = crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
    if (status == CRM_OK)
      stage->cap += more;
    return status;
  }
  if (stage->cap >= CRM_NO_ROW - 1)
    return crm_error_set(err, CRM_ERR_LIMIT, "relation %s has more than %u rows", crm_relation_info(relation)->name, CRM_NO_ROW - 1);
  size_t cap = stage->cap < 32 ? 64 : stage->cap * 2;
  enum crm_status status = crm_builder_hold(b, (cap - stage->cap) * row_size, relation, err);
  if (status != CRM_OK && stage->cap >= 1024) {
    /* Near the ceiling a smaller step may do. */
    cap = stage->cap + stage->cap / 8;
    status = crm_builder_hold(b, (cap - stage->cap) * row_size, relation, err);
  }
  if (status != CRM_OK)
    return status;
  if (grow_columns(b, relation, cap) != CRM_OK) {
    crm_builder_release(b, (cap - stage->cap) * row_size);
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  }
  stage->cap = cap;
  return CRM_OK;
}

enum crm_status crm_builder_grow_list(struct crm_builder *b, size_t need, struct crm_error *err) {
  if (need >= CRM_NO_ROW)
    return crm_error_set(err, CRM_ERR_LIMIT, "relation engagement names more than %u contacts", CRM_NO_ROW - 1);
  size_t before = b->list_cap;
  size_t wanted = before * 2 > need ? before * 2 : need + 64;
  enum crm_status status = crm_builder_hold(b, (wanted - before) * sizeof(*b->list), CRM_REL_ENGAGEMENT, err);
  if (status != CRM_OK)
    return status;
  void *data = b->list;
  if (grow_array(&data, wanted, sizeof(*b->list)) != CRM_OK) {
    crm_builder_release(b, (wanted - before) * sizeof(*b->list));
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  }
  b->list = data;
  b->list_cap = wanted;
  return CRM_OK;
}

/* --- currencies --------------------------------------------------------------------------------------------------- */

enum crm_status crm_builder_currency(struct crm_builder *b, const char *code, uint16_t *number, struct crm_error *err) {
  struct crm_facts *facts = b->facts;
  char upper[4] = {0};
  for (int i = 0; i < 3; i++)
    upper[i] = code[i] >= 'a' ? (char)(code[i] - 'a' + 'A') : code[i];
  for (uint16_t i = 0; i < facts->n_currencies; i++) {
    if (memcmp(facts->currencies[i].code, upper, sizeof(upper)) == 0) {
      *number = i;
      return CRM_OK;
    }
  }
  if (facts->n_currencies == CRM_CURRENCIES_MAX)
    return crm_error_set(err, CRM_ERR_LIMIT, "the CRM uses more than %d currencies", CRM_CURRENCIES_MAX);
  struct crm_currency *currency = &facts->currencies[facts->n_currencies];
  memcpy(currency->code, upper, sizeof(upper));
  currency->exponent = crm_currency_exponent(upper);
  *number = facts->n_currencies++;
  return CRM_OK;
}

/* --- lifecycle ---------------------------------------------------------------------------------------------------- */

/* NULL: a random one. */
static enum crm_status use_seed(struct crm_builder *b, const uint64_t *seed, struct crm_error *err) {
  if (seed == NULL)
    return CRM_OK;
  crm_dict_free(&b->facts->text);
  return crm_dict_init_seed(&b->facts->text, *seed) == CRM_OK ? CRM_OK : crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
}

static enum crm_status new_builder(const struct crm_builder_options *options, const uint64_t *seed, struct crm_builder **out,
                                   struct crm_error *err) {
  struct crm_builder *b = calloc(1, sizeof(*b));
  if (b == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  b->ceiling = options->memory_ceiling;
  b->patchable = options->patchable;
  crm_ledger_init(&b->ledger);
  b->default_currency = CRM_NO_CURRENCY;
  enum crm_status status = crm_facts_new(&b->facts, err);
  if (status == CRM_OK)
    status = use_seed(b, seed, err);
  if (status == CRM_OK)
    b->facts->shard = options->shard;
  const char *tenant = options->default_tenant == NULL ? "" : options->default_tenant;
  if (status == CRM_OK && crm_dict_add(&b->facts->text, tenant, strlen(tenant), &b->default_tenant) != CRM_OK)
    status = crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  const char *currency = options->default_currency == NULL ? "" : options->default_currency;
  if (status == CRM_OK && currency[0] != '\0') {
    if (crm_currency_valid(currency, strlen(currency)))
      status = crm_builder_currency(b, currency, &b->default_currency, err);
    else
      status = crm_error_set(err, CRM_ERR_CONFIG, "the default currency must be three letters, e.g. \"EUR\"");
  }
  if (status != CRM_OK) {
    crm_builder_free(b);
    return status;
  }
  *out = b;
  return CRM_OK;
}

enum crm_status crm_builder_new(const struct crm_builder_options *options, struct crm_builder **builder, struct crm_error *err) {
  return new_builder(options, NULL, builder, err);
}

enum crm_status crm_builder_new_seed(const struct crm_builder_options *options, uint64_t seed, struct crm_builder **builder,
                                     struct crm_error *err) {
  return new_builder(options, &seed, builder, err);
}

static void free_engagement_helpers(struct crm_builder *b) {
  size_t cap = b->stage[CRM_REL_ENGAGEMENT].cap;
  crm_builder_free_array(b, b->digest, cap, sizeof(*b->digest));
  crm_builder_free_array(b, b->list_start, cap, sizeof(*b->list_start)); /* the one behind the last is not counted */
  crm_builder_free_array(b, b->list, b->list_cap, sizeof(*b->list));
  b->digest = NULL;
  b->list_start = NULL;
  b->list = NULL;
  b->list_n = b->list_cap = 0;
}

static void free_stage(struct crm_builder *b, enum crm_relation relation) {
  struct crm_stage *stage = &b->stage[relation];
  if (relation == CRM_REL_ENGAGEMENT)
    free_engagement_helpers(b);
  crm_builder_free_array(b, stage->account, stage->cap, sizeof(*stage->account));
  *stage = (struct crm_stage){0};
}

void crm_builder_free(struct crm_builder *b) {
  if (b == NULL)
    return;
  for (int r = 0; r < CRM_RELATIONS; r++)
    free_stage(b, (enum crm_relation)r);
  free(b->entries);
  free(b->slots);
  crm_ledger_free(&b->ledger);
  crm_facts_unref(b->facts);
  free(b);
}

static void unseal(struct crm_builder *b) {
  crm_builder_free_array(b, b->entries, b->facts->account.n, sizeof(*b->entries));
  crm_builder_free_array(b, b->slots, b->n_slots, sizeof(*b->slots));
  b->entries = NULL;
  b->slots = NULL;
  b->last_entry = 0;
  b->n_slots = 0;
  b->sealed = false;
  free(b->facts->tenants);
  b->facts->tenants = NULL;
  b->facts->n_tenants = 0;
}

void crm_builder_abandon(struct crm_builder *b, enum crm_relation relation) {
  struct crm_facts *facts = b->facts;
  if (facts == NULL)
    return;
  if (relation == CRM_REL_ACCOUNT && b->sealed) /* rows of other relations refer to accounts by number */
    for (int r = 0; r < CRM_RELATIONS; r++)
      if (r != CRM_REL_ACCOUNT)
        crm_builder_abandon(b, (enum crm_relation)r);
  const struct crm_layout *layout = crm_layout(relation);
  /* Sealed accounts hold exactly their rows; everything else holds what the stage has room for. */
  size_t cap = relation == CRM_REL_ACCOUNT && b->sealed ? facts->account.n : b->stage[relation].cap;
  for (size_t c = 0; c < layout->n_columns; c++) {
    void *data = crm_held_get(facts, layout->columns[c].offset);
    crm_builder_free_array(b, data, cap, crm_hold_size(layout->columns[c].hold));
    crm_held_set(facts, layout->columns[c].offset, NULL);
  }
  free_stage(b, relation);
  if (relation == CRM_REL_ACCOUNT)
    unseal(b);
  crm_layout_set_n(facts, layout, 0);
  facts->available[relation] = false;
  facts->read_at[relation] = CRM_TIME_NONE;
  facts->rows[relation] = 0;
  uint64_t forgotten[CRM_REJECTS] = {0};
  crm_ledger_forget_relation(&b->ledger, relation, forgotten);
  memset(facts->rejected[relation], 0, sizeof(facts->rejected[relation]));
}

void crm_builder_begin(struct crm_builder *b, enum crm_relation relation, crm_time read_at) {
  if (b->facts == NULL)
    return;
  b->facts->available[relation] = true;
  b->facts->read_at[relation] = read_at;
}

/* Facts half ordered are worth nothing. */
static void drop_facts(struct crm_builder *b) {
  crm_facts_unref(b->facts);
  b->facts = NULL;
}

enum crm_status crm_builder_row(struct crm_builder *b, enum crm_relation relation, const struct crm_row *row, struct crm_error *err) {
  struct crm_error unwanted;
  if (err == NULL)
    err = &unwanted;
  if (b->facts == NULL || !b->facts->available[relation])
    return crm_error_set(err, CRM_ERR_DATA, "relation %s was not begun", crm_relation_info(relation)->name);
  if (relation == CRM_REL_ACCOUNT && b->sealed)
    return crm_error_set(err, CRM_ERR_DATA, "rows of relation account came after rows of another relation");
  if (relation != CRM_REL_ACCOUNT && !b->sealed) {
    enum crm_status status = crm_builder_seal(b, err);
    if (status != CRM_OK) {
      drop_facts(b);
      return status;
    }
  }
  uint32_t texts = b->facts->text.count;
  size_t noted = b->ledger.n;
  enum crm_status status = crm_builder_take(b, relation, row, err);
  if (status == CRM_OK && b->ledger_status != CRM_OK)
    return crm_error_set(err, b->ledger_status, "out of memory");
  bool grown = b->facts->text.count != texts || b->ledger.n != noted;
  if (status == CRM_OK && b->ceiling != 0 && grown && in_use(b) > b->ceiling)
    return too_much(b, in_use(b), relation, err);
  return status;
}

void crm_builder_refuse(struct crm_builder *b, enum crm_relation relation, uint64_t account, uint64_t key, enum crm_reject reason) {
  b->facts->rejected[relation][reason]++;
  if (b->patchable && b->ledger_status == CRM_OK)
    b->ledger_status = crm_ledger_add(&b->ledger, relation, account, key, reason, 1);
}

void crm_builder_reject(struct crm_builder *b, enum crm_relation relation, enum crm_reject reason) {
  if (b->facts != NULL)
    crm_builder_refuse(b, relation, 0, 0, reason);
}

/* --- finish ------------------------------------------------------------------------------------------------------- */

bool crm_undated_churn(const struct crm_facts *facts, uint32_t a) {
  if (facts->account.status[a] != CRM_CHURNED || facts->account.churned_at[a] != CRM_TIME_NONE)
    return false;
  for (uint32_t r = facts->contract.first[a]; r < facts->contract.first[a + 1]; r++)
    if (facts->contract.ends_at[r] != CRM_TIME_NONE)
      return false;
  for (uint32_t r = facts->revenue.first[a]; r < facts->revenue.first[a + 1]; r++)
    if (facts->revenue.arr[r] == 0)
      return false;
  return true;
}

static uint64_t undated_churns(const struct crm_facts *facts) {
  uint64_t count = 0;
  for (uint32_t a = 0; a < facts->account.n; a++)
    count += crm_undated_churn(facts, a);
  return count;
}

/* Numbers the currencies by code, so that nothing a reader can see follows from the order of rows. */
static void sort_currencies(struct crm_facts *facts) {
  uint16_t renumber[CRM_CURRENCIES_MAX];
  struct crm_currency sorted[CRM_CURRENCIES_MAX];
  for (uint16_t i = 0; i < facts->n_currencies; i++) {
    uint16_t rank = 0;
    for (uint16_t j = 0; j < facts->n_currencies; j++)
      if (strcmp(facts->currencies[j].code, facts->currencies[i].code) < 0)
        rank++;
    renumber[i] = rank;
    sorted[rank] = facts->currencies[i];
  }
  bool changed = false;
  for (uint16_t i = 0; i < facts->n_currencies; i++)
    changed = changed || renumber[i] != i;
  if (!changed)
    return;
  memcpy(facts->currencies, sorted, facts->n_currencies * sizeof(sorted[0]));
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_layout *layout = crm_layout((enum crm_relation)r);
    uint32_t n = crm_layout_n(facts, layout);
    for (size_t c = 0; c < layout->n_columns; c++) {
      if (layout->columns[c].hold != CRM_HOLD_CURRENCY)
        continue;
      uint16_t *currency = crm_held_get(facts, layout->columns[c].offset);
      for (uint32_t i = 0; i < n; i++)
        if (currency[i] != CRM_NO_CURRENCY)
          currency[i] = renumber[currency[i]];
    }
  }
}

enum crm_status crm_builder_finish(struct crm_builder *b, struct crm_facts **out, struct crm_error *err) {
  struct crm_error unwanted;
  if (err == NULL)
    err = &unwanted;
  if (b->facts == NULL)
    return crm_error_set(err, CRM_ERR_DATA, "the facts were handed over already");
  enum crm_status status = b->sealed ? CRM_OK : crm_builder_seal(b, err);
  /* Contacts first: engagements refer to them. */
  if (status == CRM_OK)
    status = crm_builder_group(b, CRM_REL_CONTACT, err);
  free_stage(b, CRM_REL_CONTACT);
  for (int r = 0; r < CRM_RELATIONS && status == CRM_OK; r++) {
    if (r == CRM_REL_ACCOUNT || r == CRM_REL_CONTACT)
      continue;
    status = crm_builder_group(b, (enum crm_relation)r, err);
    free_stage(b, (enum crm_relation)r);
  }
  struct crm_facts *facts = b->facts;
  if (status == CRM_OK && b->ledger_status != CRM_OK)
    status = crm_error_set(err, b->ledger_status, "out of memory");
  if (status != CRM_OK) {
    drop_facts(b);
    return status;
  }
  sort_currencies(facts);
  if (facts->available[CRM_REL_ACCOUNT])
    facts->rejected[CRM_REL_ACCOUNT][CRM_REJECT_UNDATED_CHURN] += undated_churns(facts);
  b->facts = NULL;
  *out = facts;
  return CRM_OK;
}
