/* fanin: initialises neural-network weights where they live.
 *
 * OpenCL kernels write random weights straight into device buffers. A value is a function of (seed, stream, element
 * index, initialiser) and of nothing else: the same call gives the same bits on every device, for every launch
 * geometry, shard and order (docs/stream.md is the specification).
 *
 * Conventions of this header
 *   - Every function that can fail returns a fanin_status; results come through pointers, which are written only on
 *     success unless said otherwise. fanin_last_error() has the sentence for the calling thread's last failure.
 *   - Pointers must not be NULL unless the comment says so. Values (fanin_tensor, fanin_init, fanin_key) are plain
 *     data: copy them freely; they own nothing except where fanin_tensor_alloc() says so.
 *   - Enqueueing functions validate everything before they enqueue anything, do not block, and work on in-order and
 *     out-of-order queues. `queue` NULL means fanin_queue(f). `event` may be NULL; one that is returned is the
 *     caller's to release.
 *   - Every function may be called from several threads at once on one fanin.
 *   - Nothing prints, exits or keeps global state.
 */
#ifndef FANIN_H
#define FANIN_H

#include <stddef.h>
#include <stdint.h>

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#ifdef __APPLE__
#include <OpenCL/cl.h>
#else
#include <CL/cl.h>
#endif

#if defined(FANIN_STATIC)
#define FANIN_API
#elif defined(_WIN32) && defined(FANIN_BUILDING)
#define FANIN_API __declspec(dllexport)
#elif defined(_WIN32)
#define FANIN_API __declspec(dllimport)
#elif defined(__GNUC__)
#define FANIN_API __attribute__((visibility("default")))
#else
#define FANIN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define FANIN_VERSION_MAJOR 0
#define FANIN_VERSION_MINOR 1
#define FANIN_VERSION_PATCH 0

/* The version of the random stream (docs/stream.md). Same version, same bits. */
#define FANIN_STREAM_VERSION 1

/* The most dimensions that a tensor may have. */
#define FANIN_MAX_RANK 8

/* "0.1.0", of the library that runs. */
FANIN_API const char *fanin_version(void);

/* ---- Status ------------------------------------------------------------------------------------------------------ */

/* fanin's own codes are positive; negative values are OpenCL's, unchanged; 0 is success. */
#define FANIN_STATUS_MAP(XX)                                                                                           \
  XX(OK, 0, "success")                                                                                                 \
  XX(BAD_ARGUMENT, 1, "an argument has a value that is not accepted")                                                  \
  XX(BAD_SHAPE, 2, "shape, part, strides, groups or splits do not fit together")                                       \
  XX(BAD_LAYOUT, 3, "the layout does not fit the tensor or the initialiser")                                           \
  XX(BAD_SIZE, 4, "the tensor does not fit into its buffer, or its size overflows")                                    \
  XX(BAD_TEXT, 5, "a text could not be parsed")                                                                        \
  XX(NO_DEVICE, 6, "no device answers the selector")                                                                   \
  XX(UNSUPPORTED, 7, "the device or this build cannot do that")                                                        \
  XX(OUT_OF_MEMORY, 8, "the host is out of memory")                                                                    \
  XX(NOT_FINITE, 9, "a measured value is not finite")                                                                  \
  XX(BAD_BINARY, 10, "program binaries are damaged, or of another device, driver or version")

/* clang-format off */
typedef enum fanin_status {
#define FANIN_STATUS_ENUM(name, code, text) FANIN_##name = code,
  FANIN_STATUS_MAP(FANIN_STATUS_ENUM)
#undef FANIN_STATUS_ENUM
  FANIN_STATUS_FORCE_INT = -0x7fffffff - 1
} fanin_status;
/* clang-format on */

/* "FANIN_BAD_SHAPE" or "CL_INVALID_CONTEXT"; "unknown status" for any other number. Static storage. */
FANIN_API const char *fanin_status_name(fanin_status status);

/* One general sentence for the code. Static storage. */
FANIN_API const char *fanin_status_text(fanin_status status);

/* The sentence for the last failure on the calling thread, with the argument, its value and what would be accepted;
 * "" if nothing failed yet. Thread-local: valid until the thread's next failing call. */
FANIN_API const char *fanin_last_error(void);

/* ---- Devices ----------------------------------------------------------------------------------------------------- */

typedef struct fanin_device_info {
  cl_platform_id platform;
  cl_device_id device;
  char platform_name[128];
  char name[256];
  char driver[128];           /* the driver's version */
  char version[128];          /* what CL_DEVICE_VERSION says */
  cl_device_type type;        /* CL_DEVICE_TYPE_GPU, ... */
  cl_uint compute_units;      /* parallel compute units */
  cl_ulong memory_bytes;      /* global memory */
  cl_ulong max_alloc_bytes;   /* largest single buffer */
  cl_uint native_float_width; /* 32-bit lanes of the native vector, 0 where the device does not say */
  int has_f64;                /* 1: f64 tensors can be filled */
  int has_f16;                /* 1: half arithmetic (fanin does not need it: f16 tensors work either way) */
  int usable;                 /* 0: fanin refuses this device, `reason` says why */
  char reason[192];
} fanin_device_info;

/* Lists every device of every platform, in the order of the selector's indices. Writes min(capacity, *count) entries;
 * *count is the number that exists. `list` may be NULL when capacity is 0. No device at all is success with 0. */
FANIN_API fanin_status fanin_devices(fanin_device_info *list, size_t capacity, size_t *count);

/* ---- A fanin: one (context, device) pair with its programs ------------------------------------------------------- */

typedef struct fanin fanin;

/* Picks a device and makes a context for it. `selector`: "gpu" or "cpu" (the best such device), an index into
 * fanin_devices(), or a part of the platform's or device's name, case ignored. NULL or "": $FANIN_DEVICE if set, else
 * the best GPU, else the best CPU, else any usable device. Errors: FANIN_NO_DEVICE, FANIN_UNSUPPORTED, OpenCL's. */
FANIN_API fanin_status fanin_open(const char *selector, fanin **out);

/* Uses the caller's context and device; retains both until fanin_release(). Compiles nothing yet. */
FANIN_API fanin_status fanin_create(cl_context context, cl_device_id device, fanin **out);

/* Releases what `f` holds; work already enqueued finishes by itself. NULL is ignored. Not while another thread uses
 * f. */
FANIN_API void fanin_release(fanin *f);

/* What f works on. Not retained for the caller. */
FANIN_API cl_context fanin_context(const fanin *f);
FANIN_API cl_device_id fanin_device(const fanin *f);

