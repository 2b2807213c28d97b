/* Which tensors of a file are the layers of a network, where the command line does not name them: layer1.weight,
 * layer2.weight, ..., or the one order in which the file's matrices fit behind each other. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/text.h"
#include "formats/tensor_text.h"
#include "probe/chain.h"
#include "probe/report.h"

/* ---- Names that differ by numbers -------------------------------------------------------------------------------- */

/* Compares names with their runs of digits as numbers: h.2 comes before h.10. */
static int natural_order(const char *a, const char *b) {
  while (*a && *b) {
    if (!isdigit((unsigned char)*a) || !isdigit((unsigned char)*b)) {
      if (*a != *b) return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
      ++a;
      ++b;
      continue;
    }
    a += strspn(a, "0");
    b += strspn(b, "0");
    const size_t digits_a = strspn(a, "0123456789"), digits_b = strspn(b, "0123456789");
    if (digits_a != digits_b) return digits_a < digits_b ? -1 : 1;
    const int order = strncmp(a, b, digits_a);
    if (order != 0) return order;
    a += digits_a;
    b += digits_b;
  }
  return (*a != '\0') - (*b != '\0');
}

/* Whether the names are equal but for their numbers. */
static bool same_pattern(const char *a, const char *b) {
  while (*a && *b) {
    const size_t digits_a = strspn(a, "0123456789"), digits_b = strspn(b, "0123456789");
    if ((digits_a > 0) != (digits_b > 0)) return false;
    if (digits_a == 0 && *a != *b) return false;
    a += digits_a > 0 ? digits_a : 1;
    b += digits_b > 0 ? digits_b : 1;
  }
  return *a == *b;
}

static int by_name(const void *left, const void *right) {
  const matrix_of *a = left, *b = right;
  return natural_order(a->tensor->name, b->tensor->name);
}

/* ---- Orders that fit --------------------------------------------------------------------------------------------- */

/* Chains that take every matrix once; the search stops at the second one, or after so many steps that it would not end
 * soon. */
enum { MOST_STEPS = 100000 };

typedef struct search {
  const matrix_of *all;
  size_t n, depth, found;
  uint64_t steps;
  bool *used;
  size_t *path, *first; /* the path so far; the first chain */
} search;

static void extend(search *s) {
  if (s->depth == s->n) {
    if (s->found++ == 0) memcpy(s->first, s->path, s->n * sizeof *s->path);
    return;
  }
  for (size_t i = 0; i < s->n && s->found < 2 && s->steps < MOST_STEPS; ++i) {
    if (s->used[i] || (s->depth > 0 && s->all[i].in != s->all[s->path[s->depth - 1]].out)) continue;
    ++s->steps;
    s->used[i] = true;
    s->path[s->depth++] = i;
    extend(s);
    --s->depth;
    s->used[i] = false;
  }
}

static bool fits_as_it_is(const matrix_of *all, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    if (i > 0 && (all[i].in != all[i - 1].out || !same_pattern(all[i].tensor->name, all[i - 1].tensor->name)))
      return false;
  }
  return true;
}

/* Puts the matrices in the order of the network. `all` comes sorted by name. Returns 1 where there is one order, 2
 * where there are more or the search was given up, 0 where there is none. */
static int arrange(matrix_of *all, size_t n) {
  search s = {.all = all, .n = n};
  s.used = allocate(n, sizeof *s.used);
  s.path = allocate(n, sizeof *s.path);
  s.first = allocate(n, sizeof *s.first);
  extend(&s);
  int found = s.found > 1 || (s.steps >= MOST_STEPS && n > 0) ? 2 : (int)s.found;
  if (found == 1) {
    matrix_of *ordered = allocate(n, sizeof *ordered);
    for (size_t i = 0; i < n; ++i)
      ordered[i] = all[s.first[i]];
    memcpy(all, ordered, n * sizeof *all);
    free(ordered);
  } else if (found == 2 && fits_as_it_is(all, n)) {
    found = 1; /* names that count up say which order is meant */
  }
  free(s.used);
  free(s.path);
  free(s.first);
  return found;
}

/* ---- The file's matrices ----------------------------------------------------------------------------------------- */

int chain_orient(const tensor_file *f, const like *rules, const stored_tensor *t, bool flip, matrix_of *out,
                 failure *why) {
  char text[LAYOUT_TEXT];
  double factor;
  const assignment *expected = like_expected(rules, t->name);
  const char *declined = tensor_file_maker(f, t->name, &factor) ? NULL : like_declined(rules, t->name);
  if (declined) {
    return fail(why, STATUS_INPUT, "%s: rules %.64s do not say what tensor '%.128s' should be: %.300s", f->path,
                rules->rules_name, t->name, declined);
  }
  const char *layout = tensor_file_note(f, "layout", t->name);
  if (!layout && expected && expected->tensor.layout[0]) layout = layout_format(&expected->tensor, text);
  if (layout && strcmp(layout, "OI") != 0 && strcmp(layout, "IO") != 0) {
    return fail(why, STATUS_INPUT, "%s: tensor '%.128s' has the layout %.32s; a probe takes matrices, OI or IO",
                f->path, t->name, layout);
  }
  const bool transposed = layout ? layout[0] == 'I' : flip;
  *out = (matrix_of){t, transposed, t->shape[transposed ? 0 : 1], t->shape[transposed ? 1 : 0]};
  return STATUS_OK;
}

static bool is_matrix(const stored_tensor *t) {
  return t->rank == 2 && t->elements > 0 && t->type->measurable;
}

/* Fails with a sentence that lists the matrices. */
static int fail_chain(const tensor_file *f, const matrix_of *all, size_t n, const char *what, failure *why) {
  char list[256] = "", shape[TEXT_SHAPE];
  for (size_t i = 0; i < n && strlen(list) < 170; ++i) {
    const size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%.64s %s%s", i > 0 ? ", " : "", all[i].tensor->name,
             text_shape(all[i].tensor->shape, 2, shape), i + 1 < n && strlen(list) > 110 ? ", ..." : "");
  }
  return fail(why, STATUS_INPUT,
              "%s: %s makes a network of its %zu matrices (%s): name the layers in order with --layer-names", f->path,
              what, n, list);
}

int chain_find(const tensor_file *f, const like *rules, matrix_of **out, size_t *count, failure *why) {
  matrix_of *all = allocate(f->count, sizeof *all);
  int status = STATUS_OK, found = 0;
  size_t n = 0;
  /* without a layout, fan_out x fan_in; where that does not fit, fan_in x fan_out */
  for (int flip = 0; flip < 2 && found == 0 && status == STATUS_OK; ++flip) {
    n = 0;
    for (size_t i = 0; i < f->count && status == STATUS_OK; ++i) {
      if (is_matrix(&f->tensors[i])) status = chain_orient(f, rules, &f->tensors[i], flip, &all[n++], why);
    }
    if (status == STATUS_OK && n >= PROBE_MAX_WIDTHS) {
      status =
          fail(why, STATUS_INPUT, "%s: has %zu matrices, and a probe takes at most %d: name them with --layer-names",
               f->path, n, PROBE_MAX_WIDTHS - 1);
    }
    if (status != STATUS_OK || n == 0) break;
    qsort(all, n, sizeof *all, by_name);
    found = arrange(all, n);
  }
  if (status == STATUS_OK && n > 0 && found == 0) status = fail_chain(f, all, n, "no order", why);
  if (status == STATUS_OK && found == 2) status = fail_chain(f, all, n, "more than one order", why);
  *out = all;
  *count = n;
  return status;
}
