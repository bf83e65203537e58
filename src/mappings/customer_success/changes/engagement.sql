-- SPDX-License-Identifier: MIT
-- Participants are added with or after the engagement; a changed answer shows by the server's counters.
SELECT id AS engagement_id, updated_at AS changed_at FROM public.engagements;
SELECT engagement_id, added_at AS inserted_at FROM public.engagement_participants;
SELECT engagement_id, updated_at AS changed_at FROM crm_ext.engagement_response;
