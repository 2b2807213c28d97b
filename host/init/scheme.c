/* Schemes: factors in front of an initializer, from a text and a tensor's fans. One row for each scheme. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/argument.h"
#include "fanin/scheme.h"
#include "init/parameters.h"
#include "math/power.h"

/* The parameters of all schemes, with the defaults that some have. */
typedef struct values {
  double factor, of, exponent, layers, branches, d, m, decoder_layers, heads, omega, base;
} values;

/* NaN: it must be given. */
static const values usual = {.factor = NAN,
                             .of = NAN,
                             .exponent = 0.5,
                             .layers = NAN,
                             .branches = 2,
                             .d = NAN,
                             .m = 2,
                             .decoder_layers = NAN,
                             .heads = NAN,
                             .omega = 30,
                             .base = NAN};

typedef struct scheme {
  fanin_scheme_description description;
  const fanin__parameter *parameters;
  double (*factor)(const values *v, double fan_in, double fan_out); /* fans are 0 unless they are needed */
} scheme;

/* ---- Parameters -------------------------------------------------------------------------------------------------- */

#define POSITIVE(field)                                                                                                \
  {                                                                                                                    \
#field, offsetof(values, field), FANIN__NUMBER, FANIN__ABOVE_0, DBL_MAX, NULL, {                                   \
      0                                                                                                                \
    }                                                                                                                  \
  }

static const fanin__parameter of_times[] = {POSITIVE(factor), FANIN__END};
static const fanin__parameter of_power[] = {POSITIVE(of), POSITIVE(exponent), FANIN__END};
static const fanin__parameter of_residual[] = {POSITIVE(layers), POSITIVE(branches), FANIN__END};
static const fanin__parameter of_heads[] = {POSITIVE(heads), FANIN__END};
static const fanin__parameter of_width[] = {POSITIVE(d), FANIN__END};
static const fanin__parameter of_wang[] = {POSITIVE(layers), POSITIVE(d), FANIN__END};
static const fanin__parameter of_fixup[] = {POSITIVE(layers), POSITIVE(m), FANIN__END};
static const fanin__parameter of_layers[] = {POSITIVE(layers), FANIN__END};
static const fanin__parameter of_both[] = {POSITIVE(layers), POSITIVE(decoder_layers), FANIN__END};
static const fanin__parameter of_siren[] = {POSITIVE(omega), FANIN__END};
static const fanin__parameter of_mup[] = {POSITIVE(base), FANIN__END};

/* ---- The table --------------------------------------------------------------------------------------------------- */

#define ANY     "any initializer"
#define STD_1   "normal:std=1"
#define BOUND_1 "uniform:lo=-1,hi=1"
#define DEEPNET "Wang et al. 2022 (DeepNet), figure 2"
#define T_FIXUP "xavier_normal of the "
#define BETA    "xavier_normal of v, o and feed-forward weights"
#define MUP     "an std that is the same for all widths, right at fan_in = base"

