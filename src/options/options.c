/* SPDX-License-Identifier: MIT */
/* <Plugin crm> -> struct crm_options: which option stands in which block, and what must fit together. */
#include "crm_config.h"

#include "options/block.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LONGEST_NAME = 64 };

static const int64_t least_stale_us = 900 * CRM_US_PER_SECOND;

static enum crm_status check_scorecard(const struct crm_block *block) {
  const struct crm_scorecard *card = block->place.scorecard;
  const char *name;
  if (card->healthy_from <= card->moderate_from) {
    name = "ModerateFrom";
    crm_error_set(block->err, CRM_ERR_CONFIG, "%.15g is not less than HealthyFrom, which is %.15g", card->moderate_from,
                  card->healthy_from);
  } else if (card->moderate_from <= card->at_risk_from) {
    name = "AtRiskFrom";
    crm_error_set(block->err, CRM_ERR_CONFIG, "%.15g is not less than ModerateFrom, which is %.15g", card->at_risk_from,
                  card->moderate_from);
  } else {
    double sum = 0;
    for (int f = 0; f < CRM_HEALTH_FACTORS; f++)
      sum += card->weight[f];
    if (sum > 0)
      return CRM_OK;
    name = "WeightProductUsage";
    crm_error_set(block->err, CRM_ERR_CONFIG, "all weights of the health score are 0; allowed: at least one above 0");
  }
  return crm_block_locate(block->err, crm_block_position(block, name), name);
}

static enum crm_status check_instance(const struct crm_block *block) {
  const struct crm_instance_options *instance = block->place.instance;
  const struct crm_params *params = &instance->params;
  const char *name = NULL;
  double sum = 0;
  for (int f = 0; f < CRM_CHURN_FACTORS; f++)
    sum += params->churn_weight[f];
  if (!(sum > 0)) {
    name = "RiskWeightHealthDecline";
    crm_error_set(block->err, CRM_ERR_CONFIG, "all weights of the churn risk are 0; allowed: at least one above 0");
  } else if (params->risk_high_from <= params->risk_medium_from) {
    name = "RiskHighFrom";
    crm_error_set(block->err, CRM_ERR_CONFIG, "%.15g is not more than RiskMediumFrom, which is %.15g", params->risk_high_from,
                  params->risk_medium_from);
  } else if (params->risk_critical_above <= params->risk_high_from) {
    name = "RiskCriticalAbove";
    crm_error_set(block->err, CRM_ERR_CONFIG, "%.15g is not more than RiskHighFrom, which is %.15g", params->risk_critical_above,
                  params->risk_high_from);
  } else if (params->risk_leave > params->risk_critical_above) {
    name = "RiskLeave";
    crm_error_set(block->err, CRM_ERR_CONFIG, "%.15g is more than RiskCriticalAbove, which is %.15g", params->risk_leave,
                  params->risk_critical_above);
  } else if (instance->stale_after_us < instance->sync_interval_us) {
    name = "StaleAfter";
    crm_error_set(block->err, CRM_ERR_CONFIG, "%.15g seconds is less than SyncInterval, which is %.15g: metrics would come and go",
                  (double)instance->stale_after_us / 1e6, (double)instance->sync_interval_us / 1e6);
  }
  return name == NULL ? CRM_OK : crm_block_locate(block->err, crm_block_position(block, name), name);
}

/* <Database "name"> */
static enum crm_status read_database(const struct crm_conf_node *node, struct crm_block *outer, struct crm_database_options *databases,
                                     size_t *n) {
  struct crm_block block;
  const char *name = NULL;
  enum crm_status status = crm_block_name(node, outer->err, &name);
  if (status != CRM_OK)
    return status;
  for (size_t i = 1; i < *n; i++)
    if (strcmp(databases[i].name, name) == 0) {
      crm_error_set(outer->err, CRM_ERR_CONFIG, "there are two blocks <Database \"%s\">; allowed: one for each name", name);
      return crm_block_locate(outer->err, node, "Database");
    }
  struct crm_database_options *database = &databases[(*n)++];
  struct crm_option_place place = outer->place;
  place.database = database;
  status = crm_block_begin(&block, CRM_BLOCK_DATABASE, node, &place, outer->err);
  if (status == CRM_OK)
    status = (database->name = crm_arena_strndup(place.arena, name, strlen(name))) == NULL ? crm_block_out_of_memory(outer->err) : CRM_OK;
  if (status == CRM_OK)
    status = crm_block_read_options(&block);
  return status == CRM_OK ? crm_block_set_defaults(&block) : status;
}

