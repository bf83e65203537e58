/* SPDX-License-Identifier: MIT */
/* What is known of the inputs of the health score without an account. Internal to analytics. */
#ifndef CRM_ANALYTICS_HEALTH_INPUTS_H
#define CRM_ANALYTICS_HEALTH_INPUTS_H

#include "analytics/context.h"

/* Relations without which the input does not exist: mask of 1u << CRM_REL_... */
unsigned crm_health_input_needs(enum crm_health_input i);

/* Hours to solve a ticket -> 100 up to 12 h, 75 at 24, 50 at 48, 25 at 72, 0 from 120, linear between. */
double crm_resolution_scale(double hours);

#endif