/* f's own in-order queue, which `queue` NULL stands for. Made on first use; NULL if that failed (see
 * fanin_last_error). Not retained for the caller. */
FANIN_API cl_command_queue fanin_queue(fanin *f);

/* ---- Element types ----------------------------------------------------------------------------------------------- */

/* enumerator, name, bytes an element */
#define FANIN_DTYPE_MAP(XX)                                                                                            \
  XX(F32, f32, 4)                                                                                                      \
  XX(F16, f16, 2)                                                                                                      \
  XX(BF16, bf16, 2)                                                                                                    \
  XX(F64, f64, 8)

/* clang-format off */
typedef enum fanin_dtype {
#define FANIN_DTYPE_ENUM(name, text, size) FANIN_##name,
  FANIN_DTYPE_MAP(FANIN_DTYPE_ENUM)
#undef FANIN_DTYPE_ENUM
  FANIN_DTYPE_COUNT
} fanin_dtype;
/* clang-format on */

/* Bytes an element; 0 for a value that is no dtype. */
FANIN_API size_t fanin_dtype_size(fanin_dtype dtype);
/* "f32", "f16", "bf16", "f64"; NULL for a value that is no dtype. */
FANIN_API const char *fanin_dtype_name(fanin_dtype dtype);
FANIN_API fanin_status fanin_dtype_parse(const char *text, fanin_dtype *out);

/* ---- Tensors ----------------------------------------------------------------------------------------------------- */

typedef enum fanin_part {
  FANIN_WHOLE, /* memory holds the whole tensor */
  FANIN_SLAB,  /* memory holds start[d] .. start[d] + extent[d] of each dimension d */
  FANIN_RANGE  /* memory holds elements first .. first + count of the row-major order, densely */
} fanin_part;

/* Where a tensor is and what it is. Make one with fanin_tensor_of() or fanin_tensor_alloc(), then narrow it with
 * fanin_tensor_slab(), fanin_tensor_range() and fanin_tensor_strided(); the fields may also be set by hand. */
typedef struct fanin_tensor {
  cl_mem buffer; /* may be NULL where no device is involved (fans, expectations) */
  size_t offset; /* bytes from the buffer's start to the part's first element; a multiple of the
                    element's size */
  fanin_dtype dtype;
  int rank;                         /* 0 (a scalar, one element) .. FANIN_MAX_RANK */
  uint64_t shape[FANIN_MAX_RANK];   /* of the WHOLE tensor: fans and element indices come from it */
  uint64_t strides[FANIN_MAX_RANK]; /* in memory, in elements; all zero: the part is dense, row-major */
  char layout[FANIN_MAX_RANK + 1];  /* a letter a dimension: O, I, B, and each of D, H, W at most once; "" if only
                                       initialisers without fans are used */
  uint32_t groups;                  /* grouped convolution; 0 and 1 are none */
  uint32_t splits;                  /* matrices fused along O (QKV: 3); 0 and 1 are none */
  fanin_part part;
  uint64_t start[FANIN_MAX_RANK];  /* FANIN_SLAB */
  uint64_t extent[FANIN_MAX_RANK]; /* FANIN_SLAB */
  uint64_t first, count;           /* FANIN_RANGE */
} fanin_tensor;

/* A dense tensor in a buffer that the caller owns. `layout` NULL or "" is none; a text that is too long is cut and
 * reported as FANIN_BAD_LAYOUT when the tensor is used, and a `rank` outside 0..FANIN_MAX_RANK as FANIN_BAD_SHAPE. */
FANIN_API fanin_tensor fanin_tensor_of(cl_mem buffer, size_t offset, fanin_dtype dtype, const char *layout, int rank,
                                       const uint64_t *shape);

/* The same with a new buffer for the tensor's own elements, read-write, owned by the caller: clReleaseMemObject() or
 * fanin_tensor_free(). */
FANIN_API fanin_status fanin_tensor_alloc(fanin *f, fanin_dtype dtype, const char *layout, int rank,
                                          const uint64_t *shape, fanin_tensor *out);

/* Releases t->buffer and sets it to NULL. NULL is ignored. */
FANIN_API void fanin_tensor_free(fanin_tensor *t);

/* t, with memory that holds only a part: an N-dimensional slab (rank numbers each), or a contiguous range of the
 * row-major order. The part may be empty. */
FANIN_API fanin_tensor fanin_tensor_slab(fanin_tensor t, const uint64_t *start, const uint64_t *extent);
FANIN_API fanin_tensor fanin_tensor_range(fanin_tensor t, uint64_t first, uint64_t count);

/* t, with memory in steps of strides[d] elements a dimension (rank numbers). Elements must not overlap. */
FANIN_API fanin_tensor fanin_tensor_strided(fanin_tensor t, const uint64_t *strides);

/* Elements of the part that memory holds; bytes from its first to past its last element. Checks the whole tensor
 * except for the buffer. */
FANIN_API fanin_status fanin_tensor_size(const fanin_tensor *t, uint64_t *elements, uint64_t *bytes);

/* fan_in and fan_out of the whole tensor by its layout, without a device:
 *   fan_in = I * taps, fan_out = O * taps / splits, taps = D * H * W; B counts for nothing.
 * With groups > 1 both count one group's features. The shape names one of them in full: O, or I where I is the
 * layout's first letter (transposed convolution, "IOHW"); that one is divided by groups.
 * FANIN_BAD_LAYOUT where there is no O or no I. */
FANIN_API fanin_status fanin_fans(const fanin_tensor *t, uint64_t *fan_in, uint64_t *fan_out);

/* ---- Gains ------------------------------------------------------------------------------------------------------- */

/* How a gain follows from an activation phi, for z ~ N(0,1). */
typedef enum fanin_criterion {
  FANIN_SECOND_MOMENT, /* 1 / sqrt(E[phi(z)^2]): He et al. 2015, eq. 7 to 10, for any phi */
  FANIN_VARIANCE,      /* 1 / sqrt(Var[phi(z)]): Brock et al. 2021 (NFNets), eq. 1 */
  FANIN_PYTORCH        /* torch.nn.init.calculate_gain's table; only the names that it has */
} fanin_criterion;

/* The gain that keeps preactivations at variance 1 through an activation, by quadrature in double, relative error
 * under 1e-9. Names: linear relu leaky_relu tanh sigmoid selu elu gelu gelu_tanh silu mish softplus softsign hardswish
 * relu2. `slope` is leaky_relu's negative slope and nobody else's. FANIN_BAD_ARGUMENT for an unknown name, which the
 * error sentence answers with the known ones. */
