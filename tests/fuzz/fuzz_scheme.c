/* Texts of schemes: what parses is a positive and finite factor. */
#include <math.h>
#include <stdlib.h>

#include "fuzz.h"

#include "fanin/scheme.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const fanin_tensor with_fans = {.rank = 3, .shape = {6, 4, 3}, .layout = "OIH"};
  static const fanin_tensor without = {.rank = 3, .shape = {6, 4, 3}};
  const fanin_tensor *const tensors[] = {&with_fans, &without, NULL};
  char *text = fuzz_text(data, size);
  for (size_t k = 0; k < sizeof tensors / sizeof *tensors; k++) {
    double factor = NAN;
    if (fanin_scheme_factor(text, tensors[k], &factor) == FANIN_STATUS_OK)
      FUZZ_REQUIRE(factor > 0 && isfinite(factor));
    else
      FUZZ_REQUIRE(fanin_last_error()[0] != '\0');
  }
  free(text);
  return 0;
}
