-- SPDX-License-Identifier: MIT
-- account: one row per customer of every tenant.
-- Reads public.accounts, organizations, user_profiles, customer_goals and crm_ext.account_detail.
-- Traps avoided:
--  * organizations are the tenants, not customers; a tenant's currency is the currency of its accounts' amounts.
--  * health_score and churn_risk_score are 50 until somebody measures: 50 is left out (NULL), and so is a seat_count of 0, its default.
--  * arr and mrr may disagree by rounding, or only one is kept: growth_tracking_method tells which one people maintain.
--  * updated_at is never taken for a churn date; churn by status alone has no date here, and the core counts it as undated.
--  * the manager's profile must belong to the same tenant, or one tenant would see the names of another.
SELECT a.id AS account_id,
       o.name AS tenant,
       a.name,
       a.size AS segment,
       a.industry,
       d.region,
       u.full_name AS owner,
       a.status,
       o.currency_code AS currency,
       a.created_at,
       d.churned_at,
       CASE WHEN a.growth_tracking_method = 'mrr' THEN COALESCE(a.mrr * 12, a.arr) ELSE COALESCE(a.arr, a.mrr * 12) END AS arr,
       NULLIF(a.seat_count, 0) AS seats,
       d.auto_renew,
       d.renewal_forecast,
       NULLIF(a.health_score, 50) AS recorded_health,
       NULLIF(a.churn_risk_score, 50) AS recorded_risk,
       g.first_value_at,
       a.updated_at AS changed_at
FROM public.accounts a
JOIN public.organizations o ON o.id = a.organization_id
LEFT JOIN public.user_profiles u ON u.id = COALESCE(a.csm_id, a.owner_id) AND u.organization_id = a.organization_id
LEFT JOIN crm_ext.account_detail d ON d.account_id = a.id
-- First value: the first goal that the customer reached. Ended onboarding is a milestone of ours, not of theirs.
LEFT JOIN (SELECT account_id, min(completion_date) AS first_value_at
           FROM public.customer_goals
           WHERE status = 'achieved'
           GROUP BY account_id) g ON g.account_id = a.id
