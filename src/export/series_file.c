/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/series_file.h"

#include <math.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FORMAT_VERSION 1
#define FLAG_STALE 1
#define FLAG_REAL 2

/* Where the fields of the header stand. */
enum { AT_VERSION = 4, AT_INSTANT = 8, AT_SERIES = 16, AT_BODY = 20, AT_RAW = 24, AT_CRC = 28 };

static void put_le(char *to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++)
    to[i] = (char)(unsigned char)(value >> (8 * i));
}

static uint64_t get_le(const char *from, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++)
    value |= (uint64_t)(unsigned char)from[i] << (8 * i);
  return value;
}

static uint32_t checksum(const char *header, const char *body, size_t len) {
  uLong crc = crc32(0, (const unsigned char *)header, AT_CRC);
  return (uint32_t)crc32(crc, (const unsigned char *)body, (uInt)len);
}

/* --- writing --------------------------------------------------------------------------------------------------------------------- */

static void add_varint(struct crm_strbuf *out, uint64_t value) {
  char buf[10];
  size_t n = 0;
  for (; value >= 0x80; value >>= 7)
    buf[n++] = (char)(unsigned char)(value | 0x80);
  buf[n++] = (char)value;
  crm_strbuf_add(out, buf, n);
}

static void add_text(struct crm_strbuf *out, const char *text, size_t len) {
  add_varint(out, len);
  crm_strbuf_add(out, text, len);
}

struct writer {
  const struct crm_series_set *lists[CRM_SERIES_FILE_LISTS]; /* sets with different dimensions */
  size_t n_lists;
  const struct crm_series_set *last; /* its list is known */
  size_t last_list;
  struct crm_dict texts;
  struct crm_strbuf series;
};

static bool same_dimensions(const struct crm_series_set *a, const struct crm_series_set *b) {
  bool same = a->n_dimensions == b->n_dimensions;
  for (size_t d = 0; same && d < a->n_dimensions; d++)
    same = strcmp(a->dimensions[d], b->dimensions[d]) == 0;
  return same;
}

static enum crm_status find_list(struct writer *w, const struct crm_series_set *set) {
  if (set == w->last)
    return CRM_OK;
  size_t i = 0;
  while (i < w->n_lists && !same_dimensions(w->lists[i], set))
    i++;
  if (i == CRM_SERIES_FILE_LISTS)
    return CRM_ERR_LIMIT;
  if (i == w->n_lists)
    w->lists[w->n_lists++] = set;
  w->last = set;
  w->last_list = i;
  return CRM_OK;
}

static enum crm_status add_series(struct writer *w, const struct crm_pick *pick) {
  const struct crm_series_set *set = pick->set;
  const struct crm_sample *s = &set->samples[pick->sample];
  const struct crm_number *value = &s->value;
  const char *family = crm_family_info((enum crm_family)s->family)->name;
  uint32_t text = 0;
  enum crm_status status = find_list(w, set);
  if (status == CRM_OK)
    status = crm_dict_add(&w->texts, family, strlen(family), &text);
  if (status != CRM_OK)
    return status;
  add_varint(&w->series, w->last_list);
  add_varint(&w->series, text);
  crm_strbuf_addc(&w->series, (char)((pick->stale ? FLAG_STALE : 0) | (value->den == 0 ? FLAG_REAL : 0)));
  add_varint(&w->series, s->n_labels);
  for (size_t i = 0; i < s->n_labels; i++) {
    uint32_t from = set->label_values[s->labels + i];
    status = crm_dict_add(&w->texts, crm_dict_text(&set->text, from), crm_dict_len(&set->text, from), &text);
    if (status != CRM_OK)
      return status;
    add_varint(&w->series, text);
  }
  if (pick->stale)
    return CRM_OK;
  if (value->den == 0) {
    uint64_t bits = 0;
    char buf[8];
    memcpy(&bits, &value->real, sizeof(bits));
    put_le(buf, bits, 8);
    crm_strbuf_add(&w->series, buf, 8);
  } else {
    add_varint(&w->series, ((uint64_t)value->num << 1) ^ (uint64_t)(value->num >> 63));
    add_varint(&w->series, (uint64_t)value->den);
  }
  return CRM_OK;
}

