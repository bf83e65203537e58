-- SPDX-License-Identifier: MIT
-- The demo CRM: tables with the shape of a customer-success application on PostgreSQL (the application of the requirements document).
-- Names, types and allowed values are those that the mapping `customer_success` reads; the SQL is our own. What is odd here is odd
-- there: nullable status, defaults of 50 that are no measurement, health_metrics without foreign keys, text session keys.
--
-- Load: psql -X -v ON_ERROR_STOP=1 -f schema.sql -f schema_ext.sql
\set ON_ERROR_STOP on
BEGIN;

CREATE TABLE public.organizations (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  currency_code varchar(3) DEFAULT 'GBP',
  seat_cap integer CHECK (seat_cap > 0),
  plan text CHECK (plan IN ('premium', 'premium_discount')),
  trial_ends_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE public.organizations IS 'The tenants: the companies that use this application, not their customers';

CREATE TABLE public.user_profiles (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES public.organizations ON DELETE CASCADE,
  full_name text,
  email text,
  role text NOT NULL DEFAULT 'read' CHECK (role IN ('read', 'read_write', 'read_write_delete', 'admin')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX user_profiles_organization_idx ON public.user_profiles (organization_id);

CREATE TABLE public.accounts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES public.organizations ON DELETE CASCADE,
  name text NOT NULL,
  industry text,
  size text CHECK (size IN ('startup', 'small', 'medium', 'large', 'enterprise')),
  arr numeric(12,2),
  mrr numeric(12,2),
  seat_count integer DEFAULT 0,
  growth_tracking_method text DEFAULT 'arr' CHECK (growth_tracking_method IN ('arr', 'mrr', 'seat_count')),
  previous_arr numeric(12,2),
  previous_mrr numeric(12,2),
  previous_seat_count integer,
  last_growth_update timestamptz,
  status text DEFAULT 'active' CHECK (status IN ('active', 'at_risk', 'churned', 'onboarding')),
  health_score integer DEFAULT 50 CHECK (health_score BETWEEN 0 AND 100),
  churn_risk_score integer DEFAULT 50 CHECK (churn_risk_score BETWEEN 0 AND 100),
  onboarding_status text DEFAULT 'not_started'
    CHECK (onboarding_status IN ('not_started', 'in_progress', 'completed', 'on_hold', 'cancelled')),
  onboarding_started_at timestamptz,
  onboarding_completed_at timestamptz,
  onboarding_plan_id uuid,
  csm_id uuid REFERENCES public.user_profiles ON DELETE SET NULL,
  owner_id uuid REFERENCES public.user_profiles ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX accounts_organization_idx ON public.accounts (organization_id);
CREATE INDEX accounts_status_idx ON public.accounts (status);
CREATE INDEX accounts_csm_idx ON public.accounts (csm_id);

CREATE TABLE public.account_growth_history (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id uuid NOT NULL REFERENCES public.accounts ON DELETE CASCADE,
  organization_id uuid NOT NULL REFERENCES public.organizations ON DELETE CASCADE,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  arr numeric(12,2),
  mrr numeric(12,2),
  seat_count integer,
  growth_tracking_method text CHECK (growth_tracking_method IN ('arr', 'mrr', 'seat_count')),
  arr_growth_percentage numeric(5,2),
  mrr_growth_percentage numeric(5,2),
  seat_count_growth_percentage numeric(5,2),
  notes text
);
COMMENT ON TABLE public.account_growth_history IS 'One row per UPDATE of arr, mrr or seat_count, with the new values; none on INSERT';
CREATE INDEX account_growth_history_account_idx ON public.account_growth_history (account_id);
CREATE INDEX account_growth_history_recorded_idx ON public.account_growth_history (recorded_at);

CREATE TABLE public.contacts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES public.organizations ON DELETE CASCADE,
  account_id uuid REFERENCES public.accounts ON DELETE CASCADE,
  first_name text NOT NULL,
  last_name text NOT NULL,
  email text,
  title text,
  department text,
  manager_id uuid REFERENCES public.contacts ON DELETE SET NULL,
  seniority_level text CHECK (seniority_level IN ('C-Level', 'VP', 'Director', 'Manager', 'Individual Contributor', 'Other')),
  decision_maker_level text CHECK (decision_maker_level IN ('Primary', 'Influencer', 'User', 'Gatekeeper', 'Unknown')),
  primary_contact boolean DEFAULT false,
  contact_status text DEFAULT 'active' CHECK (contact_status IN ('active', 'inactive', 'left_company', 'unresponsive')),
  relationship_strength text DEFAULT 'neutral'
    CHECK (relationship_strength IN ('champion', 'supporter', 'neutral', 'detractor', 'unknown')),
  engagement_frequency text CHECK (engagement_frequency IN ('daily', 'weekly', 'monthly', 'quarterly', 'rarely')),
  last_engagement_date timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (organization_id, email)
);
CREATE INDEX contacts_account_idx ON public.contacts (account_id);

CREATE TABLE public.engagements (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES public.organizations ON DELETE CASCADE,
  account_id uuid NOT NULL REFERENCES public.accounts ON DELETE CASCADE,
  type text NOT NULL CHECK (type IN ('meeting', 'call', 'email', 'note', 'demo', 'training')),
  title text NOT NULL,
  description text,
  outcome text CHECK (outcome IN ('positive', 'neutral', 'negative', 'action_required')),
  attendees text[],
  scheduled_at timestamptz,
  completed_at timestamptz,
  created_by uuid REFERENCES public.user_profiles ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX engagements_organization_idx ON public.engagements (organization_id);
CREATE INDEX engagements_account_idx ON public.engagements (account_id);
CREATE INDEX engagements_scheduled_idx ON public.engagements (scheduled_at);

CREATE TABLE public.engagement_participants (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  engagement_id uuid NOT NULL REFERENCES public.engagements ON DELETE CASCADE,
  contact_id uuid NOT NULL REFERENCES public.contacts ON DELETE CASCADE,
  participation_type text NOT NULL DEFAULT 'attendee' CHECK (participation_type IN ('organizer', 'attendee', 'optional', 'mentioned')),
  response_status text CHECK (response_status IN ('accepted', 'declined', 'tentative', 'no_response')),
  added_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (engagement_id, contact_id)
);
CREATE INDEX engagement_participants_contact_idx ON public.engagement_participants (contact_id);

CREATE TABLE public.nps_surveys (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES public.organizations ON DELETE CASCADE,
  account_id uuid NOT NULL REFERENCES public.accounts ON DELETE CASCADE,
  score integer NOT NULL CHECK (score BETWEEN 0 AND 10),
  feedback text,
  survey_date date DEFAULT CURRENT_DATE,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX nps_surveys_account_idx ON public.nps_surveys (account_id);

-- Survived a rebuild of the core without its foreign keys: rows of deleted accounts stay, and a day may come twice.
CREATE TABLE public.health_metrics (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL,
  account_id uuid NOT NULL,
  metric_date date NOT NULL DEFAULT CURRENT_DATE,
  login_frequency integer DEFAULT 0,
  feature_adoption_score integer CHECK (feature_adoption_score BETWEEN 0 AND 100),
  support_tickets integer DEFAULT 0,
  training_completion_rate integer CHECK (training_completion_rate BETWEEN 0 AND 100),
  overall_health_score integer DEFAULT 50 CHECK (overall_health_score BETWEEN 0 AND 100),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX health_metrics_account_idx ON public.health_metrics (account_id);
CREATE INDEX health_metrics_date_idx ON public.health_metrics (metric_date);

CREATE TABLE public.customer_goals (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES public.organizations ON DELETE CASCADE,
  account_id uuid NOT NULL REFERENCES public.accounts ON DELETE CASCADE,
  title text NOT NULL,
  description text,
  status text DEFAULT 'on_track' CHECK (status IN ('on_track', 'at_risk', 'achieved', 'missed')),
  metric_type text CHECK (metric_type IN ('accounts', 'arr', 'nps', 'health_score', 'adoption', 'renewals', 'seat_count', 'custom')),
  current_value numeric,
  target_value numeric,
  unit text,
  target_date date,
  completion_date date,
  created_by uuid REFERENCES public.user_profiles ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX customer_goals_account_idx ON public.customer_goals (account_id);

CREATE TABLE public.adoption_metrics (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES public.organizations ON DELETE CASCADE,
  account_id uuid NOT NULL REFERENCES public.accounts ON DELETE CASCADE,
  metric_name text NOT NULL,
  metric_value numeric,
  metric_type text CHECK (metric_type IN ('usage', 'feature_adoption', 'engagement', 'custom')),
  recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX adoption_metrics_account_idx ON public.adoption_metrics (account_id);

CREATE TABLE public.support_metrics (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES public.organizations ON DELETE CASCADE,
  account_id uuid NOT NULL REFERENCES public.accounts ON DELETE CASCADE,
  provider text NOT NULL CHECK (provider IN ('intercom', 'zendesk', 'jira', 'freshdesk')),
  metric_date date NOT NULL,
  ticket_count integer DEFAULT 0,
  new_tickets integer DEFAULT 0,
  resolved_tickets integer DEFAULT 0,
  open_tickets integer DEFAULT 0,
  avg_resolution_time_hours numeric(10,2),
  avg_first_response_time_hours numeric(10,2),
  escalated_tickets integer DEFAULT 0,
  satisfaction_score numeric(3,2) CHECK (satisfaction_score BETWEEN 1 AND 5),
  severity_score integer CHECK (severity_score BETWEEN 0 AND 100),
  volume_trend text CHECK (volume_trend IN ('increasing', 'stable', 'decreasing')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (organization_id, account_id, provider, metric_date)
);
CREATE INDEX support_metrics_account_idx ON public.support_metrics (account_id);

CREATE TABLE public.usage_tracking_products (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES public.organizations ON DELETE CASCADE,
  name text NOT NULL,
  is_active boolean DEFAULT true,
  track_by_account boolean DEFAULT true,
  last_activity_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX usage_tracking_products_organization_idx ON public.usage_tracking_products (organization_id);

CREATE TABLE public.usage_tracked_accounts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  product_id uuid NOT NULL REFERENCES public.usage_tracking_products ON DELETE CASCADE,
  account_id text NOT NULL, -- the customer's own name for itself, not a key of ours
  account_domain text,
  fastenr_account_id uuid REFERENCES public.accounts ON DELETE SET NULL,
  first_seen timestamptz,
  last_seen timestamptz,
  UNIQUE (product_id, account_id)
);
CREATE INDEX usage_tracked_accounts_account_idx ON public.usage_tracked_accounts (fastenr_account_id);

CREATE TABLE public.user_fingerprints (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  product_id uuid NOT NULL REFERENCES public.usage_tracking_products ON DELETE CASCADE,
  tracked_account_id uuid REFERENCES public.usage_tracked_accounts ON DELETE CASCADE,
  user_type text DEFAULT 'anonymous' CHECK (user_type IN ('anonymous', 'identified', 'returning')),
  first_seen timestamptz,
  last_seen timestamptz,
  session_count integer DEFAULT 0,
  total_time_spent integer DEFAULT 0,
  user_email text
);
COMMENT ON TABLE public.user_fingerprints IS 'A device, not a person: one person may have several';
CREATE INDEX user_fingerprints_tracked_account_idx ON public.user_fingerprints (tracked_account_id);

CREATE TABLE public.usage_sessions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  product_id uuid NOT NULL REFERENCES public.usage_tracking_products ON DELETE CASCADE,
  fingerprint_id uuid NOT NULL REFERENCES public.user_fingerprints ON DELETE CASCADE,
  tracked_account_id uuid REFERENCES public.usage_tracked_accounts ON DELETE CASCADE,
  session_token text NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  duration_seconds integer,
  page_views integer DEFAULT 0,
  click_events integer DEFAULT 0
);
CREATE INDEX usage_sessions_tracked_account_idx ON public.usage_sessions (tracked_account_id);
CREATE INDEX usage_sessions_started_idx ON public.usage_sessions (started_at);
CREATE INDEX usage_sessions_token_idx ON public.usage_sessions (session_token);

CREATE TABLE public.usage_events (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  session_id text NOT NULL, -- usage_sessions.session_token, no key
  event_type text NOT NULL,
  event_name text,
  page_url text,
  event_data jsonb,
  "timestamp" timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX usage_events_session_idx ON public.usage_events (session_id);

CREATE TABLE public.usage_metrics (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  product_id uuid NOT NULL REFERENCES public.usage_tracking_products ON DELETE CASCADE,
  tracked_account_id uuid REFERENCES public.usage_tracked_accounts ON DELETE CASCADE, -- NULL: a row of the whole product
  recorded_at date NOT NULL,
  unique_users integer DEFAULT 0,
  returning_users integer DEFAULT 0,
  new_users integer DEFAULT 0,
  total_sessions integer DEFAULT 0,
  avg_session_duration numeric(10,2),
  bounce_rate numeric(5,2),
  page_views integer DEFAULT 0,
  feature_usage jsonb,
  UNIQUE (product_id, tracked_account_id, recorded_at)
);

CREATE TABLE public.onboarding_plans (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES public.organizations ON DELETE CASCADE,
  account_id uuid NOT NULL UNIQUE REFERENCES public.accounts ON DELETE CASCADE,
  csm_id uuid REFERENCES public.user_profiles ON DELETE SET NULL,
  status text NOT NULL DEFAULT 'not_started' CHECK (status IN ('not_started', 'in_progress', 'completed', 'on_hold', 'cancelled')),
  started_at timestamptz,
  target_completion_date date,
  actual_completion_date date,
  completion_percentage integer DEFAULT 0 CHECK (completion_percentage BETWEEN 0 AND 100),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
-- Accounts and plans point at each other; deferred, so that either may come first in a transaction.
ALTER TABLE public.accounts ADD CONSTRAINT accounts_onboarding_plan_fkey FOREIGN KEY (onboarding_plan_id)
  REFERENCES public.onboarding_plans ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;

COMMIT;
