-- SPDX-License-Identifier: MIT
-- The facts as of an instant, from the application's own tables. Everything else in this directory builds on the temporary tables made
-- here; none of it knows the mapping or the plugin. Written from the definitions alone:
--
--   psql -v t='2024-02-29 01:00:00+00' -v tz=America/Sao_Paulo -f facts.sql -f accounts.sql ... -f print.sql
--
-- A fact after t does not exist. Windows are (t - w, t]; 7d, 30d and so on are multiples of 24 hours, 1y is a calendar year of the zone
-- tz. A date stands at 00:00 of its day in tz. NULL is unknown and never 0.
\set ON_ERROR_STOP on
\pset format unaligned
\pset fieldsep '\t'
\pset tuples_only on
SET TimeZone = :'tz';
SET client_min_messages = warning;
SET jit = off;

CREATE TEMP TABLE instant AS SELECT :'t'::timestamptz AS t;

-- What is published: one row per series.
CREATE TEMP TABLE answer (family text, labels jsonb, value numeric);

CREATE TEMP TABLE "window" AS
SELECT name, t - length AS start, t
FROM instant, (VALUES ('7d', interval '168 hours'), ('30d', '720 hours'), ('90d', '2160 hours'), ('1y', '1 year')) w (name, length);

-- Is a time within the last so many hours up to t? The instant stands in the text, for then PostgreSQL makes no call of it.
SELECT format('CREATE FUNCTION pg_temp.within(at timestamptz, hours int) RETURNS boolean STABLE LANGUAGE sql AS '
              '$$SELECT at <= %1$L::timestamptz AND at > %1$L::timestamptz - make_interval(hours => hours)$$', :'t') \gexec

-- Revenue -------------------------------------------------------------------------------------------------------------------
-- Levels in major units a year. Both figures may be there: the one that the account is tracked by counts, monthly or annual; seats carry
-- no price. The history has a row per change and none for what an account was entered with. That is the current figure if nothing has ever
-- changed, the previous one if one thing has, and lost otherwise.
CREATE FUNCTION pg_temp.annual(arr numeric, mrr numeric, method text) RETURNS numeric IMMUTABLE LANGUAGE sql AS
  $$SELECT CASE WHEN method = 'mrr' THEN COALESCE(mrr * 12, arr) ELSE COALESCE(arr, mrr * 12) END$$;

CREATE TEMP TABLE level_ever AS
WITH changes AS (
  SELECT account_id, count(*) AS n, min(recorded_at) AS first_at FROM public.account_growth_history GROUP BY account_id
), known AS (
  SELECT account_id, recorded_at AS at, pg_temp.annual(arr, mrr, growth_tracking_method) AS arr FROM public.account_growth_history
  UNION ALL
  SELECT a.id, a.created_at, pg_temp.annual(a.arr, a.mrr, a.growth_tracking_method)
  FROM public.accounts a WHERE NOT EXISTS (SELECT FROM changes c WHERE c.account_id = a.id)
  UNION ALL
  SELECT a.id, a.created_at, pg_temp.annual(a.previous_arr, a.previous_mrr, a.growth_tracking_method)
  FROM public.accounts a JOIN changes c ON c.account_id = a.id AND c.n = 1 AND a.created_at < c.first_at
)
SELECT account_id AS id, at, arr FROM known WHERE arr IS NOT NULL;
CREATE TEMP TABLE level AS SELECT level_ever.* FROM level_ever, instant WHERE at <= t;
CREATE INDEX ON level (id, at);

-- Accounts ------------------------------------------------------------------------------------------------------------------
-- churn_at: the end of the paid period in which the customer left, else the recorded date, else the level of zero that was never left
-- again; a churn without any date has always been one. That an account has churned is what is known today, and so is when it did, although
-- that may lie after t: then it has not yet.
CREATE TEMP TABLE account AS
WITH paid AS (
  SELECT a.id, d.churned_at,
         max(c.ends_on::timestamptz) FILTER (WHERE c.starts_on::timestamptz <= d.churned_at AND c.ends_on::timestamptz > d.churned_at) AS covering,
         CASE WHEN bool_and(c.ends_on IS NOT NULL) FILTER (WHERE c.starts_on::timestamptz <= t)
              THEN max(c.ends_on::timestamptz) FILTER (WHERE c.starts_on::timestamptz <= t) END AS last_end
  FROM instant, public.accounts a
  LEFT JOIN crm_ext.account_detail d ON d.account_id = a.id
  LEFT JOIN crm_ext.contract c ON c.account_id = a.id
  WHERE a.status = 'churned'
  GROUP BY a.id, d.churned_at
), zero AS (
  SELECT id, min(at) AS at FROM level_ever z
  WHERE arr = 0 AND NOT EXISTS (SELECT FROM level_ever p WHERE p.id = z.id AND p.at > z.at AND p.arr > 0)
  GROUP BY id
)
SELECT a.id, o.name AS tenant, o.currency_code AS currency, a.name, COALESCE(NULLIF(a.size, ''), 'none') AS segment,
       COALESCE(NULLIF(u.full_name, ''), 'none') AS owner, COALESCE(NULLIF(a.industry, ''), 'none') AS industry,
       COALESCE(NULLIF(d.region, ''), 'none') AS region, a.status AS status_now, a.created_at, a.seat_count AS seats,
       d.auto_renew, d.renewal_forecast, d.churned_at,
       CASE WHEN a.status = 'churned' THEN COALESCE(paid.covering, paid.churned_at, paid.last_end, zero.at, '-infinity') END AS churn_at
FROM instant, public.accounts a
JOIN public.organizations o ON o.id = a.organization_id
LEFT JOIN public.user_profiles u ON u.id = COALESCE(a.csm_id, a.owner_id)
LEFT JOIN crm_ext.account_detail d ON d.account_id = a.id
LEFT JOIN paid ON paid.id = a.id
LEFT JOIN zero ON zero.id = a.id
WHERE a.created_at <= t;
CREATE INDEX ON account (id);

-- Effective annual revenue at an instant up to t; NULL is unknown.
CREATE FUNCTION pg_temp.arr_at(account, at timestamptz) RETURNS numeric STABLE LANGUAGE sql AS $$
  SELECT CASE WHEN $1.churn_at <= $2 THEN 0
              ELSE COALESCE((SELECT l.arr FROM level l WHERE l.id = $1.id AND l.at <= $2 ORDER BY l.at DESC LIMIT 1),
                            CASE WHEN $1.created_at > $2 THEN 0 END) END
$$;

CREATE TEMP TABLE picture AS
SELECT a.*, pg_temp.arr_at(a, t) AS arr, COALESCE(churn_at <= t, false) AS churned,
       CASE WHEN churn_at <= t THEN 'churned'
            WHEN status_now = 'churned' THEN 'active' -- it is going to leave, and has not
            ELSE COALESCE(status_now, 'unknown') END AS status,
       jsonb_build_object('tenant', tenant, 'segment', segment, 'account_owner', owner) AS cell
FROM account a, instant;
CREATE INDEX ON picture (id);
ANALYZE picture;

-- The cells, and the currencies in each: a count or a sum over nobody in a cell is 0 and not absent.
CREATE TEMP TABLE cell AS SELECT DISTINCT cell FROM picture;
CREATE TEMP TABLE cell_currency AS SELECT DISTINCT cell, COALESCE(currency, 'none') AS currency FROM picture;
