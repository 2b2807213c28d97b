/* Doubles as text, with a point whatever the locale says. */
#include "math/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The locale's decimal separator, which may have several bytes; printf tells it safely among threads. */
static void separator(char *out, size_t size) {
  char half[16];
  snprintf(half, sizeof half, "%.1f", 0.5);
  snprintf(out, size, "%.*s", (int)strlen(half) - 2, half + 1);
}

bool fanin__number_parse(const char *text, size_t length, double *out) {
  static const char accepted[] = "0123456789abcdefABCDEFxXpP.+-";
  char copy[128], point[16];
  const size_t sign = length > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  if (length - sign == 3 && memcmp(text + sign, "inf", 3) == 0) {
    *out = text[0] == '-' ? -INFINITY : INFINITY;
    return true;
  }
  if (length == sign || !strchr("0123456789.", text[sign])) return false;
  separator(point, sizeof point);
  size_t n = 0;
  for (size_t k = 0; k < length; k++) {
    const char *const piece = text[k] == '.' ? point : text + k;
    const size_t bytes = text[k] == '.' ? strlen(point) : 1;
    if (!strchr(accepted, text[k]) || n + bytes >= sizeof copy) return false;
    memcpy(copy + n, piece, bytes);
    n += bytes;
  }
  copy[n] = '\0';
  char *end;
  const double value = strtod(copy, &end);
  if (*end != '\0' || isinf(value)) return false;
  *out = value;
  return true;
}

void fanin__number_format(double value, char text[FANIN__NUMBER_SIZE]) {
  char local[FANIN__NUMBER_SIZE];
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(local, sizeof local, "%.*g", digits, value);
    const double back = strtod(local, NULL);
    if (memcmp(&back, &value, sizeof back) == 0) break;
  }
  /* Whatever is no digit, sign or letter is the separator. */
  size_t n = 0;
  for (const char *at = local; *at; at++) {
    const bool plain = strchr("0123456789+-einfa", *at) != NULL;
    if (plain || (n > 0 && text[n - 1] != '.')) text[n++] = plain ? *at : '.';
  }
  text[n] = '\0';
}
