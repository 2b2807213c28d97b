/* The structs that the host hands to a kernel, which both the host's C and OpenCL C read: with the host's names of
 * OpenCL's types, and assertions of a struct's size and of where its members are, which fail to compile. */
#ifndef FANIN_STRUCTS_H
#define FANIN_STRUCTS_H

#if defined(__OPENCL_C_VERSION__) || defined(__OPENCL_VERSION__)

typedef uint cl_uint;
typedef ulong cl_ulong;
typedef ulong4 cl_ulong4;
typedef ulong8 cl_ulong8;

#define FANIN__SIZE(type, bytes) typedef char type##_size[sizeof(type) == (bytes) ? 1 : -1]
#if defined(__clang__) /* OpenCL C has no offsetof */
#define FANIN__OFFSET(type, member, bytes)                                                                             \
  typedef char type##_##member[__builtin_offsetof(type, member) == (bytes) ? 1 : -1]
#else
#define FANIN__OFFSET(type, member, bytes) typedef char type##_##member
#endif

#else

#include <stddef.h>

#ifdef __APPLE__
#include <OpenCL/cl_platform.h>
#else
#include <CL/cl_platform.h>
#endif

#define FANIN__SIZE(type, bytes)           _Static_assert(sizeof(type) == (bytes), #type)
#define FANIN__OFFSET(type, member, bytes) _Static_assert(offsetof(type, member) == (bytes), #type "." #member)

#endif

/* The families of distributions that kernels/fill.cl is compiled for. Of many tensors in one launch each says its own
 * as the last of its parameters. */
enum fanin__family {
  FANIN__FAMILY_CONSTANT,
  FANIN__FAMILY_UNIFORM,
  FANIN__FAMILY_NORMAL,
  FANIN__FAMILY_TRUNC_CORE,
  FANIN__FAMILY_TRUNC,
  FANIN__FAMILY_LOG_UNIFORM,
  FANIN__FAMILY_INVERSE_SOFTPLUS,
  FANIN__FAMILY_COUNT
};

/* What kernels/reflect.cl and gemm.cl are made for. A block and a chunk, whose products are summed up before they are
 * added to a sum, are the specification's (docs/stream.md, section 8); how many columns a group makes reflectors of is
 * not seen in the bits. */
#define FANIN__BLOCK     128
#define FANIN__SUMMED    64
#define FANIN__REFLECTED 16

/* What kernels/fill.cl takes: which of a tensor's indices lie where in memory. Rows of consecutive indices. A row's
 * number unfolds, innermost dimension first, into coordinates of `rank` dimensions. */
typedef struct fanin__rows {
  cl_ulong8 extent, index_stride, memory_stride; /* of the dimensions over rows */
  cl_uint rank;
  cl_uint repeat;       /* chunks that an item makes */
  cl_ulong count;       /* rows */
  cl_ulong origin;      /* where in the buffer the first row is, in elements */
  cl_ulong first_index; /* of the first row, in the whole tensor */
  cl_ulong length;      /* elements of a row */
  cl_ulong stride;      /* from an element of a row to the next, in memory */
  cl_ulong chunks;      /* how many chunks a row touches */
  cl_ulong stream;      /* which random numbers */
} fanin__rows;

FANIN__SIZE(fanin__rows, 256);
FANIN__OFFSET(fanin__rows, index_stride, 64);
FANIN__OFFSET(fanin__rows, memory_stride, 128);
FANIN__OFFSET(fanin__rows, rank, 192);
FANIN__OFFSET(fanin__rows, repeat, 196);
FANIN__OFFSET(fanin__rows, count, 200);
FANIN__OFFSET(fanin__rows, stream, 248);

/* What kernels/pattern.cl takes: a box of coordinates, and where it lies in memory. The box is cut into rows along one
 * dimension. Vectors hold (B, O, I, D, H, W, -, -), with extents of 1 where the layout has no such letter. A row's
 * number unfolds, W first. A task is `piece` consecutive elements of a row. */
typedef struct fanin__places {
  cl_ulong8 start;
  cl_ulong8 extent; /* 1 for the dimension of rows */
  cl_ulong8 memory_stride;
  cl_ulong8 along;  /* 1 for the dimension of rows, else 0 */
  cl_ulong8 matrix; /* extents of a matrix: outputs and inputs of a group and a split, and the taps */
  cl_ulong origin;  /* of the element at the start, in the buffer */
  cl_ulong length;  /* of a row */
  cl_ulong piece, pieces, tasks;
  cl_ulong unused[3]; /* fills the struct up to its alignment */
} fanin__places;

FANIN__SIZE(fanin__places, 384);
FANIN__OFFSET(fanin__places, matrix, 256);
FANIN__OFFSET(fanin__places, origin, 320);
FANIN__OFFSET(fanin__places, tasks, 352);

/* What kernels/table.cl takes besides rows: extents of the last dimensions, and powers of a ratio: base^(-2^j / D) is
 * significand[j] 2^(-63 - exponent[j]). A ramp has other numbers. */
