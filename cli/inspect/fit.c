/* Which law a tensor's values look like, where nothing says which they should follow.
 *
 * The parameters of each family are estimated, and the family whose classes fit best is taken, if it fits at all. The
 * parameters of a normal are estimated from the classes by minimum chi-square: then X^2 loses exactly one degree of
 * freedom for each parameter (Fisher 1924), which it would not with the moments of the sample (Chernoff & Lehmann
 * 1954). The ends of a uniform, and of the uniform of which a log-uniform is the exponential, are its extremes, moved
 * out by the mean gap between values. They err by 1/n and cost no degree of freedom. */
#include "inspect/fit.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/args.h"
#include "base/dtype.h"
#include "init/common.h"
#include "inspect/bins.h"
#include "inspect/chance.h"

/* What is fitted to. */
typedef struct sample {
  const fanin_stats *stats; /* all of it finite */
  fanin_dtype dtype;
  const uint64_t *counts; /* by bin */
  double n;
} sample;

/* A family of laws, of which a fit finds the parameters. */
typedef struct family {
  const char *name;
  fanin_law_kind kind;
  fit (*fit)(const struct family *f, const sample *s);
  double (*drawn)(double), (*value)(double); /* what a value was before it became one, and back, if it has two ends */
  double cut, kept;                          /* in sigma; the std of N(0,1) that is cut there */
  bool positive; /* its values are; only tried where no other family fits: over a short range it looks like a uniform */
} family;

/* ---- By the moments: a normal, or one that is cut ---------------------------------------------------------------- */

static fanin_law law_of(const family *f, double mean, double std) {
  const double reach = f->cut * std;
  return (fanin_law){.kind = f->kind, .lo = mean - reach, .hi = mean + reach, .mean = mean, .std = std};
}

static void expect(const fanin_law *law, fanin_dtype dtype, classes *c) {
  classes_expect(&(binned_law){law, dtype, false}, c);
}

/* How the probabilities of the classes change with mean and std, both in units of std: differences over 2 h. */
static void slopes(const family *f, double mean, double std, fanin_dtype dtype, const classes *c,
                   double slope[2][MOST_CLASSES]) {
  const double h = 1e-4;
  classes up = *c, down = *c;
  for (int parameter = 0; parameter < 2; ++parameter) {
    const double to_mean = parameter == 0 ? h : 0, to_std = parameter == 1 ? h : 0;
    const fanin_law higher = law_of(f, mean + to_mean * std, std * (1 + to_std));
    const fanin_law lower = law_of(f, mean - to_mean * std, std * (1 - to_std));
    expect(&higher, dtype, &up);
    expect(&lower, dtype, &down);
    for (int k = 0; k < c->count; ++k)
      slope[parameter][k] = (up.expected[k] - down.expected[k]) / (2 * h);
  }
}

/* Steps of the two parameters by Gauss and Newton's method towards the least X^2. */
static fanin_law least_chi_square(const family *f, double mean, double std, const sample *s, classes *c) {
  double slope[2][MOST_CLASSES];
  for (int step = 0; step < 12; ++step) {
    const fanin_law law = law_of(f, mean, std);
    expect(&law, s->dtype, c);
    slopes(f, mean, std, s->dtype, c, slope);
    double a00 = 0, a01 = 0, a11 = 0, r0 = 0, r1 = 0;
    for (int k = 0; k < c->count; ++k) {
      if (!(c->expected[k] > 0)) continue;
      const double weight = 1 / c->expected[k], excess = c->counted[k] / s->n - c->expected[k];
      a00 += weight * slope[0][k] * slope[0][k];
      a01 += weight * slope[0][k] * slope[1][k];
      a11 += weight * slope[1][k] * slope[1][k];
      r0 += weight * slope[0][k] * excess;
      r1 += weight * slope[1][k] * excess;
    }
    const double det = a00 * a11 - a01 * a01;
    if (!(det > 1e-12)) break;
    const double to_mean = (r0 * a11 - r1 * a01) / det, to_std = (r1 * a00 - r0 * a01) / det;
    mean += fmax(fmin(to_mean, 0.2), -0.2) * std;
    std *= 1 + fmax(fmin(to_std, 0.2), -0.2);
    if (fabs(to_mean) + fabs(to_std) < 1e-7) break;
  }
  return law_of(f, mean, std);
}

