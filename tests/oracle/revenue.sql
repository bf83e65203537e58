-- SPDX-License-Identifier: MIT
-- Recurring revenue, its movements between both ends of each window, and retention.
CREATE TEMP TABLE ends AS
SELECT p.id, p.tenant, p.cell, p.currency, w.name AS "window", pg_temp.arr_at(a, w.start) AS a, p.arr AS b,
       EXISTS (SELECT FROM level l WHERE l.id = p.id AND l.arr > 0 AND l.at < w.start AND (p.churn_at > l.at) IS NOT FALSE) AS ever
FROM picture p JOIN account a USING (id) CROSS JOIN "window" w;

-- One kind per account at most; zero is asked for before greater and less.
CREATE TEMP TABLE movement AS
SELECT *, CASE WHEN a IS NULL OR b IS NULL THEN 'adjustment'
               WHEN a = 0 AND b = 0 THEN 'none'
               WHEN a = 0 THEN CASE WHEN ever THEN 'reactivation' ELSE 'new' END
               WHEN b = 0 THEN 'churn'
               WHEN b > a THEN 'expansion'
               WHEN b < a THEN 'contraction'
               ELSE 'none' END AS kind,
       CASE WHEN a IS NULL OR b IS NULL THEN COALESCE(b, 0) - COALESCE(a, 0) ELSE abs(b - a) END AS amount
FROM ends;

INSERT INTO answer
SELECT f.family, cell || jsonb_build_object('currency', currency), COALESCE(sum(arr), 0) / f.by
FROM picture, (VALUES ('arr', 1), ('mrr', 12)) f (family, by)
GROUP BY f.family, f.by, cell, currency;

INSERT INTO answer
SELECT f.family, cell || jsonb_build_object('currency', currency, 'window', "window"),
       COALESCE(sum(CASE f.family WHEN 'arr_opening' THEN a
                                  WHEN 'arr_closing' THEN b
                                  WHEN 'arr_retained_net' THEN CASE WHEN a > 0 THEN b END
                                  WHEN 'arr_retained_gross' THEN CASE WHEN a > 0 AND b IS NOT NULL THEN LEAST(a, b) END
                                  WHEN 'arr_retention_base' THEN CASE WHEN a > 0 AND b IS NOT NULL THEN a END END), 0)
FROM ends, unnest(ARRAY['arr_opening', 'arr_closing', 'arr_retained_net', 'arr_retained_gross', 'arr_retention_base']) f (family)
GROUP BY f.family, cell, currency, "window";

INSERT INTO answer
SELECT 'arr_movement', cell || jsonb_build_object('currency', currency, 'window', "window", 'kind', k),
       COALESCE(sum(amount) FILTER (WHERE kind = k), 0)
FROM movement, unnest(ARRAY['new', 'expansion', 'contraction', 'churn', 'reactivation', 'adjustment']) k
GROUP BY cell, currency, "window", k;

-- Closing less opening is what moved: an identity of the movements above, and not of this query.
INSERT INTO answer
SELECT 'arr_identity_residual', jsonb_build_object('tenant', tenant, 'currency', currency, 'window', "window"),
       COALESCE(sum(b), 0) - COALESCE(sum(a), 0)
         - sum(CASE WHEN kind IN ('new', 'expansion', 'reactivation', 'adjustment') THEN amount
                    WHEN kind IN ('contraction', 'churn') THEN -amount ELSE 0 END)
FROM movement GROUP BY tenant, currency, "window";

INSERT INTO answer
SELECT r.family, jsonb_build_object('tenant', tenant, 'currency', currency, 'window', "window"),
       sum(CASE r.family WHEN 'net_revenue_retention_ratio' THEN b ELSE LEAST(a, b) END) / sum(a)
FROM ends, unnest(ARRAY['net_revenue_retention_ratio', 'gross_revenue_retention_ratio']) r (family)
WHERE a > 0 AND b IS NOT NULL
GROUP BY r.family, tenant, currency, "window";

INSERT INTO answer
SELECT 'account_arr', jsonb_build_object('tenant', tenant, 'account', id, 'currency', currency), arr
FROM picture WHERE NOT churned AND arr IS NOT NULL;

-- Ratios of the window as a whole: unknown revenue is in neither end.
CREATE TEMP TABLE flow AS
SELECT tenant, currency, "window", COALESCE(sum(a), 0) AS opening, COALESCE(sum(b), 0) AS closing,
       COALESCE(sum(amount) FILTER (WHERE kind IN ('new', 'expansion', 'reactivation')), 0) AS gained,
       COALESCE(sum(amount) FILTER (WHERE kind IN ('contraction', 'churn')), 0) AS lost
FROM movement GROUP BY tenant, currency, "window";
INSERT INTO answer
SELECT f.family, jsonb_build_object('tenant', tenant, 'currency', currency, 'window', "window"), above / below
FROM flow CROSS JOIN LATERAL (VALUES ('arr_growth_ratio', closing - opening, opening), ('quick_ratio', gained, lost),
                                     ('revenue_churn_ratio', lost, opening)) f (family, above, below)
WHERE below > 0;

-- Customers: who pays at both ends, by the same kinds.
INSERT INTO answer
SELECT f.family, cell || jsonb_build_object('window', "window"),
       CASE f.family WHEN 'accounts_opening' THEN count(*) FILTER (WHERE a > 0)
                     WHEN 'accounts_closing' THEN count(*) FILTER (WHERE b > 0)
                     WHEN 'accounts_won' THEN count(*) FILTER (WHERE kind = 'new')
                     WHEN 'accounts_reactivated' THEN count(*) FILTER (WHERE kind = 'reactivation')
                     WHEN 'accounts_lost' THEN count(*) FILTER (WHERE kind = 'churn')
                     ELSE count(*) FILTER (WHERE a IS NULL AND b > 0) - count(*) FILTER (WHERE a > 0 AND b IS NULL) END
FROM movement, unnest(ARRAY['accounts_opening', 'accounts_closing', 'accounts_won', 'accounts_reactivated', 'accounts_lost', 'accounts_adjusted']) f (family)
GROUP BY f.family, cell, "window";
INSERT INTO answer
SELECT 'logo_churn_ratio', jsonb_build_object('tenant', tenant, 'window', "window"), avg((kind = 'churn')::int)
FROM movement WHERE a > 0 GROUP BY tenant, "window";
