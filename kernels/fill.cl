/* One kernel for every distribution and dtype: -D CONSTANT, UNIFORM, NORMAL, TRUNC_CORE or TRUNC, and -D F32, F16, BF16
 * or F64 (UNIFORM and F32 where none is given). Every value is a function of the key and the element's index in the
 * whole tensor (docs/stream.md).
 *
 * The work is cut along the stream's blocks, not along memory: an item makes whole chunks of LANES blocks, and a chunk
 * that the row covers in full is stored as vectors. */
#include "philox.cl"
#include "store.cl"
#if defined(F64)
#include "math64.cl"
#else
#include "math.cl"
#endif

#if defined(F64)
typedef double real;
typedef double16 parameters;
#else
typedef float real;
typedef float16 parameters;
#endif

/* ---- Distributions: from the words of LANES blocks to their values --------------------------------------------------
 */

#if defined(F64)
/* In f64 a draw takes 64 bits: the high word from the block, the low word from the same block of plane 1. */
typedef vulong draw;
#else
typedef vuint draw;
#endif

typedef struct values {
  value v0, v1, v2, v3;
} values;

#if !defined(CONSTANT) && !defined(NORMAL) && !defined(TRUNC_CORE) && !defined(TRUNC)
/* UNIFORM. p: middle, half width, lower and upper bound (representable in the dtype). */
static value transform(draw d, parameters p) {
  return clamp(fma((value)(p.s1), signed_unit(d), (value)(p.s0)), (value)(p.s2), (value)(p.s3));
}
#elif defined(TRUNC_CORE) || defined(TRUNC)
/* p: mean, std, lower and upper bound; middle and half width of x = P(|Z| <= |z|) signed; width of the probability and
 * its offsets at the lower and at the upper end, all three divided by a reference probability, and -2 ln of that. */
static value transform(draw d, parameters p) {
  const value x = fma((value)(p.s5), signed_unit(d), (value)(p.s4));
#if defined(TRUNC)
  const value z = inverse(x, d, p.s6, p.s7, p.s8, p.s9);
#else
  const value z = inverse_core(x);
#endif
  return clamp(fma((value)(p.s1), z, (value)(p.s0)), (value)(p.s2), (value)(p.s3));
}
#endif

#if defined(NORMAL)
/* p: mean, std. */
static values distribution(draw d0, draw d1, draw d2, draw d3, parameters p) {
  values v;
  box_muller(d0, d1, &v.v0, &v.v1);
  box_muller(d2, d3, &v.v2, &v.v3);
  v.v0 = fma((value)(p.s1), v.v0, (value)(p.s0));
  v.v1 = fma((value)(p.s1), v.v1, (value)(p.s0));
  v.v2 = fma((value)(p.s1), v.v2, (value)(p.s0));
  v.v3 = fma((value)(p.s1), v.v3, (value)(p.s0));
  return v;
}
#elif !defined(CONSTANT)
static values distribution(draw d0, draw d1, draw d2, draw d3, parameters p) {
  values v;
  v.v0 = transform(d0, p);
  v.v1 = transform(d1, p);
  v.v2 = transform(d2, p);
  v.v3 = transform(d3, p);
  return v;
}
#endif

/* ---- Blocks
 * ---------------------------------------------------------------------------------------------------------- */

#if !defined(CONSTANT)
/* Words of LANES blocks from `block` on, dealt to the lanes by LANE_BLOCK. */
static words block_words(ulong block, uint4 key) {
  const vuint low = (uint)block + LANE_BLOCK;
  const vuint high = (uint)(block >> 32) + select((vuint)(0u), (vuint)(1u), low < (vuint)((uint)block));
  return philox(low, high, (vuint)(key.s2), (vuint)(key.s3), key.s0, key.s1);
}
#endif

/* Elements 4 block .. 4 block + CHUNK of the stream. key: seed and stream, low words first. */
static chunk make_chunk(ulong block, uint4 key, parameters p) {
#if defined(CONSTANT)
  (void)block, (void)key; /* p: the value */
  return natural_order((value)(p.s0), (value)(p.s0), (value)(p.s0), (value)(p.s0));
#else
#if defined(F64)
  const words hi = block_words(block, key);
  const words lo = block_words(block | 0x8000000000000000ul, key);
  const values v = distribution(join(hi.w0, lo.w0), join(hi.w1, lo.w1), join(hi.w2, lo.w2), join(hi.w3, lo.w3), p);
#else
  const words w = block_words(block, key);
  const values v = distribution(w.w0, w.w1, w.w2, w.w3, p);
#endif
  return natural_order(v.v0, v.v1, v.v2, v.v3);
#endif
}

