/* SPDX-License-Identifier: MIT */
/* What the user says about the ways out. Plain data: filled by options, read by export. All strings live as long as the options. */
#ifndef CRM_EXPORT_EXPORT_OPTIONS_H
#define CRM_EXPORT_EXPORT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* <RemoteWrite "name">, <OTLP "name">: a receiver to which series are pushed. */
enum crm_protocol { CRM_REMOTE_WRITE_1, CRM_REMOTE_WRITE_2, CRM_OTLP };

struct crm_name_value {
  const char *name;
  const char *value;
};

struct crm_header_option {
  const char *name;
  const char *value; /* or NULL: the first line of `file` */
  const char *file;
};

struct crm_sink_options {
  const char *name; /* unique; the label `sink` of the self-metrics, and the name of the directory in the spool */
  const char *file; /* where the block stands */
  int line;
  enum crm_protocol protocol;
  const char *url;     /* whole, with its path; may hold a secret in its query or user part, so it is logged only redacted */
  int64_t interval_us; /* at most one tick in this time; 0: every tick */
  const char **families; /* shell patterns of family names such as "crm_arr*", one that begins with "!" excludes; none: all. The last that fits decides */
  size_t n_families;
  bool per_account; /* series of single accounts too; default true */

  const struct crm_name_value *labels; /* external labels, put on every series; a series' own label of that name wins */
  size_t n_labels;
  const char *job;      /* label job (OTLP: service.name); default "crm" */
  const char *instance; /* label instance (OTLP: service.instance.id); NULL: the host's name */

  const char *user; /* basic authentication */
  const char *password_file;
  const char *bearer_token_file;
  const struct crm_header_option *headers;
  size_t n_headers;
  const char *ca_file, *cert_file, *key_file; /* TLS; NULL: the system's authorities, no client certificate */
  const char *proxy;                          /* NULL: as libcurl's environment variables say */
  int64_t connect_timeout_us;                 /* default 10 s */
  int64_t timeout_us;                         /* of one request; default 30 s */

  size_t max_batch_series; /* default and at most 2000 */
  size_t max_batch_bytes;  /* compressed body; default 900000 */
  int64_t backoff_min_us;  /* default 1 s */
  int64_t backoff_max_us;  /* default 60 s */
  int64_t max_age_us;      /* a batch that is older is dropped; default 1 h: what a Prometheus accepts out of the box */
  size_t queue_ticks;      /* ticks kept in memory while the receiver is away and there is no spool; default 10 */
  const char *spool_dir;   /* absolute; NULL: no spool */
  size_t spool_max_bytes;  /* default 512 MiB; the oldest go first */
  int64_t spool_max_age_us; /* default 24 h: with a spool this takes the place of max_age_us */
};

/* <Listen "host:port">: a scrape endpoint. */
struct crm_listen_options {
  const char *file;
  int line;
  const char *host; /* numeric address; "" is any */
  const char *port;
  const char *cert_file, *key_file;  /* both: TLS */
  const char *bearer_token_file;     /* NULL: no authentication */
  bool per_account;                  /* series of single accounts too; default true */
  size_t max_connections;            /* default 64 */
  int64_t timeout_us;                /* a connection that is idle or slow for so long is closed; default 15 s */
};

/* <TextFile "/path/to/crm.prom">: a file for node_exporter's textfile collector, replaced atomically. */
struct crm_textfile_options {
  const char *file;
  int line;
  const char *path;
  bool per_account; /* default true */
};

struct crm_export_options {
  struct crm_listen_options *listens;
  size_t n_listens;
  struct crm_textfile_options *textfiles;
  size_t n_textfiles;
  struct crm_sink_options *sinks;
  size_t n_sinks;
};

#endif
