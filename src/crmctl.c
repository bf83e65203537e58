/* SPDX-License-Identifier: MIT */
/* crmctl: the command line, and which command does it. */
#include "crm_config.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "options/option_table.h"

const char crm_ctl_help[] = "Usage: crmctl [OPTIONS] COMMAND\n"
                            "\n"
                            "Tries out and uses the collectd plugin crm without the daemon. It only reads.\n"
                            "\n"
                            "  crmctl check      is everything as it should be? what is missing, why, and what to do\n"
                            "  crmctl once       every series, once (--format text|json, --at TIME)\n"
                            "  crmctl summary    accounts, health, churn risk, revenue, NPS (--json, --at TIME,\n"
                            "                    --tenant NAME, --currency CODE)\n"
                            "  crmctl backfill   series of the past, in files that a database loads, or pushed to it\n"
                            "                    (--from, --to, --step, --format, --output DIR, --url URL, --sink NAME)\n"
                            "  crmctl COMMAND --help tells more.\n"
                            "\n"
                            "Which configuration\n"
                            "  --config FILE           a collectd.conf, or a file or directory with a <Plugin crm> block\n"
                            "                          (default: /etc/collectd/collectd.conf, then collectd.conf.d)\n"
                            "  --instance NAME         if there are several\n"
                            "  --conninfo TEXT         where to connect; without --config no configuration is read at all\n"
                            "\n"
                            "Instead of what the configuration says\n"
                            "  --mapping NAME|DIR      --timezone ZONE       --search-path SCHEMAS\n"
                            "  --password-file FILE    --history DAYS\n"
                            "  --set 'OPTION VALUE'    any other option of the instance; may be repeated\n"
                            "  --mapping-dir DIR       where shipped mappings are (also: environment CRM_MAPPING_DIR)\n"
                            "\n"
                            "  --help                  --version\n"
                            "\n"
                            "Exit status: 0 all well; 1 it ran, but something was left out; 2 it could not run;\n"
                            "130 interrupted. The manual: man crmctl, man collectd-crm.\n";

enum argument {
  ARG_NONE,
  ARG_WORD = 1, /* what getopt gives for a word that is no option */
  ARG_CONFIG,
  ARG_INSTANCE,
  ARG_CONNINFO,
  ARG_MAPPING,
  ARG_TIMEZONE,
  ARG_SEARCH_PATH,
  ARG_PASSWORD_FILE,
  ARG_HISTORY,
  ARG_SET,
  ARG_MAPPING_DIR,
  ARG_FORMAT,
  ARG_JSON,
  ARG_AT,
  ARG_TENANT,
  ARG_CURRENCY,
  ARG_FROM,
  ARG_TO,
  ARG_STEP,
  ARG_OUTPUT,
  ARG_LABEL,
  ARG_PATH,
  ARG_RESTART,
  ARG_URL,
  ARG_SINK,
  ARG_HELP,
  ARG_VERSION,
};

static const struct option arguments[] = {
    {"config", required_argument, NULL, ARG_CONFIG},
    {"instance", required_argument, NULL, ARG_INSTANCE},
    {"conninfo", required_argument, NULL, ARG_CONNINFO},
    {"mapping", required_argument, NULL, ARG_MAPPING},
    {"timezone", required_argument, NULL, ARG_TIMEZONE},
    {"search-path", required_argument, NULL, ARG_SEARCH_PATH},
    {"password-file", required_argument, NULL, ARG_PASSWORD_FILE},
    {"history", required_argument, NULL, ARG_HISTORY},
    {"set", required_argument, NULL, ARG_SET},
    {"mapping-dir", required_argument, NULL, ARG_MAPPING_DIR},
    {"format", required_argument, NULL, ARG_FORMAT},
    {"json", no_argument, NULL, ARG_JSON},
    {"at", required_argument, NULL, ARG_AT},
    {"tenant", required_argument, NULL, ARG_TENANT},
    {"currency", required_argument, NULL, ARG_CURRENCY},
    {"from", required_argument, NULL, ARG_FROM},
    {"to", required_argument, NULL, ARG_TO},
    {"step", required_argument, NULL, ARG_STEP},
    {"output", required_argument, NULL, ARG_OUTPUT},
    {"label", required_argument, NULL, ARG_LABEL},
    {"path", required_argument, NULL, ARG_PATH},
    {"restart", no_argument, NULL, ARG_RESTART},
    {"url", required_argument, NULL, ARG_URL},
    {"sink", required_argument, NULL, ARG_SINK},
    {"help", no_argument, NULL, ARG_HELP},
    {"version", no_argument, NULL, ARG_VERSION},
    {NULL, 0, NULL, 0},
};

