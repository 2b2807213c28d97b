/* Everything that the tests of a tensor need of its values, measured on a device piece by piece. */
#ifndef CLI_INSPECT_SURVEY_H
#define CLI_INSPECT_SURVEY_H

#include "fanin/inspect.h"
#include "inspect/measure_file.h"

enum { SURVEY_LAGS = 4, SURVEY_SAMPLE = 4096 };

typedef struct survey {
  fanin_stats stats;
  uint64_t *counts; /* [FANIN_BINS] by bin; NULL: there was nothing to look at closer */
  fanin_standard by;
  fanin_series series;                               /* of the standardised values */
  uint64_t lags[SURVEY_LAGS], products[SURVEY_LAGS]; /* elements apart, 0: none; how many products were summed */
  uint64_t rows, columns; /* of the matrix that it is seen as; 1 row: it is none; 0: nor could its only row be seen */
  fanin_lines lines;
} survey;

/* The matrix that a tensor is in the file: its first dimension against the rest. With a layout of more than two
 * letters, B and what follows it against the rest ("BOI" is B O x I), and all against O where that is last ("HWIO").
 * False where there is none: one line, or more than SURVEY_MOST_LINES. */
enum { SURVEY_MOST_LINES = 1 << 22 };
bool survey_matrix(const tensor_file *f, const stored_tensor *t, const char *layout, uint64_t *rows, uint64_t *columns);

/* First moments and extremes only, then everything else. survey_free() it, also after a failure. */
int survey_begin(const measurer *m, const tensor_file *f, const stored_tensor *t, survey *out, failure *why);
int survey_go_on(const measurer *m, const tensor_file *f, const stored_tensor *t, const char *layout, survey *out,
                 failure *why);

/* Counts elements of one bin by the lower bits of their number, into FANIN_BINS counters. */
int survey_within(const measurer *m, const tensor_file *f, const stored_tensor *t, uint32_t bin, uint64_t *counts,
                  failure *why);

/* Writes the standardised first elements, at most SURVEY_SAMPLE, to sample number `at` of a buffer of them. */
int survey_sample(const measurer *m, const tensor_file *f, const stored_tensor *t, const survey *s, cl_mem samples,
                  uint64_t at, failure *why);

void survey_free(survey *s);

#endif
