/* SPDX-License-Identifier: MIT */
/* The configuration as a tree, with positions. collectd's own tree has none, so the module finds them again by parsing the
 * file itself (conf_file.c); the tool reads collectd.conf with the same parser. */
#ifndef CRM_OPTIONS_CONF_H
#define CRM_OPTIONS_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

struct crm_conf_value {
  enum { CRM_CONF_STRING, CRM_CONF_NUMBER, CRM_CONF_BOOLEAN } type;
  const char *string;
  double number;
  bool boolean;
};
struct crm_conf_node {
  const char *key;
  const char *file; /* NULL: unknown */
  int line;         /* 0: unknown */
  struct crm_conf_value *values;
  size_t n_values;
  struct crm_conf_node *children;
  size_t n_children;
};

/* Parses text in collectd's configuration language (liboconfig's grammar: blocks, quoted and bare words, numbers, booleans, comments,
 * continued lines). Everything is taken from the arena. CRM_ERR_CONFIG: "file:line: ...". */
enum crm_status crm_conf_parse(const char *text, size_t len, const char *file, struct crm_arena *arena, struct crm_conf_node *root,
                               struct crm_error *err) CRM_MUSTCHECK;
/* Reads the file and follows Include (files, directories, wildcards, Filter), as the daemon does. */
enum crm_status crm_conf_read(const char *path, struct crm_arena *arena, struct crm_conf_node *root, struct crm_error *err) CRM_MUSTCHECK;

#endif
