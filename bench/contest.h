/* What the contest's two files share: one fanin with its memory, and the cases that it is timed on. */
#ifndef FANIN_BENCH_CONTEST_H
#define FANIN_BENCH_CONTEST_H

#include <stdbool.h>

#include "fanin.h"
#include "limit.h"

typedef struct arena {
  fanin *f;
  cl_command_queue queue;
  cl_mem buffer; /* every case but the plans fills it from its start */
  size_t bytes;
  limit *l;
} arena;

/* A line that was asked for. */
typedef struct request {
  char what[16];
  fanin_dtype dtype;
  uint64_t elements;
  char init[64]; /* as fanin_init_parse() takes it */
} request;

/* A case, prepared: `run` does the work once, from enqueueing to finished; `end` frees. */
typedef struct work work;
struct work {
  fanin_status (*run)(const arena *a, const work *w);
  void (*end)(const arena *a, work *w);
  uint64_t elements; /* that one run writes */
  fanin_init init;
  fanin_tensor *tensors; /* what is filled one by one */
  size_t n_tensors;
  fanin_plan *plan;
  cl_float pattern; /* of the device's fill */
  float *mapped;    /* the limit's memory: the buffer's */
};

bool work_known(const char *what);

/* Prepares the case of that name, which exists. Errors have their sentence in fanin_last_error(). */
fanin_status work_of(const arena *a, const request *r, work *out);

#endif
