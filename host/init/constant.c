/* zeros, ones and constant: the law of one value. */
#include "core/status.h"
#include "init/initializer.h"

static const fanin__parameter parameters[] = {FANIN__FINITE(value), FANIN__END};

fanin_status fanin__resolve_to(double value, fanin__distribution *out) {
  *out = (fanin__distribution){.law = {.kind = FANIN_LAW_KIND_CONSTANT, .value = value}};
  return FANIN_STATUS_OK;
}

fanin_init fanin__everywhere(double value) {
  return value == 0 && !signbit(value) ? fanin_zeros() : fanin_constant(value);
}

static fanin_status resolve(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  (void)roles;
  return fanin__resolve_to(init->value, out);
}

/* Zeros stay zeros, and ones become a constant. */
static fanin_status scale(fanin_init *init, double factor) {
  if (init->kind == FANIN_KIND_ONES) *init = fanin_constant(init->value);
  init->value *= factor;
  return FANIN_STATUS_OK;
}

/* What a kind has besides its description. */
#define ONE_VALUE(id, of_value, own_parameters)                                                                        \
  .defaults = {.kind = FANIN_KIND_##id, .value = (of_value)}, .parameters = (own_parameters), .resolve = resolve,      \
  .scale = scale

const fanin__initializer fanin__kind_zeros = {
    .description = {"zeros", "", "0", "", "definition", 0, 0, ""},
    ONE_VALUE(ZEROS, 0, fanin__no_parameters),
};
const fanin__initializer fanin__kind_ones = {
    .description = {"ones", "", "1", "", "definition", 0, 0, ""},
    ONE_VALUE(ONES, 1, fanin__no_parameters),
};
const fanin__initializer fanin__kind_constant = {
    .description = {"constant", "", "value", "value=0", "definition", 0, 0, ""},
    ONE_VALUE(CONSTANT, 0, parameters),
};

fanin_init fanin_zeros(void) {
  return fanin__kind_zeros.defaults;
}

fanin_init fanin_ones(void) {
  return fanin__kind_ones.defaults;
}

fanin_init fanin_constant(double value) {
  return (fanin_init){.kind = FANIN_KIND_CONSTANT, .value = value};
}

/* ---- The law ----------------------------------------------------------------------------------------------------- */

static fanin_moments expected(const fanin_law *law) {
  return (fanin_moments){.mean = law->value, .lo = law->value, .hi = law->value};
}

double fanin__step(const fanin_law *law, double x, bool upper) {
  return (x >= law->value) != upper;
}

const fanin__law fanin__law_constant = {.values = FANIN_VALUES_FIXED, .expected = expected, .probability = fanin__step};
