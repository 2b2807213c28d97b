/* A request to fill and write the tensors of a model: the options, and the model that they describe. */
#include "init/request.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/session.h"
#include "base/text.h"
#include "formats/model_file.h"
#include "formats/npy.h"
#include "formats/safetensors.h"
#include "formats/tensor_text.h"

enum { KEY_SEED = 0x100, KEY_DEVICE, KEY_DTYPE, KEY_TENSOR, KEY_INIT, KEY_LIKE, KEY_RULES, KEY_SET, KEY_EXPLAIN };

const struct argp_option init_request_options[] = {
    {.name = "output",
     .key = 'o',
     .arg = "FILE",
     .doc = "The output: a .safetensors file, .npy for one tensor, or for a sharded --like X.safetensors.index.json"},
    {.name = "seed", .key = KEY_SEED, .arg = "N", .doc = "64-bit seed (default: 0)"},
    {.name = "dtype",
     .key = KEY_DTYPE,
     .arg = "DTYPE",
     .doc = "Make every tensor of this dtype, as f32, f16, bf16 or f64"},
    {.name = "device", .key = KEY_DEVICE, .arg = "SEL", .doc = SESSION_DEVICE_HELP},
    {.name = "like",
     .key = KEY_LIKE,
     .arg = "FILE",
     .doc = "The tensors of a .safetensors checkpoint, or of the .json index of a sharded one, by --rules instead of a "
            "model file; only names, shapes and dtypes are read"},
    {.name = "rules",
     .key = KEY_RULES,
     .arg = "RULES",
     .doc = "The rules that give --like's tensors their initializers: a set of 'fanin list', or a .json file (default: "
            "pytorch)"},
    {.name = "set", .key = KEY_SET, .arg = "NAME=NUMBER", .doc = "Set a value of the rules, as in layers=12"},
    {.name = "explain", .key = KEY_EXPLAIN, .doc = "Only print which rule takes which tensor, and write nothing"},
    {.name = "json", .key = 'j', .doc = "With --explain: print JSON"},
    {.name = "tensor",
     .key = KEY_TENSOR,
     .arg = "NAME:DTYPE:LAYOUT:SHAPE",
     .doc = "A tensor without a model file; --init must follow. LAYOUT has one letter for each dimension (O output, I "
            "input "
            "features, D H W taps, B stack), then if needed ,groups=N or ,splits=N; or is empty"},
    {.name = "init", .key = KEY_INIT, .arg = "INIT", .doc = "The initializer of the --tensor before; see 'fanin list'"},
    {0}};

static int take_tensor(init_request *r, const char *value, failure *why) {
  if (r->pending_name) return args_fail(why, "--tensor '%s': --init must follow the --tensor before it", value);
  return tensor_text_parse(value, &r->pending_name, &r->pending, why);
}

static int take_init(init_request *r, const char *value, failure *why) {
  fanin_init init;
  if (!r->pending_name) return args_fail(why, "--init '%s': there must be a --tensor before it", value);
  const fanin_status parsed = fanin_init_parse(value, &init);
  if (parsed != FANIN_STATUS_OK) return fail_library(why, parsed, "--init");
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
  case KEY_LIKE:
    r->like.checkpoint_path = value;
    return STATUS_OK;
  case KEY_RULES:
    r->like.rules_name = value;
    return STATUS_OK;
  case KEY_SET:
    return like_set(&r->like, value, why);
  case KEY_EXPLAIN:
    r->like.explain = true;
    return STATUS_OK;
  case 'j':
    r->like.json = true;
    return STATUS_OK;
  default:
    if (r->model_path) return args_fail(why, "'%s': a model file is given already; give one at a time", value);
    r->model_path = value;
    return STATUS_OK;
  }
}

/* Checks the options that mean something only together with others. */
static int check_like_options(const init_request *r, failure *why) {
  const like *l = &r->like;
  if (!l->checkpoint_path && (l->rules_name || l->set || l->explain)) {
    return args_fail(why, "--rules, --set and --explain go with --like CHECKPOINT");
  }
  return l->json && !l->explain ? args_fail(why, "--json goes with --explain") : STATUS_OK;
}

