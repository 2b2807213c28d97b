/* New rows of a tensor that grows, drawn around the mean and the covariance of the rows that are kept: --resize
 * ...:around_mean. docs/stream.md, section 9, says which bits they have. */
#ifndef CLI_INIT_AROUND_MEAN_H
#define CLI_INIT_AROUND_MEAN_H

#include "base/output.h"
#include "base/session.h"
#include "formats/model.h"

/* The most elements of a row behind the dimension that grows. They bound the memory: less than 200 MiB. */
enum { AROUND_MEAN_MOST_WIDTH = 1 << 22 };

/* The new rows of one tensor. A tensor that grows in dimension d is blocks of (rows, width): one for each coordinate in
 * the dimensions before d. All blocks have the same normals. */
typedef struct around_mean {
  const session *s;
  const model_tensor *tensor;
  uint64_t kept, added;         /* rows of a block that are there, and that are new */
  size_t width, strips;         /* elements of a row, and groups of columns that are worked on together */
  size_t some, part, run;       /* rows that memory has at once: new ones; kept ones; kept ones with their normals */
  double factor;                /* sqrt(scale / kept) */
  fanin_tensor normals;         /* (added, kept) */
  fanin_key key;                /* of the normals */
  uint64_t start[2], extent[2]; /* the slab of the normals that `z` has; extents 0: none */
  float *z;                     /* (some, run) */
  double *numbers;              /* by bits, of dtypes of at most 16; NULL: the dtype has more */
  char *bytes;                  /* rows as files have them */
  double *x;                    /* kept rows, (strips, part, columns of a strip) */
  double *mean;                 /* (strips, columns of a strip) */
  double *sums;                 /* (some, strips, columns of a strip) */
  uint64_t shown;               /* when progress was */
} around_mean;

/* Prepares for a tensor whose kept.law is set. around_mean_close() ends it, also after a failure. */
int around_mean_open(const session *s, uint64_t seed, const model_tensor *t, around_mean *out, failure *why);

/* Appends the new rows of a block to a file. The file that the tensor is kept from must be open. Fails where a kept
 * number is not finite, or a new one would be too large for the dtype. */
int around_mean_write(around_mean *a, uint64_t block, output *out, failure *why);

void around_mean_close(around_mean *a);

#endif
