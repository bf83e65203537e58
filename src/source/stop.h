/* SPDX-License-Identifier: MIT */
/* Internal to source: what a wait needs of the stop flag. */
#ifndef CRM_SOURCE_STOP_H
#define CRM_SOURCE_STOP_H

#include "source/source.h"

/* Becomes readable at the request and stays so; never read from it. Valid as long as the flag. */
int crm_stop_fd(const struct crm_stop *stop);

/* Waits until one of `events` (POLLIN, POLLOUT) is there on `fd` (or fd is -1), `deadline_us` (monotonic) has passed, or the stop is
 * requested. CRM_OK, CRM_ERR_TIMEOUT or CRM_ERR_STOPPED; the stop comes first. A socket in error counts as ready, since the next read tells
 * the reason. */
enum crm_status crm_stop_poll(const struct crm_stop *stop, int fd, short events, int64_t deadline_us) CRM_MUSTCHECK;

#endif
