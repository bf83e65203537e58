-- SPDX-License-Identifier: MIT
-- What the queries of contrib/requirements.tsv must give at t: keys, labels as JSON and values. After the statements of tests/oracle, on whose
-- tables of facts it builds and not on its answers, but for scores and their inputs.
TRUNCATE answer;

-- DashboardStats
INSERT INTO answer
SELECT k.key, jsonb_build_object('tenant', tenant), k.value
FROM (SELECT tenant, count(*) AS n, count(*) FILTER (WHERE status = 'active') AS active, count(*) FILTER (WHERE status = 'at_risk') AS at_risk,
             count(*) FILTER (WHERE status = 'churned') AS churned FROM picture GROUP BY tenant) p
CROSS JOIN LATERAL (VALUES ('totalAccounts', n), ('activeAccounts', active), ('atRiskAccounts', at_risk), ('churnedAccounts', churned)) k (key, value)
UNION ALL SELECT 'atRiskByScore', jsonb_build_object('tenant', tenant), count(*) FILTER (WHERE risk > 70) FROM at_stake GROUP BY tenant
UNION ALL SELECT 'averageHealthScore', jsonb_build_object('tenant', tenant), avg(score) FROM scored GROUP BY tenant
UNION ALL SELECT 'averageChurnRisk', jsonb_build_object('tenant', tenant), avg(risk) FROM at_stake GROUP BY tenant
UNION ALL SELECT 'totalARR', jsonb_build_object('tenant', tenant, 'currency', currency), sum(arr) FROM picture WHERE NOT churned GROUP BY tenant, currency
UNION ALL SELECT 'npsScore', jsonb_build_object('tenant', tenant), 100 * avg(CASE category WHEN 'promoter' THEN 1 WHEN 'passive' THEN 0 ELSE -1 END)
          FROM vote WHERE "window" = '90d' GROUP BY tenant
UNION ALL SELECT 'active and at risk', jsonb_build_object('tenant', tenant, 'status', status), count(*)
          FROM picture WHERE status IN ('active', 'at_risk') GROUP BY tenant, status;

-- Segments and distributions
INSERT INTO answer
SELECT k.key || ' ' || band, jsonb_build_object('tenant', tenant), CASE k.key WHEN 'band' THEN n ELSE n::numeric / scored END
FROM (SELECT tenant, band, count(*) FILTER (WHERE score >= least AND (score < below) IS NOT FALSE) AS n, count(score) AS scored
      FROM scored, (VALUES ('healthy', 80, NULL), ('moderate', 60, 80), ('at_risk', 40, 60), ('critical', -1, 40)) b (band, least, below) GROUP BY tenant, band) x,
     unnest(ARRAY['band', 'share']) k (key)
UNION ALL
SELECT 'bands', jsonb_build_object('tenant', tenant, 'band', band),
       count(*) FILTER (WHERE band = CASE WHEN score IS NULL THEN 'unscored' ELSE pg_temp.band(false, score) END)
FROM scored, unnest(ARRAY['healthy', 'moderate', 'at_risk', 'critical', 'unscored']) band GROUP BY tenant, band
UNION ALL
SELECT 'risk bands', jsonb_build_object('tenant', tenant, 'band', b), count(*) FILTER (WHERE band = b)
FROM at_stake, unnest(ARRAY['low', 'medium', 'high', 'critical', 'unscored']) b GROUP BY tenant, b
UNION ALL
SELECT 'health distribution', jsonb_build_object('tenant', tenant, 'le', COALESCE(le::text, '+Inf')), count(*) FILTER (WHERE score <= COALESCE(le, 100))
FROM scored, unnest(ARRAY[10, 20, 30, 40, 50, 60, 70, 80, 90, 100, NULL]) le GROUP BY tenant, le
UNION ALL
SELECT 'risk distribution', jsonb_build_object('tenant', tenant, 'le', COALESCE(le::text, '+Inf')), count(*) FILTER (WHERE risk <= COALESCE(le, 100))
FROM at_stake, unnest(ARRAY[10, 20, 30, 40, 50, 60, 70, 80, 90, 100, NULL]) le GROUP BY tenant, le
UNION ALL SELECT 'health by segment', jsonb_build_object('tenant', tenant, 'segment', segment), avg(score) FROM scored GROUP BY tenant, segment HAVING count(score) > 0
UNION ALL SELECT 'arr by segment', jsonb_build_object('tenant', tenant, 'segment', segment, 'currency', currency), COALESCE(sum(arr), 0)
          FROM picture GROUP BY tenant, segment, currency
