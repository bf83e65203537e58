-- SPDX-License-Identifier: MIT
-- Optional: (account, time) indexes on the large tables. A full read does not use them. They make it cheaper to read again the facts of
-- a few changed accounts, and they cost the CRM disk and time at each write: see the prices below, and apply what pays.
-- Measured with the demo CRM, 10,000 accounts and 365 days of history without sessions (822 MB): 120 MB more on disk, a third of the tables
-- concerned (health 90, engagements 15, support 14, growth 1), built in 2 s; nightly batches of 200,000 health rows took no longer than the
-- noise. Single inserts of engagements pay more: with watermark indexes of the same kind on 100,000 accounts 4 to 43 % were seen. What they
-- give, at 100,000 accounts: all facts of 100 changed accounts in 27 ms instead of 114 ms of the server's time, of 1,000 in 0.18 s instead of 0.87 s.
--
--   psql -X -v ON_ERROR_STOP=1 -f indexes.sql CRM
--
-- CONCURRENTLY: writers are not locked out, but it must not run inside a transaction. If it is interrupted, an INVALID index stays behind:
-- drop it and run again. To take them back: DROP INDEX CONCURRENTLY public.crm_health_account_day_idx; and so on.
\set ON_ERROR_STOP on
CREATE INDEX CONCURRENTLY IF NOT EXISTS crm_health_account_day_idx ON public.health_metrics (account_id, metric_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS crm_support_account_day_idx ON public.support_metrics (account_id, metric_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS crm_engagement_account_time_idx ON public.engagements (account_id, completed_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS crm_growth_account_time_idx ON public.account_growth_history (account_id, recorded_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS crm_session_account_time_idx ON public.usage_sessions (tracked_account_id, started_at);
