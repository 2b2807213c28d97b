/* Texts of initializers: what parses has a text of its own, which parses to the same bits. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "fanin/inspect.h"
#include "fanin/scheme.h"

static bool same_bits(double a, double b) {
  return memcmp(&a, &b, sizeof a) == 0;
}

static bool same(const fanin_init *a, const fanin_init *b) {
  return a->kind == b->kind && same_bits(a->value, b->value) && same_bits(a->lo, b->lo) && same_bits(a->hi, b->hi) &&
         same_bits(a->mean, b->mean) && same_bits(a->std, b->std) && same_bits(a->a, b->a) && same_bits(a->b, b->b) &&
         a->bounds == b->bounds && a->uncorrected == b->uncorrected && same_bits(a->gain, b->gain) &&
         same_bits(a->scale, b->scale) && a->mode == b->mode && a->distribution == b->distribution &&
         same_bits(a->sparsity, b->sparsity) && same_bits(a->connections, b->connections) && a->per == b->per &&
         same_bits(a->base, b->base) && a->form == b->form && same_bits(a->exponent, b->exponent) &&
         same_bits(a->zigzag, b->zigzag) && same_bits(a->period, b->period) && same_bits(a->shift, b->shift) &&
         same_bits(a->zigzag_exponent, b->zigzag_exponent) && a->half_open == b->half_open;
}

/* Returns the text's length; a text that does not fit is cut. */
static size_t format(const fanin_init *init, char *text, size_t capacity) {
  size_t length = 0;
  const fanin_status status = fanin_init_format(init, text, capacity, &length);
  FUZZ_REQUIRE(status == (capacity == 0 || length < capacity ? FANIN_STATUS_OK : FANIN_STATUS_BAD_SIZE));
  return length;
}

/* Times a factor it has a text too. */
static void scale(const fanin_init *init) {
  static const double factors[] = {1, 0.37, 1e-300, 1e300};
  char formatted[512], once_more[512];
  fanin_init scaled, again;
  for (size_t k = 0; k < sizeof factors / sizeof *factors; k++) {
    if (fanin_init_scaled(init, factors[k], &scaled) != FANIN_STATUS_OK) continue;
    format(&scaled, formatted, sizeof formatted);
    FUZZ_REQUIRE(fanin_init_parse(formatted, &again) == FANIN_STATUS_OK);
    format(&again, once_more, sizeof once_more); /* fields that the kind has not may differ */
    FUZZ_REQUIRE(strcmp(formatted, once_more) == 0);
    FUZZ_REQUIRE(factors[k] != 1 || same(init, &scaled));
  }
}

/* What needs no device takes it or has a sentence. */
static void use(const fanin_init *init) {
  static const uint64_t shape[] = {6, 4, 3};
  fanin_tensor t;
  FUZZ_REQUIRE(fanin_tensor_of(NULL, 0, FANIN_DTYPE_F16, "OIH", 3, shape, &t) == FANIN_STATUS_OK);
  fanin_moments moments;
  fanin_law law;
  const bool known = fanin_expect(&t, init, &moments, sizeof moments) == FANIN_STATUS_OK;
  FUZZ_REQUIRE(known || fanin_last_error()[0] != '\0');
  if (known) FUZZ_REQUIRE(moments.lo <= moments.hi && moments.std >= 0);
  (void)fanin_law_of(&t, init, &law);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = fuzz_text(data, size), formatted[512], cut[8];
  fanin_init init, again;
  const fanin_status status = fanin_init_parse(text, &init);
  if (status == FANIN_STATUS_OK) {
    const size_t length = format(&init, formatted, sizeof formatted);
    FUZZ_REQUIRE(length == strlen(formatted) && format(&init, NULL, 0) == length);
    FUZZ_REQUIRE(format(&init, cut, sizeof cut) == length && strncmp(cut, formatted, sizeof cut - 1) == 0);
    FUZZ_REQUIRE(fanin_init_parse(formatted, &again) == FANIN_STATUS_OK && same(&init, &again));
    use(&init);
    scale(&init);
  } else {
    FUZZ_REQUIRE(status == FANIN_STATUS_BAD_TEXT && fanin_last_error()[0] != '\0');
  }
  free(text);
  return 0;
}
