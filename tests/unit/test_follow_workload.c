/* SPDX-License-Identifier: MIT */
/* Following the CRM must come to the same as reading it whole: a random workload runs against the demo CRM while a picture follows it, and
 * at random moments every series equals that of a fresh full read, byte for byte; across restarts of the server and of the one who follows,
 * and a network that stalls, resets, cuts and delays. CRM_FOLLOW_STEPS (default 300) steps for each way of following, CRM_FOLLOW_SEED,
 * CRM_FOLLOW_WAY for one of them. */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/crm_workload.h"
#include "lib/follower.h"
#include "lib/pg_shared.h"
#include "lib/relay.h"

/* --- ways of following --------------------------------------------------------------------------------------------- */

struct way {
  const char *name, *options;
  bool watermarks, sees_activity, stamps, uncounted;
  enum crm_changes engagement, usage, contract; /* what is then in force */
};
static const struct way ways[] = {
    {"counters", "", false, false, false, false, CRM_CHANGES_COUNTERS, CRM_CHANGES_COUNTERS, CRM_CHANGES_COUNTERS},
    {"auto with indexes", "", true, true, false, false, CRM_CHANGES_POLL, CRM_CHANGES_POLL, CRM_CHANGES_POLL},
    {"auto with indexes, activity hidden", "", true, false, false, false, CRM_CHANGES_COUNTERS, CRM_CHANGES_COUNTERS, CRM_CHANGES_COUNTERS},
    {"poll", "Changes \"poll\"\nChangesOverlap 0", true, true, true, false, CRM_CHANGES_POLL, CRM_CHANGES_POLL, CRM_CHANGES_POLL},
    /* Where the server does not count, a poll alone tells of everything but deleted rows, of which there are none then; what polls do not
     * cover is read whole. */
    {"poll, uncounted", "Changes \"poll\"\nChangesOverlap 0", true, true, true, true, CRM_CHANGES_NONE, CRM_CHANGES_NONE, CRM_CHANGES_POLL},
    {"none", "Changes \"none\"", false, false, false, false, CRM_CHANGES_NONE, CRM_CHANGES_NONE, CRM_CHANGES_NONE},
    {"auto with indexes, a shard", "Shard \"2/3\"", true, true, false, false, CRM_CHANGES_POLL, CRM_CHANGES_POLL, CRM_CHANGES_POLL},
};

static int env_int(const char *name, int otherwise) {
  const char *text = getenv(name);
  return text != NULL && atoi(text) > 0 ? atoi(text) : otherwise;
}

/* --- what may come between ---------------------------------------------------------------------------------------- */

/* One run. */
struct life {
  struct follower f;
  struct crm_workload w;
  struct relay *relay;
  int port;
  const struct way *way;
  int full_wanted;                          /* full reads that have a reason */
  int struck[RELAY_DELAY + 1], ended, lost; /* faults that came to pass; sessions ended; syncs that failed for it */
};

/* Ends the reader's sessions some microseconds from now, wherever it is in its work. */
static void *end_sessions(void *arg) {
  usleep(*(const useconds_t *)arg);
  pg_fixture_sql(&pg, "crm", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'reader'");
  return NULL;
}

/* What the sync that is disturbed is: of what changed, or the full read of FullSync with its comparison. */
static enum crm_status disturbed(struct life *l, bool full, uint64_t differ[CRM_RELATIONS]) {
  return full ? follower_try_full(&l->f, differ) : follower_try(&l->f);
}

static enum crm_status sync_while_sessions_end(struct life *l, bool full, uint64_t differ[CRM_RELATIONS]) {
  useconds_t delay = (useconds_t)crm_workload_random(&l->w, 6000);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, end_sessions, &delay), 0);
  enum crm_status status = disturbed(l, full, differ);
  pthread_join(thread, NULL);
  l->ended += status != CRM_OK;
  return status;
}

