-- SPDX-License-Identifier: MIT
-- contact: the people at the customer, as they are now.
-- Reads public.contacts.
-- Traps avoided:
--  * words are capitalised in one column and not in the others, and "Unknown" is a word of its own: unknown is NULL here.
--  * a contact without an account is nobody's stakeholder yet.
--  * the status is today's; nothing tells since when.
SELECT account_id,
       id AS contact_id,
       NULLIF(lower(decision_maker_level), 'unknown') AS level,
       NULLIF(lower(relationship_strength), 'unknown') AS strength,
       CASE contact_status WHEN 'left_company' THEN 'left' ELSE contact_status END AS status,
       created_at AS since,
       updated_at AS changed_at
FROM public.contacts
WHERE account_id IS NOT NULL