/* Name, list of parameters, factor; formula, parameters, goes_with, source, needs_fans. */
#define SCHEME_MAP(XX)                                                                                                 \
  XX(times, of_times, v->factor, "factor", "factor", ANY, "definition", 0)                                             \
  XX(power, of_power, fanin__power(v->of, -v->exponent), "of^-exponent", "of,exponent=0.5", ANY, "definition", 0)      \
  XX(residual, of_residual, 1 / sqrt(v->branches * v->layers), "1 / sqrt(branches * layers)", "layers,branches=2",     \
     "what ends a residual branch", "Radford et al. 2019 (GPT-2), section 2.3; branches: residual layers in a block",  \
     0)                                                                                                                \
  XX(fan_in, fanin__no_parameters, 1 / sqrt(fan_in), "1 / sqrt(fan_in)", "",                                           \
     STD_1 " (T5: k, v, o, wi, wo), " BOUND_1 " (PyTorch: biases)",                                                    \
     "Raffel et al. 2020 (T5), its code; torch.nn.Linear", 1)                                                          \
  XX(t5_q, of_heads, 1 / sqrt(fan_in * (fan_out / v->heads)), "1 / sqrt(d d_kv), d = fan_in, d_kv = fan_out / heads",  \
     "heads", STD_1, "Raffel et al. 2020 (T5), its code: Mesh TensorFlow's attention", 1)                              \
  XX(small_init, of_width, sqrt(2 / (5 * v->d)), "sqrt(2 / (5 d))", "d", STD_1,                                        \
     "Nguyen & Salazar 2019 (Transformers without Tears)", 0)                                                          \
  XX(wang, of_wang, 2 / (v->layers * sqrt(v->d)), "2 / (layers sqrt(d))", "layers,d",                                  \
     STD_1 " of what ends a residual branch", "Wang & Komatsuzaki 2021 (GPT-J); Black et al. 2022 (GPT-NeoX-20B)", 0)  \
  XX(fixup, of_fixup, fanin__power(v->layers, -1 / (2 * v->m - 2)), "layers^(-1 / (2 m - 2)), m layers in a branch",   \
     "layers,m=2", "he_normal of a branch's layers but the last, which is zeros",                                      \
     "Zhang, Dauphin & Ma 2019 (Fixup), section 3", 0)                                                                 \
  XX(t_fixup_encoder, of_layers, 0.67 * fanin__power(v->layers, -0.25), "0.67 layers^(-1/4)", "layers",                \
     T_FIXUP "encoder's v, o and feed-forward weights", "Huang et al. 2020 (T-Fixup)", 0)                              \
  XX(t_fixup_decoder, of_layers, fanin__power(9 * v->layers, -0.25), "(9 layers)^(-1/4)", "layers",                    \
     T_FIXUP "decoder's v, o and feed-forward weights; both embeddings", "Huang et al. 2020 (T-Fixup)", 0)             \
  XX(deepnorm, of_layers, fanin__power(8 * v->layers, -0.25), "beta = (8 layers)^(-1/4)", "layers",                    \
     BETA ", encoder or decoder alone", DEEPNET, 0)                                                                    \
  XX(deepnorm_encoder, of_both, 0.87 * fanin__power(fanin__power(v->layers, 4) * v->decoder_layers, -1.0 / 16),        \
     "beta = 0.87 (layers^4 decoder_layers)^(-1/16)", "layers,decoder_layers", BETA ", the encoder of both", DEEPNET,  \
     0)                                                                                                                \
  XX(deepnorm_decoder, of_layers, fanin__power(12 * v->layers, -0.25), "beta = (12 layers)^(-1/4)", "layers",          \
     BETA ", the decoder of both", DEEPNET, 0)                                                                         \
  XX(siren_first, fanin__no_parameters, 1 / fan_in, "1 / fan_in", "", BOUND_1,                                         \
     "Sitzmann et al. 2020 (SIREN), its code", 1)                                                                      \
  XX(siren_hidden, of_siren, sqrt(6 / fan_in) / v->omega, "sqrt(6 / fan_in) / omega", "omega=30", BOUND_1,             \
     "Sitzmann et al. 2020 (SIREN), section 3.2", 1)                                                                   \
  XX(mup_hidden, of_mup, sqrt(v->base / fan_in), "sqrt(base / fan_in)", "base", MUP,                                   \
     "Yang et al. 2021 (muP), tables 3 and 8: hidden weights", 1)                                                      \
  XX(mup_output, of_mup, v->base / fan_in, "base / fan_in", "base", MUP,                                               \
     "Yang et al. 2021 (muP), table 3: output weights without a multiplier", 1)                                        \
  XX(spectral, fanin__no_parameters, fmin(1, sqrt(fan_out / fan_in)) / sqrt(fan_in),                                   \
     "min(1, sqrt(fan_out / fan_in)) / sqrt(fan_in)", "", STD_1, "Yang, Simon & Bernstein 2023, parametrization 1", 1)

#define FACTOR(name, list, factor, ...)                                                                                \
  static double factor_##name(const values *v, double fan_in, double fan_out) {                                        \
    (void)v, (void)fan_in, (void)fan_out;                                                                              \
    return factor;                                                                                                     \
  }
SCHEME_MAP(FACTOR)

#define ROW(name, list, factor, ...) {{#name, __VA_ARGS__}, list, factor_##name},
static const scheme table[] = {SCHEME_MAP(ROW)};
enum { N_SCHEMES = sizeof table / sizeof *table };

int fanin_scheme_count(void) {
  return N_SCHEMES;
}

