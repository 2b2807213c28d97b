/* What the tensors of a checkpoint should be: by the metadata of their files, and by what the user names. */
#include "inspect/expect.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fanin/scheme.h"
#include "formats/tensor_text.h"

enum { TEXT = 512 };

/* ---- What the options name --------------------------------------------------------------------------------------- */

/* Whether a text is an initializer, with schemes before it or none: for some tensor that has fans. */
static int read_text(const char *text, const char *context, failure *why) {
  const fanin_tensor any = {.dtype = FANIN_DTYPE_F32, .rank = 2, .shape = {1, 1}, .layout = "OI"};
  fanin_init unused;
  return init_text_parse(text, &any, &unused, context, why);
}

/* Reads INIT or NAME=INIT. A name may have '=' in it, and an initializer has, so that the text is divided at the first
 * '=' that leaves an initializer behind it. Where there is none, the sentence is of what stands behind a tensor's name,
 * or of the whole text. */
static int read_init(const wishes *w, const char *text, named_init *out, failure *why) {
  failure unused = {.text = ""};
  const char *named = NULL; /* what stands behind a tensor's name */
  out->text = text;
  if (read_text(text, NULL, &unused) == STATUS_OK) return STATUS_OK;
  for (const char *equal = strchr(text, '='); equal; equal = strchr(equal + 1, '=')) {
    char *name = copy_text(text, (size_t)(equal - text));
    const bool there = checkpoint_find(&w->like.checkpoint, name);
    if (read_text(equal + 1, NULL, &unused) == STATUS_OK) {
      out->tensor = name;
      out->text = equal + 1;
      if (there) return STATUS_OK;
      return fail(why, STATUS_INPUT, "--init '%.256s': there is no tensor '%.256s'", text, name);
    }
    if (there && !named) named = equal + 1;
    free(name);
  }
  return read_text(named ? named : text, "--init", why);
}

static int read_inits(wishes *w, failure *why) {
  size_t of_all = 0;
  w->inits = allocate(w->texts.count, sizeof *w->inits);
  for (size_t i = 0; i < w->texts.count; ++i) {
    const int status = read_init(w, w->texts.texts[i], &w->inits[w->n_inits++], why);
    if (status != STATUS_OK) return status;
    if (!w->inits[i].tensor && ++of_all > 1) {
      return args_fail(why, "--init '%s': a second one for all tensors; write NAME=INIT for single ones",
                       w->inits[i].text);
    }
  }
  return STATUS_OK;
}

/* The model's tensors must have the shapes that they have in the checkpoint. */
static int read_model(wishes *w, failure *why) {
  char is[TEXT_SHAPE], should_be[TEXT_SHAPE];
  const int status = model_load(w->model_path, w->like.set, &w->model, why);
  w->of_model = allocate(w->like.checkpoint.count, sizeof *w->of_model);
  for (size_t i = 0; status == STATUS_OK && i < w->model.count; ++i) {
    const fanin_tensor *t = &w->model.tensors[i].tensor;
    const checkpoint_tensor *found = checkpoint_find(&w->like.checkpoint, w->model.tensors[i].name);
    if (!found) continue;
    w->of_model[found - w->like.checkpoint.tensors] = &w->model.tensors[i];
    text_shape(found->stored->shape, found->stored->rank, is);
    text_shape(t->shape, t->rank, should_be);
    if (strcmp(is, should_be) == 0) continue;
    return fail(why, STATUS_INPUT, "--like %s: tensor '%.256s' has the shape %s there, and %s in %s", w->model_path,
                w->model.tensors[i].name, should_be, is, w->like.checkpoint.path);
  }
  return status;
}

int wishes_load(wishes *w, failure *why) {
  if (w->like.set && !w->like.rules_name && !w->model_path) return args_fail(why, "--set goes with --rules or --like");
  int status = read_inits(w, why);
  if (status == STATUS_OK && w->model_path) status = read_model(w, why);
  return status == STATUS_OK ? like_expect(&w->like, why) : status;
}

