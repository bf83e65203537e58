# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/base/arena.c src/base/arena.h \
	src/base/clock.c src/base/clock.h \
	src/base/error.c src/base/error.h \
	src/base/log.c src/base/log.h \
	src/base/sort.c src/base/sort.h \
	src/base/random.c src/base/random.h \
	src/base/strbuf.c src/base/strbuf.h \
	src/base/utf8.c src/base/utf8.h \
	src/base/vec.c src/base/vec.h
