/* SPDX-License-Identifier: MIT */
/* Reading a configuration file with what it includes, as the daemon does it: at the top level of each file, Include takes a file, a
 * directory (every name that does not begin with a dot, in byte order, directories within too) or a shell pattern; a path that is not there
 * is passed over; Filter is a pattern for the names of files. Commands in a pattern are not run. */
#include "crm_config.h"

#include "options/conf.h"

#include "base/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wordexp.h>

enum { MAX_DEPTH = 8, MAX_FILES = 4096, MAX_BYTES = 16 << 20 };

struct reader {
  struct crm_arena *arena;
  struct crm_error *err;
  struct crm_conf_node *root;
  size_t cap; /* of root->children */
  int files;
};

static enum crm_status read_path(struct reader *reader, const char *path, const char *filter, int depth);

static enum crm_status append(struct reader *reader, const struct crm_conf_node *node) {
  struct crm_conf_node *root = reader->root;
  if (root->n_children == reader->cap) {
    size_t larger = reader->cap == 0 ? 16 : 2 * reader->cap;
    struct crm_conf_node *children = crm_arena_calloc(reader->arena, larger, sizeof(*children));
    if (children == NULL)
      return crm_error_set(reader->err, CRM_ERR_MEMORY, "not enough memory to read the configuration");
    if (root->n_children > 0)
      memcpy(children, root->children, root->n_children * sizeof(*children));
    root->children = children;
    reader->cap = larger;
  }
  root->children[root->n_children++] = *node;
  return CRM_OK;
}

/* The whole file as text; the caller frees the buffer. */
static enum crm_status slurp(const char *path, struct crm_strbuf *text, struct crm_error *err) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return crm_error_set(err, CRM_ERR_IO, "%s: %s", path, strerror(errno));
  enum crm_status status = CRM_OK;
  for (;;) {
    char block[8192];
    ssize_t n = read(fd, block, sizeof(block));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      status = crm_error_set(err, CRM_ERR_IO, "%s: %s", path, strerror(errno));
    if (n <= 0)
      break;
    crm_strbuf_add(text, block, (size_t)n);
    if (!crm_strbuf_ok(text)) {
      status =
          crm_error_set(err, CRM_ERR_CONFIG, "%s:1: more than %d MiB of configuration, or not enough memory for it", path, MAX_BYTES >> 20);
      break;
    }
  }
  close(fd);
  return status;
}

static enum crm_status include(struct reader *reader, const struct crm_conf_node *node, int depth) {
  if (node->n_values != 1 || node->values[0].type != CRM_CONF_STRING)
    return crm_error_set(reader->err, CRM_ERR_CONFIG, "%s:%d: Include: exactly one text is allowed, a file, directory or pattern",
                         node->file, node->line);
  const char *filter = NULL;
  for (size_t i = 0; i < node->n_children; i++) {
    const struct crm_conf_node *child = &node->children[i];
    if (strcasecmp(child->key, "Filter") != 0 || child->n_values != 1 || child->values[0].type != CRM_CONF_STRING)
      return crm_error_set(reader->err, CRM_ERR_CONFIG, "%s:%d: %s: only Filter with one pattern is allowed in <Include>", child->file,
                           child->line, child->key);
    filter = child->values[0].string;
  }
  if (depth >= MAX_DEPTH)
    return crm_error_set(reader->err, CRM_ERR_CONFIG, "%s:%d: Include: more than %d files include each other", node->file, node->line,
                         MAX_DEPTH);
  wordexp_t words;
  int failed = wordexp(node->values[0].string, &words, WRDE_NOCMD);
  if (failed != 0) {
    if (failed == WRDE_NOSPACE)
      wordfree(&words);
    return crm_error_set(reader->err, failed == WRDE_NOSPACE ? CRM_ERR_MEMORY : CRM_ERR_CONFIG,
                         "%s:%d: Include: the path cannot be expanded; quote blanks and any of |&;<>(){}$` within it with a backslash",
                         node->file, node->line);
  }
  enum crm_status status = CRM_OK;
  for (size_t i = 0; i < words.we_wordc && status == CRM_OK; i++) /* glibc sorts matches; the daemon's order is theirs too */
    status = read_path(reader, words.we_wordv[i], filter, depth);
  wordfree(&words);
  return status;
}

