/* SPDX-License-Identifier: MIT */
/* Requests and scrapes of random series with hostile labels, for decoders that are not ours: prints one JSON object a line with what was given
 * to the encoder and what came out; bytes are in hexadecimal. test_encode_decode.py judges. Usage: encode_cases SEED CASES; or
 * encode_cases plain, which writes one request of remote write 1.0 as it is sent: of three series, the last of which has ended. */
#include "crm_config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/encode.h"
#include "export/exposition.h"

#define VALUE_MAX 6000
#define PICKS_MAX 60

static uint64_t state;
static uint64_t next_random(void) {
  uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}
static unsigned below(unsigned n) {
  return (unsigned)(next_random() % n);
}

static void must(bool ok, const char *what) {
  if (!ok) {
    fprintf(stderr, "encode_cases: %s\n", what);
    exit(1);
  }
}

/* --- hostile text ---------------------------------------------------------------------------------------------------------- */

static size_t put_point(char *to, unsigned long p) {
  if (p < 0x80) {
    to[0] = (char)p;
    return 1;
  }
  if (p < 0x800) {
    to[0] = (char)(0xc0 | p >> 6);
    to[1] = (char)(0x80 | (p & 0x3f));
    return 2;
  }
  if (p < 0x10000) { /* surrogates too, which are not UTF-8 */
    to[0] = (char)(0xe0 | p >> 12);
    to[1] = (char)(0x80 | (p >> 6 & 0x3f));
    to[2] = (char)(0x80 | (p & 0x3f));
    return 3;
  }
  to[0] = (char)(0xf0 | p >> 18);
  to[1] = (char)(0x80 | (p >> 12 & 0x3f));
  to[2] = (char)(0x80 | (p >> 6 & 0x3f));
  to[3] = (char)(0x80 | (p & 0x3f));
  return 4;
}

static char *hostile(char *to) {
  static const char *const pieces[] = {"\"",
                                       "\\",
                                       "\n",
                                       "\r\n",
                                       "{a=\"b\"}",
                                       "\xc3",
                                       "\x80",
                                       "\xc0\xaf",
                                       "'",
                                       "\xed\xa0\x80",
                                       "\xf4\x90\x80\x80",
                                       "\xef\xbf\xbd",
                                       "\xe2\x80",
                                       "\x7f",
                                       "\xf0\x9f\x98\x80",
                                       "%s%n"};
  size_t len = 0, wanted = below(10) == 0 ? 900 + below(VALUE_MAX - 1000) : below(40);
  unsigned kind = below(7);
  while (kind > 0 && len < wanted) { /* kind 0: empty */
    switch (kind) {
    case 1:
      to[len++] = (char)(1 + below(255));
      break;
    case 2: { /* characters of all lengths, no surrogates */
      static const unsigned long limits[] = {0x7f, 0x7ff, 0xd7ff, 0x10ffff}, bases[] = {1, 0x80, 0x800, 0x10000};
      unsigned k = below(4);
      len += put_point(to + len, bases[k] + next_random() % (limits[k] - bases[k] + 1));
      break;
    }
    case 3:
      strcpy(to + len, pieces[below(sizeof(pieces) / sizeof(pieces[0]))]);
      len += strlen(to + len);
      break;
    case 4: /* the same three bytes, whatever that cuts at the end */
      len += put_point(to + len, 0x65e5);
      break;
    default:
      to[len++] = (char)('a' + below(26));
    }
  }
  to[len] = '\0';
  return to;
}

/* --- output ------------------------------------------------------------------------------------------------------------------- */

static void print_hex(const char *bytes, size_t len) {
  putchar('"');
  for (size_t i = 0; i < len; i++)
    printf("%02x", (unsigned char)bytes[i]);
  putchar('"');
}
static void print_label(const char *name, const char *value, bool first) {
  printf("%s[", first ? "" : ", ");
  print_hex(name, strlen(name));
  printf(", ");
  print_hex(value, strlen(value));
  printf("]");
}

static void print_pick(const struct crm_pick *pick, bool first) {
  const struct crm_sample *s = &pick->set->samples[pick->sample];
  const struct crm_family_info *info = crm_family_info((enum crm_family)s->family);
  uint64_t bits;
  memcpy(&bits, &s->value.real, sizeof(bits));
  printf("%s{\"family\": \"%s\", \"counter\": %s, \"unit\": \"%s\", \"stale\": %s, \"num\": %" PRId64 ", \"den\": %" PRId64
         ", \"real\": %" PRIu64 ", \"help\": ",
         first ? "" : ", ", info->name, info->kind == CRM_COUNTER ? "true" : "false", info->unit, pick->stale ? "true" : "false",
         s->value.num, s->value.den, bits);
  print_hex(info->help, strlen(info->help));
  printf(", \"labels\": [");
  for (size_t l = 0; l < s->n_labels; l++)
    print_label(crm_set_label_name(pick->set, (enum crm_family)s->family, l), crm_set_label_value(pick->set, s, l), l == 0);
  printf("]}");
}

