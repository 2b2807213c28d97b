/* Section 4 of docs/stream.md: a distribution's parameters, in f64 and in the order written. */
#include "support/support.h"

#include <math.h>

#include "init/distribution.h"
#include "math/normal.h"
#include "oracle/oracle.h"

const oracle_tails oracle_host_tails = {fanin__normal_tail, fanin__normal_log_tail, fanin__exp, fanin__log};

/* X(z) = P(|Z| <= |z|) with the sign of z. */
static double central(const oracle_tails *tails, double z) {
  return z >= 0 ? 1 - 2 * tails->tail(z) : -(1 - 2 * tails->tail(-z));
}

static void plan_truncation(oracle_plan *plan, double a, double b, const oracle_tails *tails) {
  const double x_a = central(tails, a), x_b = central(tails, b);
  plan->x_middle = (x_a + x_b) * 0.5;
  plan->x_half = (x_b - x_a) * 0.5;
  if (a >= 0) {
    plan->s_reference = -2 * tails->log_tail(a);
    plan->low = 0;
    plan->high = tails->exponential(tails->log_tail(b) - tails->log_tail(a));
    plan->width = 1 - plan->high;
  } else if (b <= 0) {
    plan->s_reference = -2 * tails->log_tail(-b);
    plan->high = 0;
    plan->low = tails->exponential(tails->log_tail(-a) - tails->log_tail(-b));
    plan->width = 1 - plan->low;
  } else {
    plan->s_reference = 0;
    plan->low = tails->tail(-a);
    plan->high = tails->tail(b);
    plan->width = 1 - plan->low - plan->high;
  }
}

static void plan_logarithm(oracle_plan *plan, double log_lo, double log_hi) {
  plan->middle = log_lo * 0.5 + log_hi * 0.5;
  plan->half = log_hi * 0.5 - log_lo * 0.5;
  const double octave = plan->middle * 0x1.71547652b82fep+0;
  plan->whole = floor(octave + 0.5);
  plan->rest = octave - plan->whole;
  plan->octaves = plan->half * 0x1.71547652b82fep+0;
}

fanin__distribution oracle_distribution_of(const fanin_tensor *t, const fanin_init *init) {
  fanin__distribution d;
  assert_ok(fanin__resolve(t, init, &d));
  if (d.law.kind == FANIN_LAW_KIND_TRUNC_NORMAL) {
    const bool absolute = init->kind == FANIN_KIND_TRUNC_NORMAL && init->bounds == FANIN_BOUNDS_ABSOLUTE;
    d.law.lo = absolute ? init->a : d.law.mean + d.law.std * d.law.from;
    d.law.hi = absolute ? init->b : d.law.mean + d.law.std * d.law.to;
  }
  return d;
}

oracle_plan oracle_plan_of(const fanin__distribution *d, fanin_dtype dtype, const oracle_tails *tails) {
  oracle_plan plan = {
      .dtype = dtype, .law = d->law.kind, .value = d->law.value, .mean = d->law.mean, .std = d->law.std};
  plan.lower = oracle_least(dtype, d->law.lo);
  plan.upper = oracle_most(dtype, d->law.hi);
  if (d->law.kind == FANIN_LAW_KIND_UNIFORM) {
    plan.middle = d->law.lo * 0.5 + d->law.hi * 0.5;
    plan.half = d->law.hi * 0.5 - d->law.lo * 0.5;
  } else if (d->law.kind == FANIN_LAW_KIND_LOG_UNIFORM || d->law.kind == FANIN_LAW_KIND_SOFTPLUS_LOG_UNIFORM) {
    plan_logarithm(&plan, tails->logarithm(d->law.from), tails->logarithm(d->law.to));
  } else if (d->law.kind == FANIN_LAW_KIND_TRUNC_NORMAL) {
    plan_truncation(&plan, d->law.from, d->law.to, tails);
  }
  return plan;
}