static void add_tables(const struct writer *w, struct crm_strbuf *raw) {
  add_varint(raw, w->n_lists);
  for (size_t i = 0; i < w->n_lists; i++) {
    add_varint(raw, w->lists[i]->n_dimensions);
    for (size_t d = 0; d < w->lists[i]->n_dimensions; d++)
      add_text(raw, w->lists[i]->dimensions[d], strlen(w->lists[i]->dimensions[d]));
  }
  add_varint(raw, w->texts.count);
  for (uint32_t t = 0; t < w->texts.count; t++)
    add_text(raw, crm_dict_text(&w->texts, t), crm_dict_len(&w->texts, t));
}

static enum crm_status finish(crm_time at, size_t n, const struct crm_strbuf *raw, struct crm_strbuf *out) {
  size_t len = snappy_max_compressed_length(raw->len);
  char *body = malloc(len);
  if (body == NULL || snappy_compress(raw->data, raw->len, body, &len) != SNAPPY_OK) {
    free(body);
    return CRM_ERR_MEMORY;
  }
  char header[CRM_SERIES_FILE_HEADER] = "CRMB";
  put_le(header + AT_VERSION, FORMAT_VERSION, 2);
  put_le(header + AT_INSTANT, (uint64_t)at, 8);
  put_le(header + AT_SERIES, n, 4);
  put_le(header + AT_BODY, len, 4);
  put_le(header + AT_RAW, raw->len, 4);
  put_le(header + AT_CRC, checksum(header, body, len), 4);
  crm_strbuf_reset(out);
  crm_strbuf_add(out, header, sizeof(header));
  crm_strbuf_add(out, body, len);
  free(body);
  return crm_strbuf_ok(out) ? CRM_OK : CRM_ERR_MEMORY;
}

enum crm_status crm_series_file_write(crm_time at, const struct crm_pick *picks, size_t n, struct crm_strbuf *out, struct crm_error *err) {
  struct writer w = {0};
  struct crm_strbuf raw;
  crm_strbuf_init(&w.series, CRM_SERIES_FILE_MAX);
  crm_strbuf_init(&raw, CRM_SERIES_FILE_MAX);
  enum crm_status status = n <= UINT32_MAX ? crm_dict_init(&w.texts) : CRM_ERR_LIMIT;
  for (size_t i = 0; status == CRM_OK && i < n; i++)
    status = add_series(&w, &picks[i]);
  if (status == CRM_OK) {
    add_tables(&w, &raw);
    if (w.series.len > 0)
      crm_strbuf_add(&raw, w.series.data, w.series.len);
    status = crm_strbuf_ok(&raw) && crm_strbuf_ok(&w.series) ? finish(at, n, &raw, out) : CRM_ERR_MEMORY;
  }
  crm_dict_free(&w.texts);
  crm_strbuf_free(&w.series);
  crm_strbuf_free(&raw);
  if (status != CRM_OK)
    crm_error_set(err, status, status == CRM_ERR_LIMIT ? "series of too many kinds for one file" : "out of memory");
  return status;
}

/* --- reading ----------------------------------------------------------------------------------------------------------------------- */

struct reader {
  const char *at, *end;
  bool bad;
};

static uint64_t take_varint(struct reader *r) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && r->at < r->end; shift += 7) {
    unsigned char c = (unsigned char)*r->at++;
    value |= (uint64_t)(c & 0x7f) << shift;
    if (c < 0x80)
      return value;
  }
  r->bad = true;
  return 0;
}

/* A number of things of which each takes at least `bytes` of what is left, so that no number makes us ask for absurd memory. */
static size_t take_count(struct reader *r, size_t bytes) {
  uint64_t n = take_varint(r);
  if (n > (size_t)(r->end - r->at) / bytes)
    r->bad = true;
  return r->bad ? 0 : (size_t)n;
}

static const char *take_text(struct reader *r, size_t *len) {
  *len = take_count(r, 1);
  const char *text = r->at;
  if (!r->bad && memchr(text, '\0', *len) != NULL)
    r->bad = true; /* label values are C strings */
  if (r->bad)
    return NULL;
  r->at += *len;
  return text;
}

/* Texts of a file, and where they are in the dictionary of each of its sets. */
struct texts {
  struct slice {
    const char *text;
    size_t len;
    uint32_t number[CRM_SERIES_FILE_LISTS];
    enum crm_family family;
    bool family_known;
  } * list;
  size_t n;
};

