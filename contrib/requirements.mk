# SPDX-License-Identifier: MIT
# What serves each requirement; tests/e2e/test-requirements.sh tries every line and says when the page is out of date.
EXTRA_DIST += contrib/requirements.items contrib/requirements.md contrib/requirements.py contrib/requirements.tsv
.PHONY: update-requirements
update-requirements:
	$(srcdir)/contrib/requirements.py $(srcdir)/contrib/requirements.tsv >$(srcdir)/contrib/requirements.md.tmp
	mv $(srcdir)/contrib/requirements.md.tmp $(srcdir)/contrib/requirements.md
