/* The ranks of a run, and how they agree on whether to go on. */
#include "world.h"

#include <stdio.h>
#include <time.h>

void world_find(world *w) {
  MPI_Comm node;
  int leads;
  *w = (world){.comm = MPI_COMM_WORLD};
  MPI_Comm_rank(w->comm, &w->rank);
  MPI_Comm_size(w->comm, &w->size);
  MPI_Comm_split_type(w->comm, MPI_COMM_TYPE_SHARED, w->rank, MPI_INFO_NULL, &node);
  MPI_Comm_rank(node, &w->local_rank);
  MPI_Comm_size(node, &w->local_size);
  MPI_Comm_free(&node);
  leads = w->local_rank == 0;
  MPI_Allreduce(&leads, &w->nodes, 1, MPI_INT, MPI_SUM, w->comm);
}

/* Waits until the request is complete without keeping a core busy, because the other ranks may need the core. */
static void doze(MPI_Request request) {
  enum { SHORTEST = 20000, LONGEST = 2000000 };
  struct timespec pause = {.tv_nsec = SHORTEST};
  for (int done = 0;;) {
    MPI_Request_get_status(request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    nanosleep(&pause, NULL);
    if (pause.tv_nsec < LONGEST) pause.tv_nsec *= 2;
  }
}

/* Replaces each of two numbers by its minimum over all ranks. */
static void least_of_all(const world *w, int numbers[2]) {
  MPI_Request request;
  MPI_Iallreduce(MPI_IN_PLACE, numbers, 2, MPI_INT, MPI_MIN, w->comm, &request);
  doze(request);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
}

int world_agree_round(const world *w, int status, bool *more, failure *why) {
  const int failed = status != STATUS_OK, going = *more ? w->size : w->size + 1;
  int numbers[2] = {failed ? w->rank : going, failed};
  char sentence[sizeof why->text];
  least_of_all(w, numbers);
  *more = numbers[0] <= w->size;
  if (numbers[0] >= w->size) return STATUS_OK;
  MPI_Bcast(&status, 1, MPI_INT, numbers[0], w->comm);
  MPI_Bcast(why, (int)sizeof *why, MPI_BYTE, numbers[0], w->comm);
  if (numbers[1] || why->text[0] == '\0') return status;
  snprintf(sentence, sizeof sentence, "%s", why->text);
  return fail(why, status, "rank %d: %s", numbers[0], sentence);
}

int world_agree(const world *w, int status, failure *why) {
  bool more = false;
  return world_agree_round(w, status, &more, why);
}

void world_broadcast(const world *w, void *bytes, size_t size) {
  enum { MOST = 1 << 30 }; /* counts are int */
  for (char *at = bytes; size > 0;) {
    const int count = size < MOST ? (int)size : MOST;
    MPI_Request request;
    MPI_Ibcast(at, count, MPI_BYTE, 0, w->comm, &request);
    doze(request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    at += count;
    size -= (size_t)count;
  }
}

static uint64_t reduce(const world *w, uint64_t number, MPI_Op op) {
  MPI_Request request;
  MPI_Iallreduce(MPI_IN_PLACE, &number, 1, MPI_UINT64_T, op, w->comm, &request);
  doze(request);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  return number;
}

uint64_t world_most(const world *w, uint64_t number) {
  return reduce(w, number, MPI_MAX);
}

uint64_t world_sum(const world *w, uint64_t number) {
  return reduce(w, number, MPI_SUM);
}
