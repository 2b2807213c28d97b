/* Fills a model's tensors on a device and appends them to a file, piece by piece. */
#include "fill_file.h"

#include <stdbool.h>
#include <stdlib.h>

#include "progress.h"
#include "text.h"

enum { PROGRESS_MS = 100 };

/* Memory for one piece of the file's data, on the device and on the host, and the piece that is under way in it. */
typedef struct slot {
  cl_mem buffer;
  char *host;
  fanin_plan *plan; /* of the tensors and parts of tensors in the piece */
  size_t bytes;     /* of the piece; 0: none under way */
  cl_event done;    /* its bytes are on the host */
} slot;

/* Which piece comes next. */
typedef struct cursor {
  const model *model;
  size_t tensor;      /* index */
  uint64_t first;     /* element */
  size_t piece_bytes; /* the most */
} cursor;

/* Tensors and parts of tensors that lie side by side in a slot, as in the file. */
typedef struct piece {
  fanin_item *items;
  size_t count, capacity, bytes;
} piece;

static bool at_end(const cursor *c) {
  return c->tensor == c->model->count;
}

/* Adds what fits of the next tensor and moves on; false if nothing does, or its elements would not be aligned. */
static bool take_some(cursor *c, cl_mem buffer, piece *p) {
  if (at_end(c)) return false;
  const model_tensor *t = &c->model->tensors[c->tensor];
  const size_t size = fanin_dtype_size(t->tensor.dtype);
  const uint64_t left = model_elements(t) - c->first, most = (c->piece_bytes - p->bytes) / size;
  const uint64_t count = left < most ? left : most;
  if (count == 0 || p->bytes % size != 0) return false;
  fanin_item item = {fanin_tensor_range(t->tensor, c->first, count), t->init, fanin_key_named(0, t->name).stream};
  item.tensor.buffer = buffer;
  item.tensor.offset = p->bytes;
  p->items = grow(p->items, &p->capacity, p->count + 1, sizeof *p->items);
  p->items[p->count++] = item;
  p->bytes += (size_t)count * size;
  c->first += count;
  if (count == left) {
    c->first = 0;
    ++c->tensor;
  }
  return true;
}

/* Enqueues the fill of a piece and its way to the host. */
static int enqueue(const session *s, slot *to, const piece *p, uint64_t seed, failure *why) {
  cl_event filled = NULL;
  fanin_status status = fanin_plan_create(s->f, p->items, p->count, &to->plan);
  if (status == FANIN_OK) status = fanin_plan_enqueue(to->plan, s->queue, seed, 0, NULL, &filled);
  if (status != FANIN_OK) return fail_library(why, status, NULL);
  cl_int code = clEnqueueReadBuffer(s->queue, to->buffer, CL_FALSE, 0, p->bytes, to->host, 1, &filled, &to->done);
  clReleaseEvent(filled);
  if (code != CL_SUCCESS) return fail_opencl(why, code, "clEnqueueReadBuffer");
  to->bytes = p->bytes;
  code = clFlush(s->queue); /* the device begins now, while the host writes the other piece */
  return code == CL_SUCCESS ? STATUS_OK : fail_opencl(why, code, "clFlush");
}

static int start(const session *s, slot *to, cursor *c, uint64_t seed, failure *why) {
  piece p = {0};
  while (take_some(c, to->buffer, &p))
    continue;
  const int status = enqueue(s, to, &p, seed, why);
  free(p.items);
  return status;
}

/* Waits for the piece and appends it to the file. */
static int finish(slot *from, output *out, failure *why) {
  const cl_int code = clWaitForEvents(1, &from->done);
  clReleaseEvent(from->done);
  from->done = NULL;
  fanin_plan_release(from->plan);
  from->plan = NULL;
  if (code != CL_SUCCESS) return fail_opencl(why, code, "clWaitForEvents");
  const size_t bytes = from->bytes;
  from->bytes = 0;
  return output_write(out, from->host, bytes, why);
}

static void show_progress(const cursor *c, uint64_t written, uint64_t total, uint64_t *shown) {
  char done[TEXT_NUMBER], whole[TEXT_NUMBER];
  const uint64_t now = progress_clock();
  if (at_end(c) || (*shown != 0 && now - *shown < PROGRESS_MS)) return;
  *shown = now;
  progress_show("%3.0f%%  %s of %s  tensor %zu of %zu: %s%s", 100.0 * (double)written / (double)total,
                text_bytes(written, done), text_bytes(total, whole), c->tensor + 1, c->model->count,
                c->model->tensors[c->tensor].name, written > 0 ? "" : " (compiling kernels)");
}

static int fill_pieces(const session *s, slot slots[2], cursor *c, uint64_t seed, output *out, failure *why) {
  uint64_t elements, total, written = 0, shown = 0;
  int status = STATUS_OK;
  model_totals(c->model, &elements, &total);
  for (size_t turn = 0;; turn = !turn) {
    slot *next = &slots[turn], *last = &slots[!turn];
    show_progress(c, written, total, &shown);
    if (!at_end(c)) status = start(s, next, c, seed, why);
    if (status != STATUS_OK || (next->bytes == 0 && last->bytes == 0)) break;
    if (last->bytes == 0) continue;
    written += last->bytes;
    status = finish(last, out, why);
    if (status != STATUS_OK) break;
  }
  progress_clear();
  return status;
}

/* No more than the model needs. A buffer is never empty, and takes an element of any type. */
static size_t piece_bytes(const session *s, const model *m) {
  const size_t most = session_piece_bytes(s);
  uint64_t elements, total;
  model_totals(m, &elements, &total);
  total = total > 64 ? total : 64;
  return total < most ? (size_t)total : most;
}

int fill_file(const session *s, const model *m, uint64_t seed, output *out, failure *why) {
  cursor c = {.model = m, .piece_bytes = piece_bytes(s, m)};
  slot slots[2] = {{0}};
  int status = STATUS_OK;
  for (int i = 0; i < 2 && status == STATUS_OK; ++i) {
    slots[i].host = allocate(c.piece_bytes, 1);
    status = session_buffer(s, c.piece_bytes, &slots[i].buffer, why);
  }
  if (status == STATUS_OK) status = fill_pieces(s, slots, &c, seed, out, why);
  clFinish(s->queue); /* after a failure a read may still be writing into host memory */
  for (int i = 0; i < 2; ++i) {
    if (slots[i].done) clReleaseEvent(slots[i].done);
    fanin_plan_release(slots[i].plan);
    if (slots[i].buffer) clReleaseMemObject(slots[i].buffer);
    free(slots[i].host);
  }
  return status;
}
