#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every recipe goes through the parser that will read it: the daemon's and the plugin's own, promtool's, carbon's.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
recipes=$CRM_SRCDIR/contrib/recipes
e2e_deadline 120

services_init || bail_out "no scratch directory"
copy_in "$build/.libs/crm.so" "$SVC_DIR/plugins"
copy_in "$CRM_SRCDIR"/src/mappings/customer_success/*.sql "$SVC_DIR/mapping"

# daemon_takes FILE: the recipe beside an instance, as a user would have it.
daemon_takes() {
  {
    printf 'Hostname "x"\nFQDNLookup false\nBaseDir "%s/run"\nTypesDB "/usr/share/collectd/types.db"\n' "$SVC_DIR"
    printf 'PluginDir "%s/plugins"\nLoadPlugin crm\nPluginDir "/usr/lib/collectd"\n' "$SVC_DIR"
    printf '<Plugin crm>\n  <Instance "x">\n    Host "%s/run"\n    Database "crm"\n    Mapping "%s/mapping"\n  </Instance>\n</Plugin>\n' "$SVC_DIR" "$SVC_DIR"
    cat "$1"
  } | write_file "$SVC_DIR/collectd.conf"
  # -t is for what the daemon itself reads: it says nothing of a plugin's own options. There is no CRM to be reached.
  as_user /usr/sbin/collectd -t -C "$SVC_DIR/collectd.conf" || return 1
  "$build/crmctl" --config "$SVC_DIR/collectd.conf" check >"$SVC_DIR/said" 2>&1
  [ $? -eq 2 ] && grep -q 'not reached' "$SVC_DIR/said" || { cat "$SVC_DIR/said"; return 1; }
}
broken() {
  sed 's/URL/UUL/' "$recipes/mimir.conf" >"$SVC_DIR/broken.conf"
  ! daemon_takes "$SVC_DIR/broken.conf"
}

for file in "$recipes"/*.conf; do
  case $(basename "$file") in
    graphite-storage-*) continue ;;
  esac
  ok "the daemon takes $(basename "$file")" daemon_takes "$file"
done
ok "and would not take anything" broken
ok "promtool takes prometheus-scrape.yml" promtool check config --syntax-only "$recipes/prometheus-scrape.yml"
for file in "$recipes"/*.yaml; do
  ok "$(basename "$file") is YAML" "$SVC_PYTHON" -c 'import sys, yaml; assert yaml.safe_load(open(sys.argv[1]))' "$file"
done
ok "carbon takes graphite-storage-schemas.conf" validate-storage-schemas "$recipes/graphite-storage-schemas.conf"
ok "whisper knows what graphite-storage-aggregation.conf says" "$SVC_PYTHON" -c '
import configparser, sys, whisper
rules = configparser.ConfigParser()
rules.read(sys.argv[1])
assert rules.sections()
for rule in rules.sections():
    assert set(rules[rule]) == {"pattern", "xfilesfactor", "aggregationmethod"}
    assert rules[rule]["aggregationMethod"] in whisper.aggregationMethods and 0 <= float(rules[rule]["xFilesFactor"]) <= 1
' "$recipes/graphite-storage-aggregation.conf"
for file in "$recipes"/*; do
  name=$(basename "$file")
  [ "$name" = README.md ] || ok "the list has $name" grep -qF "($name)" "$recipes/README.md"
done
for name in $(grep -oE '\([a-z-]+\.(conf|ya?ml)\)' "$recipes/README.md" | tr -d '()' | sort -u); do
  ok "$name, of the list, is there" test -f "$recipes/$name"
done
done_testing
