/* The parts of 'fanin probe': what was asked for, the results, and the ways to show them. */
#ifndef CLI_PROBE_REPORT_H
#define CLI_PROBE_REPORT_H

#include <stdbool.h>

#include "base/args.h"
#include "base/json.h"
#include "base/session.h"
#include "fanin/probe.h"
#include "formats/matrix.h"
#include "formats/tensor_file.h"
#include "init/like.h"

enum { PROBE_MAX_WIDTHS = 1001, PROBE_MAX_INITS = 8, PROBE_MAX_SIZES = 8 };

/* Which verdicts the exit status follows. */
typedef enum probe_requirement {
  REQUIRE_BOTH,
  REQUIRE_CONFORMS,
  REQUIRE_HEALTHY,
  REQUIRE_STABLE, /* this and the next of --widths only */
  REQUIRE_MUP,
  REQUIRE_NONE
} probe_requirement;

typedef struct probe_request {
  const char *network;                     /* --mlp as it is given; NULL: it is not */
  uint64_t widths[PROBE_MAX_WIDTHS];       /* what it says: with --widths, for the first of these */
  uint64_t sizes[PROBE_MAX_SIZES];         /* --widths: what w is in `network` */
  size_t n_sizes;                          /* 0: there is one network */
  const char *init_texts[PROBE_MAX_INITS]; /* as given, or the default */
  size_t n_inits;
  args_list layer_inits;                          /* each --layer-init, as given */
  const char *layer_texts[PROBE_MAX_WIDTHS - 1];  /* the initializer that --layer-init gives a layer, or NULL */
  bool has_init, has_slope, has_dtype, has_depth; /* given on the command line */
  const char *input;                              /* NULL: N(0,1) */
  bool keep_label;
  double input_correlation; /* mean cosine of two samples of the file */
  uint64_t columns_left;    /* columns of the file that the network does not take */
  const char *device;
  const char *weights;             /* a file; NULL: weights are drawn from the initializers */
  like like;                       /* what --rules and --set say of the file */
  const char *layer_names;         /* names of the weights, with commas; NULL: layer1.weight, ... */
  const char *csv, *plot;          /* files; csv may be "-" */
  bool json, all, residual, gated; /* gated: the activation is a gated unit */
  probe_requirement require;
  const char *suggest;             /* NULL, or the activation to suggest an initializer for */
  uint64_t depth;                  /* of the network that is suggested for */
  bool calibrate, has_calibration; /* --calibrate is given; an option that belongs to it is given */
  const char *output;
  fanin_calibrate_options calibration;
  fanin_probe_config config;        /* without the initializer */
  const struct probe_weights *file; /* what is known of the file of weights; NULL: there is none */
} probe_request;

/* ---- options.c --------------------------------------------------------------------------------------------------- */

/* Reads the command line and checks everything that can be checked without reading a file or asking a device. */
int probe_options(int argc, char **argv, probe_request *r, failure *why);

/* ---- initializers.c ---------------------------------------------------------------------------------------------- */

/* The reader of --layer-init, into an args_list. */
args_reader probe_check_layer_init;
/* Finds the layers of each --layer-init, when the number of layers is known. */
int probe_take_layers(probe_request *r, failure *why);

/* The text of layer l's = 0 .. L - 1 initializer in network i, as it is given; and the parsed one, whose schemes and
 * expressions see the layer's fans. */
const char *probe_init_text(const probe_request *r, size_t i, size_t l);
int probe_init_of(const probe_request *r, size_t i, size_t l, fanin_init *out, failure *why);
/* Checks every layer's initializer in each of the networks. */
int probe_check_inits(const probe_request *r, failure *why);
/* --init number i; NULL if no layer has it, because --layer-init has them all. */
const char *probe_init_shared(const probe_request *r, size_t i);
/* "he_normal | xavier_normal, but layer 1 zeros"; the caller frees it. NULL: there is no memory. */
char *probe_inits_text(const probe_request *r);

/* ---- cmd_probe.c ------------------------------------------------------------------------------------------------- */

/* Shows what goes on; `user` is the initializer's text if there are several, else NULL. */
void probe_progress(void *user, const char *what);

/* What a probe found: a fanin_probe_report, read out. */
typedef struct probe_result {
  fanin_probe_summary summary;
  fanin_probe_layer *layers; /* summary.n_layers */
  fanin_finding *findings;   /* summary.n_findings */
} probe_result;

/* Probes network i. `label` begins lines of progress and sentences of failures, if it is not NULL. Free *out with
 * probe_result_free() also after a failure; NULL is ignored. */
int probe_run(const probe_request *r, const session *s, size_t i, const char *label, probe_result **out, failure *why);
void probe_result_free(probe_result *result);

/* ---- input.c ----------------------------------------------------------------------------------------------------- */

