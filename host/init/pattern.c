/* identity, dirac, bilinear and hadamard: numbers that follow from indices. */
#include "core/status.h"
#include "init/initializer.h"
#include "tensor/boxes.h"

static const fanin__parameter parameters[] = {FANIN__GAIN_FROM(-DBL_MAX), FANIN__END};

/* ---- Resolving --------------------------------------------------------------------------------------------------- */

static fanin_status delta(const fanin_init *init, fanin__distribution *out) {
  *out = (fanin__distribution){.law = {.kind = FANIN_LAW_KIND_ONES, .value = init->gain}};
  return FANIN_STATUS_OK;
}

fanin_status fanin__need_taps(const fanin__roles *roles, const char *name, const char *note) {
  if (roles->n_taps > 0) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_LAYOUT,
                     "%s takes a layout of O, I and at least one of D, H and W; this one has no taps%s", name, note);
}

static fanin_status resolve_identity(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  FANIN__TRY(fanin__need_once(roles, "identity", false));
  if (roles->n_taps > 0) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT,
                       "identity takes a layout of O, I and B; this one has taps too (dirac's are O, "
                       "I and at least one of D, H and W)");
  }
  return delta(init, out);
}

static fanin_status resolve_dirac(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  FANIN__TRY(fanin__need_once(roles, "dirac", false));
  FANIN__TRY(fanin__need_taps(roles, "dirac", " (identity's is O and I)"));
  return delta(init, out);
}

static fanin_status resolve_bilinear(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  FANIN__TRY(fanin__need_once(roles, "bilinear", false));
  FANIN__TRY(fanin__need_taps(roles, "bilinear", ""));
  *out = (fanin__distribution){.law = {.kind = FANIN_LAW_KIND_BILINEAR, .value = init->gain}};
  return FANIN_STATUS_OK;
}

/* 2^(-(m-1)/2), m = ceil(log2 outputs). */
static double hadamard_magnitude(uint64_t outputs) {
  int m = 0;
  while (m < 63 && UINT64_C(1) << m < outputs)
    m++;
  const double whole = ldexp(1, -((m - 1) / 2));
  return (m - 1) % 2 == 0 ? whole : whole * sqrt(0.5);
}

/* `roles` count taps in both fans: their order is that of the channels. */
static fanin_status resolve_hadamard(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  FANIN__TRY(fanin__need_once(roles, "hadamard", false));
  if (roles->fan_out <= roles->fan_in) return delta(init, out);
  const double magnitude = hadamard_magnitude(roles->fan_out / roles->spatial);
  *out = (fanin__distribution){.law = {.kind = FANIN_LAW_KIND_HADAMARD, .value = init->gain * magnitude}};
  return FANIN_STATUS_OK;
}

/* ---- Kinds ------------------------------------------------------------------------------------------------------- */

const fanin__initializer fanin__kind_identity = {
    .description = {"identity", "eye", "gain where the O and the I index agree, else 0; O and I may differ", "gain=1",
                    "Le, Jaitly & Hinton 2015; torch.nn.init.eye_; Zhao et al. 2022, definition 1", 1, 0, ""},
    FANIN__OF_GAIN(IDENTITY, resolve_identity),
};
const fanin__initializer fanin__kind_dirac = {
    .description = {"dirac", "", "gain at the centre tap where the O index in its group equals the I index, else 0",
                    "gain=1", "Zagoruyko & Komodakis 2017", 1, 0, ""},
    FANIN__OF_GAIN(DIRAC, resolve_dirac),
};
const fanin__initializer fanin__kind_bilinear = {
    .description = {"bilinear", "",
                    "gain times the product over taps of 1 - |t - (k - 1) / 2| / f, k = extent, f = ceil(k / 2), "
                    "where the O index "
                    "in its group equals the I index, else 0",
                    "gain=1", "Long, Shelhamer & Darrell 2015", 1, 0, ""},
    FANIN__OF_GAIN(BILINEAR, resolve_bilinear),
};
const fanin__initializer fanin__kind_hadamard = {
    .description = {"hadamard", "",
                    "O <= I: the partial identity times gain; else gain * 2^(-(m-1)/2) (-1)^ones(o & i), m = "
                    "ceil(log2 O); with taps, at the centre, else 0",
                    "gain=1", "Zhao, Schaefer & Anandkumar 2022 (ZerO), algorithms 1 and 2", 1, 0, ""},
    FANIN__OF_GAIN(HADAMARD, resolve_hadamard),
};

fanin_init fanin_identity(double gain) {
  return fanin__explicit(&(fanin_init){.kind = FANIN_KIND_IDENTITY, .gain = gain});
}

fanin_init fanin_dirac(double gain) {
  return fanin__explicit(&(fanin_init){.kind = FANIN_KIND_DIRAC, .gain = gain});
}

fanin_init fanin_bilinear(double gain) {
  return fanin__explicit(&(fanin_init){.kind = FANIN_KIND_BILINEAR, .gain = gain});
}

fanin_init fanin_hadamard(double gain) {
  return fanin__explicit(&(fanin_init){.kind = FANIN_KIND_HADAMARD, .gain = gain});
}

/* ---- Laws -------------------------------------------------------------------------------------------------------- */

/* The elements of a whole tensor. */
static double elements_of(const fanin_tensor *t) {
  double elements = 1;
  for (int d = 0; d < t->rank; d++) {
    elements *= (double)t->shape[d];
  }
  return elements;
}

