/* Measuring tensors on the device: moments, and a closer look for tests of what an initializer wrote. */
#ifndef FANIN_MEASURE_H
#define FANIN_MEASURE_H

#include "base.h"
#include "device.h"
#include "tensor.h"

FANIN_C_BEGIN

/* Moments and extremes of a tensor. */
typedef struct fanin_stats {
  uint64_t count;     /* elements */
  uint64_t nonfinite; /* NaN and infinite ones, which the rest leaves out */
  double mean, std;   /* std about the mean, divided by count */
  double second;      /* second moment: mean of squares */
  double min, max;
} fanin_stats;

/* Measures the dense part of `t` that memory holds, on the device, reading back only partial sums. Blocking. Relative
 * error of mean square and std under 1e-6. An empty part has zero everywhere. */
FANIN_API fanin_status fanin_measure(fanin *f, cl_command_queue queue, const fanin_tensor *t, cl_uint n_wait,
                                     const cl_event *wait_list, fanin_stats *out);

/* The rest of this section looks closer, for tests of what an initializer wrote: as fanin_measure(), of the dense part
 * that memory holds, blocking, in one launch for up to 2^31 elements, reading back counts and sums. */

/* How often each stretch of numbers occurs. A number's key is the upper 16 bits of its bits in f32 (16-bit types: all
 * of its own bits; f64: rounded to f32 first), rearranged so that they ascend with it: -0 is 0x7fff, 0 is 0x8000, and
 * what is not finite lies beyond the infinities' keys. counts[FANIN_BINS] is added to, so that pieces of a tensor can
 * be counted one after another. `within` FANIN_ALL_BINS counts every element under its key; a key counts only the
 * elements with this key, under the next 16 bits (f32 and f64: then a count is that of a single number of f32). */
enum { FANIN_BINS = 65536, FANIN_ALL_BINS = 65536 };
FANIN_API fanin_status fanin_measure_bins(fanin *f, cl_command_queue queue, const fanin_tensor *t, uint32_t within,
                                          cl_uint n_wait, const cl_event *wait_list, uint64_t *counts);

/* The least and the greatest number of a key (infinite, or NaN, where it has none), and the one with these lower bits.
 */
FANIN_API void fanin_bin_numbers(fanin_dtype dtype, uint32_t key, double *least, double *most);
FANIN_API double fanin_bin_number(fanin_dtype dtype, uint32_t key, uint32_t lower);

/* Sums below are of d = (x - shift) * scale, 0 where x is not finite. With the mean and 1 / std, d is near 1 in size,
 * and sums are accurate to 1e-4 of their standard error. */
typedef struct fanin_standard {
  double shift, scale;
} fanin_standard;

/* Powers of d, and products of neighbours: what skewness, kurtosis and serial correlation are made of. */
typedef struct fanin_series {
  double powers[4];   /* sums of d, d^2, d^3, d^4 */
  double products[4]; /* lags[k]: sum of d[e] * d[e + lags[k]] over the row-major order, as far as it reaches */
} fanin_series;

/* `lags`: four. */
FANIN_API fanin_status fanin_measure_series(fanin *f, cl_command_queue queue, const fanin_tensor *t, fanin_standard by,
                                            const uint64_t *lags, cl_uint n_wait, const cl_event *wait_list,
                                            fanin_series *out);

/* Sums and fingerprints of the rows and columns of a matrix. Lines of equal bits have equal fingerprints, others with
 * probability 2^-64; rows and columns are comparable with one another. The arrays are the caller's; a pair of NULLs
 * leaves rows or columns out. */
typedef struct fanin_lines {
  double *row_sums;        /* [rows], written */
  uint64_t *row_prints;    /* [rows], written */
  double *column_sums;     /* [columns], added to: a matrix may come in pieces of whole rows */
  uint64_t *column_prints; /* [columns], added to, mod 2^64 */
} fanin_lines;

/* The part's elements, row-major, as `rows` rows (less than 2^32 of less than 2^32 columns), of which the first is row
 * number first_row of the matrix that columns belong to. */
FANIN_API fanin_status fanin_measure_lines(fanin *f, cl_command_queue queue, const fanin_tensor *t, uint64_t rows,
                                           uint64_t first_row, fanin_standard by, cl_uint n_wait,
                                           const cl_event *wait_list, fanin_lines *out);

/* What fanin_measure_duplicates() found. */
typedef struct fanin_duplicates {
  uint64_t count;         /* rows that equal an earlier one, bit for bit */
  uint64_t first, second; /* if there are any: two such rows */
} fanin_duplicates;

/* Rows of equal bits among the part's elements seen as `rows` rows, by their fingerprints. */
FANIN_API fanin_status fanin_measure_duplicates(fanin *f, cl_command_queue queue, const fanin_tensor *t, uint64_t rows,
                                                cl_uint n_wait, const cl_event *wait_list, fanin_duplicates *out);

/* Writes d of every element to f32 number `first` and following of the buffer `samples`, for fanin_measure_pairs(). */
FANIN_API fanin_status fanin_measure_sample(fanin *f, cl_command_queue queue, const fanin_tensor *t, fanin_standard by,
                                            cl_mem samples, uint64_t first, cl_uint n_wait, const cl_event *wait_list);

/* Two samples to be compared. */
typedef struct fanin_pair {
  uint32_t a, b;  /* samples */
  uint32_t count; /* numbers of each that are compared, a multiple of 16 */
} fanin_pair;

/* What the correlation of a pair is made of. */
typedef struct fanin_products {
  double ab, aa, bb, a, b; /* sums over the compared numbers, f32: of products and of the numbers themselves */
} fanin_products;

/* Sums of products of n pairs of samples; `samples` holds `tensors` of them, `length` f32 numbers each. */
FANIN_API fanin_status fanin_measure_pairs(fanin *f, cl_command_queue queue, cl_mem samples, uint64_t tensors,
                                           uint64_t length, const fanin_pair *pairs, size_t n, fanin_products *out);

FANIN_C_END

#endif