/* A fault of the network somewhere in what goes over it. */
static enum crm_status sync_over_bad_net(struct life *l, enum relay_fault fault, bool full, uint64_t differ[CRM_RELATIONS]) {
  struct crm_source_options *options = &l->f.options.instances[0].source;
  int64_t patience_us = options->read_timeout_us;
  bool for_good = fault == RELAY_STALL && crm_workload_random(&l->w, 2) == 0;
  uint64_t most = UINT64_C(1) << (4 + crm_workload_random(&l->w, full ? 14 : 11));
  bool to_client = crm_workload_random(&l->w, 3) > 0;
  relay_arm(l->relay, fault, to_client, crm_workload_random(&l->w, most), for_good ? -1 : fault == RELAY_DELAY ? 1 : 50);
  if (for_good)
    options->read_timeout_us = 200000;
  enum crm_status status = disturbed(l, full, differ);
  options->read_timeout_us = patience_us;
  bool struck = relay_disarm(l->relay);
  l->struck[fault] += struck;
  if (for_good)
    assert_true(status == CRM_OK || status == CRM_ERR_TIMEOUT || status == CRM_ERR_CONNECT);
  else if ((fault == RELAY_STALL || fault == RELAY_DELAY || !struck) && status != CRM_OK) /* slow is not broken */
    fail_msg("fault %d, %s: %s", (int)fault, struck ? "struck" : "missed", l->f.err.message);
  return status;
}

/* One sync, of one kind or the other, that something comes between. Whatever it had done by then, the next one comes to the same. */
static void sync_badly(struct life *l) {
  struct follower *f = &l->f;
  uint64_t differ[CRM_RELATIONS];
  bool full = crm_workload_random(&l->w, 4) == 0;
  int before = f->full_reads;
  enum relay_fault fault = (enum relay_fault)crm_workload_random(&l->w, RELAY_DELAY + 1);
  enum crm_status status = fault == RELAY_NONE ? sync_while_sessions_end(l, full, differ) : sync_over_bad_net(l, fault, full, differ);
  if (status != CRM_OK) {
    if (status != CRM_ERR_CONNECT && status != CRM_ERR_TIMEOUT)
      fail_msg("%s: %s", crm_status_name(status), f->err.message);
    l->lost++;
  }
  /* A session that is being ended may still have to be noticed. */
  while ((status = follower_try(f)) == CRM_ERR_CONNECT) {
  }
  if (status != CRM_OK)
    fail_msg("%s", f->err.message);
  l->full_wanted += full ? f->full_reads - before : 0; /* after a full read that failed there is a full read */
  assert_true(f->full_reads - before <= full);
}

/* FullSync finds nothing that was missed. */
static void full_sync(struct life *l, int step) {
  uint64_t differ[CRM_RELATIONS];
  if (follower_try_full(&l->f, differ) != CRM_OK)
    fail_msg("%s", l->f.err.message);
  l->full_wanted++;
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (differ[r] != 0)
      fail_msg("step %d: FullSync finds %llu rows of relation %s that were missed", step, (unsigned long long)differ[r],
               crm_relation_info((enum crm_relation)r)->name);
}

static void restart_server(struct life *l) {
  crm_workload_settle(&l->w);
  crm_workload_disconnect(&l->w);
  pg_fixture_halt(&pg, SIGINT);
  assert_int_not_equal(follower_try(&l->f), CRM_OK);
  assert_true(pg_fixture_resume(&pg));
  crm_workload_connect(&l->w);
  follower_sync(&l->f);
  l->full_wanted++; /* the counters are not those they were */
}

