/* From the values of chunks to memory: rounding to the dtype, natural order, and stores.
 *
 * A chunk is CHUNK consecutive elements from a multiple of CHUNK on. Scalar items make one at a time: a block, or
 * (16-bit dtypes) two. Wide items make ABREAST at a time, each of the BLOCK_LANES blocks of a vector. Values come as
 * vectors of even and of odd elements:
 *   scalar items  elements 0 and 2 of the blocks, and 1 and 3;
 *   wide items    a chunk's elements 0 and 2 of its blocks in turn, and 1 and 3;
 *   wide, f64     for each chunk elements 0, then 2; and 1, then 3.
 * LANE_BLOCK says which block of its chunk each lane works on: dealt so that the shuffles that are left to do stay
 * inside 128 bits where that is possible, which is what vector units do fast. */
#ifndef FANIN_STORE_CL
#define FANIN_STORE_CL

#include "lanes.cl"
#include "philox.cl"

#if defined(F64)
typedef double element;
typedef vdouble value;
#elif defined(F16) || defined(BF16)
typedef ushort element;
typedef vfloat value;
#else
typedef float element;
typedef vfloat value;
#endif

#if !defined(WIDE)
#define BLOCKS  LANES
#define VECTORS 4
#elif defined(F64)
#define BLOCKS  BLOCK_LANES
#define VECTORS (4 * ABREAST)
#else
#define BLOCKS  BLOCK_LANES
#define VECTORS (2 * ABREAST)
#endif
#define CHUNK (4 * BLOCKS)

/* Vectors of draws that a distribution is computed for, a pass over each. Normals come in pairs, from the draws of even
 * and of odd elements. Wide items have registers for all of them together; scalar ones need few. */
#if defined(NORMAL)
#define PASSED (VECTORS / 2)
#else
#define PASSED VECTORS
#endif
#if defined(WIDE)
#define TOGETHER PASSED
#else
#define TOGETHER 1
#endif
#define ALL(i) _Pragma("unroll") for (int i = 0; i < TOGETHER; ++i)

#if defined(WIDE)
#if BLOCK_LANES == 2 || defined(BF16)
#define LANE_BLOCK_2 0, 1
#define LANE_BLOCK_4 0, 1, 2, 3
#define LANE_BLOCK_8 0, 1, 2, 3, 4, 5, 6, 7
#elif defined(F64)
#define LANE_BLOCK_4 0, 1, 2, 3
#define LANE_BLOCK_8 0, 2, 4, 6, 1, 3, 5, 7
#else
#define LANE_BLOCK_4 0, 2, 1, 3
#define LANE_BLOCK_8 0, 4, 1, 5, 2, 6, 3, 7
#endif
#define LANE_BLOCK ((words)(JOIN(LANE_BLOCK_, BLOCK_LANES)))
#endif

/* Of every four lanes of a and b: LOW4 a0 b0 a1 b1, HIGH4 a2 b2 a3 b3, LOW2 a0 a1 b0 b1, HIGH2 a2 a3 b2 b3; EVEN a0 b0
 * a2 b2. Of two lanes FIRST a0 b0, SECOND a1 b1. */
#if WIDTH == 2
#define PICK_FIRST  0, 2
#define PICK_SECOND 1, 3
#elif WIDTH == 4
#define PICK_LOW4  0, 4, 1, 5
#define PICK_HIGH4 2, 6, 3, 7
#define PICK_LOW2  0, 1, 4, 5
#define PICK_HIGH2 2, 3, 6, 7
#elif WIDTH == 8
#define PICK_LOW4  0, 8, 1, 9, 4, 12, 5, 13
#define PICK_HIGH4 2, 10, 3, 11, 6, 14, 7, 15
#define PICK_LOW2  0, 1, 8, 9, 4, 5, 12, 13
#define PICK_HIGH2 2, 3, 10, 11, 6, 7, 14, 15
#elif WIDTH == 16
#define PICK_LOW4  0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define PICK_HIGH4 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#endif
#if LANES == 4
#define PICK_EVEN 0, 4, 2, 6
#elif LANES == 8
#define PICK_EVEN 0, 8, 2, 10, 4, 12, 6, 14
#elif LANES == 16
#define PICK_EVEN 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#endif