UNION ALL SELECT 'revenue correlation', jsonb_build_object('tenant', tenant), corr(score, arr)::numeric FROM scored GROUP BY tenant
UNION ALL SELECT 'segment', jsonb_build_object('tenant', tenant, 'status', s), count(*) FILTER (WHERE status = s)
          FROM picture, unnest(ARRAY['onboarding', 'active', 'at_risk', 'churned', 'unknown']) s WHERE segment = :'segment' GROUP BY tenant, s;

-- Factors, inputs and indicators
INSERT INTO answer
SELECT 'factor ' || factor, jsonb_build_object('tenant', tenant), avg(value) FROM factor JOIN customer USING (id) GROUP BY tenant, factor
UNION ALL SELECT 'input ' || input, jsonb_build_object('tenant', tenant), avg(value) FROM input JOIN customer USING (id) GROUP BY tenant, input
UNION ALL SELECT 'risk factor ' || factor, jsonb_build_object('tenant', tenant), avg(value) FROM risk_factor JOIN customer USING (id) GROUP BY tenant, factor
UNION ALL SELECT 'factors', jsonb_build_object('tenant', tenant, 'factor', factor), avg(value) FROM risk_factor JOIN customer USING (id) GROUP BY tenant, factor
UNION ALL SELECT 'indicator ' || indicator, jsonb_build_object('tenant', tenant), count(*) FILTER (WHERE value >= 0.5)
          FROM indicator JOIN customer USING (id) GROUP BY tenant, indicator;

-- Engagement
INSERT INTO answer
SELECT 'totalEngagements', jsonb_build_object('tenant', tenant), count(*) FROM completed WHERE "window" = '30d' GROUP BY tenant
UNION ALL SELECT 'type ' || k, jsonb_build_object('tenant', tenant), count(*) FILTER (WHERE engagement_type = k)
          FROM completed, unnest(ARRAY['meeting', 'call', 'email', 'demo', 'training']) k WHERE "window" = '30d' GROUP BY tenant, k
UNION ALL SELECT 'outcome ' || k, jsonb_build_object('tenant', tenant), count(*) FILTER (WHERE outcome = k)
          FROM completed, unnest(ARRAY['positive', 'neutral', 'negative', 'action_required']) k WHERE "window" = '30d' GROUP BY tenant, k
UNION ALL SELECT 'engagements by window', jsonb_build_object('tenant', tenant, 'window', "window"), count(*) FROM completed GROUP BY tenant, "window"
UNION ALL SELECT 'by member', jsonb_build_object('tenant', tenant, 'team_member', team_member, 'window', '30d'), count(*) FILTER (WHERE "window" = '30d')
          FROM completed GROUP BY tenant, team_member
UNION ALL SELECT 'team member', jsonb_build_object('tenant', tenant, 'team_member', team_member, 'window', '30d'), count(*)
          FROM completed WHERE "window" = '30d' AND team_member = :'owner' GROUP BY tenant, team_member
UNION ALL SELECT 'averageResponseTime', r.cell - 'segment' - 'account_owner' || jsonb_build_object('channel', channel), sum(n * seconds) / sum(n)
          FROM response r WHERE seconds IS NOT NULL GROUP BY r.cell - 'segment' - 'account_owner', channel HAVING sum(n) > 0
UNION ALL SELECT 'engagementFrequency', jsonb_build_object('tenant', c.tenant, 'window', '30d'), count(e.id)::numeric / count(DISTINCT c.id)
          FROM customer c LEFT JOIN completed e ON e.account_id = c.id AND e."window" = '30d' AND e.engagement_type <> 'note' GROUP BY c.tenant
