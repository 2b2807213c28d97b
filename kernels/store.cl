/* From four vectors of words or values, lane j holding block j's, to memory in natural order, rounded to the dtype.
 *
 * A 4 x LANES transpose would need shuffles across the whole vector. Instead lane_block() deals the blocks to the lanes
 * so that 4 x 4 transposes inside groups of four lanes are enough: those are cheap everywhere. */
#ifndef FANIN_STORE_CL
#define FANIN_STORE_CL

#include "lanes.cl"

#if defined(F64)
typedef double element;
typedef vdouble value;
#elif defined(F16) || defined(BF16)
typedef ushort element;
typedef vfloat value;
#define PACKED
#else
typedef float element;
typedef vfloat value;
#endif

#define CHUNK (4 * LANES) /* elements that LANES blocks make */

/* The block, counted from the chunk's first, that each lane works on. */
#if LANES == 1
#define LANE_BLOCK (0u)
#elif LANES == 2
#define LANE_BLOCK ((uint2)(0, 1))
#elif LANES == 4
#define LANE_BLOCK ((uint4)(0, 1, 2, 3))
#elif LANES == 8 && defined(PACKED)
#define LANE_BLOCK ((uint8)(0, 1, 4, 5, 2, 3, 6, 7))
#elif LANES == 8
#define LANE_BLOCK ((uint8)(0, 2, 4, 6, 1, 3, 5, 7))
#elif defined(PACKED)
#define LANE_BLOCK ((uint16)(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15))
#else
#define LANE_BLOCK ((uint16)(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15))
#endif

/* Of every four lanes of a and b: LOW a0 b0 a1 b1, HIGH a2 b2 a3 b3, LOW2 a0 a1 b0 b1, HIGH2 a2 a3 b2 b3. */
#if LANES == 4
#define PICK_LOW   0, 4, 1, 5
#define PICK_HIGH  2, 6, 3, 7
#define PICK_LOW2  0, 1, 4, 5
#define PICK_HIGH2 2, 3, 6, 7
#elif LANES == 8
#define PICK_LOW   0, 8, 1, 9, 4, 12, 5, 13
#define PICK_HIGH  2, 10, 3, 11, 6, 14, 7, 15
#define PICK_LOW2  0, 1, 8, 9, 4, 5, 12, 13
#define PICK_HIGH2 2, 3, 10, 11, 6, 7, 14, 15
#elif LANES == 16
#define PICK_LOW   0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define PICK_HIGH  2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#define PICK_LOW2  0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define PICK_HIGH2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#endif

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HAS_SHUFFLEVECTOR
#endif
#endif
#if defined(HAS_SHUFFLEVECTOR)
#define PICK(a, b, lanes) __builtin_shufflevector(a, b, lanes)
#elif defined(F64)
#define PICK(a, b, lanes) shuffle2(a, b, (vulong)(lanes))
#else
#define PICK(a, b, lanes) shuffle2(a, b, (vuint)(lanes))
#endif

/* ---- Rounding to the dtype, to nearest, ties to even. Finite values only, which the host has seen to. --------------
 */

#if defined(F16) && LANES == 2
/* GPUs round to half in one instruction; full profiles round to nearest where no mode is named. */
static uint pack_pair(float a, float b) {
  ushort2 halves;
  vstore_half2((float2)(a, b), 0, (half *)&halves);
  return as_uint(halves);
}

static uint2 pack(float2 a, float2 b) {
  return (uint2)(pack_pair(a.x, b.x), pack_pair(a.y, b.y));
}
#elif defined(F16)
/* The bits of a half in the low 16 bits of each lane: normal numbers round by integer addition; below 2^-14 the float
 * addition to 1/2, whose last place is half's smallest step, rounds. */
static vuint round_bits(vfloat v) {
  const vuint bits = AS(uint, v);
  const vuint magnitude = bits & 0x7fffffffu;
  const vuint normal = (magnitude + (0x0fffu - 0x38000000u) + ((magnitude >> 13) & 1u)) >> 13;
  const vuint subnormal = AS(uint, AS(float, magnitude) + 0.5f) - 0x3f000000u;
  const vint small = AS(int, magnitude) < 0x38800000;
  return select(normal, subnormal, small) | ((bits >> 16) & 0x8000u);
}
#elif defined(BF16)
static vuint round_bits(vfloat v) {
  const vuint bits = AS(uint, v);
  return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}
#endif

#if defined(PACKED) && !(defined(F16) && LANES == 2)
/* Two elements each, a in the lower half. */
static vuint pack(vfloat a, vfloat b) {
  return round_bits(a) | (round_bits(b) << 16);
}
#endif

/* ---- Natural order and stores --------------------------------------------------------------------------------------
 */

