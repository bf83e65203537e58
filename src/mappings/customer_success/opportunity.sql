-- SPDX-License-Identifier: MIT
-- opportunity: what may be, or has been, sold to the customer; amounts are annual.
-- Reads crm_ext.opportunity.
-- Traps avoided: an amount that nobody has estimated is NULL, not 0.
SELECT account_id,
       kind,
       amount,
       currency,
       stage,
       opened_at,
       closed_at,
       probability,
       updated_at AS changed_at
FROM crm_ext.opportunity
