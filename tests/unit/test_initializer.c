/* The table of initializers and its text form: descriptions, constructors, parsing, formatting, and what is refused. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fanin/scheme.h"
#include "init/initializer.h"
#include "support/support.h"

static fanin_init parsed(const char *text) {
  fanin_init init;
  if (fanin_init_parse(text, &init) != FANIN_STATUS_OK) fail_msg("%s: %s", text, fanin_last_error());
  return init;
}

/* Every field, bit by bit: 0 and -0 differ. */
static bool same(const fanin_init *x, const fanin_init *y) {
  const double a[] = {x->value, x->lo,    x->hi,   x->mean,     x->std,    x->a,      x->b,     x->gain,
                      x->scale, x->floor, x->base, x->exponent, x->zigzag, x->period, x->shift, x->zigzag_exponent};
  const double b[] = {y->value, y->lo,    y->hi,   y->mean,     y->std,    y->a,      y->b,     y->gain,
                      y->scale, y->floor, y->base, y->exponent, y->zigzag, y->period, y->shift, y->zigzag_exponent};
  return memcmp(a, b, sizeof a) == 0 && x->kind == y->kind && x->bounds == y->bounds &&
         x->uncorrected == y->uncorrected && x->mode == y->mode && x->distribution == y->distribution &&
         x->inverse_softplus == y->inverse_softplus && x->form == y->form && x->half_open == y->half_open;
}

static void assert_same(fanin_init x, fanin_init y, const char *what) {
  if (same(&x, &y)) return;
  char a[512], b[512];
  test_init_format(&x, a, sizeof a);
  test_init_format(&y, b, sizeof b);
  fail_msg("%s: '%s' is not '%s'", what, a, b);
}

static void append(char list[512], const char *name) {
  const size_t used = strlen(list);
  snprintf(list + used, 512 - used, "%s,", name);
}

/* Each preset is the kind with what its row says. */
static void check_presets(const fanin_description *d) {
  char copy[256], text[512];
  assert_true((size_t)snprintf(copy, sizeof copy, "%s", d->presets) < sizeof copy);
  for (char *save = NULL, *preset = strtok_r(copy, "; ", &save); preset; preset = strtok_r(NULL, "; ", &save)) {
    const size_t length = strcspn(preset, ":");
    snprintf(text, sizeof text, "%s%s", d->name, preset + length);
    const fanin_init meant = parsed(text);
    preset[length] = '\0';
    assert_same(parsed(preset), meant, preset);
  }
}

/* The descriptions' defaults are the table's, and name every parameter in its order. */
static void descriptions_agree_with_the_table(void **state) {
  (void)state;
  for (int kind = 0; kind < FANIN_KIND_COUNT; kind++) {
    fanin_description d;
    assert_ok(fanin_describe((fanin_kind)kind, &d, sizeof d));
    const fanin_init plain = parsed(d.name);
    assert_int_equal(plain.kind, kind);
    char text[512], names[512] = "", described[512] = "";
    test_init_format(&plain, text, sizeof text);
    assert_string_equal(text, d.name);
    if (d.parameters[0]) {
      snprintf(text, sizeof text, "%s:%s", d.name, d.parameters);
      assert_same(parsed(text), plain, text);
    }
    for (const fanin__parameter *p = fanin__initializer_of((fanin_kind)kind)->parameters; p->name; p++)
      append(names, p->name);
    char copy[512];
    snprintf(copy, sizeof copy, "%s", d.parameters);
    for (char *save = NULL, *pair = strtok_r(copy, ",", &save); pair; pair = strtok_r(NULL, ",", &save)) {
      pair[strcspn(pair, "=")] = '\0';
      append(described, pair);
    }
    assert_string_equal(described, names);
    check_presets(&d);
    assert_true(d.formula[0] && d.source[0]);
    assert_int_equal(d.needs_fans, kind >= FANIN_KIND_XAVIER_UNIFORM && kind < FANIN_KIND_LOG_UNIFORM);
  }
  fanin_description d;
  assert_status(fanin_describe(FANIN_KIND_COUNT, &d, sizeof d), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_describe((fanin_kind)-1, &d, sizeof d), FANIN_STATUS_BAD_ARGUMENT);
}

