/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/text.h"

#include <string.h>

#include "base/utf8.h"
#include "export/exposition.h"

/* --- what both formats share -------------------------------------------------------------------------------------------- */

/* Text that needs no escape goes out as it is. Bytes that are not UTF-8, which would make a reader refuse the whole answer, become '?'. */
static void add_plain(struct crm_strbuf *out, const char *text, size_t len, bool valid) {
  if (valid) {
    crm_strbuf_add(out, text, len);
    return;
  }
  for (size_t i = 0; i < len; i++)
    crm_strbuf_addc(out, (unsigned char)text[i] < 0x80 ? text[i] : '?');
}

/* Metric and label names are constants of the catalogue; one that a parser refuses would take all the others with it. */
static bool valid_name(const char *name, bool colon) {
  if (*name == '\0' || (*name >= '0' && *name <= '9'))
    return false;
  for (const char *c = name; *c != '\0'; c++)
    if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_' || (colon && *c == ':')))
      return false;
  return true;
}

bool crm_export_valid(const struct crm_series_set *set, const struct crm_sample *s) {
  if (!valid_name(crm_family_info((enum crm_family)s->family)->name, true))
    return false;
  for (size_t i = 0; i < s->n_labels; i++)
    if (!valid_name(crm_set_label_name(set, (enum crm_family)s->family, i), false))
      return false;
  return true;
}

/* --- Prometheus text format 0.0.4 ----------------------------------------------------------------------------------------- */

void crm_export_escape(struct crm_strbuf *out, const char *text, bool quotes) {
  bool valid = crm_utf8_valid(text, strlen(text));
  for (;; text++) {
    size_t plain = strcspn(text, quotes ? "\\\n\"" : "\\\n");
    add_plain(out, text, plain, valid);
    text += plain;
    if (*text == '\0')
      return;
    crm_strbuf_adds(out, *text == '\n' ? "\\n" : *text == '"' ? "\\\"" : "\\\\");
  }
}

/* True if the series has a label of that name. */
static bool has_label(const struct crm_series_set *set, const struct crm_sample *s, const char *name) {
  for (size_t l = 0; l < s->n_labels; l++)
    if (strcmp(crm_set_label_name(set, (enum crm_family)s->family, l), name) == 0)
      return true;
  return false;
}

static void add_label(struct crm_strbuf *out, const char *name, const char *value, bool first) {
  crm_strbuf_addf(out, "%c%s=\"", first ? '{' : ',', name);
  crm_export_escape(out, value, true);
  crm_strbuf_addc(out, '"');
}

void crm_export_series(const struct crm_series_set *set, const struct crm_sample *s, const struct crm_name_value *labels, size_t n,
                       struct crm_strbuf *out) {
  bool first = true;
  crm_strbuf_adds(out, crm_family_info((enum crm_family)s->family)->name);
  for (size_t l = 0; l < s->n_labels; l++, first = false)
    add_label(out, crm_set_label_name(set, (enum crm_family)s->family, l), crm_set_label_value(set, s, l), first);
  for (size_t l = 0; l < n; l++) {
    if (has_label(set, s, labels[l].name))
      continue;
    add_label(out, labels[l].name, labels[l].value, first);
    first = false;
  }
  if (!first)
    crm_strbuf_addc(out, '}');
}

void crm_export_text(const struct crm_series_set *set, struct crm_strbuf *out) {
  const struct crm_exposition_options options = {.format = CRM_EXPOSITION_TEXT, .per_account = true};
  if (crm_exposition(&set, 1, &options, NULL, out) != CRM_OK)
    crm_strbuf_fail(out);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------------ */

static bool json_plain(char c) {
  return (unsigned char)c >= 0x20 && c != 0x7f && c != '"' && c != '\\';
}

static void add_json_string(struct crm_strbuf *out, const char *text) {
  bool valid = crm_utf8_valid(text, strlen(text));
  crm_strbuf_addc(out, '"');
  for (;; text++) {
    size_t plain = 0;
    while (json_plain(text[plain]))
      plain++;
    add_plain(out, text, plain, valid);
    text += plain;
    if (*text == '\0')
      break;
    if (*text == '"' || *text == '\\')
      crm_strbuf_addf(out, "\\%c", *text);
    else
      crm_strbuf_addf(out, "\\u%04x", (unsigned)(unsigned char)*text);
  }
  crm_strbuf_addc(out, '"');
}

static void add_json_label(struct crm_strbuf *out, const char *name, const char *value) {
  crm_strbuf_adds(out, ", ");
  add_json_string(out, name);
  crm_strbuf_adds(out, ": ");
  add_json_string(out, value);
}

void crm_export_json_series(const struct crm_series_set *set, const struct crm_sample *s, const struct crm_name_value *labels, size_t n,
                            struct crm_strbuf *out) {
  crm_strbuf_adds(out, "{\"__name__\": ");
  add_json_string(out, crm_family_info((enum crm_family)s->family)->name);
  for (size_t l = 0; l < s->n_labels; l++)
    if (crm_set_label_value(set, s, l)[0] != '\0')
      add_json_label(out, crm_set_label_name(set, (enum crm_family)s->family, l), crm_set_label_value(set, s, l));
  for (size_t l = 0; l < n; l++)
    if (!has_label(set, s, labels[l].name))
      add_json_label(out, labels[l].name, labels[l].value);
  crm_strbuf_addc(out, '}');
}

void crm_export_json(const struct crm_series_set *set, struct crm_strbuf *out) {
  crm_strbuf_adds(out, "{\"at\": ");
  if (set->at == CRM_TIME_NONE) {
    crm_strbuf_adds(out, "null");
  } else {
    char at[32];
    crm_time_format(set->at, at);
    add_json_string(out, at);
  }
  crm_strbuf_adds(out, ", \"series\": [");
  for (size_t i = 0; i < set->n; i++) {
    const struct crm_sample *s = &set->samples[i];
    crm_strbuf_adds(out, i == 0 ? "\n{\"name\": " : ",\n{\"name\": ");
    add_json_string(out, crm_family_info((enum crm_family)s->family)->name);
    crm_strbuf_adds(out, ", \"labels\": {");
    for (size_t l = 0; l < s->n_labels; l++) {
      if (l > 0)
        crm_strbuf_adds(out, ", ");
      add_json_string(out, crm_set_label_name(set, (enum crm_family)s->family, l));
      crm_strbuf_adds(out, ": ");
      add_json_string(out, crm_set_label_value(set, s, l));
    }
    char number[32];
    crm_format_number(&s->value, number);
    crm_strbuf_addf(out, "}, \"value\": %s}", number);
  }
  crm_strbuf_adds(out, "\n]}\n");
}
