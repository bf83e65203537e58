/* SPDX-License-Identifier: MIT */
#include "series/catalogue.h"

#include <string.h>

#define CRM_NONE                                                                                                                           \
  { NULL }
#define CRM_LABELS(...)                                                                                                                    \
  { __VA_ARGS__, NULL }
#define CRM_ALWAYS 0
#define CRM_NEEDS(relation) (1u << CRM_REL_##relation)

enum { CRM_DERIVED_CELL = 0, CRM_DERIVED_TENANT = 0, CRM_DERIVED_ACCOUNT = 0, CRM_DERIVED_INSTANCE = 0, CRM_DERIVED_DERIVED = 1 };

static const struct crm_family_info families[CRM_FAMILIES] = {
#define CRM_FAMILY(id_, name_, scope_, kind_, unit_, labels_, needs_, population_, help_)                                                  \
  [CRM_FAM_##id_] = {.name = "crm_" name_,                                                                                                 \
                     .scope = CRM_SCOPE_##scope_,                                                                                          \
                     .derived = CRM_DERIVED_##scope_,                                                                                      \
                     .kind = CRM_##kind_,                                                                                                  \
                     .unit = unit_,                                                                                                        \
                     .labels = labels_,                                                                                                    \
                     .needs = needs_,                                                                                                      \
                     .population = population_,                                                                                            \
                     .help = help_},
#include "series/catalogue.def"
#undef CRM_FAMILY
};

const struct crm_family_info *crm_family_info(enum crm_family family) {
  return &families[family];
}

enum crm_family crm_family_by_name(const char *name) {
  for (unsigned i = 0; i < CRM_FAMILIES; i++)
    if (strcmp(families[i].name, name) == 0)
      return (enum crm_family)i;
  return CRM_FAMILIES;
}

size_t crm_family_label_count(enum crm_family family) {
  size_t n = 0;
  while (n < CRM_FAMILY_LABELS && families[family].labels[n] != NULL)
    n++;
  return n;
}
