/* What the library's files share: errors, the fanin struct, programs, validated views of tensors, resolved
 * distributions. Nothing here is exported; internal names begin with fanin__. */
#ifndef HOST_INTERNAL_H
#define HOST_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>

#include "fanin.h"

#if defined(__GNUC__)
#define FANIN__PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define FANIN__PRINTF(text, first)
#endif

/* Of cl_ext.h: the loader's answer where no platform is installed. */
#ifndef CL_PLATFORM_NOT_FOUND_KHR
#define CL_PLATFORM_NOT_FOUND_KHR -1001
#endif

/* ---- status.c: every failure goes through one of these, so that every failure has its sentence ------------------- */

/* Keeps the sentence for fanin_last_error() and returns `status`. */
fanin_status fanin__fail(fanin_status status, const char *format, ...) FANIN__PRINTF(2, 3);

/* The same for an OpenCL call: "clCreateBuffer: CL_OUT_OF_RESOURCES (-5)". Returns `code` as a status. */
fanin_status fanin__fail_cl(cl_int code, const char *call);

/* What the analyser cannot see from another file: both return the failure that they are given. */
#ifdef __clang_analyzer__
#define fanin__fail(status, ...)   ((void)(fanin__fail)((status), __VA_ARGS__), (status))
#define fanin__fail_cl(code, call) ((void)(fanin__fail_cl)((code), (call)), (fanin_status)(code))
#endif

#define FANIN__TRY(expression)                                                                                         \
  do {                                                                                                                 \
    const fanin_status fanin__try_status = (expression);                                                               \
    if (fanin__try_status != FANIN_OK) return fanin__try_status;                                                       \
  } while (0)

/* ---- kernels.c, written by CMake (cmake/embed.cmake) from kernels/: the sources with their includes resolved ----- */

typedef struct fanin__source {
  const char *name; /* "fill" for kernels/fill.cl */
  const char *text; /* not terminated */
  size_t size;
} fanin__source;

extern const fanin__source fanin__source_fill;    /* every distribution, every dtype */
extern const fanin__source fanin__source_keys;    /* histogram of a tensor */
extern const fanin__source fanin__source_lines;   /* sums and fingerprints of rows and columns */
extern const fanin__source fanin__source_measure; /* moments and extremes of a tensor */
extern const fanin__source fanin__source_mlp;     /* bias, activation and row moments of the probe */
extern const fanin__source fanin__source_pattern; /* values that follow from coordinates */
extern const fanin__source fanin__source_reflect; /* products of Householder reflectors */
extern const fanin__source fanin__source_samples; /* correlation of tensors with one another */
extern const fanin__source fanin__source_scatter; /* from matrices to parts of tensors */
extern const fanin__source fanin__source_series;  /* powers and products of a tensor's elements */
extern const fanin__source fanin__source_sparse;  /* zeros at random places, so many a line */

/* ---- device.c, select.c ------------------------------------------------------------------------------------------ */

/* Everything about one device, usable and reason included. */
fanin_status fanin__device_describe(cl_device_id device, fanin_device_info *info);

/* The usable device that fanin_open()'s selector stands for. */
fanin_status fanin__select(const char *selector, fanin_device_info *out);

/* ---- context.c --------------------------------------------------------------------------------------------------- */

typedef struct fanin__program fanin__program;

struct fanin {
  cl_context context;
  cl_device_id device;
  cl_device_type type;
  bool has_f64;
  size_t lanes; /* 1, 4, 8 or 16: the vector width that kernels are built for */
  cl_uint compute_units;
  size_t work_group;        /* items of a group */
  size_t fill_group;        /* of those that fill: one wide item, or as many scalar ones */
  pthread_mutex_t lock;     /* guards what is below */
  bool gemm_tuned[2];       /* CLBlast knows this device's parameters, for f32 and f64 */
  cl_command_queue queue;   /* fanin_queue()'s; NULL until asked for */
  fanin__program *programs; /* list of what has been built */
};

/* Refuses NULL. */
fanin_status fanin__check_open(const fanin *f);

/* ---- program.c --------------------------------------------------------------------------------------------------- */

/* A new kernel object (release it) from `source` built with `options` ("" for none), built once a fanin and kept.
 * "-cl-std=CL1.2 -D LANES=<f->lanes>" is always added. On a build failure the sentence holds the end of the
 * build log. */
