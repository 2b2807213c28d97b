/* A list of named tensors: what a model file or the command line describes, checked before any device is asked. */
#include "formats/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "formats/tensor_text.h"

/* Checks that a safetensors file can have the name. */
static int check_name(const char *name, const char *where, failure *why) {
  if (name[0] == '\0') return fail(why, STATUS_INPUT, "%s: the tensor's name is empty", where);
  if (strlen(name) > MODEL_MAX_NAME) {
    return fail(why, STATUS_INPUT, "%s: the tensor's name has %zu bytes; at most %d are accepted", where, strlen(name),
                MODEL_MAX_NAME);
  }
  if (strcmp(name, "__metadata__") == 0) {
    return fail(why, STATUS_INPUT, "%s: no tensor can have the name __metadata__: safetensors files use it", where);
  }
  return STATUS_OK;
}

/* Checks a slab with its initializer, and adds its units and operations to the tensor's. */
static int check_region(model_tensor *t, const tensor_region *r, const char *where, failure *why) {
  uint64_t elements, unit[FANIN_MAX_RANK] = {0};
  double operations = 0;
  fanin_moments moments;
  char place[2 * MODEL_MAX_NAME];
  fanin_status status = fanin_tensor_units(&r->where, r->init, unit, &elements, &operations);
  if (status == FANIN_STATUS_OK) status = fanin_expect(&r->where, r->init, &moments, sizeof moments);
  for (int d = 0; d < t->tensor.rank && status == FANIN_STATUS_OK; ++d) {
    const bool fits = unit[d] == 1 || unit[d] == t->unit[d];
    t->unit[d] = fits ? t->unit[d] : t->unit[d] == 1 ? unit[d] : t->tensor.shape[d];
    t->together = t->together || unit[d] > 1;
  }
  t->operations += operations;
  if (t->parts.count == 0) return library_status(why, status, where);
  snprintf(place, sizeof place, "%.900s: part %" PRIu64 "..%" PRIu64, where, r->first, r->end);
  return library_status(why, status, place);
}

int model_check_tensor(model_tensor *t, const char *where, failure *why) {
  tensor_region r = {.init = NULL};
  int status = STATUS_OK;
  t->together = false;
  t->operations = 0;
  for (int d = 0; d < t->tensor.rank; ++d) {
    t->unit[d] = 1;
    if (t->tensor.shape[d] == 0)
      return fail(why, STATUS_INPUT, "%s: shape: dimension %d is 0; at least 1 is accepted", where, d);
  }
  while (status == STATUS_OK && tensor_parts_next(&t->parts, &t->tensor, &t->init, &r))
    status = check_region(t, &r, where, why);
  return status;
}

bool kept_whole(const kept_tensor *k) {
  return k->file && !k->grows;
}

bool kept_without_init(const kept_tensor *k) {
  return kept_whole(k) || k->law;
}

bool model_draws(const model_tensor *t) {
  return !t->norm_name && !kept_without_init(&t->kept);
}

char *kept_resize(const kept_tensor *k, const uint64_t *shape, char out[RESIZE_TEXT]) {
  const int d = k->dimension;
  snprintf(out, RESIZE_TEXT, "%d:%" PRIu64 "->%" PRIu64, d, k->stored->shape[d], shape[d]);
  return out;
}

static int check_room(const model *m, const char *where, failure *why) {
  if (m->count < MODEL_MAX_TENSORS) return STATUS_OK;
  return fail(why, STATUS_INPUT, "%s: more than %d tensors", where, MODEL_MAX_TENSORS);
}

/* Adds a tensor that was checked, with a copy of the name. */
static int append(model *m, const char *name, model_tensor t) {
  t.name = copy_text(name, strlen(name));
  m->tensors = grow(m->tensors, &m->capacity, m->count + 1, sizeof *m->tensors);
  m->tensors[m->count++] = t;
  return STATUS_OK;
}

