/* SPDX-License-Identifier: MIT */
/* The collectd module `crm`: its life in the daemon.
 *
 *   config    before the daemon forks: options only, no thread, no socket. An error here keeps the daemon from starting, which is meant.
 *   init      starts one engine per instance and registers one read callback for each.
 *   read      hands out what the engine has ready, to the daemon and to our own ways out; always returns 0, because any other value doubles
 *             the interval, up to a day.
 *   shutdown  ends the engines and the ways out, within a bounded time whatever the database server does. */
#include "collectd/collectd_api.h"

#include "base/clock.h"
#include "base/log.h"
#include "collectd/config.h"
#include "collectd/dispatch.h"
#include "collectd/notify.h"
#include "engine/engine.h"
#include "export/exports.h"
#include "export/notifier.h"

/* The daemon joins its own threads without a limit; ours must not add to that: 2 s for everything is the promise of the manual. */
#define STOP_LIMIT_US INT64_C(1500000)

struct instance {
  const struct crm_instance_options *options;
  struct crm_engine *engine;
  bool told_cut;
};

/* The daemon calls us through plain functions, so this is where the module's state has to be. */
static struct {
  bool configured;
  struct crm_options options;
  struct instance *instances;
  size_t n_instances;
  const char **names;          /* of the instances */
  struct crm_exports *exports; /* NULL: none is configured */
  struct crm_notifier_instance *notified;
  struct crm_notifier *notifier; /* NULL: nobody wants to be notified */
} module;

static void log_to_collectd(void *ctx, enum crm_log_level level, const char *message) {
  static const int priority[] = {
      [CRM_LOG_ERROR] = LOG_ERR, [CRM_LOG_WARNING] = LOG_WARNING, [CRM_LOG_NOTICE] = LOG_NOTICE, [CRM_LOG_INFO] = LOG_INFO};
  plugin_log(priority[level], "crm plugin: %s", message);
}

static const struct crm_log module_log = {log_to_collectd, NULL};

static int crm_config(oconfig_item_t *item) {
  if (!module.configured) {
    crm_options_init(&module.options);
    module.configured = true;
  }
  struct crm_conf_node node;
  struct crm_error err = {0};
  enum crm_status status = crm_config_from_collectd(item, &module.options.arena, &node);
  if (status == CRM_OK)
    status = crm_options_parse(&module.options, &node, CRM_PKGDATADIR "/mappings", &err);
  else
    crm_error_set(&err, status, "out of memory");
  if (status == CRM_OK)
    status = crm_options_finish(&module.options, &err);
  if (status != CRM_OK) {
    crm_log(&module_log, CRM_LOG_ERROR, "configuration: %s", err.message);
    return -1;
  }
  return 0;
}

static void *prepare(void *ctx, const struct crm_series_set *cells) {
  const struct instance *instance = ctx;
  struct crm_value_lists *lists = crm_value_lists_new(cells, instance, instance->options->max_breakdowns, &module_log);
  if (lists == NULL)
    crm_log(&module_log, CRM_LOG_ERROR, "out of memory; the series of this interval are lost");
  return lists;
}

static void discard(void *ctx, void *prepared) {
  crm_value_lists_free(prepared);
}

struct tick {
  struct instance *instance;
  cdtime_t time;
  crm_time at;
};

/* Breakdowns left out are told once, when it begins, and by a series for as long as it lasts. */
static void tell_cut(struct instance *instance, bool cut, struct crm_series_set *own) {
  const char *labels[] = {instance->options->name, "breakdown"};
  if (crm_set_add(own, CRM_FAM_SERIES_LIMIT_REACHED, labels, 2, crm_number_int(cut)) != CRM_OK)
    crm_log(&module_log, CRM_LOG_ERROR, "out of memory; a series of this interval is lost");
  if (cut && !instance->told_cut)
    crm_log(&module_log, CRM_LOG_NOTICE,
            "instance %s: breakdowns by one dimension would be more than MaxBreakdowns %zu values; the families with most values are not "
            "broken down",
            instance->options->name, instance->options->max_breakdowns);
  instance->told_cut = cut;
}

static void hand_out(struct crm_frame *frame) {
  crm_exports_publish(module.exports, frame);
  if (module.notifier != NULL)
    crm_notifier_offer(module.notifier, frame);
}

/* Hands the tick to our own ways out, which share its series instead of copying them. */
static void publish(const struct tick *tick, struct crm_shared_set *business, struct crm_series_set *own) {
  struct crm_frame *frame = crm_frame_new_shared(tick->instance->options->name, tick->at, business, own);
  if (frame == NULL)
    crm_log(&module_log, CRM_LOG_ERROR, "out of memory; the series of this interval are lost");
  else
    hand_out(frame);
  crm_frame_unref(frame);
}

static void emit(void *ctx, const void *prepared, struct crm_shared_set *business, struct crm_series_set *own) {
  const struct tick *tick = ctx;
  if (prepared != NULL) {
    crm_value_lists_dispatch(prepared, tick->time);
    tell_cut(tick->instance, crm_value_lists_cut(prepared), own);
  }
  if (crm_exports_own_series(module.exports, tick->instance->options->name, own) != CRM_OK || crm_engine_recount(own) != CRM_OK)
    crm_log(&module_log, CRM_LOG_ERROR, "out of memory; a series of this interval is lost");
  struct crm_value_lists *lists = crm_value_lists_new(own, tick->instance, 0, &module_log);
  if (lists != NULL)
    crm_value_lists_dispatch(lists, tick->time);
  crm_value_lists_free(lists);
  if (module.exports != NULL || module.notifier != NULL)
    publish(tick, business, own);
}

