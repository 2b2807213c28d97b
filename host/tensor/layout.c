/* Layout letters: the role of each of a tensor's dimensions, and fan_in and fan_out from them. */
#include "tensor/layout.h"

#include <inttypes.h>
#include <string.h>

#include "core/argument.h"

/* Indices into `letters`. */
enum { LETTER_O, LETTER_I, LETTER_B, LETTER_G, LETTER_D, LETTER_H, LETTER_W, N_LETTERS };
static const char letters[] = "OIBGDHW";

/* Block indices have 62 bits (docs/stream.md), so has the number of elements with room to spare. The product leaves out
 * extents of 0: below this bound, no product of some of the extents can overflow, whichever are 0. */
static const uint64_t max_elements = (UINT64_C(1) << 62) - 1;

static fanin_status check_shape(const fanin_tensor *t, uint64_t *stride) {
  if (t->rank < 0 || t->rank > FANIN_MAX_RANK) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE, "rank is %d; accepted are 0 to %d", t->rank, FANIN_MAX_RANK);
  }
  uint64_t product = 1;
  for (int d = t->rank - 1; d >= 0; d--) {
    stride[d] = product;
    const uint64_t extent = t->shape[d] > 0 ? t->shape[d] : 1;
    if (extent > max_elements / product) {
      return fanin__fail(FANIN_STATUS_BAD_SIZE,
                         "shape[%d] = %" PRIu64
                         " makes the whole tensor too large; accepted are less than 2^62 elements",
                         d, t->shape[d]);
    }
    product *= extent;
  }
  return FANIN_STATUS_OK;
}

/* Where a letter stands. */
typedef struct place {
  int first; /* dimension; -1: the layout has it not */
  int times;
  uint64_t product; /* of the extents */
} place;

/* Finds each letter. No layout at all is accepted. */
static fanin_status find_letters(const fanin_tensor *t, place *of) {
  for (int k = 0; k < N_LETTERS; k++) {
    of[k] = (place){.first = -1, .product = 1};
  }
  const char *const end = memchr(t->layout, '\0', sizeof t->layout);
  if (!end) return fanin__fail(FANIN_STATUS_BAD_LAYOUT, "layout has more than %d letters", FANIN_MAX_RANK);
  const int length = (int)(end - t->layout);
  if (length != 0 && length != t->rank) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT,
                       "layout \"%s\" has %d letter%s, and the tensor has %d dimension%s; give one letter for each "
                       "dimension, or no layout",
                       t->layout, length, length == 1 ? "" : "s", t->rank, t->rank == 1 ? "" : "s");
  }
  for (int d = 0; d < length; d++) {
    const char *const letter = strchr(letters, t->layout[d]);
    if (!letter) {
      const char upper = (char)(t->layout[d] - 'a' + 'A'), *const meant = memchr(letters, upper, N_LETTERS);
      const char suggestion[] = {meant ? *meant : '\0', '\0'};
      return fanin__fail(FANIN_STATUS_BAD_LAYOUT, "layout \"%s\" has the letter '%c'%s%s%s are O, I, B, G, D, H and W",
                         t->layout, t->layout[d], meant ? ", did you mean " : "", suggestion,
                         meant ? "? Accepted" : "; accepted");
    }
    const int k = (int)(letter - letters);
    if (of[k].times > 0 && k > LETTER_B) {
      return fanin__fail(
          FANIN_STATUS_BAD_LAYOUT,
          "layout \"%s\" has the letter '%c' twice; once is accepted (O, I and B may stand for several dimensions)",
          t->layout, t->layout[d]);
    }
    if (of[k].times == 0) of[k].first = d;
    of[k].times++;
    of[k].product *= t->shape[d];
  }
  return FANIN_STATUS_OK;
}

/* G is an I of which each index is a group of its own. */
static fanin_status put_channels(const fanin_tensor *t, const place *of, fanin__roles *roles) {
  const place *const g = &of[LETTER_G];
  if (g->times == 0) return FANIN_STATUS_OK;
  if (roles->i >= 0) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT,
                       "layout \"%s\" has G and I; G takes the place of I where each input feature has outputs of its "
                       "own, and a dimension of groups beside I is B",
                       t->layout);
  }
  if (roles->o < 0) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT, "layout \"%s\" has G without O; accepted are layouts with both",
                       t->layout);
  }
  if (roles->groups > 1) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT,
                       "groups = %" PRIu64
                       " and layout \"%s\": the extent of G is the number of groups; leave groups out",
                       roles->groups, t->layout);
  }
  roles->i = g->first;
  roles->n_i = 1;
  roles->groups = g->product > 1 ? g->product : 1;
  roles->full_is_i = true;
  return FANIN_STATUS_OK;
}

