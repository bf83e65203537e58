/* SPDX-License-Identifier: MIT */
/* A relay between a client and a server that can do what networks do: hold back, cut in two, break off. It listens on a port of the
 * loopback and passes everything on to a Unix socket, in a thread of its own. */
#ifndef CRM_TESTS_RELAY_H
#define CRM_TESTS_RELAY_H

#include <stdbool.h>
#include <stdint.h>

enum relay_fault {
  RELAY_NONE,
  RELAY_RESET,    /* both ends see a reset */
  RELAY_TRUNCATE, /* both ends see an orderly end in the midst of what was said */
  RELAY_STALL,    /* nothing comes through any more, for `ms` or, with a negative one, for good; the connection stays */
  RELAY_DELAY,    /* from then on everything goes in pieces of at most 500 bytes, each `ms` after the one before */
};

struct relay;

/* Fills *port. NULL with a message on stderr if it cannot be. The target need not be there yet: a client is sent away as long as it is not.
 */
struct relay *relay_start(const char *target_socket, int *port);
void relay_stop(struct relay *relay);

/* One fault, at the connection on which the byte number `after`, counted from now over all of them in that direction, would have been
 * passed on; that byte and what follows are the first it concerns. */
void relay_arm(struct relay *relay, enum relay_fault fault, bool to_client, uint64_t after, int ms);
/* Has the fault that was armed last come to pass? */
bool relay_struck(struct relay *relay);
/* Nothing is armed any more, and nothing is delayed; a connection that was stalled for good stays so. True if the fault has come to pass.
 */
bool relay_disarm(struct relay *relay);
/* Bytes passed on so far. */
void relay_count(struct relay *relay, uint64_t *to_server, uint64_t *to_client);

#endif
