-- SPDX-License-Identifier: MIT
-- A day is written once. What is changed later shows by the server's counters.
SELECT account_id, metric_date AS day, created_at AS inserted_at FROM public.health_metrics;
