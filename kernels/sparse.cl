/* Zeros at random places of lines of weights: exactly so many a line (docs/stream.md, section 4).
 *
 * The weights of a line are put in the order of their keys, which are blocks of the stream and differ from one another;
 * the first `zeros` of that order become 0. The last of these is found digit by digit, from counts of those that share
 * all digits before (a radix selection), so that a line of n weights takes about 1 + log256(n) passes over its keys,
 * which are made anew each time. */
#include "lib/philox.clh"
#include "lib/structs.h"

#define DIGITS   256
#define PASSES   16
#define ORDERING 0x4000000000000000ul /* bit 62 of a block's number: nobody else's blocks have it alone */

/* ---- Keys: the block of a weight's own number, its words in turn ------------------------------------------------- */

#if defined(WIDE)
#define TOGETHER  BLOCK_LANES
#define NUMBERS_2 0, 1
#define NUMBERS_4 0, 1, 2, 3
#define NUMBERS_8 0, 1, 2, 3, 4, 5, 6, 7
#else
#define TOGETHER 1
#endif

typedef struct keys {
  uint w[4][TOGETHER];
} keys;

/* Of weights `stride` indices apart. */
static keys keys_of(const ulong index, const ulong stride, const uint4 key) {
  keys out;
#if defined(WIDE)
  const words block = ((words)(index) + (words)(JOIN(NUMBERS_, BLOCK_LANES)) * stride) | ORDERING;
  words w0 = block, w1 = block >> 32, w2 = (words)((ulong)key.s2), w3 = (words)((ulong)key.s3);
  uint k0 = key.s0, k1 = key.s1;
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const words p0 = LOWER_TIMES(w0, PHILOX_M0), p1 = LOWER_TIMES(w2, PHILOX_M1);
    w0 = (p1 >> 32) ^ w1 ^ (ulong)k0;
    w1 = p1;
    w2 = (p0 >> 32) ^ w3 ^ (ulong)k1;
    w3 = p0;
    k0 += PHILOX_W0;
    k1 += PHILOX_W1;
  }
  JOIN(vstore, BLOCK_LANES)(JOIN(convert_uint, BLOCK_LANES)(w0 & LOW), 0, out.w[0]);
  JOIN(vstore, BLOCK_LANES)(JOIN(convert_uint, BLOCK_LANES)(w1 & LOW), 0, out.w[1]);
  JOIN(vstore, BLOCK_LANES)(JOIN(convert_uint, BLOCK_LANES)(w2 & LOW), 0, out.w[2]);
  JOIN(vstore, BLOCK_LANES)(JOIN(convert_uint, BLOCK_LANES)(w3 & LOW), 0, out.w[3]);
#else
  (void)stride;
  const uint4 w = philox(index | ORDERING, key);
  out.w[0][0] = w.s0;
  out.w[1][0] = w.s1;
  out.w[2][0] = w.s2;
  out.w[3][0] = w.s3;
#endif
  return out;
}

/* Whether a key is `last` or comes before it. */
static bool is_early(const keys *k, const uint lane, local const uint *last) {
  for (uint word = 0; word < 4; ++word) {
    if (k->w[word][lane] != last[word]) return k->w[word][lane] < last[word];
  }
  return true;
}

/* ---- Selection --------------------------------------------------------------------------------------------------- */

/* Adds weights to the counts of their digit `pass`, of 8 bits, if they share all digits before with `last`. */
static void count_digits(const keys *k, const uint valid, const uint pass, local const uint *last, local uint *counts) {
  const uint word = pass / 4, shift = 24 - pass % 4 * 8;
  for (uint lane = 0; lane < valid; ++lane) {
    const uint own = k->w[word][lane];
    bool shares = ((own ^ last[word]) >> shift) >> 8 == 0;
    for (uint j = 0; j < word; ++j) {
      shares = shares && k->w[j][lane] == last[j];
    }
    if (!shares) continue;
    if (get_local_size(0) == 1)
      counts[own >> shift & (DIGITS - 1)]++;
    else
      atomic_inc(&counts[own >> shift & (DIGITS - 1)]);
  }
}

/* The digit of the number `left` among those counted; what is then left to find among those with this digit. Where that
 * is all of them, the rest of `last` is as large as it can be, and nothing is left. */
