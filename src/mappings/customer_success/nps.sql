-- SPDX-License-Identifier: MIT
-- nps: answers to "how likely are you to recommend us".
-- Reads public.nps_surveys.
-- Traps avoided:
--  * the table does not know who answered, so respondent is absent; two answers on one day are two answers.
--  * survey_date may be empty; then the day of the row's creation stands for it.
SELECT account_id,
       COALESCE(survey_date, created_at::date) AS at,
       score
FROM public.nps_surveys
