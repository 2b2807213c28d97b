/* Passes over a dense tensor that reduce it: checks, launches and reading back. */
#include "measure/dense.h"

#include <inttypes.h>

#include "core/context.h"
#include "core/status.h"
#include "tensor/dtype.h"
#include "tensor/view.h"

fanin_status fanin__dense_of(fanin *f, cl_command_queue queue, const fanin_tensor *t, cl_uint n_wait,
                             const cl_event *wait_list, fanin__dense *out) {
  fanin__view view;
  fanin__when when;
  FANIN__TRY(fanin__view_of(t, &view));
  FANIN__TRY(fanin__check_buffer(f, t, &view));
  if (view.elements > 0) FANIN__TRY(fanin__check_dtype(f, t->dtype));
  const size_t size = fanin_dtype_size(t->dtype);
  if (view.bytes != view.elements * size) {
    return fanin__fail(FANIN_STATUS_UNSUPPORTED,
                       "the tensor's %" PRIu64 " elements are spread over %" PRIu64
                       " bytes; only dense parts, without gaps, can be measured",
                       view.elements, view.bytes);
  }
  FANIN__TRY(fanin__when_of(f, queue, n_wait, wait_list, NULL, &when));
  *out = (fanin__dense){.f = f,
                        .queue = when.queue,
                        .buffer = t->buffer,
                        .elements = view.elements,
                        .offset = t->offset / size,
                        .f64 = fanin__is_double(t->dtype),
                        .options = fanin__dtype_of(t->dtype)->option};
  return FANIN_STATUS_OK;
}

size_t fanin__real_size(const fanin__dense *d) {
  return d->f64 ? sizeof(double) : sizeof(float);
}

double fanin__real_at(const fanin__dense *d, const void *reals, size_t k) {
  return d->f64 ? ((const double *)reals)[k] : (double)((const float *)reals)[k];
}