FANIN_API fanin_status fanin_gain(const char *activation, double slope, fanin_criterion criterion, double *gain);

/* ---- Initialisers ------------------------------------------------------------------------------------------------ */

typedef enum fanin_kind {
  FANIN_ZEROS,
  FANIN_ONES,
  FANIN_CONSTANT,
  FANIN_UNIFORM,
  FANIN_NORMAL,
  FANIN_TRUNC_NORMAL,
  FANIN_XAVIER_UNIFORM,
  FANIN_XAVIER_NORMAL,
  FANIN_HE_UNIFORM,
  FANIN_HE_NORMAL,
  FANIN_LECUN_UNIFORM,
  FANIN_LECUN_NORMAL,
  FANIN_VARIANCE_SCALING,
  FANIN_IDENTITY,
  FANIN_DIRAC,
  FANIN_ORTHOGONAL,
  FANIN_DELTA_ORTHOGONAL,
  FANIN_KIND_COUNT
} fanin_kind;

typedef enum fanin_mode { FANIN_FAN_IN, FANIN_FAN_OUT, FANIN_FAN_AVG, FANIN_FAN_GEO } fanin_mode;

/* Of the kinds that end in _normal, FANIN_DIST_TRUNC_NORMAL is Keras's and JAX's form: cut at 2 sigma, std kept. */
typedef enum fanin_distribution { FANIN_DIST_UNIFORM, FANIN_DIST_NORMAL, FANIN_DIST_TRUNC_NORMAL } fanin_distribution;

typedef enum fanin_bounds {
  FANIN_BOUNDS_SIGMA,   /* a and b in standard deviations of the normal that is cut */
  FANIN_BOUNDS_ABSOLUTE /* a and b are values, as in torch.nn.init.trunc_normal_ */
} fanin_bounds;

/* An initialiser is a value. A field that the kind does not use is ignored (fanin_describe() tells which it uses). */
typedef struct fanin_init {
  fanin_kind kind;
  double value;                    /* constant */
  double lo, hi;                   /* uniform: both ends included */
  double mean, std;                /* normal, trunc_normal; trunc_normal's mean is that of the normal that is cut */
  double a, b;                     /* trunc_normal: the bounds; may be infinite. he_*: a is the negative slope */
  fanin_bounds bounds;             /* trunc_normal */
  int corrected;                   /* trunc_normal: 1: std is that of the truncated values (the normal that is cut is
                                      wider); 0: std is that of the normal that is cut */
  double gain;                     /* xavier_*, identity, dirac, *orthogonal */
  double scale;                    /* variance_scaling */
  fanin_mode mode;                 /* he_*, variance_scaling */
  fanin_distribution distribution; /* variance_scaling; xavier_, he_, lecun_normal: normal or trunc_normal */
} fanin_init;

FANIN_API fanin_init fanin_zeros(void);
FANIN_API fanin_init fanin_ones(void);
FANIN_API fanin_init fanin_constant(double value);
FANIN_API fanin_init fanin_uniform(double lo, double hi);
FANIN_API fanin_init fanin_normal(double mean, double std);
/* Bounds in sigma, std that of the result: set .bounds and .corrected for the other forms. */
FANIN_API fanin_init fanin_trunc_normal(double mean, double std, double a, double b);
/* std = gain * sqrt(2 / (fan_in + fan_out)), uniform on +-sqrt(3) std. Glorot & Bengio 2010, eq. 16. */
FANIN_API fanin_init fanin_xavier_uniform(double gain);
FANIN_API fanin_init fanin_xavier_normal(double gain);
/* std = sqrt(2 / ((1 + a^2) fan)). He et al. 2015, eq. 10, 14 and 15. */
FANIN_API fanin_init fanin_he_uniform(double a, fanin_mode mode);
FANIN_API fanin_init fanin_he_normal(double a, fanin_mode mode);
/* std = sqrt(1 / fan_in). LeCun et al. 1998, eq. 16. */
FANIN_API fanin_init fanin_lecun_uniform(void);
FANIN_API fanin_init fanin_lecun_normal(void);
/* std = sqrt(scale / n), n by mode: fan_in, fan_out, their mean, or their geometric mean. */
FANIN_API fanin_init fanin_variance_scaling(double scale, fanin_mode mode, fanin_distribution distribution);
/* gain where the O and the I index agree, else 0; a matrix, or a stack B of them. */
FANIN_API fanin_init fanin_identity(double gain);
/* gain at the centre tap (extent / 2) where the O index within its group equals the I index, else 0: a convolution
 * that passes its channels through. */
FANIN_API fanin_init fanin_dirac(double gain);
/* gain times a random matrix whose rows or columns, whichever are fewer, are orthonormal, uniformly distributed (Haar):
 * of O rows and I * taps columns (in the order I, D, H, W), each of a stack, each group and each split its own. Saxe et
 * al. 2013. The normals that it is made from are the stream's, the same everywhere; what is made of them (Stewart 1980)
 * is the same bits on one device, driver and vector width, and within 1e-5 gain everywhere (docs/orthogonal.md). A part
 * has the whole's bits; filling it costs the whole of the matrices that it meets. Needs CLBlast where an extent of a
 * matrix is above 64, else FANIN_UNSUPPORTED. */
FANIN_API fanin_init fanin_orthogonal(double gain);
/* A convolution that keeps lengths times gain: at the centre tap (extent / 2) an orthogonal matrix of O rows and I
 * columns, I <= O, of each group and split, else 0. Xiao et al. 2018, algorithm 1. */
FANIN_API fanin_init fanin_delta_orthogonal(double gain);

/* Parses "he_normal", "he_normal:mode=fan_out,a=0.2", "trunc_normal:std=0.02,a=-3,b=3", "xavier_uniform:gain=tanh".
 * Other names of the same (glorot_*, kaiming_*) parse too, and so does "pytorch_default" (he_uniform with a = sqrt(5)).
 * `gain` takes a number or an activation's name; with a name, criterion=second_moment|variance|pytorch and slope=
 * apply. FANIN_BAD_TEXT names the parameter, its value and what would be accepted. */
FANIN_API fanin_status fanin_init_parse(const char *text, fanin_init *out);

/* Writes the canonical text, which parses back to the same bits. Returns its length without the final 0; a result of
 * `size` or more was cut. `text` may be NULL when size is 0. */
