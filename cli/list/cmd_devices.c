/* fanin devices: the OpenCL devices and what matters about them. */
#include <stdbool.h>
#include <stdlib.h>

#include "base/args.h"
#include "base/commands.h"
#include "base/json.h"
#include "base/table.h"
#include "base/terminal.h"
#include "base/text.h"

const syntax devices_syntax = {
    .command = "devices",
    .summary = "list the OpenCL devices and what matters about them",
    .run = cmd_devices,
    .options = args_json_option,
    .doc =
        "Lists the devices of every OpenCL platform, which of them is the default and why, and installed drivers that "
        "do not start. --device accepts the index in the first column, or a part of a name.\v"
        "Example:\n  fanin devices --json",
};

static const char *type_name(cl_device_type type) {
  static const struct {
    cl_device_type bit;
    const char *name;
  } names[] = {{CL_DEVICE_TYPE_GPU, "gpu"},
               {CL_DEVICE_TYPE_CPU, "cpu"},
               {CL_DEVICE_TYPE_ACCELERATOR, "accelerator"},
               {CL_DEVICE_TYPE_CUSTOM, "custom"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    if (type & names[i].bit) return names[i].name;
  }
  return "other";
}

/* Everything that is listed. */
typedef struct devices {
  fanin_device_info *list; /* free() */
  size_t count;
  fanin_driver_info *drivers; /* free() */
  size_t n_drivers;
  size_t chosen;    /* the default; `count` if there is none */
  char reason[512]; /* why it is that one, or why there is none */
} devices;

static void print_table(const devices *all) {
  const fanin_device_info *const list = all->list;
  const size_t count = all->count;
  static const column columns[] = {{"#", 0, 0},   {"type", 1, 0}, {"units", 0, 0},    {"memory", 0, 0}, {"width", 0, 2},
                                   {"f64", 1, 2}, {"name", 1, 0}, {"platform", 1, 3}, {"driver", 1, 4}};
  char memory[TEXT_NUMBER];
  table t = table_of(columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < count; ++i) {
    const fanin_device_info *d = &list[i];
    table_cell(&t, "%zu", i);
    table_cell(&t, "%s", type_name(d->type));
    table_cell(&t, "%u", (unsigned)d->compute_units);
    table_cell(&t, "%s", text_memory(d->memory_bytes, memory));
    table_cell(&t, "%u", (unsigned)d->native_float_width);
    table_cell(&t, "%s", d->has_f64 ? "yes" : "no");
    table_cell(&t, "%s", d->name);
    table_cell(&t, "%s", d->platform_name);
    table_cell(&t, "%s", d->driver);
  }
  table_print(&t);
  for (size_t i = 0; i < count; ++i) {
    if (!list[i].usable) terminal_line(stdout, 2, "Device %zu cannot be used: %s", i, list[i].reason);
  }
}

/* What is said below the table: of the default, and of drivers that are installed in vain. */
static void print_remarks(const devices *all) {
  const char *const selector = getenv("FANIN_DEVICE");
  const bool named = selector && *selector;
  if (all->chosen < all->count) {
    terminal_line(stdout, 2, "Device %zu is the default%s%.64s: %s", all->chosen, named ? " by $FANIN_DEVICE=" : "",
                  named ? selector : "", all->reason);
  } else {
    terminal_line(stdout, 2, "No device is the default: %s", all->reason);
  }
  for (size_t i = 0; i < all->n_drivers; ++i) {
    const fanin_driver_info *d = &all->drivers[i];
    if (!d->usable)
      terminal_line(stdout, 2, "Driver %s%s%s gives no device: %s", d->icd, *d->icd ? ": " : "", d->library, d->reason);
  }
}

static json_t *to_json(const fanin_device_info *d, size_t index) {
  json_t *o = json_object();
  json_object_set_new(o, "index", json_integer((json_int_t)index));
  json_object_set_new(o, "type", json_string(type_name(d->type)));
  json_object_set_new(o, "name", json_string(d->name));
  json_object_set_new(o, "platform", json_string(d->platform_name));
  json_object_set_new(o, "version", json_string(d->version));
  json_object_set_new(o, "driver", json_string(d->driver));
  json_object_set_new(o, "compute_units", json_integer((json_int_t)d->compute_units));
  json_object_set_new(o, "memory_bytes", json_integer((json_int_t)d->memory_bytes));
  json_object_set_new(o, "max_alloc_bytes", json_integer((json_int_t)d->max_alloc_bytes));
  json_object_set_new(o, "native_float_width", json_integer((json_int_t)d->native_float_width));
  json_object_set_new(o, "f64", json_boolean(d->has_f64));
  json_object_set_new(o, "f16", json_boolean(d->has_f16));
  json_object_set_new(o, "shares_memory", json_boolean(d->shares_memory));
  json_object_set_new(o, "usable", json_boolean(d->usable));
  json_object_set_new(o, "reason", d->usable ? json_null() : json_string(d->reason));
  return o;
}

static json_t *all_to_json(const devices *all) {
  json_t *list = json_array(), *drivers = json_array();
  for (size_t i = 0; i < all->count; ++i)
    json_array_append_new(list, to_json(&all->list[i], i));
  for (size_t i = 0; i < all->n_drivers; ++i) {
    const fanin_driver_info *d = &all->drivers[i];
    json_array_append_new(drivers, json_pack("{s:s, s:s, s:b, s:s?}", "icd", d->icd, "library", d->library, "usable",
                                             d->usable, "reason", d->usable ? NULL : d->reason));
  }
  json_t *chosen = all->chosen < all->count ? json_integer((json_int_t)all->chosen) : json_null();
  return json_pack("{s:o, s:{s:o, s:s}, s:o}", "devices", list, "default", "index", chosen, "reason", all->reason,
                   "drivers", drivers);
}

/* Lists of the library are asked for twice: how long they are, and what is in them. */
static fanin_status read_all(devices *all) {
  size_t listed = 0;
  fanin_status status = fanin_devices(NULL, 0, 0, &all->count);
  if (status == FANIN_STATUS_OK) {
    all->list = allocate(all->count, sizeof *all->list);
    status = fanin_devices(all->list, all->count, sizeof *all->list, &listed);
  }
  if (status != FANIN_STATUS_OK) return status;
  if (listed < all->count) all->count = listed;
  status = fanin_drivers(NULL, 0, 0, &all->n_drivers);
  if (status == FANIN_STATUS_OK) {
    all->drivers = allocate(all->n_drivers, sizeof *all->drivers);
    status = fanin_drivers(all->drivers, all->n_drivers, sizeof *all->drivers, &listed);
  }
  if (status == FANIN_STATUS_OK && listed < all->n_drivers) all->n_drivers = listed;
  return status;
}

/* Which device is the default, and why. That there is none is no failure, but the reason. */
static void read_default(devices *all) {
  size_t count = 0;
  fanin_status status = fanin_select(NULL, &all->chosen, 1, &count);
  if (status == FANIN_STATUS_OK) status = fanin_select_reason(NULL, all->reason, sizeof all->reason, NULL);
  if (status == FANIN_STATUS_OK) return;
  all->chosen = all->count;
  snprintf(all->reason, sizeof all->reason, "%s", fanin_last_error());
}

int cmd_devices(int argc, char **argv, failure *why) {
  bool json = false;
  devices all = {0};
  int status = args_parse(&devices_syntax, argc, argv, &json, why);
  if (status != STATUS_OK) return status;
  status = library_status(why, read_all(&all), NULL);
  if (status == STATUS_OK) read_default(&all);
  if (status == STATUS_OK && json) {
    status = json_print(all_to_json(&all), why);
  } else if (status == STATUS_OK && all.count > 0) {
    print_table(&all);
    print_remarks(&all);
  }
  if (status == STATUS_OK && all.count == 0) status = fail(why, STATUS_DEVICE, "%s", all.reason);
  free(all.drivers);
  free(all.list);
  return status;
}
