/* SPDX-License-Identifier: MIT */
/* What reading any block of the configuration has in common. Internal to options. */
#ifndef CRM_OPTIONS_BLOCK_H
#define CRM_OPTIONS_BLOCK_H

#include "options/option_table.h"

/* A block while it is read. */
struct crm_block {
  unsigned type;
  const struct crm_conf_node *node;
  const struct crm_conf_node **seen; /* by the option's place in the table: where it was given, or NULL */
  struct crm_option_place place;
  struct crm_error *err;
};

enum crm_status crm_block_out_of_memory(struct crm_error *err);
/* Puts "FILE:LINE: Name: " before the message. */
enum crm_status crm_block_locate(struct crm_error *err, const struct crm_conf_node *node, const char *name);
/* The one text behind a block's name. */
enum crm_status crm_block_name(const struct crm_conf_node *node, struct crm_error *err, const char **name) CRM_MUSTCHECK;

enum crm_status crm_block_begin(struct crm_block *block, unsigned type, const struct crm_conf_node *node,
                                const struct crm_option_place *place, struct crm_error *err) CRM_MUSTCHECK;
enum crm_status crm_block_read_option(struct crm_block *block, const struct crm_conf_node *node) CRM_MUSTCHECK;
/* All children. */
enum crm_status crm_block_read_options(struct crm_block *block) CRM_MUSTCHECK;
/* Gives every option of the block that was not written its default. */
enum crm_status crm_block_set_defaults(struct crm_block *block) CRM_MUSTCHECK;
/* Where the option was given, or its block. */
const struct crm_conf_node *crm_block_position(const struct crm_block *block, const char *name);
/* True if the option was written. */
bool crm_block_has(const struct crm_block *block, const char *name);

/* The blocks beside <Instance> in <Plugin crm>: <Listen>, <TextFile>, <RemoteWrite>, <OTLP>. False if it is none of them. */
bool crm_block_is_export(const struct crm_conf_node *node);
/* Reads one and adds it to options->exports. */
enum crm_status crm_block_read_export(struct crm_options *options, const struct crm_conf_node *node, struct crm_error *err) CRM_MUSTCHECK;
/* After the last block: names, addresses and files are unique. */
enum crm_status crm_block_check_exports(const struct crm_options *options, struct crm_error *err) CRM_MUSTCHECK;

#endif
