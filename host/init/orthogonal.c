/* orthogonal and delta_orthogonal: random matrices whose rows or columns are orthonormal. */
#include "core/status.h"
#include "init/initializer.h"
#include "tensor/boxes.h"

static const fanin__parameter parameters[] = {FANIN__GAIN_FROM(0), FANIN__END};

static fanin_status resolve(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  FANIN__TRY(fanin__need_once(roles, "orthogonal", true));
  *out = (fanin__distribution){.law = {.kind = FANIN_LAW_KIND_ORTHOGONAL, .value = init->gain}};
  return FANIN_STATUS_OK;
}

/* Shorter inputs could not all keep their length. */
static fanin_status resolve_delta(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  FANIN__TRY(fanin__need_once(roles, "delta_orthogonal", true));
  FANIN__TRY(fanin__need_taps(roles, "delta_orthogonal", " (orthogonal's is O and I)"));
  if (roles->fan_in > roles->fan_out) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                       "delta_orthogonal: fan_in is %llu and fan_out is %llu; a fan_in of fan_out or less is accepted, "
                       "since fewer outputs cannot keep a length",
                       (unsigned long long)roles->fan_in, (unsigned long long)roles->fan_out);
  }
  FANIN__TRY(resolve(init, roles, out));
  out->centre = true;
  return FANIN_STATUS_OK;
}

const fanin__initializer fanin__kind_orthogonal = {
    .description = {"orthogonal", "semi_orthogonal",
                    "gain times a uniformly random (Haar) matrix of O rows and I * taps columns, of which the fewer "
                    "are orthonormal; std = gain / sqrt(the more)",
                    "gain=1",
                    "Saxe, McClelland & Ganguli 2013; Stewart 1980 (product of reflectors); Mezzadri 2007 (Haar)", 1, 1,
                    ""},
    FANIN__OF_GAIN(ORTHOGONAL, resolve),
};
const fanin__initializer fanin__kind_delta_orthogonal = {
    .description = {"delta_orthogonal", "",
                    "at the centre tap gain times a uniformly random (Haar) matrix of O rows and I <= O "
                    "orthonormal columns, else 0",
                    "gain=1", "Xiao et al. 2018, algorithm 1", 1, 1, ""},
    FANIN__OF_GAIN(DELTA_ORTHOGONAL, resolve_delta),
};

fanin_init fanin_orthogonal(double gain) {
  return fanin__explicit(&(fanin_init){.kind = FANIN_KIND_ORTHOGONAL, .gain = gain});
}

fanin_init fanin_delta_orthogonal(double gain) {
  return fanin__explicit(&(fanin_init){.kind = FANIN_KIND_DELTA_ORTHOGONAL, .gain = gain});
}

/* ---- The law ----------------------------------------------------------------------------------------------------- */

/* A Haar matrix's rows or columns, whichever are fewer, are uniform on the sphere in n dimensions, n being the longer
 * extent: a coordinate q has E q^2 = 1 / n and E q^4 = 3 / (n (n + 2)). */
static fanin_status expect(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  fanin__matrices m;
  FANIN__TRY(fanin__matrices_of(t, &m));
  const fanin__sides made = fanin__sides_of(&m, d->centre), all = fanin__sides_of(&m, false);
  *out = (fanin_moments){.lo = -d->law.value, .hi = d->law.value};
  if (made.width == 0 || all.width == 0) return FANIN_STATUS_OK;
  const double n = (double)made.height, entries = (double)all.width * (double)all.height;
  const double share = n * (double)made.width / entries; /* of entries that are not 0 */
  out->std = d->law.value * sqrt(share / n);
  out->kurtosis = 3 * n / (n + 2) / share;
  return FANIN_STATUS_OK;
}

const fanin__law fanin__law_orthogonal = {.values = FANIN_VALUES_DEPENDENT, .expect = expect};
