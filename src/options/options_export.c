/* SPDX-License-Identifier: MIT */
/* The ways out in <Plugin crm>: <Listen>, <TextFile>, <RemoteWrite>, <OTLP> -> struct crm_export_options. */
#include "crm_config.h"

#include "options/block.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST_NAME = 64 };

bool crm_block_is_export(const struct crm_conf_node *node) {
  return strcasecmp(node->key, "Listen") == 0 || strcasecmp(node->key, "TextFile") == 0 || strcasecmp(node->key, "RemoteWrite") == 0 ||
         strcasecmp(node->key, "OTLP") == 0;
}

/* A list one longer in the arena, all of it copied; there are few. */
static void *grow(struct crm_arena *arena, const void *list, size_t n, size_t size) {
  char *grown = crm_arena_calloc(arena, n + 1, size);
  if (grown != NULL && n > 0)
    memcpy(grown, list, n * size);
  return grown;
}

static char *copy(struct crm_arena *arena, const char *text, size_t len) {
  return crm_arena_strndup(arena, text, len);
}

/* Reads the options of the block into what the place points to. */
static enum crm_status read_block(struct crm_block *block, unsigned type, const struct crm_conf_node *node,
                                  const struct crm_option_place *place, struct crm_error *err) {
  enum crm_status status = crm_block_begin(block, type, node, place, err);
  if (status == CRM_OK)
    status = crm_block_read_options(block);
  return status == CRM_OK ? crm_block_set_defaults(block) : status;
}

/* Both options or neither. */
static enum crm_status check_pair(const struct crm_block *block, const char *one, const char *other) {
  bool has_one = crm_block_has(block, one), has_other = crm_block_has(block, other);
  if (has_one == has_other)
    return CRM_OK;
  const char *given = has_one ? one : other;
  crm_error_set(block->err, CRM_ERR_CONFIG, "it is given without %s; allowed: both or neither", has_one ? other : one);
  return crm_block_locate(block->err, crm_block_position(block, given), given);
}

/* --- <Listen "address:port"> ------------------------------------------------------------------------------------------------ */

/* Takes "127.0.0.1:9477", "[::1]:9477" or ":9477" apart. */
static bool split_address(const char *text, struct crm_arena *arena, struct crm_listen_options *listen) {
  char host[64];
  unsigned char binary[sizeof(struct in6_addr)];
  const char *colon = strrchr(text, ':');
  if (colon == NULL)
    return false;
  size_t len = (size_t)(colon - text);
  bool bracketed = text[0] == '[';
  if (bracketed && (len < 2 || text[len - 1] != ']'))
    return false;
  const char *begin = bracketed ? text + 1 : text;
  len -= bracketed ? 2 : 0;
  if (len >= sizeof(host))
    return false;
  memcpy(host, begin, len);
  host[len] = '\0';
  if ((len > 0 || bracketed) && inet_pton(bracketed ? AF_INET6 : AF_INET, host, binary) != 1)
    return false;
  char *end;
  long port = strtol(colon + 1, &end, 10);
  if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port < 1 || port > 65535)
    return false;
  listen->host = copy(arena, host, len);
  listen->port = copy(arena, colon + 1, strlen(colon + 1));
  return true;
}

static enum crm_status read_listen(struct crm_options *options, const struct crm_conf_node *node, const char *name, struct crm_error *err) {
  struct crm_export_options *exports = &options->exports;
  struct crm_listen_options *list = grow(&options->arena, exports->listens, exports->n_listens, sizeof(*list));
  if (list == NULL)
    return crm_block_out_of_memory(err);
  struct crm_listen_options *listen = &list[exports->n_listens];
  listen->file = node->file;
  listen->line = node->line;
  if (!split_address(name, &options->arena, listen)) {
    crm_error_set(err, CRM_ERR_CONFIG,
                  "\"%.80s\" is not an address with a port; allowed: a numeric address such as \"127.0.0.1:9477\" or \"[::1]:9477\", or "
                  "\":9477\" for all addresses of the machine",
                  name);
    return crm_block_locate(err, node, "Listen");
  }
  if (listen->host == NULL || listen->port == NULL)
    return crm_block_out_of_memory(err);
  struct crm_block block;
  enum crm_status status =
      read_block(&block, CRM_BLOCK_LISTEN, node, &(struct crm_option_place){.listen = listen, .arena = &options->arena}, err);
  if (status == CRM_OK)
    status = check_pair(&block, "CertFile", "KeyFile");
  exports->listens = list;
  exports->n_listens++;
  return status;
}

