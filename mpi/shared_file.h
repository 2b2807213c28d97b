/* A file that all ranks write together through MPI-IO, and that appears whole or not at all. */
#ifndef MPI_SHARED_FILE_H
#define MPI_SHARED_FILE_H

#include "base/output.h"
#include "init/pieces.h"
#include "world.h"

typedef struct shared_file {
  const world *w;
  const model *model;
  const char *path;  /* what the caller calls it */
  uint64_t *offsets; /* of each tensor's data, bytes from the file's beginning */
  output out;        /* of rank 0: the temporary file, its removal, the rename */
  MPI_File file;
  bool open, agreed;          /* agreed: all ranks know that it failed */
  uint64_t writes, own_bytes; /* rounds, and what this rank wrote */
} shared_file;

/* Rank 0 makes the temporary file, with the header in it and room for the data; all open it. Collective. Ends with
 * shared_file_close(). */
int shared_file_open(shared_file *f, const world *w, const model *m, const char *path, const char *header, size_t size,
                     failure *why);

/* A part_sink's write(), a shared_file its state: the parts of a piece, to their places. Collective in rounds: every
 * rank writes as often as it likes, and joins the others' rounds in shared_file_finish(). */
int shared_file_write(void *state, const piece *p, const char *bytes, failure *why);

/* What this rank had to write has been written, or `status` says why not. Joins the others' rounds until all are done.
 * If none failed, the file is put on the disk and into its place. Returns the status of all. Collective. */
int shared_file_finish(shared_file *f, int status, failure *why);

/* Closes and removes what was not finished. Collective. */
void shared_file_close(shared_file *f);

#endif
