#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The module's only exported symbol is module_register: the daemon's own symbols would take the place of any other.
. "${CRM_SRCDIR:?}/tests/lib/tap.sh"

module=${CRM_BUILDDIR:?}/.libs/crm.so
[ -f "$module" ] || bail_out "$module has not been built"
symbols=$(nm -D --defined-only "$module") || bail_out "nm does not read $module"

# A sanitizer's runtime leaves weak symbols of its own behind; they are not ours.
ours=$(awk '{print $3}' <<<"$symbols" | grep -vE '^_*(asan|ubsan|tsan|lsan|sanitizer)_|^__odr_asan|^_init$|^_fini$')
is "crm.so exports module_register and nothing else" "$ours" module_register
is "it is code" "$(awk '$3 == "module_register" {print $2}' <<<"$symbols")" T

# What the module takes from outside must be there: the daemon (which exports its functions), libpq, GLib, the C library.
undefined=$(ldd -r "$module" 2>&1 | sed -n 's/^undefined symbol: \([^[:space:]]*\).*/\1/p' | sort -u)
daemon=$(nm -D --defined-only "$(command -v collectd || echo /usr/sbin/collectd)" | awk '{print $3}' | sort -u)
missing=$(comm -23 <(printf '%s\n' "$undefined") <(printf '%s\n' "$daemon") | grep -vE '^__(asan|ubsan|tsan|lsan|sanitizer)_|^$')
is "every symbol it needs is the daemon's or a library's" "$missing" ""

done_testing
