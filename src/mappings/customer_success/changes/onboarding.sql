-- SPDX-License-Identifier: MIT
-- Also of plans that have not begun.
SELECT account_id, updated_at AS changed_at FROM public.onboarding_plans;
