/* Numbers as people read them. */
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/failure.h"
#include "fanin/scheme.h"

char *text_count(uint64_t count, char out[TEXT_NUMBER]) {
  char digits[TEXT_NUMBER];
  const int n = snprintf(digits, sizeof digits, "%" PRIu64, count);
  char *to = out;
  for (int i = 0; i < n; ++i) {
    if (i > 0 && (n - i) % 3 == 0) *to++ = ',';
    *to++ = digits[i];
  }
  *to = '\0';
  return out;
}

int text_compare(const void *left, const void *right) {
  const char *const *l = left, *const *r = right;
  return strcmp(*l, *r);
}

const char *text_plural(uint64_t count) {
  return count == 1 ? "" : "s";
}

static char *in_units(uint64_t bytes, double step, const char *const *units, size_t n_units, char *out) {
  double value = (double)bytes;
  size_t unit = 0;
  while (value >= step && unit + 1 < n_units) {
    value /= step;
    ++unit;
  }
  snprintf(out, TEXT_NUMBER, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return out;
}

char *text_bytes(uint64_t bytes, char out[TEXT_NUMBER]) {
  static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  return in_units(bytes, 1000.0, units, sizeof units / sizeof *units, out);
}

char *text_memory(uint64_t bytes, char out[TEXT_NUMBER]) {
  static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
  return in_units(bytes, 1024.0, units, sizeof units / sizeof *units, out);
}

char *text_duration(uint64_t seconds, char out[TEXT_NUMBER]) {
  const unsigned long long s = seconds % 60, minutes = seconds / 60 % 60, hours = seconds / 3600;
  if (hours > 0)
    snprintf(out, TEXT_NUMBER, "%llu h %llu min", hours, minutes);
  else if (minutes > 0)
    snprintf(out, TEXT_NUMBER, "%llu min %llu s", minutes, s);
  else
    snprintf(out, TEXT_NUMBER, "%llu s", s);
  return out;
}

char *text_shape(const uint64_t *shape, int rank, char out[TEXT_SHAPE]) {
  size_t used = 0;
  snprintf(out, TEXT_SHAPE, "scalar");
  for (int d = 0; d < rank; ++d) {
    const int n = snprintf(out + used, TEXT_SHAPE - used, "%s%" PRIu64, d > 0 ? "x" : "", shape[d]);
    if (n < 0 || (size_t)n >= TEXT_SHAPE - used) {
      memcpy(out + TEXT_SHAPE - 4, "...", 4);
      break;
    }
    used += (size_t)n;
  }
  return out;
}

char *text_real(double value, char out[TEXT_NUMBER]) {
  snprintf(out, TEXT_NUMBER, isnan(value) ? "-" : "%.5g", value);
  return out;
}

char *text_z(double z, char out[TEXT_NUMBER]) {
  snprintf(out, TEXT_NUMBER, isnan(z) ? "-" : fabs(z) < 1e4 ? "%+.2f" : "%+.2g", z);
  return out;
}

char *text_short(char *text) {
  enum { LONG = 8 };
  char *to = text;
  for (char *from = text; *from;) {
    const int begins = isdigit((unsigned char)*from) && (from == text || !isalnum((unsigned char)from[-1]));
    char *end = from;
    const double value = begins ? strtod(from, &end) : 0;
    char number[TEXT_NUMBER];
    if (end - from < LONG) { /* also where it is no number */
      do {
        *to++ = *from++;
      } while (from < end);
      continue;
    }
    const int length = snprintf(number, sizeof number, "%.5g", value);
    memmove(to, number, (size_t)length); /* no longer than the number was */
    to += length;
    from = end;
  }
  *to = '\0';
  return text;
}

char *text_plain(char *text, char kept) {
  for (unsigned char *c = (unsigned char *)text; *c; ++c) {
    const int second = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0; /* U+0080 to U+009F in UTF-8 */
    if (second) c[1] = '?';
    if (second || ((*c < 0x20 || *c == 0x7f) && *c != (unsigned char)kept)) *c = '?';
  }
  return text;
}

char *text_known(const char *name, const char *const *names, size_t n, const char *are, char out[TEXT_KNOWN]) {
  size_t nearest = n;
  (void)fanin_nearest_name(name, names, n, &nearest);
  int used = nearest < n
                 ? snprintf(out, TEXT_KNOWN, ", did you mean %s? %c%s", names[nearest], toupper(are[0]), are + 1)
                 : snprintf(out, TEXT_KNOWN, "; %s", are);
  for (size_t k = 0; k < n; ++k) {
    enum { OTHERS = sizeof " and 18446744073709551615 others" };
    const int room = TEXT_KNOWN - used - (k + 1 < n ? OTHERS : 0);
    if ((int)strlen(names[k]) + 3 > room) {
      snprintf(out + used, (size_t)(TEXT_KNOWN - used), " and %zu other%s", n - k, text_plural(n - k));
      break;
    }
    used += snprintf(out + used, (size_t)(TEXT_KNOWN - used), "%s %s", k > 0 ? "," : "", names[k]);
  }
  return out;
}

size_t text_columns(const char *text, size_t length) {
  size_t n = 0;
  for (size_t i = 0; i < length; ++i)
    n += ((unsigned char)text[i] & 0xc0) != 0x80;
  return n;
}

size_t text_width(const char *text) {
  return text_columns(text, strlen(text));
}

char *text_format(const char *format, va_list arguments) {
  char text[1024];
  vsnprintf(text, sizeof text, format, arguments);
  return copy_text(text_plain(text, '\0'), strlen(text));
}
