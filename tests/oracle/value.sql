-- SPDX-License-Identifier: MIT
-- Time to value, by Kaplan and Meier: from the first contract, else the onboarding, else the creation of the account, to the first goal that
-- was reached, else to the end of the onboarding. After facts.sql.
CREATE TEMP TABLE wait AS
SELECT p.tenant, p.cell, p.churn_at, COALESCE(k.at, o.started_at, p.created_at) AS begins, COALESCE(g.at, o.done_at) AS value_at,
       LEAST(t, p.churn_at) AS until
FROM instant, picture p
LEFT JOIN (SELECT account_id AS id, min(starts_on::timestamptz) AS at FROM crm_ext.contract, instant
           WHERE starts_on::timestamptz <= t GROUP BY account_id) k USING (id)
LEFT JOIN (SELECT account_id AS id, min(completion_date::timestamptz) AS at FROM public.customer_goals, instant
           WHERE status = 'achieved' AND completion_date::timestamptz <= t GROUP BY account_id) g USING (id)
LEFT JOIN (SELECT account_id AS id, started_at, CASE WHEN actual_completion_date::timestamptz <= t THEN actual_completion_date::timestamptz END AS done_at
           FROM public.onboarding_plans, instant WHERE started_at <= t) o USING (id);
CREATE TEMP TABLE waited AS
SELECT tenant, cell, reached, GREATEST(0, extract(epoch FROM CASE WHEN reached THEN value_at ELSE until END - begins)) AS seconds
FROM (SELECT *, COALESCE(value_at <= until, false) AS reached FROM wait WHERE churn_at IS DISTINCT FROM '-infinity') w;
INSERT INTO answer
SELECT 'time_to_value_accounts', cell || jsonb_build_object('reached', r::text), (SELECT count(*) FROM waited w WHERE w.cell = cell.cell AND w.reached = r)
FROM cell, unnest(ARRAY[true, false]) r;

CREATE AGGREGATE pg_temp.product(numeric) (sfunc = numeric_mul, stype = numeric, initcond = '1');
CREATE TEMP TABLE waiting AS
SELECT tenant, seconds, round(pg_temp.product(1 - reached::numeric / there) OVER (PARTITION BY tenant ORDER BY seconds), 12) AS share
FROM (SELECT a.tenant, a.seconds, count(*) FILTER (WHERE reached) AS reached,
             (SELECT count(*) FROM waited b WHERE b.tenant = a.tenant AND b.seconds >= a.seconds) AS there
      FROM waited a GROUP BY a.tenant, a.seconds) s;
INSERT INTO answer
SELECT 'time_to_value_seconds', jsonb_build_object('tenant', tenant, 'quantile', q), min(seconds)
FROM waiting, unnest(ARRAY['0.5', '0.9']) q WHERE share <= 1 - q::numeric GROUP BY tenant, q;
