/* Measuring more bytes than 32 bits count, on a machine of any memory: of 4 GiB all pages but the last are never
 * written, so that the system does not keep them. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* MAP_ANONYMOUS */ // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
#endif
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fanin/inspect.h"
#include "support/support.h"

/* Zeros in whole pages. Only the last page can be written: what can only be read counts towards no limit. */
static uint16_t *zeros(size_t bytes) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (bytes + page - 1) / page;
  unsigned char *const memory = mmap(NULL, pages * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true((void *)memory != MAP_FAILED);
  assert_int_equal(mprotect(memory + (pages - 1) * page, page, PROT_READ | PROT_WRITE), 0);
  return (uint16_t *)(void *)memory;
}

static void more_bytes_than_32_bits_count(void **state) {
  fanin *const f = *state;
  const uint64_t n = (UINT64_C(1) << 31) + 21;
  const size_t bytes = (size_t)n * 2;
  uint16_t *const memory = zeros(bytes);
  memory[n - 1] = 0x4040; /* 3 in bf16 */
  cl_int code = CL_SUCCESS;
  const cl_mem buffer = clCreateBuffer(test_context(f), CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR, bytes, memory, &code);
  assert_int_equal(code, CL_SUCCESS);
  const fanin_tensor t = test_tensor_of(buffer, 0, FANIN_DTYPE_BF16, NULL, 1, &n);
  fanin_stats s;
  assert_ok(fanin_measure(f, NULL, &t, 0, NULL, &s, sizeof s));
  assert_int_equal(s.count, n);
  assert_int_equal(s.nonfinite, 0);
  assert_true(s.max == 3 && s.min == 0);
  assert_true(fabs(s.second * (double)n / 9 - 1) < 1e-6);
  const fanin_tensor last =
      test_tensor_of(buffer, (size_t)(n - 2) * 2, FANIN_DTYPE_BF16, NULL, 1, (const uint64_t[]){2});
  assert_ok(fanin_measure(f, NULL, &last, 0, NULL, &s, sizeof s));
  assert_true(s.mean == 1.5 && s.std == 1.5);
  assert_int_equal(clReleaseMemObject(buffer), CL_SUCCESS);
  assert_int_equal(munmap(memory, bytes), 0);
}

int main(void) {
  /* PoCL allows buffers of a quarter of the memory that hwloc says there is: 64 GiB. Before OpenCL is first asked. */
  if (setenv("HWLOC_SYNTHETIC", "NUMANode:1(memory=68719476736) pack:1 core:2 pu:1", 1) != 0) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(more_bytes_than_32_bits_count)};
  return cmocka_run_group_tests_name("measure_large", tests, test_group_open, test_group_close);
}
