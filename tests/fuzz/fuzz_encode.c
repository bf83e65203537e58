/* SPDX-License-Identifier: MIT */
/* Any bytes as label values, names of dimensions and external labels, for each format: whatever comes out must be read back by protobuf-c,
 * hold every series that can be said with its value, and keep the rules for labels. */
#include "crm_config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/wire_decode.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define AT (INT64_C(1772323200) * CRM_US_PER_SECOND)
#define SERIES_MAX 200

struct input {
  char *at, *end;
};

/* The next text of the input, which ends at a NUL; "" at its end. */
static const char *next_text(struct input *in) {
  if (in->at >= in->end)
    return "";
  const char *text = in->at;
  in->at += strlen(text) + 1;
  return text;
}
static unsigned next_byte(struct input *in) {
  return in->at < in->end ? (unsigned char)*in->at++ : 0;
}

static void must(bool ok) {
  if (!ok)
    abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  char *bytes = malloc(size + 1);
  must(bytes != NULL);
  if (size > 0)
    memcpy(bytes, data, size);
  bytes[size] = '\0';
  struct input in = {bytes, bytes + size};

  struct crm_name_value external[3];
  struct crm_sink_options options = {.name = "s", .protocol = (enum crm_protocol)(next_byte(&in) % 3), .labels = external};
  unsigned shape = next_byte(&in);
  for (options.n_labels = 0; options.n_labels < shape % 4; options.n_labels++) {
    external[options.n_labels].name = next_text(&in);
    external[options.n_labels].value = next_text(&in);
  }
  struct crm_series_set set;
  must(crm_set_init(&set) == CRM_OK);
  for (set.n_dimensions = 0; set.n_dimensions < shape / 4 % 3; set.n_dimensions++)
    set.dimensions[set.n_dimensions] = next_text(&in);
  while (in.at < in.end && set.n < SERIES_MAX) {
    enum crm_family family = (enum crm_family)(next_byte(&in) % CRM_FAMILIES);
    enum crm_scope scope = crm_family_info(family)->scope;
    const char *labels[16];
    size_t n = 1 + crm_family_label_count(family) + (scope == CRM_SCOPE_ACCOUNT ? 1 : scope == CRM_SCOPE_CELL ? set.n_dimensions : 0);
    for (size_t l = 0; l < n; l++)
      labels[l] = next_text(&in);
    must(crm_set_add(&set, family, labels, n, crm_number_int((int64_t)set.n)) == CRM_OK);
  }
  struct crm_pick picks[SERIES_MAX];
  bool left[SERIES_MAX] = {false};
  for (size_t i = 0; i < set.n; i++)
    picks[i] = (struct crm_pick){.set = &set, .sample = (uint32_t)i};
  must(crm_picks_by_account(picks, set.n) == CRM_OK);

  struct crm_encoder *encoder;
  struct crm_body body;
  struct wire_request request;
  must(crm_encoder_new(&options, "here", 0, &encoder, NULL) == CRM_OK);
  must(crm_encode(encoder, AT, picks, set.n, &body, NULL) == CRM_OK);
  must(body.n_series + body.n_dropped == set.n);
  must(wire_decode(options.protocol, &body, &request) == NULL);
  for (size_t i = 0; i < request.n; i++) {
    const struct wire_series *s = &request.series[i];
    /* Not the rest where a dimension is called job or instance: an own label that is empty takes the place of ours, and in OTLP it comes
     * twice. */
    bool strange = wire_label_value(s, "job") == NULL || strcmp(wire_label_value(s, "job"), "crm") != 0 ||
                   wire_label_value(s, "instance") == NULL || strcmp(wire_label_value(s, "instance"), "here") != 0;
    for (size_t d = 0; d < set.n_dimensions; d++)
      strange = strange || strcmp(set.dimensions[d], "job") == 0 || strcmp(set.dimensions[d], "instance") == 0;
    must(strange || wire_series_fault(s) == NULL);
    double value;
    memcpy(&value, &s->bits, sizeof(value));
    must(value >= 0 && value < (double)set.n && !left[(size_t)value]);
    left[(size_t)value] = true; /* each once */
    const struct crm_sample *sample = &set.samples[(size_t)value];
    must(strcmp(wire_label_value(s, "__name__"), crm_family_info((enum crm_family)sample->family)->name) == 0);
  }
  wire_request_free(&request);
  crm_encoder_free(encoder);
  crm_set_free(&set);
  free(bytes);
  return 0;
}
