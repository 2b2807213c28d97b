/* Kernels for all ranks, compiled once. */
#include "warm.h"

#include <stdio.h>
#include <stdlib.h>

int warm_open(const world *w, const char *selector, session *s, uint64_t *devices, failure *why) {
  size_t count = 0;
  char index[32];
  *devices = 1;
  fanin_status status = fanin_select(selector, NULL, 0, &count);
  if (status != FANIN_STATUS_OK) return library_status(why, status, NULL);
  size_t *indices = allocate(count, sizeof *indices), again = 0;
  status = fanin_select(selector, indices, count, &again);
  if (status == FANIN_STATUS_OK && again < count) count = again;
  snprintf(index, sizeof index, "%zu", indices[(size_t)w->local_rank % count]);
  free(indices);
  if (status != FANIN_STATUS_OK) return library_status(why, status, NULL);
  *devices = count;
  return session_open(index, s, why);
}

/* Compiles and runs what tensors first .. first + count need: a plan with an element of each, and what tensors that are
 * made of matrices need, once for each dtype. */
static fanin_status run_some(const session *s, const model *m, size_t first, size_t count,
                             bool warm[FANIN_DTYPE_COUNT]) {
  fanin_item *items = allocate(count, sizeof *items);
  fanin_plan *plan = NULL;
  fanin_status status = FANIN_STATUS_OK;
  size_t n = 0;
  for (size_t i = first; i < first + count && status == FANIN_STATUS_OK; ++i) {
    const model_tensor *t = &m->tensors[i];
    const bool matrices = t->operations > 0;
    if (!matrices && model_elements(t) > 0) {
      items[n].init = t->init;
      status = fanin_tensor_range(&t->tensor, 0, 1, &items[n++].tensor);
    } else if (matrices && !warm[t->tensor.dtype]) {
      warm[t->tensor.dtype] = true;
      status = fanin_warmup(s->f, &t->tensor, &t->init);
    }
  }
  if (status == FANIN_STATUS_OK) status = fanin_plan_create(s->f, items, n, &plan);
  if (status == FANIN_STATUS_OK) status = fanin_plan_enqueue(plan, s->queue, 0, 0, NULL, NULL);
  if (status == FANIN_STATUS_OK) status = (fanin_status)clFinish(s->queue);
  fanin_plan_release(plan);
  free(items);
  return status;
}

static int run_all(const session *s, const model *m, failure *why) {
  enum { SOME = 4096 };
  bool warm[FANIN_DTYPE_COUNT] = {false};
  for (size_t first = 0; first < m->count; first += SOME) {
    const size_t left = m->count - first;
    const fanin_status status = run_some(s, m, first, left < SOME ? left : SOME, warm);
    if (status != FANIN_STATUS_OK) return library_status(why, status, NULL);
  }
  return STATUS_OK;
}

/* Rank 0's programs, everywhere; *size 0: its driver gives none. */
static char *share_programs(const world *w, const session *s, size_t *size) {
  char *programs = NULL;
  uint64_t bytes = 0;
  *size = 0;
  if (w->rank == 0 && fanin_export(s->f, NULL, 0, size) == FANIN_STATUS_OK) {
    programs = allocate(*size, 1);
    if (fanin_export(s->f, programs, *size, size) == FANIN_STATUS_OK) bytes = *size;
  }
  world_broadcast(w, &bytes, sizeof bytes);
  *size = (size_t)bytes;
  if (!programs) programs = allocate(*size, 1);
  world_broadcast(w, programs, *size);
  return programs;
}

int warm_kernels(const world *w, const session *s, const model *m, uint64_t devices, bool *taken, failure *why) {
  const uint64_t local = (uint64_t)w->local_size, turns = world_most(w, devices < local ? devices : local);
  char *programs = NULL;
  size_t size = 0;
  int status = world_agree(w, w->rank == 0 ? run_all(s, m, why) : STATUS_OK, why);
  *taken = false;
  if (status == STATUS_OK) programs = share_programs(w, s, &size);
  if (status == STATUS_OK && size > 0 && w->rank != 0) *taken = fanin_import(s->f, programs, size) == FANIN_STATUS_OK;
  free(programs);
  for (uint64_t turn = 0; status == STATUS_OK && turn < turns; ++turn) {
    const bool mine = (uint64_t)w->local_rank == turn && w->rank != 0;
    status = world_agree(w, mine ? run_all(s, m, why) : STATUS_OK, why);
  }
  return status;
}
