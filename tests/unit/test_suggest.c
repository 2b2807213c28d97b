/* suggest.c: what is suggested does what it says, by the recursion of theory.c and numbers of the literature. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fanin.h"
#include "math/activation.h"
#include "support/support.h"
#include "support/support_csv.h"

static void assert_relative(double value, double exact, double tolerance, const char *what, const char *of) {
  if (fabs(value - exact) <= tolerance * fabs(exact)) return;
  fail_msg("%s of %s is %.12g, not %.12g", what, of, value, exact);
}

static const fanin_suggestion *find(const fanin_suggestion *list, size_t count, fanin_aim aim) {
  for (size_t k = 0; k < count; k++) {
    if (list[k].aim == aim) return &list[k];
  }
  return NULL;
}

/* fanin_suggest() with room for every aim. */
static fanin_status suggest(const char *activation, double slope, double fan_ratio, size_t depth, double sigma_b2,
                            fanin_suggestion *list, size_t *count) {
  const fanin_suggest_config config = {sizeof config, activation, slope, fan_ratio, depth, sigma_b2};
  return fanin_suggest(&config, list, FANIN_AIM_COUNT, sizeof *list, count);
}

static size_t format(const fanin_suggestion *s, char *text, size_t capacity) {
  size_t length = 0;
  const fanin_status status = fanin_suggestion_format(s, sizeof *s, text, capacity, &length);
  assert_int_equal(status, capacity == 0 || length < capacity ? FANIN_STATUS_OK : FANIN_STATUS_BAD_SIZE);
  return length;
}

static fanin_suggestion suggested(const char *activation, double sigma_b2, fanin_aim aim) {
  fanin_suggestion list[FANIN_AIM_COUNT];
  size_t count;
  assert_ok(suggest(activation, 0.2, 1, 50, sigma_b2, list, &count));
  const fanin_suggestion *const s = find(list, count, aim);
  if (!s) fail_msg("%s has no suggestion %s", activation, fanin_aim_name(aim));
  return s ? *s : (fanin_suggestion){0};
}

/* gains.csv and moments.csv, made by mpmath: 1 / sqrt(E[phi^2]) forward, 1 / sqrt(E[phi'^2]) backward, at q = 1. */
static void gains_match_references(void **state) {
  (void)state;
  const char *field[7];
  size_t met = 0;
  test_csv csv = test_csv_open("moments.csv");
  while (test_csv_row(&csv, field, 7)) {
    if (strtod(field[2], NULL) != 1) continue;
    fanin_suggestion list[FANIN_AIM_COUNT];
    size_t count;
    assert_ok(suggest(field[0], strtod(field[1], NULL), 2, 10, 0, list, &count)); /* not square: never BOTH */
    const fanin_suggestion *const q = find(list, count, FANIN_AIM_FORWARD);
    const fanin_suggestion *const g = find(list, count, FANIN_AIM_BACKWARD);
    assert_true(q && g);
    assert_relative(q->gain, 1 / sqrt(strtod(field[4], NULL)), 2e-9, "forward gain", field[0]);
    assert_relative(g->gain, 1 / sqrt(strtod(field[5], NULL)), 2e-9, "backward gain", field[0]);
    assert_relative(q->q_growth, 1, 2e-9, "q", field[0]);
    assert_relative(g->g_growth, 1, 2e-9, "g", field[0]);
    assert_relative(q->g_growth, strtod(field[5], NULL) / strtod(field[4], NULL) / 2, 2e-9, "g", field[0]);
    assert_relative(g->q_growth, strtod(field[4], NULL) / strtod(field[5], NULL) * 2, 2e-9, "q", field[0]);
    met++;
  }
  assert_int_equal(met, 19);
}

/* Through networks of 6 layers, with the text's initializer and biases: what all layers do, on an input of mean square
 * 1; and what a layer does, from the q_1 that is said. */
