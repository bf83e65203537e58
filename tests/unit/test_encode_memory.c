/* SPDX-License-Identifier: MIT */
/* Every allocation of the encoders fails once: the call ends in CRM_ERR_MEMORY, leaves nothing behind, and the encoder works on. The linker
 * puts these functions in place of malloc and its like (--wrap). */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/wire_decode.h"

#define N 600
#define AT (INT64_C(1772323200) * CRM_US_PER_SECOND)

static long countdown; /* allocations until the one that fails; 0 = none fails */
static bool failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *data, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *data, size_t size);
char *__wrap_strdup(const char *text);

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
static void fill(struct crm_series_set *set, struct crm_pick *picks) {
  assert_int_equal(crm_set_init(set), CRM_OK);
  for (uint32_t i = 0; i < N; i++) {
    char account[32];
    snprintf(account, sizeof(account), "account-%u", (unsigned)i);
    const char *labels[] = {"t", account, "USD"};
    assert_int_equal(crm_set_add(set, i % 2 == 0 ? CRM_FAM_ACCOUNT_ARR : CRM_FAM_ACCOUNT_HEALTH_FACTOR_SCORE, labels, 3, crm_number_int(i)),
                     CRM_OK);
    picks[i] = (struct crm_pick){.set = set, .sample = i};
  }
}

static void check(enum crm_protocol protocol, const struct crm_body *body) {
  struct wire_request request;
  const char *fault = wire_decode(protocol, body, &request);
  if (fault != NULL)
    fail_msg("protocol %d: %s", (int)protocol, fault);
  assert_int_equal(request.n, N);
  assert_string_equal(wire_label_value(&request.series[protocol == CRM_OTLP ? N - 1 : N - 2], "account"), "account-598");
  wire_request_free(&request);
}

static void test_encode(void **state) {
  static struct crm_pick picks[N];
  const struct crm_name_value labels[] = {{"zone", "eu"}};
  struct crm_series_set set;
  fill(&set, picks);
  for (enum crm_protocol protocol = CRM_REMOTE_WRITE_1; protocol <= CRM_OTLP; protocol++) {
    const struct crm_sink_options options = {.name = "s", .protocol = protocol, .labels = labels, .n_labels = 1};
    bool encoder_failed = true;
    for (long n = 1;; n++) {
      struct crm_encoder *encoder = NULL;
      struct crm_body body;
      struct crm_error err = {0};
      failed = false;
      countdown = n;
      enum crm_status status = crm_encoder_new(&options, "h", 0, &encoder, &err);
      encoder_failed = failed;
      if (status == CRM_OK)
        status = crm_encode(encoder, AT, picks, N, &body, &err);
      countdown = 0;
      if (status != (failed ? CRM_ERR_MEMORY : CRM_OK) || (failed && err.message[0] == '\0'))
        fail_msg("protocol %d, allocation %ld: %s", (int)protocol, n, crm_status_name(status));
      if (encoder_failed) {
        assert_null(encoder);
      } else {
        assert_int_equal(crm_encode(encoder, AT, picks, N, &body, &err), CRM_OK);
        check(protocol, &body);
      }
      crm_encoder_free(encoder);
      if (!failed) {
        if (n < 12)
          fail_msg("protocol %d: only %ld allocations were made to fail", (int)protocol, n - 1);
        break;
      }
    }
  }
  crm_set_free(&set);
}

static void test_by_account(void **state) {
  static struct crm_pick picks[N], before[N];
  struct crm_series_set set;
  fill(&set, picks);
  memcpy(before, picks, sizeof(picks));
  for (long n = 1; n <= 3; n++) {
    countdown = n;
    assert_int_equal(crm_picks_by_account(picks, N), CRM_ERR_MEMORY);
    countdown = 0;
    assert_memory_equal(picks, before, sizeof(picks));
  }
  crm_set_free(&set);
}

/* Once the buffers are there, a request like the last one takes no memory: nothing is allocated per series, or per request. */
static void test_steady(void **state) {
  static struct crm_pick picks[N];
  struct crm_series_set set;
  fill(&set, picks);
  for (enum crm_protocol protocol = CRM_REMOTE_WRITE_1; protocol <= CRM_OTLP; protocol++) {
    const struct crm_sink_options options = {.name = "s", .protocol = protocol};
    struct crm_encoder *encoder;
    struct crm_body body;
    assert_int_equal(crm_encoder_new(&options, "h", 0, &encoder, NULL), CRM_OK);
    assert_int_equal(crm_encode(encoder, AT, picks, N, &body, NULL), CRM_OK);
    countdown = 1000000;
    assert_int_equal(crm_encode(encoder, AT, picks, N, &body, NULL), CRM_OK);
    long allocations = 1000000 - countdown;
    countdown = 0;
    if (allocations > 2) /* one per family: the labels while they are put in order */
      fail_msg("protocol %d: %ld allocations", (int)protocol, allocations);
    crm_encoder_free(encoder);
  }
  crm_set_free(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_encode),
      cmocka_unit_test(test_by_account),
      cmocka_unit_test(test_steady),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
