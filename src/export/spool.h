/* SPDX-License-Identifier: MIT */
/* Where a sink keeps what has not been taken by its receiver: SPOOL/SINK/INSTANCE/, one file per batch, and the file `state` with the series that are alive at the receiver.
 *
 * A file is written under another name and then renamed, so that a process that is killed leaves whole files only. Nothing is synced to the disk: what the kernel has
 * taken survives the end of the process in any way, and of a machine without power the last half minute may be lost; a file torn that way is told by its
 * checksum and set aside as NAME.bad, of which the newest ten stay. One process at a time: SPOOL/SINK/lock is held with flock(2). */
#ifndef CRM_EXPORT_SPOOL_H
#define CRM_EXPORT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "facts/calendar.h"

#define CRM_SPOOL_BAD_FILES 10

struct crm_spool {
  char *path; /* SPOOL/SINK */
  int lock;
};

/* Makes the directories that are missing (mode 0700) and takes the lock. CRM_ERR_IO, also when another process holds the lock; CRM_ERR_MEMORY. */
enum crm_status crm_spool_open(struct crm_spool *spool, const char *dir, const char *sink, struct crm_error *err) CRM_MUSTCHECK;
void crm_spool_close(struct crm_spool *spool);
static inline bool crm_spool_is_open(const struct crm_spool *spool) { return spool->path != NULL; }
/* Calls `found` for every instance that has a directory. */
void crm_spool_instances(const struct crm_spool *spool, void (*found)(void *ctx, const char *instance), void *ctx);

struct crm_spool_file {
  crm_time at;
  uint32_t part; /* of its tick, from 0 */
  uint32_t n;    /* series in it */
  size_t bytes;
};

/* Of one instance. Files are in the order of instant and part. */
struct crm_spool_dir {
  char *path;
  struct crm_spool_file *files;
  size_t n, cap;
  size_t first; /* files[first .. n) are there: taking from the front moves nothing */
  size_t bytes; /* of all of them */
};

/* Makes the directory if it is missing, and finds its files. */
enum crm_status crm_spool_dir_open(struct crm_spool_dir *dir, const struct crm_spool *spool, const char *instance, struct crm_error *err) CRM_MUSTCHECK;
void crm_spool_dir_close(struct crm_spool_dir *dir);
static inline bool crm_spool_dir_is_open(const struct crm_spool_dir *dir) { return dir->path != NULL; }
static inline size_t crm_spool_count(const struct crm_spool_dir *dir) { return dir->n - dir->first; }
static inline const struct crm_spool_file *crm_spool_oldest(const struct crm_spool_dir *dir) {
  return dir->first < dir->n ? &dir->files[dir->first] : NULL;
}

/* Writes a file; it must be later than all that are there. CRM_ERR_IO (the disk is full, ...): then it is not there. */
enum crm_status crm_spool_put(struct crm_spool_dir *dir, crm_time at, uint32_t part, uint32_t n, const struct crm_strbuf *data, struct crm_error *err) CRM_MUSTCHECK;
/* Takes back the newest file. */
void crm_spool_take_back(struct crm_spool_dir *dir);
/* Contents of a file into `data`. */
enum crm_status crm_spool_read(const struct crm_spool_dir *dir, const struct crm_spool_file *file, struct crm_strbuf *data, struct crm_error *err) CRM_MUSTCHECK;
/* Removes file number `i`, counted from the oldest; or, `bad`, sets it aside. */
void crm_spool_remove(struct crm_spool_dir *dir, size_t i, bool bad);

/* The file `state`, replaced atomically; `data` empty: removes it. */
enum crm_status crm_spool_put_state(const struct crm_spool_dir *dir, const struct crm_strbuf *data, struct crm_error *err) CRM_MUSTCHECK;
/* CRM_OK and an empty `data` if there is none. */
enum crm_status crm_spool_get_state(const struct crm_spool_dir *dir, struct crm_strbuf *data, struct crm_error *err) CRM_MUSTCHECK;
void crm_spool_state_bad(const struct crm_spool_dir *dir);

/* A name as one component of a path: bytes but letters, digits, '_', '-' and inner '.' become %XX. Takes 3 * strlen(name) + 1 bytes at most. */
void crm_spool_escape(const char *name, char *out);
/* Back; false if it was not made by crm_spool_escape. `out` takes strlen(text) + 1 bytes. */
bool crm_spool_unescape(const char *text, char *out);
/* The name of a batch's file, "INSTANT-PART-SERIES.batch", read; false if it is none. */
bool crm_spool_parse_name(const char *name, struct crm_spool_file *file);

#endif
