/* SPDX-License-Identifier: MIT */
#include "options/block.h"

#include <string.h>
#include <strings.h>

/* Puts "FILE:LINE: Name: " before the message. */
enum crm_status crm_block_locate(struct crm_error *err, const struct crm_conf_node *node, const char *name) {
  if (node->file == NULL)
    return crm_error_prefix(err, "%s", name);
  if (node->line == 0)
    return crm_error_prefix(err, "%s: %s", node->file, name);
  return crm_error_prefix(err, "%s:%d: %s", node->file, node->line, name);
}

enum crm_status crm_block_out_of_memory(struct crm_error *err) {
  return crm_error_set(err, CRM_ERR_MEMORY, "not enough memory for the options");
}

/* Where the option was given, or its block. */
const struct crm_conf_node *crm_block_position(const struct crm_block *block, const char *name) {
  for (size_t i = 0; i < crm_option_count(); i++)
    if ((crm_option_at(i)->blocks & block->type) != 0 && strcmp(crm_option_at(i)->name, name) == 0 && block->seen[i] != NULL)
      return block->seen[i];
  return block->node;
}

bool crm_block_has(const struct crm_block *block, const char *name) {
  return crm_block_position(block, name) != block->node;
}

static enum crm_status unknown_option(struct crm_block *block, const struct crm_conf_node *node) {
  const char *here = crm_option_block_name(block->type);
  const char *near = crm_option_near(node->key, block->type);
  if (strcasecmp(node->key, "Password") == 0) {
    crm_error_set(block->err, CRM_ERR_CONFIG,
                  "there is no such option, so that no password stands in the configuration; allowed: PasswordFile, a file with "
                  "the password in its first line (mode 0600)");
    return crm_block_locate(block->err, node, node->key);
  }
  for (unsigned type = 1; type < 1u << CRM_OPTION_BLOCKS; type <<= 1)
    if (crm_option_find(node->key, type) != NULL) {
      crm_error_set(block->err, CRM_ERR_CONFIG, "it cannot stand in <%s>; allowed: in <%s>", here, crm_option_block_name(type));
      return crm_block_locate(block->err, node, node->key);
    }
  if (near != NULL)
    crm_error_set(block->err, CRM_ERR_CONFIG, "unknown option in <%s>, is %s meant? collectd-crm(5) lists what is allowed", here, near);
  else
    crm_error_set(block->err, CRM_ERR_CONFIG, "unknown option in <%s>; collectd-crm(5) lists what is allowed", here);
  return crm_block_locate(block->err, node, node->key);
}

enum crm_status crm_block_read_option(struct crm_block *block, const struct crm_conf_node *node) {
  const struct crm_option *option = crm_option_find(node->key, block->type);
  if (option == NULL)
    return unknown_option(block, node);
  const struct crm_conf_node **seen = &block->seen[option - crm_option_at(0)];
  if (*seen != NULL && !option->repeats) {
    if ((*seen)->line > 0)
      crm_error_set(block->err, CRM_ERR_CONFIG, "it is given twice in this block, first in line %d; allowed: once", (*seen)->line);
    else
      crm_error_set(block->err, CRM_ERR_CONFIG, "it is given twice in this block; allowed: once");
    return crm_block_locate(block->err, node, option->name);
  }
  *seen = node;
  return crm_option_apply(option, node, &block->place, block->err) == CRM_OK ? CRM_OK : crm_block_locate(block->err, node, option->name);
}

/* Gives every option of the block that was not written its default. */
enum crm_status crm_block_set_defaults(struct crm_block *block) {
  for (size_t i = 0; i < crm_option_count(); i++) {
    const struct crm_option *option = crm_option_at(i);
    if ((option->blocks & block->type) != 0 && block->seen[i] == NULL &&
        crm_option_apply_default(option, &block->place, block->err) != CRM_OK)
      return crm_block_locate(block->err, block->node, option->name);
  }
  return CRM_OK;
}

enum crm_status crm_block_begin(struct crm_block *block, unsigned type, const struct crm_conf_node *node,
                                const struct crm_option_place *place, struct crm_error *err) {
  *block = (struct crm_block){.type = type, .node = node, .place = *place, .err = err};
  block->seen = crm_arena_calloc(place->arena, crm_option_count(), sizeof(*block->seen));
  return block->seen == NULL ? crm_block_out_of_memory(err) : CRM_OK;
}

enum crm_status crm_block_read_options(struct crm_block *block) {
  for (size_t i = 0; i < block->node->n_children; i++) {
    enum crm_status status = crm_block_read_option(block, &block->node->children[i]);
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

/* The one text behind a block's name. */
enum crm_status crm_block_name(const struct crm_conf_node *node, struct crm_error *err, const char **name) {
  if (node->n_values != 1 || node->values[0].type != CRM_CONF_STRING || node->values[0].string[0] == '\0') {
    crm_error_set(err, CRM_ERR_CONFIG, "the block needs exactly one name in quotes: <%s \"name\">", node->key);
    return crm_block_locate(err, node, node->key);
  }
  *name = node->values[0].string;
  return CRM_OK;
}
