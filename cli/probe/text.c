/* A probed network in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/terminal.h"
#include "base/text.h"
#include "probe/report.h"

/* Appends text. If it does not fit, it ends with "...". */
static void append(char out[PROBE_TEXT], const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char out[PROBE_TEXT], const char *format, ...) {
  const size_t used = strlen(out);
  va_list arguments;
  va_start(arguments, format);
  const int n = vsnprintf(out + used, PROBE_TEXT - used, format, arguments);
  va_end(arguments);
  if (n >= 0 && (size_t)n >= PROBE_TEXT - used) memcpy(out + PROBE_TEXT - 4, "...", 4);
}

/* How often the `period` widths from i on come one after another. */
static size_t count_repeats(const probe_request *r, size_t i, size_t period) {
  size_t end = i + period;
  while (end < r->config.n_widths && r->widths[end] == r->widths[end - period])
    ++end;
  return end <= r->config.n_widths ? (end - i) / period : 0;
}

char *probe_network_text(const probe_request *r, char out[PROBE_TEXT]) {
  enum { FEW = 3 }; /* are written out */
  const size_t n = r->config.n_widths;
  size_t run;
  out[0] = '\0';
  if (r->n_sizes > 0) append(out, "%s with w =", r->network);
  for (size_t k = 0; k < r->n_sizes; ++k)
    append(out, "%s %" PRIu64, k > 0 ? "," : "", r->sizes[k]);
  for (size_t i = 0; r->n_sizes == 0 && i < n; i += run) {
    const size_t ones = count_repeats(r, i, 1);
    size_t pairs = count_repeats(r, i, 2);
    if (pairs > FEW && count_repeats(r, i + 1, 2) == pairs) pairs = 0; /* 8-5x(6-8), and not 5x(8-6)-8 */
    append(out, "%s", i > 0 ? "-" : "");
    run = ones > FEW ? ones : pairs > FEW ? 2 * pairs : 1;
    if (ones > FEW) append(out, "%zux%" PRIu64, ones, r->widths[i]);
    if (ones <= FEW && pairs > FEW) append(out, "%zux(%" PRIu64 "-%" PRIu64 ")", pairs, r->widths[i], r->widths[i + 1]);
    if (run == 1) append(out, "%" PRIu64, r->widths[i]);
  }
  return out;
}

char *probe_activation_text(const probe_request *r, char out[PROBE_TEXT]) {
  const fanin_probe_config *c = &r->config;
  out[0] = '\0';
  append(out, "%s", c->activation);
  if (strcasecmp(c->activation, "leaky_relu") == 0) append(out, " with slope %g", c->slope);
  if (c->norm != FANIN_NORM_NONE) append(out, ", %s norm", c->norm == FANIN_NORM_LAYER ? "layer" : "batch");
  if (c->block != FANIN_BLOCK_NONE) {
    append(out, ", %s blocks", c->block == FANIN_BLOCK_PRE_NORM ? "pre-norm" : "post-norm");
  }
  if (c->residual) append(out, ", residual");
  if (c->bias_std > 0) append(out, ", bias std %g", c->bias_std);
  return out;
}

/* ---- What weights are judged by ---------------------------------------------------------------------------------- */

static bool is_judged_alike(const probe_weights *w, size_t a, size_t b) {
  return w->layers[a].maker == w->layers[b].maker && strcmp(w->layers[a].init_text, w->layers[b].init_text) == 0 &&
         (w->factors[a] != 1) == (w->factors[b] != 1);
}

/* "as he_normal, calibrated (its metadata)"; several layers with their numbers before, as runs that are judged alike.
 */
