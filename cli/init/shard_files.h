/* The files of a sharded checkpoint and their index, made anew. */
#ifndef CLI_INIT_SHARD_FILES_H
#define CLI_INIT_SHARD_FILES_H

#include "base/session.h"
#include "init/request.h"

/* Writes each of the files that --like's index names beside r->output, and then the index itself as r->output. Each
 * appears whole or not at all, the index last, and one that is there goes first: where it is, all are. A file whose
 * tensors are all skipped is not written. */
int shard_files_write(const init_request *r, const session *s, failure *why);

#endif
