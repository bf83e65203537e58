# SPDX-License-Identifier: MIT
# The demo CRM's schema, and what a real CRM's database needs: the role, and indexes for those who want them.
sqldir = $(pkgdatadir)/sql
dist_sql_DATA = \
	contrib/sql/indexes.sql \
	contrib/sql/role.sql \
	contrib/sql/schema.sql \
	contrib/sql/schema_ext.sql \
	contrib/sql/publication.sql contrib/sql/watermarks.sql
