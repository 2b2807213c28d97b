/* What a fill must leave in memory; see image.h. */
#include "support/support.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "init/distribution.h"
#include "oracle/image.h"
#include "oracle/orthogonal.h"
#include "oracle/pattern.h"
#include "oracle/sparse.h"
#include "oracle/table.h"

/* Where element `e` of the part is: coordinates in the whole, index in the whole's row-major order, and elements after
 * the part's first in memory. */
typedef struct place {
  uint64_t at[FANIN_MAX_RANK], index, memory;
} place;

static place place_of(const fanin_tensor *t, uint64_t e) {
  place p = {.index = 0, .memory = 0};
  bool dense = true;
  for (int d = 0; d < t->rank; d++) {
    dense = dense && t->strides[d] == 0;
  }
  if (t->part == FANIN_PART_RANGE) {
    p.index = t->first + e;
    p.memory = e;
    for (uint64_t d = (uint64_t)t->rank, rest = p.index; d-- > 0; rest /= t->shape[d]) {
      p.at[d] = rest % t->shape[d];
    }
    return p;
  }
  uint64_t rest = e, stride = 1;
  for (int d = t->rank - 1; d >= 0; d--) {
    const bool slab = t->part == FANIN_PART_SLAB;
    const uint64_t extent = slab ? t->extent[d] : t->shape[d], inside = rest % extent;
    p.at[d] = inside + (slab ? t->start[d] : 0);
    p.index += p.at[d] * stride;
    p.memory += inside * t->strides[d];
    stride *= t->shape[d];
    rest /= extent;
  }
  if (dense) p.memory = e;
  return p;
}

/* Identity and dirac: the O index within its split and group equals the I index within its group, at the taps' centre.
 */
static bool is_one(const fanin_tensor *t, const place *p) {
  const uint64_t splits = t->splits > 1 ? t->splits : 1;
  const oracle_groups groups = oracle_groups_of(t);
  uint64_t o = 0, i = 0;
  bool centre = true;
  for (int d = 0; d < t->rank; d++) {
    if (t->layout[d] == 'O') o = p->at[d] % (t->shape[d] / splits / (groups.of_inputs ? 1 : groups.count));
    if (oracle_is_input(t->layout[d])) i = p->at[d] % (t->shape[d] / (groups.of_inputs ? groups.count : 1));
    if (strchr("DHW", t->layout[d])) centre = centre && p->at[d] == t->shape[d] / 2;
  }
  return centre && o == i;
}

/* Every value of the whole tensor before section 5 rounds it, where values depend on one another; else NULL. */
static double *orthogonal_values(const fanin_tensor *t, const fanin_init *init, fanin_key key) {
  fanin_tensor whole = *t;
  whole.part = FANIN_PART_WHOLE;
  if (init->kind == FANIN_KIND_ORTHOGONAL) return oracle_orthogonal(&whole, oracle_orthonormal, key);
  if (init->kind == FANIN_KIND_DELTA_ORTHOGONAL) return oracle_delta_orthogonal(&whole, oracle_orthonormal, key);
  return NULL;
}

/* gain times such a value, rounded to real and to the dtype. */
static uint64_t scaled_bits(fanin_dtype dtype, double gain, double value) {
  uint64_t bits = 0;
  if (dtype != FANIN_DTYPE_F64) return oracle_bits_of(dtype, (float)gain * (float)value);
  const double product = gain * value;
  memcpy(&bits, &product, sizeof bits);
  return bits;
}

