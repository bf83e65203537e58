-- SPDX-License-Identifier: MIT
-- Rows of account may change with any of these. Names of tenants and of managers change rarely: then account is read whole.
SELECT id AS account_id, updated_at AS changed_at FROM public.accounts;
SELECT account_id, updated_at AS changed_at FROM crm_ext.account_detail;
SELECT account_id, updated_at AS changed_at FROM public.customer_goals;
