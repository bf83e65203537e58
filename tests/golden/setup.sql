-- SPDX-License-Identifier: MIT
-- A handful of rows per table, each one a trap. id('a1') is 00000000-0000-0000-0000-0000000000a1; the runner prints it as a1.
-- Organizations 01 02, staff b*, accounts a*, contacts c*, products d*, engagements e*, devices f*, tracked accounts 7*.
\set ON_ERROR_STOP on
BEGIN;
CREATE FUNCTION pg_temp.id(text) RETURNS uuid LANGUAGE sql AS $$SELECT ('00000000-0000-0000-0000-' || lpad($1, 12, '0'))::uuid$$;

INSERT INTO organizations (id, name, currency_code) VALUES (pg_temp.id('01'), 'acme', 'USD'), (pg_temp.id('02'), 'nihon', 'JPY');
INSERT INTO user_profiles (id, organization_id, full_name) VALUES (pg_temp.id('b1'), pg_temp.id('01'), 'Ada'), (pg_temp.id('b2'), pg_temp.id('02'), 'Ben');

INSERT INTO accounts (id, organization_id, name, industry, size, arr, mrr, seat_count, growth_tracking_method, previous_arr, previous_mrr, status,
                      health_score, churn_risk_score, csm_id, owner_id, created_at, updated_at) VALUES
  -- three rows of history; both amounts kept
  (pg_temp.id('a1'), pg_temp.id('01'), 'One', 'retail', 'large', 12000, 1000, 40, 'arr', 12000, 1000, 'active', 80, 20, pg_temp.id('b1'), NULL, '2025-12-31 08:00+00', '2026-03-01 09:00+00'),
  -- tracked by MRR, never updated; default scores, default seats, no status, no size; only an owner
  (pg_temp.id('a2'), pg_temp.id('01'), 'Two', NULL, NULL, NULL, 99.50, 0, 'mrr', NULL, NULL, NULL, 50, 50, NULL, pg_temp.id('b1'), '2026-01-10 08:00+00', '2026-01-10 08:00+00'),
  -- one row of history, and the value before it
  (pg_temp.id('a3'), pg_temp.id('01'), 'Three', NULL, 'small', 1500, NULL, 5, 'arr', 1000, NULL, 'at_risk', 40, 50, NULL, NULL, '2026-01-05 08:00+00', '2026-02-05 08:00+00'),
  -- one row of history; before it there was nothing, which is not 0
  (pg_temp.id('a4'), pg_temp.id('01'), 'Four', NULL, 'small', 2400, 200, 5, 'arr', NULL, NULL, 'onboarding', 50, 30, NULL, NULL, '2026-02-01 08:00+00', '2026-02-01 09:00+00'),
  -- churned, with a date; its manager is of another tenant
  (pg_temp.id('a5'), pg_temp.id('02'), 'Five', NULL, 'medium', 0, 0, 0, 'arr', 1200000, 100000, 'churned', 10, 90, pg_temp.id('b1'), NULL, '2025-06-01 00:00+00', '2026-03-02 00:00+00'),
  -- churned by status alone: no date anywhere
  (pg_temp.id('a6'), pg_temp.id('02'), 'Six', NULL, 'startup', 50000, NULL, 3, 'arr', NULL, NULL, 'churned', 50, 50, pg_temp.id('b2'), NULL, '2025-07-01 00:00+00', '2026-03-03 00:00+00'),
  -- its only row of history was stamped by a session nine hours off, before the account existed
  (pg_temp.id('a7'), pg_temp.id('02'), 'Seven', NULL, 'startup', 80000, NULL, 3, 'arr', 70000, NULL, 'active', 61, 39, pg_temp.id('b2'), NULL, '2026-02-10 05:00+00', '2026-02-10 06:00+00'),
  -- tracked by seats, with an MRR and no ARR
  (pg_temp.id('a8'), pg_temp.id('01'), 'Eight', NULL, 'startup', NULL, 10, 3, 'seat_count', NULL, NULL, 'active', 70, 30, NULL, NULL, '2026-02-15 00:00+00', '2026-02-15 00:00+00'),
  -- no amount at all
  (pg_temp.id('a9'), pg_temp.id('01'), 'Nine', NULL, 'startup', NULL, NULL, 3, 'arr', NULL, NULL, 'active', 70, 30, NULL, NULL, '2026-02-16 00:00+00', '2026-02-16 00:00+00');

