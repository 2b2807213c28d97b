/* Schemes: each factor beside its paper's number, and initializers times a factor beside the law they must have. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "support/support.h"

static fanin_tensor linear(uint64_t out, uint64_t in) {
  return test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, (const uint64_t[]){out, in});
}

/* The numbers are the papers' formulas in decimal arithmetic of 30 digits (Python's decimal), not this code's. */
static const struct {
  const char *text;
  uint64_t out, in; /* of a linear layer; 0: no tensor */
  double factor;
} cases[] = {
    {"times:factor=0.25", 0, 0, 0.25},
    {"power:of=512", 0, 0, 0.0441941738241592202750527726315531},
    {"power:of=10,exponent=3", 0, 0, 1e-3},
    {"residual:layers=12", 0, 0, 0.204124145231931508183107006226}, /* 0.02 of it: GPT-2's 0.00408 */
    {"residual:layers=12,branches=3", 0, 0, 1.0 / 6},
    {"fan_in", 2048, 512, 0.0441941738241592202750527726315531},
    {"t5_q:heads=8", 512, 512, 0.00552427172801990253438159657894}, /* T5-small: (512 * 64)^-1/2 */
    {"t5_q:heads=6", 384, 512, 0.00552427172801990253438159657894}, /* T5 1.1 small: d_kv is no d / heads */
    {"small_init:d=768", 0, 0, 0.0228217732293819213940404076167},  /* Pythia 160M's step 0 */
    {"wang:layers=32,d=768", 0, 0, 0.00225527448902197564261386242384},
    {"fixup:layers=18", 0, 0, 0.235702260395515841466948120702},     /* L^-1/2 */
    {"fixup:layers=50,m=3", 0, 0, 0.376060309308639356812460923452}, /* L^-1/4 */
    {"t_fixup_encoder:layers=6", 0, 0, 0.428091879845002558823084034458},
    {"t_fixup_decoder:layers=6", 0, 0, 0.368893973233440530802930091147},
    {"deepnorm:layers=18", 0, 0, 0.288675134594812882254574390251},
    {"deepnorm_encoder:layers=18,decoder_layers=18", 0, 0, 0.352571005957042773710907286520},
    {"deepnorm_encoder:layers=100,decoder_layers=12", 0, 0, 0.235543120719918364860024008195},
    {"deepnorm_decoder:layers=18", 0, 0, 0.260847430012214552764080916526},
    {"siren_first", 256, 2, 0.5},
    {"siren_hidden", 128, 256, 0.00510310363079828770457767515563},
    {"siren_hidden:omega=1", 128, 256, 0.153093108923948631137330254669},
    {"mup_hidden:base=256", 4096, 1024, 0.5},
    {"mup_output:base=256", 50257, 1024, 0.25},
    {"spectral", 128, 784, 0.0144307506364601535592009053491},
    {"spectral", 784, 128, 0.0883883476483184405501055451},
};

static void factors_are_the_papers(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    const fanin_tensor t = linear(cases[k].out, cases[k].in);
    double factor;
    assert_ok(fanin_scheme_factor(cases[k].text, cases[k].in > 0 ? &t : NULL, &factor));
    if (!(fabs(factor / cases[k].factor - 1) < 1e-14)) {
      fail_msg("%s: %.17g is not %.17g", cases[k].text, factor, cases[k].factor);
    }
  }
}

/* A description's parameters are those that the text takes: each is accepted, those without a default are needed, and
 * with its default said, nothing changes. */
