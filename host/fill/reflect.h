/* Orthogonal matrices as products of Householder reflectors, on the device: the linear algebra behind `orthogonal`. */
#ifndef HOST_FILL_REFLECT_H
#define HOST_FILL_REFLECT_H

#include <stdbool.h>

#include "fanin/device.h"

/* Matrices with no extent above this are multiplied in one launch, a work-group each, without CLBlast. */
enum { FANIN__SMALL = 64 };

/* `count` matrices (height, width), height >= width >= 1, stored by columns: number (j, s) of matrix k is at (k * width
 * + s) * height + j. Of large ones (height above FANIN__SMALL) there is only one. */
typedef struct fanin__stack {
  uint64_t count, height, width;
  bool f64;
  uint64_t block;                          /* large: reflectors at once */
  cl_mem normals;                          /* fanin__reflect() overwrites them with reflectors */
  cl_mem product;                          /* what it makes; large: normals */
  cl_mem tau, sign;                        /* of each column */
  cl_mem panel, products, solved, scratch; /* large: of a block */
  size_t bytes;                            /* of all that */
} fanin__stack;

/* FANIN_STATUS_UNSUPPORTED if the extents are out of reach: large ones without CLBlast, or more than it can count. */
fanin_status fanin__stack_check(uint64_t height, uint64_t width);

/* Allocates for s->count, height, width and f64, everything else being zero. On failure nothing is left. */
fanin_status fanin__stack_make(fanin *f, cl_command_queue queue, fanin__stack *s);
/* Right after enqueueing too: what is enqueued keeps the memory that it needs. */
void fanin__stack_release(fanin__stack *s);

/* Enqueues, after everything enqueued before and before everything enqueued next: of each of the first `count` matrices
 * of s->normals, column s from row s on is the vector x_s of the reflector H_s that sends x_s to -sign(x_s0) |x_s| e_0;
 * s->product becomes the first `width` columns of H_0 H_1 ... times the signs -sign(x_s0). For independent normals that
 * is Haar-distributed (Stewart, "The efficient generation of random orthogonal matrices with an application to
 * condition estimators", SIAM J. Numer. Anal. 17, 1980). A reflector whose x_s is 0, or not finite, does nothing, with
 * the sign 1: the product is orthogonal whatever the numbers are. */
fanin_status fanin__reflect(fanin *f, cl_command_queue queue, const fanin__stack *s, uint64_t count);

/* Compiles the kernels. */
fanin_status fanin__reflect_compile(fanin *f, bool f64);

#endif