void oracle_image(const fanin_tensor *t, const fanin_init *init, fanin_key key, unsigned char *memory) {
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_size(t, &elements, &bytes));
  fanin__distribution distribution = oracle_distribution_of(t, init);
  const bool delta = distribution.law.kind == FANIN_LAW_KIND_ONES;
  if (delta) distribution.law.kind = FANIN_LAW_KIND_CONSTANT;
  const bool pattern = init->kind == FANIN_KIND_BILINEAR || init->kind == FANIN_KIND_HADAMARD;
  const bool table = oracle_is_table(init->kind);
  bool *const zeros = distribution.law.kind == FANIN_LAW_KIND_SPARSE ? oracle_zeros(t, init, key) : NULL;
  if (zeros) distribution.law.kind = FANIN_LAW_KIND_NORMAL;
  const oracle_plan plan = oracle_plan_of(&distribution, t->dtype, &oracle_host_tails);
  double *const orthogonal = orthogonal_values(t, init, key);
  const size_t size = fanin_dtype_size(t->dtype);
  for (uint64_t e = 0; e < elements; e++) {
    const place p = place_of(t, e);
    const bool none = (delta && !is_one(t, &p)) || (zeros && zeros[p.index]);
    const uint64_t bits = none         ? 0
                          : pattern    ? oracle_pattern(t, init, p.at)
                          : table      ? oracle_table(t, init, p.at)
                          : orthogonal ? scaled_bits(t->dtype, distribution.law.value, orthogonal[p.index])
                                       : oracle_bits(&plan, key, p.index);
    unsigned char *const out = memory + t->offset + p.memory * size;
    for (size_t k = 0; k < size; k++) {
      out[k] = (unsigned char)(bits >> 8 * k); /* little-endian, as every OpenCL device that fanin accepts */
    }
  }
  free(zeros);
  free(orthogonal);
}

void oracle_assert_content(fanin *f, cl_mem buffer, const fanin_tensor *t, const fanin_init *init, fanin_key key) {
  size_t size = 0;
  unsigned char *const content = test_content(f, buffer, &size);
  unsigned char *const image = malloc(size);
  assert_non_null(image);
  for (size_t k = 0; k < size; k++) {
    image[k] = test_guard_byte(k);
  }
  oracle_image(t, init, key, image);
  size_t bad = 0;
  while (bad < size && content[bad] == image[bad]) {
    bad++;
  }
  char text[160] = "";
  (void)test_init_format(init, text, sizeof text);
  const unsigned is = bad < size ? content[bad] : 0, should = bad < size ? image[bad] : 0;
  free(content);
  free(image);
  if (bad == size) return;
  fail_msg("%s, %s, seed %#" PRIx64 ", stream %#" PRIx64 ": byte %zu of %zu (payload from %zu) is %02x, not %02x", text,
           fanin_dtype_name(t->dtype), key.seed, key.stream, bad, size, t->offset, is, should);
}

void oracle_assert_fill(fanin *f, cl_command_queue queue, fanin_tensor t, const fanin_init *init, fanin_key key) {
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_size(&t, &elements, &bytes));
  t.buffer = test_guarded(f, t.offset, (size_t)bytes);
  assert_ok(fanin_fill(f, queue, &t, init, key, 0, NULL, NULL));
  if (queue) assert_int_equal(clFinish(queue), CL_SUCCESS);
  oracle_assert_content(f, t.buffer, &t, init, key);
  fanin_tensor_free(&t);
}

void oracle_assert_some_slab(fanin *f, fanin_tensor whole, const fanin_init *init, fanin_key key, uint64_t *random) {
  uint64_t start[FANIN_MAX_RANK], extent[FANIN_MAX_RANK], strides[FANIN_MAX_RANK], step = 1;
  for (int d = 0; d < whole.rank; d++) {
    start[d] = test_random_below(random, whole.shape[d] + 1);
    extent[d] = test_random_below(random, whole.shape[d] - start[d] + 1);
    strides[d] = step;
    step = step * (extent[d] > 0 ? extent[d] : 1) + test_random_below(random, 3);
  }
  const fanin_tensor slab = test_tensor_slab(whole, start, extent);
  oracle_assert_fill(f, NULL, slab, init, key);
  oracle_assert_fill(f, NULL, test_tensor_strided(slab, strides), init, key);
}

size_t oracle_amount(size_t full, size_t small) {
  const char *const text = getenv("FANIN_TEST_SMALL");
  return text && *text ? small : full;
}
