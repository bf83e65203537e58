/* SPDX-License-Identifier: MIT */
/* A request body back to series, by protobuf-c's own decoding. Whatever makes no sense is a failure. */
#ifndef CRM_TESTS_WIRE_DECODE_H
#define CRM_TESTS_WIRE_DECODE_H

#include "export/encode.h"

#define WIRE_LABELS_MAX 64

struct wire_label {
  char *name, *value;
};

struct wire_series {
  struct wire_label labels[WIRE_LABELS_MAX]; /* OTLP: `__name__`, job and instance are put in their places */
  size_t n_labels;
  uint64_t bits; /* of the value; OTLP without a value: the stale marker */
  int64_t ms;
  int64_t start_ms; /* 0: none */
  int type;         /* 1 counter, 2 gauge, 0 not said */
  char *help, *unit;
};

struct wire_request {
  struct wire_series *series;
  size_t n;
  char **symbols; /* remote write 2.0 */
  size_t n_symbols;
  size_t n_metrics; /* OTLP */
  /* Raw bytes, and what protobuf-c makes of them when it packs what it has unpacked. */
  unsigned char *raw, *repacked;
  size_t raw_len, repacked_len;
};

/* NULL, or what is wrong with the body; then there is nothing to free. */
const char *wire_decode(enum crm_protocol protocol, const struct crm_body *body, struct wire_request *request);
void wire_request_free(struct wire_request *request);
/* The value of a label, or NULL. */
const char *wire_label_value(const struct wire_series *series, const char *name);
/* NULL, or which rule is broken: labels sorted by bytes, unique, legacy names, values not empty, UTF-8 and not too long; `__name__`, job,
 * instance. Written without a look at the encoder. */
const char *wire_series_fault(const struct wire_series *series);

#endif
