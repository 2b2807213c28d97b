/* Elements of a dense array as vectors of LANES numbers, for kernels that measure. Built with -D ELEMENT_F32, _F16,
 * _BF16 or _F64. */
#ifndef FANIN_ELEMENTS_CL
#define FANIN_ELEMENTS_CL

#if defined(ELEMENT_F64)
#define F64
#endif
#define WIDTH LANES /* of f64 too */
#include "lanes.cl"

#if LANES == 1
#define VLOAD(v, p)          ((p)[v])
#define VSTORE(x, v, p)      ((p)[v] = (x))
#define ONE_WHERE(condition) ((condition) ? 1 : 0)
#else
#define VLOAD                JOIN(vload, LANES)
#define VSTORE               JOIN(vstore, LANES)
#define ONE_WHERE(condition) (-(condition))
#endif

/* `pattern`: an element's bits as a number. LOAD(v, data): vector number v from `data`; LOAD_ONE(e, data): element
 * number e. */
#if defined(ELEMENT_F64)
typedef double element;
typedef double real;
typedef vdouble reals;
typedef vlong integers;
typedef ulong pattern;
#define LOAD(v, data)     VLOAD(v, data)
#define LOAD_ONE(e, data) ((data)[e])
#else
typedef float real;
typedef vfloat reals;
typedef vint integers;
#if defined(ELEMENT_F32)
typedef float element;
typedef uint pattern;
#define LOAD(v, data)     VLOAD(v, data)
#define LOAD_ONE(e, data) ((data)[e])
#elif defined(ELEMENT_F16)
typedef half element;
typedef ushort pattern;
#if LANES == 1
#define LOAD(v, data) vload_half(v, data)
#else
#define LOAD(v, data) JOIN(vload_half, LANES)(v, data)
#endif
#define LOAD_ONE(e, data) vload_half(e, data)
#elif defined(ELEMENT_BF16)
typedef ushort element;
typedef ushort pattern;
#define LOAD(v, data)     AS(float, TO(uint, VLOAD(v, data)) << 16)
#define LOAD_ONE(e, data) as_float((uint)(data)[e] << 16)
#else
#error ELEMENT_F32, _F16, _BF16 or _F64 must be defined
#endif
#endif
typedef V(ulong) counts;

/* s + x exactly: the rounded sum, with what was rounded off added to `low` (Knuth's TwoSum). */
static inline reals two_sum(const reals s, const reals x, reals *low) {
  const reals sum = s + x;
  const reals part = sum - s;
  *low += (s - (sum - part)) + (x - part);
  return sum;
}

/* The last, incomplete vector, filled up with NaN, which counts for nothing. */
static inline reals load_tail(global const element *data, const ulong first, const ulong count) {
  real filled[LANES];
  for (uint k = 0; k < LANES; k++) {
    filled[k] = first + k < count ? LOAD_ONE(first + k, data) : (real)NAN;
  }
  return VLOAD(0, filled);
}

/* The vector from element `first` on, which need not be a multiple of LANES; NaN from `count` on. */
static inline reals load_at(global const element *data, const ulong first, const ulong count) {
  return first + LANES <= count ? LOAD(0, data + first) : load_tail(data, first, count);
}

/* The same elements' bits; 0 from `count` on. */
static inline counts load_bits(global const element *data, const ulong first, const ulong count) {
  global const pattern *bits = (global const pattern *)data;
  if (first + LANES <= count) return TO(ulong, VLOAD(0, bits + first));
  ulong filled[LANES];
  for (uint k = 0; k < LANES; k++) {
    filled[k] = first + k < count ? bits[first + k] : 0;
  }
  return VLOAD(0, filled);
}

#endif
