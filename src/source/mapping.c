/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/mapping.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/utf8.h"

/* --- one statement of a text --- */

struct scan {
  const char *text;
  size_t len, at;
};

static int line_of(const char *text, size_t at) {
  int line = 1;
  for (size_t i = 0; i < at; i++)
    line += text[i] == '\n';
  return line;
}

static char peek(const struct scan *s, size_t ahead) {
  return s->at + ahead < s->len ? s->text[s->at + ahead] : '\0';
}

static bool is_name_byte(char c) {
  return isalnum((unsigned char)c) != 0 || c == '_' || (unsigned char)c >= 0x80;
}

/* Past a quoted piece; `escapes`: a backslash takes the next byte with it. False if it does not end. */
static bool skip_quoted(struct scan *s, char quote, bool escapes) {
  s->at++;
  while (s->at < s->len) {
    if (escapes && s->text[s->at] == '\\')
      s->at += 2;
    else if (s->text[s->at] != quote)
      s->at++;
    else if (peek(s, 1) == quote)
      s->at += 2;
    else {
      s->at++;
      return true;
    }
  }
  return false;
}

/* Past a bracketed comment; they nest in PostgreSQL. */
static bool skip_comment(struct scan *s) {
  int depth = 0;
  while (s->at < s->len) {
    if (peek(s, 0) == '/' && peek(s, 1) == '*') {
      depth++;
      s->at += 2;
    } else if (peek(s, 0) == '*' && peek(s, 1) == '/') {
      s->at += 2;
      if (--depth == 0)
        return true;
    } else
      s->at++;
  }
  return false;
}

/* Past $tag$ ... $tag$ if one starts here; *found tells. False if it does not end. */
static bool skip_dollar(struct scan *s, bool *found) {
  size_t tag = 1;
  while (is_name_byte(peek(s, tag)))
    tag++;
  *found = peek(s, tag) == '$' && isdigit((unsigned char)peek(s, 1)) == 0;
  if (!*found)
    return true;
  tag++;
  const char *start = s->text + s->at;
  const char *end = memmem(start + tag, s->len - s->at - tag, start, tag);
  if (end == NULL)
    return false;
  s->at = (size_t)(end - s->text) + tag;
  return true;
}

enum token { TOKEN_NONE, TOKEN_BLANK, TOKEN_SEMICOLON, TOKEN_OTHER, TOKEN_OPEN };

/* Past one token; TOKEN_OPEN is one that never ends. */
static enum token next_token(struct scan *s) {
  char c = peek(s, 0);
  if (s->at >= s->len)
    return TOKEN_NONE;
  if (isspace((unsigned char)c)) {
    s->at++;
    return TOKEN_BLANK;
  }
  if (c == '-' && peek(s, 1) == '-') {
    while (s->at < s->len && s->text[s->at] != '\n')
      s->at++;
    return TOKEN_BLANK;
  }
  if (c == '/' && peek(s, 1) == '*')
    return skip_comment(s) ? TOKEN_BLANK : TOKEN_OPEN;
  if (c == ';') {
    s->at++;
    return TOKEN_SEMICOLON;
  }
  if (c == '\'' || c == '"')
    return skip_quoted(s, c, false) ? TOKEN_OTHER : TOKEN_OPEN;
  if ((c == 'e' || c == 'E') && peek(s, 1) == '\'') {
    s->at++;
    return skip_quoted(s, '\'', true) ? TOKEN_OTHER : TOKEN_OPEN;
  }
  if (is_name_byte(c)) { /* whole, so that the $ in a$b$ and the e in name'...' start nothing */
    while (is_name_byte(peek(s, 0)) || peek(s, 0) == '$')
      s->at++;
    return TOKEN_OTHER;
  }
  if (c == '$') {
    bool found;
    if (!skip_dollar(s, &found))
      return TOKEN_OPEN;
    if (found)
      return TOKEN_OTHER;
  }
  s->at++;
  return TOKEN_OTHER;
}

enum crm_status crm_mapping_clean(const char *text, size_t len, char **sql, struct crm_error *err) {
  if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
    text += 3;
    len -= 3;
  }
  if (!crm_utf8_valid(text, len))
    return crm_error_set(err, CRM_ERR_CONFIG, "line 1: the text is not valid UTF-8");
  struct scan s = {.text = text, .len = len};
  size_t semicolon = SIZE_MAX; /* where the first one stands */
  bool any = false;
  for (;;) {
    size_t start = s.at;
    enum token token = next_token(&s);
    if (token == TOKEN_NONE)
      break;
    if (token == TOKEN_OPEN)
      return crm_error_set(err, CRM_ERR_CONFIG, "line %d: a quote or comment that starts here does not end", line_of(text, start));
    if (token == TOKEN_OTHER && semicolon != SIZE_MAX)
      return crm_error_set(err, CRM_ERR_CONFIG, "line %d: more than one statement; a mapping is one SELECT", line_of(text, start));
    if (token == TOKEN_SEMICOLON && !any)
      return crm_error_set(err, CRM_ERR_CONFIG, "line %d: a semicolon before any statement", line_of(text, start));
    if (token == TOKEN_SEMICOLON && semicolon == SIZE_MAX)
      semicolon = start;
    any |= token == TOKEN_OTHER;
  }
  if (!any)
    return crm_error_set(err, CRM_ERR_CONFIG, "line 1: there is no statement; a mapping is one SELECT");
  /* What follows the semicolon is blanks, comments and further semicolons only, so the text may end there. */
  size_t end = semicolon == SIZE_MAX ? len : semicolon;
  *sql = malloc(end + 1); /* not strndup: the text need not end in a NUL */
  if (*sql == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  memcpy(*sql, text, end);
  (*sql)[end] = '\0';
  return CRM_OK;
}