void wishes_free(wishes *w) {
  for (size_t i = 0; i < w->n_inits; ++i)
    free(w->inits[i].tensor);
  free(w->inits);
  free(w->of_model);
  free(w->texts.texts);
  model_free(&w->model);
  like_free(&w->like);
  *w = (wishes){.n_inits = 0};
}

const char *wishes_missing(const wishes *w, size_t *at) {
  while (*at < w->model.count) {
    const char *name = w->model.tensors[(*at)++].name;
    if (!checkpoint_find(&w->like.checkpoint, name)) return name;
  }
  return NULL;
}

/* ---- One tensor -------------------------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3))) give_reason(expectation *e, const char *format, ...) {
  char text[TEXT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  free(e->reason);
  e->reason = copy_text(text, strlen(text));
}

static void set_text(expectation *e, const char *text) {
  free(e->text);
  e->text = copy_text(text, strlen(text));
}

static void set_init_text(expectation *e, const fanin_init *init, const tensor_parts *parts) {
  char text[TEXT] = "";
  set_text(e, tensor_parts_text(parts, init, text, sizeof text));
}

/* Sets what follows from initializers of the tensor and of its parts. */
static void set_inits(expectation *e, const tensor_file *f, const fanin_tensor *t, const fanin_init *init,
                      const tensor_parts *parts) {
  if (parts->count == 0) {
    expectation_set(e, t, init);
  } else if (f->fortran_order && t->rank > 1) {
    give_reason(e, "its parts have initializers of their own, which is not tested in Fortran order");
  } else {
    e->init = *init;
    e->parts = tensor_parts_copy(parts);
    e->known = true;
    layout_format(t, e->layout);
  }
}

/* The tensor of a known expectation. */
static fanin_tensor expected_tensor(const expectation *e, const stored_tensor *t) {
  fanin_tensor out = layout_none(t->type->dtype, t->rank, t->shape);
  if (e->layout[0]) layout_parse(e->layout, strlen(e->layout), &out);
  return out;
}

bool expectation_next(const expectation *e, const stored_tensor *t, tensor_region *r) {
  const fanin_tensor tensor = expected_tensor(e, t);
  return tensor_parts_next(&e->parts, &tensor, &e->init, r);
}

void expectation_of_region(const expectation *e, const stored_tensor *t, const tensor_region *r, expectation *out) {
  static const tensor_parts none = {.count = 0};
  const fanin_tensor tensor = expected_tensor(e, t);
  uint64_t unit[FANIN_MAX_RANK], elements;
  double operations;
  bool together = false;
  if (e->rest && r->init == &e->init) {
    *out = (expectation){.by = BY_NOBODY};
    give_reason(out, "%s", e->rest);
    return;
  }
  *out = (expectation){.by = e->by, .twin = e->twin};
  set_init_text(out, r->init, &none);
  if (e->dispute) out->dispute = copy_text(e->dispute, strlen(e->dispute));
  if (fanin_tensor_units(&r->where, r->init, unit, &elements, &operations) == FANIN_STATUS_OK) {
    for (int d = 0; d < t->rank; ++d)
      together = together || unit[d] > 1;
  }
  if (together && r->end - r->first < t->shape[e->parts.dimension]) {
    give_reason(out, "it is a part of matrices or lines that %s makes as wholes, and only wholes are tested",
                out->text);
  } else {
    expectation_set(out, &tensor, r->init);
    /* the averages are the whole tensor's, and every element of such a slab is compared */
    if (out->known && check_is_fixed(out) && out->law.kind != FANIN_LAW_KIND_CONSTANT)
      out->moments.mean = out->moments.std = NAN;
  }
}

/* The tensor with the layout that the file notes. Without a note, and with `usual`, matrices and kernels have
 * PyTorch's: outputs, inputs, taps. False where the note is no layout. */
static bool tensor_of(const tensor_file *f, const stored_tensor *t, bool usual, fanin_tensor *out) {
  static const char *const layouts[] = {"", "", "OI", "OIW", "OIHW", "OIDHW"};
  const char *layout = tensor_file_note(f, "layout", t->name);
  *out = layout_none(t->type->dtype, t->rank, t->shape);
  if (!layout && usual && t->rank < (int)(sizeof layouts / sizeof *layouts)) layout = layouts[t->rank];
  return !layout || layout_parse(layout, strlen(layout), out);
}

