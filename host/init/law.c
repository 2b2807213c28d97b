/* The law of an initializer's values: what to expect of a tensor, the distribution function and its moments. */
#include "init/law.h"

#include <math.h>

#include "core/status.h"
#include "tensor/view.h"

/* What the public header says of each. */
static const struct {
  const char *name, *text;
  const fanin__law *law;
} table[FANIN_LAW_KIND_COUNT] = {
#define ROW(id, name, text) {#name, text, &fanin__law_##name},
    FANIN_LAW_MAP(ROW)
#undef ROW
};

const fanin__law *fanin__law_of(fanin_law_kind kind) {
  if ((unsigned)kind < FANIN_LAW_KIND_COUNT) return table[kind].law;
  fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "kind is %d; 0 to %d are accepted", (int)kind, FANIN_LAW_KIND_COUNT - 1);
  return NULL;
}

fanin_status fanin_describe_law(fanin_law_kind kind, fanin_law_description *out) {
  const fanin__law *const law = fanin__law_of(kind);
  if (!law) return FANIN_STATUS_BAD_ARGUMENT;
  *out = (fanin_law_description){table[kind].name, table[kind].text, law->values};
  return FANIN_STATUS_OK;
}

double fanin__elements_of(const fanin_tensor *t) {
  double elements = 1;
  for (int d = 0; d < t->rank; d++) {
    elements *= (double)t->shape[d];
  }
  return elements;
}

/* The distribution of what `init` makes of `t`, and its moments. */
static fanin_status expect(const fanin_tensor *t, const fanin_init *init, fanin__distribution *d, fanin_moments *out) {
  fanin__view view;
  FANIN__TRY(fanin__view_of(t, &view));
  FANIN__TRY(fanin__resolve(t, init, d));
  return fanin__law_of(d->law.kind)->expect(t, d, out);
}

fanin_status fanin_expect(const fanin_tensor *t, const fanin_init *init, fanin_moments *out) {
  fanin__distribution d;
  return expect(t, init, &d, out);
}

fanin_status fanin_law_of(const fanin_tensor *t, const fanin_init *init, fanin_law *out) {
  fanin__distribution d;
  fanin_moments moments;
  FANIN__TRY(expect(t, init, &d, &moments));
  *out = d.law;
  out->lo = moments.lo;
  out->hi = moments.hi;
  return FANIN_STATUS_OK;
}

double fanin_law_probability(const fanin_law *law, double x, int upper) {
  const fanin__law *const known = fanin__law_of(law->kind);
  if (!known || !known->probability) return NAN;
  if (x < law->lo) return upper ? 1 : 0;
  if (x >= law->hi) return upper ? 0 : 1;
  return known->probability(law, x, upper != 0);
}

void fanin_law_moments(const fanin_law *law, double centre, double unit, double *moments) {
  const fanin__law *const known = fanin__law_of(law->kind);
  if (known && known->moments) {
    known->moments(law, centre, unit, moments);
    return;
  }
  for (int k = 0; k < FANIN__MOMENTS; k++)
    moments[k] = NAN;
}
