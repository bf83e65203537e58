# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/facts/builder.c src/facts/builder.h \
	src/facts/builder_accounts.c \
	src/facts/builder_adopt.c \
	src/facts/builder_group.c \
	src/facts/builder_internal.h \
	src/facts/builder_order.c \
	src/facts/builder_rows.c \
	src/facts/calendar.c src/facts/calendar.h \
	src/facts/columns.h \
	src/facts/compare.c src/facts/compare.h \
	src/facts/dict.c src/facts/dict.h \
	src/facts/facts.c src/facts/facts.h \
	src/facts/layout.c src/facts/layout.h \
	src/facts/ledger.c src/facts/ledger.h \
	src/facts/money.c src/facts/money.h \
	src/facts/pairs.c src/facts/pairs.h \
	src/facts/patch.c src/facts/patch.h \
	src/facts/patch_apply.c \
	src/facts/patch_internal.h \
	src/facts/patch_prepare.c \
	src/facts/picture.c \
	src/facts/picture_keys.c \
	src/facts/picture_splice.c \
	src/facts/picture_squeeze.c \
	src/facts/relation.c src/facts/relation.h \
	src/facts/shard.c src/facts/shard.h \
	src/facts/words.c src/facts/words.h
