/* The layers of a file of weights: which tensors they are, and what the file says of them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/dtype.h"
#include "base/text.h"
#include "fanin/inspect.h"
#include "formats/tensor_file.h"
#include "probe/chain.h"
#include "probe/report.h"

enum { MAX_LAYERS = PROBE_MAX_WIDTHS - 1 };

void probe_weights_add(probe_weights *w, const char *name, size_t length, fanin_dtype dtype, const uint64_t shape[2]) {
  w->factors[w->count] = 1;
  w->layers[w->count].name = copy_text(name, length);
  w->tensors[w->count++] = (fanin_tensor){.dtype = dtype, .rank = 2, .shape = {shape[0], shape[1]}, .layout = "OI"};
}

void probe_weights_allocate(probe_weights *w, size_t n) {
  *w = (probe_weights){.layers = allocate(n, sizeof *w->layers),
                       .tensors = allocate(n, sizeof *w->tensors),
                       .factors = allocate(n, sizeof *w->factors),
                       .inits = allocate(n, sizeof *w->inits),
                       .biases = allocate(n, sizeof *w->biases)};
}

void probe_weights_free(probe_weights *w) {
  for (size_t l = 0; l < w->count; ++l) {
    probe_layer_weights *y = &w->layers[l];
    fanin_tensor_free(&w->tensors[l]);
    free(y->name);
    free(y->second);
    free(y->bias_name);
    free(y->biases);
    free(y->init_text);
  }
  free(w->layers);
  free(w->tensors);
  free(w->factors);
  free(w->inits);
  free(w->biases);
  free(w->next);
  *w = (probe_weights){0};
}

const char *probe_weights_init(const probe_weights *w) {
  for (size_t l = 1; l < w->count; ++l) {
    if (strcmp(w->layers[l].init_text, w->layers[0].init_text) != 0) return "several";
  }
  return w->layers[0].init_text;
}

/* ---- What the file says ------------------------------------------------------------------------------------------ */

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

/* Whether a tensor can be a layer's weight at all. */
static int check_layer(const tensor_file *f, const stored_tensor *t, failure *why) {
  if (!t->type->measurable || dtype_info(t->type->dtype).needs_fp64) {
    return fail(why, STATUS_INPUT,
                "%s: tensor '%.128s' is %s; a probe takes floats of at most 32 bits, as F32, F16 or BF16", f->path,
                t->name, t->type->name);
  }
  if (t->rank != 2 || t->elements == 0) {
    char shape[TEXT_SHAPE];
    return fail(why, STATUS_INPUT,
                "%s: tensor '%.128s' has the shape %s; a layer's weight is fan_out x fan_in, each at least 1", f->path,
                t->name, text_shape(t->shape, t->rank, shape));
  }
  return STATUS_OK;
}

/* Takes a matrix as the next layer. */
static int add_matrix(const tensor_file *f, const matrix_of *m, probe_weights *w, failure *why) {
  const stored_tensor *t = m->tensor;
  const size_t l = w->count;
  if (l == MAX_LAYERS) return fail(why, STATUS_INPUT, "%s: more than %d layers", f->path, MAX_LAYERS);
  if (l > 0 && t->type->dtype != w->tensors[0].dtype) {
    return fail(why, STATUS_INPUT, "%s: tensor '%.128s' is %s, the first layer's is another; one dtype is needed",
                f->path, t->name, t->type->name);
  }
  const uint64_t shape[2] = {m->out, m->in};
  probe_weights_add(w, t->name, strlen(t->name), t->type->dtype, shape);
  w->layers[l].transposed = m->transposed;
  return STATUS_OK;
}

/* The features of layer l, which are what the next one must take. */
static int features_of(const probe_request *r, const probe_weights *w, size_t l, uint64_t *out, failure *why) {
  const uint64_t rows = w->tensors[l].shape[0], features = probe_features(r, l, w->count, rows);
  const probe_layer_weights *next = l + 1 < w->count ? &w->layers[l + 1] : NULL;
  *out = features;
  if (features == 0) {
    return fail(why, STATUS_INPUT, "%s: tensor '%.128s' has %" PRIu64 " rows; %s needs an even number", r->weights,
                w->layers[l].name, rows, r->config.activation);
  }
  if (!next || w->tensors[l + 1].shape[1] == features) return STATUS_OK;
  return fail(why, STATUS_INPUT,
              "%s: tensor '%.128s' takes %" PRIu64 " features, but the layer before makes %" PRIu64 " (weights are %s)",
              r->weights, next->name, w->tensors[l + 1].shape[1], features,
              next->transposed ? "fan_in x fan_out, as their layout IO says" : "fan_out x fan_in");
}

