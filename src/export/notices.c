/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/notices.h"

#include <glib.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A read that fails once is tried again within a second: only what lasts is told. */
enum { DOWN_TICKS = 3 };
/* Bytes; a receiver that is away for some minutes is no news. */
#define SPOOL_LARGE 50e6

enum rule {
  RULE_STALE,
  RULE_UNREADABLE,
  RULE_RELATION_MISSING,
  RULE_SERIES_LIMIT,
  RULE_IDENTITY,
  RULE_UNDATED_CHURN,
  RULE_SPOOL,
  RULE_GIVEN_UP,
  RULE_HEALTH_FALL,
  RULE_ARR_AT_RISK,
  RULE_NEWLY_AT_RISK,
  RULE_ESCALATIONS,
  RULE_NET_RETENTION,
  RULE_GROSS_RETENTION,
  RULE_RENEWAL_UNDECIDED,
  RULE_ACCOUNT_CRITICAL,
  RULE_ACCOUNT_RISK,
  RULE_ACCOUNT_FALL,
  RULE_ACCOUNT_RECOMMENDATION,
  RULES
};

static const struct {
  const char *name;
  enum crm_notice_group group;
  enum crm_notice_severity severity;
} rules[RULES] = {
    [RULE_STALE] = {"stale", CRM_NOTIFY_COLLECTOR, CRM_NOTICE_FAILURE},
    [RULE_UNREADABLE] = {"unreadable", CRM_NOTIFY_COLLECTOR, CRM_NOTICE_WARNING},
    [RULE_RELATION_MISSING] = {"relation_missing", CRM_NOTIFY_COLLECTOR, CRM_NOTICE_WARNING},
    [RULE_SERIES_LIMIT] = {"series_limit", CRM_NOTIFY_COLLECTOR, CRM_NOTICE_WARNING},
    [RULE_IDENTITY] = {"revenue_identity", CRM_NOTIFY_COLLECTOR, CRM_NOTICE_FAILURE},
    [RULE_UNDATED_CHURN] = {"undated_churn", CRM_NOTIFY_COLLECTOR, CRM_NOTICE_WARNING},
    [RULE_SPOOL] = {"spool", CRM_NOTIFY_COLLECTOR, CRM_NOTICE_WARNING},
    [RULE_GIVEN_UP] = {"given_up", CRM_NOTIFY_COLLECTOR, CRM_NOTICE_WARNING},
    [RULE_HEALTH_FALL] = {"health_fall", CRM_NOTIFY_CUSTOMERS, CRM_NOTICE_WARNING},
    [RULE_ARR_AT_RISK] = {"arr_at_risk", CRM_NOTIFY_CUSTOMERS, CRM_NOTICE_WARNING},
    [RULE_NEWLY_AT_RISK] = {"newly_at_risk", CRM_NOTIFY_CUSTOMERS, CRM_NOTICE_WARNING},
    [RULE_ESCALATIONS] = {"escalations", CRM_NOTIFY_CUSTOMERS, CRM_NOTICE_WARNING},
    [RULE_NET_RETENTION] = {"net_retention", CRM_NOTIFY_CUSTOMERS, CRM_NOTICE_WARNING},
    [RULE_GROSS_RETENTION] = {"gross_retention", CRM_NOTIFY_CUSTOMERS, CRM_NOTICE_WARNING},
    [RULE_RENEWAL_UNDECIDED] = {"renewal_undecided", CRM_NOTIFY_CUSTOMERS, CRM_NOTICE_WARNING},
    [RULE_ACCOUNT_CRITICAL] = {"account_critical", CRM_NOTIFY_ACCOUNTS, CRM_NOTICE_WARNING},
    [RULE_ACCOUNT_RISK] = {"account_risk", CRM_NOTIFY_ACCOUNTS, CRM_NOTICE_WARNING},
    [RULE_ACCOUNT_FALL] = {"account_fall", CRM_NOTIFY_ACCOUNTS, CRM_NOTICE_WARNING},
    [RULE_ACCOUNT_RECOMMENDATION] = {"account_recommendation", CRM_NOTIFY_ACCOUNTS, CRM_NOTICE_WARNING},
};

/* A condition that holds, by its key: rule, tenant and what else tells it from others. */
struct held {
  enum rule rule;
  char *tenant;
  char *about;   /* what the message of its end begins with */
  uint64_t seen; /* the judgement in which it was last found to hold, or not told about */
};

