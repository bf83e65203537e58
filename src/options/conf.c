/* SPDX-License-Identifier: MIT */
/* collectd's configuration language, after the grammar of its liboconfig (5.12), which was observed and not copied:
 *
 *   file      := statement*
 *   statement := EOL | WORD value+ EOL | '<' WORD value* '>' EOL statement* '<' '/' WORD '>' EOL
 *   value     := NUMBER | true|yes|on | false|no|off | "quoted text" | WORD | IP address
 *
 * Where the daemon refuses a file this parser does too, so that `crmctl check` never praises what collectd will not start with: a closing
 * tag is written as its opening one, letter case included; an option has a value; the last line ends in a newline.
 * Where the daemon quietly skips a character that it does not know (an unquoted '-', say, which leaves two values where one was meant),
 * this parser says so. A block without values and without children vanishes, as in the daemon.
 *
 * The words of a value are never repeated in a message: another plugin's block may hold a password. */
#include "crm_config.h"

#include "options/conf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 32, MAX_TEXT = 16 << 20, MAX_NUMBER = 64, MAX_ADDRESS = 48 };

enum token {
  TOKEN_END,
  TOKEN_EOL,
  TOKEN_SLASH,
  TOKEN_OPEN,
  TOKEN_CLOSE,
  TOKEN_TRUE,
  TOKEN_FALSE,
  TOKEN_NUMBER,
  TOKEN_QUOTED,
  TOKEN_WORD,
  TOKEN_ERROR
};

struct parser {
  const char *p, *end;
  const char *file;
  int line; /* of p */
  struct crm_arena *arena;
  struct crm_error *err;
  /* The token read last. */
  enum token token;
  int token_line;
  char *text; /* QUOTED, WORD; in the arena */
  double number;
};

static enum token fail(struct parser *parser, int line, const char *what) {
  crm_error_set(parser->err, CRM_ERR_CONFIG, "%s:%d: %s", parser->file, line, what);
  return TOKEN_ERROR;
}

static enum token fail_memory(struct parser *parser) {
  crm_error_set(parser->err, CRM_ERR_MEMORY, "%s: not enough memory to read the configuration", parser->file);
  return TOKEN_ERROR;
}

static bool is_word_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static size_t span_digits(const char *p, const char *end) {
  const char *q = p;
  while (q < end && is_digit(*q))
    q++;
  return (size_t)(q - p);
}

/* Length of the line end at p: 1 for LF, 2 for CR LF, 0 for none. */
static size_t eol_length(const char *p, const char *end) {
  if (p < end && *p == '\n')
    return 1;
  return end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

/* Longest number at p: 0x1F, or [+-]digits, or [+-]digits.digits with an exponent that carries a sign. */
static size_t number_length(const char *p, const char *end) {
  if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && isxdigit((unsigned char)p[2])) {
    const char *q = p + 2;
    while (q < end && isxdigit((unsigned char)*q))
      q++;
    return (size_t)(q - p);
  }
  const char *q = p;
  if (q < end && (*q == '+' || *q == '-'))
    q++;
  size_t whole = span_digits(q, end);
  q += whole;
  size_t fraction = q < end && *q == '.' ? span_digits(q + 1, end) : 0;
  if (fraction == 0)
    return whole == 0 ? 0 : (size_t)(q - p);
  q += 1 + fraction;
  if (end - q > 2 && (*q == 'e' || *q == 'E') && (q[1] == '+' || q[1] == '-') && is_digit(q[2]))
    q += 2 + span_digits(q + 2, end);
  return (size_t)(q - p);
}

/* Length of ":PORT" at p, or 0. */
static size_t port_length(const char *p, const char *end) {
  if (p == end || *p != ':')
    return 0;
  size_t digits = span_digits(p + 1, end);
  if (digits == 0 || p[1] == '0')
    return 0;
  if (digits > 5)
    digits = 5;
  long port = 0;
  for (size_t i = 0; i < digits; i++)
    port = port * 10 + (p[1 + i] - '0');
  return 1 + (port > 65535 ? digits - 1 : digits);
}

