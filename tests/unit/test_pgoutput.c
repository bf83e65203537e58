/* SPDX-License-Identifier: MIT */
/* Messages of the output plugin, made by hand after the manual (Logical Replication Message Formats); and which transactions a snapshot
 * shows. */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "source/pgoutput.h"
#include "source/snapshot.h"

/* What was told, as text. */
struct told {
  char text[1024];
  bool refuse; /* with the next call */
};

static enum crm_status CRM_PRINTF(3, 4) tell(struct told *told, struct crm_error *err, const char *fmt, ...) {
  size_t len = strlen(told->text);
  va_list args;
  va_start(args, fmt);
  vsnprintf(told->text + len, sizeof(told->text) - len, fmt, args);
  va_end(args);
  return told->refuse ? crm_error_set(err, CRM_ERR_LIMIT, "enough") : CRM_OK;
}

static enum crm_status begin(void *ctx, uint32_t xid, struct crm_error *err) {
  return tell(ctx, err, "begin %u;", xid);
}

static enum crm_status commit(void *ctx, struct crm_error *err) {
  return tell(ctx, err, "commit;");
}

static enum crm_status relation(void *ctx, const struct crm_pgoutput_relation *r, struct crm_error *err) {
  bool id = false, account = false;
  int at_id = crm_pgoutput_column(r, "id", &id), at_account = crm_pgoutput_column(r, "account_id", &account);
  bool none;
  assert_int_equal(crm_pgoutput_column(r, "other", &none), -1);
  return tell(ctx, err, "relation %u %s.%s %d columns, id %d%s, account_id %d%s;", r->table, r->schema, r->name, r->n, at_id, id ? "!" : "",
              at_account, account ? "!" : "");
}

static void add_tuple(struct told *told, const char *name, struct crm_pgoutput_tuple tuple) {
  if (tuple.at == NULL)
    return;
  (void)tell(told, NULL, " %s", name);
  for (int i = 0; i <= tuple.n; i++) {
    struct crm_pgoutput_value value = crm_pgoutput_value(tuple, i);
    switch (value.kind) {
    case CRM_PGOUTPUT_ABSENT:
      (void)tell(told, NULL, " end");
      break;
    case CRM_PGOUTPUT_NULL:
      (void)tell(told, NULL, " null");
      break;
    case CRM_PGOUTPUT_UNCHANGED:
      (void)tell(told, NULL, " same");
      break;
    case CRM_PGOUTPUT_TEXT:
      (void)tell(told, NULL, " '%.*s'", (int)value.len, value.text);
    }
  }
}

static enum crm_status change(void *ctx, enum crm_pgoutput_change what, uint32_t table, struct crm_pgoutput_tuple before,
                              struct crm_pgoutput_tuple after, struct crm_error *err) {
  static const char *const names[] = {"insert", "update", "delete"};
  assert_int_equal(crm_pgoutput_value(before, -1).kind, CRM_PGOUTPUT_ABSENT);
  (void)tell(ctx, NULL, "%s %u", names[what], table);
  add_tuple(ctx, "before", before);
  add_tuple(ctx, "after", after);
  return tell(ctx, err, ";");
}

static enum crm_status truncate_table(void *ctx, uint32_t table, struct crm_error *err) {
  return tell(ctx, err, "truncate %u;", table);
}

/* The message stands in memory of exactly its length, so that a sanitizer sees what is read beyond it. */
static enum crm_status parse(const char *bytes, size_t len, struct told *told, struct crm_error *err) {
  const struct crm_pgoutput_sink sink = {told, begin, commit, relation, change, truncate_table};
  char *exact = malloc(len > 0 ? len : 1);
  memcpy(exact, bytes, len);
  enum crm_status status = crm_pgoutput_message(exact, len, &sink, err);
  free(exact);
  return status;
}

#define INT16(n) "\0" n
#define INT32(n) "\0\0\0" n
#define INT64(n) "\0\0\0\0\0\0\0" n
#define COLUMN(flags, name) flags name "\0\0\0\x19\xff\xff\xff\xff"
#define RELATION "R" INT32("\7") "public\0contacts\0d" INT16("\2") COLUMN("\1", "id\0") COLUMN("\0", "account_id\0")
#define TEXT(len, text) "t" INT32(len) text