/* ---- Draws: the random bits of the chunks that begin with certain blocks, a draw an element ---------------------- */

#if defined(F64)
/* In f64 a draw takes 64 bits: the high word from the block, the low word from the same block of plane 1. */
typedef vulong draw;
#else
typedef vuint draw;
#endif

/* Of even elements, then of odd ones. */
typedef struct draws {
  draw d[VECTORS];
} draws;

#define ODD (VECTORS / 2)

#if defined(WIDE) && defined(F64)
#define ABOVE(high, low) (((high) << 32) | ((low)&LOW))
static draws chunk_draws(const ulong block[ABREAST], uint4 key) {
  blocks high[ABREAST], low[ABREAST];
  ulong plane1[ABREAST];
  draws out;
  EACH(g) plane1[g] = block[g] | 0x8000000000000000ul;
  philox(block, LANE_BLOCK, key, high);
  philox(plane1, LANE_BLOCK, key, low);
  EACH(g) {
    out.d[2 * g] = ABOVE(high[g].w0, low[g].w0);
    out.d[ODD + 2 * g] = ABOVE(high[g].w1, low[g].w1);
    out.d[2 * g + 1] = ABOVE(high[g].w2, low[g].w2);
    out.d[ODD + 2 * g + 1] = ABOVE(high[g].w3, low[g].w3);
  }
  return out;
}

#elif defined(WIDE)
static draws chunk_draws(const ulong block[ABREAST], uint4 key) {
  blocks made[ABREAST];
  draws out;
  philox(block, LANE_BLOCK, key, made);
  EACH(g) {
    out.d[g] = PICK(AS(uint, made[g].w0), AS(uint, made[g].w2), vuint, PICK_EVEN);
    out.d[ODD + g] = PICK(AS(uint, made[g].w1), AS(uint, made[g].w3), vuint, PICK_EVEN);
  }
  return out;
}

#elif defined(F64)
static draws chunk_draws(const ulong block[ABREAST], uint4 key) {
  const uint4 high = philox(block[0], key), low = philox(block[0] | 0x8000000000000000ul, key);
  const ulong4 d = (convert_ulong4(high) << 32) | convert_ulong4(low);
  return (draws){{d.s0, d.s2, d.s1, d.s3}};
}

#elif LANES == 2
static draws chunk_draws(const ulong block[ABREAST], uint4 key) {
  const uint4 a = philox(block[0], key), b = philox(block[0] + 1, key);
  return (draws){{(uint2)(a.s0, b.s0), (uint2)(a.s2, b.s2), (uint2)(a.s1, b.s1), (uint2)(a.s3, b.s3)}};
}

#else
static draws chunk_draws(const ulong block[ABREAST], uint4 key) {
  const uint4 d = philox(block[0], key);
  return (draws){{d.s0, d.s2, d.s1, d.s3}};
}
#endif

/* ---- Rounding to the dtype, to nearest, ties to even. Finite values only, which the host has seen to. ------------ */

#if defined(BF16)
/* In the upper half of each lane. */
static vuint round_bits(vfloat v) {
  const vuint bits = AS(uint, v);
  return bits + 0x7fffu + ((bits >> 16) & 1u);
}

/* Two elements each, a in the lower half. */
static vuint pack(vfloat a, vfloat b) {
  return (round_bits(a) >> 16) | (round_bits(b) & 0xffff0000u);
}
#elif defined(WIDE) && defined(F16)
/* Through private memory, which is aligned: PoCL 3.1 stores halves as if all memory were. */
static V(ushort) to_half(value v) {
  V(ushort) bits;
  JOIN(JOIN(vstore_half, LANES), _rte)(v, 0, (half *)&bits);
  return bits;
}
#elif defined(F16)
/* GPUs round to half in one instruction; full profiles round to nearest where no mode is named. */
static uint pack_pair(float a, float b) {
  ushort2 halves;
  vstore_half2((float2)(a, b), 0, (half *)&halves);
  return as_uint(halves);
}