fanin_status fanin__kernel(fanin *f, const fanin__source *source, const char *options, const char *name,
                           cl_kernel *out);

/* Releases every program. */
void fanin__programs_release(fanin *f);

/* ---- queue.c ----------------------------------------------------------------------------------------------------- */

/* queue, or f's own when NULL; checks that it belongs to f's context and device. */
fanin_status fanin__resolve_queue(fanin *f, cl_command_queue queue, cl_command_queue *out);

/* Where and after what a command runs, and the event for it, as the public calls take them. */
typedef struct fanin__when {
  cl_command_queue queue;
  cl_uint n_wait;
  const cl_event *wait_list;
  cl_event *event; /* may be NULL */
} fanin__when;

/* The caller's arguments as such, with the queue resolved and the wait list checked: OpenCL leaves a NULL in it to the
 * driver, and drivers read it. */
fanin_status fanin__when_of(fanin *f, cl_command_queue queue, cl_uint n_wait, const cl_event *wait_list,
                            cl_event *event, fanin__when *out);

/* No work, but the order and the event that work would have had. Without an event to make, nothing is enqueued. */
fanin_status fanin__enqueue_marker(const fanin__when *order);

/* ---- tensor.c: a tensor that was checked, reduced to what a kernel needs ----------------------------------------- */

/* Rows of consecutive indices: element e of row (r0, r1, ...) has index first_index + sum(r[d] * index_stride[d]) + e
 * and lies memory_stride * e + sum(r[d] * row_stride[d]) elements after the part's first. Dimensions that continue one
 * another are merged, so that a dense whole tensor is one row. Row dimensions are listed innermost first. */
typedef struct fanin__view {
  uint64_t elements; /* of the part; 0: nothing to do */
  uint64_t bytes;    /* from its first to past its last element */
  uint64_t first_index;
  uint64_t row_length;
  uint64_t memory_stride; /* 1 where rows are contiguous in memory */
  int row_rank;           /* dimensions over rows, 0 .. FANIN_MAX_RANK - 1 */
  uint64_t row_extent[FANIN_MAX_RANK];
  uint64_t row_index_stride[FANIN_MAX_RANK];
  uint64_t row_stride[FANIN_MAX_RANK]; /* memory, in elements */
  uint64_t rows;                       /* product of row_extent */
} fanin__view;

/* Validates everything about `t`, which may be NULL, except for its buffer. */
fanin_status fanin__view_of(const fanin_tensor *t, fanin__view *view);

/* What memory holds, of a tensor whose shape has been checked: coordinates start .. start + extent of each dimension
 * (not for FANIN_RANGE), or indices first .. first + count (not for FANIN_SLAB). Refuses what leaves the whole. */
fanin_status fanin__slab_of(const fanin_tensor *t, uint64_t *start, uint64_t *extent);
fanin_status fanin__range_of(const fanin_tensor *t, uint64_t *first, uint64_t *count);

/* Validates f and t->buffer too: there, in f's context, large enough with the offset. */
fanin_status fanin__check_buffer(const fanin *f, const fanin_tensor *t, const fanin__view *view);

/* The roles of the dimensions, for identity and dirac. `strides`: row-major over the whole shape, in elements. */
typedef struct fanin__roles {
  int o, i;                        /* the dimension with that letter, -1 if there is none */
  int taps[3], n_taps;             /* dimensions lettered D, H, W */
  uint64_t spatial;                /* the product of their extents */
  uint64_t fan_in, fan_out;        /* 0 where o or i is -1 */
  uint64_t groups, splits;         /* at least 1 */
  bool full_is_i;                  /* the I dimension counts all groups (transposed convolution) */
  uint64_t stride[FANIN_MAX_RANK]; /* of the whole tensor's row-major order */
} fanin__roles;

fanin_status fanin__roles_of(const fanin_tensor *t, fanin__roles *roles);

/* ---- quadrature.c ------------------------------------------------------------------------------------------------ */

/* The integral of g over [lo, hi], both finite, in so many equal pieces of 16 Gauss-Legendre nodes; 0 if lo >= hi. */
double fanin__integrate(double (*g)(double x, void *context), void *context, double lo, double hi, int pieces);

/* ---- normal.c: the normal distribution in double, from +, -, *, / and sqrt alone, so that hosts agree in bits -- */

