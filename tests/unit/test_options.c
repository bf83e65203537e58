/* SPDX-License-Identifier: MIT */
/* Every option: its default, a good value, a wrong one, one of another type, and the option twice; then what must fit together.
 * The expectations are written here by hand and never taken from the table of options. */
#include "crm_config.h"

#include "options/option_table.h"
#include "../lib/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[SCRATCH_SIZE]; /* holds mappings/customer_success, mappings/other and q.sql */

/* Parses `text` as the file "f.conf" with %D for the scratch directory; its <Plugin> blocks are given to the options. */
static enum crm_status parse(const char *text, struct crm_options *options, struct crm_error *err) {
  struct crm_strbuf expanded;
  crm_strbuf_init(&expanded, 1 << 20);
  for (const char *p = text; *p != '\0'; p++)
    if (p[0] == '%' && p[1] == 'D') {
      crm_strbuf_adds(&expanded, dir);
      p++;
    } else
      crm_strbuf_addc(&expanded, *p);
  char mappings[80];
  snprintf(mappings, sizeof(mappings), "%s/mappings", dir);
  struct crm_arena arena;
  struct crm_conf_node root = {0};
  crm_arena_init(&arena, 0);
  crm_options_init(options);
  *err = (struct crm_error){0};
  enum crm_status status = crm_conf_parse(crm_strbuf_str(&expanded), expanded.len, "f.conf", &arena, &root, err);
  for (size_t i = 0; i < root.n_children && status == CRM_OK; i++)
    status = crm_options_parse(options, &root.children[i], mappings, err);
  if (status == CRM_OK)
    status = crm_options_finish(options, err);
  crm_arena_free(&arena); /* nothing may point into it */
  crm_strbuf_free(&expanded);
  return status;
}

enum type { TEXT, INT64, INT, FLAGS, SIZE, DOUBLE, BOOL, ENUM, ZONE, GROUPS, PER, BENCH, CONDITIONS, SHARD };
enum place { I, D, R, S, N }; /* <Instance>, <Database>, <Relation>, <Scorecard>, <Recommendation> */

#define FI(field) offsetof(struct crm_instance_options, field)
#define FD(field) offsetof(struct crm_database_options, field)
#define FR(field) offsetof(struct crm_relation_options, field)
#define FS(field) offsetof(struct crm_scorecard, field)
#define FN(field) offsetof(struct crm_rule, field)

