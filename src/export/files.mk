# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/export/text.c src/export/text.h
