/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"

#define NAME_BYTES 80
#define FILE_MAX_BYTES ((off_t)1 << 30)

static enum crm_status io_error(struct crm_error *err, const char *what, const char *path, const char *name) {
  char text[128];
  int code = errno;
  return crm_error_set(err, CRM_ERR_IO, "cannot %s %.400s%s%s: %s", what, path, name[0] == '\0' ? "" : "/", name,
                       strerror_r(code, text, sizeof(text)));
}

/* --- names ------------------------------------------------------------------------------------------------------------------------- */

static bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

void crm_spool_escape(const char *name, char *out) {
  for (const char *c = name; *c != '\0'; c++) {
    if (plain(*c) || (*c == '.' && c > name)) {
      *out++ = *c;
    } else {
      snprintf(out, 4, "%%%02X", (unsigned)(unsigned char)*c);
      out += 3;
    }
  }
  *out = '\0';
}

static int hex_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool crm_spool_unescape(const char *text, char *out) {
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '%') {
      int high = hex_digit(c[1]), low = high < 0 ? -1 : hex_digit(c[2]);
      char meant = (char)(high * 16 + low);
      if (low < 0 || meant == '\0' || plain(meant) || (meant == '.' && c > text))
        return false;
      *out++ = meant;
      c += 2;
    } else if (plain(*c) || (*c == '.' && c > text)) {
      *out++ = *c;
    } else {
      return false;
    }
  }
  *out = '\0';
  return true;
}

static void format_name(const struct crm_spool_file *file, char buf[NAME_BYTES]) {
  snprintf(buf, NAME_BYTES, "%020" PRId64 "-%06" PRIu32 "-%" PRIu32 ".batch", file->at, file->part, file->n);
}

/* Digits up to `end`, which is skipped. */
static bool take_number(const char **at, char end, uint64_t max, uint64_t *value) {
  const char *start = *at;
  *value = 0;
  for (; **at >= '0' && **at <= '9'; (*at)++) {
    uint64_t digit = (uint64_t)(**at - '0');
    if (*value > (max - digit) / 10)
      return false;
    *value = *value * 10 + digit;
  }
  return *at > start && *(*at)++ == end;
}

bool crm_spool_parse_name(const char *name, struct crm_spool_file *file) {
  uint64_t at = 0, part = 0, n = 0;
  const char *c = name;
  if (!take_number(&c, '-', INT64_MAX, &at) || !take_number(&c, '-', UINT32_MAX, &part) || !take_number(&c, '.', UINT32_MAX, &n) ||
      strcmp(c, "batch") != 0)
    return false;
  *file = (struct crm_spool_file){.at = (crm_time)at, .part = (uint32_t)part, .n = (uint32_t)n};
  char again[NAME_BYTES];
  format_name(file, again);
  return strcmp(again, name) == 0; /* or removing it would miss it */
}

/* PATH/NAME, to be freed. */
static char *join(const char *path, const char *name) {
  char *joined = NULL;
  return asprintf(&joined, "%s/%s", path, name) < 0 ? NULL : joined;
}

/* --- the sink's directory ------------------------------------------------------------------------------------------------------------ */

