/* Which initializer an activation wants, and what each choice costs, from mean-field theory. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/argument.h"
#include "fanin/theory.h"
#include "theory/step.h"

typedef struct question {
  const fanin__activation *activation;
  double slope;
  double fan_ratio; /* fan_in / fan_out */
  double v, square; /* E[phi^2], E[phi'^2] at q = 1 */
  size_t depth;
  fanin_suggestion list[FANIN_AIM_COUNT]; /* the answers */
  double strayed[FANIN_AIM_COUNT];        /* ln of how far q and gradients stray in each */
  size_t count;
} question;

/* ---- The initializer --------------------------------------------------------------------------------------------- */

/* Variance scale / fan by the name that it usually has, else to nine decimals, a text that can be read. */
static fanin_init scaled(const question *ask, double *scale, fanin_mode mode) {
  if (fabs(*scale - 1) < 1e-9 && mode == FANIN_MODE_FAN_IN) {
    *scale = 1;
    return fanin_lecun_normal();
  }
  if (ask->activation->facts.homogeneous) {
    return fanin_he_normal(0 - ask->activation->f(-1, ask->slope), mode); /* a: phi(x) = a x for x < 0 */
  }
  *scale = floor(*scale * 1e9 + 0.5) / 1e9;
  return fanin_variance_scaling(*scale, mode, FANIN_DISTRIBUTION_NORMAL);
}

/* ---- What it does ------------------------------------------------------------------------------------------------ */

static double next_q(const question *ask, const fanin_suggestion *s, double sigma_w2, double q) {
  return sigma_w2 * fanin__v(ask->activation, ask->slope, q) + s->sigma_b2;
}

static double chi(const question *ask, double sigma_w2, double q) {
  return sigma_w2 * fanin__mean_square(ask->activation, FANIN__SLOPE, ask->slope, q);
}

/* A q that changes by less stands still: the scale has nine decimals, and an unstable fixed point is one all the same.
 */
#define STILL 1e-8

/* Squares of what phi makes of a larger q may overflow, and it has left every use. */
#define Q_MOST 1e300

/* ---- Over all layers --------------------------------------------------------------------------------------------- */

/* How far a quantity strays from where it begins, in both directions. */
typedef struct drift {
  double least, most;
} drift;

static void stray(drift *d, double ratio) {
  d->least = fmin(d->least, ratio);
  d->most = fmax(d->most, ratio);
}

static void note(fanin_suggestion *s, fanin_diagnosis diagnosis, bool found) {
  if (found) s->diagnoses |= UINT64_C(1) << diagnosis;
}

/* What of a hidden layer is ill health, as a probe's diagnose.c has it. */
static void note_layer(fanin_suggestion *s, const fanin_theory_layer *y) {
  note(s, FANIN_DIAGNOSIS_SATURATED, y->saturated > FANIN__MOST_SATURATED);
  note(s, FANIN_DIAGNOSIS_MEAN_DRIFT, y->mean * y->mean / y->second_moment > FANIN__MEAN_SHARE);
}

/* Two samples, which begin at right angles, on their way to one direction. A layer takes an integral over the plane, of
 * up to 20 ms; only homogeneous activations have a closed form, and only with them this is looked at. */
typedef struct pair {
  double product; /* mean of h_a h_b, of the layer before */
  size_t layers;  /* taken so far */
} pair;

enum { MOST_PAIRS = 1000 };

static bool is_alike(const fanin_suggestion *s) {
  return s->diagnoses >> FANIN_DIAGNOSIS_RANK_COLLAPSE & 1;
}

