/* Stream v1 in plain C: the reference that devices are held to, bit for bit. Written from docs/stream.md alone, section
 * by section, one element at a time; nothing here knows the kernels. Build with -ffp-contract=off. */
#ifndef FANIN_TESTS_ORACLE_H
#define FANIN_TESTS_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "fanin.h"
#include "init/distribution.h"

/* ---- layout.c ---------------------------------------------------------------------------------------------------- */

/* How many groups there are, at least 1, and whether they divide I; else they divide O. */
typedef struct oracle_groups {
  uint64_t count;
  bool of_inputs;
} oracle_groups;
oracle_groups oracle_groups_of(const fanin_tensor *t);

/* Whether the letter is I, or G in its place. */
bool oracle_is_input(char letter);

/* ---- philox.c: section 1 ----------------------------------------------------------------------------------------- */

void oracle_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);

/* The words of a block; bit 63 of `block` is the plane. */
void oracle_block(fanin_key key, uint64_t block, uint32_t out[4]);

/* w(i) and d(i): what element i owns. */
uint32_t oracle_word(fanin_key key, uint64_t index);
uint64_t oracle_draw(fanin_key key, uint64_t index);

/* ---- math32.c: section 2 ----------------------------------------------------------------------------------------- */

float oracle_signed_unit32(uint32_t w);
float oracle_positive_unit32(uint32_t w);
float oracle_neg2_log32(float x);
float oracle_neg2_log_unit32(uint32_t w);
float oracle_square_root32(float x);
void oracle_cos_sin32(uint32_t w, float *c, float *s);
void oracle_cos_sin_at32(uint64_t angle, float *c, float *s);
float oracle_inverse_core32(float x);
float oracle_inverse_tail32(float s);
extern const float oracle_core_limit32;
float oracle_exp2_32(float x, int n);
float oracle_inverse_softplus32(float y, float t);

/* ---- math64.c: section 3 ----------------------------------------------------------------------------------------- */

double oracle_signed_unit64(uint64_t d);
double oracle_positive_unit64(uint64_t d);
double oracle_neg2_log64(double x);
double oracle_neg2_log_unit64(uint64_t d);
void oracle_cos_sin64(uint64_t d, double *c, double *s);
void oracle_cos_sin_at64(uint64_t angle, double *c, double *s);
double oracle_inverse_core64(double x);
double oracle_inverse_tail64(double s);
extern const double oracle_core_limit64;
double oracle_exp2_64(double x, int n);
double oracle_inverse_softplus64(double y, double t);

/* ---- dtype.c: section 5, in integers ----------------------------------------------------------------------------- */

uint16_t oracle_f16_of(float x);
uint16_t oracle_bf16_of(float x);
uint16_t oracle_e4m3_of(float x);
uint16_t oracle_e5m2_of(float x);
float oracle_f16_value(uint16_t bits);
float oracle_bf16_value(uint16_t bits);
float oracle_e4m3_value(uint16_t bits);
float oracle_e5m2_value(uint16_t bits);

/* The bits of x rounded to a dtype other than f64. */
uint32_t oracle_bits_of(fanin_dtype dtype, float x);

/* The dtype's number with these bits, exactly. */
double oracle_number(fanin_dtype dtype, uint64_t bits);

/* Section 4's bounds: the dtype's smallest finite number that is not below x, its largest that is not above. The
 * nearest finite number where there is none. A zero is +0. */
double oracle_least(fanin_dtype dtype, double x);
double oracle_most(fanin_dtype dtype, double x);

/* ---- plan.c: section 4's parameters ------------------------------------------------------------------------------ */

/* Whose Q, ln Q, exp and ln: the library's, which the bits follow from, or the reference's of reference.h. */
typedef struct oracle_tails {
  double (*tail)(double z);
  double (*log_tail)(double z);
  double (*exponential)(double x);
  double (*logarithm)(double x);
} oracle_tails;

extern const oracle_tails oracle_host_tails;

/* A distribution's parameters for one dtype, in f64 before they are rounded to real. */
typedef struct oracle_plan {
  fanin_dtype dtype;
  fanin_law_kind law;
  double value;                                           /* constant */
  double middle, half;                                    /* uniform; log-uniform: of ln y */
  double rest, octaves, whole;                            /* log-uniform */
  double lower, upper;                                    /* uniform, truncated normal, log-uniform */
  double mean, std;                                       /* normal, truncated normal */
  double x_middle, x_half, s_reference, low, high, width; /* truncated normal */
} oracle_plan;

/* `init` resolved on `t` by the library (which other tests hold to hand-derived numbers), with section 4's bounds. */
fanin__distribution oracle_distribution_of(const fanin_tensor *t, const fanin_init *init);

/* Not for laws that more than one draw decides: of those, image.c puts FANIN_LAW_KIND_ONES and FANIN_LAW_KIND_SPARSE
 * together. */
oracle_plan oracle_plan_of(const fanin__distribution *distribution, fanin_dtype dtype, const oracle_tails *tails);

/* ---- value.c: section 4's values --------------------------------------------------------------------------------- */

/* The value of element `index` before section 5 rounds it: not f64, and f64. */
float oracle_value32(const oracle_plan *plan, fanin_key key, uint64_t index);
double oracle_value64(const oracle_plan *plan, fanin_key key, uint64_t index);

/* What memory holds of element `index`, in the low bytes. */
uint64_t oracle_bits(const oracle_plan *plan, fanin_key key, uint64_t index);

#endif
