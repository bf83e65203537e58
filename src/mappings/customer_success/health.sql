-- SPDX-License-Identifier: MIT
-- health: the score that the application itself recorded.
-- Reads public.health_metrics.
-- Traps avoided:
--  * overall_health_score is 50 by default, and a default is no measurement: a day of exactly 50 is left out. A measured 50 is lost with
--    it, but its neighbours tell the same.
--  * rows of deleted accounts pass (the table has no foreign key), the core counts them; two rows for a day pass.
SELECT account_id,
       metric_date AS day,
       overall_health_score AS score
FROM public.health_metrics
WHERE overall_health_score <> 50
