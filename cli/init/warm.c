/* Compiling a model's kernels: by a plan with an element for each initializer of each tensor. */
#include "init/warm.h"

#include <stdlib.h>

/* What is asked for at once. */
typedef struct warming {
  const session *s;
  bool matrices, warm[FANIN_DTYPE_COUNT]; /* `warm`: dtypes whose kernels for matrices are there */
  fanin_item *items;
  size_t count, capacity;
} warming;

/* A slab with its initializer: an element for the plan, or kernels for matrices. */
static fanin_status warm_region(warming *w, const fanin_tensor *whole, const tensor_region *r) {
  uint64_t unit[FANIN_MAX_RANK], elements;
  double operations = 0;
  fanin_status status = fanin_tensor_units(&r->where, r->init, unit, &elements, &operations);
  if (status != FANIN_STATUS_OK || elements == 0) return status;
  if (operations == 0) {
    w->items = grow(w->items, &w->capacity, w->count + 1, sizeof *w->items);
    w->items[w->count] = (fanin_item){.init = *r->init};
    return fanin_tensor_range(whole, 0, 1, &w->items[w->count++].tensor);
  }
  if (!w->matrices || w->warm[whole->dtype]) return FANIN_STATUS_OK;
  w->warm[whole->dtype] = true;
  return fanin_warmup(w->s->f, whole, r->init);
}

/* Of tensors first .. first + count. */
static fanin_status warm_some(warming *w, const model *m, size_t first, size_t count) {
  fanin_plan *plan = NULL;
  fanin_status status = FANIN_STATUS_OK;
  w->count = 0;
  for (size_t i = first; i < first + count; ++i) {
    const model_tensor *t = &m->tensors[i];
    if (!model_draws(t)) continue;
    tensor_region r = {.init = NULL};
    while (status == FANIN_STATUS_OK && tensor_parts_next(&t->parts, &t->tensor, &t->init, &r))
      status = warm_region(w, &t->tensor, &r);
  }
  if (status == FANIN_STATUS_OK) status = fanin_plan_create(w->s->f, w->items, w->count, &plan);
  if (status == FANIN_STATUS_OK) status = fanin_plan_enqueue(plan, w->s->queue, 0, 0, NULL, NULL);
  fanin_plan_release(plan);
  return status;
}

fanin_status warm_model(const session *s, const model *m, bool matrices) {
  enum { SOME = 4096 };
  warming w = {.s = s, .matrices = matrices};
  fanin_status status = FANIN_STATUS_OK;
  for (size_t first = 0; first < m->count && status == FANIN_STATUS_OK; first += SOME) {
    const size_t left = m->count - first;
    status = warm_some(&w, m, first, left < SOME ? left : SOME);
  }
  free(w.items);
  return status;
}
