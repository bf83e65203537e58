/* SPDX-License-Identifier: MIT */
/* Payment behaviour of the last twelve months. Internal to analytics. */
#ifndef CRM_ANALYTICS_INVOICES_H
#define CRM_ANALYTICS_INVOICES_H

#include "analytics/context.h"

/* Fills c->payments. An invoice due on a date (00:00 in the zone) is on time if it is paid before that day ends, any other if it is paid at
 * or before the instant. One that is due today and not paid yet is neither due nor late before the day has ended. A payment after T is
 * invisible. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_payments_read(struct crm_context *c) CRM_MUSTCHECK;

#endif
