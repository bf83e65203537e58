/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/owed.h"
#include "lib/sums.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Left = right, at every sample of the frame. Those with a family that is not per cell hold where there are no dimensions. */
static const struct {
  const char *frame, *left, *right;
} identities[] = {
    {"crm_accounts_paying", "crm_accounts_by_health", "crm_accounts - crm_accounts status=churned"},
    {"crm_accounts_paying", "crm_accounts_by_risk", "crm_accounts - crm_accounts status=churned"},
    {"crm_accounts_paying", "crm_adoption_accounts", "crm_accounts - crm_accounts status=churned"},
    {"crm_accounts_paying", "crm_accounts_never_engaged + crm_engagement_gap_accounts le=+Inf", "crm_accounts_by_health"},
    {"crm_accounts_paying", "crm_health_score_accounts le=+Inf + crm_accounts_by_health band=unscored", "crm_accounts_by_health"},
    {"crm_accounts_paying", "crm_churn_risk_accounts le=+Inf + crm_accounts_by_risk band=unscored", "crm_accounts_by_risk"},
    {"crm_accounts_paying", "crm_accounts_paying", "crm_arr_accounts"},
    {"crm_accounts_closing", "crm_accounts_closing", "crm_accounts_paying"},
    {"crm_accounts_closing", "crm_accounts_closing",
     "crm_accounts_opening + crm_accounts_won + crm_accounts_reactivated - crm_accounts_lost + crm_accounts_adjusted"},
    {"crm_health_change_accounts", "crm_accounts_by_health_trend", "crm_health_change_accounts"},
    {"crm_arr", "crm_arr", "crm_arr_by_risk"},
    {"crm_arr_closing", "crm_arr_closing", "crm_arr"},
    {"crm_arr_closing", "crm_arr_closing",
     "crm_arr_opening + crm_arr_movement kind=new + crm_arr_movement kind=expansion + crm_arr_movement kind=reactivation"
     " - crm_arr_movement kind=contraction - crm_arr_movement kind=churn + crm_arr_movement kind=adjustment"},
    /* per tenant */
    {"crm_arr_month_closing", "crm_arr_month_closing",
     "crm_arr_month_opening + crm_arr_month_movement kind=new + crm_arr_month_movement kind=expansion"
     " + crm_arr_month_movement kind=reactivation - crm_arr_month_movement kind=contraction - crm_arr_month_movement kind=churn"
     " + crm_arr_month_movement kind=adjustment"},
    {"crm_accounts_month_closing", "crm_accounts_month_closing",
     "crm_accounts_month_opening + crm_accounts_month_movement kind=won + crm_accounts_month_movement kind=reactivated"
     " - crm_accounts_month_movement kind=lost + crm_accounts_month_movement kind=adjusted"},
    {"crm_engagement_activity weekday=mon hour=00", "crm_engagement_activity", "crm_engagements"},
    {"crm_engagements_customer_facing", "crm_engagements_by_member", "crm_engagements"},
    {"crm_health_change_accounts", "crm_health_band_transitions", "crm_accounts"},
    {"crm_health_change_accounts", "crm_health_band_transitions to=healthy", "crm_accounts_by_health band=healthy"},
    {"crm_health_change_accounts", "crm_health_band_transitions to=moderate", "crm_accounts_by_health band=moderate"},
    {"crm_health_change_accounts", "crm_health_band_transitions to=at_risk", "crm_accounts_by_health band=at_risk"},
    {"crm_health_change_accounts", "crm_health_band_transitions to=critical", "crm_accounts_by_health band=critical"},
    {"crm_health_change_accounts", "crm_health_band_transitions to=unscored", "crm_accounts_by_health band=unscored"},
    {"crm_health_change_accounts", "crm_health_band_transitions to=churned", "crm_accounts status=churned"},
    {"crm_health_recovery_base_accounts", "crm_health_recovery_base_accounts",
     "crm_health_band_transitions from=at_risk + crm_health_band_transitions from=critical"},
    {"crm_health_recovered_accounts", "crm_health_recovered_accounts",
     "crm_health_band_transitions from=at_risk to=healthy + crm_health_band_transitions from=at_risk to=moderate"
     " + crm_health_band_transitions from=critical to=healthy + crm_health_band_transitions from=critical to=moderate"},
    /* all accounts are shown */
    {"crm_accounts", "crm_accounts", "crm_account_info"},
    {"crm_arr", "crm_arr", "crm_account_arr"},
    {"crm_health_score_points", "crm_health_score_points", "crm_account_health_score"},
    {"crm_churn_risk_points", "crm_churn_risk_points", "crm_account_churn_risk_score"},
    {"crm_health_factor_points", "crm_health_factor_points", "crm_account_health_factor_score"},
    {"crm_churn_factor_points", "crm_churn_factor_points", "crm_account_churn_factor_score"},
};

