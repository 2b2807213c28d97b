/* Experimental: may change in a minor version. Tensors in memory that others manage: DLPack's, and shared virtual
 * memory. */
#ifndef FANIN_FOREIGN_H
#define FANIN_FOREIGN_H

#include "base.h"
#include "device.h"
#include "tensor.h"

FANIN_C_BEGIN

/* ---- DLPack ------------------------------------------------------------------------------------------------------ */

/* The fields of a DLTensor, of any version of DLPack. fanin/dlpack.h, which needs <dlpack/dlpack.h>, has
 * fanin_tensor_from_dlpack() for a DLTensor itself; this struct is for programs that have only the numbers. */
typedef struct fanin_dlpack {
  void *data;          /* a cl_mem */
  int64_t device_type; /* DLDeviceType, an enumeration of either sign: 4 is kDLOpenCL */
  int ndim;
  int code, bits, lanes;  /* DLDataType */
  const int64_t *shape;   /* ndim numbers */
  const int64_t *strides; /* ndim numbers, in elements; NULL: compact and row-major */
  uint64_t byte_offset;   /* from the buffer's start to element 0 */
} fanin_dlpack;

/* Makes the tensor that DLPack's fields describe, whole, with `layout` (NULL or "": none), which DLPack does not know.
 * Takes device type kDLOpenCL with kDLFloat of 2, 4 and 8 bytes and kDLBfloat of 2 bytes, one lane, rank 0 to
 * FANIN_MAX_RANK, and any strides by which no two elements share memory. The tensor borrows the buffer: the buffer is
 * not retained, and the caller calls DLPack's deleter when the work is done. A queue is not part of DLPack: pass to
 * fanin_fill() the one that the producer works on, and what to wait for.
 *
 * `data` must be a cl_mem, as dlpack.h says. In TVM's OpenCL tensors, `data` points to TVM's own descriptor of a
 * buffer, which no function can tell from a cl_mem (docs/integration.md). Errors: FANIN_STATUS_BAD_ARGUMENT,
 * FANIN_STATUS_BAD_SHAPE, FANIN_STATUS_BAD_LAYOUT, FANIN_STATUS_BAD_SIZE; FANIN_STATUS_UNSUPPORTED for other devices
 * and element types. No device is needed: the buffer's size is checked when the tensor is used. */
FANIN_API fanin_status fanin_tensor_of_dlpack(const fanin_dlpack *fields, const char *layout, fanin_tensor *out);

/* ---- Shared virtual memory --------------------------------------------------------------------------------------- */

/* Makes a tensor of `t` in memory that clSVMAlloc() returned for f's context. t->offset counts from `svm`, t->buffer
 * must be NULL, and `t` may be any part, strided or dense. `out` has a buffer whose storage is that memory; an empty
 * part has none. The caller releases it with fanin_tensor_free() before clSVMFree(). `out` may be `t`. Everything that
 * takes a tensor then works, and the pointer sees what was written as OpenCL 2.0 says: fine-grained memory once the
 * event is complete, coarse-grained memory once it is mapped as well (clEnqueueSVMMap() or clEnqueueMapBuffer() of
 * out->buffer). fanin itself calls nothing newer than OpenCL 1.2. Errors: FANIN_STATUS_UNSUPPORTED where the device has
 * no such memory; FANIN_STATUS_BAD_ARGUMENT for a pointer that is not the beginning of such memory;
 * CL_INVALID_BUFFER_SIZE where t ends behind it; FANIN_STATUS_BAD_*. */
FANIN_API fanin_status fanin_tensor_svm(fanin *f, void *svm, const fanin_tensor *t, fanin_tensor *out);

FANIN_C_END

#endif