/* <Scorecard "segment">; what it does not say is as in the instance. */
static enum crm_status read_scorecard(const struct crm_conf_node *node, struct crm_block *outer, struct crm_scorecard *cards, size_t *n) {
  struct crm_block block;
  const char *segment = NULL;
  enum crm_status status = crm_block_name(node, outer->err, &segment);
  if (status != CRM_OK)
    return status;
  for (size_t i = 1; i < *n; i++)
    if (strcmp(cards[i].segment, segment) == 0) {
      crm_error_set(outer->err, CRM_ERR_CONFIG, "there are two blocks <Scorecard \"%s\">; allowed: one for each segment", segment);
      return crm_block_locate(outer->err, node, "Scorecard");
    }
  struct crm_scorecard *card = &cards[(*n)++];
  *card = cards[0];
  struct crm_option_place place = outer->place;
  place.scorecard = card;
  status = crm_block_begin(&block, CRM_BLOCK_SCORECARD, node, &place, outer->err);
  if (status == CRM_OK)
    status =
        (card->segment = crm_arena_strndup(place.arena, segment, strlen(segment))) == NULL ? crm_block_out_of_memory(outer->err) : CRM_OK;
  if (status == CRM_OK)
    status = crm_block_read_options(&block);
  return status == CRM_OK ? check_scorecard(&block) : status;
}

/* A <Database> block looks like the option Database in the tree, but for its children. */
static unsigned block_type(const struct crm_conf_node *node) {
  if (strcasecmp(node->key, "Database") == 0 && node->n_children > 0)
    return CRM_BLOCK_DATABASE;
  if (strcasecmp(node->key, "Relation") == 0)
    return CRM_BLOCK_RELATION;
  if (strcasecmp(node->key, "Recommendation") == 0)
    return CRM_BLOCK_RECOMMENDATION;
  return strcasecmp(node->key, "Scorecard") == 0 ? CRM_BLOCK_SCORECARD : 0;
}

static struct crm_rule *find_rule(struct crm_rule *rules, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(rules[i].name, name) == 0)
      return &rules[i];
  return NULL;
}

/* What a rule of one's own cannot do without. */
static enum crm_status check_rule(const struct crm_block *block) {
  const struct crm_rule *rule = block->place.rule;
  if (rule->disabled || (rule->action != NULL && rule->n_conditions > 0))
    return CRM_OK;
  crm_error_set(block->err, CRM_ERR_CONFIG,
                "\"%s\" is not the name of a shipped rule, and it has no %s; allowed: one Action, and one Condition or more", rule->name,
                rule->action == NULL ? "Action" : "Condition");
  return crm_block_locate(block->err, block->node, "Recommendation");
}

/* <Recommendation "name">: a rule, new or in the place of the shipped one of that name; what it does not say is as in that. `seen` has a
 * place for each rule. */
static enum crm_status read_recommendation(const struct crm_conf_node *node, struct crm_block *outer, struct crm_rule *rules, size_t *n,
                                           bool *seen) {
  struct crm_block block;
  const char *name = NULL;
  enum crm_status status = crm_block_name(node, outer->err, &name);
  if (status != CRM_OK)
    return status;
  struct crm_rule *rule = find_rule(rules, *n, name);
  if (rule != NULL && seen[rule - rules]) {
    crm_error_set(outer->err, CRM_ERR_CONFIG, "there are two blocks <Recommendation \"%s\">; allowed: one for each rule", name);
    return crm_block_locate(outer->err, node, "Recommendation");
  }
  if (rule == NULL) {
    if (*n == CRM_RULES_MAX) {
      crm_error_set(outer->err, CRM_ERR_CONFIG, "there are too many rules; allowed: %d, those shipped included", CRM_RULES_MAX);
      return crm_block_locate(outer->err, node, "Recommendation");
    }
    rule = &rules[(*n)++];
    rule->name = crm_arena_strndup(outer->place.arena, name, strlen(name));
    if (rule->name == NULL)
      return crm_block_out_of_memory(outer->err);
  }
  seen[rule - rules] = true;
  const struct crm_rule before = *rule;
  rule->n_conditions = 0;
  struct crm_option_place place = outer->place;
  place.rule = rule;
  status = crm_block_begin(&block, CRM_BLOCK_RECOMMENDATION, node, &place, outer->err);
  if (status == CRM_OK)
    status = crm_block_read_options(&block);
  if (status == CRM_OK && rule->n_conditions == 0) {
    memcpy(rule->conditions, before.conditions, sizeof(rule->conditions));
    rule->n_conditions = before.n_conditions;
  }
  return status == CRM_OK ? check_rule(&block) : status;
}

