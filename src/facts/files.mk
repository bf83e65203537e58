# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/facts/builder.c src/facts/builder.h \
	src/facts/builder_accounts.c \
	src/facts/builder_group.c \
	src/facts/builder_internal.h \
	src/facts/builder_order.c \
	src/facts/builder_rows.c \
	src/facts/calendar.c src/facts/calendar.h \
	src/facts/columns.h \
	src/facts/dict.c src/facts/dict.h \
	src/facts/facts.c src/facts/facts.h \
	src/facts/layout.c src/facts/layout.h \
	src/facts/money.c src/facts/money.h \
	src/facts/relation.c src/facts/relation.h \
	src/facts/words.c src/facts/words.h
