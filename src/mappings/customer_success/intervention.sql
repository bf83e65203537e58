-- SPDX-License-Identifier: MIT
-- intervention: what the team did to keep or win a customer.
-- Reads crm_ext.intervention and public.user_profiles, accounts.
-- Traps avoided: automation_runs tells that a job ran, not that somebody helped. The owner must belong to the account's tenant.
SELECT i.account_id,
       i.kind,
       i.opened_at,
       i.closed_at,
       i.stage,
       u.full_name AS owner,
       i.updated_at AS changed_at
FROM crm_ext.intervention i
JOIN public.accounts a ON a.id = i.account_id
LEFT JOIN public.user_profiles u ON u.id = i.owner_id AND u.organization_id = a.organization_id
