/* SPDX-License-Identifier: MIT */
/* Checking one row and appending it to the columns. A function per relation converts all cells first and appends only when all are good,
 * so a row refused leaves nothing behind. */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "facts/builder_internal.h"
#include "facts/columns.h"
#include "facts/words.h"

#define FIRST_TIME (INT64_C(-62135596800) * CRM_US_PER_SECOND)    /* 0001-01-01T00:00:00Z */
#define LAST_TIME (INT64_C(253402300800) * CRM_US_PER_SECOND - 1) /* the last microsecond of 9999 */
#define FIRST_DAY (-719162)
#define LAST_DAY 2932896
#define OPEN_END INT64_MAX

/* One row on its way. `status` is an error that ends the read; `reason` why the row makes no sense. Once either is set the rest of
 * the conversion no longer matters, and the row is not appended. */
struct taking {
  struct crm_builder *b;
  enum crm_relation relation;
  const struct crm_cell_value *cells;
  struct crm_error *err;
  enum crm_status status;
  enum crm_reject reason;
};

static void fail(struct taking *t, enum crm_status status) {
  if (t->status == CRM_OK)
    t->status = status;
}

static void refuse(struct taking *t, enum crm_reject reason) {
  if (t->reason == CRM_REJECT_NONE)
    t->reason = reason;
}

static uint64_t digest_of(const struct taking *t, int column) {
  const struct crm_cell_value *cell = &t->cells[column];
  return cell->set ? crm_digest_of(t->b->facts->text.seed, cell->text, cell->len) : 0;
}

static void count(const struct taking *t, enum crm_reject reason) {
  if (t->b->patchable)
    crm_builder_refuse(t->b, t->relation, digest_of(t, CRM_IX_ACCOUNT_ID), crm_has_key(t->relation) ? digest_of(t, 1) : 0, reason);
  else
    t->b->facts->rejected[t->relation][reason]++;
}

/* --- cells -------------------------------------------------------------------------------------------------------- */

/* An empty text is no text. */
static bool has_text(const struct crm_cell_value *cell) {
  return cell->set && cell->len > 0;
}

static enum crm_reject check_number(double v, double min, double max) {
  if (v >= min && v <= max)
    return CRM_REJECT_NONE;
  return isfinite(v) ? CRM_REJECT_OUT_OF_RANGE : CRM_REJECT_NOT_A_NUMBER;
}

static enum crm_reject check_cell(const struct crm_column *column, const struct crm_cell_value *cell) {
  bool set = cell->set && (column->kind != CRM_COL_TEXT || cell->len > 0);
  if (!set)
    return column->required ? CRM_REJECT_MISSING : CRM_REJECT_NONE;
  switch (column->kind) {
  case CRM_COL_TEXT:
    return crm_utf8_valid(cell->text, cell->len) ? CRM_REJECT_NONE : CRM_REJECT_BAD_TEXT;
  case CRM_COL_TIME:
    return cell->time >= FIRST_TIME && cell->time <= LAST_TIME ? CRM_REJECT_NONE : CRM_REJECT_OUT_OF_RANGE;
  case CRM_COL_DAY:
    return cell->day >= FIRST_DAY && cell->day <= LAST_DAY ? CRM_REJECT_NONE : CRM_REJECT_OUT_OF_RANGE;
  case CRM_COL_NUMBER:
    return check_number(cell->number, column->min, column->max);
  case CRM_COL_TEXTS: /* ids that are only looked up */
  case CRM_COL_MONEY: /* checked when it is converted */
  case CRM_COL_BOOLEAN:
    break;
  }
  return CRM_REJECT_NONE;
}

/* PostgreSQL's 'infinity' as the end of a contract means that it has none. */
static bool is_open_end(const struct taking *t, size_t column) {
  return t->relation == CRM_REL_CONTRACT && column == CRM_IX_CONTRACT_ENDS_AT && t->cells[column].time == OPEN_END;
}

/* Checks the columns behind account_id; false if the row is refused. */
static bool check_cells(struct taking *t) {
  const struct crm_relation_info *info = crm_relation_info(t->relation);
  for (size_t c = 1; c < info->n_columns; c++) {
    enum crm_reject reason = check_cell(&info->columns[c], &t->cells[c]);
    if (reason != CRM_REJECT_NONE && !is_open_end(t, c)) {
      refuse(t, reason);
      return false;
    }
  }
  return true;
}

