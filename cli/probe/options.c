/* The options of 'fanin probe' and what they mean together. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/commands.h"
#include "base/dtype.h"
#include "base/text.h"
#include "formats/tensor_file.h"
#include "probe/options.h"
#include "probe/report.h"

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* Finds a word in a list; *out is its index. */
static int take_word(const char *name, const char *value, const char *const *words, size_t n, size_t *out,
                     failure *why) {
  char known[TEXT_KNOWN];
  for (size_t i = 0; i < n; ++i) {
    if (strcmp(value, words[i]) != 0) continue;
    *out = i;
    return STATUS_OK;
  }
  return args_fail(why, "%s is '%s'%s", name, value, text_known(value, words, n, "accepted are", known));
}

static int take_norm(probe_request *r, const char *value, failure *why) {
  static const char *const words[] = {"layer", "batch"};
  static const fanin_norm norms[] = {FANIN_NORM_LAYER, FANIN_NORM_BATCH};
  size_t i = 0;
  const int status = take_word("--norm", value, words, 2, &i, why);
  if (status == STATUS_OK) r->config.norm = norms[i];
  return status;
}

static int take_requirement(probe_request *r, const char *value, failure *why) {
  static const char *const words[] = {
      [REQUIRE_BOTH] = "both", [REQUIRE_CONFORMS] = "conforms", [REQUIRE_HEALTHY] = "healthy", [REQUIRE_NONE] = "none"};
  size_t i = 0;
  const int status = take_word("--require", value, words, sizeof words / sizeof *words, &i, why);
  if (status == STATUS_OK) r->require = (probe_requirement)i;
  return status;
}

static int take_criterion(probe_request *r, const char *value, failure *why) {
  static const char *const words[] = {"variance", "second_moment"};
  static const fanin_criterion criteria[] = {FANIN_CRITERION_VARIANCE, FANIN_CRITERION_SECOND_MOMENT};
  size_t i = 0;
  const int status = take_word("--criterion", value, words, 2, &i, why);
  if (status == STATUS_OK) r->calibration.criterion = criteria[i];
  return status;
}

static int take_init(probe_request *r, const char *value, failure *why) {
  if (!r->has_init) r->n_inits = 0; /* the default is replaced */
  r->has_init = true;
  if (r->n_inits == PROBE_MAX_INITS) {
    return args_fail(why, "--init '%s': at most %d initializers are compared in one run", value, PROBE_MAX_INITS);
  }
  r->init_texts[r->n_inits] = value;
  const fanin_status parsed = fanin_init_parse(value, &r->inits[r->n_inits]);
  if (parsed != FANIN_STATUS_OK) return fail_library(why, parsed, "--init");
  ++r->n_inits;
  return STATUS_OK;
}

static int take_activation(probe_request *r, const char *value, failure *why) {
  double gain;
  r->config.activation = value;
  const fanin_status known = fanin_gain(value, 0.01, FANIN_CRITERION_SECOND_MOMENT, &gain);
  return known == FANIN_STATUS_OK ? STATUS_OK : fail_library(why, known, "--activation");
}

static int take_suggestion(probe_request *r, const char *value, failure *why) {
  double gain;
  r->suggest = value;
  const fanin_status known = fanin_gain(value, 0.01, FANIN_CRITERION_SECOND_MOMENT, &gain);
  return known == FANIN_STATUS_OK ? STATUS_OK : fail_library(why, known, "--suggest");
}

static int take_iterations(probe_request *r, const char *value, failure *why) {
  uint64_t n;
  const int status = args_number("--iterations", value, &n, why);
  if (status != STATUS_OK) return status;
  if (n < 1 || n > 1000000) return args_fail(why, "--iterations %s: give 1 to 1000000", value);
  r->calibration.max_iterations = (int)n;
  return STATUS_OK;
}