static void descriptions_are_what_is_read(void **state) {
  (void)state;
  const fanin_tensor t = linear(48, 12);
  fanin_scheme_description d;
  for (int s = 0; s < fanin_scheme_count(); s++) {
    char needed[128], all[128], copy[128], separator = ':';
    double shortest, longest;
    assert_ok(fanin_describe_scheme(s, &d, sizeof d));
    snprintf(needed, sizeof needed, "%s", d.name);
    snprintf(all, sizeof all, "%s", d.name);
    snprintf(copy, sizeof copy, "%s", d.parameters);
    for (char *save = NULL, *one = strtok_r(copy, ",", &save); one; one = strtok_r(NULL, ",", &save)) {
      const bool usual = strchr(one, '=') != NULL;
      const size_t end = strlen(all), short_end = strlen(needed);
      if (!usual) assert_status(fanin_scheme_factor(needed, &t, &shortest), FANIN_STATUS_BAD_TEXT);
      snprintf(all + end, sizeof all - end, "%c%s%s", separator, one, usual ? "" : "=12");
      if (!usual) snprintf(needed + short_end, sizeof needed - short_end, "%c%s=12", separator, one);
      separator = ',';
    }
    assert_ok(fanin_scheme_factor(needed, &t, &shortest));
    assert_ok(fanin_scheme_factor(all, &t, &longest));
    assert_true(shortest == longest);
  }
}

/* Every scheme is among the cases, and says what it is. */
static void every_scheme_is_described(void **state) {
  (void)state;
  fanin_scheme_description d;
  for (int s = 0; s < fanin_scheme_count(); s++) {
    size_t k = 0;
    assert_ok(fanin_describe_scheme(s, &d, sizeof d));
    const size_t length = strlen(d.name);
    while (strncmp(cases[k].text, d.name, length) != 0 || strcspn(cases[k].text, ":") != length) {
      if (++k == sizeof cases / sizeof *cases) fail_msg("%s has no case", d.name);
    }
    assert_int_equal(d.needs_fans, cases[k].in > 0);
    assert_true(d.formula[0] && d.goes_with[0] && d.source[0]);
  }
  assert_status(fanin_describe_scheme(fanin_scheme_count(), &d, sizeof d), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_describe_scheme(-1, &d, sizeof d), FANIN_STATUS_BAD_ARGUMENT);
}

static void bad_texts_say_what_is_accepted(void **state) {
  (void)state;
  static const struct {
    const char *text, *says;
    fanin_status status;
  } bad[] = {
      {"", "no scheme is called ''", FANIN_STATUS_BAD_TEXT},
      {"residua:layers=2", "'residua', did you mean residual? There are times, power, residual", FANIN_STATUS_BAD_TEXT},
      {"depth:layers=2", "'depth'; there are times, power, residual", FANIN_STATUS_BAD_TEXT},
      {"residual", "residual needs layers, as in residual:layers=12", FANIN_STATUS_BAD_TEXT},
      {"residual:", "residual: expected name=value after ':', got ''", FANIN_STATUS_BAD_TEXT},
      {"residual:layers", "expected name=value after ':', got 'layers'", FANIN_STATUS_BAD_TEXT},
      {"residual:depth=2", "has no parameter 'depth'; accepted are layers, branches", FANIN_STATUS_BAD_TEXT},
      {"residual:layer=2", "'layer', did you mean layers? Accepted are layers, branches", FANIN_STATUS_BAD_TEXT},
      {"residual:layers=2,Layers=2", "layers is given twice", FANIN_STATUS_BAD_TEXT},
      {"residual:layers=0", "above 0 is accepted", FANIN_STATUS_BAD_TEXT},
      {"residual:layers=-1", "above 0 is accepted", FANIN_STATUS_BAD_TEXT},
      {"residual:layers=inf", "above 0 is accepted", FANIN_STATUS_BAD_TEXT},
      {"residual:layers=nan", "above 0 is accepted", FANIN_STATUS_BAD_TEXT},
      {"residual:layers=1x", "above 0 is accepted", FANIN_STATUS_BAD_TEXT},
      {"residual:layers=12,", "expected name=value after ',', got ''", FANIN_STATUS_BAD_TEXT},
      {"spectral:x=1", "it takes none", FANIN_STATUS_BAD_TEXT},
      {"fixup:layers=18,m=1", "makes a factor of", FANIN_STATUS_BAD_TEXT},
      {"power:of=10,exponent=400", "makes a factor of", FANIN_STATUS_BAD_TEXT},
      {"fan_in", "needs a layout with O and I; layout is \"\"", FANIN_STATUS_BAD_LAYOUT},
  };
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "", 1, (const uint64_t[]){3});
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    double factor = -7;
    assert_status(fanin_scheme_factor(bad[k].text, &t, &factor), bad[k].status);
    if (!strstr(fanin_last_error(), bad[k].says)) fail_msg("'%s': %s", bad[k].text, fanin_last_error());
    assert_true(factor == -7);
  }
  double factor;
  assert_status(fanin_scheme_factor("fan_in", NULL, &factor), FANIN_STATUS_BAD_ARGUMENT);
  const fanin_tensor empty = linear(4, 0);
  assert_status(fanin_scheme_factor("fan_in", &empty, &factor), FANIN_STATUS_BAD_TEXT);
}

