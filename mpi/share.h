/* Which parts of a model's tensors a rank makes. No MPI, no device. */
#ifndef MPI_SHARE_H
#define MPI_SHARE_H

#include "base/args.h"
#include "init/pieces.h"

typedef enum share_kind {
  SHARE_MODEL,    /* a range of all tensors, one behind the other */
  SHARE_RANGE,    /* a range of every tensor */
  SHARE_DIMENSION /* a slab of every tensor */
} share_kind;

typedef struct sharding {
  share_kind kind;
  char letter; /* SHARE_DIMENSION: of the layout; tensors without it are cut along their first dimension */
} sharding;

/* The reader of --shard into a sharding: "model", "range", "dimension", or "dimension:" and a letter. */
args_reader sharding_take;

/* "by range of the model", for people. */
const char *sharding_text(sharding how, char out[64]);

/* A rank's parts, in the order of the file. As even as fanin_tensor_split() and fanin_tensor_split_range() are; of the
 * model, in elements. Matrices of orthogonal tensors are not cut: of a tensor that has some for every rank, all get the
 * same number; those that are left go one by one to the rank that has least work (operations) on matrices until then.
 */
typedef struct share share;

share *share_new(const model *m, sharding how, uint64_t rank, uint64_t count);
void share_free(share *s);

/* The part_source of a `share`. */
bool share_next(void *state, model_part *out);

/* What a rank has in all. */
typedef struct share_sum {
  uint64_t bytes, parts;
  uint64_t at_once_bytes, largest_at_once; /* those of `bytes` that are made at once, and of the largest part of them */
  double operations;                       /* that matrices take */
} share_sum;

share_sum share_total(const model *m, sharding how, uint64_t rank, uint64_t count);

#endif
