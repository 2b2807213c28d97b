/* One file of freshly made tensors. */
#ifndef CLI_INIT_FILE_H
#define CLI_INIT_FILE_H

#include "base/session.h"
#include "init/request.h"

/* Writes the tensors of `part`, all of r->model or some, to `path`: the whole file or none. */
int init_file_write(const init_request *r, const session *s, const char *path, const model *part, failure *why);

#endif
