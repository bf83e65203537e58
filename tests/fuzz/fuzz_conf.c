/* SPDX-License-Identifier: MIT */
/* Any bytes as a configuration: parsed, and, if they parse, taken for the inside of <Plugin crm>. */
#include "crm_config.h"

#include "options/options.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  struct crm_options options;
  struct crm_arena arena;
  struct crm_conf_node root;
  struct crm_error err;
  crm_options_init(&options);
  crm_arena_init(&arena, 64 << 20);
  if (crm_conf_parse((const char *)data, size, "fuzz", &arena, &root, &err) == CRM_OK &&
      crm_options_parse(&options, &root, "/nonexistent", &err) == CRM_OK && crm_options_finish(&options, &err) != CRM_OK &&
      options.n_instances > 1000)
    __builtin_trap(); /* every instance costs more bytes of input than that */
  crm_options_free(&options);
  crm_arena_free(&arena);
  return 0;
}
