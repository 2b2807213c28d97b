/* The limit's outer part: which variant runs, and threads that share a tensor out. */
#include "limit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "limit_kernels.h"

/* ---- Variants ---------------------------------------------------------------------------------------------------- */

typedef struct variant {
  const char *name;
  limit_kernel *kernel;
  bool (*runs)(void);
  bool can_stream;
} variant;

static bool always(void) {
  return true;
}

#if defined(LIMIT_X86)
static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
}
#endif

static const variant VARIANTS[] = {
#if defined(LIMIT_X86)
    {"avx512", limit_avx512, has_avx512, true},
    {"avx2", limit_avx2, has_avx2, true},
#endif
    {"portable", limit_portable, always, false},
};

static const variant *find_variant(size_t index) {
  for (size_t k = 0; k < sizeof VARIANTS / sizeof *VARIANTS; k++) {
    if (VARIANTS[k].runs() && index-- == 0) return &VARIANTS[k];
  }
  return NULL;
}

const char *limit_variant(size_t index) {
  const variant *const v = find_variant(index);
  return v ? v->name : NULL;
}

/* ---- Threads ----------------------------------------------------------------------------------------------------- */

/* A tensor is cut into slices that the threads take as they come: one that is kept waiting by something else on the
 * machine takes fewer. Up to ALONE elements, waking the others would take longer than the fill. */
enum { SLICE = 1 << 18, ALONE = 1 << 16 };

struct limit {
  const variant *variant;
  pthread_t *workers;
  size_t n_workers; /* besides the caller */
  pthread_mutex_t lock;
  pthread_cond_t wake, done;
  uint64_t job;   /* counts up with every job; guarded by lock, as is what follows */
  size_t working; /* workers that have not finished the job */
  bool closing;
  limit_tensor tensor; /* the job's; constant while anyone works */
  float *out;
  size_t elements;
  atomic_size_t next; /* the first element that nobody has taken */
};

/* Elements first .. first + count; whatever does not fill a step of the kernel goes through a buffer. */
static void fill_slice(const limit *l, size_t first, size_t count) {
  const size_t step = 4 * LIMIT_STEP, whole = count / step * step;
  l->variant->kernel(l->out + first, (uint32_t)(first / 4), whole / 4, &l->tensor);
  if (whole == count) return;
  _Alignas(LIMIT_ALIGNMENT) float rest[4 * LIMIT_STEP];
  l->variant->kernel(rest, (uint32_t)((first + whole) / 4), LIMIT_STEP, &l->tensor);
  memcpy(l->out + first + whole, rest, (count - whole) * sizeof *rest);
}

static void work(limit *l) {
  for (;;) {
    const size_t first = atomic_fetch_add(&l->next, SLICE);
    if (first >= l->elements) return;
    fill_slice(l, first, l->elements - first < SLICE ? l->elements - first : SLICE);
  }
}

static void *worker(void *argument) {
  limit *const l = argument;
  uint64_t seen = 0;
  (void)pthread_mutex_lock(&l->lock);
  for (;;) {
    while (l->job == seen && !l->closing)
      (void)pthread_cond_wait(&l->wake, &l->lock);
    if (l->closing) break;
    seen = l->job;
    (void)pthread_mutex_unlock(&l->lock);
    work(l);
    (void)pthread_mutex_lock(&l->lock);
    if (--l->working == 0) (void)pthread_cond_signal(&l->done);
  }
  (void)pthread_mutex_unlock(&l->lock);
  return NULL;
}

void limit_fill(limit *l, float *out, size_t elements, uint64_t seed, uint64_t stream, const limit_law *law,
                bool streams) {
  l->tensor = limit_tensor_of(seed, stream, law, streams && l->variant->can_stream);
  l->out = out;
  l->elements = elements;
  atomic_store(&l->next, 0);
  const bool together = elements > ALONE && l->n_workers > 0;
  if (together) {
    (void)pthread_mutex_lock(&l->lock);
    l->job++;
    l->working = l->n_workers;
    (void)pthread_cond_broadcast(&l->wake);
    (void)pthread_mutex_unlock(&l->lock);
  }
  work(l);
  if (!together) return;
  (void)pthread_mutex_lock(&l->lock);
  while (l->working > 0)
    (void)pthread_cond_wait(&l->done, &l->lock);
  (void)pthread_mutex_unlock(&l->lock);
}

limit *limit_open(const char *name) {
  const variant *chosen = NULL;
  for (size_t k = 0; (chosen = find_variant(k)) && name && strcmp(chosen->name, name) != 0; k++) {}
  if (!chosen) return NULL;
  limit *const l = calloc(1, sizeof *l);
  if (!l) return NULL;
  l->variant = chosen;
  cpu_set_t allowed;
  const int processors = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
  const size_t wanted = processors > 1 ? (size_t)processors - 1 : 0;
  (void)pthread_mutex_init(&l->lock, NULL);
  (void)pthread_cond_init(&l->wake, NULL);
  (void)pthread_cond_init(&l->done, NULL);
  l->workers = calloc(wanted + 1, sizeof *l->workers);
  while (l->workers && l->n_workers < wanted && pthread_create(&l->workers[l->n_workers], NULL, worker, l) == 0)
    l->n_workers++;
  if (l->n_workers == wanted && l->workers) return l;
  limit_close(l);
  return NULL;
}

void limit_close(limit *l) {
  if (!l) return;
  (void)pthread_mutex_lock(&l->lock);
  l->closing = true;
  (void)pthread_cond_broadcast(&l->wake);
  (void)pthread_mutex_unlock(&l->lock);
  for (size_t k = 0; k < l->n_workers; k++)
    (void)pthread_join(l->workers[k], NULL);
  (void)pthread_cond_destroy(&l->done);
  (void)pthread_cond_destroy(&l->wake);
  (void)pthread_mutex_destroy(&l->lock);
  free(l->workers);
  free(l);
}

size_t limit_threads(const limit *l) {
  return l->n_workers + 1;
}

bool limit_can_stream(const limit *l) {
  return l->variant->can_stream;
}
