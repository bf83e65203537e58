/* SPDX-License-Identifier: MIT */
/* One value of the configuration -> one field. Every setter checks all that the table says before it writes. */
#include "crm_config.h"

#include "options/option_table.h"

#include "base/utf8.h"
#include "facts/money.h"

#include <dirent.h>
#include <errno.h>
#include <libpq-fe.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { LONGEST_TEXT = 4096, LONGEST_LABEL = 64 };
_Static_assert(sizeof(enum crm_account_names) == sizeof(int) && sizeof(enum crm_protocol) == sizeof(int), "CRM_KIND_WORD writes an int");

struct setting {
  const struct crm_option *option;
  const struct crm_conf_node *node;
  const struct crm_option_place *place;
  void *field;
  struct crm_error *err;
};

/* "what; allowed: ...". */
static enum crm_status refuse(const struct setting *s, const char *fmt, ...) CRM_PRINTF(2, 3);
static enum crm_status refuse(const struct setting *s, const char *fmt, ...) {
  char what[384];
  va_list args;
  va_start(args, fmt);
  vsnprintf(what, sizeof(what), fmt, args);
  va_end(args);
  struct crm_strbuf allowed;
  crm_strbuf_init(&allowed, 4096);
  crm_option_allowed(s->option, &allowed);
  enum crm_status status =
      crm_error_set(s->err, CRM_ERR_CONFIG, "%s; allowed: %s", what, crm_strbuf_ok(&allowed) ? crm_strbuf_str(&allowed) : "?");
  crm_strbuf_free(&allowed);
  return status;
}

static enum crm_status out_of_memory(const struct setting *s) {
  return crm_error_set(s->err, CRM_ERR_MEMORY, "not enough memory for the options");
}

/* The one text. */
static enum crm_status get_text(const struct setting *s, const char **text) {
  if (s->node->n_values != 1)
    return refuse(s, "%zu values are given", s->node->n_values);
  const struct crm_conf_value *value = &s->node->values[0];
  if (value->type == CRM_CONF_NUMBER)
    return refuse(s, "a number is given");
  if (value->type == CRM_CONF_BOOLEAN)
    return refuse(s, "%s without quotes is given", value->boolean ? "true" : "false");
  size_t limit = s->option->max > 0 ? (size_t)s->option->max : LONGEST_TEXT;
  size_t len = strlen(value->string);
  if (len == 0)
    return refuse(s, "the text is empty");
  if (len > limit)
    return refuse(s, "the text is longer than %zu bytes", limit);
  if (!crm_utf8_valid(value->string, len))
    return refuse(s, "the text is not UTF-8");
  *text = value->string;
  return CRM_OK;
}

static enum crm_status get_number(const struct setting *s, bool whole, double *number) {
  if (s->node->n_values != 1)
    return refuse(s, "%zu values are given", s->node->n_values);
  const struct crm_conf_value *value = &s->node->values[0];
  if (value->type == CRM_CONF_STRING)
    return refuse(s, "text is given");
  if (value->type == CRM_CONF_BOOLEAN)
    return refuse(s, "%s is given", value->boolean ? "true" : "false");
  if (!isfinite(value->number))
    return refuse(s, "the number is not finite");
  if (!(s->option->zero && value->number == 0) && (value->number < s->option->min || value->number > s->option->max))
    return refuse(s, "%.15g is out of range", value->number);
  if (whole && value->number != floor(value->number))
    return refuse(s, "%.15g is not whole", value->number);
  *number = value->number;
  return CRM_OK;
}

static enum crm_status keep(const struct setting *s, const char *text) {
  char *copy = crm_arena_strndup(s->place->arena, text, strlen(text));
  if (copy == NULL)
    return out_of_memory(s);
  *(const char **)s->field = copy;
  return CRM_OK;
}

/* Place of the text among the words, or -1. */
static int word_index(const char *text, const char *words) {
  int i = 0;
  for (const char *p = words; *p != '\0'; i++) {
    size_t len = strcspn(p, " ");
    if (strlen(text) == len && strncasecmp(text, p, len) == 0)
      return i;
    p += len + (p[len] == ' ');
  }
  return -1;
}

/* Keeps the word as the table spells it: libpq knows lower case only. */
static enum crm_status keep_word(const struct setting *s, int index) {
  const char *p = s->option->words;
  for (; index > 0; index--)
    p += strcspn(p, " ") + 1;
  char *copy = crm_arena_strndup(s->place->arena, p, strcspn(p, " "));
  if (copy == NULL)
    return out_of_memory(s);
  *(const char **)s->field = copy;
  return CRM_OK;
}

