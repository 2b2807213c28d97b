/* Where a tensor is and what it is: element types, shapes, layouts, parts and strides. Stable. */
#ifndef FANIN_TENSOR_H
#define FANIN_TENSOR_H

#include "base.h"
#include "device.h"

FANIN_C_BEGIN

/* ---- Element types ----------------------------------------------------------------------------------------------- */

/* enumerator, name, bytes of an element */
#define FANIN_DTYPE_MAP(XX)                                                                                            \
  XX(F32, f32, 4)                                                                                                      \
  XX(F16, f16, 2)                                                                                                      \
  XX(BF16, bf16, 2)                                                                                                    \
  XX(F64, f64, 8)

/* FANIN_DTYPE_COUNT is the number of this header's dtypes; a newer library may know more. */
/* clang-format off */
typedef enum fanin_dtype {
#define FANIN_DTYPE_ENUM(name, text, size) FANIN_DTYPE_##name,
  FANIN_DTYPE_MAP(FANIN_DTYPE_ENUM)
#undef FANIN_DTYPE_ENUM
  FANIN_DTYPE_COUNT
} fanin_dtype;
/* clang-format on */

/* Bytes of an element; 0 for a value that is no dtype. */
FANIN_API size_t fanin_dtype_size(fanin_dtype dtype);
/* "f32", "f16", "bf16", "f64"; "unknown dtype" for any other value. Static storage. */
FANIN_API const char *fanin_dtype_name(fanin_dtype dtype);
/* The dtype of such a name. FANIN_STATUS_BAD_TEXT lists the names that are accepted. */
FANIN_API fanin_status fanin_dtype_parse(const char *text, fanin_dtype *out);

/* ---- Tensors ----------------------------------------------------------------------------------------------------- */

/* Which of the tensor's elements memory holds. */
typedef enum fanin_part {
  FANIN_PART_WHOLE, /* memory holds the whole tensor */
  FANIN_PART_SLAB,  /* memory holds start[d] .. start[d] + extent[d] of each dimension d */
  FANIN_PART_RANGE  /* memory holds elements first .. first + count of the row-major order, densely */
} fanin_part;

/* Where a tensor is and what it is. Make one with fanin_tensor_of() or fanin_tensor_alloc(), then narrow it with
 * fanin_tensor_slab(), fanin_tensor_range() and fanin_tensor_strided(). The fields may also be set by hand: every
 * function that takes a tensor checks all of it. A tensor is plain data. It does not own its buffer, except where
 * fanin_tensor_alloc() says so. */
typedef struct fanin_tensor {
  cl_mem buffer; /* may be NULL where no device is involved (fans, expectations) */
  size_t offset; /* bytes from the buffer's start to the part's first element; a multiple of the element's size */
  fanin_dtype dtype;
  int rank;                         /* 0 (a scalar, one element) .. FANIN_MAX_RANK */
  uint64_t shape[FANIN_MAX_RANK];   /* of the WHOLE tensor: fans and element indices come from it */
  uint64_t strides[FANIN_MAX_RANK]; /* in memory, in elements; all zero: the part is dense, row-major */
  char layout[FANIN_MAX_RANK + 1];  /* one letter for each dimension: O, I, B, and each of D, H, W at most once; "" if
                                       only initializers without fans are used */
  uint32_t groups;                  /* groups of a convolution; 0 and 1 are none */
  uint32_t splits;                  /* matrices fused along O (QKV: 3); 0 and 1 are none */
  fanin_part part;
  uint64_t start[FANIN_MAX_RANK];  /* FANIN_PART_SLAB */
  uint64_t extent[FANIN_MAX_RANK]; /* FANIN_PART_SLAB */
  uint64_t first, count;           /* FANIN_PART_RANGE */
  uint64_t reserved[4];            /* must be 0 */
} fanin_tensor;

/* Makes a dense tensor in a buffer that the caller owns. `layout` NULL or "" is none. `shape` has `rank` numbers and
 * may be NULL for a scalar. Errors: FANIN_STATUS_BAD_ARGUMENT, FANIN_STATUS_BAD_SHAPE, FANIN_STATUS_BAD_LAYOUT,
 * FANIN_STATUS_BAD_SIZE. The buffer is checked when the tensor is used. */
FANIN_API fanin_status fanin_tensor_of(cl_mem buffer, size_t offset, fanin_dtype dtype, const char *layout, int rank,
                                       const uint64_t *shape, fanin_tensor *out);

/* The same with a new read-write buffer for the tensor's own elements. The caller owns it: fanin_tensor_free() or
 * clReleaseMemObject(). A tensor without elements has no buffer. Errors: as above, and OpenCL's. */
FANIN_API fanin_status fanin_tensor_alloc(fanin *f, fanin_dtype dtype, const char *layout, int rank,
                                          const uint64_t *shape, fanin_tensor *out);

/* Releases t->buffer and sets it to NULL. NULL is ignored. */
FANIN_API void fanin_tensor_free(fanin_tensor *t);

/* t, with memory that holds only a part: an N-dimensional slab (`start` and `extent` have t->rank numbers each), or a
 * contiguous range of the row-major order. The part may be empty. `out` may be `t`.
 * Errors: FANIN_STATUS_BAD_SHAPE for a part that leaves the tensor, and those of fanin_tensor_of(). */
FANIN_API fanin_status fanin_tensor_slab(const fanin_tensor *t, const uint64_t *start, const uint64_t *extent,
                                         fanin_tensor *out);
FANIN_API fanin_status fanin_tensor_range(const fanin_tensor *t, uint64_t first, uint64_t count, fanin_tensor *out);

/* t, with memory in steps of strides[d] elements in dimension d (t->rank numbers). They are the strides of the part, so
 * cut the slab first. `out` may be `t`. Errors: FANIN_STATUS_BAD_SHAPE where elements overlap or t is a range, and
 * those of fanin_tensor_of(). */
FANIN_API fanin_status fanin_tensor_strided(const fanin_tensor *t, const uint64_t *strides, fanin_tensor *out);

/* The number of elements of the part that memory holds, and the bytes from its first to past its last element. Checks
 * the whole tensor except for the buffer. */
FANIN_API fanin_status fanin_tensor_size(const fanin_tensor *t, uint64_t *elements, uint64_t *bytes);

/* fan_in and fan_out of the whole tensor by its layout, without a device:
 *   fan_in = I * taps, fan_out = O * taps / splits, taps = D * H * W; B counts for nothing.
 * With groups > 1 both count one group's features. The shape names one of them in full: O, or I where I is the
 * layout's first letter (transposed convolution, "IOHW"); that one is divided by groups.
 * FANIN_STATUS_BAD_LAYOUT where there is no O or no I. */
FANIN_API fanin_status fanin_fans(const fanin_tensor *t, uint64_t *fan_in, uint64_t *fan_out);

FANIN_C_END

#endif
