/* Kernels for all ranks, compiled once. */
#ifndef MPI_WARM_H
#define MPI_WARM_H

#include "base/session.h"
#include "formats/model.h"
#include "world.h"

/* Opens this rank's device: of those that answer the selector, number (local rank % how many there are). *devices is
 * how many. */
int warm_open(const world *w, const char *selector, session *s, uint64_t *devices, failure *why);

/* Rank 0 compiles what the model needs, and all others get its programs; who cannot use them compiles. On each node one
 * rank a device goes first, one after another, so that no two find a driver's cache on disk cold. Collective; returns
 * the status of all. *taken: this rank uses rank 0's programs. */
int warm_kernels(const world *w, const session *s, const model *m, uint64_t devices, bool *taken, failure *why);

#endif
