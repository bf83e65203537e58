#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The dashboards in the tree are those that their source makes, and keep the rules (lint.py), which are broken one by one to see that this is noticed.
set -u
. "${CRM_SRCDIR:?}/tests/lib/tap.sh"
here=$CRM_SRCDIR/tests/dashboards
python=/usr/bin/python3
work=$(mktemp -d "${TMPDIR:-/tmp}/crm-dashboards-XXXXXX") || bail_out "no scratch directory"
trap 'rm -rf "$work"' EXIT

ok "the generator runs" "$python" "$CRM_SRCDIR/grafana/source/generate" "$work"
for set in dashboards dashboards-graphite; do
  ok "grafana/$set is up to date; if not: make dashboards" diff -ru "$CRM_SRCDIR/grafana/$set" "$work/$set"
  ok "$set keeps the rules" "$python" "$here/lint.py" "$CRM_SRCDIR/grafana/$set"/*.json
done
ok "what breaks a rule is found" "$python" "$here/test_lint.py" "$CRM_SRCDIR/grafana/dashboards"
done_testing
