/* fanin bench: what is measured. A case is one row of the report. The cases of a group run in turns, round by round,
 * because machines are noisy: cases that are compared are measured within the same seconds. */
#ifndef CLI_BENCH_BENCH_H
#define CLI_BENCH_BENCH_H

#include <regex.h>
#include <stdbool.h>

#include "base/json.h"
#include "base/session.h"

typedef enum bench_group {
  BENCH_START,  /* processes: from the start to the first finished tensor */
  BENCH_MAIN,   /* `size` bytes of each initializer and dtype, and of strided and slab forms */
  BENCH_MANY,   /* 1 to 10,000 tensors of 1,000 elements */
  BENCH_MODEL,  /* GPT-2 124M */
  BENCH_MATRIX, /* orthogonal matrices */
  BENCH_LINEAR, /* 2^k elements */
  BENCH_GROUPS
} bench_group;

enum { BENCH_NAME = 40, BENCH_LABEL = 48 };

typedef struct bench_case bench_case;

/* Enqueues one run of the case into `memory`. */
typedef int bench_enqueue(const session *s, cl_mem memory, const bench_case *c, uint64_t seed, failure *why);

struct bench_case {
  char name[BENCH_NAME];
  const char *dtype;        /* NULL: none */
  uint64_t elements, bytes; /* what one run writes; 0 where it writes no tensor */
  bench_group group;
  size_t fill, against; /* cases to compare with: the device's own fill of as many bytes, and another; or BENCH_NONE */
  bench_enqueue *enqueue; /* NULL for BENCH_START */
  fanin_item *items;      /* the tensors that fanin fills, in one buffer */
  size_t n_items;
  fanin_plan *plan; /* while it is measured, of all items; where `enqueue` needs it */
  bool selected;
  bool left_out;   /* because the device cannot do it, and therefore no longer selected */
  double *seconds; /* the time of each round; NULL: not measured */
};

#define BENCH_NONE SIZE_MAX

/* Enqueues c->plan. */
bench_enqueue bench_enqueue_plan;

typedef struct bench_set {
  bench_case *cases;
  size_t count, capacity, rounds;
} bench_set;

/* ---- Cases (cases.c) --------------------------------------------------------------------------------------- */

enum { BENCH_START_BYTES = 4 << 20, BENCH_MIN_BYTES = 1 << 16, BENCH_MAX_ROUNDS = 1000 };

/* To an empty set. */
void bench_add_starts(bench_set *set);
/* Everything else, with tensors of about `size` bytes, a multiple of 8 and at least BENCH_MIN_BYTES. */
void bench_add_fills(bench_set *set, uint64_t size, bool has_f64);

/* "NAME DTYPE", or the name alone; returns `out`. */
char *bench_label(const bench_case *c, char out[BENCH_LABEL]);

/* Selects the cases whose label matches the expression, and those that they are compared with; NULL: all cases. */
void bench_select(bench_set *set, const regex_t *only);
bool bench_any_selected(const bench_set *set);

void bench_free(bench_set *set);

/* ---- Measuring --------------------------------------------------------------------------------------------------- */

/* Refuses a size for which the device has no buffer. */
int bench_check_size(const session *s, uint64_t size, failure *why);

/* Measures the selected cases, except for those that the device cannot do (measure.c). */
int bench_measure(bench_set *set, const session *s, failure *why);

/* Measures the starts of processes, each with a kernel cache of its own (start.c). Call it before anything else uses
 * OpenCL, because a driver that is already running starts sooner. It also checks `size`. */
int bench_measure_starts(bench_set *set, const char *device, uint64_t size, failure *why);

/* What such a process does, with the directory `cache` for compiled kernels: `what` is "fanin", or "empty", to which
 * `device` is an index (start_process.c). */
int bench_start_process(const char *what, const char *cache, const char *device, uint64_t size, failure *why);

/* Seconds of a clock that only runs forward. */
double bench_clock(void);

/* ---- Reporting (report.c) ---------------------------------------------------------------------------------- */

void bench_print_table(const bench_set *set);

/* Prints `root`, which it takes over, with the list "results" and the names of what was too large. */
int bench_print_json(json_t *root, const bench_set *set, failure *why);

#endif
