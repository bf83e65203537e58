-- SPDX-License-Identifier: MIT
-- The book: who holds how much of the revenue, what contracts secure, what may be sold, and what success brought. After revenue.sql.
INSERT INTO answer
SELECT 'arr_concentration_ratio', jsonb_build_object('tenant', tenant, 'currency', currency, 'top', n::text), sum(arr) FILTER (WHERE place <= n) / sum(arr)
FROM (SELECT tenant, currency, arr, row_number() OVER (PARTITION BY tenant, currency ORDER BY arr DESC) AS place FROM picture WHERE arr > 0) p,
     unnest(ARRAY[1, 5, 10, 20]) n
GROUP BY tenant, currency, n;

-- Contracts in force, of those who pay.
CREATE TEMP TABLE in_force AS
SELECT p.id, p.tenant, p.cell, p.currency, k.arr, k.ends_on::timestamptz AS ends, COALESCE(k.decided_at <= t AND k.outcome = 'renewed', false) AS renewed,
       COALESCE(CASE WHEN k.decided_at <= t AND k.outcome = 'lost' THEN false ELSE COALESCE(k.auto_renew, p.auto_renew) END, false) AS renews
FROM crm_ext.contract k JOIN picture p ON p.id = k.account_id, instant
WHERE p.arr > 0 AND k.starts_on::timestamptz <= t AND (k.ends_on::timestamptz > t) IS NOT FALSE;
INSERT INTO answer
SELECT 'contracts_in_force', cell || jsonb_build_object('currency', currency), (SELECT count(*) FROM in_force f WHERE f.cell = c.cell AND f.currency = c.currency)
FROM cell_currency c;
INSERT INTO answer
SELECT 'average_contract_value', jsonb_build_object('tenant', tenant, 'currency', currency),
       (SELECT sum(arr) FROM picture p WHERE p.tenant = f.tenant AND p.currency = f.currency) / count(*)
FROM in_force f GROUP BY tenant, currency;

-- What contracts known to end take with them, but for what the account's other contracts cover; a churn takes all if it is known by t.
CREATE TEMP TABLE secured AS
SELECT p.cell, p.currency, h.name AS horizon,
       CASE WHEN p.churned_at <= h.t AND p.churn_at <= h.until THEN 0
            ELSE p.arr - LEAST(CASE WHEN bool_or(ends_then AND f.arr IS NULL) THEN p.arr ELSE COALESCE(sum(f.arr) FILTER (WHERE ends_then), 0) END,
                               GREATEST(0, p.arr - COALESCE(sum(f.arr) FILTER (WHERE NOT ends_then), 0))) END AS arr
FROM picture p CROSS JOIN (SELECT name, t, t + make_interval(hours => hours) AS until FROM instant, (VALUES ('30d', 720), ('90d', 2160)) h (name, hours)) h
LEFT JOIN in_force f USING (id) CROSS JOIN LATERAL (SELECT COALESCE(f.ends <= h.until, false) AND NOT f.renewed AND NOT f.renews AS ends_then) x
WHERE p.arr > 0 GROUP BY p.id, p.cell, p.currency, p.arr, p.churn_at, p.churned_at, h.name, h.t, h.until;
INSERT INTO answer
SELECT 'arr_committed', cell || jsonb_build_object('currency', currency, 'horizon', h),
       (SELECT COALESCE(sum(arr), 0) FROM secured s WHERE s.cell = c.cell AND s.currency = c.currency AND s.horizon = h)
FROM cell_currency c, unnest(ARRAY['30d', '90d']) h;

-- Opportunities: open at t, or closed within the window. What was closed later was still open.
CREATE TEMP TABLE deal AS
SELECT p.cell, COALESCE(o.currency, p.currency) AS currency, o.kind, o.amount, w.name AS "window", s.stage
FROM crm_ext.opportunity o JOIN picture p ON p.id = o.account_id CROSS JOIN "window" w
CROSS JOIN LATERAL (SELECT CASE WHEN o.stage = 'open' OR o.closed_at > w.t THEN 'open' WHEN o.closed_at > w.start THEN o.stage END) s (stage)
WHERE o.opened_at <= w.t AND s.stage IS NOT NULL;
INSERT INTO answer
SELECT f.family, cell || jsonb_build_object('currency', currency, 'kind', kind, 'opportunity_stage', stage, 'window', "window"),
       COALESCE(CASE f.family WHEN 'opportunities' THEN n ELSE total END, 0)
FROM unnest(ARRAY['opportunities', 'opportunity_arr']) f (family) CROSS JOIN cell_currency CROSS JOIN (SELECT name AS "window" FROM "window") w
CROSS JOIN unnest(ARRAY['upsell', 'cross_sell', 'expansion', 'renewal', 'new']) k (kind) CROSS JOIN unnest(ARRAY['open', 'won', 'lost']) s (stage)
LEFT JOIN (SELECT cell, currency, kind, stage, "window", count(*) AS n, sum(amount) AS total FROM deal GROUP BY cell, currency, kind, stage, "window") d
  USING (cell, currency, kind, stage, "window");

-- Expansion that came in the 90 days after a goal was reached or an engagement went well. A rise is a level above the one before.
CREATE TEMP TABLE rise AS
SELECT id, at FROM (SELECT id, at, arr, lag(arr) OVER (PARTITION BY id ORDER BY at) AS before FROM level) l WHERE arr > before;
CREATE TEMP TABLE driven AS
SELECT m.tenant, m.cell, m.currency, m.amount,
       EXISTS (SELECT FROM rise r JOIN "window" w ON w.name = '1y' WHERE r.id = m.id AND r.at > w.start AND r.at <= w.t AND (
         EXISTS (SELECT FROM public.customer_goals g WHERE g.account_id = r.id AND g.status = 'achieved' AND g.created_at <= w.t
                   AND g.completion_date::timestamptz <= r.at AND g.completion_date::timestamptz > r.at - interval '2160 hours')
         OR EXISTS (SELECT FROM public.engagements e WHERE e.account_id = r.id AND e.outcome = 'positive' AND e.type <> 'note'
                      AND e.completed_at <= r.at AND e.completed_at > r.at - interval '2160 hours'))) AS by_success
FROM movement m WHERE m.kind = 'expansion' AND m."window" = '1y';
INSERT INTO answer
SELECT 'success_driven_expansion_arr', cell || jsonb_build_object('currency', currency, 'window', '1y'),
       (SELECT COALESCE(sum(amount) FILTER (WHERE by_success), 0) FROM driven d WHERE d.cell = c.cell AND d.currency = c.currency)
FROM cell_currency c;
INSERT INTO answer
SELECT 'success_driven_expansion_ratio', jsonb_build_object('tenant', tenant, 'currency', currency, 'window', '1y'),
       COALESCE(sum(amount) FILTER (WHERE by_success), 0) / sum(amount)
FROM driven GROUP BY tenant, currency;