/* Makes the parts of a note, which are the whole tensor together. */
static int read_parts(const char *text, const fanin_tensor *t, tensor_parts *out, failure *why) {
  const json_check in = {"metadata", why};
  const json_t *list = NULL;
  json_t *root = NULL;
  tensor_region r = {.init = NULL};
  size_t slabs = 0;
  *out = (tensor_parts){.count = 0};
  int status = json_load_bytes("metadata", text, strlen(text), &root, why);
  if (status == STATUS_OK) status = tensor_parts_read(&in, "parts", root, &list);
  if (status == STATUS_OK) status = tensor_parts_make(list, t, &(part_texts){.fans = t}, "metadata", out, why);
  while (status == STATUS_OK && tensor_parts_next(out, t, NULL, &r))
    ++slabs;
  if (status == STATUS_OK && slabs != out->count) {
    status = fail(why, STATUS_INPUT, "metadata: parts: they are not all of the tensor");
  }
  json_decref(root);
  return status;
}

/* The note "parts". */
static void take_parts_note(const tensor_file *f, const stored_tensor *t, const char *text, expectation *e) {
  static const fanin_init none = {0}; /* there is nothing between the parts */
  failure why = {.text = ""};
  fanin_tensor tensor;
  tensor_parts parts = {.count = 0};
  char words[TEXT];
  e->by = BY_FILE;
  e->twin = tensor_file_note(f, "key", t->name);
  if (!tensor_of(f, t, false, &tensor)) {
    give_reason(e, "its layout in the metadata is not a layout");
  } else if (read_parts(text, &tensor, &parts, &why) != STATUS_OK) {
    give_reason(e, "%s", why.text);
  } else {
    set_text(e, tensor_parts_text(&parts, NULL, words, sizeof words));
    set_inits(e, f, &tensor, &none, &parts);
  }
  tensor_parts_free(&parts);
}

/* The file's notes: "parts", "init", or of a calibrated tensor "calibrated" and "factor". */
static void take_notes(const tensor_file *f, const stored_tensor *t, expectation *e) {
  double factor;
  const char *text = tensor_file_maker(f, t->name, &factor), *parts = tensor_file_note(f, "parts", t->name);
  fanin_tensor tensor;
  fanin_init parsed;
  char full[TEXT];
  if (parts) take_parts_note(f, t, parts, e);
  if (parts || !text) return;
  e->by = BY_FILE;
  e->twin = tensor_file_note(f, "key", t->name);
  e->rescaled = factor != 1;
  const char *times = e->rescaled ? tensor_file_note(f, "factor", t->name) : NULL;
  snprintf(full, sizeof full, times ? "%.300s times %.60s" : "%.300s", text, times);
  set_text(e, full);
  if (!tensor_of(f, t, false, &tensor)) {
    give_reason(e, "its layout in the metadata is not a layout");
  } else if (fanin_init_parse(text, &parsed) != FANIN_STATUS_OK) {
    give_reason(e, "its initializer in the metadata is not known");
  } else if (isnan(factor) || fanin_init_scaled(&parsed, factor, &parsed) != FANIN_STATUS_OK) {
    give_reason(e, "its factor in the metadata is not a positive number that the initializer takes");
  } else {
    expectation_set(e, &tensor, &parsed);
  }
}

/* Reads the note "0:32000->32064 normal:std=0.02" of a tensor that has grown: its new end is a part. False where it is
 * no such note. */
