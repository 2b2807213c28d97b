/* Which parts of a model's tensors a rank makes. */
#include "share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fanin/scheme.h"
#include "formats/tensor_text.h"

enum { TOGETHER = 64 << 20 }; /* bytes of small matrices that are put together in one part */

/* Work on matrices that a rank has been given. */
typedef struct load {
  double operations;
  uint64_t rank;
} load;

/* The matrices of one tensor. */
typedef struct matrices {
  size_t tensor;
  fanin_tensor grid; /* a slab with one element for each matrix */
  double operations; /* for one matrix */
} matrices;

struct share {
  const model *model;
  sharding how;
  uint64_t rank, count;
  size_t tensor;         /* next to be looked at */
  uint64_t first, end;   /* SHARE_MODEL: elements of the tensors that can be cut, */
  uint64_t passed;       /* and those of them that were before `tensor` */
  matrices m;            /* those that are being handed out: */
  uint64_t matrix, last; /* consecutive ones, then */
  uint64_t *extras;      /* these */
  size_t n_extras, next_extra, extras_capacity;
  load *loads; /* a heap of `count`, the least first */
};

/* ---- Texts ------------------------------------------------------------------------------------------------------- */

int sharding_take(void *to, const char *option, const char *text, failure *why) {
  static const char *const names[] = {
      [SHARE_MODEL] = "model", [SHARE_RANGE] = "range", [SHARE_DIMENSION] = "dimension"};
  enum { N_NAMES = sizeof names / sizeof *names };
  sharding *out = to;
  const size_t length = strcspn(text, ":");
  const char letter = text[length] == ':' ? text[length + 1] : 'O';
  char *name = copy_text(text, length);
  size_t nearest = N_NAMES;
  (void)fanin_nearest_name(name, names, N_NAMES, &nearest);
  const bool known = nearest < N_NAMES && strcmp(name, names[nearest]) == 0, near = nearest < N_NAMES && !known;
  free(name);
  *out = (sharding){(share_kind)nearest, letter};
  if (known && text[length] == '\0') return STATUS_OK;
  if (known && out->kind == SHARE_DIMENSION && letter && strchr(LAYOUT_LETTERS, letter) && !text[length + 2])
    return STATUS_OK;
  return fail(why, STATUS_INPUT, "%s '%.64s': %s%s%s model, range, dimension, or dimension: and one of O I B G D H W",
              option, text, near ? "did you mean " : "", near ? names[nearest] : "", near ? "? Give" : "give");
}

const char *sharding_text(sharding how, char out[64]) {
  if (how.kind == SHARE_MODEL) return "by range of the model";
  if (how.kind == SHARE_RANGE) return "by range of each tensor";
  snprintf(out, 64, "by dimension %c of each tensor", how.letter);
  return out;
}

/* ---- Matrices ---------------------------------------------------------------------------------------------------- */

static matrices matrices_of(const model *all, size_t tensor) {
  const model_tensor *t = &all->tensors[tensor];
  uint64_t shape[FANIN_MAX_RANK] = {0}, zero[FANIN_MAX_RANK] = {0};
  for (int d = 0; d < t->tensor.rank; ++d)
    shape[d] = t->tensor.shape[d] / t->unit[d];
  matrices m = {.tensor = tensor};
  fanin_tensor one_each = {.dtype = t->tensor.dtype, .rank = t->tensor.rank};
  memcpy(one_each.shape, shape, sizeof shape);
  fanin_tensor_slab(&one_each, zero, shape, &m.grid); /* all of it: this cannot fail */
  m.operations = t->operations / (double)part_elements(&m.grid);
  return m;
}

/* As many of the matrices from *first on, but not past `end`, as lie in one slab and are small together; at least one.
 */
static model_part next_matrices(const share *s, uint64_t *first, uint64_t end) {
  const matrices *m = &s->m;
  const model_tensor *t = &s->model->tensors[m->tensor];
  const uint64_t bytes = model_bytes(t) / part_elements(&m->grid);
  const uint64_t small = TOGETHER / bytes, left = end - *first;
  fanin_tensor cut = part_cut(&m->grid, *first, small < 1 ? 1 : small < left ? small : left);
  *first += part_elements(&cut);
  for (int d = 0; d < t->tensor.rank; ++d) {
    cut.start[d] *= t->unit[d];
    cut.extent[d] *= t->unit[d];
  }
  model_part out = {m->tensor, t->tensor};
  fanin_tensor_slab(&t->tensor, cut.start, cut.extent, &out.where); /* a part of what was checked cannot fail */
  return out;
}

/* Whether `a` gets work before `b`. */
static bool before(const load *a, const load *b) {
  return a->operations < b->operations || (a->operations == b->operations && a->rank < b->rank);
}

/* Gives more work to the rank that has least. Returns that rank. */
static uint64_t give(share *s, double operations) {
  load *all = s->loads;
  const uint64_t rank = all[0].rank;
  const load moved = {all[0].operations + operations, rank};
  uint64_t at = 0;
  for (uint64_t child = 1; child < s->count; child = 2 * at + 1) {
    if (child + 1 < s->count && before(&all[child + 1], &all[child])) ++child;
    if (!before(&all[child], &moved)) break;
    all[at] = all[child];
    at = child;
  }
  all[at] = moved;
  return rank;
}

