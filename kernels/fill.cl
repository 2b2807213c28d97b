/* One kernel for every distribution and dtype. -D CONSTANT, UNIFORM, NORMAL, TRUNC_CORE, TRUNC, LOG_UNIFORM and
 * INVERSE_SOFTPLUS say which families of distributions it makes (UNIFORM where none is given), and the dtype's
 * (lib/dtype.clh) in what. -D MANY makes it the kernel for many tensors in one launch, which may be of several
 * families, and constants; without it there is one family. Every value is a function of the key and the element's index
 * in the whole tensor (docs/stream.md).
 *
 * The work is cut along the stream's blocks, not along memory: an item makes whole chunks, and a chunk that the row
 * covers in full is stored as vectors. */
#include "lib/check.clh"
#include "lib/integer.clh"
#include "lib/philox.clh"
#include "lib/rows.clh"
#include "lib/store.clh"
#include "lib/structs.h"
#if defined(DOUBLE)
#include "lib/math64.clh"
typedef double16 parameters;
#else
#include "lib/math.clh"
typedef float16 parameters;
#endif

/* ---- Distributions: from draws to values ------------------------------------------------------------------------- */

#if defined(LOG_UNIFORM) || defined(INVERSE_SOFTPLUS)
#include "lib/exp.clh"
#elif !defined(CONSTANT) && !defined(NORMAL) && !defined(TRUNC_CORE) && !defined(TRUNC) && !defined(UNIFORM)
#define UNIFORM
#endif

/* The family of what is filled: FANIN__FAMILY_UNIFORM, ... Of many tensors each says its own in its last parameter. */
#if defined(MANY)
#define FAMILY(p) ((int)(p).sf)
#elif defined(CONSTANT)
#define FAMILY(p) FANIN__FAMILY_CONSTANT
#elif defined(UNIFORM)
#define FAMILY(p) FANIN__FAMILY_UNIFORM
#elif defined(NORMAL)
#define FAMILY(p) FANIN__FAMILY_NORMAL
#elif defined(TRUNC_CORE)
#define FAMILY(p) FANIN__FAMILY_TRUNC_CORE
#elif defined(TRUNC)
#define FAMILY(p) FANIN__FAMILY_TRUNC
#elif defined(LOG_UNIFORM)
#define FAMILY(p) FANIN__FAMILY_LOG_UNIFORM
#else
#define FAMILY(p) FANIN__FAMILY_INVERSE_SOFTPLUS
#endif

static value within(value x, real lower, real upper) {
  const value above = x < (value)(lower) ? (value)(lower) : x;
  return above > (value)(upper) ? (value)(upper) : above;
}

/* From draws to their values. p of a constant: the value. */

#if defined(UNIFORM)
/* p: middle, half width, lower and upper bound (representable in the dtype). */
static void uniform_values(const draw *d, parameters p, value *v) {
  ALL(i) v[i] = within(fma((value)(p.s1), signed_unit(d[i]), (value)(p.s0)), p.s2, p.s3);
}
#endif

#if defined(NORMAL)
/* p: mean, std. */
static void normal_values(const draw *d, parameters p, value *v) {
  box_muller(d, d + ODD, v, v + ODD);
  ALL(i) {
    v[i] = fma((value)(p.s1), v[i], (value)(p.s0));
    v[ODD + i] = fma((value)(p.s1), v[ODD + i], (value)(p.s0));
  }
}
#endif

#if defined(LOG_UNIFORM) || defined(INVERSE_SOFTPLUS)
/* Powers of 2 to uniform exponents. p: middle of log2 but for whole octaves, its half width, lower and upper bound,
 * whole octaves. */
static void powers(const draw *d, parameters p, value *v) {
  ALL(i) v[i] = exp2_of(fma((value)(p.s1), signed_unit(d[i]), (value)(p.s0)), (int)p.s4);
}
#endif

#if defined(LOG_UNIFORM)
/* p: as for powers(). */
static void log_uniform_values(const draw *d, parameters p, value *v) {
  powers(d, p, v);
  ALL(i) v[i] = within(v[i], p.s2, p.s3);
}
#endif

#if defined(INVERSE_SOFTPLUS)
/* p: as for powers(), then middle and half width of the natural logarithm. */
static void inverse_softplus_values(const draw *d, parameters p, value *v) {
  value t[TOGETHER];
  powers(d, p, v);
  ALL(i) t[i] = fma((value)(p.s6), signed_unit(d[i]), (value)(p.s5));
  inverse_softplus(v, t);
  ALL(i) v[i] = within(v[i], p.s2, p.s3);
}
#endif

