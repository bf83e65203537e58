/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/conninfo.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"

#define PASSWORD_MAX 1024

void crm_database_title(const struct crm_database_options *options, const char *instance, char *buf, size_t size) {
  if (options->name != NULL && options->name[0] != '\0')
    snprintf(buf, size, "database \"%s\" of instance %s", options->name, instance);
  else
    snprintf(buf, size, "database of instance %s", instance);
}

/* --- secrets --- */

static void wipe_free(char *text) {
  if (text == NULL)
    return;
  explicit_bzero(text, strlen(text));
  free(text);
}

enum crm_status crm_secrets_add(struct crm_secrets *secrets, const char *text) {
  if (text == NULL || text[0] == '\0')
    return CRM_OK;
  for (size_t i = 0; i < secrets->n; i++)
    if (strcmp(secrets->text[i], text) == 0)
      return CRM_OK;
  if (secrets->n == CRM_SECRETS_MAX)
    return CRM_ERR_LIMIT;
  secrets->text[secrets->n] = strdup(text);
  if (secrets->text[secrets->n] == NULL)
    return CRM_ERR_MEMORY;
  secrets->n++;
  return CRM_OK;
}

void crm_secrets_free(struct crm_secrets *secrets) {
  for (size_t i = 0; i < secrets->n; i++)
    wipe_free(secrets->text[i]);
  secrets->n = 0;
}

static bool is_word(char c) {
  return isalnum((unsigned char)c) != 0 || c == '_';
}

/* The length of the secret that stands at `at`, or 0. A secret of one to three characters is looked for as a word of its own only: blotting
 * out every "e" would hide the message and show the password. */
static size_t secret_at(const struct crm_secrets *secrets, const char *start, const char *at) {
  size_t longest = 0;
  for (size_t i = 0; i < secrets->n; i++) {
    size_t len = strlen(secrets->text[i]);
    if (len <= longest || strncmp(at, secrets->text[i], len) != 0)
      continue;
    if (len < 4 && ((at > start && is_word(at[-1])) || is_word(at[len])))
      continue;
    longest = len;
  }
  return longest;
}

void crm_secrets_scrub(const struct crm_secrets *secrets, const char *text, char *out, size_t size) {
  size_t n = 0;
  for (const char *p = text; *p != '\0' && n + 4 < size;) {
    size_t len = secret_at(secrets, text, p);
    if (len > 0) {
      memcpy(out + n, "***", 3);
      n += 3;
      p += len;
    } else if (*p == '\n') {
      while (*p == '\n' || *p == ' ' || *p == '\t')
        p++;
      if (*p != '\0' && n > 0) {
        memcpy(out + n, "; ", 2);
        n += 2;
      }
    } else {
      out[n++] = iscntrl((unsigned char)*p) ? ' ' : *p;
      p++;
    }
  }
  while (n > 0 && out[n - 1] == ' ')
    n--;
  out[n] = '\0';
}

/* --- keywords and values --- */

const char *crm_conninfo_get(const struct crm_conninfo *conninfo, const char *keyword) {
  for (size_t i = 0; i < conninfo->n; i++)
    if (strcmp(conninfo->keywords[i], keyword) == 0)
      return conninfo->values[i];
  return NULL;
}

void crm_conninfo_free(struct crm_conninfo *conninfo) {
  for (size_t i = 0; i < conninfo->n; i++) {
    free((char *)conninfo->keywords[i]);
    wipe_free((char *)conninfo->values[i]);
  }
  *conninfo = (struct crm_conninfo){0};
}

static enum crm_status put(struct crm_conninfo *conninfo, const char *keyword, const char *value) {
  if (value == NULL || value[0] == '\0')
    return CRM_OK;
  char *copy = strdup(value);
  if (copy == NULL)
    return CRM_ERR_MEMORY;
  for (size_t i = 0; i < conninfo->n; i++) {
    if (strcmp(conninfo->keywords[i], keyword) != 0)
      continue;
    wipe_free((char *)conninfo->values[i]);
    conninfo->values[i] = copy;
    return CRM_OK;
  }
  char *key = conninfo->n < CRM_CONNINFO_MAX ? strdup(keyword) : NULL;
  if (key == NULL) {
    wipe_free(copy);
    return CRM_ERR_MEMORY;
  }
  conninfo->keywords[conninfo->n] = key;
  conninfo->values[conninfo->n] = copy;
  conninfo->n++;
  return CRM_OK;
}

