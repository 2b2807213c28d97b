/* fanin probe: an MLP's forward pass on a device; weight std and preactivation second moment of each layer beside
 * theory. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "input.h"
#include "json.h"
#include "progress.h"
#include "session.h"
#include "table.h"
#include "text.h"

enum {
  KEY_MLP = 0x100,
  KEY_ACTIVATION,
  KEY_SLOPE,
  KEY_INIT,
  KEY_INPUT,
  KEY_BATCH,
  KEY_SEED,
  KEY_DTYPE,
  KEY_BIAS_STD,
  KEY_DEVICE
};
enum { MAX_WIDTHS = 1001 };

typedef struct request {
  uint64_t widths[MAX_WIDTHS];
  const char *init_text, *input, *device;
  bool has_slope, json;
  fanin_probe_config config;
} request;

static const struct argp_option options[] = {
    {.name = "mlp", .key = KEY_MLP, .arg = "N,N,...", .doc = "Input features, then the features of each layer"},
    {.name = "activation",
     .key = KEY_ACTIVATION,
     .arg = "NAME",
     .doc = "After every layer but the last: linear, relu, tanh, gelu, ... (default: relu)"},
    {.name = "slope", .key = KEY_SLOPE, .arg = "X", .doc = "Negative slope of leaky_relu (default: 0.01)"},
    {.name = "init",
     .key = KEY_INIT,
     .arg = "INIT",
     .doc = "Initialiser of the weights (default: he_normal); see 'fanin list'"},
    {.name = "input",
     .key = KEY_INPUT,
     .arg = "FILE|normal",
     .doc =
         "A .csv or .npy file with a sample a row, whose first columns are used and standardised as a whole; or N(0,1) "
         "(default: normal)"},
    {.name = "batch", .key = KEY_BATCH, .arg = "N", .doc = "Samples; of a file, the first N at most (default: 256)"},
    {.name = "seed", .key = KEY_SEED, .arg = "N", .doc = "64-bit seed (default: 0)"},
    {.name = "dtype", .key = KEY_DTYPE, .arg = "DTYPE", .doc = "Round weights to f32, f16 or bf16 (default: f32)"},
    {.name = "bias-std", .key = KEY_BIAS_STD, .arg = "S", .doc = "Biases are N(0, S^2) (default: 0)"},
    {.name = "device", .key = KEY_DEVICE, .arg = "SEL", .doc = SESSION_DEVICE_HELP},
    {.name = "json", .key = 'j', .doc = "Print JSON"},
    {0}};

static int take_init(request *r, const char *value, failure *why) {
  r->init_text = value;
  const fanin_status parsed = fanin_init_parse(value, &r->config.init);
  return parsed == FANIN_OK ? STATUS_OK : fail_library(why, parsed, "--init");
}

static int take_activation(request *r, const char *value, failure *why) {
  double gain;
  r->config.activation = value;
  const fanin_status known = fanin_gain(value, 0.01, FANIN_SECOND_MOMENT, &gain);
  return known == FANIN_OK ? STATUS_OK : fail_library(why, known, "--activation");
}

static int take(void *into, int key, const char *value, failure *why) {
  request *r = into;
  switch (key) {
  case KEY_MLP:
    return args_sizes("--mlp", value, ',', r->widths, MAX_WIDTHS, &r->config.n_widths, why);
  case KEY_ACTIVATION:
    return take_activation(r, value, why);
  case KEY_SLOPE:
    r->has_slope = true;
    return args_real("--slope", value, &r->config.slope, why);
  case KEY_INIT:
    return take_init(r, value, why);
  case KEY_INPUT:
    r->input = strcmp(value, "normal") == 0 ? NULL : value;
    return STATUS_OK;
  case KEY_BATCH:
    return args_number("--batch", value, &r->config.batch, why);
  case KEY_SEED:
    return args_number("--seed", value, &r->config.seed, why);
  case KEY_DTYPE:
    return args_dtype("--dtype", value, &r->config.dtype, why);
  case KEY_BIAS_STD:
    return args_real("--bias-std", value, &r->config.bias_std, why);
  case KEY_DEVICE:
    r->device = value;
    return STATUS_OK;
  case 'j':
    r->json = true;
    return STATUS_OK;
  default:
    return args_fail(why, "'%s' is not expected here", value);
  }
}

static const syntax probe_syntax = {
    .command = "probe",
    .options = options,
    .arguments = "--mlp N,N,...",
    .doc =
        "Runs a multilayer perceptron forward on an OpenCL device and compares each layer with theory: the std of its "
        "weights, and the second moment q of its preactivations. 'mean-field' is q in the limit of infinite width; "
        "'predicted' is one step from the measured layer before, and z says how far q is from it in its standard "
        "deviations, which follow from widths and batch. Exit status 1 if a layer does not conform.\v"
        "Examples:\n"
        "  fanin probe --mlp 64,300,100,10 --activation relu --init he_normal\n"
        "  fanin probe --mlp 64,512,512,10 --activation tanh \\\n"
        "    --init xavier_normal:gain=tanh --input data/digits.csv",
    .take = take,
};

static int check_request(const request *r, failure *why) {
  if (r->config.n_widths < 2) {
    return args_fail(why, "which network? Give --mlp with at least two widths, as in --mlp 64,300,100,10");
  }
  if (r->config.batch == 0) return args_fail(why, "--batch 0: at least one sample is needed");
  if (r->config.bias_std < 0) return args_fail(why, "--bias-std %g: give 0 or more", r->config.bias_std);
  if (r->has_slope && strcmp(r->config.activation, "leaky_relu") != 0) {
    return args_fail(why, "--slope belongs to --activation leaky_relu, not to %s", r->config.activation);
  }
  return STATUS_OK;
}

/* ---- Printing -------------------------------------------------------------------------------------------------------
 */

