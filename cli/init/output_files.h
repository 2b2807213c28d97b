/* The files that 'fanin init' writes. */
#ifndef CLI_INIT_OUTPUT_FILES_H
#define CLI_INIT_OUTPUT_FILES_H

#include "base/session.h"
#include "init/request.h"

/* Writes the tensors of `part`, all of r->model or some, to `path`: the whole file or none. */
int init_file_write(const init_request *r, const session *s, const char *path, const model *part, failure *why);

/* Writes each of the files that --like's index names beside r->output, and then the index itself as r->output. Each
 * appears whole or not at all, the index last, and one that is there goes first: where it is, all are. A file whose
 * tensors are all skipped is not written. */
int shard_files_write(const init_request *r, const session *s, failure *why);

#endif
