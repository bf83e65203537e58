# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/export/answer.c src/export/answer.h \
	src/export/backoff.c src/export/backoff.h \
	src/export/batch.c src/export/batch.h \
	src/export/http_post.c src/export/http_post.h \
	src/export/picks.c src/export/picks.h \
	src/export/secret.c src/export/secret.h \
	src/export/series_file.c src/export/series_file.h \
	src/export/sink.c src/export/sink.h src/export/sink_internal.h \
	src/export/sink_feed.c \
	src/export/sink_job.c \
	src/export/sink_run.c \
	src/export/sink_series.c \
	src/export/spool.c src/export/spool.h
