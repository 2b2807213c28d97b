/* Every OpenCL call of every operation fails once: the operation ends with that call's code and a sentence that names
 * the call, gives back every reference that it took, and works when it is called again. Leaked host memory shows under
 * AddressSanitizer. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "support/opencl_shim.h"
#include "support/support_probe.h"

enum { SIDE = 24, BYTES = 1 << 20 };

typedef struct setting {
  fanin *f;
  cl_mem memory;          /* BYTES */
  cl_mem samples;         /* as large */
  cl_command_queue queue; /* out of order, where the device has it */
  void *binary;
  size_t binary_size;
} setting;

/* What is done with each call in it failing in turn. */
typedef fanin_status operation(const setting *s);

static fanin_tensor tensor_in(cl_mem memory, fanin_dtype dtype) {
  return test_tensor_of(memory, memory ? 64 : 0, dtype, "OI", 2, (const uint64_t[]){SIDE, SIDE});
}

/* ---- Filling ----------------------------------------------------------------------------------------------------- */

/* An event that a failed call must not have touched. */
static fanin_status fill(const setting *s, const fanin_tensor *t, const char *text) {
  fanin_init init;
  cl_event done = NULL;
  assert_ok(fanin_init_parse(text, &init));
  const fanin_status status = fanin_fill(s->f, s->queue, t, &init, (fanin_key){1, 2}, 0, NULL, &done);
  assert_true((status == FANIN_STATUS_OK) == (done != NULL));
  if (done) (void)clReleaseEvent(done);
  return status;
}

static fanin_status fill_dense(const setting *s) {
  const fanin_tensor t = tensor_in(s->memory, FANIN_DTYPE_F32);
  return fill(s, &t, "normal");
}
static fanin_status fill_strided(const setting *s) {
  fanin_tensor t = tensor_in(s->memory, FANIN_DTYPE_BF16);
  t = test_tensor_strided(t, (const uint64_t[]){3 * SIDE, 1});
  return fill(s, &t, "trunc_normal:a=-1,b=5");
}
static fanin_status fill_dirac(const setting *s) {
  const fanin_tensor t = test_tensor_of(s->memory, 0, FANIN_DTYPE_F16, "OIH", 3, (const uint64_t[]){6, 6, 3});
  return fill(s, &t, "dirac");
}
static fanin_status fill_nothing(const setting *s) {
  const fanin_tensor t = test_tensor_range(tensor_in(s->memory, FANIN_DTYPE_F32), 5, 0);
  return fill(s, &t, "ones");
}
static fanin_status fill_orthogonal(const setting *s) {
  const fanin_tensor t = tensor_in(s->memory, FANIN_DTYPE_F32);
  return fill(s, &t, "orthogonal");
}
static fanin_status fill_large_orthogonal(const setting *s) {
  const fanin_tensor t = test_tensor_of(s->memory, 0, FANIN_DTYPE_F16, "OI", 2, (const uint64_t[]){100, 130});
  return fill(s, &t, "orthogonal");
}
static fanin_status fill_delta_orthogonal(const setting *s) {
  const fanin_tensor t = test_tensor_of(s->memory, 0, FANIN_DTYPE_F32, "OIH", 3, (const uint64_t[]){80, 70, 3});
  return fill(s, &t, "delta_orthogonal");
}

static fanin_status fill_sparse(const setting *s) {
  const fanin_tensor t = tensor_in(s->memory, FANIN_DTYPE_F32);
  return fill(s, &t, "sparse:sparsity=0.5");
}

