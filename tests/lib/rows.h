/* SPDX-License-Identifier: MIT */
/* Rows of facts written as text, for tests: "cell|cell|...". NULL is ~, an instant is in seconds (or infinity, -infinity), a day is a
 * number, an amount is a number or =HEX of a binary numeric, a list is comma-separated; cells left out are NULL. Failures end the test. */
#ifndef CRM_TESTS_ROWS_H
#define CRM_TESTS_ROWS_H

#include "base/strbuf.h"
#include "facts/builder.h"

/* Tenant "house", no currency, no ceiling. */
extern const struct crm_builder_options rows_usual;

struct crm_builder *rows_builder(const struct crm_builder_options *options);
/* Begins every relation, read at the fifth second. */
void rows_begin(struct crm_builder *b);
/* What the cells point to stays until the next call. */
void rows_parse(enum crm_relation relation, const char *text, struct crm_row *row);
enum crm_status rows_try_put(struct crm_builder *b, enum crm_relation relation, const char *text, struct crm_error *err);
void rows_put(struct crm_builder *b, enum crm_relation relation, const char *text);
/* Finishes and frees the builder. */
struct crm_facts *rows_finish(struct crm_builder *b);
const char *rows_text(const struct crm_facts *facts, uint32_t number);
/* Everything that can be seen of the facts, without a number of the dictionary: the currencies, the tenants, then each relation with its
 * accounts in order of tenant and id, whatever their order in the facts. The caller frees it. */
char *rows_dump(const struct crm_facts *f);
/* A space and the value, for texts that are compared: values that differ give texts that do. */
void rows_add_text(struct crm_strbuf *buf, const char *text);
void rows_add_int(struct crm_strbuf *buf, int64_t value);
void rows_add_real(struct crm_strbuf *buf, double value);

#endif
