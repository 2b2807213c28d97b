/* Tensors as values: making, narrowing, allocating and checking them against their buffer. */
#include <inttypes.h>
#include <string.h>

#include "core/context.h"
#include "core/status.h"
#include "tensor/dtype.h"
#include "tensor/view.h"

/* ---- Tensors as values ------------------------------------------------------------------------------------------- */

/* Copies a number a dimension; a rank that is out of range copies none and is reported when the tensor is used. */
static void copy_dimensions(uint64_t *out, const uint64_t *in, int rank) {
  if (rank > 0 && rank <= FANIN_MAX_RANK) memcpy(out, in, (size_t)rank * sizeof *out);
}

fanin_tensor fanin_tensor_of(cl_mem buffer, size_t offset, fanin_dtype dtype, const char *layout, int rank,
                             const uint64_t *shape) {
  fanin_tensor t = {.buffer = buffer, .offset = offset, .dtype = dtype, .rank = rank, .part = FANIN_PART_WHOLE};
  copy_dimensions(t.shape, shape, rank);
  /* Cut to FANIN_MAX_RANK letters, a text that was too long still cannot pass: there are only six letters. */
  if (layout) memcpy(t.layout, layout, strnlen(layout, FANIN_MAX_RANK));
  return t;
}

fanin_tensor fanin_tensor_slab(fanin_tensor t, const uint64_t *start, const uint64_t *extent) {
  t.part = FANIN_PART_SLAB;
  copy_dimensions(t.start, start, t.rank);
  copy_dimensions(t.extent, extent, t.rank);
  return t;
}

fanin_tensor fanin_tensor_range(fanin_tensor t, uint64_t first, uint64_t count) {
  t.part = FANIN_PART_RANGE;
  t.first = first;
  t.count = count;
  return t;
}

fanin_tensor fanin_tensor_strided(fanin_tensor t, const uint64_t *strides) {
  copy_dimensions(t.strides, strides, t.rank);
  return t;
}

fanin_status fanin_tensor_size(const fanin_tensor *t, uint64_t *elements, uint64_t *bytes) {
  fanin__view view;
  FANIN__TRY(fanin__view_of(t, &view));
  *elements = view.elements;
  *bytes = view.bytes;
  return FANIN_STATUS_OK;
}

/* ---- Buffers ----------------------------------------------------------------------------------------------------- */

fanin_status fanin_tensor_alloc(fanin *f, fanin_dtype dtype, const char *layout, int rank, const uint64_t *shape,
                                fanin_tensor *out) {
  fanin_tensor t = fanin_tensor_of(NULL, 0, dtype, layout, rank, shape);
  fanin__view view;
  FANIN__TRY(fanin__check_open(f));
  FANIN__TRY(fanin__view_of(&t, &view));
  if (view.bytes > SIZE_MAX) {
    return fanin__fail(FANIN_STATUS_BAD_SIZE, "shape needs %" PRIu64 " bytes, which this host cannot address",
                       view.bytes);
  }
  if (view.bytes > 0) { /* OpenCL has no empty buffers: an empty tensor has none */
    cl_int code = CL_SUCCESS;
    t.buffer = clCreateBuffer(f->context, CL_MEM_READ_WRITE, (size_t)view.bytes, NULL, &code);
    if (code != CL_SUCCESS) {
      return fanin__fail((fanin_status)code, "clCreateBuffer of %" PRIu64 " bytes: %s (%d)", view.bytes,
                         fanin_status_name((fanin_status)code), (int)code);
    }
  }
  *out = t;
  return FANIN_STATUS_OK;
}

void fanin_tensor_free(fanin_tensor *t) {
  if (!t || !t->buffer) return;
  (void)clReleaseMemObject(t->buffer); /* fails only on a handle that is not valid, which nobody could be told of */
  t->buffer = NULL;
}

fanin_status fanin__check_dtype(const fanin *f, fanin_dtype dtype) {
  char list[FANIN__DTYPE_LIST];
  if (f->has_f64 || !fanin__is_double(dtype)) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_UNSUPPORTED, "dtype %s: the device has no double precision; accepted are %s",
                     fanin_dtype_name(dtype), fanin__float_dtypes(" and ", list));
}

fanin_status fanin__check_buffer(const fanin *f, const fanin_tensor *t, const fanin__view *view) {
  FANIN__TRY(fanin__check_open(f));
  if (!t->buffer) {
    if (view->elements == 0) return FANIN_STATUS_OK;
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "buffer is NULL; the part needs %" PRIu64 " bytes", view->bytes);
  }
  cl_mem_object_type type = 0;
  cl_context context = NULL;
  size_t size = 0;
  cl_int code = clGetMemObjectInfo(t->buffer, CL_MEM_TYPE, sizeof type, &type, NULL);
  if (code == CL_SUCCESS) code = clGetMemObjectInfo(t->buffer, CL_MEM_CONTEXT, sizeof context, &context, NULL);
  if (code == CL_SUCCESS) code = clGetMemObjectInfo(t->buffer, CL_MEM_SIZE, sizeof size, &size, NULL);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetMemObjectInfo of buffer");
  if (type != CL_MEM_OBJECT_BUFFER) return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "buffer is an image or a pipe");
  if (context != f->context) return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "buffer belongs to another context than f");
  if (t->offset > size || view->bytes > size - t->offset) {
    return fanin__fail(FANIN_STATUS_BAD_SIZE,
                       "offset = %zu and the part's %" PRIu64 " bytes do not fit into buffer's %zu", t->offset,
                       view->bytes, size);
  }
  return FANIN_STATUS_OK;
}
