-- SPDX-License-Identifier: MIT
-- Also of invoices that are void by now.
SELECT account_id, updated_at AS changed_at FROM crm_ext.invoice;
