/* SPDX-License-Identifier: MIT */
/* Series as they lie in the spool: a batch that waits for its receiver, or the series that are alive there.
 *
 * Not the bytes of a request: so a batch can still be halved, or said in another version of the protocol, when its receiver will not have it. A value is kept as the
 * very rational it was, so that the request made of it is the same, byte for byte, however often it is made.
 *
 * Numbers are little-endian; V is a varint of 7 bits per byte, lowest first; T is V bytes of text.
 *   header, 32 bytes: "CRMB", u16 version (1), u16 0, i64 instant, u32 series, u32 length of the body, u32 its length before compression,
 *                     u32 CRC-32 of the 28 bytes before and of the body
 *   body, snappy:     V lists of dimensions, each V names: T...; V texts: T...;
 *                     per series: V list, V text of the family's name, u8 flags (1 stale, 2 real), V labels: V text...;
 *                     then, unless stale, a double's 8 bytes, or V numerator in zigzag and V denominator */
#ifndef CRM_EXPORT_SERIES_FILE_H
#define CRM_EXPORT_SERIES_FILE_H

#include "export/encode.h"

#define CRM_SERIES_FILE_HEADER 32
#define CRM_SERIES_FILE_LISTS 4 /* of dimensions in one file */
#define CRM_SERIES_FILE_MAX (UINT32_C(512) << 20)

/* Puts header and body into `out` (emptied first). CRM_ERR_MEMORY, CRM_ERR_LIMIT when it is too large or of too many sets. */
enum crm_status crm_series_file_write(crm_time at, const struct crm_pick *picks, size_t n, struct crm_strbuf *out, struct crm_error *err) CRM_MUSTCHECK;

struct crm_series_file {
  crm_time at;
  struct crm_series_set sets[CRM_SERIES_FILE_LISTS]; /* one per list of dimensions */
  size_t n_sets;
  struct crm_pick *picks; /* in the order of the file */
  size_t n;
  size_t n_unknown; /* series of families that this version does not know, left out */
};

/* CRM_ERR_DATA when the bytes are not such a file, whole and unchanged; CRM_ERR_MEMORY. */
enum crm_status crm_series_file_read(const char *data, size_t len, struct crm_series_file *file, struct crm_error *err) CRM_MUSTCHECK;
void crm_series_file_free(struct crm_series_file *file);

#endif