static double number(const struct taking *t, int column) {
  const struct crm_cell_value *cell = &t->cells[column];
  return cell->set ? cell->number + 0.0 : (double)NAN; /* -0 becomes 0 */
}

static crm_time instant(const struct taking *t, int column) {
  return t->cells[column].set ? t->cells[column].time : CRM_TIME_NONE;
}

static int8_t tri(const struct taking *t, int column) {
  if (!t->cells[column].set)
    return CRM_TRI_UNKNOWN;
  return t->cells[column].boolean ? CRM_TRI_TRUE : CRM_TRI_FALSE;
}

static uint32_t text(struct taking *t, int column) {
  const struct crm_cell_value *cell = &t->cells[column];
  if (!has_text(cell) || t->status != CRM_OK)
    return 0;
  uint32_t number_of_text = 0;
  enum crm_status status = crm_dict_add(&t->b->facts->text, cell->text, cell->len, &number_of_text);
  if (status == CRM_ERR_LIMIT)
    fail(t, crm_error_set(t->err, status, "the CRM's texts take more than 4 GiB"));
  else if (status != CRM_OK)
    fail(t, crm_error_set(t->err, status, "out of memory"));
  return number_of_text;
}

/* A word of the contract. `if_null` for NULL; for a word that is not in the list `if_unknown`, and it is counted unless `quiet`. */
static uint8_t word(const struct taking *t, int column, const char *const *words, int if_null, int if_unknown, bool quiet) {
  const struct crm_cell_value *cell = &t->cells[column];
  if (!has_text(cell))
    return (uint8_t)if_null;
  int index = crm_word_find(words, cell->text, cell->len);
  if (index >= 0)
    return (uint8_t)index;
  if (!quiet)
    count(t, CRM_REJECT_BAD_VALUE);
  return (uint8_t)if_unknown;
}

/* A word without which the row makes no sense. */
static uint8_t strict_word(struct taking *t, int column, const char *const *words, int if_null) {
  const struct crm_cell_value *cell = &t->cells[column];
  int index = has_text(cell) ? crm_word_find(words, cell->text, cell->len) : if_null;
  if (index < 0) {
    refuse(t, CRM_REJECT_BAD_VALUE);
    return (uint8_t)if_null;
  }
  return (uint8_t)index;
}

/* --- money -------------------------------------------------------------------------------------------------------- */

/* The row's own currency, else `inherited`. */
static uint16_t currency(struct taking *t, int column, uint16_t inherited) {
  const struct crm_cell_value *cell = &t->cells[column];
  if (!has_text(cell) || t->status != CRM_OK || t->reason != CRM_REJECT_NONE)
    return inherited;
  if (!crm_currency_valid(cell->text, cell->len)) {
    refuse(t, CRM_REJECT_BAD_VALUE);
    return CRM_NO_CURRENCY;
  }
  uint16_t own = CRM_NO_CURRENCY;
  fail(t, crm_builder_currency(t->b, cell->text, &own, t->err));
  return own;
}

/* The amount in minor units times `factor`. A recurring amount below zero makes no sense, a credit note does. */
static enum crm_reject convert(const struct crm_builder *b, const struct crm_cell_value *cell, int64_t factor, uint16_t currency_number,
                               bool recurring, crm_money *out) {
  if (currency_number == CRM_NO_CURRENCY)
    return CRM_REJECT_NO_CURRENCY;
  int exponent = b->facts->currencies[currency_number].exponent;
  enum crm_status status = cell->numeric != NULL ? crm_money_from_numeric(cell->numeric, cell->numeric_len, factor, exponent, out)
                                                 : crm_money_from_double(cell->major, factor, exponent, out);
  if (status == CRM_ERR_LIMIT)
    return CRM_REJECT_OUT_OF_RANGE;
  if (status != CRM_OK)
    return CRM_REJECT_NOT_A_NUMBER;
  return recurring && *out < 0 ? CRM_REJECT_OUT_OF_RANGE : CRM_REJECT_NONE;
}

static crm_money money(struct taking *t, int column, int64_t factor, uint16_t currency_number, bool recurring) {
  if (!t->cells[column].set || t->status != CRM_OK)
    return CRM_MONEY_UNKNOWN;
  crm_money amount = CRM_MONEY_UNKNOWN;
  enum crm_reject reason = convert(t->b, &t->cells[column], factor, currency_number, recurring, &amount);
  if (reason != CRM_REJECT_NONE)
    refuse(t, reason);
  return amount;
}

