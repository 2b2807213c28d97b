/* Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC'11, section 3.3), and which word an element owns. */
#include "oracle.h"

#define PLANE_1 (UINT64_C(1) << 63)

void oracle_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]) {
  uint32_t left0 = counter[0], right0 = counter[1], left1 = counter[2], right1 = counter[3];
  for (uint32_t round = 0; round < 10; round++) {
    const uint64_t product0 = UINT64_C(0xD2511F53) * left0;
    const uint64_t product1 = UINT64_C(0xCD9E8D57) * left1;
    const uint32_t key0 = key[0] + round * UINT32_C(0x9E3779B9);
    const uint32_t key1 = key[1] + round * UINT32_C(0xBB67AE85);
    left0 = (uint32_t)(product1 >> 32) ^ right0 ^ key0;
    right0 = (uint32_t)product1;
    left1 = (uint32_t)(product0 >> 32) ^ right1 ^ key1;
    right1 = (uint32_t)product0;
  }
  out[0] = left0;
  out[1] = right0;
  out[2] = left1;
  out[3] = right1;
}

void oracle_block(fanin_key key, uint64_t block, uint32_t out[4]) {
  const uint32_t words[2] = {(uint32_t)key.seed, (uint32_t)(key.seed >> 32)};
  const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)key.stream,
                               (uint32_t)(key.stream >> 32)};
  oracle_philox(words, counter, out);
}

uint32_t oracle_word(fanin_key key, uint64_t index) {
  uint32_t words[4];
  oracle_block(key, index >> 2, words);
  return words[index & 3];
}

uint64_t oracle_draw(fanin_key key, uint64_t index) {
  uint32_t low[4];
  oracle_block(key, (index >> 2) | PLANE_1, low);
  return (uint64_t)oracle_word(key, index) << 32 | low[index & 3];
}
