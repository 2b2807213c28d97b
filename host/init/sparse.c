/* sparse: normals with a number of zeros in each line of weights, at random places. */
#include "core/status.h"
#include "init/initializer.h"

_Static_assert(sizeof(fanin_per) == sizeof(int), "enums have int's size");

static const fanin__choice owners[] = {{"input", FANIN_PER_INPUT}, {"output", FANIN_PER_OUTPUT}, {NULL, 0}};
static const fanin__parameter parameters[] = {FANIN__NUMBER_IN(sparsity, 0, 1), FANIN__NOT_NEGATIVE(std),
                                              FANIN__CHOICE_OF(per, owners), FANIN__NUMBER_IN(connections, 0, 0x1p53),
                                              FANIN__END};

/* Zeros of a line, as torch.nn.init.sparse_ counts them: in double, rounded up. */
static uint64_t zeros_of(const fanin_init *init, uint64_t line) {
  if (init->connections > 0) return init->connections < (double)line ? line - (uint64_t)init->connections : 0;
  const double zeros = ceil(init->sparsity * (double)line);
  return zeros < (double)line ? (uint64_t)zeros : line;
}

static fanin_status resolve(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  const uint64_t line = init->per == FANIN_PER_OUTPUT ? roles->fan_in : roles->fan_out, zeros = zeros_of(init, line);
  FANIN__TRY(fanin__need_once(roles, "sparse", true));
  if (zeros == line) return fanin__resolve_to(0, out);
  if (zeros == 0) return fanin__resolve_normal(0, init->std, out);
  *out = (fanin__distribution){
      .law = {.kind = FANIN_LAW_KIND_SPARSE, .std = init->std, .zeros = (double)zeros / (double)line},
      .per = init->per,
      .zeros = zeros,
      .line = line};
  return FANIN_STATUS_OK;
}

static fanin_status check(const fanin_init *init, fanin_status status) {
  if (init->connections == floor(init->connections)) return FANIN_STATUS_OK;
  return fanin__fail(status, "sparse: connections is %g; a whole number, or 0 for none, is accepted",
                     init->connections);
}

static fanin_init explicit(const fanin_init *init) {
  if (init->sparsity == 0 && init->connections == 0) return fanin_normal(0, init->std);
  return init->std == 0 ? fanin__everywhere(0) : fanin__used_fields(&fanin__kind_sparse, init);
}

const fanin__initializer fanin__kind_sparse = {
    .description = {"sparse", "",
                    "normal, mean 0, with std, but ceil(sparsity * n) zeros at random among the n = fan_out weights "
                    "of each input (per=output: the fan_in weights of each output); connections=k: all but k of them",
                    "sparsity=0.1,std=0.01,per=input,connections=0", "torch.nn.init.sparse_; Martens 2010", 1, 1, ""},
    .defaults = {.kind = FANIN_KIND_SPARSE, .sparsity = 0.1, .std = 0.01},
    .parameters = parameters,
    .resolve = resolve,
    .check = check,
    .explicit = explicit,
};

fanin_init fanin_sparse(double sparsity, double std) {
  return fanin__explicit(&(fanin_init){.kind = FANIN_KIND_SPARSE, .sparsity = sparsity, .std = std});
}

/* ---- The law ----------------------------------------------------------------------------------------------------- */

/* Of the values, a share is not 0, and normal. */
static fanin_status expect(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  (void)t;
  const double share = (double)(d->line - d->zeros) / (double)d->line;
  *out = (fanin_moments){.std = d->law.std * sqrt(share), .kurtosis = 3 / share, .lo = -INFINITY, .hi = INFINITY};
  return FANIN_STATUS_OK;
}

static double probability(const fanin_law *law, double x, bool upper) {
  const double zero_is_there = (x >= 0) != upper;
  return law->zeros * zero_is_there + (1 - law->zeros) * fanin__normal_probability(law, x, upper);
}

static void moments(const fanin_law *law, double centre, double unit, double *out, int n) {
  fanin__normal_moments(law, centre, unit, out, n);
  for (int k = 0; k < n; k++)
    out[k] = law->zeros * pow(-centre / unit, k) + (1 - law->zeros) * out[k];
}

const fanin__law fanin__law_sparse = {
    .values = FANIN_VALUES_INDEPENDENT, .expect = expect, .probability = probability, .moments = moments};
