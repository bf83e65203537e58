-- SPDX-License-Identifier: MIT
-- What the demo CRM does not have of itself: customers in deep trouble, odd rows, and facts exactly at the edges of windows. Changes the
-- demo's tables; loaded before anything is compared. The accounts of a tenant are numbered, and each kind of oddness has its numbers.
\set ON_ERROR_STOP on
BEGIN;
SET TimeZone = 'UTC';
CREATE TEMP TABLE instants (t timestamptz);
INSERT INTO instants SELECT unnest(string_to_array(:'instants', ' '))::timestamptz;
CREATE TEMP TABLE numbered AS
SELECT id, organization_id, row_number() OVER (PARTITION BY organization_id ORDER BY id)::int AS n FROM public.accounts;
CREATE FUNCTION pg_temp.those(every int, rest int) RETURNS SETOF uuid STABLE LANGUAGE sql AS 'SELECT id FROM numbered WHERE n % $1 = $2';
-- Around the edges of all windows: the instant and a microsecond to either side.
CREATE TEMP TABLE edge AS
SELECT DISTINCT i.t - w.w + e.e AS at
FROM instants i, unnest(ARRAY[interval '0', '168 hours', '720 hours', '1440 hours', '2160 hours', '1 year']) w (w),
     unnest(ARRAY[interval '0', '1 microsecond', '-1 microsecond']) e (e);

-- Numbers 3, 13, 23 ...: nothing goes well in the weeks before each instant.
UPDATE public.health_metrics SET login_frequency = 0, feature_adoption_score = 1
WHERE account_id IN (SELECT pg_temp.those(10, 3)) AND EXISTS (SELECT FROM instants WHERE metric_date BETWEEN (t - interval '26 days')::date AND t::date);
UPDATE public.support_metrics SET new_tickets = 20 + new_tickets, escalated_tickets = 20, severity_score = 97, avg_resolution_time_hours = 150 + new_tickets,
  resolved_tickets = 3, avg_first_response_time_hours = 30, satisfaction_score = 1
WHERE account_id IN (SELECT pg_temp.those(10, 3)) AND EXISTS (SELECT FROM instants WHERE metric_date BETWEEN (t - interval '80 days')::date AND t::date);
UPDATE public.engagements SET outcome = 'negative', completed_at = CASE WHEN id::text < '8' AND scheduled_at IS NOT NULL THEN NULL ELSE completed_at END
WHERE account_id IN (SELECT pg_temp.those(10, 3)) AND EXISTS (SELECT FROM instants WHERE completed_at BETWEEN t - interval '70 days' AND t);
INSERT INTO crm_ext.engagement_response
SELECT id, 86400 + (get_byte(decode(substr(id::text, 1, 2), 'hex'), 0) % 3 - 1) FROM public.engagements -- the target and a second to either side
WHERE account_id IN (SELECT pg_temp.those(10, 3)) AND completed_at IS NOT NULL
ON CONFLICT (engagement_id) DO UPDATE SET response_seconds = EXCLUDED.response_seconds;
DELETE FROM public.engagement_participants p USING public.engagements e
WHERE e.id = p.engagement_id AND e.account_id IN (SELECT pg_temp.those(20, 3)) AND p.response_status = 'accepted';
UPDATE crm_ext.invoice SET paid_at = NULL, status = 'open' WHERE account_id IN (SELECT pg_temp.those(10, 3));
UPDATE crm_ext.account_detail SET auto_renew = NULL, renewal_forecast = 0 WHERE account_id IN (SELECT pg_temp.those(10, 3));
UPDATE crm_ext.contract SET auto_renew = NULL, outcome = NULL, decided_at = NULL WHERE account_id IN (SELECT pg_temp.those(10, 3));
INSERT INTO crm_ext.signal (account_id, kind, observed_at, weight)
SELECT n.id, k, t - interval '1 hour', CASE n.n % 20 WHEN 3 THEN 0.6 END
FROM numbered n, instants, unnest(ARRAY['budget_constraints', 'competitor_mentions', 'feature_requests', 'pricing_discussions', 'gossip']) k WHERE n.n % 10 = 3;