static const struct {
  const char *name, *bytes;
  size_t len;
  const char *told; /* NULL: refused */
} cases[] = {
#define CASE(name, bytes, told)                                                                                                            \
  { name, bytes, sizeof(bytes) - 1, told }
    CASE("begin", "B" INT64("\1") INT64("\2") "\x80\0\1\3", "begin 2147483907;"),
    CASE("commit", "C\0" INT64("\1") INT64("\2") INT64("\3"), "commit;"),
    CASE("relation", RELATION, "relation 7 public.contacts 2 columns, id 0!, account_id 1;"),
    CASE("relation in pg_catalog", "R" INT32("\7") "\0t\0f" INT16("\0"), "relation 7 .t 0 columns, id -1, account_id -1;"),
    CASE("insert", "I" INT32("\7") "N" INT16("\3") TEXT("\2", "ab") "n" TEXT("\0", ""), "insert 7 after 'ab' null '' end;"),
    CASE("insert of no columns", "I" INT32("\7") "N" INT16("\0"), "insert 7 after end;"),
    CASE("update", "U" INT32("\7") "N" INT16("\2") TEXT("\1", "a") "u", "update 7 after 'a' same end;"),
    CASE("update of the key",
         "U" INT32("\7") "K" INT16("\2") TEXT("\1", "a") "n"
                                                         "N" INT16("\2") TEXT("\1", "b") TEXT("\1", "c"),
         "update 7 before 'a' null end after 'b' 'c' end;"),
    CASE("update, whole row before", "U" INT32("\7") "O" INT16("\1") TEXT("\1", "a") "N" INT16("\1") TEXT("\1", "b"),
         "update 7 before 'a' end after 'b' end;"),
    CASE("delete by key", "D" INT32("\7") "K" INT16("\1") TEXT("\1", "a"), "delete 7 before 'a' end;"),
    CASE("delete, whole row", "D" INT32("\7") "O" INT16("\2") TEXT("\1", "a") "n", "delete 7 before 'a' null end;"),
    CASE("truncate", "T" INT32("\2") "\3" INT32("\7") INT32("\x8"), "truncate 7;truncate 8;"),
    CASE("truncate of nothing", "T" INT32("\0") "\0", ""),
    CASE("origin", "O" INT64("\1") "elsewhere\0", ""),
    CASE("type", "Y" INT32("\7") "public\0mood\0", ""),

    CASE("nothing", "", NULL),
    CASE("unknown", "X", NULL),
    CASE("a message of an application", "M\0" INT64("\1") "p\0" INT32("\1") "x", NULL),
    CASE("a piece of a running transaction", "S" INT32("\7") "\1", NULL),
    CASE("the end of such a piece", "E", NULL),
    CASE("its commit", "c" INT32("\7") "\0" INT64("\1") INT64("\2") INT64("\3"), NULL),
    CASE("its end", "A" INT32("\7") INT32("\7"), NULL),
    CASE("a prepared transaction", "b" INT64("\1") INT64("\2") INT64("\3") INT32("\7") "gid\0", NULL),
    CASE("begin, too short", "B" INT64("\1") INT64("\2") "\0\0\0", NULL),
    CASE("begin, too long", "B" INT64("\1") INT64("\2") INT32("\1") "x", NULL),
    CASE("relation, name without end", "R" INT32("\7") "public\0contacts", NULL),
    CASE("relation, column missing", "R" INT32("\7") "public\0contacts\0d" INT16("\2") COLUMN("\1", "id\0"), NULL),
    CASE("relation, something behind", RELATION "x", NULL),
    CASE("insert of an old row", "I" INT32("\7") "K" INT16("\0"), NULL),
    CASE("insert without a row", "I" INT32("\7"), NULL),
    CASE("insert, value too long", "I" INT32("\7") "N" INT16("\1") "t\0\0\0\3ab", NULL),
    CASE("insert, value of 4 GB",
         "I" INT32("\7") "N" INT16("\1") "t\xff\xff\xff\xff"
                                         "ab",
         NULL),
    CASE("insert, column missing", "I" INT32("\7") "N" INT16("\2") "n", NULL),
    CASE("insert of 65535 columns", "I" INT32("\7") "N\xff\xffn", NULL),
    CASE("insert of a binary value", "I" INT32("\7") "N" INT16("\1") "b\0\0\0\1a", NULL),
    CASE("insert, something behind", "I" INT32("\7") "N" INT16("\1") "nn", NULL),
    CASE("update without a new row", "U" INT32("\7") "K" INT16("\1") "n", NULL),
    CASE("update with two old rows", "U" INT32("\7") "K" INT16("\1") "nK" INT16("\1") "n", NULL),
    CASE("delete without a row", "D" INT32("\7"), NULL),
    CASE("delete of a new row", "D" INT32("\7") "N" INT16("\1") "n", NULL),
    CASE("truncate, one table missing", "T" INT32("\2") "\0" INT32("\7"), NULL),
    CASE("truncate, half a table more", "T" INT32("\1") "\0" INT32("\7") "\0\0", NULL),
    CASE("truncate of 4 G tables", "T\xff\xff\xff\xff\0" INT32("\7"), NULL),
    CASE("origin without end", "O" INT64("\1") "elsewhere", NULL),
#undef CASE
};

