-- SPDX-License-Identifier: MIT
-- Signals are heard once. Those that are entered late show by the server's counters.
SELECT account_id, observed_at AS inserted_at FROM crm_ext.signal;