struct crm_notices {
  const struct crm_notice_options *options;
  GHashTable *held; /* key -> struct held */
  uint64_t judgement;
  GHashTable *available; /* relations that have been read */
  GHashTable *given_up;  /* sink and reason -> double: samples up to the judgement before */
  bool begun;            /* there has been a frame with business series */
  unsigned down;         /* judgements in a row with crm_up 0 */
  /* Of the judgement at hand. */
  const struct crm_frame *frame;
  crm_notice_deliver *deliver;
  void *ctx;
  bool told[RULES]; /* the frame tells about the rule at all */
};

void crm_notice_options_defaults(struct crm_notice_options *options) {
  *options = (struct crm_notice_options){.health_fall = 5,
                                         .arr_at_risk = 0.25,
                                         .newly_at_risk = 3,
                                         .escalations = 0.1,
                                         .net_retention = 1,
                                         .gross_retention = 0.9,
                                         .account_fall = 10,
                                         .account_critical = 40,
                                         .account_risk = 70,
                                         .account_risk_leave = 60};
}

static void free_held(gpointer value) {
  struct held *held = value;
  g_free(held->tenant);
  g_free(held->about);
  g_free(held);
}

struct crm_notices *crm_notices_new(const struct crm_notice_options *options) {
  struct crm_notices *notices = g_new0(struct crm_notices, 1);
  notices->options = options;
  notices->held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_held);
  notices->available = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  notices->given_up = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return notices;
}

void crm_notices_free(struct crm_notices *notices) {
  if (notices == NULL)
    return;
  g_hash_table_destroy(notices->held);
  g_hash_table_destroy(notices->available);
  g_hash_table_destroy(notices->given_up);
  g_free(notices);
}

/* --- what holds ------------------------------------------------------------------------------------------------------------- */

static bool wanted(const struct crm_notices *notices, enum rule rule) {
  return (notices->options->groups & rules[rule].group) != 0;
}

/* Units and separators of the key cannot stand in names, since a control character is no part of one. */
static char *key_of(enum rule rule, const char *tenant, const char *what) {
  return g_strdup_printf("%d\x1f%s\x1f%s", (int)rule, tenant, what);
}

static bool holds_already(const struct crm_notices *notices, enum rule rule, const char *tenant, const char *what) {
  char *key = key_of(rule, tenant, what);
  bool found = g_hash_table_contains(notices->held, key);
  g_free(key);
  return found;
}

/* The condition holds. `what` tells it from others of the same rule and tenant, `about` begins its sentence. */
static void hold(struct crm_notices *notices, enum rule rule, const char *tenant, const char *what, const char *about, const char *fmt, ...)
    CRM_PRINTF(6, 7);
static void hold(struct crm_notices *notices, enum rule rule, const char *tenant, const char *what, const char *about, const char *fmt,
                 ...) {
  char *key = key_of(rule, tenant, what);
  struct held *held = g_hash_table_lookup(notices->held, key);
  if (held != NULL) {
    held->seen = notices->judgement;
    g_free(key);
    return;
  }
  held = g_new0(struct held, 1);
  *held = (struct held){.rule = rule, .tenant = g_strdup(tenant), .about = g_strdup(about), .seen = notices->judgement};
  g_hash_table_insert(notices->held, key, held);
  if (rules[rule].group == CRM_NOTIFY_ACCOUNTS && !notices->begun)
    return;
  va_list args;
  va_start(args, fmt);
  char *figures = g_strdup_vprintf(fmt, args);
  va_end(args);
  char *message = g_strdup_printf("%s: %s", about, figures);
  notices->deliver(
      notices->ctx,
      &(struct crm_notice){
          .severity = rules[rule].severity, .at = notices->frame->at, .tenant = tenant, .rule = rules[rule].name, .message = message});
  g_free(figures);
  g_free(message);
}

static gint by_rule(gconstpointer a, gconstpointer b) {
  const struct held *x = *(struct held *const *)a;
  const struct held *y = *(struct held *const *)b;
  if (x->rule != y->rule)
    return x->rule < y->rule ? -1 : 1;
  int order = strcmp(x->tenant, y->tenant);
  return order != 0 ? order : strcmp(x->about, y->about);
}

static gboolean has_ended(gpointer key, gpointer value, gpointer ctx) {
  return ((const struct held *)value)->seen != ((const struct crm_notices *)ctx)->judgement;
}

