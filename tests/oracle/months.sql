-- SPDX-License-Identifier: MIT
-- Calendar months of the zone, cohorts, and what a customer is worth. After revenue.sql. A month ends with the last microsecond before the next
-- one begins, the running one with t.
CREATE TEMP TABLE month AS
SELECT to_char(m, 'YYYY-MM') AS name, nr, m - interval '1 microsecond' AS opens, LEAST(m + interval '1 month' - interval '1 microsecond', t) AS closes
FROM instant, generate_series(0, 24) nr, LATERAL (SELECT date_trunc('month', t) - make_interval(months => nr)) x (m);
CREATE TEMP TABLE month_end AS
SELECT p.id, p.tenant, p.currency, m.nr, pg_temp.arr_at(a, m.opens) AS a, pg_temp.arr_at(a, m.closes) AS b,
       EXISTS (SELECT FROM level l WHERE l.id = p.id AND l.arr > 0 AND l.at < m.opens AND (p.churn_at > l.at) IS NOT FALSE) AS ever
FROM picture p JOIN account a USING (id) CROSS JOIN month m WHERE m.nr <= 12;
CREATE TEMP TABLE month_movement AS
SELECT *, CASE WHEN a IS NULL OR b IS NULL THEN 'adjustment' WHEN a = 0 AND b = 0 THEN 'none' WHEN a = 0 THEN CASE WHEN ever THEN 'reactivation' ELSE 'new' END
               WHEN b = 0 THEN 'churn' WHEN b > a THEN 'expansion' WHEN b < a THEN 'contraction' ELSE 'none' END AS kind
FROM month_end;
CREATE TEMP TABLE month_sum AS
SELECT tenant, currency, nr, COALESCE(sum(a), 0) AS a, COALESCE(sum(b), 0) AS b, count(*) FILTER (WHERE a > 0) AS paid_before, count(*) FILTER (WHERE b > 0) AS pay,
       count(*) FILTER (WHERE kind = 'churn') AS lost
FROM month_movement GROUP BY tenant, currency, nr;

INSERT INTO answer
SELECT f.family, jsonb_build_object('tenant', tenant, 'currency', currency, 'month', m.name), f.value
FROM month_sum JOIN month m USING (nr)
CROSS JOIN LATERAL (VALUES ('arr_month_opening', a), ('arr_month_closing', b),
                           ('accounts_month_opening', paid_before), ('accounts_month_closing', pay)) f (family, value);
INSERT INTO answer
SELECT 'arr_month_movement', jsonb_build_object('tenant', tenant, 'currency', currency, 'month', m.name, 'kind', k),
       COALESCE(sum(CASE WHEN kind = 'adjustment' THEN COALESCE(b, 0) - COALESCE(a, 0) ELSE abs(b - a) END) FILTER (WHERE kind = k), 0)
FROM month_movement JOIN month m USING (nr), unnest(ARRAY['new', 'expansion', 'contraction', 'churn', 'reactivation', 'adjustment']) k
GROUP BY tenant, currency, m.name, k;
INSERT INTO answer
SELECT 'accounts_month_movement', jsonb_build_object('tenant', tenant, 'currency', currency, 'month', m.name, 'kind', k),
       CASE k WHEN 'won' THEN count(*) FILTER (WHERE kind = 'new')
              WHEN 'lost' THEN count(*) FILTER (WHERE kind = 'churn')
              WHEN 'reactivated' THEN count(*) FILTER (WHERE kind = 'reactivation')
              ELSE count(*) FILTER (WHERE a IS NULL AND b > 0) - count(*) FILTER (WHERE a > 0 AND b IS NULL) END
FROM month_movement JOIN month m USING (nr), unnest(ARRAY['won', 'lost', 'reactivated', 'adjusted']) k
GROUP BY tenant, currency, m.name, k;

-- Cohorts: by the month of the first revenue that is known, for 24 months.
CREATE TEMP TABLE cohort AS
SELECT p.id, p.tenant, p.currency, to_char(min(l.at), 'YYYY-MM') AS name
FROM picture p JOIN level l ON l.id = p.id AND l.arr > 0 AND (p.churn_at > l.at) IS NOT FALSE GROUP BY p.id, p.tenant, p.currency;
CREATE TEMP TABLE cohort_month AS
SELECT c.tenant, c.currency, c.name, f.nr - m.nr AS age, pg_temp.arr_at(a, m.closes) AS arr
FROM cohort c JOIN account a USING (id) JOIN month f ON f.name = c.name AND f.nr < 24 JOIN month m ON m.nr <= f.nr;
INSERT INTO answer
SELECT f.family, jsonb_build_object('tenant', tenant, 'currency', currency, 'cohort', name, 'age', age::text),
       CASE f.family WHEN 'cohort_arr' THEN COALESCE(sum(arr), 0) ELSE count(*) FILTER (WHERE arr > 0) END
FROM cohort_month c, unnest(ARRAY['cohort_arr', 'cohort_accounts']) f (family)
WHERE EXISTS (SELECT FROM cohort_month x WHERE x.tenant = c.tenant AND x.currency = c.currency AND x.name = c.name AND x.arr > 0)
GROUP BY f.family, tenant, currency, name, age;

-- Revenue per account by the share of customers that a month loses, for 60 months at most.
CREATE TEMP TABLE per_account AS
SELECT tenant, currency, sum(arr) / 12 / count(*) AS arpa FROM picture WHERE arr > 0 GROUP BY tenant, currency;
INSERT INTO answer SELECT 'revenue_per_account', jsonb_build_object('tenant', tenant, 'currency', currency), arpa FROM per_account;
INSERT INTO answer
SELECT 'customer_lifetime_value', jsonb_build_object('tenant', tenant, 'currency', currency), arpa * LEAST(60, 1 / churn)
FROM per_account JOIN (SELECT tenant, currency, avg(lost::numeric / paid_before) AS churn
                       FROM month_sum WHERE nr BETWEEN 1 AND 6 AND paid_before > 0 GROUP BY tenant, currency) m USING (tenant, currency)
WHERE churn > 0;
INSERT INTO answer
SELECT 'arr_accounts', cell || jsonb_build_object('currency', currency), count(*) FILTER (WHERE arr > 0) FROM picture GROUP BY cell, currency;
