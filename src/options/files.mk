# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/options/block.c src/options/block.h \
	src/options/conf.c src/options/conf.h \
	src/options/conf_file.c \
	src/options/option_table.c src/options/option_table.h src/options/option_table.def \
	src/options/options.c src/options/options.h \
	src/options/options_apply.c \
	src/options/options_export.c \
	src/options/options_doc.c
