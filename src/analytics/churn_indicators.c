/* SPDX-License-Identifier: MIT */
#include "analytics/churn_indicators.h"

bool crm_churn_indicator_available(const struct crm_context *c, enum crm_churn_indicator i) {
  const bool *available = c->facts->available;
  switch (i) {
  case CRM_CI_DECLINING_LOGIN_FREQUENCY:
  case CRM_CI_REDUCED_FEATURE_USAGE:
    return available[CRM_REL_USAGE];
  case CRM_CI_SUPPORT_ESCALATIONS:
    return available[CRM_REL_SUPPORT];
  case CRM_CI_DELAYED_RESPONSES:
    return available[CRM_REL_ENGAGEMENT] || available[CRM_REL_SUPPORT];
  case CRM_CI_MISSED_MEETINGS:
  case CRM_CI_NEGATIVE_OUTCOMES:
    return available[CRM_REL_ENGAGEMENT];
  case CRM_CI_CONTRACT_APPROACHING_RENEWAL:
    return available[CRM_REL_CONTRACT];
  case CRM_CI_PAYMENT_DELAYS:
    return available[CRM_REL_INVOICE];
  case CRM_CI_BUDGET_CONSTRAINTS:
  case CRM_CI_COMPETITOR_MENTIONS:
  case CRM_CI_FEATURE_REQUESTS:
  case CRM_CI_PRICING_DISCUSSIONS:
  case CRM_CHURN_INDICATORS:
    break;
  }
  return available[CRM_REL_SIGNAL];
}
