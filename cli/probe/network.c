/* What the layers of the network that is probed are, as far as the command must know it. */
#include "probe/report.h"

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
