/* fanin devices: the OpenCL devices and what matters about them. */
#include <stdbool.h>
#include <stdlib.h>

#include "base/args.h"
#include "base/commands.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"

const syntax devices_syntax = {
    .command = "devices",
    .summary = "list the OpenCL devices and what matters about them",
    .run = cmd_devices,
    .options = args_json_option,
    .doc = "Lists the devices of every OpenCL platform. --device accepts the index in the first column, or a part of a "
           "name.\v"
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

static void print_table(const fanin_device_info *list, size_t count) {
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
    if (!list[i].usable) printf("Device %zu cannot be used: %s\n", i, list[i].reason);
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
  json_object_set_new(o, "usable", json_boolean(d->usable));
  json_object_set_new(o, "reason", d->usable ? json_null() : json_string(d->reason));
  return o;
}

int cmd_devices(int argc, char **argv, failure *why) {
  bool json = false;
  size_t count = 0, listed = 0;
  int status = args_parse(&devices_syntax, argc, argv, &json, why);
  if (status != STATUS_OK) return status;
  fanin_status found = fanin_devices(NULL, 0, 0, &count);
  fanin_device_info *list = allocate(count, sizeof *list);
  if (found == FANIN_STATUS_OK) found = fanin_devices(list, count, sizeof *list, &listed);
  if (listed < count) count = listed;
  if (found != FANIN_STATUS_OK) {
    status = library_status(why, found, NULL);
  } else if (json) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; ++i)
      json_array_append_new(array, to_json(&list[i], i));
    status = json_print(json_pack("{s:o}", "devices", array), why);
  } else if (count > 0) {
    print_table(list, count);
  }
  if (status == STATUS_OK && count == 0) {
    status =
        fail(why, STATUS_DEVICE, "there is no OpenCL device; Debian's package pocl-opencl-icd adds the CPU as one");
  }
  free(list);
  return status;
}
