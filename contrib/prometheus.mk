# SPDX-License-Identifier: MIT
# Rules and alerts for Prometheus, and what to do about them.
prometheusdir = $(docdir)/prometheus
dist_prometheus_DATA = \
	contrib/prometheus/README.md \
	contrib/prometheus/alertmanager.yml \
	contrib/prometheus/crm-alerts.rules.yml \
	contrib/prometheus/crm-recording.rules.yml \
	contrib/prometheus/crm-settings.rules.yml
runbooksdir = $(docdir)/runbooks
dist_runbooks_DATA = contrib/runbooks/README.md
EXTRA_DIST += contrib/prometheus/make-recording-rules.py

update-rules:
	/usr/bin/python3 $(srcdir)/contrib/prometheus/make-recording-rules.py >$(srcdir)/contrib/prometheus/crm-recording.rules.yml
.PHONY: update-rules
