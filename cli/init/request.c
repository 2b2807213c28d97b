/* A request to fill and write the tensors of a model: the options, and the model that they describe. */
#include "init/request.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/output.h"
#include "base/session.h"
#include "base/text.h"
#include "formats/safetensors.h"
#include "formats/tensor_text.h"
#include "init/explain.h"

static int take_tensor(void *to, const char *name, const char *value, failure *why) {
  (void)name;
  init_request *r = to;
  if (r->pending_name) return args_fail(why, "--tensor '%s': --init must follow the --tensor before it", value);
  return tensor_text_parse(value, &r->pending_name, &r->pending, why);
}

static int take_init(void *to, const char *name, const char *value, failure *why) {
  init_request *r = to;
  fanin_init init;
  char where[MODEL_MAX_NAME + 32];
  if (!r->pending_name) return args_fail(why, "--init '%s': there must be a --tensor before it", value);
  int status = init_text_parse(value, &r->pending, &init, name, why);
  if (status != STATUS_OK) return status;
  snprintf(where, sizeof where, "--tensor '%s'", r->pending_name);
  status = model_add(&r->model, r->pending_name, &r->pending, &init, where, why);
  free(r->pending_name);
  r->pending_name = NULL;
  return status;
}

#define TO(member) offsetof(init_request, member)

const args_option init_request_options[] = {
    {"output", 'o', "FILE",
     "The output: a .safetensors file, .npy for one tensor, or for a sharded --like X.safetensors.index.json",
     args_text, TO(output), 0},
    {"seed", 0, "N", "64-bit seed (default: 0)", args_number, TO(seed), 0},
    {"dtype", 0, "DTYPE",
     "Make every tensor of this dtype, as f32, f16, bf16 or f64, whatever a model file says of it; only a rule with a "
     "dtype goes before",
     args_dtype, TO(dtype), TO(has_dtype)},
    {"device", 0, "SEL", SESSION_DEVICE_HELP, args_text, TO(device), 0},
    {"like", 0, "FILE",
     "The tensors of a .safetensors checkpoint, or of the .json index of a sharded one, by --rules instead of a model "
     "file; only names, shapes and dtypes are read",
     args_text, TO(like.checkpoint_path), 0},
    {"rules", 0, "RULES",
     "The rules that give --like's tensors their initializers: a set of 'fanin list', or a .json file (default: "
     "pytorch)",
     args_text, TO(like.rules_name), 0},
    {"rule", 0, "PATTERN=INIT",
     "A rule that goes before those of --rules, as in '*.head.weight=zeros'; may be given several times. INIT begins "
     "with a layout where it needs one: '*.up.weight=OI:he_normal'. norm_of:FROM->TO instead of INIT: the norms of the "
     "tensor whose name has TO where this one's has FROM, as in '*.weight_g=norm_of:weight_g->weight_v'",
     like_rule, TO(like), ARGS_SEVERAL},
    {"skip", 0, "PATTERN", "Leave out the tensors of --like whose names match; may be given several times", like_skip,
     TO(like), ARGS_SEVERAL},
    {"set", 0, "NAME=NUMBER", "Set a value of the rules or of the model file, as in layers=12", like_set, TO(like),
     ARGS_SEVERAL},
    {"explain", 0, NULL, "Only print what each tensor gets, and by which rule; write nothing", args_switch, TO(explain),
     0},
    {"json", 'j', NULL, "With --explain: print JSON", args_switch, TO(json), 0},
    {"keep", 0, "FILE",
     "A .safetensors file, or the .json index of several, whose tensors are copied byte for byte; only those that it "
     "lacks are drawn. May be given more than once",
     args_texts, TO(keep.paths), ARGS_SEVERAL},
    {"resize", 0, "PATTERN:DIM:FROM->TO",
     "With --keep: tensors whose names match and that have the extent FROM in dimension DIM (counted from 0) grow to "
     "TO: what is kept stays, and the rest is drawn. With :around_mean behind it, or :around_mean:scale=S, around the "
     "mean of what is kept, with S (default: 1e-9) times its covariance",
     keep_resize, TO(keep), ARGS_SEVERAL},
    {"tensor", 0, "NAME:DTYPE:LAYOUT:SHAPE",
     "A tensor without a model file; --init must follow. LAYOUT has one letter for each dimension (O output, I input "
     "features, D H W taps, B stack, G channels of a depthwise kernel), then if needed ,groups=N or ,splits=N; or is "
     "empty",
     take_tensor, 0, ARGS_SEVERAL},
    {"init", 0, "INIT", "The initializer of the --tensor before, behind schemes if there are any; see 'fanin list'",
     take_init, 0, ARGS_SEVERAL},
    {0}};

