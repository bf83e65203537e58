/* SPDX-License-Identifier: MIT */
/* Region allocator: everything that lives as long as one read or one computation is taken from one arena
 * and freed at once. A ceiling turns runaway input into an error instead of the kernel's out-of-memory kill. */
#ifndef CRM_BASE_ARENA_H
#define CRM_BASE_ARENA_H

#include <stddef.h>

#include "base/error.h"

struct crm_arena_block;
struct crm_arena {
  struct crm_arena_block *head;  /* newest block */
  struct crm_arena_block *spare; /* blocks given back by crm_arena_rewind, which are used again */
  size_t used;                  /* bytes obtained from malloc */
  size_t ceiling;               /* 0 = none */
};

/* Cannot fail. `ceiling` in bytes, 0 for none. */
void crm_arena_init(struct crm_arena *arena, size_t ceiling);

/* Returns memory aligned for any type (16 bytes), not cleared, or NULL when malloc fails or the ceiling is reached.
 * size 0 gives a valid pointer. The memory belongs to the arena. */
void *crm_arena_alloc(struct crm_arena *arena, size_t size) __attribute__((malloc));

/* The same for count * size bytes, cleared; NULL also when the product overflows. */
void *crm_arena_calloc(struct crm_arena *arena, size_t count, size_t size) __attribute__((malloc));

/* A copy of the `len` bytes with a NUL behind it, or NULL. */
char *crm_arena_strndup(struct crm_arena *arena, const char *text, size_t len);

/* Everything taken after the mark is given back by crm_arena_rewind, to be taken again without a trip to malloc: passes that follow one
 * another work in the same memory. Marks nest; one is void after a rewind to an earlier mark, a reset or a free. */
struct crm_arena_mark {
  struct crm_arena_block *head;
  size_t used;
};
struct crm_arena_mark crm_arena_mark(const struct crm_arena *arena);
void crm_arena_rewind(struct crm_arena *arena, struct crm_arena_mark mark);

/* Frees all memory taken but keeps the largest block for the next round. */
void crm_arena_reset(struct crm_arena *arena);

/* Frees everything; the arena may be used again. */
void crm_arena_free(struct crm_arena *arena);

#endif