static fanin_status fill_shards(const setting *s) {
  const fanin_tensor t = tensor_in(s->memory, FANIN_DTYPE_F32);
  const fanin_init init = fanin_normal(0, 1);
  cl_event done[2] = {NULL, NULL};
  fanin_tensor halves[2] = {test_tensor_range(t, 0, SIDE * SIDE / 2),
                            test_tensor_range(t, SIDE * SIDE / 2, SIDE * SIDE / 2)};
  halves[1].offset += 4096;
  const fanin_shard shards[] = {{.f = s->f, .queue = s->queue, .tensor = halves[0], .event = &done[0]},
                                {.f = s->f, .tensor = halves[1], .event = &done[1]}};
  const fanin_status status = fanin_fill_shards(shards, 2, &init, (fanin_key){1, 2});
  assert_true(status != FANIN_STATUS_OK || (done[0] && done[1]));
  for (size_t k = 0; k < 2; k++) {
    if (done[k]) (void)clReleaseEvent(done[k]); /* of shards before the one that failed */
  }
  return status;
}

static fanin_status warm_up(const setting *s) {
  const fanin_tensor t = tensor_in(NULL, FANIN_DTYPE_F32);
  const fanin_init init = fanin_normal(0, 1);
  return fanin_warmup(s->f, &t, &init);
}

/* Memory of the plan's own, filled and read. */
static fanin_status plan_of(fanin *f, cl_command_queue queue, cl_mem memory) {
  const fanin_item items[] = {{tensor_in(NULL, FANIN_DTYPE_F32), fanin_normal(0, 1), 1, {0}},
                              {tensor_in(memory, FANIN_DTYPE_F16), fanin_uniform(-1, 1), 2, {0}},
                              {tensor_in(NULL, FANIN_DTYPE_F32), fanin_identity(1), 3, {0}},
                              {tensor_in(NULL, FANIN_DTYPE_F32), fanin_orthogonal(1), 4, {0}}};
  const fanin_item own[] = {items[0], items[2], items[3]};
  fanin_plan *plan = NULL;
  fanin_tensor t;
  float values[SIDE * SIDE];
  fanin_status status = memory ? fanin_plan_create(f, items, 4, &plan) : fanin_plan_create(f, own, 3, &plan);
  if (status != FANIN_STATUS_OK) {
    assert_null(plan);
    return status;
  }
  cl_event done = NULL;
  status = fanin_plan_enqueue(plan, queue, 7, 0, NULL, &done);
  assert_true((status == FANIN_STATUS_OK) == (done != NULL));
  if (status == FANIN_STATUS_OK) {
    assert_ok(fanin_plan_tensor(plan, 0, &t));
    status = fanin_read(f, queue, &t, values, sizeof values, 1, 1, &done, NULL);
    (void)clReleaseEvent(done);
  }
  fanin_plan_release(plan);
  return status;
}
static fanin_status plan(const setting *s) {
  return plan_of(s->f, s->queue, s->memory);
}

static fanin_status read_part(const setting *s, const uint64_t *strides) {
  unsigned char values[4 * 5 * 6 * 4];
  fanin_tensor t = test_tensor_of(s->memory, 0, FANIN_DTYPE_F32, NULL, 3, (const uint64_t[]){4, 5, 6});
  if (strides) t = test_tensor_strided(t, strides);
  return fanin_read(s->f, s->queue, &t, values, sizeof values, 1, 0, NULL, NULL);
}
static fanin_status read_dense(const setting *s) {
  return read_part(s, NULL);
}
static fanin_status read_box(const setting *s) {
  return read_part(s, (const uint64_t[]){70, 7, 1});
}
static fanin_status read_slices(const setting *s) {
  return read_part(s, (const uint64_t[]){73, 7, 1});
}

/* ---- Measuring --------------------------------------------------------------------------------------------------- */

static const fanin_standard as_it_is = {0, 1};

