# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/source/source.h src/source/source.c src/source/internal.h src/source/read.c \
	src/source/stop.c src/source/stop.h \
	src/source/conninfo.c src/source/conninfo.h \
	src/source/cancel.c src/source/cancel.h \
	src/source/connection.c src/source/connection.h \
	src/source/session.c src/source/session.h \
	src/source/mapping.c src/source/mapping.h \
	src/source/check.c src/source/check.h src/source/explain.c \
	src/source/follow.c src/source/follow.h src/source/lookout.c src/source/lookout.h src/source/probe.c src/source/plan.c src/source/plan.h \
	src/source/refresh.c src/source/refresh.h src/source/refresh_rows.c \
	src/source/logical.c src/source/logical.h src/source/publication.c src/source/publication.h \
	src/source/decoding.c src/source/pgoutput.c src/source/pgoutput.h src/source/snapshot.c src/source/snapshot.h \
	src/source/statement.c src/source/statement.h \
	src/source/copy_reader.c src/source/copy_reader.h
