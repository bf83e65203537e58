#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The past of a demo CRM pushed by remote write: to a receiver that does as it is told (backfill_push.py), and into a Prometheus that is empty, of which
# three instants are compared with what `crmctl once --at` says of them.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
compare=$CRM_SRCDIR/tests/e2e/backfill_compare.py
e2e_deadline 300

services_init || bail_out "no scratch directory"
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 40 --days 400 --end 2025-06-30 || bail_out "the CRM cannot be loaded"
demo_crm_plugin_block 10 'GroupBy "segment"' 'PerAccount "all"' 'TimeZone "America/New_York"' | write_file "$SVC_DIR/crm.conf"
write_file "$SVC_DIR/crmctl" <"$build/crmctl" && as_user chmod 755 "$SVC_DIR/crmctl"

# --- a receiver that does as it is told ------------------------------------------------------------------------------------
while IFS= read -r line; do
  case $line in
    "ok - "*) pass "${line#ok - }" ;;
    "not ok - "*) fail "${line#not ok - }" ;;
    *) printf '%s\n' "$line" ;;
  esac
done < <("$SVC_PYTHON" -B "$CRM_SRCDIR/tests/e2e/backfill_push.py" "$SVC_DIR" "$SVC_DIR/crm.conf" \
  "${SVC_USER[*]:-env} psql -X -q -v ON_ERROR_STOP=1 -h $SVC_DIR/run -U postgres -d crm -c" "${SVC_USER[@]:-env}" "$SVC_DIR/crmctl" 2>&1 || echo "not ok - backfill_push.py")

# --- Prometheus --------------------------------------------------------------------------------------------------------------
start_receiver() { # NAME FLAG...: a Prometheus that scrapes nothing
  local port name=$1
  port=$(free_port 9090) || return 1
  write_file "$SVC_DIR/$name.yml" <<<'global: {}'
  spawn "$name" prometheus "--config.file=$SVC_DIR/$name.yml" "--storage.tsdb.path=$SVC_DIR/$name" "--web.listen-address=127.0.0.1:$port" \
    --web.enable-remote-write-receiver --storage.tsdb.retention.time=10y --log.level=warn "${@:2}"
  PROMETHEUS_URL=http://127.0.0.1:$port
  wait_for 30 "$name" "$SVC_PYTHON" "$SVC_LIB/query.py" get "$PROMETHEUS_URL/-/ready"
}
crmctl() { as_user env no_proxy='*' "$SVC_DIR/crmctl" --config "$SVC_DIR/crm.conf" "$@"; }
from=2025-03-03 days=75
push() { crmctl backfill --from $from --to 2025-05-16 --format remote_write --url "$PROMETHEUS_URL/api/v1/write" --output "$SVC_DIR/push" --label instance=demo; }

start_receiver empty || bail_out "Prometheus does not start"
push >"$SVC_DIR/said" 2>&1 &
some_days() { [ "$(count)" -ge 10 ]; }
count() { "$SVC_PYTHON" - "$PROMETHEUS_URL" <<'PY'
import json, sys, urllib.parse, urllib.request
query = urllib.parse.urlencode({"query": 'count_over_time(crm_accounts{account_region=""}[400d])', "time": 1751241600})
answer = json.load(urllib.request.urlopen(f"{sys.argv[1]}/api/v1/query?{query}", timeout=30))
print(max([int(s["value"][1]) for s in answer["data"]["result"]] or [0]))
PY
}
wait_for 60 empty some_days || bail_out "no day of a backfill: $(cat "$SVC_DIR/said")"
pkill -INT -P $!
wait $!
is "an interrupted push says so" $? 130
before=$(count)
ok "there is something left to do" test "$before" -lt $days
ok "it goes on, and Prometheus takes all of it" push
is "every instant is there once" "$(count)" $days
for day in $from 2025-04-07 2025-05-16; do
  at=$(TZ=America/New_York date -d "$day" +%s)
  crmctl once --at "@$at" --format json >"$SVC_DIR/once.json" 2>/dev/null || bail_out "crmctl once --at $day fails"
  ok "$day: Prometheus has what crmctl once says" "$compare" prometheus "$PROMETHEUS_URL" "$SVC_DIR/once.json" "$at" job=crm instance=demo
done

# One that has newer samples already, and is told what to do by nobody.
crmctl backfill --from 2025-02-01 --to 2025-02-02 --format remote_write --url "$PROMETHEUS_URL/api/v1/write" --output "$SVC_DIR/earlier" \
  --label instance=demo >/dev/null 2>"$SVC_DIR/said"
is "a Prometheus with newer samples refuses" $? 2
ok "and it is said why, and what to do" grep -q 'refuses the series of 2025-02-01T05:00:00Z: HTTP status 400: .*out_of_order_time_window' "$SVC_DIR/said"
done_testing
