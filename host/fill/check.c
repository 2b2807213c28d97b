/* Trusts nothing that a device says of itself: a kernel of a few operations, whose results are known, runs before the
 * first fill of each kind of arithmetic. A device that fails is refused in a sentence that says what is wrong with it.
 * docs/numerics.md says what is checked and why. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/device.h"
#include "core/launch.h"
#include "core/status.h"
#include "fill/fill.h"
#include "lib/structs.h"
#include "tensor/dtype.h"

/* ---- Operands, and what becomes of them -------------------------------------------------------------------------- */

/* a, b, c and fma(a, b, c). In half of the cases the fma is not the product and the sum, each rounded; in several it is
 * not what more digits and a second rounding make of it. In several the sums and products change where they are cut
 * off, and where ties are rounded away from 0. */
static const float singles[FANIN__CASES][4] = {
    {0x1p+1f, -0x1p-28f, -0x1.4p-3f, -0x1.4p-3f},
    {0x1.05b6e6p-3f, 0x1.8p+0f, 0x1.b9cp-2f, 0x1.3f0496p-1f},
    {0x1.f06p+0f, 0x1.3bap+2f, -0x1.31fe2ep+3f, 0x0p+0f},
    {0x1.f3cp-1f, -0x1.6a8ac4p+1f, -0x1.2f978cp+2f, -0x1.e086a6p+2f},
    {0x1.1ef2a4p+2f, -0x1.e5446cp+2f, -0x1.81ep+2f, -0x1.403332p+5f},
    {0x1.be652p+3f, -0x1.6ap-1f, -0x1.cp-1f, -0x1.579d8p+3f},
    {0x1.705fcap+2f, -0x1.1bap+1f, -0x1.7d5c8cp+0f, -0x1.c7cbb2p+3f},
    {0x1.4efbc8p+2f, -0x1.97dp+2f, 0x1.0ad13cp+5f, 0x1.d6p-22f},
    {0x1.3a1p-3f, -0x1.8a245ep+1f, 0x1.e3893ep-2f, 0x1.b88p-28f},
    {0x1p+2f, -0x1p-25f, -0x1.7b297cp+1f, -0x1.7b297cp+1f},
    {0x1.000002p+0f, 0x1.fffffcp-27f, -0x1.1c0772p-2f, -0x1.1c0772p-2f},
    {0x1.fffffcp-3f, 0x1.000002p-24f, 0x1.39b21cp-2f, 0x1.39b21cp-2f},
    {0x1.000002p-2f, -0x1.fffffcp-26f, 0x1.a6ecc2p-3f, 0x1.a6ecc2p-3f},
    {0x1.000002p+2f, 0x1.fffffcp-28f, 0x1.0a8266p-1f, 0x1.0a8266p-1f},
    {0x1.ceea58p-2f, 0x1.128p+3f, -0x1.f05e48p+1f, -0x1.48p-24f},
    {0x1.53461ep+2f, -0x1.8p+1f, 0x1.fce92cp+3f, -0x1p-21f},
};
static const double doubles[FANIN__CASES][4] = {
    {0x1.8b52997b75092p-2, 0x1.9a9a8ea7b5bf5p+1, -0x1.3d087ae56d314p+0, -0x1.83f74f38bfc8cp-54},
    {0x1.d6645e8a8529fp+0, 0x1.3bfd18d0038ecp+2, 0x1.79f2488p+3, 0x1.4e20c807606cep+4},
    {0x1.a28633b5f3d86p-2, -0x1.63d2e48p+2, -0x1.f51e8c21b6092p-1, -0x1.a02413b6b049cp+1},
    {0x1.dd933d2d58443p-1, -0x1.984181p+0, -0x1.651c52p+1, -0x1.11c1c4913fe08p+2},
    {0x1.0000000000001p+0, -0x1.ffffffffffffep-51, -0x1.4p+3, -0x1.4p+3},
    {0x1p+2, -0x1.8ab12f6f22f41p+1, 0x1.8ab12f6f22f41p+3, 0x0p+0},
    {0x1.e5a81691406bep-2, -0x1.6d5924b3c74f7p+3, 0x1.5a8ce29ed194ep+2, -0x1.58e02cfa26548p-53},
    {0x1.9d5200cp+3, -0x1.b7ebb60b7d02bp+1, -0x1.3c67581633acfp-1, -0x1.6813b51dbd60bp+5},
    {0x1.ffffffffffffep+0, -0x1.0000000000001p-57, -0x1.4d90f85689935p-3, -0x1.4d90f85689935p-3},
    {0x1.ffffffffffffep-2, -0x1.0000000000001p-53, 0x1.cdc65a75a68a1p-1, 0x1.cdc65a75a68a1p-1},
    {0x1.beda908460086p+0, -0x1.8p-1, -0x1.116cedc8d4dd1p-1, -0x1.d7da6347b274dp+0},
    {0x1p-1, -0x1p-55, -0x1.88ddf1f49e09p-3, -0x1.88ddf1f49e09p-3},
    {0x1.0000000000001p+2, -0x1.ffffffffffffep-56, 0x1.59ee1125fdb0fp+0, 0x1.59ee1125fdb0fp+0},
    {0x1.fcef030eabfedp-1, 0x1.1fae688p-3, 0x1.cb984d8p-2, 0x1.2d497c9422f16p-1},
    {0x1.75f825f8eec2cp+1, -0x1.cp+2, 0x1.e2f4168p-1, -0x1.38218085d0ea6p+4},
    {0x1.363e74cp-3, -0x1.ed117acp+0, 0x1.2ac5badef99d8p-2, -0x1p-55},
};

