/* The matrix product behind the probe: the bits that kernels/gemm.cl states, against plain C, at every lane width and
 * group size; and that those are the product, against sums in double. */
#include "core/context.h" /* for f->compute_units */
#include "probe/gemm.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 }; /* products that are summed up before they are added */

/* A product and its matrices: `c` before, `out` after. */
typedef struct example {
  fanin__matmul p;
  float *a, *b, *c, *out;
} example;

static float *random_matrix(uint64_t *state, uint64_t n) {
  float *const x = malloc((size_t)n * sizeof *x);
  assert_non_null(x);
  for (uint64_t k = 0; k < n; k++) {
    x[k] = (float)((double)(int64_t)test_random(state) * 0x1p-63);
  }
  return x;
}

static float entry(const float *x, bool transposed, uint64_t rows, uint64_t columns, uint64_t i, uint64_t j) {
  return transposed ? x[j * rows + i] : x[i * columns + j];
}

static float expected(const example *e, uint64_t i, uint64_t j) {
  const fanin__matmul *const p = &e->p;
  float total = p->beta == 0 ? 0 : p->beta * e->c[i * p->n + j];
  for (uint64_t from = 0; from < p->k; from += CHUNK) {
    float sum = 0;
    for (uint64_t k = from; k < p->k && k < from + CHUNK; k++) {
      sum = fmaf(entry(e->a, p->a_transposed, p->m, p->k, i, k), entry(e->b, p->b_transposed, p->k, p->n, k, j), sum);
    }
    total = fmaf(p->alpha, sum, total);
  }
  return total;
}

/* Its terms are below 1: each of k + k / 64 + 2 roundings is below 2^-24 of the largest sum. */
static void check_product(const example *e, uint64_t i, uint64_t j) {
  const fanin__matmul *const p = &e->p;
  double sum = 0, largest = 0;
  for (uint64_t k = 0; k < p->k; k++) {
    const double x = (double)entry(e->a, p->a_transposed, p->m, p->k, i, k);
    const double y = (double)entry(e->b, p->b_transposed, p->k, p->n, k, j);
    sum += x * y;
    largest += fabs(x * y);
  }
  const double old = p->beta == 0 ? 0 : (double)p->beta * (double)e->c[i * p->n + j];
  const double exact = (double)p->alpha * sum + old;
  const double most = fabs((double)p->alpha) * largest + fabs(old);
  const double roundings = (double)p->k + (double)p->k / CHUNK + 3;
  assert_true(fabs((double)e->out[i * p->n + j] - exact) <= roundings * 0x1p-24 * most);
}

static void make(fanin *f, example *e, uint64_t seed) {
  fanin__matmul *const p = &e->p;
  uint64_t state = seed;
  e->a = random_matrix(&state, p->m * p->k);
  e->b = random_matrix(&state, p->k * p->n);
  e->c = random_matrix(&state, p->m * p->n);
  if (p->beta == 0) e->c[0] = NAN; /* does not count */
  float *const from[3] = {e->a, e->b, e->c};
  cl_mem *const to[3] = {&p->a, &p->b, &p->c};
  const uint64_t counts[3] = {p->m * p->k, p->k * p->n, p->m * p->n};
  for (size_t k = 0; k < 3; k++) {
    const size_t bytes = (size_t)counts[k] * sizeof(float);
    *to[k] = test_guarded(f, 0, bytes);
    assert_int_equal(clEnqueueWriteBuffer(test_queue(f), *to[k], CL_TRUE, 0, bytes, from[k], 0, NULL, NULL),
                     CL_SUCCESS);
  }
}

static void release(example *e) {
  clReleaseMemObject(e->p.a);
  clReleaseMemObject(e->p.b);
  clReleaseMemObject(e->p.c);
  free(e->a);
  free(e->b);
  free(e->c);
}

static void check(fanin *f, cl_command_queue queue, const fanin__matmul *product, uint64_t seed) {
  example e = {.p = *product};
  size_t size = 0;
  make(f, &e, seed);
  const fanin__matmul *const p = &e.p;
  assert_ok(fanin__gemm(f, queue, p));
  assert_int_equal(clFinish(queue), CL_SUCCESS);
  test_assert_guarded(f, p->c, 0, (size_t)(p->m * p->n) * sizeof(float));
  unsigned char *const content = test_content(f, p->c, &size);
  e.out = (float *)(void *)content;
  for (uint64_t i = 0; i < p->m; i++) {
    for (uint64_t j = 0; j < p->n; j++) {
      const float exact = expected(&e, i, j);
      if (memcmp(&exact, &e.out[i * p->n + j], sizeof exact) != 0) {
        fail_msg("C(%u, %u) of %u x %u x %u, %d, %d: %a, not %a", (unsigned)i, (unsigned)j, (unsigned)p->m,
                 (unsigned)p->n, (unsigned)p->k, p->a_transposed, p->b_transposed, (double)e.out[i * p->n + j],
                 (double)exact);
      }
      check_product(&e, i, j);
    }
  }
  free(content);
  release(&e);
}

/* Tiles, strips and chunks that are cut, in every direction; and matrices of several groups each way. The first few are
 * for tools that see what is missing between items, which PoCL does not: barriers between chunks, and between parts. */
static void check_all(fanin *f, bool few) {
  static const uint64_t shapes[][3] = {{3, 5, 70},   {70, 260, 2}, {1, 1, 1},      {1, 70, 3},
                                       {5, 1, 64},   {4, 64, 65},  {63, 33, 129},  {2, 3, 1},
                                       {65, 66, 63}, {130, 67, 1}, {131, 200, 70}, {300, 580, 70}};
  static const float factors[][2] = {{1, 0}, {0.3F, -1}, {-1.7F, 0.6F}, {0, 1}};
  const cl_command_queue unordered = few ? NULL : test_out_of_order(f); /* some drivers have none */
  const size_t n = few ? 2 : sizeof shapes / sizeof *shapes;
  uint64_t seed = 0;
  for (size_t s = 0; s < n; s++) {
    for (int way = 0; way < 4; way += few ? 3 : 1, seed++) {
      const fanin__matmul p = {.m = shapes[s][0],
                               .n = shapes[s][1],
                               .k = shapes[s][2],
                               .a_transposed = way & 1,
                               .b_transposed = way & 2,
                               .alpha = factors[seed % 4][0],
                               .beta = factors[seed % 4][1]};
      check(f, unordered && seed % 2 ? unordered : test_queue(f), &p, seed);
    }
  }
  if (unordered) clReleaseCommandQueue(unordered);
}

static void every_geometry(void **state) {
  static const char *const geometries[][2] = {{"1", "8"}, {"1", "64"}, {"4", "64"}, {"8", "64"}, {"16", "64"}};
  const bool few = getenv("FANIN_TEST_SMALL") != NULL;
  const size_t n = few ? 1 : sizeof geometries / sizeof *geometries;
  (void)state;
  for (size_t k = 0; k < n; k++) {
    assert_int_equal(setenv("FANIN_LANES", geometries[k][0], 1), 0);
    assert_int_equal(setenv("FANIN_WORK_GROUP", geometries[k][1], 1), 0);
    fanin *const f = test_open();
    f->compute_units = 1; /* few groups, of several parts of A each */
    check_all(f, few);
    test_close(f);
  }
}

static int forget_geometry(void **state) {
  (void)state;
  return unsetenv("FANIN_LANES") || unsetenv("FANIN_WORK_GROUP");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(every_geometry, forget_geometry)};
  return cmocka_run_group_tests_name("gemm", tests, NULL, NULL);
}
