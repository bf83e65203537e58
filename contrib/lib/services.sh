# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Private servers in a scratch directory: PostgreSQL, Prometheus, carbon with Graphite's API, collectd with the plugin. Used by contrib/demo
# and by the end-to-end tests. Loopback and Unix sockets only; nothing outside the scratch directory is written.
#
#   services_init                     makes the scratch directory SVC_DIR; the caller's EXIT trap calls services_end
#   start_postgres                    a cluster in SVC_DIR/pg; sql ... talks to it as its superuser
#   start_prometheus PORT-OF-COLLECTD sets PROMETHEUS_URL
#   start_carbon SECONDS              sets CARBON_PORT (line receiver) and CARBON_QUERY_PORT
#   start_graphite                    sets GRAPHITE_URL (render API and pages); needs start_carbon
#   start_collectd CONF               see collectd_conf
#   stop_service NAME [SIGNAL [S]]    ends one; SVC_STOP_MS and SVC_STOP_STATUS say how it went
#   services_end                      ends all and removes the scratch directory, unless SVC_KEEP says otherwise
#
# Servers are children of the calling shell and end with it, even if it is killed: call these functions in the script itself, never in
# $(...) or in a pipeline.

SVC_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$SVC_LIB/clock.sh"
SVC_PYTHON=/usr/bin/python3 # Debian's own: carbon and graphite-web are its modules
SVC_DIR=
SVC_KEEP=${SVC_KEEP:-}   # not empty: the scratch directory stays
SVC_NAMES=()             # in the order of their start
declare -A SVC_PID=()
SVC_USER=()              # what a command is prefixed with to run as an ordinary user
SVC_PATIENCE=1           # what limits of waiting are multiplied with
# shellcheck disable=SC2034 # for the caller
SVC_STOP_MS=0 SVC_STOP_STATUS=0

services_say() { printf '%s\n' "$*" >&2; }

