/* Files under inspection: what was measured of each tensor, what it was tested against, and how the tests came out. */
#ifndef CLI_INSPECT_INSPECTION_H
#define CLI_INSPECT_INSPECTION_H

#include "fanin/inspect.h"
#include "inspect/check.h"
#include "inspect/expect.h"
#include "inspect/fit.h"
#include "inspect/survey.h"

/* The tests of one tensor: enumerator, name in tables and JSON, and what is tested, in words. Each gives a normal
 * deviate.
 */
#define TEST_MAP(XX)                                                                                                   \
  XX(STD, "std", "std")                                                                                                \
  XX(MEAN, "mean", "mean")                                                                                             \
  XX(ZERO_ROWS, "zero_rows", "count of rows that are all zeros")                                                       \
  XX(ZERO_COLUMNS, "zero_columns", "count of columns that are all zeros")                                              \
  XX(MINIMUM, "minimum", "minimum")                                                                                    \
  XX(MAXIMUM, "maximum", "maximum")                                                                                    \
  XX(ZEROS, "zeros", "count of exact zeros")                                                                           \
  XX(MODE, "mode", "count of the most frequent value")                                                                 \
  XX(EXACT, "exact", "count of elements that are not what they should be")                                             \
  XX(ORTHOGONAL, "orthogonal", "largest product of two lines, which should be orthogonal")                             \
  XX(EQUAL_ROWS, "equal_rows", "count of rows that repeat another")                                                    \
  XX(EQUAL_COLUMNS, "equal_columns", "count of columns that repeat another")                                           \
  XX(SCALED_ROWS, "scaled_rows", "count of rows that are a multiple of another")                                       \
  XX(SCALED_COLUMNS, "scaled_columns", "count of columns that are a multiple of another")                              \
  XX(SHUFFLED_ROWS, "shuffled_rows", "count of rows that have the values of another in another order")                 \
  XX(SHUFFLED_COLUMNS, "shuffled_columns", "count of columns that have the values of another in another order")        \
  XX(SKEWNESS, "skewness", "skewness")                                                                                 \
  XX(KURTOSIS, "kurtosis", "excess kurtosis")                                                                          \
  XX(DISTRIBUTION, "distribution", "chi-square of the distribution")                                                   \
  XX(ROW_SUMS, "row_sums", "chi-square of the row sums")                                                               \
  XX(COLUMN_SUMS, "column_sums", "chi-square of the column sums")                                                      \
  XX(RANK, "rank", "rank of a block of the matrix")                                                                    \
  XX(DEPENDENCE, "dependence", "mean product of the corners of rectangles")                                            \
  XX(TRANSPOSE, "transpose", "correlation of elements with those across the diagonal")                                 \
  XX(ROW_SQUARES, "row_squares", "chi-square of the rows' sums of squares")                                            \
  XX(COLUMN_SQUARES, "column_squares", "chi-square of the columns' sums of squares")                                   \
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

/* ln of 1e-9: what is less likely than that is said not to be chance. */
#define LOG_BY_CHANCE (-20.7)

/* A number that is not known, and a z that was not tested, is NaN. */
typedef struct test_result {
  double value, expected, z;
} test_result;

/* What comes of a tensor. */
typedef enum answer {
  ANSWER_HOLDS,      /* it was tested against an expectation, and passed */
  ANSWER_FAILS,      /* it did not pass; or, whatever is expected, it has values that are not finite */
  ANSWER_NOT_JUDGED, /* nobody said what to expect, or it cannot be measured */
  ANSWER_COUNT
} answer;

extern const char *const answer_texts[ANSWER_COUNT]; /* "holds", "fails", "not judged" */

/* A part of a tensor that has an initializer of its own: it is tested as a tensor. */
typedef struct inspected_part {
  stored_tensor stored; /* "bias[256..512]", with a name and a shape that it owns */
  fanin_tensor where;   /* a slab of the expected tensor */
} inspected_part;

