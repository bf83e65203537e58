/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/pages.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/clock.h"

enum {
  GZIP_CHUNK = 1 << 20,
  GZIP_PENDING = 1 << 17, /* what zlib may still hold of the chunks before */
  GZIP_LEVEL = 1,         /* label texts repeat so much that higher levels cost three times the time for a tenth of the size */
  OLD_TICKS = 3,
};
static const int64_t old_least_us = 300 * CRM_US_PER_SECOND, old_unknown_us = 900 * CRM_US_PER_SECOND;
/* For how long memory waits for the next page of its kind. */
static const int64_t spare_us = 600 * CRM_US_PER_SECOND;
static const size_t page_max = (size_t)4 << 30;

/* The newest frames at one moment, and what was made of them. */
struct snapshot {
  int refs;               /* under pages->mutex */
  pthread_mutex_t render; /* guards `page`; held while one is made, so that each is made once */
  struct crm_page *page[CRM_EXPOSITION_FORMATS][2][2];
  size_t n;
  struct crm_frame *frames[];
};

struct current {
  struct crm_frame *frame;
  int64_t arrived_us, gap_us; /* monotonic; between the last two frames, 0 before the second */
};

/* What publishing put aside for crm_pages_tend to free: that may take milliseconds, which the publishing thread has not. */
struct rest {
  struct rest *next;
  struct crm_frame *frame;
  struct snapshot *snapshot;
};

/* Memory of a page that nobody reads any more, for the next one: that it need not be cleared by the system again is a third of the cost. */
struct spare {
  char *data;
  size_t cap;
  int64_t since_us;
};

enum { KINDS = CRM_EXPOSITION_FORMATS * 4 };

static unsigned kind_index(struct crm_page_kind kind) {
  return ((unsigned)kind.format * 2 + kind.per_account) * 2 + kind.gzip;
}

struct crm_pages {
  const char *const *instances;
  const struct crm_log *log;
  _Atomic(bool) stop;
  pthread_mutex_t mutex;
  struct snapshot *snapshot; /* NULL: to be made of `current` when somebody asks */
  struct rest *rests;
  struct spare spares[KINDS];
  bool changed, told_left_out;
  size_t n;
  struct current current[];
};

void crm_page_unref(struct crm_page *page) {
  if (page == NULL || --page->refs > 0)
    return;
  struct crm_pages *pages = page->pages;
  char *unused = page->data;
  pthread_mutex_lock(&pages->mutex);
  struct spare *spare = &pages->spares[page->kind];
  if (!pages->stop && page->cap > spare->cap) {
    unused = spare->data;
    *spare = (struct spare){.data = page->data, .cap = page->cap, .since_us = crm_clock_monotonic_us()};
  }
  pthread_mutex_unlock(&pages->mutex);
  free(unused);
  free(page);
}

/* An empty text with the memory of an earlier page of the kind. */
static void begin_text(struct crm_pages *pages, struct crm_page_kind kind, struct crm_strbuf *text) {
  crm_strbuf_init(text, page_max);
  pthread_mutex_lock(&pages->mutex);
  struct spare *spare = &pages->spares[kind_index(kind)];
  text->data = spare->data;
  text->cap = spare->cap;
  *spare = (struct spare){.data = NULL};
  pthread_mutex_unlock(&pages->mutex);
}

static void drop_spares(struct crm_pages *pages, int64_t now_us) {
  for (int k = 0; k < KINDS; k++) {
    pthread_mutex_lock(&pages->mutex);
    struct spare spare = pages->spares[k];
    bool old = spare.data != NULL && now_us - spare.since_us > spare_us;
    if (old)
      pages->spares[k] = (struct spare){.data = NULL};
    pthread_mutex_unlock(&pages->mutex);
    if (old)
      free(spare.data);
  }
}

static void snapshot_free(struct snapshot *snapshot) {
  for (size_t i = 0; i < snapshot->n; i++)
    crm_frame_unref(snapshot->frames[i]);
  for (int f = 0; f < CRM_EXPOSITION_FORMATS; f++)
    for (int k = 0; k < 4; k++)
      crm_page_unref(snapshot->page[f][k / 2][k % 2]);
  pthread_mutex_destroy(&snapshot->render);
  free(snapshot);
}

static void snapshot_unref(struct crm_pages *pages, struct snapshot *snapshot) {
  if (snapshot == NULL)
    return;
  pthread_mutex_lock(&pages->mutex);
  bool last = --snapshot->refs == 0;
  pthread_mutex_unlock(&pages->mutex);
  if (last)
    snapshot_free(snapshot);
}

struct crm_pages *crm_pages_new(const char *const *instances, size_t n, const struct crm_log *log) {
  struct crm_pages *pages = calloc(1, sizeof(*pages) + n * sizeof(pages->current[0]));
  if (pages == NULL)
    return NULL;
  pages->instances = instances;
  pages->n = n;
  pages->log = log;
  pthread_mutex_init(&pages->mutex, NULL);
  return pages;
}