#if defined(TRUNC_CORE) || defined(TRUNC)
/* p: mean, std, lower and upper bound; middle and half width of x = P(|Z| <= |z|) signed; width of the probability and
 * its offsets at the lower and at the upper end, all three divided by a reference probability, and -2 ln of that. */
static void trunc_values(const draw *d, parameters p, bool has_tails, value *v) {
  value x[TOGETHER];
  ALL(i) x[i] = fma((value)(p.s5), signed_unit(d[i]), (value)(p.s4));
#if defined(TRUNC)
  if (has_tails)
    inverse(x, d, p.s6, p.s7, p.s8, p.s9, v);
  else
#endif
    inverse_core(x, v);
  ALL(i) v[i] = within(fma((value)(p.s1), v[i], (value)(p.s0)), p.s2, p.s3);
}
#endif

/* The values of draws. Normals come in pairs, from the draws of even and of odd elements. */
#if defined(WIDE) && defined(DOUBLE) /* where LLVM sometimes cannot, and says so */
#define PASSES(vectors) for (int k = 0; k < (vectors); k += TOGETHER)
#else
#define PASSES(vectors) _Pragma("unroll") for (int k = 0; k < (vectors); k += TOGETHER)
#endif
static void distribution(const draws *d, parameters p, values *x) {
  switch (FAMILY(p)) {
#if defined(UNIFORM)
  case FANIN__FAMILY_UNIFORM:
    PASSES(VECTORS) uniform_values(d->d + k, p, x->v + k);
    break;
#endif
#if defined(NORMAL)
  case FANIN__FAMILY_NORMAL:
    PASSES(VECTORS / 2) normal_values(d->d + k, p, x->v + k);
    break;
#endif
#if defined(TRUNC_CORE)
  case FANIN__FAMILY_TRUNC_CORE:
    PASSES(VECTORS) trunc_values(d->d + k, p, false, x->v + k);
    break;
#endif
#if defined(TRUNC)
  case FANIN__FAMILY_TRUNC:
    PASSES(VECTORS) trunc_values(d->d + k, p, true, x->v + k);
    break;
#endif
#if defined(LOG_UNIFORM)
  case FANIN__FAMILY_LOG_UNIFORM:
    PASSES(VECTORS) log_uniform_values(d->d + k, p, x->v + k);
    break;
#endif
#if defined(INVERSE_SOFTPLUS)
  case FANIN__FAMILY_INVERSE_SOFTPLUS:
    PASSES(VECTORS) inverse_softplus_values(d->d + k, p, x->v + k);
    break;
#endif
  default:
    break;
  }
}

/* The chunks that begin with these blocks, multiples of BLOCKS with one upper word. key: seed and stream, low words
 * first. */
static chunks make_chunks(const ulong block[ABREAST], uint4 key, parameters p) {
  values x;
#pragma unroll
  for (int k = 0; k < VECTORS; ++k)
    x.v[k] = (value)(p.s0);
  if (FAMILY(p) != FANIN__FAMILY_CONSTANT) {
    const draws d = chunk_draws(block, key);
    distribution(&d, p, &x);
  }
  return natural_order(x);
}

/* ---- Items ------------------------------------------------------------------------------------------------------- */

/* An item makes r.repeat chunks of a tensor, from chunk q on, counted over all of its rows. */

#if defined(WIDE)
/* Wide items make chunks that lie side by side: one thread runs one item after another. */
static ulong first_chunk(ulong repeat) {
  return get_local_id(0) * repeat;
}

/* Where an item is: before chunk c of a row. The numbers below `is_placed` belong to that chunk, if it is set: the row
 * has elements of it from number `from` on, and `left` elements counted from the chunk's first. `left` is 0 past the
 * last row. It is also 0 in the extra chunk of a row that starts inside its first chunk. */
typedef struct cursor {
  ulong row, c;
  bool is_placed;
  ulong block, left;
  ulong memory; /* where the chunk's first element is, or would be */
  uint from;
} cursor;

