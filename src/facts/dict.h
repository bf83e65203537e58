/* SPDX-License-Identifier: MIT */
/* String dictionary: each distinct string is held once and known by a number. Number 0 is always the empty string. */
#ifndef CRM_FACTS_DICT_H
#define CRM_FACTS_DICT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CRM_DICT_NONE UINT32_MAX

struct crm_dict {
  char *bytes; /* strings back to back, each with its NUL */
  size_t bytes_len, bytes_cap;
  uint32_t *start; /* number -> offset in bytes; start[count] is the end */
  size_t start_cap;
  uint32_t count;
  uint64_t *slots; /* open addressing: 32 bits of the hash, then the number; the number CRM_DICT_NONE = free */
  size_t slot_mask;
  uint64_t seed; /* random, so that nobody can choose strings that collide */
};

/* Makes a dictionary that holds "" as number 0. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_dict_init(struct crm_dict *dict) CRM_MUSTCHECK;
/* The same with a seed that is known, so that hashes of two dictionaries can be compared. */
enum crm_status crm_dict_init_seed(struct crm_dict *dict, uint64_t seed) CRM_MUSTCHECK;
void crm_dict_free(struct crm_dict *dict);
/* Empties, keeps the memory: "" is number 0 again. */
void crm_dict_reset(struct crm_dict *dict);
/* The number of the string, added when new. CRM_ERR_MEMORY, or CRM_ERR_LIMIT past 2^32-2 strings or 4 GiB of text.
 * The bytes are compared, not only their hash. */
enum crm_status crm_dict_add(struct crm_dict *dict, const char *text, size_t len, uint32_t *number) CRM_MUSTCHECK;
/* The number, or CRM_DICT_NONE if the string is not there. */
uint32_t crm_dict_find(const struct crm_dict *dict, const char *text, size_t len);
/* NUL-terminated; valid until the next add. */
static inline const char *crm_dict_text(const struct crm_dict *dict, uint32_t number) {
  return dict->bytes + dict->start[number];
}
static inline size_t crm_dict_len(const struct crm_dict *dict, uint32_t number) {
  return dict->start[number + 1] - dict->start[number] - 1;
}
/* Seeded 64-bit hash of the bytes, well mixed. */
uint64_t crm_hash(uint64_t seed, const char *text, size_t len);
/* Bytes of memory held. */
size_t crm_dict_bytes(const struct crm_dict *dict);

#endif
