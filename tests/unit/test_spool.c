/* SPDX-License-Identifier: MIT */
/* The spool's directory, and the files that hold secrets. */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export/secret.h"
#include "export/spool.h"
#include "../lib/scratch.h"

static char scratch[SCRATCH_SIZE];

static int set_up(void **state) {
  (void)scratch_template(scratch, "spool");
  return mkdtemp(scratch) == NULL;
}

static int tear_down(void **state) {
  char command[128];
  snprintf(command, sizeof(command), "rm -rf '%s'", scratch);
  return system(command);
}

static void test_names(void **state) {
  static const struct {
    const char *name, *escaped;
  } cases[] = {{"acme", "acme"}, {"a-b_c.D9", "a-b_c.D9"}, {".", "%2E"},    {"..", "%2E."}, {"../x", "%2E.%2Fx"}, {"a b", "a%20b"},
               {"%", "%25"},     {"\xc3\xa9", "%C3%A9"},   {"lock", "lock"}};
  char buf[64];
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    print_message("# %s\n", cases[i].escaped);
    crm_spool_escape(cases[i].name, buf);
    assert_string_equal(buf, cases[i].escaped);
    assert_true(crm_spool_unescape(cases[i].escaped, buf));
    assert_string_equal(buf, cases[i].name);
  }
  static const char *const wrong[] = {".", "..", ".x", "a b", "a/b", "%", "%2", "%2e", "%00", "%61", "a%2E", "%GG", "\xc3\xa9"};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    print_message("# not %s\n", wrong[i]);
    assert_false(crm_spool_unescape(wrong[i], buf));
  }
  struct crm_spool_file file;
  assert_true(crm_spool_parse_name("01795380360000000000-000012-2000.batch", &file));
  assert_int_equal(file.at, 1795380360000000000);
  assert_int_equal(file.part, 12);
  assert_int_equal(file.n, 2000);
  static const char *const no_batch[] = {"",
                                         "state",
                                         "lock",
                                         "new",
                                         "01795380360000000000-000012-2000",
                                         "01795380360000000000-000012-2000.batch.bad",
                                         "1795380360000000000-000012-2000.batch",
                                         "01795380360000000000-12-2000.batch",
                                         "01795380360000000000-000012-02000.batch",
                                         "99999999999999999999-000012-2000.batch",
                                         "01795380360000000000-000012-4294967296.batch",
                                         "01795380360000000000--2000.batch",
                                         "-0000000000000000001-000012-2000.batch"};
  for (size_t i = 0; i < sizeof(no_batch) / sizeof(no_batch[0]); i++) {
    print_message("# not %s\n", no_batch[i]);
    assert_false(crm_spool_parse_name(no_batch[i], &file));
  }
}

static void put(struct crm_spool_dir *dir, crm_time at, uint32_t part, const char *text) {
  struct crm_strbuf data;
  struct crm_error err = {0};
  crm_strbuf_init(&data, 1 << 20);
  crm_strbuf_adds(&data, text);
  assert_int_equal(crm_spool_put(dir, at, part, 1, &data, &err), CRM_OK);
  crm_strbuf_free(&data);
}

static void check_oldest(struct crm_spool_dir *dir, const char *text, size_t count, size_t bytes) {
  struct crm_strbuf data;
  crm_strbuf_init(&data, 1 << 20);
  assert_int_equal(crm_spool_count(dir), count);
  assert_int_equal(dir->bytes, bytes);
  assert_int_equal(crm_spool_read(dir, crm_spool_oldest(dir), &data, NULL), CRM_OK);
  assert_string_equal(crm_strbuf_str(&data), text);
  crm_strbuf_free(&data);
}

static void count_instance(void *ctx, const char *instance) {
  assert_string_equal(instance, "acme/x");
  ++*(int *)ctx;
}

