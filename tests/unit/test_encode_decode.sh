#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Property: what a decoder that is not ours makes of a request is what was put in, for hostile labels. The seed of a failure is in the log.
set -u -o pipefail
seed=${CRM_TEST_SEED:-$(date +%s)}
printf '# CRM_TEST_SEED=%s\n' "$seed"
"${CRM_BUILDDIR:?}/tests/unit/encode_cases" "$seed" 600 | /usr/bin/python3 "${CRM_SRCDIR:?}/tests/unit/test_encode_decode.py"
