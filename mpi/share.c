/* Which parts of a model's tensors a rank makes. */
#include "share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOGETHER = 64 << 20 }; /* bytes of small matrices that make one part */

/* Work with orthogonal matrices that a rank has been given. */
typedef struct load {
  double operations;
  uint64_t rank;
} load;

/* The matrices that an orthogonal tensor consists of: each of a stack, in parts that groups and splits make along one
 * dimension. docs/orthogonal.md. */
typedef struct matrices {
  size_t tensor;
  const fanin_tensor *t;
  int stack, cut; /* dimensions; stack -1: none */
  uint64_t batches, parts, part_extent;
  double operations; /* for one matrix */
} matrices;

struct share {
  const model *model;
  sharding how;
  uint64_t rank, count;
  size_t tensor;         /* next to be looked at */
  uint64_t first, end;   /* SHARE_MODEL: elements of the tensors that can be cut, */
  uint64_t passed;       /* and those of them that were before `tensor` */
  matrices m;            /* that are being handed out */
  uint64_t matrix, last; /* consecutive ones, then */
  uint64_t *extras;      /* these */
  size_t n_extras, next_extra, extras_capacity;
  load *loads; /* a heap of `count`, the least first */
};

/* ---- Texts ------------------------------------------------------------------------------------------------------- */

int sharding_parse(const char *text, sharding *out, failure *why) {
  static const char dimension[] = "dimension:";
  *out = (sharding){SHARE_MODEL, 'O'};
  if (strcmp(text, "model") == 0) return STATUS_OK;
  out->kind = SHARE_RANGE;
  if (strcmp(text, "range") == 0) return STATUS_OK;
  out->kind = SHARE_DIMENSION;
  if (strcmp(text, "dimension") == 0) return STATUS_OK;
  if (strncmp(text, dimension, sizeof dimension - 1) == 0) {
    out->letter = text[sizeof dimension - 1];
    if (out->letter != '\0' && strchr("OIBDHW", out->letter) && text[sizeof dimension] == '\0') return STATUS_OK;
  }
  return fail(why, STATUS_INPUT, "--shard '%.64s': give model, range, dimension, or dimension: and one of O I B D H W",
              text);
}

const char *sharding_text(sharding how, char out[64]) {
  if (how.kind == SHARE_MODEL) return "by range of the model";
  if (how.kind == SHARE_RANGE) return "by range of each tensor";
  snprintf(out, 64, "by dimension %c of each tensor", how.letter);
  return out;
}

/* ---- Matrices ---------------------------------------------------------------------------------------------------- */

static bool is_orthogonal(const model_tensor *t) {
  return t->init.kind == FANIN_KIND_ORTHOGONAL || t->init.kind == FANIN_KIND_DELTA_ORTHOGONAL;
}

static int dimension_of(const fanin_tensor *t, char letter) {
  const char *at = strchr(t->layout, letter);
  return at ? (int)(at - t->layout) : -1;
}

static matrices matrices_of(const model *all, size_t tensor) {
  const fanin_tensor *t = &all->tensors[tensor].tensor;
  const int o = dimension_of(t, 'O'), i = dimension_of(t, 'I');
  const uint64_t groups = t->groups > 1 ? t->groups : 1, splits = t->splits > 1 ? t->splits : 1;
  matrices m = {.tensor = tensor, .t = t, .stack = dimension_of(t, 'B'), .batches = 1, .parts = groups * splits};
  m.cut = t->layout[0] == 'I' && groups > 1 ? i : o;
  m.part_extent = t->shape[m.cut] / m.parts;
  if (m.stack >= 0) m.batches = t->shape[m.stack];
  double rows = (double)t->shape[o], columns = (double)t->shape[i];
  if (m.cut == o) rows /= (double)m.parts;
  if (m.cut == i) columns /= (double)m.parts;
  for (int d = 0; d < t->rank; ++d) {
    if (d != o && d != i && d != m.stack && all->tensors[tensor].init.kind == FANIN_KIND_ORTHOGONAL) {
      columns *= (double)t->shape[d];
    }
  }
  const double n = rows < columns ? rows : columns, height = rows < columns ? columns : rows;
  m.operations = 2 * height * n * n - 2 * n * n * n / 3;
  return m;
}

