/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16
#define FIRST_BLOCK ((size_t)64 * 1024)
#define LARGEST_BLOCK ((size_t)4 * 1024 * 1024) /* blocks double up to this; a larger request gets a block of its own size */

struct crm_arena_block {
  struct crm_arena_block *next;
  size_t size; /* bytes behind the header */
  size_t used;
  alignas(ALIGNMENT) unsigned char data[];
};

void crm_arena_init(struct crm_arena *arena, size_t ceiling) {
  *arena = (struct crm_arena){.ceiling = ceiling};
}

/* A block that was given back and is large enough, out of the list; or NULL. */
static struct crm_arena_block *take_spare(struct crm_arena *arena, size_t need) {
  for (struct crm_arena_block **link = &arena->spare; *link != NULL; link = &(*link)->next) {
    struct crm_arena_block *block = *link;
    if (block->size < need)
      continue;
    *link = block->next;
    block->next = arena->head;
    block->used = 0;
    arena->head = block;
    return block;
  }
  return NULL;
}

static struct crm_arena_block *add_block(struct crm_arena *arena, size_t need) {
  struct crm_arena_block *spare = take_spare(arena, need);
  if (spare != NULL)
    return spare;
  size_t size = FIRST_BLOCK;
  if (arena->head != NULL)
    size = arena->head->size >= LARGEST_BLOCK / 2 ? LARGEST_BLOCK : arena->head->size * 2;
  if (size < need)
    size = need;
  if (size > SIZE_MAX - sizeof(struct crm_arena_block))
    return NULL;
  size_t total = size + sizeof(struct crm_arena_block);
  if (arena->ceiling != 0 && total > arena->ceiling - arena->used) {
    /* Near the ceiling a block of just the size asked for may still fit. */
    size = need;
    total = size + sizeof(struct crm_arena_block);
    if (total > arena->ceiling - arena->used)
      return NULL;
  }
  struct crm_arena_block *block = malloc(total);
  if (block == NULL)
    return NULL;
  block->next = arena->head;
  block->size = size;
  block->used = 0;
  arena->head = block;
  arena->used += total;
  return block;
}

void *crm_arena_alloc(struct crm_arena *arena, size_t size) {
  if (size > SIZE_MAX - 2 * ALIGNMENT - sizeof(struct crm_arena_block))
    return NULL;
  size_t need = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
  if (need == 0)
    need = ALIGNMENT; /* distinct pointers also for empty arrays */
  struct crm_arena_block *block = arena->head;
  if (block == NULL || block->size - block->used < need) {
    block = add_block(arena, need);
    if (block == NULL)
      return NULL;
  }
  void *data = block->data + block->used;
  block->used += need;
  return data;
}

void *crm_arena_calloc(struct crm_arena *arena, size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total))
    return NULL;
  void *data = crm_arena_alloc(arena, total);
  if (data != NULL)
    memset(data, 0, total);
  return data;
}

char *crm_arena_strndup(struct crm_arena *arena, const char *text, size_t len) {
  if (len == SIZE_MAX)
    return NULL;
  char *copy = crm_arena_alloc(arena, len + 1);
  if (copy == NULL)
    return NULL;
  if (len != 0)
    memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

struct crm_arena_mark crm_arena_mark(const struct crm_arena *arena) {
  return (struct crm_arena_mark){arena->head, arena->head != NULL ? arena->head->used : 0};
}

void crm_arena_rewind(struct crm_arena *arena, struct crm_arena_mark mark) {
  while (arena->head != mark.head) {
    struct crm_arena_block *block = arena->head;
    arena->head = block->next;
    /* The oldest goes to the front, so that the same requests find the same blocks. */
    block->next = arena->spare;
    arena->spare = block;
  }
  if (arena->head != NULL)
    arena->head->used = mark.used;
}

static void free_blocks(struct crm_arena_block *block, const struct crm_arena_block *except) {
  for (struct crm_arena_block *next; block != NULL; block = next) {
    next = block->next;
    if (block != except)
      free(block);
  }
}

static struct crm_arena_block *largest_of(struct crm_arena_block *block, struct crm_arena_block *largest) {
  for (; block != NULL; block = block->next)
    if (largest == NULL || block->size > largest->size)
      largest = block;
  return largest;
}

void crm_arena_reset(struct crm_arena *arena) {
  struct crm_arena_block *largest = largest_of(arena->spare, largest_of(arena->head, NULL));
  free_blocks(arena->head, largest);
  free_blocks(arena->spare, largest);
  arena->head = largest;
  arena->spare = NULL;
  arena->used = 0;
  if (largest != NULL) {
    largest->next = NULL;
    largest->used = 0;
    arena->used = largest->size + sizeof(struct crm_arena_block);
  }
}

void crm_arena_free(struct crm_arena *arena) {
  free_blocks(arena->head, NULL);
  free_blocks(arena->spare, NULL);
  arena->head = NULL;
  arena->spare = NULL;
  arena->used = 0;
}
