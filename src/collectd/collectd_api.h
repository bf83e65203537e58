/* SPDX-License-Identifier: MIT */
/* collectd's headers, from Debian's collectd-dev or from a source tree. They define PACKAGE, VERSION and HAVE_* of their own, so no file
 * that includes this may include crm_config.h. */
#ifndef CRM_COLLECTD_API_H
#define CRM_COLLECTD_API_H

#ifdef CRM_COLLECTD_SOURCE_TREE
#include "collectd.h"

#include "plugin.h"
#include "utils/common/common.h"
#else
#include <collectd/core/daemon/collectd.h>

#include <collectd/core/daemon/plugin.h>
#include <collectd/core/utils/common/common.h>
#endif

#endif
