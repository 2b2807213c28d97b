/* Sparse in plain C: keys, sorted line by line. */
#include "oracle/sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

typedef struct weight {
  uint64_t line, index;
  uint32_t key[4];
} weight;

static int by_line_and_key(const void *a, const void *b) {
  const weight *const x = a, *const y = b;
  if (x->line != y->line) return x->line < y->line ? -1 : 1;
  for (int k = 0; k < 4; k++) {
    if (x->key[k] != y->key[k]) return x->key[k] < y->key[k] ? -1 : 1;
  }
  return 0;
}

static uint64_t elements_of(const fanin_tensor *t) {
  uint64_t elements = 1;
  for (int d = 0; d < t->rank; d++) {
    elements *= t->shape[d];
  }
  return elements;
}

/* The mixed-radix number of what a line's weights have in common: the coordinate B; that of the owner; and the part
 * that the other of O and I is in. */
uint64_t *oracle_lines(const fanin_tensor *t, fanin_per per) {
  const uint64_t elements = elements_of(t), splits = t->splits > 1 ? t->splits : 1;
  const oracle_groups groups = oracle_groups_of(t);
  uint64_t *const lines = calloc((size_t)elements + 1, sizeof *lines);
  assert_non_null(lines);
  for (uint64_t e = 0; e < elements; e++) {
    uint64_t rest = e;
    for (int d = t->rank - 1; d >= 0; d--) {
      const uint64_t at = rest % t->shape[d];
      rest /= t->shape[d];
      const char letter = oracle_is_input(t->layout[d]) ? 'I' : t->layout[d],
                 owner = per == FANIN_PER_INPUT ? 'I' : 'O';
      const uint64_t parts = letter == 'O'      ? splits * (groups.of_inputs ? 1 : groups.count)
                             : groups.of_inputs ? groups.count
                                                : 1;
      if (letter == 'B' || letter == owner) {
        lines[e] = lines[e] * t->shape[d] + at;
      } else if (letter == 'O' || letter == 'I') {
        lines[e] = lines[e] * parts + at / (t->shape[d] / parts);
      }
    }
  }
  return lines;
}

/* As torch.nn.init.sparse_ counts them, or all but so many. */
static uint64_t zeros_of(const fanin_init *init, uint64_t n) {
  if (init->connections > 0) return (double)n > init->connections ? n - (uint64_t)init->connections : 0;
  return (uint64_t)ceil(init->sparsity * (double)n);
}

bool *oracle_zeros(const fanin_tensor *t, const fanin_init *init, fanin_key key) {
  const uint64_t elements = elements_of(t);
  uint64_t *const lines = oracle_lines(t, init->per);
  weight *const all = calloc((size_t)elements + 1, sizeof *all);
  bool *const zeros = calloc((size_t)elements + 1, sizeof *zeros);
  assert_non_null(all);
  assert_non_null(zeros);
  for (uint64_t e = 0; e < elements; e++) {
    all[e] = (weight){.line = lines[e], .index = e};
    oracle_block(key, e + (UINT64_C(1) << 62), all[e].key);
  }
  qsort(all, (size_t)elements, sizeof *all, by_line_and_key);
  for (uint64_t from = 0, to; from < elements; from = to) {
    for (to = from + 1; to < elements && all[to].line == all[from].line;) {
      to++;
    }
    const uint64_t count = zeros_of(init, to - from);
    for (uint64_t e = from; e < from + count; e++) {
      zeros[all[e].index] = true;
    }
  }
  free(all);
  free(lines);
  return zeros;
}