/* Checks that the tensors come from exactly one place, and the options that mean something only together with it. */
static int check_source(const init_request *r, failure *why) {
  const like *l = &r->like;
  const int sources = (r->model_path != NULL) + (l->checkpoint_path != NULL) + (r->model.count > 0);
  if (!l->checkpoint_path && (l->rules_name || l->first.list)) {
    return args_fail(why, "--rules, --rule and --skip go with --like CHECKPOINT");
  }
  if (l->set && r->model.count > 0) return args_fail(why, "--set goes with a model file, or with --like CHECKPOINT");
  if (r->json && !r->explain) return args_fail(why, "--json goes with --explain");
  if (sources == 0) return args_fail(why, "give a model file, --like CHECKPOINT, or --tensor and --init");
  if (sources > 1) return args_fail(why, "give a model file, --like or --tensor, not more than one of them");
  return STATUS_OK;
}

static int check_output(init_request *r, failure *why) {
  if (!r->output) return r->explain ? STATUS_OK : args_fail(why, "no output is given; give -o FILE");
  r->shards = has_ending(r->output, CHECKPOINT_INDEX);
  if (r->shards && !r->like.checkpoint_path) {
    return args_fail(why, "-o '%s': only --like writes several files and their index", r->output);
  }
  if (r->shards || has_ending(r->output, ".npy") || has_ending(r->output, ".safetensors")) return STATUS_OK;
  return args_fail(why, "-o '%s': the name must end in .safetensors or .npy", r->output);
}

/* What is only read and would be overwritten by the file `path`; NULL: nothing. */
static const char *input_at(const init_request *r, const char *path) {
  if (checkpoint_has(&r->like.checkpoint, path)) return "the checkpoint of --like";
  if (keep_has(&r->keep, path)) return "a file of --keep";
  if (r->model_path && output_is(path, r->model_path)) return "the model file";
  return r->like.rules_name && output_is(path, r->like.rules_name) ? "the file of --rules" : NULL;
}

static int check_overwrite(const init_request *r, failure *why) {
  const checkpoint *c = &r->like.checkpoint;
  const char *input = r->output ? input_at(r, r->output) : NULL;
  for (size_t i = 0; r->shards && i < c->n_files && !input; ++i) {
    char *path = checkpoint_beside(r->output, c->names[i]);
    input = input_at(r, path);
    free(path);
  }
  return input ? args_fail(why, "-o '%s' would overwrite %s; write it elsewhere", r->output, input) : STATUS_OK;
}

/* npy files have what was drawn, of one tensor. */
static int check_npy(const init_request *r, failure *why) {
  if (!r->output || !has_ending(r->output, ".npy")) return STATUS_OK;
  if (r->model.count > 1) {
    return args_fail(why, "-o '%s': an npy file holds one tensor, and there are %zu; write a .safetensors file",
                     r->output, r->model.count);
  }
  return r->model.tensors[0].kept.file
             ? args_fail(why, "-o '%s': a tensor that is copied goes to a .safetensors file", r->output)
             : STATUS_OK;
}