static const struct command {
  const char *name;
  int (*run)(struct crm_ctl *ctl);
  const char *help;
  const char *arguments; /* letters of those that only some commands know, see `letter_of` */
  const char *formats;   /* words that --format takes */
} commands[] = {
    {"backfill", crm_ctl_backfill, crm_ctl_backfill_help, "fb", "openmetrics victoriametrics graphite remote_write"},
    {"check", crm_ctl_check, crm_ctl_check_help, "", ""},
    {"once", crm_ctl_once, crm_ctl_once_help, "fja", "text json"},
    {"summary", crm_ctl_summary, crm_ctl_summary_help, "jatc", ""},
};

/* Arguments of single commands. */
static char letter_of(int argument) {
  switch (argument) {
  case ARG_FORMAT:
    return 'f';
  case ARG_JSON:
    return 'j';
  case ARG_AT:
    return 'a';
  case ARG_TENANT:
    return 't';
  case ARG_CURRENCY:
    return 'c';
  case ARG_FROM:
  case ARG_TO:
  case ARG_STEP:
  case ARG_OUTPUT:
  case ARG_LABEL:
  case ARG_PATH:
  case ARG_RESTART:
  case ARG_URL:
  case ARG_SINK:
    return 'b';
  default:
    return '\0';
  }
}

/* What was found on the command line besides what goes into struct crm_ctl. */
struct line {
  const struct command *command;
  bool help, version;
  bool given[ARG_VERSION + 1];
};

/* The signal handler has nothing else to reach it by. */
static struct crm_stop *stop_on_signal;

/* Every wait of the library ends at once when asked; only a name look-up of the C library and a computation do not listen, so the
 * process ends by itself a moment later. */
static void on_signal(int number) {
  if (number == SIGALRM)
    _exit(CRM_CTL_INTERRUPTED);
  crm_stop_request(stop_on_signal);
  alarm(1);
}

static void log_to_stderr(void *ctx, enum crm_log_level level, const char *message) {
  static const char *const names[] = {"error: ", "warning: ", "", ""};
  if (level == CRM_LOG_INFO)
    return;
  crm_ctl_progress(ctx, NULL);
  fprintf(stderr, "crmctl: %s%s\n", names[level], message);
}

static enum crm_status take_word(struct line *line, const char *word, struct crm_error *err) {
  if (line->command != NULL)
    return crm_error_set(err, CRM_ERR_CONFIG, "\"%.60s\": there is one command already, %s", word, line->command->name);
  for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
    if (strcmp(commands[i].name, word) == 0)
      line->command = &commands[i];
  char near[16];
  if (line->command != NULL)
    return CRM_OK;
  if (crm_word_near(word, "backfill check once summary", near, sizeof(near)))
    return crm_error_set(err, CRM_ERR_CONFIG, "unknown command \"%.60s\", is %s meant?", word, near);
  return crm_error_set(err, CRM_ERR_CONFIG, "unknown command \"%.60s\"; allowed: backfill, check, once, summary", word);
}