FANIN_API size_t fanin_init_format(const fanin_init *init, char *text, size_t size);

/* What there is to say about an initialiser; all strings static. */
typedef struct fanin_description {
  const char *name;
  const char *aliases;    /* "glorot_uniform", or "" */
  const char *formula;    /* in plain text */
  const char *parameters; /* "gain=1" : names with defaults, comma-separated, or "" */
  const char *source;     /* paper and equation, or what defines it */
  int needs_fans;         /* 1: the tensor needs a layout with O and I */
} fanin_description;

/* FANIN_BAD_ARGUMENT if `kind` is none. */
FANIN_API fanin_status fanin_describe(fanin_kind kind, fanin_description *out);

/* The moments and bounds that an initialiser's values have on a tensor, without a device. */
typedef struct fanin_moments {
  double mean, std; /* of the distribution; for identity and dirac, of the whole tensor's entries; for orthogonal, std
                       is exactly that of the whole tensor's entries about 0 */
  double kurtosis;  /* fourth central moment / variance^2; 0 where std is 0 */
  double lo, hi;    /* no value is outside; infinite for a plain normal. In real arithmetic, before the dtype rounds */
} fanin_moments;

FANIN_API fanin_status fanin_expect(const fanin_tensor *t, const fanin_init *init, fanin_moments *out);

/* The law that an initialiser's values follow, in closed form. */
typedef enum fanin_law_kind {
  FANIN_LAW_CONSTANT,
  FANIN_LAW_UNIFORM,
  FANIN_LAW_NORMAL,
  FANIN_LAW_TRUNC_NORMAL,
  FANIN_LAW_ONES,      /* identity, dirac: `value` at some places that indices decide, 0 elsewhere */
  FANIN_LAW_ORTHOGONAL /* numbers that depend on one another: rows or columns have the length `value`; of
                          delta_orthogonal, all but the centre taps are 0 */
} fanin_law_kind;

typedef struct fanin_law {
  fanin_law_kind kind;
  double value;     /* constant, ones, orthogonal */
  double lo, hi;    /* no value is outside; infinite for a plain normal */
  double mean, std; /* normal; trunc_normal: of the normal that is cut */
} fanin_law;

FANIN_API fanin_status fanin_law_of(const fanin_tensor *t, const fanin_init *init, fanin_law *out);

/* P(X <= x), or P(X > x) where `upper` is not 0, each with full relative accuracy in its tail. For constants and ones,
 * the law of one value: a step at `value`. Not for orthogonal, NaN. */
FANIN_API double fanin_law_probability(const fanin_law *law, double x, int upper);

/* E[((X - centre) / unit)^k], k = 0 .. 12, into thirteen numbers. Not for constants, ones and orthogonal. */
FANIN_API void fanin_law_moments(const fanin_law *law, double centre, double unit, double *moments);

/* ---- Filling ----------------------------------------------------------------------------------------------------- */

/* Which random numbers: 64-bit seed, and a 64-bit stream id that differs from tensor to tensor. */
typedef struct fanin_key {
  uint64_t seed, stream;
} fanin_key;

/* The stream of a named tensor: FNV-1a-64 of the name's bytes. */
FANIN_API fanin_key fanin_key_named(uint64_t seed, const char *name);

/* Enqueues the initialisation of the part of `t` that memory holds; never touches a byte outside it. Asynchronous,
 * except that the first fill of a distribution and dtype compiles its kernel. An empty part enqueues nothing but the
 * event. f, queue and buffer must share a context; the queue's device must be f's.
 * Errors: FANIN_BAD_* with the argument named; FANIN_UNSUPPORTED (f64 on a device without it); OpenCL's. */
FANIN_API fanin_status fanin_fill(fanin *f, cl_command_queue queue, const fanin_tensor *t, const fanin_init *init,
                                  fanin_key key, cl_uint n_wait, const cl_event *wait_list, cl_event *event);

/* Copies the part of `t` that memory holds to `host`, dense and row-major, `bytes` = elements * element size exactly.
 * With `blocking` 0, `host` must live until `event` completes. Strided parts are gathered if their innermost stride is
 * 1 and they reduce to at most three dimensions, else FANIN_UNSUPPORTED. */
FANIN_API fanin_status fanin_read(fanin *f, cl_command_queue queue, const fanin_tensor *t, void *host, size_t bytes,
                                  int blocking, cl_uint n_wait, const cl_event *wait_list, cl_event *event);

/* ---- Plans: a whole model, prepared once ------------------------------------------------------------------------ */

/* Many tensors that are filled together, again and again: everything is validated, compiled and described on the device
 * when the plan is made; an enqueue then only says the seed. Tensors in one buffer go in one launch for each dtype and
 * family of distributions among them (constants, uniform, normal, truncated normal), however many tensors there are,
 * and identity and dirac in one more; orthogonal tensors are filled one after another; tensors in separate buffers go
 * in launches of their own, with no wait in between.
 */
typedef struct fanin_plan fanin_plan;

typedef struct fanin_item {
  fanin_tensor tensor; /* buffer NULL: the plan allocates dense memory for the part; offset and strides must be 0 */
  fanin_init init;
  uint64_t stream; /* fanin_key_named(seed, name).stream */
} fanin_item;

/* Makes a plan of n items (0 is fine). Retains the buffers and keeps f, which must outlive the plan. Items must not
 * share elements: dense parts that do are refused, strided ones are the caller's care. Memory that the plan allocates
 * is one buffer, or as few as the device's largest allocation allows, every tensor aligned as the device wants
 * sub-buffers aligned. Blocking: compiles what is needed and uploads the descriptions. The error sentence names the
 * item. */
FANIN_API fanin_status fanin_plan_create(fanin *f, const fanin_item *items, size_t n, fanin_plan **out);

/* Waits for nothing: what is enqueued finishes by itself. Memory that the plan allocated goes with it, unless the
 * caller retained the buffers. NULL is ignored. Not while another thread uses the plan. */
FANIN_API void fanin_plan_release(fanin_plan *plan);

/* Enqueues the filling of every item. Asynchronous. The bits are those of fanin_fill() with {seed, item's stream}. */
FANIN_API fanin_status fanin_plan_enqueue(fanin_plan *plan, cl_command_queue queue, uint64_t seed, cl_uint n_wait,
                                          const cl_event *wait_list, cl_event *event);

/* Item i's tensor, with its buffer and offset where the plan allocated them. The buffer is not retained. */
FANIN_API fanin_status fanin_plan_tensor(const fanin_plan *plan, size_t i, fanin_tensor *out);

