#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make bench-scrape`: what a scrape of 300,000 series of 6 labels costs in our formats, and what the same number of series costs
# collectd's write_prometheus, which shows three labels, in the same run: CPU of the daemon while it answers, and memory that is held between two
# scrapes (ours: the series, and the text as it was last asked for, compressed; the peer's: growth of the daemon's resident memory).
#
#   CRM_BENCH_PEER   no: without write_prometheus
set -u -o pipefail
CRM_SRCDIR=${CRM_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
CRM_BUILDDIR=${CRM_BUILDDIR:-$PWD}
. "$CRM_SRCDIR/contrib/lib/services.sh"
families=3000 # of 100 values each: write_prometheus sorts a whole family for each new value
runs=3

ours=$("$CRM_BUILDDIR/scrape-bench") || exit 1
value() { tr ' ' '\n' <<<"$ours" | sed -n "s/^$1=//p"; }
printf '%-28s %10s %12s %11s\n' '300,000 series' 'ns/series' 'bytes/series' 'held/series'
for format in text openmetrics protobuf gzip; do
  printf '%-28s %10s %12s\n' "$format" "$(value ${format}_ns)" "$(($(value ${format}_bytes) / 300000))"
done
held=$((($(value set_held) + $(value page_held)) / 300000))
printf '%-28s %10s %12s %11s\n' 'series and page' '' '' "$held"
[ "${CRM_BENCH_PEER:-yes}" != no ] || exit 0

trap services_end EXIT
trap 'exit 130' INT TERM HUP
services_init || exit 1
port=$(free_port 0)
write_file "$SVC_DIR/peer.conf" <<CONF
Hostname "bench"
FQDNLookup false
BaseDir "$SVC_DIR/run"
PIDFile "$SVC_DIR/run/peer.pid"
TypesDB "/usr/share/collectd/types.db"
Interval 3600
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "$SVC_DIR/run/peer.sock"
</Plugin>
LoadPlugin write_prometheus
<Plugin write_prometheus>
  Host "127.0.0.1"
  Port "$port"
</Plugin>
CONF
spawn peer /usr/sbin/collectd -f -C "$SVC_DIR/peer.conf"
wait_for 20 peer test -S "$SVC_DIR/run/peer.sock" || exit 1
resident() { awk '/^VmRSS:/ { print $2 * 1024 }' "/proc/${SVC_PID[peer]}/status"; }
empty=$(resident)
copy_in "$CRM_SRCDIR/tests/bench/put_values.py" "$SVC_DIR/bin"
as_user "$SVC_PYTHON" "$SVC_DIR/bin/put_values.py" "$SVC_DIR/run/peer.sock" "$families" 100 || exit 1
fetch() { "$SVC_PYTHON" "$SVC_LIB/query.py" get "http://127.0.0.1:$port/metrics" >"$SVC_DIR/run/peer.txt"; }
all_there() { fetch && [ "$(grep -c '^collectd_crm' "$SVC_DIR/run/peer.txt")" -eq $((families * 100)) ]; }
chmod 0777 "$SVC_DIR/run"
wait_for 120 peer all_there || exit 1
cpu() { awk '{print $14 + $15}' "/proc/${SVC_PID[peer]}/stat"; } # hundredths of a second
least=999999
for ((i = 0; i < runs; i++)); do
  before=$(cpu)
  fetch || exit 1
  took=$(($(cpu) - before))
  [ "$took" -ge "$least" ] || least=$took
done
peer=$((least * 10000000 / (families * 100)))
peer_held=$((($(resident) - empty) / (families * 100)))
printf '%-28s %10s %12s %11s\n' 'write_prometheus' "$peer" "$(($(stat -c %s "$SVC_DIR/run/peer.txt") / (families * 100)))" "$peer_held"
awk -v peer="$peer" -v text="$(value text_ns)" -v peer_held="$peer_held" -v held="$held" \
  'BEGIN {printf "text is %.1f times as fast, and %.1f times less memory is held\n", peer / text, peer_held / held}'
