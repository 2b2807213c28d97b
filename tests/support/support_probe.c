/* What the tests of the probe share. */
#include "support/support_probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle/oracle.h"

fanin_probe_config test_probe_config(const uint64_t *widths, size_t n, const char *activation, const char *init,
                                     uint64_t batch) {
  fanin_probe_config config = {.size = sizeof config,
                               .widths = widths,
                               .n_widths = n,
                               .activation = activation,
                               .slope = 0.1,
                               .dtype = FANIN_DTYPE_F32,
                               .batch = batch,
                               .seed = 1};
  assert_ok(fanin_init_parse(init, &config.init));
  return config;
}

static test_report *read_out(const fanin_probe_report *report) {
  test_report *const out = calloc(1, sizeof *out);
  assert_non_null(out);
  fanin_probe_summary *const s = &out->summary;
  assert_ok(fanin_probe_report_summary(report, s, sizeof *s));
  out->layers = calloc(s->n_layers, sizeof *out->layers);
  out->findings = calloc(s->n_findings + 1, sizeof *out->findings);
  assert_non_null(out->layers);
  assert_non_null(out->findings);
  for (size_t l = 0; l < s->n_layers; l++) {
    assert_ok(fanin_probe_report_layer(report, l, &out->layers[l], sizeof *out->layers));
  }
  for (size_t k = 0; k < s->n_findings; k++) {
    assert_ok(fanin_probe_report_finding(report, k, &out->findings[k], sizeof *out->findings));
  }
  return out;
}

fanin_status test_probe(fanin *f, cl_command_queue queue, const fanin_probe_config *config, test_report **out) {
  fanin_probe_report *report = NULL;
  const fanin_status status = fanin_probe(f, queue, config, &report);
  assert_true((status == FANIN_STATUS_OK) == (report != NULL));
  if (report) *out = read_out(report);
  fanin_probe_report_release(report);
  return status;
}

void test_report_free(test_report *report) {
  if (!report) return;
  free(report->findings);
  free(report->layers);
  free(report);
}

fanin_status test_probe_layers(fanin *f, cl_command_queue queue, const fanin_probe_config *config,
                               fanin_probe_layer *layers) {
  test_report *report = NULL;
  const fanin_status status = test_probe(f, queue, config, &report);
  if (report) memcpy(layers, report->layers, report->summary.n_layers * sizeof *layers);
  test_report_free(report);
  return status;
}

void test_assert_relative(double value, double exact, double tolerance, const char *what) {
  if (fabs(value - exact) <= tolerance * fabs(exact)) return;
  fail_msg("%s is %.12g, not %.12g", what, value, exact);
}

/* The tensor that the probe fills, as doubles. */
double *test_values_of(fanin *f, const fanin_init *init, fanin_dtype dtype, const char *name, uint64_t rows,
                       uint64_t columns) {
  const size_t n = (size_t)(rows * columns);
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(f, dtype, "OI", 2, (const uint64_t[]){rows, columns}, &t));
  assert_ok(fanin_fill(f, NULL, &t, init, test_key(1, name), 0, NULL, NULL));
  const size_t size = fanin_dtype_size(dtype);
  unsigned char *const bytes = malloc(n * size);
  double *const values = malloc(n * sizeof *values);
  assert_non_null(bytes);
  assert_non_null(values);
  assert_ok(fanin_read(f, NULL, &t, bytes, n * size, 1, 0, NULL, NULL));
  for (size_t k = 0; k < n; k++) {
    uint64_t bits = 0;
    memcpy(&bits, bytes + k * size, size);
    values[k] = oracle_number(dtype, bits);
  }
  free(bytes);
  fanin_tensor_free(&t);
  return values;
}

double test_uniform(uint64_t *state) {
  return (double)(test_random(state) >> 11) * 0x1p-53;
}

float test_normal(uint64_t *state) {
  const double radius = sqrt(-2 * log(1 - test_uniform(state)));
  return (float)(radius * cos(6.283185307179586 * test_uniform(state)));
}

void test_add(test_sums *s, double z) {
  if (isnan(z)) return;
  s->n++;
  s->sum += z;
  s->squares += z * z;
  s->cubes += z * z * z;
}

void test_assert_normal(const test_sums *s, size_t experiment_number, const char *what, size_t l) {
  if (s->n == 0) return;
  const double mean = s->sum / s->n, square = s->squares / s->n, sd = sqrt(2 / s->n);
  if (fabs(mean) <= 0.1 + 4.5 / sqrt(s->n) && square >= 1 - 4 * sd && square <= 1 + 6 * sd) return;
  fail_msg("experiment %zu, %s, layer %zu: mean %.3f, mean square %.3f", experiment_number, what, l + 1, mean, square);
}
