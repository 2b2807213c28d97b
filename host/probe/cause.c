/* Why weights have another standard deviation than their initializer gives, or why the right one does not do: the
 * mistakes that are usually made, each with the std that it leads to. */
#include <math.h>
#include <stdio.h>

#include "probe/diagnose.h"

/* measured std / expected std of one mistake. */
typedef struct mistake {
  fanin_diagnosis diagnosis;
  double factor;
  const char *what;
} mistake;

/* 4.5 standard errors of the ratio of the stds, or half a percent. */
static double nearness(const fanin__judge *j, size_t l) {
  const fanin_probe_layer *const y = fanin__layer(j, l);
  const double n = (double)y->fan_in * (double)y->fan_out, kurtosis = j->p->trace[l].weights.kurtosis;
  return fmax(4.5 * sqrt((kurtosis - 1) / (4 * n)), 0.005);
}

/* The mistake that is nearest, if it is near. */
static mistake explain(const fanin__judge *j, size_t l) {
  const fanin_probe_layer *const y = fanin__layer(j, l);
  const double in = (double)y->fan_in, fan_out = (double)y->fan_out, avg = 0.5 * (in + fan_out);
  const double expected = y->weight_std_expected;
  double gain = 1;
  (void)fanin_gain(j->p->config->activation, j->p->config->slope, FANIN_CRITERION_SECOND_MOMENT, &gain);
  const mistake all[] = {
      {FANIN_DIAGNOSIS_WRONG_FAN, sqrt(in / fan_out), "what fan_out for fan_in gives: swapped fans"},
      {FANIN_DIAGNOSIS_WRONG_FAN, sqrt(fan_out / in), "what fan_in for fan_out gives: swapped fans"},
      {FANIN_DIAGNOSIS_WRONG_FAN, sqrt(in / avg), "what fan_avg for fan_in gives"},
      {FANIN_DIAGNOSIS_WRONG_FAN, sqrt(avg / in), "what fan_in for fan_avg gives"},
      {FANIN_DIAGNOSIS_WRONG_FAN, sqrt(fan_out / avg), "what fan_avg for fan_out gives"},
      {FANIN_DIAGNOSIS_WRONG_FAN, sqrt(avg / fan_out), "what fan_out for fan_avg gives"},
      {FANIN_DIAGNOSIS_GAIN_MISMATCH, expected, "its square: a variance where a std was wanted"},
      {FANIN_DIAGNOSIS_GAIN_MISMATCH, 1 / sqrt(expected), "its square root: a std where a variance was wanted"},
      {FANIN_DIAGNOSIS_GAIN_MISMATCH, sqrt(2), "sqrt(2) times it: He's gain for LeCun's"},
      {FANIN_DIAGNOSIS_GAIN_MISMATCH, sqrt(0.5), "1/sqrt(2) times it: LeCun's gain for He's"},
      {FANIN_DIAGNOSIS_GAIN_MISMATCH, sqrt(3), "sqrt(3) times it: a uniform bound where a std was wanted"},
      {FANIN_DIAGNOSIS_GAIN_MISMATCH, sqrt(1.0 / 3), "1/sqrt(3) times it: a std where a uniform bound was wanted"},
      {FANIN_DIAGNOSIS_GAIN_MISMATCH, 5.0 / 3, "5/3 times it: PyTorch's gain of tanh"},
      {FANIN_DIAGNOSIS_GAIN_MISMATCH, 0.6, "3/5 of it: without PyTorch's gain of tanh"},
      {FANIN_DIAGNOSIS_GAIN_MISMATCH, gain, "the activation's gain times it"},
      {FANIN_DIAGNOSIS_GAIN_MISMATCH, 1 / gain, "it without the activation's gain"},
      {FANIN_DIAGNOSIS_GAIN_MISMATCH, 0.87962566103423978, "what cutting at 2 sigma without correction leaves"},
      {FANIN_DIAGNOSIS_GAIN_MISMATCH, 0, "0: a constant"}};
  const double ratio = y->weight_std / expected;
  double nearest = nearness(j, l);
  mistake best = {FANIN_DIAGNOSIS_GAIN_MISMATCH, ratio, NULL};
  for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
    const double factor = all[k].factor;
    const double distance = factor > 0 ? fabs(ratio / factor - 1) : ratio == 0 ? 0 : INFINITY;
    if (factor == 1 || distance >= nearest - 1e-9) continue; /* the first of equal ones */
    nearest = distance;
    best = all[k];
  }
  return best;
}

static void find_causes(fanin__judge *j, fanin_diagnosis wanted) {
  for (size_t l = 1; l <= j->p->layers; l++) {
    const fanin_probe_layer *const y = fanin__layer(j, l);
    if (!fanin__weights_deviate(j, l) || !(y->weight_std_expected > 0)) continue;
    /* independent numbers in the place of orthogonal ones: their std is near, and not the cause */
    const bool near = fabs(y->weight_std / y->weight_std_expected - 1) < nearness(j, l);
    if (near && !fanin__is_orthogonal(j, l)) continue;
    const mistake m = explain(j, l);
    if (m.diagnosis != wanted) continue;
    if (m.what) {
      fanin__find(j, wanted, l, l, "weight std %.5g for %.5g expected is %s", y->weight_std, y->weight_std_expected,
                  m.what);
    } else if (fabs(y->weight_z) > j->p->report->summary.z_bound) {
      fanin__find(j, wanted, l, l, "weight std %.5g is %.4g times the expected %.5g", y->weight_std,
                  y->weight_std / y->weight_std_expected, y->weight_std_expected);
    } else {
      fanin__find(j, wanted, l, l, "weights have the mean %.5g for %.5g (z %.1f)", y->weight_mean,
                  y->weight_mean_expected, y->weight_mean_z);
    }
  }
}

static bool was_found(const fanin__judge *j, fanin_diagnosis diagnosis) {
  for (size_t k = 0; k < j->n; k++) {
    if (j->list[k].diagnosis == diagnosis) return true;
  }
  return false;
}

void fanin__find_wrong_fan(fanin__judge *j) {
  find_causes(j, FANIN_DIAGNOSIS_WRONG_FAN);
}

/* Also the gain of an initializer that does what it says, where q drifts: sigma_w^2 V(1) should be 1. */
void fanin__find_gain(fanin__judge *j) {
  find_causes(j, FANIN_DIAGNOSIS_GAIN_MISMATCH);
  const fanin__probe *const p = j->p;
  const bool drifts = was_found(j, FANIN_DIAGNOSIS_FORWARD_VANISH) || was_found(j, FANIN_DIAGNOSIS_FORWARD_EXPLODE);
  const fanin__activation *const activation = p->mlp.stages[1].activation;
  const bool plain = p->config->norm == FANIN_NORM_NONE && p->config->block == FANIN_BLOCK_NONE;
  if (!drifts || p->layers < 2 || !plain || p->mlp.stages[1].gate > 0) return;
  const double v = fanin__v(activation, p->config->slope, 1);
  for (size_t l = 2; l <= p->layers; l++) {
    const fanin__trace *const t = &p->trace[l];
    const double gain2 = t->variance * (double)p->config->widths[l - 1];
    if (!t->lawful || !(gain2 > 0) || fabs(gain2 * v - 1) < 0.02) continue;
    fanin__find(j, FANIN_DIAGNOSIS_GAIN_MISMATCH, l, p->layers,
                "fan_in times the weights' variance is %.4g in layer %zu; %s keeps q = 1 with %.4g, a gain of %.5g",
                gain2, l, activation->name, 1 / v, sqrt(1 / v));
    return;
  }
}