NOT_INLINED static cursor place_cursor(ROWS *r, ulong row, ulong c) {
  cursor at = {.row = row, .c = c, .is_placed = true};
  ulong index, memory;
  if (row >= r->count) return at;
  row_begin(r, row, &index, &memory);
  const ulong lead = index % CHUNK, skipped = c * CHUNK;
  at.block = (index - lead + skipped) / 4;
  at.left = lead + r->length > skipped ? lead + r->length - skipped : 0;
  at.memory = memory + (skipped - lead) * r->stride;
  if (c == 0) at.from = (uint)lead;
  return at;
}

static void advance(cursor *at, ROWS *r, uint chunks) {
  at->c += chunks;
  at->left = at->left > chunks * CHUNK ? at->left - chunks * CHUNK : 0;
  at->block += chunks * BLOCKS;
  at->memory += chunks * CHUNK * r->stride;
  at->from = 0;
  if (at->c < r->chunks) return;
  ++at->row;
  at->c = 0;
  at->is_placed = false;
}

/* A chunk's place in memory, and which of its elements belong to a row. */
typedef struct place {
  ulong memory;
  uint from, to;
} place;

/* Whether stores go past the caches: of tensors of more than a core's own, which smaller ones may be read from again,
 * where that is faster. It is for constants, and for rows with gaps between them, whatever else the memory has to do;
 * of random numbers side by side it is sometimes, and sometimes slower. */
#define STREAMED_BYTES (4ul << 20)
static bool streams(ROWS *r, int family) {
  const bool has_gaps = r->rank > 0 && r->memory_stride.s0 != r->length;
  return (family == FANIN__FAMILY_CONSTANT || has_gaps) && r->count * r->length > STREAMED_BYTES / sizeof(element);
}

/* Whether a step may take ABREAST chunks that lie side by side within a row, as most do. `most`: how many it may take.
 * philox() takes blocks that have one upper word. */
static bool lies_within_row(const cursor *at, ROWS *r, uint most) {
  return at->is_placed && r->stride == 1 && at->from == 0 && at->left >= ABREAST * CHUNK && most >= ABREAST &&
         (uint)at->block <= 0u - ABREAST * BLOCKS;
}

/* Whether a tensor's blocks have several upper words: the word changes every 2^34 elements. A row's last chunk may be
 * empty, and lie behind its last element. */
static bool has_several_upper_words(ROWS *r) {
  ulong last = r->first_index + r->length + CHUNK;
  for (uint d = 0; d < r->rank; ++d)
    last += (COMPONENT(r->extent, d) - 1) * COMPONENT(r->index_stride, d);
  return last >> 34 != r->first_index >> 34;
}

/* Blocks and places of the next chunks, wherever they are: of ABREAST, or of one where it has to be `alone`; then the
 * places of the others are empty. Returns how many it took; 0, and nothing else, where the chunks turn out to lie
 * within a row. */
static uint scattered_chunks(cursor *at, ROWS *r, uint most, bool alone, ulong block[ABREAST], place places[ABREAST]) {
  EACH(g) {
    if (!at->is_placed) *at = place_cursor(r, at->row, at->c);
    if (g == 0 && lies_within_row(at, r, most)) return 0;
    block[g] = at->block;
    places[g] = (place){at->memory, at->from, (uint)min(at->left, (ulong)CHUNK)};
    advance(at, r, 1);
    if (g == 0 && alone) {
      for (int k = 1; k < ABREAST; ++k) {
        block[k] = block[0];
        places[k] = (place){0, 0, 0};
      }
      return 1;
    }
  }
  return ABREAST;
}

/* A function by itself: PoCL makes three copies of a kernel, and would optimise this three times. */
NOT_INLINED static void fill_item(global element *restrict buffer, ROWS *r, ulong q, uint4 key, parameters p) {
  const ulong row = r->rank > 0 ? q / r->chunks : 0;
  const bool streaming = streams(r, FAMILY(p)), alone = has_several_upper_words(r);
  cursor at = {.row = row, .c = q - row * r->chunks, .is_placed = false};
  for (uint left = r->repeat, taken; left > 0 && at.row < r->count; left -= taken) {
    ulong block[ABREAST], scattered[ABREAST];
    place places[ABREAST];
    taken = lies_within_row(&at, r, left) ? 0 : scattered_chunks(&at, r, left, alone, scattered, places);
    const bool within_row = taken == 0;
    const ulong memory = at.memory;
    if (within_row) {
      EACH(g) block[g] = at.block + (ulong)(g * BLOCKS);
      advance(&at, r, ABREAST);
      taken = ABREAST;
    } else {
      EACH(g) block[g] = scattered[g];
    }
    const chunks made = make_chunks(block, key, p);
    if (within_row) {
      store_chunks(buffer + memory, made, streaming);
    } else {
      part parts[PARTS * ABREAST];
#pragma unroll
      for (int k = 0; k < PARTS * ABREAST; ++k)
        parts[k] = made.v[k];
      ROLLED for (int g = 0; g < ABREAST; ++g) {
        const place to = places[g];
        store_some(buffer, to.memory, r->stride, parts + PARTS * g, to.from, to.to, streaming);
      }
    }
  }
  if (streaming) end_streaming();
}

