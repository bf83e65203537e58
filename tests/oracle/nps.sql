-- SPDX-License-Identifier: MIT
-- The net promoter score. The application does not keep who answered, so every answer counts, also those of customers who have left.
-- One without a date is of the day on which it was entered.
CREATE TEMP TABLE vote AS
SELECT p.tenant, p.cell, w.name AS "window",
       CASE WHEN n.score >= 9 THEN 'promoter' WHEN n.score >= 7 THEN 'passive' ELSE 'detractor' END AS category
FROM public.nps_surveys n JOIN picture p ON p.id = n.account_id
JOIN "window" w ON COALESCE(n.survey_date, n.created_at::date)::timestamptz > w.start AND COALESCE(n.survey_date, n.created_at::date)::timestamptz <= w.t;

INSERT INTO answer
SELECT 'nps_responses', cell || jsonb_build_object('category', k, 'window', w),
       (SELECT count(*) FROM vote v WHERE v.cell = c.cell AND v.category = k AND v."window" = w)
FROM cell c, unnest(ARRAY['promoter', 'passive', 'detractor']) k, unnest(ARRAY['30d', '90d', '1y']) w;

CREATE TEMP VIEW share AS
SELECT tenant, count(*) AS n, avg((category = 'promoter')::int) AS p, avg((category = 'detractor')::int) AS d
FROM vote WHERE "window" = '90d' GROUP BY tenant;
INSERT INTO answer SELECT 'nps', jsonb_build_object('tenant', tenant), 100 * (p - d) FROM share;
INSERT INTO answer SELECT 'nps_standard_error', jsonb_build_object('tenant', tenant), 100 * sqrt((p + d - (p - d) ^ 2) / n) FROM share;
