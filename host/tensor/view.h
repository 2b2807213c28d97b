/* A tensor that was checked, reduced to what a kernel needs. */
#ifndef HOST_TENSOR_VIEW_H
#define HOST_TENSOR_VIEW_H

#include "fanin/tensor.h"

/* Rows of consecutive indices: element e of row (r0, r1, ...) has index first_index + sum(r[d] * index_stride[d]) + e
 * and lies memory_stride * e + sum(r[d] * row_stride[d]) elements after the part's first. Dimensions that continue one
 * another are merged, so that a dense whole tensor is one row. Row dimensions are listed innermost first. */
typedef struct fanin__view {
  uint64_t elements; /* of the part; 0: nothing to do */
  uint64_t bytes;    /* from its first to past its last element */
  uint64_t first_index;
  uint64_t row_length;
  uint64_t memory_stride; /* 1 where rows are contiguous in memory */
  int row_rank;           /* dimensions over rows, 0 .. FANIN_MAX_RANK - 1 */
  uint64_t row_extent[FANIN_MAX_RANK];
  uint64_t row_index_stride[FANIN_MAX_RANK];
  uint64_t row_stride[FANIN_MAX_RANK]; /* memory, in elements */
  uint64_t rows;                       /* product of row_extent */
} fanin__view;

/* Validates everything about `t`, which may be NULL, except for its buffer. */
fanin_status fanin__view_of(const fanin_tensor *t, fanin__view *view);

/* tensor.c: what memory holds, of a tensor whose shape has been checked: coordinates start .. start + extent of each
 * dimension (not for a range), or indices first .. first + count (not for a slab). Refuses what leaves the whole. */
fanin_status fanin__slab_of(const fanin_tensor *t, uint64_t *start, uint64_t *extent);
fanin_status fanin__range_of(const fanin_tensor *t, uint64_t *first, uint64_t *count);

/* tensor.c: FANIN_STATUS_UNSUPPORTED where the device lacks the double precision that the dtype needs. */
fanin_status fanin__check_dtype(const fanin *f, fanin_dtype dtype);

/* tensor.c: validates f and t->buffer too: there, in f's context, large enough with the offset. */
fanin_status fanin__check_buffer(const fanin *f, const fanin_tensor *t, const fanin__view *view);

#endif
