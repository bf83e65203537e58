-- SPDX-License-Identifier: MIT
-- goal: what the customer wants to reach.
-- Reads public.customer_goals.
-- Traps avoided:
--  * there is no status "overdue": the core makes it of on_track or at_risk and a target in the past. A goal without a target never is.
--  * a completion_date left behind on a goal that is open again is no completion.
SELECT account_id,
       id AS goal_id,
       status,
       created_at,
       target_date AS target_at,
       CASE WHEN status = 'achieved' THEN completion_date END AS completed_at,
       updated_at AS changed_at
FROM public.customer_goals
