/* What is filled is distributed as it should be, in numbers derived by hand: std and mean of every initializer on every
 * kind of layout in every dtype, shapes, tails and bounds. Fixed seeds; 4.5 standard errors each. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

#include "core/context.h"
#include "oracle/image.h"
#include "oracle/statistics.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

/* ---- Layouts, with fans by hand ---------------------------------------------------------------------------------- */

typedef struct layout_case {
  const char *layout;
  int rank;
  uint64_t shape[4]; /* at least 2^20 elements, and rectangular: swapped fans show */
  uint32_t groups, splits;
  double fan_in, fan_out;
} layout_case;

static const layout_case layouts[] = {
    {"OI", 2, {2048, 512}, 0, 0, 512, 2048},         {"IO", 2, {2049, 513}, 0, 0, 2049, 513},
    {"OIHW", 4, {256, 512, 3, 3}, 0, 0, 4608, 2304}, {"HWIO", 4, {3, 3, 512, 256}, 0, 0, 4608, 2304},
    {"IOHW", 4, {256, 512, 3, 3}, 0, 0, 2304, 4608}, {"BOI", 3, {5, 1024, 256}, 0, 0, 256, 1024},
    {"OIHW", 4, {512, 256, 3, 3}, 8, 0, 2304, 576}, /* 64 outputs a group */
    {"OI", 2, {3072, 384}, 0, 3, 384, 1024},        /* 1024 outputs a split */
};

/* ---- Initializers, with std by hand ------------------------------------------------------------------------------ */

typedef enum fan { FAN_IN, FAN_OUT, FAN_MEAN, FAN_GEOMETRIC } fan;
typedef enum form { UNIFORM, NORMAL, CUT } form; /* CUT: at 2 sigma, std kept */

/* std^2 = scale / fan */
typedef struct scaled_case {
  const char *what;
  fanin_init init;
  double scale;
  fan by;
  form form;
} scaled_case;

static const scaled_case scaled[] = {
    {"xavier_uniform", {.kind = FANIN_KIND_XAVIER_UNIFORM, .gain = 1}, 1, FAN_MEAN, UNIFORM},
    {"xavier_uniform of tanh", {.kind = FANIN_KIND_XAVIER_UNIFORM, .gain = 1.5}, 2.25, FAN_MEAN, UNIFORM},
    {"xavier_normal",
     {.kind = FANIN_KIND_XAVIER_NORMAL, .gain = 1, .distribution = FANIN_DISTRIBUTION_NORMAL},
     1,
     FAN_MEAN,
     NORMAL},
    {"xavier_normal, cut",
     {.kind = FANIN_KIND_XAVIER_NORMAL, .gain = 2, .distribution = FANIN_DISTRIBUTION_TRUNC_NORMAL},
     4,
     FAN_MEAN,
     CUT},
    {"he_uniform", {.kind = FANIN_KIND_HE_UNIFORM, .mode = FANIN_MODE_FAN_IN}, 2, FAN_IN, UNIFORM},
    {"pytorch_default", {.kind = FANIN_KIND_HE_UNIFORM, .a = 2.2360679774997896964}, 1 / 3., FAN_IN, UNIFORM},
    {"he_normal", {.kind = FANIN_KIND_HE_NORMAL, .distribution = FANIN_DISTRIBUTION_NORMAL}, 2, FAN_IN, NORMAL},
    {"he_normal of fan_out",
     {.kind = FANIN_KIND_HE_NORMAL, .mode = FANIN_MODE_FAN_OUT, .distribution = FANIN_DISTRIBUTION_NORMAL},
     2,
     FAN_OUT,
     NORMAL},
    {"he_normal, cut",
     {.kind = FANIN_KIND_HE_NORMAL, .a = 0.5, .distribution = FANIN_DISTRIBUTION_TRUNC_NORMAL},
     1.6,
     FAN_IN,
     CUT},
    {"lecun_uniform", {.kind = FANIN_KIND_LECUN_UNIFORM}, 1, FAN_IN, UNIFORM},
    {"lecun_normal", {.kind = FANIN_KIND_LECUN_NORMAL, .distribution = FANIN_DISTRIBUTION_NORMAL}, 1, FAN_IN, NORMAL},
    {"lecun_normal, cut",
     {.kind = FANIN_KIND_LECUN_NORMAL, .distribution = FANIN_DISTRIBUTION_TRUNC_NORMAL},
     1,
     FAN_IN,
     CUT},
    {"variance_scaling, uniform",
     {.kind = FANIN_KIND_VARIANCE_SCALING,
      .scale = 3,
      .mode = FANIN_MODE_FAN_OUT,
      .distribution = FANIN_DISTRIBUTION_UNIFORM},
     3,
     FAN_OUT,
     UNIFORM},
    {"variance_scaling, normal",
     {.kind = FANIN_KIND_VARIANCE_SCALING,
      .scale = 0.5,
      .mode = FANIN_MODE_FAN_GEO,
      .distribution = FANIN_DISTRIBUTION_NORMAL},
     0.5,
     FAN_GEOMETRIC,
     NORMAL},
    {"variance_scaling, cut",
     {.kind = FANIN_KIND_VARIANCE_SCALING,
      .scale = 1,
      .mode = FANIN_MODE_FAN_AVG,
      .distribution = FANIN_DISTRIBUTION_TRUNC_NORMAL},
     1,
     FAN_MEAN,
     CUT},
};

