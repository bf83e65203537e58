-- SPDX-License-Identifier: MIT
-- contract: what was agreed, from when to when, and how it ended.
-- Reads crm_ext.contract: the application's own schema has no contract dates.
-- Traps avoided:
--  * invoices, subscriptions and plans of the application are about its tenants, not about their customers.
--  * ends_on is the first day no longer covered; NULL is open-ended. A renewal is a row of its own.
SELECT account_id,
       id AS contract_id,
       starts_on AS starts_at,
       ends_on AS ends_at,
       arr,
       currency,
       auto_renew,
       outcome,
       decided_at,
       renewed_arr,
       updated_at AS changed_at
FROM crm_ext.contract