typedef struct fanin_plan_facts {
  size_t items, launches; /* launches of one enqueue; an orthogonal tensor counts as one */
  uint64_t elements;      /* that an enqueue writes */
  uint64_t arena_bytes;   /* device memory that the plan allocated for tensors */
  uint64_t table_bytes;   /* device memory for descriptions: about 400 bytes an item and 16 a piece of at most 16,320
                             elements */
} fanin_plan_facts;

FANIN_API fanin_plan_facts fanin_plan_describe(const fanin_plan *plan);

/* ---- Cold starts ------------------------------------------------------------------------------------------------ */

/* A kernel is compiled when it is first needed, seconds on some drivers, and kept with f; many drivers also keep a
 * cache on disk. These move that time to where it does no harm. */

/* Compiles and runs once, on scratch memory, what fanin_fill(t, init) will need. `t` needs no buffer. Blocking. */
FANIN_API fanin_status fanin_warmup(fanin *f, const fanin_tensor *t, const fanin_init *init);

/* Writes what f has compiled so far to `data`, for fanin_import() on a host without a driver cache. *size is what it
 * takes; with `capacity` below that nothing is written and FANIN_BAD_SIZE is returned, or FANIN_OK if data is NULL. */
FANIN_API fanin_status fanin_export(fanin *f, void *data, size_t capacity, size_t *size);

/* Takes compiled programs that fanin_export() wrote, which are then used instead of compiling. Data that is damaged, or
 * of another device, driver or fanin version, is FANIN_BAD_BINARY, and f is as before: it compiles what it needs. So it
 * does where the driver refuses a binary after all. Copies `data`. */
FANIN_API fanin_status fanin_import(fanin *f, const void *data, size_t size);

/* ---- Measuring --------------------------------------------------------------------------------------------------- */

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

/* The rest of this section looks closer, for tests of what an initialiser wrote: as fanin_measure(), of the dense part
 * that memory holds, blocking, in one launch for up to 2^31 elements, reading back counts and sums. */

/* How often each stretch of numbers occurs. A number's key is the upper 16 bits of its bits in f32 (16-bit types: all
 * of its own bits; f64: rounded to f32 first), rearranged so that they ascend with it: -0 is 0x7fff, 0 is 0x8000, and
 * what is not finite lies beyond the infinities' keys. counts[FANIN_KEYS] is added to, so that pieces of a tensor can
 * be counted one after another. `within` FANIN_ALL_KEYS counts every element under its key; a key counts only the
 * elements with this key, under the next 16 bits (f32 and f64: then a count is that of a single number of f32). */
enum { FANIN_KEYS = 65536, FANIN_ALL_KEYS = 65536 };
FANIN_API fanin_status fanin_measure_keys(fanin *f, cl_command_queue queue, const fanin_tensor *t, uint32_t within,
                                          cl_uint n_wait, const cl_event *wait_list, uint64_t *counts);

/* The least and the greatest number of a key (infinite, or NaN, where it has none), and the one with these lower bits.
 */
FANIN_API void fanin_key_numbers(fanin_dtype dtype, uint32_t key, double *least, double *most);
FANIN_API double fanin_key_number(fanin_dtype dtype, uint32_t key, uint32_t lower);

/* Sums below are of d = (x - shift) * scale, 0 where x is not finite. With the mean and 1 / std, d is near 1 in size,
 * and sums are accurate to 1e-4 of their standard error. */
typedef struct fanin_standard {
  double shift, scale;
} fanin_standard;

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

typedef struct fanin_pair {
  uint32_t a, b;  /* samples */
  uint32_t count; /* numbers of each that are compared, a multiple of 16 */
} fanin_pair;

typedef struct fanin_products {
  double ab, aa, bb, a, b; /* sums over the compared numbers, f32: of products and of the numbers themselves */
} fanin_products;

/* Sums of products of n pairs of samples; `samples` holds `tensors` of them, `length` f32 numbers each. */
FANIN_API fanin_status fanin_measure_pairs(fanin *f, cl_command_queue queue, cl_mem samples, uint64_t tensors,
                                           uint64_t length, const fanin_pair *pairs, size_t n, fanin_products *out);

/* ---- Probing: does a network keep its variance? ------------------------------------------------------------------ */

/* A probe runs a multilayer perceptron forward and backward on the device and puts each layer beside theory. Layer l of
 * 1 .. L has h_0 = input,
 *   z_l = W_l h_{l-1} + b_l,   y_l = norm(z_l),   h_l = phi(y_l)   [+ h_{l-1}]   for l < L,   and h_L = z_L.
 * Backward, delta_l is the gradient of z_l; delta_L is N(0,1) from stream "gradient", independent from sample to
 * sample. Two verdicts that never mix: a network CONFORMS if the device does what theory says of its initialiser,
 * within bounds that follow from widths and batch; it is HEALTHY if what theory says is that it trains. */

typedef enum fanin_norm {
  FANIN_NORM_NONE,
  FANIN_NORM_LAYER, /* each sample's z_l over its features: mean 0, variance 1 (Ba et al. 2016), no gain and bias */
  FANIN_NORM_BATCH  /* each feature of z_l over the batch (Ioffe & Szegedy 2015); needs a batch of at least 2 */
} fanin_norm;

typedef struct fanin_probe_config {
  const uint64_t *widths; /* input features, then the features of each layer */
  size_t n_widths;        /* at least 2: L + 1 */
  const char *activation; /* a name that fanin_gain() knows; applied after every layer but the last */
  double slope;           /* leaky_relu's */
  fanin_init init;        /* of every weight; layout "OI" */
  fanin_dtype dtype;      /* weights are rounded to it; arithmetic is f32. F32, F16 or BF16 */
  double bias_std;        /* biases are N(0, bias_std^2); 0: none */
  fanin_norm norm;        /* before the activation of every layer but the last */
  int residual;           /* 1: h_l = h_{l-1} + phi(y_l) where widths agree, l < L (Yang & Schoenholz 2017, section 3.1,
                             "reduced") */
  uint64_t batch;         /* samples, at least 1 */
  const float *input;     /* host, batch x widths[0], row-major; NULL: N(0,1) from stream "input" */
  uint64_t seed;          /* layer l's weight is tensor "layer<l>.weight", its bias "layer<l>.bias", from l = 1 */
  const fanin_tensor
      *weights; /* NULL: all from `init`. Else L tensors of the caller's, layer l's at l - 1: dense, whole,
                   rank 2, shape fan_out x fan_in, of `dtype`. They are read, and judged by what `init`
                   makes one expect. One with buffer NULL is filled from `init` like the others. */
  const double *weight_factors; /* NULL, or L numbers above 0: layer l's tensor of `weights`, if it has a buffer, is
                                   expected to be what `init` makes times the one at l - 1 (fanin_calibrate()'s) */
  void (*progress)(void *user, const char *what); /* NULL, or told what step begins */
  void *user;
} fanin_probe_config;