/* Both signs, ties to both sides, the ends, and some that a float or a double holds. */
static const uint32_t words[FANIN__CASES] = {0x00000000, 0x00000001, 0xffffffff, 0x80000000, 0x7fffffff, 0x7fffffc0,
                                             0x01000001, 0x01000003, 0xfeffffff, 0xfefffffd, 0x80000080, 0x80000180,
                                             0xc0000040, 0x3fffffe1, 0x12345678, 0xdeadbeef};
static const uint64_t draws[FANIN__CASES] = {
    0x0000000000000000, 0x0000000000000001, 0xffffffffffffffff, 0x8000000000000000,
    0x7fffffffffffffff, 0x7ffffffffffffe00, 0x0020000000000001, 0x0020000000000003,
    0xffdfffffffffffff, 0xffdffffffffffffd, 0x8000000000000400, 0x8000000000000c00,
    0xc000000000000200, 0x3ffffffffffffdff, 0x0123456789abcdef, 0xdeadbeefcafef00d};

/* x and y of whole numbers: quotients in 32 bits and in 64, products whose halves carry. */
static const uint64_t wholes[FANIN__CASES][2] = {{0xffffffff, 0xffffffff},
                                                 {0x80000000, 3},
                                                 {0x00010000, 0x00010000},
                                                 {0x0000ffff, 7},
                                                 {0x12345678, 0x9abcdef0},
                                                 {0xdeadbeef, 0x000000ff},
                                                 {0x00000001, 0xfffffffe},
                                                 {0x9e3779b9, 0x00003039},
                                                 {0xffffffffffffffff, 0xffffffffffffffff},
                                                 {0xfedcba9876543210, 0x0123456789abcdef},
                                                 {0x8000000000000000, 0x00000000ffffffff},
                                                 {0x0000000100000000, 0x0000000000000003},
                                                 {0x4000000000000001, 0x0000000080000001},
                                                 {0x00000000ffffffff, 0x0000000100000000},
                                                 {0x243f6a8885a308d3, 0x13198a2e03707344},
                                                 {0xa4093822299f31d0, 0x00000000000f4240}};