/* `standard`: the value without the option; `good` gives `value`; `outside` and `mistyped` are refused. */
static const struct {
  const char *option;
  const char *places;
  enum type type;
  enum place owner;
  size_t offset;
  const char *standard, *good, *value, *outside, *mistyped;
} cases[] = {
    {"ConnInfo", "ID", TEXT, D, FD(conninfo), "-", "\"host=a dbname=b\"", "host=a dbname=b", "\"nonsense=1\"", "5"},
    {"Host", "ID", TEXT, D, FD(host), "-", "\"db.example.com\"", "db.example.com", "\"\"", "5"},
    {"Port", "ID", TEXT, D, FD(port), "-", "5433", "5433", "65536", "true"},
    {"Port", "ID", TEXT, D, FD(port), "-", "\"1\"", "1", "0", "\"12x\""},
    {"Database", "ID", TEXT, D, FD(dbname), "-", "\"crm\"", "crm", "\"\"", "7"},
    {"User", "ID", TEXT, D, FD(user), "-", "collectd_crm", "collectd_crm", "\"\"", "7"},
    {"Service", "ID", TEXT, D, FD(service), "-", "\"crm\"", "crm", "\"\"", "false"},
    {"SSLMode", "ID", TEXT, D, FD(sslmode), "-", "\"Verify-Full\"", "verify-full", "\"verify\"", "1"},
    {"SSLRootCert", "ID", TEXT, D, FD(sslrootcert), "-", "\"/etc/ca.pem\"", "/etc/ca.pem", "\"ca.pem\"", "1"},
    {"SSLRootCert", "ID", TEXT, D, FD(sslrootcert), "-", "\"system\"", "system", "\"./system\"", "true"},
    {"PasswordFile", "ID", TEXT, D, FD(password_file), "-", "\"/etc/p\"", "/etc/p", "\"p\"", "1"},
    {"PassFile", "ID", TEXT, D, FD(passfile), "-", "\"/etc/p\"", "/etc/p", "\"../p\"", "1"},
    {"SearchPath", "ID", TEXT, D, FD(search_path), "public", "\"a, b\"", "a, b", "\"\"", "1"},
    {"ConnectTimeout", "I", INT64, I, FI(source.connect_timeout_us), "10000000", "1.5", "1500000", "0.5", "\"10\""},
    {"StatementTimeout", "I", INT64, I, FI(source.statement_timeout_us), "60000000", "1", "1000000", "0", "yes"},
    {"LockTimeout", "I", INT64, I, FI(source.lock_timeout_us), "2000000", "0.25", "250000", "0", "\"2\""},
    {"ReadTimeout", "I", INT64, I, FI(source.read_timeout_us), "300000000", "86400", "86400000000", "86401", "\"x\""},
    {"Mapping", "I", TEXT, I, FI(source.mapping), "customer_success", "\"other\"", "other", "\"nowhere\"", "1"},
    {"Mapping", "I", TEXT, I, FI(source.mapping), "customer_success", "\"/\"", "/", "\"./other\"", "false"},
    {"SyncInterval", "I", INT64, I, FI(sync_interval_us), "60000000", "300", "300000000", "0.99", "\"60\""},
    {"StaleAfter", "I", INT64, I, FI(stale_after_us), "900000000", "120", "120000000", "-1", "\"x\""},
    {"StaleAfter", "I", INT64, I, FI(stale_after_us), "900000000", "0", "900000000", "0.5", "no"},
    {"Shard", "I", SHARD, I, FI(source.shard), "0/0", "\"3/8\"", "3/8", "\"9/8\"", "3"},
    {"Shard", "I", SHARD, I, FI(source.shard), "0/0", "\"1/1024\"", "1/1024", "\"1/1025\"", "\"3/8\" \"4/8\""},
    {"History", "I", INT, I, FI(source.history_days), "400", "0", "0", "40000", "\"400\""},
    {"History", "I", INT, I, FI(source.history_days), "400", "36500", "36500", "1.5", "true"},
    {"FullSync", "I", INT64, I, FI(full_sync_us), "86400000000", "0", "0", "0.5", "\"24h\""},
    {"FullSync", "I", INT64, I, FI(full_sync_us), "86400000000", "3600", "3600000000", "31536001", "true"},
    {"Changes", "I", ENUM, I, FI(source.changes), "0", "\"counters\"", "3", "\"decoding\"", "1"},
    {"Changes", "I", ENUM, I, FI(source.changes), "0", "\"logical\"", "1", "\"log\"", "1"},
    {"Changes", "I", ENUM, I, FI(source.changes), "0", "none", "4", "\"inherit\"", "true"},
    {"Publication", "I", TEXT, I, FI(source.publication), "collectd_crm", "\"Changes of ours\"", "Changes of ours", "\"\"", "1"},
    {"ChangesOverlap", "I", INT64, I, FI(source.changes_overlap_us), "10000000", "0", "0", "86401", "\"10\""},
    {"MaxMemory", "I", SIZE, I, FI(source.max_memory), "0", "\"512M\"", "536870912", "1000", "\"512Q\""},
    {"MaxMemory", "I", SIZE, I, FI(source.max_memory), "0", "\"2g\"", "2147483648", "\"1K\"", "\"M\""},
    {"MaxMemory", "I", SIZE, I, FI(source.max_memory), "0", "2000000", "2000000", "\"99999999999999999999\"", "true"},
    {"TimeZone", "I", ZONE, I, FI(source.zone), "UTC", "\"Europe/Berlin\"", "Europe/Berlin", "\"Europe/Berln\"", "1"},
    {"Currency", "I", TEXT, I, FI(source.default_currency), "", "\"eur\"", "EUR", "\"EURO\"", "1"},
    {"GroupBy", "I", GROUPS, I, FI(params), "0 1", "\"region\" industry", "3 2", "\"segments\"", "1"},
    {"GroupBy", "I", GROUPS, I, FI(params), "0 1", "owner", "1", "\"owner\" \"owner\"", "true"},
    {"Notify", "I", FLAGS, I, FI(notify.groups), "0", "\"collector\"", "1", "\"nobody\"", "1"},
    {"Notify", "I", FLAGS, I, FI(notify.groups), "0", "accounts \"customers\"", "6", "accounts accounts", "true"},
    {"NotifyAccountFall", "I", DOUBLE, I, FI(notify.account_fall), "10", "7.5", "7.5", "101", "\"5\""},
    {"NotifyHealthFall", "I", DOUBLE, I, FI(notify.health_fall), "5", "7.5", "7.5", "101", "\"5\""},
    {"NotifyArrAtRisk", "I", DOUBLE, I, FI(notify.arr_at_risk), "0.25", "0", "0", "1.1", "\"5\""},
    {"NotifyNewlyAtRisk", "I", DOUBLE, I, FI(notify.newly_at_risk), "3", "1", "1", "0", "\"5\""},
    {"NotifyEscalations", "I", DOUBLE, I, FI(notify.escalations), "0.1", "1", "1", "-1", "\"5\""},
    {"NotifyNetRetention", "I", DOUBLE, I, FI(notify.net_retention), "1", "1.1", "1.1", "11", "\"5\""},
    {"NotifyGrossRetention", "I", DOUBLE, I, FI(notify.gross_retention), "0.9", "0.95", "0.95", "1.1", "\"5\""},
    {"MaxCells", "I", SIZE, I, FI(params.max_cells), "1000", "1", "1", "0", "\"many\""},
    {"PerAccount", "I", PER, I, FI(params), "0 0", "\"top\" 20", "2 20", "\"top\"", "5"},
    {"PerAccount", "I", PER, I, FI(params), "0 0", "at_risk", "1 0", "\"top\" 0.5", "\"top\" \"5\""},
    {"PerAccount", "I", PER, I, FI(params), "0 0", "all", "3 0", "all 5", "no"},
    {"MaxSeries", "I", SIZE, I, FI(params.max_series), "50000", "100000000", "100000000", "100000001", "\"5\""},
    {"MaxBreakdowns", "I", SIZE, I, FI(max_breakdowns), "2000", "1000000", "1000000", "1000001", "\"5\""},
    {"AccountNames", "I", ENUM, I, FI(params.account_names), "0", "hashed", "1", "\"hash\"", "1"},
    {"AccountNames", "I", ENUM, I, FI(params.account_names), "0", "off", "2", "\"plain\" \"off\"", "on"},
    {"WeightProductUsage", "IS", DOUBLE, S, FS(weight[CRM_HF_PRODUCT_USAGE]), "0.4", "0", "0", "-0.1", "\"1\""},
    {"WeightSupport", "IS", DOUBLE, S, FS(weight[CRM_HF_SUPPORT]), "0.25", "1", "1", "1001", "\"1\""},
    {"WeightEngagement", "IS", DOUBLE, S, FS(weight[CRM_HF_ENGAGEMENT]), "0.2", "0.5", "0.5", "-1", "\"1\""},
    {"WeightBusiness", "IS", DOUBLE, S, FS(weight[CRM_HF_BUSINESS]), "0.15", "30", "30", "-1", "off"},
    {"LoginTarget", "IS", DOUBLE, S, FS(login_target), "5", "0.5", "0.5", "0", "\"5\""},
    {"SessionTarget", "IS", DOUBLE, S, FS(session_target_seconds), "900", "1200", "1200", "0", "\"15m\""},
    {"MeetingTarget", "IS", DOUBLE, S, FS(meeting_target), "2", "4", "4", "0", "yes"},
    {"HealthyFrom", "IS", DOUBLE, S, FS(healthy_from), "80", "75", "75", "101", "\"80\""},
    {"ModerateFrom", "IS", DOUBLE, S, FS(moderate_from), "60", "65", "65", "-1", "\"60\""},
    {"AtRiskFrom", "IS", DOUBLE, S, FS(at_risk_from), "40", "30.5", "30.5", "-0.5", "\"40\""},
    {"MinCoverage", "I", DOUBLE, I, FI(params.min_coverage), "0.5", "1", "1", "1.1", "\"0.5\""},
    {"Benchmark", "I", BENCH, I, FI(params), "", "\"industry median\" 72.5", "industry median=72.5", "\"x\" 101", "72 \"x\""},
    {"Benchmark", "I", BENCH, I, FI(params), "", "peers 0", "peers=0", "\"\" 5", "\"x\" \"5\""},
    {"Benchmark", "I", BENCH, I, FI(params), "", "peers 100", "peers=100", "\"x\" -1", "72"},
    {"RiskWeightHealthDecline", "I", DOUBLE, I, FI(params.churn_weight[CRM_CF_HEALTH_DECLINE]), "0.3", "0", "0", "-1", "\"1\""},
    {"RiskWeightEngagementReduction", "I", DOUBLE, I, FI(params.churn_weight[CRM_CF_ENGAGEMENT_REDUCTION]), "0.25", "2", "2", "-1",
     "\"1\""},
    {"RiskWeightBusinessRisk", "I", DOUBLE, I, FI(params.churn_weight[CRM_CF_BUSINESS_RISK]), "0.25", "3", "3", "-1", "\"1\""},
    {"RiskWeightCompetitiveThreats", "I", DOUBLE, I, FI(params.churn_weight[CRM_CF_COMPETITIVE_THREATS]), "0.2", "4", "4", "-1", "\"1\""},
    {"RiskMediumFrom", "I", DOUBLE, I, FI(params.risk_medium_from), "25", "20", "20", "-1", "\"1\""},
    {"RiskHighFrom", "I", DOUBLE, I, FI(params.risk_high_from), "50", "45", "45", "101", "\"1\""},
    {"RiskCriticalAbove", "I", DOUBLE, I, FI(params.risk_critical_above), "70", "75", "75", "101", "\"1\""},
    {"RiskLeave", "I", DOUBLE, I, FI(params.risk_leave), "60", "65", "65", "101", "\"60\""},
    {"ResponseTarget", "I", DOUBLE, I, FI(params.response_target_seconds), "86400", "3600", "3600", "0", "\"24h\""},
    {"RenewalHorizon", "I", DOUBLE, I, FI(params.renewal_horizon_days), "90", "60", "60", "0", "\"90\""},
    {"ReactivationWindow", "I", INT, I, FI(params.reactivation_window_days), "0", "365", "365", "-1", "\"0\""},
    {"ReactivationWindow", "I", INT, I, FI(params.reactivation_window_days), "0", "1", "1", "2.5", "off"},
    {"GrossMargin", "I", DOUBLE, I, FI(params.gross_margin), "1", "0.8", "0.8", "1.01", "\"1\""},
    {"GrossMargin", "I", DOUBLE, I, FI(params.gross_margin), "1", "0.001", "0.001", "0", "\"80%\""},
    {"LifetimeCap", "I", DOUBLE, I, FI(params.lifetime_cap_months), "60", "36", "36", "0.5", "\"60\""},
    {"LifetimeCap", "I", DOUBLE, I, FI(params.lifetime_cap_months), "60", "0", "0", "1201", "off"},
    {"Query", "R", TEXT, R, FR(query), "-", "\"SELECT 1\"", "SELECT 1", "\"\"", "1"},
    {"QueryFile", "R", TEXT, R, FR(query_file), "-", "\"%D/q.sql\"", "%D/q.sql", "\"%D/none.sql\"", "1"},
    {"QueryFile", "R", TEXT, R, FR(query_file), "-", "\"%D/q.sql\"", "%D/q.sql", "\"q.sql\"", "true"},
    {"Database", "R", TEXT, R, FR(database), "-", "\"db\"", "db", "\"\"", "1"},
    {"Changes", "R", ENUM, R, FR(changes), "0", "\"poll\"", "3", "\"decoding\"", "1"},
    {"Changes", "R", ENUM, R, FR(changes), "0", "\"logical\"", "2", "\"log\"", "1"},
    {"Changes", "R", ENUM, R, FR(changes), "0", "none", "5", "\"off\"", "true"},
    {"Disabled", "R", BOOL, R, FR(disabled), "false", "true", "true", "\"perhaps\"", "1"},
    {"Disabled", "R", BOOL, R, FR(disabled), "false", "\"yes\"", "true", "true false", "0"},
    {"Condition", "N", CONDITIONS, N, 0, "silent_days >= 30", "\"churn_risk_score > 50\"", "churn_risk_score > 50",
     "\"churn_risk_score 50\"", "50"},
    {"Condition", "N", CONDITIONS, N, 0, "silent_days >= 30", "\" Champions<-1.5 \"", "champions < -1.5", "\"champions < 1x\"", "true"},
    {"Condition", "N", CONDITIONS, N, 0, "silent_days >= 30", "\"support_escalations<=0.5\"", "support_escalations <= 0.5",
     "\"champions == 1\"", "\"champions\" 1"},
    {"Condition", "N", CONDITIONS, N, 0, "silent_days >= 30", "\"escalations > 0\"", "escalations > 0", "\"champions < 0x10\"", "\"\""},
    {"Condition", "N", CONDITIONS, N, 0, "silent_days >= 30", "\"escalations > 1000000000\"", "escalations > 1000000000",
     "\"champion > 1\"", "\"escalations > 1000000001\""},
    {"Action", "N", TEXT, N, FN(action), "schedule_check_in", "\"call them\"", "call them", "\"\"", "1"},
    {"Reason", "N", TEXT, N, FN(reason), "-", "\"no word for weeks\"", "no word for weeks", "\"\"", "true"},
    {"Disabled", "N", BOOL, N, FN(disabled), "false", "\"no\"", "false", "\"perhaps\"", "1"},
};