static enum crm_status read_lists(struct reader *r, struct crm_series_file *file) {
  file->n_sets = take_count(r, 1);
  if (r->bad || file->n_sets > CRM_SERIES_FILE_LISTS) {
    file->n_sets = 0;
    return CRM_ERR_DATA;
  }
  size_t made = 0;
  enum crm_status status = CRM_OK;
  for (; status == CRM_OK && made < file->n_sets; made++) {
    struct crm_series_set *set = &file->sets[made];
    status = crm_set_init(set);
    set->at = file->at;
    size_t dimensions = take_count(r, 1);
    if (status == CRM_OK && (r->bad || dimensions > CRM_DIMENSIONS_MAX))
      status = CRM_ERR_DATA;
    for (size_t d = 0; status == CRM_OK && d < dimensions; d++) {
      size_t len = 0;
      uint32_t number = 0;
      const char *name = take_text(r, &len);
      status = name == NULL ? CRM_ERR_DATA : crm_dict_add(&set->text, name, len, &number);
      /* Numbers are in order of coming, and a name twice or an empty one is no set of ours. */
      if (status == CRM_OK && number != d + 1)
        status = CRM_ERR_DATA;
    }
    set->n_dimensions = status == CRM_OK ? dimensions : 0;
  }
  file->n_sets = made;
  return status;
}

static enum crm_status read_texts(struct reader *r, struct texts *texts) {
  size_t n = take_count(r, 1);
  if (r->bad)
    return CRM_ERR_DATA;
  texts->list = calloc(n > 0 ? n : 1, sizeof(*texts->list));
  if (texts->list == NULL)
    return CRM_ERR_MEMORY;
  texts->n = n;
  for (size_t i = 0; i < n; i++) {
    struct slice *slice = &texts->list[i];
    slice->text = take_text(r, &slice->len);
    for (int k = 0; k < CRM_SERIES_FILE_LISTS; k++)
      slice->number[k] = CRM_DICT_NONE;
    slice->family = CRM_FAMILIES;
  }
  return r->bad ? CRM_ERR_DATA : CRM_OK;
}

static struct slice *take_slice(struct reader *r, const struct texts *texts) {
  uint64_t i = take_varint(r);
  if (i >= texts->n)
    r->bad = true;
  return r->bad ? NULL : &texts->list[i];
}

static enum crm_family family_of(struct slice *slice) {
  char name[128];
  if (!slice->family_known && slice->len < sizeof(name)) {
    memcpy(name, slice->text, slice->len);
    name[slice->len] = '\0';
    slice->family = crm_family_by_name(name);
  }
  slice->family_known = true;
  return slice->family;
}

static enum crm_status read_series(struct reader *r, struct crm_series_file *file, const struct texts *texts) {
  uint32_t labels[1 + CRM_DIMENSIONS_MAX + 1 + CRM_FAMILY_LABELS];
  uint64_t list = take_varint(r);
  struct slice *name = take_slice(r, texts);
  if (r->bad || list >= file->n_sets || r->at == r->end)
    return CRM_ERR_DATA;
  struct crm_series_set *set = &file->sets[list];
  int flags = *r->at++;
  size_t n = take_count(r, 1);
  if (r->bad || n > sizeof(labels) / sizeof(labels[0]) || (flags & ~(FLAG_STALE | FLAG_REAL)) != 0)
    return CRM_ERR_DATA;
  for (size_t i = 0; i < n; i++) {
    struct slice *value = take_slice(r, texts);
    if (value == NULL)
      return CRM_ERR_DATA;
    if (value->number[list] == CRM_DICT_NONE) {
      enum crm_status status = crm_dict_add(&set->text, value->text, value->len, &value->number[list]);
      if (status != CRM_OK)
        return CRM_ERR_MEMORY;
    }
    labels[i] = value->number[list];
  }
  struct crm_number value = crm_number_int(0);
  if ((flags & FLAG_STALE) == 0 && (flags & FLAG_REAL) != 0) {
    if (r->end - r->at < 8)
      return CRM_ERR_DATA;
    uint64_t bits = get_le(r->at, 8);
    r->at += 8;
    value = crm_number_real(0);
    memcpy(&value.real, &bits, sizeof(bits));
    if (!isfinite(value.real))
      return CRM_ERR_DATA;
  } else if ((flags & FLAG_STALE) == 0) {
    uint64_t zigzag = take_varint(r), den = take_varint(r);
    if (r->bad || den == 0 || den > INT64_MAX)
      return CRM_ERR_DATA;
    value = crm_number_ratio((int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1), (int64_t)den);
  }
  enum crm_family family = family_of(name);
  if (family == CRM_FAMILIES) {
    file->n_unknown++;
    return CRM_OK;
  }
  enum crm_status status = crm_set_add_ids(set, family, labels, n, value);
  if (status == CRM_ERR_DATA) { /* in this version of the catalogue the family has other labels */
    file->n_unknown++;
    return CRM_OK;
  }
  if (status == CRM_OK)
    file->picks[file->n++] = (struct crm_pick){.set = set, .sample = (uint32_t)(set->n - 1), .stale = (flags & FLAG_STALE) != 0};
  return status;
}

