/* SPDX-License-Identifier: MIT */
#include "collectd/collectd_api.h"

#include "collectd/config.h"

#include <string.h>
#include <strings.h>

static enum crm_status copy_values(const oconfig_item_t *item, struct crm_arena *arena, struct crm_conf_node *node) {
  node->n_values = (size_t)item->values_num;
  node->values = crm_arena_calloc(arena, node->n_values, sizeof(*node->values));
  if (node->values == NULL)
    return CRM_ERR_MEMORY;
  for (size_t i = 0; i < node->n_values; i++) {
    const oconfig_value_t *from = &item->values[i];
    struct crm_conf_value *to = &node->values[i];
    switch (from->type) {
    case OCONFIG_TYPE_STRING:
      to->type = CRM_CONF_STRING;
      to->string = crm_arena_strndup(arena, from->value.string, strlen(from->value.string));
      if (to->string == NULL)
        return CRM_ERR_MEMORY;
      break;
    case OCONFIG_TYPE_NUMBER:
      to->type = CRM_CONF_NUMBER;
      to->number = from->value.number;
      break;
    default:
      to->type = CRM_CONF_BOOLEAN;
      to->boolean = from->value.boolean != 0;
      break;
    }
  }
  return CRM_OK;
}

static enum crm_status copy_tree(const oconfig_item_t *item, struct crm_arena *arena, struct crm_conf_node *node) {
  *node = (struct crm_conf_node){.key = crm_arena_strndup(arena, item->key, strlen(item->key)), .n_children = (size_t)item->children_num};
  node->children = crm_arena_calloc(arena, node->n_children, sizeof(*node->children));
  if (node->key == NULL || node->children == NULL)
    return CRM_ERR_MEMORY;
  enum crm_status status = copy_values(item, arena, node);
  for (size_t i = 0; status == CRM_OK && i < node->n_children; i++)
    status = copy_tree(&item->children[i], arena, &node->children[i]);
  return status;
}

static bool same_value(const struct crm_conf_value *a, const struct crm_conf_value *b) {
  if (a->type != b->type)
    return false;
  switch (a->type) {
  case CRM_CONF_STRING:
    return strcmp(a->string, b->string) == 0;
  case CRM_CONF_NUMBER:
    return a->number == b->number;
  default:
    return a->boolean == b->boolean;
  }
}

static bool same_tree(const struct crm_conf_node *a, const struct crm_conf_node *b) {
  if (strcasecmp(a->key, b->key) != 0 || a->n_values != b->n_values || a->n_children != b->n_children)
    return false;
  for (size_t i = 0; i < a->n_values; i++)
    if (!same_value(&a->values[i], &b->values[i]))
      return false;
  for (size_t i = 0; i < a->n_children; i++)
    if (!same_tree(&a->children[i], &b->children[i]))
      return false;
  return true;
}

static void take_positions(struct crm_conf_node *node, const struct crm_conf_node *from) {
  node->file = from->file;
  node->line = from->line;
  for (size_t i = 0; i < node->n_children; i++)
    take_positions(&node->children[i], &from->children[i]);
}

/* The daemon tells no plugin which file it reads; its command line does (option -C), else the compiled-in default holds. */
static const char *config_path(struct crm_arena *arena) {
  char args[4096];
  FILE *f = fopen("/proc/self/cmdline", "re");
  if (f == NULL)
    return CONFIGFILE;
  size_t len = fread(args, 1, sizeof(args) - 1, f);
  fclose(f);
  args[len] = '\0';
  for (size_t i = strlen(args) + 1; i < len; i += strlen(args + i) + 1) {
    const char *arg = args + i;
    if (arg[0] != '-')
      continue;
    /* -C may be the last of several letters ("-fC file") and its value may be glued to it ("-Cfile"); -P takes a value too. */
    size_t letter = 1 + strcspn(arg + 1, "CP");
    if (arg[letter] == '\0')
      continue;
    const char *value = arg + letter + 1;
    if (*value == '\0' && i + strlen(arg) + 1 < len)
      value = args + i + strlen(arg) + 1;
    if (arg[letter] == 'C')
      return crm_arena_strndup(arena, value, strlen(value));
    if (value == args + i + strlen(arg) + 1)
      i += strlen(arg) + 1; /* the value of -P is no option */
  }
  return CONFIGFILE;
}

enum crm_status crm_config_from_collectd(const oconfig_item_t *item, struct crm_arena *arena, struct crm_conf_node *node) {
  if (copy_tree(item, arena, node) != CRM_OK)
    return CRM_ERR_MEMORY;
  struct crm_conf_node root = {0};
  const char *path = config_path(arena);
  /* A file that our parser refuses and the daemon's accepted costs the line numbers, nothing else. */
  if (path == NULL || crm_conf_read(path, arena, &root, NULL) != CRM_OK)
    return CRM_OK;
  for (size_t i = 0; i < root.n_children; i++) {
    if (same_tree(node, &root.children[i])) {
      take_positions(node, &root.children[i]);
      break;
    }
  }
  return CRM_OK;
}