/* What was not found to hold has ended, if the frame told about it. */
static void end_the_rest(struct crm_notices *notices) {
  GPtrArray *ended = g_ptr_array_new();
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, notices->held);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    struct held *held = value;
    if (!notices->told[held->rule])
      held->seen = notices->judgement;
    else if (held->seen != notices->judgement)
      g_ptr_array_add(ended, held);
  }
  g_ptr_array_sort(ended, by_rule);
  for (guint i = 0; i < ended->len; i++) {
    const struct held *held = g_ptr_array_index(ended, i);
    char *message = g_strdup_printf("%s: this has ended", held->about);
    notices->deliver(notices->ctx, &(struct crm_notice){.severity = CRM_NOTICE_OKAY,
                                                        .at = notices->frame->at,
                                                        .tenant = held->tenant,
                                                        .rule = rules[held->rule].name,
                                                        .message = message});
    g_free(message);
  }
  g_ptr_array_free(ended, TRUE);
  g_hash_table_foreach_remove(notices->held, has_ended, notices);
}

/* --- sums over the cells of a tenant, and a currency where there is one ----------------------------------------------------- */

enum sum { SUM_HEALTH_CHANGE, SUM_HEALTH_CHANGED, SUM_ARR, SUM_ARR_AT_RISK, SUM_NEWLY, SUM_OPEN, SUM_ESCALATED, SUM_UNDECIDED, SUMS };

/* Tenants and currencies are few, and samples of one tenant follow each other. */
struct sums {
  const char *tenant, *currency;
  double value[SUMS];
  bool seen[SUMS];
};

static struct sums *sums_of(GArray *all, const char *tenant, const char *currency) {
  for (guint i = all->len; i-- > 0;) {
    struct sums *sums = &g_array_index(all, struct sums, i);
    if (strcmp(sums->tenant, tenant) == 0 && strcmp(sums->currency, currency) == 0)
      return sums;
  }
  g_array_append_val(all, ((struct sums){.tenant = tenant, .currency = currency}));
  return &g_array_index(all, struct sums, all->len - 1);
}

static const char *label(const struct crm_series_set *set, const struct crm_sample *s, const char *name) {
  for (size_t i = 0; i < s->n_labels; i++)
    if (strcmp(crm_set_label_name(set, (enum crm_family)s->family, i), name) == 0)
      return crm_set_label_value(set, s, i);
  return "";
}

static bool is(const struct crm_series_set *set, const struct crm_sample *s, const char *name, const char *value) {
  return strcmp(label(set, s, name), value) == 0;
}

static void add_up(const struct crm_series_set *set, const struct crm_sample *s, GArray *all) {
  enum sum to = SUMS;
  enum sum also = SUMS;
  const char *currency = "";
  switch ((enum crm_family)s->family) {
  case CRM_FAM_HEALTH_CHANGE_POINTS:
    to = is(set, s, "window", "7d") ? SUM_HEALTH_CHANGE : SUMS;
    break;
  case CRM_FAM_HEALTH_CHANGE_ACCOUNTS:
    to = is(set, s, "window", "7d") ? SUM_HEALTH_CHANGED : SUMS;
    break;
  case CRM_FAM_ARR_BY_RISK:
    to = SUM_ARR;
    also = is(set, s, "band", "high") || is(set, s, "band", "critical") ? SUM_ARR_AT_RISK : SUMS;
    currency = label(set, s, "currency");
    break;
  case CRM_FAM_ACCOUNTS_NEWLY_AT_RISK:
    to = is(set, s, "window", "7d") ? SUM_NEWLY : SUMS;
    break;
  case CRM_FAM_ACCOUNTS:
    to = is(set, s, "status", "churned") ? SUMS : SUM_OPEN;
    break;
  case CRM_FAM_CHURN_INDICATOR_ACCOUNTS:
    to = is(set, s, "indicator", "support_escalations") ? SUM_ESCALATED : SUMS;
    break;
  case CRM_FAM_RENEWALS_DUE:
    to = is(set, s, "result", "undecided") && is(set, s, "window", "30d") ? SUM_UNDECIDED : SUMS;
    break;
  default:
    break;
  }
  if (to == SUMS)
    return;
  struct sums *sums = sums_of(all, crm_set_label_value(set, s, 0), currency);
  sums->value[to] += crm_number_value(&s->value);
  sums->seen[to] = true;
  if (also != SUMS)
    sums->value[also] += crm_number_value(&s->value);
}