static void progress(void *user, const char *what) {
  (void)user;
  progress_show("%s", what);
}

/* Layers that were filled in: those before the one whose values overflowed. */
static size_t count_layers(const fanin_probe_report *report) {
  return report->overflow_layer > 0 ? report->overflow_layer - 1 : report->n_layers;
}

static void print_heading(const request *r, const session *s) {
  const fanin_probe_config *c = &r->config;
  printf("MLP ");
  for (size_t i = 0; i < c->n_widths; ++i)
    printf("%s%llu", i > 0 ? "-" : "", (unsigned long long)r->widths[i]);
  printf(", %s", c->activation);
  if (strcmp(c->activation, "leaky_relu") == 0) printf(" with slope %g", c->slope);
  printf(", weights %s in %s", r->init_text, fanin_dtype_name(c->dtype));
  if (c->bias_std > 0) printf(", bias std %g", c->bias_std);
  printf(", seed %llu\n", (unsigned long long)c->seed);
  if (r->input) {
    printf("Input: %llu rows x %llu columns of %s, less their mean, divided by their std\n",
           (unsigned long long)c->batch, (unsigned long long)r->widths[0], r->input);
  } else {
    printf("Input: %llu samples of N(0,1)\n", (unsigned long long)c->batch);
  }
  printf("Device: %s\n\n", s->device_name);
}

static void print_table(const fanin_probe_layer *layers, size_t n) {
  static const column columns[] = {{"layer", 0, 0},     {"fan_in", 0, 0}, {"fan_out", 0, 0}, {"std", 0, 0},
                                   {"expected", 0, 0},  {"z", 0, 0},      {"q", 0, 0},       {"mean-field", 0, 0},
                                   {"predicted", 0, 0}, {"z", 0, 0},      {"", 1, 0}};
  char text[TEXT_NUMBER];
  table t = table_of(columns, sizeof columns / sizeof *columns);
  for (size_t l = 0; l < n; ++l) {
    const fanin_probe_layer *y = &layers[l];
    table_cell(&t, "%zu", l + 1);
    table_cell(&t, "%llu", (unsigned long long)y->fan_in);
    table_cell(&t, "%llu", (unsigned long long)y->fan_out);
    table_cell(&t, "%.4g", y->weight_std);
    table_cell(&t, "%.4g", y->weight_std_expected);
    table_cell(&t, "%s", text_z(y->weight_z, text));
    table_cell(&t, "%.4g", y->q_measured);
    table_cell(&t, "%.4g", y->q_meanfield);
    table_cell(&t, "%.4g", y->q_predicted);
    table_cell(&t, "%s", text_z(y->q_z, text));
    table_cell(&t, "%s", y->conforms ? "ok" : "NO");
  }
  table_print(&t, stdout);
  table_free(&t);
}

static void print_text(const request *r, const session *s, const fanin_probe_layer *layers, size_t n, double bound,
                       const char *overflow) {
  size_t failed = 0;
  for (size_t l = 0; l < n; ++l)
    failed += !layers[l].conforms;
  print_heading(r, s);
  print_table(layers, n);
  printf("\nstd: of the weights; q: mean square of the preactivations; z: in standard deviations\n");
  if (overflow[0]) {
    printf("DOES NOT CONFORM: %s\n", overflow);
  } else if (failed > 0) {
    printf("DOES NOT CONFORM: %zu of %zu layers have |z| above %.2f\n", failed, n, bound);
  } else {
    printf("CONFORMS: every |z| is at most %.2f (%zu tests, false alarms 1 in 1000)\n", bound, 2 * n);
  }
}

