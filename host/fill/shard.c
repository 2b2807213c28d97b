/* Tensors cut into shards, and shards filled on several devices. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/argument.h"
#include "core/memory.h"
#include "fanin/shard.h"
#include "fill/fill.h"
#include "tensor/view.h"

/* ---- Cutting ----------------------------------------------------------------------------------------------------- */

/* Shard `index` of `count` of n things: first .. first + size. */
static fanin_status share(uint64_t n, uint64_t index, uint64_t count, uint64_t *first, uint64_t *size) {
  if (index >= count) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "index = %" PRIu64 " of count = %" PRIu64 "; accepted are less than count", index, count);
  }
  const uint64_t least = n / count, more = n % count;
  *first = least * index + (index < more ? index : more);
  *size = least + (index < more);
  return FANIN_STATUS_OK;
}

fanin_status fanin_tensor_split(const fanin_tensor *t, int dimension, uint64_t index, uint64_t count,
                                fanin_tensor *out) {
  fanin__roles roles;
  uint64_t start[FANIN_MAX_RANK] = {0}, extent[FANIN_MAX_RANK] = {0}, first = 0;
  FANIN__NEED(t, out);
  FANIN__TRY(fanin__roles_of(t, &roles));
  if (t->part != FANIN_PART_WHOLE && t->part != FANIN_PART_SLAB) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "part is %d; accepted are 0 (whole) and 1 (slab)", (int)t->part);
  }
  if (dimension < 0 || dimension >= t->rank) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "dimension = %d; the tensor has %d, from 0", dimension, t->rank);
  }
  FANIN__TRY(fanin__slab_of(t, start, extent));
  FANIN__TRY(share(extent[dimension], index, count, &first, &extent[dimension]));
  start[dimension] += first;
  return fanin_tensor_slab(t, start, extent, out);
}

fanin_status fanin_tensor_split_range(const fanin_tensor *t, uint64_t index, uint64_t count, fanin_tensor *out) {
  fanin__roles roles;
  uint64_t first = 0, size = 0, skipped = 0;
  FANIN__NEED(t, out);
  FANIN__TRY(fanin__roles_of(t, &roles));
  if (t->part != FANIN_PART_WHOLE && t->part != FANIN_PART_RANGE) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "part is %d; accepted are 0 (whole) and 2 (range)", (int)t->part);
  }
  FANIN__TRY(fanin__range_of(t, &first, &size));
  FANIN__TRY(share(size, index, count, &skipped, &size));
  return fanin_tensor_range(t, first + skipped, size, out);
}

/* ---- Filling ----------------------------------------------------------------------------------------------------- */

/* A shard that was checked. */
typedef struct task {
  fanin__job job;
  fanin__when when;
} task;

/* That a shard's tensor is the first shard's. */
static fanin_status check_same(const fanin_tensor *t, const fanin_tensor *first) {
  if (t->rank != first->rank) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE, "rank is %d; shards[0] has %d", t->rank, first->rank);
  }
  for (int d = 0; d < t->rank; d++) {
    if (t->shape[d] == first->shape[d]) continue;
    return fanin__fail(FANIN_STATUS_BAD_SHAPE, "shape[%d] = %" PRIu64 "; shards[0] has %" PRIu64, d, t->shape[d],
                       first->shape[d]);
  }
  if (strcmp(t->layout, first->layout) != 0) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT, "layout is \"%s\"; shards[0] has \"%s\"", t->layout, first->layout);
  }
  const struct {
    const char *name;
    uint32_t own, other;
  } parts[] = {{"groups", t->groups, first->groups}, {"splits", t->splits, first->splits}};
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
    if (parts[k].own == parts[k].other || (parts[k].own < 2 && parts[k].other < 2)) continue; /* 0 and 1 are none */
    return fanin__fail(FANIN_STATUS_BAD_SHAPE, "%s = %u; shards[0] has %u", parts[k].name, (unsigned)parts[k].own,
                       (unsigned)parts[k].other);
  }
  return FANIN_STATUS_OK;
}

static fanin_status compile(fanin *f, const fanin__job *job) {
  if (job->elements == 0) return FANIN_STATUS_OK;
  if (job->filler) FANIN__TRY(job->filler->compile(f, job));
  if (job->rows.chunks == 0) return FANIN_STATUS_OK;
  return fanin__compile(f, &fanin__source_fill, job->parameters.options, "fill");
}

static fanin_status prepare(const fanin_shard *s, const fanin_tensor *first, const fanin_init *init, uint64_t stream,
                            task *out) {
  if (!s->f) return fanin__fail_null("f");
  FANIN__NEED_RESERVED("shard", s->reserved);

  FANIN__TRY(fanin__job_of(s->f, &s->tensor, init, stream, true, &out->job));
  FANIN__TRY(check_same(&s->tensor, first));
  FANIN__TRY(fanin__when_of(s->f, s->queue, s->n_wait, s->wait_list, s->event, &out->when));
  FANIN__TRY(compile(s->f, &out->job));
  return fanin__check_job(s->f, &out->job);
}

static fanin_status enqueue(const fanin_shard *s, const task *t, uint64_t seed) {
  FANIN__TRY(fanin__fill_job(s->f, &t->when, &t->job, seed));
  return fanin__check_cl(clFlush(t->when.queue), "clFlush");
}

/* Two passes, so that what can fail on some device fails before any has work. */
static fanin_status fill_all(const fanin_shard *shards, size_t n, const fanin_init *init, fanin_key key, task *tasks) {
  for (size_t k = 0; k < n; k++) {
    const fanin_status status = prepare(&shards[k], &shards[0].tensor, init, key.stream, &tasks[k]);
    if (status != FANIN_STATUS_OK) return fanin__fail(status, "shards[%zu]: %s", k, fanin_last_error());
  }
  for (size_t k = 0; k < n; k++) {
    const fanin_status status = enqueue(&shards[k], &tasks[k], key.seed);
    if (status != FANIN_STATUS_OK)
      return fanin__fail(status, "shards[%zu], those before it being enqueued: %s", k, fanin_last_error());
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin_fill_shards(const fanin_shard *shards, size_t n, const fanin_init *init, fanin_key key) {
  FANIN__NEED_ARRAY(shards, n);
  FANIN__NEED(init);
  task *const tasks = fanin__zeroed(n, sizeof *tasks);
  if (!tasks) return FANIN_STATUS_OUT_OF_MEMORY;
  const fanin_status status = fill_all(shards, n, init, key, tasks);
  fanin__free_zeroed(tasks);
  return status;
}