#else
/* Scalar items take turns: all of a group's run at once. */
static ulong first_chunk(ulong repeat) {
  (void)repeat;
  return get_local_id(0);
}

/* Chunks of one row. Elements are counted from the first chunk's first element, in 32 bits, which a loop of a GPU does
 * in half the instructions. */
typedef struct stretch {
  ulong block;     /* of the first chunk */
  ulong memory;    /* where its first element is, or would be if the row began there */
  uint begin, end; /* which elements belong to the row */
  uint full;       /* chunks that begin at begin .. begin + full - 1 are stored as vectors */
} stretch;

/* From chunk c of a row on. */
static stretch row_stretch(global element *buffer, ROWS *r, ulong row, ulong c) {
  stretch s;
  ulong index, memory;
  row_begin(r, row, &index, &memory);
  const ulong lead = index % CHUNK, skipped = c * CHUNK, end = lead + r->length;
  s.block = (index - lead + skipped) / 4;
  s.memory = memory + (skipped - lead) * r->stride;
  s.begin = c == 0 ? (uint)lead : 0u;
  s.end = end > skipped ? (uint)min(end - skipped, 0x80000000ul) : 0u;
  s.full = 0;
  if (r->stride == 1 && s.end >= CHUNK + s.begin && stores_vectors(buffer + s.memory))
    s.full = s.end - CHUNK - s.begin + 1;
  return s;
}

static void fill_stretch(global element *restrict buffer, const stretch *s, ulong stride, uint count, uint4 key,
                         parameters p) {
  const uint step = (uint)get_local_size(0) * CHUNK;
  const uint end = min(s->end, step * count);
  for (uint at = 0; at < end; at += step) {
    const ulong block = s->block + at / 4;
    const chunks made = make_chunks(&block, key, p);
    if (at - s->begin < s->full) {
      store_chunks(buffer + s->memory + at, made, false);
    } else {
      const uint from = at < s->begin ? s->begin : 0u;
      store_some(buffer, s->memory + at * stride, stride, made, from, min(s->end - at, (uint)CHUNK));
    }
  }
}

/* Of several rows each chunk may be in another: there, the host has an item make only one. */
static void fill_item(global element *restrict buffer, ROWS *r, ulong q, uint4 key, parameters p) {
  const ulong row = r->rank > 0 ? quotient(q, r->chunks) : 0;
  if (row >= r->count) return;
  const stretch s = row_stretch(buffer, r, row, q - row * r->chunks);
  fill_stretch(buffer, &s, r->stride, r->repeat, key, p);
}
#endif

/* ---- Kernels ----------------------------------------------------------------------------------------------------- */

static uint4 make_key(ulong seed, ulong stream) {
  return (uint4)((uint)seed, (uint)(seed >> 32), (uint)stream, (uint)(stream >> 32));
}

#if !defined(MANY)
/* One tensor. */
kernel void fill(global element *restrict buffer, const fanin__rows r, const parameters p, const ulong seed) {
  const ulong q = get_group_id(0) * get_local_size(0) * r.repeat + first_chunk(r.repeat);
  fill_item(buffer, &r, q, make_key(seed, r.stream), p);
}

#else
/* Many tensors in one buffer. `tables` begins with the tensors' rows, and has their parameters from byte places.x on
 * and the tasks from byte places.y on. Group g does task g: its items fill the tensor of number task.x from chunk
 * task.y on. One buffer, since every argument is time that drivers take. */
kernel void fill_many(global element *restrict buffer, global const uchar *restrict tables, const ulong2 places,
                      const ulong seed) {
  const ulong2 task = ((global const ulong2 *)(tables + places.y))[get_group_id(0)];
  ROWS *r = (global const fanin__rows *)tables + task.x;
  const parameters p = ((global const parameters *)(tables + places.x))[task.x];
  fill_item(buffer, r, task.y + first_chunk(r->repeat), make_key(seed, r->stream), p);
}
#endif
