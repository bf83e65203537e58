#!/bin/sh
# SPDX-License-Identifier: MIT
# See sink_keeping.py.
exec /usr/bin/python3 -B "$CRM_SRCDIR/tests/e2e/sink_keeping.py"