/* The shipped rules with what the instance changes; those that are disabled are dropped. */
static enum crm_status read_recommendations(const struct crm_conf_node *node, struct crm_block *outer) {
  struct crm_params *params = &outer->place.instance->params;
  size_t n, kept = 0;
  const struct crm_rule *shipped = crm_rules_shipped(&n);
  struct crm_rule *rules = crm_arena_calloc(outer->place.arena, CRM_RULES_MAX, sizeof(*rules));
  if (rules == NULL)
    return crm_block_out_of_memory(outer->err);
  memcpy(rules, shipped, n * sizeof(*rules));
  bool seen[CRM_RULES_MAX] = {false};
  for (size_t i = 0; i < node->n_children; i++) {
    if (block_type(&node->children[i]) != CRM_BLOCK_RECOMMENDATION)
      continue;
    enum crm_status status = read_recommendation(&node->children[i], outer, rules, &n, seen);
    if (status != CRM_OK)
      return status;
  }
  for (size_t i = 0; i < n; i++)
    if (!rules[i].disabled)
      rules[kept++] = rules[i];
  params->rules = rules;
  params->n_rules = kept;
  return CRM_OK;
}

static enum crm_status unknown_relation(const struct crm_conf_node *node, const char *name, struct crm_error *err) {
  struct crm_strbuf names;
  crm_strbuf_init(&names, 4096);
  for (int r = 0; r < CRM_RELATIONS; r++)
    crm_strbuf_addf(&names, "%s%s", r == 0 ? "" : " ", crm_relation_info((enum crm_relation)r)->name);
  const char *all = crm_strbuf_ok(&names) ? crm_strbuf_str(&names) : "";
  char near[64];
  bool is_near = crm_word_near(name, all, near, sizeof(near));
  crm_error_set(err, CRM_ERR_CONFIG, "there is no relation \"%.60s\"%s%s%s; allowed: %s", name, is_near ? ", is \"" : "",
                is_near ? near : "", is_near ? "\" meant?" : "", all);
  crm_strbuf_free(&names);
  return crm_block_locate(err, node, "Relation");
}

/* <Relation "name"> */
static enum crm_status read_relation(const struct crm_conf_node *node, struct crm_block *outer,
                                     const struct crm_database_options *databases, size_t n_databases, const struct crm_conf_node **seen) {
  struct crm_block block;
  const char *name = NULL;
  enum crm_status status = crm_block_name(node, outer->err, &name);
  if (status != CRM_OK)
    return status;
  enum crm_relation relation = crm_relation_by_name(name);
  if (relation == CRM_RELATIONS)
    return unknown_relation(node, name, outer->err);
  if (seen[relation] != NULL) {
    crm_error_set(outer->err, CRM_ERR_CONFIG, "there are two blocks <Relation \"%s\">; allowed: one for each relation", name);
    return crm_block_locate(outer->err, node, "Relation");
  }
  seen[relation] = node;
  struct crm_relation_options *options = &outer->place.instance->source.relations[relation];
  struct crm_option_place place = outer->place;
  place.relation = options;
  status = crm_block_begin(&block, CRM_BLOCK_RELATION, node, &place, outer->err);
  if (status == CRM_OK)
    status = crm_block_read_options(&block);
  if (status != CRM_OK)
    return status;
  if (options->query != NULL && options->query_file != NULL) {
    crm_error_set(outer->err, CRM_ERR_CONFIG, "Query and QueryFile are both given; allowed: one of them");
    return crm_block_locate(outer->err, crm_block_position(&block, "QueryFile"), "QueryFile");
  }
  if (options->disabled && relation == CRM_REL_ACCOUNT) {
    crm_error_set(outer->err, CRM_ERR_CONFIG, "account cannot be disabled: every other relation hangs on it");
    return crm_block_locate(outer->err, crm_block_position(&block, "Disabled"), "Disabled");
  }
  bool known = options->database == NULL;
  for (size_t i = 1; i < n_databases && !known; i++)
    known = strcmp(databases[i].name, options->database) == 0;
  if (!known) {
    crm_error_set(outer->err, CRM_ERR_CONFIG, "there is no block <Database \"%.60s\"> in this instance; allowed: the name of one",
                  options->database);
    return crm_block_locate(outer->err, crm_block_position(&block, "Database"), "Database");
  }
  return CRM_OK;
}