/* Floats and the bits of the halves that they round to: ties, subnormal halves, the largest and what becomes 0. */
static const struct {
  float single;
  uint16_t half;
} halves[FANIN__CASES] = {
    {1.0f, 0x3c00},         {-0.1f, 0xae66},           {0x1.002p+0f, 0x3c00},   {0x1.006p+0f, 0x3c02},
    {0x1.ffefp-1f, 0x3c00}, {-0x1.0037fep+3f, 0xc801}, {65504.0f, 0x7bff},      {65519.0f, 0x7bff},
    {0x1p-14f, 0x0400},     {0x1.ff8p-15f, 0x03ff},    {-0x1.ff4p-15f, 0x83fe}, {0x1p-24f, 0x0001},
    {0x1.8p-24f, 0x0002},   {0x1p-25f, 0x0000},        {-0x1.8p-25f, 0x8001},   {0x1.123p-18f, 0x0045}};

/* Rows as the kernel sees them, and one of the host's own. */
enum { FLUSHED_HALVES = FANIN__CHECK_ROWS, ALL_ROWS };
typedef struct rows {
  cl_ulong of[ALL_ROWS][FANIN__CASES];
} rows;

/* The bytes of a cell of a row. */
static unsigned char *cell(rows *r, int row, int k, size_t size) {
  return (unsigned char *)r->of[row] + (size_t)k * size;
}

static void put_real(rows *r, int row, int k, double value, bool is_double) {
  const float single = (float)value;
  if (is_double)
    memcpy(cell(r, row, k, sizeof value), &value, sizeof value);
  else
    memcpy(cell(r, row, k, sizeof single), &single, sizeof single);
}

static void put_word(rows *r, int row, int k, uint64_t value, bool is_double) {
  const uint32_t single = (uint32_t)value;
  if (is_double)
    memcpy(cell(r, row, k, sizeof value), &value, sizeof value);
  else
    memcpy(cell(r, row, k, sizeof single), &single, sizeof single);
}

static void put_half(rows *r, int row, int k, uint16_t value) {
  memcpy(cell(r, row, k, sizeof value), &value, sizeof value);
}

/* An integer whose bits are those of a word, as two's complement is. */
static int64_t as_signed(uint64_t bits) {
  int64_t value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Case k in float. Every operation is one of C's, which rounds to nearest. */
static void expect_single(rows *r, int k) {
  const float a = singles[k][0], b = singles[k][1], c = singles[k][2], product = a * b;
  const uint32_t w = words[k], sign = w >> 31 ? UINT32_C(0xfffffe00) : 0;
  const int64_t number = (int64_t)w - (w >> 31 ? INT64_C(1) << 32 : 0);
  const struct {
    int row;
    float value;
  } reals[] = {{FANIN__CHECK_A, a},
               {FANIN__CHECK_B, b},
               {FANIN__CHECK_C, c},
               {FANIN__CHECK_FMA, singles[k][3]},
               {FANIN__CHECK_PRODUCT, product},
               {FANIN__CHECK_SUM, a + c},
               {FANIN__CHECK_BOTH, product + c},
               {FANIN__CHECK_SIGNED, (float)number},
               {FANIN__CHECK_UNSIGNED, (float)w}};
  for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
    put_real(r, reals[i].row, k, (double)reals[i].value, false);
  }
  put_word(r, FANIN__CHECK_WORDS, k, w, false);
  put_word(r, FANIN__CHECK_SHIFTS, k, (sign | w >> 23) + (w << 2) + (w >> 1), false);
}

