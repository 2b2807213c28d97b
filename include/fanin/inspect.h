/* Experimental: may change in a minor version. Looking closely at what an initializer wrote: measurements of a tensor
 * on the device, and the law that its values should follow. It is what `fanin inspect` is made of. */
#ifndef FANIN_INSPECT_H
#define FANIN_INSPECT_H

#include "base.h"
#include "device.h"
#include "init.h"
#include "tensor.h"

FANIN_C_BEGIN

/* ---- Measuring --------------------------------------------------------------------------------------------------- */

/* Moments and extremes of a tensor. */
typedef struct fanin_stats {
  uint64_t count;     /* elements */
  uint64_t nonfinite; /* NaN and infinite elements, which the other fields leave out */
  double mean, std;   /* std about the mean, divided by count */
  double second;      /* second moment: mean of squares */
  double min, max;
} fanin_stats;

/* Measures the dense part of `t` that memory holds, on the device, reading back only partial sums. `size` is sizeof
 * *out. Blocking. The relative error of mean square and std is under 1e-6. An empty part has zero everywhere.
 * FANIN_STATUS_UNSUPPORTED for strided parts, and for f64 on a device without it. */
FANIN_API fanin_status fanin_measure(fanin *f, cl_command_queue queue, const fanin_tensor *t, cl_uint n_wait,
                                     const cl_event *wait_list, fanin_stats *out, size_t size);

/* The other functions of this section look closer. As fanin_measure(), they take the dense part that memory holds and
 * are blocking. They need one launch for up to 2^31 elements and read back counts and sums. */

/* How often numbers fall into each bin. The bin of a number is the upper 16 bits of its bits in f32 (16-bit types: all
 * of its own bits; f64: rounded to f32 first), rearranged so that bins ascend with the numbers: -0 is in bin 0x7fff, 0
 * in bin 0x8000, and what is not finite lies beyond the infinities' bins. The counts are added to counts[FANIN_BINS],
 * so that pieces of a tensor can be counted one after another. `within` FANIN_ALL_BINS counts every element in its bin.
 * Any other `within` is a bin: then only its elements count, by their next 16 bits (f32 and f64: a count is then that
 * of a single number of f32). */
enum { FANIN_BINS = 65536, FANIN_ALL_BINS = 65536 };
FANIN_API fanin_status fanin_measure_bins(fanin *f, cl_command_queue queue, const fanin_tensor *t, uint32_t within,
                                          cl_uint n_wait, const cl_event *wait_list, uint64_t *counts);

/* The least and the greatest number of a bin (infinite, or NaN, where it has none), and the number of a bin that has
 * these lower 16 bits. FANIN_STATUS_BAD_ARGUMENT for a value that is no dtype. */
FANIN_API fanin_status fanin_bin_numbers(fanin_dtype dtype, uint32_t bin, double *least, double *most);
FANIN_API fanin_status fanin_bin_number(fanin_dtype dtype, uint32_t bin, uint32_t lower, double *out);

/* The sums below are sums of d = (x - shift) * scale, with d = 0 where x is not finite. If shift is the mean and scale
 * is 1 / std, d is near 1 in size, and sums are accurate to 1e-4 of their standard error. */
typedef struct fanin_standard {
  double shift, scale;
} fanin_standard;

/* Powers of d, and products of neighbours: what skewness, kurtosis and serial correlation are made of. */
typedef struct fanin_series {
  double powers[4];   /* sums of d, d^2, d^3, d^4 */
  double products[4]; /* lags[k]: sum of d[e] * d[e + lags[k]] over the row-major order, as far as it reaches */
} fanin_series;

/* Sums of powers, and of products of elements that are lags[0] .. lags[3] apart. `size` is sizeof *out. */
FANIN_API fanin_status fanin_measure_series(fanin *f, cl_command_queue queue, const fanin_tensor *t, fanin_standard by,
                                            const uint64_t *lags, cl_uint n_wait, const cl_event *wait_list,
                                            fanin_series *out, size_t size);

/* Sums and fingerprints of the rows and columns of a matrix. Lines of equal bits have equal fingerprints; different
 * lines have equal ones with probability 2^-64. Fingerprints of rows and columns can be compared with one another. The
 * arrays are the caller's. Rows or columns are left out where both of their arrays are NULL. */
typedef struct fanin_lines {
  double *row_sums;        /* [rows], written */
  uint64_t *row_prints;    /* [rows], written */
  double *column_sums;     /* [columns], added to: a matrix may come in pieces of whole rows */
  uint64_t *column_prints; /* [columns], added to, mod 2^64 */
} fanin_lines;

