/* SPDX-License-Identifier: MIT */
/* The manual's list and the sample file, made from the table. */
#include "crm_config.h"

#include "options/option_table.h"

#include <stdio.h>
#include <string.h>

enum { SAMPLE_WIDTH = 100 };

/* What is written behind the option's name in the manual. */
static const char *placeholder(const struct crm_option *option) {
  switch (option->kind) {
  case CRM_KIND_CONNINFO:
    return "\"connection string\"";
  case CRM_KIND_PATH:
  case CRM_KIND_FILE:
    return "\"path\"";
  case CRM_KIND_PORT:
  case CRM_KIND_COUNT:
    return "number";
  case CRM_KIND_BOOLEAN:
    return "true|false";
  case CRM_KIND_DURATION:
  case CRM_KIND_INTEGER:
  case CRM_KIND_NUMBER:
    return option->unit != NULL ? option->unit : "number";
  case CRM_KIND_BYTES:
    return "bytes";
  case CRM_KIND_ZONE:
    return "\"zone\"";
  case CRM_KIND_CURRENCY:
    return "\"code\"";
  case CRM_KIND_MAPPING:
    return "\"name or directory\"";
  case CRM_KIND_SHARD:
    return "\"number/of\"";
  case CRM_KIND_FLAGS:
    return "\"word\" ...";
  case CRM_KIND_DIMENSIONS:
    return "\"dimension\" ...";
  case CRM_KIND_PER_ACCOUNT:
    return "\"word\" [number]";
  case CRM_KIND_BENCHMARK:
    return "\"source\" number";
  case CRM_KIND_CONDITION:
    return "\"term > number\"";
  case CRM_KIND_URL:
    return "\"URL\"";
  case CRM_KIND_PATTERNS:
    return "\"pattern\" ...";
  case CRM_KIND_LABEL:
  case CRM_KIND_HEADER:
    return "\"name\" \"value\"";
  case CRM_KIND_HEADER_FILE:
    return "\"name\" \"path\"";
  default:
    return option->words != NULL ? "\"word\"" : "\"text\"";
  }
}

/* Text with POD's special characters made harmless. */
static void add_pod(struct crm_strbuf *out, const char *text) {
  for (; *text != '\0'; text++) {
    if (*text == '<')
      crm_strbuf_adds(out, "E<lt>");
    else if (*text == '>')
      crm_strbuf_adds(out, "E<gt>");
    else
      crm_strbuf_addc(out, *text);
  }
}

static void add_blocks(struct crm_strbuf *out, unsigned blocks) {
  const char *separator = "";
  for (unsigned type = 1; type < 1u << CRM_OPTION_BLOCKS; type <<= 1)
    if ((blocks & type) != 0) {
      crm_strbuf_addf(out, "%sE<lt>%sE<gt>", separator, crm_option_block_name(type));
      separator = ", ";
    }
}

static void add_item(struct crm_strbuf *out, const struct crm_option *option) {
  crm_strbuf_addf(out, "=item B<%s> I<", option->name);
  add_pod(out, placeholder(option));
  crm_strbuf_adds(out, ">\n\n");
  add_pod(out, option->help);
  crm_strbuf_adds(out, " Allowed: ");
  crm_option_allowed(option, out);
  crm_strbuf_adds(out, ". ");
  if ((option->blocks & (CRM_BLOCK_DATABASE | CRM_BLOCK_SCORECARD | CRM_BLOCKS_SINK)) != 0) {
    crm_strbuf_adds(out, "Stands in ");
    add_blocks(out, option->blocks);
    crm_strbuf_adds(out, ". ");
  }
  if (option->fallback != NULL)
    crm_strbuf_addf(out, "Defaults to B<%s>.\n\n", option->fallback);
  else
    crm_strbuf_adds(out, "Not set by default.\n\n");
}

static void add_rule(struct crm_strbuf *out, const struct crm_rule *rule) {
  crm_strbuf_addf(out, "=item B<%s>\n\n", rule->name);
  for (size_t k = 0; k < rule->n_conditions; k++) {
    const struct crm_condition *condition = &rule->conditions[k];
    char text[128];
    snprintf(text, sizeof(text), "%s %s %.15g", crm_term_name(condition->term), crm_comparison_sign(condition->comparison),
             condition->value);
    crm_strbuf_adds(out, k == 0 ? "" : " and ");
    add_pod(out, text);
  }
  crm_strbuf_addf(out, ": %s\n\n", rule->action);
}

