/* Experimental: may change in a minor version. DLPack's tensors as fanin's. Needs <dlpack/dlpack.h> (Debian:
 * libdlpack-dev), which fanin.h therefore leaves out. */
#ifndef FANIN_DLPACK_H
#define FANIN_DLPACK_H

#include <dlpack/dlpack.h>

#include "foreign.h"

/* fanin_tensor_of_dlpack() of a DLTensor, or of the dl_tensor of a DLManagedTensor or DLManagedTensorVersioned. Nothing
 * of `dl` is needed afterwards, except for the buffer. */
static inline fanin_status fanin_tensor_from_dlpack(const DLTensor *dl, const char *layout, fanin_tensor *out) {
  fanin_dlpack fields;
  if (!dl) return fanin_tensor_of_dlpack(NULL, layout, out);
  fields.data = dl->data;
  fields.device_type = dl->device.device_type;
  fields.ndim = dl->ndim;
  fields.code = dl->dtype.code;
  fields.bits = dl->dtype.bits;
  fields.lanes = dl->dtype.lanes;
  fields.shape = dl->shape;
  fields.strides = dl->strides;
  fields.byte_offset = dl->byte_offset;
  return fanin_tensor_of_dlpack(&fields, layout, out);
}

#endif
