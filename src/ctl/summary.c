/* SPDX-License-Identifier: MIT */
/* The DashboardStats of the requirements: as a table with a row per tenant, or as exactly that object. */
#include "ctl/ctl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/evaluate.h"
#include "base/utf8.h"
#include "export/text.h"
#include "facts/money.h"

enum { OUTPUT_MAX = 16 << 20, CELL = 48, COLUMNS = 11 };

const char crm_ctl_summary_help[] = "Usage: crmctl [OPTIONS] summary [--json] [--at TIME] [--tenant NAME] [--currency CODE]\n"
                                    "\n"
                                    "Reads the CRM once and prints what a dashboard shows first. It only reads.\n"
                                    "\n"
                                    "  --json             one object: totalAccounts, activeAccounts, atRiskAccounts, churnedAccounts,\n"
                                    "                     averageHealthScore, averageChurnRisk, totalARR, npsScore;\n"
                                    "                     null is what cannot be told (nothing scored, several currencies)\n"
                                    "  --at TIME          as of that instant, e.g. 2026-03-01T12:00:00Z; now if not given\n"
                                    "  --tenant NAME      of this tenant only; of all of them if not given\n"
                                    "  --currency CODE    show the revenue in this currency; amounts are never converted or mixed\n"
                                    "\n"
                                    "All options: crmctl --help\n"
                                    "Exit status: 0 all there, 1 a relation was left out (stderr says which), 2 could not run.\n";

struct row {
  char cell[COLUMNS][CELL];
};

/* Letters that stand beside each other; a byte that continues one adds nothing. */
static int width(const char *text) {
  int n = 0;
  for (; *text != '\0'; text++)
    n += ((unsigned char)*text & 0xc0) != 0x80;
  return n;
}

static void set_number(char cell[CELL], double value, int decimals, const char *unit) {
  if (isnan(value))
    snprintf(cell, CELL, "-");
  else
    snprintf(cell, CELL, "%.*f%s%s", decimals, value, unit[0] != '\0' ? " " : "", unit);
}

static void set_row(struct row *row, const char *name, const struct crm_dashboard_stats *stats) {
  const uint64_t counts[] = {stats->total_accounts,   stats->active_accounts,     stats->at_risk_accounts,
                             stats->churned_accounts, stats->onboarding_accounts, stats->unknown_accounts};
  snprintf(row->cell[0], CELL, "%s", name);
  row->cell[0][crm_utf8_cut(name, strlen(name), CELL - 1)] = '\0';
  for (int i = 0; i < 6; i++)
    snprintf(row->cell[1 + i], CELL, "%llu", (unsigned long long)counts[i]);
  set_number(row->cell[7], stats->average_health_score, 1, "");
  set_number(row->cell[8], stats->average_churn_risk, 1, "");
  set_number(row->cell[9], stats->total_arr, 2, stats->currency);
  if (isnan(stats->total_arr) && stats->currencies > 1)
    snprintf(row->cell[9], CELL, "%u currencies", stats->currencies);
  set_number(row->cell[10], stats->nps_score, 0, "");
}

/* The first column to the left, the others to the right. */
static void add_line(struct crm_strbuf *out, const struct row *row, const int *widths) {
  for (int c = 0; c < COLUMNS; c++) {
    int gap = widths[c] - width(row->cell[c]);
    crm_strbuf_addf(out, "%s%*s%s%*s", c == 0 ? "" : "  ", c == 0 ? 0 : gap, "", row->cell[c], c == 0 ? gap : 0, "");
  }
  crm_strbuf_addc(out, '\n');
}

/* The tenants' names, in the order of the set, into which they point. */
static size_t find_tenants(const struct crm_series_set *set, const char **tenants, size_t cap) {
  size_t n = 0;
  for (size_t i = 0; i < set->n; i++) {
    if (set->samples[i].family != CRM_FAM_ACCOUNTS)
      continue;
    const char *tenant = crm_set_label_value(set, &set->samples[i], 0);
    if ((n == 0 || strcmp(tenants[n - 1], tenant) != 0) && n < cap)
      tenants[n++] = tenant;
  }
  return n;
}

static bool add_table(struct crm_strbuf *out, const struct crm_series_set *set, const char *const *tenants, size_t n, const char *only,
                      const char *currency) {
  static const struct row titles = {
      {"TENANT", "ACCOUNTS", "ACTIVE", "AT RISK", "CHURNED", "ONBOARDING", "UNKNOWN", "HEALTH", "CHURN RISK", "ARR", "NPS"}};
  bool all = only == NULL && n != 1;
  struct row *rows = calloc(1 + n + all, sizeof(*rows));
  if (rows == NULL)
    return false;
  size_t used = 0;
  rows[used++] = titles;
  for (size_t t = 0; t < n + all; t++) {
    if (t < n && only != NULL && strcmp(tenants[t], only) != 0)
      continue;
    struct crm_dashboard_stats stats;
    crm_dashboard_stats(set, t < n ? tenants[t] : NULL, currency, &stats);
    set_row(&rows[used++], t < n ? tenants[t] : "all", &stats);
  }
  int widths[COLUMNS] = {0};
  for (size_t r = 0; r < used; r++)
    for (int c = 0; c < COLUMNS; c++)
      if (width(rows[r].cell[c]) > widths[c])
        widths[c] = width(rows[r].cell[c]);
  for (size_t r = 0; r < used; r++)
    add_line(out, &rows[r], widths);
  free(rows);
  return true;
}

