-- SPDX-License-Identifier: MIT
-- Engagement: what was held, missed and answered, who is silent, and the people at the customers. After health.sql.
CREATE TEMP TABLE event AS
SELECT e.id, e.account_id, p.tenant, p.cell, p.churned, e.completed_at, e.scheduled_at, e.completed_at IS NOT NULL AND e.completed_at <= t AS done,
       CASE WHEN e.type IN ('meeting', 'call', 'email', 'demo', 'training', 'note') THEN e.type ELSE 'other' END AS engagement_type,
       COALESCE(e.outcome, 'unrecorded') AS outcome, COALESCE(NULLIF(u.full_name, ''), 'none') AS team_member
FROM public.engagements e JOIN picture p ON p.id = e.account_id
LEFT JOIN public.user_profiles u ON u.id = e.created_by AND u.organization_id = e.organization_id, instant;
CREATE TEMP TABLE completed AS
SELECT e.*, w.name AS "window" FROM event e JOIN "window" w ON done AND completed_at > w.start AND w.name <> '1y';
CREATE TEMP TABLE span AS SELECT * FROM "window" WHERE name <> '1y';
CREATE TEMP TABLE engagement_type AS SELECT unnest(ARRAY['meeting', 'call', 'email', 'demo', 'training', 'note', 'other']) AS engagement_type;

INSERT INTO answer
SELECT 'engagements', cell || jsonb_build_object('engagement_type', engagement_type, 'outcome', outcome, 'window', "window"), COALESCE(n, 0)
FROM cell CROSS JOIN engagement_type CROSS JOIN unnest(ARRAY['positive', 'neutral', 'negative', 'action_required', 'unrecorded']) o (outcome)
CROSS JOIN (SELECT name AS "window" FROM span) w
LEFT JOIN (SELECT cell, engagement_type, outcome, "window", count(*) AS n FROM completed GROUP BY cell, engagement_type, outcome, "window") c
  USING (cell, engagement_type, outcome, "window");

-- Planned for a time that is over, and not held by then.
INSERT INTO answer
SELECT 'engagements_missed', cell || jsonb_build_object('engagement_type', engagement_type, 'window', "window"), COALESCE(n, 0)
FROM cell CROSS JOIN engagement_type CROSS JOIN (SELECT name AS "window" FROM span) w
LEFT JOIN (SELECT cell, engagement_type, name AS "window", count(*) AS n
           FROM event JOIN span w ON NOT done AND scheduled_at > w.start AND scheduled_at < w.t GROUP BY cell, engagement_type, name) c
  USING (cell, engagement_type, "window");

-- Everybody who held one in the longest of the windows.
INSERT INTO answer
SELECT 'engagements_by_member', jsonb_build_object('tenant', tenant, 'team_member', team_member, 'window', w.name),
       count(*) FILTER (WHERE c."window" = w.name)
FROM completed c CROSS JOIN span w GROUP BY tenant, team_member, w.name;

INSERT INTO answer
SELECT 'engagement_activity', jsonb_build_object('tenant', tenant, 'weekday', d.name, 'hour', to_char(h, 'FM00'), 'window', '90d'),
       COALESCE(n, 0)
FROM (SELECT DISTINCT tenant FROM picture) a CROSS JOIN unnest(ARRAY['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']) WITH ORDINALITY d (name, day)
CROSS JOIN generate_series(0, 23) h
LEFT JOIN (SELECT tenant, extract(isodow FROM completed_at) AS day, extract(hour FROM completed_at) AS h, count(*) AS n
           FROM completed WHERE "window" = '90d' GROUP BY tenant, day, h) c USING (tenant, day, h);

-- Notes are internal: the customer hears nothing of them.
INSERT INTO answer
SELECT 'engagements_customer_facing', cell.cell || jsonb_build_object('window', name),
       count(c.id) FROM cell CROSS JOIN span LEFT JOIN completed c
  ON c.cell = cell.cell AND c."window" = name AND NOT churned AND engagement_type <> 'note'
GROUP BY cell.cell, name;
INSERT INTO answer
SELECT 'engagement_frequency_ratio', jsonb_build_object('tenant', tenant, 'window', name),
       count(*) FILTER (WHERE held)::numeric / count(DISTINCT id) * 30 / days