-- 5: nobody knows how many seats; 6: none. 7, 47 ...: a free account of which nothing is known, so that it has no score.
UPDATE public.accounts SET seat_count = NULL WHERE id IN (SELECT pg_temp.those(20, 5));
UPDATE public.accounts SET seat_count = 0 WHERE id IN (SELECT pg_temp.those(20, 6));
DELETE FROM public.health_metrics WHERE account_id IN (SELECT pg_temp.those(40, 7));
UPDATE public.usage_tracked_accounts SET fastenr_account_id = NULL WHERE fastenr_account_id IN (SELECT pg_temp.those(40, 7));
DELETE FROM public.account_growth_history WHERE account_id IN (SELECT pg_temp.those(40, 7));
DELETE FROM crm_ext.invoice WHERE account_id IN (SELECT pg_temp.those(40, 7));
DELETE FROM crm_ext.contract WHERE account_id IN (SELECT pg_temp.those(40, 7));
DELETE FROM crm_ext.account_detail WHERE account_id IN (SELECT pg_temp.those(40, 7));
UPDATE public.accounts SET arr = 0, mrr = 0, status = NULL, csm_id = NULL, owner_id = NULL WHERE id IN (SELECT pg_temp.those(40, 7));

-- Revenue. 9: gone and back again and again; 10: its first known level came late; 11: levels at the edges of windows; 12: less than before;
-- 27: unknown; 28: a monthly amount that is no twelfth of a whole one, and another annual one beside it; 29: one that went down to nothing
-- and is still called active.
DELETE FROM public.account_growth_history WHERE account_id IN (SELECT id FROM numbered WHERE n % 20 IN (9, 10, 11) OR n % 40 IN (27, 28, 29));
DELETE FROM crm_ext.contract WHERE account_id IN (SELECT id FROM numbered WHERE n % 20 IN (9, 10, 11));
UPDATE public.accounts SET status = 'active', created_at = '2021-05-05 05:05+00' WHERE id IN (SELECT id FROM numbered WHERE n % 20 IN (9, 10, 11));
DELETE FROM crm_ext.account_detail WHERE account_id IN (SELECT id FROM numbered WHERE n % 20 IN (9, 10, 11));
INSERT INTO public.account_growth_history (account_id, organization_id, recorded_at, arr, mrr, growth_tracking_method)
SELECT n.id, n.organization_id, l.at, l.arr, NULL::numeric, 'arr'
FROM numbered n, (SELECT timestamptz '2022-01-01 00:00+00' AS at, 12000 AS arr UNION ALL SELECT '2022-07-01 00:00+00', 0
                  UNION ALL SELECT t - interval '40 days', 0 FROM instants UNION ALL SELECT t - interval '3 days', 36000 FROM instants) l
WHERE n.n % 20 = 9
UNION ALL
SELECT n.id, n.organization_id, t - i, a, NULL::numeric, 'arr' FROM numbered n, (SELECT min(t) AS t FROM instants) f,
       (VALUES (interval '3 days', 5000), ('1 day', 7000)) l (i, a) WHERE n.n % 20 = 10
UNION ALL
SELECT n.id, n.organization_id, at, 1000 * (10 + rank() OVER (PARTITION BY n.id ORDER BY md5(at::text))), NULL, 'arr' FROM numbered n, edge WHERE n.n % 20 = 11
UNION ALL
SELECT n.id, n.organization_id, t - interval '2 days', 100, 99, 'mrr' FROM numbered n, instants WHERE n.n % 20 = 12;
-- 30: levels around the ends of months in both zones, unknown before the first of them.
DELETE FROM public.account_growth_history WHERE account_id IN (SELECT pg_temp.those(40, 30));
DELETE FROM crm_ext.account_detail WHERE account_id IN (SELECT pg_temp.those(40, 30));
UPDATE public.accounts SET status = 'active', created_at = '2022-03-04 05:06+00' WHERE id IN (SELECT pg_temp.those(40, 30));
INSERT INTO public.account_growth_history (account_id, organization_id, recorded_at, arr, mrr, growth_tracking_method)
SELECT n.id, n.organization_id, m + o, (ARRAY[0, 0, 1200, 2400, 3600])[1 + get_byte(decode(md5(m::text || n.id || o), 'hex'), 0) % 5], NULL::numeric, 'arr'
FROM numbered n, generate_series(timestamptz '2023-07-01 00:00+00', '2024-09-01', '1 month') m,
     unnest(ARRAY[interval '-1 microsecond', '0', '3 hours -1 microsecond', '3 hours']) o WHERE n.n % 40 = 30 AND m >= timestamptz '2023-01-01' + interval '1 month' * (n.n / 40 + 7);