static enum crm_status put_default(struct crm_conninfo *conninfo, const char *keyword, const char *value) {
  return crm_conninfo_get(conninfo, keyword) != NULL ? CRM_OK : put(conninfo, keyword, value);
}

/* libpq takes a "dbname" of this look for a connection string. */
static bool is_uri(const char *text) {
  return strncmp(text, "postgresql://", 13) == 0 || strncmp(text, "postgres://", 11) == 0;
}
static bool is_connection_string(const char *text) {
  return text != NULL && (is_uri(text) || strchr(text, '=') != NULL);
}

static enum crm_status put_string(struct crm_conninfo *conninfo, struct crm_secrets *secrets, const char *text) {
  char *libpq_text = NULL;
  PQconninfoOption *parsed = PQconninfoParse(text, &libpq_text);
  PQfreemem(libpq_text); /* not shown: it quotes the piece it could not read, which may be the password */
  if (parsed == NULL)
    return CRM_ERR_CONFIG;
  enum crm_status status = CRM_OK;
  for (const PQconninfoOption *o = parsed; o->keyword != NULL && status == CRM_OK; o++) {
    if (o->val == NULL)
      continue;
    status = put(conninfo, o->keyword, o->val);
    if (status == CRM_OK && o->dispchar != NULL && o->dispchar[0] == '*') /* libpq's mark for what is not to be shown */
      status = crm_secrets_add(secrets, o->val);
    explicit_bzero(o->val, strlen(o->val));
  }
  PQconninfoFree(parsed);
  return status;
}

/* The first line of the file, without its line end, into `password` (PASSWORD_MAX bytes). */
static enum crm_status read_password(const char *path, char *password, struct crm_error *err) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return crm_error_set(err, CRM_ERR_IO, "password file %s: %s", path, strerror(errno));
  enum crm_status status = CRM_OK;
  struct stat st;
  ssize_t n = 0;
  if (fstat(fd, &st) != 0)
    status = crm_error_set(err, CRM_ERR_IO, "password file %s: %s", path, strerror(errno));
  else if (!S_ISREG(st.st_mode))
    status = crm_error_set(err, CRM_ERR_IO, "password file %s: not a regular file", path);
  else if ((st.st_mode & (S_IROTH | S_IWOTH)) != 0)
    status = crm_error_set(err, CRM_ERR_IO, "password file %s: every user may read or write it (mode %03o); run chmod o-rwx on it", path,
                           (unsigned)(st.st_mode & 0777));
  else if ((n = read(fd, password, PASSWORD_MAX)) < 0)
    status = crm_error_set(err, CRM_ERR_IO, "password file %s: %s", path, strerror(errno));
  close(fd);
  if (status != CRM_OK || n < 0)
    return status;
  char *end = memchr(password, '\n', (size_t)n);
  if (end == NULL && n == PASSWORD_MAX)
    return crm_error_set(err, CRM_ERR_IO, "password file %s: its first line is longer than %d bytes", path, PASSWORD_MAX - 1);
  size_t len = end != NULL ? (size_t)(end - password) : (size_t)n;
  if (len > 0 && password[len - 1] == '\r')
    len--;
  password[len] = '\0';
  if (len == 0 || strlen(password) != len)
    return crm_error_set(err, CRM_ERR_IO, "password file %s: %s", path,
                         len == 0 ? "its first line is empty" : "its first line holds a NUL byte");
  return CRM_OK;
}

static enum crm_status put_password_file(struct crm_conninfo *conninfo, struct crm_secrets *secrets, const char *path,
                                         struct crm_error *err) {
  char password[PASSWORD_MAX];
  enum crm_status status = read_password(path, password, err);
  if (status == CRM_OK) {
    status = put(conninfo, "password", password);
    if (status == CRM_OK)
      status = crm_secrets_add(secrets, password);
    if (status != CRM_OK)
      crm_error_set(err, status, "out of memory");
  }
  explicit_bzero(password, sizeof(password));
  return status;
}

/* An unreachable first address must leave time for the others, and libpq's own connect_timeout does not work without blocking. On Linux
 * tcp_user_timeout also bounds the handshake; a name usually has two addresses. */
