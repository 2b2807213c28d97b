/* Fills with random orthogonal matrices: from normals of the stream to the places of a tensor's part. Device memory is
 * allocated for a fill, which the runtime frees when the work is done: docs/orthogonal.md says how much. */
#ifndef HOST_FILL_ORTHOGONAL_H
#define HOST_FILL_ORTHOGONAL_H

#include <stdbool.h>

#include "fanin/tensor.h"

/* How many vectors of a matrix are orthonormal, and how many numbers they have: its smaller and its larger extent.
 * `centre`: of O and I alone. */
fanin_status fanin__orthogonal_extents(const fanin_tensor *t, bool centre, uint64_t *width, uint64_t *height);

#endif