/* One layer. Means are over features and samples. Numbers that do not exist are NaN: a prediction where theory has none
 * (weights that are not independent with mean 0, for one), or what follows a layer whose values overflow f32. A z is
 * measured against predicted as a normal deviate, whose law follows from widths, batch and input; it is NaN too where
 * no law is known. "predicted" is one step from what was measured at the neighbour: the layer before for q, the layer
 * after for g. "meanfield" is the recursion through the whole network at infinite width, from the input for q and from
 * the output's gradient for g. Where batch norm or a residual connection comes in between, the step begins at the
 * measured h (for q), and at the measured phi' and norm (for g).
 * What is said of h, an activation, is of h_l; of the last layer, where h is z. */
typedef struct fanin_probe_layer {
  uint64_t fan_in, fan_out;
  double weight_mean, weight_mean_expected, weight_mean_z;
  double weight_std, weight_std_expected, weight_z;     /* z: in standard errors of a sample std */
  double q_measured, q_predicted, q_meanfield, q_z;     /* mean of z^2 */
  double g_measured, g_predicted, g_meanfield, g_z;     /* mean of delta^2 */
  double q_sd, g_sd;                                    /* standard deviations of ln q and ln g over seeds: of q given
                                                           the input, all steps from it on; of g given the forward
                                                           pass, all steps from the output back */
  double weight_gradient_measured;                      /* mean square of the entries of the loss's gradient of W,
                                                           delta^T h summed over the batch, divided by the batch */
  double weight_gradient_predicted;                     /* mean of delta^2 times mean of h^2, sample by sample */
  double mean_measured, mean_predicted;                 /* mean of h */
  double correlation_measured, correlation_predicted;   /* of two samples' h, cosine about 0, mean over pairs */
  double saturated_measured, saturated_predicted;       /* share of y where |phi'| is under 6 % of its maximum, for
                                                           activations that saturate (tanh, sigmoid, softsign), else 0 */
  double dead_measured;                                 /* share of features whose phi' is 0 for the whole batch, */
  double dead_predicted;                                /* for activations with a flat part (relu, relu2, hardswish) */
  double f16_overflow, f16_underflow;                   /* share of h that f16 would make infinite; of h, not 0, that
                                                           f16 would make subnormal or 0 */
  double f16_gradient_overflow, f16_gradient_underflow; /* the same of delta */
  uint64_t tied_rows, tied_columns;                     /* of W that equal one before them */
  int conforms; /* every z of this layer that is a number is within the family bound, and no lines of drawn weights are
                   tied */
} fanin_probe_layer;

/* Enumerator; whether it makes a network unhealthy (HEALTH), not conforming (CONFORMITY), or explains one of these
 * (CAUSE); what to do about it. */
#define FANIN_DIAGNOSIS_MAP(XX)                                                                                        \
  XX(FORWARD_VANISH, HEALTH, "raise the gain to the activation's, or normalise before the activation")                 \
  XX(FORWARD_EXPLODE, HEALTH, "lower the gain to the activation's, or normalise before the activation")                \
  XX(BACKWARD_VANISH, HEALTH, "choose gain or activation so that sigma_w^2 E[phi'^2] is 1")                            \
  XX(BACKWARD_EXPLODE, HEALTH,                                                                                         \
     "choose gain or activation so that sigma_w^2 E[phi'^2] is 1; without batch norm if it "                           \
     "is on")                                                                                                          \
  XX(SYMMETRY, HEALTH, "draw weights at random: features that begin equal stay equal")                                 \
  XX(SATURATED, HEALTH, "lower the gain, or normalise before the activation")                                          \
  XX(DEAD_RELU, HEALTH, "lower the biases' variance, or use leaky_relu, gelu or silu")                                 \
  XX(RANK_COLLAPSE, HEALTH, "use an activation of mean 0, smaller biases, residual connections or batch norm")         \
  XX(MEAN_DRIFT, HEALTH, "use an activation of mean 0, such as tanh or selu")                                          \
  XX(FP16_RANGE, HEALTH, "train in bf16 or f32, or scale the loss")                                                    \
  XX(WIDTH_NOISE, HEALTH, "widen the layers or take fewer: a single draw is far from the mean at this width")          \
  XX(WRONG_FAN, CAUSE, "check which dimension is fan_in: the weight's layout, or the initialiser's mode")              \
  XX(GAIN_MISMATCH, CAUSE, "check the gain, and whether a std was passed where a variance was wanted")                 \
  XX(WRONG_STREAM, CONFORMITY, "check the device's compiler: these are not the random numbers of stream v1")           \
  XX(UNEXPLAINED, CONFORMITY, "run again with another seed; if it stays, the device or the network differs from theory")

/* clang-format off */
typedef enum fanin_diagnosis {
#define FANIN_DIAGNOSIS_ENUM(name, verdict, remedy) FANIN_##name,
  FANIN_DIAGNOSIS_MAP(FANIN_DIAGNOSIS_ENUM)
#undef FANIN_DIAGNOSIS_ENUM
  FANIN_DIAGNOSIS_COUNT
} fanin_diagnosis;
/* clang-format on */

typedef enum fanin_verdict { FANIN_VERDICT_HEALTH, FANIN_VERDICT_CONFORMITY, FANIN_VERDICT_CAUSE } fanin_verdict;

/* "FORWARD_VANISH"; NULL for a value that is none. Static storage; so are the others. */
FANIN_API const char *fanin_diagnosis_name(fanin_diagnosis diagnosis);
FANIN_API const char *fanin_diagnosis_remedy(fanin_diagnosis diagnosis);
/* FANIN_BAD_ARGUMENT for a value that is none. */
FANIN_API fanin_status fanin_diagnosis_verdict(fanin_diagnosis diagnosis, fanin_verdict *out);

/* One diagnosis of a network, for the layers first .. last, from 1. */
typedef struct fanin_finding {
  fanin_diagnosis diagnosis;
  size_t first, last;
  char what[256];     /* a sentence with the numbers in it */
  const char *remedy; /* fanin_diagnosis_remedy() */
} fanin_finding;

