/* What the weights of a file are judged by, where --init does not say it: the file's metadata, or a guess from the
 * numbers themselves. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fanin/inspect.h"
#include "init/common.h"
#include "probe/report.h"

static const struct {
  const char *text, *name;
} makers[] = {[MAKER_FILE] = {"its metadata", "metadata"},
              [MAKER_RULES] = {"--rules", "rules"},
              [MAKER_INIT] = {"--init", "init"},
              [MAKER_GUESS] = {"a guess", "guess"},
              [MAKER_OWN] = {"its own mean and std, as it looks like no common initializer", "own moments"}};

const char *probe_maker_text(probe_maker maker) {
  return makers[maker].text;
}

const char *probe_maker_name(probe_maker maker) {
  return makers[maker].name;
}

/* ---- Guesses ----------------------------------------------------------------------------------------------------- */

/* A std or an end that fits is within 5 standard errors, or has a probability above this one. */
static const double z_most = 5, least_log_probability = -14;

/* ln of the probability that all of n numbers of the law are within [-most, most]. */
static double log_within(const fanin_law *law, double most, double n) {
  double above = 1, below = 1;
  if (fanin_law_probability(law, most, 1, &above) != FANIN_STATUS_OK) return 0;
  if (fanin_law_probability(law, -most, 0, &below) != FANIN_STATUS_OK) return 0;
  return above + below < 1 ? n * log1p(-(above + below)) : -INFINITY;
}

/* Whether the largest number is as far out as it should be: not as near as a uniform's where the law is normal, and not
 * beyond the law's ends but for the rounding of the dtype. */
static bool has_ends(const fanin_law *law, const fanin_moments *m, const fanin_stats *stats, double epsilon) {
  const double most = fmax(-stats->min, stats->max) * (1 - 2 * epsilon), n = (double)stats->count;
  if (most > fmax(-m->lo, m->hi)) return false;
  return log_within(law, most * (1 + 4 * epsilon), n) > least_log_probability;
}

/* The deviate of the layer's std under an initializer; NaN where it is not a candidate. */
static double deviate(const fanin_tensor *t, const fanin_init *init, const fanin_stats *stats) {
  fanin_moments m;
  fanin_law law;
  const double n = (double)stats->count, epsilon = ldexp(1, t->dtype == FANIN_DTYPE_F32 ? -20 : -8);
  if (fanin_expect(t, init, &m, sizeof m) != FANIN_STATUS_OK) return NAN;
  if (fanin_law_of(t, init, &law) != FANIN_STATUS_OK || !has_ends(&law, &m, stats, epsilon)) return NAN;
  const double z = (stats->std / m.std - 1) / sqrt((m.kurtosis - 1) / (4 * n) + epsilon * epsilon);
  const double mean = stats->mean / (m.std / sqrt(n));
  return fabs(z) <= z_most && fabs(mean) <= z_most ? z : NAN;
}

/* The mean square of the deviates of all layers that are to be guessed; infinite where one does not fit. */
static double distance(const probe_weights *w, const fanin_stats *stats, const char *text) {
  double sum = 0, n = 0;
  fanin_init init;
  if (fanin_init_parse(text, &init) != FANIN_STATUS_OK) return INFINITY;
  for (size_t l = 0; l < w->count; ++l) {
    if (w->layers[l].maker != MAKER_GUESS) continue;
    const double z = deviate(&w->tensors[l], &init, &stats[l]);
    if (isnan(z)) return INFINITY;
    sum += z * z;
    ++n;
  }
  return sum / n;
}

/* What was tried: the best of the common initializers so far, and the second best. */
typedef struct contest {
  const char *best, *second;
  double least, less; /* their distances */
} contest;

/* Where two fit alike, as he_normal by either fan in square layers, the first one is the best, and the other is no
 * second: nothing would be judged otherwise by it. */
static void enter(contest *c, const probe_weights *w, const fanin_stats *stats, const char *text) {
  const double d = text ? distance(w, stats, text) : INFINITY, alike = 1e-9 * (1 + d);
  if (d < c->least - alike) {
    c->second = c->best;
    c->less = c->least;
    c->best = text;
    c->least = d;
  } else if (d > c->least + alike && d < c->less - alike) {
    c->second = text;
    c->less = d;
  }
}

/* Takes the best of the common initializers for all of them, and notes the second best. Returns false where none fits.
 */
static bool guess_common(probe_weights *w, const fanin_stats *stats) {
  contest c = {NULL, NULL, INFINITY, INFINITY};
  for (size_t k = 0; k < n_common_inits; ++k) {
    enter(&c, w, stats, common_inits[k].normal);
    enter(&c, w, stats, common_inits[k].uniform);
    enter(&c, w, stats, common_inits[k].truncated);
  }
  if (!c.best) return false;
  for (size_t l = 0; l < w->count; ++l) {
    if (w->layers[l].maker != MAKER_GUESS) continue;
    w->layers[l].init_text = copy_text(c.best, strlen(c.best));
    (void)fanin_init_parse(c.best, &w->inits[l]); /* distance() has parsed it */
  }
  if (c.second) w->next = copy_text(c.second, strlen(c.second));
  return true;
}

/* Independent numbers of the layer's own moments. A mean that chance could make is 0. */
static void take_own(probe_layer_weights *y, fanin_init *init, const fanin_stats *stats) {
  char text[256];
  const double error = stats->std / sqrt((double)stats->count);
  const double mean = fabs(stats->mean) <= z_most * error && stats->std > 0 ? 0 : stats->mean;
  *init = stats->std > 0 ? fanin_normal(mean, stats->std) : fanin_constant(stats->mean);
  fanin_init_format(init, text, sizeof text, NULL);
  y->maker = MAKER_OWN;
  y->init_text = copy_text(text, strlen(text));
}

int expect_guess(const session *s, probe_weights *w, failure *why) {
  fanin_stats *stats = allocate(w->count, sizeof *stats);
  int status = STATUS_OK;
  bool any = false;
  for (size_t l = 0; l < w->count && status == STATUS_OK; ++l) {
    if (w->layers[l].maker != MAKER_GUESS) continue;
    any = true;
    status = library_status(why, fanin_measure(s->f, s->queue, &w->tensors[l], 0, NULL, &stats[l], sizeof *stats),
                            w->layers[l].name);
  }
  if (status == STATUS_OK && any && !guess_common(w, stats)) {
    for (size_t l = 0; l < w->count; ++l) {
      if (w->layers[l].maker == MAKER_GUESS) take_own(&w->layers[l], &w->inits[l], &stats[l]);
    }
  }
  free(stats);
  return status;
}
