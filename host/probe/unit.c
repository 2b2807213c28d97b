/* What a layer's unit makes of q: V and U with their Hermite coefficients, with a gate and without, at one q or at
 * those of a batch. E4, E68 and E69 of docs/probe-law.md. */
#include <math.h>
#include <string.h>

#include "core/status.h"
#include "probe/probe.h"

static bool is_gated(const fanin__probe *p, size_t l) {
  return p->mlp.stages[l].gate > 0;
}

static bool is_normed(const fanin__probe *p, size_t l) {
  return p->mlp.stages[l].norm != FANIN_NORM_NONE;
}

double fanin__unit_square(const fanin__probe *p, size_t l, fanin__function function, double q) {
  const fanin__activation *const activation = p->mlp.stages[l].activation;
  const double slope = p->config->slope;
  if (!is_gated(p, l)) return fanin__mean_square(activation, function, slope, q);
  if (function == FANIN__SLOPE) return fanin__mean_square(activation, FANIN__BOTH, slope, q);
  return q * fanin__v(activation, slope, q);
}

fanin__expansion fanin__unit_expand(const fanin__probe *p, size_t l, fanin__function function, double q) {
  const fanin__activation *const activation = p->mlp.stages[l].activation;
  const double slope = p->config->slope;
  return is_gated(p, l) ? fanin__expand_gated(activation, function, slope, q)
                        : fanin__expand_square(activation, function, slope, q);
}

double fanin__unit_mean(const fanin__probe *p, size_t l, double q) {
  return is_gated(p, l) ? 0 : fanin__mean(p->mlp.stages[l].activation, p->config->slope, q);
}

double fanin__unit_product(const fanin__probe *p, size_t l, double q, double c) {
  const double product = fanin__correlated(p->mlp.stages[l].activation, FANIN__PHI, p->config->slope, q, q, c);
  return is_gated(p, l) ? q * c * product : product;
}

fanin_status fanin__unit_curve_open(const fanin__probe *p, size_t l, fanin__function function, const double *q,
                                    int values, fanin__unit_curve *out) {
  static const double one = 1;
  const fanin__activation *const activation = p->mlp.stages[l].activation;
  const double slope = p->config->slope, *const at = is_normed(p, l) ? &one : q;
  const size_t n = is_normed(p, l) ? 1 : (size_t)p->batch;
  const bool both = is_gated(p, l) && function == FANIN__SLOPE;
  *out = (fanin__unit_curve){.both = both};
  FANIN__TRY(fanin__curve_of_square(activation, both ? FANIN__BOTH : function, slope, at, n, values, &out->own));
  if (!both || values == 1) return FANIN_STATUS_OK;
  const fanin_status status = fanin__curve_of_square(activation, function, slope, at, n, values, &out->gate);
  if (status != FANIN_STATUS_OK) fanin__curve_free(&out->own);
  return status;
}

void fanin__unit_curve_close(fanin__unit_curve *curve) {
  fanin__curve_free(&curve->own);
  fanin__curve_free(&curve->gate);
}

void fanin__unit_at(const fanin__probe *p, size_t l, const fanin__unit_curve *curve, double q,
                    fanin__unit_values *out) {
  const double at = is_normed(p, l) ? 1 : q;
  memset(out, 0, sizeof *out);
  fanin__curve_at(&curve->own, at, out->a);
  if (!is_gated(p, l)) return;
  if (curve->gate.table) {
    fanin__curve_at(&curve->gate, at, out->b);
  } else if (!curve->both) {
    memcpy(out->b, out->a, sizeof out->b);
  }
  for (int k = 0; k < FANIN__CURVE_VALUES; k++) {
    if (!curve->both) out->a[k] *= at;
    out->b[k] *= sqrt(2) * at;
  }
}
