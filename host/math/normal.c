/* The normal distribution in double, from +, -, *, / and sqrt alone (and frexp and ldexp, which are exact): a libm's
 * last digits differ from host to host, and weights follow from these numbers. */
#include "math/normal.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "math/quadrature.h"

/* ln 2 in two parts; the first has 21 bits, so that its products with exponents are exact. */
#define LN2_HIGH     0x1.62e42p-1
#define LN2_LOW      0x1.fdf473de6af28p-22
#define SQRT_TWO_PI  2.5066282746310005024
#define LOG_SQRT_2PI 0.91893853320467274178

/* 1 / n! from n = 2 on; the factorials are exact. */
static const double inverse_factorials[] = {
    1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,        1.0 / 5040,       1.0 / 40320,
    1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200};

/* x 2^k, exactly as ldexp(), which is a slow call. */
static double times_power(double x, int k) {
  if (k < -1000 || k > 1000) return ldexp(x, k);
  const uint64_t bits = (uint64_t)(k + 1023) << 52;
  double power;
  memcpy(&power, &bits, sizeof power);
  return x * power;
}

/* e^x = 2^k e^r with |r| <= ln 2 / 2, e^r by its Taylor series. Error below 1 ulp. */
double fanin__exp(double x) {
  if (!(x > -746)) return x < 0 ? 0 : x; /* NaN stays */
  if (x > 710) return INFINITY;
  const int k = (int)(x * 1.4426950408889634074 + (x < 0 ? -0.5 : 0.5));
  const double high = x - k * LN2_HIGH, low = k * LN2_LOW;
  const double r = high - low, lost = (high - r) - low;
  double series = 0; /* (e^r - 1 - r) / r^2 */
  for (size_t n = sizeof inverse_factorials / sizeof *inverse_factorials; n-- > 0;)
    series = series * r + inverse_factorials[n];
  return times_power(1 + (r + (series * r * r + lost)), k);
}

/* ln(1 + f) + e ln 2, sqrt(1/2) - 1 <= f <= sqrt(2) - 1: with s = f / (2 + f), ln(1 + f) = 2 artanh(s), arranged so
 * that f itself is added last and without loss. Error below 1 ulp. */
static double log_of(double f, int e) {
  const double s = f / (2 + f), z = s * s, half_square = 0.5 * f * f;
  double series = 0; /* 2 (artanh(s) - s) / s = sum of 2 z^n / (2n + 1), n >= 1 */
  for (int n = 12; n >= 1; n--)
    series = (series + 2.0 / (2 * n + 1)) * z;
  const double tail = s * (half_square + series);
  return e * LN2_HIGH - ((half_square - (tail + e * LN2_LOW)) - f);
}

double fanin__log(double x) {
  if (!(x > 0)) return x == 0 ? -INFINITY : NAN;
  if (x > DBL_MAX) return x;
  int e;
  double m = frexp(x, &e);
  if (m < 0.70710678118654752440) {
    m *= 2;
    e--;
  }
  return log_of(m - 1, e);
}

/* e^(-z^2 / 2), z^2 being the sum of an exact square and a small rest. */
static double gaussian(double z) {
  if (!(z > -39 && z < 39)) return z == z ? 0 : z;
  const double head = (double)(int)(z * 65536) / 65536;
  return fanin__exp(-0.5 * head * head) * fanin__exp(-0.5 * (z - head) * (z + head));
}

double fanin__normal_pdf(double z) {
  return gaussian(z) / SQRT_TWO_PI;
}

double fanin__normal_pdf_fast(double z) {
  return fanin__exp(-0.5 * z * z) / SQRT_TWO_PI;
}

/* pdf(z) / Q(z), z >= 1.5, by Laplace's continued fraction z + 1/(z + 2/(z + 3/(z + ...))), whose error falls as
 * e^(-2 z sqrt(terms)). Abramowitz & Stegun, 26.2.14. */
static double hazard(double z) {
  double fraction = z;
  for (int n = z < 20 ? (int)(420 / (z * z)) + 10 : 10; n >= 1; n--)
    fraction = z + n / fraction;
  return fraction;
}

/* Q(z), z >= 0; near the centre 1/2 less the integral's series z + z^3/3 + z^5/15 + ... Abramowitz & Stegun, 26.2.11.
 */
