/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void memory_is_aligned_and_apart(void **state) {
  (void)state;
  struct crm_arena arena;
  crm_arena_init(&arena, 0);
  unsigned char *previous = NULL;
  size_t previous_size = 0;
  for (size_t size = 0; size < 3000; size += 7) {
    unsigned char *p = crm_arena_alloc(&arena, size);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 16, 0);
    if (previous != NULL)
      assert_true(p >= previous + previous_size || p + size <= previous);
    assert_ptr_not_equal(p, previous);
    memset(p, (int)size, size);
    previous = p;
    previous_size = size;
  }
  crm_arena_free(&arena);
  assert_int_equal(arena.used, 0);
}

static void memory_keeps_its_content(void **state) {
  (void)state;
  struct crm_arena arena;
  crm_arena_init(&arena, 0);
  enum { N = 2000 };
  unsigned char *pieces[N];
  for (int i = 0; i < N; i++) { /* several blocks, some larger than a block */
    size_t size = i % 100 == 0 ? 200000 : (size_t)i + 1;
    pieces[i] = crm_arena_alloc(&arena, size);
    assert_non_null(pieces[i]);
    memset(pieces[i], i & 0xFF, size);
  }
  for (int i = 0; i < N; i++) {
    size_t size = i % 100 == 0 ? 200000 : (size_t)i + 1;
    for (size_t j = 0; j < size; j++)
      if (pieces[i][j] != (i & 0xFF))
        fail_msg("piece %d was overwritten at %zu", i, j);
  }
  crm_arena_free(&arena);
}

static void calloc_clears_and_guards(void **state) {
  (void)state;
  struct crm_arena arena;
  crm_arena_init(&arena, 0);
  unsigned char *dirty = crm_arena_alloc(&arena, 1000);
  memset(dirty, 0xFF, 1000);
  crm_arena_reset(&arena);
  unsigned char *p = crm_arena_calloc(&arena, 100, 10);
  for (int i = 0; i < 1000; i++)
    assert_int_equal(p[i], 0);
  assert_null(crm_arena_calloc(&arena, SIZE_MAX / 2, 3));
  assert_null(crm_arena_alloc(&arena, SIZE_MAX));
  assert_null(crm_arena_alloc(&arena, SIZE_MAX - 20));
  assert_null(crm_arena_strndup(&arena, "", SIZE_MAX));
  crm_arena_free(&arena);
}

static void strndup_ends_in_nul(void **state) {
  (void)state;
  struct crm_arena arena;
  crm_arena_init(&arena, 0);
  assert_string_equal(crm_arena_strndup(&arena, "abcdef", 3), "abc");
  assert_string_equal(crm_arena_strndup(&arena, NULL, 0), "");
  crm_arena_free(&arena);
}

static void ceiling_holds(void **state) {
  (void)state;
  struct crm_arena arena;
  crm_arena_init(&arena, 100000);
  assert_non_null(crm_arena_alloc(&arena, 60000));
  assert_null(crm_arena_alloc(&arena, 60000));
  assert_non_null(crm_arena_alloc(&arena, 30000)); /* a block of just this size still fits */
  assert_true(arena.used <= 100000);
  while (crm_arena_alloc(&arena, 100) != NULL)
    assert_true(arena.used <= 100000);
  crm_arena_free(&arena);
  assert_non_null(crm_arena_alloc(&arena, 60000));
  crm_arena_free(&arena);
}

static void reset_keeps_the_largest_block(void **state) {
  (void)state;
  struct crm_arena arena;
  crm_arena_init(&arena, 0);
  void *large = NULL;
  for (int i = 0; i < 5; i++) {
    crm_arena_alloc(&arena, 50000);
    large = crm_arena_alloc(&arena, 3000000 + 1000 * (size_t)(i == 2));
  }
  assert_non_null(large);
  size_t before = arena.used;
  crm_arena_reset(&arena);
  assert_true(arena.used < before);
  assert_true(arena.used >= 3001000);
  size_t kept = arena.used;
  assert_non_null(crm_arena_alloc(&arena, 3001000)); /* out of the block kept */
  assert_int_equal(arena.used, kept);
  crm_arena_free(&arena);
}

static void rewind_gives_the_same_memory_again(void **state) {
  (void)state;
  struct crm_arena arena;
  crm_arena_init(&arena, 0);
  struct crm_arena_mark empty = crm_arena_mark(&arena);
  char *kept = crm_arena_strndup(&arena, "kept", 4);
  struct crm_arena_mark mark = crm_arena_mark(&arena);
  char *first[3] = {NULL, NULL, NULL};
  size_t used = 0;
  for (int round = 0; round < 4; round++) {
    char *got[3] = {crm_arena_alloc(&arena, 100), crm_arena_alloc(&arena, 200000), crm_arena_alloc(&arena, 5000000)};
    for (int i = 0; i < 3; i++) {
      assert_non_null(got[i]);
      memset(got[i], round, 100);
      assert_true(round == 0 || got[i] == first[i]);
      first[i] = got[i];
    }
    assert_true(round == 0 || arena.used == used); /* nothing more from malloc */
    used = arena.used;
    crm_arena_rewind(&arena, mark);
    assert_string_equal(kept, "kept");
  }
  assert_ptr_equal(crm_arena_alloc(&arena, 100), first[0]);
  crm_arena_rewind(&arena, empty);
  assert_int_equal(arena.used, used);
  assert_ptr_equal(crm_arena_alloc(&arena, 5000000), first[2]); /* small blocks are passed over */
  crm_arena_reset(&arena);
  assert_true(arena.used < used && arena.used >= 5000000);
  crm_arena_rewind(&arena, crm_arena_mark(&arena));
  assert_non_null(crm_arena_alloc(&arena, 100));
  crm_arena_free(&arena);
  assert_int_equal(arena.used, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_aligned_and_apart),
      cmocka_unit_test(memory_keeps_its_content),
      cmocka_unit_test(calloc_clears_and_guards),
      cmocka_unit_test(strndup_ends_in_nul),
      cmocka_unit_test(ceiling_holds),
      cmocka_unit_test(reset_keeps_the_largest_block),
      cmocka_unit_test(rewind_gives_the_same_memory_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
