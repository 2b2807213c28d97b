/* A layer's weights on the device: made or copied, and what they look like. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/queue.h"
#include "core/status.h"
#include "fanin/fill.h"
#include "init/distribution.h"
#include "probe/mlp.h"

/* ---- Loading ----------------------------------------------------------------------------------------------------- */

/* To f32, which the products are in. */
fanin_status fanin__mlp_widen(const fanin__mlp *w, uint64_t elements) {
  if (w->weight == w->weight_f32) return FANIN_STATUS_OK;
  return FANIN__MLP_WEIGHTS(w, "widen_weights", (size_t)elements, FANIN__VALUE(w->weight), FANIN__VALUE(w->weight_f32));
}

static fanin_status copy_weights(const fanin__mlp *w, const fanin_tensor *from, uint64_t elements) {
  const size_t bytes = (size_t)elements * fanin_dtype_size(from->dtype);
  const cl_int code = clEnqueueCopyBuffer(w->queue, from->buffer, w->weight, from->offset, 0, bytes, 0, NULL, NULL);
  return code == CL_SUCCESS ? fanin__order(w->queue) : fanin__fail_cl(code, "clEnqueueCopyBuffer of weights");
}

const fanin_init *fanin__init_of(const fanin_probe_config *config, size_t l) {
  return config->inits ? &config->inits[l - 1] : &config->init;
}

const float *fanin__biases_of(const fanin_probe_config *config, size_t l) {
  return config->biases ? config->biases[l - 1] : NULL;
}

fanin_status fanin__mlp_load_bias(fanin__mlp *w, size_t l) {
  const float *const given = fanin__biases_of(w->config, l);
  if (given) return fanin__mlp_send(w, w->bias, given, (size_t)w->stages[l].rows);
  const fanin_init init = fanin_normal(0, w->config->bias_std);
  char name[48];
  snprintf(name, sizeof name, "layer%zu.bias", l);
  return fanin__mlp_fill(w, w->bias, FANIN_DTYPE_F32, NULL, 1, &w->stages[l].rows, &init, name);
}

fanin_status fanin__mlp_load(fanin__mlp *w, size_t l) {
  const fanin_probe_config *const config = w->config;
  const uint64_t shape[2] = {w->stages[l].rows, w->stages[l - 1].width};
  const fanin_tensor *const given = config->weights ? &config->weights[l - 1] : NULL;
  char name[48];
  snprintf(name, sizeof name, "layer%zu.weight", l);
  if (given && given->buffer) {
    FANIN__TRY(copy_weights(w, given, shape[0] * shape[1]));
  } else {
    FANIN__TRY(fanin__mlp_fill(w, w->weight, config->dtype, "OI", 2, shape, fanin__init_of(config, l), name));
  }
  FANIN__TRY(fanin__mlp_load_bias(w, l));
  return fanin__mlp_widen(w, shape[0] * shape[1]);
}

/* ---- Lines that are equal ---------------------------------------------------------------------------------------- */

typedef struct print {
  uint32_t bits[2];
} print;

static int compare(const void *a, const void *b) {
  return memcmp(a, b, sizeof(print));
}

/* Lines of the weights that are equal to one before; rows or columns. */
static fanin_status count_tied(fanin__mlp *w, uint64_t lines, cl_ulong pitch, cl_ulong stride, cl_ulong length,
                               uint64_t *count) {
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "fingerprints", (size_t)lines, 1, FANIN__VALUE(w->weight_f32), FANIN__VALUE(pitch),
                            FANIN__VALUE(stride), FANIN__VALUE(length), FANIN__VALUE(w->lines)));
  FANIN__TRY(fanin__mlp_fetch(w, w->lines, w->host, 2 * (size_t)lines));
  qsort(w->host, (size_t)lines, sizeof(print), compare);
  const print *const prints = (const print *)(const void *)w->host;
  *count = 0;
  for (uint64_t k = 1; k < lines; k++) {
    *count += compare(&prints[k - 1], &prints[k]) == 0;
  }
  return FANIN_STATUS_OK;
}

/* ---- Are these the random numbers of stream v1? ------------------------------------------------------------------ */

/* A generator that is wrong can have all the right moments, as one does that takes low words for high words of
 * products. So the signs are compared with Philox on the host. */