UPDATE public.accounts SET arr = NULL, mrr = NULL WHERE id IN (SELECT pg_temp.those(40, 27));
UPDATE public.accounts a SET arr = 990, mrr = CASE o.currency_code WHEN 'JPY' THEN 83 ELSE 83.33 END, growth_tracking_method = 'mrr'
FROM public.organizations o WHERE o.id = a.organization_id AND a.id IN (SELECT pg_temp.those(40, 28));
INSERT INTO public.account_growth_history (account_id, organization_id, recorded_at, arr, mrr, growth_tracking_method)
SELECT id, organization_id, t - interval '20 days', 0, 0, 'seat_count' FROM numbered, instants WHERE n % 40 = 29;

-- Churn. 14: it has left, and has paid until the day of the last instant; 15: without any date but for levels of zero; 16: exactly at the
-- instant before last; 17: its contracts are over, and nobody has written down when it left; 18: without anything.
UPDATE public.accounts SET status = 'churned' WHERE id IN (SELECT id FROM numbered WHERE n % 40 IN (14, 15, 16, 17, 18));
DELETE FROM crm_ext.contract WHERE account_id IN (SELECT id FROM numbered WHERE n % 40 IN (14, 15, 16, 17, 18));
DELETE FROM crm_ext.account_detail WHERE account_id IN (SELECT id FROM numbered WHERE n % 40 IN (14, 15, 16, 17, 18));
INSERT INTO crm_ext.account_detail (account_id, churned_at)
SELECT id, t - interval '11 days' FROM numbered, (SELECT max(t) AS t FROM instants) i WHERE n % 40 = 14
UNION ALL
SELECT id, t FROM numbered, (SELECT t FROM instants ORDER BY t DESC LIMIT 1 OFFSET 1) i WHERE n % 40 = 16;
INSERT INTO crm_ext.contract (account_id, starts_on, ends_on, arr)
SELECT id, t::date - 200, t::date, 1 FROM numbered, (SELECT max(t) AS t FROM instants) i WHERE n % 40 = 14
UNION ALL
SELECT id, t::date - s, t::date - e, 1 FROM numbered, (SELECT max(t) AS t FROM instants) i, (VALUES (800, 400), (400, 30)) c (s, e) WHERE n % 40 = 17;
INSERT INTO public.account_growth_history (account_id, organization_id, recorded_at, arr, mrr, growth_tracking_method)
SELECT id, organization_id, '2022-01-01 00:00+00', 600, 50, 'mrr' FROM numbered WHERE n % 40 = 15
UNION ALL
SELECT id, organization_id, t, 0, 0, 'arr' FROM numbered, (SELECT t FROM instants ORDER BY t LIMIT 1) i WHERE n % 40 = 15;