/* Through the layer y, whose z has the correlation c, and h the cosine. */
static void take_pair(const question *ask, fanin_suggestion *s, const fanin_theory_layer *y, pair *p) {
  if (!ask->activation->facts.homogeneous || is_alike(s) || p->layers == MOST_PAIRS || !(y->second_moment > 0)) return;
  const double c = fmin(fmax((y->sigma_w2 * p->product + s->sigma_b2) / y->q, -1), 1);
  p->product = fanin__correlated(ask->activation, FANIN__PHI, ask->slope, y->q, y->q, c);
  p->layers++;
  note(s, FANIN_DIAGNOSIS_RANK_COLLAPSE, p->product / y->second_moment > FANIN__MOST_ALIKE);
}

static bool stands_still(const fanin_theory_layer *a, const fanin_theory_layer *b) {
  return fabs(b->q - a->q) <= STILL * a->q;
}

/* The gradient's squared norm from the last layer back: chi of layers 1 .. n, and the last of them again up to layer
 * `hidden`. *total is that of layer 1. */
static drift run_back(const double *chi, size_t n, size_t hidden, double *total) {
  drift g = {1, 1};
  *total = 1;
  if (n == 0) return g;
  if (hidden > n) stray(&g, chi[n - 1]);
  *total = pow(chi[n - 1], (double)(hidden - n));
  stray(&g, *total);
  for (size_t l = n; l >= 1; l--) {
    *total *= chi[l - 1];
    stray(&g, *total);
  }
  return g;
}

/* chi of the layers that were run: of few, however deep the network is. */
typedef struct run_layers {
  double *chi;
  size_t n, capacity;
} run_layers;

static fanin_status append(run_layers *run, double chi) {
  if (run->n == run->capacity) {
    const size_t capacity = 2 * run->capacity + 64;
    double *const more = realloc(run->chi, capacity * sizeof *more);
    if (!more) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "numbers of %zu layers", capacity);
    run->chi = more;
    run->capacity = capacity;
  }
  run->chi[run->n++] = chi;
  return FANIN_STATUS_OK;
}

/* Through the layers, as fanin_theory() and a probe do. Layers after the point from which all are alike are not run,
 * nor those beyond the range of q. *strayed becomes how far q and gradients stray in all. */
static fanin_status run_through(const question *ask, fanin_suggestion *s, double sigma_w2, run_layers *run,
                                double *strayed) {
  const fanin__step step = {.activation = ask->activation, .slope = ask->slope, .activated = true};
  const size_t hidden = s->depth - 1;
  const double q_1 = sigma_w2 + s->sigma_b2;
  fanin__state h = {0, 1, 0};
  fanin_theory_layer before = {.q = NAN}, y = {.sigma_w2 = sigma_w2};
  drift q = {1, 1};
  pair p = {0, 0};
  bool still = false;
  s->q_total = 1;
  while (run->n < hidden && !still && s->q_total * q_1 <= Q_MOST) {
    h = fanin__step_forward(&step, &h, s->sigma_b2, &y);
    FANIN__TRY(append(run, y.chi * sigma_w2));
    note_layer(s, &y);
    take_pair(ask, s, &y, &p);
    const double next = (sigma_w2 * h.square + s->sigma_b2) / q_1;
    s->q_total = isnan(next) ? INFINITY : next;
    stray(&q, s->q_total);
    still = stands_still(&before, &y);
    before = y;
  }
  for (size_t l = run->n; still && l < hidden && l < MOST_PAIRS; l++) {
    take_pair(ask, s, &y, &p); /* the layers that were not run are alike */
  }
  const drift g = run_back(run->chi, run->n, still ? hidden : run->n, &s->g_total);
  s->g_total /= pow(ask->fan_ratio, (double)hidden);
  note(s, FANIN_DIAGNOSIS_FORWARD_VANISH, 1 / q.least > FANIN__DRIFT);
  note(s, FANIN_DIAGNOSIS_FORWARD_EXPLODE, q.most > FANIN__DRIFT);
  note(s, FANIN_DIAGNOSIS_BACKWARD_VANISH, 1 / g.least > FANIN__DRIFT);
  note(s, FANIN_DIAGNOSIS_BACKWARD_EXPLODE, g.most > FANIN__DRIFT);
  *strayed = log(q.most / q.least) + log(g.most / g.least);
  return FANIN_STATUS_OK;
}

