/* The table of initializers: what text, checks, resolution and description share. */
#ifndef HOST_INIT_INITIALIZER_H
#define HOST_INIT_INITIALIZER_H

#include "init/distribution.h"
#include "tensor/layout.h"

typedef struct fanin__choice {
  const char *name;
  int value; /* an enumerator, or 0 and 1 */
} fanin__choice;

typedef enum fanin__parameter_type {
  FANIN__NUMBER, /* double */
  FANIN__GAIN,   /* double; in text also an activation's name */
  FANIN__CHOICE  /* int or an enum */
} fanin__parameter_type;

/* A parameter of an initializer; lists of them end with a NULL name. */
typedef struct fanin__parameter {
  const char *name;
  size_t offset; /* of the field in fanin_init */
  fanin__parameter_type type;
  double least, most;           /* numbers: the range that is accepted */
  const fanin__choice *choices; /* choices: ends with a NULL name */
  size_t with; /* numbers: 0 means the default where the field at this offset is 0 too; mostly `offset` */
} fanin__parameter;

typedef struct fanin__initializer {
  fanin_description description;
  fanin_init defaults; /* of the parameters; other fields have what `resolve` is to see */
  const fanin__parameter *parameters;
  /* `init` was checked, its fields that are no parameters are the defaults; `roles` have O and I if needs_fans. */
  fanin_status (*resolve)(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);
} fanin__initializer;

/* NULL with a sentence set if `kind` is none. */
const fanin__initializer *fanin__initializer_of(fanin_kind kind);

/* Checks every parameter of an initializer whose zeros mean defaults; what is wrong fails with `status`. */
fanin_status fanin__check_init(const fanin_init *init, fanin_status status);

/* The same of one whose zeros mean 0: what a text says, before fanin__explicit(). */
fanin_status fanin__check_values(const fanin_init *init, fanin_status status);

/* The parameters' fields of `init`, with the defaults of those that are 0; everything else from the defaults. */
fanin_init fanin__used_fields(const fanin__initializer *initializer, const fanin_init *init);

/* The initializer that says in fields what `init` says with zeros that mean 0: a constant for a gain, scale or std of 0
 * and for lo = hi, a normal for a sparsity of 0. */
fanin_init fanin__explicit(const fanin_init *init);

/* Fields by their description; `record` is a fanin_init, or a struct that begins with one. */
double fanin__get_number(const void *record, const fanin__parameter *parameter);
int fanin__get_choice(const void *record, const fanin__parameter *parameter);
void fanin__set_number(void *record, const fanin__parameter *parameter, double value);
void fanin__set_choice(void *record, const fanin__parameter *parameter, int value);

/* Adds `item` to a list "first, second" in a text of `size` bytes; cuts what does not fit. */
void fanin__append(char *list, size_t size, const char *item);

/* "accepted are normal, trunc_normal", "a finite number is accepted", ... */
void fanin__accepted(const fanin__parameter *parameter, char *text, size_t size);

/* ---- resolve.c: what the table points to ------------------------------------------------------------------------- */

fanin_status fanin__resolve_constant(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);
fanin_status fanin__resolve_uniform(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);
fanin_status fanin__resolve_normal(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);
fanin_status fanin__resolve_trunc_normal(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);
fanin_status fanin__resolve_fans(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);
fanin_status fanin__resolve_identity(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);
fanin_status fanin__resolve_dirac(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);
fanin_status fanin__resolve_orthogonal(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);
fanin_status fanin__resolve_delta_orthogonal(const fanin_init *init, const fanin__roles *roles,
                                             fanin__distribution *out);
fanin_status fanin__resolve_sparse(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);
fanin_status fanin__resolve_bilinear(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);
fanin_status fanin__resolve_hadamard(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);

#endif
