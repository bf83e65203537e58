-- SPDX-License-Identifier: MIT
-- The churn risk by cell, tenant and account, with its factors and indicators. After churn_risk.sql.
CREATE TEMP TABLE known_indicator AS
SELECT * FROM (VALUES
  ('health_decline', 'declining_login_frequency'), ('health_decline', 'reduced_feature_usage'), ('health_decline', 'support_escalations'),
  ('engagement_reduction', 'missed_meetings'), ('engagement_reduction', 'delayed_responses'), ('engagement_reduction', 'negative_outcomes'),
  ('business_risk', 'contract_approaching_renewal'), ('business_risk', 'payment_delays'), ('business_risk', 'budget_constraints'),
  ('competitive_threats', 'competitor_mentions'), ('competitive_threats', 'feature_requests'), ('competitive_threats', 'pricing_discussions')) i (factor, indicator);

INSERT INTO answer
SELECT 'churn_risk_accounts', cell || jsonb_build_object('le', le), (SELECT count(*) FROM at_stake s WHERE s.cell = c.cell AND s.risk <= le::numeric)
FROM cell c, unnest(ARRAY['10', '20', '30', '40', '50', '60', '70', '80', '90', '100']) le
UNION ALL SELECT 'churn_risk_accounts', cell || '{"le": "+Inf"}', (SELECT count(risk) FROM at_stake s WHERE s.cell = c.cell) FROM cell c
UNION ALL SELECT 'churn_risk_points', cell, (SELECT COALESCE(sum(risk), 0) FROM at_stake s WHERE s.cell = c.cell) FROM cell c
UNION ALL SELECT 'churn_risk_score_average', jsonb_build_object('tenant', tenant), avg(risk) FROM at_stake WHERE risk IS NOT NULL GROUP BY tenant;

INSERT INTO answer
SELECT 'accounts_by_risk', cell || jsonb_build_object('band', b), (SELECT count(*) FROM at_stake s WHERE s.cell = c.cell AND s.band = b)
FROM cell c, unnest(ARRAY['low', 'medium', 'high', 'critical', 'unscored']) b;
INSERT INTO answer
SELECT 'arr_by_risk', cell || jsonb_build_object('band', b, 'currency', currency),
       (SELECT COALESCE(sum(arr), 0) FROM at_stake s WHERE s.cell = c.cell AND s.currency = c.currency AND s.band = b)
FROM cell_currency c, unnest(ARRAY['low', 'medium', 'high', 'critical', 'unscored']) b;

CREATE TEMP TABLE risk_factor_cell AS
SELECT cell, factor, sum(value) AS points, count(*) AS accounts FROM risk_factor JOIN customer USING (id) GROUP BY cell, factor;
INSERT INTO answer
SELECT f.family, cell || jsonb_build_object('factor', factor), COALESCE(CASE f.family WHEN 'churn_factor_points' THEN points ELSE accounts END, 0)
FROM unnest(ARRAY['churn_factor_points', 'churn_factor_accounts']) f (family), cell CROSS JOIN risk_weight LEFT JOIN risk_factor_cell USING (cell, factor);

CREATE TEMP TABLE raised AS
SELECT cell, factor, indicator, count(*) AS accounts FROM indicator JOIN customer USING (id) WHERE value >= 0.5 GROUP BY cell, factor, indicator;
INSERT INTO answer
SELECT 'churn_indicator_accounts', cell || jsonb_build_object('factor', factor, 'indicator', indicator), COALESCE(accounts, 0)
FROM cell CROSS JOIN known_indicator LEFT JOIN raised USING (cell, factor, indicator);

INSERT INTO answer
SELECT 'account_churn_risk_score', jsonb_build_object('tenant', tenant, 'account', id), risk FROM at_stake WHERE risk IS NOT NULL;
INSERT INTO answer
SELECT 'account_churn_factor_score', jsonb_build_object('tenant', tenant, 'account', id, 'factor', factor), value FROM risk_factor JOIN customer USING (id);
