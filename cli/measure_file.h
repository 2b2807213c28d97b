/* Measures a tensor of a file on a device, piece by piece. */
#ifndef CLI_MEASURE_FILE_H
#define CLI_MEASURE_FILE_H

#include "session.h"
#include "tensor_file.h"

/* Memory for pieces, on the device and on the host. */
typedef struct measurer {
  const session *session;
  cl_mem buffer;
  char *host;
  size_t bytes;
} measurer;

/* Memory for the tensors of that file. measurer_free() it, also after a failure. */
int measurer_make(const session *s, const tensor_file *f, measurer *out, failure *why);
void measurer_free(measurer *m);

/* Moments and extremes of a measurable tensor. */
int measure_stored(const measurer *m, const tensor_file *f, const stored_tensor *t, fanin_stats *out, failure *why);

/* The statistics of two sets of elements together, from those of each (Chan, Golub, LeVeque 1983, eq. 2.1). */
fanin_stats merge_stats(const fanin_stats *a, const fanin_stats *b);

#endif
