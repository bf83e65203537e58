/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "facts/dict.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/vec.h"

#define FIRST_SLOTS 64
#define FREE_SLOT ((uint64_t)CRM_DICT_NONE)

/* --- hash --------------------------------------------------------------------------------------------------------- */

/* Multiplication to 128 bits, folded: each bit of the operands reaches each bit of the result (the mixing step of wyhash, Wang Yi). */
static uint64_t mix(uint64_t a, uint64_t b) {
  __uint128_t product = (__uint128_t)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t read_u64(const char *p) {
  uint64_t v;
  memcpy(&v, p, sizeof(v));
  return v;
}

static uint64_t read_u32(const char *p) {
  uint32_t v;
  memcpy(&v, p, sizeof(v));
  return v;
}

uint64_t crm_hash(uint64_t seed, const char *text, size_t len) {
  const uint64_t k0 = UINT64_C(0xa0761d6478bd642f), k1 = UINT64_C(0xe7037ed1a0b428db), k2 = UINT64_C(0x8ebc6af09c88c6e3);
  uint64_t state = seed ^ mix(seed ^ k0, k1);
  uint64_t a = 0;
  uint64_t b = 0;
  if (len > 16) {
    const char *p = text;
    for (size_t left = len; left > 16; left -= 16, p += 16)
      state = mix(read_u64(p) ^ k1, read_u64(p + 8) ^ state);
    /* The last sixteen bytes, which may overlap what was read. */
    a = read_u64(text + len - 16);
    b = read_u64(text + len - 8);
  } else if (len >= 8) {
    a = read_u64(text);
    b = read_u64(text + len - 8);
  } else if (len >= 4) {
    a = read_u32(text);
    b = read_u32(text + len - 4);
  } else if (len > 0) {
    a = (uint64_t)(unsigned char)text[0] << 16 | (uint64_t)(unsigned char)text[len / 2] << 8 | (unsigned char)text[len - 1];
  }
  return mix(mix(a ^ k1, b ^ state) ^ k0 ^ len, k2 ^ seed);
}

static uint64_t random_seed(const void *salt) {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
    seed = (uint64_t)crm_clock_realtime_us() * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)(uintptr_t)salt;
  return seed;
}

/* --- table -------------------------------------------------------------------------------------------------------- */

static uint64_t *new_slots(size_t n) {
  uint64_t *slots = malloc(n * sizeof(*slots));
  for (size_t i = 0; slots != NULL && i < n; i++)
    slots[i] = FREE_SLOT;
  return slots;
}

static enum crm_status reserve_start(struct crm_dict *dict, size_t n) {
  void *data = dict->start;
  enum crm_status status = crm_vec_reserve(&data, &dict->start_cap, n, sizeof(*dict->start));
  dict->start = data;
  return status;
}

enum crm_status crm_dict_init(struct crm_dict *dict) {
  return crm_dict_init_seed(dict, random_seed(dict));
}

enum crm_status crm_dict_init_seed(struct crm_dict *dict, uint64_t seed) {
  *dict = (struct crm_dict){0};
  dict->seed = seed;
  dict->slots = new_slots(FIRST_SLOTS);
  if (dict->slots == NULL)
    return CRM_ERR_MEMORY;
  dict->slot_mask = FIRST_SLOTS - 1;
  uint32_t number;
  enum crm_status status = reserve_start(dict, 1);
  if (status == CRM_OK) {
    dict->start[0] = 0;
    status = crm_dict_add(dict, "", 0, &number);
  }
  if (status != CRM_OK)
    crm_dict_free(dict);
  return status;
}

void crm_dict_free(struct crm_dict *dict) {
  free(dict->bytes);
  free(dict->start);
  free(dict->slots);
  *dict = (struct crm_dict){0};
}

/* The slot of the string, or the free one where it belongs. Keeping half the hash in the slot spares the look at the text of almost every
 * other string. */