static void judge_sums(struct crm_notices *notices, const GArray *all) {
  const struct crm_notice_options *o = notices->options;
  for (guint i = 0; i < all->len; i++) {
    const struct sums *s = &g_array_index(all, struct sums, i);
    const double *v = s->value;
    notices->told[RULE_HEALTH_FALL] |= s->seen[SUM_HEALTH_CHANGED];
    if (v[SUM_HEALTH_CHANGED] > 0 && v[SUM_HEALTH_CHANGE] / v[SUM_HEALTH_CHANGED] <= -o->health_fall && wanted(notices, RULE_HEALTH_FALL))
      hold(notices, RULE_HEALTH_FALL, s->tenant, "", "mean health score", "it changed by %.1f points within 7 days, over %.0f accounts",
           v[SUM_HEALTH_CHANGE] / v[SUM_HEALTH_CHANGED], v[SUM_HEALTH_CHANGED]);
    notices->told[RULE_ARR_AT_RISK] |= s->seen[SUM_ARR];
    if (v[SUM_ARR] > 0 && v[SUM_ARR_AT_RISK] / v[SUM_ARR] > o->arr_at_risk && wanted(notices, RULE_ARR_AT_RISK)) {
      char *about = g_strdup_printf("%s revenue at risk", s->currency);
      hold(notices, RULE_ARR_AT_RISK, s->tenant, s->currency, about, "%.0f of %.0f a year (%.0f %%) at high or critical churn risk",
           v[SUM_ARR_AT_RISK], v[SUM_ARR], 100 * v[SUM_ARR_AT_RISK] / v[SUM_ARR]);
      g_free(about);
    }
    notices->told[RULE_NEWLY_AT_RISK] |= s->seen[SUM_NEWLY];
    if (s->seen[SUM_NEWLY] && v[SUM_NEWLY] >= o->newly_at_risk && wanted(notices, RULE_NEWLY_AT_RISK))
      hold(notices, RULE_NEWLY_AT_RISK, s->tenant, "", "accounts newly at risk", "%.0f within 7 days", v[SUM_NEWLY]);
    notices->told[RULE_ESCALATIONS] |= s->seen[SUM_ESCALATED];
    if (v[SUM_OPEN] > 0 && v[SUM_ESCALATED] / v[SUM_OPEN] > o->escalations && wanted(notices, RULE_ESCALATIONS))
      hold(notices, RULE_ESCALATIONS, s->tenant, "", "support escalations", "at %.0f of %.0f accounts half of the tickets or more",
           v[SUM_ESCALATED], v[SUM_OPEN]);
    notices->told[RULE_RENEWAL_UNDECIDED] |= s->seen[SUM_UNDECIDED];
    if (v[SUM_UNDECIDED] > 0 && wanted(notices, RULE_RENEWAL_UNDECIDED))
      hold(notices, RULE_RENEWAL_UNDECIDED, s->tenant, "", "renewals without a decision", "%.0f contracts ended within 30 days",
           v[SUM_UNDECIDED]);
  }
}

/* --- single samples --------------------------------------------------------------------------------------------------------- */

static void judge_ratio(struct crm_notices *notices, enum rule rule, const struct crm_series_set *set, const struct crm_sample *s,
                        double target, const char *word) {
  double ratio = crm_number_value(&s->value);
  if (!is(set, s, "window", "1y"))
    return;
  notices->told[rule] = true;
  if (ratio >= target || !wanted(notices, rule))
    return;
  char *about = g_strdup_printf("%s revenue retention in %s", word, label(set, s, "currency"));
  hold(notices, rule, crm_set_label_value(set, s, 0), label(set, s, "currency"), about, "%.1f %% over a year, below %.0f %%", 100 * ratio,
       100 * target);
  g_free(about);
}

static void judge_identity(struct crm_notices *notices, const struct crm_series_set *set, const struct crm_sample *s) {
  notices->told[RULE_IDENTITY] = true;
  if (s->value.num == 0 || !wanted(notices, RULE_IDENTITY))
    return;
  char *about = g_strdup_printf("revenue movements in %s over %s", label(set, s, "currency"), label(set, s, "window"));
  hold(notices, RULE_IDENTITY, crm_set_label_value(set, s, 0), about, about, "they do not add up, by %.2f", crm_number_value(&s->value));
  g_free(about);
}

