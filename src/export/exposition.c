/* SPDX-License-Identifier: MIT */
/* One walk over several sets for all formats. What repeats is made ready once: the names of a family with their punctuation, and for each
 * text whether it can leave as it is. Then a series is a few copies and one number. */
#include "crm_config.h"

#include "export/exposition.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "export/text.h"
#include "proto/prometheus_client.pb-c.h"

enum {
  LABELS_MAX = 1 + CRM_DIMENSIONS_MAX + 1 + CRM_FAMILY_LABELS,
  AHEAD = 24,        /* samples */
  STEP = 32,         /* bytes that are copied at once */
  STOP_EVERY = 4096, /* series between two looks at `stop`: about half a millisecond */
};

/* Whether a text may leave as it is; found out when it is first met. */
enum text_state { UNKNOWN, PLAIN, TO_ESCAPE, NOT_UTF8 };

struct source {
  const struct crm_series_set *set;
  size_t next;    /* sample that comes next */
  uint8_t *state; /* by number of the text: enum text_state */
  bool *tenant;   /* by number of the text: is a tenant; NULL when there is only one set */
  bool *taken;    /* the same: one of whom an earlier set tells */
};

/* The names of one family in one set. */
struct names {
  const struct crm_family_info *info;
  size_t n_labels;
  const char *label[LABELS_MAX];
  /* Text: NAME{LABEL=" , then ",LABEL=" for the others. Protobuf: the tag, length and text of each label's name. */
  char bytes[LABELS_MAX * 72];
  size_t start[LABELS_MAX + 1];
  bool valid;
};

/* The last series written, as far as the next one of the same family and set may begin like it. */
struct line {
  size_t n;     /* labels; 0: there is none */
  size_t start; /* in `out` */
  uint32_t texts[LABELS_MAX];
  size_t end[LABELS_MAX]; /* behind the label, from `start` on */
};

struct writer {
  const struct crm_exposition_options *options;
  struct crm_strbuf *out;
  struct crm_exposition_count count;
  size_t family_start; /* protobuf: where the family's messages begin in `out` */
  struct line line;
};

static bool is_openmetrics(const struct writer *w) {
  return w->options->format == CRM_EXPOSITION_OPENMETRICS;
}

static bool is_protobuf(const struct writer *w) {
  return w->options->format == CRM_EXPOSITION_PROTOBUF;
}

/* --- names --------------------------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, size_t len, const char *end) {
  size_t end_len = strlen(end);
  return len > end_len && memcmp(text + len - end_len, end, end_len) == 0;
}

static bool is_info(const struct crm_family_info *info) {
  return info->kind == CRM_GAUGE && ends_with(info->name, strlen(info->name), "_info");
}

/* Length of the family's name without the suffix of its samples: OpenMetrics keeps these apart. */
static size_t family_len(const struct crm_family_info *info) {
  size_t len = strlen(info->name);
  if (info->kind == CRM_COUNTER && ends_with(info->name, len, "_total"))
    return len - 6;
  return is_info(info) ? len - 5 : len;
}

/* The unit, where the name ends in it, without which OpenMetrics forbids to tell it; else NULL. */
static const char *unit_of(const struct crm_family_info *info) {
  size_t len = family_len(info), unit = strlen(info->unit);
  bool fits = unit > 0 && !is_info(info) && len > unit + 1 && info->name[len - unit - 1] == '_' && ends_with(info->name, len, info->unit);
  return fits ? info->unit : NULL;
}

