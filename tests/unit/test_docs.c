/* SPDX-License-Identifier: MIT */
/* The table of options, the manual and the sample file agree; so do the defaults of the table and those of the analytics. */
#include "crm_config.h"

#include "options/option_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "series/catalogue.h"
#include "../lib/scratch.h"

static char scratch[SCRATCH_SIZE]; /* holds mappings/customer_success and file.sql */

/* A whole file below one of the directories that the test's environment names; the caller frees. */
static char *slurp(const char *variable, const char *name) {
  char path[4096];
  const char *top = getenv(variable);
  snprintf(path, sizeof(path), "%s/%s", top != NULL ? top : ".", name);
  FILE *f = fopen(path, "r");
  if (f == NULL)
    fail_msg("%s cannot be read", path);
  struct crm_strbuf text;
  char block[4096];
  crm_strbuf_init(&text, 16 << 20);
  for (size_t n; (n = fread(block, 1, sizeof(block), f)) > 0;)
    crm_strbuf_add(&text, block, n);
  fclose(f);
  char *all = crm_strbuf_take(&text);
  assert_non_null(all);
  return all;
}

/* Parses a configuration whose first <Plugin crm> block is wanted. Paths of files that must exist are pointed to the scratch directory. */
static void parse(const char *text, struct crm_options *options) {
  struct crm_strbuf moved;
  crm_strbuf_init(&moved, 1 << 20);
  for (const char *p = text; *p != '\0'; p++)
    if (strncmp(p, "/etc/collectd/crm/usage.sql", 27) == 0) {
      crm_strbuf_addf(&moved, "%s/file.sql", scratch);
      p += 26;
    } else
      crm_strbuf_addc(&moved, *p);
  char mappings[SCRATCH_SIZE + 16];
  snprintf(mappings, sizeof(mappings), "%s/mappings", scratch);
  struct crm_arena arena;
  struct crm_conf_node root;
  struct crm_error err = {0};
  crm_arena_init(&arena, 0);
  crm_options_init(options);
  if (crm_conf_parse(crm_strbuf_str(&moved), moved.len, "sample", &arena, &root, &err) != CRM_OK)
    fail_msg("%s", err.message);
  bool found = false;
  for (size_t i = 0; i < root.n_children; i++) {
    if (strcasecmp(root.children[i].key, "Plugin") != 0)
      continue;
    found = true;
    if (crm_options_parse(options, &root.children[i], mappings, &err) != CRM_OK)
      fail_msg("%s", err.message);
  }
  assert_true(found);
  if (crm_options_finish(options, &err) != CRM_OK)
    fail_msg("%s", err.message);
  crm_arena_free(&arena);
  crm_strbuf_free(&moved);
}

static void parse_empty(struct crm_options *options) {
  parse("<Plugin crm>\n<Instance \"example\">\n</Instance>\n</Plugin>\n", options);
}

/* The sample with the signs taken away from its options and blocks: of all, or only of the instance's own options that have a default. */
static char *uncomment(const char *sample, bool all) {
  struct crm_strbuf out;
  crm_strbuf_init(&out, 1 << 20);
  bool inside = true; /* the block of the instance */
  for (const char *line = sample; *line != '\0';) {
    inside = inside && strncmp(line, "  </Instance>", 13) != 0;
    size_t len = strcspn(line, "\n") + 1, blanks = strspn(line, " ");
    const char *sign = line + blanks;
    bool take = sign[0] == '#' && (sign[1] == '<' || (sign[1] >= 'A' && sign[1] <= 'Z'));
    if (take && !all) {
      char name[64];
      snprintf(name, sizeof(name), "%.*s", (int)strcspn(sign + 1, " \n"), sign + 1);
      const struct crm_option *option = crm_option_find(name, CRM_BLOCK_INSTANCE);
      take = inside && blanks == 4 && option != NULL && option->fallback != NULL;
    }
    crm_strbuf_add(&out, line, take ? blanks : len);
    if (take)
      crm_strbuf_add(&out, sign + 1, len - blanks - 1);
    line += len;
  }
  char *text = crm_strbuf_take(&out);
  assert_non_null(text);
  return text;
}

/* The same rules, wherever they lie. */
static void assert_same_rules(const struct crm_params *p, const struct crm_params *q) {
  assert_int_equal(p->n_rules, q->n_rules);
  for (size_t i = 0; i < p->n_rules; i++) {
    const struct crm_rule *a = &p->rules[i], *b = &q->rules[i];
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->action, b->action);
    assert_string_equal(crm_rule_reason(a), crm_rule_reason(b));
    assert_int_equal(a->n_conditions, b->n_conditions);
    for (size_t k = 0; k < a->n_conditions; k++)
      assert_true(a->conditions[k].term == b->conditions[k].term && a->conditions[k].comparison == b->conditions[k].comparison &&
                  a->conditions[k].value == b->conditions[k].value);
  }
}

