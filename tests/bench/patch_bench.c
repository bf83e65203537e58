/* SPDX-License-Identifier: MIT */
/* What a patch costs: patches of 1 to 1,000 accounts, in pictures of several sizes. Every account touched gets one goal anew (by key, in
 * place), one engagement more (by key) and its usage read again with a day more (a span), so that it moves; squeezes are in the mean.
 *
 *   crm-patch-bench [ACCOUNTS...]          default 10000 100000; ratios are against the first */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/evaluate.h"
#include "base/clock.h"
#include "facts/columns.h"
#include "facts/patch.h"

enum { USAGE = 60, HEALTH = 60, ENGAGEMENTS = 20, CONTACTS = 5, GOALS = 3, REVENUES = 6, NPS = 4 };
#define TODAY 20500
#define ROWS_PER_ACCOUNT (USAGE + HEALTH + ENGAGEMENTS + CONTACTS + GOALS + REVENUES + NPS + 1)

static void must(enum crm_status status, const struct crm_error *err) {
  if (status == CRM_OK)
    return;
  fprintf(stderr, "crm-patch-bench: %s\n", err->message);
  exit(1);
}

typedef enum crm_status put_fn(void *to, enum crm_relation relation, const struct crm_row *row, struct crm_error *err);

static enum crm_status into_builder(void *to, enum crm_relation relation, const struct crm_row *row, struct crm_error *err) {
  return crm_builder_row(to, relation, row, err);
}
static enum crm_status into_patch(void *to, enum crm_relation relation, const struct crm_row *row, struct crm_error *err) {
  return crm_patch_row(to, relation, row, err);
}

struct out {
  put_fn *put;
  void *to;
  uint64_t rows;
};

static void set_text(struct crm_row *row, int column, const char *text) {
  row->cells[column].set = true;
  row->cells[column].text = text;
  row->cells[column].len = strlen(text);
}
static void set_number(struct crm_row *row, int column, double number) {
  row->cells[column].set = true;
  row->cells[column].number = number;
}
static void set_time(struct crm_row *row, int column, int64_t day) {
  row->cells[column].set = true;
  row->cells[column].time = day * CRM_US_PER_DAY;
}
static void set_day(struct crm_row *row, int column, crm_day day) {
  row->cells[column].set = true;
  row->cells[column].day = day;
}
static void set_money(struct crm_row *row, int column, double major) {
  row->cells[column].set = true;
  row->cells[column].numeric = NULL;
  row->cells[column].major = major;
}

static void put(struct out *out, enum crm_relation relation, const struct crm_row *row) {
  struct crm_error err = {0};
  must(out->put(out->to, relation, row, &err), &err);
  out->rows++;
}

static const char *account_id(uint32_t account, char id[40]) {
  snprintf(id, 40, "%08x-0000-4000-8000-%012x", account * 2654435761u, account);
  return id;
}
static const char *key_id(uint32_t account, uint32_t k, char id[40]) {
  snprintf(id, 40, "%08x-%04x-4000-8000-%012x", (account + k) * 2246822519u, k & 0xffff, account);
  return id;
}

static void put_account(struct out *out, uint32_t account) {
  static const char *const segments[] = {"small", "medium", "large"};
  struct crm_row row = {0};
  char id[40];
  set_text(&row, CRM_IX_ACCOUNT_ID, account_id(account, id));
  set_text(&row, CRM_IX_ACCOUNT_NAME, id);
  set_text(&row, CRM_IX_ACCOUNT_SEGMENT, segments[account % 3]);
  set_text(&row, CRM_IX_ACCOUNT_STATUS, "active");
  set_money(&row, CRM_IX_ACCOUNT_MRR, 100 + account % 900);
  put(out, CRM_REL_ACCOUNT, &row);
}

static void put_usage(struct out *out, uint32_t account, int days) {
  char id[40];
  account_id(account, id);
  for (int d = 0; d < days; d++) {
    struct crm_row row = {0};
    set_text(&row, 0, id);
    set_day(&row, CRM_IX_USAGE_DAY, TODAY - d);
    set_number(&row, CRM_IX_USAGE_LOGINS_PER_WEEK, (account + (uint32_t)d) % 9);
    set_number(&row, CRM_IX_USAGE_FEATURE_ADOPTION, (account + 7 * (uint32_t)d) % 100);
    put(out, CRM_REL_USAGE, &row);
  }
}

static void put_contacts(struct out *out, uint32_t account) {
  char id[40];
  char key[40];
  for (uint32_t k = 0; k < CONTACTS; k++) {
    struct crm_row row = {0};
    set_text(&row, 0, account_id(account, id));
    set_text(&row, CRM_IX_CONTACT_ID, key_id(account, 100 + k, key));
    set_text(&row, CRM_IX_CONTACT_LEVEL, "user");
    put(out, CRM_REL_CONTACT, &row);
  }
}

