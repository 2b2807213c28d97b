/* Stream v1's numbers told from others by their signs. */
#ifndef HOST_PROBE_KNOWN_ANSWERS_H
#define HOST_PROBE_KNOWN_ANSWERS_H

#include <stdbool.h>

#include "fanin/fill.h"
#include "init/distribution.h"

/* Whether the first n elements of a tensor have the signs that the stream gives them; true for distributions that are
 * not symmetric about 0, of which the signs say nothing. */
bool fanin__signs_agree(const fanin__distribution *distribution, fanin_key key, const float *values, uint64_t n);

#endif
