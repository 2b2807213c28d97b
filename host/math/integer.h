/* Arithmetic of whole numbers. */
#ifndef HOST_MATH_INTEGER_H
#define HOST_MATH_INTEGER_H

#include <stdint.h>

/* a / b, rounded up. */
static inline uint64_t fanin__ceil_div(uint64_t a, uint64_t b) {
  return a / b + (a % b != 0);
}

#endif