/* --- <TextFile "path"> ------------------------------------------------------------------------------------------------------ */

static enum crm_status read_textfile(struct crm_options *options, const struct crm_conf_node *node, const char *name,
                                     struct crm_error *err) {
  struct crm_export_options *exports = &options->exports;
  size_t len = strlen(name);
  if (name[0] != '/' || len < 6 || strcmp(name + len - 5, ".prom") != 0 || name[len - 6] == '/') {
    crm_error_set(err, CRM_ERR_CONFIG,
                  "\"%.200s\" cannot be the file; allowed: an absolute path that ends in .prom, which is what node_exporter reads", name);
    return crm_block_locate(err, node, "TextFile");
  }
  struct crm_textfile_options *list = grow(&options->arena, exports->textfiles, exports->n_textfiles, sizeof(*list));
  if (list == NULL)
    return crm_block_out_of_memory(err);
  struct crm_textfile_options *textfile = &list[exports->n_textfiles];
  textfile->file = node->file;
  textfile->line = node->line;
  textfile->path = copy(&options->arena, name, len);
  if (textfile->path == NULL)
    return crm_block_out_of_memory(err);
  struct crm_block block;
  enum crm_status status =
      read_block(&block, CRM_BLOCK_TEXT_FILE, node, &(struct crm_option_place){.textfile = textfile, .arena = &options->arena}, err);
  exports->textfiles = list;
  exports->n_textfiles++;
  return status;
}

/* --- <RemoteWrite "name">, <OTLP "name"> ------------------------------------------------------------------------------------ */

static enum crm_status check_sink(const struct crm_block *block) {
  const struct crm_sink_options *sink = block->place.sink;
  const char *name = NULL;
  enum crm_status status = check_pair(block, "User", "PasswordFile");
  if (status == CRM_OK)
    status = check_pair(block, "CertFile", "KeyFile");
  if (status != CRM_OK)
    return status;
  if (sink->url == NULL) {
    crm_error_set(block->err, CRM_ERR_CONFIG, "it has no URL; allowed: one URL, of the receiver");
    return crm_block_locate(block->err, block->node, crm_option_block_name(block->type));
  }
  if (sink->user != NULL && sink->bearer_token_file != NULL) {
    name = "BearerTokenFile";
    crm_error_set(block->err, CRM_ERR_CONFIG, "User and BearerTokenFile are both given; allowed: one of them");
  } else if (sink->user != NULL && strchr(sink->user, ':') != NULL) {
    name = "User";
    crm_error_set(block->err, CRM_ERR_CONFIG, "it holds a colon; allowed: a name without, and the password in PasswordFile");
  } else if (sink->proxy != NULL && strchr(sink->proxy, '@') != NULL) {
    name = "Proxy";
    crm_error_set(block->err, CRM_ERR_CONFIG, "it holds a user or a password; allowed: a URL without");
  } else if (sink->backoff_max_us < sink->backoff_min_us) {
    name = "BackoffMax";
    crm_error_set(block->err, CRM_ERR_CONFIG, "%.15g seconds is less than BackoffMin, which is %.15g", (double)sink->backoff_max_us / 1e6,
                  (double)sink->backoff_min_us / 1e6);
  }
  return name == NULL ? CRM_OK : crm_block_locate(block->err, crm_block_position(block, name), name);
}

