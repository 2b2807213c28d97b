/* The ranks of a run, and how they agree on whether to go on. */
#ifndef MPI_WORLD_H
#define MPI_WORLD_H

#include <mpi.h>
#include <stdbool.h>

#include "base/failure.h"

typedef struct world {
  MPI_Comm comm;
  int rank, size;
  int local_rank, local_size; /* among the ranks of this node */
  int nodes;
} world;

void world_find(world *w);

/* The ranks' common status: STATUS_OK if all have it, else that of the lowest rank that has not, with its sentence in
 * everybody's `why`, which begins with the rank unless all failed. Collective. */
int world_agree(const world *w, int status, failure *why);

/* The same for ranks that have different amounts of work: *more becomes true if any rank's was. */
int world_agree_round(const world *w, int status, bool *more, failure *why);

/* Rank 0's bytes, to all. Any size. */
void world_broadcast(const world *w, void *bytes, size_t size);

/* The largest and the sum of everybody's number. */
uint64_t world_most(const world *w, uint64_t number);
uint64_t world_sum(const world *w, uint64_t number);

#endif
