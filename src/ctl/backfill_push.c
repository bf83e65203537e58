/* SPDX-License-Identifier: MIT */
/* crmctl backfill: instants to the receiver, and how far it got. backfill_send.c does the requests. */
#include "crm_config.h"

#include "ctl/backfill.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Of the series of the instant under way, and how many of them were taken. Both go with --restart, see remove_earlier. */
static const char series_name[] = "crm-instant.push", progress_name[] = "crm-progress.push";

enum { PROGRESS_BYTES = 96, SERIES_FILE_MAX_BYTES = 1 << 30 };

static enum crm_status io_error(const struct crm_backfill_push *push, const char *name, struct crm_error *err) {
  return crm_error_set(err, CRM_ERR_IO, "%.300s/%.100s: %s", push->directory, name, strerror(errno));
}

static void join(char path[PATH_MAX], const struct crm_backfill_push *push, const char *name) {
  snprintf(path, PATH_MAX, "%s/%s", push->directory, name);
}

/* --- arguments ------------------------------------------------------------------------------------------------------------------ */

static enum crm_status check_url(const char *url, struct crm_error *err) {
  const char *host = url == NULL                            ? NULL
                     : strncasecmp(url, "http://", 7) == 0  ? url + 7
                     : strncasecmp(url, "https://", 8) == 0 ? url + 8
                                                            : NULL;
  if (url == NULL)
    return crm_error_set(err, CRM_ERR_CONFIG, "--url or --sink is missing: where to push to, such as --url http://HOST:9090/api/v1/write");
  if (host == NULL || host[strcspn(host, "/?#")] != '/' || strcspn(host, "/") == 0)
    return crm_error_set(err, CRM_ERR_CONFIG, "--url: allowed: a whole URL with its path, such as http://HOST:9090/api/v1/write");
  if (memchr(host, '@', strcspn(host, "/?#")) != NULL)
    return crm_error_set(err, CRM_ERR_CONFIG,
                         "--url: it holds a user or a password, which every user of this host can read; write them into a block "
                         "<RemoteWrite> and name that with --sink");
  return CRM_OK;
}

static enum crm_status use_url(const struct crm_ctl *ctl, struct crm_sink_options *options, struct crm_error *err) {
  enum crm_status status = check_url(ctl->url, err);
  *options = (struct crm_sink_options){.name = "backfill", /* the rest as by default in a block <RemoteWrite> */
                                       .protocol = CRM_REMOTE_WRITE_1,
                                       .url = ctl->url,
                                       .per_account = true,
                                       .job = "crm",
                                       .connect_timeout_us = 10 * CRM_US_PER_SECOND,
                                       .timeout_us = 30 * CRM_US_PER_SECOND,
                                       .max_batch_series = 2000,
                                       .max_batch_bytes = 900000,
                                       .backoff_min_us = CRM_US_PER_SECOND,
                                       .backoff_max_us = 60 * CRM_US_PER_SECOND};
  return status;
}

static enum crm_status choose_sink(const struct crm_ctl *ctl, struct crm_sink_options *options, struct crm_error *err) {
  const struct crm_export_options *exports = &ctl->options.exports;
  char names[300] = "";
  if (ctl->url != NULL)
    return crm_error_set(err, CRM_ERR_CONFIG, "--url and --sink are both given; allowed: one of them");
  for (size_t i = 0; i < exports->n_sinks; i++) {
    if (strcmp(exports->sinks[i].name, ctl->sink) == 0) {
      *options = exports->sinks[i];
      return CRM_OK;
    }
    size_t len = strlen(names);
    snprintf(names + len, sizeof(names) - len, "%s%s", i == 0 ? "" : ", ", exports->sinks[i].name);
  }
  return crm_error_set(err, CRM_ERR_CONFIG, "--sink: there is no block <RemoteWrite \"%.64s\"> or <OTLP> of that name; there %s %s",
                       ctl->sink, names[0] == '\0' ? "is" : "are:", names[0] == '\0' ? "none at all" : names);
}

