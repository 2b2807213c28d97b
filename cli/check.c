/* Whether a measured tensor is what its initialiser makes: tests of std and mean in standard errors, and bounds. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "layout.h"

/* What a dtype's rounding does to a number: relative half step, absolute half step near 0, and what it can do to the
 * std of many (their roundings average out; the squares of relative half steps / 3 remain, and fanin_measure()'s 1e-6).
 */
static const struct {
  double relative, absolute, std_error;
} rounding[FANIN_DTYPE_COUNT] = {
    [FANIN_F32] = {0x1p-24, 0x1p-150, 1e-6},
    [FANIN_F16] = {0x1p-11, 0x1p-25, 1e-6},
    [FANIN_BF16] = {0x1p-8, 0x1p-134, 1e-5},
    [FANIN_F64] = {0x1p-24, 0, 1e-6}, /* computed to f32's accuracy at least (docs/stream.md) */
};

expectation expectation_of(const tensor_file *f, const stored_tensor *t) {
  expectation e = {.text = tensor_file_note(f, "init", t->name)};
  const char *layout = tensor_file_note(f, "layout", t->name);
  if (!e.text || !t->type->measurable || t->rank > FANIN_MAX_RANK) return e;
  fanin_tensor tensor = fanin_tensor_of(NULL, 0, t->type->dtype, NULL, t->rank, t->shape);
  if (layout && !layout_parse(layout, strlen(layout), &tensor)) return e;
  e.known = fanin_init_parse(e.text, &e.init) == FANIN_OK && fanin_expect(&tensor, &e.init, &e.moments) == FANIN_OK;
  return e;
}

z_scores z_scores_of(const expectation *e, const fanin_stats *measured, fanin_dtype dtype) {
  const double n = (double)(measured->count - measured->nonfinite);
  z_scores z = {NAN, NAN};
  if (!e->known || !(e->moments.std > 0) || n < 2) return z;
  const double step = 2 * rounding[dtype].absolute / e->moments.std;
  const double error = rounding[dtype].std_error + step * step / 24;
  const double relative = measured->std / e->moments.std - 1;
  z.std = relative / sqrt((e->moments.kurtosis - 1) / (4 * n) + error * error);
  z.mean = (measured->mean - e->moments.mean) / e->moments.std / sqrt(1 / n + error * error);
  return z;
}

size_t z_tests(const z_scores *z) {
  return (size_t)!isnan(z->std) + (size_t)!isnan(z->mean);
}

/* Random values are never rounded across a bound, but the bound itself is an f32; fixed values are rounded to the
 * dtype. */
static bool within_bounds(const expectation *e, const fanin_stats *measured, fanin_dtype dtype) {
  static const fanin_kind fixed[] = {FANIN_ZEROS, FANIN_ONES, FANIN_CONSTANT, FANIN_IDENTITY, FANIN_DIRAC};
  const double largest = fmax(fabs(e->moments.lo), fabs(e->moments.hi));
  if (measured->count == measured->nonfinite) return true;
  bool rounds = !(e->moments.std > 0);
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; ++i)
    rounds = rounds || e->init.kind == fixed[i];
  double slack = 0x1p-23 * largest;
  if (rounds) slack += rounding[dtype].relative * largest + rounding[dtype].absolute;
  if (isinf(largest)) slack = 0;
  return measured->min >= e->moments.lo - slack && measured->max <= e->moments.hi + slack;
}

const char *check_tensor(const expectation *e, const fanin_stats *measured, fanin_dtype dtype, const z_scores *z,
                         double z_bound) {
  if (measured->nonfinite > 0) return "non-finite";
  if (!e->known) return "-";
  if (fabs(z->std) > z_bound) return "std"; /* false for NaN: nothing to test */
  if (fabs(z->mean) > z_bound) return "mean";
  return within_bounds(e, measured, dtype) ? "ok" : "bounds";
}

bool check_holds(const char *verdict) {
  return strcmp(verdict, "ok") == 0 || strcmp(verdict, "-") == 0;
}
