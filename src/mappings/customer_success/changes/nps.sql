-- SPDX-License-Identifier: MIT
-- Answers are given once: inserted_at tells of new rows. What is changed later shows by the server's counters.
SELECT account_id, created_at AS inserted_at FROM public.nps_surveys;
