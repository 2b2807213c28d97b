/* Initializers: the table of all kinds, and what is done by the table for each of them. */
#include "init/initializer.h"

#include <string.h>

#include "core/argument.h"
#include "fanin/scheme.h"

static const fanin__initializer *const table[FANIN_KIND_COUNT] = {
#define ROW(id, name) &fanin__kind_##name,
    FANIN_KIND_MAP(ROW)
#undef ROW
};

const fanin__initializer *fanin__initializer_of(fanin_kind kind) {
  if ((unsigned)kind < FANIN_KIND_COUNT) return table[kind];
  fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "kind is %d; 0 to %d are accepted", (int)kind, FANIN_KIND_COUNT - 1);
  return NULL;
}

fanin_status fanin_describe(fanin_kind kind, fanin_description *out, size_t size) {
  const fanin__initializer *const initializer = fanin__initializer_of(kind);
  if (!initializer) return FANIN_STATUS_BAD_ARGUMENT;
  return fanin__give(out, size, &initializer->description, sizeof initializer->description);
}

/* ---- Fields ------------------------------------------------------------------------------------------------------ */

bool fanin__has_gain(const fanin__initializer *initializer) {
  for (const fanin__parameter *p = initializer->parameters; p->name; p++) {
    if (p->type == FANIN__GAIN) return true;
  }
  return false;
}

/* Whether a parameter's field is 0 and means another number, its default. */
static bool means_default(const fanin__initializer *initializer, const fanin__parameter *p, const fanin_init *init) {
  return p->type != FANIN__CHOICE && fanin__number_at(init, p->offset) == 0 &&
         fanin__number_at(init, p->with[0]) == 0 && fanin__number_at(init, p->with[1]) == 0 &&
         fanin__number_at(&initializer->defaults, p->offset) != 0;
}

fanin_init fanin__used_fields(const fanin__initializer *initializer, const fanin_init *init) {
  fanin_init used = initializer->defaults;
  for (const fanin__parameter *p = initializer->parameters; p->name; p++) {
    const size_t size = p->type == FANIN__CHOICE ? sizeof(int) : sizeof(double);
    if (means_default(initializer, p, init)) continue;
    memcpy((char *)&used + p->offset, (const char *)init + p->offset, size);
  }
  return used;
}

fanin_init fanin__explicit(const fanin_init *init) {
  const fanin__initializer *const initializer = table[init->kind];
  if (initializer->explicit) return initializer->explicit(init);
  if (init->gain == 0 && fanin__has_gain(initializer)) return fanin__everywhere(0);
  return fanin__used_fields(initializer, init);
}

/* ---- Checks ------------------------------------------------------------------------------------------------------ */

fanin_status fanin__check_values(const fanin_init *init, fanin_status status) {
  const fanin__initializer *const initializer = table[init->kind];
  for (const fanin__parameter *p = initializer->parameters; p->name; p++)
    FANIN__TRY(fanin__check_parameter(initializer->description.name, init, p, status));
  return initializer->check ? initializer->check(init, status) : FANIN_STATUS_OK;
}

fanin_status fanin__check_init(const fanin_init *init, fanin_status status) {
  FANIN__NEED(init);
  FANIN__NEED_RESERVED("init", init->reserved);
  const fanin__initializer *const initializer = fanin__initializer_of(init->kind);
  if (!initializer) return FANIN_STATUS_BAD_ARGUMENT;
  const fanin_init used = fanin__used_fields(initializer, init);
  return fanin__check_values(&used, status);
}

/* ---- On a tensor ------------------------------------------------------------------------------------------------- */

fanin_status fanin__resolve(const fanin_tensor *t, const fanin_init *init, fanin__distribution *out) {
  FANIN__TRY(fanin__check_init(init, FANIN_STATUS_BAD_ARGUMENT));
  const fanin__initializer *const initializer = fanin__initializer_of(init->kind);
  const fanin_description *const description = &initializer->description;
  fanin__roles roles = {.o = -1, .i = -1};
  if (description->needs_fans) {
    FANIN__TRY(fanin__roles_of(t, &roles));
    if (roles.o < 0 || roles.i < 0) {
      return fanin__fail(FANIN_STATUS_BAD_LAYOUT, "%s needs a layout with O and I; layout is \"%s\"", description->name,
                         t->layout);
    }
  }
  const fanin_init used = fanin__used_fields(initializer, init);
  FANIN__TRY(initializer->resolve(&used, &roles, out));
  return initializer->fit ? initializer->fit(t, out) : FANIN_STATUS_OK;
}

/* ---- Times a factor ---------------------------------------------------------------------------------------------- */

fanin_status fanin_init_scaled(const fanin_init *init, double factor, fanin_init *out) {
  FANIN__NEED(init, out);
  if (!(factor > 0 && factor < INFINITY)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "factor is %g; a finite number above 0 is accepted", factor);
  }
  FANIN__TRY(fanin__check_init(init, FANIN_STATUS_BAD_ARGUMENT));
  if (factor == 1) {
    *out = *init;
    return FANIN_STATUS_OK;
  }
  const fanin__initializer *const initializer = fanin__initializer_of(init->kind);
  fanin_init scaled = fanin__used_fields(initializer, init);
  if (initializer->scale) {
    FANIN__TRY(initializer->scale(&scaled, factor));
  } else {
    double *const all[] = {&scaled.gain, &scaled.lo, &scaled.hi, &scaled.mean, &scaled.std};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
      *all[k] *= factor;
  }
  scaled = fanin__explicit(&scaled); /* a product may be 0 */
  FANIN__TRY(fanin__check_init(&scaled, FANIN_STATUS_BAD_ARGUMENT));
  *out = scaled;
  return FANIN_STATUS_OK;
}