INSERT INTO account_growth_history (account_id, organization_id, recorded_at, arr, mrr, seat_count, growth_tracking_method) VALUES
  (pg_temp.id('a1'), pg_temp.id('01'), '2026-01-01 09:00+00', 6000, 500, 20, 'arr'),
  (pg_temp.id('a1'), pg_temp.id('01'), '2026-02-01 09:00+00', 11999, 1000, 40, 'mrr'),
  (pg_temp.id('a1'), pg_temp.id('01'), '2026-03-01 09:00+00', NULL, 1100, 40, 'arr'),
  (pg_temp.id('a3'), pg_temp.id('01'), '2026-02-05 08:00+00', 1500, NULL, 5, 'arr'),
  (pg_temp.id('a4'), pg_temp.id('01'), '2026-02-01 09:00+00', 2400, 200, 5, 'arr'),
  (pg_temp.id('a5'), pg_temp.id('02'), '2025-06-02 00:00+00', 1200000, 100000, 9, 'arr'),
  (pg_temp.id('a5'), pg_temp.id('02'), '2025-12-02 00:00+00', NULL, NULL, 8, 'arr'),
  (pg_temp.id('a5'), pg_temp.id('02'), '2026-03-02 00:00+00', 0, 0, 0, 'arr'),
  (pg_temp.id('a7'), pg_temp.id('02'), '2026-02-09 21:00+00', 80000, NULL, 3, 'arr');

INSERT INTO crm_ext.account_detail (account_id, region, auto_renew, renewal_forecast, churned_at) VALUES
  (pg_temp.id('a1'), 'emea', true, 90, NULL),
  (pg_temp.id('a5'), 'apac', false, NULL, '2026-03-01 00:00+00');

INSERT INTO contacts (id, organization_id, account_id, first_name, last_name, decision_maker_level, relationship_strength, contact_status, created_at, updated_at) VALUES
  (pg_temp.id('c1'), pg_temp.id('01'), pg_temp.id('a1'), 'C', '1', 'Primary', 'champion', 'active', '2026-01-01 00:00+00', '2026-01-02 00:00+00'),
  (pg_temp.id('c2'), pg_temp.id('01'), pg_temp.id('a1'), 'C', '2', 'Unknown', 'unknown', 'left_company', '2026-01-01 00:00+00', '2026-02-02 00:00+00'),
  (pg_temp.id('c3'), pg_temp.id('01'), pg_temp.id('a1'), 'C', '3', NULL, NULL, NULL, '2026-01-01 00:00+00', '2026-01-01 00:00+00'),
  (pg_temp.id('c4'), pg_temp.id('01'), pg_temp.id('a1'), 'C', '4', 'Gatekeeper', 'detractor', 'unresponsive', '2026-01-01 00:00+00', '2026-01-01 00:00+00'),
  (pg_temp.id('c5'), pg_temp.id('01'), pg_temp.id('a1'), 'C', '5', 'User', 'supporter', 'inactive', '2026-01-01 00:00+00', '2026-01-01 00:00+00'),
  (pg_temp.id('c6'), pg_temp.id('01'), NULL, 'C', '6', 'Influencer', 'neutral', 'active', '2026-01-01 00:00+00', '2026-01-01 00:00+00');

INSERT INTO engagements (id, organization_id, account_id, type, title, outcome, attendees, scheduled_at, completed_at, created_by, created_at, updated_at) VALUES
  (pg_temp.id('e1'), pg_temp.id('01'), pg_temp.id('a1'), 'meeting', 'm', 'positive', '{somebody}', '2026-03-01 10:00+00', '2026-03-01 11:00+00', pg_temp.id('b1'), '2026-02-20 00:00+00', '2026-03-01 11:00+00'),
  (pg_temp.id('e2'), pg_temp.id('01'), pg_temp.id('a1'), 'email', 'm', NULL, NULL, NULL, '2026-03-02 11:00+00', pg_temp.id('b2'), '2026-03-02 11:00+00', '2026-03-02 11:00+00'),
  (pg_temp.id('e3'), pg_temp.id('01'), pg_temp.id('a1'), 'call', 'm', NULL, NULL, '2026-03-03 10:00+00', NULL, NULL, '2026-02-20 00:00+00', '2026-02-20 00:00+00'),
  (pg_temp.id('e4'), pg_temp.id('01'), pg_temp.id('a3'), 'demo', 'm', 'action_required', NULL, '2026-03-03 10:00+00', '2026-03-03 11:00+00', pg_temp.id('b1'), '2026-02-20 00:00+00', '2026-03-03 11:00+00');