static double fan_of(const layout_case *c, fan by) {
  const double fans[] = {[FAN_IN] = c->fan_in,
                         [FAN_OUT] = c->fan_out,
                         [FAN_MEAN] = (c->fan_in + c->fan_out) / 2,
                         [FAN_GEOMETRIC] = sqrt(c->fan_in * c->fan_out)};
  return fans[by];
}

/* The std of N(0, 1) cut at 2 sigma. */
#define CUT_STD 0.8796256610342398

static statistics_law law_of(form shape, double std) {
  const double bound = sqrt(3) * std;
  const statistics_law laws[] = {
      [UNIFORM] = {.uniform = true, .lo = -bound, .hi = bound},
      [NORMAL] = {.std = std, .a = -INFINITY, .b = INFINITY},
      [CUT] = {.std = std / CUT_STD, .a = -2, .b = 2},
  };
  return laws[shape];
}

/* ---- Mean, std and shape ----------------------------------------------------------------------------------------- */

/* Not those of 8 bits, whose rounding all of these statistics would show: test_f8.c has its own. */
static bool has(const fanin *f, int dtype) {
  return fanin_dtype_size((fanin_dtype)dtype) > 1 && (dtype != FANIN_DTYPE_F64 || f->has_f64);
}

static void test_scaled(void **state) {
  fanin *const f = *state;
  for (size_t i = 0; i < LEN(scaled); i++) {
    for (size_t l = 0; l < LEN(layouts); l++) {
      const statistics_law law = law_of(scaled[i].form, sqrt(scaled[i].scale / fan_of(&layouts[l], scaled[i].by)));
      double mean, std, kurtosis, z[2];
      statistics_moments(&law, &mean, &std, &kurtosis);
      for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
        if (!has(f, dtype)) continue;
        fanin_tensor t =
            test_tensor_of(NULL, 0, (fanin_dtype)dtype, layouts[l].layout, layouts[l].rank, layouts[l].shape);
        t.groups = layouts[l].groups;
        t.splits = layouts[l].splits;
        size_t n = 0;
        double *const x = statistics_fill(f, t, &scaled[i].init, (fanin_key){i, l}, &n);
        assert_true(n >= 1 << 20);
        statistics_location(x, n, mean, std, kurtosis, z);
        free(x);
        statistics_assert_z(z[0], "mean", scaled[i].what, t.dtype);
        statistics_assert_z(z[1], "std", scaled[i].what, t.dtype);
      }
    }
  }
}

/* Initializers that say their own numbers, and their laws. `std` of a corrected cut is what is left of the law's. */
typedef struct plain_case {
  const char *what;
  fanin_init init;
  statistics_law law;
} plain_case;

#define TRUNC .kind = FANIN_KIND_TRUNC_NORMAL
#define WHOLE .a = -INFINITY, .b = INFINITY

