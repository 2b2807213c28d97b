/* fanin bench: how fast tensors are filled, beside the device's own fill, and how soon. */
#include <string.h>

#include "base/args.h"
#include "base/commands.h"
#include "base/text.h"
#include "bench/bench.h"

typedef struct request {
  const char *device, *only, *start_process, *cache;
  regex_t expression; /* of `only`, if that is not NULL */
  uint64_t size, runs;
  bool json;
} request;

/* A number of bytes with K, M or G (powers of 1024) after it, or nothing. */
static int take_size(void *to, const char *name, const char *value, failure *why) {
  static const char units[] = "KMG";
  const size_t length = strlen(value);
  const char *unit = length > 0 ? strchr(units, value[length - 1]) : NULL;
  const int shift = unit ? 10 * (int)(unit - units + 1) : 0;
  uint64_t number = 0;
  if (!args_u64(value, unit ? length - 1 : length, &number) || number > UINT64_MAX >> shift ||
      number << shift < BENCH_MIN_BYTES || (number << shift) % 8 != 0) {
    return args_fail(why, "%s '%s': give a multiple of 8 of at least 64K, such as 64M or 1G", name, value);
  }
  *(uint64_t *)to = number << shift;
  return STATUS_OK;
}

static int take_runs(void *to, const char *name, const char *value, failure *why) {
  uint64_t *out = to;
  if (args_u64(value, strlen(value), out) && *out >= 1 && *out <= BENCH_MAX_ROUNDS) return STATUS_OK;
  return args_fail(why, "%s '%s': give a whole number from 1 to %d", name, value, BENCH_MAX_ROUNDS);
}

static int take_only(void *to, const char *name, const char *value, failure *why) {
  request *r = to;
  char reason[128];
  if (r->only) return args_fail(why, "%s '%s': give it once; '%s|%s' is both", name, value, r->only, value);
  const int code = regcomp(&r->expression, value, REG_EXTENDED | REG_NOSUB);
  if (code != 0) {
    regerror(code, &r->expression, reason, sizeof reason);
    return args_fail(why, "%s '%s' is not an extended regular expression: %s", name, value, reason);
  }
  r->only = value;
  return STATUS_OK;
}

static const args_option options[] = {
    {"device", 0, "SEL", SESSION_DEVICE_HELP, args_text, offsetof(request, device), 0},
    {"size", 0, "BYTES", "Size of the tensors in cases that have no size of their own: 64M, 1G, ... (default: 256M)",
     take_size, offsetof(request, size), 0},
    {"only", 0, "REGEX",
     "Cases of which \"NAME DTYPE\" holds this extended regular expression, and what they are compared with", take_only,
     0, ARGS_SEVERAL}, /* its reader says how two are given as one */
    {"runs", 0, "N", "Number of rounds, each with one run of every case (default: 7)", take_runs,
     offsetof(request, runs), 0},
    {"json", 'j', NULL, "Print JSON", args_switch, offsetof(request, json), 0},
    {"start-process", 0, "WHAT", NULL, args_text, offsetof(request, start_process), 0},
    {"cache", 0, "DIRECTORY", NULL, args_text, offsetof(request, cache), 0},
    {0}};

const syntax bench_syntax = {
    .command = "bench",
    .summary = "measure how fast a device fills tensors, beside its own fill",
    .run = cmd_bench,
    .options = options,
    .doc =
        "Measures how fast a device fills tensors: every distribution and dtype, strided and slab forms, 1 to "
        "10,000 small tensors and GPT-2 124M by plan, orthogonal matrices, sizes from 1 KiB on, and processes from "
        "their start to the first finished 4 MiB tensor. A time is that of the wall clock around enqueue and "
        "clFinish. Cases run in turns, round by round, in memory that was touched before. 'of fill' compares the rate "
        "in bytes with that of clEnqueueFillBuffer, and 'compared' compares the rate in elements with that of another "
        "case; both are medians of the ratios in each round.\v"
        "Examples:\n"
        "  fanin bench\n"
        "  fanin bench --size 64M --only '^(uniform|normal) f32$' --runs 21\n"
        "  fanin bench --only start --json",
};

/* ---- Printing ---------------------------------------------------------------------------------------------------- */

static void print_text(const request *r, const fanin_device_info *device, const bench_set *set) {
  char size[TEXT_NUMBER];
  printf("Device: %s, %u compute unit%s, driver %s\n", device->name, (unsigned)device->compute_units,
         text_plural(device->compute_units), device->driver);
  printf("Tensors of %s, medians of %zu round%s\n\n", text_memory(r->size, size), set->rounds,
         text_plural(set->rounds));
  bench_print_table(set);
}

static int print_json(const request *r, const fanin_device_info *device, const bench_set *set, failure *why) {
  json_t *root = json_object();
  json_object_set_new(root, "fanin", json_string(fanin_version()));
  json_object_set_new(root, "device", json_string(device->name));
  json_object_set_new(root, "platform", json_string(device->platform_name));
  json_object_set_new(root, "driver", json_string(device->driver));
  json_object_set_new(root, "compute_units", json_integer((json_int_t)device->compute_units));
  json_object_set_new(root, "size", json_integer((json_int_t)r->size));
  json_object_set_new(root, "runs", json_integer((json_int_t)set->rounds));
  json_object_set_new(root, "timing", json_string("wall clock around enqueue and clFinish"));
  return bench_print_json(root, set, why);
}

/* ---- Running ----------------------------------------------------------------------------------------------------- */

static int run(const request *r, session *s, bench_set *set, failure *why) {
  const regex_t *only = r->only ? &r->expression : NULL;
  fanin_device_info device = {0};
  size_t index;
  int status = STATUS_OK;
  bench_add_starts(set);
  bench_select(set, only);
  if (bench_any_selected(set)) status = bench_measure_starts(set, r->device, r->size, why);
  if (status == STATUS_OK) status = session_open(r->device, s, why);
  if (status == STATUS_OK) status = bench_check_size(s, r->size, why);
  if (status == STATUS_OK) status = session_describe(s, &device, &index, why);
  if (status != STATUS_OK) return status;
  bench_add_fills(set, r->size, device.has_f64);
  bench_select(set, only);
  if (!bench_any_selected(set)) {
    return args_fail(why, "--only '%s' fits no case; 'fanin bench --size 64K' shows their names", r->only);
  }
  status = bench_measure(set, s, why);
  if (status != STATUS_OK) return status;
  if (r->json) return print_json(r, &device, set, why);
  print_text(r, &device, set);
  return STATUS_OK;
}

int cmd_bench(int argc, char **argv, failure *why) {
  request r = {.size = (uint64_t)256 << 20, .runs = 7};
  session s = {0};
  bench_set set = {0};
  int status = args_parse(&bench_syntax, argc, argv, &r, why);
  set.rounds = (size_t)r.runs;
  if (status == STATUS_OK) {
    status =
        r.start_process ? bench_start_process(r.start_process, r.cache, r.device, r.size, why) : run(&r, &s, &set, why);
  }
  bench_free(&set);
  session_close(&s);
  if (r.only) regfree(&r.expression);
  return status;
}