fanin_status fanin_describe_scheme(int number, fanin_scheme_description *out, size_t size) {
  if (number < 0 || number >= N_SCHEMES) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "scheme is %d; 0 to %d are accepted", number, N_SCHEMES - 1);
  }
  return fanin__give(out, size, &table[number].description, sizeof table[number].description);
}

/* ---- Text -------------------------------------------------------------------------------------------------------- */

static fanin_status find_scheme(fanin__span name, const scheme **out) {
  fanin__known known = fanin__known_for(name);
  for (size_t k = 0; k < N_SCHEMES; k++) {
    const fanin__span other = fanin__span_of(table[k].description.name);
    *out = &table[k];
    if (fanin__same_name(name, other)) return FANIN_STATUS_OK;
    fanin__known_add(&known, other);
  }
  return fanin__fail(FANIN_STATUS_BAD_TEXT, "no scheme is called '%.*s'%s", FANIN__SHOWN(name),
                     fanin__known_text(&known, "there are"));
}

static fanin_status read_values(const scheme *s, const char *text, values *out) {
  const char *const name = s->description.name;
  const fanin__form form = {.owner = name, .own = s->parameters};
  fanin__span no_word;
  *out = usual;
  FANIN__TRY(fanin__read_pairs(&form, text, out, &no_word));
  for (const fanin__parameter *p = s->parameters; p->name; p++) {
    if (!isnan(fanin__number_at(out, p->offset))) continue;
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s needs %s, as in %s:%s=12", name, p->name, name, p->name);
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin_scheme_factor(const char *text, const fanin_tensor *t, double *factor) {
  const scheme *s;
  values given;
  uint64_t fan_in = 0, fan_out = 0;
  FANIN__NEED(text, factor);
  const fanin__span name = {text, strcspn(text, ":")};
  FANIN__TRY(find_scheme(name, &s));
  FANIN__TRY(read_values(s, text + name.length, &given));
  if (s->description.needs_fans) {
    if (!t)
      return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "t is NULL; %s needs a tensor, for its fans", s->description.name);
    const fanin_status status = fanin_fans(t, &fan_in, &fan_out);
    if (status == FANIN_STATUS_BAD_LAYOUT) {
      return fanin__fail(status, "%s needs a layout with O and I; layout is \"%s\"", s->description.name, t->layout);
    }
    if (status != FANIN_STATUS_OK) return status;
  }
  const double value = s->factor(&given, (double)fan_in, (double)fan_out);
  if (!(value > 0 && value < INFINITY)) {
    return fanin__fail(FANIN_STATUS_BAD_TEXT,
                       "scheme '%.64s' makes a factor of %g (fan_in %llu, fan_out %llu); a finite one "
                       "above 0 is accepted",
                       text, value, (unsigned long long)fan_in, (unsigned long long)fan_out);
  }
  *factor = value;
  return FANIN_STATUS_OK;
}

/* ---- Before an initializer --------------------------------------------------------------------------------------- */

static const char blanks[] = " \t\n";

/* The last word, which is the initializer. Blanks at the end are fanin_init_parse()'s to refuse. */
static const char *last_word(const char *text) {
  const char *last = text;
  for (const char *at = text; *at; at++) {
    if (strchr(blanks, at[0]) && at[1] && !strchr(blanks, at[1])) last = at + 1;
  }
  return last;
}

static fanin_status factor_of_word(const char *word, size_t length, const fanin_tensor *t, double *factor) {
  char *const text = malloc(length + 1);
  if (!text) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "a scheme of %zu letters", length);
  memcpy(text, word, length);
  text[length] = '\0';
  const fanin_status status = fanin_scheme_factor(text, t, factor);
  free(text);
  return status;
}

fanin_status fanin_init_parse_for(const char *text, const fanin_tensor *t, fanin_init *out) {
  FANIN__NEED(text, out);
  const char *const end = last_word(text);
  fanin_init plain;
  double factor = 1;
  FANIN__TRY(fanin_init_parse(end, &plain));
  while (text < end) {
    const size_t length = strcspn(text, blanks);
    double one = 1;
    if (length > 0) FANIN__TRY(factor_of_word(text, length, t, &one));
    factor *= one;
    text += length + strspn(text + length, blanks);
  }
  return fanin_init_scaled(&plain, factor, out);
}