static const plain_case plain[] = {
    {"uniform", {.kind = FANIN_KIND_UNIFORM, .lo = -1, .hi = 1}, {.uniform = true, .lo = -1, .hi = 1}},
    {"uniform of one sign", {.kind = FANIN_KIND_UNIFORM, .lo = 0.5, .hi = 2}, {.uniform = true, .lo = 0.5, .hi = 2}},
    {"normal", {.kind = FANIN_KIND_NORMAL, .mean = 0, .std = 1}, {.std = 1, WHOLE}},
    {"normal with a mean", {.kind = FANIN_KIND_NORMAL, .mean = -1.5, .std = 0.25}, {.mean = -1.5, .std = 0.25, WHOLE}},
    {"GPT-2's normal", {.kind = FANIN_KIND_NORMAL, .mean = 0, .std = 0.02}, {.std = 0.02, WHOLE}},
    {"cut at 2, corrected", {TRUNC, .std = CUT_STD, .a = -2, .b = 2}, {.std = 1, .a = -2, .b = 2}},
    {"cut at 3", {TRUNC, .uncorrected = 1, .std = 1, .a = -3, .b = 3}, {.std = 1, .a = -3, .b = 3}},
    {"cut on one side",
     {TRUNC, .uncorrected = 1, .std = 1, .a = 0.5, .b = INFINITY},
     {.std = 1, .a = 0.5, .b = INFINITY}},
    {"upper tail", {TRUNC, .uncorrected = 1, .std = 1, .a = 3, .b = 5}, {.std = 1, .a = 3, .b = 5}},
    {"lower tail",
     {TRUNC, .uncorrected = 1, .std = 1, .a = -INFINITY, .b = -2.5},
     {.std = 1, .a = -INFINITY, .b = -2.5}},
    {"asymmetric",
     {TRUNC, .uncorrected = 1, .mean = 1, .std = 2, .a = -1, .b = 2.5},
     {.mean = 1, .std = 2, .a = -1, .b = 2.5}},
    {"absolute",
     {TRUNC, .uncorrected = 1, .std = 0.5, .a = -1, .b = 2, .bounds = FANIN_BOUNDS_ABSOLUTE},
     {.std = 0.5, .a = -2, .b = 4}},
};

static void test_plain(void **state) {
  fanin *const f = *state;
  for (size_t i = 0; i < LEN(plain); i++) {
    double mean, std, kurtosis, z[2];
    statistics_moments(&plain[i].law, &mean, &std, &kurtosis);
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (!has(f, dtype)) continue;
      size_t n = 0;
      const fanin_tensor t = statistics_vector((fanin_dtype)dtype, (1 << 20) + 7);
      double *const x = statistics_fill(f, t, &plain[i].init, (fanin_key){i, 99}, &n);
      statistics_location(x, n, mean, std, kurtosis, z);
      statistics_assert_z(z[0], "mean", plain[i].what, t.dtype);
      statistics_assert_z(z[1], "std", plain[i].what, t.dtype);
      /* Far out, 8 bits leave cells as wide as the law. */
      const bool coarse = dtype == FANIN_DTYPE_BF16 && fabs(mean) > 2 * std;
      if (!coarse)
        statistics_assert_z(statistics_chi_square(&plain[i].law, t.dtype, x, n), "shape", plain[i].what, t.dtype);
      if (dtype == FANIN_DTYPE_F32) assert_true(statistics_kolmogorov(&plain[i].law, x, n) < 2.5);
      free(x);
    }
  }
}

static void test_constants(void **state) {
  fanin *const f = *state;
  const struct {
    fanin_init init;
    double value;
  } constants[] = {{fanin_zeros(), 0},
                   {fanin_ones(), 1},
                   {fanin_constant(-0.75), -0.75},
                   {fanin_uniform(3, 3), 3},
                   {fanin_normal(7, 0), 7}};
  for (size_t i = 0; i < LEN(constants); i++) {
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (!has(f, dtype)) continue;
      size_t n = 0;
      double *const x =
          statistics_fill(f, statistics_vector((fanin_dtype)dtype, 1001), &constants[i].init, (fanin_key){1, 2}, &n);
      for (size_t k = 0; k < n; k++) {
        assert_true(x[k] == constants[i].value);
      }
      free(x);
    }
  }
}

/* ---- Tails ------------------------------------------------------------------------------------------------------- */

