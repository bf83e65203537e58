# SPDX-License-Identifier: MIT
# What goes where: configuration for each receiver.
recipesdir = $(docdir)/recipes
dist_recipes_DATA = \
	contrib/recipes/README.md \
	contrib/recipes/datadog-openmetrics.yaml \
	contrib/recipes/datadog-otlp.conf \
	contrib/recipes/grafana-cloud.conf \
	contrib/recipes/graphite-storage-aggregation.conf \
	contrib/recipes/graphite-storage-schemas.conf \
	contrib/recipes/graphite.conf \
	contrib/recipes/mimir.conf \
	contrib/recipes/new-relic-otlp.conf \
	contrib/recipes/new-relic.conf \
	contrib/recipes/otel-collector.conf \
	contrib/recipes/otel-collector.yaml \
	contrib/recipes/prometheus-receiver.conf \
	contrib/recipes/prometheus-scrape.conf \
	contrib/recipes/prometheus-scrape.yml \
	contrib/recipes/textfile.conf \
	contrib/recipes/thanos.conf \
	contrib/recipes/victoriametrics.conf
