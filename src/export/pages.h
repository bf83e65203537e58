/* SPDX-License-Identifier: MIT */
/* What a scrape and a text file show: the newest frame of each instance, rendered at most once for each format and then given from memory to
 * as many readers as there are. Used by several threads. */
#ifndef CRM_EXPORT_PAGES_H
#define CRM_EXPORT_PAGES_H

#include "base/log.h"
#include "export/exposition.h"
#include "export/frame.h"

struct crm_pages;

struct crm_page {
  _Atomic(int) refs;
  char *data;
  size_t len;
  /* Where its memory goes for the next page of the kind. */
  size_t cap;
  struct crm_pages *pages;
  unsigned kind;
};
/* From any thread, before the pages are freed; NULL is allowed. */
void crm_page_unref(struct crm_page *page);

/* For `n` instances; their names must outlive the pages. NULL when out of memory. */
struct crm_pages *crm_pages_new(const char *const *instances, size_t n, const struct crm_log *log);
/* All readers have ended. NULL is allowed. */
void crm_pages_free(struct crm_pages *pages);

/* Takes a reference to the frame, in the place of the instance's last one. Frees nothing and waits for nothing but a short lock. False if there is no such instance. */
bool crm_pages_publish(struct crm_pages *pages, struct crm_frame *frame, int64_t now_us);
/* Frees what publishing left behind, and forgets the frame of an instance that has had no tick for long, so that old values do not look
 * alive. To be called about once a second. True if something was published or forgotten since the last call. */
bool crm_pages_tend(struct crm_pages *pages, int64_t now_us);
/* What is being rendered is given up, and nothing more is. */
void crm_pages_stop(struct crm_pages *pages);

struct crm_page_kind {
  enum crm_exposition_format format;
  bool per_account, gzip;
};
/* The page as of now, with a reference for the caller. CRM_ERR_MEMORY, CRM_ERR_STOPPED. */
enum crm_status crm_pages_get(struct crm_pages *pages, struct crm_page_kind kind, struct crm_page **page) CRM_MUSTCHECK;

#endif
