-- SPDX-License-Identifier: MIT
-- The churn risk of the accounts that have not churned: 12 indicators from 0 to 1, 4 factors, one score. After health.sql.
CREATE TEMP TABLE indicator (id uuid, factor text, indicator text, value numeric);

-- Health decline: the last 30 days against the 30 before.
INSERT INTO indicator
SELECT id, 'health_decline', name, GREATEST(0, LEAST(1, (before - now) / before))
FROM (SELECT account_id AS id, x.name,
             avg(x.figure) FILTER (WHERE pg_temp.within(metric_date::timestamptz, 720)) AS now,
             avg(x.figure) FILTER (WHERE NOT pg_temp.within(metric_date::timestamptz, 720)) AS before
      FROM public.health_metrics JOIN customer c ON c.id = account_id
      CROSS JOIN LATERAL (VALUES ('declining_login_frequency', login_frequency::numeric),
                                 ('reduced_feature_usage', feature_adoption_score::numeric)) x (name, figure)
      WHERE pg_temp.within(metric_date::timestamptz, 1440)
      GROUP BY account_id, x.name) m
WHERE before > 0 AND now IS NOT NULL;

INSERT INTO indicator
SELECT id, 'health_decline', 'support_escalations', LEAST(1, sum(escalated)::numeric / sum(fresh)) FROM desk GROUP BY id HAVING sum(fresh) > 0;

-- Engagement reduction
-- A meeting whose hour has passed and that has not been held is missed, as far as can be seen at t.
INSERT INTO indicator
SELECT account_id, 'engagement_reduction', 'missed_meetings', avg((NOT was_held)::int)
FROM (SELECT e.account_id, e.completed_at IS NOT NULL AND e.completed_at <= t AS was_held, e.completed_at, e.scheduled_at, t
      FROM public.engagements e JOIN customer c ON c.id = e.account_id, instant
      WHERE e.type IN ('meeting', 'call', 'demo', 'training')) m
WHERE CASE WHEN was_held THEN pg_temp.within(completed_at, 1440) ELSE pg_temp.within(scheduled_at, 1440) AND scheduled_at < t END
GROUP BY account_id;

-- Completed engagements with a known response; where there is none, support days by their new tickets.
INSERT INTO indicator
SELECT id, 'engagement_reduction', 'delayed_responses', COALESCE(e.share, s.share)
FROM (SELECT account_id AS id, avg((response_seconds > 86400)::int) AS share
      FROM held h JOIN crm_ext.engagement_response r ON r.engagement_id = h.id WHERE pg_temp.within(completed_at, 2160) GROUP BY account_id) e
FULL JOIN (SELECT id, sum(CASE WHEN first_hours > 24 THEN fresh ELSE 0 END) / sum(fresh) AS share
           FROM desk_day JOIN customer USING (id) WHERE first_hours IS NOT NULL AND fresh > 0 GROUP BY id) s USING (id);

INSERT INTO indicator
SELECT account_id, 'engagement_reduction', 'negative_outcomes', avg((outcome = 'negative')::int)
FROM held WHERE outcome IS NOT NULL AND pg_temp.within(completed_at, 2160) GROUP BY account_id;

-- Business risk
INSERT INTO indicator
SELECT id, 'business_risk', 'contract_approaching_renewal',
       CASE WHEN outcome = 'renewed' AND decided_at <= t THEN 0
            WHEN ends <= t THEN 1
            ELSE GREATEST(0, 1 - extract(epoch FROM ends - t)::numeric / 86400 / 90) END
FROM contract_now, instant WHERE ends IS NOT NULL;

INSERT INTO indicator SELECT account_id, 'business_risk', 'payment_delays', avg((NOT in_time)::int) FROM bill GROUP BY account_id;

-- Signals that people noticed.
INSERT INTO indicator
SELECT c.id, k.factor, k.indicator, LEAST(1, COALESCE(sum(COALESCE(s.weight, 1)) FILTER (WHERE s.id IS NOT NULL), 0))
FROM customer c CROSS JOIN (VALUES ('business_risk', 'budget_constraints'), ('competitive_threats', 'competitor_mentions'),
                                   ('competitive_threats', 'feature_requests'), ('competitive_threats', 'pricing_discussions')) k (factor, indicator)
LEFT JOIN crm_ext.signal s ON s.account_id = c.id AND s.kind = k.indicator AND pg_temp.within(s.observed_at, 2160)
GROUP BY c.id, k.factor, k.indicator;

CREATE TEMP TABLE risk_weight AS
SELECT * FROM (VALUES ('health_decline', 0.30), ('engagement_reduction', 0.25), ('business_risk', 0.25), ('competitive_threats', 0.20)) w (factor, weight);
CREATE TEMP TABLE risk_factor AS SELECT id, factor, 100 * avg(value) AS value FROM indicator GROUP BY id, factor;
CREATE TEMP TABLE at_stake AS
SELECT c.*, r.risk, CASE WHEN risk IS NULL THEN 'unscored' WHEN risk < 25 THEN 'low' WHEN risk < 50 THEN 'medium' WHEN risk <= 70 THEN 'high'
                         ELSE 'critical' END AS band
FROM customer c LEFT JOIN (
  SELECT id, round(sum(weight * value) / sum(weight), 9) AS risk
  FROM risk_factor JOIN risk_weight USING (factor) GROUP BY id HAVING sum(weight) >= 0.5) r USING (id);
