/* Weights that fanin_probe() does not draw itself: those of a file, and those that are to be calibrated. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/dtype.h"
#include "base/text.h"
#include "formats/tensor_file.h"
#include "probe/report.h"

enum { MAX_LAYERS = PROBE_MAX_WIDTHS - 1 };

static void add_layer(probe_weights *w, const char *name, size_t length, fanin_dtype dtype, const uint64_t shape[2]) {
  w->factors[w->count] = 1;
  w->names[w->count] = copy_text(name, length);
  w->tensors[w->count++] = (fanin_tensor){.dtype = dtype, .rank = 2, .shape = {shape[0], shape[1]}, .layout = "OI"};
}

static void allocate_layers(probe_weights *w, size_t n) {
  *w = (probe_weights){.names = allocate(n, sizeof *w->names),
                       .tensors = allocate(n, sizeof *w->tensors),
                       .factors = allocate(n, sizeof *w->factors)};
}

void probe_weights_free(probe_weights *w) {
  for (size_t l = 0; l < w->count; ++l) {
    fanin_tensor_free(&w->tensors[l]);
    free(w->names[l]);
  }
  free(w->names);
  free(w->tensors);
  free(w->factors);
  *w = (probe_weights){0};
}

/* ---- What the file says ------------------------------------------------------------------------------------------ */

static const stored_tensor *find(const tensor_file *f, const char *name) {
  for (size_t i = 0; i < f->count; ++i) {
    if (strcmp(f->tensors[i].name, name) == 0) return &f->tensors[i];
  }
  return NULL;
}

static int fail_missing(const tensor_file *f, const char *name, failure *why) {
  char known[256] = "";
  for (size_t i = 0; i < f->count && strlen(known) < 150; ++i) {
    const size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s%.64s%s", i > 0 ? ", " : "", f->tensors[i].name,
             strlen(known) >= 100 && i + 1 < f->count ? ", ..." : "");
  }
  return fail(why, STATUS_INPUT,
              "%s: there is no tensor '%.128s'; it has %s. Name the layers in order with --layer-names", f->path, name,
              known[0] ? known : "none");
}

/* Takes a tensor as the next layer; it must fit the layer before it. */
static int describe_layer(const tensor_file *f, const char *name, probe_weights *w, failure *why) {
  const stored_tensor *t = find(f, name);
  const size_t l = w->count;
  if (!t) return fail_missing(f, name, why);
  if (l == MAX_LAYERS) return fail(why, STATUS_INPUT, "%s: more than %d layers", f->path, MAX_LAYERS);
  if (!t->type->measurable || dtype_info(t->type->dtype).needs_fp64) {
    return fail(why, STATUS_INPUT,
                "%s: tensor '%.128s' is %s; a probe takes floats of at most 32 bits, as F32, F16 or BF16", f->path,
                name, t->type->name);
  }
  if (t->rank != 2 || t->elements == 0) {
    char shape[TEXT_SHAPE];
    return fail(why, STATUS_INPUT,
                "%s: tensor '%.128s' has the shape %s; a layer's weight is fan_out x fan_in, each at least 1", f->path,
                name, text_shape(t->shape, t->rank, shape));
  }
  if (l > 0 && t->type->dtype != w->tensors[0].dtype) {
    return fail(why, STATUS_INPUT, "%s: tensor '%.128s' is %s, the first layer's is another; one dtype is needed",
                f->path, name, t->type->name);
  }
  if (l > 0 && t->shape[1] != w->tensors[l - 1].shape[0]) {
    return fail(why, STATUS_INPUT,
                "%s: tensor '%.128s' takes %" PRIu64 " features, but the layer before makes %" PRIu64
                " (weights are fan_out x fan_in)",
                f->path, name, t->shape[1], w->tensors[l - 1].shape[0]);
  }
  add_layer(w, name, strlen(name), t->type->dtype, t->shape);
  return STATUS_OK;
}

/* Takes layer1.weight, layer2.weight, ... as long as there are such tensors. */
static int describe_numbered(const tensor_file *f, probe_weights *w, failure *why) {
  int status = STATUS_OK;
  char name[64];
  for (size_t l = 1; status == STATUS_OK; ++l) {
    snprintf(name, sizeof name, "layer%zu.weight", l);
    if (l > 1 && !find(f, name)) break;
    status = describe_layer(f, name, w, why);
  }
  return status;
}

static int describe_named(const probe_request *r, const tensor_file *f, probe_weights *w, failure *why) {
  int status = STATUS_OK;
  for (const char *at = r->layer_names; at && status == STATUS_OK;) {
    const size_t length = strcspn(at, ",");
    char *name = copy_text(at, length);
    status = describe_layer(f, name, w, why);
    free(name);
    at = at[length] == ',' ? at + length + 1 : NULL;
  }
  return status;
}

