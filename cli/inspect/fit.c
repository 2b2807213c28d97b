/* Which law a tensor's values look like, where nothing says which they should follow.
 *
 * The parameters of each family are estimated, and the family whose classes fit best is taken, if it fits at all. The
 * parameters of a normal are estimated from the classes by minimum chi-square: then X^2 loses exactly one degree of
 * freedom for each parameter (Fisher 1924), which it would not with the moments of the sample (Chernoff & Lehmann
 * 1954). The ends of a uniform are its extremes, moved out by the mean gap between values. They err by 1/n and cost no
 * degree of freedom. */
#include "inspect/fit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/args.h"
#include "base/dtype.h"
#include "inspect/bins.h"
#include "inspect/chance.h"

static const double truncation = 2, kept = 0.87962566103423978; /* std of N(0,1) cut at 2 */

static fanin_law normal_law(double mean, double std) {
  return (fanin_law){.kind = FANIN_LAW_KIND_NORMAL, .lo = -INFINITY, .hi = INFINITY, .mean = mean, .std = std};
}

static fanin_law truncated_law(double mean, double std) {
  return (fanin_law){.kind = FANIN_LAW_KIND_TRUNC_NORMAL,
                     .lo = mean - truncation * std,
                     .hi = mean + truncation * std,
                     .mean = mean,
                     .std = std};
}

/* How the probabilities of the classes change with mean and std, both in units of std: differences over 2 h. */
static void slopes(fanin_law (*make)(double, double), double mean, double std, fanin_dtype dtype, const classes *c,
                   double slope[2][MOST_CLASSES]) {
  const double h = 1e-4;
  classes up = *c, down = *c;
  for (int parameter = 0; parameter < 2; ++parameter) {
    const double to_mean = parameter == 0 ? h : 0, to_std = parameter == 1 ? h : 0;
    const fanin_law higher = make(mean + to_mean * std, std * (1 + to_std));
    const fanin_law lower = make(mean - to_mean * std, std * (1 - to_std));
    classes_expect(&(binned_law){&higher, dtype, false}, &up);
    classes_expect(&(binned_law){&lower, dtype, false}, &down);
    for (int k = 0; k < c->count; ++k)
      slope[parameter][k] = (up.expected[k] - down.expected[k]) / (2 * h);
  }
}

