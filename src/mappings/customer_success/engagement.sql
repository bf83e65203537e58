-- SPDX-License-Identifier: MIT
-- engagement: meetings, calls, mails, demos, trainings and notes.
-- Reads public.engagements, engagement_participants, user_profiles and crm_ext.engagement_response.
-- Traps avoided:
--  * one row per engagement, however many take part: participants are grouped once, not looked up row by row.
--  * contacts: those who were there, as far as an invitation can tell (organizer or attendee, not declined). Optional and mentioned people are not.
--  * participants: those of whom an answer is known; no_response is known not to be one. A NULL tells nothing and does not count.
--  * attendees text[] is free text and is left alone; created_by is the holder (older versions had user_id), and must be of the same tenant.
--  * missed: scheduled_at in the past and completed_at NULL; the core tells.
SELECT e.account_id,
       e.id AS engagement_id,
       e.type,
       e.outcome,
       e.scheduled_at,
       e.completed_at,
       u.full_name AS owner,
       r.response_seconds,
       p.contacts,
       p.participants,
       p.accepted,
       p.answered,
       e.updated_at AS changed_at
FROM public.engagements e
LEFT JOIN (SELECT engagement_id,
                  array_agg(contact_id) FILTER (WHERE participation_type IN ('organizer', 'attendee')
                                                  AND response_status IS DISTINCT FROM 'declined') AS contacts,
                  count(response_status) AS participants,
                  count(*) FILTER (WHERE response_status = 'accepted') AS accepted,
                  count(*) FILTER (WHERE response_status <> 'no_response') AS answered
           FROM public.engagement_participants
           GROUP BY engagement_id) p ON p.engagement_id = e.id
LEFT JOIN crm_ext.engagement_response r ON r.engagement_id = e.id
LEFT JOIN public.user_profiles u ON u.id = e.created_by AND u.organization_id = e.organization_id
