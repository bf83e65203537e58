/* SPDX-License-Identifier: MIT */
/* crm-demo-data: a made-up customer base as COPY text for psql. Equal arguments give equal bytes. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "write.h"

static const char usage_text[] =
    "Usage: crm-demo-data --end DATE [OPTION]... | psql -X -q -v ON_ERROR_STOP=1 DATABASE\n"
    "Writes a made-up customer base, as COPY text for the tables of contrib/sql/schema.sql and schema_ext.sql.\n"
    "Equal arguments give equal bytes; company number i is the same however many follow it.\n"
    "\n"
    "  --end DATE      YYYY-MM-DD: the data ends at 00:00 UTC of this day (required; give today's date for a live demo)\n"
    "  --accounts N    number of accounts, 1 .. 10000000 (default 150)\n"
    "  --days D        days of daily facts before DATE, 30 .. 3650 (default 500); accounts, revenue and contracts go back up\n"
    "                  to four years in any case, invoices 400 days\n"
    "  --tenants K     1 .. 64 (default 2): acme USD, nihon JPY, europa EUR, gulf KWD, albion GBP, ...\n"
    "  --seed S        another number, another world (default 1)\n"
    "  --lean          no product usage sessions and no adoption metrics: for 10,000 accounts and more\n"
    "  --unchecked     load with session_replication_role = replica: no foreign key checks, quicker, needs a superuser\n"
    "  --progress      tell on standard error how far it is\n"
    "  --help          this text\n";

static bool parse_number(const char *text, int64_t lo, int64_t hi, int64_t *value) {
  char *rest;
  errno = 0;
  long long v = strtoll(text, &rest, 10);
  if (errno || rest == text || *rest || v < lo || v > hi)
    return false;
  *value = v;
  return true;
}

static bool parse_date(const char *text, int *day) {
  int y, m, d, n = 0;
  if (sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || text[n] || y < 2000 || y > 2200 || m < 1 || m > 12 || d < 1)
    return false;
  *day = day_from_civil(y, m, d);
  int y2, m2, d2;
  day_to_civil(*day, &y2, &m2, &d2);
  return y2 == y && m2 == m && d2 == d;
}

static void free_demo(struct demo *demo) {
  for (int i = 0; i < demo->scenario.tenants; i++)
    free(demo->tenants[i].sessions);
  curve_free(&demo->curve);
  output_free(&demo->out);
}

static void write_company(struct demo *demo, uint64_t number) {
  struct life life;
  struct company company;
  life_simulate(&life, &demo->scenario, number);
  curve_simulate(&demo->curve, &life);
  company_init(&company, demo, &life);
  write_account(demo, &company);
  write_growth(demo, &company);
  write_contacts(demo, &company);
  write_onboarding(demo, &company);
  write_contracts(demo, &company);
  write_invoices(demo, &company);
  write_opportunities(demo, &company);
  write_signals(demo, &company);
  write_interventions(demo, &company);
  write_goals(demo, &company);
  write_engagements(demo, &company);
  write_health(demo, &company);
  write_support(demo, &company);
  write_nps(demo, &company);
  if (!demo->scenario.lean) {
    write_adoption(demo, &company);
    write_usage(demo, &company);
  }
}

static bool write_everything(struct demo *demo, bool unchecked, bool progress) {
  const struct scenario *s = &demo->scenario;
  const size_t enough = (size_t)4 << 20;
  if (!output_text(&demo->out, "\\set ON_ERROR_STOP on\nBEGIN;\nSET LOCAL client_encoding = 'UTF8';\nSET LOCAL datestyle = 'ISO';\n"
                               "SET LOCAL synchronous_commit = off;\n"))
    return false;
  if (unchecked && !output_text(&demo->out, "SET LOCAL session_replication_role = replica;\n"))
    return false;
  write_tenants(demo);
  for (int i = 0; i < s->accounts; i++) {
    if (i % STAFF_BLOCK == 0)
      write_staff(demo, (uint64_t)i / STAFF_BLOCK);
    write_company(demo, (uint64_t)i);
    if (demo->out.pending >= enough && !output_flush(&demo->out))
      return false;
    if (progress && (i + 1) % 1000 == 0)
      fprintf(stderr, "crm-demo-data: %d of %d accounts, %llu rows\n", i + 1, s->accounts, (unsigned long long)demo->out.rows);
  }
  if (!s->lean)
    write_product_totals(demo);
  return output_flush(&demo->out) && output_text(&demo->out, "COMMIT;\nANALYZE;\n");
}

int main(int argc, char **argv) {
  static const struct option options[] = {{"accounts", required_argument, NULL, 'a'}, {"days", required_argument, NULL, 'd'},
                                          {"tenants", required_argument, NULL, 't'},  {"seed", required_argument, NULL, 's'},
                                          {"end", required_argument, NULL, 'e'},      {"lean", no_argument, NULL, 'l'},
                                          {"unchecked", no_argument, NULL, 'u'},      {"progress", no_argument, NULL, 'p'},
                                          {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
  int64_t accounts = 150, days = 500, tenants = 2, seed = 1;
  int end = DAY_NONE;
  bool lean = false, unchecked = false, progress = false;
  for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    bool good = true;
    switch (c) {
    case 'a':
      good = parse_number(optarg, 1, 10000000, &accounts);
      break;
    case 'd':
      good = parse_number(optarg, 30, 3650, &days);
      break;
    case 't':
      good = parse_number(optarg, 1, TENANTS_MAX, &tenants);
      break;
    case 's':
      good = parse_number(optarg, 0, INT64_MAX, &seed);
      break;
    case 'e':
      good = parse_date(optarg, &end);
      break;
    case 'l':
      lean = true;
      break;
    case 'u':
      unchecked = true;
      break;
    case 'p':
      progress = true;
      break;
    case 'h':
      fputs(usage_text, stdout);
      return 0;
    default:
      fputs("Try 'crm-demo-data --help'.\n", stderr);
      return 2;
    }
    if (!good) {
      fprintf(stderr, "crm-demo-data: '%s' is not allowed here; --help tells the range\n", optarg);
      return 2;
    }
  }
  if (end == DAY_NONE || optind < argc) {
    fprintf(stderr, "crm-demo-data: %s\nTry 'crm-demo-data --help'.\n", optind < argc ? "unexpected argument" : "--end DATE is required");
    return 2;
  }

  struct demo demo = {.scenario = {(int)accounts, (int)tenants, (int)days, (uint64_t)seed, end, lean}};
  bool ready = output_init(&demo.out, end - 4000, 4500) && curve_init(&demo.curve, &demo.scenario);
  for (int i = 0; ready && i < demo.scenario.tenants; i++)
    ready = (demo.tenants[i].sessions = calloc((size_t)days, sizeof *demo.tenants[i].sessions)) != NULL;
  if (!ready) {
    fputs("crm-demo-data: out of memory\n", stderr);
    return 1;
  }
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  bool written = write_everything(&demo, unchecked, progress);
  int reason = errno;
  clock_gettime(CLOCK_MONOTONIC, &to);
  double seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
  if (!written)
    fprintf(stderr, "crm-demo-data: cannot write: %s\n", strerror(reason));
  else if (progress)
    fprintf(stderr, "crm-demo-data: %llu rows, %.1f MB in %.2f s\n", (unsigned long long)demo.out.rows, 1e-6 * (double)demo.out.bytes,
            seconds);
  free_demo(&demo);
  return written ? 0 : 1;
}
