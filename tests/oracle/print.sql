-- SPDX-License-Identifier: MIT
-- One line per series: family, labels as JSON, value.
SELECT family, labels, value FROM answer;