/* Decides who owns which of a tensor's matrices. Every rank works that out for all of them. */
static void begin_matrices(share *s, size_t tensor) {
  s->m = matrices_of(s->model, tensor);
  const uint64_t n = part_elements(&s->m.grid), each = n / s->count;
  s->matrix = each * s->rank;
  s->last = each * (s->rank + 1);
  for (uint64_t k = 0; k < s->count && each > 0; ++k)
    s->loads[k].operations += (double)each * s->m.operations; /* of all: the heap stays one */
  s->n_extras = s->next_extra = 0;
  for (uint64_t k = each * s->count; k < n; ++k) {
    if (give(s, s->m.operations) != s->rank) continue;
    s->extras = grow(s->extras, &s->extras_capacity, s->n_extras + 1, sizeof *s->extras);
    s->extras[s->n_extras++] = k;
  }
}

/* ---- Everything else --------------------------------------------------------------------------------------------- */

/* Finds this rank's part of the tensor in the model's range. Returns false if there is none. */
static bool cut_model(share *s, const fanin_tensor *t, fanin_tensor *out) {
  const uint64_t begin = s->passed, end = begin + part_elements(t);
  const uint64_t from = s->first > begin ? s->first : begin, to = s->end < end ? s->end : end;
  s->passed = end;
  if (from >= to) return false;
  return fanin_tensor_range(t, from - begin, to - from, out) == FANIN_STATUS_OK;
}

/* The model's tensors have been checked, and an index below a count cannot fail. */
static bool cut_tensor(share *s, const fanin_tensor *t, fanin_tensor *out) {
  if (s->how.kind == SHARE_MODEL) return cut_model(s, t, out);
  if (s->how.kind == SHARE_RANGE || t->rank == 0) {
    return fanin_tensor_split_range(t, s->rank, s->count, out) == FANIN_STATUS_OK && part_elements(out) > 0;
  }
  const char *letter = strchr(t->layout, s->how.letter);
  const int dimension = letter ? (int)(letter - t->layout) : 0;
  return fanin_tensor_split(t, dimension, s->rank, s->count, out) == FANIN_STATUS_OK && part_elements(out) > 0;
}

bool share_next(void *state, model_part *out) {
  share *s = state;
  for (;;) {
    if (s->matrix < s->last) {
      *out = next_matrices(s, &s->matrix, s->last);
      return true;
    }
    if (s->next_extra < s->n_extras) {
      uint64_t extra = s->extras[s->next_extra++];
      *out = next_matrices(s, &extra, extra + 1);
      return true;
    }
    if (s->tensor == s->model->count) return false;
    *out = (model_part){.tensor = s->tensor++};
    const model_tensor *t = &s->model->tensors[out->tensor];
    if (kept_whole(&t->kept)) continue; /* it is empty: what has bytes to be copied, ranks refuse */
    if (t->operations > 0) {            /* matrices, which are not cut */
      begin_matrices(s, out->tensor);
    } else if (cut_tensor(s, &t->tensor, &out->where)) {
      return true;
    }
  }
}

/* ---- Its life ---------------------------------------------------------------------------------------------------- */

share *share_new(const model *m, sharding how, uint64_t rank, uint64_t count) {
  share *s = allocate(1, sizeof *s);
  uint64_t elements = 0;
  *s = (share){.model = m, .how = how, .rank = rank, .count = count};
  s->loads = allocate(count, sizeof *s->loads);
  for (uint64_t k = 0; k < count; ++k)
    s->loads[k].rank = k;
  for (size_t i = 0; i < m->count; ++i) {
    if (!(m->tensors[i].operations > 0)) elements += model_elements(&m->tensors[i]);
  }
  fanin_tensor all = {.dtype = FANIN_DTYPE_F16, .rank = 1, .shape = {elements}}; /* they have less than 2^62 bytes */
  if (fanin_tensor_split_range(&all, rank, count, &all) == FANIN_STATUS_OK) {
    s->first = all.first;
    s->end = all.first + all.count;
  }
  return s;
}

void share_free(share *s) {
  free(s->loads);
  free(s->extras);
  free(s);
}

share_sum share_total(const model *m, sharding how, uint64_t rank, uint64_t count) {
  share_sum sum = {0};
  model_part part;
  share *s = share_new(m, how, rank, count);
  while (share_next(s, &part)) {
    const model_tensor *t = &m->tensors[part.tensor];
    const uint64_t bytes = part_bytes(&part.where);
    sum.bytes += bytes;
    ++sum.parts;
    if (!t->together) continue;
    sum.operations +=
        t->operations * ((double)bytes / (double)model_bytes(t)); /* whole matrices, as begin_matrices() */
    sum.at_once_bytes += bytes;
    if (bytes > sum.largest_at_once) sum.largest_at_once = bytes;
  }
  share_free(s);
  return sum;
}
