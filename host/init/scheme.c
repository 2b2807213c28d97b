/* Schemes: factors in front of an initializer, from a text and a tensor's fans. One row a scheme. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/status.h"
#include "fanin/scheme.h"
#include "init/initializer.h"
#include "math/number.h"

enum { MAX_PARAMETERS = 2 };

typedef struct scheme {
  fanin_scheme_description description;
  /* p: the parameters in the order of their list, positive; fans are 0 unless they are needed. */
  double (*factor)(const double *p, double fan_in, double fan_out);
} scheme;

/* ---- Formulas ---------------------------------------------------------------------------------------------------- */

#define FACTOR(name, formula)                                                                                          \
  static double name(const double *p, double fan_in, double fan_out) {                                                 \
    (void)p, (void)fan_in, (void)fan_out;                                                                              \
    return formula;                                                                                                    \
  }

FACTOR(times, p[0])
FACTOR(power, pow(p[0], -p[1]))
FACTOR(residual, 1 / sqrt(p[1] * p[0]))
FACTOR(by_fan_in, 1 / sqrt(fan_in))
FACTOR(t5_query, 1 / sqrt(fan_in * (fan_out / p[0])))
FACTOR(small_init, sqrt(2 / (5 * p[0])))
FACTOR(wang, 2 / (p[0] * sqrt(p[1])))
FACTOR(fixup, pow(p[0], -1 / (2 * p[1] - 2)))
FACTOR(t_fixup_encoder, 0.67 * pow(p[0], -0.25))
FACTOR(t_fixup_decoder, pow(9 * p[0], -0.25))
FACTOR(deepnorm, pow(8 * p[0], -0.25))
FACTOR(deepnorm_encoder, 0.87 * pow(pow(p[0], 4) * p[1], -1.0 / 16))
FACTOR(deepnorm_decoder, pow(12 * p[0], -0.25))
FACTOR(siren_first, 1 / fan_in)
FACTOR(siren_hidden, sqrt(6 / fan_in) / p[0])
FACTOR(mup_hidden, sqrt(p[0] / fan_in))
FACTOR(mup_output, p[0] / fan_in)
FACTOR(spectral, fmin(1, sqrt(fan_out / fan_in)) / sqrt(fan_in))

/* ---- The table --------------------------------------------------------------------------------------------------- */

#define ANY     "any initializer"
#define STD_1   "normal:std=1"
#define BOUND_1 "uniform:lo=-1,hi=1"
#define DEEPNET "Wang et al. 2022 (DeepNet), figure 2"
#define T_FIXUP "xavier_normal of the "
#define BETA    "xavier_normal of v, o and feed-forward weights"
#define MUP     "an std that is the same for all widths, right at fan_in = base"

/* Rows: {name, formula, parameters, goes_with, source, needs_fans}, function. */
static const scheme table[] = {
    {{"times", "factor", "factor", ANY, "definition", 0}, times},
    {{"power", "of^-exponent", "of,exponent=0.5", ANY, "definition", 0}, power},
    {{"residual", "1 / sqrt(branches * layers)", "layers,branches=2", "what ends a residual branch",
      "Radford et al. 2019 (GPT-2), section 2.3; branches: residual layers in a block", 0},
     residual},
    {{"fan_in", "1 / sqrt(fan_in)", "", STD_1 " (T5: k, v, o, wi, wo), " BOUND_1 " (PyTorch: biases)",
      "Raffel et al. 2020 (T5), its code; torch.nn.Linear", 1},
     by_fan_in},
    {{"t5_q", "1 / sqrt(d d_kv), d = fan_in, d_kv = fan_out / heads", "heads", STD_1,
      "Raffel et al. 2020 (T5), its code: Mesh TensorFlow's attention", 1},
     t5_query},
    {{"small_init", "sqrt(2 / (5 d))", "d", STD_1, "Nguyen & Salazar 2019 (Transformers without Tears)", 0},
     small_init},
    {{"wang", "2 / (layers sqrt(d))", "layers,d", STD_1 " of what ends a residual branch",
      "Wang & Komatsuzaki 2021 (GPT-J); Black et al. 2022 (GPT-NeoX-20B)", 0},
     wang},
    {{"fixup", "layers^(-1 / (2 m - 2)), m layers in a branch", "layers,m=2",
      "he_normal of a branch's layers but the last, which is zeros", "Zhang, Dauphin & Ma 2019 (Fixup), section 3", 0},
     fixup},
    {{"t_fixup_encoder", "0.67 layers^(-1/4)", "layers", T_FIXUP "encoder's v, o and feed-forward weights",
      "Huang et al. 2020 (T-Fixup)", 0},
     t_fixup_encoder},
    {{"t_fixup_decoder", "(9 layers)^(-1/4)", "layers",
      T_FIXUP "decoder's v, o and feed-forward weights; both embeddings", "Huang et al. 2020 (T-Fixup)", 0},
     t_fixup_decoder},
    {{"deepnorm", "beta = (8 layers)^(-1/4)", "layers", BETA ", encoder or decoder alone", DEEPNET, 0}, deepnorm},
    {{"deepnorm_encoder", "beta = 0.87 (layers^4 decoder_layers)^(-1/16)", "layers,decoder_layers",
      BETA ", the encoder of both", DEEPNET, 0},
     deepnorm_encoder},
    {{"deepnorm_decoder", "beta = (12 layers)^(-1/4)", "layers", BETA ", the decoder of both", DEEPNET, 0},
     deepnorm_decoder},
    {{"siren_first", "1 / fan_in", "", BOUND_1, "Sitzmann et al. 2020 (SIREN), its code", 1}, siren_first},
    {{"siren_hidden", "sqrt(6 / fan_in) / omega", "omega=30", BOUND_1, "Sitzmann et al. 2020 (SIREN), section 3.2", 1},
     siren_hidden},
    {{"mup_hidden", "sqrt(base / fan_in)", "base", MUP, "Yang et al. 2021 (muP), tables 3 and 8: hidden weights", 1},
     mup_hidden},
    {{"mup_output", "base / fan_in", "base", MUP,
      "Yang et al. 2021 (muP), table 3: output weights without a multiplier", 1},
     mup_output},
    {{"spectral", "min(1, sqrt(fan_out / fan_in)) / sqrt(fan_in)", "", STD_1,
      "Yang, Simon & Bernstein 2023, parametrization 1", 1},
     spectral},
};
enum { N_SCHEMES = sizeof table / sizeof *table };