typedef struct fanin_probe_report {
  size_t n_layers; /* L */
  fanin_probe_layer *layers;
  size_t n_findings;
  fanin_finding *findings; /* in the order of the enumerators */
  int conforms;            /* every layer conforms, and nothing of CONFORMITY was found */
  int healthy;             /* nothing of HEALTH was found */
  size_t n_tests;          /* numbers z that were judged */
  double z_bound;          /* fanin_z_bound(n_tests) */
  size_t overflow_layer;   /* the first whose values overflow f32; 0: none. Later layers have fans only, and the
                              backward pass was left out */
  double sd_ln_q;          /* standard deviation of ln q of the last layer over seeds, by theory, input given */
  double gemm_seconds;     /* wall time in matrix products, waited for one by one */
  double other_seconds;    /* everything else after the first product has been compiled */
  double startup_seconds;  /* before that: buffers, and CLBlast's first product, which compiles its kernels */
  uint64_t device_bytes;   /* of the buffers that the probe made: activations of all layers, and one layer's weights */
} fanin_probe_report;

/* The bound on |z| for `tests` two-sided normal tests with a family false-alarm rate of 1e-3 (Sidak). */
FANIN_API double fanin_z_bound(size_t tests);

/* Runs the network forward and backward on the device (CLBlast GEMM, own kernels for the rest) and judges it. *report
 * is new: fanin_probe_report_free(). Blocking. Device memory: twice batch x (sum of all widths) floats, since the
 * backward pass needs y and h of each layer, and buffers of the largest layer's size; weights from `init` are made
 * again for the backward pass. FANIN_UNSUPPORTED if built without CLBlast; FANIN_BAD_ARGUMENT and FANIN_BAD_SHAPE name
 * what is wrong; FANIN_NOT_FINITE if the input has infinities or NaN; OpenCL's codes, with the buffer's name, if memory
 * runs out. Activations that overflow are not an error but a finding (FORWARD_EXPLODE, overflow_layer). */
FANIN_API fanin_status fanin_probe(fanin *f, cl_command_queue queue, const fanin_probe_config *config,
                                   fanin_probe_report **report);

/* NULL is ignored. */
FANIN_API void fanin_probe_report_free(fanin_probe_report *report);

/* ---- Calibrating --------------------------------------------------------------------------------------------------
 */

typedef struct fanin_calibrate_options {
  fanin_criterion criterion; /* FANIN_VARIANCE: of z about its mean over batch and features, as the paper has it;
                                FANIN_SECOND_MOMENT: of z about 0 */
  double target;             /* what it is to be; > 0 */
  double tolerance;          /* relative; > 0 */
  int max_iterations;        /* of a layer; at least 1 */
} fanin_calibrate_options;

typedef struct fanin_calibrated_layer {
  double before, after; /* the layer's variance or second moment */
  double factor;        /* by which its weights were multiplied in all */
  int iterations;       /* 0: it was within the tolerance */
} fanin_calibrated_layer;

/* Layer-sequential unit variance (Mishkin & Matas 2016, algorithm 1) on the device: layer by layer on config->input (or
 * N(0,1)), multiplies the weights by sqrt(target / measured) until the preactivations' variance is within the
 * tolerance. config->weights must have a buffer for every layer: they hold the weights to begin with (orthonormal ones
 * in the paper) and are rescaled in place, rounded to their dtype. Biases, norm and residual as in fanin_probe(); only
 * layers before a norm have an effect there. Fills layers[0 .. L - 1]. Blocking.
 * FANIN_NOT_FINITE: input, weights or preactivations with infinities or NaN; FANIN_BAD_ARGUMENT: a layer whose variance
 * is 0 or comes from its biases alone, or that is not within the tolerance after max_iterations. The sentence names
 * layer and numbers, and every tensor is then as it was. */
FANIN_API fanin_status fanin_calibrate(fanin *f, cl_command_queue queue, const fanin_probe_config *config,
                                       const fanin_calibrate_options *options, fanin_calibrated_layer *layers);

/* ---- Mean-field theory: what a network does at infinite width ----------------------------------------------------
 */

/* In double on the host, without a device; every function here is a pure function of its arguments. phi is an
 * activation that fanin_gain() knows, `slope` is leaky_relu's. Of weights with mean 0 and variance sigma_w^2 / fan_in
 * and biases with mean 0 and variance sigma_b^2,
 *   V(q)    = E[phi(z)^2],          z ~ N(0, q)
 *   q'      = sigma_w^2 V(q) + sigma_b^2         second moment of the next preactivation
 *   C(q, c) = E[phi(z_a) phi(z_b)], of the same variance q and correlation c
 *   c'      = (sigma_w^2 C(q, c) + sigma_b^2) / q'
 *   chi     = sigma_w^2 E[phi'(z)^2],  chi_c = sigma_w^2 E[phi'(z_a) phi'(z_b)]
 * after Poole et al. 2016 (forward) and Schoenholz et al. 2017 (backward, depth scales). */

/* The network of fanin_probe(): layers l = 1 .. L, z_l = W_l h_{l-1} + b_l, h_l = phi(norm(z_l)) [+ h_{l-1}]. */
typedef struct fanin_theory_config {
  const uint64_t *widths; /* input features, then the features of each layer; none 0 */
  size_t n_widths;        /* at least 2: L + 1 */
  const char *activation;
  double slope;
  int activate_last;      /* 0: h_L = z_L, as in fanin_probe(); 1: the last layer is like the others */
  const double *sigma_w2; /* sigma_w^2 of each layer, L numbers; NULL: fan_in times the variance by `init` */
  fanin_init init;        /* of weights in layout "OI"; must have mean 0 */
  double sigma_b2;        /* variance of the biases */
  fanin_norm norm;        /* FANIN_NORM_BATCH: of a batch so large that its statistics are those of all samples */
  int residual;           /* 1: + h_{l-1} in layers with an activation and fan_in = fan_out (Yang & Schoenholz 2017,
                             reduced residual network) */
  double second_moment;   /* mean of h_0^2, over features and samples; h_0 has mean 0 */
  double correlation;     /* mean of h_0,a h_0,b of two samples, by second_moment; -1 .. 1 */
  double gradient;        /* mean square of the loss's gradient of h_L, independent from feature to feature */
} fanin_theory_config;

/* A layer of a network. From where q leaves the range of double on (or a norm has to divide by 0), what depends on it
 * is infinite or NaN. */
