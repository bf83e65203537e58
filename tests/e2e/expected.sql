-- SPDX-License-Identifier: MIT
-- What the metrics of the demo CRM have to be at an instant, by the definitions and from the application's tables, past the mapping and
-- the plugin: psql -v at='2026-01-02 03:04:05.678+00' -f expected.sql prints tenant, type instance and value, with tabs between.
--
-- Rules used: facts after T are invisible; windows are (T-w, T]; a date stands at 00:00 UTC; NULL is unknown, not 0; a churn takes effect
-- at the end of the paid period, else on the recorded date, else with the level of zero; a churn without any date has always been one;
-- movements are the net between both ends of the window, per account; ratios without a denominator are absent.
\set ON_ERROR_STOP on
\pset format unaligned
\pset fieldsep '\t'
\pset tuples_only on
SET TimeZone = 'UTC';

CREATE TEMP TABLE instant AS SELECT :'at'::timestamptz AS t;

-- Names as they stand in identifiers: ASCII letters in lower case, what is neither letter, digit, '_' nor '-' becomes '_'.
CREATE FUNCTION pg_temp.flat(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT lower(regexp_replace(COALESCE(NULLIF($1, ''), 'none'), '[\x01-\x2c\x2e\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]', '_', 'g') COLLATE "C")
$$;

-- Revenue levels in major units a year. The history has no row for what an account was entered with: with no row at all that is the
-- current value, with one row the previous one, with more it is lost.
CREATE TEMP TABLE level AS
WITH history AS (
  SELECT account_id, recorded_at AS at,
         CASE growth_tracking_method WHEN 'mrr' THEN COALESCE(12 * mrr, arr) ELSE COALESCE(arr, 12 * mrr) END AS arr
  FROM public.account_growth_history
), entered AS (
  SELECT a.id AS account_id, a.created_at AS at,
         CASE WHEN n.rows = 0 THEN CASE growth_tracking_method WHEN 'mrr' THEN COALESCE(12 * mrr, arr) ELSE COALESCE(arr, 12 * mrr) END
              ELSE CASE growth_tracking_method WHEN 'mrr' THEN COALESCE(12 * previous_mrr, previous_arr)
                                               ELSE COALESCE(previous_arr, 12 * previous_mrr) END
         END AS arr
  FROM public.accounts a
  CROSS JOIN LATERAL (SELECT count(*) AS rows, min(recorded_at) AS first_at FROM public.account_growth_history h WHERE h.account_id = a.id) n
  WHERE n.rows = 0 OR (n.rows = 1 AND a.created_at < n.first_at)
)
SELECT l.* FROM (SELECT * FROM history UNION ALL SELECT * FROM entered) l, instant WHERE l.arr IS NOT NULL AND l.at <= instant.t;

-- Accounts that exist at T, with the instant from which they are churned ('-infinity': churned without any date).
CREATE TEMP TABLE account AS
SELECT a.id, a.organization_id, a.status, a.created_at,
       pg_temp.flat(o.name) AS tenant, o.currency_code AS currency,
       pg_temp.flat(a.size) AS segment, pg_temp.flat(u.full_name) AS account_owner,
       CASE WHEN a.status = 'churned' THEN COALESCE(paid.until, d.churned_at, lapsed.until, zero.at, '-infinity') END AS churn_at
FROM instant, public.accounts a
JOIN public.organizations o ON o.id = a.organization_id
LEFT JOIN public.user_profiles u ON u.id = COALESCE(a.csm_id, a.owner_id) AND u.organization_id = a.organization_id
LEFT JOIN crm_ext.account_detail d ON d.account_id = a.id
CROSS JOIN LATERAL ( -- the paid period in which it left
  SELECT max(ends_on)::timestamptz AS until FROM crm_ext.contract c
  WHERE c.account_id = a.id AND c.starts_on <= d.churned_at AND c.ends_on > d.churned_at) paid
CROSS JOIN LATERAL ( -- no recorded date: the end of the last contract, if all have one
  SELECT CASE WHEN bool_and(ends_on IS NOT NULL) THEN max(ends_on)::timestamptz END AS until FROM crm_ext.contract c
  WHERE c.account_id = a.id AND c.starts_on <= instant.t) lapsed
CROSS JOIN LATERAL ( -- the level of zero after which nothing comes
  SELECT min(l.at) AS at FROM level l
  WHERE l.account_id = a.id AND l.arr = 0
    AND l.at > (SELECT max(p.at) FROM level p WHERE p.account_id = a.id AND p.arr > 0)) zero
WHERE a.created_at <= instant.t;

-- Revenue at an instant up to T: NULL is unknown.
CREATE FUNCTION pg_temp.arr_at(account uuid, at timestamptz) RETURNS numeric STABLE LANGUAGE sql AS $$
  SELECT CASE WHEN a.churn_at <= $2 THEN 0
              WHEN l.arr IS NOT NULL THEN l.arr
              WHEN a.created_at <= $2 THEN NULL
              ELSE 0 END
  FROM account a
  LEFT JOIN LATERAL (SELECT arr FROM level WHERE account_id = a.id AND level.at <= $2 ORDER BY level.at DESC LIMIT 1) l ON true
  WHERE a.id = $1
$$;

CREATE TEMP TABLE picture AS
SELECT a.*, pg_temp.arr_at(a.id, instant.t) AS arr,
       CASE WHEN a.churn_at <= instant.t THEN 'churned'
            WHEN a.status = 'churned' THEN 'active' -- it leaves later
            ELSE COALESCE(a.status, 'unknown') END AS status_at
FROM account a, instant;

-- Every account three times: for the totals, and for the breakdowns by each dimension. suffix and prefix make the name.
CREATE TEMP TABLE cell AS
SELECT id, '' AS family_suffix, '' AS value_prefix FROM picture
UNION ALL SELECT id, '_by_segment', segment || '.' FROM picture
UNION ALL SELECT id, '_by_account_owner', account_owner || '.' FROM picture;

CREATE TEMP TABLE "window" AS
SELECT name, instant.t - length AS start
FROM instant, (VALUES ('7d', interval '168 hours'), ('30d', '720 hours'), ('90d', '2160 hours'), ('1y', '1 year')) w (name, length);

CREATE TEMP TABLE ends AS
SELECT p.id, w.name AS "window", p.currency, a.arr AS a, p.arr AS b,
       EXISTS (SELECT FROM level l WHERE l.account_id = p.id AND l.arr > 0 AND l.at < w.start) AS ever
FROM picture p CROSS JOIN "window" w CROSS JOIN LATERAL (SELECT pg_temp.arr_at(p.id, w.start) AS arr) a;

CREATE TEMP TABLE movement AS
SELECT e.*, k.kind, k.amount
FROM ends e CROSS JOIN LATERAL (
  VALUES ('new', CASE WHEN a = 0 AND b > 0 AND NOT ever THEN b END),
         ('reactivation', CASE WHEN a = 0 AND b > 0 AND ever THEN b END),
         ('expansion', CASE WHEN a > 0 AND b > a THEN b - a END),
         ('contraction', CASE WHEN b > 0 AND b < a THEN a - b END),
         ('churn', CASE WHEN a > 0 AND b = 0 THEN a END),
         ('adjustment', CASE WHEN a IS NULL OR b IS NULL THEN COALESCE(b, 0) - COALESCE(a, 0) END)) k (kind, amount);

-- family, own label values, and one value per account to be summed
CREATE TEMP VIEW summed AS
SELECT id, 'accounts' AS family, s.status AS labels, (status_at = s.status)::int::numeric AS amount
FROM picture, (VALUES ('onboarding'), ('active'), ('at_risk'), ('churned'), ('unknown')) s (status)
UNION ALL SELECT id, 'accounts_paying', '', (COALESCE(arr, 0) > 0)::int FROM picture
UNION ALL SELECT id, 'accounts_unpriced', lower(currency), (arr IS NULL)::int FROM picture WHERE status_at <> 'churned'
UNION ALL SELECT id, 'arr', lower(currency), COALESCE(arr, 0) FROM picture
UNION ALL SELECT id, 'mrr', lower(currency), COALESCE(arr, 0) / 12 FROM picture
UNION ALL SELECT id, 'arr_opening', lower(currency) || '.' || "window", COALESCE(a, 0) FROM ends
UNION ALL SELECT id, 'arr_closing', lower(currency) || '.' || "window", COALESCE(b, 0) FROM ends
UNION ALL SELECT id, 'arr_movement', lower(currency) || '.' || "window" || '.' || kind, COALESCE(amount, 0) FROM movement
UNION ALL SELECT id, 'arr_retained_net', lower(currency) || '.' || "window", CASE WHEN a > 0 THEN COALESCE(b, 0) ELSE 0 END FROM ends
UNION ALL SELECT id, 'arr_retained_gross', lower(currency) || '.' || "window", CASE WHEN a > 0 THEN COALESCE(LEAST(a, b), 0) ELSE 0 END FROM ends
UNION ALL SELECT id, 'arr_retention_base', lower(currency) || '.' || "window", CASE WHEN a > 0 AND b IS NOT NULL THEN a ELSE 0 END FROM ends
UNION ALL SELECT p.id, 'nps_responses', k.category || '.' || w.name, (
    SELECT count(*) FROM public.nps_surveys n, instant
    WHERE n.account_id = p.id AND COALESCE(n.survey_date, (n.created_at AT TIME ZONE 'UTC')::date) > w.start
      AND COALESCE(n.survey_date, (n.created_at AT TIME ZONE 'UTC')::date) <= instant.t
      AND n.score BETWEEN k.least AND k.most)
  FROM picture p, "window" w, (VALUES ('promoter', 9, 10), ('passive', 7, 8), ('detractor', 0, 6)) k (category, least, most)
  WHERE w.name <> '7d';

CREATE TEMP TABLE total AS
SELECT p.tenant, s.family, c.family_suffix, c.value_prefix, s.labels, sum(s.amount) AS value
FROM summed s JOIN picture p USING (id) JOIN cell c USING (id)
GROUP BY 1, 2, 3, 4, 5;

SELECT tenant, family || family_suffix || COALESCE('.' || NULLIF(rtrim(value_prefix || labels, '.'), ''), ''), value FROM total;

-- Ratios and the like, per tenant.
CREATE TEMP VIEW part AS SELECT tenant, family, labels, value FROM total WHERE family_suffix = '';
SELECT n.tenant, 'net_revenue_retention_ratio.' || n.labels, n.value / b.value
FROM part n JOIN part b USING (tenant, labels) WHERE n.family = 'arr_retained_net' AND b.family = 'arr_retention_base' AND b.value > 0;
SELECT n.tenant, 'gross_revenue_retention_ratio.' || n.labels, n.value / b.value
FROM part n JOIN part b USING (tenant, labels) WHERE n.family = 'arr_retained_gross' AND b.family = 'arr_retention_base' AND b.value > 0;
SELECT DISTINCT tenant, 'arr_identity_residual.' || labels, 0 FROM part WHERE family = 'arr_closing';
CREATE TEMP VIEW answers AS
SELECT tenant, sum(value) AS n, sum(value) FILTER (WHERE labels LIKE 'promoter.%') AS promoters, sum(value) FILTER (WHERE labels LIKE 'detractor.%') AS detractors
FROM part WHERE family = 'nps_responses' AND labels LIKE '%.90d' GROUP BY tenant HAVING sum(value) > 0;
SELECT tenant, 'nps', 100 * (promoters - detractors) / n FROM answers;
SELECT tenant, 'nps_standard_error', 100 * sqrt(((promoters + detractors) / n - ((promoters - detractors) / n) ^ 2) / n) FROM answers;