typedef struct inspected {
  const stored_tensor *tensor; /* of the file, or `part`'s */
  size_t of;                   /* the tensor of the files that it is, or is a part of */
  inspected_part *part;        /* owned; NULL: it is the whole tensor */
  const tensor_file *file;
  bool measured, closer; /* closer: more than moments was measured, because the values may be random */
  fanin_stats stats;
  expectation expected;
  fit fit;                        /* without an expectation */
  char *like;                     /* without an expectation: initializers that its std resembles; NULL: none */
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
  double first_shuffled[2][2]; /* of rows and columns: the first that has the values of which line, and that line */
  uint64_t in_order[2];        /* digests of the rows and of the columns, which know their order */
  uint64_t values;             /* the sum of a hash of each element: a digest that knows no order */
  double log_shuffled[3];    /* ln of an upper bound of the probability that two rows, columns, or tensors of that size
                                have the same values each as often; 0 where their digests are not known */
  double first_scaled[2][3]; /* of rows and columns: the first that is a multiple, of which line, by what factor */
  bool swapped;              /* `like` takes the dimensions the other way round */
  uint64_t first_zero[2];    /* row and column of zeros */
  bool table; /* no draw of random numbers, by its looks: it has few different values, or they change little
                 from one to the next */
  test_result tests[TEST_COUNT];
  answer answer;
  const char *failed; /* what failed first: a test's name, "non-finite", "bounds", "copy"; NULL: nothing did */
} inspected;

/* Something to be said of a tensor. */
typedef enum finding_kind {
  FINDING_FAILURE,   /* why it fails */
  FINDING_SUSPICION, /* it does not look as initializers leave tensors; but nobody says that one should have made it */
  FINDING_NOTE,      /* worth knowing, and no fault */
  FINDING_KINDS
} finding_kind;

extern const char *const finding_texts[FINDING_KINDS]; /* "failure", "suspicion", "note" */

typedef struct finding {
  finding_kind kind;
  size_t tensor; /* NO_TENSOR: of all of them */
  char *text;    /* a sentence without its subject, the tensor's name */
} finding;

#define NO_TENSOR SIZE_MAX

/* Lines of two tensors that are equal bit for bit. */
typedef struct shared_lines {
  size_t a, b;             /* tensors, a <= b */
  bool a_column, b_column; /* columns, else rows */
  uint64_t a_first, b_first, count;
} shared_lines;

/* Two tensors with the same values, each as often, in different orders. */
typedef struct shuffled_pair {
  size_t a, b; /* a < b */
} shuffled_pair;

/* Two tensors whose beginnings correlate. */
typedef struct related_pair {
  size_t a, b;
  uint64_t count; /* elements compared */
  double r, z;
  bool same; /* all their elements are the same numbers, rounded to two dtypes */
  bool said; /* that it is beyond the bound is no failure, as of copies that are allowed or are failures of their own */
} related_pair;

/* Runs of elements that repeat those of another tensor, or of the same one, wherever they stand in it: up to a power of
 * two and signs. */
typedef struct repeated_run {
  size_t a, b;               /* tensors, a <= b */
  uint64_t a_first, b_first; /* elements; a_first < b_first where the tensors are one */
  uint64_t count;            /* about how many */
  double factor;             /* from a to b; NaN: it differs from element to element */
  bool reversed;             /* b has them in reverse order: b_first is that of the last element of the run in a */
} repeated_run;

/* What is accepted of tensors that were promised to be random: --allow. */
typedef struct allowed {
  bool tied;    /* copies of other tensors */
  bool padding; /* rows of zeros of embeddings: one, and up to 127 at the end */
} allowed;

