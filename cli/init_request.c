/* What is asked for when a model's tensors are to be filled and written: options, and the model that they mean. */
#include "init_request.h"

#include <stdlib.h>

#include "model_file.h"
#include "npy.h"
#include "safetensors.h"
#include "session.h"
#include "tensor_text.h"

enum { KEY_SEED = 0x100, KEY_DEVICE, KEY_DTYPE, KEY_TENSOR, KEY_INIT };

const struct argp_option init_request_options[] = {
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

static int take_tensor(init_request *r, const char *value, failure *why) {
  if (r->pending_name) return args_fail(why, "--tensor '%s': --init must follow the --tensor before it", value);
  return tensor_text_parse(value, &r->pending_name, &r->pending, why);
}

static int take_init(init_request *r, const char *value, failure *why) {
  fanin_init init;
  if (!r->pending_name) return args_fail(why, "--init '%s': there must be a --tensor before it", value);
  const fanin_status parsed = fanin_init_parse(value, &init);
  if (parsed != FANIN_OK) return fail_library(why, parsed, "--init");
  const int status = model_add(&r->model, r->pending_name, &r->pending, &init, "--tensor", why);
  free(r->pending_name);
  r->pending_name = NULL;
  return status;
}

int init_request_take(void *into, int key, const char *value, failure *why) {
  init_request *r = into;
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

int init_request_check(init_request *r, failure *why) {
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

int init_request_header(const init_request *r, char **bytes, size_t *size, failure *why) {
  return has_ending(r->output, ".npy") ? npy_header(&r->model.tensors[0].tensor, bytes, size, why)
                                       : safetensors_header(&r->model, r->seed, bytes, size, why);
}

void init_request_free(init_request *r) {
  free(r->pending_name);
  model_free(&r->model);
  *r = (init_request){0};
}