static json_t *layer_to_json(const fanin_probe_layer *y) {
  json_t *o = json_object();
  const struct {
    const char *key;
    double value;
  } numbers[] = {{"weight_std", y->weight_std},
                 {"weight_std_expected", y->weight_std_expected},
                 {"weight_z", y->weight_z},
                 {"q_measured", y->q_measured},
                 {"q_meanfield", y->q_meanfield},
                 {"q_predicted", y->q_predicted},
                 {"q_z", y->q_z}};
  json_object_set_new(o, "fan_in", json_integer((json_int_t)y->fan_in));
  json_object_set_new(o, "fan_out", json_integer((json_int_t)y->fan_out));
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; ++i) {
    json_object_set_new(o, numbers[i].key, json_from_double(numbers[i].value));
  }
  json_object_set_new(o, "conforms", json_boolean(y->conforms));
  return o;
}

static int print_json(const request *r, const session *s, const fanin_probe_layer *layers, size_t n, double bound,
                      bool conforms, failure *why) {
  const fanin_probe_config *c = &r->config;
  json_t *root = json_object(), *array = json_array();
  json_object_set_new(root, "widths", json_from_shape(r->widths, (int)c->n_widths));
  json_object_set_new(root, "activation", json_string(c->activation));
  json_object_set_new(root, "slope", strcmp(c->activation, "leaky_relu") == 0 ? json_real(c->slope) : json_null());
  json_object_set_new(root, "init", json_string(r->init_text));
  json_object_set_new(root, "dtype", json_string(fanin_dtype_name(c->dtype)));
  json_object_set_new(root, "bias_std", json_real(c->bias_std));
  json_object_set_new(root, "input", json_string(r->input ? r->input : "normal"));
  json_object_set_new(root, "batch", json_integer((json_int_t)c->batch));
  json_object_set_new(root, "seed", json_from_u64(c->seed));
  json_object_set_new(root, "device", json_string(s->device_name));
  json_object_set_new(root, "conforms", json_boolean(conforms));
  json_object_set_new(root, "z_bound", json_from_double(bound));
  for (size_t l = 0; l < n; ++l)
    json_array_append_new(array, layer_to_json(&layers[l]));
  json_object_set_new(root, "layers", array);
  return json_print(root, why);
}

/* ---- Running --------------------------------------------------------------------------------------------------------
 */

static int run(const request *r, const session *s, failure *why) {
  fanin_probe_report *report = NULL;
  const fanin_status probed = fanin_probe(s->f, s->queue, &r->config, &report);
  progress_clear();
  if (probed != FANIN_OK) return fail_library(why, probed, NULL);
  int status = STATUS_OK;
  char overflow[64] = "";
  const size_t n = count_layers(report);
  if (report->overflow_layer > 0) {
    snprintf(overflow, sizeof overflow, "layer %zu: the activations overflow f32", report->overflow_layer);
  }
  if (r->json) {
    status = print_json(r, s, report->layers, n, report->z_bound, report->conforms != 0, why);
  } else {
    print_text(r, s, report->layers, n, report->z_bound, overflow);
  }
  if (status == STATUS_OK && !report->conforms) status = STATUS_CHECK;
  fanin_probe_report_free(report);
  return status;
}

int cmd_probe(int argc, char **argv, failure *why) {
  request r = {.init_text = "he_normal",
               .config = {.activation = "relu",
                          .slope = 0.01,
                          .init = fanin_he_normal(0, FANIN_FAN_IN),
                          .dtype = FANIN_F32,
                          .batch = 256,
                          .progress = progress}};
  session s = {0};
  float *input = NULL;
  r.config.widths = r.widths;
  int status = args_parse(&probe_syntax, argc, argv, &r, why);
  if (status == STATUS_OK) status = check_request(&r, why);
  if (status == STATUS_OK && r.input) {
    status = input_load(r.input, r.widths[0], &r.config.batch, &input, why);
    r.config.input = input;
  }
  if (status == STATUS_OK) status = session_open(r.device, &s, why);
  if (status == STATUS_OK) status = run(&r, &s, why);
  session_close(&s);
  free(input);
  return status;
}
