/* Pieces of a file on a device, and the statistics of several pieces together. */
#ifndef CLI_INSPECT_MEASURE_FILE_H
#define CLI_INSPECT_MEASURE_FILE_H

#include "base/session.h"
#include "fanin/inspect.h"
#include "formats/tensor_file.h"

/* Memory for pieces, on the device and on the host. */
typedef struct measurer {
  const session *session;
  cl_mem buffer;
  char *host;
  size_t bytes;
  uint64_t *loaded; /* [2]: offset and size of what the buffer holds of the file; size 0: nothing */
} measurer;

/* Memory for the tensors of that file. measurer_free() it, also after a failure. */
int measurer_make(const session *s, const tensor_file *f, measurer *out, failure *why);
void measurer_free(measurer *m);

/* Brings `size` bytes of the file, at most m->bytes, into the buffer, unless they are there. */
int measurer_load(const measurer *m, const tensor_file *f, uint64_t offset, size_t size, failure *why);

/* The statistics of two sets of elements together, from those of each (Chan, Golub, LeVeque 1983, eq. 2.1). */
fanin_stats merge_stats(const fanin_stats *a, const fanin_stats *b);

#endif
