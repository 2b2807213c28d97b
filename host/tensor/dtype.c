/* The table of dtypes: their names, and the sets of numbers that they are. */
#include "tensor/dtype.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "core/argument.h"
#include "core/names.h"

/* Codes of DLPack's DLDataTypeCode. */
enum { DLPACK_FLOAT = 2, DLPACK_BFLOAT = 4, DLPACK_FLOAT8_E4M3FN = 10, DLPACK_FLOAT8_E5M2 = 12 };

/* The numbers are m 2^least and m 2^k for whole |m| < 2^digits and k > least, up to `largest`. Values are rounded to
 * them once, to the nearest, ties to even. Columns: enumerator and kernel define; the names of fanin, safetensors, npy
 * and Python, and further ones; bytes, DLPack's code, digits, least, largest, has_infinities, needs_fp64;
 * device_rounds. */
#define DTYPE_MAP(XX)                                                                                                  \
  XX(F32, "f32", "F32", "<f4", "float32", "float32, fp32", 4, DLPACK_FLOAT, 24, -149, 0x1.fffffep+127, 1, 0, 0)        \
  XX(F16, "f16", "F16", "<f2", "float16", "float16, fp16, half", 2, DLPACK_FLOAT, 11, -24, 65504.0, 1, 0, 1)           \
  XX(BF16, "bf16", "BF16", NULL, "bfloat16", "bfloat16", 2, DLPACK_BFLOAT, 8, -133, 0x1.fep+127, 1, 0, 0)              \
  XX(F64, "f64", "F64", "<f8", "float64", "float64, fp64, double", 8, DLPACK_FLOAT, 53, -1074, DBL_MAX, 1, 1, 0)       \
  XX(F8_E4M3, "f8_e4m3", "F8_E4M3", NULL, "float8_e4m3fn", "float8_e4m3fn, fp8_e4m3", 1, DLPACK_FLOAT8_E4M3FN, 4, -9,  \
     448.0, 0, 0, 0)                                                                                                   \
  XX(F8_E5M2, "f8_e5m2", "F8_E5M2", NULL, "float8_e5m2", "float8_e5m2, fp8_e5m2", 1, DLPACK_FLOAT8_E5M2, 3, -16,       \
     57344.0, 1, 0, 0)

#define ROW(id, name, safetensors, npy, python, aliases, bytes, dlpack, digits, least, largest, infinities, fp64,      \
            rounds)                                                                                                    \
  [FANIN_DTYPE_##id] = {{name, safetensors, npy, python, bytes, dlpack, digits, least, largest, infinities, fp64},     \
                        aliases,                                                                                       \
                        "-D " #id,                                                                                     \
                        rounds},
static const fanin__dtype table[FANIN_DTYPE_COUNT] = {DTYPE_MAP(ROW)};

/* ---- Names ------------------------------------------------------------------------------------------------------- */

static bool is_dtype(fanin_dtype dtype) {
  return (int)dtype >= 0 && (int)dtype < FANIN_DTYPE_COUNT;
}

const fanin__dtype *fanin__dtype_of(fanin_dtype dtype) {
  return &table[dtype];
}

size_t fanin_dtype_size(fanin_dtype dtype) {
  return is_dtype(dtype) ? table[dtype].info.bytes : 0;
}

const char *fanin_dtype_name(fanin_dtype dtype) {
  return is_dtype(dtype) ? table[dtype].info.name : "unknown dtype";
}

fanin_status fanin__known_dtype(fanin_dtype dtype) {
  if (is_dtype(dtype)) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "dtype is %d; accepted are 0 to %d", (int)dtype, FANIN_DTYPE_COUNT - 1);
}

fanin_status fanin_dtype_describe(fanin_dtype dtype, fanin_dtype_info *out, size_t size) {
  FANIN__TRY(fanin__known_dtype(dtype));
  return fanin__give(out, size, &table[dtype].info, sizeof table[dtype].info);
}

fanin_status fanin_dtype_parse(const char *text, fanin_dtype *out) {
  FANIN__NEED(text, out);
  fanin__known known = fanin__known_for(fanin__span_of(text));
  for (int k = 0; k < FANIN_DTYPE_COUNT; k++) {
    const char *const lists[] = {table[k].info.name, table[k].aliases};
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
      fanin__span name;
      for (const char *list = lists[l]; fanin__next_name(&list, &name);) {
        if (fanin__same_name(known.wanted, name)) {
          *out = (fanin_dtype)k;
          return FANIN_STATUS_OK;
        }
        if (l == 0)
          fanin__known_add(&known, name);
        else
          fanin__known_hint(&known, name);
      }
    }
  }
  return fanin__fail(FANIN_STATUS_BAD_TEXT, "dtype is \"%.40s\"%s", text, fanin__known_text(&known, "accepted are"));
}

const char *fanin__float_dtypes(const char *word, char out[FANIN__DTYPE_LIST]) {
  const char *names[FANIN_DTYPE_COUNT];
  size_t n = 0, used = 0;
  for (int k = 0; k < FANIN_DTYPE_COUNT; k++) {
    if (!table[k].info.needs_fp64) names[n++] = table[k].info.name;
  }
  for (size_t k = 0; k < n; k++) {
    const char *const before = k == 0 ? "" : k + 1 < n ? ", " : word;
    used += (size_t)snprintf(out + used, FANIN__DTYPE_LIST - used, "%s%s", before, names[k]);
  }
  return out;
}

/* ---- Numbers ----------------------------------------------------------------------------------------------------- */

double fanin__most(fanin_dtype dtype, double x) {
  const fanin_dtype_info *const t = &table[dtype].info;
  if (x >= t->largest) return t->largest;
  if (x == 0.0) return 0.0; /* never -0: which of two zeros a clamp gives is the device's choice */
  if (t->digits >= DBL_MANT_DIG || isinf(x)) return x;
  int exponent = 0;
  (void)frexp(x, &exponent); /* 2^(exponent - 1) <= |x| < 2^exponent */
  const int step = exponent - t->digits > t->least ? exponent - t->digits : t->least;
  const double below = ldexp(floor(ldexp(x, -step)), step);
  return below < -t->largest ? -INFINITY : below;
}

double fanin__least(fanin_dtype dtype, double x) {
  return 0.0 - fanin__most(dtype, -x);
}

/* Sign, exponent and fraction. The fraction has one digit less than the significand; exponent 0 is that of subnormal
 * numbers. What is past the largest number is infinity, if the dtype has it, and then NaN. */
double fanin__narrow_number(fanin_dtype dtype, uint32_t bits) {
  const fanin_dtype_info *const t = &table[dtype].info;
  const uint32_t sign = UINT32_C(1) << (8 * t->bytes - 1), magnitude = bits & (sign - 1);
  const int fraction = t->digits - 1, exponent = (int)(magnitude >> fraction);
  const uint32_t digits = magnitude & ((UINT32_C(1) << fraction) - 1), hidden = UINT32_C(1) << fraction;
  double size =
      exponent == 0 ? ldexp((double)digits, t->least) : ldexp((double)(hidden + digits), t->least + exponent - 1);
  if (size > t->largest) size = t->has_infinities && digits == 0 ? INFINITY : NAN;
  return bits & sign ? -size : size;
}