static bool is_address(int family, const char *p, size_t len) {
  char text[MAX_ADDRESS + 1];
  unsigned char bytes[sizeof(struct in6_addr)];
  if (len > MAX_ADDRESS)
    return false;
  memcpy(text, p, len);
  text[len] = '\0';
  return inet_pton(family, text, bytes) == 1;
}

/* Longest IPv4 or IPv6 address at p, with its port where the grammar has one; these need no quotes. */
static size_t address_length(const char *p, const char *end) {
  if (*p == '[') {
    const char *close = memchr(p, ']', (size_t)(end - p) < MAX_ADDRESS ? (size_t)(end - p) : MAX_ADDRESS);
    if (close == NULL || !is_address(AF_INET6, p + 1, (size_t)(close - p - 1)))
      return 0;
    return (size_t)(close + 1 - p) + port_length(close + 1, end);
  }
  size_t run = 0, colons = 0, dots = 0;
  while (p + run < end && run < MAX_ADDRESS && (isxdigit((unsigned char)p[run]) || p[run] == ':' || p[run] == '.')) {
    colons += p[run] == ':';
    dots += p[run] == '.';
    run++;
  }
  if (colons < 2 && dots < 3)
    return 0;
  for (size_t len = run; len >= 2; len--) {
    if (is_address(AF_INET6, p, len))
      return len;
    if (is_address(AF_INET, p, len))
      return len + port_length(p + len, end);
  }
  return 0;
}

/* A quoted string. A backslash takes the next character as it is; before a line end it joins the lines and the white space that
 * begins the next one goes. */
static enum token lex_quoted(struct parser *parser) {
  int line = parser->line;
  const char *p = parser->p + 1;
  const char *q = p;
  while (q < parser->end && *q != '"')
    q += *q == '\\' && q + 1 < parser->end ? 2 : 1;
  if (q >= parser->end)
    return fail(parser, line, "the text that begins with '\"' here is not closed");
  char *out = crm_arena_alloc(parser->arena, (size_t)(q - p) + 1);
  if (out == NULL)
    return fail_memory(parser);
  size_t n = 0;
  while (p < q) {
    if (*p == '\\') {
      size_t eol = eol_length(p + 1, q);
      p += 1 + eol;
      if (eol > 0) {
        parser->line++;
        while (p < q && (*p == ' ' || *p == '\t'))
          p++;
        continue;
      }
    }
    parser->line += *p == '\n';
    out[n++] = *p++;
  }
  out[n] = '\0';
  parser->p = q + 1;
  parser->text = out;
  return TOKEN_QUOTED;
}

static bool equals(const char *p, size_t len, const char *word) {
  return strlen(word) == len && memcmp(p, word, len) == 0;
}

/* A word, number or address: the longest of them, as flex does it. */
static enum token lex_bare(struct parser *parser) {
  const char *p = parser->p, *end = parser->end;
  size_t word = 0;
  while (p + word < end && is_word_char(p[word]))
    word++;
  size_t number = number_length(p, end);
  size_t address = address_length(p, end);
  size_t len = word;
  enum token token = TOKEN_WORD;
  if (number > 0 && number >= len) {
    len = number;
    token = TOKEN_NUMBER;
  }
  if (address > 0 && address >= len) {
    len = address;
    token = TOKEN_WORD;
  }
  if (len == 0) {
    unsigned char c = (unsigned char)*p;
    char what[120];
    if (c > ' ' && c < 127)
      snprintf(what, sizeof(what), "the character '%c' cannot stand here; text of more than letters, digits and '_' wants quotes", c);
    else
      snprintf(what, sizeof(what), "the byte 0x%02x cannot stand here; text of more than letters, digits and '_' wants quotes", c);
    return fail(parser, parser->line, what);
  }
  parser->p += len;
  if (token == TOKEN_WORD) {
    if (equals(p, len, "true") || equals(p, len, "yes") || equals(p, len, "on"))
      return TOKEN_TRUE;
    if (equals(p, len, "false") || equals(p, len, "no") || equals(p, len, "off"))
      return TOKEN_FALSE;
    parser->text = crm_arena_strndup(parser->arena, p, len);
    return parser->text == NULL ? fail_memory(parser) : TOKEN_WORD;
  }
  char digits[MAX_NUMBER + 1];
  if (len > MAX_NUMBER)
    return fail(parser, parser->line, "the number is too long");
  memcpy(digits, p, len);
  digits[len] = '\0';
  parser->number = strtod(digits, NULL);
  return TOKEN_NUMBER;
}

