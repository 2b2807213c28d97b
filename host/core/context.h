/* The struct behind `fanin`: one (context, device) pair with the programs that were compiled for it. */
#ifndef HOST_CORE_CONTEXT_H
#define HOST_CORE_CONTEXT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/program.h"
#include "core/system.h"

typedef struct fanin__program fanin__program;

/* What the device must do right before it may fill: everything in float, that and the rounding to half, or everything
 * in double; and whole numbers for each. */
typedef enum fanin__arithmetic {
  FANIN__ARITHMETIC_FLOAT,
  FANIN__ARITHMETIC_HALF,
  FANIN__ARITHMETIC_DOUBLE,
  FANIN__ARITHMETIC_COUNT
} fanin__arithmetic;

struct fanin {
  atomic_size_t references;                                /* the caller's, and one of each plan */
  atomic_bool arithmetic_is_good[FANIN__ARITHMETIC_COUNT]; /* it was checked, by fill/check.c */
  atomic_bool ends_loops;                                  /* and the device was seen to end a long loop early */

  cl_context context;
  cl_device_id device;
  cl_device_type type;
  bool has_f64;
  size_t lanes; /* 1, 4, 8 or 16: the vector width that kernels are built for */
  cl_uint compute_units;
  cl_ulong local_bytes;     /* local memory of a group */
  size_t work_group;        /* work-items of a group */
  size_t fill_group;        /* work-items of a group that fills: one wide item, or as many scalar ones */
  fanin__mutex lock;        /* guards what is below */
  cl_command_queue queue;   /* fanin_queue()'s; NULL until it is asked for */
  fanin__program *programs; /* a list of what has been built */
  char *cache;              /* a directory of compiled programs; NULL: none */
};

#endif
