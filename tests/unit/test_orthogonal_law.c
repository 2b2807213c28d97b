/* Orthogonal matrices are Haar-distributed, and the tests of that see a missing sign fix; what fanin_expect(, sizeof *)
 * says of their entries. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle/image.h"
#include "oracle/orthogonal.h"
#include "oracle/statistics.h"

enum { N = 64, DRAWS = 800 };

/* Sums over draws of what a Haar matrix Q of O(N) has known moments of (Diaconis & Shahshahani 1994: tr Q and tr Q^2
 * have means 0 and 1 and variances 1 and 2, and up to moments far beyond the fourth are those of normals). */
typedef struct sums {
  double trace, trace2, square, square2, fourth, fourth2;
} sums;

static void add(sums *to, const double *q) {
  double trace = 0, square = 0, fourth = 0;
  for (size_t i = 0; i < N; i++) {
    trace += q[i * N + i];
    for (size_t j = 0; j < N; j++) {
      square += q[i * N + j] * q[j * N + i];
      fourth += pow(q[i * N + j], 4);
    }
  }
  fourth /= N * N;
  to->trace += trace;
  to->trace2 += trace * trace;
  to->square += square;
  to->square2 += (square - 1) * (square - 1);
  to->fourth += fourth;
  to->fourth2 += fourth * fourth;
}

/* Standard deviates of five moments; the variance of a normal's squared deviation is 2 variance^2. The mean of the
 * entries' fourth powers in its own standard error, that of DRAWS independent matrices. */
enum { DEVIATES = 5 };
static void deviates(const sums *s, double z[DEVIATES]) {
  const double n = DRAWS, mean = s->fourth / n, variance = s->fourth2 / n - mean * mean;
  z[0] = s->trace / sqrt(n);
  z[1] = (s->trace2 / n - 1) / sqrt(2 / n);
  z[2] = (s->square / n - 1) / sqrt(2 / n);
  z[3] = (s->square2 / n - 2) / sqrt(8 / n);
  z[4] = (mean - 3.0 / (N * (N + 2))) / sqrt(variance / n);
}

static void test_is_haar(void **state) {
  fanin *const f = *state;
  const uint64_t shape[] = {DRAWS, N, N};
  const fanin_init init = fanin_orthogonal(1);
  size_t n = 0;
  double *const q =
      statistics_fill(f, test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "BOI", 3, shape), &init, (fanin_key){64, 2}, &n);
  sums s = {0};
  double z[DEVIATES];
  assert_int_equal(n, DRAWS * N * N);
  for (size_t k = 0; k < DRAWS; k++) {
    add(&s, q + k * N * N);
  }
  free(q);
  deviates(&s, z);
  static const char *const names[DEVIATES] = {"mean of tr Q", "variance of tr Q", "mean of tr Q^2",
                                              "variance of tr Q^2", "fourth moment"};
  for (int k = 0; k < DEVIATES; k++) {
    statistics_assert_z(z[k], names[k], "orthogonal", FANIN_DTYPE_F32);
  }
  statistics_report();
}

/* Without R's signs, orthogonal as before, and far from Haar. */
static void test_a_missing_sign_fix_is_seen(void **state) {
  (void)state;
  const uint64_t shape[] = {DRAWS, N, N};
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "BOI", 3, shape);
  double *const q = oracle_normals(&t, (fanin_key){64, 2});
  for (int fix = 1; fix >= 0; fix--) {
    sums s = {0};
    double z[DEVIATES];
    for (size_t k = 0; k < DRAWS; k++) {
      double matrix[N * N];
      memcpy(matrix, q + k * N * N, sizeof matrix);
      oracle_orthonormal(FANIN_DTYPE_F32, matrix, N, N, fix);
      add(&s, matrix);
    }
    deviates(&s, z);
    if (fix) assert_true(fabs(z[0]) <= STATISTICS_BOUND && fabs(z[2]) <= STATISTICS_BOUND);
    if (!fix) assert_true(fabs(z[0]) > 20);
  }
  free(q);
}

/* Moments of entries, against fanin_expect(, sizeof *): std exactly, for the vectors' lengths are exact; kurtosis in
 * its own standard error over matrices. */
