/* A probed network in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
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

char *probe_network_text(const probe_request *r, char out[PROBE_TEXT]) {
  const size_t n = r->config.n_widths;
  size_t run;
  out[0] = '\0';
  for (size_t i = 0; i < n; i += run) {
    run = 1;
    while (i + run < n && r->widths[i + run] == r->widths[i])
      ++run;
    append(out, "%s", i > 0 ? "-" : "");
    if (run > 3)
      append(out, "%zux", run);
    else
      run = 1;
    append(out, "%" PRIu64, r->widths[i]);
  }
  return out;
}

char *probe_activation_text(const probe_request *r, char out[PROBE_TEXT]) {
  const fanin_probe_config *c = &r->config;
  out[0] = '\0';
  append(out, "%s", c->activation);
  if (strcasecmp(c->activation, "leaky_relu") == 0) append(out, " with slope %g", c->slope);
  if (c->norm != FANIN_NORM_NONE) append(out, ", %s norm", c->norm == FANIN_NORM_LAYER ? "layer" : "batch");
  if (c->residual) append(out, ", residual");
  if (c->bias_std > 0) append(out, ", bias std %g", c->bias_std);
  return out;
}

static bool is_calibrated(const probe_request *r) {
  bool any = false;
  for (size_t l = 0; r->config.weight_factors && l + 1 < r->config.n_widths; ++l)
    any = any || r->config.weight_factors[l] != 1;
  return any;
}

void probe_print_heading(const probe_request *r, const session *s) {
  char text[PROBE_TEXT];
  printf("MLP %s", probe_network_text(r, text));
  printf(", %s, weights ", probe_activation_text(r, text));
  if (r->weights) printf("of %s as ", r->weights);
  for (size_t i = 0; i < r->n_inits; ++i)
    printf("%s%s", i > 0 ? " | " : "", r->init_texts[i]);
  if (is_calibrated(r)) printf(", calibrated");
  printf(" in %s, seed %" PRIu64 "\n", fanin_dtype_name(r->config.dtype), r->config.seed);
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