static uint2 pack(float2 a, float2 b) {
  return (uint2)(pack_pair(a.x, b.x), pack_pair(a.y, b.y));
}
#endif

/* ---- Natural order ----------------------------------------------------------------------------------------------- */

/* The elements of ABREAST chunks in memory's order, as PARTS vectors a chunk: of values, of halves, or (bf16, and f16
 * of scalar items) of words of two elements each. */
#if defined(BF16) || (defined(F16) && !defined(WIDE))
typedef vuint part;
#define PARTS (VECTORS / 2 / ABREAST)
#elif defined(F16)
typedef V(ushort) part;
#define PARTS (VECTORS / ABREAST)
#else
typedef value part;
#define PARTS (VECTORS / ABREAST)
#endif

typedef struct chunks {
  part v[PARTS * ABREAST];
} chunks;

typedef struct values {
  value v[VECTORS];
} values;

#if defined(WIDE) && defined(BF16)
static chunks natural_order(const values x) {
  chunks c;
  EACH(g) c.v[g] = pack(x.v[g], x.v[ODD + g]);
  return c;
}

#elif defined(WIDE) && defined(F64)
static chunks natural_order(const values x) {
  chunks c;
  EACH(g) {
    const value v0 = x.v[2 * g], v1 = x.v[ODD + 2 * g], v2 = x.v[2 * g + 1], v3 = x.v[ODD + 2 * g + 1];
#if WIDTH == 2
    c.v[4 * g] = PICK(v0, v1, vulong, PICK_FIRST);
    c.v[4 * g + 1] = PICK(v2, v3, vulong, PICK_FIRST);
    c.v[4 * g + 2] = PICK(v0, v1, vulong, PICK_SECOND);
    c.v[4 * g + 3] = PICK(v2, v3, vulong, PICK_SECOND);
#else
    const value a = PICK(v0, v1, vulong, PICK_LOW4), b = PICK(v0, v1, vulong, PICK_HIGH4);
    const value d = PICK(v2, v3, vulong, PICK_LOW4), e = PICK(v2, v3, vulong, PICK_HIGH4);
    c.v[4 * g] = PICK(a, d, vulong, PICK_LOW2);
    c.v[4 * g + 1] = PICK(a, d, vulong, PICK_HIGH2);
    c.v[4 * g + 2] = PICK(b, e, vulong, PICK_LOW2);
    c.v[4 * g + 3] = PICK(b, e, vulong, PICK_HIGH2);
#endif
  }
  return c;
}

#elif defined(WIDE)
#if defined(F16)
#define TO_PART(x) to_half(x)
#else
#define TO_PART(x) (x)
#endif
static chunks natural_order(const values x) {
  chunks c;
  EACH(g) {
    c.v[2 * g] = TO_PART(PICK(x.v[g], x.v[ODD + g], vuint, PICK_LOW4));
    c.v[2 * g + 1] = TO_PART(PICK(x.v[g], x.v[ODD + g], vuint, PICK_HIGH4));
  }
  return c;
}

#elif LANES == 2
static chunks natural_order(const values x) {
  const uint2 v01 = pack(x.v[0], x.v[ODD]), v23 = pack(x.v[1], x.v[ODD + 1]);
  return (chunks){{(uint2)(v01.x, v23.x), (uint2)(v01.y, v23.y)}};
}

#else
static chunks natural_order(const values x) {
  return (chunks){{x.v[0], x.v[ODD], x.v[1], x.v[ODD + 1]}};
}
#endif

/* Whether whole chunks from this element on may be stored as vectors. Scalar items store 16 bytes at once, which must
 * be aligned; wide ones store whole vectors, wherever they lie. */
static bool stores_vectors(global const element *at) {
#if !defined(WIDE)
  return ((size_t)at & 15u) == 0;
#else
  (void)at;
  return true;
#endif
}