static void prepare_names(struct names *names, const struct source *source, const struct crm_sample *s, bool protobuf) {
  names->info = crm_family_info((enum crm_family)s->family);
  names->n_labels = s->n_labels;
  names->valid = s->n_labels > 0 && s->n_labels <= LABELS_MAX && crm_export_valid(source->set, s);
  size_t n = 0;
  for (size_t i = 0; names->valid && i < s->n_labels; i++) {
    const char *label = crm_set_label_name(source->set, (enum crm_family)s->family, i);
    size_t len = strlen(label), name = protobuf || i > 0 ? 0 : strlen(names->info->name);
    names->label[i] = label;
    names->start[i] = n;
    if (n + name + len + 4 > sizeof(names->bytes) || len > 127) {
      names->valid = false; /* no name of the catalogue is so long */
      break;
    }
    if (protobuf) {
      names->bytes[n++] = 0x0a; /* LabelPair.name */
      names->bytes[n++] = (char)len;
    } else if (i > 0) {
      names->bytes[n++] = '"';
      names->bytes[n++] = ',';
    } else {
      memcpy(names->bytes, names->info->name, name);
      n = name;
      names->bytes[n++] = '{';
    }
    memcpy(names->bytes + n, label, len);
    n += len;
    if (!protobuf) {
      names->bytes[n++] = '=';
      names->bytes[n++] = '"';
    }
  }
  names->start[s->n_labels <= LABELS_MAX ? s->n_labels : 0] = n;
}

static enum text_state find_state(struct source *source, uint32_t text) {
  const char *bytes = crm_dict_text(&source->set->text, text);
  size_t len = crm_dict_len(&source->set->text, text);
  enum text_state state = !crm_utf8_valid(bytes, len) ? NOT_UTF8 : bytes[strcspn(bytes, "\\\n\"")] == '\0' ? PLAIN : TO_ESCAPE;
  source->state[text] = (uint8_t)state;
  return state;
}

static enum text_state text_state(struct source *source, uint32_t text) {
  return source->state[text] != UNKNOWN ? (enum text_state)source->state[text] : find_state(source, text);
}

/* --- text and OpenMetrics ---------------------------------------------------------------------------------------------------------- */

static void begin_text(struct writer *w, const struct crm_family_info *info) {
  struct crm_strbuf *out = w->out;
  if (!is_openmetrics(w)) {
    crm_strbuf_addf(out, "# HELP %s ", info->name);
    crm_export_escape(out, info->help, false);
    crm_strbuf_addf(out, "\n# TYPE %s %s\n", info->name, info->kind == CRM_COUNTER ? "counter" : "gauge");
    return;
  }
  int len = (int)family_len(info);
  const char *unit = unit_of(info);
  crm_strbuf_addf(out, "# TYPE %.*s %s\n", len, info->name, info->kind == CRM_COUNTER ? "counter" : is_info(info) ? "info" : "gauge");
  if (unit != NULL)
    crm_strbuf_addf(out, "# UNIT %.*s %s\n", len, info->name, unit);
  crm_strbuf_addf(out, "# HELP %.*s ", len, info->name);
  crm_export_escape(out, info->help, true);
  crm_strbuf_addc(out, '\n');
}

/* A series of which a text must be escaped. */
static void add_escaped(struct writer *w, const struct source *source, const struct names *names, const struct crm_sample *s) {
  char number[CRM_NUMBER_MAX + 1];
  for (size_t i = 0; i < names->n_labels; i++) {
    crm_strbuf_add(w->out, names->bytes + names->start[i], names->start[i + 1] - names->start[i]);
    crm_export_escape(w->out, crm_set_label_value(source->set, s, i), true);
  }
  crm_format_number(&s->value, number);
  crm_strbuf_addf(w->out, "\"} %s\n", number);
}

/* Copies a short text in one step where `readable` bytes from `from` on may be read; the bytes behind it in `to` are written over later. */
static char *put(char *to, const char *from, size_t len, size_t readable) {
  if (len <= STEP && readable >= STEP)
    memcpy(to, from, STEP);
  else
    memcpy(to, from, len);
  return to + len;
}

static char *put_label(char *p, const struct source *source, uint32_t text) {
  const struct crm_dict *dict = &source->set->text;
  return put(p, crm_dict_text(dict, text), crm_dict_len(dict, text), dict->bytes_len - dict->start[text]);
}

