/* One fill held to a digest: the tensor and its memory, the ways to fill, and what differs. */
#include "selftest/trial.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/launch.h"
#include "core/status.h"
#include "fill/fill.h"

/* ---- Tensors and their memory ------------------------------------------------------------------------------------ */

/* No period of an element's size, so that a shifted write shows too. */
static unsigned char guard_byte(size_t at) {
  return (unsigned char)(at * 37 + (at >> 8) + 113);
}

/* The tensor of a digest, densely from an odd element on. */
static fanin_status tensor_of(const fanin__trial *s, const fanin__digest *d, fanin_tensor *out) {
  const fanin__digest_tensor *const at = &fanin__digest_tensors[d->tensor];
  const size_t offset = FANIN__GUARD + 3 * fanin_dtype_size(d->dtype);
  fanin_tensor t;
  FANIN__TRY(fanin_tensor_of(s->buffer, offset, d->dtype, at->layout, at->rank, at->shape, &t));
  t.groups = at->groups;
  t.splits = at->splits;
  if (at->part == FANIN_PART_RANGE) return fanin_tensor_range(&t, at->first, at->count, out);
  if (at->part == FANIN_PART_SLAB) return fanin_tensor_slab(&t, at->start, at->extent, out);
  *out = t;
  return FANIN_STATUS_OK;
}

/* How far the part goes in each dimension. */
static const uint64_t *extent_of(const fanin_tensor *t) {
  return t->part == FANIN_PART_SLAB ? t->extent : t->shape;
}

/* Where element e of the part's row-major order is, in bytes. */
static size_t place_of(const fanin_tensor *t, uint64_t e) {
  uint64_t elements = 0;
  bool is_dense = true;
  for (int d = 0; d < t->rank; d++) {
    is_dense = is_dense && t->strides[d] == 0;
  }
  if (is_dense) elements = e;
  for (int d = t->rank - 1; d >= 0 && !is_dense; d--) {
    elements += e % extent_of(t)[d] * t->strides[d];
    e /= extent_of(t)[d];
  }
  return t->offset + (size_t)elements * fanin_dtype_size(t->dtype);
}

/* The first dimension innermost in memory, and gaps along every dimension. */
static fanin_status spread_out(const fanin_tensor *t, fanin_tensor *out) {
  uint64_t strides[FANIN_MAX_RANK] = {0}, stride = 2;
  for (int d = 0; d < t->rank; d++) {
    strides[d] = stride;
    stride = stride * extent_of(t)[d] + 1;
  }
  return fanin_tensor_strided(t, strides, out);
}

/* ---- Comparing --------------------------------------------------------------------------------------------------- */

static uint64_t bits_at(const unsigned char *bytes, size_t size) {
  uint64_t bits = 0;
  memcpy(&bits, bytes, size); /* little-endian, as devices have to be */
  return bits;
}

/* FNV-1a in its 64-bit form, of the part's elements in row-major order, which are replaced by guard bytes. */
static uint64_t take_digest(const fanin__trial *s, const fanin_tensor *t, uint64_t count) {
  const size_t size = fanin_dtype_size(t->dtype);
  uint64_t hash = 0xcbf29ce484222325;
  for (uint64_t e = 0; e < count; e++) {
    const size_t at = place_of(t, e);
    for (size_t k = at; k < at + size; k++) {
      hash = (hash ^ s->memory[k]) * 0x100000001b3;
      s->memory[k] = guard_byte(k);
    }
  }
  return hash;
}

/* "OIHW 9x5x3x3, elements 101 to 303" */
static void say_tensor(const fanin__digest *d, char *out, size_t size) {
  const fanin__digest_tensor *const at = &fanin__digest_tensors[d->tensor];
  size_t used = (size_t)snprintf(out, size, "%s%s", at->layout, at->layout[0] ? " " : "");
  for (int k = 0; k < at->rank; k++) {
    used += (size_t)snprintf(out + used, size - used, "%s%" PRIu64, k > 0 ? "x" : "", at->shape[k]);
  }
  if (at->part == FANIN_PART_RANGE)
    (void)snprintf(out + used, size - used, ", elements from %" PRIu64 " on", at->first);
  else if (at->part == FANIN_PART_SLAB)
    (void)snprintf(out + used, size - used, ", a slab");
}

/* What the kernel that writes rows of it is built with. */
static void say_options(const fanin__trial *s, const fanin_tensor *t, const fanin_init *init, char *out, size_t size) {
  fanin__job job;
  const bool known = fanin__job_of(s->f, t, init, 0, true, &job) == FANIN_STATUS_OK;
  (void)snprintf(out, size, "-cl-std=CL1.2 -D LANES=%zu %s", s->f->lanes, known ? job.parameters.options : "");
}

/* Keeps a sentence about a fill that is wrong: "normal, f32, OI 37x29: element 3 is 3f800000 and must be 3f800001
 * (...)".
 */
static void say_wrong(fanin__trial *s, const fanin__digest *d, const fanin_tensor *t, const fanin_init *init,
                      const char *what) {
  char tensor[128], options[96];
  if (s->difference[0]) return; /* an earlier one is kept */
  say_tensor(d, tensor, sizeof tensor);
  say_options(s, t, init, options, sizeof options);
  (void)snprintf(s->difference, sizeof s->difference, "%s, %s, %s: %s (built with %s)", d->init,
                 fanin_dtype_name(d->dtype), tensor, what, options);
}