INSERT INTO engagement_participants (engagement_id, contact_id, participation_type, response_status) VALUES
  (pg_temp.id('e1'), pg_temp.id('c1'), 'organizer', 'accepted'),
  (pg_temp.id('e1'), pg_temp.id('c2'), 'attendee', 'declined'),
  (pg_temp.id('e1'), pg_temp.id('c3'), 'attendee', NULL),
  (pg_temp.id('e1'), pg_temp.id('c4'), 'optional', 'accepted'),
  (pg_temp.id('e1'), pg_temp.id('c5'), 'mentioned', 'no_response'),
  (pg_temp.id('e3'), pg_temp.id('c1'), 'attendee', 'tentative'),
  (pg_temp.id('e4'), pg_temp.id('c4'), 'optional', NULL);
INSERT INTO crm_ext.engagement_response VALUES (pg_temp.id('e1'), 3600);

INSERT INTO nps_surveys (organization_id, account_id, score, survey_date, created_at) VALUES
  (pg_temp.id('01'), pg_temp.id('a1'), 10, '2026-03-01', '2026-03-05 00:00+00'),
  (pg_temp.id('01'), pg_temp.id('a1'), 0, '2026-03-01', '2026-03-05 00:00+00'),
  (pg_temp.id('02'), pg_temp.id('a5'), 7, NULL, '2026-03-04 23:59+00');

INSERT INTO health_metrics (organization_id, account_id, metric_date, login_frequency, feature_adoption_score, overall_health_score) VALUES
  (pg_temp.id('01'), pg_temp.id('a1'), '2026-03-01', 5, 60, 72), -- the job ran twice
  (pg_temp.id('01'), pg_temp.id('a1'), '2026-03-01', 6, 61, 72),
  (pg_temp.id('01'), pg_temp.id('a1'), '2026-03-02', 0, 0, 50),  -- the default score
  (pg_temp.id('01'), pg_temp.id('a1'), '2026-03-03', NULL, NULL, NULL),
  (pg_temp.id('01'), pg_temp.id('dead'), '2026-03-01', 3, 30, 30); -- of a deleted account

INSERT INTO customer_goals (id, organization_id, account_id, title, status, target_date, completion_date, created_at, updated_at) VALUES
  (pg_temp.id('91'), pg_temp.id('01'), pg_temp.id('a1'), 'g', 'achieved', '2026-02-28', '2026-02-20', '2026-01-02 00:00+00', '2026-02-20 00:00+00'),
  (pg_temp.id('92'), pg_temp.id('01'), pg_temp.id('a1'), 'g', 'achieved', '2026-01-31', '2026-01-30', '2026-01-02 00:00+00', '2026-01-30 00:00+00'),
  (pg_temp.id('93'), pg_temp.id('01'), pg_temp.id('a1'), 'g', 'on_track', '2026-04-30', '2026-01-10', '2026-01-02 00:00+00', '2026-01-11 00:00+00'), -- opened again
  (pg_temp.id('94'), pg_temp.id('01'), pg_temp.id('a3'), 'g', NULL, NULL, NULL, '2026-01-02 00:00+00', '2026-01-02 00:00+00');

