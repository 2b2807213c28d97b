/* Writes a model's tensors in the order of the file: those that are drawn come in pieces, what is kept is copied
 * between them, and what follows from others is made there. */
#include "init/weave.h"

#include <stdlib.h>

#include "base/terminal.h"
#include "base/text.h"
#include "init/around_mean.h"
#include "init/norm.h"

enum { COPIED_AT_ONCE = 1 << 22 };

/* ---- What is drawn ----------------------------------------------------------------------------------------------- */

/* The slab of a tensor that the kept one does not have. */
static fanin_tensor new_part(const model_tensor *t) {
  const int d = t->kept.dimension;
  uint64_t start[FANIN_MAX_RANK] = {0}, extent[FANIN_MAX_RANK];
  fanin_tensor part = t->tensor;
  for (int k = 0; k < t->tensor.rank; ++k)
    extent[k] = t->tensor.shape[k];
  start[d] = t->kept.stored->shape[d];
  extent[d] -= start[d];
  fanin_tensor_slab(&t->tensor, start, extent, &part); /* it grows: this cannot fail */
  return part;
}

bool drawn_next(void *state, model_part *out) {
  drawn_parts *a = state;
  while (a->next < a->model->count && !model_draws(&a->model->tensors[a->next]))
    ++a->next;
  if (a->next == a->model->count) return false;
  const model_tensor *t = &a->model->tensors[a->next];
  *out = (model_part){a->next, t->kept.grows ? new_part(t) : t->tensor};
  ++a->next;
  return true;
}

uint64_t drawn_bytes(const model *m) {
  drawn_parts all = {.model = m};
  model_part part;
  uint64_t bytes = 0;
  while (drawn_next(&all, &part))
    bytes += part_bytes(&part.where);
  return bytes;
}

/* ---- What is copied ---------------------------------------------------------------------------------------------- */

/* One file is open at a time: there may be more than a process may have open. */
static int open_kept(weaver *w, tensor_file *f, failure *why) {
  if (w->open && w->open != f) tensor_file_rest(w->open);
  w->open = f;
  return tensor_file_reopen(f, why);
}

static void show_progress(weaver *w, const model_tensor *t, uint64_t done) {
  char copied[TEXT_NUMBER], whole[TEXT_NUMBER];
  if (!progress_is_due(&w->shown)) return;
  progress_show("tensor %zu of %zu: %s, %s of %s copied from %s", w->tensor + 1, w->model->count, t->name,
                text_bytes(done, copied), text_bytes(t->kept.stored->bytes, whole), t->kept.file->path);
}

/* Copies bytes of what is kept for a tensor. */
static int copy(weaver *w, const model_tensor *t, uint64_t offset, uint64_t size, failure *why) {
  tensor_file *f = t->kept.file;
  if (size == 0) return STATUS_OK;
  int status = open_kept(w, f, why);
  if (!w->bytes) w->bytes = allocate(COPIED_AT_ONCE, 1);
  while (size > 0 && status == STATUS_OK) {
    const size_t some = size < COPIED_AT_ONCE ? (size_t)size : COPIED_AT_ONCE;
    show_progress(w, t, offset);
    status = tensor_file_read(f, t->kept.stored->offset + offset, w->bytes, some, why);
    if (status == STATUS_OK) status = output_write(w->out, w->bytes, some, why);
    offset += some;
    size -= some;
  }
  return status;
}

/* Whether something that is not drawn is to be written before that tensor. Passes over what is drawn, and written. */
static bool has_others(weaver *w, size_t before) {
  for (; w->tensor < before && model_draws(&w->model->tensors[w->tensor]); ++w->tensor)
    w->done = 0;
  return w->tensor < before;
}

