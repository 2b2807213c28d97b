/* Programs: built once, with the options that are always there, and failures that show the build log. */
#include "core/context.h"
#include "core/program.h"
#include "support/support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sources are not terminated: what follows their size must not be compiled. */
static const char number_text[] = "#ifndef VALUE\n"
                                  "#define VALUE 1\n"
                                  "#endif\n"
                                  "kernel void number(global uint *out) { out[0] = VALUE * 100 + LANES; }\n"
                                  "kernel void version(global uint *out) { out[0] = __OPENCL_C_VERSION__; }\n"
                                  "this is past the end";
static const fanin__source number = {"number", number_text, sizeof number_text - sizeof "this is past the end"};
static const fanin__source same_text = {"same", number_text, sizeof number_text - sizeof "this is past the end"};

static const char broken_text[] = "kernel void broken(global uint *out) { out[0] = surely_undeclared; }";
static const fanin__source broken = {"broken", broken_text, sizeof broken_text - 1};

static cl_program program_of(cl_kernel kernel) {
  cl_program program = NULL;
  assert_int_equal(clGetKernelInfo(kernel, CL_KERNEL_PROGRAM, sizeof program, &program, NULL), CL_SUCCESS);
  return program;
}

static cl_kernel make_kernel(fanin *f, const fanin__source *source, const char *options, const char *name) {
  cl_kernel kernel = NULL;
  assert_ok(fanin__kernel(f, source, options, name, &kernel));
  assert_non_null(kernel);
  return kernel;
}

static cl_uint run(fanin *f, cl_kernel kernel) {
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, NULL, 0, NULL, &t));
  const size_t one = 1;
  cl_uint result = 0;
  assert_int_equal(clSetKernelArg(kernel, 0, sizeof t.buffer, &t.buffer), CL_SUCCESS);
  assert_int_equal(clEnqueueNDRangeKernel(test_queue(f), kernel, 1, NULL, &one, NULL, 0, NULL, NULL), CL_SUCCESS);
  assert_ok(fanin_read(f, NULL, &t, &result, sizeof result, 1, 0, NULL, NULL));
  fanin_tensor_free(&t);
  return result;
}

static void test_options(void **state) {
  fanin *const f = *state;
  const cl_kernel plain = make_kernel(f, &number, "", "number");
  const cl_kernel defined = make_kernel(f, &number, "-D VALUE=3", "number");
  const cl_kernel version = make_kernel(f, &number, "", "version");
  assert_int_equal(run(f, plain), 100 + f->lanes);
  assert_int_equal(run(f, defined), 300 + f->lanes);
  assert_int_equal(run(f, version), 120);
  assert_int_equal(clReleaseKernel(plain), CL_SUCCESS);
  assert_int_equal(clReleaseKernel(defined), CL_SUCCESS);
  assert_int_equal(clReleaseKernel(version), CL_SUCCESS);
}

/* One program for each pair of source and options, one kernel object for each call. */
static void test_programs_are_kept(void **state) {
  fanin *const f = *state;
  const cl_kernel a = make_kernel(f, &number, "", "number"), b = make_kernel(f, &number, "", "number");
  const cl_kernel version = make_kernel(f, &number, "", "version");
  const cl_kernel defined = make_kernel(f, &number, "-D VALUE=3", "number");
  const cl_kernel other = make_kernel(f, &same_text, "", "number");
  assert_ptr_not_equal(a, b);
  assert_ptr_equal(program_of(a), program_of(b));
  assert_ptr_equal(program_of(a), program_of(version));
  assert_ptr_not_equal(program_of(a), program_of(defined));
  assert_ptr_not_equal(program_of(a), program_of(other));
  const cl_kernel kernels[] = {a, b, version, defined, other};
  for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
    assert_int_equal(clReleaseKernel(kernels[k]), CL_SUCCESS);
  }
}

static void *make_in_thread(void *f) {
  cl_kernel kernel = NULL;
  return fanin__kernel(f, &number, "-D VALUE=5", "number", &kernel) == FANIN_STATUS_OK ? (void *)kernel : NULL;
}

static void test_threads_share_one_build(void **state) {
  fanin *const f = *state;
  pthread_t threads[4];
  void *kernels[4] = {NULL};
  for (int k = 0; k < 4; k++) {
    assert_int_equal(pthread_create(&threads[k], NULL, make_in_thread, f), 0);
  }
  for (int k = 0; k < 4; k++) {
    assert_int_equal(pthread_join(threads[k], &kernels[k]), 0);
  }
  for (int k = 0; k < 4; k++) {
    assert_non_null(kernels[k]);
    assert_ptr_equal(program_of(kernels[k]), program_of(kernels[0]));
  }
  for (int k = 0; k < 4; k++) {
    assert_int_equal(clReleaseKernel(kernels[k]), CL_SUCCESS);
  }
}

static void test_build_failure_shows_the_log(void **state) {
  fanin *const f = *state;
  cl_kernel kernel = NULL;
  for (int k = 0; k < 2; k++) { /* a failed program is not kept */
    assert_status(fanin__kernel(f, &broken, "-D VALUE=7", "broken", &kernel), (fanin_status)CL_BUILD_PROGRAM_FAILURE);
    const char *const sentence = fanin_last_error();
    assert_non_null(strstr(sentence, "kernels/broken.cl"));
    assert_non_null(strstr(sentence, "-D VALUE=7"));
    assert_non_null(strstr(sentence, "CL_BUILD_PROGRAM_FAILURE (-11)"));
    assert_non_null(strstr(sentence, "surely_undeclared"));
    assert_true(strlen(sentence) < 511); /* the log's tail was not cut */
  }
  assert_null(kernel);
}

static void test_unknown_kernel_is_named(void **state) {
  fanin *const f = *state;
  cl_kernel kernel = NULL;
  assert_status(fanin__kernel(f, &number, "", "nobody", &kernel), (fanin_status)CL_INVALID_KERNEL_NAME);
  assert_string_equal(fanin_last_error(),
                      "clCreateKernel(\"nobody\") from kernels/number.cl: CL_INVALID_KERNEL_NAME (-46)");
  assert_null(kernel);
}

/* Release lets go of the programs: the context's references come back to what they were. */
static void test_release_releases_programs(void **state) {
  const fanin *const f = *state;
  cl_uint before = 0, after = 0;
  assert_int_equal(clGetContextInfo(f->context, CL_CONTEXT_REFERENCE_COUNT, sizeof before, &before, NULL), CL_SUCCESS);
  fanin *second = NULL;
  assert_ok(fanin_create(f->context, f->device, &second));
  const cl_kernel kernel = make_kernel(second, &number, "", "number");
  const cl_program program = program_of(kernel);
  assert_int_equal(clRetainProgram(program), CL_SUCCESS);
  assert_int_equal(clReleaseKernel(kernel), CL_SUCCESS);
  fanin_release(second);
  cl_uint references = 0;
  assert_int_equal(clGetProgramInfo(program, CL_PROGRAM_REFERENCE_COUNT, sizeof references, &references, NULL),
                   CL_SUCCESS);
  assert_int_equal(references, 1);
  assert_int_equal(clReleaseProgram(program), CL_SUCCESS);
  assert_int_equal(clGetContextInfo(f->context, CL_CONTEXT_REFERENCE_COUNT, sizeof after, &after, NULL), CL_SUCCESS);
  assert_int_equal(after, before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_programs_are_kept),
      cmocka_unit_test(test_threads_share_one_build),
      cmocka_unit_test(test_build_failure_shows_the_log),
      cmocka_unit_test(test_unknown_kernel_is_named),
      cmocka_unit_test(test_release_releases_programs),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
