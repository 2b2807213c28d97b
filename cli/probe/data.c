/* A probe's report for programs: JSON and comma-separated values, with the names of the library's fields. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/output.h"
#include "probe/report.h"

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static json_t *number(const probe_column *c, const fanin_probe_layer *y) {
  const double value = probe_number(c, y);
  if (c->kind == KIND_COUNT) return json_integer((json_int_t)value);
  return c->kind == KIND_FLAG ? json_boolean(value != 0) : json_from_double(value);
}

/* What the file has for a layer, and what it is judged by. */
static void set_file_layer(json_t *o, const probe_layer_weights *y, double factor) {
  json_object_set_new(o, "tensor", json_string(y->name));
  json_object_set_new(o, "second_tensor", json_from_text(y->second));
  json_object_set_new(o, "bias", json_from_text(y->bias_name));
  json_object_set_new(o, "init", json_string(y->init_text));
  json_object_set_new(o, "factor", json_from_double(factor));
  json_object_set_new(o, "judged_by", json_string(probe_maker_name(y->maker)));
}

/* What a layer is drawn from: schemes and expressions are numbers in it. */
static json_t *init_to_json(const probe_request *r, size_t i, size_t l) {
  enum { TEXT = 512 };
  char text[TEXT];
  fanin_init init;
  failure unused;
  if (probe_init_of(r, i, l, &init, &unused) != STATUS_OK) return json_null(); /* it was drawn, so it is one */
  return fanin_init_format(&init, text, sizeof text, NULL) == FANIN_STATUS_OK ? json_string(text) : json_null();
}

static json_t *layers_to_json(const probe_request *r, size_t i, const probe_result *report) {
  json_t *array = json_array();
  for (size_t l = 0; l < probe_layers(report); ++l) {
    json_t *o = json_object();
    json_object_set_new(o, "layer", json_integer((json_int_t)l + 1));
    if (r->file) set_file_layer(o, &r->file->layers[l], r->file->factors[l]);
    if (!r->file) json_object_set_new(o, "init", init_to_json(r, i, l));
    for (size_t c = 0; c < probe_n_columns; ++c)
      json_object_set_new(o, probe_columns[c].name, number(&probe_columns[c], &report->layers[l]));
    json_array_append_new(array, o);
  }
  return array;
}

static json_t *findings_to_json(const probe_result *report) {
  static const char *const verdicts[] = {[FANIN_VERDICT_HEALTH] = "healthy",
                                         [FANIN_VERDICT_CONFORMITY] = "conforms",
                                         [FANIN_VERDICT_CAUSE] = "cause",
                                         [FANIN_VERDICT_WARNING] = "warning"};
  json_t *array = json_array();
  for (size_t i = 0; i < report->summary.n_findings; ++i) {
    const fanin_finding *f = &report->findings[i];
    fanin_verdict verdict = FANIN_VERDICT_CAUSE;
    json_t *o = json_object();
    (void)fanin_diagnosis_verdict(f->diagnosis, &verdict); /* the library's own value */
    json_object_set_new(o, "name", json_string(fanin_diagnosis_name(f->diagnosis)));
    json_object_set_new(o, "verdict", json_string(verdicts[verdict]));
    json_object_set_new(o, "first", json_integer((json_int_t)f->first));
    json_object_set_new(o, "last", json_integer((json_int_t)f->last));
    json_object_set_new(o, "what", json_string(f->what));
    json_object_set_new(o, "remedy", json_string(f->remedy));
    json_array_append_new(array, o);
  }
  return array;
}