-- 34: last heard of exactly at the start of a window. 35, 36: revenue that rose after nothing that counts: what went well came before a rise at
-- the very start of the year, and before the rise within it nothing, or a note.
DELETE FROM public.engagements WHERE account_id IN (SELECT id FROM numbered WHERE n % 40 IN (34, 35, 36));
DELETE FROM public.customer_goals WHERE account_id IN (SELECT id FROM numbered WHERE n % 40 IN (35, 36));
DELETE FROM public.account_growth_history WHERE account_id IN (SELECT id FROM numbered WHERE n % 40 IN (35, 36));
DELETE FROM crm_ext.account_detail WHERE account_id IN (SELECT id FROM numbered WHERE n % 40 IN (34, 35, 36));
UPDATE public.accounts SET status = 'active', created_at = '2021-05-05 05:05+00' WHERE id IN (SELECT id FROM numbered WHERE n % 40 IN (34, 35, 36));
INSERT INTO public.account_growth_history (account_id, organization_id, recorded_at, arr, mrr, growth_tracking_method)
SELECT n.id, n.organization_id, l.at, l.arr, NULL::numeric, 'arr'
FROM numbered n, (SELECT max(t) AS t FROM instants) i,
     LATERAL (VALUES (timestamptz '2022-01-01', 1000), (t - interval '1 year', 2000), (t - interval '100 days', 3000)) l (at, arr) WHERE n.n % 40 IN (35, 36);
INSERT INTO public.engagements (account_id, organization_id, type, title, outcome, completed_at)
SELECT n.id, n.organization_id, 'call', 'edge', 'neutral', t - make_interval(hours => 24 * (ARRAY[7, 30, 60, 90])[1 + n.n / 40 % 4]) FROM numbered n, instants WHERE n.n % 40 = 34
UNION ALL
SELECT n.id, n.organization_id, e.type, 'edge', 'positive', e.at
FROM numbered n, (SELECT max(t) AS t FROM instants) i,
     LATERAL (VALUES (35, 'call', t - interval '1 year 10 days'), (36, 'note', t - interval '110 days')) e (n, type, at) WHERE n.n % 40 = e.n;

-- 36 again: a goal that was reached before the rise, and entered after everything: nobody knew of it.
INSERT INTO public.customer_goals (organization_id, account_id, title, status, target_date, completion_date, created_at)
SELECT n.organization_id, n.id, 'entered late', 'achieved', t::date - 120, t::date - 110, t + interval '1 day'
FROM numbered n, (SELECT max(t) AS t FROM instants) i WHERE n.n % 40 = 36;

-- 19: accounts as old as an instant, and a microsecond younger.
UPDATE public.accounts SET created_at = i.t + interval '1 microsecond' * (n / 20 % 2)
FROM numbered n, (SELECT t, row_number() OVER (ORDER BY t)::int - 1 AS k FROM instants) i
WHERE n.id = accounts.id AND n.n % 20 = 19 AND n.n / 40 % 3 = i.k;

-- 1: engagements, signals, answers, contacts and invoices at the edges.
INSERT INTO public.engagements (account_id, organization_id, type, title, outcome, scheduled_at, completed_at, created_by)
SELECT n.id, n.organization_id, k.type, 'edge', k.outcome, CASE WHEN k.planned THEN edge.at END, CASE WHEN k.done THEN edge.at END,
       CASE WHEN h.h % 2 = 0 THEN (SELECT u.id FROM public.user_profiles u ORDER BY md5(u.id::text || h.h) LIMIT 1) END
FROM numbered n, edge, (VALUES ('meeting', 'positive', true, true), ('call', NULL, true, false), ('note', 'action_required', false, true),
                               ('note', 'negative', true, false), ('email', 'neutral', true, false), ('training', 'negative', false, true)) k (type, outcome, planned, done)
CROSS JOIN LATERAL (SELECT get_byte(decode(md5(edge.at::text || k.type || n.id), 'hex'), 0) AS h) h
WHERE n.n % 20 = 1 AND h.h % 3 = 0;
-- Every type with every outcome in the last week, and something in every hour of one.
INSERT INTO public.engagements (account_id, organization_id, type, title, outcome, completed_at)
SELECT n.id, n.organization_id, k, 'edge', o, t - interval '50 hours'
FROM numbered n, instants, unnest(ARRAY['meeting', 'call', 'email', 'note', 'demo', 'training']) k,
     unnest(ARRAY['positive', 'neutral', 'negative', 'action_required', NULL]) o WHERE n.n % 80 = 21
