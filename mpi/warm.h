/* Kernels for all ranks, compiled once. */
#ifndef MPI_WARM_H
#define MPI_WARM_H

#include "base/session.h"
#include "formats/model.h"
#include "world.h"

/* Opens this rank's device. Of the devices that answer the selector, it is number (local rank % their count). *devices
 * is their count. */
int warm_open(const world *w, const char *selector, session *s, uint64_t *devices, failure *why);

/* Rank 0 compiles what the model needs, and all others get its programs. A rank that cannot use them compiles itself.
 * On each node one rank for each device goes first, one after another, so that no two ranks fill an empty driver's
 * cache on disk at once. Collective; returns the status of all ranks. *taken: this rank uses rank 0's programs. */
int warm_kernels(const world *w, const session *s, const model *m, uint64_t devices, bool *taken, failure *why);

#endif