/* Annual amount from arr, or else from mrr. */
static crm_money annual(struct taking *t, int arr, int mrr, uint16_t currency_number) {
  return t->cells[arr].set ? money(t, arr, 1, currency_number, true) : money(t, mrr, 12, currency_number, true);
}

/* --- appending ---------------------------------------------------------------------------------------------------- */

/* True if the row is good and there is room for it; *row is then where it goes, and it counts from now on. */
static bool append(struct taking *t, uint32_t account, uint32_t *n, uint32_t *row) {
  if (t->status != CRM_OK)
    return false;
  if (t->reason != CRM_REJECT_NONE) {
    count(t, t->reason);
    return false;
  }
  struct crm_stage *stage = &t->b->stage[t->relation];
  if (*n == stage->cap) {
    t->status = crm_builder_grow(t->b, t->relation, t->err);
    if (t->status != CRM_OK)
      return false;
  }
  *row = (*n)++;
  stage->account[*row] = account;
  return true;
}

/* The account that the row names. */
static enum crm_reject find_account(struct crm_builder *b, const struct crm_cell_value *cell, uint32_t *account) {
  if (!has_text(cell))
    return CRM_REJECT_NO_ACCOUNT;
  uint32_t found = crm_builder_find_account(b, cell->text, cell->len);
  if (found == CRM_NO_ROW)
    return crm_utf8_valid(cell->text, cell->len) ? CRM_REJECT_UNKNOWN_ACCOUNT : CRM_REJECT_BAD_TEXT;
  *account = found;
  return CRM_REJECT_NONE;
}

/* --- relations ---------------------------------------------------------------------------------------------------- */

static void take_account(struct taking *t, uint32_t unused) {
  (void)unused;
  /* What makes no sense in an account's row is taken as NULL and counted: the account itself is too important to lose. */
  const struct crm_relation_info *info = crm_relation_info(CRM_REL_ACCOUNT);
  struct crm_cell_value cells[CRM_IX_ACCOUNT_COLUMNS];
  memcpy(cells, t->cells, sizeof(cells));
  t->cells = cells;
  if (!has_text(&cells[CRM_IX_ACCOUNT_ID])) {
    count(t, CRM_REJECT_NO_ACCOUNT);
    return;
  }
  for (size_t c = 0; c < info->n_columns; c++) {
    enum crm_reject reason = check_cell(&info->columns[c], &cells[c]);
    if (reason == CRM_REJECT_NONE)
      continue;
    count(t, reason);
    if (c == CRM_IX_ACCOUNT_ID)
      return;
    cells[c].set = false;
  }

  uint16_t own = currency(t, CRM_IX_ACCOUNT_CURRENCY, t->b->default_currency);
  bool bad_currency = t->reason != CRM_REJECT_NONE;
  crm_money arr = bad_currency ? CRM_MONEY_UNKNOWN : annual(t, CRM_IX_ACCOUNT_ARR, CRM_IX_ACCOUNT_MRR, own);
  if (t->reason != CRM_REJECT_NONE) {
    count(t, t->reason);
    t->reason = CRM_REJECT_NONE;
    arr = CRM_MONEY_UNKNOWN;
  }
  uint8_t status = word(t, CRM_IX_ACCOUNT_STATUS, crm_words_account_status, CRM_STATUS_UNKNOWN, CRM_STATUS_UNKNOWN, false);
  uint32_t id = text(t, CRM_IX_ACCOUNT_ID);
  uint32_t tenant = has_text(&cells[CRM_IX_ACCOUNT_TENANT]) ? text(t, CRM_IX_ACCOUNT_TENANT) : t->b->default_tenant;
  uint32_t name = text(t, CRM_IX_ACCOUNT_NAME);
  uint32_t segment = text(t, CRM_IX_ACCOUNT_SEGMENT);
  uint32_t industry = text(t, CRM_IX_ACCOUNT_INDUSTRY);
  uint32_t region = text(t, CRM_IX_ACCOUNT_REGION);
  uint32_t owner = text(t, CRM_IX_ACCOUNT_OWNER);

  struct crm_accounts *to = &t->b->facts->account;
  uint32_t r;
  if (!append(t, tenant, &to->n, &r))
    return;
  to->id[r] = id;
  to->tenant[r] = 0; /* numbered when the accounts are sealed */
  to->name[r] = name;
  to->segment[r] = segment;
  to->industry[r] = industry;
  to->region[r] = region;
  to->owner[r] = owner;
  to->status[r] = status;
  to->currency[r] = own;
  to->created_at[r] = instant(t, CRM_IX_ACCOUNT_CREATED_AT);
  to->churned_at[r] = instant(t, CRM_IX_ACCOUNT_CHURNED_AT);
  to->first_value_at[r] = instant(t, CRM_IX_ACCOUNT_FIRST_VALUE_AT);
  to->changed_at[r] = instant(t, CRM_IX_ACCOUNT_CHANGED_AT);
  to->arr[r] = arr;
  to->seats[r] = number(t, CRM_IX_ACCOUNT_SEATS);
  to->auto_renew[r] = tri(t, CRM_IX_ACCOUNT_AUTO_RENEW);
  to->renewal_forecast[r] = number(t, CRM_IX_ACCOUNT_RENEWAL_FORECAST);
  to->recorded_health[r] = number(t, CRM_IX_ACCOUNT_RECORDED_HEALTH);
  to->recorded_risk[r] = number(t, CRM_IX_ACCOUNT_RECORDED_RISK);
  to->foreign[r] = !crm_shard_holds(t->b->facts->shard, cells[CRM_IX_ACCOUNT_ID].text, cells[CRM_IX_ACCOUNT_ID].len);
}