/* Fills rows of consecutive indices. Item (c, r) of the range makes chunks of row r; the row's number unfolds,
 * innermost dimension first, into the coordinates of row_rank dimensions with the given extents, index strides and
 * memory strides.
 *
 * buffer, origin: where the part's first element is, in elements.
 * first_index, row_length, stride: of the first row, and the memory stride within a row.
 * chunks: how many chunks a row touches; an item takes `repeat` of them, get_local_size(0) apart. */
kernel void fill(global element *restrict buffer, const ulong origin, const ulong first_index, const ulong row_length,
                 const ulong stride, const ulong chunks, const uint repeat, const ulong rows, const uint row_rank,
                 const ulong8 row_extent, const ulong8 row_index_stride, const ulong8 row_stride, const uint4 key,
                 const parameters p) {
  ulong begin = first_index; /* the row's elements are begin .. end of the whole tensor */
  ulong memory = origin;
  if (get_global_id(1) >= rows) return;
  if (row_rank > 0) {
    ulong extent[8], index_stride[8], memory_stride[8];
    vstore8(row_extent, 0, extent);
    vstore8(row_index_stride, 0, index_stride);
    vstore8(row_stride, 0, memory_stride);
    ulong row = get_global_id(1);
    for (uint d = 0; d + 1 < row_rank; ++d) {
      const ulong coordinate = row % extent[d];
      row /= extent[d];
      begin += coordinate * index_stride[d];
      memory += coordinate * memory_stride[d];
    }
    begin += row * index_stride[row_rank - 1];
    memory += row * memory_stride[row_rank - 1];
  }
  const ulong end = begin + row_length;
  const ulong first_block = begin >> 2;
  ulong c = get_group_id(0) * get_local_size(0) * repeat + get_local_id(0);
  for (uint i = 0; i < repeat && c < chunks; ++i, c += get_local_size(0)) {
    const ulong block = first_block + c * LANES;
    const ulong index = block << 2;
    if (index >= end) break;
    const chunk made = make_chunk(block, key, p);
    if (stride == 1 && index >= begin && end - index >= CHUNK) {
      store_chunk(buffer + memory + (index - begin), &made);
    } else {
      const uint from = index < begin ? (uint)(begin - index) : 0u;
      const uint to = end - index < CHUNK ? (uint)(end - index) : (uint)CHUNK;
      store_some(buffer + memory + (index + from - begin) * stride, stride, &made, from, to);
    }
  }
}

#if defined(CONSTANT)
/* The ones of identity and dirac, over a part that is already zero: item (d, k, b) is one d of part k of matrix b, at
 * coordinates b in B, k part.x + d in O and k part.y + d in I. Vectors hold (B, O, I, -).
 *
 * start, extent: what memory holds of these dimensions; an item outside does nothing.
 * memory_stride: in memory, in elements; buffer, origin: where the part's first element is, plus what the taps add.
 * index_stride, first_index, range: if range > 0, memory instead holds indices first_range .. first_range + range of
 * the whole tensor densely; first_index is what the taps add to the index. */
kernel void ones(global element *restrict buffer, const ulong origin, const ulong2 part, const ulong4 start,
                 const ulong4 extent, const ulong4 memory_stride, const ulong4 index_stride, const ulong first_index,
                 const ulong first_range, const ulong range, const parameters p) {
  const ulong d = get_global_id(0), k = get_global_id(1);
  const ulong4 at = (ulong4)(get_global_id(2), k * part.x + d, k * part.y + d, 0);
  ulong memory;
  if (range > 0) {
    const ulong4 step = at * index_stride;
    memory = first_index + step.x + step.y + step.z - first_range; /* wraps to a large number below the range */
    if (memory >= range) return;
  } else {
    const ulong4 inside = at - start;
    if (inside.x >= extent.x || inside.y >= extent.y || inside.z >= extent.z) return;
    const ulong4 step = inside * memory_stride;
    memory = step.x + step.y + step.z;
  }
  const chunk one = make_chunk(0, (uint4)(0), p);
  store_some(buffer + origin + memory, 1, &one, 0, 1);
}
#endif
