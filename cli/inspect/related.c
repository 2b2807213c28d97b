/* Whether the beginnings of a file's tensors correlate: a stream of random numbers that was used twice. */
#include "inspect/inspection.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/chance.h"

int related_make(const session *s, size_t tensors, related *out, failure *why) {
  *out = (related){.capacity = tensors < PAIRED_TENSORS ? tensors : PAIRED_TENSORS};
  if (out->capacity == 0) out->capacity = 1;
  out->tensors = allocate(out->capacity, sizeof *out->tensors);
  out->lengths = allocate(out->capacity, sizeof *out->lengths);
  return session_buffer(s, out->capacity * SURVEY_SAMPLE * sizeof(float), &out->samples, why);
}

void related_free(related *r) {
  if (r->samples) clReleaseMemObject(r->samples);
  free(r->tensors);
  free(r->lengths);
  *r = (related){0};
}

int related_take(const survey *s, size_t tensor, related *r, inspection *out, failure *why) {
  const stored_tensor *t = s->t;
  if (t->elements < PAIRED_LEAST) return STATUS_OK;
  if (r->count == r->capacity) {
    ++out->left_out;
    return STATUS_OK;
  }
  const int status = survey_sample(s, r->samples, r->count, why);
  r->tensors[r->count] = tensor;
  r->lengths[r->count++] = t->elements < SURVEY_SAMPLE ? t->elements : SURVEY_SAMPLE;
  return status;
}

static void keep(const related *r, const fanin_pair *pairs, const fanin_products *products, inspection *out) {
  out->pairs = allocate(out->compared_pairs, sizeof *out->pairs);
  for (size_t k = 0; k < out->compared_pairs; ++k) {
    const fanin_products *p = &products[k];
    const double n = pairs[k].count, scale = sqrt((p->aa - p->a * p->a / n) * (p->bb - p->b * p->b / n));
    const double r_value = scale > 0 ? (p->ab - p->a * p->b / n) / scale : 0;
    const double z = correlation_deviate(r_value, n - 1); /* about the means of these elements */
    out->pairs[k] =
        (related_pair){r->tensors[pairs[k].a], r->tensors[pairs[k].b], pairs[k].count, r_value, z, false, false};
    if (isnan(out->closest.z) || fabs(z) > fabs(out->closest.z)) out->closest = out->pairs[k];
  }
}

static bool same_shape(const stored_tensor *x, const stored_tensor *y) {
  return x->rank == y->rank && memcmp(x->shape, y->shape, (size_t)x->rank * sizeof *x->shape) == 0;
}

/* Whether the two tensors of a pair are one, rounded to two dtypes: its beginnings say so, and then all elements must.
 */
static int compare_dtypes(const inspection *i, related_pair *p, failure *why) {
  const inspected *a = &i->tensors[p->a], *b = &i->tensors[p->b];
  const fanin_dtype x = a->tensor->type->dtype, y = b->tensor->type->dtype;
  double differing = 0;
  if (p->r < 0.99 || x == y || fanin_dtype_size(x) < 2 || fanin_dtype_size(y) < 2) return STATUS_OK;
  if (!same_shape(a->tensor, b->tensor)) return STATUS_OK;
  const int status = count_differences(a, b, &differing, why);
  p->same = status == STATUS_OK && differing == 0;
  return status;
}

int related_compare(const session *s, const related *r, inspection *out, failure *why) {
  const size_t n = r->count * (r->count > 0 ? r->count - 1 : 0) / 2;
  fanin_pair *pairs = allocate(n + 1, sizeof *pairs);
  fanin_products *products = allocate(n + 1, sizeof *products);
  size_t at = 0;
  for (size_t a = 0; a < r->count; ++a) {
    for (size_t b = a + 1; b < r->count; ++b) {
      const uint64_t count = r->lengths[a] < r->lengths[b] ? r->lengths[a] : r->lengths[b];
      pairs[at++] = (fanin_pair){(uint32_t)a, (uint32_t)b, (uint32_t)(count / 16 * 16)};
    }
  }
  out->closest = (related_pair){.r = NAN, .z = NAN};
  out->compared_pairs = n;
  const fanin_status status = n == 0 ? FANIN_STATUS_OK
                                     : fanin_measure_pairs(s->f, s->queue, r->samples, r->capacity, SURVEY_SAMPLE,
                                                           pairs, n, products, sizeof *products);
  if (status == FANIN_STATUS_OK) keep(r, pairs, products, out);
  free(products);
  free(pairs);
  int result = library_status(why, status, "correlating tensors");
  for (size_t k = 0; out->pairs && k < n && result == STATUS_OK; ++k)
    result = compare_dtypes(out, &out->pairs[k], why);
  return result;
}
