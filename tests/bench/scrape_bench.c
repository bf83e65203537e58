/* SPDX-License-Identifier: MIT */
/* What a scrape costs per series: 300,000 series of 6 labels in every format, and what printing them takes the simple way. Prints one line
 * of name=value pairs; run-scrape.sh sets write_prometheus beside it. */
#include "crm_config.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "export/exposition.h"
#include "export/pages.h"

enum { ACCOUNTS = 100000, RUNS = 5 };

static void write_log(void *ctx, enum crm_log_level level, const char *message) {
  fprintf(stderr, "%s\n", message);
}

/* Three series for each account: a score that is a fraction of 2^32, an amount in cents, and what is known of it. */
static enum crm_status fill(struct crm_series_set *set) {
  static const char *const segments[] = {"enterprise", "mid-market", "smb"}, *const owners[] = {"ann", "bob", "cem", "dee"};
  set->at = 0;
  set->dimensions[0] = "segment";
  set->dimensions[1] = "account_owner";
  set->dimensions[2] = "industry";
  set->dimensions[3] = "account_region";
  set->n_dimensions = 4;
  enum crm_status status = CRM_OK;
  for (int i = 0; i < 3 * ACCOUNTS && status == CRM_OK; i++) {
    char industry[32];
    int k = i % ACCOUNTS;
    snprintf(industry, sizeof(industry), "%08x-6f1c-4a7e-9d3b", (unsigned)k * 2654435761u);
    const char *labels[] = {"acme",   segments[k % 3], owners[k % 4],
                            industry, "europe",        i < ACCOUNTS ? "EUR" : i < 2 * ACCOUNTS ? "support" : "paying"};
    enum crm_family family = i < ACCOUNTS ? CRM_FAM_ARR : i < 2 * ACCOUNTS ? CRM_FAM_HEALTH_FACTOR_POINTS : CRM_FAM_ACCOUNTS;
    struct crm_number value = i < ACCOUNTS ? crm_number_ratio((int64_t)k * 7919, 100)
                              : i < 2 * ACCOUNTS
                                  ? crm_number_ratio((int64_t)k * INT64_C(2971215073) % (INT64_C(100) << 32), INT64_C(1) << 32)
                                  : crm_number_int(k % 7);
    status = crm_set_add(set, family, labels, 6, value);
  }
  return status == CRM_OK ? crm_set_sort(set) : status;
}

/* The least of some runs, nanoseconds per series. */
static double render(const struct crm_series_set *set, enum crm_exposition_format format, size_t *bytes) {
  double least = INFINITY;
  struct crm_strbuf out; /* used again, as pages do */
  const struct crm_exposition_options options = {.format = format, .per_account = true};
  crm_strbuf_init(&out, (size_t)1 << 32);
  for (int run = 0; run < RUNS; run++) {
    crm_strbuf_reset(&out);
    int64_t began = crm_clock_thread_cpu_ns();
    if (crm_exposition(&set, 1, &options, NULL, &out) != CRM_OK)
      exit(1);
    double took = (double)(crm_clock_thread_cpu_ns() - began);
    least = took < least ? took : least;
    *bytes = out.len;
  }
  crm_strbuf_free(&out);
  return least / (double)set->n;
}

/* Bytes that the allocator has handed out and not got back. */
static size_t held(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/* The whole way to the bytes that leave: rendered and compressed. `page_bytes` is what is held for it besides the series. */
static double page(struct crm_series_set *set, enum crm_exposition_format format, size_t *bytes, size_t *page_bytes) {
  static const char *const names[] = {"bench"};
  const struct crm_log log = {write_log, NULL};
  struct crm_pages *pages = crm_pages_new(names, 1, &log);
  struct crm_series_set own;
  if (pages == NULL || crm_set_init(&own) != CRM_OK)
    exit(1);
  struct crm_frame *frame = crm_frame_new("bench", 0, set, &own);
  if (frame == NULL || !crm_pages_publish(pages, frame, 0))
    exit(1);
  struct crm_page *made;
  size_t before = held();
  int64_t began = crm_clock_thread_cpu_ns();
  if (crm_pages_get(pages, (struct crm_page_kind){format, true, true}, &made) != CRM_OK)
    exit(1);
  double took = (double)(crm_clock_thread_cpu_ns() - began);
  *bytes = made->len;
  *page_bytes = held() - before;
  crm_page_unref(made);
  crm_pages_free(pages);
  crm_frame_unref(frame);
  return took / (3.0 * ACCOUNTS);
}

int main(void) {
  static const char *const names[] = {"text", "openmetrics", "protobuf"};
  struct crm_series_set set;
  size_t before = held(), page_bytes;
  if (crm_set_init(&set) != CRM_OK || fill(&set) != CRM_OK)
    return 1;
  printf("series=%zu set_held=%zu", set.n, held() - before);
  size_t bytes;
  for (int f = 0; f < CRM_EXPOSITION_FORMATS; f++) {
    double ns = render(&set, (enum crm_exposition_format)f, &bytes);
    printf(" %s_ns=%.0f %s_bytes=%zu", names[f], ns, names[f], bytes);
  }
  double ns = page(&set, CRM_EXPOSITION_TEXT, &bytes, &page_bytes);
  printf(" gzip_ns=%.0f gzip_bytes=%zu page_held=%zu\n", ns, bytes, page_bytes);
  return 0;
}