static void recursion_confirms_totals(void **state) {
  (void)state;
  static const double ratios[] = {1, 1.25};
  uint64_t widths[51];
  double sigma_w2[50];
  fanin_theory_layer layers[50];
  for (size_t k = 0; fanin__activation_at(k / 2); k++) {
    const char *const name = fanin__activation_at(k / 2)->name;
    const double ratio = ratios[k % 2];
    fanin_suggestion list[FANIN_AIM_COUNT];
    size_t count;
    assert_ok(suggest(name, 0.2, ratio, 6, 0.05, list, &count));
    for (size_t j = 0; j < count; j++) {
      char text[128];
      fanin_init init;
      assert_true(test_init_format(&list[j].init, text, sizeof text) < sizeof text);
      assert_ok(fanin_init_parse(text, &init));
      for (size_t l = 0; l <= 6; l++) {
        widths[l] = (uint64_t)lround(4096 * 1024 / pow(ratio, (double)l));
      }
      const double q_1 = list[j].aim == FANIN_AIM_EDGE ? list[j].q_limit : 1;
      fanin_theory_config config = {.size = sizeof config,
                                    .widths = widths,
                                    .n_widths = 7,
                                    .activation = name,
                                    .slope = 0.2,
                                    .init = init,
                                    .sigma_b2 = list[j].sigma_b2,
                                    .second_moment = 1,
                                    .gradient = 1,
                                    .activate_last = 1};
      assert_ok(fanin_theory(&config, layers, sizeof *layers));
      assert_relative(layers[5].q / layers[0].q, list[j].q_total, 1e-4, "q_total", name);
      assert_relative(layers[0].g / layers[5].g, list[j].g_total, 1e-4, "g_total", name);
      for (size_t l = 0; l < 6; l++) {
        sigma_w2[l] = layers[l].sigma_w2;
      }
      sigma_w2[0] = q_1 - list[j].sigma_b2;
      config.sigma_w2 = sigma_w2;
      assert_ok(fanin_theory(&config, layers, sizeof *layers));
      assert_relative(layers[0].q, q_1, 1e-9, "q_1", name);
      assert_relative(layers[1].q / layers[0].q, list[j].q_growth, 1e-5, "q_growth", name);
      assert_relative(layers[0].g / layers[1].g, list[j].g_growth, 1e-5, "g_growth", name);
    }
  }
}

static void known_answers(void **state) {
  (void)state;
  assert_int_equal(suggested("relu", 0.05, FANIN_AIM_BOTH).init.kind, FANIN_KIND_HE_NORMAL);
  assert_true(suggested("relu", 0.05, FANIN_AIM_BOTH).init.a == 0);
  assert_true(suggested("leaky_relu", 0.05, FANIN_AIM_BOTH).init.a == 0.2);
  assert_int_equal(suggested("linear", 0.05, FANIN_AIM_BOTH).init.kind, FANIN_KIND_LECUN_NORMAL);
  assert_int_equal(suggested("selu", 0.05, FANIN_AIM_FORWARD).init.kind, FANIN_KIND_LECUN_NORMAL);
  assert_relative(suggested("selu", 0.05, FANIN_AIM_FORWARD).g_total, 29.6, 1e-3, "growth", "selu");
  assert_relative(suggested("gelu", 0, FANIN_AIM_FORWARD).sensitivity, 1.14, 5e-3, "sensitivity", "gelu");
  assert_relative(suggested("silu", 0, FANIN_AIM_FORWARD).sensitivity, 1.17, 5e-3, "sensitivity", "silu");
  assert_relative(suggested("tanh", 0, FANIN_AIM_FORWARD).sensitivity, 0.4610708305, 1e-8, "sensitivity", "tanh");
  assert_relative(suggested("tanh", 0, FANIN_AIM_PYTORCH).q_limit, 1.178, 5e-4, "limit", "tanh");
  const fanin_suggestion edge = suggested("tanh", 0.05, FANIN_AIM_EDGE);
  assert_relative(edge.gain * edge.gain, 1.76, 3e-3, "sigma_w^2", "tanh");
  assert_relative(edge.g_growth, 1, 1e-6, "growth", "tanh");
  assert_true(edge.recommended && edge.diagnoses == 0 && edge.g_total > 0.4 && edge.g_total < 0.5);
  assert_true(edge.sigma_b2 == 0.05 && edge.sensitivity < 1);
  const fanin_suggestion lost = suggested("gelu", 0, FANIN_AIM_BACKWARD);
  assert_true(lost.q_limit == 0 && lost.q_growth < 1);
  assert_true(isinf(suggested("softplus", 0, FANIN_AIM_BACKWARD).q_limit));
}