static void put_engagement(struct out *out, uint32_t account, uint32_t k) {
  char id[40];
  char key[40];
  char with[2][40];
  struct crm_text_item items[2] = {{key_id(account, 100 + k % CONTACTS, with[0]), 36},
                                   {key_id(account, 100 + (k + 1) % CONTACTS, with[1]), 36}};
  struct crm_row row = {0};
  set_text(&row, 0, account_id(account, id));
  set_text(&row, CRM_IX_ENGAGEMENT_ID, key_id(account, 1000 + k, key));
  set_text(&row, CRM_IX_ENGAGEMENT_TYPE, "meeting");
  set_time(&row, CRM_IX_ENGAGEMENT_COMPLETED_AT, TODAY - 300 + (int64_t)k * 10);
  row.cells[CRM_IX_ENGAGEMENT_CONTACTS].set = true;
  row.cells[CRM_IX_ENGAGEMENT_CONTACTS].items = items;
  row.cells[CRM_IX_ENGAGEMENT_CONTACTS].n_items = 2;
  put(out, CRM_REL_ENGAGEMENT, &row);
}

static void put_goal(struct out *out, uint32_t account, uint32_t k, const char *status) {
  char id[40];
  char key[40];
  struct crm_row row = {0};
  set_text(&row, 0, account_id(account, id));
  set_text(&row, CRM_IX_GOAL_ID, key_id(account, 10 + k, key));
  set_text(&row, CRM_IX_GOAL_STATUS, status);
  set_time(&row, CRM_IX_GOAL_CREATED_AT, TODAY - 100);
  put(out, CRM_REL_GOAL, &row);
}

static void put_rest(struct out *out, uint32_t account) {
  char id[40];
  account_id(account, id);
  for (int k = 0; k < REVENUES; k++) {
    struct crm_row row = {0};
    set_text(&row, 0, id);
    set_time(&row, CRM_IX_REVENUE_AT, TODAY - 300 + k * 40);
    set_money(&row, CRM_IX_REVENUE_MRR, 100 + k);
    put(out, CRM_REL_REVENUE, &row);
  }
  for (int k = 0; k < HEALTH; k++) {
    struct crm_row row = {0};
    set_text(&row, 0, id);
    set_day(&row, CRM_IX_HEALTH_DAY, TODAY - k);
    set_number(&row, CRM_IX_HEALTH_SCORE, 50 + k % 40);
    put(out, CRM_REL_HEALTH, &row);
  }
  for (int k = 0; k < NPS; k++) {
    struct crm_row row = {0};
    set_text(&row, 0, id);
    set_time(&row, CRM_IX_NPS_AT, TODAY - 80 * k);
    set_number(&row, CRM_IX_NPS_SCORE, k + 6);
    put(out, CRM_REL_NPS, &row);
  }
}

static struct crm_picture *make_picture(uint32_t accounts) {
  const struct crm_builder_options options = {.default_tenant = "bench", .default_currency = "EUR", .patchable = true};
  struct crm_error err = {0};
  struct crm_builder *b;
  must(crm_builder_new(&options, &b, &err), &err);
  for (int r = 0; r < CRM_RELATIONS; r++)
    crm_builder_begin(b, (enum crm_relation)r, 0);
  struct out out = {into_builder, b, 0};
  for (uint32_t a = 0; a < accounts; a++)
    put_account(&out, a);
  for (uint32_t a = 0; a < accounts; a++)
    put_contacts(&out, a);
  for (uint32_t a = 0; a < accounts; a++) {
    put_usage(&out, a, USAGE);
    for (uint32_t k = 0; k < ENGAGEMENTS; k++)
      put_engagement(&out, a, k);
    for (uint32_t k = 0; k < GOALS; k++)
      put_goal(&out, a, k, "on_track");
    put_rest(&out, a);
  }
  struct crm_picture *picture;
  must(crm_picture_new(b, &picture, &err), &err);
  crm_builder_free(b);
  return picture;
}

struct cost {
  int64_t prepare_ns, apply_ns; /* CPU */
  int64_t longest_us;           /* of apply, by the clock: readers wait for it */
  uint64_t rows, accounts, patches, squeezes;
};

static uint32_t random_account(uint64_t *state, uint32_t accounts) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)((*state >> 33) % accounts);
}

static void patch_once(struct crm_picture *picture, uint32_t accounts, uint32_t changed, uint32_t turn, uint64_t *chance,
                       struct cost *cost) {
  struct crm_error err = {0};
  struct crm_patch *patch;
  struct crm_patch_applied applied;
  int64_t start_ns = crm_clock_thread_cpu_ns();
  must(crm_patch_new(picture, &patch, &err), &err);
  struct out out = {into_patch, patch, 0};
  for (uint32_t i = 0; i < changed; i++) {
    uint32_t account = random_account(chance, accounts);
    char id[40];
    must(crm_patch_replace(patch, CRM_REL_USAGE, account_id(account, id), 36, &err), &err);
    put_usage(&out, account, USAGE + 1 - (int)(turn % 2));
    put_goal(&out, account, turn % GOALS, turn % 2 ? "at_risk" : "achieved");
    put_engagement(&out, account, ENGAGEMENTS + turn % 3);
  }
  must(crm_patch_prepare(patch, &err), &err);
  int64_t prepared_ns = crm_clock_thread_cpu_ns();
  int64_t prepared_us = crm_clock_monotonic_us();
  must(crm_patch_apply(patch, &applied, &err), &err);
  int64_t applied_us = crm_clock_monotonic_us() - prepared_us;
  int64_t applied_ns = crm_clock_thread_cpu_ns() - prepared_ns;
  crm_patch_free(patch);
  cost->prepare_ns += prepared_ns - start_ns;
  cost->apply_ns += applied_ns;
  cost->longest_us = applied_us > cost->longest_us ? applied_us : cost->longest_us;
  cost->rows += out.rows;
  cost->accounts += changed;
  cost->patches++;
  cost->squeezes += applied.squeezed;
}