#define FANIN__TABLE_BITS 34 /* of the numbers that powers are taken to */
typedef struct fanin__table_numbers {
  cl_ulong columns, positions;
  cl_ulong second; /* where a second half begins: cosines, or 0 where they are interleaved; ALiBi's slopes in between */
  cl_ulong significand[FANIN__TABLE_BITS];
  cl_uint exponent[FANIN__TABLE_BITS];
  cl_ulong steps, bend; /* a ramp's last index, or how many there are; exponents, 2^60 as 1 */
  cl_ulong period, shift, zigzag_bend;
  cl_ulong lo, span, zigzag; /* bits of reals */
} fanin__table_numbers;

FANIN__SIZE(fanin__table_numbers, 496);
FANIN__OFFSET(fanin__table_numbers, significand, 24);
FANIN__OFFSET(fanin__table_numbers, exponent, 296);
FANIN__OFFSET(fanin__table_numbers, steps, 432);

/* What kernels/scatter.cl takes: where elements of matrices go in a tensor's memory. Rows of elements: `length` of
 * them, steps apart in the matrices and in memory. A row's number unfolds, innermost dimension first. A task is `piece`
 * consecutive elements of a row. */
typedef struct fanin__routes {
  cl_ulong8 extent, matrix_stride, memory_stride; /* of the dimensions over rows */
  cl_ulong from, to;                              /* of the first element: in the matrices, and in the buffer */
  cl_ulong length, matrix_step, memory_step;
  cl_ulong piece, pieces; /* pieces of a row */
  cl_ulong tasks;
  cl_uint rank;
  cl_uint unused[15]; /* fills the struct up to its alignment */
} fanin__routes;

FANIN__SIZE(fanin__routes, 320);
FANIN__OFFSET(fanin__routes, memory_stride, 128);
FANIN__OFFSET(fanin__routes, from, 192);
FANIN__OFFSET(fanin__routes, tasks, 248);
FANIN__OFFSET(fanin__routes, rank, 256);

/* What kernels/sparse.cl takes: lines of weights, of which some become 0. Lines (owner, part, matrix) from `first` on,
 * `count` of each, a work-group for each line. A weight has a coordinate in each of four dimensions, of which the first
 * is the longest; one of them, where `cut` is 1, is cut into parts. Indices and places in memory are sums of
 * coordinates times steps. */
typedef struct fanin__sparse_lines {
  cl_ulong4 first, count, line_index, line_memory; /* (owner, part, matrix, -) */
  cl_ulong4 extent, index_stride, memory_stride;   /* of a line's weights */
  cl_ulong4 begin, end;                            /* the coordinates that memory holds: whole dimensions, not parts */
  cl_ulong4 cut;                                   /* 1 for the dimension of parts, else 0 */
  cl_ulong origin;                                 /* where the element with coordinates 0 would be */
  cl_ulong first_index, indices;                   /* memory holds these alone */
  cl_ulong zeros, stream;
  cl_ulong unused[3]; /* fills the struct up to its alignment */
} fanin__sparse_lines;

FANIN__SIZE(fanin__sparse_lines, 384);
FANIN__OFFSET(fanin__sparse_lines, extent, 128);
FANIN__OFFSET(fanin__sparse_lines, cut, 288);
FANIN__OFFSET(fanin__sparse_lines, origin, 320);
FANIN__OFFSET(fanin__sparse_lines, stream, 352);

/* What kernels/lib/check.clh works on: rows of FANIN__CASES numbers, which may be smaller than a ulong and then leave
 * the end of their row unused. First the operands, then the results. */
#define FANIN__CASES        16
#define FANIN__CHECK_FACTOR 0xD2511F53u /* Philox's first */
#define FANIN__CHECK_PASSES 70000u      /* of one loop */
enum fanin__check_row {
  FANIN__CHECK_A, /* reals, of which a is positive */
  FANIN__CHECK_B,
  FANIN__CHECK_C,
  FANIN__CHECK_WORDS, /* of as many bits as a real */
  FANIN__CHECK_X,     /* ulongs */
  FANIN__CHECK_Y,
  FANIN__CHECK_SINGLES,       /* floats that become halves */
  FANIN__CHECK_FMA,           /* fma(a, b, c) */
  FANIN__CHECK_PRODUCT,       /* a b */
  FANIN__CHECK_SUM,           /* a + c */
  FANIN__CHECK_BOTH,          /* a b + c */
  FANIN__CHECK_DIVISION,      /* b / a */
  FANIN__CHECK_ROOT,          /* sqrt(a) */
  FANIN__CHECK_SIGNED,        /* a word, signed, as a real */
  FANIN__CHECK_UNSIGNED,      /* a word as a real */
  FANIN__CHECK_SHIFTS,        /* a word shifted in the three ways */
  FANIN__CHECK_LONG_PRODUCT,  /* the lower word of x times FANIN__CHECK_FACTOR */
  FANIN__CHECK_LOW_PRODUCT,   /* x y modulo 2^64 */
  FANIN__CHECK_QUOTIENT,      /* x / y */
  FANIN__CHECK_LOOP,          /* the first alone: what FANIN__CHECK_PASSES passes make of an x */
  FANIN__CHECK_HALVES,        /* singles as halves, in vectors */
  FANIN__CHECK_SINGLE_HALVES, /* and one by one */
  FANIN__CHECK_ROWS
};

#endif