static void free_rests(struct crm_pages *pages, struct rest *rest) {
  while (rest != NULL) {
    struct rest *next = rest->next;
    crm_frame_unref(rest->frame);
    snapshot_unref(pages, rest->snapshot);
    free(rest);
    rest = next;
  }
}

void crm_pages_free(struct crm_pages *pages) {
  if (pages == NULL)
    return;
  free_rests(pages, pages->rests);
  snapshot_unref(pages, pages->snapshot);
  for (size_t i = 0; i < pages->n; i++)
    crm_frame_unref(pages->current[i].frame);
  for (int k = 0; k < KINDS; k++)
    free(pages->spares[k].data);
  pthread_mutex_destroy(&pages->mutex);
  free(pages);
}

/* Puts what the pages held aside. With the mutex held. */
static void put_aside(struct crm_pages *pages, struct rest *rest, struct crm_frame *frame) {
  *rest = (struct rest){.next = pages->rests, .frame = frame, .snapshot = pages->snapshot};
  pages->rests = rest;
  pages->snapshot = NULL;
  pages->changed = true;
}

bool crm_pages_publish(struct crm_pages *pages, struct crm_frame *frame, int64_t now_us) {
  size_t i = 0;
  while (i < pages->n && strcmp(pages->instances[i], frame->instance) != 0)
    i++;
  struct rest *rest = i < pages->n ? calloc(1, sizeof(*rest)) : NULL;
  if (rest == NULL)
    return i < pages->n;
  pthread_mutex_lock(&pages->mutex);
  struct current *current = &pages->current[i];
  put_aside(pages, rest, current->frame);
  current->gap_us = current->frame != NULL ? now_us - current->arrived_us : 0;
  current->arrived_us = now_us;
  current->frame = crm_frame_ref(frame);
  pthread_mutex_unlock(&pages->mutex);
  return true;
}

/* For how long the values of a tick may be shown. */
static int64_t old_after_us(const struct current *current) {
  if (current->gap_us == 0)
    return old_unknown_us;
  return OLD_TICKS * current->gap_us > old_least_us ? OLD_TICKS * current->gap_us : old_least_us;
}

bool crm_pages_tend(struct crm_pages *pages, int64_t now_us) {
  for (size_t i = 0; i < pages->n; i++) {
    struct rest *rest = calloc(1, sizeof(*rest));
    if (rest == NULL)
      continue;
    pthread_mutex_lock(&pages->mutex);
    struct current *current = &pages->current[i];
    bool old = current->frame != NULL && now_us - current->arrived_us > old_after_us(current);
    if (old) {
      put_aside(pages, rest, current->frame);
      *current = (struct current){.frame = NULL};
    }
    pthread_mutex_unlock(&pages->mutex);
    if (old)
      crm_log(pages->log, CRM_LOG_WARNING, "instance %s: the daemon has not asked for values for long; the last ones are shown no more",
              pages->instances[i]);
    else
      free(rest);
  }
  pthread_mutex_lock(&pages->mutex);
  struct rest *rests = pages->rests;
  bool changed = pages->changed;
  pages->rests = NULL;
  pages->changed = false;
  pthread_mutex_unlock(&pages->mutex);
  free_rests(pages, rests);
  drop_spares(pages, now_us);
  return changed;
}

void crm_pages_stop(struct crm_pages *pages) {
  pages->stop = true;
}

/* --- rendering --------------------------------------------------------------------------------------------------------------------- */

static enum crm_status make_page(struct crm_pages *pages, struct crm_page_kind kind, struct crm_strbuf *text, enum crm_status status,
                                 struct crm_page **page) {
  size_t len = text->len, cap = text->cap;
  char *data = status == CRM_OK ? crm_strbuf_take(text) : NULL;
  *page = data == NULL ? NULL : calloc(1, sizeof(**page));
  if (*page == NULL) {
    free(data);
    crm_strbuf_free(text);
    return status == CRM_OK ? CRM_ERR_MEMORY : status;
  }
  (*page)->refs = 1;
  (*page)->data = data;
  (*page)->len = len;
  (*page)->cap = cap;
  (*page)->pages = pages;
  (*page)->kind = kind_index(kind);
  return CRM_OK;
}

static void tell_left_out(struct crm_pages *pages, size_t n) {
  pthread_mutex_lock(&pages->mutex);
  bool first = n > 0 && !pages->told_left_out;
  pages->told_left_out = n > 0;
  pthread_mutex_unlock(&pages->mutex);
  if (first)
    crm_log(pages->log, CRM_LOG_WARNING,
            "%zu series are left out of scrapes and text files: two instances have the same tenant, and only the first one's are shown", n);
}