static enum crm_status refuse_word(const struct setting *s, const char *text, const char *words) {
  char nearest[64];
  if (crm_word_near(text, words, nearest, sizeof(nearest)))
    return refuse(s, "\"%.60s\" is not known, is \"%s\" meant?", text, nearest);
  return refuse(s, "\"%.60s\" is not known", text);
}

/* A word; `off` without quotes is a boolean in the grammar, but a word to who wrote it. */
static enum crm_status get_word(const struct setting *s, int *index) {
  const char *text;
  if (s->node->n_values == 1 && s->node->values[0].type == CRM_CONF_BOOLEAN && !s->node->values[0].boolean &&
      word_index("off", s->option->words) >= 0)
    text = "off";
  else {
    enum crm_status status = get_text(s, &text);
    if (status != CRM_OK)
      return status;
  }
  *index = word_index(text, s->option->words);
  return *index < 0 ? refuse_word(s, text, s->option->words) : CRM_OK;
}

/* libpq's own words about a string that it cannot read may repeat parts of it, so they are told only where no password can be in it. */
static enum crm_status set_conninfo(const struct setting *s, const char *text) {
  char *message = NULL;
  PQconninfoOption *options = PQconninfoParse(text, &message);
  if (options == NULL) {
    bool may_tell = message != NULL && strcasestr(text, "pass") == NULL && strstr(text, "://") == NULL;
    enum crm_status status =
        refuse(s, "it cannot be read%s%.*s", may_tell ? ": " : "", may_tell ? (int)strcspn(message, "\n") : 0, may_tell ? message : "");
    PQfreemem(message);
    return status;
  }
  const char *secret = NULL;
  for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
    if (o->val != NULL && o->val[0] != '\0' && (strcmp(o->keyword, "password") == 0 || strcmp(o->keyword, "sslpassword") == 0))
      secret = o->keyword;
  enum crm_status status =
      secret == NULL ? keep(s, text)
                     : crm_error_set(s->err, CRM_ERR_CONFIG,
                                     "it holds a password (%s), which belongs neither into a configuration nor onto a command line; "
                                     "write it into a file of its own (mode 0600) and name that with PasswordFile",
                                     secret);
  PQconninfoFree(options);
  return status;
}

static enum crm_status set_path(const struct setting *s, const char *text, bool must_exist) {
  if (s->option->words != NULL && word_index(text, s->option->words) >= 0)
    return keep_word(s, word_index(text, s->option->words));
  if (text[0] != '/')
    return refuse(s, "\"%.200s\" is a relative path, and the daemon changes its directory", text);
  struct stat st;
  if (must_exist && stat(text, &st) != 0)
    return refuse(s, "%.200s: %s", text, strerror(errno));
  if (must_exist && !S_ISREG(st.st_mode))
    return refuse(s, "%.200s is not a file", text);
  return keep(s, text);
}

/* "; there are customer_success and other" for a name that is not there. */
static void list_mappings(const char *dir, char *buf, size_t size) {
  size_t n = 0;
  DIR *d = opendir(dir);
  buf[0] = '\0';
  for (const struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;)
    if (entry->d_name[0] != '.' && strchr(entry->d_name, '.') == NULL && n + strlen(entry->d_name) + 3 < size)
      n += (size_t)snprintf(buf + n, size - n, "%s%s", n == 0 ? "" : ", ", entry->d_name);
  if (d != NULL)
    closedir(d);
}

static enum crm_status set_mapping(const struct setting *s, const char *text) {
  char path[LONGEST_TEXT + 1024];
  bool is_name = strchr(text, '/') == NULL;
  if (!is_name && text[0] != '/')
    return refuse(s, "\"%.200s\" is a relative path, and the daemon changes its directory", text);
  if (is_name && text[0] == '.')
    return refuse(s, "\"%.200s\" is not a name", text);
  if (is_name)
    snprintf(path, sizeof(path), "%s/%s", s->place->mapping_dir, text);
  else
    snprintf(path, sizeof(path), "%s", text);
  struct stat st;
  if (stat(path, &st) != 0) {
    int reason = errno;
    char known[200] = "";
    if (is_name)
      list_mappings(s->place->mapping_dir, known, sizeof(known));
    return refuse(s, "%.200s: %s%s%s", path, strerror(reason), known[0] != '\0' ? "; shipped: " : "", known);
  }
  if (!S_ISDIR(st.st_mode))
    return refuse(s, "%.200s is not a directory", path);
  return keep(s, text);
}