int model_add_copied(model *m, const char *name, const kept_tensor *kept, const char *where, failure *why) {
  int status = check_room(m, where, why);
  if (status == STATUS_OK) status = check_name(name, where, why);
  return status == STATUS_OK ? append(m, name, (model_tensor){.kept = *kept}) : status;
}

int model_add(model *m, const char *name, const fanin_tensor *tensor, const fanin_init *init, const char *where,
              failure *why) {
  model_tensor t = {.tensor = *tensor, .init = *init};
  int status = check_room(m, where, why);
  if (status == STATUS_OK) status = check_name(name, where, why);
  if (status == STATUS_OK) status = model_check_tensor(&t, where, why);
  return status == STATUS_OK ? append(m, name, t) : status;
}

int model_divide(model *m, const tensor_parts *parts, const char *where, failure *why) {
  model_tensor *last = &m->tensors[m->count - 1];
  last->parts = *parts;
  return model_check_tensor(last, where, why);
}

void model_set_norm(model *m, const char *name) {
  m->tensors[m->count - 1].norm_name = copy_text(name, strlen(name));
}

static int check_names_differ(const model *m, const char *path, failure *why) {
  int status = STATUS_OK;
  const char **names = allocate(m->count, sizeof *names);
  for (size_t i = 0; i < m->count; ++i)
    names[i] = m->tensors[i].name;
  qsort(names, m->count, sizeof *names, text_compare);
  for (size_t i = 1; i < m->count && status == STATUS_OK; ++i) {
    if (strcmp(names[i - 1], names[i]) == 0) {
      status = fail(why, STATUS_INPUT, "%s: two tensors have the name '%s'", path, names[i]);
    }
  }
  free(names);
  return status;
}

/* The limit comes from readers of safetensors, which count the bits of a tensor in 64-bit numbers. */
static int check_total(const model *m, const char *path, failure *why) {
  uint64_t total = 0;
  for (size_t i = 0; i < m->count; ++i) {
    const model_tensor *t = &m->tensors[i];
    uint64_t elements, bytes = 0;
    const fanin_status status =
        kept_whole(&t->kept) ? FANIN_STATUS_OK : fanin_tensor_size(&t->tensor, &elements, &bytes);
    if (status != FANIN_STATUS_OK) return library_status(why, status, t->name);
    if (kept_whole(&t->kept)) bytes = t->kept.stored->bytes;
    if (bytes > (uint64_t)INT64_MAX / 4 - total) {
      return fail(why, STATUS_INPUT, "%s: with tensor '%s' the model passes 2^61 bytes, more than a file can have",
                  path, t->name);
    }
    total += bytes;
  }
  return STATUS_OK;
}

/* How many blocks groups and splits of the layout divide a dimension into. */
static uint64_t blocks_along(const fanin_tensor *t, int d) {
  const char letter = d < (int)strlen(t->layout) ? t->layout[d] : '\0';
  const char grouped = t->layout[0] == 'I' ? 'I' : 'O'; /* the one that counts all groups */
  return (letter == 'O' && t->splits > 1 ? t->splits : UINT64_C(1)) *
         (letter == grouped && t->groups > 1 ? t->groups : UINT64_C(1));
}

/* Refuses new elements behind the last of several blocks: the kept elements of the others would lie in other blocks.
 * `by` says who knows the layout. */
static int check_blocks(const model_tensor *t, const fanin_tensor *known, const char *by, const char *path,
                        failure *why) {
  char layout[LAYOUT_TEXT];
  const uint64_t blocks = blocks_along(known, t->kept.dimension);
  if (blocks == 1) return STATUS_OK;
  return fail(why, STATUS_INPUT,
              "%s: tensor '%s' grows in dimension %d, which its layout %s%s divides into %" PRIu64
              " blocks: new elements would go behind the last one, and what is kept would lie in other blocks; "
              "dimensions that are not divided can grow",
              path, t->name, t->kept.dimension, layout_format(known, layout), by, blocks);
}

