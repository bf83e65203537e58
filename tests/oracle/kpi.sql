-- SPDX-License-Identifier: MIT
-- Customer success: adoption, goals, renewals and onboarding. After health.sql.
INSERT INTO answer SELECT 'adoption_accounts', cell, (SELECT count(*) FROM customer c WHERE c.cell = cell.cell) FROM cell;
CREATE TEMP TABLE adoption AS SELECT c.*, u.people FROM customer c LEFT JOIN active_users u USING (id);
INSERT INTO answer
SELECT 'adoption_active_users', cell, (SELECT COALESCE(sum(people), 0) FROM adoption a WHERE a.cell = cell.cell AND seats > 0) FROM cell
UNION ALL SELECT 'adoption_seats', cell, (SELECT COALESCE(sum(seats), 0) FROM adoption a WHERE a.cell = cell.cell AND seats > 0 AND people IS NOT NULL) FROM cell
UNION ALL SELECT 'adoption_active_accounts', cell, (SELECT count(*) FROM adoption a WHERE a.cell = cell.cell AND people > 0) FROM cell
UNION ALL SELECT 'adoption_ratio', jsonb_build_object('tenant', tenant, 'kind', 'seats'), sum(people) / sum(seats)
          FROM adoption WHERE seats > 0 AND people IS NOT NULL GROUP BY tenant
UNION ALL SELECT 'adoption_ratio', jsonb_build_object('tenant', tenant, 'kind', 'accounts'), count(*) FILTER (WHERE people > 0)::numeric / count(*)
          FROM adoption GROUP BY tenant HAVING count(people) > 0
UNION ALL SELECT 'adoption_ratio', jsonb_build_object('tenant', tenant, 'kind', 'features'), avg(value) / 100
          FROM input JOIN customer USING (id) WHERE input = 'feature_adoption' GROUP BY tenant
UNION ALL SELECT 'engagement_score_average', jsonb_build_object('tenant', tenant), avg(value)
          FROM factor JOIN customer USING (id) WHERE factor = 'engagement' GROUP BY tenant;

-- Goals. What has been achieved or missed after t is open at t: a recorded miss is a fact from 00:00 of its day on; what nobody has judged is
-- past when its day is over.
CREATE TEMP TABLE goal AS
SELECT p.tenant, p.cell, p.churned, g.target_date::timestamptz AS target, g.completion_date AS reached_on, g.target_date AS target_on,
       CASE WHEN g.status = 'achieved' AND (g.completion_date::timestamptz <= t) IS NOT FALSE THEN 'achieved'
            WHEN g.status = 'missed' AND (g.target_date::timestamptz <= t) IS NOT FALSE THEN 'missed'
            WHEN g.status IS NULL THEN CASE WHEN past THEN 'overdue' ELSE 'unknown' END
            WHEN past THEN 'overdue'
            WHEN g.status = 'at_risk' THEN 'at_risk'
            ELSE 'on_track' END AS status
FROM public.customer_goals g JOIN picture p ON p.id = g.account_id, instant
CROSS JOIN LATERAL (SELECT (g.target_date + 1)::timestamptz <= t AS past) x
WHERE g.created_at <= t;
INSERT INTO answer
SELECT 'goals', cell || jsonb_build_object('status', status), COALESCE(n, 0)
FROM cell CROSS JOIN unnest(ARRAY['on_track', 'at_risk', 'achieved', 'missed', 'overdue', 'unknown']) s (status)
LEFT JOIN (SELECT cell, status, count(*) AS n FROM goal WHERE NOT churned GROUP BY cell, status) g USING (cell, status);

CREATE TEMP TABLE goal_due AS
SELECT tenant, cell, name AS "window", status FROM goal JOIN "window" w ON target > w.start AND target <= w.t
WHERE status IN ('achieved', 'missed', 'overdue');
INSERT INTO answer
SELECT 'goals_due', cell || jsonb_build_object('result', status, 'window', "window"), COALESCE(n, 0)
FROM cell CROSS JOIN unnest(ARRAY['achieved', 'missed', 'overdue']) r (status) CROSS JOIN unnest(ARRAY['30d', '90d', '1y']) w ("window")
LEFT JOIN (SELECT cell, status, "window", count(*) AS n FROM goal_due GROUP BY cell, status, "window") g USING (cell, status, "window");
INSERT INTO answer
SELECT 'goal_completion_ratio', jsonb_build_object('tenant', tenant, 'window', "window"), avg((status = 'achieved')::int)
FROM goal_due WHERE "window" <> '7d' GROUP BY tenant, "window";

-- Renewals: contracts by when they end, and by what had been decided by t.
CREATE TEMP TABLE term AS
SELECT p.tenant, p.cell, p.churned, COALESCE(k.currency, p.currency) AS currency, k.arr, k.starts_on::timestamptz AS starts, k.ends_on::timestamptz AS ends,
       CASE WHEN decided_at <= t THEN outcome ELSE 'undecided' END AS result,
       CASE WHEN decided_at <= t AND outcome = 'renewed' THEN k.renewed_arr ELSE 0 END AS renewed
