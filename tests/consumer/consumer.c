/* Uses the installed package as a stranger would: version, a fill, a read, and bits that are known beforehand. */
#include <stdio.h>
#include <string.h>

#include <fanin.h>

/* The header's version as text. */
#define TEXT(x)                     #x
#define DOTTED(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

int main(void) {
  const uint64_t shape[] = {3, 5};
  float values[15] = {0};
  fanin *f = NULL;
  fanin_tensor t = {0};
  int failed = 1;

  if (strcmp(fanin_version(), DOTTED(FANIN_VERSION_MAJOR, FANIN_VERSION_MINOR, FANIN_VERSION_PATCH)) != 0) {
    fprintf(stderr, "the library's version %s is not the header's\n", fanin_version());
    return 1;
  }
  const fanin_init init = fanin_uniform(-1, 1);
  if (fanin_open(NULL, &f) != FANIN_STATUS_OK ||
      fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, shape, &t) != FANIN_STATUS_OK ||
      fanin_fill(f, NULL, &t, &init, (fanin_key){0, 0}, 0, NULL, NULL) != FANIN_STATUS_OK ||
      fanin_read(f, NULL, &t, values, sizeof values, 1, 0, NULL, NULL) != FANIN_STATUS_OK) {
    fprintf(stderr, "%s\n", fanin_last_error());
    goto done;
  }
  /* Philox4x32-10's first word for key and counter 0 is 0x6627e8d5: (int32 + 1/2) * 2^-31. */
  const float first = (float)((0x6627e8d5 + 0.5) / 2147483648.0);
  failed = values[0] != first;
  if (failed) fprintf(stderr, "the first value is %a, not %a\n", (double)values[0], (double)first);
done:
  fanin_tensor_free(&t);
  fanin_release(f);
  return failed;
}