/* --- cases -------------------------------------------------------------------------------------------------------------------- */

static const char *const names[] = {"segment", "Segment", "ZONE", "owner", "_a",       "tenant",  "job",    "instance",
                                    "account", "le",      "zone", "a1",    "bad-name", "__other", "window", "currency"};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

static struct crm_number random_number(void) {
  static const int64_t dens[] = {1, 1, 100, 1200, 3, 1000};
  if (below(3) > 0)
    return crm_number_ratio((int64_t)(next_random() >> (12 + below(40))) - (1 << 10), dens[below(6)]); /* exact in a double */
  for (;;) {
    uint64_t bits = next_random();
    double real;
    memcpy(&real, &bits, sizeof(real));
    if (isfinite(real))
      return crm_number_real(below(8) == 0 ? -0.0 : real);
  }
}

static void fill(struct crm_series_set *set) {
  must(crm_set_init(set) == CRM_OK, "memory");
  set->n_dimensions = below(CRM_DIMENSIONS_MAX + 1);
  for (size_t d = 0; d < set->n_dimensions; d++)
    set->dimensions[d] = names[below(N_NAMES)];
  for (unsigned n = 1 + below(PICKS_MAX / 2); n > 0; n--) {
    enum crm_family family = below(4) == 0 ? CRM_FAM_ROWS_REJECTED_TOTAL : (enum crm_family)below(CRM_FAMILIES);
    enum crm_scope scope = crm_family_info(family)->scope;
    size_t n_labels = 1 +
                      (scope == CRM_SCOPE_CELL      ? set->n_dimensions
                       : scope == CRM_SCOPE_ACCOUNT ? 1
                                                    : 0) +
                      crm_family_label_count(family);
    static char texts[16][VALUE_MAX];
    const char *labels[16];
    for (size_t l = 0; l < n_labels; l++)
      labels[l] = hostile(texts[l]);
    must(crm_set_add(set, family, labels, n_labels, random_number()) == CRM_OK, "a series cannot be added");
  }
}

static void one_case(void) {
  static char texts[8][VALUE_MAX];
  struct crm_name_value external[4];
  struct crm_series_set sets[2];
  struct crm_pick picks[PICKS_MAX];
  struct crm_encoder *encoder;
  size_t n = 0;
  struct crm_sink_options options = {.name = "s", .protocol = (enum crm_protocol)below(3), .labels = external, .n_labels = below(5)};
  for (size_t i = 0; i < options.n_labels; i++)
    external[i] = (struct crm_name_value){names[below(N_NAMES)], hostile(texts[i])};
  options.job = below(4) == 0 ? NULL : hostile(texts[4]);
  const char *instance = hostile(texts[5]);
  crm_time at = (crm_time)(next_random() >> 13), start = below(3) == 0 ? 0 : (crm_time)(next_random() >> 13);
  for (int s = 0; s < 2; s++)
    fill(&sets[s]);
  for (int s = 0; s < 2; s++)
    for (uint32_t i = 0; i < sets[s].n; i++)
      picks[n++] = (struct crm_pick){.set = &sets[s], .sample = i, .stale = below(4) == 0};
  for (size_t i = n; i > 1; i--) { /* in any order */
    size_t with = below((unsigned)i);
    struct crm_pick pick = picks[i - 1];
    picks[i - 1] = picks[with];
    picks[with] = pick;
  }
  must(crm_encoder_new(&options, instance, start, &encoder, NULL) == CRM_OK, "no encoder");
  struct crm_body body;
  must(crm_encode(encoder, at, picks, n / 2, &body, NULL) == CRM_OK, "no body"); /* must leave nothing behind */
  must(crm_encode(encoder, at, picks, n, &body, NULL) == CRM_OK, "no body");

  printf("{\"protocol\": %d, \"at\": %" PRId64 ", \"start\": %" PRId64 ", \"job\": ", (int)options.protocol, at, start);
  print_hex(options.job != NULL ? options.job : "crm", strlen(options.job != NULL ? options.job : "crm"));
  printf(", \"instance\": ");
  print_hex(instance, strlen(instance));
  printf(", \"external\": [");
  for (size_t i = 0; i < options.n_labels; i++)
    print_label(external[i].name, external[i].value, i == 0);
  printf("], \"picks\": [");
  for (size_t i = 0; i < n; i++)
    print_pick(&picks[i], i == 0);
  printf("], \"raw_len\": %zu, \"n_series\": %zu, \"n_dropped\": %zu, \"body\": ", body.raw_len, body.n_series, body.n_dropped);
  print_hex(body.data, body.len);
  printf("}\n");
  crm_encoder_free(encoder);
  crm_set_free(&sets[0]);
  crm_set_free(&sets[1]);
}