FROM (SELECT p.tenant, p.id, w.name, extract(day FROM w.t - w.start) AS days, c.id IS NOT NULL AS held
      FROM customer p CROSS JOIN span w LEFT JOIN completed c ON c.account_id = p.id AND c."window" = w.name AND c.engagement_type <> 'note') x
GROUP BY tenant, name, days;

CREATE TEMP TABLE contacted AS
SELECT p.cell, p.id, max(completed_at) AS last_at
FROM customer p LEFT JOIN event e ON e.account_id = p.id AND done AND engagement_type <> 'note' GROUP BY p.cell, p.id;
INSERT INTO answer
SELECT 'engagement_gap_accounts', cell || jsonb_build_object('le', le),
       (SELECT count(*) FROM contacted c, instant WHERE c.cell = cell.cell AND extract(epoch FROM t - last_at) <= le::numeric)
FROM cell, unnest(ARRAY['604800', '1209600', '2592000', '5184000', '7776000']) le
UNION ALL SELECT 'engagement_gap_accounts', cell || '{"le": "+Inf"}', (SELECT count(last_at) FROM contacted c WHERE c.cell = cell.cell) FROM cell
UNION ALL SELECT 'accounts_never_engaged', cell, (SELECT count(*) FROM contacted c WHERE c.cell = cell.cell AND last_at IS NULL) FROM cell
UNION ALL SELECT 'accounts_silent', cell || jsonb_build_object('window', w.name),
                 (SELECT count(*) FROM contacted c, instant WHERE c.cell = cell.cell AND last_at <= t - make_interval(hours => w.hours))
          FROM cell, (VALUES ('30d', 720), ('60d', 1440), ('90d', 2160)) w (name, hours);

-- First responses of 30 days: tickets at the mean of their day, engagements each for itself.
CREATE TEMP TABLE response AS
SELECT p.cell, 'support' AS channel, 3600 * first_hours AS seconds, fresh AS n FROM desk_day JOIN picture p USING (id) WHERE pg_temp.within(at, 720)
UNION ALL
SELECT cell, 'engagement', response_seconds, 1
FROM completed JOIN crm_ext.engagement_response r ON r.engagement_id = completed.id WHERE "window" = '30d';
INSERT INTO answer
SELECT 'responses', cell.cell || jsonb_build_object('channel', k, 'window', '30d', 'le', le),
       COALESCE(sum(n) FILTER (WHERE seconds <= replace(le, '+Inf', 'Infinity')::numeric), 0)
FROM cell CROSS JOIN unnest(ARRAY['support', 'engagement']) k CROSS JOIN unnest(ARRAY['3600', '14400', '28800', '86400', '259200', '+Inf']) le
LEFT JOIN response r ON r.cell = cell.cell AND r.channel = k GROUP BY cell.cell, k, le;
INSERT INTO answer
SELECT 'response_seconds_points', cell.cell || jsonb_build_object('channel', k, 'window', '30d'), COALESCE(sum(n * seconds), 0)
FROM cell CROSS JOIN unnest(ARRAY['support', 'engagement']) k LEFT JOIN response r ON r.cell = cell.cell AND r.channel = k GROUP BY cell.cell, k;
INSERT INTO answer
SELECT 'responses_unanswered', cell.cell || '{"channel": "support", "window": "30d"}', COALESCE(sum(n), 0)
FROM cell LEFT JOIN response r ON r.cell = cell.cell AND r.channel = 'support' AND r.seconds IS NULL GROUP BY cell.cell;

-- People at the customers, as the CRM shows them today; those who took part in an engagement of 90 days are engaged.
CREATE TEMP TABLE person AS
SELECT c.tenant, c.cell, c.id AS account_id, k.id, COALESCE(lower(k.decision_maker_level), 'unknown') AS level,
       COALESCE(lower(k.relationship_strength), 'unknown') AS strength,
       EXISTS (SELECT FROM completed e JOIN public.engagement_participants p ON p.engagement_id = e.id
               WHERE e."window" = '90d' AND e.account_id = c.id AND p.contact_id = k.id AND p.participation_type IN ('organizer', 'attendee')
                 AND p.response_status IS DISTINCT FROM 'declined') AS engaged
