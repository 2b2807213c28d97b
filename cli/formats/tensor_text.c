/* A tensor on the command line: NAME:DTYPE:LAYOUT:SHAPE, as in "w:f32:OI:4096x1024". */
#include "formats/tensor_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "formats/layout.h"

enum { N_FIELDS = 4 };

/* Where each field begins and how long it is; the first one takes all colons but the last three. */
static int split(const char *text, const char *begin[N_FIELDS], size_t length[N_FIELDS], failure *why) {
  const char *end = text + strlen(text);
  for (int i = N_FIELDS - 1; i > 0; --i) {
    const char *colon = memrchr(text, ':', (size_t)(end - text));
    if (!colon) {
      return args_fail(why, "--tensor '%s': write NAME:DTYPE:LAYOUT:SHAPE, as in w:f32:OI:4096x1024", text);
    }
    begin[i] = colon + 1;
    length[i] = (size_t)(end - colon - 1);
    end = colon;
  }
  begin[0] = text;
  length[0] = (size_t)(end - text);
  return STATUS_OK;
}

int tensor_text_parse(const char *text, char **name, fanin_tensor *tensor, failure *why) {
  const char *begin[N_FIELDS] = {NULL};
  size_t length[N_FIELDS] = {0}, rank = 0;
  uint64_t shape[FANIN_MAX_RANK];
  fanin_dtype dtype = FANIN_DTYPE_F32;
  int status = split(text, begin, length, why);
  if (status != STATUS_OK) return status;

  char *dtype_text = copy_text(begin[1], length[1]);
  status = args_dtype("--tensor", dtype_text, &dtype, why);
  free(dtype_text);
  if (status == STATUS_OK) status = args_sizes("--tensor: shape", begin[3], 'x', shape, FANIN_MAX_RANK, &rank, why);
  if (status != STATUS_OK) return status;

  *tensor = layout_none(dtype, (int)rank, shape);
  if (!layout_parse(begin[2], length[2], tensor)) {
    return args_fail(why,
                     "--tensor: layout '%.*s': write a letter a dimension (O, I, B, D, H, W), then if needed "
                     ",groups=N and ,splits=N; or nothing",
                     (int)length[2], begin[2]);
  }
  *name = copy_text(begin[0], length[0]);
  return STATUS_OK;
}
