/* SPDX-License-Identifier: MIT */
#include "facts/relation.h"

#include <string.h>

#include "facts/columns.h"

/* Larger figures are mistakes, and a sum of so many still has a microsecond's precision. */
#define MANY 1e12
/* Counts held as float are exact up to here. */
#define COUNT_MAX 16777216.0

#define TEXT(title, text)                                                                                                                  \
  { .name = title, .kind = CRM_COL_TEXT, .help = text }
#define TEXT_REQUIRED(title, text)                                                                                                         \
  { .name = title, .kind = CRM_COL_TEXT, .required = true, .help = text }
#define TEXTS(title, text)                                                                                                                 \
  { .name = title, .kind = CRM_COL_TEXTS, .help = text }
#define TIME(title, text)                                                                                                                  \
  { .name = title, .kind = CRM_COL_TIME, .help = text }
#define TIME_REQUIRED(title, text)                                                                                                         \
  { .name = title, .kind = CRM_COL_TIME, .required = true, .help = text }
#define DAY_REQUIRED(title, text)                                                                                                          \
  { .name = title, .kind = CRM_COL_DAY, .required = true, .help = text }
#define NUMBER(title, low, high, text)                                                                                                     \
  { .name = title, .kind = CRM_COL_NUMBER, .min = low, .max = high, .help = text }
#define NUMBER_REQUIRED(title, low, high, text)                                                                                            \
  { .name = title, .kind = CRM_COL_NUMBER, .required = true, .min = low, .max = high, .help = text }
#define MONEY(title, text)                                                                                                                 \
  { .name = title, .kind = CRM_COL_MONEY, .help = text }
#define BOOLEAN(title, text)                                                                                                               \
  { .name = title, .kind = CRM_COL_BOOLEAN, .help = text }

#define ACCOUNT_ID [CRM_IX_ACCOUNT_ID] = TEXT_REQUIRED("account_id", "identifier of the account, as in relation account")

