/* Tables of text in aligned columns that fit the terminal. */
#ifndef CLI_BASE_TABLE_H
#define CLI_BASE_TABLE_H

#include <stddef.h>
#include <stdio.h>

typedef struct column {
  const char *title;
  int left; /* 1: text, flush left; 0: a number, flush right */
  int drop; /* 0: always shown; else left out on a terminal that is too narrow: larger numbers first, equal ones
               together */
} column;

typedef struct table {
  const column *columns;
  size_t n_columns;
  const char *const *groups; /* NULL, or for each column a heading above its title, "" for none; neighbours with equal
                                ones share it */
  char **cells;              /* row by row */
  size_t n_cells, capacity;
} table;

/* An empty table; table_free() it. `columns`, at most 32, must outlive it. */
table table_of(const column *columns, size_t n_columns);

/* The next cell, row by row. Control characters are replaced by '?'. */
void table_cell(table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints titles and rows; on a narrow terminal with single spaces, then without the columns that may be dropped, which
 * a last line names. */
void table_print(const table *t, FILE *stream);

void table_free(table *t);

#endif
