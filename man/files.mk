# SPDX-License-Identifier: MIT
# The manual's lists of options, relations and metrics come from the tables in the code (man/gen_docs.c).
noinst_PROGRAMS += man/gen_docs
man_gen_docs_SOURCES = man/gen_docs.c
man_gen_docs_LDADD = libcrm.la

man_MANS += man/collectd-crm.5 man/crmctl.1 man/crm-metrics.7
EXTRA_DIST += man/collectd-crm.pod man/crmctl.pod man/crm-metrics.pod
CLEANFILES += man/collectd-crm.5 man/collectd-crm.5.pod man/crmctl.1 man/crm-metrics.7 man/crm-metrics.7.pod

# A blank for a date keeps the page the same from build to build.
POD2MAN_PAGE = $(POD2MAN) --utf8 --center=collectd-crm --release='collectd-crm $(PACKAGE_VERSION)' --date=' '

man/collectd-crm.5.pod: $(srcdir)/man/collectd-crm.pod man/gen_docs$(EXEEXT)
	$(AM_V_GEN)man/gen_docs$(EXEEXT) page $(srcdir)/man/collectd-crm.pod >$@.tmp && mv $@.tmp $@
man/collectd-crm.5: man/collectd-crm.5.pod
	$(AM_V_GEN)$(POD2MAN_PAGE) --section=5 --name=COLLECTD-CRM man/collectd-crm.5.pod >$@.tmp && mv $@.tmp $@
man/crm-metrics.7.pod: $(srcdir)/man/crm-metrics.pod man/gen_docs$(EXEEXT)
	$(AM_V_GEN)man/gen_docs$(EXEEXT) page $(srcdir)/man/crm-metrics.pod >$@.tmp && mv $@.tmp $@
man/crm-metrics.7: man/crm-metrics.7.pod
	$(AM_V_GEN)$(POD2MAN_PAGE) --section=7 --name=CRM-METRICS man/crm-metrics.7.pod >$@.tmp && mv $@.tmp $@
man/crmctl.1: $(srcdir)/man/crmctl.pod
	$(AM_V_at)$(MKDIR_P) man
	$(AM_V_GEN)$(POD2MAN_PAGE) --section=1 --name=CRMCTL $(srcdir)/man/crmctl.pod >$@.tmp && mv $@.tmp $@

# The sample that is committed; tests/unit/test_docs.c says when it is out of date.
.PHONY: update-sample
update-sample: man/gen_docs$(EXEEXT)
	man/gen_docs$(EXEEXT) sample >$(srcdir)/contrib/collectd/crm.conf
sampledir = $(docdir)
dist_sample_DATA = contrib/collectd/crm.conf
