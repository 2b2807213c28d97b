/* bench_products [BLAS]: the probe's matrix product beside CLBlast's, where this was built with it, and a BLAS for the
 * host: any shared library that has sgemm_, such as libopenblas.so.0, or the libtorch_cpu.so of PyPI's PyTorch, which
 * is MKL. Wall clock in turns, medians of nine, in GFLOP/s; the host's BLAS has as many threads as it takes by itself.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef HAVE_CLBLAST
#include <clblast_c.h>
#endif

#include "fanin.h"
#include "probe/gemm.h"
#include "timing.h"

enum { TURNS = 9, PEERS = 3, LONGEST = 2048 * 2048 };
static const char *const names[PEERS] = {"fanin", "CLBlast", "BLAS"};

typedef void sgemm(const char *, const char *, const int *, const int *, const int *, const float *, const float *,
                   const int *, const float *, const int *, const float *, float *, const int *);

typedef struct setting {
  fanin *f;
  cl_command_queue queue;
  cl_mem buffers[3];
  float *host[3];
  sgemm *blas;
} setting;

static void stop(const char *what) {
  fprintf(stderr, "bench_products: %s\n", what);
  exit(1);
}

/* Waits until other libraries' threads, which wait busily for a while, are asleep. */
static void rest(void) {
  nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
}

/* CLBlast's product with the parameters that its tuner finds for PoCL on a CPU; its own reach half of that. */
static bool by_clblast(setting *s, const fanin__matmul *p) {
#ifdef HAVE_CLBLAST
  static bool is_tuned;
  const char *names_of[] = {"GEMMK", "KREG", "KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB",
                            "NDIMC", "NWG",  "SA",  "SB",  "STRM",  "STRN",  "VWM", "VWN"};
  const size_t values[] = {0, 1, 32, 2, 8, 8, 64, 8, 8, 64, 1, 1, 0, 0, 4, 4};
  const char *routine[] = {"XGEMM_MIN_INDIRECT_SIZE"};
  cl_device_id device = NULL;
  if (fanin_device(s->f, &device) != FANIN_STATUS_OK) stop(fanin_last_error());
  if (!is_tuned) {
    (void)CLBlastOverrideParameters(device, "Xgemm", CLBlastPrecisionSingle, 16, names_of, values);
    (void)CLBlastOverrideParameters(device, "GemmRoutine", CLBlastPrecisionSingle, 1, routine, (const size_t[]){1});
    is_tuned = true;
  }
  return CLBlastSgemm(CLBlastLayoutRowMajor, p->a_transposed ? CLBlastTransposeYes : CLBlastTransposeNo,
                      p->b_transposed ? CLBlastTransposeYes : CLBlastTransposeNo, (size_t)p->m, (size_t)p->n,
                      (size_t)p->k, 1, p->a, 0, (size_t)(p->a_transposed ? p->m : p->k), p->b, 0,
                      (size_t)(p->b_transposed ? p->k : p->n), 0, p->c, 0, (size_t)p->n, &s->queue,
                      NULL) == CLBlastSuccess;
#else
  (void)s, (void)p;
  return false;
#endif
}

/* The host's, by columns: C^T = B^T A^T. */
static bool by_blas(setting *s, const fanin__matmul *p) {
  const int m = (int)p->m, n = (int)p->n, k = (int)p->k;
  const float one = 1, zero = 0;
  if (!s->blas) return false;
  s->blas(p->b_transposed ? "T" : "N", p->a_transposed ? "T" : "N", &n, &m, &k, &one, s->host[1],
          p->b_transposed ? &k : &n, s->host[0], p->a_transposed ? &m : &k, &zero, s->host[2], &n);
  return true;
}

/* Seconds that a peer's product takes, 0 where there is no such peer. */
static double seconds(setting *s, const fanin__matmul *p, int peer) {
  bool ran = false;
  rest();
  const double start = timing_now();
  switch (peer) {
  case 0:
    ran = fanin__gemm(s->f, s->queue, p) == FANIN_STATUS_OK;
    break;
  case 1:
    ran = by_clblast(s, p);
    break;
  default:
    ran = by_blas(s, p);
  }
  if (clFinish(s->queue) != CL_SUCCESS) stop("clFinish");
  return ran ? timing_now() - start : 0;
}

static void compare(setting *s, const fanin__matmul *p) {
  double times[PEERS][TURNS];
  for (int turn = -1; turn < TURNS; turn++) { /* the first compiles kernels */
    for (int peer = 0; peer < PEERS; peer++) {
      const double taken = seconds(s, p, peer);
      if (turn >= 0) times[peer][turn] = taken;
    }
  }
  printf("%5d x %5d x %5d  %s%s", (int)p->m, (int)p->n, (int)p->k, p->a_transposed ? "A^T" : "A",
         p->b_transposed ? " B^T" : " B");
  for (int peer = 0; peer < PEERS; peer++) {
    const double taken = timing_median(times[peer], TURNS);
    if (taken > 0) printf("  %s %.1f", names[peer], 2e-9 * (double)p->m * (double)p->n * (double)p->k / taken);
  }
  printf("\n");
  fflush(stdout);
}

static void check(fanin_status status) {
  if (status != FANIN_STATUS_OK) stop(fanin_last_error());
}

/* A matrix of uniform numbers, on the device and on the host. */
static void make(setting *s, int k) {
  const size_t bytes = LONGEST * sizeof(float);
  const fanin_init uniform = fanin_uniform(-1, 1);
  fanin_tensor t;
  check(fanin_tensor_alloc(s->f, FANIN_DTYPE_F32, "O", 1, (const uint64_t[]){LONGEST}, &t));
  check(fanin_fill(s->f, s->queue, &t, &uniform, (fanin_key){42, (uint64_t)k}, 0, NULL, NULL));
  s->buffers[k] = t.buffer;
  s->host[k] = malloc(bytes);
  if (!s->host[k]) stop("out of memory");
  check(fanin_read(s->f, s->queue, &t, s->host[k], bytes, 1, 0, NULL, NULL));
}

static void load_blas(setting *s, const char *path) {
  void *const library = dlopen(path, RTLD_NOW);
  if (!library) stop(dlerror());
  *(void **)&s->blas = dlsym(library, "sgemm_");
  if (!s->blas) stop("that library has no sgemm_");
}

int main(int argc, char **argv) {
  static const fanin__matmul shapes[] = {{.m = 256, .n = 300, .k = 784, .b_transposed = true},
                                         {.m = 300, .n = 784, .k = 256, .a_transposed = true},
                                         {.m = 2048, .n = 2048, .k = 128},
                                         {.m = 2048, .n = 2048, .k = 2048},
                                         {.m = 2048, .n = 2048, .k = 2048, .b_transposed = true},
                                         {.m = 2048, .n = 2048, .k = 2048, .a_transposed = true}};
  setting s = {0};
  check(fanin_open(NULL, &s.f));
  check(fanin_queue(s.f, &s.queue));
  if (argc > 1) load_blas(&s, argv[1]);
  for (int k = 0; k < 3; k++) {
    make(&s, k);
  }
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
    fanin__matmul p = shapes[k];
    p.alpha = 1;
    p.a = s.buffers[0];
    p.b = s.buffers[1];
    p.c = s.buffers[2];
    compare(&s, &p);
  }
  for (int k = 0; k < 3; k++) {
    (void)clReleaseMemObject(s.buffers[k]);
    free(s.host[k]);
  }
  fanin_release(s.f);
  return 0;
}
