-- SPDX-License-Identifier: MIT
-- onboarding: the plan of each new customer.
-- Reads public.onboarding_plans.
-- Traps avoided:
--  * a plan that has not begun has no start and is no onboarding yet.
--  * completion_percentage counts skipped steps as open: the status and the date tell.
SELECT account_id,
       started_at,
       target_completion_date AS target_at,
       actual_completion_date AS completed_at,
       status,
       updated_at AS changed_at
FROM public.onboarding_plans
WHERE started_at IS NOT NULL