static enum crm_status make_dir(const char *path, struct crm_error *err) {
  struct stat st;
  if (mkdir(path, 0700) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
    return CRM_OK;
  return io_error(err, "make the directory", path, "");
}

static char *join_escaped(const char *path, const char *name) {
  char *escaped = malloc(3 * strlen(name) + 1);
  if (escaped == NULL)
    return NULL;
  crm_spool_escape(name, escaped);
  char *joined = join(path, escaped);
  free(escaped);
  return joined;
}

enum crm_status crm_spool_open(struct crm_spool *spool, const char *dir, const char *sink, struct crm_error *err) {
  *spool = (struct crm_spool){.lock = -1};
  char *path = join_escaped(dir, sink);
  char *lock = path == NULL ? NULL : join(path, "lock");
  enum crm_status status = CRM_OK;
  if (lock == NULL)
    status = crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  if (status == CRM_OK)
    status = make_dir(dir, err);
  if (status == CRM_OK)
    status = make_dir(path, err);
  if (status == CRM_OK) {
    spool->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (spool->lock < 0)
      status = io_error(err, "open", lock, "");
    else if (flock(spool->lock, LOCK_EX | LOCK_NB) != 0)
      status = errno == EWOULDBLOCK ? crm_error_set(err, CRM_ERR_IO, "another process uses the directory %.400s", path)
                                    : io_error(err, "lock", lock, "");
  }
  free(lock);
  if (status == CRM_OK) {
    spool->path = path;
    return CRM_OK;
  }
  free(path);
  if (spool->lock >= 0)
    close(spool->lock);
  spool->lock = -1;
  return status;
}

void crm_spool_close(struct crm_spool *spool) {
  if (spool->path != NULL)
    close(spool->lock);
  free(spool->path);
  *spool = (struct crm_spool){.lock = -1};
}

void crm_spool_instances(const struct crm_spool *spool, void (*found)(void *ctx, const char *instance), void *ctx) {
  DIR *dir = opendir(spool->path);
  if (dir == NULL)
    return;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    char name[NAME_MAX + 1];
    struct stat st;
    if (strlen(entry->d_name) <= NAME_MAX && crm_spool_unescape(entry->d_name, name) && name[0] != '\0' &&
        fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
      found(ctx, name);
  }
  closedir(dir);
}

/* --- an instance's directory -----------------------------------------------------------------------------------------------------------
 */

static int compare_files(const void *left, const void *right) {
  const struct crm_spool_file *a = left, *b = right;
  if (a->at != b->at)
    return a->at < b->at ? -1 : 1;
  return a->part != b->part ? (a->part < b->part ? -1 : 1) : (a->n > b->n) - (a->n < b->n);
}

static enum crm_status find_files(struct crm_spool_dir *dir, struct crm_error *err) {
  DIR *d = opendir(dir->path);
  if (d == NULL)
    return io_error(err, "read the directory", dir->path, "");
  enum crm_status status = CRM_OK;
  for (struct dirent *entry; status == CRM_OK && (entry = readdir(d)) != NULL;) {
    struct crm_spool_file file;
    struct stat st;
    if (!crm_spool_parse_name(entry->d_name, &file) || fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode))
      continue;
    file.bytes = (size_t)st.st_size;
    status = crm_vec_reserve((void **)&dir->files, &dir->cap, dir->n + 1, sizeof(*dir->files));
    if (status == CRM_OK) {
      dir->files[dir->n++] = file;
      dir->bytes += file.bytes;
    } else {
      crm_error_set(err, status, "out of memory");
    }
  }
  closedir(d);
  if (dir->n > 1)
    qsort(dir->files, dir->n, sizeof(*dir->files), compare_files);
  return status;
}

enum crm_status crm_spool_dir_open(struct crm_spool_dir *dir, const struct crm_spool *spool, const char *instance, struct crm_error *err) {
  *dir = (struct crm_spool_dir){.path = join_escaped(spool->path, instance)};
  if (dir->path == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  enum crm_status status = make_dir(dir->path, err);
  if (status == CRM_OK)
    status = find_files(dir, err);
  if (status != CRM_OK)
    crm_spool_dir_close(dir);
  return status;
}

void crm_spool_dir_close(struct crm_spool_dir *dir) {
  free(dir->path);
  free(dir->files);
  *dir = (struct crm_spool_dir){0};
}

/* --- files -------------------------------------------------------------------------------------------------------------------------------
 */

static bool write_all(int fd, const char *data, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, data, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    data += n;
    len -= (size_t)n;
  }
  return true;
}

/* Writes a file that is there whole or not at all. */
static enum crm_status replace(const char *dir, const char *name, const struct crm_strbuf *data, struct crm_error *err) {
  char *to = join(dir, name), *temporary = join(dir, "new");
  enum crm_status status = CRM_OK;
  int fd = -1;
  if (to == NULL || temporary == NULL) {
    status = crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
    goto out;
  }
  fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool written = fd >= 0 && write_all(fd, data->data, data->len);
  if (fd >= 0 && close(fd) != 0)
    written = false;
  if (!written || rename(temporary, to) != 0) {
    status = io_error(err, "write", dir, name);
    if (fd >= 0)
      unlink(temporary); /* a full disk needs the room */
  }
out:
  free(to);
  free(temporary);
  return status;
}

static enum crm_status read_file(const char *dir, const char *name, bool may_lack, struct crm_strbuf *data, struct crm_error *err) {
  crm_strbuf_reset(data);
  char *path = join(dir, name);
  int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  int code = errno;
  free(path);
  if (fd < 0) {
    errno = path == NULL ? ENOMEM : code;
    return may_lack && errno == ENOENT ? CRM_OK : io_error(err, "open", dir, name);
  }
  enum crm_status status = CRM_OK;
  struct stat st;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX_BYTES)
    status = crm_error_set(err, CRM_ERR_DATA, "%.400s/%s is no file of ours", dir, name);
  char buf[16384];
  for (ssize_t n; status == CRM_OK && (n = read(fd, buf, sizeof(buf))) != 0;) {
    if (n > 0)
      crm_strbuf_add(data, buf, (size_t)n);
    else if (errno != EINTR)
      status = io_error(err, "read", dir, name);
  }
  close(fd);
  if (status == CRM_OK && !crm_strbuf_ok(data))
    status = crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  return status;
}

