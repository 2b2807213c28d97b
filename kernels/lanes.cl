/* Vector types over LANES: one source for scalar work-items (GPUs) and for wide lanes (CPUs), with the same bits. */
#ifndef FANIN_LANES_CL
#define FANIN_LANES_CL

#ifndef LANES
#define LANES 1
#endif
/* Scalar items fill 16 bytes with 16-bit elements if they work on two blocks. The host's twin is fanin__chunk(). */
#if LANES == 1 && (defined(F16) || defined(BF16))
#undef LANES
#define LANES 2
#endif

#pragma OPENCL FP_CONTRACT OFF

#if defined(F64)
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

#if LANES == 1
#define V(type)     type
#define AS(type, x) as_##type(x)
#define TO(type, x) ((type)(x))
#elif LANES == 2 || LANES == 4 || LANES == 8 || LANES == 16
#define V(type)     JOIN(type, LANES)
#define AS(type, x) JOIN(as_##type, LANES)(x)
#define TO(type, x) JOIN(convert_##type, LANES)(x)
#else
#error LANES must be 1, 2, 4, 8 or 16
#endif

typedef V(int) vint;
typedef V(uint) vuint;
typedef V(float) vfloat;

#if defined(F64)
typedef V(long) vlong;
typedef V(ulong) vulong;
typedef V(double) vdouble;
#endif

#endif
