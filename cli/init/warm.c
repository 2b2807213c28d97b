/* Compiling a model's kernels: by a plan with an element of each tensor. */
#include "init/warm.h"

#include <stdlib.h>

/* Of tensors first .. first + count. `warm`: dtypes whose kernels for matrices are there. */
static fanin_status warm_some(const session *s, const model *m, size_t first, size_t count, bool matrices,
                              bool warm[FANIN_DTYPE_COUNT]) {
  fanin_item *items = allocate(count, sizeof *items);
  fanin_plan *plan = NULL;
  fanin_status status = FANIN_STATUS_OK;
  size_t n = 0;
  for (size_t i = first; i < first + count && status == FANIN_STATUS_OK; ++i) {
    const model_tensor *t = &m->tensors[i];
    if (kept_whole(&t->kept)) continue;
    if (t->operations == 0 && model_elements(t) > 0) {
      items[n].init = t->init;
      status = fanin_tensor_range(&t->tensor, 0, 1, &items[n++].tensor);
    } else if (t->operations > 0 && matrices && !warm[t->tensor.dtype]) {
      warm[t->tensor.dtype] = true;
      status = fanin_warmup(s->f, &t->tensor, &t->init);
    }
  }
  if (status == FANIN_STATUS_OK) status = fanin_plan_create(s->f, items, n, &plan);
  if (status == FANIN_STATUS_OK) status = fanin_plan_enqueue(plan, s->queue, 0, 0, NULL, NULL);
  fanin_plan_release(plan);
  free(items);
  return status;
}

fanin_status warm_model(const session *s, const model *m, bool matrices) {
  enum { SOME = 4096 };
  bool warm[FANIN_DTYPE_COUNT] = {false};
  fanin_status status = FANIN_STATUS_OK;
  for (size_t first = 0; first < m->count && status == FANIN_STATUS_OK; first += SOME) {
    const size_t left = m->count - first;
    status = warm_some(s, m, first, left < SOME ? left : SOME, matrices, warm);
  }
  return status;
}
