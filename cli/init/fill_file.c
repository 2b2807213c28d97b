/* Fills a model's tensors on a device and appends them to a file. */
#include "init/fill_file.h"

#include "fanin/inspect.h"
#include "init/fill_parts.h"

typedef struct all {
  const model *model;
  size_t next; /* tensor */
} all;

static bool next_tensor(void *state, model_part *out) {
  all *a = state;
  if (a->next == a->model->count) return false;
  *out = (model_part){a->next, a->model->tensors[a->next].tensor};
  ++a->next;
  return true;
}

static int append(void *state, const piece *p, const char *bytes, failure *why) {
  return output_write(state, bytes, p->bytes, why);
}

int fill_file(const session *s, const model *m, uint64_t seed, output *out, failure *why) {
  uint64_t elements, bytes;
  all a = {.model = m};
  model_totals(m, &elements, &bytes);
  return fill_parts(s, m, seed, &(part_source){next_tensor, &a}, bytes, &(part_sink){append, out}, NULL, why);
}
