/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/revenue_check.h"

void revenue_compute(struct fixture *f) {
  fixture_context(f);
  assert_int_equal(crm_revenue(&f->context), CRM_OK);
  assert_int_equal(crm_set_sort(&f->set), CRM_OK);
}

bool revenue_near(double a, double b) {
  return isnan(a) ? isnan(b) : fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

void revenue_check(const struct fixture *f, const char *name, const char *query, double expected) {
  double got = fixture_sum(f, query);
  if (!revenue_near(got, expected))
    fail_msg("%s: %s is %.17g and not %.17g", name, query, got, expected);
}

static double figure(const char *text, const char *key) {
  size_t len = strlen(key);
  for (const char *at = strstr(text, key); at != NULL; at = strstr(at + 1, key))
    if ((at == text || at[-1] == ' ') && at[len] == '=')
      return strtod(at + len + 1, NULL);
  return NAN;
}

static double or_zero(double value) {
  return isnan(value) ? 0 : value;
}

void revenue_check_window(const struct fixture *f, const char *name, const char *text) {
  static const struct {
    const char *key, *family, *labels;
  } figures[] = {
      {"opening", "crm_arr_opening", ""},
      {"closing", "crm_arr_closing", ""},
      {"new", "crm_arr_movement", " kind=new"},
      {"expansion", "crm_arr_movement", " kind=expansion"},
      {"contraction", "crm_arr_movement", " kind=contraction"},
      {"churn", "crm_arr_movement", " kind=churn"},
      {"reactivation", "crm_arr_movement", " kind=reactivation"},
      {"adjustment", "crm_arr_movement", " kind=adjustment"},
      {"net", "crm_arr_retained_net", ""},
      {"gross", "crm_arr_retained_gross", ""},
      {"base", "crm_arr_retention_base", ""},
      {"residual", "crm_arr_identity_residual", ""},
      {"nrr", "crm_net_revenue_retention_ratio", ""},
      {"grr", "crm_gross_revenue_retention_ratio", ""},
  };
  char window[16] = "", currency[4] = "USD", query[160];
  sscanf(text, "%15[^/ ]/%3[A-Z]", window, currency);
  for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
    double expected = figure(text, figures[i].key);
    bool ratio = strstr(figures[i].family, "_ratio") != NULL;
    snprintf(query, sizeof(query), "%s window=%s currency=%s%s", figures[i].family, window, currency, figures[i].labels);
    revenue_check(f, name, query, ratio ? expected : or_zero(expected));
  }
}

void revenue_add_rows(struct fixture *f, const char *const *rows, size_t n) {
  static const struct {
    char letter;
    enum crm_relation relation;
  } relations[] = {{'A', CRM_REL_ACCOUNT}, {'R', CRM_REL_REVENUE}, {'C', CRM_REL_CONTRACT}};
  for (size_t i = 0; i < n && rows[i] != NULL; i++)
    if (rows[i][0] == 'W')
      f->params.reactivation_window_days = atoi(rows[i] + 2);
  for (size_t k = 0; k < 3; k++)
    for (size_t i = 0; i < n && rows[i] != NULL; i++)
      if (rows[i][0] == relations[k].letter)
        fixture_row(f, relations[k].relation, "%s%s", strstr(rows[i], "account_id=") == NULL ? "account_id=a1 " : "", rows[i] + 2);
}