/* Salmon et al., SC'11: ten rounds. */
static void philox(uint64_t key, uint64_t block, uint64_t stream, uint32_t out[4]) {
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = UINT64_C(0xD2511F53) * c0, p1 = UINT64_C(0xCD9E8D57) * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += UINT32_C(0x9E3779B9);
    k1 += UINT32_C(0xBB67AE85);
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/* Whether element i of a distribution that is symmetric about 0 is negative (docs/stream.md, section 4). */
static bool is_negative(const uint32_t words[4], uint64_t i, bool normal) {
  const uint32_t angle = words[(i & 3) | 1];
  if (!normal) return words[i & 3] >> 31;
  if (i & 1) return angle >> 31;               /* sin */
  return (angle + UINT32_C(0x40000000)) >> 31; /* cos */
}

static bool is_symmetric(const fanin__distribution *d) {
  switch (d->law.kind) {
  case FANIN_LAW_KIND_UNIFORM:
    return d->law.lo == -d->law.hi;
  case FANIN_LAW_KIND_NORMAL:
    return d->law.mean == 0;
  case FANIN_LAW_KIND_TRUNC_NORMAL:
    return d->law.mean == 0 && d->law.from == -d->law.to;
  default:
    return false;
  }
}

/* Whether the first n elements of a tensor have the signs that the stream gives them; true for distributions that are
 * not symmetric about 0, of which the signs say nothing. */
static bool signs_agree(const fanin__distribution *d, fanin_key key, const float *values, uint64_t n) {
  if (!is_symmetric(d)) return true;
  uint32_t words[4] = {0};
  for (uint64_t i = 0; i < n; i++) {
    if ((i & 3) == 0) philox(key.seed, i >> 2, key.stream, words);
    if (values[i] == 0) continue;
    if ((values[i] < 0) != is_negative(words, i, d->law.kind == FANIN_LAW_KIND_NORMAL)) return false;
  }
  return true;
}

/* The first few thousand signs; nothing is said of weights that the caller gave. */
static fanin_status check_stream(fanin__mlp *w, size_t l, const fanin_tensor *t, bool *wrong) {
  enum { SIGNS = 4096 };
  const fanin_tensor *const given = w->config->weights ? &w->config->weights[l - 1] : NULL;
  const uint64_t rows = t->shape[0], columns = t->shape[1], room = 2 * (rows > columns ? rows : columns);
  fanin__distribution distribution;
  fanin_key key;
  char name[48];
  *wrong = false;
  if (given && given->buffer) return FANIN_STATUS_OK;
  FANIN__TRY(fanin__resolve(t, fanin__init_of(w->config, l), &distribution));
  uint64_t n = rows * columns < SIGNS ? rows * columns : SIGNS;
  if (n > room) n = room;
  FANIN__TRY(fanin__mlp_fetch(w, w->weight_f32, w->host, (size_t)n));
  snprintf(name, sizeof name, "layer%zu.weight", l);
  FANIN__TRY(fanin_key_named(w->config->seed, name, &key));
  *wrong = !signs_agree(&distribution, key, w->host, n);
  return FANIN_STATUS_OK;
}

/* ---- How orthogonal they are ------------------------------------------------------------------------------------- */

/* E23: how far the loaded weights of layer l are from orthogonal: max |Q^T Q - I|, Q being the rows or columns,
 * whichever are fewer, each divided by the root of their mean square. `second`: the mean square of the weights. */
static fanin_status measure_overlap(fanin__mlp *w, size_t l, double second, double *most) {
  const uint64_t rows = w->stages[l].rows, columns = w->stages[l - 1].width;
  const bool tall = rows > columns;
  const uint64_t n = tall ? columns : rows, length = tall ? rows : columns, shape[2] = {n, n};
  const fanin_init identity = fanin_identity(1);
  const double square = second * (double)length; /* of a vector, on average */
  FANIN__TRY(fanin__mlp_fill(w, w->overlap, FANIN_DTYPE_F32, "OI", 2, shape, &identity, "identity"));
  /* c (n, n) = W W^T / square - I, or W^T W for a tall one, W (rows, columns) */
  const fanin__matmul product = {.m = n,
                                 .n = n,
                                 .k = length,
                                 .a_transposed = tall,
                                 .b_transposed = !tall,
                                 .alpha = square > 0 ? (float)(1 / square) : 0,
                                 .beta = -1,
                                 .a = w->weight_f32,
                                 .b = w->weight_f32,
                                 .c = w->overlap};
  FANIN__TRY(fanin__mlp_multiply(w, &product));
  fanin_stats stats = {0};
  FANIN__TRY(fanin__mlp_measure(w, w->overlap, shape, &stats));
  *most = stats.nonfinite > 0 ? INFINITY : fmax(fabs(stats.min), fabs(stats.max));
  return FANIN_STATUS_OK;
}

/* ---- All of it ----------------------------------------------------------------------------------------------------
 */

fanin_status fanin__mlp_weigh(fanin__mlp *w, size_t l, fanin__weight_facts *facts) {
  const uint64_t rows = w->stages[l].rows, columns = w->stages[l - 1].width, shape[2] = {rows, columns};
  fanin_tensor t;
  FANIN__TRY(fanin_tensor_of(w->weight, 0, w->config->dtype, "OI", 2, shape, &t));
  FANIN__TRY(fanin_measure(w->f, w->queue, &t, 0, NULL, &facts->stats, sizeof facts->stats));
  facts->overlap = NAN;
  if (fanin__init_of(w->config, l)->kind == FANIN_KIND_ORTHOGONAL && w->overlap && facts->stats.nonfinite == 0) {
    FANIN__TRY(measure_overlap(w, l, facts->stats.second, &facts->overlap));
  }
  FANIN__TRY(count_tied(w, rows, columns, 1, columns, &facts->tied_rows));
  FANIN__TRY(count_tied(w, columns, 1, columns, rows, &facts->tied_columns));
  return check_stream(w, l, &t, &facts->wrong_stream);
}
