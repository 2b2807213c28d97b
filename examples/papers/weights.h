/* Layers' weights on the host, and their singular values: what the two programs beside this share. */
#ifndef PAPERS_WEIGHTS_H
#define PAPERS_WEIGHTS_H

#include <fanin.h>
#include <stdio.h>
#include <stdlib.h>

/* LAPACK's: singular values of an m x n matrix, which is destroyed; column-major or row-major is the same for them. */
extern void dgesdd_(const char *job, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
                    const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *iwork, int *info);

static void check(fanin_status status) {
  if (status == FANIN_STATUS_OK) return;
  fprintf(stderr, "%s\n", fanin_last_error());
  exit(1);
}

/* A whole number from 1 to 20000, or the end. */
static size_t count_of(const char *text) {
  char *end = NULL;
  const long n = strtol(text, &end, 10);
  if (end != text && *end == '\0' && n >= 1 && n <= 20000) return (size_t)n;
  fprintf(stderr, "'%s': a whole number from 1 to 20000 is needed\n", text);
  exit(2);
}

static double *numbers(size_t n) {
  double *x = calloc(n, sizeof *x);
  if (x) return x;
  fprintf(stderr, "out of memory\n");
  exit(1);
}

/* w (n x n, row-major): layer l's weights, the bits that `fanin probe` uses with seed 0. */
static void draw_weights(fanin *f, const fanin_init *init, size_t l, size_t n, double *w) {
  const uint64_t shape[2] = {n, n};
  fanin_tensor t;
  char name[32];
  float *host = calloc(n * n, sizeof *host);
  snprintf(name, sizeof name, "layer%zu.weight", l);
  check(host ? FANIN_STATUS_OK : FANIN_STATUS_OUT_OF_MEMORY);
  check(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, shape, &t));
  fanin_key key;
  check(fanin_key_named(0, name, &key));
  check(fanin_fill(f, NULL, &t, init, key, 0, NULL, NULL));
  check(fanin_read(f, NULL, &t, host, n * n * sizeof *host, 1, 0, NULL, NULL));
  for (size_t i = 0; i < n * n; i++) {
    w[i] = (double)host[i];
  }
  fanin_tensor_free(&t);
  free(host);
}

/* s: the n singular values of a (n x n), descending. */
static void singular_values(double *a, size_t n, double *s) {
  const int order = (int)n, one = 1, length = 16 * (int)n;
  int info = 0, *integers = calloc(8 * n, sizeof *integers);
  double *work = numbers((size_t)length), unused = 0;
  check(integers ? FANIN_STATUS_OK : FANIN_STATUS_OUT_OF_MEMORY);
  dgesdd_("N", &order, &order, a, &order, s, &unused, &one, &unused, &one, work, &length, integers, &info);
  if (info != 0) {
    fprintf(stderr, "dgesdd: %d\n", info);
    exit(1);
  }
  free(work);
  free(integers);
}

#endif
