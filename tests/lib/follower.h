/* SPDX-License-Identifier: MIT */
/* What follows the demo CRM as the engine does, in a test's own thread, beside a source that reads it whole to compare with. Whatever must
 * not happen ends the test. */
#ifndef CRM_TESTS_FOLLOWER_H
#define CRM_TESTS_FOLLOWER_H

#include "lib/pg_fixture.h"
#include "options/options.h"
#include "source/follow.h"

struct follower {
  struct crm_options options;
  struct crm_arena arena; /* of the configuration's text */
  struct crm_stop *stop;
  struct crm_source *source; /* follows */
  struct crm_source *fresh;  /* reads whole, to compare with */
  struct crm_picture *picture;
  struct crm_refresh refresh; /* the last one; its patch is gone */
  struct crm_patch_applied applied;
  struct crm_error err;
  int full_reads, refreshes, compared;
  unsigned whole[CRM_RELATIONS]; /* how often a refresh read the relation whole */
};

/* Makes the database crm anew, empty, with the role "reader"; with the indexes of contrib/sql/watermarks.sql or without, and with the
 * privilege to see other sessions' transactions or without. */
void follower_make_crm(const struct pg_fixture *pg, bool watermarks, bool sees_activity);
/* One transaction of the superuser's; the server's counters tell of it at once. */
void follower_sql(const struct pg_fixture *pg, const char *text);

/* `port` 0: by the Unix socket; else by 127.0.0.1. `extra`: lines of the instance's block. */
void follower_open(struct follower *f, const struct pg_fixture *pg, int port, const char *extra);
void follower_close(struct follower *f);

/* As the engine does it: reads what changed, or everything if it must. On an error, which is in f->err, the picture is as it was. */
enum crm_status follower_try(struct follower *f) CRM_MUSTCHECK;
void follower_sync(struct follower *f);
/* As the engine does it at FullSync: everything, compared with what was followed up to the same snapshot. The error is in f->err. */
enum crm_status follower_try_full(struct follower *f, uint64_t differ[CRM_RELATIONS]) CRM_MUSTCHECK;
/* Every series, every row, and every count of refused rows as after a fresh full read. */
void follower_must_equal(struct follower *f, int step);

#endif