static enum crm_status read_file(struct reader *reader, const char *path, const char *filter, int depth) {
  const char *slash = strrchr(path, '/');
  if (filter != NULL && fnmatch(filter, slash == NULL ? path : slash + 1, 0) != 0)
    return CRM_OK;
  if (++reader->files > MAX_FILES)
    return crm_error_set(reader->err, CRM_ERR_CONFIG, "%s:1: more than %d files of configuration", path, MAX_FILES);
  struct crm_strbuf text;
  crm_strbuf_init(&text, MAX_BYTES);
  struct crm_conf_node file = {0};
  enum crm_status status = slurp(path, &text, reader->err);
  if (status == CRM_OK)
    status = crm_conf_parse(crm_strbuf_str(&text), text.len, path, reader->arena, &file, reader->err);
  crm_strbuf_free(&text);
  for (size_t i = 0; i < file.n_children && status == CRM_OK; i++) {
    const struct crm_conf_node *child = &file.children[i];
    status = strcasecmp(child->key, "Include") == 0 ? include(reader, child, depth + 1) : append(reader, child);
  }
  return status;
}

static int not_hidden(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

/* Byte order, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static enum crm_status read_directory(struct reader *reader, const char *path, const char *filter, int depth) {
  if (depth >= MAX_DEPTH)
    return crm_error_set(reader->err, CRM_ERR_CONFIG, "%s:1: directories are nested more than %d deep", path, MAX_DEPTH);
  struct dirent **entries = NULL;
  int n = scandir(path, &entries, not_hidden, by_name);
  if (n < 0)
    return crm_error_set(reader->err, CRM_ERR_IO, "%s: %s", path, strerror(errno));
  enum crm_status status = CRM_OK;
  for (int i = 0; i < n; i++) {
    char name[4096];
    if (status == CRM_OK) {
      if (snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name) >= (int)sizeof(name))
        status = crm_error_set(reader->err, CRM_ERR_CONFIG, "%s:1: the path of a file in it is too long", path);
      else
        status = read_path(reader, name, filter, depth + 1);
    }
    free(entries[i]);
  }
  free(entries);
  return status;
}

/* A path that is not there, or neither file nor directory, is passed over as in the daemon. */
static enum crm_status read_path(struct reader *reader, const char *path, const char *filter, int depth) {
  struct stat st;
  if (stat(path, &st) != 0)
    return errno == ENOENT || errno == ENOTDIR ? CRM_OK : crm_error_set(reader->err, CRM_ERR_IO, "%s: %s", path, strerror(errno));
  if (S_ISDIR(st.st_mode))
    return read_directory(reader, path, filter, depth);
  return S_ISREG(st.st_mode) ? read_file(reader, path, filter, depth) : CRM_OK;
}

enum crm_status crm_conf_read(const char *path, struct crm_arena *arena, struct crm_conf_node *root, struct crm_error *err) {
  struct reader reader = {.arena = arena, .err = err, .root = root};
  const char *name = crm_arena_strndup(arena, path, strlen(path));
  if (name == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "not enough memory to read the configuration");
  *root = (struct crm_conf_node){.key = "", .file = name, .line = 1};
  struct stat st;
  if (stat(path, &st) != 0)
    return crm_error_set(err, CRM_ERR_IO, "%s: %s", path, strerror(errno));
  if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
    return crm_error_set(err, CRM_ERR_IO, "%s: neither a file nor a directory", path);
  return read_path(&reader, path, NULL, 0);
}