/* Writes a tensor whose new rows are drawn around the mean of those that are copied. */
static int write_around_mean(weaver *w, const model_tensor *t, failure *why) {
  const kept_tensor *k = &t->kept;
  around_mean a = {.s = NULL};
  uint64_t blocks = 1;
  for (int d = 0; d < k->dimension; ++d)
    blocks *= t->tensor.shape[d];
  const uint64_t run = k->stored->bytes / blocks;
  int status = around_mean_open(w->s, w->seed, t, &a, why);
  for (uint64_t block = 0; block < blocks && status == STATUS_OK; ++block) {
    status = copy(w, t, block * run, run, why);
    if (status == STATUS_OK) status = around_mean_write(&a, block, w->out, why);
  }
  around_mean_close(&a);
  return status;
}

/* Writes a tensor that has the norms of another one, which may be copied. */
static int write_norm(weaver *w, const model_tensor *t, failure *why) {
  const kept_tensor *k = &t->norm_of->kept;
  const int status = kept_whole(k) ? open_kept(w, k->file, why) : STATUS_OK;
  return status == STATUS_OK ? norm_write(w->s, w->seed, t, w->out, why) : status;
}

static int write_others(weaver *w, size_t before, failure *why) {
  int status = STATUS_OK;
  while (status == STATUS_OK && has_others(w, before)) {
    const model_tensor *t = &w->model->tensors[w->tensor];
    status = t->kept.law            ? write_around_mean(w, t, why)
             : kept_whole(&t->kept) ? copy(w, t, 0, t->kept.stored->bytes, why)
                                    : write_norm(w, t, why);
    ++w->tensor;
  }
  return status;
}

/* ---- Both -------------------------------------------------------------------------------------------------------- */

/* Writes some of the new bytes of a tensor that grows. They, and the kept ones, come in runs, one for each coordinate
 * in the dimensions before the one that grows: kept ones first, then new ones. */
static int write_growing(weaver *w, const model_tensor *t, const char *bytes, uint64_t size, failure *why) {
  const kept_tensor *k = &t->kept;
  uint64_t stride = fanin_dtype_size(t->tensor.dtype);
  for (int d = t->tensor.rank - 1; d > k->dimension; --d)
    stride *= t->tensor.shape[d];
  const uint64_t kept_run = k->stored->shape[k->dimension] * stride,
                 new_run = (t->tensor.shape[k->dimension] - k->stored->shape[k->dimension]) * stride;
  int status = STATUS_OK;
  while (size > 0 && status == STATUS_OK) {
    const uint64_t within = w->done % new_run, left = new_run - within, some = size < left ? size : left;
    if (within == 0) status = copy(w, t, w->done / new_run * kept_run, kept_run, why);
    if (status == STATUS_OK) status = output_write(w->out, bytes, (size_t)some, why);
    bytes += some;
    w->done += some;
    size -= some;
  }
  return status;
}

int weave_write(void *state, const piece *p, const char *bytes, failure *why) {
  weaver *w = state;
  size_t ready = 0; /* bytes that are written together, because nothing is copied between their parts */
  int status = STATUS_OK;
  for (size_t i = 0; i < p->count && status == STATUS_OK; ++i) {
    const model_tensor *t = &w->model->tensors[p->parts[i].tensor];
    const size_t size = (size_t)part_bytes(&p->parts[i].where);
    if (t->kept.grows || has_others(w, p->parts[i].tensor)) {
      status = output_write(w->out, bytes, ready, why);
      if (status == STATUS_OK) status = write_others(w, p->parts[i].tensor, why);
      bytes += ready;
      ready = 0;
    }
    if (t->kept.grows && status == STATUS_OK) {
      status = write_growing(w, t, bytes, size, why);
      bytes += size;
    } else {
      ready += size;
    }
  }
  return status == STATUS_OK ? output_write(w->out, bytes, ready, why) : status;
}

int weave_finish(weaver *w, failure *why) {
  const int status = write_others(w, w->model->count, why);
  progress_clear();
  return status;
}

void weave_free(weaver *w) {
  if (w->open) tensor_file_rest(w->open);
  free(w->bytes);
  *w = (weaver){.open = NULL};
}
