/* Which well-known rule a tensor's std resembles, from its name and shape alone. */
#include "inspect/resemblance.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/args.h"

/* std = sqrt(scale / n), n = in * fan_in + out * fan_out. */
static const struct {
  const char *name;
  double scale, in, out;
} by_fans[] = {{"he, fan_in", 2, 1, 0},
               {"he, fan_out", 2, 0, 1},
               {"xavier, fans", 2, 1, 1},
               {"lecun, fan_in", 1, 1, 0},
               {"PyTorch's default, fan_in", 1.0 / 3, 1, 0},
               {"xavier with gain 5/3 (tanh), fans", 50.0 / 9, 1, 1}};

/* std as such. */
static const struct {
  const char *name;
  double std;
} fixed[] = {
    {"std 1 (PyTorch's Embedding)", 1}, {"std 0.02 (GPT-2, BERT)", 0.02}, {"std 0.01", 0.01}, {"std 0.1", 0.1}};

static const char bias[] = "bias";

/* Whether w is "fc.weight" where b is "fc.bias". */
static bool is_sibling(const stored_tensor *b, const stored_tensor *w) {
  const size_t n = strlen(b->name) - (sizeof bias - 1);
  return strncmp(w->name, b->name, n) == 0 && strcmp(w->name + n, "weight") == 0;
}

/* The fan_in of the weight of a bias; 0: there is none. It is sought from the bias on in both directions: in most files
 * it is beside it. */
static double fan_in_of_sibling(const tensor_file *f, const stored_tensor *t) {
  const size_t at = (size_t)(t - f->tensors);
  if (t->rank != 1 || !has_ending(t->name, bias)) return 0;
  for (size_t away = 1; away <= at || away < f->count - at; ++away) {
    const stored_tensor *w = NULL;
    if (away <= at && is_sibling(t, t - away)) w = t - away;
    if (!w && away < f->count - at && is_sibling(t, t + away)) w = t + away;
    if (w) return w->rank < 2 || w->shape[0] != t->shape[0] ? 0 : (double)w->elements / (double)w->shape[0];
  }
  return 0;
}

typedef struct match {
  char text[256];
  int found;
} match;

static void note(match *m, const char *name, double fan_a, double fan_b) {
  const size_t used = strlen(m->text), room = sizeof m->text - used;
  if (m->found++ >= 2) return;
  const char *before = m->found > 1 ? "; " : "";
  if (fan_a > 0 && fan_b > 0)
    snprintf(m->text + used, room, "%s%s %.0f and %.0f", before, name, fan_a, fan_b);
  else if (fan_a + fan_b > 0)
    snprintf(m->text + used, room, "%s%s %.0f", before, name, fan_a + fan_b);
  else
    snprintf(m->text + used, room, "%s%s", before, name);
}

static void match_fans(match *m, double fan_in, double fan_out, double std, double error) {
  for (size_t k = 0; k < sizeof by_fans / sizeof *by_fans; ++k) {
    const double n = by_fans[k].in * fan_in + by_fans[k].out * fan_out;
    if (fabs(std / sqrt(by_fans[k].scale / n) - 1) > error) continue;
    note(m, by_fans[k].name, by_fans[k].in * fan_in, by_fans[k].out * fan_out);
  }
}

char *resemblance_of(const tensor_file *f, const stored_tensor *t, double std, double standard_error) {
  match m = {.found = 0};
  const double error = fmax(4 * standard_error, 1e-5);
  const double sibling = fan_in_of_sibling(f, t);
  if (sibling > 0 && fabs(std * sqrt(3 * sibling) - 1) <= error) {
    note(&m, "PyTorch's default of a bias, fan_in", sibling, 0);
  }
  if (t->rank > 1 && t->elements > 0) {
    double taps = 1;
    for (int d = 2; d < t->rank; ++d)
      taps *= (double)t->shape[d];
    const double a = (double)t->shape[1] * taps, b = (double)t->shape[0] * taps;
    match_fans(&m, a, b, std, error);
    if (m.found == 0 && t->rank == 2) match_fans(&m, b, a, std, error);
  }
  for (size_t k = 0; k < sizeof fixed / sizeof *fixed; ++k) {
    if (fabs(std / fixed[k].std - 1) <= error) note(&m, fixed[k].name, 0, 0);
  }
  return m.found > 0 ? copy_text(m.text, strlen(m.text)) : NULL;
}