/* The terms of conditions, those of one kind in one item, and the shipped rules. */
static void add_rules(struct crm_strbuf *out) {
  crm_strbuf_adds(out, "Terms of conditions:\n\n=over 4\n\n");
  for (unsigned t = 0; t < CRM_TERMS;) {
    const char *help = crm_term_help(t);
    crm_strbuf_adds(out, "=item ");
    for (unsigned first = t; t < CRM_TERMS && strcmp(crm_term_help(t), help) == 0; t++)
      crm_strbuf_addf(out, "%sB<%s>", t == first ? "" : ", ", crm_term_name(t));
    crm_strbuf_addf(out, "\n\n%s.\n\n", help);
  }
  crm_strbuf_adds(out, "=back\n\nThe shipped rules:\n\n=over 4\n\n");
  size_t n;
  const struct crm_rule *rules = crm_rules_shipped(&n);
  for (size_t i = 0; i < n; i++)
    add_rule(out, &rules[i]);
  crm_strbuf_adds(out, "=back\n\n");
}

/* What stands above the options of a block of its own. */
static const struct {
  const char *group, *heading, *text;
} headings[] = {
    {"Relation", "In <Relation \"name\">", "One such block for each relation of which something is to be other than in the mapping."},
    {"Recommendation", "In <Recommendation \"name\">",
     "One such block for each rule that is added or changed. A block with the name of a shipped rule takes over from it what it does not "
     "say; its conditions replace all of that rule's."},
    {"Listen", "In <Listen \"address:port\">",
     "One such block, beside those of the instances, for each scrape endpoint. The address is numeric: \"127.0.0.1:9477\", \"[::1]:9477\", "
     "or "
     "\":9477\" for all addresses of the machine. Without options of its own it may be written in one line: Listen \"127.0.0.1:9477\"."},
    {"TextFile", "In <TextFile \"path\">",
     "One such block, beside those of the instances, for each file that is written for node_exporter's textfile collector. Its absolute "
     "path "
     "ends in .prom. Without options of its own it may be written in one line: TextFile \"/var/lib/prometheus/node-exporter/crm.prom\"."},
    {"RemoteWrite", "In <RemoteWrite \"name\"> and <OTLP \"name\">",
     "One such block, beside those of the instances, for each receiver to which series are sent: by Prometheus remote write, or by the "
     "OpenTelemetry protocol over HTTP. The name is 1 to 64 letters, digits, '_' and '-', and belongs to one receiver."},
};

static void add_heading(struct crm_strbuf *out, const char *group) {
  for (size_t i = 0; i < sizeof(headings) / sizeof(*headings); i++) {
    if (strcmp(headings[i].group, group) != 0)
      continue;
    crm_strbuf_adds(out, "=head2 ");
    add_pod(out, headings[i].heading);
    crm_strbuf_adds(out, "\n\n");
    add_pod(out, headings[i].text);
    crm_strbuf_adds(out, "\n\n");
    return;
  }
  crm_strbuf_addf(out, "=head2 %s\n\n", group);
}

static void end_group(struct crm_strbuf *out, const char *group) {
  crm_strbuf_adds(out, "=back\n\n");
  if (strcmp(group, "Recommendation") == 0)
    add_rules(out);
}

void crm_options_pod(struct crm_strbuf *out) {
  const char *group = NULL;
  for (size_t i = 0; i < crm_option_count(); i++) {
    const struct crm_option *option = crm_option_at(i);
    if (group == NULL || strcmp(group, option->group) != 0) {
      if (group != NULL)
        end_group(out, group);
      group = option->group;
      add_heading(out, group);
      crm_strbuf_adds(out, "=over 4\n\n");
    }
    add_item(out, option);
  }
  if (group != NULL)
    end_group(out, group);
}

/* "# words", broken into lines. */
static void add_comment(struct crm_strbuf *out, const char *indent, const char *text) {
  size_t column = 0;
  while (*text != '\0') {
    size_t len = strcspn(text, " ");
    if (column > 0 && column + 1 + len > SAMPLE_WIDTH) {
      crm_strbuf_addc(out, '\n');
      column = 0;
    }
    if (column == 0) {
      crm_strbuf_addf(out, "%s# ", indent);
      column = strlen(indent) + 2;
    } else {
      crm_strbuf_addc(out, ' ');
      column++;
    }
    crm_strbuf_add(out, text, len);
    column += len;
    text += len + (text[len] == ' ');
  }
  crm_strbuf_addc(out, '\n');
}

static void add_setting(struct crm_strbuf *out, const char *indent, const struct crm_option *option) {
  crm_strbuf_addf(out, "%s#%s %s\n", indent, option->name, option->fallback != NULL ? option->fallback : option->example);
}

