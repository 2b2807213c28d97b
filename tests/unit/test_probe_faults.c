/* Wrong networks are caught and named; right ones get the verdicts that theory has for them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/activation.h"
#include "probe/mlp.h"
#include "probe/residual.h"
#include "support/support_probe.h"

/* forward.c and backward.c again, with a fill and kernels that can be made wrong; the library's own are then not
 * linked.
 */
typedef enum fault {
  NO_FAULT,
  GAIN,         /* std 1.3 times */
  HE_FOR_LECUN, /* std sqrt(2) times */
  SWAPPED_FANS,
  SQUARED_STD,
  CONSTANT_OUTPUT, /* mean and std swapped */
  EQUAL_ROWS,      /* all */
  TWO_EQUAL_ROWS,
  OPPOSITE_ROWS, /* of orthogonal weights: the second is the first with its signs turned */
  LOW_WORDS,     /* Philox with the low words of products for the high ones */
  SLIGHT_GAIN,   /* of orthogonal weights: 1.05 times the gain */
  NO_GAIN,       /* 1 for it */
  GAUSSIAN,      /* normal numbers of the same std */
  PERTURBED      /* every number off by up to 0.1 % */
} fault;

static fault injected = NO_FAULT;
static size_t injected_layer = 2;

static void write_values(cl_command_queue queue, const fanin_tensor *t, size_t first, const float *values, size_t n) {
  const cl_int code = clEnqueueWriteBuffer(queue, t->buffer, CL_TRUE, first * sizeof *values, n * sizeof *values,
                                           values, 0, NULL, NULL);
  assert_int_equal(code, CL_SUCCESS);
}

static void philox_of_low_words(fanin_key key, uint32_t block, uint32_t c[4]) {
  uint32_t k0 = (uint32_t)key.seed, k1 = (uint32_t)(key.seed >> 32);
  c[0] = block;
  c[1] = 0;
  c[2] = (uint32_t)key.stream;
  c[3] = (uint32_t)(key.stream >> 32);
  for (int round = 0; round < 10; round++) {
    const uint32_t low0 = UINT32_C(0xD2511F53) * c[0], low1 = UINT32_C(0xCD9E8D57) * c[2];
    c[0] = low1 ^ c[1] ^ k0;
    c[1] = low1;
    c[2] = low0 ^ c[3] ^ k1;
    c[3] = low0;
    k0 += UINT32_C(0x9E3779B9);
    k1 += UINT32_C(0xBB67AE85);
  }
}

/* Uniform numbers of the right bounds from the wrong generator. */
static void fill_low_words(cl_command_queue queue, const fanin_tensor *t, double std, fanin_key key) {
  const size_t n = (size_t)(t->shape[0] * t->shape[1]);
  float *const values = malloc(n * sizeof *values);
  uint32_t words[4] = {0};
  assert_non_null(values);
  for (size_t i = 0; i < n; i++) {
    if (i % 4 == 0) philox_of_low_words(key, (uint32_t)(i / 4), words);
    values[i] = (float)(sqrt(3) * std * ((double)(int32_t)words[i % 4] + 0.5) * 0x1p-31);
  }
  write_values(queue, t, 0, values, n);
  free(values);
}

/* The first row again, times `sign`, in each of rows first .. first + n. */
static void repeat_row(fanin *f, cl_command_queue queue, const fanin_tensor *t, size_t first, size_t n, float sign) {
  const size_t width = (size_t)t->shape[1];
  const fanin_tensor whole = test_tensor_of(t->buffer, 0, FANIN_DTYPE_F32, "", 1, &t->shape[1]);
  float *const row = malloc(width * sizeof *row);
  assert_non_null(row);
  assert_ok(fanin_read(f, queue, &whole, row, width * sizeof *row, 1, 0, NULL, NULL));
  for (size_t j = 0; j < width; j++) {
    row[j] *= sign;
  }
  for (size_t k = first; k < first + n; k++) {
    write_values(queue, t, k * width, row, width);
  }
  free(row);
}

static void perturb(fanin *f, cl_command_queue queue, const fanin_tensor *t) {
  const size_t n = (size_t)(t->shape[0] * t->shape[1]);
  float *const values = malloc(n * sizeof *values);
  uint64_t random = 1;
  assert_non_null(values);
  assert_ok(fanin_read(f, queue, t, values, n * sizeof *values, 1, 0, NULL, NULL));
  for (size_t i = 0; i < n; i++) {
    values[i] *= (float)(1 + 0.001 * (2 * test_uniform(&random) - 1));
  }
  write_values(queue, t, 0, values, n);
  free(values);
}

