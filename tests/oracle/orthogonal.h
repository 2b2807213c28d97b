/* Orthogonal matrices in plain C: bit for bit by docs/stream.md, section 8, and in double precision, reflector by
 * reflector, as docs/orthogonal.md defines them. */
#ifndef FANIN_TESTS_ORTHOGONAL_H
#define FANIN_TESTS_ORTHOGONAL_H

#include <stdbool.h>

#include "oracle/oracle.h"

/* Makes of a matrix of normals, `width` columns of `height` >= width numbers each, stored by columns, the first columns
 * of the product of its reflectors; with `fix` times the signs that make it Haar-distributed. In place. */
typedef void oracle_maker(fanin_dtype dtype, double *matrix, size_t height, size_t width, bool fix);

/* The specification, in f32, or in f64 where that is the dtype. */
oracle_maker oracle_orthonormal;
/* The definition, in double whatever the dtype. */
oracle_maker oracle_reflect;

/* The normals of a whole tensor, row-major, as the stream has them in f32 (or f64 for f64 tensors). free() them. */
double *oracle_normals(const fanin_tensor *t, fanin_key key);

/* Every element of a whole tensor of orthogonal, or delta_orthogonal, of gain 1, row-major, before it is rounded to the
 * dtype; free() them. */
double *oracle_orthogonal(const fanin_tensor *t, oracle_maker *make, fanin_key key);
double *oracle_delta_orthogonal(const fanin_tensor *t, oracle_maker *make, fanin_key key);

#endif