UNION ALL SELECT 'stakeholderParticipation', jsonb_build_object('tenant', tenant, 'window', '90d'), avg(engaged::int) FROM person GROUP BY tenant
UNION ALL SELECT 'decision makers', jsonb_build_object('tenant', tenant), avg(engaged::int) FROM person WHERE level = 'primary' GROUP BY tenant
UNION ALL SELECT 'champions', jsonb_build_object('tenant', tenant), count(*) FROM person WHERE strength = 'champion' GROUP BY tenant
UNION ALL SELECT 'silent', jsonb_build_object('tenant', c.tenant, 'window', w.name), count(*) FILTER (WHERE last_at <= t - make_interval(hours => w.hours))
          FROM contacted JOIN customer c USING (id), instant, (VALUES ('30d', 720), ('60d', 1440), ('90d', 2160)) w (name, hours) GROUP BY c.tenant, w.name;

-- Revenue
INSERT INTO answer
SELECT k.key, jsonb_build_object('tenant', tenant, 'currency', currency),
       sum(CASE k.key WHEN 'expansionRevenue' THEN GREATEST(0, b - a) WHEN 'contractionRevenue' THEN CASE WHEN b > 0 THEN GREATEST(0, a - b) ELSE 0 END
                      ELSE CASE WHEN b = 0 THEN a ELSE 0 END END)
FROM ends, unnest(ARRAY['expansionRevenue', 'contractionRevenue', 'churnedRevenue']) k (key) WHERE "window" = '1y' AND a > 0 GROUP BY k.key, tenant, currency
UNION ALL
SELECT k.key, jsonb_build_object('tenant', tenant, 'currency', currency) || CASE WHEN k.key LIKE '% parts' THEN '{}' ELSE '{"window": "1y"}' END::jsonb,
       CASE k.key WHEN 'grossRevenueRetention' THEN sum(LEAST(a, b)) ELSE sum(b) END / sum(a)
FROM ends, unnest(ARRAY['netRevenueRetention', 'netRevenueRetention parts', 'grossRevenueRetention']) k (key)
WHERE "window" = '1y' AND a > 0 AND b IS NOT NULL GROUP BY k.key, tenant, currency
UNION ALL SELECT 'arrGrowth', jsonb_build_object('tenant', tenant, 'currency', currency, 'window', '1y'), sum(b) / sum(a) - 1
          FROM ends WHERE "window" = '1y' GROUP BY tenant, currency
UNION ALL SELECT 'period', jsonb_build_object('tenant', tenant, 'currency', currency, 'window', "window"), sum(b) - sum(a) FROM ends GROUP BY tenant, currency, "window"
UNION ALL SELECT 'averageContractValue', jsonb_build_object('tenant', p.tenant, 'currency', p.currency), p.arr / f.n
          FROM (SELECT tenant, currency, sum(arr) AS arr FROM picture GROUP BY tenant, currency) p
          JOIN (SELECT tenant, currency, count(*) AS n FROM in_force GROUP BY tenant, currency) f USING (tenant, currency)
UNION ALL SELECT 'revenuePerCustomer', jsonb_build_object('tenant', tenant, 'currency', currency), avg(arr) / 12 FROM picture WHERE arr > 0 GROUP BY tenant, currency
UNION ALL SELECT 'lifetime value', jsonb_build_object('tenant', tenant, 'currency', currency), arpa * LEAST(60, 1 / churn)
          FROM per_account JOIN (SELECT tenant, currency, avg(lost::numeric / paid_before) AS churn FROM month_sum
                                 WHERE nr BETWEEN 1 AND 6 AND paid_before > 0 GROUP BY tenant, currency) m USING (tenant, currency) WHERE churn > 0
