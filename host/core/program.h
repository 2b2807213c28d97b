/* Programs: each fanin has a list of them. A program is built from its source, or from an imported binary, when it is
 * first needed. */
#ifndef HOST_CORE_PROGRAM_H
#define HOST_CORE_PROGRAM_H

#include <stdbool.h>

#include "fanin/device.h"

/* ---- kernels.c, which CMake (cmake/embed.cmake) writes from kernels/: the sources with their includes resolved --- */

typedef struct fanin__source {
  const char *name; /* "fill" for kernels/fill.cl */
  const char *text; /* not terminated */
  size_t size;
} fanin__source;

extern const fanin__source fanin__source_fill;    /* every distribution, every dtype */
extern const fanin__source fanin__source_gemm;    /* the product of two matrices */
extern const fanin__source fanin__source_measure; /* moments, bins, lines, series and samples of tensors */
extern const fanin__source fanin__source_mlp;     /* bias, activation and row moments of the probe */
extern const fanin__source fanin__source_pattern; /* values that follow from coordinates */
extern const fanin__source fanin__source_reflect; /* products of Householder reflectors */
extern const fanin__source fanin__source_scatter; /* from matrices to parts of tensors */
extern const fanin__source fanin__source_sparse;  /* zeros at random places, a fixed number in each line */
extern const fanin__source fanin__source_table;   /* tables of powers, sines and logarithms */
extern const fanin__source fanin__source_weights; /* a probe's weights in f32, or times a factor */

/* All of them; the last is NULL. */
extern const fanin__source *const fanin__sources[];

/* ---- program.c --------------------------------------------------------------------------------------------------- */

typedef struct fanin__program fanin__program;
typedef struct fanin__kernel fanin__kernel;

/* A kernel object, which is kept between launches with its arguments. */
enum { FANIN__KEPT_BYTES = 512 };
struct fanin__kernel {
  cl_kernel object;
  const char *name;
  fanin__program *program;
  fanin__kernel *next;                     /* where it is idle */
  uint32_t kept;                           /* a bit for each argument that is as `values` says */
  unsigned char values[FANIN__KEPT_BYTES]; /* of arguments, one after another */
};

/* Lends a kernel of `source` built with `options` ("" for none) that nobody else has until it is given back. Each
 * program is built once for each fanin and kept. "-cl-std=CL1.2 -D LANES=<f->lanes>" is always added. After a build
 * failure the sentence holds the end of the build log. `name` must live as long as f. */
fanin_status fanin__borrow(fanin *f, const fanin__source *source, const char *options, const char *name,
                           fanin__kernel **out);
/* Right after enqueueing too: what is enqueued has arguments of its own. NULL is fine. */
void fanin__give_back(fanin *f, fanin__kernel *kernel);

/* Whether the program is there, built or imported. */
bool fanin__has_program(fanin *f, const fanin__source *source, const char *options);

/* Builds the program, which is kept, and sees that it has the kernel. */
fanin_status fanin__compile(fanin *f, const fanin__source *source, const char *options, const char *name);

/* Releases every program. */
void fanin__programs_release(fanin *f);

/* Whether PoCL runs the device. */
bool fanin__is_pocl(cl_device_id device);

/* ---- The list, for program.c, binary.c and cache.c --------------------------------------------------------------- */

struct fanin__program {
  const fanin__source *source;
  cl_program program;    /* NULL: not built yet */
  fanin__kernel *idle;   /* a list of kernels that nobody has */
  unsigned char *binary; /* imported; NULL: none */
  size_t binary_size;
  fanin__program *next;
  char options[]; /* without those that are always added */
};

/* Makes a node that is in no list yet. NULL, with a sentence set, where memory is short. */
fanin__program *fanin__program_new(const fanin__source *source, const char *options);
void fanin__program_free(fanin__program *node);

/* f's node for it, or NULL. The caller holds f's lock. */
fanin__program *fanin__program_find(const fanin *f, const fanin__source *source, const char *options);

#endif