static bool read_resized(const char *text, const stored_tensor *t, tensor_parts *out) {
  const char *colon = strchr(text, ':'), *arrow = strstr(text, "->"), *blank = arrow ? strchr(arrow, ' ') : NULL;
  uint64_t dimension = 0, from = 0, to = 0;
  fanin_init init;
  if (!colon || !blank || colon > arrow || !args_u64(text, (size_t)(colon - text), &dimension)) return false;
  if (!args_u64(colon + 1, (size_t)(arrow - colon - 1), &from)) return false;
  if (!args_u64(arrow + 2, (size_t)(blank - arrow - 2), &to)) return false;
  if (dimension >= (uint64_t)t->rank || from == 0 || from >= to || to != t->shape[dimension]) return false;
  if (fanin_init_parse(blank + 1, &init) != FANIN_STATUS_OK) return false;
  out->dimension = (int)dimension;
  out->list = allocate(1, sizeof *out->list);
  out->list[out->count++] = (tensor_part){from, to, init};
  return true;
}

/* The file's note that values were copied from another one: they are what that file made them, by training for one.
 * The new end of a tensor that has grown has an initializer. */
static bool take_kept(const tensor_file *f, const stored_tensor *t, expectation *e) {
  const char *kept = tensor_file_note(f, "kept", t->name), *resized = tensor_file_note(f, "resized", t->name);
  fanin_tensor tensor;
  char rest[TEXT];
  if (kept && resized)
    give_reason(e, "kept from %.200s, but resized: %.300s", kept, resized);
  else if (kept)
    give_reason(e, "kept from %.300s", kept);
  if (!kept || !resized || !tensor_of(f, t, false, &tensor) || !read_resized(resized, t, &e->parts))
    return kept != NULL;
  e->known = true;
  e->by = BY_FILE;
  e->twin = tensor_file_note(f, "key", t->name);
  snprintf(rest, sizeof rest, "kept from %.300s", kept);
  e->rest = copy_text(rest, strlen(rest));
  layout_format(&tensor, e->layout);
  return true;
}

static const named_init *init_for(const wishes *w, const char *name) {
  for (size_t i = 0; i < w->n_inits; ++i) {
    const char *of = w->inits[i].tensor;
    if (name ? of && strcmp(of, name) == 0 : !of) return &w->inits[i];
  }
  return NULL;
}

static void take_init(const tensor_file *f, const stored_tensor *t, const named_init *n, expectation *e) {
  failure why = {.text = ""};
  fanin_tensor tensor;
  fanin_init init;
  e->by = BY_OPTION;
  set_text(e, n->text);
  if (!tensor_of(f, t, true, &tensor))
    give_reason(e, "its layout in the metadata is not a layout");
  else if (init_text_parse(n->text, &tensor, &init, NULL, &why) != STATUS_OK)
    give_reason(e, "%s", why.text);
  else
    expectation_set(e, &tensor, &init);
}

static bool take_model(const wishes *w, const tensor_file *f, const stored_tensor *t, size_t i, expectation *e) {
  const model_tensor *m = w->of_model ? w->of_model[i] : NULL;
  if (!m) return false;
  fanin_tensor tensor = m->tensor;
  tensor.dtype = t->type->dtype;
  e->by = BY_MODEL;
  set_init_text(e, &m->init, &m->parts);
  set_inits(e, f, &tensor, &m->init, &m->parts);
  return true;
}

static bool take_rules(const wishes *w, const tensor_file *f, const stored_tensor *t, size_t i, expectation *e) {
  const assignment *a = w->like.list ? &w->like.list[i] : NULL;
  if (a && a->declined) give_reason(e, "the rules decline it: %.400s", a->declined);
  if (!a || !a->rule) return false;
  if (a->rule->skip) {
    give_reason(e, "the rules skip it: %.300s", a->rule->skip);
    return false;
  }
  fanin_tensor tensor = a->tensor;
  tensor.dtype = t->type->dtype;
  e->by = BY_RULES;
  e->twin = a->twin ? a->twin->stored->name : NULL;
  set_init_text(e, &a->init, &a->parts);
  set_inits(e, f, &tensor, &a->init, &a->parts);
  return true;
}