static fanin_status count_ones(const fanin_tensor *t, double *count) {
  fanin__matrices l;
  FANIN__TRY(fanin__matrices_of(t, &l));
  const uint64_t diagonal = l.outputs < l.inputs ? l.outputs : l.inputs;
  *count = (double)diagonal * (double)l.parts * (double)l.stacked;
  return FANIN_STATUS_OK;
}

/* identity and dirac set a share of the whole tensor's entries. */
static fanin_status expect_ones(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  const double entries = elements_of(t);
  double ones = 0;
  FANIN__TRY(count_ones(t, &ones));
  const double share = entries > 0 ? ones / entries : 0;
  const double spread = share * (1 - share), std = fabs(d->law.value) * sqrt(spread);
  *out = (fanin_moments){.mean = share * d->law.value,
                         .std = std,
                         .kurtosis = std > 0 ? (1 - 3 * spread) / spread : 0,
                         .lo = fmin(0, d->law.value),
                         .hi = fmax(0, d->law.value)};
  return FANIN_STATUS_OK;
}

fanin_moments fanin__moments_of_powers(const double power[5], double lo, double hi) {
  const double mean = power[1], variance = fmax(power[2] - mean * mean, 0);
  const double fourth = power[4] - 4 * mean * power[3] + 6 * mean * mean * power[2] - 3 * mean * mean * mean * mean;
  fanin_moments out = {.mean = mean, .std = sqrt(variance), .lo = lo, .hi = hi};
  if (variance > 1e-12 * power[2]) out.kurtosis = fourth / (variance * variance);
  return out;
}

/* Multiplies sums of powers 1 to 4 by those of w(t) = 1 - |t - (k - 1) / 2| / f, t = 0 .. k - 1: by the sums of powers
 * of odd numbers where k = 2 f, else of all numbers. And `most` by the largest w. */
static void take_tap(double k, double power[5], double *most) {
  const double f = ceil(k / 2), ff = f * f;
  const bool even = k == 2 * f;
  power[1] *= f;
  power[2] *= even ? (4 * ff - 1) / (6 * f) : (2 * ff + 1) / (3 * f);
  power[3] *= even ? (2 * ff - 1) / (4 * f) : 1 + (f - 1) * (f - 1) / (2 * f);
  power[4] *= even ? (4 * ff - 1) * (12 * ff - 7) / (120 * ff * f)
                   : 1 + (f - 1) * (2 * f - 1) * (3 * (f - 1) * f - 1) / (15 * ff * f);
  *most *= even ? (2 * f - 1) / (2 * f) : 1;
}

static fanin_status expect_bilinear(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  fanin__roles roles;
  double diagonals = 0, power[5] = {1, 1, 1, 1, 1}, most = d->law.value;
  FANIN__TRY(fanin__roles_of(t, &roles));
  FANIN__TRY(count_ones(t, &diagonals));
  const double entries = elements_of(t);
  *out = (fanin_moments){0};
  if (entries == 0) return FANIN_STATUS_OK;
  for (int k = 0; k < roles.n_taps; k++) {
    take_tap((double)t->shape[roles.taps[k]], power, &most);
  }
  for (int n = 1; n <= 4; n++) {
    power[n] *= pow(d->law.value, n) * diagonals / entries;
  }
  *out = fanin__moments_of_powers(power, fmin(0, most), fmax(0, most));
  return FANIN_STATUS_OK;
}

/* The sum of (-1)^ones(o & i) over o < rows, i < columns. With h the largest power of two up to the longer side, whole
 * rows of h signs add up to 0 but for the first; what lies beyond h along both sides has the other sign. */
static double sum_of_signs(uint64_t rows, uint64_t columns) {
  double sum = 0, sign = 1;
  while (rows > 0 && columns > 0) {
    uint64_t h = 1;
    while (h <= (rows > columns ? rows : columns) / 2)
      h *= 2;
    const bool low = rows > h, right = columns > h; /* something lies below, and to the right */
    if (low && right) {
      sum += 3 * sign * (double)h;
      sign = -sign;
      rows -= h;
      columns -= h;
    } else {
      sum += sign * (double)h;
      rows = low ? rows - h : right ? rows : 0;
      columns = right ? columns - h : low ? columns : 0;
    }
  }
  return sum;
}

static fanin_status expect_hadamard(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  fanin__matrices m;
  FANIN__TRY(fanin__matrices_of(t, &m));
  *out = (fanin_moments){0};
  if (elements_of(t) == 0) return FANIN_STATUS_OK;
  const double share = 1 / (double)m.roles.spatial, c = d->law.value;
  const double tilt = sum_of_signs(m.outputs, m.inputs) / ((double)m.outputs * (double)m.inputs);
  const double power[5] = {1, share * tilt * c, share * c * c, share * tilt * c * c * c, share * c * c * c * c};
  *out = fanin__moments_of_powers(power, -fabs(c), fabs(c));
  return FANIN_STATUS_OK;
}

const fanin__law fanin__law_ones = {.values = FANIN_VALUES_FIXED, .expect = expect_ones, .probability = fanin__step};
const fanin__law fanin__law_bilinear = {.values = FANIN_VALUES_FIXED, .expect = expect_bilinear};
const fanin__law fanin__law_hadamard = {.values = FANIN_VALUES_FIXED, .expect = expect_hadamard};
