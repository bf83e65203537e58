/* SPDX-License-Identifier: MIT */
/* collectd's configuration tree -> ours, with the positions that collectd's does not have. */
#ifndef CRM_COLLECTD_CONFIG_H
#define CRM_COLLECTD_CONFIG_H

#include "base/arena.h"
#include "options/conf.h"

struct oconfig_item_s;

/* Copies the tree of one <Plugin crm> block into the arena and gives each item its file and line, found by parsing the daemon's
 * configuration file once more; items stay without a position if the file cannot be found or parsed. CRM_ERR_MEMORY. */
enum crm_status crm_config_from_collectd(const struct oconfig_item_s *item, struct crm_arena *arena,
                                         struct crm_conf_node *node) CRM_MUSTCHECK;

#endif