/* X^2 of a law. So many parameters were estimated from the classes, and `lost` degrees of freedom are missing besides.
 */
static fit judge(const family *f, const fanin_law *law, int estimated, double lost, const sample *s, classes *c) {
  const int degrees = c->count - 1 - estimated;
  fit out = {.outcome = FIT_LAW, .name = f->name, .law = *law, .z = DEVIATE_MOST, .degrees = degrees - lost};
  if (degrees < 3) return out;
  expect(law, s->dtype, c);
  out.chi_square = classes_chi_square(c, s->n);
  if (isfinite(out.chi_square)) out.z = chi_square_deviate(out.chi_square, out.degrees);
  out.score = out.z;
  out.distance = classes_distance(c, s->n, &out.most);
  return out;
}

/* Counts the elements that lie outside the law's bounds by more than `slack`. Of a normal, about 3 % do; of a normal
 * whose values were redrawn up to four times, 4e-6. */
static double outside(const fanin_law *law, double slack, const sample *s) {
  double sum = 0;
  for (uint32_t bin = 0; bin < FANIN_BINS; ++bin) {
    double least, most;
    if (s->counts[bin] == 0) continue;
    fanin_bin_numbers(s->dtype, bin, &least, &most);
    if (least > law->hi + slack || most < law->lo - slack) sum += (double)s->counts[bin];
  }
  return sum;
}

/* How early the tails stop. It tells a normal from a truncated one where classes cannot. */
static double early_stop(const fanin_law *law, const sample *s) {
  const binned_law l = {law, s->dtype, false};
  return -fmin(extreme_deviate(&l, s->stats->min, 0, s->n), extreme_deviate(&l, s->stats->max, 1, s->n));
}

/* The ends of a cut normal may err by ten times what the standard error of the std, about 0.7 / sqrt(n), moves them. */
static fit fit_moments(const family *f, const sample *s) {
  classes c;
  const double std = s->stats->std / f->kept;
  const fanin_law start = law_of(f, s->stats->mean, std);
  classes_make(&(binned_law){&start, s->dtype, false}, s->counts, s->n, &c);
  const fanin_law law = least_chi_square(f, s->stats->mean, std, s, &c);
  fit out = judge(f, &law, 2, 0, s, &c);
  if (isinf(f->cut)) {
    out.score = fmax(out.z, early_stop(&law, s));
  } else {
    out.slack = 14 * law.std / sqrt(s->n);
    const double beyond = outside(&law, out.slack, s);
    if (beyond > 0) out.score = fmax(out.score, FIT_BOUND); /* another family that fits is likelier */
    if (beyond > 3 + 2e-5 * s->n) out.score = DEVIATE_MOST;
  }
  return out;
}

/* ---- By the extremes: a uniform, or what a function makes of one ------------------------------------------------- */

static double same(double x) {
  return x;
}

/* The share of the values that are equal to an extreme. In f32 and f64 a single value is. */
static double share_of(double extreme, const sample *s) {
  uint32_t bin = 0;
  double least, most;
  if (!dtype_is_narrow(s->dtype)) return 1 / s->n;
  for (; bin < FANIN_BINS - 1; ++bin) {
    fanin_bin_numbers(s->dtype, bin, &least, &most);
    if (s->counts[bin] > 0 && least == extreme) break;
  }
  return (double)s->counts[bin] / s->n;
}

/* The share of the values that are neither the least nor the greatest lies between the numbers that round to these.
 * Where an extreme is a class of its own, its count was fitted and not tested, so that a part of a degree of freedom is
 * lost. */
