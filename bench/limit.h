/* The limit: f32 tensors of stream v1 (docs/stream.md) as fast as plain C with vector intrinsics and threads can write
 * them. It shares nothing with fanin, not even a header, and gives the same bits. */
#ifndef FANIN_BENCH_LIMIT_H
#define FANIN_BENCH_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Laws -------------------------------------------------------------------------------------------------------- */

typedef enum limit_kind { LIMIT_UNIFORM, LIMIT_NORMAL, LIMIT_TRUNC_NORMAL } limit_kind;

typedef struct limit_law {
  limit_kind kind;
  double lo, hi;    /* uniform, trunc_normal: no value is outside */
  double mean, std; /* normal; trunc_normal: of the normal that is cut */
  double from, to;  /* trunc_normal: where it is cut, in units of std */
} limit_law;

limit_law limit_uniform(double lo, double hi);
limit_law limit_normal(double mean, double std);

/* The normal cut to [lo, hi], which are `from` and `to` standard deviations from its mean; -2 <= from < to <= 2, where
 * no value needs the formula for the tails. */
limit_law limit_trunc_normal(double mean, double std, double from, double to, double lo, double hi);

/* ---- Fills ------------------------------------------------------------------------------------------------------- */

typedef struct limit limit;

/* The variants that this processor runs, fastest first; NULL past the last. Static storage. */
const char *limit_variant(size_t index);

/* As many threads as the process has processors. `variant` NULL is the fastest. NULL if memory, threads or the variant
 * are missing. */
limit *limit_open(const char *variant);
void limit_close(limit *l);
size_t limit_threads(const limit *l);

/* Whether the variant has non-temporal stores, which go past the caches. */
bool limit_can_stream(const limit *l);

enum { LIMIT_ALIGNMENT = 64 };

/* Elements 0 .. elements of the tensor with that key. Blocking. Fewer than 2^34 elements. `streams`: by non-temporal
 * stores, which takes a variant that has them and memory that is aligned to LIMIT_ALIGNMENT. */
void limit_fill(limit *l, float *out, size_t elements, uint64_t seed, uint64_t stream, const limit_law *law,
                bool streams);

#endif
