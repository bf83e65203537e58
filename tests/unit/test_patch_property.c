/* SPDX-License-Identifier: MIT */
/* Pictures that are patched at random against facts built from the same rows from scratch: every row, every count of refused rows, and
 * every series at several instants must be the same after each patch.
 *
 * The CRM is a list of rows as text, sensible ones and not. A step changes some of them and tells the picture of it as a reader
 * would: spans read anew, days of them, rows by key, deletions, whole relations, and whatever the patch wants besides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/evaluate.h"
#include "base/strbuf.h"
#include "facts/columns.h"
#include "facts/patch_internal.h"
#include "lib/bases.h"
#include "lib/rows.h"

enum { BASES = 14, STEPS = 130, ACCOUNTS = 14, CONTACT_IDS = 12, MAX_ROWS = 6000, TEXT = 400 };
#define TODAY 20500 /* 2026-02-16 */
#define NOBODY (-1) /* a row without account_id */

struct chance {
  uint64_t s;
};

static uint64_t next(struct chance *c) { /* splitmix64 */
  uint64_t z = (c->s += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}
static int below(struct chance *c, int n) {
  return (int)(next(c) % (uint64_t)n);
}

struct model_row {
  enum crm_relation relation;
  int account, key; /* key NOBODY: none */
  char text[TEXT];
};

struct crm_model {
  struct model_row *rows;
  int n;
  bool available[CRM_RELATIONS];
  int next_key;
};

/* --- random rows --------------------------------------------------------------------------------------------------- */

static const char *pick(struct chance *c, const char *const *words) {
  int n = 0;
  while (words[n] != NULL)
    n++;
  return words[below(c, n)];
}

static void put_text(struct chance *c, enum crm_relation relation, const char *column, char *to) {
  static const char *const status[] = {"active",   "active",    "at_risk",     "churned", "onboarding", "left",
                                       "achieved", "completed", "in_progress", "junk",    NULL};
  static const char *const currency[] = {"USD", "USD", "eur", "JPY", "12", "~", "~", NULL};
  static const char *const stage[] = {"open", "won", "lost", "open", "~", "maybe", NULL};
  static const char *const outcome[] = {"positive", "negative", "renewed", "lost", "~", "~", "~", NULL};
  static const char *const type[] = {"meeting", "email", "call", "demo", "fax", NULL};
  static const char *const kind[] = {"upsell", "competitor_mentions", "budget_constraints", "expansion", "onboarding_call", NULL};
  static const char *const level[] = {"primary", "user", "influencer", "champion", "detractor", "~", "boss", NULL};
  static const char *const names[] = {"x", "y", "z", "none", "~", "", NULL};
  if (strcmp(column, "status") == 0)
    strcpy(to, pick(c, status));
  else if (strcmp(column, "currency") == 0)
    strcpy(to, pick(c, currency));
  else if (strcmp(column, "stage") == 0)
    strcpy(to, pick(c, stage));
  else if (strcmp(column, "outcome") == 0)
    strcpy(to, relation == CRM_REL_CONTRACT && below(c, 8) > 0 ? (below(c, 2) ? "renewed" : "~") : pick(c, outcome));
  else if (strcmp(column, "type") == 0)
    strcpy(to, pick(c, type));
  else if (strcmp(column, "kind") == 0)
    strcpy(to, pick(c, kind));
  else if (strcmp(column, "level") == 0 || strcmp(column, "strength") == 0)
    strcpy(to, pick(c, level));
  else if (strcmp(column, "name") == 0)
    sprintf(to, "name %d", below(c, 1000000));
  else if (strcmp(column, "tenant") == 0)
    strcpy(to, below(c, 12) == 0 ? "rare" : pick(c, names));
  else
    strcpy(to, below(c, 60) == 0 ? "\xff" : pick(c, names));
}

static void put_cell(struct chance *c, enum crm_relation relation, const struct crm_column *column, char *to) {
  bool odd = below(c, 60) == 0;
  if (!column->required && below(c, 4) == 0) {
    strcpy(to, "~");
    return;
  }
  switch (column->kind) {
  case CRM_COL_TEXT:
    put_text(c, relation, column->name, to);
    break;
  case CRM_COL_TEXTS:
    sprintf(to, "c%d,c%d,c%d", below(c, CONTACT_IDS), below(c, CONTACT_IDS), below(c, 2 * CONTACT_IDS));
    break;
  case CRM_COL_TIME:
    if (odd)
      strcpy(to, "infinity");
    else
      sprintf(to, "%" PRId64, (int64_t)(TODAY - 500 + below(c, 600)) * 86400 + below(c, 3) * 3600);
    break;
  case CRM_COL_DAY:
    sprintf(to, "%d", odd ? 99999999 : TODAY - 100 + below(c, 104));
    break;
  case CRM_COL_NUMBER:
    if (odd)
      strcpy(to, below(c, 2) ? "nan" : "-7");
    else if (column->max <= 10)
      sprintf(to, "%d", (int)column->min + below(c, (int)(column->max - column->min) + 1));
    else
      sprintf(to, "%d", below(c, 101));
    break;
  case CRM_COL_MONEY:
    sprintf(to, "%d", odd ? -5 : below(c, 4) * 1000 + below(c, 50));
    break;
  case CRM_COL_BOOLEAN:
    strcpy(to, below(c, 2) ? "t" : "f");
    break;
  }
}

static void account_name(int account, char *to) {
  if (account == NOBODY)
    strcpy(to, "~");
  else
    sprintf(to, "a%02d", account);
}

static void key_name(enum crm_relation relation, int key, char *to) {
  if (key == NOBODY)
    strcpy(to, "~");
  else if (relation == CRM_REL_CONTACT)
    sprintf(to, "c%d", key);
  else
    sprintf(to, "k%d", key);
}

static struct model_row *add_row(struct crm_model *m, struct chance *c, enum crm_relation relation, int account, int key) {
  assert_true(m->n < MAX_ROWS);
  struct model_row *row = &m->rows[m->n++];
  row->relation = relation;
  row->account = account;
  row->key = key;
  const struct crm_relation_info *info = crm_relation_info(relation);
  char *at = row->text;
  for (size_t i = 0; i < info->n_columns; i++) {
    if (i > 0)
      *at++ = '|';
    if (i == 0)
      account_name(account, at);
    else if ((int)i == crm_relation_key(relation))
      key_name(relation, key, at);
    else
      put_cell(c, relation, &info->columns[i], at);
    at += strlen(at);
  }
  assert_true(at - row->text < TEXT);
  return row;
}

static void drop_at(struct crm_model *m, int i) {
  m->rows[i] = m->rows[--m->n];
}

static void drop_rows(struct crm_model *m, enum crm_relation relation, int account) {
  for (int i = m->n; i-- > 0;)
    if (m->rows[i].relation == relation && m->rows[i].account == account)
      drop_at(m, i);
}

static void drop_key(struct crm_model *m, enum crm_relation relation, int key) {
  for (int i = m->n; i-- > 0;)
    if (m->rows[i].relation == relation && m->rows[i].key == key)
      drop_at(m, i);
}

/* A key that is nowhere else: contacts have few ids, which come back. */
static int new_key(struct crm_model *m, struct chance *c, enum crm_relation relation) {
  if (relation != CRM_REL_CONTACT)
    return m->next_key++;
  int key = below(c, CONTACT_IDS);
  for (int i = 0; i < m->n; i++)
    if (m->rows[i].relation == relation && m->rows[i].key == key)
      return m->next_key++;
  return key;
}

static bool has_key(enum crm_relation relation) {
  return relation != CRM_REL_ACCOUNT && crm_relation_key(relation) >= 0;
}

static void repeat_last(struct crm_model *m) {
  assert_true(m->n < MAX_ROWS);
  m->rows[m->n] = m->rows[m->n - 1];
  m->n++;
}

static void fill_span(struct crm_model *m, struct chance *c, enum crm_relation relation, int account) {
  int n = below(c, 3) == 0 ? 0 : below(c, 6);
  for (int i = 0; i < n; i++) {
    int key = NOBODY;
    if (has_key(relation) && below(c, 20) > 0)
      key = new_key(m, c, relation);
    add_row(m, c, relation, account, key);
    if (below(c, 8) == 0) { /* the same again, or the same key */
      if (key != NOBODY || below(c, 2) == 0)
        add_row(m, c, relation, account, key);
      else
        repeat_last(m);
    }
  }
}

static void make_model(struct crm_model *m, struct chance *c) {
  memset(m->available, 0, sizeof(m->available));
  m->n = 0;
  m->next_key = 1000;
  for (int r = 0; r < CRM_RELATIONS; r++)
    m->available[r] = r == CRM_REL_ACCOUNT || below(c, 10) > 0;
  int accounts = below(c, 5) == 0 ? 0 : below(c, ACCOUNTS);
  for (int a = NOBODY; a < accounts; a++)
    if (a != NOBODY || below(c, 2) == 0)
      add_row(m, c, CRM_REL_ACCOUNT, a, NOBODY);
  for (int r = 1; r < CRM_RELATIONS; r++)
    for (int a = NOBODY; m->available[r] && a < accounts + 2; a++)
      fill_span(m, c, (enum crm_relation)r, a);
}

/* --- reading the model ---------------------------------------------------------------------------------------------- */

static struct crm_builder *read_all(const struct crm_model *m, const struct crm_builder_options *options) {
  struct crm_builder *b = rows_builder(options);
  static const enum crm_relation first[] = {CRM_REL_ACCOUNT, CRM_REL_CONTACT};
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (m->available[r])
      crm_builder_begin(b, (enum crm_relation)r, 7);
  for (int k = 0; k < 2 + CRM_RELATIONS; k++) {
    enum crm_relation r = k < 2 ? first[k] : (enum crm_relation)(k - 2);
    if (k >= 2 && (r == first[0] || r == first[1]))
      continue;
    for (int i = 0; i < m->n; i++)
      if (m->rows[i].relation == r && m->available[r])
        rows_put(b, r, m->rows[i].text);
  }
  return b;
}

static void must(enum crm_status status, const struct crm_error *err) {
  if (status != CRM_OK)
    fail_msg("%s: %s", crm_status_name(status), err->message);
}

static void give_row(struct crm_patch *patch, const struct model_row *row) {
  struct crm_row cells;
  struct crm_error err = {0};
  rows_parse(row->relation, row->text, &cells);
  must(crm_patch_row(patch, row->relation, &cells, &err), &err);
}

/* --- a step ---------------------------------------------------------------------------------------------------------- */

struct step {
  bool replaced[CRM_RELATIONS][ACCOUNTS + 4];
  bool all[CRM_RELATIONS];
  bool account[ACCOUNTS + 4]; /* its row is read */
  bool gone[ACCOUNTS + 4];    /* deleted, whether or not it comes back */
  struct {
    enum crm_relation relation;
    int key;
  } keys[64];
  int n_keys;
  struct {
    enum crm_relation relation;
    int account, day;
  } days[16];
  int n_days;
};

static void note_key(struct step *s, enum crm_relation relation, int key) {
  if (s->n_keys < 64) {
    s->keys[s->n_keys].relation = relation;
    s->keys[s->n_keys++].key = key;
  } else {
    s->all[relation] = true;
  }
}

static bool is_there(const struct crm_model *m, int account) {
  for (int i = 0; i < m->n; i++)
    if (m->rows[i].relation == CRM_REL_ACCOUNT && m->rows[i].account == account)
      return true;
  return false;
}

static void replace_span(struct crm_model *m, struct chance *c, struct step *s, enum crm_relation r, int account) {
  if (!m->available[r])
    return;
  s->replaced[r][account] = true;
  if (below(c, 4) == 0)
    return; /* nothing has changed */
  drop_rows(m, r, account);
  fill_span(m, c, r, account);
}

/* The day of a row, which is its second cell. */
static int day_of(const struct model_row *row) {
  return atoi(strchr(row->text, '|') + 1);
}

static void set_day(struct model_row *row, int day) {
  char before[TEXT];
  memcpy(before, row->text, sizeof(before));
  char *cell = strchr(before, '|');
  *cell++ = '\0';
  assert_true(snprintf(row->text, TEXT, "%s|%d%s", before, day, strchr(cell, '|')) < TEXT);
}

/* Some rows of one day of an account instead of those it had, or the same. */
static void replace_day(struct crm_model *m, struct chance *c, struct step *s) {
  static const enum crm_relation of_days[] = {CRM_REL_USAGE, CRM_REL_SUPPORT, CRM_REL_HEALTH};
  enum crm_relation r = of_days[below(c, 3)];
  int account = below(c, ACCOUNTS + 2), day = TODAY - below(c, 100);
  for (int i = 0; i < m->n; i++) /* mostly a day that is there */
    if (m->rows[i].relation == r && m->rows[i].account == account && below(c, 2) == 0)
      day = day_of(&m->rows[i]);
  if (!m->available[r] || s->n_days == 16)
    return;
  s->days[s->n_days].relation = r;
  s->days[s->n_days].account = account;
  s->days[s->n_days++].day = day;
  if (below(c, 4) == 0)
    return;
  for (int i = m->n; i-- > 0;)
    if (m->rows[i].relation == r && m->rows[i].account == account && day_of(&m->rows[i]) == day)
      drop_at(m, i);
  for (int n = below(c, 3); n > 0; n--)
    set_day(add_row(m, c, r, account, NOBODY), day);
}

static int some_key(const struct crm_model *m, struct chance *c, enum crm_relation r) {
  int start = m->n == 0 ? 0 : below(c, m->n);
  for (int k = 0; k < m->n; k++) {
    const struct model_row *row = &m->rows[(start + k) % m->n];
    if (row->relation == r && row->key != NOBODY)
      return row->key;
  }
  return NOBODY;
}

static void delete_account(struct crm_model *m, struct chance *c, struct step *s, int account) {
  drop_rows(m, CRM_REL_ACCOUNT, account);
  s->gone[account] = true;
  bool cascade = below(c, 2) == 0; /* else its rows stay, and the patch wants them */
  for (int r = 1; r < CRM_RELATIONS; r++) {
    if (cascade)
      drop_rows(m, (enum crm_relation)r, account);
    else if (m->available[r] && below(c, 2) == 0)
      s->replaced[r][account] = true;
  }
}

static void change(struct crm_model *m, struct chance *c, struct step *s) {
  int account = below(c, ACCOUNTS);
  enum crm_relation r = (enum crm_relation)(1 + below(c, CRM_RELATIONS - 1));
  static const enum crm_relation keyed[] = {CRM_REL_CONTRACT, CRM_REL_ENGAGEMENT, CRM_REL_CONTACT, CRM_REL_GOAL};
  int what = below(c, 28);
  if (what >= 24) {
    replace_day(m, c, s);
  } else if (what < 6) {
    drop_rows(m, CRM_REL_ACCOUNT, account);
    for (int n = below(c, 8) == 0 ? 2 : 1; n > 0; n--)
      add_row(m, c, CRM_REL_ACCOUNT, account, NOBODY);
    s->account[account] = true;
  } else if (what < 8) {
    delete_account(m, c, s, account);
    s->account[account] = false;
  } else if (what == 8) { /* an id used again */
    delete_account(m, c, s, account);
    add_row(m, c, CRM_REL_ACCOUNT, account, NOBODY);
    s->account[account] = true;
  } else if (what < 14) {
    replace_span(m, c, s, r, account);
  } else if (what < 20) {
    r = keyed[below(c, 4)];
    int key = below(c, 2) == 0 ? some_key(m, c, r) : new_key(m, c, r);
    if (!m->available[r] || key == NOBODY)
      return;
    drop_key(m, r, key);
    int owner = below(c, 12) == 0 ? NOBODY : account;
    for (int n = below(c, 8) == 0 ? 2 : 1; n > 0; n--)
      add_row(m, c, r, owner, key);
    note_key(s, r, key);
  } else if (what < 23) {
    r = keyed[below(c, 4)];
    int key = some_key(m, c, r);
    if (!m->available[r] || key == NOBODY)
      return;
    drop_key(m, r, key);
    note_key(s, r, key);
  } else if (below(c, 3) == 0) {
    if (below(c, 4) == 0)
      r = CRM_REL_ACCOUNT;
    s->all[r] = true;
    m->available[r] = true;
    if (r == CRM_REL_ACCOUNT && below(c, 2) == 0) /* one is simply missing, with all that it had */
      for (int k = 0; k < CRM_RELATIONS; k++)
        drop_rows(m, (enum crm_relation)k, account);
    for (int a = NOBODY; r != CRM_REL_ACCOUNT && a < ACCOUNTS; a++) {
      if (below(c, 3) > 0)
        continue;
      drop_rows(m, r, a);
      fill_span(m, c, r, a);
    }
  }
}

static bool is_key_of(const struct step *s, const struct model_row *row) {
  for (int k = 0; k < s->n_keys; k++)
    if (s->keys[k].relation == row->relation && s->keys[k].key == row->key && row->key != NOBODY)
      return true;
  return false;
}

static bool is_day_of(const struct step *s, const struct model_row *row) {
  for (int k = 0; k < s->n_days; k++)
    if (s->days[k].relation == row->relation && s->days[k].account == row->account && s->days[k].day == day_of(row))
      return true;
  return false;
}

static void give_want(struct crm_patch *patch, const struct crm_model *m, const struct crm_patch_want *want) {
  struct crm_error err = {0};
  char id[16];
  snprintf(id, sizeof(id), "%s", want->account_id);
  enum crm_relation relation = want->relation;
  must(crm_patch_replace(patch, relation, id, strlen(id), &err), &err);
  for (int i = 0; i < m->n; i++)
    if (m->rows[i].relation == relation && m->rows[i].account >= 0 && m->rows[i].account == atoi(id + 1))
      give_row(patch, &m->rows[i]);
}

static void announce(struct crm_patch *patch, const struct step *s) {
  struct crm_error err = {0};
  char name[16];
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (s->all[r])
      must(crm_patch_replace_all(patch, (enum crm_relation)r, &err), &err);
  for (int a = 0; a < ACCOUNTS + 4; a++) {
    account_name(a, name);
    if (s->gone[a])
      must(crm_patch_delete(patch, CRM_REL_ACCOUNT, name, strlen(name), &err), &err);
    for (int r = 1; r < CRM_RELATIONS; r++)
      if (s->replaced[r][a])
        must(crm_patch_replace(patch, (enum crm_relation)r, name, strlen(name), &err), &err);
  }
  for (int k = 0; k < s->n_days; k++) {
    account_name(s->days[k].account, name);
    must(crm_patch_replace_day(patch, s->days[k].relation, name, strlen(name), s->days[k].day, &err), &err);
  }
  for (int k = 0; k < s->n_keys; k++) {
    key_name(s->keys[k].relation, s->keys[k].key, name);
    must(crm_patch_delete(patch, s->keys[k].relation, name, strlen(name), &err), &err);
  }
}

static void tell(struct crm_patch *patch, const struct crm_model *m, const struct step *s) {
  struct crm_error err = {0};
  announce(patch, s);
  for (int i = 0; i < m->n; i++) {
    const struct model_row *row = &m->rows[i];
    bool read = s->all[row->relation] || is_key_of(s, row) || is_day_of(s, row);
    if (row->account != NOBODY)
      read = read || (row->relation == CRM_REL_ACCOUNT ? s->account[row->account] : s->replaced[row->relation][row->account]);
    if (read)
      give_row(patch, row);
  }
  must(crm_patch_prepare(patch, &err), &err);
  const struct crm_patch_want *wanted;
  struct crm_patch_want copy[512];
  char ids[512][16];
  size_t n = crm_patch_wanted(patch, &wanted);
  if (n == 0)
    return;
  assert_true(n <= 512);
  assert_int_equal(crm_patch_apply(patch, NULL, &err), CRM_ERR_DATA); /* refused, and nothing has happened */
  for (size_t i = 0; i < n; i++) {
    snprintf(ids[i], sizeof(ids[i]), "%s", wanted[i].account_id);
    copy[i] = (struct crm_patch_want){wanted[i].relation, ids[i], wanted[i].len};
  }
  for (size_t i = 0; i < n; i++)
    give_want(patch, m, &copy[i]);
  must(crm_patch_prepare(patch, &err), &err);
  assert_int_equal(crm_patch_wanted(patch, &wanted), 0);
}

/* --- comparing -------------------------------------------------------------------------------------------------------- */

struct bench {
  struct crm_zone *zone;
  struct crm_params params;
  struct crm_arena arena;
  struct crm_series_set set;
};

static char *series(struct bench *e, const struct crm_facts *facts, crm_time at) {
  struct crm_error err = {0};
  must(crm_evaluate(facts, &e->params, at, &e->arena, &e->set, &err), &err);
  struct crm_strbuf buf;
  crm_strbuf_init(&buf, (size_t)1 << 30);
  for (size_t i = 0; i < e->set.n; i++) {
    const struct crm_sample *s = &e->set.samples[i];
    crm_strbuf_adds(&buf, crm_family_info((enum crm_family)s->family)->name);
    for (size_t l = 0; l < s->n_labels; l++)
      rows_add_text(&buf, crm_set_label_value(&e->set, s, l));
    rows_add_int(&buf, s->value.num);
    rows_add_int(&buf, s->value.den);
    rows_add_real(&buf, s->value.real);
    crm_strbuf_addc(&buf, '\n');
  }
  char *text = crm_strbuf_take(&buf);
  assert_non_null(text);
  return text;
}

/* Frees both. */
static void same_text(const char *what, int base, int step, char *patched, char *fresh) {
  const char *x = strstr(patched, "tenant ");
  const char *y = strstr(fresh, "tenant ");
  x = x == NULL ? patched : x;
  y = y == NULL ? fresh : y;
  if (strcmp(x, y) != 0) {
    while (*x == *y)
      x++, y++;
    while (x > patched && y > fresh && x[-1] != '\n')
      x--, y--;
    fail_msg("base %d, step %d, %s: patched\n%.200s\nfresh\n%.200s", base, step, what, x, y);
  }
  free(patched);
  free(fresh);
}

static const struct crm_builder_options patchable = {.default_tenant = "house", .default_currency = "EUR", .patchable = true};
static const struct crm_builder_options plain = {.default_tenant = "house", .default_currency = "EUR"};

static void compare(struct bench *e, const struct crm_model *m, const struct crm_picture *picture, int base, int step) {
  struct crm_facts *fresh = rows_finish(read_all(m, &plain));
  struct crm_facts *patched = crm_picture_facts(picture);
  same_text("rows", base, step, rows_dump(patched), rows_dump(fresh));
  static const int days[] = {1, -40, -200};
  e->params.per_account = step % 2 == 0 ? CRM_PER_ACCOUNT_ALL : CRM_PER_ACCOUNT_TOP;
  for (int i = 0; i < 3 && step % 7 == 0; i++) {
    crm_time at = (TODAY + days[i]) * CRM_US_PER_DAY + 3600 * CRM_US_PER_SECOND;
    /* Labels first: a difference in values is easier to read when the rows are known to be the same. */
    char *x = series(e, patched, at);
    same_text("series", base, step, x, series(e, fresh, at));
  }
  crm_facts_unref(fresh);
}

static void test_random_patches(void **state) {
  (void)state;
  struct bench e = {.zone = NULL};
  struct crm_error err = {0};
  must(crm_zone_new("Europe/Berlin", &e.zone, &err), &err);
  crm_params_defaults(&e.params);
  e.params.zone = e.zone;
  e.params.group_by[0] = CRM_DIM_SEGMENT;
  e.params.group_by[1] = CRM_DIM_OWNER;
  e.params.n_group_by = 2;
  e.params.per_account_top = 3;
  crm_arena_init(&e.arena, 0);
  assert_int_equal(crm_set_init(&e.set), CRM_OK);
  struct crm_model m = {.rows = calloc(MAX_ROWS, sizeof(*m.rows))};
  assert_non_null(m.rows);
  uint64_t patches = 0, squeezes = 0, refused = 0;
  int bases = (int)(test_bases(5 * BASES) + 4) / 5; /* one is as dear as five of other tests */
  for (int base = 0; base < bases; base++) {
    struct chance c = {(uint64_t)base * 7919 + 1};
    make_model(&m, &c);
    struct crm_builder *b = read_all(&m, &patchable);
    struct crm_picture *picture = NULL;
    must(crm_picture_new(b, &picture, &err), &err);
    crm_builder_free(b);
    compare(&e, &m, picture, base, 0);
    for (int i = 1; i <= STEPS; i++) {
      struct step s;
      memset(&s, 0, sizeof(s));
      for (int k = below(&c, 6); k > 0; k--)
        change(&m, &c, &s);
      for (int a = 0; a < ACCOUNTS; a++) /* changes of one step may undo each other */
        s.account[a] = s.account[a] || (s.gone[a] && is_there(&m, a));
      struct crm_patch *patch = NULL;
      struct crm_patch_applied applied;
      must(crm_patch_new(picture, &patch, &err), &err);
      tell(patch, &m, &s);
      for (int r = 0; r < CRM_RELATIONS; r++)
        if (m.available[r])
          crm_patch_read_at(patch, (enum crm_relation)r, 7);
      must(crm_patch_apply(patch, &applied, &err), &err);
      crm_patch_free(patch);
      if (below(&c, 12) == 0) { /* long before there is much garbage */
        crm_picture_squeeze(picture);
        squeezes++;
      }
      patches++;
      squeezes += applied.squeezed;
      for (int r = 0; r < CRM_RELATIONS; r++)
        for (int why = 0; why < CRM_REJECTS; why++)
          refused += applied.rejected[r][why];
      compare(&e, &m, picture, base, i);
    }
    crm_picture_free(picture);
  }
  print_message("# %" PRIu64 " patches, %" PRIu64 " squeezes, %" PRIu64 " rows refused\n", patches, squeezes, refused);
  assert_true(refused > 0 && squeezes > 0);
  free(m.rows);
  crm_set_free(&e.set);
  crm_arena_free(&e.arena);
  crm_zone_free(e.zone);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_patches)};
  return cmocka_run_group_tests_name("patch_property", tests, NULL, NULL);
}
