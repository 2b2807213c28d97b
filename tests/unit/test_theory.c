/* theory.c against tables, papers and closed forms. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fanin.h"
#include "support/support.h"
#include "support/support_csv.h"

#define PI 3.14159265358979323846

/* ---- Networks ---------------------------------------------------------------------------------------------------- */

enum { LAYERS_MAX = 64 };

static uint64_t square[LAYERS_MAX + 1];

static fanin_theory_config config_of(const char *activation, size_t layers) {
  for (size_t k = 0; k <= layers; k++) {
    square[k] = 512;
  }
  return (fanin_theory_config){.size = sizeof(fanin_theory_config),
                               .widths = square,
                               .n_widths = layers + 1,
                               .activation = activation,
                               .init = fanin_he_normal(0, FANIN_MODE_FAN_IN),
                               .second_moment = 1,
                               .gradient = 1};
}

/* meanfield.csv: inputs N(0,1), independent; activations after every layer; G of the last layer is E[phi'^2]. */
static void table_is_reproduced(void **state) {
  (void)state;
  const char *field[24];
  fanin_theory_layer layers[LAYERS_MAX];
  test_csv csv = test_csv_open("meanfield.csv");
  while (test_csv_row(&csv, field, 24)) {
    const size_t depth = strtoul(field[3], NULL, 10), l = strtoul(field[4], NULL, 10);
    fanin_theory_config config = config_of(field[0], depth);
    double sigma_w2[LAYERS_MAX];
    for (size_t k = 0; k < depth; k++) {
      sigma_w2[k] = strtod(field[2], NULL);
    }
    config.sigma_w2 = sigma_w2;
    config.activate_last = 1;
    assert_ok(fanin_theory(&config, layers, sizeof *layers));
    const fanin_theory_layer *const layer = &layers[l - 1];
    test_assert_relative_of(layer->q, strtod(field[5], NULL), 1e-6, "q", field[0]);
    test_assert_relative_of(layer->v, strtod(field[10], NULL), 1e-6, "V", field[0]);
    test_assert_relative_of(layer->second_moment, strtod(field[10], NULL), 1e-6, "second moment", field[0]);
    test_assert_close_of(layer->correlation, strtod(field[13], NULL), 1e-5, "correlation", field[0]);
    test_assert_relative_of(layer->chi, strtod(field[16], NULL), 1e-6, "chi", field[0]);
    test_assert_relative_of(layer->g, strtod(field[19], NULL), 1e-6, "G", field[0]);
  }
  assert_int_equal(csv.rows, 108);
}

/* He et al. 2015, section 2.2: Xavier's weights halve the variance of ReLU networks, he_normal's keep it. PyTorch's
 * default for Linear divides it by 6. */
static void relu_networks_of_the_literature(void **state) {
  (void)state;
  static const struct {
    const char *init;
    double factor;
  } rows[] = {{"xavier_normal", 0.5}, {"he_normal", 1}, {"pytorch_default", 1.0 / 6}};
  fanin_theory_layer layers[LAYERS_MAX];
  for (size_t k = 0; k < 3; k++) {
    fanin_theory_config config = config_of("relu", 31);
    assert_ok(fanin_init_parse(rows[k].init, &config.init));
    assert_ok(fanin_theory(&config, layers, sizeof *layers));
    for (size_t l = 1; l < 31; l++) {
      test_assert_relative_of(layers[l].q / layers[l - 1].q, rows[k].factor, 1e-9, "q's factor", rows[k].init);
      if (l < 30)
        test_assert_relative_of(layers[l - 1].g / layers[l].g, rows[k].factor, 1e-9, "g's factor", rows[k].init);
    }
    if (k > 0) continue;
    test_assert_relative_of(layers[22].q / layers[0].q, 2.4e-7, 0.01, "22 layers", rows[k].init);
    test_assert_relative_of(layers[30].q / layers[0].q, 9.3e-10, 0.01, "30 layers", rows[k].init);
  }
}

/* Klambauer et al. 2017: (0, 1) is a fixed point. Gradients grow by 29.6 over 50 layers all the same. */
static void selu_is_fixed_forward_only(void **state) {
  (void)state;
  fanin_theory_layer layers[LAYERS_MAX];
  fanin_theory_config config = config_of("selu", 50);
  config.init = fanin_lecun_normal();
  config.activate_last = 1;
  assert_ok(fanin_theory(&config, layers, sizeof *layers));
  test_assert_relative_of(layers[49].q, 1, 1e-9, "q", "selu");
  test_assert_close_of(layers[49].mean, 0, 1e-9, "mean", "selu");
  test_assert_relative_of(layers[0].g / layers[49].g, 29.6, 1e-3, "growth", "selu");
}

