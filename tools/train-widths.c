/* Where does the noise of narrow, deep networks stop them from training? The experiment behind the diagnosis
 * WIDTH_NOISE (docs/probe.md has its table): ReLU networks of he_normal weights learn share/data/digits.csv by plain
 * SGD, for each depth, width and seed, with the best of a few learning rates.
 *
 *   cc -O3 -march=native -ffast-math -o train-widths tools/train-widths.c -lm
 *   ./train-widths share/data/digits.csv EPOCHS SEEDS DEPTH,DEPTH,... WIDTH,WIDTH,... >table.csv
 *
 * The first 1500 digits are learned in batches of 50, for at most EPOCHS epochs. A run ends early once 90 % of the
 * other 297 are told right. Prints a row for each network: depth (matrices), width, seed, the rate that did best, its
 * epochs, and its best accuracy on the 297. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEATURES = 64, CLASSES = 10, DIGITS = 1797, LEARNED = 1500, BATCH = 50, DEPTH_MAX = 64 };

static const float rates[] = {0.03f, 0.1f, 0.01f, 0.003f, 0.001f};
enum { RATES = sizeof rates / sizeof *rates };
static const double enough = 0.9;
static int most_epochs;

static float digits[DIGITS * FEATURES];
static int labels[DIGITS];

/* ---- Data and random numbers ------------------------------------------------------------------------------------- */

static void fail(const char *what) {
  fprintf(stderr, "train-widths: %s\n", what);
  exit(2);
}

/* The features less their mean, divided by their std, as 'fanin probe --input' has them. */
static void read_digits(const char *path) {
  FILE *const file = fopen(path, "r");
  double mean = 0, square = 0;
  if (!file) fail("cannot open the digits");
  for (int r = 0; r < DIGITS; r++) {
    for (int c = 0; c < FEATURES; c++) {
      if (fscanf(file, "%f,", &digits[r * FEATURES + c]) != 1) fail("the digits are not 1797 rows of 65 numbers");
      mean += (double)digits[r * FEATURES + c] / (DIGITS * FEATURES);
    }
    if (fscanf(file, "%d", &labels[r]) != 1) fail("a row has no label");
  }
  fclose(file);
  for (int k = 0; k < DIGITS * FEATURES; k++) {
    square += pow((double)digits[k] - mean, 2) / (DIGITS * FEATURES);
  }
  for (int k = 0; k < DIGITS * FEATURES; k++) {
    digits[k] = (float)(((double)digits[k] - mean) / sqrt(square));
  }
}

