/* SPDX-License-Identifier: MIT */
/* Any bytes as what the spool holds. The first byte chooses: bytes as a file; bytes as the body of a file whose header is right; the name
 * of a file. What can be read must come out the same when it is written and read again. */
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "export/series_file.h"
#include "export/spool.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void put(unsigned char *to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++)
    to[i] = (unsigned char)(value >> (8 * i));
}

static void read_file(const char *data, size_t size) {
  struct crm_series_file file, again;
  struct crm_strbuf one, two;
  if (crm_series_file_read(data, size, &file, NULL) != CRM_OK)
    return;
  crm_strbuf_init(&one, 64 << 20);
  crm_strbuf_init(&two, 64 << 20);
  if (crm_series_file_write(file.at, file.picks, file.n, &one, NULL) != CRM_OK)
    __builtin_trap();
  if (crm_series_file_read(one.data, one.len, &again, NULL) != CRM_OK || again.n != file.n || again.n_unknown != 0)
    __builtin_trap();
  if (crm_series_file_write(again.at, again.picks, again.n, &two, NULL) != CRM_OK || one.len != two.len ||
      memcmp(one.data, two.data, one.len) != 0)
    __builtin_trap();
  crm_series_file_free(&file);
  crm_series_file_free(&again);
  crm_strbuf_free(&one);
  crm_strbuf_free(&two);
}

/* A header that fits, so that what lies behind the checksum is reached; its number of series is the next two bytes. */
static void read_body(const unsigned char *data, size_t size) {
  size_t len = snappy_max_compressed_length(size);
  unsigned char *buf = calloc(1, CRM_SERIES_FILE_HEADER + len);
  if (buf == NULL || size < 2 ||
      snappy_compress((const char *)data + 2, size - 2, (char *)buf + CRM_SERIES_FILE_HEADER, &len) != SNAPPY_OK) {
    free(buf);
    return;
  }
  memcpy(buf, "CRMB\x01", 5);
  put(buf + 8, 1795380360000000, 8);
  put(buf + 16, data[0] | (unsigned)data[1] << 8, 4);
  put(buf + 20, len, 4);
  put(buf + 24, size - 2, 4);
  put(buf + 28, crc32(crc32(0, buf, 28), buf + CRM_SERIES_FILE_HEADER, (uInt)len), 4);
  read_file((const char *)buf, CRM_SERIES_FILE_HEADER + len);
  free(buf);
}

static void read_name(const unsigned char *data, size_t size) {
  struct crm_spool_file file;
  char *name = malloc(size + 1), *plain = malloc(size + 1), *again = malloc(3 * size + 1);
  if (name == NULL || plain == NULL || again == NULL)
    abort();
  memcpy(name, data, size);
  name[size] = '\0';
  (void)crm_spool_parse_name(name, &file);
  if (crm_spool_unescape(name, plain)) {
    crm_spool_escape(plain, again);
    if (strcmp(again, name) != 0)
      __builtin_trap();
  }
  crm_spool_escape(name, again);
  if (strchr(again, '/') != NULL || again[0] == '.')
    __builtin_trap();
  free(name);
  free(plain);
  free(again);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  if (size == 0)
    return 0;
  if (data[0] % 3 == 0)
    read_file((const char *)data + 1, size - 1);
  else if (data[0] % 3 == 1)
    read_body(data + 1, size - 1);
  else
    read_name(data + 1, size - 1);
  return 0;
}
