/* SPDX-License-Identifier: MIT */
/* `make bench-encode`: what a series costs on its way out by the three push formats: 300,000 series of single accounts with 6 labels each
 * (name, job, instance, tenant, account and one more), in requests of 2,000. Floors in the same run: the raw bytes copied once; the
 * compressor alone over them; protobuf-c's own packing of the same remote-write messages. The least of some rounds counts. */
#include "crm_config.h"

#include <inttypes.h>
#include <math.h>
#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/clock.h"
#include "export/encode.h"
#include "proto/remote_write.pb-c.h"

#define ACCOUNTS 100000
#define PER_ACCOUNT 3
#define SERIES (ACCOUNTS * PER_ACCOUNT)
#define REQUEST 2000
#define ROUNDS 5
#define AT (INT64_C(1772323200) * CRM_US_PER_SECOND)

static void *must(void *memory) {
  if (memory == NULL) {
    fprintf(stderr, "encode-bench: out of memory\n");
    exit(1);
  }
  return memory;
}
static void must_ok(enum crm_status status) {
  if (status != CRM_OK) {
    fprintf(stderr, "encode-bench: %s\n", crm_status_name(status));
    exit(1);
  }
}

/* A generator of one's own, so that every run has the same data. */
static uint64_t next_random(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* Revenue in cents, and two scores that are quotients, as real ones: nearly every bit of theirs differs. */
static void fill(struct crm_series_set *set, bool uuid) {
  uint64_t random = 1;
  must_ok(crm_set_init(set));
  for (int i = 0; i < ACCOUNTS; i++) {
    char account[40];
    uint64_t a = next_random(&random), b = next_random(&random);
    if (uuid)
      snprintf(account, sizeof(account), "%08x-%04x-4%03x-%04x-%012" PRIx64, (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
               (unsigned)(a & 0xfff), (unsigned)(0x8000 | (b >> 48 & 0x3fff)), b & UINT64_C(0xffffffffffff));
    else
      snprintf(account, sizeof(account), "ACC-%06d", i);
    const char *arr[] = {"acme", account, "USD"}, *usage[] = {"acme", account, "usage"}, *support[] = {"acme", account, "support"};
    must_ok(crm_set_add(set, CRM_FAM_ACCOUNT_ARR, arr, 3, crm_number_ratio((int64_t)(next_random(&random) % 100000) * 1200, 100)));
    must_ok(crm_set_add(set, CRM_FAM_ACCOUNT_HEALTH_FACTOR_SCORE, usage, 3,
                        crm_number_ratio((int64_t)(next_random(&random) % 10000000), 100000)));
    must_ok(
        crm_set_add(set, CRM_FAM_ACCOUNT_CHURN_FACTOR_SCORE, support, 3, crm_number_ratio((int64_t)(next_random(&random) % 300000), 3000)));
  }
}

/* Everything as encoded, request by request, uncompressed. */
struct raw {
  char *bytes;
  size_t *len;
  size_t n, total, compressed;
};

static void expand(enum crm_protocol protocol, const struct crm_body *body, char *to) {
  if (protocol != CRM_OTLP) {
    size_t len = body->raw_len;
    if (snappy_uncompress(body->data, body->len, to, &len) != SNAPPY_OK)
      exit(1);
    return;
  }
  z_stream z = {.next_in = (Bytef *)body->data, .avail_in = (uInt)body->len, .next_out = (Bytef *)to, .avail_out = (uInt)body->raw_len + 1};
  if (inflateInit2(&z, 15 + 16) != Z_OK || inflate(&z, Z_FINISH) != Z_STREAM_END)
    exit(1);
  inflateEnd(&z);
}

static double encode_all(enum crm_protocol protocol, const struct crm_pick *picks, struct raw *raw) {
  const struct crm_sink_options options = {.name = "bench", .protocol = protocol, .instance = "crm-1.example.com"};
  struct crm_encoder *encoder;
  must_ok(crm_encoder_new(&options, NULL, AT, &encoder, NULL));
  double best = INFINITY;
  for (int round = 0; round <= ROUNDS; round++) { /* the first one keeps what it has made */
    int64_t started = crm_clock_thread_cpu_ns();
    for (size_t i = 0; i < SERIES; i += REQUEST) {
      struct crm_body body;
      must_ok(crm_encode(encoder, AT, picks + i, REQUEST, &body, NULL));
      if (round == 0) {
        raw->bytes = must(realloc(raw->bytes, raw->total + body.raw_len + 1));
        expand(protocol, &body, raw->bytes + raw->total);
        raw->len[raw->n++] = body.raw_len;
        raw->total += body.raw_len;
        raw->compressed += body.len;
      }
    }
    double ns = (double)(crm_clock_thread_cpu_ns() - started) / SERIES;
    best = round > 0 && ns < best ? ns : best;
  }
  crm_encoder_free(encoder);
  return best;
}

static double compress_all(enum crm_protocol protocol, const struct raw *raw) {
  size_t cap = snappy_max_compressed_length(raw->total) + compressBound(raw->total);
  char *out = must(malloc(cap));
  double best = INFINITY;
  z_stream z = {0};
  if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    exit(1);
  for (int round = 0; round < ROUNDS; round++) {
    const char *from = raw->bytes;
    int64_t started = crm_clock_thread_cpu_ns();
    for (size_t i = 0; i < raw->n; from += raw->len[i++]) {
      size_t len = cap;
      if (protocol != CRM_OTLP) {
        snappy_compress(from, raw->len[i], out, &len);
        continue;
      }
      deflateReset(&z);
      z.next_in = (Bytef *)from;
      z.avail_in = (uInt)raw->len[i];
      z.next_out = (Bytef *)out;
      z.avail_out = (uInt)cap;
      deflate(&z, Z_FINISH);
    }
    double ns = (double)(crm_clock_thread_cpu_ns() - started) / SERIES;
    best = ns < best ? ns : best;
  }
  deflateEnd(&z);
  free(out);
  return best;
}

static double copy_all(const struct raw *raw) {
  char *to = must(malloc(raw->total));
  double best = INFINITY;
  memset(to, 1, raw->total);
  for (int round = 0; round < ROUNDS; round++) {
    int64_t started = crm_clock_thread_cpu_ns();
    memcpy(to, raw->bytes, raw->total);
    __asm__ volatile("" : : "r"(to) : "memory");
    double ns = (double)(crm_clock_thread_cpu_ns() - started) / SERIES;
    best = ns < best ? ns : best;
  }
  free(to);
  return best;
}

/* The same messages by protobuf-c, from structures that are there already. */
static double pack_all(const struct raw *raw) {
  uint8_t *out = must(malloc(raw->total));
  double best = INFINITY;
  Prometheus__WriteRequest **requests = must(malloc(raw->n * sizeof(*requests)));
  const char *from = raw->bytes;
  for (size_t i = 0; i < raw->n; from += raw->len[i++])
    requests[i] = must(prometheus__write_request__unpack(NULL, raw->len[i], (const uint8_t *)from));
  for (int round = 0; round < ROUNDS; round++) {
    int64_t started = crm_clock_thread_cpu_ns();
    for (size_t i = 0; i < raw->n; i++)
      prometheus__write_request__pack(requests[i], out);
    double ns = (double)(crm_clock_thread_cpu_ns() - started) / SERIES;
    best = ns < best ? ns : best;
  }
  for (size_t i = 0; i < raw->n; i++)
    prometheus__write_request__free_unpacked(requests[i], NULL);
  free(requests);
  free(out);
  return best;
}

static void bench(const char *what, enum crm_protocol protocol, const struct crm_pick *picks) {
  static const char *const names[] = {[CRM_REMOTE_WRITE_1] = "rw1", [CRM_REMOTE_WRITE_2] = "rw2", [CRM_OTLP] = "otlp"};
  struct raw raw = {.len = must(malloc(SERIES / REQUEST * sizeof(size_t)))};
  double whole = encode_all(protocol, picks, &raw), compressor = compress_all(protocol, &raw), copy = copy_all(&raw);
  printf("%-5s %-22s %8.0f %8.0f %11.0f %7.0f %7.1f %8.2f %9.0f %8.1f", names[protocol], what, whole, whole - compressor, compressor, copy,
         whole / copy, whole / compressor, (double)raw.total / SERIES, (double)raw.compressed / SERIES);
  if (protocol == CRM_REMOTE_WRITE_1)
    printf(" %10.0f", pack_all(&raw));
  printf("\n");
  fflush(stdout);
  free(raw.bytes);
  free(raw.len);
}

int main(void) {
  struct crm_pick *picks = must(calloc(SERIES, sizeof(*picks)));
  printf("%-5s %-22s %8s %8s %11s %7s %7s %8s %9s %8s %10s\n", "", "accounts, order", "ns", "encode", "compressor", "memcpy", "/memcpy",
         "/compr.", "raw B", "wire B", "protobuf-c");
  for (int uuid = 0; uuid <= 1; uuid++) {
    struct crm_series_set set;
    fill(&set, uuid != 0);
    must_ok(crm_set_sort(&set));
    for (size_t i = 0; i < SERIES; i++)
      picks[i] = (struct crm_pick){.set = &set, .sample = (uint32_t)i};
    for (int by_account = 0; by_account <= 1; by_account++) {
      int64_t started = crm_clock_thread_cpu_ns();
      if (by_account)
        must_ok(crm_picks_by_account(picks, SERIES));
      double ordering = (double)(crm_clock_thread_cpu_ns() - started) / SERIES;
      char what[64];
      snprintf(what, sizeof(what), "%s, by %s", uuid ? "UUID" : "ACC-000123", by_account ? "account" : "family");
      if (by_account)
        printf("      %-22s %8.0f\n", "the ordering itself", ordering);
      for (int protocol = CRM_REMOTE_WRITE_1; protocol <= CRM_OTLP; protocol++)
        bench(what, (enum crm_protocol)protocol, picks);
    }
    crm_set_free(&set);
  }
  free(picks);
  printf("\nns       CPU time of encoding and compressing, per series (target for remote write: at most 300)\n"
         "encode   of it without the compressor     compressor    snappy or zlib alone over the same bytes     memcpy    of the raw bytes\n"
         "wire B   compressed bytes per series (target for remote write: at most 32)     protobuf-c    its packing of the same messages\n");
  return 0;
}