/* Whether what memory has is what the digest says. */
static bool is_right(fanin__trial *s, const fanin__digest *d, const fanin_tensor *t, const fanin_init *init) {
  const size_t size = fanin_dtype_size(d->dtype);
  const int digits = (int)(2 * size);
  char what[256];
  for (uint64_t e = 0; e < FANIN__DIGEST_VALUES && e < d->count; e++) {
    const uint64_t bits = bits_at(s->memory + place_of(t, e), size);
    if (bits == d->values[e]) continue;
    (void)snprintf(what, sizeof what, "element %" PRIu64 " is %0*" PRIx64 " and must be %0*" PRIx64, e, digits, bits,
                   digits, d->values[e]);
    say_wrong(s, d, t, init, what);
    return false;
  }
  const uint64_t hash = take_digest(s, t, d->count);
  if (hash != d->digest) {
    (void)snprintf(what, sizeof what,
                   "the first %d elements are right, and not all of the %" PRIu64 ": their digest is %016" PRIx64
                   " and must be %016" PRIx64,
                   FANIN__DIGEST_VALUES, d->count, hash, d->digest);
    say_wrong(s, d, t, init, what);
    return false;
  }
  for (size_t k = 0; k < s->used; k++) {
    if (s->memory[k] == guard_byte(k)) continue;
    (void)snprintf(what, sizeof what, "byte %zu of the buffer was written, which is outside of the tensor", k);
    say_wrong(s, d, t, init, what);
    return false;
  }
  return true;
}

/* ---- Ways to fill ------------------------------------------------------------------------------------------------ */

fanin_status fanin__fill_at_once(const fanin__trial *s, const fanin_tensor *t, const fanin_init *init, fanin_key key) {
  return fanin_fill(s->f, s->queue, t, init, key, 0, NULL, NULL);
}

fanin_status fanin__fill_by_plan(const fanin__trial *s, const fanin_tensor *t, const fanin_init *init, fanin_key key) {
  fanin_plan *plan = NULL;
  const fanin_item item = {.tensor = *t, .init = *init, .stream = key.stream};
  FANIN__TRY(fanin_plan_create(s->f, &item, 1, &plan));
  const fanin_status status = fanin_plan_enqueue(plan, s->queue, key.seed, 0, NULL, NULL);
  fanin_plan_release(plan);
  return status;
}

/* Ranges of growing odd lengths, of what is whole or a range. */
fanin_status fanin__fill_in_pieces(const fanin__trial *s, const fanin_tensor *t, const fanin_init *init,
                                   fanin_key key) {
  uint64_t count = 0, bytes = 0;
  fanin_tensor whole = *t;
  FANIN__TRY(fanin_tensor_size(t, &count, &bytes));
  whole.part = FANIN_PART_WHOLE;
  const uint64_t first = t->part == FANIN_PART_RANGE ? t->first : 0;
  for (uint64_t from = 0, length = 1; from < count; from += length, length = 2 * length + 3) {
    fanin_tensor piece;
    FANIN__TRY(fanin_tensor_range(&whole, first + from, length < count - from ? length : count - from, &piece));
    piece.offset = t->offset + (size_t)from * fanin_dtype_size(t->dtype);
    FANIN__TRY(fanin_fill(s->f, s->queue, &piece, init, key, 0, NULL, NULL));
  }
  return FANIN_STATUS_OK;
}

/* Fills by `way` and reads the buffer back. */
static fanin_status fill_and_read(fanin__trial *s, fanin__fill_way *way, const fanin_tensor *t, const fanin_init *init,
                                  fanin_key key) {
  uint64_t elements = 0, bytes = 0;
  FANIN__TRY(fanin_tensor_size(t, &elements, &bytes));
  s->used = t->offset + (size_t)bytes + FANIN__GUARD;
  if (s->used > FANIN__MOST_BYTES)
    return fanin__fail(FANIN_STATUS_BAD_SIZE, "the self-test has no room for %zu bytes", s->used);
  for (size_t k = 0; k < s->used; k++) {
    s->memory[k] = guard_byte(k);
  }
  FANIN__TRY(fanin__write(s->queue, s->buffer, s->used, s->memory));
  const fanin_status status = way(s, t, init, key);
  cl_int code = clFinish(s->queue);
  if (status != FANIN_STATUS_OK) return status;
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clFinish");
  code = clEnqueueReadBuffer(s->queue, s->buffer, CL_TRUE, 0, s->used, s->memory, 0, NULL, NULL);
  return fanin__check_cl(code, "clEnqueueReadBuffer");
}

/* ---- All of it --------------------------------------------------------------------------------------------------- */

fanin_status fanin__try_digest(fanin__trial *s, fanin__fill_way *way, const fanin__digest *d, bool has_gaps,
                               bool *right) {
  fanin_tensor t = {.rank = 0};
  fanin_init init = {.kind = FANIN_KIND_ZEROS};
  const fanin_key key = {fanin__digest_seed, fanin__digest_tensors[d->tensor].stream};
  fanin_status status = fanin_init_parse(d->init, &init);
  if (status == FANIN_STATUS_OK) status = tensor_of(s, d, &t);
  if (status == FANIN_STATUS_OK && has_gaps) status = spread_out(&t, &t);
  if (status == FANIN_STATUS_OK) status = fill_and_read(s, way, &t, &init, key);
  if (status == FANIN_STATUS_UNSUPPORTED) {
    if (!s->refusal[0]) (void)snprintf(s->refusal, sizeof s->refusal, "%s", fanin_last_error());
    return status;
  }
  *right = status == FANIN_STATUS_OK && is_right(s, d, &t, &init);
  if (status != FANIN_STATUS_OK) say_wrong(s, d, &t, &init, fanin_last_error());
  return FANIN_STATUS_OK;
}