static enum crm_status read_sink(struct crm_options *options, const struct crm_conf_node *node, const char *name, unsigned type,
                                 struct crm_error *err) {
  struct crm_export_options *exports = &options->exports;
  /* It becomes the name of a directory and the value of a label. */
  size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
  if (len == 0 || len > LONGEST_NAME || name[len] != '\0') {
    crm_error_set(err, CRM_ERR_CONFIG, "\"%.80s\" cannot be a name; allowed: 1 to %d letters, digits, '_' and '-'", name, LONGEST_NAME);
    return crm_block_locate(err, node, node->key);
  }
  struct crm_sink_options *list = grow(&options->arena, exports->sinks, exports->n_sinks, sizeof(*list));
  if (list == NULL)
    return crm_block_out_of_memory(err);
  struct crm_sink_options *sink = &list[exports->n_sinks];
  sink->file = node->file;
  sink->line = node->line;
  sink->protocol = type == CRM_BLOCK_OTLP ? CRM_OTLP : CRM_REMOTE_WRITE_1;
  sink->name = copy(&options->arena, name, len);
  if (sink->name == NULL)
    return crm_block_out_of_memory(err);
  struct crm_block block;
  enum crm_status status = read_block(&block, type, node, &(struct crm_option_place){.sink = sink, .arena = &options->arena}, err);
  if (status == CRM_OK)
    status = check_sink(&block);
  exports->sinks = list;
  exports->n_sinks++;
  return status;
}

/* --- all of them ------------------------------------------------------------------------------------------------------------- */

/* Positions outlive the tree from which they were read. */
static enum crm_status keep_file(const char **file, struct crm_arena *arena, struct crm_error *err) {
  if (*file == NULL)
    return CRM_OK;
  *file = copy(arena, *file, strlen(*file));
  return *file == NULL ? crm_block_out_of_memory(err) : CRM_OK;
}

enum crm_status crm_block_read_export(struct crm_options *options, const struct crm_conf_node *node, struct crm_error *err) {
  struct crm_export_options *exports = &options->exports;
  const char *name = NULL;
  enum crm_status status = crm_block_name(node, err, &name);
  if (status != CRM_OK)
    return status;
  if (strcasecmp(node->key, "Listen") == 0) {
    status = read_listen(options, node, name, err);
    return status == CRM_OK ? keep_file(&exports->listens[exports->n_listens - 1].file, &options->arena, err) : status;
  }
  if (strcasecmp(node->key, "TextFile") == 0) {
    status = read_textfile(options, node, name, err);
    return status == CRM_OK ? keep_file(&exports->textfiles[exports->n_textfiles - 1].file, &options->arena, err) : status;
  }
  status = read_sink(options, node, name, strcasecmp(node->key, "OTLP") == 0 ? CRM_BLOCK_OTLP : CRM_BLOCK_REMOTE_WRITE, err);
  return status == CRM_OK ? keep_file(&exports->sinks[exports->n_sinks - 1].file, &options->arena, err) : status;
}

static enum crm_status twice(const char *file, int line, int first, const char *key, const char *what, struct crm_error *err) {
  const struct crm_conf_node at = {.file = file, .line = line};
  if (first > 0)
    crm_error_set(err, CRM_ERR_CONFIG, "%s is given twice, first in line %d; allowed: each once", what, first);
  else
    crm_error_set(err, CRM_ERR_CONFIG, "%s is given twice; allowed: each once", what);
  return crm_block_locate(err, &at, key);
}

enum crm_status crm_block_check_exports(const struct crm_options *options, struct crm_error *err) {
  const struct crm_export_options *e = &options->exports;
  for (size_t i = 0; i < e->n_listens; i++)
    for (size_t j = 0; j < i; j++)
      if (strcmp(e->listens[i].host, e->listens[j].host) == 0 && strcmp(e->listens[i].port, e->listens[j].port) == 0)
        return twice(e->listens[i].file, e->listens[i].line, e->listens[j].line, "Listen", "the address", err);
  for (size_t i = 0; i < e->n_textfiles; i++)
    for (size_t j = 0; j < i; j++)
      if (strcmp(e->textfiles[i].path, e->textfiles[j].path) == 0)
        return twice(e->textfiles[i].file, e->textfiles[i].line, e->textfiles[j].line, "TextFile", "the file", err);
  for (size_t i = 0; i < e->n_sinks; i++)
    for (size_t j = 0; j < i; j++) /* file systems that do not mind letter case would take both for one directory */
      if (strcasecmp(e->sinks[i].name, e->sinks[j].name) == 0)
        return twice(e->sinks[i].file, e->sinks[i].line, e->sinks[j].line, e->sinks[i].protocol == CRM_OTLP ? "OTLP" : "RemoteWrite",
                     "the name", err);
  return CRM_OK;
}
