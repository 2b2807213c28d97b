/* Fills a model's tensors on a device and appends them to a file. */
#include "init/fill_file.h"

#include "fanin/inspect.h"
#include "init/fill_parts.h"

typedef struct all {
  const model *model;
  uint64_t most; /* bytes that the device gives at once */
  size_t next;   /* tensor */
} all;

/* Whether elements depend on one another, so that a piece of them would cost as much as all. */
static bool made_at_once(const model_tensor *t) {
  fanin_law law;
  return fanin_law_of(&t->tensor, &t->init, &law) == FANIN_STATUS_OK &&
         (law.kind == FANIN_LAW_KIND_ORTHOGONAL || law.kind == FANIN_LAW_KIND_SPARSE);
}

static bool next_tensor(void *state, model_part *out) {
  all *a = state;
  if (a->next == a->model->count) return false;
  const model_tensor *t = &a->model->tensors[a->next];
  *out = (model_part){a->next, t->tensor, made_at_once(t) && part_bytes(&t->tensor) <= a->most};
  ++a->next;
  return true;
}

static int append(void *state, const piece *p, const char *bytes, failure *why) {
  return output_write(state, bytes, p->bytes, why);
}

int fill_file(const session *s, const model *m, uint64_t seed, output *out, failure *why) {
  uint64_t elements, bytes;
  all a = {.model = m, .most = s->max_alloc_bytes};
  model_totals(m, &elements, &bytes);
  return fill_parts(s, m, seed, &(part_source){next_tensor, &a}, bytes, &(part_sink){append, out}, NULL, why);
}