static enum crm_status read_body(struct reader *r, size_t n, struct crm_series_file *file) {
  struct texts texts = {0};
  enum crm_status status = read_lists(r, file);
  if (status == CRM_OK)
    status = read_texts(r, &texts);
  if (status == CRM_OK && n > (size_t)(r->end - r->at) / 4)
    status = CRM_ERR_DATA; /* a series takes four bytes at least */
  if (status == CRM_OK) {
    file->picks = malloc((n > 0 ? n : 1) * sizeof(*file->picks));
    status = file->picks != NULL ? CRM_OK : CRM_ERR_MEMORY;
  }
  for (size_t i = 0; status == CRM_OK && i < n; i++)
    status = read_series(r, file, &texts);
  if (status == CRM_OK && r->at != r->end)
    status = CRM_ERR_DATA;
  for (size_t k = 0; k < file->n_sets; k++) /* now the texts do not move any more */
    for (size_t d = 0; d < file->sets[k].n_dimensions; d++)
      file->sets[k].dimensions[d] = crm_dict_text(&file->sets[k].text, (uint32_t)(d + 1));
  free(texts.list);
  return status;
}

enum crm_status crm_series_file_read(const char *data, size_t len, struct crm_series_file *file, struct crm_error *err) {
  *file = (struct crm_series_file){0};
  if (len < CRM_SERIES_FILE_HEADER || memcmp(data, "CRMB", 4) != 0)
    return crm_error_set(err, CRM_ERR_DATA, "it is no file of series");
  if (get_le(data + AT_VERSION, 2) != FORMAT_VERSION)
    return crm_error_set(err, CRM_ERR_DATA, "it was written by another version");
  const char *body = data + CRM_SERIES_FILE_HEADER;
  size_t body_len = len - CRM_SERIES_FILE_HEADER, raw_len = get_le(data + AT_RAW, 4), told_len = 0;
  if (get_le(data + AT_BODY, 4) != body_len || get_le(data + AT_CRC, 4) != checksum(data, body, body_len))
    return crm_error_set(err, CRM_ERR_DATA, "its length or checksum is wrong");
  /* Snappy makes at most 64 bytes of 3. */
  if (raw_len > CRM_SERIES_FILE_MAX || raw_len / 22 > body_len || snappy_uncompressed_length(body, body_len, &told_len) != SNAPPY_OK ||
      told_len != raw_len)
    return crm_error_set(err, CRM_ERR_DATA, "its lengths make no sense");
  char *raw = malloc(raw_len > 0 ? raw_len : 1);
  if (raw == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  enum crm_status status = CRM_ERR_DATA;
  if (snappy_uncompress(body, body_len, raw, &raw_len) == SNAPPY_OK) {
    struct reader r = {raw, raw + raw_len, false};
    file->at = (crm_time)get_le(data + AT_INSTANT, 8);
    status = read_body(&r, get_le(data + AT_SERIES, 4), file);
  }
  free(raw);
  if (status != CRM_OK) {
    crm_series_file_free(file);
    crm_error_set(err, status, status == CRM_ERR_MEMORY ? "out of memory" : "its contents make no sense");
  }
  return status;
}

void crm_series_file_free(struct crm_series_file *file) {
  for (size_t i = 0; i < file->n_sets; i++)
    crm_set_free(&file->sets[i]);
  free(file->picks);
  *file = (struct crm_series_file){0};
}