/* Everything of rectangular ReLU layers in closed form, with Xavier's weights and biases. */
static void rectangular_layers_in_closed_form(void **state) {
  (void)state;
  static const uint64_t widths[] = {100, 300, 50, 80, 10};
  const double fans[4][2] = {{100, 300}, {300, 50}, {50, 80}, {80, 10}};
  fanin_theory_config config = config_of("relu", 4);
  config.widths = widths;
  config.init = fanin_xavier_uniform(1.3);
  config.sigma_b2 = 0.1;
  config.second_moment = 2;
  config.correlation = -0.4;
  config.gradient = 3;
  fanin_theory_layer layers[4];
  assert_ok(fanin_theory(&config, layers, sizeof *layers));
  double square_of_h = 2, product = -0.8, q[4], input[4];
  for (int l = 0; l < 4; l++) {
    const double sigma_w2 = 2 * 1.69 * fans[l][0] / (fans[l][0] + fans[l][1]);
    input[l] = square_of_h;
    q[l] = sigma_w2 * square_of_h + 0.1;
    const double c = (sigma_w2 * product + 0.1) / q[l], t = acos(c);
    test_assert_relative_of(layers[l].sigma_w2, sigma_w2, 1e-12, "sigma_w^2", "relu");
    test_assert_relative_of(layers[l].q, q[l], 1e-9, "q", "relu");
    test_assert_close_of(layers[l].correlation, c, 1e-9, "c", "relu");
    if (l == 3) break;
    square_of_h = 0.5 * q[l];
    product = q[l] * (sin(t) + (PI - t) * c) / (2 * PI);
    test_assert_relative_of(layers[l].mean, sqrt(q[l] / (2 * PI)), 1e-9, "mean", "relu");
    test_assert_relative_of(layers[l].h_correlation, product / square_of_h, 1e-9, "h's c", "relu");
    test_assert_relative_of(layers[l].slope_second, 0.5, 1e-12, "E slope^2", "relu");
    const double next = 2 * 1.69 * fans[l + 1][0] / (fans[l + 1][0] + fans[l + 1][1]);
    test_assert_relative_of(layers[l].chi, 0.5 * next, 1e-12, "chi", "relu");
    test_assert_relative_of(layers[l].chi_c, next * (PI - t) / (2 * PI), 1e-9, "chi_c", "relu");
    test_assert_relative_of(layers[l].zero, 0.5, 1e-12, "zero", "relu");
  }
  test_assert_relative_of(layers[3].v, q[3], 1e-9, "V", "the last layer");
  double g = 3;
  for (int l = 3; l >= 0; l--) {
    test_assert_relative_of(layers[l].g, g, 1e-9, "g", "relu");
    test_assert_relative_of(layers[l].weight_gradient, g * input[l], 1e-9, "weight gradient", "relu");
    g *= 0.5 * fans[l][1] * 2 * 1.69 / (fans[l][0] + fans[l][1]);
  }
}

/* Yang & Schoenholz 2017, reduced residual network of an odd phi: q grows by sigma_w^2 V, gradients by 1 + chi. For
 * ReLU, means add up too. */
static void residual_connections(void **state) {
  (void)state;
  fanin_theory_layer layers[6];
  fanin_theory_config config = config_of("relu", 6);
  config.residual = 1;
  config.sigma_b2 = 0.3;
  config.init = fanin_lecun_normal();
  assert_ok(fanin_theory(&config, layers, sizeof *layers));
  double p = 1, mean = 0, product = 0;
  for (int l = 0; l < 5; l++) {
    const double q = p + 0.3, c = (product + 0.3) / q, t = acos(c), m = sqrt(q / (2 * PI));
    test_assert_relative_of(layers[l].q, q, 1e-9, "q", "relu");
    test_assert_close_of(layers[l].correlation, c, 1e-9, "c", "relu");
    p += 0.5 * q + 2 * mean * m;
    product += q * (sin(t) + (PI - t) * c) / (2 * PI) + 2 * mean * m;
    mean += m;
    test_assert_relative_of(layers[l].second_moment, p, 1e-9, "second moment", "relu");
    test_assert_relative_of(layers[l].mean, mean, 1e-9, "mean", "relu");
  }
  test_assert_relative_of(layers[5].q, p + 0.3, 1e-9, "q", "the last layer");
  for (int l = 4; l >= 0; l--) {
    test_assert_relative_of(layers[l].g, 0.5 * pow(1.5, 4 - l), 1e-9, "g", "relu"); /* gradient of h_5: 1 */
  }
  static const uint64_t widths[] = {7, 9, 9, 9, 9, 9, 3};
  config.widths = widths; /* no connection into layer 1 */
  config.activation = "linear";
  config.sigma_b2 = 0;
  assert_ok(fanin_theory(&config, layers, sizeof *layers));
  test_assert_relative_of(layers[0].second_moment, 1, 1e-9, "second moment", "linear");
  test_assert_relative_of(layers[1].second_moment, 2, 1e-9, "second moment", "linear");
  test_assert_relative_of(layers[4].second_moment, 16, 1e-9, "second moment", "linear");
}

