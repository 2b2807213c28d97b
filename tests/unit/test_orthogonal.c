/* Orthogonal matrices: the specification's bits at every vector width and work-group size, how orthogonal they are, and
 * that they are what they are defined to be, and LAPACK says the same, to rounding. */
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "fill/reflect.h"
#include "oracle/image.h"
#include "oracle/orthogonal.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

static const fanin_key KEY = {.seed = 20251127, .stream = 7};

static double unit(fanin_dtype dtype) {
  return dtype == FANIN_DTYPE_F64 ? 0x1p-53 : 0x1p-24;
}

/* Fills a whole "OI" matrix between guard words and returns it as double; free() it. */
static double *filled(fanin *f, fanin_dtype dtype, uint64_t rows, uint64_t columns, double gain, fanin_key key) {
  const uint64_t shape[] = {rows, columns};
  const size_t size = fanin_dtype_size(dtype), n = (size_t)(rows * columns);
  const fanin_init init = fanin_orthogonal(gain);
  fanin_tensor t = test_tensor_of(NULL, 24, dtype, "OI", 2, shape);
  t.buffer = test_guarded(f, t.offset, n * size);
  assert_ok(fanin_fill(f, NULL, &t, &init, key, 0, NULL, NULL));
  test_assert_guarded(f, t.buffer, t.offset, n * size);
  size_t bytes = 0;
  unsigned char *const content = test_content(f, t.buffer, &bytes);
  double *const out = malloc((n + 1) * sizeof *out);
  assert_non_null(out);
  for (size_t e = 0; e < n; e++) {
    uint64_t bits = 0;
    memcpy(&bits, content + t.offset + e * size, size);
    out[e] = oracle_number(dtype, bits);
  }
  free(content);
  fanin_tensor_free(&t);
  return out;
}

/* max |Q^T Q - I| over the shorter side's vectors. */
static double defect(const double *q, size_t rows, size_t columns) {
  const bool wide = rows <= columns;
  const size_t n = wide ? rows : columns, m = wide ? columns : rows;
  double *const vectors = malloc(n * m * sizeof *vectors);
  double most = 0;
  assert_non_null(vectors);
  for (size_t a = 0; a < n; a++) {
    for (size_t j = 0; j < m; j++) {
      vectors[a * m + j] = wide ? q[a * m + j] : q[j * n + a];
    }
  }
  for (size_t a = 0; a < n; a++) {
    for (size_t b = 0; b <= a; b++) {
      double sum = a == b ? -1 : 0;
      for (size_t j = 0; j < m; j++) {
        sum += vectors[a * m + j] * vectors[b * m + j];
      }
      most = fmax(most, fabs(sum));
    }
  }
  free(vectors);
  return most;
}

/* Square, 3:2 and 1:100, tall and wide, about the sizes where blocks and vectors end. */
static const uint64_t shapes[][2] = {
    {1, 1},     {2, 2},     {1, 9},   {7, 3},     {16, 16},   {33, 17},   {64, 64},     {64, 43},
    {5, 500},   {65, 65},   {500, 5}, {96, 64},   {64, 96},   {128, 128}, {129, 200},   {300, 200},
    {200, 300}, {1000, 10}, {9, 900}, {257, 257}, {512, 512}, {700, 350}, {1024, 1024}, {1024, 683},
};

static void test_vectors_are_orthonormal(void **state) {
  fanin *const f = *state;
  for (size_t k = 0; k < LEN(shapes); k++) {
    const uint64_t rows = shapes[k][0], columns = shapes[k][1], n = rows < columns ? rows : columns;
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype += FANIN_DTYPE_F64) {
      if (dtype == FANIN_DTYPE_F64 && (!f->has_f64 || rows > 512)) continue;
      double *const q = filled(f, (fanin_dtype)dtype, rows, columns, 1, KEY);
      const double most = defect(q, rows, columns);
      /* A few vectors have a few roundings of numbers up to 2: of 4,000 matrices each of 1 to 8 vectors, 14 units. */
      const double allowed = 4 * sqrt(n > 16 ? (double)n : 16) * unit((fanin_dtype)dtype);
      free(q);
      if (most > allowed) {
        fail_msg("%d x %d %s: max |Q^T Q - I| = %g; allowed is %g", (int)rows, (int)columns,
                 fanin_dtype_name((fanin_dtype)dtype), most, allowed);
      }
    }
  }
}