static int64_t user_timeout_ms(const struct crm_conninfo *conninfo, int64_t connect_timeout_us) {
  const char *hosts = crm_conninfo_get(conninfo, "host");
  if (hosts == NULL)
    hosts = crm_conninfo_get(conninfo, "hostaddr");
  int64_t n = 2;
  for (const char *p = hosts; p != NULL && *p != '\0'; p++)
    n += *p == ',' ? 2 : 0;
  int64_t ms = connect_timeout_us / 1000 / n;
  return ms < 1000 ? 1000 : ms;
}

static bool is_address(const char *host) {
  unsigned char address[sizeof(struct in6_addr)];
  return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static enum crm_status put_ours(struct crm_conninfo *conninfo, const char *instance, int64_t connect_timeout_us) {
  char name[64], timeout[32];
  snprintf(name, sizeof(name), "collectd-crm/%s", instance);
  snprintf(timeout, sizeof(timeout), "%lld", (long long)user_timeout_ms(conninfo, connect_timeout_us));
  enum crm_status status = put(conninfo, "application_name", name);
  const char *host = crm_conninfo_get(conninfo, "host");
  const struct {
    const char *keyword, *value;
    bool insist;
  } ours[] = {
      {"client_encoding", "UTF8", true},
      {"keepalives", "1", false},
      {"keepalives_idle", "30", false},
      {"keepalives_interval", "10", false},
      {"keepalives_count", "3", false},
      {"tcp_user_timeout", timeout, false},
      /* Name resolution blocks; with hostaddr libpq does none. */
      {"hostaddr", host != NULL && is_address(host) ? host : NULL, false},
  };
  for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]) && status == CRM_OK; i++)
    status = ours[i].insist ? put(conninfo, ours[i].keyword, ours[i].value) : put_default(conninfo, ours[i].keyword, ours[i].value);
  return status;
}

enum crm_status crm_conninfo_build(const struct crm_database_options *options, const char *instance, int64_t connect_timeout_us,
                                   struct crm_conninfo *conninfo, struct crm_secrets *secrets, struct crm_error *err) {
  *conninfo = (struct crm_conninfo){0};
  *secrets = (struct crm_secrets){0};
  char title[160];
  crm_database_title(options, instance, title, sizeof(title));

  const char *strings[] = {options->conninfo, is_connection_string(options->dbname) ? options->dbname : NULL};
  for (size_t i = 0; i < 2; i++) {
    if (strings[i] == NULL || strings[i][0] == '\0')
      continue;
    enum crm_status status = put_string(conninfo, secrets, strings[i]);
    if (status == CRM_ERR_CONFIG)
      return crm_error_set(err, CRM_ERR_CONFIG,
                           "%s: libpq cannot read the connection string; it must be keyword=value pairs with libpq's keywords, "
                           "or a URI postgresql://user@host:port/dbname",
                           title);
    if (status != CRM_OK)
      return crm_error_set(err, status, "%s: out of memory", title);
  }
  const char *dbname = crm_conninfo_get(conninfo, "dbname");
  if (dbname != NULL && (is_uri(dbname) || strstr(dbname, "password=") != NULL))
    return crm_error_set(err, CRM_ERR_CONFIG, "%s: dbname inside a connection string is a connection string itself", title);

  const struct {
    const char *keyword, *value;
  } single[] = {
      {"host", options->host},
      {"port", options->port},
      {"dbname", is_connection_string(options->dbname) ? NULL : options->dbname},
      {"user", options->user},
      {"service", options->service},
      {"sslmode", options->sslmode},
      {"sslrootcert", options->sslrootcert},
      {"passfile", options->passfile},
  };
  for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
    if (put(conninfo, single[i].keyword, single[i].value) != CRM_OK)
      return crm_error_set(err, CRM_ERR_MEMORY, "%s: out of memory", title);

  if (options->password_file != NULL && options->password_file[0] != '\0') {
    enum crm_status status = put_password_file(conninfo, secrets, options->password_file, err);
    if (status != CRM_OK)
      return crm_error_prefix(err, "%s", title);
  }
  if (put_ours(conninfo, instance, connect_timeout_us) != CRM_OK)
    return crm_error_set(err, CRM_ERR_MEMORY, "%s: out of memory", title);
  return CRM_OK;
}