static uint choose_digit(const uint pass, uint left, local uint *last, local const uint *counts) {
  const uint word = pass / 4, shift = 24 - pass % 4 * 8;
  uint digit = 0;
  while (counts[digit] < left) {
    left -= counts[digit++];
  }
  last[word] |= digit << shift;
  if (counts[digit] > left) return left;
  last[word] |= (1u << shift) - 1;
  for (uint j = word + 1; j < 4; ++j) {
    last[j] = 0xffffffffu;
  }
  return 0;
}

/* Coordinates lo .. hi of a line's weights as runs along the first dimension; an item takes some of each run. */
#define EACH_RUN(lo, hi, at)                                                                                           \
  for (ulong4 at = lo; at.w < (hi).w; at.w++)                                                                          \
    for (at.z = (lo).z; at.z < (hi).z; at.z++)                                                                         \
      for (at.y = (lo).y; at.y < (hi).y; at.y++)
#define EACH_VECTOR(lo, hi, x)                                                                                         \
  for (ulong x = (lo).x + get_local_id(0) * TOGETHER; x < (hi).x; x += get_local_size(0) * TOGETHER)

static ulong dot4(const ulong4 a, const ulong4 b) {
  const ulong4 p = a * b;
  return p.x + p.y + p.z + p.w;
}

static void count_line(const fanin__sparse_lines *l, const ulong index, const uint4 key, const uint pass,
                       local const uint *last, local uint *counts) {
  const ulong4 none = (ulong4)(0);
  EACH_RUN(none, l->extent, at) {
    const ulong run = index + dot4((ulong4)(0, at.y, at.z, at.w), l->index_stride);
    EACH_VECTOR(none, l->extent, x) {
      const keys k = keys_of(run + x * l->index_stride.x, l->index_stride.x, key);
      count_digits(&k, (uint)min(l->extent.x - x, (ulong)TOGETHER), pass, last, counts);
    }
  }
}

/* Writes the zeros of a line that memory holds; `part`: coordinates that come before the line's part. */
static void write_zeros(global element *buffer, const fanin__sparse_lines *l, const ulong index, const ulong memory,
                        const ulong4 part, const uint4 key, local const uint *last) {
  const ulong4 lo = max(l->begin, part) - part, hi = min(l->end, part + l->extent) - part;
  EACH_RUN(lo, hi, at) {
    const ulong4 run = (ulong4)(0, at.y, at.z, at.w);
    EACH_VECTOR(lo, hi, x) {
      const ulong from = index + dot4(run, l->index_stride) + x * l->index_stride.x;
      const ulong to = memory + dot4(run, l->memory_stride) + x * l->memory_stride.x;
      const keys k = keys_of(from, l->index_stride.x, key);
      const uint valid = (uint)min(hi.x - x, (ulong)TOGETHER);
      for (uint lane = 0; lane < valid; ++lane) {
        /* Below the first index, the difference wraps to a large number. */
        if (from + lane * l->index_stride.x - l->first_index < l->indices && is_early(&k, lane, last))
          buffer[to + lane * l->memory_stride.x] = 0; /* whose bits are 0 in every dtype */
      }
    }
  }
}

kernel void sparse(global element *restrict buffer, const fanin__sparse_lines l, const ulong seed) {
  local uint counts[DIGITS], last[4], left;
  const uint item = (uint)get_local_id(0), items = (uint)get_local_size(0);
  const ulong group = get_group_id(0), above = group / l.count.x, matrix = above / l.count.y;
  const ulong4 line = l.first + (ulong4)(group - above * l.count.x, above - matrix * l.count.y, matrix, 0);
  const ulong index = dot4(line, l.line_index), memory = l.origin + dot4(line, l.line_memory);
  const uint4 key = (uint4)((uint)seed, (uint)(seed >> 32), (uint)l.stream, (uint)(l.stream >> 32));
  if (item == 0) {
    left = (uint)l.zeros;
    last[0] = last[1] = last[2] = last[3] = 0;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint pass = 0; pass < PASSES; ++pass) {
    for (uint digit = item; digit < DIGITS && left > 0; digit += items) {
      counts[digit] = 0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (left > 0) count_line(&l, index, key, pass, last, counts);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item == 0 && left > 0) left = choose_digit(pass, left, last, counts);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  write_zeros(buffer, &l, index, memory, l.cut * (line.y * dot4(l.cut, l.extent)), key, last);
}
