/* Tensors on the command line, NAME:DTYPE:LAYOUT:SHAPE, and what follows from a layout and a shape without a device. */
#include <stdlib.h>
#include <string.h>

#include "formats/tensor_text.h"
#include "fuzz.h"

/* A layout's own text is the same layout. */
static void same_layout(const fanin_tensor *t) {
  char text[LAYOUT_TEXT];
  fanin_tensor again = *t;
  layout_format(t, text);
  FUZZ_REQUIRE(strlen(text) < sizeof text && layout_parse(text, strlen(text), &again));
  FUZZ_REQUIRE(strcmp(t->layout, again.layout) == 0 && t->groups == again.groups && t->splits == again.splits);
}

static void use(const fanin_tensor *t) {
  uint64_t elements = 0, bytes = 0, in = 0, out = 0;
  if (fanin_tensor_size(t, &elements, &bytes) == FANIN_STATUS_OK)
    FUZZ_REQUIRE(bytes == elements * fanin_dtype_size(t->dtype));
  if (fanin_fans(t, &in, &out) == FANIN_STATUS_OK) FUZZ_REQUIRE(in <= elements && out <= elements);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fanin_tensor t = {.rank = 0};
  failure why = {0};
  if (size > 0 && layout_parse((const char *)data, size, &t) && !memchr(data, '\0', size)) same_layout(&t);
  char *text = fuzz_text(data, size), *name = NULL;
  if (fuzz_verdict(tensor_text_parse(text, &name, &t, &why), &why)) {
    FUZZ_REQUIRE(strncmp(text, name, strlen(name)) == 0 && t.rank > 0 && t.rank <= FANIN_MAX_RANK);
    same_layout(&t);
    use(&t);
    free(name);
  }
  free(text);
  return 0;
}
