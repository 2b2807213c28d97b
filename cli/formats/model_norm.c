/* Tensors of a model that have the norms of another one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "formats/model.h"
#include "formats/norms.h"

static int by_name(const void *left, const void *right) {
  const model_tensor *const *l = left, *const *r = right;
  return strcmp((*l)->name, (*r)->name);
}

/* All tensors by their names, which the caller frees. */
static const model_tensor **sort(const model *m) {
  const model_tensor **sorted = allocate(m->count, sizeof *sorted);
  for (size_t i = 0; i < m->count; ++i)
    sorted[i] = &m->tensors[i];
  qsort(sorted, m->count, sizeof *sorted, by_name);
  return sorted;
}

static int refuse(const model_tensor *t, const char *path, failure *why, const char *what) {
  return fail(why, STATUS_INPUT, "%.400s: tensor '%.256s': norm_of '%.256s': %s", path, t->name, t->norm_name, what);
}

/* Checks that there are values of which `t` can have the norms. */
static int check(const model_tensor *t, const model_tensor *of, const char *path, failure *why) {
  const kept_tensor *k = &of->kept;
  char shape[TEXT_SHAPE], of_shape[TEXT_SHAPE];
  if (t->kept.grows) return refuse(t, path, why, "this tensor grows; norms are copied or made as a whole");
  if (k->grows) return refuse(t, path, why, "that tensor grows; norms of what is drawn or copied as a whole are made");
  if (of->norm_name && !kept_whole(k)) return refuse(t, path, why, "that tensor has norms itself");
  if (kept_whole(k) ? !k->stored->type->measurable : of->stored_dtype != NULL)
    return refuse(t, path, why, "that tensor has no floating-point numbers that fanin reads");
  if (model_elements(t) > NORMS_MOST) {
    return fail(why, STATUS_INPUT,
                "%.400s: tensor '%.256s': norm_of makes at most %d norms of a tensor; these are %" PRIu64, path,
                t->name, NORMS_MOST, model_elements(t));
  }
  const int rank = kept_whole(k) ? k->stored->rank : of->tensor.rank;
  const uint64_t *of_extents = kept_whole(k) ? k->stored->shape : of->tensor.shape;
  if (norms_fit(t->tensor.rank, t->tensor.shape, rank, of_extents)) return STATUS_OK;
  return fail(
      why, STATUS_INPUT,
      "%.400s: tensor '%.256s' of shape %s: norm_of '%.256s', which has the shape %s; an extent of 1 in each "
      "dimension that is summed over, and else the same is accepted, or a vector of the first extent, or a scalar",
      path, t->name, text_shape(t->tensor.shape, t->tensor.rank, shape), t->norm_name,
      text_shape(of_extents, rank, of_shape));
}

int model_find_norms(model *m, const char *path, failure *why) {
  const model_tensor **sorted = NULL;
  int status = STATUS_OK;
  for (size_t i = 0; i < m->count && status == STATUS_OK; ++i) {
    model_tensor *t = &m->tensors[i];
    if (!t->norm_name || kept_without_init(&t->kept)) continue;
    if (!sorted) sorted = sort(m);
    const model_tensor wanted = {.name = t->norm_name}, *key = &wanted;
    const model_tensor **found = bsearch(&key, sorted, m->count, sizeof *sorted, by_name);
    t->norm_of = found ? *found : NULL;
    status = found ? check(t, *found, path, why) : refuse(t, path, why, "no tensor that is written has this name");
  }
  free(sorted);
  return status;
}