/* The instance's own options, then its blocks: a scorecard takes over what the instance says, and a relation names databases, in whatever
 * order they are written. */
static enum crm_status read_instance(struct crm_instance_options *instance, const struct crm_conf_node *node, const char *mapping_dir,
                                     struct crm_arena *arena, struct crm_error *err) {
  struct crm_source_options *source = &instance->source;
  struct crm_params *params = &instance->params;
  struct crm_database_options *databases = crm_arena_calloc(arena, 1 + node->n_children, sizeof(*databases));
  struct crm_scorecard *cards = crm_arena_calloc(arena, 1 + node->n_children, sizeof(*cards));
  if (databases == NULL || cards == NULL)
    return crm_block_out_of_memory(err);
  databases[0].name = "";
  source->instance = instance->name;
  source->databases = databases;
  source->n_databases = 1;
  source->default_currency = "";
  source->publication = "collectd_crm";
  params->scorecards = cards;
  params->n_scorecards = 1;
  source->mapping_dir = crm_arena_strndup(arena, mapping_dir, strlen(mapping_dir));
  if (source->mapping_dir == NULL)
    return crm_block_out_of_memory(err);

  struct crm_option_place place = {
      .instance = instance, .database = &databases[0], .scorecard = &cards[0], .mapping_dir = source->mapping_dir, .arena = arena};
  struct crm_block block;
  enum crm_status status = crm_block_begin(&block, CRM_BLOCK_INSTANCE, node, &place, err);
  for (size_t i = 0; i < node->n_children && status == CRM_OK; i++)
    if (block_type(&node->children[i]) == 0)
      status = crm_block_read_option(&block, &node->children[i]);
  if (status == CRM_OK)
    status = crm_block_set_defaults(&block);
  if (status == CRM_OK && instance->stale_after_us == 0)
    instance->stale_after_us = 3 * instance->sync_interval_us > least_stale_us ? 3 * instance->sync_interval_us : least_stale_us;
  /* The default of the one must not make the other wrong. */
  if (status == CRM_OK && crm_block_position(&block, "RiskLeave") == node && params->risk_leave > params->risk_critical_above)
    params->risk_leave = params->risk_critical_above;
  instance->notify.account_critical = cards[0].at_risk_from;
  instance->notify.account_risk = params->risk_critical_above;
  instance->notify.account_risk_leave = params->risk_leave;
  if (status == CRM_OK)
    status = check_instance(&block);
  if (status == CRM_OK)
    status = check_scorecard(&block);

  for (size_t i = 0; i < node->n_children && status == CRM_OK; i++) {
    const struct crm_conf_node *child = &node->children[i];
    if (block_type(child) == CRM_BLOCK_DATABASE)
      status = read_database(child, &block, databases, &source->n_databases);
    else if (block_type(child) == CRM_BLOCK_SCORECARD)
      status = read_scorecard(child, &block, cards, &params->n_scorecards);
  }
  if (status == CRM_OK)
    status = read_recommendations(node, &block);
  const struct crm_conf_node *relations[CRM_RELATIONS] = {0};
  for (size_t i = 0; i < node->n_children && status == CRM_OK; i++)
    if (block_type(&node->children[i]) == CRM_BLOCK_RELATION)
      status = read_relation(&node->children[i], &block, databases, source->n_databases, relations);
  return status;
}