/* The same in double. */
static void expect_double(rows *r, int k) {
  const double a = doubles[k][0], b = doubles[k][1], c = doubles[k][2], product = a * b;
  const uint64_t d = draws[k], sign = d >> 63 ? UINT64_C(0xfffffffffffff000) : 0;
  const struct {
    int row;
    double value;
  } reals[] = {{FANIN__CHECK_A, a},
               {FANIN__CHECK_B, b},
               {FANIN__CHECK_C, c},
               {FANIN__CHECK_FMA, doubles[k][3]},
               {FANIN__CHECK_PRODUCT, product},
               {FANIN__CHECK_SUM, a + c},
               {FANIN__CHECK_BOTH, product + c},
               {FANIN__CHECK_DIVISION, b / a},
               {FANIN__CHECK_ROOT, sqrt(a)},
               {FANIN__CHECK_SIGNED, (double)as_signed(d)},
               {FANIN__CHECK_UNSIGNED, (double)d}};
  for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
    put_real(r, reals[i].row, k, reals[i].value, true);
  }
  put_word(r, FANIN__CHECK_WORDS, k, d, true);
  put_word(r, FANIN__CHECK_SHIFTS, k, (sign | d >> 52) + (d << 2) + (d >> 1), true);
}

static uint32_t after_loop(uint32_t made) {
  for (uint32_t pass = 0; pass < FANIN__CHECK_PASSES; pass++) {
    made = made * FANIN__CHECK_FACTOR + pass;
  }
  return made;
}

/* What does not depend on the dtype. */
static void expect_others(rows *r, int k) {
  const uint64_t x = wholes[k][0], y = wholes[k][1];
  const bool is_subnormal = (halves[k].half & 0x7c00) == 0;
  r->of[FANIN__CHECK_X][k] = x;
  r->of[FANIN__CHECK_Y][k] = y;
  r->of[FANIN__CHECK_LONG_PRODUCT][k] = (x & UINT32_MAX) * (uint64_t)FANIN__CHECK_FACTOR;
  r->of[FANIN__CHECK_LOW_PRODUCT][k] = x * y;
  r->of[FANIN__CHECK_QUOTIENT][k] = x / y;
  put_real(r, FANIN__CHECK_SINGLES, k, (double)halves[k].single, false);
  put_half(r, FANIN__CHECK_HALVES, k, halves[k].half);
  put_half(r, FANIN__CHECK_SINGLE_HALVES, k, halves[k].half);
  put_half(r, FLUSHED_HALVES, k, is_subnormal ? halves[k].half & 0x8000 : halves[k].half);
}

/* ---- What is wrong with a device --------------------------------------------------------------------------------- */

/* A row of results, and what is said where it is not as expected. Where the device has another row's numbers in it
 * instead, that says more. "%s" is "float" or "double". */
typedef enum of_what { A_REAL, A_WHOLE, A_HALF } of_what;
typedef struct rule {
  int row;
  of_what what;
  bool doubles_only;
  const char *fault;
  int twin; /* 0: none */
  const char *twin_fault;
} rule;

#define ROUNDS " does not round to the nearest"
static const rule rules[] = {
    {FANIN__CHECK_LONG_PRODUCT, A_WHOLE, false, "its product of two 32-bit words is wrong", 0, NULL},
    {FANIN__CHECK_LOW_PRODUCT, A_WHOLE, false, "its product of 64-bit integers is wrong", 0, NULL},
    {FANIN__CHECK_QUOTIENT, A_WHOLE, false, "its quotient of 64-bit integers is wrong", 0, NULL},
    {FANIN__CHECK_SHIFTS, A_REAL, false, "its shifts of integers as long as a %s are wrong", 0, NULL},
    {FANIN__CHECK_SIGNED, A_REAL, false, "its conversion of signed integers to %s" ROUNDS, 0, NULL},
    {FANIN__CHECK_UNSIGNED, A_REAL, false, "its conversion of unsigned integers to %s" ROUNDS, 0, NULL},
    {FANIN__CHECK_PRODUCT, A_REAL, false, "its %s multiplication" ROUNDS, 0, NULL},
    {FANIN__CHECK_SUM, A_REAL, false, "its %s addition" ROUNDS, 0, NULL},
    {FANIN__CHECK_FMA, A_REAL, false, "its %s fma is not rounded once to the nearest", FANIN__CHECK_BOTH,
     "its %s fma rounds twice"},
    {FANIN__CHECK_BOTH, A_REAL, false, "its %s product and sum are not rounded to the nearest each", FANIN__CHECK_FMA,
     "it contracts a %s product and sum to an fma, which FP_CONTRACT OFF forbids"},
    {FANIN__CHECK_DIVISION, A_REAL, true, "its %s division" ROUNDS, 0, NULL},
    {FANIN__CHECK_ROOT, A_REAL, true, "its %s square root" ROUNDS, 0, NULL},
    {FANIN__CHECK_HALVES, A_HALF, false, "its conversion of %s to half" ROUNDS, FLUSHED_HALVES,
     "its conversion of %s to half flushes subnormal numbers to 0"},
    {FANIN__CHECK_SINGLE_HALVES, A_HALF, false, "its conversion of %s to half" ROUNDS, FLUSHED_HALVES,
     "its conversion of %s to half flushes subnormal numbers to 0"},
};