static void render(enum type type, const char *base, size_t offset, char *buf, size_t size) {
  const void *field = base + offset;
  switch (type) {
  case TEXT:
    snprintf(buf, size, "%s", *(const char *const *)field == NULL ? "-" : *(const char *const *)field);
    return;
  case INT64:
    snprintf(buf, size, "%lld", (long long)*(const int64_t *)field);
    return;
  case INT:
    snprintf(buf, size, "%d", *(const int *)field);
    return;
  case SIZE:
    snprintf(buf, size, "%zu", *(const size_t *)field);
    return;
  case DOUBLE:
    snprintf(buf, size, "%.15g", *(const double *)field);
    return;
  case BOOL:
    snprintf(buf, size, "%s", *(const bool *)field ? "true" : "false");
    return;
  case ENUM:
    snprintf(buf, size, "%d", (int)*(const enum crm_account_names *)field);
    return;
  case ZONE:
    snprintf(buf, size, "%s", crm_zone_name(*(const struct crm_zone *const *)field));
    return;
  case FLAGS:
    snprintf(buf, size, "%u", *(const unsigned *)field);
    return;
  case GROUPS: {
    const struct crm_params *params = field;
    size_t n = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < params->n_group_by; i++)
      n += (size_t)snprintf(buf + n, size - n, "%s%d", i == 0 ? "" : " ", (int)params->group_by[i]);
    return;
  }
  case PER: {
    const struct crm_params *params = field;
    snprintf(buf, size, "%d %zu", (int)params->per_account, params->per_account_top);
    return;
  }
  case SHARD: {
    const struct crm_shard *shard = field;
    snprintf(buf, size, "%u/%u", shard->number, shard->of);
    return;
  }
  case BENCH: {
    const struct crm_params *params = field;
    size_t n = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < params->n_benchmarks; i++)
      n += (size_t)snprintf(buf + n, size - n, "%s%s=%.15g", i == 0 ? "" : " ", params->benchmarks[i].source, params->benchmarks[i].score);
    return;
  }
  case CONDITIONS: {
    const struct crm_rule *rule = field;
    size_t n = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < rule->n_conditions; i++) {
      const struct crm_condition *condition = &rule->conditions[i];
      n += (size_t)snprintf(buf + n, size - n, "%s%s %s %.15g", i == 0 ? "" : ", ", crm_term_name(condition->term),
                            crm_comparison_sign(condition->comparison), condition->value);
    }
  }
  }
}

