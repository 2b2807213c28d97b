/* s4d_real, sinusoidal, inv_freq and alibi: tables of numbers that follow from coordinates along the last dimensions;
 * and ramp, whose numbers follow from the index. */
#include <inttypes.h>

#include "core/status.h"
#include "init/initializer.h"
#include "math/integer.h"

#define BASE FANIN__NUMBER_IN(base, 1, 0x1p64)

static const fanin__choice forms[] = {{"interleaved", FANIN_FORM_INTERLEAVED},
                                      {"halves", FANIN_FORM_HALVES},
                                      {"tensor2tensor", FANIN_FORM_TENSOR2TENSOR},
                                      {NULL, 0}};
static const fanin__parameter of_gain[] = {FANIN__GAIN_FROM(-DBL_MAX), FANIN__END};
static const fanin__parameter of_base[] = {BASE, FANIN__GAIN_FROM(-DBL_MAX), FANIN__END};
static const fanin__parameter of_sinusoids[] = {BASE, FANIN__CHOICE_OF(form, forms), FANIN__GAIN_FROM(-DBL_MAX),
                                                FANIN__END};
static const fanin__choice flags[] = {{"false", 0}, {"true", 1}, {NULL, 0}};
static const fanin__parameter of_ramp[] = {FANIN__THREE(lo, hi, zigzag, -DBL_MAX, DBL_MAX),
                                           FANIN__THREE(hi, lo, zigzag, -DBL_MAX, DBL_MAX),
                                           FANIN__NUMBER_IN(exponent, FANIN__ABOVE_0, 15),
                                           FANIN__CHOICE_OF(half_open, flags),
                                           FANIN__FINITE(zigzag),
                                           FANIN__NUMBER_IN(period, 2, 0x1p31),
                                           FANIN__NUMBER_IN(shift, 0, 0x1p31),
                                           FANIN__NUMBER_IN(zigzag_exponent, FANIN__ABOVE_0, 15),
                                           FANIN__GAIN_FROM(-DBL_MAX),
                                           FANIN__END};

/* ---- Values in double, for moments and bounds -------------------------------------------------------------------- */

static double slope_of_alibi(uint64_t head, uint64_t heads) {
  const uint64_t whole = fanin__power_of_two(heads), step = head < whole ? 2 * head + 2 : 2 * (head - whole) + 1;
  return exp2(-4 * (double)step / (double)whole);
}

/* At index n, or between indices. */
static double ramp_at(const fanin__tabulated *table, double n) {
  const fanin__ramp *const r = &table->ramp;
  const double steps = (double)table->columns - (r->half_open ? 0 : 1), most = (double)(r->period - 1);
  const double t = n > 0 ? n / steps : 0, s = 2 * (double)(((uint64_t)n + r->shift) % r->period) / most - 1;
  return r->lo + (r->hi - r->lo) * pow(t, r->exponent) + r->zigzag * copysign(pow(fabs(s), r->zigzag_exponent), s);
}

/* At column n, or between columns. */
static double value_at(const fanin__tabulated *table, double n) {
  if (table->kind == FANIN_KIND_RAMP) return ramp_at(table, n);
  if (table->kind == FANIN_KIND_S4D_REAL) return log(n + 1);
  if (table->kind == FANIN_KIND_INV_FREQ) return pow(table->base, -n / (double)table->columns);
  return slope_of_alibi((uint64_t)n, table->columns);
}

/* ---- Resolving --------------------------------------------------------------------------------------------------- */

static fanin_status resolve(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  (void)roles;
  *out = (fanin__distribution){.law = {.kind = FANIN_LAW_KIND_TABLE, .value = init->gain},
                               .table = {.kind = init->kind, .form = init->form, .base = init->base}};
  return FANIN_STATUS_OK;
}

/* An extent of the last dimension or the one before it; 1 where there is no such dimension. */
static fanin_status take_extent(const fanin_tensor *t, int from_last, uint64_t *out) {
  const int d = t->rank - from_last;
  *out = d < 0 ? 1 : t->shape[d];
  if (*out < UINT64_C(1) << 32) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_SHAPE, "shape[%d] = %" PRIu64 ": a table takes extents below 2^32", d, *out);
}

/* Times the gain. */
static void set_bounds(fanin__distribution *d, double least, double most) {
  d->law.lo = fmin(least * d->law.value, most * d->law.value);
  d->law.hi = fmax(least * d->law.value, most * d->law.value);
}

