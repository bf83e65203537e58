# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Building out of tree. Sourced by contrib/demo and contrib/check; CRM_TOP is the checkout.

CRM_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$CRM_TOP/contrib/lib/clock.sh"
BUILD_JOBS=${BUILD_JOBS:-$(nproc)}
RUNNING= # the child that run_logged waits for

# run_logged LOG COMMAND...: with its output in LOG. The shell stays open to signals meanwhile; run_stop belongs in its EXIT trap.
run_logged() {
  local log=$1 status
  shift
  mkdir -p "$(dirname "$log")"
  "$@" </dev/null >"$log" 2>&1 &
  RUNNING=$!
  wait "$RUNNING"
  status=$?
  RUNNING=
  return $status
}

run_stop() {
  [ -z "$RUNNING" ] || kill "$RUNNING" 2>/dev/null
  RUNNING=
}

# The generated files of the build system, if they are missing or older than what they come from.
autogen_needed() {
  [ ! -x "$CRM_TOP/configure" ] || [ ! -f "$CRM_TOP/Makefile.in" ] ||
    [ -n "$(find "$CRM_TOP" \( -path "$CRM_TOP/build*" -o -name .git \) -prune -o \
      \( -name configure.ac -o -name Makefile.am -o -name '*.mk' -o -name 'crm_*.m4' \) -newer "$CRM_TOP/Makefile.in" -print -quit)" ]
}

# configure_in DIRECTORY ARGUMENT...: configures there unless that has been done with the same arguments, or, if there are none, with any.
configure_in() {
  local dir=$1
  shift
  mkdir -p "$dir"
  if [ -f "$dir/config.status" ] && [ "$dir/config.status" -nt "$CRM_TOP/configure" ] &&
    { [ $# -eq 0 ] || [ "$(cat "$dir/.arguments" 2>/dev/null)" = "$*" ]; }; then
    return 0
  fi
  (cd "$dir" && "$CRM_TOP/configure" "$@") && printf '%s\n' "$*" >"$dir/.arguments"
}

# build_in DIRECTORY ARGUMENT...: configures and makes.
build_in() { configure_in "$@" && make -C "$1" -j"$BUILD_JOBS"; }