static void take_revenue(struct taking *t, uint32_t account) {
  if (!t->cells[CRM_IX_REVENUE_ARR].set && !t->cells[CRM_IX_REVENUE_MRR].set)
    refuse(t, CRM_REJECT_MISSING);
  uint16_t own = currency(t, CRM_IX_REVENUE_CURRENCY, t->b->facts->account.currency[account]);
  crm_money arr = annual(t, CRM_IX_REVENUE_ARR, CRM_IX_REVENUE_MRR, own);
  struct crm_revenues *to = &t->b->facts->revenue;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  to->at[r] = instant(t, CRM_IX_REVENUE_AT);
  to->arr[r] = arr;
  to->currency[r] = own;
}

static void take_contract(struct taking *t, uint32_t account) {
  uint16_t own = currency(t, CRM_IX_CONTRACT_CURRENCY, t->b->facts->account.currency[account]);
  crm_money arr = money(t, CRM_IX_CONTRACT_ARR, 1, own, true);
  crm_money renewed_arr = money(t, CRM_IX_CONTRACT_RENEWED_ARR, 1, own, true);
  uint8_t outcome = strict_word(t, CRM_IX_CONTRACT_OUTCOME, crm_words_contract_outcome, CRM_CONTRACT_UNDECIDED);
  uint32_t id = t->reason == CRM_REJECT_NONE ? text(t, CRM_IX_CONTRACT_ID) : 0;
  struct crm_contracts *to = &t->b->facts->contract;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  crm_time ends_at = instant(t, CRM_IX_CONTRACT_ENDS_AT);
  to->id[r] = id;
  to->starts_at[r] = instant(t, CRM_IX_CONTRACT_STARTS_AT);
  to->ends_at[r] = ends_at == OPEN_END ? CRM_TIME_NONE : ends_at;
  to->decided_at[r] = instant(t, CRM_IX_CONTRACT_DECIDED_AT);
  to->arr[r] = arr;
  to->renewed_arr[r] = renewed_arr;
  to->currency[r] = own;
  to->auto_renew[r] = tri(t, CRM_IX_CONTRACT_AUTO_RENEW);
  to->outcome[r] = outcome;
}

static void take_usage(struct taking *t, uint32_t account) {
  struct crm_usages *to = &t->b->facts->usage;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  to->day[r] = t->cells[CRM_IX_USAGE_DAY].day;
  to->logins_per_week[r] = number(t, CRM_IX_USAGE_LOGINS_PER_WEEK);
  to->feature_adoption[r] = number(t, CRM_IX_USAGE_FEATURE_ADOPTION);
  to->session_seconds[r] = number(t, CRM_IX_USAGE_SESSION_SECONDS);
  to->active_users[r] = (float)number(t, CRM_IX_USAGE_ACTIVE_USERS);
}

