/* What a tensor should be: of one initializer, or of several in parts. */
#include "inspect/expectation.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/check.h"

enum { TEXT = 512 };

void expectation_reason(expectation *e, const char *format, ...) {
  char text[TEXT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  free(e->reason);
  e->reason = copy_text(text, strlen(text));
}

void expectation_text(expectation *e, const char *text) {
  free(e->text);
  e->text = copy_text(text, strlen(text));
}

static void set_text(expectation *e, const fanin_init *own, const tensor_parts *parts) {
  char text[TEXT];
  expectation_text(e, tensor_parts_text(parts, own, text, sizeof text));
}

void expectation_set(expectation *e, const fanin_tensor *t, const fanin_init *init) {
  failure why = {.text = ""};
  e->init = *init;
  free(e->reason);
  e->reason = NULL;
  layout_format(t, e->layout);
  fanin_status status = fanin_expect(t, init, &e->moments, sizeof e->moments);
  if (status == FANIN_STATUS_OK) status = fanin_law_of(t, init, &e->law);
  e->known = status == FANIN_STATUS_OK;
  if (e->known) return;
  library_status(&why, status, NULL);
  e->reason = copy_text(why.text, strlen(why.text));
}

void expectation_set_norm(expectation *e, const char *norm_of) {
  char text[TEXT];
  e->norm_of = norm_of;
  snprintf(text, sizeof text, "norm of %.400s", norm_of);
  expectation_text(e, text);
}

void expectation_free(expectation *e) {
  free(e->text);
  free(e->reason);
  free(e->dispute);
  free(e->rest);
  tensor_parts_free(&e->parts);
  *e = (expectation){.known = false};
}

/* ---- Parts ------------------------------------------------------------------------------------------------------- */

void expectation_set_parts(expectation *e, const tensor_file *f, const fanin_tensor *t, const fanin_init *own,
                           const tensor_parts *parts) {
  set_text(e, own, parts);
  if (parts->count == 0) {
    expectation_set(e, t, own);
  } else if (f->fortran_order && t->rank > 1) {
    expectation_reason(e, "its parts have initializers of their own, which is not tested in Fortran order");
  } else {
    if (own) e->init = *own;
    e->parts = tensor_parts_copy(parts);
    e->known = true;
    layout_format(t, e->layout);
  }
}

/* The tensor of a known expectation. */
static fanin_tensor expected_tensor(const expectation *e, const stored_tensor *t) {
  fanin_tensor out = layout_none(t->type->dtype, t->rank, t->shape);
  if (e->layout[0]) layout_parse(e->layout, strlen(e->layout), &out);
  return out;
}

bool expectation_next(const expectation *e, const stored_tensor *t, tensor_region *r) {
  const fanin_tensor tensor = expected_tensor(e, t);
  return tensor_parts_next(&e->parts, &tensor, &e->init, r);
}

void expectation_of_region(const expectation *e, const stored_tensor *t, const tensor_region *r, expectation *out) {
  const fanin_tensor tensor = expected_tensor(e, t);
  uint64_t unit[FANIN_MAX_RANK], elements;
  double operations;
  bool together = false;
  if (e->rest && r->init == &e->init) {
    *out = (expectation){.by = BY_NOBODY};
    expectation_reason(out, "%s", e->rest);
    return;
  }
  *out = (expectation){.by = e->by, .twin = e->twin};
  set_text(out, r->init, &(tensor_parts){.count = 0});
  if (e->dispute) out->dispute = copy_text(e->dispute, strlen(e->dispute));
  if (fanin_tensor_units(&r->where, r->init, unit, &elements, &operations) == FANIN_STATUS_OK) {
    for (int d = 0; d < t->rank; ++d)
      together = together || unit[d] > 1;
  }
  if (together && r->end - r->first < t->shape[e->parts.dimension]) {
    expectation_reason(out, "it is a part of matrices or lines that %s makes as wholes, and only wholes are tested",
                       out->text);
  } else {
    expectation_set(out, &tensor, r->init);
    /* the averages are the whole tensor's, and every element of such a slab is compared */
    if (out->known && check_is_fixed(out) && out->law.kind != FANIN_LAW_KIND_CONSTANT)
      out->moments.mean = out->moments.std = NAN;
  }
}

/* Whether two expectations without parts come to the same. */
static bool is_same_law(const expectation *a, const expectation *b) {
  const double x[] = {a->law.value, a->law.lo,   a->law.hi, a->law.mean,
                      a->law.std,   a->law.from, a->law.to, a->law.zeros};
  const double y[] = {b->law.value, b->law.lo,   b->law.hi, b->law.mean,
                      b->law.std,   b->law.from, b->law.to, b->law.zeros};
  for (size_t k = 0; k < sizeof x / sizeof *x; ++k) {
    if (x[k] != y[k] && !(fabs(x[k] - y[k]) <= 1e-6 * fmax(fabs(x[k]), fabs(y[k])))) return false;
  }
  if (a->law.kind != FANIN_LAW_KIND_TABLE || a->law.kind != b->law.kind) return a->law.kind == b->law.kind;
  return a->init.kind == b->init.kind && a->init.form == b->init.form && a->init.base == b->init.base;
}

bool expectation_is_same(const expectation *a, const expectation *b, const stored_tensor *t) {
  tensor_region x = {.init = NULL}, y = {.init = NULL};
  bool same = true;
  if (a->parts.count == 0 && b->parts.count == 0) return is_same_law(a, b);
  while (same && expectation_next(a, t, &x)) {
    expectation of_x, of_y;
    same = expectation_next(b, t, &y) && x.first == y.first && x.end == y.end;
    if (!same) break;
    expectation_of_region(a, t, &x, &of_x);
    expectation_of_region(b, t, &y, &of_y);
    same = of_x.known && of_y.known ? is_same_law(&of_x, &of_y) : strcmp(of_x.text, of_y.text) == 0;
    expectation_free(&of_x);
    expectation_free(&of_y);
  }
  return same;
}
