-- SPDX-License-Identifier: MIT
-- revenue: the level of recurring revenue from an instant on.
-- Reads public.account_growth_history, accounts and organizations.
-- Traps avoided:
--  * the history has a row per UPDATE with the new values, and none on INSERT. The level before the first row is known in two cases only:
--    - no row at all: the current value has held since the account was created;
--    - exactly one row: accounts.previous_* still hold the value before it.
--    With more rows it is lost; the percentages are rounded to two decimals and cannot give it back. Then there is no opening row, and the core
--    says "unknown" (an adjustment), not 0.
--  * NULL is not 0: a row without an amount says nothing about the level, so the one before it holds on.
--  * arr or mrr, whichever the account was tracked by at the time.
--  * recorded_at may be wrong by the writing session's time zone, and then lie before created_at: an opening row after it would undo it.
--  * churn by status alone leaves no row here; the core ends the revenue of churned accounts.
SELECT h.account_id,
       h.recorded_at AS at,
       h.arr,
       o.currency_code AS currency
FROM (SELECT account_id, recorded_at,
             CASE WHEN growth_tracking_method = 'mrr' THEN COALESCE(mrr * 12, arr) ELSE COALESCE(arr, mrr * 12) END AS arr
      FROM public.account_growth_history) h
JOIN public.accounts a ON a.id = h.account_id
JOIN public.organizations o ON o.id = a.organization_id
WHERE h.arr IS NOT NULL
UNION ALL
SELECT p.account_id,
       p.created_at AS at,
       p.arr,
       o.currency_code AS currency
FROM (SELECT a.id AS account_id, a.organization_id, a.created_at,
             CASE WHEN h.changes = 1 AND a.growth_tracking_method = 'mrr' THEN COALESCE(a.previous_mrr * 12, a.previous_arr)
                  WHEN h.changes = 1 THEN COALESCE(a.previous_arr, a.previous_mrr * 12)
                  WHEN a.growth_tracking_method = 'mrr' THEN COALESCE(a.mrr * 12, a.arr)
                  ELSE COALESCE(a.arr, a.mrr * 12) END AS arr
      FROM public.accounts a
      LEFT JOIN (SELECT account_id, count(*) AS changes, min(recorded_at) AS first_at
                 FROM public.account_growth_history
                 GROUP BY account_id) h ON h.account_id = a.id
      WHERE h.changes IS NULL OR (h.changes = 1 AND a.created_at < h.first_at)) p
JOIN public.organizations o ON o.id = p.organization_id
WHERE p.arr IS NOT NULL
