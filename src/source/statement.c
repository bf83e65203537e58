/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/statement.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

static void begin(struct crm_strbuf *buf, const struct crm_selection *s) {
  crm_strbuf_init(buf, 2 * strlen(s->sql) + 16384 + (s->own != NULL ? strlen(s->own) : 0));
}

static char *end(struct crm_strbuf *buf) {
  char *text = crm_strbuf_take(buf);
  crm_strbuf_free(buf);
  return text;
}

static void add_columns(struct crm_strbuf *buf, const struct crm_selection *s, const char *of) {
  const struct crm_relation_info *info = crm_relation_info(s->relation);
  const char *separator = "";
  for (size_t i = 0; i < info->n_columns; i++) {
    if (!s->present[i])
      continue;
    crm_strbuf_addf(buf, "%s%s\"%s\"", separator, of, info->columns[i].name);
    separator = ", ";
  }
}

void crm_statement_add_hash(struct crm_strbuf *buf, const char *id) {
  crm_strbuf_addf(buf, "('x' || substr(md5(convert_to(%s, 'UTF8')), 1, 8))::bit(32)::bigint", id);
}

static void add_hash_is(struct crm_strbuf *buf, struct crm_shard shard, const char *id) {
  crm_statement_add_hash(buf, id);
  crm_strbuf_addf(buf, " %% %u = %u", shard.of, shard.number - 1u);
}

/* A constant list goes into groupings, unions and windows, where a join stops, and costs a row a look into a hash table; to compute the
 * hash costs it ten times as much. */
static void add_shard(struct crm_strbuf *buf, const struct crm_selection *s, const char *alias, const char *word) {
  char id[64];
  crm_strbuf_addf(buf, " %s ", word);
  if (s->own != NULL) {
    crm_strbuf_addf(buf, "%s.\"account_id\" = ANY (%s)", alias, s->own);
    return;
  }
  snprintf(id, sizeof(id), "%s.\"account_id\"::text", alias);
  add_hash_is(buf, s->shard, id);
}

/* The conditions on rows of `alias`, behind `word`. */
static void add_conditions(struct crm_strbuf *buf, const struct crm_selection *s, const char *alias, const char *word) {
  const struct crm_relation_info *info = crm_relation_info(s->relation);
  if (crm_shard_is_part(s->shard)) {
    add_shard(buf, s, alias, word);
    word = "AND";
  }
  if (s->first_day == CRM_DAY_NONE || info->history_column < 0 || !s->present[info->history_column])
    return;
  int year, month, day;
  crm_day_to_civil(s->first_day, &year, &month, &day);
  crm_strbuf_addf(buf, " %s %s.\"%s\" >= DATE '%04d-%02d-%02d'", word, alias, info->columns[info->history_column].name, year, month, day);
}

static void add_all(struct crm_strbuf *buf, const struct crm_selection *s) {
  crm_strbuf_adds(buf, "SELECT ");
  add_columns(buf, s, "");
  crm_strbuf_addf(buf, " FROM (\n%s\n) q", s->sql); /* the line break ends a comment that the mapping may close with */
  add_conditions(buf, s, "q", "WHERE");
}

char *crm_statement_all(const struct crm_selection *s) {
  struct crm_strbuf buf;
  begin(&buf, s);
  add_all(&buf, s);
  return end(&buf);
}

char *crm_statement_copy(const struct crm_selection *s) {
  struct crm_strbuf buf;
  begin(&buf, s);
  crm_strbuf_adds(&buf, "COPY (");
  add_all(&buf, s);
  crm_strbuf_adds(&buf, ") TO STDOUT (FORMAT binary)");
  return end(&buf);
}

static const char *day_of(const struct crm_selection *s) {
  return crm_relation_info(s->relation)->columns[crm_relation_day(s->relation)].name;
}

/* `days`: NULL without. */
static char *looked_up(const struct crm_selection *s, const char *key, const char *array, const char *days) {
  struct crm_strbuf buf;
  begin(&buf, s);
  crm_strbuf_adds(&buf, "SELECT ");
  add_columns(&buf, s, "q.");
  if (days != NULL)
    crm_strbuf_addf(&buf, " FROM ROWS FROM (pg_catalog.unnest(%s), pg_catalog.unnest(%s)) x (id, day)", array, days);
  else
    crm_strbuf_addf(&buf, " FROM pg_catalog.unnest(%s) x (id)", array);
  crm_strbuf_adds(&buf, ", LATERAL (SELECT ");
  add_columns(&buf, s, "m.");
  crm_strbuf_addf(&buf, " FROM (\n%s\n) m WHERE m.\"%s\" = x.id", s->sql, key);
  if (days != NULL)
    crm_strbuf_addf(&buf, " AND m.\"%s\" = x.day", day_of(s));
  add_conditions(&buf, s, "m", "AND");
  crm_strbuf_adds(&buf, " OFFSET 0) q");
  return end(&buf);
}

char *crm_statement_some(const struct crm_selection *s, const char *key, const char *array) {
  return looked_up(s, key, array, NULL);
}

char *crm_statement_days(const struct crm_selection *s, const char *accounts, const char *days) {
  return looked_up(s, "account_id", accounts, days);
}

char *crm_statement_own(const struct crm_selection *s, struct crm_shard shard) {
  struct crm_strbuf buf;
  begin(&buf, s);
  crm_strbuf_addf(&buf, "SELECT coalesce(array_agg(s.\"account_id\"::text), '{}') FROM (\n%s\n) s WHERE ", s->sql);
  add_hash_is(&buf, shard, "s.\"account_id\"::text");
  return end(&buf);
}

char *crm_statement_poll(const struct crm_selection *s, const char *key, const char *stamp, const char *day, const char *since) {
  struct crm_strbuf buf;
  begin(&buf, s);
  crm_strbuf_addf(&buf, "SELECT q.\"%s\"::text, q.\"%s\"::text", key, stamp);
  if (day != NULL)
    crm_strbuf_addf(&buf, " || ' ' || coalesce(q.\"%s\"::text, '')", day);
  crm_strbuf_adds(&buf, ", pg_catalog.count(*)");
  if (day != NULL)
    crm_strbuf_addf(&buf, ", q.\"%s\"::text", day);
  crm_strbuf_addf(&buf, " FROM (\n%s\n) q WHERE q.\"%s\" >= %s GROUP BY 1, 2%s", s->sql, stamp, since, day != NULL ? ", 4" : "");
  return end(&buf);
}

char *crm_statement_look_up(const char *sql, const char *via, const char *key, const char *type) {
  struct crm_strbuf buf;
  crm_strbuf_init(&buf, strlen(sql) + 1024);
  crm_strbuf_addf(&buf, "SELECT DISTINCT q.\"%s\"::text, q.\"%s\"::text FROM (\n%s\n) q WHERE q.\"%s\" = ANY ($1::%s[])", via, key, sql,
                  via, type);
  return end(&buf);
}

void crm_statement_add_item(struct crm_strbuf *array, const char *text, size_t len) {
  if (array->len == 0)
    crm_strbuf_addc(array, '{');
  else {
    array->len--; /* the brace that closed it */
    crm_strbuf_addc(array, ',');
  }
  crm_strbuf_addc(array, '"');
  for (size_t i = 0; i < len; i++) {
    if (text[i] == '"' || text[i] == '\\')
      crm_strbuf_addc(array, '\\');
    crm_strbuf_addc(array, text[i]);
  }
  crm_strbuf_adds(array, "\"}");
}
