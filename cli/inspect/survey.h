/* Everything that the tests of a tensor need of its values, measured on a device piece by piece. */
#ifndef CLI_INSPECT_SURVEY_H
#define CLI_INSPECT_SURVEY_H

#include "base/session.h"
#include "fanin/inspect.h"
#include "formats/checkpoint.h"

/* Memory for pieces of a file, on the device and on the host. */
typedef struct measurer {
  const session *session;
  cl_mem buffer;
  char *host;
  size_t bytes;
  uint64_t *loaded; /* [2]: offset and size of the part of the file that the buffer holds; size 0: nothing */
} measurer;

/* Makes memory for the tensors of these files. Ends with measurer_free(), also after a failure. */
int measurer_make(const session *s, const checkpoint *c, measurer *out, failure *why);
void measurer_free(measurer *m);

/* The statistics of two sets of elements together, from those of each (Chan, Golub, LeVeque 1983, eq. 2.1). */
fanin_stats merge_stats(const fanin_stats *a, const fanin_stats *b);

/* Sees some of a tensor's elements, in order. */
typedef void survey_reader(void *to, const char *bytes, uint64_t elements);

enum { SURVEY_LAGS = 4, SURVEY_SAMPLE = 4096 };

typedef struct survey {
  const measurer *m; /* what measures it, */
  const tensor_file *f;
  const stored_tensor *t; /* and what is measured */
  fanin_stats stats;
  uint64_t *counts; /* [FANIN_BINS], elements of each bin; NULL: only survey_begin() was called */
  fanin_standard by;
  fanin_series series;                               /* of the standardised values */
  uint64_t lags[SURVEY_LAGS], products[SURVEY_LAGS]; /* distances in elements, 0: none; how many products were summed */
  uint64_t rows, columns; /* of the matrix that it is seen as; 1 row: it is none; 0: nor could its only row be seen */
  fanin_lines lines;
  bool *zero_row, *zero_column;                 /* whether all bits of that line are 0; NULL where there is no matrix */
  uint64_t zero_rows, zero_columns;             /* how many are, */
  uint64_t first_zero[2];                       /* and the number of the first row and column */
  uint64_t values, *row_values, *column_values; /* of survey_values(), as `lines` has lines; NULL: there are none */
  uint64_t row, column;                         /* where survey_values() is */
  uint32_t bin;                                 /* of survey_within() */
  uint64_t *within;
} survey;

/* survey_begin() measures first moments and extremes, survey_go_on() everything else. Ends with survey_free(), also
 * after a failure. */
int survey_begin(const measurer *m, const tensor_file *f, const stored_tensor *t, survey *out, failure *why);
int survey_go_on(survey *s, const char *layout, failure *why);

/* Takes the elements of the lines of zeros, found by survey_go_on(), out of stats, counts and series: what is left is
 * what the other lines have. */
void survey_leave_zeros(survey *s);

/* Counts the elements of one bin by the lower bits of their number, in FANIN_BINS counters. */
int survey_within(survey *s, uint32_t bin, uint64_t *counts, failure *why);

/* Hands all of the tensor's bytes on, in order and in pieces of whole elements. */
int survey_read(const survey *s, survey_reader *read, void *to, failure *why);

/* Digests that know no order: of all elements, and of each row and column, the sum of a hash of each element's bits,
 * mod 2^64. Two sets of values have one digest with probability 2^-64. */
int survey_values(survey *s, failure *why);

/* Writes the standardised first elements, at most SURVEY_SAMPLE, to sample number `at` of a buffer of them. */
int survey_sample(const survey *s, cl_mem samples, uint64_t at, failure *why);

void survey_free(survey *s);

#endif