/* CHUNK elements in memory's order, as vectors of LANES 32-bit words (two elements each for 16-bit dtypes) or values.
 */
#if defined(PACKED)
#define OUT_VECTORS 2
typedef vuint out_vector;
#else
#define OUT_VECTORS 4
typedef value out_vector;
#endif

typedef struct chunk {
  out_vector v[OUT_VECTORS];
} chunk;

/* v0 .. v3: elements 0 .. 3 of each lane's block. */
static chunk natural_order(value v0, value v1, value v2, value v3) {
  chunk c;
#if defined(PACKED)
  const vuint v01 = pack(v0, v1), v23 = pack(v2, v3);
#if LANES == 2
  c.v[0] = (uint2)(v01.x, v23.x);
  c.v[1] = (uint2)(v01.y, v23.y);
#else
  c.v[0] = PICK(v01, v23, PICK_LOW);
  c.v[1] = PICK(v01, v23, PICK_HIGH);
#endif
#elif LANES == 1
  c.v[0] = v0;
  c.v[1] = v1;
  c.v[2] = v2;
  c.v[3] = v3;
#else
  const value a = PICK(v0, v1, PICK_LOW), b = PICK(v0, v1, PICK_HIGH);
  const value d = PICK(v2, v3, PICK_LOW), e = PICK(v2, v3, PICK_HIGH);
  c.v[0] = PICK(a, d, PICK_LOW2);
  c.v[1] = PICK(a, d, PICK_HIGH2);
  c.v[2] = PICK(b, e, PICK_LOW2);
  c.v[3] = PICK(b, e, PICK_HIGH2);
#endif
  return c;
}

#define STORE(v, out) JOIN(vstore, LANES)(v, 0, out)
#if LANES == 4
#define STORE_HALVES(v, out) vstore8(as_ushort8(v), 0, out)
#elif LANES == 8
#define STORE_HALVES(v, out) vstore16(as_ushort16(v), 0, out)
#elif LANES == 16
#define STORE_HALVES(v, out)                                                                                           \
  do {                                                                                                                 \
    vstore16(as_ushort16((v).lo), 0, out);                                                                             \
    vstore16(as_ushort16((v).hi), 0, (out) + 16);                                                                      \
  } while (0)
#endif

/* Whether whole chunks from this element on may be stored as vectors. Scalar items store 16 bytes at once, which must
 * be aligned; wide ones store as many elements as they have lanes, wherever they lie. */
static bool stores_vectors(global const element *at) {
#if LANES <= 2
  return ((size_t)at & 15u) == 0;
#else
  (void)at;
  return true;
#endif
}

/* A whole chunk to consecutive elements. */
static void store_chunk(global element *out, const chunk *c) {
#if LANES == 2
  *(global uint4 *)out = (uint4)(c->v[0], c->v[1]);
#elif LANES == 1 && defined(F64)
  *(global double2 *)out = (double2)(c->v[0], c->v[1]);
  *(global double2 *)(out + 2) = (double2)(c->v[2], c->v[3]);
#elif LANES == 1
  *(global float4 *)out = (float4)(c->v[0], c->v[1], c->v[2], c->v[3]);
#elif defined(PACKED)
  STORE_HALVES(c->v[0], out);
  STORE_HALVES(c->v[1], out + 2 * LANES);
#else
  STORE(c->v[0], out);
  STORE(c->v[1], out + LANES);
  STORE(c->v[2], out + 2 * LANES);
  STORE(c->v[3], out + 3 * LANES);
#endif
}

/* Elements from .. to of a chunk, `stride` apart; its element 0 would be buffer[at]. Scalar items test each element:
 * an index that is not constant would put the chunk into memory. */
#define PUT(i, x)                                                                                                      \
  if (from <= (i) && (i) < to) buffer[at + (i)*stride] = (element)(x)
static void store_some(global element *buffer, ulong at, ulong stride, const chunk *c, uint from, uint to) {
#if LANES == 2
  PUT(0, c->v[0].x);
  PUT(1, c->v[0].x >> 16);
  PUT(2, c->v[0].y);
  PUT(3, c->v[0].y >> 16);
  PUT(4, c->v[1].x);
  PUT(5, c->v[1].x >> 16);
  PUT(6, c->v[1].y);
  PUT(7, c->v[1].y >> 16);
#elif LANES == 1
  PUT(0, c->v[0]);
  PUT(1, c->v[1]);
  PUT(2, c->v[2]);
  PUT(3, c->v[3]);
#elif defined(PACKED)
  const uint *words = (const uint *)c->v;
  for (uint i = from; i < to; ++i)
    PUT(i, words[i >> 1] >> (16u * (i & 1u)));
#else
  const element *values = (const element *)c->v;
  for (uint i = from; i < to; ++i)
    PUT(i, values[i]);
#endif
}

#endif
