/* SPDX-License-Identifier: MIT */
/* What a reader of the scrape endpoint would like to have: Accept and Accept-Encoding, as RFC 9110 defines them. Any bytes may come in. */
#include "crm_config.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "export/exposition.h"

/* A piece of the header. */
struct part {
  const char *text;
  size_t len;
};

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static struct part trim(const char *text, size_t len) {
  for (; len > 0 && is_blank(*text); len--)
    text++;
  while (len > 0 && is_blank(text[len - 1]))
    len--;
  return (struct part){text, len};
}

static bool is(struct part part, const char *word) {
  return part.len == strlen(word) && strncasecmp(part.text, word, part.len) == 0;
}

/* Cuts off what stands before the next `separator` that is not in quotes; false at the end. */
static bool next_part(const char **rest, size_t *left, char separator, struct part *part) {
  if (*rest == NULL)
    return false;
  size_t len = 0;
  bool quoted = false;
  for (; len < *left && (quoted || (*rest)[len] != separator); len++) {
    if (quoted && (*rest)[len] == '\\' && len + 1 < *left)
      len++;
    else if ((*rest)[len] == '"')
      quoted = !quoted;
  }
  *part = trim(*rest, len);
  if (len < *left) {
    *rest += len + 1;
    *left -= len + 1;
  } else {
    *rest = NULL;
  }
  return true;
}

/* "NAME=VALUE", the value with or without quotes. */
static bool split_parameter(struct part parameter, struct part *name, struct part *value) {
  const char *equals = memchr(parameter.text, '=', parameter.len);
  if (equals == NULL)
    return false;
  *name = trim(parameter.text, (size_t)(equals - parameter.text));
  *value = trim(equals + 1, parameter.len - (size_t)(equals - parameter.text) - 1);
  if (value->len >= 2 && value->text[0] == '"' && value->text[value->len - 1] == '"')
    *value = (struct part){value->text + 1, value->len - 2};
  return true;
}

/* A weight in thousandths; -1 when it makes no sense. */
static int weight_of(struct part value) {
  if (value.len == 0 || value.len > 5 || (value.text[0] != '0' && value.text[0] != '1') || (value.len > 1 && value.text[1] != '.'))
    return -1;
  int weight = (value.text[0] - '0') * 1000, unit = 100;
  for (size_t i = 2; i < value.len; i++, unit /= 10) {
    if (value.text[i] < '0' || value.text[i] > '9')
      return -1;
    weight += (value.text[i] - '0') * unit;
  }
  return weight > 1000 ? -1 : weight;
}

/* One range of an Accept header. */
struct range {
  struct part type;
  int weight;
  bool version_fits[CRM_EXPOSITION_FORMATS];
  bool has_version, is_family, other_encoding;
};

static struct range read_range(struct part element) {
  struct range range = {.weight = 1000, .version_fits = {true, true, true}};
  const char *rest = element.text;
  size_t left = element.len;
  struct part parameter, name, value;
  if (!next_part(&rest, &left, ';', &range.type))
    return range;
  while (next_part(&rest, &left, ';', &parameter)) {
    if (!split_parameter(parameter, &name, &value))
      continue;
    if (is(name, "q")) {
      range.weight = weight_of(value);
      break; /* what stands behind it is no parameter of the type */
    }
    if (is(name, "version")) {
      range.has_version = true;
      /* A reader of text 1.0.0 reads 0.0.4: it only has more ways to write names. */
      range.version_fits[CRM_EXPOSITION_TEXT] = is(value, "0.0.4") || is(value, "1.0.0");
      range.version_fits[CRM_EXPOSITION_OPENMETRICS] = is(value, "1.0.0");
    } else if (is(name, "proto")) {
      range.is_family = is(value, "io.prometheus.client.MetricFamily");
    } else if (is(name, "encoding")) {
      range.other_encoding = !is(value, "delimited");
    }
  }
  return range;
}

/* How exactly the range names the format: 0 not at all, 1 every type, 2 every subtype, 3 the type, 4 the type and its version. */
static int fit(const struct range *range, enum crm_exposition_format format) {
  static const char *const types[] = {"text/plain", "application/openmetrics-text", "application/vnd.google.protobuf"};
  if (is(range->type, "*/*"))
    return 1;
  if (is(range->type, format == CRM_EXPOSITION_TEXT ? "text/*" : "application/*"))
    return 2;
  if (!is(range->type, types[format]) || !range->version_fits[format])
    return 0;
  if (format == CRM_EXPOSITION_PROTOBUF)
    return range->is_family && !range->other_encoding ? 4 : 0;
  return range->has_version ? 4 : 3;
}

enum crm_exposition_format crm_exposition_negotiate(const char *accept) {
  struct choice {
    int fit, weight;
    unsigned place; /* of the range in the header */
  } choices[CRM_EXPOSITION_FORMATS] = {{0, 0, 0}};
  const char *rest = accept;
  size_t left = accept == NULL ? 0 : strlen(accept);
  struct part element;
  for (unsigned place = 0; next_part(&rest, &left, ',', &element); place++) {
    struct range range = read_range(element);
    for (int f = 0; f < CRM_EXPOSITION_FORMATS && range.weight >= 0; f++) {
      int how = fit(&range, (enum crm_exposition_format)f);
      if (how > choices[f].fit) /* the most exact range decides about a format, the first of equals */
        choices[f] = (struct choice){how, range.weight, place};
    }
  }
  int best = CRM_EXPOSITION_TEXT;
  for (int f = 1; f < CRM_EXPOSITION_FORMATS; f++) {
    const struct choice *a = &choices[f], *b = &choices[best];
    if (a->weight > b->weight || (a->weight == b->weight && a->weight > 0 && a->place < b->place))
      best = f;
  }
  return (enum crm_exposition_format)best;
}

bool crm_accepts_gzip(const char *accept_encoding) {
  const char *rest = accept_encoding;
  size_t left = accept_encoding == NULL ? 0 : strlen(accept_encoding);
  struct part element;
  int named = -1, any = 0;
  while (next_part(&rest, &left, ',', &element)) {
    struct range range = read_range(element);
    if (range.weight < 0)
      continue;
    if (is(range.type, "gzip") || is(range.type, "x-gzip"))
      named = range.weight;
    else if (is(range.type, "*"))
      any = range.weight;
  }
  return (named >= 0 ? named : any) > 0;
}

const char *crm_exposition_content_type(enum crm_exposition_format format) {
  switch (format) {
  case CRM_EXPOSITION_OPENMETRICS:
    return "application/openmetrics-text; version=1.0.0; charset=utf-8";
  case CRM_EXPOSITION_PROTOBUF:
    return "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
  default:
    return "text/plain; version=0.0.4; charset=utf-8";
  }
}
