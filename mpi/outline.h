/* What a run of so many ranks would do (--plan), computed by the code that would do it. */
#ifndef MPI_OUTLINE_H
#define MPI_OUTLINE_H

#include "init/request.h"
#include "share.h"

/* Prints it for `ranks` ranks. Needs no device and writes nothing. */
int outline_print(const init_request *r, sharding how, uint64_t ranks, failure *why);

#endif
