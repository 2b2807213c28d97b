/* Where a tensor is and what it is: element types, shapes, layouts, parts and strides. Stable. */
#ifndef FANIN_TENSOR_H
#define FANIN_TENSOR_H

#include "base.h"
#include "device.h"

FANIN_C_BEGIN

/* ---- Element types ----------------------------------------------------------------------------------------------- */

/* FANIN_DTYPE_COUNT is the number of this header's dtypes; a newer library may know more. */
typedef enum fanin_dtype {
  FANIN_DTYPE_F32,
  FANIN_DTYPE_F16,
  FANIN_DTYPE_BF16,
  FANIN_DTYPE_F64,
  FANIN_DTYPE_F8_E4M3, /* OCP's 8-bit floats: 4 bits of exponent and 3 of fraction, finite numbers and NaN alone, */
  FANIN_DTYPE_F8_E5M2, /* and 5 bits of exponent and 2 of fraction, with infinities */
  FANIN_DTYPE_COUNT
} fanin_dtype;

/* A dtype's names and numbers. Texts are static. */
typedef struct fanin_dtype_info {
  const char *name;        /* "f32", "f16", "bf16", "f64", "f8_e4m3", "f8_e5m2" */
  const char *safetensors; /* what safetensors files call it */
  const char *npy;         /* descr in npy files; NULL: they have no such dtype */
  const char *python;      /* the name in NumPy or ml_dtypes */
  size_t bytes;            /* of an element */
  int dlpack_code;         /* DLDataTypeCode of DLPack, which calls for 8 * bytes bits */
  int digits;              /* binary digits of the significand */
  int least;               /* the smallest positive number is 2^least */
  double largest;          /* finite number */
  int has_infinities;      /* 1, or 0 where nothing but NaN is past the largest number */
  int needs_fp64;          /* 1: values are computed in double, which a device may lack; 0: in float, rounded once */
} fanin_dtype_info;

/* `size` is sizeof *out; the struct may grow. FANIN_STATUS_BAD_ARGUMENT for a value that is no dtype, so
 * that a loop from 0 on sees all that the library has. */
FANIN_API fanin_status fanin_dtype_describe(fanin_dtype dtype, fanin_dtype_info *out, size_t size);

/* Bytes of an element; 0 for a value that is no dtype. */
FANIN_API size_t fanin_dtype_size(fanin_dtype dtype);
/* "f32", "f16", "bf16", "f64", "f8_e4m3", "f8_e5m2"; "unknown dtype" for any other value. Static storage. */
FANIN_API const char *fanin_dtype_name(fanin_dtype dtype);
/* The dtype of such a name, or of float32, fp32, float16, fp16, half, bfloat16, float64, fp64, double, float8_e4m3fn,
 * fp8_e4m3, float8_e5m2 or fp8_e5m2; small and capital letters are the same. FANIN_STATUS_BAD_TEXT lists the names. */
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
  char layout[FANIN_MAX_RANK + 1];  /* one letter for each dimension: D, H, W and G at most once each, O, I and B for
                                       each dimension that has the role; "" if only initializers without fans are
                                       used */
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
 *   fan_in = I * taps, fan_out = O * taps / splits, taps = D * H * W; B counts for nothing. Where several dimensions
 * are lettered O, or I, that is the product of their extents ("IOO": features to heads x head size); groups and splits
 * are 1 there.
 * With groups > 1 both count one group's features. The shape names one of them in full: O, or I where I is the
 * layout's first letter (transposed convolution, "IOHW"); that one is divided by groups.
 * G takes the place of I in depthwise kernels ("HWGO" for height x width x channels x multiplier): each index of it is
 * one input feature and a group of its own, so that fan_in = taps and fan_out = O * taps.
 * FANIN_STATUS_BAD_LAYOUT where there is no O or no I. */
FANIN_API fanin_status fanin_fans(const fanin_tensor *t, uint64_t *fan_in, uint64_t *fan_out);

FANIN_C_END

#endif
