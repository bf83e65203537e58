/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "ctl/backfill.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export/history.h"
#include "export/text.h"

enum { LINE_MAX_BYTES = 1 << 28, STATE_MAX = 8192 };

static const struct {
  const char *word, *suffix, *how;
} formats[] = {
    [CRM_BACKFILL_OPENMETRICS] = {"openmetrics", ".om",
                                  "for f in DIR/*.om; do promtool tsdb create-blocks-from openmetrics --max-block-duration=744h \"$f\" "
                                  "DATA-DIRECTORY-OF-PROMETHEUS; done"},
    [CRM_BACKFILL_VICTORIAMETRICS] = {"victoriametrics", ".jsonl",
                                      "for f in DIR/*.jsonl; do curl -fsS -T \"$f\" http://HOST:8428/api/v1/import; done"},
    [CRM_BACKFILL_GRAPHITE] = {"graphite", ".txt", "cat DIR/*.txt | nc -N HOST 2003"},
    [CRM_BACKFILL_REMOTE_WRITE] = {"remote_write", ".push", NULL},
};

const char *crm_backfill_files_how(const struct crm_backfill_files *files) {
  return formats[files->format].how;
}

static enum crm_status io_error(const struct crm_backfill_files *files, const char *name, struct crm_error *err) {
  return crm_error_set(err, CRM_ERR_IO, "%.300s/%.100s: %s", files->directory, name, strerror(errno));
}

static void join(char path[PATH_MAX], const struct crm_backfill_files *files, const char *name) {
  snprintf(path, PATH_MAX, "%s/%s", files->directory, name);
}

static crm_time span_of(crm_time at) {
  int64_t rest = at % CRM_BACKFILL_SPAN_US;
  return at - (rest < 0 ? rest + CRM_BACKFILL_SPAN_US : rest);
}

