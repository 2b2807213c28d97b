/* DLPack's description of a tensor, checked field by field, as fanin's. */
#include <inttypes.h>
#include <stdio.h>

#include "core/argument.h"
#include "fanin/foreign.h"
#include "tensor/dtype.h"

enum { OPENCL = 4 }; /* of DLPack's DLDeviceType */

static fanin_status dtype_of(const fanin_dlpack *dl, fanin_dtype *out) {
  char accepted[256];
  size_t used = 0;
  if (dl->lanes != 1) return fanin__fail(FANIN_STATUS_UNSUPPORTED, "dtype.lanes is %d; accepted is 1", dl->lanes);
  for (int k = 0; k < FANIN_DTYPE_COUNT; k++) {
    const fanin_dtype_info *const known = &fanin__dtype_of((fanin_dtype)k)->info;
    const int bits = 8 * (int)known->bytes;
    used += (size_t)snprintf(accepted + used, sizeof accepted - used, "%s%d with %d (%s)", k > 0 ? ", " : "",
                             known->dlpack_code, bits, known->name);
    if (dl->code != known->dlpack_code || dl->bits != bits) continue;
    *out = (fanin_dtype)k;
    return FANIN_STATUS_OK;
  }
  return fanin__fail(FANIN_STATUS_UNSUPPORTED, "dtype.code is %d with %d bits; accepted are %s", dl->code, dl->bits,
                     accepted);
}

static fanin_status copy_shape(const fanin_dlpack *dl, uint64_t *shape) {
  if (dl->ndim < 0 || dl->ndim > FANIN_MAX_RANK) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE, "ndim is %d; accepted are 0 to %d", dl->ndim, FANIN_MAX_RANK);
  }
  if (dl->ndim > 0 && !dl->shape) return fanin__fail_null("shape");
  for (int d = 0; d < dl->ndim; d++) {
    if (dl->shape[d] < 0) {
      return fanin__fail(FANIN_STATUS_BAD_SHAPE, "shape[%d] = %" PRId64 "; accepted are 0 and more", d, dl->shape[d]);
    }
    shape[d] = (uint64_t)dl->shape[d];
  }
  return FANIN_STATUS_OK;
}

/* Strides that say nothing new are left out, since a dense tensor may do more, as be cut into ranges. Where a dimension
 * has one index or the tensor no element, a stride means nothing and may be anything. */
static fanin_status copy_strides(const fanin_dlpack *dl, bool empty, fanin_tensor *t) {
  uint64_t strides[FANIN_MAX_RANK] = {0}, compact = 1;
  bool dense = true;
  for (int d = dl->ndim - 1; d >= 0 && dl->strides && !empty; d--) {
    strides[d] = compact;
    if (t->shape[d] == 1) continue;
    if (dl->strides[d] <= 0) {
      return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                         "strides[%d] = %" PRId64 " for shape[%d] = %" PRIu64 "; accepted are 1 and more", d,
                         dl->strides[d], d, t->shape[d]);
    }
    strides[d] = (uint64_t)dl->strides[d];
    dense = dense && strides[d] == compact;
    compact *= t->shape[d];
  }
  return dense ? FANIN_STATUS_OK : fanin_tensor_strided(t, strides, t);
}

fanin_status fanin_tensor_of_dlpack(const fanin_dlpack *fields, const char *layout, fanin_tensor *out) {
  uint64_t shape[FANIN_MAX_RANK] = {0}, elements = 0, bytes = 0;
  fanin_dtype dtype = FANIN_DTYPE_F32;
  FANIN__NEED(fields, out);
  if (fields->device_type != OPENCL) {
    return fanin__fail(FANIN_STATUS_UNSUPPORTED, "device_type is %" PRId64 "; accepted is 4 (kDLOpenCL)",
                       fields->device_type);
  }
  FANIN__TRY(dtype_of(fields, &dtype));
  FANIN__TRY(copy_shape(fields, shape));
  if (fields->byte_offset > SIZE_MAX) {
    return fanin__fail(FANIN_STATUS_BAD_SIZE, "byte_offset = %" PRIu64 " is more than a pointer reaches",
                       fields->byte_offset);
  }
  if (fields->byte_offset % fanin_dtype_size(dtype) != 0) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "byte_offset = %" PRIu64 " is not a multiple of %s's %zu bytes",
                       fields->byte_offset, fanin_dtype_name(dtype), fanin_dtype_size(dtype));
  }
  fanin_tensor t;
  FANIN__TRY(fanin_tensor_of(fields->data, (size_t)fields->byte_offset, dtype, layout, fields->ndim, shape, &t));
  FANIN__TRY(fanin_tensor_size(&t, &elements, &bytes));
  FANIN__TRY(copy_strides(fields, elements == 0, &t));
  FANIN__TRY(fanin_tensor_size(&t, &elements, &bytes));
  if (elements > 0 && !t.buffer) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "data is NULL; pass the cl_mem of %" PRIu64 " elements", elements);
  }
  *out = t;
  return FANIN_STATUS_OK;
}
