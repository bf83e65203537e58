/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/picks.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

void crm_selection_init(struct crm_selection *selection, const struct crm_sink_options *options) {
  bool only_excludes = true;
  for (size_t p = 0; p < options->n_families; p++)
    only_excludes = only_excludes && options->families[p][0] == '!';
  for (int f = 0; f < CRM_FAMILIES; f++) {
    const struct crm_family_info *info = crm_family_info((enum crm_family)f);
    bool wanted = only_excludes;
    for (size_t p = 0; p < options->n_families; p++) {
      const char *pattern = options->families[p];
      bool exclude = pattern[0] == '!';
      if (fnmatch(pattern + exclude, info->name, 0) == 0)
        wanted = !exclude;
    }
    selection->family[f] = wanted && (options->per_account || info->scope != CRM_SCOPE_ACCOUNT);
  }
}

size_t crm_selection_count(const struct crm_selection *selection, const struct crm_series_set *set) {
  size_t n = 0;
  for (size_t i = 0; set != NULL && i < set->n; i++)
    n += selection->family[set->samples[i].family];
  return n;
}

void crm_picks_free(struct crm_picks *picks) {
  free(picks->list);
  *picks = (struct crm_picks){0};
}

/* --- comparing ----------------------------------------------------------------------------------------------------------------- */

static bool same_dimensions(const struct crm_series_set *a, const struct crm_series_set *b) {
  if (a->n_dimensions != b->n_dimensions)
    return false;
  for (size_t d = 0; d < a->n_dimensions; d++)
    if (strcmp(a->dimensions[d], b->dimensions[d]) != 0)
      return false;
  return true;
}

/* `same`: cells of the two sets have the same labels. */
static int compare(const struct crm_series_set *a, const struct crm_sample *x, const struct crm_series_set *b, const struct crm_sample *y,
                   bool same) {
  if (x->family != y->family)
    return x->family < y->family ? -1 : 1;
  const struct crm_family_info *info = crm_family_info((enum crm_family)x->family);
  if (!same && info->scope == CRM_SCOPE_CELL)
    return -1;
  for (size_t i = 0; i < x->n_labels; i++) {
    const char *left = crm_set_label_value(a, x, i), *right = crm_set_label_value(b, y, i);
    int order = left == right ? 0 : strcmp(left, right);
    if (order == 0)
      continue;
    if (info->kind == CRM_DISTRIBUTION && i + 1U == x->n_labels) {
      double le = strtod(left, NULL), other = strtod(right, NULL);
      if (le != other)
        return le < other ? -1 : 1;
    }
    return order;
  }
  return 0;
}

int crm_series_compare(const struct crm_series_set *a, const struct crm_sample *x, const struct crm_series_set *b,
                       const struct crm_sample *y) {
  return compare(a, x, b, y, a == b || same_dimensions(a, b));
}

/* A walk through the selected series of a set. */
struct walk {
  const struct crm_series_set *set;
  const struct crm_selection *selection;
  size_t at, n;
};

static void settle(struct walk *w) {
  for (; w->at < w->n; w->at++) {
    const struct crm_sample *s = &w->set->samples[w->at];
    if (w->selection != NULL && !w->selection->family[s->family])
      continue;
    /* Within a set equal labels have equal numbers. */
    if (w->at > 0 && s[-1].family == s->family &&
        memcmp(w->set->label_values + s[-1].labels, w->set->label_values + s->labels, s->n_labels * sizeof(*w->set->label_values)) == 0)
      continue;
    return;
  }
}

static struct walk walk(const struct crm_series_set *set, const struct crm_selection *selection) {
  struct walk w = {set, selection, 0, set == NULL ? 0 : set->n};
  settle(&w);
  return w;
}

static enum crm_status add(struct crm_picks *picks, struct walk *from, bool stale) {
  enum crm_status status = crm_vec_reserve((void **)&picks->list, &picks->cap, picks->n + 1, sizeof(*picks->list));
  if (status != CRM_OK)
    return status;
  picks->list[picks->n++] = (struct crm_pick){.set = from->set, .sample = (uint32_t)from->at, .stale = stale};
  picks->n_stale += stale;
  from->at++;
  settle(from);
  return CRM_OK;
}

