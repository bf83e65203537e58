# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A private PostgreSQL for one test: own data directory, Unix socket only, always stopped. Source it, then:
#   pg_start || skip_all "$PG_REASON"
#   psql_test DATABASE [psql options]
# Sets PG_DIR (scratch directory) and PG_REASON. The server refuses to run as root, so root runs it as `nobody`.

PG_DIR=
PG_REASON=

pg_bindir() {
  local dir
  for dir in "${PG_BINDIR:-}" $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V -r) "$(pg_config --bindir 2>/dev/null || true)"; do
    if [ -n "$dir" ] && [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ]; then
      echo "$dir"
      return 0
    fi
  done
  return 1
}

pg_as() {
  if [ "$(id -u)" = 0 ]; then
    runuser -u nobody -- "$@"
  else
    "$@"
  fi
}

pg_start() {
  local bin
  bin=$(pg_bindir) || { PG_REASON="no PostgreSQL server installed"; return 1; }
  command -v psql >/dev/null || { PG_REASON="no psql installed"; return 1; }
  if [ "$(id -u)" = 0 ] && ! { command -v runuser && id nobody; } >/dev/null 2>&1; then
    PG_REASON="root cannot run a server, and there is no other user to run it"
    return 1
  fi
  PG_DIR=$(mktemp -d "${TMPDIR:-/tmp}/crm-golden.XXXXXX") || { PG_REASON="no scratch directory"; return 1; }
  PG_BIN=$bin
  trap pg_stop EXIT
  trap 'exit 130' INT TERM HUP
  chmod 755 "$PG_DIR"
  mkdir "$PG_DIR/server" || { PG_REASON="no scratch directory"; return 1; }
  if [ "$(id -u)" = 0 ]; then chown nobody "$PG_DIR/server"; fi
  # A socket's path has room for 107 bytes only.
  if [ ${#PG_DIR} -gt 80 ]; then PG_REASON="the scratch directory's path is too long for a socket: $PG_DIR"; return 1; fi
  (cd "$PG_DIR/server" && pg_as "$bin/initdb" -D "$PG_DIR/server/data" -U postgres -A trust -E UTF8 --locale=C --no-sync) >"$PG_DIR/initdb.log" 2>&1 ||
    { PG_REASON="initdb failed: $(tail -n 1 "$PG_DIR/initdb.log")"; return 1; }
  (cd "$PG_DIR/server" && pg_as "$bin/pg_ctl" -D "$PG_DIR/server/data" -l "$PG_DIR/server/log" -w -t 60 \
    -o "-c listen_addresses='' -c unix_socket_directories='$PG_DIR/server' -c fsync=off -c full_page_writes=off -c timezone=UTC -c jit=off" start) \
    >"$PG_DIR/start.log" 2>&1 || { PG_REASON="the server does not start: $(tail -n 1 "$PG_DIR/server/log" 2>/dev/null)"; return 1; }
}

pg_stop() {
  local status=$?
  trap - EXIT
  if [ -n "$PG_DIR" ]; then
    if [ -f "$PG_DIR/server/data/postmaster.pid" ]; then
      (cd "$PG_DIR/server" && pg_as "$PG_BIN/pg_ctl" -D "$PG_DIR/server/data" -m immediate -w -t 30 stop) >/dev/null 2>&1
    fi
    rm -rf "$PG_DIR"
  fi
  exit $status
}

psql_test() {
  local database=$1
  shift
  env -u PGOPTIONS -u PGSERVICE -u PGPASSFILE PGTZ=UTC psql -X -q -v ON_ERROR_STOP=1 -h "$PG_DIR/server" -U "${PG_USER:-postgres}" -d "$database" "$@"
}

# --- TAP -----------------------------------------------------------------------------------------------------------
TAP_N=0
TAP_FAILED=0
skip_all() {
  echo "1..0 # SKIP $1"
  exit 0
}
# ok STATUS NAME: one line of TAP
ok() {
  TAP_N=$((TAP_N + 1))
  if [ "$1" = 0 ]; then
    echo "ok $TAP_N - $2"
  else
    echo "not ok $TAP_N - $2"
    TAP_FAILED=$((TAP_FAILED + 1))
  fi
}
note() { sed 's/^/# /'; }
done_testing() {
  echo "1..$TAP_N"
  [ "$TAP_FAILED" = 0 ]
}
