/* SPDX-License-Identifier: MIT */
/* Every allocation fails once: each time the work must end in an error, or succeed without it, and leave nothing behind (the sanitizer and
 * valgrind look for leaks). The linker puts these functions in place of malloc and its like (--wrap). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "facts/builder.h"

static long countdown; /* allocations until the one that fails; 0 = none fails */
static bool failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *data, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *data, size_t size);

static bool fails(void) {
  if (countdown == 0 || --countdown > 0)
    return false;
  failed = true;
  return true;
}

void *__wrap_malloc(size_t size) {
  return fails() ? NULL : __real_malloc(size);
}
void *__wrap_calloc(size_t n, size_t size) {
  return fails() ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *data, size_t size) {
  return fails() ? NULL : __real_realloc(data, size);
}

/* Runs the work with the first, second, ... allocation failing until none is left to fail. */
static void torture(const char *name, enum crm_status (*work)(void), long least) {
  long n = 1;
  for (;; n++) {
    failed = false;
    countdown = n;
    enum crm_status status = work();
    countdown = 0;
    if (!failed) {
      if (status != CRM_OK)
        fail_msg("%s: %s though no allocation failed", name, crm_status_name(status));
      break;
    }
    if (status != CRM_ERR_MEMORY)
      fail_msg("%s: allocation %ld failed and the result is %s", name, n, crm_status_name(status));
  }
  if (n <= least)
    fail_msg("%s: only %ld allocations were made to fail", name, n - 1);
}

static enum crm_status make_zone(void) {
  struct crm_zone *zone = NULL;
  struct crm_error err;
  enum crm_status status = crm_zone_new("Europe/Berlin", &zone, &err);
  if (status == CRM_OK)
    crm_zone_free(zone);
  return status;
}

static enum crm_status fill_dict(void) {
  struct crm_dict dict;
  enum crm_status status = crm_dict_init(&dict);
  if (status != CRM_OK)
    return status;
  for (int i = 0; i < 1000 && status == CRM_OK; i++) {
    char text[16];
    uint32_t number;
    status = crm_dict_add(&dict, text, (size_t)snprintf(text, sizeof(text), "%d", i), &number);
  }
  crm_dict_free(&dict);
  return status;
}

static enum crm_status fill_buffers(void) {
  struct crm_strbuf buf;
  crm_strbuf_init(&buf, 100000);
  for (int i = 0; i < 1000; i++)
    crm_strbuf_addf(&buf, "%d ", i);
  bool ok = crm_strbuf_ok(&buf);
  crm_strbuf_free(&buf);
  struct crm_arena arena;
  crm_arena_init(&arena, 0);
  for (int i = 0; i < 1000 && ok; i++)
    ok = crm_arena_alloc(&arena, 1000) != NULL;
  crm_arena_free(&arena);
  return ok ? CRM_OK : CRM_ERR_MEMORY;
}

static void set_text(struct crm_cell_value *cell, char *buf, const char *prefix, int i) {
  cell->set = true;
  cell->text = buf;
  cell->len = (size_t)sprintf(buf, "%s%d", prefix, i);
}

static enum crm_status put_rows(struct crm_builder *b, enum crm_relation relation, int n, struct crm_error *err) {
  enum crm_status status = CRM_OK;
  crm_builder_begin(b, relation, 0);
  for (int i = 0; i < n && status == CRM_OK; i++) {
    char account[32], second[32], third[32], contact[32];
    struct crm_text_item item = {contact, (size_t)sprintf(contact, "k%d", i % 20)};
    struct crm_row row = {0};
    set_text(&row.cells[0], account, "account ", i % 20);
    if (relation != CRM_REL_USAGE) { /* tenant, contact_id, engagement_id */
      set_text(&row.cells[1], second, relation == CRM_REL_ACCOUNT ? "tenant " : "k", i % 30);
      set_text(&row.cells[2], third, "x", i);
    } else {
      row.cells[1].set = true;
      row.cells[1].day = i;
    }
    if (relation == CRM_REL_ENGAGEMENT) {
      row.cells[4].set = true;
      row.cells[4].time = i;
      row.cells[8].set = true;
      row.cells[8].items = &item;
      row.cells[8].n_items = 1;
    }
    status = crm_builder_row(b, relation, &row, err);
  }
  return status;
}

static enum crm_status build(void) {
  struct crm_builder *b = NULL;
  struct crm_facts *facts = NULL;
  struct crm_error err;
  enum crm_status status = crm_builder_new(&(struct crm_builder_options){.default_tenant = "t", .default_currency = "EUR"}, &b, &err);
  if (status != CRM_OK)
    return status;
  static const enum crm_relation relations[] = {CRM_REL_ACCOUNT, CRM_REL_CONTACT, CRM_REL_USAGE, CRM_REL_ENGAGEMENT};
  for (size_t r = 0; r < 4 && status == CRM_OK; r++)
    status = put_rows(b, relations[r], 150, &err);
  if (status == CRM_OK)
    status = crm_builder_finish(b, &facts, &err);
  crm_builder_free(b);
  crm_facts_unref(facts);
  return status;
}

static void zones(void **state) {
  (void)state;
  torture("zone", make_zone, 5);
}
static void dictionaries(void **state) {
  (void)state;
  torture("dictionary", fill_dict, 10);
}
static void buffers(void **state) {
  (void)state;
  torture("buffers", fill_buffers, 4);
}
static void builders(void **state) {
  (void)state;
  torture("builder", build, 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(zones), cmocka_unit_test(dictionaries), cmocka_unit_test(buffers),
                                     cmocka_unit_test(builders)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
