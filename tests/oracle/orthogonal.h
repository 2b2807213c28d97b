/* docs/orthogonal.md in plain C and double precision: reflectors one by one. */
#ifndef FANIN_TESTS_ORTHOGONAL_H
#define FANIN_TESTS_ORTHOGONAL_H

#include "oracle/oracle.h"

/* Makes of a matrix of normals, `width` columns of `height` >= width numbers each, stored by columns, the first columns
 * of the product of its reflectors; with `fix` times the signs that make it Haar-distributed. In place. */
void oracle_reflect(double *matrix, size_t height, size_t width, bool fix);

/* The normals of a whole tensor, row-major, as the stream has them in f32 (or f64 for f64 tensors). free() them. */
double *oracle_normals(const fanin_tensor *t, fanin_key key);

/* Every element of a whole tensor of orthogonal, or delta_orthogonal, of gain 1, row-major; free() them. */
double *oracle_orthogonal(const fanin_tensor *t, fanin_key key);
double *oracle_delta_orthogonal(const fanin_tensor *t, fanin_key key);

#endif
