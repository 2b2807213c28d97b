/* Runs of elements that stand twice in the files, wherever they stand: a stream of random numbers that was used again
 * from another place on, or a tensor that is a part of another.
 *
 * Some places are chosen by what stands there, so that the same are chosen in both copies: those where a hash of the
 * WINDOW elements that end there begins with zeros (Manber 1994). The hash is of mantissas alone, so that changes of
 * sign, and factors that are powers of two, make no difference. It is made of two polynomials, whose coefficients are
 * the elements from either end, so that a window has the hash that it has in reverse order; which of the two is larger
 * says in which order it stands. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "inspect/chance.h"
#include "inspect/inspection.h"

enum { WINDOW = 16, LEAST_RARITY = 4, MOST_ANCHORS = 1 << 21, MANTISSAS = 1 << 10 };

anchor_list runs_begin(const checkpoint *c) {
  anchor_list list = {.rarity = LEAST_RARITY};
  uint64_t elements = 0;
  for (size_t i = 0; i < c->count; ++i)
    elements += c->tensors[i].stored->type->measurable ? c->tensors[i].stored->elements : 0;
  while (list.rarity < 40 && elements >> list.rarity > MOST_ANCHORS)
    ++list.rarity;
  return list;
}

void runs_free(anchor_list *list) {
  free(list->anchors);
  *list = (anchor_list){0};
}

/* ---- Anchors ----------------------------------------------------------------------------------------------------- */

/* The bits of a number that are its mantissa's. */
static uint64_t mantissa_mask(fanin_dtype dtype) {
  return (UINT64_C(1) << (dtype_info(dtype).digits - 1)) - 1;
}

/* ln of an upper bound of the probability that two values have the same mantissa: the sum of p^2 over mantissas of
 * narrow dtypes; of others over the 7 bits that bins have, each of which holds at least so many `numbers`. */
static double log_same_mantissa(const survey *s, double numbers) {
  const fanin_dtype dtype = s->t->type->dtype;
  const bool narrow = dtype_is_narrow(dtype);
  const uint32_t mask = narrow ? (uint32_t)mantissa_mask(dtype) : 0x7f;
  double counts[MANTISSAS] = {0}, sum = 0;
  for (uint32_t bin = 0; bin < FANIN_BINS; ++bin) {
    const uint32_t bits = bin < 0x8000 ? 0x7fff - bin : bin - 0x8000;
    counts[bits & mask] += (double)s->counts[bin];
  }
  for (uint32_t k = 0; k <= mask; ++k)
    sum += counts[k] * counts[k];
  return log(sum) - 2 * log((double)s->stats.count) - log(numbers);
}

/* A walk over a tensor's elements. */
typedef struct walk {
  anchor_list *list;
  size_t tensor, size;
  uint64_t mask, at, length;     /* length: elements since the last that may be no part of a run */
  uint64_t forward, backward;    /* sums of the window's elements times powers of the factor: 0 for the last one, */
  uint64_t last, window[WINDOW]; /* and for the first one. The last mantissas, number k in place k mod WINDOW */
  uint64_t newest, oldest;       /* factor ^ (WINDOW - 1), factor ^ WINDOW */
} walk;

/* A number and its inverse mod 2^64. */
static const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15), inverse = UINT64_C(0xf1de83e19937733d);

static uint64_t scrambled(uint64_t x) {
  x ^= x >> 32;
  x *= UINT64_C(0xd6e8feb86659fd93);
  return x ^ x >> 32;
}

static void keep(walk *w, uint64_t hash) {
  anchor_list *l = w->list;
  l->anchors = grow(l->anchors, &l->capacity, l->count + 1, sizeof *l->anchors);
  l->anchors[l->count++] = (anchor){hash, w->at, (uint32_t)w->tensor, w->forward < w->backward};
}

/* One more element. Zeros, and elements equal to the one before, are no part of a run: constants would be. */
static inline void step(walk *w, uint64_t bits, bool zero) {
  const uint64_t x = (bits & w->mask) + 1;
  if (zero || bits == w->last) {
    w->length = w->forward = w->backward = 0;
    memset(w->window, 0, sizeof w->window);
  } else {
    const uint64_t oldest = w->window[w->at % WINDOW];
    w->forward = w->forward * factor + x - oldest * w->oldest;
    w->backward = (w->backward - oldest) * inverse + x * w->newest;
    w->window[w->at % WINDOW] = x;
    ++w->length;
    const uint64_t hash = scrambled(w->forward ^ w->backward);
    const bool symmetric = w->forward == w->backward; /* up to signs: all such windows have one hash */
    if (w->length >= WINDOW && hash >> (64 - w->list->rarity) == 0 && !symmetric) keep(w, hash);
  }
  w->last = bits;
  ++w->at;
}

/* `size` is a constant wherever this is called, so that an element is loaded by one instruction. */
static inline void walk_elements(walk *w, const char *bytes, uint64_t elements, size_t size) {
  const uint64_t sign = UINT64_C(1) << (8 * size - 1);
  for (uint64_t k = 0; k < elements; ++k, bytes += size) {
    uint64_t bits = 0;
    memcpy(&bits, bytes, size); /* the machine is little-endian, as the files are */
    step(w, bits, (bits & ~sign) == 0);
  }
}

static void walk_on(void *to, const char *bytes, uint64_t elements) {
  walk *w = to;
  if (w->size == 2)
    walk_elements(w, bytes, elements, 2);
  else if (w->size == 4)
    walk_elements(w, bytes, elements, 4);
  else
    walk_elements(w, bytes, elements, 8);
}

