#!/bin/sh
# SPDX-License-Identifier: MIT
# crmctl without a server: its command line, its configuration, its exit statuses, and that it stops when told to.
ctl=$CRM_BUILDDIR/crmctl
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/mappings/customer_success"
echo 'SELECT 1 AS account_id' >"$dir/mappings/customer_success/account.sql"
CRM_MAPPING_DIR=$dir/mappings
export CRM_MAPPING_DIR
unset PGHOST PGPORT PGSERVICE PGPASSWORD PGDATABASE PGUSER
n=0

# try NAME STATUS STDOUT STDERR ARGUMENT...: the statuses must be equal, the texts must be found; "-" stands for nothing at all.
try() {
  name=$1 status=$2 out=$3 err=$4
  shift 4
  n=$((n + 1))
  "$ctl" "$@" >"$dir/out" 2>"$dir/err" </dev/null
  got=$?
  verdict=ok
  [ "$got" -eq "$status" ] || verdict='not ok'
  found "$out" "$dir/out" || verdict='not ok'
  found "$err" "$dir/err" || verdict='not ok'
  echo "$verdict $n - $name"
  if [ "$verdict" != ok ]; then
    echo "# status $got, expected $status"
    sed 's/^/# out: /' "$dir/out"
    sed 's/^/# err: /' "$dir/err"
  fi
}

found() {
  if [ "$1" = - ]; then
    [ ! -s "$2" ]
  else
    grep -qF -- "$1" "$2"
  fi
}

try 'no command' 2 - 'a command is missing; allowed: backfill, check, once, summary'
try 'help' 0 'Usage: crmctl [OPTIONS] COMMAND' - --help
try 'version' 0 'crmctl (collectd-crm) ' - --version
for command in backfill check once summary; do
  try "help of $command" 0 "Usage: crmctl [OPTIONS] $command" - $command --help
  try "help before $command" 0 "Usage: crmctl [OPTIONS] $command" - --help $command
