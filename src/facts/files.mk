# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/facts/builder.c src/facts/builder.h \
	src/facts/calendar.c src/facts/calendar.h \
	src/facts/dict.c src/facts/dict.h \
	src/facts/facts.c src/facts/facts.h \
	src/facts/money.c src/facts/money.h \
	src/facts/relation.c src/facts/relation.h