int runs_collect(survey *s, size_t tensor, double numbers, anchor_list *list, failure *why) {
  const fanin_dtype dtype = s->t->type->dtype;
  walk w = {.list = list, .tensor = tensor, .size = fanin_dtype_size(dtype), .newest = 1};
  if (w.size < 2 || s->t->elements < WINDOW) return STATUS_OK;
  if (WINDOW * log_same_mantissa(s, numbers) + 2 * log((double)MOST_ANCHORS) > LOG_BY_CHANCE) return STATUS_OK;
  w.mask = mantissa_mask(dtype);
  for (int k = 1; k < WINDOW; ++k)
    w.newest *= factor;
  w.oldest = w.newest * factor;
  return survey_read(s, walk_on, &w, why);
}

/* ---- Runs -------------------------------------------------------------------------------------------------------- */

static int by_hash(const void *left, const void *right) {
  const anchor *x = left, *y = right;
  if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
  if (x->tensor != y->tensor) return x->tensor < y->tensor ? -1 : 1;
  return x->at < y->at ? -1 : x->at > y->at;
}

/* How far the second stands behind the first, mod 2^64; in reverse order, where the two meet. */
static uint64_t shift_of(const repeated_run *r) {
  return r->reversed ? r->b_first + r->a_first : r->b_first - r->a_first;
}

/* By tensors, and by their shift. */
static int by_shift(const void *left, const void *right) {
  const repeated_run *x = left, *y = right;
  if (x->a != y->a) return x->a < y->a ? -1 : 1;
  if (x->b != y->b) return x->b < y->b ? -1 : 1;
  if (x->reversed != y->reversed) return x->reversed ? 1 : -1;
  const uint64_t p = shift_of(x), q = shift_of(y);
  if (p != q) return p < q ? -1 : 1;
  return x->a_first < y->a_first ? -1 : x->a_first > y->a_first;
}

static bool same_shift(const repeated_run *x, const repeated_run *y) {
  return x->a == y->a && x->b == y->b && x->reversed == y->reversed && shift_of(x) == shift_of(y);
}

/* Leaves the longest run of each pair of tensors; each entry was one anchor before. */
static void merge(inspection *out) {
  size_t kept = 0;
  if (out->n_runs > 1) qsort(out->runs, out->n_runs, sizeof *out->runs, by_shift);
  for (size_t k = 0; k < out->n_runs;) {
    repeated_run run = out->runs[k];
    size_t end = k;
    while (end < out->n_runs && same_shift(&out->runs[end], &run))
      ++end;
    run.count = end - k;
    k = end;
    repeated_run *last = kept > 0 ? &out->runs[kept - 1] : NULL;
    if (!last || last->a != run.a || last->b != run.b)
      out->runs[kept++] = run;
    else if (run.count > last->count)
      *last = run;
  }
  out->n_runs = kept;
}

/* The first elements of a run, whichever file they are in. */
static int window_at(const inspection *i, size_t tensor, uint64_t at, double values[WINDOW], failure *why) {
  const inspected *t = &i->tensors[tensor];
  const fanin_dtype dtype = t->tensor->type->dtype;
  const size_t size = fanin_dtype_size(dtype);
  tensor_file file = *t->file;
  char bytes[8 * WINDOW];
  file.fd = -1;
  int status = tensor_file_reopen(&file, why);
  if (status == STATUS_OK) status = tensor_file_read_of(&file, t->tensor, at * size, bytes, size * WINDOW, why);
  for (size_t k = 0; k < WINDOW && status == STATUS_OK; ++k)
    values[k] = stored_value(dtype, bytes + k * size);
  tensor_file_rest(&file);
  return status;
}

/* Turns anchors, which are at the ends of their windows, into a run. The first window of a that is repeated is, in
 * reverse order, the last one of b. */
static int finish(const inspection *i, const anchor_list *list, repeated_run *run, failure *why) {
  double a[WINDOW] = {1}, b[WINDOW] = {0};
  run->a_first -= WINDOW - 1;
  run->b_first -= WINDOW - 1;
  run->count <<= list->rarity;
  if (run->count < WINDOW) run->count = WINDOW;
  int status = window_at(i, run->a, run->a_first, a, why);
  if (status == STATUS_OK) status = window_at(i, run->b, run->b_first, b, why);
  const size_t last = WINDOW - 1;
  run->factor = b[run->reversed ? last : 0] / a[0];
  for (size_t k = 1; k < WINDOW; ++k)
    run->factor = b[run->reversed ? last - k : k] == run->factor * a[k] ? run->factor : NAN;
  if (run->reversed) run->b_first += last;
  return status;
}

/* Whether a tensor may be compared in reverse order: what is computed, as rows of cosines, may well be symmetric. */
static bool is_drawn(const inspected *t) {
  return t->has_law || t->expected.known;
}

int runs_compare(anchor_list *list, inspection *out, size_t *tests, failure *why) {
  int status = STATUS_OK;
  if (list->count > 1) qsort(list->anchors, list->count, sizeof *list->anchors, by_hash);
  for (size_t k = 1; k < list->count; ++k) {
    const anchor *a = &list->anchors[k - 1], *b = &list->anchors[k];
    const bool reversed = a->rising != b->rising;
    if (a->hash != b->hash) continue;
    if (reversed && !(is_drawn(&out->tensors[a->tensor]) && is_drawn(&out->tensors[b->tensor]))) continue;
    out->runs = grow(out->runs, &out->runs_capacity, out->n_runs + 1, sizeof *out->runs);
    out->runs[out->n_runs++] = (repeated_run){a->tensor, b->tensor, a->at, b->at, 1, NAN, reversed};
  }
  merge(out);
  for (size_t k = 0; k < out->n_runs && status == STATUS_OK; ++k)
    status = finish(out, list, &out->runs[k], why);
  *tests = list->count > 0;
  return status;
}
