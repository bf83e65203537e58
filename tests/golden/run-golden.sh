#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Golden tests of the mapping customer_success: setup.sql is loaded into a private PostgreSQL, each mapping file is run by the least-privilege
# role, and its rows are compared with expected/<relation>.csv, which was worked out by hand (the reasons stand there, on lines with #).
# TAP on standard output.
set -u
SRC=${CRM_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
HERE=$SRC/tests/golden
MAPPING=$SRC/src/mappings/customer_success
# shellcheck source=tests/golden/private-pg.sh
. "$HERE/private-pg.sh"

pg_start || skip_all "$PG_REASON"
psql_test postgres -c 'CREATE DATABASE golden' || { echo "Bail out! no database"; exit 1; }
for file in contrib/sql/schema.sql contrib/sql/schema_ext.sql tests/golden/setup.sql contrib/sql/role.sql; do
  psql_test golden -f "$SRC/$file" >"$PG_DIR/out" 2>&1
  status=$?
  ok $status "loads $file"
  [ $status = 0 ] || note <"$PG_DIR/out"
done
psql_test golden -f "$SRC/contrib/sql/role.sql" >"$PG_DIR/out" 2>&1
ok $? "role.sql can be run again"

RELATIONS="account revenue contract usage support engagement contact nps goal health invoice opportunity signal intervention onboarding"
as_reader() { PG_USER=collectd_crm psql_test golden "$@"; }

for relation in $RELATIONS; do
  # The second line of each expected file names the columns; arrays are compared as sets.
  columns=$(grep -v '^#' "$HERE/expected/$relation.csv" | head -n 1)
  list=$(echo "$columns" | sed 's/\bcontacts\b/(SELECT array_agg(c ORDER BY c) FROM unnest(contacts) c) AS contacts/')
  {
    echo "COPY (SELECT $list FROM ("
    cat "$MAPPING/$relation.sql"
    echo ") q ORDER BY (q.*)::text COLLATE \"C\") TO STDOUT (FORMAT csv, HEADER, NULL '~');"
  } >"$PG_DIR/query.sql"
  as_reader -f "$PG_DIR/query.sql" >"$PG_DIR/raw" 2>"$PG_DIR/err"
  status=$?
  sed 's/00000000-0000-0000-0000-0*//g' "$PG_DIR/raw" | { IFS= read -r head; echo "$head"; LC_ALL=C sort; } >"$PG_DIR/got"
  grep -v '^#' "$HERE/expected/$relation.csv" | { IFS= read -r head; echo "$head"; LC_ALL=C sort; } >"$PG_DIR/want"
  [ $status = 0 ] && diff -u "$PG_DIR/want" "$PG_DIR/got" >"$PG_DIR/diff" 2>&1
  status=$?
  ok $status "$relation: rows as worked out by hand"
  [ $status = 0 ] || cat "$PG_DIR/err" "$PG_DIR/diff" 2>/dev/null | note
done

# Types decide whether the reader takes a column.
for relation in $RELATIONS; do
  { cat "$MAPPING/$relation.sql"; echo '\gdesc'; } >"$PG_DIR/query.sql"
  as_reader -A -t -F ' ' -f "$PG_DIR/query.sql" 2>"$PG_DIR/err" | sed "s/^/$relation./"
done >"$PG_DIR/got"
diff -u <(grep -v '^#' "$HERE/expected/columns.txt") "$PG_DIR/got" >"$PG_DIR/diff"
status=$?
ok $status "columns and types of all relations"
[ $status = 0 ] || note <"$PG_DIR/diff"

# The role reads what the mapping reads, and no more.
refused() {
  if as_reader -c "$1" >"$PG_DIR/out" 2>&1; then
    echo "not refused: $1" | note
    return 1
  fi
  grep -q "$2" "$PG_DIR/out"
}
refused 'SELECT email FROM public.contacts' 'permission denied'
ok $? "the role cannot read contacts' mail addresses"
refused 'SELECT feedback FROM public.nps_surveys' 'permission denied'
ok $? "the role cannot read feedback texts"
refused 'SELECT * FROM public.accounts' 'permission denied'
ok $? "the role cannot read whole accounts"
refused 'BEGIN READ WRITE; DELETE FROM public.accounts' 'permission denied'
ok $? "the role cannot write, even when it asks to"
refused 'CREATE TABLE public.mine ()' 'read-only'
ok $? "the role's transactions are read only"
[ "$(as_reader -At -c "SELECT current_setting('statement_timeout')")" = 1min ]
ok $? "the role's statements are bounded"
psql_test golden -c 'ALTER TABLE public.nps_surveys ENABLE ROW LEVEL SECURITY'
refused 'SET row_security = off; SELECT score FROM public.nps_surveys' 'row-level security'
ok $? "rows hidden by row-level security are an error, not silence"
psql_test golden -c 'ALTER ROLE collectd_crm BYPASSRLS'
[ "$(as_reader -At -c 'SET row_security = off' -c 'SELECT count(*) FROM (SELECT score FROM public.nps_surveys) q')" = 3 ]
ok $? "BYPASSRLS shows them again"

# A condition on the day must reach the scan of the large table.
{ echo "EXPLAIN SELECT * FROM ("; cat "$MAPPING/usage.sql"; echo ") q WHERE day >= DATE '2026-03-02'"; } >"$PG_DIR/query.sql"
as_reader -At -f "$PG_DIR/query.sql" >"$PG_DIR/out" 2>&1
grep -q "(metric_date >= '2026-03-02'::date)" "$PG_DIR/out"
ok $? "usage: a condition on the day reaches health_metrics"
# ... and leaves the same rows as after the fact.
same=$(as_reader -At -c "SELECT count(*) FROM ($(cat "$MAPPING/usage.sql")
) q WHERE day >= DATE '2026-03-29'")
# By hand: active_users on 03-29 03-31 04-26 04-28 05-05, session_seconds on 03-29 03-31 04-07.
[ "$same" = 8 ]
ok $? "usage: a condition on the day leaves the running counts alone"

# Every file: one statement, no clock, every table with its schema, no semicolon.
for file in "$MAPPING"/*.sql; do
  body=$(grep -v '^ *--' "$file")
  ! grep -Eiq 'now\(\)|current_(date|time|timestamp)|clock_timestamp|;' <<<"$body" &&
    ! grep -Eiq '(FROM|JOIN) +[a-z_]+( |$)' <<<"$(sed 's/extract(epoch FROM//; s/JOIN LATERAL (//' <<<"$body")" &&
    [ "$(head -n 1 "$file")" = '-- SPDX-License-Identifier: MIT' ] && [ "$(grep -c '^-- Traps avoided' "$file")" = 1 ]
  ok $? "$(basename "$file"): no clock, no bare table name, no semicolon, a header that names its traps"
done
[ "$(cd "$MAPPING" && ls ./*.sql | sed 's|^\./||; s|\.sql$||' | LC_ALL=C sort | tr '\n' ' ')" = "$(echo "$RELATIONS" | tr ' ' '\n' | LC_ALL=C sort | tr '\n' ' ')" ]
ok $? "a file for each relation of the contract"

psql_test golden -f "$SRC/contrib/sql/indexes.sql" >"$PG_DIR/out" 2>&1
ok $? "indexes.sql applies"
psql_test golden -f "$SRC/contrib/sql/watermarks.sql" >"$PG_DIR/out" 2>&1
ok $? "watermarks.sql applies"
done_testing
