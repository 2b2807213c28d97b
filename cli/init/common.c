#include "init/common.h"

#include <math.h>

#include "fanin/inspect.h"

const common_init common_inits[] = {
    {"PyTorch's default", COMMON_FAN_IN, NULL, "pytorch_default", NULL},
    {"he", COMMON_FAN_IN, "he_normal", "he_uniform", "he_normal:distribution=trunc_normal"},
    {"he", COMMON_FAN_OUT, "he_normal:mode=fan_out", "he_uniform:mode=fan_out", NULL},
    {"xavier", COMMON_FANS, "xavier_normal", "xavier_uniform", "xavier_normal:distribution=trunc_normal"},
    {"lecun", COMMON_FAN_IN, "lecun_normal", "lecun_uniform", "lecun_normal:distribution=trunc_normal"},
    {"xavier with gain 5/3 (tanh)", COMMON_FANS, "xavier_normal:gain=1.6666666666666667",
     "xavier_uniform:gain=1.6666666666666667", NULL},
    {"std 1 (PyTorch's Embedding)", COMMON_NO_FAN, "normal", NULL, NULL},
    {"std 0.02 (GPT-2, BERT)", COMMON_NO_FAN, "normal:std=0.02", NULL, "trunc_normal:std=0.02"},
    {"std 0.01", COMMON_NO_FAN, "normal:std=0.01", NULL, "trunc_normal:std=0.01"},
    {"std 0.1", COMMON_NO_FAN, "normal:std=0.1", NULL, "trunc_normal:std=0.1"}};
const size_t n_common_inits = sizeof common_inits / sizeof *common_inits;

double common_std(const common_init *c, bool uniform, double fan_in, double fan_out) {
  const char *text = uniform ? c->uniform : c->normal;
  const uint64_t shape[2] = {(uint64_t)fan_out, (uint64_t)fan_in};
  fanin_tensor t;
  fanin_init init;
  fanin_moments moments;
  if (!text || fanin_init_parse(text, &init) != FANIN_STATUS_OK) return NAN;
  if (fanin_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, shape, &t) != FANIN_STATUS_OK) return NAN;
  return fanin_expect(&t, &init, &moments, sizeof moments) == FANIN_STATUS_OK ? moments.std : NAN;
}
