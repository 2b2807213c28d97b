/* The limit as a contestant of bench/rotate.py: answers each line "uniform ELEMENTS INIT" on its input with a line of
 * JSON, the seconds that it takes. Begins with a line that says what runs here, after its bits were compared with
 * fanin's: contestants that do not do the same work are not compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fanin.h"
#include "limit.h"

static const fanin_key key = {0x0123456789abcdef, 0xfedcba9876543210};

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- The same bits? ---------------------------------------------------------------------------------------------- */

enum { COMPARED = (1 << 20) + 123 };

/* Adds the elements that differ for one variant of the limit. */
static fanin_status count_differences(const float *expected, const char *variant, double lo, double hi, size_t *count) {
  static float got[COMPARED];
  limit *const l = limit_open(variant);
  if (!l) return FANIN_STATUS_OUT_OF_MEMORY;
  limit_uniform(l, got, COMPARED, key.seed, key.stream, lo, hi);
  limit_close(l);
  for (size_t k = 0; k < COMPARED; k++) {
    *count += memcmp(&expected[k], &got[k], sizeof *got) != 0;
  }
  return FANIN_STATUS_OK;
}

/* On an interval whose bounds need the clamp, one that does not, and one that is off centre. */
static fanin_status compare(fanin *f, const fanin_tensor *t, size_t *count) {
  static const double intervals[][2] = {{-0.05, 0.05}, {-1.0, 1.0}, {-0.1, 0.37}};
  static float expected[COMPARED];
  fanin_status status = FANIN_STATUS_OK;
  for (size_t k = 0; k < sizeof intervals / sizeof *intervals && status == FANIN_STATUS_OK; k++) {
    const double lo = intervals[k][0], hi = intervals[k][1];
    const fanin_init init = fanin_uniform(lo, hi);
    status = fanin_fill(f, NULL, t, &init, key, 0, NULL, NULL);
    if (status == FANIN_STATUS_OK) status = fanin_read(f, NULL, t, expected, sizeof expected, 1, 0, NULL, NULL);
    for (size_t v = 0; limit_variant(v) && status == FANIN_STATUS_OK; v++) {
      status = count_differences(expected, limit_variant(v), lo, hi, count);
    }
  }
  return status;
}

static fanin_status compare_bits(size_t *count) {
  const uint64_t shape[] = {COMPARED};
  fanin *f = NULL;
  fanin_tensor t = {0};
  *count = 0;
  fanin_status status = fanin_open(NULL, &f);
  if (status == FANIN_STATUS_OK) status = fanin_tensor_alloc(f, FANIN_DTYPE_F32, NULL, 1, shape, &t);
  if (status == FANIN_STATUS_OK) status = compare(f, &t, count);
  if (status != FANIN_STATUS_OK) fprintf(stderr, "limit: %s\n", fanin_last_error());
  fanin_tensor_free(&t);
  fanin_release(f);
  return status;
}

/* ---- Timing ------------------------------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* The median of as many runs as fit into 50 ms, at least one, after one that is not counted. */
static double measure(limit *l, float *out, size_t elements, const fanin_init *init) {
  enum { MOST = 4000 };
  const double enough = 0.05;
  double runs[MOST], past = 0.0;
  size_t n = 0;
  limit_uniform(l, out, elements, key.seed, key.stream, init->lo, init->hi);
  while (past < enough && n < MOST) {
    const double begin = now();
    limit_uniform(l, out, elements, key.seed, key.stream, init->lo, init->hi);
    runs[n] = now() - begin;
    past += runs[n++];
  }
  qsort(runs, n, sizeof *runs, by_value);
  return runs[n / 2];
}

static void answer(limit *l, const char *line) {
  char text[64];
  unsigned long long elements = 0;
  fanin_init init;
  if (sscanf(line, "uniform %llu %63s", &elements, text) != 2 || fanin_init_parse(text, &init) != FANIN_STATUS_OK) {
    printf("{\"error\": \"expected 'uniform ELEMENTS INIT'\"}\n");
    return;
  }
  float *const out = calloc((size_t)elements, sizeof *out); /* touched by the run that is not counted */
  if (out) printf("{\"seconds\": %.9g}\n", measure(l, out, (size_t)elements, &init));
  if (!out) printf("{\"error\": \"out of memory\"}\n");
  free(out);
}

int main(void) {
  char line[160];
  size_t different = 0;
  (void)setvbuf(stdout, NULL, _IOLBF, 0);
  limit *const l = limit_open(NULL);
  const fanin_status status = l ? compare_bits(&different) : FANIN_STATUS_OUT_OF_MEMORY;
  if (status == FANIN_STATUS_OK) {
    printf("{\"variant\": \"%s\", \"threads\": %zu, \"different_bits\": %zu}\n", limit_variant(0), limit_threads(l),
           different);
    while (fgets(line, sizeof line, stdin)) {
      answer(l, line);
    }
  }
  limit_close(l);
  return status == FANIN_STATUS_OK ? 0 : 1;
}