/* Takes the part's elements, row-major, as a matrix of `rows` rows (less than 2^32 rows and columns). Its first row is
 * row number first_row of the whole matrix, which may come in pieces. FANIN_STATUS_BAD_SHAPE if `rows` does not divide
 * the number of elements. */
FANIN_API fanin_status fanin_measure_lines(fanin *f, cl_command_queue queue, const fanin_tensor *t, uint64_t rows,
                                           uint64_t first_row, fanin_standard by, cl_uint n_wait,
                                           const cl_event *wait_list, fanin_lines *out);

/* Writes d of every element, as f32, to the buffer `samples` from its f32 number `first` on, for fanin_measure_pairs().
 */
FANIN_API fanin_status fanin_measure_sample(fanin *f, cl_command_queue queue, const fanin_tensor *t, fanin_standard by,
                                            cl_mem samples, uint64_t first, cl_uint n_wait, const cl_event *wait_list);

/* Two samples to be compared. */
typedef struct fanin_pair {
  uint32_t a, b;  /* samples */
  uint32_t count; /* how many numbers of each are compared, a multiple of 16 */
} fanin_pair;

/* What the correlation of a pair is made of. */
typedef struct fanin_products {
  double ab, aa, bb, a, b; /* sums over the compared numbers: of products, of squares, and of the numbers */
} fanin_products;

/* Sums of products of n pairs of samples; `samples` holds `tensors` of them, `length` f32 numbers each. Writes n
 * elements of `stride` bytes each (sizeof(fanin_products)). FANIN_STATUS_UNSUPPORTED for a count of more than
 * 60,000 of the device's vectors, where that ends long loops early (docs/numerics.md). */
FANIN_API fanin_status fanin_measure_pairs(fanin *f, cl_command_queue queue, cl_mem samples, uint64_t tensors,
                                           uint64_t length, const fanin_pair *pairs, size_t n, fanin_products *out,
                                           size_t stride);

/* ---- The law ----------------------------------------------------------------------------------------------------- */

/* How the values of a law come about. */
typedef enum fanin_values {
  FANIN_VALUES_FIXED,       /* they follow from indices, and not from the key */
  FANIN_VALUES_INDEPENDENT, /* they are random, and independent of one another */
  FANIN_VALUES_DEPENDENT    /* they are random, and depend on one another */
} fanin_values;

/* What there is to say about a kind of laws; all strings static. */
typedef struct fanin_law_description {
  const char *name;
  const char *text; /* what it is */
  fanin_values values;
} fanin_law_description;

/* `size` is sizeof *out. FANIN_STATUS_BAD_ARGUMENT if `kind` is none. */
FANIN_API fanin_status fanin_describe_law(fanin_law_kind kind, fanin_law_description *out, size_t size);

/* The law that an initializer's values follow, in closed form, by the numbers that its kind has. */
typedef struct fanin_law {
  fanin_law_kind kind;
  double value;         /* constant, ones, orthogonal, bilinear (the gain), hadamard (the magnitude),
                           table (the gain) */
  double lo, hi;        /* no value is outside; infinite for a plain normal */
  double mean, std;     /* normal; trunc_normal: of the normal that is cut; sparse: of what is not 0 */
  double from, to;      /* what is drawn before it becomes a value lies here; trunc_normal: lo and hi in sigma of the
                           normal that is cut */
  double zeros;         /* sparse: the share of exact zeros */
  uint64_t reserved[4]; /* must be 0 */
} fanin_law;

/* The law of what `init` makes of `t`, which needs no buffer. Errors as for fanin_expect(). */
FANIN_API fanin_status fanin_law_of(const fanin_tensor *t, const fanin_init *init, fanin_law *out);

/* P(X <= x), or P(X > x) where `upper` is not 0, each to 1e-12 of itself even in its tail. For constants and ones
 * it is the law of one value: a step at `value`. FANIN_STATUS_UNSUPPORTED where the
 * values are dependent, and for bilinear, hadamard and tables. */
FANIN_API fanin_status fanin_law_probability(const fanin_law *law, double x, int upper, double *out);

/* The moments E[((X - centre) / unit)^k], k = 0 .. n - 1, n at most 13. FANIN_STATUS_UNSUPPORTED where the values
 * are not independent. */
FANIN_API fanin_status fanin_law_moments(const fanin_law *law, double centre, double unit, double *moments, size_t n);

/* The same of the values after they are rounded to a dtype of at most 16 bits: a sum over its numbers. `bounded` 1:
 * values stay within the law's bounds, as those of fills do; 0: they may be rounded across them. */
FANIN_API fanin_status fanin_law_moments_rounded(const fanin_law *law, fanin_dtype dtype, int bounded, double centre,
                                                 double unit, double *moments, size_t n);

FANIN_C_END

#endif