INSERT INTO support_metrics (organization_id, account_id, provider, metric_date, ticket_count, new_tickets, resolved_tickets, open_tickets, avg_resolution_time_hours,
                             avg_first_response_time_hours, escalated_tickets, satisfaction_score, severity_score, updated_at) VALUES
  (pg_temp.id('01'), pg_temp.id('a1'), 'zendesk', '2026-03-02', 99, 4, 2, 5, 10, 1, 1, 4, 30, '2026-03-02 06:00+00'),
  (pg_temp.id('01'), pg_temp.id('a1'), 'jira', '2026-03-02', 99, 1, 0, 2, NULL, 2, 0, NULL, 80, '2026-03-02 07:00+00'),
  (pg_temp.id('01'), pg_temp.id('a1'), 'zendesk', '2026-03-09', 7, 0, 0, 7, NULL, NULL, 0, NULL, 20, '2026-03-09 06:00+00'),
  (pg_temp.id('01'), pg_temp.id('a2'), 'zendesk', '2026-03-02', 1, 0, 0, 1, NULL, NULL, 0, 5, 10, '2026-03-02 06:00+00'),
  (pg_temp.id('01'), pg_temp.id('a2'), 'intercom', '2026-03-02', 1, 0, 0, 1, NULL, NULL, 0, 3, 20, '2026-03-02 06:00+00'),
  (pg_temp.id('02'), pg_temp.id('a5'), 'zendesk', '2026-03-02', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-02 06:00+00');

INSERT INTO usage_tracking_products (id, organization_id, name) VALUES
  (pg_temp.id('d1'), pg_temp.id('01'), 'Console'), (pg_temp.id('d2'), pg_temp.id('02'), 'Console'), (pg_temp.id('d3'), pg_temp.id('01'), 'App');
INSERT INTO usage_tracked_accounts (id, product_id, account_id, fastenr_account_id) VALUES
  (pg_temp.id('71'), pg_temp.id('d1'), 'one', pg_temp.id('a1')),
  (pg_temp.id('72'), pg_temp.id('d1'), 'stranger', NULL),
  (pg_temp.id('73'), pg_temp.id('d2'), 'one', pg_temp.id('a1')), -- another tenant's product points at our account
  (pg_temp.id('74'), pg_temp.id('d3'), 'one', pg_temp.id('a1'));
INSERT INTO user_fingerprints (id, product_id, tracked_account_id, user_email) VALUES
  (pg_temp.id('f1'), pg_temp.id('d1'), pg_temp.id('71'), 'X@one.example'), -- one person,
  (pg_temp.id('f2'), pg_temp.id('d1'), pg_temp.id('71'), 'x@ONE.example'), -- two devices
  (pg_temp.id('f3'), pg_temp.id('d1'), pg_temp.id('71'), NULL),            -- no name,
  (pg_temp.id('f4'), pg_temp.id('d3'), pg_temp.id('74'), ''),              -- and no name: not the same person
  (pg_temp.id('f5'), pg_temp.id('d1'), pg_temp.id('71'), 'y@one.example'),
  (pg_temp.id('f6'), pg_temp.id('d2'), pg_temp.id('73'), 'z@one.example');
INSERT INTO usage_sessions (product_id, fingerprint_id, tracked_account_id, session_token, started_at, ended_at, duration_seconds) VALUES
  (pg_temp.id('d1'), pg_temp.id('f1'), pg_temp.id('71'), 's1', '2026-03-01 10:00+00', '2026-03-01 10:10+00', 600),
  (pg_temp.id('d1'), pg_temp.id('f2'), pg_temp.id('71'), 's2', '2026-03-01 12:00+00', '2026-03-01 12:05+00', NULL),
  (pg_temp.id('d1'), pg_temp.id('f3'), pg_temp.id('71'), 's3', '2026-03-01 13:00+00', NULL, NULL), -- still running
  (pg_temp.id('d1'), pg_temp.id('f1'), pg_temp.id('71'), 's4', '2026-03-29 10:00+00', '2026-03-29 10:15+00', 900),
  (pg_temp.id('d1'), pg_temp.id('f3'), pg_temp.id('71'), 's5', '2026-03-31 23:59+00', '2026-04-01 00:00+00', 60),
  (pg_temp.id('d3'), pg_temp.id('f4'), pg_temp.id('74'), 's6', '2026-03-10 10:00+00', '2026-03-10 10:20+00', 1200),
  (pg_temp.id('d2'), pg_temp.id('f6'), pg_temp.id('73'), 's7', '2026-03-01 10:00+00', '2026-03-01 11:00+00', 3600),
  (pg_temp.id('d1'), pg_temp.id('f5'), pg_temp.id('72'), 's8', '2026-03-01 10:00+00', '2026-03-01 11:00+00', 3600),
  (pg_temp.id('d1'), pg_temp.id('f5'), NULL, 's9', '2026-03-01 10:00+00', '2026-03-01 11:00+00', 3600),
  (pg_temp.id('d1'), pg_temp.id('f2'), pg_temp.id('71'), 's10', '2026-03-29 11:00+00', '2026-03-29 10:00+00', 5), -- ended before it began
  (pg_temp.id('d1'), pg_temp.id('f5'), pg_temp.id('71'), 's11', '2026-04-07 11:00+00', '2026-04-07 11:01+00', 30);
INSERT INTO usage_metrics (product_id, tracked_account_id, recorded_at, unique_users, total_sessions) VALUES
  (pg_temp.id('d1'), NULL, '2026-03-01', 77, 99), (pg_temp.id('d1'), pg_temp.id('71'), '2026-03-01', 88, 99);

INSERT INTO onboarding_plans (organization_id, account_id, status, started_at, target_completion_date, actual_completion_date, updated_at) VALUES
  (pg_temp.id('01'), pg_temp.id('a1'), 'completed', '2026-01-02 00:00+00', '2026-02-01', '2026-01-30', '2026-01-30 00:00+00'),
  (pg_temp.id('01'), pg_temp.id('a3'), 'on_hold', '2026-01-06 00:00+00', NULL, NULL, '2026-01-07 00:00+00'),
  (pg_temp.id('01'), pg_temp.id('a4'), 'not_started', NULL, '2026-04-01', NULL, '2026-02-01 00:00+00');

INSERT INTO crm_ext.contract (id, account_id, starts_on, ends_on, arr, currency, auto_renew, outcome, decided_at, renewed_arr, updated_at) VALUES
  (pg_temp.id('51'), pg_temp.id('a1'), '2025-01-01', '2026-01-01', 6000, 'USD', true, 'renewed', '2025-12-01 00:00+00', 6600, '2025-12-01 00:00+00'),
  (pg_temp.id('52'), pg_temp.id('a1'), '2026-01-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-01-01 00:00+00'),
  (pg_temp.id('53'), pg_temp.id('a5'), '2025-06-01', '2026-03-01', 1200000, 'JPY', false, 'lost', '2026-02-01 00:00+00', NULL, '2026-02-01 00:00+00');
INSERT INTO crm_ext.invoice (account_id, issued_on, due_on, paid_at, amount, currency, status, updated_at) VALUES
  (pg_temp.id('a1'), '2026-01-01', '2026-01-31', '2026-01-20 00:00+00', 500.25, 'USD', 'paid', '2026-01-20 00:00+00'),
  (pg_temp.id('a1'), '2026-02-01', '2026-03-03', NULL, 500, 'USD', 'open', '2026-02-01 00:00+00'),
  (pg_temp.id('a1'), '2026-02-01', '2026-03-03', NULL, 500, 'USD', 'void', '2026-02-02 00:00+00'),
  (pg_temp.id('a1'), '2026-02-01', '2026-03-03', NULL, -20, 'USD', 'open', '2026-02-02 00:00+00'),
  (pg_temp.id('a5'), '2025-06-01', '2025-07-01', NULL, 100000, 'JPY', 'uncollectible', '2026-02-02 00:00+00');
INSERT INTO crm_ext.opportunity (account_id, kind, amount, currency, stage, opened_at, closed_at, probability, updated_at) VALUES
  (pg_temp.id('a1'), 'upsell', 600, 'USD', 'won', '2026-01-01 00:00+00', '2026-02-01 00:00+00', 100, '2026-02-01 00:00+00'),
  (pg_temp.id('a3'), 'renewal', NULL, NULL, 'open', '2026-01-01 00:00+00', NULL, NULL, '2026-01-01 00:00+00');
INSERT INTO crm_ext.signal (account_id, kind, observed_at, weight) VALUES
  (pg_temp.id('a1'), 'competitor_mentions', '2026-02-01 00:00+00', 1.5),
  (pg_temp.id('a1'), 'rumour', '2026-02-02 00:00+00', NULL);
INSERT INTO crm_ext.intervention (account_id, kind, opened_at, closed_at, stage, owner_id, updated_at) VALUES
  (pg_temp.id('a1'), 'training', '2026-02-01 00:00+00', '2026-02-20 00:00+00', 'succeeded', pg_temp.id('b1'), '2026-02-20 00:00+00'),
  (pg_temp.id('a1'), 'discount', '2026-02-03 00:00+00', NULL, 'proposed', pg_temp.id('b2'), '2026-02-03 00:00+00');
COMMIT;
ANALYZE;