typedef struct inspection {
  const wishes *wishes;
  const checkpoint *files; /* of the wishes */
  allowed allow;
  const char *device;
  inspected *tensors; /* one for each tensor of the files, or for each of its parts, in their order */
  size_t count, capacity;
  finding *findings;
  size_t n_findings, findings_capacity;
  shared_lines *shared;
  size_t n_shared, shared_capacity;
  shared_lines *shuffled; /* the same of lines with the same values in different orders */
  size_t n_shuffled, shuffled_capacity;
  shuffled_pair *shuffled_pairs; /* the same of whole tensors */
  size_t n_shuffled_pairs, shuffled_pairs_capacity;
  repeated_run *runs; /* the longest of each pair of tensors */
  size_t n_runs, runs_capacity;
  related_pair *pairs; /* all that were compared: compared_pairs */
  size_t compared_pairs;
  related_pair closest; /* the pair of the largest |z|; z NaN: none was compared */
  size_t left_out;      /* tensors beyond the first PAIRED_TENSORS, whose pairs were not compared */
  size_t tests;
  size_t answers[ANSWER_COUNT]; /* how many tensors */
  size_t missing;               /* tensors of --like that the files lack */
  size_t suspicious;            /* tensors with such a finding */
  double z_bound, most_z;       /* most_z: the largest in size, of judged tensors if there are any; NaN: none */
} inspection;

/* Inspects all tensors of w->like.checkpoint. The false-alarm rate of all tests together is that of fanin_z_bound():
 * 1e-3. Ends with inspection_free(), also after a failure. */
int inspect_files(const session *s, wishes *w, allowed allow, inspection *out, failure *why);
void inspection_free(inspection *i);

/* The answer for all tensors together. It is ANSWER_HOLDS where some tensor holds and none fails. */
answer inspection_answer(const inspection *i);

/* The condition that ANSWER_HOLDS has: "as far as judged", if some tensors are not. NULL: none, or another answer. */
const char *inspection_condition(const inspection *i);

/* What 'fanin inspect' prints: a table, one line for each finding, and a verdict (report_text.c); or JSON, whose keys
 * docs/inspect.md lists (report_json.c). `failures`: only of tensors that fail. */
void inspect_print_text(const inspection *i, bool failures);
int inspect_print_json(const inspection *i, bool failures, failure *why);

/* ---- tensor_tests.c ---------------------------------------------------------------------------------------------- */

/* Against t->law, except for std and mean. The most frequent value takes another pass over the file's elements. */
int test_values(survey *s, inspected *t, failure *why);

/* Whatever the law: the values' own mean and variance are the measure. */
void test_order(const survey *s, inspected *t);

/* Excess kurtosis from which on few values decide what a line is: the tests of lines of such laws are left out. */
#define HEAVY_TAILS 10.0

/* The rank of a block of up to 256 x 512 elements, where the tensor is a matrix that has one of 16 x 32 (rank.c). */
int test_rank(const survey *s, inspected *t, failure *why);

/* Whether rows and columns depend on one another or differ in size, and whether elements depend on those across a
 * diagonal (dependence.c). */
int test_dependence(const survey *s, inspected *t, failure *why);
int test_transpose(const survey *s, inspected *t, failure *why);

/* Rows and columns that are multiples of another, up to rounding, but not equal to it (multiples.c). */
int test_multiples(const survey *s, inspected *t, failure *why);

/* ---- exact.c: values that are not independent random numbers --------------------------------------------------- */

/* Whether each element of a tensor that is not random is what its initializer makes there. */
int test_exact(const survey *s, inspected *t, failure *why);
/* Whether a tensor has the values of `twin`, as it should: bit for bit, or up to rounding where the dtypes differ. Of 8
 * bits they must not. */
int test_twin(inspected *t, const inspected *twin, failure *why);

/* Tests a tensor that should have the norms of another one, of that file. */
int test_norm(inspected *t, const stored_tensor *of, const tensor_file *f, failure *why);
/* Counts the elements of a that b does not have in their places, with the same allowance. The two have one size. */
int count_differences(const inspected *a, const inspected *b, double *count, failure *why);
/* Whether some 32 rows or columns of a matrix are orthogonal to one another and of the right length. */
int test_orthogonal(const survey *s, inspected *t, failure *why);

/* ---- runs.c: runs of elements that are repeated ------------------------------------------------------------------ */

/* A place in a tensor, and a hash of the elements there. */
typedef struct anchor {
  uint64_t hash, at;
  uint32_t tensor;
  bool rising; /* the order that its elements stand in: another one in a copy in reverse order */
} anchor;

