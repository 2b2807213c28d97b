/* Programs: built once, with the options that are always there, and failures that show the build log. Kernels: lent and
 * given back, with the large ones of their arguments. */
#include "core/context.h"
#include "core/launch.h"
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

static const char sums_text[] = "typedef struct { ulong s[8]; } large;\n"
                                "kernel void sums(global uint *out, const large a, const uint b, const large c) {\n"
                                "  for (uint k = 0; k < 8; k++) out[k] = (uint)(100 * a.s[k] + 10 * b + c.s[k]);\n"
                                "}\n";
static const fanin__source sums = {"sums", sums_text, sizeof sums_text - 1};

static cl_program program_of(const fanin__kernel *kernel) {
  cl_program program = NULL;
  assert_int_equal(clGetKernelInfo(kernel->object, CL_KERNEL_PROGRAM, sizeof program, &program, NULL), CL_SUCCESS);
  return program;
}

static fanin__kernel *borrow(fanin *f, const fanin__source *source, const char *options, const char *name) {
  fanin__kernel *kernel = NULL;
  assert_ok(fanin__borrow(f, source, options, name, &kernel));
  assert_non_null(kernel);
  return kernel;
}

static cl_uint run(fanin *f, const fanin__kernel *kernel) {
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, NULL, 0, NULL, &t));
  const size_t one = 1;
  cl_uint result = 0;
  assert_int_equal(clSetKernelArg(kernel->object, 0, sizeof t.buffer, &t.buffer), CL_SUCCESS);
  assert_int_equal(clEnqueueNDRangeKernel(test_queue(f), kernel->object, 1, NULL, &one, NULL, 0, NULL, NULL),
                   CL_SUCCESS);
  assert_ok(fanin_read(f, NULL, &t, &result, sizeof result, 1, 0, NULL, NULL));
  fanin_tensor_free(&t);
  return result;
}

static void test_options(void **state) {
  fanin *const f = *state;
  fanin__kernel *const plain = borrow(f, &number, "", "number");
  fanin__kernel *const defined = borrow(f, &number, "-D VALUE=3", "number");
  fanin__kernel *const version = borrow(f, &number, "", "version");
  assert_int_equal(run(f, plain), 100 + f->lanes);
  assert_int_equal(run(f, defined), 300 + f->lanes);
  assert_int_equal(run(f, version), 120);
  fanin__give_back(f, plain);
  fanin__give_back(f, defined);
  fanin__give_back(f, version);
}

/* One program for each pair of source and options; nobody is lent the kernel that another has. */
static void test_programs_are_kept(void **state) {
  fanin *const f = *state;
  fanin__kernel *const a = borrow(f, &number, "", "number"), *const b = borrow(f, &number, "", "number");
  fanin__kernel *const version = borrow(f, &number, "", "version");
  fanin__kernel *const defined = borrow(f, &number, "-D VALUE=3", "number");
  fanin__kernel *const other = borrow(f, &same_text, "", "number");
  assert_ptr_not_equal(a, b);
  assert_ptr_equal(program_of(a), program_of(b));
  assert_ptr_equal(program_of(a), program_of(version));
  assert_ptr_not_equal(program_of(a), program_of(defined));
  assert_ptr_not_equal(program_of(a), program_of(other));
  fanin__kernel *const kernels[] = {a, b, version, defined, other};
  for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
    fanin__give_back(f, kernels[k]);
  }
}

/* What was given back is lent again, by its name. */
static void test_kernels_are_kept(void **state) {
  fanin *const f = *state;
  fanin__kernel *const a = borrow(f, &number, "-D VALUE=9", "number");
  fanin__kernel *const version = borrow(f, &number, "-D VALUE=9", "version");
  fanin__give_back(f, a);
  fanin__give_back(f, version);
  fanin__give_back(f, NULL);
  fanin__kernel *const again = borrow(f, &number, "-D VALUE=9", "number");
  fanin__kernel *const second = borrow(f, &number, "-D VALUE=9", "number");
  assert_ptr_equal(again, a);
  assert_ptr_not_equal(second, a);
  assert_ptr_not_equal(second, version);
  fanin__give_back(f, again);
  fanin__give_back(f, second);
}