/* ---- Bits -------------------------------------------------------------------------------------------------------- */

/* About the ends of tiles, chunks of rows and blocks of columns. */
static const uint64_t odd_shapes[][2] = {{1, 1},   {1, 70},    {3, 2},     {17, 15},   {16, 33},   {63, 65},
                                         {64, 64}, {65, 65},   {66, 130},  {127, 128}, {129, 129}, {131, 200},
                                         {257, 3}, {145, 300}, {260, 257}, {2, 400},   {193, 192}, {320, 129}};

/* Every `step`th shape, in the first dtypes or, with FANIN_DTYPE_COUNT, in all. */
static void assert_bits(fanin *f, size_t first, size_t step, int dtypes) {
  for (size_t k = first; k < LEN(odd_shapes); k += step) {
    const uint64_t *const shape = odd_shapes[k];
    if (shape[0] * shape[1] > oracle_amount(1 << 20, 70 * 70)) continue;
    for (int dtype = 0; dtype < dtypes; dtype++) {
      const bool other = dtype != FANIN_DTYPE_F32 && dtype != FANIN_DTYPE_F64; /* f32, rounded once: a few will do */
      if ((dtype == FANIN_DTYPE_F64 && !f->has_f64) || (other && (k % 4 != 3 || dtypes < FANIN_DTYPE_COUNT))) continue;
      const fanin_init init = fanin_orthogonal(k % 2 ? 1 : 0.7);
      const size_t offset = 3 * fanin_dtype_size((fanin_dtype)dtype);
      oracle_assert_fill(f, NULL, test_tensor_of(NULL, offset, (fanin_dtype)dtype, "OI", 2, shape), &init, KEY);
      if (k % 3 == 0)
        oracle_assert_fill(f, NULL, test_tensor_of(NULL, offset, (fanin_dtype)dtype, "IO", 2, shape), &init, KEY);
    }
  }
}

static void test_bits(void **state) {
  assert_bits(*state, 0, 1, FANIN_DTYPE_COUNT);
}

/* Other vector widths, and scalar items in groups of several sizes, which is how GPUs work. */
static void test_bits_at_every_width_and_group(void **state) {
  (void)state;
  static const char *const widths[] = {"1", "4", "8", "16", "1"}, *const groups[] = {"", "", "64", "", "8"};
  for (size_t k = 0; k < LEN(widths); k++) {
    assert_int_equal(setenv("FANIN_LANES", widths[k], 1), 0);
    assert_int_equal(setenv("FANIN_WORK_GROUP", groups[k], 1), 0);
    fanin *const other = test_open();
    assert_bits(other, k % 2, 2, k == 0 || k == 2 ? FANIN_DTYPE_F64 + 1 : FANIN_DTYPE_F32 + 1);
    test_close(other);
  }
}

/* With as little local memory as OpenCL allows, strips of columns are narrower. */
static void test_bits_with_least_local_memory(void **state) {
  (void)state;
  assert_int_equal(setenv("FANIN_LANES", "16", 1), 0);
  fanin *const other = test_open();
  other->local_bytes = 32 << 10;
  assert_bits(other, 0, 3, other->has_f64 ? FANIN_DTYPE_F64 + 1 : FANIN_DTYPE_F32 + 1);
  test_close(other);
}

/* f16 and bf16 are the f32 matrix rounded once. */
static void test_halves_are_rounded_once(void **state) {
  fanin *const f = *state;
  const uint64_t sizes[][2] = {{40, 50}, {130, 70}};
  for (size_t k = 0; k < LEN(sizes); k++) {
    const size_t n = (size_t)(sizes[k][0] * sizes[k][1]);
    double *const exact = filled(f, FANIN_DTYPE_F32, sizes[k][0], sizes[k][1], 0.7, KEY);
    double *const f16 = filled(f, FANIN_DTYPE_F16, sizes[k][0], sizes[k][1], 0.7, KEY);
    double *const bf16 = filled(f, FANIN_DTYPE_BF16, sizes[k][0], sizes[k][1], 0.7, KEY);
    for (size_t e = 0; e < n; e++) {
      assert_true(f16[e] == (double)oracle_f16_value(oracle_f16_of((float)exact[e])));
      assert_true(bf16[e] == (double)oracle_bf16_value(oracle_bf16_of((float)exact[e])));
    }
    free(exact);
    free(f16);
    free(bf16);
  }
}