static void add_text(struct writer *w, struct source *source, const struct names *names, const struct crm_sample *s) {
  const uint32_t *texts = source->set->label_values + s->labels;
  struct line *line = &w->line;
  /* Neighbours in the order begin alike, mostly. */
  size_t same = 0;
  while (same < line->n && texts[same] == line->texts[same])
    same++;
  bool plain = true;
  size_t need = names->start[names->n_labels] + 3 + CRM_NUMBER_MAX + STEP + (same > 0 ? line->end[same - 1] : 0);
  for (size_t i = same; i < names->n_labels; i++) {
    plain = plain && text_state(source, texts[i]) == PLAIN;
    need += crm_dict_len(&source->set->text, texts[i]);
  }
  line->n = 0;
  if (!plain) {
    add_escaped(w, source, names, s);
    return;
  }
  size_t start = w->out->len;
  char *begin = crm_strbuf_room(w->out, need), *p = begin;
  if (begin == NULL)
    return;
  if (same > 0) {
    memcpy(p, w->out->data + line->start, line->end[same - 1]);
    p += line->end[same - 1];
  }
  for (size_t i = same; i < names->n_labels; i++) {
    p = put(p, names->bytes + names->start[i], names->start[i + 1] - names->start[i], sizeof(names->bytes) - names->start[i]);
    p = put_label(p, source, texts[i]);
    line->texts[i] = texts[i];
    line->end[i] = (size_t)(p - begin);
  }
  line->n = names->n_labels;
  line->start = start;
  *p++ = '"';
  *p++ = '}';
  *p++ = ' ';
  p += crm_print_number(&s->value, p);
  *p++ = '\n';
  crm_strbuf_took(w->out, (size_t)(p - begin));
}

/* --- protobuf --------------------------------------------------------------------------------------------------------------------------
 */

/* Tags of the fields that are written by hand: number << 3 | type. */
enum {
  METRIC = 4 << 3 | 2,
  LABEL = 1 << 3 | 2,
  LABEL_VALUE = 2 << 3 | 2,
  GAUGE = 2 << 3 | 2,
  COUNTER = 3 << 3 | 2,
  VALUE = 1 << 3 | 1,
  VALUE_LEN = 11,
  LENGTH_MAX = 10
};

static size_t varint_len(uint64_t value) {
  size_t n = 1;
  for (; value >= 0x80; value >>= 7)
    n++;
  return n;
}

static char *put_varint(char *p, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    *p++ = (char)(value | 0x80);
  *p++ = (char)value;
  return p;
}

/* The length of a family is known only at its end: there is room for it in front, and the family moves up to it then. */
static void begin_protobuf(struct writer *w, const struct crm_family_info *info) {
  Io__Prometheus__Client__MetricFamily family = IO__PROMETHEUS__CLIENT__METRIC_FAMILY__INIT;
  family.name = (char *)info->name;
  family.help = (char *)info->help;
  family.has_type = 1;
  family.type = info->kind == CRM_COUNTER ? IO__PROMETHEUS__CLIENT__METRIC_TYPE__COUNTER : IO__PROMETHEUS__CLIENT__METRIC_TYPE__GAUGE;
  family.unit = (char *)unit_of(info);
  size_t len = io__prometheus__client__metric_family__get_packed_size(&family);
  w->family_start = w->out->len;
  char *p = crm_strbuf_room(w->out, LENGTH_MAX + len);
  if (p == NULL)
    return;
  io__prometheus__client__metric_family__pack(&family, (uint8_t *)p + LENGTH_MAX);
  crm_strbuf_took(w->out, LENGTH_MAX + len);
}

static void end_protobuf(struct writer *w) {
  if (!crm_strbuf_ok(w->out))
    return;
  char *begin = w->out->data + w->family_start;
  size_t len = w->out->len - w->family_start - LENGTH_MAX, prefix = varint_len(len);
  put_varint(begin, len);
  memmove(begin + prefix, begin + LENGTH_MAX, len);
  w->out->len = w->family_start + prefix + len;
}

