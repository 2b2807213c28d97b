/* The singular values of a product of random matrices: Saxe et al. 2013, section 3.
 *   saxe_spectrum INIT LAYERS WIDTH
 * prints rank and singular value, descending, of W_L ... W_1, each width x width and filled by INIT. */
#include "weights.h"

/* c = a b, all n x n, row-major */
static void multiply(const double *a, const double *b, size_t n, double *c) {
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) {
      c[i * n + j] = 0;
    }
    for (size_t k = 0; k < n; k++) {
      for (size_t j = 0; j < n; j++) {
        c[i * n + j] += a[i * n + k] * b[k * n + j];
      }
    }
  }
}

int main(int argc, char **argv) {
  fanin *f = NULL;
  fanin_init init;
  if (argc != 4) {
    fprintf(stderr, "usage: saxe_spectrum INIT LAYERS WIDTH\n");
    return 2;
  }
  const size_t layers = count_of(argv[2]);
  const size_t n = count_of(argv[3]);
  check(fanin_init_parse(argv[1], &init));
  check(fanin_open(NULL, &f));
  double *w = numbers(n * n), *product = numbers(n * n), *next = numbers(n * n), *s = numbers(n);
  for (size_t i = 0; i < n; i++) {
    product[i * n + i] = 1;
  }
  for (size_t l = 1; l <= layers; l++) {
    draw_weights(f, &init, l, n, w);
    multiply(w, product, n, next);
    double *swap = product;
    product = next;
    next = swap;
  }
  singular_values(product, n, s);
  for (size_t i = 0; i < n; i++) {
    printf("%zu %.6g\n", i + 1, s[i]);
  }
  free(w);
  free(product);
  free(next);
  free(s);
  fanin_release(f);
  return 0;
}
