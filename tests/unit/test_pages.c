/* SPDX-License-Identifier: MIT */
/* The parts of the ways out without any socket: pages, sets that are shared, text files, tokens. */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "export/pages.h"
#include "export/textfile.h"
#include "export/token.h"
#include "../lib/scratch.h"

static char dir[SCRATCH_SIZE];
static const char *const instances[] = {"one", "two"};

struct fixture {
  char log[4096];
  struct crm_log logger;
  char textfile[SCRATCH_SIZE + 16], token[SCRATCH_SIZE + 16];
};

static void write_log(void *ctx, enum crm_log_level level, const char *message) {
  struct fixture *f = ctx;
  size_t len = strlen(f->log);
  snprintf(f->log + len, sizeof(f->log) - len, "%d %s\n", level, message);
}

static int count_log(struct fixture *f, const char *part) {
  int n = 0;
  for (const char *p = f->log; (p = strstr(p, part)) != NULL; p++)
    n++;
  return n;
}

static int set_up(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));
  f->logger = (struct crm_log){write_log, f};
  snprintf(f->textfile, sizeof(f->textfile), "%s/crm.prom", dir);
  snprintf(f->token, sizeof(f->token), "%s/token", dir);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  free(*state);
  return 0;
}

static struct crm_frame *make_frame(const char *instance, const char *name, int64_t value) {
  struct crm_series_set business, own;
  const char *info[] = {instance, "1", name, "smb", "ann", "steel", "eu", "active", "EUR"}, *accounts[] = {instance, "active"};
  assert_int_equal(crm_set_init(&business), CRM_OK);
  assert_int_equal(crm_set_init(&own), CRM_OK);
  assert_int_equal(crm_set_add(&business, CRM_FAM_ACCOUNT_INFO, info, 9, crm_number_int(1)), CRM_OK);
  assert_int_equal(crm_set_add(&business, CRM_FAM_ACCOUNTS, accounts, 2, crm_number_int(value)), CRM_OK);
  assert_int_equal(crm_set_add(&own, CRM_FAM_UP, &instance, 1, crm_number_int(name != NULL)), CRM_OK);
  assert_int_equal(crm_set_sort(&business), CRM_OK);
  struct crm_frame *frame = crm_frame_new(instance, value, &business, &own);
  assert_non_null(frame);
  return frame;
}

static char *read_text(const char *path, char *buf, size_t size) {
  FILE *file = fopen(path, "r");
  size_t n = file == NULL ? 0 : fread(buf, 1, size - 1, file);
  if (file != NULL)
    fclose(file);
  buf[n] = '\0';
  return buf;
}

static void write_text(const char *path, const char *text, mode_t mode) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
  assert_int_equal(chmod(path, mode), 0);
}

static void test_token_compared(void **state) {
  struct fixture *f = *state;
  static const struct {
    const char *authorization;
    bool fits;
  } cases[] = {{"Bearer abc", true},     {"bearer  abc", true}, {"Bearer abcd", false}, {"Bearer ab", false},
               {"Bearer abcabc", false}, {"Bearer ", false},    {"Bearer", false},      {"abc", false},
               {"Basic abc", false},     {"", false},           {"Bearer abc ", false}, {NULL, false}};
  static const struct {
    const char *text;
    mode_t mode;
    const char *why;
  } files[] = {{"", 0600, "its first line is empty"},
               {"\nabc", 0600, "its first line is empty"},
               {"a b\n", 0600, "holds blanks"},
               {"abc\n", 0604, "every user may read"},
               {"abc\n", 0602, "every user may read"}};
  struct crm_token token = {.path = f->token};
  struct crm_error err;
  write_text(f->token, "abc\r\n", 0600);
  assert_int_equal(crm_token_refresh(&token, &err), CRM_OK);
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
    if (crm_token_fits(&token, cases[i].authorization) != cases[i].fits)
      fail_msg("%s", cases[i].authorization == NULL ? "none" : cases[i].authorization);
  for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
    assert_int_equal(unlink(f->token), 0);
    write_text(f->token, files[i].text, files[i].mode);
    assert_int_equal(crm_token_refresh(&token, &err), CRM_ERR_IO);
    if (strstr(err.message, files[i].why) == NULL || strstr(err.message, f->token) == NULL)
      fail_msg("%s", err.message);
    assert_false(crm_token_fits(&token, "Bearer abc"));
    assert_false(crm_token_fits(&token, "Bearer "));
  }
  char *long_line = calloc(1, CRM_TOKEN_MAX + 2);
  memset(long_line, 'x', CRM_TOKEN_MAX + 1);
  write_text(f->token, long_line, 0600);
  assert_int_equal(crm_token_refresh(&token, &err), CRM_ERR_IO);
  free(long_line);
  assert_int_equal(unlink(f->token), 0);
  assert_int_equal(crm_token_refresh(&token, &err), CRM_ERR_IO);
  crm_token_free(&token);
}

