-- SPDX-License-Identifier: MIT
-- Optional: lets the plugin take changes from the server's log (Changes and LOGICAL DECODING in collectd-crm(5)): every changed, deleted and
-- moved row is seen, no index is needed, and a relation is read whole only where a changed row cannot tell whose it is.
-- `crmctl check` says what is in force. Without this file nothing is decoded.
--
--   psql -X -v ON_ERROR_STOP=1 -f publication.sql CRM          as a superuser, or as the owner of the tables who may create publications
--
-- What else it needs, and what that means:
--   ALTER SYSTEM SET wal_level = logical;       and a restart of the server
--   ALTER ROLE collectd_crm REPLICATION;        lets the role read every change of every table of the server, and copy all of it where
--                                               pg_hba.conf lets it make replication connections: give it to a role of the plugin's own only
-- The price: see LOGICAL DECODING in collectd-crm(5). While the plugin runs, the server keeps the log that was written since the last sync.
--
-- To take it back: DROP PUBLICATION collectd_crm; ALTER TABLE ... REPLICA IDENTITY DEFAULT; ALTER ROLE collectd_crm NOREPLICATION.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL lock_timeout = '2s';
SELECT 'CREATE PUBLICATION collectd_crm' WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = 'collectd_crm') \gexec
ALTER PUBLICATION collectd_crm SET (publish = 'insert, update, delete, truncate');
ALTER PUBLICATION collectd_crm SET TABLE
  public.organizations, public.user_profiles, public.accounts, public.account_growth_history, public.contacts,
  public.engagements, public.engagement_participants, public.nps_surveys, public.health_metrics, public.customer_goals,
  public.support_metrics, public.usage_tracking_products, public.usage_tracked_accounts, public.user_fingerprints, public.usage_sessions,
  public.onboarding_plans, crm_ext.account_detail, crm_ext.contract, crm_ext.invoice, crm_ext.signal, crm_ext.intervention,
  crm_ext.opportunity, crm_ext.engagement_response;

-- What the log keeps of a row that is updated or deleted is its replica identity, the primary key by default. Where that does not tell whose
-- row it was, the relation would be read whole. An index that has account_id costs nothing more; the whole row (FULL) makes the log of an
-- update or a delete larger by that row, and that of an insert not at all. Leave out what you do not want.
ALTER TABLE public.engagement_participants REPLICA IDENTITY USING INDEX engagement_participants_engagement_id_contact_id_key;
ALTER TABLE public.support_metrics REPLICA IDENTITY USING INDEX support_metrics_organization_id_account_id_provider_metric__key;
ALTER TABLE public.onboarding_plans REPLICA IDENTITY USING INDEX onboarding_plans_account_id_key;
ALTER TABLE public.account_growth_history REPLICA IDENTITY FULL;
ALTER TABLE public.nps_surveys REPLICA IDENTITY FULL;
ALTER TABLE public.health_metrics REPLICA IDENTITY FULL;
ALTER TABLE public.customer_goals REPLICA IDENTITY FULL;
ALTER TABLE public.usage_sessions REPLICA IDENTITY FULL;
ALTER TABLE crm_ext.invoice REPLICA IDENTITY FULL;
ALTER TABLE crm_ext.signal REPLICA IDENTITY FULL;
ALTER TABLE crm_ext.intervention REPLICA IDENTITY FULL;
ALTER TABLE crm_ext.opportunity REPLICA IDENTITY FULL;
COMMIT;
