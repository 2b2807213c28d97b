/* Activations in double and what follows from them: expectations over N(0,1) and gains. Nothing here calls a libm's
 * exp, tanh or erf, whose last digits differ from host to host, because weights follow from gains. */
#include "math/activation.h"

#include <math.h>

#include "core/argument.h"
#include "core/names.h"
#include "fanin/init.h"
#include "math/normal.h"
#include "math/quadrature.h"

/* ---- The functions ----------------------------------------------------------------------------------------------- */

/* e^x - 1 without loss near 0: the rounding of e^x divides out (Kahan). */
static double exp_minus_1(double x) {
  const double e = fanin__exp(x);
  if (e == 1) return x;
  return e > 0.4 && e < 2 ? (e - 1) * (x / fanin__log(e)) : e - 1;
}

/* Near 0 by Lambert's continued fraction x / (1 + x^2 / (3 + x^2 / (5 + ...))). */
static double tanh_of(double x) {
  if (fabs(x) < 0.5) {
    double fraction = 17;
    for (int n = 15; n >= 1; n -= 2)
      fraction = n + x * x / fraction;
    return x / fraction;
  }
  const double e = fanin__exp(-2 * fabs(x)), magnitude = (1 - e) / (1 + e);
  return x < 0 ? -magnitude : magnitude;
}

/* ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|). */
static double softplus_of(double x) {
  const double e = fanin__exp(-fabs(x)), sum = 1 + e;
  const double rest = sum == 1 ? e : fanin__log(sum) * (e / (sum - 1));
  return x > 0 ? x + rest : rest;
}

static double logistic(double x) {
  return 1 / (1 + fanin__exp(-x));
}

/* Its derivative, which is even. */
static double logistic_slope(double x) {
  const double e = fanin__exp(-fabs(x));
  return e / ((1 + e) * (1 + e));
}

/* (x tanh s)' = tanh s + x logistic(x) / cosh^2 s, s = softplus(x) */
static double mish_slope(double x) {
  const double s = softplus_of(x);
  return tanh_of(s) + x * logistic(x) * 4 * logistic_slope(2 * s);
}

static double hardswish_of(double x) {
  return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
}

/* pi in two parts; the first has 33 bits, so that its products with numbers of turns are exact. */
#define PI_HIGH 0x1.921fb544p+1
#define PI_LOW  0x1.0b4611a626331p-33

/* sin(x + shift pi), shift 0 or 1/2: by Taylor's series, to the 21st power, of what x is past a multiple of pi. No C
 * library's fma() is called: mingw-w64's rounds twice. */
static double wave(double x, double shift) {
  const double turns = floor(x / (PI_HIGH + PI_LOW) + shift + 0.5) - shift;
  const double rest = (x - turns * PI_HIGH) - turns * PI_LOW;
  double term = rest, sum = rest;
  for (int n = 2; n <= 20; n += 2) {
    term *= -rest * rest / (n * (n + 1));
    sum += term;
  }
  return fmod(turns + shift, 2) != 0 ? -sum : sum;
}

/* Klambauer et al. 2017, equation 2. */
#define SELU_LAMBDA 1.0507009873554804934
#define SELU_ALPHA  1.6732632423543772848

#define SQRT_2         1.4142135623730950488
#define SQRT_2_OVER_PI 0.79788456080286535588

static double gelu_argument(double x) {
  return 2 * SQRT_2_OVER_PI * (x + 0.044715 * x * x * x);
}

static double gelu_argument_slope(double x) {
  return 2 * SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x * x);
}

#define SMOOTH (.odd = false) /* none of the facts applies */

/* name, gain of torch.nn.init.calculate_gain (0: none, or not a constant), facts, the function of x and slope, its
 * derivative (at a kink, the one on the left). kernels/lib/activation.clh has the same functions in f32, by the same
 * names. gelu is x P(Z < x). gelu_tanh is written with (1 + tanh u) / 2 = 1 / (1 + e^-2u), which loses no digits. */
