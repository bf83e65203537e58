-- SPDX-License-Identifier: MIT
-- Accounts: how many there are, by status, who pays, whose revenue is unknown, and what is known of each.
INSERT INTO answer
SELECT 'accounts', cell || jsonb_build_object('status', s), (SELECT count(*) FROM picture p WHERE p.cell = c.cell AND p.status = s)
FROM cell c, unnest(ARRAY['onboarding', 'active', 'at_risk', 'churned', 'unknown']) s;

INSERT INTO answer SELECT 'accounts_paying', cell, count(*) FILTER (WHERE arr > 0) FROM picture GROUP BY cell;

INSERT INTO answer
SELECT 'accounts_unpriced', cell || jsonb_build_object('currency', COALESCE(currency, 'none')),
       count(*) FILTER (WHERE NOT churned AND arr IS NULL)
FROM picture GROUP BY cell, COALESCE(currency, 'none');

INSERT INTO answer
SELECT 'account_info', jsonb_build_object('tenant', tenant, 'account', id, 'account_name', name, 'segment', segment, 'account_owner', owner,
                                          'industry', industry, 'account_region', region, 'status', status, 'currency', currency), 1
FROM picture;