static void add_field(struct crm_strbuf *out, const char *name, double value) {
  char text[32] = "null";
  if (!isnan(value)) {
    struct crm_number number = crm_number_real(value);
    crm_format_number(&number, text);
  }
  crm_strbuf_addf(out, ",\"%s\":%s", name, text);
}

static void add_json(struct crm_strbuf *out, const struct crm_dashboard_stats *stats) {
  crm_strbuf_addf(out, "{\"totalAccounts\":%llu,\"activeAccounts\":%llu,\"atRiskAccounts\":%llu,\"churnedAccounts\":%llu",
                  (unsigned long long)stats->total_accounts, (unsigned long long)stats->active_accounts,
                  (unsigned long long)stats->at_risk_accounts, (unsigned long long)stats->churned_accounts);
  add_field(out, "averageHealthScore", stats->average_health_score);
  add_field(out, "averageChurnRisk", stats->average_churn_risk);
  add_field(out, "totalARR", stats->total_arr);
  add_field(out, "npsScore", stats->nps_score);
  crm_strbuf_adds(out, "}\n");
}

/* Three letters in upper case, or NULL with the error. */
static enum crm_status read_currency(const char *text, char code[4], struct crm_error *err) {
  if (!crm_currency_valid(text, strlen(text)))
    return crm_error_set(err, CRM_ERR_CONFIG, "--currency: \"%.60s\" is not a currency; allowed: three letters such as EUR", text);
  for (int i = 0; i < 3; i++)
    code[i] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
  code[3] = '\0';
  return CRM_OK;
}

static int print_summary(struct crm_ctl *ctl, const struct crm_series_set *set, const char *currency, bool left_out) {
  static const struct crm_error no_memory = {.status = CRM_ERR_MEMORY, .message = "out of memory"};
  const char **tenants = calloc(CRM_TENANTS_MAX, sizeof(*tenants));
  if (tenants == NULL)
    return crm_ctl_fail(ctl, &no_memory);
  size_t n = find_tenants(set, tenants, CRM_TENANTS_MAX);
  bool known = ctl->tenant == NULL;
  for (size_t t = 0; t < n && !known; t++)
    known = strcmp(tenants[t], ctl->tenant) == 0;
  struct crm_strbuf out;
  crm_strbuf_init(&out, OUTPUT_MAX);
  int result;
  if (!known) {
    struct crm_error err = {0};
    crm_error_set(&err, CRM_ERR_CONFIG, "--tenant: there is no tenant \"%.80s\"; crmctl summary without --tenant lists them", ctl->tenant);
    result = crm_ctl_fail(ctl, &err);
  } else {
    struct crm_dashboard_stats stats;
    crm_dashboard_stats(set, ctl->tenant, currency, &stats);
    bool ok = true;
    if (ctl->json)
      add_json(&out, &stats);
    else {
      char at[32];
      crm_time_format(set->at, at);
      crm_strbuf_addf(&out, "As of %s\n\n", at);
      ok = add_table(&out, set, tenants, n, ctl->tenant, currency);
    }
    if (isnan(stats.total_arr) && stats.currencies > 1)
      fprintf(stderr, "crmctl: revenue is in %u currencies and is not added up; --currency CODE shows one of them\n", stats.currencies);
    result = ok ? crm_ctl_print(ctl, &out, left_out ? CRM_CTL_LEFT_OUT : CRM_CTL_OK) : crm_ctl_fail(ctl, &no_memory);
  }
  crm_strbuf_free(&out);
  free(tenants);
  return result;
}

int crm_ctl_summary(struct crm_ctl *ctl) {
  struct crm_series_set set;
  struct crm_error err = {0};
  char currency[4];
  bool left_out = false;
  if (ctl->currency != NULL && read_currency(ctl->currency, currency, &err) != CRM_OK)
    return crm_ctl_fail(ctl, &err);
  if (crm_set_init(&set) != CRM_OK) {
    crm_error_set(&err, CRM_ERR_MEMORY, "out of memory");
    return crm_ctl_fail(ctl, &err);
  }
  int result = crm_ctl_evaluate(ctl, &set, &left_out, &err) == CRM_OK
                   ? print_summary(ctl, &set, ctl->currency != NULL ? currency : NULL, left_out)
                   : crm_ctl_fail(ctl, &err);
  crm_set_free(&set);
  return result;
}
