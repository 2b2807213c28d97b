/* What the layers of a network are: all that a configuration says of their shape and of what connects them. */
#include <inttypes.h>

#include "core/argument.h"
#include "probe/mlp.h"

bool fanin__is_block_end(const fanin_probe_config *config, size_t l) {
  return config->block != FANIN_BLOCK_NONE && l % 2 == 0 && l + 1 < config->n_widths;
}

/* Layer l's unit; that of the last layer and at the end of a block is the identity. */
static fanin__unit unit_at(const fanin_probe_config *config, size_t l) {
  fanin__unit unit = {.activation = fanin__activation_at(0)};
  const bool hidden = l > 0 && l + 1 < config->n_widths;
  if (hidden && !fanin__is_block_end(config, l)) (void)fanin__unit_of(config->activation, config->slope, &unit);
  return unit;
}

uint64_t fanin__rows_of(const fanin_probe_config *config, size_t l) {
  return unit_at(config, l).gated ? 2 * config->widths[l] : config->widths[l];
}

/* From where layer l >= 1 takes what is added to its output; l itself: nothing is. */
static size_t skip_of(const fanin_probe_config *config, size_t l) {
  if (l + 1 >= config->n_widths) return l;
  if (fanin__is_block_end(config, l)) return l - 2;
  return config->residual && config->widths[l] == config->widths[l - 1] ? l - 1 : l;
}

void fanin__network_of(const fanin_probe_config *config, fanin__stage *stages) {
  for (size_t l = 0; l < config->n_widths; l++) {
    const bool hidden = l > 0 && l + 1 < config->n_widths;
    const fanin__unit unit = unit_at(config, l);
    const uint64_t gate = unit.gated ? config->widths[l] : 0;
    const size_t from = l > 0 ? skip_of(config, l) : 0;
    stages[l] = (fanin__stage){.width = config->widths[l],
                               .rows = config->widths[l] + gate,
                               .activation = unit.activation,
                               .gate = gate,
                               .norm = hidden ? config->norm : FANIN_NORM_NONE,
                               .divided = fanin__is_block_end(config, l),
                               .skip = from != l,
                               .from = from};
    if (from != l) stages[from].to = l;
  }
}

/* ---- What can be wrong ------------------------------------------------------------------------------------------- */

static fanin_status check_block(const fanin_probe_config *config) {
  const uint64_t *const widths = config->widths;
  if (config->block != FANIN_BLOCK_PRE_NORM && config->block != FANIN_BLOCK_POST_NORM) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "block is %d; FANIN_BLOCK_NONE, _PRE_NORM and _POST_NORM are accepted", (int)config->block);
  }
  if (config->norm != FANIN_NORM_NONE || config->residual) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "norm is %d and residual is %d; with blocks, which have both, they must be 0", (int)config->norm,
                       config->residual);
  }
  if (config->n_widths % 2 != 0) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "n_widths is %zu; with blocks it is even: the input, two layers a block, and the last layer",
                       config->n_widths);
  }
  for (size_t l = 2; l + 1 < config->n_widths; l += 2) {
    if (widths[l] == widths[0]) continue;
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "widths[%zu] is %" PRIu64 " and widths[0] is %" PRIu64
                       "; a block adds its output to its input, so that they must be equal",
                       l, widths[l], widths[0]);
  }
  for (size_t l = 0; l + 1 < config->n_widths; l += 2) {
    if (widths[l] > 1) continue;
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "widths[%zu] is 1; what blocks divide by needs at least 2 features",
                       l);
  }
  return FANIN_STATUS_OK;
}

/* What there must be before anything else is asked of a network. */
static fanin_status check_widths(const fanin_probe_config *config) {
  if (config->n_widths < 2) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "n_widths is %zu; an input and at least one layer make 2",
                       config->n_widths);
  }
  FANIN__NEED(config->widths);
  FANIN__NEED(config->activation);
  for (size_t l = 0; l < config->n_widths; l++) {
    if (config->widths[l] == 0)
      return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "widths[%zu] is 0; it must be at least 1", l);
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin__network_check(const fanin_probe_config *config) {
  fanin__unit unit;
  FANIN__TRY(check_widths(config));
  FANIN__TRY(fanin__unit_of(config->activation, config->slope, &unit));
  if (unit.gated && config->norm != FANIN_NORM_NONE) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "norm is %d and the activation is %s; before a gated unit there is no norm: give "
                       "FANIN_NORM_NONE, or a block",
                       (int)config->norm, config->activation);
  }
  return config->block == FANIN_BLOCK_NONE ? FANIN_STATUS_OK : check_block(config);
}

fanin_status fanin_probe_rows(const fanin_probe_config *theirs, size_t l, uint64_t *rows) {
  fanin_probe_config config;
  FANIN__TRY(fanin__take_config("config", "FANIN_PROBE_CONFIG_INIT", theirs, &config, sizeof config));
  FANIN__NEED(rows);
  FANIN__TRY(fanin__network_check(&config));
  if (l == 0 || l >= config.n_widths) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "l is %zu; the layers are 1 to %zu", l, config.n_widths - 1);
  }
  *rows = fanin__rows_of(&config, l);
  return FANIN_STATUS_OK;
}
