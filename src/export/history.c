/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/history.h"

#include <inttypes.h>
#include <string.h>

#include "export/text.h"
#include "series/flat_values.h"

/* collectd's DATA_MAX_NAME_LEN less the NUL: a longer name is never sent live, so it has no past either. */
enum { TYPE_INSTANCE_MAX = 127 };

void crm_history_openmetrics_family(enum crm_family family, struct crm_strbuf *out) {
  const struct crm_family_info *info = crm_family_info(family);
  crm_strbuf_addf(out, "# TYPE %s gauge\n# HELP %s ", info->name, info->name);
  crm_export_escape(out, info->help, true);
  crm_strbuf_addc(out, '\n');
}

void crm_history_openmetrics_sample(const struct crm_series_set *set, const struct crm_sample *sample, const struct crm_name_value *labels,
                                    size_t n_labels, struct crm_strbuf *out) {
  char number[32];
  crm_format_number(&sample->value, number);
  crm_export_series(set, sample, labels, n_labels, out);
  crm_strbuf_addf(out, " %s %" PRId64, number, set->at / CRM_US_PER_SECOND);
  if (set->at % CRM_US_PER_SECOND != 0)
    crm_strbuf_addf(out, ".%06" PRId64, set->at % CRM_US_PER_SECOND);
  crm_strbuf_addc(out, '\n');
}

void crm_history_json_line(const struct crm_series_set *set, const struct crm_sample *sample, const struct crm_name_value *labels,
                           size_t n_labels, struct crm_strbuf *out) {
  char number[32];
  crm_format_number(&sample->value, number);
  crm_strbuf_adds(out, "{\"metric\":");
  crm_export_json_series(set, sample, labels, n_labels, out);
  crm_strbuf_addf(out, ",\"values\":[%s],\"timestamps\":[%" PRId64 "]}\n", number, set->at / 1000);
}

enum crm_status crm_history_graphite_path(const char *path, struct crm_error *err) {
  bool tenant = false;
  bool name = false;
  for (const char *c = path; *c != '\0'; c++) {
    if (*c == '%') {
      c++;
      tenant = tenant || *c == 'T';
      name = name || *c == 'N';
      if (*c != 'T' && *c != 'N')
        return crm_error_set(err, CRM_ERR_CONFIG, "\"%.200s\": only %%T (tenant) and %%N (name) may stand behind %%", path);
    } else if (strchr(" \t\r\n\";~=!", *c) != NULL || (unsigned char)*c < 0x20)
      return crm_error_set(err, CRM_ERR_CONFIG, "\"%.200s\": no blanks, quotes, control characters, or any of ; ~ = !", path);
  }
  if (!tenant || !name)
    return crm_error_set(err, CRM_ERR_CONFIG, "\"%.200s\": %s is missing", path, tenant ? "%N (the name)" : "%T (the tenant)");
  return CRM_OK;
}

static void add_path(struct crm_strbuf *out, const char *path, const struct crm_flat_value *value) {
  for (const char *c = path; *c != '\0'; c++) {
    if (*c != '%')
      crm_strbuf_addc(out, *c);
    else
      crm_strbuf_adds(out, *++c == 'T' ? value->plugin_instance : value->type_instance);
  }
}

enum crm_status crm_history_graphite(const struct crm_series_set *set, size_t max_breakdowns, const char *path, struct crm_strbuf *out,
                                     size_t *n) {
  struct crm_flat_values values;
  enum crm_status status = crm_flat_values_make(set, max_breakdowns, TYPE_INSTANCE_MAX, &values);
  *n = 0;
  for (size_t i = 0; status == CRM_OK && i < values.n; i++) {
    if (values.list[i].plugin_instance == NULL || values.list[i].type_instance == NULL)
      continue;
    char number[32];
    struct crm_number value = crm_number_real(values.list[i].value);
    crm_format_number(&value, number);
    add_path(out, path, &values.list[i]);
    crm_strbuf_addf(out, " %s %" PRId64 "\n", number, set->at / CRM_US_PER_SECOND);
    ++*n;
  }
  crm_flat_values_free(&values);
  return status;
}