done
try 'unknown command' 2 - 'unknown command "frob"; allowed: backfill, check, once, summary' frob
try 'nearly a command' 2 - 'unknown command "sumary", is summary meant?' sumary
try 'two commands' 2 - '"check": there is one command already, once' once check
try 'unknown option' 2 - 'unknown option --frobnicate' --frobnicate check
try 'nearly an option' 2 - 'unknown option --instanse, is --instance meant?' --instanse=x check
try 'option without its value' 2 - '--config needs a value' check --config
try 'value where none goes' 2 - '--json takes no value' --json=1 summary
try 'short option' 2 - 'unknown option -x' -x check
try 'unknown format' 2 - '--format: "xml" is not known; allowed: text, json' once --format xml
try '--json with check' 2 - '--json says nothing to the command check' check --json
try '--tenant with once' 2 - '--tenant says nothing to the command once' once --tenant x
try '--at with check' 2 - '--at says nothing to the command check' --at 2026-01-01 check
try 'currency that is none' 2 - '--currency: "EURO" is not a currency' --conninfo dbname=x summary --currency EURO
try '--set without a value' 2 - '--set:1: Foo: an option needs a value' --set Foo check
try '--set of a block' 2 - '--set: allowed: one option with its value' --set '<Relation "nps">
Disabled true
</Relation>' check
try '--set of an unknown option' 2 - 'command line: SyncIntervl: unknown option in <Instance>, is SyncInterval meant?' --conninfo dbname=x --set 'SyncIntervl 5' check
try '--set out of range' 2 - 'command line: SyncInterval: 0 is out of range; allowed: ' --conninfo dbname=x --set 'SyncInterval 0' check
try 'password on the command line' 2 - 'command line: ConnInfo: it holds a password' --conninfo 'dbname=x password=hunter2' check
grep -q hunter2 "$dir/err" && echo "not ok $((n = n + 1)) - the password is not told" || echo "ok $((n = n + 1)) - the password is not told"
try 'mapping that is not there' 2 - 'command line: Mapping: ' --conninfo dbname=x --mapping none check
try 'mapping directory that is not there' 2 - '/nowhere/customer_success: No such file' --mapping-dir /nowhere --conninfo dbname=x check
try 'time that is none' 2 - '--at: ' --conninfo "host=$dir dbname=x" once --at yesterday
to_server="--conninfo dbname=x"
# shellcheck disable=SC2086 # words
{
  try 'backfill without a beginning' 2 - '--from is missing' $to_server backfill --output "$dir/b"
  try 'backfill without a directory' 2 - '--output is missing' $to_server backfill --from 2025-01-01
  try 'beginning that is none' 2 - '--from: ' $to_server backfill --from soon --output "$dir/b"
  try 'beginning in the future' 2 - '--from lies in the future' $to_server backfill --from 2199-01-01 --output "$dir/b"
  try 'end in the future' 2 - '--to lies in the future' $to_server backfill --from 2025-01-01 --to 2199-01-01 --output "$dir/b"
  try 'end before the beginning' 2 - '--from is later than --to' $to_server backfill --from 2025-01-02 --to 2025-01-01 --output "$dir/b"
  try 'step that is none' 2 - '--step: "1 day" is no time' $to_server backfill --from 2025-01-01 --step '1 day' --output "$dir/b"
  try 'step of nothing' 2 - '--step: "0h" is no time' $to_server backfill --from 2025-01-01 --step 0h --output "$dir/b"
  try 'step that is too short' 2 - '--step: more than 10000000 instants' $to_server backfill --from 1999-01-01 --step 1s --output "$dir/b"
  try 'format of backfill' 2 - 'allowed: openmetrics, victoriametrics, graphite, remote_write' $to_server backfill --from 2025-01-01 --format text --output "$dir/b"
  try 'label without a value' 2 - '--label: "job" is not NAME=VALUE' $to_server backfill --label job
  try 'label that nobody may set' 2 - '--label: "__name__=x" is not NAME=VALUE' $to_server backfill --label __name__=x
  try 'label twice' 2 - '--label: job is given twice' $to_server backfill --label job=a --label job=b
  try 'path without a name' 2 - '--path: "a.%T": %N (the name) is missing' $to_server backfill --from 2025-01-01 --format graphite --path a.%T --output "$dir/b"
  try 'path with something else' 2 - 'only %T (tenant) and %N (name)' $to_server backfill --from 2025-01-01 --format graphite --path a.%T.%N.%h --output "$dir/b"
  try 'directory that cannot be made' 2 - "$dir/none/b/: No such file" $to_server backfill --from 2025-01-01 --output "$dir/none/b"
  push="$to_server backfill --from 2025-01-01 --format remote_write --output $dir/b"
  try 'push to nowhere' 2 - '--url or --sink is missing' $push
  try 'push to what is no URL' 2 - '--url: allowed: a whole URL with its path' $push --url host:9090
  try 'push to another kind of URL' 2 - '--url: allowed: a whole URL with its path' $push --url ftp://host/x
  try 'push to a host alone' 2 - '--url: allowed: a whole URL with its path' $push --url http://host:9090
  try 'push with a password in the URL' 2 - '--url: it holds a user or a password' $push --url http://u:hunter2@host/api/v1/write
  grep -q hunter2 "$dir/err" && echo "not ok $((n = n + 1)) - that password is not told" || echo "ok $((n = n + 1)) - that password is not told"
  try 'push to two' 2 - '--url and --sink are both given' $push --url http://host/x --sink y
  try 'push to a block that is not there' 2 - '--sink: there is no block <RemoteWrite "y"> or <OTLP> of that name; there is none at all' $push --sink y
  try '--url with files' 2 - '--url says nothing without --format remote_write' $to_server backfill --from 2025-01-01 --output "$dir/b" --url http://host/x
  try '--sink with files' 2 - '--sink says nothing without --format remote_write' $to_server backfill --from 2025-01-01 --output "$dir/b" --sink x
  try '--url with once' 2 - '--url says nothing to the command once' once --url http://host/x
  [ ! -e "$dir/b" ] && echo "ok $((n = n + 1)) - no directory is made for wrong arguments" || echo "not ok $((n = n + 1)) - no directory is made for wrong arguments"
  try '--from with once' 2 - '--from says nothing to the command once' once --from 2025-01-01
}
try 'no server' 2 'database  not reached' "$dir" --conninfo "host=$dir dbname=x user=u" check
try 'no server, once' 2 - "u@$dir" --conninfo "host=$dir dbname=x user=u" once
try 'no server, summary' 2 - "u@$dir" --conninfo "host=$dir dbname=x user=u" summary --json