json_t *probe_to_json(const probe_request *r, const session *s, size_t i, const probe_result *report) {
  static const char *const norms[] = {
      [FANIN_NORM_NONE] = "none", [FANIN_NORM_LAYER] = "layer", [FANIN_NORM_BATCH] = "batch"};
  static const char *const blocks[] = {
      [FANIN_BLOCK_NONE] = "none", [FANIN_BLOCK_PRE_NORM] = "pre-norm", [FANIN_BLOCK_POST_NORM] = "post-norm"};
  const fanin_probe_config *c = &r->config;
  const fanin_probe_summary *sum = &report->summary;
  json_t *o = json_object();
  json_object_set_new(o, "widths", json_from_shape(r->widths, (int)c->n_widths));
  json_object_set_new(o, "activation", json_string(c->activation));
  json_object_set_new(o, "slope", strcasecmp(c->activation, "leaky_relu") == 0 ? json_real(c->slope) : json_null());
  json_object_set_new(o, "init", json_from_text(probe_init_shared(r, i)));
  json_object_set_new(o, "weights", json_from_text(r->weights));
  json_object_set_new(o, "dtype", json_string(fanin_dtype_name(c->dtype)));
  json_object_set_new(o, "bias_std", json_real(c->bias_std));
  json_object_set_new(o, "norm", json_string(norms[c->norm]));
  json_object_set_new(o, "residual", json_boolean(c->residual));
  json_object_set_new(o, "block", json_string(blocks[c->block]));
  json_object_set_new(o, "input", json_string(r->input ? r->input : "normal"));
  json_object_set_new(o, "input_correlation", r->input ? json_from_double(r->input_correlation) : json_null());
  json_object_set_new(o, "batch", json_integer((json_int_t)c->batch));
  json_object_set_new(o, "seed", json_from_u64(c->seed));
  json_object_set_new(o, "device", json_string(s->device_name));
  json_object_set_new(o, "conforms", json_boolean(sum->conforms));
  json_object_set_new(o, "conforms_condition", json_from_text(sum->conforms_condition));
  json_object_set_new(o, "healthy", json_boolean(sum->healthy));
  json_object_set_new(o, "healthy_condition", json_from_text(sum->healthy_condition));
  json_object_set_new(o, "judged", json_boolean(sum->judged));
  json_object_set_new(o, "predicted", json_boolean(sum->predicted));
  json_object_set_new(o, "n_tests", json_integer((json_int_t)sum->n_tests));
  json_object_set_new(o, "z_bound", json_from_double(sum->z_bound));
  json_object_set_new(o, "overflow_layer",
                      sum->overflow_layer > 0 ? json_integer((json_int_t)sum->overflow_layer) : json_null());
  JSON_SET_NUMBERS(o, {"sd_ln_q", sum->sd_ln_q}, {"gemm_seconds", sum->gemm_seconds},
                   {"other_seconds", sum->other_seconds}, {"startup_seconds", sum->startup_seconds});
  json_object_set_new(o, "device_bytes", json_integer((json_int_t)sum->device_bytes));
  json_object_set_new(o, "diagnoses", findings_to_json(report));
  json_object_set_new(o, "layers", layers_to_json(r, i, report));
  return o;
}

int probe_print_json(const probe_request *r, const session *s, probe_result *const *reports, failure *why) {
  if (r->n_inits == 1) return json_print(probe_to_json(r, s, 0, reports[0]), why);
  json_t *array = json_array();
  for (size_t i = 0; i < r->n_inits; ++i)
    json_array_append_new(array, probe_to_json(r, s, i, reports[i]));
  return json_print(array, why);
}

/* ---- Comma-separated values: RFC 4180 ---------------------------------------------------------------------------- */

/* Writes a field that may contain commas and quotes. */
static void write_text(FILE *to, const char *text) {
  fputc('"', to);
  for (; *text; ++text) {
    if (*text == '"') fputc('"', to);
    fputc(*text, to);
  }
  fputc('"', to);
}

/* Writes a number, or nothing for a number that does not exist. */
static void write_number(FILE *to, double value) {
  fputc(',', to);
  if (isfinite(value)) fprintf(to, "%.17g", value);
}

static void write_csv(FILE *to, const probe_request *r, probe_result *const *reports) {
  fputs("init,layer", to);
  for (size_t i = 0; i < probe_n_columns; ++i)
    fprintf(to, ",%s", probe_columns[i].name);
  fputs("\r\n", to);
  for (size_t i = 0; i < r->n_inits; ++i) {
    for (size_t l = 0; l < probe_layers(reports[i]); ++l) {
      write_text(to, r->file ? r->file->layers[l].init_text : probe_init_text(r, i, l));
      fprintf(to, ",%zu", l + 1);
      for (size_t c = 0; c < probe_n_columns; ++c)
        write_number(to, probe_number(&probe_columns[c], &reports[i]->layers[l]));
      fputs("\r\n", to);
    }
  }
}

int probe_write_csv(const probe_request *r, probe_result *const *reports, failure *why) {
  char *text = NULL;
  size_t size = 0;
  if (strcmp(r->csv, "-") == 0) {
    write_csv(stdout, r, reports);
    return STATUS_OK;
  }
  FILE *memory = open_memstream(&text, &size);
  if (!memory) return fail(why, STATUS_DEVICE, "out of memory for --csv");
  write_csv(memory, r, reports);
  if (fclose(memory) != 0) {
    free(text);
    return fail(why, STATUS_DEVICE, "out of memory for --csv");
  }
  const int status = output_whole(r->csv, text, size, why);
  free(text);
  return status;
}