static const char *const inits[] = {
    "zeros",
    "ones",
    "constant:value=-3",
    "uniform:lo=-1,hi=2",
    "normal:mean=0.5,std=2",
    "trunc_normal:mean=0.5,std=2,a=-1,b=3",
    "trunc_normal:std=0.02,a=-2,b=2,bounds=absolute,corrected=false",
    "trunc_normal:std=0.5,a=-1,b=2,bounds=absolute",
    "xavier_uniform:gain=tanh",
    "xavier_normal:distribution=trunc_normal",
    "he_uniform:a=0.3,mode=fan_out",
    "he_normal:a=-0.2",
    "he_normal:mode=fan_geo,distribution=trunc_normal",
    "pytorch_default",
    "lecun_uniform",
    "lecun_normal:distribution=trunc_normal",
    "variance_scaling:scale=3,mode=fan_avg,distribution=uniform",
    "identity:gain=-2",
    "orthogonal:gain=1.5",
    "sparse:sparsity=0.5,std=2",
    "hadamard:gain=3",
    "s4d_real",
    "inv_freq:base=500,gain=-2",
    "alibi",
    "ramp:lo=-5,hi=3,exponent=1.3,zigzag=0.5",
    "log_uniform:lo=0.01,hi=3,floor=0.02",
};

static void assert_times(double after, double before, double factor, const char *what) {
  if (after == before * factor) return; /* infinities, zeros */
  if (!(fabs(after - before * factor) <= 1e-12 * fabs(before * factor))) {
    fail_msg("%s: %.17g is not %.17g times %.17g", what, after, factor, before);
  }
}

/* By the moments and bounds of both, and again after a round through the text form. */
static void laws_are_multiplied(void **state) {
  (void)state;
  const fanin_tensor t = linear(30, 77);
  const double factors[] = {0.25, 1.0 / 3, 7};
  for (size_t k = 0; k < sizeof inits / sizeof *inits * 3; k++) {
    const char *const text = inits[k / 3];
    const double factor = factors[k % 3];
    fanin_init init, scaled, back;
    fanin_moments before, after, again;
    char form[512];
    assert_ok(fanin_init_parse(text, &init));
    assert_ok(fanin_init_scaled(&init, factor, &scaled));
    assert_ok(fanin_expect(&t, &init, &before, sizeof before));
    assert_ok(fanin_expect(&t, &scaled, &after, sizeof after));
    assert_times(after.mean, before.mean, factor, text);
    assert_times(after.std, before.std, factor, text);
    assert_times(after.lo, before.lo, factor, text);
    assert_times(after.hi, before.hi, factor, text);
    assert_times(after.kurtosis, before.kurtosis, 1, text);
    assert_true(test_init_format(&scaled, form, sizeof form) < sizeof form);
    assert_ok(fanin_init_parse(form, &back));
    assert_ok(fanin_expect(&t, &back, &again, sizeof again));
    assert_true(again.mean == after.mean && again.std == after.std && again.lo == after.lo && again.hi == after.hi);
  }
}