static void test_files(void **state) {
  struct crm_spool spool, second;
  struct crm_spool_dir dir;
  struct crm_error err = {0};
  struct stat st;
  char path[256];
  snprintf(path, sizeof(path), "%s/spool", scratch);
  assert_int_equal(crm_spool_open(&spool, path, "sink", &err), CRM_OK);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0700);
  assert_int_equal(crm_spool_open(&second, path, "sink", &err), CRM_ERR_IO);
  assert_non_null(strstr(err.message, "another process uses the directory"));
  assert_int_equal(crm_spool_dir_open(&dir, &spool, "acme/x", &err), CRM_OK);
  assert_null(crm_spool_oldest(&dir));
  put(&dir, 10, 0, "a");
  put(&dir, 10, 1, "bb");
  put(&dir, 20, 0, "ccc");
  put(&dir, 30, 0, "dddd");
  check_oldest(&dir, "a", 4, 10);
  crm_spool_take_back(&dir);
  check_oldest(&dir, "a", 3, 6);
  crm_spool_remove(&dir, 1, false); /* not the oldest: that one is on its way */
  check_oldest(&dir, "a", 2, 4);
  crm_spool_dir_close(&dir);
  crm_spool_close(&spool);

  /* Another process finds what was left. */
  int found = 0;
  assert_int_equal(crm_spool_open(&spool, path, "sink", &err), CRM_OK);
  crm_spool_instances(&spool, count_instance, &found);
  assert_int_equal(found, 1);
  assert_int_equal(crm_spool_dir_open(&dir, &spool, "acme/x", &err), CRM_OK);
  check_oldest(&dir, "a", 2, 4);
  put(&dir, 40, 0, "ee");
  crm_spool_remove(&dir, 0, false);
  check_oldest(&dir, "ccc", 2, 5);
  crm_spool_remove(&dir, 0, true);
  check_oldest(&dir, "ee", 1, 2);
  snprintf(path, sizeof(path), "%s/spool/sink/acme%%2Fx/00000000000000000020-000000-1.batch.bad", scratch);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  for (int i = 0; i < 2 * CRM_SPOOL_BAD_FILES; i++) {
    put(&dir, 50 + i, 0, "?");
    crm_spool_remove(&dir, 1, true);
  }
  assert_int_not_equal(stat(path, &st), 0); /* the oldest of too many */
  snprintf(path, sizeof(path), "ls %s/spool/sink/acme%%2Fx/*.bad | wc -l | grep -qx %d", scratch, CRM_SPOOL_BAD_FILES);
  assert_int_equal(system(path), 0);
  /* The list of files does not grow for ever. */
  for (int i = 0; i < 1000; i++) {
    put(&dir, 1000 + i, 0, "x");
    crm_spool_remove(&dir, 0, false);
  }
  assert_true(dir.cap < 64);
  check_oldest(&dir, "x", 1, 1);
  crm_spool_dir_close(&dir);
  crm_spool_close(&spool);
}

static void test_state(void **state) {
  struct crm_spool spool;
  struct crm_spool_dir dir;
  struct crm_strbuf data;
  struct crm_error err = {0};
  assert_int_equal(crm_spool_open(&spool, scratch, "sink", &err), CRM_OK);
  assert_int_equal(crm_spool_dir_open(&dir, &spool, "i", &err), CRM_OK);
  crm_strbuf_init(&data, 1 << 20);
  assert_int_equal(crm_spool_get_state(&dir, &data, &err), CRM_OK);
  assert_int_equal(data.len, 0);
  crm_strbuf_adds(&data, "alive");
  assert_int_equal(crm_spool_put_state(&dir, &data, &err), CRM_OK);
  assert_int_equal(crm_spool_put_state(&dir, &data, &err), CRM_OK);
  crm_strbuf_reset(&data);
  assert_int_equal(crm_spool_get_state(&dir, &data, &err), CRM_OK);
  assert_string_equal(crm_strbuf_str(&data), "alive");
  crm_spool_state_bad(&dir);
  assert_int_equal(crm_spool_get_state(&dir, &data, &err), CRM_OK);
  assert_int_equal(data.len, 0);
  assert_int_equal(crm_spool_put_state(&dir, &data, &err), CRM_OK); /* none there: none to remove */
  crm_strbuf_free(&data);
  crm_spool_dir_close(&dir);
  crm_spool_close(&spool);
}

static void test_no_directory(void **state) {
  struct crm_spool spool;
  struct crm_error err = {0};
  char path[128];
  snprintf(path, sizeof(path), "%s/file", scratch);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  close(fd);
  assert_int_equal(crm_spool_open(&spool, path, "sink", &err), CRM_ERR_IO);
  snprintf(path, sizeof(path), "%s/none/of/these", scratch);
  assert_int_equal(crm_spool_open(&spool, path, "sink", &err), CRM_ERR_IO);
  assert_false(crm_spool_is_open(&spool));
  crm_spool_close(&spool);
}

/* --- secrets ---------------------------------------------------------------------------------------------------------------------- */

