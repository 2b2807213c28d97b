/* Section 4 of docs/stream.md: the value of an element, and section 5: its bits. */
#include "init/distribution.h"
#include "oracle.h"

#include <math.h>
#include <string.h>

/* ---- f32, f16, bf16 ---------------------------------------------------------------------------------------------- */

static float uniform32(const oracle_plan *p, uint32_t w) {
  const float value = fmaf((float)p->half, oracle_signed_unit32(w), (float)p->middle);
  return fminf(fmaxf(value, (float)p->lower), (float)p->upper);
}

static float normal32(const oracle_plan *p, fanin_key key, uint64_t index) {
  const uint64_t even = index & ~UINT64_C(1);
  const float r = oracle_square_root32(oracle_neg2_log_unit32(oracle_word(key, even)));
  float c, s;
  oracle_cos_sin32(oracle_word(key, even + 1), &c, &s);
  return fmaf((float)p->std, r * (index == even ? c : s), (float)p->mean);
}

static float truncated32(const oracle_plan *p, uint32_t w) {
  const float x = fmaf((float)p->x_half, oracle_signed_unit32(w), (float)p->x_middle);
  const float s_reference = (float)p->s_reference, width = (float)p->width;
  float z;
  if (x > oracle_core_limit32) {
    const float tail = fmaf(width, oracle_positive_unit32(w ^ UINT32_C(0x7fffffff)), (float)p->high);
    z = oracle_inverse_tail32(s_reference + oracle_neg2_log32(tail));
  } else if (x < -oracle_core_limit32) {
    const float tail = fmaf(width, oracle_positive_unit32(w ^ UINT32_C(0x80000000)), (float)p->low);
    z = -oracle_inverse_tail32(s_reference + oracle_neg2_log32(tail));
  } else {
    z = oracle_inverse_core32(x);
  }
  return fminf(fmaxf(fmaf((float)p->std, z, (float)p->mean), (float)p->lower), (float)p->upper);
}

static float log_uniform32(const oracle_plan *p, uint32_t w) {
  const float unit = oracle_signed_unit32(w);
  const float y = oracle_exp2_32(fmaf((float)p->octaves, unit, (float)p->rest), (int)p->whole);
  const float t = fmaf((float)p->half, unit, (float)p->middle);
  const float value = p->law == FANIN_LAW_KIND_SOFTPLUS_LOG_UNIFORM ? oracle_inverse_softplus32(y, t) : y;
  return fminf(fmaxf(value, (float)p->lower), (float)p->upper);
}

float oracle_value32(const oracle_plan *plan, fanin_key key, uint64_t index) {
  switch (plan->law) {
  case FANIN_LAW_KIND_UNIFORM:
    return uniform32(plan, oracle_word(key, index));
  case FANIN_LAW_KIND_NORMAL:
    return normal32(plan, key, index);
  case FANIN_LAW_KIND_TRUNC_NORMAL:
    return truncated32(plan, oracle_word(key, index));
  case FANIN_LAW_KIND_LOG_UNIFORM:
  case FANIN_LAW_KIND_SOFTPLUS_LOG_UNIFORM:
    return log_uniform32(plan, oracle_word(key, index));
  default:
    break;
  }
  return (float)plan->value;
}

/* ---- f64 --------------------------------------------------------------------------------------------------------- */

static double uniform64(const oracle_plan *p, uint64_t d) {
  const double value = fma(p->half, oracle_signed_unit64(d), p->middle);
  return fmin(fmax(value, p->lower), p->upper);
}

static double normal64(const oracle_plan *p, fanin_key key, uint64_t index) {
  const uint64_t even = index & ~UINT64_C(1);
  const double r = sqrt(oracle_neg2_log_unit64(oracle_draw(key, even)));
  double c, s;
  oracle_cos_sin64(oracle_draw(key, even + 1), &c, &s);
  return fma(p->std, r * (index == even ? c : s), p->mean);
}

static double truncated64(const oracle_plan *p, uint64_t d) {
  const double x = fma(p->x_half, oracle_signed_unit64(d), p->x_middle);
  double z;
  if (x > oracle_core_limit64) {
    const double tail = fma(p->width, oracle_positive_unit64(d ^ (UINT64_MAX >> 1)), p->high);
    z = oracle_inverse_tail64(p->s_reference + oracle_neg2_log64(tail));
  } else if (x < -oracle_core_limit64) {
    const double tail = fma(p->width, oracle_positive_unit64(d ^ UINT64_C(1) << 63), p->low);
    z = -oracle_inverse_tail64(p->s_reference + oracle_neg2_log64(tail));
  } else {
    z = oracle_inverse_core64(x);
  }
  return fmin(fmax(fma(p->std, z, p->mean), p->lower), p->upper);
}

static double log_uniform64(const oracle_plan *p, uint64_t d) {
  const double unit = oracle_signed_unit64(d);
  const double y = oracle_exp2_64(fma(p->octaves, unit, p->rest), (int)p->whole);
  const double t = fma(p->half, unit, p->middle);
  const double value = p->law == FANIN_LAW_KIND_SOFTPLUS_LOG_UNIFORM ? oracle_inverse_softplus64(y, t) : y;
  return fmin(fmax(value, p->lower), p->upper);
}

double oracle_value64(const oracle_plan *plan, fanin_key key, uint64_t index) {
  switch (plan->law) {
  case FANIN_LAW_KIND_UNIFORM:
    return uniform64(plan, oracle_draw(key, index));
  case FANIN_LAW_KIND_NORMAL:
    return normal64(plan, key, index);
  case FANIN_LAW_KIND_TRUNC_NORMAL:
    return truncated64(plan, oracle_draw(key, index));
  case FANIN_LAW_KIND_LOG_UNIFORM:
  case FANIN_LAW_KIND_SOFTPLUS_LOG_UNIFORM:
    return log_uniform64(plan, oracle_draw(key, index));
  default:
    break;
  }
  return plan->value;
}

uint64_t oracle_bits(const oracle_plan *plan, fanin_key key, uint64_t index) {
  if (plan->dtype == FANIN_DTYPE_F64) {
    const double value = oracle_value64(plan, key, index);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
  }
  return oracle_bits_of(plan->dtype, oracle_value32(plan, key, index));
}
