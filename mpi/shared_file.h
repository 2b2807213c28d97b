/* A file that all ranks write together through MPI-IO, and that appears whole or not at all. */
#ifndef MPI_SHARED_FILE_H
#define MPI_SHARED_FILE_H

#include "base/output.h"
#include "init/pieces.h"
#include "world.h"

typedef struct shared_file {
  const world *w;
  const model *model;
  const char *path;  /* the caller's name for it */
  uint64_t *offsets; /* of each tensor's data, bytes from the file's beginning */
  output out;        /* of rank 0: the temporary file, its removal, the rename */
  MPI_File file;
  bool open, agreed;          /* agreed: all ranks know that it failed */
  uint64_t writes, own_bytes; /* rounds, and bytes that this rank wrote */
} shared_file;

/* Rank 0 makes the temporary file, with the header in it and room for the data, and all ranks open it. Collective. Ends
 * with shared_file_close(). */
int shared_file_open(shared_file *f, const world *w, const model *m, const char *path, const char *header, size_t size,
                     failure *why);

/* The write() of a part_sink whose state is a shared_file: writes the parts of a piece to their places. Collective in
 * rounds: every rank may write as often as it needs, and joins the rounds of the others in shared_file_finish(). */
int shared_file_write(void *state, const piece *p, const char *bytes, failure *why);

/* Call it when this rank has written everything, or with the `status` of its failure. Joins the rounds of the others
 * until all are done. If no rank failed, the file is written to the disk and moved to its place. Returns the status of
 * all ranks. Collective. */
int shared_file_finish(shared_file *f, int status, failure *why);

/* Closes the file, and removes it if it was not finished. Collective. */
void shared_file_close(shared_file *f);

#endif