/* Names of accounts, by tenant and account. */
static const char *account_name(GHashTable *names, const char *tenant, const char *account) {
  char *key = key_of(RULES, tenant, account);
  const char *name = g_hash_table_lookup(names, key);
  g_free(key);
  return name == NULL || *name == '\0' ? account : name;
}

static void judge_account(struct crm_notices *notices, const struct crm_series_set *set, const struct crm_sample *s, GHashTable *names) {
  const struct crm_notice_options *o = notices->options;
  const char *tenant = crm_set_label_value(set, s, 0);
  const char *account = crm_set_label_value(set, s, 1);
  double value = crm_number_value(&s->value);
  const char *name = account_name(names, tenant, account);
  if (s->family == CRM_FAM_ACCOUNT_HEALTH_SCORE && value < o->account_critical) {
    char *about = g_strdup_printf("health of %s", name);
    hold(notices, RULE_ACCOUNT_CRITICAL, tenant, account, about, "critical, score %.0f", value);
    g_free(about);
  } else if (s->family == CRM_FAM_ACCOUNT_CHURN_RISK_SCORE &&
             value > (holds_already(notices, RULE_ACCOUNT_RISK, tenant, account) ? o->account_risk_leave : o->account_risk)) {
    char *about = g_strdup_printf("churn risk of %s", name);
    hold(notices, RULE_ACCOUNT_RISK, tenant, account, about, "critical, %.0f of 100", value);
    g_free(about);
  } else if (s->family == CRM_FAM_ACCOUNT_HEALTH_SLOPE && value <= -o->account_fall) {
    char *about = g_strdup_printf("course of the health of %s", name);
    hold(notices, RULE_ACCOUNT_FALL, tenant, account, about, "%.1f points per 30 days", value);
    g_free(about);
  } else if (s->family == CRM_FAM_ACCOUNT_RECOMMENDATION) {
    const char *action = label(set, s, "action");
    char *what = g_strdup_printf("%s\x1f%s", account, action);
    char *about = g_strdup_printf("%s for %s", action, name);
    hold(notices, RULE_ACCOUNT_RECOMMENDATION, tenant, what, about, "%s", label(set, s, "reason"));
    g_free(what);
    g_free(about);
  }
}

static void judge_business(struct crm_notices *notices, const struct crm_series_set *set) {
  GArray *all = g_array_new(FALSE, FALSE, sizeof(struct sums));
  GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (size_t i = 0; i < set->n; i++) {
    const struct crm_sample *s = &set->samples[i];
    switch ((enum crm_family)s->family) {
    case CRM_FAM_ARR_IDENTITY_RESIDUAL:
      judge_identity(notices, set, s);
      break;
    case CRM_FAM_NET_REVENUE_RETENTION_RATIO:
      judge_ratio(notices, RULE_NET_RETENTION, set, s, notices->options->net_retention, "net");
      break;
    case CRM_FAM_GROSS_REVENUE_RETENTION_RATIO:
      judge_ratio(notices, RULE_GROSS_RETENTION, set, s, notices->options->gross_retention, "gross");
      break;
    case CRM_FAM_ACCOUNT_INFO: /* stands before every other family of accounts */
      g_hash_table_insert(names, key_of(RULES, crm_set_label_value(set, s, 0), crm_set_label_value(set, s, 1)),
                          (gpointer)label(set, s, "account_name"));
      break;
    case CRM_FAM_ACCOUNT_HEALTH_SCORE:
    case CRM_FAM_ACCOUNT_CHURN_RISK_SCORE:
    case CRM_FAM_ACCOUNT_HEALTH_SLOPE:
    case CRM_FAM_ACCOUNT_RECOMMENDATION:
      if (wanted(notices, RULE_ACCOUNT_CRITICAL))
        judge_account(notices, set, s, names);
      break;
    default:
      add_up(set, s, all);
      break;
    }
  }
  judge_sums(notices, all);
  for (enum rule rule = RULE_ACCOUNT_CRITICAL; rule <= RULE_ACCOUNT_RECOMMENDATION; rule++)
    notices->told[rule] = true;
  g_hash_table_destroy(names);
  g_array_free(all, TRUE);
}

/* One that was never read is none that is missing. */
static void judge_relation(struct crm_notices *notices, const char *tenant, const char *relation, bool available) {
  if (available)
    g_hash_table_add(notices->available, g_strdup(relation));
  else if (g_hash_table_contains(notices->available, relation) && wanted(notices, RULE_RELATION_MISSING)) {
    char *about = g_strdup_printf("relation %s", relation);
    hold(notices, RULE_RELATION_MISSING, tenant, relation, about, "it is not read any more, and its metrics are gone; see crmctl check");
    g_free(about);
  }
}