/* A label of the command line takes the place of the receiver's own one; job and instance are more than labels. */
static enum crm_status set_labels(struct crm_backfill_push *push, struct crm_error *err) {
  const struct crm_ctl *ctl = push->ctl;
  struct crm_name_value *labels = crm_arena_calloc(&push->ctl->arena, push->options.n_labels + ctl->n_labels + 1, sizeof(*labels));
  size_t n = 0;
  if (labels == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  for (size_t i = 0; i < push->options.n_labels; i++) {
    bool other = false;
    for (size_t j = 0; j < ctl->n_labels; j++)
      other = other || strcmp(push->options.labels[i].name, ctl->labels[j].name) == 0;
    if (!other)
      labels[n++] = push->options.labels[i];
  }
  for (size_t i = 0; i < ctl->n_labels; i++) {
    if (strcmp(ctl->labels[i].name, "job") == 0)
      push->options.job = ctl->labels[i].value;
    else if (strcmp(ctl->labels[i].name, "instance") == 0)
      push->options.instance = ctl->labels[i].value;
    else
      labels[n++] = ctl->labels[i];
  }
  push->options.labels = labels;
  push->options.n_labels = n;
  return CRM_OK;
}

enum crm_status crm_backfill_push_init(struct crm_ctl *ctl, const struct crm_backfill_plan *plan, struct crm_backfill_push *push,
                                       struct crm_error *err) {
  push->ctl = ctl;
  push->start = plan->from;
  push->progress = -1;
  enum crm_status status = ctl->sink != NULL ? choose_sink(ctl, &push->options, err) : use_url(ctl, &push->options, err);
  if (status != CRM_OK)
    return status;
  if (gethostname(push->host, sizeof(push->host) - 1) != 0 || push->host[0] == '\0')
    strcpy(push->host, "localhost"); /* as a sink of the daemon does it */
  crm_redact_url(push->options.url, push->url, sizeof(push->url));
  return set_labels(push, err);
}

/* --- how far it got --------------------------------------------------------------------------------------------------------------- */

/* One line of fixed length, overwritten in place: the instant, how many of its series are acknowledged, how many will be with the request
 * that is under way, and how many there are. */
static enum crm_status note_progress(struct crm_backfill_push *push, struct crm_error *err) {
  struct crm_batch *batch = &push->batch;
  size_t all = batch->ranges[batch->n - 1].end;
  bool over = batch->first == batch->n;
  char line[PROGRESS_BYTES + 1];
  int len = snprintf(line, sizeof(line), "at %" PRId64 " sent %zu sending %zu of %zu", batch->at,
                     over ? all : crm_batch_first(batch)->begin, over ? all : crm_batch_first(batch)->end, all);
  memset(line + len, ' ', (size_t)(PROGRESS_BYTES - 1 - len));
  line[PROGRESS_BYTES - 1] = '\n';
  if (pwrite(push->progress, line, PROGRESS_BYTES, 0) != PROGRESS_BYTES || fdatasync(push->progress) != 0)
    return io_error(push, progress_name, err);
  return CRM_OK;
}

/* Puts the series where the next run finds them, before the first of them is sent. */
static enum crm_status keep_series(struct crm_backfill_push *push, crm_time at, const struct crm_picks *picks, struct crm_error *err) {
  char path[PATH_MAX], part[PATH_MAX];
  join(path, push, series_name);
  join(part, push, "unfinished.part");
  enum crm_status status = crm_series_file_write(at, picks->list, picks->n, &push->buffer, err);
  if (status != CRM_OK)
    return status;
  FILE *file = fopen(part, "w");
  if (file == NULL)
    return io_error(push, "unfinished.part", err);
  bool ok = fwrite(push->buffer.data, 1, push->buffer.len, file) == push->buffer.len && fflush(file) == 0 && fsync(fileno(file)) == 0;
  if (fclose(file) != 0 || !ok || rename(part, path) != 0) {
    status = io_error(push, series_name, err);
    unlink(part);
  }
  return status;
}

/* *there is false if there is no such file. */
static enum crm_status load_series(struct crm_backfill_push *push, bool *there, struct crm_error *err) {
  char path[PATH_MAX], chunk[65536];
  join(path, push, series_name);
  FILE *file = fopen(path, "r");
  *there = file != NULL;
  if (file == NULL)
    return errno == ENOENT ? CRM_OK : io_error(push, series_name, err);
  crm_strbuf_reset(&push->buffer);
  for (size_t len; (len = fread(chunk, 1, sizeof(chunk), file)) > 0;)
    crm_strbuf_add(&push->buffer, chunk, len);
  bool ok = !ferror(file);
  fclose(file);
  if (!ok)
    return io_error(push, series_name, err);
  if (!crm_strbuf_ok(&push->buffer))
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  enum crm_status status = crm_series_file_read(push->buffer.data == NULL ? "" : push->buffer.data, push->buffer.len, &push->file, err);
  return status == CRM_OK ? CRM_OK : crm_error_prefix(err, "%.300s/%s (--restart begins anew)", push->directory, series_name);
}

/* Cuts what is left of the earlier run's instant, the request whose answer did not come exactly as it was. */
static enum crm_status cut_rest(struct crm_backfill_push *push, struct crm_error *err) {
  char line[PROGRESS_BYTES + 1] = "";
  int64_t at = 0;
  size_t sent = 0, sending = 0, all = 0;
  const struct crm_series_file *file = &push->file;
  ssize_t len = pread(push->progress, line, PROGRESS_BYTES, 0);
  if (len < 0)
    return io_error(push, progress_name, err);
  bool of_file = sscanf(line, "at %" SCNd64 " sent %zu sending %zu of %zu", &at, &sent, &sending, &all) == 4 && at == file->at;
  if (!of_file) /* it ended between the writing of the one file and the other: nothing of the instant has been sent */
    sent = sending = 0;
  if (sent > sending || sending > file->n || (of_file && all != file->n))
    return crm_error_set(err, CRM_ERR_DATA, "%.300s/%s does not fit %s; --restart begins anew", push->directory, progress_name,
                         series_name);
  push->batch.at = file->at;
  enum crm_status status = CRM_OK;
  if (sending > sent)
    status = crm_batch_cut(&push->batch, file->picks, sent, sending, sending - sent);
  if (status == CRM_OK)
    status = crm_batch_cut(&push->batch, file->picks, sending, file->n, push->options.max_batch_series);
  return status == CRM_OK ? CRM_OK : crm_error_set(err, status, "out of memory");
}

/* What the receiver has alive after the earlier run. */
static enum crm_status remember_left(struct crm_backfill_push *push, struct crm_error *err) {
  struct crm_pick *alive = malloc((push->file.n + 1) * sizeof(*alive));
  size_t n = 0;
  for (size_t i = 0; alive != NULL && i < push->file.n; i++)
    if (!push->file.picks[i].stale)
      alive[n++] = push->file.picks[i];
  if (alive != NULL)
    push->left = crm_frame_of_picks("", push->file.at, alive, n);
  free(alive);
  return push->left != NULL ? CRM_OK : crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
}

static enum crm_status resume(struct crm_backfill_push *push, struct crm_error *err) {
  bool there = false;
  enum crm_status status = load_series(push, &there, err);
  if (status != CRM_OK || !there)
    return status;
  status = cut_rest(push, err);
  if (status == CRM_OK && push->batch.n > 0)
    status = crm_backfill_send(push, note_progress, err);
  if (status == CRM_OK)
    status = remember_left(push, err);
  push->done = push->file.at;
  push->any = status == CRM_OK;
  crm_batch_free(&push->batch);
  crm_series_file_free(&push->file);
  return status;
}

enum crm_status crm_backfill_push_open(struct crm_backfill_push *push, const char *directory, struct crm_error *err) {
  char path[PATH_MAX];
  push->directory = directory;
  crm_strbuf_init(&push->buffer, SERIES_FILE_MAX_BYTES);
  push->backoff = (struct crm_backoff){.min_us = push->options.backoff_min_us, .max_us = push->options.backoff_max_us};
  push->body_limit = push->options.max_batch_bytes;
  crm_selection_init(&push->selection, &push->options);
  enum crm_status status = crm_set_init(&push->before);
  if (status != CRM_OK)
    crm_error_set(err, status, "out of memory");
  if (status == CRM_OK)
    status = crm_credentials_init(&push->credentials, &push->options, err);
  if (status == CRM_OK)
    status = crm_http_new(&push->options, &push->credentials, &push->http, err);
  if (status == CRM_OK)
    status = crm_encoder_new(&push->options, push->host, push->start, &push->encoder, err);
  if (status != CRM_OK)
    return status;
  join(path, push, progress_name);
  push->progress = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  return push->progress < 0 ? io_error(push, progress_name, err) : resume(push, err);
}

/* --- instants --------------------------------------------------------------------------------------------------------------------- */

bool crm_backfill_push_have(const struct crm_backfill_push *push, crm_time at) {
  return push->any && at <= push->done;
}

/* A series that ends between two instants gets its stale marker with the second of them, as from the daemon's sinks: otherwise a Prometheus
 * with a lookback as long as the step, without which such graphs have gaps, would show it alive for one step longer. After the last instant
 * nothing is marked: what lives then lives on, and the daemon continues it. */
enum crm_status crm_backfill_push_add(struct crm_backfill_push *push, struct crm_series_set *set, struct crm_error *err) {
  struct crm_picks picks = {0};
  const struct crm_series_set *before = push->left != NULL ? push->left->business : push->has_before ? &push->before : NULL;
  enum crm_status status = crm_picks_add(&picks, set, &push->selection, before, push->left != NULL ? NULL : &push->selection);
  if (status == CRM_OK)
    status = crm_picks_by_account(picks.list, picks.n);
  push->batch.at = set->at;
  if (status == CRM_OK)
    status = crm_batch_cut(&push->batch, picks.list, 0, picks.n, push->options.max_batch_series);
  if (status != CRM_OK)
    crm_error_set(err, status, "out of memory");
  if (status == CRM_OK && picks.n > 0) {
    status = keep_series(push, set->at, &picks, err);
    if (status == CRM_OK)
      status = crm_backfill_send(push, note_progress, err);
  }
  if (status == CRM_OK) {
    struct crm_series_set other = push->before;
    push->before = *set;
    *set = other;
    push->has_before = true;
    crm_frame_unref(push->left);
    push->left = NULL;
    push->done = push->before.at;
    push->any = true;
  }
  crm_batch_free(&push->batch);
  crm_picks_free(&picks);
  return status;
}

void crm_backfill_push_close(struct crm_backfill_push *push) {
  if (push->directory == NULL)
    return; /* it was not opened */
  crm_batch_free(&push->batch);
  crm_series_file_free(&push->file);
  crm_frame_unref(push->left);
  crm_set_free(&push->before);
  crm_http_free(push->http);
  crm_encoder_free(push->encoder);
  crm_credentials_free(&push->credentials);
  crm_strbuf_free(&push->buffer);
  if (push->progress >= 0)
    close(push->progress);
}