# Everything runs as an ordinary user: PostgreSQL refuses root, and nothing here needs it.
services_init() {
  umask 077
  SVC_DIR=$(mktemp -d "${TMPDIR:-/tmp}/crm-XXXXXX") || return 1
  if [ "$(id -u)" -eq 0 ]; then
    SVC_USER=(setpriv "--reuid=$(id -u nobody)" "--regid=$(id -g nobody)" --clear-groups --)
    chown nobody "$SVC_DIR"
    if ! "${SVC_USER[@]}" test -w "$SVC_DIR"; then
      services_say "The user nobody cannot reach $SVC_DIR: set TMPDIR to a directory open to all, such as /tmp."
      return 1
    fi
  fi
  as_user mkdir "$SVC_DIR/log" "$SVC_DIR/run"
  # The limit of a Unix socket's address, less PostgreSQL's file name.
  if [ ${#SVC_DIR} -gt 80 ]; then
    services_say "$SVC_DIR is too long a path for a Unix socket: set TMPDIR to a shorter one."
    return 1
  fi
}

as_user() { (cd "$SVC_DIR" && HOME=$SVC_DIR "${SVC_USER[@]}" "$@"); }

# Puts standard input into a file that the servers may read.
write_file() { as_user sh -c 'cat >"$1"' sh "$1"; }

# copy_in FILE... DIRECTORY: copies that the servers may read, for the checkout may be closed to their user.
copy_in() {
  local to=${*: -1} file
  as_user mkdir -p "$to"
  for file in "${@:1:$#-1}"; do
    write_file "$to/$(basename "$file")" <"$file"
  done
}

# free_port PREFERRED: prints it if it can be bound on the loopback, else one that can. With SVC_ANY_PORT set none is preferred: tests that run
# side by side must not choose the same one before either has bound it.
free_port() {
  "$SVC_PYTHON" - "${SVC_ANY_PORT:-$1}" <<'PY'
import socket, sys
for port in (int(sys.argv[1]), 0):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(s.getsockname()[1])
        break
PY
}

# spawn NAME COMMAND...: starts it in the background with its output in SVC_DIR/log/NAME.log, away from the terminal's Ctrl-C, so that
# services_end ends everything in order; if this shell is killed the server gets a SIGINT.
spawn() {
  local name=$1
  shift
  local log=$SVC_DIR/log/$name.log
  as_user touch "$log"
  (cd "$SVC_DIR" && HOME=$SVC_DIR exec setsid "${SVC_USER[@]:-env}" setpriv --pdeathsig INT -- "$@" </dev/null >>"$log" 2>&1) &
  SVC_PID[$name]=$!
  SVC_NAMES+=("$name")
}

service_alive() { [ -n "${SVC_PID[$1]:-}" ] && kill -0 "${SVC_PID[$1]}" 2>/dev/null; }

# Says why NAME failed: the end of its log, and where the rest is.
explain() {
  local log=$SVC_DIR/log/$1.log
  SVC_KEEP=failed
  services_say "--- the end of $log"
  tail -n "${2:-20}" "$log" >&2
  services_say "---"
}

# wait_for SECONDS NAME COMMAND...: until the command succeeds, SECONDS x SVC_PATIENCE at most; fails at once if the service NAME has ended ("-" for none).
wait_for() {
  local end=$(($(now_ms) + $1 * 1000 * SVC_PATIENCE)) name=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$name" != - ] && ! service_alive "$name"; then
      services_say "$name has ended"
      explain "$name"
      return 1
    fi
    if [ "$(now_ms)" -gt "$end" ]; then
      services_say "waited in vain for: $*"
      [ "$name" = - ] || explain "$name"
      return 1
    fi
    sleep 0.1
  done
}

# stop_service NAME [SIGNAL [SECONDS]]: asks it to end; after SECONDS (10) kills it, and fails. SVC_STOP_MS is how long it took,
# SVC_STOP_STATUS its exit status.
stop_service() {
  local name=$1 signal=${2:-TERM} limit=${3:-10} pid=${SVC_PID[$1]:-} killed=0 start
  [ -n "$pid" ] || return 0
  start=$(now_ms)
  { # without the shell's own remarks on a child that was killed
    kill "-$signal" "$pid"
    while kill -0 "$pid"; do
      if [ $(($(now_ms) - start)) -gt $((limit * 1000)) ]; then
        kill -KILL "$pid"
        killed=1
        break
      fi
      sleep 0.02
    done
    SVC_STOP_MS=$(($(now_ms) - start))
    wait "$pid"
    SVC_STOP_STATUS=$?
  } 2>/dev/null
  unset "SVC_PID[$name]"
  local rest=() other
  for other in "${SVC_NAMES[@]}"; do [ "$other" = "$name" ] || rest+=("$other"); done
  SVC_NAMES=("${rest[@]}")
  return $killed
}

stop_all() {
  local i
  for ((i = ${#SVC_NAMES[@]} - 1; i >= 0; i--)); do
    case ${SVC_NAMES[i]} in
      postgres) stop_service postgres INT ;; # TERM would wait for clients
      carbon) stop_service carbon KILL ;;    # TERM would write what it has in memory to files that are removed next
      *) stop_service "${SVC_NAMES[i]}" ;;
    esac
  done
}

services_end() {
  [ -n "$SVC_DIR" ] || return 0
  stop_all
  if [ -n "$SVC_KEEP" ]; then
    services_say "The scratch directory stays: $SVC_DIR"
  else
    rm -rf "$SVC_DIR"
  fi
  SVC_DIR=
}

# --- PostgreSQL ------------------------------------------------------------------------------------------------------------

# The newest server that is installed; Debian keeps them out of PATH.
postgres_bin() {
  local dir newest=
  for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V); do
    [ -x "$dir/initdb" ] && newest=$dir
  done
  if [ -z "$newest" ]; then
    services_say "no PostgreSQL server in /usr/lib/postgresql"
    return 1
  fi
  printf '%s\n' "$newest"
}

# The cluster listens on a Unix socket in SVC_DIR/run alone. Its superuser comes in without a password (the directory is closed to other
# users), every other role needs one. Called again after stop_service it starts the same cluster.
start_postgres() {
  local bin
  bin=$(postgres_bin) || return 1
  if [ ! -d "$SVC_DIR/pg" ]; then
    as_user touch "$SVC_DIR/log/initdb.log"
    if ! as_user "$bin/initdb" -D "$SVC_DIR/pg" -U postgres --locale=C.UTF-8 -E UTF8 -A trust --no-sync \
      >>"$SVC_DIR/log/initdb.log" 2>&1; then
      explain initdb
      return 1
    fi
    write_file "$SVC_DIR/pg/pg_hba.conf" <<'HBA'
local all postgres trust
local all all scram-sha-256
HBA
  fi
  # Safe only because the data is thrown away; jit would cost more than it saves at this size.
  spawn postgres "$bin/postgres" -D "$SVC_DIR/pg" -k "$SVC_DIR/run" -c listen_addresses= -c fsync=off -c full_page_writes=off -c jit=off \
    -c TimeZone=UTC -c log_min_messages=warning -c log_line_prefix='%m [%p] %u@%a '
  wait_for 30 postgres as_user "$bin/pg_isready" -q -h "$SVC_DIR/run"
}

# psql as the superuser, in the database SVC_DATABASE (crm).
sql() { as_user psql -X -q -v ON_ERROR_STOP=1 -h "$SVC_DIR/run" -U postgres -d "${SVC_DATABASE:-crm}" "$@"; }

# --- Prometheus ------------------------------------------------------------------------------------------------------------

# start_prometheus COLLECTD-PORT [SECONDS [FLAG...]]: scrapes collectd's write_prometheus every SECONDS (2), and, as job crm, the plugin's own
# endpoint if CRM_LISTEN_PORT is set. Loads the rules of PROMETHEUS_RULES, a directory, if that is set. If PROMETHEUS_BEFORE names a function, that is
# called while nothing has been scraped yet: once there is a sample of now, Prometheus takes none of long ago.
start_prometheus() {
  local port flags=("${@:3}")
  port=$(free_port 9090) || return 1
  PROMETHEUS_URL=http://127.0.0.1:$port
  if [ -n "${PROMETHEUS_BEFORE:-}" ]; then
    write_file "$SVC_DIR/prometheus.yml" <<<'global: {}'
  else
    prometheus_conf "$@"
  fi
  spawn prometheus prometheus "--config.file=$SVC_DIR/prometheus.yml" "--storage.tsdb.path=$SVC_DIR/prometheus" \
    "--web.listen-address=127.0.0.1:$port" --log.level=warn "${flags[@]}"
  wait_for 30 prometheus "$SVC_PYTHON" "$SVC_LIB/query.py" get "$PROMETHEUS_URL/-/ready" || return 1
  if [ -n "${PROMETHEUS_BEFORE:-}" ]; then
    "$PROMETHEUS_BEFORE" || return 1
    prometheus_conf "$@"
    kill -HUP "${SVC_PID[prometheus]}"
  fi
}

prometheus_conf() { # COLLECTD-PORT [SECONDS]
  local seconds=${2:-2}
  [ -z "${PROMETHEUS_RULES:-}" ] || copy_in "$PROMETHEUS_RULES"/*.rules.yml "$SVC_DIR/rules"
  {
    cat <<YAML
global:
  scrape_interval: ${seconds}s
  scrape_timeout: ${seconds}s
  evaluation_interval: ${seconds}s
scrape_configs:
  - job_name: collectd
    honor_labels: true # the instance is the host that collectd names
    static_configs:
      - targets: ["127.0.0.1:$1"]
YAML
    [ -z "${CRM_LISTEN_PORT:-}" ] || cat <<YAML
  - job_name: crm
    static_configs:
      - targets: ["127.0.0.1:$CRM_LISTEN_PORT"]
YAML
    [ -z "${PROMETHEUS_RULES:-}" ] || printf 'rule_files: ["%s/rules/*.rules.yml"]\n' "$SVC_DIR"
  } | write_file "$SVC_DIR/prometheus.yml"
}

# prometheus_values EXPRESSION: one line per sample: labels as k=v,k=v in order, tab, value, tab, the sample's time in ms.
prometheus_values() { "$SVC_PYTHON" "$SVC_LIB/query.py" prometheus "$PROMETHEUS_URL" "$1"; }

# --- Graphite --------------------------------------------------------------------------------------------------------------

# start_carbon SECONDS [RETENTIONS]: keeps a value every SECONDS for an hour in SVC_DIR/graphite/whisper, or as RETENTIONS says.
start_carbon() {
  CARBON_PORT=$(free_port 2003) || return 1
  CARBON_QUERY_PORT=$(free_port 7002) || return 1
  as_user mkdir -p "$SVC_DIR/graphite/whisper" "$SVC_DIR/graphite/conf" "$SVC_DIR/graphite/log/webapp"
  write_file "$SVC_DIR/graphite/conf/carbon.conf" <<CONF
[cache]
STORAGE_DIR = $SVC_DIR/graphite
LOCAL_DATA_DIR = $SVC_DIR/graphite/whisper
CONF_DIR = $SVC_DIR/graphite/conf
LOG_DIR = $SVC_DIR/graphite/log
PID_DIR = $SVC_DIR/graphite
DATABASE = whisper
MAX_CACHE_SIZE = inf
MAX_UPDATES_PER_SECOND = inf
MAX_CREATES_PER_MINUTE = inf
WHISPER_SPARSE_CREATE = True
MIN_TIMESTAMP_RESOLUTION = 1
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = $CARBON_PORT
ENABLE_UDP_LISTENER = False
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = 0
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = $CARBON_QUERY_PORT
LOG_UPDATES = False
LOG_CREATES = False
CARBON_METRIC_INTERVAL = 0
ENABLE_TAGS = False
CONF
  write_file "$SVC_DIR/graphite/conf/storage-schemas.conf" <<CONF
[all]
pattern = .*
retentions = ${2:-$1s:1h}
CONF
  spawn carbon carbon-cache "--config=$SVC_DIR/graphite/conf/carbon.conf" --nodaemon --pidfile="$SVC_DIR/graphite/carbon.pid" start
  wait_for 30 carbon "$SVC_PYTHON" "$SVC_LIB/query.py" listening "$CARBON_PORT"
}

# The render API and the pages of graphite-web, in a small server of their own instead of a web server's.
start_graphite() {
  local port
  port=$(free_port 8080) || return 1
  GRAPHITE_URL=http://127.0.0.1:$port
  copy_in "$SVC_LIB/graphite_web.py" "$SVC_DIR/graphite/web"
  spawn graphite env "GRAPHITE_DIR=$SVC_DIR/graphite" "GRAPHITE_CARBON=127.0.0.1:$CARBON_QUERY_PORT" PYTHONDONTWRITEBYTECODE=1 \
    "$SVC_PYTHON" "$SVC_DIR/graphite/web/graphite_web.py" "$port"
  wait_for 60 graphite "$SVC_PYTHON" "$SVC_LIB/query.py" listening "$port"
}

# graphite_values TARGET: one line per value: path, tab, value, tab, time in s; of the last 10 minutes, oldest first.
graphite_values() { "$SVC_PYTHON" "$SVC_LIB/query.py" graphite "$GRAPHITE_URL" "$1"; }

# --- collectd --------------------------------------------------------------------------------------------------------------

# collectd_conf BUILD SECONDS: writes SVC_DIR/collectd.conf: the plugin from the build tree, both write plugins, and the <Plugin crm> block
# from standard input (a file or <(...), no pipe). Sets COLLECTD_PORT (write_prometheus); without start_carbon write_graphite is left out.
collectd_conf() {
  local build=$1 seconds=$2
  COLLECTD_PORT=${COLLECTD_PORT:-$(free_port 9103)}
  # A copy, since collectd loads regular files only, and since the build tree may be closed to the user.
  copy_in "$build/.libs/crm.so" "$SVC_DIR/plugins"
  {
    cat <<CONF
Hostname "${COLLECTD_HOST:-demo}"
FQDNLookup false
BaseDir "$SVC_DIR/run"
PIDFile "$SVC_DIR/run/collectd.pid"
TypesDB "/usr/share/collectd/types.db"
Interval $seconds

LoadPlugin logfile
<Plugin logfile>
  LogLevel "info"
  File STDOUT
  PrintSeverity true
</Plugin>

LoadPlugin write_prometheus
<Plugin write_prometheus>
  Host "127.0.0.1"
  Port "$COLLECTD_PORT"
</Plugin>
CONF
    [ -z "${CARBON_PORT:-}" ] || cat <<CONF

# FlushInterval: without it nothing is sent until 1428 bytes have piled up.
<LoadPlugin write_graphite>
  FlushInterval $seconds
</LoadPlugin>
<Plugin write_graphite>
  <Node "carbon">
    Host "127.0.0.1"
    Port "$CARBON_PORT"
    Protocol "tcp"
    SeparateInstances true
    PreserveSeparator true
  </Node>
</Plugin>
CONF
    printf '\nPluginDir "%s"\nLoadPlugin crm\n' "$SVC_DIR/plugins"
    cat
  } | write_file "$SVC_DIR/collectd.conf"
}

# start_collectd [WRAPPER...]: with SVC_DIR/collectd.conf; the wrapper (valgrind ..., env LD_PRELOAD=...) comes before the daemon.
start_collectd() { spawn collectd "$@" /usr/sbin/collectd -f -C "$SVC_DIR/collectd.conf"; }

collectd_log() { cat "$SVC_DIR/log/collectd.log"; }