FROM public.contacts k JOIN customer c ON c.id = k.account_id, instant
WHERE k.contact_status = 'active' AND k.created_at <= t;
INSERT INTO answer
SELECT 'stakeholders', cell || jsonb_build_object('level', level, 'strength', strength, 'engaged', engaged::text, 'window', '90d'), COALESCE(n, 0)
FROM cell CROSS JOIN unnest(ARRAY['primary', 'influencer', 'user', 'gatekeeper', 'unknown']) l (level)
CROSS JOIN unnest(ARRAY['champion', 'supporter', 'neutral', 'detractor', 'unknown']) s (strength) CROSS JOIN unnest(ARRAY[true, false]) e (engaged)
LEFT JOIN (SELECT cell, level, strength, engaged, count(*) AS n FROM person GROUP BY cell, level, strength, engaged) p
  USING (cell, level, strength, engaged);
INSERT INTO answer
SELECT 'stakeholder_participation_ratio', jsonb_build_object('tenant', tenant, 'window', '90d'), avg(engaged::int) FROM person GROUP BY tenant;
CREATE TEMP TABLE known_people AS
SELECT c.cell, c.id, count(*) FILTER (WHERE strength = 'champion') AS champions, count(*) FILTER (WHERE engaged) AS engaged
FROM customer c LEFT JOIN person p ON p.account_id = c.id GROUP BY c.cell, c.id;
INSERT INTO answer
SELECT 'accounts_without_champion', cell, (SELECT count(*) FROM known_people k WHERE k.cell = cell.cell AND champions = 0) FROM cell
UNION ALL SELECT 'accounts_single_threaded', cell, (SELECT count(*) FROM known_people k WHERE k.cell = cell.cell AND engaged < 3) FROM cell;

-- Outcome against the change of the health score that the CRM recorded. It is 50 by default, which is no measurement.
CREATE TEMP TABLE recorded AS
SELECT account_id, metric_date, metric_date::timestamptz AS at, overall_health_score AS score, created_at
FROM public.health_metrics, instant WHERE overall_health_score <> 50 AND metric_date::timestamptz <= t;
CREATE INDEX ON recorded (account_id, at);
ANALYZE recorded;
CREATE TEMP TABLE effect AS
SELECT e.tenant, CASE e.outcome WHEN 'positive' THEN 1 WHEN 'neutral' THEN 0 ELSE -1 END AS outcome, later.score - earlier.score AS change
FROM completed e
CROSS JOIN LATERAL (SELECT score FROM recorded r WHERE r.account_id = e.account_id AND at <= completed_at ORDER BY at DESC, created_at DESC LIMIT 1) earlier
CROSS JOIN LATERAL (SELECT score FROM recorded r WHERE r.account_id = e.account_id AND at > completed_at + interval '168 hours'
                      AND at <= completed_at + interval '720 hours' ORDER BY at, created_at DESC LIMIT 1) later
WHERE "window" = '90d' AND engagement_type <> 'note' AND outcome IN ('positive', 'neutral', 'negative');
INSERT INTO answer
SELECT 'engagement_outcome_correlation_observations', jsonb_build_object('tenant', tenant), count(change)
FROM (SELECT DISTINCT tenant FROM picture) p LEFT JOIN effect USING (tenant) GROUP BY tenant;
INSERT INTO answer
SELECT 'engagement_outcome_correlation', jsonb_build_object('tenant', tenant), r
FROM (SELECT tenant, corr(a, b)::numeric AS r, count(*) AS n
      FROM (SELECT tenant, rank() OVER (PARTITION BY tenant ORDER BY outcome) + (count(*) OVER (PARTITION BY tenant, outcome) - 1) / 2.0 AS a,
                   rank() OVER (PARTITION BY tenant ORDER BY change) + (count(*) OVER (PARTITION BY tenant, change) - 1) / 2.0 AS b
            FROM effect) ranks GROUP BY tenant) c
WHERE n >= 10 AND r IS NOT NULL;