/* The samples of a file. */
typedef struct input {
  float *values; /* batch x columns; free() it */
  uint64_t batch;
  uint64_t columns_left; /* columns of the file that the network does not take */
  double correlation;    /* mean cosine of two different samples; NaN for one */
} input;

/* The first `columns` columns of a .csv or .npy file with a sample a row, at most `most` rows, less their mean and
 * divided by their std, taken over all of them together: the mean square is 1. A column of class labels among them is
 * refused unless `keep_label`. */
int input_load(const char *path, uint64_t columns, uint64_t most, bool keep_label, input *out, failure *why);

/* Fails if the first or the last of the first `columns` columns looks like a class label: the only column of the file
 * with whole numbers 0 .. K-1 or 1 .. K that are about equally frequent. The sentence says what to do. */
int input_refuse_label(const char *path, const matrix *m, size_t columns, failure *why);

/* ---- layers.c and weights.c
 * --------------------------------------------------------------------------------------------------- */

/* What a layer of a file is judged by. */
typedef enum probe_maker {
  MAKER_FILE,  /* the initializer that the file's metadata names */
  MAKER_RULES, /* --rules */
  MAKER_INIT,  /* --init */
  MAKER_GUESS, /* a common initializer that its numbers look like */
  MAKER_OWN    /* independent numbers of its own mean and std: it looks like no common initializer */
} probe_maker;
/* "its metadata", "--rules", "--init", "a guess", ...; in JSON "metadata", "rules", "init", "guess", "own moments" */
const char *probe_maker_text(probe_maker maker);
const char *probe_maker_name(probe_maker maker);

typedef struct probe_layer_weights {
  char *name;
  char
      *second; /* the tensor whose rows are below those of `name`, as up_proj's below gate_proj's; NULL: there is one */
  char *bias_name; /* NULL: the file has none, and they are drawn */
  float *biases;
  bool transposed; /* stored fan_in x fan_out */
  probe_maker maker;
  char *init_text;
} probe_layer_weights;

/* The weights of a file, or drawn ones to be calibrated. */
typedef struct probe_weights {
  size_t count;
  probe_layer_weights *layers;
  fanin_tensor *tensors; /* without buffers at first */
  double *factors;       /* factors of a calibration that the file names, else 1 */
  fanin_init *inits;
  const float **biases; /* those of the layers */
  uint64_t file_bytes;  /* of the whole file; 0: the weights are drawn */
  bool found;           /* the layers were found by their shapes */
  char *next;           /* the second best guess; NULL: none */
} probe_weights;

/* Room for the layers of a network, and one more layer of `shape`, fan_out x fan_in, of a name with that length. */
void probe_weights_allocate(probe_weights *w, size_t n);
void probe_weights_add(probe_weights *w, const char *name, size_t length, fanin_dtype dtype, const uint64_t shape[2]);
/* Describes the weights of the file r->weights, and sets r->like, which ends with like_free() also after a failure.
 * They decide widths and dtype, and the command line must agree. */
int probe_weights_describe(probe_request *r, probe_weights *out, failure *why);
/* Reads what was described into buffers; numbers that are not finite are refused. Decides what each layer is judged by.
 * Sets weights, factors, inits and biases of r->config, which `w` must outlive. */
int probe_weights_read(probe_request *r, const session *s, probe_weights *w, failure *why);
/* Fills new tensors "layer<l>.weight" from the first initializer. Sets r->config.weights. */
int probe_weights_draw(probe_request *r, const session *s, probe_weights *out, failure *why);
/* The name that a layer's initializer has in lists, or "several" for all layers if they differ. */
const char *probe_weights_init(const probe_weights *w);
/* Does nothing on a zeroed one. */
void probe_weights_free(probe_weights *w);

/* ---- expect.c ---------------------------------------------------------------------------------------------------- */

/* Decides what the layers with MAKER_GUESS are judged by, from their values on the device. */
int expect_guess(const session *s, probe_weights *w, failure *why);

/* ---- rewrite.c --------------------------------------------------------------------------------------------------- */

/* Writes the file r->weights again with other weights of its layers. Everything else is copied. */
int probe_rewrite(const probe_request *r, const session *s, const probe_weights *w,
                  const fanin_calibrated_layer *layers, failure *why);
/* A layer's weights as they are stored; the caller frees *bytes. */
int probe_weights_bytes(const session *s, const probe_weights *w, size_t l, char **bytes, size_t *size, failure *why);

/* ---- calibrate.c ------------------------------------------------------------------------------------------------- */

/* Checks that the disk has room for the calibrated weights, or for the file `w` written again. */
int probe_calibrate_space(const probe_request *r, const probe_weights *w, failure *why);

/* ---- widths.c ---------------------------------------------------------------------------------------------------- */

