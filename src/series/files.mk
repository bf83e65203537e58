# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/series/breakdown.c src/series/breakdown.h \
	src/series/catalogue.c src/series/catalogue.h src/series/catalogue.def \
	src/series/flat_name.c src/series/flat_name.h \
	src/series/flat_values.c src/series/flat_values.h \
	src/series/order.c \
	src/series/set.c src/series/set.h \
	src/series/shared_set.c src/series/shared_set.h