FROM crm_ext.contract k JOIN picture p ON p.id = k.account_id, instant WHERE k.starts_on::timestamptz <= t;
CREATE TEMP TABLE due AS SELECT d.*, name AS "window" FROM term d JOIN "window" w ON ends > w.start AND ends <= w.t WHERE name <> '7d';
CREATE TEMP TABLE upcoming AS
SELECT d.*, h.name AS horizon FROM term d, instant, (VALUES ('30d', 720), ('60d', 1440), ('90d', 2160)) h (name, hours)
WHERE NOT churned AND ends > t AND ends <= t + make_interval(hours => h.hours);

INSERT INTO answer
SELECT 'renewals_due', cell || jsonb_build_object('result', result, 'window', "window"), COALESCE(n, 0)
FROM cell CROSS JOIN unnest(ARRAY['renewed', 'lost', 'undecided']) r (result) CROSS JOIN unnest(ARRAY['30d', '90d', '1y']) w ("window")
LEFT JOIN (SELECT cell, result, "window", count(*) AS n FROM due GROUP BY cell, result, "window") d USING (cell, result, "window");
INSERT INTO answer
SELECT 'renewals_upcoming', cell || jsonb_build_object('result', r, 'horizon', h),
       (SELECT count(*) FROM upcoming d WHERE d.cell = c.cell AND d.result = r AND d.horizon = h)
FROM cell c, unnest(ARRAY['renewed', 'lost', 'undecided']) r, unnest(ARRAY['30d', '60d', '90d']) h;
INSERT INTO answer
SELECT 'renewal_arr_due', cell || jsonb_build_object('currency', currency, 'result', result, 'window', "window"), COALESCE(total, 0)
FROM cell_currency CROSS JOIN unnest(ARRAY['renewed', 'lost', 'undecided']) r (result) CROSS JOIN unnest(ARRAY['30d', '90d', '1y']) w ("window")
LEFT JOIN (SELECT cell, currency, result, "window", sum(arr) AS total FROM due GROUP BY cell, currency, result, "window") d
  USING (cell, currency, result, "window");
INSERT INTO answer
SELECT 'renewal_arr_upcoming', cell || jsonb_build_object('currency', currency, 'result', r, 'horizon', h),
       (SELECT COALESCE(sum(arr), 0) FROM upcoming d WHERE d.cell = c.cell AND d.currency = c.currency AND d.result = r AND d.horizon = h)
FROM cell_currency c, unnest(ARRAY['renewed', 'lost', 'undecided']) r, unnest(ARRAY['30d', '60d', '90d']) h;
INSERT INTO answer
SELECT f.family, c.cell || jsonb_build_object('currency', c.currency, 'window', w),
       COALESCE(sum(CASE f.family WHEN 'renewal_arr_base' THEN arr WHEN 'renewal_arr_renewed' THEN renewed ELSE LEAST(arr, renewed) END), 0)
FROM unnest(ARRAY['renewal_arr_base', 'renewal_arr_renewed', 'renewal_arr_renewed_gross']) f (family), unnest(ARRAY['30d', '90d', '1y']) w CROSS JOIN
     cell_currency c LEFT JOIN due d ON d.cell = c.cell AND d.currency = c.currency AND d."window" = w AND arr IS NOT NULL AND renewed IS NOT NULL
GROUP BY f.family, c.cell, c.currency, w;
INSERT INTO answer
SELECT 'renewal_ratio', jsonb_build_object('tenant', tenant, 'kind', 'logo', 'window', "window"), avg((result = 'renewed')::int)
FROM due GROUP BY tenant, "window";
INSERT INTO answer
SELECT 'renewal_ratio', jsonb_build_object('tenant', tenant, 'kind', k, 'window', "window"),
       sum(CASE k WHEN 'net' THEN renewed ELSE LEAST(arr, renewed) END) / sum(arr)
FROM due, unnest(ARRAY['gross', 'net']) k WHERE arr IS NOT NULL AND renewed IS NOT NULL
GROUP BY tenant, "window", k HAVING sum(arr) > 0 AND count(DISTINCT currency) = 1;

-- Onboarding: one plan per account.
CREATE TEMP TABLE onboarding AS
SELECT p.cell, CASE WHEN o.status = 'completed' AND (o.actual_completion_date::timestamptz <= t) IS NOT FALSE THEN 'completed'
                    WHEN o.actual_completion_date::timestamptz <= t THEN 'completed'
                    WHEN o.status = 'cancelled' THEN 'cancelled'
                    WHEN (o.target_completion_date + 1)::timestamptz <= t THEN 'overdue'
                    ELSE 'in_progress' END AS state
FROM public.onboarding_plans o JOIN customer p ON p.id = o.account_id, instant WHERE o.started_at <= t;
INSERT INTO answer
SELECT 'onboarding_accounts', cell || jsonb_build_object('state', s), (SELECT count(*) FROM onboarding o WHERE o.cell = c.cell AND o.state = s)
FROM cell c, unnest(ARRAY['in_progress', 'overdue', 'completed']) s;
