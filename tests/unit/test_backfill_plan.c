/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/backfill.h"

/* Expected instants by `TZ=... date -d '...' +%s`. Berlin went from +1 to +2 on 2026-03-29 at 01:00 UTC and back on 2025-10-26. */
static const struct {
  const char *name, *zone, *from, *to, *step;
  size_t n;
  int64_t first, second, last; /* in seconds */
} cases[] = {
    {"one instant", "UTC", "2026-03-01", "2026-03-01", "1d", 1, 1772323200, 0, 1772323200},
    {"not quite two", "UTC", "2026-03-01", "2026-03-01T23:59:59Z", NULL, 1, 1772323200, 0, 1772323200},
    {"two days", "UTC", "2026-03-01", "2026-03-02", NULL, 2, 1772323200, 1772409600, 1772409600},
    {"a leap day", "UTC", "2024-02-28", "2024-03-01", "1d", 3, 1709078400, 1709164800, 1709251200},
    {"spring in Berlin", "Europe/Berlin", "2026-03-28", "2026-03-30", "1d", 3, 1774652400, 1774738800, 1774821600},
    {"autumn in Berlin", "Europe/Berlin", "2025-10-25", "2025-10-27", "1d", 3, 1761343200, 1761429600, 1761519600},
    {"hours do not care", "Europe/Berlin", "2026-03-28", "2026-03-30", "24h", 2, 1774652400, 1774738800, 1774738800},
    {"at noon", "Europe/Berlin", "2026-03-28 12:00", "2026-03-30 12:00", "2d", 2, 1774695600, 1774864800, 1774864800},
    {"six hours", "UTC", "2026-03-01", "2026-03-02", "6h", 5, 1772323200, 1772344800, 1772409600},
    {"minutes", "UTC", "@1772323200", "@1772323260", "1m", 2, 1772323200, 1772323260, 1772323260},
    {"plain seconds", "UTC", "@100", "@130", "10", 4, 100, 110, 130},
};

static void test_instants(void **state) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct crm_zone *zone;
    struct crm_backfill_plan plan;
    struct crm_error err = {0};
    assert_int_equal(crm_zone_new(cases[i].zone, &zone, NULL), CRM_OK);
    crm_time now = INT64_C(1800000000) * CRM_US_PER_SECOND;
    if (crm_backfill_plan_make(zone, cases[i].from, cases[i].to, cases[i].step, now, &plan, &err) != CRM_OK)
      fail_msg("%s: %s", cases[i].name, err.message);
    if (plan.n != cases[i].n || crm_backfill_instant(&plan, 0) != cases[i].first * CRM_US_PER_SECOND ||
        (plan.n > 1 && crm_backfill_instant(&plan, 1) != cases[i].second * CRM_US_PER_SECOND) ||
        crm_backfill_instant(&plan, plan.n - 1) != cases[i].last * CRM_US_PER_SECOND)
      fail_msg("%s: %zu instants, %lld to %lld", cases[i].name, plan.n, (long long)(crm_backfill_instant(&plan, 0) / CRM_US_PER_SECOND),
               (long long)(crm_backfill_instant(&plan, plan.n - 1) / CRM_US_PER_SECOND));
    crm_zone_free(zone);
  }
}

static void test_until_now(void **state) {
  struct crm_zone *zone;
  struct crm_backfill_plan plan;
  assert_int_equal(crm_zone_new("UTC", &zone, NULL), CRM_OK);
  crm_time now = (INT64_C(1772323200) + 86400 + 5) * CRM_US_PER_SECOND;
  assert_int_equal(crm_backfill_plan_make(zone, "2026-03-01", NULL, NULL, now, &plan, NULL), CRM_OK);
  assert_int_equal(plan.n, 2);
  assert_int_equal(crm_backfill_plan_make(zone, "2026-03-01", NULL, NULL, now - 6 * CRM_US_PER_SECOND, &plan, NULL), CRM_OK);
  assert_int_equal(plan.n, 1);
  crm_zone_free(zone);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_instants), cmocka_unit_test(test_until_now)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
