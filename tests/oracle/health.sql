-- SPDX-License-Identifier: MIT
-- The health score of the accounts that have not churned: 16 inputs, 4 factors, one score. After facts.sql; also run for earlier instants.
CREATE TEMP TABLE customer AS SELECT * FROM picture WHERE NOT churned;
CREATE INDEX ON customer (id);
ANALYZE customer;

CREATE TEMP TABLE input (id uuid, factor text, input text, value numeric);

-- Product usage -------------------------------------------------------------------------------------------------------------
INSERT INTO input
SELECT account_id, 'product_usage', 'login_frequency', 100 * LEAST(1, avg(login_frequency) / 5)
FROM public.health_metrics JOIN customer c ON c.id = account_id
WHERE login_frequency IS NOT NULL AND pg_temp.within(metric_date::timestamptz, 720)
GROUP BY account_id;

-- The latest. A row tells its day and not its hour: of those of one day the one with the most logins holds, then the one with the most features.
INSERT INTO input
SELECT DISTINCT ON (account_id) account_id, 'product_usage', 'feature_adoption', feature_adoption_score
FROM public.health_metrics JOIN customer c ON c.id = account_id
WHERE feature_adoption_score IS NOT NULL AND pg_temp.within(metric_date::timestamptz, 720)
ORDER BY account_id, metric_date DESC, login_frequency DESC NULLS LAST, feature_adoption_score DESC;

-- Sessions by the day on which they began; a device whose person is known is that person.
CREATE TEMP TABLE visit AS
SELECT t.fastenr_account_id AS id, s.started_at::date AS day, COALESCE(f.user_email, f.id::text) AS person, s.duration_seconds, s.ended_at
FROM public.usage_sessions s JOIN public.usage_tracked_accounts t ON t.id = s.tracked_account_id
JOIN public.user_fingerprints f ON f.id = s.fingerprint_id
JOIN customer c ON c.id = t.fastenr_account_id, instant
WHERE s.started_at::date::timestamptz <= instant.t;

-- The median of the days' medians.
INSERT INTO input
SELECT id, 'product_usage', 'session_duration', 100 * LEAST(1, (percentile_cont(0.5) WITHIN GROUP (ORDER BY median))::numeric / 900)
FROM (SELECT id, day, percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) AS median
      FROM visit WHERE ended_at IS NOT NULL AND duration_seconds IS NOT NULL AND pg_temp.within(day::timestamptz, 720)
      GROUP BY id, day) d
GROUP BY id;

-- People who were there in the 28 days that end on the day of t; 0 where nobody was any more.
CREATE TEMP TABLE active_users AS
SELECT id, count(DISTINCT person) FILTER (WHERE day > t::date - 28) AS people FROM visit, instant GROUP BY id;

INSERT INTO input
SELECT id, 'product_usage', 'user_activity', LEAST(100, 100 * people::numeric / seats) FROM active_users JOIN customer USING (id) WHERE seats > 0;

-- Support -------------------------------------------------------------------------------------------------------------------
-- Figures of a day, over all desks of the account: means weighted by the tickets they are means of, plain where there are none.
CREATE TEMP TABLE desk_day AS
SELECT account_id AS id, metric_date::timestamptz AS at, sum(new_tickets) AS fresh, sum(resolved_tickets) AS resolved, sum(escalated_tickets) AS escalated,
       COALESCE(sum(severity_score * new_tickets)::numeric / NULLIF(sum(new_tickets) FILTER (WHERE severity_score IS NOT NULL), 0),
                avg(severity_score)) AS severity,
       COALESCE(sum(avg_resolution_time_hours * resolved_tickets) / NULLIF(sum(resolved_tickets) FILTER (WHERE avg_resolution_time_hours IS NOT NULL), 0),
                avg(avg_resolution_time_hours)) AS hours,
       COALESCE(sum(avg_first_response_time_hours * new_tickets)
                  / NULLIF(sum(new_tickets) FILTER (WHERE avg_first_response_time_hours IS NOT NULL), 0),
                avg(avg_first_response_time_hours)) AS first_hours,
       COALESCE(sum(satisfaction_score * resolved_tickets) / NULLIF(sum(resolved_tickets) FILTER (WHERE satisfaction_score IS NOT NULL), 0),
                avg(satisfaction_score)) AS csat