/* Everything in the two instances that an option sets is the same. */
static void assert_same(const struct crm_instance_options *a, const struct crm_instance_options *b) {
  const struct crm_source_options *s = &a->source, *t = &b->source;
  assert_true(a->sync_interval_us == b->sync_interval_us);
  assert_true(a->stale_after_us == b->stale_after_us);
  assert_string_equal(s->mapping, t->mapping);
  assert_string_equal(s->databases[0].search_path, t->databases[0].search_path);
  assert_null(s->databases[0].conninfo);
  assert_string_equal(crm_zone_name(s->zone), crm_zone_name(t->zone));
  assert_string_equal(s->default_currency, t->default_currency);
  assert_true(s->connect_timeout_us == t->connect_timeout_us && s->statement_timeout_us == t->statement_timeout_us);
  assert_true(s->lock_timeout_us == t->lock_timeout_us && s->read_timeout_us == t->read_timeout_us);
  assert_int_equal(s->history_days, t->history_days);
  assert_int_equal(s->max_memory, t->max_memory);
  assert_true(s->shard.number == t->shard.number && s->shard.of == t->shard.of);
  struct crm_params p = a->params, q = b->params;
  assert_int_equal(p.n_scorecards, q.n_scorecards);
  assert_memory_equal(p.scorecards, q.scorecards, sizeof(*p.scorecards));
  assert_same_rules(&p, &q);
  p.zone = q.zone = NULL;
  p.scorecards = q.scorecards = NULL;
  p.rules = q.rules = NULL;
  assert_memory_equal(&p, &q, sizeof(p));
}

static void test_sample_is_current(void **state) {
  struct crm_strbuf made;
  char *sample = slurp("CRM_SRCDIR", "contrib/collectd/crm.conf");
  crm_strbuf_init(&made, 1 << 20);
  crm_options_sample(&made);
  if (strcmp(crm_strbuf_str(&made), sample) != 0)
    fail_msg("contrib/collectd/crm.conf is out of date: run make update-sample");
  crm_strbuf_free(&made);
  free(sample);
}

static void test_sample_has_the_defaults(void **state) {
  struct crm_options empty, shipped, spelt;
  char *sample = slurp("CRM_SRCDIR", "contrib/collectd/crm.conf");
  char *uncommented = uncomment(sample, false);
  assert_true(strlen(uncommented) < strlen(sample) - 20); /* something was taken */
  parse_empty(&empty);
  parse(sample, &shipped);
  parse(uncommented, &spelt);
  assert_int_equal(shipped.n_instances, 1);
  assert_same(&shipped.instances[0], &empty.instances[0]);
  assert_same(&spelt.instances[0], &empty.instances[0]);
  crm_options_free(&empty);
  crm_options_free(&shipped);
  crm_options_free(&spelt);
  free(uncommented);
  free(sample);
}

/* With every line in force it is still right, and every option stands in every block in which it may stand. */
static void test_whole_sample(void **state) {
  struct crm_options options;
  char *sample = slurp("CRM_SRCDIR", "contrib/collectd/crm.conf");
  char *uncommented = uncomment(sample, true);
  parse(uncommented, &options);
  const struct crm_instance_options *instance = &options.instances[0];
  assert_int_equal(instance->source.n_databases, 2);
  assert_int_equal(instance->params.n_scorecards, 2);
  assert_int_equal(instance->params.n_rules, 8); /* those shipped and the one of the sample */
  assert_int_equal(instance->params.n_benchmarks, 1);
  assert_int_equal(options.exports.n_listens, 1);
  assert_int_equal(options.exports.n_textfiles, 1);
  assert_int_equal(options.exports.n_sinks, 2);
  assert_non_null(instance->source.relations[CRM_REL_ENGAGEMENT].query);
  assert_non_null(instance->source.relations[CRM_REL_USAGE].query_file);
  for (size_t i = 0; i < crm_option_count(); i++) {
    const struct crm_option *option = crm_option_at(i);
    size_t wanted = 0, found = 0;
    char line[64];
    snprintf(line, sizeof(line), "#%s ", option->name);
    for (size_t j = 0; j < crm_option_count(); j++) /* Database is two options: of a connection, and of a relation */
      for (unsigned block = 1; block < 1u << CRM_OPTION_BLOCKS; block <<= 1)
        if (strcmp(crm_option_at(j)->name, option->name) == 0 && (crm_option_at(j)->blocks & block) != 0)
          wanted++;
    for (const char *p = sample; (p = strstr(p, line)) != NULL; p++)
      found++;
    /* A receiver takes one way to log in or the other. */
    if (strcmp(option->name, "User") == 0 || strcmp(option->name, "PasswordFile") == 0 || strcmp(option->name, "BearerTokenFile") == 0)
      wanted--;
    /* There are two samples of a relation. */
    if (found < wanted || found > wanted + 1)
      fail_msg("%s stands %zu times in the sample, not %zu", option->name, found, wanted);
  }
  crm_options_free(&options);
  free(uncommented);
  free(sample);
}

static void assert_in(const char *page, const char *text, const char *what) {
  if (strstr(page, text) == NULL)
    fail_msg("the manual does not tell %s", what);
}

