# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Milliseconds of a clock that only goes forward.
now_ms() {
  local up
  read -r up _ </proc/uptime
  printf '%d\n' "$((10#${up/./} * 10))"
}