static const struct crm_column account_columns[] = {
    [CRM_IX_ACCOUNT_ID] = TEXT_REQUIRED("account_id", "identifier of the account, unique"),
    [CRM_IX_ACCOUNT_TENANT] = TEXT("tenant", "tenant the account belongs to; NULL: the instance's name"),
    [CRM_IX_ACCOUNT_NAME] = TEXT("name", "name shown in dashboards"),
    [CRM_IX_ACCOUNT_SEGMENT] = TEXT("segment", "segment, e.g. enterprise"),
    [CRM_IX_ACCOUNT_INDUSTRY] = TEXT("industry", "industry"),
    [CRM_IX_ACCOUNT_REGION] = TEXT("region", "region"),
    [CRM_IX_ACCOUNT_OWNER] = TEXT("owner", "team member who owns the account"),
    [CRM_IX_ACCOUNT_STATUS] = TEXT("status", "onboarding, active, at_risk or churned; NULL: unknown"),
    [CRM_IX_ACCOUNT_CURRENCY] = TEXT("currency", "ISO 4217 code of the account's amounts; NULL: the default currency"),
    [CRM_IX_ACCOUNT_CREATED_AT] = TIME("created_at", "when the account began"),
    [CRM_IX_ACCOUNT_CHURNED_AT] = TIME("churned_at", "when the account was recorded as churned"),
    [CRM_IX_ACCOUNT_ARR] = MONEY("arr", "annual recurring revenue in major units; stands before mrr"),
    [CRM_IX_ACCOUNT_MRR] = MONEY("mrr", "monthly recurring revenue in major units"),
    [CRM_IX_ACCOUNT_SEATS] = NUMBER("seats", 0, MANY, "seats bought"),
    [CRM_IX_ACCOUNT_AUTO_RENEW] = BOOLEAN("auto_renew", "true if the account renews by itself"),
    [CRM_IX_ACCOUNT_RENEWAL_FORECAST] = NUMBER("renewal_forecast", 0, 100, "recorded likelihood of renewal, 0..100"),
    [CRM_IX_ACCOUNT_RECORDED_HEALTH] = NUMBER("recorded_health", 0, 100, "health score recorded in the CRM, 0..100"),
    [CRM_IX_ACCOUNT_RECORDED_RISK] = NUMBER("recorded_risk", 0, 100, "churn risk score recorded in the CRM, 0..100"),
    [CRM_IX_ACCOUNT_FIRST_VALUE_AT] = TIME("first_value_at", "when the customer first reached value"),
    [CRM_IX_ACCOUNT_CHANGED_AT] = TIME("changed_at", "when the account's row was last written"),
};
static const struct crm_column revenue_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_REVENUE_AT] = TIME_REQUIRED("at", "from when on the level holds"),
    [CRM_IX_REVENUE_MRR] = MONEY("mrr", "monthly recurring revenue from then on, major units; mrr or arr is needed"),
    [CRM_IX_REVENUE_ARR] = MONEY("arr", "annual recurring revenue from then on, major units; stands before mrr"),
    [CRM_IX_REVENUE_CURRENCY] = TEXT("currency", "ISO 4217 code; NULL: the account's"),
};
static const struct crm_column contract_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_CONTRACT_ID] = TEXT_REQUIRED("contract_id", "identifier of the contract, unique within the account"),
    [CRM_IX_CONTRACT_STARTS_AT] = TIME_REQUIRED("starts_at", "first instant of the paid period"),
    [CRM_IX_CONTRACT_ENDS_AT] = TIME("ends_at", "end of the paid period; NULL: open-ended"),
    [CRM_IX_CONTRACT_ARR] = MONEY("arr", "annual value in major units"),
    [CRM_IX_CONTRACT_CURRENCY] = TEXT("currency", "ISO 4217 code; NULL: the account's"),
    [CRM_IX_CONTRACT_AUTO_RENEW] = BOOLEAN("auto_renew", "true if the contract renews by itself"),
    [CRM_IX_CONTRACT_OUTCOME] = TEXT("outcome", "renewed or lost; NULL: undecided"),
    [CRM_IX_CONTRACT_DECIDED_AT] = TIME("decided_at", "when the outcome became known"),
    [CRM_IX_CONTRACT_RENEWED_ARR] = MONEY("renewed_arr", "annual value after the renewal, major units"),
};
static const struct crm_column usage_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_USAGE_DAY] = DAY_REQUIRED("day", "civil day of the figures"),
    [CRM_IX_USAGE_LOGINS_PER_WEEK] = NUMBER("logins_per_week", 0, MANY, "logins per week"),
    [CRM_IX_USAGE_FEATURE_ADOPTION] = NUMBER("feature_adoption", 0, 100, "features used of those offered, percent"),
    [CRM_IX_USAGE_SESSION_SECONDS] = NUMBER("session_seconds", 0, MANY, "median session length of the day, seconds"),
    [CRM_IX_USAGE_ACTIVE_USERS] = NUMBER("active_users", 0, COUNT_MAX, "distinct active users in the 28 days ending on the day"),
};
static const struct crm_column support_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_SUPPORT_DAY] = DAY_REQUIRED("day", "civil day of the figures"),
    [CRM_IX_SUPPORT_NEW_TICKETS] = NUMBER("new_tickets", 0, COUNT_MAX, "tickets opened on the day"),
    [CRM_IX_SUPPORT_RESOLVED_TICKETS] = NUMBER("resolved_tickets", 0, COUNT_MAX, "tickets resolved on the day"),
    [CRM_IX_SUPPORT_OPEN_TICKETS] = NUMBER("open_tickets", 0, COUNT_MAX, "tickets open at the end of the day"),
    [CRM_IX_SUPPORT_ESCALATED] = NUMBER("escalated", 0, COUNT_MAX, "tickets escalated on the day"),
    [CRM_IX_SUPPORT_SEVERITY] = NUMBER("severity", 0, 100, "mean severity of the day's tickets, 0..100, higher is worse"),
    [CRM_IX_SUPPORT_RESOLUTION_HOURS] = NUMBER("resolution_hours", 0, MANY, "mean hours to resolution of the day's resolved tickets"),
    [CRM_IX_SUPPORT_FIRST_RESPONSE_SECONDS] = NUMBER("first_response_seconds", 0, MANY, "mean time to the first response, seconds"),
    [CRM_IX_SUPPORT_CSAT] = NUMBER("csat", 1, 5, "mean customer satisfaction, 1..5"),
};
static const struct crm_column engagement_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_ENGAGEMENT_ID] = TEXT_REQUIRED("engagement_id", "identifier of the engagement, unique within the account"),
    [CRM_IX_ENGAGEMENT_TYPE] = TEXT_REQUIRED("type", "meeting, call, email, demo, training, note; any other word: other"),
    [CRM_IX_ENGAGEMENT_OUTCOME] = TEXT("outcome", "positive, neutral, negative or action_required; NULL or any other word: unrecorded"),
    [CRM_IX_ENGAGEMENT_SCHEDULED_AT] = TIME("scheduled_at", "when it was to take place; scheduled_at or completed_at is needed"),
    [CRM_IX_ENGAGEMENT_COMPLETED_AT] = TIME("completed_at", "when it took place; NULL: it has not"),
    [CRM_IX_ENGAGEMENT_OWNER] = TEXT("owner", "team member who held it"),
    [CRM_IX_ENGAGEMENT_RESPONSE_SECONDS] = NUMBER("response_seconds", 0, MANY, "time to the first response, seconds"),
    [CRM_IX_ENGAGEMENT_CONTACTS] = TEXTS("contacts", "contact_ids present: organizer or attendee, not declined"),
    [CRM_IX_ENGAGEMENT_PARTICIPANTS] = NUMBER("participants", 0, COUNT_MAX, "people invited of whom it is known whether they answered"),
    [CRM_IX_ENGAGEMENT_ACCEPTED] = NUMBER("accepted", 0, COUNT_MAX, "of those, the ones who accepted"),
    [CRM_IX_ENGAGEMENT_ANSWERED] = NUMBER("answered", 0, COUNT_MAX, "of those, the ones who gave an answer of any kind; no metric needs it"),
};
static const struct crm_column contact_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_CONTACT_ID] = TEXT_REQUIRED("contact_id", "identifier of the contact, unique within the account"),
    [CRM_IX_CONTACT_LEVEL] = TEXT("level", "primary, influencer, user or gatekeeper"),
    [CRM_IX_CONTACT_STRENGTH] = TEXT("strength", "champion, supporter, neutral or detractor"),
    [CRM_IX_CONTACT_STATUS] = TEXT("status", "active, inactive, left or unresponsive"),
    [CRM_IX_CONTACT_SINCE] = TIME("since", "when the contact became known"),
};
static const struct crm_column nps_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_NPS_AT] = TIME_REQUIRED("at", "when the answer was given"),
    [CRM_IX_NPS_SCORE] = NUMBER_REQUIRED("score", 0, 10, "answer, a whole number 0..10"),
    [CRM_IX_NPS_RESPONDENT] = TEXT("respondent", "who answered"),
};
static const struct crm_column goal_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_GOAL_ID] = TEXT_REQUIRED("goal_id", "identifier of the goal, unique within the account"),
    [CRM_IX_GOAL_STATUS] = TEXT("status", "on_track, at_risk, achieved or missed"),
    [CRM_IX_GOAL_CREATED_AT] = TIME("created_at", "when the goal was agreed"),
    [CRM_IX_GOAL_TARGET_AT] = TIME("target_at", "when it is due"),
    [CRM_IX_GOAL_COMPLETED_AT] = TIME("completed_at", "when it was achieved"),
};
static const struct crm_column health_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_HEALTH_DAY] = DAY_REQUIRED("day", "civil day of the score"),
    [CRM_IX_HEALTH_SCORE] = NUMBER("score", 0, 100, "health score the CRM recorded, 0..100"),
};
static const struct crm_column invoice_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_INVOICE_DUE_AT] = TIME_REQUIRED("due_at", "when it is to be paid"),
    [CRM_IX_INVOICE_PAID_AT] = TIME("paid_at", "when it was paid; NULL: it has not been"),
    [CRM_IX_INVOICE_AMOUNT] = MONEY("amount", "amount in major units"),
    [CRM_IX_INVOICE_CURRENCY] = TEXT("currency", "ISO 4217 code; NULL: the account's"),
};
static const struct crm_column opportunity_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_OPPORTUNITY_KIND] = TEXT_REQUIRED("kind", "upsell, cross_sell, expansion, renewal, new; any other word: other"),
    [CRM_IX_OPPORTUNITY_AMOUNT] = MONEY("amount", "annual value in major units"),
    [CRM_IX_OPPORTUNITY_CURRENCY] = TEXT("currency", "ISO 4217 code; NULL: the account's"),
    [CRM_IX_OPPORTUNITY_STAGE] = TEXT("stage", "open, won or lost; NULL: open"),
    [CRM_IX_OPPORTUNITY_OPENED_AT] = TIME("opened_at", "when it was opened"),
    [CRM_IX_OPPORTUNITY_CLOSED_AT] = TIME("closed_at", "when it was won or lost"),
    [CRM_IX_OPPORTUNITY_PROBABILITY] = NUMBER("probability", 0, 100, "probability of winning it in percent, 0..100"),
};
static const struct crm_column signal_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_SIGNAL_KIND] =
        TEXT_REQUIRED("kind", "budget_constraints, competitor_mentions, feature_requests, pricing_discussions; any other word: other"),
    [CRM_IX_SIGNAL_AT] = TIME_REQUIRED("at", "when it was observed"),
    [CRM_IX_SIGNAL_WEIGHT] = NUMBER("weight", 0, MANY, "weight; NULL: 1"),
};
static const struct crm_column intervention_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_INTERVENTION_KIND] = TEXT_REQUIRED("kind", "kind of intervention, any word"),
    [CRM_IX_INTERVENTION_OPENED_AT] = TIME_REQUIRED("opened_at", "when it was opened"),
    [CRM_IX_INTERVENTION_CLOSED_AT] = TIME("closed_at", "when it was closed; NULL: it is open"),
    [CRM_IX_INTERVENTION_STAGE] = TEXT("stage", "stage of the work, any word"),
    [CRM_IX_INTERVENTION_OWNER] = TEXT("owner", "team member who is at it"),
};
static const struct crm_column onboarding_columns[] = {
    ACCOUNT_ID,
    [CRM_IX_ONBOARDING_STARTED_AT] = TIME_REQUIRED("started_at", "when the onboarding began"),
    [CRM_IX_ONBOARDING_TARGET_AT] = TIME("target_at", "when it is to be finished"),
    [CRM_IX_ONBOARDING_COMPLETED_AT] = TIME("completed_at", "when it was finished"),
    [CRM_IX_ONBOARDING_STATUS] = TEXT("status", "not_started, in_progress, completed, on_hold or cancelled"),
};