static fanin_status faulty_fill(fanin *f, cl_command_queue queue, const fanin_tensor *t, const fanin_init *init,
                                fanin_key key, cl_uint n_wait, const cl_event *wait_list, cl_event *event) {
  char name[32];
  snprintf(name, sizeof name, "layer%zu.weight", injected_layer);
  const bool here = test_key(key.seed, name).stream == key.stream;
  if (injected == NO_FAULT || !here) return fanin_fill(f, queue, t, init, key, n_wait, wait_list, event);
  fanin_moments moments;
  assert_ok(fanin_expect(t, init, &moments, sizeof moments));
  const double std = moments.std, in = (double)t->shape[1], out = (double)t->shape[0];
  const fanin_init wrong[] = {[NO_FAULT] = *init,
                              [GAIN] = fanin_normal(0, 1.3 * std),
                              [HE_FOR_LECUN] = fanin_normal(0, sqrt(2) * std),
                              [SWAPPED_FANS] = fanin_normal(0, std * sqrt(in / out)),
                              [SQUARED_STD] = fanin_normal(0, std * std),
                              [CONSTANT_OUTPUT] = fanin_normal(std, 0),
                              [EQUAL_ROWS] = *init,
                              [TWO_EQUAL_ROWS] = *init,
                              [OPPOSITE_ROWS] = *init,
                              [LOW_WORDS] = *init,
                              [SLIGHT_GAIN] = fanin_orthogonal(1.05 * init->gain),
                              [NO_GAIN] = fanin_orthogonal(1),
                              [GAUSSIAN] = fanin_normal(0, std),
                              [PERTURBED] = *init};
  const fanin_status status = fanin_fill(f, queue, t, &wrong[injected], key, n_wait, wait_list, event);
  assert_ok(status);
  if (injected == EQUAL_ROWS) repeat_row(f, queue, t, 1, (size_t)t->shape[0] - 1, 1);
  if (injected == TWO_EQUAL_ROWS) repeat_row(f, queue, t, (size_t)t->shape[0] / 2, 1, 1);
  if (injected == OPPOSITE_ROWS) repeat_row(f, queue, t, 1, 1, -1);
  if (injected == LOW_WORDS) fill_low_words(queue, t, std, key);
  if (injected == PERTURBED) perturb(f, queue, t);
  return status;
}

/* The kernel that is built for linear in place of the activation. */
static const char *linear_kernel = NULL;

static fanin_status faulty_run(const fanin__mlp *w, const fanin__activation *activation, const fanin__launch *launch) {
  const bool here = linear_kernel && strcmp(launch->name, linear_kernel) == 0;
  return fanin__mlp_run(w, here ? fanin__activation_find("linear") : activation, launch);
}

#define fanin_fill     faulty_fill
#define fanin__mlp_run faulty_run
#include "probe/backward.c" // NOLINT(bugprone-suspicious-include)
#include "probe/forward.c"  // NOLINT(bugprone-suspicious-include)
#undef fanin__mlp_run
#undef fanin_fill

static const fanin_finding *finding_of(const test_report *report, fanin_diagnosis diagnosis) {
  for (size_t k = 0; k < report->summary.n_findings; k++) {
    if (report->findings[k].diagnosis == diagnosis) return &report->findings[k];
  }
  return NULL;
}

static void print_findings(const test_report *report) {
  for (size_t k = 0; k < report->summary.n_findings; k++) {
    const fanin_finding *const f = &report->findings[k];
    print_message("  %s %zu-%zu: %s\n", fanin_diagnosis_name(f->diagnosis), f->first, f->last, f->what);
  }
}