/* The one who follows ends, without a word, and another one begins over a bad net. */
static void restart_follower(struct life *l) {
  int full_reads = l->f.full_reads, refreshes = l->f.refreshes, compared = l->f.compared;
  follower_close(&l->f);
  follower_open(&l->f, &pg, l->port, l->way->options);
  l->f.full_reads = full_reads;
  l->f.refreshes = refreshes;
  l->f.compared = compared;
  for (int i = 0; i < 3 && l->f.picture == NULL; i++) {
    enum relay_fault fault = i % 2 == 0 ? RELAY_RESET : RELAY_TRUNCATE;
    relay_arm(l->relay, fault, true, crm_workload_random(&l->w, 60000), 0);
    enum crm_status status = follower_try(&l->f);
    bool struck = relay_disarm(l->relay);
    l->struck[fault] += struck;
    assert_true(status == CRM_OK || (struck && status == CRM_ERR_CONNECT));
  }
  follower_sync(&l->f);
  l->full_wanted++;
}

/* --- the equivalence ---------------------------------------------------------------------------------------------- */

static void begin(struct life *l, const struct way *way, int accounts, int seed) {
  char target[96];
  *l = (struct life){.way = way, .w = {.stamps = way->stamps, .keeps_rows = way->uncounted}};
  follower_make_crm(&pg, way->watermarks, way->sees_activity);
  if (way->uncounted)
    pg_fixture_sql(&pg, "crm", "ALTER DATABASE crm SET track_counts = off");
  snprintf(target, sizeof(target), "%s/.s.PGSQL.5432", pg.dir);
  l->relay = relay_start(target, &l->port);
  assert_non_null(l->relay);
  crm_workload_open(&l->w, pg.dir, PG_FIXTURE_SUPERUSER, "crm", (uint64_t)seed);
  crm_workload_begin(&l->w, accounts);
  follower_open(&l->f, &pg, l->port, way->options);
  follower_sync(&l->f);
  l->full_wanted = 1;
}

static void end(struct life *l) {
  follower_close(&l->f);
  crm_workload_close(&l->w);
  relay_stop(l->relay);
}

static void some_step(struct life *l, int step, int steps) {
  crm_workload_step(&l->w);
  if (crm_workload_random(&l->w, 5) == 0) {
    if (crm_workload_random(&l->w, 5) == 0)
      sync_badly(l);
    else
      follower_sync(&l->f);
    if (crm_workload_random(&l->w, 3) == 0)
      follower_must_equal(&l->f, step);
  }
  if (crm_workload_random(&l->w, 100) == 0)
    full_sync(l, step);
  if (step == steps / 2 || crm_workload_random(&l->w, 2000) == 0)
    restart_server(l);
  if (step == steps / 4 || crm_workload_random(&l->w, 1000) == 0)
    restart_follower(l);
}

static void follows_a_workload(void **state) {
  if (!have_server)
    skip();
  const struct way *way = *state;
  if (getenv("CRM_FOLLOW_WAY") != NULL && strcmp(getenv("CRM_FOLLOW_WAY"), way->name) != 0)
    skip();
  /* Under a wrapper that is fifty times as slow, fewer. */
  int steps = env_int("CRM_FOLLOW_STEPS", getenv("CRM_TEST_BASES") != NULL ? 60 : 300), seed = env_int("CRM_FOLLOW_SEED", 1);
  struct life l;
  begin(&l, way, 25, seed);
  assert_int_equal(crm_source_following(l.f.source, CRM_REL_ENGAGEMENT)->mode, way->engagement);
  assert_int_equal(crm_source_following(l.f.source, CRM_REL_USAGE)->mode, way->usage);
  assert_int_equal(crm_source_following(l.f.source, CRM_REL_CONTRACT)->mode, way->contract);
  follower_must_equal(&l.f, 0);
  for (int i = 1; i <= steps; i++)
    some_step(&l, i, steps);
  crm_workload_settle(&l.w);
  follower_sync(&l.f);
  follower_must_equal(&l.f, steps);
  print_message(
      "# %s: %d steps (%llu statements, %llu refused; %llu merges, %llu returns, %llu of nonsense, %llu late), %d refreshes, %d full "
      "reads, %d comparisons; %d syncs lost: %d resets, %d cut short, %d stalls, %d slow, %d sessions ended\n",
      way->name, steps, (unsigned long long)l.w.done, (unsigned long long)l.w.refused, (unsigned long long)l.w.merges,
      (unsigned long long)l.w.returns, (unsigned long long)l.w.nonsense, (unsigned long long)l.w.late_changes, l.f.refreshes,
      l.f.full_reads, l.f.compared, l.lost, l.struck[RELAY_RESET], l.struck[RELAY_TRUNCATE], l.struck[RELAY_STALL], l.struck[RELAY_DELAY],
      l.ended);
  if (way->engagement == CRM_CHANGES_POLL) /* else the polls were worth nothing */
    assert_true(l.f.whole[CRM_REL_CONTRACT] < (unsigned)l.f.refreshes / 2);
  assert_int_equal(l.f.full_reads, l.full_wanted);
  if (steps >= 200) {
    assert_true(l.w.returns > 0 && l.w.nonsense > 0 && l.w.late_changes > 0 && (way->uncounted || l.w.merges > 0));
    assert_true(l.lost > 0);
  }
  end(&l);
}

