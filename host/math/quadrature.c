/* Integrals of smooth functions: composite Gauss-Legendre quadrature of 16 nodes a piece. */
#include "math/quadrature.h"

#include <math.h>
#include <stddef.h>

#include "math/normal.h"

/* Nodes on [0, 1] with their weights; the rule on [-1, 1] has the mirrored ones too. Abramowitz & Stegun, table 25.4.
 */
static const struct {
  double node, weight;
} rule[] = {
    {0.095012509837637440185, 0.18945061045506849629}, {0.28160355077925891323, 0.18260341504492358887},
    {0.45801677765722738634, 0.16915651939500253819},  {0.61787624440264374845, 0.14959598881657673208},
    {0.75540440835500303390, 0.12462897125553387205},  {0.86563120238783174388, 0.095158511682492784810},
    {0.94457502307323257608, 0.062253523938647892863}, {0.98940093499164993260, 0.027152459411754094852},
};

double fanin__integrate(double (*g)(double x, void *context), void *context, double lo, double hi, int pieces) {
  if (!(hi > lo)) return 0;
  const double half = 0.5 * (hi - lo) / pieces;
  double sum = 0;
  for (int p = 0; p < pieces; p++) {
    const double middle = lo + half * (2 * p + 1);
    for (size_t k = 0; k < sizeof rule / sizeof *rule; k++) {
      const double step = half * rule[k].node;
      sum += rule[k].weight * (g(middle - step, context) + g(middle + step, context));
    }
  }
  return half * sum;
}

typedef struct weighted {
  double (*g)(double z, void *context);
  void *context;
} weighted;

static double density_times(double z, void *context) {
  const weighted *w = context;
  return w->g(z, w->context) * fanin__normal_pdf(z);
}

/* Beyond |z| = 12 lies 1e-33 of the mass. A piece is at most 1 wide. */
double fanin__expectation(double (*g)(double z, void *context), void *context, const double *kinks, size_t n) {
  weighted w = {g, context};
  double sum = 0, lo = 0;
  for (size_t k = 0; lo < 12;) {
    double hi = lo < 3 ? 3 : 12;
    while (k < n && kinks[k] <= lo)
      k++;
    if (k < n && kinks[k] < hi) hi = kinks[k];
    const int pieces = (int)ceil(hi - lo);
    sum += fanin__integrate(density_times, &w, lo, hi, pieces) + fanin__integrate(density_times, &w, -hi, -lo, pieces);
    lo = hi;
  }
  return sum;
}