static int find_matrix(const tensor_file *f, const like *rules, const char *name, matrix_of *m, failure *why) {
  const stored_tensor *t = tensor_file_find(f, name);
  if (!t) {
    fail_missing(f, name, why);
    return STATUS_INPUT;
  }
  const int status = check_layer(f, t, why);
  return status == STATUS_OK ? chain_orient(f, rules, t, false, m, why) : status;
}

static int describe_layer(const tensor_file *f, const like *rules, const char *name, probe_weights *w, failure *why) {
  matrix_of m;
  const int status = find_matrix(f, rules, name, &m, why);
  return status == STATUS_OK ? add_matrix(f, &m, w, why) : status;
}

/* "gate+up": a gated layer of two tensors, the gate's rows above the other factor's. */
static int describe_pair(const tensor_file *f, const like *rules, const char *name, const char *plus, probe_weights *w,
                         failure *why) {
  matrix_of first, second;
  char *gate = copy_text(name, (size_t)(plus - name)), *up = copy_text(plus + 1, strlen(plus + 1));
  int status = find_matrix(f, rules, gate, &first, why);
  if (status == STATUS_OK) status = find_matrix(f, rules, up, &second, why);
  if (status == STATUS_OK &&
      (first.in != second.in || first.out != second.out || first.tensor->type->dtype != second.tensor->type->dtype)) {
    char one[TEXT_SHAPE], other[TEXT_SHAPE];
    status = fail(why, STATUS_INPUT, "%s: '%.64s' is %s %s, and '%.64s' is %s %s; the two of one layer must be alike",
                  f->path, gate, first.tensor->type->name, text_shape(first.tensor->shape, 2, one), up,
                  second.tensor->type->name, text_shape(second.tensor->shape, 2, other));
  }
  free(gate);
  if (status == STATUS_OK) {
    first.out *= 2;
    status = add_matrix(f, &first, w, why);
  }
  if (status == STATUS_OK)
    w->layers[w->count - 1].second = up;
  else
    free(up);
  return status;
}

/* Takes layer1.weight, layer2.weight, ... as long as there are such tensors. */
static int describe_numbered(const tensor_file *f, const like *rules, probe_weights *w, failure *why) {
  int status = STATUS_OK;
  char name[64];
  for (size_t l = 1; status == STATUS_OK; ++l) {
    snprintf(name, sizeof name, "layer%zu.weight", l);
    if (l > 1 && !tensor_file_find(f, name)) break;
    status = describe_layer(f, rules, name, w, why);
  }
  return status;
}

static int describe_named(const probe_request *r, const tensor_file *f, probe_weights *w, failure *why) {
  int status = STATUS_OK;
  for (const char *at = r->layer_names; at && status == STATUS_OK;) {
    const size_t length = strcspn(at, ",");
    char *name = copy_text(at, length);
    const char *plus = tensor_file_find(f, name) ? NULL : strchr(name, '+');
    status = plus ? describe_pair(f, &r->like, name, plus, w, why) : describe_layer(f, &r->like, name, w, why);
    free(name);
    at = at[length] == ',' ? at + length + 1 : NULL;
  }
  return status;
}

/* Takes all matrices of the file in the one order that makes a network of them. */
static int describe_found(const tensor_file *f, const like *rules, probe_weights *w, failure *why) {
  matrix_of *list = NULL;
  size_t n = 0;
  int status = chain_find(f, rules, &list, &n, why);
  if (status == STATUS_OK && n == 0) status = fail_missing(f, "layer1.weight", why);
  for (size_t i = 0; i < n && status == STATUS_OK; ++i) {
    status = check_layer(f, list[i].tensor, why);
    if (status == STATUS_OK) status = add_matrix(f, &list[i], w, why);
  }
  w->found = true;
  free(list);
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
    uint64_t width = w->tensors[0].shape[1];
    const int status = l > 0 ? features_of(r, w, l - 1, &width, why) : STATUS_OK;
    if (status != STATUS_OK) return status;
    if (given && r->widths[l] != width) {
      return args_fail(why, "--mlp: width %zu is %" PRIu64 ", but %" PRIu64 " by %s", l + 1, r->widths[l], width,
                       r->weights);
    }
    r->widths[l] = width;
  }
  r->config.n_widths = w->count + 1;
  const int status = probe_check_network(r, why);
  if (status != STATUS_OK) return status;
  if (r->has_dtype && r->config.dtype != w->tensors[0].dtype) {
    return args_fail(why, "--dtype %s: %s has %s", fanin_dtype_name(r->config.dtype), r->weights,
                     fanin_dtype_name(w->tensors[0].dtype));
  }
  r->config.dtype = w->tensors[0].dtype;
  return STATUS_OK;
}

