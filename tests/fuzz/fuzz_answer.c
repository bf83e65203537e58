/* SPDX-License-Identifier: MIT */
/* Any bytes from a receiver: as Retry-After, as the answer of OTLP, as a message for the log. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "export/answer.h"
#include "export/secret.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  static struct crm_sink_options options = {.url = "https://me:pass@host/w?token=q1w2"};
  static const struct crm_credentials credentials = {.options = &options, .bearer = {.value = (char *)"tok-1234"}};
  const char *text = (const char *)data;
  int64_t after = crm_retry_after(text, size, 1795380360000000);
  if (after < -1 || after > INT64_C(366) * 86400 * CRM_US_PER_SECOND)
    __builtin_trap();
  struct crm_otlp_answer answer;
  bool valid = crm_otlp_answer_parse(text, size, &answer);
  if (answer.rejected < 0 || (!valid && answer.message[0] != '\0') || !crm_utf8_valid(answer.message, strlen(answer.message)))
    __builtin_trap();
  char line[200];
  crm_redact_text(&credentials, text, size, line, sizeof(line));
  if (strstr(line, "tok-1234") != NULL || strstr(line, "me:pass") != NULL || strstr(line, "token=q1w2") != NULL ||
      !crm_utf8_valid(line, strlen(line)))
    __builtin_trap();
  for (const char *c = line; *c != '\0'; c++)
    if ((unsigned char)*c < 0x20)
      __builtin_trap();
  return 0;
}