/* True if the name is one of the blank-separated words. */
static bool among(const char *name, const char *words) {
  size_t len = strlen(name);
  for (const char *p = words; p != NULL && (p = strstr(p, name)) != NULL; p += len)
    if ((p == words || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
      return true;
  return false;
}

/* The options of one block but for those `except`, without their explanation. */
static void add_block(struct crm_strbuf *out, const char *indent, unsigned block, const char *name, const char *except) {
  crm_strbuf_addf(out, "%s#<%s \"%s\">\n", indent, crm_option_block_name(block), name);
  for (size_t i = 0; i < crm_option_count(); i++)
    if ((crm_option_at(i)->blocks & block) != 0 && !among(crm_option_at(i)->name, except))
      add_setting(out, strlen(indent) < 4 ? "    " : "      ", crm_option_at(i));
  crm_strbuf_addf(out, "%s#</%s>\n", indent, crm_option_block_name(block));
}

void crm_options_sample(struct crm_strbuf *out) {
  add_comment(out, "", "Configuration of the collectd plugin crm; collectd-crm(5) explains it, `crmctl check` tries it out.");
  crm_strbuf_adds(out, "#\n");
  add_comment(out, "",
              "A line such as \"#Option value\" (no blank behind the sign) holds an option at its default, or an example where it has "
              "none: take the "
              "sign away to set it. This file is made from the plugin's table of options; do not edit the one in the source tree.");
  crm_strbuf_adds(out, "\n<LoadPlugin crm>\n");
  add_comment(out, "  ", "How often metrics are sent, in seconds. Keep it below 300: Prometheus forgets a value after five minutes.");
  crm_strbuf_adds(out, "  Interval 60\n</LoadPlugin>\n\n<Plugin crm>\n");
  add_comment(out, "  ",
              "One block for each CRM. Its name says whose customers they are: it is the tenant where the CRM itself knows none.");
  crm_strbuf_adds(out, "  <Instance \"example\">\n");
  const char *group = "";
  for (size_t i = 0; i < crm_option_count(); i++) {
    const struct crm_option *option = crm_option_at(i);
    if ((option->blocks & CRM_BLOCK_INSTANCE) == 0)
      continue;
    if (strcmp(group, option->group) != 0) {
      crm_strbuf_addf(out, "%s    # --- %s ---\n", i == 0 ? "" : "\n", option->group);
      group = option->group;
    }
    crm_strbuf_addc(out, '\n');
    add_comment(out, "    ", option->help);
    add_setting(out, "    ", option);
  }
  crm_strbuf_adds(out, "\n    # --- Blocks ---\n\n");
  add_comment(out, "    ", "A health score of its own for the accounts of one segment; what is not said is as above.");
  add_block(out, "    ", CRM_BLOCK_SCORECARD, "enterprise", NULL);
  crm_strbuf_addc(out, '\n');
  add_comment(out, "    ", "A second database. It takes nothing over from the connection above.");
  add_block(out, "    ", CRM_BLOCK_DATABASE, "warehouse", NULL);
  crm_strbuf_addc(out, '\n');
  add_comment(out, "    ",
              "A relation that is read in another way than the mapping says: by a statement that stands here, or by one in a file.");
  add_block(out, "    ", CRM_BLOCK_RELATION, "engagement", "QueryFile");
  add_block(out, "    ", CRM_BLOCK_RELATION, "usage", "Query");
  crm_strbuf_addc(out, '\n');
  add_comment(out, "    ",
              "A rule that recommends an action for the accounts that meet its conditions. collectd-crm(5) lists the shipped ones.");
  add_block(out, "    ", CRM_BLOCK_RECOMMENDATION, "at_risk", NULL);
  crm_strbuf_adds(out, "  </Instance>\n\n  # --- Ways out of our own, with all labels ---\n\n");
  add_comment(out, "  ", "A scrape endpoint: http://127.0.0.1:9477/metrics.");
  add_block(out, "  ", CRM_BLOCK_LISTEN, "127.0.0.1:9477", NULL);
  crm_strbuf_addc(out, '\n');
  add_comment(out, "  ", "A file for node_exporter's textfile collector.");
  add_block(out, "  ", CRM_BLOCK_TEXT_FILE, "/var/lib/prometheus/node-exporter/crm.prom", NULL);
  crm_strbuf_addc(out, '\n');
  add_comment(out, "  ", "A receiver of Prometheus remote write.");
  add_block(out, "  ", CRM_BLOCK_REMOTE_WRITE, "prometheus", "BearerTokenFile");
  crm_strbuf_addc(out, '\n');
  add_comment(out, "  ", "A receiver of the OpenTelemetry protocol over HTTP.");
  add_block(out, "  ", CRM_BLOCK_OTLP, "collector", "User PasswordFile");
  crm_strbuf_adds(out, "</Plugin>\n");
}
