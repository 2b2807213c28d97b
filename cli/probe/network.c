/* What the layers of the network that is probed are, as far as the command must know it. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "probe/report.h"

/* ---- --mlp ------------------------------------------------------------------------------------------------------- */

/* The length of the item that begins here: up to the next comma outside parentheses. */
static size_t item_length(const char *at) {
  const size_t plain = strcspn(at, ",("), close = at[plain] == '(' ? strcspn(at + plain, ")") : 0;
  return at[plain] == '(' ? plain + close + strcspn(at + plain + close, ",") : plain;
}

/* Reads "256", "48x256" or "12x(3072,768)" and appends what it stands for. */
static int read_item(const char *name, const char *value, const char *at, size_t length, uint64_t *widths, size_t *n,
                     failure *why) {
  const char *x = memchr(at, 'x', length);
  uint64_t times = 1, some[PROBE_MAX_WIDTHS];
  size_t count = 0;
  if (x && (!args_u64(at, (size_t)(x - at), &times) || times == 0)) {
    return args_fail(why, "%s '%s': '%.*s' does not begin with how often; write 12x256, or 12x(3072,768)", name, value,
                     (int)length, at);
  }
  const char *list = x ? x + 1 : at, *end = at + length;
  if (x && *list == '(' && end[-1] == ')') {
    ++list;
    --end;
  }
  char *text = copy_text(list, (size_t)(end - list));
  const int status = args_sizes(name, text, ',', some, PROBE_MAX_WIDTHS, &count, why);
  free(text);
  if (status != STATUS_OK) return status;
  if (times > (PROBE_MAX_WIDTHS - *n) / count) {
    return args_fail(why, "%s '%s': at most %d widths are accepted", name, value, PROBE_MAX_WIDTHS);
  }
  for (uint64_t k = 0; k < times; ++k, *n += count)
    memcpy(widths + *n, some, count * sizeof *some);
  return STATUS_OK;
}

int probe_read_network(const char *name, const char *value, uint64_t *widths, size_t *n, failure *why) {
  int status = STATUS_OK;
  *n = 0;
  for (const char *at = value; at && status == STATUS_OK;) {
    const size_t length = item_length(at);
    status = read_item(name, value, at, length, widths, n, why);
    at = at[length] == ',' ? at + length + 1 : NULL;
  }
  return status;
}

/* ---- Layers ------------------------------------------------------------------------------------------------------ */

int probe_check_network(const probe_request *r, failure *why) {
  uint64_t rows;
  return library_status(why, fanin_probe_rows(&r->config, 1, &rows), "--mlp");
}

uint64_t probe_rows(const probe_request *r, size_t l) {
  uint64_t rows = r->widths[l + 1];
  (void)fanin_probe_rows(&r->config, l + 1, &rows); /* the network was checked */
  return rows;
}

uint64_t probe_features(const probe_request *r, size_t l, size_t layers, uint64_t rows) {
  enum { PAIR = 2 }; /* features that any layer may have */
  uint64_t widths[PROBE_MAX_WIDTHS + 1], of_pair = PAIR;
  fanin_probe_config config = r->config;
  for (size_t i = 0; i < PROBE_MAX_WIDTHS + 1; ++i)
    widths[i] = PAIR;
  config.widths = widths;
  config.n_widths = layers + 1;
  (void)fanin_probe_rows(&config, l + 1, &of_pair); /* a network that blocks do not fit is refused when it is whole */
  return rows % (of_pair / PAIR) == 0 ? rows / (of_pair / PAIR) : 0;
}
