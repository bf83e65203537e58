-- SPDX-License-Identifier: MIT
-- support: tickets of a day, over all desks of the account.
-- Reads public.support_metrics.
-- Traps avoided:
--  * one account may have several providers: counts are summed over them, means are weighted by the tickets they are means of (severity
--    and first response by new ones, resolution and satisfaction by resolved ones), and a plain mean serves where no weight is known.
--  * open_tickets is a stock: summed over the providers of one day, never over days; the core takes the latest.
--  * ticket_count is left alone: nobody says over which period it counts.
--  * NULL stays NULL; satisfaction is empty for most weeks.
SELECT account_id,
       metric_date AS day,
       sum(new_tickets) AS new_tickets,
       sum(resolved_tickets) AS resolved_tickets,
       sum(open_tickets) AS open_tickets,
       sum(escalated_tickets) AS escalated,
       COALESCE(sum(severity_score::double precision * new_tickets) / NULLIF(sum(new_tickets) FILTER (WHERE severity_score IS NOT NULL), 0),
                sum(severity_score::double precision) / NULLIF(count(severity_score), 0)) AS severity,
       COALESCE(sum(avg_resolution_time_hours::double precision * resolved_tickets)
                  / NULLIF(sum(resolved_tickets) FILTER (WHERE avg_resolution_time_hours IS NOT NULL), 0),
                sum(avg_resolution_time_hours::double precision) / NULLIF(count(avg_resolution_time_hours), 0)) AS resolution_hours,
       3600 * COALESCE(sum(avg_first_response_time_hours::double precision * new_tickets)
                         / NULLIF(sum(new_tickets) FILTER (WHERE avg_first_response_time_hours IS NOT NULL), 0),
                       sum(avg_first_response_time_hours::double precision) / NULLIF(count(avg_first_response_time_hours), 0)) AS first_response_seconds,
       COALESCE(sum(satisfaction_score::double precision * resolved_tickets)
                  / NULLIF(sum(resolved_tickets) FILTER (WHERE satisfaction_score IS NOT NULL), 0),
                sum(satisfaction_score::double precision) / NULLIF(count(satisfaction_score), 0)) AS csat,
       max(updated_at) AS changed_at
FROM public.support_metrics
GROUP BY account_id, metric_date