FROM public.support_metrics JOIN picture c ON c.id = account_id
WHERE pg_temp.within(metric_date::timestamptz, 2160)
GROUP BY account_id, metric_date;
CREATE TEMP TABLE desk AS SELECT desk_day.* FROM desk_day JOIN customer USING (id) WHERE pg_temp.within(at, 720);

-- New tickets against the tenant's median: per seat among those with seats, per account among the others. No row is no ticket.
CREATE TEMP TABLE tickets AS
SELECT c.id, c.tenant, COALESCE(c.seats > 0, false) AS by_seat,
       CASE WHEN count(d.id) = 0 THEN 0 ELSE sum(d.fresh) END / CASE WHEN c.seats > 0 THEN c.seats ELSE 1 END::numeric AS x
FROM customer c LEFT JOIN desk d USING (id) GROUP BY c.id, c.tenant, c.seats;
INSERT INTO input
SELECT id, 'support', 'ticket_volume', CASE WHEN x <= m THEN 100 WHEN m = 0 THEN 0 ELSE 100 * m / x END
FROM tickets JOIN (
  SELECT tenant, by_seat, -- the mean of the middle one or two; percentile_cont would give it in floating point
         (percentile_disc(0.5) WITHIN GROUP (ORDER BY x) + percentile_disc(0.5) WITHIN GROUP (ORDER BY x DESC)) / 2 AS m
  FROM tickets GROUP BY tenant, by_seat) medians USING (tenant, by_seat)
WHERE x IS NOT NULL;

-- Means of the days' means.
INSERT INTO input SELECT id, 'support', 'ticket_severity', 100 - avg(severity) FROM desk GROUP BY id HAVING count(severity) > 0;

INSERT INTO input
SELECT id, 'support', 'resolution_time',
       CASE WHEN h <= 12 THEN 100 WHEN h <= 24 THEN 100 - 25 * (h - 12) / 12 WHEN h <= 48 THEN 75 - 25 * (h - 24) / 24
            WHEN h <= 72 THEN 50 - 25 * (h - 48) / 24 WHEN h < 120 THEN 25 - 25 * (h - 72) / 48 ELSE 0 END
FROM (SELECT id, sum(hours * resolved) / NULLIF(sum(resolved) FILTER (WHERE hours IS NOT NULL), 0) AS h FROM desk GROUP BY id) r
WHERE h IS NOT NULL;

INSERT INTO input SELECT id, 'support', 'satisfaction', 25 * (avg(csat) - 1) FROM desk GROUP BY id HAVING count(csat) > 0;

-- Engagement ----------------------------------------------------------------------------------------------------------------
CREATE TEMP TABLE held AS
SELECT e.* FROM public.engagements e JOIN customer c ON c.id = e.account_id, instant WHERE completed_at <= t;

INSERT INTO input
SELECT c.id, 'engagement', 'meeting_frequency', 100 * LEAST(1, count(h.id) / 2.0)
FROM customer c LEFT JOIN held h ON h.account_id = c.id AND h.type IN ('meeting', 'call', 'demo', 'training') AND pg_temp.within(completed_at, 720)
GROUP BY c.id;

INSERT INTO input
SELECT account_id, 'engagement', 'response_rate', 100 * avg((response_status = 'accepted')::int)
FROM held h JOIN public.engagement_participants p ON p.engagement_id = h.id
WHERE response_status IS NOT NULL AND pg_temp.within(completed_at, 720) GROUP BY account_id;

INSERT INTO input
SELECT account_id, 'engagement', 'outcome_quality', 100 * avg(CASE outcome WHEN 'positive' THEN 1 WHEN 'neutral' THEN 0.5 ELSE 0 END)
FROM held WHERE outcome IN ('positive', 'neutral', 'negative') AND pg_temp.within(completed_at, 2160) GROUP BY account_id;