static enum crm_status set_port(const struct setting *s) {
  double number;
  if (s->node->n_values == 1 && s->node->values[0].type == CRM_CONF_STRING) {
    char *end;
    const char *text = s->node->values[0].string;
    number = (double)strtol(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number < s->option->min || number > s->option->max)
      return refuse(s, "\"%.60s\" is not a port", text);
  } else {
    enum crm_status status = get_number(s, true, &number);
    if (status != CRM_OK)
      return status;
  }
  char buf[16];
  snprintf(buf, sizeof(buf), "%d", (int)number);
  return keep(s, buf);
}

static enum crm_status set_bytes(const struct setting *s) {
  double number;
  if (s->node->n_values == 1 && s->node->values[0].type == CRM_CONF_STRING) {
    const char *text = s->node->values[0].string;
    static const struct {
      char letter;
      double factor;
    } units[] = {{'\0', 1}, {'k', 1024}, {'m', 1048576}, {'g', 1073741824}};
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    double factor = 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
      if ((*end | (*end != '\0' ? 0x20 : 0)) == units[i].letter && (*end == '\0' || end[1] == '\0'))
        factor = units[i].factor;
    if (text[0] < '0' || text[0] > '9' || errno != 0 || factor == 0)
      return refuse(s, "\"%.60s\" is not a size", text);
    number = (double)value * factor;
    if (!(number == 0 && s->option->zero) && (number < s->option->min || number > s->option->max))
      return refuse(s, "\"%.60s\" is out of range", text);
  } else {
    enum crm_status status = get_number(s, true, &number);
    if (status != CRM_OK)
      return status;
  }
  *(size_t *)s->field = (size_t)number;
  return CRM_OK;
}

static enum crm_status set_zone(const struct setting *s, const char *text) {
  struct crm_zone *zone;
  struct crm_error reason;
  enum crm_status status = crm_zone_new(text, &zone, &reason);
  if (status == CRM_ERR_CONFIG)
    return refuse(s, "%s", reason.message);
  if (status != CRM_OK)
    return crm_error_set(s->err, status, "%s", reason.message);
  s->place->instance->source.zone = zone;
  s->place->instance->params.zone = zone;
  return CRM_OK;
}

static enum crm_status set_currency(const struct setting *s, const char *text) {
  if (!crm_currency_valid(text, strlen(text)))
    return refuse(s, "\"%.60s\" is not a currency", text);
  char code[4] = {0};
  for (int i = 0; i < 3; i++)
    code[i] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
  return keep(s, code);
}

/* Word i of `words` is bit i. */
static enum crm_status set_flags(const struct setting *s) {
  unsigned flags = 0;
  for (size_t i = 0; i < s->node->n_values; i++) {
    const struct crm_conf_value *value = &s->node->values[i];
    if (value->type != CRM_CONF_STRING)
      return refuse(s, "value %zu is not a word", i + 1);
    int word = word_index(value->string, s->option->words);
    if (word < 0)
      return refuse_word(s, value->string, s->option->words);
    if ((flags & 1u << word) != 0)
      return refuse(s, "\"%s\" is given twice", value->string);
    flags |= 1u << word;
  }
  if (flags == 0)
    return refuse(s, "no value is given");
  *(unsigned *)s->field = flags;
  return CRM_OK;
}

static enum crm_status set_dimensions(const struct setting *s) {
  struct crm_params *params = &s->place->instance->params;
  size_t n = 0;
  for (size_t i = 0; i < s->node->n_values; i++) {
    const struct crm_conf_value *value = &s->node->values[i];
    if (value->type != CRM_CONF_STRING)
      return refuse(s, "value %zu is not a word", i + 1);
    int d = word_index(value->string, s->option->words);
    if (d < 0)
      return refuse_word(s, value->string, s->option->words);
    for (size_t j = 0; j < n; j++)
      if (params->group_by[j] == (enum crm_dimension)d)
        return refuse(s, "\"%s\" is given twice", value->string);
    params->group_by[n++] = (enum crm_dimension)d;
  }
  if (n == 0)
    return refuse(s, "no value is given");
  params->n_group_by = n;
  return CRM_OK;
}