static fit fit_ends(const family *f, const sample *s) {
  const bool narrow = dtype_is_narrow(s->dtype); /* steps are wider than gaps between values */
  const double at_min = share_of(s->stats->min, s), at_max = share_of(s->stats->max, s);
  double low[2], high[2];
  classes c;
  rounded_from(s->dtype, s->stats->min, &low[0], &low[1]);
  rounded_from(s->dtype, s->stats->max, &high[0], &high[1]);
  if (!(at_min + at_max < 0.9)) return (fit){.z = DEVIATE_MOST};
  for (int k = 0; k < 2; ++k) {
    low[k] = f->drawn(low[k]);
    high[k] = f->drawn(high[k]);
  }
  const double range = (high[0] - low[1]) / (1 - at_min - at_max);
  const double from = narrow ? fmax(low[1] - at_min * range, low[0]) : f->drawn(s->stats->min) - range / s->n;
  const double to = narrow ? fmin(high[0] + at_max * range, high[1]) : f->drawn(s->stats->max) + range / s->n;
  fanin_law law = {.kind = f->kind, .lo = f->value(from), .hi = f->value(to)};
  law.from = law.lo;
  law.to = law.hi;
  classes_make(&(binned_law){&law, s->dtype, false}, s->counts, s->n, &c);
  const double lost = fmin(at_min / c.expected[0], 1) + fmin(at_max / c.expected[c.count - 1], 1);
  fit out = judge(f, &law, 0, lost, s, &c);
  out.ends = true;
  return out;
}

/* ---- All of them ------------------------------------------------------------------------------------------------- */

static const family families[] = {
    {.name = "uniform", .kind = FANIN_LAW_KIND_UNIFORM, .fit = fit_ends, .drawn = same, .value = same},
    {.name = "normal", .kind = FANIN_LAW_KIND_NORMAL, .fit = fit_moments, .cut = INFINITY, .kept = 1},
    {.name = "truncated normal",
     .kind = FANIN_LAW_KIND_TRUNC_NORMAL,
     .fit = fit_moments,
     .cut = 2,
     .kept = 0.87962566103423978},
    {.name = "log-uniform",
     .kind = FANIN_LAW_KIND_LOG_UNIFORM,
     .fit = fit_ends,
     .drawn = log,
     .value = exp,
     .positive = true}};

fit fit_values(const fanin_stats *stats, fanin_dtype dtype, const uint64_t *counts) {
  const double n = (double)(stats->count - stats->nonfinite), zeros = (double)counts[0x7fff] + (double)counts[0x8000];
  const sample s = {stats, dtype, counts, n};
  fit best = {.outcome = FIT_OTHER, .name = "other", .score = DEVIATE_MOST};
  if (n > 0 && stats->min == stats->max) return (fit){.outcome = FIT_CONSTANT, .name = "constant"};
  if (n < FIT_LEAST) return (fit){.outcome = FIT_FEW, .name = "too few to tell"};
  if (zeros > n / 2) return (fit){.outcome = FIT_SPARSE, .name = "mostly zeros"};
  for (size_t k = 0; k < sizeof families / sizeof *families; ++k) {
    const family *f = &families[k];
    if (f->positive && (best.outcome == FIT_LAW || !(stats->min > 0))) continue;
    const fit tried = f->fit(f, &s);
    if (tried.z <= FIT_BOUND && tried.score < best.score) best = tried;
  }
  return best;
}

/* ---- Which well-known initializer a std resembles, from the tensor's name and shape alone ------------------------ */

/* Names of tensors whose uniform bound in PyTorch is 1 / sqrt(fan_in) of another one: where the last of `part` in the
 * name is replaced by `other`. The recurrent layers' fan_in is the hidden size. */
static const struct {
  const char *name, *fan, *part, *other;
} siblings[] = {{"PyTorch's default of a bias", "fan_in", "bias", "weight"},
                {"PyTorch's default of recurrent layers", "hidden", "weight_ih", "weight_hh"},
                {"PyTorch's default of recurrent layers", "hidden", "bias_ih", "weight_hh"},
                {"PyTorch's default of recurrent layers", "hidden", "bias_hh", "weight_hh"}};