/* One option line inside the block that `place` names, within a whole configuration that is right otherwise. Each kind of block but the
 * instance gets an option to keep it alive. */
static void wrap(char place, const char *line, char *buf, size_t size) {
  const char *database = "<Database \"db\">\nHost \"h\"\n</Database>\n";
  switch (place) {
  case 'I':
    snprintf(buf, size, "<Plugin crm>\n<Instance \"x\">\n%s</Instance>\n</Plugin>\n", line);
    return;
  case 'D':
    snprintf(buf, size, "<Plugin crm>\n<Instance \"x\">\n<Database \"db\">\n%s</Database>\n</Instance>\n</Plugin>\n", line);
    return;
  case 'R':
    snprintf(buf, size, "<Plugin crm>\n<Instance \"x\">\n<Relation \"nps\">\n%s</Relation>\n%s</Instance>\n</Plugin>\n", line, database);
    return;
  case 'N':
    snprintf(buf, size, "<Plugin crm>\n<Instance \"x\">\n<Recommendation \"silent\">\n%s</Recommendation>\n</Instance>\n</Plugin>\n", line);
    return;
  default:
    snprintf(buf, size, "<Plugin crm>\n<Instance \"x\">\n<Scorecard \"smb\">\n%s</Scorecard>\n</Instance>\n</Plugin>\n", line);
  }
}

static const char *owner_of(const struct crm_options *options, enum place owner, char place) {
  const struct crm_instance_options *instance = &options->instances[0];
  switch (owner) {
  case I:
    return (const char *)instance;
  case D:
    return (const char *)&instance->source.databases[place == 'D' ? 1 : 0];
  case R:
    return (const char *)&instance->source.relations[CRM_REL_NPS];
  case N:
    assert_string_equal(instance->params.rules[1].name, "silent");
    return (const char *)&instance->params.rules[1];
  default:
    return (const char *)&instance->params.scorecards[place == 'S' ? 1 : 0];
  }
}

static void check_value(size_t c, char place, const char *lines, const char *wanted) {
  char text[1024], got[256], expected[256];
  struct crm_options options;
  struct crm_error err;
  wrap(place, lines, text, sizeof(text));
  if (parse(text, &options, &err) != CRM_OK)
    fail_msg("%s in %c: %s", cases[c].option, place, err.message);
  render(cases[c].type, owner_of(&options, cases[c].owner, place), cases[c].offset, got, sizeof(got));
  snprintf(expected, sizeof(expected), "%s%s", strncmp(wanted, "%D", 2) == 0 ? dir : "", wanted + (strncmp(wanted, "%D", 2) == 0 ? 2 : 0));
  if (strcmp(got, expected) != 0)
    fail_msg("%s in %c: got %s, expected %s", cases[c].option, place, got, expected);
  crm_options_free(&options);
}