static int take_positive(const char *name, const char *value, double *out, failure *why) {
  const int status = args_real(name, value, out, why);
  if (status == STATUS_OK && !(*out > 0)) return args_fail(why, "%s %s: give a number above 0", name, value);
  return status;
}

static int take_calibration(probe_request *r, int key, const char *value, failure *why) {
  r->has_calibration = true;
  switch (key) {
  case 'o':
    r->output = value;
    return STATUS_OK;
  case KEY_CRITERION:
    return take_criterion(r, value, why);
  case KEY_TARGET:
    return take_positive("--target", value, &r->calibration.target, why);
  case KEY_TOLERANCE:
    return take_positive("--tolerance", value, &r->calibration.tolerance, why);
  case KEY_ITERATIONS:
    return take_iterations(r, value, why);
  default:
    return args_fail(why, "'%s' is not expected here", value);
  }
}

static int take_text(const char **to, const char *value) {
  *to = value;
  return STATUS_OK;
}

static int take_switch(bool *to) {
  *to = true;
  return STATUS_OK;
}

static int take(void *into, int key, const char *value, failure *why) {
  probe_request *r = into;
  switch (key) {
  case KEY_MLP:
    return args_sizes("--mlp", value, ',', r->widths, PROBE_MAX_WIDTHS, &r->config.n_widths, why);
  case KEY_ACTIVATION:
    return take_activation(r, value, why);
  case KEY_SLOPE:
    r->has_slope = true;
    return args_real("--slope", value, &r->config.slope, why);
  case KEY_INIT:
    return take_init(r, value, why);
  case KEY_NORM:
    return take_norm(r, value, why);
  case KEY_RESIDUAL:
    r->config.residual = 1;
    return STATUS_OK;
  case KEY_BIAS_STD:
    return args_real("--bias-std", value, &r->config.bias_std, why);
  case KEY_DTYPE:
    r->has_dtype = true;
    return args_dtype("--dtype", value, &r->config.dtype, why);
  case KEY_WEIGHTS:
    return take_text(&r->weights, value);
  case KEY_LAYER_NAMES:
    return take_text(&r->layer_names, value);
  case KEY_INPUT:
    return take_text(&r->input, strcmp(value, "normal") == 0 ? NULL : value);
  case KEY_KEEP_LABEL:
    return take_switch(&r->keep_label);
  case KEY_BATCH:
    return args_number("--batch", value, &r->config.batch, why);
  case KEY_SEED:
    return args_number("--seed", value, &r->config.seed, why);
  case KEY_DEVICE:
    return take_text(&r->device, value);
  case KEY_ALL:
    return take_switch(&r->all);
  case 'j':
    return take_switch(&r->json);
  case KEY_CSV:
    return take_text(&r->csv, value);
  case KEY_PLOT:
    return take_text(&r->plot, value);
  case KEY_REQUIRE:
    return take_requirement(r, value, why);
  case KEY_SUGGEST:
    return take_suggestion(r, value, why);
  case KEY_DEPTH:
    return args_number("--depth", value, &r->depth, why);
  case KEY_CALIBRATE:
    return take_switch(&r->calibrate);
  default:
    return take_calibration(r, key, value, why);
  }
}

const syntax probe_syntax = {
    .command = "probe", .options = probe_option_list, .arguments = probe_usage, .doc = probe_doc, .take = take};

/* ---- Together ---------------------------------------------------------------------------------------------------- */

static int check_numbers(const probe_request *r, failure *why) {
  const fanin_probe_config *c = &r->config;
  if (c->batch == 0) return args_fail(why, "--batch 0: at least one sample is needed");
  if (c->norm == FANIN_NORM_BATCH && c->batch < 2) return args_fail(why, "--norm batch: needs a --batch of at least 2");
  if (c->bias_std < 0) return args_fail(why, "--bias-std %g: give 0 or more", c->bias_std);
  if (dtype_info(c->dtype).needs_fp64) {
    return args_fail(why, "--dtype %s: a probe computes in f32, with weights of at most 32 bits",
                     fanin_dtype_name(c->dtype));
  }
  const char *activation = r->suggest ? r->suggest : c->activation;
  if (r->has_slope && strcasecmp(activation, "leaky_relu") != 0) {
    return args_fail(why, "--slope belongs to leaky_relu, not to %s", activation);
  }
  return STATUS_OK;
}

