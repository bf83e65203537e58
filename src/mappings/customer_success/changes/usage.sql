-- SPDX-License-Identifier: MIT
-- A day of health_metrics is written once, and so are most sessions. What is changed later shows by the server's counters; then, and when a
-- product, a device or a tracked account is changed, usage is read whole.
SELECT account_id, created_at AS inserted_at FROM public.health_metrics;
SELECT t.fastenr_account_id AS account_id, s.started_at AS inserted_at
FROM public.usage_sessions s
LEFT JOIN public.usage_tracked_accounts t ON t.id = s.tracked_account_id;
-- Whose account it is and of which tenant does not change. New and deleted accounts are told by account.
SELECT FROM public.accounts;