/* Launches with structs that are those of the launch before, or one of them, or none. */
static void test_arguments_are_those_of_the_launch(void **state) {
  fanin *const f = *state;
  static const int turns[][3] = {{1, 1, 1}, {1, 1, 1}, {2, 1, 1}, {2, 1, 2},
                                 {2, 3, 2}, {1, 3, 2}, {4, 4, 4}, {1, 1, 1}};
  const uint64_t shape[] = {8};
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "O", 1, shape, &t));
  for (size_t turn = 0; turn < sizeof turns / sizeof *turns; turn++) {
    cl_ulong8 a, c;
    const cl_uint b = (cl_uint)turns[turn][1];
    for (cl_ulong k = 0; k < 8; k++) {
      a.s[k] = (cl_ulong)turns[turn][0] + k;
      c.s[k] = (cl_ulong)turns[turn][2] * (k == 7); /* only the last number differs */
    }
    const fanin__launch launch = {
        .source = &sums,
        .options = "",
        .name = "sums",
        .grid = fanin__groups(1, 1),
        FANIN__ARGUMENTS(FANIN__VALUE(t.buffer), FANIN__VALUE(a), FANIN__VALUE(b), FANIN__VALUE(c))};
    cl_uint got[8] = {0};
    assert_ok(fanin__enqueue_in_order(f, test_queue(f), &launch));
    assert_ok(fanin_read(f, NULL, &t, got, sizeof got, 1, 0, NULL, NULL));
    for (int k = 0; k < 8; k++) {
      assert_int_equal(got[k], 100 * a.s[k] + 10 * b + c.s[k]);
    }
  }
  fanin_tensor_free(&t);
}

static void *make_in_thread(void *f) {
  fanin__kernel *kernel = NULL;
  return fanin__borrow(f, &number, "-D VALUE=5", "number", &kernel) == FANIN_STATUS_OK ? (void *)kernel : NULL;
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
    fanin__give_back(f, kernels[k]);
  }
}

static void test_build_failure_shows_the_log(void **state) {
  fanin *const f = *state;
  fanin__kernel *kernel = NULL;
  for (int k = 0; k < 2; k++) { /* a failed program is not kept */
    assert_status(fanin__borrow(f, &broken, "-D VALUE=7", "broken", &kernel), (fanin_status)CL_BUILD_PROGRAM_FAILURE);
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
  fanin__kernel *kernel = NULL;
  assert_status(fanin__borrow(f, &number, "", "nobody", &kernel), (fanin_status)CL_INVALID_KERNEL_NAME);
  assert_string_equal(fanin_last_error(),
                      "clCreateKernel(\"nobody\") from kernels/number.cl: CL_INVALID_KERNEL_NAME (-46)");
  assert_null(kernel);
}

/* Release lets go of the programs: the context's references come back to what they were. In a context of its own: what
 * a driver's threads release a little after a command is done would change the count. */
static void test_release_releases_programs(void **state) {
  const fanin *const f = *state;
  cl_uint before = 0, after = 0;
  cl_int code = CL_SUCCESS;
  const cl_context context = clCreateContext(NULL, 1, &f->device, NULL, NULL, &code);
  assert_int_equal(code, CL_SUCCESS);
  assert_int_equal(clGetContextInfo(context, CL_CONTEXT_REFERENCE_COUNT, sizeof before, &before, NULL), CL_SUCCESS);
  fanin *second = NULL;
  assert_ok(fanin_create(context, f->device, &second));
  fanin__kernel *const kernel = borrow(second, &number, "", "number");
  const cl_program program = program_of(kernel);
  assert_int_equal(clRetainProgram(program), CL_SUCCESS);
  fanin__give_back(second, kernel);
  fanin_release(second);
  cl_uint references = 0;
  assert_int_equal(clGetProgramInfo(program, CL_PROGRAM_REFERENCE_COUNT, sizeof references, &references, NULL),
                   CL_SUCCESS);
  assert_int_equal(references, 1);
  assert_int_equal(clReleaseProgram(program), CL_SUCCESS);
  assert_int_equal(clGetContextInfo(context, CL_CONTEXT_REFERENCE_COUNT, sizeof after, &after, NULL), CL_SUCCESS);
  assert_int_equal(after, before);
  assert_int_equal(clReleaseContext(context), CL_SUCCESS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_programs_are_kept),
      cmocka_unit_test(test_kernels_are_kept),
      cmocka_unit_test(test_arguments_are_those_of_the_launch),
      cmocka_unit_test(test_threads_share_one_build),
      cmocka_unit_test(test_build_failure_shows_the_log),
      cmocka_unit_test(test_unknown_kernel_is_named),
      cmocka_unit_test(test_release_releases_programs),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
