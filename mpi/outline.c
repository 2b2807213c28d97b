/* What a run of so many ranks would do (--plan), computed by the code that would do it. */
#include "outline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/table.h"
#include "base/text.h"
#include "formats/safetensors.h"
#include "init/fill_parts.h"

/* The least, the mean and the most of something, over the ranks. */
typedef struct over_ranks {
  double least, sum, most;
} over_ranks;

static void note(over_ranks *s, double value) {
  s->least = value < s->least ? value : s->least;
  s->most = value > s->most ? value : s->most;
  s->sum += value;
}

enum { BYTES, PARTS, PIECES, RUNS, RUN_BYTES, MEMORY, AT_ONCE_BYTES, LARGEST_AT_ONCE, OPERATIONS, N_ROWS };

static const struct {
  const char *title;
  char unit; /* c: a count, b: bytes, m: memory, o: operations */
} rows[N_ROWS] = {{"bytes to make", 'b'},
                  {"parts of tensors", 'c'},
                  {"pieces", 'c'},
                  {"stretches in the file", 'c'},
                  {"bytes of a stretch", 'b'},
                  {"memory, host and device each", 'm'},
                  {"of the bytes: made at once", 'b'},
                  {"largest of these, device", 'm'},
                  {"operations for matrices", 'o'}};

static void outline_rank(const init_request *r, sharding how, uint64_t rank, uint64_t ranks, over_ranks all[N_ROWS]) {
  const session any_device = {.max_alloc_bytes = UINT64_MAX};
  const share_sum sum = share_total(&r->model, how, rank, ranks);
  share *s = share_new(&r->model, how, rank, ranks);
  cutter c = {.model = &r->model,
              .source = {share_next, s},
              .most = fill_piece_bytes(&any_device, sum.bytes),
              .largest = any_device.max_alloc_bytes};
  piece p = {0};
  uint64_t pieces = 0, runs = 0;
  for (;; ++pieces) {
    cutter_next(&c, &p);
    if (p.bytes == 0) break;
    for (size_t i = 0; i < p.count; ++i)
      runs += part_elements(&p.parts[i].where) / part_run(&p.parts[i].where);
  }
  piece_free(&p);
  share_free(s);
  note(&all[BYTES], (double)sum.bytes);
  note(&all[PARTS], (double)sum.parts);
  note(&all[PIECES], (double)pieces);
  note(&all[RUNS], (double)runs);
  note(&all[RUN_BYTES], runs > 0 ? (double)sum.bytes / (double)runs : 0);
  note(&all[MEMORY], (double)(pieces < 2 ? pieces : 2) * (double)c.most);
  note(&all[AT_ONCE_BYTES], (double)sum.at_once_bytes);
  note(&all[LARGEST_AT_ONCE], (double)sum.largest_at_once);
  note(&all[OPERATIONS], sum.operations);
}

static void put(table *t, char unit, double value) {
  char text[TEXT_NUMBER];
  const uint64_t number = (uint64_t)(value + 0.5);
  if (unit == 'o') {
    table_cell(t, "%.3g", value);
  } else {
    table_cell(t, "%s",
               unit == 'b'   ? text_bytes(number, text)
               : unit == 'm' ? text_memory(number, text)
                             : text_count(number, text));
  }
}

static void print_table(const over_ranks all[N_ROWS], uint64_t ranks) {
  static const column columns[] = {{"a rank has", 1, 0}, {"least", 0, 0}, {"mean", 0, 0}, {"most", 0, 0}};
  const int n = all[OPERATIONS].most > 0 ? N_ROWS : all[AT_ONCE_BYTES].most > 0 ? OPERATIONS : AT_ONCE_BYTES;
  table t = table_of(columns, 4);
  for (int k = 0; k < n; ++k) {
    table_cell(&t, "%s", rows[k].title);
    put(&t, rows[k].unit, all[k].least);
    put(&t, rows[k].unit, all[k].sum / (double)ranks);
    put(&t, rows[k].unit, all[k].most);
  }
  table_print(&t, stdout);
  table_free(&t);
}

int outline_print(const init_request *r, sharding how, uint64_t ranks, failure *why) {
  char *header = NULL, parameters[TEXT_NUMBER], size[TEXT_NUMBER], head[TEXT_NUMBER], number[TEXT_NUMBER], by[64];
  size_t header_size = 0;
  uint64_t elements, bytes;
  over_ranks all[N_ROWS];
  const int status = safetensors_header(&r->model, r->seed, &header, &header_size, why);
  if (status != STATUS_OK) return status;
  free(header);
  for (int k = 0; k < N_ROWS; ++k)
    all[k] = (over_ranks){.least = INFINITY};
  for (uint64_t rank = 0; rank < ranks; ++rank)
    outline_rank(r, how, rank, ranks, all);
  model_totals(&r->model, &elements, &bytes);
  printf("%s: %zu tensor%s, %s parameter%s, %s behind a header of %s\n",
         r->model_path             ? r->model_path
         : r->like.checkpoint_path ? r->like.checkpoint_path
                                   : "--tensor",
         r->model.count, text_plural(r->model.count), text_count(elements, parameters), text_plural(elements),
         text_bytes(bytes, size), text_bytes(header_size, head));
  printf("%s rank%s, %s\n\n", text_count(ranks, number), text_plural(ranks), sharding_text(how, by));
  print_table(all, ranks);
  printf("\nMessages: rank 0's programs and two numbers to all; %s round%s of a write, with an agreement\n"
         "of 8 bytes before each; no byte of a tensor passes between ranks.\n",
         text_count((uint64_t)all[PIECES].most, number), text_plural((uint64_t)all[PIECES].most));
  return STATUS_OK;
}