static fanin_status run(question *ask, fanin_suggestion *s, double sigma_w2, double q_1) {
  s->q_growth = next_q(ask, s, sigma_w2, q_1) / q_1;
  s->g_growth = chi(ask, sigma_w2, q_1) / ask->fan_ratio;
  run_layers layers = {NULL, 0, 0};
  const fanin_status status = run_through(ask, s, sigma_w2, &layers, &ask->strayed[ask->count]);
  free(layers.chi);
  return status;
}

/* The choice with the fewest diagnoses, of those the one that strays least; the first of equal ones. */
static int count_of(uint64_t diagnoses) {
  int n = 0;
  for (; diagnoses > 0; diagnoses &= diagnoses - 1) {
    n++;
  }
  return n;
}

static void recommend(question *ask) {
  size_t best = 0;
  for (size_t k = 1; k < ask->count; k++) {
    const int less = count_of(ask->list[k].diagnoses) - count_of(ask->list[best].diagnoses);
    if (less < 0 || (less == 0 && ask->strayed[k] < ask->strayed[best] - 1e-6)) best = k;
  }
  if (ask->count > 0) ask->list[best].recommended = 1;
}

/* ---- In the long run --------------------------------------------------------------------------------------------- */

/* From q_1 the map of q, which rises with q, leads to the next fixed point in the direction that it takes. */
static fanin_status limit(const question *ask, fanin_suggestion *s, double sigma_w2, double q_1) {
  fanin_fixed_point points[8];
  size_t count = 0;
  FANIN__TRY(
      fanin_fixed_points(ask->activation->name, ask->slope, sigma_w2, s->sigma_b2, points, 8, sizeof *points, &count));
  s->q_limit = s->q_growth > 1 ? INFINITY : 0;
  for (size_t k = 0; k < count && k < 8; k++) {
    const double q = points[k].q;
    if (s->q_growth > 1 ? q > q_1 && q < s->q_limit : q < q_1 && q > s->q_limit) s->q_limit = q;
  }
  if (fabs(s->q_growth - 1) <= STILL) s->q_limit = q_1;
  const double far = fmin(s->q_limit, 1e10);
  s->chi_limit = chi(ask, sigma_w2, far);
  const double q = s->q_limit > 0 && s->q_limit < INFINITY ? s->q_limit : q_1;
  const fanin__expansion e = fanin__expand_square(ask->activation, FANIN__PHI, ask->slope, q);
  s->sensitivity = sigma_w2 * e.v * e.a[2] / sqrt(2) / next_q(ask, s, sigma_w2, q);
  return FANIN_STATUS_OK;
}

/* ---- Choices ----------------------------------------------------------------------------------------------------- */

static fanin_status add(question *ask, fanin_aim aim, double sigma_b2, double scale, double q_1) {
  const fanin_mode mode = aim == FANIN_AIM_BACKWARD ? FANIN_MODE_FAN_OUT : FANIN_MODE_FAN_IN;
  fanin_suggestion choice = {.aim = aim, .sigma_b2 = sigma_b2, .depth = ask->depth};
  choice.init = scaled(ask, &scale, mode);
  choice.gain = sqrt(scale);
  const double sigma_w2 = mode == FANIN_MODE_FAN_OUT ? scale * ask->fan_ratio : scale;
  FANIN__TRY(run(ask, &choice, sigma_w2, q_1));
  FANIN__TRY(limit(ask, &choice, sigma_w2, q_1));
  ask->list[ask->count++] = choice;
  return FANIN_STATUS_OK;
}

