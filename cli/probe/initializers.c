/* Which initializer each layer has: --init, --layer-init, and the arithmetic in their texts. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "formats/expression.h"
#include "formats/tensor_text.h"
#include "probe/report.h"

static const char name_of_option[] = "--layer-init";

/* ---- Which layers ------------------------------------------------------------------------------------------------ */

/* Reads "3", "-1" or "last" as a layer from 1 to `layers`. */
static int read_layer(const char *option, const char *text, size_t length, size_t layers, size_t *out, failure *why) {
  const bool last = length == 4 && strncmp(text, "last", 4) == 0, negative = !last && length > 0 && text[0] == '-';
  uint64_t number = 1;
  if (!last && !args_u64(text + negative, length - negative, &number)) {
    return args_fail(why,
                     "%s '%s': write N=INIT, where N is a layer (from 1 on, 'last', or -2 for the one before it) or a "
                     "range of layers, as 2..4 or 2..-2",
                     name_of_option, option);
  }
  if (number < 1 || number > layers) {
    return args_fail(why, "%s '%s': there is no layer %.*s; the network has layers 1 to %zu", name_of_option, option,
                     (int)length, text, layers);
  }
  *out = last || negative ? layers + 1 - (size_t)number : (size_t)number;
  return STATUS_OK;
}

/* Gives its layers the initializer of one --layer-init. */
static int take_one(probe_request *r, const char *option, failure *why) {
  const size_t layers = r->config.n_widths - 1;
  const char *equals = strchr(option, '='), *end = equals ? equals : option, *dots = strstr(option, "..");
  size_t first = 0, last = 0;
  if (dots && dots > end) dots = NULL;
  int status = read_layer(option, option, (size_t)((dots ? dots : end) - option), layers, &first, why);
  last = first;
  if (status == STATUS_OK && dots) status = read_layer(option, dots + 2, (size_t)(end - dots - 2), layers, &last, why);
  if (status != STATUS_OK) return status;
  if (first > last) {
    return args_fail(why, "%s '%s': the range goes from layer %zu back to layer %zu", name_of_option, option, first,
                     last);
  }
  for (size_t l = first - 1; l < last; ++l) {
    if (r->layer_texts[l]) {
      return args_fail(why, "%s '%s': layer %zu has '%s' already; give each layer one initializer", name_of_option,
                       option, l + 1, r->layer_texts[l]);
    }
    r->layer_texts[l] = end + 1;
  }
  return STATUS_OK;
}

int probe_take_layers(probe_request *r, failure *why) {
  int status = STATUS_OK;
  for (size_t i = 0; i < r->layer_inits.count && status == STATUS_OK; ++i)
    status = take_one(r, r->layer_inits.texts[i], why);
  if (status != STATUS_OK || r->layer_inits.count == 0 || !r->has_init || probe_init_shared(r, 0)) return status;
  return args_fail(why, "--init %s would make no layer: --layer-init has all %zu of them; leave --init out",
                   r->init_texts[0], r->config.n_widths - 1);
}

int probe_check_layer_init(void *to, const char *name, const char *value, failure *why) {
  const char *equals = strchr(value, '=');
  if (!equals || !equals[1]) {
    return args_fail(why, "%s '%s': write N=INIT, as in 1=he_normal or 2..4=normal:std=0.02", name, value);
  }
  const int status = init_text_check(equals + 1, name, why);
  return status == STATUS_OK ? args_texts(to, name, value, why) : status;
}

/* ---- Texts ------------------------------------------------------------------------------------------------------- */

const char *probe_init_text(const probe_request *r, size_t i, size_t l) {
  return r->layer_texts[l] ? r->layer_texts[l] : r->init_texts[i];
}

const char *probe_init_shared(const probe_request *r, size_t i) {
  for (size_t l = 0; l + 1 < r->config.n_widths; ++l) {
    if (!r->layer_texts[l]) return r->init_texts[i];
  }
  return NULL;
}

char *probe_inits_text(const probe_request *r) {
  const char *separator = "";
  char *out = NULL;
  size_t length = 0, run;
  FILE *to = open_memstream(&out, &length);
  if (!to) return NULL;
  for (size_t i = 0; i < r->n_inits && probe_init_shared(r, i); ++i) {
    fprintf(to, "%s%s", separator, r->init_texts[i]);
    separator = " | ";
  }
  if (separator[0]) separator = ", but ";
  for (size_t l = 0; l + 1 < r->config.n_widths; l += run) {
    for (run = 1; l + run + 1 < r->config.n_widths && r->layer_texts[l + run] == r->layer_texts[l];)
      ++run;
    if (!r->layer_texts[l]) continue;
    if (run == 1)
      fprintf(to, "%slayer %zu %s", separator, l + 1, r->layer_texts[l]);
    else
      fprintf(to, "%slayers %zu to %zu %s", separator, l + 1, l + run, r->layer_texts[l]);
    separator = ", ";
  }
  fclose(to);
  return out;
}

/* ---- Expressions ------------------------------------------------------------------------------------------------- */

/* What the names of an initializer's text stand for. */
typedef struct scope {
  tensor_facts facts; /* of the layer's weights; the name is the layer's number */
  double layers;
  const char *where;
} scope;

static int find_number(const void *state, const char *name, const int64_t *index, double *out, failure *why) {
  static const char *const names[] = {"layer", "layers", "fan_in", "fan_out", "shape"};
  const scope *s = state;
  char known[TEXT_KNOWN];
  if (tensor_has_number(name)) return tensor_number(&s->facts, name, index, s->where, out, why);
  if (strcmp(name, "layers") != 0) {
    return fail(why, STATUS_INPUT, "%s: no number of a layer is called '%s'%s", s->where, name,
                text_known(name, names, sizeof names / sizeof *names, "there are", known));
  }
  *out = s->layers;
  return tensor_no_index(name, index, s->where, why);
}

int probe_init_of(const probe_request *r, size_t i, size_t l, fanin_init *out, failure *why) {
  const fanin_tensor t = {
      .dtype = r->config.dtype, .rank = 2, .layout = "OI", .shape = {probe_rows(r, l), r->widths[l]}};
  char name[TEXT_NUMBER], text[EXPRESSION_TEXT];
  snprintf(name, sizeof name, "%zu", l + 1);
  const char *where = r->layer_texts[l] ? name_of_option : "--init";
  const scope s = {{name, &t, &t}, (double)r->config.n_widths - 1, where};
  const expression_names names = {find_number, &s, false};
  const int status = expression_expand(probe_init_text(r, i, l), &names, where, text, sizeof text, why);
  return status == STATUS_OK ? init_text_parse(text, &t, out, where, why) : status;
}

int probe_check_inits(const probe_request *r, failure *why) {
  fanin_init unused;
  int status = STATUS_OK;
  for (size_t i = 0; i < r->n_inits; ++i) {
    for (size_t l = 0; l + 1 < r->config.n_widths && status == STATUS_OK; ++l)
      status = probe_init_of(r, i, l, &unused, why);
  }
  return status;
}
