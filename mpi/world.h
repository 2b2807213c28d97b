/* The ranks of a run: how they agree on whether to go on, and how they all get kernels. */
#ifndef MPI_WORLD_H
#define MPI_WORLD_H

#include <mpi.h>
#include <stdbool.h>

#include "base/session.h"
#include "formats/model.h"

typedef struct world {
  MPI_Comm comm;
  int rank, size;
  int local_rank, local_size; /* among the ranks of this node */
  int nodes;
} world;

void world_find(world *w);

/* Agrees on one status: STATUS_OK if all ranks have it, else that of the lowest rank that failed. Its sentence is then
 * in the `why` of every rank, and begins with the rank unless all failed. Collective. */
int world_agree(const world *w, int status, failure *why);

/* Does the same for ranks with different amounts of work. *more becomes true if it was true on any rank. */
int world_agree_round(const world *w, int status, bool *more, failure *why);

/* Sends rank 0's bytes to all ranks. They may have any size. */
void world_broadcast(const world *w, void *bytes, size_t size);

/* The largest number of all ranks, and the sum of all. */
uint64_t world_most(const world *w, uint64_t number);
uint64_t world_sum(const world *w, uint64_t number);

/* Opens this rank's device. Of the devices that answer the selector, it is number (local rank % their count). *devices
 * is their count. */
int warm_open(const world *w, const char *selector, session *s, uint64_t *devices, failure *why);

/* Rank 0 compiles what the model needs, and all others get its programs. A rank that cannot use them compiles itself.
 * On each node one rank for each device goes first, one after another, so that no two ranks fill an empty driver's
 * cache on disk at once. Collective; returns the status of all ranks. *taken: this rank uses rank 0's programs. */
int warm_kernels(const world *w, const session *s, const model *m, uint64_t devices, bool *taken, failure *why);

#endif