int fanin_scheme_count(void) {
  return N_SCHEMES;
}

fanin_status fanin_describe_scheme(int number, fanin_scheme_description *out) {
  if (number < 0 || number >= N_SCHEMES) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "scheme is %d; 0 to %d are accepted", number, N_SCHEMES - 1);
  }
  *out = table[number].description;
  return FANIN_STATUS_OK;
}

/* ---- Text -------------------------------------------------------------------------------------------------------- */

static fanin_status find_scheme(const char *name, size_t length, const scheme **out) {
  char names[320] = "";
  for (size_t k = 0; k < N_SCHEMES; k++) {
    const char *const known = table[k].description.name;
    *out = &table[k];
    if (strlen(known) == length && memcmp(known, name, length) == 0) return FANIN_STATUS_OK;
    fanin__append(names, sizeof names, known);
  }
  return fanin__fail(FANIN_STATUS_BAD_TEXT, "no scheme is called '%.*s'; there are %s",
                     (int)(length < 64 ? length : 64), name, names);
}

/* The next "name" or "name=default" of a list; false at its end. */
static bool next_parameter(const char **list, const char **name, size_t *length, double *value) {
  if (**list == '\0') return false;
  const size_t whole = strcspn(*list, ",");
  *name = *list;
  *length = strcspn(*list, ",=");
  *value = NAN;
  if (*length < whole) fanin__number_parse(*list + *length + 1, whole - *length - 1, value);
  *list += whole + ((*list)[whole] == ',');
  return true;
}

/* The place of a parameter in the scheme's list, -1 if it is none. */
static int find_parameter(const scheme *s, const char *wanted, size_t wanted_length) {
  const char *list = s->description.parameters, *name;
  size_t length;
  double value;
  for (int k = 0; next_parameter(&list, &name, &length, &value); k++) {
    if (length == wanted_length && memcmp(name, wanted, length) == 0) return k;
  }
  return -1;
}

/* One "name=value" of the text. */
static fanin_status read_pair(const scheme *s, const char *pair, size_t length, double *values, bool *given) {
  const fanin_scheme_description *const d = &s->description;
  const char *const equal = memchr(pair, '=', length);
  const int shown = (int)(length < 64 ? length : 64);
  const int k = equal ? find_parameter(s, pair, (size_t)(equal - pair)) : -1;
  if (k < 0) {
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: '%.*s' is no name=value of a parameter; %s%s", d->name, shown, pair,
                       d->parameters[0] ? "accepted are " : "it takes none", d->parameters);
  }
  if (given[k])
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: '%.*s' is a parameter's second value", d->name, shown, pair);
  const char *const at = equal + 1;
  if (!fanin__number_parse(at, length - (size_t)(at - pair), &values[k]) || !(values[k] > 0 && values[k] < INFINITY)) {
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: '%.*s': a finite number above 0 is accepted", d->name, shown, pair);
  }
  given[k] = true;
  return FANIN_STATUS_OK;
}

static fanin_status read_values(const scheme *s, const char *text, double *values) {
  const char *list = s->description.parameters, *name;
  size_t length;
  bool given[MAX_PARAMETERS] = {false};
  for (int k = 0; next_parameter(&list, &name, &length, &values[k]); k++)
    continue;
  while (*text) {
    text++; /* ':' or ',' */
    const size_t pair = strcspn(text, ",");
    FANIN__TRY(read_pair(s, text, pair, values, given));
    text += pair;
  }
  list = s->description.parameters;
  double value;
  for (int k = 0; next_parameter(&list, &name, &length, &value); k++) {
    if (given[k] || !isnan(value)) continue;
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s needs %.*s, as in %s:%.*s=12", s->description.name, (int)length, name,
                       s->description.name, (int)length, name);
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin_scheme_factor(const char *text, const fanin_tensor *t, double *factor) {
  const scheme *s;
  double values[MAX_PARAMETERS];
  uint64_t fan_in = 0, fan_out = 0;
  const size_t name = strcspn(text, ":");
  FANIN__TRY(find_scheme(text, name, &s));
  FANIN__TRY(read_values(s, text + name, values));
  if (s->description.needs_fans) {
    if (!t) return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "%s needs a tensor, for its fans", s->description.name);
    const fanin_status status = fanin_fans(t, &fan_in, &fan_out);
    if (status == FANIN_STATUS_BAD_LAYOUT) {
      return fanin__fail(status, "%s needs a layout with O and I; layout is \"%s\"", s->description.name, t->layout);
    }
    if (status != FANIN_STATUS_OK) return status;
  }
  const double value = s->factor(values, (double)fan_in, (double)fan_out);
  if (!(value > 0 && value < INFINITY)) {
    return fanin__fail(FANIN_STATUS_BAD_TEXT,
                       "scheme '%.64s' makes a factor of %g (fan_in %llu, fan_out %llu); a finite one "
                       "above 0 is accepted",
                       text, value, (unsigned long long)fan_in, (unsigned long long)fan_out);
  }
  *factor = value;
  return FANIN_STATUS_OK;
}