static enum crm_status take_label(struct crm_ctl *ctl, const char *text, struct crm_error *err) {
  size_t len = strcspn(text, "=");
  if (len == 0 || text[len] != '=' || text[len + 1] == '\0' || strncmp(text, "__", 2) == 0 ||
      strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") < len || (text[0] >= '0' && text[0] <= '9'))
    return crm_error_set(err, CRM_ERR_CONFIG, "--label: \"%.60s\" is not NAME=VALUE, such as job=crm", text);
  if (ctl->n_labels == CRM_CTL_LABELS)
    return crm_error_set(err, CRM_ERR_CONFIG, "--label: more than %d", CRM_CTL_LABELS);
  char *name = crm_arena_calloc(&ctl->arena, 1, len + 1);
  if (name == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  memcpy(name, text, len);
  for (size_t i = 0; i < ctl->n_labels; i++)
    if (strcmp(ctl->labels[i].name, name) == 0)
      return crm_error_set(err, CRM_ERR_CONFIG, "--label: %.60s is given twice", name);
  ctl->labels[ctl->n_labels++] = (struct crm_name_value){name, text + len + 1};
  return CRM_OK;
}

static enum crm_status take_argument(struct crm_ctl *ctl, struct line *line, int argument, const char *value, struct crm_error *err) {
  char set[300];
  line->given[argument] = true;
  switch (argument) {
  case ARG_WORD:
    return take_word(line, value, err);
  case ARG_CONFIG:
    ctl->config = value;
    return CRM_OK;
  case ARG_INSTANCE:
    ctl->instance = value;
    return CRM_OK;
  case ARG_CONNINFO:
    ctl->quick_start = true;
    return crm_ctl_override(ctl, "ConnInfo", value, err);
  case ARG_MAPPING:
    return crm_ctl_override(ctl, "Mapping", value, err);
  case ARG_TIMEZONE:
    return crm_ctl_override(ctl, "TimeZone", value, err);
  case ARG_SEARCH_PATH:
    return crm_ctl_override(ctl, "SearchPath", value, err);
  case ARG_PASSWORD_FILE:
    return crm_ctl_override(ctl, "PasswordFile", value, err);
  case ARG_HISTORY:
    snprintf(set, sizeof(set), "History %s", value);
    return crm_ctl_override_line(ctl, set, err);
  case ARG_SET:
    return crm_ctl_override_line(ctl, value, err);
  case ARG_MAPPING_DIR:
    ctl->mapping_dir = value;
    return CRM_OK;
  case ARG_FORMAT:
    ctl->format = value;
    return CRM_OK;
  case ARG_JSON:
    ctl->json = true;
    return CRM_OK;
  case ARG_AT:
    ctl->at = value;
    return CRM_OK;
  case ARG_TENANT:
    ctl->tenant = value;
    return CRM_OK;
  case ARG_CURRENCY:
    ctl->currency = value;
    return CRM_OK;
  case ARG_FROM:
    ctl->from = value;
    return CRM_OK;
  case ARG_TO:
    ctl->to = value;
    return CRM_OK;
  case ARG_STEP:
    ctl->step = value;
    return CRM_OK;
  case ARG_OUTPUT:
    ctl->output = value;
    return CRM_OK;
  case ARG_LABEL:
    return take_label(ctl, value, err);
  case ARG_PATH:
    ctl->path = value;
    return CRM_OK;
  case ARG_RESTART:
    ctl->restart = true;
    return CRM_OK;
  case ARG_URL:
    ctl->url = value;
    return CRM_OK;
  case ARG_SINK:
    ctl->sink = value;
    return CRM_OK;
  case ARG_HELP:
    line->help = true;
    return CRM_OK;
  default:
    line->version = true;
    return CRM_OK;
  }
}

static enum crm_status unknown_argument(char **argv, int result, struct crm_error *err) {
  char near[32], names[512] = "";
  const char *given = argv[optind - 1];
  for (const struct option *o = arguments; o->name != NULL; o++)
    snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", names[0] == '\0' ? "" : " ", o->name);
  if (result == ':')
    return crm_error_set(err, CRM_ERR_CONFIG, "%.60s needs a value", given);
  int len = (int)strcspn(given, "=");
  char word[64];
  snprintf(word, sizeof(word), "%.*s", len > 60 ? 60 : len, given);
  for (const struct option *o = arguments; o->name != NULL; o++)
    if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, o->name) == 0)
      return crm_error_set(err, CRM_ERR_CONFIG, "%s takes no value", word);
  if (strncmp(word, "--", 2) == 0 && crm_word_near(word + 2, names, near, sizeof(near)))
    return crm_error_set(err, CRM_ERR_CONFIG, "unknown option %s, is --%s meant?", word, near);
  return crm_error_set(err, CRM_ERR_CONFIG, "unknown option %s", word);
}

