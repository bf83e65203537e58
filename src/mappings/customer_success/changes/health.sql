-- SPDX-License-Identifier: MIT
-- A day is written once. What is changed later shows by the server's counters.
SELECT account_id, created_at AS inserted_at FROM public.health_metrics;