int init_request_check(init_request *r, failure *why) {
  int status = check_output(r, why);
  if (status == STATUS_OK && r->pending_name) {
    return args_fail(why, "--tensor '%s': --init must follow it", r->pending_name);
  }
  if (status == STATUS_OK) status = check_source(r, why);
  if (status == STATUS_OK) status = keep_read(&r->keep, why);
  if (status == STATUS_OK && r->model_path) status = model_load(r->model_path, r->like.set, &r->model, why);
  if (status == STATUS_OK && r->like.checkpoint_path) {
    r->like.keep = r->keep.paths.count > 0 ? &r->keep : NULL;
    status = like_load(&r->like, r->shards, r->has_dtype ? &r->dtype : NULL, &r->model, why);
  }
  if (status == STATUS_OK) status = check_overwrite(r, why);
  if (status != STATUS_OK) return status;
  const char *from = r->model_path ? r->model_path : r->like.checkpoint_path ? r->like.checkpoint_path : "--tensor";
  if (r->has_dtype && !r->like.checkpoint_path) status = model_set_dtype(&r->model, r->dtype, from, why);
  if (status == STATUS_OK && r->keep.paths.count > 0 && !r->like.checkpoint_path) {
    status = keep_model(&r->keep, &r->model, why);
  }
  if (status == STATUS_OK && r->keep.paths.count > 0) status = keep_check(&r->keep, &r->model, why);
  if (status == STATUS_OK) status = model_check(&r->model, from, why);
  return status == STATUS_OK ? check_npy(r, why) : status;
}

void init_request_warn(const init_request *r, const char *program) {
  explain_unused(&r->like, program);
  keep_note(&r->keep, program, "init");
}

int init_request_space(const init_request *r, failure *why) {
  uint64_t elements, bytes;
  model_totals(&r->model, &elements, &bytes);
  return output_check_space(r->output, bytes, why);
}

int init_request_header(const init_request *r, const model *part, char **bytes, size_t *size, failure *why) {
  return has_ending(r->output, ".npy") ? npy_header(&part->tensors[0].tensor, bytes, size, why)
                                       : safetensors_header(part, r->seed, bytes, size, why);
}

/* How much of the output was there before. */
static void print_kept(const model *m) {
  char size[TEXT_NUMBER], elements[TEXT_NUMBER];
  size_t copied = 0, grown = 0, made = 0;
  uint64_t bytes = 0, drawn = 0;
  for (size_t i = 0; i < m->count; ++i) {
    const kept_tensor *k = &m->tensors[i].kept;
    drawn += model_elements(&m->tensors[i]) - (k->file ? k->stored->elements : 0);
    made += !k->file;
    if (!k->file) continue;
    copied += !k->grows && k->stored->elements > 0; /* of a tensor without elements there is nothing to copy */
    grown += k->grows;
    bytes += k->stored->bytes;
  }
  printf("kept: %s; %zu tensor%s copied, %zu resized, %zu drawn; %s element%s drawn\n", text_bytes(bytes, size), copied,
         text_plural(copied), grown, made, text_count(drawn, elements), text_plural(drawn));
}

void init_request_summary(const init_request *r, const char *device, uint64_t milliseconds) {
  char parameters[TEXT_NUMBER], size[TEXT_NUMBER];
  uint64_t elements, bytes;
  model_totals(&r->model, &elements, &bytes);
  printf("%s: %zu tensor%s, %s parameter%s, %s, seed %llu, in %.2f s on %s\n", r->output, r->model.count,
         text_plural(r->model.count), text_count(elements, parameters), text_plural(elements), text_bytes(bytes, size),
         (unsigned long long)r->seed, (double)milliseconds / 1000.0, device);
  if (r->keep.paths.count > 0) print_kept(&r->model);
}

void init_request_free(init_request *r) {
  free(r->pending_name);
  model_free(&r->model);
  like_free(&r->like);
  keep_free(&r->keep);
  *r = (init_request){0};
}
