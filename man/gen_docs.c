/* SPDX-License-Identifier: MIT */
/* Makes what the manual and the sample file say about options, relations and metrics from the tables that the code runs on:
 *
 *   gen_docs page TEMPLATE   copies a POD page and puts the lists where it says "=for crm options|relations|metrics"
 *   gen_docs sample          prints contrib/collectd/crm.conf
 */
#include "crm_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options/option_table.h"
#include "series/catalogue.h"
#include "series/flat_name.h"

static const char *kind_name(enum crm_column_kind kind) {
  switch (kind) {
  case CRM_COL_TEXT:
    return "text, or an enum, uuid or integer";
  case CRM_COL_TEXTS:
    return "an array of text";
  case CRM_COL_TIME:
    return "timestamptz or date";
  case CRM_COL_DAY:
    return "date";
  case CRM_COL_NUMBER:
    return "any number";
  case CRM_COL_MONEY:
    return "any number, in major units";
  default:
    return "boolean";
  }
}

static void add_relations(struct crm_strbuf *out) {
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_relation_info *info = crm_relation_info((enum crm_relation)r);
    crm_strbuf_addf(out, "=head2 %s\n\n%s%s\n\n=over 4\n\n", info->name, info->help, info->help[strlen(info->help) - 1] == '.' ? "" : ".");
    for (size_t c = 0; c < info->n_columns; c++) {
      const struct crm_column *column = &info->columns[c];
      crm_strbuf_addf(out, "=item B<%s>%s - %s\n\n%s.", column->name, column->required ? " (required)" : "", kind_name(column->kind),
                      column->help);
      if (column->kind == CRM_COL_NUMBER && column->min < column->max)
        crm_strbuf_addf(out, " A row outside %.15g to %.15g is refused.", column->min, column->max);
      crm_strbuf_adds(out, "\n\n");
    }
    crm_strbuf_adds(out, "=back\n\n");
  }
}

/* A believable value for a label, so that the examples read like real ones. */
static const char *example_of(const char *label, const char *family) {
  static const char *const examples[][2] = {
      {"account", "4711"},
      {"account_name", "Example Ltd"},
      {"account_owner", "ann"},
      {"account_region", "emea"},
      {"age", "3"},
      {"band", "healthy"},
      {"category", "promoter"},
      {"cohort", "2026-03"},
      {"collectd", "5.12.0"},
      {"currency", "USD"},
      {"dimension", "segment"},
      {"indicator", "missed_meetings"},
      {"industry", "software"},
      {"input", "login_frequency"},
      {"kind", "expansion"},
      {"le", "80"},
      {"month", "2026-03"},
      {"phase", "read"},
      {"reason", "out_of_range"},
      {"relation", "usage"},
      {"segment", "enterprise"},
      {"status", "active"},
      {"tenant", "acme"},
      {"version", CRM_VERSION},
      {"window", "30d"},
  };
  if (strcmp(label, "factor") == 0)
    return strncmp(family, "crm_churn", 9) == 0 || strstr(family, "_churn_") != NULL ? "engagement_reduction" : "product_usage";
  if (strcmp(label, "kind") == 0 && strncmp(family, "crm_series", 10) == 0)
    return "cell";
  for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++)
    if (strcmp(examples[i][0], label) == 0)
      return examples[i][1];
  return label;
}

/* One sample of each family, in cells by segment and account owner. */
static enum crm_status example_set(struct crm_series_set *set) {
  set->dimensions[0] = "segment";
  set->dimensions[1] = "account_owner";
  set->n_dimensions = 2;
  for (int f = 0; f < CRM_FAMILIES; f++) {
    const struct crm_family_info *info = crm_family_info((enum crm_family)f);
    const char *labels[CRM_FAMILY_LABELS + 1 + CRM_DIMENSIONS_MAX];
    size_t n = 0;
    labels[n++] = "acme";
    if (info->scope == CRM_SCOPE_CELL)
      for (size_t d = 0; d < set->n_dimensions; d++)
        labels[n++] = example_of(set->dimensions[d], info->name);
    if (info->scope == CRM_SCOPE_ACCOUNT)
      labels[n++] = example_of("account", info->name);
    for (size_t l = 0; l < crm_family_label_count((enum crm_family)f); l++)
      labels[n++] = example_of(info->labels[l], info->name);
    enum crm_status status = crm_set_add(set, (enum crm_family)f, labels, n, crm_number_int(1));
    if (status != CRM_OK)
      return status;
  }
  return crm_set_sort(set);
}

