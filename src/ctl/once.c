/* SPDX-License-Identifier: MIT */
#include "ctl/ctl.h"

#include <string.h>

#include "export/text.h"

/* Output is bounded, but far beyond what a person or a file of samples needs. */
enum { OUTPUT_MAX = 1 << 30 };

const char crm_ctl_once_help[] = "Usage: crmctl [OPTIONS] once [--format text|json] [--at TIME]\n"
                                 "\n"
                                 "Reads the CRM once and prints every series. It only reads.\n"
                                 "\n"
                                 "  --format text    the text format of Prometheus (default)\n"
                                 "  --format json    one JSON object: {\"at\": ..., \"series\": [...]}\n"
                                 "  --at TIME        as of that instant: 2026-03-01, 2026-03-01T12:00:00Z,\n"
                                 "                   \"2026-03-01 12:00\" in the instance's time zone, or @SECONDS\n"
                                 "\n"
                                 "To see some of them:          crmctl once | grep crm_health\n"
                                 "Series of single accounts:    crmctl --set 'PerAccount \"all\"' once\n"
                                 "All options:                  crmctl --help\n"
                                 "Exit status: 0 all there, 1 a relation was left out (stderr says which), 2 could not run.\n";

int crm_ctl_once(struct crm_ctl *ctl) {
  struct crm_series_set set;
  struct crm_error err = {0};
  bool left_out = false;
  bool json = ctl->json || (ctl->format != NULL && strcmp(ctl->format, "json") == 0);
  if (crm_set_init(&set) != CRM_OK) {
    crm_error_set(&err, CRM_ERR_MEMORY, "out of memory");
    return crm_ctl_fail(ctl, &err);
  }
  int result;
  if (crm_ctl_evaluate(ctl, &set, &left_out, &err) != CRM_OK)
    result = crm_ctl_fail(ctl, &err);
  else {
    struct crm_strbuf out;
    crm_strbuf_init(&out, OUTPUT_MAX);
    if (json)
      crm_export_json(&set, &out);
    else
      crm_export_text(&set, &out);
    result = crm_ctl_print(ctl, &out, left_out ? CRM_CTL_LEFT_OUT : CRM_CTL_OK);
    crm_strbuf_free(&out);
  }
  crm_set_free(&set);
  return result;
}
