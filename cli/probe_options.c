/* The options of 'fanin probe' and what they mean together. */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "probe.h"
#include "tensor_file.h"

enum {
  KEY_MLP = 0x100,
  KEY_ACTIVATION,
  KEY_SLOPE,
  KEY_INIT,
  KEY_NORM,
  KEY_RESIDUAL,
  KEY_BIAS_STD,
  KEY_DTYPE,
  KEY_INPUT,
  KEY_KEEP_LABEL,
  KEY_BATCH,
  KEY_SEED,
  KEY_WEIGHTS,
  KEY_LAYER_NAMES,
  KEY_DEVICE,
  KEY_ALL,
  KEY_CSV,
  KEY_PLOT,
  KEY_REQUIRE
};

enum { GROUP_NETWORK = 1, GROUP_INPUT, GROUP_OUTPUT };

static const struct argp_option options[] = {
    {.doc = "Network:", .group = GROUP_NETWORK},
    {.name = "mlp",
     .key = KEY_MLP,
     .arg = "N,N,...",
     .group = GROUP_NETWORK,
     .doc = "Input features, then the features of each layer; with --weights it may be left out"},
    {.name = "activation",
     .key = KEY_ACTIVATION,
     .arg = "NAME",
     .group = GROUP_NETWORK,
     .doc = "After every layer but the last: linear, relu, tanh, gelu, ... (default: relu)"},
    {.name = "slope",
     .key = KEY_SLOPE,
     .arg = "X",
     .group = GROUP_NETWORK,
     .doc = "Negative slope of leaky_relu (default: 0.01)"},
    {.name = "init",
     .key = KEY_INIT,
     .arg = "INIT",
     .group = GROUP_NETWORK,
     .doc = "Initialiser of the weights (default: he_normal); see 'fanin list'. Repeated: compare them"},
    {.name = "norm",
     .key = KEY_NORM,
     .arg = "layer|batch",
     .group = GROUP_NETWORK,
     .doc = "Normalise before every activation"},
    {.name = "residual",
     .key = KEY_RESIDUAL,
     .group = GROUP_NETWORK,
     .doc = "Add a layer's input to its output where the widths agree"},
    {.name = "bias-std",
     .key = KEY_BIAS_STD,
     .arg = "S",
     .group = GROUP_NETWORK,
     .doc = "Biases are N(0, S^2) (default: 0)"},
    {.name = "dtype",
     .key = KEY_DTYPE,
     .arg = "DTYPE",
     .group = GROUP_NETWORK,
     .doc = "Round weights to f32, f16 or bf16 (default: f32)"},
    {.name = "weights",
     .key = KEY_WEIGHTS,
     .arg = "FILE",
     .group = GROUP_NETWORK,
     .doc =
         "Probe the weights of a .safetensors file, fan_out x fan_in each, instead of drawing them; --init says what "
         "they should be"},
    {.name = "layer-names",
     .key = KEY_LAYER_NAMES,
     .arg = "NAME,NAME,...",
     .group = GROUP_NETWORK,
     .doc = "The file's tensors in order (default: layer1.weight, layer2.weight, ...)"},
    {.doc = "Input and device:", .group = GROUP_INPUT},
    {.name = "input",
     .key = KEY_INPUT,
     .arg = "FILE|normal",
     .group = GROUP_INPUT,
     .doc = "A .csv or .npy file with a sample a row, whose first columns are used and standardised as a whole; or "
            "N(0,1) (default: normal)"},
    {.name = "keep-label",
     .key = KEY_KEEP_LABEL,
     .group = GROUP_INPUT,
     .doc = "Use a column of the file that looks like a label as a feature"},
    {.name = "batch",
     .key = KEY_BATCH,
     .arg = "N",
     .group = GROUP_INPUT,
     .doc = "Samples; of a file, the first N at most (default: 256)"},
    {.name = "seed", .key = KEY_SEED, .arg = "N", .group = GROUP_INPUT, .doc = "64-bit seed (default: 0)"},
    {.name = "device", .key = KEY_DEVICE, .arg = "SEL", .group = GROUP_INPUT, .doc = SESSION_DEVICE_HELP},
    {.doc = "Output:", .group = GROUP_OUTPUT},
    {.name = "all", .key = KEY_ALL, .group = GROUP_OUTPUT, .doc = "Show every layer of a deep network"},
    {.name = "json", .key = 'j', .group = GROUP_OUTPUT, .doc = "Print JSON"},
    {.name = "csv",
     .key = KEY_CSV,
     .arg = "FILE|-",
     .group = GROUP_OUTPUT,
     .doc = "Write the layers as comma-separated values, to standard output with -"},
    {.name = "plot",
     .key = KEY_PLOT,
     .arg = "FILE",
     .group = GROUP_OUTPUT,
     .doc = "Draw the moments over depth into a .svg or .png file; needs gnuplot"},
    {.name = "require",
     .key = KEY_REQUIRE,
     .arg = "WHAT",
     .group = GROUP_OUTPUT,
     .doc = "What exit status 0 takes: conforms, healthy, both or none (default: both)"},
    {0}};