/* Checks --mlp and --widths together: braces and what stands for w. Sets the widths of the first network. */
int probe_take_sizes(probe_request *r, failure *why);
/* The same request for the network of width r->sizes[k], which has a seed of its own: the k-th after r's. */
int probe_request_at(const probe_request *r, size_t k, probe_request *out, failure *why);
/* Probes the network at every width, and says how q and G scale. */
int probe_widths(const probe_request *r, const session *s, failure *why);

/* ---- suggest.c --------------------------------------------------------------------------------------------------- */

int probe_suggest(const probe_request *r, failure *why);

/* ---- network.c --------------------------------------------------------------------------------------------------- */

/* Reads "64,300,10", where "48x256" stands for 48 of that width, and "12x(3072,768)" for 12 times these two. `widths`
 * has room for PROBE_MAX_WIDTHS. */
int probe_read_network(const char *name, const char *value, uint64_t *widths, size_t *n, failure *why);

/* Checks what --activation, --block and --mlp say together. */
int probe_check_network(const probe_request *r, failure *why);

/* The rows of layer l's weights, l from 0: its features, or twice as many before a gated unit. */
uint64_t probe_rows(const probe_request *r, size_t l);

/* Of weights with so many rows, in layer l of so many: the features of the layer; 0: no whole number. */
uint64_t probe_features(const probe_request *r, size_t l, size_t layers, uint64_t rows);

/* ---- columns.c --------------------------------------------------------------------------------------------------- */

typedef enum probe_kind { KIND_COUNT, KIND_REAL, KIND_Z, KIND_PERCENT, KIND_FLAG } probe_kind;

/* A number of a layer, for the table, JSON and CSV alike. */
typedef struct probe_column {
  const char *name; /* the struct's field; JSON's key and CSV's title */
  probe_kind kind;
  size_t offset;       /* in fanin_probe_layer */
  const char *heading; /* in the table; NULL: the table does not have it */
  const char *group;   /* the heading above */
  int drop;            /* as in table.h */
  bool of_blocks;      /* the table of a network without blocks does not have it */
} probe_column;

extern const probe_column probe_columns[];
extern const size_t probe_n_columns;

/* The column's number of a layer; of KIND_FLAG 0 or 1. */
double probe_number(const probe_column *c, const fanin_probe_layer *y);

/* ---- text.c ------------------------------------------------------------------------------------------------------ */

enum { PROBE_TEXT = 512 };

/* "64-300-100-10", "784-48x1024-10", "256-24x(688-256)-10": what repeats is counted; "64,{w},{w},10 with w = 128, 512".
 * Cut with
 * "..." where it is too long. */
char *probe_network_text(const probe_request *r, char out[PROBE_TEXT]);
/* "leaky_relu with slope 0.3, layer norm, residual, bias std 0.1" */
char *probe_activation_text(const probe_request *r, char out[PROBE_TEXT]);

/* Prints what was probed and on which device, and a blank line. */
void probe_print_heading(const probe_request *r, const session *s);

/* ---- table.c ----------------------------------------------------------------------------------------------------- */

/* How many layers have results: those before the first one whose values overflowed. */
size_t probe_layers(const probe_result *report);

/* Whether layer l of n is shown: all of them, or layers at the ends and some at equal distances in between. */
bool probe_is_shown(const probe_request *r, size_t n, size_t l);

void probe_print_report(const probe_request *r, const probe_result *report);
void probe_print_verdicts(const probe_result *report);
void probe_print_findings(const probe_result *report, const char *indent);
/* Prints one row for each initializer. */
void probe_print_comparison(const probe_request *r, probe_result *const *reports);

/* ---- data.c ------------------------------------------------------------------------------------------------------ */

/* What was asked for in network i, and what came of it. */
json_t *probe_to_json(const probe_request *r, const session *s, size_t i, const probe_result *report);
/* An object, or with several initializers a list of them. */
int probe_print_json(const probe_request *r, const session *s, probe_result *const *reports, failure *why);
/* To the file r->csv, or to stdout. */
int probe_write_csv(const probe_request *r, probe_result *const *reports, failure *why);

/* ---- gnuplot.c: a separate process ------------------------------------------------------------------------------- */

/* Whether `path` ends in .svg or .png and gnuplot can be started; `option` begins the sentence. */
int gnuplot_check(const char *option, const char *path, failure *why);

/* Runs a script of `size` bytes, which must plot to standard output and set neither terminal nor output, on a page of
 * width x height pixels. The picture appears at `path` whole or not at all. */
int gnuplot_draw(const char *path, int width, int height, const char *script, size_t size, failure *why);

/* ---- plot.c ------------------------------------------------------------------------------------------------------ */

/* Draws r->plot. */
int probe_plot(const probe_request *r, probe_result *const *reports, failure *why);

/* ---- calibrate.c ------------------------------------------------------------------------------------------------- */

/* Calibrates the weights, writes them to r->output and prints what was done. */
int probe_calibrate(const probe_request *r, const session *s, const probe_weights *w, failure *why);

#endif