static void judge_spool(struct crm_notices *notices, const char *tenant, const char *sink, double bytes) {
  if (bytes <= SPOOL_LARGE || !wanted(notices, RULE_SPOOL))
    return;
  char *about = g_strdup_printf("spool of %s", sink);
  hold(notices, RULE_SPOOL, tenant, sink, about, "%.0f MB wait, because the receiver does not take them", bytes / 1e6);
  g_free(about);
}

/* Holds while more and more are given up, from one judgement to the next. */
static void judge_given_up(struct crm_notices *notices, const char *tenant, const char *sink, const char *reason, double samples) {
  char *what = g_strdup_printf("%s\x1f%s", sink, reason);
  double *before = g_hash_table_lookup(notices->given_up, what);
  double more = samples - (before == NULL ? 0 : *before);
  if (more > 0 && wanted(notices, RULE_GIVEN_UP)) {
    char *about = g_strdup_printf("samples for %s", sink);
    hold(notices, RULE_GIVEN_UP, tenant, what, about, "%.0f were given up (%s)", more, reason);
    g_free(about);
  }
  g_hash_table_insert(notices->given_up, what, g_memdup2(&samples, sizeof(samples)));
}

static void judge_own(struct crm_notices *notices, const struct crm_series_set *set) {
  static const enum rule always[] = {RULE_UNREADABLE, RULE_RELATION_MISSING, RULE_SERIES_LIMIT, RULE_UNDATED_CHURN,
                                     RULE_SPOOL,      RULE_GIVEN_UP};
  for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
    notices->told[always[i]] = true;
  for (size_t i = 0; i < set->n; i++) {
    const struct crm_sample *s = &set->samples[i];
    const char *tenant = crm_set_label_value(set, s, 0);
    bool one = crm_number_value(&s->value) == 1;
    if (s->family == CRM_FAM_UP)
      notices->down = one ? 0 : notices->down + 1;
    if (s->family == CRM_FAM_UP && notices->down >= DOWN_TICKS && wanted(notices, RULE_UNREADABLE))
      hold(notices, RULE_UNREADABLE, tenant, "", "the CRM", "it cannot be read; the log tells why, and the last good values are kept");
    else if (s->family == CRM_FAM_RELATION_AVAILABLE)
      judge_relation(notices, tenant, label(set, s, "relation"), one);
    else if (s->family == CRM_FAM_SERIES_LIMIT_REACHED && one && !is(set, s, "kind", "breakdown") && wanted(notices, RULE_SERIES_LIMIT))
      hold(notices, RULE_SERIES_LIMIT, tenant, label(set, s, "kind"), "limit of series", "some of kind %s are left out",
           label(set, s, "kind"));
    else if (s->family == CRM_FAM_RELATION_ROWS_REFUSED && is(set, s, "reason", "undated_churn") && s->value.num > 0 &&
             wanted(notices, RULE_UNDATED_CHURN))
      hold(notices, RULE_UNDATED_CHURN, tenant, "", "churned accounts", "%.0f have no date of it, and are in no movement",
           crm_number_value(&s->value));
    else if (s->family == CRM_FAM_REMOTE_WRITE_SPOOL_BYTES)
      judge_spool(notices, tenant, label(set, s, "sink"), crm_number_value(&s->value));
    else if (s->family == CRM_FAM_REMOTE_WRITE_DROPPED_TOTAL)
      judge_given_up(notices, tenant, label(set, s, "sink"), label(set, s, "reason"), crm_number_value(&s->value));
  }
}

void crm_notices_judge(struct crm_notices *notices, const struct crm_frame *frame, crm_notice_deliver *deliver, void *ctx) {
  notices->judgement++;
  notices->frame = frame;
  notices->deliver = deliver;
  notices->ctx = ctx;
  memset(notices->told, 0, sizeof(notices->told));
  judge_own(notices, frame->own);
  notices->told[RULE_STALE] = true;
  if (frame->business != NULL)
    judge_business(notices, frame->business);
  else if (notices->begun && wanted(notices, RULE_STALE))
    hold(notices, RULE_STALE, frame->instance, "", "customer metrics", "nothing is sent any more, what is known of the CRM is too old");
  end_the_rest(notices);
  notices->begun |= frame->business != NULL;
}