UNION ALL
SELECT n.id, n.organization_id, 'call', 'edge', 'neutral', t - make_interval(hours => h) FROM numbered n, instants, generate_series(0, 167) h WHERE n.n % 80 = 41;
INSERT INTO crm_ext.engagement_response
SELECT e.id, (ARRAY[0, 3600, 3601, 14400, 28800, 86401, 259200, 259201])[1 + get_byte(decode(md5(e.id::text), 'hex'), 0) % 8]
FROM public.engagements e JOIN numbered n ON n.id = e.account_id WHERE n.n % 20 = 1 AND e.completed_at IS NOT NULL ON CONFLICT DO NOTHING;
-- Held later than planned, with an instant in between: missed at that instant.
INSERT INTO public.engagements (account_id, organization_id, type, title, outcome, scheduled_at, completed_at)
SELECT n.id, n.organization_id, 'demo', 'late', 'positive', t - interval '2 hours', t + interval '1 hour' FROM numbered n, instants WHERE n.n % 20 IN (1, 2);
INSERT INTO public.engagement_participants (engagement_id, contact_id, participation_type, response_status)
SELECT e.id, c.id, p.type, p.status
FROM public.engagements e JOIN public.contacts c ON c.organization_id = e.organization_id
CROSS JOIN LATERAL (SELECT (ARRAY['organizer', 'attendee', 'optional', 'mentioned'])[1 + b % 4] AS type,
                           (ARRAY['accepted', 'declined', 'tentative', 'no_response', NULL])[1 + b % 5] AS status, b
                    FROM (SELECT get_byte(decode(md5(e.id::text || c.id), 'hex'), 0) AS b) h) p
WHERE e.title = 'edge' AND (c.account_id = e.account_id AND p.b < 150 OR p.b < 1); -- and somebody of another customer
INSERT INTO crm_ext.signal (account_id, kind, observed_at, weight)
SELECT n.id, (ARRAY['budget_constraints', 'competitor_mentions', 'feature_requests', 'pricing_discussions'])[1 + n.n / 20 % 4], edge.at, 0.25
FROM numbered n, edge WHERE n.n % 20 = 1;
INSERT INTO public.contacts (organization_id, account_id, first_name, last_name, contact_status, created_at)
SELECT n.organization_id, n.id, 'E', 'Dge', s, edge.at FROM numbered n, edge, unnest(ARRAY['active', NULL]) s WHERE n.n % 40 = 1;
-- People of every level and strength, with whom somebody met and with whom nobody did, and some who have left.
INSERT INTO public.contacts (organization_id, account_id, first_name, last_name, decision_maker_level, relationship_strength, contact_status, created_at)
SELECT n.organization_id, n.id, 'E' || e, 'Dge', l, s, CASE WHEN n.n % 80 = 21 OR s IS DISTINCT FROM 'champion' THEN 'active' ELSE f END, '2021-06-01'
FROM numbered n, unnest(ARRAY['Primary', 'Influencer', 'User', 'Gatekeeper', 'Unknown', NULL]) l,
     unnest(ARRAY['champion', 'supporter', 'neutral', 'detractor', 'unknown', NULL]) s, generate_series(0, 1) e,
     unnest(ARRAY['active', 'left_company', 'inactive', 'unresponsive']) WITH ORDINALITY x (f, nr) WHERE n.n % 80 IN (21, 61) AND n.n / 80 % 4 = nr - 1;
