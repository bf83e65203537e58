/* SPDX-License-Identifier: MIT */
/* The language of collectd's configuration. What is expected was worked out from the grammar and tried on collectd 5.12 itself. */
#include "crm_config.h"

#include "options/conf.h"

#include "base/strbuf.h"
#include "../lib/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* key[line]=value,value{children}; s: text, n: number, b: boolean. */
static void dump(const struct crm_conf_node *node, struct crm_strbuf *out) {
  for (size_t i = 0; i < node->n_children; i++) {
    const struct crm_conf_node *child = &node->children[i];
    crm_strbuf_addf(out, "%s[%d]", child->key, child->line);
    for (size_t v = 0; v < child->n_values; v++) {
      const struct crm_conf_value *value = &child->values[v];
      crm_strbuf_addc(out, v == 0 ? '=' : ',');
      if (value->type == CRM_CONF_STRING)
        crm_strbuf_addf(out, "s:%s", value->string);
      else if (value->type == CRM_CONF_NUMBER)
        crm_strbuf_addf(out, "n:%.15g", value->number);
      else
        crm_strbuf_adds(out, value->boolean ? "b:true" : "b:false");
    }
    if (child->n_children > 0) {
      crm_strbuf_addc(out, '{');
      dump(child, out);
      crm_strbuf_addc(out, '}');
    }
    if (i + 1 < node->n_children)
      crm_strbuf_addc(out, ' ');
  }
}

static const struct {
  const char *name, *text, *tree, *error;
} texts[] = {
    {"empty", "", "", NULL},
    {"blank lines and comments", "\n  # a comment\n\t\n", "", NULL},
    {"one option", "Host \"db\"\n", "Host[1]=s:db", NULL},
    {"several values", "GroupBy \"segment\" owner 3 true\n", "GroupBy[1]=s:segment,s:owner,n:3,b:true", NULL},
    {"comment behind a value", "Port 5432 # the usual\nB 1\n", "Port[1]=n:5432 B[2]=n:1", NULL},
    {"sign of a comment in quotes", "A \"x # y\"\n", "A[1]=s:x # y", NULL},
    {"booleans are lower case", "A true\nB yes\nC on\nD false\nE no\nF off\nG True\nH onward\n",
     "A[1]=b:true B[2]=b:true C[3]=b:true D[4]=b:false E[5]=b:false F[6]=b:false G[7]=s:True H[8]=s:onward", NULL},
    {"numbers", "A -5 +5 0.25 .5 -1.5e+3 2.5E-1 0x1F\n", "A[1]=n:-5,n:5,n:0.25,n:0.5,n:-1500,n:0.25,n:31", NULL},
    {"a leading 0 is decimal to the daemon", "A 010\n", "A[1]=n:10", NULL},
    {"an exponent wants a point and a sign, else it is a word", "A 1e5\nB 60s\n", "A[1]=s:1e5 B[2]=s:60s", NULL},
    {"numbers that split", "A 1.5e3\n", "A[1]=n:1.5,s:e3", NULL},
    {"addresses need no quotes", "A 10.0.0.1 10.0.0.1:5432 ::1 fe80::1:2 [::1]:80 [::1]\n",
     "A[1]=s:10.0.0.1,s:10.0.0.1:5432,s:::1,s:fe80::1:2,s:[::1]:80,s:[::1]", NULL},
    {"escapes take the next character as it is", "A \"a\\\"b\\\\c\\n\"\n", "A[1]=s:a\"b\\cn", NULL},
    {"empty text", "A \"\"\n", "A[1]=s:", NULL},
    {"text over lines", "A \"x\ny\"\nB 1\n", "A[1]=s:x\ny B[3]=n:1", NULL},
    {"text with joined lines", "A \"x \\\n   y\"\nB 1\n", "A[1]=s:x y B[3]=n:1", NULL},
    {"joined lines", "A 1 \\\n 2\nB 3\n", "A[1]=n:1,n:2 B[3]=n:3", NULL},
    {"CR LF", "A 1\r\n<B>\r\nC \"x\\\r\n y\"\r\n</B>\r\n", "A[1]=n:1 B[2]{C[3]=s:xy}", NULL},
    {"block", "<Plugin crm>\n  <Instance \"a\">\n    Host \"h\"\n  </Instance>\n</Plugin>\n",
     "Plugin[1]=s:crm{Instance[2]=s:a{Host[3]=s:h}}", NULL},
    {"block with a comment behind its tags", "<A \"x\"> # one\nB 1\n</A> # two\n", "A[1]=s:x{B[2]=n:1}", NULL},
    {"blank within tags", "< A \"x\" >\nB 1\n< / A >\n", "A[1]=s:x{B[2]=n:1}", NULL},
    {"block with a name and nothing in it", "<A \"x\">\n</A>\n", "A[1]=s:x", NULL},
    {"block with nothing at all vanishes", "<A>\n</A>\nB 1\n", "B[3]=n:1", NULL},
    {"option without value", "A 1\nDisabled\n", NULL, "f.conf:2: Disabled: an option needs a value"},
    {"closing tag of another block", "<A>\nB 1\n</C>\n", NULL, "f.conf:3: </C> closes <A> of line 1;"},
    {"closing tag in other letters", "<Plugin crm>\nB 1\n</plugin>\n", NULL, "f.conf:3: </plugin> closes <Plugin> of line 1;"},
    {"open block", "<A>\nB 1\n", NULL, "f.conf:1: the block <A> is not closed"},
    {"stray closing tag", "B 1\n</A>\n", NULL, "f.conf:2: a block is closed here, but none is open"},
    {"open quote", "A 1\nB \"x\nC 2\n", NULL, "f.conf:2: the text that begins with '\"' here is not closed"},
    {"no newline at the end", "A 1", NULL, "f.conf:1: the last line has no newline"},
    {"no newline behind a block", "<A>\nB 1\n</A>", NULL, "f.conf:3: the last line has no newline"},
    {"path without quotes", "A /etc/x\n", NULL, "f.conf:1: a value with '/', '<' or '>' wants quotes"},
    {"name with a hyphen without quotes", "A a-b\n", NULL, "f.conf:1: the character '-' cannot stand here"},
    {"control character", "A \001\n", NULL, "f.conf:1: the byte 0x01 cannot stand here"},
    {"value without a name", "\"x\" 1\n", NULL, "f.conf:1: the name of an option or block was expected here"},
    {"something behind a tag", "<A> B\n</A>\n", NULL, "f.conf:1: nothing may follow '>' on its line"},
    {"tag not ended", "<A \"x\"\nB 1\n</A>\n", NULL, "f.conf:1: '>' was expected here"},
    {"number too long", "A 11111111111111111111111111111111111111111111111111111111111111111111\n", NULL,
     "f.conf:1: the number is too long"},
};

