/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "lib/facts_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

static void fail(const char *what, const char *detail) {
  fprintf(stderr, "fixture: %s: %s\n", what, detail);
  abort();
}

static void check(struct fixture *f, enum crm_status status, const char *what) {
  if (status != CRM_OK)
    fail(what, f->err.message[0] != '\0' ? f->err.message : crm_status_name(status));
}

void fixture_init(struct fixture *f, const char *zone, const char *default_currency) {
  fixture_init_shard(f, zone, default_currency, (struct crm_shard){0});
}

void fixture_init_shard(struct fixture *f, const char *zone, const char *default_currency, struct crm_shard shard) {
  memset(f, 0, sizeof(*f));
  check(f, crm_zone_new(zone, &f->zone, &f->err), "zone");
  const struct crm_builder_options options = {
      .default_tenant = "acme", .default_currency = default_currency, .zone = f->zone, .shard = shard};
  check(f, crm_builder_new(&options, &f->builder, &f->err), "builder");
  crm_params_defaults(&f->params);
  f->params.zone = f->zone;
  f->params.n_group_by = 0;
  f->card = f->params.scorecards[0];
  f->params.scorecards = &f->card;
  f->params.n_scorecards = 1;
  crm_arena_init(&f->arena, 0);
  check(f, crm_set_init(&f->set), "set");
}

void fixture_free(struct fixture *f) {
  crm_set_free(&f->set);
  crm_arena_free(&f->arena);
  crm_facts_unref(f->facts);
  crm_builder_free(f->builder);
  crm_zone_free(f->zone);
}

void fixture_begin(struct fixture *f, enum crm_relation relation) {
  if (!f->begun[relation])
    crm_builder_begin(f->builder, relation, 0);
  f->begun[relation] = true;
}

crm_time fixture_time(const struct fixture *f, const char *text) {
  char buf[64];
  snprintf(buf, sizeof(buf), "%s", text);
  int64_t shift = 0;
  size_t len = strlen(buf);
  if (len > 3 && strcmp(buf + len - 2, "us") == 0) {
    char *sign = buf + len - 3;
    while (sign > buf && *sign >= '0' && *sign <= '9')
      sign--;
    shift = strtoll(sign, NULL, 10);
    *sign = '\0';
  }
  crm_time at;
  struct crm_error err = {0};
  if (crm_time_parse(f->zone, buf, &at, &err) != CRM_OK)
    fail(text, err.message);
  return at + shift;
}

/* "column=value" or "column='value'" at *cursor; false at the end. Cuts the text apart in place. */
static bool next_pair(char **cursor, char **column, char **value) {
  char *p = *cursor;
  while (*p == ' ')
    p++;
  if (*p == '\0')
    return false;
  *column = p;
  char *eq = strchr(p, '=');
  if (eq == NULL)
    fail("no = in", p);
  *eq = '\0';
  p = eq + 1;
  char stop = ' ';
  if (*p == '\'') {
    stop = '\'';
    p++;
  }
  *value = p;
  while (*p != '\0' && *p != stop)
    p++;
  if (*p != '\0')
    *p++ = '\0';
  *cursor = p;
  return true;
}

#define MAX_ITEMS 16
static size_t split_items(char *value, struct crm_text_item *items) {
  size_t n = 0;
  for (char *p = strtok(value, ","); p != NULL; p = strtok(NULL, ",")) {
    if (n == MAX_ITEMS)
      fail("too many items", p);
    items[n++] = (struct crm_text_item){p, strlen(p)};
  }
  return n;
}

static void read_value(const struct fixture *f, enum crm_column_kind kind, char *value, struct crm_text_item *items,
                       struct crm_cell_value *cell) {
  cell->set = true;
  char *end = value;
  switch (kind) {
  case CRM_COL_TEXT:
    cell->text = value;
    cell->len = strlen(value);
    return;
  case CRM_COL_TEXTS:
    cell->n_items = split_items(value, items);
    cell->items = items;
    return;
  case CRM_COL_TIME:
    cell->time = fixture_time(f, value);
    return;
  case CRM_COL_DAY: {
    int year, month, day;
    if (sscanf(value, "%d-%d-%d", &year, &month, &day) != 3)
      fail("not a day", value);
    cell->day = crm_day_from_civil(year, month, day);
    return;
  }
  case CRM_COL_NUMBER:
    cell->number = strtod(value, &end);
    break;
  case CRM_COL_MONEY:
    cell->numeric = NULL;
    cell->major = strtod(value, &end);
    break;
  case CRM_COL_BOOLEAN:
    cell->boolean = strcmp(value, "true") == 0;
    if (!cell->boolean && strcmp(value, "false") != 0)
      fail("not a boolean", value);
    return;
  }
  if (end == value || *end != '\0')
    fail("not a number", value);
}