/* Refuses a last dimension of one coordinate beside longer ones, as in heads x 1 x 1: all elements would be equal. */
static fanin_status check_columns(const fanin_tensor *t, const char *name) {
  bool is_empty = false;
  int ones = 0; /* dimensions at the end that have one coordinate */
  while (ones < t->rank && t->shape[t->rank - 1 - ones] == 1)
    ones++;
  for (int d = 0; d < t->rank; d++)
    is_empty = is_empty || t->shape[d] == 0;
  if (ones == 0 || ones == t->rank || is_empty) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                     "%s: shape[%d] = 1, and the values follow the last dimension, so that all would be equal; a shape "
                     "that ends with shape[%d] = %" PRIu64 ", which has the same bytes, is accepted",
                     name, t->rank - 1, t->rank - 1 - ones, t->shape[t->rank - 1 - ones]);
}

/* Every table has its least and its largest number at the first or the last column, or where ALiBi's slopes begin
 * again. */
static fanin_status fit(const fanin_tensor *t, fanin__distribution *out) {
  fanin__tabulated *const table = &out->table;
  FANIN__TRY(check_columns(t, fanin__initializer_of(table->kind)->description.name));
  FANIN__TRY(take_extent(t, 1, &table->columns));
  FANIN__TRY(take_extent(t, 2, &table->positions));
  if (table->columns == 0) return FANIN_STATUS_OK;
  const uint64_t last = table->columns - 1, again = fanin__power_of_two(table->columns);
  const uint64_t ends[] = {0, again - 1, again < last ? again : last, last};
  double least = INFINITY, most = -INFINITY;
  for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
    least = fmin(least, value_at(table, (double)ends[k]));
    most = fmax(most, value_at(table, (double)ends[k]));
  }
  set_bounds(out, least, most);
  return FANIN_STATUS_OK;
}

static fanin_status fit_sinusoids(const fanin_tensor *t, fanin__distribution *out) {
  if (t->rank < 2) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                       "sinusoidal takes positions and channels, two dimensions or more; this tensor has %d", t->rank);
  }
  FANIN__TRY(take_extent(t, 1, &out->table.columns));
  FANIN__TRY(take_extent(t, 2, &out->table.positions));
  if (out->table.columns % 2 != 0) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                       "sinusoidal: shape[%d] = %" PRIu64
                       "; an even number of channels, the last dimension, is accepted",
                       t->rank - 1, out->table.columns);
  }
  set_bounds(out, -1, 1);
  return FANIN_STATUS_OK;
}

/* A ramp goes by the index among all elements, which are all looked at for what is expected of a zigzag. Without it,
 * the least and the largest number are at the ends. */
static fanin_status fit_ramp(const fanin_tensor *t, fanin__distribution *out) {
  fanin__tabulated *const table = &out->table;
  const double wave = fabs(table->ramp.zigzag);
  table->columns = table->positions = 1;
  for (int d = 0; d < t->rank; d++)
    table->columns *= t->shape[d];
  if (table->columns >= UINT64_C(1) << (wave > 0 ? 24 : 32)) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                       "ramp%s: the tensor has %" PRIu64 " elements; fewer than 2^%d are accepted",
                       wave > 0 ? " with a zigzag" : "", table->columns, wave > 0 ? 24 : 32);
  }
  if (table->columns == 0) return FANIN_STATUS_OK;
  fanin__tabulated even = *table;
  even.ramp.zigzag = 0;
  const double first = value_at(&even, 0), last = value_at(&even, (double)(table->columns - 1));
  set_bounds(out, fmin(first, last) - wave, fmax(first, last) + wave);
  return FANIN_STATUS_OK;
}

static fanin_status resolve_ramp(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  FANIN__TRY(resolve(init, roles, out));
  out->table.ramp = (fanin__ramp){.lo = init->lo,
                                  .hi = init->hi,
                                  .exponent = init->exponent,
                                  .zigzag = init->zigzag,
                                  .zigzag_exponent = init->zigzag_exponent,
                                  .period = (uint64_t)init->period,
                                  .shift = (uint64_t)init->shift,
                                  .half_open = init->half_open != 0};
  return FANIN_STATUS_OK;
}

static fanin_status check_ramp(const fanin_init *init, fanin_status status) {
  if (init->period != floor(init->period))
    return fanin__fail(status, "ramp: period is %g; a whole number is accepted", init->period);
  const double most = fmax(fabs(init->gain), 1) * (fabs(init->lo) + fabs(init->hi) + fabs(init->zigzag));
  if (!isfinite(most)) {
    return fanin__fail(status,
                       "ramp: lo is %g, hi is %g, zigzag is %g and gain is %g; numbers whose sum is finite are "
                       "accepted",
                       init->lo, init->hi, init->zigzag, init->gain);
  }
  if (init->shift == floor(init->shift) && init->shift < init->period) return FANIN_STATUS_OK;
  return fanin__fail(status, "ramp: shift is %g; a whole number below period, %g, is accepted", init->shift,
                     init->period);
}