static void text_means_what_constructors_say(void **state) {
  (void)state;
  fanin_init mamba = fanin_log_uniform(0.001, 0.1);
  mamba.floor = 1e-4;
  mamba.inverse_softplus = 1;
  const fanin_init zigzag = {
      .kind = FANIN_KIND_RAMP, .zigzag = 0.1, .shift = 1, .exponent = 1, .period = 3, .zigzag_exponent = 1, .gain = 1};
  fanin_init absolute = fanin_trunc_normal(0.5, 0.02, -INFINITY, 3);
  absolute.bounds = FANIN_BOUNDS_ABSOLUTE;
  absolute.uncorrected = 1;
  fanin_init keras = fanin_xavier_normal(1);
  keras.distribution = FANIN_DISTRIBUTION_TRUNC_NORMAL;
  fanin_init flax = fanin_lecun_normal();
  flax.distribution = FANIN_DISTRIBUTION_TRUNC_NORMAL;
  const struct {
    const char *text;
    fanin_init init;
  } rows[] = {
      {"zeros", fanin_zeros()},
      {"ones", fanin_ones()},
      {"constant", fanin_constant(0)},
      {"constant:value=-0x1.8p-3", fanin_constant(-0.1875)},
      {"uniform", fanin_uniform(0, 1)},
      {"uniform:hi=2.5e-1,lo=-.25", fanin_uniform(-0.25, 0.25)},
      {"normal", fanin_normal(0, 1)},
      {"normal:std=+0.02,mean=1.", fanin_normal(1, 0.02)},
      {"trunc_normal", fanin_trunc_normal(0, 1, -2, 2)},
      {"trunc_normal:std=0.02,a=-3,b=inf", fanin_trunc_normal(0, 0.02, -3, INFINITY)},
      {"trunc_normal:corrected=false,bounds=absolute,b=3,a=-inf,std=.02,mean=.5", absolute},
      {"xavier_uniform", fanin_xavier_uniform(1)},
      {"glorot_uniform:gain=0.5", fanin_xavier_uniform(0.5)},
      {"xavier_uniform:gain=tanh,criterion=pytorch", fanin_xavier_uniform(5.0 / 3)},
      {"xavier_uniform:criterion=pytorch,gain=relu", fanin_xavier_uniform(sqrt(2))},
      {"xavier_uniform:slope=3,gain=leaky_relu,criterion=pytorch", fanin_xavier_uniform(sqrt(0.2))},
      {"xavier_normal:gain=linear", fanin_xavier_normal(1)},
      {"glorot_normal:distribution=trunc_normal", keras},
      {"he_uniform", fanin_he_uniform(0, FANIN_MODE_FAN_IN)},
      {"kaiming_uniform:mode=fan_out", fanin_he_uniform(0, FANIN_MODE_FAN_OUT)},
      {"pytorch_default", fanin_he_uniform(sqrt(5), FANIN_MODE_FAN_IN)},
      {"pytorch_default:a=1", fanin_he_uniform(1, FANIN_MODE_FAN_IN)},
      {"pytorch_default:mode=fan_avg", fanin_he_uniform(sqrt(5), FANIN_MODE_FAN_AVG)},
      {"he_normal:mode=fan_out,a=0.2", fanin_he_normal(0.2, FANIN_MODE_FAN_OUT)},
      {"kaiming_normal:a=0.2,mode=fan_geo", fanin_he_normal(0.2, FANIN_MODE_FAN_GEO)},
      {"lecun_uniform", fanin_lecun_uniform()},
      {"lecun_normal:distribution=trunc_normal", flax},
      {"variance_scaling", fanin_variance_scaling(1, FANIN_MODE_FAN_IN, FANIN_DISTRIBUTION_NORMAL)},
      {"variance_scaling:distribution=uniform,mode=fan_avg,scale=3",
       fanin_variance_scaling(3, FANIN_MODE_FAN_AVG, FANIN_DISTRIBUTION_UNIFORM)},
      {"identity:gain=-2", fanin_identity(-2)},
      {"dirac", fanin_dirac(1)},
      {"log_uniform", fanin_log_uniform(0.001, 0.1)},
      {"reciprocal:hi=2,lo=0.5", fanin_log_uniform(0.5, 2)},
      {"log_uniform:floor=0.0001,inverse_softplus=true", mamba},
      {"a_log", fanin_s4d_real()},
      {"sinusoids:form=halves", fanin_sinusoidal(10000, FANIN_FORM_HALVES)},
      {"sinusoidal:base=500,form=tensor2tensor", fanin_sinusoidal(500, FANIN_FORM_TENSOR2TENSOR)},
      {"inv_freq:base=500000", fanin_inv_freq(500000)},
      {"alibi", fanin_alibi()},
      {"ramp", fanin_ramp(0, 1, 1)},
      {"ramp:lo=-5,hi=3,exponent=1.3", fanin_ramp(-5, 3, 1.3)},
      {"ramp:lo=1,hi=0", fanin_ramp(1, 0, 1)},
      {"ramp:lo=0,hi=0,zigzag=0.1,shift=1", zigzag},
      {"HE_NORMAL:MODE=Fan_Out,A=0.2", fanin_he_normal(0.2, FANIN_MODE_FAN_OUT)},
      {"Glorot_Uniform:gain=ReLU,criterion=PyTorch", fanin_xavier_uniform(sqrt(2))},
      {"PyTorch_Default", fanin_he_uniform(sqrt(5), FANIN_MODE_FAN_IN)},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
    assert_same(parsed(rows[k].text), rows[k].init, rows[k].text);
}

/* A named gain is fanin_gain()'s, with the criterion and slope that the text says. */
static void named_gains_are_gains(void **state) {
  (void)state;
  const struct {
    const char *text, *name;
    double slope;
    fanin_criterion criterion;
  } rows[] = {
      {"xavier_normal:gain=gelu", "gelu", 0, FANIN_CRITERION_SECOND_MOMENT},
      {"xavier_normal:gain=gelu,criterion=variance", "gelu", 0, FANIN_CRITERION_VARIANCE},
      {"xavier_uniform:gain=leaky_relu", "leaky_relu", 0.01, FANIN_CRITERION_SECOND_MOMENT},
      {"xavier_normal:gain=swish", "silu", 0, FANIN_CRITERION_SECOND_MOMENT},
      {"xavier_normal:gain=gelu_new", "gelu_tanh", 0, FANIN_CRITERION_SECOND_MOMENT},
      {"xavier_normal:gain=gelu_pytorch_tanh", "gelu_tanh", 0, FANIN_CRITERION_SECOND_MOMENT},
      {"xavier_normal:gain=Leaky_ReLU,slope=0.3", "leaky_relu", 0.3, FANIN_CRITERION_SECOND_MOMENT},
      {"identity:gain=leaky_relu,slope=0.3,criterion=second_moment", "leaky_relu", 0.3, FANIN_CRITERION_SECOND_MOMENT},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    double gain;
    assert_ok(fanin_gain(rows[k].name, rows[k].slope, rows[k].criterion, &gain));
    assert_true(gain != 1 && parsed(rows[k].text).gain == gain);
  }
}

/* A double of any magnitude, by its bits. */
static double any_double(uint64_t *random) {
  for (;;) {
    const uint64_t bits = test_random(random);
    double x;
    memcpy(&x, &bits, sizeof x);
    if (isfinite(x)) return x;
  }
}

static double draw_number(uint64_t *random, const fanin__parameter *p) {
  if (p->most == INFINITY && test_random_below(random, 4) == 0) return test_random(random) & 1 ? INFINITY : -INFINITY;
  /* Now and then a number that has few digits. */
  const bool plain = test_random_below(random, 3) == 0;
  const double x = plain ? ((double)test_random_below(random, 4001) - 2000) / 100 : any_double(random);
  const double sized = fabs(x) <= p->most ? x : x / 1e250;
  return p->least >= 0 ? fabs(sized) : sized;
}

static void text_keeps_every_bit(void **state) {
  (void)state;
  uint64_t random = 20240229;
  size_t done = 0, plain = 0;
  while (done < 20000) {
    const fanin_kind kind = (fanin_kind)test_random_below(&random, FANIN_KIND_COUNT);
    const fanin__initializer *const initializer = fanin__initializer_of(kind);
    fanin_init init = initializer->defaults;
    for (const fanin__parameter *p = initializer->parameters; p->name; p++) {
      if (test_random_below(&random, 4) == 0) continue;
      size_t choices = 0;
      while (p->choices && p->choices[choices].name)
        choices++;
      char *const field = (char *)&init + p->offset;
      const int choice = choices > 0 ? p->choices[test_random_below(&random, choices)].value : 0;
      const double number = choices == 0 ? draw_number(&random, p) : 0;
      memcpy(field, choices > 0 ? (const void *)&choice : &number, choices > 0 ? sizeof choice : sizeof number);
    }
    if (fanin__check_init(&init, FANIN_STATUS_BAD_ARGUMENT) != FANIN_STATUS_OK)
      continue; /* a and b, lo and hi the wrong way round */
    char text[512];
    const size_t length = test_init_format(&init, text, sizeof text);
    assert_int_equal(length, strlen(text));
    assert_same(parsed(text), fanin__used_fields(initializer, &init), text); /* a field of 0 has its default */
    plain += strcmp(text, initializer->description.name) == 0;
    done++;
  }
  assert_in_range(plain, 1, done / 2);
}

static void canonical_text_is_short(void **state) {
  (void)state;
  const char *const rows[][2] = {
      {"glorot_uniform:gain=1.0", "xavier_uniform"},
      {"he_normal:mode=fan_out,a=2e-1", "he_normal:a=0.2,mode=fan_out"},
      {"pytorch_default", "he_uniform:a=2.23606797749979"},
      {"uniform:lo=-0.10,hi=100000", "uniform:lo=-0.1,hi=100000"},
      {"constant:value=-0", "constant:value=-0"},
      {"constant:value=1e22", "constant:value=1e+22"},
      {"constant:value=0.30000000000000004", "constant:value=0.30000000000000004"},
      {"trunc_normal:a=-inf,b=+inf,bounds=sigma,corrected=false", "trunc_normal:a=-inf,b=inf,corrected=false"},
      {"xavier_normal:gain=tanh,criterion=pytorch", "xavier_normal:gain=1.6666666666666667"},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const fanin_init init = parsed(rows[k][0]);
    char text[64] = "", cut[8];
    assert_int_equal(test_init_format(&init, text, sizeof text), strlen(rows[k][1]));
    assert_string_equal(text, rows[k][1]);
    assert_int_equal(test_init_format(&init, NULL, 0), strlen(rows[k][1]));
    assert_int_equal(test_init_format(&init, cut, sizeof cut), strlen(rows[k][1]));
    assert_true(strncmp(cut, text, 7) == 0 && cut[7] == '\0');
  }
  const fanin_init none = {.kind = FANIN_KIND_COUNT};
  char text[8] = "before";
  assert_status(fanin_init_format(&none, text, sizeof text, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_string_equal(text, "before");
}

/* {.kind = k} is what the kind's name says: a field that is 0 has its default. */
static void zeros_mean_defaults(void **state) {
  (void)state;
  for (int kind = 0; kind < FANIN_KIND_COUNT; kind++) {
    const fanin_init zeroed = {.kind = (fanin_kind)kind};
    fanin_tensor t = {.rank = 3, .shape = {6, 4, 2}, .layout = "OIW"};
    fanin_description d;
    fanin_moments by_zeros, by_name;
    char text[64];
    if (kind == FANIN_KIND_IDENTITY) memcpy(t.layout, "BOI", sizeof "BOI");
    assert_ok(fanin_describe(zeroed.kind, &d, sizeof d));
    (void)test_init_format(&zeroed, text, sizeof text);
    assert_string_equal(text, d.name);
    const fanin_init named = parsed(d.name);
    assert_ok(fanin_expect(&t, &zeroed, &by_zeros, sizeof by_zeros));
    assert_ok(fanin_expect(&t, &named, &by_name, sizeof by_name));
    assert_memory_equal(&by_zeros, &by_name, sizeof by_zeros);
    if (kind > FANIN_KIND_CONSTANT) assert_true(by_zeros.std > 0);
  }
  /* One end of an interval may be 0. */
  const fanin_init half = {.kind = FANIN_KIND_UNIFORM, .lo = -1}, cut = {.kind = FANIN_KIND_TRUNC_NORMAL, .b = 3};
  char text[64];
  (void)test_init_format(&half, text, sizeof text);
  assert_string_equal(text, "uniform:lo=-1,hi=0");
  (void)test_init_format(&cut, text, sizeof text);
  assert_string_equal(text, "trunc_normal:a=0,b=3");
}

/* In texts and constructors 0 is 0: what that makes has a name of its own. */
static void explicit_zeros_are_zeros(void **state) {
  (void)state;
  const struct {
    const char *text, *canonical;
    fanin_init made;
  } rows[] = {
      {"normal:std=0", "zeros", fanin_normal(0, 0)},
      {"normal:mean=3,std=0", "constant:value=3", fanin_normal(3, 0)},
      {"normal:mean=-0,std=0", "constant:value=-0", fanin_normal(-0.0, 0)},
      {"trunc_normal:mean=2,std=0", "constant:value=2", fanin_trunc_normal(2, 0, -1, 1)},
      {"uniform:lo=0,hi=0", "zeros", fanin_uniform(0, 0)},
      {"uniform:lo=2,hi=2", "constant:value=2", fanin_uniform(2, 2)},
      {"xavier_normal:gain=0", "zeros", fanin_xavier_normal(0)},
      {"identity:gain=-0", "zeros", fanin_identity(-0.0)},
      {"orthogonal:gain=0", "zeros", fanin_orthogonal(0)},
      {"hadamard:gain=0", "zeros", fanin_hadamard(0)},
      {"sinusoidal:gain=0", "zeros", fanin_zeros()},
      {"inv_freq:base=10000", "inv_freq", fanin_inv_freq(10000)},
      {"variance_scaling:scale=0", "zeros", fanin_variance_scaling(0, FANIN_MODE_FAN_AVG, FANIN_DISTRIBUTION_UNIFORM)},
      {"sparse:std=0", "zeros", fanin_sparse(0.5, 0)},
      {"sparse:sparsity=0,std=2", "normal:std=2", fanin_sparse(0, 2)},
      {"sparse:sparsity=0,std=0", "zeros", fanin_sparse(0, 0)},
      {"sparse:sparsity=0,connections=3", "sparse:connections=3", parsed("sparse:connections=3")},
      {"he_normal:a=0", "he_normal", fanin_he_normal(0, FANIN_MODE_FAN_IN)},
  };
  char text[64];
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const fanin_init init = parsed(rows[k].text);
    (void)test_init_format(&init, text, sizeof text);
    if (strcmp(text, rows[k].canonical) != 0) fail_msg("%s is %s, not %s", rows[k].text, text, rows[k].canonical);
    assert_true(same(&init, &rows[k].made));
  }
  /* A product that is too small for a double is 0, not the default. */
  const fanin_init tiny = fanin_xavier_normal(1e-300);
  fanin_init scaled;
  assert_ok(fanin_init_scaled(&tiny, 1e-300, &scaled));
  assert_int_equal(scaled.kind, FANIN_KIND_ZEROS);
}

static void reserved_words_are_refused(void **state) {
  (void)state;
  const fanin_tensor t = {.rank = 1, .shape = {3}};
  fanin_init init = fanin_normal(0, 1);
  fanin_moments moments;
  init.reserved[0] = 1;
  assert_status(fanin_expect(&t, &init, &moments, sizeof moments), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "newer header"));
}

/* Texts, and what is said of each. */
static const struct {
  const char *text, *said[3];
} bad_texts[] = {
    {"", {"''", "he_normal", "kaiming_uniform"}},
    {"he_norml", {"'he_norml'", "did you mean he_normal?", "trunc_normal"}},
    {"He_Norml", {"'He_Norml'", "did you mean he_normal?", "dirac"}},
    {"kaiming_unifrom", {"did you mean kaiming_uniform?", "zeros", "dirac"}},
    {"orthonormal", {"'orthonormal'; there are", "zeros", "pytorch_default"}},
    {" he_normal", {"' he_normal'", "he_normal", "dirac"}},
    {"he_normal:", {"he_normal: expected name=value after ':', got ''", "", ""}},
    {"he_normal:a", {"expected name=value after ':', got 'a'", "", ""}},
    {"he_normal:=1", {"expected name=value after ':', got '=1'", "", ""}},
    {"he_normal:a=1,", {"expected name=value after ',', got ''", "", ""}},
    {"he_normal:a=1,,mode=fan_in", {"expected name=value after ',', got ''", "", ""}},
    {"he_normal:mdoe=fan_in", {"'mdoe'", "did you mean mode? Accepted are a, mode, distribution", ""}},
    {"he_normal:distribution=trunc", {"'trunc'; accepted are normal, trunc_normal", "", ""}},
    {"he_normal:gain=2", {"'gain'", "he_normal", "a, mode, distribution"}},
    {"he_normal: a=1", {"' a'", "a, mode, distribution", ""}},
    {"he_uniform:distribution=normal", {"'distribution'", "a, mode", ""}},
    {"xavier_normal:a=1", {"'a'", "gain, distribution, criterion, slope", ""}},
    {"zeros:value=1", {"'value'", "none", "zeros"}},
    {"he_normal:a=1,mode=fan_in,a=1", {"a is given twice", "he_normal", ""}},
    {"he_normal:a=", {"a is ''", "number", ""}},
    {"he_normal:a=1x", {"'1x'", "number", ""}},
    {"he_normal:a= 1", {"' 1'", "number", ""}},
    {"he_normal:a=1 ", {"'1 '", "number", ""}},
    {"he_normal:a=0,5", {"'5'", "name=value", ""}},
    {"he_normal:a=--1", {"'--1'", "number", ""}},
    {"he_normal:a=0x", {"'0x'", "number", ""}},
    {"he_normal:a=.", {"'.'", "number", ""}},
    {"he_normal:a=nan", {"'nan'", "number", ""}},
    {"he_normal:a=inf", {"'inf'", "-1e+100 to 1e+100", ""}},
    {"constant:value=1e999", {"'1e999'", "finite", ""}},
    {"constant:value=-inf", {"'-inf'", "finite", ""}},
    {"trunc_normal:a=infinity", {"'infinity'", "inf", ""}},
    {"trunc_normal:b=1e999", {"'1e999'", "inf", ""}},
    {"trunc_normal:b=nan", {"'nan'", "inf", ""}},
    {"normal:std=-1", {"std is '-1'", "0 or more", ""}},
    {"variance_scaling:scale=-2", {"scale is '-2'", "0 or more", ""}},
    {"variance_scaling:distribution=gauss", {"'gauss'", "uniform, normal, trunc_normal", ""}},
    {"he_normal:distribution=uniform", {"'uniform'", "accepted are normal, trunc_normal", ""}},
    {"he_normal:mode=fan", {"'fan'", "fan_in, fan_out, fan_avg, fan_geo", ""}},
    {"he_normal:mode=fan_inn", {"mode is 'fan_inn', did you mean fan_in? Accepted are fan_in, fan_out,", "", ""}},
    {"trunc_normal:bounds=std", {"'std'", "sigma, absolute", ""}},
    {"trunc_normal:corrected=1", {"'1'", "false, true", ""}},
    {"trunc_normal:a=2,b=1", {"a is 2", "b is 1", ""}},
    {"trunc_normal:a=3", {"a is 3", "b is 2", ""}},
    {"uniform:lo=2", {"lo is 2", "hi is 1", ""}},
    {"log_uniform:lo=0", {"lo is '0'", "above 0", ""}},
    {"log_uniform:lo=0.2", {"lo is 0.2", "hi is 0.1", ""}},
    {"log_uniform:floor=0.2", {"floor is 0.2", "hi is 0.1", ""}},
    {"sinusoidal:form=halfs", {"'halfs', did you mean halves?", "interleaved, halves, tensor2tensor", ""}},
    {"inv_freq:base=0.5", {"base is '0.5'", "from 1 to", ""}},
    {"alibi:base=2", {"no parameter 'base'", "gain", ""}},
    {"ramp:exponent=0", {"exponent is '0'", "above 0", ""}},
    {"ramp:exponent=16", {"exponent is '16'", "15", ""}},
    {"ramp:period=2.5", {"period is 2.5", "a whole number", ""}},
    {"ramp:shift=3", {"shift is 3", "a whole number below period, 3", ""}},
    {"ramp:shift=0.5", {"shift is 0.5", "a whole number", ""}},
    {"ramp:lo=-1e308,hi=1e308", {"lo is -1e+308", "whose sum is finite", ""}},
    {"ramp:half_open=1", {"'1'", "false, true", ""}},
    {"log_uniform:inverse_softplus=yes", {"'yes'", "false, true", ""}},
    {"xavier_uniform:gain=-1", {"gain is '-1'", "0 or more", ""}},
    {"xavier_uniform:gain=", {"gain is ''", "activation", ""}},
    {"xavier_uniform:gain=swich", {"'swich', did you mean swish?", "silu", "xavier_uniform"}},
    {"xavier_uniform:gain=inf", {"'inf'", "activation", ""}},
    {"xavier_uniform:gain=nan", {"'nan'", "", ""}},
    {"xavier_uniform:gain=gelu,criterion=pytorch", {"gelu", "calculate_gain", ""}},
    {"xavier_uniform:gain=gelu,criterion=torch", {"'torch'", "second_moment, variance, pytorch", ""}},
    {"xavier_uniform:gain=2,criterion=variance", {"criterion", "activation", ""}},
    {"xavier_uniform:slope=0.1", {"slope", "activation", ""}},
    {"xavier_uniform:gain=tanh,slope=0.1", {"slope", "'tanh'", "leaky_relu"}},
    {"xavier_uniform:gain=leaky_relu,slope=inf", {"'inf'", "slope", ""}},
    {"xavier_uniform:gain=relu,gain=1", {"gain is given twice", "", ""}},
};

static void bad_texts_are_explained(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof bad_texts / sizeof *bad_texts; k++) {
    fanin_init init = {.kind = FANIN_KIND_DIRAC, .value = 4};
    assert_status(fanin_init_parse(bad_texts[k].text, &init), FANIN_STATUS_BAD_TEXT);
    assert_true(init.kind == FANIN_KIND_DIRAC && init.value == 4);
    for (size_t n = 0; n < 3; n++) {
      if (!strstr(fanin_last_error(), bad_texts[k].said[n]))
        fail_msg("%s: no \"%s\" in: %s", bad_texts[k].text, bad_texts[k].said[n], fanin_last_error());
    }
  }
}