/* Refused at the line of the option, naming it and telling what is allowed. */
static void check_refused(size_t c, char place, const char *value, const char *also) {
  char line[512], text[1024], start[128];
  struct crm_options options;
  struct crm_error err;
  snprintf(line, sizeof(line), "%s %s\n", cases[c].option, value);
  if (also != NULL)
    snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s %s\n", cases[c].option, value);
  wrap(place, line, text, sizeof(text));
  snprintf(start, sizeof(start), "f.conf:%d: %s: ", (place == 'I' ? 3 : 4) + (also != NULL), cases[c].option);
  enum crm_status status = parse(text, &options, &err);
  if (status != CRM_ERR_CONFIG)
    fail_msg("%s %s in %c: status %d", cases[c].option, value, place, status);
  if (strncmp(err.message, start, strlen(start)) != 0 || strstr(err.message, also != NULL ? also : "; allowed: ") == NULL)
    fail_msg("%s %s in %c: %s", cases[c].option, value, place, err.message);
  crm_options_free(&options);
}

static void test_every_option(void **state) {
  for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++)
    for (const char *place = cases[c].places; *place != '\0'; place++) {
      char line[256];
      const char *filler = *place == 'R'   ? "Disabled false\n"
                           : *place == 'D' ? "Host \"x\"\n"
                           : *place == 'S' ? "LoginTarget 5\n"
                           : *place == 'N' ? "Disabled false\n"
                                           : "";
      if (strcmp(cases[c].option, "Host") == 0 && *place == 'D')
        filler = "User \"x\"\n";
      check_value(c, *place, filler, cases[c].standard);
      snprintf(line, sizeof(line), "%s %s\n", cases[c].option, cases[c].good);
      check_value(c, *place, line, cases[c].value);
      for (char *p = line; *p != '\0' && *p != ' '; p++) /* letter case of names does not matter */
        *p |= 0x20;
      check_value(c, *place, line, cases[c].value);
      check_refused(c, *place, cases[c].outside, NULL);
      check_refused(c, *place, cases[c].mistyped, NULL);
      check_refused(c, *place, cases[c].good, "given twice");
    }
}

/* Nobody adds an option without a case here. */
static void test_cases_are_complete(void **state) {
  static const struct {
    char letter;
    unsigned block;
  } blocks[] = {{'I', CRM_BLOCK_INSTANCE},
                {'D', CRM_BLOCK_DATABASE},
                {'R', CRM_BLOCK_RELATION},
                {'S', CRM_BLOCK_SCORECARD},
                {'N', CRM_BLOCK_RECOMMENDATION}};
  for (size_t i = 0; i < crm_option_count(); i++)
    for (size_t b = 0; b < sizeof(blocks) / sizeof(*blocks); b++) {
      bool tested = false;
      for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++)
        tested |= strcmp(cases[c].option, crm_option_at(i)->name) == 0 && strchr(cases[c].places, blocks[b].letter) != NULL;
      if (tested != ((crm_option_at(i)->blocks & blocks[b].block) != 0) &&
          crm_option_find(crm_option_at(i)->name, blocks[b].block) == crm_option_at(i))
        fail_msg("%s in <%s> has no case", crm_option_at(i)->name, crm_option_block_name(blocks[b].block));
    }
}

#define IN_INSTANCE(lines) "<Plugin crm>\n<Instance \"x\">\n" lines "</Instance>\n</Plugin>\n"