static fanin_status measure(const setting *s) {
  const fanin_tensor t = tensor_in(s->memory, FANIN_DTYPE_F32);
  fanin_stats stats;
  return fanin_measure(s->f, s->queue, &t, 0, NULL, &stats, sizeof stats);
}
static fanin_status measure_keys(const setting *s) {
  const fanin_tensor t = tensor_in(s->memory, FANIN_DTYPE_F16);
  uint64_t *const counts = calloc(FANIN_BINS, sizeof *counts);
  assert_non_null(counts);
  const fanin_status status = fanin_measure_bins(s->f, s->queue, &t, FANIN_ALL_BINS, 0, NULL, counts);
  free(counts);
  return status;
}
static fanin_status measure_series(const setting *s) {
  const fanin_tensor t = tensor_in(s->memory, FANIN_DTYPE_F32);
  fanin_series series;
  return fanin_measure_series(s->f, s->queue, &t, as_it_is, (const uint64_t[]){1, 2, 4, SIDE}, 0, NULL, &series,
                              sizeof series);
}
static fanin_status measure_lines(const setting *s) {
  const fanin_tensor t = tensor_in(s->memory, FANIN_DTYPE_F32);
  double row_sums[SIDE] = {0}, column_sums[SIDE] = {0};
  uint64_t row_prints[SIDE] = {0}, column_prints[SIDE] = {0};
  fanin_lines lines = {row_sums, row_prints, column_sums, column_prints};
  return fanin_measure_lines(s->f, s->queue, &t, SIDE, 0, as_it_is, 0, NULL, &lines);
}
static fanin_status measure_sample(const setting *s) {
  const fanin_tensor t = tensor_in(s->memory, FANIN_DTYPE_F32);
  return fanin_measure_sample(s->f, s->queue, &t, as_it_is, s->samples, 0, 0, NULL);
}
static fanin_status measure_pairs(const setting *s) {
  static const fanin_pair pairs[] = {{0, 1, 64}, {1, 2, 32}, {0, 2, 64}};
  fanin_products products[3];
  return fanin_measure_pairs(s->f, s->queue, s->samples, 3, 64, pairs, 3, products, sizeof *products);
}

/* ---- Networks ---------------------------------------------------------------------------------------------------- */

static const uint64_t widths[] = {12, 16, 16};

static fanin_status probe_of(const setting *s, const fanin_probe_config *config) {
  fanin_probe_report *report = NULL;
  const fanin_status status = fanin_probe(s->f, s->queue, config, &report);
  assert_true((status == FANIN_STATUS_OK) == (report != NULL));
  fanin_probe_report_release(report);
  return status;
}
static fanin_status probe(const setting *s) {
  const fanin_probe_config config = test_probe_config(widths, 3, "relu", "he_normal", 8);
  return probe_of(s, &config);
}
static fanin_status probe_everything(const setting *s) {
  float samples[8 * 12];
  fanin_probe_config config = test_probe_config(widths, 3, "tanh", "orthogonal", 8);
  const fanin_tensor weights[] = {test_tensor_of(NULL, 0, FANIN_DTYPE_F16, "OI", 2, (const uint64_t[]){16, 12}),
                                  test_tensor_of(s->memory, 0, FANIN_DTYPE_F16, "OI", 2, (const uint64_t[]){16, 16})};
  for (size_t k = 0; k < sizeof samples / sizeof *samples; k++)
    samples[k] = (float)k / 50 - 1;
  config.dtype = FANIN_DTYPE_F16;
  config.input = samples;
  config.weights = weights;
  config.norm = FANIN_NORM_BATCH;
  config.residual = 1;
  config.bias_std = 0.1;
  return probe_of(s, &config);
}

/* The weights are made anew, so that there is something to calibrate. */
static fanin_status calibrate(const setting *s) {
  fanin_probe_config config = test_probe_config(widths, 3, "tanh", "he_normal", 8);
  const fanin_tensor weights[] = {
      test_tensor_of(s->samples, 0, FANIN_DTYPE_F32, "OI", 2, (const uint64_t[]){16, 12}),
      test_tensor_of(s->samples, 4096, FANIN_DTYPE_F32, "OI", 2, (const uint64_t[]){16, 16})};
  const fanin_calibrate_options options = {sizeof options, FANIN_CRITERION_VARIANCE, 1, 0.01, 10};
  const fanin_init init = fanin_normal(0, 0.1);
  fanin_calibrated_layer layers[2];
  config.weights = weights;
  for (uint64_t k = 0; k < 2; k++) {
    const fanin_status filled = fanin_fill(s->f, s->queue, &weights[k], &init, (fanin_key){1, k}, 0, NULL, NULL);
    if (filled != FANIN_STATUS_OK) return filled;
  }
  return fanin_calibrate(s->f, s->queue, &config, &options, layers, sizeof *layers);
}