/* Every fault, in one layer of a rectangular network, is named with its layer and in a sentence that fits. */
static void each_fault_is_named(void **state) {
  static const uint64_t widths[] = {64, 256, 96, 128};
  static const struct {
    fault fault;
    const char *init;
    fanin_diagnosis diagnosis;
    const char *sentence;
  } rows[] = {{GAIN, "he_uniform", FANIN_DIAGNOSIS_GAIN_MISMATCH, "times the expected"},
              {HE_FOR_LECUN, "he_uniform", FANIN_DIAGNOSIS_GAIN_MISMATCH, "He's gain"},
              {SWAPPED_FANS, "he_uniform", FANIN_DIAGNOSIS_WRONG_FAN, "swapped fans"},
              {SQUARED_STD, "he_uniform", FANIN_DIAGNOSIS_GAIN_MISMATCH, "variance where a std was wanted"},
              {CONSTANT_OUTPUT, "he_uniform", FANIN_DIAGNOSIS_SYMMETRY, "all weights are"},
              {EQUAL_ROWS, "he_uniform", FANIN_DIAGNOSIS_SYMMETRY, "95 of 96 rows"},
              {TWO_EQUAL_ROWS, "he_uniform", FANIN_DIAGNOSIS_SYMMETRY, "1 of 96 rows"},
              {LOW_WORDS, "he_uniform", FANIN_DIAGNOSIS_WRONG_STREAM, "random numbers"},
              {SLIGHT_GAIN, "orthogonal", FANIN_DIAGNOSIS_GAIN_MISMATCH, "is 1.05 times the expected"},
              {NO_GAIN, "orthogonal:gain=relu", FANIN_DIAGNOSIS_GAIN_MISMATCH, "LeCun's gain for He's"},
              {GAUSSIAN, "orthogonal", FANIN_DIAGNOSIS_NOT_ORTHOGONAL, "products of its rows"},
              {PERTURBED, "orthogonal", FANIN_DIAGNOSIS_NOT_ORTHOGONAL, "products of its rows"},
              {EQUAL_ROWS, "orthogonal", FANIN_DIAGNOSIS_NOT_ORTHOGONAL, "differ by up to 1 from"},
              {OPPOSITE_ROWS, "orthogonal", FANIN_DIAGNOSIS_NOT_ORTHOGONAL, "differ by up to 1 from"}};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    fanin_probe_config config = test_probe_config(widths, 4, "relu", rows[k].init, 64);
    for (config.seed = 0; config.seed < 10; config.seed++) {
      test_report *report = NULL;
      injected = rows[k].fault;
      const fanin_status status = test_probe(*state, NULL, &config, &report);
      injected = NO_FAULT;
      assert_ok(status);
      const fanin_finding *const found = finding_of(report, rows[k].diagnosis);
      const bool judged = !report->summary.conforms && (rows[k].fault == LOW_WORDS || !report->layers[1].conforms);
      if (!judged || !found || found->first != 2 || found->last != 2 || !strstr(found->what, rows[k].sentence)) {
        print_findings(report);
        fail_msg("fault %d, seed %d: conforms %d", (int)rows[k].fault, (int)config.seed, report->summary.conforms);
      }
      assert_null(finding_of(report, FANIN_DIAGNOSIS_UNEXPLAINED));
      test_report_free(report);
    }
  }
}

/* The same of orthogonal weights, at a gain that is 5 % off: q is exact in tall layers, g in wide ones. */
static void lengths_alone_show_it(void **state) {
  static const uint64_t widths[] = {64, 96, 96, 48};
  fanin_probe_config config = test_probe_config(widths, 4, "linear", "orthogonal:gain=2", 64);
  config.dtype = FANIN_DTYPE_BF16;
  for (config.seed = 0; config.seed < 10; config.seed++) {
    fanin_probe_layer layers[3];
    injected = SLIGHT_GAIN;
    const fanin_status status = test_probe_layers(*state, NULL, &config, layers);
    injected = NO_FAULT;
    assert_ok(status);
    assert_true(layers[1].q_z == FANIN__DEVIATE_MAX && layers[0].g_z == FANIN__DEVIATE_MAX);
    assert_true(fabs(layers[0].q_z) < 5 && fabs(layers[2].q_z) < 5 && fabs(layers[1].g_z) < 5);
    assert_true(layers[1].overlap < 0.01 && layers[0].conforms + layers[2].conforms == 1 && !layers[1].conforms);
  }
}

/* Steps go through theory's activation, not through the one that was measured. */
static void wrong_functions_show_it(void **state) {
  static const uint64_t widths[] = {64, 96, 96, 48};
  static const char *const kernels[] = {NULL, "activate", "derive"};
  for (size_t i = 0; i < 6; i++) {
    const size_t k = i % 3;
    const fanin_probe_config config = test_probe_config(widths, 4, i < 3 ? "tanh" : "swiglu", "he_normal", 64);
    fanin_probe_layer layers[3];
    linear_kernel = kernels[k];
    const fanin_status status = test_probe_layers(*state, NULL, &config, layers);
    linear_kernel = NULL;
    assert_ok(status);
    print_message("%s, linear %s: z of q %.1f %.1f, of g %.1f %.1f\n", config.activation,
                  kernels[k] ? kernels[k] : "nowhere", layers[1].q_z, layers[2].q_z, layers[0].g_z, layers[1].g_z);
    assert_true((fabs(layers[1].q_z) > 6) == (k == 1) && (fabs(layers[2].q_z) > 6) == (k == 1));
    assert_true((fabs(layers[0].g_z) > 6) == (k == 2) && (fabs(layers[1].g_z) > 6) == (k == 2));
  }
}