static enum crm_status render(struct crm_pages *pages, const struct snapshot *snapshot, struct crm_page_kind kind, struct crm_page **page) {
  const struct crm_series_set **sets = calloc(2 * snapshot->n + 1, sizeof(*sets));
  if (sets == NULL)
    return CRM_ERR_MEMORY;
  size_t n = 0;
  for (size_t i = 0; i < snapshot->n; i++) {
    if (snapshot->frames[i]->business != NULL)
      sets[n++] = snapshot->frames[i]->business;
    sets[n++] = snapshot->frames[i]->own;
  }
  struct crm_strbuf text;
  struct crm_exposition_count count;
  const struct crm_exposition_options options = {.format = kind.format, .per_account = kind.per_account, .stop = &pages->stop};
  begin_text(pages, kind, &text);
  enum crm_status status = crm_exposition(sets, n, &options, &count, &text);
  free(sets);
  if (status == CRM_OK)
    tell_left_out(pages, count.n_left_out);
  return make_page(pages, kind, &text, status, page);
}

static enum crm_status compress_page(struct crm_pages *pages, struct crm_page_kind kind, const struct crm_page *plain,
                                     struct crm_page **page) {
  z_stream z = {.zalloc = NULL};
  struct crm_strbuf text;
  if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) /* + 16: gzip, not zlib */
    return CRM_ERR_MEMORY;
  begin_text(pages, kind, &text);
  enum crm_status status = CRM_OK;
  int rc = Z_OK;
  for (size_t at = 0; status == CRM_OK && rc != Z_STREAM_END;) {
    size_t chunk = plain->len - at < GZIP_CHUNK ? plain->len - at : GZIP_CHUNK;
    size_t bound = deflateBound(&z, chunk) + GZIP_PENDING;
    char *p = crm_strbuf_room(&text, bound);
    z.next_in = (Bytef *)plain->data + at;
    z.avail_in = (uInt)chunk;
    z.next_out = (Bytef *)p;
    z.avail_out = (uInt)bound;
    at += chunk;
    if (p == NULL)
      status = CRM_ERR_MEMORY;
    else
      rc = deflate(&z, at < plain->len ? Z_NO_FLUSH : Z_FINISH);
    if (status == CRM_OK && (rc == Z_STREAM_ERROR || z.avail_in > 0))
      status = CRM_ERR_MEMORY; /* cannot be: there was room for all of it */
    if (status == CRM_OK)
      crm_strbuf_took(&text, bound - z.avail_out);
    if (status == CRM_OK && pages->stop)
      status = CRM_ERR_STOPPED;
  }
  deflateEnd(&z);
  return make_page(pages, kind, &text, status, page);
}

/* With snapshot->render held. The page belongs to the snapshot. */
static enum crm_status page_of(struct crm_pages *pages, struct snapshot *snapshot, struct crm_page_kind kind, struct crm_page **page) {
  struct crm_page **slot = &snapshot->page[kind.format][kind.per_account][kind.gzip];
  enum crm_status status = CRM_OK;
  struct crm_page *plain = NULL;
  if (*slot == NULL && kind.gzip)
    status = page_of(pages, snapshot, (struct crm_page_kind){kind.format, kind.per_account, false}, &plain);
  if (*slot == NULL && status == CRM_OK)
    status = kind.gzip ? compress_page(pages, kind, plain, slot) : render(pages, snapshot, kind, slot);
  *page = *slot;
  return status;
}

/* The snapshot in force, with a reference; NULL when out of memory. */
static struct snapshot *take_snapshot(struct crm_pages *pages) {
  pthread_mutex_lock(&pages->mutex);
  struct snapshot *snapshot = pages->snapshot;
  if (snapshot == NULL && (snapshot = calloc(1, sizeof(*snapshot) + pages->n * sizeof(snapshot->frames[0]))) != NULL) {
    pthread_mutex_init(&snapshot->render, NULL);
    snapshot->refs = 1;
    for (size_t i = 0; i < pages->n; i++)
      if (pages->current[i].frame != NULL)
        snapshot->frames[snapshot->n++] = crm_frame_ref(pages->current[i].frame);
    pages->snapshot = snapshot;
  }
  if (snapshot != NULL)
    snapshot->refs++;
  pthread_mutex_unlock(&pages->mutex);
  return snapshot;
}

enum crm_status crm_pages_get(struct crm_pages *pages, struct crm_page_kind kind, struct crm_page **page) {
  struct snapshot *snapshot = take_snapshot(pages);
  if (snapshot == NULL)
    return CRM_ERR_MEMORY;
  pthread_mutex_lock(&snapshot->render);
  enum crm_status status = page_of(pages, snapshot, kind, page);
  if (status == CRM_OK)
    (*page)->refs++;
  pthread_mutex_unlock(&snapshot->render);
  snapshot_unref(pages, snapshot);
  return status;
}
