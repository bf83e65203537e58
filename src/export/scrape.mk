# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/export/exports.h