CREATE TEMP TABLE stakeholder AS
SELECT k.id, k.account_id FROM public.contacts k JOIN customer c ON c.id = k.account_id, instant
WHERE k.contact_status = 'active' AND k.created_at <= t;
INSERT INTO input
SELECT s.account_id, 'engagement', 'stakeholder_participation',
       100 * avg((EXISTS (SELECT FROM held h JOIN public.engagement_participants p ON p.engagement_id = h.id
                          WHERE h.account_id = s.account_id AND p.contact_id = s.id AND p.participation_type IN ('organizer', 'attendee')
                            AND p.response_status IS DISTINCT FROM 'declined' AND pg_temp.within(h.completed_at, 2160)))::int)
FROM stakeholder s GROUP BY s.account_id;

-- Business ------------------------------------------------------------------------------------------------------------------
INSERT INTO input
SELECT a.id, 'business', 'contract_value', 100 * (count(*) FILTER (WHERE b.arr < a.arr) + 0.5 * count(*) FILTER (WHERE b.arr = a.arr)) / count(*)
FROM customer a JOIN customer b USING (tenant, currency) WHERE a.arr > 0 AND b.arr > 0 GROUP BY a.id;

-- An invoice is paid in time until the end of the day on which it is due; before that an unpaid one is not late.
CREATE TEMP TABLE bill AS
SELECT i.account_id, COALESCE(i.paid_at <= t AND i.paid_at::date <= i.due_on, false) AS in_time
FROM crm_ext.invoice i JOIN customer c ON c.id = i.account_id JOIN "window" w ON w.name = '1y'
WHERE i.status <> 'void' AND i.amount > 0 AND i.due_on::timestamptz > w.start AND i.due_on::timestamptz <= w.t
  AND (i.paid_at <= t OR (i.due_on + 1)::timestamptz <= t);
INSERT INTO input SELECT account_id, 'business', 'payment_history', 100 * avg(in_time::int) FROM bill GROUP BY account_id;

INSERT INTO input
SELECT id, 'business', 'expansion_opportunity', 100 * GREATEST(0, LEAST(1, (people::numeric / seats - 0.5) / 0.4))
FROM active_users JOIN customer USING (id) WHERE seats > 0;

-- The contract that counts is the one that ends last of those that have begun. Whether it renews itself says itself while it is in force,
-- else the account's record.
CREATE TEMP TABLE contract_now AS
SELECT DISTINCT ON (account_id) account_id AS id, outcome, decided_at, ends_on::timestamptz AS ends, k.auto_renew
FROM crm_ext.contract k JOIN customer c ON c.id = account_id, instant
WHERE k.starts_on::timestamptz <= t
ORDER BY account_id, ends_on DESC NULLS FIRST, starts_on DESC;

INSERT INTO input
SELECT id, 'business', 'renewal_likelihood', CASE WHEN renews THEN 100 ELSE renewal_forecast END
FROM (SELECT c.id, c.renewal_forecast, COALESCE(CASE WHEN k.id IS NOT NULL AND (k.ends > t) IS NOT FALSE THEN k.auto_renew END, c.auto_renew) AS renews
      FROM customer c LEFT JOIN contract_now k USING (id), instant) r
WHERE renews OR renewal_forecast IS NOT NULL;

-- Factors and the score -----------------------------------------------------------------------------------------------------
CREATE TEMP TABLE weight AS
SELECT * FROM (VALUES ('product_usage', 0.40), ('support', 0.25), ('engagement', 0.20), ('business', 0.15)) w (factor, weight);
CREATE TEMP TABLE factor AS SELECT id, factor, avg(value) AS value FROM input GROUP BY id, factor;
CREATE INDEX ON factor (id);
-- Rounded to nine decimals, since thirds are not exact: where a score lies on the edge of a band it is on it.
CREATE TEMP TABLE health AS
SELECT id, round(sum(weight * value) / sum(weight), 9) AS score
FROM factor JOIN weight USING (factor) GROUP BY id HAVING sum(weight) >= 0.5;

CREATE TEMP TABLE scored AS SELECT c.*, h.score FROM customer c LEFT JOIN health h USING (id);