static void say_makers(const probe_request *r, char **out) {
  enum { MOST_RUNS = 8 };
  const probe_weights *w = r->file;
  size_t length = 0, run, runs = 0;
  FILE *to = open_memstream(out, &length);
  if (!to) return;
  for (size_t l = 0; l < w->count; l += run) {
    const probe_layer_weights *y = &w->layers[l];
    for (run = 1; l + run < w->count && is_judged_alike(w, l, l + run);)
      ++run;
    if (runs++ == MOST_RUNS) {
      fprintf(to, ", and other layers as --json says");
      break;
    }
    if (l > 0) fprintf(to, ", ");
    if (run == 1 && w->count > 1) fprintf(to, "layer %zu ", l + 1);
    if (run > 1 && run < w->count) fprintf(to, "layers %zu to %zu ", l + 1, l + run);
    fprintf(to, "as %s%s (%s", y->init_text, w->factors[l] != 1 ? ", calibrated" : "", probe_maker_text(y->maker));
    if (y->maker == MAKER_RULES) fprintf(to, " %s", r->like.rules_name);
    if (y->maker == MAKER_GUESS && w->next) fprintf(to, "; next: %s", w->next);
    fprintf(to, ")");
  }
  fclose(to);
}

/* Which tensors are the layers, if the file was searched for them. */
static void print_found(const probe_weights *w) {
  char *list = NULL;
  size_t length = 0;
  FILE *to = open_memstream(&list, &length);
  if (!to) return;
  for (size_t l = 0; l < w->count; ++l)
    fprintf(to, "%s%s%s", l > 0 ? ", " : "", w->layers[l].name, w->layers[l].transposed ? " (fan_in x fan_out)" : "");
  fclose(to);
  terminal_line(stdout, 2, "Layers, found by shape: %s", list);
  free(list);
}

/* How many layers have biases of the file. */
static size_t count_biases(const probe_weights *w) {
  size_t n = 0;
  for (size_t l = 0; l < w->count; ++l)
    n += w->layers[l].bias_name != NULL;
  return n;
}

/* "weights of w.safetensors as he_normal (its metadata)", or the initializers that weights are drawn from. */
static char *weights_text(const probe_request *r) {
  char *out = NULL, *makers = NULL;
  size_t length = 0;
  FILE *to = open_memstream(&out, &length);
  if (!to) return NULL;
  if (r->file) {
    const size_t biases = count_biases(r->file);
    say_makers(r, &makers);
    fprintf(to, "weights%s of %s%s %s", biases > 0 ? " and biases" : "", r->weights,
            makers && makers[0] == 'l' ? ":" : "", makers ? makers : "");
    free(makers);
  } else {
    char *inits = probe_inits_text(r);
    fprintf(to, "weights %s", inits ? inits : "");
    free(inits);
  }
  fclose(to);
  return out;
}

void probe_print_heading(const probe_request *r, const session *s) {
  char text[PROBE_TEXT], network[PROBE_TEXT], *weights = weights_text(r);
  char seeds[TEXT_NUMBER] = "";
  if (r->n_sizes > 0) snprintf(seeds, sizeof seeds, " to %" PRIu64, r->config.seed + r->n_sizes - 1);
  terminal_line(stdout, 2, "MLP %s, %s, %s in %s, seed%s %" PRIu64 "%s", probe_network_text(r, network),
                probe_activation_text(r, text), weights ? weights : "weights", fanin_dtype_name(r->config.dtype),
                r->n_sizes > 0 ? "s" : "", r->config.seed, seeds);
  free(weights);
  if (r->file && r->file->found) print_found(r->file);
  text[0] = '\0';
  append(text, "%" PRIu64 " ", r->config.batch);
  if (r->input) {
    append(text, "row%s x %" PRIu64 " column%s of %s, less their mean, divided by their std",
           text_plural(r->config.batch), r->widths[0], text_plural(r->widths[0]), r->input);
    append(text, "; mean cosine of two rows %.3g", r->input_correlation);
    if (r->columns_left > 0) append(text, "; columns left out: %" PRIu64, r->columns_left);
  } else {
    append(text, "sample%s of N(0,1)", text_plural(r->config.batch));
  }
  terminal_line(stdout, 2, "Input: %s", text);
  printf("Device: %s\n\n", s->device_name);
}
