/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "lib/follower.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analytics/evaluate.h"
#include "base/clock.h"
#include "export/text.h"
#include "facts/compare.h"

void follower_sql(const struct pg_fixture *pg, const char *text) {
  char both[8192];
  snprintf(both, sizeof(both), "%s; SELECT pg_stat_force_next_flush()", text);
  pg_fixture_sql(pg, "crm", both);
}

static void psql(const struct pg_fixture *pg, const char *file) {
  char command[1024];
  const char *srcdir = getenv("CRM_SRCDIR");
  snprintf(command, sizeof(command), "%s/psql -qX -v ON_ERROR_STOP=1 -h %s -U boss -d crm -f %s/contrib/sql/%s >/dev/null", pg->bindir,
           pg->dir, srcdir != NULL ? srcdir : ".", file);
  if (system(command) != 0)
    fail_msg("%s", command);
}

void follower_make_crm(const struct pg_fixture *pg, bool watermarks, bool sees_activity) {
  pg_fixture_sql(pg, "postgres", "DROP DATABASE IF EXISTS crm WITH (FORCE)");
  pg_fixture_sql(pg, "postgres", "CREATE DATABASE crm");
  pg_fixture_sql(pg, "postgres",
                 "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN"
                 " CREATE ROLE reader LOGIN; END IF; END $$");
  pg_fixture_sql(pg, "postgres", sees_activity ? "GRANT pg_read_all_stats TO reader" : "REVOKE pg_read_all_stats FROM reader");
  psql(pg, "schema.sql");
  psql(pg, "schema_ext.sql");
  if (watermarks)
    psql(pg, "watermarks.sql");
  follower_sql(pg, "GRANT USAGE ON SCHEMA crm_ext TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;"
                   "GRANT SELECT ON ALL TABLES IN SCHEMA crm_ext TO reader");
}

static void take_log(void *ctx, enum crm_log_level level, const char *message) {
  (void)ctx;
  if (getenv("CRM_FOLLOW_LOG") != NULL)
    print_message("# log %d: %s\n", level, message);
}

void follower_open(struct follower *f, const struct pg_fixture *pg, int port, const char *extra) {
  *f = (struct follower){0};
  char text[2048], mappings[512], where[128];
  if (port == 0)
    snprintf(where, sizeof(where), "Host \"%s\"", pg->dir);
  else
    snprintf(where, sizeof(where), "Host \"127.0.0.1\"\n Port %d\n SSLMode \"disable\"", port);
  snprintf(text, sizeof(text),
           "<Instance \"main\">\n %s\n Database \"crm\"\n User \"reader\"\n PerAccount \"all\"\n Currency \"USD\"\n"
           " TimeZone \"Europe/Berlin\"\n%s\n</Instance>\n",
           where, extra);
  const char *srcdir = getenv("CRM_SRCDIR");
  snprintf(mappings, sizeof(mappings), "%s/src/mappings", srcdir != NULL ? srcdir : ".");
  struct crm_conf_node root = {0};
  crm_arena_init(&f->arena, 0);
  crm_options_init(&f->options);
  if (crm_conf_parse(text, strlen(text), "follow.conf", &f->arena, &root, &f->err) != CRM_OK ||
      crm_options_parse(&f->options, &root, mappings, &f->err) != CRM_OK || crm_options_finish(&f->options, &f->err) != CRM_OK)
    fail_msg("%s", f->err.message);
  assert_int_equal(crm_stop_new(&f->stop), CRM_OK);
  const struct crm_log log = {.write = take_log};
  const struct crm_source_options *source = &f->options.instances[0].source;
  if (crm_source_new(source, &log, f->stop, &f->source, &f->err) != CRM_OK ||
      crm_source_new(source, &log, f->stop, &f->fresh, &f->err) != CRM_OK)
    fail_msg("%s", f->err.message);
}

void follower_close(struct follower *f) {
  crm_picture_free(f->picture);
  crm_source_free(f->source);
  crm_source_free(f->fresh);
  crm_stop_free(f->stop);
  crm_options_free(&f->options);
  crm_arena_free(&f->arena);
}