/* Milliseconds of CPU for every series, the least of some. */
static double evaluate_ms(const struct crm_facts *facts) {
  struct crm_error err = {0};
  struct crm_params params;
  struct crm_zone *zone;
  struct crm_arena arena;
  struct crm_series_set set;
  must(crm_zone_new("UTC", &zone, &err), &err);
  crm_params_defaults(&params);
  params.zone = zone;
  crm_arena_init(&arena, 0);
  must(crm_set_init(&set), &err);
  int64_t least_ns = INT64_MAX;
  for (int i = 0; i < 4; i++) {
    int64_t start_ns = crm_clock_thread_cpu_ns();
    must(crm_evaluate(facts, &params, TODAY * CRM_US_PER_DAY, &arena, &set, &err), &err);
    int64_t took_ns = crm_clock_thread_cpu_ns() - start_ns;
    least_ns = took_ns < least_ns ? took_ns : least_ns;
  }
  crm_set_free(&set);
  crm_arena_free(&arena);
  crm_zone_free(zone);
  return (double)least_ns / 1e6;
}

static const uint32_t sizes[] = {1, 10, 100, 1000};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* Fills ns[] with the cost of a row for each size of a patch. */
static void run(uint32_t accounts, double ns[SIZES]) {
  int64_t start_us = crm_clock_monotonic_us();
  struct crm_picture *picture = make_picture(accounts);
  if (!crm_picture_keyed(picture, CRM_REL_GOAL) || !crm_picture_keyed(picture, CRM_REL_ENGAGEMENT))
    exit(1);
  printf("%" PRIu32 " accounts, %d rows each: made in %.2f s, %.0f MiB\n", accounts, ROWS_PER_ACCOUNT,
         (double)(crm_clock_monotonic_us() - start_us) / 1e6, (double)crm_picture_bytes(picture) / 1048576);
  uint64_t chance = accounts;
  double fresh_ms = evaluate_ms(crm_picture_facts(picture));
  for (size_t s = 0; s < SIZES; s++) {
    struct cost cost = {0};
    for (uint32_t turn = 0; cost.patches < 20 || (cost.accounts < accounts && cost.patches < 2000); turn++)
      patch_once(picture, accounts, sizes[s], turn, &chance, &cost);
    double total = (double)(cost.prepare_ns + cost.apply_ns) / 1e3;
    printf("patch accounts=%" PRIu32 " changed=%" PRIu32 " patches=%" PRIu64 " squeezes=%" PRIu64
           " us_per_patch=%.1f us_per_account=%.2f ns_per_row=%.0f apply_us=%.1f longest_us=%" PRId64 " mib=%.0f\n",
           accounts, sizes[s], cost.patches, cost.squeezes, total / (double)cost.patches, total / (double)cost.accounts,
           total * 1e3 / (double)cost.rows, (double)cost.apply_ns / 1e3 / (double)cost.patches, cost.longest_us,
           (double)crm_picture_bytes(picture) / 1048576);
    fflush(stdout);
    ns[s] = total * 1e3 / (double)cost.rows;
  }
  printf("evaluate accounts=%" PRIu32 " fresh_ms=%.1f patched_ms=%.1f garbage_accounts=%" PRIu64 "\n", accounts, fresh_ms,
         evaluate_ms(crm_picture_facts(picture)),
         crm_picture_facts(picture)->account.n - crm_picture_facts(picture)->rows[CRM_REL_ACCOUNT]);
  crm_picture_free(picture);
}

int main(int argc, char **argv) {
  static const uint32_t usual[] = {10000, 100000};
  double first[SIZES] = {0};
  int n = argc > 1 ? argc - 1 : 2;
  for (int i = 0; i < n; i++) {
    double ns[SIZES];
    uint32_t accounts = argc > 1 ? (uint32_t)strtoul(argv[i + 1], NULL, 10) : usual[i];
    run(accounts == 0 ? 1 : accounts, ns);
    for (size_t s = 0; s < SIZES && i > 0; s++)
      printf("flat changed=%" PRIu32 " accounts=%" PRIu32 " ratio=%.2f target=1.50\n", sizes[s], accounts, ns[s] / first[s]);
    if (i == 0)
      memcpy(first, ns, sizeof(first));
  }
  return 0;
}
