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

/* Wide items: a block of the stream in each 64-bit lane of a vector as wide as LANES floats. */
#if LANES == 4
#define WIDE
#define BLOCK_LANES 2
#elif LANES == 8
#define WIDE
#define BLOCK_LANES 4
#elif LANES == 16
#define WIDE
#define BLOCK_LANES 8
#elif LANES > 2
#error LANES must be 1, 2, 4, 8 or 16
#endif

/* Vectors that are worked on side by side: one alone would wait for its products, and processors do not look far enough
 * ahead to fill that time with the next. */
#if defined(WIDE) && defined(F64)
#define ABREAST 2
#elif defined(WIDE)
#define ABREAST 6
#else
#define ABREAST 1
#endif
#define EACH(i) _Pragma("unroll") for (int i = 0; i < ABREAST; ++i)

/* Values in a vector of them, unless told otherwise: as wide as LANES floats. */
#if defined(WIDTH)
#elif defined(WIDE) && defined(F64)
#define WIDTH BLOCK_LANES
#else
#define WIDTH LANES
#endif

#if WIDTH == 1
#define V(type)     type
#define AS(type, x) as_##type(x)
#define TO(type, x) ((type)(x))
#else
#define V(type)     JOIN(type, WIDTH)
#define AS(type, x) JOIN(as_##type, WIDTH)(x)
#define TO(type, x) JOIN(convert_##type, WIDTH)(x)
#endif

#if defined(F64)
typedef V(uint) vuint;
typedef V(long) vlong;
typedef V(ulong) vulong;
typedef V(double) vdouble;
#else
typedef V(int) vint;
typedef V(uint) vuint;
typedef V(float) vfloat;
#endif

/* Lanes of two vectors, by number; those of the second follow those of the first. */
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HAS_SHUFFLEVECTOR
#endif
#endif
#if defined(HAS_SHUFFLEVECTOR)
#define PICK(a, b, index, lanes) __builtin_shufflevector(a, b, lanes)
#else
#define PICK(a, b, index, lanes) shuffle2(a, b, (index)(lanes))
#endif

#endif