/* Parts part .. part + parts of matrices batch .. batch + batches. */
static model_part part_of(const matrices *m, uint64_t batch, uint64_t batches, uint64_t part, uint64_t parts) {
  uint64_t start[FANIN_MAX_RANK] = {0}, extent[FANIN_MAX_RANK];
  memcpy(extent, m->t->shape, sizeof extent);
  start[m->cut] = part * m->part_extent;
  extent[m->cut] = parts * m->part_extent;
  if (m->stack >= 0) {
    start[m->stack] = batch;
    extent[m->stack] = batches;
  }
  model_part out = {m->tensor, *m->t, true};
  fanin_tensor_slab(m->t, start, extent, &out.where); /* a part of what was checked cannot fail */
  return out;
}

static model_part one_matrix(const matrices *m, uint64_t matrix) {
  return part_of(m, matrix / m->parts, 1, matrix % m->parts, 1);
}

/* The next of consecutive matrices: several whole members of a stack as long as they are small, else one. */
static model_part next_matrices(share *s) {
  const matrices *m = &s->m;
  const uint64_t batch = s->matrix / m->parts;
  uint64_t batches = (s->last - s->matrix) / m->parts;
  if (batches > 0 && s->matrix % m->parts == 0) {
    const model_part one = part_of(m, batch, 1, 0, m->parts);
    const uint64_t bytes = part_bytes(&one.where), most = bytes > 0 ? TOGETHER / bytes : batches;
    batches = batches < most ? batches : most;
    if (batches > 0) {
      s->matrix += batches * m->parts;
      return part_of(m, batch, batches, 0, m->parts);
    }
  }
  return one_matrix(m, s->matrix++);
}

/* Whether a comes before b where work is handed out. */
static bool before(const load *a, const load *b) {
  return a->operations < b->operations || (a->operations == b->operations && a->rank < b->rank);
}

/* Gives the one with the least work some more. Returns its rank. */
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

/* An orthogonal tensor: who owns which of its matrices. Every rank works that out for all of them. */
static void begin_matrices(share *s, size_t tensor) {
  s->m = matrices_of(s->model, tensor);
  const uint64_t n = s->m.batches * s->m.parts, each = n / s->count;
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

/* What is this rank's of the model's range; false: nothing. */
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
  const int with_letter = dimension_of(t, s->how.letter), dimension = with_letter < 0 ? 0 : with_letter;
  return fanin_tensor_split(t, dimension, s->rank, s->count, out) == FANIN_STATUS_OK && part_elements(out) > 0;
}

bool share_next(void *state, model_part *out) {
  share *s = state;
  for (;;) {
    if (s->matrix < s->last) {
      *out = next_matrices(s);
      return true;
    }
    if (s->next_extra < s->n_extras) {
      *out = one_matrix(&s->m, s->extras[s->next_extra++]);
      return true;
    }
    if (s->tensor == s->model->count) return false;
    const model_tensor *t = &s->model->tensors[s->tensor++];
    *out = (model_part){.tensor = s->tensor - 1};
    if (is_orthogonal(t)) {
      begin_matrices(s, s->tensor - 1);
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
    if (!is_orthogonal(&m->tensors[i])) elements += model_elements(&m->tensors[i]);
  }
  fanin_tensor all = {.dtype = FANIN_DTYPE_F16, .rank = 1, .shape = {elements}}; /* they have less than 2^62 bytes */
  if (fanin_tensor_split_range(&all, rank, count, &all) == FANIN_STATUS_OK) {
    s->first = all.first;
    s->end = all.first + all.count;
  }
  return s;
}

void share_free(share *s) {
  if (!s) return;
  free(s->loads);
  free(s->extras);
  free(s);
}

share_sum share_total(const model *m, sharding how, uint64_t rank, uint64_t count) {
  share_sum sum = {0};
  model_part part;
  share *s = share_new(m, how, rank, count);
  while (share_next(s, &part)) {
    const uint64_t bytes = part_bytes(&part.where);
    sum.bytes += bytes;
    ++sum.parts;
    if (!part.indivisible) continue;
    sum.matrix_bytes += bytes;
    sum.operations += s->m.operations * ((double)bytes / (double)model_bytes(&m->tensors[part.tensor])) *
                      (double)(s->m.batches * s->m.parts);
    if (bytes > sum.largest_matrix) sum.largest_matrix = bytes;
  }
  share_free(s);
  return sum;
}