enum crm_status crm_mapping_split(const char *text, size_t len, char *sqls[CRM_CHANGES_MAX], size_t *n, struct crm_error *err) {
  struct scan s = {.text = text, .len = len};
  size_t begin = 0;
  bool any = false;
  *n = 0;
  for (;;) {
    size_t start = s.at;
    enum token token = next_token(&s);
    any |= token == TOKEN_OTHER;
    if (token == TOKEN_OPEN)
      return crm_error_set(err, CRM_ERR_CONFIG, "line %d: a quote or comment that starts here does not end", line_of(text, start));
    if (token != TOKEN_NONE && token != TOKEN_SEMICOLON)
      continue;
    if (any && *n == CRM_CHANGES_MAX)
      return crm_error_set(err, CRM_ERR_CONFIG, "line %d: more than %d statements", line_of(text, begin), CRM_CHANGES_MAX);
    if (any) {
      enum crm_status status = crm_mapping_clean(text + begin, start - begin, &sqls[*n], err);
      if (status != CRM_OK)
        return status;
      ++*n;
    }
    if (token == TOKEN_NONE)
      break;
    begin = s.at;
    any = false;
  }
  return *n > 0 ? CRM_OK : crm_error_set(err, CRM_ERR_CONFIG, "line 1: there is no statement");
}

/* --- statements --- */

/* The line break before the bracket ends a comment that the mapping may close with. */
static const char check_prefix[] = "SELECT * FROM (\n";

char *crm_mapping_check_statement(const char *sql) {
  char *statement;
  return asprintf(&statement, "%s%s\n) q LIMIT 0", check_prefix, sql) < 0 ? NULL : statement;
}

int crm_mapping_line(const char *sql, int position) {
  int left = position - (int)(sizeof(check_prefix) - 1) - 1; /* characters of `sql` before the fault */
  if (left < 0)
    return 0;
  int line = 1;
  for (const char *p = sql; *p != '\0'; p++) {
    if (((unsigned char)*p & 0xC0) == 0x80)
      continue; /* not the first byte of a character */
    if (left-- == 0)
      return line;
    line += *p == '\n';
  }
  return 0;
}

/* --- files --- */

static enum crm_status read_file(const char *path, char **text, size_t *len, struct crm_error *err) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return crm_error_set(err, CRM_ERR_IO, "%s: %s", path, strerror(errno));
  enum crm_status status = CRM_OK;
  char *buf = NULL;
  struct stat st;
  if (fstat(fd, &st) != 0)
    status = crm_error_set(err, CRM_ERR_IO, "%s: %s", path, strerror(errno));
  else if (!S_ISREG(st.st_mode))
    status = crm_error_set(err, CRM_ERR_IO, "%s: not a regular file", path);
  else if ((size_t)st.st_size > CRM_MAPPING_FILE_MAX)
    status = crm_error_set(err, CRM_ERR_CONFIG, "%s: larger than %zu bytes", path, CRM_MAPPING_FILE_MAX);
  else if ((buf = malloc((size_t)st.st_size + 1)) == NULL)
    status = crm_error_set(err, CRM_ERR_MEMORY, "%s: out of memory", path);
  size_t n = 0;
  while (status == CRM_OK && n < (size_t)st.st_size) {
    ssize_t got = read(fd, buf + n, (size_t)st.st_size - n);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      status = crm_error_set(err, CRM_ERR_IO, "%s: %s", path, strerror(errno));
    if (got <= 0)
      break;
    n += (size_t)got;
  }
  close(fd);
  if (status != CRM_OK) {
    free(buf);
    return status;
  }
  *text = buf;
  *len = n;
  return CRM_OK;
}

static enum crm_status load_file(struct crm_mapping *mapping, enum crm_relation relation, const char *path, struct crm_error *err) {
  char *text = NULL;
  size_t len = 0;
  enum crm_status status = read_file(path, &text, &len, err);
  if (status != CRM_OK)
    return status;
  snprintf(mapping->origin[relation], sizeof(mapping->origin[relation]), "%s", path);
  status = crm_mapping_clean(text, len, &mapping->sql[relation], err);
  free(text);
  return status == CRM_OK ? CRM_OK : crm_error_prefix(err, "%s", path);
}