static size_t find_slot(const struct crm_dict *dict, uint32_t hash, const char *text, size_t len) {
  for (size_t i = hash & dict->slot_mask;; i = (i + 1) & dict->slot_mask) {
    uint64_t slot = dict->slots[i];
    uint32_t number = (uint32_t)slot;
    if (number == CRM_DICT_NONE)
      return i;
    if ((uint32_t)(slot >> 32) == hash && crm_dict_len(dict, number) == len && memcmp(crm_dict_text(dict, number), text, len) == 0)
      return i;
  }
}

static enum crm_status grow_slots(struct crm_dict *dict) {
  size_t n = (dict->slot_mask + 1) * 2;
  uint64_t *slots = new_slots(n);
  if (slots == NULL)
    return CRM_ERR_MEMORY;
  for (size_t old = 0; old <= dict->slot_mask; old++) {
    if ((uint32_t)dict->slots[old] == CRM_DICT_NONE)
      continue;
    size_t i = (dict->slots[old] >> 32) & (n - 1);
    while ((uint32_t)slots[i] != CRM_DICT_NONE)
      i = (i + 1) & (n - 1);
    slots[i] = dict->slots[old];
  }
  free(dict->slots);
  dict->slots = slots;
  dict->slot_mask = n - 1;
  return CRM_OK;
}

static uint32_t hash_of(const struct crm_dict *dict, const char *text, size_t len) {
  /* The upper half: the table is at most 2^32 slots, so 32 bits both choose the slot and tell strings apart. */
  return (uint32_t)(crm_hash(dict->seed, text, len) >> 32);
}

void crm_dict_reset(struct crm_dict *dict) {
  for (size_t i = 0; i <= dict->slot_mask; i++)
    dict->slots[i] = FREE_SLOT;
  uint32_t hash = hash_of(dict, "", 0);
  dict->slots[hash & dict->slot_mask] = (uint64_t)hash << 32; /* number 0 */
  dict->count = 1;
  dict->bytes_len = dict->start[1];
}

enum crm_status crm_dict_add(struct crm_dict *dict, const char *text, size_t len, uint32_t *number) {
  if (len == 0)
    text = ""; /* an empty value may come as NULL */
  uint32_t hash = hash_of(dict, text, len);
  size_t slot = find_slot(dict, hash, text, len);
  if ((uint32_t)dict->slots[slot] != CRM_DICT_NONE) {
    *number = (uint32_t)dict->slots[slot];
    return CRM_OK;
  }
  if (dict->count >= CRM_DICT_NONE - 1 || len >= UINT32_MAX - dict->bytes_len)
    return CRM_ERR_LIMIT;
  void *bytes = dict->bytes;
  enum crm_status status = crm_vec_reserve(&bytes, &dict->bytes_cap, dict->bytes_len + len + 1, 1);
  dict->bytes = bytes;
  if (status == CRM_OK)
    status = reserve_start(dict, (size_t)dict->count + 2);
  if (status != CRM_OK)
    return status;
  /* At most three quarters full. */
  if (((uint64_t)dict->count + 1) * 4 > ((uint64_t)dict->slot_mask + 1) * 3) {
    status = grow_slots(dict);
    if (status != CRM_OK)
      return status;
    slot = find_slot(dict, hash, text, len);
  }
  memcpy(dict->bytes + dict->bytes_len, text, len);
  dict->bytes[dict->bytes_len + len] = '\0';
  dict->bytes_len += len + 1;
  dict->slots[slot] = (uint64_t)hash << 32 | dict->count;
  dict->count++;
  dict->start[dict->count] = (uint32_t)dict->bytes_len;
  *number = dict->count - 1;
  return CRM_OK;
}

uint32_t crm_dict_find(const struct crm_dict *dict, const char *text, size_t len) {
  if (len == 0)
    return 0;
  return (uint32_t)dict->slots[find_slot(dict, hash_of(dict, text, len), text, len)];
}

size_t crm_dict_bytes(const struct crm_dict *dict) {
  size_t slots = dict->slots == NULL ? 0 : dict->slot_mask + 1;
  return dict->bytes_cap + dict->start_cap * sizeof(*dict->start) + slots * sizeof(*dict->slots);
}
