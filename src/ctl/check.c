/* SPDX-License-Identifier: MIT */
/* What is there, what is missing, why, and what to do about it. */
#include "ctl/ctl.h"

#include <stdio.h>
#include <string.h>

#include "analytics/churn_indicators.h"
#include "analytics/context.h"
#include "analytics/health_inputs.h"
#include "series/catalogue.h"
#include "source/follow.h"

enum { OUTPUT_MAX = 16 << 20, WIDTH = 110 };

const char crm_ctl_check_help[] = "Usage: crmctl [OPTIONS] check\n"
                                  "\n"
                                  "Tries out the configuration, the connection, the rights of the role, and every relation and\n"
                                  "column of the mapping. It reads no rows and changes nothing; it may run beside the daemon.\n"
                                  "\n"
                                  "In the table of relations\n"
                                  "  ok          the relation fits; optional columns that are not there are listed under it\n"
                                  "  not mapped  the mapping has no file for it, or it is disabled\n"
                                  "  broken      it does not fit: what is wrong and what to do stand under it\n"
                                  "\n"
                                  "changes tells how it is found out what has changed: logical takes it from the server's log, poll\n"
                                  "asks for changed rows, counters reads a relation whole once a table of its own was written to,\n"
                                  "none reads it each time. Under it stands why, and SQL that would make it cheaper. Each index\n"
                                  "costs the CRM space and time at every write; what logical decoding costs and allows stands in\n"
                                  "collectd-crm(5), LOGICAL DECODING.\n"
                                  "\n"
                                  "Only account is indispensable. Metrics of a relation that is not there are absent, never 0.\n"
                                  "\n"
                                  "Without a configuration:  crmctl --conninfo 'host=... dbname=... user=...' check\n"
                                  "All options:              crmctl --help\n"
                                  "Exit status: 0 all there, 1 something is left out, 2 could not run.\n"
                                  "Warnings, and relations that are disabled on purpose, do not count.\n";

/* Appends the words of `text`, broken into lines that begin with `indent` blanks. */
static void add_wrapped(struct crm_strbuf *out, int indent, const char *text) {
  int column = 0;
  while (*text != '\0') {
    int len = (int)strcspn(text, " \n");
    if (column > 0 && column + 1 + len > WIDTH) {
      crm_strbuf_addc(out, '\n');
      column = 0;
    }
    if (column == 0)
      crm_strbuf_addf(out, "%*s%.*s", indent, "", len, text);
    else
      crm_strbuf_addf(out, " %.*s", len, text);
    column += (column == 0 ? indent : 1) + len;
    text += len + (text[len] != '\0');
  }
  crm_strbuf_addc(out, '\n');
}

/* Statements to be copied, so a line each, however long. */
static void add_statements(struct crm_strbuf *out, int indent, const char *title, const char *sql) {
  if (sql[0] == '\0')
    return;
  add_wrapped(out, indent, title);
  for (const char *at = sql; *at != '\0';) {
    const char *end = strstr(at, "; ");
    int len = (int)(end != NULL ? (size_t)(end - at) : strlen(at));
    crm_strbuf_addf(out, "%*s%.*s;\n", indent + 2, "", len, at);
    at += len + (end != NULL ? 2 : 0);
  }
}

/* Whether changes can be decoded from the server's log. */
static void add_decoding(struct crm_strbuf *out, struct crm_following_database decoding) {
  char line[2560];
  if (decoding.why[0] == '\0')
    return;
  snprintf(line, sizeof(line), "logical decoding: %s, %s", decoding.used ? "yes" : decoding.possible ? "possible" : "no", decoding.why);
  add_wrapped(out, 4, line);
  add_statements(out, 4, "possible with", decoding.remedy);
}

static void add_database(struct crm_strbuf *out, const struct crm_database_options *options, const struct crm_database_report *report) {
  crm_strbuf_adds(out, options->name[0] != '\0' ? "  database \"" : "  database");
  if (options->name[0] != '\0')
    crm_strbuf_addf(out, "%s\"", options->name);
  if (report == NULL || report->server_version[0] == '\0') {
    crm_strbuf_adds(out, "  not reached\n");
    return;
  }
  const char *host = strchr(report->endpoint, '@');
  bool local = host != NULL && host[1] == '/';
  crm_strbuf_addf(out, "  %s\n", report->endpoint);
  crm_strbuf_addf(out, "    PostgreSQL %s%s, %s\n", report->server_version, report->in_recovery ? ", a replica" : "",
                  report->ssl ? "TLS"
                  : local     ? "Unix socket"
                              : "no TLS");
  crm_strbuf_addf(out, "    role %s: %s%s\n", report->role,
                  report->superuser   ? "superuser"
                  : report->can_write ? "may write"
                                      : "may only read",
                  report->bypass_rls ? ", sees all rows whatever row-level security says" : "");
  if (!report->ssl && !local)
    add_wrapped(out, 4,
                "warning: customer data goes over the network without TLS; set SSLMode \"verify-full\" unless that network is only yours");
  if (report->superuser)
    add_wrapped(out, 4, "warning: a superuser may do anything; use a role that may only SELECT (collectd-crm(5), SECURITY)");
  else if (report->can_write)
    add_wrapped(
        out, 4,
        "warning: the role may write to the CRM, which the plugin never does; use a role that may only SELECT (collectd-crm(5), SECURITY)");
}