static double upper_tail(double z) {
  if (z >= 1.5) return gaussian(z) / (SQRT_TWO_PI * hazard(z));
  double series = 0;
  for (int n = 26; n >= 1; n--)
    series = (series + 1) * z * z / (2 * n + 1);
  return 0.5 - fanin__normal_pdf(z) * (series + 1) * z;
}

double fanin__normal_tail(double z) {
  return z < 0 ? 1 - upper_tail(-z) : upper_tail(z);
}

/* Q(z) e^(z^2/2) (1 + sqrt(2) z) as a polynomial in t = (z - 4.5) / (z + 4.5), which takes z >= 0 to -1 <= t < 1: the
 * form of Shepherd & Laframboise (1981), by tools/fit_polynomials.py. */
static const double scaled_tail[] = {
    0x1.3fbd017b8b72ap-1,   -0x1.1a9370433d54ep-4,  -0x1.0afbecf9b9684p-6, 0x1.e2fd2e81a9adep-5,
    -0x1.e95bdb32a426fp-5,  0x1.3cc7a6dec1cdbp-5,   -0x1.12204652e4543p-6, 0x1.02bf76d9e5a1dp-8,
    0x1.3188672fd23ecp-12,  -0x1.1c08ae4c7e97bp-11, 0x1.907779406b100p-14, 0x1.c2cd78edb1e6dp-15,
    -0x1.62c169fb65f11p-16, -0x1.8a247a71fb41dp-18, 0x1.eadffddb2b853p-19, 0x1.d0d4a4b63d75dp-21,
    -0x1.49299754a9d4ep-21, -0x1.73a9239e14a17p-23, 0x1.ac617b328604bp-24, 0x1.448fe78db31aep-25,
    -0x1.f4773667298bbp-27, -0x1.d295e21906319p-28, 0x1.c21f4f037aad4p-30, 0x1.72ef2bcaa407cp-31,
    -0x1.bf24f2c580db8p-34};

double fanin__normal_tail_fast(double z) {
  if (z < 0) return 1 - fanin__normal_tail_fast(-z);
  if (!(z < 39)) return z == z ? 0 : z;
  const double t = (z - 4.5) / (z + 4.5);
  double sum = 0;
  for (size_t n = sizeof scaled_tail / sizeof *scaled_tail; n-- > 0;)
    sum = sum * t + scaled_tail[n];
  return fanin__exp(-0.5 * z * z) * sum / (1 + 1.41421356237309504880 * z);
}

double fanin__normal_log_tail(double z) {
  if (z >= 1.5) return -(0.5 * z * z + (LOG_SQRT_2PI + fanin__log(hazard(z))));
  if (z > -0.75) return fanin__log(fanin__normal_tail(z));
  return log_of(-upper_tail(-z), 0);
}

/* ---- Truncation -------------------------------------------------------------------------------------------------- */

/* The density about the interval's mode m, over that at the mode, a distance u away on one side:
 * e^-(u (|m| + u/2)), without cancellation however far out or narrow the interval is. */
typedef struct side {
  double mode, sign; /* the variable is mode + sign * u */
  double about;      /* moments of this power about mode + about */
  int power;
} side;

static double side_moment(double u, void *context) {
  const side *s = context;
  double product = fanin__exp(-u * (s->mode * s->sign + 0.5 * u));
  for (int n = 0; n < s->power; n++)
    product *= s->sign * u - s->about;
  return product;
}

/* The moment on both sides, `below` and `above` the mode; mirrored intervals give mirrored bits. */
static double moment(double mode, double below, double above, double about, int power) {
  side left = {mode, -1, about, power}, right = {mode, 1, about, power};
  return fanin__integrate(side_moment, &left, 0, below, 8) + fanin__integrate(side_moment, &right, 0, above, 8);
}

void fanin__truncated_moments(double a, double b, double *mean, double *variance, double *fourth_central) {
  const double mode = a > 0 ? a : b < 0 ? b : 0, m = fabs(mode);
  /* Where the density has fallen to e^-60 of the mode's, which is nothing even to the fourth moment. */
  const double cut = m < 1e8 ? 120 / (m + sqrt(m * m + 120)) : 60 / m;
  const double below = mode - a < cut ? mode - a : cut, above = b - mode < cut ? b - mode : cut;
  const double mass = moment(mode, below, above, 0, 0), about = moment(mode, below, above, 0, 1) / mass;
  *mean = mode + about;
  *variance = moment(mode, below, above, about, 2) / mass;
  *fourth_central = moment(mode, below, above, about, 4) / mass;
}