/* Whether two expectations come to the same. */
static bool is_same_law(const expectation *a, const expectation *b) {
  const double x[] = {a->law.value, a->law.lo,   a->law.hi, a->law.mean,
                      a->law.std,   a->law.from, a->law.to, a->law.zeros};
  const double y[] = {b->law.value, b->law.lo,   b->law.hi, b->law.mean,
                      b->law.std,   b->law.from, b->law.to, b->law.zeros};
  for (size_t k = 0; k < sizeof x / sizeof *x; ++k) {
    if (x[k] != y[k] && !(fabs(x[k] - y[k]) <= 1e-6 * fmax(fabs(x[k]), fabs(y[k])))) return false;
  }
  if (a->law.kind != FANIN_LAW_KIND_TABLE || a->law.kind != b->law.kind) return a->law.kind == b->law.kind;
  return a->init.kind == b->init.kind && a->init.form == b->init.form && a->init.base == b->init.base;
}

/* The same of tensors with parts or none. */
static bool is_same(const expectation *a, const expectation *b, const stored_tensor *t) {
  tensor_region x = {.init = NULL}, y = {.init = NULL};
  bool same = true;
  if (a->parts.count == 0 && b->parts.count == 0) return is_same_law(a, b);
  while (same && expectation_next(a, t, &x)) {
    expectation of_x, of_y;
    same = expectation_next(b, t, &y) && x.first == y.first && x.end == y.end;
    if (!same) break;
    expectation_of_region(a, t, &x, &of_x);
    expectation_of_region(b, t, &y, &of_y);
    same = of_x.known && of_y.known ? is_same_law(&of_x, &of_y) : strcmp(of_x.text, of_y.text) == 0;
    expectation_free(&of_x);
    expectation_free(&of_y);
  }
  return same;
}

/* The rules decide where the file's notes do not. Where both speak, and do not say the same, the reader learns it. */
static void ask_rules(const wishes *w, const tensor_file *f, const stored_tensor *t, size_t i, expectation *e) {
  expectation ruled = {.known = false};
  const bool spoken = take_rules(w, f, t, i, &ruled);
  if (!e->known && (spoken || (ruled.reason && !e->reason))) {
    expectation_free(e);
    *e = ruled;
    return;
  }
  if (e->known && ruled.known && !is_same(e, &ruled, t)) {
    char text[TEXT], noted[TEXT], own[TEXT];
    snprintf(noted, sizeof noted, "%.160s", e->text);
    snprintf(own, sizeof own, "%.160s", ruled.text);
    snprintf(text, sizeof text, "its metadata say %.160s, and rules %.64s say %.160s: it is judged by the metadata",
             text_short(noted), w->like.rules.name, text_short(own));
    e->dispute = copy_text(text, strlen(text));
  }
  expectation_free(&ruled);
}

static bool is_declined(const wishes *w, size_t i) {
  return w->like.list && w->like.list[i].declined;
}

int expectation_of(const wishes *w, size_t i, expectation *out, failure *why) {
  const checkpoint_tensor *c = &w->like.checkpoint.tensors[i];
  const stored_tensor *t = c->stored;
  const tensor_file *f = &w->like.checkpoint.files[c->shard];
  const named_init *own = init_for(w, t->name), *others = init_for(w, NULL);
  *out = (expectation){.known = false};
  if (!t->type->measurable) {
    give_reason(out, "dtype %s is not measured", t->type->name);
  } else if (t->rank > FANIN_MAX_RANK) {
    give_reason(out, "it has %d dimensions, and at most %d are tested against an initializer", t->rank, FANIN_MAX_RANK);
  } else if (own) {
    take_init(f, t, own, out);
    if (!out->known) return fail(why, STATUS_INPUT, "--init %.256s=%.128s: %s", own->tensor, own->text, out->reason);
  } else if (!take_model(w, f, t, i, out) && !take_kept(f, t, out)) {
    take_notes(f, t, out);
    ask_rules(w, f, t, i, out);
    if (out->by == BY_NOBODY && others && !is_declined(w, i)) take_init(f, t, others, out);
  }
  if (out->known) {
    free(out->reason);
    out->reason = NULL;
  }
  const checkpoint_tensor *twin = out->twin ? checkpoint_find(&w->like.checkpoint, out->twin) : NULL;
  if (!twin || twin == c) out->twin = NULL; /* it is as any other that is made by that initializer */
  return STATUS_OK;
}