/* `word` is NULL or one of the blank-separated words. */
static enum crm_status check_format(const char *word, const char *words, struct crm_error *err) {
  char list[80];
  size_t at = 0;
  for (const char *p = words; word != NULL && *p != '\0';) {
    size_t len = strcspn(p, " ");
    if (strlen(word) == len && strncmp(word, p, len) == 0)
      return CRM_OK;
    at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%.*s", at == 0 ? "" : ", ", (int)len, p);
    p += len + (p[len] == ' ');
  }
  return word == NULL ? CRM_OK : crm_error_set(err, CRM_ERR_CONFIG, "--format: \"%.60s\" is not known; allowed: %s", word, list);
}

static enum crm_status read_arguments(struct crm_ctl *ctl, struct line *line, int argc, char **argv, struct crm_error *err) {
  opterr = 0;
  for (int argument; (argument = getopt_long(argc, argv, "-:", arguments, NULL)) != -1;) {
    enum crm_status status =
        argument == '?' || argument == ':' ? unknown_argument(argv, argument, err) : take_argument(ctl, line, argument, optarg, err);
    if (status != CRM_OK)
      return status;
  }
  for (int i = optind; i < argc; i++) { /* behind "--" */
    enum crm_status status = take_word(line, argv[i], err);
    if (status != CRM_OK)
      return status;
  }
  if (line->help || line->version)
    return CRM_OK;
  if (line->command == NULL)
    return crm_error_set(err, CRM_ERR_CONFIG, "a command is missing; allowed: backfill, check, once, summary");
  for (const struct option *o = arguments; o->name != NULL; o++) {
    char letter = letter_of(o->val);
    if (letter != '\0' && line->given[o->val] && strchr(line->command->arguments, letter) == NULL)
      return crm_error_set(err, CRM_ERR_CONFIG, "--%s says nothing to the command %s", o->name, line->command->name);
  }
  ctl->quick_start = ctl->quick_start && ctl->config == NULL;
  return check_format(ctl->format, line->command->formats, err);
}

static enum crm_status prepare(struct crm_ctl *ctl, struct crm_error *err) {
  enum crm_status status = crm_stop_new(&ctl->stop);
  if (status != CRM_OK)
    return crm_error_set(err, status, "no means to be stopped: %s", crm_status_name(status));
  stop_on_signal = ctl->stop;
  struct sigaction action = {.sa_handler = on_signal};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGALRM, &action, NULL);
  signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of writing, which we report */
  return crm_ctl_load(ctl, err);
}

int main(int argc, char **argv) {
  struct crm_ctl ctl = {.progress = isatty(STDERR_FILENO) != 0};
  struct line line = {.command = NULL};
  struct crm_error err = {0};
  ctl.log = (struct crm_log){log_to_stderr, &ctl};
  const char *directory = getenv("CRM_MAPPING_DIR");
  ctl.mapping_dir = directory != NULL && directory[0] != '\0' ? directory : CRM_PKGDATADIR "/mappings";
  crm_arena_init(&ctl.arena, 0);
  crm_options_init(&ctl.options);

  int result;
  if (read_arguments(&ctl, &line, argc, argv, &err) != CRM_OK) {
    fprintf(stderr, "crmctl: %s\ncrmctl --help tells what there is.\n", err.message);
    result = CRM_CTL_CANNOT;
  } else if (line.version) {
    printf("crmctl (collectd-crm) %s\n", CRM_VERSION);
    result = fflush(stdout) == 0 ? CRM_CTL_OK : CRM_CTL_CANNOT;
  } else if (line.help) {
    fputs(line.command != NULL ? line.command->help : crm_ctl_help, stdout);
    result = fflush(stdout) == 0 ? CRM_CTL_OK : CRM_CTL_CANNOT;
  } else if (prepare(&ctl, &err) != CRM_OK)
    result = crm_ctl_fail(&ctl, &err);
  else
    result = line.command->run(&ctl);

  alarm(0);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  crm_stop_free(ctl.stop);
  crm_options_free(&ctl.options);
  crm_arena_free(&ctl.arena);
  return result;
}
