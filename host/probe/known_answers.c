/* Are these the random numbers of stream v1? The signs of a tensor's values against Philox on the host, since a
 * generator that is wrong can have all the right moments: one that takes low words for high words of products does. */
#include "probe/known_answers.h"

#include <math.h>

/* Salmon et al., SC'11: ten rounds. */
static void philox(uint64_t key, uint64_t block, uint64_t stream, uint32_t out[4]) {
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = UINT64_C(0xD2511F53) * c0, p1 = UINT64_C(0xCD9E8D57) * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += UINT32_C(0x9E3779B9);
    k1 += UINT32_C(0xBB67AE85);
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/* Whether element i of a distribution that is symmetric about 0 is negative (docs/stream.md, section 4). */
static bool is_negative(const uint32_t words[4], uint64_t i, bool normal) {
  const uint32_t angle = words[(i & 3) | 1];
  if (!normal) return words[i & 3] >> 31;
  if (i & 1) return angle >> 31;               /* sin */
  return (angle + UINT32_C(0x40000000)) >> 31; /* cos */
}

static bool is_symmetric(const fanin__distribution *d) {
  switch (d->law.kind) {
  case FANIN_LAW_KIND_UNIFORM:
    return d->law.lo == -d->law.hi;
  case FANIN_LAW_KIND_NORMAL:
    return d->law.mean == 0;
  case FANIN_LAW_KIND_TRUNC_NORMAL:
    return d->law.mean == 0 && d->law.from == -d->law.to;
  default:
    return false;
  }
}

bool fanin__signs_agree(const fanin__distribution *d, fanin_key key, const float *values, uint64_t n) {
  if (!is_symmetric(d)) return true;
  uint32_t words[4] = {0};
  for (uint64_t i = 0; i < n; i++) {
    if ((i & 3) == 0) philox(key.seed, i >> 2, key.stream, words);
    if (values[i] == 0) continue;
    if ((values[i] < 0) != is_negative(words, i, d->law.kind == FANIN_LAW_KIND_NORMAL)) return false;
  }
  return true;
}