# A whole collectd.conf with what it includes.
mkdir "$dir/conf.d"
cat >"$dir/collectd.conf" <<CONF
Hostname "x"
LoadPlugin df
<Plugin df>
  MountPoint "/"
</Plugin>
<Include "$dir/conf.d">
  Filter "*.conf"
</Include>
CONF
try 'configuration without the plugin' 2 - "$dir/collectd.conf: there is no block <Plugin crm> in it" --config "$dir/collectd.conf" check
cat >"$dir/conf.d/crm.conf" <<CONF
<Plugin crm>
  <Instance "one">
    Host "$dir"
    Port 1111
    User "u"
    Database "a"
  </Instance>
  <Instance "two">
    Host "$dir"
    Port 2222
    User "u"
    Database "b"
  </Instance>
</Plugin>
CONF
try 'check goes through all instances' 2 'Instance two' 'u@' --config "$dir/collectd.conf" check
try 'and says where they stand' 2 "Instance one ($dir/conf.d/crm.conf:2)" 1111 --config "$dir/collectd.conf" check
try 'one of them' 2 'Instance two' 2222 --config "$dir/collectd.conf" --instance two check
try 'a directory as the configuration' 2 'Instance two' 2222 --config "$dir/conf.d" --instance two check
try 'several instances' 2 - 'there are several instances; choose one with --instance: one, two' --config "$dir/collectd.conf" once
try 'instance that is not there' 2 - 'there is no instance "three"; there are: one, two' --config "$dir/collectd.conf" --instance three check
try 'override in one instance' 2 - "u@$dir:3333/b" --config "$dir/collectd.conf" --instance two --set 'Port 3333' once
try 'connection as a whole' 2 - "v@$dir:4444/c" --config "$dir/collectd.conf" --instance two --conninfo "host=$dir port=4444 dbname=c user=v" once
try 'configuration that is not there' 2 - "$dir/none.conf: No such file or directory" --config "$dir/none.conf" check
printf '<Plugin crm>\n  <Instance "a">\n    SyncIntervall 5\n' >"$dir/bad.conf"
try 'configuration that does not parse' 2 - "$dir/bad.conf:2: the block <Instance> is not closed" --config "$dir/bad.conf" check
printf '<Plugin crm>\n  <Instance "a">\n    SyncIntervall 5\n  </Instance>\n</Plugin>\n' >"$dir/bad.conf"
try 'configuration that is wrong' 2 - "$dir/bad.conf:3: SyncIntervall: unknown option in <Instance>, is SyncInterval meant?" --config "$dir/bad.conf" check

# A server that accepts and never answers: an interrupt ends the wait at once.
perl -MIO::Socket::INET -e '
  my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die "no listener: $!";
  open(my $f, ">", "$ARGV[0].new") or die; print $f $s->sockport; close $f; rename "$ARGV[0].new", $ARGV[0];
  sleep 60' "$dir/port" &
listener=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -s "$dir/port" ] || sleep 0.3; done
for signal in INT TERM; do
  n=$((n + 1))
  "$ctl" --conninfo "host=127.0.0.1 port=$(cat "$dir/port") dbname=x user=u" once >"$dir/out" 2>"$dir/err" &
  pid=$!
  sleep 1
  kill -"$signal" $pid
  before=$(date +%s%N)
  wait $pid
  status=$?
  took=$((($(date +%s%N) - before) / 1000000))
  if [ $status -eq 130 ] && [ $took -lt 1000 ]; then
    echo "ok $n - $signal ends the wait for a silent server"
  else
    echo "not ok $n - $signal ends the wait for a silent server"
    echo "# status $status after $took ms: $(cat "$dir/err")"
  fi
done
kill $listener
wait $listener 2>/dev/null

n=$((n + 1))
if [ -w /dev/full ] && "$ctl" --help >/dev/full 2>/dev/null; then echo "not ok $n - a full disk is an error"; else echo "ok $n - a full disk is an error"; fi
echo "1..$n"
