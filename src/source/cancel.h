/* SPDX-License-Identifier: MIT */
/* Internal to source: asking the server to end a query, without waiting for a server that never answers. */
#ifndef CRM_SOURCE_CANCEL_H
#define CRM_SOURCE_CANCEL_H

#include <libpq-fe.h>
#include <stdint.h>

/* Sends a cancel request for the connection's running statement and waits for at most `wait_us`. PQcancel blocks without a limit, so it
 * runs in a thread of its own which owns only its PGcancel; past the wait it is left to itself and ends when the kernel gives up on the
 * server. */
void crm_cancel_bounded(PGconn *pg, int64_t wait_us);

#endif
