# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/export/export_options.h \
	src/export/frame.c src/export/frame.h \
	src/export/history.c src/export/history.h \
	src/export/notices.c src/export/notices.h \
	src/export/notifier.c src/export/notifier.h \
	src/export/text.c src/export/text.h
include src/export/encode.mk
include src/export/sink.mk
include src/export/scrape.mk