/* The name becomes a part of collectd's identifiers and of application_name. */
static bool valid_name(const char *name) {
  size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
  return len > 0 && len <= LONGEST_NAME && name[len] == '\0';
}

/* Makes room for one more instance, all zero. */
static struct crm_instance_options *add_instance(struct crm_options *options) {
  struct crm_instance_options *instances = crm_arena_calloc(&options->arena, options->n_instances + 1, sizeof(*instances));
  if (instances == NULL)
    return NULL;
  if (options->n_instances > 0)
    memcpy(instances, options->instances, options->n_instances * sizeof(*instances));
  options->instances = instances;
  return &instances[options->n_instances++];
}

void crm_options_init(struct crm_options *options) {
  *options = (struct crm_options){.n_instances = 0};
  crm_arena_init(&options->arena, 0);
}

void crm_options_free(struct crm_options *options) {
  for (size_t i = 0; i < options->n_instances; i++)
    crm_zone_free((struct crm_zone *)options->instances[i].params.zone);
  crm_arena_free(&options->arena);
  *options = (struct crm_options){.n_instances = 0};
}

enum crm_status crm_options_parse(struct crm_options *options, const struct crm_conf_node *plugin, const char *mapping_dir,
                                  struct crm_error *err) {
  for (size_t i = 0; i < plugin->n_children; i++) {
    const struct crm_conf_node *node = &plugin->children[i];
    if (crm_block_is_export(node)) {
      enum crm_status status = crm_block_read_export(options, node, err);
      if (status != CRM_OK)
        return status;
      continue;
    }
    if (strcasecmp(node->key, "Instance") != 0) {
      crm_error_set(err, CRM_ERR_CONFIG,
                    "it cannot stand here; allowed in <Plugin crm>: blocks <Instance \"name\">, <Listen \"address:port\">, <TextFile "
                    "\"path\">, <RemoteWrite \"name\"> and <OTLP \"name\">");
      return crm_block_locate(err, node, node->key);
    }
    const char *name = NULL;
    enum crm_status status = crm_block_name(node, err, &name);
    if (status != CRM_OK)
      return status;
    if (!valid_name(name)) {
      crm_error_set(err, CRM_ERR_CONFIG, "\"%.80s\" cannot be a name; allowed: 1 to %d letters, digits, '_' and '-'", name, LONGEST_NAME);
      return crm_block_locate(err, node, "Instance");
    }
    struct crm_instance_options *instance = add_instance(options);
    if (instance == NULL)
      return crm_block_out_of_memory(err);
    instance->line = node->line;
    instance->name = crm_arena_strndup(&options->arena, name, strlen(name));
    instance->file = node->file == NULL ? NULL : crm_arena_strndup(&options->arena, node->file, strlen(node->file));
    if (instance->name == NULL || (node->file != NULL && instance->file == NULL))
      return crm_block_out_of_memory(err);
    status = read_instance(instance, node, mapping_dir, &options->arena, err);
    if (status != CRM_OK)
      return node->file == NULL ? crm_error_prefix(err, "Instance \"%s\"", name) : status;
  }
  return CRM_OK;
}

enum crm_status crm_options_finish(struct crm_options *options, struct crm_error *err) {
  if (options->n_instances == 0)
    return crm_error_set(err, CRM_ERR_CONFIG, "<Plugin crm> has no instance; it needs at least one block <Instance \"name\">");
  for (size_t i = 0; i < options->n_instances; i++)
    for (size_t j = 0; j < i; j++) {
      const struct crm_instance_options *a = &options->instances[j], *b = &options->instances[i];
      if (strcasecmp(a->name, b->name) != 0)
        continue;
      /* Identifiers are made lower-case on their way out, so "Acme" and "acme" would be one. */
      const struct crm_conf_node at = {.file = b->file, .line = b->line};
      crm_error_set(err, CRM_ERR_CONFIG,
                    "the name \"%s\" is taken by the instance \"%s\" of line %d; allowed: names that differ in more than letter case",
                    b->name, a->name, a->line);
      return crm_block_locate(err, &at, "Instance");
    }
  return crm_block_check_exports(options, err);
}
