/* The options of 'fanin probe' and what they mean together. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/commands.h"
#include "base/dtype.h"
#include "base/text.h"
#include "formats/tensor_file.h"
#include "formats/tensor_text.h"
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

static int take_norm(void *to, const char *name, const char *value, failure *why) {
  static const char *const words[] = {"layer", "batch"};
  size_t i = 0;
  const int status = take_word(name, value, words, 2, &i, why);
  if (status == STATUS_OK) *(fanin_norm *)to = i == 0 ? FANIN_NORM_LAYER : FANIN_NORM_BATCH;
  return status;
}

static int take_requirement(void *to, const char *name, const char *value, failure *why) {
  static const char *const words[] = {
      [REQUIRE_BOTH] = "both",     [REQUIRE_CONFORMS] = "conforms", [REQUIRE_HEALTHY] = "healthy",
      [REQUIRE_STABLE] = "stable", [REQUIRE_MUP] = "mup",           [REQUIRE_NONE] = "none"};
  size_t i = 0;
  const int status = take_word(name, value, words, sizeof words / sizeof *words, &i, why);
  if (status == STATUS_OK) *(probe_requirement *)to = (probe_requirement)i;
  return status;
}

static int take_criterion(void *to, const char *name, const char *value, failure *why) {
  static const char *const words[] = {"variance", "second_moment"};
  size_t i = 0;
  const int status = take_word(name, value, words, 2, &i, why);
  if (status == STATUS_OK) *(fanin_criterion *)to = i == 0 ? FANIN_CRITERION_VARIANCE : FANIN_CRITERION_SECOND_MOMENT;
  return status;
}

/* What has {braces} is read when it is known what stands for them. */
static int take_network(void *to, const char *name, const char *value, failure *why) {
  probe_request *r = to;
  r->network = value;
  r->config.n_widths = 0;
  if (strpbrk(value, "{}")) return STATUS_OK;
  return probe_read_network(name, value, r->widths, &r->config.n_widths, why);
}

static int take_sizes(void *to, const char *name, const char *value, failure *why) {
  probe_request *r = to;
  return args_sizes(name, value, ',', r->sizes, PROBE_MAX_SIZES, &r->n_sizes, why);
}

static int take_init(void *to, const char *name, const char *value, failure *why) {
  probe_request *r = to;
  if (!r->has_init) r->n_inits = 0; /* the default is replaced */
  r->has_init = true;
  if (r->n_inits == PROBE_MAX_INITS) {
    return args_fail(why, "--init '%s': at most %d initializers are compared in one run", value, PROBE_MAX_INITS);
  }
  r->init_texts[r->n_inits++] = value;
  return init_text_check(value, name, why);
}

static int take_activation(void *to, const char *name, const char *value, failure *why) {
  double gain;
  *(const char **)to = value;
  return library_status(why, fanin_gain(value, 0.01, FANIN_CRITERION_SECOND_MOMENT, &gain), name);
}

/* Of a network: gated units, too. */
static int take_unit(void *to, const char *name, const char *value, failure *why) {
  probe_request *r = to;
  fanin_probe_config any = FANIN_PROBE_CONFIG_INIT;
  uint64_t rows = 1;
  any.widths = (const uint64_t[]){1, 1, 1};
  any.n_widths = 3;
  any.activation = r->config.activation = value;
  const int status = library_status(why, fanin_probe_rows(&any, 1, &rows), name);
  r->gated = rows > 1;
  return status;
}

static int take_block(void *to, const char *name, const char *value, failure *why) {
  static const char *const words[] = {"pre-norm", "post-norm"};
  size_t i = 0;
  const int status = take_word(name, value, words, 2, &i, why);
  if (status == STATUS_OK) *(fanin_block *)to = i == 0 ? FANIN_BLOCK_PRE_NORM : FANIN_BLOCK_POST_NORM;
  return status;
}

static int take_input(void *to, const char *name, const char *value, failure *why) {
  return args_text(to, name, strcmp(value, "normal") == 0 ? NULL : value, why);
}

static int take_iterations(void *to, const char *name, const char *value, failure *why) {
  uint64_t n;
  const int status = args_number(&n, name, value, why);
  if (status != STATUS_OK) return status;
  if (n < 1 || n > 1000000) return args_fail(why, "%s %s: give 1 to 1000000", name, value);
  *(int *)to = (int)n;
  return STATUS_OK;
}

