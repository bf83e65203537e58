/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "analytics/evaluate.h"
#include "base/clock.h"
#include "options/option_table.h"

static const char default_config[] = "/etc/collectd/collectd.conf";
static const char default_directory[] = "/etc/collectd/collectd.conf.d";
static const char quick_name[] = "crm"; /* of the instance that has no configuration */

static enum crm_status out_of_memory(struct crm_error *err) {
  return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
}

static enum crm_status add_override(struct crm_ctl *ctl, const struct crm_conf_node *node, struct crm_error *err) {
  if (ctl->n_overrides == CRM_CTL_OVERRIDES)
    return crm_error_set(err, CRM_ERR_CONFIG, "more than %d options of the instance on the command line", CRM_CTL_OVERRIDES);
  struct crm_conf_node *override = &ctl->overrides[ctl->n_overrides++];
  *override = *node;
  override->file = "command line";
  override->line = 0;
  return CRM_OK;
}

enum crm_status crm_ctl_override(struct crm_ctl *ctl, const char *option, const char *text, struct crm_error *err) {
  struct crm_conf_value *value = crm_arena_calloc(&ctl->arena, 1, sizeof(*value));
  if (value == NULL)
    return out_of_memory(err);
  *value = (struct crm_conf_value){.type = CRM_CONF_STRING, .string = text};
  return add_override(ctl, &(struct crm_conf_node){.key = option, .values = value, .n_values = 1}, err);
}

enum crm_status crm_ctl_override_line(struct crm_ctl *ctl, const char *line, struct crm_error *err) {
  struct crm_strbuf text;
  struct crm_conf_node root = {0};
  crm_strbuf_init(&text, 1 << 20);
  crm_strbuf_adds(&text, line);
  crm_strbuf_addc(&text, '\n');
  enum crm_status status = crm_strbuf_ok(&text) ? crm_conf_parse(crm_strbuf_str(&text), text.len, "--set", &ctl->arena, &root, err)
                                                : crm_error_set(err, CRM_ERR_CONFIG, "--set: the text is too long");
  crm_strbuf_free(&text);
  if (status == CRM_OK && (root.n_children != 1 || root.children[0].n_children > 0))
    status = crm_error_set(err, CRM_ERR_CONFIG, "--set: allowed: one option with its value, such as --set 'SyncInterval 300'");
  return status == CRM_OK ? add_override(ctl, &root.children[0], err) : status;
}

/* True if the option `node` of the configuration gives way to one of the command line. --conninfo says the whole of where to connect, so
 * the single parts of that go with it. */
static bool overridden(const struct crm_ctl *ctl, const struct crm_conf_node *node) {
  static const char *const parts[] = {"Host", "Port", "Database", "User", "Service", "SSLMode", "SSLRootCert"};
  if (node->n_children > 0)
    return false;
  for (size_t i = 0; i < ctl->n_overrides; i++) {
    if (strcasecmp(ctl->overrides[i].key, node->key) == 0)
      return true;
    if (strcasecmp(ctl->overrides[i].key, "ConnInfo") == 0)
      for (size_t p = 0; p < sizeof(parts) / sizeof(*parts); p++)
        if (strcasecmp(parts[p], node->key) == 0)
          return true;
  }
  return false;
}

static enum crm_status apply_overrides(struct crm_ctl *ctl, struct crm_conf_node *instance, struct crm_error *err) {
  struct crm_conf_node *children = crm_arena_calloc(&ctl->arena, instance->n_children + ctl->n_overrides, sizeof(*children));
  if (children == NULL)
    return out_of_memory(err);
  size_t n = 0;
  for (size_t i = 0; i < instance->n_children; i++)
    if (!overridden(ctl, &instance->children[i]))
      children[n++] = instance->children[i];
  if (ctl->n_overrides > 0)
    memcpy(&children[n], ctl->overrides, ctl->n_overrides * sizeof(*children));
  instance->children = children;
  instance->n_children = n + ctl->n_overrides;
  return CRM_OK;
}

static bool is_chosen(const struct crm_ctl *ctl, const struct crm_conf_node *node) {
  return strcasecmp(node->key, "Instance") == 0 &&
         (ctl->instance == NULL ||
          (node->n_values == 1 && node->values[0].type == CRM_CONF_STRING && strcmp(node->values[0].string, ctl->instance) == 0));
}

static bool is_plugin(const struct crm_conf_node *node) {
  return strcasecmp(node->key, "Plugin") == 0 && node->n_values == 1 && node->values[0].type == CRM_CONF_STRING &&
         strcasecmp(node->values[0].string, "crm") == 0;
}

