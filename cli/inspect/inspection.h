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

extern const struct test_texts { const char *name, *words; } test_texts[TEST_COUNT];

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

/* ---- tensor_tests.c ---------------------------------------------------------------------------------------------- */

/* Against t->law, except for std and mean. The most frequent value takes another pass over the file's elements. */
int test_values(survey *s, inspected *t, failure *why);

/* Whatever the law: the values' own mean and variance are the measure. */
void test_order(const survey *s, inspected *t);

/* ---- shared_lines.c: rows and columns of a file's tensors that are equal bit for bit, by their fingerprints ------ */

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

/* ---- related.c: whether the beginnings of tensors correlate, as a stream of random numbers that was used twice ----
 */

/* How many tensors of a file are compared in pairs, the first ones; and the fewest elements of such a tensor. */
enum { PAIRED_TENSORS = 1024, PAIRED_LEAST = 256 };

/* Samples of tensors, standardised, in a buffer on the device. */
typedef struct related {
  cl_mem samples;
  size_t capacity, count;
  size_t *tensors;   /* the tensor of each sample */
  uint64_t *lengths; /* elements in each */
} related;

/* Makes room for the file's tensors. Ends with related_free(), also after a failure. */
int related_make(const session *s, const tensor_file *f, related *out, failure *why);
void related_free(related *r);

/* Takes the first elements of a tensor, if it has enough of them and there is room. */
int related_take(const survey *s, size_t tensor, related *r, inspection *out, failure *why);

/* Correlates all pairs in one launch for some 10^5 of them: out->pairs, closest and compared_pairs. */
int related_compare(const session *s, const related *r, inspection *out, failure *why);

#endif