static fanin_init explicit_ramp(const fanin_init *init) {
  if (init->gain == 0) return fanin__everywhere(0);
  if (init->lo == init->hi && init->zigzag == 0) return fanin__everywhere(init->gain * init->lo);
  return fanin__used_fields(&fanin__kind_ramp, init);
}

static fanin_status scale_ramp(fanin_init *init, double factor) {
  init->gain *= factor;
  return FANIN_STATUS_OK;
}

/* ---- Kinds ------------------------------------------------------------------------------------------------------- */

const fanin__initializer fanin__kind_s4d_real = {
    .description = {"s4d_real", "a_log", "gain * ln(n + 1) at coordinate n of the last dimension", "gain=1",
                    "Gu & Dao 2023 (Mamba), A_log; Gu, Goel, Gupta & Re 2022 (S4D-Real)", 0, 0, ""},
    .defaults = {.kind = FANIN_KIND_S4D_REAL, .gain = 1},
    .parameters = of_gain,
    .resolve = resolve,
    .fit = fit,
};
const fanin__initializer fanin__kind_sinusoidal = {
    .description =
        {"sinusoidal", "sinusoids",
         "gain * sin(p w(i)) and gain * cos(p w(i)) at position p, the last dimension but one, in channels 2i "
         "and 2i + 1 of d, the last one: w(i) = base^(-2i/d); form=halves: channels i and d/2 + i; "
         "form=tensor2tensor: the same with w(i) = base^(-i/(d/2 - 1)), as Whisper has it",
         "base=10000,form=interleaved,gain=1", "Vaswani et al. 2017, section 3.5", 0, 0, ""},
    .defaults = {.kind = FANIN_KIND_SINUSOIDAL, .base = 10000, .gain = 1},
    .parameters = of_sinusoids,
    .resolve = resolve,
    .fit = fit_sinusoids,
};
const fanin__initializer fanin__kind_inv_freq = {
    .description = {"inv_freq", "",
                    "gain * base^(-n/N) at coordinate n of the last dimension, of extent N, half of a head's features",
                    "base=10000,gain=1", "Su et al. 2021 (RoFormer), section 3.2.2", 0, 0, ""},
    .defaults = {.kind = FANIN_KIND_INV_FREQ, .base = 10000, .gain = 1},
    .parameters = of_base,
    .resolve = resolve,
    .fit = fit,
};
const fanin__initializer fanin__kind_alibi = {
    .description = {"alibi", "",
                    "gain * 2^(-8(h + 1)/c) at head h of the last dimension, c the largest power of two up to their "
                    "number; heads from c on: gain * 2^(-4(2(h - c) + 1)/c)",
                    "gain=1", "Press, Smith & Lewis 2022 (ALiBi), section 3, and its code", 0, 0, ""},
    .defaults = {.kind = FANIN_KIND_ALIBI, .gain = 1},
    .parameters = of_gain,
    .resolve = resolve,
    .fit = fit,
};

const fanin__initializer fanin__kind_ramp = {
    .description =
        {"ramp", "",
         "gain * (lo + (hi - lo) t^exponent) at index n of N elements, t = n/(N - 1); half_open=true: t = n/N; with a "
         "zigzag, + gain * zigzag * s |s|^(zigzag_exponent - 1), s = 2r/(period - 1) - 1, r = (n + shift) mod period",
         "lo=0,hi=1,exponent=1,half_open=false,zigzag=0,period=3,shift=0,zigzag_exponent=1,gain=1",
         "Peng et al. 2023 (RWKV) and their code; numpy.linspace", 0, 0, ""},
    .defaults = {.kind = FANIN_KIND_RAMP, .hi = 1, .exponent = 1, .period = 3, .zigzag_exponent = 1, .gain = 1},
    .parameters = of_ramp,
    .resolve = resolve_ramp,
    .fit = fit_ramp,
    .check = check_ramp,
    .explicit = explicit_ramp,
    .scale = scale_ramp,
};

fanin_init fanin_s4d_real(void) {
  return fanin__kind_s4d_real.defaults;
}

