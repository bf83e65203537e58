# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Milliseconds of a clock that only goes forward.
now_ms() {
  local up
  IFS=' ' read -r up _ </proc/uptime # a trap may run where IFS is another
  printf '%d\n' "$((10#${up/./} * 10))"
}
