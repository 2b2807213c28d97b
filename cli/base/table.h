/* Tables of text in aligned columns that fit the terminal. */
#ifndef CLI_BASE_TABLE_H
#define CLI_BASE_TABLE_H

#include <stddef.h>

typedef struct column {
  const char *title;
  int left; /* 1: text, flush left; 0: a number, flush right */
  int drop; /* 0: always shown. Others are left out on a terminal that is too narrow: larger numbers first, equal ones
               together */
} column;

typedef struct table {
  const column *columns;
  size_t n_columns;
  const char *const *groups; /* NULL, or a heading above the title of each column. "" is no heading; neighbours with
                                equal headings share one */
  char **cells;              /* row by row, the titles first */
  size_t n_cells, capacity;
} table;

/* Returns an empty table, to be released by table_print(). `columns`, at most 32, must outlive it. */
table table_of(const column *columns, size_t n_columns);

/* Adds the next cell, row by row. Control characters become '?'. */
void table_cell(table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints titles and rows to stdout, and releases the table. On a narrow terminal, single spaces separate the columns;
 * if that is not enough, columns whose cells are all "-" are left out, then the last column's words go on in further
 * lines, then columns that may be dropped are left out. A last line names what is left out. */
void table_print(table *t);

#endif