static void test_expectations(void **state) {
  fanin *const f = *state;
  static const struct {
    const char *layout;
    int rank;
    uint64_t shape[5];
    double longer;
    double taps; /* of delta_orthogonal; 0: orthogonal */
  } cases[] = {{"BOI", 3, {2000, 3, 5}, 5, 0},         {"BOI", 3, {2000, 8, 4}, 8, 0},
               {"BOIHW", 5, {500, 6, 2, 3, 2}, 12, 0}, {"BOIHW", 5, {500, 6, 4, 3, 2}, 6, 6},
               {"BOI", 3, {2000, 1, 1}, 1, 0},         {"BOI", 3, {3, 100, 70}, 100, 0}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, cases[k].layout, cases[k].rank, cases[k].shape);
    const double n_taps = cases[k].taps > 0 ? cases[k].taps : 1;
    const fanin_init init = cases[k].taps > 0 ? fanin_delta_orthogonal(3) : fanin_orthogonal(3);
    fanin_moments m;
    fanin_law law;
    assert_ok(fanin_expect(&t, &init, &m, sizeof m));
    assert_ok(fanin_law_of(&t, &init, &law));
    assert_true(law.kind == FANIN_LAW_KIND_ORTHOGONAL && law.value == 3 && law.lo == -3 && law.hi == 3);
    assert_true(m.mean == 0 && m.lo == -3 && m.hi == 3);
    assert_true(fabs(m.std - 3 / sqrt(cases[k].longer * n_taps)) < 1e-15 * 3);
    assert_true(fabs(m.kurtosis - 3 * cases[k].longer / (cases[k].longer + 2) * n_taps) < 1e-13);
    size_t n = 0;
    double *const q = statistics_fill(f, t, &init, (fanin_key){5, k}, &n), sum = 0, squares = 0;
    const size_t matrices = (size_t)cases[k].shape[0], size = n / matrices;
    double fourth = 0, spread = 0;
    for (size_t b = 0; b < matrices; b++) {
      double mine = 0;
      for (size_t e = 0; e < size; e++) {
        const double x = q[b * size + e];
        sum += x;
        squares += x * x;
        mine += pow(x / m.std, 4) / (double)size;
      }
      fourth += mine / (double)matrices;
      spread += mine * mine / (double)matrices;
    }
    free(q);
    assert_true(fabs(sqrt(squares / (double)n) / m.std - 1) < 3e-7);
    statistics_assert_z(sum / sqrt((double)n) / m.std, "mean", cases[k].layout, FANIN_DTYPE_F32);
    const double error = sqrt(fmax(spread - fourth * fourth, 0) / (double)matrices);
    if (matrices > 100 && cases[k].longer > 1) {
      statistics_assert_z((fourth - m.kurtosis) / error, "kurtosis", cases[k].layout, FANIN_DTYPE_F32);
    }
  }
  statistics_report();
}

/* max |P^T P - I| of the product P of `depth` matrices, which is 0 where every singular value is 1. */
static double spread_of_product(const double *matrices, size_t depth) {
  static double p[N * N], next[N * N];
  double most = 0;
  memcpy(p, matrices, sizeof p);
  for (size_t l = 1; l < depth; l++) {
    for (size_t i = 0; i < N; i++) {
      for (size_t j = 0; j < N; j++) {
        double sum = 0;
        for (size_t k = 0; k < N; k++) {
          sum += matrices[(l * N + i) * N + k] * p[k * N + j];
        }
        next[i * N + j] = sum;
      }
    }
    memcpy(p, next, sizeof p);
  }
  for (size_t i = 0; i < N; i++) {
    for (size_t j = 0; j < N; j++) {
      double sum = i == j ? -1 : 0;
      for (size_t k = 0; k < N; k++) {
        sum += p[k * N + i] * p[k * N + j];
      }
      most = fmax(most, fabs(sum));
    }
  }
  return most;
}

/* Saxe et al. 2013: a linear network of 100 layers keeps every singular value at 1 if they are orthogonal, and none if
 * they are Gaussian. |P^T P - I| <= N max, so that singular values are within half of N max of 1. */
static void test_dynamical_isometry(void **state) {
  fanin *const f = *state;
  const uint64_t shape[] = {100, N, N};
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "BOI", 3, shape);
  const fanin_init orthogonal = fanin_orthogonal(1), gaussian = fanin_lecun_normal();
  size_t n = 0;
  double *const q = statistics_fill(f, t, &orthogonal, (fanin_key){1, 1}, &n);
  double *const g = statistics_fill(f, t, &gaussian, (fanin_key){1, 1}, &n);
  assert_true(spread_of_product(q, 100) * N / 2 <= 1e-3);
  assert_true(spread_of_product(g, 100) > 0.5);
  free(q);
  free(g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_is_haar),
      cmocka_unit_test(test_a_missing_sign_fix_is_seen),
      cmocka_unit_test(test_expectations),
      cmocka_unit_test(test_dynamical_isometry),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