INSERT INTO public.engagement_participants (engagement_id, contact_id, participation_type, response_status)
SELECT e.id, c.id, 'attendee', NULL FROM public.contacts c JOIN public.engagements e ON e.account_id = c.account_id AND e.title = 'edge' AND e.type = 'demo'
WHERE c.first_name = 'E1' AND e.outcome = 'positive';
INSERT INTO public.nps_surveys (organization_id, account_id, score, survey_date, created_at)
SELECT n.organization_id, n.id, (n.n + extract(day FROM edge.at)::int + d) % 11, edge.at::date + d, edge.at FROM numbered n, edge, generate_series(-1, 1) d WHERE n.n % 20 = 1
UNION ALL
SELECT n.organization_id, n.id, 10, NULL, edge.at FROM numbered n, edge WHERE n.n % 20 = 1;
INSERT INTO crm_ext.invoice (account_id, issued_on, due_on, paid_at, amount, currency, status)
SELECT n.id, d.due - 30, d.due, k.paid, k.amount, 'USD', k.status
FROM numbered n, (SELECT DISTINCT at::date + d AS due FROM edge, generate_series(-1, 1) d) d
CROSS JOIN LATERAL (VALUES (d.due + interval '23:59:59.999999', 10, 'paid'), (d.due + interval '1 day', 10, 'paid'), (NULL, 10, 'open'),
                           (d.due + interval '26:59:59', 10, 'paid'), (NULL, 10, 'void'), (NULL, -10, 'open'), (NULL, 10, 'uncollectible')) k (paid, amount, status)
WHERE n.n % 20 = 1 AND get_byte(decode(md5(d.due::text || n.id || k.status || k.amount), 'hex'), 0) % 3 = 0;

-- 4: health rows twice a day, and on the days at the edges; 8: a second desk.
INSERT INTO public.health_metrics (organization_id, account_id, metric_date, login_frequency, feature_adoption_score, created_at)
SELECT n.organization_id, n.id, d.day, l, 50, d.day + interval '23:30'
FROM numbered n, (SELECT DISTINCT at::date + d AS day FROM edge, generate_series(-1, 1) d) d, unnest(ARRAY[1, NULL, 9]) l WHERE n.n % 20 = 4;
INSERT INTO public.support_metrics (organization_id, account_id, provider, metric_date, new_tickets, resolved_tickets, escalated_tickets, severity_score,
                                    avg_resolution_time_hours, avg_first_response_time_hours, satisfaction_score)
SELECT n.organization_id, n.id, p.p, d.day, p.fresh, p.solved, 1, p.severity, 11 + p.fresh, p.hours, p.csat
FROM numbered n, (SELECT DISTINCT at::date + d AS day FROM edge, generate_series(-1, 1) d) d,
     (VALUES ('zendesk', 3, 2, 80, 24.0, 4.5), ('jira', 0, 0, 20, 24.01, 2), ('intercom', NULL, 5, NULL, NULL, NULL)) p (p, fresh, solved, severity, hours, csat)
WHERE n.n % 20 = 8 ON CONFLICT DO NOTHING;
-- Days on which nobody knows when the first answer came.
UPDATE public.support_metrics SET avg_first_response_time_hours = NULL WHERE account_id IN (SELECT pg_temp.those(20, 12));

-- 2: devices of one person and of nobody known, at the edges of windows and around the midnights of all zones four weeks before; sessions that
-- are still running, and one that never had a length.
INSERT INTO public.user_fingerprints (product_id, tracked_account_id, user_email)
SELECT t.product_id, t.id, mail FROM public.usage_tracked_accounts t JOIN numbered n ON n.id = t.fastenr_account_id,
       unnest(ARRAY['twice@example.test', 'twice@example.test', NULL]) mail WHERE n.n % 20 = 2;
INSERT INTO public.usage_sessions (product_id, fingerprint_id, tracked_account_id, session_token, started_at, ended_at, duration_seconds)
SELECT f.product_id, f.id, f.tracked_account_id, 'edge', v.at, CASE WHEN h % 5 > 0 THEN v.at + make_interval(secs => h) END, CASE WHEN h % 5 > 0 THEN h END
FROM public.user_fingerprints f JOIN public.usage_tracked_accounts t ON t.id = f.tracked_account_id
JOIN numbered n ON n.id = t.fastenr_account_id
CROSS JOIN (SELECT at FROM edge UNION SELECT date_trunc('day', t) - make_interval(days => d, hours => k) FROM instants, generate_series(0, 48, 3) k, unnest(ARRAY[0, 26]) d) v
CROSS JOIN LATERAL (SELECT 10 * get_byte(decode(md5(f.id::text || v.at), 'hex'), 0) AS h) r
WHERE n.n % 20 = 2 AND f.first_seen IS NULL AND h % 3 = 0;

