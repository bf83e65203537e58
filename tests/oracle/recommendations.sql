-- SPDX-License-Identifier: MIT
-- What the shipped rules recommend, as the manual lists them. After engagement.sql and churn_risk.sql.
CREATE TEMP TABLE term_of AS
SELECT c.tenant, c.cell, c.id, h.score AS health, r.risk, k.days_left, e.silent_days, p.champions, p.lost_champions, b.overdue, d.escalations, a.adoption, u.activity
FROM instant, customer c
LEFT JOIN health h USING (id)
LEFT JOIN at_stake r USING (id)
LEFT JOIN (SELECT k.id, extract(epoch FROM ends - t) / 86400 AS days_left FROM contract_now k, instant
           WHERE (outcome = 'renewed' AND decided_at <= t) IS NOT TRUE) k USING (id)
LEFT JOIN (SELECT x.id, extract(epoch FROM t - COALESCE(last_at, created_at)) / 86400 AS silent_days
           FROM contacted x JOIN customer USING (id), instant) e USING (id)
LEFT JOIN (SELECT account_id AS id, count(*) FILTER (WHERE contact_status = 'active') AS champions,
                  count(*) FILTER (WHERE contact_status IN ('left_company', 'inactive')) AS lost_champions
           FROM public.contacts, instant WHERE relationship_strength = 'champion' AND created_at <= t GROUP BY account_id) p USING (id)
LEFT JOIN (SELECT i.account_id AS id, count(*) AS overdue FROM crm_ext.invoice i JOIN "window" w ON w.name = '1y'
           WHERE i.status <> 'void' AND i.amount > 0 AND i.due_on::timestamptz > w.start AND (i.due_on + 1)::timestamptz <= w.t
             AND (i.paid_at <= w.t) IS NOT TRUE GROUP BY i.account_id) b USING (id)
LEFT JOIN (SELECT id, sum(escalated) AS escalations FROM desk GROUP BY id) d USING (id)
LEFT JOIN (SELECT id, value AS adoption FROM input WHERE input = 'feature_adoption') a USING (id)
LEFT JOIN (SELECT id, value AS activity FROM input WHERE input = 'user_activity') u USING (id);

CREATE TEMP TABLE advice AS
SELECT t.*, rule, action FROM term_of t
CROSS JOIN LATERAL (VALUES
  ('renewal_at_risk', 'executive_review', days_left <= 60 AND risk > 50),
  ('silent', 'schedule_check_in', silent_days >= 30),
  ('champion_lost', 'identify_champion', lost_champions >= 1 AND champions < 1),
  ('low_adoption', 'training', adoption < 40),
  ('payment_overdue', 'billing_follow_up', overdue >= 1),
  ('escalated', 'support_escalation_review', escalations > 0),
  ('seats_used_up', 'expansion_conversation', activity >= 90 AND health >= 80)) r (rule, action, holds)
WHERE holds;
INSERT INTO answer
SELECT 'account_recommendation', jsonb_build_object('tenant', tenant, 'account', id, 'action', action, 'reason', rule), 1 FROM advice;
INSERT INTO answer
SELECT 'recommendations', cell || jsonb_build_object('action', k), (SELECT count(DISTINCT id) FROM advice a WHERE a.cell = cell.cell AND a.action = k)
FROM cell, unnest(ARRAY['executive_review', 'schedule_check_in', 'identify_champion', 'training', 'billing_follow_up', 'support_escalation_review',
                        'expansion_conversation']) k;