static void take_support(struct taking *t, uint32_t account) {
  struct crm_supports *to = &t->b->facts->support;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  to->day[r] = t->cells[CRM_IX_SUPPORT_DAY].day;
  to->new_tickets[r] = (float)number(t, CRM_IX_SUPPORT_NEW_TICKETS);
  to->resolved_tickets[r] = (float)number(t, CRM_IX_SUPPORT_RESOLVED_TICKETS);
  to->open_tickets[r] = (float)number(t, CRM_IX_SUPPORT_OPEN_TICKETS);
  to->escalated[r] = (float)number(t, CRM_IX_SUPPORT_ESCALATED);
  to->severity[r] = number(t, CRM_IX_SUPPORT_SEVERITY);
  to->resolution_hours[r] = number(t, CRM_IX_SUPPORT_RESOLUTION_HOURS);
  to->first_response_seconds[r] = number(t, CRM_IX_SUPPORT_FIRST_RESPONSE_SECONDS);
  to->csat[r] = number(t, CRM_IX_SUPPORT_CSAT);
}

/* Appends the contacts that are known by name; which of them are the account's own shows when all is ordered. */
static bool take_list(struct taking *t, uint32_t row) {
  struct crm_builder *b = t->b;
  const struct crm_cell_value *cell = &t->cells[CRM_IX_ENGAGEMENT_CONTACTS];
  b->list_start[row] = (uint32_t)b->list_n;
  b->list_start[row + 1] = (uint32_t)b->list_n;
  if (!cell->set || cell->n_items == 0)
    return true;
  if (b->list_n + cell->n_items > b->list_cap) {
    t->status = crm_builder_grow_list(b, b->list_n + cell->n_items, t->err);
    if (t->status != CRM_OK)
      return false;
  }
  for (size_t i = 0; i < cell->n_items; i++) {
    uint32_t id = crm_dict_find(&b->facts->text, cell->items[i].text, cell->items[i].len);
    if (id != CRM_DICT_NONE && id != 0)
      b->list[b->list_n++] = id;
  }
  b->list_start[row + 1] = (uint32_t)b->list_n;
  return true;
}

static void take_engagement(struct taking *t, uint32_t account) {
  crm_time completed_at = instant(t, CRM_IX_ENGAGEMENT_COMPLETED_AT);
  crm_time scheduled_at = instant(t, CRM_IX_ENGAGEMENT_SCHEDULED_AT);
  if (completed_at == CRM_TIME_NONE && scheduled_at == CRM_TIME_NONE)
    refuse(t, CRM_REJECT_MISSING);
  uint32_t owner = t->reason == CRM_REJECT_NONE ? text(t, CRM_IX_ENGAGEMENT_OWNER) : 0;
  struct crm_builder *b = t->b;
  struct crm_engagements *to = &b->facts->engagement;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  if (!take_list(t, r)) {
    to->n--;
    return;
  }
  const struct crm_cell_value *id = &t->cells[CRM_IX_ENGAGEMENT_ID];
  uint64_t seed = b->facts->text.seed;
  to->key[r] = crm_digest_of(seed, id->text, id->len);
  b->digest[r] = crm_hash(~seed * UINT64_C(0x9e3779b97f4a7c15), id->text, id->len);
  to->completed_at[r] = completed_at;
  to->scheduled_at[r] = scheduled_at;
  to->type[r] = word(t, CRM_IX_ENGAGEMENT_TYPE, crm_words_engagement_type, CRM_OTHER, CRM_OTHER, true);
  to->outcome[r] = word(t, CRM_IX_ENGAGEMENT_OUTCOME, crm_words_outcome, CRM_UNRECORDED, CRM_UNRECORDED, true);
  to->owner[r] = owner;
  to->response_seconds[r] = number(t, CRM_IX_ENGAGEMENT_RESPONSE_SECONDS);
  to->participants[r] = (float)number(t, CRM_IX_ENGAGEMENT_PARTICIPANTS);
  to->accepted[r] = (float)number(t, CRM_IX_ENGAGEMENT_ACCEPTED);
  to->answered[r] = (float)number(t, CRM_IX_ENGAGEMENT_ANSWERED);
}

