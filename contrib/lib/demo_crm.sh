# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The made-up CRM in the private PostgreSQL, and the plugin's configuration for it. Sourced after services.sh and build.sh.

DEMO_READER=collectd_crm # the role that contrib/sql/role.sql makes

# demo_crm_load BUILD ARGUMENT...: database crm with schema, data (arguments of crm-demo-data) and the least-privileged role.
demo_crm_load() {
  local build=$1 log=$SVC_DIR/log/load.log
  shift
  as_user touch "$log"
  if ! {
    SVC_DATABASE=postgres sql -c 'CREATE DATABASE crm' &&
      sql <"$CRM_TOP/contrib/sql/schema.sql" &&
      sql <"$CRM_TOP/contrib/sql/schema_ext.sql" &&
      (set -o pipefail && "$build/crm-demo-data" "$@" | sql) &&
      demo_crm_role
  } >>"$log" 2>&1; then
    explain load
    return 1
  fi
}

# The role with a password of this run, which stands in SVC_DIR/reader.password.
demo_crm_role() {
  local password
  password=$("$SVC_PYTHON" -c 'import secrets; print(secrets.token_hex(16))') || return 1
  printf '%s\n' "$password" | write_file "$SVC_DIR/reader.password" &&
    sql <"$CRM_TOP/contrib/sql/role.sql" &&
    sql <<<"ALTER ROLE $DEMO_READER LOGIN PASSWORD '$password'"
}

# demo_crm_plugin_block SYNC-SECONDS [LINE...]: the <Plugin crm> block, for collectd_conf. Further lines go into the instance.
demo_crm_plugin_block() {
  local sync=$1
  shift
  # A copy, because the checkout may be closed to the user that collectd runs as.
  copy_in "$CRM_TOP"/src/mappings/customer_success/*.sql "$SVC_DIR/mapping"
  copy_in "$CRM_TOP"/src/mappings/customer_success/changes/*.sql "$SVC_DIR/mapping/changes"
  cat <<CONF
<Plugin crm>
  <Instance "demo">
    Host "$SVC_DIR/run"
    Database "crm"
    User "$DEMO_READER"
    PasswordFile "$SVC_DIR/reader.password"
    Mapping "$SVC_DIR/mapping"
    SyncInterval $sync
CONF
  [ $# -eq 0 ] || printf '    %s\n' "$@"
  printf '  </Instance>\n</Plugin>\n'
}

# demo_crm_listen_block PORT: the plugin's own scrape endpoint; goes beside the block above.
demo_crm_listen_block() { printf '<Plugin crm>\n  Listen "127.0.0.1:%s"\n</Plugin>\n' "$1"; }

# demo_crm_history BUILD NOW DAYS: computes what the series would have been on each of the last DAYS days until NOW (seconds since 1970), and around the
# same day a year ago, and pushes them to PROMETHEUS_URL, which must be empty and take remote writes. Labels are those of the scrape of
# CRM_LISTEN_PORT, so that the past and the present are one series. Needs SVC_DIR/collectd.conf.
demo_crm_history() {
  local build=$1 now=$2 days=$3 log=$SVC_DIR/log/backfill.log part
  copy_in "$build/crmctl" "$SVC_DIR/bin"
  as_user chmod 755 "$SVC_DIR/bin/crmctl"
  as_user touch "$log"
  for part in "366 364" "$days 0"; do
    if ! as_user "$SVC_DIR/bin/crmctl" --config "$SVC_DIR/collectd.conf" backfill --from "@$((now - ${part% *} * 86400))" --to "@$((now - ${part#* } * 86400))" \
      --step 24h --format remote_write --url "$PROMETHEUS_URL/api/v1/write" --label job=crm --label "instance=127.0.0.1:$CRM_LISTEN_PORT" \
      --output "$SVC_DIR/backfill-${part% *}" >>"$log" 2>&1; then
      explain backfill
      return 1
    fi
  done
}
# What a Prometheus needs for that: to take it, to keep it, and to look back from one day to the next. And no blocks: they are of two hours, so that each of
# those days would become one, which takes as long as all else.
# shellcheck disable=SC2034 # for the caller
DEMO_HISTORY_FLAGS=(--web.enable-remote-write-receiver --storage.tsdb.retention.time=10y --query.lookback-delta=25h
  --storage.tsdb.min-block-duration=1000d --storage.tsdb.max-block-duration=1000d)