static void add_absent_columns(struct crm_strbuf *out, const struct crm_relation_info *info, const struct crm_relation_check *check) {
  struct crm_strbuf names;
  crm_strbuf_init(&names, 4096);
  size_t n = 0;
  for (size_t c = 0; c < info->n_columns; c++)
    if (!check->column_present[c])
      crm_strbuf_addf(&names, "%s %s", n++ == 0 ? "without" : ",", info->columns[c].name);
  if (n > 0 && crm_strbuf_ok(&names))
    add_wrapped(out, 16, crm_strbuf_str(&names));
  crm_strbuf_free(&names);
}

/* A list of names that grows; printed only if it is not empty. */
struct list {
  struct crm_strbuf names;
  size_t n;
};

static void add_name(struct list *list, const char *name) {
  crm_strbuf_addf(&list->names, "%s %s", list->n++ == 0 ? "" : ",", name);
}

static void add_list(struct crm_strbuf *out, struct list *list, const char *title) {
  struct crm_strbuf line;
  crm_strbuf_init(&line, 65536);
  crm_strbuf_addf(&line, "%s%s", title, crm_strbuf_ok(&list->names) ? crm_strbuf_str(&list->names) : " ?");
  if (list->n > 0 && crm_strbuf_ok(&line))
    add_wrapped(out, 16, crm_strbuf_str(&line));
  crm_strbuf_free(&line);
  crm_strbuf_free(&list->names);
}

/* True if the churn indicator exists with these relations. */
static bool has_indicator(enum crm_churn_indicator indicator, const bool available[CRM_RELATIONS]) {
  struct crm_facts facts;
  memcpy(facts.available, available, sizeof(facts.available));
  const struct crm_context context = {.facts = &facts};
  return crm_churn_indicator_available(&context, indicator);
}

/* What the relation gives, or what is lost without it: families of metrics, and parts of the scores. Its number. */
static size_t add_gains(struct crm_strbuf *out, enum crm_relation relation, const bool available[CRM_RELATIONS]) {
  bool alone[CRM_RELATIONS] = {false};
  alone[relation] = true;
  bool here = available[relation];
  struct list families = {.n = 0}, inputs = {.n = 0}, indicators = {.n = 0};
  crm_strbuf_init(&families.names, 65536);
  crm_strbuf_init(&inputs.names, 4096);
  crm_strbuf_init(&indicators.names, 4096);
  for (int f = 0; f < CRM_FAMILIES; f++)
    if ((crm_family_info((enum crm_family)f)->needs & (1u << relation)) != 0)
      add_name(&families, crm_family_info((enum crm_family)f)->name);
  for (int i = 0; i < CRM_HEALTH_INPUTS; i++)
    if ((crm_health_input_needs((enum crm_health_input)i) & (1u << relation)) != 0)
      add_name(&inputs, crm_health_input_name((enum crm_health_input)i));
  for (int i = 0; i < CRM_CHURN_INDICATORS; i++)
    if (has_indicator((enum crm_churn_indicator)i, alone) && (here || !has_indicator((enum crm_churn_indicator)i, available)))
      add_name(&indicators, crm_churn_indicator_name((enum crm_churn_indicator)i));
  size_t n = families.n + inputs.n + indicators.n;
  add_list(out, &families, here ? "gives" : "lost:");
  add_list(out, &inputs, here ? "gives health inputs" : "lost: health inputs");
  add_list(out, &indicators, here ? "gives churn indicators" : "lost: churn indicators");
  return n;
}

static void add_following(struct crm_strbuf *out, const struct crm_following *following) {
  char line[1024];
  snprintf(line, sizeof(line), "changes: %s%s%s", crm_changes_name(following->mode), following->why[0] != '\0' ? ", " : "", following->why);
  add_wrapped(out, 16, line);
  add_statements(out, 16, "cheaper with", following->remedy);
}