typedef struct fanin_theory_layer {
  uint64_t fan_in, fan_out;
  double sigma_w2;
  double q;             /* of z */
  double correlation;   /* of z_a and z_b, two samples' (1 where q is 0) */
  double mean;          /* of h */
  double v;             /* E[phi(norm(z))^2] */
  double second_moment; /* of h: v, unless residual */
  double h_correlation; /* E[h_a h_b] / second_moment */
  double slope_second;  /* E[phi'(norm(z))^2]; 1 where there is no activation */
  double chi;           /* slope_second times the next layer's sigma_w^2 (the last one's own), through the norm */
  double chi_c;         /* the same of E[phi'(z_a) phi'(z_b)]: of a covariance between two samples */
  double g;             /* mean square of the gradient of z: g_l = chi_l (fan_out_{l+1} / fan_out_l) g_{l+1}, plus what
                           comes along a residual connection */
  double weight_gradient; /* mean square of a weight's gradient, of one sample: g times the second moment of h_{l-1}.
                             Of the mean over B samples with independent gradients: 1 / B of that */
  double saturated, zero; /* shares of norm(z) where phi is saturated (tanh, sigmoid, softsign: |phi'| < 6 % of its
                             maximum) and where phi = phi' = 0 */
} fanin_theory_layer;

/* Fills layers[0 .. n_widths - 2]. Relative error of each step under 1e-9. FANIN_BAD_ARGUMENT names what is wrong. */
FANIN_API fanin_status fanin_theory(const fanin_theory_config *config, fanin_theory_layer *layers);

/* A fixed point of q' (Schoenholz et al. 2017, section 3), and where the correlation goes there. A depth scale xi is
 * the number of layers in which a small distance shrinks by e: -1 / ln of the map's slope; negative: grows by e;
 * infinite: neither. */
typedef struct fanin_fixed_point {
  double q;
  int every;      /* 1: every q is one, q = 1 stands for them (homogeneous phi and sigma_b = 0) */
  double q_slope; /* dq' / dq */
  int stable;     /* 1: q returns from either side; 0: it leaves. Where the slope is 1: what the map's curvature says,
                     and 1 for every */
  double chi;     /* sigma_w^2 E[phi'^2]; for q > 0 the slope of c' at its fixed point c = 1: above 1 inputs part */
  double c;       /* the stable fixed point of c' in [0, 1]: below 1 where chi > 1 */
  double chi_c;   /* the slope of c' there */
  double xi_q, xi_c;
} fanin_fixed_point;

/* All fixed points from q = 0 to 1e10, ascending: writes min(capacity, *count) of them; *count is the number that
 * exists. `list` may be NULL when capacity is 0. */
FANIN_API fanin_status fanin_fixed_points(const char *activation, double slope, double sigma_w2, double sigma_b2,
                                          fanin_fixed_point *list, size_t capacity, size_t *count);

/* The edge of chaos: the sigma_w^2 with chi = 1 at its fixed point, given sigma_b^2. `at` may be NULL. For sigma_b = 0
 * and phi(0) = 0 that point is q = 0, or every q. FANIN_BAD_ARGUMENT where there is no such sigma_w^2: homogeneous phi
 * with sigma_b > 0, softplus, relu2 with sigma_b = 0. */
FANIN_API fanin_status fanin_edge_of_chaos(const char *activation, double slope, double sigma_b2, double *sigma_w2,
                                           fanin_fixed_point *at);

/* ---- Suggestions: which initialiser for an activation? ----------------------------------------------------------- */

typedef enum fanin_aim {
  FANIN_AIM_BOTH,     /* keeps q and the gradients: where one gain does */
  FANIN_AIM_FORWARD,  /* keeps q at 1: gain 1 / sqrt(E[phi(z)^2]), z ~ N(0,1), mode fan_in */
  FANIN_AIM_BACKWARD, /* keeps gradients where q is 1: gain 1 / sqrt(E[phi'(z)^2]), mode fan_out */
  FANIN_AIM_EDGE,    /* fanin_edge_of_chaos(): keeps gradients at q's own fixed point, where q goes there; biases have a
                        variance */
  FANIN_AIM_PYTORCH, /* no aim of theory: what torch.nn.init.calculate_gain's gain does, where it is another */
  FANIN_AIM_COUNT
} fanin_aim;

/* "both", "forward", "backward", "edge", "pytorch"; NULL for a value that is none. Static storage. */
FANIN_API const char *fanin_aim_name(fanin_aim aim);

/* A choice and its price. Layers begin at q_1 = 1 (FANIN_AIM_EDGE: at its fixed point, if that is not 0). Fans have the
 * same ratio throughout. */
typedef struct fanin_suggestion {
  fanin_aim aim;
  fanin_init init;           /* fanin_init_format() has its text */
  double gain;               /* std = gain / sqrt(n), n by init's mode */
  double sigma_b2;           /* of the biases that belong to it */
  size_t depth;              /* L, as it was asked for */
  double q_growth, q_total;  /* q_2 / q_1; q_L / q_1 */
  double g_growth, g_total;  /* g_1 / g_2; g_1 / g_L: above 1, gradients grow on their way back */
  double q_limit, chi_limit; /* where q goes in deep networks (0 and infinity are possible), and chi there */
  double sensitivity;        /* d ln q' / d ln q, which for sigma_b = 0 is d ln V / d ln q, at q_limit or, where that is
                                0 or infinite, at q_1: what a small relative deviation of q is multiplied by a layer.
                                Above 1 the fixed point is unstable */
} fanin_suggestion;

/* What there is to choose for an activation in networks of `depth` layers (at least 1) whose fan_in is fan_ratio times
 * fan_out (1: square), with biases of variance sigma_b2 for FANIN_AIM_EDGE alone. Writes *count suggestions, in the
 * order of the enumerators, each aim at most once: FORWARD and BACKWARD where BOTH does not exist, EDGE where it exists
 * and is none of these. FANIN_BAD_ARGUMENT names what is wrong. */
FANIN_API fanin_status fanin_suggest(const char *activation, double slope, double fan_ratio, size_t depth,
                                     double sigma_b2, fanin_suggestion list[FANIN_AIM_COUNT], size_t *count);

/* Writes what a suggestion does in sentences with its numbers. Returns their length without the final 0; a result of
 * `size` or more was cut. `text` may be NULL when size is 0. */
FANIN_API size_t fanin_suggestion_format(const fanin_suggestion *suggestion, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
