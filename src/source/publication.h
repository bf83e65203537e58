/* SPDX-License-Identifier: MIT */
/* Internal to source: can changes of a relation's tables be had by logical decoding, and what would it take? */
#ifndef CRM_SOURCE_PUBLICATION_H
#define CRM_SOURCE_PUBLICATION_H

#include "source/connection.h"

/* SQL: a text that changes when the publication $1 is altered, dropped or made anew; NULL without it. */
#define CRM_PUBLICATION_SCHEMAS                                                                                                            \
  "coalesce((SELECT string_agg(n.oid || ':' || n.xmin, ',' ORDER BY n.oid) FROM pg_publication_namespace n WHERE n.pnpubid = p.oid), '')"
#define CRM_PUBLICATION_MARK(schemas)                                                                                                      \
  "(SELECT hashtextextended(p.oid || ' ' || p.xmin || ' ' ||"                                                                              \
  " coalesce((SELECT string_agg(r.oid || ':' || r.xmin, ',' ORDER BY r.oid) FROM pg_publication_rel r WHERE r.prpubid = p.oid), '')"       \
  " || ' ' || " schemas ", 0)::text FROM pg_publication p WHERE p.pubname = $1)"
#define CRM_PUBLICATION_PLACE(schemas)                                                                                                     \
  "SELECT pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text, " CRM_PUBLICATION_MARK(schemas)

/* What holds for a whole database. */
struct crm_publication {
  bool usable; /* server, role and publication are fit for it */
  bool exists; /* there is a publication of that name */
  char mark[40];
  char why[256];     /* why it is not usable, or what is used; a sentence without its end */
  char remedy[2048]; /* SQL that would make it usable, or "" */
};

/* Looks at the server, the role and the publication. Errors as crm_connection_query. */
enum crm_status crm_publication_survey(struct crm_connection *c, struct crm_publication *publication, struct crm_error *err) CRM_MUSTCHECK;
/* Where a publication is lacking: adds the statement that makes one of these tables, views among them passed over. */
enum crm_status crm_publication_suggest(struct crm_connection *c, const Oid *tables, size_t n, struct crm_publication *publication,
                                        struct crm_error *err) CRM_MUSTCHECK;

/* A column of a table that tells what a changed row changes. */
struct crm_teller {
  Oid table;
  int attribute;
  bool by_key, padded;
  int looked_up; /* as crm_track */
  int day;       /* attribute with the day that a row changes alone; 0: none */
};

struct crm_track;
struct crm_cover {
  bool covered; /* all tables are published in full */
  size_t n_tracks;
  char lacking[160]; /* names of tables that are not, or why one is not */
  char untold[160];  /* names of tables whose updated and deleted rows do not tell: the relation is read whole for them */
  char remedy[512];  /* SQL for what is lacking, or for what is untold */
};
/* Looks at the tables of a relation, and fills a track or more for each, at most `max`. A publication that is usable is supposed. */
enum crm_status crm_publication_cover(struct crm_connection *c, const Oid *tables, size_t n, const struct crm_teller *tellers,
                                      size_t n_tellers, struct crm_track *tracks, size_t max, struct crm_cover *cover,
                                      struct crm_error *err) CRM_MUSTCHECK;

#endif
