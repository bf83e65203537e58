#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every file that can hold one has a licence line, and no source file has grown past what one can read at a time.
. "${CRM_SRCDIR:?}/tests/lib/tap.sh"
cd "$CRM_SRCDIR" || bail_out "no source directory"

# In a tarball as in a checkout: everything but what the build makes.
sources() {
  find . \( -path ./.git -o -path './build*' -o -path ./_build -o -path ./autom4te.cache \) -prune -o -type f \( "$@" \) -print |
    grep -vE '^\./(configure|aclocal\.m4|Makefile\.in|crm_config\.h|m4/(libtool|lt[a-z~]*)\.m4)' | sort
}

mapfile -t files < <(sources -name '*.[ch]' -o -name '*.def' -o -name '*.sh' -o -name '*.py' -o -name '*.sql' -o -name '*.mk' \
  -o -name '*.am' -o -name '*.ac' -o -name '*.m4' -o -name '*.pod' -o -name '*.supp' -o -path './contrib/demo' -o -path './contrib/check' -o -path './.ci/run')
if [ ${#files[@]} -gt 50 ]; then pass "${#files[@]} files looked at"; else fail "only ${#files[@]} files found"; fi
without=$(comm -23 <(printf '%s\n' "${files[@]}" | sort) \
  <(awk 'FNR > 3 { nextfile } /SPDX-License-Identifier: MIT/ { print FILENAME; nextfile }' "${files[@]}" | sort))
is "every file has an SPDX line" "$without" ""

mapfile -t code < <(sources -path './src/*.[ch]' -o -path './src/*.def' -o -path './tests/*.[ch]' -o -path './contrib/*.[ch]' \
  -o -path './tests/*.sh' -o -path './contrib/*.sh')
long=$(wc -l "${code[@]}" | awk '$2 != "total" && $1 > 700 { print $2 " has " $1 " lines" }')
is "no source file has more than 700 lines" "$long" ""

scripts=$(awk 'FNR == 1 && /^#!/ { print FILENAME } { nextfile }' "${files[@]}" | while IFS= read -r file; do [ -x "$file" ] || printf '%s\n' "$file"; done)
is "every file that starts with #! may be run" "$scripts" ""

done_testing