static int take_depth(void *to, const char *name, const char *value, failure *why) {
  const int status = args_number(to, name, value, why);
  const uint64_t depth = status == STATUS_OK ? *(uint64_t *)to : 1;
  if (depth >= 1 && depth <= 1000000) return status;
  return args_fail(why, "%s %s: give 1 to 1000000 layers", name, value);
}

static int take_positive(void *to, const char *name, const char *value, failure *why) {
  const int status = args_real(to, name, value, why);
  if (status == STATUS_OK && !(*(double *)to > 0)) return args_fail(why, "%s %s: give a number above 0", name, value);
  return status;
}

/* ---- Options ----------------------------------------------------------------------------------------------------- */

#define TO(member) offsetof(probe_request, member)

static const args_option options[] = {
    {.doc = "Network:"},
    {"mlp", 0, "N,N,...",
     "Input features, then the features of each layer; 48x256 is 48 layers of 256, '12x(3072,768)' 12 times these two. "
     "With --weights it may be left out",
     take_network, 0, 0},
    {"widths", 0, "N,N,...",
     "Probe the network at each of these widths, which {w} stands for in --mlp, as 64,{w},{4*w},10, and say how q and "
     "G scale with the width",
     take_sizes, 0, 0},
    {"activation", 0, "ACTIVATION",
     "After every layer but the last: linear, relu, tanh, gelu, ..., or a gated unit, which has twice the rows of "
     "weights: glu, bilinear, reglu, geglu, geglu_tanh, swiglu (default: relu)",
     take_unit, 0, 0},
    {"slope", 0, "X", "Negative slope of leaky_relu (default: 0.01)", args_real, TO(config.slope), TO(has_slope)},
    {"init", 0, "INIT", "Initializer of the weights (default: he_normal); see 'fanin list'. Repeated: compare them",
     take_init, 0, ARGS_SEVERAL},
    {"layer-init", 0, "N=INIT",
     "Initializer of layer N, of a range 2..4, of the last (last, -1); --init has the other layers. Repeatable",
     probe_check_layer_init, TO(layer_inits), ARGS_SEVERAL},
    {"norm", 0, "layer|batch", "Normalise before every activation", take_norm, TO(config.norm), 0},
    {"block", 0, "pre-norm|post-norm",
     "Join layers two by two to residual blocks with RMS norm: --mlp 'D,12x(N,D),LAST'; the activation is after the "
     "first "
     "layer of a block",
     take_block, TO(config.block), 0},
    {"residual", 0, NULL, "Add a layer's input to its output where the widths agree", args_switch, TO(residual), 0},
    {"bias-std", 0, "S", "Biases are N(0, S^2) (default: 0)", args_real, TO(config.bias_std), 0},
    {"dtype", 0, "DTYPE", "Round weights to this dtype of at most 32 bits, as f16 or bf16 (default: f32)", args_dtype,
     TO(config.dtype), TO(has_dtype)},
    {"weights", 0, "FILE",
     "Probe the weights and biases of a .safetensors file instead of drawing them; its metadata says what made them, "
     "else --rules, else --init; without any they are judged by what they look like",
     args_text, TO(weights), 0},
    {"rules", 0, "RULES",
     "What the file's tensors should be where its metadata does not say it: a set of 'fanin list', or a .json file",
     args_text, TO(like.rules_name), 0},
    {"set", 0, "NAME=NUMBER", "Set a value of the rules, as in layers=12", like_set, TO(like), ARGS_SEVERAL},
    {"layer-names", 0, "NAME,NAME,...",
     "The file's tensors in order (default: layer1.weight, layer2.weight, ..., or what the shapes say); GATE+UP is a "
     "gated "
     "layer of two tensors",
     args_text, TO(layer_names), 0},
    {.doc = "Input and device:"},
    {"input", 0, "FILE|normal",
     "A .csv or .npy file with one sample in each row, whose first columns are used and standardised as a whole; or "
     "N(0,1) (default: normal)",
     take_input, TO(input), 0},
    {"keep-label", 0, NULL, "Use a column of the file that looks like a label as a feature", args_switch,
     TO(keep_label), 0},
    {"batch", 0, "N", "Number of samples; at most the first N rows of a file (default: 256)", args_number,
     TO(config.batch), 0},
    {"seed", 0, "N", "64-bit seed (default: 0)", args_number, TO(config.seed), 0},
    {"device", 0, "SEL", SESSION_DEVICE_HELP, args_text, TO(device), 0},
    {.doc = "Output:"},
    {"all", 0, NULL, "Show every layer of a deep network", args_switch, TO(all), 0},
    {"json", 'j', NULL, "Print JSON", args_switch, TO(json), 0},
    {"csv", 0, "FILE|-", "Write the layers as comma-separated values, to standard output with -", args_text, TO(csv),
     0},
    {"plot", 0, "FILE", "Draw the moments over depth into a .svg or .png file; needs gnuplot", args_text, TO(plot), 0},
    {"require", 0, "conforms|healthy|stable|mup|both|none",
     "Which verdicts exit status 0 requires (default: both); stable and mup are of --widths, whose 'both' is conforms "
     "and stable",
     take_requirement, TO(require), 0},
    {.doc = "Calibrating:"},
    {"calibrate", 0, NULL,
     "Rescale the weights layer by layer until the variance of the preactivations is the target (LSUV); -o must name "
     "the file for them",
     args_switch, TO(calibrate), 0},
    {"output", 'o', "FILE", "The .safetensors file for calibrated weights", args_text, TO(output), TO(has_calibration)},
    {"criterion", 0, "variance|second_moment",
     "The moment to calibrate: about the mean, or about 0 (default: variance)", take_criterion,
     TO(calibration.criterion), TO(has_calibration)},
    {"target", 0, "X", "Value that the moment should have (default: 1)", take_positive, TO(calibration.target),
     TO(has_calibration)},
    {"tolerance", 0, "X", "Relative tolerance of the target (default: 0.01)", take_positive, TO(calibration.tolerance),
     TO(has_calibration)},
    {"iterations", 0, "N", "Most iterations for one layer (default: 10)", take_iterations,
     TO(calibration.max_iterations), TO(has_calibration)},
    {.doc = "Suggesting:"},
    {"suggest", 0, "ACTIVATION",
     "Say which initializers keep q and G with this activation, and what each costs; accepts --depth, --slope, "
     "--bias-std and --json",
     take_activation, TO(suggest), 0},
    {"depth", 0, "N", "Number of layers (default: 50)", take_depth, TO(depth), TO(has_depth)},
    {0}};

