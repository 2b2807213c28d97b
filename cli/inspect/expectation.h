/* What a tensor should be, in the words of somebody who can promise it. */
#ifndef CLI_INSPECT_EXPECTATION_H
#define CLI_INSPECT_EXPECTATION_H

#include <stdbool.h>

#include "fanin/inspect.h"
#include "formats/tensor_file.h"
#include "formats/tensor_parts.h"
#include "formats/tensor_text.h"

/* Who says what a tensor should be. */
typedef enum expected_by { BY_NOBODY, BY_FILE, BY_RULES, BY_MODEL, BY_OPTION } expected_by;

/* What a tensor should be. The looks of its values promise nothing. */
typedef struct expectation {
  bool known; /* the members from init on are set, and the tensor can be tested against them */
  expected_by by;
  char *text;          /* the initializer, as it was named; NULL: none was. The owner of the struct frees it, */
  char *reason;        /* and this: why the tensor cannot be judged although somebody said something; NULL */
  char *dispute;       /* what others say, where it is something else; NULL: nothing. The owner frees it too */
  const char *twin;    /* the name of the tensor whose values it should have; NULL: its own */
  const char *norm_of; /* the name of the tensor whose norms it should have, instead of an initializer; NULL: none */
  bool rescaled;       /* its values were rounded, multiplied by a factor, and rounded again */
  char layout[LAYOUT_TEXT]; /* "" where there is none */
  fanin_init init;
  tensor_parts parts; /* that have other initializers: `moments` and `law` are not set, and each slab has an expectation
                         of its own, which expectation_of_region() makes. The owner frees them */
  char *rest;         /* why what lies between the parts is not judged; NULL: `init` is its initializer. Freed too */
  fanin_moments moments;
  fanin_law law;
} expectation;

/* Sets what follows from an initializer and the tensor that it fills: known, layout, init, moments and law; or the
 * reason why the initializer does not fit the tensor. */
void expectation_set(expectation *e, const fanin_tensor *t, const fanin_init *init);

/* Releases what the expectation owns. */
void expectation_free(expectation *e);

/* Sets the reason why it cannot be judged, and the name of the initializer: a copy. */
void expectation_reason(expectation *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
void expectation_text(expectation *e, const char *text);

/* Sets that a tensor should have the norms of the one of that name. */
void expectation_set_norm(expectation *e, const char *norm_of);

/* Sets text, and what follows from the initializers of a tensor of that file and of its parts. `own` is the tensor's;
 * NULL: the parts are all of the tensor. */
void expectation_set_parts(expectation *e, const tensor_file *f, const fanin_tensor *t, const fanin_init *own,
                           const tensor_parts *parts);

/* The next slab of a tensor whose expectation has parts, as tensor_parts_next(). */
bool expectation_next(const expectation *e, const stored_tensor *t, tensor_region *r);

/* What that slab should be. `out` is released by expectation_free(). */
void expectation_of_region(const expectation *e, const stored_tensor *t, const tensor_region *r, expectation *out);

/* Whether two known expectations of a tensor come to the same. */
bool expectation_is_same(const expectation *a, const expectation *b, const stored_tensor *t);

#endif