/* Layer norm makes chi E[phi'^2] / V at q = 1 whatever the gain; batch norm of ReLU pi / (pi - 1) (Yang et al. 2019).
 */
static void normalised_layers(void **state) {
  (void)state;
  fanin_theory_layer layers[8];
  fanin_theory_config config = config_of("gelu", 8);
  config.norm = FANIN_NORM_LAYER;
  for (int k = 0; k < 2; k++) {
    config.init = k ? fanin_xavier_normal(3) : fanin_xavier_normal(0.1);
    assert_ok(fanin_theory(&config, layers, sizeof *layers));
    test_assert_relative_of(layers[5].v, 0.42522148257029867, 1e-9, "V(1)", "gelu");
    test_assert_relative_of(layers[5].chi, 0.4558508656492871 / 0.42522148257029867, 1e-9, "chi", "gelu");
    test_assert_relative_of(layers[3].g / layers[4].g, 0.4558508656492871 / 0.42522148257029867, 1e-9, "g", "gelu");
  }
  config = config_of("relu", 8);
  config.norm = FANIN_NORM_BATCH;
  assert_ok(fanin_theory(&config, layers, sizeof *layers));
  for (int l = 1; l < 7; l++) {
    test_assert_relative_of(layers[l].correlation, 1 / PI, 1e-9, "c", "relu"); /* (E relu)^2 / E relu^2 */
    test_assert_relative_of(layers[l].chi, PI / (PI - 1), 1e-9, "chi", "relu");
  }
  test_assert_relative_of(layers[1].g / layers[5].g, pow(PI / (PI - 1), 4), 1e-9, "g", "relu");
}

static void what_leaves_the_range(void **state) {
  (void)state;
  fanin_theory_layer layers[40];
  fanin_theory_config config = config_of("relu2", 40);
  assert_ok(fanin_theory(&config, layers, sizeof *layers)); /* q' = 3 q^2 */
  assert_true(isfinite(layers[5].q) && !isfinite(layers[39].q) && isnan(layers[38].mean));
  config = config_of("tanh", 3);
  config.init = fanin_zeros();
  config.norm = FANIN_NORM_LAYER;
  assert_ok(fanin_theory(&config, layers, sizeof *layers));
  assert_true(layers[0].q == 0 && layers[0].correlation == 1 && layers[2].g == 1 && layers[1].v == 0);
}

/* ---- Bad input --------------------------------------------------------------------------------------------------- */

static void refuses(const fanin_theory_config *config, const char *said) {
  fanin_theory_layer layers[LAYERS_MAX];
  assert_int_not_equal(fanin_theory(config, layers, sizeof *layers), FANIN_STATUS_OK);
  if (!strstr(fanin_last_error(), said)) fail_msg("no '%s' in: %s", said, fanin_last_error());
}

static void bad_arguments_are_named(void **state) {
  (void)state;
  const uint64_t hole[] = {4, 0, 4};
  const double wrong[] = {1, -2};
  fanin_theory_config good = config_of("relu", 2), c;
#define WITH(field, value, said)                                                                                       \
  do {                                                                                                                 \
    c = good;                                                                                                          \
    c.field = value;                                                                                                   \
    refuses(&c, said);                                                                                                 \
  } while (0)
  WITH(n_widths, 1, "n_widths is 1");
  WITH(widths, hole, "width 1 is 0");
  WITH(activation, "swich", "'swich'");
  WITH(sigma_w2, wrong, "sigma_w2 of layer 2 is -2");
  WITH(sigma_b2, -1, "sigma_b2 is -1");
  WITH(sigma_b2, NAN, "sigma_b2 is ");
  WITH(second_moment, INFINITY, "second_moment is inf");
  WITH(gradient, -3, "gradient is -3");
  WITH(correlation, 1.5, "correlation is 1.5");
  WITH(norm, (fanin_norm)9, "norm is 9");
  WITH(init, fanin_ones(), "mean 1");
  WITH(init, fanin_he_normal(NAN, FANIN_MODE_FAN_IN), "he_normal: a");
  c = good;
  c.activation = "leaky_relu";
  c.slope = INFINITY;
  refuses(&c, "slope is inf");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(table_is_reproduced),        cmocka_unit_test(relu_networks_of_the_literature),
      cmocka_unit_test(selu_is_fixed_forward_only), cmocka_unit_test(rectangular_layers_in_closed_form),
      cmocka_unit_test(residual_connections),       cmocka_unit_test(normalised_layers),
      cmocka_unit_test(what_leaves_the_range),      cmocka_unit_test(bad_arguments_are_named),
  };
  return cmocka_run_group_tests_name("theory", tests, NULL, NULL);
}