enum crm_status crm_picks_add(struct crm_picks *picks, const struct crm_series_set *now, const struct crm_selection *selection,
                              const struct crm_series_set *before, const struct crm_selection *before_selection) {
  struct walk new = walk(now, selection), old = walk(before, before_selection);
  bool same = now == NULL || before == NULL || same_dimensions(now, before);
  enum crm_status status = CRM_OK;
  while (status == CRM_OK && (new.at < new.n || old.at < old.n)) {
    int order = new.at == new.n   ? -1
                : old.at == old.n ? 1
                                  : compare(old.set, &old.set->samples[old.at], new.set, &new.set->samples[new.at], same);
    if (order == 0) {
      old.at++;
      settle(&old);
    } else {
      picks->changed = true;
    }
    status = order < 0 ? add(picks, &old, true) : add(picks, &new, false);
  }
  return status;
}

/* --- a frame of picks ------------------------------------------------------------------------------------------------------------ */

static enum crm_status copy_series(struct crm_series_set *to, const struct crm_series_set *from, const struct crm_sample *s) {
  uint32_t labels[1 + CRM_DIMENSIONS_MAX + 1 + CRM_FAMILY_LABELS];
  if (s->n_labels > sizeof(labels) / sizeof(labels[0]))
    return CRM_ERR_DATA;
  for (size_t i = 0; i < s->n_labels; i++) {
    uint32_t text = from->label_values[s->labels + i];
    enum crm_status status = crm_dict_add(&to->text, crm_dict_text(&from->text, text), crm_dict_len(&from->text, text), &labels[i]);
    if (status != CRM_OK)
      return status;
  }
  return crm_set_add_ids(to, (enum crm_family)s->family, labels, s->n_labels, crm_number_int(0));
}

/* The names of the dimensions must live as long as the set: in its own texts, which do not move any more. */
static enum crm_status own_dimensions(struct crm_series_set *set) {
  uint32_t name[CRM_DIMENSIONS_MAX];
  for (size_t d = 0; d < set->n_dimensions; d++) {
    enum crm_status status = crm_dict_add(&set->text, set->dimensions[d], strlen(set->dimensions[d]), &name[d]);
    if (status != CRM_OK)
      return status;
  }
  for (size_t d = 0; d < set->n_dimensions; d++)
    set->dimensions[d] = crm_dict_text(&set->text, name[d]);
  return CRM_OK;
}

struct crm_frame *crm_frame_of_picks(const char *instance, crm_time at, const struct crm_pick *picks, size_t n) {
  struct crm_series_set business, own;
  const struct crm_series_set *like = NULL; /* has the dimensions that count */
  struct crm_frame *frame = NULL;
  enum crm_status status = crm_set_init(&business);
  enum crm_status other = crm_set_init(&own);
  status = status == CRM_OK ? other : status;
  for (size_t i = 0; status == CRM_OK && i < n; i++) {
    const struct crm_sample *s = &picks[i].set->samples[picks[i].sample];
    enum crm_scope scope = crm_family_info((enum crm_family)s->family)->scope;
    if (scope == CRM_SCOPE_CELL && like == NULL) {
      like = picks[i].set;
      business.n_dimensions = like->n_dimensions;
      memcpy(business.dimensions, like->dimensions, sizeof(business.dimensions));
    }
    if (scope == CRM_SCOPE_CELL && !same_dimensions(like, picks[i].set))
      continue;
    status = copy_series(scope == CRM_SCOPE_INSTANCE ? &own : &business, picks[i].set, s);
  }
  if (status == CRM_OK)
    status = own_dimensions(&business);
  if (status == CRM_OK)
    status = crm_set_sort(&business);
  if (status == CRM_OK)
    status = crm_set_sort(&own);
  if (status == CRM_OK)
    frame = crm_frame_new(instance, at, &business, &own);
  crm_set_free(&business);
  crm_set_free(&own);
  return frame;
}