/* One set in the three formats of a scrape; names are those that a configuration may have. */
static void exposition_case(void) {
  struct crm_series_set set;
  struct crm_strbuf out;
  static char texts[16][VALUE_MAX];
  must(crm_set_init(&set) == CRM_OK, "memory");
  set.n_dimensions = below(4);
  for (size_t d = 0; d < set.n_dimensions; d++)
    set.dimensions[d] = names[d];
  for (unsigned n = 1 + below(PICKS_MAX); n > 0; n--) {
    const char *labels[16];
    enum crm_family family = (enum crm_family)below(CRM_FAMILIES);
    const struct crm_family_info *info = crm_family_info(family);
    size_t len = strlen(info->name), n_labels = 1 + crm_family_label_count(family);
    n_labels += info->scope == CRM_SCOPE_CELL ? set.n_dimensions : info->scope == CRM_SCOPE_ACCOUNT ? 1 : 0;
    bool always_1 = strcmp(info->name + len - 5, "_info") == 0;
    for (size_t l = 0; l < n_labels; l++)
      labels[l] = hostile(texts[l]);
    must(crm_set_add(&set, family, labels, n_labels, always_1 ? crm_number_int(1) : random_number()) == CRM_OK, "a series cannot be added");
  }
  must(crm_set_sort(&set) == CRM_OK, "memory");
  printf("{\"protocol\": 3, \"picks\": [");
  for (uint32_t i = 0; i < set.n; i++)
    print_pick(&(struct crm_pick){.set = &set, .sample = i}, i == 0);
  printf("]");
  crm_strbuf_init(&out, (size_t)1 << 28);
  for (int f = 0; f < CRM_EXPOSITION_FORMATS; f++) {
    static const char *const formats[] = {"text", "openmetrics", "protobuf"};
    const struct crm_series_set *const sets[] = {&set};
    const struct crm_exposition_options options = {.format = (enum crm_exposition_format)f, .per_account = true};
    crm_strbuf_reset(&out);
    must(crm_exposition(sets, 1, &options, NULL, &out) == CRM_OK, "no exposition");
    printf(", \"%s\": ", formats[f]);
    print_hex(out.data, out.len);
  }
  printf("}\n");
  crm_strbuf_free(&out);
  crm_set_free(&set);
}

static void plain_case(void) {
  static const struct crm_name_value external = {"zone", "north"};
  const struct crm_sink_options options = {.name = "s", .protocol = CRM_REMOTE_WRITE_1, .labels = &external, .n_labels = 1};
  struct crm_series_set set;
  struct crm_encoder *encoder;
  struct crm_body body;
  must(crm_set_init(&set) == CRM_OK, "memory");
  must(crm_set_add(&set, CRM_FAM_UP, (const char *[]){"acme"}, 1, crm_number_int(1)) == CRM_OK &&
           crm_set_add(&set, CRM_FAM_ARR, (const char *[]){"acme", "EUR"}, 2, crm_number_ratio(12345, 100)) == CRM_OK &&
           crm_set_add(&set, CRM_FAM_NPS, (const char *[]){"acme"}, 1, crm_number_int(-7)) == CRM_OK,
       "a series cannot be added");
  struct crm_pick picks[3] = {{.set = &set, .sample = 0}, {.set = &set, .sample = 1}, {.set = &set, .sample = 2, .stale = true}};
  must(crm_encoder_new(&options, "crm-1", 0, &encoder, NULL) == CRM_OK, "no encoder");
  must(crm_encode(encoder, INT64_C(1700000000123456), picks, 3, &body, NULL) == CRM_OK, "no body");
  must(fwrite(body.data, 1, body.len, stdout) == body.len, "the body cannot be written");
  crm_encoder_free(encoder);
  crm_set_free(&set);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "plain") == 0) {
    plain_case();
    return 0;
  }
  must(argc == 3, "usage: encode_cases SEED CASES");
  state = strtoull(argv[1], NULL, 10);
  for (long n = strtol(argv[2], NULL, 10); n > 0; n--) {
    one_case();
    if (n % 4 == 0)
      exposition_case();
  }
  return 0;
}