/* Without the weights' own tests: a wrong std shows in q of its layer and in g of the layer before. */
static void moments_alone_show_it(void **state) {
  static const uint64_t widths[] = {64, 256, 96, 128};
  static const fault faults[] = {GAIN, SWAPPED_FANS, SQUARED_STD};
  fanin_probe_config config = test_probe_config(widths, 4, "relu", "he_normal", 64);
  for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
    for (config.seed = 0; config.seed < 10; config.seed++) {
      fanin_probe_layer layers[3];
      injected = faults[k];
      const fanin_status status = test_probe_layers(*state, NULL, &config, layers);
      injected = NO_FAULT;
      assert_ok(status);
      assert_true(fabs(layers[1].q_z) > fanin_z_bound(12) && fabs(layers[0].g_z) > fanin_z_bound(12));
      assert_true(fabs(layers[0].q_z) < 5 && fabs(layers[2].q_z) < 5);
    }
  }
}

/* One layer's std 1.3 times, of four at width 1024. */
static void one_layer_of_1024(void **state) {
  static const uint64_t widths[] = {1024, 1024, 1024, 1024, 1024};
  const fanin_probe_config config = test_probe_config(widths, 5, "relu", "he_normal", 64);
  test_report *report = NULL;
  injected = GAIN;
  injected_layer = 3;
  const fanin_status status = test_probe(*state, NULL, &config, &report);
  injected = NO_FAULT;
  injected_layer = 2;
  assert_ok(status);
  const fanin_finding *const found = finding_of(report, FANIN_DIAGNOSIS_GAIN_MISMATCH);
  assert_non_null(found);
  assert_int_equal(found->first, 3);
  assert_non_null(strstr(found->what, "1.3 times"));
  assert_false(report->summary.conforms || report->layers[2].conforms || report->layers[1].conforms); /* g of layer 2 */
  assert_true(report->layers[0].conforms && report->layers[3].conforms);
  assert_true(report->summary.healthy);
  test_report_free(report);
}

/* ---- Verdicts of right networks ---------------------------------------------------------------------------------- */

typedef struct expectation {
  const char *activation, *init;
  size_t depth; /* layers of 64, then 10 outputs */
  int healthy;
  fanin_diagnosis diagnoses[3]; /* FANIN_DIAGNOSIS_COUNT: no more */
} expectation;

#define NONE FANIN_DIAGNOSIS_COUNT

static const expectation expectations[] = {
    {"relu", "he_normal", 3, 1, {NONE, NONE, NONE}},
    {"linear", "lecun_normal", 10, 1, {NONE, NONE, NONE}},
    {"selu", "lecun_normal", 20, 1, {NONE, NONE, NONE}},
    {"relu",
     "xavier_normal",
     20,
     0,
     {FANIN_DIAGNOSIS_FORWARD_VANISH, FANIN_DIAGNOSIS_BACKWARD_VANISH, FANIN_DIAGNOSIS_GAIN_MISMATCH}},
    {"relu", "pytorch_default", 5, 0, {FANIN_DIAGNOSIS_FORWARD_VANISH, FANIN_DIAGNOSIS_GAIN_MISMATCH, NONE}},
    {"relu",
     "normal:std=1",
     5,
     0,
     {FANIN_DIAGNOSIS_FORWARD_EXPLODE, FANIN_DIAGNOSIS_BACKWARD_EXPLODE, FANIN_DIAGNOSIS_GAIN_MISMATCH}},
    {"sigmoid", "xavier_normal", 3, 0, {FANIN_DIAGNOSIS_BACKWARD_VANISH, FANIN_DIAGNOSIS_MEAN_DRIFT, NONE}},
    {"sigmoid",
     "xavier_normal",
     6,
     0,
     {FANIN_DIAGNOSIS_BACKWARD_VANISH, FANIN_DIAGNOSIS_RANK_COLLAPSE, FANIN_DIAGNOSIS_MEAN_DRIFT}},
    {"tanh", "normal:std=1", 3, 0, {FANIN_DIAGNOSIS_SATURATED, NONE, NONE}},
    {"tanh", "zeros", 3, 0, {FANIN_DIAGNOSIS_SYMMETRY, FANIN_DIAGNOSIS_BACKWARD_VANISH, NONE}},
    {"gelu", "constant:value=0.02", 3, 0, {FANIN_DIAGNOSIS_SYMMETRY, NONE, NONE}},
    {"linear", "normal:std=1e-4", 3, 0, {FANIN_DIAGNOSIS_FORWARD_VANISH, FANIN_DIAGNOSIS_FP16_RANGE, NONE}},
    {"relu", "he_normal", 40, 1, {FANIN_DIAGNOSIS_WIDTH_NOISE, NONE, NONE}}};