fanin_init fanin_sinusoidal(double base, fanin_form form) {
  return (fanin_init){.kind = FANIN_KIND_SINUSOIDAL, .base = base, .form = form, .gain = 1};
}

fanin_init fanin_inv_freq(double base) {
  return (fanin_init){.kind = FANIN_KIND_INV_FREQ, .base = base, .gain = 1};
}

fanin_init fanin_alibi(void) {
  return fanin__kind_alibi.defaults;
}

fanin_init fanin_ramp(double lo, double hi, double exponent) {
  return fanin__explicit(&(fanin_init){
      .kind = FANIN_KIND_RAMP, .lo = lo, .hi = hi, .exponent = exponent, .period = 3, .zigzag_exponent = 1, .gain = 1});
}

/* ---- The law ----------------------------------------------------------------------------------------------------- */

/* Means are taken over all columns. Of more than MOST_COLUMNS, they are taken over the first ALONE, which differ most
 * from one another, and over as many that are evenly spread among the others and stand for their neighbours. */
enum { ALONE = 1 << 16, MOST_COLUMNS = 2 * ALONE };

static uint64_t taken_of(uint64_t columns) {
  return columns < MOST_COLUMNS ? columns : MOST_COLUMNS;
}

/* How many columns the n-th that is taken stands for. */
static double neighbours(uint64_t n, uint64_t columns) {
  return columns <= MOST_COLUMNS || n < ALONE ? 1 : (double)(columns - ALONE) / ALONE;
}

static double nth_column(uint64_t n, uint64_t columns) {
  if (columns <= MOST_COLUMNS || n < ALONE) return (double)n;
  return ALONE + ((double)(n - ALONE) + 0.5) * neighbours(n, columns) - 0.5;
}

/* Means of powers 1 to 4 of the columns. */
static void take_columns(const fanin__tabulated *table, double power[5]) {
  const bool all = table->ramp.zigzag != 0;
  const uint64_t taken = all ? table->columns : taken_of(table->columns);
  for (uint64_t n = 0; n < taken; n++) {
    const double x = value_at(table, all ? (double)n : nth_column(n, table->columns));
    const double share = (all ? 1 : neighbours(n, table->columns)) / (double)table->columns;
    double y = 1;
    for (int k = 1; k <= 4; k++)
      power[k] += share * (y *= x);
  }
}

/* Adds the means over positions p of cos(k p w) and sin(k p w), k = 1 to 4, times `share`: Dirichlet's kernel. */
static void add_waves(double w, double positions, double share, double c[5], double s[5]) {
  for (int k = 1; k <= 4; k++) {
    const double half = k * w / 2, size = share * sin(positions * half) / (positions * sin(half));
    c[k] += size * cos((positions - 1) * half);
    s[k] += size * sin((positions - 1) * half);
  }
}

/* Means of powers of all sines and cosines, by those of the angles' multiples: sin^2 + cos^2 = 1,
 * sin^3 = (3 sin x - sin 3x) / 4, cos^3 = (3 cos x + cos 3x) / 4, sin^4 + cos^4 = (3 + cos 4x) / 4. */
static void take_sinusoids(const fanin__tabulated *table, double power[5]) {
  const uint64_t half = table->columns / 2, taken = taken_of(half);
  const double steps = (double)(table->form == FANIN_FORM_TENSOR2TENSOR && half > 1 ? half - 1 : half);
  double c[5] = {0}, s[5] = {0};
  for (uint64_t n = 0; n < taken; n++) {
    const double w = pow(table->base, -nth_column(n, half) / steps);
    add_waves(w, (double)table->positions, neighbours(n, half) / (double)half, c, s);
  }
  power[1] = (s[1] + c[1]) / 2;
  power[2] = 0.5;
  power[3] = (3 * s[1] - s[3] + 3 * c[1] + c[3]) / 8;
  power[4] = (3 + c[4]) / 8;
}

static fanin_status expect(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  double power[5] = {1}, factor = 1;
  (void)t;
  *out = (fanin_moments){0};
  if (d->table.columns == 0 || d->table.positions == 0) return FANIN_STATUS_OK;
  if (d->table.kind == FANIN_KIND_SINUSOIDAL)
    take_sinusoids(&d->table, power);
  else
    take_columns(&d->table, power);
  for (int k = 1; k <= 4; k++) {
    factor *= d->law.value;
    power[k] *= factor;
  }
  *out = fanin__moments_of_powers(power, d->law.lo, d->law.hi);
  return FANIN_STATUS_OK;
}

const fanin__law fanin__law_table = {.values = FANIN_VALUES_FIXED, .expect = expect};