/* changes/<relation>.sql goes with <relation>.sql of the same directory only. */
static enum crm_status load_changes(struct crm_mapping *mapping, enum crm_relation relation, const char *directory, struct crm_error *err) {
  char *path, *text = NULL;
  size_t len = 0;
  if (asprintf(&path, "%s/changes/%s.sql", directory, crm_relation_info(relation)->name) < 0)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  enum crm_status status = CRM_OK;
  if (access(path, F_OK) == 0 || errno != ENOENT) {
    status = read_file(path, &text, &len, err);
    if (status == CRM_OK && crm_mapping_split(text, len, mapping->changes[relation], &mapping->n_changes[relation], err) != CRM_OK)
      status = crm_error_prefix(err, "%s", path);
    free(text);
  }
  free(path);
  return status;
}

static enum crm_status load_relation(const struct crm_source_options *options, const char *directory, enum crm_relation relation,
                                     struct crm_mapping *mapping, struct crm_error *err) {
  const struct crm_relation_options *o = &options->relations[relation];
  const char *name = crm_relation_info(relation)->name;
  if (o->disabled)
    return CRM_OK;
  if (o->query != NULL) {
    snprintf(mapping->origin[relation], sizeof(mapping->origin[relation]), "Query of %s", name);
    enum crm_status status = crm_mapping_clean(o->query, strlen(o->query), &mapping->sql[relation], err);
    return status == CRM_OK ? CRM_OK : crm_error_prefix(err, "instance %s: Query of relation %s", options->instance, name);
  }
  if (o->query_file != NULL) {
    enum crm_status status = load_file(mapping, relation, o->query_file, err);
    return status == CRM_OK ? CRM_OK : crm_error_prefix(err, "instance %s: QueryFile of relation %s", options->instance, name);
  }
  if (directory == NULL)
    return CRM_OK;
  char *path;
  if (asprintf(&path, "%s/%s.sql", directory, name) < 0)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  /* Only a file that is not there means that the relation is not mapped; one that may not be read is a fault. */
  enum crm_status status = access(path, F_OK) != 0 && errno == ENOENT ? CRM_OK : load_file(mapping, relation, path, err);
  free(path);
  if (status == CRM_OK && mapping->sql[relation] != NULL)
    status = load_changes(mapping, relation, directory, err);
  return status == CRM_OK ? CRM_OK : crm_error_prefix(err, "instance %s", options->instance);
}

static void tell_strangers(DIR *dir, const char *directory, const struct crm_source_options *options, const struct crm_log *log) {
  for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    size_t len = strlen(entry->d_name);
    if (entry->d_name[0] == '.' || len < 5 || strcmp(entry->d_name + len - 4, ".sql") != 0)
      continue;
    char name[64];
    if (len - 4 < sizeof(name)) {
      memcpy(name, entry->d_name, len - 4);
      name[len - 4] = '\0';
      if (crm_relation_by_name(name) != CRM_RELATIONS)
        continue;
    }
    crm_log(log, CRM_LOG_WARNING, "instance %s: %s/%s is ignored: there is no relation of that name", options->instance, directory,
            entry->d_name);
  }
}

enum crm_status crm_mapping_load(const struct crm_source_options *options, const struct crm_log *log, struct crm_mapping *mapping,
                                 struct crm_error *err) {
  *mapping = (struct crm_mapping){0};
  char *directory = NULL;
  enum crm_status status = CRM_OK;
  if (options->mapping != NULL && options->mapping[0] != '\0') {
    bool absolute = options->mapping[0] == '/';
    if (!absolute && (strchr(options->mapping, '/') != NULL || options->mapping[0] == '.'))
      return crm_error_set(err, CRM_ERR_CONFIG,
                           "instance %s: Mapping \"%s\" is neither the name of a shipped mapping nor an absolute directory",
                           options->instance, options->mapping);
    if (asprintf(&directory, "%s%s%s", absolute ? "" : options->mapping_dir, absolute ? "" : "/", options->mapping) < 0)
      return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
    DIR *dir = opendir(directory);
    if (dir == NULL)
      status = crm_error_set(err, CRM_ERR_CONFIG, "instance %s: Mapping: directory %s: %s", options->instance, directory, strerror(errno));
    else {
      tell_strangers(dir, directory, options, log);
      closedir(dir);
    }
  }
  for (int r = 0; r < CRM_RELATIONS && status == CRM_OK; r++)
    status = load_relation(options, directory, (enum crm_relation)r, mapping, err);
  if (status == CRM_OK && mapping->sql[CRM_REL_ACCOUNT] == NULL)
    status = crm_error_set(err, CRM_ERR_CONFIG,
                           "instance %s: relation account is not mapped (no %s%saccount.sql, no Query, or disabled); every other "
                           "relation needs it",
                           options->instance, directory != NULL ? directory : "", directory != NULL ? "/" : "");
  free(directory);
  return status;
}

void crm_mapping_free(struct crm_mapping *mapping) {
  for (int r = 0; r < CRM_RELATIONS; r++) {
    free(mapping->sql[r]);
    for (size_t i = 0; i < mapping->n_changes[r]; i++)
      free(mapping->changes[r][i]);
  }
  *mapping = (struct crm_mapping){0};
}
