/* Distributions that between them take every path of stream v1, and stretches of a vector of 2^61 elements to fill with
 * them. */
#ifndef FANIN_TESTS_CASES_H
#define FANIN_TESTS_CASES_H

#include "oracle/image.h"

#define ORACLE_CASES 43
extern const fanin_init oracle_cases[ORACLE_CASES];

/* Elements of the vector that oracle_range_of() cuts. */
#define ORACLE_WHOLE (UINT64_C(1) << 61)

/* Elements first .. first + count, in memory from an odd element on. */
fanin_tensor oracle_range_of(fanin_dtype dtype, uint64_t first, uint64_t count);

/* Whether `dtype` can be filled on f's device and holds what `init` draws: f16 ends at 65504, and bf16 has wide gaps.
 */
bool oracle_is_accepted(const fanin *f, fanin_dtype dtype, const fanin_init *init);

/* Asserts fills of `count` elements from each of the n `firsts` on, by every case in every dtype under random keys. */
void oracle_assert_cases(fanin *f, const uint64_t *firsts, size_t n, uint64_t count);

/* Fills elements first .. first + count of the vector and copies them to the host; free() what is returned. */
void *oracle_read_range(fanin *f, fanin_dtype dtype, uint64_t first, size_t count, const fanin_init *init,
                        fanin_key key);

#endif
