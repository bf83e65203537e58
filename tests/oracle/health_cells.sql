-- SPDX-License-Identifier: MIT
-- The health score by cell, tenant and account, with its factors and inputs. After health.sql.
CREATE TEMP TABLE known_input AS
SELECT * FROM (VALUES
  ('product_usage', 'login_frequency'), ('product_usage', 'feature_adoption'), ('product_usage', 'session_duration'), ('product_usage', 'user_activity'),
  ('support', 'ticket_volume'), ('support', 'ticket_severity'), ('support', 'resolution_time'), ('support', 'satisfaction'),
  ('engagement', 'meeting_frequency'), ('engagement', 'response_rate'), ('engagement', 'outcome_quality'), ('engagement', 'stakeholder_participation'),
  ('business', 'contract_value'), ('business', 'payment_history'), ('business', 'expansion_opportunity'), ('business', 'renewal_likelihood')) i (factor, input);

INSERT INTO answer
SELECT 'health_score_accounts', cell || jsonb_build_object('le', le), (SELECT count(*) FROM scored s WHERE s.cell = c.cell AND s.score <= le::numeric)
FROM cell c, unnest(ARRAY['10', '20', '30', '40', '50', '60', '70', '80', '90', '100']) le
UNION ALL SELECT 'health_score_accounts', cell || '{"le": "+Inf"}', (SELECT count(score) FROM scored s WHERE s.cell = c.cell) FROM cell c
UNION ALL SELECT 'health_score_points', cell, (SELECT COALESCE(sum(score), 0) FROM scored s WHERE s.cell = c.cell) FROM cell c
UNION ALL SELECT 'health_score_average', jsonb_build_object('tenant', tenant), avg(score) FROM scored WHERE score IS NOT NULL GROUP BY tenant
UNION ALL SELECT 'health_score_arr_weighted_average', jsonb_build_object('tenant', tenant), sum(score * arr) / sum(arr)
          FROM scored WHERE score IS NOT NULL AND arr > 0 GROUP BY tenant HAVING count(DISTINCT currency) = 1;

-- What the weighted average is made of, in each currency by itself.
INSERT INTO answer
SELECT f.family, p.cell || jsonb_build_object('currency', p.currency),
       COALESCE(sum(s.arr * CASE f.family WHEN 'health_score_arr_points' THEN s.score ELSE 1 END) FILTER (WHERE s.score IS NOT NULL), 0)
FROM picture p LEFT JOIN scored s USING (id), unnest(ARRAY['health_score_arr_points', 'health_scored_arr']) f (family)
GROUP BY f.family, p.cell, p.currency;

INSERT INTO answer
SELECT 'accounts_by_health', cell || jsonb_build_object('band', b),
       (SELECT count(*) FROM scored s WHERE s.cell = c.cell
          AND b = CASE WHEN score IS NULL THEN 'unscored' WHEN score >= 80 THEN 'healthy' WHEN score >= 60 THEN 'moderate'
                       WHEN score >= 40 THEN 'at_risk' ELSE 'critical' END)
FROM cell c, unnest(ARRAY['healthy', 'moderate', 'at_risk', 'critical', 'unscored']) b;

CREATE TEMP TABLE factor_cell AS
SELECT cell, factor, sum(value) AS points, count(*) AS accounts FROM factor JOIN customer USING (id) GROUP BY cell, factor;
INSERT INTO answer
SELECT f.family, cell || jsonb_build_object('factor', factor), COALESCE(CASE f.family WHEN 'health_factor_points' THEN points ELSE accounts END, 0)
FROM unnest(ARRAY['health_factor_points', 'health_factor_accounts']) f (family), cell CROSS JOIN weight LEFT JOIN factor_cell USING (cell, factor);

CREATE TEMP TABLE input_cell AS
SELECT cell, factor, input, sum(value) AS points, count(*) AS accounts FROM input JOIN customer USING (id) GROUP BY cell, factor, input;
INSERT INTO answer
SELECT f.family, cell || jsonb_build_object('factor', factor, 'input', input),
       COALESCE(CASE f.family WHEN 'health_input_points' THEN points ELSE accounts END, 0)
FROM unnest(ARRAY['health_input_points', 'health_input_accounts']) f (family), cell CROSS JOIN known_input
LEFT JOIN input_cell USING (cell, factor, input);

INSERT INTO answer
SELECT 'health_coverage_ratio', jsonb_build_object('tenant', tenant, 'factor', w.factor), count(f.id)::numeric / count(*)
FROM customer c CROSS JOIN weight w LEFT JOIN factor f ON f.id = c.id AND f.factor = w.factor GROUP BY tenant, w.factor;

INSERT INTO answer
SELECT 'account_health_score', jsonb_build_object('tenant', tenant, 'account', id), score FROM scored WHERE score IS NOT NULL;
INSERT INTO answer
SELECT 'account_health_factor_score', jsonb_build_object('tenant', tenant, 'account', id, 'factor', factor), value FROM factor JOIN customer USING (id);
