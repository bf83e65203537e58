# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# TAP for shell tests: ok and is report one test each; done_testing prints the plan and ends the script.
# A script that ends early leaves no plan, which the driver of `make check` counts as an error.

TAP_COUNT=0 TAP_FAILED=0

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

pass() {
  TAP_COUNT=$((TAP_COUNT + 1))
  printf 'ok %d - %s\n' "$TAP_COUNT" "$1"
}
fail() { # NAME [WHY...]
  TAP_COUNT=$((TAP_COUNT + 1))
  TAP_FAILED=$((TAP_FAILED + 1))
  printf 'not ok %d - %s\n' "$TAP_COUNT" "$1"
  shift
  [ $# -eq 0 ] || diag "$@"
}
skip() { # NAME REASON
  TAP_COUNT=$((TAP_COUNT + 1))
  printf 'ok %d - %s # SKIP %s\n' "$TAP_COUNT" "$1" "$2"
}
# ok NAME COMMAND...: the command succeeds; what it prints is shown if not.
ok() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then pass "$name"; else fail "$name" "failed: $*" "$output"; fi
}
# is NAME GOT WANTED
is() {
  if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got:    $2" "wanted: $3"; fi
}
# bail_out WHY: nothing after this would make sense.
bail_out() {
  printf 'Bail out! %s\n' "$*"
  exit 1
}
done_testing() {
  printf '1..%d\n' "$TAP_COUNT"
  exit $((TAP_FAILED > 0))
}