UNION ALL SELECT 'opportunities', (cell - 'segment' - 'account_owner') || jsonb_build_object('currency', currency, 'kind', k),
                 COALESCE(sum(amount) FILTER (WHERE kind = k), 0)
          FROM deal, unnest(ARRAY['upsell', 'cross_sell']) k WHERE stage = 'open' AND "window" = '30d' GROUP BY cell - 'segment' - 'account_owner', currency, k
UNION ALL SELECT 'arr at risk', jsonb_build_object('tenant', tenant, 'currency', currency), COALESCE(sum(arr) FILTER (WHERE risk >= 50), 0)
          FROM at_stake GROUP BY tenant, currency;

-- KPIs
INSERT INTO answer
SELECT 'churnRate', jsonb_build_object('tenant', tenant, 'window', '1y'), avg((b = 0)::int) FROM ends WHERE "window" = '1y' AND a > 0 GROUP BY tenant
UNION ALL SELECT 'timeToValue', jsonb_build_object('tenant', tenant, 'quantile', '0.5'), min(seconds) FROM waiting WHERE share <= 0.5 GROUP BY tenant
UNION ALL SELECT 'adoptionRate', jsonb_build_object('tenant', tenant, 'kind', 'seats'), sum(people) / sum(seats)
          FROM adoption WHERE seats > 0 AND people IS NOT NULL GROUP BY tenant
UNION ALL SELECT 'adoptionRate', jsonb_build_object('tenant', tenant, 'kind', 'accounts'), avg(COALESCE(people > 0, false)::int) FROM adoption GROUP BY tenant
UNION ALL SELECT 'adoptionRate', jsonb_build_object('tenant', tenant, 'kind', 'features'), avg(value) / 100
          FROM input JOIN customer USING (id) WHERE input = 'feature_adoption' GROUP BY tenant
UNION ALL SELECT 'engagementScore', jsonb_build_object('tenant', tenant), avg(value)
          FROM factor JOIN customer USING (id) WHERE factor = 'engagement' GROUP BY tenant
UNION ALL SELECT 'goalCompletionRate', jsonb_build_object('tenant', tenant, 'window', '90d'), avg((status = 'achieved')::int)
          FROM goal_due WHERE "window" = '90d' GROUP BY tenant
UNION ALL SELECT 'renewalRate', jsonb_build_object('tenant', tenant, 'kind', 'logo', 'window', '90d'), avg((result = 'renewed')::int)
          FROM due WHERE "window" = '90d' GROUP BY tenant
UNION ALL SELECT 'renewalRate', jsonb_build_object('tenant', tenant, 'kind', k, 'window', '90d'),
                 sum(CASE k WHEN 'net' THEN renewed ELSE LEAST(arr, renewed) END) / sum(arr)
          FROM due, unnest(ARRAY['gross', 'net']) k WHERE "window" = '90d' AND arr IS NOT NULL AND renewed IS NOT NULL GROUP BY tenant, k;

-- Over time, and single accounts
INSERT INTO answer
SELECT 'compare', jsonb_build_object('tenant', p.tenant), avg(s.score) FROM past s JOIN picture p USING (id) WHERE s.days = 30 AND NOT s.churned GROUP BY p.tenant
UNION ALL SELECT 'health change', jsonb_build_object('tenant', tenant), avg(change) FROM both_ends WHERE "window" = '30d' GROUP BY tenant
UNION ALL SELECT 'newly at risk', jsonb_build_object('tenant', c.tenant), count(*) FILTER (WHERE b.at_risk AND NOT a.at_risk)
          FROM customer c JOIN watch a ON a.id = c.id AND a.days = 30 JOIN watch b ON b.id = c.id AND b.days = 0 GROUP BY c.tenant
UNION ALL SELECT 'account', jsonb_build_object('tenant', tenant, 'account', id), score FROM scored WHERE id = :'account'
UNION ALL SELECT 'at risk', jsonb_build_object('tenant', tenant, 'account', id), score
          FROM scored JOIN (SELECT id, risk FROM at_stake) r USING (id) WHERE risk > 70
UNION ALL SELECT 'threshold', jsonb_build_object('tenant', tenant, 'account', id), risk FROM at_stake WHERE risk >= 50;
