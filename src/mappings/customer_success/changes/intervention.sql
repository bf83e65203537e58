-- SPDX-License-Identifier: MIT
SELECT account_id, updated_at AS changed_at FROM crm_ext.intervention;
-- The tenant of an account does not change. New and deleted accounts are told by account.
SELECT FROM public.accounts;
