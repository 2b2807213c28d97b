/* What jansson does not have: numbers that may be NaN or too large for it, and printing. */
#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

json_t *json_from_double(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_from_u64(uint64_t value) {
  char text[32];
  snprintf(text, sizeof text, "%" PRIu64, value);
  return json_string(text);
}

json_t *json_from_shape(const uint64_t *shape, int rank) {
  json_t *array = json_array();
  for (int d = 0; d < rank; ++d)
    json_array_append_new(array, json_integer((json_int_t)shape[d]));
  return array;
}

int json_print(json_t *root, failure *why) {
  const int printed = json_dumpf(root, stdout, JSON_INDENT(2));
  json_decref(root);
  putchar('\n');
  return printed == 0 ? STATUS_OK : fail(why, STATUS_INPUT, "cannot write JSON to standard output");
}
