-- SPDX-License-Identifier: MIT
-- What somebody without this plugin would have collectd's postgresql plugin or an SQL exporter run at each scrape: some 75 aggregate
-- series and three per account, carefully written.
SELECT o.name, a.status, a.size, count(*), sum(a.arr), avg(a.health_score), avg(a.churn_risk_score) FROM accounts a JOIN organizations o ON o.id = a.organization_id GROUP BY 1, 2, 3;
SELECT organization_id, count(*) FILTER (WHERE score >= 9), count(*) FILTER (WHERE score <= 6), count(*) FROM nps_surveys WHERE survey_date > (SELECT max(survey_date) FROM nps_surveys) - 90 GROUP BY 1;
SELECT organization_id, type, count(*), count(*) FILTER (WHERE outcome = 'positive') FROM engagements WHERE completed_at > (SELECT max(completed_at) FROM engagements) - interval '30 days' GROUP BY 1, 2;
SELECT organization_id, avg(login_frequency), avg(feature_adoption_score), percentile_cont(0.5) WITHIN GROUP (ORDER BY overall_health_score) FROM health_metrics WHERE metric_date > (SELECT max(metric_date) FROM health_metrics) - 30 GROUP BY 1;
SELECT organization_id, sum(new_tickets), sum(resolved_tickets), sum(escalated_tickets), avg(satisfaction_score), avg(avg_resolution_time_hours) FROM support_metrics WHERE metric_date > (SELECT max(metric_date) FROM support_metrics) - 30 GROUP BY 1;
SELECT organization_id, status, count(*) FROM customer_goals GROUP BY 1, 2;
SELECT organization_id, relationship_strength, decision_maker_level, count(*) FROM contacts WHERE contact_status = 'active' GROUP BY 1, 2, 3;
SELECT c.currency, c.outcome, count(*), sum(c.arr) FROM crm_ext.contract c GROUP BY 1, 2;
SELECT currency, status, count(*), sum(amount) FROM crm_ext.invoice GROUP BY 1, 2;
SELECT organization_id, date_trunc('month', recorded_at), count(*), sum(arr) FROM account_growth_history GROUP BY 1, 2;
SELECT organization_id, status, count(*) FROM onboarding_plans GROUP BY 1, 2;
SELECT a.id, a.name, a.arr, h.score, e.last_at FROM accounts a
LEFT JOIN (SELECT account_id, avg(overall_health_score) AS score FROM health_metrics WHERE metric_date > (SELECT max(metric_date) FROM health_metrics) - 7 GROUP BY 1) h ON h.account_id = a.id
LEFT JOIN (SELECT account_id, max(completed_at) AS last_at FROM engagements GROUP BY 1) e ON e.account_id = a.id;