static size_t pair_len(const struct names *names, size_t i, size_t text) {
  return names->start[i + 1] - names->start[i] + 1 + varint_len(text) + text;
}

/* One LabelPair with its tag. */
static char *put_pair(char *p, struct source *source, const struct names *names, size_t i, uint32_t text) {
  size_t len = crm_dict_len(&source->set->text, text);
  *p++ = LABEL;
  p = put_varint(p, pair_len(names, i, len));
  p = put(p, names->bytes + names->start[i], names->start[i + 1] - names->start[i], sizeof(names->bytes) - names->start[i]);
  *p++ = LABEL_VALUE;
  p = put_varint(p, len);
  char *end = put_label(p, source, text);
  if (text_state(source, text) == NOT_UTF8)
    for (; p < end; p++)
      if ((unsigned char)*p >= 0x80)
        *p = '?';
  return end;
}

/* The encoding of one metric, written without building it in memory first: that costs several times as much as all the rest. */
static void add_protobuf(struct writer *w, struct source *source, const struct names *names, const struct crm_sample *s) {
  const uint32_t *texts = source->set->label_values + s->labels;
  struct line *line = &w->line;
  size_t same = 0;
  while (same < line->n && texts[same] == line->texts[same])
    same++;
  size_t labels = same > 0 ? line->end[same - 1] : 0;
  for (size_t i = same; i < names->n_labels; i++) {
    size_t pair = pair_len(names, i, crm_dict_len(&source->set->text, texts[i]));
    labels += 1 + varint_len(pair) + pair;
  }
  char *begin = crm_strbuf_room(w->out, 1 + LENGTH_MAX + labels + VALUE_LEN + STEP), *p = begin;
  if (begin == NULL)
    return;
  *p++ = METRIC;
  p = put_varint(p, labels + VALUE_LEN);
  char *first = p;
  if (same > 0) {
    memcpy(p, w->out->data + line->start, line->end[same - 1]);
    p += line->end[same - 1];
  }
  for (size_t i = same; i < names->n_labels; i++) {
    p = put_pair(p, source, names, i, texts[i]);
    line->texts[i] = texts[i];
    line->end[i] = (size_t)(p - first);
  }
  line->n = names->n_labels;
  line->start = (size_t)(first - w->out->data);
  *p++ = names->info->kind == CRM_COUNTER ? COUNTER : GAUGE;
  *p++ = 9;
  *p++ = VALUE;
  double value = crm_number_value(&s->value) + 0.0; /* -0 is 0 */
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  for (int i = 0; i < 8; i++)
    *p++ = (char)(bits >> 8 * i);
  crm_strbuf_took(w->out, (size_t)(p - begin));
}

/* --- all sets together
 * -------------------------------------------------------------------------------------------------------------------- */

/* Finds the tenants of `sources[k]`, and those among them that an earlier source has. */
static enum crm_status find_tenants(struct source *sources, size_t k) {
  struct source *source = &sources[k];
  const struct crm_series_set *set = source->set;
  source->tenant = calloc(set->text.count + 1, sizeof(*source->tenant));
  source->taken = calloc(set->text.count + 1, sizeof(*source->taken));
  if (source->tenant == NULL || source->taken == NULL)
    return CRM_ERR_MEMORY;
  for (size_t i = 0; i < set->n; i++) {
    const struct crm_sample *s = &set->samples[i];
    uint32_t text = s->n_labels == 0 ? 0 : set->label_values[s->labels];
    if (s->n_labels == 0 || source->tenant[text] || crm_family_info((enum crm_family)s->family)->scope == CRM_SCOPE_INSTANCE)
      continue;
    source->tenant[text] = true;
    for (size_t j = 0; j < k && !source->taken[text]; j++) {
      uint32_t other = crm_dict_find(&sources[j].set->text, crm_dict_text(&set->text, text), crm_dict_len(&set->text, text));
      source->taken[text] = other != CRM_DICT_NONE && sources[j].tenant[other];
    }
  }
  return CRM_OK;
}