/* Takes the <Plugin crm> blocks of the tree; *found tells whether there was one. */
static enum crm_status take_plugins(struct crm_ctl *ctl, struct crm_conf_node *root, bool *found, struct crm_error *err) {
  *found = false;
  for (size_t i = 0; i < root->n_children; i++) {
    struct crm_conf_node *plugin = &root->children[i];
    if (!is_plugin(plugin))
      continue;
    *found = true;
    enum crm_status status = CRM_OK;
    for (size_t j = 0; j < plugin->n_children && status == CRM_OK; j++)
      if (ctl->n_overrides > 0 && is_chosen(ctl, &plugin->children[j]))
        status = apply_overrides(ctl, &plugin->children[j], err);
    if (status == CRM_OK)
      status = crm_options_parse(&ctl->options, plugin, ctl->mapping_dir, err);
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

static enum crm_status load_quick_start(struct crm_ctl *ctl, struct crm_error *err) {
  struct crm_conf_value plugin_name = {.type = CRM_CONF_STRING, .string = "crm"};
  struct crm_conf_value name = {.type = CRM_CONF_STRING, .string = ctl->instance != NULL ? ctl->instance : quick_name};
  struct crm_conf_node instance = {.key = "Instance", .file = "command line", .values = &name, .n_values = 1};
  struct crm_conf_node plugin = {.key = "Plugin", .values = &plugin_name, .n_values = 1, .children = &instance, .n_children = 1};
  struct crm_conf_node root = {.children = &plugin, .n_children = 1};
  bool found;
  return take_plugins(ctl, &root, &found, err);
}

static enum crm_status load_file(struct crm_ctl *ctl, const char *path, bool *found, struct crm_error *err) {
  struct crm_conf_node root;
  enum crm_status status = crm_conf_read(path, &ctl->arena, &root, err);
  return status == CRM_OK ? take_plugins(ctl, &root, found, err) : status;
}

enum crm_status crm_ctl_load(struct crm_ctl *ctl, struct crm_error *err) {
  bool found = false;
  enum crm_status status = CRM_OK;
  if (ctl->quick_start)
    status = load_quick_start(ctl, err);
  else if (ctl->config != NULL) {
    status = load_file(ctl, ctl->config, &found, err);
    if (status == CRM_OK && !found)
      return crm_error_set(err, CRM_ERR_CONFIG, "%s: there is no block <Plugin crm> in it, nor in what it includes", ctl->config);
  } else {
    if (access(default_config, F_OK) == 0)
      status = load_file(ctl, default_config, &found, err);
    if (status == CRM_OK && !found && access(default_directory, F_OK) == 0)
      status = load_file(ctl, default_directory, &found, err);
    if (status == CRM_OK && !found)
      return crm_error_set(err, CRM_ERR_CONFIG,
                           "there is no block <Plugin crm> in %s, nor in %s; name a file with --config, or a database with --conninfo",
                           default_config, default_directory);
  }
  return status == CRM_OK ? crm_options_finish(&ctl->options, err) : status;
}

enum crm_status crm_ctl_choose(struct crm_ctl *ctl, struct crm_instance_options **instance, struct crm_error *err) {
  struct crm_strbuf names;
  crm_strbuf_init(&names, 65536);
  *instance = NULL;
  for (size_t i = 0; i < ctl->options.n_instances; i++) {
    struct crm_instance_options *candidate = &ctl->options.instances[i];
    if (ctl->instance != NULL ? strcmp(candidate->name, ctl->instance) == 0 : ctl->options.n_instances == 1)
      *instance = candidate;
    crm_strbuf_addf(&names, "%s%s", i == 0 ? "" : ", ", candidate->name);
  }
  enum crm_status status = CRM_OK;
  const char *all = crm_strbuf_ok(&names) ? crm_strbuf_str(&names) : "too many to tell";
  if (*instance == NULL && ctl->instance != NULL)
    status = crm_error_set(err, CRM_ERR_CONFIG, "there is no instance \"%.80s\"; there are: %.400s", ctl->instance, all);
  else if (*instance == NULL)
    status = crm_error_set(err, CRM_ERR_CONFIG, "there are several instances; choose one with --instance: %.400s", all);
  crm_strbuf_free(&names);
  return status;
}

/* The instant to compute for. */
static enum crm_status set_instant(const struct crm_ctl *ctl, const struct crm_instance_options *instance, crm_time *at,
                                   struct crm_error *err) {
  *at = crm_clock_realtime_us();
  if (ctl->at == NULL)
    return CRM_OK;
  enum crm_status status = crm_time_parse(instance->params.zone, ctl->at, at, err);
  return status == CRM_OK ? CRM_OK : crm_error_prefix(err, "--at");
}

/* Says which relations the read had to leave out. */
static bool tell_broken(const struct crm_ctl *ctl, const struct crm_source *source) {
  bool left_out = false;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_relation_check *check = crm_source_relation(source, (enum crm_relation)r);
    if (check->state != CRM_RELATION_BROKEN)
      continue;
    left_out = true;
    crm_log(&ctl->log, CRM_LOG_WARNING, "relation %s is left out, and so are its metrics: %s",
            crm_relation_info((enum crm_relation)r)->name, check->error.message);
  }
  return left_out;
}

enum crm_status crm_ctl_read(struct crm_ctl *ctl, struct crm_instance_options *instance, crm_time earliest, struct crm_facts **facts,
                             bool *left_out, struct crm_error *err) {
  struct crm_source *source = NULL;
  crm_time now = crm_clock_realtime_us();
  /* History is counted from there, so that an old instant has as much of it before it as a new one. */
  if (instance->source.history_days > 0 && earliest < now) {
    int64_t days = (now - earliest) / CRM_US_PER_DAY + 1 + instance->source.history_days;
    instance->source.history_days = days > 36500 ? 0 : (int)days;
  }
  enum crm_status status = crm_source_new(&instance->source, &ctl->log, ctl->stop, &source, err);
  if (status == CRM_OK) {
    crm_ctl_progress(ctl, "reading the CRM");
    status = crm_source_read(source, facts, err);
    crm_ctl_progress(ctl, NULL);
  }
  if (status == CRM_OK)
    *left_out = tell_broken(ctl, source);
  if (status == CRM_OK && crm_shard_is_part(instance->source.shard))
    crm_log(&ctl->log, CRM_LOG_NOTICE, "shard %u of %u: accounts of other shards are left out, and so is what is no sum",
            instance->source.shard.number, instance->source.shard.of);
  crm_source_free(source);
  return status;
}

enum crm_status crm_ctl_evaluate(struct crm_ctl *ctl, struct crm_series_set *set, bool *left_out, struct crm_error *err) {
  struct crm_instance_options *instance;
  crm_time at;
  *left_out = false;
  enum crm_status status = crm_ctl_choose(ctl, &instance, err);
  if (status == CRM_OK)
    status = set_instant(ctl, instance, &at, err);
  if (status != CRM_OK)
    return status;
  struct crm_facts *facts = NULL;
  struct crm_arena scratch;
  crm_arena_init(&scratch, 0);
  status = crm_ctl_read(ctl, instance, at, &facts, left_out, err);
  if (status == CRM_OK) {
    crm_ctl_progress(ctl, "computing");
    status = crm_evaluate(facts, &instance->params, at, &scratch, set, err);
    crm_ctl_progress(ctl, NULL);
  }
  if (status == CRM_OK && crm_stop_requested(ctl->stop))
    status = crm_error_set(err, CRM_ERR_STOPPED, "stopped");
  crm_facts_unref(facts);
  crm_arena_free(&scratch);
  return status;
}

int crm_ctl_fail(const struct crm_ctl *ctl, const struct crm_error *err) {
  crm_ctl_progress(ctl, NULL);
  if (err->status == CRM_ERR_STOPPED || (ctl->stop != NULL && crm_stop_requested(ctl->stop))) {
    fprintf(stderr, "crmctl: interrupted\n");
    return CRM_CTL_INTERRUPTED;
  }
  fprintf(stderr, "crmctl: %s\n", err->message);
  return CRM_CTL_CANNOT;
}

void crm_ctl_progress(const struct crm_ctl *ctl, const char *what) {
  if (!ctl->progress)
    return;
  if (what == NULL)
    fprintf(stderr, "\r\033[K");
  else
    fprintf(stderr, "\r\033[K%s ...", what);
}

int crm_ctl_print(const struct crm_ctl *ctl, const struct crm_strbuf *text, int status) {
  if (!crm_strbuf_ok(text)) {
    fprintf(stderr, "crmctl: not enough memory for the output\n");
    return CRM_CTL_CANNOT;
  }
  if ((text->len > 0 && fwrite(text->data, 1, text->len, stdout) != text->len) || fflush(stdout) != 0) {
    fprintf(stderr, "crmctl: standard output: %s\n", strerror(errno));
    return CRM_CTL_CANNOT;
  }
  return status;
}
