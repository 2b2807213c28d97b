/* The limit: uniform f32 tensors of stream v1 (docs/stream.md) as fast as plain C with vector intrinsics and threads
 * can write them. It shares nothing with fanin, not even a header, and gives the same bits. */
#ifndef FANIN_BENCH_LIMIT_H
#define FANIN_BENCH_LIMIT_H

#include <stddef.h>
#include <stdint.h>

typedef struct limit limit;

/* The variants that this processor runs, fastest first; NULL past the last. Static storage. */
const char *limit_variant(size_t index);

/* As many threads as there are processors. `variant` NULL is the fastest. NULL if memory, threads or the variant are
 * missing. */
limit *limit_open(const char *variant);
void limit_close(limit *l);
size_t limit_threads(const limit *l);

/* Elements 0 .. elements of the tensor with that key, uniform on [lo, hi]. Blocking. Fewer than 2^34 elements. */
void limit_uniform(limit *l, float *out, size_t elements, uint64_t seed, uint64_t stream, double lo, double hi);

#endif