static enum crm_status set_per_account(const struct setting *s) {
  struct crm_params *params = &s->place->instance->params;
  const struct crm_conf_value *values = s->node->values;
  if (s->node->n_values == 0 || values[0].type != CRM_CONF_STRING)
    return refuse(s, "the first value is not a word");
  int word = word_index(values[0].string, s->option->words);
  if (word < 0)
    return refuse_word(s, values[0].string, s->option->words);
  size_t wanted = word == CRM_PER_ACCOUNT_TOP ? 2 : 1;
  if (s->node->n_values != wanted)
    return refuse(s, "\"%s\" goes with %zu value%s behind it, not %zu", values[0].string, wanted - 1, wanted == 2 ? "" : "s",
                  s->node->n_values - 1);
  size_t top = 0;
  if (wanted == 2) {
    if (values[1].type != CRM_CONF_NUMBER || !(values[1].number >= s->option->min && values[1].number <= s->option->max) ||
        values[1].number != floor(values[1].number))
      return refuse(s, "what stands behind \"top\" is not such a number");
    top = (size_t)values[1].number;
  }
  params->per_account = (enum crm_per_account)word;
  params->per_account_top = top;
  return CRM_OK;
}

/* Adds one; the list is made anew each time, as long as there are few. */
static enum crm_status add_benchmark(const struct setting *s) {
  struct crm_params *params = &s->place->instance->params;
  const struct crm_conf_value *values = s->node->values;
  if (s->node->n_values != 2)
    return refuse(s, "%zu value%s given", s->node->n_values, s->node->n_values == 1 ? " is" : "s are");
  if (values[0].type != CRM_CONF_STRING || values[0].string[0] == '\0')
    return refuse(s, "the first value is not a text");
  if (strlen(values[0].string) > LONGEST_LABEL || !crm_utf8_valid(values[0].string, strlen(values[0].string)))
    return refuse(s, "the text is longer than %d bytes or not UTF-8", LONGEST_LABEL);
  if (values[1].type != CRM_CONF_NUMBER || !(values[1].number >= s->option->min && values[1].number <= s->option->max))
    return refuse(s, "the second value is not such a number");
  for (size_t i = 0; i < params->n_benchmarks; i++)
    if (strcmp(params->benchmarks[i].source, values[0].string) == 0)
      return refuse(s, "\"%.60s\" is given twice", values[0].string);
  struct crm_benchmark *list = crm_arena_calloc(s->place->arena, params->n_benchmarks + 1, sizeof(*list));
  const char *source = crm_arena_strndup(s->place->arena, values[0].string, strlen(values[0].string));
  if (list == NULL || source == NULL)
    return out_of_memory(s);
  if (params->n_benchmarks > 0)
    memcpy(list, params->benchmarks, params->n_benchmarks * sizeof(*list));
  list[params->n_benchmarks++] = (struct crm_benchmark){source, values[1].number};
  params->benchmarks = list;
  return CRM_OK;
}

static enum crm_status refuse_term(const struct setting *s, const char *term, size_t len) {
  struct crm_strbuf terms;
  crm_strbuf_init(&terms, 4096);
  for (unsigned t = 0; t < CRM_TERMS; t++)
    crm_strbuf_addf(&terms, "%s%s", t == 0 ? "" : " ", crm_term_name(t));
  char text[64], near[64];
  snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : sizeof(text) - 1), term);
  bool is_near = crm_strbuf_ok(&terms) && crm_word_near(text, crm_strbuf_str(&terms), near, sizeof(near));
  enum crm_status status = is_near ? refuse(s, "there is no term \"%s\", is \"%s\" meant?", text, near)
                                   : refuse(s, "there is no term \"%s\"; collectd-crm(5) lists them", text);
  crm_strbuf_free(&terms);
  return status;
}