static enum token lex(struct parser *parser) {
  for (;;) {
    if (parser->p == parser->end) {
      parser->token_line = parser->line;
      return TOKEN_END;
    }
    char c = *parser->p;
    size_t eol = eol_length(parser->p, parser->end);
    if (eol > 0) {
      parser->p += eol;
      parser->token_line = parser->line++;
      return TOKEN_EOL;
    }
    if (c == '\\' && (eol = eol_length(parser->p + 1, parser->end)) > 0) {
      parser->p += 1 + eol;
      parser->line++;
      continue;
    }
    if (c == ' ' || c == '\t' || c == '\b') {
      parser->p++;
      continue;
    }
    if (c == '#') {
      while (parser->p < parser->end && *parser->p != '\n')
        parser->p++;
      continue;
    }
    parser->token_line = parser->line;
    if (c == '"')
      return lex_quoted(parser);
    const char *single = strchr("/<>", c);
    if (c == '\0' || single == NULL)
      return lex_bare(parser);
    parser->p++;
    return c == '/' ? TOKEN_SLASH : c == '<' ? TOKEN_OPEN : TOKEN_CLOSE;
  }
}

static bool advance(struct parser *parser) {
  parser->token = lex(parser);
  return parser->token != TOKEN_ERROR;
}

static bool add_value(struct parser *parser, struct crm_conf_node *node, size_t *cap) {
  if (node->n_values == *cap) {
    size_t larger = *cap == 0 ? 2 : 2 * *cap;
    struct crm_conf_value *values = crm_arena_calloc(parser->arena, larger, sizeof(*values));
    if (values == NULL)
      return fail_memory(parser), false;
    if (node->n_values > 0)
      memcpy(values, node->values, node->n_values * sizeof(*values));
    node->values = values;
    *cap = larger;
  }
  struct crm_conf_value *value = &node->values[node->n_values++];
  switch (parser->token) {
  case TOKEN_TRUE:
  case TOKEN_FALSE:
    value->type = CRM_CONF_BOOLEAN;
    value->boolean = parser->token == TOKEN_TRUE;
    break;
  case TOKEN_NUMBER:
    value->type = CRM_CONF_NUMBER;
    value->number = parser->number;
    break;
  default:
    value->type = CRM_CONF_STRING;
    value->string = parser->text;
  }
  return true;
}

/* Reads the key, which is the current token, and the values behind it. */
static bool parse_head(struct parser *parser, struct crm_conf_node *node) {
  if (parser->token != TOKEN_WORD)
    return fail(parser, parser->token_line, "the name of an option or block was expected here"), false;
  *node = (struct crm_conf_node){.key = parser->text, .file = parser->file, .line = parser->token_line};
  size_t cap = 0;
  while (advance(parser)) {
    if (parser->token < TOKEN_TRUE)
      return true;
    if (!add_value(parser, node, &cap))
      return false;
  }
  return false;
}

static bool expect(struct parser *parser, enum token token, const char *what) {
  return parser->token == token || (fail(parser, parser->token_line, what), false);
}

static bool parse_statements(struct parser *parser, struct crm_conf_node *parent, int depth);