static bool is_same(const fanin_init *a, const fanin_init *b) {
  enum { TEXT = 512 };
  char one[TEXT] = "", other[TEXT] = "";
  fanin_init_format(a, one, TEXT, NULL);
  fanin_init_format(b, other, TEXT, NULL);
  return strcmp(one, other) == 0;
}

/* A layer of two tensors is judged as one, so that what made them must be the same, and mean the same of the whole. */
static int check_pair(const probe_request *r, const tensor_file *f, const probe_weights *w, size_t l, failure *why) {
  const probe_layer_weights *y = &w->layers[l];
  const fanin_tensor *whole = &w->tensors[l];
  double factor;
  const char *text = tensor_file_maker(f, y->name, &factor), *other = tensor_file_maker(f, y->second, &factor);
  const assignment *expected = like_expected(&r->like, y->name), *behind = like_expected(&r->like, y->second);
  fanin_tensor half = *whole;
  fanin_moments of_half, of_whole;
  half.shape[0] /= 2;
  if (y->maker == MAKER_GUESS) return STATUS_OK;
  const bool same = (text && other ? strcmp(text, other) == 0 : text == other) &&
                    (text || !expected || (behind && is_same(&expected->init, &behind->init)));
  if (!same || w->factors[l] != factor) {
    return fail(why, STATUS_INPUT,
                "%s: '%.64s' and '%.64s', which are one layer, were not made by the same initializer", f->path, y->name,
                y->second);
  }
  int status = library_status(why, fanin_expect(&half, &w->inits[l], &of_half, sizeof of_half), y->name);
  if (status == STATUS_OK)
    status = library_status(why, fanin_expect(whole, &w->inits[l], &of_whole, sizeof of_whole), y->name);
  if (status != STATUS_OK || (of_half.std == of_whole.std && w->inits[l].kind != FANIN_KIND_ORTHOGONAL)) return status;
  return fail(
      why, STATUS_INPUT,
      "%s: '%.64s' and '%.64s' are one layer, and %.64s of twice the rows is not what two of it are: a probe takes "
      "independent weights whose fan is fan_in here",
      f->path, y->name, y->second, y->init_text);
}

/* What layer l is judged by, which is counted: its metadata, the rules, or --init. expect_guess() does the rest. */
static int take_maker(const probe_request *r, const tensor_file *f, probe_weights *w, size_t l,
                      size_t counts[MAKER_OWN + 1], failure *why) {
  enum { TEXT = 512 };
  probe_layer_weights *y = &w->layers[l];
  const char *text = tensor_file_maker(f, y->name, &w->factors[l]);
  const assignment *expected = like_expected(&r->like, y->name);
  if (expected && expected->parts.count > 0) expected = NULL; /* no one law */
  char formatted[TEXT] = "";
  if (isnan(w->factors[l])) {
    return fail(why, STATUS_INPUT, "%s: tensor '%.128s': its factor in the metadata is not a number above 0", f->path,
                y->name);
  }
  y->maker = text ? MAKER_FILE : expected ? MAKER_RULES : r->has_init ? MAKER_INIT : MAKER_GUESS;
  ++counts[y->maker];
  if (y->maker == MAKER_GUESS) return STATUS_OK;
  int status = STATUS_OK;
  if (y->maker == MAKER_FILE) status = library_status(why, fanin_init_parse(text, &w->inits[l]), y->name);
  if (y->maker == MAKER_RULES) w->inits[l] = expected->init;
  if (y->maker == MAKER_INIT) status = probe_init_of(r, 0, l, &w->inits[l], why);
  if (y->maker == MAKER_INIT && !strpbrk(r->init_texts[0], " \t\n")) text = r->init_texts[0];
  if (status == STATUS_OK && !text) { /* by rules or with schemes, of which metadata knows nothing */
    text = formatted;
    fanin_init_format(&w->inits[l], formatted, sizeof formatted, NULL);
  }
  if (status == STATUS_OK) y->init_text = copy_text(text, strlen(text));
  return status == STATUS_OK && y->second ? check_pair(r, f, w, l, why) : status;
}

/* What the layers are judged by. An option that would judge none is an error: it is not what was meant. */
static int take_makers(const probe_request *r, const tensor_file *f, probe_weights *w, failure *why) {
  size_t counts[MAKER_OWN + 1] = {0};
  int status = STATUS_OK;
  for (size_t l = 0; l < w->count && status == STATUS_OK; ++l)
    status = take_maker(r, f, w, l, counts, why);
  if (status != STATUS_OK) return status;
  if (r->like.rules_name && counts[MAKER_RULES] == 0) {
    return args_fail(why, "--rules %s would judge no layer: %s; leave --rules out, or give others", r->like.rules_name,
                     counts[MAKER_FILE] == w->count ? "the file says of each one what made it"
                                                    : "no rule takes any, but for parts");
  }
  if (!r->has_init || counts[MAKER_INIT] > 0) return STATUS_OK;
  return args_fail(why, "--init %s would judge no layer: %s says of each one what made it; leave --init out",
                   r->init_texts[0], counts[MAKER_RULES] > 0 ? "--rules" : r->weights);
}