/* Takes widths and dtype from the weights, or checks that they agree with the command line. */
static int take_sizes(probe_request *r, const probe_weights *w, failure *why) {
  const bool given = r->config.n_widths > 0;
  if (given && r->config.n_widths != w->count + 1) {
    return args_fail(why, "--mlp describes %zu layer%s, but %s has %zu", r->config.n_widths - 1,
                     text_plural(r->config.n_widths - 1), r->weights, w->count);
  }
  for (size_t l = 0; l <= w->count; ++l) {
    const uint64_t width = l == 0 ? w->tensors[0].shape[1] : w->tensors[l - 1].shape[0];
    if (given && r->widths[l] != width) {
      return args_fail(why, "--mlp: width %zu is %" PRIu64 ", but %" PRIu64 " by %s", l + 1, r->widths[l], width,
                       r->weights);
    }
    r->widths[l] = width;
  }
  r->config.n_widths = w->count + 1;
  if (r->has_dtype && r->config.dtype != w->tensors[0].dtype) {
    return args_fail(why, "--dtype %s: %s has %s", fanin_dtype_name(r->config.dtype), r->weights,
                     fanin_dtype_name(w->tensors[0].dtype));
  }
  r->config.dtype = w->tensors[0].dtype;
  return STATUS_OK;
}

/* The initializer that made the tensor according to the file: "init", or "calibrated" with a factor. */
static const char *maker(const tensor_file *f, const char *name, double *factor) {
  const char *init = tensor_file_note(f, "init", name), *text = tensor_file_note(f, "factor", name);
  *factor = 1;
  if (init || !text) return init;
  char *end = NULL;
  *factor = strtod(text, &end);
  return end != text && *end == '\0' && *factor > 0 && *factor <= 1e15 ? tensor_file_note(f, "calibrated", name) : NULL;
}

/* Takes the initializer and the factors from the file, if it names one initializer for all layers. */
static void take_init(probe_request *r, const tensor_file *f, probe_weights *w) {
  const char *first = NULL;
  fanin_init init;
  for (size_t l = 0; l < w->count; ++l) {
    const char *text = maker(f, w->names[l], &w->factors[l]);
    if (l == 0) first = text;
    if (!text || strcmp(first, text) != 0) return;
  }
  if (!first || fanin_init_parse(first, &init) != FANIN_STATUS_OK) return;
  r->inits[0] = init;
  r->init_texts[0] = r->file_init = copy_text(first, strlen(first));
  r->config.weight_factors = w->factors;
}

int probe_weights_describe(probe_request *r, probe_weights *out, failure *why) {
  tensor_file f;
  int status = tensor_file_open(r->weights, &f, why);
  if (status != STATUS_OK) return status;
  allocate_layers(out, MAX_LAYERS);
  status = r->layer_names ? describe_named(r, &f, out, why) : describe_numbered(&f, out, why);
  if (status == STATUS_OK) status = take_sizes(r, out, why);
  if (status == STATUS_OK && !r->has_init) take_init(r, &f, out);
  tensor_file_close(&f);
  return status;
}

/* ---- On the device ----------------------------------------------------------------------------------------------- */

static int allocate_buffer(const session *s, probe_weights *w, size_t l, failure *why) {
  const fanin_tensor t = w->tensors[l];
  return library_status(why, fanin_tensor_alloc(s->f, t.dtype, "OI", 2, t.shape, &w->tensors[l]), w->names[l]);
}

static int read_layer(const session *s, const tensor_file *f, probe_weights *w, size_t l, failure *why) {
  const stored_tensor *t = find(f, w->names[l]);
  int status = allocate_buffer(s, w, l, why);
  if (status != STATUS_OK) return status;
  char *bytes = allocate((size_t)t->bytes, 1);
  status = tensor_file_read(f, t->offset, bytes, (size_t)t->bytes, why);
  if (status == STATUS_OK) {
    const cl_int code = clEnqueueWriteBuffer(s->queue, w->tensors[l].buffer, CL_TRUE, w->tensors[l].offset,
                                             (size_t)t->bytes, bytes, 0, NULL, NULL);
    status = opencl_status(why, code, "clEnqueueWriteBuffer");
  }
  free(bytes);
  return status;
}

int probe_weights_read(probe_request *r, const session *s, probe_weights *w, failure *why) {
  tensor_file f;
  int status = tensor_file_open(r->weights, &f, why);
  if (status != STATUS_OK) return status;
  for (size_t l = 0; l < w->count && status == STATUS_OK; ++l)
    status = read_layer(s, &f, w, l, why);
  tensor_file_close(&f);
  r->config.weights = w->tensors;
  return status;
}

int probe_weights_draw(probe_request *r, const session *s, probe_weights *out, failure *why) {
  const size_t n = r->config.n_widths - 1;
  int status = STATUS_OK;
  allocate_layers(out, n);
  for (size_t l = 0; l < n && status == STATUS_OK; ++l) {
    char name[64];
    const uint64_t shape[2] = {r->widths[l + 1], r->widths[l]};
    const int length = snprintf(name, sizeof name, "layer%zu.weight", l + 1);
    add_layer(out, name, (size_t)length, r->config.dtype, shape);
    fanin_key key;
    status = allocate_buffer(s, out, l, why);
    if (status == STATUS_OK) status = library_status(why, fanin_key_named(r->config.seed, name, &key), name);
    if (status != STATUS_OK) break;
    const fanin_tensor *t = &out->tensors[l];
    status = library_status(why, fanin_fill(s->f, s->queue, t, &r->inits[0], key, 0, NULL, NULL), name);
  }
  r->config.weights = out->tensors;
  return status;
}
