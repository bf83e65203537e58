#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make bench`: what the plugin costs on generated CRMs of growing size, beside the floor measured on the same database in the same run: the
# statements of its full read, sent by psql, the rows thrown away. Ratios say more than seconds, which move from machine to machine.
#
#   CRM_BENCH_SIZES   accounts, default "1000 10000 100000"
#   CRM_BENCH_DAYS    days of daily facts, default 365, and 60 from 100,000 accounts on, which the windows need; 365 there take 8 GB of disk
set -u -o pipefail
CRM_SRCDIR=${CRM_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
CRM_BUILDDIR=${CRM_BUILDDIR:-$PWD}
. "$CRM_SRCDIR/contrib/lib/services.sh"
. "$CRM_SRCDIR/contrib/lib/build.sh"
. "$CRM_SRCDIR/contrib/lib/demo_crm.sh"
sizes=${CRM_BENCH_SIZES:-1000 10000 100000}
end=2026-03-01
runs=3

[ -x "$CRM_BUILDDIR/crm-bench" ] || { printf 'bench: %s/crm-bench is missing; say "make bench"\n' "$CRM_BUILDDIR" >&2; exit 2; }
trap services_end EXIT
trap 'exit 130' INT TERM HUP
services_init || exit 1
start_postgres || exit 1
conninfo="host=$SVC_DIR/run dbname=crm user=postgres"
copy_in "$CRM_SRCDIR"/src/mappings/customer_success/*.sql "$SVC_DIR/mapping"
copy_in "$CRM_BUILDDIR/crm-bench" "$SVC_DIR/bin"
as_user chmod 0755 "$SVC_DIR/bin/crm-bench"
bench() { as_user "$SVC_DIR/bin/crm-bench" "$conninfo" "$SVC_DIR/mapping" "$1"; }

# floor: seconds that psql needs for the same statements, to nowhere. The least of some runs, as for the plugin.
floor() {
  local i best=999999999 start took
  for ((i = 0; i < runs; i++)); do
    start=$(date +%s%N)
    sql -f "$SVC_DIR/copies.sql" >/dev/null || return 1
    took=$((($(date +%s%N) - start) / 1000))
    [ "$took" -ge "$best" ] || best=$took
  done
  printf '%s\n' "$best"
}

printf '%9s %11s %9s %10s %9s %7s %8s %9s %11s %11s %8s\n' accounts rows 'read s' 'rows/s' 'floor s' 'ratio' 'CPU s' 'build s' \
  'bytes/acct' 'over 32/row' 'ns/acct'
for size in $sizes; do
  SVC_DATABASE=postgres sql -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS crm" || exit 1
  days=${CRM_BENCH_DAYS:-$([ "$size" -ge 100000 ] && echo 60 || echo 365)}
  printf 'loading %s accounts, %s days...\r' "$size" "$days" >&2
  lean=()
  [ "$size" -lt 10000 ] || lean=(--lean)
  demo_crm_load "$CRM_BUILDDIR" --unchecked --accounts "$size" --days "$days" --seed 1 --end "$end" "${lean[@]}" || exit 1
  sql -c 'VACUUM (ANALYZE)' || exit 1
  bench print-copies | write_file "$SVC_DIR/copies.sql" || exit 1
  printf 'measuring %s accounts...            \r' "$size" >&2
  lines=
  for ((i = 0; i < runs; i++)); do
    line=$(bench "$end") || exit 1
    lines+="$line"$'\n'
  done
  floor_us=$(floor) || exit 1
  printf '%s' "$lines" >>"$SVC_DIR/parts"
  printf '%s' "$lines" | awk -v floor="$floor_us" '
    { for (i = 1; i <= NF; i++) { split($i, kv, "="); v[kv[1]] = kv[2] + 0 }
      if (NR == 1 || v["wall"] < wall) { wall = v["wall"]; cpu = v["cpu"]; build = v["build"] }
      if (NR == 1 || v["eval_ns"] < eval) eval = v["eval_ns"] }
    END { floor /= 1e6
      printf "%9d %11d %9.3f %10.0f %9.3f %7.2f %8.3f %9.3f %11.0f %11.0f %8.0f\n", v["accounts"], v["rows"], wall, v["rows"] / wall, floor,
        wall / floor, cpu, build, v["bytes"] / v["accounts"], (v["bytes"] - 32 * v["rows"]) / v["accounts"], eval / v["accounts"] }'
done

# One column per size, the least of the runs in each.
awk '
  { for (i = 1; i <= NF; i++) { split($i, kv, "="); v[kv[1]] = kv[2] + 0 }
    size = v["accounts"]
    if (!(size in seen)) { seen[size]; sizes[++n] = size }
    note("series in all, number", v["series"])
    note("memory of a computation, bytes", v["arena_bytes"] / size)
    note("memory of its series, bytes", v["series_bytes"] / size)
    note("rows of facts, number", v["rows"] / size)
    note("all parts, ns per 100 rows", 100 * v["eval_ns"] / v["rows"])
    for (i = 1; i <= NF; i++) if ($i ~ /^part:/) { split($i, kv, "="); note(substr(kv[1], 6), kv[2] / size) } }
  function note(what, x) {
    if (!(what in known)) { known[what]; rows[++m] = what }
    if (!((what, size) in least) || x < least[what, size]) least[what, size] = x }
  END {
    printf "\n%-32s", "ns per account in"
    for (j = 1; j <= n; j++) printf " %9d", sizes[j]
    for (k = 1; k <= m; k++) {
      printf "\n%-32s", rows[k]
      for (j = 1; j <= n; j++) printf " %9.0f", least[rows[k], sizes[j]] }
    printf "\n" }' "$SVC_DIR/parts"
cat <<'TEXT'

read     full read of every relation in one snapshot into memory, ready to compute     floor    psql, the same COPY statements to nowhere
ratio    read / floor (target: at most 1.3)     CPU    of the plugin's side     build    of it grouping and ordering
bytes    of memory per account; "over 32/row": beyond 32 bytes per raw fact (target: at most 1536)
ns/acct  CPU time of a full recompute of every family, per account (target: at most 1000). It grows with the rows of the windows, some hundred
         of an account with a year of daily facts, each of which is looked at for T and for the starts of three windows
In the second table "scores" are those at T, T - 7 d, T - 30 d and T - 90 d, "series" is making samples of sums per cell, whichever part
asks for it, and "order" sorting them.
TEXT
