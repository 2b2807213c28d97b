/* The networks of the sweep. */
#include "support/support_sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/activation.h"
#include "support/support_csv.h"

sweep_case sweep_case_of(size_t activation, unsigned variant) {
  const bool orthogonal = variant / 12 == 1;
  return (sweep_case){.activation = fanin__activation_at(activation)->name,
                      .init = orthogonal ? "orthogonal:gain=1.3" : "he_normal",
                      .sigma_w2 = orthogonal ? 1.3 * 1.3 : 2,
                      .bias_std = variant & 2 ? 0.3 : 0,
                      .norm = (fanin_norm)(variant / 4 % 3),
                      .residual = variant & 1,
                      .orthogonal = orthogonal};
}

const char *sweep_name(const sweep_case *c) {
  static char text[128];
  static const char *const norms[] = {"no norm", "layer norm", "batch norm"};
  snprintf(text, sizeof text, "%s, %s%s, bias std %g, %s", c->activation, norms[c->norm],
           c->residual ? ", residual" : "", c->bias_std, c->init);
  return text;
}

static void read_row(const char **fields, size_t row, sweep_record *out) {
  const size_t k = row / 2, width = row % 2 ? SWEEP_WIDTH : SWEEP_WIDTH / 2;
  const sweep_case c = sweep_case_of(k / SWEEP_VARIANTS, (unsigned)(k % SWEEP_VARIANTS));
  assert_string_equal(fields[0], c.activation);
  assert_int_equal(strtoul(fields[1], NULL, 10), k % SWEEP_VARIANTS);
  assert_int_equal(strtoul(fields[2], NULL, 10), width);
  for (size_t j = 0; j < SWEEP_NUMBERS; j++) {
    out->mean[j] = strtod(fields[3 + 2 * j], NULL);
    out->error[j] = strtod(fields[4 + 2 * j], NULL);
    assert_true(out->mean[j] > 0 && out->error[j] >= 0);
  }
}

sweep_record *sweep_read(size_t *cases) {
  const char *fields[3 + 2 * SWEEP_NUMBERS];
  size_t n = 0;
  while (fanin__activation_at(n)) {
    n++;
  }
  n *= SWEEP_VARIANTS;
  assert_true(n > 0); /* or the caller would check nothing */
  sweep_record *const out = calloc(2 * n + 1, sizeof *out);
  assert_non_null(out);
  test_csv csv = test_csv_open(SWEEP_FILE);
  while (test_csv_row(&csv, fields, sizeof fields / sizeof *fields)) {
    if (csv.rows > 2 * n) fail_msg("%s has more than %zu rows; FANIN_RECORD=1 records it anew", SWEEP_FILE, 2 * n);
    read_row(fields, csv.rows - 1, &out[csv.rows - 1]);
  }
  assert_int_equal(csv.rows, 2 * n);
  *cases = n;
  return out;
}
