#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes ./configure from configure.ac (needs autoconf, automake, libtool, pkg-config).
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
exec autoreconf --install --force --warnings=all,error "$@"
