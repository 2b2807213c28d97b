/* Arithmetic of whole numbers. */
#ifndef HOST_MATH_INTEGER_H
#define HOST_MATH_INTEGER_H

#include <stdint.h>

/* a / b, rounded up. */
static inline uint64_t fanin__ceil_div(uint64_t a, uint64_t b) {
  return a / b + (a % b != 0);
}

/* The largest power of two that is not above n >= 1. */
static inline uint64_t fanin__power_of_two(uint64_t n) {
  uint64_t power = 1;
  while (power <= n / 2)
    power *= 2;
  return power;
}

#endif
