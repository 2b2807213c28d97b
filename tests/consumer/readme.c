#include <fanin.h>
#include <stdio.h>

int main(void) {
  fanin *f = NULL; /* NULL selects $FANIN_DEVICE, else the best GPU, else a CPU */
  fanin_tensor w = {0};
  fanin_key key;
  const fanin_init init = {.kind = FANIN_KIND_HE_NORMAL};
  int bad = fanin_open(NULL, &f) || fanin_key_named(42, "layer1.weight", &key) ||
            fanin_tensor_alloc(f, FANIN_DTYPE_BF16, "OI", 2, (uint64_t[]){4096, 1024}, &w) ||
            fanin_fill(f, NULL, &w, &init, key, 0, NULL, NULL); /* w.buffer is an ordinary cl_mem */
  if (bad) fprintf(stderr, "%s\n", fanin_last_error());
  fanin_tensor_free(&w);
  fanin_release(f);
  return bad;
}