enum crm_status follower_try(struct follower *f) {
  enum crm_status status = CRM_OK;
  bool full = f->picture == NULL;
  f->refresh = (struct crm_refresh){0};
  if (!full) {
    status = crm_source_refresh(f->source, f->picture, &f->refresh, &f->err);
    full = f->refresh.full_wanted;
    if (status == CRM_OK && !full) {
      f->refreshes++;
      status = crm_patch_apply(f->refresh.patch, &f->applied, &f->err);
      crm_patch_free(f->refresh.patch);
      if (status == CRM_OK)
        crm_source_accept(f->source, f->picture);
      for (int r = 0; r < CRM_RELATIONS; r++)
        f->whole[r] += f->refresh.whole[r];
    }
  }
  if (status == CRM_OK && full) {
    struct crm_picture *picture = NULL;
    status = crm_source_read_picture(f->source, NULL, NULL, &picture, &f->err);
    if (status == CRM_OK) {
      crm_picture_free(f->picture);
      f->picture = picture;
      f->full_reads++;
    }
  }
  return status;
}

void follower_sync(struct follower *f) {
  if (follower_try(f) != CRM_OK)
    fail_msg("%s", f->err.message);
}

enum crm_status follower_try_full(struct follower *f, uint64_t differ[CRM_RELATIONS]) {
  struct crm_picture *full = NULL;
  struct crm_refresh before = {0};
  enum crm_status status = crm_source_read_picture(f->source, f->picture, &before, &full, &f->err);
  if (status != CRM_OK)
    return status;
  assert_non_null(before.patch);
  if (crm_patch_apply(before.patch, &f->applied, &f->err) != CRM_OK)
    fail_msg("%s", f->err.message);
  crm_patch_free(before.patch);
  assert_int_equal(crm_facts_compare(crm_picture_facts(f->picture), crm_picture_facts(full), differ, &f->err), CRM_OK);
  crm_picture_free(f->picture);
  f->picture = full;
  f->full_reads++;
  return CRM_OK;
}

static char *series(struct follower *f, const struct crm_facts *facts, crm_time at) {
  struct crm_series_set set;
  struct crm_strbuf text;
  struct crm_arena scratch;
  crm_arena_init(&scratch, 0);
  crm_strbuf_init(&text, 1 << 28);
  assert_int_equal(crm_set_init(&set), CRM_OK);
  if (crm_evaluate(facts, &f->options.instances[0].params, at, &scratch, &set, &f->err) != CRM_OK)
    fail_msg("%s", f->err.message);
  crm_export_text(&set, &text);
  crm_set_free(&set);
  crm_arena_free(&scratch);
  char *out = crm_strbuf_take(&text);
  assert_non_null(out);
  return out;
}

static void tell_difference(const char *followed, const char *fresh) {
  const char *a = followed, *b = fresh;
  while (*a != '\0' && *b != '\0') {
    size_t la = strcspn(a, "\n"), lb = strcspn(b, "\n");
    if (la != lb || strncmp(a, b, la) != 0) {
      print_message("# followed: %.*s\n# fresh:    %.*s\n", (int)la, a, (int)lb, b);
      return;
    }
    a += la + (a[la] != '\0');
    b += lb + (b[lb] != '\0');
  }
}

void follower_must_equal(struct follower *f, int step) {
  struct crm_facts *fresh = NULL;
  if (crm_source_read(f->fresh, &fresh, &f->err) != CRM_OK)
    fail_msg("%s", f->err.message);
  uint64_t differ[CRM_RELATIONS];
  assert_int_equal(crm_facts_compare(crm_picture_facts(f->picture), fresh, differ, &f->err), CRM_OK);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    if (differ[r] != 0)
      fail_msg("step %d: %llu rows of relation %s differ from a fresh read", step, (unsigned long long)differ[r],
               crm_relation_info((enum crm_relation)r)->name);
  }
  const struct crm_facts *held = crm_picture_facts(f->picture);
  for (int r = 0; r < CRM_RELATIONS; r++)
    for (int reason = 0; reason < CRM_REJECTS; reason++) /* what has no account may stand until the next full read (patch.h) */
      if (reason != CRM_REJECT_NO_ACCOUNT && held->rejected[r][reason] != fresh->rejected[r][reason])
        fail_msg("step %d: relation %s: %llu rows count as refused (%s), by a fresh read %llu", step,
                 crm_relation_info((enum crm_relation)r)->name, (unsigned long long)held->rejected[r][reason],
                 crm_reject_name((enum crm_reject)reason), (unsigned long long)fresh->rejected[r][reason]);
  crm_time at = crm_clock_realtime_us();
  char *a = series(f, crm_picture_facts(f->picture), at), *b = series(f, fresh, at);
  if (strcmp(a, b) != 0) {
    tell_difference(a, b);
    fail_msg("step %d: the series differ from those of a fresh read", step);
  }
  free(a);
  free(b);
  crm_facts_unref(fresh);
  f->compared++;
}