static void sentences(void **state) {
  (void)state;
  static const struct {
    const char *activation;
    fanin_aim aim;
    const char *said;
  } rows[] = {
      {"relu", FANIN_AIM_BOTH, "he_normal (gain 1.414214) keeps q and gradients."},
      {"gelu", FANIN_AIM_FORWARD, "unstable with depth: a small deviation is multiplied by 1.14 a layer"},
      {"selu", FANIN_AIM_FORWARD, "Backward, a layer multiplies the mean square of gradients by 1.072 there"},
      {"selu", FANIN_AIM_FORWARD,
       "Over 50 layers, on an input of mean square 1, q is multiplied by 1, and gradients by 29.59"},
      {"relu", FANIN_AIM_BOTH, "Theory finds that q and gradients neither vanish nor explode there"},
      {"gelu", FANIN_AIM_FORWARD, "Theory finds FORWARD_EXPLODE, BACKWARD_EXPLODE in that network."},
      {"tanh", FANIN_AIM_PYTORCH, "settles at 1.178, not 1"},
      {"tanh", FANIN_AIM_EDGE, "biases of variance 0.05"},
      {"tanh", FANIN_AIM_EDGE, "Gradients keep their mean square there."},
      {"gelu", FANIN_AIM_BACKWARD, "it goes to 0"},
      {"softplus", FANIN_AIM_BACKWARD, "it grows without bound"},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const fanin_suggestion s = suggested(rows[k].activation, 0.05, rows[k].aim);
    char text[1024], cut[20];
    const size_t length = format(&s, text, sizeof text);
    assert_int_equal(length, strlen(text));
    if (!strstr(text, rows[k].said)) fail_msg("no '%s' in: %s", rows[k].said, text);
    assert_int_equal(format(&s, cut, sizeof cut), length);
    assert_int_equal(strlen(cut), sizeof cut - 1);
    assert_memory_equal(cut, text, sizeof cut - 1);
    assert_int_equal(format(&s, NULL, 0), length);
  }
  assert_string_equal(fanin_aim_name(FANIN_AIM_EDGE), "edge");
  assert_string_equal(fanin_aim_name(FANIN_AIM_COUNT), "unknown aim");
}

/* Layers that are alike are not run one by one, however many there are: neither time nor memory goes with the depth. */
static void depth_costs_nothing(void **state) {
  (void)state;
  fanin_suggestion list[FANIN_AIM_COUNT];
  size_t count = 0;
  assert_int_equal(suggest("relu", 0, 1, SIZE_MAX, 0, list, &count), FANIN_STATUS_OK);
  assert_int_equal(suggest("relu", 0, 1, 1000000000, 0, list, &count), FANIN_STATUS_OK);
  assert_true(count >= 1 && list[0].recommended);
  assert_relative(list[0].q_total, 1, 1e-6, "q", "relu");
  assert_relative(list[0].g_total, 1, 1e-5, "gradients", "relu");
}

static void bad_arguments_are_named(void **state) {
  (void)state;
  fanin_suggestion list[FANIN_AIM_COUNT];
  size_t count = 9;
  static const struct {
    const char *activation;
    double slope, ratio;
    size_t depth;
    double sigma_b2;
    const char *said;
  } rows[] = {{"swich", 0, 1, 5, 0, "'swich'"},         {"relu", 0, -1, 5, 0, "fan_ratio is -1"},
              {"relu", 0, NAN, 5, 0, "fan_ratio is "},  {"relu", 0, 1, 0, 0, "depth is 0"},
              {"relu", 0, 1, 5, -1, "sigma_b2 is -1"},  {"relu", 0, 1, 5, INFINITY, "sigma_b2 is inf"},
              {"leaky_relu", NAN, 1, 5, 0, "slope is "}};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    assert_status(
        suggest(rows[k].activation, rows[k].slope, rows[k].ratio, rows[k].depth, rows[k].sigma_b2, list, &count),
        FANIN_STATUS_BAD_ARGUMENT);
    if (!strstr(fanin_last_error(), rows[k].said)) fail_msg("no '%s' in: %s", rows[k].said, fanin_last_error());
  }
  assert_int_equal(count, 9);
}

/* Without biases, GELU's and SiLU's edge is at q = 0, which q leaves; tanh's is there too, and q goes to it. */
static void no_edge_that_q_leaves(void **state) {
  (void)state;
  static const struct {
    const char *activation;
    int edges;
  } cases[] = {{"gelu", 0}, {"silu", 0}, {"tanh", 1}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    fanin_suggestion list[FANIN_AIM_COUNT];
    size_t count = 0;
    int edges = 0;
    assert_ok(suggest(cases[k].activation, 0, 1, 50, 0, list, &count));
    for (size_t j = 0; j < count; j++) {
      edges += list[j].aim == FANIN_AIM_EDGE;
    }
    assert_int_equal(edges, cases[k].edges);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gains_match_references), cmocka_unit_test(recursion_confirms_totals),
      cmocka_unit_test(known_answers),          cmocka_unit_test(sentences),
      cmocka_unit_test(depth_costs_nothing),    cmocka_unit_test(bad_arguments_are_named),
      cmocka_unit_test(no_edge_that_q_leaves),
  };
  return cmocka_run_group_tests_name("suggest", tests, NULL, NULL);
}
