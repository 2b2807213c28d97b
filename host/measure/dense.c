/* Passes over a dense tensor that reduce it: checks, launches and reading back. */
#include "measure/dense.h"

#include <inttypes.h>

#include "core/context.h"
#include "core/status.h"
#include "tensor/dtype.h"
#include "tensor/view.h"

fanin_status fanin__dense_of(const fanin *f, const fanin_tensor *t, fanin__dense *out) {
  fanin__view view;
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
  *out = (fanin__dense){view.elements, t->offset / size, fanin__is_double(t->dtype), fanin__dtype_of(t->dtype)->option};
  return FANIN_STATUS_OK;
}

size_t fanin__real_size(const fanin__dense *d) {
  return d->f64 ? sizeof(double) : sizeof(float);
}

double fanin__real_at(const fanin__dense *d, const void *reals, size_t k) {
  return d->f64 ? ((const double *)reals)[k] : (double)((const float *)reals)[k];
}