-- 3: opportunities of every kind and stage around the edges: opened there, or closed there, or closed on a day that nobody wrote down.
INSERT INTO crm_ext.opportunity (account_id, kind, amount, stage, opened_at, closed_at)
SELECT n.id, k, CASE WHEN h % 5 > 0 THEN 100 * (1 + h % 7) END, s, CASE WHEN h % 2 = 0 THEN edge.at ELSE edge.at - interval '10 days' END,
       CASE WHEN s <> 'open' AND h % 11 > 0 THEN CASE WHEN h % 2 = 0 THEN edge.at + interval '20 days' ELSE edge.at END END
FROM numbered n, edge, unnest(ARRAY['upsell', 'cross_sell', 'expansion', 'renewal', 'new']) k, unnest(ARRAY['open', 'won', 'lost']) s
CROSS JOIN LATERAL (SELECT get_byte(decode(md5(edge.at::text || k || s || n.id), 'hex'), 0) AS h) h
WHERE n.n % 20 = 3 AND h % 3 = 0;

-- 5: goals of every kind with targets at the edges; 0: contracts that end there, decided before and after, renewed for more, for less, for an
-- amount that nobody wrote down, and plans of onboarding.
INSERT INTO public.customer_goals (organization_id, account_id, title, status, target_date, completion_date, created_at)
SELECT n.organization_id, n.id, 'edge', k.status, d.day, CASE WHEN k.status = 'achieved' THEN d.day + k.late END, '2021-06-01'
FROM numbered n, (SELECT DISTINCT at::date + d AS day FROM edge, generate_series(-1, 1) d UNION SELECT NULL) d,
     (VALUES ('achieved', 0), ('achieved', 3), ('achieved', NULL), ('missed', 0), ('on_track', 0), ('at_risk', 0), (NULL, 0)) k (status, late)
WHERE n.n % 20 = 5;
INSERT INTO crm_ext.contract (account_id, starts_on, ends_on, arr, currency, auto_renew, outcome, decided_at, renewed_arr)
SELECT n.id, d.day - 365 - k.nr, d.day, k.arr, NULL, k.renewed > 1000, k.outcome, d.day + k.decided, k.renewed
FROM numbered n, (SELECT DISTINCT at::date + f AS day FROM edge, unnest(ARRAY[-1, 0, 1, 30, 60, 90]) f) d,
     (VALUES (1, 'renewed', interval '-40 days', 1000, 1200), (2, 'renewed', '10 days', 1000, 800), (3, 'renewed', '0', 1000, NULL),
             (4, 'renewed', '0', NULL, 7), (5, 'lost', '-5 days', 500, NULL), (6, NULL, NULL, 900, NULL)) k (nr, outcome, decided, arr, renewed)
WHERE n.n % 20 = 0 AND get_byte(decode(md5(d.day::text || n.id || k.*::text), 'hex'), 0) % 4 = 0;
UPDATE public.onboarding_plans o
SET started_at = CASE x.b % 3 WHEN 0 THEN o.started_at ELSE x.at - interval '30 days' * (x.b % 2) END, target_completion_date = CASE WHEN x.b % 5 > 0 THEN x.at::date + x.b % 3 - 1 END,
    actual_completion_date = CASE WHEN x.b % 4 = 0 THEN x.at::date + x.b % 3 - 1 END,
    status = CASE WHEN x.b % 4 = 0 THEN 'completed' ELSE (ARRAY['in_progress', 'on_hold', 'cancelled', 'not_started'])[1 + x.b % 4] END
FROM numbered n
CROSS JOIN LATERAL (SELECT get_byte(decode(md5(n.id::text), 'hex'), 0) AS b, (SELECT at FROM edge ORDER BY md5(at::text || n.id) LIMIT 1) AS at) x
WHERE o.account_id = n.id AND n.n % 4 = 1;
COMMIT;
ANALYZE;