static int check_weights(const probe_request *r, failure *why) {
  if (r->layer_names && !r->weights) return args_fail(why, "--layer-names belongs to --weights");
  if (!r->weights) return STATUS_OK;
  if (!has_ending(r->weights, ".safetensors")) {
    return args_fail(why, "--weights '%s': the name must end in .safetensors", r->weights);
  }
  if (r->n_inits > 1) {
    return args_fail(why, "--weights has weights of its own: give one --init, which says what they should be");
  }
  return STATUS_OK;
}

static int check_calibration(const probe_request *r, failure *why) {
  if (!r->calibrate && r->has_calibration) {
    return args_fail(why, "-o, --criterion, --target, --tolerance and --iterations belong to --calibrate");
  }
  if (!r->calibrate) return STATUS_OK;
  if (!r->output) return args_fail(why, "--calibrate: no output for the weights is given; give -o FILE");
  if (!has_ending(r->output, ".safetensors")) {
    return args_fail(why, "-o '%s': the name must end in .safetensors", r->output);
  }
  if (r->n_inits > 1) return args_fail(why, "--calibrate takes one --init");
  if (r->csv || r->plot) return args_fail(why, "--calibrate goes with neither --csv nor --plot: probe its file after");
  return STATUS_OK;
}

static int check_suggestion(const probe_request *r, failure *why) {
  if (r->config.n_widths > 0 || r->weights || r->has_init || r->csv || r->plot || r->calibrate || r->has_calibration) {
    return args_fail(why, "--suggest runs no network: it goes with --depth, --slope, --bias-std and --json only");
  }
  if (r->depth > 1000000) return args_fail(why, "--depth: give 1 to 1000000 layers");
  return check_numbers(r, why);
}

static int check_together(const probe_request *r, failure *why) {
  if (r->suggest) return check_suggestion(r, why);
  if (r->depth != 0) return args_fail(why, "--depth belongs to --suggest");
  if (r->config.n_widths < 2 && !(r->weights && r->config.n_widths == 0)) {
    return args_fail(why, "no network is given; give --mlp with at least two widths, as in --mlp 64,300,100,10");
  }
  int status = check_numbers(r, why);
  if (status == STATUS_OK) status = check_weights(r, why);
  if (status == STATUS_OK) status = check_calibration(r, why);
  if (status == STATUS_OK && r->json && r->csv && strcmp(r->csv, "-") == 0) {
    return args_fail(why, "--json and --csv - both want standard output: give --csv a file's name");
  }
  if (status == STATUS_OK && r->plot) status = probe_plot_check(r, why);
  return status;
}

int probe_options(int argc, char **argv, probe_request *r, failure *why) {
  *r = (probe_request){.init_texts = {"he_normal"},
                       .inits = {fanin_he_normal(0, FANIN_MODE_FAN_IN)},
                       .n_inits = 1,
                       .calibration = {.size = sizeof(fanin_calibrate_options),
                                       .criterion = FANIN_CRITERION_VARIANCE,
                                       .target = 1,
                                       .tolerance = 0.01,
                                       .max_iterations = 10},
                       .config = {.size = sizeof(fanin_probe_config),
                                  .activation = "relu",
                                  .slope = 0.01,
                                  .dtype = FANIN_DTYPE_F32,
                                  .batch = 256}};
  r->config.widths = r->widths;
  const int status = args_parse(&probe_syntax, argc, argv, r, why);
  if (r->suggest && r->depth == 0) r->depth = 50;
  return status == STATUS_OK ? check_together(r, why) : status;
}