/* First instant of the plan at or after `at`; plan->n if there is none. */
static size_t first_from(const struct crm_backfill_plan *plan, crm_time at) {
  size_t low = 0;
  size_t high = plan->n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (crm_backfill_instant(plan, middle) < at)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* "20250301T120000Z" */
static void compact(crm_time at, char text[32]) {
  char when[32];
  char *to = text;
  crm_time_format(at, when);
  for (const char *c = when; *c != '\0'; c++)
    if (*c != '-' && *c != ':')
      *to++ = *c;
  *to = '\0';
}

/* "crm-20250301T120000Z-20250320T120000Z.om": first and last instant of the span that the plan has. A later run with a later end has
 * another name for the last file. */
static void name_of(const struct crm_backfill_files *files, crm_time span, char name[96]) {
  char first[32], last[32];
  compact(crm_backfill_instant(files->plan, first_from(files->plan, span)), first);
  compact(crm_backfill_instant(files->plan, first_from(files->plan, span + CRM_BACKFILL_SPAN_US) - 1), last);
  snprintf(name, 96, "crm-%s-%s%s", first, last, formats[files->format].suffix);
}

/* --- opening: is this the run that was begun here? ------------------------------------------------------------------------- */

static enum crm_status describe(const struct crm_ctl *ctl, const struct crm_instance_options *instance,
                                const struct crm_backfill_plan *plan, const struct crm_backfill_files *files, struct crm_strbuf *out,
                                struct crm_error *err) {
  char from[32];
  crm_time_format(plan->from, from);
  crm_strbuf_addf(out, "crmctl backfill, version %s\nformat %s\ninstance %s\nfrom %s\nstep %s\nzone %s\n", CRM_VERSION,
                  formats[files->format].word, instance->name, from, plan->step, crm_zone_name(plan->zone));
  if (files->receiver != NULL)
    crm_strbuf_addf(out, "receiver %s\n", files->receiver);
  for (size_t i = 0; i < files->n_labels; i++)
    crm_strbuf_addf(out, "label %s=%s\n", files->labels[i].name, files->labels[i].value);
  if (files->format == CRM_BACKFILL_GRAPHITE)
    crm_strbuf_addf(out, "path %s\n", files->path);
  for (size_t i = 0; i < ctl->n_overrides; i++)
    if (ctl->overrides[i].n_values > 0 && ctl->overrides[i].values[0].type == CRM_CONF_STRING)
      crm_strbuf_addf(out, "option %s %s\n", ctl->overrides[i].key, ctl->overrides[i].values[0].string);
  if (!crm_strbuf_ok(out))
    return crm_error_set(err, CRM_ERR_CONFIG, "the arguments are too long");
  return CRM_OK;
}

/* Removes what an earlier run has left: the files whose name begins with `prefix`, but for `but` (or NULL). */
static enum crm_status remove_earlier(const struct crm_backfill_files *files, const char *prefix, const char *but, struct crm_error *err) {
  DIR *dir = opendir(files->directory);
  if (dir == NULL)
    return io_error(files, "", err);
  enum crm_status status = CRM_OK;
  for (struct dirent *entry; status == CRM_OK && (entry = readdir(dir)) != NULL;) {
    size_t len = strlen(entry->d_name);
    bool ours = strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && (but == NULL || strcmp(entry->d_name, but) != 0);
    bool known = false;
    for (size_t f = 0; f < sizeof(formats) / sizeof(*formats); f++) {
      size_t suffix = strlen(formats[f].suffix);
      known = known || (len > suffix && strcmp(entry->d_name + len - suffix, formats[f].suffix) == 0);
    }
    char path[PATH_MAX];
    join(path, files, entry->d_name);
    if (ours && known && unlink(path) != 0)
      status = io_error(files, entry->d_name, err);
  }
  closedir(dir);
  return status;
}

static const char state_name[] = "backfill.state";

/* The state file says which run the directory belongs to, and its lock that nobody else is at work there. */
static enum crm_status claim_directory(const struct crm_ctl *ctl, struct crm_backfill_files *files, const struct crm_strbuf *wanted,
                                       struct crm_error *err) {
  char path[PATH_MAX], found[STATE_MAX];
  if (mkdir(files->directory, 0777) != 0 && errno != EEXIST)
    return io_error(files, "", err);
  join(path, files, state_name);
  files->state = fopen(path, "a+");
  if (files->state == NULL)
    return io_error(files, state_name, err);
  if (flock(fileno(files->state), LOCK_EX | LOCK_NB) != 0)
    return crm_error_set(err, CRM_ERR_IO, "%.300s: another crmctl backfill is at work there", files->directory);
  rewind(files->state);
  found[fread(found, 1, sizeof(found) - 1, files->state)] = '\0';
  if (!ctl->restart && strcmp(found, crm_strbuf_str(wanted)) == 0)
    return CRM_OK;
  if (!ctl->restart && found[0] != '\0')
    return crm_error_set(
        err, CRM_ERR_CONFIG,
        "%.300s holds a backfill with other arguments (%s says which); choose another directory, or say --restart to throw that "
        "away",
        files->directory, state_name);
  enum crm_status status = ctl->restart ? remove_earlier(files, "crm-", NULL, err) : CRM_OK;
  if (status == CRM_OK && (ftruncate(fileno(files->state), 0) != 0 || fwrite(wanted->data, 1, wanted->len, files->state) != wanted->len ||
                           fflush(files->state) != 0))
    status = io_error(files, state_name, err);
  return status;
}

enum crm_backfill_format crm_backfill_format_of(const char *word) {
  for (size_t f = 0; word != NULL && f < sizeof(formats) / sizeof(*formats); f++)
    if (strcmp(word, formats[f].word) == 0)
      return (enum crm_backfill_format)f;
  return CRM_BACKFILL_OPENMETRICS;
}

static enum crm_status choose_path(const struct crm_ctl *ctl, struct crm_backfill_files *files, struct crm_error *err) {
  char host[256] = "";
  if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
    strcpy(host, "localhost");
  for (char *c = host; *c != '\0'; c++) /* as write_graphite does it */
    if (*c == '.')
      *c = '_';
  if (ctl->path == NULL)
    snprintf(files->path, sizeof(files->path), "%s.crm.%%T.gauge.%%N", host);
  else if (strlen(ctl->path) >= sizeof(files->path))
    return crm_error_set(err, CRM_ERR_CONFIG, "--path: longer than %zu bytes", sizeof(files->path) - 1);
  else
    strcpy(files->path, ctl->path);
  enum crm_status status = crm_history_graphite_path(files->path, err);
  return status == CRM_OK ? CRM_OK : crm_error_prefix(err, "--path");
}

enum crm_status crm_backfill_files_open(struct crm_ctl *ctl, const struct crm_instance_options *instance,
                                        const struct crm_backfill_plan *plan, const char *receiver, struct crm_backfill_files *files,
                                        struct crm_error *err) {
  *files = (struct crm_backfill_files){.directory = ctl->output,
                                       .format = crm_backfill_format_of(ctl->format),
                                       .labels = ctl->labels,
                                       .n_labels = ctl->n_labels,
                                       .receiver = receiver,
                                       .max_breakdowns = instance->max_breakdowns,
                                       .plan = plan,
                                       .span = CRM_TIME_NONE,
                                       .asked = CRM_TIME_NONE};
  crm_strbuf_init(&files->buffer, LINE_MAX_BYTES);
  if (ctl->output == NULL)
    return crm_error_set(err, CRM_ERR_CONFIG, "--output is missing: a directory for the files");
  struct crm_strbuf wanted;
  crm_strbuf_init(&wanted, STATE_MAX - 1);
  enum crm_status status = CRM_OK;
  if (files->format == CRM_BACKFILL_GRAPHITE)
    status = choose_path(ctl, files, err);
  if (status == CRM_OK)
    status = describe(ctl, instance, plan, files, &wanted, err);
  if (status == CRM_OK)
    status = claim_directory(ctl, files, &wanted, err);
  crm_strbuf_free(&wanted);
  return status;
}

/* --- writing ---------------------------------------------------------------------------------------------------------------- */

bool crm_backfill_files_have(struct crm_backfill_files *files, crm_time at) {
  crm_time span = span_of(at);
  if (span == files->asked)
    return files->there;
  char name[96], path[PATH_MAX];
  name_of(files, span, name);
  join(path, files, name);
  files->asked = span;
  files->there = access(path, F_OK) == 0;
  files->n_skipped += files->there;
  return files->there;
}

static const char part_name[] = "unfinished.part";

/* A file that is gone when it is closed, whatever becomes of the process. */
static FILE *nameless(const struct crm_backfill_files *files) {
  char path[PATH_MAX];
  join(path, files, "family.XXXXXX");
  int fd = mkstemp(path);
  if (fd < 0)
    return NULL;
  unlink(path);
  FILE *file = fdopen(fd, "w+");
  if (file == NULL)
    close(fd);
  return file;
}

static enum crm_status begin_span(struct crm_backfill_files *files, crm_time span, struct crm_error *err) {
  char path[PATH_MAX];
  join(path, files, part_name);
  files->part = fopen(path, "w");
  if (files->part == NULL)
    return io_error(files, part_name, err);
  files->span = span;
  return CRM_OK;
}

static enum crm_status flush_buffer(struct crm_backfill_files *files, FILE *to, struct crm_error *err) {
  if (!crm_strbuf_ok(&files->buffer))
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  bool ok = files->buffer.len == 0 || fwrite(files->buffer.data, 1, files->buffer.len, to) == files->buffer.len;
  crm_strbuf_reset(&files->buffer);
  return ok ? CRM_OK : io_error(files, part_name, err);
}

/* Families in catalogue order, each in one piece. */
static enum crm_status join_families(struct crm_backfill_files *files, struct crm_error *err) {
  char chunk[65536];
  for (int f = 0; f < CRM_FAMILIES; f++) {
    FILE *family = files->families[f];
    if (family == NULL)
      continue;
    crm_history_openmetrics_family((enum crm_family)f, &files->buffer);
    enum crm_status status = flush_buffer(files, files->part, err);
    if (status != CRM_OK)
      return status;
    if (fflush(family) != 0 || fseek(family, 0, SEEK_SET) != 0)
      return io_error(files, part_name, err);
    for (size_t len; (len = fread(chunk, 1, sizeof(chunk), family)) > 0;)
      if (fwrite(chunk, 1, len, files->part) != len)
        return io_error(files, part_name, err);
    if (ferror(family))
      return io_error(files, part_name, err);
    fclose(family);
    files->families[f] = NULL;
  }
  return fputs("# EOF\n", files->part) < 0 ? io_error(files, part_name, err) : CRM_OK;
}

static enum crm_status end_span(struct crm_backfill_files *files, struct crm_error *err) {
  if (files->part == NULL)
    return CRM_OK;
  enum crm_status status = files->format == CRM_BACKFILL_OPENMETRICS ? join_families(files, err) : CRM_OK;
  if (status != CRM_OK)
    return status;
  FILE *part = files->part;
  files->part = NULL;
  bool ok = fflush(part) == 0 && fsync(fileno(part)) == 0;
  if (fclose(part) != 0 || !ok)
    return io_error(files, part_name, err);
  char name[96], begin[32], from[PATH_MAX], to[PATH_MAX];
  name_of(files, files->span, name);
  join(from, files, part_name);
  join(to, files, name);
  if (rename(from, to) != 0)
    return io_error(files, name, err);
  files->n_written++;
  /* The same span of a run that ended earlier: its instants would be there twice. */
  snprintf(begin, sizeof(begin), "%.21s", name);
  return remove_earlier(files, begin, name, err);
}

static enum crm_status add_openmetrics(struct crm_backfill_files *files, const struct crm_series_set *set, struct crm_error *err) {
  enum crm_status status = CRM_OK;
  for (size_t i = 0; i < set->n && status == CRM_OK; i++) {
    unsigned family = set->samples[i].family;
    if (crm_export_valid(set, &set->samples[i]))
      crm_history_openmetrics_sample(set, &set->samples[i], files->labels, files->n_labels, &files->buffer);
    if (i + 1 < set->n && set->samples[i + 1].family == family && files->buffer.len < 65536)
      continue;
    if (files->families[family] == NULL && files->buffer.len > 0 && (files->families[family] = nameless(files)) == NULL)
      return io_error(files, "family.XXXXXX", err);
    if (files->buffer.len > 0 || !crm_strbuf_ok(&files->buffer))
      status = flush_buffer(files, files->families[family], err);
  }
  return status;
}

static enum crm_status add_lines(struct crm_backfill_files *files, const struct crm_series_set *set, struct crm_error *err) {
  enum crm_status status = CRM_OK;
  if (files->format == CRM_BACKFILL_GRAPHITE) {
    size_t n;
    status = crm_history_graphite(set, files->max_breakdowns, files->path, &files->buffer, &n);
    if (status != CRM_OK)
      return crm_error_set(err, status, status == CRM_ERR_MEMORY ? "out of memory" : "no distinct names for Graphite are found");
  }
  for (size_t i = 0; files->format == CRM_BACKFILL_VICTORIAMETRICS && status == CRM_OK && i < set->n; i++) {
    if (crm_export_valid(set, &set->samples[i]))
      crm_history_json_line(set, &set->samples[i], files->labels, files->n_labels, &files->buffer);
    if (files->buffer.len >= 65536)
      status = flush_buffer(files, files->part, err);
  }
  return status == CRM_OK ? flush_buffer(files, files->part, err) : status;
}

enum crm_status crm_backfill_files_add(struct crm_backfill_files *files, const struct crm_series_set *set, struct crm_error *err) {
  crm_time span = span_of(set->at);
  enum crm_status status = CRM_OK;
  if (span != files->span) {
    status = end_span(files, err);
    if (status == CRM_OK)
      status = begin_span(files, span, err);
  }
  if (status == CRM_OK)
    status = files->format == CRM_BACKFILL_OPENMETRICS ? add_openmetrics(files, set, err) : add_lines(files, set, err);
  return status;
}

enum crm_status crm_backfill_files_finish(struct crm_backfill_files *files, struct crm_error *err) {
  return end_span(files, err);
}

void crm_backfill_files_close(struct crm_backfill_files *files) {
  for (int f = 0; f < CRM_FAMILIES; f++)
    if (files->families[f] != NULL)
      fclose(files->families[f]);
  if (files->part != NULL)
    fclose(files->part);
  if (files->span != CRM_TIME_NONE) { /* it is there only if the span was not brought to its end */
    char path[PATH_MAX];
    join(path, files, part_name);
    unlink(path);
  }
  if (files->state != NULL)
    fclose(files->state);
  crm_strbuf_free(&files->buffer);
}
