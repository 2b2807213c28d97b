/* The limit without vector instructions: one block after the other, in C11 alone. */
#include <math.h>
#include <string.h>

#include "limit_kernels.h"

static float value_of(uint32_t word, const limit_tensor *t) {
  int32_t number;
  memcpy(&number, &word, sizeof number);
  const float unit = fmaf((float)number, 0x1p-31f, 0x1p-32f);
  const float value = fmaf(t->half, unit, t->middle);
  return value < t->lower ? t->lower : value > t->upper ? t->upper : value;
}

void limit_portable(float *out, uint32_t first, size_t count, const limit_tensor *t) {
  for (size_t k = 0; k < count; k++) {
    const uint64_t round1 = (uint64_t)(first + (uint32_t)k) * LIMIT_M0;
    const uint64_t round2 = (uint64_t)((uint32_t)(round1 >> 32) ^ t->c2_round1) * LIMIT_M1;
    uint32_t c0 = (uint32_t)(round2 >> 32) ^ t->c0_round2, c1 = (uint32_t)round2;
    uint32_t c2 = (uint32_t)round1 ^ t->c2_round2, c3 = t->c3_round2;
    for (int r = 0; r < LIMIT_ROUNDS; r++) {
      const uint64_t p0 = (uint64_t)c0 * LIMIT_M0, p1 = (uint64_t)c2 * LIMIT_M1;
      c0 = (uint32_t)(p1 >> 32) ^ c1 ^ t->k0[r];
      c1 = (uint32_t)p1;
      c2 = (uint32_t)(p0 >> 32) ^ c3 ^ t->k1[r];
      c3 = (uint32_t)p0;
    }
    out[4 * k] = value_of(c0, t);
    out[4 * k + 1] = value_of(c1, t);
    out[4 * k + 2] = value_of(c2, t);
    out[4 * k + 3] = value_of(c3, t);
  }
}