static void take_contact(struct taking *t, uint32_t account) {
  uint32_t id = text(t, CRM_IX_CONTACT_ID);
  struct crm_contacts *to = &t->b->facts->contact;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  to->id[r] = id;
  to->level[r] = word(t, CRM_IX_CONTACT_LEVEL, crm_words_level, CRM_LEVEL_UNKNOWN, CRM_LEVEL_UNKNOWN, false);
  to->strength[r] = word(t, CRM_IX_CONTACT_STRENGTH, crm_words_strength, CRM_STRENGTH_UNKNOWN, CRM_STRENGTH_UNKNOWN, false);
  to->status[r] = word(t, CRM_IX_CONTACT_STATUS, crm_words_contact_status, CRM_CONTACT_STATUS_UNKNOWN, CRM_CONTACT_STATUS_UNKNOWN, false);
  to->since[r] = instant(t, CRM_IX_CONTACT_SINCE);
}

static void take_nps(struct taking *t, uint32_t account) {
  double score = t->cells[CRM_IX_NPS_SCORE].number;
  if (score != floor(score))
    refuse(t, CRM_REJECT_BAD_VALUE); /* not an answer anyone could give */
  uint32_t respondent = t->reason == CRM_REJECT_NONE ? text(t, CRM_IX_NPS_RESPONDENT) : 0;
  struct crm_npses *to = &t->b->facts->nps;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  to->at[r] = instant(t, CRM_IX_NPS_AT);
  to->score[r] = (uint8_t)score;
  to->respondent[r] = respondent;
}

static void take_goal(struct taking *t, uint32_t account) {
  uint32_t id = text(t, CRM_IX_GOAL_ID);
  struct crm_goals *to = &t->b->facts->goal;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  to->id[r] = id;
  to->status[r] = word(t, CRM_IX_GOAL_STATUS, crm_words_goal_status, CRM_GOAL_UNKNOWN, CRM_GOAL_UNKNOWN, false);
  to->created_at[r] = instant(t, CRM_IX_GOAL_CREATED_AT);
  to->target_at[r] = instant(t, CRM_IX_GOAL_TARGET_AT);
  to->completed_at[r] = instant(t, CRM_IX_GOAL_COMPLETED_AT);
}

static void take_health(struct taking *t, uint32_t account) {
  struct crm_healths *to = &t->b->facts->health;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  to->day[r] = t->cells[CRM_IX_HEALTH_DAY].day;
  to->score[r] = number(t, CRM_IX_HEALTH_SCORE);
}

static void take_invoice(struct taking *t, uint32_t account) {
  uint16_t own = currency(t, CRM_IX_INVOICE_CURRENCY, t->b->facts->account.currency[account]);
  crm_money amount = money(t, CRM_IX_INVOICE_AMOUNT, 1, own, false);
  struct crm_invoices *to = &t->b->facts->invoice;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  to->due_at[r] = instant(t, CRM_IX_INVOICE_DUE_AT);
  to->paid_at[r] = instant(t, CRM_IX_INVOICE_PAID_AT);
  to->amount[r] = amount;
  to->currency[r] = own;
}

static void take_opportunity(struct taking *t, uint32_t account) {
  uint16_t own = currency(t, CRM_IX_OPPORTUNITY_CURRENCY, t->b->facts->account.currency[account]);
  crm_money amount = money(t, CRM_IX_OPPORTUNITY_AMOUNT, 1, own, false);
  uint8_t stage = strict_word(t, CRM_IX_OPPORTUNITY_STAGE, crm_words_opportunity_stage, CRM_STAGE_OPEN);
  struct crm_opportunities *to = &t->b->facts->opportunity;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  to->kind[r] = word(t, CRM_IX_OPPORTUNITY_KIND, crm_words_opportunity_kind, CRM_SALE_OTHER, CRM_SALE_OTHER, true);
  to->stage[r] = stage;
  to->amount[r] = amount;
  to->currency[r] = own;
  to->opened_at[r] = instant(t, CRM_IX_OPPORTUNITY_OPENED_AT);
  to->closed_at[r] = instant(t, CRM_IX_OPPORTUNITY_CLOSED_AT);
  to->probability[r] = number(t, CRM_IX_OPPORTUNITY_PROBABILITY);
}

