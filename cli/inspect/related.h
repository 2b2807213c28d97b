/* Whether the beginnings of a file's tensors correlate: a stream of random numbers that was used twice. */
#ifndef CLI_INSPECT_RELATED_H
#define CLI_INSPECT_RELATED_H

#include "inspect/inspection.h"

/* How many tensors of a file are compared in pairs, the first ones; and the fewest elements of such a tensor. */
enum { PAIRED_TENSORS = 1024, PAIRED_LEAST = 256 };

/* Samples of tensors, standardised, in a buffer on the device. */
typedef struct related {
  cl_mem samples;
  size_t capacity, count;
  size_t *tensors;   /* the tensor of each sample */
  uint64_t *lengths; /* elements in each */
} related;

/* Makes room for the file's tensors. Ends with related_free(), also after a failure. */
int related_make(const session *s, const tensor_file *f, related *out, failure *why);
void related_free(related *r);

/* Takes the first elements of a tensor, if it has enough of them and there is room. */
int related_take(const measurer *m, const survey *s, size_t tensor, related *r, inspection *out, failure *why);

/* Correlates all pairs in one launch for some 10^5 of them: out->pairs, closest and compared_pairs. */
int related_compare(const session *s, const related *r, inspection *out, failure *why);

#endif
