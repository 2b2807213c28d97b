/* A tensor's layout as one text: "OIHW", "OIHW,groups=32", "IO,splits=3". */
#include "formats/layout.h"

#include <stdio.h>
#include <string.h>

#include "base/args.h"

char *layout_format(const fanin_tensor *t, char out[LAYOUT_TEXT]) {
  int used = snprintf(out, LAYOUT_TEXT, "%s", t->layout);
  if (t->groups > 1) used += snprintf(out + used, LAYOUT_TEXT - (size_t)used, ",groups=%u", (unsigned)t->groups);
  if (t->splits > 1) snprintf(out + used, LAYOUT_TEXT - (size_t)used, ",splits=%u", (unsigned)t->splits);
  return out;
}

fanin_tensor layout_none(fanin_dtype dtype, int rank, const uint64_t *shape) {
  fanin_tensor t = {.dtype = dtype, .rank = rank};
  memcpy(t.shape, shape, (size_t)rank * sizeof *shape);
  return t;
}

/* "groups=32" */
static bool parse_count(const char *text, size_t length, const char *name, uint32_t *out) {
  const size_t n = strlen(name);
  uint64_t value;
  if (length <= n || strncmp(text, name, n) != 0 || !args_u64(text + n, length - n, &value)) return false;
  if (value < 1 || value > UINT32_MAX) return false;
  *out = (uint32_t)value;
  return true;
}

bool layout_parse(const char *text, size_t length, fanin_tensor *t) {
  const char *end = text + length, *comma = memchr(text, ',', length);
  const size_t letters = (size_t)((comma ? comma : end) - text);
  if (letters > FANIN_MAX_RANK) return false;
  memcpy(t->layout, text, letters);
  t->layout[letters] = '\0';
  t->groups = t->splits = 1;
  while (comma) {
    const char *item = comma + 1;
    comma = memchr(item, ',', (size_t)(end - item));
    const size_t n = (size_t)((comma ? comma : end) - item);
    if (!parse_count(item, n, "groups=", &t->groups) && !parse_count(item, n, "splits=", &t->splits)) return false;
  }
  return true;
}
