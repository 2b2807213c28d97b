/* Reduces a tensor's part to rows of consecutive indices: the form in which kernels and copies see it. */
#include "tensor/view.h"

#include <inttypes.h>

#include "core/status.h"
#include "tensor/dtype.h"
#include "tensor/layout.h"

/* One dimension of the part: a step along it moves so many elements in the whole's order and in memory. */
typedef struct axis {
  int dimension;
  uint64_t extent, index_stride, memory_stride;
} axis;

static bool is_dense(const fanin_tensor *t) {
  for (int d = 0; d < t->rank; d++) {
    if (t->strides[d] != 0) return false;
  }
  return true;
}

static fanin_status check_element(const fanin_tensor *t) {
  const size_t size = fanin_dtype_size(t->dtype);
  FANIN__TRY(fanin__known_dtype(t->dtype));
  if (t->offset % size != 0) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "offset = %zu is not a multiple of %s's %zu bytes", t->offset,
                       fanin_dtype_name(t->dtype), size);
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin__range_of(const fanin_tensor *t, uint64_t *first, uint64_t *count) {
  uint64_t whole = 1;
  for (int d = 0; d < t->rank; d++) {
    whole *= t->shape[d];
  }
  *first = t->part == FANIN_PART_RANGE ? t->first : 0;
  *count = t->part == FANIN_PART_RANGE ? t->count : whole;
  if (*first > whole || *count > whole - *first) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                       "range first = %" PRIu64 ", count = %" PRIu64 " leaves the %" PRIu64 " elements", *first, *count,
                       whole);
  }
  return FANIN_STATUS_OK;
}

static fanin_status view_range(const fanin_tensor *t, fanin__view *view) {
  uint64_t first = 0, count = 0;
  FANIN__TRY(fanin__range_of(t, &first, &count));
  if (!is_dense(t)) return fanin__fail(FANIN_STATUS_BAD_SHAPE, "strides are not accepted with a range, which is dense");
  const size_t size = fanin_dtype_size(t->dtype);
  if (count > UINT64_MAX / size) {
    return fanin__fail(FANIN_STATUS_BAD_SIZE, "count = %" PRIu64 " elements of %zu bytes overflow 64 bits", count,
                       size);
  }
  if (count == 0) return FANIN_STATUS_OK;
  view->elements = count;
  view->bytes = count * size;
  view->first_index = first;
  view->row_length = count;
  view->rows = 1;
  return FANIN_STATUS_OK;
}

fanin_status fanin__slab_of(const fanin_tensor *t, uint64_t *start, uint64_t *extent) {
  for (int d = 0; d < t->rank; d++) {
    start[d] = t->part == FANIN_PART_SLAB ? t->start[d] : 0;
    extent[d] = t->part == FANIN_PART_SLAB ? t->extent[d] : t->shape[d];
    if (start[d] > t->shape[d] || extent[d] > t->shape[d] - start[d]) {
      return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                         "slab start[%d] = %" PRIu64 ", extent[%d] = %" PRIu64 " leaves shape[%d] = %" PRIu64, d,
                         start[d], d, extent[d], d, t->shape[d]);
    }
  }
  return FANIN_STATUS_OK;
}

/* The dimensions that matter, those with more than one index, innermost first. */
static int list_axes(const fanin_tensor *t, const fanin__roles *roles, const uint64_t *extent, axis *axes) {
  const bool dense = is_dense(t);
  uint64_t below = 1;
  int n = 0;
  for (int d = t->rank - 1; d >= 0; d--) {
    if (extent[d] == 1) continue;
    axes[n++] = (axis){d, extent[d], roles->stride[d], dense ? below : t->strides[d]};
    below *= extent[d];
  }
  return n;
}

/* Takes the axes from the smallest step in memory to the largest: each must step past all that the smaller ones reach.
 * `reach` is the offset of the part's last element. Rare stride sets that interleave without overlapping are refused
 * as well: telling them apart is a Diophantine problem, and no tensor library makes them. */
