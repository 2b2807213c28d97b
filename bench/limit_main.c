/* The limit as a contestant of bench/rotate.py: answers each line "NAME ELEMENTS INIT" on its input with a line of
 * JSON, the seconds that it takes with the better kind of stores, and which that is. Begins with a line that says what
 * runs here, after its bits were compared with fanin's: contestants that do not do the same work are not compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FANIN_EXPERIMENTAL
#include "fanin.h"
#include "limit.h"
#include "timing.h"

/* The words of elements 778608 and 808644 are at the lower and at the upper end. Only there do values pass a bound by
 * rounding, so that a missing clamp is found. */
static const fanin_key key = {0x0123456789abcdef, 0xfedcba98765401f5};

/* ---- What is asked for ------------------------------------------------------------------------------------------- */

/* The limit's law of an initializer, by the numbers that fanin resolves it to. False for what the limit does not make.
 */
static bool law_of(const fanin_init *init, limit_law *out) {
  fanin_tensor t;
  fanin_law law;
  if (fanin_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 1, (const uint64_t[]){1}, &t) != FANIN_STATUS_OK) return false;
  if (fanin_law_of(&t, init, &law) != FANIN_STATUS_OK) return false;
  switch (law.kind) {
  case FANIN_LAW_KIND_UNIFORM:
    *out = limit_uniform(law.lo, law.hi);
    return true;
  case FANIN_LAW_KIND_NORMAL:
    *out = limit_normal(law.mean, law.std);
    return true;
  case FANIN_LAW_KIND_TRUNC_NORMAL:
    *out = limit_trunc_normal(law.mean, law.std, law.from, law.to, law.lo, law.hi);
    return law.from >= -2.0 && law.to <= 2.0;
  default:
    return false;
  }
}

/* ---- The same bits? ---------------------------------------------------------------------------------------------- */

enum { COMPARED = (1 << 20) + 123 };

/* Bounds that need no clamp, that need one and are symmetric or not, and means off 0. */
static const char *const COMPARED_INITS[] = {
    "uniform:lo=-1,hi=1",
    "uniform:lo=-0.05,hi=0.05",
    "uniform:lo=-0.1,hi=0.37",
    "normal:std=0.02",
    "normal:mean=1,std=0.5",
    "normal:mean=-30,std=1e-3",
    "trunc_normal:std=0.02",
    "trunc_normal:mean=0.1,std=0.3,corrected=false",
    "trunc_normal:std=1,a=-1,b=2",
    "trunc_normal:std=0.5,a=0.25,b=1.75",
    "trunc_normal:std=0.02,a=-0.15,b=0.15,corrected=false",
    "trunc_normal:mean=0.2,std=0.1,a=0.1,b=0.3,bounds=absolute,corrected=false",
};

/* Adds the elements that differ for one variant of the limit, with each kind of stores that it has. */
static fanin_status count_differences(const float *expected, const char *variant, const char *init,
                                      const limit_law *law, size_t *count) {
  static _Alignas(LIMIT_ALIGNMENT) float got[COMPARED];
  limit *const l = limit_open(variant);
  if (!l) return FANIN_STATUS_OUT_OF_MEMORY;
  for (int streams = 0; streams <= limit_can_stream(l); streams++) {
    size_t different = 0;
    memset(got, 0, sizeof got);
    limit_fill(l, got, COMPARED, key.seed, key.stream, law, streams);
    for (size_t k = 0; k < COMPARED; k++) {
      different += memcmp(&expected[k], &got[k], sizeof *got) != 0;
    }
    if (different > 0) {
      fprintf(stderr, "limit: %s, variant %s, %s stores: %zu of %d elements differ from fanin's\n", init, variant,
              streams ? "non-temporal" : "plain", different, COMPARED);
    }
    *count += different;
  }
  limit_close(l);
  return FANIN_STATUS_OK;
}

static fanin_status compare_init(fanin *f, const fanin_tensor *t, const char *text, size_t *count) {
  static float expected[COMPARED];
  fanin_init init;
  limit_law law;
  fanin_status status = fanin_init_parse(text, &init);
  if (status == FANIN_STATUS_OK) status = fanin_fill(f, NULL, t, &init, key, 0, NULL, NULL);
  if (status == FANIN_STATUS_OK) status = fanin_read(f, NULL, t, expected, sizeof expected, 1, 0, NULL, NULL);
  if (status != FANIN_STATUS_OK) return status;
  if (!law_of(&init, &law)) return FANIN_STATUS_UNSUPPORTED;
  for (size_t v = 0; limit_variant(v) && status == FANIN_STATUS_OK; v++) {
    status = count_differences(expected, limit_variant(v), text, &law, count);
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
  for (size_t k = 0; k < sizeof COMPARED_INITS / sizeof *COMPARED_INITS && status == FANIN_STATUS_OK; k++) {
    status = compare_init(f, &t, COMPARED_INITS[k], count);
  }
  if (status != FANIN_STATUS_OK) fprintf(stderr, "limit: %s\n", fanin_last_error());
  fanin_tensor_free(&t);
  fanin_release(f);
  return status;
}

/* ---- Timing ------------------------------------------------------------------------------------------------------ */

/* The median of as many runs as fit into 50 ms, at least one, after one that is not counted. */
static double measure(limit *l, float *out, size_t elements, const limit_law *law, bool streams) {
  enum { MOST = 4000 };
  const double enough = 0.05;
  double runs[MOST], past = 0.0;
  size_t n = 0;
  limit_fill(l, out, elements, key.seed, key.stream, law, streams);
  while (past < enough && n < MOST) {
    const double begin = timing_now();
    limit_fill(l, out, elements, key.seed, key.stream, law, streams);
    runs[n] = timing_now() - begin;
    past += runs[n++];
  }
  return timing_median(runs, n);
}

static void answer(limit *l, const char *line) {
  char text[64];
  unsigned long long elements = 0;
  fanin_init init;
  limit_law law;
  if (sscanf(line, "%*s %llu %63s", &elements, text) != 2 || fanin_init_parse(text, &init) != FANIN_STATUS_OK ||
      !law_of(&init, &law)) {
    printf("{\"error\": \"expected 'NAME ELEMENTS INIT' with a uniform, a normal, or a normal cut within 2 sigma\"}\n");
    return;
  }
  const size_t bytes = (size_t)elements * sizeof(float), unit = LIMIT_ALIGNMENT;
  float *const out = aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
  if (!out) {
    printf("{\"error\": \"out of memory\"}\n");
    return;
  }
  const double plain = measure(l, out, (size_t)elements, &law, false);
  const double streamed = limit_can_stream(l) ? measure(l, out, (size_t)elements, &law, true) : plain;
  printf("{\"seconds\": %.9g, \"stores\": \"%s\"}\n", streamed < plain ? streamed : plain,
         streamed < plain ? "non-temporal" : "plain");
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
