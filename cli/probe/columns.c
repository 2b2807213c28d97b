/* The numbers of a layer that 'fanin probe' shows, in one list for its table, JSON and CSV. A new field is one line
 * here.
 */
#include "probe/report.h"

#define FIELD(name, kind, ...)                                                                                         \
  { #name, kind, offsetof(fanin_probe_layer, name), __VA_ARGS__ }
#define HIDDEN NULL, NULL, 0, false

/* From left to right. The numbers at the end say which columns are left out first on a narrow terminal. */
const probe_column probe_columns[] = {
    FIELD(fan_in, KIND_COUNT, "fan_in", "", 0, false),
    FIELD(fan_out, KIND_COUNT, "fan_out", "", 0, false),
    FIELD(weight_mean, KIND_REAL, HIDDEN),
    FIELD(weight_mean_expected, KIND_REAL, HIDDEN),
    FIELD(weight_mean_z, KIND_Z, HIDDEN),
    FIELD(weight_std, KIND_REAL, "measured", "weight std", 3, false),
    FIELD(weight_std_expected, KIND_REAL, "expected", "weight std", 3, false),
    FIELD(weight_z, KIND_Z, "z", "weight std", 3, false),
    FIELD(overlap, KIND_REAL, HIDDEN),
    FIELD(q_measured, KIND_REAL, "measured", "forward q", 0, false),
    FIELD(q_predicted, KIND_REAL, "predicted", "forward q", 0, false),
    FIELD(q_z, KIND_Z, "z", "forward q", 0, false),
    FIELD(q_meanfield, KIND_REAL, HIDDEN),
    FIELD(q_sd, KIND_REAL, HIDDEN),
    FIELD(stream_measured, KIND_REAL, "measured", "stream", 1, true),
    FIELD(stream_meanfield, KIND_REAL, "by theory", "stream", 1, true),
    FIELD(g_measured, KIND_REAL, "measured", "backward G", 0, false),
    FIELD(g_predicted, KIND_REAL, "predicted", "backward G", 0, false),
    FIELD(g_z, KIND_Z, "z", "backward G", 0, false),
    FIELD(g_meanfield, KIND_REAL, HIDDEN),
    FIELD(g_sd, KIND_REAL, HIDDEN),
    FIELD(spread_measured, KIND_REAL, "measured", "spread", 7, false),
    FIELD(spread_predicted, KIND_REAL, "predicted", "spread", 7, false),
    FIELD(weight_gradient_measured, KIND_REAL, "measured", "weight gradient", 5, false),
    FIELD(weight_gradient_predicted, KIND_REAL, "predicted", "weight gradient", 5, false),
    FIELD(mean_measured, KIND_REAL, "mean", "activations h", 4, false),
    FIELD(mean_predicted, KIND_REAL, HIDDEN),
    FIELD(correlation_measured, KIND_REAL, "corr", "activations h", 4, false),
    FIELD(correlation_predicted, KIND_REAL, HIDDEN),
    FIELD(saturated_measured, KIND_PERCENT, "sat%", "activations h", 4, false),
    FIELD(saturated_predicted, KIND_REAL, HIDDEN),
    FIELD(dead_measured, KIND_PERCENT, "dead%", "activations h", 4, false),
    FIELD(dead_predicted, KIND_REAL, HIDDEN),
    FIELD(f16_overflow, KIND_PERCENT, "h inf%", "outside f16", 6, false),
    FIELD(f16_underflow, KIND_PERCENT, "h tiny%", "outside f16", 6, false),
    FIELD(f16_gradient_overflow, KIND_PERCENT, "G inf%", "outside f16", 6, false),
    FIELD(f16_gradient_underflow, KIND_PERCENT, "G tiny%", "outside f16", 6, false),
    FIELD(tied_rows, KIND_COUNT, HIDDEN),
    FIELD(tied_columns, KIND_COUNT, HIDDEN),
    FIELD(conforms, KIND_FLAG, "", "", 0, false),
};
const size_t probe_n_columns = sizeof probe_columns / sizeof *probe_columns;

double probe_number(const probe_column *c, const fanin_probe_layer *y) {
  const void *at = (const char *)y + c->offset;
  if (c->kind == KIND_COUNT) return (double)*(const uint64_t *)at;
  return c->kind == KIND_FLAG ? *(const int *)at != 0 : *(const double *)at;
}