/* The samples are in order, what they point to is not: it is fetched while those before are written. */
static void look_ahead(const struct source *source) {
  const struct crm_series_set *set = source->set;
  if (source->next + AHEAD < set->n)
    __builtin_prefetch(&set->label_values[set->samples[source->next + AHEAD].labels]);
  if (source->next + AHEAD / 2 < set->n) {
    const struct crm_sample *s = &set->samples[source->next + AHEAD / 2];
    for (size_t i = 1; i < s->n_labels; i++)
      __builtin_prefetch(&set->text.start[set->label_values[s->labels + i]]);
  }
  if (source->next + AHEAD / 4 < set->n) {
    const struct crm_sample *s = &set->samples[source->next + AHEAD / 4];
    for (size_t i = 1; i < s->n_labels; i++)
      __builtin_prefetch(crm_dict_text(&set->text, set->label_values[s->labels + i]));
  }
}

static enum crm_status add_family(struct writer *w, struct source *sources, size_t n, unsigned family) {
  const struct crm_family_info *info = crm_family_info((enum crm_family)family);
  bool begun = false;
  for (size_t k = 0; k < n; k++) {
    struct source *source = &sources[k];
    const struct crm_series_set *set = source->set;
    if (source->next == set->n || set->samples[source->next].family != family)
      continue;
    struct names names;
    prepare_names(&names, source, &set->samples[source->next], is_protobuf(w));
    w->line.n = 0;
    bool wanted = names.valid && (info->scope != CRM_SCOPE_ACCOUNT || w->options->per_account);
    const bool *taken = info->scope == CRM_SCOPE_INSTANCE ? NULL : source->taken;
    for (; source->next < set->n && set->samples[source->next].family == family; source->next++) {
      const struct crm_sample *s = &set->samples[source->next];
      if (!wanted)
        continue;
      look_ahead(source);
      if (taken != NULL && s->n_labels > 0 && taken[set->label_values[s->labels]]) {
        w->count.n_left_out++;
        continue;
      }
      if (!begun && is_protobuf(w))
        begin_protobuf(w, info);
      else if (!begun)
        begin_text(w, info);
      begun = true;
      if (is_protobuf(w))
        add_protobuf(w, source, &names, s);
      else
        add_text(w, source, &names, s);
      if (++w->count.n_series % STOP_EVERY == 0 && w->options->stop != NULL && *w->options->stop)
        return CRM_ERR_STOPPED;
    }
  }
  if (begun && is_protobuf(w))
    end_protobuf(w);
  return CRM_OK;
}

enum crm_status crm_exposition(const struct crm_series_set *const *sets, size_t n, const struct crm_exposition_options *options,
                               struct crm_exposition_count *count, struct crm_strbuf *out) {
  struct writer w = {.options = options, .out = out};
  struct source *sources = calloc(n + 1, sizeof(*sources));
  enum crm_status status = sources != NULL ? CRM_OK : CRM_ERR_MEMORY;
  for (size_t k = 0; status == CRM_OK && k < n; k++) {
    sources[k].set = sets[k];
    sources[k].state = calloc(sets[k]->text.count + 1, 1);
    status = sources[k].state == NULL ? CRM_ERR_MEMORY : n == 1 ? CRM_OK : find_tenants(sources, k);
  }
  for (unsigned f = 0; status == CRM_OK && f < CRM_FAMILIES; f++)
    status = add_family(&w, sources, n, f);
  if (status == CRM_OK && is_openmetrics(&w))
    crm_strbuf_adds(out, "# EOF\n");
  for (size_t k = 0; sources != NULL && k < n; k++) {
    free(sources[k].state);
    free(sources[k].tenant);
    free(sources[k].taken);
  }
  free(sources);
  if (count != NULL)
    *count = w.count;
  return status == CRM_OK && !crm_strbuf_ok(out) ? CRM_ERR_MEMORY : status;
}
