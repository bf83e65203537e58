# SPDX-License-Identifier: MIT
# Dashboards for Grafana: made by grafana/source/generate, kept in the tree, installed beside the mappings. `make dashboards` refreshes them;
# `make check` tells if that has been forgotten (tests/dashboards/test-source.sh).
dashboardsdir = $(pkgdatadir)/grafana/dashboards
dist_dashboards_DATA = \
	grafana/dashboards/crm-account.json \
	grafana/dashboards/crm-churn-risk.json \
	grafana/dashboards/crm-collector.json \
	grafana/dashboards/crm-engagement.json \
	grafana/dashboards/crm-executive.json \
	grafana/dashboards/crm-health.json \
	grafana/dashboards/crm-kpis.json \
	grafana/dashboards/crm-revenue.json

graphitedashboardsdir = $(pkgdatadir)/grafana/dashboards-graphite
dist_graphitedashboards_DATA = \
	grafana/dashboards-graphite/crm-graphite-executive.json \
	grafana/dashboards-graphite/crm-graphite-health.json

provisioningdir = $(pkgdatadir)/grafana/provisioning
provisioningdashboardsdir = $(provisioningdir)/dashboards
provisioningdatasourcesdir = $(provisioningdir)/datasources
dist_provisioningdashboards_DATA = grafana/provisioning/dashboards/collectd-crm.yaml
dist_provisioningdatasources_DATA = grafana/provisioning/datasources/collectd-crm.yaml

EXTRA_DIST += \
	grafana/README.md \
	grafana/pictures/account.png \
	grafana/pictures/churn-risk.png \
	grafana/pictures/executive.png \
	grafana/pictures/health.png \
	grafana/pictures/revenue.png \
	grafana/source/account.py \
	grafana/source/board.py \
	grafana/source/catalogue.py \
	grafana/source/churn.py \
	grafana/source/collector.py \
	grafana/source/common.py \
	grafana/source/engagement.py \
	grafana/source/executive.py \
	grafana/source/generate \
	grafana/source/graphite.py \
	grafana/source/health.py \
	grafana/source/kpis.py \
	grafana/source/promql.py \
	grafana/source/revenue.py \
	grafana/source/style.py

.PHONY: dashboards
dashboards:
	$(srcdir)/grafana/source/generate $(srcdir)/grafana
