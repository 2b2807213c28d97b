/* Fills parts of a model's tensors on a device and hands their bytes over, piece by piece. */
#include "init/fill_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/terminal.h"
#include "base/text.h"
#include "init/items.h"
#include "init/warm.h"

/* Memory for one piece, on the device and on the host, and the piece that is under way in it. */
typedef struct slot {
  cl_mem buffer;
  char *host;       /* NULL until it is needed: where the device's memory is the host's, the buffer is mapped instead */
  char *mapping;    /* of the buffer; NULL: it is not mapped */
  fanin_plan *plan; /* of the parts in the piece */
  piece piece;      /* bytes is 0: none under way */
  cl_event done;    /* its bytes are on the host */
} slot;

/* The fill of one model. */
typedef struct work {
  const session *s;
  const model *model;
  uint64_t seed;
  cutter cutter;
  slot slots[2];
  cl_mem whole; /* the part made at once that pieces are lent from; NULL: none */
  uint64_t total, written, device_bytes, most_device_bytes;
  uint64_t shown;         /* when progress was */
  uint64_t begin, before; /* when the first piece had been handed over, after kernels were compiled, and its bytes */
} work;

static int make_buffer(work *w, uint64_t bytes, cl_mem *out, failure *why) {
  const int status = session_buffer(w->s, (size_t)bytes, out, why);
  if (status != STATUS_OK) return status;
  w->device_bytes += bytes;
  if (w->device_bytes > w->most_device_bytes) w->most_device_bytes = w->device_bytes;
  return STATUS_OK;
}

/* Waits for everything that was enqueued for it. */
static void release_whole(work *w, uint64_t bytes) {
  if (!w->whole) return;
  clFinish(w->s->queue);
  clReleaseMemObject(w->whole);
  w->whole = NULL;
  w->device_bytes -= bytes;
}

/* Enqueues the fill of parts that lie side by side in a buffer. */
static int enqueue_fill(work *w, slot *to, const model_part *parts, size_t count, cl_mem buffer, failure *why) {
  item_list list = {.count = 0};
  size_t offset = 0;
  for (size_t i = 0; i < count; ++i) {
    items_add(&list, &w->model->tensors[parts[i].tensor], &parts[i].where, buffer, offset);
    offset += (size_t)part_bytes(&parts[i].where);
  }
  fanin_status status = fanin_plan_create(w->s->f, list.items, list.count, &to->plan);
  if (status == FANIN_STATUS_OK) status = fanin_plan_enqueue(to->plan, w->s->queue, w->seed, 0, NULL, NULL);
  free(list.items);
  return library_status(why, status, NULL);
}

/* Enqueues what brings a piece to the host. Memory that the host shares is mapped, which copies nothing. A lent piece
 * is copied there too, because the buffer that it is lent from is released before the piece is handed over. */
static int enqueue_read(work *w, slot *to, cl_mem from, size_t offset, failure *why) {
  const size_t bytes = to->piece.bytes;
  cl_int code = CL_SUCCESS;
  if (w->s->shares_memory && !to->piece.lent) {
    to->mapping =
        clEnqueueMapBuffer(w->s->queue, from, CL_FALSE, CL_MAP_READ, offset, bytes, 0, NULL, &to->done, &code);
    return opencl_status(why, code, "clEnqueueMapBuffer");
  }
  if (!to->host) to->host = allocate(w->cutter.most, 1); /* at the slot's first use */
  code = clEnqueueReadBuffer(w->s->queue, from, CL_FALSE, offset, bytes, to->host, 0, NULL, &to->done);
  return opencl_status(why, code, "clEnqueueReadBuffer");
}

/* What is enqueued next may write to it again. */
static cl_int unmap(const work *w, slot *from) {
  char *const mapping = from->mapping;
  from->mapping = NULL;
  return mapping ? clEnqueueUnmapMemObject(w->s->queue, from->buffer, mapping, 0, NULL, NULL) : CL_SUCCESS;
}

/* Enqueues the next piece and its way to the host. */
static int start(work *w, slot *to, failure *why) {
  piece *p = &to->piece;
  cutter_next(&w->cutter, p);
  if (p->bytes == 0) return STATUS_OK;
  int status = STATUS_OK;
  if (!to->buffer && !p->lent) status = make_buffer(w, w->cutter.most, &to->buffer, why);
  const uint64_t bytes = p->lent ? part_bytes(&p->whole.where) : 0;
  if (status == STATUS_OK && !p->lent) {
    status = enqueue_fill(w, to, p->parts, p->count, to->buffer, why);
  } else if (status == STATUS_OK && p->offset == 0) { /* the part that this piece and the next ones are lent from */
    status = make_buffer(w, bytes, &w->whole, why);
    if (status == STATUS_OK) status = enqueue_fill(w, to, &p->whole, 1, w->whole, why);
  }
  if (status != STATUS_OK) return status;
  const cl_mem from = p->lent ? w->whole : to->buffer;
  const size_t offset = p->lent ? (size_t)p->offset : 0;
  status = enqueue_read(w, to, from, offset, why);
  if (status != STATUS_OK) return status;
  if (p->lent && p->offset + p->bytes == bytes) release_whole(w, bytes);
  return opencl_status(why, clFlush(w->s->queue), "clFlush"); /* it starts now, while the other piece is handed over */
}

