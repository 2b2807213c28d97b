/* An activation and its derivative in f32, a few ulp: the functions of host/activation.c, chosen by
 * -D ACTIVATION=<id there>. At a kink the derivative is that on the left. */
#ifndef FANIN_ACTIVATION_CL
#define FANIN_ACTIVATION_CL

#pragma OPENCL FP_CONTRACT OFF

#define SELU_LAMBDA       1.05070098735548f
#define SELU_ALPHA        1.67326324235438f
#define SQRT_2_OVER_PI    0.797884560802865f
#define SQRT_HALF         0.707106781186548f
#define ONE_OVER_ROOT_2PI 0.398942280401433f

/* ln(1 + e^x), without overflow */
static inline float softplus(const float x) {
  return fmax(x, 0.0f) + log1p(exp(-fabs(x)));
}

/* 1 / (1 + e^-x) */
static inline float logistic(const float x) {
  return 1.0f / (1.0f + exp(-x));
}

static inline float activation(const float x, const float slope) {
#if ACTIVATION == 0 /* linear */
  return x;
#elif ACTIVATION == 1  /* relu */
  return x > 0 ? x : 0;
#elif ACTIVATION == 2  /* leaky_relu */
  return x > 0 ? x : slope * x;
#elif ACTIVATION == 3  /* tanh */
  return tanh(x);
#elif ACTIVATION == 4  /* sigmoid */
  return logistic(x);
#elif ACTIVATION == 5  /* selu */
  return SELU_LAMBDA * (x > 0 ? x : SELU_ALPHA * expm1(x));
#elif ACTIVATION == 6  /* elu */
  return x > 0 ? x : expm1(x);
#elif ACTIVATION == 7  /* gelu: x P(Z < x); erfc keeps the left tail's digits */
  return 0.5f * x * erfc(-SQRT_HALF * x);
#elif ACTIVATION == 8  /* gelu_tanh: (1 + tanh u) / 2 is the logistic function of 2u */
  return x * logistic(2.0f * SQRT_2_OVER_PI * fma(0.044715f * x * x, x, x));
#elif ACTIVATION == 9  /* silu */
  return x * logistic(x);
#elif ACTIVATION == 10 /* mish */
  return x * tanh(softplus(x));
#elif ACTIVATION == 11 /* softplus */
  return softplus(x);
#elif ACTIVATION == 12 /* softsign */
  return x / (1.0f + fabs(x));
#elif ACTIVATION == 13 /* hardswish */
  return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3.0f) / 6.0f;
#elif ACTIVATION == 14 /* relu2 */
  return x > 0 ? x * x : 0;
#else
#error "ACTIVATION is no known number"
#endif
}

/* logistic'(x) = e / (1 + e)^2, e = e^-|x| */
static inline float logistic_slope(const float x) {
  const float e = exp(-fabs(x));
  return e / ((1.0f + e) * (1.0f + e));
}

static inline float derivative(const float x, const float slope) {
#if ACTIVATION == 0 /* linear */
  return 1;
#elif ACTIVATION == 1  /* relu */
  return x > 0 ? 1 : 0;
#elif ACTIVATION == 2  /* leaky_relu */
  return x > 0 ? 1 : slope;
#elif ACTIVATION == 3  /* tanh: 1 - tanh^2 = 4 logistic'(2x) */
  return 4.0f * logistic_slope(2.0f * x);
#elif ACTIVATION == 4  /* sigmoid */
  return logistic_slope(x);
#elif ACTIVATION == 5  /* selu */
  return SELU_LAMBDA * (x > 0 ? 1 : SELU_ALPHA * exp(x));
#elif ACTIVATION == 6  /* elu */
  return x > 0 ? 1 : exp(x);
#elif ACTIVATION == 7  /* gelu */
  return fma(0.5f, erfc(-SQRT_HALF * x), x * (ONE_OVER_ROOT_2PI * exp(-0.5f * x * x)));
#elif ACTIVATION == 8  /* gelu_tanh: x logistic(u(x)) */
  const float u = 2.0f * SQRT_2_OVER_PI * fma(0.044715f * x * x, x, x);
  const float du = 2.0f * SQRT_2_OVER_PI * fma(0.134145f * x, x, 1.0f);
  return fma(x * du, logistic_slope(u), logistic(u));
#elif ACTIVATION == 9  /* silu */
  return fma(x, logistic_slope(x), logistic(x));
#elif ACTIVATION == 10 /* mish: tanh s + x logistic(x) / cosh^2 s, s = softplus(x) */
  const float s = softplus(x);
  return fma(x * logistic(x), 4.0f * logistic_slope(2.0f * s), tanh(s));
#elif ACTIVATION == 11 /* softplus */
  return logistic(x);
#elif ACTIVATION == 12 /* softsign */
  return 1.0f / ((1.0f + fabs(x)) * (1.0f + fabs(x)));
#elif ACTIVATION == 13 /* hardswish */
  return x <= -3 ? 0 : x > 3 ? 1 : (2.0f * x + 3.0f) / 6.0f;
#elif ACTIVATION == 14 /* relu2 */
  return x > 0 ? 2.0f * x : 0;
#endif
}

#endif
