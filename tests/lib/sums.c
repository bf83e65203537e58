/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sums.h"

static bool has_label(const struct crm_family_info *info, const char *name) {
  for (size_t i = 0; i < CRM_FAMILY_LABELS && info->labels[i] != NULL; i++)
    if (strcmp(info->labels[i], name) == 0)
      return true;
  return false;
}

void sums_parse(const char *text, struct sums *sums) {
  char buf[512];
  assert_true(strlen(text) < sizeof(buf));
  strcpy(buf, text);
  *sums = (struct sums){.n = 0};
  int sign = 1;
  for (char *rest = buf, *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
    char *eq = strchr(word, '=');
    if (strcmp(word, "+") == 0 || strcmp(word, "-") == 0) {
      sign = word[0] == '+' ? 1 : -1;
    } else if (eq == NULL) {
      assert_in_range(sums->n, 0, SUMS_TERMS - 1);
      struct sums_term *term = &sums->terms[sums->n++];
      *term = (struct sums_term){.sign = sign, .family = crm_family_by_name(word)};
      if (term->family == CRM_FAMILIES)
        fail_msg("no such family: %s", word);
    } else {
      assert_true(sums->n > 0);
      struct sums_term *term = &sums->terms[sums->n - 1];
      *eq = '\0';
      if (!has_label(crm_family_info(term->family), word))
        fail_msg("%s has no label %s", crm_family_info(term->family)->name, word);
      assert_in_range(term->n, 0, SUMS_LABELS - 1);
      snprintf(term->name[term->n], sizeof(term->name[0]), "%s", word);
      snprintf(term->value[term->n], sizeof(term->value[0]), "%s", eq + 1);
      term->n++;
    }
  }
  assert_true(sums->n > 0);
}

/* The value of the sample's label of that name; NULL if it has none. */
static const char *value_of(const struct crm_series_set *set, const struct crm_sample *s, const char *name) {
  for (size_t i = 0; i < s->n_labels; i++)
    if (strcmp(crm_set_label_name(set, (enum crm_family)s->family, i), name) == 0)
      return crm_set_label_value(set, s, i);
  return NULL;
}

bool sums_holds(const struct crm_series_set *set, const struct sums_term *term, const struct crm_sample *s) {
  if (s->family != term->family)
    return false;
  for (size_t k = 0; k < term->n; k++)
    if (strcmp(value_of(set, s, term->name[k]), term->value[k]) != 0)
      return false;
  return true;
}

static bool said(const struct sums_term *term, const char *name) {
  for (size_t k = 0; k < term->n; k++)
    if (strcmp(term->name[k], name) == 0)
      return true;
  return false;
}

/* The frame's labels that the samples of the term must share: places in both. */
struct shared {
  size_t n;
  struct {
    size_t here;
    const char *value;
  } label[16];
};

static void share(const struct crm_series_set *set, const struct sums_term *term, const struct crm_sample *any,
                  const struct sums_frame *frame, struct shared *shared) {
  shared->n = 0;
  for (size_t i = 0; i < any->n_labels; i++) {
    const char *name = crm_set_label_name(set, term->family, i), *value = value_of(frame->set, frame->sample, name);
    if (value == NULL || said(term, name) || said(frame->term, name))
      continue;
    shared->label[shared->n].here = i;
    shared->label[shared->n++].value = value;
  }
}

static bool matches(const struct crm_series_set *set, const struct crm_sample *s, const struct shared *shared) {
  for (size_t k = 0; k < shared->n; k++)
    if (strcmp(crm_set_label_value(set, s, shared->label[k].here), shared->label[k].value) != 0)
      return false;
  return true;
}

static void add(struct sums_total *total, int sign, const struct crm_number *v) {
  if (total->samples == 0)
    total->den = v->den;
  total->samples++;
  total->den = v->den == total->den ? total->den : 0;
  total->num += (__int128)sign * v->num;
  total->value += sign * (v->den > 0 ? (long double)v->num / (long double)v->den : (long double)v->real);
}

static size_t first_of(const struct crm_series_set *set, enum crm_family family) {
  size_t low = 0, high = set->n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (set->samples[middle].family < family)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

struct sums_total sums_at(const struct crm_series_set *set, const struct sums *sums, const struct sums_frame *frame) {
  struct sums_total total = {.num = 0};
  for (size_t k = 0; k < sums->n; k++) {
    const struct sums_term *term = &sums->terms[k];
    size_t i = first_of(set, term->family);
    if (i == set->n || set->samples[i].family != term->family)
      continue;
    struct shared shared;
    share(set, term, &set->samples[i], frame, &shared);
    for (; i < set->n && set->samples[i].family == term->family; i++)
      if (matches(set, &set->samples[i], &shared) && sums_holds(set, term, &set->samples[i]))
        add(&total, term->sign, &set->samples[i].value);
  }
  return total;
}

bool sums_equal(const struct sums_total *a, const struct sums_total *b) {
  if ((a->den > 0 || a->samples == 0) && (b->den > 0 || b->samples == 0) && (a->den == b->den || a->num == 0 || b->num == 0))
    return a->num == b->num;
  return fabsl(a->value - b->value) <= 1e-9L * fmaxl(1, fabsl(b->value));
}

const char *sums_show(const struct crm_series_set *set, const struct crm_sample *s, char *buf, size_t size) {
  int len = snprintf(buf, size, "%s", crm_family_info((enum crm_family)s->family)->name);
  for (size_t i = 0; i < s->n_labels && len > 0 && (size_t)len < size; i++)
    len += snprintf(buf + len, size - (size_t)len, " %s=%s", crm_set_label_name(set, (enum crm_family)s->family, i),
                    crm_set_label_value(set, s, i));
  return buf;
}