#define ACTIVATION_MAP(XX)                                                                                             \
  XX(linear, 1, (.odd = true, .homogeneous = true), x, 1)                                                              \
  XX(relu, SQRT_2, (.homogeneous = true, .has_zero = true), x > 0 ? x : 0, x > 0 ? 1 : 0)                              \
  XX(leaky_relu, 0, (.homogeneous = true, .sloped = true), x > 0 ? x : slope * x, x > 0 ? 1 : slope)                   \
  XX(tanh, 5.0 / 3, (.odd = true, .saturated_below = -2.0845033259138294, .saturated_above = 2.0845033259138294),      \
     tanh_of(x), 4 * logistic_slope(2 * x))                                                                            \
  XX(sigmoid, 1, (.saturated_below = -4.1690066518276589, .saturated_above = 4.1690066518276589), logistic(x),         \
     logistic_slope(x))                                                                                                \
  XX(selu, 0.75, SMOOTH, (x > 0 ? x : SELU_ALPHA * exp_minus_1(x)) * SELU_LAMBDA,                                      \
     (x > 0 ? 1 : SELU_ALPHA * fanin__exp(x)) * SELU_LAMBDA)                                                           \
  XX(elu, 0, SMOOTH, x > 0 ? x : exp_minus_1(x), x > 0 ? 1 : fanin__exp(x))                                            \
  XX(gelu, 0, SMOOTH, fanin__normal_tail_fast(-x) * x, fanin__normal_tail_fast(-x) + x * fanin__normal_pdf(x))         \
  XX(gelu_tanh, 0, SMOOTH, x / (1 + fanin__exp(-gelu_argument(x))),                                                    \
     logistic(gelu_argument(x)) + x * logistic_slope(gelu_argument(x)) * gelu_argument_slope(x))                       \
  XX(silu, 0, SMOOTH, x / (1 + fanin__exp(-x)), logistic(x) + x * logistic_slope(x))                                   \
  XX(mish, 0, SMOOTH, tanh_of(softplus_of(x)) * x, mish_slope(x))                                                      \
  XX(softplus, 0, SMOOTH, softplus_of(x), logistic(x))                                                                 \
  XX(softsign, 0, (.odd = true, .saturated_below = -3.0824829046386302, .saturated_above = 3.0824829046386302),        \
     x / (1 + fabs(x)), 1 / ((1 + fabs(x)) * (1 + fabs(x))))                                                           \
  XX(hardswish, 0, (.kinks = {-3, 3}, .has_zero = true, .zero = -3), hardswish_of(x),                                  \
     x <= -3 ? 0                                                                                                       \
     : x > 3 ? 1                                                                                                       \
             : (2 * x + 3) / 6)                                                                                        \
  XX(relu2, 0, (.has_zero = true), x > 0 ? x * x : 0, x > 0 ? 2 * x : 0)                                               \
  XX(relu6, 0, (.kinks = {6}, .saturated_above = 6, .has_zero = true), x > 0 ? fmin(x, 6) : 0, x > 0 && x <= 6)        \
  XX(hardtanh, 0, (.odd = true, .kinks = {-1, 1}, .saturated_below = -1, .saturated_above = 1), fmax(-1, fmin(x, 1)),  \
     x > -1 && x <= 1)                                                                                                 \
  XX(sin, 0, (.odd = true, .sinusoid = true), wave(x, 0), wave(x, 0.5))                                                \
  XX(quick_gelu, 0, SMOOTH, x / (1 + fanin__exp(-1.702 * x)),                                                          \
     logistic(1.702 * x) + 1.702 * x * logistic_slope(1.702 * x))

#define DEFINE(name, torch_gain, facts, expression, derivative)                                                        \
  static double activation_##name(double x, double slope) {                                                            \
    (void)slope;                                                                                                       \
    return expression;                                                                                                 \
  }                                                                                                                    \
  static double slope_of_##name(double x, double slope) {                                                              \
    (void)x;                                                                                                           \
    (void)slope;                                                                                                       \
    return derivative;                                                                                                 \
  }
ACTIVATION_MAP(DEFINE)

#define FACTS(...)                                                                                                     \
  { __VA_ARGS__ }
#define OPTIONS(name) "-D activation=of_" #name " -D derivative=slope_of_" #name
#define ROW(name, torch_gain, facts, expression, derivative)                                                           \
  {#name, OPTIONS(name), activation_##name, slope_of_##name, torch_gain, FACTS facts},
static const fanin__activation activations[] = {ACTIVATION_MAP(ROW)};
enum { ACTIVATION_COUNT = sizeof activations / sizeof *activations };

/* What libraries of models call some of them. */
static const struct {
  const char *alias, *name;
} aliases[] = {{"swish", "silu"}, {"gelu_new", "gelu_tanh"}, {"gelu_pytorch_tanh", "gelu_tanh"}};

/* Gated units and what gates them (Shazeer 2020, equations 5 and 6). */
static const struct {
  const char *name, *activation;
} gated_units[] = {{"glu", "sigmoid"}, {"bilinear", "linear"},      {"reglu", "relu"},
                   {"geglu", "gelu"},  {"geglu_tanh", "gelu_tanh"}, {"swiglu", "silu"}};
enum { GATED_UNITS = sizeof gated_units / sizeof *gated_units };

/* What gates the unit of this name; NULL: there is no such unit. */
static const char *gate_of(const char *name) {
  for (size_t k = 0; k < GATED_UNITS; k++) {
    if (fanin__same_name(fanin__span_of(name), fanin__span_of(gated_units[k].name))) return gated_units[k].activation;
  }
  return NULL;
}

const fanin__activation *fanin__activation_at(size_t k) {
  return k < ACTIVATION_COUNT ? &activations[k] : NULL;
}

const fanin__activation *fanin__activation_find(const char *name) {
  fanin__span wanted = fanin__span_of(name);
  fanin__known known = fanin__known_for(wanted);
  for (size_t k = 0; k < sizeof aliases / sizeof *aliases; k++) {
    fanin__known_hint(&known, fanin__span_of(aliases[k].alias));
    if (fanin__same_name(wanted, fanin__span_of(aliases[k].alias))) wanted = fanin__span_of(aliases[k].name);
  }
  for (size_t k = 0; k < ACTIVATION_COUNT; k++) {
    if (fanin__same_name(wanted, fanin__span_of(activations[k].name))) return &activations[k];
    fanin__known_add(&known, fanin__span_of(activations[k].name));
  }
  if (gate_of(name)) {
    fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "'%.64s' is a gated unit, which a probe takes; its activation is %s", name,
                gate_of(name));
    return NULL;
  }
  for (size_t k = 0; k < GATED_UNITS; k++) {
    fanin__known_hint(&known, fanin__span_of(gated_units[k].name));
  }
  fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "no activation is called '%.64s'%s", name,
              fanin__known_text(&known, "there are"));
  return NULL;
}

