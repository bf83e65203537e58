-- SPDX-License-Identifier: MIT
-- usage: logins and adoption as recorded, session length and active users as tracked.
-- Reads public.health_metrics, usage_sessions, usage_tracked_accounts, usage_tracking_products, user_fingerprints and accounts.
-- Traps avoided:
--  * rows are sparse: each branch fills its own columns and leaves the others NULL. Two health rows for a day stay two rows, and rows of
--    deleted accounts pass: the core counts them as unknown accounts.
--  * usage_metrics mixes rows of whole products (tracked_account_id NULL) with rows of accounts, and its nightly job may fail: sessions are the truth.
--  * usage_tracked_accounts.account_id is the customer's own text; fastenr_account_id is the account, NULL where nobody has mapped it.
--    Product and account must belong to the same tenant.
--  * a fingerprint is a device: persons are told apart by e-mail address, and only nameless devices count as one person each.
--  * running sessions have no length yet.
--  * days are those of the session's TimeZone. A condition on "day" reaches the scan of health_metrics, the large branch.
SELECT account_id,
       metric_date AS day,
       login_frequency::double precision AS logins_per_week,
       feature_adoption_score::double precision AS feature_adoption,
       NULL::double precision AS session_seconds,
       NULL::double precision AS active_users
FROM public.health_metrics
UNION ALL
-- The median length of the sessions of a day.
SELECT a.id AS account_id,
       s.started_at::date AS day,
       NULL::double precision,
       NULL::double precision,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY COALESCE(s.duration_seconds, extract(epoch FROM s.ended_at - s.started_at))::double precision),
       NULL::double precision
FROM public.usage_sessions s
JOIN public.usage_tracked_accounts t ON t.id = s.tracked_account_id
JOIN public.usage_tracking_products p ON p.id = t.product_id
JOIN public.accounts a ON a.id = t.fastenr_account_id AND a.organization_id = p.organization_id
WHERE s.ended_at >= s.started_at
GROUP BY a.id, s.started_at::date
UNION ALL
-- Distinct users of the 28 days that end on the day. A user seen on day d counts on d .. d+27; days at most 28 apart make one stay.
-- Stays begin with +1 and end with -1, and the running sum is written down on the days on which it changes.
SELECT account_id, day, NULL::double precision, NULL::double precision, NULL::double precision, active_users::double precision
FROM (SELECT account_id, day, sum(change) AS change,
             sum(sum(change)) OVER (PARTITION BY account_id ORDER BY day) AS active_users
      FROM (SELECT u.account_id, e.day, e.change
            FROM (SELECT account_id, person, day,
                         (day - lag(day) OVER w > 28) IS NOT FALSE AS begins, (lead(day) OVER w - day > 28) IS NOT FALSE AS ends
                  FROM (SELECT DISTINCT a.id AS account_id, s.started_at::date AS day,
                               -- A person goes by 64 bits of hash: quicker to sort than the address, and looked up for one account alone.
                               hashtextextended(COALESCE(NULLIF(lower(f.user_email), ''), f.id::text), 0) AS person
                        FROM public.usage_sessions s
                        JOIN public.usage_tracked_accounts t ON t.id = s.tracked_account_id
                        JOIN public.usage_tracking_products p ON p.id = t.product_id
                        JOIN public.accounts a ON a.id = t.fastenr_account_id AND a.organization_id = p.organization_id
                        JOIN public.user_fingerprints f ON f.id = s.fingerprint_id) seen
                  WINDOW w AS (PARTITION BY account_id, person ORDER BY day)) u
            CROSS JOIN LATERAL (VALUES (u.day, CASE WHEN u.begins THEN 1 END), (u.day + 28, CASE WHEN u.ends THEN -1 END)) e (day, change)
            WHERE (u.begins OR u.ends) AND e.change IS NOT NULL) stays
      GROUP BY account_id, day) changes
WHERE change <> 0