double fanin__exp(double x);
double fanin__log(double x); /* x > 0 */
double fanin__normal_pdf(double z);
double fanin__normal_tail(double z);     /* Q(z) = P(Z > z), full relative accuracy while it is a normal number */
double fanin__normal_log_tail(double z); /* ln Q(z), for every finite z and +-infinity */
/* Mean and variance of N(0,1) cut to [a, b], a < b, either may be infinite; accurate where the interval lies far out or
 * is narrow. */
void fanin__truncated_moments(double a, double b, double *mean, double *variance, double *fourth_central);

/* ---- resolve.c; what there is to know of each family is a row of family.c ---------------------------------------- */

typedef enum fanin__family {
  FANIN__CONSTANT,
  FANIN__UNIFORM,
  FANIN__NORMAL,
  FANIN__TRUNC_NORMAL,
  FANIN__DELTA,
  FANIN__ORTHOGONAL,
  FANIN__SPARSE,
  FANIN__BILINEAR,
  FANIN__HADAMARD,
  FANIN__FAMILY_COUNT
} fanin__family;

/* An initialiser resolved on a tensor: a closed-form distribution with its numbers, all finite and checked. */
typedef struct fanin__distribution {
  fanin__family family;
  double value;     /* FANIN__CONSTANT; FANIN__DELTA: the value of the ones (identity, dirac);
                       FANIN__ORTHOGONAL: the length of the rows or columns; FANIN__BILINEAR: the gain;
                       FANIN__HADAMARD: the magnitude */
  bool centre;      /* FANIN__ORTHOGONAL: at the centre tap alone, 0 elsewhere */
  double lo, hi;    /* FANIN__UNIFORM, FANIN__TRUNC_NORMAL: no value is outside; the latter's may be infinite */
  double mean, std; /* FANIN__NORMAL, FANIN__SPARSE; FANIN__TRUNC_NORMAL: of the normal that is cut */
  double a, b;      /* FANIN__TRUNC_NORMAL: in sigma of the normal that is cut, a < b, may be infinite */
  fanin_per per;    /* FANIN__SPARSE: what a line belongs to; how many zeros it has, of how many values */
  uint64_t zeros, line;
} fanin__distribution;

/* Checks `init` (NaN, infinities, order, needed fans) and resolves it. fan_avg, modes, gain, corrections all happen
 * here; std 0 and lo == hi become FANIN__CONSTANT. */
fanin_status fanin__resolve(const fanin_tensor *t, const fanin_init *init, fanin__distribution *out);

/* ---- activation.c ------------------------------------------------------------------------------------------------ */

/* An activation that is bounded counts as saturated where |phi'| is under this share of its maximum. */
#define FANIN__SATURATED 0.06

/* What is known of an activation, for the device's kernels as for the theory. A bound of NaN holds for no z. */
typedef struct fanin__facts {
  bool odd;         /* phi(-z) = -phi(z) */
  bool homogeneous; /* phi(az) = a phi(z) for a > 0 */
  double kink;      /* phi and phi' are smooth but at 0 and at +-kink */
  double saturated; /* |z| beyond which phi is saturated; NaN for activations that are not bounded */
  double zero;      /* up to here phi = phi' = 0; see fanin__zero_below() */
} fanin__facts;

typedef struct fanin__activation {
  const char *name;
  int id;                               /* what kernels/mlp.cl calls it: -D ACTIVATION=id */
  double (*f)(double x, double slope);  /* phi, in double */
  double (*df)(double x, double slope); /* phi'; at a kink, the slope on the left */
  double torch_gain;                    /* torch.nn.init.calculate_gain; 0: it has none (leaky_relu: from slope) */
  fanin__facts facts;
} fanin__activation;

/* Up to where phi = phi' = 0, NaN if nowhere: facts.zero, and 0 for a leaky_relu that does not leak. */
double fanin__zero_below(const fanin__activation *activation, double slope);

/* NULL with a sentence set if unknown. */
const fanin__activation *fanin__activation_find(const char *name);

/* The same, and that the slope is one that it takes. */
fanin_status fanin__activation_of(const char *name, double slope, const fanin__activation **out);

/* E[g(z)], z ~ N(0,1), by quadrature in double on pieces split at 0 and at +-3 (kinks of relu and hardswish). */
double fanin__expectation(double (*g)(double z, void *context), void *context);

#endif
