-- SPDX-License-Identifier: MIT
-- invoice: what the customer was asked to pay, and when it did.
-- Reads crm_ext.invoice.
-- Traps avoided:
--  * public.invoices, where it exists, bills the tenants of the application.
--  * void invoices and credit notes (negative) were never to be paid; uncollectible ones were, and were not.
SELECT account_id,
       due_on AS due_at,
       paid_at,
       amount,
       currency,
       updated_at AS changed_at
FROM crm_ext.invoice
WHERE status <> 'void' AND amount > 0