static void test_redact_url(void **state) {
  static const struct {
    const char *url, *redacted;
  } cases[] = {{"http://h:1/api/v1/write", "http://h:1/api/v1/write"},
               {"https://u:p@h/w?k=v", "https://***@h/w?***"},
               {"https://u:p/w@h/x", "https://u:p/w@h/x"}, /* the user part ends before the first slash */
               {"https://u@x:p@h/w#f", "https://***@h/w?***"},
               {"h?key=1", "h?***"},
               {"https://h?u@x", "https://h?***"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char buf[128];
    crm_redact_url(cases[i].url, buf, sizeof(buf));
    assert_string_equal(buf, cases[i].redacted);
  }
}

static void write_secret(const char *name, const char *text, char path[128]) {
  snprintf(path, 128, "%s/%s", scratch, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
}

static void test_redact_text(void **state) {
  char bearer[128], key[128], buf[64];
  write_secret("bearer", "tok-123\r\nsecond line", bearer);
  write_secret("key", "abc", key);
  const struct crm_header_option headers[] = {{.name = "a", .file = key}, {.name = "b", .value = "inline-secret"}};
  const struct crm_sink_options options = {
      .url = "https://me:pass@h/w?token=q1w2", .bearer_token_file = bearer, .headers = headers, .n_headers = 2};
  struct crm_credentials c;
  struct crm_error err = {0};
  assert_int_equal(crm_credentials_init(&c, &options, &err), CRM_OK);
  assert_string_equal(c.bearer.value, "tok-123");
  static const struct {
    const char *text, *redacted;
  } cases[] = {{"plain", "plain"},
               {"Bearer tok-123, inline-secret", "Bearer ***, ***"},
               {"tok-12", "tok-12"},
               {"me:pass and token=q1w2 abc", "*** and *** abc"}, /* a secret of three letters would hide half of the language */
               {"series {n=\"Acme \\\" GmbH\",m=\"\"} old", "series {n=\"***\",m=\"\"} old"},
               {"{\"error\":\"{n=\\\"Acme\\\",m=\\\"x\\\"}\"}", "{\"error\":\"{n=\\\"***\\\",m=\\\"***\\\"}\"}"},
               {"{n=\"Acme without an end", "{n=\"***"},
               {"a\tb\nc\x7f", "a b c"},
               {"bad \xff\xfe", "bad ??"},
               {"", ""}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    print_message("# %zu\n", i);
    crm_redact_text(&c, cases[i].text, strlen(cases[i].text), buf, sizeof(buf));
    assert_string_equal(buf, cases[i].redacted);
  }
  char longer[300];
  memset(longer, 'y', sizeof(longer));
  crm_redact_text(&c, longer, sizeof(longer), buf, sizeof(buf));
  assert_int_equal(strlen(buf), sizeof(buf) - 1);
  crm_credentials_free(&c);
}

static void test_secret_files(void **state) {
  char path[128], longer[9000];
  write_secret("s", "one", path);
  const struct crm_sink_options options = {.url = "http://h/", .password_file = path};
  struct crm_credentials c;
  struct crm_error err = {0};
  assert_int_equal(crm_credentials_init(&c, &options, &err), CRM_OK);
  write_secret("s", "second\n", path);
  assert_int_equal(crm_credentials_refresh(&c, false, &err), CRM_OK);
  assert_string_equal(c.password.value, "second");
  /* One that is no good leaves the old one in force. */
  memset(longer, 'z', sizeof(longer) - 1);
  longer[sizeof(longer) - 1] = '\0';
  const char *const wrong[] = {"", "\nsecond line", "a\tb", longer};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    write_secret("s", wrong[i], path);
    assert_int_equal(crm_credentials_refresh(&c, true, &err), CRM_ERR_CONFIG);
    assert_string_equal(c.password.value, "second");
  }
  write_secret("s", "third", path);
  static const mode_t modes[] = {0640, 0620, 0604, 0601, 0444};
  for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
    chmod(path, modes[i]);
    assert_int_equal(crm_credentials_refresh(&c, true, &err), CRM_ERR_CONFIG);
  }
  chmod(path, 0400);
  assert_int_equal(crm_credentials_refresh(&c, false, &err), CRM_OK);
  assert_string_equal(c.password.value, "third");
  unlink(path);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_int_equal(crm_credentials_refresh(&c, false, &err), CRM_ERR_CONFIG);
  unlink(path);
  assert_int_equal(crm_credentials_refresh(&c, false, &err), CRM_ERR_CONFIG);
  assert_string_equal(c.password.value, "third");
  assert_null(strstr(err.message, "third"));
  crm_credentials_free(&c);
  assert_int_equal(crm_credentials_init(&c, &options, &err), CRM_ERR_CONFIG);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names),
      cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_state, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_no_directory, set_up, tear_down),
      cmocka_unit_test(test_redact_url),
      cmocka_unit_test_setup_teardown(test_redact_text, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_secret_files, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
