/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool take_number(const char **at, uint64_t *number) {
  char *end;
  if (**at < '0' || **at > '9')
    return false;
  errno = 0;
  *number = strtoull(*at, &end, 10);
  *at = end;
  return errno == 0;
}

void crm_snapshot_free(struct crm_snapshot *s) {
  free(s->running);
  *s = (struct crm_snapshot){0};
}

static bool take_running(const char *at, struct crm_snapshot *s) {
  while (*at != '\0') {
    uint64_t xid;
    if (!take_number(&at, &xid) || xid < s->xmin || xid >= s->xmax || (s->n_running > 0 && xid <= s->running[s->n_running - 1]))
      return false;
    s->running[s->n_running++] = xid;
    if (*at == ',' && at[1] != '\0')
      at++;
    else if (*at != '\0')
      return false;
  }
  return true;
}

enum crm_status crm_snapshot_read(const char *text, struct crm_snapshot *s, struct crm_error *err) {
  *s = (struct crm_snapshot){0};
  const char *at = text;
  bool ok = take_number(&at, &s->xmin) && *at++ == ':' && take_number(&at, &s->xmax) && *at++ == ':' && s->xmin > 0 && s->xmin <= s->xmax;
  if (ok) {
    s->running = calloc(strlen(at) / 2 + 1, sizeof(*s->running)); /* a digit and a comma each */
    if (s->running == NULL)
      return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
    ok = take_running(at, s);
  }
  if (ok)
    return CRM_OK;
  crm_snapshot_free(s);
  return crm_error_set(err, CRM_ERR_DATA, "the server gives a snapshot that makes no sense");
}

static bool is_running(const struct crm_snapshot *s, uint64_t xid) {
  size_t low = 0, high = s->n_running;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (s->running[middle] < xid)
      low = middle + 1;
    else
      high = middle;
  }
  return low < s->n_running && s->running[low] == xid;
}

static bool shows(const struct crm_snapshot *s, uint64_t xid) {
  return xid < s->xmin || (xid < s->xmax && !is_running(s, xid));
}

bool crm_snapshot_shows(const struct crm_snapshot *s, uint32_t xid) {
  /* The nearest number to xmax that ends in these bits. */
  uint32_t ahead = xid - (uint32_t)s->xmax;
  uint64_t whole = s->xmax + ahead - (ahead >= UINT32_C(0x80000000) ? UINT64_C(1) << 32 : 0);
  return s->xmax > 0 && shows(s, whole);
}

bool crm_snapshot_moved(const struct crm_snapshot *before, const struct crm_snapshot *now) {
  size_t of_before = 0; /* running now, and not known to `before` yet */
  for (size_t i = 0; i < now->n_running; i++)
    of_before += now->running[i] >= before->xmax;
  if (now->xmax > before->xmax && now->xmax - before->xmax > of_before)
    return true;
  for (size_t i = 0; i < before->n_running; i++)
    if (shows(now, before->running[i]))
      return true;
  return false;
}
