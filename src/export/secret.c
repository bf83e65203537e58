/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"

#define SECRET_MAX_BYTES 8192

static int64_t change_time(const struct stat *st) {
  return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static void forget(char *value) {
  if (value != NULL)
    explicit_bzero(value, strlen(value));
  free(value);
}

/* The first line of an open file; NULL and `why` if it is of no use. */
static char *read_line(int fd, const char **why) {
  char buf[SECRET_MAX_BYTES + 2];
  size_t len = 0;
  ssize_t n;
  while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0 || (n < 0 && errno == EINTR))
    len += n > 0 ? (size_t)n : 0;
  buf[n < 0 ? 0 : len] = '\0';
  char *value = NULL;
  size_t line = strcspn(buf, "\r\n");
  *why = NULL;
  if (n < 0)
    *why = "cannot be read";
  else if (line == 0)
    *why = "has an empty first line";
  else if (line > SECRET_MAX_BYTES)
    *why = "has a first line of more than 8192 bytes";
  for (size_t i = 0; i < line && *why == NULL; i++)
    if ((unsigned char)buf[i] < 0x20 || buf[i] == 0x7f)
      *why = "has control characters in its first line";
  if (*why == NULL) {
    value = strndup(buf, line);
    if (value == NULL)
      *why = "cannot be read: out of memory";
  }
  explicit_bzero(buf, sizeof(buf));
  return value;
}