static void test_texts(void **state) {
  for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
    struct crm_arena arena;
    struct crm_conf_node root;
    struct crm_error err = {0};
    crm_arena_init(&arena, 0);
    /* A copy of the exact length, so that a sanitizer sees a read beyond the end. */
    size_t len = strlen(texts[i].text);
    char *copy = malloc(len + (len == 0));
    assert_non_null(copy);
    memcpy(copy, texts[i].text, len);
    enum crm_status status = crm_conf_parse(copy, len, "f.conf", &arena, &root, &err);
    free(copy);
    if (texts[i].error != NULL) {
      if (status != CRM_ERR_CONFIG || strncmp(err.message, texts[i].error, strlen(texts[i].error)) != 0)
        fail_msg("%s: status %d, \"%s\"", texts[i].name, status, err.message);
    } else {
      if (status != CRM_OK)
        fail_msg("%s: %s", texts[i].name, err.message);
      struct crm_strbuf out;
      crm_strbuf_init(&out, 4096);
      dump(&root, &out);
      if (strcmp(crm_strbuf_str(&out), texts[i].tree) != 0)
        fail_msg("%s: got %s", texts[i].name, crm_strbuf_str(&out));
      crm_strbuf_free(&out);
    }
    crm_arena_free(&arena);
  }
}

static void test_limits(void **state) {
  struct crm_arena arena;
  struct crm_conf_node root;
  struct crm_error err;
  struct crm_strbuf text;
  crm_arena_init(&arena, 0);
  crm_strbuf_init(&text, 1 << 20);
  for (int i = 0; i < 100000; i++)
    crm_strbuf_adds(&text, "<A>\n");
  assert_int_equal(crm_conf_parse(crm_strbuf_str(&text), text.len, "f", &arena, &root, &err), CRM_ERR_CONFIG);
  assert_non_null(strstr(err.message, "nested too deeply"));

  assert_int_equal(crm_conf_parse("A 1\0B 2\n", 8, "f", &arena, &root, &err), CRM_ERR_CONFIG);
  assert_non_null(strstr(err.message, "NUL"));
  crm_arena_free(&arena);

  crm_arena_init(&arena, 256); /* hardly any memory */
  crm_strbuf_reset(&text);
  for (int i = 0; i < 1000; i++)
    crm_strbuf_adds(&text, "Option \"value\"\n");
  assert_int_equal(crm_conf_parse(crm_strbuf_str(&text), text.len, "f", &arena, &root, &err), CRM_ERR_MEMORY);
  crm_arena_free(&arena);
  crm_strbuf_free(&text);
}

/* A value may be a password of another plugin: no part of it is ever told. */
static void test_no_value_in_messages(void **state) {
  static const char *const wrong[] = {"Password \"hunter2\n", "Password hunter2/x\n", "Password hunter2-x\n", "Password \"hunter2\"",
                                      "<A>\nPassword \"hunter2\"\n"};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    struct crm_arena arena;
    struct crm_conf_node root;
    struct crm_error err;
    crm_arena_init(&arena, 0);
    assert_int_equal(crm_conf_parse(wrong[i], strlen(wrong[i]), "f", &arena, &root, &err), CRM_ERR_CONFIG);
    assert_null(strstr(err.message, "hunter2"));
    crm_arena_free(&arena);
  }
}

static char dir[SCRATCH_SIZE];

