/* Distributions that take every path of stream v1; see cases.h. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

#include "core/context.h"
#include "oracle/cases.h"

#define TRUNCATED(mean_, std_, a_, b_, corrected_)                                                                     \
  {                                                                                                                    \
    .kind = FANIN_KIND_TRUNC_NORMAL, .mean = (mean_), .std = (std_), .a = (a_), .b = (b_),                             \
    .uncorrected = !(corrected_)                                                                                       \
  }
#define ABSOLUTE(mean_, std_, a_, b_)                                                                                  \
  {                                                                                                                    \
    .kind = FANIN_KIND_TRUNC_NORMAL, .mean = (mean_), .std = (std_), .a = (a_), .b = (b_),                             \
    .bounds = FANIN_BOUNDS_ABSOLUTE, .uncorrected = 1                                                                  \
  }

#define LOG_UNIFORM(lo_, hi_, floor_, inverse_)                                                                        \
  { .kind = FANIN_KIND_LOG_UNIFORM, .lo = (lo_), .hi = (hi_), .floor = (floor_), .inverse_softplus = (inverse_) }

const fanin_init oracle_cases[ORACLE_CASES] = {
    {.kind = FANIN_KIND_CONSTANT, .value = 0.1},
    {.kind = FANIN_KIND_CONSTANT, .value = -0x1.002004p-3}, /* bf16 and f16 differ if rounded from f64 at once */
    {.kind = FANIN_KIND_UNIFORM, .lo = 0, .hi = 1},
    {.kind = FANIN_KIND_UNIFORM, .lo = -0.3, .hi = 0.7},
    {.kind = FANIN_KIND_UNIFORM, .lo = -3e-7, .hi = 1e-6},  /* f16: a dozen subnormal numbers */
    {.kind = FANIN_KIND_UNIFORM, .lo = 100.1, .hi = 100.9}, /* bf16: one number lies inside */
    {.kind = FANIN_KIND_UNIFORM, .lo = -65504, .hi = 65504},
    {.kind = FANIN_KIND_NORMAL, .mean = 0, .std = 1},
    {.kind = FANIN_KIND_NORMAL, .mean = 0.5, .std = 0.02},
    {.kind = FANIN_KIND_NORMAL, .mean = 0, .std = 2e-6},
    {.kind = FANIN_KIND_NORMAL, .mean = -40, .std = 9000},
    TRUNCATED(0, 1, -2, 2, 1),
    TRUNCATED(0, 0.02, -2, 2, 0),
    TRUNCATED(0, 0.02, -3, 3, 1),
    TRUNCATED(0.1, 0.5, -1, 2.5, 1),
    TRUNCATED(-1, 2, -4, 0.25, 1),
    TRUNCATED(0, 1, 3, 5, 0),
    TRUNCATED(0, 1, -5, -3, 0),
    TRUNCATED(2, 0.1, 3, 5, 1),
    TRUNCATED(0, 1, 10, INFINITY, 0),
    TRUNCATED(0, 1, -INFINITY, -10, 0),
    TRUNCATED(0, 1, 40, 41, 0),
    TRUNCATED(0, 1, -41, -40, 0),
    TRUNCATED(0, 1, 1000, INFINITY, 0),
    TRUNCATED(0, 1, -INFINITY, INFINITY, 0),
    TRUNCATED(0, 1, -INFINITY, 0.5, 0),
    TRUNCATED(0, 1, 0, INFINITY, 1),
    TRUNCATED(0, 1, 1.9, 2.1, 0),
    TRUNCATED(0, 1, -8, 8, 0),
    TRUNCATED(0, 1, 0.3, 0.31, 0),
    TRUNCATED(0, 1e-3, -0.001, 0.002, 0),
    ABSOLUTE(0.01, 0.02, -0.04, 0.04),
    ABSOLUTE(0, 1, -2, 2),
    ABSOLUTE(5, 1, 1, 2),
    LOG_UNIFORM(1e-3, 0.1, 0, 0),
    LOG_UNIFORM(1e-3, 0.1, 1e-4, 1), /* Mamba's time steps */
    LOG_UNIFORM(1e-3, 0.1, 0.01, 0),
    LOG_UNIFORM(1e-3, 0.1, 0.01, 1),
    LOG_UNIFORM(1e-30, 1e30, 0, 0), /* the bounds of f16 are far within */
    LOG_UNIFORM(0.5, 5, 0, 1),      /* across ln 2, where it is 0, and 1, where another formula begins */
    LOG_UNIFORM(1e-8, 600, 0, 1),
    LOG_UNIFORM(0.99, 1.01, 0, 0),
    LOG_UNIFORM(0x1p-100, 0x1p100, 0, 0),
};

fanin_tensor oracle_range_of(fanin_dtype dtype, uint64_t first, uint64_t count) {
  const uint64_t shape[] = {ORACLE_WHOLE};
  const fanin_tensor whole = test_tensor_of(NULL, 3 * fanin_dtype_size(dtype), dtype, NULL, 1, shape);
  return test_tensor_range(whole, first, count);
}

bool oracle_is_accepted(const fanin *f, fanin_dtype dtype, const fanin_init *init) {
  if (dtype == FANIN_DTYPE_F64 && !f->has_f64) return false;
  if (dtype == FANIN_DTYPE_F16 && init->kind == FANIN_KIND_NORMAL && init->std > 9600) return false;
  if (dtype == FANIN_DTYPE_F16 && init->kind == FANIN_KIND_LOG_UNIFORM && init->hi > 65504) return false;
  if (dtype == FANIN_DTYPE_BF16 && init->kind == FANIN_KIND_TRUNC_NORMAL && init->a == 0.3) return false;
  if (fanin_dtype_size(dtype) > 1) return true;
  const double largest = oracle_most(dtype, INFINITY);
  if (init->kind == FANIN_KIND_UNIFORM) return init->hi <= largest && init->lo < 100; /* 96 and 104 are numbers */
  if (init->kind == FANIN_KIND_NORMAL) return fabs(init->mean) + 6.77 * init->std <= largest;
  if (init->kind == FANIN_KIND_LOG_UNIFORM) return init->hi <= largest;
  if (init->kind == FANIN_KIND_TRUNC_NORMAL) return init->a != 0.3 && init->a < largest; /* nothing is near 0.305 */
  return true;
}

void oracle_assert_cases(fanin *f, const uint64_t *firsts, size_t n, uint64_t count) {
  uint64_t random = count;
  for (size_t c = 0; c < ORACLE_CASES; c++) {
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (!oracle_is_accepted(f, (fanin_dtype)dtype, &oracle_cases[c])) continue;
      for (size_t k = 0; k < n; k++) {
        const fanin_key key = {test_random(&random), test_random(&random)};
        oracle_assert_fill(f, NULL, oracle_range_of((fanin_dtype)dtype, firsts[k], count), &oracle_cases[c], key);
      }
    }
  }
}

void *oracle_read_range(fanin *f, fanin_dtype dtype, uint64_t first, size_t count, const fanin_init *init,
                        fanin_key key) {
  const size_t bytes = count * fanin_dtype_size(dtype);
  void *const host = malloc(bytes);
  assert_non_null(host);
  fanin_tensor t = oracle_range_of(dtype, first, count);
  t.buffer = test_guarded(f, t.offset, bytes);
  assert_ok(fanin_fill(f, NULL, &t, init, key, 0, NULL, NULL));
  assert_ok(fanin_read(f, NULL, &t, host, bytes, 1, 0, NULL, NULL));
  fanin_tensor_free(&t);
  return host;
}
