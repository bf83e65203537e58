/* SPDX-License-Identifier: MIT */
/* crm-workload-run HOST USER DATABASE SEED ACCOUNTS: the random workload as a program. Makes some accounts, says "ready", and then does
 * what standard input says, a line each, until that ends: run STEPS     so many steps, a few milliseconds apart; "done" when all of it is
 * committed disconnect    from the server, which may then be restarted; "done" connect       again; "done" */
#include "crm_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/crm_workload.h"

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: crm-workload-run HOST USER DATABASE SEED ACCOUNTS\n");
    return 2;
  }
  struct crm_workload w = {0};
  crm_workload_open(&w, argv[1], argv[2], argv[3], strtoull(argv[4], NULL, 10));
  crm_workload_begin(&w, atoi(argv[5]));
  puts("ready");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof(line), stdin) != NULL) {
    int steps = 0;
    if (sscanf(line, "run %d", &steps) == 1) {
      for (int i = 0; i < steps; i++) {
        crm_workload_step(&w);
        usleep(3000);
      }
      crm_workload_settle(&w);
    } else if (strcmp(line, "disconnect\n") == 0) {
      crm_workload_disconnect(&w);
    } else if (strcmp(line, "connect\n") == 0) {
      crm_workload_connect(&w);
    } else {
      fprintf(stderr, "crm-workload-run: what is \"%.*s\"?\n", (int)strcspn(line, "\n"), line);
      return 2;
    }
    puts("done");
    fflush(stdout);
  }
  crm_workload_close(&w);
  return 0;
}
