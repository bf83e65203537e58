# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Debian's packages: which are missing, and how they come onto the machine. Sourced by contrib/demo and contrib/check.

# To build; to run the demo and the end-to-end tests; to run everything in contrib/check.
# libmicrohttpd12 and libprotobuf-c1 are only recommended by collectd-core, but write_prometheus does not load without them.
PACKAGES_BUILD=(autoconf automake libtool pkg-config make gcc libc6-dev perl xz-utils libpq-dev libglib2.0-dev collectd-dev
  libcurl4-openssl-dev libprotobuf-c-dev protobuf-c-compiler libmicrohttpd-dev libsnappy-dev zlib1g-dev)
PACKAGES_RUN=(collectd-core libmicrohttpd12 libprotobuf-c1 postgresql prometheus graphite-carbon graphite-web python3 tzdata)
PACKAGES_CHECK=(libcmocka-dev locales clang libclang-rt-14-dev valgrind binutils openssl victoria-metrics protobuf-compiler python3-protobuf
  python3-snappy prometheus-alertmanager prometheus-node-exporter python3-yaml)
# What `make bench` compares with; left out where it is not there.
# shellcheck disable=SC2034 # for the caller
PACKAGES_BENCH=(collectd-core prometheus-postgres-exporter prometheus-sql-exporter)

# Prints those of the packages which are not installed.
packages_missing() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
  done
}

# packages_install LOG PACKAGE...: installs what is missing, as root. Says first what it is going to do; does nothing if nothing is missing.
packages_install() {
  local log=$1 missing
  shift
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    printf 'This is no Debian system; please see to it that these are there (Debian'\''s names): %s\n' "$*" >&2
    return 0
  fi
  mapfile -t missing < <(packages_missing "$@")
  [ ${#missing[@]} -gt 0 ] || return 0

  # RUNLEVEL and SYSTEMD_OFFLINE keep the packages' services from being started by the installation.
  local command="export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 SYSTEMD_OFFLINE=1; apt-get update -q; apt-get install -y --no-install-recommends ${missing[*]}"
  printf 'Installing Debian packages: %s\n' "${missing[*]}"
  mkdir -p "$(dirname "$log")"
  local status=0
  if [ "$(id -u)" -eq 0 ]; then
    sh -c "$command" </dev/null >"$log" 2>&1 || status=$?
  elif command -v sudo >/dev/null; then
    printf 'Root is needed for this, and for nothing else. Running: sudo sh -c "%s"\n' "$command"
    sudo sh -c "$command" >"$log" 2>&1 || status=$?
  else
    printf 'Root is needed for this, and for nothing else. Running: su root -c "%s"\n' "$command"
    su root -c "$command" >"$log" 2>&1 || status=$?
  fi
  mapfile -t missing < <(packages_missing "$@")
  if [ ${#missing[@]} -gt 0 ]; then
    tail -n 15 "$log" >&2
    printf 'Not installed (status %d): %s. The whole log: %s\n' "$status" "${missing[*]}" "$log" >&2
    return 1
  fi
  if [ -d /run/systemd/system ]; then
    printf 'Note: services that came with these packages are not running now, but start with the next boot unless disabled (systemctl disable NAME).\n'
  fi
}