/* ---- From nothing: a fanin of its own each time ------------------------------------------------------------------ */

static fanin_status list_devices(const setting *s) {
  (void)s;
  fanin_device_info list[4];
  size_t count = 0;
  return fanin_devices(list, 4, sizeof *list, &count);
}

static fanin_status begin(const setting *s) {
  (void)s;
  fanin *f = NULL;
  fanin_status status = fanin_open(NULL, &f);
  if (status != FANIN_STATUS_OK) {
    assert_null(f);
    return status;
  }
  status = plan_of(f, NULL, NULL);
  fanin_release(f);
  return status;
}

static fanin_status export_programs(const setting *s) {
  size_t size = 0;
  fanin_status status = fanin_export(s->f, NULL, 0, &size);
  if (status != FANIN_STATUS_OK) return status;
  void *const data = malloc(size);
  assert_non_null(data);
  status = fanin_export(s->f, data, size, &size);
  free(data);
  return status;
}

static fanin_status begin_with_binaries(const setting *s) {
  fanin *f = NULL;
  fanin_status status = fanin_open(NULL, &f);
  if (status != FANIN_STATUS_OK) return status;
  status = fanin_import(f, s->binary, s->binary_size);
  if (status == FANIN_STATUS_OK) status = plan_of(f, NULL, NULL);
  fanin_release(f);
  return status;
}

/* ---- Each call fails --------------------------------------------------------------------------------------------- */

typedef struct entry {
  const char *name;
  operation *run;
  long times; /* as shim_fail_at() has it: in a loop, the first calls fail; of what takes long, the first */
} entry;

static const entry operations[] = {{"fill_dense", fill_dense, 3},
                                   {"fill_strided", fill_strided, 3},
                                   {"fill_dirac", fill_dirac, 3},
                                   {"fill_nothing", fill_nothing, 3},
                                   {"fill_orthogonal", fill_orthogonal, 3},
                                   {"fill_large_orthogonal", fill_large_orthogonal, 3},
                                   {"fill_delta_orthogonal", fill_delta_orthogonal, 3},
                                   {"fill_sparse", fill_sparse, 3},
                                   {"fill_shards", fill_shards, 3},
                                   {"warm_up", warm_up, 3},
                                   {"plan", plan, 3},
                                   {"read_dense", read_dense, 3},
                                   {"read_box", read_box, 3},
                                   {"read_slices", read_slices, 3},
                                   {"measure", measure, 3},
                                   {"measure_keys", measure_keys, 3},
                                   {"measure_series", measure_series, 3},
                                   {"measure_lines", measure_lines, 3},
                                   {"measure_sample", measure_sample, 3},
                                   {"measure_pairs", measure_pairs, 3},
                                   {"export_programs", export_programs, 3},
                                   {"probe", probe, 1},
                                   {"probe_everything", probe_everything, 1},
                                   {"calibrate", calibrate, 1},
                                   {"list_devices", list_devices, 1},
                                   {"begin", begin, 1},
                                   {"begin_with_binaries", begin_with_binaries, 1}};

/* Calls that an operation can do without: what fails is done in another way, told in another way (a device that cannot
 * be used says why), or is the last wait before what nobody reads any more is released. */
static const struct {
  const char *operation, *call;
} forgiven[] = {{"begin_with_binaries", "clCreateProgramWithBinary"},
                {"begin_with_binaries", "clBuildProgram"},
                {"list_devices", "clGetDeviceInfo"},
                {"list_devices", "clGetPlatformInfo"},
                {"probe", "clFinish"},
                {"probe_everything", "clFinish"},
                {"calibrate", "clFinish"}};