/* From behind '<' to the end of the line that closes the block. */
static bool parse_block(struct parser *parser, struct crm_conf_node *node, int depth) {
  if (depth > MAX_DEPTH)
    return fail(parser, parser->token_line, "blocks are nested too deeply"), false;
  if (!parse_head(parser, node) || !expect(parser, TOKEN_CLOSE, "'>' was expected here, at the end of the block's opening tag") ||
      !advance(parser) || !expect(parser, TOKEN_EOL, "nothing may follow '>' on its line") || !advance(parser))
    return false;
  if (!parse_statements(parser, node, depth))
    return false;
  /* The current token is the name behind "</", or the end of the file. */
  if (parser->token == TOKEN_END) {
    crm_error_set(parser->err, CRM_ERR_CONFIG, "%s:%d: the block <%s> is not closed", parser->file, node->line, node->key);
    return false;
  }
  if (!expect(parser, TOKEN_WORD, "the name of the block was expected here, behind '</'"))
    return false;
  if (strcmp(parser->text, node->key) != 0) {
    crm_error_set(parser->err, CRM_ERR_CONFIG, "%s:%d: </%s> closes <%s> of line %d; collectd wants the same name in the same letters",
                  parser->file, parser->token_line, parser->text, node->key, node->line);
    return false;
  }
  return advance(parser) && expect(parser, TOKEN_CLOSE, "'>' was expected here, at the end of the block's closing tag") &&
         advance(parser) &&
         expect(parser, TOKEN_EOL,
                parser->token == TOKEN_END ? "the last line has no newline, and collectd refuses such a file"
                                           : "nothing may follow '>' on its line") &&
         advance(parser);
}

static bool add_child(struct parser *parser, struct crm_conf_node *parent, size_t *cap, const struct crm_conf_node *child) {
  if (parent->n_children == *cap) {
    size_t larger = *cap == 0 ? 4 : 2 * *cap;
    struct crm_conf_node *children = crm_arena_calloc(parser->arena, larger, sizeof(*children));
    if (children == NULL)
      return fail_memory(parser), false;
    if (parent->n_children > 0)
      memcpy(children, parent->children, parent->n_children * sizeof(*children));
    parent->children = children;
    *cap = larger;
  }
  parent->children[parent->n_children++] = *child;
  return true;
}

/* Reads statements up to the end of the file, or past the "</" that ends the block around them. */
static bool parse_statements(struct parser *parser, struct crm_conf_node *parent, int depth) {
  size_t cap = 0;
  while (parser->token != TOKEN_END) {
    if (parser->token == TOKEN_EOL) {
      if (!advance(parser))
        return false;
      continue;
    }
    struct crm_conf_node child;
    if (parser->token == TOKEN_OPEN) {
      if (!advance(parser))
        return false;
      if (parser->token == TOKEN_SLASH) {
        if (depth == 0)
          return fail(parser, parser->token_line, "a block is closed here, but none is open"), false;
        return advance(parser);
      }
      if (!parse_block(parser, &child, depth + 1))
        return false;
    } else {
      if (!parse_head(parser, &child))
        return false;
      if (parser->token == TOKEN_END)
        return fail(parser, parser->token_line, "the last line has no newline, and collectd refuses such a file"), false;
      if (!expect(parser, TOKEN_EOL, "a value with '/', '<' or '>' wants quotes"))
        return false;
      if (child.n_values == 0) {
        crm_error_set(parser->err, CRM_ERR_CONFIG, "%s:%d: %s: an option needs a value", parser->file, child.line, child.key);
        return false;
      }
      if (!advance(parser))
        return false;
    }
    if ((child.n_values > 0 || child.n_children > 0) && !add_child(parser, parent, &cap, &child))
      return false;
  }
  return true;
}

enum crm_status crm_conf_parse(const char *text, size_t len, const char *file, struct crm_arena *arena, struct crm_conf_node *root,
                               struct crm_error *err) {
  struct crm_error ignored;
  struct parser parser = {.p = text, .end = text + len, .line = 1, .arena = arena, .err = err == NULL ? &ignored : err};
  crm_error_clear(parser.err);
  parser.file = crm_arena_strndup(arena, file, strlen(file));
  if (parser.file == NULL)
    return crm_error_set(parser.err, CRM_ERR_MEMORY, "%s: not enough memory to read the configuration", file);
  *root = (struct crm_conf_node){.key = "", .file = parser.file, .line = 1};
  if (len > MAX_TEXT)
    return crm_error_set(parser.err, CRM_ERR_CONFIG, "%s:1: more than %d MiB of configuration", parser.file, MAX_TEXT >> 20);
  if (memchr(text, '\0', len) != NULL)
    return crm_error_set(parser.err, CRM_ERR_CONFIG, "%s:1: a NUL byte: this is no text file", parser.file);
  if (!advance(&parser) || !parse_statements(&parser, root, 0))
    return parser.err->status;
  return CRM_OK;
}
