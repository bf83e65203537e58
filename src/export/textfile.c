/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum crm_status fault(struct crm_error *err, const char *path, const char *what) {
  char text[128];
  return crm_error_set(err, CRM_ERR_IO, "%.400s cannot be %s: %s", path, what, strerror_r(errno, text, sizeof(text)));
}

/* 0, or -1 with errno. */
static int write_all(int fd, const char *data, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, data, len);
    if (n < 0 && errno != EINTR)
      return -1;
    data += n > 0 ? n : 0;
    len -= n > 0 ? (size_t)n : 0;
  }
  return 0;
}

/* The name in the directory is on disk only when the directory is, too. A file system that cannot do that is left in peace. */
static void sync_directory(const char *path) {
  char directory[PATH_MAX];
  const char *slash = strrchr(path, '/');
  snprintf(directory, sizeof(directory), "%.*s", slash == path ? 1 : (int)(slash - path), path);
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  (void)fsync(fd);
  close(fd);
}

enum crm_status crm_textfile_write(const char *path, const char *data, size_t len, struct crm_error *err) {
  char temporary[PATH_MAX];
  if (snprintf(temporary, sizeof(temporary), "%s.tmp", path) >= (int)sizeof(temporary)) {
    errno = ENAMETOOLONG;
    return fault(err, path, "written");
  }
  (void)unlink(temporary); /* what a crash left, or a link that somebody put there */
  int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0)
    return fault(err, temporary, "created");
  enum crm_status status = CRM_OK;
  if (write_all(fd, data, len) != 0 || fsync(fd) != 0)
    status = fault(err, temporary, "written");
  if (close(fd) != 0 && status == CRM_OK)
    status = fault(err, temporary, "written");
  if (status == CRM_OK && rename(temporary, path) != 0)
    status = fault(err, path, "replaced");
  if (status != CRM_OK)
    (void)unlink(temporary);
  else
    sync_directory(path);
  return status;
}

void crm_textfile_remove(const char *path) {
  (void)unlink(path);
}