static fanin_status check_divides(const char *name, uint64_t divisor, const fanin_tensor *t, int d) {
  if (t->shape[d] % divisor == 0) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                     "%s = %" PRIu64 " does not divide shape[%d] = %" PRIu64 " (%c of layout \"%s\")", name, divisor, d,
                     t->shape[d], t->layout[d], t->layout);
}

/* Splits divide O as it is stored; groups divide the dimension that counts all groups; where that is O, both do. */
static fanin_status check_divisors(const fanin_tensor *t, const fanin__roles *roles) {
  if (roles->groups > 1 && (roles->o < 0 || roles->i < 0)) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT, "groups = %" PRIu64 " needs a layout with O and I; layout is \"%s\"",
                       roles->groups, t->layout);
  }
  if (roles->splits > 1 && roles->o < 0) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT, "splits = %" PRIu64 " needs a layout with O; layout is \"%s\"",
                       roles->splits, t->layout);
  }
  if (roles->groups > 1 && (roles->n_o > 1 || roles->n_i > 1)) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT,
                       "groups = %" PRIu64 " needs a layout with O and I once each; layout is \"%s\"", roles->groups,
                       t->layout);
  }
  if (roles->splits > 1 && roles->n_o > 1) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT,
                       "splits = %" PRIu64
                       " needs a layout with O once; layout is \"%s\" (the fused matrices may have a "
                       "dimension B)",
                       roles->splits, t->layout);
  }
  if (roles->splits > 1) FANIN__TRY(check_divides("splits", roles->splits, t, roles->o));
  if (roles->groups > 1) FANIN__TRY(check_divides("groups", roles->groups, t, roles->full_is_i ? roles->i : roles->o));
  if (roles->groups > 1 && roles->splits > 1 && !roles->full_is_i) {
    FANIN__TRY(check_divides("groups * splits", roles->groups * roles->splits, t, roles->o));
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin__roles_of(const fanin_tensor *t, fanin__roles *roles) {
  FANIN__NEED(t);
  FANIN__NEED_RESERVED("tensor", t->reserved);

  *roles = (fanin__roles){.groups = t->groups > 1 ? t->groups : 1, .splits = t->splits > 1 ? t->splits : 1};
  FANIN__TRY(check_shape(t, roles->stride));
  place of[N_LETTERS];
  FANIN__TRY(find_letters(t, of));
  roles->o = of[LETTER_O].first;
  roles->i = of[LETTER_I].first;
  roles->n_o = of[LETTER_O].times;
  roles->n_i = of[LETTER_I].times;
  roles->stacks = of[LETTER_B].times;
  roles->full_is_i = t->layout[0] == 'I';
  FANIN__TRY(put_channels(t, of, roles));
  uint64_t taps = 1;
  for (int letter = LETTER_D; letter <= LETTER_W; letter++) {
    if (of[letter].first < 0) continue;
    roles->taps[roles->n_taps++] = of[letter].first;
    taps *= of[letter].product;
  }
  roles->spatial = taps;
  FANIN__TRY(check_divisors(t, roles));
  if (roles->o < 0 || roles->i < 0) return FANIN_STATUS_OK;

  /* One group's features, one split's outputs. */
  const uint64_t inputs = of[of[LETTER_G].times > 0 ? LETTER_G : LETTER_I].product;
  roles->fan_in = inputs / (roles->full_is_i ? roles->groups : 1) * taps;
  roles->fan_out = of[LETTER_O].product / (roles->full_is_i ? 1 : roles->groups) / roles->splits * taps;
  return FANIN_STATUS_OK;
}

fanin_status fanin__need_once(const fanin__roles *roles, const char *kind, bool stack) {
  const struct {
    char letter;
    int times;
  } all[] = {{'O', roles->n_o}, {'I', roles->n_i}, {'B', stack ? roles->stacks : 0}};
  for (int k = 0; k < 3; k++) {
    if (all[k].times <= 1) continue;
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT,
                       "%s: the layout has the letter %c %d times; once is accepted here: give these dimensions as one",
                       kind, all[k].letter, all[k].times);
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin_fans(const fanin_tensor *t, uint64_t *fan_in, uint64_t *fan_out) {
  fanin__roles roles;
  FANIN__NEED(t, fan_in, fan_out);
  FANIN__TRY(fanin__roles_of(t, &roles));
  if (roles.o < 0 || roles.i < 0) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT, "layout \"%s\" has no fans; accepted are layouts with O and I",
                       t->layout);
  }
  *fan_in = roles.fan_in;
  *fan_out = roles.fan_out;
  return FANIN_STATUS_OK;
}