static const struct {
  const char *name, *text, *error; /* error NULL: fits */
} wholes[] = {
    {"no instance", "<Plugin crm>\n</Plugin>\n", "<Plugin crm> has no instance"},
    {"instance without anything", "<Plugin crm>\n<Instance \"x\">\n</Instance>\n</Plugin>\n", NULL},
    {"instance without a name", "<Plugin crm>\n<Instance>\nHost \"x\"\n</Instance>\n</Plugin>\n",
     "f.conf:2: Instance: the block needs exactly one name"},
    {"name with a blank", "<Plugin crm>\n<Instance \"a b\">\n</Instance>\n</Plugin>\n",
     "f.conf:2: Instance: \"a b\" cannot be a name; allowed: "},
    {"name of 64",
     "<Plugin crm>\n<Instance \"aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd\">\n</Instance>\n</Plugin>\n", NULL},
    {"name of 65",
     "<Plugin crm>\n<Instance \"aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddde\">\n</Instance>\n</Plugin>\n",
     "f.conf:2: Instance: "},
    {"two instances", "<Plugin crm>\n<Instance \"a\">\n</Instance>\n<Instance \"b\">\n</Instance>\n</Plugin>\n", NULL},
    {"two blocks add up",
     "<Plugin crm>\n<Instance \"a\">\n</Instance>\n</Plugin>\n<Plugin crm>\n<Instance \"b\">\n</Instance>\n</Plugin>\n", NULL},
    {"a name twice over blocks",
     "<Plugin crm>\n<Instance \"a\">\n</Instance>\n</Plugin>\n<Plugin crm>\n<Instance \"A\">\n</Instance>\n</Plugin>\n",
     "f.conf:6: Instance: the name \"A\" is taken by the instance \"a\" of line 2"},
    {"option outside an instance", "<Plugin crm>\nHost \"x\"\n</Plugin>\n",
     "f.conf:2: Host: it cannot stand here; allowed in <Plugin crm>: "},
    {"unknown option", IN_INSTANCE("Frobnicate 1\n"), "f.conf:3: Frobnicate: unknown option in <Instance>; "},
    {"slip of the finger", IN_INSTANCE("SyncIntervall 60\n"),
     "f.conf:3: SyncIntervall: unknown option in <Instance>, is SyncInterval meant?"},
    {"swapped letters", IN_INSTANCE("Hsot \"x\"\n"), "f.conf:3: Hsot: unknown option in <Instance>, is Host meant?"},
    {"option of another block", IN_INSTANCE("Query \"x\"\n"), "f.conf:3: Query: it cannot stand in <Instance>; allowed: in <Relation>"},
    {"word nearly right", IN_INSTANCE("AccountNames \"hased\"\n"),
     "f.conf:3: AccountNames: \"hased\" is not known, is \"hashed\" meant?; allowed: one of "},
    {"option as a block", IN_INSTANCE("<Host \"x\">\nA 1\n</Host>\n"), "f.conf:3: Host: it is an option and not a block"},
    {"password", IN_INSTANCE("Password \"hunter2\"\n"),
     "f.conf:3: Password: there is no such option, so that no password stands in the configuration"},
    {"password in keywords", IN_INSTANCE("ConnInfo \"host=x password=hunter2\"\n"), "f.conf:3: ConnInfo: it holds a password (password)"},
    {"password in a URI", IN_INSTANCE("ConnInfo \"postgresql://me:hunter2@h/db\"\n"), "f.conf:3: ConnInfo: it holds a password (password)"},
    {"password of a key", IN_INSTANCE("ConnInfo \"sslpassword=hunter2\"\n"), "f.conf:3: ConnInfo: it holds a password (sslpassword)"},
    {"password in a broken string", IN_INSTANCE("ConnInfo \"password = 'hunter2\"\n"), "f.conf:3: ConnInfo: it cannot be read; allowed: "},
    {"password in a broken URI", IN_INSTANCE("ConnInfo \"postgresql://me:hunter2@[h/db\"\n"),
     "f.conf:3: ConnInfo: it cannot be read; allowed: "},
    {"password file in keywords", IN_INSTANCE("ConnInfo \"host=x passfile=/etc/p\"\n"), NULL},
    {"URI", IN_INSTANCE("ConnInfo \"postgresql://me@h:1,i:2/db?sslmode=require\"\n"), NULL},
    {"mapping that is not there", IN_INSTANCE("Mapping \"none\"\n"),
     "f.conf:3: Mapping: %D/mappings/none: No such file or directory; shipped: "},
    {"mapping that is a file", IN_INSTANCE("Mapping \"%D/q.sql\"\n"), "f.conf:3: Mapping: %D/q.sql is not a directory"},
    {"mapping that climbs", IN_INSTANCE("Mapping \"..\"\n"), "f.conf:3: Mapping: \"..\" is not a name"},
    {"zone", IN_INSTANCE("TimeZone \"Mars/Olympus\"\n"), "f.conf:3: TimeZone: "},
    {"text that is not UTF-8", IN_INSTANCE("Host \"\xff\"\n"), "f.conf:3: Host: the text is not UTF-8"},
    {"bands", IN_INSTANCE("HealthyFrom 60\n"), "f.conf:2: ModerateFrom: 60 is not less than HealthyFrom, which is 60"},
    {"lower bands", IN_INSTANCE("Host \"x\"\nAtRiskFrom 61\n"), "f.conf:4: AtRiskFrom: 61 is not less than ModerateFrom, which is 60"},
    {"bands of a scorecard", IN_INSTANCE("<Scorecard \"smb\">\nModerateFrom 85\n</Scorecard>\n"),
     "f.conf:4: ModerateFrom: 85 is not less than HealthyFrom, which is 80"},
    {"bands in any order", IN_INSTANCE("AtRiskFrom 70\nModerateFrom 80\nHealthyFrom 90\n"), NULL},
    {"risk bands", IN_INSTANCE("RiskMediumFrom 50\n"), "f.conf:2: RiskHighFrom: 50 is not more than RiskMediumFrom, which is 50"},
    {"upper risk bands", IN_INSTANCE("RiskCriticalAbove 50\n"),
     "f.conf:3: RiskCriticalAbove: 50 is not more than RiskHighFrom, which is 50"},
    {"leave above enter", IN_INSTANCE("RiskLeave 70.5\n"), "f.conf:3: RiskLeave: 70.5 is more than RiskCriticalAbove, which is 70"},
    {"leave at enter", IN_INSTANCE("RiskLeave 70\n"), NULL},
    {"leave by default", IN_INSTANCE("RiskCriticalAbove 55\n"), NULL},
    {"recommendation twice",
     IN_INSTANCE(
         "<Recommendation \"a\">\nAction \"x\"\nCondition \"champions < 1\"\n</Recommendation>\n<Recommendation \"a\">\nAction \"y\"\n"
         "</Recommendation>\n"),
     "f.conf:7: Recommendation: there are two blocks <Recommendation \"a\">"},
    {"recommendation without action", IN_INSTANCE("<Recommendation \"a\">\nCondition \"champions < 1\"\n</Recommendation>\n"),
     "f.conf:3: Recommendation: \"a\" is not the name of a shipped rule, and it has no Action"},
    {"recommendation without condition", IN_INSTANCE("<Recommendation \"a\">\nAction \"x\"\n</Recommendation>\n"),
     "f.conf:3: Recommendation: \"a\" is not the name of a shipped rule, and it has no Condition"},
    {"recommendation without name", IN_INSTANCE("<Recommendation>\nAction \"x\"\n</Recommendation>\n"),
     "f.conf:3: Recommendation: the block needs exactly one name"},
    {"term nearly right", IN_INSTANCE("<Recommendation \"silent\">\nCondition \"silent_day > 1\"\n</Recommendation>\n"),
     "f.conf:4: Condition: there is no term \"silent_day\", is \"silent_days\" meant?; allowed: "},
    {"term that is none", IN_INSTANCE("<Recommendation \"silent\">\nCondition \"weather > 1\"\n</Recommendation>\n"),
     "f.conf:4: Condition: there is no term \"weather\"; collectd-crm(5) lists them; allowed: "},
    {"action of 65",
     IN_INSTANCE(
         "<Recommendation \"silent\">\nAction \"aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddde\"\n</Recommendation>\n"),
     "f.conf:4: Action: the text is longer than 64 bytes"},
    {"condition option in an instance", IN_INSTANCE("Condition \"champions < 1\"\n"),
     "f.conf:3: Condition: it cannot stand in <Instance>; allowed: in <Recommendation>"},
    {"no weight", IN_INSTANCE("WeightProductUsage 0\nWeightSupport 0\nWeightEngagement 0\nWeightBusiness 0\n"),
     "f.conf:3: WeightProductUsage: all weights of the health score are 0"},
    {"no risk weight",
     IN_INSTANCE("RiskWeightHealthDecline 0\nRiskWeightEngagementReduction 0\nRiskWeightBusinessRisk 0\nRiskWeightCompetitiveThreats 0\n"),
     "f.conf:3: RiskWeightHealthDecline: all weights of the churn risk are 0"},
    {"stale before the next sync", IN_INSTANCE("StaleAfter 59\n"),
     "f.conf:3: StaleAfter: 59 seconds is less than SyncInterval, which is 60"},
    {"relation that is none", IN_INSTANCE("<Relation \"engagements\">\nDisabled true\n</Relation>\n"),
     "f.conf:3: Relation: there is no relation \"engagements\", is \"engagement\" meant?; allowed: account revenue "},
    {"relation twice", IN_INSTANCE("<Relation \"nps\">\nDisabled true\n</Relation>\n<Relation \"nps\">\nDisabled true\n</Relation>\n"),
     "f.conf:6: Relation: there are two blocks <Relation \"nps\">"},
    {"two statements", IN_INSTANCE("<Relation \"nps\">\nQuery \"SELECT 1\"\nQueryFile \"%D/q.sql\"\n</Relation>\n"),
     "f.conf:5: QueryFile: Query and QueryFile are both given"},
    {"account disabled", IN_INSTANCE("<Relation \"account\">\nDisabled true\n</Relation>\n"),
     "f.conf:4: Disabled: account cannot be disabled"},
    {"database that is not there", IN_INSTANCE("<Relation \"nps\">\nDatabase \"w\"\n</Relation>\n"),
     "f.conf:4: Database: there is no block <Database \"w\">"},
    {"database behind the relation",
     IN_INSTANCE("<Relation \"nps\">\nDatabase \"w\"\n</Relation>\n<Database \"w\">\nHost \"h\"\n</Database>\n"), NULL},
    {"database twice", IN_INSTANCE("<Database \"w\">\nHost \"h\"\n</Database>\n<Database \"w\">\nHost \"h\"\n</Database>\n"),
     "f.conf:6: Database: there are two blocks <Database \"w\">"},
    {"option and block Database", IN_INSTANCE("Database \"crm\"\n<Database \"w\">\nDatabase \"dw\"\n</Database>\n"), NULL},
    {"instance option in a database", IN_INSTANCE("<Database \"w\">\nTimeZone \"UTC\"\n</Database>\n"),
     "f.conf:4: TimeZone: it cannot stand in <Database>; allowed: in <Instance>"},
    {"scorecard twice", IN_INSTANCE("<Scorecard \"a\">\nLoginTarget 1\n</Scorecard>\n<Scorecard \"a\">\nLoginTarget 2\n</Scorecard>\n"),
     "f.conf:6: Scorecard: there are two blocks <Scorecard \"a\">"},
};

