/* bench_launches [INIT [ELEMENTS]]: what a small fill costs beside a launch of a kernel that does nothing. Loops of
 * 1,000 fills of a tensor by fanin_fill(), as many by a plan of that tensor, and as many launches of two empty kernels,
 * in turns: one has arguments of the same sizes as the fill's kernel, one a buffer and a number. Wall clock from the
 * first call to the end of clFinish(); medians of 35 turns, and of their ratios to the last. */
#include <stdio.h>
#include <stdlib.h>

#include "fanin.h"
#include "timing.h"

enum { TURNS = 35, LAUNCHES = 1000, WAYS = 4 };

typedef struct setting {
  fanin *f;
  cl_command_queue queue;
  fanin_tensor tensor;
  fanin_init init;
  fanin_plan *plan;
  cl_kernel same, empty;
} setting;

static void stop(const char *what) {
  fprintf(stderr, "bench_launches: %s\n", what);
  exit(1);
}

static void ensure(fanin_status status) {
  if (status != FANIN_STATUS_OK) stop(fanin_last_error());
}

static void ensure_cl(cl_int code, const char *what) {
  if (code != CL_SUCCESS) stop(what);
}

/* ---- One launch in each of the ways ------------------------------------------------------------------------------ */

static void by_fill(const setting *s, uint64_t k) {
  ensure(fanin_fill(s->f, s->queue, &s->tensor, &s->init, (fanin_key){k, 1}, 0, NULL, NULL));
}

static void by_plan(const setting *s, uint64_t k) {
  ensure(fanin_plan_enqueue(s->plan, s->queue, k, 0, NULL, NULL));
}

static void launch_one(const setting *s, cl_kernel kernel) {
  const size_t one = 1;
  ensure_cl(clEnqueueNDRangeKernel(s->queue, kernel, 1, NULL, &one, &one, 0, NULL, NULL), "clEnqueueNDRangeKernel");
}

static void by_arguments(const setting *s, uint64_t k) {
  (void)k;
  launch_one(s, s->same);
}

static void by_nothing(const setting *s, uint64_t k) {
  (void)k;
  launch_one(s, s->empty);
}

static const struct {
  const char *name;
  void (*launch)(const setting *s, uint64_t k);
} ways[WAYS] = {{"fanin_fill", by_fill},
                {"fanin_plan_enqueue", by_plan},
                {"the same arguments", by_arguments},
                {"an empty kernel", by_nothing}};

static double loop(const setting *s, int way) {
  const double start = timing_now();
  for (uint64_t k = 0; k < LAUNCHES; k++) {
    ways[way].launch(s, k);
  }
  ensure_cl(clFinish(s->queue), "clFinish");
  return (timing_now() - start) / LAUNCHES * 1e6;
}

/* ---- All of it --------------------------------------------------------------------------------------------------- */

static const char source[] = "typedef struct { ulong8 v[4]; } rows;\n"
                             "kernel void same(global float *x, const rows r, const float16 p, const ulong seed) {}\n"
                             "kernel void empty(global float *x, const ulong y) {}\n";

/* A kernel of the program with these arguments after a buffer, zeros of so many bytes. */
static cl_kernel kernel_of(cl_program program, const char *name, cl_mem buffer, const size_t *sizes, cl_uint n) {
  static const unsigned char zeros[256];
  cl_int code = CL_SUCCESS;
  const cl_kernel kernel = clCreateKernel(program, name, &code);
  ensure_cl(code, "clCreateKernel");
  ensure_cl(clSetKernelArg(kernel, 0, sizeof buffer, &buffer), "clSetKernelArg");
  for (cl_uint k = 0; k < n; k++) {
    ensure_cl(clSetKernelArg(kernel, k + 1, sizes[k], zeros), "clSetKernelArg");
  }
  return kernel;
}

static void prepare(setting *s, const char *init, uint64_t elements) {
  cl_context context = NULL;
  cl_device_id device = NULL;
  cl_int code = CL_SUCCESS;
  ensure(fanin_open(NULL, &s->f));
  ensure(fanin_queue(s->f, &s->queue));
  ensure(fanin_context(s->f, &context));
  ensure(fanin_device(s->f, &device));
  ensure(fanin_init_parse(init, &s->init));
  ensure(fanin_tensor_alloc(s->f, FANIN_DTYPE_F32, NULL, 1, &elements, &s->tensor));
  const fanin_item item = {.tensor = s->tensor, .init = s->init, .stream = 1};
  ensure(fanin_plan_create(s->f, &item, 1, &s->plan));
  const cl_program program = clCreateProgramWithSource(context, 1, (const char *[]){source}, NULL, &code);
  ensure_cl(code, "clCreateProgramWithSource");
  ensure_cl(clBuildProgram(program, 1, &device, "", NULL, NULL), "clBuildProgram");
  s->same = kernel_of(program, "same", s->tensor.buffer, (const size_t[]){256, 64, 8}, 3);
  s->empty = kernel_of(program, "empty", s->tensor.buffer, (const size_t[]){8}, 1);
  ensure_cl(clReleaseProgram(program), "clReleaseProgram");
}

static void finish(setting *s) {
  ensure_cl(clReleaseKernel(s->same), "clReleaseKernel");
  ensure_cl(clReleaseKernel(s->empty), "clReleaseKernel");
  fanin_plan_release(s->plan);
  fanin_tensor_free(&s->tensor);
  fanin_release(s->f);
}

int main(int argc, char **argv) {
  setting s = {0};
  double times[WAYS][TURNS], ratios[WAYS][TURNS];
  const char *const init = argc > 1 ? argv[1] : "normal:std=0.02";
  const uint64_t elements = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000;
  prepare(&s, init, elements);
  for (int turn = -1; turn < TURNS; turn++) { /* the first warms up */
    for (int way = 0; way < WAYS; way++) {
      const double time = loop(&s, way);
      if (turn >= 0) times[way][turn] = time;
    }
    for (int way = 0; way < WAYS && turn >= 0; way++) {
      ratios[way][turn] = times[way][turn] / times[WAYS - 1][turn];
    }
  }
  printf("%s, %llu elements of f32; microseconds a launch, and of an empty kernel's\n", init,
         (unsigned long long)elements);
  for (int way = 0; way < WAYS; way++) {
    printf("%-20s %6.2f %6.2f\n", ways[way].name, timing_median(times[way], TURNS), timing_median(ratios[way], TURNS));
  }
  finish(&s);
  return 0;
}