void fixture_row(struct fixture *f, enum crm_relation relation, const char *row, ...) {
  char buf[1024];
  va_list args;
  va_start(args, row);
  int len = vsnprintf(buf, sizeof(buf), row, args);
  va_end(args);
  if (len < 0 || (size_t)len >= sizeof(buf))
    fail("row too long", row);

  fixture_begin(f, relation);
  const struct crm_relation_info *info = crm_relation_info(relation);
  struct crm_row cells;
  memset(&cells, 0, sizeof(cells));
  struct crm_text_item items[MAX_ITEMS];
  char *cursor = buf, *column, *value;
  while (next_pair(&cursor, &column, &value)) {
    size_t i = 0;
    while (i < info->n_columns && strcmp(info->columns[i].name, column) != 0)
      i++;
    if (i == info->n_columns)
      fail("no such column", column);
    read_value(f, info->columns[i].kind, value, items, &cells.cells[i]);
  }
  check(f, crm_builder_row(f->builder, relation, &cells, &f->err), "row");
}

void fixture_at(struct fixture *f, const char *time) {
  f->at = fixture_time(f, time);
}

void fixture_finish(struct fixture *f) {
  if (f->facts != NULL)
    return;
  fixture_begin(f, CRM_REL_ACCOUNT);
  check(f, crm_builder_finish(f->builder, &f->facts, &f->err), "finish");
  for (unsigned r = 0; r < CRM_RELATIONS; r++)
    for (unsigned reason = 0; reason < CRM_REJECTS; reason++)
      if (reason != CRM_REJECT_UNDATED_CHURN && f->facts->rejected[r][reason] != 0) /* such a row is counted, not refused */
        fail(crm_relation_info((enum crm_relation)r)->name, crm_reject_name((enum crm_reject)reason));
}

void fixture_context(struct fixture *f) {
  fixture_finish(f);
  crm_arena_reset(&f->arena);
  check(f, crm_set_reset(&f->set), "set");
  check(f, crm_context_init(&f->context, f->facts, &f->params, f->at, &f->arena, &f->set, &f->err), "context");
}

void fixture_evaluate(struct fixture *f) {
  fixture_finish(f);
  check(f, crm_evaluate(f->facts, &f->params, f->at, &f->arena, &f->set, &f->err), "evaluate");
}

uint32_t fixture_account(const struct fixture *f, const char *id) {
  uint32_t text = crm_dict_find(&f->facts->text, id, strlen(id));
  for (uint32_t i = 0; i < f->facts->account.n; i++)
    if (f->facts->account.id[i] == text)
      return i;
  fail("no such account", id);
  return 0;
}

/* Whether sample `s` carries every "label=value" of the text (which is cut apart). */
static bool matches(const struct crm_series_set *set, const struct crm_sample *s, const char *labels) {
  char buf[512];
  snprintf(buf, sizeof(buf), "%s", labels);
  char *cursor = buf, *label, *value;
  while (next_pair(&cursor, &label, &value)) {
    size_t i = 0;
    while (i < s->n_labels && strcmp(crm_set_label_name(set, (enum crm_family)s->family, i), label) != 0)
      i++;
    if (i == s->n_labels)
      fail("no such label", label);
    if (strcmp(crm_set_label_value(set, s, i), value) != 0)
      return false;
  }
  return true;
}

static size_t find(const struct fixture *f, const char *query, double *sum) {
  char name[128];
  size_t len = strcspn(query, " ");
  snprintf(name, sizeof(name), "%.*s", (int)len, query);
  enum crm_family family = crm_family_by_name(name);
  if (family == CRM_FAMILIES)
    fail("no such family", name);
  size_t n = 0;
  *sum = 0;
  for (size_t i = 0; i < f->set.n; i++) {
    const struct crm_sample *s = &f->set.samples[i];
    if (s->family != family || !matches(&f->set, s, query + len))
      continue;
    *sum += crm_number_value(&s->value);
    n++;
  }
  return n;
}

double fixture_sum(const struct fixture *f, const char *query) {
  double sum;
  return find(f, query, &sum) == 0 ? NAN : sum;
}

size_t fixture_count(const struct fixture *f, const char *query) {
  double sum;
  return find(f, query, &sum);
}

char *fixture_dump(const struct fixture *f) {
  struct crm_strbuf buf;
  crm_strbuf_init(&buf, (size_t)1 << 30);
  for (size_t i = 0; i < f->set.n; i++) {
    const struct crm_sample *s = &f->set.samples[i];
    crm_strbuf_adds(&buf, crm_family_info((enum crm_family)s->family)->name);
    for (size_t l = 0; l < s->n_labels; l++) { /* piece by piece: printf would take most of the time of some tests */
      crm_strbuf_addc(&buf, ' ');
      crm_strbuf_adds(&buf, crm_set_label_name(&f->set, (enum crm_family)s->family, l));
      crm_strbuf_addc(&buf, '=');
      crm_strbuf_adds(&buf, crm_set_label_value(&f->set, s, l));
    }
    if (s->value.den != 0)
      crm_strbuf_addf(&buf, " %" PRId64 "/%" PRId64 "\n", s->value.num, s->value.den);
    else
      crm_strbuf_addf(&buf, " %a\n", s->value.real);
  }
  char *text = crm_strbuf_take(&buf);
  if (text == NULL)
    fail("dump", "out of memory");
  return text;
}
