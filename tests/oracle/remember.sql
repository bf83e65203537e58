-- SPDX-License-Identifier: MIT
-- Keeps the scores of an earlier instant for trend.sql, which asks how they were so many days before. After churn_risk.sql.
INSERT INTO oracle.score
SELECT :'tz', t, :days, p.id, p.churned, h.score, r.risk FROM instant, picture p LEFT JOIN health h USING (id) LEFT JOIN at_stake r USING (id);
