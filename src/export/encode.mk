# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/export/encode.c src/export/encode.h \
	src/export/encode_labels.c \
	src/export/encode_order.c \
	src/export/encode_otlp.c \
	src/export/encode_parts.h \
	src/export/encode_rw1.c \
	src/export/encode_rw2.c

# C from our own .proto files, made below the build directory. Each .pb-c.c comes with its .pb-c.h.
encode_protos = proto/otlp_common.proto proto/otlp_metrics.proto proto/otlp_resource.proto proto/otlp_service.proto \
	proto/remote_write.proto proto/remote_write2.proto
encode_proto_code = proto/otlp_common.pb-c.c proto/otlp_metrics.pb-c.c proto/otlp_resource.pb-c.c proto/otlp_service.pb-c.c \
	proto/remote_write.pb-c.c proto/remote_write2.pb-c.c
encode_proto_headers = proto/otlp_common.pb-c.h proto/otlp_metrics.pb-c.h proto/otlp_resource.pb-c.h proto/otlp_service.pb-c.h \
	proto/remote_write.pb-c.h proto/remote_write2.pb-c.h
nodist_libcrm_la_SOURCES = $(encode_proto_code) $(encode_proto_headers)
BUILT_SOURCES += $(encode_proto_code) $(encode_proto_headers)
CLEANFILES += $(encode_proto_code) $(encode_proto_headers)
EXTRA_DIST += $(encode_protos)

PROTOC_C_RUN = $(AM_V_GEN)$(MKDIR_P) proto && $(PROTOC_C) --proto_path='$(srcdir)/proto' --c_out=proto
proto/otlp_common.pb-c.c: $(srcdir)/proto/otlp_common.proto
	$(PROTOC_C_RUN) otlp_common.proto
proto/otlp_metrics.pb-c.c: $(srcdir)/proto/otlp_metrics.proto $(srcdir)/proto/otlp_common.proto $(srcdir)/proto/otlp_resource.proto
	$(PROTOC_C_RUN) otlp_metrics.proto
proto/otlp_resource.pb-c.c: $(srcdir)/proto/otlp_resource.proto $(srcdir)/proto/otlp_common.proto
	$(PROTOC_C_RUN) otlp_resource.proto
proto/otlp_service.pb-c.c: $(srcdir)/proto/otlp_service.proto $(srcdir)/proto/otlp_metrics.proto $(srcdir)/proto/otlp_common.proto $(srcdir)/proto/otlp_resource.proto
	$(PROTOC_C_RUN) otlp_service.proto
proto/remote_write.pb-c.c: $(srcdir)/proto/remote_write.proto
	$(PROTOC_C_RUN) remote_write.proto
proto/remote_write2.pb-c.c: $(srcdir)/proto/remote_write2.proto
	$(PROTOC_C_RUN) remote_write2.proto
proto/otlp_common.pb-c.h: proto/otlp_common.pb-c.c
proto/otlp_metrics.pb-c.h: proto/otlp_metrics.pb-c.c
proto/otlp_resource.pb-c.h: proto/otlp_resource.pb-c.c
proto/otlp_service.pb-c.h: proto/otlp_service.pb-c.c
proto/remote_write.pb-c.h: proto/remote_write.pb-c.c
proto/remote_write2.pb-c.h: proto/remote_write2.pb-c.c