/* One slip in short words, two in others, in either case; the first of equals. */
static void near_names_are_found(void **state) {
  (void)state;
  static const char *const names[] = {"f32", "probe", "devices", "PROBER", "O"};
  static const struct {
    const char *name;
    size_t nearest;
  } rows[] = {{"f32", 0},
              {"f36", 0},
              {"f", 5},
              {"i33", 5},
              {"porbe", 1},
              {"PRBE", 1},
              {"prober", 3},
              {"prob", 1},
              {"pro", 5},
              {"devicse", 2},
              {"evicees", 2},
              {"dvces", 2},
              {"dvce", 5},
              {"", 5},
              {"o", 4},
              {"x", 5},
              {"a_name_of_more_than_thirty_one_characters", 5}};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    size_t nearest = 99;
    assert_ok(fanin_nearest_name(rows[k].name, names, 5, &nearest));
    if (nearest != rows[k].nearest) fail_msg("%s: %zu, not %zu", rows[k].name, nearest, rows[k].nearest);
  }
  size_t none = 99;
  assert_ok(fanin_nearest_name("f32", NULL, 0, &none));
  assert_int_equal(none, 0);
  assert_status(fanin_nearest_name("f32", NULL, 1, &none), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_nearest_name(NULL, names, 5, &none), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_nearest_name("f32", names, 5, NULL), FANIN_STATUS_BAD_ARGUMENT);
}

