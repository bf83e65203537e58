/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const copy_targets[TABLES] = {
    [T_ORGANIZATION] = "public.organizations (id, name, currency_code, seat_cap, plan, created_at, updated_at)",
    [T_USER] = "public.user_profiles (id, organization_id, full_name, email, role, created_at, updated_at)",
    [T_ACCOUNT] = "public.accounts (id, organization_id, name, industry, size, arr, mrr, seat_count, growth_tracking_method, previous_arr, "
                  "previous_mrr, previous_seat_count, last_growth_update, status, health_score, churn_risk_score, onboarding_status, "
                  "onboarding_started_at, onboarding_completed_at, onboarding_plan_id, csm_id, owner_id, created_at, updated_at)",
    [T_DETAIL] = "crm_ext.account_detail (account_id, region, auto_renew, renewal_forecast, churned_at, updated_at)",
    [T_GROWTH] =
        "public.account_growth_history (id, account_id, organization_id, recorded_at, arr, mrr, seat_count, growth_tracking_method, "
        "arr_growth_percentage, mrr_growth_percentage, seat_count_growth_percentage)",
    [T_CONTACT] = "public.contacts (id, organization_id, account_id, first_name, last_name, email, title, seniority_level, "
                  "decision_maker_level, primary_contact, contact_status, relationship_strength, created_at, updated_at)",
    [T_ENGAGEMENT] = "public.engagements (id, organization_id, account_id, type, title, outcome, scheduled_at, completed_at, created_by, "
                     "created_at, updated_at)",
    [T_PARTICIPANT] = "public.engagement_participants (id, engagement_id, contact_id, participation_type, response_status, added_at)",
    [T_RESPONSE] = "crm_ext.engagement_response (engagement_id, response_seconds)",
    [T_NPS] = "public.nps_surveys (id, organization_id, account_id, score, survey_date, created_at)",
    [T_HEALTH] = "public.health_metrics (id, organization_id, account_id, metric_date, login_frequency, feature_adoption_score, "
                 "support_tickets, training_completion_rate, overall_health_score, created_at)",
    [T_GOAL] = "public.customer_goals (id, organization_id, account_id, title, status, metric_type, target_date, completion_date, "
               "created_at, updated_at)",
    [T_ADOPTION] = "public.adoption_metrics (id, organization_id, account_id, metric_name, metric_value, metric_type, recorded_at)",
    [T_SUPPORT] = "public.support_metrics (id, organization_id, account_id, provider, metric_date, ticket_count, new_tickets, "
                  "resolved_tickets, open_tickets, avg_resolution_time_hours, avg_first_response_time_hours, escalated_tickets, "
                  "satisfaction_score, severity_score, volume_trend, created_at, updated_at)",
    [T_PRODUCT] = "public.usage_tracking_products (id, organization_id, name, last_activity_at, created_at)",
    [T_TRACKED] = "public.usage_tracked_accounts (id, product_id, account_id, account_domain, fastenr_account_id, first_seen, last_seen)",
    [T_FINGERPRINT] = "public.user_fingerprints (id, product_id, tracked_account_id, user_type, first_seen, last_seen, session_count, "
                      "total_time_spent, user_email)",
    [T_SESSION] = "public.usage_sessions (id, product_id, fingerprint_id, tracked_account_id, session_token, started_at, ended_at, "
                  "duration_seconds, page_views, click_events)",
    [T_USAGE_METRIC] = "public.usage_metrics (id, product_id, tracked_account_id, recorded_at, unique_users, total_sessions, page_views)",
    [T_PLAN] = "public.onboarding_plans (id, organization_id, account_id, csm_id, status, started_at, target_completion_date, "
               "actual_completion_date, completion_percentage, created_at, updated_at)",
    [T_CONTRACT] = "crm_ext.contract (id, account_id, starts_on, ends_on, arr, currency, auto_renew, outcome, decided_at, renewed_arr, "
                   "updated_at)",
    [T_INVOICE] = "crm_ext.invoice (id, account_id, issued_on, due_on, paid_at, amount, currency, status, updated_at)",
    [T_SIGNAL] = "crm_ext.signal (id, account_id, kind, observed_at, weight, source)",
    [T_INTERVENTION] = "crm_ext.intervention (id, account_id, kind, opened_at, closed_at, stage, owner_id, updated_at)",
    [T_OPPORTUNITY] = "crm_ext.opportunity (id, account_id, kind, amount, currency, stage, opened_at, closed_at, probability, updated_at)",
};