/* A vector to memory that is aligned for its elements only. Where the compiler can be told so, the store is one
 * instruction, which a driver's vstore16 may not be. */
#if defined(__clang__) && defined(WIDE)
typedef part loose __attribute__((aligned(2)));
#define STORE(v, space, out) (*(space loose *)(out) = (v))
#else
#define STORE(v, space, out) JOIN(vstore, WIDTH)(v, 0, out)
#endif

/* Stores that go past the caches spare a processor reading every line that it is about to overwrite. The fence puts
 * them before whatever tells others that the work is done. */
#if defined(__has_builtin) && defined(WIDE)
#if __has_builtin(__builtin_nontemporal_store) && __has_builtin(__builtin_ia32_sfence)
#define HAS_STREAMING
#endif
#endif

static void end_streaming(void) {
#if defined(HAS_STREAMING)
  __builtin_ia32_sfence();
#endif
}

/* Chunk g, whole, to consecutive elements; `streaming`: past the caches, where that can be. */
static void store_chunk(global element *out, const chunks c, int g, bool streaming) {
#if defined(HAS_STREAMING)
  if (streaming && ((size_t)out & (sizeof(part) - 1)) == 0) {
#pragma unroll
    for (int k = 0; k < PARTS; ++k)
      __builtin_nontemporal_store(c.v[PARTS * g + k], (global part *)out + k);
    return;
  }
#else
  (void)streaming;
#endif
#if LANES == 2
  *(global uint4 *)out = (uint4)(c.v[0], c.v[1]);
#elif LANES == 1 && defined(F64)
  *(global double2 *)out = (double2)(c.v[0], c.v[1]);
  *(global double2 *)(out + 2) = (double2)(c.v[2], c.v[3]);
#elif LANES == 1
  *(global float4 *)out = (float4)(c.v[0], c.v[1], c.v[2], c.v[3]);
#else
#pragma unroll
  for (int k = 0; k < PARTS; ++k) {
#if defined(BF16)
    STORE(c.v[PARTS * g + k], global, (global uint *)out + k * LANES);
#else
    STORE(c.v[PARTS * g + k], global, out + k * WIDTH);
#endif
  }
#endif
}

/* ---- Parts of chunks --------------------------------------------------------------------------------------------- */

/* Elements from .. to of chunk g, `stride` apart; its element 0 would be buffer[at]. Scalar items test each element:
 * an index that is not constant would put the chunk into memory. Wide ones store the blocks that are there in full as
 * vectors. */
#define PUT(i, x)                                                                                                      \
  if (from <= (i) && (i) < to) buffer[at + (i)*stride] = (element)(x)
static void store_some(global element *buffer, ulong at, ulong stride, const chunks c, int g, uint from, uint to) {
#if LANES == 2
  PUT(0, c.v[0].x);
  PUT(1, c.v[0].x >> 16);
  PUT(2, c.v[0].y);
  PUT(3, c.v[0].y >> 16);
  PUT(4, c.v[1].x);
  PUT(5, c.v[1].x >> 16);
  PUT(6, c.v[1].y);
  PUT(7, c.v[1].y >> 16);
#elif LANES == 1
  PUT(0, c.v[0]);
  PUT(1, c.v[1]);
  PUT(2, c.v[2]);
  PUT(3, c.v[3]);
#else
  element e[CHUNK];
#pragma unroll
  for (int k = 0; k < PARTS; ++k) {
#if defined(BF16)
    STORE(c.v[PARTS * g + k], private, (uint *)e + k * LANES);
#else
    STORE(c.v[PARTS * g + k], private, e + k * WIDTH);
#endif
  }
  for (uint i = from; i < to;) {
    if (stride == 1 && (i & 3) == 0 && i + 4 <= to) {
      vstore4(vload4(0, e + i), 0, buffer + at + i);
      i += 4;
    } else {
      buffer[at + i * stride] = e[i];
      ++i;
    }
  }
#endif
}

#endif