fanin_status fanin__activation_of(const char *name, double slope, const fanin__activation **out) {
  const fanin__activation *const found = fanin__activation_find(name);
  if (!found) return FANIN_STATUS_BAD_ARGUMENT;
  if (found->facts.sloped && !(fabs(slope) <= 1e100)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "slope is %g; %s takes a finite one of at most 1e100", slope,
                       found->name);
  }
  *out = found;
  return FANIN_STATUS_OK;
}

fanin_status fanin__unit_of(const char *name, double slope, fanin__unit *out) {
  const char *const gate = gate_of(name);
  *out = (fanin__unit){.gated = gate};
  return fanin__activation_of(gate ? gate : name, slope, &out->activation);
}

double fanin__zero_below(const fanin__activation *activation, double slope) {
  const fanin__facts *const facts = &activation->facts;
  if (facts->sloped && slope == 0) return 0;
  return facts->has_zero ? facts->zero : NAN;
}

void fanin__saturation(const fanin__activation *activation, double *below, double *above) {
  const fanin__facts *const facts = &activation->facts;
  *below = facts->saturated_below != 0 ? facts->saturated_below : -INFINITY;
  *above = facts->saturated_above != 0 ? facts->saturated_above : INFINITY;
}

size_t fanin__kink_distances(const fanin__activation *activation, double out[FANIN__MAX_KINKS]) {
  size_t n = 0;
  for (size_t k = 0; k < FANIN__MAX_KINKS; k++) {
    const double distance = fabs(activation->facts.kinks[k]);
    if (distance == 0 || (n > 0 && out[0] == distance)) continue;
    out[n++] = distance;
  }
  if (n == 2 && out[0] > out[1]) {
    const double larger = out[0];
    out[0] = out[1];
    out[1] = larger;
  }
  return n;
}

/* ---- Gains ------------------------------------------------------------------------------------------------------- */

typedef struct centred {
  const fanin__activation *activation;
  double slope, centre;
  int power;
} centred;

/* (phi(z) - centre)^power, power 1 or 2 */
static double centred_power(double z, void *context) {
  const centred *c = context;
  const double value = c->activation->f(z, c->slope) - c->centre;
  return c->power == 2 ? value * value : value;
}

static double expectation(centred c) {
  double kinks[FANIN__MAX_KINKS];
  const size_t n = fanin__kink_distances(c.activation, kinks);
  return fanin__expectation(centred_power, &c, kinks, n);
}

/* x > 0 to 40 significant bits, so that exact gains are exact (linear: 1) and a better quadrature, whose last bits
 * differ, keeps the bits of every weight. */
static double rounded(double x) {
  int exponent;
  const double scaled = ldexp(frexp(x, &exponent), 40);
  return ldexp((double)(int64_t)(scaled + 0.5), exponent - 40);
}

fanin_status fanin_gain(const char *activation, double slope, fanin_criterion criterion, double *gain) {
  const fanin__activation *found = NULL;
  FANIN__NEED(activation, gain);
  FANIN__TRY(fanin__activation_of(activation, slope, &found));
  const bool sloped = found->facts.sloped;
  switch (criterion) {
  case FANIN_CRITERION_SECOND_MOMENT:
    *gain = rounded(1 / sqrt(expectation((centred){found, slope, 0, 2})));
    return FANIN_STATUS_OK;
  case FANIN_CRITERION_VARIANCE:
    *gain = rounded(1 / sqrt(expectation((centred){found, slope, expectation((centred){found, slope, 0, 1}), 2})));
    return FANIN_STATUS_OK;
  case FANIN_CRITERION_PYTORCH:
    if (!sloped && found->torch_gain == 0) {
      return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                         "torch.nn.init.calculate_gain has no gain for %s; use the second_moment or variance criterion",
                         found->name);
    }
    *gain = sloped ? sqrt(2 / (1 + slope * slope)) : found->torch_gain;
    return FANIN_STATUS_OK;
  }
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                     "criterion is %d; FANIN_CRITERION_SECOND_MOMENT, FANIN_CRITERION_VARIANCE and "
                     "FANIN_CRITERION_PYTORCH are accepted",
                     (int)criterion);
}