/* The definition, reflector by reflector in double: what the specification's rounding costs. */
static void test_is_what_is_defined(void **state) {
  fanin *const f = *state;
  for (size_t k = 0; k < LEN(shapes); k++) {
    const uint64_t rows = shapes[k][0], columns = shapes[k][1];
    if (rows * columns > 100000) continue;
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype += FANIN_DTYPE_F64) {
      if (dtype == FANIN_DTYPE_F64 && !f->has_f64) continue;
      const fanin_tensor t = test_tensor_of(NULL, 0, (fanin_dtype)dtype, "OI", 2, shapes[k]);
      double *const q = filled(f, (fanin_dtype)dtype, rows, columns, 2, KEY), *const wanted = oracle_orthogonal(
                                                                                  &t, oracle_reflect, KEY);
      for (size_t e = 0; e < rows * columns; e++) {
        const double error = fabs(q[e] / 2 - wanted[e]);
        if (!(error <= 64 * unit((fanin_dtype)dtype))) {
          fail_msg("%d x %d %s, element %zu is %.17g, not %.17g", (int)rows, (int)columns,
                   fanin_dtype_name((fanin_dtype)dtype), e, q[e] / 2, wanted[e]);
        }
      }
      free(q);
      free(wanted);
    }
  }
}

/* ---- LAPACK ------------------------------------------------------------------------------------------------------ */

/* LAPACK's generator of Q from reflectors (Fortran: every argument by address). */
void dorgqr_(const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau, double *work,
             const int *lwork, int *info);

/* LAPACK's form of our reflectors: v_0 = 1, tau = 2 / |v|^2. */
static void test_agrees_with_lapack(void **state) {
  fanin *const f = *state;
  static const uint64_t sizes[][2] = {{64, 64}, {40, 60}, {300, 200}, {512, 512}};
  for (size_t k = 0; k < LEN(sizes); k++) {
    const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, sizes[k]);
    const size_t rows = (size_t)sizes[k][0], columns = (size_t)sizes[k][1];
    const bool tall = rows > columns;
    const int m = (int)(tall ? rows : columns), n = (int)(tall ? columns : rows), room = 64 * n;
    double *const normals = oracle_normals(&t, KEY), *const q = filled(f, FANIN_DTYPE_F32, rows, columns, 1, KEY);
    double *const a = calloc((size_t)m * (size_t)n, sizeof *a), *const tau = calloc((size_t)n, sizeof *tau);
    double *const sign = calloc((size_t)n, sizeof *sign), *const work = calloc((size_t)room, sizeof *work);
    assert_true(a && tau && sign && work);
    for (size_t s = 0; s < (size_t)n; s++) {
      double squares = 0;
      for (size_t j = s; j < (size_t)m; j++) {
        a[s * (size_t)m + j] = tall ? normals[j * columns + s] : normals[s * columns + j];
        squares += a[s * (size_t)m + j] * a[s * (size_t)m + j];
      }
      const double x0 = a[s * (size_t)m + s], v0 = x0 + (x0 < 0 ? -sqrt(squares) : sqrt(squares));
      sign[s] = x0 < 0 ? 1 : -1;
      tau[s] = 2 * v0 * v0 / (squares - x0 * x0 + v0 * v0);
      for (size_t j = s + 1; j < (size_t)m; j++) {
        a[s * (size_t)m + j] /= v0;
      }
    }
    int info = -1;
    dorgqr_(&m, &n, &n, a, &m, tau, work, &room, &info);
    assert_int_equal(info, 0);
    for (size_t e = 0; e < rows * columns; e++) {
      const size_t row = e / columns, column = e % columns, s = tall ? column : row, j = tall ? row : column;
      const double wanted = a[s * (size_t)m + j] * sign[s];
      if (!(fabs(q[e] - wanted) <= 5e-6)) fail_msg("element %zu is %g, LAPACK has %g", e, q[e], wanted);
    }
    free(normals);
    free(q);
    free(a);
    free(tau);
    free(sign);
    free(work);
  }
}

