/* The files that 'fanin init' writes. */
#ifndef CLI_INIT_OUTPUT_FILES_H
#define CLI_INIT_OUTPUT_FILES_H

#include "base/session.h"
#include "init/request.h"

/* Writes the tensors of `part`, which are all of r->model or some of them, to `path`. The file appears whole or not at
 * all. */
int init_file_write(const init_request *r, const session *s, const char *path, const model *part, failure *why);

/* Writes the files that --like's index names beside r->output, and then the index itself as r->output. An old index is
 * removed first, so that where there is an index, all its files are complete. A file whose tensors are all skipped is
 * not written. */
int shard_files_write(const init_request *r, const session *s, failure *why);

#endif
