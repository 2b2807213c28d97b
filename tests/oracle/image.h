/* What a fill must leave in memory, byte by byte, from the definitions in fanin.h and the values of oracle.h; and fills
 * held to it. */
#ifndef FANIN_TESTS_IMAGE_H
#define FANIN_TESTS_IMAGE_H

#include <stdbool.h>

#include "oracle.h"

/* Writes the elements of the part that memory holds into `memory`, which stands for the whole buffer. Asserts that the
 * tensor and the initializer are accepted. */
void oracle_image(const fanin_tensor *t, const fanin_init *init, fanin_key key, unsigned char *memory);

/* Asserts that `buffer`, made by test_guarded(f, t->offset, ...), holds the image of t and guard bytes elsewhere. */
void oracle_assert_content(fanin *f, cl_mem buffer, const fanin_tensor *t, const fanin_init *init, fanin_key key);

/* Fills t in a guarded buffer of its own, t.buffer being ignored, and asserts its whole content. */
void oracle_assert_fill(fanin *f, cl_command_queue queue, fanin_tensor t, const fanin_init *init, fanin_key key);

/* The same of a slab of `whole` that `random` chooses, dense, and then strided with the first dimension innermost and
 * gaps in between. */
void oracle_assert_some_slab(fanin *f, fanin_tensor whole, const fanin_init *init, fanin_key key, uint64_t *random);

/* `full`, or `small` where $FANIN_TEST_SMALL is set: under Oclgrind and valgrind, which take thousands of times longer.
 */
size_t oracle_amount(size_t full, size_t small);

#endif