static fanin_status add_edge(question *ask, double sigma_b2) {
  double q;
  const double sigma_w2 = fanin__critical(ask->activation, ask->slope, sigma_b2, &q);
  const fanin_suggestion there = {.sigma_b2 = sigma_b2};
  if (isnan(sigma_w2) || ask->activation->facts.homogeneous)
    return FANIN_STATUS_OK; /* there, it is the gain that keeps q */
  if (q == 0 && next_q(ask, &there, sigma_w2, 1) > 1)
    return FANIN_STATUS_OK; /* a point that q leaves is no place to be */
  return add(ask, FANIN_AIM_EDGE, sigma_b2, sigma_w2, q > 0 ? q : 1);
}

static fanin_status add_torch(question *ask) {
  const double scale = pow(ask->activation->torch_gain, 2);
  if (scale == 0 || fabs(scale * ask->v - 1) < 1e-9) return FANIN_STATUS_OK;
  return add(ask, FANIN_AIM_PYTORCH, 0, scale, 1);
}

static fanin_status check(const fanin_suggest_config *config) {
  if (!(config->fan_ratio > 0 && config->fan_ratio < INFINITY)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "fan_ratio is %g; a finite number above 0 is accepted",
                       config->fan_ratio);
  }
  if (config->depth == 0) return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "depth is 0; 1 or more layers are accepted");
  return fanin__check_variance("sigma_b2", config->sigma_b2);
}

/* Each aim at most once, in their order. */
static fanin_status choose(question *ask, double sigma_b2) {
  const bool both = ask->fan_ratio == 1 && fabs(ask->v / ask->square - 1) < 1e-9;
  FANIN__TRY(add(ask, both ? FANIN_AIM_BOTH : FANIN_AIM_FORWARD, 0, 1 / ask->v, 1));
  if (!both) FANIN__TRY(add(ask, FANIN_AIM_BACKWARD, 0, 1 / ask->square, 1));
  FANIN__TRY(add_edge(ask, sigma_b2));
  return add_torch(ask);
}

fanin_status fanin_suggest(const fanin_suggest_config *theirs, fanin_suggestion *list, size_t capacity, size_t stride,
                           size_t *count) {
  fanin_suggest_config config;
  FANIN__TRY(fanin__take_config("config", "FANIN_SUGGEST_CONFIG_INIT", theirs, &config, sizeof config));
  FANIN__NEED(count);
  FANIN__NEED_RESULTS(list, capacity, stride);
  if (!config.activation) return fanin__fail_null("config->activation");
  if (config.fan_ratio == 0) config.fan_ratio = 1;
  question ask = {.slope = config.slope, .fan_ratio = config.fan_ratio, .depth = config.depth};
  FANIN__TRY(fanin__activation_of(config.activation, config.slope, &ask.activation));
  FANIN__TRY(check(&config));
  ask.v = fanin__v(ask.activation, config.slope, 1);
  ask.square = fanin__mean_square(ask.activation, FANIN__SLOPE, config.slope, 1);
  FANIN__TRY(choose(&ask, config.sigma_b2));
  recommend(&ask);
  for (size_t k = 0; k < ask.count && k < capacity; k++) {
    fanin__give_at(list, stride, k, &ask.list[k], sizeof ask.list[k]);
  }
  *count = ask.count;
  return FANIN_STATUS_OK;
}

/* ---- Sentences --------------------------------------------------------------------------------------------------- */

static const struct {
  const char *name, *does;
} aims[FANIN_AIM_COUNT] = {
    [FANIN_AIM_BOTH] = {"both", "keeps q and gradients"},
    [FANIN_AIM_FORWARD] = {"forward", "keeps q at 1"},
    [FANIN_AIM_BACKWARD] = {"backward", "keeps gradients where q is 1"},
    [FANIN_AIM_EDGE] = {"edge", "is the edge of chaos, where gradients keep their size"},
    [FANIN_AIM_PYTORCH] = {"pytorch", "has PyTorch's gain"},
};