static void test_tails(void **state) {
  fanin *const f = *state;
  static const struct {
    double z, probability;
  } beyond[] = {{2, 2.275013194817921e-2},
                {3, 1.349898031630095e-3},
                {4, 3.167124183311992e-5},
                {4.5, 3.397673124730060e-6},
                {5, 2.866515718791939e-7}};
  const fanin_init init = fanin_normal(0, 1);
  for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
    if (!has(f, dtype) || dtype == FANIN_DTYPE_BF16) continue; /* bf16's cells are too wide for these limits */
    size_t n = 0;
    double *const x = statistics_fill(f, statistics_vector((fanin_dtype)dtype, 1 << 24), &init, (fanin_key){4, 5}, &n);
    for (size_t b = 0; b < LEN(beyond); b++) {
      double above = 0, below = 0;
      for (size_t k = 0; k < n; k++) {
        above += x[k] > beyond[b].z;
        below += x[k] < -beyond[b].z;
      }
      /* Counts of 5 at least, by Anscombe's root, which makes Poisson counts normal; f16 rounds half a cell away. */
      const double cell = dtype == FANIN_DTYPE_F16 ? beyond[b].z * 0x1p-12 : 0;
      const double expected = (double)n * beyond[b].probability * exp(-beyond[b].z * cell);
      statistics_assert_z(2 * (sqrt(above + 0.375) - sqrt(expected + 0.125)), "upper tail", "normal",
                          (fanin_dtype)dtype);
      statistics_assert_z(2 * (sqrt(below + 0.375) - sqrt(expected + 0.125)), "lower tail", "normal",
                          (fanin_dtype)dtype);
    }
    free(x);
  }
}

/* ---- Bounds ------------------------------------------------------------------------------------------------------ */

/* Bounds that no dtype has, that all have, that lie between a few numbers of one. */
static const double bounds[][2] = {
    {-1, 1},       {0, 1},          {-0.1, 0.1},      {0.30000001, 0.7}, {-1.0 / 3, 2. / 3}, {-1e-6, 2e-6},
    {1.001, 1.02}, {-100.3, -99.1}, {1000.1, 1020.7}, {-0.0312, 0.0309}, {-60000.3, 59999.1}};

static void assert_inside(const double *x, size_t n, double lo, double hi, bool reached) {
  double least = INFINITY, most = -INFINITY;
  for (size_t k = 0; k < n; k++) {
    assert_true(x[k] >= lo && x[k] <= hi);
    least = fmin(least, x[k]);
    most = fmax(most, x[k]);
  }
  if (reached) assert_true(least == lo && most == hi);
}

/* Two bytes have [-1, 1] as numbers, which half a cell rounds to: closed at both ends. */
static void test_uniform_bounds(void **state) {
  fanin *const f = *state;
  for (size_t b = 0; b < LEN(bounds); b++) {
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (!has(f, dtype)) continue;
      const fanin_init init = fanin_uniform(bounds[b][0], bounds[b][1]);
      size_t n = 0;
      double *const x =
          statistics_fill(f, statistics_vector((fanin_dtype)dtype, 1 << 20), &init, (fanin_key){b, 6}, &n);
      assert_inside(x, n, bounds[b][0], bounds[b][1], b == 0 && fanin_dtype_size((fanin_dtype)dtype) == 2);
      free(x);
    }
  }
}

/* Normals as wide as what they are cut to: their density at the bounds is high. */
static void test_truncated_bounds(void **state) {
  fanin *const f = *state;
  for (size_t b = 0; b < LEN(bounds); b++) {
    const double lo = bounds[b][0], hi = bounds[b][1], width = hi - lo;
    fanin_init absolute = fanin_trunc_normal(lo + 0.4 * width, 0.7 * width, lo, hi);
    absolute.bounds = FANIN_BOUNDS_ABSOLUTE;
    absolute.uncorrected = 1;
    fanin_init sigma = fanin_trunc_normal(0, width, -0.3 - (double)b, 0.2 + 0.1 * (double)b);
    sigma.uncorrected = 1;
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      /* f16 does not hold a std of 1e5. */
      if (!has(f, dtype) || (dtype == FANIN_DTYPE_F16 && width > 1e4)) continue;
      size_t n = 0;
      double *const x =
          statistics_fill(f, statistics_vector((fanin_dtype)dtype, 1 << 19), &absolute, (fanin_key){b, 7}, &n);
      assert_inside(x, n, lo, hi, false);
      free(x);
      double *const y =
          statistics_fill(f, statistics_vector((fanin_dtype)dtype, 1 << 19), &sigma, (fanin_key){b, 8}, &n);
      assert_inside(y, n, sigma.a * width, sigma.b * width, false);
      free(y);
    }
  }
}

static int report_and_close(void **state) {
  statistics_report();
  return test_group_close(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_scaled), cmocka_unit_test(test_plain),          cmocka_unit_test(test_constants),
      cmocka_unit_test(test_tails),  cmocka_unit_test(test_uniform_bounds), cmocka_unit_test(test_truncated_bounds),
  };
  return cmocka_run_group_tests(tests, test_group_open, report_and_close);
}