static void messages(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct told told = {0};
    struct crm_error err = {0};
    enum crm_status status = parse(cases[i].bytes, cases[i].len, &told, &err);
    if (cases[i].told != NULL && (status != CRM_OK || strcmp(told.text, cases[i].told) != 0))
      fail_msg("%s: %s, told: %s", cases[i].name, err.message, told.text);
    if (cases[i].told == NULL && (status != CRM_ERR_DATA || told.text[0] != '\0' || strstr(err.message, "makes no sense") == NULL))
      fail_msg("%s: %s, told: %s", cases[i].name, crm_status_name(status), told.text);
  }
}

/* Every beginning of a message is refused without a word of it being told. */
static void cut_messages(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (size_t len = 0; cases[i].told != NULL && len < cases[i].len; len++) {
      struct told told = {0};
      if (parse(cases[i].bytes, len, &told, NULL) != CRM_ERR_DATA || told.text[0] != '\0')
        fail_msg("%s, %zu bytes of it: %s", cases[i].name, len, told.text);
    }
}

static void what_a_call_returns_is_handed_on(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct told told = {.refuse = true};
    struct crm_error err = {0};
    if (cases[i].told == NULL || cases[i].told[0] == '\0')
      continue;
    assert_int_equal(parse(cases[i].bytes, cases[i].len, &told, &err), CRM_ERR_LIMIT);
    assert_string_equal(err.message, "enough");
    assert_true(strlen(told.text) <= strlen(cases[i].told)); /* of TRUNCATE the first table alone */
  }
}

static void snapshots(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *shown, *hidden; /* numbers of transactions */
  } shows[] = {
      {"100:100:", "99 98 3", "100 101"},
      {"100:104:100,102", "99 101 103", "100 102 104 105"},
      {"100:101:100", "99", "100 101"},
      /* The numbers of the log have 32 bits, of which the upper half of a snapshot's are those that went before. */
      {"8589934692:8589934696:8589934692,8589934694", "99 101 103 4294967295 2147483752", "100 102 104 2147483751"},
      {"4294967290:4294967300:4294967295", "4294967289 4294967294 0 3", "4294967295 4 5"},
  };
  for (size_t i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
    struct crm_snapshot snapshot;
    assert_int_equal(crm_snapshot_read(shows[i].text, &snapshot, NULL), CRM_OK);
    for (int hidden = 0; hidden < 2; hidden++)
      for (const char *at = hidden ? shows[i].hidden : shows[i].shown; *at != '\0';) {
        char *end;
        uint32_t xid = (uint32_t)strtoul(at, &end, 10);
        if (crm_snapshot_shows(&snapshot, xid) == hidden)
          fail_msg("%s: %u", shows[i].text, xid);
        at = end + (*end == ' ');
      }
    crm_snapshot_free(&snapshot);
    assert_false(crm_snapshot_shows(&snapshot, 50)); /* there is none */
  }
  static const char *const wrong[] = {"",
                                      "100",
                                      "100:100",
                                      "0:100:",
                                      "101:100:",
                                      "100:104:99",
                                      "100:104:104",
                                      "100:104:102,101",
                                      "100:104:102,102",
                                      "100:104:102,",
                                      "100:104:,",
                                      "100:104:x",
                                      "x:1:",
                                      "100:104:101 ",
                                      "-1:4:",
                                      "99999999999999999999:99999999999999999999:"};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    struct crm_snapshot snapshot;
    if (crm_snapshot_read(wrong[i], &snapshot, NULL) != CRM_ERR_DATA)
      fail_msg("%s", wrong[i]);
    crm_snapshot_free(&snapshot);
  }
}

static void snapshots_move(void **state) {
  (void)state;
  static const struct {
    const char *before, *now;
    bool moved;
  } cases_[] = {
      {"100:100:", "100:100:", false},
      {"100:100:", "100:101:100", false}, /* one has begun */
      {"100:100:", "101:101:", true},     /* and ended */
      {"100:103:100,102", "100:103:100,102", false},
      {"100:103:100,102", "102:103:102", true},
      {"100:103:100,102", "100:105:100,102,103,104", false},
      {"100:103:100,102", "100:105:100,102,104", true},
      {"100:103:100,102", "100:104:100,102,103", false},
  };
  for (size_t i = 0; i < sizeof(cases_) / sizeof(cases_[0]); i++) {
    struct crm_snapshot before, now;
    assert_int_equal(crm_snapshot_read(cases_[i].before, &before, NULL), CRM_OK);
    assert_int_equal(crm_snapshot_read(cases_[i].now, &now, NULL), CRM_OK);
    if (crm_snapshot_moved(&before, &now) != cases_[i].moved)
      fail_msg("%s, then %s", cases_[i].before, cases_[i].now);
    crm_snapshot_free(&before);
    assert_true(crm_snapshot_moved(&before, &now)); /* nothing was known */
    crm_snapshot_free(&now);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages),  cmocka_unit_test(cut_messages),   cmocka_unit_test(what_a_call_returns_is_handed_on),
      cmocka_unit_test(snapshots), cmocka_unit_test(snapshots_move),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