static void add_family(struct crm_strbuf *out, const struct crm_series_set *set, size_t i, const char *flat) {
  static const char *const kinds[] = {"gauge", "counter", "distribution"};
  const struct crm_sample *sample = &set->samples[i];
  const struct crm_family_info *info = crm_family_info((enum crm_family)sample->family);
  crm_strbuf_addf(out, "=item B<%s> (%s%s%s%s)\n\n%s\n\n  %s{", info->name, kinds[info->kind], info->unit[0] != '\0' ? ", " : "",
                  info->unit, info->derived ? "; not of a shard" : "", info->help, info->name);
  for (size_t l = 0; l < sample->n_labels; l++)
    crm_strbuf_addf(out, "%s%s=\"%s\"", l == 0 ? "" : ",", crm_set_label_name(set, (enum crm_family)sample->family, l),
                    crm_set_label_value(set, sample, l));
  crm_strbuf_adds(out, "}\n");
  if (flat == NULL) {
    crm_strbuf_addc(out, '\n');
    return;
  }
  crm_strbuf_addf(out, "  collectd_crm_gauge{crm=\"acme\",type=\"%s\",instance=\"HOST\"}\n  HOST.crm-acme.gauge-", flat);
  for (const char *p = flat; *p != '\0'; p++)
    crm_strbuf_addc(out, *p == '.' ? '_' : *p);
  crm_strbuf_adds(out, "\n\n");
}

/* The names are those of the exporters' own code: the same set is rolled up and named as the module does it. */
static enum crm_status add_metrics(struct crm_strbuf *out) {
  struct crm_series_set set, total;
  struct crm_flat_names *names = NULL;
  if (crm_set_init(&set) != CRM_OK)
    return CRM_ERR_MEMORY;
  enum crm_status status = crm_set_init(&total);
  if (status != CRM_OK) {
    crm_set_free(&set);
    return status;
  }
  status = example_set(&set);
  if (status == CRM_OK)
    status = crm_set_roll_up(&set, -1, &total);
  if (status == CRM_OK)
    status = crm_flat_names_new(&total, &names);
  crm_strbuf_adds(out, "=over 4\n\n");
  for (size_t i = 0; i < set.n && status == CRM_OK; i++) {
    const char *flat = NULL;
    for (size_t j = 0; j < total.n; j++)
      if (total.samples[j].family == set.samples[i].family)
        flat = crm_flat_name(names, j, 127);
    add_family(out, &set, i, flat);
  }
  crm_strbuf_adds(out, "=back\n\n");
  crm_flat_names_free(names);
  crm_set_free(&total);
  crm_set_free(&set);
  return status;
}

static int make_page(const char *template, struct crm_strbuf *out) {
  FILE *f = fopen(template, "r");
  if (f == NULL) {
    perror(template);
    return EXIT_FAILURE;
  }
  char line[4096];
  enum crm_status status = CRM_OK;
  while (status == CRM_OK && fgets(line, sizeof(line), f) != NULL) {
    if (strcmp(line, "=for crm options\n") == 0)
      crm_options_pod(out);
    else if (strcmp(line, "=for crm relations\n") == 0)
      add_relations(out);
    else if (strcmp(line, "=for crm metrics\n") == 0)
      status = add_metrics(out);
    else
      crm_strbuf_adds(out, line);
  }
  fclose(f);
  if (status != CRM_OK)
    fprintf(stderr, "gen_docs: the list of metrics cannot be made: %s\n", crm_status_name(status));
  return status == CRM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
  struct crm_strbuf out;
  int result = EXIT_FAILURE;
  crm_strbuf_init(&out, 16 << 20);
  if (argc == 3 && strcmp(argv[1], "page") == 0)
    result = make_page(argv[2], &out);
  else if (argc == 2 && strcmp(argv[1], "sample") == 0) {
    crm_options_sample(&out);
    result = EXIT_SUCCESS;
  } else
    fprintf(stderr, "usage: gen_docs page TEMPLATE | gen_docs sample\n");
  if (result == EXIT_SUCCESS &&
      (!crm_strbuf_ok(&out) || fwrite(crm_strbuf_str(&out), 1, out.len, stdout) != out.len || fflush(stdout) != 0))
    result = EXIT_FAILURE;
  crm_strbuf_free(&out);
  return result;
}