static void verdicts_of_right_networks(void **state) {
  for (size_t k = 0; k < sizeof expectations / sizeof *expectations; k++) {
    const expectation *const e = &expectations[k];
    uint64_t widths[48];
    for (size_t l = 0; l < e->depth; l++) {
      widths[l] = 64;
    }
    widths[e->depth] = 10;
    test_report *report = NULL;
    const fanin_probe_config config = test_probe_config(widths, e->depth + 1, e->activation, e->init, 64);
    assert_ok(test_probe(*state, NULL, &config, &report));
    bool good = report->summary.conforms && report->summary.healthy == e->healthy;
    for (size_t d = 0; d < 3; d++) {
      good = good && (e->diagnoses[d] == NONE || finding_of(report, e->diagnoses[d]));
    }
    if (!good) {
      print_findings(report);
      fail_msg("%s %s, %zu layers: conforms %d, healthy %d", e->activation, e->init, e->depth, report->summary.conforms,
               report->summary.healthy);
    }
    test_report_free(report);
  }
}

/* Weights of mean 0.05, and ones that are not random: no law, no error. */
static void weights_without_a_law(void **state) {
  static const uint64_t widths[] = {32, 32, 32};
  static const char *const inits[] = {"uniform:lo=0,hi=0.1", "identity", "normal:mean=0.1,std=0.1"};
  for (size_t k = 0; k < 3; k++) {
    test_report *report = NULL;
    const fanin_probe_config config = test_probe_config(widths, 3, "relu", inits[k], 64);
    assert_ok(test_probe(*state, NULL, &config, &report));
    assert_int_equal(report->summary.conforms, k != 1); /* a pattern is not judged */
    assert_true(isnan(report->layers[1].q_z) && isnan(report->layers[1].q_meanfield));
    assert_true(isnan(report->layers[0].weight_mean_z) == (k == 1));
    if (k != 1) assert_true(fabs(log(report->layers[0].q_measured / report->layers[0].q_predicted)) < 1);
    test_report_free(report);
  }
}

/* The caller's own tensors: the probe says the same of them as of those that it makes, reads them at their offset, and
 * finds what is wrong with them. */
