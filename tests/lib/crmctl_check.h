/* SPDX-License-Identifier: MIT */
#ifndef CRM_TESTS_CRMCTL_CHECK_H
#define CRM_TESTS_CRMCTL_CHECK_H

#include "lib/pg_fixture.h"

/* What `crmctl check` prints of the database crm, read by the role "reader", in one line. That it has nothing to complain of is asserted.
 */
void crmctl_check(const struct pg_fixture *pg, char *out, size_t size);

#endif
