/* Rows and columns of a file's tensors that are equal bit for bit, by their fingerprints. */
#ifndef CLI_INSPECT_SHARED_LINES_H
#define CLI_INSPECT_SHARED_LINES_H

#include "inspect/inspection.h"

/* A row or a column of a tensor. */
typedef struct line {
  uint64_t print, length;
  size_t tensor;
  uint64_t number;
  bool column;
} line;

typedef struct line_list {
  line *lines;
  size_t count, capacity;
} line_list;

/* Adds all rows and columns of the tensor. */
void lines_collect(const survey *s, size_t tensor, line_list *list);

/* Sorts them and finds equal ones: within a tensor they are its tests EQUAL_ROWS and EQUAL_COLUMNS, between tensors
 * (and between rows and columns) the inspection's shared lines. Lines that are short enough to be equal by chance (the
 * expected number of equal pairs in the file is above 1e-9 with lines of that length) are left out. Returns how many
 * tests that is. */
size_t lines_compare(line_list *list, inspection *out);

void lines_free(line_list *list);

#endif
