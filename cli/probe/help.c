/* What 'fanin probe --help' says. */
#include "base/session.h"
#include "probe/options.h"

enum { GROUP_NETWORK = 1, GROUP_INPUT, GROUP_OUTPUT, GROUP_CALIBRATE, GROUP_SUGGEST };

const struct argp_option probe_option_list[] = {
    {.doc = "Network:", .group = GROUP_NETWORK},
    {.name = "mlp",
     .key = KEY_MLP,
     .arg = "N,N,...",
     .group = GROUP_NETWORK,
     .doc = "Input features, then the features of each layer; with --weights it may be left out"},
    {.name = "activation",
     .key = KEY_ACTIVATION,
     .arg = "ACTIVATION",
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
     .doc = "Initializer of the weights (default: he_normal); see 'fanin list'. Repeated: compare them"},
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
     .doc = "Round weights to this dtype of at most 32 bits, as f16 or bf16 (default: f32)"},
    {.name = "weights",
     .key = KEY_WEIGHTS,
     .arg = "FILE",
     .group = GROUP_NETWORK,
     .doc =
         "Probe the weights of a .safetensors file, each fan_out x fan_in, instead of drawing them; --init says what "
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
     .doc = "A .csv or .npy file with one sample in each row, whose first columns are used and standardised as a "
            "whole; or "
            "N(0,1) (default: normal)"},
    {.name = "keep-label",
     .key = KEY_KEEP_LABEL,
     .group = GROUP_INPUT,
     .doc = "Use a column of the file that looks like a label as a feature"},
    {.name = "batch",
     .key = KEY_BATCH,
     .arg = "N",
     .group = GROUP_INPUT,
     .doc = "Number of samples; at most the first N rows of a file (default: 256)"},
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
     .arg = "conforms|healthy|both|none",
     .group = GROUP_OUTPUT,
     .doc = "Which verdicts exit status 0 requires (default: both)"},
    {.doc = "Calibrating:", .group = GROUP_CALIBRATE},
    {.name = "calibrate",
     .key = KEY_CALIBRATE,
     .group = GROUP_CALIBRATE,
     .doc = "Rescale the weights layer by layer until the variance of the preactivations is the target (LSUV); -o must "
            "name the file for them"},
    {.name = "output",
     .key = 'o',
     .arg = "FILE",
     .group = GROUP_CALIBRATE,
     .doc = "The .safetensors file for calibrated weights"},
    {.name = "criterion",
     .key = KEY_CRITERION,
     .arg = "variance|second_moment",
     .group = GROUP_CALIBRATE,
     .doc = "The moment to calibrate: about the mean, or about 0 (default: variance)"},
    {.name = "target",
     .key = KEY_TARGET,
     .arg = "X",
     .group = GROUP_CALIBRATE,
     .doc = "Value that the moment should have (default: 1)"},
    {.name = "tolerance",
     .key = KEY_TOLERANCE,
     .arg = "X",
     .group = GROUP_CALIBRATE,
     .doc = "Relative tolerance of the target (default: 0.01)"},
    {.name = "iterations",
     .key = KEY_ITERATIONS,
     .arg = "N",
     .group = GROUP_CALIBRATE,
     .doc = "Most iterations for one layer (default: 10)"},
    {.doc = "Suggesting:", .group = GROUP_SUGGEST},
    {.name = "suggest",
     .key = KEY_SUGGEST,
     .arg = "ACTIVATION",
     .group = GROUP_SUGGEST,
     .doc = "Say which initializers keep q and G with this activation, and what each costs; accepts --depth, --slope, "
            "--bias-std and --json"},
    {.name = "depth", .key = KEY_DEPTH, .arg = "N", .group = GROUP_SUGGEST, .doc = "Number of layers (default: 50)"},
    {0}};

const char probe_usage[] = "--mlp N,N,...\n--weights FILE\n--mlp N,N,... --calibrate -o FILE\n--suggest ACTIVATION";

const char probe_doc[] =
    "Runs a multilayer perceptron forward and backward on an OpenCL device and puts each layer beside mean-field "
    "theory: q, the mean square of its preactivations, and G, that of their gradients. 'predicted' is one step "
    "from what was measured in the layer before (for q) or after (for G), and z is the distance of the "
    "measurement from it, in standard deviations that follow from widths and batch. Two verdicts: a network CONFORMS "
    "if "
    "the device does what theory says of the initializer; it is HEALTHY if what theory says is that it trains. "
    "docs/probe.md explains every column and diagnosis.\v"
    "Exit status: 0 if every network conforms and is healthy (or has the verdicts of --require), 1 if not, 2 for "
    "usage or input, 3 for device or OpenCL.\n\n"
    "Examples:\n"
    "  fanin probe --mlp 64,300,100,10 --activation relu --init he_normal\n"
    "  fanin probe --mlp 64,512,512,10 --activation tanh \\\n"
    "    --init xavier_normal:gain=tanh --input share/data/digits.csv\n"
    "  fanin probe --mlp 256,256,256,256,256,256 --init xavier_normal \\\n"
    "    --init he_normal --plot compare.svg\n"
    "  fanin probe --mlp 64,300,100,10 --input share/data/digits.csv \\\n"
    "    --calibrate -o calibrated.safetensors\n"
    "  fanin probe --suggest gelu";
