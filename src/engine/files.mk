# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/engine/engine.c src/engine/engine.h \
	src/engine/own_series.c src/engine/state.h