/* Waits for the piece and hands it over. */
static int finish(work *w, slot *from, const part_sink *sink, failure *why) {
  cl_int code = clWaitForEvents(1, &from->done);
  clReleaseEvent(from->done);
  from->done = NULL;
  fanin_plan_release(from->plan);
  from->plan = NULL;
  if (code != CL_SUCCESS) return opencl_status(why, code, "clWaitForEvents");
  const int status = sink->write(sink->state, &from->piece, from->mapping ? from->mapping : from->host, why);
  w->written += from->piece.bytes;
  if (w->begin == 0) {
    w->begin = progress_clock();
    w->before = w->written;
  }
  from->piece.bytes = 0;
  code = unmap(w, from);
  return status == STATUS_OK ? opencl_status(why, code, "clEnqueueUnmapMemObject") : status;
}

/* Compiling takes seconds, and only where the driver has not kept what an earlier run compiled. What fails here is said
 * by the piece that needs it. */
static void compile(const work *w) {
  char dtypes[128] = "";
  bool seen[FANIN_DTYPE_COUNT] = {false};
  for (size_t i = 0; i < w->model->count; ++i) {
    if (!model_draws(&w->model->tensors[i])) continue;
    const fanin_dtype dtype = w->model->tensors[i].tensor.dtype;
    const size_t used = strlen(dtypes);
    if (!seen[dtype]) snprintf(dtypes + used, sizeof dtypes - used, "%s%s", used ? ", " : "", fanin_dtype_name(dtype));
    seen[dtype] = true;
  }
  progress_show("compiling kernels for %s (slow the first time only) on %s", dtypes, w->s->device_name);
  (void)warm_model(w->s, w->model, false);
}

/* "  2.1 GB/s, 2 min 5 s left", or "" before there is anything to go by. */
enum { SPEED = 3 * TEXT_NUMBER };
static char *speed_of(const work *w, char out[SPEED]) {
  char rate[TEXT_NUMBER], left[TEXT_NUMBER];
  const uint64_t elapsed = w->begin > 0 ? progress_clock() - w->begin : 0, done = w->written - w->before;
  out[0] = '\0';
  if (elapsed == 0 || done == 0) return out;
  const double bytes_per_second = 1000.0 * (double)done / (double)elapsed;
  text_bytes((uint64_t)bytes_per_second, rate);
  text_duration((uint64_t)((double)(w->total - w->written) / bytes_per_second + 0.5), left);
  snprintf(out, SPEED, "  %s/s, %s left", rate, left);
  return out;
}

static void show_progress(work *w) {
  char done[TEXT_NUMBER], whole[TEXT_NUMBER], speed[SPEED];
  if (cutter_at_end(&w->cutter) || !progress_is_due(&w->shown)) return;
  const size_t tensor = w->cutter.part.tensor;
  progress_show("%3.0f%%  %s of %s%s  tensor %zu of %zu: %s%s", 100.0 * (double)w->written / (double)w->total,
                text_bytes(w->written, done), text_bytes(w->total, whole), speed_of(w, speed), tensor + 1,
                w->model->count, w->model->tensors[tensor].name,
                w->written > 0 ? "" : " (compiling kernels, the first time only)");
}

static int fill_pieces(work *w, const part_sink *sink, failure *why) {
  int status = STATUS_OK;
  if (w->total > 0) compile(w);
  for (size_t turn = 0;; turn = !turn) {
    slot *next = &w->slots[turn], *last = &w->slots[!turn];
    show_progress(w);
    status = start(w, next, why);
    if (status != STATUS_OK || (next->piece.bytes == 0 && last->piece.bytes == 0)) break;
    if (last->piece.bytes == 0) continue;
    status = finish(w, last, sink, why);
    if (status != STATUS_OK) break;
  }
  progress_clear();
  return status;
}

size_t fill_piece_bytes(const session *s, uint64_t bytes) {
  const uint64_t most = session_piece_bytes(s), wanted = bytes > 64 ? bytes : 64;
  return (size_t)(wanted < most ? wanted : most);
}

int fill_parts(const session *s, const model *m, uint64_t seed, const part_source *source, uint64_t bytes,
               const part_sink *sink, uint64_t *device_bytes, failure *why) {
  work w = {.s = s, .model = m, .seed = seed, .total = bytes};
  const size_t most = fill_piece_bytes(s, bytes), wanted = sink->most > 0 ? sink->most : most;
  w.cutter =
      (cutter){.model = m, .source = *source, .most = wanted < most ? wanted : most, .largest = s->max_alloc_bytes};
  const int status = fill_pieces(&w, sink, why);
  clFinish(s->queue); /* after a failure a read may still be writing into host memory */
  for (int i = 0; i < 2; ++i) {
    slot *used = &w.slots[i];
    if (used->done) clReleaseEvent(used->done);
    (void)unmap(&w, used);
    fanin_plan_release(used->plan);
    if (used->buffer) clReleaseMemObject(used->buffer);
    free(used->host);
    piece_free(&used->piece);
  }
  if (w.whole) clReleaseMemObject(w.whole);
  if (device_bytes) *device_bytes = w.most_device_bytes;
  return status;
}