static void weights_of_the_caller(void **state) {
  static const uint64_t widths[] = {20, 48, 16};
  static const fanin_dtype dtypes[] = {FANIN_DTYPE_F32, FANIN_DTYPE_F16, FANIN_DTYPE_BF16};
  for (size_t k = 0; k < 3; k++) {
    fanin_probe_config config = test_probe_config(widths, 3, "tanh", "lecun_normal", 32);
    fanin_probe_layer own[2], given[2];
    config.dtype = dtypes[k];
    assert_ok(test_probe_layers(*state, NULL, &config, own));
    const size_t offset = 6 * fanin_dtype_size(config.dtype);
    fanin_tensor weights[2] = {test_tensor_of(NULL, 0, config.dtype, "OI", 2, (const uint64_t[]){48, 20}),
                               test_tensor_of(NULL, offset, config.dtype, "OI", 2, (const uint64_t[]){16, 48})};
    weights[1].buffer = test_guarded(*state, offset, 16 * 48 * fanin_dtype_size(config.dtype));
    assert_ok(fanin_fill(*state, NULL, &weights[1], &config.init, test_key(1, "layer2.weight"), 0, NULL, NULL));
    config.weights = weights;
    assert_ok(test_probe_layers(*state, NULL, &config, given));
    assert_memory_equal(own, given, sizeof own);
    const fanin_init wrong = fanin_normal(0, 0.3);
    assert_ok(fanin_fill(*state, NULL, &weights[1], &wrong, test_key(1, "w"), 0, NULL, NULL));
    assert_ok(test_probe_layers(*state, NULL, &config, given));
    assert_false(given[1].conforms);
    assert_true(given[0].q_z == own[0].q_z);

    /* Three times what the initializer makes, and said so; a factor of a tensor without a buffer is for nobody. */
    const fanin_init larger = fanin_normal(0, 3 / sqrt(48));
    double factors[2] = {7, 3};
    assert_ok(fanin_fill(*state, NULL, &weights[1], &larger, test_key(config.seed, "layer2.weight"), 0, NULL, NULL));
    config.weight_factors = factors;
    assert_ok(test_probe_layers(*state, NULL, &config, given));
    assert_true(given[0].q_z == own[0].q_z);
    assert_true(given[1].conforms == own[1].conforms && fabs(given[1].weight_z - own[1].weight_z) < 0.05);
    assert_true(fabs(given[1].q_z - own[1].q_z) < 0.05 && fabs(given[1].q_measured / own[1].q_measured - 9) < 0.1);
    for (int bad = 0; bad < 2; bad++) {
      factors[1] = bad == 0 ? 0 : NAN;
      assert_int_equal(test_probe_layers(*state, NULL, &config, given), FANIN_STATUS_BAD_ARGUMENT);
      assert_non_null(strstr(fanin_last_error(), "weight_factors[1] is"));
    }
    clReleaseMemObject(weights[1].buffer);
  }
}

/* Names, remedies and verdicts for each diagnosis and for no other number. */
static void every_diagnosis_has_its_texts(void **state) {
  (void)state;
  fanin_verdict verdict;
  for (int d = 0; d < FANIN_DIAGNOSIS_COUNT; d++) {
    assert_true(strlen(fanin_diagnosis_name((fanin_diagnosis)d)) > 4);
    assert_true(strlen(fanin_diagnosis_remedy((fanin_diagnosis)d)) > 10);
    assert_ok(fanin_diagnosis_verdict((fanin_diagnosis)d, &verdict));
  }
  assert_string_equal(fanin_diagnosis_name(FANIN_DIAGNOSIS_WRONG_FAN), "WRONG_FAN");
  assert_string_equal(fanin_diagnosis_name(FANIN_DIAGNOSIS_COUNT), "unknown diagnosis");
  assert_string_equal(fanin_diagnosis_remedy((fanin_diagnosis)-1), "unknown diagnosis");
  assert_status(fanin_diagnosis_verdict(FANIN_DIAGNOSIS_COUNT, &verdict), FANIN_STATUS_BAD_ARGUMENT);
}

/* Right networks with layers of few features: dead ones, whose z is exactly 0, and means that are not normal. Each has
 * a false alarm once in 1000, so that three in 72 are a fault. */
static void narrow_networks_conform(void **state) {
  static const struct {
    uint64_t widths[4];
    const char *activation;
  } kinds[] = {{{64, 1, 64, 10}, "relu"}, {{1, 1, 1, 1}, "relu"}, {{64, 1, 4, 10}, "tanh"}, {{3, 3, 3, 3}, "tanh"}};
  size_t alarms = 0;
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    fanin_probe_config config = test_probe_config(kinds[k].widths, 4, kinds[k].activation, "he_normal", 64);
    for (config.seed = 0; config.seed < 18; config.seed++) {
      test_report *report = NULL;
      assert_ok(test_probe(*state, NULL, &config, &report));
      alarms += report->summary.conforms == 0;
      test_report_free(report);
    }
  }
  if (alarms > 2) fail_msg("%zu of 72 right networks do not conform", alarms);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_fault_is_named),
                                     cmocka_unit_test(moments_alone_show_it),
                                     cmocka_unit_test(wrong_functions_show_it),
                                     cmocka_unit_test(lengths_alone_show_it),
                                     cmocka_unit_test(one_layer_of_1024),
                                     cmocka_unit_test(verdicts_of_right_networks),
                                     cmocka_unit_test(weights_without_a_law),
                                     cmocka_unit_test(weights_of_the_caller),
                                     cmocka_unit_test(every_diagnosis_has_its_texts),
                                     cmocka_unit_test(narrow_networks_conform)};
  return cmocka_run_group_tests_name("probe_faults", tests, test_group_open, test_group_close);
}
