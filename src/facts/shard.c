/* SPDX-License-Identifier: MIT */
#include "facts/shard.h"

#include <glib.h>

/* A number of up to four digits that does not begin with 0; *text is then behind it. 0 if there is none. */
static unsigned read_number(const char **text) {
  unsigned number = 0;
  for (int digits = 0; digits < 4 && **text >= '0' + (digits == 0) && **text <= '9'; digits++)
    number = 10 * number + (unsigned)(*(*text)++ - '0');
  return number;
}

bool crm_shard_parse(const char *text, struct crm_shard *shard) {
  unsigned number = read_number(&text);
  if (number == 0 || *text++ != '/')
    return false;
  unsigned of = read_number(&text);
  if (*text != '\0' || of < number || of > CRM_SHARDS_MAX)
    return false;
  *shard = (struct crm_shard){(uint16_t)number, (uint16_t)of};
  return true;
}

uint32_t crm_shard_hash(const char *id, size_t len) {
  guint8 digest[16];
  gsize size = sizeof(digest);
  GChecksum *md5 = g_checksum_new(G_CHECKSUM_MD5);
  g_checksum_update(md5, (const guchar *)id, (gssize)len);
  g_checksum_get_digest(md5, digest, &size);
  g_checksum_free(md5);
  return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
}

bool crm_shard_holds(struct crm_shard shard, const char *id, size_t len) {
  return !crm_shard_is_part(shard) || crm_shard_hash(id, len) % shard.of == shard.number - 1u;
}

bool crm_shard_needs_all(enum crm_relation relation) {
  return relation == CRM_REL_ACCOUNT || relation == CRM_REL_REVENUE || relation == CRM_REL_CONTRACT || relation == CRM_REL_SUPPORT;
}