/* scale x top / bottom, at every sample of the frame at which the bottom is not 0, and nowhere else. */
static const struct {
  const char *frame, *ratio, *top, *bottom;
  double scale;
} ratios[] = {
    {"crm_health_score_points", "crm_health_score_average", "crm_health_score_points", "crm_health_score_accounts le=+Inf", 1},
    {"crm_churn_risk_points", "crm_churn_risk_score_average", "crm_churn_risk_points", "crm_churn_risk_accounts le=+Inf", 1},
    {"crm_health_factor_accounts", "crm_health_coverage_ratio", "crm_health_factor_accounts", "crm_accounts_by_health", 1},
    {"crm_health_recovery_base_accounts", "crm_health_recovery_ratio", "crm_health_recovered_accounts", "crm_health_recovery_base_accounts",
     1},
    {"crm_accounts_paying", "crm_engagement_frequency_ratio window=7d", "crm_engagements_customer_facing window=7d",
     "crm_accounts_by_health", 30.0 / 7},
    {"crm_accounts_paying", "crm_engagement_frequency_ratio window=30d", "crm_engagements_customer_facing window=30d",
     "crm_accounts_by_health", 1},
    {"crm_accounts_paying", "crm_engagement_frequency_ratio window=90d", "crm_engagements_customer_facing window=90d",
     "crm_accounts_by_health", 30.0 / 90},
    {"crm_stakeholders level=user strength=neutral engaged=true", "crm_stakeholder_participation_ratio", "crm_stakeholders engaged=true",
     "crm_stakeholders", 1},
    {"crm_arr_opening", "crm_net_revenue_retention_ratio", "crm_arr_retained_net", "crm_arr_retention_base", 1},
    {"crm_arr_opening", "crm_gross_revenue_retention_ratio", "crm_arr_retained_gross", "crm_arr_retention_base", 1},
    {"crm_arr_opening", "crm_arr_growth_ratio", "crm_arr_closing - crm_arr_opening", "crm_arr_opening", 1},
    {"crm_arr_opening", "crm_quick_ratio",
     "crm_arr_movement kind=new + crm_arr_movement kind=expansion + crm_arr_movement kind=reactivation",
     "crm_arr_movement kind=contraction + crm_arr_movement kind=churn", 1},
    {"crm_arr_opening", "crm_revenue_churn_ratio", "crm_arr_movement kind=contraction + crm_arr_movement kind=churn", "crm_arr_opening", 1},
    {"crm_success_driven_expansion_arr", "crm_success_driven_expansion_ratio", "crm_success_driven_expansion_arr",
     "crm_arr_movement kind=expansion", 1},
    {"crm_accounts_opening", "crm_logo_churn_ratio", "crm_accounts_lost", "crm_accounts_opening", 1},
    {"crm_contracts_in_force", "crm_average_contract_value", "crm_arr", "crm_contracts_in_force", 1},
    {"crm_arr_accounts", "crm_revenue_per_account", "crm_mrr", "crm_arr_accounts", 1},
    {"crm_accounts_paying", "crm_nps", "crm_nps_responses category=promoter window=90d - crm_nps_responses category=detractor window=90d",
     "crm_nps_responses window=90d", 100},
    {"crm_accounts_paying", "crm_engagement_score_average", "crm_health_factor_points factor=engagement",
     "crm_health_factor_accounts factor=engagement", 1},
    {"crm_goals_due result=achieved", "crm_goal_completion_ratio", "crm_goals_due result=achieved", "crm_goals_due", 1},
    {"crm_renewals_due result=renewed", "crm_renewal_ratio kind=logo", "crm_renewals_due result=renewed", "crm_renewals_due", 1},
    {"crm_accounts_paying", "crm_adoption_ratio kind=seats", "crm_adoption_active_users", "crm_adoption_seats", 1},
    {"crm_accounts_paying", "crm_adoption_ratio kind=features", "crm_health_input_points input=feature_adoption",
     "crm_health_input_accounts input=feature_adoption", 0.01},
};