typedef struct anchor_list {
  anchor *anchors;
  size_t count, capacity;
  int rarity; /* one of 2^rarity places is an anchor */
} anchor_list;

/* Chooses how rare anchors are among the elements of these files. Ends with runs_free(). */
anchor_list runs_begin(const checkpoint *c);
/* Adds the anchors of a tensor, whose values must be too many different ones for runs to be equal by chance:
 * `numbers` are at least in a bin of the histogram. */
int runs_collect(survey *s, size_t tensor, double numbers, anchor_list *list, failure *why);
/* Finds equal anchors: out->runs. Returns the number of tests: 0 or 1. */
int runs_compare(anchor_list *list, inspection *out, size_t *tests, failure *why);
void runs_free(anchor_list *list);

/* ---- findings.c -------------------------------------------------------------------------------------------------- */

/* Adds a finding. */
void find(inspection *i, finding_kind kind, size_t tensor, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds what the tests have found, once they are counted: of tensors that have an answer, which may change to
 * ANSWER_FAILS where one is a copy of another. */
void find_all(inspection *i);

/* ---- oddities.c -------------------------------------------------------------------------------------------------- */

/* Adds what is odd about the values of a tensor of which nobody says what it should be. */
int find_oddities(survey *s, size_t tensor, inspection *i, failure *why);

/* ---- sharing.c --------------------------------------------------------------------------------------------------- */

/* Whether a tensor is a table: by its looks, or because all its rows or columns are one. */
bool is_table(const inspected *t);

/* Rows, or columns, that are not all zeros. */
double lines_of(const inspected *t, bool column);

/* Adds what tensors share, for find_all(). */
void find_sharing(inspection *i);

/* ---- shared_lines.c: rows and columns of a file's tensors that are equal bit for bit, by their fingerprints; and
 * those with the same values in another order, by
 * digests of the values ------------------------------------------------------------------------------------------- */

/* A row or a column of a tensor. Small, because a file may have tens of millions; fanin_measure_lines() has less than
 * 2^32 of either in a tensor. */
typedef struct line {
  uint64_t print, values;
  uint32_t length, number, tensor;
  bool column;
} line;

typedef struct line_list {
  line *lines;
  size_t count, capacity;
} line_list;

/* Adds all rows and columns of the tensor, and makes its digests that know their order. */
void lines_collect(const survey *s, size_t tensor, inspection *out, line_list *list);

/* Finds lines, and whole tensors, that have the same values each as often in different orders: within a tensor they are
 * its tests SHUFFLED_ROWS and SHUFFLED_COLUMNS, between tensors the inspection's shuffled lines and pairs. To be called
 * after lines_compare(), which leaves the lines sorted. */
void lines_compare_values(line_list *list, inspection *out);

/* Sorts them and finds equal ones: within a tensor they are its tests EQUAL_ROWS and EQUAL_COLUMNS, between tensors
 * (and between rows and columns) the inspection's shared lines. Lines that are short enough to be equal by chance (the
 * expected number of equal pairs in the file is above 1e-9 with lines of that length) are left out. */
void lines_compare(line_list *list, inspection *out);

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

/* Makes room for so many tensors. Ends with related_free(), also after a failure. */
int related_make(const session *s, size_t tensors, related *out, failure *why);
void related_free(related *r);

/* Takes the first elements of a tensor, if it has enough of them and there is room. */
int related_take(const survey *s, size_t tensor, related *r, inspection *out, failure *why);

/* Correlates all pairs in one launch for some 10^5 of them: out->pairs, closest and compared_pairs. */
int related_compare(const session *s, const related *r, inspection *out, failure *why);

/* ---- look.c ------------------------------------------------------------------------------------------------------ */

/* What is gathered over all files while its tensors are measured. */
typedef struct gathering {
  measurer measurer;
  line_list lines;
  anchor_list anchors;
  related related;
} gathering;

/* Tests a tensor whose moments are measured, and gathers of it what tensors are compared by. */
int look(gathering *g, survey *s, size_t i, inspection *out, failure *why);

#endif
