/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t change_time(const struct stat *st) {
  return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

void crm_token_free(struct crm_token *token) {
  if (token->value != NULL)
    explicit_bzero(token->value, strlen(token->value));
  free(token->value);
  token->value = NULL;
}

/* Reads up to `size` bytes; -1 on error. */
static ssize_t read_all(int fd, char *buf, size_t size) {
  size_t len = 0;
  while (len < size) {
    ssize_t n = read(fd, buf + len, size - len);
    if (n == 0)
      break;
    if (n < 0 && errno != EINTR)
      return -1;
    len += n > 0 ? (size_t)n : 0;
  }
  return (ssize_t)len;
}

/* The first line of the open file; NULL and why not. */
static char *read_line(int fd, const struct stat *st, const char **why) {
  char buf[CRM_TOKEN_MAX + 2];
  char *value = NULL;
  *why = NULL;
  if (!S_ISREG(st->st_mode))
    *why = "it is not a regular file";
  else if ((st->st_mode & (S_IROTH | S_IWOTH)) != 0)
    *why = "every user may read or write it; run chmod o-rwx on it";
  if (*why != NULL)
    return NULL;
  ssize_t len = read_all(fd, buf, sizeof(buf) - 1);
  if (len < 0) {
    *why = "it cannot be read";
    return NULL;
  }
  buf[len] = '\0';
  size_t line = strcspn(buf, "\r\n");
  if (line == 0)
    *why = "its first line is empty";
  else if (line > CRM_TOKEN_MAX)
    *why = "its first line is longer than 4096 bytes";
  for (size_t i = 0; i < line && *why == NULL; i++)
    if ((unsigned char)buf[i] <= ' ' || (unsigned char)buf[i] >= 0x7f)
      *why = "its first line holds blanks or characters that no token has";
  if (*why == NULL && (value = strndup(buf, line)) == NULL)
    *why = "out of memory";
  explicit_bzero(buf, sizeof(buf));
  return value;
}

enum crm_status crm_token_refresh(struct crm_token *token, struct crm_error *err) {
  struct stat st;
  if (token->value != NULL && stat(token->path, &st) == 0 && st.st_dev == token->device && st.st_ino == token->inode &&
      (uint64_t)st.st_size == token->size && change_time(&st) == token->changed_ns)
    return CRM_OK;
  crm_token_free(token);
  int fd = open(token->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hold us */
  if (fd < 0 || fstat(fd, &st) != 0) {
    crm_error_set(err, CRM_ERR_IO, "token file %.400s: %s", token->path, strerror(errno));
    if (fd >= 0)
      close(fd);
    return CRM_ERR_IO;
  }
  const char *why;
  token->value = read_line(fd, &st, &why);
  close(fd);
  if (token->value == NULL)
    return crm_error_set(err, CRM_ERR_IO, "token file %.400s: %s", token->path, why);
  token->device = st.st_dev;
  token->inode = st.st_ino;
  token->size = (uint64_t)st.st_size;
  token->changed_ns = change_time(&st);
  return CRM_OK;
}

bool crm_token_fits(const struct crm_token *token, const char *authorization) {
  if (token->value == NULL || authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0)
    return false;
  const char *shown = authorization + 7 + strspn(authorization + 7, " ");
  size_t len = strlen(shown), wanted = strlen(token->value);
  /* As many steps as what is shown has bytes, whatever fits: the time tells its own length only. */
  volatile unsigned char differs = len != wanted;
  for (size_t i = 0; i < len; i++)
    differs |= (unsigned char)((unsigned char)shown[i] ^ (unsigned char)token->value[i % wanted]);
  return differs == 0;
}
