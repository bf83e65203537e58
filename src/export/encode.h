/* SPDX-License-Identifier: MIT */
/* Series to the bytes of one request: Prometheus remote write 1.0 and 2.0 (snappy), OTLP/HTTP metrics (gzip). No I/O.
 *
 * Labels leave sorted by name in byte order, unique, without empty names or values, valid UTF-8, values cut at a character to
 * CRM_LABEL_VALUE_MAX bytes; `job`, `instance` and the external labels are on every series, and a series' own label wins over them, also
 * with an empty value. Bytes that are not UTF-8 become '?', as in the text format. Remote write 1.0 carries no metadata; 2.0 and OTLP carry
 * type and help, and since when a counter counts. */
#ifndef CRM_EXPORT_ENCODE_H
#define CRM_EXPORT_ENCODE_H

#include "base/strbuf.h"
#include "export/export_options.h"
#include "series/set.h"

#define CRM_LABEL_VALUE_MAX 1024

/* One series of a request. `stale`: it has ended, and its value is the stale marker (OTLP: the flag "no recorded value"). */
struct crm_pick {
  const struct crm_series_set *set;
  uint32_t sample; /* index in set->samples */
  bool stale;
};

/* Holds buffers and what is known of labels between requests; used by one thread at a time. */
struct crm_encoder;

/* `instance`: the label instance, where options->instance is NULL. `start`: since when counters count (process start), for formats that say
 * so. The options must outlive it. */
enum crm_status crm_encoder_new(const struct crm_sink_options *options, const char *instance, crm_time start, struct crm_encoder **encoder,
                                struct crm_error *err) CRM_MUSTCHECK;
void crm_encoder_free(struct crm_encoder *encoder);

/* Puts all that is said of one account side by side, in the order in which the set met the accounts, and what is said of none in front.
 * Receivers do not mind the order of series; requests cut from picks in this order are a good third smaller with long account ids, and
 * made in a fraction of the time. Otherwise the order stays. CRM_ERR_MEMORY: then nothing has been moved. */
enum crm_status crm_picks_by_account(struct crm_pick *picks, size_t n) CRM_MUSTCHECK;

struct crm_body {
  const char *data; /* compressed; the encoder's, valid until its next call */
  size_t len;
  size_t raw_len;   /* before compression */
  size_t n_series;  /* what is inside */
  size_t n_dropped; /* picks that cannot be said in this format, e.g. without a name */
};

/* Encodes the picks, all at the instant `at`. CRM_ERR_MEMORY. No limit is looked at: the caller halves what has become too large. */
enum crm_status crm_encode(struct crm_encoder *encoder, crm_time at, const struct crm_pick *picks, size_t n, struct crm_body *body,
                           struct crm_error *err) CRM_MUSTCHECK;

/* The headers of the protocol for a request: Content-Type, Content-Encoding and, for remote write, the version. NULL-terminated, constant.
 */
const struct crm_name_value *crm_protocol_headers(enum crm_protocol protocol);

#endif