static bool all_cells(const struct sums *sums) {
  for (size_t k = 0; k < sums->n; k++)
    if (crm_family_info(sums->terms[k].family)->scope != CRM_SCOPE_CELL)
      return false;
  return true;
}

static void check_identities(uint64_t base, const struct crm_series_set *set) {
  for (size_t k = 0; k < COUNT(identities); k++) {
    struct sums frame, left, right;
    sums_parse(identities[k].frame, &frame);
    sums_parse(identities[k].left, &left);
    sums_parse(identities[k].right, &right);
    if (set->n_dimensions > 0 && !(all_cells(&left) && all_cells(&right)))
      continue;
    for (size_t i = 0; i < set->n; i++) {
      const struct crm_sample *s = &set->samples[i];
      if (!sums_holds(set, &frame.terms[0], s))
        continue;
      char where[256];
      const struct sums_frame here = {set, &frame.terms[0], s};
      struct sums_total a = sums_at(set, &left, &here), b = sums_at(set, &right, &here);
      if (!sums_equal(&a, &b))
        fail_msg("base %" PRIu64 ": %s = %.15Lg, but %s = %.15Lg (%s)", base, identities[k].left, a.value, identities[k].right, b.value,
                 sums_show(set, s, where, sizeof(where)));
    }
  }
}

/* Cumulative, so that it never falls from one le to the next. */
static void check_distributions(uint64_t base, const struct crm_series_set *set) {
  for (size_t i = 1; i < set->n; i++) {
    const struct crm_sample *s = &set->samples[i], *before = s - 1;
    if (s->family != before->family || crm_family_info((enum crm_family)s->family)->kind != CRM_DISTRIBUTION)
      continue;
    bool same = true;
    for (size_t l = 0; l + 1 < s->n_labels; l++)
      same = same && strcmp(crm_set_label_value(set, s, l), crm_set_label_value(set, before, l)) == 0;
    char where[256];
    if (same && s->value.num < before->value.num)
      fail_msg("base %" PRIu64 ": %s is less than at the limit before", base, sums_show(set, s, where, sizeof(where)));
    assert_true(same || strcmp(crm_set_label_value(set, before, before->n_labels - 1u), "+Inf") == 0);
  }
}

static void expect_near(uint64_t base, const struct crm_series_set *set, const struct crm_sample *s, double expected, double got) {
  char where[256];
  if (!(isnan(expected) && isnan(got)) && !(fabs(got - expected) <= 1e-9 * fmax(1, fabs(expected))))
    fail_msg("base %" PRIu64 ": %s is %.15g, its parts say %.15g", base, sums_show(set, s, where, sizeof(where)), got, expected);
}

void owed_ratios(uint64_t base, const struct crm_series_set *set) {
  for (size_t k = 0; k < COUNT(ratios); k++) {
    struct sums frame, ratio, top, bottom;
    sums_parse(ratios[k].frame, &frame);
    sums_parse(ratios[k].ratio, &ratio);
    sums_parse(ratios[k].top, &top);
    sums_parse(ratios[k].bottom, &bottom);
    size_t found = 0, there = 0;
    for (size_t i = 0; i < set->n; i++) {
      const struct crm_sample *s = &set->samples[i];
      there += sums_holds(set, &ratio.terms[0], s);
      if (!sums_holds(set, &frame.terms[0], s))
        continue;
      const struct sums_frame here = {set, &frame.terms[0], s};
      struct sums_total r = sums_at(set, &ratio, &here), a = sums_at(set, &top, &here), b = sums_at(set, &bottom, &here);
      expect_near(base, set, s, b.value == 0 ? NAN : (double)(ratios[k].scale * a.value / b.value), r.samples == 1 ? (double)r.value : NAN);
      found += r.samples;
    }
    assert_int_equal(found, there);
  }
}

void owed_sums(uint64_t base, const struct crm_series_set *set) {
  check_identities(base, set);
  check_distributions(base, set);
}

static bool named(const char *text, enum crm_family family) {
  struct sums sums;
  sums_parse(text, &sums);
  for (size_t k = 0; k < sums.n; k++)
    if (sums.terms[k].family == family)
      return true;
  return false;
}

bool owed_is_held(enum crm_family family) {
  bool held = false;
  for (size_t k = 0; k < COUNT(identities); k++)
    held = held || named(identities[k].left, family) || named(identities[k].right, family);
  for (size_t k = 0; k < COUNT(ratios); k++)
    held = held || named(ratios[k].ratio, family);
  return held;
}