static bool is_forgiven(const char *name, const char *call) {
  for (size_t k = 0; k < sizeof forgiven / sizeof *forgiven; k++) {
    if (strcmp(forgiven[k].operation, name) == 0 && strcmp(forgiven[k].call, call) == 0) return true;
  }
  return false;
}

/* A call's code comes out as it is, or in the sentence why a device cannot be used. */
static bool is_told(fanin_status status, const char *sentence) {
  if ((int)status == SHIM_CODE) return *sentence != '\0';
  return status == FANIN_STATUS_UNSUPPORTED && strstr(sentence, "(-999)");
}

/* When nothing is under way. */
static shim_count references(const setting *s) {
  shim_fail_at(-1, 0);
  assert_int_equal(clFinish(s->queue), CL_SUCCESS);
  assert_int_equal(clFinish(test_queue(s->f)), CL_SUCCESS);
  return shim_counted();
}

static bool same_references(const setting *s, const shim_count *before, const char *name, const char *call) {
  const shim_count after = references(s);
  bool same = true;
  for (int kind = 0; kind < SHIM_KIND_COUNT; kind++) {
    const long more = after.references[kind] - before->references[kind];
    if (more != 0) print_error("%s without %s: %+ld %s\n", name, call, more, shim_kind_name(kind));
    same = same && more == 0;
  }
  return same;
}

/* Its k-th call fails. False at the end of its calls, or where something is wrong. */
static bool fail_once(const setting *s, const entry *e, long k, size_t *wrong) {
  const shim_count before = references(s);
  shim_fail_at(k, e->times);
  const fanin_status status = e->run(s);
  const char *const call = shim_failed();
  const long calls = shim_calls();
  const char *const sentence = fanin_last_error();
  if (!call) {
    assert_ok(status);
    print_message("%s: %ld calls\n", e->name, calls);
  } else if (status == FANIN_STATUS_OK ? !is_forgiven(e->name, call) : !is_told(status, sentence)) {
    print_error("%s without %s (call %ld): %d, %s\n", e->name, call, k, (int)status, sentence);
    ++*wrong;
  }
  if (!same_references(s, &before, e->name, call ? call : "nothing")) ++*wrong;
  return call != NULL;
}

static void every_call_may_fail(void **state) {
  const setting *const s = *state;
  size_t wrong = 0;
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
    const entry *const e = &operations[i];
    assert_ok(e->run(s)); /* compiles, and fills caches that are kept */
    for (long k = 0; fail_once(s, e, k, &wrong); k++)
      continue;
    assert_ok(e->run(s));
  }
  assert_int_equal(wrong, 0);
}

/* ---- Setting ----------------------------------------------------------------------------------------------------- */

static cl_mem zeros(fanin *f) {
  cl_int code = CL_SUCCESS;
  void *const data = calloc(BYTES, 1);
  assert_non_null(data);
  const cl_mem memory = clCreateBuffer(test_context(f), CL_MEM_COPY_HOST_PTR, BYTES, data, &code);
  free(data);
  assert_int_equal(code, CL_SUCCESS);
  return memory;
}

static int set_up(void **state) {
  static setting s;
  cl_int code = CL_SUCCESS;
  s.f = test_open();
  s.memory = zeros(s.f);
  s.samples = zeros(s.f);
  s.queue = clCreateCommandQueue(test_context(s.f), test_device(s.f), CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
  assert_int_equal(code, CL_SUCCESS);
  assert_ok(plan_of(s.f, NULL, NULL));
  assert_ok(fanin_export(s.f, NULL, 0, &s.binary_size));
  s.binary = malloc(s.binary_size);
  assert_non_null(s.binary);
  assert_ok(fanin_export(s.f, s.binary, s.binary_size, &s.binary_size));
  *state = &s;
  return 0;
}

static int tear_down(void **state) {
  setting *const s = *state;
  free(s->binary);
  (void)clReleaseMemObject(s->memory);
  (void)clReleaseMemObject(s->samples);
  (void)clReleaseCommandQueue(s->queue);
  test_close(s->f);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_call_may_fail)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