/* "fc1.weight" has the bias "fc1.bias", "dense/kernel" has "dense/bias". */
static char *bias_name_of(const char *name) {
  static const char *const endings[] = {"weight", "kernel"};
  for (size_t k = 0; k < 2; ++k) {
    if (!has_ending(name, endings[k])) continue;
    const size_t kept = strlen(name) - strlen(endings[k]), size = kept + sizeof "bias";
    char *bias = allocate(size, 1);
    snprintf(bias, size, "%.*sbias", (int)kept, name);
    return bias;
  }
  return NULL;
}

static bool is_float(const stored_type *t) {
  return t->measurable && (t->dtype == FANIN_DTYPE_F32 || t->dtype == FANIN_DTYPE_F16 || t->dtype == FANIN_DTYPE_BF16 ||
                           t->dtype == FANIN_DTYPE_F64);
}

/* Notes which layers have biases in the file. */
static int take_biases(const probe_request *r, const tensor_file *f, probe_weights *w, failure *why) {
  for (size_t l = 0; l < w->count; ++l) {
    char *name = bias_name_of(w->layers[l].name), shape[TEXT_SHAPE];
    const stored_tensor *t = name ? tensor_file_find(f, name) : NULL;
    if (t && w->layers[l].second) {
      const int status =
          fail(why, STATUS_INPUT, "%s: layer %zu is of two tensors, and has '%.128s'; such layers have no biases",
               f->path, l + 1, name);
      free(name);
      return status;
    }
    if (!t) {
      free(name);
      continue;
    }
    w->layers[l].bias_name = name;
    if (t->rank != 1 || t->elements != w->tensors[l].shape[0]) {
      return fail(why, STATUS_INPUT, "%s: tensor '%.128s' has the shape %s, but layer %zu has %" PRIu64 " features",
                  f->path, name, text_shape(t->shape, t->rank, shape), l + 1, w->tensors[l].shape[0]);
    }
    if (!is_float(t->type)) {
      return fail(why, STATUS_INPUT, "%s: tensor '%.128s' is %s; biases are F32, F16, BF16 or F64", f->path, name,
                  t->type->name);
    }
    if (r->config.bias_std > 0) {
      return args_fail(why, "--bias-std %g draws biases, but %s has its own, as %.128s; leave --bias-std out",
                       r->config.bias_std, f->path, name);
    }
  }
  return STATUS_OK;
}

static int describe(probe_request *r, const tensor_file *f, probe_weights *w, failure *why) {
  if (r->layer_names) return describe_named(r, f, w, why);
  if (r->gated && !tensor_file_find(f, "layer1.weight")) {
    return fail(why, STATUS_INPUT,
                "%s: what fits behind a matrix of %s does not show in its shape: name the layers in order with "
                "--layer-names",
                f->path, r->config.activation);
  }
  return tensor_file_find(f, "layer1.weight") ? describe_numbered(f, &r->like, w, why)
                                              : describe_found(f, &r->like, w, why);
}

int probe_weights_describe(probe_request *r, probe_weights *out, failure *why) {
  tensor_file f;
  int status = tensor_file_open(r->weights, &f, why);
  if (status != STATUS_OK) return status;
  probe_weights_allocate(out, MAX_LAYERS);
  out->file_bytes = f.size;
  if (r->like.rules_name) status = checkpoint_read(r->weights, &r->like.checkpoint, why);
  if (status == STATUS_OK) status = like_expect(&r->like, why);
  if (status == STATUS_OK) status = describe(r, &f, out, why);
  if (status == STATUS_OK) status = take_sizes(r, out, why);
  if (status == STATUS_OK) status = take_biases(r, &f, out, why);
  if (status == STATUS_OK) status = take_makers(r, &f, out, why);
  for (size_t l = 0; l < out->count && status == STATUS_OK && r->calibrate; ++l) {
    if (!out->layers[l].second) continue;
    status =
        args_fail(why, "--calibrate has one factor for a layer, but layer %zu is of two tensors, '%.64s' and '%.64s'",
                  l + 1, out->layers[l].name, out->layers[l].second);
  }
  tensor_file_close(&f);
  return status;
}