/* --- a cut at every place ----------------------------------------------------------------------------------------- */

static uint64_t bytes_of_sync(struct life *l, bool to_client) {
  uint64_t up[2], down[2];
  relay_count(l->relay, &up[0], &down[0]);
  follower_sync(&l->f);
  relay_count(l->relay, &up[1], &down[1]);
  return to_client ? down[1] - down[0] : up[1] - up[0];
}

static void change_some(struct life *l) {
  for (int i = 0; i < 4; i++)
    crm_workload_step(&l->w);
  crm_workload_settle(&l->w);
}

/* From the first byte of a refresh to its last, in both directions. */
static void a_cut_at_every_place(void **state) {
  (void)state;
  if (!have_server)
    skip();
  enum { PLACES = 16 };
  struct life l;
  begin(&l, &ways[1], 12, 3);
  int lost = 0;
  for (int to_client = 0; to_client < 2; to_client++) {
    change_some(&l);
    uint64_t size = bytes_of_sync(&l, to_client != 0);
    assert_true(size > 500);
    for (uint64_t i = 0; i < PLACES; i++) {
      change_some(&l);
      relay_arm(l.relay, i % 2 == 0 ? RELAY_RESET : RELAY_TRUNCATE, to_client != 0, i * size / PLACES, 0);
      enum crm_status status = follower_try(&l.f);
      bool cut = relay_disarm(l.relay);
      lost += status != CRM_OK;
      if (status != CRM_OK && (status != CRM_ERR_CONNECT || !cut))
        fail_msg("cut at %llu of %llu: %s: %s", (unsigned long long)(i * size / PLACES), (unsigned long long)size, crm_status_name(status),
                 l.f.err.message);
      /* A session that has been idle may have died long ago, so one that breaks at BEGIN is replaced: then the sync is good, and whole. */
      if (status != CRM_OK)
        follower_sync(&l.f);
      if (cut && (status == CRM_OK || i % 4 == 3))
        follower_must_equal(&l.f, (int)i);
    }
  }
  assert_true(lost > PLACES); /* what changes is not the same each time, so some miss */
  assert_int_equal(l.f.full_reads, 1);
  follower_must_equal(&l.f, 0);
  end(&l);
}

/* A network that is slow and cuts everything into pieces is no fault at all. */
static void a_slow_net_is_no_fault(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct life l;
  begin(&l, &ways[1], 12, 4);
  relay_arm(l.relay, RELAY_DELAY, true, 0, 2);
  for (int i = 0; i < 5; i++) {
    change_some(&l);
    follower_sync(&l.f);
  }
  assert_true(relay_disarm(l.relay));
  assert_int_equal(l.f.full_reads, 1);
  follower_must_equal(&l.f, 0);
  end(&l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cut_at_every_place),
      cmocka_unit_test(a_slow_net_is_no_fault),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[0]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[1]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[2]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[3]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[4]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[5]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[6]),
  };
  return cmocka_run_group_tests(tests, pg_shared_start, pg_shared_stop);
}