/* The layout that the kept file notes, where it is one. */
static int check_kept_blocks(const model_tensor *t, const char *path, failure *why) {
  char by[MODEL_MAX_NAME];
  const kept_tensor *k = &t->kept;
  const char *layout = tensor_file_note(k->file, "layout", k->stored->name);
  fanin_tensor known = t->tensor;
  if (!layout || !layout_parse(layout, strlen(layout), &known)) return STATUS_OK;
  snprintf(by, sizeof by, " in %.400s", k->file->path);
  return check_blocks(t, &known, by, path, why);
}

/* The new end of a tensor has one initializer, which the metadata name: that of what lies between its parts. Where the
 * end is drawn from what is kept, parts say nothing of it. */
static int check_new_end(const model_tensor *t, const char *path, failure *why) {
  const kept_tensor *k = &t->kept;
  const int d = k->dimension;
  const uint64_t kept = k->stored->shape[d];
  for (size_t i = 0; i < t->parts.count && !k->law; ++i) {
    const tensor_part *part = &t->parts.list[i];
    if (t->parts.dimension == d && part->end <= kept) continue;
    return fail(why, STATUS_INPUT,
                "%s: tensor '%s' grows in dimension %d, and its part %" PRIu64 "..%" PRIu64
                " of dimension %d reaches into what is new; the new end has one initializer: parts of dimension %d up "
                "to %" PRIu64 " are accepted, so leave this one out",
                path, t->name, d, part->first, part->end, t->parts.dimension, d, kept);
  }
  return STATUS_OK;
}

static int check_growing(const model *m, const char *path, failure *why) {
  int status = STATUS_OK;
  for (size_t i = 0; i < m->count && status == STATUS_OK; ++i) {
    const model_tensor *t = &m->tensors[i];
    if (!t->kept.grows) continue;
    status = check_blocks(t, &t->tensor, "", path, why);
    if (status == STATUS_OK) status = check_kept_blocks(t, path, why);
    if (status == STATUS_OK) status = check_new_end(t, path, why);
  }
  return status;
}

int model_check(model *m, const char *path, failure *why) {
  if (m->count == 0) return fail(why, STATUS_INPUT, "%s: there is no tensor", path);
  if (check_growing(m, path, why) != STATUS_OK) return STATUS_INPUT;
  int status = check_names_differ(m, path, why);
  if (status == STATUS_OK) status = model_find_norms(m, path, why);
  return status == STATUS_OK ? check_total(m, path, why) : status;
}

int model_set_dtype(model *m, fanin_dtype dtype, const char *path, failure *why) {
  char where[MODEL_MAX_NAME + 512];
  int status = STATUS_OK;
  for (size_t i = 0; status == STATUS_OK && i < m->count; ++i) {
    m->tensors[i].tensor.dtype = dtype;
    snprintf(where, sizeof where, "%.400s: tensor '%s'", path, m->tensors[i].name);
    status = model_check_tensor(&m->tensors[i], where, why);
  }
  return status;
}

uint64_t model_elements(const model_tensor *t) {
  uint64_t elements = 1;
  if (kept_whole(&t->kept)) return t->kept.stored->elements;
  for (int d = 0; d < t->tensor.rank; ++d)
    elements *= t->tensor.shape[d];
  return elements;
}

uint64_t model_bytes(const model_tensor *t) {
  return kept_whole(&t->kept) ? t->kept.stored->bytes : model_elements(t) * fanin_dtype_size(t->tensor.dtype);
}

void model_totals(const model *m, uint64_t *elements, uint64_t *bytes) {
  *elements = *bytes = 0;
  for (size_t i = 0; i < m->count; ++i) {
    *elements += model_elements(&m->tensors[i]);
    *bytes += model_bytes(&m->tensors[i]);
  }
}

void model_free(model *m) {
  for (size_t i = 0; i < m->count; ++i) {
    free(m->tensors[i].name);
    free(m->tensors[i].stream_name);
    free(m->tensors[i].norm_name);
    tensor_parts_free(&m->tensors[i].parts);
  }
  free(m->tensors);
  free(m->name);
  *m = (model){0};
}