static enum crm_status add_condition(const struct setting *s) {
  struct crm_rule *rule = s->place->rule;
  const char *text, *bad;
  size_t bad_len;
  struct crm_condition condition;
  enum crm_status status = get_text(s, &text);
  if (status != CRM_OK)
    return status;
  const char *fault = crm_condition_read(text, &condition, &bad, &bad_len);
  if (fault != NULL && strcmp(fault, "term") == 0)
    return refuse_term(s, bad, bad_len);
  if (fault != NULL)
    return refuse(s, "\"%.*s\" is not a %s", (int)(bad_len < 60 ? bad_len : 60), bad, fault);
  for (size_t i = 0; i < rule->n_conditions; i++)
    if (rule->conditions[i].term == condition.term && rule->conditions[i].comparison == condition.comparison)
      return refuse(s, "\"%s %s\" is given twice", crm_term_name(condition.term), crm_comparison_sign(condition.comparison));
  if (rule->n_conditions == CRM_CONDITIONS_MAX)
    return refuse(s, "there are more than %d conditions", CRM_CONDITIONS_MAX);
  rule->conditions[rule->n_conditions++] = condition;
  return CRM_OK;
}

/* --- receivers ------------------------------------------------------------------------------------------------------------ */

/* No message repeats a URL: its query may be a key. */
static enum crm_status set_url(const struct setting *s, const char *text) {
  size_t scheme = strncasecmp(text, "http://", 7) == 0 ? 7 : strncasecmp(text, "https://", 8) == 0 ? 8 : 0;
  if (scheme == 0)
    return refuse(s, "the text does not begin with http:// or https://");
  for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
    if (*c <= ' ' || *c >= 0x7f)
      return refuse(s, "the text holds a blank or a letter that a URL cannot have");
  size_t host = strcspn(text + scheme, "/?#");
  if (memchr(text + scheme, '@', host) != NULL)
    return crm_error_set(s->err, CRM_ERR_CONFIG,
                         "it holds a user or a password, which would be in the log of each proxy; allowed: a URL without, and User with "
                         "PasswordFile");
  if (host == 0 || text[scheme] == ':')
    return refuse(s, "there is no host in it");
  return keep(s, text);
}

/* A list in the arena with room for `more`; it is made anew each time, as long as there are few. */
static void *grow_list(const struct setting *s, const void *list, size_t n, size_t more, size_t size) {
  char *grown = crm_arena_calloc(s->place->arena, n + more, size);
  if (grown != NULL && n > 0)
    memcpy(grown, list, n * size);
  return grown;
}

static enum crm_status add_patterns(const struct setting *s) {
  struct crm_sink_options *sink = s->place->sink;
  if (s->node->n_values == 0)
    return refuse(s, "no value is given");
  const char **list = grow_list(s, sink->families, sink->n_families, s->node->n_values, sizeof(*list));
  if (list == NULL)
    return out_of_memory(s);
  for (size_t i = 0; i < s->node->n_values; i++) {
    const struct crm_conf_value *value = &s->node->values[i];
    if (value->type != CRM_CONF_STRING)
      return refuse(s, "value %zu is not a text", i + 1);
    const char *pattern = value->string + (value->string[0] == '!');
    if (pattern[0] == '\0' || pattern[strspn(pattern, "abcdefghijklmnopqrstuvwxyz0123456789_*?[]-!")] != '\0')
      return refuse(s, "\"%.60s\" cannot be the name of a family", value->string);
    list[sink->n_families + i] = crm_arena_strndup(s->place->arena, value->string, strlen(value->string));
    if (list[sink->n_families + i] == NULL)
      return out_of_memory(s);
  }
  sink->families = list;
  sink->n_families += s->node->n_values;
  return CRM_OK;
}

/* A name and a text behind it, both copied. */
static enum crm_status get_pair(const struct setting *s, const char **name, const char **value) {
  const struct crm_conf_value *values = s->node->values;
  if (s->node->n_values != 2 || values[0].type != CRM_CONF_STRING || values[1].type != CRM_CONF_STRING)
    return refuse(s, "these are not two texts");
  if (values[0].string[0] == '\0' || values[1].string[0] == '\0')
    return refuse(s, "a text is empty");
  size_t limit = s->option->max > 0 ? (size_t)s->option->max : LONGEST_TEXT;
  if (strlen(values[0].string) > 200 || strlen(values[1].string) > limit)
    return refuse(s, "a text is too long");
  if (!crm_utf8_valid(values[0].string, strlen(values[0].string)) || !crm_utf8_valid(values[1].string, strlen(values[1].string)))
    return refuse(s, "a text is not UTF-8");
  *name = crm_arena_strndup(s->place->arena, values[0].string, strlen(values[0].string));
  *value = crm_arena_strndup(s->place->arena, values[1].string, strlen(values[1].string));
  return *name == NULL || *value == NULL ? out_of_memory(s) : CRM_OK;
}