static void test_wholes(void **state) {
  for (size_t i = 0; i < sizeof(wholes) / sizeof(*wholes); i++) {
    struct crm_options options;
    struct crm_error err;
    char expected[512] = "";
    enum crm_status status = parse(wholes[i].text, &options, &err);
    for (const char *p = wholes[i].error; p != NULL && *p != '\0'; p++) {
      size_t n = strlen(expected);
      if (p[0] == '%' && p[1] == 'D')
        p++, snprintf(expected + n, sizeof(expected) - n, "%s", dir);
      else
        expected[n] = *p, expected[n + 1] = '\0';
    }
    if ((status == CRM_OK) != (wholes[i].error == NULL) || strncmp(err.message, expected, strlen(expected)) != 0)
      fail_msg("%s: status %d, \"%s\"", wholes[i].name, status, err.message);
    if (strstr(err.message, "hunter2") != NULL)
      fail_msg("%s: tells the password", wholes[i].name);
    crm_options_free(&options);
  }
}

static void test_repeated_options(void **state) {
  struct crm_options options;
  struct crm_error err;
  char text[256];
  assert_int_equal(parse(IN_INSTANCE("RiskCriticalAbove 55\nBenchmark \"a\" 70\nBenchmark \"b\" 80\n"), &options, &err), CRM_OK);
  render(BENCH, (const char *)&options.instances[0].params, 0, text, sizeof(text));
  assert_string_equal(text, "a=70 b=80");
  assert_true(options.instances[0].params.risk_leave == 55); /* the default of 60 gives way */
  crm_options_free(&options);
}

/* Shipped rules that are changed, switched off and left alone, and one that is added. */
static void test_recommendations(void **state) {
  struct crm_options options;
  struct crm_error err;
  char text[256];
  assert_int_equal(parse(IN_INSTANCE("<Recommendation \"silent\">\nCondition \"silent_days > 14\"\nCondition \"health_score < 60\"\n"
                                     "Reason \"quiet and unwell\"\n</Recommendation>\n"
                                     "<Recommendation \"escalated\">\nDisabled true\n</Recommendation>\n"
                                     "<Recommendation \"champion_lost\">\nAction \"ask_around\"\n</Recommendation>\n"
                                     "<Recommendation \"own\">\nAction \"party\"\nCondition \"health_score >= 99\"\n</Recommendation>\n"),
                         &options, &err),
                   CRM_OK);
  const struct crm_params *params = &options.instances[0].params;
  static const struct {
    const char *name, *action, *reason, *conditions;
  } rules[] = {
      {"renewal_at_risk", "executive_review", "renewal_at_risk", "contract_days_left <= 60, churn_risk_score > 50"},
      {"silent", "schedule_check_in", "quiet and unwell", "silent_days > 14, health_score < 60"},
      {"champion_lost", "ask_around", "champion_lost", "lost_champions >= 1, champions < 1"},
      {"low_adoption", "training", "low_adoption", "feature_adoption < 40"},
      {"payment_overdue", "billing_follow_up", "payment_overdue", "overdue_invoices >= 1"},
      {"seats_used_up", "expansion_conversation", "seats_used_up", "user_activity >= 90, health_score >= 80"},
      {"own", "party", "own", "health_score >= 99"},
  };
  assert_int_equal(params->n_rules, sizeof(rules) / sizeof(*rules));
  for (size_t i = 0; i < params->n_rules; i++) {
    assert_string_equal(params->rules[i].name, rules[i].name);
    assert_string_equal(params->rules[i].action, rules[i].action);
    assert_string_equal(crm_rule_reason(&params->rules[i]), rules[i].reason);
    render(CONDITIONS, (const char *)&params->rules[i], 0, text, sizeof(text));
    assert_string_equal(text, rules[i].conditions);
  }
  crm_options_free(&options);
}