/* The page as it is given to pod2man holds every option with its default, every relation and column. */
static void test_manual(void **state) {
  char *page = slurp("CRM_BUILDDIR", "man/collectd-crm.5.pod");
  char text[512];
  assert_null(strstr(page, "=for crm"));
  for (size_t i = 0; i < crm_option_count(); i++) {
    const struct crm_option *option = crm_option_at(i);
    snprintf(text, sizeof(text), "=item B<%s> I<", option->name);
    assert_in(page, text, option->name);
    snprintf(text, sizeof(text), "Defaults to B<%s>.", option->fallback != NULL ? option->fallback : "");
    if (option->fallback != NULL)
      assert_in(page, text, option->name);
    assert_true(option->help[0] != '\0' && option->help[strlen(option->help) - 1] == '.');
    assert_true(option->fallback != NULL || option->example != NULL);
  }
  struct crm_strbuf list;
  crm_strbuf_init(&list, 1 << 20);
  crm_options_pod(&list);
  assert_in(page, crm_strbuf_str(&list), "the options as the table has them");
  crm_strbuf_free(&list);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_relation_info *info = crm_relation_info((enum crm_relation)r);
    snprintf(text, sizeof(text), "=head2 %s\n", info->name);
    const char *section = strstr(page, text);
    assert_in(page, text, info->name);
    for (size_t c = 0; c < info->n_columns; c++) {
      snprintf(text, sizeof(text), "=item B<%s>", info->columns[c].name);
      const char *item = strstr(section, text), *end = strstr(section + 1, "=head");
      if (item == NULL || (end != NULL && item > end))
        fail_msg("the manual does not tell %s.%s", info->name, info->columns[c].name);
    }
  }
  free(page);
}

/* And that of the metrics every family. */
static void test_metrics_page(void **state) {
  char *page = slurp("CRM_BUILDDIR", "man/crm-metrics.7.pod");
  char text[512];
  assert_null(strstr(page, "=for crm"));
  for (int f = 0; f < CRM_FAMILIES; f++) {
    snprintf(text, sizeof(text), "=item B<%s> (", crm_family_info((enum crm_family)f)->name);
    assert_in(page, text, crm_family_info((enum crm_family)f)->name);
  }
  /* What scores are made of has a definition each: several may share an item. */
  for (int i = 0; i < CRM_HEALTH_INPUTS; i++) {
    snprintf(text, sizeof(text), "=item B<%s>\n", crm_health_input_name((enum crm_health_input)i));
    assert_in(page, text, text);
  }
  for (int i = 0; i < CRM_CHURN_INDICATORS; i++) {
    snprintf(text, sizeof(text), "B<%s>", crm_churn_indicator_name((enum crm_churn_indicator)i));
    assert_in(page, text, text);
  }
  /* Names worked out by hand from METRICS.md, section 2, last part. */
  assert_in(page, "  crm_arr{tenant=\"acme\",segment=\"enterprise\",account_owner=\"ann\",currency=\"USD\"}\n", "crm_arr");
  assert_in(page, "  collectd_crm_gauge{crm=\"acme\",type=\"arr.usd\",instance=\"HOST\"}\n", "the name of crm_arr in Prometheus");
  assert_in(page, "  HOST.crm-acme.gauge-net_revenue_retention_ratio_usd_30d\n", "the name of a ratio in Graphite");
  free(page);
}

static void test_defaults_of_analytics(void **state) {
  struct crm_options options;
  struct crm_params theirs;
  parse_empty(&options);
  crm_params_defaults(&theirs);
  struct crm_params ours = options.instances[0].params;
  assert_int_equal(ours.n_scorecards, theirs.n_scorecards);
  assert_memory_equal(ours.scorecards, theirs.scorecards, sizeof(*ours.scorecards));
  assert_same_rules(&ours, &theirs);
  ours.zone = theirs.zone = NULL;
  ours.scorecards = theirs.scorecards = NULL;
  ours.rules = theirs.rules = NULL;
  assert_int_equal(ours.n_group_by, theirs.n_group_by);
  for (size_t i = 0; i < ours.n_group_by; i++)
    assert_int_equal(ours.group_by[i], theirs.group_by[i]);
  memset(ours.group_by, 0, sizeof(ours.group_by));
  memset(theirs.group_by, 0, sizeof(theirs.group_by));
  assert_memory_equal(&ours, &theirs, sizeof(ours));
  crm_options_free(&options);
}

static int make_scratch(void **state) {
  char command[256];
  (void)scratch_template(scratch, "docs");
  if (mkdtemp(scratch) == NULL)
    return -1;
  snprintf(command, sizeof(command), "mkdir -p %s/mappings/customer_success && echo 'SELECT 1' > %s/file.sql", scratch, scratch);
  return system(command);
}

static int remove_scratch(void **state) {
  char command[SCRATCH_SIZE + 16];
  snprintf(command, sizeof(command), "rm -rf '%s'", scratch);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sample_is_current), cmocka_unit_test(test_sample_has_the_defaults),
      cmocka_unit_test(test_whole_sample),      cmocka_unit_test(test_manual),
      cmocka_unit_test(test_metrics_page),      cmocka_unit_test(test_defaults_of_analytics),
  };
  return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
