/* SPDX-License-Identifier: MIT */
/* crm-relay SOCKET: the relay as a program. Prints its port, and then one line for each line of standard input, until that ends:
 *   count                            bytes passed on so far: to the server, to the client
 *   reset|truncate TO AFTER          TO is client or server: after so many bytes from now
 *   stall|delay TO AFTER MS          -1: for good
 *   status, disarm                   "struck" or "missed"; a fault that missed is still armed after the first */
#include "crm_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/relay.h"

static bool obey(struct relay *relay, const char *line) {
  static const char *const faults[] = {"none", "reset", "truncate", "stall", "delay"};
  char word[16] = "", to[16] = "";
  uint64_t after = 0, up, down;
  int ms = -1;
  int n = sscanf(line, "%15s %15s %" SCNu64 " %d", word, to, &after, &ms);
  if (strcmp(word, "count") == 0) {
    relay_count(relay, &up, &down);
    printf("%" PRIu64 " %" PRIu64 "\n", up, down);
    return true;
  }
  if (strcmp(word, "disarm") == 0 || strcmp(word, "status") == 0) {
    printf("%s\n", (word[0] == 'd' ? relay_disarm : relay_struck)(relay) ? "struck" : "missed");
    return true;
  }
  for (int i = RELAY_RESET; i <= RELAY_DELAY; i++)
    if (strcmp(word, faults[i]) == 0 && n == (i >= RELAY_STALL ? 4 : 3)) {
      relay_arm(relay, (enum relay_fault)i, strcmp(to, "client") == 0, after, ms);
      printf("armed\n");
      return true;
    }
  return false;
}

int main(int argc, char **argv) {
  int port;
  struct relay *relay = argc == 2 ? relay_start(argv[1], &port) : NULL;
  if (relay == NULL) {
    fprintf(stderr, "usage: crm-relay SOCKET\n");
    return 2;
  }
  printf("%d\n", port);
  fflush(stdout);
  char line[128];
  while (fgets(line, sizeof(line), stdin) != NULL) {
    if (!obey(relay, line)) {
      fprintf(stderr, "crm-relay: what is \"%.*s\"?\n", (int)strcspn(line, "\n"), line);
      relay_stop(relay);
      return 2;
    }
    fflush(stdout);
  }
  relay_stop(relay);
  return 0;
}
