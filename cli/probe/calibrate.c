/* 'fanin probe --calibrate': layer-sequential unit variance, and the calibrated weights in a file. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/output.h"
#include "base/table.h"
#include "base/terminal.h"
#include "formats/model.h"
#include "formats/safetensors.h"
#include "probe/report.h"

/* ---- The file ---------------------------------------------------------------------------------------------------- */

/* Makes a model of tensors as 'fanin init' would write them, except that their values have a factor. */
static int describe(const probe_request *r, const probe_weights *w, const fanin_calibrated_layer *layers, model *m,
                    failure *why) {
  int status = STATUS_OK;
  for (size_t l = 0; l < w->count && status == STATUS_OK; ++l) {
    fanin_tensor t = w->tensors[l];
    const char *name = w->layers[l].name;
    t.buffer = NULL;
    status = model_add(m, name, &t, &w->inits[l], name, why);
    if (status == STATUS_OK) m->tensors[l].factor = layers[l].factor;
  }
  return status == STATUS_OK ? model_check(m, r->output, why) : status;
}

static int write_layer(const session *s, const probe_weights *w, size_t l, output *out, failure *why) {
  char *bytes;
  size_t size;
  int status = probe_weights_bytes(s, w, l, &bytes, &size, why);
  if (status == STATUS_OK) status = output_write(out, bytes, size, why);
  free(bytes);
  return status;
}

/* A file of drawn weights. */
static int write_drawn(const probe_request *r, const session *s, const probe_weights *w,
                       const fanin_calibrated_layer *layers, failure *why) {
  model m = {0};
  output out = OUTPUT_NONE;
  char *header = NULL;
  size_t size = 0;
  int status = describe(r, w, layers, &m, why);
  if (status == STATUS_OK) status = safetensors_header(&m, r->config.seed, &header, &size, why);
  if (status == STATUS_OK) status = output_open(r->output, &out, why);
  if (status == STATUS_OK) status = output_write(&out, header, size, why);
  for (size_t l = 0; l < w->count && status == STATUS_OK; ++l)
    status = write_layer(s, w, l, &out, why);
  if (status == STATUS_OK) status = output_commit(&out, why);
  output_abandon(&out);
  free(header);
  model_free(&m);
  return status;
}

int probe_calibrate_space(const probe_request *r, const probe_weights *w, failure *why) {
  double bytes = (double)w->file_bytes; /* widths may be any number */
  for (size_t l = 1; !r->weights && l < r->config.n_widths; ++l)
    bytes += (double)probe_rows(r, l - 1) * (double)r->widths[l - 1] * (double)fanin_dtype_size(r->config.dtype);
  return output_check_space(r->output, bytes < 0x1p63 ? (uint64_t)bytes : UINT64_MAX, why);
}

/* ---- What was done ----------------------------------------------------------------------------------------------- */

static void print_table(const probe_request *r, const session *s, const probe_weights *w,
                        const fanin_calibrated_layer *layers) {
  static const column columns[] = {{"layer", 0, 0}, {"fan_in", 0, 1}, {"fan_out", 0, 1},    {"before", 0, 0},
                                   {"after", 0, 0}, {"factor", 0, 0}, {"iterations", 0, 0}, {"tensor", 1, 2}};
  table t = table_of(columns, sizeof columns / sizeof *columns);
  for (size_t l = 0; l < w->count; ++l) {
    table_cell(&t, "%zu", l + 1);
    table_cell(&t, "%" PRIu64, r->widths[l]);
    table_cell(&t, "%" PRIu64, probe_rows(r, l));
    table_cell(&t, "%.5g", layers[l].before);
    table_cell(&t, "%.5g", layers[l].after);
    table_cell(&t, "%.6g", layers[l].factor);
    table_cell(&t, "%d", layers[l].iterations);
    table_cell(&t, "%s", w->layers[l].name);
  }
  probe_print_heading(r, s);
  table_print(&t);
  printf("\nbefore, after: %s of the preactivations, to be %g within %g %%; factor: of the weights\n%s: written\n",
         r->calibration.criterion == FANIN_CRITERION_VARIANCE ? "variance" : "second moment", r->calibration.target,
         100 * r->calibration.tolerance, r->output);
}

static int print_json(const probe_request *r, const session *s, const probe_weights *w,
                      const fanin_calibrated_layer *layers, failure *why) {
  json_t *root = json_object(), *array = json_array();
  json_object_set_new(root, "output", json_string(r->output));
  json_object_set_new(root, "init", json_from_text(probe_init_shared(r, 0)));
  json_object_set_new(root, "seed", json_from_u64(r->config.seed));
  json_object_set_new(root, "device", json_string(s->device_name));
  json_object_set_new(root, "criterion",
                      json_string(r->calibration.criterion == FANIN_CRITERION_VARIANCE ? "variance" : "second_moment"));
  JSON_SET_NUMBERS(root, {"target", r->calibration.target}, {"tolerance", r->calibration.tolerance});
  for (size_t l = 0; l < w->count; ++l) {
    json_t *o = json_object();
    json_object_set_new(o, "name", json_string(w->layers[l].name));
    json_object_set_new(o, "fan_in", json_integer((json_int_t)r->widths[l]));
    json_object_set_new(o, "fan_out", json_integer((json_int_t)probe_rows(r, l)));
    JSON_SET_NUMBERS(o, {"before", layers[l].before}, {"after", layers[l].after}, {"factor", layers[l].factor});
    json_object_set_new(o, "iterations", json_integer(layers[l].iterations));
    json_array_append_new(array, o);
  }
  json_object_set_new(root, "layers", array);
  return json_print(root, why);
}

int probe_calibrate(const probe_request *r, const session *s, const probe_weights *w, failure *why) {
  fanin_calibrated_layer *layers = allocate(w->count, sizeof *layers);
  fanin_probe_config config = r->config;
  config.inits = w->inits;
  config.progress = probe_progress;
  const fanin_status calibrated = fanin_calibrate(s->f, s->queue, &config, &r->calibration, layers, sizeof *layers);
  progress_clear();
  int status = library_status(why, calibrated, NULL);
  if (status == STATUS_OK) status = (r->weights ? probe_rewrite : write_drawn)(r, s, w, layers, why);
  if (status == STATUS_OK && r->json)
    status = print_json(r, s, w, layers, why);
  else if (status == STATUS_OK)
    print_table(r, s, w, layers);
  free(layers);
  return status;
}