/* The table. True if something is left out that nobody switched off. */
static bool add_relations(struct crm_strbuf *out, const struct crm_source *source, const struct crm_source_options *options,
                          bool followed) {
  static const char *const states[] = {"not checked", "not mapped", "ok", "broken"};
  bool left_out = false, available[CRM_RELATIONS];
  for (int r = 0; r < CRM_RELATIONS; r++)
    available[r] = crm_source_relation(source, (enum crm_relation)r)->state == CRM_RELATION_OK;
  crm_strbuf_addf(out, "\n  %-14s%-12s%s\n", "RELATION", "STATE", "FROM");
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_relation_check *check = crm_source_relation(source, (enum crm_relation)r);
    const struct crm_relation_info *info = crm_relation_info((enum crm_relation)r);
    bool disabled = options->relations[r].disabled;
    crm_strbuf_addf(out, "  %-14s%s", info->name, disabled ? "disabled" : states[check->state]);
    if (check->origin[0] != '\0' && check->state != CRM_RELATION_NOT_MAPPED)
      crm_strbuf_addf(out, "%*s%s", 12 - (int)strlen(states[check->state]), "", check->origin);
    crm_strbuf_addc(out, '\n');
    if (check->state == CRM_RELATION_BROKEN)
      add_wrapped(out, 16, check->error.message);
    if (check->state == CRM_RELATION_OK) {
      add_absent_columns(out, info, check);
      if (followed)
        add_following(out, crm_source_following(source, (enum crm_relation)r));
    }
    if (check->state == CRM_RELATION_UNKNOWN)
      continue;
    size_t gains = add_gains(out, (enum crm_relation)r, available);
    left_out |= check->state == CRM_RELATION_BROKEN || (check->state == CRM_RELATION_NOT_MAPPED && gains > 0 && !disabled);
  }
  return left_out;
}

/* How many families of metrics there will be. */
static void add_totals(struct crm_strbuf *out, const struct crm_source *source) {
  unsigned available = 0;
  for (int r = 0; r < CRM_RELATIONS; r++)
    available |= crm_source_relation(source, (enum crm_relation)r)->state == CRM_RELATION_OK ? 1u << r : 0;
  int n = 0;
  for (int f = 0; f < CRM_FAMILIES; f++)
    n += (crm_family_info((enum crm_family)f)->needs & ~available) == 0;
  crm_strbuf_addf(out, "\n  %d of %d families of metrics\n", n, CRM_FAMILIES);
}

static int check_instance(struct crm_ctl *ctl, const struct crm_instance_options *instance, struct crm_strbuf *out) {
  struct crm_source *source = NULL;
  struct crm_error err = {0};
  crm_strbuf_addf(out, "Instance %s", instance->name);
  if (instance->file != NULL && instance->line > 0)
    crm_strbuf_addf(out, " (%s:%d)", instance->file, instance->line);
  crm_strbuf_addf(out, "\n  mapping   %s%s%s\n  time zone %s, currency %s\n",
                  instance->source.mapping[0] == '/' ? "" : instance->source.mapping_dir, instance->source.mapping[0] == '/' ? "" : "/",
                  instance->source.mapping, crm_zone_name(instance->source.zone),
                  instance->source.default_currency[0] != '\0' ? instance->source.default_currency : "none by default");
  if (instance->source.shard.of > 0)
    crm_strbuf_addf(out, "  shard     %u of %u: the others are watched elsewhere\n", instance->source.shard.number,
                    instance->source.shard.of);
  if (crm_source_new(&instance->source, &ctl->log, ctl->stop, &source, &err) != CRM_OK)
    return crm_ctl_fail(ctl, &err);
  crm_ctl_progress(ctl, "looking at the database");
  enum crm_status status = crm_source_check(source, &err);
  struct crm_error reason = {0};
  bool followed = status == CRM_OK && crm_source_probe(source, &reason) == CRM_OK;
  crm_ctl_progress(ctl, NULL);
  for (size_t d = 0; d < instance->source.n_databases; d++) {
    add_database(out, &instance->source.databases[d], crm_source_database(source, d));
    if (followed)
      add_decoding(out, crm_source_following_database(source, d));
  }
  if (status == CRM_OK && !followed)
    add_wrapped(out, 4, reason.message);
  int result = CRM_CTL_OK;
  if (status == CRM_OK || status == CRM_ERR_MAPPING || status == CRM_ERR_SQL)
    result = add_relations(out, source, &instance->source, followed) ? CRM_CTL_LEFT_OUT : CRM_CTL_OK;
  if (status == CRM_OK)
    add_totals(out, source);
  else
    result = crm_ctl_fail(ctl, &err);
  crm_source_free(source);
  return result;
}

int crm_ctl_check(struct crm_ctl *ctl) {
  struct crm_instance_options *chosen = NULL;
  struct crm_error err = {0};
  if (ctl->instance != NULL && crm_ctl_choose(ctl, &chosen, &err) != CRM_OK)
    return crm_ctl_fail(ctl, &err);
  int result = CRM_CTL_OK;
  for (size_t i = 0; i < ctl->options.n_instances && !crm_stop_requested(ctl->stop); i++) {
    const struct crm_instance_options *instance = &ctl->options.instances[i];
    if (chosen != NULL && chosen != instance)
      continue;
    struct crm_strbuf out;
    crm_strbuf_init(&out, OUTPUT_MAX);
    int one = check_instance(ctl, instance, &out);
    crm_strbuf_addc(&out, '\n');
    one = crm_ctl_print(ctl, &out, one);
    crm_strbuf_free(&out);
    if (one > result)
      result = one;
  }
  return result;
}
