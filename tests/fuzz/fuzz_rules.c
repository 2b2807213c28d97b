/* Rules of 'fanin init --like', on a checkpoint of a few tensors: those that give each its initializer make a model. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "init/like.h"

enum { PREFIX = 8 };

/* Names as GPT-2, ResNet and T5 have them; 96 bytes of data. */
static const char header[] =
    "{\"h.0.attn.c_attn.weight\":{\"dtype\":\"F32\",\"shape\":[2,6],\"data_offsets\":[0,48]},"
    "\"h.0.attn.bias\":{\"dtype\":\"BOOL\",\"shape\":[1,1,2,2],\"data_offsets\":[48,52]},"
    "\"wte.weight\":{\"dtype\":\"F16\",\"shape\":[3,2],\"data_offsets\":[52,64]},"
    "\"layer1.0.conv1.weight\":{\"dtype\":\"BF16\",\"shape\":[2,2,1,3],\"data_offsets\":[64,88]},"
    "\"layer1.0.bn1.bias\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[88,92]},"
    "\"lm_head.weight\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[92,96]}}";

static const checkpoint *a_checkpoint(void) {
  static checkpoint c;
  failure why = {0};
  if (c.count > 0) return &c;
  char bytes[PREFIX + sizeof header] = {(char)((sizeof header - 1) & 0xff), (char)((sizeof header - 1) >> 8)};
  memcpy(bytes + PREFIX, header, sizeof header - 1);
  const char *path = fuzz_file(".safetensors", bytes, PREFIX + sizeof header - 1, 96);
  FUZZ_REQUIRE(path && checkpoint_read(path, &c, &why) == STATUS_OK && c.count == 6);
  return &c;
}

static void give(const checkpoint *c, const init_rules *rules) {
  like l = {.checkpoint = *c, .rules = *rules};
  model m = {0};
  failure why = {0};
  if (fuzz_verdict(like_assign(&l, &why), &why) && fuzz_verdict(like_model(&l, false, &m, &why), &why)) {
    FUZZ_REQUIRE(m.count <= c->count);
    for (size_t i = 0; i < m.count; ++i)
      FUZZ_REQUIRE(checkpoint_find(c, m.tensors[i].name) && model_elements(&m.tensors[i]) > 0);
  }
  for (size_t i = 0; l.list && i < c->count; ++i)
    tensor_parts_free(&l.list[i].parts);
  free(l.shard_of);
  free(l.list);
  model_free(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const checkpoint *const c = a_checkpoint();
  init_rules rules = {0};
  failure why = {0};
  if (fuzz_verdict(init_rules_parse("rules", (const char *)data, size, &rules, &why), &why)) give(c, &rules);
  init_rules_free(&rules);
  return 0;
}