const char *fanin_aim_name(fanin_aim aim) {
  return (int)aim >= 0 && aim < FANIN_AIM_COUNT ? aims[aim].name : "unknown aim";
}

typedef struct buffer {
  char text[1024];
  size_t used;
} buffer;

static void say(buffer *b, const char *format, ...) FANIN__PRINTF(2, 3);

static void say(buffer *b, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int n = vsnprintf(b->text + b->used, sizeof b->text - b->used, format, arguments);
  va_end(arguments);
  if (n > 0) b->used += (size_t)n < sizeof b->text - b->used ? (size_t)n : sizeof b->text - b->used - 1;
}

static void say_of_q(buffer *b, const fanin_suggestion *s) {
  if (fabs(s->q_growth - 1) > 1e-6) {
    say(b, " Where q is 1, a layer multiplies it by %.4g; in the long run ", s->q_growth);
    if (s->q_limit > 0 && s->q_limit < INFINITY) {
      say(b, "it settles at %.4g, not 1.", s->q_limit);
    } else {
      say(b, "it %s.", s->q_limit > 0 ? "grows without bound" : "goes to 0");
      return;
    }
  }
  if (s->sensitivity > 1 + 1e-6) {
    say(b, " q = %.4g is unstable with depth: a small deviation is multiplied by %.3g a layer.", s->q_limit,
        s->sensitivity);
  } else if (s->sensitivity > 1 - 1e-6) {
    say(b, " A deviation of q stays as it is.");
  } else {
    say(b, " q = %.4g is stable: a small deviation is multiplied by %.3g a layer.", s->q_limit, s->sensitivity);
  }
}

static void say_of_g(buffer *b, const fanin_suggestion *s) {
  if (fabs(s->g_growth - 1) < 1e-6) {
    say(b, " Gradients keep their mean square there.");
    return;
  }
  say(b, " Backward, a layer multiplies the mean square of gradients by %.4g there.", s->g_growth);
}

/* What it costs at the depth asked, and what a probe would find. */
static void say_of_all(buffer *b, const fanin_suggestion *s) {
  const char *before = " Theory finds ";
  say(b, " Over %zu layer%s, on an input of mean square 1, q is multiplied by %.4g, and gradients by %.4g.", s->depth,
      s->depth == 1 ? "" : "s", s->q_total, s->g_total);
  for (int d = 0; d < FANIN_DIAGNOSIS_COUNT; d++) {
    if (!(s->diagnoses >> d & 1)) continue;
    say(b, "%s%s", before, fanin_diagnosis_name((fanin_diagnosis)d));
    before = ", ";
  }
  say(b, s->diagnoses ? " in that network."
                      : " Theory finds that q and gradients neither vanish nor explode there, and that no layer "
                        "saturates or has a mean that drifts.");
}

fanin_status fanin_suggestion_format(const fanin_suggestion *suggestion, size_t size, char *text, size_t capacity,
                                     size_t *length) {
  buffer b = {.used = 0};
  char init[256];
  fanin_suggestion s;
  FANIN__NEED_RESULTS(suggestion, 1, size);
  FANIN__NEED_ARRAY(text, capacity);
  FANIN__TRY(fanin__take("suggestion", suggestion, size, &s, sizeof s));
  if ((int)s.aim < 0 || s.aim >= FANIN_AIM_COUNT) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "aim is %d; 0 to %d are accepted", (int)s.aim, FANIN_AIM_COUNT - 1);
  }
  FANIN__TRY(fanin_init_format(&s.init, init, sizeof init, NULL));
  say(&b, "%s (gain %.7g", init, s.gain);
  if (s.sigma_b2 > 0) say(&b, ", biases of variance %.4g", s.sigma_b2);
  say(&b, ") %s.", aims[s.aim].does);
  say_of_q(&b, &s);
  say_of_g(&b, &s);
  say_of_all(&b, &s);
  return fanin__give_text(b.text, b.used, text, capacity, length);
}
