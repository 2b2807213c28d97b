/* fanin beside the limit: the same uniform f32 tensor by fanin_fill() and by hand-written code, turn by turn, in one
 * run. Prints medians and their ratio, after the bits were compared. usage: fanin_compare [MEBIBYTES [ROUNDS]] */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fanin.h"
#include "limit.h"

enum { MOST_ROUNDS = 101 };
static const double LO = -0.05, HI = 0.05;
static const fanin_key KEY = {1, 2};

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double median(double *values, size_t n) {
  qsort(values, n, sizeof *values, by_value);
  return values[n / 2];
}

static int fill(fanin *f, const fanin_tensor *t, const fanin_init *init) {
  if (fanin_fill(f, NULL, t, init, KEY, 0, NULL, NULL) == FANIN_OK && clFinish(fanin_queue(f)) == CL_SUCCESS) return 1;
  fprintf(stderr, "fanin_compare: %s\n", fanin_last_error());
  return 0;
}

/* Times both and says whether their bits agree; 0 on failure. */
static int compare(fanin *f, limit *l, size_t elements, size_t rounds) {
  double ours[MOST_ROUNDS], theirs[MOST_ROUNDS], ratios[MOST_ROUNDS];
  const size_t bytes = elements * sizeof(float);
  const fanin_init init = fanin_uniform(LO, HI);
  fanin_tensor t = {0};
  float *const by_limit = malloc(bytes), *const by_fanin = malloc(bytes);
  int fine = by_limit && by_fanin && fanin_tensor_alloc(f, FANIN_F32, "", 1, (uint64_t[]){elements}, &t) == FANIN_OK &&
             fill(f, &t, &init);
  for (size_t k = 0; fine && k <= rounds; k++) { /* round 0 warms up */
    double begin = now();
    limit_uniform(l, by_limit, elements, KEY.seed, KEY.stream, LO, HI);
    const double limit_time = now() - begin;
    begin = now();
    fine = fill(f, &t, &init);
    if (k == 0) continue;
    ours[k - 1] = now() - begin;
    theirs[k - 1] = limit_time;
    ratios[k - 1] = limit_time / ours[k - 1];
  }
  fine = fine && fanin_read(f, NULL, &t, by_fanin, bytes, 1, 0, NULL, NULL) == FANIN_OK;
  if (fine && memcmp(by_fanin, by_limit, bytes) != 0) {
    fprintf(stderr, "fanin_compare: the limit's bits differ from fanin's\n");
    fine = 0;
  }
  if (fine) {
    printf("uniform f32, %zu MiB, %zu rounds, %zu threads (%s); bits agree\n", bytes >> 20, rounds, limit_threads(l),
           limit_variant(0));
    printf("  limit  %6.2f GB/s\n", (double)bytes * 1e-9 / median(theirs, rounds));
    printf("  fanin  %6.2f GB/s\n", (double)bytes * 1e-9 / median(ours, rounds));
    printf("  fanin / limit, median of the rounds' ratios: %.2f (from %.2f to %.2f)\n", median(ratios, rounds),
           ratios[0], ratios[rounds - 1]);
  }
  fanin_tensor_free(&t);
  free(by_fanin);
  free(by_limit);
  return fine;
}

int main(int argc, char **argv) {
  const unsigned long mebibytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 256;
  const unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 11;
  if (mebibytes < 1 || mebibytes > 16384 || rounds < 1 || rounds > MOST_ROUNDS) {
    fprintf(stderr, "usage: fanin_compare [MEBIBYTES 1..16384 [ROUNDS 1..%d]]\n", MOST_ROUNDS);
    return 2;
  }
  fanin *f = NULL;
  if (fanin_open("cpu", &f) != FANIN_OK) {
    fprintf(stderr, "fanin_compare: %s\n", fanin_last_error());
    return 3;
  }
  limit *const l = limit_open(NULL);
  const int fine = l && compare(f, l, (size_t)mebibytes << 18, rounds);
  limit_close(l);
  fanin_release(f);
  return fine ? 0 : 1;
}
