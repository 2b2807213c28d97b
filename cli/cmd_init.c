/* fanin init: fills a model's tensors on a device and writes them to a file. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "commands.h"
#include "fill_file.h"
#include "model_file.h"
#include "npy.h"
#include "progress.h"
#include "safetensors.h"
#include "tensor_text.h"
#include "text.h"

enum { KEY_SEED = 0x100, KEY_DEVICE, KEY_DTYPE, KEY_TENSOR, KEY_INIT };

typedef struct request {
  const char *model_path, *output, *device;
  uint64_t seed;
  bool has_dtype;
  fanin_dtype dtype;
  model model;        /* of --tensor */
  char *pending_name; /* a --tensor whose --init has not come yet */
  fanin_tensor pending;
} request;

static const struct argp_option options[] = {
    {.name = "output", .key = 'o', .arg = "FILE", .doc = "Where to write: a .safetensors file, or .npy for one tensor"},
    {.name = "seed", .key = KEY_SEED, .arg = "N", .doc = "64-bit seed (default: 0)"},
    {.name = "dtype", .key = KEY_DTYPE, .arg = "DTYPE", .doc = "Make every tensor f32, f16, bf16 or f64"},
    {.name = "device", .key = KEY_DEVICE, .arg = "SEL", .doc = SESSION_DEVICE_HELP},
    {.name = "tensor",
     .key = KEY_TENSOR,
     .arg = "NAME:DTYPE:LAYOUT:SHAPE",
     .doc = "A tensor without a model file; --init must follow. LAYOUT has a letter a dimension (O output, I input "
            "features, D H W taps, B stack), then if needed ,groups=N or ,splits=N; or is empty"},
    {.name = "init", .key = KEY_INIT, .arg = "INIT", .doc = "The initialiser of the --tensor before; see 'fanin list'"},
    {0}};

static int take_tensor(request *r, const char *value, failure *why) {
  if (r->pending_name) return args_fail(why, "--tensor '%s': --init must follow the --tensor before it", value);
  return tensor_text_parse(value, &r->pending_name, &r->pending, why);
}

static int take_init(request *r, const char *value, failure *why) {
  fanin_init init;
  if (!r->pending_name) return args_fail(why, "--init '%s': there must be a --tensor before it", value);
  const fanin_status parsed = fanin_init_parse(value, &init);
  if (parsed != FANIN_OK) return fail_library(why, parsed, "--init");
  const int status = model_add(&r->model, r->pending_name, &r->pending, &init, "--tensor", why);
  free(r->pending_name);
  r->pending_name = NULL;
  return status;
}

static int take(void *into, int key, const char *value, failure *why) {
  request *r = into;
  switch (key) {
  case 'o':
    r->output = value;
    return STATUS_OK;
  case KEY_SEED:
    return args_number("--seed", value, &r->seed, why);
  case KEY_DEVICE:
    r->device = value;
    return STATUS_OK;
  case KEY_DTYPE:
    r->has_dtype = true;
    return args_dtype("--dtype", value, &r->dtype, why);
  case KEY_TENSOR:
    return take_tensor(r, value, why);
  case KEY_INIT:
    return take_init(r, value, why);
  default:
    if (r->model_path) return args_fail(why, "'%s': one model file at a time", value);
    r->model_path = value;
    return STATUS_OK;
  }
}

const syntax init_syntax = {
    .command = "init",
    .options = options,
    .arguments = "MODEL.json -o OUT.safetensors\n--tensor NAME:DTYPE:LAYOUT:SHAPE --init INIT -o OUT",
    .doc = "Fills the tensors that a model file names (docs/model-files.md) on an OpenCL device and writes them to a "
           "file, "
           "which appears whole or not at all. A tensor's values depend on the seed and on its name, and on no other "
           "tensor.\v"
           "Examples:\n"
           "  fanin init models/gpt2-124m.json -o gpt2.safetensors --seed 42\n"
           "  fanin init --tensor w:f32:OI:4096x1024 --init he_normal -o w.npy\n"
           "  fanin init --tensor c:bf16:OIHW,groups=32:256x8x3x3 --init \\\n"
           "    he_normal:mode=fan_out --tensor b:bf16::256 --init zeros -o c.safetensors",
    .take = take,
};

/* What the options mean together, before any device is asked. */
static int check_request(request *r, failure *why) {
  if (!r->output) return args_fail(why, "where to write? Give -o FILE");
  const bool npy = has_ending(r->output, ".npy");
  if (!npy && !has_ending(r->output, ".safetensors")) {
    return args_fail(why, "-o '%s': the name must end in .safetensors or .npy", r->output);
  }
  if (r->pending_name) return args_fail(why, "--tensor '%s': --init must follow it", r->pending_name);
  if (r->model_path && r->model.count > 0) return args_fail(why, "give a model file or --tensor, not both");
  if (!r->model_path && r->model.count == 0) return args_fail(why, "give a model file, or --tensor and --init");
  const char *from = r->model_path ? r->model_path : "--tensor";
  int status = r->model_path ? model_load(r->model_path, &r->model, why) : STATUS_OK;
  if (status != STATUS_OK) return status;
  if (r->has_dtype) model_set_dtype(&r->model, r->dtype);
  status = model_check(&r->model, from, why);
  if (status == STATUS_OK && npy && r->model.count > 1) {
    return args_fail(why, "-o '%s': an npy file holds one tensor, and there are %zu; write a .safetensors file",
                     r->output, r->model.count);
  }
  return status;
}

static int make_header(const request *r, char **bytes, size_t *size, failure *why) {
  return has_ending(r->output, ".npy") ? npy_header(&r->model.tensors[0].tensor, bytes, size, why)
                                       : safetensors_header(&r->model, r->seed, bytes, size, why);
}

static int write_file(const request *r, const session *s, const char *header, size_t size, failure *why) {
  output out = OUTPUT_NONE;
  int status = output_open(r->output, &out, why);
  if (status == STATUS_OK) status = output_write(&out, header, size, why);
  if (status == STATUS_OK) status = fill_file(s, &r->model, r->seed, &out, why);
  if (status == STATUS_OK) status = output_commit(&out, why);
  output_abandon(&out);
  return status;
}

static void print_summary(const request *r, const session *s, uint64_t milliseconds) {
  char parameters[TEXT_NUMBER], size[TEXT_NUMBER];
  uint64_t elements, bytes;
  model_totals(&r->model, &elements, &bytes);
  printf("%s: %zu tensor%s, %s parameters, %s, seed %llu, in %.2f s on %s\n", r->output, r->model.count,
         r->model.count == 1 ? "" : "s", text_count(elements, parameters), text_bytes(bytes, size),
         (unsigned long long)r->seed, (double)milliseconds / 1000.0, s->device_name);
}

int cmd_init(int argc, char **argv, failure *why) {
  request r = {0};
  session s = {0};
  char *header = NULL;
  size_t header_size = 0;
  const uint64_t begin = progress_clock();
  int status = args_parse(&init_syntax, argc, argv, &r, why);
  if (status == STATUS_OK) status = check_request(&r, why);
  if (status == STATUS_OK) status = make_header(&r, &header, &header_size, why);
  if (status == STATUS_OK) status = session_open(r.device, &s, why);
  if (status == STATUS_OK) status = write_file(&r, &s, header, header_size, why);
  if (status == STATUS_OK) print_summary(&r, &s, progress_clock() - begin);
  session_close(&s);
  free(header);
  free(r.pending_name);
  model_free(&r.model);
  return status;
}
