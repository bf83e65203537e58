/* SPDX-License-Identifier: MIT */
/* Every allocation of the sink's parts fails once: each time the work must end in an error and leave nothing behind (the sanitizer and
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
#include <unistd.h>

#include "export/sink_internal.h"
#include "../lib/scratch.h"

static long countdown; /* allocations until the one that fails; 0 = none fails */
static bool failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *data, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *data, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

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
char *__wrap_strdup(const char *text) {
  return fails() ? NULL : __real_strdup(text);
}
char *__wrap_strndup(const char *text, size_t size) {
  return fails() ? NULL : __real_strndup(text, size);
}

/* Runs the work with the first, second, ... allocation failing until none is left to fail. */
static void torture(const char *name, bool (*work)(void), long least) {
  for (long n = 1;; n++) {
    failed = false;
    countdown = n;
    bool done = work();
    countdown = 0;
    if (!failed) {
      assert_true(done);
      print_message("# %s: %ld allocations\n", name, n - 1);
      assert_true(n > least);
      return;
    }
    if (done)
      fail_msg("%s: allocation %ld failed, and nobody noticed", name, n);
  }
}

static struct crm_series_set set;
static struct crm_pick picks[40];
static struct crm_strbuf file;

static bool work_picks(void) {
  struct crm_selection selection;
  struct crm_picks made = {0};
  crm_selection_init(&selection, &(struct crm_sink_options){.per_account = true});
  bool done = crm_picks_add(&made, &set, &selection, NULL, NULL) == CRM_OK && made.n == set.n;
  crm_picks_free(&made);
  return done;
}

static bool work_frame(void) {
  struct crm_frame *frame = crm_frame_of_picks("i", 1, picks, set.n);
  bool done = frame != NULL && frame->business->n + frame->own->n == set.n;
  crm_frame_unref(frame);
  return done;
}

static bool work_write(void) {
  struct crm_strbuf out;
  crm_strbuf_init(&out, 1 << 20);
  bool done = crm_series_file_write(1, picks, set.n, &out, NULL) == CRM_OK && out.len == file.len;
  crm_strbuf_free(&out);
  return done;
}

static bool work_read(void) {
  struct crm_series_file read;
  enum crm_status status = crm_series_file_read(file.data, file.len, &read, NULL);
  if (status != CRM_OK) {
    assert_int_equal(status, CRM_ERR_MEMORY); /* a file must not be set aside for that */
    return false;
  }
  bool done = read.n == set.n;
  crm_series_file_free(&read);
  return done;
}

static bool work_sink(void) {
  static const struct crm_header_option headers[] = {{.name = "a", .value = "b"}};
  static const struct crm_sink_options options = {
      .name = "s", .url = "http://h/", .job = "crm", .headers = headers, .n_headers = 1, .max_batch_series = 2000, .queue_ticks = 3};
  struct crm_sink *sink = NULL;
  if (crm_sink_new(&options, NULL, &sink, NULL) != CRM_OK)
    return false;
  pthread_mutex_lock(&sink->mutex);
  bool done = crm_sink_channel_locked(sink, "one") != NULL;
  done = done && crm_sink_channel_locked(sink, "two") != NULL;
  pthread_mutex_unlock(&sink->mutex);
  assert_true(crm_sink_stop(sink, 0));
  return done;
}

static char scratch[SCRATCH_SIZE];

static bool work_spool(void) {
  struct crm_spool spool;
  struct crm_spool_dir dir = {0};
  struct crm_strbuf data;
  crm_strbuf_init(&data, 1 << 20);
  bool done = crm_spool_open(&spool, scratch, "s", NULL) == CRM_OK && crm_spool_dir_open(&dir, &spool, "i", NULL) == CRM_OK &&
              crm_spool_put(&dir, 7, 0, 1, &file, NULL) == CRM_OK && crm_spool_read(&dir, crm_spool_oldest(&dir), &data, NULL) == CRM_OK &&
              data.len == file.len && crm_spool_put_state(&dir, &file, NULL) == CRM_OK && crm_spool_get_state(&dir, &data, NULL) == CRM_OK;
  crm_strbuf_free(&data);
  crm_spool_dir_close(&dir);
  crm_spool_close(&spool);
  return done;
}

static void test_torture(void **state) {
  static const char *const dimensions[] = {"segment"};
  assert_non_null(mkdtemp(scratch_template(scratch, "memory")));
  assert_int_equal(crm_set_init(&set), CRM_OK);
  set.dimensions[0] = dimensions[0];
  set.n_dimensions = 1;
  for (int i = 0; i < 40; i++) {
    char text[16];
    snprintf(text, sizeof(text), "%d", i);
    const char *labels[] = {"t", text, "active"};
    enum crm_family family = i % 3 == 0 ? CRM_FAM_ACCOUNTS : i % 3 == 1 ? CRM_FAM_NPS : CRM_FAM_UP;
    labels[0] = i % 3 == 0 ? "t" : text;
    assert_int_equal(crm_set_add(&set, family, labels, i % 3 == 0 ? 3 : 1, i % 2 == 0 ? crm_number_int(i) : crm_number_real(i / 7.0)),
                     CRM_OK);
    picks[i] = (struct crm_pick){&set, (uint32_t)i, i % 5 == 0};
  }
  crm_strbuf_init(&file, 1 << 20);
  assert_int_equal(crm_series_file_write(1, picks, set.n, &file, NULL), CRM_OK);
  torture("picks", work_picks, 1);
  torture("frame of picks", work_frame, 8);
  torture("writing a file", work_write, 4);
  torture("reading a file", work_read, 5);
  torture("spool", work_spool, 3);
  torture("sink", work_sink, 8);
  crm_strbuf_free(&file);
  crm_set_free(&set);
  char command[SCRATCH_SIZE + 16];
  snprintf(command, sizeof(command), "rm -rf '%s'", scratch);
  assert_int_equal(system(command), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_torture)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
