-- SPDX-License-Identifier: MIT
-- The role that the plugin logs in as: it may read the columns that the mapping `customer_success` reads, and nothing else.
-- Run it in the CRM's database, as a superuser or as the owner of the tables who may create roles:
--
--   psql -X -v ON_ERROR_STOP=1 -f role.sql CRM
--
-- No password stands here. Either let the role in without one (peer authentication: map the user that collectd runs as to it in
-- pg_ident.conf), or set one afterwards with psql's own command, which sends only a hash:
--
--   psql CRM -c '\password collectd_crm'
--
-- Variables of psql (-v name=value): connections (limit, default 4), statement_timeout (default 60s).
-- Running it again is harmless and brings the grants up to date; grants that are no longer here stay until revoked.
\set ON_ERROR_STOP on
\if :{?connections} \else \set connections 4 \endif
\if :{?statement_timeout} \else \set statement_timeout 60s \endif

SELECT 'CREATE ROLE collectd_crm' WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'collectd_crm') \gexec
ALTER ROLE collectd_crm LOGIN NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT :connections;

-- Defaults of its sessions: read only, no long statements, no forgotten transactions. The plugin sets its own limits on top. A guest takes
-- one core, not all of them; compiling statements costs more than it gives here. The memory is for the large groupings (participants of
-- engagements, support), which would otherwise go through temporary files.
ALTER ROLE collectd_crm SET default_transaction_read_only = on;
ALTER ROLE collectd_crm SET statement_timeout = :'statement_timeout';
ALTER ROLE collectd_crm SET lock_timeout = '2s';
ALTER ROLE collectd_crm SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE collectd_crm SET max_parallel_workers_per_gather = 0;
ALTER ROLE collectd_crm SET jit = off;
ALTER ROLE collectd_crm SET work_mem = '64MB';

SELECT format('GRANT CONNECT ON DATABASE %I TO collectd_crm', current_database()) \gexec
GRANT USAGE ON SCHEMA public, crm_ext TO collectd_crm;

-- Row-level security. Where a policy applies to the role, the plugin reports an error ("query would be affected by row-level security
-- policy") and no numbers, rather than zero customers: it reads with row_security = off. A policy that shows the role all rows does not
-- help, it still applies. What helps is, as a superuser:
--   ALTER ROLE collectd_crm BYPASSRLS;
-- The role then sees all rows of the columns granted below, and nothing more.

-- Column by column, so that names of contacts, mail texts and the like stay out of reach. Two columns tell persons apart and never leave
-- the database: user_fingerprints.user_email (counted) and ids of contacts (joined).
-- If you edit a mapping file so that it reads more, grant more here; to grant a whole table: GRANT SELECT ON public.accounts TO collectd_crm.
GRANT SELECT (id, name, currency_code) ON public.organizations TO collectd_crm;
GRANT SELECT (id, organization_id, full_name) ON public.user_profiles TO collectd_crm;
GRANT SELECT (id, organization_id, name, industry, size, arr, mrr, seat_count, growth_tracking_method, previous_arr, previous_mrr, status,
              health_score, churn_risk_score, csm_id, owner_id, created_at, updated_at) ON public.accounts TO collectd_crm;
GRANT SELECT (account_id, recorded_at, arr, mrr, growth_tracking_method) ON public.account_growth_history TO collectd_crm;
GRANT SELECT (id, organization_id, account_id, type, outcome, scheduled_at, completed_at, created_by, updated_at) ON public.engagements TO collectd_crm;
GRANT SELECT (engagement_id, contact_id, participation_type, response_status, added_at) ON public.engagement_participants TO collectd_crm;
GRANT SELECT (id, account_id, decision_maker_level, relationship_strength, contact_status, created_at, updated_at) ON public.contacts TO collectd_crm;
GRANT SELECT (account_id, score, survey_date, created_at) ON public.nps_surveys TO collectd_crm;
GRANT SELECT (account_id, metric_date, login_frequency, feature_adoption_score, overall_health_score, created_at) ON public.health_metrics TO collectd_crm;
GRANT SELECT (id, account_id, status, target_date, completion_date, created_at, updated_at) ON public.customer_goals TO collectd_crm;
GRANT SELECT (account_id, metric_date, new_tickets, resolved_tickets, open_tickets, escalated_tickets, avg_resolution_time_hours,
              avg_first_response_time_hours, satisfaction_score, severity_score, updated_at) ON public.support_metrics TO collectd_crm;
GRANT SELECT (id, organization_id) ON public.usage_tracking_products TO collectd_crm;
GRANT SELECT (id, product_id, fastenr_account_id) ON public.usage_tracked_accounts TO collectd_crm;
GRANT SELECT (id, user_email) ON public.user_fingerprints TO collectd_crm;
GRANT SELECT (fingerprint_id, tracked_account_id, started_at, ended_at, duration_seconds) ON public.usage_sessions TO collectd_crm;
GRANT SELECT (account_id, status, started_at, target_completion_date, actual_completion_date, updated_at) ON public.onboarding_plans TO collectd_crm;
GRANT SELECT ON ALL TABLES IN SCHEMA crm_ext TO collectd_crm;

-- Tables that an application makes later are not covered. In the schema of ours they shall be; for other schemas the owner of the tables
-- has to say so himself: ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT SELECT ON TABLES TO collectd_crm.
ALTER DEFAULT PRIVILEGES IN SCHEMA crm_ext GRANT SELECT ON TABLES TO collectd_crm;
