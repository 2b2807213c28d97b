/* The initializers that frameworks and papers use most: what the weights of a file, of which nothing says how they were
 * made, are compared with. */
#ifndef CLI_INIT_COMMON_H
#define CLI_INIT_COMMON_H

#include <stdbool.h>
#include <stddef.h>

/* Which fans a std follows from. */
typedef enum common_fans { COMMON_FAN_IN, COMMON_FAN_OUT, COMMON_FANS, COMMON_NO_FAN } common_fans;

/* Initializers of one std, by their laws: texts that fanin_init_parse() takes. NULL: nobody makes that law of it. */
typedef struct common_init {
  const char *name; /* "he", "std 0.02 (GPT-2, BERT)" */
  common_fans fans;
  const char *normal, *uniform, *truncated;
} common_init;

/* The most frequent first: of two that fit alike the first one is the guess. */
extern const common_init common_inits[];
extern const size_t n_common_inits;

/* The std of the row's initializers on a matrix with these fans; of its uniforms, or of the others. NaN: the row has
 * none of that law. */
double common_std(const common_init *c, bool uniform, double fan_in, double fan_out);

#endif
