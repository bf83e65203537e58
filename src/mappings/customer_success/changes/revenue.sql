-- SPDX-License-Identifier: MIT
-- A change of revenue leaves a row of its own; the level before the first one comes from the account.
SELECT account_id, recorded_at AS inserted_at FROM public.account_growth_history;
SELECT id AS account_id, updated_at AS changed_at FROM public.accounts;
