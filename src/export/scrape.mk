# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/export/accept.c \
	src/export/exports.c src/export/exports.h \
	src/export/exposition.c src/export/exposition.h \
	src/export/listen.c src/export/listen.h \
	src/export/number.c src/export/number.h \
	src/export/pages.c src/export/pages.h \
	src/export/textfile.c src/export/textfile.h \
	src/export/token.c src/export/token.h

# C from our own .proto file, made below the build directory; the header comes with the code.
scrape_proto_code = proto/prometheus_client.pb-c.c proto/prometheus_client.pb-c.h
nodist_libcrm_la_SOURCES += $(scrape_proto_code)
BUILT_SOURCES += $(scrape_proto_code)
CLEANFILES += $(scrape_proto_code)
EXTRA_DIST += proto/prometheus_client.proto

proto/prometheus_client.pb-c.c: $(srcdir)/proto/prometheus_client.proto
	$(AM_V_GEN)$(MKDIR_P) proto && $(PROTOC_C) --proto_path='$(srcdir)/proto' --c_out=proto prometheus_client.proto
proto/prometheus_client.pb-c.h: proto/prometheus_client.pb-c.c