/* Bytes of a number in a row. */
static size_t size_of(const rule *r, bool is_double) {
  return r->what == A_HALF ? 2 : r->what == A_WHOLE || is_double ? 8 : 4;
}

/* The bits in a row's cell. */
static uint64_t bits_at(const cl_ulong *row, int k, size_t size) {
  uint64_t bits = 0;
  memcpy(&bits, (const unsigned char *)row + (size_t)k * size, size); /* little-endian, as devices have to be */
  return bits;
}

/* Says of which dtype, on which device, what is wrong, and the first bits that show it. */
static fanin_status refuse(const fanin *f, fanin_dtype dtype, const rule *r, const rows *expected, const rows *found) {
  const bool is_double = fanin__is_double(dtype);
  const size_t size = size_of(r, is_double);
  const bool is_twin = r->twin && memcmp(found->of[r->row], expected->of[r->twin], FANIN__CASES * size) == 0;
  char fault[96];
  int k = 0;
  fanin_device_info info;
  while (bits_at(found->of[r->row], k, size) == bits_at(expected->of[r->row], k, size))
    k++;
  snprintf(fault, sizeof fault, is_twin ? r->twin_fault : r->fault, is_double ? "double" : "float");
  FANIN__TRY(fanin__device_describe(f->device, &info));
  return fanin__fail(FANIN_STATUS_UNSUPPORTED,
                     "%s tensors cannot be filled on device \"%.100s\": %s (case %d gives %" PRIx64 ", not %" PRIx64
                     ")",
                     fanin_dtype_name(dtype), info.name, fault, k, bits_at(found->of[r->row], k, size),
                     bits_at(expected->of[r->row], k, size));
}

static fanin_status judge(const fanin *f, fanin_dtype dtype, const rows *expected, const rows *found) {
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    const rule *const r = &rules[i];
    if ((r->doubles_only && !fanin__is_double(dtype)) || (r->what == A_HALF && !fanin__dtype_of(dtype)->device_rounds))
      continue;
    const size_t bytes = FANIN__CASES * size_of(r, fanin__is_double(dtype));
    if (memcmp(expected->of[r->row], found->of[r->row], bytes) != 0) return refuse(f, dtype, r, expected, found);
  }
  return FANIN_STATUS_OK;
}

/* ---- Running ----------------------------------------------------------------------------------------------------- */

/* Runs the program's kernel, and waits for it, on a queue of its own: what a caller's queue has to do first may take
 * long, or wait for the caller. */
static fanin_status run(fanin *f, const fanin__source *source, const char *options, const rows *operands, rows *found) {
  const size_t bytes = FANIN__CHECK_ROWS * sizeof *found->of;
  cl_int code = CL_SUCCESS;
  const cl_command_queue queue = clCreateCommandQueue(f->context, f->device, 0, &code);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clCreateCommandQueue");
  fanin_status status = FANIN_STATUS_OK;
  *found = *operands;
  const cl_mem buffer = clCreateBuffer(f->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, bytes, found->of, &code);
  if (code != CL_SUCCESS) {
    status = fanin__fail_cl(code, "clCreateBuffer for the check of the device's arithmetic");
    goto done;
  }
  const fanin__launch launch = {.source = source,
                                .options = options,
                                .name = "check",
                                .grid = fanin__groups(1, 1),
                                FANIN__ARGUMENTS(FANIN__VALUE(buffer))};
  status = fanin__enqueue_and_read(f, queue, &launch, &(fanin__result){buffer, bytes, found->of}, 1);
  (void)clReleaseMemObject(buffer);

done:
  (void)clReleaseCommandQueue(queue);
  return status;
}

