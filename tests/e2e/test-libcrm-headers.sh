#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The rooms: nothing in libcrm includes a header of collectd, and every header of ours compiles alone.
. "${CRM_SRCDIR:?}/tests/lib/tap.sh"
cd "${CRM_BUILDDIR:?}" || bail_out "no build directory"

# The compiler wrote down what each object was made of.
includes_collectd() { # FILE-PATTERN: the dependency files that name a header of collectd
  find src -path '*/.deps/*' -name "$1" -exec grep -lE '(^|[ /])(collectd/core/|daemon/plugin\.h|liboconfig/)' {} + | sort
}
objects=$(find src -path '*/.deps/libcrm_la-*.Plo' -size +100c | wc -l)
if [ "$objects" -gt 0 ] && [ -n "$(includes_collectd 'crm_la-*.Plo')" ]; then
  pass "the compiler's notes are there: $objects objects of libcrm, and the module's own do include collectd"
else
  fail "the compiler's notes are there" "$objects objects of libcrm have notes"
fi
is "no object of libcrm includes a header of collectd" "$(includes_collectd 'libcrm_la-*.Plo')" ""
is "none but src/crm.c and src/collectd name collectd's headers" \
  "$(cd "$CRM_SRCDIR" && grep -rlE '^[[:space:]]*#[[:space:]]*include.*(collectd/core/|collectd_api\.h|"plugin\.h"|oconfig\.h)' src | grep -vE '^src/(crm\.c|collectd/)' | sort)" ""

for header in $(cd "$CRM_SRCDIR/src" && find . -name '*.h' ! -path './collectd/*' | sort | sed 's,^\./,,'); do
  # Twice: a header without a guard does not survive it.
  # shellcheck disable=SC2046 # several words
  ok "$header compiles alone" ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Werror -fsyntax-only -I"$CRM_SRCDIR/src" \
    $(pkg-config --cflags glib-2.0 libpq) -include "$header" -include "$header" -x c /dev/null
done

done_testing
