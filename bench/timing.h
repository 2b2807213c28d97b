/* What programs that time turns share: the clock, and medians. */
#ifndef FANIN_BENCH_TIMING_H
#define FANIN_BENCH_TIMING_H

#include <stdlib.h>
#include <time.h>

/* Seconds of a clock that only goes forward. */
static inline double timing_now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline int timing_by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorts the n numbers, n > 0. */
static inline double timing_median(double *numbers, size_t n) {
  qsort(numbers, n, sizeof *numbers, timing_by_size);
  return numbers[n / 2];
}

#endif
