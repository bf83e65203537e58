# SPDX-License-Identifier: MIT
# The module. Only these files see collectd's headers, and they never see crm_config.h.
plugin_LTLIBRARIES = crm.la
crm_la_SOURCES = \
	src/crm.c \
	src/collectd/collectd_api.h \
	src/collectd/config.c src/collectd/config.h \
	src/collectd/dispatch.c src/collectd/dispatch.h \
	src/collectd/notify.c src/collectd/notify.h
crm_la_CPPFLAGS = -I$(top_srcdir)/src $(COLLECTD_CPPFLAGS) -D_GNU_SOURCE -DCRM_PKGDATADIR='"$(pkgdatadir)"'
crm_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -export-symbols-regex '^module_register$$'
crm_la_LIBADD = libcrm.la