static void take_signal(struct taking *t, uint32_t account) {
  struct crm_signals *to = &t->b->facts->signal;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  to->kind[r] = word(t, CRM_IX_SIGNAL_KIND, crm_words_signal_kind, CRM_SIGNAL_OTHER, CRM_SIGNAL_OTHER, true);
  to->at[r] = instant(t, CRM_IX_SIGNAL_AT);
  to->weight[r] = t->cells[CRM_IX_SIGNAL_WEIGHT].set ? number(t, CRM_IX_SIGNAL_WEIGHT) : 1;
}

static void take_intervention(struct taking *t, uint32_t account) {
  uint32_t kind = text(t, CRM_IX_INTERVENTION_KIND);
  uint32_t stage = text(t, CRM_IX_INTERVENTION_STAGE);
  uint32_t owner = text(t, CRM_IX_INTERVENTION_OWNER);
  struct crm_interventions *to = &t->b->facts->intervention;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  to->kind[r] = kind;
  to->stage[r] = stage;
  to->owner[r] = owner;
  to->opened_at[r] = instant(t, CRM_IX_INTERVENTION_OPENED_AT);
  to->closed_at[r] = instant(t, CRM_IX_INTERVENTION_CLOSED_AT);
}

static void take_onboarding(struct taking *t, uint32_t account) {
  struct crm_onboardings *to = &t->b->facts->onboarding;
  uint32_t r;
  if (!append(t, account, &to->n, &r))
    return;
  to->started_at[r] = instant(t, CRM_IX_ONBOARDING_STARTED_AT);
  to->target_at[r] = instant(t, CRM_IX_ONBOARDING_TARGET_AT);
  to->completed_at[r] = instant(t, CRM_IX_ONBOARDING_COMPLETED_AT);
  to->status[r] = word(t, CRM_IX_ONBOARDING_STATUS, crm_words_onboarding_status, CRM_ONB_UNKNOWN, CRM_ONB_UNKNOWN, false);
}

/* True if the row is not one of the shard's own accounts. It is not counted, since where the server tells own accounts it is not even seen. */
static bool passed_over(const struct taking *t, enum crm_reject found, uint32_t account) {
  const struct crm_facts *facts = t->b->facts;
  return crm_shard_is_part(facts->shard) && !crm_shard_needs_all(t->relation) &&
         (found != CRM_REJECT_NONE || facts->account.foreign[account] != 0);
}

bool crm_has_key(enum crm_relation relation) {
  return relation == CRM_REL_CONTRACT || relation == CRM_REL_ENGAGEMENT || relation == CRM_REL_CONTACT || relation == CRM_REL_GOAL;
}

enum crm_status crm_builder_take(struct crm_builder *b, enum crm_relation relation, const struct crm_row *row, struct crm_error *err) {
  static void (*const take[CRM_RELATIONS])(struct taking *, uint32_t) = {
      [CRM_REL_ACCOUNT] = take_account,
      [CRM_REL_REVENUE] = take_revenue,
      [CRM_REL_CONTRACT] = take_contract,
      [CRM_REL_USAGE] = take_usage,
      [CRM_REL_SUPPORT] = take_support,
      [CRM_REL_ENGAGEMENT] = take_engagement,
      [CRM_REL_CONTACT] = take_contact,
      [CRM_REL_NPS] = take_nps,
      [CRM_REL_GOAL] = take_goal,
      [CRM_REL_HEALTH] = take_health,
      [CRM_REL_INVOICE] = take_invoice,
      [CRM_REL_OPPORTUNITY] = take_opportunity,
      [CRM_REL_SIGNAL] = take_signal,
      [CRM_REL_INTERVENTION] = take_intervention,
      [CRM_REL_ONBOARDING] = take_onboarding,
  };
  struct taking t = {.b = b, .relation = relation, .cells = row->cells, .err = err, .status = CRM_OK, .reason = CRM_REJECT_NONE};
  uint32_t account = 0;
  if (relation != CRM_REL_ACCOUNT) {
    enum crm_reject reason = find_account(b, &row->cells[CRM_IX_ACCOUNT_ID], &account);
    if (passed_over(&t, reason, account))
      return CRM_OK;
    if (reason != CRM_REJECT_NONE || !check_cells(&t)) {
      count(&t, reason != CRM_REJECT_NONE ? reason : t.reason);
      return CRM_OK;
    }
  }
  take[relation](&t, account);
  return t.status;
}
