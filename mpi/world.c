/* The ranks of a run: how they agree on whether to go on, and how they all get kernels. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "init/warm.h"

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

/* Replaces each number by the result of the operation over all ranks. */
static void reduce(const world *w, void *numbers, int count, MPI_Datatype type, MPI_Op op) {
  MPI_Request request;
  MPI_Iallreduce(MPI_IN_PLACE, numbers, count, type, op, w->comm, &request);
  doze(request);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
}

int world_agree_round(const world *w, int status, bool *more, failure *why) {
  const int failed = status != STATUS_OK, going = *more ? w->size : w->size + 1;
  int numbers[2] = {failed ? w->rank : going, failed};
  char sentence[sizeof why->text];
  reduce(w, numbers, 2, MPI_INT, MPI_MIN);
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

uint64_t world_most(const world *w, uint64_t number) {
  reduce(w, &number, 1, MPI_UINT64_T, MPI_MAX);
  return number;
}

uint64_t world_sum(const world *w, uint64_t number) {
  reduce(w, &number, 1, MPI_UINT64_T, MPI_SUM);
  return number;
}

/* ---- Kernels for all ranks, compiled once ------------------------------------------------------------------------ */

int warm_open(const world *w, const char *selector, session *s, uint64_t *devices, failure *why) {
  size_t count = 0;
  char index[32];
  *devices = 1;
  fanin_status status = fanin_select(selector, NULL, 0, &count);
  if (status != FANIN_STATUS_OK) return library_status(why, status, NULL);
  size_t *indices = allocate(count, sizeof *indices), again = 0;
  status = fanin_select(selector, indices, count, &again);
  if (status == FANIN_STATUS_OK && again < count) count = again;
  snprintf(index, sizeof index, "%zu", indices[(size_t)w->local_rank % count]);
  free(indices);
  if (status != FANIN_STATUS_OK) return library_status(why, status, NULL);
  *devices = count;
  return session_open(index, s, why);
}

/* Compiles and runs what the model needs. */
static int run_all(const session *s, const model *m, failure *why) {
  fanin_status status = warm_model(s, m, true);
  if (status == FANIN_STATUS_OK) status = (fanin_status)clFinish(s->queue);
  return library_status(why, status, NULL);
}

/* Rank 0's programs, everywhere; *size 0: its driver gives none. */
static char *share_programs(const world *w, const session *s, size_t *size) {
  char *programs = NULL;
  uint64_t bytes = 0;
  *size = 0;
  if (w->rank == 0 && fanin_export(s->f, NULL, 0, size) == FANIN_STATUS_OK) {
    programs = allocate(*size, 1);
    if (fanin_export(s->f, programs, *size, size) == FANIN_STATUS_OK) bytes = *size;
  }
  world_broadcast(w, &bytes, sizeof bytes);
  *size = (size_t)bytes;
  if (!programs) programs = allocate(*size, 1);
  world_broadcast(w, programs, *size);
  return programs;
}

int warm_kernels(const world *w, const session *s, const model *m, uint64_t devices, bool *taken, failure *why) {
  const uint64_t local = (uint64_t)w->local_size, turns = world_most(w, devices < local ? devices : local);
  char *programs = NULL;
  size_t size = 0;
  int status = world_agree(w, w->rank == 0 ? run_all(s, m, why) : STATUS_OK, why);
  *taken = false;
  if (status == STATUS_OK) programs = share_programs(w, s, &size);
  if (status == STATUS_OK && size > 0 && w->rank != 0) *taken = fanin_import(s->f, programs, size) == FANIN_STATUS_OK;
  free(programs);
  for (uint64_t turn = 0; status == STATUS_OK && turn < turns; ++turn) {
    const bool mine = (uint64_t)w->local_rank == turn && w->rank != 0;
    status = world_agree(w, mine ? run_all(s, m, why) : STATUS_OK, why);
  }
  return status;
}