#define COLUMNS(array) .columns = array, .n_columns = sizeof(array) / sizeof(array[0])

static const struct crm_relation_info relations[CRM_RELATIONS] = {
    [CRM_REL_ACCOUNT] = {.name = "account", .help = "customers, one row each", COLUMNS(account_columns), .history_column = -1},
    [CRM_REL_REVENUE] = {.name = "revenue",
                         .help = "recurring revenue levels, one row per change",
                         COLUMNS(revenue_columns),
                         .history_column = -1},
    [CRM_REL_CONTRACT] = {.name = "contract", .help = "contracts with their terms", COLUMNS(contract_columns), .history_column = -1},
    [CRM_REL_USAGE] = {.name = "usage", .help = "product usage by day", COLUMNS(usage_columns), .history_column = CRM_IX_USAGE_DAY},
    [CRM_REL_SUPPORT] = {.name = "support",
                         .help = "support figures by day",
                         COLUMNS(support_columns),
                         .history_column = CRM_IX_SUPPORT_DAY},
    [CRM_REL_ENGAGEMENT] = {.name = "engagement",
                            .help = "meetings, calls, mails and the like",
                            COLUMNS(engagement_columns),
                            .history_column = -1},
    [CRM_REL_CONTACT] = {.name = "contact", .help = "people at the customer", COLUMNS(contact_columns), .history_column = -1},
    [CRM_REL_NPS] = {.name = "nps", .help = "answers to the recommendation question", COLUMNS(nps_columns), .history_column = -1},
    [CRM_REL_GOAL] = {.name = "goal", .help = "customers' goals", COLUMNS(goal_columns), .history_column = -1},
    [CRM_REL_HEALTH] = {.name = "health",
                        .help = "health scores the CRM itself recorded",
                        COLUMNS(health_columns),
                        .history_column = CRM_IX_HEALTH_DAY},
    [CRM_REL_INVOICE] = {.name = "invoice", .help = "invoices and their payment", COLUMNS(invoice_columns), .history_column = -1},
    [CRM_REL_OPPORTUNITY] = {.name = "opportunity",
                             .help = "sales opportunities with customers",
                             COLUMNS(opportunity_columns),
                             .history_column = -1},
    [CRM_REL_SIGNAL] = {.name = "signal", .help = "signs of risk noticed by people", COLUMNS(signal_columns), .history_column = -1},
    [CRM_REL_INTERVENTION] = {.name = "intervention",
                              .help = "work done to keep a customer",
                              COLUMNS(intervention_columns),
                              .history_column = -1},
    [CRM_REL_ONBOARDING] = {.name = "onboarding", .help = "onboarding plans", COLUMNS(onboarding_columns), .history_column = -1},
};

const struct crm_relation_info *crm_relation_info(enum crm_relation relation) {
  return &relations[relation];
}

enum crm_relation crm_relation_by_name(const char *name) {
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (strcmp(relations[r].name, name) == 0)
      return (enum crm_relation)r;
  return CRM_RELATIONS;
}

const char *crm_reject_name(enum crm_reject reason) {
  static const char *const names[CRM_REJECTS] = {
      [CRM_REJECT_NO_ACCOUNT] = "no_account",     [CRM_REJECT_UNKNOWN_ACCOUNT] = "unknown_account",
      [CRM_REJECT_DUPLICATE] = "duplicate",       [CRM_REJECT_MISSING] = "missing",
      [CRM_REJECT_NOT_A_NUMBER] = "not_a_number", [CRM_REJECT_OUT_OF_RANGE] = "out_of_range",
      [CRM_REJECT_BAD_TEXT] = "bad_text",         [CRM_REJECT_BAD_VALUE] = "bad_value",
      [CRM_REJECT_NO_CURRENCY] = "no_currency",   [CRM_REJECT_UNDATED_CHURN] = "undated_churn",
  };
  return (unsigned)reason < CRM_REJECTS ? names[reason] : NULL;
}