enum crm_status crm_spool_put(struct crm_spool_dir *dir, crm_time at, uint32_t part, uint32_t n, const struct crm_strbuf *data,
                              struct crm_error *err) {
  struct crm_spool_file file = {.at = at, .part = part, .n = n, .bytes = data->len};
  char name[NAME_BYTES];
  if (at < 0)
    return crm_error_set(err, CRM_ERR_DATA, "no instant before 1970 can be spooled");
  if (dir->first > 0 && dir->n == dir->cap) { /* the room of those that are gone */
    memmove(dir->files, dir->files + dir->first, crm_spool_count(dir) * sizeof(*dir->files));
    dir->n -= dir->first;
    dir->first = 0;
  }
  if (crm_vec_reserve((void **)&dir->files, &dir->cap, dir->n + 1, sizeof(*dir->files)) != CRM_OK)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  format_name(&file, name);
  enum crm_status status = replace(dir->path, name, data, err);
  if (status != CRM_OK)
    return status;
  dir->files[dir->n++] = file;
  dir->bytes += file.bytes;
  return CRM_OK;
}

enum crm_status crm_spool_read(const struct crm_spool_dir *dir, const struct crm_spool_file *file, struct crm_strbuf *data,
                               struct crm_error *err) {
  char name[NAME_BYTES];
  format_name(file, name);
  return read_file(dir->path, name, false, data, err);
}

static bool is_bad(const char *name) {
  size_t len = strlen(name);
  return len > 4 && strcmp(name + len - 4, ".bad") == 0;
}

/* Removes the oldest .bad file if there are too many. */
static void bound_bad_files(const char *path) {
  DIR *d = opendir(path);
  if (d == NULL)
    return;
  char oldest[NAME_MAX + 1] = "";
  int n = 0;
  for (struct dirent *entry; (entry = readdir(d)) != NULL;)
    if (is_bad(entry->d_name) && strlen(entry->d_name) <= NAME_MAX) {
      n++;
      if (oldest[0] == '\0' || strcmp(entry->d_name, oldest) < 0)
        strcpy(oldest, entry->d_name);
    }
  if (n > CRM_SPOOL_BAD_FILES)
    (void)unlinkat(dirfd(d), oldest, 0);
  closedir(d);
}

static void set_aside(const char *dir, const char *name) {
  char *from = join(dir, name), *to = NULL;
  if (from != NULL && asprintf(&to, "%s.bad", from) > 0) {
    if (rename(from, to) != 0)
      (void)unlink(from); /* rather lost than met again and again */
    free(to);
  }
  free(from);
  bound_bad_files(dir);
}

void crm_spool_remove(struct crm_spool_dir *dir, size_t i, bool bad) {
  struct crm_spool_file *file = &dir->files[dir->first + i];
  char name[NAME_BYTES];
  format_name(file, name);
  char *path = join(dir->path, name);
  if (bad)
    set_aside(dir->path, name);
  else if (path != NULL)
    (void)unlink(path); /* if that fails it is sent once more after a restart, which receivers bear */
  free(path);
  dir->bytes -= file->bytes;
  memmove(&dir->files[dir->first + 1], &dir->files[dir->first], i * sizeof(*dir->files));
  dir->first++;
  if (dir->first == dir->n)
    dir->first = dir->n = 0;
}

void crm_spool_take_back(struct crm_spool_dir *dir) {
  if (crm_spool_count(dir) == 0)
    return;
  struct crm_spool_file newest = dir->files[dir->n - 1];
  char name[NAME_BYTES];
  format_name(&newest, name);
  char *path = join(dir->path, name);
  if (path != NULL)
    (void)unlink(path);
  free(path);
  dir->bytes -= newest.bytes;
  dir->n--;
}

enum crm_status crm_spool_put_state(const struct crm_spool_dir *dir, const struct crm_strbuf *data, struct crm_error *err) {
  if (data->len > 0)
    return replace(dir->path, "state", data, err);
  char *path = join(dir->path, "state");
  enum crm_status status = path == NULL ? crm_error_set(err, CRM_ERR_MEMORY, "out of memory") : CRM_OK;
  if (path != NULL && unlink(path) != 0 && errno != ENOENT)
    status = io_error(err, "remove", path, "");
  free(path);
  return status;
}

enum crm_status crm_spool_get_state(const struct crm_spool_dir *dir, struct crm_strbuf *data, struct crm_error *err) {
  return read_file(dir->path, "state", true, data, err);
}

void crm_spool_state_bad(const struct crm_spool_dir *dir) {
  set_aside(dir->path, "state");
}
