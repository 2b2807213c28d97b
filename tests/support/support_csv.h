/* Reference numbers: rows of tests/data/<name>, without comments and the line of titles. */
#ifndef FANIN_TESTS_SUPPORT_CSV_H
#define FANIN_TESTS_SUPPORT_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct test_csv {
  FILE *file;
  size_t rows; /* read so far: a test asserts that it saw them all */
  char line[1024];
} test_csv;

/* The path of tests/data/<name>. $SRC is the project's directory; without it, the current one. Static storage. */
const char *test_data_path(const char *name);

/* Fails the calling test if the file is missing. */
test_csv test_csv_open(const char *name);

/* The next row's fields, which must be exactly n and live until the next call. At the end closes and returns false. */
bool test_csv_row(test_csv *csv, const char **fields, size_t n);

#endif