int day_from_civil(int year, int month, int day) {
  int y = month <= 2 ? year - 1 : year;
  int era = (y >= 0 ? y : y - 399) / 400;
  int year_of_era = y - era * 400;
  int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

void day_to_civil(int days, int *year, int *month, int *day) {
  int z = days + 719468;
  int era = (z >= 0 ? z : z - 146096) / 146097;
  int day_of_era = z - era * 146097;
  int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int m = (5 * day_of_year + 2) / 153;
  *day = day_of_year - (153 * m + 2) / 5 + 1;
  *month = m < 10 ? m + 3 : m - 9;
  *year = year_of_era + era * 400 + (*month <= 2);
}

int day_add_months(int day, int months) {
  int y, m, d;
  day_to_civil(day, &y, &m, &d);
  int month0 = y * 12 + m - 1 + months;
  int first = day_from_civil(month0 / 12, month0 % 12 + 1, 1);
  int next = day_from_civil((month0 + 1) / 12, (month0 + 1) % 12 + 1, 1);
  return d > next - first ? next - 1 : first + d - 1;
}

bool output_init(struct output *out, int first_day, int n_days) {
  *out = (struct output){.dates = {.first = first_day, .n = n_days, .text = malloc((size_t)n_days * 10)}};
  if (!out->dates.text)
    return false;
  for (int i = 0; i < n_days; i++) {
    int y, m, d;
    day_to_civil(first_day + i, &y, &m, &d);
    char text[40];
    snprintf(text, sizeof text, "%04d-%02d-%02d", y, m, d);
    memcpy(out->dates.text[i], text, 10);
  }
  for (int i = 0; i < TABLES; i++)
    out->tables[i].dates = &out->dates;
  return true;
}

void output_free(struct output *out) {
  for (int i = 0; i < TABLES; i++)
    free(out->tables[i].buf);
  free(out->dates.text);
}

static bool write_all(const char *p, size_t n) {
  while (n > 0) {
    ssize_t done = write(STDOUT_FILENO, p, n);
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0)
      return false;
    p += done;
    n -= (size_t)done;
  }
  return true;
}

bool output_text(struct output *out, const char *text) {
  out->bytes += strlen(text);
  return write_all(text, strlen(text));
}

bool output_flush(struct output *out) {
  for (int i = 0; i < TABLES; i++) {
    struct table *t = &out->tables[i];
    if (t->len == 0)
      continue;
    char head[1024];
    snprintf(head, sizeof head, "COPY %s FROM stdin;\n", copy_targets[i]);
    if (!output_text(out, head) || !write_all(t->buf, t->len) || !output_text(out, "\\.\n"))
      return false;
    out->bytes += t->len;
    t->len = 0;
  }
  out->pending = 0;
  return true;
}

struct table *row_begin(struct output *out, enum table_id id) {
  struct table *t = &out->tables[id];
  if (t->cap - t->len < ROW_MAX) {
    size_t cap = t->cap ? t->cap * 2 : 65536;
    char *buf = realloc(t->buf, cap);
    if (!buf) {
      fprintf(stderr, "crm-demo-data: out of memory\n");
      exit(1);
    }
    t->buf = buf;
    t->cap = cap;
  }
  out->pending -= t->len;
  return t;
}

void row_end(struct output *out, struct table *t) {
  t->buf[t->len - 1] = '\n';
  out->pending += t->len;
  out->rows++;
}

static inline void put_bytes(struct table *t, const char *s, size_t n) {
  memcpy(t->buf + t->len, s, n);
  t->buf[t->len + n] = '\t';
  t->len += n + 1;
}

void put_null(struct table *t) {
  put_bytes(t, "\\N", 2);
}
void put_key(struct table *t, const struct key *key) {
  put_bytes(t, key->text, sizeof key->text);
}
void put_bool(struct table *t, bool v) {
  put_bytes(t, v ? "t" : "f", 1);
}

void put_text(struct table *t, const char *text) {
  if (!text)
    put_null(t);
  else
    put_bytes(t, text, strlen(text));
}

void put_int(struct table *t, int64_t v) {
  put_decimal(t, v, 0);
}

void put_decimal(struct table *t, int64_t v, int places) {
  char text[32];
  char *end = text + sizeof text, *p = end;
  uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
  for (int i = 0; i < places; i++, u /= 10)
    *--p = (char)('0' + u % 10);
  if (places > 0)
    *--p = '.';
  do {
    *--p = (char)('0' + u % 10);
    u /= 10;
  } while (u);
  if (v < 0)
    *--p = '-';
  put_bytes(t, p, (size_t)(end - p));
}

static const char *day_text(const struct table *t, int day, char scratch[40]) {
  int i = day - t->dates->first;
  if (i >= 0 && i < t->dates->n)
    return t->dates->text[i];
  int y, m, d;
  day_to_civil(day, &y, &m, &d);
  snprintf(scratch, 40, "%04d-%02d-%02d", y, m, d);
  return scratch;
}

void put_day(struct table *t, int day) {
  char scratch[40];
  put_bytes(t, day_text(t, day, scratch), 10);
}

void put_time(struct table *t, int64_t seconds) {
  char text[22], scratch[40];
  int day = (int)(seconds >= 0 ? seconds / 86400 : -((-seconds + 86399) / 86400));
  int s = (int)(seconds - (int64_t)day * 86400);
  int clock[3] = {s / 3600, s / 60 % 60, s % 60};
  memcpy(text, day_text(t, day, scratch), 10);
  memcpy(text + 10, " 00:00:00+00", 12);
  for (int i = 0; i < 3; i++) {
    text[11 + 3 * i] = (char)('0' + clock[i] / 10);
    text[12 + 3 * i] = (char)('0' + clock[i] % 10);
  }
  put_bytes(t, text, sizeof text);
}

void put_day_or_null(struct table *t, int day) {
  if (day == DAY_NONE)
    put_null(t);
  else
    put_day(t, day);
}

void put_time_or_null(struct table *t, int64_t seconds) {
  if (seconds == TIME_NONE)
    put_null(t);
  else
    put_time(t, seconds);
}