/* Checks that the tensors come from exactly one place. */
static int check_source(const init_request *r, failure *why) {
  const int sources = (r->model_path != NULL) + (r->like.checkpoint_path != NULL) + (r->model.count > 0);
  if (sources == 1) return STATUS_OK;
  if (sources == 0) return args_fail(why, "give a model file, --like CHECKPOINT, or --tensor and --init");
  return args_fail(why, "give a model file, --like or --tensor, not more than one of them");
}

static int check_output(init_request *r, failure *why) {
  if (!r->output) return r->like.explain ? STATUS_OK : args_fail(why, "no output is given; give -o FILE");
  r->shards = has_ending(r->output, CHECKPOINT_INDEX);
  if (r->shards && !r->like.checkpoint_path) {
    return args_fail(why, "-o '%s': only --like writes several files and their index", r->output);
  }
  if (r->shards || has_ending(r->output, ".npy") || has_ending(r->output, ".safetensors")) return STATUS_OK;
  return args_fail(why, "-o '%s': the name must end in .safetensors or .npy", r->output);
}

/* The checkpoint is only read: its files must not be overwritten. */
static int check_overwrite(const init_request *r, failure *why) {
  const checkpoint *c = &r->like.checkpoint;
  bool same = r->output && checkpoint_has(c, r->output);
  for (size_t i = 0; r->shards && i < c->n_files && !same; ++i) {
    char *path = checkpoint_beside(r->output, c->names[i]);
    same = checkpoint_has(c, path);
    free(path);
  }
  return same ? args_fail(why, "-o '%s' would overwrite the checkpoint of --like; write it elsewhere", r->output)
              : STATUS_OK;
}

static int load(init_request *r, failure *why) {
  if (r->model_path) return model_load(r->model_path, &r->model, why);
  if (!r->like.checkpoint_path) return STATUS_OK;
  const int status = like_load(&r->like, r->shards, r->has_dtype ? &r->dtype : NULL, &r->model, why);
  return status == STATUS_OK ? check_overwrite(r, why) : status;
}

int init_request_check(init_request *r, failure *why) {
  int status = check_output(r, why);
  if (status == STATUS_OK && r->pending_name) {
    return args_fail(why, "--tensor '%s': --init must follow it", r->pending_name);
  }
  if (status == STATUS_OK) status = check_like_options(r, why);
  if (status == STATUS_OK) status = check_source(r, why);
  if (status == STATUS_OK) status = load(r, why);
  if (status != STATUS_OK) return status;
  if (r->has_dtype) model_set_dtype(&r->model, r->dtype);
  const char *from = r->model_path ? r->model_path : r->like.checkpoint_path ? r->like.checkpoint_path : "--tensor";
  status = model_check(&r->model, from, why);
  if (status == STATUS_OK && r->output && has_ending(r->output, ".npy") && r->model.count > 1) {
    return args_fail(why, "-o '%s': an npy file holds one tensor, and there are %zu; write a .safetensors file",
                     r->output, r->model.count);
  }
  return status;
}

int init_request_header(const init_request *r, const model *part, char **bytes, size_t *size, failure *why) {
  return has_ending(r->output, ".npy") ? npy_header(&part->tensors[0].tensor, bytes, size, why)
                                       : safetensors_header(part, r->seed, bytes, size, why);
}

void init_request_summary(const init_request *r, const char *device, uint64_t milliseconds) {
  char parameters[TEXT_NUMBER], size[TEXT_NUMBER];
  uint64_t elements, bytes;
  model_totals(&r->model, &elements, &bytes);
  printf("%s: %zu tensor%s, %s parameter%s, %s, seed %llu, in %.2f s on %s\n", r->output, r->model.count,
         text_plural(r->model.count), text_count(elements, parameters), text_plural(elements), text_bytes(bytes, size),
         (unsigned long long)r->seed, (double)milliseconds / 1000.0, device);
}

void init_request_free(init_request *r) {
  free(r->pending_name);
  model_free(&r->model);
  like_free(&r->like);
  *r = (init_request){0};
}