/* ---- Degenerate draws, which the stream never makes -------------------------------------------------------------- */

/* Columns of zeros, infinities and NaN among normals: reflectors that do nothing. */
static void test_degenerate_columns_do_no_harm(void **state) {
  fanin *const f = *state;
  static const size_t sizes[][2] = {{20, 12}, {150, 140}};
  for (size_t k = 0; k < LEN(sizes); k++) {
    const size_t height = sizes[k][0], width = sizes[k][1], n = height * width;
    const uint64_t shape[] = {width, height};
    const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, shape);
    double *const wanted = oracle_normals(&t, KEY);
    float *const x = malloc(n * sizeof *x);
    assert_non_null(x);
    for (size_t j = 3; j < height; j++) {
      wanted[3 * height + j] = wanted[7 * height + j] = 0;
    }
    for (size_t j = 8; j < height; j++) {
      wanted[8 * height + j] *= 1e30; /* squares are infinite */
    }
    wanted[7 * height + 9] = INFINITY;
    wanted[7 * height + 10] = NAN;
    for (size_t e = 0; e < n; e++) {
      x[e] = (float)wanted[e];
    }
    fanin__stack s = {.count = 1, .height = height, .width = width, .row_step = 1, .column_step = height};
    const cl_command_queue queue = test_queue(f);
    assert_ok(fanin__stack_make(f, &s));
    assert_int_equal(clEnqueueWriteBuffer(queue, s.matrices, CL_TRUE, 0, n * sizeof *x, x, 0, NULL, NULL), CL_SUCCESS);
    assert_ok(fanin__reflect(f, queue, &s, 1));
    assert_int_equal(clEnqueueReadBuffer(queue, s.matrices, CL_TRUE, 0, n * sizeof *x, x, 0, NULL, NULL), CL_SUCCESS);
    fanin__stack_release(&s);
    oracle_orthonormal(FANIN_DTYPE_F32, wanted, height, width, true);
    for (size_t e = 0; e < n; e++) {
      const float should = (float)wanted[e];
      if (memcmp(&x[e], &should, sizeof should) != 0) fail_msg("number %zu is %g, not %g", e, (double)x[e], wanted[e]);
    }
    assert_true(defect(wanted, width, height) <= 4 * sqrt((double)width) * 0x1p-24);
    free(wanted);
    free(x);
  }
}

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

static void test_memory_is_what_it_is_said_to_be(void **state) {
  fanin *const f = *state;
  static const uint64_t sizes[][2] = {{64, 64},    {65, 65},    {100, 10},   {512, 512},  {2048, 2048}, {3072, 768},
                                      {8192, 80},  {300, 65},   {1024, 65},  {4096, 65},  {8192, 129},  {8192, 255},
                                      {8192, 256}, {16384, 10}, {100000, 1}, {60000, 64}, {4000, 1025}, {2000, 300}};
  for (size_t k = 0; k < LEN(sizes); k++) {
    fanin__stack s = {.count = 1, .height = sizes[k][0], .width = sizes[k][1]};
    assert_ok(fanin__stack_make(f, &s));
    const double matrix = 4.0 * (double)(s.height * s.width);
    if ((double)s.bytes > 3 * matrix + 262144) {
      fail_msg("%d x %d: %zu bytes are %.2f matrices", (int)s.height, (int)s.width, s.bytes, (double)s.bytes / matrix);
    }
    fanin__stack_release(&s);
  }
}

static int restore(void **state) {
  (void)state;
  return unsetenv("FANIN_LANES") || unsetenv("FANIN_WORK_GROUP");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bits),
      cmocka_unit_test_setup_teardown(test_bits_at_every_width_and_group, NULL, restore),
      cmocka_unit_test_setup_teardown(test_bits_with_least_local_memory, NULL, restore),
      cmocka_unit_test(test_vectors_are_orthonormal),
      cmocka_unit_test(test_halves_are_rounded_once),
      cmocka_unit_test(test_is_what_is_defined),
      cmocka_unit_test(test_agrees_with_lapack),
      cmocka_unit_test(test_degenerate_columns_do_no_harm),
      cmocka_unit_test(test_memory_is_what_it_is_said_to_be),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