static bool is_sibling(const stored_tensor *t, const char *at, size_t part, const char *other, const stored_tensor *w) {
  const size_t n = (size_t)(at - t->name), m = strlen(other);
  return strncmp(w->name, t->name, n) == 0 && strncmp(w->name + n, other, m) == 0 &&
         strcmp(w->name + n + m, at + part) == 0;
}

/* The fan_in of the sibling; 0: there is none. The search goes from the tensor in both directions, because in most
 * files the sibling is near. */
static double fan_in_of_sibling(const tensor_file *f, const stored_tensor *t, size_t which) {
  const size_t at = (size_t)(t - f->tensors), part = strlen(siblings[which].part);
  const char *place = NULL;
  for (const char *next = strstr(t->name, siblings[which].part); next; next = strstr(next + 1, siblings[which].part))
    place = next;
  for (size_t away = 1; place && (away <= at || away < f->count - at); ++away) {
    const stored_tensor *w = NULL;
    if (away <= at && is_sibling(t, place, part, siblings[which].other, t - away)) w = t - away;
    if (!w && away < f->count - at && is_sibling(t, place, part, siblings[which].other, t + away)) w = t + away;
    if (w) return w->rank < 2 || w->shape[0] != t->shape[0] ? 0 : (double)w->elements / (double)w->shape[0];
  }
  return 0;
}

typedef struct match {
  char text[256];
  int found;
} match;

static void note(match *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(match *m, const char *format, ...) {
  const size_t used = strlen(m->text), room = sizeof m->text - used;
  va_list arguments;
  if (m->found++ >= 2) return;
  va_start(arguments, format);
  const int before = snprintf(m->text + used, room, "%s", m->found > 1 ? " or " : "");
  vsnprintf(m->text + used + before, room - (size_t)before, format, arguments);
  va_end(arguments);
}

/* The common initializers of that std; with `fixed`, also those that do not follow from the fans. */
static void match_common(match *m, bool fixed, double fan_in, double fan_out, bool uniform, double std, double error) {
  for (size_t k = 0; k < n_common_inits; ++k) {
    const common_init *c = &common_inits[k];
    if (c->fans == COMMON_NO_FAN && !fixed) continue;
    if (!(fabs(std / common_std(c, uniform, fan_in, fan_out) - 1) <= error)) continue;
    if (c->fans == COMMON_NO_FAN)
      note(m, "%s", c->name);
    else if (c->fans == COMMON_FANS)
      note(m, "%s (fans %.0f and %.0f)", c->name, fan_in, fan_out);
    else if (c->fans == COMMON_FAN_IN)
      note(m, "%s (fan_in %.0f)", c->name, fan_in);
    else
      note(m, "%s (fan_out %.0f)", c->name, fan_out);
  }
}

static void match_siblings(match *m, const tensor_file *f, const stored_tensor *t, double std, double error) {
  for (size_t k = 0; k < sizeof siblings / sizeof *siblings; ++k) {
    const double fan_in = fan_in_of_sibling(f, t, k);
    if (fan_in > 0 && fabs(std * sqrt(3 * fan_in) - 1) <= error) {
      note(m, "%s (%s %.0f)", siblings[k].name, siblings[k].fan, fan_in);
    }
  }
}

char *resemblance_of(const tensor_file *f, const stored_tensor *t, const fit *looks, double std, double standard_error,
                     bool *swapped) {
  match m = {.found = 0};
  const double error = fmax(4 * standard_error, 1e-5);
  const bool uniform = looks->law.kind == FANIN_LAW_KIND_UNIFORM;
  *swapped = false;
  if (uniform) match_siblings(&m, f, t, std, error);
  if (t->rank > 1 && t->elements > 0) {
    double taps = 1;
    for (int d = 2; d < t->rank; ++d)
      taps *= (double)t->shape[d];
    const double a = (double)t->shape[1] * taps, b = (double)t->shape[0] * taps;
    match_common(&m, true, a, b, uniform, std, error);
    if (m.found == 0 && t->rank == 2 && a != b) {
      match_common(&m, false, b, a, uniform, std, error);
      *swapped = m.found > 0;
    }
  }
  return m.found > 0 ? copy_text(m.text, strlen(m.text)) : NULL;
}