/* Steps of the two parameters by Gauss and Newton's method towards the least X^2. */
static fanin_law least_chi_square(fanin_law (*make)(double, double), double mean, double std, double n,
                                  fanin_dtype dtype, classes *c) {
  double slope[2][MOST_CLASSES];
  for (int step = 0; step < 12; ++step) {
    const fanin_law law = make(mean, std);
    classes_expect(&(binned_law){&law, dtype, false}, c);
    slopes(make, mean, std, dtype, c, slope);
    double a00 = 0, a01 = 0, a11 = 0, r0 = 0, r1 = 0;
    for (int k = 0; k < c->count; ++k) {
      if (!(c->expected[k] > 0)) continue;
      const double weight = 1 / c->expected[k], excess = c->counted[k] / n - c->expected[k];
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
  return make(mean, std);
}

/* X^2 of a law of which so many parameters were estimated from the classes. */
static fit judge(fit_family family, const fanin_law *law, int estimated, double n, fanin_dtype dtype, classes *c) {
  fit f = {.family = family, .has_law = true, .law = *law, .z = DEVIATE_MOST, .degrees = c->count - 1 - estimated};
  if (f.degrees < 3) return f;
  classes_expect(&(binned_law){law, dtype, false}, c);
  f.chi_square = classes_chi_square(c, n);
  f.z = isfinite(f.chi_square) ? chi_square_deviate(f.chi_square, f.degrees) : DEVIATE_MOST;
  f.distance = classes_distance(c, n, &f.most);
  return f;
}

/* The share of the values that are equal to an extreme. In f32 and f64 a single value is. */
static double share_of(double extreme, fanin_dtype dtype, const uint64_t *counts, double n) {
  uint32_t bin = 0;
  double least, most;
  if (!dtype_is_narrow(dtype)) return 1 / n;
  for (; bin < FANIN_BINS - 1; ++bin) {
    fanin_bin_numbers(dtype, bin, &least, &most);
    if (counts[bin] > 0 && least == extreme) break;
  }
  return (double)counts[bin] / n;
}

/* The share of the values that are neither the least nor the greatest lies between the numbers that round to these.
 * Where an extreme is a class of its own, its count was fitted and not tested, so that a part of a degree of freedom is
 * lost. */
static fit fit_uniform(const fanin_stats *s, fanin_dtype dtype, const uint64_t *counts, double n) {
  const bool narrow = dtype_is_narrow(dtype); /* steps are wider than gaps between values */
  double low[2], high[2];
  classes c;
  rounded_from(dtype, s->min, &low[0], &low[1]);
  rounded_from(dtype, s->max, &high[0], &high[1]);
  const double at_min = share_of(s->min, dtype, counts, n), at_max = share_of(s->max, dtype, counts, n);
  if (!(at_min + at_max < 0.9)) return (fit){.family = FIT_UNIFORM, .z = DEVIATE_MOST};
  const double range = (high[0] - low[1]) / (1 - at_min - at_max);
  const fanin_law law = {.kind = FANIN_LAW_KIND_UNIFORM,
                         .lo = narrow ? fmax(low[1] - at_min * range, low[0]) : s->min - range / n,
                         .hi = narrow ? fmin(high[0] + at_max * range, high[1]) : s->max + range / n};
  classes_make(&(binned_law){&law, dtype, false}, counts, n, &c);
  fit f = judge(FIT_UNIFORM, &law, 0, n, dtype, &c);
  if (c.count < 4) return f;
  f.degrees -= fmin(at_min / c.expected[0], 1) + fmin(at_max / c.expected[c.count - 1], 1);
  f.z = isfinite(f.chi_square) ? chi_square_deviate(f.chi_square, f.degrees) : DEVIATE_MOST;
  return f;
}

static fit fit_normal(fit_family family, fanin_law (*make)(double, double), double std, const fanin_stats *s,
                      fanin_dtype dtype, const uint64_t *counts, double n) {
  classes c;
  const fanin_law start = make(s->mean, std);
  classes_make(&(binned_law){&start, dtype, false}, counts, n, &c);
  const fanin_law law = least_chi_square(make, s->mean, std, n, dtype, &c);
  return judge(family, &law, 2, n, dtype, &c);
}

/* Counts the elements that lie outside the law's bounds by more than `slack`. Of a normal, about 3 % do; of a normal
 * whose values were redrawn up to four times, 4e-6. */
static double outside(const fanin_law *law, double slack, fanin_dtype dtype, const uint64_t *counts) {
  double sum = 0;
  for (uint32_t bin = 0; bin < FANIN_BINS; ++bin) {
    double least, most;
    if (counts[bin] == 0) continue;
    fanin_bin_numbers(dtype, bin, &least, &most);
    if (least > law->hi + slack || most < law->lo - slack) sum += (double)counts[bin];
  }
  return sum;
}

double fit_slack(const fanin_law *law, double n) {
  return 14 * law->std / sqrt(n);
}

/* How early the tails stop. It tells a normal from a truncated one where classes cannot. */
static double early_stop(const fit *f, const fanin_stats *s, fanin_dtype dtype, double n) {
  const binned_law l = {&f->law, dtype, false};
  return -fmin(extreme_deviate(&l, s->min, 0, n), extreme_deviate(&l, s->max, 1, n));
}

fit fit_values(const fanin_stats *s, fanin_dtype dtype, const uint64_t *counts) {
  const double n = (double)(s->count - s->nonfinite), zeros = (double)counts[0x7fff] + (double)counts[0x8000];
  if (n > 0 && s->min == s->max) return (fit){.family = FIT_CONSTANT};
  if (n < FIT_LEAST) return (fit){.family = FIT_FEW};
  if (zeros > n / 2) return (fit){.family = FIT_SPARSE};
  double least = DEVIATE_MOST;
  const fit fits[] = {
      fit_uniform(s, dtype, counts, n),
      fit_normal(FIT_NORMAL, normal_law, s->std, s, dtype, counts, n),
      fit_normal(FIT_TRUNC_NORMAL, truncated_law, s->std / kept, s, dtype, counts, n),
  };
  fit best = {.family = FIT_OTHER, .z = FIT_BOUND};
  for (size_t k = 0; k < sizeof fits / sizeof *fits; ++k) {
    const fanin_law *law = &fits[k].law;
    if (fits[k].z > FIT_BOUND) continue;
    const bool cut = fits[k].family == FIT_TRUNC_NORMAL;
    if (cut && outside(law, fit_slack(law, n), dtype, counts) > 3 + 2e-5 * n) continue;
    const double score = fits[k].family == FIT_NORMAL ? fmax(fits[k].z, early_stop(&fits[k], s, dtype, n)) : fits[k].z;
    if (score >= least) continue;
    least = score;
    best = fits[k];
  }
  return best;
}

const char *fit_name(fit_family family) {
  static const char *const names[] = {
      [FIT_FEW] = "too few to tell", [FIT_CONSTANT] = "constant", [FIT_SPARSE] = "mostly zeros",
      [FIT_UNIFORM] = "uniform",     [FIT_NORMAL] = "normal",     [FIT_TRUNC_NORMAL] = "truncated normal",
      [FIT_OTHER] = "other"};
  return names[family];
}

/* ---- Which well-known initializer a std resembles, from the tensor's name and shape alone ------------------------ */

/* std = sqrt(scale / n), n = in * fan_in + out * fan_out. */
static const struct {
  const char *name;
  double scale, in, out;
} by_fans[] = {{"he, fan_in", 2, 1, 0},
               {"he, fan_out", 2, 0, 1},
               {"xavier, fans", 2, 1, 1},
               {"lecun, fan_in", 1, 1, 0},
               {"PyTorch's default, fan_in", 1.0 / 3, 1, 0},
               {"xavier with gain 5/3 (tanh), fans", 50.0 / 9, 1, 1}};

/* Well-known values of std. */
static const struct {
  const char *name;
  double std;
} fixed[] = {
    {"std 1 (PyTorch's Embedding)", 1}, {"std 0.02 (GPT-2, BERT)", 0.02}, {"std 0.01", 0.01}, {"std 0.1", 0.1}};

static const char bias[] = "bias";

/* Whether w is "fc.weight" where b is "fc.bias". */
static bool is_sibling(const stored_tensor *b, const stored_tensor *w) {
  const size_t n = strlen(b->name) - (sizeof bias - 1);
  return strncmp(w->name, b->name, n) == 0 && strcmp(w->name + n, "weight") == 0;
}

/* The fan_in of the weight that belongs to a bias; 0: there is none. The search goes from the bias in both directions,
 * because in most files the weight is beside it. */
static double fan_in_of_sibling(const tensor_file *f, const stored_tensor *t) {
  const size_t at = (size_t)(t - f->tensors);
  if (t->rank != 1 || !has_ending(t->name, bias)) return 0;
  for (size_t away = 1; away <= at || away < f->count - at; ++away) {
    const stored_tensor *w = NULL;
    if (away <= at && is_sibling(t, t - away)) w = t - away;
    if (!w && away < f->count - at && is_sibling(t, t + away)) w = t + away;
    if (w) return w->rank < 2 || w->shape[0] != t->shape[0] ? 0 : (double)w->elements / (double)w->shape[0];
  }
  return 0;
}

typedef struct match {
  char text[256];
  int found;
} match;

static void note(match *m, const char *name, double fan_a, double fan_b) {
  const size_t used = strlen(m->text), room = sizeof m->text - used;
  if (m->found++ >= 2) return;
  const char *before = m->found > 1 ? "; " : "";
  if (fan_a > 0 && fan_b > 0)
    snprintf(m->text + used, room, "%s%s %.0f and %.0f", before, name, fan_a, fan_b);
  else if (fan_a + fan_b > 0)
    snprintf(m->text + used, room, "%s%s %.0f", before, name, fan_a + fan_b);
  else
    snprintf(m->text + used, room, "%s%s", before, name);
}

static void match_fans(match *m, double fan_in, double fan_out, double std, double error) {
  for (size_t k = 0; k < sizeof by_fans / sizeof *by_fans; ++k) {
    const double n = by_fans[k].in * fan_in + by_fans[k].out * fan_out;
    if (fabs(std / sqrt(by_fans[k].scale / n) - 1) > error) continue;
    note(m, by_fans[k].name, by_fans[k].in * fan_in, by_fans[k].out * fan_out);
  }
}

char *resemblance_of(const tensor_file *f, const stored_tensor *t, double std, double standard_error) {
  match m = {.found = 0};
  const double error = fmax(4 * standard_error, 1e-5);
  const double sibling = fan_in_of_sibling(f, t);
  if (sibling > 0 && fabs(std * sqrt(3 * sibling) - 1) <= error) {
    note(&m, "PyTorch's default of a bias, fan_in", sibling, 0);
  }
  if (t->rank > 1 && t->elements > 0) {
    double taps = 1;
    for (int d = 2; d < t->rank; ++d)
      taps *= (double)t->shape[d];
    const double a = (double)t->shape[1] * taps, b = (double)t->shape[0] * taps;
    match_fans(&m, a, b, std, error);
    if (m.found == 0 && t->rank == 2) match_fans(&m, b, a, std, error);
  }
  for (size_t k = 0; k < sizeof fixed / sizeof *fixed; ++k) {
    if (fabs(std / fixed[k].std - 1) <= error) note(&m, fixed[k].name, 0, 0);
  }
  return m.found > 0 ? copy_text(m.text, strlen(m.text)) : NULL;
}
