/* Single elements: PUT(value, at, out) rounds once to the dtype of -D F32, F16, BF16 or F64. */
#ifndef FANIN_PUT_CL
#define FANIN_PUT_CL

#include "lanes.cl"

#if defined(F64)
typedef double element;
typedef double real;
#define PUT(value, at, out) ((out)[at] = (value))
#elif defined(F16)
typedef half element;
typedef float real;
#define PUT(value, at, out) vstore_half_rte(value, at, out)
#elif defined(BF16)
typedef ushort element;
typedef float real;
#define PUT(value, at, out) ((out)[at] = to_bf16(value))
static ushort to_bf16(const float x) {
  const uint bits = as_uint(x);
  return (ushort)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
#else
typedef float element;
typedef float real;
#define PUT(value, at, out) ((out)[at] = (value))
#endif

#endif