static enum crm_status add_label(const struct setting *s) {
  struct crm_sink_options *sink = s->place->sink;
  const char *name, *value;
  enum crm_status status = get_pair(s, &name, &value);
  if (status != CRM_OK)
    return status;
  if (strncmp(name, "__", 2) == 0 || (name[0] >= '0' && name[0] <= '9') ||
      name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
    return refuse(s, "\"%.60s\" cannot be the name of a label", name);
  if (strcmp(name, "job") == 0 || strcmp(name, "instance") == 0)
    return refuse(s, "for the label %s there is an option of its own", name);
  for (size_t i = 0; i < sink->n_labels; i++)
    if (strcmp(sink->labels[i].name, name) == 0)
      return refuse(s, "\"%.60s\" is given twice", name);
  struct crm_name_value *list = grow_list(s, sink->labels, sink->n_labels, 1, sizeof(*list));
  if (list == NULL)
    return out_of_memory(s);
  list[sink->n_labels++] = (struct crm_name_value){name, value};
  sink->labels = list;
  return CRM_OK;
}

/* Headers that the protocol, libcurl or another option sets. */
static bool reserved_header(const char *name) {
  return word_index(name, "host content-length content-type content-encoding connection keep-alive upgrade trailer transfer-encoding te "
                          "user-agent accept-encoding expect retry-attempt www-authenticate authorization "
                          "x-prometheus-remote-write-version") >= 0 ||
         strncasecmp(name, "proxy-", 6) == 0;
}

/* Names under which receivers want a secret: "api-key", "DD-API-KEY", "X-License-Key", "X-Auth-Token", "Cookie" ... */
static bool secret_header(const char *name) {
  static const char *const parts[] = {"key", "token", "secret", "passw", "auth", "cookie", "credential"};
  for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
    if (strcasestr(name, parts[i]) != NULL)
      return true;
  return false;
}

static enum crm_status add_header(const struct setting *s, bool is_file) {
  struct crm_sink_options *sink = s->place->sink;
  const char *name, *value;
  enum crm_status status = get_pair(s, &name, &value);
  if (status != CRM_OK)
    return status;
  if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")] != '\0')
    return refuse(s, "\"%.60s\" cannot be the name of a header", name);
  if (reserved_header(name))
    return refuse(s, "the header %.60s cannot be set", name);
  if (is_file && value[0] != '/')
    return refuse(s, "\"%.200s\" is a relative path, and the daemon changes its directory", value);
  if (!is_file && secret_header(name))
    return crm_error_set(s->err, CRM_ERR_CONFIG,
                         "what the header %.60s holds looks like a secret; write it into a file of its own (mode 0600) and name that with "
                         "HeaderFile",
                         name);
  for (const unsigned char *c = (const unsigned char *)value; *c != '\0' && !is_file; c++)
    if (*c < ' ' || *c == 0x7f)
      return refuse(s, "the value holds a control character");
  for (size_t i = 0; i < sink->n_headers; i++)
    if (strcasecmp(sink->headers[i].name, name) == 0)
      return refuse(s, "\"%.60s\" is given twice", name);
  struct crm_header_option *list = grow_list(s, sink->headers, sink->n_headers, 1, sizeof(*list));
  if (list == NULL)
    return out_of_memory(s);
  list[sink->n_headers++] = (struct crm_header_option){.name = name, .value = is_file ? NULL : value, .file = is_file ? value : NULL};
  sink->headers = list;
  return CRM_OK;
}

static enum crm_status set_boolean(const struct setting *s) {
  if (s->node->n_values != 1)
    return refuse(s, "%zu values are given", s->node->n_values);
  const struct crm_conf_value *value = &s->node->values[0];
  if (value->type == CRM_CONF_NUMBER)
    return refuse(s, "a number is given");
  int word = value->type == CRM_CONF_BOOLEAN ? value->boolean : word_index(value->string, "false true no yes off on");
  if (word < 0)
    return refuse(s, "text is given");
  *(bool *)s->field = word % 2 == 1;
  return CRM_OK;
}

static enum crm_status set_scalar(const struct setting *s) {
  enum crm_option_kind kind = s->option->kind;
  double number;
  enum crm_status status = get_number(s, kind == CRM_KIND_INTEGER || kind == CRM_KIND_COUNT, &number);
  if (status != CRM_OK)
    return status;
  if (kind == CRM_KIND_DURATION)
    *(int64_t *)s->field = (int64_t)llround(number * 1e6);
  else if (kind == CRM_KIND_INTEGER)
    *(int *)s->field = (int)number;
  else if (kind == CRM_KIND_COUNT)
    *(size_t *)s->field = (size_t)number;
  else
    *(double *)s->field = number;
  return CRM_OK;
}

/* Kinds whose value is one text. */
static enum crm_status set_text(const struct setting *s) {
  const char *text;
  enum crm_status status = get_text(s, &text);
  if (status != CRM_OK)
    return status;
  switch (s->option->kind) {
  case CRM_KIND_CONNINFO:
    return set_conninfo(s, text);
  case CRM_KIND_PATH:
    return set_path(s, text, false);
  case CRM_KIND_FILE:
    return set_path(s, text, true);
  case CRM_KIND_MAPPING:
    return set_mapping(s, text);
  case CRM_KIND_CHOICE:
    return word_index(text, s->option->words) < 0 ? refuse_word(s, text, s->option->words)
                                                  : keep_word(s, word_index(text, s->option->words));
  case CRM_KIND_ZONE:
    return set_zone(s, text);
  case CRM_KIND_CURRENCY:
    return set_currency(s, text);
  case CRM_KIND_SHARD:
    return crm_shard_parse(text, s->field) ? CRM_OK : refuse(s, "\"%.40s\" is no such part", text);
  case CRM_KIND_URL:
    return set_url(s, text);
  default:
    return keep(s, text);
  }
}

static void *target(const struct crm_option *option, const struct crm_option_place *place) {
  switch (option->target) {
  case CRM_TARGET_INSTANCE:
    return place->instance;
  case CRM_TARGET_DATABASE:
    return place->database;
  case CRM_TARGET_RELATION:
    return place->relation;
  case CRM_TARGET_RULE:
    return place->rule;
  case CRM_TARGET_LISTEN:
    return place->listen;
  case CRM_TARGET_TEXT_FILE:
    return place->textfile;
  case CRM_TARGET_SINK:
    return place->sink;
  default:
    return place->scorecard;
  }
}

enum crm_status crm_option_apply(const struct crm_option *option, const struct crm_conf_node *node, const struct crm_option_place *place,
                                 struct crm_error *err) {
  struct setting s = {.option = option, .node = node, .place = place, .field = (char *)target(option, place) + option->offset, .err = err};
  if (node->n_children > 0)
    return refuse(&s, "it is an option and not a block");
  switch (option->kind) {
  case CRM_KIND_PORT:
    return set_port(&s);
  case CRM_KIND_BYTES:
    return set_bytes(&s);
  case CRM_KIND_BOOLEAN:
    return set_boolean(&s);
  case CRM_KIND_FLAGS:
    return set_flags(&s);
  case CRM_KIND_DIMENSIONS:
    return set_dimensions(&s);
  case CRM_KIND_PER_ACCOUNT:
    return set_per_account(&s);
  case CRM_KIND_BENCHMARK:
    return add_benchmark(&s);
  case CRM_KIND_CONDITION:
    return add_condition(&s);
  case CRM_KIND_PATTERNS:
    return add_patterns(&s);
  case CRM_KIND_LABEL:
    return add_label(&s);
  case CRM_KIND_HEADER:
  case CRM_KIND_HEADER_FILE:
    return add_header(&s, option->kind == CRM_KIND_HEADER_FILE);
  case CRM_KIND_DURATION:
  case CRM_KIND_INTEGER:
  case CRM_KIND_COUNT:
  case CRM_KIND_NUMBER:
    return set_scalar(&s);
  case CRM_KIND_WORD: {
    int word;
    enum crm_status status = get_word(&s, &word);
    if (status == CRM_OK)
      *(int *)s.field = word;
    return status;
  }
  default:
    return set_text(&s);
  }
}

enum crm_status crm_option_apply_default(const struct crm_option *option, const struct crm_option_place *place, struct crm_error *err) {
  if (option->fallback == NULL)
    return CRM_OK;
  char line[256];
  int len = snprintf(line, sizeof(line), "%s %s\n", option->name, option->fallback);
  struct crm_conf_node root;
  enum crm_status status = crm_conf_parse(line, (size_t)len, "default", place->arena, &root, err);
  return status != CRM_OK ? status : crm_option_apply(option, &root.children[0], place, err);
}