static void test_too_many_rules(void **state) {
  struct crm_strbuf text;
  struct crm_options options;
  struct crm_error err;
  for (int own = 57; own <= 58; own++) { /* besides the 7 shipped ones */
    crm_strbuf_init(&text, 1 << 16);
    crm_strbuf_adds(&text, "<Plugin crm>\n<Instance \"x\">\n");
    for (int i = 0; i < own; i++)
      crm_strbuf_addf(&text, "<Recommendation \"r%d\">\nAction \"a\"\nCondition \"champions < %d\"\n</Recommendation>\n", i, i);
    crm_strbuf_adds(&text, "</Instance>\n</Plugin>\n");
    assert_int_equal(parse(crm_strbuf_str(&text), &options, &err), own == 57 ? CRM_OK : CRM_ERR_CONFIG);
    if (own > 57)
      assert_non_null(strstr(err.message, ": there are too many rules; allowed: 64"));
    crm_options_free(&options);
    crm_strbuf_free(&text);
  }
}

static void test_two_instances(void **state) {
  struct crm_options options;
  struct crm_error err;
  assert_int_equal(parse("<Plugin crm>\n<Instance \"a\">\nSyncInterval 600\nTimeZone \"Asia/Tokyo\"\nHealthyFrom 90\nDatabase \"one\"\n"
                         "<Scorecard \"smb\">\nLoginTarget 3\n</Scorecard>\n<Database \"w\">\nHost \"h\"\n</Database>\n"
                         "<Relation \"support\">\nDatabase \"w\"\n</Relation>\n</Instance>\n<Instance \"b\">\n</Instance>\n</Plugin>\n",
                         &options, &err),
                   CRM_OK);
  assert_int_equal(options.n_instances, 2);
  const struct crm_instance_options *a = &options.instances[0], *b = &options.instances[1];
  assert_string_equal(a->name, "a");
  assert_string_equal(a->source.instance, "a");
  assert_string_equal(a->file, "f.conf");
  assert_int_equal(a->line, 2);
  assert_int_equal(b->line, 17);
  assert_true(a->stale_after_us == 1800 * CRM_US_PER_SECOND); /* three sync intervals */
  assert_true(b->stale_after_us == 900 * CRM_US_PER_SECOND);  /* at least 15 minutes */
  assert_string_equal(crm_zone_name(a->params.zone), "Asia/Tokyo");
  assert_ptr_equal(a->params.zone, a->source.zone);
  assert_string_equal(crm_zone_name(b->params.zone), "UTC");
  assert_int_equal(a->params.n_scorecards, 2);
  assert_null(a->params.scorecards[0].segment);
  assert_string_equal(a->params.scorecards[1].segment, "smb");
  assert_true(a->params.scorecards[1].login_target == 3);
  assert_true(a->params.scorecards[1].healthy_from == 90); /* from the instance */
  assert_true(a->params.scorecards[0].login_target == 5);
  assert_int_equal(a->source.n_databases, 2);
  assert_string_equal(a->source.databases[0].name, "");
  assert_string_equal(a->source.databases[0].dbname, "one");
  assert_string_equal(a->source.databases[1].name, "w");
  assert_null(a->source.databases[1].dbname); /* nothing from the instance */
  assert_string_equal(a->source.databases[1].search_path, "public");
  assert_string_equal(a->source.relations[CRM_REL_SUPPORT].database, "w");
  assert_int_equal(b->source.n_databases, 1);
  crm_options_free(&options);
}

/* Without a file (the daemon's own tree has none) the instance stands in for it. */
static void test_no_position(void **state) {
  struct crm_conf_value name = {.type = CRM_CONF_STRING, .string = "acme"}, zero = {.type = CRM_CONF_NUMBER, .number = 0};
  struct crm_conf_node option = {.key = "SyncInterval", .values = &zero, .n_values = 1};
  struct crm_conf_node instance = {.key = "Instance", .values = &name, .n_values = 1, .children = &option, .n_children = 1};
  struct crm_conf_node plugin = {.key = "Plugin", .children = &instance, .n_children = 1};
  struct crm_options options;
  struct crm_error err;
  crm_options_init(&options);
  assert_int_equal(crm_options_parse(&options, &plugin, dir, &err), CRM_ERR_CONFIG);
  assert_string_equal(err.message,
                      "Instance \"acme\": SyncInterval: 0 is out of range; allowed: a number without quotes, from 1 to 86400 seconds");
  crm_options_free(&options);
}

static int make_scratch(void **state) {
  char command[512];
  (void)scratch_template(dir, "options");
  if (mkdtemp(dir) == NULL)
    return -1;
  snprintf(command, sizeof(command), "mkdir -p %s/mappings/customer_success %s/mappings/other && echo 'SELECT 1' > %s/q.sql", dir, dir,
           dir);
  return system(command);
}

static int remove_scratch(void **state) {
  char command[128];
  snprintf(command, sizeof(command), "rm -rf '%s'", dir);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_option),     cmocka_unit_test(test_cases_are_complete), cmocka_unit_test(test_wholes),
      cmocka_unit_test(test_repeated_options), cmocka_unit_test(test_recommendations),    cmocka_unit_test(test_too_many_rules),
      cmocka_unit_test(test_two_instances),    cmocka_unit_test(test_no_position),
  };
  return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
