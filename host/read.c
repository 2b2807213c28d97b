/* Copies the part of a tensor that memory holds to the host, dense and row-major. */
#include <inttypes.h>

#include "internal.h"

/* When to begin, whether to wait for the end, and the event for it. */
typedef struct order {
  cl_command_queue queue;
  cl_bool blocking;
  cl_uint n_wait;
  const cl_event *wait_list;
  cl_event *event;
} order;

/* Waits for the wait list, or, if that is empty, for all that was enqueued before. */
static fanin_status enqueue_marker(const order *o) {
  cl_event marker = NULL;
  cl_int code = clEnqueueMarkerWithWaitList(o->queue, o->n_wait, o->wait_list, &marker);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clEnqueueMarkerWithWaitList");
  if (o->blocking) code = clWaitForEvents(1, &marker);
  if (code == CL_SUCCESS && o->event) {
    *o->event = marker;
    return FANIN_OK;
  }
  (void)clReleaseEvent(marker);
  return code == CL_SUCCESS ? FANIN_OK : fanin__fail_cl(code, "clWaitForEvents");
}

static fanin_status read_dense(const order *o, const fanin_tensor *t, const fanin__view *view, void *host) {
  const cl_int code = clEnqueueReadBuffer(o->queue, t->buffer, o->blocking, t->offset, (size_t)view->bytes, host,
                                          o->n_wait, o->wait_list, o->event);
  return code == CL_SUCCESS ? FANIN_OK : fanin__fail_cl(code, "clEnqueueReadBuffer");
}

/* Rows of a part with at most two row dimensions, as boxes of bytes. */
typedef struct box {
  size_t row, rows, slices;      /* bytes a row, rows a slice */
  size_t row_pitch, slice_pitch; /* bytes in device memory; the host's are dense */
} box;

static cl_int enqueue_box(const order *o, const box *b, cl_mem buffer, size_t offset, void *host) {
  const size_t buffer_origin[3] = {offset, 0, 0}, host_origin[3] = {0, 0, 0};
  const size_t region[3] = {b->row, b->rows, b->slices};
  return clEnqueueReadBufferRect(o->queue, buffer, o->blocking, buffer_origin, host_origin, region, b->row_pitch,
                                 b->slices > 1 ? b->slice_pitch : 0, b->row, b->row * b->rows, host, o->n_wait,
                                 o->wait_list, o->event);
}

/* Slice by slice, for pitches that a box cannot have: OpenCL wants slices to be whole rows, and to follow one another.
 * The marker then stands for all of them. */
static fanin_status read_slices(const order *o, const box *b, const fanin_tensor *t, void *host) {
  const order each = {.queue = o->queue, .blocking = CL_FALSE, .n_wait = o->n_wait, .wait_list = o->wait_list};
  box slice = *b;
  slice.slices = 1;
  for (size_t k = 0; k < b->slices; k++) {
    const cl_int code = enqueue_box(&each, &slice, t->buffer, t->offset + k * b->slice_pitch,
                                    (unsigned char *)host + k * b->row * b->rows);
    if (code != CL_SUCCESS) {
      (void)clFinish(o->queue); /* the slices before write to `host`, which is the caller's again after a failure */
      return fanin__fail_cl(code, "clEnqueueReadBufferRect");
    }
  }
  const order all = {.queue = o->queue, .blocking = o->blocking, .event = o->event};
  return enqueue_marker(&all);
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
  const cl_int code = enqueue_box(o, &b, t->buffer, t->offset, host);
  return code == CL_SUCCESS ? FANIN_OK : fanin__fail_cl(code, "clEnqueueReadBufferRect");
}

fanin_status fanin_read(fanin *f, cl_command_queue queue, const fanin_tensor *t, void *host, size_t bytes, int blocking,
                        cl_uint n_wait, const cl_event *wait_list, cl_event *event) {
  fanin__view view;
  FANIN__TRY(fanin__view_of(t, &view));
  FANIN__TRY(fanin__check_buffer(f, t, &view));
  const uint64_t wanted = view.elements * fanin_dtype_size(t->dtype);
  if (bytes != wanted) {
    return fanin__fail(FANIN_BAD_SIZE,
                       "bytes = %zu; the part has %" PRIu64 " elements, so that %" PRIu64 " is accepted", bytes,
                       view.elements, wanted);
  }
  if (!host && bytes > 0) return fanin__fail(FANIN_BAD_ARGUMENT, "host is NULL; it must hold %zu bytes", bytes);
  if (view.memory_stride != 1 || view.row_rank > 2) {
    return fanin__fail(FANIN_UNSUPPORTED,
                       "strides: the innermost is %" PRIu64 ", and the part has %d dimensions that do not merge; "
                       "reading accepts 1, and at most 3",
                       view.memory_stride, view.row_rank + 1);
  }
  order o = {.blocking = blocking ? CL_TRUE : CL_FALSE, .n_wait = n_wait, .wait_list = wait_list, .event = event};
  FANIN__TRY(fanin__resolve_queue(f, queue, &o.queue));
  if (view.elements == 0) return enqueue_marker(&o);
  return view.row_rank == 0 ? read_dense(&o, t, &view, host) : read_rows(&o, t, &view, host);
}