static int crm_read(user_data_t *ud) {
  struct tick tick = {.instance = ud->data, .time = cdtime()};
  tick.at = (crm_time)CDTIME_T_TO_US(tick.time);
  crm_engine_tick(tick.instance->engine, tick.at, emit, &tick);
  return 0;
}

static int start_instance(struct instance *instance, const struct crm_instance_options *options) {
  struct crm_engine_host host = {.ctx = instance,
                                 .version = PACKAGE_VERSION,
                                 .log = module_log,
                                 .prepare = prepare,
                                 .discard = discard,
                                 .keep_series = module.exports != NULL || module.notifier != NULL};
  struct crm_error err = {0};
  instance->options = options;
  enum crm_status status = crm_engine_new(options, &host, &instance->engine, &err);
  if (status == CRM_OK)
    status = crm_engine_start(instance->engine, (int64_t)CDTIME_T_TO_US(plugin_get_interval()), &err);
  if (status != CRM_OK) {
    crm_log(&module_log, CRM_LOG_ERROR, "instance %s does not start: %s", options->name, err.message);
    return -1;
  }
  char name[DATA_MAX_NAME_LEN];
  snprintf(name, sizeof(name), "crm/%s", options->name);
  /* No free function: the read's user data is freed before the shutdown callback runs, and the engines are ended there. */
  return plugin_register_complex_read("crm", name, crm_read, /* interval = */ 0, &(user_data_t){.data = instance});
}

static int start_exports(void) {
  struct crm_error err = {0};
  module.names = calloc(module.options.n_instances, sizeof(*module.names));
  if (module.names == NULL)
    return -1;
  for (size_t i = 0; i < module.options.n_instances; i++)
    module.names[i] = module.options.instances[i].name;
  enum crm_status status =
      crm_exports_new(&module.options.exports, module.names, module.options.n_instances, &module_log, &module.exports, &err);
  if (status == CRM_OK)
    status = crm_exports_start(module.exports, &err);
  if (status == CRM_OK)
    return 0;
  crm_log(&module_log, CRM_LOG_ERROR, "the ways out do not start: %s", err.message);
  (void)crm_exports_stop(module.exports, crm_clock_monotonic_us() + STOP_LIMIT_US);
  module.exports = NULL;
  return -1;
}

static int start_notifier(void) {
  struct crm_error err = {0};
  size_t n = 0;
  module.notified = calloc(module.options.n_instances, sizeof(*module.notified));
  if (module.notified == NULL)
    return -1;
  for (size_t i = 0; i < module.options.n_instances; i++)
    if (module.options.instances[i].notify.groups != 0)
      module.notified[n++] = (struct crm_notifier_instance){module.options.instances[i].name, &module.options.instances[i].notify};
  if (n == 0)
    return 0;
  enum crm_status status = crm_notifier_new(module.notified, n, crm_notify_daemon, NULL, &module.notifier, &err);
  if (status == CRM_OK)
    status = crm_notifier_start(module.notifier, &err);
  if (status == CRM_OK)
    return 0;
  crm_log(&module_log, CRM_LOG_ERROR, "nobody is notified: %s", err.message);
  (void)crm_notifier_stop(module.notifier, 0);
  module.notifier = NULL;
  return -1;
}

static int crm_init(void) {
  if (module.options.n_instances == 0) {
    crm_log(&module_log, CRM_LOG_ERROR,
            "no instance is configured: add <Plugin crm> with an <Instance \"name\"> block below LoadPlugin crm");
    return -1;
  }
  if (module.instances != NULL) /* the daemon initialises once, but nothing forbids it to do so again */
    return 0;
  module.instances = calloc(module.options.n_instances, sizeof(*module.instances));
  if (module.instances == NULL)
    return -1;
  module.n_instances = module.options.n_instances;
  crm_log(&module_log, CRM_LOG_INFO, "version %s, built for collectd %s, %zu instance%s", crm_version(), PACKAGE_VERSION,
          module.n_instances, module.n_instances == 1 ? "" : "s");
  int failed = start_exports() != 0; /* collectd's own write plugins still get their series */
  failed += start_notifier() != 0;
  for (size_t i = 0; i < module.n_instances; i++)
    failed += start_instance(&module.instances[i], &module.options.instances[i]) != 0;
  return failed == 0 ? 0 : -1;
}

static int crm_shutdown(void) {
  int64_t deadline_us = crm_clock_monotonic_us() + STOP_LIMIT_US;
  bool all = true;
  for (size_t i = 0; i < module.n_instances; i++)
    if (module.instances[i].engine != NULL)
      crm_engine_request_stop(module.instances[i].engine);
  crm_exports_request_stop(module.exports);
  if (module.notifier != NULL)
    crm_notifier_request_stop(module.notifier);
  for (size_t i = 0; i < module.n_instances; i++)
    all = crm_engine_stop(module.instances[i].engine, deadline_us) && all;
  all = crm_exports_stop(module.exports, deadline_us) && all;
  all = crm_notifier_stop(module.notifier, deadline_us) && all;
  module.exports = NULL;
  module.notifier = NULL;
  if (all) { /* what an abandoned thread may still use stays */
    free(module.instances);
    free(module.names);
    free(module.notified);
    crm_options_free(&module.options);
  }
  module.instances = NULL;
  module.n_instances = 0;
  return 0;
}

__attribute__((visibility("default"))) void module_register(void) {
  plugin_register_complex_config("crm", crm_config);
  plugin_register_init("crm", crm_init);
  plugin_register_shutdown("crm", crm_shutdown);
}
