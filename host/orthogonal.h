/* Fills with random orthogonal matrices: from normals of the stream to the places of a tensor's part. */
#ifndef HOST_ORTHOGONAL_H
#define HOST_ORTHOGONAL_H

#include "fill.h"

/* How many vectors of a matrix are orthonormal, and how many numbers they have: its smaller and its larger extent.
 * `centre`: of O and I alone. */
fanin_status fanin__orthogonal_extents(const fanin_tensor *t, bool centre, uint64_t *width, uint64_t *height);

/* Validates what the tensor's matrices need of this device and of CLBlast. */
fanin_status fanin__orthogonal_check(const fanin_tensor *t, bool centre);

/* Enqueues the fill of job->tensor's part. Kernels and products run one after another, in order on any queue. Device
 * memory is allocated for it, which the runtime frees when the work is done: for a matrix whose smaller extent is 256
 * or more, three matrices in f32 (f64: in f64); for narrower ones up to 4.5 and 256 KiB, most of it CLBlast's copies;
 * for small ones, as many of a stack as fit into 16 MiB (f64: 32). */
fanin_status fanin__orthogonal_fill(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed);

/* Compiles what fanin__orthogonal_fill() needs except for CLBlast's kernels. */
fanin_status fanin__orthogonal_compile(fanin *f, const fanin__job *job);

/* Runs everything on scratch memory. Blocking. */
fanin_status fanin__orthogonal_warm(fanin *f, const fanin__when *when, const fanin__job *job);

#endif