static enum crm_status read_secret(struct crm_secret *secret, struct crm_error *err) {
  struct stat st;
  int fd = open(secret->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hold us */
  if (fd < 0 || fstat(fd, &st) != 0) {
    char text[128];
    const char *why = strerror_r(errno, text, sizeof(text));
    if (fd >= 0)
      close(fd);
    return crm_error_set(err, CRM_ERR_CONFIG, "the file %.400s cannot be opened: %s", secret->path, why);
  }
  const char *why = NULL;
  char *value = NULL;
  if (!S_ISREG(st.st_mode))
    why = "is no regular file";
  else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    why = "holds a secret, but group or others have rights on it; use chmod 600";
  else
    value = read_line(fd, &why);
  close(fd);
  if (value == NULL)
    return crm_error_set(err, CRM_ERR_CONFIG, "the file %.400s %s", secret->path, why);
  forget(secret->value);
  secret->value = value;
  secret->device = st.st_dev;
  secret->inode = st.st_ino;
  secret->size = (uint64_t)st.st_size;
  secret->changed_ns = change_time(&st);
  return CRM_OK;
}

static bool has_changed(const struct crm_secret *secret) {
  struct stat st;
  return stat(secret->path, &st) != 0 || st.st_dev != secret->device || st.st_ino != secret->inode ||
         (uint64_t)st.st_size != secret->size || change_time(&st) != secret->changed_ns;
}

static enum crm_status refresh(struct crm_secret *secret, bool force, struct crm_error *err) {
  if (secret->path == NULL || (!force && !has_changed(secret)))
    return CRM_OK;
  return read_secret(secret, err);
}

enum crm_status crm_credentials_refresh(struct crm_credentials *c, bool force, struct crm_error *err) {
  struct crm_error fault = {0}, *first = &fault;
  enum crm_status status = refresh(&c->password, force, first);
  enum crm_status next = refresh(&c->bearer, force, status == CRM_OK ? first : NULL);
  status = status == CRM_OK ? next : status;
  for (size_t i = 0; i < c->options->n_headers; i++) {
    next = refresh(&c->headers[i], force, status == CRM_OK ? first : NULL);
    status = status == CRM_OK ? next : status;
  }
  if (status != CRM_OK && err != NULL)
    *err = fault;
  return status;
}

enum crm_status crm_credentials_init(struct crm_credentials *c, const struct crm_sink_options *options, struct crm_error *err) {
  *c = (struct crm_credentials){
      .options = options, .password.path = options->password_file, .bearer.path = options->bearer_token_file, .headers = NULL};
  if (options->n_headers > 0) {
    c->headers = calloc(options->n_headers, sizeof(*c->headers));
    if (c->headers == NULL)
      return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  }
  for (size_t i = 0; i < options->n_headers; i++)
    c->headers[i].path = options->headers[i].value == NULL ? options->headers[i].file : NULL;
  enum crm_status status = crm_credentials_refresh(c, true, err);
  if (status != CRM_OK)
    crm_credentials_free(c);
  return status;
}

void crm_credentials_free(struct crm_credentials *c) {
  forget(c->password.value);
  forget(c->bearer.value);
  for (size_t i = 0; c->headers != NULL && i < c->options->n_headers; i++)
    forget(c->headers[i].value);
  free(c->headers);
  c->password.value = c->bearer.value = NULL;
  c->headers = NULL;
}

bool crm_credentials_from_files(const struct crm_credentials *c) {
  bool any = c->password.path != NULL || c->bearer.path != NULL;
  for (size_t i = 0; i < c->options->n_headers; i++)
    any = any || c->headers[i].path != NULL;
  return any;
}

/* --- messages -------------------------------------------------------------------------------------------------------------- */

void crm_redact_url(const char *url, char *buf, size_t size) {
  const char *host = strstr(url, "://");
  host = host == NULL ? url : host + 3;
  size_t authority = strcspn(host, "/?#");
  const char *at = memrchr(host, '@', authority);
  const char *rest = at == NULL ? host : at + 1;
  snprintf(buf, size, "%.*s%s%.*s%s", (int)(host - url), url, at == NULL ? "" : "***@", (int)strcspn(rest, "?#"), rest,
           rest[strcspn(rest, "?#")] == '\0' ? "" : "?***");
}

/* The length of `secret` if the text begins with it; short ones would hide harmless text. */
static size_t begins_with(const char *text, size_t len, const char *secret, size_t secret_len) {
  return secret_len >= 4 && secret_len <= len && memcmp(text, secret, secret_len) == 0 ? secret_len : 0;
}

static size_t secret_at(const struct crm_credentials *c, const char *text, size_t len) {
  const struct crm_sink_options *o = c->options;
  size_t n = 0;
  if (c->password.value != NULL)
    n = begins_with(text, len, c->password.value, strlen(c->password.value));
  if (n == 0 && c->bearer.value != NULL)
    n = begins_with(text, len, c->bearer.value, strlen(c->bearer.value));
  for (size_t i = 0; n == 0 && i < o->n_headers; i++)
    if (crm_credentials_header(c, i) != NULL)
      n = begins_with(text, len, crm_credentials_header(c, i), strlen(crm_credentials_header(c, i)));
  if (n > 0 || o->url == NULL)
    return n;
  const char *host = strstr(o->url, "://");
  host = host == NULL ? o->url : host + 3;
  const char *at = memrchr(host, '@', strcspn(host, "/?#"));
  if (at != NULL)
    n = begins_with(text, len, host, (size_t)(at - host));
  const char *query = strpbrk(host, "?#");
  return n == 0 && query != NULL ? begins_with(text, len, query + 1, strlen(query + 1)) : n;
}

/* Bytes up to the end of a value that begins at `text`: before the next quote, which has a backslash if the opening one had. */
static size_t value_length(const char *text, size_t len, bool escaped) {
  for (size_t i = 0; i < len; i++)
    if (text[i] == '"' && (escaped ? i > 0 && text[i - 1] == '\\' && !(i > 1 && text[i - 2] == '\\') : i == 0 || text[i - 1] != '\\'))
      return escaped ? i - 1 : i;
  return len;
}

void crm_redact_text(const struct crm_credentials *c, const char *text, size_t len, char *buf, size_t size) {
  size_t out = 0;
  for (size_t i = 0; i < len && out + 1 < size;) {
    size_t secret = secret_at(c, text + i, len - i);
    bool plain_value = i >= 2 && text[i - 1] == '"' && text[i - 2] == '=';
    bool escaped_value = i >= 3 && text[i - 1] == '"' && text[i - 2] == '\\' && text[i - 3] == '=';
    if (secret == 0 && (plain_value || escaped_value))
      secret = value_length(text + i, len - i, escaped_value);
    if (secret > 0) {
      for (int k = 0; k < 3 && out + 1 < size; k++)
        buf[out++] = '*';
      i += secret;
      continue;
    }
    buf[out++] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
    i++;
  }
  buf[out] = '\0';
  for (size_t i = 0; i < out; i++) /* a character that was cut at the end, or bytes of no character at all */
    if ((unsigned char)buf[i] >= 0x80 && !crm_utf8_valid(buf, out))
      buf[i] = '?';
  while (out > 0 && buf[out - 1] == ' ')
    buf[--out] = '\0';
}
