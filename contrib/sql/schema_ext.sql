-- SPDX-License-Identifier: MIT
-- Schema crm_ext: what customer analytics needs and the application's own schema does not hold (its invoices bill the tenants, its
-- contract dates were dropped, a change of status leaves no date). Fill these tables from billing, the CRM or a spreadsheet; leave a
-- table empty, or delete its mapping file, and the metrics that need it are absent.
\set ON_ERROR_STOP on
BEGIN;
CREATE SCHEMA crm_ext;

-- One row per account at most; every column may be NULL.
CREATE TABLE crm_ext.account_detail (
  account_id uuid PRIMARY KEY REFERENCES public.accounts ON DELETE CASCADE,
  region text,
  auto_renew boolean,
  renewal_forecast integer CHECK (renewal_forecast BETWEEN 0 AND 100), -- the team's own estimate, percent
  churned_at timestamptz, -- of the churn that holds now; NULL again when the customer returns
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE crm_ext.contract (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id uuid NOT NULL REFERENCES public.accounts ON DELETE CASCADE,
  starts_on date NOT NULL,
  ends_on date, -- the first day no longer covered; NULL: open-ended
  arr numeric, -- major units
  currency char(3),
  auto_renew boolean,
  outcome text CHECK (outcome IN ('renewed', 'lost')), -- NULL: undecided
  decided_at timestamptz,
  renewed_arr numeric,
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK (ends_on > starts_on),
  CHECK ((outcome IS NULL) = (decided_at IS NULL))
);
CREATE INDEX contract_account_idx ON crm_ext.contract (account_id);

CREATE TABLE crm_ext.invoice (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id uuid NOT NULL REFERENCES public.accounts ON DELETE CASCADE,
  issued_on date NOT NULL,
  due_on date NOT NULL,
  paid_at timestamptz,
  amount numeric NOT NULL, -- major units; a credit note is negative
  currency char(3) NOT NULL,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'paid', 'void', 'uncollectible')),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invoice_account_idx ON crm_ext.invoice (account_id);

CREATE TABLE crm_ext.signal (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id uuid NOT NULL REFERENCES public.accounts ON DELETE CASCADE,
  kind text NOT NULL, -- budget_constraints, competitor_mentions, feature_requests, pricing_discussions, or a word of your own
  observed_at timestamptz NOT NULL,
  weight numeric CHECK (weight >= 0), -- NULL: 1
  source text
);
CREATE INDEX signal_account_idx ON crm_ext.signal (account_id);

CREATE TABLE crm_ext.intervention (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id uuid NOT NULL REFERENCES public.accounts ON DELETE CASCADE,
  kind text NOT NULL,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  stage text CHECK (stage IN ('proposed', 'in_progress', 'succeeded', 'failed')),
  owner_id uuid REFERENCES public.user_profiles ON DELETE SET NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX intervention_account_idx ON crm_ext.intervention (account_id);

CREATE TABLE crm_ext.opportunity (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id uuid NOT NULL REFERENCES public.accounts ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('upsell', 'cross_sell', 'expansion', 'renewal', 'new')),
  amount numeric, -- annual, major units
  currency char(3),
  stage text NOT NULL DEFAULT 'open' CHECK (stage IN ('open', 'won', 'lost')),
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  probability integer CHECK (probability BETWEEN 0 AND 100), -- percent
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX opportunity_account_idx ON crm_ext.opportunity (account_id);

-- How long the customer waited for the first answer; only for engagements that were an answer.
CREATE TABLE crm_ext.engagement_response (
  engagement_id uuid PRIMARY KEY REFERENCES public.engagements ON DELETE CASCADE,
  response_seconds integer NOT NULL CHECK (response_seconds >= 0),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMIT;