/* A kind that has nothing to multiply would come out as it went in. */
static void every_kind_can_be_multiplied(void **state) {
  (void)state;
  char before[512], after[512];
  for (int kind = 0; kind < FANIN_KIND_COUNT; kind++) {
    fanin_description d;
    fanin_init init, scaled;
    assert_ok(fanin_describe((fanin_kind)kind, &d, sizeof d));
    assert_ok(fanin_init_parse(kind == FANIN_KIND_CONSTANT ? "constant:value=2" : d.name, &init));
    assert_ok(fanin_init_scaled(&init, 0.75, &scaled));
    test_init_format(&init, before, sizeof before);
    test_init_format(&scaled, after, sizeof after);
    if (kind != FANIN_KIND_ZEROS && strcmp(before, after) == 0) fail_msg("%s times 0.75 is %s", before, after);
  }
}

static void a_factor_of_one_changes_nothing(void **state) {
  (void)state;
  char before[512], after[512];
  for (size_t k = 0; k < sizeof inits / sizeof *inits; k++) {
    fanin_init init, scaled;
    assert_ok(fanin_init_parse(inits[k], &init));
    assert_ok(fanin_init_scaled(&init, 1, &scaled));
    test_init_format(&init, before, sizeof before);
    test_init_format(&scaled, after, sizeof after);
    assert_string_equal(after, before);
  }
}

static void bad_factors_are_refused(void **state) {
  (void)state;
  const double bad[] = {0, -1, NAN, INFINITY};
  const fanin_init init = fanin_normal(0, 1e300);
  fanin_init out;
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
    assert_status(fanin_init_scaled(&init, bad[k], &out), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_init_scaled(&init, 1e10, &out), FANIN_STATUS_BAD_ARGUMENT); /* std overflows */
  fanin_init mamba = fanin_log_uniform(0.001, 0.1);
  mamba.inverse_softplus = 1;
  assert_status(fanin_init_scaled(&mamba, 2, &out), FANIN_STATUS_BAD_ARGUMENT);
}

/* Factors of the schemes before it, whatever blanks are between them. */
static void schemes_stand_before_initializers(void **state) {
  (void)state;
  const fanin_tensor t = linear(30, 77);
  static const struct {
    const char *text;
    double std;
  } texts[] = {{"normal:std=0.02", 0.02},
               {"residual:layers=8 normal:std=0.02", 0.02 / 4},
               {"  times:factor=3\t residual:layers=8\nnormal:std=0.02", 3 * 0.02 / 4},
               {"fan_in normal", 0.11396057645963795}};
  fanin_init init;
  fanin_moments m;
  for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
    assert_ok(fanin_init_parse_for(texts[k].text, &t, &init));
    assert_ok(fanin_expect(&t, &init, &m, sizeof m));
    assert_times(m.std, texts[k].std, 1, texts[k].text);
  }
  assert_ok(fanin_init_parse_for("residual:layers=8 normal", NULL, &init));
  assert_status(fanin_init_parse_for("fan_in normal", NULL, &init), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_init_parse_for("residual:layer=8 normal", &t, &init), FANIN_STATUS_BAD_TEXT);
  assert_status(fanin_init_parse_for("normal residual:layers=8", &t, &init), FANIN_STATUS_BAD_TEXT);
  assert_status(fanin_init_parse_for("", &t, &init), FANIN_STATUS_BAD_TEXT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(factors_are_the_papers),
      cmocka_unit_test(every_scheme_is_described),
      cmocka_unit_test(descriptions_are_what_is_read),
      cmocka_unit_test(bad_texts_say_what_is_accepted),
      cmocka_unit_test(laws_are_multiplied),
      cmocka_unit_test(a_factor_of_one_changes_nothing),
      cmocka_unit_test(bad_factors_are_refused),
      cmocka_unit_test(every_kind_can_be_multiplied),
      cmocka_unit_test(schemes_stand_before_initializers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
