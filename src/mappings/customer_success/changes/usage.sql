-- SPDX-License-Identifier: MIT
-- A day of health_metrics is written once, and so are most sessions. What polls cannot tell shows by the server's counters; then, and when a
-- product or a tracked account is changed, usage is read whole. A session does not say whose it is, but its tracked account does (via), and
-- the sessions of a device say it of the device.
SELECT t.fastenr_account_id AS account_id, f.id AS via
FROM public.user_fingerprints f
JOIN public.usage_sessions s ON s.fingerprint_id = f.id
LEFT JOIN public.usage_tracked_accounts t ON t.id = s.tracked_account_id;
SELECT account_id, metric_date AS day, created_at AS inserted_at FROM public.health_metrics;
SELECT t.fastenr_account_id AS account_id, s.tracked_account_id AS via, s.started_at AS inserted_at
FROM public.usage_sessions s
LEFT JOIN public.usage_tracked_accounts t ON t.id = s.tracked_account_id;
-- Whose account it is and of which tenant does not change. New and deleted accounts are told by account.
SELECT FROM public.accounts;