static void put(const char *name, const char *text) {
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", dir, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  /* %D stands for the directory. */
  for (const char *p = text; *p != '\0'; p++)
    if (p[0] == '%' && p[1] == 'D') {
      fputs(dir, f);
      p++;
    } else
      fputc(*p, f);
  assert_int_equal(fclose(f), 0);
}

static void make_directory(const char *name) {
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", dir, name);
  assert_int_equal(mkdir(path, 0700), 0);
}

/* Reads the file of the directory; the tree, or the message, must be as told. */
static void check_read(const char *name, enum crm_status wanted, const char *expected) {
  struct crm_arena arena;
  struct crm_conf_node root;
  struct crm_error err = {0};
  struct crm_strbuf out;
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", dir, name);
  crm_arena_init(&arena, 0);
  crm_strbuf_init(&out, 65536);
  enum crm_status status = crm_conf_read(path, &arena, &root, &err);
  if (status != wanted)
    fail_msg("%s: status %d, %s", name, status, err.message);
  if (status == CRM_OK) {
    dump(&root, &out);
    assert_string_equal(crm_strbuf_str(&out), expected);
  } else if (strstr(err.message, expected) == NULL)
    fail_msg("%s: %s", name, err.message);
  crm_strbuf_free(&out);
  crm_arena_free(&arena);
}

static void test_include(void **state) {
  make_directory("d");
  make_directory("d/sub");
  put("d/20.conf", "Two 2\n");
  put("d/10.conf", "One 1\n");
  put("d/.hidden", "Hidden 1\n");
  put("d/note.txt", "Note 1\n");
  put("d/sub/30.conf", "Three 3\n");
  put("file.conf", "A 1\nInclude \"%D/d/10.conf\"\nB 2\n");
  check_read("file.conf", CRM_OK, "A[1]=n:1 One[1]=n:1 B[3]=n:2");
  put("dir.conf", "Include \"%D/d\"\n");
  check_read("dir.conf", CRM_OK, "One[1]=n:1 Two[1]=n:2 Note[1]=n:1 Three[1]=n:3");
  put("filter.conf", "<Include \"%D/d\">\n  Filter \"*.conf\"\n</Include>\n");
  check_read("filter.conf", CRM_OK, "One[1]=n:1 Two[1]=n:2 Three[1]=n:3");
  put("wild.conf", "Include \"%D/d/*0.conf\"\n");
  check_read("wild.conf", CRM_OK, "One[1]=n:1 Two[1]=n:2");
  put("nothing.conf", "A 1\nInclude \"%D/none/*.conf\"\n");
  check_read("nothing.conf", CRM_OK, "A[1]=n:1");
  put("inner.conf", "<Plugin crm>\nInclude \"%D/d\"\n</Plugin>\n"); /* the daemon follows it at the top level only */
  char inner[256];
  snprintf(inner, sizeof(inner), "Plugin[1]=s:crm{Include[2]=s:%s/d}", dir);
  check_read("inner.conf", CRM_OK, inner);

  put("loop.conf", "Include \"%D/loop.conf\"\n");
  check_read("loop.conf", CRM_ERR_CONFIG, "loop.conf:1: Include: more than 8 files include each other");
  put("command.conf", "Include \"$(touch %D/ran)\"\n");
  check_read("command.conf", CRM_ERR_CONFIG, "command.conf:1: Include: the path cannot be expanded");
  char ran[256];
  snprintf(ran, sizeof(ran), "%s/ran", dir);
  assert_int_not_equal(access(ran, F_OK), 0);
  put("number.conf", "A 1\nInclude 5\n");
  check_read("number.conf", CRM_ERR_CONFIG, "number.conf:2: Include: exactly one text is allowed");
  put("option.conf", "<Include \"%D/d\">\n  Filtre \"*\"\n</Include>\n");
  check_read("option.conf", CRM_ERR_CONFIG, "option.conf:2: Filtre: only Filter");
  put("wrong.conf", "A 1\n<B>\n");
  put("outer.conf", "Include \"%D/wrong.conf\"\n");
  check_read("outer.conf", CRM_ERR_CONFIG, "/wrong.conf:2: the block <B> is not closed");
  check_read("absent.conf", CRM_ERR_IO, "/absent.conf: No such file");
}

/* The file that Debian ships: 1,700 lines of every option of every plugin, commented and not. */
static void test_debian_file(void **state) {
  const char *path = "/usr/share/doc/collectd-core/examples/collectd.conf";
  if (access(path, R_OK) != 0)
    skip();
  struct crm_arena arena;
  struct crm_conf_node root;
  struct crm_error err = {0};
  crm_arena_init(&arena, 0);
  if (crm_conf_read(path, &arena, &root, &err) != CRM_OK)
    fail_msg("%s", err.message);
  assert_true(root.n_children > 5);
  crm_arena_free(&arena);
}

static int make_scratch(void **state) {
  (void)scratch_template(dir, "conf");
  return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_scratch(void **state) {
  char command[128];
  snprintf(command, sizeof(command), "rm -rf '%s'", dir);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_texts),   cmocka_unit_test(test_limits),      cmocka_unit_test(test_no_value_in_messages),
      cmocka_unit_test(test_include), cmocka_unit_test(test_debian_file),
  };
  return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