/* Operands are what is expected of the rows up to the first result. */
static rows operands_of(const rows *expected) {
  rows r;
  memset(&r, 0, sizeof r);
  memcpy(r.of, expected->of, FANIN__CHECK_FMA * sizeof *r.of);
  return r;
}

static fanin__arithmetic arithmetic_of(fanin_dtype dtype) {
  if (fanin__is_double(dtype)) return FANIN__ARITHMETIC_DOUBLE;
  return fanin__dtype_of(dtype)->device_rounds ? FANIN__ARITHMETIC_HALF : FANIN__ARITHMETIC_FLOAT;
}

/* Two threads that are here at once both check, which does no harm. */
fanin_status fanin__check_arithmetic(fanin *f, fanin_dtype dtype, const fanin__source *source, const char *options) {
  atomic_bool *const is_good = &f->arithmetic_is_good[arithmetic_of(dtype)];
  if (atomic_load(is_good)) return FANIN_STATUS_OK;
  rows expected, found;
  memset(&expected, 0, sizeof expected);
  for (int k = 0; k < FANIN__CASES; k++) {
    if (fanin__is_double(dtype))
      expect_double(&expected, k);
    else
      expect_single(&expected, k);
    expect_others(&expected, k);
  }
  expected.of[FANIN__CHECK_LOOP][0] = after_loop((uint32_t)wholes[0][0]);
  const rows operands = operands_of(&expected);
  FANIN__TRY(run(f, source, options, &operands, &found));
  FANIN__TRY(judge(f, dtype, &expected, &found));
  if (found.of[FANIN__CHECK_LOOP][0] != expected.of[FANIN__CHECK_LOOP][0]) atomic_store(&f->ends_loops, true);
  atomic_store(is_good, true);
  return FANIN_STATUS_OK;
}

static fanin_status check_loops(const fanin *f, const char *what) {
  fanin_device_info info;
  if (!atomic_load(&f->ends_loops)) return FANIN_STATUS_OK;
  FANIN__TRY(fanin__device_describe(f->device, &info));
  return fanin__fail(FANIN_STATUS_UNSUPPORTED,
                     "%s needs kernels with long loops, and device \"%.100s\" ends a loop before its %u passes are "
                     "done, without an error",
                     what, info.name, FANIN__CHECK_PASSES);
}

fanin_status fanin__check_job(fanin *f, const fanin__job *job) {
  char own[FANIN__OPTIONS];
  const fanin__filler *const filler = job->filler;
  if (job->elements == 0) return FANIN_STATUS_OK;
  const bool has_own = job->rows.chunks == 0 && filler->writer;
  const fanin__source *const source = has_own ? filler->writer(job, own) : &fanin__source_fill;
  FANIN__TRY(fanin__check_arithmetic(f, job->dtype, source, has_own ? own : job->parameters.options));
  return filler && filler->long_loops ? check_loops(f, filler->long_loops) : FANIN_STATUS_OK;
}

fanin_status fanin__check_loops(fanin *f, const char *what) {
  char options[FANIN__OPTIONS];
  fanin__family_options(FANIN__FAMILY_BIT(FANIN__FAMILY_NORMAL), FANIN_DTYPE_F32, options, sizeof options);
  FANIN__TRY(fanin__check_arithmetic(f, FANIN_DTYPE_F32, &fanin__source_fill, options));
  return check_loops(f, what);
}
