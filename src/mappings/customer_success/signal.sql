-- SPDX-License-Identifier: MIT
-- signal: what was heard: competitors, prices, budgets, missing features.
-- Reads crm_ext.signal: nothing in the application's own schema holds it.
-- Traps avoided: a weight that is NULL counts 1 (the core does it); words of your own pass and count as "other".
SELECT account_id,
       kind,
       observed_at AS at,
       weight
FROM crm_ext.signal
