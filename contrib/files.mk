# SPDX-License-Identifier: MIT
EXTRA_DIST += \
	.ci/run \
	contrib/check \
	contrib/demo \
	contrib/lib/build.sh \
	contrib/lib/clock.sh \
	contrib/lib/demo_crm.sh \
	contrib/lib/graphite_web.py \
	contrib/lib/packages.sh \
	contrib/lib/query.py \
	contrib/lib/services.sh

# From one machine to many.
dist_doc_DATA = contrib/scaling.md

include contrib/sql.mk
include contrib/generator.mk
include contrib/requirements.mk
include contrib/prometheus.mk
include contrib/recipes.mk
