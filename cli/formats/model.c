/* A list of named tensors: what a model file or the command line describes, checked before any device is asked. */
#include "formats/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

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

/* Has the library check shape, layout and initializer, which needs no device, and finds the tensor's units. */
static int check_values(model_tensor *t, const char *where, failure *why) {
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

int model_add(model *m, const char *name, const fanin_tensor *tensor, const fanin_init *init, const char *where,
              failure *why) {
  if (m->count == MODEL_MAX_TENSORS) {
    return fail(why, STATUS_INPUT, "%s: more than %d tensors", where, MODEL_MAX_TENSORS);
  }
  model_tensor t = {.tensor = *tensor, .init = *init};
  int status = check_name(name, where, why);
  if (status == STATUS_OK) status = check_values(&t, where, why);
  if (status != STATUS_OK) return status;
  t.name = copy_text(name, strlen(name));
  m->tensors = grow(m->tensors, &m->capacity, m->count + 1, sizeof *m->tensors);
  m->tensors[m->count++] = t;
  return STATUS_OK;
}

int model_divide(model *m, const tensor_parts *parts, const char *where, failure *why) {
  model_tensor *last = &m->tensors[m->count - 1];
  last->parts = *parts;
  return check_values(last, where, why);
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
    uint64_t elements, bytes;
    const fanin_status status = fanin_tensor_size(&m->tensors[i].tensor, &elements, &bytes);
    if (status != FANIN_STATUS_OK) return library_status(why, status, m->tensors[i].name);
    if (bytes > (uint64_t)INT64_MAX / 4 - total) {
      return fail(why, STATUS_INPUT, "%s: with tensor '%s' the model passes 2^61 bytes, more than a file can have",
                  path, m->tensors[i].name);
    }
    total += bytes;
  }
  return STATUS_OK;
}

int model_check(const model *m, const char *path, failure *why) {
  if (m->count == 0) return fail(why, STATUS_INPUT, "%s: there is no tensor", path);
  const int status = check_names_differ(m, path, why);
  return status == STATUS_OK ? check_total(m, path, why) : status;
}

int model_set_dtype(model *m, fanin_dtype dtype, const char *path, failure *why) {
  char where[MODEL_MAX_NAME + 512];
  int status = STATUS_OK;
  for (size_t i = 0; status == STATUS_OK && i < m->count; ++i) {
    m->tensors[i].tensor.dtype = dtype;
    snprintf(where, sizeof where, "%.400s: tensor '%s'", path, m->tensors[i].name);
    status = check_values(&m->tensors[i], where, why);
  }
  return status;
}

uint64_t model_elements(const model_tensor *t) {
  uint64_t elements = 1;
  for (int d = 0; d < t->tensor.rank; ++d)
    elements *= t->tensor.shape[d];
  return elements;
}

uint64_t model_bytes(const model_tensor *t) {
  return model_elements(t) * fanin_dtype_size(t->tensor.dtype);
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
    tensor_parts_free(&m->tensors[i].parts);
  }
  free(m->tensors);
  free(m->name);
  *m = (model){0};
}
