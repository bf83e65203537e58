-- SPDX-License-Identifier: MIT
-- The rows of one day are summed up, so their own times are what can be looked up.
SELECT account_id, metric_date AS day, updated_at AS changed_at FROM public.support_metrics;