static fanin_status check_strides(const axis *axes, int n, size_t element, uint64_t *reach) {
  const axis *sorted[FANIN_MAX_RANK];
  for (int k = 0; k < n; k++) {
    int at = k;
    for (; at > 0 && sorted[at - 1]->memory_stride > axes[k].memory_stride; at--) {
      sorted[at] = sorted[at - 1];
    }
    sorted[at] = &axes[k];
  }
  const uint64_t limit = UINT64_MAX / element - 1;
  *reach = 0;
  for (int k = 0; k < n; k++) {
    const axis *const a = sorted[k];
    if (a->memory_stride <= *reach) {
      return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                         "strides[%d] = %" PRIu64 " lets elements overlap; accepted are %" PRIu64 " and more",
                         a->dimension, a->memory_stride, *reach + 1);
    }
    if (a->extent - 1 > (limit - *reach) / a->memory_stride) {
      return fanin__fail(FANIN_STATUS_BAD_SIZE,
                         "the part's bytes overflow 64 bits at dimension %d: %" PRIu64
                         " steps of strides[%d] = %" PRIu64,
                         a->dimension, a->extent, a->dimension, a->memory_stride);
    }
    *reach += (a->extent - 1) * a->memory_stride;
  }
  return FANIN_STATUS_OK;
}

/* Joins each axis to the one within it that it continues, in index and in memory alike. The products cannot overflow:
 * extent * memory_stride <= 2 * reach, and check_strides() keeps reach below 2^63 for elements of 2 bytes or more. */
static int merge_axes(axis *axes, int n) {
  int merged = 0;
  for (int k = 0; k < n; k++) {
    axis *const inner = merged > 0 ? &axes[merged - 1] : NULL;
    if (inner && axes[k].index_stride == inner->index_stride * inner->extent &&
        axes[k].memory_stride == inner->memory_stride * inner->extent) {
      inner->extent *= axes[k].extent;
    } else {
      axes[merged++] = axes[k];
    }
  }
  return merged;
}

static fanin_status view_box(const fanin_tensor *t, const fanin__roles *roles, fanin__view *view) {
  uint64_t start[FANIN_MAX_RANK] = {0}, extent[FANIN_MAX_RANK] = {0};
  FANIN__TRY(fanin__slab_of(t, start, extent));
  uint64_t elements = 1, first_index = 0;
  for (int d = 0; d < t->rank; d++) {
    elements *= extent[d];
    first_index += start[d] * roles->stride[d];
  }
  if (elements == 0) return FANIN_STATUS_OK;

  axis axes[FANIN_MAX_RANK];
  int n = list_axes(t, roles, extent, axes);
  const size_t element = fanin_dtype_size(t->dtype);
  uint64_t reach = 0;
  FANIN__TRY(check_strides(axes, n, element, &reach));
  n = merge_axes(axes, n);

  view->elements = elements;
  view->bytes = (reach + 1) * element;
  view->first_index = first_index;
  view->row_length = 1;
  view->rows = 1;
  int k = 0;
  /* Without a step of 1 in index (a slab one element wide), every element is a row. */
  if (n > 0 && axes[0].index_stride == 1) {
    view->row_length = axes[0].extent;
    view->memory_stride = axes[0].memory_stride;
    k = 1;
  }
  for (; k < n; k++) {
    view->row_extent[view->row_rank] = axes[k].extent;
    view->row_index_stride[view->row_rank] = axes[k].index_stride;
    view->row_stride[view->row_rank] = axes[k].memory_stride;
    view->row_rank++;
    view->rows *= axes[k].extent;
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin__view_of(const fanin_tensor *t, fanin__view *view) {
  *view = (fanin__view){.memory_stride = 1};
  fanin__roles roles;
  FANIN__TRY(fanin__roles_of(t, &roles));
  FANIN__TRY(check_element(t));
  switch (t->part) {
  case FANIN_PART_WHOLE:
  case FANIN_PART_SLAB:
    return view_box(t, &roles, view);
  case FANIN_PART_RANGE:
    return view_range(t, view);
  }
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "part is %d; accepted are 0 (whole), 1 (slab) and 2 (range)",
                     (int)t->part);
}
