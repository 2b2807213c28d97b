/* Tensors as values: making, narrowing, allocating and checking them against their buffer. */
#include <inttypes.h>
#include <string.h>

#include "core/argument.h"
#include "core/context.h"
#include "tensor/dtype.h"
#include "tensor/view.h"

/* ---- Tensors as values ------------------------------------------------------------------------------------------- */

/* Copies the number of each dimension. A rank that is out of range copies none; checking the tensor reports it. */
static void copy_dimensions(uint64_t *out, const uint64_t *in, int rank) {
  if (rank > 0 && rank <= FANIN_MAX_RANK) memcpy(out, in, (size_t)rank * sizeof *out);
}

/* Hands out a tensor that is right but for its buffer, which is checked when it is used. */
static fanin_status hand_out(const fanin_tensor *t, fanin_tensor *out) {
  fanin__view view;
  FANIN__TRY(fanin__view_of(t, &view));
  *out = *t;
  return FANIN_STATUS_OK;
}

fanin_status fanin_tensor_of(cl_mem buffer, size_t offset, fanin_dtype dtype, const char *layout, int rank,
                             const uint64_t *shape, fanin_tensor *out) {
  fanin_tensor t = {.buffer = buffer, .offset = offset, .dtype = dtype, .rank = rank, .part = FANIN_PART_WHOLE};
  const size_t letters = layout ? strlen(layout) : 0;
  FANIN__NEED_ARRAY(shape, rank);
  FANIN__NEED(out);
  copy_dimensions(t.shape, shape, rank);
  if (letters >= sizeof t.layout) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT, "layout \"%.40s\" has %zu letters; at most %d are accepted", layout,
                       letters, FANIN_MAX_RANK);
  }
  if (letters > 0) memcpy(t.layout, layout, letters);
  return hand_out(&t, out);
}

fanin_status fanin_tensor_slab(const fanin_tensor *t, const uint64_t *start, const uint64_t *extent,
                               fanin_tensor *out) {
  FANIN__NEED(t, out);
  FANIN__NEED_ARRAY(start, t->rank);
  FANIN__NEED_ARRAY(extent, t->rank);
  fanin_tensor slab = *t;
  slab.part = FANIN_PART_SLAB;
  copy_dimensions(slab.start, start, t->rank);
  copy_dimensions(slab.extent, extent, t->rank);
  return hand_out(&slab, out);
}

fanin_status fanin_tensor_range(const fanin_tensor *t, uint64_t first, uint64_t count, fanin_tensor *out) {
  FANIN__NEED(t, out);
  fanin_tensor range = *t;
  range.part = FANIN_PART_RANGE;
  range.first = first;
  range.count = count;
  return hand_out(&range, out);
}

fanin_status fanin_tensor_strided(const fanin_tensor *t, const uint64_t *strides, fanin_tensor *out) {
  FANIN__NEED(t, out);
  FANIN__NEED_ARRAY(strides, t->rank);
  fanin_tensor strided = *t;
  copy_dimensions(strided.strides, strides, t->rank);
  return hand_out(&strided, out);
}

fanin_status fanin_tensor_size(const fanin_tensor *t, uint64_t *elements, uint64_t *bytes) {
  fanin__view view;
  FANIN__NEED(t, elements, bytes);
  FANIN__TRY(fanin__view_of(t, &view));
  *elements = view.elements;
  *bytes = view.bytes;
  return FANIN_STATUS_OK;
}

/* ---- Buffers ----------------------------------------------------------------------------------------------------- */

fanin_status fanin_tensor_alloc(fanin *f, fanin_dtype dtype, const char *layout, int rank, const uint64_t *shape,
                                fanin_tensor *out) {
  fanin_tensor t;
  fanin__view view;
  FANIN__NEED(f, out);
  FANIN__TRY(fanin_tensor_of(NULL, 0, dtype, layout, rank, shape, &t));

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