/* A text of any length is refused without harm. */
static void long_texts_are_refused(void **state) {
  (void)state;
  static char text[5000];
  fanin_init init;
  memset(text, 'h', sizeof text - 1);
  assert_status(fanin_init_parse(text, &init), FANIN_STATUS_BAD_TEXT);
  memcpy(text, "normal:std=0.", 13);
  memset(text + 13, '1', sizeof text - 14);
  assert_status(fanin_init_parse(text, &init), FANIN_STATUS_BAD_TEXT);
  memcpy(text, "xavier_normal:gain=g", 20);
  assert_status(fanin_init_parse(text, &init), FANIN_STATUS_BAD_TEXT);
  memcpy(text,
         "normal:std=....................................................................................."
         "........................................................................",
         160);
  assert_status(fanin_init_parse(text, &init), FANIN_STATUS_BAD_TEXT);
}

/* A comma for a decimal point is the locale's affair and not ours. CMake makes such a locale, where it can; otherwise
 * one that is installed will do, and the test is skipped without any. */
static void locale_does_not_matter(void **state) {
  (void)state;
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "de_DE", "ps_AF.UTF-8"};
  const char *found = NULL;
  for (size_t k = 0; k < sizeof names / sizeof *names && !found; k++)
    found = setlocale(LC_NUMERIC, names[k]);
  if (!found) {
    print_message("no locale with a decimal comma\n");
    skip();
  }
  char comma[16], text[64];
  snprintf(comma, sizeof comma, "%.1f", 0.5);
  fanin_init init;
  const fanin_status status = fanin_init_parse("normal:mean=-1.5e-3,std=0.25", &init);
  test_init_format(&init, text, sizeof text);
  setlocale(LC_NUMERIC, "C");
  assert_string_not_equal(comma, "0.5");
  assert_ok(status);
  assert_true(init.mean == -1.5e-3 && init.std == 0.25);
  assert_string_equal(text, "normal:mean=-0.0015,std=0.25");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(descriptions_agree_with_the_table),
      cmocka_unit_test(text_means_what_constructors_say),
      cmocka_unit_test(named_gains_are_gains),
      cmocka_unit_test(text_keeps_every_bit),
      cmocka_unit_test(canonical_text_is_short),
      cmocka_unit_test(zeros_mean_defaults),
      cmocka_unit_test(explicit_zeros_are_zeros),
      cmocka_unit_test(reserved_words_are_refused),
      cmocka_unit_test(bad_texts_are_explained),
      cmocka_unit_test(near_names_are_found),
      cmocka_unit_test(long_texts_are_refused),
      cmocka_unit_test(locale_does_not_matter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
