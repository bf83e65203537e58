-- SPDX-License-Identifier: MIT
-- Health and churn risk over time: the scores of today against those of earlier instants, each computed by health.sql and churn_risk.sql
-- from the facts up to then (remember.sql). After churn_risk.sql.
CREATE TEMP TABLE past AS
SELECT m.id, m.days, m.churned, m.score, m.risk FROM oracle.score m, instant WHERE m.tz = :'tz' AND m.t = instant.t - make_interval(hours => 24 * m.days)
UNION ALL SELECT p.id, 0, p.churned, h.score, r.risk FROM picture p LEFT JOIN health h USING (id) LEFT JOIN at_stake r USING (id);
CREATE FUNCTION pg_temp.band(churned boolean, score numeric) RETURNS text IMMUTABLE LANGUAGE sql AS
  $$SELECT CASE WHEN churned THEN 'churned' WHEN score IS NULL THEN 'unscored' WHEN score >= 80 THEN 'healthy' WHEN score >= 60 THEN 'moderate'
                WHEN score >= 40 THEN 'at_risk' ELSE 'critical' END$$;

-- Every account with both ends of each window; who did not exist at its start has none there.
CREATE TEMP TABLE span_of AS SELECT * FROM (VALUES ('7d', 7), ('30d', 30), ('90d', 90)) w ("window", days);
CREATE TEMP TABLE both_ends AS
SELECT p.tenant, p.cell, w."window", b.score - a.score AS change, CASE WHEN a.id IS NULL THEN 'new' ELSE pg_temp.band(a.churned, a.score) END AS was,
       pg_temp.band(b.churned, b.score) AS is_now
FROM picture p JOIN past b ON b.id = p.id AND b.days = 0 CROSS JOIN span_of w LEFT JOIN past a ON a.id = p.id AND a.days = w.days;

INSERT INTO answer
SELECT f.family, cell.cell || jsonb_build_object('window', w."window"),
       COALESCE(CASE f.family WHEN 'health_change_points' THEN sum(change)
                              WHEN 'health_change_accounts' THEN count(change)
                              WHEN 'health_recovered_accounts' THEN count(*) FILTER (WHERE was IN ('at_risk', 'critical') AND is_now IN ('healthy', 'moderate'))
                              ELSE count(*) FILTER (WHERE was IN ('at_risk', 'critical')) END, 0)
FROM unnest(ARRAY['health_change_points', 'health_change_accounts', 'health_recovered_accounts', 'health_recovery_base_accounts']) f (family)
CROSS JOIN cell CROSS JOIN span_of w LEFT JOIN both_ends b ON b.cell = cell.cell AND b."window" = w."window"
GROUP BY f.family, cell.cell, w."window";
INSERT INTO answer
SELECT 'accounts_by_health_trend', cell.cell || jsonb_build_object('window', w."window", 'trend', k),
       count(*) FILTER (WHERE k = CASE WHEN change > 5 THEN 'improving' WHEN change < -5 THEN 'declining' WHEN change IS NOT NULL THEN 'stable' END)
FROM cell CROSS JOIN span_of w CROSS JOIN unnest(ARRAY['improving', 'stable', 'declining']) k
LEFT JOIN both_ends b ON b.cell = cell.cell AND b."window" = w."window"
GROUP BY cell.cell, w."window", k;
INSERT INTO answer
SELECT 'health_band_transitions', jsonb_build_object('tenant', tenant, 'window', "window", 'from', f, 'to', g), count(*) FILTER (WHERE was = f AND is_now = g)
FROM both_ends, unnest(ARRAY['new', 'healthy', 'moderate', 'at_risk', 'critical', 'unscored', 'churned']) f,
     unnest(ARRAY['healthy', 'moderate', 'at_risk', 'critical', 'unscored', 'churned']) g
GROUP BY tenant, "window", f, g;
INSERT INTO answer
SELECT 'health_recovery_ratio', jsonb_build_object('tenant', tenant, 'window', "window"), avg((is_now IN ('healthy', 'moderate'))::int)
FROM both_ends WHERE was IN ('at_risk', 'critical') GROUP BY tenant, "window";

-- Theil and Sen: the median of the slopes between all pairs of weekly scores.
INSERT INTO answer
SELECT 'account_health_slope', jsonb_build_object('tenant', p.tenant, 'account', p.id), s.slope
FROM customer p JOIN (
  SELECT a.id, 30 * (percentile_disc(0.5) WITHIN GROUP (ORDER BY slope) + percentile_disc(0.5) WITHIN GROUP (ORDER BY slope DESC)) / 2 AS slope
  FROM past a JOIN past b ON b.id = a.id AND b.days < a.days AND a.days % 7 = 0 AND b.days % 7 = 0
  CROSS JOIN LATERAL (SELECT (b.score - a.score) / (a.days - b.days) AS slope) x
  WHERE slope IS NOT NULL GROUP BY a.id HAVING count(*) >= 3) s USING (id);

-- At risk from above 70 until at or below 60, followed over the instants; an unknown score changes nothing.
CREATE TEMP TABLE watch AS
WITH RECURSIVE walk AS (
  SELECT p.id, 120 AS days, false AS at_risk FROM picture p
  UNION ALL
  SELECT w.id, n.days, CASE WHEN s.id IS NULL OR s.churned THEN false WHEN s.risk > 70 THEN true WHEN s.risk <= 60 THEN false ELSE w.at_risk END
  FROM walk w CROSS JOIN LATERAL (SELECT max(d) AS days FROM unnest(ARRAY[90, 30, 7, 0]) d WHERE d < w.days) n
  LEFT JOIN past s ON s.id = w.id AND s.days = n.days WHERE n.days IS NOT NULL)
SELECT * FROM walk;
INSERT INTO answer
SELECT 'accounts_newly_at_risk', cell.cell || jsonb_build_object('window', w."window"), count(*) FILTER (WHERE b.at_risk AND NOT a.at_risk)
FROM cell JOIN span_of w ON w.days < 90 LEFT JOIN customer c USING (cell)
LEFT JOIN watch a ON a.id = c.id AND a.days = w.days LEFT JOIN watch b ON b.id = c.id AND b.days = 0
GROUP BY cell.cell, w."window";

-- What is compared with is what the configuration says.
INSERT INTO answer SELECT DISTINCT 'health_benchmark_score', jsonb_build_object('tenant', tenant, 'benchmark_source', :'benchmark'), :benchmark_score FROM picture;
