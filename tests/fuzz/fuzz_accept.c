/* SPDX-License-Identifier: MIT */
/* Any bytes as the headers of a scrape: Accept, Accept-Encoding and Authorization. Nothing may be read out of bounds, a range that refuses
 * is no wish, and nobody is let in who does not show the whole token. */
#include "crm_config.h" /* strcasestr */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "export/exposition.h"
#include "export/token.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  char *text = malloc(size + 1); /* to its very size, so that one byte too many is seen */
  if (text == NULL)
    return 0;
  memcpy(text, data, size);
  text[size] = '\0';
  const char *header = text;
  enum crm_exposition_format format = crm_exposition_negotiate(header);
  if ((unsigned)format >= CRM_EXPOSITION_FORMATS)
    abort();
  /* What is not named, by a type or by a wildcard, is not given. */
  if (format == CRM_EXPOSITION_PROTOBUF && strcasestr(header, "vnd.google.protobuf") == NULL && strstr(header, "*") == NULL)
    abort();
  if (format == CRM_EXPOSITION_OPENMETRICS && strcasestr(header, "openmetrics") == NULL && strstr(header, "*") == NULL)
    abort();
  if (crm_accepts_gzip(header) && strcasestr(header, "gzip") == NULL && strstr(header, "*") == NULL)
    abort();
  char value[] = "tok-en";
  const struct crm_token token = {.path = "", .value = value};
  if (crm_token_fits(&token, header) && (strncasecmp(header, "bearer ", 7) != 0 || strcmp(strrchr(header, ' ') + 1, value) != 0))
    abort();
  free(text);
  return 0;
}
