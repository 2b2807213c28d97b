/* A file under inspection: what was measured of each tensor, what it was tested against, and how the tests came out. */
#ifndef CLI_INSPECT_INSPECTION_H
#define CLI_INSPECT_INSPECTION_H

#include "fanin/inspect.h"
#include "inspect/check.h"
#include "inspect/fit.h"
#include "inspect/survey.h"

/* The tests of one tensor: enumerator, name in tables and JSON, and what is tested, in words. Each gives a normal
 * deviate.
 */
#define TEST_MAP(XX)                                                                                                   \
  XX(STD, "std", "std")                                                                                                \
  XX(MEAN, "mean", "mean")                                                                                             \
  XX(MINIMUM, "minimum", "minimum")                                                                                    \
  XX(MAXIMUM, "maximum", "maximum")                                                                                    \
  XX(ZEROS, "zeros", "count of exact zeros")                                                                           \
  XX(MODE, "mode", "count of the most frequent value")                                                                 \
  XX(EQUAL_ROWS, "equal_rows", "count of rows that repeat another")                                                    \
  XX(EQUAL_COLUMNS, "equal_columns", "count of columns that repeat another")                                           \
  XX(SKEWNESS, "skewness", "skewness")                                                                                 \
  XX(KURTOSIS, "kurtosis", "excess kurtosis")                                                                          \
  XX(DISTRIBUTION, "distribution", "chi-square of the distribution")                                                   \
  XX(ROW_SUMS, "row_sums", "chi-square of the row sums")                                                               \
  XX(COLUMN_SUMS, "column_sums", "chi-square of the column sums")                                                      \
  XX(LAG_1, "lag_1", "correlation of elements 1 apart")                                                                \
  XX(LAG_2, "lag_2", "correlation of elements 2 apart")                                                                \
  XX(LAG_4, "lag_4", "correlation of elements 4 apart")                                                                \
  XX(LAG_ROW, "lag_row", "correlation of elements one row apart")

typedef enum test {
#define TEST_ENUM(id, name, words) TEST_##id,
  TEST_MAP(TEST_ENUM)
#undef TEST_ENUM
      TEST_COUNT
} test;

const char *test_name(test which);
const char *test_words(test which);

/* A number that is not known, and a z that was not tested, is NaN. */
typedef struct test_result {
  double value, expected, z;
} test_result;

typedef struct inspected {
  const stored_tensor *tensor;
  bool measured, closer; /* closer: more than moments was measured, because the values may be random */
  fanin_stats stats;
  expectation expected;
  fit fit;                        /* without an expectation */
  char *like;                     /* without an expectation: the initializer that its std resembles; NULL: none */
  bool has_law;                   /* `law` is what the file or the fit says, */
  bool estimated;                 /* and parameters are the fit's */
  fanin_law law;                  /* of the values but for `zeros` */
  double zeros;                   /* the share of exact zeros that the file's initializer asks for */
  double skewness, kurtosis;      /* excess */
  double mode;                    /* the most frequent value that is not 0 */
  double degrees;                 /* of the distribution's chi-square */
  double distance, most_distance; /* classes_distance() */
  double log_repeat;              /* ln of an upper bound of the probability that two elements are equal */
  uint64_t rows, columns;         /* as survey's */
  double first_equal_row[2], first_equal_column[2];
  test_result tests[TEST_COUNT];
  const char *verdict;
} inspected;

/* Lines of two tensors that are equal bit for bit. */
typedef struct shared_lines {
  size_t a, b;             /* tensors, a <= b */
  bool a_column, b_column; /* columns, else rows */
  uint64_t a_first, b_first, count;
} shared_lines;

/* Two tensors whose beginnings correlate. */
typedef struct related_pair {
  size_t a, b;
  uint64_t count; /* elements compared */
  double r, z;
} related_pair;

typedef struct inspection {
  const tensor_file *file;
  const char *device;
  inspected *tensors; /* one for each tensor of the file */
  shared_lines *shared;
  size_t n_shared, shared_capacity;
  related_pair *pairs; /* all that were compared: compared_pairs */
  size_t compared_pairs;
  related_pair closest; /* the pair of the largest |z|; z NaN: none was compared */
  size_t left_out;      /* tensors beyond the first PAIRED_TENSORS, whose pairs were not compared */
  size_t tests, failed; /* failed: tensors */
  double z_bound;
} inspection;

/* The false-alarm rate of all tests of a file together is that of fanin_z_bound(): 1e-3. Tensors' texts and rows of
 * `out` live until inspection_free(), which is to be called after a failure too. */
int inspect_file(const session *s, const tensor_file *f, inspection *out, failure *why);
void inspection_free(inspection *i);

/* Whether everything holds: no tensor failed, no lines are shared, and no pair of tensors is related. */
bool inspection_holds(const inspection *i);

/* What 'fanin inspect' prints: a table, one line for each finding, and a verdict (report_text.c); or JSON, whose keys
 * docs/inspect.md lists (report_json.c). */
void inspect_print_text(const inspection *i);
int inspect_print_json(const inspection *i, failure *why);

#endif