/* SplitMix64 (Steele et al. 2014) */
static uint64_t next(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static double uniform(uint64_t *state) {
  return ((double)(next(state) >> 11) + 0.5) * 0x1p-53;
}

static float normal(uint64_t *state) {
  const double radius = sqrt(-2 * log(uniform(state)));
  return (float)(radius * cos(6.283185307179586 * uniform(state)));
}

/* ---- The network ------------------------------------------------------------------------------------------------- */

typedef struct layer {
  int in, out;
  float *w, *b, *h; /* (in, out), (out), (BATCH, out) */
} layer;

static layer layers[DEPTH_MAX];
static int depth;
static float *gradient, *before; /* (BATCH, the largest width) */

static float *floats(int n) {
  float *const x = calloc((size_t)n, sizeof *x);
  if (!x) fail("no memory");
  return x;
}

static void create(int n, int width, uint64_t seed) {
  uint64_t state = seed * 1000003 + (uint64_t)n * 1009 + (uint64_t)width;
  const int most = width > FEATURES ? width : FEATURES;
  depth = n;
  for (int l = 0; l < n; l++) {
    layer *const y = &layers[l];
    y->in = l == 0 ? FEATURES : width;
    y->out = l == n - 1 ? CLASSES : width;
    y->w = floats(y->in * y->out);
    y->b = floats(y->out);
    y->h = floats(BATCH * y->out);
    for (int k = 0; k < y->in * y->out; k++) {
      y->w[k] = normal(&state) * sqrtf(2.0f / (float)y->in);
    }
  }
  gradient = floats(BATCH * most);
  before = floats(BATCH * most);
}

static void destroy(void) {
  for (int l = 0; l < depth; l++) {
    free(layers[l].w);
    free(layers[l].b);
    free(layers[l].h);
  }
  free(gradient);
  free(before);
}

/* x (n, in) through all layers */
static void forward(const float *x, int n) {
  for (int l = 0; l < depth; l++) {
    const layer *const y = &layers[l];
    const float *const from = l == 0 ? x : layers[l - 1].h;
    for (int a = 0; a < n; a++) {
      float *const z = y->h + a * y->out;
      memcpy(z, y->b, (size_t)y->out * sizeof *z);
      for (int i = 0; i < y->in; i++) {
        const float value = from[a * y->in + i];
        if (value == 0) continue;
        for (int o = 0; o < y->out; o++) {
          z[o] += value * y->w[i * y->out + o];
        }
      }
      for (int o = 0; l < depth - 1 && o < y->out; o++) {
        z[o] = z[o] > 0 ? z[o] : 0;
      }
    }
  }
}

static int best_of(const float *z) {
  int best = 0;
  for (int c = 1; c < CLASSES; c++) {
    if (z[c] > z[best]) best = c;
  }
  return best;
}

/* The gradient of the mean cross-entropy. */
static void output_gradient(const int *rows) {
  for (int a = 0; a < BATCH; a++) {
    const float *const z = layers[depth - 1].h + a * CLASSES, most = z[best_of(z)];
    float sum = 0;
    for (int c = 0; c < CLASSES; c++) {
      sum += expf(z[c] - most);
    }
    for (int c = 0; c < CLASSES; c++) {
      gradient[a * CLASSES + c] = (expf(z[c] - most) / sum - (labels[rows[a]] == c ? 1.0f : 0.0f)) / BATCH;
    }
  }
}

/* Takes the gradient through layer l, whose weights take their step. */
static void step(int l, const float *x, float rate) {
  const layer *const y = &layers[l];
  const float *const from = l == 0 ? x : layers[l - 1].h;
  for (int a = 0; l > 0 && a < BATCH; a++) {
    for (int i = 0; i < y->in; i++) {
      float sum = 0;
      for (int o = 0; from[a * y->in + i] > 0 && o < y->out; o++) {
        sum += gradient[a * y->out + o] * y->w[i * y->out + o];
      }
      before[a * y->in + i] = sum;
    }
  }
  for (int a = 0; a < BATCH; a++) {
    for (int i = 0; i < y->in; i++) {
      const float value = rate * from[a * y->in + i];
      if (value == 0) continue;
      for (int o = 0; o < y->out; o++) {
        y->w[i * y->out + o] -= value * gradient[a * y->out + o];
      }
    }
    for (int o = 0; o < y->out; o++) {
      y->b[o] -= rate * gradient[a * y->out + o];
    }
  }
  float *const swap = gradient;
  gradient = before;
  before = swap;
}

/* ---- Training ---------------------------------------------------------------------------------------------------- */

static double accuracy(void) {
  int right = 0;
  for (int r = LEARNED; r < DIGITS; r += BATCH) {
    const int n = DIGITS - r < BATCH ? DIGITS - r : BATCH;
    forward(digits + r * FEATURES, n);
    for (int a = 0; a < n; a++) {
      right += best_of(layers[depth - 1].h + a * CLASSES) == labels[r + a];
    }
  }
  return right / (double)(DIGITS - LEARNED);
}

static void learn_epoch(float rate, uint64_t *state) {
  static float x[BATCH][FEATURES];
  int order[LEARNED];
  for (int k = 0; k < LEARNED; k++) {
    order[k] = k;
  }
  for (int k = LEARNED - 1; k > 0; k--) {
    const int j = (int)(next(state) % (uint64_t)(k + 1)), swap = order[k];
    order[k] = order[j];
    order[j] = swap;
  }
  for (int first = 0; first + BATCH <= LEARNED; first += BATCH) {
    for (int a = 0; a < BATCH; a++) {
      memcpy(x[a], digits + order[first + a] * FEATURES, sizeof x[a]);
    }
    forward(x[0], BATCH);
    output_gradient(order + first);
    for (int l = depth - 1; l >= 0; l--) {
      step(l, x[0], rate);
    }
  }
}

/* The best accuracy after any epoch; the number of epochs that were run. */
static double train(int n, int width, uint64_t seed, float rate, int *epochs) {
  uint64_t state = seed + 77;
  double best = 0;
  create(n, width, seed);
  for (*epochs = 0; *epochs < most_epochs && best < enough;) {
    learn_epoch(rate, &state);
    ++*epochs;
    best = fmax(best, accuracy());
  }
  destroy();
  return best;
}

static void compare_rates(int n, int width, uint64_t seed) {
  double best = -1;
  float best_rate = 0;
  int best_epochs = 0;
  for (int k = 0; k < RATES && best < enough; k++) {
    int epochs;
    const double reached = train(n, width, seed, rates[k], &epochs);
    if (reached <= best) continue;
    best = reached;
    best_rate = rates[k];
    best_epochs = epochs;
  }
  printf("%d,%d,%d,%g,%d,%.4f\n", n, width, (int)seed, (double)best_rate, best_epochs, best);
  fflush(stdout);
}

static int numbers(const char *text, int *out, int most) {
  int n = 0;
  for (char *end; n < most && *text; text = *end == ',' ? end + 1 : end) {
    out[n++] = (int)strtol(text, &end, 10);
    if (end == text || out[n - 1] < 1) fail("expected whole numbers with commas between them");
  }
  return n;
}

int main(int argc, char **argv) {
  int depths[16], widths[16];
  if (argc != 6) fail("usage: train-widths DIGITS.csv EPOCHS SEEDS DEPTH,... WIDTH,...");
  read_digits(argv[1]);
  const int seeds = atoi(argv[3]), n_depths = numbers(argv[4], depths, 16), n_widths = numbers(argv[5], widths, 16);
  most_epochs = atoi(argv[2]);
  puts("depth,width,seed,rate,epochs,accuracy");
  for (int d = 0; d < n_depths; d++) {
    if (depths[d] < 2 || depths[d] > DEPTH_MAX) fail("a depth is 2 to 64");
    for (int w = 0; w < n_widths; w++) {
      for (int seed = 1; seed <= seeds; seed++) {
        compare_rates(depths[d], widths[w], (uint64_t)seed);
      }
    }
  }
  return 0;
}
