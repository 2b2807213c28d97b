/* Copies the part of a tensor that memory holds to the host, dense and row-major. */
#include <inttypes.h>

#include "core/argument.h"
#include "core/queue.h"
#include "fanin/fill.h"
#include "tensor/view.h"

/* Where and after what to copy, and whether to wait for it. */
typedef struct order {
  fanin__when when;
  cl_bool blocking;
} order;

/* An empty part: only the wait and the event. */
static fanin_status read_nothing(const order *o) {
  if (!o->blocking) return fanin__enqueue_marker(&o->when);
  cl_event done = NULL;
  fanin__when when = o->when;
  when.event = &done;
  FANIN__TRY(fanin__enqueue_marker(&when));
  const cl_int code = clWaitForEvents(1, &done);
  if (code == CL_SUCCESS && o->when.event) {
    *o->when.event = done;
    return FANIN_STATUS_OK;
  }
  (void)clReleaseEvent(done);
  return fanin__check_cl(code, "clWaitForEvents");
}

static fanin_status read_dense(const order *o, const fanin_tensor *t, const fanin__view *view, void *host) {
  const fanin__when *const w = &o->when;
  const cl_int code = clEnqueueReadBuffer(w->queue, t->buffer, o->blocking, t->offset, (size_t)view->bytes, host,
                                          w->n_wait, w->wait_list, w->event);
  return fanin__check_cl(code, "clEnqueueReadBuffer");
}

/* Rows of a part with at most two row dimensions, as boxes of bytes. */
typedef struct box {
  size_t row, rows, slices;      /* bytes a row, rows a slice */
  size_t row_pitch, slice_pitch; /* bytes in device memory; the host's are dense */
} box;

static cl_int enqueue_box(const order *o, const box *b, cl_mem buffer, size_t offset, void *host) {
  const size_t buffer_origin[3] = {offset, 0, 0}, host_origin[3] = {0, 0, 0};
  const size_t region[3] = {b->row, b->rows, b->slices};
  const fanin__when *const w = &o->when;
  return clEnqueueReadBufferRect(w->queue, buffer, o->blocking, buffer_origin, host_origin, region, b->row_pitch,
                                 b->slices > 1 ? b->slice_pitch : 0, b->row, b->row * b->rows, host, w->n_wait,
                                 w->wait_list, w->event);
}

/* Slice by slice, for pitches that a box cannot have: OpenCL wants slices to be whole rows, and to follow one another.
 * Each waits for the one before, so that the last one's end or failure is that of all. */
static fanin_status read_slices(const order *o, const box *b, const fanin_tensor *t, void *host) {
  order each = *o;
  box slice = *b;
  slice.slices = 1;
  cl_event before = NULL;
  for (size_t k = 0; k < b->slices; k++) {
    const bool last = k + 1 == b->slices;
    cl_event done = NULL;
    each.blocking = last ? o->blocking : CL_FALSE;
    each.when.event = last ? o->when.event : &done;
    const cl_int code = enqueue_box(&each, &slice, t->buffer, t->offset + k * b->slice_pitch,
                                    (unsigned char *)host + k * b->row * b->rows);
    if (before) {
      /* After a failure `host` is the caller's again: nothing may write to it any more. */
      if (code != CL_SUCCESS) (void)clWaitForEvents(1, &before);
      (void)clReleaseEvent(before);
    }
    if (code != CL_SUCCESS) return fanin__fail_cl(code, "clEnqueueReadBufferRect");
    before = done;
    each.when.n_wait = 1;
    each.when.wait_list = &before;
  }
  return FANIN_STATUS_OK;
}

static fanin_status read_rows(const order *o, const fanin_tensor *t, const fanin__view *view, void *host) {
  const size_t element = fanin_dtype_size(t->dtype);
  box b = {.row = (size_t)view->row_length * element, .rows = 1, .slices = 1};
  b.row_pitch = b.row;
  if (view->row_rank > 0) {
    b.rows = (size_t)view->row_extent[0];
    b.row_pitch = (size_t)view->row_stride[0] * element;
  }
  if (view->row_rank > 1) {
    b.slices = (size_t)view->row_extent[1];
    b.slice_pitch = (size_t)view->row_stride[1] * element;
  }
  const bool fits = b.slice_pitch % b.row_pitch == 0 && b.slice_pitch / b.row_pitch >= b.rows;
  if (b.slices > 1 && !fits) return read_slices(o, &b, t, host);
  return fanin__check_cl(enqueue_box(o, &b, t->buffer, t->offset, host), "clEnqueueReadBufferRect");
}

fanin_status fanin_read(fanin *f, cl_command_queue queue, const fanin_tensor *t, void *host, size_t bytes, int blocking,
                        cl_uint n_wait, const cl_event *wait_list, cl_event *event) {
  fanin__view view;
  FANIN__NEED(f, t);
  FANIN__NEED_ARRAY(host, bytes);
  FANIN__TRY(fanin__view_of(t, &view));
  FANIN__TRY(fanin__check_buffer(f, t, &view));
  const uint64_t wanted = view.elements * fanin_dtype_size(t->dtype);
  if (bytes != wanted) {
    return fanin__fail(FANIN_STATUS_BAD_SIZE,
                       "bytes = %zu; the part has %" PRIu64 " elements, so that %" PRIu64 " is accepted", bytes,
                       view.elements, wanted);
  }

  if (view.memory_stride != 1 || view.row_rank > 2) {
    return fanin__fail(FANIN_STATUS_UNSUPPORTED,
                       "strides: the innermost is %" PRIu64 ", and the part has %d dimensions that do not merge; "
                       "reading accepts 1, and at most 3",
                       view.memory_stride, view.row_rank + 1);
  }
  order o = {.blocking = blocking ? CL_TRUE : CL_FALSE};
  FANIN__TRY(fanin__when_of(f, queue, n_wait, wait_list, event, &o.when));
  if (view.elements == 0) return read_nothing(&o);
  return view.row_rank == 0 ? read_dense(&o, t, &view, host) : read_rows(&o, t, &view, host);
}