const syntax probe_syntax = {
    .command = "probe",
    .summary = "run an MLP on a device and check its variance and gradients by layer",
    .run = cmd_probe,
    .options = options,
    .arguments = "--mlp N,N,...\n--mlp N,{w},... --widths N,N,...\n--weights FILE\n--mlp N,N,... --calibrate -o "
                 "FILE\n--suggest ACTIVATION",
    .doc =
        "Runs a multilayer perceptron forward and backward on an OpenCL device and puts each layer beside mean-field "
        "theory: q, the mean square of its preactivations, and G, that of their gradients. 'predicted' is one step "
        "from what was measured in the layer before (for q) or after (for G), and z is the distance of the "
        "measurement from it, in standard deviations that follow from widths and batch. Two verdicts: a network "
        "CONFORMS if the device does what theory says of the initializer; it is HEALTHY if theory finds "
        "none of the faults that are known to keep networks from training. "
        "docs/probe.md explains every column and diagnosis.\v"
        "Exit status: 0 if every network conforms and is healthy (with --widths: conforms, and is stable; or has the "
        "verdicts of --require), 1 if not, 2 for usage or input, 3 for device or OpenCL.\n\n"
        "Examples:\n"
        "  fanin probe --mlp 64,300,100,10 --activation relu --init he_normal\n"
        "  fanin probe --mlp 64,512,512,10 --activation tanh \\\n"
        "    --init xavier_normal:gain=tanh --input share/data/digits.csv\n"
        "  fanin probe --mlp 256,256,256,256,256,256 --init xavier_normal \\\n"
        "    --init he_normal --plot compare.svg\n"
        "  fanin probe --mlp 2,256,256,256,1 --activation sin \\\n"
        "    --layer-init '1=siren_first uniform:lo=-30,hi=30' \\\n"
        "    --layer-init '2..-2=siren_hidden:omega=1 uniform:lo=-1,hi=1' \\\n"
        "    --layer-init 'last=siren_hidden uniform:lo=-1,hi=1' --require conforms\n"
        "  fanin probe --mlp '64,4x(172,64),10' --block pre-norm --activation swiglu \\\n"
        "    --init normal:std=0.12\n"
        "  fanin probe --mlp 64,{w},{w},10 --widths 128,512,2048 --init pytorch_default\n"
        "  fanin probe --mlp 64,300,100,10 --input share/data/digits.csv \\\n"
        "    --calibrate -o calibrated.safetensors\n"
        "  fanin probe --suggest gelu",
};