static void test_textfile(void **state) {
  struct fixture *f = *state;
  char text[8192], temporary[SCRATCH_SIZE + 24];
  struct stat st;
  struct crm_error err;
  snprintf(temporary, sizeof(temporary), "%s.tmp", f->textfile);
  mode_t mask = umask(022);
  assert_int_equal(crm_textfile_write(f->textfile, "one\n", 4, &err), CRM_OK);
  umask(mask);
  assert_string_equal(read_text(f->textfile, text, sizeof(text)), "one\n");
  assert_int_equal(stat(f->textfile, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0644);
  ino_t before = st.st_ino;
  write_text(temporary, "left by a crash", 0600);
  assert_int_equal(crm_textfile_write(f->textfile, "two\n", 4, &err), CRM_OK);
  assert_string_equal(read_text(f->textfile, text, sizeof(text)), "two\n");
  assert_int_equal(stat(f->textfile, &st), 0);
  assert_int_not_equal(st.st_ino, before); /* another file in its place, not the old one written over */
  assert_int_not_equal(access(temporary, F_OK), 0);
  assert_int_equal(crm_textfile_write("/nowhere/at/all.prom", "x", 1, &err), CRM_ERR_IO);
  assert_string_equal(err.message, "/nowhere/at/all.prom.tmp cannot be created: No such file or directory");
  assert_int_equal(crm_textfile_write(dir, "x", 1, &err), CRM_ERR_IO); /* a directory is in the way: nothing is left behind */
  crm_textfile_remove(f->textfile);
  assert_int_not_equal(access(f->textfile, F_OK), 0);
}

static const struct crm_page_kind plain_text = {CRM_EXPOSITION_TEXT, true, false};

/* Made once for all readers, anew after a tick; an instance without ticks is forgotten. */
static void test_pages(void **state) {
  struct fixture *f = *state;
  struct crm_pages *pages = crm_pages_new(instances, 2, &f->logger);
  struct crm_page *a, *b, *c;
  struct crm_frame *one = make_frame("one", "Zoe", 1), *two = make_frame("two", "Ada", 2), *other = make_frame("three", "Eve", 3);
  const int64_t minute = 60 * CRM_US_PER_SECOND;
  assert_true(crm_pages_publish(pages, one, 0));
  assert_true(crm_pages_publish(pages, two, 0));
  assert_false(crm_pages_publish(pages, other, 0));
  assert_true(crm_pages_tend(pages, 0));
  assert_false(crm_pages_tend(pages, 0));
  assert_int_equal(crm_pages_get(pages, plain_text, &a), CRM_OK);
  assert_int_equal(crm_pages_get(pages, plain_text, &b), CRM_OK);
  assert_ptr_equal(a, b);
  assert_non_null(strstr(a->data, "Zoe"));
  assert_true(crm_pages_publish(pages, one, minute));
  assert_int_equal(crm_pages_get(pages, plain_text, &c), CRM_OK);
  assert_ptr_not_equal(a, c);
  assert_string_equal(a->data, c->data); /* and the old one is still whole */
  crm_page_unref(a);
  crm_page_unref(b);
  crm_page_unref(c);
  /* One, last at minute 1, ticks each minute: forgotten after 5 minutes. Nothing is known of two: after 15. */
  assert_true(crm_pages_tend(pages, 2 * minute)); /* the tick above */
  assert_false(crm_pages_tend(pages, 6 * minute));
  assert_int_equal(count_log(f, "the last ones are shown no more"), 0);
  assert_true(crm_pages_tend(pages, 6 * minute + 1));
  assert_int_equal(count_log(f, "instance one: the daemon has not asked"), 1);
  assert_int_equal(crm_pages_get(pages, plain_text, &a), CRM_OK);
  assert_null(strstr(a->data, "Zoe"));
  assert_non_null(strstr(a->data, "Ada"));
  crm_page_unref(a);
  assert_true(crm_pages_tend(pages, 16 * minute));
  assert_int_equal(crm_pages_get(pages, plain_text, &a), CRM_OK);
  assert_int_equal(a->len, 0);
  crm_page_unref(a);
  crm_pages_stop(pages);
  crm_frame_unref(one);
  crm_frame_unref(two);
  crm_frame_unref(other);
  crm_pages_free(pages);
}

static void test_two_instances_of_a_tenant(void **state) {
  struct fixture *f = *state;
  static const char *const names[] = {"one", "two"};
  struct crm_pages *pages = crm_pages_new(names, 2, &f->logger);
  struct crm_page *page;
  struct crm_frame *one = make_frame("one", "Zoe", 1), *same = make_frame("one", "Eve", 2);
  same->instance = "two";
  for (int i = 0; i < 3; i++) {
    assert_true(crm_pages_publish(pages, one, i));
    assert_true(crm_pages_publish(pages, same, i));
    assert_int_equal(crm_pages_get(pages, plain_text, &page), CRM_OK);
    assert_non_null(strstr(page->data, "Zoe"));
    assert_null(strstr(page->data, "Eve"));
    crm_page_unref(page);
  }
  assert_int_equal(count_log(f, "2 series are left out of scrapes"), 1);
  crm_frame_unref(one);
  crm_frame_unref(same);
  crm_pages_free(pages);
}

/* Sets come back to the pool, also after it has gone. */
static void test_pool(void **state) {
  struct crm_set_pool *pool = crm_set_pool_new();
  struct crm_shared_set *a = crm_set_pool_take(pool), *b = crm_set_pool_take(pool);
  assert_ptr_not_equal(a, b);
  assert_int_equal(crm_set_add(&a->set, CRM_FAM_UP, (const char *const[]){"x"}, 1, crm_number_int(1)), CRM_OK);
  struct crm_series_set own;
  assert_int_equal(crm_set_init(&own), CRM_OK);
  struct crm_frame *frame = crm_frame_new_shared("one", 1, a, &own);
  assert_ptr_equal(frame->business, &a->set);
  crm_shared_set_unref(a);
  assert_int_equal(frame->business->n, 1);
  crm_frame_unref(frame);
  assert_ptr_equal(crm_set_pool_take(pool), a); /* used again */
  crm_set_pool_free(pool);
  crm_shared_set_unref(a);
  crm_shared_set_unref(b);
  crm_shared_set_unref(NULL);
}

static int make_scratch(void **state) {
  (void)scratch_template(dir, "pages");
  return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_scratch(void **state) {
  char command[SCRATCH_SIZE + 16];
  snprintf(command, sizeof(command), "rm -rf '%s'", dir);
  return system(command);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_token_compared), TEST(test_textfile), TEST(test_pages), TEST(test_two_instances_of_a_tenant), TEST(test_pool),
  };
  return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
