/* Mean singular values of the layers' Jacobians of a tanh network: Glorot & Bengio 2010, section 4.2.1.
 *   glorot_jacobian INIT LAYERS WIDTH
 * prints for each layer l the mean singular value of W_l, and of dz_l / dz_{l-1} = W_l diag(tanh'(z_{l-1})) at one
 * input from N(0,1). */
#include "weights.h"

#include <math.h>

/* z = W h; w: n x n, row-major */
static void multiply(const double *w, const double *h, size_t n, double *z) {
  for (size_t i = 0; i < n; i++) {
    z[i] = 0;
    for (size_t j = 0; j < n; j++) {
      z[i] += w[i * n + j] * h[j];
    }
  }
}

static double mean_singular_value(const double *w, const double *slopes, size_t n, double *scratch, double *s) {
  double sum = 0;
  for (size_t i = 0; i < n * n; i++) {
    scratch[i] = w[i] * slopes[i % n];
  }
  singular_values(scratch, n, s);
  for (size_t i = 0; i < n; i++) {
    sum += s[i] / (double)n;
  }
  return sum;
}

int main(int argc, char **argv) {
  fanin *f = NULL;
  fanin_init init, input = fanin_normal(0, 1);
  if (argc != 4) {
    fprintf(stderr, "usage: glorot_jacobian INIT LAYERS WIDTH\n");
    return 2;
  }
  const size_t layers = count_of(argv[2]);
  const size_t n = count_of(argv[3]);
  check(fanin_init_parse(argv[1], &init));
  check(fanin_open(NULL, &f));
  double *w = numbers(n * n), *scratch = numbers(n * n), *s = numbers(n), *h = numbers(n), *z = numbers(n);
  double *slopes = numbers(n), *ones = numbers(n);
  draw_weights(f, &input, 0, n, w); /* its first row is as good an input as any */
  for (size_t i = 0; i < n; i++) {
    h[i] = w[i];
    slopes[i] = ones[i] = 1; /* no activation before the first layer */
  }
  printf("layer weights jacobian\n");
  for (size_t l = 1; l <= layers; l++) {
    draw_weights(f, &init, l, n, w);
    const double plain = mean_singular_value(w, ones, n, scratch, s);
    printf("%zu %.4f %.4f\n", l, plain, mean_singular_value(w, slopes, n, scratch, s));
    multiply(w, h, n, z);
    for (size_t i = 0; i < n; i++) {
      h[i] = tanh(z[i]);
      slopes[i] = 1 - h[i] * h[i];
    }
  }
  free(w);
  free(scratch);
  free(s);
  free(h);
  free(z);
  free(slopes);
  free(ones);
  fanin_release(f);
  return 0;
}