/* ---- Together ---------------------------------------------------------------------------------------------------- */

static int check_numbers(const probe_request *r, failure *why) {
  const fanin_probe_config *c = &r->config;
  if (c->block != FANIN_BLOCK_NONE && (c->norm != FANIN_NORM_NONE || c->residual)) {
    return args_fail(why, "--block has a norm and a residual connection of its own: leave --norm and --residual out");
  }
  if (c->norm != FANIN_NORM_NONE && r->gated) {
    return args_fail(why, "--norm goes before an activation, but %s is a gated unit: leave --norm out, or give --block",
                     c->activation);
  }
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
  if (r->like.rules_name && !r->weights) return args_fail(why, "--rules belongs to --weights");
  if (r->like.set && !r->like.rules_name) return args_fail(why, "--set goes with --rules");
  if (!r->weights) return STATUS_OK;
  if (r->layer_inits.count > 0) {
    return args_fail(why, "--layer-init draws weights, but --weights has its own: --rules says what they should be");
  }
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
  if (r->network || r->n_sizes > 0 || r->weights || r->has_init || r->layer_inits.count > 0 || r->csv || r->plot ||
      r->calibrate || r->has_calibration || r->like.rules_name || r->like.set) {
    return args_fail(why, "--suggest runs no network: it goes with --depth, --slope, --bias-std and --json only");
  }
  return check_numbers(r, why);
}

/* What --widths cannot go with. */
static int check_widths(const probe_request *r, failure *why) {
  if (r->n_sizes == 0 && (r->require == REQUIRE_STABLE || r->require == REQUIRE_MUP)) {
    return args_fail(why, "--require %s belongs to --widths", r->require == REQUIRE_MUP ? "mup" : "stable");
  }
  if (r->n_sizes == 0) return STATUS_OK;
  if (r->weights || r->calibrate)
    return args_fail(why, "--widths draws weights at each width: leave --weights and --calibrate out");
  if (r->n_inits > 1) return args_fail(why, "--widths takes one --init; compare others in runs of their own");
  if (r->csv || r->plot) return args_fail(why, "--widths goes with neither --csv nor --plot: --json has every number");
  if (r->require == REQUIRE_HEALTHY) {
    return args_fail(why,
                     "--require healthy is about one network: probe it without --widths; of widths, require stable");
  }
  return STATUS_OK;
}

static int check_together(probe_request *r, failure *why) {
  r->config.residual = r->residual;
  if (r->suggest) return check_suggestion(r, why);
  if (r->has_depth) return args_fail(why, "--depth belongs to --suggest");
  int status = check_widths(r, why);
  if (status == STATUS_OK) status = probe_take_sizes(r, why);
  if (status != STATUS_OK) return status;
  if (r->config.n_widths < 2 && !(r->weights && r->config.n_widths == 0)) {
    return args_fail(why, "no network is given; give --mlp with at least two widths, as in --mlp 64,300,100,10");
  }
  status = check_numbers(r, why);
  if (status == STATUS_OK && r->config.n_widths > 0) status = probe_check_network(r, why);
  if (status == STATUS_OK) status = check_weights(r, why);
  if (status == STATUS_OK) status = probe_take_layers(r, why);
  if (status == STATUS_OK) status = check_calibration(r, why);
  if (status == STATUS_OK && r->json && r->csv && strcmp(r->csv, "-") == 0) {
    return args_fail(why, "--json and --csv - both want standard output: give --csv a file's name");
  }
  if (status == STATUS_OK && r->plot) status = gnuplot_check("--plot", r->plot, why);
  return status;
}

int probe_options(int argc, char **argv, probe_request *r, failure *why) {
  *r = (probe_request){.init_texts = {"he_normal"},
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
  if (!r->has_depth) r->depth = 50;
  return status == STATUS_OK ? check_together(r, why) : status;
}
