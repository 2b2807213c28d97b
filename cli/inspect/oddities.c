/* What is odd about the values of a tensor of which nobody says what it should be. */
#include "inspect/inspection.h"

#include <math.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "base/text.h"

/* The number that has that share of the values below it, up to the width of a bin. */
static double quantile(const survey *s, double share) {
  const double wanted = share * (double)s->stats.count;
  double below = 0, least = 0, most = 0;
  for (uint32_t bin = 0; bin < FANIN_BINS; ++bin) {
    below += (double)s->counts[bin];
    if (s->counts[bin] == 0 || below < wanted) continue;
    fanin_bin_numbers(s->t->type->dtype, bin, &least, &most);
    break;
  }
  return least;
}

/* Values that are further from the middle than ten times the distance between the quartiles: 13 sigma of a normal. */
static void find_outliers(const survey *s, size_t tensor, inspection *i) {
  char lo[TEXT_NUMBER], hi[TEXT_NUMBER], far[TEXT_NUMBER];
  const double low = quantile(s, 0.25), middle = quantile(s, 0.5), high = quantile(s, 0.75), reach = 10 * (high - low);
  double count = 0, least, most;
  for (uint32_t bin = 0; bin < FANIN_BINS; ++bin) {
    if (s->counts[bin] == 0) continue;
    fanin_bin_numbers(s->t->type->dtype, bin, &least, &most);
    if (least > middle + reach || most < middle - reach) count += (double)s->counts[bin];
  }
  if (!(reach > 0) || count == 0 || count > 0.01 * (double)s->stats.count) return;
  const double furthest = s->stats.max - middle > middle - s->stats.min ? s->stats.max : s->stats.min;
  find(i, FINDING_SUSPICION, tensor, "%.0f value%s far out, up to %s, while half of all lie within [%s, %s]", count,
       count == 1 ? " is" : "s are", text_real(furthest, far), text_real(low, lo), text_real(high, hi));
}

/* A number that is much more frequent than those around it: a bin with more elements than the four nearest bins make
 * likely, most of which are one number. Lines of zeros have been taken out before. */
static int find_atom(survey *s, size_t tensor, inspection *i, failure *why) {
  const fanin_dtype dtype = s->t->type->dtype;
  double worst = 10, surplus = 0, most = 0, number = 0;
  uint32_t suspect = 0, lower = 0;
  char value[TEXT_NUMBER];
  for (uint32_t bin = 2; bin < FANIN_BINS - 2; ++bin) {
    const double count = (double)s->counts[bin];
    const double four = (double)(s->counts[bin - 2] + s->counts[bin - 1] + s->counts[bin + 1] + s->counts[bin + 2]);
    const double excess = (count - four / 4) / sqrt(four / 4 + 1);
    if (count < 16 || excess <= worst) continue;
    worst = excess;
    surplus = count - four / 4;
    suspect = bin;
  }
  if (suspect == 0) return STATUS_OK;
  if (dtype_is_narrow(dtype)) {
    most = surplus;
  } else {
    uint64_t *counts = allocate(FANIN_BINS, sizeof *counts);
    const int status = survey_within(s, suspect, counts, why);
    for (uint32_t k = 0; k < FANIN_BINS; ++k) {
      if (counts[k] > counts[lower]) lower = k;
    }
    most = (double)counts[lower];
    free(counts);
    if (status != STATUS_OK) return status;
  }
  fanin_bin_number(dtype, suspect, lower, &number);
  if (most < surplus / 2) return STATUS_OK;
  find(i, FINDING_SUSPICION, tensor, "%.0f of its elements are %s", most, text_real(number, value));
  return STATUS_OK;
}

int find_oddities(survey *s, size_t tensor, inspection *i, failure *why) {
  const inspected *t = &i->tensors[tensor];
  int wide = 0;
  char value[TEXT_NUMBER];
  for (int d = 0; d < t->tensor->rank; ++d)
    wide += t->tensor->shape[d] > 1;
  if (t->stats.count > 0 && t->stats.nonfinite == 0 && t->stats.min == t->stats.max && wide > 1) {
    find(i, FINDING_SUSPICION, tensor, "every element is %s", text_real(t->stats.min, value));
  }
  if (t->closer && t->fit.outcome == FIT_OTHER && !t->table) find_outliers(s, tensor, i);
  if (t->closer && t->fit.outcome == FIT_LAW && t->swapped) {
    find(i, FINDING_SUSPICION, tensor,
         "its std fits %s: the fan of the other dimension, unless it is stored as (in, out)", t->like);
  }
  return t->closer && t->fit.outcome == FIT_OTHER && !t->table ? find_atom(s, tensor, i, why) : STATUS_OK;
}
