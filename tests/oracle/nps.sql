-- SPDX-License-Identifier: MIT
-- The net promoter score. The application does not keep who answered, so every answer counts, also those of customers who have left.
-- One without a date is of the day on which it was entered.
CREATE TEMP TABLE vote AS
SELECT p.tenant, p.cell, w.name AS "window",
       CASE WHEN n.score >= 9 THEN 'promoter' WHEN n.score >= 7 THEN 'passive' ELSE 'detractor' END AS category
FROM public.nps_surveys n JOIN picture p ON p.id = n.account_id
JOIN "window" w ON COALESCE(n.survey_date, n.created_at::date)::timestamptz > w.start AND COALESCE(n.survey_date, n.created_at::date)::timestamptz <= w.t;

INSERT INTO answer
SELECT 'nps_responses', cell || jsonb_build_object('category', category, 'window', "window"), COALESCE(n, 0)
FROM cell CROSS JOIN unnest(ARRAY['promoter', 'passive', 'detractor']) k (category) CROSS JOIN unnest(ARRAY['30d', '90d', '1y']) w ("window")
LEFT JOIN (SELECT cell, category, "window", count(*) AS n FROM vote GROUP BY cell, category, "window") v USING (cell, category, "window");

CREATE TEMP VIEW share AS
SELECT tenant, count(*) AS n, avg((category = 'promoter')::int) AS p, avg((category = 'detractor')::int) AS d
FROM vote WHERE "window" = '90d' GROUP BY tenant;
INSERT INTO answer SELECT 'nps', jsonb_build_object('tenant', tenant), 100 * (p - d) FROM share;
INSERT INTO answer SELECT 'nps_standard_error', jsonb_build_object('tenant', tenant), 100 * sqrt((p + d - (p - d) ^ 2) / n) FROM share;
