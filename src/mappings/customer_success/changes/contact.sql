-- SPDX-License-Identifier: MIT
-- Also of contacts that belong to no account, since they may have belonged to one before.
SELECT account_id, id AS contact_id, updated_at AS changed_at FROM public.contacts;
