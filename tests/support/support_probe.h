/* Networks to probe, and numbers to hold the probe to. */
#ifndef FANIN_TESTS_SUPPORT_PROBE_H
#define FANIN_TESTS_SUPPORT_PROBE_H

#include <stdbool.h>

#include "support/support.h"

/* slope 0.1, f32, seed 1. */
fanin_probe_config test_probe_config(const uint64_t *widths, size_t n, const char *activation, const char *init,
                                     uint64_t batch);

/* A report, read out. */
typedef struct test_report {
  fanin_probe_summary summary;
  fanin_probe_layer *layers;
  fanin_finding *findings;
} test_report;

/* fanin_probe(), and what it reports; test_report_free() it. */
fanin_status test_probe(fanin *f, cl_command_queue queue, const fanin_probe_config *config, test_report **out);
void test_report_free(test_report *report);

/* The same, with the layers copied out. */
fanin_status test_probe_layers(fanin *f, cl_command_queue queue, const fanin_probe_config *config,
                               fanin_probe_layer *layers);

void test_assert_relative(double value, double exact, double tolerance, const char *what);

/* The tensor of that name that a probe of seed 1 fills, as doubles; free() it. */
double *test_values_of(fanin *f, const fanin_init *init, fanin_dtype dtype, const char *name, uint64_t rows,
                       uint64_t columns);

/* Of deviates in a layer: how many, and the sums of their first three powers. */
typedef struct test_sums {
  double n, sum, squares, cubes;
} test_sums;

/* Passes NaN over. */
void test_add(test_sums *s, double z);

/* That deviates are standard normal: 4.5 standard deviations of a mean of n of them, of their sum of squares a little
 * more upwards, where chi-squared is skewed; 0.1 is added to the mean's for the theory's next order, 1/n, at widths of
 * 8 to 96. None at all are. */
void test_assert_normal(const test_sums *s, size_t experiment_number, const char *what, size_t l);

/* Random numbers that do not come from fanin: of [0, 1), and standard normal. */
double test_uniform(uint64_t *state);
float test_normal(uint64_t *state);

#endif