/* ---- Values -------------------------------------------------------------------------------------------------------
 */

/* A word of a list, by its place. */
static int take_word(const char *name, const char *value, const char *const *words, size_t n, size_t *out,
                     failure *why) {
  char known[128] = "";
  for (size_t i = 0; i < n; ++i) {
    if (strcmp(value, words[i]) == 0) {
      *out = i;
      return STATUS_OK;
    }
    const size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", words[i]);
  }
  return args_fail(why, "%s '%s': give %s", name, value, known);
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

static int take_init(probe_request *r, const char *value, failure *why) {
  if (!r->has_init) r->n_inits = 0; /* the default gives way */
  r->has_init = true;
  if (r->n_inits == PROBE_MAX_INITS) {
    return args_fail(why, "--init '%s': at most %d initialisers are compared in one run", value, PROBE_MAX_INITS);
  }
  r->init_texts[r->n_inits] = value;
  const fanin_status parsed = fanin_init_parse(value, &r->inits[r->n_inits]);
  if (parsed != FANIN_OK) return fail_library(why, parsed, "--init");
  ++r->n_inits;
  return STATUS_OK;
}

static int take_activation(probe_request *r, const char *value, failure *why) {
  double gain;
  r->config.activation = value;
  const fanin_status known = fanin_gain(value, 0.01, FANIN_SECOND_MOMENT, &gain);
  return known == FANIN_OK ? STATUS_OK : fail_library(why, known, "--activation");
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
  default:
    return args_fail(why, "'%s' is not expected here", value);
  }
}

static const syntax probe_syntax = {
    .command = "probe",
    .options = options,
    .arguments = "--mlp N,N,...\n--weights FILE",
    .doc =
        "Runs a multilayer perceptron forward and backward on an OpenCL device and puts each layer beside mean-field "
        "theory: q, the mean square of its preactivations, and G, that of their gradients. 'predicted' is one step "
        "from what was measured in the layer before (for q) or after (for G), and z says how far from it the "
        "measurement is, in standard deviations that follow from widths and batch. Two verdicts: a network CONFORMS if "
        "the device does what theory says of the initialiser; it is HEALTHY if what theory says is that it trains. "
        "docs/probe.md explains every column and diagnosis.\v"
        "Exit status: 0 if every network conforms and is healthy (or what --require asks for), 1 if not, 2 usage or "
        "input, 3 device or OpenCL.\n\n"
        "Examples:\n"
        "  fanin probe --mlp 64,300,100,10 --activation relu --init he_normal\n"
        "  fanin probe --mlp 64,512,512,10 --activation tanh \\\n"
        "    --init xavier_normal:gain=tanh --input data/digits.csv\n"
        "  fanin probe --mlp 256,256,256,256,256,256 --init xavier_normal \\\n"
        "    --init he_normal --plot compare.svg",
    .take = take,
};

/* ---- Together -----------------------------------------------------------------------------------------------------
 */

static int check_numbers(const probe_request *r, failure *why) {
  const fanin_probe_config *c = &r->config;
  if (c->batch == 0) return args_fail(why, "--batch 0: at least one sample is needed");
  if (c->norm == FANIN_NORM_BATCH && c->batch < 2) return args_fail(why, "--norm batch: needs a --batch of at least 2");
  if (c->bias_std < 0) return args_fail(why, "--bias-std %g: give 0 or more", c->bias_std);
  if (c->dtype == FANIN_F64) return args_fail(why, "--dtype f64: a probe's weights are f32, f16 or bf16");
  if (r->has_slope && strcmp(c->activation, "leaky_relu") != 0) {
    return args_fail(why, "--slope belongs to --activation leaky_relu, not to %s", c->activation);
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

static int check_together(const probe_request *r, failure *why) {
  if (r->config.n_widths < 2 && !(r->weights && r->config.n_widths == 0)) {
    return args_fail(why, "which network? Give --mlp with at least two widths, as in --mlp 64,300,100,10");
  }
  int status = check_numbers(r, why);
  if (status == STATUS_OK) status = check_weights(r, why);
  if (status == STATUS_OK && r->json && r->csv && strcmp(r->csv, "-") == 0) {
    return args_fail(why, "--json and --csv - both want standard output: give --csv a file's name");
  }
  if (status == STATUS_OK && r->plot) status = probe_plot_check(r, why);
  return status;
}

int probe_options(int argc, char **argv, probe_request *r, failure *why) {
  *r = (probe_request){.init_texts = {"he_normal"},
                       .inits = {fanin_he_normal(0, FANIN_FAN_IN)},
                       .n_inits = 1,
                       .config = {.activation = "relu", .slope = 0.01, .dtype = FANIN_F32, .batch = 256}};
  r->config.widths = r->widths;
  const int status = args_parse(&probe_syntax, argc, argv, r, why);
  return status == STATUS_OK ? check_together(r, why) : status;
}
